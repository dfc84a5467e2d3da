/* SPDX-License-Identifier: MIT */
/* CHAP with MD5 (RFC 1994) and MS-CHAPv2 (RFC 2759), both roles. There is no second try after a
 * Failure: R=1 is answered with a failed link, and the program connects again with what a person
 * typed anew. */
#include <stdio.h>
#include <string.h>

#include "ppp_link.h"

enum { CHAP_CHALLENGE = 1, CHAP_RESPONSE = 2, CHAP_SUCCESS = 3, CHAP_FAILURE = 4 };

#define MD5_LEN 16u
#define MSCHAPV2_CHALLENGE 16u
#define MSCHAPV2_RESPONSE 49u /* peer challenge 16, zero 8, NT response 24, flags 1: rfc2759#4 */
#define DEFAULT_NAME "l2tpvoip"

static bool is_mschapv2(const struct l2v_ppp *ppp)
{
    return ppp->auth.method == L2TPVOIP_AUTH_MSCHAPV2;
}

static const char *own_name(const struct l2v_ppp *ppp)
{
    return ppp->config.user != NULL && ppp->config.user[0] != '\0' ? ppp->config.user
                                                                   : DEFAULT_NAME;
}

/* rfc1994#4.1 */
static int compute_md5(struct l2v_ppp *ppp, const uint8_t *secret, size_t secret_len,
                       uint8_t ret[MD5_LEN])
{
    struct l2v_ppp_auth *a = &ppp->auth;
    struct l2v_iov in[] = {{&a->id, 1}, {secret, secret_len}, {a->challenge, a->challenge_len}};
    return l2v_digest(ppp->crypto, L2V_HASH_MD5, in, 3, ret);
}

/* --- client
 * ------------------------------------------------------------------------------------------ */

static int respond_mschapv2(struct l2v_ppp *ppp, uint8_t value[MSCHAPV2_RESPONSE])
{
    struct l2v_ppp_auth *a = &ppp->auth;
    const struct l2v_ppp_config *c = &ppp->config;
    size_t len;
    const char *user = l2v_ppp_auth_strip_domain(c->user, strlen(c->user), &len);
    int r;
    memset(value, 0, MSCHAPV2_RESPONSE);
    r = l2v_random(ppp->env, value, MSCHAPV2_CHALLENGE);
    if (r == 0) {
        r = l2v_mschapv2_nt_response(ppp->crypto, a->challenge, value, user, len, c->password,
                                     c->password_len, value + 24);
    }
    if (r == 0) {
        r = l2v_mschapv2_authenticator_response(ppp->crypto, c->password, c->password_len,
                                                value + 24, value, a->challenge, user, len,
                                                a->expect);
    }
    return r;
}

static void respond(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t value[1 + MSCHAPV2_RESPONSE];
    size_t len = is_mschapv2(ppp) ? MSCHAPV2_RESPONSE : MD5_LEN;
    int r;
    value[0] = (uint8_t)len;
    r = is_mschapv2(ppp)
            ? respond_mschapv2(ppp, value + 1)
            : compute_md5(ppp, ppp->config.password, ppp->config.password_len, value + 1);
    if (r != 0) {
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH,
                     r == L2TPVOIP_ERR_INVALID ? L2TPVOIP_ERR_AUTH_PPP : r, 0,
                     "Check that the password is valid UTF-8 and not too long.",
                     "The response to the server's challenge could not be computed.");
        return;
    }
    a->answered = true;
    l2v_ppp_auth_send(ppp, CHAP_RESPONSE, a->id, value, 1 + len, ppp->config.user,
                      strlen(ppp->config.user));
    if (!a->done) { /* rfc1994#4.1: a challenge may come at any time later */
        l2v_ppp_timers_auth_repeat(ppp);
    }
}

static int input_challenge(struct l2v_ppp *ppp, uint8_t id, struct l2v_reader *data)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t len = l2v_read_u8(data);
    const uint8_t *value = l2v_read_bytes(data, len);
    if (value == NULL || len == 0 || (is_mschapv2(ppp) && len != MSCHAPV2_CHALLENGE)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (a->answered && id == a->id && len == a->challenge_len &&
        memcmp(value, a->challenge, len) == 0) {
        l2v_ppp_auth_resend(ppp); /* the same answer to the same question */
        return 0;
    }
    a->id = id;
    memcpy(a->challenge, value, len);
    a->challenge_len = len;
    a->has_challenge = true;
    a->answered = false;
    /* has_credentials may have been answered, and the response sent, inside the question */
    if (l2v_ppp_auth_has_credentials(ppp) && !a->answered) {
        respond(ppp);
    }
    return 0;
}

/* "S=" and 40 hex digits come first: rfc2759#5. Without them anybody could claim success. */
static bool is_peer_proven(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    char got[42];
    l2v_read_copy(data, got, sizeof(got));
    for (size_t i = 2; i < sizeof(got); i++) {
        if (got[i] >= 'a' && got[i] <= 'f') {
            got[i] = (char)(got[i] - 'a' + 'A');
        }
    }
    return !data->failed && ppp->auth.expect[0] != '\0' &&
           l2v_equal_ct(got, ppp->auth.expect, sizeof(got));
}

static void input_success(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    if (is_mschapv2(ppp) && !is_peer_proven(ppp, data)) {
        a->failed = true;
        l2v_ppp_fail(ppp, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PEER, 0,
                     "This may not be the server that you mean. Check its name, and the password.",
                     "MS-CHAPv2: the server could not prove that it knows the password.");
        return;
    }
    l2v_ppp_auth_succeed(ppp, a->method);
}

static void input_failure(struct l2v_ppp *ppp, struct l2v_reader *data)
{
    size_t len = l2v_reader_left(data);
    const uint8_t *text = l2v_read_bytes(data, len);
    struct l2v_mschapv2_failure f;
    char clean[128];
    memset(&f, 0, sizeof(f));
    if (is_mschapv2(ppp) && l2v_mschapv2_parse_failure(text, len, &f) == 0) {
        l2v_ppp_clean_text((const uint8_t *)f.message, strnlen(f.message, sizeof(f.message)), clean,
                           sizeof(clean));
    } else {
        l2v_ppp_clean_text(text, len, clean, sizeof(clean));
    }
    l2v_ppp_auth_refused(ppp, (int32_t)(f.error & 0x7fffffffu), clean);
}

static int input_client(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    if (a->failed) {
        return 0;
    }
    if (code == CHAP_CHALLENGE) {
        return input_challenge(ppp, id, data);
    }
    if (!a->answered || id != a->id) {
        return 0; /* rfc1994#4.2: not about our response */
    }
    if (code == CHAP_SUCCESS) {
        input_success(ppp, data);
    } else if (code == CHAP_FAILURE) {
        input_failure(ppp, data);
    }
    return 0;
}

/* --- server
 * ------------------------------------------------------------------------------------------- */

static int send_challenge(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t value[1 + MSCHAPV2_CHALLENGE];
    int r = l2v_random(ppp->env, a->challenge, MSCHAPV2_CHALLENGE);
    if (r == 0) {
        r = l2v_random(ppp->env, &a->id, 1);
    }
    if (r != 0) {
        return r;
    }
    a->challenge_len = MSCHAPV2_CHALLENGE; /* 16 bytes do for MD5 too */
    a->has_challenge = true;
    value[0] = MSCHAPV2_CHALLENGE;
    memcpy(value + 1, a->challenge, MSCHAPV2_CHALLENGE);
    l2v_ppp_auth_send(ppp, CHAP_CHALLENGE, a->id, value, sizeof(value), own_name(ppp),
                      strlen(own_name(ppp)));
    l2v_ppp_timers_auth_repeat(ppp);
    return 0;
}

static bool check_md5(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t want[MD5_LEN];
    return a->value_len == MD5_LEN && compute_md5(ppp, a->secret, a->secret_len, want) == 0 &&
           l2v_equal_ct(want, a->value, MD5_LEN);
}

/* Also makes the Authenticator Response. */
static bool check_mschapv2(struct l2v_ppp *ppp, char ret_proof[43])
{
    struct l2v_ppp_auth *a = &ppp->auth;
    uint8_t want[24];
    size_t len;
    const char *user = l2v_ppp_auth_strip_domain(a->name, a->name_len, &len);
    return l2v_mschapv2_nt_response(ppp->crypto, a->challenge, a->value, user, len, a->secret,
                                    a->secret_len, want) == 0 &&
           l2v_equal_ct(want, a->value + 24, sizeof(want)) &&
           l2v_mschapv2_authenticator_response(ppp->crypto, a->secret, a->secret_len, a->value + 24,
                                               a->value, a->challenge, user, len, ret_proof) == 0;
}

static void send_failure(struct l2v_ppp *ppp)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    static const char plain[] = "Wrong name or password";
    uint8_t challenge[16];
    char text[128];
    int n = 0;
    if (!is_mschapv2(ppp) || l2v_random(ppp->env, challenge, sizeof(challenge)) != 0) {
        l2v_ppp_auth_send(ppp, CHAP_FAILURE, a->id, plain, sizeof(plain) - 1, NULL, 0);
        return;
    }
    n = snprintf(text, sizeof(text), "E=691 R=0 C="); /* rfc2759#6 */
    for (size_t i = 0; i < sizeof(challenge); i++) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%02X", challenge[i]);
    }
    n += snprintf(text + n, sizeof(text) - (size_t)n, " V=3 M=%s", plain);
    l2v_ppp_auth_send(ppp, CHAP_FAILURE, a->id, text, (size_t)n, NULL, 0);
}

static void judge(struct l2v_ppp *ppp, int code)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    char proof[43] = "";
    bool good = code == 0 && (is_mschapv2(ppp) ? check_mschapv2(ppp, proof) : check_md5(ppp));
    if (!good) {
        send_failure(ppp);
        l2v_ppp_auth_refuse(ppp);
        return;
    }
    l2v_ppp_auth_send(ppp, CHAP_SUCCESS, a->id, proof, strlen(proof),
                      is_mschapv2(ppp) ? " M=Welcome" : "Welcome", is_mschapv2(ppp) ? 10 : 7);
    l2v_ppp_auth_succeed(ppp, a->method);
}

static int input_server(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data)
{
    struct l2v_ppp_auth *a = &ppp->auth;
    size_t want = is_mschapv2(ppp) ? MSCHAPV2_RESPONSE : MD5_LEN, name_len;
    const uint8_t *value, *name;
    uint8_t len;
    int r;
    if (code != CHAP_RESPONSE || id != a->id || !a->has_challenge || a->waits_password ||
        a->failed) {
        return 0;
    }
    if (a->done) { /* rfc1994#4.2: our Success was lost */
        l2v_ppp_auth_resend(ppp);
        return 0;
    }
    len = l2v_read_u8(data);
    value = l2v_read_bytes(data, len);
    name_len = l2v_reader_left(data);
    name = l2v_read_bytes(data, name_len);
    if (value == NULL || name == NULL || len != want || name_len > sizeof(a->name)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    memcpy(a->value, value, len);
    a->value_len = len;
    memcpy(a->name, name, name_len);
    a->name_len = name_len;
    r = l2v_ppp_auth_lookup(ppp);
    if (r != L2TPVOIP_ERR_PENDING) {
        judge(ppp, r);
    }
    return 0;
}

/* --- both
 * ------------------------------------------------------------------------------------------------
 */

static int start(struct l2v_ppp *ppp)
{
    return ppp->config.server ? send_challenge(ppp) : 0;
}

static int input(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data)
{
    return ppp->config.server ? input_server(ppp, code, id, data)
                              : input_client(ppp, code, id, data);
}

static void repeat(struct l2v_ppp *ppp)
{
    if (!ppp->auth.waits_password && (ppp->config.server || ppp->auth.answered)) {
        l2v_ppp_auth_resend(ppp);
    }
}

static void credentials(struct l2v_ppp *ppp)
{
    if (ppp->auth.has_challenge && !ppp->auth.answered) {
        respond(ppp);
    }
}

const struct l2v_ppp_auth_ops l2v_ppp_chap_ops = {
    .name = "CHAP",
    .protocol = L2V_PPP_PROTO_CHAP,
    .start = start,
    .input = input,
    .repeat = repeat,
    .credentials = credentials,
    .password = judge,
};
