/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <l2tpvoip.h>

static void on_event(void *user, const l2tpvoip_event *event)
{
    if (event->type == L2TPVOIP_EVENT_TUNNEL_UP || event->type == L2TPVOIP_EVENT_TUNNEL_DOWN) {
        *(uint32_t *)user = event->type;
    }
}

int main(void)
{
    l2tpvoip_psk psk = {sizeof psk, 6, (const uint8_t *)"secret", NULL};
    l2tpvoip_context_options co;
    l2tpvoip_tunnel_options to;
    l2tpvoip_context *ctx;
    l2tpvoip_tunnel *tunnel;
    l2tpvoip_posix *io;
    uint32_t last = 0;

    l2tpvoip_posix_new(&io); /* or your own event loop: l2tpvoip/io.h */
    l2tpvoip_context_options_init(&co, sizeof co);
    l2tpvoip_posix_get_ops(io, &co.io, &co.env);
    co.on_event = on_event;
    co.event_user = &last;
    l2tpvoip_context_new(&co, l2tpvoip_posix_now(), &ctx);
    l2tpvoip_posix_attach(io, ctx);

    l2tpvoip_tunnel_options_init(&to, sizeof to);
    to.server = "vpn.example.com";
    to.ipsec.psks = &psk;
    to.ipsec.n_psks = 1;
    to.ppp.user = "alice";
    to.ppp.password = (const uint8_t *)"wonderland";
    to.ppp.password_len = 10;
    l2tpvoip_tunnel_new(ctx, &to, &tunnel);
    while (last != L2TPVOIP_EVENT_TUNNEL_UP && last != L2TPVOIP_EVENT_TUNNEL_DOWN) {
        l2tpvoip_posix_run_once(io, -1);
    }
    puts(last == L2TPVOIP_EVENT_TUNNEL_UP ? "up: open sockets with l2tpvoip_socket_new" : "down");
    l2tpvoip_context_free(ctx);
    l2tpvoip_posix_free(io);
    return 0;
}
