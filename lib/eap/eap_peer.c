/* SPDX-License-Identifier: MIT */
/* EAP, the peer's role: RFC 3748 §2.1, §4, §5. */
#include "eap_internal.h"

#include <string.h>

#include "base_secure.h"

static int answer_identity(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    l2v_eap_begin(w, L2V_EAP_RESPONSE, pkt->id, L2V_EAP_TYPE_IDENTITY);
    l2v_write_bytes(w, eap->name, eap->name_len);
    l2v_eap_finish(w);
    eap->step = L2V_EAP_STEP_IDENTITY;
    return 0;
}

/* rfc3748#5.2: acknowledged, and nothing else changes. */
static int answer_notification(struct l2v_eap *eap, struct l2v_eap_packet *pkt,
                               struct l2v_writer *w)
{
    char text[128];
    l2v_eap_copy_printable(pkt->data, text, sizeof(text));
    l2v_log(eap->env, L2TPVOIP_LOG_INFO, "eap", "the server says: %s", text);
    l2v_eap_begin(w, L2V_EAP_RESPONSE, pkt->id, L2V_EAP_TYPE_NOTIFICATION);
    l2v_eap_finish(w);
    return 0;
}

/* rfc3748#5.3.1: the methods that we would run, best first. */
static int answer_nak(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    l2v_eap_begin(w, L2V_EAP_RESPONSE, pkt->id, L2V_EAP_TYPE_NAK);
    if ((eap->methods & L2V_EAP_METHOD_MSCHAPV2) != 0) {
        l2v_write_u8(w, L2V_EAP_TYPE_MSCHAPV2);
    }
    if ((eap->methods & L2V_EAP_METHOD_MD5) != 0) {
        l2v_write_u8(w, L2V_EAP_TYPE_MD5);
    }
    l2v_eap_finish(w);
    return 0;
}

/* rfc3748#5.4: Value-Size, Value, Name */
static int answer_md5(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    const uint8_t *password = NULL;
    size_t password_len = 0;
    uint8_t digest[16];
    size_t size = l2v_read_u8(&pkt->data);
    const uint8_t *challenge = l2v_read_bytes(&pkt->data, size);
    int r;
    if (challenge == NULL || size == 0) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    r = l2v_eap_get_secret(eap, eap->name, eap->name_len, &password, &password_len);
    if (r != 0) {
        return l2v_eap_fail(eap, r, 0, "Give the user name and password.",
                            "no password is known for EAP-MD5");
    }
    r = l2v_eap_md5_response(eap, pkt->id, password, password_len, challenge, size, digest);
    if (r != 0) {
        return r;
    }
    l2v_eap_begin(w, L2V_EAP_RESPONSE, pkt->id, L2V_EAP_TYPE_MD5);
    l2v_write_u8(w, sizeof(digest));
    l2v_write_bytes(w, digest, sizeof(digest));
    l2v_write_bytes(w, eap->name, eap->name_len);
    l2v_eap_finish(w);
    eap->method = L2V_EAP_METHOD_MD5;
    eap->step = L2V_EAP_STEP_VERDICT; /* MD5 asks for no proof of the server */
    return 0;
}

static int answer_mschapv2(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    return l2v_eap_mschapv2_peer_input(eap, pkt, w);
}

#define AT(step) (1u << L2V_EAP_STEP_##step)

/* The peer's machine: which requests are answered when. What has no row is dropped, or refused by
 * a Nak where a method may still be chosen. rfc3748#2.1: a method that runs is not changed. */
static const struct {
    uint8_t type;
    uint8_t steps;
    uint32_t method; /* must be allowed; 0 = always */
    int (*answer)(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w);
} rows[] = {
    {L2V_EAP_TYPE_IDENTITY, AT(START) | AT(IDENTITY), 0, answer_identity},
    {L2V_EAP_TYPE_NOTIFICATION,
     AT(START) | AT(IDENTITY) | AT(CHALLENGE) | AT(VERDICT) | AT(REFUSED), 0, answer_notification},
    {L2V_EAP_TYPE_MD5, AT(START) | AT(IDENTITY), L2V_EAP_METHOD_MD5, answer_md5},
    {L2V_EAP_TYPE_MSCHAPV2, AT(START) | AT(IDENTITY) | AT(CHALLENGE), L2V_EAP_METHOD_MSCHAPV2,
     answer_mschapv2},
};

static int take_request(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    unsigned here = 1u << eap->step;
    int r = L2TPVOIP_ERR_MALFORMED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].type == pkt->type && (rows[i].steps & here) != 0 &&
            (rows[i].method == 0 || (rows[i].method & eap->methods) != 0)) {
            r = rows[i].answer(eap, pkt, w);
            if (r == 0) {
                eap->id = pkt->id;
            }
            return r;
        }
    }
    if ((here & (AT(START) | AT(IDENTITY))) != 0 && pkt->type > L2V_EAP_TYPE_NAK) {
        eap->id = pkt->id;
        return answer_nak(eap, pkt, w);
    }
    return r;
}

/* rfc3748#4.2: the identifier of the last response; some servers count it up first. */
static bool is_of_last_response(const struct l2v_eap *eap, const struct l2v_eap_packet *pkt)
{
    return eap->step == L2V_EAP_STEP_START || pkt->id == eap->id ||
           pkt->id == (uint8_t)(eap->id + 1);
}

static int take_success(struct l2v_eap *eap)
{
    if (eap->step != L2V_EAP_STEP_VERDICT) {
        /* rfc3748#4.2: before the method has ended this is an attack. */
        return l2v_eap_fail(eap, L2TPVOIP_ERR_AUTH_PEER, 0,
                            "Do not trust this server; look for somebody in between.",
                            "the server sent EAP-Success before it had proven who it is");
    }
    eap->state = L2V_EAP_SUCCESS;
    eap->step = L2V_EAP_STEP_ENDED;
    return 0;
}

int l2v_eap_peer_input(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    if (pkt->code == L2V_EAP_REQUEST) {
        return take_request(eap, pkt, w);
    }
    if ((pkt->code != L2V_EAP_CODE_SUCCESS && pkt->code != L2V_EAP_CODE_FAILURE) ||
        !is_of_last_response(eap, pkt)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (pkt->code == L2V_EAP_CODE_SUCCESS) {
        return take_success(eap);
    }
    return l2v_eap_fail(eap, L2TPVOIP_ERR_AUTH_PPP, 0, "Check the user name and the password.",
                        "the server refused the user name or the password (EAP-Failure)");
}
