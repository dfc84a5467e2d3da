/* SPDX-License-Identifier: MIT */
/* The engine: creation, dispatch by cookies, the entries of the module. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "ike_engine.h"

#define DH_PER_SECOND 400u /* responder key agreements; a burst of clients after an outage passes  \
                            */
#define DH_BURST 400u
#define NOTIFY_PER_SECOND 2u
#define RING_CLIENT 16u /* half-open records of an engine that only serves its own peers */

int l2v_ike_new(struct l2v_env *env, struct l2v_crypto *crypto, struct l2v_jobs *jobs,
                const struct l2v_ike_ops *ops, void *user, struct l2v_ike **ret_ike)
{
    struct l2v_ike *ike = l2v_calloc(env, 1, sizeof(*ike));
    if (ike == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    ike->env = env;
    ike->crypto = crypto;
    ike->jobs = jobs;
    ike->ops = *ops;
    ike->user = user;
    l2v_list_init(&ike->peers);
    l2v_list_init(&ike->unauth);
    l2v_list_init(&ike->dead_sas);
    l2v_list_init(&ike->dead_qms);
    l2v_list_init(&ike->dead_peers);
    l2v_rate_init(&ike->dh_rate, DH_PER_SECOND, DH_BURST, env->now_ns);
    l2v_rate_init(&ike->notify_rate, NOTIFY_PER_SECOND, 4, env->now_ns);
    l2v_rate_init(&ike->log_rate, 5, 20, env->now_ns);
    if (l2v_map_init(&ike->cookies, env) != 0) {
        l2v_free(env, ike);
        return L2TPVOIP_ERR_NOMEM;
    }
    if (l2v_map_init(&ike->ips, env) != 0) {
        l2v_map_clear(&ike->cookies);
        l2v_free(env, ike);
        return L2TPVOIP_ERR_NOMEM;
    }
    *ret_ike = ike;
    return 0;
}

/* Everything that died since the engine was entered. */
static void reap(struct l2v_ike *ike)
{
    L2V_LIST_EACH_SAFE(pos, &ike->dead_qms)
    {
        l2v_ike1_quick_destroy(L2V_CONTAINER_OF(pos, struct l2v_ike_qm, grave));
    }
    L2V_LIST_EACH_SAFE(pos, &ike->dead_sas)
    {
        l2v_ike1_sa_destroy(L2V_CONTAINER_OF(pos, struct l2v_ike_sa, grave));
    }
    L2V_LIST_EACH_SAFE(pos, &ike->dead_peers)
    {
        l2v_ike_peer_destroy(L2V_CONTAINER_OF(pos, struct l2v_ike_peer, grave));
    }
}

void l2v_ike_enter(struct l2v_ike *ike)
{
    ike->busy++;
}

void l2v_ike_leave(struct l2v_ike *ike)
{
    if (--ike->busy == 0) {
        reap(ike);
    }
}

void l2v_ike_free(struct l2v_ike *ike)
{
    if (ike == NULL) {
        return;
    }
    ike->silent = true;
    l2v_ike_enter(ike);
    while (!l2v_list_is_empty(&ike->peers)) {
        l2v_ike_peer_kill(L2V_CONTAINER_OF(ike->peers.next, struct l2v_ike_peer, node));
    }
    while (!l2v_list_is_empty(&ike->unauth)) {
        l2v_ike1_sa_kill(L2V_CONTAINER_OF(ike->unauth.next, struct l2v_ike_sa, node));
    }
    l2v_ike_leave(ike);
    l2v_ike1_ring_free(ike, ike->ring);
    l2v_ike_config_unref(ike->listen);
    l2v_map_clear(&ike->ips);
    l2v_map_clear(&ike->cookies);
    l2v_free(ike->env, ike);
}

void l2v_ike_set_shard(struct l2v_ike *ike, uint32_t shard, uint32_t bits)
{
    ike->shard = shard;
    ike->shard_bits = bits < 32 ? bits : 0;
}

void l2v_ike_set_raw_esp(struct l2v_ike *ike, bool possible)
{
    ike->raw_esp = possible;
}

const struct l2v_ike_stats *l2v_ike_get_stats(const struct l2v_ike *ike)
{
    return &ike->stats;
}

int l2v_ike_listen(struct l2v_ike *ike, struct l2v_ike_config *config, uint32_t half_open)
{
    struct l2v_ike_ring *ring = NULL;

    if (config != NULL) {
        int rc = l2v_ike1_ring_new(ike, half_open, &ring);
        if (rc != 0) {
            return rc;
        }
        l2v_ike1_ring_free(ike, ike->ring);
        ike->ring = ring;
        l2v_ike_config_ref(config);
    }
    l2v_ike_config_unref(ike->listen);
    ike->listen = config;
    return 0;
}

int l2v_ike_connect(struct l2v_ike *ike, struct l2v_ike_config *config,
                    const struct l2v_ike_route *route, uint16_t local_port, uint16_t remote_port,
                    void *peer_user, struct l2v_ike_peer **ret_peer)
{
    struct l2v_ike_peer *peer = NULL;
    int rc = 0;

    if (ike->ring == NULL) { /* for main modes that the server starts */
        rc = l2v_ike1_ring_new(ike, RING_CLIENT, &ike->ring);
    }
    if (rc == 0) {
        rc = l2v_ike_peer_new(ike, config, route, &peer);
    }
    if (rc != 0) {
        return rc;
    }
    l2v_ike_enter(ike);
    peer->initiator = true;
    peer->accepted = true;
    peer->want_child = true;
    peer->local_port = local_port;
    peer->remote_port = remote_port;
    peer->user = peer_user;
    rc = l2v_ike1_main_start(peer);
    if (rc != 0) {
        l2v_ike_peer_kill(peer);
    } else {
        *ret_peer = peer;
    }
    l2v_ike_leave(ike);
    return rc;
}

const char *l2v_ike_error_words(int rc)
{
    static const struct {
        int rc;
        const char *words;
    } table[] = {
        {L2TPVOIP_ERR_NOMEM, "out of memory"},
        {L2TPVOIP_ERR_LIMIT, "a configured limit is reached"},
        {L2TPVOIP_ERR_CRYPTO, "a cryptographic operation failed"},
        {L2TPVOIP_ERR_MSGSIZE, "a message became too long"},
        {L2TPVOIP_ERR_CONFIG, "no pre-shared key fits"},
        {L2TPVOIP_ERR_NOT_FOUND, "not a peer that may connect to us"},
        {L2TPVOIP_ERR_CLOSED, "closed"},
        {L2TPVOIP_ERR_PROTOCOL, "the peer's public key has the wrong length"},
        {L2TPVOIP_ERR_STATE, "there is no ISAKMP SA"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].rc == rc) {
            return table[i].words;
        }
    }
    return "an internal error";
}

/* --- sending -------------------------------------------------------------------------------------
 */

int l2v_ike_transmit(struct l2v_ike *ike, const struct l2v_ike_route *route, const uint8_t *msg,
                     size_t len)
{
    struct l2v_pkt *pkt;
    if (ike->silent) {
        return 0;
    }
    pkt = l2v_pkt_copy(ike->env, msg, len);
    if (pkt == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    ike->ops.transmit(ike->user, route, pkt);
    return 0;
}

void l2v_ike_tap(struct l2v_ike *ike, uint32_t direction, const struct l2v_ike_route *route,
                 const uint8_t *msg, size_t len)
{
    if (L2V_TAP_ON(ike->env, L2TPVOIP_TAP_IKE)) {
        l2v_tap(ike->env, L2TPVOIP_TAP_IKE, direction, &route->local, &route->remote, msg, len);
    }
}

void l2v_ike_mark_cookie(const struct l2v_ike *ike, uint8_t cookie[8])
{
    uint32_t high = l2v_get_u32(cookie);
    if (ike->shard_bits != 0) {
        high = (high & (UINT32_MAX >> ike->shard_bits)) | ike->shard << (32 - ike->shard_bits);
        l2v_put_u32(cookie, high);
    }
    if (l2v_ike_cookie_is_zero(cookie)) {
        cookie[7] = 1; /* zero means "none" on the wire */
    }
}

/* Of the body alone: header flags are not authenticated, so that a copy with another Commit bit
 * must count as the same message. */
uint64_t l2v_ike_message_hash(const struct l2v_ike *ike, const uint8_t *msg, size_t len)
{
    if (len > L2V_IKE_HEADER_LEN) {
        msg += L2V_IKE_HEADER_LEN;
        len -= L2V_IKE_HEADER_LEN;
    }
    return l2v_siphash(ike->env->hash_key, msg, len);
}

void l2v_ike_reject(struct l2v_ike *ike, const struct l2v_ike_route *route,
                    const uint8_t icookie[8], const uint8_t rcookie[8], unsigned type,
                    size_t request_len)
{
    uint8_t buf[128];
    struct l2v_ike_build b;
    struct l2v_ike_header h;
    size_t len;

    memset(&h, 0, sizeof(h));
    memcpy(h.icookie, icookie, sizeof(h.icookie));
    memcpy(h.rcookie, rcookie, sizeof(h.rcookie));
    h.version = L2V_IKE_VERSION_1;
    h.exchange = L2V_IKE1_EXCHANGE_INFO;
    if (!l2v_rate_take(&ike->notify_rate, ike->env->now_ns)) {
        ike->stats.rate_limited++;
        return;
    }
    h.message_id = 1 + l2v_random_below(ike->env, UINT32_MAX - 1);
    l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
    l2v_ike_build_notify(&b, L2V_IKE1_PROTO_ISAKMP, NULL, 0, type, NULL, 0);
    if (l2v_ike_build_end(&b, 0, &len) == 0 && len <= request_len) {
        l2v_ike_tap(ike, L2TPVOIP_TAP_OUT, route, buf, len);
        (void)l2v_ike_transmit(ike, route, buf, len);
    }
}

/* --- receiving -----------------------------------------------------------------------------------
 */

static struct l2v_ike_sa *find_by(struct l2v_ike *ike, const struct l2v_ike_header *h,
                                  bool initiator, const struct l2v_ike_route *route)
{
    struct l2v_map_node *n;
    struct l2v_ike_sa *found = NULL;

    n = l2v_map_find(&ike->cookies, l2v_get_u64(initiator ? h->icookie : h->rcookie));
    for (; n != NULL; n = l2v_map_find_next(n)) {
        struct l2v_ike_sa *sa = L2V_CONTAINER_OF(n, struct l2v_ike_sa, by_cookie);
        bool fits =
            sa->initiator == initiator && memcmp(sa->icookie, h->icookie, sizeof(sa->icookie)) == 0;
        /* Before message 2 the initiator knows no responder cookie. */
        bool open = initiator && l2v_ike_cookie_is_zero(sa->rcookie);
        if (!fits || (!open && memcmp(sa->rcookie, h->rcookie, sizeof(sa->rcookie)) != 0)) {
            continue;
        }
        if (found == NULL || sa->route.path_id == route->path_id) {
            found = sa;
        }
    }
    return found;
}

/* The engine may hold both ends of one SA (a client and a server in one context): the path tells
 * which of them is meant. */
static struct l2v_ike_sa *find_sa(struct l2v_ike *ike, const struct l2v_ike_header *h,
                                  const struct l2v_ike_route *route)
{
    struct l2v_ike_sa *i = find_by(ike, h, true, route);
    struct l2v_ike_sa *r =
        l2v_ike_cookie_is_zero(h->rcookie) ? NULL : find_by(ike, h, false, route);
    if (i != NULL && r != NULL) {
        return i->route.path_id == route->path_id ? i : r;
    }
    return i != NULL ? i : r;
}

static int input_first(struct l2v_ike *ike, const struct l2v_ike_route *route,
                       const struct l2v_ike_header *h, uint8_t *msg, size_t len)
{
    if (h->exchange != L2V_IKE1_EXCHANGE_MAIN || h->message_id != 0 ||
        (h->flags & L2V_IKE1_FLAG_ENCRYPTION) != 0) {
        return L2TPVOIP_ERR_UNSUPPORTED; /* aggressive mode is neither offered nor answered */
    }
    return l2v_ike1_halfopen_m1(ike, route, msg, len);
}

static int input_sa(struct l2v_ike_sa *sa, const struct l2v_ike_route *route,
                    const struct l2v_ike_header *h, uint8_t *msg, size_t len)
{
    switch (h->exchange) {
    case L2V_IKE1_EXCHANGE_MAIN:
        return l2v_ike1_main_input(sa, route, msg, len);
    case L2V_IKE1_EXCHANGE_QUICK:
        return l2v_ike1_quick_input(sa, route, h, msg, len,
                                    l2v_ike_message_hash(sa->ike, msg, len));
    case L2V_IKE1_EXCHANGE_INFO:
        return l2v_ike1_info_input(sa, route, h, msg, len);
    default:
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
}

/* The fragments of the last message came again: its duplicate, as far as its exchange knows it. */
static int answer_fragments(struct l2v_ike_sa *sa)
{
    struct l2v_ike_qm *qm = sa->frag_mid != 0 ? l2v_ike1_sa_find_qm(sa, sa->frag_mid) : NULL;
    struct l2v_ike_flight *f =
        sa->frag_mid == 0 ? &sa->flight : qm != NULL ? &qm->flight : NULL;
    if (f != NULL && l2v_ike_flight_is_dup(f, sa->frag_hash)) {
        l2v_ike_flight_answer(sa, f);
    }
    return L2TPVOIP_ERR_REPLAY;
}

static int input_fragment(struct l2v_ike_sa *sa, const struct l2v_ike_route *route,
                          const uint8_t *msg, size_t len)
{
    struct l2v_ike_header h;
    uint8_t *whole = NULL;
    size_t whole_len = 0;
    int rc;

    if (l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_NO_FRAGMENTATION)) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    rc = l2v_ike1_frag_input(sa->ike->env, &sa->frags, msg, len, &whole, &whole_len);
    if (rc == L2TPVOIP_ERR_REPLAY) {
        return answer_fragments(sa);
    }
    if (rc != 0) {
        return rc == L2TPVOIP_ERR_AGAIN ? 0 : rc;
    }
    if (l2v_ike_header_parse(whole, whole_len, &h) != 0 ||
        l2v_ike1_header_check(&h, whole_len) != L2V_IKE_FAULT_NONE || l2v_ike1_frag_is(&h) ||
        memcmp(h.icookie, sa->icookie, sizeof(h.icookie)) != 0 ||
        (memcmp(h.rcookie, sa->rcookie, sizeof(h.rcookie)) != 0 &&
         !l2v_ike_cookie_is_zero(sa->rcookie))) {
        return L2TPVOIP_ERR_MALFORMED; /* the pieces of one SA must not make a message of another */
    }
    sa->frag_hash = l2v_ike_message_hash(sa->ike, whole, whole_len);
    sa->frag_mid = h.message_id;
    rc = input_sa(sa, route, &h, whole, whole_len);
    if (rc != 0 && rc != L2TPVOIP_ERR_REPLAY) {
        l2v_ike1_frag_forget(sa->frags); /* too early, perhaps: its repetition counts */
    }
    return rc;
}

static int dispatch(struct l2v_ike *ike, const struct l2v_ike_route *route, uint8_t *msg,
                    size_t len)
{
    struct l2v_ike_header h;
    struct l2v_ike_sa *sa;
    enum l2v_ike_fault fault;

    if (l2v_ike_header_parse(msg, len, &h) != 0) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    fault = l2v_ike1_header_check(&h, len);
    if (fault != L2V_IKE_FAULT_NONE) {
        return fault == L2V_IKE_FAULT_VERSION ? L2TPVOIP_ERR_UNSUPPORTED : L2TPVOIP_ERR_MALFORMED;
    }
    sa = find_sa(ike, &h, route);
    if (sa != NULL) {
        return l2v_ike1_frag_is(&h) ? input_fragment(sa, route, msg, len)
                                    : input_sa(sa, route, &h, msg, len);
    }
    if (l2v_ike1_frag_is(&h)) {
        return L2TPVOIP_ERR_NOT_FOUND; /* nothing is kept for strangers */
    }
    if (l2v_ike_cookie_is_zero(h.rcookie)) {
        return input_first(ike, route, &h, msg, len);
    }
    if (h.exchange == L2V_IKE1_EXCHANGE_MAIN && h.message_id == 0 &&
        (h.flags & L2V_IKE1_FLAG_ENCRYPTION) == 0) {
        return l2v_ike1_main_accept(ike, route, &h, msg, len);
    }
    ike->stats.cookies_bad++;
    return L2TPVOIP_ERR_NOT_FOUND;
}

int l2v_ike_input(struct l2v_ike *ike, const struct l2v_ike_route *route, struct l2v_pkt *pkt)
{
    int rc;
    l2v_ike_enter(ike);
    rc = dispatch(ike, route, pkt->data, pkt->len);
    switch (rc) {
    case L2TPVOIP_ERR_MALFORMED:
    case L2TPVOIP_ERR_UNSUPPORTED:
    case L2TPVOIP_ERR_INTEGRITY:
    case L2TPVOIP_ERR_PROTOCOL:
        ike->stats.rx_bad++;
        break;
    case L2TPVOIP_ERR_REPLAY:
        ike->stats.replays++;
        break;
    default:
        break;
    }
    l2v_ike_leave(ike);
    return rc;
}
