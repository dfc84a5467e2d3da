/* SPDX-License-Identifier: MIT */
/* Sessions: the incoming-call state machines of both roles (rfc2661#7.4.1, #7.4.2). Outgoing calls
 * (#7.5) are refused; when they come they bring two more tables and share the rest. */
#include "base_secure.h"
#include "l2tp_internal.h"

#define CONNECT_SPEED 100000000u /* of a call that has no wire: 100 Mbit/s */

static void action_send_icrq(void *obj, void *arg);
static void action_send_icrp(void *obj, void *arg);
static void action_send_iccn(void *obj, void *arg);
static void action_prepare_data(void *obj, void *arg);
static void action_send_cdn(void *obj, void *arg);
static void action_clean_up(void *obj, void *arg);

static const char *const session_states[] = {"idle", "wait-tunnel", "wait-reply", "wait-connect",
                                             "established"};
static const char *const session_events[] = {"local call",   "tunnel-open",
                                             "receive ICRQ", "receive ICRP",
                                             "receive ICCN", "receive, not acceptable",
                                             "receive CDN",  "local close"};

#define IDLE L2V_L2TP_SESSION_IDLE
#define WAIT_TUNNEL L2V_L2TP_SESSION_WAIT_TUNNEL
#define WAIT_REPLY L2V_L2TP_SESSION_WAIT_REPLY
#define WAIT_CONNECT L2V_L2TP_SESSION_WAIT_CONNECT
#define ESTABLISHED L2V_L2TP_SESSION_ESTABLISHED

/* rfc2661#7.4.1 */
static const struct l2v_fsm_row lac_rows[] = {
    {IDLE, L2V_L2TP_SESSION_LOCAL_CALL, WAIT_TUNNEL, NULL},
    {WAIT_TUNNEL, L2V_L2TP_SESSION_TUNNEL_OPEN, WAIT_REPLY, action_send_icrq},
    {WAIT_TUNNEL, L2V_L2TP_SESSION_LOCAL_CLOSE, IDLE, action_clean_up},
    {WAIT_REPLY, L2V_L2TP_SESSION_RX_ICRP, ESTABLISHED, action_send_iccn},
    {WAIT_REPLY, L2V_L2TP_SESSION_RX_BAD, IDLE, action_send_cdn},
    {WAIT_REPLY, L2V_L2TP_SESSION_RX_ICRQ, IDLE, action_send_cdn},
    {WAIT_REPLY, L2V_L2TP_SESSION_RX_ICCN, IDLE, action_clean_up},
    {WAIT_REPLY, L2V_L2TP_SESSION_RX_CDN, IDLE, action_clean_up},
    {WAIT_REPLY, L2V_L2TP_SESSION_LOCAL_CLOSE, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_CDN, IDLE, action_clean_up},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_ICRQ, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_ICRP, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_ICCN, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_BAD, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_LOCAL_CLOSE, IDLE, action_send_cdn},
};

/* rfc2661#7.4.2 */
static const struct l2v_fsm_row lns_rows[] = {
    {IDLE, L2V_L2TP_SESSION_RX_ICRQ, WAIT_CONNECT, action_send_icrp},
    {IDLE, L2V_L2TP_SESSION_RX_BAD, IDLE, action_send_cdn},
    {IDLE, L2V_L2TP_SESSION_LOCAL_CLOSE, IDLE, action_send_cdn},
    {WAIT_CONNECT, L2V_L2TP_SESSION_RX_ICCN, ESTABLISHED, action_prepare_data},
    {WAIT_CONNECT, L2V_L2TP_SESSION_RX_BAD, IDLE, action_send_cdn},
    {WAIT_CONNECT, L2V_L2TP_SESSION_RX_ICRQ, IDLE, action_send_cdn},
    {WAIT_CONNECT, L2V_L2TP_SESSION_RX_ICRP, IDLE, action_send_cdn},
    {WAIT_CONNECT, L2V_L2TP_SESSION_RX_CDN, IDLE, action_clean_up},
    {WAIT_CONNECT, L2V_L2TP_SESSION_LOCAL_CLOSE, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_CDN, IDLE, action_clean_up},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_ICRQ, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_ICRP, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_ICCN, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_RX_BAD, IDLE, action_send_cdn},
    {ESTABLISHED, L2V_L2TP_SESSION_LOCAL_CLOSE, IDLE, action_send_cdn},
};

static const struct l2v_fsm lac_fsm = {"l2tp LAC incoming call", session_states, session_events,
                                       lac_rows, sizeof lac_rows / sizeof lac_rows[0]};
static const struct l2v_fsm lns_fsm = {"l2tp LNS incoming call", session_states, session_events,
                                       lns_rows, sizeof lns_rows / sizeof lns_rows[0]};

static int step(struct l2v_l2tp_session *s, enum l2v_l2tp_session_event event,
                struct l2v_l2tp_session_arg *arg)
{
    if (s->closed) {
        return L2TPVOIP_ERR_STATE;
    }
    l2v_log(s->l2tp->env, L2TPVOIP_LOG_DEBUG, L2V_L2TP_LOG, "call %u/%u: %s in state %s", s->cc->id,
            s->id, session_events[event], session_states[s->state]);
    return l2v_fsm_step(s->fsm, &s->state, event, s, arg);
}

static int create_session(struct l2v_l2tp_cc *cc, const struct l2v_fsm *fsm,
                          struct l2v_l2tp_session **ret_session)
{
    struct l2v_l2tp *l2tp = cc->l2tp;
    uint16_t id;
    if (cc->n_sessions >= l2tp->config.max_sessions) {
        return L2TPVOIP_ERR_LIMIT;
    }
    int rc = l2v_l2tp_assign_session_id(l2tp, cc->id, &id);
    if (rc != 0) {
        return rc;
    }
    struct l2v_l2tp_session *s = l2v_calloc(l2tp->env, 1, sizeof *s);
    if (s == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    s->l2tp = l2tp;
    s->cc = cc;
    s->fsm = fsm;
    s->lns = fsm == &lns_fsm;
    s->id = id;
    s->state = L2V_L2TP_SESSION_IDLE;
    s->announced = true;
    l2v_l2tp_timers_session_init(s);
    l2v_map_insert(&l2tp->session_map, &s->by_id, (uint64_t)cc->id << 16 | id);
    l2v_list_append(&cc->sessions, &s->node);
    cc->n_sessions++;
    *ret_session = s;
    return 0;
}

void l2v_l2tp_session_destroy(struct l2v_l2tp_session *s)
{
    struct l2v_l2tp *l2tp = s->l2tp;
    if (!s->closed) {
        l2v_map_remove(&l2tp->session_map, &s->by_id);
        s->cc->n_sessions--;
    }
    l2v_l2tp_timers_session_stop(s);
    l2v_list_remove(&s->node);
    l2v_free(l2tp->env, s);
}

/* The end for the user. The memory stays until the reap timer: callers up the stack look at it. */
static void close_session(struct l2v_l2tp_session *s, const l2tpvoip_failure *failure)
{
    s->closed = true;
    s->state = L2V_L2TP_SESSION_IDLE;
    l2v_l2tp_retire_session(s);
    if (s->announced) {
        s->l2tp->ops.session_down(s->l2tp->user, s, failure);
    }
}

void l2v_l2tp_session_abandon(struct l2v_l2tp_session *s, const l2tpvoip_failure *failure)
{
    close_session(s, failure);
}

static int send_cdn(struct l2v_l2tp_cc *cc, uint16_t peer_id, uint16_t own_id,
                    const struct l2v_l2tp_session_arg *arg)
{
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_CDN};
    m.result.result = (uint16_t)arg->result;
    m.result.error = (uint16_t)arg->error;
    if (arg->text != NULL && arg->error != 0) {
        m.result.text = (struct l2v_blob){(const uint8_t *)arg->text, strlen(arg->text)};
    }
    m.assigned_session_id = own_id;
    l2v_l2tp_msg_set(&m, L2V_AVP_RESULT_CODE);
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_SESSION_ID);
    return l2v_l2tp_cc_send(cc, &m, peer_id);
}

static void action_send_cdn(void *obj, void *arg)
{
    struct l2v_l2tp_session *s = obj;
    struct l2v_l2tp_session_arg *a = arg;
    /* A CDN that cannot be sent: the peer learns it from the next message for this session. */
    (void)send_cdn(s->cc, s->peer_id, s->id, a);
    close_session(s, &a->failure);
}

static void action_clean_up(void *obj, void *arg)
{
    struct l2v_l2tp_session_arg *a = arg;
    close_session(obj, &a->failure);
}

static void fail_session(struct l2v_l2tp_session *s, int code, const char *what)
{
    struct l2v_l2tp_session_arg arg = {.result = L2V_CDN_GENERAL, .error = L2V_ERROR_RESOURCES};
    l2v_l2tp_explain_own(&arg.failure, code, what);
    (void)step(s, L2V_L2TP_SESSION_LOCAL_CLOSE, &arg);
}

static void action_send_icrq(void *obj, void *arg)
{
    struct l2v_l2tp_session *s = obj;
    struct l2v_l2tp_session_arg *a = arg;
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_ICRQ};
    m.assigned_session_id = s->id;
    m.call_serial_number = s->call_serial;
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_SESSION_ID);
    l2v_l2tp_msg_set(&m, L2V_AVP_CALL_SERIAL_NUMBER);
    l2v_l2tp_timers_session_setup(s);
    int rc = l2v_l2tp_cc_send(s->cc, &m, 0);
    if (rc != 0) {
        l2v_l2tp_explain_own(&a->failure, rc, "ICRQ could not be sent");
    }
}

static void action_send_icrp(void *obj, void *arg)
{
    struct l2v_l2tp_session *s = obj;
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_ICRP};
    (void)arg;
    m.assigned_session_id = s->id;
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_SESSION_ID);
    l2v_l2tp_timers_session_setup(s);
    int rc = l2v_l2tp_cc_send(s->cc, &m, s->peer_id);
    if (rc != 0) {
        fail_session(s, rc, "ICRP could not be sent");
    }
}

static void announce_up(struct l2v_l2tp_session *s)
{
    l2v_l2tp_timers_session_stop(s);
    l2v_log(s->l2tp->env, L2TPVOIP_LOG_INFO, L2V_L2TP_LOG, "call %u/%u is established", s->cc->id,
            s->id);
    s->l2tp->ops.session_up(s->l2tp->user, s);
}

static void action_send_iccn(void *obj, void *arg)
{
    struct l2v_l2tp_session *s = obj;
    struct l2v_l2tp_session_arg *a = arg;
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_ICCN};
    s->peer_id = a->msg->assigned_session_id;
    m.tx_connect_speed = CONNECT_SPEED;
    m.framing_type = L2V_L2TP_FRAMING_SYNC;
    l2v_l2tp_msg_set(&m, L2V_AVP_TX_CONNECT_SPEED);
    l2v_l2tp_msg_set(&m, L2V_AVP_FRAMING_TYPE);
    int rc = l2v_l2tp_cc_send(s->cc, &m, s->peer_id);
    if (rc != 0) {
        fail_session(s, rc, "ICCN could not be sent");
        return;
    }
    announce_up(s);
}

static void action_prepare_data(void *obj, void *arg)
{
    struct l2v_l2tp_session *s = obj;
    const struct l2v_l2tp_session_arg *a = arg;
    /* rfc2661#5.4 the LAC may demand sequence numbers for the whole call; else the LNS decides,
     * and ours does without: voice tolerates loss better than bytes */
    s->sequence_required = l2v_l2tp_msg_has(a->msg, L2V_AVP_SEQUENCING_REQUIRED);
    s->send_sequence = s->sequence_required;
    announce_up(s);
}

/* --- messages -------------------------------------------------------------------------------- */

/* CDN for a call that does not exist here. */
static void refuse_call(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg, unsigned result,
                        unsigned error, const char *text)
{
    struct l2v_l2tp_session_arg arg = {.result = result, .error = error, .text = text};
    uint16_t own_id;
    /* rfc2661#5.3 0 is no id to assign, so that a free one stands for the call that never was */
    if (l2v_l2tp_assign_session_id(cc->l2tp, cc->id, &own_id) == 0) {
        (void)send_cdn(cc, msg->assigned_session_id, own_id, &arg);
    }
}

static struct l2v_l2tp_session *find_by_peer_id(struct l2v_l2tp_cc *cc, uint16_t peer_id)
{
    L2V_LIST_EACH(pos, &cc->sessions)
    {
        struct l2v_l2tp_session *s = L2V_CONTAINER_OF(pos, struct l2v_l2tp_session, node);
        if (s->peer_id == peer_id && peer_id != 0) {
            return s;
        }
    }
    return NULL;
}

static void take_icrq(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    struct l2v_l2tp *l2tp = cc->l2tp;
    struct l2v_l2tp_session *s;
    struct l2v_l2tp_session_arg arg = {
        .msg = msg, .result = L2V_CDN_GENERAL, .error = L2V_ERROR_SESSION_ID};
    if (!l2tp->config.is_lns) {
        refuse_call(cc, msg, L2V_CDN_NO_FACILITIES, 0, NULL);
        return;
    }
    s = find_by_peer_id(cc, msg->assigned_session_id);
    if (s != NULL) {
        l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_PROTOCOL, "ICRQ within a call");
        (void)step(s, L2V_L2TP_SESSION_RX_ICRQ, &arg);
        return;
    }
    if (create_session(cc, &lns_fsm, &s) != 0) {
        refuse_call(cc, msg, L2V_CDN_NO_FACILITIES_NOW, 0, NULL);
        return;
    }
    s->peer_id = msg->assigned_session_id;
    s->call_serial = msg->call_serial_number;
    int refusal = l2tp->ops.session_request(l2tp->user, s);
    if (s->closed) {
        return;
    }
    if (refusal != 0) {
        s->announced = false;
        arg.result = refusal > 0 ? (unsigned)refusal : L2V_CDN_NO_FACILITIES_NOW;
        arg.error = L2V_ERROR_NONE;
        (void)step(s, L2V_L2TP_SESSION_RX_BAD, &arg);
        return;
    }
    (void)step(s, L2V_L2TP_SESSION_RX_ICRQ, &arg);
}

/* A message for no session of ours. */
static void take_stray(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    if (msg->type == L2V_L2TP_ICRQ || msg->type == L2V_L2TP_OCRQ) {
        char text[160];
        if (msg->verdict != L2V_L2TP_FINE) {
            l2v_l2tp_msg_describe(msg, text, sizeof text);
            refuse_call(cc, msg, L2V_CDN_GENERAL, l2v_l2tp_msg_error(msg), text);
        } else if (msg->type == L2V_L2TP_ICRQ) {
            take_icrq(cc, msg);
        } else {
            refuse_call(cc, msg, L2V_CDN_NO_FACILITIES, 0, NULL); /* rfc2661#7.5.1 */
        }
    } else if (msg->type == L2V_L2TP_ICRP || msg->type == L2V_L2TP_OCRP) {
        /* rfc2661#7.4.2, #7.5.1 idle, receive a reply: send CDN */
        refuse_call(cc, msg, L2V_CDN_GENERAL, L2V_ERROR_SESSION_ID, NULL);
    }
}

static void take_cdn(struct l2v_l2tp_session *s, const struct l2v_l2tp_msg *msg)
{
    struct l2v_l2tp_session_arg arg = {.msg = msg};
    l2v_l2tp_explain_cdn(&arg.failure, &msg->result, s->state == L2V_L2TP_SESSION_ESTABLISHED);
    (void)step(s, L2V_L2TP_SESSION_RX_CDN, &arg);
}

static void take_call_message(struct l2v_l2tp_session *s, const struct l2v_l2tp_msg *msg)
{
    struct l2v_l2tp_session_arg arg = {
        .msg = msg, .result = L2V_CDN_GENERAL, .error = L2V_ERROR_VALUE};
    char text[160] = "message at the wrong time";
    enum l2v_l2tp_session_event event = L2V_L2TP_SESSION_RX_BAD;
    if (msg->verdict != L2V_L2TP_FINE) {
        l2v_l2tp_msg_describe(msg, text, sizeof text);
        arg.error = l2v_l2tp_msg_error(msg);
    } else if (msg->type == L2V_L2TP_WEN || msg->type == L2V_L2TP_SLI) {
        return; /* rfc2661#6.13, #6.14 about a wire that our calls do not have */
    } else if (msg->type == L2V_L2TP_ICRP) {
        event = L2V_L2TP_SESSION_RX_ICRP;
    } else if (msg->type == L2V_L2TP_ICCN) {
        event = L2V_L2TP_SESSION_RX_ICCN;
    } /* else one of the outgoing call: not acceptable in an incoming one */
    arg.text = text;
    l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_PROTOCOL, text);
    (void)step(s, event, &arg);
}

void l2v_l2tp_session_input(struct l2v_l2tp_cc *cc, uint16_t session_id,
                            const struct l2v_l2tp_msg *msg)
{
    bool farewell = msg->type == L2V_L2TP_CDN;
    bool request = msg->type == L2V_L2TP_ICRQ || msg->type == L2V_L2TP_OCRQ;
    if (cc->state != L2V_L2TP_CC_ESTABLISHED) {
        if (!farewell) {
            l2v_l2tp_cc_fail(cc, L2V_STOP_FSM, 0, L2TPVOIP_ERR_PROTOCOL,
                             "a call came before the tunnel was established");
        }
        return;
    }
    struct l2v_l2tp_session *s =
        session_id != 0 && !request ? l2v_l2tp_find_session(cc->l2tp, cc->id, session_id) : NULL;
    if (s == NULL && farewell) {
        /* rfc2661#4.4.4 a CDN before our id was known names only its sender's */
        s = session_id == 0 ? find_by_peer_id(cc, msg->assigned_session_id) : NULL;
    }
    if (s == NULL) {
        take_stray(cc, msg);
    } else if (farewell) {
        take_cdn(s, msg);
    } else {
        take_call_message(s, msg);
    }
}

/* --- what the user calls --------------------------------------------------------------------- */

int l2v_l2tp_call(struct l2v_l2tp_cc *cc, struct l2v_l2tp_session **ret_session)
{
    struct l2v_l2tp_session_arg arg = {0};
    struct l2v_l2tp_session *s;
    if (cc->closed || cc->state != L2V_L2TP_CC_ESTABLISHED) {
        return L2TPVOIP_ERR_STATE;
    }
    int rc = create_session(cc, &lac_fsm, &s);
    if (rc != 0) {
        return rc;
    }
    s->call_serial = ++cc->l2tp->call_serial;
    (void)step(s, L2V_L2TP_SESSION_LOCAL_CALL, &arg);
    (void)step(s, L2V_L2TP_SESSION_TUNNEL_OPEN, &arg);
    if (arg.failure.code != 0) {
        l2v_l2tp_session_destroy(s);
        return arg.failure.code;
    }
    *ret_session = s;
    return 0;
}

void l2v_l2tp_session_close(struct l2v_l2tp_session *s, unsigned result)
{
    struct l2v_l2tp_session_arg arg = {.result = result != 0 ? result : L2V_CDN_ADMINISTRATIVE};
    (void)step(s, L2V_L2TP_SESSION_LOCAL_CLOSE, &arg);
}

void l2v_l2tp_session_timeout(struct l2v_l2tp_session *s)
{
    struct l2v_l2tp_session_arg arg = {.result = L2V_CDN_TIMEOUT};
    l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_TIMEOUT, "the peer did not answer the call");
    (void)step(s, L2V_L2TP_SESSION_LOCAL_CLOSE, &arg);
}

void l2v_l2tp_session_set_user(struct l2v_l2tp_session *s, void *user)
{
    s->user = user;
}

void *l2v_l2tp_session_get_user(const struct l2v_l2tp_session *s)
{
    return s->user;
}

struct l2v_l2tp_cc *l2v_l2tp_session_get_cc(const struct l2v_l2tp_session *s)
{
    return s->cc;
}

uint16_t l2v_l2tp_session_get_id(const struct l2v_l2tp_session *s)
{
    return s->id;
}
