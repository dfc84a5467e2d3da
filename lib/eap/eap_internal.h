/* SPDX-License-Identifier: MIT */
/* What the files of lib/eap share. */
#ifndef L2V_EAP_INTERNAL_H
#define L2V_EAP_INTERNAL_H

#include "base_wire.h"
#include "l2v_eap.h"

#define L2V_EAP_PASSWORD_UNITS 256u /* rfc2759#4 */
#define L2V_EAP_MAX_NAME 256u

enum {
    L2V_EAP_REQUEST = 1,
    L2V_EAP_RESPONSE = 2,
    L2V_EAP_CODE_SUCCESS = 3,
    L2V_EAP_CODE_FAILURE = 4
};

enum { /* rfc3748#5; 26 is draft-kamath-pppext-eap-mschapv2-02 */
       L2V_EAP_TYPE_IDENTITY = 1,
       L2V_EAP_TYPE_NOTIFICATION = 2,
       L2V_EAP_TYPE_NAK = 3,
       L2V_EAP_TYPE_MD5 = 4,
       L2V_EAP_TYPE_MSCHAPV2 = 26
};

enum { /* draft-kamath-pppext-eap-mschapv2-02#2 */
       L2V_EAP_OP_CHALLENGE = 1,
       L2V_EAP_OP_RESPONSE = 2,
       L2V_EAP_OP_SUCCESS = 3,
       L2V_EAP_OP_FAILURE = 4
};

/* The states of both roles; the tables are in eap_peer.c and eap_server.c. */
enum l2v_eap_step {
    L2V_EAP_STEP_START,     /* nothing was exchanged yet */
    L2V_EAP_STEP_IDENTITY,  /* the identity is asked for (server), was told (peer) */
    L2V_EAP_STEP_CHALLENGE, /* server: challenge sent; peer: answered */
    L2V_EAP_STEP_VERDICT,   /* server: Success Request sent; peer: the server has proven itself */
    L2V_EAP_STEP_REFUSED,   /* MS-CHAPv2 said Failure; EAP-Failure follows */
    L2V_EAP_STEP_ENDED
};

struct l2v_eap {
    struct l2v_env *env;
    struct l2v_crypto *crypto;
    const struct l2v_eap_ops *ops;
    void *user;
    char *name;
    size_t name_len;
    uint32_t methods;
    uint32_t tried;  /* server: methods that were proposed */
    uint32_t method; /* the one that runs; 0 = none yet */
    bool authenticator;
    uint8_t step;          /* enum l2v_eap_step */
    uint8_t id;            /* server: of the request that waits; peer: of the last response */
    uint8_t ms_id;         /* MS-CHAPv2-ID of the challenge */
    int state;             /* L2V_EAP_CONTINUE, _SUCCESS, _FAILURE */
    uint8_t challenge[16]; /* the authenticator's */
    char expect[43];       /* peer: the proof that the server owes */
    size_t identity_len;
    char identity[L2V_EAP_MAX_NAME + 1];
    bool has_msk;
    uint8_t msk[64];
    l2tpvoip_failure failure;
};

/* A packet that was read: its type's data. */
struct l2v_eap_packet {
    uint8_t code;
    uint8_t id;
    uint8_t type;           /* requests and responses */
    struct l2v_reader data; /* after the type */
};

/* eap.c */
void l2v_eap_begin(struct l2v_writer *w, unsigned code, unsigned id, unsigned type);
void l2v_eap_finish(struct l2v_writer *w); /* fills in the length */
int l2v_eap_fail(struct l2v_eap *eap, int code, int32_t peer_code, const char *next_step,
                 const char *message); /* 0; the conversation has failed */
int l2v_eap_get_secret(struct l2v_eap *eap, const char *name, size_t name_len,
                       const uint8_t **ret_password, size_t *ret_len);
/* MD5(id | secret | challenge). rfc1994#4.1, rfc3748#5.4 */
int l2v_eap_md5_response(struct l2v_eap *eap, uint8_t id, const uint8_t *secret, size_t secret_len,
                         const uint8_t *challenge, size_t challenge_len, uint8_t ret[16]);
/* Takes the keys of MS-CHAPv2 into the MSK. */
int l2v_eap_set_msk(struct l2v_eap *eap, const uint8_t *password, size_t password_len,
                    const uint8_t nt_response[24]);

/* eap_peer.c, eap_server.c: a packet with an identifier that was checked as far as the role can.
 * 0 or an error; the answer is in w. */
int l2v_eap_peer_input(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w);
int l2v_eap_server_input(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w);
int l2v_eap_server_start(struct l2v_eap *eap, struct l2v_writer *w);

/* eap_mschapv2_peer.c, eap_mschapv2_server.c */
int l2v_eap_mschapv2_peer_input(struct l2v_eap *eap, struct l2v_eap_packet *pkt,
                                struct l2v_writer *w);
int l2v_eap_mschapv2_server_request(struct l2v_eap *eap, struct l2v_writer *w);
int l2v_eap_mschapv2_server_input(struct l2v_eap *eap, struct l2v_eap_packet *pkt,
                                  struct l2v_writer *w);
int l2v_eap_server_end(struct l2v_eap *eap, bool success, struct l2v_writer *w);

/* eap_mschapv2_text.c */
/* 0, INVALID: no UTF-8, or longer than size. */
int l2v_eap_utf8_to_utf16le(const uint8_t *text, size_t len, uint8_t *out, size_t size,
                            size_t *ret_len);
/* Terminated; what is not printable ASCII becomes '?'. */
void l2v_eap_copy_printable(struct l2v_reader text, char *out, size_t size);

#endif
