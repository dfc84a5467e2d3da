/* SPDX-License-Identifier: MIT */
/* Entering and leaving the core. Inside, protocol code runs and posts; on the way out of the
 * outermost entry everything is settled: deferred work, packets, messages, events, graves. */
#include <stdlib.h>
#include <string.h>

#include "l2v_api.h"

#ifdef L2V_THREAD_CHECK
#include <pthread.h>
#endif

/* What a program starts in its callbacks is settled in further rounds; an endless exchange between
 * callbacks ends here and goes on at the next entry. */
#define MAX_ROUNDS 16u
#define MAX_EVENTS 256u

/* --- the owner ------------------------------------------------------------------------------- */

/* Ownership may be handed over between calls; two threads inside at once is the error. */
static int claim(l2tpvoip_context *ctx)
{
#ifdef L2V_THREAD_CHECK
    unsigned long self = (unsigned long)pthread_self();
    unsigned long owner = 0;
    if (!atomic_compare_exchange_strong(&ctx->owner_thread, &owner, self) && owner != self) {
        return L2TPVOIP_ERR_THREAD;
    }
#endif
    (void)ctx;
    return 0;
}

static void disclaim(l2tpvoip_context *ctx)
{
#ifdef L2V_THREAD_CHECK
    atomic_store(&ctx->owner_thread, 0ul);
#endif
    (void)ctx;
}

static uint64_t read_clock(l2tpvoip_context *ctx)
{
    uint64_t now = ctx->env.now_ns;
    if (ctx->env.ops.monotonic_ns != NULL) {
        ctx->env.in_provider++;
        now = ctx->env.ops.monotonic_ns(ctx->env.ops.user);
        ctx->env.in_provider--;
    }
    return now;
}

static int enter(l2tpvoip_context *ctx, const uint64_t *now_ns)
{
    if (ctx == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = claim(ctx);
    if (rc != 0) {
        return rc;
    }
    if (ctx->env.in_provider != 0) {
        return L2TPVOIP_ERR_REENTRANT;
    }
    if (ctx->depth++ == 0) {
        uint64_t now = now_ns != NULL ? *now_ns : read_clock(ctx);
        if (now > ctx->env.now_ns) {
            ctx->env.now_ns = now;
        }
    }
    return 0;
}

int l2v_api_enter(l2tpvoip_context *ctx)
{
    return enter(ctx, NULL);
}

int l2v_api_enter_at(l2tpvoip_context *ctx, uint64_t now_ns)
{
    return enter(ctx, &now_ns);
}

int l2v_api_check(const l2tpvoip_context *ctx)
{
    if (ctx == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    return ctx->env.in_provider != 0 ? L2TPVOIP_ERR_REENTRANT : 0;
}

/* --- settling ---------------------------------------------------------------------------------- */

static void finish_jobs(l2tpvoip_context *ctx)
{
    struct l2v_list *node = atomic_exchange(&ctx->finished, NULL);
    struct l2v_list *in_order = NULL;
    while (node != NULL) {
        struct l2v_list *next = node->next;
        node->next = in_order;
        in_order = node;
        node = next;
    }
    while (in_order != NULL) {
        struct l2v_job *job = L2V_CONTAINER_OF(in_order, struct l2v_job, node);
        in_order = in_order->next;
        l2v_list_init(&job->node);
        l2v_jobs_finish(job);
    }
}

static void run_posts(l2tpvoip_context *ctx)
{
    struct l2v_post *post = atomic_exchange(&ctx->posts, NULL);
    struct l2v_post *in_order = NULL;
    while (post != NULL) {
        struct l2v_post *next = post->next;
        post->next = in_order;
        in_order = post;
        post = next;
    }
    while (in_order != NULL) {
        struct l2v_post *next = in_order->next;
        if (!ctx->freed) {
            in_order->fn(in_order->arg);
        }
        free(in_order);
        in_order = next;
    }
}

static bool drain_sessions(l2tpvoip_context *ctx)
{
    bool done = false;
    struct l2v_list *last = ctx->ready.prev;
    while (!l2v_list_is_empty(&ctx->ready)) {
        struct l2v_list *pos = ctx->ready.next;
        done = l2v_session_drain(L2V_CONTAINER_OF(pos, l2tpvoip_session, ready_node)) || done;
        if (pos == last) {
            break;
        }
    }
    return done;
}

void l2v_api_drain(l2tpvoip_context *ctx)
{
    bool more = true;
    while (more) {
        more = drain_sessions(ctx);
        if (ctx->io.send_batch == NULL) {
            continue;
        }
        L2V_LIST_EACH_SAFE (pos, &ctx->paths) {
            l2v_path_flush(L2V_CONTAINER_OF(pos, struct l2v_path, node));
        }
    }
}

void l2v_api_deliver_messages(l2tpvoip_context *ctx)
{
    while (!l2v_list_is_empty(&ctx->deliveries) && !ctx->freed) {
        struct l2v_delivery *d =
            L2V_CONTAINER_OF(ctx->deliveries.next, struct l2v_delivery, node);
        l2v_list_remove(&d->node);
        d->deliver(d->obj);
    }
}

static void deliver_events(l2tpvoip_context *ctx)
{
    l2tpvoip_event event;
    for (unsigned n = 0; n < MAX_EVENTS && ctx->on_event != NULL && !ctx->freed; n++) {
        if (!l2v_event_take(ctx, &event)) {
            return;
        }
        ctx->on_event(ctx->event_user, &event);
    }
}

static bool is_settled(const l2tpvoip_context *ctx)
{
    return (ctx->on_event == NULL || l2v_list_is_empty(&ctx->events)) &&
           l2v_list_is_empty(&ctx->deliveries) && l2v_list_is_empty(&ctx->works);
}

static void report_expiry(l2tpvoip_context *ctx)
{
    uint64_t expiry = l2v_api_get_expiry(ctx);
    if (ctx->io.expiry_changed == NULL || expiry == ctx->reported_expiry) {
        return;
    }
    ctx->reported_expiry = expiry;
    ctx->env.in_provider++;
    ctx->io.expiry_changed(ctx->io.user, expiry);
    ctx->env.in_provider--;
}

static void settle(l2tpvoip_context *ctx)
{
    if (atomic_load(&ctx->finished) != NULL) {
        finish_jobs(ctx);
    }
    if (atomic_load(&ctx->posts) != NULL) {
        run_posts(ctx);
    }
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        l2v_works_run(ctx);
        l2v_api_deliver_messages(ctx);
        deliver_events(ctx);
        l2v_works_run(ctx);
        l2v_api_drain(ctx);
        l2v_graves_empty(ctx);
        if (ctx->freed || is_settled(ctx)) {
            break;
        }
    }
}

int l2v_api_leave(l2tpvoip_context *ctx, int rc)
{
    if (ctx->depth > 1) {
        ctx->depth--;
        return rc;
    }
    settle(ctx);
    if (!ctx->freed) {
        report_expiry(ctx);
    }
    ctx->depth = 0;
    disclaim(ctx);
    if (ctx->freed) {
        l2v_api_destroy(ctx);
    }
    return rc;
}

uint64_t l2v_api_get_expiry(const l2tpvoip_context *ctx)
{
    bool inline_job = (ctx->flags & L2TPVOIP_CONTEXT_EXTERNAL_JOBS) == 0 && ctx->jobs.n_waiting > 0;
    if (inline_job || !is_settled(ctx) || atomic_load(&ctx->posts) != NULL ||
        atomic_load(&ctx->finished) != NULL) {
        return ctx->env.now_ns;
    }
    return l2v_timers_next(&ctx->env.timers);
}
