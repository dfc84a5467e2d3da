/* SPDX-License-Identifier: MIT */
/* Encryption of IKEv1 message bodies: CBC whose IV chains through the messages of an exchange
 * (RFC 2409 appendix B). A chain is the last ciphertext block of the exchange. It moves only when
 * a message is accepted, so that neither forgeries nor duplicates desynchronise it. */
#ifndef L2V_IKE1_CRYPT_H
#define L2V_IKE1_CRYPT_H

#include "ike1_keys.h"
#include "ike_wire.h"

struct l2v_ike1_chain {
    uint8_t iv[16]; /* keys->block bytes are used */
};

/* The chain before message 5 of main mode. */
int l2v_ike1_chain_phase1(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                          const struct l2v_ike1_phase1 *p, struct l2v_ike1_chain *ret);
/* The chain of a new message id; phase1: as it stood after the last message of phase 1. */
int l2v_ike1_chain_phase2(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                          const struct l2v_ike1_chain *phase1, uint32_t message_id,
                          struct l2v_ike1_chain *ret);
/* A whole message (header in clear, already padded) in place; sets flag E; moves the chain.
 * 0, INVALID (not padded), CRYPTO. */
int l2v_ike1_encrypt(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                     struct l2v_ike1_chain *chain, uint8_t *msg, size_t len);
/* The body behind the header, in place. chain is not moved: *ret_next is where it goes if the
 * message is accepted (it may be chain itself when the caller does not care). 0, MALFORMED (empty
 * or not a multiple of the block), CRYPTO. */
int l2v_ike1_decrypt(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                     const struct l2v_ike1_chain *chain, uint8_t *msg, size_t len,
                     struct l2v_ike1_chain *ret_next);
/* The same into another buffer of len bytes (header copied): message 5 is tried with several
 * pre-shared keys. */
int l2v_ike1_decrypt_copy(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                          const struct l2v_ike1_chain *chain, const uint8_t *msg, size_t len,
                          uint8_t *ret_msg, struct l2v_ike1_chain *ret_next);

/* Quick mode and informational in one step: end of a build. hash: the room that _reserve gave for
 * the HASH payload, which must be the first. Computes HASH(1) (ni NULL) or HASH(2) over all that
 * follows it, pads, encrypts. 0, MSGSIZE, CRYPTO. */
int l2v_ike1_build_seal(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                        struct l2v_ike1_chain *chain, struct l2v_ike_build *b, uint8_t *hash,
                        const uint8_t *ni, size_t ni_len, size_t *ret_len);
/* The first payload of a decrypted message must be a HASH equal to HASH(1) (ni NULL) or HASH(2).
 * 0, INTEGRITY (missing, not first, wrong), CRYPTO. */
int l2v_ike1_message_verify(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                            const struct l2v_ike_message *m, uint32_t message_id, const uint8_t *ni,
                            size_t ni_len);

#endif
