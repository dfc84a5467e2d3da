/* SPDX-License-Identifier: MIT */
/* What the files of lib/crypto share. libcrypto's types appear by their struct tags only, so that
 * its headers are needed in crypto_openssl*.c alone. */
#ifndef L2V_CRYPTO_INTERNAL_H
#define L2V_CRYPTO_INTERNAL_H

#include "base_secure.h"
#include "l2v_crypto.h"

#define L2V_N_MODP 5
#define L2V_N_ECP 3
/* Key stream or decrypted blocks of one packet; longer packets go in several rounds. */
#define L2V_CRYPTO_SCRATCH 2080u

struct l2v_modp {
    struct bignum_st *p;
    struct bignum_st *p_minus_1;
    struct bn_mont_ctx_st *mont;
};

/* Everything below is fetched or computed once in l2v_crypto_new and then only read, apart from
 * the md_ctx, cipher_ctx and scratch members, which only the owner's thread uses. The members of
 * Diffie-Hellman are read by jobs on other threads. */
struct l2v_crypto {
    struct l2v_env *env;
    struct ossl_lib_ctx_st *libctx;
    struct evp_md_st *md[L2V_N_HASHES]; /* NULL = libcrypto has it not */
    struct evp_cipher_st *aes_cbc[3];   /* 128, 192, 256 bits */
    struct evp_cipher_st *aes_ecb[3];
    struct evp_cipher_st *des3_cbc;
    struct evp_cipher_st *des3_ecb;
    struct evp_cipher_st *chacha;
    bool chacha_iv_param; /* the nonce can be set as a parameter, without an init */
    struct evp_md_ctx_st *md_ctx[L2V_N_HASHES];
    struct evp_cipher_ctx_st *cipher_ctx;
    struct l2v_modp modp[L2V_N_MODP];
    struct ec_group_st *ecp[L2V_N_ECP];
    uint8_t scratch[L2V_CRYPTO_SCRATCH];
};

/* crypto_md4.c */
struct l2v_md4 {
    uint32_t state[4];
    uint64_t len;
    uint8_t buf[64];
};
void l2v_md4_init(struct l2v_md4 *md4);
void l2v_md4_update(struct l2v_md4 *md4, const void *data, size_t len);
void l2v_md4_final(struct l2v_md4 *md4, uint8_t ret_out[16]); /* wipes */

/* crypto_openssl_digest.c */
size_t l2v_hash_block(enum l2v_hash hash);
/* Fills pad with the key block of RFC 2104 XOR value; pad has l2v_hash_block bytes. */
int l2v_hmac_pad(struct l2v_crypto *crypto, enum l2v_hash hash, const void *key, size_t key_len,
                 uint8_t value, uint8_t *ret_pad);

/* Packet protection. */
struct l2v_packet {
    const uint8_t *aad;
    size_t aad_len;
    const uint8_t *iv; /* opening */
    uint8_t *iv_out;   /* sealing */
    uint8_t *data;
    size_t len;
    const uint8_t *tail;
    size_t tail_len;
    uint8_t *icv_out;   /* sealing */
    const uint8_t *icv; /* opening */
};

struct l2v_seal_ops {
    int (*init)(struct l2v_seal *seal, const uint8_t *enc_key, size_t enc_key_len,
                const uint8_t *auth_key, size_t auth_key_len);
    void (*clear)(struct l2v_seal *seal);
    int (*seal)(struct l2v_seal *seal, uint64_t seq, const struct l2v_packet *pkt);
    int (*open)(struct l2v_seal *seal, const struct l2v_packet *pkt);
};

struct l2v_seal_gcm {
    struct l2v_seal *self;
    struct evp_cipher_ctx_st *ecb;
    struct gcm128_context *gcm;
    uint8_t nonce[12]; /* salt and IV */
    uint32_t first;    /* block number of the first block of the key stream in scratch */
    uint32_t n;        /* blocks in scratch; 0 = none */
    bool failed;
};

struct l2v_seal_chacha {
    struct evp_cipher_ctx_st *ctx;
    uint8_t nonce[12];
    uint8_t tag[16];
};

struct l2v_seal_etm {
    struct evp_cipher_ctx_st *cipher; /* CBC to seal, ECB to open */
    struct evp_md_ctx_st *inner;      /* after the ipad block */
    struct evp_md_ctx_st *outer;      /* after the opad block */
    struct evp_md_ctx_st *work;
    uint8_t counter[16]; /* random at first; encrypted, it is the IV */
};

struct l2v_seal {
    struct l2v_crypto *crypto;
    const struct l2v_suite_info *info;
    const struct l2v_seal_ops *ops;
    uint64_t iv_base;
    uint64_t next_seq; /* AEAD: no sequence number is used twice with one key */
    bool seals;
    enum l2v_hash hash;
    enum l2v_cipher cipher;
    union {
        struct l2v_seal_gcm gcm;
        struct l2v_seal_chacha chacha;
        struct l2v_seal_etm etm;
    } u;
};

extern const struct l2v_seal_ops l2v_seal_gcm_ops;
extern const struct l2v_seal_ops l2v_seal_chacha_ops;
extern const struct l2v_seal_ops l2v_seal_etm_ops;

struct evp_cipher_st *l2v_crypto_cipher(const struct l2v_crypto *crypto, enum l2v_cipher cipher,
                                        size_t key_len, bool ecb);

/* Diffie-Hellman. A kind computes with objects of libcrypto only: see crypto_openssl_dh.c. */
struct l2v_dh_kind {
    uint16_t group;
    uint16_t index;      /* into modp[] or ecp[] */
    uint16_t public_len; /* of KE data */
    uint16_t secret_len;
    uint16_t private_bits; /* MODP: length of a short exponent; else 0 */
    const struct l2v_dh_ops *ops;
};

struct l2v_dh {
    const struct l2v_crypto *crypto;
    const struct l2v_dh_kind *kind;
    struct bignum_st *priv;   /* MODP, ECP */
    struct evp_pkey_st *pkey; /* X25519 */
    uint8_t public_value[L2V_DH_MAX_PUBLIC];
};

struct l2v_dh_ops {
    bool (*available)(const struct l2v_crypto *crypto, const struct l2v_dh_kind *kind);
    int (*generate)(struct l2v_dh *dh, const uint8_t *seed, size_t seed_len);
    int (*derive)(struct l2v_dh *dh, const uint8_t *peer, uint8_t *ret_secret);
};

extern const struct l2v_dh_ops l2v_dh_modp_ops;
extern const struct l2v_dh_ops l2v_dh_ecp_ops;
extern const struct l2v_dh_ops l2v_dh_x25519_ops;

int l2v_modp_setup(struct l2v_crypto *crypto);
void l2v_modp_clear(struct l2v_crypto *crypto);
int l2v_ecp_setup(struct l2v_crypto *crypto);
void l2v_ecp_clear(struct l2v_crypto *crypto);

/* crypto_selftest.c: 0, NOMEM, CRYPTO. */
int l2v_crypto_selftest(struct l2v_crypto *crypto);

#endif
