/* SPDX-License-Identifier: MIT */
/* Jobs, token bucket, state machines, lists, secrets. */
#include "base_fsm.h"
#include "base_job.h"
#include "base_rate.h"
#include "base_secure.h"
#include "test_base.h"

/* --- jobs --------------------------------------------------------------------------------------
 */

struct counts {
    int ready, run, done, freed;
    struct l2v_job *kill; /* done() cancels this */
};

static void on_ready(void *user)
{
    ((struct counts *)user)->ready++;
}

static void job_run(struct l2v_job *job)
{
    ((struct counts *)job->owner)->run++;
}

static void job_done(struct l2v_job *job)
{
    struct counts *c = (struct counts *)job->owner;
    c->done++;
    if (c->kill != NULL) {
        l2v_job_cancel(c->kill);
        c->kill = NULL;
    }
}

static void job_free(struct l2v_job *job)
{
    ((struct counts *)job->owner)->freed++;
    free(job);
}

static struct l2v_job *submit(struct l2v_jobs *jobs, struct counts *c)
{
    struct l2v_job *job = (struct l2v_job *)calloc(1, sizeof *job);
    ck_assert(job != NULL);
    job->run = job_run;
    job->done = job_done;
    job->free = job_free;
    job->owner = c;
    l2v_jobs_submit(jobs, job);
    return job;
}

static void check_counts(const struct counts *c, int ready, int run, int done, int freed)
{
    ck_assert_int_eq(c->ready, ready);
    ck_assert_int_eq(c->run, run);
    ck_assert_int_eq(c->done, done);
    ck_assert_int_eq(c->freed, freed);
}

START_TEST(jobs_run_in_order)
{
    struct l2v_jobs jobs;
    struct counts c = {0};
    struct l2v_job *a, *b;
    l2v_jobs_init(&jobs, NULL, on_ready, &c);
    ck_assert(!l2v_jobs_run_one(&jobs));
    a = submit(&jobs, &c);
    b = submit(&jobs, &c);
    check_counts(&c, 1, 0, 0, 0); /* ready once; never run at once */
    ck_assert(l2v_jobs_take(&jobs) == a);
    ck_assert_uint_eq(jobs.n_waiting, 1);
    ck_assert_uint_eq(jobs.n_running, 1);
    a->run(a);
    l2v_jobs_finish(a);
    check_counts(&c, 1, 1, 1, 1);
    ck_assert(l2v_jobs_take(&jobs) == b);
    ck_assert(l2v_jobs_take(&jobs) == NULL);
    l2v_jobs_finish(b);
    check_counts(&c, 1, 1, 2, 2);
    (void)submit(&jobs, &c);
    ck_assert(l2v_jobs_run_one(&jobs));
    check_counts(&c, 2, 2, 3, 3);
    ck_assert_uint_eq(jobs.n_waiting + jobs.n_running, 0);
}
END_TEST

START_TEST(jobs_cancel)
{
    struct l2v_jobs jobs;
    struct counts c = {0};
    struct l2v_job *a;
    l2v_jobs_init(&jobs, NULL, on_ready, &c);
    a = submit(&jobs, &c); /* waiting */
    l2v_job_cancel(a);
    check_counts(&c, 1, 0, 0, 1);
    ck_assert_uint_eq(jobs.n_waiting, 0);
    (void)submit(&jobs, &c); /* handed out */
    a = l2v_jobs_take(&jobs);
    l2v_job_cancel(a);
    l2v_job_cancel(a);
    check_counts(&c, 2, 0, 0, 1);
    a->run(a);
    l2v_jobs_finish(a);
    check_counts(&c, 2, 1, 0, 2);
    c.kill = submit(&jobs, &c); /* its own done() cancels it, as an owner does that dies there */
    ck_assert(l2v_jobs_run_one(&jobs));
    check_counts(&c, 3, 2, 1, 3);
    (void)submit(&jobs, &c);
    (void)submit(&jobs, &c);
    l2v_jobs_clear(&jobs);
    check_counts(&c, 4, 2, 1, 5);
    l2v_job_cancel(NULL);
}
END_TEST

/* --- rate --------------------------------------------------------------------------------------
 */

START_TEST(rate_bucket)
{
    struct l2v_rate r;
    int n = 0;
    l2v_rate_init(&r, 10, 3, 1000);
    for (int i = 0; i < 10; i++) {
        n += l2v_rate_take(&r, 1000);
    }
    ck_assert_int_eq(n, 3);
    ck_assert(!l2v_rate_take(&r, 1000 + 99 * L2V_NS_PER_MS));
    ck_assert(l2v_rate_take(&r, 1000 + 100 * L2V_NS_PER_MS));
    ck_assert(!l2v_rate_take(&r, 1000 + 199 * L2V_NS_PER_MS));
    ck_assert(l2v_rate_take(&r, 1000 + 200 * L2V_NS_PER_MS)); /* fractions are kept */
    n = 0;
    for (int i = 0; i < 10; i++) { /* a long rest earns one burst */
        n += l2v_rate_take(&r, 3600 * L2V_NS_PER_S);
    }
    ck_assert_int_eq(n, 3);
    ck_assert(!l2v_rate_take(&r, 0)); /* time never goes back; if it does: nothing earned */
    n = 0;
    for (uint64_t ms = 0; ms < 10000; ms++) {
        n += l2v_rate_take(&r, 3600 * L2V_NS_PER_S + ms * L2V_NS_PER_MS);
    }
    ck_assert_int_eq(n, 99);
    l2v_rate_init(&r, 0, 0, 0);
    for (int i = 0; i < 1000; i++) {
        ck_assert(l2v_rate_take(&r, 0));
    }
}
END_TEST

/* --- fsm ---------------------------------------------------------------------------------------
 */

enum { IDLE, OPEN };
enum { UP, DOWN, POKE };

struct machine {
    uint8_t state, seen;
    int acted;
};

static void act(void *obj, void *arg)
{
    struct machine *m = (struct machine *)obj;
    m->acted += *(int *)arg;
    m->seen = m->state;
}

START_TEST(fsm_steps)
{
    static const char *const states[] = {"Idle", "Open"}, *const events[] = {"Up", "Down", "Poke"};
    static const struct l2v_fsm_row rows[] = {
        {IDLE, UP, OPEN, act},
        {OPEN, DOWN, IDLE, NULL},
        {OPEN, POKE, L2V_FSM_SAME, act},
    };
    static const struct l2v_fsm fsm = {"test", states, events, rows, 3};
    struct machine m = {.state = IDLE};
    int one = 1;
    ck_assert_int_eq(l2v_fsm_step(&fsm, &m.state, DOWN, &m, &one), L2TPVOIP_ERR_STATE);
    ck_assert_uint_eq(m.state, IDLE);
    ck_assert_int_eq(l2v_fsm_step(&fsm, &m.state, UP, &m, &one), 0);
    ck_assert_uint_eq(m.seen, OPEN); /* the action sees the new state */
    ck_assert_int_eq(l2v_fsm_step(&fsm, &m.state, POKE, &m, &one), 0);
    ck_assert_uint_eq(m.state, OPEN);
    ck_assert_int_eq(l2v_fsm_step(&fsm, &m.state, DOWN, &m, &one), 0);
    ck_assert_uint_eq(m.state, IDLE);
    ck_assert_int_eq(m.acted, 2);
}
END_TEST

/* --- lists, secrets -----------------------------------------------------------------------------
 */

START_TEST(lists)
{
    struct l2v_list head, n[3];
    int count = 0;
    l2v_list_init(&head);
    ck_assert(l2v_list_is_empty(&head));
    for (int i = 0; i < 3; i++) {
        l2v_list_append(&head, &n[i]);
    }
    L2V_LIST_EACH(pos, &head)
    {
        ck_assert(pos == &n[count]);
        count++;
    }
    ck_assert_int_eq(count, 3);
    l2v_list_remove(&n[1]);
    l2v_list_remove(&n[1]);
    ck_assert(head.next == &n[0] && n[0].next == &n[2]);
    L2V_LIST_EACH_SAFE(pos, &head)
    {
        l2v_list_remove(pos);
    }
    ck_assert(l2v_list_is_empty(&head));
}
END_TEST

START_TEST(secrets)
{
    uint8_t a[40], b[40];
    memset(a, 7, sizeof a);
    memset(b, 7, sizeof b);
    ck_assert(l2v_equal_ct(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x80;
        ck_assert(!l2v_equal_ct(a, b, sizeof a));
        b[i] ^= 0x80;
    }
    ck_assert(l2v_equal_ct(a, "", 0));
    l2v_wipe(a + 1, sizeof a - 2);
    ck_assert_uint_eq(a[0], 7);
    ck_assert_uint_eq(a[39], 7);
    for (size_t i = 1; i < 39; i++) {
        ck_assert_uint_eq(a[i], 0);
    }
    l2v_wipe(NULL, 3);
}
END_TEST

TCase *test_base_misc(void)
{
    TCase *tc = tcase_create("misc");
    tcase_add_test(tc, jobs_run_in_order);
    tcase_add_test(tc, jobs_cancel);
    tcase_add_test(tc, rate_bucket);
    tcase_add_test(tc, fsm_steps);
    tcase_add_test(tc, lists);
    tcase_add_test(tc, secrets);
    return tc;
}
