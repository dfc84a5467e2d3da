/* SPDX-License-Identifier: MIT */
/* EAP, the authenticator's role: RFC 3748 §2, §4, §5. */
#include "eap_internal.h"

#include <string.h>

#include "base_secure.h"

int l2v_eap_server_end(struct l2v_eap *eap, bool success, struct l2v_writer *w)
{
    /* rfc3748#4.2: the identifier of the response that it answers */
    l2v_eap_begin(w, success ? L2V_EAP_CODE_SUCCESS : L2V_EAP_CODE_FAILURE, eap->id, 0);
    l2v_eap_finish(w);
    if (success) {
        eap->state = L2V_EAP_SUCCESS;
        eap->step = L2V_EAP_STEP_ENDED;
        return 0;
    }
    return l2v_eap_fail(eap, L2TPVOIP_ERR_AUTH_PPP, 0,
                        "Compare the user's password with the server's.",
                        "the peer did not know the user's password");
}

int l2v_eap_server_start(struct l2v_eap *eap, struct l2v_writer *w)
{
    int r = l2v_random(eap->env, &eap->id, 1);
    if (r != 0) {
        return r;
    }
    l2v_eap_begin(w, L2V_EAP_REQUEST, eap->id, L2V_EAP_TYPE_IDENTITY);
    l2v_eap_finish(w);
    eap->step = L2V_EAP_STEP_IDENTITY;
    return 0;
}

static int request_md5(struct l2v_eap *eap, struct l2v_writer *w)
{
    int r = l2v_random(eap->env, eap->challenge, sizeof(eap->challenge));
    if (r != 0) {
        return r;
    }
    eap->id++;
    l2v_eap_begin(w, L2V_EAP_REQUEST, eap->id, L2V_EAP_TYPE_MD5);
    l2v_write_u8(w, sizeof(eap->challenge));
    l2v_write_bytes(w, eap->challenge, sizeof(eap->challenge));
    l2v_write_bytes(w, eap->name, eap->name_len);
    l2v_eap_finish(w);
    return 0;
}

static int check_md5(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    const uint8_t *password = NULL;
    size_t password_len = 0;
    uint8_t want[16];
    size_t size = l2v_read_u8(&pkt->data);
    const uint8_t *value = l2v_read_bytes(&pkt->data, size);
    int r;
    if (value == NULL) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    /* The name in the response, if any, is of no account: the identity must know its password. */
    r = l2v_eap_get_secret(eap, eap->identity, eap->identity_len, &password, &password_len);
    if (r != 0) {
        return l2v_eap_server_end(eap, false, w);
    }
    r = l2v_eap_md5_response(eap, pkt->id, password, password_len, eap->challenge,
                             sizeof(eap->challenge), want);
    if (r != 0) {
        return r;
    }
    return l2v_eap_server_end(eap, size == sizeof(want) && l2v_equal_ct(want, value, sizeof(want)),
                              w);
}

/* Methods in the order of preference. */
static const struct {
    uint32_t method;
    uint8_t type;
    int (*request)(struct l2v_eap *eap, struct l2v_writer *w);
    int (*check)(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w);
} methods[] = {
    {L2V_EAP_METHOD_MSCHAPV2, L2V_EAP_TYPE_MSCHAPV2, l2v_eap_mschapv2_server_request,
     l2v_eap_mschapv2_server_input},
    {L2V_EAP_METHOD_MD5, L2V_EAP_TYPE_MD5, request_md5, check_md5},
};
#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

/* Proposes the best method that is allowed, acceptable to the peer and not yet tried. */
static int propose(struct l2v_eap *eap, uint32_t acceptable, struct l2v_writer *w)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if ((methods[i].method & eap->methods & acceptable & ~eap->tried) != 0) {
            eap->tried |= methods[i].method;
            eap->method = methods[i].method;
            eap->step = L2V_EAP_STEP_CHALLENGE;
            return methods[i].request(eap, w);
        }
    }
    (void)l2v_eap_fail(eap, L2TPVOIP_ERR_NEGOTIATION, 0,
                       "Allow an EAP method that both sides have.",
                       "the peer refused every EAP method that is allowed");
    return l2v_eap_server_end(eap, false, w);
}

static int take_identity(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    size_t len = l2v_reader_left(&pkt->data);
    const uint8_t *name = l2v_read_bytes(&pkt->data, len);
    const uint8_t *end;
    if (name == NULL) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    end = len > 0 ? memchr(name, 0, len) : NULL;
    len = end != NULL ? (size_t)(end - name) : len; /* rfc3748#5.1: options after a null */
    if (len > L2V_EAP_MAX_NAME) {
        (void)l2v_eap_fail(eap, L2TPVOIP_ERR_PROTOCOL, 0, "", "the peer's identity is too long");
        return l2v_eap_server_end(eap, false, w);
    }
    memcpy(eap->identity, name, len);
    eap->identity[len] = '\0';
    eap->identity_len = len;
    return propose(eap, ~0u, w);
}

/* rfc3748#5.3.1 */
static int take_nak(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    uint32_t acceptable = 0;
    while (l2v_reader_left(&pkt->data) > 0) {
        uint8_t type = l2v_read_u8(&pkt->data);
        for (size_t i = 0; i < N_METHODS; i++) {
            acceptable |= methods[i].type == type ? methods[i].method : 0;
        }
    }
    return propose(eap, acceptable, w);
}

static int take_answer(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if (methods[i].method == eap->method && methods[i].type == pkt->type) {
            return methods[i].check(eap, pkt, w);
        }
    }
    (void)l2v_eap_fail(eap, L2TPVOIP_ERR_PROTOCOL, 0, "",
                       "the peer answered with an EAP method that was not asked for");
    return l2v_eap_server_end(eap, false, w);
}

int l2v_eap_server_input(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    /* rfc3748#4.1: a response to another request is dropped. */
    if (pkt->code != L2V_EAP_RESPONSE || pkt->id != eap->id || eap->step == L2V_EAP_STEP_START) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (eap->step == L2V_EAP_STEP_IDENTITY) {
        return pkt->type == L2V_EAP_TYPE_IDENTITY ? take_identity(eap, pkt, w)
                                                  : take_answer(eap, pkt, w);
    }
    if (eap->step == L2V_EAP_STEP_CHALLENGE && pkt->type == L2V_EAP_TYPE_NAK) {
        return take_nak(eap, pkt, w);
    }
    return take_answer(eap, pkt, w);
}
