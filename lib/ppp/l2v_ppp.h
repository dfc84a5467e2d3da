/* SPDX-License-Identifier: MIT */
/* PPP, RFC 1661: one link of an L2TP session, either role. */
#ifndef L2V_PPP_H
#define L2V_PPP_H

#include <l2tpvoip/ppp.h>

#include "base_env.h"
#include "base_pkt.h"
#include "l2v_crypto.h"

#define L2V_PPP_IPV4 0x0021u
#define L2V_PPP_IPV6 0x0057u

struct l2v_ppp;

/* Copied by l2v_ppp_new as far as needed; strings stay valid as long as the link lives. */
struct l2v_ppp_config {
    bool server;            /* we authenticate the peer and assign its address */
    uint32_t auth;          /* L2TPVOIP_AUTH_… accepted (client) or asked for in order (server) */
    uint32_t mru;           /* ours */
    uint32_t echo_interval_ms, echo_failures;
    uint32_t restart_ms, max_configure, max_terminate, max_failure; /* 0 = RFC 1661 §4.6 defaults */
    uint32_t flags;         /* L2TPVOIP_PPP_… */
    const char *user;       /* client's name, or the server's own name in challenges */
    const uint8_t *password;
    size_t password_len;
    l2tpvoip_addr local_ip; /* server: the gateway; client: wish or family 0 */
    l2tpvoip_addr dns[2];   /* server: for clients that ask */
};

/* What came out of the negotiation. */
struct l2v_ppp_result {
    l2tpvoip_addr local4, remote4, local6, remote6; /* family 0 = none */
    l2tpvoip_addr dns[2];
    uint32_t peer_mru;  /* what we may send */
    uint32_t auth;      /* method used, L2TPVOIP_AUTH_… */
    char user[64];      /* server: the authenticated name */
};

enum l2v_ppp_phase { L2V_PPP_DEAD, L2V_PPP_ESTABLISH, L2V_PPP_AUTHENTICATE, L2V_PPP_NETWORK, L2V_PPP_TERMINATE };

struct l2v_ppp_ops {
    /* A frame for the link (address/control and protocol field included). Takes pkt. */
    void (*transmit)(void *user, struct l2v_pkt *pkt);
    void (*phase)(void *user, enum l2v_ppp_phase phase);
    /* At least one NCP is open (called again when another one opens or an address changes). */
    void (*up)(void *user, const struct l2v_ppp_result *result);
    /* The link is finished; the owner frees it later. f->code 0 = closed by us. Called once. */
    void (*down)(void *user, const l2tpvoip_failure *f);
    /* An inner IP packet (protocol field gone). Does not take pkt. */
    void (*input)(void *user, struct l2v_pkt *pkt, uint16_t protocol);
    /* Server: secret of a user. 0, NOT_FOUND, PENDING (then l2v_ppp_auth_answer). */
    int (*get_password)(void *user, const char *name, size_t name_len, const uint8_t **ret_password,
                        size_t *ret_len);
    /* Server: address for the authenticated user. 0, LIMIT. */
    int (*get_address)(void *user, const char *name, size_t name_len, l2tpvoip_addr *ret_ip);
    /* Client without user/password: asks once; answered by l2v_ppp_set_credentials. May be NULL. */
    void (*need_credentials)(void *user);
};

int l2v_ppp_new(struct l2v_env *env, struct l2v_crypto *crypto, const struct l2v_ppp_config *config,
                const struct l2v_ppp_ops *ops, void *user, struct l2v_ppp **ret_ppp);
void l2v_ppp_free(struct l2v_ppp *ppp); /* without callbacks */
void l2v_ppp_start(struct l2v_ppp *ppp); /* Open and Up: the lower layer is ready */
void l2v_ppp_close(struct l2v_ppp *ppp); /* Terminate-Request; down() follows */
/* A frame from the link, with or without FF 03, protocol field compressed or not. Does not take
 * pkt. 0, MALFORMED, STATE (network packet before its NCP is open). */
int l2v_ppp_input(struct l2v_ppp *ppp, struct l2v_pkt *pkt);
/* Puts the frame header in front of an inner IP packet and transmits it. Takes pkt. 0, STATE,
 * MSGSIZE. */
int l2v_ppp_output(struct l2v_ppp *ppp, struct l2v_pkt *pkt, uint16_t protocol);
size_t l2v_ppp_overhead(const struct l2v_ppp *ppp); /* header bytes that output adds now */
const struct l2v_ppp_result *l2v_ppp_get_result(const struct l2v_ppp *ppp);
uint64_t l2v_ppp_get_rtt_ns(const struct l2v_ppp *ppp); /* last LCP echo; 0 = none */
/* Sends an LCP Echo-Request now (liveness probe). */
void l2v_ppp_probe(struct l2v_ppp *ppp);
/* Any inbound traffic counts as life. */
void l2v_ppp_heard(struct l2v_ppp *ppp);
void l2v_ppp_set_credentials(struct l2v_ppp *ppp, const char *user, const uint8_t *password,
                             size_t password_len); /* copies; user NULL = fail */
void l2v_ppp_auth_answer(struct l2v_ppp *ppp, int code, const uint8_t *password, size_t len);

#endif
