/* SPDX-License-Identifier: MIT */
/* All timing policy of L2TP: retransmission, delayed acknowledgement, HELLO, set-up, linger. */
#include "l2tp_timers.h"

#include "l2tp_internal.h"

#define HELLO_MS 60000u /* rfc2661#6.5 recommended */
#define FIRST_MS 1000u  /* rfc2661#5.8 recommended */
#define CAP_MS 8000u    /* rfc2661#5.8 a cap MUST be no less */
#define TRIES 5u        /* rfc2661#5.8 recommended */
#define ACK_MAX_MS 100u
#define SETUP_CYCLES 2u /* a peer that acknowledges but never answers */

static uint64_t from_ms(uint32_t ms, uint32_t fallback)
{
    return (uint64_t)(ms != 0 ? ms : fallback) * L2V_NS_PER_MS;
}

void l2v_l2tp_timing_init(struct l2v_l2tp_timing *timing, const struct l2v_l2tp_config *config)
{
    timing->first_ns = from_ms(config->retransmit_ms, FIRST_MS);
    timing->cap_ns = from_ms(config->retransmit_cap_ms, CAP_MS);
    if (timing->cap_ns < CAP_MS * L2V_NS_PER_MS) {
        timing->cap_ns = CAP_MS * L2V_NS_PER_MS;
    }
    timing->tries = config->retransmit_tries != 0 ? config->retransmit_tries : TRIES;
    /* Well before the peer repeats, long enough to ride on the answer. */
    timing->ack_ns = timing->first_ns / 4;
    if (timing->ack_ns > ACK_MAX_MS * L2V_NS_PER_MS) {
        timing->ack_ns = ACK_MAX_MS * L2V_NS_PER_MS;
    }
    timing->hello_ns = from_ms(config->hello_interval_ms, HELLO_MS);
    timing->setup_ns = SETUP_CYCLES * l2v_l2tp_timing_cycle(timing);
}

uint64_t l2v_l2tp_timing_next(const struct l2v_l2tp_timing *timing, uint64_t interval_ns)
{
    uint64_t next = interval_ns * 2;
    if (next > timing->cap_ns) {
        next = interval_ns > timing->cap_ns ? interval_ns : timing->cap_ns;
    }
    return next;
}

uint64_t l2v_l2tp_timing_cycle(const struct l2v_l2tp_timing *timing)
{
    /* 1 + 2 + 4 + 8 + 8 + 8 = 31 s by default, as rfc2661#5.7 recommends */
    uint64_t sum = 0, interval = timing->first_ns;
    for (uint32_t i = 0; i <= timing->tries; i++) {
        sum += interval;
        interval = l2v_l2tp_timing_next(timing, interval);
    }
    return sum;
}

static void set_timer(struct l2v_l2tp *l2tp, struct l2v_timer *t, uint64_t expiry_ns)
{
    l2v_timer_set(&l2tp->env->timers, t, expiry_ns);
}

/* rfc2661#5.5 HELLO only after a time without any message, data or control, from the peer. The
 * timer is not moved by each packet: it looks back when it fires. */
static void fire_hello(void *arg)
{
    struct l2v_l2tp_cc *cc = arg;
    struct l2v_l2tp *l2tp = cc->l2tp;
    uint64_t now = l2tp->env->now_ns;
    uint64_t due = cc->last_input_ns + l2tp->timing.hello_ns;
    if (now < due) {
        set_timer(l2tp, &cc->hello, due);
        return;
    }
    set_timer(l2tp, &cc->hello, now + l2tp->timing.hello_ns);
    /* A message that awaits its acknowledgement probes just as well. */
    if (l2v_l2tp_channel_is_idle(&cc->channel)) {
        l2v_l2tp_cc_hello(cc);
    }
}

static void fire_cc_setup(void *arg)
{
    l2v_l2tp_cc_timeout(arg);
}

static void fire_linger(void *arg)
{
    l2v_l2tp_retire_cc(arg, false);
}

static void fire_session_setup(void *arg)
{
    l2v_l2tp_session_timeout(arg);
}

void l2v_l2tp_timers_cc_init(struct l2v_l2tp_cc *cc)
{
    l2v_timer_init(&cc->hello, "l2tp hello", fire_hello, cc);
    l2v_timer_init(&cc->setup, "l2tp setup", fire_cc_setup, cc);
    l2v_timer_init(&cc->linger, "l2tp linger", fire_linger, cc);
}

void l2v_l2tp_timers_cc_setup(struct l2v_l2tp_cc *cc)
{
    set_timer(cc->l2tp, &cc->setup, cc->l2tp->env->now_ns + cc->l2tp->timing.setup_ns);
}

void l2v_l2tp_timers_cc_established(struct l2v_l2tp_cc *cc)
{
    l2v_timer_cancel(&cc->l2tp->env->timers, &cc->setup);
    set_timer(cc->l2tp, &cc->hello, cc->last_input_ns + cc->l2tp->timing.hello_ns);
}

void l2v_l2tp_timers_cc_linger(struct l2v_l2tp_cc *cc)
{
    l2v_timer_cancel(&cc->l2tp->env->timers, &cc->setup);
    l2v_timer_cancel(&cc->l2tp->env->timers, &cc->hello);
    set_timer(cc->l2tp, &cc->linger,
              cc->l2tp->env->now_ns + l2v_l2tp_timing_cycle(&cc->l2tp->timing));
}

void l2v_l2tp_timers_cc_stop(struct l2v_l2tp_cc *cc)
{
    l2v_timer_cancel(&cc->l2tp->env->timers, &cc->setup);
    l2v_timer_cancel(&cc->l2tp->env->timers, &cc->hello);
    l2v_timer_cancel(&cc->l2tp->env->timers, &cc->linger);
}

void l2v_l2tp_timers_session_init(struct l2v_l2tp_session *s)
{
    l2v_timer_init(&s->setup, "l2tp call setup", fire_session_setup, s);
}

void l2v_l2tp_timers_session_setup(struct l2v_l2tp_session *s)
{
    set_timer(s->l2tp, &s->setup, s->l2tp->env->now_ns + s->l2tp->timing.setup_ns);
}

void l2v_l2tp_timers_session_stop(struct l2v_l2tp_session *s)
{
    l2v_timer_cancel(&s->l2tp->env->timers, &s->setup);
}
