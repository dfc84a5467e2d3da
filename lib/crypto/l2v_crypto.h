/* SPDX-License-Identifier: MIT */
/* The crypto seam. Algorithms are fetched once per context (l2v_crypto_new runs known answers);
 * keyed objects are made once per SA and direction; per packet only the IV changes. libcrypto
 * allocates nothing per packet on the AEAD paths. Nothing here keeps process state. */
#ifndef L2V_CRYPTO_H
#define L2V_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_env.h"

struct l2v_crypto;

/* libctx: OSSL_LIB_CTX * or NULL. 0, NOMEM, CRYPTO (known answer wrong, libcrypto older than
 * 3.0.3), CRYPTO_UNAVAILABLE. Also sets env->random_fallback. */
int l2v_crypto_new(struct l2v_env *env, void *libctx, struct l2v_crypto **ret_crypto);
void l2v_crypto_free(struct l2v_crypto *crypto);

struct l2v_iov {
    const void *data;
    size_t len;
};

/* --- digests ------------------------------------------------------------------------------ */
enum l2v_hash {
    L2V_HASH_NONE = 0,
    L2V_HASH_MD4, /* own code: no legacy provider */
    L2V_HASH_MD5,
    L2V_HASH_SHA1,
    L2V_HASH_SHA256,
    L2V_HASH_SHA384,
    L2V_HASH_SHA512,
    L2V_N_HASHES
};
#define L2V_HASH_MAX 64
size_t l2v_hash_len(enum l2v_hash hash);
int l2v_digest(struct l2v_crypto *crypto, enum l2v_hash hash, const struct l2v_iov *in, size_t n,
               uint8_t *ret_out);
/* One DES block in ECB with a 7-byte key, as MS-CHAPv2 wants it (DES-EDE3, one key three times). */
int l2v_des_mschap(struct l2v_crypto *crypto, const uint8_t key7[7], const uint8_t in[8],
                   uint8_t ret_out[8]);

/* --- HMAC as PRF --------------------------------------------------------------------------- */
int l2v_hmac(struct l2v_crypto *crypto, enum l2v_hash hash, const void *key, size_t key_len,
             const struct l2v_iov *in, size_t n, uint8_t *ret_out);

/* --- CBC for IKE messages ------------------------------------------------------------------ */
enum l2v_cipher { L2V_CIPHER_NONE = 0, L2V_CIPHER_AES_CBC, L2V_CIPHER_3DES_CBC };
size_t l2v_cipher_block(enum l2v_cipher cipher);
/* In place; len is a multiple of the block; iv is block bytes and updated to the last ciphertext
 * block (RFC 2409 appendix B chains it). */
int l2v_cbc(struct l2v_crypto *crypto, enum l2v_cipher cipher, bool encrypt, const void *key,
            size_t key_len, uint8_t *iv, uint8_t *data, size_t len);

/* --- packet protection (ESP; later IKEv2 SK payloads) --------------------------------------- */
enum l2v_suite_id {
    L2V_SUITE_NONE = 0,
    L2V_SUITE_AES_GCM_16, /* RFC 4106: key carries 4 bytes of salt at its end */
    L2V_SUITE_AES_GCM_12,
    L2V_SUITE_AES_GCM_8,
    L2V_SUITE_CHACHA20_POLY1305, /* RFC 7634: 4 bytes of salt at its end */
    L2V_SUITE_AES_CBC_SHA1_96,
    L2V_SUITE_AES_CBC_SHA256_128,
    L2V_SUITE_AES_CBC_SHA256_96,
    L2V_SUITE_AES_CBC_SHA384_192,
    L2V_SUITE_AES_CBC_SHA512_256,
    L2V_SUITE_3DES_CBC_SHA1_96,
    L2V_N_SUITES
};
struct l2v_suite_info {
    const char *name;  /* "AES-GCM-16" */
    uint8_t block;     /* alignment of the payload: 16, 8 or 4 */
    uint8_t iv_len;    /* bytes on the wire */
    uint8_t icv_len;
    uint8_t salt_len;
    uint8_t auth_key_len; /* 0 for AEAD */
    bool aead;
};
const struct l2v_suite_info *l2v_suite_get(enum l2v_suite_id id); /* NULL = unknown */

struct l2v_seal; /* one direction of one SA, keyed */
/* enc_key includes the salt; auth_key NULL for AEAD. The first IV is drawn from random (CBC: a
 * random counter base, encrypted) or counts from iv_base. 0, NOMEM, CRYPTO, INVALID (lengths). */
int l2v_seal_new(struct l2v_crypto *crypto, enum l2v_suite_id id, bool seal, const uint8_t *enc_key,
                 size_t enc_key_len, const uint8_t *auth_key, size_t auth_key_len,
                 struct l2v_seal **ret_seal);
void l2v_seal_free(struct l2v_seal *seal);
/* Seals len bytes (a multiple of block) in place at data. iv_out gets iv_len bytes. aad is
 * authenticated before; tail (may be NULL, at most 4 bytes: the ESN's high half, RFC 4303 §2.2.1)
 * is authenticated after the ciphertext for CBC suites and must be part of aad for AEAD. icv gets
 * icv_len bytes. seq makes the IV unique: AEAD IVs are seq XOR iv_base, so seq must grow with each
 * packet. 0, INVALID (length, direction), STATE (AEAD: seq not above the last), CRYPTO. */
int l2v_seal_packet(struct l2v_seal *seal, uint64_t seq, const uint8_t *aad, size_t aad_len,
                    uint8_t *iv_out, uint8_t *data, size_t len, const uint8_t *tail,
                    size_t tail_len, uint8_t *icv);
/* Verifies, then decrypts in place. 0, INTEGRITY, INVALID (direction), CRYPTO. data is untouched
 * for CBC suites when the ICV is wrong. */
int l2v_open_packet(struct l2v_seal *seal, const uint8_t *aad, size_t aad_len, const uint8_t *iv,
                    uint8_t *data, size_t len, const uint8_t *tail, size_t tail_len,
                    const uint8_t *icv);

/* --- Diffie-Hellman (run inside jobs; thread safe: touches only its own object) -------------- */
enum l2v_dh_group { /* IANA group numbers */
    L2V_DH_NONE = 0,
    L2V_DH_MODP1024 = 2,
    L2V_DH_MODP1536 = 5,
    L2V_DH_MODP2048 = 14,
    L2V_DH_MODP3072 = 15,
    L2V_DH_MODP4096 = 16,
    L2V_DH_ECP256 = 19,
    L2V_DH_ECP384 = 20,
    L2V_DH_ECP521 = 21,
    L2V_DH_X25519 = 31
};
#define L2V_DH_MAX_PUBLIC 512
#define L2V_DH_MAX_SECRET 512
bool l2v_dh_is_known(unsigned group);
size_t l2v_dh_public_len(unsigned group); /* wire length of KE data; 0 = unknown */
size_t l2v_dh_secret_len(unsigned group); /* g^xy as the KDF wants it (leading zeros kept) */

struct l2v_dh;
/* Generates a key pair. 0, NOMEM, CRYPTO, UNSUPPORTED. Any thread (random from libcrypto unless
 * seed != NULL, which tests use: a private value of the group's length). */
int l2v_dh_new(struct l2v_crypto *crypto, unsigned group, const uint8_t *seed, size_t seed_len,
               struct l2v_dh **ret_dh);
void l2v_dh_free(struct l2v_dh *dh);
const uint8_t *l2v_dh_public(const struct l2v_dh *dh, size_t *ret_len);
/* Range and curve checks are ours (RFC 6989): 0, PROTOCOL (bad public value), CRYPTO. */
int l2v_dh_derive(struct l2v_dh *dh, const uint8_t *peer, size_t peer_len, uint8_t *ret_secret);

#endif
