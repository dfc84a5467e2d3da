/* SPDX-License-Identifier: MIT */
/* The bare operations of libcrypto, each in the fastest way that EVP has: what the stack is held
 * against. GCM seals with the provider's own IV counter, tag and next IV in one call; CBC never
 * re-initialises (the IV is an encrypted prefix block); HMAC resumes from copied states. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MAX_LEN 2048
#define ICV 16

struct bench_bare {
    enum bench_suite suite;
    bool seal, gcm;
    EVP_CIPHER_CTX *cipher;
    EVP_MD_CTX *inner, *outer, *work;
    uint8_t iv[16], tag[64], aad[8];
    uint8_t sample[16 + MAX_LEN], sample_tag[ICV], scratch[16 + MAX_LEN];
    OSSL_PARAM next[3];
};

static const struct {
    const char *cipher, *digest;
    size_t icv;
} suites[BENCH_N_SUITES] = {
    [BENCH_AES128_GCM] = {"AES-128-GCM", NULL, 16},
    [BENCH_AES256_GCM] = {"AES-256-GCM", NULL, 16},
    [BENCH_AES128_SHA1] = {"AES-128-CBC", "SHA1", 12},
    [BENCH_AES256_SHA256] = {"AES-256-CBC", "SHA256", 16},
};

static void start_gcm(struct bench_bare *b)
{
    uint8_t fixed[4] = {1, 2, 3, 4};
    OSSL_PARAM set[2] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED, fixed, 4),
        OSSL_PARAM_construct_end()};
    b->next[0] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN, b->iv, 8);
    b->next[1] = OSSL_PARAM_construct_end();
    if (b->seal) {
        (void)EVP_CIPHER_CTX_set_params(b->cipher, set);
        (void)EVP_CIPHER_CTX_get_params(b->cipher, b->next);
        b->next[1] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, b->tag, ICV);
        b->next[2] = OSSL_PARAM_construct_end();
    }
}

static void start_hmac(struct bench_bare *b, const EVP_MD *md)
{
    uint8_t pad[64];
    b->inner = EVP_MD_CTX_new();
    b->outer = EVP_MD_CTX_new();
    b->work = EVP_MD_CTX_new();
    memset(pad, 0x36, sizeof pad);
    (void)EVP_DigestInit_ex2(b->inner, md, NULL);
    (void)EVP_DigestUpdate(b->inner, pad, sizeof pad);
    memset(pad, 0x5c, sizeof pad);
    (void)EVP_DigestInit_ex2(b->outer, md, NULL);
    (void)EVP_DigestUpdate(b->outer, pad, sizeof pad);
}

struct bench_bare *bench_bare_new(enum bench_suite suite, bool seal)
{
    static const uint8_t key[32] = {7};
    struct bench_bare *b = calloc(1, sizeof *b);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suites[suite].cipher, NULL);
    if (b == NULL || cipher == NULL) {
        abort();
    }
    b->suite = suite;
    b->seal = seal;
    b->gcm = suites[suite].digest == NULL;
    b->cipher = EVP_CIPHER_CTX_new();
    (void)EVP_CipherInit_ex2(b->cipher, cipher, key, b->iv, seal, NULL);
    EVP_CIPHER_free(cipher);
    if (b->gcm) {
        start_gcm(b);
        return b;
    }
    EVP_MD *md = EVP_MD_fetch(NULL, suites[suite].digest, NULL);
    (void)EVP_CIPHER_CTX_set_padding(b->cipher, 0);
    start_hmac(b, md);
    EVP_MD_free(md);
    return b;
}

void bench_bare_free(struct bench_bare *b)
{
    EVP_CIPHER_CTX_free(b->cipher);
    EVP_MD_CTX_free(b->inner);
    EVP_MD_CTX_free(b->outer);
    EVP_MD_CTX_free(b->work);
    free(b);
}

static void hmac(struct bench_bare *b, const uint8_t *data, size_t len)
{
    unsigned n = 0;
    (void)EVP_MD_CTX_copy_ex(b->work, b->inner);
    (void)EVP_DigestUpdate(b->work, data, len);
    (void)EVP_DigestFinal_ex(b->work, b->tag, &n);
    (void)EVP_MD_CTX_copy_ex(b->work, b->outer);
    (void)EVP_DigestUpdate(b->work, b->tag, n);
    (void)EVP_DigestFinal_ex(b->work, b->tag, &n);
}

static void seal_gcm(struct bench_bare *b, uint8_t *data, size_t len)
{
    (void)EVP_Cipher(b->cipher, NULL, b->aad, sizeof b->aad);
    (void)EVP_Cipher(b->cipher, data, data, (unsigned)len);
    (void)EVP_Cipher(b->cipher, NULL, NULL, 0);
    (void)EVP_CIPHER_CTX_get_params(b->cipher, b->next);
}

/* Opens a sample that it sealed itself the first time. */
static void open_gcm(struct bench_bare *b, size_t len)
{
    int n = 0;
    if (b->sample[0] == 0) {
        static const uint8_t key[32] = {7};
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suites[b->suite].cipher, NULL);
        b->sample[0] = 1;
        (void)EVP_EncryptInit_ex2(ctx, cipher, key, b->iv, NULL);
        (void)EVP_EncryptUpdate(ctx, NULL, &n, b->aad, sizeof b->aad);
        (void)EVP_EncryptUpdate(ctx, b->sample, &n, b->sample, (int)len);
        (void)EVP_EncryptFinal_ex(ctx, b->scratch, &n);
        (void)EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, ICV, b->sample_tag);
        EVP_CIPHER_free(cipher);
        EVP_CIPHER_CTX_free(ctx);
    }
    (void)EVP_DecryptInit_ex2(b->cipher, NULL, NULL, b->iv, NULL);
    (void)EVP_CIPHER_CTX_ctrl(b->cipher, EVP_CTRL_AEAD_SET_TAG, ICV, b->sample_tag);
    (void)EVP_Cipher(b->cipher, NULL, b->aad, sizeof b->aad);
    (void)EVP_Cipher(b->cipher, b->scratch, b->sample, (unsigned)len);
    if (EVP_Cipher(b->cipher, NULL, NULL, 0) < 0) {
        abort();
    }
}

void bench_bare_run(struct bench_bare *b, uint8_t *data, size_t len)
{
    if (b->gcm && b->seal) {
        seal_gcm(b, data, len);
    } else if (b->gcm) {
        open_gcm(b, len);
    } else if (b->seal) {
        b->iv[0]++;
        memcpy(data, b->iv, 16);
        (void)EVP_Cipher(b->cipher, data, data, (unsigned)(16 + len));
        hmac(b, data, 8 + 16 + len); /* SPI and sequence number too */
    } else {
        hmac(b, data, 8 + 16 + len); /* SPI and sequence number too */
        (void)EVP_Cipher(b->cipher, data, data, (unsigned)(16 + len));
    }
}

/* --- Diffie-Hellman --------------------------------------------------------------------------------- */

static EVP_PKEY *generate(unsigned group)
{
    static const struct {
        unsigned group;
        const char *type, *name;
        unsigned bits; /* of the exponent, rfc7919#5.2 */
    } groups[] = {
        {14, "DH", "modp_2048", 225}, {15, "DH", "modp_3072", 275}, {16, "DH", "modp_4096", 325},
        {19, "EC", "P-256", 0},       {20, "EC", "P-384", 0},       {21, "EC", "P-521", 0},
        {31, "X25519", NULL, 0},
    };
    EVP_PKEY *key = NULL;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (groups[i].group != group) {
            continue;
        }
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, groups[i].type, NULL);
        int bits = (int)groups[i].bits;
        char name[32] = "";
        OSSL_PARAM p[3] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end(),
                           OSSL_PARAM_construct_end()};
        (void)EVP_PKEY_keygen_init(ctx);
        if (groups[i].name != NULL) {
            (void)strcpy(name, groups[i].name);
            p[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
        }
        if (bits != 0) {
            p[1] = OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_DH_PRIV_LEN, &bits);
        }
        (void)EVP_PKEY_CTX_set_params(ctx, p);
        (void)EVP_PKEY_generate(ctx, &key);
        EVP_PKEY_CTX_free(ctx);
    }
    return key;
}

double bench_bare_dh(unsigned group, unsigned rounds)
{
    double *ns = calloc(rounds, sizeof *ns);
    EVP_PKEY *peer = generate(group);
    uint8_t secret[1024];
    if (ns == NULL || peer == NULL) {
        abort();
    }
    for (unsigned i = 0; i < rounds; i++) {
        size_t len = sizeof secret;
        uint64_t began = bench_now();
        EVP_PKEY *own = generate(group);
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
        (void)EVP_PKEY_derive_init(ctx);
        (void)EVP_PKEY_derive_set_peer_ex(ctx, peer, 0);
        (void)EVP_PKEY_derive(ctx, secret, &len);
        ns[i] = (double)(bench_now() - began);
        EVP_PKEY_CTX_free(ctx);
        EVP_PKEY_free(own);
    }
    double median = bench_median(ns, rounds);
    EVP_PKEY_free(peer);
    free(ns);
    return median;
}
