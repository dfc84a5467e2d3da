/* SPDX-License-Identifier: MIT */
/* Life of a context. */
#include <stdlib.h>
#include <string.h>

#include "l2v_api.h"

#define DEFAULT_MAX_PACKETS 4096u

static void on_jobs_ready(void *user)
{
    l2tpvoip_context *ctx = user;
    if ((ctx->flags & L2TPVOIP_CONTEXT_EXTERNAL_JOBS) != 0) {
        l2v_event_post(ctx, &ctx->event, L2TPVOIP_EVENT_JOBS_READY);
    }
}

struct tables { /* of one context, as far as the caller knows them */
    l2tpvoip_mem mem;
    l2tpvoip_env_ops env;
    l2tpvoip_log_ops log;
    l2tpvoip_tap_ops tap;
};

static int copy_table(void *dst, size_t size, const void *src)
{
    return src != NULL ? l2v_api_copy_in(dst, size, src) : 0;
}

static int copy_tables(struct tables *t, l2tpvoip_io_ops *io, const l2tpvoip_context_options *o)
{
    memset(t, 0, sizeof *t);
    int rc = copy_table(&t->mem, sizeof t->mem, o->mem);
    rc = rc != 0 ? rc : copy_table(&t->env, sizeof t->env, o->env);
    rc = rc != 0 ? rc : copy_table(&t->log, sizeof t->log, o->log);
    rc = rc != 0 ? rc : copy_table(&t->tap, sizeof t->tap, o->tap);
    rc = rc != 0 ? rc : copy_table(io, sizeof *io, o->io);
    if (rc != 0) {
        return rc;
    }
    bool has_malloc = t->mem.malloc_fn != NULL, has_calloc = t->mem.calloc_fn != NULL;
    bool has_realloc = t->mem.realloc_fn != NULL, has_free = t->mem.free_fn != NULL;
    if (o->mem != NULL && !(has_malloc && has_calloc && has_realloc && has_free) &&
        (has_malloc || has_calloc || has_realloc || has_free)) {
        return L2TPVOIP_ERR_INVALID;
    }
    bool has_new = io->notify_new != NULL, has_set = io->notify_set != NULL;
    if (has_new != has_set || has_new != (io->notify_clear != NULL) ||
        has_new != (io->notify_free != NULL)) {
        return L2TPVOIP_ERR_INVALID;
    }
    return 0;
}

static void init_lists(l2tpvoip_context *ctx)
{
    struct l2v_list *lists[] = {&ctx->paths,  &ctx->ready,      &ctx->tunnels, &ctx->servers,
                                &ctx->events, &ctx->deliveries, &ctx->works,   &ctx->graves};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        l2v_list_init(lists[i]);
    }
    l2v_pktq_init(&ctx->lent);
    l2v_event_init(&ctx->event, &ctx->no_user);
    atomic_init(&ctx->posts, NULL);
    atomic_init(&ctx->finished, NULL);
    atomic_init(&ctx->owner_thread, 0ul);
    atomic_init(&ctx->holds, 1u);
    atomic_init(&ctx->waking, 0u);
    atomic_init(&ctx->gone, false);
    ctx->notify_fd = -1;
    ctx->next_path_id = 1;
    ctx->reported_expiry = L2V_NEVER;
}

static int start(l2tpvoip_context *ctx, const l2tpvoip_context_options *o)
{
    struct l2v_env *env = &ctx->env;
    uint32_t max = o->max_packets != 0 ? o->max_packets : DEFAULT_MAX_PACKETS;
    int rc = l2v_pkt_pool_new(env, max, &env->pool);
    rc = rc != 0 ? rc : l2v_crypto_new(env, o->libctx, &ctx->crypto);
    rc = rc != 0 ? rc : l2v_map_init(&ctx->spis, env);
    rc = rc != 0 ? rc
                 : l2v_ike_new(env, ctx->crypto, &ctx->jobs, &l2v_assoc_ike_ops, ctx, &ctx->ike);
    if (rc == 0 && ctx->shard_bits != 0) {
        l2v_ike_set_shard(ctx->ike, ctx->shard, ctx->shard_bits);
    }
    return rc;
}

int l2tpvoip_context_new(const l2tpvoip_context_options *options, uint64_t now_ns,
                         l2tpvoip_context **ret_ctx)
{
    l2tpvoip_context_options o;
    l2tpvoip_io_ops io;
    struct tables t;
    memset(&o, 0, sizeof o);
    memset(&io, 0, sizeof io);
    if (ret_ctx == NULL || (options != NULL && l2v_api_copy_in(&o, sizeof o, options) != 0) ||
        copy_tables(&t, &io, &o) != 0 || o.shard_bits > 8 || (o.shard >> o.shard_bits) != 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    bool own_mem = t.mem.calloc_fn != NULL;
    l2tpvoip_context *ctx = own_mem ? t.mem.calloc_fn(t.mem.user, 1, sizeof *ctx)
                                    : calloc(1, sizeof *ctx);
    if (ctx == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    int rc = l2v_env_init(&ctx->env, own_mem ? &t.mem : NULL, o.env != NULL ? &t.env : NULL,
                          o.log != NULL ? &t.log : NULL, o.tap != NULL ? &t.tap : NULL, now_ns);
    ctx->io = io;
    ctx->on_event = o.on_event;
    ctx->event_user = o.event_user;
    ctx->flags = o.flags;
    ctx->shard = o.shard;
    ctx->shard_bits = o.shard_bits;
    init_lists(ctx);
    l2v_jobs_init(&ctx->jobs, &ctx->env, on_jobs_ready, ctx);
    rc = rc != 0 ? rc : start(ctx, &o);
    if (rc != 0) {
        l2v_api_destroy(ctx);
        return rc;
    }
    *ret_ctx = ctx;
    return 0;
}

static void discard_deliveries(l2tpvoip_context *ctx)
{
    while (!l2v_list_is_empty(&ctx->deliveries)) {
        struct l2v_delivery *d =
            L2V_CONTAINER_OF(ctx->deliveries.next, struct l2v_delivery, node);
        l2v_list_remove(&d->node);
        if (d->discard != NULL) {
            d->discard(d->obj);
        }
    }
}

static void free_posts(l2tpvoip_context *ctx)
{
    struct l2v_post *post = atomic_exchange(&ctx->posts, NULL);
    while (post != NULL) {
        struct l2v_post *next = post->next;
        free(post);
        post = next;
    }
}

static void finish_quietly(l2tpvoip_context *ctx)
{
    struct l2v_list *node = atomic_exchange(&ctx->finished, NULL);
    while (node != NULL) {
        struct l2v_job *job = L2V_CONTAINER_OF(node, struct l2v_job, node);
        node = node->next;
        l2v_list_init(&job->node);
        l2v_job_cancel(job);
        l2v_jobs_finish(job);
    }
}

static void free_notify(l2tpvoip_context *ctx)
{
    if (ctx->notify_fd >= 0 && ctx->io.notify_free != NULL) {
        ctx->env.in_provider++;
        ctx->io.notify_free(ctx->io.user, ctx->notify_fd);
        ctx->env.in_provider--;
    }
}

/* What is left when no thread works for the context any more. */
static void free_rest(l2tpvoip_context *ctx)
{
    finish_quietly(ctx);
    l2v_jobs_clear(&ctx->jobs);
    if (ctx->crypto != NULL) {
        l2v_crypto_free(ctx->crypto);
    }
    if (ctx->env.pool != NULL) {
        l2v_pkt_pool_free(ctx->env.pool);
    }
    l2tpvoip_mem mem = ctx->env.mem;
    l2v_env_clear(&ctx->env);
    if (mem.free_fn != NULL) {
        mem.free_fn(mem.user, ctx);
    } else {
        free(ctx);
    }
}

void l2v_api_release(l2tpvoip_context *ctx)
{
    if (atomic_fetch_sub(&ctx->holds, 1u) == 1u) {
        free_rest(ctx);
    }
}

/* Without a word: nothing is sent, nothing called back. */
void l2v_api_destroy(l2tpvoip_context *ctx)
{
    discard_deliveries(ctx);
    l2v_graves_empty(ctx);
    if (ctx->dying != NULL) {
        l2v_session_free(ctx->dying);
    }
    while (!l2v_list_is_empty(&ctx->tunnels)) {
        l2v_client_destroy(L2V_CONTAINER_OF(ctx->tunnels.next, l2tpvoip_tunnel, node));
    }
    while (!l2v_list_is_empty(&ctx->servers)) {
        l2v_server_destroy(L2V_CONTAINER_OF(ctx->servers.next, l2tpvoip_server, node));
    }
    if (ctx->ike != NULL) {
        l2v_ike_free(ctx->ike);
    }
    l2v_path_free_all(ctx);
    l2v_graves_empty(ctx);
    l2v_pktq_clear(&ctx->lent);
    free_posts(ctx);
    free_notify(ctx);
    l2v_map_clear(&ctx->spis);
    /* A job that comes back just now may be about to wake a backend that is freed next. */
    atomic_store(&ctx->gone, true);
    while (atomic_load(&ctx->waking) != 0) {
    }
    l2v_api_release(ctx);
}

void l2tpvoip_context_free(l2tpvoip_context *ctx)
{
    if (ctx == NULL || ctx->freed) {
        return;
    }
    ctx->freed = true;
    if (ctx->depth == 0) {
        l2v_api_destroy(ctx);
    }
}

int l2tpvoip_context_get_failure(const l2tpvoip_context *ctx, l2tpvoip_failure *ret_failure)
{
    int rc = l2v_api_check(ctx);
    if (rc != 0 || ret_failure == NULL) {
        return rc != 0 ? rc : L2TPVOIP_ERR_INVALID;
    }
    *ret_failure = ctx->failure;
    return 0;
}
