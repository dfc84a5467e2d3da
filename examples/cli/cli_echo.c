/* SPDX-License-Identifier: MIT */
/* A UDP echo on the server's inner address: what comes goes back into the same tunnel. */
#include "cli.h"

static void on_messages(void *user, l2tpvoip_socket *socket, const l2tpvoip_message *v, size_t n)
{
    (void)user;
    for (size_t i = 0; i < n; i++) {
        l2tpvoip_message back = {.data = v[i].data,
                                 .len = v[i].len,
                                 .session = v[i].session,
                                 .remote = v[i].remote,
                                 .tos = v[i].tos & 0xfcu,
                                 .flags = L2TPVOIP_MESSAGE_TOS};
        size_t sent = 0;
        (void)l2tpvoip_socket_send_batch(socket, &back, 1, &sent);
    }
}

int cli_echo_new(l2tpvoip_server *server, uint16_t port, l2tpvoip_socket **ret_socket)
{
    l2tpvoip_socket_options o;
    l2tpvoip_socket_options_init(&o, sizeof o);
    o.local.family = 4;
    o.local.port = port;
    o.on_messages = on_messages;
    return l2tpvoip_socket_new_server(server, &o, ret_socket);
}
