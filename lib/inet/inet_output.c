/* SPDX-License-Identifier: MIT */
/* IP output: headers, and fragmentation before the tunnel. */
#include "inet_priv.h"

#define FLAG4_MORE 0x2000u
#define NEXT_FRAGMENT 44u

static void hand_over(struct l2v_inet_if *nif, struct l2v_pkt *pkt, int family)
{
    nif->inet->stats.tx_packets++;
    nif->ops.transmit(nif->user, pkt, family);
}

/* One fragment: header_len bytes of IP header, for IPv6 a fragment header, and len bytes of data.
 */
static struct l2v_pkt *make_fragment(struct l2v_inet_if *nif, const struct l2v_pkt *whole,
                                     int family, size_t at, size_t len, uint32_t id)
{
    size_t header_len = family == 6 ? L2V_IP6_HEADER : L2V_IP4_HEADER;
    size_t extra = family == 6 ? L2V_IP6_FRAGMENT : 0;
    bool more = header_len + at + len < whole->len;
    struct l2v_pkt *pkt = l2v_pkt_new(nif->inet->env, header_len + extra + len);
    uint8_t *p = pkt != NULL ? l2v_pkt_put(pkt, header_len + extra + len) : NULL;
    if (p == NULL) {
        l2v_pkt_free(pkt);
        return NULL;
    }
    memcpy(p, whole->data, header_len);
    memcpy(p + header_len + extra, whole->data + header_len + at, len);
    if (family == 6) {
        uint8_t *f = p + header_len;
        l2v_put_u16(p + 4, (unsigned)(extra + len));
        f[0] = p[6];
        f[1] = 0;
        p[6] = NEXT_FRAGMENT;
        l2v_put_u16(f + 2, (unsigned)at | (more ? 1u : 0u));
        l2v_put_u32(f + 4, id);
    } else {
        l2v_put_u16(p + 2, (unsigned)(header_len + len));
        l2v_put_u16(p + 6, (unsigned)(at / 8) | (more ? FLAG4_MORE : 0u));
        l2v_put_u16(p + 10, 0);
        l2v_put_u16(p + 10, l2v_inet_fold(l2v_inet_sum(p, header_len, 0)));
    }
    pkt->klass = whole->klass;
    pkt->tos = whole->tos;
    return pkt;
}

static int fragment(struct l2v_inet_if *nif, struct l2v_pkt *whole, int family)
{
    size_t header_len = family == 6 ? L2V_IP6_HEADER + L2V_IP6_FRAGMENT : L2V_IP4_HEADER;
    size_t data_len = whole->len - (family == 6 ? L2V_IP6_HEADER : L2V_IP4_HEADER);
    size_t step = nif->mtu > header_len ? (nif->mtu - header_len) & ~(size_t)7 : 0;
    uint32_t id = 0;
    struct l2v_pktq ready;
    l2v_pktq_init(&ready);
    /* rfc7739: identifications that cannot be guessed; IPv4 has its own in the header. */
    int rc =
        step < 8 ? L2TPVOIP_ERR_MSGSIZE : (family == 6 ? l2v_random_u32(nif->inet->env, &id) : 0);
    for (size_t at = 0; rc == 0 && at < data_len; at += step) {
        size_t len = data_len - at < step ? data_len - at : step;
        struct l2v_pkt *pkt = make_fragment(nif, whole, family, at, len, id);
        if (pkt == NULL) {
            rc = L2TPVOIP_ERR_NOMEM;
        } else {
            l2v_pktq_push(&ready, pkt);
        }
    }
    l2v_pkt_free(whole);
    if (rc != 0) { /* all or nothing */
        l2v_pktq_clear(&ready);
        return rc;
    }
    for (struct l2v_pkt *pkt; (pkt = l2v_pktq_pop(&ready)) != NULL;) {
        nif->inet->stats.fragments_out++;
        hand_over(nif, pkt, family);
    }
    return 0;
}

int l2v_inet_transmit(struct l2v_inet_if *nif, struct l2v_pkt *pkt, int family)
{
    if (pkt->len > nif->mtu) {
        return fragment(nif, pkt, family);
    }
    hand_over(nif, pkt, family);
    return 0;
}

static void fill_header4(struct l2v_inet_if *nif, uint8_t *p, size_t total,
                         const l2tpvoip_addr *src, const l2tpvoip_addr *dst, uint8_t proto,
                         uint8_t tos)
{
    p[0] = 0x45;
    p[1] = tos;
    l2v_put_u16(p + 2, (unsigned)total);
    l2v_put_u16(p + 4, nif->ip_id++);
    l2v_put_u16(p + 6, 0); /* no DF: what follows behind the server may be narrower */
    p[8] = L2V_IP_TTL;
    p[9] = proto;
    l2v_put_u16(p + 10, 0);
    memcpy(p + 12, src->ip, 4);
    memcpy(p + 16, dst->ip, 4);
    l2v_put_u16(p + 10, l2v_inet_fold(l2v_inet_sum(p, L2V_IP4_HEADER, 0)));
}

static void fill_header6(uint8_t *p, size_t payload, const l2tpvoip_addr *src,
                         const l2tpvoip_addr *dst, uint8_t proto, uint8_t tos)
{
    l2v_put_u32(p, UINT32_C(6) << 28 | (uint32_t)tos << 20);
    l2v_put_u16(p + 4, (unsigned)payload);
    p[6] = proto;
    p[7] = L2V_IP_TTL;
    memcpy(p + 8, src->ip, 16);
    memcpy(p + 24, dst->ip, 16);
}

int l2v_inet_output(struct l2v_inet_if *nif, struct l2v_pkt *pkt, const l2tpvoip_addr *src,
                    const l2tpvoip_addr *dst, uint8_t proto, uint8_t tos, uint8_t klass)
{
    size_t payload = pkt->len;
    bool v6 = src->family == 6;
    size_t header_len = v6 ? L2V_IP6_HEADER : L2V_IP4_HEADER;
    if (payload > UINT16_MAX - (v6 ? 0 : header_len)) {
        l2v_pkt_free(pkt);
        return L2TPVOIP_ERR_MSGSIZE;
    }
    uint8_t *p = l2v_pkt_push(pkt, header_len);
    if (p == NULL) {
        l2v_pkt_free(pkt);
        return L2TPVOIP_ERR_INVALID;
    }
    if (v6) {
        fill_header6(p, payload, src, dst, proto, tos);
    } else {
        fill_header4(nif, p, pkt->len, src, dst, proto, tos);
    }
    pkt->tos = tos;
    pkt->klass = klass;
    return l2v_inet_transmit(nif, pkt, src->family);
}
