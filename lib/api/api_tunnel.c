/* SPDX-License-Identifier: MIT */
/* Public side of the client. */
#include <string.h>

#include "l2v_api.h"

int l2tpvoip_tunnel_new(l2tpvoip_context *ctx, const l2tpvoip_tunnel_options *options,
                        l2tpvoip_tunnel **ret_tunnel)
{
    l2tpvoip_tunnel_options o;
    if (options == NULL || ret_tunnel == NULL || l2v_api_copy_in(&o, sizeof o, options) != 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_client_new(ctx, &o, ret_tunnel);
    return l2v_api_leave(ctx, rc);
}

int l2tpvoip_tunnel_close(l2tpvoip_tunnel *tunnel)
{
    int rc = tunnel != NULL ? l2v_api_enter(tunnel->ctx) : L2TPVOIP_ERR_INVALID;
    if (rc != 0) {
        return rc;
    }
    if (tunnel->phase == L2TPVOIP_PHASE_DOWN) {
        return l2v_api_leave(tunnel->ctx, L2TPVOIP_ERR_STATE);
    }
    l2v_client_close(tunnel);
    return l2v_api_leave(tunnel->ctx, 0);
}

void l2tpvoip_tunnel_free(l2tpvoip_tunnel *tunnel)
{
    if (tunnel == NULL) {
        return;
    }
    l2tpvoip_context *ctx = tunnel->ctx;
    if (l2v_api_enter(ctx) == 0) {
        l2v_client_free(tunnel);
        (void)l2v_api_leave(ctx, 0);
    }
}

int l2tpvoip_tunnel_provide_credentials(l2tpvoip_tunnel *tunnel, const char *user,
                                        const uint8_t *password, uint32_t password_len)
{
    if (tunnel == NULL || (password == NULL && password_len > 0) || password_len > 256 ||
        (user != NULL && memchr(user, 0, 256) == NULL)) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(tunnel->ctx);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_client_set_credentials(tunnel, user, password, password_len);
    return l2v_api_leave(tunnel->ctx, rc);
}

int l2tpvoip_tunnel_rekey(l2tpvoip_tunnel *tunnel, uint32_t what)
{
    if (tunnel == NULL || what > L2TPVOIP_REKEY_IKE) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(tunnel->ctx);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_client_rekey(tunnel, what);
    return l2v_api_leave(tunnel->ctx, rc);
}

uint32_t l2tpvoip_tunnel_get_phase(const l2tpvoip_tunnel *tunnel)
{
    return tunnel != NULL ? tunnel->phase : L2TPVOIP_PHASE_IDLE;
}

void l2tpvoip_tunnel_get_phase_times(const l2tpvoip_tunnel *tunnel, uint64_t *times)
{
    if (tunnel != NULL && times != NULL) {
        memcpy(times, tunnel->phase_ns, sizeof tunnel->phase_ns);
    }
}

int l2tpvoip_tunnel_get_failure(const l2tpvoip_tunnel *tunnel, l2tpvoip_failure *ret_failure)
{
    if (tunnel == NULL || ret_failure == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_check(tunnel->ctx);
    if (rc == 0) {
        *ret_failure = tunnel->failure;
    }
    return rc;
}

l2tpvoip_session *l2tpvoip_tunnel_get_session(const l2tpvoip_tunnel *tunnel)
{
    return tunnel != NULL && tunnel->session_announced ? tunnel->session : NULL;
}
