/* SPDX-License-Identifier: MIT */
/* IPV6CP, RFC 5072: interface identifiers; the addresses are link-local. */
#include <string.h>

#include "ppp_link.h"

#define ID_LEN 8u

static const uint8_t none[ID_LEN];

static bool is_none(const uint8_t id[ID_LEN])
{
    return memcmp(id, none, ID_LEN) == 0;
}

/* rfc5072#4.1: random, with the universal/local bit zero */
static void draw_id(struct l2v_ppp *ppp, uint8_t ret[ID_LEN])
{
    if (l2v_random(ppp->env, ret, ID_LEN) != 0) {
        memset(ret, 0, ID_LEN);
    }
    ret[0] &= 0xfdu;
    if (is_none(ret)) {
        ret[ID_LEN - 1] = ppp->config.server ? 1 : 2;
    }
}

static bool want_id(struct l2v_ppp *ppp)
{
    return ppp->ipv6cpv.want_id;
}

static void write_id(struct l2v_ppp *ppp, struct l2v_writer *w)
{
    l2v_write_bytes(w, ppp->ipv6cpv.ours, ID_LEN);
}

static enum l2v_ppp_verdict request_id(struct l2v_ppp *ppp, struct l2v_reader *data,
                                       struct l2v_writer *nak)
{
    uint8_t id[ID_LEN];
    l2v_read_copy(data, id, ID_LEN);
    if (!is_none(id) && memcmp(id, ppp->ipv6cpv.ours, ID_LEN) != 0) {
        memcpy(ppp->ipv6cpv.peer, id, ID_LEN);
        return L2V_PPP_ACK;
    }
    draw_id(ppp, id);
    l2v_write_bytes(nak, id, ID_LEN);
    return L2V_PPP_NAK;
}

static void nak_id(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    uint8_t id[ID_LEN];
    l2v_read_copy(data, id, ID_LEN);
    if (is_none(id)) {
        draw_id(ppp, id);
    }
    memcpy(ppp->ipv6cpv.ours, id, ID_LEN);
}

static void reject_id(struct l2v_ppp *ppp)
{
    ppp->ipv6cpv.want_id = false;
}

/* IPv6-Compression-Protocol is rejected. */
static const struct l2v_ppp_option options[] = {
    {L2V_PPP_IPV6CP_IFID, ID_LEN, ID_LEN, want_id, write_id, request_id, NULL, nak_id, reject_id},
};

static void begin_ipv6cp(struct l2v_ppp *ppp)
{
    memset(ppp->ipv6cpv.peer, 0, ID_LEN);
}

static l2tpvoip_addr make_link_local(const uint8_t id[ID_LEN])
{
    l2tpvoip_addr a;
    memset(&a, 0, sizeof(a));
    if (!is_none(id)) {
        a.family = 6;
        a.ip[0] = 0xfe;
        a.ip[1] = 0x80;
        memcpy(a.ip + 8, id, ID_LEN);
    }
    return a;
}

static void ipv6cp_up(struct l2v_ppp *ppp)
{
    ppp->result.local6 = make_link_local(ppp->ipv6cpv.ours);
    ppp->result.remote6 = make_link_local(ppp->ipv6cpv.peer);
    l2v_ppp_tell_up(ppp);
}

static void ipv6cp_down(struct l2v_ppp *ppp)
{
    memset(&ppp->result.local6, 0, sizeof(ppp->result.local6));
    memset(&ppp->result.remote6, 0, sizeof(ppp->result.remote6));
}

static void ipv6cp_finished(struct l2v_ppp *ppp)
{
    l2v_ppp_ncp_finished(ppp, &ppp->ipv6cp);
}

const struct l2v_ppp_proto l2v_ppp_ipv6cp_proto = {
    .name = "IPV6CP",
    .protocol = L2V_PPP_PROTO_IPV6CP,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .begin = begin_ipv6cp,
    .up = ipv6cp_up,
    .down = ipv6cp_down,
    .finished = ipv6cp_finished,
};

void l2v_ppp_ipv6cp_init(struct l2v_ppp *ppp)
{
    memset(&ppp->ipv6cpv, 0, sizeof(ppp->ipv6cpv));
    draw_id(ppp, ppp->ipv6cpv.ours);
    ppp->ipv6cpv.want_id = true;
}
