/* SPDX-License-Identifier: MIT */
/* Inner sockets: level 1 hands batches to a callback, level 2 keeps a queue with a pollable
 * descriptor. Payloads of level 1 stay where they were opened; level 2 copies borrowed ones once. */
#include <string.h>

#include "base_addr.h"
#include "l2v_tunnel.h"

#define DEFAULT_QUEUE 256u
#define MAX_UDP_PAYLOAD 65507u

/* --- pollable descriptors ----------------------------------------------------------------------- */

static void notify(l2tpvoip_context *ctx, int fd, bool set)
{
    void (*op)(void *user, int fd) = set ? ctx->io.notify_set : ctx->io.notify_clear;
    if (fd < 0 || op == NULL) {
        return;
    }
    ctx->env.in_provider++;
    op(ctx->io.user, fd);
    ctx->env.in_provider--;
}

static int new_fd(l2tpvoip_context *ctx, int *fd)
{
    if (*fd >= 0) {
        return 0;
    }
    if (ctx->io.notify_new == NULL) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    int made = -1;
    ctx->env.in_provider++;
    int rc = ctx->io.notify_new(ctx->io.user, &made);
    ctx->env.in_provider--;
    if (rc != 0 || made < 0) {
        return rc != 0 ? rc : L2TPVOIP_ERR_IO;
    }
    *fd = made;
    return 0;
}

int l2v_socket_get_fd(l2tpvoip_socket *socket, int *ret_fd)
{
    int rc = new_fd(socket->ctx, &socket->fd);
    if (rc == 0) {
        *ret_fd = socket->fd;
        notify(socket->ctx, socket->fd, socket->queue.count > 0);
    }
    return rc;
}

int l2v_socket_context_fd(l2tpvoip_context *ctx, int *ret_fd)
{
    int rc = new_fd(ctx, &ctx->notify_fd);
    if (rc == 0) {
        *ret_fd = ctx->notify_fd;
        notify(ctx, ctx->notify_fd, ctx->readable > 0);
    }
    return rc;
}

static void note_readable(l2tpvoip_socket *socket)
{
    l2tpvoip_context *ctx = socket->ctx;
    if (ctx->readable++ == 0) {
        notify(ctx, ctx->notify_fd, true);
    }
    notify(ctx, socket->fd, true);
    l2v_event_post(ctx, &socket->event, L2TPVOIP_EVENT_SOCKET_READABLE);
}

static void note_drained(l2tpvoip_socket *socket)
{
    l2tpvoip_context *ctx = socket->ctx;
    if (--ctx->readable == 0) {
        notify(ctx, ctx->notify_fd, false);
    }
    notify(ctx, socket->fd, false);
}

/* --- receiving ------------------------------------------------------------------------------------- */

static void queue_packet(l2tpvoip_socket *socket, struct l2v_pkt *pkt,
                         const struct l2v_inet_udp_meta *meta)
{
    l2tpvoip_context *ctx = socket->ctx;
    struct l2v_pkt *kept = (pkt->flags & L2V_PKT_BORROWED) != 0
                               ? l2v_pkt_copy(&ctx->env, pkt->data, pkt->len)
                               : l2v_pkt_ref(pkt);
    if (kept == NULL) {
        ctx->stats.pool_empty++;
        socket->drops++;
        return;
    }
    kept->local = meta->local;
    kept->remote = meta->remote;
    kept->time_ns = meta->time_ns;
    kept->tos = meta->tos;
    kept->owner = l2v_inet_if_get_user(meta->nif);
    bool was_empty = socket->queue.count == 0;
    if (socket->queue.count >= socket->options.recv_queue) {
        l2v_pkt_free(l2v_pktq_pop(&socket->queue)); /* the oldest is worth least to a voice call */
        socket->drops++;
    }
    l2v_pktq_push(&socket->queue, kept);
    if (was_empty) {
        note_readable(socket);
    }
}

static void fill_message(l2tpvoip_message *m, struct l2v_pkt *pkt,
                         const struct l2v_inet_udp_meta *meta)
{
    memset(m, 0, sizeof *m);
    m->data = pkt->data;
    m->len = pkt->len;
    m->session = l2v_inet_if_get_user(meta->nif);
    m->ref = (pkt->flags & L2V_PKT_BORROWED) != 0 ? NULL : l2v_pkt_ref(pkt);
    m->time_ns = meta->time_ns;
    m->local = meta->local;
    m->remote = meta->remote;
    m->tos = meta->tos;
}

static void on_udp_input(void *user, struct l2v_pkt *pkt, const struct l2v_inet_udp_meta *meta)
{
    l2tpvoip_socket *socket = user;
    if (socket->closed) {
        return;
    }
    if (socket->options.on_messages == NULL) {
        queue_packet(socket, pkt, meta);
        return;
    }
    if (socket->n_pending >= L2V_INPUT_CHUNK) {
        socket->drops++; /* only when a callback passes more datagrams in */
        return;
    }
    fill_message(&socket->pending[socket->n_pending++], pkt, meta);
    l2v_delivery_post(socket->ctx, &socket->delivery);
}

static void drop_pending(l2tpvoip_socket *socket, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        l2v_pkt_free(socket->pending[i].ref);
    }
    socket->n_pending -= n;
    memmove(socket->pending, socket->pending + n, socket->n_pending * sizeof *socket->pending);
}

static void deliver_messages(void *obj)
{
    l2tpvoip_socket *socket = obj;
    uint32_t n = socket->n_pending;
    if (socket->closed || n == 0) {
        return;
    }
    /* What arrives while the program looks at these is appended behind them. */
    socket->options.on_messages(socket->options.user, socket, socket->pending, n);
    drop_pending(socket, n);
    if (socket->n_pending > 0) {
        l2v_delivery_post(socket->ctx, &socket->delivery);
    }
}

struct l2v_pkt *l2v_socket_take(l2tpvoip_socket *socket)
{
    struct l2v_pkt *pkt = l2v_pktq_pop(&socket->queue);
    if (pkt != NULL && socket->queue.count == 0) {
        note_drained(socket);
    }
    return pkt;
}

static void on_udp_error(void *user, int code, const l2tpvoip_addr *remote)
{
    l2tpvoip_socket *socket = user;
    if (socket->closed) {
        return;
    }
    socket->event.code = code;
    socket->event.new_addr = *remote;
    l2v_event_post(socket->ctx, &socket->event, L2TPVOIP_EVENT_SOCKET_ERROR);
}

static const struct l2v_inet_udp_ops udp_ops = {.input = on_udp_input, .error = on_udp_error};

/* --- sending ------------------------------------------------------------------------------------------- */

/* Where a message goes; 0, or why it cannot. */
static int choose_session(const l2tpvoip_socket *socket, const l2tpvoip_message *m,
                          l2tpvoip_session **ret_session)
{
    l2tpvoip_session *s = socket->server != NULL ? m->session : socket->session;
    if (socket->server != NULL && s == NULL) {
        *ret_session = NULL; /* the inner network finds it by address */
        return 0;
    }
    if (s == NULL || s->down || !s->up ||
        (socket->server != NULL && s->server != socket->server)) {
        return L2TPVOIP_ERR_STATE;
    }
    *ret_session = s;
    return 0;
}

int l2v_socket_send(l2tpvoip_socket *socket, const l2tpvoip_message *m)
{
    l2tpvoip_session *s = NULL;
    l2tpvoip_addr to = m->remote;
    if (socket->udp == NULL) {
        return L2TPVOIP_ERR_STATE;
    }
    int rc = choose_session(socket, m, &s);
    if (rc != 0) {
        return rc;
    }
    if (to.family == 0) {
        l2v_inet_udp_get_remote(socket->udp, &to);
    }
    if (to.family != socket->options.local.family || to.port == 0 ||
        (m->data == NULL && m->len > 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (m->len > MAX_UDP_PAYLOAD) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    struct l2v_pkt *pkt = l2v_pkt_copy(&socket->ctx->env, m->data, m->len);
    if (pkt == NULL) {
        return L2TPVOIP_ERR_NOBUFS;
    }
    uint8_t tos = (m->flags & L2TPVOIP_MESSAGE_TOS) != 0 ? m->tos : socket->options.tos;
    uint32_t klass = socket->options.traffic_class != L2TPVOIP_CLASS_AUTO
                         ? socket->options.traffic_class
                         : l2v_voip_classify(tos);
    return l2v_inet_udp_output(socket->udp, s != NULL ? s->nif : NULL, pkt, &to, tos,
                               (uint8_t)klass);
}

/* --- life -------------------------------------------------------------------------------------------------- */

static void destroy_socket(void *obj)
{
    l2tpvoip_socket *socket = obj;
    l2tpvoip_context *ctx = socket->ctx;
    l2v_event_cancel(&socket->event);
    l2v_list_remove(&socket->delivery.node);
    l2v_list_remove(&socket->node);
    if (socket->udp != NULL) {
        l2v_inet_udp_free(socket->udp);
    }
    if (socket->queue.count > 0) {
        note_drained(socket);
    }
    l2v_pktq_clear(&socket->queue);
    l2v_pktq_clear(&socket->lent);
    if (socket->pending != NULL) {
        drop_pending(socket, socket->n_pending);
    }
    l2v_free(&ctx->env, socket->pending);
    if (socket->fd >= 0 && ctx->io.notify_free != NULL) {
        ctx->env.in_provider++;
        ctx->io.notify_free(ctx->io.user, socket->fd);
        ctx->env.in_provider--;
    }
    l2v_free(&ctx->env, socket);
}

static void init_socket(l2tpvoip_socket *socket, const l2tpvoip_socket_options *options)
{
    l2v_list_init(&socket->node);
    l2v_list_init(&socket->delivery.node);
    socket->delivery.deliver = deliver_messages;
    socket->delivery.obj = socket;
    l2v_grave_init(&socket->grave);
    l2v_pktq_init(&socket->queue);
    l2v_pktq_init(&socket->lent);
    socket->options = *options;
    if (socket->options.recv_queue == 0) {
        socket->options.recv_queue = DEFAULT_QUEUE;
    }
    socket->fd = -1;
    l2v_event_init(&socket->event, &socket->options.user);
    socket->event.socket = socket;
}

int l2v_socket_new(l2tpvoip_context *ctx, l2tpvoip_session *session, l2tpvoip_server *server,
                   const l2tpvoip_socket_options *options, l2tpvoip_socket **ret_socket)
{
    if (session != NULL && (session->down || session->nif == NULL)) {
        return L2TPVOIP_ERR_STATE;
    }
    l2tpvoip_socket *socket = l2v_calloc(&ctx->env, 1, sizeof *socket);
    if (socket == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    socket->ctx = ctx;
    socket->session = session;
    socket->server = server;
    init_socket(socket, options);
    socket->event.session = session;
    socket->event.server = server;
    socket->event.tunnel = session != NULL ? session->tunnel : NULL;
    int rc = 0;
    if (options->on_messages != NULL) {
        socket->pending = l2v_calloc(&ctx->env, L2V_INPUT_CHUNK, sizeof *socket->pending);
        rc = socket->pending != NULL ? 0 : L2TPVOIP_ERR_NOMEM;
    }
    if (rc == 0) {
        rc = l2v_inet_udp_new(session != NULL ? session->inet : server->inet,
                              session != NULL ? session->nif : NULL, &options->local, &udp_ops,
                              socket, &socket->udp);
    }
    if (rc != 0) {
        socket->udp = NULL;
        destroy_socket(socket);
        return rc;
    }
    if (session != NULL) {
        l2v_list_append(&session->sockets, &socket->node);
    } else {
        l2v_list_append(&server->sockets, &socket->node);
    }
    *ret_socket = socket;
    return 0;
}

void l2v_socket_close(l2tpvoip_socket *socket)
{
    if (socket->closed) {
        return;
    }
    socket->closed = true;
    if (socket->udp != NULL) {
        l2v_inet_udp_free(socket->udp);
        socket->udp = NULL;
    }
    l2v_event_cancel(&socket->event);
    l2v_list_remove(&socket->node);
    l2v_bury(socket->ctx, &socket->grave, destroy_socket, socket);
}

void l2v_socket_free(l2tpvoip_socket *socket)
{
    l2v_list_remove(&socket->grave.node);
    destroy_socket(socket);
}

void l2v_socket_orphan(l2tpvoip_socket *socket)
{
    if (socket->udp != NULL) {
        l2v_inet_udp_free(socket->udp);
        socket->udp = NULL;
    }
}

void l2v_socket_forget_session(l2tpvoip_socket *socket, const l2tpvoip_session *session)
{
    for (struct l2v_pkt *pkt = socket->queue.head; pkt != NULL; pkt = pkt->next) {
        if (pkt->owner == session) {
            pkt->owner = NULL;
        }
    }
    for (uint32_t i = 0; i < socket->n_pending; i++) {
        if (socket->pending[i].session == session) {
            socket->pending[i].session = NULL;
        }
    }
}
