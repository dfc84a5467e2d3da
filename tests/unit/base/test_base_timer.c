/* SPDX-License-Identifier: MIT */
/* Timers: order against a plain array as the model, and what firing may do. */
#include "test_base.h"

#define N 200

struct model {
    struct l2v_timers ts;
    struct l2v_timer timers[N];
    uint64_t want[N]; /* UINT64_MAX = not set */
    uint64_t last;    /* expiry of the last that fired */
    int fired[N];
    uint64_t seed;
};

struct slot {
    struct model *m;
    int i;
};

static void on_fire(void *arg)
{
    struct slot *s = (struct slot *)arg;
    struct model *m = s->m;
    test_must(!l2v_timer_is_set(&m->timers[s->i]));
    test_must(m->want[s->i] != UINT64_MAX);
    test_must(m->want[s->i] >= m->last);
    m->last = m->want[s->i];
    m->want[s->i] = UINT64_MAX;
    m->fired[s->i]++;
}

static uint64_t model_next(const struct model *m)
{
    uint64_t next = UINT64_MAX;
    for (int i = 0; i < N; i++) {
        next = m->want[i] < next ? m->want[i] : next;
    }
    return next;
}

START_TEST(order_against_model)
{
    static struct model m;
    static struct slot slots[N];
    uint64_t now = 0;
    memset(&m, 0, sizeof m);
    m.seed = (uint64_t)_i + 1;
    for (int i = 0; i < N; i++) {
        slots[i].m = &m;
        slots[i].i = i;
        m.want[i] = UINT64_MAX;
        l2v_timer_init(&m.timers[i], "test", on_fire, &slots[i]);
    }
    for (int step = 0; step < 20000; step++) {
        uint64_t r = test_random64(&m.seed);
        int i = (int)(r % N);
        switch ((r >> 20) % 8) {
        case 0:
            l2v_timer_cancel(&m.ts, &m.timers[i]);
            m.want[i] = UINT64_MAX;
            break;
        case 1:
            l2v_timer_set(&m.ts, &m.timers[i], UINT64_MAX);
            m.want[i] = UINT64_MAX;
            break;
        case 2:
            now += (r >> 32) % 50;
            m.last = 0;
            memset(m.fired, 0, sizeof m.fired);
            l2v_timers_run(&m.ts, now);
            for (int k = 0; k < N; k++) {
                test_must(m.fired[k] <= 1);
                test_must(m.want[k] > now);
            }
            break;
        default:
            m.want[i] = now + (r >> 32) % 300;
            l2v_timer_set(&m.ts, &m.timers[i], m.want[i]);
            break;
        }
        test_must(l2v_timers_next(&m.ts) == model_next(&m));
        test_must(l2v_timer_is_set(&m.timers[i]) == (m.want[i] != UINT64_MAX));
    }
}
END_TEST

/* --- what firing may do ------------------------------------------------------------------------
 */

struct rearm {
    struct l2v_timers *ts;
    struct l2v_timer *t;
    int n;
};

static void fire_rearm(void *arg)
{
    struct rearm *r = (struct rearm *)arg;
    r->n++;
    l2v_timer_set(r->ts, r->t, 1); /* long past */
}

START_TEST(once_per_run)
{
    struct l2v_timers ts = {0};
    struct l2v_timer a, b;
    struct rearm ra = {&ts, &a, 0}, rb = {&ts, &a, 0}; /* b sets a again */
    l2v_timer_init(&a, "a", fire_rearm, &ra);
    l2v_timer_init(&b, "b", fire_rearm, &rb);
    l2v_timer_set(&ts, &a, 5);
    l2v_timer_set(&ts, &b, 6);
    l2v_timers_run(&ts, 10);
    ck_assert_int_eq(ra.n, 1);
    ck_assert_int_eq(rb.n, 1);
    ck_assert_uint_eq(l2v_timers_next(&ts), 1);
    l2v_timers_run(&ts, 10);
    ck_assert_int_eq(ra.n, 2);
    ck_assert_int_eq(rb.n, 1);
}
END_TEST

/* A due timer that an earlier one moves does not fire at its old time. */
START_TEST(moved_by_another)
{
    struct l2v_timers ts = {0};
    struct l2v_timer a, b;
    struct rearm ra = {&ts, &b, 0}, rb = {&ts, &b, 0};
    l2v_timer_init(&a, "a", fire_rearm, &ra);
    l2v_timer_init(&b, "b", fire_rearm, &rb);
    l2v_timer_set(&ts, &a, 5);
    l2v_timer_set(&ts, &b, 6);
    l2v_timers_run(&ts, 10);
    ck_assert_int_eq(ra.n, 1);
    ck_assert_int_eq(rb.n, 0); /* a moved it to the next call */
    l2v_timers_run(&ts, 10);
    ck_assert_int_eq(rb.n, 1);
}
END_TEST

struct victim {
    struct l2v_timer timer;
    struct l2v_timers *ts;
    struct victim **all;
    uint64_t *seed;
    int n;
    int *fired;
};

/* Frees itself and some others, due or not. */
static void fire_kill(void *arg)
{
    struct victim *v = (struct victim *)arg;
    struct victim **all = v->all;
    uint64_t *seed = v->seed;
    struct l2v_timers *ts = v->ts;
    int n = v->n, me = -1;
    (*v->fired)++;
    for (int i = 0; i < n; i++) {
        me = all[i] == v ? i : me;
    }
    for (int k = 0; k < 3; k++) {
        int i = k == 0 ? me : (int)(test_random64(seed) % (uint64_t)n);
        if (all[i] != NULL) {
            l2v_timer_cancel(ts, &all[i]->timer);
            free(all[i]);
            all[i] = NULL;
        }
    }
}

START_TEST(firing_may_free)
{
    enum { COUNT = 100 };
    struct l2v_timers ts = {0};
    struct victim *all[COUNT];
    uint64_t seed = (uint64_t)_i + 77;
    int fired = 0, left = 0;
    for (int i = 0; i < COUNT; i++) {
        all[i] = (struct victim *)calloc(1, sizeof *all[i]);
        ck_assert(all[i] != NULL);
        all[i]->ts = &ts;
        all[i]->all = all;
        all[i]->n = COUNT;
        all[i]->seed = &seed;
        all[i]->fired = &fired;
        l2v_timer_init(&all[i]->timer, "victim", fire_kill, all[i]);
        l2v_timer_set(&ts, &all[i]->timer, test_random64(&seed) % 100);
    }
    for (uint64_t now = 0; now <= 100; now += 25) {
        l2v_timers_run(&ts, now);
    }
    for (int i = 0; i < COUNT; i++) {
        left += all[i] != NULL;
    }
    ck_assert_int_eq(left, 0);
    ck_assert_int_gt(fired, COUNT / 3 - 1);
    ck_assert_uint_eq(l2v_timers_next(&ts), UINT64_MAX);
}
END_TEST

static void fire_nested(void *arg)
{
    struct rearm *r = (struct rearm *)arg;
    r->n++;
    l2v_timers_run(r->ts, 1000);
}

START_TEST(nested_run_does_not_fire)
{
    struct l2v_timers ts = {0};
    struct l2v_timer a, b;
    struct rearm ra = {&ts, NULL, 0}, rb = {&ts, NULL, 0};
    l2v_timer_init(&a, "a", fire_nested, &ra);
    l2v_timer_init(&b, "b", fire_nested, &rb);
    l2v_timer_set(&ts, &a, 5);
    l2v_timer_set(&ts, &b, 6);
    l2v_timers_run(&ts, 10);
    ck_assert_int_eq(ra.n, 1);
    ck_assert_int_eq(rb.n, 1);
}
END_TEST

START_TEST(zeroed_timer_is_harmless)
{
    struct l2v_timers ts = {0};
    struct l2v_timer a, zero;
    struct rearm ra = {&ts, &a, 0};
    memset(&zero, 0, sizeof zero);
    l2v_timer_init(&a, "a", fire_rearm, &ra);
    l2v_timer_set(&ts, &a, 5);
    l2v_timer_cancel(&ts, &zero);
    ck_assert_uint_eq(l2v_timers_next(&ts), 5);
    ck_assert(!l2v_timer_is_set(&zero));
}
END_TEST

TCase *test_base_timer(void)
{
    TCase *tc = tcase_create("timer");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, order_against_model, 0, 5);
    tcase_add_test(tc, once_per_run);
    tcase_add_test(tc, moved_by_another);
    tcase_add_loop_test(tc, firing_may_free, 0, 50);
    tcase_add_test(tc, nested_run_does_not_fire);
    tcase_add_test(tc, zeroed_timer_is_harmless);
    return tc;
}
