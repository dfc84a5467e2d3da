/* SPDX-License-Identifier: MIT */
/* The authentication phase, RFC 1661 §3.5: start, packets, repetition, end. */
#include <stdio.h>
#include <string.h>

#include "ppp_link.h"

static const struct {
    uint32_t method;
    const struct l2v_ppp_auth_ops *ops;
} methods[] = {
    {L2TPVOIP_AUTH_PAP, &l2v_ppp_pap_ops},
    {L2V_PPP_CHAP_METHODS, &l2v_ppp_chap_ops},
    {L2V_PPP_EAP_METHODS, &l2v_ppp_eap_ops},
};

static const struct {
    uint32_t method;
    const char *name;
} names[] = {
    {L2TPVOIP_AUTH_PAP, "PAP"},
    {L2TPVOIP_AUTH_CHAP_MD5, "CHAP-MD5"},
    {L2TPVOIP_AUTH_MSCHAPV2, "MS-CHAPv2"},
    {L2TPVOIP_AUTH_EAP_MD5, "EAP-MD5"},
    {L2TPVOIP_AUTH_EAP_MSCHAPV2, "EAP-MSCHAPv2"},
    {L2TPVOIP_AUTH_NONE, "none"},
};

const char *l2v_ppp_auth_method_name(uint32_t method)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].method == method) {
            return names[i].name;
        }
    }
    return (method & L2V_PPP_EAP_METHODS) != 0 ? "EAP" : "?";
}

const char *l2v_ppp_auth_strip_domain(const char *name, size_t len, size_t *ret_len)
{
    for (size_t i = len; i > 0; i--) {
        if (name[i - 1] == '\\') {
            *ret_len = len - i;
            return name + i;
        }
    }
    *ret_len = len;
    return name;
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

void l2v_ppp_auth_init(struct l2v_ppp *ppp)
{
    ppp->auth.ops = NULL;
}

static void forget_secret(struct l2v_ppp *ppp)
{
    l2v_free_secret(ppp->env, ppp->auth.secret, ppp->auth.secret_len);
    ppp->auth.secret = NULL;
    ppp->auth.secret_len = 0;
}

void l2v_ppp_auth_clear(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    struct l2v_timer repeat, deadline;
    bool asked = a->asked;
    l2v_ppp_timers_auth_stop(ppp);
    if (a->eap != NULL) {
        l2v_eap_free(a->eap);
    }
    forget_secret(ppp);
    l2v_free_secret(ppp->env, a->packet, a->packet != NULL ? L2V_PPP_AUTH_PACKET_MAX : 0);
    l2v_free_secret(ppp->env, a->held, a->held != NULL ? a->held_len : 0);
    repeat = a->repeat; /* not set, but initialised */
    deadline = a->deadline;
    l2v_wipe(a, sizeof(*a));
    a->repeat = repeat;
    a->deadline = deadline;
    a->asked = asked;
}

void l2v_ppp_auth_start(struct l2v_ppp *ppp, uint32_t method)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    int r = 0;
    l2v_ppp_auth_clear(ppp);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if ((methods[i].method & method) != 0) {
            a->ops = methods[i].ops;
        }
    }
    a->method = method;
    a->packet = l2v_malloc(ppp->env, L2V_PPP_AUTH_PACKET_MAX);
    if (a->packet == NULL) {
        r = L2TPVOIP_ERR_NOMEM;
    }
    if (r == 0) {
        l2v_ppp_timers_auth_deadline(ppp);
        r = a->ops->start(ppp);
    }
    if (r != 0) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, r, 0, "", "Authentication could not be started.");
    }
}

int l2v_ppp_auth_input(struct l2v_ppp *ppp, uint16_t protocol, const uint8_t *data, size_t len)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    struct l2v_reader r, body;
    uint8_t code, id;
    uint16_t total;
    if (a->ops == NULL || a->ops->protocol != protocol ||
        (ppp->phase != L2V_PPP_AUTHENTICATE && ppp->phase != L2V_PPP_NETWORK)) {
        if (ppp->phase == L2V_PPP_NETWORK) { /* nobody agreed to that protocol */
            l2v_ppp_lcp_reject_protocol(ppp, protocol, data, len);
        }
        return 0;
    }
    l2v_reader_init(&r, data, len);
    code = l2v_read_u8(&r);
    id = l2v_read_u8(&r);
    total = l2v_read_u16(&r);
    if (r.failed || total < L2V_PPP_HEADER_LEN) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    body = l2v_read_sub(&r, total - L2V_PPP_HEADER_LEN);
    if (body.failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    return a->ops->input(ppp, code, id, &body);
}

void l2v_ppp_auth_network_heard(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    if (ppp->phase != L2V_PPP_AUTHENTICATE || ppp->config.server || a->ops == NULL) {
        return;
    }
    if (a->ops->is_proven != NULL && a->ops->is_proven(ppp)) {
        l2v_ppp_auth_succeed(ppp, a->method);
    } else if (a->answered) {
        a->ops->repeat(ppp); /* the Success was lost or comes late: have it repeated */
    }
}

/* --- packets out
 * ------------------------------------------------------------------------------------ */

void l2v_ppp_auth_resend(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    struct l2v_pkt *pkt;
    if (a->ops == NULL || a->packet_len == 0) {
        return;
    }
    pkt = l2v_pkt_copy(ppp->env, a->packet, a->packet_len);
    if (pkt != NULL) {
        l2v_ppp_transmit(ppp, a->ops->protocol, pkt);
    }
}

void l2v_ppp_auth_send(struct l2v_ppp *ppp, uint8_t code, uint8_t id, const void *a, size_t a_len,
                       const void *b, size_t b_len)
{
    struct l2v_writer w;
    if (ppp->auth.packet == NULL) {
        return; /* the owner closed the link in a callback */
    }
    l2v_writer_init(&w, ppp->auth.packet, L2V_PPP_AUTH_PACKET_MAX);
    l2v_write_u8(&w, code);
    l2v_write_u8(&w, id);
    l2v_write_u16(&w, (unsigned)(L2V_PPP_HEADER_LEN + a_len + b_len));
    l2v_write_bytes(&w, a, a_len);
    l2v_write_bytes(&w, b, b_len);
    ppp->auth.packet_len = w.failed ? 0 : l2v_writer_len(&w);
    l2v_ppp_auth_resend(ppp);
}

/* --- credentials and secrets
 * --------------------------------------------------------------------------- */

bool l2v_ppp_auth_has_credentials(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    if (ppp->config.user != NULL && ppp->config.password != NULL) {
        return true;
    }
    if (!a->asked && ppp->ops.need_credentials != NULL) {
        a->asked = true;
        ppp->ops.need_credentials(ppp->user); /* may answer at once */
        return ppp->config.user != NULL && ppp->config.password != NULL;
    }
    if (!a->asked) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                     "Give a user name and a password.", "There are no credentials.");
    }
    return false;
}

int l2v_ppp_auth_keep_secret(struct l2v_ppp *ppp, const uint8_t *password, size_t len)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    forget_secret(ppp);
    a->secret = l2v_malloc(ppp->env, len + 1);
    if (a->secret == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    if (len > 0) {
        memcpy(a->secret, password, len);
    }
    a->secret[len] = 0;
    a->secret_len = len;
    return 0;
}

int l2v_ppp_auth_lookup(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    const uint8_t *password = NULL;
    size_t len = 0;
    int r;
    /* A name that the result cannot hold is nobody's; so is a second one while the first waits. */
    if (ppp->ops.get_password == NULL || a->name_len >= sizeof(ppp->result.user) ||
        memchr(a->name, 0, a->name_len) != NULL || ppp->lookup_pending) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    r = ppp->ops.get_password(ppp->user, a->name, a->name_len, &password, &len);
    if (r == L2TPVOIP_ERR_PENDING) {
        a->waits_password = true;
        ppp->lookup_pending = true;
        return r;
    }
    return r == 0 ? l2v_ppp_auth_keep_secret(ppp, password, len) : L2TPVOIP_ERR_NOT_FOUND;
}

/* --- ends
 * -------------------------------------------------------------------------------------------- */

void l2v_ppp_auth_succeed(struct l2v_ppp *ppp, uint32_t method)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    if (a->done || a->failed || ppp->phase != L2V_PPP_AUTHENTICATE) {
        return;
    }
    a->done = true;
    l2v_ppp_timers_auth_stop(ppp);
    forget_secret(ppp);
    ppp->result.auth = method;
    if (ppp->config.server) {
        memset(ppp->result.user, 0, sizeof(ppp->result.user));
        memcpy(ppp->result.user, a->name,
               a->name_len < sizeof(ppp->result.user) ? a->name_len : sizeof(ppp->result.user) - 1);
    }
    l2v_ppp_phase_step(ppp, L2V_PPP_PHASE_SUCCESS);
}

void l2v_ppp_auth_refuse(struct l2v_ppp *ppp)
{
    char name[65], text[160];
    l2v_ppp_clean_text((const uint8_t *)ppp->auth.name, ppp->auth.name_len, name, sizeof(name));
    snprintf(text, sizeof(text), "%s: the client gave a wrong name or password (user \"%s\").",
             l2v_ppp_auth_method_name(ppp->auth.method), name);
    ppp->auth.failed = true;
    l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                 "Check the user in the server's user list.", text);
}

/* rfc2759#6 */
static const struct {
    int32_t code;
    const char *next_step;
} mschap_errors[] = {
    {646, "The account may not log on at this time of the day; ask its administrator."},
    {647, "The account is disabled; ask its administrator."},
    {648, "The password has expired; change it, then connect again."},
    {649, "The account has no permission to dial in; ask its administrator."},
    {691, "Check user name and password."},
};

void l2v_ppp_auth_refused(struct l2v_ppp *ppp, int32_t peer_code, const char *text)
{
    const char *next_step = "Check user name and password.";
    char message[240];
    for (size_t i = 0; i < sizeof(mschap_errors) / sizeof(mschap_errors[0]); i++) {
        if (mschap_errors[i].code == peer_code) {
            next_step = mschap_errors[i].next_step;
        }
    }
    ppp->auth.failed = true;
    snprintf(message, sizeof(message), "%s: the server refused us%s%.120s%s",
             l2v_ppp_auth_method_name(ppp->auth.method), text[0] != '\0' ? ": \"" : "", text,
             text[0] != '\0' ? "\"." : ".");
    l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, peer_code, next_step, message);
}
