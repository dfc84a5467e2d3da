/* SPDX-License-Identifier: MIT */
/* The reliable control channel of one tunnel: rfc2661#5.8 and appendix A. It numbers, sends,
 * repeats and acknowledges; what messages mean is no business of it. */
#ifndef L2V_L2TP_CHANNEL_H
#define L2V_L2TP_CHANNEL_H

#include "base_env.h"
#include "base_list.h"
#include "base_pkt.h"
#include "l2tp_wire.h"

#define L2V_L2TP_WINDOW_MAX 32u    /* out-of-order messages that we keep at most */
#define L2V_L2TP_WINDOW_DEFAULT 4u /* rfc2661#4.4.3 of a peer that does not say */
#define L2V_L2TP_PEER_WINDOW_MAX 64u
#define L2V_L2TP_QUEUE_MAX 512u /* messages that wait for a peer that does not acknowledge */

/* Timing of retransmission and acknowledgement; made by l2tp_timers.c. */
struct l2v_l2tp_timing {
    uint64_t first_ns;
    uint64_t cap_ns;
    uint64_t ack_ns; /* how long a ZLB waits for a message to ride on */
    uint32_t tries;
    uint64_t hello_ns;
    uint64_t setup_ns;
};

struct l2v_l2tp_out {
    struct l2v_list node;
    uint64_t sent_ns; /* first time */
    bool sent, resent;
    uint16_t ns;
    uint16_t session_id;
    uint16_t type;
    size_t len;
    uint8_t body[];
};

struct l2v_l2tp_stored {
    uint8_t *body;
    size_t len;
    uint16_t session_id;
};

struct l2v_l2tp_channel_ops {
    /* A whole L2TP message. Takes pkt. */
    void (*send)(void *user, struct l2v_pkt *pkt);
    /* The next message in order. May close the channel's owner, must not free it. */
    void (*deliver)(void *user, uint16_t session_id, const uint8_t *body, size_t len);
    void (*acked)(void *user, const struct l2v_l2tp_out *out);
    /* The front message was never acknowledged. True = go on trying (there are signs of life). */
    bool (*give_up)(void *user, const struct l2v_l2tp_out *front);
};

struct l2v_l2tp_channel {
    struct l2v_env *env;
    const struct l2v_l2tp_timing *timing;
    const struct l2v_l2tp_channel_ops *ops;
    void *user;
    uint16_t peer_tunnel_id; /* 0 = not known yet */
    uint16_t ns;             /* of the next message queued */
    uint16_t nr;             /* expected from the peer */
    uint16_t una;            /* oldest one of ours that is not acknowledged */
    uint16_t high;           /* one past the highest ever sent */
    bool stopped;
    uint32_t queued;
    uint32_t in_flight; /* since the last loss */
    uint32_t cwnd, cwnd_part, ssthresh, peer_window;
    uint32_t window; /* ours */
    uint32_t tries;
    uint64_t interval_ns;
    struct l2v_list out;
    struct l2v_list *next_send; /* &out = none waits */
    struct l2v_timer retransmit, ack;
    struct l2v_l2tp_stored stored[L2V_L2TP_WINDOW_MAX];
    uint64_t n_retransmitted, n_duplicates, n_out_of_order;
};

void l2v_l2tp_channel_init(struct l2v_l2tp_channel *ch, struct l2v_env *env,
                           const struct l2v_l2tp_timing *timing, uint32_t window,
                           const struct l2v_l2tp_channel_ops *ops, void *user);
void l2v_l2tp_channel_clear(struct l2v_l2tp_channel *ch);
/* Back to Ns = Nr = 0 with nothing queued (tie lost). */
void l2v_l2tp_channel_reset(struct l2v_l2tp_channel *ch);
/* Sends and expects nothing any more; timers are off. */
void l2v_l2tp_channel_stop(struct l2v_l2tp_channel *ch);
/* From the peer's Receive Window Size AVP. */
void l2v_l2tp_channel_set_peer_window(struct l2v_l2tp_channel *ch, uint32_t window);
/* Queues a message and sends what the window allows. 0, NOMEM, STATE, LIMIT. */
int l2v_l2tp_channel_send(struct l2v_l2tp_channel *ch, uint16_t type, uint16_t session_id,
                          const uint8_t *body, size_t len);
/* Before StopCCN: forgets what was queued but never sent (it has become pointless), and opens the
 * window as far as the peer's, so that the last word does not wait behind a lost one. */
void l2v_l2tp_channel_hurry(struct l2v_l2tp_channel *ch);
/* A control message for this tunnel; len 0 = ZLB. */
void l2v_l2tp_channel_input(struct l2v_l2tp_channel *ch, const struct l2v_l2tp_header *h,
                            const uint8_t *body, size_t len);
static inline bool l2v_l2tp_channel_is_idle(const struct l2v_l2tp_channel *ch)
{
    return ch->queued == 0;
}

#endif
