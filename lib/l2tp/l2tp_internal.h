/* SPDX-License-Identifier: MIT */
/* The objects of the module, and what its files call of each other. */
#ifndef L2V_L2TP_INTERNAL_H
#define L2V_L2TP_INTERNAL_H

#include "base_fsm.h"
#include "base_list.h"
#include "base_map.h"
#include "l2tp_channel.h"
#include "l2tp_msg.h"
#include "l2tp_timers.h"
#include "l2v_l2tp.h"

#define L2V_L2TP_LOG "l2tp"
#define L2V_L2TP_NAME_MAX 64u

/* rfc2661#7.2 */
enum l2v_l2tp_cc_state {
    L2V_L2TP_CC_IDLE,
    L2V_L2TP_CC_WAIT_CTL_REPLY,
    L2V_L2TP_CC_WAIT_CTL_CONN,
    L2V_L2TP_CC_ESTABLISHED
};

enum l2v_l2tp_cc_event {
    L2V_L2TP_CC_LOCAL_OPEN,
    L2V_L2TP_CC_RX_SCCRQ,
    L2V_L2TP_CC_RX_SCCRP,
    L2V_L2TP_CC_RX_SCCRP_BAD,
    L2V_L2TP_CC_RX_SCCCN,
    L2V_L2TP_CC_RX_SCCCN_BAD,
    L2V_L2TP_CC_RX_STOPCCN,
    L2V_L2TP_CC_RX_INVALID, /* rfc2661#7.1 invalid or unrecoverably malformed message */
    L2V_L2TP_CC_LOSE_TIE,
    L2V_L2TP_CC_ADMIN_CLOSE,
    L2V_L2TP_CC_NO_RESPONSE
};

/* rfc2661#7.4.1, #7.4.2; the outgoing calls of #7.5 will bring tables of their own. */
enum l2v_l2tp_session_state {
    L2V_L2TP_SESSION_IDLE,
    L2V_L2TP_SESSION_WAIT_TUNNEL,
    L2V_L2TP_SESSION_WAIT_REPLY,
    L2V_L2TP_SESSION_WAIT_CONNECT,
    L2V_L2TP_SESSION_ESTABLISHED
};

enum l2v_l2tp_session_event {
    L2V_L2TP_SESSION_LOCAL_CALL,
    L2V_L2TP_SESSION_TUNNEL_OPEN,
    L2V_L2TP_SESSION_RX_ICRQ,
    L2V_L2TP_SESSION_RX_ICRP,
    L2V_L2TP_SESSION_RX_ICCN,
    L2V_L2TP_SESSION_RX_BAD, /* message not acceptable */
    L2V_L2TP_SESSION_RX_CDN,
    L2V_L2TP_SESSION_LOCAL_CLOSE
};

struct l2v_l2tp {
    struct l2v_env *env;
    struct l2v_crypto *crypto;
    struct l2v_l2tp_config config; /* defaults filled in */
    struct l2v_l2tp_timing timing;
    struct l2v_avp_secret secret;
    struct l2v_l2tp_ops ops;
    void *user;
    struct l2v_map cc_map;      /* by our tunnel id */
    struct l2v_map session_map; /* by our tunnel id << 16 | our session id */
    struct l2v_map request_map; /* by the hash of the SCCRQ that made the cc: finds its repeats */
    struct l2v_list ccs;        /* live */
    struct l2v_list lingering;  /* closed, oldest first */
    struct l2v_list dead_ccs, dead_sessions; /* freed by the reap timer */
    uint32_t n_cc, n_lingering;
    uint32_t call_serial;
    struct l2v_timer reap;
};

struct l2v_l2tp_cc {
    struct l2v_list node;
    struct l2v_map_node by_id, by_request;
    struct l2v_l2tp *l2tp;
    struct l2v_l2tp_channel channel;
    uint8_t state; /* enum l2v_l2tp_cc_state */
    bool originator;
    bool closed;    /* cc_down was called */
    bool lingering; /* closed, acknowledges repeats */
    bool dead;      /* waits to be freed */
    bool in_request_map;
    bool port_fixed; /* rfc2661#8.1 */
    bool inside_sa;  /* of the message being processed */
    bool challenged; /* our Challenge AVP was sent */
    uint16_t id, peer_id;
    uint16_t peer_port;
    uint16_t input_port; /* of the message being processed */
    uint8_t challenge[L2V_L2TP_CHALLENGE_LEN];
    uint8_t tie_breaker[8];
    uint32_t peer_framing;
    uint64_t last_input_ns; /* any sign of life */
    uint64_t rtt_ns;
    uint64_t accepted_ns; /* when the peer's SCCRQ came */
    struct l2v_list sessions;
    uint32_t n_sessions;
    struct l2v_timer hello, setup, linger;
    char peer_name[L2V_L2TP_NAME_MAX];
};

struct l2v_l2tp_session {
    struct l2v_list node;
    struct l2v_map_node by_id;
    struct l2v_l2tp *l2tp;
    struct l2v_l2tp_cc *cc;
    const struct l2v_fsm *fsm; /* LAC or LNS incoming call */
    void *user;
    uint8_t state; /* enum l2v_l2tp_session_state */
    bool lns;
    bool closed;
    bool announced; /* the user knows it */
    bool send_sequence;
    bool sequence_required; /* rfc2661#5.4 */
    bool sequence_seen;
    uint16_t id, peer_id;
    uint16_t data_ns, data_nr;
    uint32_t call_serial;
    uint64_t n_lost;
    struct l2v_timer setup;
};

/* What an event brings to an action. */
struct l2v_l2tp_cc_arg {
    const struct l2v_l2tp_msg *msg;
    unsigned result, error; /* for StopCCN */
    const char *text;
    l2tpvoip_failure failure; /* for cc_down; code 0 = by us */
};

struct l2v_l2tp_session_arg {
    const struct l2v_l2tp_msg *msg;
    unsigned result, error; /* for CDN */
    const char *text;
    l2tpvoip_failure failure;
};

/* l2tp_endpoint.c */
struct l2v_l2tp_cc *l2v_l2tp_find_cc(const struct l2v_l2tp *l2tp, uint16_t id);
struct l2v_l2tp_session *l2v_l2tp_find_session(const struct l2v_l2tp *l2tp, uint16_t tunnel_id,
                                               uint16_t session_id);
/* An id that is not in use, random, not 0, with the shard. 0, CRYPTO, LIMIT. */
int l2v_l2tp_assign_tunnel_id(struct l2v_l2tp *l2tp, uint16_t *ret_id);
int l2v_l2tp_assign_session_id(struct l2v_l2tp *l2tp, uint16_t tunnel_id, uint16_t *ret_id);
/* From live to lingering (evicts the oldest when there are too many), or to be freed. */
void l2v_l2tp_retire_cc(struct l2v_l2tp_cc *cc, bool linger);
void l2v_l2tp_retire_session(struct l2v_l2tp_session *s);

/* l2tp_cc.c */
extern const struct l2v_fsm l2v_l2tp_cc_fsm;
int l2v_l2tp_cc_new(struct l2v_l2tp *l2tp, struct l2v_l2tp_cc **ret_cc);
void l2v_l2tp_cc_destroy(struct l2v_l2tp_cc *cc);
int l2v_l2tp_cc_step(struct l2v_l2tp_cc *cc, enum l2v_l2tp_cc_event event,
                     struct l2v_l2tp_cc_arg *arg);
/* Takes the peer's SCCRQ into a cc that is idle; the cc may be closed afterwards. */
int l2v_l2tp_cc_accept(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg, uint16_t port);
/* StopCCN with a general error, and down. */
void l2v_l2tp_cc_fail(struct l2v_l2tp_cc *cc, unsigned result, unsigned error, int code,
                      const char *text);
int l2v_l2tp_cc_send(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg, uint16_t session_id);
void l2v_l2tp_cc_timeout(struct l2v_l2tp_cc *cc); /* not established in time */
void l2v_l2tp_cc_hello(struct l2v_l2tp_cc *cc);

/* l2tp_cc_input.c */
extern const struct l2v_l2tp_channel_ops l2v_l2tp_cc_channel_ops;

/* l2tp_cc_auth.c */
int l2v_l2tp_auth_response(struct l2v_l2tp *l2tp, unsigned message_type,
                           const struct l2v_blob *challenge, uint8_t ret_response[16]);
/* Whether the peer's SCCRP or SCCCN proves that it knows our secret. 0, AUTH_L2TP, CRYPTO. */
int l2v_l2tp_auth_check(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg);
/* Whether we can and may answer the Challenge of msg. 0, AUTH_L2TP. */
int l2v_l2tp_auth_admit(struct l2v_l2tp *l2tp, const struct l2v_l2tp_msg *msg);

/* l2tp_session.c */
/* A call-management message for a session of cc. */
void l2v_l2tp_session_input(struct l2v_l2tp_cc *cc, uint16_t session_id,
                            const struct l2v_l2tp_msg *msg);
/* Closes without a CDN: the tunnel is going. */
void l2v_l2tp_session_abandon(struct l2v_l2tp_session *s, const l2tpvoip_failure *failure);
void l2v_l2tp_session_timeout(struct l2v_l2tp_session *s);
void l2v_l2tp_session_destroy(struct l2v_l2tp_session *s);

/* l2tp_data.c */
int l2v_l2tp_data_input(struct l2v_l2tp *l2tp, struct l2v_pkt *pkt, const struct l2v_l2tp_header *h,
                        uint16_t peer_port, bool inside_sa);
/* rfc2661#8.1 whether a message may come from this port; follows a rebinding inside the SA. */
bool l2v_l2tp_cc_admit_port(struct l2v_l2tp_cc *cc, uint16_t port, bool inside_sa);

/* l2tp_explain.c */
void l2v_l2tp_explain_stopccn(l2tpvoip_failure *f, const struct l2v_l2tp_result *result);
void l2v_l2tp_explain_cdn(l2tpvoip_failure *f, const struct l2v_l2tp_result *result,
                          bool established);
/* Our own reasons: code is a L2TPVOIP_ERR_…, what a sentence part. */
void l2v_l2tp_explain_own(l2tpvoip_failure *f, int code, const char *what);
/* Printable text of a peer. */
void l2v_l2tp_print_text(char *text, size_t size, const struct l2v_blob *blob);

#endif
