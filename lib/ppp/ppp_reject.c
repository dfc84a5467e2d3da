/* SPDX-License-Identifier: MIT */
/* What a Protocol-Reject of the peer means, RFC 1661 §5.7. */
#include "ppp_link.h"

static void ncp_rejected(struct l2v_ppp_cp *cp)
{
    l2v_ppp_cp_event(cp, L2V_PPP_RXJ_MINUS);
}

static void auth_rejected(struct l2v_ppp *ppp, uint16_t protocol)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint32_t left;
    if (a->ops == NULL || a->ops->protocol != protocol || ppp->phase != L2V_PPP_AUTHENTICATE) {
        return;
    }
    ppp->lcpv.unusable |= a->method;
    ppp->lcpv.refused |= a->method;
    left = ppp->config.auth & ~ppp->lcpv.unusable & ~(uint32_t)L2TPVOIP_AUTH_NONE;
    if (left == 0) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                     "Allow further authentication methods.",
                     "The peer rejects the protocol of the agreed authentication method.");
        return;
    }
    if (ppp->config.server) {
        ppp->lcpv.ask = l2v_ppp_lcp_next_ask(ppp);
    }
    l2v_ppp_lcp_restart(ppp); /* SoftEther does this to EAP; CHAP is next */
}

void l2v_ppp_protocol_rejected(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    uint16_t protocol = l2v_read_u16(data);
    if (data->failed || ppp->lcp.state != L2V_PPP_OPENED) {
        return; /* rfc1661#5.7: discarded in any other state */
    }
    switch (protocol) {
    case L2V_PPP_PROTO_LCP:
        l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_RXJ_MINUS);
        return;
    case L2V_PPP_PROTO_PAP:
    case L2V_PPP_PROTO_CHAP:
    case L2V_PPP_PROTO_EAP:
        auth_rejected(ppp, protocol);
        return;
    case L2V_PPP_PROTO_IPCP:
    case L2V_PPP_PROTO_IPV4:
        ncp_rejected(&ppp->ipcp);
        return;
    case L2V_PPP_PROTO_IPV6CP:
    case L2V_PPP_PROTO_IPV6:
        ncp_rejected(&ppp->ipv6cp);
        return;
    default:
        l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_RXJ_PLUS);
        return;
    }
}
