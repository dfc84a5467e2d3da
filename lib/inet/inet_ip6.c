/* SPDX-License-Identifier: MIT */
/* IPv6 input, RFC 8200, with a bounded chain of extension headers. */
#include "inet_priv.h"

#define NEXT_HOP_BY_HOP 0u
#define NEXT_ROUTING 43u
#define NEXT_FRAGMENT 44u
#define NEXT_NONE 59u
#define NEXT_OPTIONS 60u
#define MAX_EXTENSIONS 8u

struct header6 {
    size_t total_len, data_at;
    uint8_t tos, next;
    bool fragment; /* the chain ends at a fragment header, which is at data_at */
    l2tpvoip_addr src, dst;
};

bool l2v_inet_ip6_options_ok(const uint8_t *options, size_t len)
{
    struct l2v_reader r;
    l2v_reader_init(&r, options, len);
    while (l2v_reader_left(&r) > 0) {
        uint8_t type = l2v_read_u8(&r);
        if (type == 0) { /* Pad1 */
            continue;
        }
        l2v_read_skip(&r, l2v_read_u8(&r));
        /* rfc8200#4.2: all but PadN is unknown here; the two top bits say whether to skip it. */
        if (type != 1 && type >> 6 != 0) {
            return false;
        }
    }
    return !r.failed;
}

static l2tpvoip_addr read_addr(struct l2v_reader *r)
{
    l2tpvoip_addr a;
    memset(&a, 0, sizeof a);
    a.family = 6;
    l2v_read_copy(r, a.ip, 16);
    return a;
}

static bool is_extension(uint8_t next)
{
    return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_OPTIONS;
}

static bool extension_ok(struct l2v_reader *r, uint8_t kind, unsigned index, uint8_t *ret_next)
{
    uint8_t next = l2v_read_u8(r);
    size_t body = ((size_t)l2v_read_u8(r) + 1u) * 8u - 2u;
    const uint8_t *p = l2v_read_bytes(r, body);
    if (p == NULL) {
        return false;
    }
    *ret_next = next;
    if (kind == NEXT_ROUTING) {
        return p[1] == 0; /* segments left: we are no router, rfc5095 */
    }
    if (kind == NEXT_HOP_BY_HOP && index != 0) {
        return false; /* rfc8200#4.1: only first */
    }
    return l2v_inet_ip6_options_ok(p, body);
}

/* Walks over the extension headers from first on; the reader ends at the upper layer. */
static bool walk(struct l2v_reader *r, uint8_t first, bool at_start, uint8_t *ret_next)
{
    uint8_t next = first;
    unsigned n = 0;
    while (is_extension(next)) {
        if (n >= MAX_EXTENSIONS || !extension_ok(r, next, at_start ? n : n + 1u, &next)) {
            return false;
        }
        n++;
    }
    *ret_next = next;
    return true;
}

static int parse(struct l2v_inet *inet, const struct l2v_pkt *pkt, struct header6 *h)
{
    struct l2v_reader r;
    l2v_reader_init(&r, pkt->data, pkt->len);
    uint32_t word = l2v_read_u32(&r);
    size_t payload = l2v_read_u16(&r);
    uint8_t first = l2v_read_u8(&r);
    (void)l2v_read_u8(&r); /* hop limit */
    h->src = read_addr(&r);
    h->dst = read_addr(&r);
    bool ok = !r.failed && word >> 28 == 6 && payload <= l2v_reader_left(&r);
    if (ok) {
        struct l2v_reader body = l2v_read_sub(&r, payload);
        h->total_len = L2V_IP6_HEADER + payload;
        h->tos = (uint8_t)(word >> 20);
        h->next = first;
        ok = walk(&body, first, true, &h->next);
        h->data_at = h->total_len - l2v_reader_left(&body);
        h->fragment = h->next == NEXT_FRAGMENT;
    }
    if (!ok) {
        inet->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    return 0;
}

static bool is_zero_or_loopback(const l2tpvoip_addr *a)
{
    static const uint8_t zero[15];
    return memcmp(a->ip, zero, sizeof zero) == 0 && a->ip[15] <= 1;
}

static int check_addresses(struct l2v_inet_if *nif, const struct header6 *h)
{
    struct l2v_inet_stats *stats = &nif->inet->stats;
    if (h->src.ip[0] == 0xff || is_zero_or_loopback(&h->src)) {
        stats->malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (!l2v_inet_source_allowed(nif, &h->src)) {
        stats->spoofed++;
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    if (nif->local6.family != 6 || memcmp(nif->local6.ip, h->dst.ip, 16) != 0) {
        stats->not_ours++;
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    return 0;
}

static int deliver(struct l2v_inet_if *nif, struct l2v_pkt *pkt, const struct header6 *h)
{
    struct l2v_inet_rx rx;
    if (h->next == NEXT_NONE) {
        return 0; /* rfc8200#4.7 */
    }
    rx.nif = nif;
    rx.pkt = pkt;
    rx.src = h->src;
    rx.dst = h->dst;
    rx.ip = pkt->data;
    rx.ip_len = h->total_len;
    rx.data_at = h->data_at;
    rx.data_len = h->total_len - h->data_at;
    rx.proto = h->next;
    rx.tos = h->tos;
    return l2v_inet_deliver(&rx);
}

/* rfc7112: the first fragment has the whole header chain; for us that means the upper header too.
 */
static bool first_is_complete(const struct l2v_inet_frag *frag)
{
    struct l2v_reader r;
    uint8_t next = 0;
    l2v_reader_init(&r, frag->data, frag->len);
    if (!walk(&r, frag->proto, false, &next) || next == NEXT_FRAGMENT) {
        return false;
    }
    return l2v_reader_left(&r) >= (next == L2V_PROTO_TCP ? 20u : 8u);
}

static int input_fragment(struct l2v_inet_if *nif, struct l2v_pkt *pkt, const struct header6 *h)
{
    struct l2v_inet *inet = nif->inet;
    struct l2v_inet_frag frag;
    struct l2v_pkt *whole = NULL;
    struct l2v_reader r;
    l2v_reader_init(&r, pkt->data + h->data_at, h->total_len - h->data_at);
    memset(&frag, 0, sizeof frag);
    frag.proto = l2v_read_u8(&r);
    (void)l2v_read_u8(&r);
    uint16_t where = l2v_read_u16(&r);
    frag.id = l2v_read_u32(&r);
    frag.at = where & 0xfff8u;
    frag.more = (where & 1u) != 0;
    frag.len = l2v_reader_left(&r);
    frag.data = l2v_read_bytes(&r, frag.len);
    frag.header = pkt->data;
    frag.header_len = L2V_IP6_HEADER; /* the headers before the fragment header were processed */
    inet->stats.fragments_in++;
    if (r.failed || frag.at + frag.len > UINT16_MAX ||
        (frag.at == 0 && !first_is_complete(&frag))) {
        inet->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    int rc = l2v_inet_reassemble(nif, &h->src, &h->dst, &frag, &whole);
    if (rc != 0) {
        return rc;
    }
    whole->time_ns = pkt->time_ns;
    l2v_put_u16(whole->data + 4, (unsigned)(whole->len - L2V_IP6_HEADER));
    struct header6 full = *h;
    rc = parse(inet, whole, &full);
    if (rc == 0 && full.fragment) { /* a fragment in a fragment */
        inet->stats.malformed++;
        rc = L2TPVOIP_ERR_MALFORMED;
    }
    if (rc == 0) {
        rc = deliver(nif, whole, &full);
    }
    l2v_pkt_free(whole);
    return rc;
}

int l2v_inet_ip6_input(struct l2v_inet_if *nif, struct l2v_pkt *pkt)
{
    struct header6 h;
    int rc = parse(nif->inet, pkt, &h);
    if (rc == 0) {
        rc = check_addresses(nif, &h);
    }
    if (rc != 0) {
        return rc;
    }
    return h.fragment ? input_fragment(nif, pkt, &h) : deliver(nif, pkt, &h);
}
