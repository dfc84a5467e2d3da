/* SPDX-License-Identifier: MIT */
/* A client: brings up L2TP/IPsec and sends one datagram through it.
 * Usage: 01_client SERVER PSK USER PASSWORD [IKE_PORT NATT_PORT] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <l2tpvoip.h>

static void on_event(void *user, const l2tpvoip_event *event)
{
    if (event->type == L2TPVOIP_EVENT_TUNNEL_UP || event->type == L2TPVOIP_EVENT_TUNNEL_DOWN) {
        *(uint32_t *)user = event->type;
    }
}

int main(int argc, char **argv)
{
    l2tpvoip_posix *io;
    l2tpvoip_context *ctx;
    l2tpvoip_tunnel *tunnel;
    l2tpvoip_socket *socket;
    l2tpvoip_context_options co;
    l2tpvoip_tunnel_options to;
    l2tpvoip_socket_options so;
    l2tpvoip_psk psk = {.size = sizeof psk};
    l2tpvoip_session_info info = {.size = sizeof info};
    l2tpvoip_failure why;
    uint32_t last = 0;
    char answer[64];
    size_t len = 0;

    if (argc < 5 || l2tpvoip_posix_new(&io) != 0) {
        return 1;
    }
    l2tpvoip_context_options_init(&co, sizeof co);
    l2tpvoip_posix_get_ops(io, &co.io, &co.env);
    co.on_event = on_event;
    co.event_user = &last;
    if (l2tpvoip_context_new(&co, l2tpvoip_posix_now(), &ctx) != 0) {
        return 1;
    }
    l2tpvoip_posix_attach(io, ctx);

    l2tpvoip_tunnel_options_init(&to, sizeof to);
    psk.key = (const uint8_t *)argv[2];
    psk.len = (uint32_t)strlen(argv[2]);
    to.server = argv[1];
    to.ipsec.psks = &psk;
    to.ipsec.n_psks = 1;
    to.ipsec.ike_port = argc > 6 ? (uint16_t)atoi(argv[5]) : 500;
    to.ipsec.natt_port = argc > 6 ? (uint16_t)atoi(argv[6]) : 4500;
    to.ppp.user = argv[3];
    to.ppp.password = (const uint8_t *)argv[4];
    to.ppp.password_len = (uint32_t)strlen(argv[4]);
    int rc = l2tpvoip_tunnel_new(ctx, &to, &tunnel);
    while (rc == 0 && last != L2TPVOIP_EVENT_TUNNEL_UP && last != L2TPVOIP_EVENT_TUNNEL_DOWN) {
        rc = l2tpvoip_posix_run_once(io, -1);
    }
    if (rc != 0 || last == L2TPVOIP_EVENT_TUNNEL_DOWN) {
        if (rc == 0 && l2tpvoip_tunnel_get_failure(tunnel, &why) == 0) {
            fprintf(stderr, "%s\n%s\n", why.message, why.next_step);
        }
        return 1;
    }

    l2tpvoip_session *session = l2tpvoip_tunnel_get_session(tunnel);
    (void)l2tpvoip_session_get_info(session, &info);
    l2tpvoip_socket_options_init(&so, sizeof so);
    so.local.family = 4;
    so.tos = 0xb8; /* EF: voice */
    l2tpvoip_addr echo = info.remote4;
    echo.port = 7;
    rc = l2tpvoip_socket_new(session, &so, &socket);
    if (rc == 0) {
        rc = l2tpvoip_socket_sendto(socket, "hello", 5, &echo);
    }
    for (int i = 0; rc == 0 && len == 0 && i < 100; i++) {
        rc = l2tpvoip_posix_run_once(io, 100);
        (void)l2tpvoip_socket_recvfrom(socket, answer, sizeof answer, &len, NULL);
    }
    printf("%.*s through %s, MTU %u\n", (int)len, answer, info.esp, info.mtu);

    (void)l2tpvoip_tunnel_close(tunnel);
    while (rc == 0 && last != L2TPVOIP_EVENT_TUNNEL_DOWN) {
        rc = l2tpvoip_posix_run_once(io, -1);
    }
    l2tpvoip_context_free(ctx);
    l2tpvoip_posix_free(io);
    return rc == 0 && len == 5 ? 0 : 1;
}
