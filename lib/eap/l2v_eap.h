/* SPDX-License-Identifier: MIT */
/* EAP methods (RFC 3748) and MS-CHAPv2 arithmetic (RFC 2759), for PPP, IKEv2 and RADIUS alike. */
#ifndef L2V_EAP_H
#define L2V_EAP_H

#include "base_env.h"
#include "l2v_crypto.h"

/* --- MS-CHAPv2 arithmetic, RFC 2759 §8 (eap_mschapv2_math.c) ---------------------------------- */
/* password is UTF-8; at most 256 UTF-16 units. A domain in front of user ("BIGCO\\") is left out of
 * the hash. 0, INVALID (no UTF-8, too long), CRYPTO, CRYPTO_UNAVAILABLE. */
int l2v_mschapv2_nt_response(struct l2v_crypto *c, const uint8_t auth_challenge[16],
                             const uint8_t peer_challenge[16], const char *user, size_t user_len,
                             const uint8_t *password, size_t password_len, uint8_t ret[24]);
/* "S=" and 40 hex digits, terminated. */
int l2v_mschapv2_authenticator_response(struct l2v_crypto *c, const uint8_t *password,
                                        size_t password_len, const uint8_t nt_response[24],
                                        const uint8_t peer_challenge[16],
                                        const uint8_t auth_challenge[16], const char *user,
                                        size_t user_len, char ret[43]);
/* Master send and receive keys, RFC 3079 §3.4, as the server names them (the MS-MPPE-Recv-Key and
 * MS-MPPE-Send-Key of RADIUS); the EAP MSK is recv | send | 32 zeros. A client swaps them. */
int l2v_mschapv2_keys(struct l2v_crypto *c, const uint8_t *password, size_t password_len,
                      const uint8_t nt_response[24], uint8_t ret_recv[16], uint8_t ret_send[16]);
/* Parses "E=691 R=1 C=… V=3 M=…" (hostile input). 0, MALFORMED. */
struct l2v_mschapv2_failure {
    uint32_t error;
    bool retry;
    bool has_challenge;
    uint8_t challenge[16];
    char message[128]; /* printable only */
};
int l2v_mschapv2_parse_failure(const uint8_t *text, size_t len, struct l2v_mschapv2_failure *ret);

/* --- EAP ----------------------------------------------------------------------------------------
 * One conversation. The carrier (PPP, IKEv2) passes whole EAP packets in and gets them out; it
 * retransmits requests (authenticator side) and filters duplicates by identifier. */
enum { L2V_EAP_CONTINUE = 0, L2V_EAP_SUCCESS = 1, L2V_EAP_FAILURE = 2 };
#define L2V_EAP_METHOD_MD5 0x1u
#define L2V_EAP_METHOD_MSCHAPV2 0x2u

struct l2v_eap_ops {
    /* Peer: name and password of ours; authenticator: password of the user that identified itself.
     * 0 and pointers that stay valid until the conversation ends; NOT_FOUND. */
    int (*get_password)(void *user, const char *name, size_t name_len, const uint8_t **ret_password,
                        size_t *ret_len);
};

struct l2v_eap; /* opaque */
/* authenticator: sends the first request by l2v_eap_start. name: own identity. methods: allowed,
 * in the order MSCHAPv2, MD5. */
int l2v_eap_new(struct l2v_env *env, struct l2v_crypto *crypto, bool authenticator, uint32_t methods,
                const char *name, const struct l2v_eap_ops *ops, void *user, struct l2v_eap **ret);
void l2v_eap_free(struct l2v_eap *eap);
/* Authenticator: the first packet. *ret_len bytes at out (size is what fits). */
int l2v_eap_start(struct l2v_eap *eap, uint8_t *out, size_t size, size_t *ret_len);
/* A packet came in; an answer may go out (*ret_len 0 = none). *ret_state L2V_EAP_…. An EAP-Success
 * before the method ended, an identity swap or a method that was not asked for is a failure.
 * 0; MALFORMED (dropped, conversation goes on); NOBUFS, CRYPTO, CRYPTO_UNAVAILABLE (the conversation
 * has failed). A failure of the peer's making is 0 with L2V_EAP_FAILURE, and out may still hold the
 * packet that tells the peer. */
int l2v_eap_input(struct l2v_eap *eap, const uint8_t *in, size_t len, uint8_t *out, size_t size,
                  size_t *ret_len, int *ret_state);
/* Who the peer said it is (authenticator). */
const char *l2v_eap_get_identity(const struct l2v_eap *eap, size_t *ret_len);
/* MSK, 64 bytes; 0 or NOT_FOUND (method has none). */
int l2v_eap_get_msk(const struct l2v_eap *eap, uint8_t ret_msk[64]);
const l2tpvoip_failure *l2v_eap_get_failure(const struct l2v_eap *eap);

#endif
