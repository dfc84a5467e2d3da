/* SPDX-License-Identifier: MIT */
/* IPv4 input, RFC 791 with the host rules of RFC 1122. */
#include "inet_priv.h"

#define FLAG_RESERVED 0x8000u
#define FLAG_MORE 0x2000u
#define OFFSET_MASK 0x1fffu

#define OPTION_END 0u
#define OPTION_NOP 1u
#define OPTION_LSRR 131u
#define OPTION_SSRR 137u

struct header4 {
    size_t header_len, total_len;
    uint8_t tos, proto;
    uint16_t id, fragment;
    l2tpvoip_addr src, dst;
};

bool l2v_inet_ip4_options_ok(const uint8_t *options, size_t len)
{
    struct l2v_reader r;
    l2v_reader_init(&r, options, len);
    while (l2v_reader_left(&r) > 0) {
        uint8_t type = l2v_read_u8(&r);
        if (type == OPTION_END) {
            return true;
        }
        if (type == OPTION_NOP) {
            continue;
        }
        uint8_t option_len = l2v_read_u8(&r);
        /* A source route would lead around the tunnel's policy, rfc1122#3.2.1.8(c). */
        if (r.failed || option_len < 2 || type == OPTION_LSRR || type == OPTION_SSRR) {
            return false;
        }
        l2v_read_skip(&r, option_len - 2u);
    }
    return !r.failed;
}

static l2tpvoip_addr read_addr(struct l2v_reader *r)
{
    l2tpvoip_addr a;
    memset(&a, 0, sizeof a);
    a.family = 4;
    l2v_read_copy(r, a.ip, 4);
    return a;
}

/* rfc1122#3.2.1: what must be dropped silently. */
static int parse(struct l2v_inet *inet, const struct l2v_pkt *pkt, struct header4 *h)
{
    struct l2v_reader r;
    l2v_reader_init(&r, pkt->data, pkt->len);
    uint8_t version = l2v_read_u8(&r);
    h->tos = l2v_read_u8(&r);
    h->total_len = l2v_read_u16(&r);
    h->id = l2v_read_u16(&r);
    h->fragment = l2v_read_u16(&r);
    (void)l2v_read_u8(&r); /* a host takes any TTL, rfc1122#3.2.1.7 */
    h->proto = l2v_read_u8(&r);
    (void)l2v_read_u16(&r);
    h->src = read_addr(&r);
    h->dst = read_addr(&r);
    h->header_len = (version & 15u) * 4u;
    if (r.failed || version >> 4 != 4 || h->header_len < L2V_IP4_HEADER ||
        h->total_len < h->header_len || h->total_len > pkt->len ||
        (h->fragment & FLAG_RESERVED) != 0) {
        inet->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (l2v_inet_fold(l2v_inet_sum(pkt->data, h->header_len, 0)) != 0) {
        inet->stats.checksum++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    const uint8_t *options = l2v_read_bytes(&r, h->header_len - L2V_IP4_HEADER);
    if (!l2v_inet_ip4_options_ok(options, h->header_len - L2V_IP4_HEADER)) {
        inet->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    return 0;
}

/* rfc1122#3.2.1.3: never a source: this network, loopback, multicast, broadcast. */
static bool is_bad_source(const l2tpvoip_addr *a)
{
    return a->ip[0] == 0 || a->ip[0] == 127 || a->ip[0] >= 224;
}

static int check_addresses(struct l2v_inet_if *nif, const struct header4 *h)
{
    struct l2v_inet_stats *stats = &nif->inet->stats;
    if (is_bad_source(&h->src)) {
        stats->malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (!l2v_inet_source_allowed(nif, &h->src)) {
        stats->spoofed++;
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    if (nif->local4.family != 4 || memcmp(nif->local4.ip, h->dst.ip, 4) != 0) {
        stats->not_ours++;
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    return 0;
}

static int deliver(struct l2v_inet_if *nif, struct l2v_pkt *pkt, const struct header4 *h)
{
    struct l2v_inet_rx rx;
    rx.nif = nif;
    rx.pkt = pkt;
    rx.src = h->src;
    rx.dst = h->dst;
    rx.ip = pkt->data;
    rx.ip_len = h->total_len;
    rx.data_at = h->header_len;
    rx.data_len = h->total_len - h->header_len;
    rx.proto = h->proto;
    rx.tos = h->tos;
    return l2v_inet_deliver(&rx);
}

/* rfc1858#4: a first fragment that hides ports or flags in the second one. */
static bool is_tiny(const struct header4 *h, size_t at, size_t len)
{
    if (h->proto != L2V_PROTO_TCP) {
        return false;
    }
    return at == 8 || (at == 0 && len < 20);
}

static int input_fragment(struct l2v_inet_if *nif, const struct l2v_pkt *pkt,
                          const struct header4 *h)
{
    struct l2v_inet *inet = nif->inet;
    struct l2v_inet_frag frag;
    struct l2v_pkt *whole = NULL;
    memset(&frag, 0, sizeof frag);
    frag.at = (size_t)(h->fragment & OFFSET_MASK) * 8u;
    frag.len = h->total_len - h->header_len;
    frag.data = pkt->data + h->header_len;
    frag.more = (h->fragment & FLAG_MORE) != 0;
    frag.id = h->id;
    frag.header = pkt->data;
    frag.header_len = L2V_IP4_HEADER; /* options need not be kept: they were checked */
    frag.proto = h->proto;
    inet->stats.fragments_in++;
    if (is_tiny(h, frag.at, frag.len) || frag.at + frag.len > UINT16_MAX - L2V_IP4_HEADER) {
        inet->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    int rc = l2v_inet_reassemble(nif, &h->src, &h->dst, &frag, &whole);
    if (rc != 0) {
        return rc;
    }
    struct header4 full = *h;
    full.header_len = L2V_IP4_HEADER;
    full.total_len = whole->len;
    full.tos = whole->data[1];
    /* The header of the whole, for those who are told of it by ICMP. */
    whole->data[0] = 0x45;
    l2v_put_u16(whole->data + 2, (unsigned)whole->len);
    l2v_put_u16(whole->data + 6, 0);
    l2v_put_u16(whole->data + 10, 0);
    l2v_put_u16(whole->data + 10, l2v_inet_fold(l2v_inet_sum(whole->data, L2V_IP4_HEADER, 0)));
    whole->time_ns = pkt->time_ns;
    rc = deliver(nif, whole, &full);
    l2v_pkt_free(whole);
    return rc;
}

int l2v_inet_ip4_input(struct l2v_inet_if *nif, struct l2v_pkt *pkt)
{
    struct header4 h;
    int rc = parse(nif->inet, pkt, &h);
    if (rc == 0) {
        rc = check_addresses(nif, &h);
    }
    if (rc != 0) {
        return rc;
    }
    if ((h.fragment & (FLAG_MORE | OFFSET_MASK)) != 0) {
        return input_fragment(nif, pkt, &h);
    }
    return deliver(nif, pkt, &h);
}
