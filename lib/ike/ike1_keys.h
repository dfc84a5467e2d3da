/* SPDX-License-Identifier: MIT */
/* IKEv1 key derivation and hashes, RFC 2409 section 5 and appendix B. Pure functions; intermediate
 * values are wiped. All return 0 or CRYPTO (INVALID for lengths that cannot be). */
#ifndef L2V_IKE1_KEYS_H
#define L2V_IKE1_KEYS_H

#include "ike1_proposal.h"
#include "ike_const.h"
#include "l2v_crypto.h"

struct l2v_ike1_keys {
    enum l2v_hash hash;
    enum l2v_cipher cipher;
    uint8_t hash_len, enc_len, block;
    uint8_t skeyid[L2V_HASH_MAX];
    uint8_t skeyid_d[L2V_HASH_MAX];
    uint8_t skeyid_a[L2V_HASH_MAX];
    uint8_t skeyid_e[L2V_HASH_MAX];
    uint8_t enc_key[32];
};
void l2v_ike1_keys_wipe(struct l2v_ike1_keys *keys);

struct l2v_ike1_bytes {
    const uint8_t *data;
    size_t len;
};

/* What both ends know after the fourth message. Views. */
struct l2v_ike1_phase1 {
    const uint8_t *icookie, *rcookie; /* 8 bytes each */
    struct l2v_ike1_bytes ni, nr;     /* nonce payload bodies */
    struct l2v_ike1_bytes gxi, gxr;   /* KE payload bodies */
    struct l2v_ike1_bytes sai;        /* body of the initiator's SA payload, as it was sent */
    struct l2v_ike1_bytes gxy;        /* shared secret */
};

/* SKEYID for a pre-shared key, then SKEYID_d, _a, _e and the encryption key. */
int l2v_ike1_keys_derive(struct l2v_crypto *crypto, const struct l2v_ike1_p1 *chosen,
                         const struct l2v_ike1_phase1 *p, const uint8_t *psk, size_t psk_len,
                         struct l2v_ike1_keys *ret_keys);
/* The same from a SKEYID (signature modes, known answers). */
int l2v_ike1_keys_expand(struct l2v_crypto *crypto, const struct l2v_ike1_phase1 *p,
                         struct l2v_ike1_keys *keys);
/* rfc2409#appendix-B: as many bytes as the cipher wants, from SKEYID_e. */
int l2v_ike1_expand_enc_key(struct l2v_crypto *crypto, enum l2v_hash hash, const uint8_t *skeyid_e,
                            size_t want, uint8_t *ret_key);

/* HASH_I and HASH_R; idbody is the body of that end's ID payload. */
int l2v_ike1_hash_phase1(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                         const struct l2v_ike1_phase1 *p, bool initiator, const uint8_t *idbody,
                         size_t idbody_len, uint8_t *ret_hash);
/* HASH(1), and informational and transaction hashes: prf(SKEYID_a, M-ID | rest). */
int l2v_ike1_hash1(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys, uint32_t message_id,
                   const uint8_t *rest, size_t len, uint8_t *ret_hash);
/* HASH(2): prf(SKEYID_a, M-ID | Ni_b | rest). */
int l2v_ike1_hash2(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys, uint32_t message_id,
                   const uint8_t *ni, size_t ni_len, const uint8_t *rest, size_t len,
                   uint8_t *ret_hash);
/* HASH(3): prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b). */
int l2v_ike1_hash3(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys, uint32_t message_id,
                   const uint8_t *ni, size_t ni_len, const uint8_t *nr, size_t nr_len,
                   uint8_t *ret_hash);

/* The IV of the first encrypted message of phase 1: hash(g^xi | g^xr). block bytes. */
int l2v_ike1_iv_phase1(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                       const struct l2v_ike1_phase1 *p, uint8_t *ret_iv);
/* The first IV of a phase-2 or informational exchange: hash(last phase-1 block | M-ID). */
int l2v_ike1_iv_phase2(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                       const uint8_t *last_block, uint32_t message_id, uint8_t *ret_iv);

/* KEYMAT for one direction, whose SPI the receiver chose: prf(SKEYID_d, [g(qm)^xy |] protocol |
 * SPI | Ni_b | Nr_b) expanded to the suite: enc_len then auth_len bytes. gqm_len 0 = no PFS. */
int l2v_ike1_keymat(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys, uint8_t protocol,
                    uint32_t spi, const uint8_t *ni, size_t ni_len, const uint8_t *nr,
                    size_t nr_len, const uint8_t *gqm, size_t gqm_len, uint8_t *ret_enc,
                    size_t enc_len, uint8_t *ret_auth, size_t auth_len);

#endif
