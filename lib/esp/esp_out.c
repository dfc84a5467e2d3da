/* SPDX-License-Identifier: MIT */
/* Outbound SA: padding, sequence numbers, sealing in place (RFC 4303 §3.3). */
#include "esp_internal.h"

#include <string.h>

#include "base_wire.h"

struct l2v_esp_out {
    struct l2v_env *env;
    struct l2v_seal *seal;
    const struct l2v_suite_info *info;
    uint32_t spi;
    bool esn;
    uint64_t seq;   /* last used */
    uint64_t limit; /* last that may be used */
    struct l2v_esp_stats stats;
};

void l2v_esp_fill_auth(struct l2v_esp_auth *auth, const struct l2v_suite_info *info, bool esn,
                       uint32_t spi, uint64_t seq)
{
    struct l2v_writer w;
    bool high_in_aad = esn && info->aead;
    l2v_writer_init(&w, auth->aad, sizeof(auth->aad));
    l2v_write_u32(&w, spi);
    if (high_in_aad) {
        l2v_write_u32(&w, (uint32_t)(seq >> 32));
    }
    l2v_write_u32(&w, (uint32_t)seq);
    auth->aad_len = l2v_writer_len(&w);
    auth->tail_len = 0;
    if (esn && !info->aead) {
        l2v_put_u32(auth->tail, (uint32_t)(seq >> 32));
        auth->tail_len = sizeof(auth->tail);
    }
}

bool l2v_esp_params_fit(const struct l2v_esp_params *p)
{
    return l2v_suite_get(p->suite) != NULL && p->spi != 0 &&
           p->seq <= (p->esn ? UINT64_MAX - 1 : UINT32_MAX);
}

int l2v_esp_out_new(struct l2v_env *env, struct l2v_crypto *crypto, const struct l2v_esp_params *p,
                    struct l2v_esp_out **ret_sa)
{
    struct l2v_esp_out *sa;
    int err;
    if (!l2v_esp_params_fit(p)) {
        return L2TPVOIP_ERR_INVALID;
    }
    sa = (struct l2v_esp_out *)l2v_calloc(env, 1, sizeof(*sa));
    if (sa == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    err = l2v_seal_new(crypto, p->suite, true, p->enc_key, p->enc_key_len, p->auth_key,
                       p->auth_key_len, &sa->seal);
    if (err != 0) {
        l2v_free(env, sa);
        return err;
    }
    sa->env = env;
    sa->info = l2v_suite_get(p->suite);
    sa->spi = p->spi;
    sa->esn = p->esn;
    sa->seq = p->seq;
    /* A number never comes twice: rfc4303#3.3.3 */
    sa->limit = p->esn ? UINT64_MAX - 1 : UINT32_MAX;
    *ret_sa = sa;
    return 0;
}

void l2v_esp_out_free(struct l2v_esp_out *sa)
{
    if (sa != NULL) {
        l2v_seal_free(sa->seal);
        l2v_free(sa->env, sa);
    }
}

/* Bytes of padding so that payload, padding and trailer fill whole blocks: rfc4303#2.4 */
static size_t pad_len(const struct l2v_esp_out *sa, size_t payload_len)
{
    size_t block = sa->info->block;
    return (block - (payload_len + L2V_ESP_TRAILER) % block) % block;
}

size_t l2v_esp_overhead(const struct l2v_esp_out *sa, size_t payload_len)
{
    return L2V_ESP_HEADER + (size_t)sa->info->iv_len + pad_len(sa, payload_len) + L2V_ESP_TRAILER +
           sa->info->icv_len;
}

size_t l2v_esp_max_payload(const struct l2v_esp_out *sa, size_t room)
{
    size_t fixed = L2V_ESP_HEADER + (size_t)sa->info->iv_len + sa->info->icv_len;
    if (room < fixed + sa->info->block) {
        return 0;
    }
    room -= fixed;
    return room - room % sa->info->block - L2V_ESP_TRAILER;
}

static void write_trailer(uint8_t *at, size_t n_pad, uint8_t next_header)
{
    for (size_t i = 0; i < n_pad; i++) {
        at[i] = (uint8_t)(i + 1); /* 1, 2, 3…: rfc4303#2.4 */
    }
    at[n_pad] = (uint8_t)n_pad;
    at[n_pad + 1] = next_header;
}

int l2v_esp_seal(struct l2v_esp_out *sa, struct l2v_pkt *pkt, uint8_t next_header)
{
    size_t len = pkt->len, n_pad = pad_len(sa, len), iv_len = sa->info->iv_len;
    size_t text_len = len + n_pad + L2V_ESP_TRAILER;
    struct l2v_esp_auth auth;
    uint8_t *header, *trailer;
    int err;
    if (l2v_pkt_headroom(pkt) < L2V_ESP_HEADER + iv_len ||
        l2v_pkt_tailroom(pkt) < n_pad + L2V_ESP_TRAILER + sa->info->icv_len) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    if (sa->seq >= sa->limit) {
        return L2TPVOIP_ERR_LIMIT;
    }
    sa->seq++; /* used up even if sealing fails: an IV must never come twice */
    trailer = l2v_pkt_put(pkt, n_pad + L2V_ESP_TRAILER + sa->info->icv_len);
    header = l2v_pkt_push(pkt, L2V_ESP_HEADER + iv_len);
    write_trailer(trailer, n_pad, next_header);
    l2v_put_u32(header, sa->spi);
    l2v_put_u32(header + 4, (uint32_t)sa->seq);
    l2v_esp_fill_auth(&auth, sa->info, sa->esn, sa->spi, sa->seq);
    /* Without the high half in it, the AAD is the header itself: one run of bytes for the MAC. */
    err = l2v_seal_packet(sa->seal, sa->seq, auth.aad_len == L2V_ESP_HEADER ? header : auth.aad,
                          auth.aad_len, header + L2V_ESP_HEADER, header + L2V_ESP_HEADER + iv_len,
                          text_len, auth.tail_len > 0 ? auth.tail : NULL, auth.tail_len,
                          header + L2V_ESP_HEADER + iv_len + text_len);
    if (err != 0) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    sa->stats.packets++;
    sa->stats.bytes += len;
    return 0;
}

uint64_t l2v_esp_out_seq(const struct l2v_esp_out *sa)
{
    return sa->seq;
}

const struct l2v_esp_stats *l2v_esp_out_stats(const struct l2v_esp_out *sa)
{
    return &sa->stats;
}
