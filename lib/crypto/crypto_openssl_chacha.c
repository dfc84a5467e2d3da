/* SPDX-License-Identifier: MIT */
/* ChaCha20-Poly1305 (RFC 7634). The context is keyed once. The nonce of a packet goes in as the
 * provider's fixed-nonce parameter, which spares the init; where a libcrypto does not take it (the
 * known answer in l2v_crypto_new tells), by an init without key. */
#include "crypto_internal.h"

#include "base_wire.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static int chacha_init(struct l2v_seal *seal, const uint8_t *enc_key, size_t enc_key_len,
                       const uint8_t *auth_key, size_t auth_key_len)
{
    struct l2v_seal_chacha *chacha = &seal->u.chacha;
    bool ok;
    (void)auth_key;
    (void)auth_key_len;
    if (seal->crypto->chacha == NULL) {
        return L2TPVOIP_ERR_CRYPTO_UNAVAILABLE;
    }
    chacha->ctx = EVP_CIPHER_CTX_new();
    if (chacha->ctx == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    ERR_set_mark();
    ok = EVP_CipherInit_ex2(chacha->ctx, seal->crypto->chacha, enc_key, chacha->nonce,
                            seal->seals ? 1 : 0, NULL) == 1;
    ERR_pop_to_mark();
    memcpy(chacha->nonce, enc_key + enc_key_len - 4, 4);
    return ok ? 0 : L2TPVOIP_ERR_CRYPTO;
}

static void chacha_clear(struct l2v_seal *seal)
{
    EVP_CIPHER_CTX_free(seal->u.chacha.ctx);
}

/* Sets the nonce, and when opening the tag that is expected, then feeds the associated data. */
static bool start_packet(struct l2v_seal *seal, const uint8_t *iv, const struct l2v_packet *pkt)
{
    struct l2v_seal_chacha *chacha = &seal->u.chacha;
    OSSL_PARAM params[3];
    OSSL_PARAM *p = params;
    memcpy(chacha->nonce + 4, iv, 8);
    if (seal->crypto->chacha_iv_param) {
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED,
                                                 chacha->nonce, 12);
    } else if (EVP_CipherInit_ex2(chacha->ctx, NULL, NULL, chacha->nonce, -1, NULL) != 1) {
        return false;
    }
    if (!seal->seals) {
        memcpy(chacha->tag, pkt->icv, 16);
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, chacha->tag, 16);
    }
    *p = OSSL_PARAM_construct_end();
    if (p != params && EVP_CIPHER_CTX_set_params(chacha->ctx, params) != 1) {
        return false;
    }
    return pkt->aad_len == 0 ||
           EVP_Cipher(chacha->ctx, NULL, pkt->aad, (unsigned)pkt->aad_len) >= 0;
}

static bool run_payload(struct l2v_seal *seal, const struct l2v_packet *pkt)
{
    return pkt->len == 0 ||
           EVP_Cipher(seal->u.chacha.ctx, pkt->data, pkt->data, (unsigned)pkt->len) >= 0;
}

static int chacha_seal(struct l2v_seal *seal, uint64_t seq, const struct l2v_packet *pkt)
{
    struct l2v_seal_chacha *chacha = &seal->u.chacha;
    OSSL_PARAM params[2];
    uint8_t none[16];
    int n = 0;
    l2v_put_u64(pkt->iv_out, seq ^ seal->iv_base);
    params[0] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, chacha->tag, 16);
    params[1] = OSSL_PARAM_construct_end();
    if (!start_packet(seal, pkt->iv_out, pkt) || !run_payload(seal, pkt) ||
        EVP_EncryptFinal_ex(chacha->ctx, none, &n) != 1 ||
        EVP_CIPHER_CTX_get_params(chacha->ctx, params) != 1) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    memcpy(pkt->icv_out, chacha->tag, 16);
    return 0;
}

static int chacha_open(struct l2v_seal *seal, const struct l2v_packet *pkt)
{
    uint8_t none[16];
    int n = 0;
    int r = 0;
    ERR_set_mark();
    if (!start_packet(seal, pkt->iv, pkt) || !run_payload(seal, pkt)) {
        r = L2TPVOIP_ERR_CRYPTO;
    } else if (EVP_DecryptFinal_ex(seal->u.chacha.ctx, none, &n) != 1) {
        /* libcrypto compares the tags in constant time. */
        r = L2TPVOIP_ERR_INTEGRITY;
    }
    ERR_pop_to_mark();
    return r;
}

const struct l2v_seal_ops l2v_seal_chacha_ops = {chacha_init, chacha_clear, chacha_seal,
                                                 chacha_open};
