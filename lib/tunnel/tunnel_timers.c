/* SPDX-License-Identifier: MIT */
/* All timing policy of the composer. The protocols have their own in their *_timers.c. */
#include "l2v_tunnel.h"

/* LCP Terminate, CDN, StopCCN and Delete together must not take longer than this. */
#define CLOSE_MS 3000u
/* A plain L2TP peer without a control connection is forgotten after one cycle of retransmissions,
 * rfc2661#5.7: 1 + 2 + 4 + 8 + 8 + 8 s. */
#define LINGER_MS 31000u
/* IPV6CP is open: how long IPCP may still take before the session is announced without IPv4. */
#define NCP_GRACE_MS 15000u
/* Media goes out and nothing comes in: the peer is asked whether it lives. It has 15 s to answer. */
#define MEDIA_SILENCE_MS 5000u
#define DEFAULT_CONNECT_MS 30000u
/* After an ICMP error, before anything was heard: the server is not there, but be it a passing
 * fault or a forgery, a few retransmissions may still get through. */
#define ICMP_GRACE_MS 4000u
/* Between message 3 of quick mode and SCCRQ: a responder with IPsec in its kernel installs the
 * pair when it has read message 3; what arrives before is lost and costs a retransmission, 1 s. */
#define SETTLE_MS 20u

static void set_ms(l2tpvoip_context *ctx, struct l2v_timer *timer, uint64_t ms)
{
    l2v_timer_set(&ctx->env.timers, timer, ctx->env.now_ns + ms * L2V_NS_PER_MS);
}

static void fire_connect(void *arg)
{
    l2v_client_timed_out(arg);
}

static void fire_client_close(void *arg)
{
    l2v_client_close_now(arg);
}

static void fire_server_close(void *arg)
{
    l2v_server_close_now(arg);
}

static void fire_settle(void *arg)
{
    l2v_client_secured(arg);
}

void l2v_client_timers_start(l2tpvoip_tunnel *t)
{
    uint32_t ms = t->options.connect_timeout_ms;
    set_ms(t->ctx, &t->connect_timer, ms != 0 ? ms : DEFAULT_CONNECT_MS);
}

void l2v_client_timers_init(l2tpvoip_tunnel *t)
{
    l2v_timer_init(&t->connect_timer, "tunnel connect", fire_connect, t);
    l2v_timer_init(&t->close_timer, "tunnel close", fire_client_close, t);
    l2v_timer_init(&t->settle_timer, "tunnel settle", fire_settle, t);
}

void l2v_client_timers_settle(l2tpvoip_tunnel *t)
{
    set_ms(t->ctx, &t->settle_timer, SETTLE_MS);
}

void l2v_client_timers_unreachable(l2tpvoip_tunnel *t)
{
    uint64_t at = t->ctx->env.now_ns + ICMP_GRACE_MS * L2V_NS_PER_MS;
    if (l2v_timer_is_set(&t->connect_timer) && at < t->connect_timer.expiry_ns) {
        l2v_timer_set(&t->ctx->env.timers, &t->connect_timer, at);
    }
}

void l2v_client_timers_up(l2tpvoip_tunnel *t)
{
    l2v_timer_cancel(&t->ctx->env.timers, &t->connect_timer);
}

void l2v_client_timers_closing(l2tpvoip_tunnel *t)
{
    l2v_timer_cancel(&t->ctx->env.timers, &t->connect_timer);
    l2v_timer_cancel(&t->ctx->env.timers, &t->settle_timer);
    set_ms(t->ctx, &t->close_timer, CLOSE_MS);
}

void l2v_client_timers_stop(l2tpvoip_tunnel *t)
{
    l2v_timer_cancel(&t->ctx->env.timers, &t->connect_timer);
    l2v_timer_cancel(&t->ctx->env.timers, &t->settle_timer);
    l2v_timer_cancel(&t->ctx->env.timers, &t->close_timer);
}

static void fire_linger(void *arg)
{
    struct l2v_assoc *assoc = arg;
    l2v_server_forget(assoc);
}

void l2v_assoc_timers_init(struct l2v_assoc *assoc)
{
    l2v_timer_init(&assoc->linger, "association linger", fire_linger, assoc);
}

void l2v_assoc_timers_idle(struct l2v_assoc *assoc, bool idle)
{
    if (!idle) {
        l2v_timer_cancel(&assoc->ctx->env.timers, &assoc->linger);
    } else if (!l2v_timer_is_set(&assoc->linger)) {
        set_ms(assoc->ctx, &assoc->linger, LINGER_MS);
    }
}

void l2v_assoc_timers_stop(struct l2v_assoc *assoc)
{
    l2v_timer_cancel(&assoc->ctx->env.timers, &assoc->linger);
}

static void fire_ncp(void *arg)
{
    l2v_session_announce(arg);
}

void l2v_session_timers_init(l2tpvoip_session *s)
{
    l2v_timer_init(&s->ncp_timer, "session ncp", fire_ncp, s);
}

void l2v_session_timers_ncp(l2tpvoip_session *s)
{
    if (!l2v_timer_is_set(&s->ncp_timer)) {
        set_ms(s->ctx, &s->ncp_timer, NCP_GRACE_MS);
    }
}

void l2v_session_timers_stop(l2tpvoip_session *s)
{
    l2v_timer_cancel(&s->ctx->env.timers, &s->ncp_timer);
}

void l2v_assoc_timers_media(struct l2v_assoc *assoc)
{
    uint64_t now = assoc->ctx->env.now_ns;
    uint64_t silence = MEDIA_SILENCE_MS * L2V_NS_PER_MS;
    uint64_t since = assoc->last_rx_ns > assoc->probed_ns ? assoc->last_rx_ns : assoc->probed_ns;
    if (now - since >= silence) {
        assoc->probed_ns = now;
        l2v_assoc_probe(assoc);
    }
}

void l2v_server_timers_init(l2tpvoip_server *s)
{
    l2v_timer_init(&s->close_timer, "server close", fire_server_close, s);
}

void l2v_server_timers_closing(l2tpvoip_server *s)
{
    set_ms(s->ctx, &s->close_timer, CLOSE_MS);
}

void l2v_server_timers_stop(l2tpvoip_server *s)
{
    l2v_timer_cancel(&s->ctx->env.timers, &s->close_timer);
}
