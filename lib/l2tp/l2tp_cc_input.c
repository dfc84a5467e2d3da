/* SPDX-License-Identifier: MIT */
/* What a control connection does with the messages that its channel delivers. */
#include <stdio.h>

#include "base_secure.h"
#include "l2tp_internal.h"

static void send_packet(void *user, struct l2v_pkt *pkt)
{
    struct l2v_l2tp_cc *cc = user;
    cc->l2tp->ops.transmit(cc->l2tp->user, pkt, cc->peer_port, true);
}

static void note_acked(void *user, const struct l2v_l2tp_out *out)
{
    struct l2v_l2tp_cc *cc = user;
    /* Of a repeated message nobody knows which copy was acknowledged. */
    if (out->type == L2V_L2TP_HELLO && !out->resent) {
        cc->rtt_ns = cc->l2tp->env->now_ns - out->sent_ns;
    }
}

static bool decide_give_up(void *user, const struct l2v_l2tp_out *front)
{
    struct l2v_l2tp_cc *cc = user;
    struct l2v_l2tp_cc_arg arg = {0};
    if (cc->closed) {
        l2v_l2tp_retire_cc(cc, false);
        return false;
    }
    /* Some peers never acknowledge HELLO while their data flows: that is life enough. */
    if (front->type == L2V_L2TP_HELLO && cc->last_input_ns > front->sent_ns) {
        return true;
    }
    char text[96];
    (void)snprintf(text, sizeof text, "the peer did not answer %s", l2v_l2tp_msg_name(front->type));
    l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_TIMEOUT, text);
    (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_NO_RESPONSE, &arg);
    return false;
}

static void refuse_auth(struct l2v_l2tp_cc_arg *arg, const char *text)
{
    arg->result = L2V_STOP_NOT_AUTHORIZED;
    l2v_l2tp_explain_own(&arg->failure, L2TPVOIP_ERR_AUTH_L2TP, text);
}

/* rfc2661#7.2 acceptable? */
static bool check_sccrp(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg,
                        struct l2v_l2tp_cc_arg *arg)
{
    if (msg->protocol_version >> 8 != L2V_L2TP_PROTOCOL_VERSION >> 8) {
        arg->result = L2V_STOP_VERSION;
        arg->error = L2V_L2TP_PROTOCOL_VERSION;
        l2v_l2tp_explain_own(&arg->failure, L2TPVOIP_ERR_UNSUPPORTED,
                             "the peer speaks another version of L2TP");
        return false;
    }
    int rc = l2v_l2tp_auth_check(cc, msg);
    if (rc != 0) {
        refuse_auth(arg, l2v_l2tp_msg_has(msg, L2V_AVP_CHALLENGE_RESPONSE)
                             ? "the peer's tunnel secret is another one"
                             : "the peer does not prove that it knows the tunnel secret");
        return false;
    }
    if (l2v_l2tp_auth_admit(cc->l2tp, msg) != 0) {
        refuse_auth(arg, cc->l2tp->secret.len == 0
                             ? "the peer asks for tunnel authentication and no secret is set"
                             : "the peer sent our own challenge back");
        return false;
    }
    return true;
}

static void take_sccrp(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    struct l2v_l2tp_cc_arg arg = {.msg = msg, .result = L2V_STOP_FSM};
    l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_PROTOCOL, "SCCRP came at the wrong time");
    if (cc->state == L2V_L2TP_CC_WAIT_CTL_REPLY && !check_sccrp(cc, msg, &arg)) {
        /* So that the StopCCN finds its tunnel there. */
        cc->peer_id = msg->assigned_tunnel_id;
        cc->channel.peer_tunnel_id = msg->assigned_tunnel_id;
        (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_RX_SCCRP_BAD, &arg);
        return;
    }
    (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_RX_SCCRP, &arg);
}

static void take_scccn(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    struct l2v_l2tp_cc_arg arg = {.msg = msg, .result = L2V_STOP_FSM};
    l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_PROTOCOL, "SCCCN came at the wrong time");
    if (cc->state == L2V_L2TP_CC_WAIT_CTL_CONN && l2v_l2tp_auth_check(cc, msg) != 0) {
        refuse_auth(&arg, "the peer does not prove that it knows the tunnel secret");
        (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_RX_SCCCN_BAD, &arg);
        return;
    }
    (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_RX_SCCCN, &arg);
}

static void take_sccrq(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    struct l2v_l2tp_cc_arg arg = {.msg = msg, .result = L2V_STOP_FSM};
    l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_PROTOCOL, "SCCRQ came within a tunnel");
    (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_RX_SCCRQ, &arg);
}

static void take_stopccn(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    struct l2v_l2tp_cc_arg arg = {.msg = msg};
    /* rfc2661#4.4.3 it names the id that the peer assigned first: a guard where no SA is one */
    if (!cc->inside_sa && cc->peer_id != 0 && msg->assigned_tunnel_id != 0 &&
        msg->assigned_tunnel_id != cc->peer_id) {
        l2v_log(cc->l2tp->env, L2TPVOIP_LOG_WARNING, L2V_L2TP_LOG,
                "tunnel %u: StopCCN for another tunnel ignored", cc->id);
        return;
    }
    if (cc->peer_id == 0) {
        cc->channel.peer_tunnel_id = msg->assigned_tunnel_id; /* where the acknowledgement goes */
    }
    l2v_l2tp_explain_stopccn(&arg.failure, &msg->result);
    (void)l2v_l2tp_cc_step(cc, L2V_L2TP_CC_RX_STOPCCN, &arg);
}

/* rfc2661#6.5 acknowledged is answered */
static void take_hello(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    (void)cc;
    (void)msg;
}

static const struct {
    uint16_t type;
    void (*take)(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg);
} handlers[] = {
    {L2V_L2TP_SCCRQ, take_sccrq},     {L2V_L2TP_SCCRP, take_sccrp}, {L2V_L2TP_SCCCN, take_scccn},
    {L2V_L2TP_STOPCCN, take_stopccn}, {L2V_L2TP_HELLO, take_hello},
};

/* rfc2661#7.1; a message of one session costs the session only, and one that says good-bye is
 * believed however badly it is made. */
static bool check_verdict(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    char text[160];
    if (msg->verdict == L2V_L2TP_FINE) {
        return true;
    }
    l2v_l2tp_msg_describe(msg, text, sizeof text);
    l2v_log(cc->l2tp->env, L2TPVOIP_LOG_WARNING, L2V_L2TP_LOG, "tunnel %u: %s: %s", cc->id,
            l2v_l2tp_msg_name(msg->type), text);
    if (msg->verdict == L2V_L2TP_IGNORE) {
        return false;
    }
    if (msg->verdict != L2V_L2TP_UNKNOWN_TYPE &&
        (msg->type == L2V_L2TP_STOPCCN || l2v_l2tp_msg_is_session(msg->type))) {
        return true;
    }
    int code = msg->verdict == L2V_L2TP_BAD_HIDDEN    ? L2TPVOIP_ERR_AUTH_L2TP
               : msg->verdict == L2V_L2TP_UNKNOWN_AVP ? L2TPVOIP_ERR_UNSUPPORTED
                                                      : L2TPVOIP_ERR_MALFORMED;
    l2v_l2tp_cc_fail(cc, L2V_STOP_GENERAL, l2v_l2tp_msg_error(msg), code, text);
    return false;
}

static void take_message(struct l2v_l2tp_cc *cc, uint16_t session_id,
                         const struct l2v_l2tp_msg *msg)
{
    if (!check_verdict(cc, msg)) {
        return;
    }
    if (l2v_l2tp_msg_is_session(msg->type)) {
        l2v_l2tp_session_input(cc, session_id, msg);
        return;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (handlers[i].type == msg->type) {
            handlers[i].take(cc, msg);
            return;
        }
    }
}

static void deliver_message(void *user, uint16_t session_id, const uint8_t *body, size_t len)
{
    struct l2v_l2tp_cc *cc = user;
    uint8_t scratch[L2V_L2TP_STORE_MAX];
    struct l2v_l2tp_msg msg;
    if (cc->closed) {
        return; /* lingering: the channel acknowledges, that is all */
    }
    if (!cc->port_fixed) {
        /* rfc2661#8.1 the first reply fixes the peer's port */
        cc->peer_port = cc->input_port;
        cc->port_fixed = true;
    }
    l2v_l2tp_msg_parse(body, len, &cc->l2tp->secret, scratch, sizeof scratch, &msg);
    l2v_log(cc->l2tp->env, L2TPVOIP_LOG_DEBUG, L2V_L2TP_LOG, "tunnel %u: %s received", cc->id,
            l2v_l2tp_msg_name(msg.type));
    take_message(cc, session_id, &msg);
    if (cc->l2tp->secret.len > 0) {
        l2v_wipe(scratch, sizeof scratch);
    }
}

const struct l2v_l2tp_channel_ops l2v_l2tp_cc_channel_ops = {send_packet, deliver_message,
                                                             note_acked, decide_give_up};
