/* SPDX-License-Identifier: MIT */
/* EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2-02), the authenticator's role. */
#include "eap_internal.h"

#include <string.h>

#include "base_secure.h"

static void begin_op(struct l2v_eap *eap, unsigned op, size_t len, struct l2v_writer *w)
{
    eap->id++;
    l2v_eap_begin(w, L2V_EAP_REQUEST, eap->id, L2V_EAP_TYPE_MSCHAPV2);
    l2v_write_u8(w, op);
    l2v_write_u8(w, eap->ms_id);
    l2v_write_u16(w, (unsigned)(4 + len)); /* counts from OpCode on */
}

int l2v_eap_mschapv2_server_request(struct l2v_eap *eap, struct l2v_writer *w)
{
    int r = l2v_random(eap->env, eap->challenge, sizeof(eap->challenge));
    if (r != 0) {
        return r;
    }
    eap->ms_id = (uint8_t)(eap->id + 1);
    begin_op(eap, L2V_EAP_OP_CHALLENGE, 1 + sizeof(eap->challenge) + eap->name_len, w);
    l2v_write_u8(w, sizeof(eap->challenge));
    l2v_write_bytes(w, eap->challenge, sizeof(eap->challenge));
    l2v_write_bytes(w, eap->name, eap->name_len);
    l2v_eap_finish(w);
    return 0;
}

struct response {
    const uint8_t *peer_challenge;
    const uint8_t *nt_response;
    const char *name;
    size_t name_len;
};

/* draft-kamath#2.2 */
static bool read_response(struct l2v_eap *eap, struct l2v_reader *data, struct response *ret)
{
    size_t len = l2v_reader_left(data);
    uint8_t op = l2v_read_u8(data);
    uint8_t ms_id = l2v_read_u8(data);
    uint16_t ms_len = l2v_read_u16(data);
    uint8_t size = l2v_read_u8(data);
    ret->peer_challenge = l2v_read_bytes(data, 16);
    l2v_read_skip(data, 8);
    ret->nt_response = l2v_read_bytes(data, 24);
    l2v_read_skip(data, 1);
    ret->name_len = l2v_reader_left(data);
    ret->name = (const char *)l2v_read_bytes(data, ret->name_len);
    return !data->failed && op == L2V_EAP_OP_RESPONSE && ms_id == eap->ms_id && ms_len == len &&
           size == 49;
}

static size_t after_domain(const char *name, size_t len)
{
    for (size_t i = len; i > 0; i--) {
        if (name[i - 1] == '\\') {
            return i;
        }
    }
    return 0;
}

/* The name that is proven must be the one that the peer told before. */
static bool is_same_user(const struct l2v_eap *eap, const struct response *response)
{
    size_t a = after_domain(eap->identity, eap->identity_len);
    size_t b = after_domain(response->name, response->name_len);
    if (a > 0 && b > 0) { /* both with a domain: the whole */
        a = b = 0;
    }
    return eap->identity_len - a == response->name_len - b &&
           memcmp(eap->identity + a, response->name + b, response->name_len - b) == 0;
}

static int request_failure(struct l2v_eap *eap, struct l2v_writer *w)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char before[] = "E=691 R=0 C=";
    static const char after[] = " V=3 M=Authentication failed";
    uint8_t challenge[16]; /* not used again: R=0 */
    int r = l2v_random(eap->env, challenge, sizeof(challenge));
    if (r != 0) {
        return r;
    }
    begin_op(eap, L2V_EAP_OP_FAILURE, sizeof(before) - 1 + 32 + sizeof(after) - 1, w);
    l2v_write_bytes(w, before, sizeof(before) - 1);
    for (unsigned i = 0; i < sizeof(challenge); i++) {
        l2v_write_u8(w, (uint8_t)hex[challenge[i] >> 4]);
        l2v_write_u8(w, (uint8_t)hex[challenge[i] & 15]);
    }
    l2v_write_bytes(w, after, sizeof(after) - 1);
    l2v_eap_finish(w);
    eap->step = L2V_EAP_STEP_REFUSED;
    return 0;
}

/* 0 and the proof of ours; INTEGRITY = wrong password; NOT_FOUND = no such user; CRYPTO. */
static int check_password(struct l2v_eap *eap, const struct response *response, char ret_proof[43])
{
    const uint8_t *password = NULL;
    size_t len = 0;
    uint8_t want[24];
    int r = l2v_eap_get_secret(eap, eap->identity, eap->identity_len, &password, &len);
    if (r != 0) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    r = l2v_mschapv2_nt_response(eap->crypto, eap->challenge, response->peer_challenge,
                                 response->name, response->name_len, password, len, want);
    if (r == 0 && !l2v_equal_ct(want, response->nt_response, sizeof(want))) {
        r = L2TPVOIP_ERR_INTEGRITY;
    }
    if (r == 0) {
        r = l2v_mschapv2_authenticator_response(eap->crypto, password, len, want,
                                                response->peer_challenge, eap->challenge,
                                                response->name, response->name_len, ret_proof);
    }
    if (r == 0) {
        r = l2v_eap_set_msk(eap, password, len, want);
        eap->has_msk = false; /* until the peer has accepted our proof */
    }
    l2v_wipe(want, sizeof(want));
    return r;
}

static int take_response(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    static const char message[] = " M=OK";
    struct response response;
    char proof[43];
    int r;
    if (!read_response(eap, &pkt->data, &response)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (!is_same_user(eap, &response)) {
        (void)l2v_eap_fail(eap, L2TPVOIP_ERR_PROTOCOL, 0, "",
                           "the peer changed its user name in the middle of EAP");
        return l2v_eap_server_end(eap, false, w);
    }
    r = check_password(eap, &response, proof);
    if (r == L2TPVOIP_ERR_CRYPTO || r == L2TPVOIP_ERR_CRYPTO_UNAVAILABLE) {
        return r;
    }
    if (r != 0) {
        return request_failure(eap, w);
    }
    begin_op(eap, L2V_EAP_OP_SUCCESS, 42 + sizeof(message) - 1, w);
    l2v_write_bytes(w, proof, 42);
    l2v_write_bytes(w, message, sizeof(message) - 1);
    l2v_eap_finish(w);
    eap->step = L2V_EAP_STEP_VERDICT;
    return 0;
}

/* draft-kamath#2.4: Success Response is OpCode alone; any other ends in failure. */
static int take_acknowledgement(struct l2v_eap *eap, struct l2v_eap_packet *pkt,
                                struct l2v_writer *w)
{
    uint8_t op = l2v_read_u8(&pkt->data);
    bool success = eap->step == L2V_EAP_STEP_VERDICT && op == L2V_EAP_OP_SUCCESS;
    if (pkt->data.failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    eap->has_msk = success;
    return l2v_eap_server_end(eap, success, w);
}

int l2v_eap_mschapv2_server_input(struct l2v_eap *eap, struct l2v_eap_packet *pkt,
                                  struct l2v_writer *w)
{
    return eap->step == L2V_EAP_STEP_CHALLENGE ? take_response(eap, pkt, w)
                                               : take_acknowledgement(eap, pkt, w);
}
