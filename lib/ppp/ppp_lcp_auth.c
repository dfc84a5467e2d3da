/* SPDX-License-Identifier: MIT */
/* The Authentication-Protocol option, RFC 1661 §6.2: which method both ends agree on.
 *
 * A client that may use both EAP and CHAP MS-CHAPv2 and is asked for EAP answers once with a
 * Configure-Nak for CHAP MS-CHAPv2. SoftEther asks for EAP first, answers a Nak inside EAP with an
 * LCP Protocol-Reject, but takes the Configure-Nak. A server that
 * knows EAP alone asks again (then we agree), opens LCP without asking, or terminates (then LCP is
 * negotiated anew and we agree at once). The other way round, a Protocol-Reject of EAP makes us
 * negotiate anew without it. Any other method that is allowed is accepted as asked: a Nak for
 * something stronger makes pppd servers drop authentication and then the link. */
#include "ppp_link.h"

struct wire {
    uint32_t method; /* for EAP all of them */
    uint16_t protocol;
    uint8_t algorithm; /* 0 = none in the option */
};

/* In the order of preference. */
static const struct wire methods[] = {
    {L2TPVOIP_AUTH_MSCHAPV2, L2V_PPP_PROTO_CHAP, L2V_PPP_CHAP_ALGO_MSCHAPV2},
    {L2TPVOIP_AUTH_EAP_MSCHAPV2, L2V_PPP_PROTO_EAP, 0},
    {L2TPVOIP_AUTH_CHAP_MD5, L2V_PPP_PROTO_CHAP, L2V_PPP_CHAP_ALGO_MD5},
    {L2TPVOIP_AUTH_EAP_MD5, L2V_PPP_PROTO_EAP, 0},
    {L2TPVOIP_AUTH_PAP, L2V_PPP_PROTO_PAP, 0},
};
#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

/* All allowed methods that the same option stands for. */
static uint32_t spread(uint32_t method, uint32_t allowed)
{
    return (method & L2V_PPP_EAP_METHODS) != 0 ? allowed & L2V_PPP_EAP_METHODS : method;
}

static uint32_t best(uint32_t allowed)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if ((methods[i].method & allowed) != 0) {
            return spread(methods[i].method, allowed);
        }
    }
    return 0;
}

static void write_method(struct l2v_writer *w, uint32_t method)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if ((methods[i].method & method) != 0) {
            l2v_write_u16(w, methods[i].protocol);
            if (methods[i].algorithm != 0) {
                l2v_write_u8(w, methods[i].algorithm);
            }
            return;
        }
    }
}

/* What an option's data stands for, of what is allowed; 0 = unknown or not allowed. */
static uint32_t read_method(struct l2v_reader *data, uint32_t allowed)
{
    uint16_t protocol = l2v_read_u16(data);
    bool has_algorithm = l2v_reader_left(data) > 0;
    uint8_t algorithm = has_algorithm ? l2v_read_u8(data) : 0;
    for (size_t i = 0; i < N_METHODS; i++) {
        if (methods[i].protocol == protocol && methods[i].algorithm == algorithm &&
            (methods[i].method & allowed) != 0) {
            return spread(methods[i].method, allowed);
        }
    }
    return 0;
}

uint32_t l2v_ppp_lcp_next_ask(const struct l2v_ppp *ppp)
{
    return best(ppp->config.auth & ~ppp->lcpv.refused);
}

bool l2v_ppp_lcp_auth_want(struct l2v_ppp *ppp)
{
    return ppp->lcpv.ask != 0;
}

void l2v_ppp_lcp_auth_write(struct l2v_ppp *ppp, struct l2v_writer *w)
{
    write_method(w, ppp->lcpv.ask);
}

/* --- the client is asked -----------------------------------------------------------------------
 */

static enum l2v_ppp_verdict cannot_agree(struct l2v_ppp *ppp)
{
    if ((ppp->config.auth & L2TPVOIP_AUTH_NONE) == 0) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                     "Compare the allowed authentication methods with what the server offers.",
                     "The server insists on an authentication method that is not allowed here.");
    }
    return L2V_PPP_REJECT;
}

static bool prefers_chap(struct l2v_ppp *ppp, uint32_t allowed, uint32_t method)
{
    struct l2v_ppp_lcp *v = &ppp->lcpv;
    if ((method & L2V_PPP_EAP_METHODS) == 0 || (allowed & L2TPVOIP_AUTH_MSCHAPV2) == 0 ||
        v->eap_insist) {
        return false;
    }
    if (!v->eap_naked) {
        v->eap_naked = true;
        v->eap_nak_id = ppp->lcp.rx_id;
        return true;
    }
    return ppp->lcp.rx_id == v->eap_nak_id; /* a repetition of the same request, not insistence */
}

enum l2v_ppp_verdict l2v_ppp_lcp_auth_request(struct l2v_ppp *ppp, struct l2v_reader *data,
                                              struct l2v_writer *nak)
{
    struct l2v_ppp_lcp *v = &ppp->lcpv;
    uint32_t allowed = ppp->config.auth & ~v->unusable;
    uint32_t method, offer;
    if (ppp->config.server) {
        return L2V_PPP_REJECT; /* we have nothing to prove to a client */
    }
    method = read_method(data, allowed);
    if (method != 0 && !prefers_chap(ppp, allowed, method)) {
        v->peer_ask = method;
        return L2V_PPP_ACK;
    }
    v->auth_naked = true;
    offer = method != 0 ? (uint32_t)L2TPVOIP_AUTH_MSCHAPV2 : best(allowed);
    if (offer == 0 || v->auth_naks++ >= ppp->config.max_failure) {
        return cannot_agree(ppp);
    }
    write_method(nak, offer);
    return L2V_PPP_NAK;
}

/* --- the server asks -----------------------------------------------------------------------------
 */

static void fall_back(struct l2v_ppp *ppp)
{
    struct l2v_ppp_lcp *v = &ppp->lcpv;
    v->ask = l2v_ppp_lcp_next_ask(ppp);
    if (v->ask == 0 && (ppp->config.auth & L2TPVOIP_AUTH_NONE) == 0) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                     "Compare the allowed authentication methods of both ends.",
                     "The client refuses every authentication method that is allowed here.");
    }
}

/* The client's wish if it is allowed, else the next best. The last one is asked for again and
 * again: a client that prefers another method may give in (ours does, see above); after Max-Failure
 * Naks the option engine takes them for a Reject. */
void l2v_ppp_lcp_auth_nak(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    struct l2v_ppp_lcp *v = &ppp->lcpv;
    uint32_t allowed = ppp->config.auth & ~v->refused & ~v->ask;
    uint32_t wish = read_method(data, allowed);
    uint32_t next = wish != 0 ? wish : best(allowed);
    if (next != 0) {
        v->refused |= v->ask;
        v->ask = next;
    }
}

/* rfc1661#5.4: the client will have no authentication at all. */
void l2v_ppp_lcp_auth_reject(struct l2v_ppp *ppp)
{
    ppp->lcpv.refused |= ~(uint32_t)L2TPVOIP_AUTH_NONE;
    fall_back(ppp);
}
