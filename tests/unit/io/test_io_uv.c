/* SPDX-License-Identifier: MIT */
/* The libuv backend: a connection with jobs on the thread pool; contexts that are freed inside a
 * callback and while jobs run; the loop ends with nothing left. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <l2tpvoip.h>
#include <l2tpvoip/uv.h>

#define IKE_PORT 15710
#define NATT_PORT 15711

enum when { AT_UP, AT_PROGRESS, AT_JOBS };

struct peer {
    l2tpvoip_uv *io;
    l2tpvoip_context *ctx;
    enum when when;
    bool up, closed;
    struct peer *other;
};

static void on_closed(void *user)
{
    struct peer *p = user;
    p->closed = true;
}

static void close_peer(struct peer *p)
{
    if (p->ctx != NULL) {
        l2tpvoip_uv_attach(p->io, NULL);
        l2tpvoip_context_free(p->ctx);
        p->ctx = NULL;
        l2tpvoip_uv_close(p->io, on_closed, p);
    }
}

static void on_event(void *user, const l2tpvoip_event *event)
{
    struct peer *p = user;
    bool client = event->tunnel != NULL;
    p->up = p->up || event->type == L2TPVOIP_EVENT_TUNNEL_UP;
    bool end = event->type == L2TPVOIP_EVENT_TUNNEL_DOWN || p->up ||
               (p->when == AT_PROGRESS && event->type == L2TPVOIP_EVENT_TUNNEL_PROGRESS);
    if (client && end && p->ctx != NULL) {
        close_peer(p);
        close_peer(p->other);
    }
}

/* After the prepare handle of the backend gave a job to the pool, the context goes. */
static void on_check(uv_check_t *check)
{
    struct peer *p = check->data;
    l2tpvoip_context_stats s = {.size = sizeof s};
    /* The first answer of the server starts the first job; the backend took it before the poll. */
    if (p->ctx != NULL && l2tpvoip_context_get_stats(p->ctx, &s) == 0 && s.rx_datagrams > 0) {
        close_peer(p);
        close_peer(p->other);
    }
    if (p->ctx == NULL && !uv_is_closing((uv_handle_t *)check)) {
        uv_close((uv_handle_t *)check, NULL);
    }
}

static void open_peer(struct peer *p, uv_loop_t *loop)
{
    l2tpvoip_context_options o;
    ck_assert_int_eq(l2tpvoip_uv_new(loop, &p->io), 0);
    l2tpvoip_context_options_init(&o, sizeof o);
    l2tpvoip_uv_get_ops(p->io, &o.io, &o.env);
    o.flags = L2TPVOIP_CONTEXT_EXTERNAL_JOBS;
    o.on_event = on_event;
    o.event_user = p;
    ck_assert_int_eq(l2tpvoip_context_new(&o, uv_hrtime(), &p->ctx), 0);
    l2tpvoip_uv_attach(p->io, p->ctx);
    l2tpvoip_uv_set_job_threads(p->io, 1);
}

static void fill_ipsec(l2tpvoip_ipsec_options *o)
{
    static const l2tpvoip_psk psk = {.size = sizeof psk, .len = 6, .key = (const uint8_t *)"secret"};
    o->psks = &psk;
    o->n_psks = 1;
    o->ike_port = IKE_PORT;
    o->natt_port = NATT_PORT;
}

static void start(struct peer *server, struct peer *client)
{
    l2tpvoip_user user = {.size = sizeof user, .password_len = 6, .name = "alice",
                          .password = (const uint8_t *)"wonder"};
    l2tpvoip_server_options so;
    l2tpvoip_server *srv = NULL;
    l2tpvoip_tunnel_options to;
    l2tpvoip_tunnel *tunnel = NULL;
    l2tpvoip_server_options_init(&so, sizeof so);
    ck_assert_int_eq(l2tpvoip_addr_parse("127.0.0.1", &so.listen), 0);
    ck_assert_int_eq(l2tpvoip_addr_parse("10.8.0.1", &so.gateway), 0);
    ck_assert_int_eq(l2tpvoip_addr_parse("10.8.0.2", &so.pool_first), 0);
    so.pool_size = 4;
    fill_ipsec(&so.ipsec);
    so.users = &user;
    so.n_users = 1;
    ck_assert_int_eq(l2tpvoip_server_new(server->ctx, &so, &srv), 0);
    l2tpvoip_tunnel_options_init(&to, sizeof to);
    to.server = "127.0.0.1";
    to.ppp.user = "alice";
    to.ppp.password = (const uint8_t *)"wonder";
    to.ppp.password_len = 6;
    fill_ipsec(&to.ipsec);
    ck_assert_int_eq(l2tpvoip_tunnel_new(client->ctx, &to, &tunnel), 0);
}

START_TEST(test_ends)
{
    struct peer server, client;
    uv_loop_t loop;
    uv_check_t check;
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    server.when = client.when = (enum when)_i;
    server.other = &client;
    client.other = &server;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    open_peer(&server, &loop);
    open_peer(&client, &loop);
    if (client.when == AT_JOBS) {
        ck_assert_int_eq(uv_check_init(&loop, &check), 0);
        check.data = &client;
        (void)uv_check_start(&check, on_check);
    }
    start(&server, &client);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert(server.closed && client.closed);
    ck_assert(client.when != AT_UP || client.up);
    ck_assert_int_eq(uv_loop_close(&loop), 0); /* no handle is left */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("io uv");
    TCase *t = tcase_create("uv");
    tcase_set_timeout(t, 100);
    tcase_add_loop_test(t, test_ends, AT_UP, AT_JOBS + 1);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
