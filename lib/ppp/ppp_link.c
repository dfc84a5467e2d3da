/* SPDX-License-Identifier: MIT */
/* The link: life, frames in and out, end. */
#include <stdio.h>
#include <string.h>

#include "ppp_link.h"

#define REJECTS_PER_SECOND 2u
#define REJECTS_BURST 8u

/* --- output --------------------------------------------------------------------------------------
 */

void l2v_ppp_transmit(struct l2v_ppp *ppp, unsigned protocol, struct l2v_pkt *pkt)
{
    if (ppp->finished || l2v_ppp_frame_push(pkt, &ppp->tx, protocol) != 0) {
        l2v_pkt_free(pkt);
        return;
    }
    ppp->ops.transmit(ppp->user, pkt);
}

static bool is_network_open(const struct l2v_ppp *ppp, uint16_t protocol)
{
    return ppp->phase == L2V_PPP_NETWORK &&
           ((protocol == L2V_PPP_PROTO_IPV4 && l2v_ppp_cp_is_open(&ppp->ipcp)) ||
            (protocol == L2V_PPP_PROTO_IPV6 && l2v_ppp_cp_is_open(&ppp->ipv6cp)));
}

int l2v_ppp_output(struct l2v_ppp *ppp, struct l2v_pkt *pkt, uint16_t protocol)
{
    int r = 0;
    if (!is_network_open(ppp, protocol)) {
        r = L2TPVOIP_ERR_STATE;
    } else if (pkt->len > ppp->lcpv.peer_mru) { /* rfc1661#6.1 */
        r = L2TPVOIP_ERR_MSGSIZE;
    } else {
        r = l2v_ppp_frame_push(pkt, &ppp->tx, protocol);
    }
    if (r != 0) {
        l2v_pkt_free(pkt);
        return r;
    }
    ppp->ops.transmit(ppp->user, pkt);
    return 0;
}

size_t l2v_ppp_overhead(const struct l2v_ppp *ppp)
{
    return l2v_ppp_frame_overhead(&ppp->tx, L2V_PPP_PROTO_IPV4);
}

/* --- input
 * ---------------------------------------------------------------------------------------- */

static int input_network(struct l2v_ppp *ppp, struct l2v_pkt *pkt, uint16_t protocol)
{
    if (!is_network_open(ppp, protocol)) {
        bool never = (protocol == L2V_PPP_PROTO_IPV4 && ppp->ipcp.state == L2V_PPP_INITIAL) ||
                     (protocol == L2V_PPP_PROTO_IPV6 && ppp->ipv6cp.state == L2V_PPP_INITIAL);
        if (never && ppp->phase == L2V_PPP_NETWORK) {
            l2v_ppp_lcp_reject_protocol(ppp, protocol, pkt->data, pkt->len);
        }
        return L2TPVOIP_ERR_STATE;
    }
    ppp->ops.input(ppp->user, pkt, protocol);
    return 0;
}

static int input_ncp(struct l2v_ppp *ppp, struct l2v_ppp_cp *cp, bool enabled, struct l2v_pkt *pkt)
{
    if (ppp->phase != L2V_PPP_NETWORK) {
        return 0; /* rfc1661#3.5: discarded before; an alternate sign of success for EAP */
    }
    if (!enabled) {
        l2v_ppp_lcp_reject_protocol(ppp, cp->proto->protocol, pkt->data, pkt->len);
        return 0;
    }
    return l2v_ppp_cp_input(cp, pkt->data, pkt->len);
}

int l2v_ppp_input(struct l2v_ppp *ppp, struct l2v_pkt *pkt)
{
    uint16_t protocol;
    uint32_t flags = ppp->config.flags;
    if (ppp->finished || !ppp->started) {
        return L2TPVOIP_ERR_STATE;
    }
    if (l2v_ppp_frame_parse(pkt, &protocol) != 0) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    l2v_ppp_heard(ppp);
    switch (protocol) {
    case L2V_PPP_PROTO_IPV4:
    case L2V_PPP_PROTO_IPV6:
        return input_network(ppp, pkt, protocol);
    case L2V_PPP_PROTO_LCP:
        return l2v_ppp_cp_input(&ppp->lcp, pkt->data, pkt->len);
    case L2V_PPP_PROTO_PAP:
    case L2V_PPP_PROTO_CHAP:
    case L2V_PPP_PROTO_EAP:
        return l2v_ppp_auth_input(ppp, protocol, pkt->data, pkt->len);
    case L2V_PPP_PROTO_IPCP:
        l2v_ppp_auth_network_heard(ppp);
        return input_ncp(ppp, &ppp->ipcp, (flags & L2TPVOIP_PPP_NO_IPV4) == 0, pkt);
    case L2V_PPP_PROTO_IPV6CP:
        l2v_ppp_auth_network_heard(ppp);
        return input_ncp(ppp, &ppp->ipv6cp, (flags & L2TPVOIP_PPP_NO_IPV6) == 0, pkt);
    default:
        /* CCP too: inside IPsec there is nothing to gain from MPPE, and RFC 3078 keys are weak */
        if (ppp->phase == L2V_PPP_NETWORK) {
            l2v_ppp_lcp_reject_protocol(ppp, protocol, pkt->data, pkt->len);
        }
        return 0;
    }
}

void l2v_ppp_heard(struct l2v_ppp *ppp)
{
    ppp->echo.heard = true;
}

void l2v_ppp_probe(struct l2v_ppp *ppp)
{
    l2v_ppp_timers_send_echo(ppp);
}

/* --- network phase
 * ----------------------------------------------------------------------------------- */

void l2v_ppp_network_start(struct l2v_ppp *ppp)
{
    l2v_ppp_timers_start_echo(ppp);
    if ((ppp->config.flags & L2TPVOIP_PPP_NO_IPV4) == 0) {
        if (l2v_ppp_ipcp_init(ppp) != 0) {
            l2v_ppp_fail(ppp, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_LIMIT, 0,
                         "Enlarge the server's address pool.",
                         "The server has no address left for this user.");
            return;
        }
        l2v_ppp_cp_event(&ppp->ipcp, L2V_PPP_OPEN);
        l2v_ppp_cp_event(&ppp->ipcp, L2V_PPP_UP);
    }
    if ((ppp->config.flags & L2TPVOIP_PPP_NO_IPV6) == 0) {
        l2v_ppp_ipv6cp_init(ppp);
        l2v_ppp_cp_event(&ppp->ipv6cp, L2V_PPP_OPEN);
        l2v_ppp_cp_event(&ppp->ipv6cp, L2V_PPP_UP);
    }
}

void l2v_ppp_tell_up(struct l2v_ppp *ppp)
{
    memset(&ppp->reason, 0, sizeof(ppp->reason));
    ppp->up_told = true;
    if (ppp->ops.up != NULL) {
        ppp->ops.up(ppp->user, &ppp->result);
    }
}

static bool is_alive(const struct l2v_ppp_cp *cp)
{
    return cp->state >= L2V_PPP_REQ_SENT;
}

void l2v_ppp_ncp_finished(struct l2v_ppp *ppp, struct l2v_ppp_cp *cp)
{
    char text[160];
    if (ppp->phase != L2V_PPP_NETWORK || is_alive(&ppp->ipcp) || is_alive(&ppp->ipv6cp)) {
        return;
    }
    if (ppp->reason.code != 0) {
        ppp->failure = ppp->failure.code != 0 ? ppp->failure : ppp->reason;
    }
    snprintf(text, sizeof(text), "%s%s", cp->proto->name,
             cp->heard ? " did not come to an agreement, or was closed by the peer."
                       : " is not answered by the peer.");
    l2v_ppp_fail(ppp, L2TPVOIP_LAYER_PPP,
                 ppp->up_told ? L2TPVOIP_ERR_PEER_CLOSED
                 : cp->heard  ? L2TPVOIP_ERR_NEGOTIATION
                              : L2TPVOIP_ERR_TIMEOUT,
                 0, "Check what addresses the server has for this user.", text);
}

/* --- failures
 * ----------------------------------------------------------------------------------------- */

void l2v_ppp_clean_text(const uint8_t *data, size_t len, char *ret_text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; data != NULL && i < len && n + 1 < size; i++) {
        if (data[i] >= 0x20 && data[i] < 0x7f) {
            ret_text[n++] = (char)data[i];
        }
    }
    ret_text[n] = '\0';
}

void l2v_ppp_set_fail(struct l2v_ppp *ppp, int layer, int code, int32_t peer_code,
                      const char *next_step, const char *message)
{
    if (ppp->failure.code == 0 && !ppp->closing) {
        l2v_failure_set(&ppp->failure, layer, code, peer_code, next_step, "%s", message);
    }
}

void l2v_ppp_set_reason(struct l2v_ppp *ppp, int code, const char *next_step, const char *message)
{
    l2v_failure_set(&ppp->reason, L2TPVOIP_LAYER_PPP, code, 0, next_step, "%s", message);
}

static void close_lcp(struct l2v_ppp *ppp)
{
    l2v_ppp_timers_clear(ppp);
    l2v_ppp_phase_step(ppp, L2V_PPP_PHASE_CLOSING);
    l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_CLOSE);
    if (!l2v_ppp_fsm_has_timer(ppp->lcp.state)) {
        l2v_ppp_finish(ppp); /* nothing to wait for */
    }
}

void l2v_ppp_fail(struct l2v_ppp *ppp, int layer, int code, int32_t peer_code,
                  const char *next_step, const char *message)
{
    if (ppp->finished) {
        return;
    }
    l2v_ppp_set_fail(ppp, layer, code, peer_code, next_step, message);
    close_lcp(ppp);
}

void l2v_ppp_finish(struct l2v_ppp *ppp)
{
    l2tpvoip_failure f;
    if (ppp->finished) {
        return;
    }
    ppp->finished = true;
    l2v_ppp_timers_clear(ppp);
    l2v_ppp_cp_clear(&ppp->lcp);
    l2v_ppp_cp_clear(&ppp->ipcp);
    l2v_ppp_cp_clear(&ppp->ipv6cp);
    f = ppp->failure.code != 0 || ppp->closing ? ppp->failure : ppp->reason;
    l2v_ppp_phase_step(ppp, L2V_PPP_PHASE_FINISHED);
    if (ppp->ops.down != NULL) {
        ppp->ops.down(ppp->user, &f);
    }
}

/* --- life
 * --------------------------------------------------------------------------------------------- */

int l2v_ppp_new(struct l2v_env *env, struct l2v_crypto *crypto, const struct l2v_ppp_config *config,
                const struct l2v_ppp_ops *ops, void *user, struct l2v_ppp **ret_ppp)
{
    struct l2v_ppp *ppp;
    if (ops->transmit == NULL || ops->input == NULL ||
        (config->flags & (L2TPVOIP_PPP_NO_IPV4 | L2TPVOIP_PPP_NO_IPV6)) ==
            (L2TPVOIP_PPP_NO_IPV4 | L2TPVOIP_PPP_NO_IPV6)) {
        return L2TPVOIP_ERR_INVALID;
    }
    ppp = l2v_calloc(env, 1, sizeof(*ppp));
    if (ppp == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    ppp->env = env;
    ppp->crypto = crypto;
    ppp->config = *config;
    ppp->ops = *ops;
    ppp->user = user;
    ppp->result.peer_mru = L2V_PPP_DEFAULT_MRU;
    l2v_ppp_timers_init(ppp);
    l2v_rate_init(&ppp->rejects, REJECTS_PER_SECOND, REJECTS_BURST, env->now_ns);
    l2v_ppp_auth_init(ppp);
    l2v_ppp_lcp_init(ppp);
    l2v_ppp_cp_init(&ppp->ipcp, ppp, &l2v_ppp_ipcp_proto);
    l2v_ppp_cp_init(&ppp->ipv6cp, ppp, &l2v_ppp_ipv6cp_proto);
    *ret_ppp = ppp;
    return 0;
}

static void forget_credentials(struct l2v_ppp *ppp)
{
    l2v_free(ppp->env, ppp->own_user);
    l2v_free_secret(ppp->env, ppp->own_password, ppp->own_password_len);
    ppp->own_user = NULL;
    ppp->own_password = NULL;
    ppp->own_password_len = 0;
}

void l2v_ppp_free(struct l2v_ppp *ppp)
{
    if (ppp == NULL) {
        return;
    }
    l2v_ppp_timers_clear(ppp);
    l2v_ppp_cp_clear(&ppp->lcp);
    l2v_ppp_cp_clear(&ppp->ipcp);
    l2v_ppp_cp_clear(&ppp->ipv6cp);
    l2v_ppp_auth_clear(ppp);
    forget_credentials(ppp);
    l2v_free_secret(ppp->env, ppp, sizeof(*ppp));
}

void l2v_ppp_start(struct l2v_ppp *ppp)
{
    if (ppp->started || ppp->finished) {
        return;
    }
    ppp->started = true;
    l2v_ppp_phase_step(ppp, L2V_PPP_PHASE_UP);
    l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_OPEN);
    l2v_ppp_cp_event(&ppp->lcp, L2V_PPP_UP);
}

void l2v_ppp_close(struct l2v_ppp *ppp)
{
    if (ppp->finished || ppp->closing) {
        return;
    }
    if (ppp->failure.code == 0) {
        ppp->closing = true;
    }
    close_lcp(ppp);
}

const struct l2v_ppp_result *l2v_ppp_get_result(const struct l2v_ppp *ppp)
{
    return &ppp->result;
}

uint64_t l2v_ppp_get_rtt_ns(const struct l2v_ppp *ppp)
{
    return ppp->echo.rtt_ns;
}

void l2v_ppp_set_credentials(struct l2v_ppp *ppp, const char *user, const uint8_t *password,
                             size_t password_len)
{
    if (ppp->finished || ppp->config.server) {
        return;
    }
    ppp->auth.asked = false;
    if (user == NULL) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                     "Give a user name and a password.", "There are no credentials.");
        return;
    }
    forget_credentials(ppp);
    ppp->own_user = l2v_strdup(ppp->env, user);
    ppp->own_password = l2v_malloc(ppp->env, password_len + 1);
    if (ppp->own_user == NULL || ppp->own_password == NULL) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_NOMEM, 0, "", "Out of memory.");
        return;
    }
    if (password_len > 0) {
        memcpy(ppp->own_password, password, password_len);
    }
    ppp->own_password[password_len] = 0;
    ppp->own_password_len = password_len;
    ppp->config.user = ppp->own_user;
    ppp->config.password = ppp->own_password;
    ppp->config.password_len = password_len;
    if (ppp->auth.ops != NULL && !ppp->auth.done) {
        ppp->auth.ops->credentials(ppp);
    }
}

void l2v_ppp_auth_answer(struct l2v_ppp *ppp, int code, const uint8_t *password, size_t len)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    bool pending = ppp->lookup_pending;
    ppp->lookup_pending = false;
    /* An answer to a question that a renegotiation has overtaken is for another name, perhaps. */
    if (ppp->finished || !pending || a->ops == NULL || !a->waits_password) {
        return;
    }
    a->waits_password = false;
    if (code == 0) {
        code = l2v_ppp_auth_keep_secret(ppp, password, len);
    }
    a->ops->password(ppp, code);
}
