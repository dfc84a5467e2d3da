/* SPDX-License-Identifier: MIT */
/* One l2v_crypto: fetches every algorithm once from the given library context, which is not changed
 * (no provider loaded, no configuration read), and proves the primitives by known answers. */
#include "crypto_internal.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

/* The first release with the fixes that this code relies on. */
#define OLDEST_MINOR 0u
#define OLDEST_PATCH 3u

static bool libcrypto_is_too_old(void)
{
    unsigned major = OPENSSL_version_major();
    unsigned minor = OPENSSL_version_minor();
    if (major != 3) {
        return major < 3;
    }
    return minor == OLDEST_MINOR && OPENSSL_version_patch() < OLDEST_PATCH;
}

static int random_of_libcrypto(uint8_t *dst, size_t len)
{
    while (len > 0) {
        int n = len > INT_MAX ? INT_MAX : (int)len;
        if (RAND_bytes(dst, n) != 1) {
            return L2TPVOIP_ERR_CRYPTO;
        }
        dst += n;
        len -= (size_t)n;
    }
    return 0;
}

static const char *const md_names[L2V_N_HASHES] = {
    [L2V_HASH_MD5] = "MD5",       [L2V_HASH_SHA1] = "SHA1",     [L2V_HASH_SHA256] = "SHA256",
    [L2V_HASH_SHA384] = "SHA384", [L2V_HASH_SHA512] = "SHA512",
};
static const char *const cbc_names[3] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"};
static const char *const ecb_names[3] = {"AES-128-ECB", "AES-192-ECB", "AES-256-ECB"};

/* What a restricted libcrypto lacks stays NULL and is refused on use. */
static void fetch_all(struct l2v_crypto *c)
{
    for (unsigned i = 0; i < L2V_N_HASHES; i++) {
        if (md_names[i] != NULL) {
            c->md[i] = EVP_MD_fetch(c->libctx, md_names[i], NULL);
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        c->aes_cbc[i] = EVP_CIPHER_fetch(c->libctx, cbc_names[i], NULL);
        c->aes_ecb[i] = EVP_CIPHER_fetch(c->libctx, ecb_names[i], NULL);
    }
    c->des3_cbc = EVP_CIPHER_fetch(c->libctx, "DES-EDE3-CBC", NULL);
    c->des3_ecb = EVP_CIPHER_fetch(c->libctx, "DES-EDE3-ECB", NULL);
    c->chacha = EVP_CIPHER_fetch(c->libctx, "ChaCha20-Poly1305", NULL);
}

static bool has_the_minimum(const struct l2v_crypto *c)
{
    return c->md[L2V_HASH_SHA1] != NULL && c->md[L2V_HASH_SHA256] != NULL &&
           c->aes_cbc[0] != NULL && c->aes_cbc[2] != NULL && c->aes_ecb[0] != NULL &&
           c->aes_ecb[2] != NULL;
}

static int make_contexts(struct l2v_crypto *c)
{
    for (unsigned i = 0; i < L2V_N_HASHES; i++) {
        if (c->md[i] != NULL) {
            c->md_ctx[i] = EVP_MD_CTX_new();
            if (c->md_ctx[i] == NULL) {
                return L2TPVOIP_ERR_NOMEM;
            }
        }
    }
    c->cipher_ctx = EVP_CIPHER_CTX_new();
    return c->cipher_ctx != NULL ? 0 : L2TPVOIP_ERR_NOMEM;
}

static int set_up(struct l2v_crypto *c)
{
    int r;
    fetch_all(c);
    if (!has_the_minimum(c)) {
        return L2TPVOIP_ERR_CRYPTO_UNAVAILABLE;
    }
    r = make_contexts(c);
    if (r == 0) {
        r = l2v_modp_setup(c);
    }
    if (r == 0) {
        r = l2v_ecp_setup(c);
    }
    if (r == 0) {
        r = l2v_crypto_selftest(c);
    }
    return r;
}

int l2v_crypto_new(struct l2v_env *env, void *libctx, struct l2v_crypto **ret_crypto)
{
    struct l2v_crypto *c;
    int r;
    if (libcrypto_is_too_old()) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    c = l2v_calloc(env, 1, sizeof(*c));
    if (c == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    c->env = env;
    c->libctx = libctx;
    if (env->random_fallback == NULL) {
        env->random_fallback = random_of_libcrypto;
    }
    /* The application's error queue keeps what it had, and gets nothing of ours. */
    ERR_set_mark();
    r = set_up(c);
    ERR_pop_to_mark();
    if (r != 0) {
        l2v_crypto_free(c);
        return r;
    }
    *ret_crypto = c;
    return 0;
}

void l2v_crypto_free(struct l2v_crypto *crypto)
{
    if (crypto == NULL) {
        return;
    }
    for (unsigned i = 0; i < L2V_N_HASHES; i++) {
        EVP_MD_CTX_free(crypto->md_ctx[i]);
        EVP_MD_free(crypto->md[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        EVP_CIPHER_free(crypto->aes_cbc[i]);
        EVP_CIPHER_free(crypto->aes_ecb[i]);
    }
    EVP_CIPHER_free(crypto->des3_cbc);
    EVP_CIPHER_free(crypto->des3_ecb);
    EVP_CIPHER_free(crypto->chacha);
    EVP_CIPHER_CTX_free(crypto->cipher_ctx);
    l2v_modp_clear(crypto);
    l2v_ecp_clear(crypto);
    l2v_free_secret(crypto->env, crypto, sizeof(*crypto));
}

struct evp_cipher_st *l2v_crypto_cipher(const struct l2v_crypto *crypto, enum l2v_cipher cipher,
                                        size_t key_len, bool ecb)
{
    if (cipher == L2V_CIPHER_3DES_CBC && key_len == 24) {
        return ecb ? crypto->des3_ecb : crypto->des3_cbc;
    }
    if (cipher == L2V_CIPHER_AES_CBC && (key_len == 16 || key_len == 24 || key_len == 32)) {
        size_t i = (key_len - 16) / 8;
        return ecb ? crypto->aes_ecb[i] : crypto->aes_cbc[i];
    }
    return NULL;
}
