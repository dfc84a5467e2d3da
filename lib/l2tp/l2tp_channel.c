/* SPDX-License-Identifier: MIT */
/* The reliable control channel: sliding windows from both sides, slow start and congestion
 * avoidance, retransmission with backoff, in-order delivery, delayed acknowledgement. */
#include "l2tp_channel.h"

#include <string.h>

#include <l2tpvoip/error.h>

#include "l2tp_const.h"
#include "l2tp_timers.h"

/* rfc2661#5.8 numbers compare modulo 65536, half of them behind. */
static int compare_ns(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

static struct l2v_l2tp_out *out_of(struct l2v_list *node)
{
    return L2V_CONTAINER_OF(node, struct l2v_l2tp_out, node);
}

static void set_retransmit(struct l2v_l2tp_channel *ch)
{
    l2v_timer_set(&ch->env->timers, &ch->retransmit, ch->env->now_ns + ch->interval_ns);
}

/* Any message that leaves acknowledges. */
static void send_packet(struct l2v_l2tp_channel *ch, uint16_t session_id, uint16_t ns,
                        const uint8_t *body, size_t len)
{
    struct l2v_pkt *pkt = l2v_pkt_new(ch->env, L2V_L2TP_CONTROL_HEADER + len);
    uint8_t *p = pkt != NULL ? l2v_pkt_put(pkt, L2V_L2TP_CONTROL_HEADER + len) : NULL;
    if (p == NULL) {
        l2v_pkt_free(pkt); /* as if lost on the way: the timer or the peer repeats */
        return;
    }
    l2v_l2tp_header_put_control(p, ch->peer_tunnel_id, session_id, ns, ch->nr, len);
    if (len > 0) {
        memcpy(p + L2V_L2TP_CONTROL_HEADER, body, len);
    }
    l2v_timer_cancel(&ch->env->timers, &ch->ack);
    ch->ops->send(ch->user, pkt);
}

/* rfc2661#5.8 a ZLB takes no sequence number */
static void send_zlb(struct l2v_l2tp_channel *ch)
{
    if (!ch->stopped) {
        send_packet(ch, 0, ch->high, NULL, 0);
    }
}

static void fire_ack(void *arg)
{
    send_zlb(arg);
}

static void send_out(struct l2v_l2tp_channel *ch, struct l2v_l2tp_out *out)
{
    if (!out->sent) {
        out->sent = true;
        out->sent_ns = ch->env->now_ns;
    } else {
        out->resent = true;
        ch->n_retransmitted++;
    }
    if (compare_ns(out->ns, ch->high) >= 0) {
        ch->high = (uint16_t)(out->ns + 1);
    }
    send_packet(ch, out->session_id, out->ns, out->body, out->len);
}

static void fill_window(struct l2v_l2tp_channel *ch)
{
    uint32_t limit = ch->cwnd < ch->peer_window ? ch->cwnd : ch->peer_window;
    while (!ch->stopped && ch->next_send != &ch->out && ch->in_flight < limit) {
        struct l2v_l2tp_out *out = out_of(ch->next_send);
        ch->next_send = ch->next_send->next;
        ch->in_flight++;
        if (!l2v_timer_is_set(&ch->retransmit)) {
            set_retransmit(ch);
        }
        send_out(ch, out);
    }
}

static void fire_retransmit(void *arg)
{
    struct l2v_l2tp_channel *ch = arg;
    if (ch->stopped || l2v_list_is_empty(&ch->out)) {
        return;
    }
    struct l2v_l2tp_out *front = out_of(ch->out.next);
    if (ch->tries >= ch->timing->tries) {
        if (!ch->ops->give_up(ch->user, front)) {
            return;
        }
        ch->tries = 0;
    }
    ch->tries++;
    /* rfc2661#A a retransmission means congestion: half the window is the new threshold, and slow
     * start begins again. What was in flight beyond the front counts as not sent. */
    ch->ssthresh = ch->cwnd / 2 > 1 ? ch->cwnd / 2 : 1;
    ch->cwnd = 1;
    ch->cwnd_part = 0;
    ch->in_flight = 1;
    ch->next_send = front->node.next;
    ch->interval_ns = l2v_l2tp_timing_next(ch->timing, ch->interval_ns);
    set_retransmit(ch);
    send_out(ch, front);
}

void l2v_l2tp_channel_init(struct l2v_l2tp_channel *ch, struct l2v_env *env,
                           const struct l2v_l2tp_timing *timing, uint32_t window,
                           const struct l2v_l2tp_channel_ops *ops, void *user)
{
    memset(ch, 0, sizeof *ch);
    ch->env = env;
    ch->timing = timing;
    ch->ops = ops;
    ch->user = user;
    ch->window = window < 1 ? 1 : window > L2V_L2TP_WINDOW_MAX ? L2V_L2TP_WINDOW_MAX : window;
    l2v_list_init(&ch->out);
    ch->next_send = &ch->out;
    l2v_timer_init(&ch->retransmit, "l2tp retransmit", fire_retransmit, ch);
    l2v_timer_init(&ch->ack, "l2tp ack", fire_ack, ch);
    l2v_l2tp_channel_reset(ch);
}

static void drop_stored(struct l2v_l2tp_channel *ch, struct l2v_l2tp_stored *st)
{
    l2v_free_secret(ch->env, st->body, st->len);
    memset(st, 0, sizeof *st);
}

static void drop_out(struct l2v_l2tp_channel *ch, struct l2v_l2tp_out *out)
{
    if (ch->next_send == &out->node) {
        ch->next_send = out->node.next;
    }
    l2v_list_remove(&out->node);
    ch->queued--;
    l2v_free_secret(ch->env, out, sizeof *out + out->len);
}

void l2v_l2tp_channel_reset(struct l2v_l2tp_channel *ch)
{
    l2v_timer_cancel(&ch->env->timers, &ch->retransmit);
    l2v_timer_cancel(&ch->env->timers, &ch->ack);
    while (!l2v_list_is_empty(&ch->out)) {
        drop_out(ch, out_of(ch->out.next));
    }
    for (size_t i = 0; i < L2V_L2TP_WINDOW_MAX; i++) {
        drop_stored(ch, &ch->stored[i]);
    }
    ch->ns = ch->nr = ch->una = ch->high = 0;
    ch->in_flight = 0;
    ch->cwnd = 1; /* rfc2661#A */
    ch->cwnd_part = 0;
    ch->ssthresh = ch->peer_window = L2V_L2TP_WINDOW_DEFAULT;
    ch->tries = 0;
    ch->interval_ns = ch->timing->first_ns;
}

void l2v_l2tp_channel_stop(struct l2v_l2tp_channel *ch)
{
    ch->stopped = true;
    l2v_timer_cancel(&ch->env->timers, &ch->retransmit);
    l2v_timer_cancel(&ch->env->timers, &ch->ack);
}

void l2v_l2tp_channel_clear(struct l2v_l2tp_channel *ch)
{
    l2v_l2tp_channel_reset(ch);
    ch->stopped = true;
}

void l2v_l2tp_channel_set_peer_window(struct l2v_l2tp_channel *ch, uint32_t window)
{
    ch->peer_window = window < 1                          ? 1
                      : window > L2V_L2TP_PEER_WINDOW_MAX ? L2V_L2TP_PEER_WINDOW_MAX
                                                          : window;
    ch->ssthresh = ch->peer_window;
    fill_window(ch);
}

int l2v_l2tp_channel_send(struct l2v_l2tp_channel *ch, uint16_t type, uint16_t session_id,
                          const uint8_t *body, size_t len)
{
    if (ch->stopped) {
        return L2TPVOIP_ERR_STATE;
    }
    if (ch->queued >= 2 * L2V_L2TP_QUEUE_MAX) {
        return L2TPVOIP_ERR_LIMIT;
    }
    struct l2v_l2tp_out *out = l2v_calloc(ch->env, 1, sizeof *out + len);
    if (out == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    out->type = type;
    out->session_id = session_id;
    out->ns = ch->ns++;
    out->len = len;
    memcpy(out->body, body, len);
    l2v_list_append(&ch->out, &out->node);
    if (ch->next_send == &ch->out) {
        ch->next_send = &out->node;
    }
    ch->queued++;
    fill_window(ch);
    return 0;
}

void l2v_l2tp_channel_hurry(struct l2v_l2tp_channel *ch)
{
    while (!l2v_list_is_empty(&ch->out)) {
        struct l2v_l2tp_out *last = out_of(ch->out.prev);
        if (compare_ns(last->ns, ch->high) < 0) {
            break;
        }
        drop_out(ch, last);
    }
    ch->ns = ch->high;
    ch->cwnd = ch->peer_window;
}

/* rfc2661#A one step per acknowledgement that acknowledges something new */
static void grow_window(struct l2v_l2tp_channel *ch)
{
    if (ch->cwnd < ch->ssthresh) {
        ch->cwnd++;
    } else if (++ch->cwnd_part >= ch->cwnd) {
        ch->cwnd_part = 0;
        ch->cwnd++;
    }
    if (ch->cwnd > ch->peer_window) {
        ch->cwnd = ch->peer_window;
        ch->cwnd_part = 0;
    }
}

static void take_ack(struct l2v_l2tp_channel *ch, uint16_t nr)
{
    /* Old, or an acknowledgement of what we never sent. */
    if (compare_ns(nr, ch->una) <= 0 || compare_ns(nr, ch->high) > 0) {
        return;
    }
    while (!l2v_list_is_empty(&ch->out) && out_of(ch->out.next)->ns != nr) {
        struct l2v_l2tp_out *out = out_of(ch->out.next);
        if (compare_ns(out->ns, nr) > 0) {
            break;
        }
        if (ch->in_flight > 0) {
            ch->in_flight--;
        }
        ch->ops->acked(ch->user, out);
        drop_out(ch, out);
    }
    ch->una = nr;
    ch->tries = 0;
    ch->interval_ns = ch->timing->first_ns;
    grow_window(ch);
    if (ch->in_flight > 0) {
        set_retransmit(ch);
    } else {
        l2v_timer_cancel(&ch->env->timers, &ch->retransmit);
    }
    fill_window(ch);
}

static void accept_message(struct l2v_l2tp_channel *ch, uint16_t session_id, const uint8_t *body,
                           size_t len)
{
    ch->nr++;
    if (!l2v_timer_is_set(&ch->ack)) {
        l2v_timer_set(&ch->env->timers, &ch->ack, ch->env->now_ns + ch->timing->ack_ns);
    }
    ch->ops->deliver(ch->user, session_id, body, len);
}

static void store_message(struct l2v_l2tp_channel *ch, const struct l2v_l2tp_header *h,
                          const uint8_t *body, size_t len)
{
    struct l2v_l2tp_stored *st = &ch->stored[h->ns % L2V_L2TP_WINDOW_MAX];
    ch->n_out_of_order++;
    if (compare_ns(h->ns, ch->nr) >= (int)ch->window || st->body != NULL ||
        len > L2V_L2TP_STORE_MAX) {
        return; /* rfc2661#5.8 may be discarded, the peer repeats */
    }
    st->body = l2v_memdup(ch->env, body, len);
    st->len = st->body != NULL ? len : 0;
    st->session_id = h->session_id;
}

static void deliver_stored(struct l2v_l2tp_channel *ch)
{
    while (!ch->stopped) {
        struct l2v_l2tp_stored *slot = &ch->stored[ch->nr % L2V_L2TP_WINDOW_MAX];
        if (slot->body == NULL) {
            return;
        }
        struct l2v_l2tp_stored st = *slot;
        memset(slot, 0, sizeof *slot);
        accept_message(ch, st.session_id, st.body, st.len);
        drop_stored(ch, &st);
    }
}

void l2v_l2tp_channel_input(struct l2v_l2tp_channel *ch, const struct l2v_l2tp_header *h,
                            const uint8_t *body, size_t len)
{
    if (ch->stopped) {
        return;
    }
    take_ack(ch, h->nr);
    if (len == 0) {
        return;
    }
    int ahead = compare_ns(h->ns, ch->nr);
    if (ahead < 0) {
        ch->n_duplicates++;
        send_zlb(ch); /* rfc2661#5.8 duplicates MUST be acknowledged: our ZLB may be lost */
    } else if (ahead > 0) {
        store_message(ch, h, body, len);
        send_zlb(ch);
    } else if (ch->queued < L2V_L2TP_QUEUE_MAX) {
        /* A peer that asks and asks and never acknowledges gets no more answers. */
        accept_message(ch, h->session_id, body, len);
        deliver_stored(ch);
    }
}
