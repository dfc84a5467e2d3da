/* SPDX-License-Identifier: MIT */
/* All timing policy of PPP. */
#ifndef L2V_PPP_TIMERS_H
#define L2V_PPP_TIMERS_H

#include "ppp_cp.h"

/* rfc1661#4.6 */
#define L2V_PPP_RESTART_MS 3000u
#define L2V_PPP_MAX_CONFIGURE 10u
#define L2V_PPP_MAX_TERMINATE 2u
#define L2V_PPP_MAX_FAILURE 5u

struct l2v_ppp_echo {
    struct l2v_timer timer;
    uint64_t sent_ns; /* of the request that is out; 0 = none is */
    uint64_t rtt_ns;
    uint32_t misses;
    uint8_t id;
    bool heard; /* anything since the last tick */
    bool off;   /* the peer rejects echo requests */
};

void l2v_ppp_timers_init(struct l2v_ppp *ppp);
void l2v_ppp_timers_clear(struct l2v_ppp *ppp);
/* Before the attempt-th (0…) retransmission. */
uint64_t l2v_ppp_timers_wait(struct l2v_ppp *ppp, uint32_t attempt);
void l2v_ppp_timers_set_restart(struct l2v_ppp_cp *cp);
/* The restart timer went off too early for the state of cp: it was set again. */
bool l2v_ppp_timers_postpone(struct l2v_ppp_cp *cp);
/* After a Terminate-Request of the peer: how long it may still repeat it. */
void l2v_ppp_timers_set_linger(struct l2v_ppp_cp *cp);
void l2v_ppp_timers_sample(struct l2v_ppp *ppp, uint64_t rtt_ns);
void l2v_ppp_timers_start_echo(struct l2v_ppp *ppp);
void l2v_ppp_timers_stop_echo(struct l2v_ppp *ppp);
void l2v_ppp_timers_send_echo(struct l2v_ppp *ppp);
void l2v_ppp_timers_echo_reply(struct l2v_ppp *ppp, uint8_t id);
/* Authentication: start the whole phase's deadline, the next repetition, or stop both. */
void l2v_ppp_timers_auth_deadline(struct l2v_ppp *ppp);
void l2v_ppp_timers_auth_repeat(struct l2v_ppp *ppp);
void l2v_ppp_timers_auth_stop(struct l2v_ppp *ppp);

#endif
