/* SPDX-License-Identifier: MIT */
/* Timers: an intrusive pairing heap, so that setting one cannot fail and costs no memory. */
#ifndef L2V_BASE_TIMER_H
#define L2V_BASE_TIMER_H

#include <stdint.h>

struct l2v_timer {
    uint64_t expiry_ns; /* UINT64_MAX = not set */
    struct l2v_timer *child, *next, *prev;
    void (*fire)(void *arg);
    void *arg;
    const char *name; /* for logs */
};

struct l2v_timers {
    struct l2v_timer *root;
    struct l2v_timer *due; /* during l2v_timers_run: what has yet to fire */
};

void l2v_timer_init(struct l2v_timer *t, const char *name, void (*fire)(void *arg), void *arg);
/* Sets or moves. UINT64_MAX cancels. */
void l2v_timer_set(struct l2v_timers *ts, struct l2v_timer *t, uint64_t expiry_ns);
void l2v_timer_cancel(struct l2v_timers *ts, struct l2v_timer *t);
static inline int l2v_timer_is_set(const struct l2v_timer *t)
{
    return t->expiry_ns != UINT64_MAX;
}
uint64_t l2v_timers_next(const struct l2v_timers *ts);
/* Fires what is due at now_ns, each at most once per call (a timer that sets itself to the past
 * again fires in the next call). A fired timer is no longer set. Firing may free any object. */
void l2v_timers_run(struct l2v_timers *ts, uint64_t now_ns);

#endif
