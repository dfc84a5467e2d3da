/* SPDX-License-Identifier: MIT */
/* Public side of the server. */
#include <string.h>

#include "l2v_api.h"

#define MAX_USERS 65536u

/* Users of a caller whose l2tpvoip_user is of another version have another stride. */
static int copy_users(l2tpvoip_context *ctx, const l2tpvoip_server_options *o,
                      l2tpvoip_user **ret_users)
{
    const uint8_t *pos = (const uint8_t *)(const void *)o->users;
    l2tpvoip_user *users = l2v_calloc(&ctx->env, o->n_users, sizeof *users);
    if (users == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < o->n_users; i++) {
        uint32_t size = 0;
        memcpy(&size, pos, sizeof size);
        int rc = l2v_api_copy_in(&users[i], sizeof users[i], pos);
        if (rc != 0) {
            l2v_free(&ctx->env, users);
            return rc;
        }
        pos += size;
    }
    *ret_users = users;
    return 0;
}

int l2tpvoip_server_new(l2tpvoip_context *ctx, const l2tpvoip_server_options *options,
                        l2tpvoip_server **ret_server)
{
    l2tpvoip_server_options o;
    l2tpvoip_user *users = NULL;
    if (options == NULL || ret_server == NULL || l2v_api_copy_in(&o, sizeof o, options) != 0 ||
        o.n_users > MAX_USERS || (o.n_users > 0 && o.users == NULL)) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(ctx);
    if (rc != 0) {
        return rc;
    }
    if (o.n_users > 0) {
        rc = copy_users(ctx, &o, &users);
        o.users = users;
    }
    rc = rc != 0 ? rc : l2v_server_new(ctx, &o, ret_server);
    l2v_free(&ctx->env, users);
    return l2v_api_leave(ctx, rc);
}

void l2tpvoip_server_free(l2tpvoip_server *server)
{
    if (server == NULL) {
        return;
    }
    l2tpvoip_context *ctx = server->ctx;
    if (l2v_api_enter(ctx) == 0) {
        l2v_server_free(server);
        (void)l2v_api_leave(ctx, 0);
    }
}

int l2tpvoip_server_close(l2tpvoip_server *server)
{
    int rc = server != NULL ? l2v_api_enter(server->ctx) : L2TPVOIP_ERR_INVALID;
    if (rc != 0) {
        return rc;
    }
    l2v_server_close(server);
    return l2v_api_leave(server->ctx, 0);
}

static bool is_up(const l2tpvoip_session *s)
{
    return s->announced && s->up && !s->down;
}

uint32_t l2tpvoip_server_count_sessions(const l2tpvoip_server *server)
{
    uint32_t n = 0;
    if (server == NULL) {
        return 0;
    }
    L2V_LIST_EACH (apos, &server->assocs) {
        const struct l2v_assoc *assoc = L2V_CONTAINER_OF(apos, struct l2v_assoc, node);
        L2V_LIST_EACH (spos, &assoc->sessions) {
            n += is_up(L2V_CONTAINER_OF(spos, l2tpvoip_session, node)) ? 1 : 0;
        }
    }
    return n;
}

static int visit(l2tpvoip_server *server, int (*fn)(void *user, l2tpvoip_session *session),
                 void *user)
{
    L2V_LIST_EACH (apos, &server->assocs) {
        const struct l2v_assoc *assoc = L2V_CONTAINER_OF(apos, struct l2v_assoc, node);
        L2V_LIST_EACH_SAFE (spos, &assoc->sessions) {
            l2tpvoip_session *s = L2V_CONTAINER_OF(spos, l2tpvoip_session, node);
            if (is_up(s) && fn(user, s) != 0) {
                return 0;
            }
        }
    }
    return 0;
}

int l2tpvoip_server_each_session(l2tpvoip_server *server,
                                 int (*fn)(void *user, l2tpvoip_session *session), void *user)
{
    if (server == NULL || fn == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_enter(server->ctx);
    if (rc != 0) {
        return rc;
    }
    /* Inside the guard nothing that fn closes is gone before the walk is over. */
    return l2v_api_leave(server->ctx, visit(server, fn, user));
}

int l2tpvoip_server_get_failure(const l2tpvoip_server *server, l2tpvoip_failure *ret_failure)
{
    if (server == NULL || ret_failure == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_check(server->ctx);
    if (rc == 0) {
        *ret_failure = server->failure;
    }
    return rc;
}

static void copy_local(const struct l2v_path *path, l2tpvoip_addr *ret)
{
    if (ret == NULL) {
        return;
    }
    memset(ret, 0, sizeof *ret);
    if (path != NULL && path->up) {
        *ret = path->local;
    }
}

int l2tpvoip_server_get_addresses(const l2tpvoip_server *server, l2tpvoip_addr *ret_ike,
                                  l2tpvoip_addr *ret_natt, l2tpvoip_addr *ret_l2tp)
{
    if (server == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    int rc = l2v_api_check(server->ctx);
    if (rc != 0) {
        return rc;
    }
    copy_local(server->ike_path, ret_ike);
    copy_local(server->natt_path, ret_natt);
    copy_local(server->plain_path, ret_l2tp);
    return 0;
}
