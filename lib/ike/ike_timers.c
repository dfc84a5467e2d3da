/* SPDX-License-Identifier: MIT */
/* All timing policy of IKE. The other files say what happened and are told when to act. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "ike_engine.h"

#define WAIT_M5 (60 * L2V_NS_PER_S)      /* responder: from the last message 3 to message 5 */
#define RESEND_CAP (16 * L2V_NS_PER_S)   /* the doubling ends here */
#define DIAGNOSE_WAIT (3 * L2V_NS_PER_S) /* for an answer to the wide offer */
#define HASTE (2 * L2V_NS_PER_S)         /* after an unauthenticated refusal */
#define SA_GRACE (10 * L2V_NS_PER_S)     /* a replaced ISAKMP SA until its Delete */
#define CHILD_GRACE (10 * L2V_NS_PER_S)  /* a replaced pair until its Delete */
#define CHILD_LINGER (5 * L2V_NS_PER_S)  /* inbound after the Delete: what is under way */
#define QM_LINGER (60 * L2V_NS_PER_S)    /* answers duplicates */
#define COLLISION                                                                                  \
    (20 *                                                                                          \
     L2V_NS_PER_S) /* younger than this apart, two pairs crossed; older, one follows the other */
#define CLIENT_CHILDLESS (2 * L2V_NS_PER_S) /* then it asks for a pair again */
#define SERVER_CHILDLESS (90 * L2V_NS_PER_S)
#define RENEW_MIN_S 30u /* shorter lives are not renewed by a server */
#define RETRY (15 * L2V_NS_PER_S)
#define PROBE_URGENT (15 * L2V_NS_PER_S) /* a probe that was asked for decides within this */
#define PROBE_CAP (8 * L2V_NS_PER_S)

static struct l2v_timers *timers_of(struct l2v_ike *ike)
{
    return &ike->env->timers;
}

static void set_in(struct l2v_ike *ike, struct l2v_timer *t, uint64_t delay_ns)
{
    l2v_timer_set(timers_of(ike), t, ike->env->now_ns + delay_ns);
}

/* low to high percent of a life, at random: not all clients come at once. */
static uint64_t share_of(struct l2v_ike *ike, uint32_t life_s, unsigned low, unsigned high)
{
    uint64_t milli = low * 10 + l2v_random_below(ike->env, (high - low) * 10 + 1);
    return (uint64_t)life_s * L2V_NS_PER_MS * milli;
}

/* --- retransmission ------------------------------------------------------------------------------
 */

void l2v_ike_timers_flight_start(struct l2v_ike_sa *sa, struct l2v_ike_flight *f)
{
    f->delay_ns = sa->config->retransmit_ms * L2V_NS_PER_MS;
    f->max = sa->config->retransmit_tries + 1;
    if (sa->state == L2V_MM_I1 && f->max == 6 && !sa->peer->up) {
        f->max = 5; /* the diagnosis is to fit into the 30 s that a set-up has */
    }
    if (sa->state == L2V_MM_I1 && f->max > 4 &&
        l2v_ike_config_quirk(sa->config, L2V_IKE_QUIRK_SILENT_REFUSAL)) {
        f->max = 4; /* silence is what such peers say to a bad offer */
    }
    set_in(sa->ike, &f->timer, f->delay_ns);
}

bool l2v_ike_timers_flight_next(struct l2v_ike_sa *sa, struct l2v_ike_flight *f)
{
    if (f->msg == NULL || f->sent >= f->max) {
        return false;
    }
    f->delay_ns = f->delay_ns * 2 > RESEND_CAP ? RESEND_CAP : f->delay_ns * 2;
    set_in(sa->ike, &f->timer, f->delay_ns);
    return true;
}

void l2v_ike_timers_flight_stop(struct l2v_ike_sa *sa, struct l2v_ike_flight *f)
{
    l2v_timer_cancel(timers_of(sa->ike), &f->timer);
}

void l2v_ike_timers_flight_hasten(struct l2v_ike_sa *sa, struct l2v_ike_flight *f)
{
    uint64_t when = sa->ike->env->now_ns + HASTE;
    if (l2v_timer_is_set(&f->timer)) {
        f->max = f->sent;
        if (f->timer.expiry_ns > when) {
            l2v_timer_set(timers_of(sa->ike), &f->timer, when);
        }
    }
}

void l2v_ike_timers_diagnose(struct l2v_ike_sa *sa)
{
    sa->flight.max = sa->flight.sent;
    set_in(sa->ike, &sa->flight.timer, DIAGNOSE_WAIT);
}

/* --- ISAKMP SAs ----------------------------------------------------------------------------------
 */

static void on_sa_soft(void *arg)
{
    struct l2v_ike_sa *sa = arg;
    struct l2v_ike *ike = sa->ike;
    l2v_ike_enter(ike);
    if (!sa->retired && sa->peer != NULL) {
        l2v_ike_peer_renew(sa->peer);
    }
    l2v_ike_leave(ike);
}

static void on_sa_hard(void *arg)
{
    struct l2v_ike_sa *sa = arg;
    struct l2v_ike *ike = sa->ike;
    struct l2v_ike_peer *peer = sa->peer;
    l2v_ike_enter(ike);
    if (sa->state != L2V_MM_UP) {
        l2v_ike1_main_silence(sa);
    } else {
        struct l2v_ike_sa *by = l2v_ike_peer_sa(peer);
        l2v_ike1_info_delete_sa(by != NULL ? by : sa, sa);
        if (!sa->dead) {
            l2v_ike1_sa_kill(sa);
        }
        l2v_ike_peer_sa_gone(peer, NULL);
    }
    l2v_ike_leave(ike);
}

void l2v_ike_timers_sa_init(struct l2v_ike_sa *sa)
{
    l2v_timer_init(&sa->soft, "ike sa soft life", on_sa_soft, sa);
    l2v_timer_init(&sa->hard, "ike sa hard life", on_sa_hard, sa);
}

void l2v_ike_timers_sa_stop(struct l2v_ike_sa *sa)
{
    l2v_timer_cancel(timers_of(sa->ike), &sa->soft);
    l2v_timer_cancel(timers_of(sa->ike), &sa->hard);
}

void l2v_ike_timers_sa_waits(struct l2v_ike_sa *sa)
{
    set_in(sa->ike, &sa->hard, WAIT_M5);
}

/* The side that made the connection renews first; the other only if that fails to happen, and not
 * at all where the profile says that the peer does it. */
static bool renews(const struct l2v_ike_peer *peer, uint32_t life_s)
{
    /* A client that asks for a life of seconds gets it, but not our work. */
    return peer->initiator ||
           (life_s >= RENEW_MIN_S &&
            !l2v_ike_config_quirk(peer->config, L2V_IKE_QUIRK_PEER_REKEYS));
}

void l2v_ike_timers_sa_up(struct l2v_ike_sa *sa)
{
    bool first = sa->peer->initiator;
    if (renews(sa->peer, sa->life_s)) {
        set_in(sa->ike, &sa->soft, share_of(sa->ike, sa->life_s, first ? 80 : 92, first ? 90 : 96));
    }
    set_in(sa->ike, &sa->hard, (uint64_t)sa->life_s * L2V_NS_PER_S);
}

void l2v_ike_timers_sa_retired(struct l2v_ike_sa *sa)
{
    l2v_timer_cancel(timers_of(sa->ike), &sa->soft);
    if (sa->hard.expiry_ns > sa->ike->env->now_ns + SA_GRACE) {
        set_in(sa->ike, &sa->hard, SA_GRACE);
    }
}

/* --- quick modes ---------------------------------------------------------------------------------
 */

static void on_qm_flight(void *arg)
{
    struct l2v_ike_qm *qm = arg;
    struct l2v_ike *ike = qm->sa->ike;
    l2v_ike_enter(ike);
    if (l2v_ike_timers_flight_next(qm->sa, &qm->flight)) {
        l2v_ike_flight_again(qm->sa, &qm->flight);
    } else {
        l2v_ike1_quick_silence(qm);
    }
    l2v_ike_leave(ike);
}

static void on_qm_linger(void *arg)
{
    struct l2v_ike_qm *qm = arg;
    struct l2v_ike *ike = qm->sa->ike;
    l2v_ike_enter(ike);
    l2v_ike1_quick_kill(qm);
    l2v_ike_leave(ike);
}

void l2v_ike_timers_qm_init(struct l2v_ike_qm *qm)
{
    l2v_ike_flight_init(&qm->flight, "ike quick mode", on_qm_flight, qm);
    l2v_timer_init(&qm->linger, "ike quick mode linger", on_qm_linger, qm);
}

void l2v_ike_timers_qm_stop(struct l2v_ike_qm *qm)
{
    l2v_timer_cancel(timers_of(qm->sa->ike), &qm->flight.timer);
    l2v_timer_cancel(timers_of(qm->sa->ike), &qm->linger);
}

void l2v_ike_timers_qm_lingers(struct l2v_ike_qm *qm)
{
    l2v_timer_cancel(timers_of(qm->sa->ike), &qm->flight.timer);
    set_in(qm->sa->ike, &qm->linger, QM_LINGER);
}

/* --- IPsec SA pairs ------------------------------------------------------------------------------
 */

static void on_child_soft(void *arg)
{
    struct l2v_ike_csa *csa = arg;
    struct l2v_ike *ike = csa->peer->ike;
    l2v_ike_enter(ike);
    l2v_ike_peer_rekey_child(csa->peer, csa);
    l2v_ike_leave(ike);
}

static void on_child_hard(void *arg)
{
    struct l2v_ike_csa *csa = arg;
    struct l2v_ike_peer *peer = csa->peer;
    struct l2v_ike *ike = peer->ike;
    l2tpvoip_failure f;

    l2v_ike_enter(ike);
    if (csa->delete_sent) {
        l2v_ike_peer_drop_child(peer, csa, NULL);
    } else if (csa->replaced) {
        struct l2v_ike_sa *sa = l2v_ike_peer_sa(peer);
        csa->delete_sent = true;
        set_in(ike, &csa->hard, CHILD_LINGER);
        if (sa != NULL) {
            l2v_ike1_info_delete_child(sa, csa->spi_in);
        }
    } else {
        l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_TIMEOUT, 0,
                        "Check that the peer allows rekeying; see the log for why it failed.",
                        "An IPsec SA reached the end of its life and could not be renewed.");
        l2v_ike_peer_drop_child(peer, csa, &f);
    }
    l2v_ike_leave(ike);
}

void l2v_ike_timers_child_init(struct l2v_ike_csa *csa)
{
    l2v_timer_init(&csa->soft, "ipsec sa soft life", on_child_soft, csa);
    l2v_timer_init(&csa->hard, "ipsec sa hard life", on_child_hard, csa);
}

void l2v_ike_timers_child_stop(struct l2v_ike_csa *csa)
{
    l2v_timer_cancel(timers_of(csa->peer->ike), &csa->soft);
    l2v_timer_cancel(timers_of(csa->peer->ike), &csa->hard);
}

void l2v_ike_timers_child_up(struct l2v_ike_csa *csa, uint32_t life_s)
{
    struct l2v_ike_peer *peer = csa->peer;
    bool first = peer->initiator;
    if (renews(peer, life_s)) {
        set_in(peer->ike, &csa->soft,
               share_of(peer->ike, life_s, first ? 80 : 92, first ? 90 : 96));
    }
    set_in(peer->ike, &csa->hard, (uint64_t)life_s * L2V_NS_PER_S);
}

void l2v_ike_timers_child_replaced(struct l2v_ike_csa *csa)
{
    struct l2v_ike *ike = csa->peer->ike;
    l2v_timer_cancel(timers_of(ike), &csa->soft);
    if (csa->hard.expiry_ns > ike->env->now_ns + CHILD_GRACE) {
        set_in(ike, &csa->hard, CHILD_GRACE);
    }
}

void l2v_ike_timers_child_deleted(struct l2v_ike_csa *csa)
{
    l2v_timer_cancel(timers_of(csa->peer->ike), &csa->soft);
    set_in(csa->peer->ike, &csa->hard, CHILD_LINGER);
}

void l2v_ike_timers_child_retry(struct l2v_ike_csa *csa)
{
    set_in(csa->peer->ike, &csa->soft, RETRY);
}

bool l2v_ike_timers_is_collision(uint64_t a_ns, uint64_t b_ns)
{
    return (a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns) < COLLISION;
}

/* --- dead peer detection, rfc3706#5.5 ------------------------------------------------------------
 */

static bool probes(const struct l2v_ike_peer *peer)
{
    return !l2v_ike_config_has(peer->config, L2TPVOIP_IPSEC_NO_DPD) &&
           l2v_ike_vids_has(&peer->vids, L2V_IKE_VID_DPD);
}

static void send_probe(struct l2v_ike_peer *peer)
{
    if (l2v_ike1_info_probe(peer) == L2TPVOIP_ERR_STATE && peer->initiator) {
        l2v_ike_peer_renew(peer); /* no ISAKMP SA: a new one is a probe as well */
    }
}

static void fail_dead(struct l2v_ike_peer *peer)
{
    char addr[L2V_ADDR_TEXT];
    l2tpvoip_failure f;
    l2v_addr_format(&peer->route.remote, addr, sizeof(addr));
    l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_TIMEOUT, 0,
                    "Check the network between both sides; a client connects anew.",
                    "%s has not answered for %u s (dead peer detection).", addr,
                    (unsigned)((peer->ike->env->now_ns - peer->heard_ns) / L2V_NS_PER_S));
    l2v_ike_peer_fail(peer, &f);
}

static void on_dpd(void *arg)
{
    struct l2v_ike_peer *peer = arg;
    struct l2v_ike *ike = peer->ike;
    uint64_t now = ike->env->now_ns, idle = now - peer->heard_ns;
    uint64_t interval = peer->config->dpd_interval_s * L2V_NS_PER_S;

    l2v_ike_enter(ike);
    if (peer->probe_ns == 0 && idle < interval) {
        l2v_timer_set(timers_of(ike), &peer->dpd, peer->heard_ns + interval);
    } else if (peer->probe_ns != 0 && now - peer->probe_ns >= peer->probe_limit_ns) {
        fail_dead(peer);
    } else {
        if (peer->probe_ns == 0) {
            uint64_t timeout = peer->config->dpd_timeout_s * L2V_NS_PER_S;
            peer->probe_ns = now;
            peer->probe_limit_ns = timeout > interval ? timeout - interval : L2V_NS_PER_S;
            peer->probe_delay_ns = peer->config->retransmit_ms * L2V_NS_PER_MS;
        }
        set_in(ike, &peer->dpd, peer->probe_delay_ns);
        peer->probe_delay_ns =
            peer->probe_delay_ns * 2 > PROBE_CAP ? PROBE_CAP : peer->probe_delay_ns * 2;
        send_probe(peer);
    }
    l2v_ike_leave(ike);
}

void l2v_ike_timers_peer_probe(struct l2v_ike_peer *peer)
{
    if (probes(peer) && peer->up) {
        if (peer->probe_ns == 0) {
            peer->probe_ns = peer->ike->env->now_ns;
            peer->probe_delay_ns = peer->config->retransmit_ms * L2V_NS_PER_MS;
            peer->probe_limit_ns = PROBE_URGENT;
            set_in(peer->ike, &peer->dpd, peer->probe_delay_ns);
            send_probe(peer);
        } else if (peer->probe_limit_ns > PROBE_URGENT) {
            peer->probe_limit_ns = PROBE_URGENT;
        }
    }
}

/* --- NAT keepalive, rfc3948#4: only when nothing else was sent
 * ------------------------------------ */

static void on_keepalive(void *arg)
{
    struct l2v_ike_peer *peer = arg;
    struct l2v_ike *ike = peer->ike;
    uint64_t interval = peer->config->natt_keepalive_s * L2V_NS_PER_S;

    l2v_ike_enter(ike);
    if (ike->env->now_ns - peer->sent_ns >= interval) {
        peer->sent_ns = ike->env->now_ns;
        ike->ops.keepalive(ike->user, &peer->route);
    }
    if (!peer->dead) {
        l2v_timer_set(timers_of(ike), &peer->keepalive, peer->sent_ns + interval);
    }
    l2v_ike_leave(ike);
}

/* --- peers ---------------------------------------------------------------------------------------
 */

static void on_idle(void *arg)
{
    struct l2v_ike_peer *peer = arg;
    struct l2v_ike *ike = peer->ike;
    l2tpvoip_failure f;

    l2v_ike_enter(ike);
    if (peer->n_children > 0) {
        l2v_ike_leave(ike);
        return;
    }
    if (!peer->initiator ||
        l2v_ike1_quick_start(peer, peer->local_port, peer->remote_port, 0) != 0) {
        if (peer->last_failure.code != 0) {
            f = peer->last_failure;
        } else {
            l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_PEER_CLOSED, 0,
                            "Connect again if the session is still wanted.",
                            "The peer deleted the IPsec SA and made no new one.");
        }
        L2V_LIST_EACH(pos, &peer->sas)
        {
            struct l2v_ike_sa *sa = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
            if (sa->state == L2V_MM_UP) {
                l2v_ike1_info_delete_sa(sa, sa);
            }
        }
        l2v_ike_peer_fail(peer, &f);
    }
    l2v_ike_leave(ike);
}

static void on_retry(void *arg)
{
    struct l2v_ike_peer *peer = arg;
    struct l2v_ike *ike = peer->ike;
    l2v_ike_enter(ike);
    l2v_ike_peer_renew(peer);
    l2v_ike_leave(ike);
}

void l2v_ike_timers_peer_init(struct l2v_ike_peer *peer)
{
    l2v_timer_init(&peer->dpd, "ike dpd", on_dpd, peer);
    l2v_timer_init(&peer->keepalive, "ike nat keepalive", on_keepalive, peer);
    l2v_timer_init(&peer->idle, "ike childless", on_idle, peer);
    l2v_timer_init(&peer->retry, "ike retry", on_retry, peer);
}

void l2v_ike_timers_peer_stop(struct l2v_ike_peer *peer)
{
    struct l2v_timers *ts = timers_of(peer->ike);
    l2v_timer_cancel(ts, &peer->dpd);
    l2v_timer_cancel(ts, &peer->keepalive);
    l2v_timer_cancel(ts, &peer->idle);
    l2v_timer_cancel(ts, &peer->retry);
}

void l2v_ike_timers_peer_up(struct l2v_ike_peer *peer)
{
    struct l2v_ike *ike = peer->ike;
    l2v_timer_cancel(timers_of(ike), &peer->retry);
    if (probes(peer)) {
        set_in(ike, &peer->dpd, peer->config->dpd_interval_s * L2V_NS_PER_S);
    }
    l2v_timer_cancel(timers_of(ike), &peer->keepalive);
    if ((peer->nat & L2TPVOIP_NAT_LOCAL) != 0 && peer->route.marker &&
        peer->config->natt_keepalive_s > 0) {
        set_in(ike, &peer->keepalive, peer->config->natt_keepalive_s * L2V_NS_PER_S);
    }
}

void l2v_ike_timers_peer_childless(struct l2v_ike_peer *peer)
{
    set_in(peer->ike, &peer->idle, peer->initiator ? CLIENT_CHILDLESS : SERVER_CHILDLESS);
}

void l2v_ike_timers_peer_has_child(struct l2v_ike_peer *peer)
{
    l2v_timer_cancel(timers_of(peer->ike), &peer->idle);
}

void l2v_ike_timers_peer_retry(struct l2v_ike_peer *peer)
{
    if (!l2v_timer_is_set(&peer->retry)) {
        set_in(peer->ike, &peer->retry, l2v_ike_peer_sa(peer) != NULL ? RETRY : L2V_NS_PER_S);
    }
}
