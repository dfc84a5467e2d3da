/* SPDX-License-Identifier: MIT */
/* IPCP, RFC 1332, with the DNS options of RFC 1877. Header compression is not negotiated. */
#include <string.h>

#include "base_addr.h"
#include "ppp_link.h"

static uint32_t to_ip4(const l2tpvoip_addr *a)
{
    return a->family == 4 ? l2v_get_u32(a->ip) : 0;
}

static l2tpvoip_addr from_ip4(uint32_t ip)
{
    l2tpvoip_addr a;
    memset(&a, 0, sizeof(a));
    if (ip != 0) {
        a.family = 4;
        l2v_put_u32(a.ip, ip);
    }
    return a;
}

/* --- IP-Address, rfc1332#3.3
 * ------------------------------------------------------------------------ */

static bool want_address(struct l2v_ppp *ppp)
{
    return ppp->ipcpv.want_address;
}

static void write_address(struct l2v_ppp *ppp, struct l2v_writer *w)
{
    l2v_write_u32(w, ppp->ipcpv.ours);
}

static enum l2v_ppp_verdict request_address(struct l2v_ppp *ppp, struct l2v_reader *data,
                                            struct l2v_writer *nak)
{
    struct l2v_ppp_ipcp *v = &ppp->ipcpv;
    uint32_t ip = l2v_read_u32(data);
    if (!ppp->config.server) {
        if (ip == 0) {
            return L2V_PPP_REJECT; /* the server wants one from us: there is none */
        }
        v->peer = ip;
        return L2V_PPP_ACK;
    }
    if (ip == v->assigned) {
        v->peer = ip;
        return L2V_PPP_ACK;
    }
    l2v_write_u32(nak, v->assigned);
    return L2V_PPP_NAK;
}

/* A client that asks for no address is told the one that it has to use. */
static bool missing_address(struct l2v_ppp *ppp, struct l2v_writer *nak)
{
    if (!ppp->config.server || ppp->ipcpv.assigned == 0 || ppp->ipcpv.told_missing++ > 0) {
        return false;
    }
    l2v_write_u32(nak, ppp->ipcpv.assigned);
    return true;
}

static void nak_address(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    if (!ppp->config.server) { /* the server's own address is not the client's to choose */
        ppp->ipcpv.ours = l2v_read_u32(data);
    }
}

static void reject_address(struct l2v_ppp *ppp)
{
    ppp->ipcpv.want_address = false;
}

/* --- DNS, rfc1877#1
 * ------------------------------------------------------------------------------------ */

static enum l2v_ppp_verdict request_dns(struct l2v_ppp *ppp, unsigned i, struct l2v_reader *data,
                                        struct l2v_writer *nak)
{
    uint32_t ip = l2v_read_u32(data), have = to_ip4(&ppp->config.dns[i]);
    if (!ppp->config.server || have == 0) {
        return L2V_PPP_REJECT;
    }
    if (ip == have) {
        return L2V_PPP_ACK;
    }
    l2v_write_u32(nak, have);
    return L2V_PPP_NAK;
}

#define DNS_FUNCTIONS(n)                                                                           \
    static bool want_dns##n(struct l2v_ppp *ppp)                                                   \
    {                                                                                              \
        return ppp->ipcpv.want_dns[n];                                                             \
    }                                                                                              \
    static void write_dns##n(struct l2v_ppp *ppp, struct l2v_writer *w)                            \
    {                                                                                              \
        l2v_write_u32(w, ppp->ipcpv.dns[n]);                                                       \
    }                                                                                              \
    static enum l2v_ppp_verdict request_dns##n(struct l2v_ppp *ppp, struct l2v_reader *data,       \
                                               struct l2v_writer *nak)                             \
    {                                                                                              \
        return request_dns(ppp, n, data, nak);                                                     \
    }                                                                                              \
    static void nak_dns##n(struct l2v_ppp *ppp, struct l2v_reader *data)                           \
    {                                                                                              \
        ppp->ipcpv.dns[n] = l2v_read_u32(data);                                                    \
    }                                                                                              \
    static void reject_dns##n(struct l2v_ppp *ppp)                                                 \
    {                                                                                              \
        ppp->ipcpv.want_dns[n] = false;                                                            \
        ppp->ipcpv.dns[n] = 0;                                                                     \
    }
DNS_FUNCTIONS(0)
DNS_FUNCTIONS(1)

/* IP-Compression-Protocol, Mobile-IPv4, NBNS and the rest are rejected. */
static const struct l2v_ppp_option options[] = {
    {L2V_PPP_IPCP_ADDRESS, 4, 4, want_address, write_address, request_address, missing_address,
     nak_address, reject_address},
    {L2V_PPP_IPCP_DNS1, 4, 4, want_dns0, write_dns0, request_dns0, NULL, nak_dns0, reject_dns0},
    {L2V_PPP_IPCP_DNS2, 4, 4, want_dns1, write_dns1, request_dns1, NULL, nak_dns1, reject_dns1},
};

/* --- the protocol
 * ---------------------------------------------------------------------------------------- */

static void begin_ipcp(struct l2v_ppp *ppp)
{
    ppp->ipcpv.peer = 0;
}

static void ipcp_up(struct l2v_ppp *ppp)
{
    struct l2v_ppp_ipcp *v = &ppp->ipcpv;
    struct l2v_ppp_result *result = &ppp->result;
    if (!ppp->config.server && (!v->want_address || v->ours == 0)) {
        l2v_ppp_set_reason(ppp, L2TPVOIP_ERR_NEGOTIATION,
                           "Check what addresses the server has for this user.",
                           "The server gives no IPv4 address.");
        l2v_ppp_cp_event(&ppp->ipcp, L2V_PPP_CLOSE); /* an address is what we came for */
        return;
    }
    result->local4 = from_ip4(v->ours);
    /* A client that refuses to name its address is reached at the assigned one all the same. */
    result->remote4 = from_ip4(ppp->config.server ? v->assigned : v->peer);
    for (unsigned i = 0; i < 2; i++) {
        result->dns[i] =
            ppp->config.server ? ppp->config.dns[i] : from_ip4(v->want_dns[i] ? v->dns[i] : 0);
    }
    l2v_ppp_tell_up(ppp);
}

static void ipcp_down(struct l2v_ppp *ppp)
{
    memset(&ppp->result.local4, 0, sizeof(ppp->result.local4));
    memset(&ppp->result.remote4, 0, sizeof(ppp->result.remote4));
    memset(ppp->result.dns, 0, sizeof(ppp->result.dns));
}

static void ipcp_finished(struct l2v_ppp *ppp)
{
    l2v_ppp_ncp_finished(ppp, &ppp->ipcp);
}

const struct l2v_ppp_proto l2v_ppp_ipcp_proto = {
    .name = "IPCP",
    .protocol = L2V_PPP_PROTO_IPCP,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .begin = begin_ipcp,
    .up = ipcp_up,
    .down = ipcp_down,
    .finished = ipcp_finished,
};

int l2v_ppp_ipcp_init(struct l2v_ppp *ppp)
{
    struct l2v_ppp_ipcp *v = &ppp->ipcpv;
    uint32_t assigned = v->assigned;
    l2tpvoip_addr ip;
    memset(v, 0, sizeof(*v));
    v->ours = to_ip4(&ppp->config.local_ip);
    v->want_address = !ppp->config.server || v->ours != 0;
    v->want_dns[0] = v->want_dns[1] = !ppp->config.server;
    if (!ppp->config.server) {
        return 0;
    }
    v->assigned = assigned; /* a renegotiation keeps it */
    if (assigned != 0) {
        return 0;
    }
    memset(&ip, 0, sizeof(ip));
    if (ppp->ops.get_address == NULL ||
        ppp->ops.get_address(ppp->user, ppp->result.user, strlen(ppp->result.user), &ip) != 0 ||
        to_ip4(&ip) == 0) {
        return L2TPVOIP_ERR_LIMIT;
    }
    v->assigned = to_ip4(&ip);
    return 0;
}
