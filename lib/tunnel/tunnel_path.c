/* SPDX-License-Identifier: MIT */
/* Paths: outer sockets as the core sees them, and the datagrams that wait for them. */
#include <string.h>

#include "l2v_tunnel.h"

/* Control packets may queue behind a blocked path up to this bound; the oldest goes first. */
#define MAX_PARKED 256u

struct l2v_path *l2v_path_find(l2tpvoip_context *ctx, uint32_t id)
{
    L2V_LIST_EACH (pos, &ctx->paths) {
        struct l2v_path *path = L2V_CONTAINER_OF(pos, struct l2v_path, node);
        if (path->id == id) {
            return path;
        }
    }
    return NULL;
}

static void path_destroy(void *obj)
{
    struct l2v_path *path = obj;
    l2v_pktq_clear(&path->out);
    l2v_free(&path->ctx->env, path);
}

static int ask_backend(struct l2v_path *path, const l2tpvoip_addr *peer, const char *interface_name)
{
    l2tpvoip_context *ctx = path->ctx;
    l2tpvoip_path_request request;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.path_id = path->id;
    request.kind = L2TPVOIP_PATH_UDP;
    request.local = path->local;
    if (peer != NULL) {
        request.remote = *peer;
        request.remote.port = 0; /* one socket talks to both of the peer's ports */
    }
    request.interface_name = interface_name;
    ctx->env.in_provider++;
    int rc = ctx->io.path_open(ctx->io.user, &request);
    ctx->env.in_provider--;
    return rc;
}

int l2v_path_open(l2tpvoip_context *ctx, const l2tpvoip_addr *local, const l2tpvoip_addr *peer,
                  const char *interface_name, struct l2v_path **ret_path)
{
    struct l2v_path *path = l2v_calloc(&ctx->env, 1, sizeof *path);
    if (path == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    path->ctx = ctx;
    path->id = ctx->next_path_id++;
    path->local = *local;
    l2v_pktq_init(&path->out);
    l2v_grave_init(&path->grave);
    l2v_list_append(&ctx->paths, &path->node);
    int rc = 0;
    if (ctx->io.path_open != NULL) {
        rc = ask_backend(path, peer, interface_name);
    } else {
        path->up = true; /* the program knows its paths beforehand */
    }
    if (rc != 0) {
        l2v_list_remove(&path->node);
        path_destroy(path);
        return rc;
    }
    *ret_path = path;
    return 0;
}

static void bury_path(struct l2v_path *path)
{
    l2v_list_remove(&path->node);
    if (path->ctx->io.path_close != NULL) {
        path->ctx->env.in_provider++;
        path->ctx->io.path_close(path->ctx->io.user, path->id);
        path->ctx->env.in_provider--;
    }
    l2v_bury(path->ctx, &path->grave, path_destroy, path);
}

void l2v_path_close(struct l2v_path *path)
{
    if (path == NULL || path->grave.destroy != NULL || path->closing) {
        return;
    }
    path->tunnel = NULL;
    path->server = NULL;
    if (path->ctx->io.send_batch == NULL && path->out.count > 0) {
        path->closing = true; /* the last words are still to be taken */
        return;
    }
    l2v_path_flush(path);
    bury_path(path);
}

bool l2v_path_is_full(const struct l2v_path *path)
{
    return path->blocked || path->out.count >= L2V_BATCH;
}

void l2v_path_send(struct l2v_path *path, struct l2v_pkt *pkt)
{
    if (path->grave.destroy != NULL || path->closing) {
        l2v_pkt_free(pkt);
        return;
    }
    if (path->out.count >= MAX_PARKED) {
        l2v_pkt_free(l2v_pktq_pop(&path->out));
        path->ctx->stats.tx_errors++;
    }
    if (L2V_TAP_ON(&path->ctx->env, L2TPVOIP_TAP_OUTER)) {
        l2v_tap(&path->ctx->env, L2TPVOIP_TAP_OUTER, L2TPVOIP_TAP_OUT, &path->local, &pkt->remote,
                pkt->data, pkt->len);
    }
    pkt->path_id = path->id;
    l2v_pktq_push(&path->out, pkt);
}

static void fill_datagram(l2tpvoip_datagram *dg, const struct l2v_path *path, struct l2v_pkt *pkt)
{
    memset(dg, 0, sizeof *dg);
    dg->data = pkt->data;
    dg->len = pkt->len;
    dg->ref = pkt;
    dg->path_id = path->id;
    dg->flags = (pkt->flags & L2V_PKT_DF) != 0 ? L2TPVOIP_DATAGRAM_DF : 0;
    dg->local = pkt->local;
    dg->remote = pkt->remote;
    dg->tos = pkt->tos;
}

static void count_sent(l2tpvoip_context *ctx, const struct l2v_pkt *pkt)
{
    ctx->stats.tx_datagrams++;
    ctx->stats.tx_bytes += pkt->len;
}

/* One call of send_batch; false = stop. */
static bool send_some(struct l2v_path *path)
{
    l2tpvoip_context *ctx = path->ctx;
    l2tpvoip_datagram batch[L2V_BATCH];
    size_t n = 0, sent = 0;
    for (struct l2v_pkt *pkt = path->out.head; pkt != NULL && n < L2V_BATCH; pkt = pkt->next) {
        fill_datagram(&batch[n++], path, pkt);
    }
    if (n == 0) {
        return false;
    }
    ctx->env.in_provider++;
    int rc = ctx->io.send_batch(ctx->io.user, batch, n, &sent);
    ctx->env.in_provider--;
    for (size_t i = 0; i < sent && i < n; i++) {
        struct l2v_pkt *pkt = l2v_pktq_pop(&path->out);
        count_sent(ctx, pkt);
        l2v_pkt_free(pkt);
    }
    if (rc == L2TPVOIP_ERR_AGAIN) {
        path->blocked = true;
        return false;
    }
    if (rc != 0 && sent < n) { /* this one cannot be sent; the others may */
        l2v_pkt_free(l2v_pktq_pop(&path->out));
        ctx->stats.tx_errors++;
        return true;
    }
    return sent > 0;
}

void l2v_path_flush(struct l2v_path *path)
{
    if (path->ctx->io.send_batch == NULL || path->ctx->env.in_provider != 0) {
        return;
    }
    while (!path->blocked && path->up && path->out.count > 0 && send_some(path)) {
    }
}

size_t l2v_path_pull(struct l2v_path *path, l2tpvoip_datagram *out, size_t max)
{
    l2tpvoip_context *ctx = path->ctx;
    size_t n = 0;
    while (n < max && path->up && !path->blocked && path->out.count > 0) {
        struct l2v_pkt *pkt = l2v_pktq_pop(&path->out);
        pkt->mark = 0;
        fill_datagram(&out[n++], path, pkt);
        count_sent(ctx, pkt);
        l2v_pktq_push(&ctx->lent, pkt);
    }
    return n;
}

/* Not as soon as the last datagram is taken: the program has yet to send it there. */
void l2v_path_reap(l2tpvoip_context *ctx)
{
    L2V_LIST_EACH_SAFE (pos, &ctx->paths) {
        struct l2v_path *path = L2V_CONTAINER_OF(pos, struct l2v_path, node);
        if (path->closing && (path->out.count == 0 || !path->up)) {
            path->closing = false;
            bury_path(path);
        }
    }
}

void l2v_path_free_all(l2tpvoip_context *ctx)
{
    while (!l2v_list_is_empty(&ctx->paths)) {
        struct l2v_path *path = L2V_CONTAINER_OF(ctx->paths.next, struct l2v_path, node);
        path->closing = false;
        bury_path(path);
    }
}
