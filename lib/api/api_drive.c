/* SPDX-License-Identifier: MIT */
/* Driving a context: datagrams, time, jobs, and what backends report. */
#include <stdlib.h>
#include <string.h>

#include "base_addr.h"
#include "l2v_api.h"

#define MIN_MTU4 576u
#define MIN_MTU6 1280u /* rfc8200#5 */

/* --- datagrams --------------------------------------------------------------------------------- */

struct feed {
    l2tpvoip_context *ctx;
    uint32_t n; /* since the last delivery */
};

static void feed_one(struct feed *feed, const l2tpvoip_datagram *dg)
{
    l2tpvoip_context *ctx = feed->ctx;
    /* A nested call may return before its messages are delivered: then they need a copy. */
    bool writable = ctx->depth == 1 && (dg->flags & L2TPVOIP_DATAGRAM_WRITABLE) != 0;
    l2v_demux_datagram(ctx, dg, writable);
    if (++feed->n >= L2V_INPUT_CHUNK && ctx->depth == 1) {
        l2v_works_run(ctx);
        l2v_api_deliver_messages(ctx);
        feed->n = 0;
    }
}

/* A train is split into its datagrams. */
static void feed_train(struct feed *feed, const l2tpvoip_datagram *train)
{
    l2tpvoip_datagram dg = *train;
    size_t left = train->len;
    while (left > 0 && !feed->ctx->freed) {
        dg.len = left < train->segment_size ? left : train->segment_size;
        feed_one(feed, &dg);
        dg.data += dg.len;
        left -= dg.len;
    }
}

int l2tpvoip_context_input(l2tpvoip_context *ctx, const l2tpvoip_datagram *in, size_t n,
                           uint64_t now_ns)
{
    if (in == NULL && n > 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    struct feed feed = {ctx, 0};
    for (size_t i = 0; i < n && !ctx->freed; i++) {
        if (in[i].data == NULL || in[i].len == 0) {
            ctx->stats.rx_malformed++;
        } else if (in[i].segment_size != 0 && in[i].segment_size < in[i].len) {
            feed_train(&feed, &in[i]);
        } else {
            feed_one(&feed, &in[i]);
        }
    }
    return l2v_api_leave(ctx, 0);
}

static size_t pull(l2tpvoip_context *ctx, l2tpvoip_datagram *out, size_t max)
{
    size_t n = 0;
    size_t before;
    do {
        before = n;
        l2v_api_drain(ctx);
        L2V_LIST_EACH_SAFE (pos, &ctx->paths) {
            n += l2v_path_pull(L2V_CONTAINER_OF(pos, struct l2v_path, node), out + n, max - n);
        }
    } while (n > before && n < max);
    return n;
}

int l2tpvoip_context_output(l2tpvoip_context *ctx, l2tpvoip_datagram *out, size_t max,
                            size_t *ret_n, uint64_t now_ns)
{
    if (out == NULL || ret_n == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    if (ctx->io.send_batch != NULL) {
        return l2v_api_leave(ctx, L2TPVOIP_ERR_STATE);
    }
    l2v_pktq_clear(&ctx->lent);
    l2v_path_reap(ctx);
    *ret_n = pull(ctx, out, max);
    return l2v_api_leave(ctx, 0);
}

int l2tpvoip_context_release(l2tpvoip_context *ctx, l2tpvoip_datagram *v, size_t n)
{
    if (v == NULL && n > 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    struct l2v_pktq lent = ctx->lent;
    struct l2v_pkt *pkt;
    for (size_t i = 0; i < n; i++) {
        if (v[i].ref != NULL) {
            ((struct l2v_pkt *)v[i].ref)->mark = 1;
            v[i].ref = NULL;
            v[i].data = NULL;
        }
    }
    l2v_pktq_init(&ctx->lent);
    while ((pkt = l2v_pktq_pop(&lent)) != NULL) {
        if (pkt->mark == 1) {
            l2v_pkt_free(pkt);
        } else {
            l2v_pktq_push(&ctx->lent, pkt);
        }
    }
    return l2v_api_leave(ctx, 0);
}

/* --- time ----------------------------------------------------------------------------------------- */

uint64_t l2tpvoip_context_get_expiry(const l2tpvoip_context *ctx)
{
    return ctx != NULL ? l2v_api_get_expiry(ctx) : L2V_NEVER;
}

int l2tpvoip_context_handle_expiry(l2tpvoip_context *ctx, uint64_t now_ns)
{
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    l2v_timers_run(&ctx->env.timers, ctx->env.now_ns);
    if ((ctx->flags & L2TPVOIP_CONTEXT_EXTERNAL_JOBS) == 0) {
        (void)l2v_jobs_run_one(&ctx->jobs); /* one at a time: voice goes in between */
    }
    return l2v_api_leave(ctx, 0);
}

int l2tpvoip_context_next_event(l2tpvoip_context *ctx, l2tpvoip_event *ret_event)
{
    if (ret_event == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_event_take(ctx, ret_event) ? 0 : L2TPVOIP_ERR_AGAIN;
    return l2v_api_leave(ctx, rc);
}

/* --- what a backend reports ------------------------------------------------------------------------- */

static struct l2v_path *find_path(l2tpvoip_context *ctx, uint32_t path_id)
{
    struct l2v_path *path = l2v_path_find(ctx, path_id);
    return path != NULL && !path->closing ? path : NULL;
}

int l2tpvoip_context_path_up(l2tpvoip_context *ctx, uint32_t path_id, const l2tpvoip_addr *local,
                             uint64_t now_ns)
{
    if (local == NULL || l2v_addr_ip_len(local) == 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    struct l2v_path *path = find_path(ctx, path_id);
    if (path == NULL) {
        return l2v_api_leave(ctx, L2TPVOIP_ERR_NOT_FOUND);
    }
    path->up = true;
    path->blocked = false;
    path->local = *local;
    if (path->tunnel != NULL) {
        l2v_client_path_up(path->tunnel);
    } else if (path->server != NULL) {
        l2v_server_path_up(path->server);
    }
    return l2v_api_leave(ctx, 0);
}

int l2tpvoip_context_path_down(l2tpvoip_context *ctx, uint32_t path_id, int32_t code,
                               uint64_t now_ns)
{
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    struct l2v_path *path = find_path(ctx, path_id);
    if (path == NULL) {
        return l2v_api_leave(ctx, L2TPVOIP_ERR_NOT_FOUND);
    }
    path->up = false;
    if (path->tunnel != NULL) {
        l2v_client_path_down(path->tunnel, code);
    } else if (path->server != NULL) {
        l2v_server_path_down(path->server, code);
    }
    return l2v_api_leave(ctx, 0);
}

/* An ICMP message proves nothing: a smaller MTU is believed within bounds, unreachability only
 * shortens the wait for a server that has not spoken yet. */
static void path_error(struct l2v_path *path, int32_t code, uint32_t mtu)
{
    l2tpvoip_tunnel *t = path->tunnel;
    if (t == NULL) {
        return;
    }
    l2v_client_path_error(t, code);
    uint32_t least = t->remote.family == 6 ? MIN_MTU6 : MIN_MTU4;
    if (mtu != 0 && t->assoc != NULL && mtu < t->assoc->path_mtu) {
        t->assoc->path_mtu = mtu > least ? mtu : least;
        l2v_assoc_update_mtu(t->assoc);
    }
}

int l2tpvoip_context_path_error(l2tpvoip_context *ctx, uint32_t path_id,
                                const l2tpvoip_addr *remote, int32_t code, uint32_t mtu,
                                uint64_t now_ns)
{
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    struct l2v_path *path = find_path(ctx, path_id);
    if (path == NULL) {
        return l2v_api_leave(ctx, L2TPVOIP_ERR_NOT_FOUND);
    }
    if (remote == NULL || remote->family == 0 || path->tunnel == NULL ||
        l2v_addr_equal_ip(remote, &path->tunnel->remote)) {
        path_error(path, code, mtu);
    }
    return l2v_api_leave(ctx, 0);
}

int l2tpvoip_context_path_writable(l2tpvoip_context *ctx, uint32_t path_id, uint64_t now_ns)
{
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    struct l2v_path *path = l2v_path_find(ctx, path_id);
    if (path == NULL) {
        return l2v_api_leave(ctx, L2TPVOIP_ERR_NOT_FOUND);
    }
    path->blocked = false;
    return l2v_api_leave(ctx, 0);
}

int l2tpvoip_context_resolved(l2tpvoip_context *ctx, uint64_t id, int32_t code,
                              const l2tpvoip_addr *addrs, size_t n, uint64_t now_ns)
{
    if (id == 0 || (addrs == NULL && n > 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    rc = L2TPVOIP_ERR_NOT_FOUND;
    L2V_LIST_EACH (pos, &ctx->tunnels) {
        l2tpvoip_tunnel *t = L2V_CONTAINER_OF(pos, l2tpvoip_tunnel, node);
        if (t->resolve_id == id) {
            l2v_client_resolved(t, code, addrs, n);
            rc = 0;
            break;
        }
    }
    return l2v_api_leave(ctx, rc);
}

static void probe_all(l2tpvoip_context *ctx)
{
    L2V_LIST_EACH (pos, &ctx->tunnels) {
        l2tpvoip_tunnel *t = L2V_CONTAINER_OF(pos, l2tpvoip_tunnel, node);
        if (t->assoc != NULL && t->phase == L2TPVOIP_PHASE_UP) {
            l2v_assoc_probe(t->assoc);
        }
    }
    L2V_LIST_EACH (pos, &ctx->servers) {
        l2tpvoip_server *s = L2V_CONTAINER_OF(pos, l2tpvoip_server, node);
        L2V_LIST_EACH (apos, &s->assocs) {
            l2v_assoc_probe(L2V_CONTAINER_OF(apos, struct l2v_assoc, node));
        }
    }
}

int l2tpvoip_context_network_changed(l2tpvoip_context *ctx, uint64_t now_ns)
{
    int rc = l2v_api_enter_at(ctx, now_ns);
    if (rc != 0) {
        return rc;
    }
    probe_all(ctx);
    return l2v_api_leave(ctx, 0);
}

int l2tpvoip_context_resumed(l2tpvoip_context *ctx, uint64_t slept_ns, uint64_t now_ns)
{
    (void)slept_ns;
    return l2tpvoip_context_network_changed(ctx, now_ns);
}

/* --- other threads ------------------------------------------------------------------------------------ */

int l2tpvoip_context_wakeup(l2tpvoip_context *ctx)
{
    if (ctx == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (ctx->io.wakeup != NULL) {
        ctx->io.wakeup(ctx->io.user);
    }
    return 0;
}

int l2tpvoip_context_post(l2tpvoip_context *ctx, void (*fn)(void *arg), void *arg)
{
    if (ctx == NULL || fn == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (ctx->freed) {
        return L2TPVOIP_ERR_CLOSED;
    }
    struct l2v_post *post = malloc(sizeof *post); /* the context's memory is its owner's */
    if (post == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    post->fn = fn;
    post->arg = arg;
    post->next = atomic_load(&ctx->posts);
    while (!atomic_compare_exchange_weak(&ctx->posts, &post->next, post)) {
    }
    return l2tpvoip_context_wakeup(ctx);
}

int l2tpvoip_context_take_job(l2tpvoip_context *ctx, l2tpvoip_job **ret_job)
{
    if (ret_job == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    *ret_job = (l2tpvoip_job *)l2v_jobs_take(&ctx->jobs);
    if (*ret_job != NULL) {
        (void)atomic_fetch_add(&ctx->holds, 1u);
    }
    return l2v_api_leave(ctx, 0);
}

void l2tpvoip_job_run(l2tpvoip_job *handle)
{
    struct l2v_job *job = (struct l2v_job *)handle;
    if (job == NULL) {
        return;
    }
    l2tpvoip_context *ctx = job->jobs->user;
    job->run(job);
    /* Its node is in no list while it is out: it links what came back, so nothing can fail. */
    struct l2v_list *next = atomic_load(&ctx->finished);
    do {
        job->node.next = next;
    } while (!atomic_compare_exchange_weak(&ctx->finished, &next, &job->node));
    (void)atomic_fetch_add(&ctx->waking, 1u);
    if (!atomic_load(&ctx->gone)) {
        (void)l2tpvoip_context_wakeup(ctx);
    }
    (void)atomic_fetch_sub(&ctx->waking, 1u);
    l2v_api_release(ctx);
}

int l2tpvoip_context_get_fd(l2tpvoip_context *ctx, int *ret_fd)
{
    if (ret_fd == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_socket_context_fd(ctx, ret_fd);
    return l2v_api_leave(ctx, rc);
}
