/* SPDX-License-Identifier: MIT */
/* The link: what all files of the module share. */
#ifndef L2V_PPP_LINK_H
#define L2V_PPP_LINK_H

#include "base_rate.h"
#include "ppp_auth.h"
#include "ppp_cp.h"
#include "ppp_frame.h"
#include "ppp_timers.h"

struct l2v_ppp_lcp {
    /* ours */
    uint16_t mru;
    uint32_t magic; /* 0 = rejected by the peer */
    bool want_mru, want_magic, want_pfc, want_acfc;
    uint32_t ask;     /* server: method asked for, L2TPVOIP_AUTH_…; 0 = none */
    uint32_t refused; /* server: methods that the peer would not have */
    /* the peer's, of its last Configure-Request */
    uint32_t peer_mru, peer_magic, peer_accm;
    bool peer_pfc, peer_acfc;
    uint32_t peer_ask; /* client: method that we agreed to */
    /* history */
    uint32_t unusable;  /* client: methods that turned out not to work */
    uint32_t loops;     /* Configure-Requests with our own magic number */
    uint32_t nak_magic; /* last one suggested */
    uint32_t auth_naks;
    uint8_t eap_nak_id;
    bool auth_naked; /* client: declined a method that the server wanted */
    bool eap_naked;  /* client: offered CHAP instead of EAP */
    bool eap_insist; /* … which did not work: take EAP */
};

struct l2v_ppp_ipcp {
    uint32_t ours, peer; /* addresses, host order */
    uint32_t assigned;   /* server: the peer's */
    uint32_t dns[2];     /* client */
    uint32_t told_missing;
    bool want_address, want_dns[2];
};

struct l2v_ppp_ipv6cp {
    uint8_t ours[8], peer[8];
    bool want_id;
};

struct l2v_ppp {
    struct l2v_env *env;
    struct l2v_crypto *crypto;
    struct l2v_ppp_config config;
    struct l2v_ppp_ops ops;
    void *user;
    uint8_t phase; /* enum l2v_ppp_phase */
    bool started, finished, closing;
    bool up_told;
    bool lookup_pending; /* get_password said PENDING and has not been answered */
    struct l2v_ppp_framing tx;
    struct l2v_ppp_cp lcp, ipcp, ipv6cp;
    struct l2v_ppp_lcp lcpv;
    struct l2v_ppp_ipcp ipcpv;
    struct l2v_ppp_ipv6cp ipv6cpv;
    struct l2v_ppp_auth auth;
    struct l2v_ppp_echo echo;
    struct l2v_rate rejects; /* Code- and Protocol-Rejects sent */
    uint64_t rtt_ns;         /* estimate for the restart timers; 0 = none */
    char *own_user;          /* from set_credentials */
    uint8_t *own_password;
    size_t own_password_len;
    struct l2v_ppp_result result;
    l2tpvoip_failure failure; /* why the link goes down */
    l2tpvoip_failure reason;  /* what failure becomes if nothing better is known */
};

extern const struct l2v_ppp_proto l2v_ppp_lcp_proto, l2v_ppp_ipcp_proto, l2v_ppp_ipv6cp_proto;

/* Phases, RFC 1661 §3.1 (ppp_phase.c). */
enum l2v_ppp_phase_event {
    L2V_PPP_PHASE_UP,      /* the lower layer is ready */
    L2V_PPP_PHASE_OPENED,  /* LCP is open */
    L2V_PPP_PHASE_SUCCESS, /* authenticated, or nothing to authenticate */
    L2V_PPP_PHASE_REOPEN,  /* LCP negotiates anew */
    L2V_PPP_PHASE_CLOSING, /* LCP terminates */
    L2V_PPP_PHASE_FINISHED /* LCP is done */
};
extern const struct l2v_fsm l2v_ppp_phase_fsm;
void l2v_ppp_phase_step(struct l2v_ppp *ppp, enum l2v_ppp_phase_event event);

/* ppp_link.c */
void l2v_ppp_transmit(struct l2v_ppp *ppp, unsigned protocol, struct l2v_pkt *pkt);
void l2v_ppp_finish(struct l2v_ppp *ppp); /* down(), once */
void l2v_ppp_set_fail(struct l2v_ppp *ppp, int layer, int code, int32_t peer_code,
                      const char *next_step, const char *message);
/* What the failure becomes if nothing better is known at the end. */
void l2v_ppp_set_reason(struct l2v_ppp *ppp, int code, const char *next_step, const char *message);
/* Notes the failure (the first one counts) and terminates LCP. */
void l2v_ppp_fail(struct l2v_ppp *ppp, int layer, int code, int32_t peer_code,
                  const char *next_step, const char *message);
/* Authentication is over: the NCPs begin. */
void l2v_ppp_network_start(struct l2v_ppp *ppp);
void l2v_ppp_tell_up(struct l2v_ppp *ppp);
/* An NCP is done for: ends the link when no other one is left. */
void l2v_ppp_ncp_finished(struct l2v_ppp *ppp, struct l2v_ppp_cp *cp);
/* Printable part of a peer's text, terminated. */
void l2v_ppp_clean_text(const uint8_t *data, size_t len, char *ret_text, size_t size);

/* ppp_lcp.c */
void l2v_ppp_lcp_init(struct l2v_ppp *ppp);
void l2v_ppp_lcp_restart(struct l2v_ppp *ppp);
void l2v_ppp_lcp_reject_protocol(struct l2v_ppp *ppp, uint16_t protocol, const uint8_t *data,
                                 size_t len);
void l2v_ppp_lcp_send_echo(struct l2v_ppp *ppp, uint8_t id);
/* ppp_lcp_auth.c: the Authentication-Protocol option */
bool l2v_ppp_lcp_auth_want(struct l2v_ppp *ppp);
void l2v_ppp_lcp_auth_write(struct l2v_ppp *ppp, struct l2v_writer *w);
enum l2v_ppp_verdict l2v_ppp_lcp_auth_request(struct l2v_ppp *ppp, struct l2v_reader *data,
                                              struct l2v_writer *nak);
void l2v_ppp_lcp_auth_nak(struct l2v_ppp *ppp, struct l2v_reader *data);
void l2v_ppp_lcp_auth_reject(struct l2v_ppp *ppp);
uint32_t l2v_ppp_lcp_next_ask(const struct l2v_ppp *ppp);
/* ppp_reject.c: what the peer rejects */
void l2v_ppp_protocol_rejected(struct l2v_ppp *ppp, struct l2v_reader *data);

/* ppp_ipcp.c, ppp_ipv6cp.c */
int l2v_ppp_ipcp_init(struct l2v_ppp *ppp);
void l2v_ppp_ipv6cp_init(struct l2v_ppp *ppp);

#endif
