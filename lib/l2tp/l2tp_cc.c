/* SPDX-License-Identifier: MIT */
/* The control connection: its state machine (rfc2661#7.2) and the messages that it sends. */
#include <stdio.h>

#include "base_secure.h"
#include "l2tp_internal.h"

static void action_send_sccrq(void *obj, void *arg);
static void action_send_sccrp(void *obj, void *arg);
static void action_send_scccn(void *obj, void *arg);
static void action_tunnel_open(void *obj, void *arg);
static void action_send_stopccn(void *obj, void *arg);
static void action_clean_up(void *obj, void *arg);
static void action_requeue(void *obj, void *arg);
static void action_lost(void *obj, void *arg);

static const char *const cc_states[] = {"idle", "wait-ctl-reply", "wait-ctl-conn", "established"};

static const char *const cc_events[] = {"local open",       "receive SCCRQ",
                                        "receive SCCRP",    "receive SCCRP, not acceptable",
                                        "receive SCCCN",    "receive SCCCN, not acceptable",
                                        "receive StopCCN",  "receive invalid",
                                        "lose tie-breaker", "admin close",
                                        "no response"};

#define IDLE L2V_L2TP_CC_IDLE
#define WAIT_CTL_REPLY L2V_L2TP_CC_WAIT_CTL_REPLY
#define WAIT_CTL_CONN L2V_L2TP_CC_WAIT_CTL_CONN
#define ESTABLISHED L2V_L2TP_CC_ESTABLISHED

/* rfc2661#7.2.1. An SCCRQ that is not acceptable never makes a control connection: the endpoint
 * answers it without state. */
static const struct l2v_fsm_row cc_rows[] = {
    {IDLE, L2V_L2TP_CC_LOCAL_OPEN, WAIT_CTL_REPLY, action_send_sccrq},
    {IDLE, L2V_L2TP_CC_RX_SCCRQ, WAIT_CTL_CONN, action_send_sccrp},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_RX_SCCRP, ESTABLISHED, action_send_scccn},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_RX_SCCRP_BAD, IDLE, action_send_stopccn},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_LOSE_TIE, IDLE, action_requeue},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_RX_SCCRQ, IDLE, action_send_stopccn},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_RX_SCCCN, IDLE, action_send_stopccn},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_RX_SCCCN_BAD, IDLE, action_send_stopccn},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_RX_INVALID, IDLE, action_send_stopccn},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_RX_STOPCCN, IDLE, action_clean_up},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_ADMIN_CLOSE, IDLE, action_send_stopccn},
    {WAIT_CTL_REPLY, L2V_L2TP_CC_NO_RESPONSE, IDLE, action_lost},
    {WAIT_CTL_CONN, L2V_L2TP_CC_RX_SCCCN, ESTABLISHED, action_tunnel_open},
    {WAIT_CTL_CONN, L2V_L2TP_CC_RX_SCCCN_BAD, IDLE, action_send_stopccn},
    {WAIT_CTL_CONN, L2V_L2TP_CC_RX_SCCRQ, IDLE, action_send_stopccn},
    {WAIT_CTL_CONN, L2V_L2TP_CC_RX_SCCRP, IDLE, action_send_stopccn},
    {WAIT_CTL_CONN, L2V_L2TP_CC_RX_SCCRP_BAD, IDLE, action_send_stopccn},
    {WAIT_CTL_CONN, L2V_L2TP_CC_RX_INVALID, IDLE, action_send_stopccn},
    {WAIT_CTL_CONN, L2V_L2TP_CC_RX_STOPCCN, IDLE, action_clean_up},
    {WAIT_CTL_CONN, L2V_L2TP_CC_ADMIN_CLOSE, IDLE, action_send_stopccn},
    {WAIT_CTL_CONN, L2V_L2TP_CC_NO_RESPONSE, IDLE, action_lost},
    {ESTABLISHED, L2V_L2TP_CC_RX_SCCRQ, IDLE, action_send_stopccn},
    {ESTABLISHED, L2V_L2TP_CC_RX_SCCRP, IDLE, action_send_stopccn},
    {ESTABLISHED, L2V_L2TP_CC_RX_SCCRP_BAD, IDLE, action_send_stopccn},
    {ESTABLISHED, L2V_L2TP_CC_RX_SCCCN, IDLE, action_send_stopccn},
    {ESTABLISHED, L2V_L2TP_CC_RX_SCCCN_BAD, IDLE, action_send_stopccn},
    {ESTABLISHED, L2V_L2TP_CC_RX_INVALID, IDLE, action_send_stopccn},
    {ESTABLISHED, L2V_L2TP_CC_RX_STOPCCN, IDLE, action_clean_up},
    {ESTABLISHED, L2V_L2TP_CC_ADMIN_CLOSE, IDLE, action_send_stopccn},
    {ESTABLISHED, L2V_L2TP_CC_NO_RESPONSE, IDLE, action_lost},
};

const struct l2v_fsm l2v_l2tp_cc_fsm = {"l2tp control connection", cc_states, cc_events, cc_rows,
                                        sizeof cc_rows / sizeof cc_rows[0]};

int l2v_l2tp_cc_step(struct l2v_l2tp_cc *cc, enum l2v_l2tp_cc_event event,
                     struct l2v_l2tp_cc_arg *arg)
{
    if (cc->closed) {
        return L2TPVOIP_ERR_STATE;
    }
    l2v_log(cc->l2tp->env, L2TPVOIP_LOG_DEBUG, L2V_L2TP_LOG, "tunnel %u: %s in state %s", cc->id,
            cc_events[event], cc_states[cc->state]);
    return l2v_fsm_step(&l2v_l2tp_cc_fsm, &cc->state, event, cc, arg);
}

int l2v_l2tp_cc_new(struct l2v_l2tp *l2tp, struct l2v_l2tp_cc **ret_cc)
{
    uint16_t id;
    if (l2tp->n_cc >= l2tp->config.max_cc) {
        return L2TPVOIP_ERR_LIMIT;
    }
    int rc = l2v_l2tp_assign_tunnel_id(l2tp, &id);
    if (rc != 0) {
        return rc;
    }
    struct l2v_l2tp_cc *cc = l2v_calloc(l2tp->env, 1, sizeof *cc);
    if (cc == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    cc->l2tp = l2tp;
    cc->id = id;
    cc->state = L2V_L2TP_CC_IDLE;
    cc->last_input_ns = l2tp->env->now_ns;
    l2v_list_init(&cc->sessions);
    l2v_l2tp_timers_cc_init(cc);
    l2v_l2tp_channel_init(&cc->channel, l2tp->env, &l2tp->timing, l2tp->config.receive_window,
                          &l2v_l2tp_cc_channel_ops, cc);
    rc = l2v_random(l2tp->env, cc->challenge, sizeof cc->challenge);
    if (rc == 0) {
        rc = l2v_random(l2tp->env, cc->tie_breaker, sizeof cc->tie_breaker);
    }
    if (rc != 0) {
        l2v_free_secret(l2tp->env, cc, sizeof *cc);
        return rc;
    }
    l2v_map_insert(&l2tp->cc_map, &cc->by_id, id);
    l2v_list_append(&l2tp->ccs, &cc->node);
    l2tp->n_cc++;
    *ret_cc = cc;
    return 0;
}

/* Frees; whatever list it is in. */
void l2v_l2tp_cc_destroy(struct l2v_l2tp_cc *cc)
{
    struct l2v_l2tp *l2tp = cc->l2tp;
    L2V_LIST_EACH_SAFE(pos, &cc->sessions)
    {
        l2v_l2tp_session_destroy(L2V_CONTAINER_OF(pos, struct l2v_l2tp_session, node));
    }
    l2v_l2tp_timers_cc_stop(cc);
    l2v_l2tp_channel_clear(&cc->channel);
    l2v_map_remove(&l2tp->cc_map, &cc->by_id);
    if (cc->in_request_map) {
        l2v_map_remove(&l2tp->request_map, &cc->by_request);
    }
    l2v_list_remove(&cc->node);
    l2v_free_secret(l2tp->env, cc, sizeof *cc);
}

int l2v_l2tp_cc_send(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg, uint16_t session_id)
{
    uint8_t body[L2V_L2TP_BODY_MAX];
    size_t len = 0;
    struct l2v_l2tp *l2tp = cc->l2tp;
    int rc = l2v_l2tp_msg_build(msg, l2tp->env, &l2tp->secret, l2tp->config.hide_avps, body,
                                sizeof body, &len);
    if (rc == 0) {
        rc = l2v_l2tp_channel_send(&cc->channel, msg->type, session_id, body, len);
    }
    l2v_log(l2tp->env, L2TPVOIP_LOG_DEBUG, L2V_L2TP_LOG, "tunnel %u: %s queued (%d)", cc->id,
            l2v_l2tp_msg_name(msg->type), rc);
    return rc;
}

/* The end for the user: sessions first, then the control connection itself. */
static void go_down(struct l2v_l2tp_cc *cc, const l2tpvoip_failure *failure, bool linger)
{
    struct l2v_l2tp *l2tp = cc->l2tp;
    cc->closed = true;
    while (!l2v_list_is_empty(&cc->sessions)) {
        l2v_l2tp_session_abandon(L2V_CONTAINER_OF(cc->sessions.next, struct l2v_l2tp_session, node),
                                 failure);
    }
    l2v_l2tp_retire_cc(cc, linger);
    l2v_log(l2tp->env, L2TPVOIP_LOG_INFO, L2V_L2TP_LOG, "tunnel %u is down: %s", cc->id,
            failure->code != 0 ? failure->message : "closed");
    l2tp->ops.cc_down(l2tp->user, cc, failure);
}

/* What SCCRQ and SCCRP have in common. */
static void fill_start(struct l2v_l2tp_cc *cc, struct l2v_l2tp_msg *m)
{
    struct l2v_l2tp *l2tp = cc->l2tp;
    m->protocol_version = L2V_L2TP_PROTOCOL_VERSION;
    m->host_name = (struct l2v_blob){(const uint8_t *)l2tp->config.host_name,
                                     strnlen(l2tp->config.host_name, 255)};
    m->framing_capabilities = L2V_L2TP_FRAMING_SYNC | L2V_L2TP_FRAMING_ASYNC;
    m->assigned_tunnel_id = cc->id;
    m->receive_window_size = (uint16_t)cc->channel.window;
    m->vendor_name = (struct l2v_blob){(const uint8_t *)"l2tpvoip", 8};
    l2v_l2tp_msg_set(m, L2V_AVP_PROTOCOL_VERSION);
    l2v_l2tp_msg_set(m, L2V_AVP_HOST_NAME);
    l2v_l2tp_msg_set(m, L2V_AVP_FRAMING_CAPABILITIES);
    l2v_l2tp_msg_set(m, L2V_AVP_ASSIGNED_TUNNEL_ID);
    l2v_l2tp_msg_set(m, L2V_AVP_RECEIVE_WINDOW_SIZE);
    l2v_l2tp_msg_set(m, L2V_AVP_VENDOR_NAME);
    if (l2tp->secret.len > 0) {
        m->challenge = (struct l2v_blob){cc->challenge, sizeof cc->challenge};
        l2v_l2tp_msg_set(m, L2V_AVP_CHALLENGE);
        cc->challenged = true;
    }
}

/* Learns from SCCRQ or SCCRP. */
static void learn_peer(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    cc->peer_id = msg->assigned_tunnel_id;
    cc->channel.peer_tunnel_id = msg->assigned_tunnel_id;
    cc->peer_framing = msg->framing_capabilities;
    l2v_l2tp_print_text(cc->peer_name, sizeof cc->peer_name, &msg->host_name);
    l2v_l2tp_channel_set_peer_window(
        &cc->channel, l2v_l2tp_msg_has(msg, L2V_AVP_RECEIVE_WINDOW_SIZE) ? msg->receive_window_size
                                                                         : L2V_L2TP_WINDOW_DEFAULT);
}

/* The Challenge Response that the peer's Challenge asks for. */
static int fill_response(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *peer,
                         struct l2v_l2tp_msg *m, uint8_t response[16])
{
    if (!l2v_l2tp_msg_has(peer, L2V_AVP_CHALLENGE)) {
        return 0;
    }
    m->challenge_response = (struct l2v_blob){response, 16};
    l2v_l2tp_msg_set(m, L2V_AVP_CHALLENGE_RESPONSE);
    return l2v_l2tp_auth_response(cc->l2tp, m->type, &peer->challenge, response);
}

/* An action cannot return an error: it notes it here, and whoever stepped the machine looks. */
static void note_error(struct l2v_l2tp_cc_arg *arg, int rc)
{
    if (rc != 0) {
        l2v_l2tp_explain_own(&arg->failure, rc, "a control message could not be sent");
    }
}

static void action_send_sccrq(void *obj, void *arg)
{
    struct l2v_l2tp_cc *cc = obj;
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_SCCRQ};
    cc->originator = true;
    fill_start(cc, &m);
    m.tie_breaker = (struct l2v_blob){cc->tie_breaker, sizeof cc->tie_breaker};
    l2v_l2tp_msg_set(&m, L2V_AVP_TIE_BREAKER);
    note_error(arg, l2v_l2tp_cc_send(cc, &m, 0));
    l2v_l2tp_timers_cc_setup(cc);
}

static void action_send_sccrp(void *obj, void *arg)
{
    struct l2v_l2tp_cc *cc = obj;
    struct l2v_l2tp_cc_arg *a = arg;
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_SCCRP};
    uint8_t response[16];
    learn_peer(cc, a->msg);
    fill_start(cc, &m);
    int rc = fill_response(cc, a->msg, &m, response);
    if (rc == 0) {
        rc = l2v_l2tp_cc_send(cc, &m, 0);
    }
    note_error(a, rc);
    l2v_l2tp_timers_cc_setup(cc);
}

static void action_send_scccn(void *obj, void *arg)
{
    struct l2v_l2tp_cc *cc = obj;
    struct l2v_l2tp_cc_arg *a = arg;
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_SCCCN};
    uint8_t response[16];
    learn_peer(cc, a->msg);
    int rc = fill_response(cc, a->msg, &m, response);
    if (rc == 0) {
        rc = l2v_l2tp_cc_send(cc, &m, 0);
    }
    if (rc != 0) {
        l2v_l2tp_cc_fail(cc, L2V_STOP_GENERAL, L2V_ERROR_RESOURCES, rc, "SCCCN could not be sent");
        return;
    }
    action_tunnel_open(cc, arg);
}

static void action_tunnel_open(void *obj, void *arg)
{
    struct l2v_l2tp_cc *cc = obj;
    (void)arg;
    l2v_l2tp_timers_cc_established(cc);
    l2v_log(cc->l2tp->env, L2TPVOIP_LOG_INFO, L2V_L2TP_LOG, "tunnel %u to \"%s\" is established",
            cc->id, cc->peer_name);
    cc->l2tp->ops.cc_up(cc->l2tp->user, cc);
}

static void action_send_stopccn(void *obj, void *arg)
{
    struct l2v_l2tp_cc *cc = obj;
    struct l2v_l2tp_cc_arg *a = arg;
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_STOPCCN};
    m.result.result = (uint16_t)a->result;
    m.result.error = (uint16_t)a->error;
    if (a->text != NULL && a->error != 0) {
        m.result.text = (struct l2v_blob){(const uint8_t *)a->text, strlen(a->text)};
    }
    m.assigned_tunnel_id = cc->id;
    l2v_l2tp_msg_set(&m, L2V_AVP_RESULT_CODE);
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_TUNNEL_ID);
    l2v_l2tp_channel_hurry(&cc->channel);
    int rc = l2v_l2tp_cc_send(cc, &m, 0);
    go_down(cc, &a->failure, rc == 0);
}

static void action_clean_up(void *obj, void *arg)
{
    struct l2v_l2tp_cc_arg *a = arg;
    /* rfc2661#5.7 the receiver of StopCCN stays to acknowledge its repeats */
    go_down(obj, &a->failure, true);
}

static void action_requeue(void *obj, void *arg)
{
    struct l2v_l2tp_cc *cc = obj;
    (void)arg;
    /* rfc2661#4.4.3 the loser silently discards its tunnel; the object answers the winner's */
    l2v_l2tp_channel_reset(&cc->channel);
    cc->originator = false;
}

static void action_lost(void *obj, void *arg)
{
    struct l2v_l2tp_cc_arg *a = arg;
    go_down(obj, &a->failure, false);
}

int l2v_l2tp_cc_accept(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg, uint16_t port)
{
    struct l2v_l2tp_cc_arg arg = {.msg = msg};
    cc->peer_port = port;
    cc->port_fixed = true;
    cc->last_input_ns = cc->l2tp->env->now_ns;
    cc->channel.nr = 1; /* the SCCRQ, Ns 0, is taken */
    int rc = l2v_l2tp_cc_step(cc, L2V_L2TP_CC_RX_SCCRQ, &arg);
    return rc != 0 ? rc : arg.failure.code;
}

void l2v_l2tp_cc_fail(struct l2v_l2tp_cc *cc, unsigned result, unsigned error, int code,
                      const char *text)
{
    struct l2v_l2tp_cc_arg arg = {.result = result, .error = error, .text = text};
    l2v_l2tp_explain_own(&arg.failure, code, text);
    (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_RX_INVALID, &arg);
}

void l2v_l2tp_cc_timeout(struct l2v_l2tp_cc *cc)
{
    struct l2v_l2tp_cc_arg arg = {.result = L2V_STOP_CLEAR};
    l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_TIMEOUT,
                         "the peer acknowledges but does not go on with the tunnel set-up");
    (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_ADMIN_CLOSE, &arg);
}

void l2v_l2tp_cc_hello(struct l2v_l2tp_cc *cc)
{
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_HELLO};
    (void)l2v_l2tp_cc_send(cc, &m, 0);
}

void l2v_l2tp_cc_close(struct l2v_l2tp_cc *cc, unsigned result)
{
    struct l2v_l2tp_cc_arg arg = {.result = result != 0 ? result : L2V_STOP_SHUTDOWN};
    (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_ADMIN_CLOSE, &arg);
}

uint16_t l2v_l2tp_cc_get_id(const struct l2v_l2tp_cc *cc)
{
    return cc->id;
}

const char *l2v_l2tp_cc_get_peer_name(const struct l2v_l2tp_cc *cc)
{
    return cc->peer_name;
}

uint64_t l2v_l2tp_hello_rtt_ns(const struct l2v_l2tp_cc *cc)
{
    return cc->rtt_ns;
}
