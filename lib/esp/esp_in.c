/* SPDX-License-Identifier: MIT */
/* Inbound SA: sequence number, ICV, window, padding, in this order (RFC 4303 §3.4). */
#include "esp_internal.h"

#include <string.h>

#include "base_wire.h"

struct l2v_esp_in {
    struct l2v_env *env;
    struct l2v_seal *seal;
    const struct l2v_suite_info *info;
    uint32_t spi;
    bool esn;
    struct l2v_esp_window window;
    struct l2v_esp_stats stats;
};

int l2v_esp_in_new(struct l2v_env *env, struct l2v_crypto *crypto, const struct l2v_esp_params *p,
                   struct l2v_esp_in **ret_sa)
{
    struct l2v_esp_in *sa;
    int err;
    if (!l2v_esp_params_fit(p)) {
        return L2TPVOIP_ERR_INVALID;
    }
    sa = (struct l2v_esp_in *)l2v_calloc(env, 1, sizeof(*sa));
    if (sa == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    sa->env = env;
    sa->info = l2v_suite_get(p->suite);
    sa->spi = p->spi;
    sa->esn = p->esn;
    err = l2v_esp_window_init(&sa->window, env, p->replay_window, p->seq);
    if (err == 0) {
        err = l2v_seal_new(crypto, p->suite, false, p->enc_key, p->enc_key_len, p->auth_key,
                           p->auth_key_len, &sa->seal);
    }
    if (err != 0) {
        l2v_esp_in_free(sa);
        return err;
    }
    *ret_sa = sa;
    return 0;
}

void l2v_esp_in_free(struct l2v_esp_in *sa)
{
    if (sa != NULL) {
        l2v_seal_free(sa->seal);
        l2v_esp_window_clear(&sa->window, sa->env);
        l2v_free(sa->env, sa);
    }
}

/* An ESP packet in its parts; pointers into the packet. */
struct parts {
    const uint8_t *header;
    const uint8_t *iv;
    uint8_t *text; /* ciphertext, opened in place */
    size_t text_len;
    const uint8_t *icv;
    uint32_t seq_low;
};

static bool split(const struct l2v_esp_in *sa, const struct l2v_pkt *pkt, struct parts *ret)
{
    const struct l2v_suite_info *info = sa->info;
    size_t fixed = L2V_ESP_HEADER + (size_t)info->iv_len + info->icv_len;
    struct l2v_reader r, header;
    if (pkt->len < fixed + info->block) {
        return false;
    }
    l2v_reader_init(&r, pkt->data, pkt->len);
    ret->header = pkt->data;
    header = l2v_read_sub(&r, L2V_ESP_HEADER);
    if (l2v_read_u32(&header) != sa->spi) {
        return false;
    }
    ret->seq_low = l2v_read_u32(&header);
    ret->iv = l2v_read_bytes(&r, info->iv_len);
    ret->text = pkt->data + L2V_ESP_HEADER + info->iv_len;
    ret->text_len = pkt->len - fixed;
    l2v_read_skip(&r, ret->text_len);
    ret->icv = l2v_read_bytes(&r, info->icv_len);
    return !r.failed && ret->text_len % info->block == 0;
}

static bool check_replay(struct l2v_esp_in *sa, uint64_t seq)
{
    switch (l2v_esp_window_check(&sa->window, seq)) {
    case L2V_ESP_FRESH:
        return true;
    case L2V_ESP_REPLAYED:
        sa->stats.replayed++;
        return false;
    default:
        sa->stats.late++;
        return false;
    }
}

/* After the ICV: the sender itself wrote this. Takes padding and trailer off. rfc4303#2.4, 3.4.4.1
 */
static bool strip_trailer(const struct parts *p, size_t *ret_len, uint8_t *ret_next_header)
{
    size_t end = p->text_len - L2V_ESP_TRAILER;
    size_t n_pad = p->text[end];
    if (n_pad > end) {
        return false;
    }
    for (size_t i = 0; i < n_pad; i++) {
        if (p->text[end - n_pad + i] != i + 1) {
            return false;
        }
    }
    *ret_len = end - n_pad;
    *ret_next_header = p->text[end + 1];
    return true;
}

static int check_icv(struct l2v_esp_in *sa, const struct parts *p, uint64_t seq)
{
    struct l2v_esp_auth auth;
    int err;
    l2v_esp_fill_auth(&auth, sa->info, sa->esn, sa->spi, seq);
    err = l2v_open_packet(sa->seal, auth.aad_len == L2V_ESP_HEADER ? p->header : auth.aad,
                          auth.aad_len, p->iv, p->text, p->text_len,
                          auth.tail_len > 0 ? auth.tail : NULL, auth.tail_len, p->icv);
    if (err == L2TPVOIP_ERR_INTEGRITY) {
        sa->stats.integrity++;
        return err;
    }
    return err == 0 ? 0 : L2TPVOIP_ERR_CRYPTO;
}

int l2v_esp_open(struct l2v_esp_in *sa, struct l2v_pkt *pkt, uint8_t *ret_next_header,
                 bool *ret_newest)
{
    struct parts p;
    uint64_t seq;
    size_t len;
    uint8_t next_header;
    bool newest;
    int err;
    if (!split(sa, pkt, &p)) {
        sa->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    seq = sa->esn ? l2v_esp_window_guess(&sa->window, p.seq_low) : p.seq_low;
    if (!check_replay(sa, seq)) {
        return L2TPVOIP_ERR_REPLAY;
    }
    err = check_icv(sa, &p, seq);
    if (err != 0) {
        return err;
    }
    newest = l2v_esp_window_update(&sa->window, seq); /* only now: rfc4303#3.4.3 */
    sa->stats.reordered += newest ? 0 : 1;
    sa->stats.lost = sa->window.lost;
    sa->stats.missing = sa->window.missing;
    if (!strip_trailer(&p, &len, &next_header)) {
        sa->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    (void)l2v_pkt_pull(pkt, L2V_ESP_HEADER + (size_t)sa->info->iv_len);
    l2v_pkt_trim(pkt, len);
    sa->stats.packets++;
    sa->stats.bytes += len;
    *ret_next_header = next_header;
    *ret_newest = newest;
    return 0;
}

uint64_t l2v_esp_in_seq(const struct l2v_esp_in *sa)
{
    return sa->window.top;
}

const struct l2v_esp_stats *l2v_esp_in_stats(const struct l2v_esp_in *sa)
{
    return &sa->stats;
}
