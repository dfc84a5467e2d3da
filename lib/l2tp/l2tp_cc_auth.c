/* SPDX-License-Identifier: MIT */
/* Tunnel authentication (rfc2661#5.1.1). Whoever has a secret wants it proved; there is no message
 * that gets around that. */
#include "base_secure.h"
#include "l2tp_internal.h"

int l2v_l2tp_auth_response(struct l2v_l2tp *l2tp, unsigned message_type,
                           const struct l2v_blob *challenge, uint8_t ret_response[16])
{
    /* rfc2661#4.4.3 MD5(id + secret + challenge); the id is the type of the message that carries
     * the response */
    uint8_t id = (uint8_t)message_type;
    struct l2v_iov in[3] = {
        {&id, 1}, {l2tp->secret.data, l2tp->secret.len}, {challenge->data, challenge->len}};
    return l2v_digest(l2tp->crypto, L2V_HASH_MD5, in, 3, ret_response);
}

int l2v_l2tp_auth_check(struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    uint8_t expected[16];
    if (cc->l2tp->secret.len == 0) {
        return 0;
    }
    /* A secret without a challenge sent would be a fault of ours: refuse, do not wave through. */
    if (!cc->challenged || !l2v_l2tp_msg_has(msg, L2V_AVP_CHALLENGE_RESPONSE) ||
        msg->challenge_response.len != sizeof expected) {
        return L2TPVOIP_ERR_AUTH_L2TP;
    }
    struct l2v_blob ours = {cc->challenge, sizeof cc->challenge};
    int rc = l2v_l2tp_auth_response(cc->l2tp, msg->type, &ours, expected);
    if (rc == 0 && !l2v_equal_ct(expected, msg->challenge_response.data, sizeof expected)) {
        rc = L2TPVOIP_ERR_AUTH_L2TP;
    }
    l2v_wipe(expected, sizeof expected);
    return rc;
}

static bool is_ours(const struct l2v_list *ccs, const struct l2v_blob *challenge)
{
    L2V_LIST_EACH(pos, ccs)
    {
        const struct l2v_l2tp_cc *cc = L2V_CONTAINER_OF(pos, struct l2v_l2tp_cc, node);
        if (cc->challenged && challenge->len == sizeof cc->challenge &&
            l2v_equal_ct(cc->challenge, challenge->data, challenge->len)) {
            return true;
        }
    }
    return false;
}

int l2v_l2tp_auth_admit(struct l2v_l2tp *l2tp, const struct l2v_l2tp_msg *msg)
{
    if (!l2v_l2tp_msg_has(msg, L2V_AVP_CHALLENGE)) {
        return 0;
    }
    /* Our own challenge coming back asks us to compute the answer that we wait for (reflection over
     * a second tunnel in the other direction). */
    if (l2tp->secret.len == 0 || is_ours(&l2tp->ccs, &msg->challenge)) {
        return L2TPVOIP_ERR_AUTH_L2TP;
    }
    return 0;
}
