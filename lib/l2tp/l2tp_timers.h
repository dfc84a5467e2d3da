/* SPDX-License-Identifier: MIT */
/* All timing policy of L2TP. */
#ifndef L2V_L2TP_TIMERS_H
#define L2V_L2TP_TIMERS_H

#include "l2tp_channel.h"
#include "l2v_l2tp.h"

void l2v_l2tp_timing_init(struct l2v_l2tp_timing *timing, const struct l2v_l2tp_config *config);
/* The interval after this one. */
uint64_t l2v_l2tp_timing_next(const struct l2v_l2tp_timing *timing, uint64_t interval_ns);
/* A full retransmission cycle (rfc2661#5.7): how long a peer may repeat one message. */
uint64_t l2v_l2tp_timing_cycle(const struct l2v_l2tp_timing *timing);

void l2v_l2tp_timers_cc_init(struct l2v_l2tp_cc *cc);
void l2v_l2tp_timers_cc_setup(struct l2v_l2tp_cc *cc);       /* it begins */
void l2v_l2tp_timers_cc_established(struct l2v_l2tp_cc *cc); /* from now on HELLO */
void l2v_l2tp_timers_cc_linger(struct l2v_l2tp_cc *cc);      /* closed: only acknowledges */
void l2v_l2tp_timers_cc_stop(struct l2v_l2tp_cc *cc);
void l2v_l2tp_timers_session_init(struct l2v_l2tp_session *s);
void l2v_l2tp_timers_session_setup(struct l2v_l2tp_session *s);
void l2v_l2tp_timers_session_stop(struct l2v_l2tp_session *s);

#endif
