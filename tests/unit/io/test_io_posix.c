/* SPDX-License-Identifier: MIT */
/* The poll(2) backend with whole contexts: names, posts and jobs of other threads, contexts that are
 * freed inside callbacks and while jobs are out. Worth most under ThreadSanitizer. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <l2tpvoip.h>
#include <l2tpvoip/posix.h>

#define N_THREADS 4
#define N_POSTS 500
#define IKE_PORT 15700
#define NATT_PORT 15701

struct peer {
    l2tpvoip_posix *io;
    l2tpvoip_context *ctx;
    bool up, down, free_at_progress;
};

static void on_event(void *user, const l2tpvoip_event *event)
{
    struct peer *p = user;
    p->up = p->up || event->type == L2TPVOIP_EVENT_TUNNEL_UP;
    p->down = p->down || event->type == L2TPVOIP_EVENT_TUNNEL_DOWN;
    if (event->type == L2TPVOIP_EVENT_TUNNEL_PROGRESS && p->free_at_progress) {
        l2tpvoip_posix_attach(p->io, NULL);
        l2tpvoip_context_free(p->ctx);
        p->ctx = NULL;
    }
}

static void open_peer(struct peer *p, uint32_t flags)
{
    l2tpvoip_context_options o;
    memset(p, 0, sizeof *p);
    ck_assert_int_eq(l2tpvoip_posix_new(&p->io), 0);
    l2tpvoip_context_options_init(&o, sizeof o);
    l2tpvoip_posix_get_ops(p->io, &o.io, &o.env);
    o.flags = flags;
    o.on_event = on_event;
    o.event_user = p;
    ck_assert_int_eq(l2tpvoip_context_new(&o, l2tpvoip_posix_now(), &p->ctx), 0);
    l2tpvoip_posix_attach(p->io, p->ctx);
}

static void close_peer(struct peer *p)
{
    l2tpvoip_context_free(p->ctx);
    l2tpvoip_posix_free(p->io);
}

static l2tpvoip_tunnel *open_tunnel(struct peer *p, const char *server, bool ipsec)
{
    static const l2tpvoip_psk psk = {.size = sizeof psk, .len = 6, .key = (const uint8_t *)"secret"};
    l2tpvoip_tunnel_options o;
    l2tpvoip_tunnel *tunnel = NULL;
    l2tpvoip_tunnel_options_init(&o, sizeof o);
    o.server = server;
    o.local.family = 4;
    o.ppp.user = "alice";
    o.ppp.password = (const uint8_t *)"wonder";
    o.ppp.password_len = 6;
    o.ipsec.security = ipsec ? L2TPVOIP_SECURITY_IPSEC : L2TPVOIP_SECURITY_NONE;
    o.ipsec.psks = &psk;
    o.ipsec.n_psks = 1;
    o.ipsec.ike_port = IKE_PORT;
    o.ipsec.natt_port = NATT_PORT;
    o.l2tp.remote_port = 15702; /* nobody there */
    if (ipsec) {
        o.l2tp.remote_port = 0;
    }
    ck_assert_int_eq(l2tpvoip_tunnel_new(p->ctx, &o, &tunnel), 0);
    return tunnel;
}

static void open_server(struct peer *p)
{
    static const l2tpvoip_psk psk = {.size = sizeof psk, .len = 6, .key = (const uint8_t *)"secret"};
    l2tpvoip_user user = {.size = sizeof user, .password_len = 6, .name = "alice",
                          .password = (const uint8_t *)"wonder"};
    l2tpvoip_server_options o;
    l2tpvoip_server *server = NULL;
    l2tpvoip_server_options_init(&o, sizeof o);
    ck_assert_int_eq(l2tpvoip_addr_parse("127.0.0.1", &o.listen), 0);
    ck_assert_int_eq(l2tpvoip_addr_parse("10.8.0.1", &o.gateway), 0);
    ck_assert_int_eq(l2tpvoip_addr_parse("10.8.0.2", &o.pool_first), 0);
    o.pool_size = 4;
    o.ipsec.psks = &psk;
    o.ipsec.n_psks = 1;
    o.ipsec.ike_port = IKE_PORT;
    o.ipsec.natt_port = NATT_PORT;
    o.users = &user;
    o.n_users = 1;
    ck_assert_int_eq(l2tpvoip_server_new(p->ctx, &o, &server), 0);
}

START_TEST(test_resolve)
{
    struct peer p;
    open_peer(&p, 0);
    l2tpvoip_tunnel *tunnel = open_tunnel(&p, "localhost", false);
    ck_assert_uint_eq(l2tpvoip_tunnel_get_phase(tunnel), L2TPVOIP_PHASE_RESOLVE);
    for (int i = 0; i < 500 && l2tpvoip_tunnel_get_phase(tunnel) < L2TPVOIP_PHASE_L2TP; i++) {
        ck_assert_int_eq(l2tpvoip_posix_run_once(p.io, 20), 0);
    }
    ck_assert_uint_ge(l2tpvoip_tunnel_get_phase(tunnel), L2TPVOIP_PHASE_L2TP);
    close_peer(&p);
}
END_TEST

/* The answer comes when nobody is there any more. */
START_TEST(test_resolve_given_up)
{
    for (int i = 0; i < 20; i++) {
        struct peer p;
        open_peer(&p, 0);
        (void)open_tunnel(&p, "localhost", false);
        close_peer(&p);
    }
}
END_TEST

START_TEST(test_free_in_callback)
{
    struct peer p;
    open_peer(&p, 0);
    (void)open_tunnel(&p, _i == 0 ? "localhost" : "127.0.0.1", false);
    p.free_at_progress = true;
    for (int i = 0; i < 100 && p.ctx != NULL; i++) {
        ck_assert_int_eq(l2tpvoip_posix_run_once(p.io, 100), 0);
    }
    ck_assert_ptr_null(p.ctx);
    ck_assert_int_eq(l2tpvoip_posix_run_once(p.io, 0), L2TPVOIP_ERR_INVALID);
    l2tpvoip_posix_free(p.io);
}
END_TEST

static unsigned n_run; /* by the owner alone */

static void count(void *arg)
{
    (void)arg;
    n_run++;
}

static void *post_many(void *arg)
{
    for (int i = 0; i < N_POSTS; i++) {
        ck_assert_int_eq(l2tpvoip_context_post(arg, count, NULL), 0);
        ck_assert_int_eq(l2tpvoip_context_wakeup(arg), 0);
    }
    return NULL;
}

START_TEST(test_posts)
{
    struct peer p;
    pthread_t threads[N_THREADS];
    n_run = 0;
    open_peer(&p, 0);
    for (int i = 0; i < N_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, p.ctx), 0);
    }
    for (int i = 0; i < 100000 && n_run < N_THREADS * N_POSTS; i++) {
        ck_assert_int_eq(l2tpvoip_posix_run_once(p.io, 1000), 0);
    }
    ck_assert_uint_eq(n_run, N_THREADS * N_POSTS);
    for (int i = 0; i < N_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    close_peer(&p);
}
END_TEST

/* --- jobs ------------------------------------------------------------------------------------- */

static atomic_bool go;

static void *run_job(void *job)
{
    while (!atomic_load(&go)) {
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    l2tpvoip_job_run(job);
    return NULL;
}

static l2tpvoip_job *take(struct peer *p)
{
    l2tpvoip_job *job = NULL;
    ck_assert_int_eq(l2tpvoip_context_take_job(p->ctx, &job), 0);
    return job;
}

static void start_pair(struct peer *server, struct peer *client)
{
    open_peer(server, L2TPVOIP_CONTEXT_EXTERNAL_JOBS);
    open_peer(client, L2TPVOIP_CONTEXT_EXTERNAL_JOBS);
    open_server(server);
    (void)open_tunnel(client, "127.0.0.1", true);
}

START_TEST(test_job_threads)
{
    struct peer p[2];
    start_pair(&p[0], &p[1]);
    atomic_store(&go, true);
    for (int i = 0; i < 20000 && !p[1].up; i++) {
        for (int k = 0; k < 2; k++) {
            l2tpvoip_job *job = NULL;
            ck_assert_int_eq(l2tpvoip_posix_run_once(p[k].io, 1), 0);
            while ((job = take(&p[k])) != NULL) {
                pthread_t thread;
                ck_assert_int_eq(pthread_create(&thread, NULL, run_job, job), 0);
                (void)pthread_detach(thread);
            }
        }
        ck_assert(!p[1].down);
    }
    ck_assert(p[1].up);
    close_peer(&p[1]);
    close_peer(&p[0]);
}
END_TEST

/* Freed when a thread has the job: the job may come back before, during or after that. */
START_TEST(test_job_outlives)
{
    struct peer p[2];
    l2tpvoip_job *job = NULL;
    pthread_t thread;
    start_pair(&p[0], &p[1]);
    atomic_store(&go, false);
    for (int i = 0; i < 20000 && job == NULL; i++) {
        ck_assert_int_eq(l2tpvoip_posix_run_once(p[0].io, 1), 0);
        ck_assert_int_eq(l2tpvoip_posix_run_once(p[1].io, 1), 0);
        job = take(&p[1]);
    }
    ck_assert_ptr_nonnull(job);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_job, job), 0);
    if (_i == 0) {
        close_peer(&p[1]);
        atomic_store(&go, true);
    } else {
        atomic_store(&go, true);
        if (_i == 1) {
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
        close_peer(&p[1]);
    }
    (void)pthread_join(thread, NULL);
    close_peer(&p[0]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("io posix");
    TCase *t = tcase_create("posix");
    tcase_set_timeout(t, 100);
    tcase_add_test(t, test_resolve);
    tcase_add_test(t, test_resolve_given_up);
    tcase_add_loop_test(t, test_free_in_callback, 0, 2);
    tcase_add_test(t, test_posts);
    tcase_add_test(t, test_job_threads);
    tcase_add_loop_test(t, test_job_outlives, 0, 6);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
