/* SPDX-License-Identifier: MIT */
/* Public side of sessions. */
#include <string.h>

#include "base_addr.h"
#include "l2v_api.h"

int l2tpvoip_session_get_info(const l2tpvoip_session *session, l2tpvoip_session_info *info)
{
    l2tpvoip_session_info all;
    if (session == NULL || info == NULL || info->size < 2 * sizeof(uint32_t)) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_check(session->ctx);
    if (rc != 0) {
        return rc;
    }
    memset(&all, 0, sizeof all);
    l2v_session_get_info(session, &all);
    l2v_api_copy_out(info, &all, sizeof all);
    return 0;
}

int l2tpvoip_session_get_stats(const l2tpvoip_session *session, l2tpvoip_session_stats *stats)
{
    l2tpvoip_session_stats all;
    if (session == NULL || stats == NULL || stats->size < 2 * sizeof(uint32_t)) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_check(session->ctx);
    if (rc != 0) {
        return rc;
    }
    memset(&all, 0, sizeof all);
    l2v_session_get_stats(session, &all);
    l2v_api_copy_out(stats, &all, sizeof all);
    return 0;
}

int l2tpvoip_session_close(l2tpvoip_session *session)
{
    int rc = session != NULL ? l2v_api_enter(session->ctx) : L2TPVOIP_ERR_INVALID;
    if (rc != 0) {
        return rc;
    }
    l2tpvoip_context *ctx = session->ctx;
    if (session->down) {
        rc = L2TPVOIP_ERR_STATE;
    } else if (session->tunnel != NULL) {
        l2v_client_close(session->tunnel);
    } else {
        l2v_ppp_close(session->ppp);
    }
    return l2v_api_leave(ctx, rc);
}

void l2tpvoip_session_set_user(l2tpvoip_session *session, void *user)
{
    if (session != NULL) {
        session->user = user;
    }
}

void *l2tpvoip_session_get_user(const l2tpvoip_session *session)
{
    return session != NULL ? session->user : NULL;
}

int l2tpvoip_session_ping(l2tpvoip_session *session, const l2tpvoip_addr *to, uint32_t payload_len,
                          uint32_t timeout_ms, l2tpvoip_ping_fn on_answer, void *user)
{
    if (session == NULL || to == NULL || on_answer == NULL || l2v_addr_ip_len(to) == 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (payload_len > 65000) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    int rc = l2v_api_enter(session->ctx);
    if (rc != 0) {
        return rc;
    }
    l2tpvoip_context *ctx = session->ctx;
    rc = l2v_session_ping(session, to, payload_len, timeout_ms, on_answer, user);
    return l2v_api_leave(ctx, rc);
}
