/* SPDX-License-Identifier: MIT */
/* A server: accepts phones and echoes what they send to UDP port 7 of the gateway, on libuv.
 * Usage: 02_server ADDRESS PSK USER PASSWORD [IKE_PORT NATT_PORT]
 * Prints where it listens; ends when its last client has left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <l2tpvoip.h>
#include <l2tpvoip/uv.h>

struct app {
    uv_loop_t loop;
    l2tpvoip_uv *io;
    l2tpvoip_context *ctx;
    l2tpvoip_server *server;
    l2tpvoip_socket *echo;
    int failed;
};

static void on_messages(void *user, l2tpvoip_socket *socket, const l2tpvoip_message *v, size_t n)
{
    (void)user;
    for (size_t i = 0; i < n; i++) {
        /* session says which phone it was: the answer goes into the same tunnel. */
        l2tpvoip_message answer = {.data = v[i].data, .len = v[i].len, .session = v[i].session,
                                   .remote = v[i].remote};
        size_t sent = 0;
        (void)l2tpvoip_socket_send_batch(socket, &answer, 1, &sent);
    }
}

static void on_up(struct app *app)
{
    l2tpvoip_addr ike = {0}, natt = {0}, l2tp = {0};
    l2tpvoip_socket_options so;
    l2tpvoip_socket_options_init(&so, sizeof so);
    so.local.family = 4;
    so.local.port = 7;
    so.on_messages = on_messages;
    so.user = app;
    app->failed = l2tpvoip_socket_new_server(app->server, &so, &app->echo) != 0 ||
                  l2tpvoip_server_get_addresses(app->server, &ike, &natt, &l2tp) != 0;
    printf("listening %u %u\n", ike.port, natt.port);
    (void)fflush(stdout);
}

static void stop(struct app *app)
{
    l2tpvoip_server_free(app->server);
    l2tpvoip_context_free(app->ctx);
    l2tpvoip_uv_close(app->io, NULL, NULL);
}

static void on_event(void *user, const l2tpvoip_event *event)
{
    struct app *app = user;
    l2tpvoip_failure why;
    switch (event->type) {
    case L2TPVOIP_EVENT_SERVER_UP:
        on_up(app);
        break;
    case L2TPVOIP_EVENT_SERVER_DOWN:
        if (l2tpvoip_server_get_failure(app->server, &why) == 0) {
            fprintf(stderr, "%s\n%s\n", why.message, why.next_step);
        }
        app->failed = 1;
        stop(app);
        break;
    case L2TPVOIP_EVENT_SESSION_DOWN:
        if (l2tpvoip_server_count_sessions(app->server) == 0) {
            stop(app);
        }
        break;
    default:
        break;
    }
}

static int start(struct app *app, int argc, char **argv)
{
    l2tpvoip_context_options co;
    l2tpvoip_server_options so;
    l2tpvoip_psk psk = {.size = sizeof psk, .key = (const uint8_t *)argv[2],
                        .len = (uint32_t)strlen(argv[2])};
    l2tpvoip_user user = {.size = sizeof user, .name = argv[3], .password = (const uint8_t *)argv[4],
                          .password_len = (uint32_t)strlen(argv[4])};

    if (uv_loop_init(&app->loop) != 0 || l2tpvoip_uv_new(&app->loop, &app->io) != 0) {
        return 1;
    }
    l2tpvoip_context_options_init(&co, sizeof co);
    l2tpvoip_uv_get_ops(app->io, &co.io, &co.env);
    co.on_event = on_event;
    co.event_user = app;
    if (l2tpvoip_context_new(&co, uv_hrtime(), &app->ctx) != 0) {
        return 1;
    }
    l2tpvoip_uv_attach(app->io, app->ctx);

    l2tpvoip_server_options_init(&so, sizeof so);
    so.ipsec.psks = &psk;
    so.ipsec.n_psks = 1;
    so.ipsec.ike_port = argc > 6 ? (uint16_t)atoi(argv[5]) : 500;
    so.ipsec.natt_port = argc > 6 ? (uint16_t)atoi(argv[6]) : 4500;
    so.users = &user;
    so.n_users = 1;
    so.pool_size = 16;
    return l2tpvoip_addr_parse(argv[1], &so.listen) != 0 ||
           l2tpvoip_addr_parse("10.44.0.1", &so.gateway) != 0 ||
           l2tpvoip_addr_parse("10.44.0.10", &so.pool_first) != 0 ||
           l2tpvoip_server_new(app->ctx, &so, &app->server) != 0;
}

int main(int argc, char **argv)
{
    struct app app = {0};
    if (argc < 5 || start(&app, argc, argv) != 0) {
        fprintf(stderr, "usage: 02_server ADDRESS PSK USER PASSWORD [IKE_PORT NATT_PORT]\n");
        return 1;
    }
    (void)uv_run(&app.loop, UV_RUN_DEFAULT);
    return app.failed || uv_loop_close(&app.loop) != 0;
}
