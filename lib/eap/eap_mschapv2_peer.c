/* SPDX-License-Identifier: MIT */
/* EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2-02), the peer's role. */
#include "eap_internal.h"

#include <string.h>

#include "base_secure.h"

/* OpCode and, where the packet goes on, MS-CHAPv2-ID and MS-Length, which counts from OpCode on. */
static bool read_header(struct l2v_reader *data, uint8_t *ret_op, uint8_t *ret_id)
{
    size_t len = l2v_reader_left(data);
    *ret_op = l2v_read_u8(data);
    *ret_id = l2v_read_u8(data);
    return l2v_read_u16(data) == len && !data->failed;
}

/* Computes what goes out and what the server must answer; keys only when it has. */
static int compute_response(struct l2v_eap *eap, const uint8_t peer_challenge[16],
                            uint8_t ret_response[24])
{
    const uint8_t *password = NULL;
    size_t len = 0;
    int r = l2v_eap_get_secret(eap, eap->name, eap->name_len, &password, &len);
    if (r != 0) {
        return r;
    }
    r = l2v_mschapv2_nt_response(eap->crypto, eap->challenge, peer_challenge, eap->name,
                                 eap->name_len, password, len, ret_response);
    if (r == 0) {
        r = l2v_mschapv2_authenticator_response(eap->crypto, password, len, ret_response,
                                                peer_challenge, eap->challenge, eap->name,
                                                eap->name_len, eap->expect);
    }
    if (r == 0) {
        r = l2v_eap_set_msk(eap, password, len, ret_response);
        eap->has_msk = false;
    }
    return r;
}

/* draft-kamath#2.1, #2.2: Value-Size 49: peer challenge, 8 zeros, NT response, flags 0; name */
static int answer_challenge(struct l2v_eap *eap, struct l2v_eap_packet *pkt, uint8_t ms_id,
                            struct l2v_writer *w)
{
    uint8_t peer_challenge[16];
    uint8_t response[24];
    int r;
    if (l2v_read_u8(&pkt->data) != sizeof(eap->challenge)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    l2v_read_copy(&pkt->data, eap->challenge, sizeof(eap->challenge));
    if (pkt->data.failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    r = l2v_random(eap->env, peer_challenge, sizeof(peer_challenge));
    if (r != 0) {
        return r;
    }
    r = compute_response(eap, peer_challenge, response);
    if (r == L2TPVOIP_ERR_NOT_FOUND || r == L2TPVOIP_ERR_INVALID) {
        return l2v_eap_fail(eap, r, 0, "Give the user name and password, in UTF-8.",
                            "no usable password is known for EAP-MSCHAPv2");
    }
    if (r != 0) {
        return r;
    }
    l2v_eap_begin(w, L2V_EAP_RESPONSE, pkt->id, L2V_EAP_TYPE_MSCHAPV2);
    l2v_write_u8(w, L2V_EAP_OP_RESPONSE);
    l2v_write_u8(w, ms_id);
    l2v_write_u16(w, (unsigned)(4 + 1 + 49 + eap->name_len));
    l2v_write_u8(w, 49);
    l2v_write_bytes(w, peer_challenge, sizeof(peer_challenge));
    l2v_write_zero(w, 8);
    l2v_write_bytes(w, response, sizeof(response));
    l2v_write_u8(w, 0);
    l2v_write_bytes(w, eap->name, eap->name_len);
    l2v_eap_finish(w);
    eap->ms_id = ms_id;
    eap->method = L2V_EAP_METHOD_MSCHAPV2;
    eap->step = L2V_EAP_STEP_CHALLENGE;
    return 0;
}

static void write_op(struct l2v_eap_packet *pkt, unsigned op, struct l2v_writer *w)
{
    l2v_eap_begin(w, L2V_EAP_RESPONSE, pkt->id, L2V_EAP_TYPE_MSCHAPV2);
    l2v_write_u8(w, op);
    l2v_eap_finish(w);
}

/* "S=" and 40 hexadecimal digits, which a few servers send in lower case. rfc2759#5 */
static bool is_proof(struct l2v_eap *eap, struct l2v_reader text)
{
    uint8_t got[42];
    l2v_read_copy(&text, got, sizeof(got));
    for (unsigned i = 2; i < sizeof(got); i++) {
        got[i] = got[i] >= 'a' && got[i] <= 'f' ? (uint8_t)(got[i] - 0x20) : got[i];
    }
    return l2v_equal_ct(got, eap->expect, sizeof(got)) && !text.failed;
}

/* draft-kamath#2.3, #2.4: nothing that follows is trusted unless the server knows the password. */
static int answer_success(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    if (!is_proof(eap, pkt->data)) {
        return l2v_eap_fail(eap, L2TPVOIP_ERR_AUTH_PEER, 0,
                            "Do not trust this server; look for somebody in between.",
                            "the server could not prove that it knows the password");
    }
    write_op(pkt, L2V_EAP_OP_SUCCESS, w);
    eap->has_msk = true;
    eap->step = L2V_EAP_STEP_VERDICT;
    return 0;
}

static const char *reason_of(uint32_t error)
{
    static const struct {
        uint32_t error;
        const char *text;
    } reasons[] = {/* rfc2759#6 */
                   {646, "logging on is not allowed at this hour"},
                   {647, "the account is disabled"},
                   {648, "the password has expired"},
                   {649, "the account has no permission to dial in"},
                   {691, "the user name or the password is wrong"},
                   {709, "the password could not be changed"}};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].error == error) {
            return reasons[i].text;
        }
    }
    return "the server refused the user";
}

/* draft-kamath#2.5, #2.6: acknowledged; a new try with the same password would not help. */
static int answer_failure(struct l2v_eap *eap, struct l2v_eap_packet *pkt, struct l2v_writer *w)
{
    struct l2v_mschapv2_failure f;
    size_t len = l2v_reader_left(&pkt->data);
    const uint8_t *text = l2v_read_bytes(&pkt->data, len);
    if (l2v_mschapv2_parse_failure(text, len, &f) != 0) {
        memset(&f, 0, sizeof(f));
    }
    l2v_failure_set(&eap->failure, L2TPVOIP_LAYER_AUTH, L2TPVOIP_ERR_AUTH_PPP, (int32_t)f.error,
                    "Check the user name and the password.", "%s%s%s", reason_of(f.error),
                    f.message[0] != '\0' ? ": " : "", f.message);
    write_op(pkt, L2V_EAP_OP_FAILURE, w);
    eap->step = L2V_EAP_STEP_REFUSED;
    return 0;
}

int l2v_eap_mschapv2_peer_input(struct l2v_eap *eap, struct l2v_eap_packet *pkt,
                                struct l2v_writer *w)
{
    uint8_t op, ms_id;
    if (!read_header(&pkt->data, &op, &ms_id)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (eap->step != L2V_EAP_STEP_CHALLENGE) {
        return op == L2V_EAP_OP_CHALLENGE ? answer_challenge(eap, pkt, ms_id, w)
                                          : L2TPVOIP_ERR_MALFORMED;
    }
    if (op == L2V_EAP_OP_SUCCESS) {
        return answer_success(eap, pkt, w);
    }
    return op == L2V_EAP_OP_FAILURE ? answer_failure(eap, pkt, w) : L2TPVOIP_ERR_MALFORMED;
}
