/* SPDX-License-Identifier: MIT */
/* Control protocols: packets in (RFC 1661 §5), actions of the automaton out (§4.4). */
#include <stdio.h>
#include <string.h>

#include "ppp_link.h"

#define SCRATCH 512u

/* --- actions, rfc1661#4.4 ----------------------------------------------------------------------
 */

static void this_layer_up(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    cp->naks_in = cp->naks_out = cp->repeats = 0;
    cp->proto->up(cp->ppp);
}

static void this_layer_down(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    cp->proto->down(cp->ppp);
}

static void this_layer_started(void *obj)
{
    (void)obj; /* the lower layer is there as long as the link is */
}

static void this_layer_finished(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    l2v_timer_cancel(&cp->ppp->env->timers, &cp->restart);
    cp->proto->finished(cp->ppp);
}

static void init_restart_count(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    cp->attempt = 0;
    cp->restart_count = cp->state == L2V_PPP_CLOSING || cp->state == L2V_PPP_STOPPING
                            ? cp->ppp->config.max_terminate
                            : cp->ppp->config.max_configure;
}

static void zero_restart_count(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    cp->restart_count = 0;
    l2v_ppp_timers_set_linger(cp);
}

static void count_down(struct l2v_ppp_cp *cp)
{
    if (cp->restart_count > 0) {
        cp->restart_count--;
    }
    l2v_ppp_timers_set_restart(cp);
    cp->attempt++;
}

static void send_configure_request(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    uint8_t buf[L2V_PPP_REQUEST_MAX];
    size_t len = l2v_ppp_option_write(cp, buf, sizeof(buf));
    bool same =
        !cp->answered && cp->conf_id != 0 && len == cp->sent_len && memcmp(buf, cp->sent, len) == 0;
    if (same) { /* rfc1661#5.1: a repetition may keep its identifier */
        cp->sent_ns = 0;
    } else {
        if (++cp->next_id == 0) {
            cp->next_id = 1;
        }
        cp->conf_id = cp->next_id;
        cp->answered = false;
        cp->sent_ns = cp->ppp->env->now_ns;
        memcpy(cp->sent, buf, len);
        cp->sent_len = len;
    }
    count_down(cp);
    l2v_ppp_cp_send(cp, L2V_PPP_CONF_REQ, cp->conf_id, cp->sent, cp->sent_len);
}

static void send_configure_ack(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    cp->naks_out = cp->repeats = 0;
    cp->has_acked = cp->reply_len <= sizeof(cp->acked);
    if (cp->has_acked) {
        memcpy(cp->acked, cp->reply, cp->reply_len);
        cp->acked_len = cp->reply_len;
        cp->acked_id = cp->rx_id;
    }
    l2v_ppp_cp_send(cp, cp->reply_code, cp->rx_id, cp->reply, cp->reply_len);
}

static void send_configure_nak(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    l2v_ppp_cp_send(cp, cp->reply_code, cp->rx_id, cp->reply, cp->reply_len);
}

static void send_terminate_request(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    count_down(cp);
    l2v_ppp_cp_send(cp, L2V_PPP_TERM_REQ, ++cp->next_id, NULL, 0);
}

static void send_terminate_ack(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    l2v_ppp_cp_send(cp, L2V_PPP_TERM_ACK, cp->rx_id, NULL, 0);
}

static size_t limit_to_mru(const struct l2v_ppp *ppp, size_t len)
{
    size_t room = ppp->lcpv.peer_mru - L2V_PPP_HEADER_LEN;
    return len < room ? len : room;
}

static void send_code_reject(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    if (l2v_rate_take(&cp->ppp->rejects, cp->ppp->env->now_ns)) {
        l2v_ppp_cp_send(cp, L2V_PPP_CODE_REJ, ++cp->next_id, cp->rx,
                        limit_to_mru(cp->ppp, cp->rx_len));
    }
}

static void send_echo_reply(void *obj)
{
    struct l2v_ppp_cp *cp = obj;
    struct l2v_ppp *ppp = cp->ppp;
    uint8_t magic[4];
    size_t len = limit_to_mru(ppp, cp->rx_len - L2V_PPP_HEADER_LEN);
    struct l2v_pkt *pkt;
    uint8_t *p;
    if (cp->rx_code != L2V_PPP_ECHO_REQ || len < sizeof(magic)) {
        return;
    }
    pkt = l2v_pkt_new(ppp->env, L2V_PPP_HEADER_LEN + len);
    p = pkt != NULL ? l2v_pkt_put(pkt, L2V_PPP_HEADER_LEN + len) : NULL;
    if (p == NULL) {
        l2v_pkt_free(pkt);
        return;
    }
    memcpy(p, cp->rx, L2V_PPP_HEADER_LEN + len);
    p[0] = L2V_PPP_ECHO_REP;
    l2v_put_u16(p + 2, (unsigned)(L2V_PPP_HEADER_LEN + len));
    l2v_put_u32(p + L2V_PPP_HEADER_LEN, ppp->lcpv.magic);
    l2v_ppp_transmit(ppp, cp->proto->protocol, pkt);
}

static const struct l2v_ppp_actions actions = {
    .tlu = this_layer_up,
    .tld = this_layer_down,
    .tls = this_layer_started,
    .tlf = this_layer_finished,
    .irc = init_restart_count,
    .zrc = zero_restart_count,
    .scr = send_configure_request,
    .sca = send_configure_ack,
    .scn = send_configure_nak,
    .str = send_terminate_request,
    .sta = send_terminate_ack,
    .scj = send_code_reject,
    .ser = send_echo_reply,
};

/* --- life ----------------------------------------------------------------------------------------
 */

static void fire_restart(void *arg)
{
    struct l2v_ppp_cp *cp = arg;
    if (!l2v_ppp_timers_postpone(cp)) {
        l2v_ppp_cp_event(cp, cp->restart_count > 0 ? L2V_PPP_TO_PLUS : L2V_PPP_TO_MINUS);
    }
}

void l2v_ppp_cp_init(struct l2v_ppp_cp *cp, struct l2v_ppp *ppp, const struct l2v_ppp_proto *proto)
{
    memset(cp, 0, sizeof(*cp));
    cp->ppp = ppp;
    cp->proto = proto;
    l2v_timer_init(&cp->restart, proto->name, fire_restart, cp);
}

void l2v_ppp_cp_clear(struct l2v_ppp_cp *cp)
{
    l2v_timer_cancel(&cp->ppp->env->timers, &cp->restart);
}

void l2v_ppp_cp_event(struct l2v_ppp_cp *cp, enum l2v_ppp_event event)
{
    struct l2v_env *env = cp->ppp->env;
    unsigned before = cp->state;
    if (l2v_ppp_fsm_step(&cp->state, event, &actions, cp) != 0) {
        return;
    }
    if (!l2v_ppp_fsm_has_timer(cp->state)) { /* rfc1661#4.1 */
        l2v_timer_cancel(&env->timers, &cp->restart);
    }
    if (L2V_LOG_ON(env, L2TPVOIP_LOG_DEBUG)) {
        l2v_log(env, L2TPVOIP_LOG_DEBUG, "ppp", "%s: %s in %s -> %s", cp->proto->name,
                l2v_ppp_fsm.events[event], l2v_ppp_fsm.states[before],
                l2v_ppp_fsm.states[cp->state]);
    }
}

void l2v_ppp_cp_send(struct l2v_ppp_cp *cp, uint8_t code, uint8_t id, const void *data, size_t len)
{
    struct l2v_pkt *pkt = l2v_pkt_new(cp->ppp->env, L2V_PPP_HEADER_LEN + len);
    uint8_t *p = pkt != NULL ? l2v_pkt_put(pkt, L2V_PPP_HEADER_LEN + len) : NULL;
    struct l2v_writer w;
    if (p == NULL) { /* as if it were lost: the restart timer repeats it */
        l2v_pkt_free(pkt);
        return;
    }
    l2v_writer_init(&w, p, L2V_PPP_HEADER_LEN + len);
    l2v_write_u8(&w, code);
    l2v_write_u8(&w, id);
    l2v_write_u16(&w, (unsigned)(L2V_PPP_HEADER_LEN + len));
    l2v_write_bytes(&w, data, len);
    l2v_ppp_transmit(cp->ppp, cp->proto->protocol, pkt);
}

/* --- input, rfc1661#5
 * ------------------------------------------------------------------------------ */

static void give_up(struct l2v_ppp_cp *cp)
{
    char text[128];
    snprintf(text, sizeof(text), "%s: the negotiation of options does not converge",
             cp->proto->name);
    if (cp == &cp->ppp->lcp) {
        l2v_ppp_fail(cp->ppp, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_NEGOTIATION, 0,
                     "Compare the PPP options of both ends.", text);
    } else {
        l2v_ppp_set_fail(cp->ppp, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_NEGOTIATION, 0,
                         "Compare the PPP options of both ends.", text);
        l2v_ppp_cp_event(cp, L2V_PPP_RXJ_MINUS); /* ends this protocol alone */
    }
}

static bool is_hopeless(const struct l2v_ppp_cp *cp)
{
    uint32_t limit = 2 * cp->ppp->config.max_failure + 5;
    return cp->naks_in > limit || cp->naks_out > limit || cp->repeats > 2 * limit;
}

/* The very request that we acknowledged when we opened: our Ack was lost, or the network doubled
 * the packet. The peer that starts anew has a new identifier or magic number. Acknowledging again
 * instead of falling back to Ack-Sent spares a running call a renegotiation. */
static bool is_repetition(const struct l2v_ppp_cp *cp, const uint8_t *data, size_t len)
{
    return cp->state == L2V_PPP_OPENED && cp->has_acked && cp->acked_id == cp->rx_id &&
           cp->acked_len == len && memcmp(cp->acked, data, len) == 0;
}

static int input_configure_request(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len)
{
    uint8_t scratch[SCRATCH];
    bool good, malformed;
    if (cp->state == L2V_PPP_CLOSED || cp->state == L2V_PPP_CLOSING ||
        cp->state == L2V_PPP_STOPPING) {
        l2v_ppp_cp_event(cp, L2V_PPP_RCR_PLUS); /* not looked at: both events do the same */
        return 0;
    }
    if (is_repetition(cp, data, len)) {
        l2v_ppp_cp_send(cp, L2V_PPP_CONF_ACK, cp->rx_id, data, len);
        return 0;
    }
    good = l2v_ppp_option_judge(cp, data, len, scratch, sizeof(scratch), &malformed);
    if (malformed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (!good && cp->naks_out > 0 && cp->nak_id == cp->rx_id) {
        cp->repeats++; /* our refusal was lost: that is no reason to lose patience */
    } else if (!good) {
        cp->nak_id = cp->rx_id;
        cp->naks_out++;
    }
    l2v_ppp_cp_event(cp, good ? L2V_PPP_RCR_PLUS : L2V_PPP_RCR_MINUS);
    cp->reply = NULL;
    if (is_hopeless(cp)) {
        give_up(cp);
    }
    return 0;
}

/* rfc1661#5.2: an answer to anything but the last request is discarded. */
static bool is_answer(struct l2v_ppp_cp *cp)
{
    return cp->conf_id != 0 && cp->rx_id == cp->conf_id && !cp->answered;
}

static int input_configure_ack(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len)
{
    struct l2v_ppp *ppp = cp->ppp;
    if (cp->state >= L2V_PPP_REQ_SENT) {
        if (cp->rx_id != cp->conf_id || len != cp->sent_len || memcmp(data, cp->sent, len) != 0) {
            return 0;
        }
        if (cp->answered) {
            return 0; /* the network doubled it; not a crossed connection, rfc1661#4.3 */
        }
        if (cp->sent_ns != 0) {
            l2v_ppp_timers_sample(ppp, ppp->env->now_ns - cp->sent_ns);
        }
        cp->answered = true;
        cp->naks_in = 0;
    }
    l2v_ppp_cp_event(cp, L2V_PPP_RCA);
    return 0;
}

static int input_refusal(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len)
{
    if (cp->state >= L2V_PPP_REQ_SENT) {
        int r;
        if (!is_answer(cp)) {
            return 0;
        }
        r = l2v_ppp_option_refused(cp, cp->rx_code == L2V_PPP_CONF_REJ, data, len);
        if (r != 0) {
            return r;
        }
        cp->answered = true;
    }
    l2v_ppp_cp_event(cp, L2V_PPP_RCN);
    if (is_hopeless(cp)) {
        give_up(cp);
    }
    return 0;
}

static int input_terminate_request(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len)
{
    struct l2v_reader r;
    bool again;
    l2v_reader_init(&r, data, len);
    again = cp->proto->terminating != NULL && cp->proto->terminating(cp->ppp, &r);
    l2v_ppp_cp_event(cp, L2V_PPP_RTR);
    if (again) {
        l2v_ppp_lcp_restart(cp->ppp);
    }
    return 0;
}

static int input_terminate_ack(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len)
{
    (void)data;
    (void)len;
    l2v_ppp_cp_event(cp, L2V_PPP_RTA);
    return 0;
}

static int input_code_reject(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len)
{
    struct l2v_reader r;
    uint8_t code;
    l2v_reader_init(&r, data, len);
    code = l2v_read_u8(&r);
    if (r.failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (code == L2V_PPP_ECHO_REQ && cp == &cp->ppp->lcp) {
        cp->ppp->echo.off = true;
        l2v_ppp_timers_stop_echo(cp->ppp);
    }
    /* rfc1661#5.6: without codes 1 to 7 nothing works */
    l2v_ppp_cp_event(cp, code >= L2V_PPP_CONF_REQ && code <= L2V_PPP_CODE_REJ ? L2V_PPP_RXJ_MINUS
                                                                              : L2V_PPP_RXJ_PLUS);
    return 0;
}

static int (*const handlers[])(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len) = {
    [L2V_PPP_CONF_REQ] = input_configure_request, [L2V_PPP_CONF_ACK] = input_configure_ack,
    [L2V_PPP_CONF_NAK] = input_refusal,           [L2V_PPP_CONF_REJ] = input_refusal,
    [L2V_PPP_TERM_REQ] = input_terminate_request, [L2V_PPP_TERM_ACK] = input_terminate_ack,
    [L2V_PPP_CODE_REJ] = input_code_reject,
};

int l2v_ppp_cp_input(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len)
{
    struct l2v_reader r, body;
    uint16_t total;
    int ret = 0;
    l2v_reader_init(&r, data, len);
    cp->rx_code = l2v_read_u8(&r);
    cp->rx_id = l2v_read_u8(&r);
    total = l2v_read_u16(&r);
    if (r.failed || total < L2V_PPP_HEADER_LEN) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    body = l2v_read_sub(&r, total - L2V_PPP_HEADER_LEN); /* the rest is padding, rfc1661#2 */
    if (body.failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (cp->state <= L2V_PPP_STARTING) {
        return 0; /* rfc1661#4.2: packets are discarded */
    }
    cp->heard = true;
    cp->rx = data;
    cp->rx_len = total;
    if (cp->rx_code < sizeof(handlers) / sizeof(handlers[0]) && handlers[cp->rx_code] != NULL) {
        ret = handlers[cp->rx_code](cp, body.pos, l2v_reader_left(&body));
    } else if (cp->proto->extra == NULL ||
               !cp->proto->extra(cp->ppp, cp->rx_code, cp->rx_id, &body)) {
        l2v_ppp_cp_event(cp, L2V_PPP_RUC);
    }
    cp->rx = NULL;
    cp->rx_len = 0;
    return ret;
}
