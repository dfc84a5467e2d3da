/* SPDX-License-Identifier: MIT */
/* One EAP conversation (RFC 3748): creation, packet framing, results. The roles are in eap_peer.c
 * and eap_server.c. */
#include "eap_internal.h"

#include <string.h>

#include "base_secure.h"

#define KNOWN_METHODS (L2V_EAP_METHOD_MD5 | L2V_EAP_METHOD_MSCHAPV2)

int l2v_eap_new(struct l2v_env *env, struct l2v_crypto *crypto, bool authenticator,
                uint32_t methods, const char *name, const struct l2v_eap_ops *ops, void *user,
                struct l2v_eap **ret)
{
    struct l2v_eap *eap;
    if ((methods & KNOWN_METHODS) == 0 || ops == NULL || ops->get_password == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (name != NULL && strlen(name) > L2V_EAP_MAX_NAME) {
        return L2TPVOIP_ERR_INVALID;
    }
    eap = l2v_calloc(env, 1, sizeof(*eap));
    if (eap == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    eap->env = env;
    eap->name = l2v_strdup(env, name != NULL ? name : "");
    if (eap->name == NULL) {
        l2v_free(env, eap);
        return L2TPVOIP_ERR_NOMEM;
    }
    eap->name_len = strlen(eap->name);
    eap->crypto = crypto;
    eap->ops = ops;
    eap->user = user;
    eap->methods = methods & KNOWN_METHODS;
    eap->authenticator = authenticator;
    eap->state = L2V_EAP_CONTINUE;
    *ret = eap;
    return 0;
}

void l2v_eap_free(struct l2v_eap *eap)
{
    if (eap != NULL) {
        l2v_free(eap->env, eap->name);
        l2v_free_secret(eap->env, eap, sizeof(*eap));
    }
}

/* rfc3748#4 Code, Identifier, Length, and for requests and responses Type */
void l2v_eap_begin(struct l2v_writer *w, unsigned code, unsigned id, unsigned type)
{
    l2v_write_u8(w, code);
    l2v_write_u8(w, id);
    l2v_write_u16(w, 0);
    if (type != 0) {
        l2v_write_u8(w, type);
    }
}

void l2v_eap_finish(struct l2v_writer *w)
{
    l2v_write_end_u16(w, 0, 2, 0);
}

int l2v_eap_fail(struct l2v_eap *eap, int code, int32_t peer_code, const char *next_step,
                 const char *message)
{
    if (eap->failure.code == 0) { /* the first reason is the reason */
        l2v_failure_set(&eap->failure, L2TPVOIP_LAYER_AUTH, code, peer_code, next_step, "%s",
                        message);
    }
    eap->state = L2V_EAP_FAILURE;
    eap->step = L2V_EAP_STEP_ENDED;
    return 0;
}

int l2v_eap_get_secret(struct l2v_eap *eap, const char *name, size_t name_len,
                       const uint8_t **ret_password, size_t *ret_len)
{
    return eap->ops->get_password(eap->user, name, name_len, ret_password, ret_len);
}

int l2v_eap_md5_response(struct l2v_eap *eap, uint8_t id, const uint8_t *secret, size_t secret_len,
                         const uint8_t *challenge, size_t challenge_len, uint8_t ret[16])
{
    const struct l2v_iov iov[3] = {{&id, 1}, {secret, secret_len}, {challenge, challenge_len}};
    return l2v_digest(eap->crypto, L2V_HASH_MD5, iov, 3, ret);
}

int l2v_eap_set_msk(struct l2v_eap *eap, const uint8_t *password, size_t password_len,
                    const uint8_t nt_response[24])
{
    /* draft-kamath-pppext-eap-mschapv2-02#3.2: the server's receive key, its send key, zeros */
    int r = l2v_mschapv2_keys(eap->crypto, password, password_len, nt_response, eap->msk,
                              eap->msk + 16);
    eap->has_msk = r == 0;
    return r;
}

/* rfc3748#4.1: Length counts the whole packet; octets beyond it are padding of the link layer. */
static int parse(const uint8_t *in, size_t len, struct l2v_eap_packet *pkt)
{
    struct l2v_reader r;
    uint16_t length;
    l2v_reader_init(&r, in, len);
    pkt->code = l2v_read_u8(&r);
    pkt->id = l2v_read_u8(&r);
    length = l2v_read_u16(&r);
    if (r.failed || length < 4) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    pkt->data = l2v_read_sub(&r, length - 4u);
    if (pkt->code == L2V_EAP_REQUEST || pkt->code == L2V_EAP_RESPONSE) {
        pkt->type = l2v_read_u8(&pkt->data);
    } else {
        pkt->type = 0;
    }
    return pkt->data.failed ? L2TPVOIP_ERR_MALFORMED : 0;
}

static int input(struct l2v_eap *eap, const uint8_t *in, size_t len, struct l2v_writer *w)
{
    struct l2v_eap_packet pkt;
    int r = parse(in, len, &pkt);
    if (r != 0 || eap->step == L2V_EAP_STEP_ENDED) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    return eap->authenticator ? l2v_eap_server_input(eap, &pkt, w)
                              : l2v_eap_peer_input(eap, &pkt, w);
}

static int finish_output(const struct l2v_writer *w, size_t *ret_len)
{
    if (w->failed) {
        return L2TPVOIP_ERR_NOBUFS;
    }
    *ret_len = l2v_writer_len(w);
    return 0;
}

int l2v_eap_input(struct l2v_eap *eap, const uint8_t *in, size_t len, uint8_t *out, size_t size,
                  size_t *ret_len, int *ret_state)
{
    struct l2v_writer w;
    int r;
    l2v_writer_init(&w, out, size);
    *ret_len = 0;
    r = input(eap, in, len, &w);
    if (r == 0) {
        r = finish_output(&w, ret_len);
    }
    if (r != 0 && r != L2TPVOIP_ERR_MALFORMED) {
        (void)l2v_eap_fail(eap, r, 0, "", "the computation of an EAP message failed");
    }
    *ret_state = eap->state;
    return r;
}

int l2v_eap_start(struct l2v_eap *eap, uint8_t *out, size_t size, size_t *ret_len)
{
    struct l2v_writer w;
    int r;
    if (!eap->authenticator || eap->step != L2V_EAP_STEP_START) {
        return L2TPVOIP_ERR_STATE;
    }
    l2v_writer_init(&w, out, size);
    r = l2v_eap_server_start(eap, &w);
    return r != 0 ? r : finish_output(&w, ret_len);
}

const char *l2v_eap_get_identity(const struct l2v_eap *eap, size_t *ret_len)
{
    *ret_len = eap->identity_len;
    return eap->identity;
}

int l2v_eap_get_msk(const struct l2v_eap *eap, uint8_t ret_msk[64])
{
    if (!eap->has_msk) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    memcpy(ret_msk, eap->msk, sizeof(eap->msk));
    return 0;
}

const l2tpvoip_failure *l2v_eap_get_failure(const struct l2v_eap *eap)
{
    return &eap->failure;
}
