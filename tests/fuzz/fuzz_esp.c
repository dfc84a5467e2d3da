/* SPDX-License-Identifier: MIT */
/* Fuzz target: the input as a UDP payload to be classified, as an ESP packet to be opened (with our
 * SPI put in, so that the SA takes it), and as the plaintext of a packet whose ICV is right, so
 * that padding and trailer are reached. */
#include <stdlib.h>
#include <string.h>

#include "base_wire.h"
#include "l2v_esp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SPI 0xc0ffee01u
#define MAX_TEXT 2048u

struct suite {
    struct l2v_esp_params params;
    uint8_t enc[36], auth[64];
};

static struct l2v_env env;
static struct l2v_crypto *crypto;

static int count_up(void *user, uint8_t *dst, size_t len)
{
    static uint8_t next;
    (void)user;
    for (size_t i = 0; i < len; i++) {
        dst[i] = next++;
    }
    return 0;
}

static void must(int err)
{
    if (err != 0) {
        abort();
    }
}

static void start(void)
{
    l2tpvoip_env_ops ops;
    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.random = count_up;
    must(l2v_env_init(&env, NULL, &ops, NULL, NULL, 1));
    must(l2v_crypto_new(&env, NULL, &crypto));
}

static void fill_suite(struct suite *s, unsigned pick)
{
    const struct l2v_suite_info *info;
    memset(s, 0, sizeof *s);
    s->params.suite = (enum l2v_suite_id)(1 + pick % (L2V_N_SUITES - 1));
    info = l2v_suite_get(s->params.suite);
    for (size_t i = 0; i < sizeof s->auth; i++) {
        s->enc[i % sizeof s->enc] = (uint8_t)(7 * i);
        s->auth[i] = (uint8_t)(11 * i);
    }
    s->params.spi = SPI;
    s->params.enc_key = s->enc;
    s->params.enc_key_len =
        s->params.suite == L2V_SUITE_3DES_CBC_SHA1_96 ? 24 : 32u + info->salt_len;
    s->params.auth_key = info->aead ? NULL : s->auth;
    s->params.auth_key_len = info->auth_key_len;
    s->params.esn = (pick & 0x80) != 0;
}

/* Opens a copy of exactly len bytes. */
static int open_copy(struct l2v_esp_in *in, const uint8_t *data, size_t len, bool own_spi)
{
    uint8_t *copy = (uint8_t *)malloc(len + 1);
    struct l2v_pkt view;
    uint8_t next_header;
    bool newest;
    int err;
    if (copy == NULL) {
        abort();
    }
    /* At the end of the block, so that a sanitizer sees the first byte too many. */
    if (len > 0) {
        memcpy(copy + 1, data, len);
    }
    if (own_spi && len >= 4) {
        l2v_put_u32(copy + 1, SPI);
    }
    l2v_pkt_borrow(&view, copy + 1, len);
    err = l2v_esp_open(in, &view, &next_header, &newest);
    if (err == 0 && (view.data < copy + 1 || view.data + view.len > copy + 1 + len)) {
        abort();
    }
    free(copy);
    return err;
}

static void open_sealed(const struct suite *s, struct l2v_esp_in *in, const uint8_t *text,
                        size_t len)
{
    static uint8_t packet[8 + 16 + MAX_TEXT + 32];
    const struct l2v_suite_info *info = l2v_suite_get(s->params.suite);
    const struct l2v_esp_params *p = &s->params;
    struct l2v_seal *seal;
    size_t at = 8u + info->iv_len;
    uint8_t aad[12], tail[4] = {0};
    bool wide = p->esn && info->aead;
    len = len < MAX_TEXT ? len : MAX_TEXT;
    len -= len % info->block;
    if (len == 0) {
        return;
    }
    l2v_put_u32(packet, SPI);
    l2v_put_u32(packet + 4, 1);
    l2v_put_u32(aad, SPI);
    l2v_put_u32(aad + 4, wide ? 0 : 1);
    l2v_put_u32(aad + 8, 1);
    memcpy(packet + at, text, len);
    must(l2v_seal_new(crypto, p->suite, true, p->enc_key, p->enc_key_len, p->auth_key,
                      p->auth_key_len, &seal));
    must(l2v_seal_packet(seal, 1, aad, wide ? 12 : 8, packet + 8, packet + at, len,
                         p->esn && !info->aead ? tail : NULL, p->esn && !info->aead ? 4 : 0,
                         packet + at + len));
    l2v_seal_free(seal);
    switch (open_copy(in, packet, at + len + info->icv_len, false)) {
    case 0:
    case L2TPVOIP_ERR_MALFORMED:
        break;
    default:
        abort(); /* the ICV was right */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct suite s;
    struct l2v_esp_in *in;
    int err;
    if (crypto == NULL) {
        start();
    }
    (void)l2v_udpencap_classify(data, size);
    (void)l2v_esp_peek_spi(data, size);
    fill_suite(&s, size > 0 ? data[size - 1] : 0);
    must(l2v_esp_in_new(&env, crypto, &s.params, &in));
    (void)open_copy(in, data, size, false);
    err = open_copy(in, data, size, true);
    if (err == 0) {
        abort(); /* nobody has the key */
    }
    open_sealed(&s, in, data, size);
    l2v_esp_in_free(in);
    return 0;
}
