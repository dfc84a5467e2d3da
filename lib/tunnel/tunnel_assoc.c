/* SPDX-License-Identifier: MIT */
/* Associations: IKE hands keys to ESP here, and L2TP meets its SAs.
 *
 * Invariant: with assoc->ipsec set, L2TP leaves only through assoc->out and arrives only through
 * l2v_assoc_input_esp. */
#include <stdio.h>
#include <string.h>

#include "base_addr.h"
#include "base_secure.h"
#include "l2v_tunnel.h"

static const char module[] = "association";

#define IPPROTO_UDP_ 17u
/* A new pair is asked for when this share of the volume or of the sequence numbers is used. */
#define SEQ_WATERMARK UINT64_C(0xC0000000)

static struct l2v_child *find_child(struct l2v_assoc *assoc, uint32_t spi_in)
{
    L2V_LIST_EACH (pos, &assoc->children) {
        struct l2v_child *child = L2V_CONTAINER_OF(pos, struct l2v_child, node);
        if (child->spi_in == spi_in) {
            return child;
        }
    }
    return NULL;
}

/* --- sending ------------------------------------------------------------------------------- */

static void send_outer(struct l2v_assoc *assoc, struct l2v_pkt *pkt)
{
    pkt->local = assoc->route.local;
    pkt->remote = assoc->route.remote;
    l2v_path_send(assoc->path, pkt);
}

static void ask_for_rekey(struct l2v_assoc *assoc, struct l2v_child *child)
{
    uint64_t out = l2v_esp_out_stats(child->out)->bytes, in = l2v_esp_in_stats(child->in)->bytes;
    uint64_t bytes = out > in ? out : in; /* each direction is an SA with that lifetime */
    bool by_seq = l2v_esp_out_seq(child->out) >= SEQ_WATERMARK;
    bool by_volume = child->lifetime_bytes != 0 && bytes >= child->lifetime_bytes / 10 * 8;
    if ((by_seq || by_volume) && !child->rekey_asked && assoc->peer != NULL) {
        child->rekey_asked = true;
        l2v_ike_child_rekey(assoc->peer, child->spi_in);
    }
}

static int send_in_sa(struct l2v_assoc *assoc, struct l2v_pkt *pkt, uint16_t peer_port)
{
    struct l2v_child *child = assoc->out;
    if (child == NULL) {
        return L2TPVOIP_ERR_STATE;
    }
    int rc = l2v_l2tp_udp_push(pkt, assoc->local_port, peer_port, &child->local_oa,
                               &child->remote_oa);
    if (rc == 0) {
        rc = l2v_esp_seal(child->out, pkt, IPPROTO_UDP_);
    }
    if (rc == 0) {
        send_outer(assoc, pkt);
        l2v_ike_peer_sent(assoc->peer);
        ask_for_rekey(assoc, child);
    }
    return rc;
}

static void on_l2tp_transmit(void *user, struct l2v_pkt *pkt, uint16_t peer_port, bool control)
{
    struct l2v_assoc *assoc = user;
    int rc = L2TPVOIP_ERR_STATE;
    (void)control;
    if (L2V_TAP_ON(&assoc->ctx->env, L2TPVOIP_TAP_L2TP)) {
        l2v_tap(&assoc->ctx->env, L2TPVOIP_TAP_L2TP, L2TPVOIP_TAP_OUT, &assoc->route.local,
                &assoc->route.remote, pkt->data, pkt->len);
    }
    if (assoc->ipsec && assoc->peer != NULL) {
        rc = send_in_sa(assoc, pkt, peer_port != 0 ? peer_port : assoc->remote_port);
    } else if (!assoc->ipsec && assoc->path != NULL) {
        if (peer_port != 0) {
            assoc->route.remote.port = peer_port; /* as its first reply has fixed it */
        }
        send_outer(assoc, pkt);
        rc = 0;
    }
    if (rc != 0) {
        assoc->ctx->stats.tx_errors++;
        l2v_pkt_free(pkt);
    }
}

/* --- L2TP upcalls ---------------------------------------------------------------------------- */

static void note_cc(struct l2v_assoc *assoc, struct l2v_l2tp_cc *cc)
{
    struct l2v_l2tp_cc **room = NULL;
    for (size_t i = 0; i < L2V_MAX_CC; i++) {
        if (assoc->ccs[i] == cc) {
            return;
        }
        if (assoc->ccs[i] == NULL) {
            room = &assoc->ccs[i];
        }
    }
    if (room != NULL) {
        *room = cc;
    }
}

static void forget_cc(struct l2v_assoc *assoc, const struct l2v_l2tp_cc *cc)
{
    for (size_t i = 0; i < L2V_MAX_CC; i++) {
        if (assoc->ccs[i] == cc) {
            assoc->ccs[i] = NULL;
        }
    }
}

static void on_cc_up(void *user, struct l2v_l2tp_cc *cc)
{
    struct l2v_assoc *assoc = user;
    note_cc(assoc, cc);
    if (!assoc->closing) {
        assoc->ops->cc_up(assoc, cc);
    }
}

static void on_cc_down(void *user, struct l2v_l2tp_cc *cc, const l2tpvoip_failure *f)
{
    struct l2v_assoc *assoc = user;
    forget_cc(assoc, cc);
    if (!assoc->closing) {
        assoc->ops->cc_down(assoc, cc, f);
    }
}

static int on_session_request(void *user, struct l2v_l2tp_session *s)
{
    struct l2v_assoc *assoc = user;
    /* rfc2661#4.4.2: 4 = no resources now */
    return assoc->closing ? 4 : assoc->ops->session_request(assoc, s);
}

static void on_session_up(void *user, struct l2v_l2tp_session *call)
{
    l2tpvoip_session *s = l2v_l2tp_session_get_user(call);
    (void)user;
    if (s != NULL) {
        l2v_session_start(s);
    }
}

static void on_session_down(void *user, struct l2v_l2tp_session *call, const l2tpvoip_failure *f)
{
    l2tpvoip_session *s = l2v_l2tp_session_get_user(call);
    (void)user;
    if (s != NULL) {
        s->call = NULL;
        l2v_session_fail(s, f);
    }
}

static void on_session_data(void *user, struct l2v_l2tp_session *call, struct l2v_pkt *pkt)
{
    struct l2v_assoc *assoc = user;
    l2tpvoip_session *s = l2v_l2tp_session_get_user(call);
    if (s == NULL || s->ppp == NULL || s->down) {
        assoc->ctx->stats.rx_unknown++;
        return;
    }
    if (L2V_TAP_ON(&assoc->ctx->env, L2TPVOIP_TAP_PPP)) {
        l2v_tap(&assoc->ctx->env, L2TPVOIP_TAP_PPP, L2TPVOIP_TAP_IN, &assoc->route.local,
                &assoc->route.remote, pkt->data, pkt->len);
    }
    l2v_ppp_heard(s->ppp);
    if (l2v_ppp_input(s->ppp, pkt) == L2TPVOIP_ERR_MALFORMED) {
        assoc->ctx->stats.rx_malformed++;
    }
}

static const struct l2v_l2tp_ops l2tp_ops = {
    .transmit = on_l2tp_transmit,
    .cc_up = on_cc_up,
    .cc_down = on_cc_down,
    .session_request = on_session_request,
    .session_up = on_session_up,
    .session_down = on_session_down,
    .session_data = on_session_data,
};

/* --- receiving --------------------------------------------------------------------------------- */

static void input_l2tp(struct l2v_assoc *assoc, struct l2v_pkt *pkt, uint16_t peer_port)
{
    l2tpvoip_context *ctx = assoc->ctx;
    if (L2V_TAP_ON(&ctx->env, L2TPVOIP_TAP_L2TP)) {
        l2v_tap(&ctx->env, L2TPVOIP_TAP_L2TP, L2TPVOIP_TAP_IN, &assoc->route.local,
                &assoc->route.remote, pkt->data, pkt->len);
    }
    assoc->last_rx_ns = ctx->env.now_ns;
    int rc = l2v_l2tp_input(assoc->l2tp, pkt, peer_port, assoc->ipsec);
    if (rc == L2TPVOIP_ERR_MALFORMED) {
        ctx->stats.rx_malformed++;
    } else if (rc == L2TPVOIP_ERR_NOT_FOUND) {
        ctx->stats.rx_unknown++;
    } else if (rc != 0) {
        ctx->stats.rx_policy++;
    }
}

static bool follows_rebinding(const struct l2v_assoc *assoc, const struct l2v_ike_route *route)
{
    return (l2v_ike_peer_get_nat(assoc->peer) & L2TPVOIP_NAT_REMOTE) != 0 &&
           !l2v_addr_equal(&route->remote, &assoc->route.remote);
}

static void note_child_heard(struct l2v_assoc *assoc, struct l2v_child *child,
                             const struct l2v_ike_route *route, bool newest)
{
    if (!child->heard) {
        child->heard = true;
        l2v_ike_child_used(assoc->peer, child->spi_in);
    }
    if (assoc->peer == NULL) {
        return;
    }
    l2v_ike_peer_heard(assoc->peer);
    /* A delayed copy must not steer the stream: only the newest packet moves the peer. */
    if (newest && follows_rebinding(assoc, route)) {
        l2v_ike_peer_move(assoc->peer, route);
    }
    if (child->lifetime_bytes != 0) {
        ask_for_rekey(assoc, child);
    }
}

void l2v_assoc_input_esp(struct l2v_child *child, struct l2v_pkt *pkt,
                         const struct l2v_ike_route *route)
{
    struct l2v_assoc *assoc = child->assoc;
    uint8_t next_header = 0;
    uint16_t peer_port = 0, own_port = 0;
    bool newest = false;
    if (assoc->dead || assoc->peer == NULL) {
        return;
    }
    if (l2v_esp_open(child->in, pkt, &next_header, &newest) != 0) {
        return; /* counted by the SA */
    }
    note_child_heard(assoc, child, route, newest);
    if (assoc->dead || next_header == 59) { /* rfc4303#2.6: dummy packet */
        return;
    }
    if (next_header != IPPROTO_UDP_ || l2v_l2tp_udp_pull(pkt, &peer_port, &own_port) != 0) {
        assoc->ctx->stats.rx_malformed++;
        return;
    }
    /* rfc4301#5.2: what came out of the SA must fit its selectors. */
    if (own_port != assoc->local_port ||
        (child->remote_port != 0 && child->remote_port != peer_port)) {
        assoc->ctx->stats.rx_policy++;
        return;
    }
    input_l2tp(assoc, pkt, peer_port);
}

void l2v_assoc_input_plain(struct l2v_assoc *assoc, struct l2v_pkt *pkt)
{
    if (assoc->ipsec || assoc->dead) {
        assoc->ctx->stats.rx_policy++;
        return;
    }
    input_l2tp(assoc, pkt, pkt->remote.port);
}

/* --- SAs ------------------------------------------------------------------------------------------- */

static void add_stats(struct l2v_esp_stats *sum, const struct l2v_esp_stats *s)
{
    sum->packets += s->packets;
    sum->bytes += s->bytes;
    sum->malformed += s->malformed;
    sum->integrity += s->integrity;
    sum->replayed += s->replayed;
    sum->late += s->late;
    sum->reordered += s->reordered;
    sum->lost += s->lost;
    sum->missing += s->missing;
}

static void destroy_child(void *obj)
{
    struct l2v_child *child = obj;
    l2v_esp_in_free(child->in);
    l2v_esp_out_free(child->out);
    l2v_free(&child->ctx->env, child);
}

static void unlink_child(struct l2v_child *child)
{
    struct l2v_assoc *assoc = child->assoc;
    add_stats(&assoc->past, l2v_esp_in_stats(child->in));
    l2v_map_remove(&child->ctx->spis, &child->by_spi);
    l2v_list_remove(&child->node);
    if (assoc->out == child) {
        assoc->out = NULL;
    }
}

static int make_sas(struct l2v_assoc *assoc, const struct l2v_ike_child *c, struct l2v_child *child)
{
    l2tpvoip_context *ctx = assoc->ctx;
    struct l2v_esp_params in = {.spi = c->spi_in, .suite = c->suite, .enc_key = c->enc_in,
        .enc_key_len = c->enc_len, .auth_key = c->auth_in, .auth_key_len = c->auth_len,
        .esn = c->esn, .replay_window = c->replay_window};
    struct l2v_esp_params out = {.spi = c->spi_out, .suite = c->suite, .enc_key = c->enc_out,
        .enc_key_len = c->enc_len, .auth_key = c->auth_out, .auth_key_len = c->auth_len,
        .esn = c->esn};
    int rc = l2v_esp_in_new(&ctx->env, ctx->crypto, &in, &child->in);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_esp_out_new(&ctx->env, ctx->crypto, &out, &child->out);
    if (rc != 0) {
        l2v_esp_in_free(child->in);
    }
    return rc;
}

static void use_child(struct l2v_assoc *assoc, struct l2v_child *child)
{
    bool first = !assoc->secured;
    l2v_log(&child->ctx->env, L2TPVOIP_LOG_INFO, module, "IPsec SA %08x is in use", child->spi_in);
    if (!first) {
        assoc->rekeys_child++;
    }
    assoc->secured = true;
    child->confirmed = true;
    assoc->out = child;
    assoc->remote_port = assoc->server != NULL && child->remote_port != 0 ? child->remote_port
                                                                         : assoc->remote_port;
    l2v_assoc_update_mtu(assoc);
    if (first) {
        assoc->ops->secured(assoc);
    } else {
        assoc->ops->rekeyed(assoc, false);
    }
}

static int on_child_up(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_child *c)
{
    struct l2v_assoc *assoc = l2v_ike_peer_get_user(peer);
    l2tpvoip_context *ctx = user;
    if (assoc == NULL || assoc->dead) {
        return L2TPVOIP_ERR_STATE;
    }
    struct l2v_child *child = l2v_calloc(&ctx->env, 1, sizeof *child);
    if (child == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    int rc = make_sas(assoc, c, child);
    if (rc != 0) {
        l2v_free(&ctx->env, child);
        return rc;
    }
    child->assoc = assoc;
    child->ctx = ctx;
    l2v_grave_init(&child->grave);
    child->spi_in = c->spi_in;
    child->suite = c->suite;
    child->key_bits = (uint16_t)(8u * (c->enc_len - l2v_suite_get(c->suite)->salt_len));
    child->local_port = c->local_port;
    child->remote_port = c->remote_port;
    child->local_oa = c->local_oa;
    child->remote_oa = c->remote_oa;
    child->lifetime_bytes = c->lifetime_bytes;
    child->udp_encap = c->udp_encap;
    l2v_map_insert(&ctx->spis, &child->by_spi, c->spi_in);
    l2v_list_append(&assoc->children, &child->node);
    l2v_log(&ctx->env, L2TPVOIP_LOG_INFO, module, "IPsec SA %08x/%08x: %s%s%s", c->spi_in,
            c->spi_out, l2v_suite_get(c->suite)->name, c->initiator ? ", ours" : ", the peer's",
            c->confirmed ? "" : ", unconfirmed");
    /* A first pair has no predecessor to send with meanwhile. */
    if (c->confirmed || assoc->out == NULL) {
        use_child(assoc, child);
    }
    return 0;
}

static void on_child_confirmed(void *user, struct l2v_ike_peer *peer, uint32_t spi_in)
{
    struct l2v_assoc *assoc = l2v_ike_peer_get_user(peer);
    struct l2v_child *child = assoc != NULL ? find_child(assoc, spi_in) : NULL;
    (void)user;
    if (child != NULL && !child->confirmed) {
        use_child(assoc, child);
    }
}

static void on_child_down(void *user, struct l2v_ike_peer *peer, uint32_t spi_in)
{
    struct l2v_assoc *assoc = l2v_ike_peer_get_user(peer);
    struct l2v_child *child = assoc != NULL ? find_child(assoc, spi_in) : NULL;
    (void)user;
    if (child == NULL) {
        return;
    }
    l2v_log(&child->ctx->env, L2TPVOIP_LOG_INFO, module, "IPsec SA %08x is removed", spi_in);
    unlink_child(child);
    l2v_bury(child->ctx, &child->grave, destroy_child, child); /* it may be opening a packet */
    if (assoc->out == NULL && !l2v_list_is_empty(&assoc->children)) {
        assoc->out = L2V_CONTAINER_OF(assoc->children.prev, struct l2v_child, node);
    }
}

/* --- IKE upcalls ------------------------------------------------------------------------------------- */

static void send_ike(l2tpvoip_context *ctx, const struct l2v_ike_route *route, struct l2v_pkt *pkt)
{
    struct l2v_path *path = l2v_path_find(ctx, route->path_id);
    uint8_t *marker = route->marker ? l2v_pkt_push(pkt, 4) : NULL;
    if (path == NULL || (route->marker && marker == NULL)) {
        l2v_pkt_free(pkt);
        return;
    }
    if (marker != NULL) {
        memset(marker, 0, 4);
    }
    pkt->local = route->local;
    pkt->remote = route->remote;
    l2v_path_send(path, pkt);
}

static void on_ike_transmit(void *user, const struct l2v_ike_route *route, struct l2v_pkt *pkt)
{
    send_ike(user, route, pkt);
}

static void on_keepalive(void *user, const struct l2v_ike_route *route)
{
    l2tpvoip_context *ctx = user;
    static const uint8_t keepalive = 0xff; /* rfc3948#2.3 */
    struct l2v_path *path = l2v_path_find(ctx, route->path_id);
    struct l2v_pkt *pkt = path != NULL ? l2v_pkt_copy(&ctx->env, &keepalive, 1) : NULL;
    if (pkt != NULL) {
        pkt->local = route->local;
        pkt->remote = route->remote;
        l2v_path_send(path, pkt);
    }
}

static int on_new_spi(void *user, uint32_t *ret_spi)
{
    l2tpvoip_context *ctx = user;
    for (int i = 0; i < 64; i++) {
        uint32_t spi = 0;
        int rc = l2v_random_u32(&ctx->env, &spi);
        if (rc != 0) {
            return rc;
        }
        if (ctx->shard_bits != 0) {
            spi = (spi & (UINT32_MAX >> ctx->shard_bits)) | ctx->shard << (32 - ctx->shard_bits);
        }
        if (spi > 255 && l2v_map_find(&ctx->spis, spi) == NULL) { /* rfc4303#2.1 */
            *ret_spi = spi;
            return 0;
        }
    }
    return L2TPVOIP_ERR_CRYPTO;
}

static void on_free_spi(void *user, uint32_t spi)
{
    (void)user;
    (void)spi; /* SPIs are random and unique at installation: nothing is reserved */
}

static void take_route(struct l2v_assoc *assoc, const struct l2v_ike_route *route)
{
    assoc->route = *route;
    assoc->path = l2v_path_find(assoc->ctx, route->path_id);
}

static void on_peer_up(void *user, struct l2v_ike_peer *peer, bool again)
{
    struct l2v_assoc *assoc = l2v_ike_peer_get_user(peer);
    (void)user;
    if (assoc == NULL || assoc->dead) {
        return;
    }
    take_route(assoc, l2v_ike_peer_get_route(peer));
    if (again) {
        assoc->rekeys_ike++;
        assoc->ops->rekeyed(assoc, true);
    } else {
        assoc->ops->phase1(assoc);
    }
}

static void on_peer_down(void *user, struct l2v_ike_peer *peer, const l2tpvoip_failure *f)
{
    struct l2v_assoc *assoc = l2v_ike_peer_get_user(peer);
    (void)user;
    if (assoc == NULL || assoc->dead) {
        return;
    }
    assoc->peer = NULL;
    assoc->out = NULL;
    assoc->ops->down(assoc, f);
}

static void on_peer_moved(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_route *route)
{
    struct l2v_assoc *assoc = l2v_ike_peer_get_user(peer);
    (void)user;
    if (assoc == NULL || assoc->dead) {
        return;
    }
    l2tpvoip_addr old = assoc->route.remote;
    take_route(assoc, route);
    if (!l2v_addr_equal(&old, &route->remote)) {
        assoc->ops->moved(assoc, &old);
    }
}

static int on_peer_accept(void *user, struct l2v_ike_peer *peer, void **ret_peer_user)
{
    return l2v_server_accept(user, peer, ret_peer_user);
}

const struct l2v_ike_ops l2v_assoc_ike_ops = {
    .transmit = on_ike_transmit,
    .keepalive = on_keepalive,
    .new_spi = on_new_spi,
    .free_spi = on_free_spi,
    .peer_accept = on_peer_accept,
    .peer_up = on_peer_up,
    .peer_down = on_peer_down,
    .peer_moved = on_peer_moved,
    .child_up = on_child_up,
    .child_confirmed = on_child_confirmed,
    .child_down = on_child_down,
};

/* --- life ---------------------------------------------------------------------------------------------- */

int l2v_assoc_new(l2tpvoip_context *ctx, const struct l2v_assoc_ops *ops, bool ipsec,
                  const struct l2v_l2tp_config *config, struct l2v_assoc **ret_assoc)
{
    struct l2v_assoc *assoc = l2v_calloc(&ctx->env, 1, sizeof *assoc);
    if (assoc == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    assoc->ctx = ctx;
    assoc->ops = ops;
    assoc->ipsec = ipsec;
    assoc->local_port = assoc->remote_port = L2V_L2TP_PORT;
    l2v_list_init(&assoc->node);
    l2v_list_init(&assoc->children);
    l2v_list_init(&assoc->sessions);
    l2v_grave_init(&assoc->work);
    l2v_grave_init(&assoc->grave);
    l2v_assoc_timers_init(assoc);
    int rc = l2v_l2tp_new(&ctx->env, ctx->crypto, config, &l2tp_ops, assoc, &assoc->l2tp);
    if (rc != 0) {
        l2v_free(&ctx->env, assoc);
        return rc;
    }
    *ret_assoc = assoc;
    return 0;
}

static void destroy_assoc(void *obj)
{
    struct l2v_assoc *assoc = obj;
    l2v_l2tp_free(assoc->l2tp); /* first: it may hold packets, never an SA */
    while (!l2v_list_is_empty(&assoc->children)) {
        struct l2v_child *child = L2V_CONTAINER_OF(assoc->children.next, struct l2v_child, node);
        unlink_child(child);
        destroy_child(child);
    }
    l2v_free(&assoc->ctx->env, assoc);
}

static void end_sessions(struct l2v_assoc *assoc, const l2tpvoip_failure *f)
{
    static const l2tpvoip_failure none; /* zero: closed by us */
    while (!l2v_list_is_empty(&assoc->sessions)) {
        l2tpvoip_session *s = L2V_CONTAINER_OF(assoc->sessions.next, l2tpvoip_session, node);
        l2v_session_fail(s, f != NULL ? f : &none);
        l2v_session_end(s);
    }
}

int l2v_assoc_connect(struct l2v_assoc *assoc, struct l2v_l2tp_cc **ret_cc)
{
    int rc = l2v_l2tp_connect(assoc->l2tp, ret_cc);
    if (rc == 0) {
        note_cc(assoc, *ret_cc);
    }
    return rc;
}

static void stop_timers(struct l2v_assoc *assoc)
{
    l2v_assoc_timers_stop(assoc);
    l2v_defer_cancel(&assoc->work);
    l2v_list_remove(&assoc->node);
}

void l2v_assoc_close(struct l2v_assoc *assoc, const l2tpvoip_failure *f)
{
    if (assoc == NULL || assoc->dead) {
        return;
    }
    assoc->closing = true;
    end_sessions(assoc, f);
    for (size_t i = 0; i < L2V_MAX_CC; i++) {
        struct l2v_l2tp_cc *cc = assoc->ccs[i];
        assoc->ccs[i] = NULL;
        if (cc != NULL) {
            l2v_l2tp_cc_close(cc, 6); /* rfc2661#4.4.2: requester is being shut down */
        }
    }
    assoc->dead = true;
    stop_timers(assoc);
    if (assoc->peer != NULL) {
        l2v_ike_peer_close(assoc->peer);
        assoc->peer = NULL;
    }
    assoc->out = NULL;
    l2v_bury(assoc->ctx, &assoc->grave, destroy_assoc, assoc);
}

void l2v_assoc_free(struct l2v_assoc *assoc)
{
    while (!l2v_list_is_empty(&assoc->sessions)) {
        l2v_session_free(L2V_CONTAINER_OF(assoc->sessions.next, l2tpvoip_session, node));
    }
    stop_timers(assoc);
    destroy_assoc(assoc);
}

void l2v_assoc_update_mtu(struct l2v_assoc *assoc)
{
    L2V_LIST_EACH (pos, &assoc->sessions) {
        l2v_session_update_mtu(L2V_CONTAINER_OF(pos, l2tpvoip_session, node));
    }
}

void l2v_assoc_probe(struct l2v_assoc *assoc)
{
    if (assoc->peer != NULL) {
        l2v_ike_peer_probe(assoc->peer);
    }
    L2V_LIST_EACH (pos, &assoc->sessions) {
        l2tpvoip_session *s = L2V_CONTAINER_OF(pos, l2tpvoip_session, node);
        if (s->up && !s->down) {
            l2v_ppp_probe(s->ppp);
        }
    }
}

void l2v_assoc_esp_stats(const struct l2v_assoc *assoc, struct l2v_esp_stats *ret)
{
    *ret = assoc->past;
    L2V_LIST_EACH (pos, &assoc->children) {
        add_stats(ret, l2v_esp_in_stats(L2V_CONTAINER_OF(pos, struct l2v_child, node)->in));
    }
}

void l2v_assoc_describe_esp(const struct l2v_assoc *assoc, char *text, size_t size)
{
    static const char aes[] = "AES-";
    const struct l2v_child *child = assoc->out;
    const char *name = child != NULL ? l2v_suite_get(child->suite)->name : "none";
    if (child != NULL && strncmp(name, aes, sizeof aes - 1) == 0) {
        (void)snprintf(text, size, "%s%u-%s", aes, child->key_bits, name + sizeof aes - 1);
    } else {
        (void)snprintf(text, size, "%s", name);
    }
}

void l2v_assoc_encaps(const struct l2v_assoc *assoc, struct l2v_voip_encaps *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->outer_ipv6 = assoc->route.remote.family == 6;
    ret->esp = assoc->ipsec;
    ret->udp_encap = assoc->ipsec; /* userspace cannot send IP protocol 50 */
    const struct l2v_suite_info *suite =
        assoc->out != NULL ? l2v_suite_get(assoc->out->suite) : NULL;
    if (suite != NULL) {
        ret->esp_block = suite->block;
        ret->esp_iv = suite->iv_len;
        ret->esp_icv = suite->icv_len;
    }
}
