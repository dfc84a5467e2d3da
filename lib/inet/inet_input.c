/* SPDX-License-Identifier: MIT */
/* A packet from the link, and its way to the upper layer. */
#include "inet_priv.h"

int l2v_inet_input(struct l2v_inet_if *nif, struct l2v_pkt *pkt, int family)
{
    nif->inet->stats.rx_packets++;
    return family == 6 ? l2v_inet_ip6_input(nif, pkt) : l2v_inet_ip4_input(nif, pkt);
}

int l2v_inet_deliver(struct l2v_inet_rx *rx)
{
    uint8_t icmp = rx->src.family == 6 ? L2V_PROTO_ICMP6 : L2V_PROTO_ICMP;
    if (rx->proto == L2V_PROTO_UDP) {
        return l2v_inet_udp_input(rx);
    }
    if (rx->proto == icmp) {
        return l2v_inet_icmp_input(rx);
    }
    rx->nif->inet->stats.no_socket++;
    if (rx->src.family == 6) { /* rfc4443#3.4; the pointer is that of the base header's field */
        l2v_inet_icmp_error(rx, L2V_ICMP6_PARAMETER, L2V_ICMP6_BAD_NEXT_HEADER, 6);
    } else { /* rfc1122#3.2.2.1 */
        l2v_inet_icmp_error(rx, L2V_ICMP4_UNREACHABLE, L2V_ICMP4_BAD_PROTOCOL, 0);
    }
    return L2TPVOIP_ERR_NOT_FOUND;
}
