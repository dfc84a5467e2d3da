/* SPDX-License-Identifier: MIT */
/* The first two messages of main mode as responder, almost without state.
 *
 * The responder's cookie is an HMAC over the source address and port, the initiator's cookie and
 * the SA payload (rfc2408#2.5.3), so that a third message proves that its sender saw the second,
 * and no spoofed one costs a key agreement. Message 2 depends only on message 1: a duplicate gets
 * the same answer. What message 3 lacks (the SA payload, vendor ids) lies in a ring of 64-byte
 * records and a ring of bytes; both overwrite the oldest and never grow. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "base_secure.h"
#include "ike_engine.h"

#define SAI_MAX 4096u /* SA payload of a first message */
#define ARENA_PER_ENTRY 384u
#define NONE UINT32_MAX
#define TURN_NS (120 * L2V_NS_PER_S) /* a cookie is good for one to two of these */

struct record {
    uint64_t icookie, rcookie;
    uint64_t vids_seen;
    uint64_t sai_at; /* in the stream of all bytes that ever went into the arena */
    uint32_t sai_len;
    uint32_t fragment_caps, ms_version;
    uint32_t next; /* in the bucket */
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct record) == 64, "half-open records are 64 bytes");

struct l2v_ike_ring {
    uint8_t secrets[2][32]; /* of now, and the one before */
    uint64_t turned_ns;
    uint32_t n, n_buckets; /* buckets: a power of two */
    uint64_t written;      /* records */
    uint64_t stream;       /* bytes */
    size_t arena_len;
    struct record *records;
    uint32_t *buckets;
    uint8_t *arena;
};

static uint32_t bucket_of(const struct l2v_ike_ring *ring, uint64_t rcookie)
{
    return (uint32_t)rcookie & (ring->n_buckets - 1); /* an HMAC: as good as a hash */
}

int l2v_ike1_ring_new(struct l2v_ike *ike, uint32_t entries, struct l2v_ike_ring **ret_ring)
{
    struct l2v_env *env = ike->env;
    struct l2v_ike_ring *ring = l2v_calloc(env, 1, sizeof(*ring));
    int rc;

    if (ring == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    ring->n = entries < 4 ? 4 : entries > 1u << 20 ? 1u << 20 : entries;
    ring->n_buckets = 4;
    while (ring->n_buckets < ring->n) {
        ring->n_buckets *= 2;
    }
    ring->arena_len = (size_t)ring->n * ARENA_PER_ENTRY;
    ring->arena_len = ring->arena_len < 2 * SAI_MAX ? 2 * SAI_MAX : ring->arena_len;
    ring->records = l2v_calloc(env, ring->n, sizeof(*ring->records));
    ring->buckets = l2v_calloc(env, ring->n_buckets, sizeof(*ring->buckets));
    ring->arena = l2v_malloc(env, ring->arena_len);
    rc = ring->records != NULL && ring->buckets != NULL && ring->arena != NULL
             ? l2v_random(env, ring->secrets, sizeof(ring->secrets))
             : L2TPVOIP_ERR_NOMEM;
    ring->turned_ns = env->now_ns;
    if (rc != 0) {
        l2v_ike1_ring_free(ike, ring);
        return rc;
    }
    memset(ring->buckets, 0xff, ring->n_buckets * sizeof(*ring->buckets));
    *ret_ring = ring;
    return 0;
}

void l2v_ike1_ring_free(struct l2v_ike *ike, struct l2v_ike_ring *ring)
{
    if (ring != NULL) {
        l2v_free(ike->env, ring->records);
        l2v_free(ike->env, ring->buckets);
        l2v_free(ike->env, ring->arena);
        l2v_free_secret(ike->env, ring, sizeof(*ring));
    }
}

/* rfc2408#2.5.3: recorded messages 1 and 3 are not good for ever. */
static void turn_secrets(struct l2v_ike *ike)
{
    struct l2v_ike_ring *ring = ike->ring;
    uint8_t fresh[sizeof(ring->secrets[0])];

    if (ike->env->now_ns - ring->turned_ns < TURN_NS ||
        l2v_random(ike->env, fresh, sizeof(fresh)) != 0) {
        return;
    }
    memcpy(ring->secrets[1], ring->secrets[0], sizeof(fresh));
    memcpy(ring->secrets[0], fresh, sizeof(fresh));
    ring->turned_ns = ike->env->now_ns;
    l2v_wipe(fresh, sizeof(fresh));
}

static int make_cookie(struct l2v_ike *ike, const struct l2v_ike_route *route, unsigned age,
                       const uint8_t icookie[8], const uint8_t *sai, size_t sai_len,
                       uint8_t ret_cookie[8])
{
    uint8_t hash[L2V_HASH_MAX], port[2];
    struct l2v_iov in[] = {
        {route->remote.ip, sizeof(route->remote.ip)},
        {port, sizeof(port)},
        {icookie, L2V_IKE_COOKIE_LEN},
        {sai, sai_len},
    };
    int rc;

    l2v_put_u16(port, route->remote.port);
    rc = l2v_hmac(ike->crypto, L2V_HASH_SHA256, ike->ring->secrets[age],
                  sizeof(ike->ring->secrets[age]), in, sizeof(in) / sizeof(in[0]), hash);
    if (rc == 0) {
        memcpy(ret_cookie, hash, L2V_IKE_COOKIE_LEN);
        l2v_ike_mark_cookie(ike, ret_cookie);
    }
    return rc;
}

/* --- the ring ------------------------------------------------------------------------------------
 */

static bool is_alive(const struct l2v_ike_ring *ring, const struct record *r)
{
    return r->rcookie != 0 && ring->stream - r->sai_at <= ring->arena_len;
}

static struct record *find_record(struct l2v_ike_ring *ring, uint64_t rcookie)
{
    uint32_t i = ring->buckets[bucket_of(ring, rcookie)];
    for (; i != NONE; i = ring->records[i].next) {
        if (ring->records[i].rcookie == rcookie) {
            return is_alive(ring, &ring->records[i]) ? &ring->records[i] : NULL;
        }
    }
    return NULL;
}

static void unlink_record(struct l2v_ike_ring *ring, struct record *r)
{
    uint32_t *at = &ring->buckets[bucket_of(ring, r->rcookie)];
    while (*at != NONE && &ring->records[*at] != r) {
        at = &ring->records[*at].next;
    }
    if (*at != NONE) {
        *at = r->next;
    }
    r->rcookie = 0;
}

static struct record *new_record(struct l2v_ike *ike, uint64_t rcookie, const uint8_t *sai,
                                 size_t sai_len)
{
    struct l2v_ike_ring *ring = ike->ring;
    uint32_t i = (uint32_t)(ring->written++ % ring->n);
    struct record *r = &ring->records[i];
    uint32_t *bucket = &ring->buckets[bucket_of(ring, rcookie)];
    size_t at = (size_t)(ring->stream % ring->arena_len);

    if (r->rcookie != 0) {
        unlink_record(ring, r);
        ike->stats.ring_overwrites++;
    }
    memset(r, 0, sizeof(*r));
    if (ring->arena_len - at < sai_len) { /* never across the end */
        ring->stream += ring->arena_len - at;
        at = 0;
    }
    memcpy(ring->arena + at, sai, sai_len);
    r->sai_at = ring->stream;
    r->sai_len = (uint32_t)sai_len;
    ring->stream += sai_len;
    r->rcookie = rcookie;
    r->next = *bucket;
    *bucket = i;
    return r;
}

int l2v_ike1_halfopen_find(struct l2v_ike *ike, const struct l2v_ike_route *route,
                           const struct l2v_ike_header *h, struct l2v_ike_halfopen *ret)
{
    struct l2v_ike_ring *ring = ike->ring;
    uint8_t want[8];
    struct record *r;
    bool fits = false;
    int rc;

    if (ring != NULL) {
        turn_secrets(ike);
    }
    r = ring != NULL ? find_record(ring, l2v_get_u64(h->rcookie)) : NULL;
    if (r == NULL || r->icookie != l2v_get_u64(h->icookie)) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    ret->sai = ring->arena + r->sai_at % ring->arena_len;
    ret->sai_len = r->sai_len;
    for (unsigned age = 0; age < 2 && !fits; age++) {
        rc = make_cookie(ike, route, age, h->icookie, ret->sai, ret->sai_len, want);
        if (rc != 0) {
            return rc;
        }
        fits = l2v_equal_ct(want, h->rcookie, sizeof(want));
    }
    if (!fits) {
        return L2TPVOIP_ERR_NOT_FOUND; /* from elsewhere than message 1, or from long ago */
    }
    memcpy(ret->icookie, h->icookie, sizeof(ret->icookie));
    memcpy(ret->rcookie, h->rcookie, sizeof(ret->rcookie));
    memset(&ret->vids, 0, sizeof(ret->vids));
    ret->vids.seen = r->vids_seen;
    ret->vids.fragment_caps = r->fragment_caps;
    ret->vids.ms_version = r->ms_version;
    return 0;
}

void l2v_ike1_halfopen_drop(struct l2v_ike *ike, const uint8_t rcookie[8])
{
    struct record *r = find_record(ike->ring, l2v_get_u64(rcookie));
    if (r != NULL) {
        unlink_record(ike->ring, r);
        if (ike->stats.half_open > 0) {
            ike->stats.half_open--;
        }
    }
}

/* --- message 1 and 2 -----------------------------------------------------------------------------
 */

struct l2v_ike_config *l2v_ike1_responder_config(struct l2v_ike *ike,
                                                 const struct l2v_ike_route *route)
{
    struct l2v_ike_peer *peer = l2v_ike_peer_by_route(ike, route);
    return peer != NULL && peer->up ? peer->config : ike->listen;
}

static void complain(struct l2v_ike *ike, const struct l2v_ike_config *config,
                     const struct l2v_ike_route *route, const struct l2v_ike_payload *sa)
{
    char addr[L2V_ADDR_TEXT];
    l2tpvoip_failure f;

    if (!L2V_LOG_ON(ike->env, L2TPVOIP_LOG_WARNING) ||
        !l2v_rate_take(&ike->log_rate, ike->env->now_ns)) {
        return;
    }
    memset(&f, 0, sizeof(f));
    l2v_ike1_p1_explain(config, sa->body, sa->len, &f);
    l2v_addr_format(&route->remote, addr, sizeof(addr));
    l2v_log(ike->env, L2TPVOIP_LOG_WARNING, "ike", "%s: %s %s", addr, f.message, f.next_step);
}

static int build_m2(struct l2v_ike *ike, const struct l2v_ike_config *config,
                    const uint8_t *icookie, const uint8_t *rcookie,
                    const struct l2v_ike1_p1 *chosen, const struct l2v_ike_vids *vids, uint8_t *buf,
                    size_t size, size_t *ret_len)
{
    struct l2v_ike_build b;
    struct l2v_ike_header h;

    (void)ike;
    memset(&h, 0, sizeof(h));
    memcpy(h.icookie, icookie, sizeof(h.icookie));
    memcpy(h.rcookie, rcookie, sizeof(h.rcookie));
    h.version = L2V_IKE_VERSION_1;
    h.exchange = L2V_IKE1_EXCHANGE_MAIN;
    l2v_ike_build_begin(&b, buf, size, &h);
    l2v_ike_build_payload(&b, L2V_IKE1_PAYLOAD_SA);
    l2v_ike1_p1_write_choice(&b.w, chosen);
    l2v_ike_vids_write(&b, config, vids);
    return l2v_ike_build_end(&b, 0, ret_len);
}

/* Never more bytes than came: vendor ids go first. */
static void send_m2(struct l2v_ike *ike, const struct l2v_ike_config *config,
                    const struct l2v_ike_route *route, const uint8_t *icookie,
                    const uint8_t *rcookie, const struct l2v_ike1_p1 *chosen,
                    const struct l2v_ike_vids *vids, size_t request_len)
{
    uint8_t buf[1024];
    struct l2v_ike_config smaller = *config; /* a view: nothing in it is freed */
    size_t len = 0;

    while (build_m2(ike, &smaller, icookie, rcookie, chosen, vids, buf, sizeof(buf), &len) != 0 ||
           len > request_len) {
        if (smaller.vendor_ids == L2TPVOIP_VENDOR_IDS_NONE) {
            ike->stats.rx_bad++;
            return;
        }
        if (smaller.vendor_ids == L2TPVOIP_VENDOR_IDS_MINIMAL &&
            !l2v_ike_config_has(&smaller, L2TPVOIP_IPSEC_NO_DPD)) {
            smaller.flags |= L2TPVOIP_IPSEC_NO_DPD; /* sooner than NAT traversal */
        } else {
            smaller.vendor_ids++;
        }
    }
    l2v_ike_tap(ike, L2TPVOIP_TAP_OUT, route, buf, len);
    (void)l2v_ike_transmit(ike, route, buf, len);
}

int l2v_ike1_halfopen_m1(struct l2v_ike *ike, const struct l2v_ike_route *route, uint8_t *msg,
                         size_t len)
{
    static const struct l2v_ike_rule rules[] = {{L2V_IKE1_PAYLOAD_SA, 1, 1}};
    struct l2v_ike_config *config = l2v_ike1_responder_config(ike, route);
    const struct l2v_ike_payload *sa;
    struct l2v_ike1_p1 chosen;
    struct l2v_ike_message m;
    struct l2v_ike_vids vids;
    struct record *r;
    uint8_t rcookie[8], type;
    int rc;

    if (config == NULL || ike->ring == NULL) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    if (l2v_ike1_message_parse(msg, len, &m) != L2V_IKE_FAULT_NONE ||
        l2v_ike1_message_check(&m, rules, 1, &type) != L2V_IKE_FAULT_NONE) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    sa = l2v_ike_message_find(&m, L2V_IKE1_PAYLOAD_SA, 0);
    if (sa->len > SAI_MAX) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    l2v_ike_tap(ike, L2TPVOIP_TAP_IN, route, msg, len);
    turn_secrets(ike);
    rc = make_cookie(ike, route, 0, m.header.icookie, sa->body, sa->len, rcookie);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_ike1_p1_choose(&config->ike, sa->body, sa->len, &chosen);
    if (rc == L2TPVOIP_ERR_NO_PROPOSAL) {
        complain(ike, config, route, sa);
        l2v_ike_reject(ike, route, m.header.icookie, rcookie, L2V_IKE1_NOTIFY_NO_PROPOSAL_CHOSEN,
                       len);
    }
    if (rc != 0) {
        return rc;
    }
    memset(&vids, 0, sizeof(vids));
    l2v_ike_vids_gather(&m, &vids);
    r = find_record(ike->ring, l2v_get_u64(rcookie));
    if (r == NULL) {
        r = new_record(ike, l2v_get_u64(rcookie), sa->body, sa->len);
        r->icookie = l2v_get_u64(m.header.icookie);
        r->vids_seen = vids.seen;
        r->fragment_caps = vids.fragment_caps;
        r->ms_version = vids.ms_version;
        ike->stats.half_open += ike->stats.half_open < ike->ring->n;
    } else {
        ike->stats.replays++;
    }
    send_m2(ike, config, route, m.header.icookie, rcookie, &chosen, &vids, len);
    return 0;
}
