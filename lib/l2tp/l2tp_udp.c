/* SPDX-License-Identifier: MIT */
/* The UDP header of port 1701 inside ESP transport mode, with its checksum and NAT-OA rules. */
#include "l2v_l2tp.h"

#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "base_wire.h"

#define UDP_HEADER 8u
#define UDP_PROTOCOL 17u

/* rfc1071#1 one's complement sum; an odd last byte is padded with zero on the right */
static uint32_t add_sum(uint32_t sum, const uint8_t *data, size_t len)
{
    struct l2v_reader r;
    l2v_reader_init(&r, data, len);
    while (l2v_reader_left(&r) >= 2) {
        sum += l2v_read_u16(&r);
    }
    if (l2v_reader_left(&r) > 0) {
        sum += (uint32_t)l2v_read_u8(&r) << 8;
    }
    return sum;
}

static uint16_t fold_sum(uint32_t sum)
{
    while ((sum >> 16) != 0) {
        sum = (sum & 0xffffu) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

int l2v_l2tp_udp_push(struct l2v_pkt *pkt, uint16_t local_port, uint16_t remote_port,
                      const l2tpvoip_addr *local_oa, const l2tpvoip_addr *remote_oa)
{
    size_t len = pkt->len + UDP_HEADER;
    if (len > UINT16_MAX) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    uint8_t *h = l2v_pkt_push(pkt, UDP_HEADER);
    if (h == NULL) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    l2v_put_u16(h, local_port);
    l2v_put_u16(h + 2, remote_port);
    l2v_put_u16(h + 4, (unsigned)len);
    l2v_put_u16(h + 6, 0);
    if (local_oa == NULL || remote_oa == NULL || l2v_addr_ip_len(local_oa) != 16 ||
        l2v_addr_ip_len(remote_oa) != 16) {
        /* rfc3948#3.1.2 IPv4: zero, so that no NAT on the way can make it wrong */
        return 0;
    }
    /* rfc8200#8.1 the checksum is not optional over IPv6; rfc3947#5.2 over the original addresses
     */
    uint32_t sum = add_sum(0, local_oa->ip, 16);
    sum = add_sum(sum, remote_oa->ip, 16);
    sum += (uint32_t)len + UDP_PROTOCOL;
    uint16_t check = fold_sum(add_sum(sum, h, len));
    l2v_put_u16(h + 6, check != 0 ? check : 0xffffu);
    return 0;
}

int l2v_l2tp_udp_pull(struct l2v_pkt *pkt, uint16_t *ret_peer_port, uint16_t *ret_own_port)
{
    struct l2v_reader r;
    l2v_reader_init(&r, pkt->data, pkt->len);
    uint16_t peer_port = l2v_read_u16(&r);
    uint16_t own_port = l2v_read_u16(&r);
    size_t len = l2v_read_u16(&r);
    l2v_read_skip(&r, 2);
    if (r.failed || len < UDP_HEADER || len > pkt->len) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    l2v_pkt_trim(pkt, len);
    (void)l2v_pkt_pull(pkt, UDP_HEADER);
    *ret_peer_port = peer_port;
    *ret_own_port = own_port;
    return 0;
}
