/* SPDX-License-Identifier: MIT */
/* Packet protection: the table of suites and the way to the three kinds of them. */
#include "crypto_internal.h"

#include <limits.h>
#include <string.h>

struct suite_row {
    struct l2v_suite_info info;
    const struct l2v_seal_ops *ops;
    enum l2v_cipher cipher;
    enum l2v_hash hash;
};

/* clang-format off */
/* name, block, iv, icv, salt, auth key, aead. rfc4106#3, rfc7634#2, rfc3602#3, rfc2451#2.4,
 * rfc2404#3, rfc4868#2.6; the 96-bit SHA-256 is what Linux up to 2.6.32 and its offspring send. */
static const struct suite_row suites[L2V_N_SUITES] = {
    [L2V_SUITE_AES_GCM_16] = {{"AES-GCM-16", 4, 8, 16, 4, 0, true}, &l2v_seal_gcm_ops,
                              L2V_CIPHER_AES_CBC, L2V_HASH_NONE},
    [L2V_SUITE_AES_GCM_12] = {{"AES-GCM-12", 4, 8, 12, 4, 0, true}, &l2v_seal_gcm_ops,
                              L2V_CIPHER_AES_CBC, L2V_HASH_NONE},
    [L2V_SUITE_AES_GCM_8] = {{"AES-GCM-8", 4, 8, 8, 4, 0, true}, &l2v_seal_gcm_ops,
                             L2V_CIPHER_AES_CBC, L2V_HASH_NONE},
    [L2V_SUITE_CHACHA20_POLY1305] = {{"ChaCha20-Poly1305", 4, 8, 16, 4, 0, true},
                                     &l2v_seal_chacha_ops, L2V_CIPHER_NONE, L2V_HASH_NONE},
    [L2V_SUITE_AES_CBC_SHA1_96] = {{"AES-CBC + HMAC-SHA1-96", 16, 16, 12, 0, 20, false},
                                   &l2v_seal_etm_ops, L2V_CIPHER_AES_CBC, L2V_HASH_SHA1},
    [L2V_SUITE_AES_CBC_SHA256_128] = {{"AES-CBC + HMAC-SHA256-128", 16, 16, 16, 0, 32, false},
                                      &l2v_seal_etm_ops, L2V_CIPHER_AES_CBC, L2V_HASH_SHA256},
    [L2V_SUITE_AES_CBC_SHA256_96] = {{"AES-CBC + HMAC-SHA256-96", 16, 16, 12, 0, 32, false},
                                     &l2v_seal_etm_ops, L2V_CIPHER_AES_CBC, L2V_HASH_SHA256},
    [L2V_SUITE_AES_CBC_SHA384_192] = {{"AES-CBC + HMAC-SHA384-192", 16, 16, 24, 0, 48, false},
                                      &l2v_seal_etm_ops, L2V_CIPHER_AES_CBC, L2V_HASH_SHA384},
    [L2V_SUITE_AES_CBC_SHA512_256] = {{"AES-CBC + HMAC-SHA512-256", 16, 16, 32, 0, 64, false},
                                      &l2v_seal_etm_ops, L2V_CIPHER_AES_CBC, L2V_HASH_SHA512},
    [L2V_SUITE_3DES_CBC_SHA1_96] = {{"3DES-CBC + HMAC-SHA1-96", 8, 8, 12, 0, 20, false},
                                    &l2v_seal_etm_ops, L2V_CIPHER_3DES_CBC, L2V_HASH_SHA1},
};
/* clang-format on */

static const struct suite_row *find_suite(enum l2v_suite_id id)
{
    return (unsigned)id < L2V_N_SUITES && suites[id].ops != NULL ? &suites[id] : NULL;
}

const struct l2v_suite_info *l2v_suite_get(enum l2v_suite_id id)
{
    const struct suite_row *row = find_suite(id);
    return row != NULL ? &row->info : NULL;
}

static bool enc_key_len_fits(const struct suite_row *row, size_t len)
{
    if (row->ops == &l2v_seal_chacha_ops) {
        return len == 32 + 4;
    }
    if (row->cipher == L2V_CIPHER_3DES_CBC) {
        return len == 24;
    }
    if (len < row->info.salt_len) {
        return false;
    }
    len -= row->info.salt_len;
    return len == 16 || len == 24 || len == 32;
}

int l2v_seal_new(struct l2v_crypto *crypto, enum l2v_suite_id id, bool seal, const uint8_t *enc_key,
                 size_t enc_key_len, const uint8_t *auth_key, size_t auth_key_len,
                 struct l2v_seal **ret_seal)
{
    const struct suite_row *row = find_suite(id);
    struct l2v_seal *s;
    int r = 0;
    if (row == NULL || enc_key == NULL || !enc_key_len_fits(row, enc_key_len) ||
        auth_key_len != row->info.auth_key_len || (auth_key == NULL && auth_key_len > 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    s = l2v_calloc(crypto->env, 1, sizeof(*s));
    if (s == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    s->crypto = crypto;
    s->info = &row->info;
    s->ops = row->ops;
    s->seals = seal;
    s->hash = row->hash;
    s->cipher = row->cipher;
    if (seal && row->info.aead) {
        r = l2v_random(crypto->env, &s->iv_base, sizeof(s->iv_base));
    }
    if (r == 0) {
        r = s->ops->init(s, enc_key, enc_key_len, auth_key, auth_key_len);
    }
    if (r != 0) {
        l2v_seal_free(s);
        return r;
    }
    *ret_seal = s;
    return 0;
}

void l2v_seal_free(struct l2v_seal *seal)
{
    if (seal != NULL) {
        seal->ops->clear(seal);
        l2v_free_secret(seal->crypto->env, seal, sizeof(*seal));
    }
}

static bool packet_fits(const struct l2v_seal *seal, const struct l2v_packet *pkt)
{
    return pkt->len <= INT_MAX / 2 && pkt->aad_len <= INT_MAX / 2 &&
           (seal->info->aead || pkt->len % seal->info->block == 0);
}

int l2v_seal_packet(struct l2v_seal *seal, uint64_t seq, const uint8_t *aad, size_t aad_len,
                    uint8_t *iv_out, uint8_t *data, size_t len, const uint8_t *tail,
                    size_t tail_len, uint8_t *icv)
{
    const struct l2v_packet pkt = {
        .aad = aad,
        .aad_len = aad_len,
        .iv_out = iv_out,
        .data = data,
        .len = len,
        .tail = tail,
        .tail_len = tail != NULL ? tail_len : 0,
        .icv_out = icv,
    };
    if (!seal->seals || !packet_fits(seal, &pkt)) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (seal->info->aead) {
        /* rfc4106#3.1 "the same IV and key MUST NOT be used more than once": a nonce once used
         * would give the authentication key away. */
        if (seq < seal->next_seq || seq == UINT64_MAX) {
            return L2TPVOIP_ERR_STATE;
        }
        seal->next_seq = seq + 1;
    }
    return seal->ops->seal(seal, seq, &pkt);
}

int l2v_open_packet(struct l2v_seal *seal, const uint8_t *aad, size_t aad_len, const uint8_t *iv,
                    uint8_t *data, size_t len, const uint8_t *tail, size_t tail_len,
                    const uint8_t *icv)
{
    const struct l2v_packet pkt = {
        .aad = aad,
        .aad_len = aad_len,
        .iv = iv,
        .data = data,
        .len = len,
        .tail = tail,
        .tail_len = tail != NULL ? tail_len : 0,
        .icv = icv,
    };
    if (seal->seals) {
        return L2TPVOIP_ERR_INVALID;
    }
    /* A ragged length comes from the wire: no valid packet has one. */
    if (!packet_fits(seal, &pkt)) {
        return L2TPVOIP_ERR_INTEGRITY;
    }
    return seal->ops->open(seal, &pkt);
}
