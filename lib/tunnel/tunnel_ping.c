/* SPDX-License-Identifier: MIT */
/* Pings of a program: the answer comes from the inner network and is delivered like an event. */
#include "l2v_tunnel.h"

#define MAX_PINGS 64u
#define DEFAULT_TIMEOUT_MS 5000u

struct ping {
    struct l2v_list node; /* in session->pings until it is answered */
    struct l2v_delivery delivery;
    l2tpvoip_context *ctx;
    l2tpvoip_session *session;
    l2tpvoip_ping_fn fn;
    void *user;
    int code;
    l2tpvoip_addr from;
    uint64_t rtt_ns;
    struct l2v_grave grave;
};

static void destroy_ping(void *obj)
{
    struct ping *p = obj;
    l2v_free(&p->ctx->env, p);
}

static void deliver_ping(void *obj)
{
    struct ping *p = obj;
    l2v_bury(p->ctx, &p->grave, destroy_ping, p);
    p->fn(p->user, p->code, &p->from, p->rtt_ns);
}

static void answer(struct ping *p, int code, const l2tpvoip_addr *from, uint64_t rtt_ns)
{
    l2v_list_remove(&p->node);
    p->code = code;
    p->from = *from;
    p->rtt_ns = rtt_ns;
    l2v_delivery_post(p->ctx, &p->delivery);
}

static void on_answer(void *user, int code, const l2tpvoip_addr *from, uint64_t rtt_ns)
{
    struct ping *p = user;
    answer(p, code, from != NULL ? from : &p->from, code == 0 ? rtt_ns : L2V_NEVER);
}

static unsigned count_pings(const l2tpvoip_session *s)
{
    unsigned n = 0;
    L2V_LIST_EACH (pos, &s->pings) {
        n++;
    }
    return n;
}

int l2v_session_ping(l2tpvoip_session *s, const l2tpvoip_addr *to, uint32_t payload_len,
                     uint32_t timeout_ms, l2tpvoip_ping_fn fn, void *user)
{
    if (!s->up || s->down || s->nif == NULL) {
        return L2TPVOIP_ERR_STATE;
    }
    if (count_pings(s) >= MAX_PINGS) {
        return L2TPVOIP_ERR_LIMIT;
    }
    struct ping *p = l2v_calloc(&s->ctx->env, 1, sizeof *p);
    if (p == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    l2v_list_init(&p->node);
    l2v_list_init(&p->delivery.node);
    l2v_grave_init(&p->grave);
    p->delivery.deliver = deliver_ping;
    p->delivery.discard = destroy_ping;
    p->delivery.obj = p;
    p->ctx = s->ctx;
    p->session = s;
    p->fn = fn;
    p->user = user;
    p->from = *to;
    uint64_t ms = timeout_ms != 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
    int rc = l2v_inet_ping(s->nif, to, payload_len, ms * L2V_NS_PER_MS, on_answer, p);
    if (rc != 0) {
        l2v_free(&s->ctx->env, p);
        return rc;
    }
    l2v_list_append(&s->pings, &p->node);
    return 0;
}

void l2v_session_end_pings(l2tpvoip_session *s, bool tell)
{
    while (!l2v_list_is_empty(&s->pings)) {
        struct ping *p = L2V_CONTAINER_OF(s->pings.next, struct ping, node);
        if (s->nif != NULL) {
            l2v_inet_ping_cancel(s->nif, p);
        }
        if (tell) {
            l2tpvoip_addr from = p->from;
            answer(p, L2TPVOIP_ERR_CLOSED, &from, L2V_NEVER);
        } else {
            l2v_list_remove(&p->node);
            l2v_free(&s->ctx->env, p);
        }
    }
}
