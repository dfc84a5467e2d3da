/* SPDX-License-Identifier: MIT */
/* A peer: the authenticated lineage of all ISAKMP SAs and IPsec SAs with one remote party.
 *
 * IPsec SAs belong to the lineage, not to the ISAKMP SA that made them: a new main mode adopts them
 * by joining the lineage. A responder joins it when identity, key, address and port are those of a
 * peer that it knows; whoever claims the identity of another client under a shared key comes from
 * another address or port and gets a lineage of its own. */
#include <stdio.h>

#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "base_secure.h"
#include "ike_engine.h"

static uint64_t ip_key(const struct l2v_ike *ike, const l2tpvoip_addr *addr)
{
    return l2v_addr_hash(ike->env->hash_key, addr, false);
}

int l2v_ike_peer_new(struct l2v_ike *ike, struct l2v_ike_config *config,
                     const struct l2v_ike_route *route, struct l2v_ike_peer **ret_peer)
{
    struct l2v_ike_peer *peer;

    if (ike->n_peers >= L2V_IKE_MAX_PEERS) {
        return L2TPVOIP_ERR_LIMIT;
    }
    peer = l2v_calloc(ike->env, 1, sizeof(*peer));
    if (peer == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    peer->ike = ike;
    peer->config = l2v_ike_config_ref(config);
    peer->route = *route;
    peer->heard_ns = peer->sent_ns = ike->env->now_ns;
    peer->dpd_seq = l2v_random_below(ike->env, INT32_MAX); /* rfc3706#6.2: high bit clear */
    peer->dpd_oldest = peer->dpd_seq + 1;
    l2v_list_init(&peer->node);
    l2v_list_init(&peer->grave);
    l2v_list_init(&peer->sas);
    l2v_list_init(&peer->children);
    l2v_ike_timers_peer_init(peer);
    l2v_list_append(&ike->peers, &peer->node);
    ike->n_peers++;
    l2v_map_insert(&ike->ips, &peer->by_ip, ip_key(ike, &route->remote));
    *ret_peer = peer;
    return 0;
}

static void free_child(struct l2v_ike_csa *csa)
{
    struct l2v_ike_peer *peer = csa->peer;
    l2v_ike_timers_child_stop(csa);
    l2v_list_remove(&csa->node);
    peer->n_children--;
    l2v_free(peer->ike->env, csa->id_local);
    l2v_free(peer->ike->env, csa->id_remote);
    l2v_free(peer->ike->env, csa);
}

void l2v_ike_peer_kill(struct l2v_ike_peer *peer)
{
    struct l2v_ike *ike = peer->ike;
    if (peer->dead) {
        return;
    }
    peer->dead = true;
    l2v_list_remove(&peer->node);
    ike->n_peers--;
    l2v_map_remove(&ike->ips, &peer->by_ip);
    l2v_ike_timers_peer_stop(peer);
    while (!l2v_list_is_empty(&peer->sas)) {
        l2v_ike1_sa_kill(L2V_CONTAINER_OF(peer->sas.next, struct l2v_ike_sa, node));
    }
    while (!l2v_list_is_empty(&peer->children)) {
        free_child(L2V_CONTAINER_OF(peer->children.next, struct l2v_ike_csa, node));
    }
    l2v_list_append(&ike->dead_peers, &peer->grave);
}

void l2v_ike_peer_destroy(struct l2v_ike_peer *peer)
{
    l2v_list_remove(&peer->grave);
    l2v_ike_config_unref(peer->config);
    l2v_free(peer->ike->env, peer);
}

void l2v_ike_peer_fail(struct l2v_ike_peer *peer, const l2tpvoip_failure *f)
{
    struct l2v_ike *ike = peer->ike;
    l2tpvoip_failure copy = *f;
    if (peer->dead) {
        return;
    }
    l2v_ike_peer_kill(peer);
    if (peer->accepted && !ike->silent) {
        ike->ops.peer_down(ike->user, peer, &copy);
    }
}

/* --- finding -------------------------------------------------------------------------------------
 */

static struct l2v_ike_peer *next_at_ip(const struct l2v_map_node *n, const l2tpvoip_addr *addr)
{
    for (; n != NULL; n = l2v_map_find_next(n)) {
        struct l2v_ike_peer *p = L2V_CONTAINER_OF(n, struct l2v_ike_peer, by_ip);
        if (l2v_addr_equal_ip(&p->route.remote, addr)) {
            return p;
        }
    }
    return NULL;
}

static bool is_from(const struct l2v_ike_peer *p, const struct l2v_ike_route *route)
{
    return p->route.path_id == route->path_id && l2v_addr_equal(&p->route.remote, &route->remote);
}

struct l2v_ike_peer *l2v_ike_peer_by_route(struct l2v_ike *ike, const struct l2v_ike_route *route)
{
    struct l2v_ike_peer *p =
        next_at_ip(l2v_map_find(&ike->ips, ip_key(ike, &route->remote)), &route->remote);
    while (p != NULL && !is_from(p, route)) {
        p = next_at_ip(l2v_map_find_next(&p->by_ip), &route->remote);
    }
    return p;
}

/* The next server-side peer from p on that says it is id and comes from that address. */
static struct l2v_ike_peer *next_alike(struct l2v_ike_peer *p, const struct l2v_ike_id *id,
                                       const l2tpvoip_addr *addr)
{
    while (p != NULL && !(p->up && l2v_ike_id_equal(&p->id, id))) {
        p = next_at_ip(l2v_map_find_next(&p->by_ip), addr);
    }
    return p;
}

struct l2v_ike_sa *l2v_ike_peer_sa(struct l2v_ike_peer *peer)
{
    struct l2v_ike_sa *best = NULL;
    L2V_LIST_EACH(pos, &peer->sas)
    {
        struct l2v_ike_sa *sa = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
        bool newer = best == NULL || best->retired || sa->up_ns >= best->up_ns;
        if (sa->state == L2V_MM_UP && newer && (best == NULL || !sa->retired)) {
            best = sa;
        }
    }
    return best;
}

bool l2v_ike_peer_is_connecting(const struct l2v_ike_peer *peer)
{
    L2V_LIST_EACH(pos, &peer->sas)
    {
        if (L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node)->state != L2V_MM_UP) {
            return true;
        }
    }
    return false;
}

/* --- ISAKMP SAs of a peer ------------------------------------------------------------------------
 */

void l2v_ike_peer_attach(struct l2v_ike_peer *peer, struct l2v_ike_sa *sa)
{
    l2v_list_append(&peer->sas, &sa->node);
    sa->peer = peer;
    peer->n_sas++;
}

/* Proved with the same key: an identity is worth no more than the key that it came with. */
static bool same_key(const struct l2v_ike_peer *p, const struct l2v_ike_config *config,
                     unsigned psk)
{
    const struct l2v_ike_psk *a = &p->config->psks[p->psk], *b = &config->psks[psk];
    return a->len == b->len && l2v_equal_ct(a->key, b->key, a->len);
}

/* rfc2407#4.6.3.3: the peer has no other SAs with us. "The peer" is who has that identity at that
 * address: under a shared key others may claim the identity from elsewhere, and who has another
 * key is somebody else. */
static void forget_alike(struct l2v_ike_sa *sa, const struct l2v_ike_id *id,
                         const l2tpvoip_addr *addr, const struct l2v_ike_peer *keep)
{
    struct l2v_ike *ike = sa->ike;
    struct l2v_ike_peer *p = next_at_ip(l2v_map_find(&ike->ips, ip_key(ike, addr)), addr);
    l2tpvoip_failure f;

    l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_PEER_CLOSED,
                    L2V_IKE1_NOTIFY_INITIAL_CONTACT, "Nothing: its new connection takes over.",
                    "The peer started anew (INITIAL-CONTACT).");
    while ((p = next_alike(p, id, addr)) != NULL) {
        struct l2v_ike_peer *next = next_at_ip(l2v_map_find_next(&p->by_ip), addr);
        if (p != keep && !p->initiator && same_key(p, sa->config, sa->psk)) {
            l2v_ike_peer_fail(p, &f);
            /* The callback may have closed any: begin anew. */
            next = next_at_ip(l2v_map_find(&ike->ips, ip_key(ike, addr)), addr);
        }
        p = next;
    }
}

static struct l2v_ike_peer *find_lineage(struct l2v_ike_sa *sa, const struct l2v_ike_id *id)
{
    struct l2v_ike *ike = sa->ike;
    const l2tpvoip_addr *addr = &sa->route.remote;
    struct l2v_ike_peer *p = next_at_ip(l2v_map_find(&ike->ips, ip_key(ike, addr)), addr);

    while ((p = next_alike(p, id, addr)) != NULL) {
        if (is_from(p, &sa->route) && p->psk == sa->psk && p->config == sa->config) {
            return p;
        }
        p = next_at_ip(l2v_map_find_next(&p->by_ip), addr);
    }
    return NULL;
}

static int make_lineage(struct l2v_ike_sa *sa, const struct l2v_ike_id *id,
                        struct l2v_ike_peer **ret_peer)
{
    struct l2v_ike *ike = sa->ike;
    struct l2v_ike_peer *peer;
    int rc;

    if (ike->listen == NULL || sa->config != ike->listen) {
        return L2TPVOIP_ERR_NOT_FOUND; /* only peers that we know */
    }
    rc = l2v_ike_peer_new(ike, sa->config, &sa->route, &peer);
    if (rc != 0) {
        return rc;
    }
    peer->id = *id;
    peer->psk = sa->psk;
    peer->nat = sa->nat;
    peer->chosen = sa->chosen;
    peer->vids = sa->vids;
    peer->local_port = L2V_IKE_L2TP_PORT;
    rc = ike->ops.peer_accept(ike->user, peer, &peer->user);
    if (rc == 0 && peer->dead) {
        rc = L2TPVOIP_ERR_CLOSED;
    }
    if (rc != 0) {
        l2v_ike_peer_kill(peer);
        return rc;
    }
    peer->accepted = true;
    *ret_peer = peer;
    return 0;
}

int l2v_ike_peer_admit(struct l2v_ike_sa *sa, const struct l2v_ike_id *id, bool initial_contact)
{
    struct l2v_ike *ike = sa->ike;
    struct l2v_ike_peer *peer = NULL;
    int rc = 0;

    if (initial_contact) {
        forget_alike(sa, id, &sa->route.remote, NULL);
    }
    peer = find_lineage(sa, id);
    if (peer == NULL) {
        rc = make_lineage(sa, id, &peer);
    }
    if (rc != 0 || sa->dead) {
        return rc;
    }
    if (peer->n_sas >= L2V_IKE_MAX_SAS) {
        l2v_ike1_sa_kill(L2V_CONTAINER_OF(peer->sas.next, struct l2v_ike_sa, node));
    }
    l2v_list_remove(&sa->node);
    ike->n_unauth--;
    l2v_ike_peer_attach(peer, sa);
    if (initial_contact && peer->initiator) {
        l2v_ike_peer_initial_contact(peer, sa); /* the server has lost what it had */
    }
    return 0;
}

void l2v_ike_peer_initial_contact(struct l2v_ike_peer *peer, struct l2v_ike_sa *sa)
{
    struct l2v_ike_id id = peer->id;
    l2tpvoip_addr addr = peer->route.remote;

    L2V_LIST_EACH_SAFE(pos, &peer->sas)
    {
        struct l2v_ike_sa *other = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
        if (other != sa && other->state == L2V_MM_UP &&
            (other->up_ns < sa->up_ns || sa->state != L2V_MM_UP)) {
            l2v_ike1_sa_kill(other);
        }
    }
    for (struct l2v_list *pos = peer->children.next; pos != &peer->children && !peer->dead;) {
        struct l2v_ike_csa *csa = L2V_CONTAINER_OF(pos, struct l2v_ike_csa, node);
        pos = pos->next;
        if (csa->up_ns < sa->up_ns || sa->state != L2V_MM_UP) {
            l2v_ike_peer_drop_child(peer, csa, NULL);
            pos = peer->children.next;
        }
    }
    if (!peer->dead) {
        forget_alike(sa, &id, &addr, peer);
    }
}

static void retire(struct l2v_ike_sa *sa)
{
    sa->retired = true;
    l2v_ike_timers_sa_retired(sa);
}

/* Both sides started at once: they keep the same one, the one with the larger cookies. Two that one
 * side started are no collision: it may have forgotten the first. */
static bool beats(const struct l2v_ike_sa *a, const struct l2v_ike_sa *b)
{
    int cmp = memcmp(a->icookie, b->icookie, sizeof(a->icookie));
    return cmp != 0 ? cmp > 0 : memcmp(a->rcookie, b->rcookie, sizeof(a->rcookie)) > 0;
}

static void retire_others(struct l2v_ike_peer *peer, struct l2v_ike_sa *sa)
{
    L2V_LIST_EACH(pos, &peer->sas)
    {
        struct l2v_ike_sa *other = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
        if (other == sa || other->state != L2V_MM_UP || other->retired) {
            continue;
        }
        if (other->initiator != sa->initiator &&
            l2v_ike_timers_is_collision(other->up_ns, sa->up_ns) && beats(other, sa)) {
            retire(sa);
        } else {
            retire(other);
        }
    }
}

static void take_route(struct l2v_ike_peer *peer, const struct l2v_ike_route *route)
{
    struct l2v_ike *ike = peer->ike;
    l2v_map_remove(&ike->ips, &peer->by_ip);
    peer->route = *route;
    l2v_map_insert(&ike->ips, &peer->by_ip, ip_key(ike, &route->remote));
}

static void rekey_all(struct l2v_ike_peer *peer)
{
    for (struct l2v_list *pos = peer->children.next; pos != &peer->children && !peer->dead;) {
        struct l2v_ike_csa *csa = L2V_CONTAINER_OF(pos, struct l2v_ike_csa, node);
        pos = pos->next;
        l2v_ike_peer_rekey_child(peer, csa);
    }
}

void l2v_ike_peer_sa_up(struct l2v_ike_peer *peer, struct l2v_ike_sa *sa)
{
    struct l2v_ike *ike = peer->ike;
    bool again = peer->up;
    bool moved = again && !l2v_addr_equal(&peer->route.remote, &sa->route.remote);

    peer->up = true;
    peer->chosen = sa->chosen;
    peer->vids = sa->vids;
    peer->nat = sa->nat;
    take_route(peer, &sa->route);
    l2v_ike_peer_heard(peer);
    retire_others(peer, sa);
    l2v_ike_timers_peer_up(peer);
    if (moved) {
        ike->ops.peer_moved(ike->user, peer, &peer->route);
    }
    if (!peer->dead) {
        ike->ops.peer_up(ike->user, peer, again);
    }
    if (peer->dead) {
        return;
    }
    if (peer->n_children > 0) {
        if (again && l2v_ike_config_has(peer->config, L2TPVOIP_IPSEC_CHILD_DIES_WITH_IKE)) {
            rekey_all(peer);
        }
    } else if (peer->initiator) {
        int rc = l2v_ike1_quick_start(peer, peer->local_port, peer->remote_port, 0);
        if (rc != 0 && !peer->dead) {
            l2tpvoip_failure f;
            l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, rc, 0, "Try again.",
                            "Quick mode could not be started: %s.", l2v_ike_error_words(rc));
            l2v_ike_peer_fail(peer, &f);
        }
    } else {
        l2v_ike_timers_peer_childless(peer);
    }
}

void l2v_ike_peer_sa_gone(struct l2v_ike_peer *peer, const l2tpvoip_failure *f)
{
    l2tpvoip_failure closed;

    if (peer->dead) {
        return;
    }
    if (f == NULL) {
        l2v_failure_set(&closed, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_PEER_CLOSED, 0,
                        "Connect again if the session is still wanted.",
                        "The ISAKMP SA ended: the peer deleted it, or its life was over.");
        f = &closed;
    } else {
        l2v_log(peer->ike->env, L2TPVOIP_LOG_WARNING, "ike", "%s %s", f->message, f->next_step);
    }
    if (!peer->up || (peer->n_children == 0 && l2v_ike_peer_sa(peer) == NULL &&
                      !l2v_ike_peer_is_connecting(peer))) {
        l2v_ike_peer_fail(peer, f);
        return;
    }
    peer->last_failure = *f;
    /* The IPsec SAs outlive it. The client wants its control channel back. */
    if (!l2v_ike_peer_is_connecting(peer) && (peer->initiator || l2v_ike_peer_sa(peer) != NULL)) {
        struct l2v_ike_sa *sa = l2v_ike_peer_sa(peer);
        if (sa == NULL || (!l2v_timer_is_set(&sa->soft) && f != &closed)) {
            l2v_ike_timers_peer_retry(peer);
        }
    }
}

void l2v_ike_peer_renew(struct l2v_ike_peer *peer)
{
    if (peer->dead || !peer->up || l2v_ike_peer_is_connecting(peer)) {
        return;
    }
    if (l2v_ike1_main_start(peer) != 0) {
        l2v_ike_timers_peer_retry(peer);
    }
}

/* --- IPsec SA pairs ------------------------------------------------------------------------------
 */

struct l2v_ike_csa *l2v_ike_peer_find_child(struct l2v_ike_peer *peer, uint32_t spi_in)
{
    L2V_LIST_EACH(pos, &peer->children)
    {
        struct l2v_ike_csa *csa = L2V_CONTAINER_OF(pos, struct l2v_ike_csa, node);
        if (csa->spi_in == spi_in) {
            return csa;
        }
    }
    return NULL;
}

struct l2v_ike_csa *l2v_ike_peer_find_child_out(struct l2v_ike_peer *peer, uint32_t spi_out)
{
    L2V_LIST_EACH(pos, &peer->children)
    {
        struct l2v_ike_csa *csa = L2V_CONTAINER_OF(pos, struct l2v_ike_csa, node);
        if (csa->spi_out == spi_out) {
            return csa;
        }
    }
    return NULL;
}

/* Both sides see the same two SPIs, so that they agree which of two pairs stays. */
static uint64_t rank(uint32_t spi_in, uint32_t spi_out)
{
    return spi_in > spi_out ? (uint64_t)spi_in << 32 | spi_out : (uint64_t)spi_out << 32 | spi_in;
}

static bool loses_to(const struct l2v_ike_csa *csa, const struct l2v_ike_csa *other)
{
    return other != csa && other->confirmed && !other->replaced && !other->delete_sent &&
           other->initiator != csa->initiator &&
           l2v_ike_timers_is_collision(csa->up_ns, other->up_ns) &&
           rank(other->spi_in, other->spi_out) > rank(csa->spi_in, csa->spi_out);
}

static bool is_loser(const struct l2v_ike_csa *csa)
{
    L2V_LIST_EACH(pos, &csa->peer->children)
    {
        if (loses_to(csa, L2V_CONTAINER_OF(pos, struct l2v_ike_csa, node))) {
            return true;
        }
    }
    return false;
}

static void replace(struct l2v_ike_csa *csa)
{
    if (!csa->replaced) {
        csa->replaced = true;
        l2v_ike_timers_child_replaced(csa);
    }
}

/* Two quick modes that crossed: the loser is never used for sending, and deleted later. */
void l2v_ike_peer_confirm_child(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa, bool tell)
{
    struct l2v_ike *ike = peer->ike;
    uint32_t spi_in = csa->spi_in;

    csa->confirmed = true;
    if (is_loser(csa)) {
        replace(csa);
        return;
    }
    L2V_LIST_EACH(pos, &peer->children)
    {
        struct l2v_ike_csa *other = L2V_CONTAINER_OF(pos, struct l2v_ike_csa, node);
        if (other != csa && other->confirmed) {
            replace(other);
        }
    }
    if (tell) {
        ike->ops.child_confirmed(ike->user, peer, spi_in);
    }
}

int l2v_ike_peer_add_child(struct l2v_ike_peer *peer, struct l2v_ike_child *child, uint32_t life_s)
{
    struct l2v_ike *ike = peer->ike;
    struct l2v_ike_csa *csa;
    bool confirmed = child->confirmed;
    int rc;

    if (peer->n_children >= L2V_IKE_MAX_CHILDREN) {
        return L2TPVOIP_ERR_LIMIT;
    }
    csa = l2v_calloc(ike->env, 1, sizeof(*csa));
    if (csa == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    csa->peer = peer;
    csa->spi_in = child->spi_in;
    csa->spi_out = child->spi_out;
    csa->local_port = child->local_port;
    csa->remote_port = child->remote_port;
    csa->suite = child->suite;
    csa->initiator = child->initiator;
    csa->up_ns = ike->env->now_ns;
    l2v_ike_timers_child_init(csa);
    l2v_list_append(&peer->children, &csa->node);
    child->is_rekey = peer->n_children > 0;
    peer->n_children++;
    if (confirmed && is_loser(csa)) {
        child->confirmed = false;
    }
    rc = ike->ops.child_up(ike->user, peer, child);
    if (peer->dead) {
        return L2TPVOIP_ERR_CLOSED; /* csa went with it */
    }
    if (rc != 0) {
        free_child(csa);
        return rc;
    }
    l2v_ike_timers_peer_has_child(peer);
    l2v_ike_timers_child_up(csa, life_s);
    if (confirmed) {
        l2v_ike_peer_confirm_child(peer, csa, false);
    }
    return 0;
}

void l2v_ike_peer_drop_child(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa,
                             const l2tpvoip_failure *f)
{
    struct l2v_ike *ike = peer->ike;
    uint32_t spi_in = csa->spi_in;

    free_child(csa);
    if (f != NULL) {
        peer->last_failure = *f;
        l2v_log(ike->env, L2TPVOIP_LOG_WARNING, "ike", "%s", f->message);
    }
    ike->ops.child_down(ike->user, peer, spi_in);
    if (peer->dead || peer->n_children > 0) {
        return;
    }
    if (l2v_ike_peer_sa(peer) == NULL && !l2v_ike_peer_is_connecting(peer)) {
        l2v_ike_peer_sa_gone(peer, f); /* nothing is left */
        return;
    }
    l2v_ike_timers_peer_childless(peer);
}

static struct l2v_ike_qm *find_qm_of(struct l2v_ike_peer *peer, uint32_t spi_in)
{
    L2V_LIST_EACH(pos, &peer->sas)
    {
        struct l2v_ike_sa *sa = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
        L2V_LIST_EACH(at, &sa->qms)
        {
            struct l2v_ike_qm *qm = L2V_CONTAINER_OF(at, struct l2v_ike_qm, node);
            if (qm->spi_in == spi_in && qm->state == L2V_QM_R2) {
                return qm;
            }
        }
    }
    return NULL;
}

static void confirm_by(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa)
{
    struct l2v_ike_qm *qm = find_qm_of(peer, csa->spi_in);
    if (qm != NULL) {
        l2v_ike1_quick_confirm(qm);
    } else if (!csa->confirmed) {
        l2v_ike_peer_confirm_child(peer, csa, true);
    }
}

void l2v_ike_peer_child_deleted(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa)
{
    struct l2v_ike_csa *other = NULL;
    uint32_t spi_in = csa->spi_in;

    L2V_LIST_EACH(pos, &peer->children)
    {
        struct l2v_ike_csa *c = L2V_CONTAINER_OF(pos, struct l2v_ike_csa, node);
        if (c != csa && !c->delete_sent) {
            other = c;
        }
    }
    if (other != NULL && !other->confirmed) {
        /* Nobody deletes the old pair who does not have the new one. */
        confirm_by(peer, other);
        csa = peer->dead ? NULL : l2v_ike_peer_find_child(peer, spi_in);
    }
    if (csa == NULL) {
        return;
    }
    if (other != NULL && csa->replaced) {
        csa->delete_sent = true; /* what is under way may still come in */
        l2v_ike_timers_child_deleted(csa);
        return;
    }
    l2v_ike_peer_drop_child(peer, csa, NULL);
}

void l2v_ike_peer_rekey_child(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa)
{
    uint32_t spi_in = csa->spi_in;
    int rc;

    if (peer->dead || csa->rekeying || csa->replaced || csa->delete_sent) {
        return;
    }
    csa->rekeying = true;
    rc = l2v_ike1_quick_start(peer, csa->local_port, csa->remote_port, spi_in);
    if (rc == 0 || peer->dead) {
        return;
    }
    csa = l2v_ike_peer_find_child(peer, spi_in);
    if (csa != NULL) {
        csa->rekeying = false;
        l2v_ike_timers_child_retry(csa);
    }
    if (rc == L2TPVOIP_ERR_STATE) {
        l2v_ike_peer_renew(peer);
    }
}

void l2v_ike_peer_quick_failed(struct l2v_ike_peer *peer, uint32_t replaces,
                               const l2tpvoip_failure *f)
{
    struct l2v_ike_csa *csa = replaces != 0 ? l2v_ike_peer_find_child(peer, replaces) : NULL;

    if (peer->dead) {
        return;
    }
    peer->last_failure = *f;
    l2v_log(peer->ike->env, L2TPVOIP_LOG_WARNING, "ike", "%s %s", f->message, f->next_step);
    if (csa != NULL) {
        csa->rekeying = false;
        if (!csa->replaced) {
            l2v_ike_timers_child_retry(csa);
        }
    }
    if (peer->n_children == 0 && peer->initiator) {
        struct l2v_ike_sa *sa = l2v_ike_peer_sa(peer);
        if (sa != NULL) {
            l2v_ike1_info_delete_sa(sa, sa);
        }
        l2v_ike_peer_fail(peer, f);
    }
}

/* --- entries of the module -----------------------------------------------------------------------
 */

void l2v_ike_peer_close(struct l2v_ike_peer *peer)
{
    struct l2v_ike *ike = peer->ike;
    struct l2v_ike_sa *by;

    if (peer->dead) {
        return;
    }
    l2v_ike_enter(ike);
    by = l2v_ike_peer_sa(peer);
    if (by != NULL) {
        L2V_LIST_EACH(pos, &peer->children)
        {
            struct l2v_ike_csa *csa = L2V_CONTAINER_OF(pos, struct l2v_ike_csa, node);
            if (!csa->delete_sent) {
                l2v_ike1_info_delete_child(by, csa->spi_in);
            }
        }
        L2V_LIST_EACH(pos, &peer->sas)
        {
            struct l2v_ike_sa *sa = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
            if (sa->state == L2V_MM_UP && sa != by) {
                l2v_ike1_info_delete_sa(by, sa);
            }
        }
        l2v_ike1_info_delete_sa(by, by);
    }
    l2v_ike_peer_kill(peer);
    l2v_ike_leave(ike);
}

void l2v_ike_peer_heard(struct l2v_ike_peer *peer)
{
    peer->heard_ns = peer->ike->env->now_ns;
    peer->probe_ns = 0;
}

void l2v_ike_peer_sent(struct l2v_ike_peer *peer)
{
    peer->sent_ns = peer->ike->env->now_ns;
}

void l2v_ike_child_used(struct l2v_ike_peer *peer, uint32_t spi_in)
{
    struct l2v_ike *ike = peer->ike;
    struct l2v_ike_csa *csa = peer->dead ? NULL : l2v_ike_peer_find_child(peer, spi_in);

    if (csa != NULL && !csa->confirmed) {
        l2v_ike_enter(ike);
        confirm_by(peer, csa);
        l2v_ike_leave(ike);
    }
}

void l2v_ike_child_rekey(struct l2v_ike_peer *peer, uint32_t spi_in)
{
    struct l2v_ike *ike = peer->ike;
    struct l2v_ike_csa *csa = peer->dead ? NULL : l2v_ike_peer_find_child(peer, spi_in);

    if (csa != NULL) {
        l2v_ike_enter(ike);
        l2v_ike_peer_rekey_child(peer, csa);
        l2v_ike_leave(ike);
    }
}

void l2v_ike_peer_rekey(struct l2v_ike_peer *peer)
{
    struct l2v_ike *ike = peer->ike;
    l2v_ike_enter(ike);
    l2v_ike_peer_renew(peer);
    l2v_ike_leave(ike);
}

void l2v_ike_peer_move(struct l2v_ike_peer *peer, const struct l2v_ike_route *route)
{
    struct l2v_ike *ike = peer->ike;

    if (peer->dead || !peer->up) {
        return;
    }
    l2v_ike_enter(ike);
    take_route(peer, route);
    L2V_LIST_EACH(pos, &peer->sas)
    {
        L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node)->route = *route;
    }
    l2v_ike_timers_peer_up(peer);
    ike->ops.peer_moved(ike->user, peer, &peer->route);
    l2v_ike_leave(ike);
}

void l2v_ike_peer_probe(struct l2v_ike_peer *peer)
{
    struct l2v_ike *ike = peer->ike;
    if (!peer->dead) {
        l2v_ike_enter(ike);
        l2v_ike_timers_peer_probe(peer);
        l2v_ike_leave(ike);
    }
}

void *l2v_ike_peer_get_user(const struct l2v_ike_peer *peer)
{
    return peer->user;
}

const struct l2v_ike_route *l2v_ike_peer_get_route(const struct l2v_ike_peer *peer)
{
    return &peer->route;
}

uint32_t l2v_ike_peer_get_nat(const struct l2v_ike_peer *peer)
{
    return peer->nat;
}

void l2v_ike_peer_describe(const struct l2v_ike_peer *peer, char *text, size_t size)
{
    char suite[L2V_IKE1_PROPOSAL_TEXT];
    if (!peer->up) {
        snprintf(text, size, "IKEv1");
        return;
    }
    l2v_ike1_p1_describe(&peer->chosen, suite, sizeof(suite));
    snprintf(text, size, "IKEv1 %s", suite);
}

void l2v_ike_peer_explain(const struct l2v_ike_peer *peer, l2tpvoip_failure *f)
{
    L2V_LIST_EACH(pos, &peer->sas)
    {
        const struct l2v_ike_sa *sa = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
        if (sa->mm == NULL || sa->dead) {
            continue;
        }
        if (sa->state == L2V_MM_I5) {
            l2v_ike1_auth_explain(sa, f);
        } else if (sa->mm->notify != 0) {
            memset(f, 0, sizeof(*f));
            l2v_ike1_explain_refusal(sa->config, 1, sa->mm->notify, f);
        }
    }
}
