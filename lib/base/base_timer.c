/* SPDX-License-Identifier: MIT */
/* Timers: a pairing heap over the timers themselves.
 *
 * A node in the heap: child = first child, next = right sibling, prev = left sibling, or the parent
 * for a first child, or NULL for the root. What is due moves into a list (prev, next) before the
 * first one fires, so that nothing set during the run fires in it; child == itself marks it. */
#include "base_timer.h"

#include <stddef.h>

static struct l2v_timer *meld(struct l2v_timer *a, struct l2v_timer *b)
{
    if (a == NULL) {
        return b;
    }
    if (b == NULL) {
        return a;
    }
    if (b->expiry_ns < a->expiry_ns) {
        struct l2v_timer *swap = a;
        a = b;
        b = swap;
    }
    b->prev = a;
    b->next = a->child;
    if (b->next != NULL) {
        b->next->prev = b;
    }
    a->child = b;
    a->next = a->prev = NULL;
    return a;
}

/* Melds a row of siblings into one tree, in two passes. */
static struct l2v_timer *meld_siblings(struct l2v_timer *first)
{
    struct l2v_timer *pairs = NULL, *root = NULL;
    while (first != NULL) {
        struct l2v_timer *a = first, *b = first->next;
        first = b != NULL ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b != NULL) {
            b->next = b->prev = NULL;
        }
        a = meld(a, b);
        a->next = pairs; /* a stack, so that the second pass runs from right to left */
        pairs = a;
    }
    while (pairs != NULL) {
        struct l2v_timer *a = pairs;
        pairs = a->next;
        a->next = NULL;
        root = meld(root, a);
    }
    return root;
}

static int is_due(const struct l2v_timer *t)
{
    return t->child == t;
}

static void unlink_due(struct l2v_timers *ts, struct l2v_timer *t)
{
    if (t->prev != NULL) {
        t->prev->next = t->next;
    } else {
        ts->due = t->next;
    }
    if (t->next != NULL) {
        t->next->prev = t->prev;
    }
}

static void unlink_heap(struct l2v_timers *ts, struct l2v_timer *t)
{
    struct l2v_timer *rest = meld_siblings(t->child);
    if (ts->root == t) {
        ts->root = rest;
        return;
    }
    if (t->prev == NULL) {
        return; /* zeroed, never set */
    }
    if (t->prev->child == t) {
        t->prev->child = t->next;
    } else {
        t->prev->next = t->next;
    }
    if (t->next != NULL) {
        t->next->prev = t->prev;
    }
    ts->root = meld(ts->root, rest);
}

void l2v_timer_init(struct l2v_timer *t, const char *name, void (*fire)(void *arg), void *arg)
{
    t->expiry_ns = UINT64_MAX;
    t->child = t->next = t->prev = NULL;
    t->fire = fire;
    t->arg = arg;
    t->name = name;
}

void l2v_timer_cancel(struct l2v_timers *ts, struct l2v_timer *t)
{
    if (t->expiry_ns == UINT64_MAX) {
        return;
    }
    if (is_due(t)) {
        unlink_due(ts, t);
    } else {
        unlink_heap(ts, t);
    }
    t->expiry_ns = UINT64_MAX;
    t->child = t->next = t->prev = NULL;
}

void l2v_timer_set(struct l2v_timers *ts, struct l2v_timer *t, uint64_t expiry_ns)
{
    if (expiry_ns == t->expiry_ns && !is_due(t) && (t == ts->root || t->prev != NULL)) {
        return;
    }
    l2v_timer_cancel(ts, t);
    if (expiry_ns == UINT64_MAX) {
        return;
    }
    t->expiry_ns = expiry_ns;
    ts->root = meld(ts->root, t);
}

uint64_t l2v_timers_next(const struct l2v_timers *ts)
{
    if (ts->due != NULL) {
        return ts->due->expiry_ns;
    }
    return ts->root != NULL ? ts->root->expiry_ns : UINT64_MAX;
}

void l2v_timers_run(struct l2v_timers *ts, uint64_t now_ns)
{
    struct l2v_timer *tail = NULL, *t;
    if (ts->due != NULL) {
        return; /* called by a timer */
    }
    while ((t = ts->root) != NULL && t->expiry_ns <= now_ns) {
        ts->root = meld_siblings(t->child);
        t->child = t;
        t->next = NULL;
        t->prev = tail;
        if (tail != NULL) {
            tail->next = t;
        } else {
            ts->due = t;
        }
        tail = t;
    }
    while ((t = ts->due) != NULL) {
        l2v_timer_cancel(ts, t);
        t->fire(t->arg);
    }
}
