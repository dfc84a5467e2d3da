/* SPDX-License-Identifier: MIT */
/* LCP: RFC 1661 §5 and §6, extensions of RFC 1570. */
#include <stdio.h>
#include <string.h>

#include "ppp_link.h"

#define PEER_MRU_MIN 128u
#define MRU_SUGGESTED 1500u
#define ECHO_DATA 8u

/* --- MRU, rfc1661#6.1 ----------------------------------------------------------------------------
 */

static bool want_mru(struct l2v_ppp *ppp)
{
    return ppp->lcpv.want_mru;
}

static void write_mru(struct l2v_ppp *ppp, struct l2v_writer *w)
{
    l2v_write_u16(w, ppp->lcpv.mru);
}

static enum l2v_ppp_verdict request_mru(struct l2v_ppp *ppp, struct l2v_reader *data,
                                        struct l2v_writer *nak)
{
    uint16_t mru = l2v_read_u16(data);
    if (mru < PEER_MRU_MIN) {
        l2v_write_u16(nak, MRU_SUGGESTED);
        return L2V_PPP_NAK;
    }
    ppp->lcpv.peer_mru = mru;
    return L2V_PPP_ACK;
}

static void nak_mru(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    uint16_t mru = l2v_read_u16(data);
    if (mru >= PEER_MRU_MIN && mru < ppp->lcpv.mru) {
        ppp->lcpv.mru = mru;
    } else {
        ppp->lcpv.want_mru = false; /* it wants more than we like: the default stands */
    }
}

static void reject_mru(struct l2v_ppp *ppp)
{
    ppp->lcpv.want_mru = false;
}

/* --- ACCM, rfc1662#7.1: meaningless on L2TP, but Apple's clients always send it
 * -------------------- */

static enum l2v_ppp_verdict request_accm(struct l2v_ppp *ppp, struct l2v_reader *data,
                                         struct l2v_writer *nak)
{
    (void)nak;
    ppp->lcpv.peer_accm = l2v_read_u32(data);
    return L2V_PPP_ACK;
}

/* --- magic number, rfc1661#6.4
 * ------------------------------------------------------------------------ */

static uint32_t draw_magic(struct l2v_ppp *ppp)
{
    uint32_t magic = 0;
    if (l2v_random_u32(ppp->env, &magic) != 0) {
        magic = 0;
    }
    return magic != 0 ? magic : 0x4c325631u ^ (uint32_t)ppp->env->now_ns;
}

static bool want_magic(struct l2v_ppp *ppp)
{
    return ppp->lcpv.want_magic;
}

static void write_magic(struct l2v_ppp *ppp, struct l2v_writer *w)
{
    l2v_write_u32(w, ppp->lcpv.magic);
}

static void note_loop(struct l2v_ppp *ppp)
{
    if (++ppp->lcpv.loops >= ppp->config.max_failure) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_NEGOTIATION, 0,
                     "Something between the two ends sends our own packets back to us.",
                     "The PPP link is looped back: our own magic number comes back.");
    }
}

static enum l2v_ppp_verdict request_magic(struct l2v_ppp *ppp, struct l2v_reader *data,
                                          struct l2v_writer *nak)
{
    uint32_t magic = l2v_read_u32(data);
    if (magic != 0 && (!ppp->lcpv.want_magic || magic != ppp->lcpv.magic)) {
        ppp->lcpv.peer_magic = magic;
        return L2V_PPP_ACK;
    }
    if (magic != 0) {
        note_loop(ppp);
    }
    ppp->lcpv.nak_magic = draw_magic(ppp);
    l2v_write_u32(nak, ppp->lcpv.nak_magic);
    return L2V_PPP_NAK;
}

static void nak_magic(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    (void)data; /* any new value will do, and ours is random for sure */
    ppp->lcpv.magic = draw_magic(ppp);
}

static void reject_magic(struct l2v_ppp *ppp)
{
    ppp->lcpv.want_magic = false; /* SoftEther does; echo packets then carry 0 */
    ppp->lcpv.magic = 0;
}

/* --- PFC and ACFC, rfc1661#6.5, rfc1661#6.6
 * -------------------------------------------------------------- */

static bool want_pfc(struct l2v_ppp *ppp)
{
    return ppp->lcpv.want_pfc;
}

static bool want_acfc(struct l2v_ppp *ppp)
{
    return ppp->lcpv.want_acfc;
}

static enum l2v_ppp_verdict request_pfc(struct l2v_ppp *ppp, struct l2v_reader *data,
                                        struct l2v_writer *nak)
{
    (void)data;
    (void)nak;
    ppp->lcpv.peer_pfc = true;
    return L2V_PPP_ACK;
}

static enum l2v_ppp_verdict request_acfc(struct l2v_ppp *ppp, struct l2v_reader *data,
                                         struct l2v_writer *nak)
{
    (void)data;
    (void)nak;
    ppp->lcpv.peer_acfc = true;
    return L2V_PPP_ACK;
}

static void reject_pfc(struct l2v_ppp *ppp)
{
    ppp->lcpv.want_pfc = false;
}

static void reject_acfc(struct l2v_ppp *ppp)
{
    ppp->lcpv.want_acfc = false;
}

/* Quality-Protocol, Callback, Multilink and all the rest have no row and are rejected. */
static const struct l2v_ppp_option options[] = {
    {L2V_PPP_LCP_MRU, 2, 2, want_mru, write_mru, request_mru, NULL, nak_mru, reject_mru},
    {L2V_PPP_LCP_ACCM, 4, 4, NULL, NULL, request_accm, NULL, NULL, NULL},
    {L2V_PPP_LCP_AUTH, 2, 32, l2v_ppp_lcp_auth_want, l2v_ppp_lcp_auth_write,
     l2v_ppp_lcp_auth_request, NULL, l2v_ppp_lcp_auth_nak, l2v_ppp_lcp_auth_reject},
    {L2V_PPP_LCP_MAGIC, 4, 4, want_magic, write_magic, request_magic, NULL, nak_magic,
     reject_magic},
    {L2V_PPP_LCP_PFC, 0, 0, want_pfc, NULL, request_pfc, NULL, NULL, reject_pfc},
    {L2V_PPP_LCP_ACFC, 0, 0, want_acfc, NULL, request_acfc, NULL, NULL, reject_acfc},
};

/* --- the protocol
 * ------------------------------------------------------------------------------------------- */

static void begin_lcp(struct l2v_ppp *ppp)
{
    ppp->lcpv.peer_mru = L2V_PPP_DEFAULT_MRU;
    ppp->lcpv.peer_magic = 0;
    ppp->lcpv.peer_accm = 0;
    ppp->lcpv.peer_pfc = ppp->lcpv.peer_acfc = false;
    ppp->lcpv.peer_ask = 0;
}

/* LCP is open: who has to prove what? */
static void lcp_up(struct l2v_ppp *ppp)
{
    struct l2v_ppp_lcp *v = &ppp->lcpv;
    bool need_none = (ppp->config.auth & L2TPVOIP_AUTH_NONE) != 0;
    uint32_t method = ppp->config.server ? v->ask : v->peer_ask;
    memset(&ppp->reason, 0, sizeof(ppp->reason));
    v->loops = 0;
    ppp->tx.acfc = v->peer_acfc && (ppp->config.flags & L2TPVOIP_PPP_SEND_FF03) == 0;
    ppp->tx.pfc = v->peer_pfc;
    ppp->result.peer_mru = v->peer_mru;
    l2v_ppp_phase_step(ppp, L2V_PPP_PHASE_OPENED);
    if (method != 0) {
        l2v_ppp_auth_start(ppp, method);
    } else if (need_none) {
        ppp->result.auth = L2TPVOIP_AUTH_NONE;
        l2v_ppp_phase_step(ppp, L2V_PPP_PHASE_SUCCESS);
    } else if (!ppp->config.server && v->eap_naked && !v->eap_insist) {
        v->eap_insist = true; /* the server knows EAP alone and gave up asking */
        l2v_ppp_lcp_restart(ppp);
    } else if (!ppp->config.server && v->auth_naked) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                     "Allow the method that the server wants; PAP is not allowed without IPsec.",
                     "The server wants an authentication method that is not allowed here.");
    } else {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                     "Allow the method \"none\" if the other end really needs no password.",
                     ppp->config.server ? "The client refuses to authenticate."
                                        : "The server does not ask for authentication.");
    }
}

static void lcp_down(struct l2v_ppp *ppp)
{
    l2v_ppp_timers_clear(ppp);
    l2v_ppp_auth_clear(ppp);
    l2v_ppp_cp_event(&ppp->ipcp, L2V_PPP_DOWN);
    l2v_ppp_cp_event(&ppp->ipv6cp, L2V_PPP_DOWN);
    memset(&ppp->tx, 0, sizeof(ppp->tx));
    l2v_ppp_phase_step(ppp, ppp->lcp.state == L2V_PPP_CLOSING || ppp->lcp.state == L2V_PPP_STOPPING
                                ? L2V_PPP_PHASE_CLOSING
                                : L2V_PPP_PHASE_REOPEN);
}

static void lcp_finished(struct l2v_ppp *ppp)
{
    if (!ppp->closing && ppp->failure.code == 0 && ppp->reason.code == 0) {
        if (ppp->lcp.heard) {
            l2v_ppp_set_fail(ppp, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_NEGOTIATION, 0,
                             "Compare the PPP options of both ends.",
                             "LCP did not come to an agreement.");
        } else {
            l2v_ppp_set_fail(ppp, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_TIMEOUT, 0,
                             "The server accepts L2TP calls but runs no PPP; ask its operator.",
                             "The peer does not answer LCP.");
        }
    }
    l2v_ppp_finish(ppp);
}

/* rfc1661#5.5. Before the link is up it may mean "not with this authentication method". */
static bool lcp_terminating(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    struct l2v_ppp_lcp *v = &ppp->lcpv;
    bool early = ppp->phase == L2V_PPP_ESTABLISH || ppp->phase == L2V_PPP_AUTHENTICATE;
    size_t len = l2v_reader_left(data);
    char text[100], message[200];
    if (ppp->closing || ppp->failure.code != 0) {
        return false;
    }
    l2v_ppp_clean_text(l2v_read_bytes(data, len), len, text, sizeof(text));
    snprintf(message, sizeof(message), "The peer closed the PPP link%s%s%s%s",
             ppp->phase == L2V_PPP_AUTHENTICATE ? " during authentication" : "",
             text[0] != '\0' ? ": " : "", text, text[0] != '\0' ? "" : ".");
    memset(&ppp->reason, 0, sizeof(ppp->reason));
    l2v_failure_set(&ppp->reason,
                    ppp->phase == L2V_PPP_AUTHENTICATE ? L2TPVOIP_LAYER_AUTH : L2TPVOIP_LAYER_PPP,
                    L2TPVOIP_ERR_PEER_CLOSED, 0,
                    ppp->phase == L2V_PPP_AUTHENTICATE ? "Check user name and password."
                    : early                            ? "Compare the PPP options of both ends."
                                                       : "",
                    "%s", message);
    if (ppp->config.server || !early || !v->eap_naked || v->eap_insist) {
        return false;
    }
    v->eap_insist = true;
    return true;
}

static bool lcp_extra(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data)
{
    uint32_t magic;
    switch (code) {
    case L2V_PPP_PROTO_REJ:
        l2v_ppp_protocol_rejected(ppp, data);
        return true;
    case L2V_PPP_ECHO_REQ:
        magic = l2v_read_u32(data);
        if (!data->failed && magic != 0 && magic == ppp->lcpv.magic &&
            l2v_ppp_cp_is_open(&ppp->lcp)) {
            note_loop(ppp);
        }
        l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_RXR);
        return true;
    case L2V_PPP_ECHO_REP:
        l2v_ppp_timers_echo_reply(ppp, id);
        l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_RXR);
        return true;
    case L2V_PPP_DISCARD_REQ:
    case L2V_PPP_IDENTIFICATION: /* rfc1570#2.1: both are for people */
    case L2V_PPP_TIME_REMAINING:
        l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_RXR);
        return true;
    default:
        return false;
    }
}

const struct l2v_ppp_proto l2v_ppp_lcp_proto = {
    .name = "LCP",
    .protocol = L2V_PPP_PROTO_LCP,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .begin = begin_lcp,
    .up = lcp_up,
    .down = lcp_down,
    .finished = lcp_finished,
    .extra = lcp_extra,
    .terminating = lcp_terminating,
};

void l2v_ppp_lcp_init(struct l2v_ppp *ppp)
{
    struct l2v_ppp_lcp *v = &ppp->lcpv;
    bool compress = (ppp->config.flags & L2TPVOIP_PPP_NO_COMPRESS) == 0;
    uint32_t mru = ppp->config.mru;
    l2v_ppp_cp_init(&ppp->lcp, ppp, &l2v_ppp_lcp_proto);
    begin_lcp(ppp);
    v->mru = (uint16_t)(mru == 0 || mru > UINT16_MAX ? L2V_PPP_DEFAULT_MRU : mru);
    v->want_mru = true;
    v->want_magic = true;
    v->magic = draw_magic(ppp);
    v->want_pfc = v->want_acfc = compress;
    v->ask = ppp->config.server ? l2v_ppp_lcp_next_ask(ppp) : 0;
}

/* Negotiates anew from the start. */
void l2v_ppp_lcp_restart(struct l2v_ppp *ppp)
{
    l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_DOWN);
    l2v_ppp_phase_step(ppp, L2V_PPP_PHASE_REOPEN);
    l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_UP);
}

/* rfc1661#5.7; only while LCP is open, and not faster than the token bucket gives. */
void l2v_ppp_lcp_reject_protocol(struct l2v_ppp *ppp, uint16_t protocol, const uint8_t *data,
                                 size_t len)
{
    uint8_t buf[L2V_PPP_DEFAULT_MRU];
    struct l2v_writer w;
    size_t room = ppp->lcpv.peer_mru < sizeof(buf) ? ppp->lcpv.peer_mru : sizeof(buf);
    if (!l2v_ppp_cp_is_open(&ppp->lcp) || !l2v_rate_take(&ppp->rejects, ppp->env->now_ns)) {
        return;
    }
    l2v_writer_init(&w, buf, room - L2V_PPP_HEADER_LEN);
    l2v_write_u16(&w, protocol);
    l2v_write_bytes(&w, data, len < l2v_writer_left(&w) ? len : l2v_writer_left(&w));
    l2v_ppp_cp_send(&ppp->lcp, L2V_PPP_PROTO_REJ, ++ppp->lcp.next_id, buf, l2v_writer_len(&w));
}

void l2v_ppp_lcp_send_echo(struct l2v_ppp *ppp, uint8_t id)
{
    uint8_t buf[4 + ECHO_DATA];
    struct l2v_writer w;
    l2v_writer_init(&w, buf, sizeof(buf));
    l2v_write_u32(&w, ppp->lcpv.magic);
    l2v_write_u64(&w, ppp->env->now_ns);
    l2v_ppp_cp_send(&ppp->lcp, L2V_PPP_ECHO_REQ, id, buf, l2v_writer_len(&w));
}
