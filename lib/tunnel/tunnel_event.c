/* SPDX-License-Identifier: MIT */
/* Queues of what leaves the core upwards: events, deliveries, and objects to destroy. */
#include <string.h>

#include "l2v_tunnel.h"

void l2v_event_init(struct l2v_event_node *node, void *const *user)
{
    memset(node, 0, sizeof *node);
    l2v_list_init(&node->node);
    node->user = user;
}

void l2v_event_post(l2tpvoip_context *ctx, struct l2v_event_node *node, uint32_t type)
{
    if (node->pending == 0) {
        l2v_list_append(&ctx->events, &node->node);
    }
    node->pending |= 1u << type;
}

void l2v_event_post_moved(l2tpvoip_context *ctx, struct l2v_event_node *node,
                          const l2tpvoip_addr *old_addr, const l2tpvoip_addr *new_addr)
{
    if ((node->pending >> L2TPVOIP_EVENT_PATH_CHANGED & 1u) == 0) {
        node->old_outer = *old_addr;
    }
    node->new_outer = *new_addr;
    l2v_event_post(ctx, node, L2TPVOIP_EVENT_PATH_CHANGED);
}

void l2v_event_cancel(struct l2v_event_node *node)
{
    node->pending = 0;
    l2v_list_remove(&node->node);
}

/* What is news about life comes before what is news about death. */
static uint32_t lowest_type(uint32_t pending)
{
    static const uint8_t order[] = {
        L2TPVOIP_EVENT_TUNNEL_PROGRESS, L2TPVOIP_EVENT_SERVER_UP,      L2TPVOIP_EVENT_TUNNEL_UP,
        L2TPVOIP_EVENT_SESSION_UP,      L2TPVOIP_EVENT_ADDRESS_CHANGED, L2TPVOIP_EVENT_REKEYED,
        L2TPVOIP_EVENT_PATH_CHANGED,    L2TPVOIP_EVENT_SOCKET_READABLE, L2TPVOIP_EVENT_SOCKET_ERROR,
        L2TPVOIP_EVENT_CREDENTIALS_NEEDED, L2TPVOIP_EVENT_JOBS_READY,   L2TPVOIP_EVENT_SESSION_DOWN,
        L2TPVOIP_EVENT_TUNNEL_DOWN,     L2TPVOIP_EVENT_SERVER_DOWN};
    for (size_t i = 0; i < sizeof order; i++) {
        if ((pending >> order[i]) & 1u) {
            return order[i];
        }
    }
    return L2TPVOIP_EVENT_NONE;
}

/* A node serves events of several types: each gets only what is about it. */
static void fill_details(l2tpvoip_event *ret, const struct l2v_event_node *node)
{
    switch (ret->type) {
    case L2TPVOIP_EVENT_PATH_CHANGED:
        ret->old_addr = node->old_outer;
        ret->new_addr = node->new_outer;
        break;
    case L2TPVOIP_EVENT_ADDRESS_CHANGED:
        ret->old_addr = node->old_addr;
        ret->new_addr = node->new_addr;
        break;
    case L2TPVOIP_EVENT_SERVER_UP:
        ret->new_addr = node->new_addr;
        break;
    case L2TPVOIP_EVENT_SOCKET_ERROR:
        ret->new_addr = node->new_addr;
        ret->code = node->code;
        break;
    case L2TPVOIP_EVENT_TUNNEL_DOWN:
    case L2TPVOIP_EVENT_SESSION_DOWN:
    case L2TPVOIP_EVENT_SERVER_DOWN:
        ret->code = node->code;
        break;
    default:
        break;
    }
}

bool l2v_event_take(l2tpvoip_context *ctx, l2tpvoip_event *ret)
{
    /* The handle of a server's session dies after its last event, when the program has seen it. */
    if (ctx->dying != NULL) {
        l2v_session_bury(ctx->dying);
        ctx->dying = NULL;
    }
    if (l2v_list_is_empty(&ctx->events)) {
        return false;
    }
    struct l2v_event_node *node = L2V_CONTAINER_OF(ctx->events.next, struct l2v_event_node, node);
    uint32_t type = lowest_type(node->pending);
    node->pending &= ~(1u << type);
    if (node->pending == 0) {
        l2v_list_remove(&node->node);
    }
    memset(ret, 0, sizeof *ret);
    ret->type = type;
    fill_details(ret, node);
    ret->tunnel = node->tunnel;
    ret->server = node->server;
    ret->session = node->session;
    ret->socket = node->socket;
    ret->user = node->user != NULL ? *node->user : NULL;
    ret->time_ns = ctx->env.now_ns;
    if (type == L2TPVOIP_EVENT_SESSION_DOWN) {
        ctx->dying = node->session;
    }
    return true;
}

void l2v_delivery_post(l2tpvoip_context *ctx, struct l2v_delivery *d)
{
    if (l2v_list_is_empty(&d->node)) {
        l2v_list_append(&ctx->deliveries, &d->node);
    }
}

void l2v_grave_init(struct l2v_grave *g)
{
    l2v_list_init(&g->node);
    g->destroy = NULL;
}

void l2v_bury(l2tpvoip_context *ctx, struct l2v_grave *g, void (*destroy)(void *obj), void *obj)
{
    if (g->destroy != NULL) {
        return;
    }
    g->destroy = destroy;
    g->obj = obj;
    l2v_list_append(&ctx->graves, &g->node);
}

void l2v_graves_empty(l2tpvoip_context *ctx)
{
    while (!l2v_list_is_empty(&ctx->graves)) {
        struct l2v_grave *g = L2V_CONTAINER_OF(ctx->graves.next, struct l2v_grave, node);
        l2v_list_remove(&g->node);
        g->destroy(g->obj);
    }
}

void l2v_defer(l2tpvoip_context *ctx, struct l2v_grave *g, void (*fn)(void *obj), void *obj)
{
    if (g->destroy == NULL) {
        g->destroy = fn;
        g->obj = obj;
        l2v_list_append(&ctx->works, &g->node);
    }
}

void l2v_defer_cancel(struct l2v_grave *g)
{
    l2v_list_remove(&g->node);
    g->destroy = NULL;
}

void l2v_works_run(l2tpvoip_context *ctx)
{
    while (!l2v_list_is_empty(&ctx->works)) {
        struct l2v_grave *g = L2V_CONTAINER_OF(ctx->works.next, struct l2v_grave, node);
        void (*fn)(void *obj) = g->destroy;
        l2v_defer_cancel(g); /* it may be deferred again meanwhile */
        if (fn != NULL) {
            fn(g->obj);
        }
    }
}
