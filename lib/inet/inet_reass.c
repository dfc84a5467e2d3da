/* SPDX-License-Identifier: MIT */
/* Reassembly of IPv4 and IPv6 fragments, bounded in number, bytes and time. */
#include "inet_priv.h"

struct range {
    uint32_t from, to;
};

/* One datagram in the making. */
struct l2v_inet_reass {
    struct l2v_list node;
    struct l2v_inet_if *nif;
    l2tpvoip_addr src, dst;
    uint32_t id;
    uint8_t proto; /* part of the key for IPv4 alone, rfc791#3.2, rfc8200#4.5 */
    uint64_t expiry_ns;
    uint8_t header[L2V_IP6_HEADER];
    size_t header_len; /* 0: the first fragment has not come */
    uint8_t *data;
    size_t size;                           /* of data */
    size_t total;                          /* 0: the last fragment has not come */
    struct range ranges[L2V_REASS_RANGES]; /* sorted, apart from each other */
    unsigned n_ranges;
};

static void account(struct l2v_inet_reass *q, size_t more, size_t less)
{
    q->nif->reass_bytes += more;
    q->nif->reass_bytes -= less;
    q->nif->inet->reass_bytes += more;
    q->nif->inet->reass_bytes -= less;
}

static void drop(struct l2v_inet_reass *q)
{
    struct l2v_inet *inet = q->nif->inet;
    account(q, 0, q->size);
    q->nif->n_reass--;
    inet->n_reass--;
    l2v_list_remove(&q->node);
    l2v_free(inet->env, q->data);
    l2v_free(inet->env, q);
}

static void set_timer(struct l2v_inet *inet)
{
    uint64_t next = L2V_NEVER;
    if (!l2v_list_is_empty(&inet->reass)) {
        next = L2V_CONTAINER_OF(inet->reass.next, struct l2v_inet_reass, node)->expiry_ns;
    }
    l2v_timer_set(&inet->env->timers, &inet->reass_timer, next);
}

static void expire(void *arg)
{
    struct l2v_inet *inet = arg;
    while (!l2v_list_is_empty(&inet->reass)) {
        struct l2v_inet_reass *q = L2V_CONTAINER_OF(inet->reass.next, struct l2v_inet_reass, node);
        if (q->expiry_ns > inet->env->now_ns) {
            break;
        }
        inet->stats.reassembly_failed++;
        drop(q);
    }
    set_timer(inet);
}

void l2v_inet_reass_init(struct l2v_inet *inet)
{
    l2v_list_init(&inet->reass);
    l2v_timer_init(&inet->reass_timer, "inet reassembly", expire, inet);
}

void l2v_inet_reass_drop_if(struct l2v_inet_if *nif)
{
    L2V_LIST_EACH_SAFE(pos, &nif->inet->reass)
    {
        struct l2v_inet_reass *q = L2V_CONTAINER_OF(pos, struct l2v_inet_reass, node);
        if (q->nif == nif) {
            drop(q);
        }
    }
    set_timer(nif->inet);
}

/* The oldest of the interface, or of the host when nif is NULL, gives way. */
static void evict(struct l2v_inet *inet, const struct l2v_inet_if *nif,
                  const struct l2v_inet_reass *keep)
{
    L2V_LIST_EACH_SAFE(pos, &inet->reass)
    {
        struct l2v_inet_reass *q = L2V_CONTAINER_OF(pos, struct l2v_inet_reass, node);
        if (q != keep && (nif == NULL || q->nif == nif)) {
            inet->stats.reassembly_failed++;
            drop(q);
            return;
        }
    }
}

static struct l2v_inet_reass *find(struct l2v_inet_if *nif, const l2tpvoip_addr *src,
                                   const l2tpvoip_addr *dst, const struct l2v_inet_frag *frag)
{
    if (nif->n_reass == 0) {
        return NULL;
    }
    L2V_LIST_EACH(pos, &nif->inet->reass)
    {
        struct l2v_inet_reass *q = L2V_CONTAINER_OF(pos, struct l2v_inet_reass, node);
        if (q->nif == nif && q->id == frag->id && l2v_addr_equal_ip(&q->src, src) &&
            l2v_addr_equal_ip(&q->dst, dst) && (src->family == 6 || q->proto == frag->proto)) {
            return q;
        }
    }
    return NULL;
}

static struct l2v_inet_reass *add(struct l2v_inet_if *nif, const l2tpvoip_addr *src,
                                  const l2tpvoip_addr *dst, const struct l2v_inet_frag *frag)
{
    struct l2v_inet *inet = nif->inet;
    if (nif->n_reass >= L2V_REASS_PER_IF) {
        evict(inet, nif, NULL);
    }
    if (inet->n_reass >= L2V_REASS_PER_HOST) {
        evict(inet, NULL, NULL);
    }
    struct l2v_inet_reass *q = l2v_calloc(inet->env, 1, sizeof *q);
    if (q == NULL) {
        return NULL;
    }
    q->nif = nif;
    q->src = *src;
    q->dst = *dst;
    q->id = frag->id;
    q->proto = frag->proto;
    q->expiry_ns = inet->env->now_ns + L2V_REASS_TIME_NS;
    l2v_list_append(&inet->reass, &q->node);
    inet->n_reass++;
    nif->n_reass++;
    set_timer(inet);
    return q;
}

static int grow(struct l2v_inet_reass *q, size_t need)
{
    struct l2v_inet_if *nif = q->nif;
    if (need <= q->size) {
        return 0;
    }
    size_t size = q->size == 0 ? 4096 : q->size;
    while (size < need) {
        size *= 2;
    }
    size_t more = size - q->size;
    while (nif->reass_bytes + more > L2V_REASS_BYTES_PER_IF && nif->n_reass > 1) {
        evict(nif->inet, nif, q);
    }
    while (nif->inet->reass_bytes + more > L2V_REASS_BYTES_PER_HOST && nif->inet->n_reass > 1) {
        evict(nif->inet, NULL, q);
    }
    uint8_t *data = l2v_realloc(nif->inet->env, q->data, size);
    if (data == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    q->data = data;
    q->size = size;
    account(q, more, 0);
    return 0;
}

enum placing { PLACED, DUPLICATE, OVERLAP, TOO_MANY };

/* Adds [from, to) to the ranges. A fragment that came before with the very same bytes is a
 * duplicate of the network; any other overlap is an attack, rfc5722#4, rfc8200#4.5. */
static enum placing place(struct l2v_inet_reass *q, const struct l2v_inet_frag *frag)
{
    uint32_t from = (uint32_t)frag->at, to = (uint32_t)(frag->at + frag->len);
    unsigned i = 0;
    while (i < q->n_ranges && q->ranges[i].to < from) {
        i++;
    }
    /* ranges[i] is the first that ends at or after from. */
    for (unsigned k = i; k < q->n_ranges && q->ranges[k].from < to; k++) {
        if (q->ranges[k].to <= from) {
            continue;
        }
        bool inside = q->ranges[k].from <= from && to <= q->ranges[k].to;
        return inside && memcmp(q->data + from, frag->data, frag->len) == 0 ? DUPLICATE : OVERLAP;
    }
    bool joins_left = i < q->n_ranges && q->ranges[i].to == from;
    unsigned right = joins_left ? i + 1 : i;
    bool joins_right = right < q->n_ranges && q->ranges[right].from == to;
    if (joins_left) {
        q->ranges[i].to = to;
        if (joins_right) {
            q->ranges[i].to = q->ranges[right].to;
            memmove(&q->ranges[right], &q->ranges[right + 1],
                    (q->n_ranges - right - 1) * sizeof q->ranges[0]);
            q->n_ranges--;
        }
        return PLACED;
    }
    if (joins_right) {
        q->ranges[right].from = from;
        return PLACED;
    }
    if (q->n_ranges == L2V_REASS_RANGES) {
        return TOO_MANY;
    }
    memmove(&q->ranges[i + 1], &q->ranges[i], (q->n_ranges - i) * sizeof q->ranges[0]);
    q->ranges[i].from = from;
    q->ranges[i].to = to;
    q->n_ranges++;
    return PLACED;
}

/* The end of the datagram must be told by one fragment only, and nothing may lie behind it. */
static bool end_is_consistent(struct l2v_inet_reass *q, const struct l2v_inet_frag *frag)
{
    size_t end = frag->at + frag->len;
    if (!frag->more) {
        if (q->total != 0 && q->total != end) {
            return false;
        }
        if (q->n_ranges > 0 && q->ranges[q->n_ranges - 1].to > end) {
            return false;
        }
        q->total = end;
        return true;
    }
    return q->total == 0 || end < q->total ||
           (end == q->total && q->n_ranges > 0 && q->ranges[q->n_ranges - 1].to == end);
}

static int accept_fragment(struct l2v_inet_reass *q, const struct l2v_inet_frag *frag)
{
    if (!end_is_consistent(q, frag)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    int rc = grow(q, frag->at + frag->len);
    if (rc != 0) {
        return rc;
    }
    switch (place(q, frag)) {
    case PLACED:
        break;
    case DUPLICATE:
        return L2TPVOIP_ERR_PENDING;
    case OVERLAP:
        return L2TPVOIP_ERR_MALFORMED;
    case TOO_MANY:
        return L2TPVOIP_ERR_LIMIT;
    }
    memcpy(q->data + frag->at, frag->data, frag->len);
    if (frag->at == 0) {
        memcpy(q->header, frag->header, frag->header_len);
        q->header_len = frag->header_len;
        q->proto = frag->proto;
    }
    bool whole =
        q->total != 0 && q->n_ranges == 1 && q->ranges[0].from == 0 && q->ranges[0].to == q->total;
    return whole ? 0 : L2TPVOIP_ERR_PENDING;
}

static int build_whole(struct l2v_inet_reass *q, struct l2v_pkt **ret_pkt)
{
    size_t len = q->header_len + q->total;
    struct l2v_pkt *pkt = l2v_pkt_new(q->nif->inet->env, len);
    uint8_t *p = pkt != NULL ? l2v_pkt_put(pkt, len) : NULL;
    if (p == NULL) {
        l2v_pkt_free(pkt);
        return L2TPVOIP_ERR_NOMEM;
    }
    memcpy(p, q->header, q->header_len);
    memcpy(p + q->header_len, q->data, q->total);
    if (q->header_len == L2V_IP6_HEADER) {
        p[6] = q->proto; /* next header of the first fragment's fragment header */
    }
    *ret_pkt = pkt;
    return 0;
}

int l2v_inet_reassemble(struct l2v_inet_if *nif, const l2tpvoip_addr *src, const l2tpvoip_addr *dst,
                        const struct l2v_inet_frag *frag, struct l2v_pkt **ret_pkt)
{
    struct l2v_inet *inet = nif->inet;
    /* rfc791#3.2, rfc8200#4.5: all but the last are multiples of eight octets. */
    if (frag->len == 0 || (frag->more && frag->len % 8 != 0) || frag->at + frag->len > UINT16_MAX) {
        inet->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    /* rfc6946#4: an atomic fragment has nothing to do with others of its identification. */
    bool atomic = frag->at == 0 && !frag->more;
    struct l2v_inet_reass *q = atomic ? NULL : find(nif, src, dst, frag);
    if (q == NULL) {
        q = add(nif, src, dst, frag);
    }
    if (q == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    int rc = accept_fragment(q, frag);
    if (rc == L2TPVOIP_ERR_PENDING) {
        return rc;
    }
    if (rc == 0) {
        rc = build_whole(q, ret_pkt);
    }
    if (rc == 0) {
        inet->stats.reassembled++;
    } else {
        inet->stats.reassembly_failed++;
    }
    drop(q);
    set_timer(inet);
    return rc;
}
