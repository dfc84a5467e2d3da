/* SPDX-License-Identifier: MIT */
/* Digests, HMAC (RFC 2104) and the DES block of MS-CHAPv2. The contexts are made once and reused.
 */
#include "crypto_internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

static const uint8_t hash_lens[L2V_N_HASHES] = {
    [L2V_HASH_MD4] = 16,    [L2V_HASH_MD5] = 16,    [L2V_HASH_SHA1] = 20,
    [L2V_HASH_SHA256] = 32, [L2V_HASH_SHA384] = 48, [L2V_HASH_SHA512] = 64,
};

size_t l2v_hash_len(enum l2v_hash hash)
{
    return (unsigned)hash < L2V_N_HASHES ? hash_lens[hash] : 0;
}

size_t l2v_hash_block(enum l2v_hash hash)
{
    return hash == L2V_HASH_SHA384 || hash == L2V_HASH_SHA512 ? 128 : 64;
}

static void digest_md4(const struct l2v_iov *in, size_t n, uint8_t *ret_out)
{
    struct l2v_md4 md4;
    l2v_md4_init(&md4);
    for (size_t i = 0; i < n; i++) {
        l2v_md4_update(&md4, in[i].data, in[i].len);
    }
    l2v_md4_final(&md4, ret_out);
}

/* prefix (may be empty) and then the pieces of in. */
static bool run_digest(struct l2v_crypto *crypto, enum l2v_hash hash, const uint8_t *prefix,
                       size_t prefix_len, const struct l2v_iov *in, size_t n, uint8_t *ret_out)
{
    EVP_MD_CTX *ctx = crypto->md_ctx[hash];
    bool ok = EVP_DigestInit_ex2(ctx, crypto->md[hash], NULL) == 1;
    if (ok && prefix_len > 0) {
        ok = EVP_DigestUpdate(ctx, prefix, prefix_len) == 1;
    }
    for (size_t i = 0; ok && i < n; i++) {
        ok = in[i].len == 0 || EVP_DigestUpdate(ctx, in[i].data, in[i].len) == 1;
    }
    return ok && EVP_DigestFinal_ex(ctx, ret_out, NULL) == 1;
}

static int check_hash(const struct l2v_crypto *crypto, enum l2v_hash hash)
{
    if (l2v_hash_len(hash) == 0 || hash == L2V_HASH_MD4) {
        return L2TPVOIP_ERR_INVALID;
    }
    return crypto->md[hash] != NULL ? 0 : L2TPVOIP_ERR_CRYPTO_UNAVAILABLE;
}

int l2v_digest(struct l2v_crypto *crypto, enum l2v_hash hash, const struct l2v_iov *in, size_t n,
               uint8_t *ret_out)
{
    uint8_t out[L2V_HASH_MAX];
    int r;
    if (hash == L2V_HASH_MD4) {
        digest_md4(in, n, ret_out);
        return 0;
    }
    r = check_hash(crypto, hash);
    if (r != 0) {
        return r;
    }
    if (!run_digest(crypto, hash, NULL, 0, in, n, out)) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    memcpy(ret_out, out, l2v_hash_len(hash));
    return 0;
}

int l2v_hmac_pad(struct l2v_crypto *crypto, enum l2v_hash hash, const void *key, size_t key_len,
                 uint8_t value, uint8_t *ret_pad)
{
    size_t block = l2v_hash_block(hash);
    memset(ret_pad, 0, block);
    if (key_len > block) {
        /* rfc2104#2 a longer key is hashed first */
        struct l2v_iov iov = {key, key_len};
        int r = l2v_digest(crypto, hash, &iov, 1, ret_pad);
        if (r != 0) {
            return r;
        }
    } else if (key_len > 0) {
        memcpy(ret_pad, key, key_len);
    }
    for (size_t i = 0; i < block; i++) {
        ret_pad[i] ^= value;
    }
    return 0;
}

int l2v_hmac(struct l2v_crypto *crypto, enum l2v_hash hash, const void *key, size_t key_len,
             const struct l2v_iov *in, size_t n, uint8_t *ret_out)
{
    uint8_t pad[128];
    uint8_t inner[L2V_HASH_MAX];
    size_t block = l2v_hash_block(hash);
    struct l2v_iov second = {inner, l2v_hash_len(hash)};
    int r = check_hash(crypto, hash);
    if (r == 0) {
        r = l2v_hmac_pad(crypto, hash, key, key_len, 0x36, pad);
    }
    if (r != 0) {
        return r;
    }
    if (!run_digest(crypto, hash, pad, block, in, n, inner)) {
        r = L2TPVOIP_ERR_CRYPTO;
    }
    for (size_t i = 0; i < block; i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }
    if (r == 0 && !run_digest(crypto, hash, pad, block, &second, 1, inner)) {
        r = L2TPVOIP_ERR_CRYPTO;
    }
    if (r == 0) {
        memcpy(ret_out, inner, second.len);
    }
    l2v_wipe(pad, sizeof(pad));
    l2v_wipe(inner, sizeof(inner));
    return r;
}

/* rfc2759#8.6 seven key bytes become eight, the low bit of each being parity (unused by DES). */
static void expand_des_key(const uint8_t key7[7], uint8_t ret_key8[8])
{
    unsigned carry = 0;
    for (unsigned i = 0; i < 7; i++) {
        ret_key8[i] = (uint8_t)((carry | key7[i] >> i) & 0xfe);
        carry = (unsigned)key7[i] << (7 - i);
    }
    ret_key8[7] = (uint8_t)(carry & 0xfe);
}

int l2v_des_mschap(struct l2v_crypto *crypto, const uint8_t key7[7], const uint8_t in[8],
                   uint8_t ret_out[8])
{
    uint8_t key[24];
    uint8_t out[8];
    EVP_CIPHER_CTX *ctx = crypto->cipher_ctx;
    bool ok;
    if (crypto->des3_ecb == NULL) {
        return L2TPVOIP_ERR_CRYPTO_UNAVAILABLE;
    }
    /* E(k) D(k) E(k) is E(k): single DES without the legacy provider. */
    expand_des_key(key7, key);
    memcpy(key + 8, key, 8);
    memcpy(key + 16, key, 8);
    ERR_set_mark();
    ok = EVP_EncryptInit_ex2(ctx, crypto->des3_ecb, key, NULL, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && EVP_Cipher(ctx, out, in, 8) > 0;
    ERR_pop_to_mark();
    if (ok) {
        memcpy(ret_out, out, 8);
    }
    EVP_CIPHER_CTX_reset(ctx);
    l2v_wipe(key, sizeof(key));
    return ok ? 0 : L2TPVOIP_ERR_CRYPTO;
}
