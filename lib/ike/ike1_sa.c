/* SPDX-License-Identifier: MIT */
/* One ISAKMP SA: life, message ids, sealing and sending of its messages. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "base_secure.h"
#include "ike_engine.h"

static void on_flight(void *arg)
{
    struct l2v_ike_sa *sa = arg;
    struct l2v_ike *ike = sa->ike;
    l2v_ike_enter(ike);
    if (l2v_ike_timers_flight_next(sa, &sa->flight)) {
        l2v_ike_flight_again(sa, &sa->flight);
    } else {
        l2v_ike1_main_silence(sa);
    }
    l2v_ike_leave(ike);
}

int l2v_ike1_sa_new(struct l2v_ike *ike, struct l2v_ike_config *config,
                    const struct l2v_ike_route *route, bool initiator, struct l2v_ike_sa **ret_sa)
{
    struct l2v_ike_sa *sa = l2v_calloc(ike->env, 1, sizeof(*sa));
    struct l2v_ike1_mm *mm = sa != NULL ? l2v_calloc(ike->env, 1, sizeof(*mm)) : NULL;

    if (mm == NULL) {
        l2v_free(ike->env, sa);
        return L2TPVOIP_ERR_NOMEM;
    }
    sa->mm = mm;
    sa->ike = ike;
    sa->config = l2v_ike_config_ref(config);
    sa->route = *route;
    if (sa->route.local.family == 0) { /* an unbound path: the unspecified address of that family */
        uint16_t port = sa->route.local.port;
        memset(&sa->route.local, 0, sizeof(sa->route.local));
        sa->route.local.family = route->remote.family;
        sa->route.local.port = port;
    }
    sa->initiator = initiator;
    l2v_list_init(&sa->node);
    l2v_list_init(&sa->grave);
    l2v_list_init(&sa->qms);
    l2v_ike_flight_init(&sa->flight, "ike main mode", on_flight, sa);
    l2v_ike_timers_sa_init(sa);
    *ret_sa = sa;
    return 0;
}

void l2v_ike1_sa_file(struct l2v_ike_sa *sa)
{
    l2v_map_insert(&sa->ike->cookies, &sa->by_cookie,
                   l2v_get_u64(sa->initiator ? sa->icookie : sa->rcookie));
}

void l2v_ike1_sa_clear_mm(struct l2v_ike_sa *sa)
{
    struct l2v_ike1_mm *mm = sa->mm;
    if (mm != NULL) {
        l2v_ike_dh_clear(&mm->dh);
        l2v_free(sa->ike->env, mm->sai);
        l2v_free_secret(sa->ike->env, mm, sizeof(*mm));
        sa->mm = NULL;
    }
}

void l2v_ike1_sa_kill(struct l2v_ike_sa *sa)
{
    struct l2v_ike *ike = sa->ike;
    if (sa->dead) {
        return;
    }
    sa->dead = true;
    sa->state = L2V_MM_DEAD;
    if (sa->peer == NULL && ike->n_unauth > 0 && !sa->initiator) {
        ike->n_unauth--;
    }
    if (sa->peer != NULL) {
        sa->peer->n_sas--;
    }
    l2v_list_remove(&sa->node);
    if (sa->by_cookie.key != 0) {
        l2v_map_remove(&ike->cookies, &sa->by_cookie);
    }
    l2v_ike_timers_sa_stop(sa);
    l2v_ike_flight_forget(sa, &sa->flight);
    if (sa->mm != NULL) {
        l2v_ike_dh_clear(&sa->mm->dh);
    }
    L2V_LIST_EACH_SAFE(pos, &sa->qms)
    {
        l2v_ike1_quick_kill(L2V_CONTAINER_OF(pos, struct l2v_ike_qm, node));
    }
    l2v_list_append(&ike->dead_sas, &sa->grave);
}

void l2v_ike1_sa_destroy(struct l2v_ike_sa *sa)
{
    struct l2v_env *env = sa->ike->env;
    l2v_list_remove(&sa->grave);
    l2v_ike1_sa_clear_mm(sa);
    l2v_ike1_frag_free(env, &sa->frags);
    l2v_free(env, sa->mids.slots);
    l2v_ike_config_unref(sa->config);
    l2v_free_secret(env, sa, sizeof(*sa));
}

void l2v_ike1_sa_views(const struct l2v_ike_sa *sa, struct l2v_ike1_phase1 *ret)
{
    const struct l2v_ike1_mm *mm = sa->mm;
    ret->icookie = sa->icookie;
    ret->rcookie = sa->rcookie;
    ret->ni = (struct l2v_ike1_bytes){mm->ni, mm->ni_len};
    ret->nr = (struct l2v_ike1_bytes){mm->nr, mm->nr_len};
    ret->gxi = (struct l2v_ike1_bytes){mm->gxi, mm->gxi_len};
    ret->gxr = (struct l2v_ike1_bytes){mm->gxr, mm->gxr_len};
    ret->sai = (struct l2v_ike1_bytes){mm->sai, mm->sai_len};
    ret->gxy = (struct l2v_ike1_bytes){mm->dh.secret, mm->dh.secret_len};
}

void l2v_ike1_sa_header(const struct l2v_ike_sa *sa, unsigned exchange, uint32_t message_id,
                        struct l2v_ike_header *ret)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->icookie, sa->icookie, sizeof(ret->icookie));
    memcpy(ret->rcookie, sa->rcookie, sizeof(ret->rcookie));
    ret->version = L2V_IKE_VERSION_1;
    ret->exchange = (uint8_t)exchange;
    ret->message_id = message_id;
}

static int emit_fragment(void *user, const uint8_t *frag, size_t frag_len)
{
    struct l2v_ike_sa *sa = user;
    return l2v_ike_transmit(sa->ike, &sa->route, frag, frag_len);
}

/* Failures count as loss on the way: whoever waits repeats. Only encrypted messages go in pieces:
 * a responder keeps nothing before message 3, which fits any path whole. */
void l2v_ike1_sa_transmit(struct l2v_ike_sa *sa, const uint8_t *msg, size_t len)
{
    struct l2v_ike_header h;
    bool fragment = len > L2V_IKE1_FRAG_SIZE_4 && l2v_ike_header_parse(msg, len, &h) == 0 &&
                    (h.flags & L2V_IKE1_FLAG_ENCRYPTION) != 0 &&
                    l2v_ike_vids_can_fragment(&sa->vids) &&
                    !l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_NO_FRAGMENTATION);
    if (fragment) {
        sa->frag_id++;
        if (l2v_ike1_frag_split(msg, len, L2V_IKE1_FRAG_SIZE_4, sa->frag_id, emit_fragment, sa) !=
            L2TPVOIP_ERR_MSGSIZE) {
            return;
        }
    }
    (void)l2v_ike_transmit(sa->ike, &sa->route, msg, len);
}

int l2v_ike1_sa_seal(struct l2v_ike_sa *sa, struct l2v_ike1_chain *chain, struct l2v_ike_build *b,
                     uint8_t *hash, const uint8_t *ni, size_t ni_len, size_t *ret_len)
{
    struct l2v_ike *ike = sa->ike;
    const size_t from = L2V_IKE_HEADER_LEN + L2V_IKE_GENERIC_LEN + sa->keys.hash_len;

    if (L2V_TAP_ON(ike->env, L2TPVOIP_TAP_IKE)) {
        /* The tap wants the HASH too, which the one-step function computes on its way. */
        size_t end = l2v_ike_build_close(b);
        uint32_t mid;
        int rc;
        if (end < from || hash == NULL) {
            return L2TPVOIP_ERR_MSGSIZE;
        }
        mid = l2v_get_u32(b->w.start + 20);
        rc = ni == NULL
                 ? l2v_ike1_hash1(ike->crypto, &sa->keys, mid, b->w.start + from, end - from, hash)
                 : l2v_ike1_hash2(ike->crypto, &sa->keys, mid, ni, ni_len, b->w.start + from,
                                  end - from, hash);
        if (rc != 0) {
            return rc;
        }
        l2v_put_u32(b->w.start + 24, (uint32_t)end);
        l2v_ike_tap(ike, L2TPVOIP_TAP_OUT, &sa->route, b->w.start, end);
    }
    return l2v_ike1_build_seal(ike->crypto, &sa->keys, chain, b, hash, ni, ni_len, ret_len);
}

/* --- message ids ---------------------------------------------------------------------------------
 */

static size_t mid_slot(const struct l2v_ike_sa *sa, uint32_t mid)
{
    uint8_t bytes[4];
    l2v_put_u32(bytes, mid);
    return (size_t)l2v_siphash(sa->ike->env->hash_key, bytes, sizeof(bytes)) &
           (sa->mids.n_slots - 1);
}

bool l2v_ike1_sa_mid_used(const struct l2v_ike_sa *sa, uint32_t mid)
{
    size_t i;
    if (sa->mids.n_slots == 0) {
        return false;
    }
    for (i = mid_slot(sa, mid); sa->mids.slots[i] != 0; i = (i + 1) & (sa->mids.n_slots - 1)) {
        if (sa->mids.slots[i] == mid) {
            return true;
        }
    }
    return false;
}

static void insert_mid(struct l2v_ike_sa *sa, uint32_t mid)
{
    size_t i = mid_slot(sa, mid);
    while (sa->mids.slots[i] != 0 && sa->mids.slots[i] != mid) {
        i = (i + 1) & (sa->mids.n_slots - 1);
    }
    sa->mids.count += sa->mids.slots[i] == 0;
    sa->mids.slots[i] = mid;
}

static int grow_mids(struct l2v_ike_sa *sa)
{
    struct l2v_ike_mids old = sa->mids;
    size_t n = old.n_slots == 0 ? 16 : old.n_slots * 2;
    uint32_t *slots = l2v_calloc(sa->ike->env, n, sizeof(*slots));
    if (slots == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    sa->mids = (struct l2v_ike_mids){slots, n, 0};
    for (size_t i = 0; i < old.n_slots; i++) {
        if (old.slots[i] != 0) {
            insert_mid(sa, old.slots[i]);
        }
    }
    l2v_free(sa->ike->env, old.slots);
    return 0;
}

/* rfc2409#5.5 wants them unique, so that a replayed message of old finds its number taken. */
int l2v_ike1_sa_use_mid(struct l2v_ike_sa *sa, uint32_t mid)
{
    if (sa->mids.count >= L2V_IKE_MAX_MIDS) {
        if (sa->peer != NULL) {
            l2v_ike_peer_renew(sa->peer);
        }
        return L2TPVOIP_ERR_LIMIT;
    }
    if (sa->mids.count * 2 >= sa->mids.n_slots && grow_mids(sa) != 0) {
        return L2TPVOIP_ERR_NOMEM;
    }
    insert_mid(sa, mid);
    return 0;
}

int l2v_ike1_sa_new_mid(struct l2v_ike_sa *sa, uint32_t *ret_mid)
{
    for (int i = 0; i < 16; i++) {
        uint32_t mid;
        int rc = l2v_random_u32(sa->ike->env, &mid);
        if (rc != 0) {
            return rc;
        }
        if (mid != 0 && !l2v_ike1_sa_mid_used(sa, mid)) {
            rc = l2v_ike1_sa_use_mid(sa, mid);
            if (rc == 0) {
                *ret_mid = mid;
            }
            return rc;
        }
    }
    return L2TPVOIP_ERR_CRYPTO;
}

struct l2v_ike_qm *l2v_ike1_sa_find_qm(struct l2v_ike_sa *sa, uint32_t mid)
{
    L2V_LIST_EACH(pos, &sa->qms)
    {
        struct l2v_ike_qm *qm = L2V_CONTAINER_OF(pos, struct l2v_ike_qm, node);
        if (qm->message_id == mid) {
            return qm;
        }
    }
    return NULL;
}

void l2v_ike1_sa_heard(struct l2v_ike_sa *sa, const struct l2v_ike_route *route)
{
    struct l2v_ike_peer *peer = sa->peer;
    l2v_ike_peer_heard(peer);
    l2v_ike_flight_forget(sa, &sa->flight); /* the peer has message 6 */
    /* Fresh and authenticated: a peer behind a NAT may have got another mapping. */
    if ((peer->nat & L2TPVOIP_NAT_REMOTE) != 0 && route->path_id == peer->route.path_id &&
        route->marker == peer->route.marker &&
        !l2v_addr_equal(&route->remote, &peer->route.remote)) {
        l2v_ike_peer_move(peer, route);
    }
}
