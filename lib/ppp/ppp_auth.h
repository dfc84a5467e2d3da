/* SPDX-License-Identifier: MIT */
/* The authentication phase: what PAP, CHAP and EAP have in common. The client proves who it is,
 * the server checks; each method is a table of functions for both roles. */
#ifndef L2V_PPP_AUTH_H
#define L2V_PPP_AUTH_H

#include "base_secure.h"
#include "base_wire.h"
#include "l2v_eap.h"
#include "l2v_ppp.h"

#define L2V_PPP_NAME_MAX 256u
#define L2V_PPP_AUTH_PACKET_MAX 1024u
#define L2V_PPP_EAP_METHODS (L2TPVOIP_AUTH_EAP_MD5 | L2TPVOIP_AUTH_EAP_MSCHAPV2)
#define L2V_PPP_CHAP_METHODS (L2TPVOIP_AUTH_CHAP_MD5 | L2TPVOIP_AUTH_MSCHAPV2)

struct l2v_ppp_auth_ops {
    const char *name;
    uint16_t protocol;
    /* 0 or an error that ends the link. */
    int (*start)(struct l2v_ppp *ppp);
    /* code, id and what follows the header. 0, MALFORMED. */
    int (*input)(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data);
    void (*repeat)(struct l2v_ppp *ppp);      /* nothing came back in time: send it again */
    void (*credentials)(struct l2v_ppp *ppp); /* client: user and password have come */
    bool (*is_proven)(struct l2v_ppp *ppp);   /* client, may be NULL: only the Success is missing */
    void (*password)(struct l2v_ppp *ppp, int code); /* server: the lookup is answered */
};
extern const struct l2v_ppp_auth_ops l2v_ppp_pap_ops, l2v_ppp_chap_ops, l2v_ppp_eap_ops;

struct l2v_ppp_auth {
    const struct l2v_ppp_auth_ops *ops; /* NULL = not in use */
    uint32_t method;                    /* L2TPVOIP_AUTH_…, more than one bit for EAP */
    struct l2v_timer repeat, deadline;
    uint32_t tries;
    bool done; /* succeeded */
    bool failed;
    bool asked;          /* need_credentials was called */
    bool waits_password; /* get_password gave PENDING */
    bool answered;       /* client: a response is out */
    bool has_challenge;
    uint8_t id; /* of the challenge or request that counts */
    uint8_t value_len;
    uint8_t value[64]; /* server: the response that waits for its password */
    uint8_t challenge[255];
    uint8_t challenge_len;
    char expect[43];             /* client, MS-CHAPv2: the S=… that must come */
    char name[L2V_PPP_NAME_MAX]; /* server: who the peer says it is */
    size_t name_len;
    uint8_t *secret; /* server: password of that name */
    size_t secret_len;
    struct l2v_eap *eap;
    bool looked_up;
    uint8_t last_type; /* EAP type of the last response */
    uint8_t *packet;   /* last packet sent (L2V_PPP_AUTH_PACKET_MAX bytes), header included */
    size_t packet_len;
    uint8_t *held; /* EAP packet that waits for credentials or a password */
    size_t held_len;
};

void l2v_ppp_auth_init(struct l2v_ppp *ppp);
void l2v_ppp_auth_clear(struct l2v_ppp *ppp);
void l2v_ppp_auth_start(struct l2v_ppp *ppp, uint32_t method);
int l2v_ppp_auth_input(struct l2v_ppp *ppp, uint16_t protocol, const uint8_t *data, size_t len);
/* Builds, remembers and sends a packet. */
void l2v_ppp_auth_send(struct l2v_ppp *ppp, uint8_t code, uint8_t id, const void *a, size_t a_len,
                       const void *b, size_t b_len);
void l2v_ppp_auth_resend(struct l2v_ppp *ppp);
/* Client: has user and password, or asks for them once. */
bool l2v_ppp_auth_has_credentials(struct l2v_ppp *ppp);
/* An NCP packet has come: after EAP's last response that means success, rfc3748#3.4. */
void l2v_ppp_auth_network_heard(struct l2v_ppp *ppp);
int l2v_ppp_auth_keep_secret(struct l2v_ppp *ppp, const uint8_t *password, size_t len);
/* Server: finds the secret of auth.name. 0, NOT_FOUND, PENDING, NOMEM. */
int l2v_ppp_auth_lookup(struct l2v_ppp *ppp);
void l2v_ppp_auth_succeed(struct l2v_ppp *ppp, uint32_t method);
/* Server: the peer failed. */
void l2v_ppp_auth_refuse(struct l2v_ppp *ppp);
/* Client: the server refused us; text is what it said. */
void l2v_ppp_auth_refused(struct l2v_ppp *ppp, int32_t peer_code, const char *text);
const char *l2v_ppp_auth_method_name(uint32_t method);
/* MS-CHAPv2 hashes the name without its domain: rfc2759#4 "DOMAIN\user". */
const char *l2v_ppp_auth_strip_domain(const char *name, size_t len, size_t *ret_len);

#endif
