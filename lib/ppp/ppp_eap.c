/* SPDX-License-Identifier: MIT */
/* EAP over PPP, RFC 3748 §3.1 and §4: identifiers, repetition, duplicates. The methods are in
 * lib/eap. */
#include <string.h>

#include "ppp_link.h"

enum { EAP_REQUEST = 1, EAP_RESPONSE = 2, EAP_SUCCESS = 3, EAP_FAILURE = 4 };
enum { EAP_TYPE_IDENTITY = 1, EAP_TYPE_MD5 = 4, EAP_TYPE_MSCHAPV2 = 26 };

#define EAP_HEADER 4u

static int get_password(void *user, const char *name, size_t name_len, const uint8_t **ret_password,
                        size_t *ret_len)
{
    struct l2v_ppp *ppp = user;
    (void)name; /* whoever identified itself is the one that has to know the password */
    (void)name_len;
    if (!ppp->config.server) {
        *ret_password = ppp->config.password;
        *ret_len = ppp->config.password_len;
        return ppp->config.password != NULL ? 0 : L2TPVOIP_ERR_NOT_FOUND;
    }
    if (ppp->auth.secret == NULL) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    *ret_password = ppp->auth.secret;
    *ret_len = ppp->auth.secret_len;
    return 0;
}

static const struct l2v_eap_ops eap_ops = {.get_password = get_password};

static int make_eap(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint32_t methods = 0;
    if (a->eap != NULL) {
        return 0;
    }
    methods |= (a->method & L2TPVOIP_AUTH_EAP_MSCHAPV2) != 0 ? L2V_EAP_METHOD_MSCHAPV2 : 0;
    methods |= (a->method & L2TPVOIP_AUTH_EAP_MD5) != 0 ? L2V_EAP_METHOD_MD5 : 0;
    return l2v_eap_new(ppp->env, ppp->crypto, ppp->config.server, methods,
                       ppp->config.user != NULL ? ppp->config.user : "l2tpvoip", &eap_ops, ppp,
                       &a->eap);
}

/* What the conversation's state says, of methods that may be two. */
static uint32_t settled_method(const struct l2v_ppp *ppp)
{
    uint32_t method = ppp->auth.method;
    if (method == L2V_PPP_EAP_METHODS) {
        return ppp->auth.last_type == EAP_TYPE_MD5 ? L2TPVOIP_AUTH_EAP_MD5
                                                   : L2TPVOIP_AUTH_EAP_MSCHAPV2;
    }
    return method;
}

static void note_type(struct l2v_ppp_auth *a, const uint8_t *packet, size_t len)
{
    if (len > EAP_HEADER &&
        (packet[EAP_HEADER] == EAP_TYPE_MD5 || packet[EAP_HEADER] == EAP_TYPE_MSCHAPV2)) {
        a->last_type = packet[EAP_HEADER];
    }
}

static void fail(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    const l2tpvoip_failure *f = a->eap != NULL ? l2v_eap_get_failure(a->eap) : NULL;
    if (ppp->config.server) {
        l2v_ppp_auth_refuse(ppp);
    } else if (f != NULL && f->code != 0) {
        a->failed = true;
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, f->code, f->peer_code, f->next_step, f->message);
    } else {
        l2v_ppp_auth_refused(ppp, 0, "");
    }
}

/* Gives a whole packet to the method and sends what it answers. */
static int converse(struct l2v_ppp *ppp, const uint8_t *packet, size_t len)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t out[L2V_PPP_AUTH_PACKET_MAX];
    size_t out_len = 0;
    int state = L2V_EAP_CONTINUE, r;
    if (a->eap == NULL || a->packet == NULL) {
        return 0; /* the owner closed the link in a callback */
    }
    r = l2v_eap_input(a->eap, packet, len, out, sizeof(out), &out_len, &state);
    if (r == L2TPVOIP_ERR_MALFORMED) {
        return r; /* dropped; the conversation goes on */
    }
    note_type(a, packet, len);
    if (out_len >= EAP_HEADER && out_len <= sizeof(out)) {
        note_type(a, out, out_len);
        memcpy(a->packet, out, out_len);
        a->packet_len = out_len;
        a->id = out[1];
        a->answered = true;
        a->tries = 0;
        l2v_ppp_auth_resend(ppp);
        l2v_ppp_timers_auth_repeat(ppp);
    }
    l2v_wipe(out, sizeof(out));
    if (r != 0 || state == L2V_EAP_FAILURE) {
        fail(ppp);
    } else if (state == L2V_EAP_SUCCESS) {
        l2v_ppp_auth_succeed(ppp, settled_method(ppp));
    }
    return 0;
}

static void hold(struct l2v_ppp *ppp, const uint8_t *packet, size_t len)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    l2v_free_secret(ppp->env, a->held, a->held_len);
    a->held = l2v_memdup(ppp->env, packet, len);
    a->held_len = a->held != NULL ? len : 0; /* without memory: the peer repeats it */
}

static void converse_held(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t *held = a->held;
    size_t len = a->held_len;
    a->held = NULL;
    a->held_len = 0;
    if (held != NULL) {
        (void)converse(ppp, held, len);
    }
    l2v_free_secret(ppp->env, held, len);
}

/* --- client
 * ------------------------------------------------------------------------------------------ */

static int input_client(struct l2v_ppp *ppp, const uint8_t *packet, size_t len)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    int r;
    if (packet[0] == EAP_REQUEST) {
        /* rfc3748#4.1: a repeated Request gets the same Response */
        if (a->answered && packet[1] == a->id && a->packet_len > EAP_HEADER && len > EAP_HEADER &&
            a->packet[0] == EAP_RESPONSE) {
            l2v_ppp_auth_resend(ppp);
            return 0;
        }
        if (ppp->config.user == NULL || ppp->config.password == NULL) {
            hold(ppp, packet, len);
            if (!l2v_ppp_auth_has_credentials(ppp) || a->held == NULL) {
                return 0; /* or the answer came inside the question */
            }
            r = make_eap(ppp);
            if (r == 0) {
                converse_held(ppp);
            }
            return r == 0 ? 0 : L2TPVOIP_ERR_NOMEM;
        }
    } else if (packet[0] != EAP_SUCCESS && packet[0] != EAP_FAILURE) {
        return 0;
    }
    r = make_eap(ppp);
    return r == 0 ? converse(ppp, packet, len) : r;
}

/* --- server
 * ------------------------------------------------------------------------------------------- */

static int input_server(struct l2v_ppp *ppp, const uint8_t *packet, size_t len)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    int r;
    if (packet[0] != EAP_RESPONSE || a->waits_password || packet[1] != a->id) {
        return 0; /* rfc3748#4.1: a Response matches the outstanding Request */
    }
    if (!a->looked_up && len > EAP_HEADER && packet[EAP_HEADER] == EAP_TYPE_IDENTITY) {
        if (len - EAP_HEADER - 1 > sizeof(a->name)) {
            return L2TPVOIP_ERR_MALFORMED;
        }
        a->name_len = len - EAP_HEADER - 1;
        memcpy(a->name, packet + EAP_HEADER + 1, a->name_len);
        a->looked_up = true;
        r = l2v_ppp_auth_lookup(ppp);
        if (r == L2TPVOIP_ERR_PENDING) {
            hold(ppp, packet, len);
            return 0;
        } /* an unknown user fails inside the method, as a wrong password does */
    }
    return converse(ppp, packet, len);
}

static void password(struct l2v_ppp *ppp, int code)
{
    (void)code; /* without a secret get_password says NOT_FOUND */
    converse_held(ppp);
}

/* --- both
 * ------------------------------------------------------------------------------------------------
 */

static int start(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    size_t len = 0;
    int r;
    if (!ppp->config.server) {
        return 0;
    }
    r = make_eap(ppp);
    if (r == 0) {
        r = l2v_eap_start(a->eap, a->packet, L2V_PPP_AUTH_PACKET_MAX, &len);
    }
    if (r != 0 || len < EAP_HEADER) {
        return r != 0 ? r : L2TPVOIP_ERR_INTERNAL;
    }
    a->packet_len = len;
    a->id = a->packet[1];
    l2v_ppp_auth_resend(ppp);
    l2v_ppp_timers_auth_repeat(ppp);
    return 0;
}

static int input(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    size_t len = l2v_reader_left(data) + EAP_HEADER;
    uint8_t packet[L2V_PPP_AUTH_PACKET_MAX];
    struct l2v_writer w;
    if (a->failed) {
        return 0;
    }
    if (a->done) {
        if (ppp->config.server && code == EAP_RESPONSE) {
            l2v_ppp_auth_resend(ppp); /* our Success was lost */
        }
        return 0;
    }
    if (len > sizeof(packet)) {
        return L2TPVOIP_ERR_MALFORMED; /* no method of ours is that long */
    }
    l2v_writer_init(&w, packet, sizeof(packet));
    l2v_write_u8(&w, code);
    l2v_write_u8(&w, id);
    l2v_write_u16(&w, (unsigned)len);
    l2v_write_bytes(&w, data->pos, len - EAP_HEADER);
    return ppp->config.server ? input_server(ppp, packet, len) : input_client(ppp, packet, len);
}

static void repeat(struct l2v_ppp *ppp)
{
    /* rfc3748#4.1: Responses are never repeated on a timer */
    if (ppp->config.server && !ppp->auth.waits_password) {
        l2v_ppp_auth_resend(ppp);
    }
}

static void credentials(struct l2v_ppp *ppp)
{
    if (ppp->auth.held != NULL && make_eap(ppp) == 0) {
        converse_held(ppp);
    }
}

/* The method is through and only EAP-Success is missing: rfc3748#4.2. MS-CHAPv2 has keys then;
 * MD5 is through with our response, as the server has nothing to prove. */
static bool is_proven(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t msk[64];
    bool proven = false;
    if (a->eap == NULL || a->failed) {
        return false;
    }
    proven = l2v_eap_get_msk(a->eap, msk) == 0 ||
             (a->packet_len > EAP_HEADER && a->packet[0] == EAP_RESPONSE &&
              a->packet[EAP_HEADER] == EAP_TYPE_MD5);
    l2v_wipe(msk, sizeof(msk));
    return proven;
}

const struct l2v_ppp_auth_ops l2v_ppp_eap_ops = {
    .name = "EAP",
    .protocol = L2V_PPP_PROTO_EAP,
    .start = start,
    .input = input,
    .repeat = repeat,
    .credentials = credentials,
    .is_proven = is_proven,
    .password = password,
};
