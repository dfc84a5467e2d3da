/* SPDX-License-Identifier: MIT */
/* PAP, RFC 1334 §2. */
#include <string.h>

#include "ppp_link.h"

enum { PAP_REQUEST = 1, PAP_ACK = 2, PAP_NAK = 3 };

/* --- client
 * --------------------------------------------------------------------------------------- */

static void send_request(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t body[512];
    struct l2v_writer w;
    size_t user_len = strlen(ppp->config.user);
    if (user_len > UINT8_MAX || ppp->config.password_len > UINT8_MAX) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, 0,
                     "Use a shorter name or password.",
                     "PAP takes names and passwords of at most 255 bytes.");
        return;
    }
    l2v_writer_init(&w, body, sizeof(body));
    l2v_write_u8(&w, (unsigned)user_len);
    l2v_write_bytes(&w, ppp->config.user, user_len);
    l2v_write_u8(&w, (unsigned)ppp->config.password_len);
    l2v_write_bytes(&w, ppp->config.password, ppp->config.password_len);
    a->id++;
    a->answered = true;
    l2v_ppp_auth_send(ppp, PAP_REQUEST, a->id, body, l2v_writer_len(&w), NULL, 0);
    l2v_wipe(body, sizeof(body));
    l2v_ppp_timers_auth_repeat(ppp);
}

static int input_client(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    char text[128];
    size_t len;
    if ((code != PAP_ACK && code != PAP_NAK) || id != a->id || !a->answered || a->done ||
        a->failed) {
        return 0;
    }
    if (code == PAP_ACK) {
        l2v_ppp_auth_succeed(ppp, L2TPVOIP_AUTH_PAP);
        return 0;
    }
    len = l2v_read_u8(data); /* absent in some peers' answers */
    len = len < l2v_reader_left(data) ? len : l2v_reader_left(data);
    l2v_ppp_clean_text(l2v_read_bytes(data, len), len, text, sizeof(text));
    l2v_ppp_auth_refused(ppp, 0, text);
    return 0;
}

/* --- server
 * --------------------------------------------------------------------------------------- */

static void answer(struct l2v_ppp *ppp, bool good)
{
    static const char welcome[] = "\007Welcome", wrong[] = "\026Wrong name or password";
    struct l2v_ppp_auth *a = &ppp->auth;
    const char *text = good ? welcome : wrong;
    l2v_ppp_auth_send(ppp, good ? PAP_ACK : PAP_NAK, a->id, text, (uint8_t)text[0] + 1u, NULL, 0);
    if (good) {
        l2v_ppp_auth_succeed(ppp, L2TPVOIP_AUTH_PAP);
    } else {
        l2v_ppp_auth_refuse(ppp);
    }
}

/* The password waits in a->held. */
static void judge(struct l2v_ppp *ppp, int code)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    bool good =
        code == 0 && a->secret_len == a->held_len && l2v_equal_ct(a->secret, a->held, a->held_len);
    answer(ppp, good);
}

static int input_server(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    const uint8_t *name, *password;
    size_t name_len, password_len;
    int r;
    if (code != PAP_REQUEST || a->waits_password || a->failed) {
        return 0;
    }
    name_len = l2v_read_u8(data);
    name = l2v_read_bytes(data, name_len);
    password_len = l2v_read_u8(data);
    password = l2v_read_bytes(data, password_len);
    if (data->failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (a->done) { /* rfc1334#2.2: our Ack was lost */
        a->packet[1] = id;
        l2v_ppp_auth_resend(ppp);
        return 0;
    }
    a->id = id;
    memcpy(a->name, name, name_len);
    a->name_len = name_len;
    l2v_free_secret(ppp->env, a->held, a->held_len);
    a->held_len = 0;
    a->held = l2v_malloc(ppp->env, password_len + 1);
    if (a->held == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    memcpy(a->held, password, password_len);
    a->held_len = password_len;
    r = l2v_ppp_auth_lookup(ppp);
    if (r != L2TPVOIP_ERR_PENDING) {
        judge(ppp, r);
    }
    return 0;
}

/* --- both
 * ------------------------------------------------------------------------------------------- */

static int start(struct l2v_ppp *ppp)
{
    if (!ppp->config.server && l2v_ppp_auth_has_credentials(ppp) && !ppp->auth.answered) {
        send_request(ppp);
    }
    return 0;
}

static int input(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data)
{
    return ppp->config.server ? input_server(ppp, code, id, data)
                              : input_client(ppp, code, id, data);
}

static void repeat(struct l2v_ppp *ppp)
{
    if (!ppp->config.server) {
        l2v_ppp_auth_resend(ppp); /* with the same identifier: a late Ack still counts */
    }
}

static void credentials(struct l2v_ppp *ppp)
{
    if (!ppp->auth.answered) {
        send_request(ppp);
    }
}

const struct l2v_ppp_auth_ops l2v_ppp_pap_ops = {
    .name = "PAP",
    .protocol = L2V_PPP_PROTO_PAP,
    .start = start,
    .input = input,
    .repeat = repeat,
    .credentials = credentials,
    .password = judge,
};
