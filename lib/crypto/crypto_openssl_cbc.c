/* SPDX-License-Identifier: MIT */
/* CBC for IKE messages: keyed for each message, since IKEv1 chains the IV over messages. */
#include "crypto_internal.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

size_t l2v_cipher_block(enum l2v_cipher cipher)
{
    if (cipher == L2V_CIPHER_AES_CBC) {
        return 16;
    }
    return cipher == L2V_CIPHER_3DES_CBC ? 8 : 0;
}

int l2v_cbc(struct l2v_crypto *crypto, enum l2v_cipher cipher, bool encrypt, const void *key,
            size_t key_len, uint8_t *iv, uint8_t *data, size_t len)
{
    EVP_CIPHER_CTX *ctx = crypto->cipher_ctx;
    size_t block = l2v_cipher_block(cipher);
    const EVP_CIPHER *evp = l2v_crypto_cipher(crypto, cipher, key_len, false);
    uint8_t next[16];
    bool ok;
    if (block == 0 || len % block != 0 || len > INT_MAX / 2) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (evp == NULL) {
        bool known = cipher == L2V_CIPHER_3DES_CBC
                         ? key_len == 24
                         : key_len == 16 || key_len == 24 || key_len == 32;
        return known ? L2TPVOIP_ERR_CRYPTO_UNAVAILABLE : L2TPVOIP_ERR_INVALID;
    }
    if (len == 0) {
        return 0;
    }
    memcpy(next, data + len - block, block);
    ERR_set_mark();
    ok = EVP_CipherInit_ex2(ctx, evp, key, iv, encrypt ? 1 : 0, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && EVP_Cipher(ctx, data, data, (unsigned)len) > 0;
    ERR_pop_to_mark();
    /* Not to keep the key schedule of a finished message. */
    EVP_CIPHER_CTX_reset(ctx);
    if (!ok) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    memcpy(iv, encrypt ? data + len - block : next, block);
    return 0;
}
