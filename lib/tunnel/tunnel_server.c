/* SPDX-License-Identifier: MIT */
/* The server: who may come, and what belongs to whom. A client's L2TP is found by its association
 * (IKE lineage); only plain L2TP, where the policy allows it, goes by address. */
#include <string.h>

#include "base_addr.h"
#include "base_wire.h"
#include "l2v_tunnel.h"

#define DEFAULT_PATH_MTU 1500u
#define DEFAULT_HALF_OPEN 4096u
#define PLAIN_PER_SECOND 100u /* new peers without IPsec */
#define PLAIN_BURST 200u
#define CDN_NO_FACILITIES 4u /* rfc2661#4.4.2: temporarily */

static const char module[] = "server";

static const struct l2v_assoc_ops server_ops;

static bool wants_ipsec(const l2tpvoip_server *s)
{
    return s->options.ipsec.security == L2TPVOIP_SECURITY_IPSEC;
}

static bool is_full(const l2tpvoip_server *s)
{
    return s->n_sessions >= s->options.max_sessions;
}

/* --- addresses -------------------------------------------------------------------------------- */

static l2tpvoip_session *find_fixed(l2tpvoip_server *srv, const l2tpvoip_addr *ip)
{
    L2V_LIST_EACH (apos, &srv->assocs) {
        struct l2v_assoc *assoc = L2V_CONTAINER_OF(apos, struct l2v_assoc, node);
        L2V_LIST_EACH (spos, &assoc->sessions) {
            l2tpvoip_session *s = L2V_CONTAINER_OF(spos, l2tpvoip_session, node);
            if (s->pool_fixed && l2v_addr_equal_ip(&s->pool_ip, ip)) {
                return s;
            }
        }
    }
    return NULL;
}

static void give_back(l2tpvoip_session *s)
{
    /* A fixed one stays reserved: nobody else may have it meanwhile. */
    if (s->pool_ip.family != 0 && !s->pool_fixed && s->server->pool != NULL) {
        l2v_aaa_pool_give_back(s->server->pool, &s->pool_ip);
    }
    s->pool_ip.family = 0;
}

/* The user's own address. An older session that still has it is a dead one of the same user: a
 * phone that lost its network comes back before anybody noticed. */
static void take_fixed(l2tpvoip_session *s, const l2tpvoip_addr *ip)
{
    l2tpvoip_session *old = find_fixed(s->server, ip);
    if (old != NULL) {
        l2tpvoip_failure f;
        l2v_failure_set(&f, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_CLOSED, 0, "",
                        "The same user came again");
        old->pool_ip.family = 0; /* it is ours now */
        l2v_session_fail(old, &f);
    }
    s->pool_ip = *ip;
    s->pool_fixed = true;
}

int l2v_server_get_address(l2tpvoip_session *s, const char *name, size_t name_len,
                           l2tpvoip_addr *ret_ip)
{
    l2tpvoip_server *srv = s->server;
    const uint8_t *password = NULL;
    size_t password_len = 0;
    l2tpvoip_addr fixed;
    memset(&fixed, 0, sizeof fixed);
    if (s->pool_ip.family == 0) {
        int rc = l2v_aaa_users_find(srv->users, name, name_len, &password, &password_len, &fixed);
        if (rc == 0 && fixed.family != 0) {
            take_fixed(s, &fixed);
        } else if (srv->pool == NULL) {
            return L2TPVOIP_ERR_LIMIT;
        } else {
            rc = l2v_aaa_pool_take(srv->pool, name, name_len, &s->pool_ip);
            if (rc != 0) {
                s->pool_ip.family = 0;
                return rc;
            }
        }
    }
    *ret_ip = s->pool_ip;
    ret_ip->port = 0;
    return 0;
}

/* --- associations -------------------------------------------------------------------------------- */

static struct l2v_assoc *new_assoc(l2tpvoip_server *srv, struct l2v_path *path)
{
    struct l2v_assoc *assoc = NULL;
    /* Room for clients that are on their way in or out. */
    if (srv->n_assocs >= srv->options.max_sessions * 2 + 16 ||
        l2v_assoc_new(srv->ctx, &server_ops, wants_ipsec(srv), &srv->l2tp_config,
                      &assoc) != 0) {
        return NULL;
    }
    assoc->server = srv;
    assoc->path = path;
    assoc->path_mtu = srv->options.path_mtu;
    if (!assoc->ipsec && srv->options.l2tp.local_port != 0) {
        assoc->local_port = srv->options.l2tp.local_port;
    }
    l2v_list_append(&srv->assocs, &assoc->node);
    srv->n_assocs++;
    return assoc;
}

static void end_assoc(struct l2v_assoc *assoc, const l2tpvoip_failure *f)
{
    l2tpvoip_server *srv = assoc->server;
    if (!assoc->ipsec) {
        l2v_map_remove(&srv->plain, &assoc->by_addr);
    }
    l2v_assoc_close(assoc, f);
    srv->n_assocs--;
}

int l2v_server_accept(l2tpvoip_context *ctx, struct l2v_ike_peer *peer, void **ret_peer_user)
{
    const struct l2v_ike_route *route = l2v_ike_peer_get_route(peer);
    struct l2v_path *path = l2v_path_find(ctx, route->path_id);
    l2tpvoip_server *srv = path != NULL ? path->server : NULL;
    if (srv == NULL || srv->closing || srv->down || !wants_ipsec(srv)) {
        return L2TPVOIP_ERR_LIMIT;
    }
    struct l2v_assoc *assoc = new_assoc(srv, path);
    if (assoc == NULL) {
        return L2TPVOIP_ERR_LIMIT;
    }
    assoc->peer = peer;
    assoc->route = *route;
    *ret_peer_user = assoc;
    return 0;
}

static void end_deferred(void *obj)
{
    end_assoc(obj, NULL);
}

void l2v_server_forget(struct l2v_assoc *assoc)
{
    if (l2v_l2tp_count_cc(assoc->l2tp) == 0) {
        l2v_defer(assoc->ctx, &assoc->work, end_deferred, assoc);
    }
}

/* --- plain L2TP ------------------------------------------------------------------------------------ */

static uint64_t hash_addr(const l2tpvoip_context *ctx, const l2tpvoip_addr *a)
{
    return l2v_addr_hash(ctx->env.hash_key, a, true);
}

static struct l2v_assoc *find_plain(l2tpvoip_server *srv, const l2tpvoip_addr *remote)
{
    struct l2v_map_node *node = l2v_map_find(&srv->plain, hash_addr(srv->ctx, remote));
    while (node != NULL) {
        struct l2v_assoc *assoc = L2V_CONTAINER_OF(node, struct l2v_assoc, by_addr);
        if (l2v_addr_equal(&assoc->route.remote, remote)) {
            return assoc;
        }
        node = l2v_map_find_next(node);
    }
    return NULL;
}

/* Only a control message for tunnel 0 (SCCRQ) may make a new peer, rfc2661#5.1. */
static bool may_open(const struct l2v_pkt *pkt)
{
    struct l2v_reader r;
    l2v_reader_init(&r, pkt->data, pkt->len);
    uint16_t flags = l2v_read_u16(&r);
    l2v_read_skip(&r, 2);
    uint16_t tunnel_id = l2v_read_u16(&r);
    return !r.failed && (flags & 0xC80F) == 0xC802 && tunnel_id == 0; /* T, L, S, version 2 */
}

static struct l2v_assoc *new_plain(l2tpvoip_server *srv, struct l2v_path *path,
                                   const struct l2v_pkt *pkt)
{
    l2tpvoip_context *ctx = srv->ctx;
    if (!may_open(pkt) || srv->closing) {
        ctx->stats.rx_unknown++;
        return NULL;
    }
    if (!l2v_rate_take(&srv->plain_rate, ctx->env.now_ns)) {
        ctx->stats.rate_limited++;
        return NULL;
    }
    struct l2v_assoc *assoc = new_assoc(srv, path);
    if (assoc == NULL) {
        ctx->stats.rate_limited++;
        return NULL;
    }
    assoc->route.path_id = path->id;
    assoc->route.local = pkt->local;
    assoc->route.remote = pkt->remote;
    assoc->remote_port = pkt->remote.port;
    l2v_map_insert(&srv->plain, &assoc->by_addr, hash_addr(ctx, &pkt->remote));
    return assoc;
}

void l2v_server_input_plain(l2tpvoip_server *srv, struct l2v_path *path, struct l2v_pkt *pkt)
{
    struct l2v_assoc *assoc = find_plain(srv, &pkt->remote);
    if (assoc == NULL) {
        assoc = new_plain(srv, path, pkt);
    }
    if (assoc == NULL) {
        return;
    }
    l2v_assoc_input_plain(assoc, pkt);
    if (!assoc->dead) {
        l2v_assoc_timers_idle(assoc, l2v_l2tp_count_cc(assoc->l2tp) == 0);
    }
}

/* --- what associations report ------------------------------------------------------------------------- */

static void on_nothing(struct l2v_assoc *assoc)
{
    (void)assoc;
}

static void on_cc_up(struct l2v_assoc *assoc, struct l2v_l2tp_cc *cc)
{
    l2v_log(&assoc->ctx->env, L2TPVOIP_LOG_INFO, module, "control connection with %s is up",
            l2v_l2tp_cc_get_peer_name(cc));
}

static void on_cc_down(struct l2v_assoc *assoc, struct l2v_l2tp_cc *cc, const l2tpvoip_failure *f)
{
    (void)cc;
    (void)f;
    if (!assoc->ipsec) {
        l2v_assoc_timers_idle(assoc, true);
    }
}

static int on_session_request(struct l2v_assoc *assoc, struct l2v_l2tp_session *call)
{
    l2tpvoip_server *srv = assoc->server;
    struct l2v_ppp_config ppp;
    struct l2v_voip_encaps encaps;
    l2tpvoip_session *s = NULL;
    if (srv->closing || is_full(srv)) {
        return CDN_NO_FACILITIES;
    }
    l2v_assoc_encaps(assoc, &encaps);
    encaps.l2tp = 8;
    encaps.ppp = 4;
    l2v_tunnel_ppp_config(&ppp, &srv->options.ppp, true,
                          l2v_voip_inner_mtu(&encaps, assoc->path_mtu));
    ppp.user = srv->name;
    ppp.local_ip = srv->options.gateway;
    if (l2v_session_new(assoc, call, &ppp, srv->inet, &s) != 0) {
        return CDN_NO_FACILITIES;
    }
    l2v_inet_if_set_strict_source(s->nif, true);
    srv->n_sessions++;
    s->counted = true;
    return 0;
}

static void on_session_phase(l2tpvoip_session *s, enum l2v_ppp_phase phase)
{
    (void)s;
    (void)phase;
}

static void on_session_up(l2tpvoip_session *s, bool first)
{
    if (first && !s->announced) {
        s->announced = true;
        l2v_event_post(s->ctx, &s->event, L2TPVOIP_EVENT_SESSION_UP);
    }
}

static void finish_close(l2tpvoip_server *srv);

static void on_session_down(l2tpvoip_session *s, const l2tpvoip_failure *f)
{
    l2tpvoip_server *srv = s->server;
    give_back(s);
    if (s->counted) {
        s->counted = false;
        srv->n_sessions--;
    }
    if (s->announced && !srv->freed) {
        s->event.code = f->code;
        l2v_event_post(s->ctx, &s->event, L2TPVOIP_EVENT_SESSION_DOWN);
        l2v_list_append(&srv->ended, &s->node);
    } else {
        l2v_session_bury(s);
    }
    if (srv->closing && srv->n_sessions == 0) {
        finish_close(srv);
    }
}

static void on_down(struct l2v_assoc *assoc, const l2tpvoip_failure *f)
{
    L2V_LIST_EACH (pos, &assoc->sessions) {
        l2v_session_fail(L2V_CONTAINER_OF(pos, l2tpvoip_session, node), f);
    }
    l2v_defer_cancel(&assoc->work);
    l2v_defer(assoc->ctx, &assoc->work, end_deferred, assoc);
}

static void tell_sessions(struct l2v_assoc *assoc, uint32_t type)
{
    L2V_LIST_EACH (pos, &assoc->sessions) {
        l2tpvoip_session *s = L2V_CONTAINER_OF(pos, l2tpvoip_session, node);
        if (s->announced && !s->down) {
            l2v_event_post(s->ctx, &s->event, type);
        }
    }
}

static void on_rekeyed(struct l2v_assoc *assoc, bool ike)
{
    (void)ike;
    tell_sessions(assoc, L2TPVOIP_EVENT_REKEYED);
}

static void on_moved(struct l2v_assoc *assoc, const l2tpvoip_addr *old_addr)
{
    L2V_LIST_EACH (pos, &assoc->sessions) {
        l2tpvoip_session *s = L2V_CONTAINER_OF(pos, l2tpvoip_session, node);
        if (s->announced && !s->down) {
            l2v_event_post_moved(s->ctx, &s->event, old_addr, &assoc->route.remote);
        }
    }
}

static const struct l2v_assoc_ops server_ops = {
    .secured = on_nothing,
    .phase1 = on_nothing,
    .cc_up = on_cc_up,
    .cc_down = on_cc_down,
    .session_request = on_session_request,
    .session_phase = on_session_phase,
    .session_up = on_session_up,
    .session_down = on_session_down,
    .down = on_down,
    .rekeyed = on_rekeyed,
    .moved = on_moved,
};

/* --- paths ---------------------------------------------------------------------------------------------- */

static bool paths_are_up(const l2tpvoip_server *s)
{
    const struct l2v_path *paths[] = {s->ike_path, s->natt_path, s->plain_path};
    bool any = false;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i] != NULL && !paths[i]->up) {
            return false;
        }
        any = any || paths[i] != NULL;
    }
    return any;
}

void l2v_server_path_up(l2tpvoip_server *s)
{
    if (s->up || s->down || s->closing || !paths_are_up(s)) {
        return;
    }
    s->up = true;
    s->event.new_addr = s->ike_path != NULL ? s->ike_path->local : s->plain_path->local;
    l2v_event_post(s->ctx, &s->event, L2TPVOIP_EVENT_SERVER_UP);
}

void l2v_server_path_down(l2tpvoip_server *s, int32_t code)
{
    if (s->down) {
        return;
    }
    l2v_failure_set(&s->failure, L2TPVOIP_LAYER_PATH, code != 0 ? code : L2TPVOIP_ERR_IO, 0,
                    "Check that no other program uses UDP 500, 4500 or 1701, and the rights to bind",
                    "The server cannot listen: %s", l2v_error_text(code));
    l2v_server_close_now(s);
}

static int open_one(l2tpvoip_server *s, uint16_t port, struct l2v_path **ret_path)
{
    l2tpvoip_addr local = s->options.listen;
    local.port = port;
    int rc = l2v_path_open(s->ctx, &local, NULL, NULL, ret_path);
    if (rc == 0) {
        (*ret_path)->server = s;
    }
    return rc;
}

static int open_paths(l2tpvoip_server *s)
{
    const l2tpvoip_ipsec_options *o = &s->options.ipsec;
    if (!wants_ipsec(s)) {
        uint16_t port = s->options.l2tp.local_port;
        int rc = open_one(s, port != 0 ? port : L2V_L2TP_PORT, &s->plain_path);
        if (rc == 0) {
            s->plain_path->plain = true;
        }
        return rc;
    }
    int rc = open_one(s, o->ike_port != 0 ? o->ike_port : 500, &s->ike_path);
    if (rc == 0) {
        rc = open_one(s, o->natt_port != 0 ? o->natt_port : 4500, &s->natt_path);
    }
    if (rc == 0) {
        s->natt_path->natt = true;
    }
    return rc;
}

static void close_paths(l2tpvoip_server *s)
{
    l2v_path_close(s->ike_path);
    l2v_path_close(s->natt_path);
    l2v_path_close(s->plain_path);
    s->ike_path = s->natt_path = s->plain_path = NULL;
}

/* --- the end ----------------------------------------------------------------------------------------------- */

static void stop_listening(l2tpvoip_server *s)
{
    if (wants_ipsec(s) && s->listening) {
        s->listening = false;
        (void)l2v_ike_listen(s->ctx->ike, NULL, 0);
    }
}

static void tear_down(void *obj)
{
    l2tpvoip_server *s = obj;
    if (s->down) {
        return;
    }
    l2v_server_timers_stop(s);
    s->closing = true;
    stop_listening(s);
    while (!l2v_list_is_empty(&s->assocs)) {
        end_assoc(L2V_CONTAINER_OF(s->assocs.next, struct l2v_assoc, node),
                  s->failure.code != 0 ? &s->failure : NULL);
    }
    s->down = true;
    close_paths(s);
    s->event.code = s->failure.code;
    l2v_event_post(s->ctx, &s->event, L2TPVOIP_EVENT_SERVER_DOWN);
}

static void finish_close(l2tpvoip_server *srv)
{
    l2v_defer(srv->ctx, &srv->work, tear_down, srv);
}

void l2v_server_close_now(l2tpvoip_server *s)
{
    finish_close(s);
}

static void terminate_links(l2tpvoip_server *s)
{
    L2V_LIST_EACH (apos, &s->assocs) {
        struct l2v_assoc *assoc = L2V_CONTAINER_OF(apos, struct l2v_assoc, node);
        L2V_LIST_EACH_SAFE (spos, &assoc->sessions) {
            l2tpvoip_session *session = L2V_CONTAINER_OF(spos, l2tpvoip_session, node);
            if (!session->down) {
                l2v_ppp_close(session->ppp);
            }
        }
    }
}

void l2v_server_close(l2tpvoip_server *s)
{
    if (s->closing || s->down) {
        return;
    }
    s->closing = true;
    stop_listening(s);
    if (s->n_sessions == 0) {
        finish_close(s);
        return;
    }
    l2v_server_timers_closing(s);
    terminate_links(s);
}

static void free_list(struct l2v_list *sessions)
{
    while (!l2v_list_is_empty(sessions)) {
        l2v_session_free(L2V_CONTAINER_OF(sessions->next, l2tpvoip_session, node));
    }
}

void l2v_server_destroy(void *obj)
{
    l2tpvoip_server *s = obj;
    l2tpvoip_context *ctx = s->ctx;
    l2v_server_timers_stop(s);
    l2v_event_cancel(&s->event);
    l2v_defer_cancel(&s->work);
    l2v_list_remove(&s->node);
    free_list(&s->ended);
    while (!l2v_list_is_empty(&s->assocs)) {
        l2v_assoc_free(L2V_CONTAINER_OF(s->assocs.next, struct l2v_assoc, node));
    }
    while (!l2v_list_is_empty(&s->sockets)) {
        l2v_socket_free(L2V_CONTAINER_OF(s->sockets.next, l2tpvoip_socket, node));
    }
    l2v_map_clear(&s->plain);
    l2v_inet_free(s->inet);
    l2v_aaa_users_free(s->users);
    l2v_aaa_pool_free(s->pool);
    l2v_ike_config_unref(s->ike_config);
    l2v_free(&ctx->env, s->host_name);
    l2v_free(&ctx->env, s->name);
    l2v_free_secret(&ctx->env, s->l2tp_secret, s->l2tp_secret_len);
    l2v_free(&ctx->env, s);
}

void l2v_server_free(l2tpvoip_server *s)
{
    if (s->grave.destroy != NULL) {
        return;
    }
    if (!s->down) {
        terminate_links(s);
    }
    s->freed = true;
    l2v_defer_cancel(&s->work);
    tear_down(s);
    l2v_event_cancel(&s->event);
    l2v_list_remove(&s->node);
    L2V_LIST_EACH (pos, &s->ended) {
        l2v_event_cancel(&L2V_CONTAINER_OF(pos, l2tpvoip_session, node)->event);
    }
    L2V_LIST_EACH (pos, &s->sockets) {
        l2v_event_cancel(&L2V_CONTAINER_OF(pos, l2tpvoip_socket, node)->event);
    }
    l2v_bury(s->ctx, &s->grave, l2v_server_destroy, s); /* after its sessions */
}

/* --- birth ---------------------------------------------------------------------------------------------------- */

/* Users' own addresses never go to others. NOT_FOUND: outside the pool; EXISTS: two users share it,
 * the later one ends the session of the earlier one. */
static void reserve_fixed(const l2tpvoip_server *s, const l2tpvoip_server_options *o)
{
    for (uint32_t i = 0; s->pool != NULL && i < o->n_users; i++) {
        if (o->users[i].ip.family != 0) {
            (void)l2v_aaa_pool_reserve(s->pool, &o->users[i].ip);
        }
    }
}

static int add_users(l2tpvoip_server *s, const l2tpvoip_server_options *o)
{
    int rc = l2v_aaa_users_new(&s->ctx->env, &s->users);
    for (uint32_t i = 0; rc == 0 && i < o->n_users; i++) {
        const l2tpvoip_user *u = &o->users[i];
        rc = l2v_aaa_users_add(s->users, u->name, u->password, u->password_len, &u->ip);
        if (rc == L2TPVOIP_ERR_EXISTS || rc == L2TPVOIP_ERR_INVALID) {
            l2v_failure_set(&s->ctx->failure, L2TPVOIP_LAYER_CONFIG, L2TPVOIP_ERR_CONFIG, 0, "",
                            "User %s exists twice or is invalid", u->name);
            rc = L2TPVOIP_ERR_CONFIG;
        }
    }
    if (rc == 0 && o->pool_size != 0) {
        rc = l2v_aaa_pool_new(&s->ctx->env, &o->pool_first, o->pool_size, &s->pool);
    }
    if (rc == 0) {
        reserve_fixed(s, o);
    }
    return rc;
}

static int copy_options(l2tpvoip_server *s, const l2tpvoip_server_options *o)
{
    struct l2v_env *env = &s->ctx->env;
    const char *name = o->ppp.user != NULL ? o->ppp.user : "l2tpvoip";
    s->options = *o;
    s->host_name = l2v_strdup(env, o->l2tp.host_name);
    s->name = l2v_strdup(env, name);
    if (o->l2tp.secret_len != 0) {
        s->l2tp_secret = l2v_memdup(env, o->l2tp.secret, o->l2tp.secret_len);
        s->l2tp_secret_len = s->l2tp_secret != NULL ? o->l2tp.secret_len : 0;
    }
    bool failed = s->name == NULL || (o->l2tp.host_name != NULL && s->host_name == NULL) ||
                  (o->l2tp.secret_len != 0 && s->l2tp_secret == NULL);
    s->options.l2tp.host_name = s->host_name;
    s->options.l2tp.secret = s->l2tp_secret;
    s->options.l2tp.secret_len = s->l2tp_secret_len;
    s->options.ppp.user = s->name;
    s->options.ppp.password = NULL;
    s->options.ppp.password_len = 0;
    s->options.ipsec.psks = NULL;
    s->options.ipsec.n_psks = 0;
    s->options.ipsec.local_id = s->options.ipsec.remote_id = NULL;
    s->options.ipsec.ike_proposals = s->options.ipsec.esp_proposals = NULL;
    s->options.users = NULL;
    s->options.n_users = 0;
    if (o->ppp.auth == 0) {
        s->options.ppp.auth = l2v_tunnel_default_auth(true, o->ipsec.security);
    }
    if (o->max_sessions == 0) {
        s->options.max_sessions = o->pool_size != 0 ? o->pool_size : 1024;
    }
    if (o->path_mtu == 0) {
        s->options.path_mtu = DEFAULT_PATH_MTU;
    }
    return failed ? L2TPVOIP_ERR_NOMEM : 0;
}

static l2tpvoip_server *alloc_server(l2tpvoip_context *ctx, void *user)
{
    l2tpvoip_server *s = l2v_calloc(&ctx->env, 1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->ctx = ctx;
    s->user = user;
    l2v_list_init(&s->node);
    l2v_list_init(&s->assocs);
    l2v_list_init(&s->ended);
    l2v_list_init(&s->sockets);
    l2v_grave_init(&s->work);
    l2v_grave_init(&s->grave);
    l2v_event_init(&s->event, &s->user);
    s->event.server = s;
    l2v_server_timers_init(s);
    l2v_rate_init(&s->plain_rate, PLAIN_PER_SECOND, PLAIN_BURST, ctx->env.now_ns);
    return s;
}

static int start(l2tpvoip_server *s, const l2tpvoip_server_options *o)
{
    l2tpvoip_context *ctx = s->ctx;
    int rc = l2v_map_init(&s->plain, &ctx->env);
    rc = rc != 0 ? rc : copy_options(s, o);
    rc = rc != 0 ? rc : add_users(s, o);
    rc = rc != 0 ? rc : l2v_inet_new(&ctx->env, &s->inet);
    if (rc == 0 && wants_ipsec(s)) {
        rc = l2v_tunnel_ike_config(ctx, &o->ipsec, true, &s->ike_config);
    }
    if (rc != 0) {
        return rc;
    }
    l2v_tunnel_l2tp_config(&s->l2tp_config, &s->options.l2tp, ctx, true);
    if (wants_ipsec(s)) {
        rc = l2v_ike_listen(ctx->ike, s->ike_config,
                            o->half_open_max != 0 ? o->half_open_max : DEFAULT_HALF_OPEN);
        s->listening = rc == 0;
    }
    return rc;
}

/* The IKE engine has one responder policy. */
static bool other_ipsec_server(const l2tpvoip_context *ctx)
{
    L2V_LIST_EACH (pos, &ctx->servers) {
        const l2tpvoip_server *s = L2V_CONTAINER_OF(pos, l2tpvoip_server, node);
        if (s->listening) {
            return true;
        }
    }
    return false;
}

int l2v_server_new(l2tpvoip_context *ctx, const l2tpvoip_server_options *options,
                   l2tpvoip_server **ret_server)
{
    int rc = l2v_tunnel_check_server(ctx, options);
    if (rc != 0) {
        return rc;
    }
    if (options->ipsec.security == L2TPVOIP_SECURITY_IPSEC && other_ipsec_server(ctx)) {
        l2v_failure_set(&ctx->failure, L2TPVOIP_LAYER_CONFIG, L2TPVOIP_ERR_CONFIG, 0,
                        "Use one server with several keys, or a context of its own",
                        "This context has an IPsec server already");
        return L2TPVOIP_ERR_CONFIG;
    }
    l2tpvoip_server *s = alloc_server(ctx, options->user);
    if (s == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    rc = start(s, options);
    if (rc != 0) {
        stop_listening(s);
        l2v_server_destroy(s);
        return rc;
    }
    l2v_list_append(&ctx->servers, &s->node);
    rc = open_paths(s);
    if (rc != 0) {
        l2v_server_path_down(s, rc);
    } else {
        l2v_server_path_up(s);
    }
    *ret_server = s;
    return 0;
}
