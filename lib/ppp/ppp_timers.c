/* SPDX-License-Identifier: MIT */
/* All timing policy of PPP: restart timers, echo, authentication.
 *
 * Restart (rfc1661#4.6): the first repetition comes early, a few round trips after the first try
 * (or a quarter of the configured time while the round trip is unknown); each further one doubles
 * up to the configured time. A lost packet so costs a phone a fraction of a second, not three, and
 * a slow peer (SoftEther asks a DHCP server inside IPCP) still has more than 20 s in all.
 *
 * Once we have acknowledged the peer's request the first repetition waits longer: if it crosses
 * with the peer's Ack, it finds the peer's automaton open and throws it back to the start
 * (rfc1661#4.1, RCR+ in Opened); a busy pppd then takes its interface down in mid-call. */
#include "ppp_link.h"

#define FIRST_MIN_MS 250u
#define ACKED_MIN_MS 1000u
#define LINGER_MS 500u
#define AUTH_DEADLINE_MS 60000u
#define ECHO_FAILURES 4u

static uint64_t from_ms(uint64_t n)
{
    return n * L2V_NS_PER_MS;
}

static void set(struct l2v_ppp *ppp, struct l2v_timer *t, uint64_t wait_ns)
{
    l2v_timer_set(&ppp->env->timers, t, ppp->env->now_ns + wait_ns);
}

uint64_t l2v_ppp_timers_wait(struct l2v_ppp *ppp, uint32_t attempt)
{
    uint64_t most = from_ms(ppp->config.restart_ms);
    uint64_t wait = ppp->rtt_ns != 0 ? 4 * ppp->rtt_ns : most / 4;
    uint64_t least = most < from_ms(FIRST_MIN_MS) ? most : from_ms(FIRST_MIN_MS);
    wait = wait < least ? least : wait;
    for (uint32_t i = 0; i < attempt && wait < most; i++) {
        wait *= 2;
    }
    wait = wait > most ? most : wait;
    /* up to an eighth of jitter, so that two ends do not keep in step */
    return wait + from_ms(l2v_random_below(ppp->env, (uint32_t)(wait / from_ms(1) / 8) + 1));
}

void l2v_ppp_timers_set_restart(struct l2v_ppp_cp *cp)
{
    set(cp->ppp, &cp->restart, l2v_ppp_timers_wait(cp->ppp, cp->attempt));
}

bool l2v_ppp_timers_postpone(struct l2v_ppp_cp *cp)
{
    struct l2v_env *env = cp->ppp->env;
    uint64_t least = from_ms(cp->ppp->config.restart_ms);
    least = least < from_ms(ACKED_MIN_MS) ? least : from_ms(ACKED_MIN_MS);
    if (cp->state != L2V_PPP_ACK_SENT || cp->sent_ns == 0 || env->now_ns >= cp->sent_ns + least) {
        return false;
    }
    l2v_timer_set(&env->timers, &cp->restart, cp->sent_ns + least);
    return true;
}

void l2v_ppp_timers_set_linger(struct l2v_ppp_cp *cp)
{
    uint64_t wait = from_ms(cp->ppp->config.restart_ms);
    set(cp->ppp, &cp->restart, wait < from_ms(LINGER_MS) ? wait : from_ms(LINGER_MS));
}

void l2v_ppp_timers_sample(struct l2v_ppp *ppp, uint64_t rtt_ns)
{
    rtt_ns = rtt_ns > 0 ? rtt_ns : 1;
    ppp->rtt_ns = ppp->rtt_ns == 0 ? rtt_ns : (7 * ppp->rtt_ns + rtt_ns) / 8;
}

/* --- echo ---------------------------------------------------------------------------------------
 */

/* Any packet of the peer's is a sign of life; the echo adds a round-trip time. */
static void tick_echo(void *arg)
{
    struct l2v_ppp *ppp = arg;
    struct l2v_ppp_echo *e = &ppp->echo;
    if (e->heard) {
        e->misses = 0;
    } else if (e->sent_ns != 0) {
        e->misses++;
    }
    e->heard = false;
    if (e->misses >= ppp->config.echo_failures) {
        l2v_ppp_set_fail(ppp, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_TIMEOUT, 0,
                         "Check the network between the two ends; then connect again.",
                         "The peer does not answer LCP Echo-Requests any more.");
        l2v_ppp_cp_send(&ppp->lcp, L2V_PPP_TERM_REQ, ++ppp->lcp.next_id, NULL, 0);
        l2v_ppp_finish(ppp); /* nobody is there to say good-bye to */
        return;
    }
    l2v_ppp_timers_send_echo(ppp);
    set(ppp, &e->timer, from_ms(ppp->config.echo_interval_ms));
}

void l2v_ppp_timers_send_echo(struct l2v_ppp *ppp)
{
    if (ppp->echo.off || !l2v_ppp_cp_is_open(&ppp->lcp)) {
        return;
    }
    ppp->echo.id++;
    ppp->echo.sent_ns = ppp->env->now_ns;
    l2v_ppp_lcp_send_echo(ppp, ppp->echo.id);
}

void l2v_ppp_timers_echo_reply(struct l2v_ppp *ppp, uint8_t id)
{
    struct l2v_ppp_echo *e = &ppp->echo;
    if (e->sent_ns == 0 || id != e->id) {
        return;
    }
    e->rtt_ns = ppp->env->now_ns - e->sent_ns;
    e->rtt_ns = e->rtt_ns > 0 ? e->rtt_ns : 1;
    e->sent_ns = 0;
    e->misses = 0;
    l2v_ppp_timers_sample(ppp, e->rtt_ns);
}

void l2v_ppp_timers_start_echo(struct l2v_ppp *ppp)
{
    ppp->echo.misses = 0;
    ppp->echo.heard = true;
    l2v_ppp_timers_send_echo(ppp); /* the round trip is wanted before the first call */
    if (ppp->config.echo_interval_ms != 0 && !ppp->echo.off) {
        set(ppp, &ppp->echo.timer, from_ms(ppp->config.echo_interval_ms));
    }
}

void l2v_ppp_timers_stop_echo(struct l2v_ppp *ppp)
{
    l2v_timer_cancel(&ppp->env->timers, &ppp->echo.timer);
    ppp->echo.sent_ns = 0;
}

/* --- authentication -----------------------------------------------------------------------------
 */

static void repeat_auth(void *arg)
{
    struct l2v_ppp *ppp = arg;
    struct l2v_ppp_auth *a = &ppp->auth;
    if (a->ops == NULL || a->done || a->failed) {
        return;
    }
    if (++a->tries >= ppp->config.max_configure) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_TIMEOUT, 0,
                     "Try again; the server may be waiting for its user database.",
                     "The peer does not answer in the authentication phase.");
        return;
    }
    a->ops->repeat(ppp);
    l2v_ppp_timers_auth_repeat(ppp);
}

static void end_auth(void *arg)
{
    struct l2v_ppp *ppp = arg;
    if (ppp->auth.asked) {
        return; /* a person is typing; the server has a patience of its own */
    }
    l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_TIMEOUT, 0, "Try again.",
                 "Authentication took too long.");
}

void l2v_ppp_timers_auth_deadline(struct l2v_ppp *ppp)
{
    set(ppp, &ppp->auth.deadline, from_ms(AUTH_DEADLINE_MS));
}

void l2v_ppp_timers_auth_repeat(struct l2v_ppp *ppp)
{
    /* The client's repetitions start late: the authenticator is the one that repeats, ours only
     * mend a lost Success, and the server may be asking a RADIUS server meanwhile. */
    set(ppp, &ppp->auth.repeat,
        ppp->config.server || ppp->auth.method == L2TPVOIP_AUTH_PAP
            ? l2v_ppp_timers_wait(ppp, ppp->auth.tries)
            : from_ms(ppp->config.restart_ms));
}

void l2v_ppp_timers_auth_stop(struct l2v_ppp *ppp)
{
    l2v_timer_cancel(&ppp->env->timers, &ppp->auth.repeat);
    l2v_timer_cancel(&ppp->env->timers, &ppp->auth.deadline);
}

/* --- life
 * ----------------------------------------------------------------------------------------- */

void l2v_ppp_timers_init(struct l2v_ppp *ppp)
{
    struct l2v_ppp_config *c = &ppp->config;
    c->restart_ms = c->restart_ms != 0 ? c->restart_ms : L2V_PPP_RESTART_MS;
    c->max_configure = c->max_configure != 0 ? c->max_configure : L2V_PPP_MAX_CONFIGURE;
    c->max_terminate = c->max_terminate != 0 ? c->max_terminate : L2V_PPP_MAX_TERMINATE;
    c->max_failure = c->max_failure != 0 ? c->max_failure : L2V_PPP_MAX_FAILURE;
    c->echo_failures = c->echo_failures != 0 ? c->echo_failures : ECHO_FAILURES;
    l2v_timer_init(&ppp->echo.timer, "lcp echo", tick_echo, ppp);
    l2v_timer_init(&ppp->auth.repeat, "ppp auth", repeat_auth, ppp);
    l2v_timer_init(&ppp->auth.deadline, "ppp auth deadline", end_auth, ppp);
}

void l2v_ppp_timers_clear(struct l2v_ppp *ppp)
{
    l2v_ppp_timers_stop_echo(ppp);
    l2v_ppp_timers_auth_stop(ppp);
}
