/* SPDX-License-Identifier: MIT */
/* Public side of inner sockets. */
#include <string.h>

#include "base_addr.h"
#include "l2v_api.h"

static int check_options(l2tpvoip_socket_options *o, const l2tpvoip_socket_options *options,
                         l2tpvoip_socket **ret_socket)
{
    if (options == NULL || ret_socket == NULL || l2v_api_copy_in(o, sizeof *o, options) != 0 ||
        o->type != L2TPVOIP_SOCKET_UDP || l2v_addr_ip_len(&o->local) == 0 ||
        o->traffic_class > L2TPVOIP_CLASS_BULK || o->recv_queue > 1u << 20) {
        return L2TPVOIP_ERR_INVALID;
    }
    return 0;
}

int l2tpvoip_socket_new(l2tpvoip_session *session, const l2tpvoip_socket_options *options,
                        l2tpvoip_socket **ret_socket)
{
    l2tpvoip_socket_options o;
    if (session == NULL || check_options(&o, options, ret_socket) != 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = session->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_socket_new(ctx, session, NULL, &o, ret_socket);
    return l2v_api_leave(ctx, rc);
}

int l2tpvoip_socket_new_server(l2tpvoip_server *server, const l2tpvoip_socket_options *options,
                               l2tpvoip_socket **ret_socket)
{
    l2tpvoip_socket_options o;
    if (server == NULL || check_options(&o, options, ret_socket) != 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = server->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_socket_new(ctx, NULL, server, &o, ret_socket);
    return l2v_api_leave(ctx, rc);
}

void l2tpvoip_socket_free(l2tpvoip_socket *socket)
{
    if (socket == NULL) {
        return;
    }
    l2tpvoip_context *ctx = socket->ctx;
    if (l2v_api_enter(ctx) == 0) {
        l2v_socket_close(socket);
        (void)l2v_api_leave(ctx, 0);
    }
}

int l2tpvoip_socket_connect(l2tpvoip_socket *socket, const l2tpvoip_addr *remote)
{
    if (socket == NULL || remote == NULL || remote->family != socket->options.local.family ||
        remote->port == 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = socket->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    rc = socket->udp != NULL ? l2v_inet_udp_connect(socket->udp, remote) : L2TPVOIP_ERR_STATE;
    return l2v_api_leave(ctx, rc);
}

int l2tpvoip_socket_sendto(l2tpvoip_socket *socket, const void *data, size_t len,
                           const l2tpvoip_addr *to)
{
    l2tpvoip_message m;
    if (socket == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = socket->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    memset(&m, 0, sizeof m);
    m.data = (uint8_t *)(uintptr_t)data; /* only read */
    m.len = len;
    if (to != NULL) {
        m.remote = *to;
    }
    rc = l2v_socket_send(socket, &m);
    return l2v_api_leave(ctx, rc);
}

int l2tpvoip_socket_send_batch(l2tpvoip_socket *socket, const l2tpvoip_message *v, size_t n,
                               size_t *ret_sent)
{
    size_t i = 0;
    if (socket == NULL || (v == NULL && n > 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = socket->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    while (i < n && (rc = l2v_socket_send(socket, &v[i])) == 0) {
        i++;
    }
    if (ret_sent != NULL) {
        *ret_sent = i;
    }
    return l2v_api_leave(ctx, rc);
}

/* --- level 2 ----------------------------------------------------------------------------------- */

int l2tpvoip_socket_recvfrom(l2tpvoip_socket *socket, void *data, size_t size, size_t *ret_len,
                             l2tpvoip_addr *ret_from)
{
    if (socket == NULL || ret_len == NULL || (data == NULL && size > 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = socket->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    struct l2v_pkt *pkt = l2v_socket_take(socket);
    if (pkt == NULL) {
        rc = socket->options.on_messages != NULL ? L2TPVOIP_ERR_STATE : L2TPVOIP_ERR_AGAIN;
        return l2v_api_leave(ctx, rc);
    }
    *ret_len = pkt->len < size ? pkt->len : size;
    if (*ret_len > 0) {
        memcpy(data, pkt->data, *ret_len);
    }
    if (ret_from != NULL) {
        *ret_from = pkt->remote;
    }
    l2v_pkt_free(pkt);
    return l2v_api_leave(ctx, 0);
}

static void lend(l2tpvoip_socket *socket, struct l2v_pkt *pkt, l2tpvoip_message *m)
{
    memset(m, 0, sizeof *m);
    m->data = pkt->data;
    m->len = pkt->len;
    m->session = pkt->owner;
    m->ref = pkt;
    m->time_ns = pkt->time_ns;
    m->local = pkt->local;
    m->remote = pkt->remote;
    m->tos = pkt->tos;
    pkt->mark = 0;
    l2v_pktq_push(&socket->lent, pkt);
}

int l2tpvoip_socket_recv_batch(l2tpvoip_socket *socket, l2tpvoip_message *v, size_t max,
                               size_t *ret_n)
{
    if (socket == NULL || v == NULL || ret_n == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = socket->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    size_t n = 0;
    while (n < max) {
        struct l2v_pkt *pkt = l2v_socket_take(socket);
        if (pkt == NULL) {
            break;
        }
        lend(socket, pkt, &v[n++]);
    }
    *ret_n = n;
    return l2v_api_leave(ctx, n > 0 ? 0 : L2TPVOIP_ERR_AGAIN);
}

int l2tpvoip_socket_release(l2tpvoip_socket *socket, l2tpvoip_message *v, size_t n)
{
    if (socket == NULL || (v == NULL && n > 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = socket->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    struct l2v_pktq lent = socket->lent;
    struct l2v_pkt *pkt;
    for (size_t i = 0; i < n; i++) {
        if (v[i].ref != NULL) {
            ((struct l2v_pkt *)v[i].ref)->mark = 1;
            v[i].ref = NULL;
            v[i].data = NULL;
        }
    }
    l2v_pktq_init(&socket->lent);
    while ((pkt = l2v_pktq_pop(&lent)) != NULL) {
        if (pkt->mark == 1) {
            l2v_pkt_free(pkt);
        } else {
            l2v_pktq_push(&socket->lent, pkt);
        }
    }
    return l2v_api_leave(ctx, 0);
}

int l2tpvoip_socket_get_fd(l2tpvoip_socket *socket, int *ret_fd)
{
    if (socket == NULL || ret_fd == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context *ctx = socket->ctx;
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    rc = socket->options.on_messages == NULL ? l2v_socket_get_fd(socket, ret_fd)
                                             : L2TPVOIP_ERR_INVALID;
    return l2v_api_leave(ctx, rc);
}

int l2tpvoip_socket_get_local(const l2tpvoip_socket *socket, l2tpvoip_addr *ret_local)
{
    if (socket == NULL || ret_local == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_check(socket->ctx);
    if (rc != 0) {
        return rc;
    }
    if (socket->udp != NULL) {
        l2v_inet_udp_get_local(socket->udp, ret_local);
    } else {
        *ret_local = socket->options.local;
    }
    return 0;
}
