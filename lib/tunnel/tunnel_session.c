/* SPDX-License-Identifier: MIT */
/* Sessions: one PPP link over one L2TP call, with the inner network on top and the class queues in
 * front of the SA. */
#include <string.h>

#include "base_addr.h"
#include "base_wire.h"
#include "l2v_tunnel.h"

/* Packets of one session that are sealed before the next session has its turn. */
#define DRAIN_QUANTUM 16u
#define MIN_MTU 576u
#define SIP_UDP_MARGIN 200u /* rfc3261#18.1.1 */
#define CDN_ADMINISTRATIVE 3u /* rfc2661#4.4.2 */
#define CDN_LOSS_OF_CARRIER 1u

static unsigned ip_family(const struct l2v_pkt *pkt)
{
    return pkt->len > 0 ? pkt->data[0] >> 4 : 0;
}

static uint8_t ip_tos(const struct l2v_pkt *pkt)
{
    if (pkt->len < 20) {
        return 0;
    }
    if (ip_family(pkt) != 6) {
        return pkt->data[1];
    }
    return (uint8_t)((l2v_get_u16(pkt->data) >> 4) & 0xffu);
}

static void tap_inner(l2tpvoip_session *s, uint32_t direction, const struct l2v_pkt *pkt)
{
    if (L2V_TAP_ON(&s->ctx->env, L2TPVOIP_TAP_INNER)) {
        l2v_tap(&s->ctx->env, L2TPVOIP_TAP_INNER, direction, &pkt->local, &pkt->remote, pkt->data,
                pkt->len);
    }
}

/* --- down the stack -------------------------------------------------------------------------- */

static void on_inet_transmit(void *user, struct l2v_pkt *pkt, int family)
{
    l2tpvoip_session *s = user;
    (void)family;
    if (s->down || !s->up) {
        l2v_pkt_free(pkt);
        return;
    }
    uint8_t tos = ip_tos(pkt);
    pkt->tos = l2v_voip_outer_tos(tos);
    if (pkt->klass == L2TPVOIP_CLASS_AUTO || pkt->klass > L2TPVOIP_CLASS_BULK) {
        pkt->klass = l2v_voip_classify(tos);
    }
    l2v_voip_queue_push(&s->queue, pkt, s->ctx->env.now_ns);
    if (l2v_list_is_empty(&s->ready_node)) {
        l2v_list_append(&s->ctx->ready, &s->ready_node);
    }
}

static const struct l2v_inet_if_ops inet_ops = {.transmit = on_inet_transmit};

static void send_one(l2tpvoip_session *s, struct l2v_pkt *pkt)
{
    uint64_t len = pkt->len;
    uint16_t protocol = ip_family(pkt) == 6 ? L2V_PPP_IPV6 : L2V_PPP_IPV4;
    tap_inner(s, L2TPVOIP_TAP_OUT, pkt);
    if (l2v_ppp_output(s->ppp, pkt, protocol) == 0) {
        s->stats.tx_packets++;
        s->stats.tx_bytes += len;
    }
}

bool l2v_session_drain(l2tpvoip_session *s)
{
    unsigned n = 0;
    bool media = false;
    while (n < DRAIN_QUANTUM && !s->down && s->assoc->path != NULL &&
           !l2v_path_is_full(s->assoc->path)) {
        struct l2v_pkt *pkt = l2v_voip_queue_pop(&s->queue, s->ctx->env.now_ns);
        if (pkt == NULL) {
            break;
        }
        media = media || pkt->klass == L2TPVOIP_CLASS_VOICE;
        send_one(s, pkt);
        n++;
    }
    if (media && !s->down) {
        l2v_assoc_timers_media(s->assoc);
    }
    /* Its turn is over: behind the others, or out of the list. */
    l2v_list_remove(&s->ready_node);
    if (!s->down && !l2v_voip_queue_is_empty(&s->queue)) {
        l2v_list_append(&s->ctx->ready, &s->ready_node);
    }
    return n > 0;
}

static void on_ppp_transmit(void *user, struct l2v_pkt *pkt)
{
    l2tpvoip_session *s = user;
    if (s->call == NULL || s->assoc == NULL) {
        l2v_pkt_free(pkt);
        return;
    }
    if (L2V_TAP_ON(&s->ctx->env, L2TPVOIP_TAP_PPP)) {
        l2v_tap(&s->ctx->env, L2TPVOIP_TAP_PPP, L2TPVOIP_TAP_OUT, &s->assoc->route.local,
                &s->assoc->route.remote, pkt->data, pkt->len);
    }
    (void)l2v_l2tp_session_output(s->call, pkt);
}

/* --- PPP upcalls -------------------------------------------------------------------------------- */

static void on_ppp_phase(void *user, enum l2v_ppp_phase phase)
{
    l2tpvoip_session *s = user;
    if (!s->down && s->assoc != NULL) {
        s->assoc->ops->session_phase(s, phase);
    }
}

static void note_address_change(l2tpvoip_session *s, const l2tpvoip_addr *local4)
{
    if (!s->announced || l2v_addr_equal_ip(&s->local4, local4)) {
        return;
    }
    if ((s->event.pending >> L2TPVOIP_EVENT_ADDRESS_CHANGED & 1u) == 0) {
        s->event.old_addr = s->local4; /* of several the first counts */
    }
    s->event.new_addr = *local4;
    l2v_event_post(s->ctx, &s->event, L2TPVOIP_EVENT_ADDRESS_CHANGED);
}

static void on_ppp_up(void *user, const struct l2v_ppp_result *result)
{
    l2tpvoip_session *s = user;
    if (s->down || s->assoc == NULL || s->nif == NULL) {
        return;
    }
    l2v_inet_if_set_address(s->nif, &result->local4, &result->remote4, &result->local6,
                            &result->remote6);
    s->up = true;
    l2v_session_update_mtu(s);
    note_address_change(s, &result->local4);
    s->local4 = result->local4;
    /* IPV6CP is often the faster one: a program that speaks IPv4 wants to hear of the session when
     * it has an address, but not to wait for a peer that gives none. */
    if (s->local4.family != 0 || s->only_ipv6) {
        l2v_session_announce(s);
    } else if (!s->told) {
        l2v_session_timers_ncp(s);
    }
}

void l2v_session_announce(l2tpvoip_session *s)
{
    bool first = !s->told;
    l2v_session_timers_stop(s);
    if (!s->down && s->assoc != NULL) {
        s->told = true;
        s->assoc->ops->session_up(s, first);
    }
}

static void on_ppp_down(void *user, const l2tpvoip_failure *f)
{
    l2v_session_fail(user, f);
}

static void on_ppp_input(void *user, struct l2v_pkt *pkt, uint16_t protocol)
{
    l2tpvoip_session *s = user;
    if (s->down || s->nif == NULL) {
        return;
    }
    s->stats.rx_packets++;
    s->stats.rx_bytes += pkt->len;
    tap_inner(s, L2TPVOIP_TAP_IN, pkt);
    if (l2v_inet_input(s->nif, pkt, protocol == L2V_PPP_IPV6 ? 6 : 4) == L2TPVOIP_ERR_MALFORMED) {
        s->ctx->stats.rx_malformed++;
    }
}

static int on_ppp_get_password(void *user, const char *name, size_t name_len,
                               const uint8_t **ret_password, size_t *ret_len)
{
    l2tpvoip_session *s = user;
    if (s->server == NULL) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    return l2v_aaa_users_find(s->server->users, name, name_len, ret_password, ret_len, NULL);
}

static int on_ppp_get_address(void *user, const char *name, size_t name_len, l2tpvoip_addr *ret_ip)
{
    l2tpvoip_session *s = user;
    return s->server != NULL ? l2v_server_get_address(s, name, name_len, ret_ip)
                             : L2TPVOIP_ERR_STATE;
}

static void on_ppp_need_credentials(void *user)
{
    l2tpvoip_session *s = user;
    if (s->tunnel != NULL) {
        l2v_client_need_credentials(s->tunnel);
    }
}

static const struct l2v_ppp_ops ppp_ops = {
    .transmit = on_ppp_transmit,
    .phase = on_ppp_phase,
    .up = on_ppp_up,
    .down = on_ppp_down,
    .input = on_ppp_input,
    .get_password = on_ppp_get_password,
    .get_address = on_ppp_get_address,
    .need_credentials = on_ppp_need_credentials,
};

/* --- life ------------------------------------------------------------------------------------------ */

static void destroy_session(void *obj)
{
    l2tpvoip_session *s = obj;
    l2tpvoip_context *ctx = s->ctx;
    if (ctx->dying == s) {
        ctx->dying = NULL;
    }
    l2v_event_cancel(&s->event);
    l2v_list_remove(&s->ready_node);
    l2v_list_remove(&s->node);
    l2v_defer_cancel(&s->work);
    l2v_session_timers_stop(s);
    l2v_session_end_pings(s, false);
    while (!l2v_list_is_empty(&s->sockets)) {
        l2v_socket_free(L2V_CONTAINER_OF(s->sockets.next, l2tpvoip_socket, node));
    }
    if (s->server != NULL) {
        L2V_LIST_EACH (pos, &s->server->sockets) {
            l2v_socket_forget_session(L2V_CONTAINER_OF(pos, l2tpvoip_socket, node), s);
        }
    }
    l2v_voip_queue_clear(&s->queue);
    l2v_ppp_free(s->ppp);
    if (s->nif != NULL) {
        l2v_inet_if_free(s->nif);
    }
    if (s->own_inet) {
        l2v_inet_free(s->inet);
    }
    l2v_free(&ctx->env, s);
}

static void init_lists(l2tpvoip_session *s)
{
    l2v_list_init(&s->node);
    l2v_list_init(&s->ready_node);
    l2v_list_init(&s->sockets);
    l2v_list_init(&s->pings);
    l2v_grave_init(&s->work);
    l2v_grave_init(&s->grave);
    l2v_event_init(&s->event, &s->user);
    s->event.session = s;
    s->event.tunnel = s->tunnel;
    s->event.server = s->server;
    l2v_voip_queue_init(&s->queue);
}

int l2v_session_new(struct l2v_assoc *assoc, struct l2v_l2tp_session *call,
                    const struct l2v_ppp_config *config, struct l2v_inet *inet,
                    l2tpvoip_session **ret_session)
{
    l2tpvoip_context *ctx = assoc->ctx;
    l2tpvoip_session *s = l2v_calloc(&ctx->env, 1, sizeof *s);
    if (s == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    s->ctx = ctx;
    s->tunnel = assoc->tunnel;
    s->server = assoc->server;
    s->inet = inet;
    s->only_ipv6 = (config->flags & L2TPVOIP_PPP_NO_IPV4) != 0;
    init_lists(s);
    l2v_session_timers_init(s);
    int rc = 0;
    if (inet == NULL) {
        rc = l2v_inet_new(&ctx->env, &s->inet);
        s->own_inet = rc == 0;
    }
    if (rc == 0) {
        rc = l2v_inet_if_new(s->inet, &inet_ops, s, &s->nif);
    }
    if (rc == 0) {
        rc = l2v_ppp_new(&ctx->env, ctx->crypto, config, &ppp_ops, s, &s->ppp);
    }
    if (rc != 0) {
        destroy_session(s);
        return rc;
    }
    s->assoc = assoc;
    s->call = call;
    l2v_l2tp_session_set_user(call, s);
    l2v_list_append(&assoc->sessions, &s->node);
    *ret_session = s;
    return 0;
}

void l2v_session_start(l2tpvoip_session *s)
{
    if (!s->down) {
        l2v_ppp_start(s->ppp);
    }
}

static void end_deferred(void *obj)
{
    l2v_session_end(obj);
}

void l2v_session_fail(l2tpvoip_session *s, const l2tpvoip_failure *f)
{
    if (s->down) {
        return;
    }
    s->down = true;
    s->failure = *f;
    l2v_list_remove(&s->ready_node);
    l2v_defer(s->ctx, &s->work, end_deferred, s);
}

void l2v_session_end(l2tpvoip_session *s)
{
    struct l2v_assoc *assoc = s->assoc;
    if (s->ended) {
        return;
    }
    s->ended = s->down = true;
    l2v_session_timers_stop(s);
    l2v_defer_cancel(&s->work);
    l2v_list_remove(&s->ready_node);
    l2v_voip_queue_clear(&s->queue);
    l2v_session_end_pings(s, true);
    L2V_LIST_EACH (pos, &s->sockets) {
        l2v_socket_orphan(L2V_CONTAINER_OF(pos, l2tpvoip_socket, node));
    }
    if (s->nif != NULL) {
        l2v_inet_if_free(s->nif);
        s->nif = NULL;
    }
    if (s->call != NULL) {
        struct l2v_l2tp_session *call = s->call;
        s->call = NULL;
        l2v_l2tp_session_set_user(call, NULL);
        l2v_l2tp_session_close(call, s->failure.code == 0 ? CDN_ADMINISTRATIVE
                                                          : CDN_LOSS_OF_CARRIER);
    }
    l2v_list_remove(&s->node);
    if (assoc != NULL) {
        l2v_session_get_stats(s, &s->stats); /* they outlive the association */
        assoc->ops->session_down(s, &s->failure);
        s->assoc = NULL;
    }
}

void l2v_session_bury(l2tpvoip_session *s)
{
    l2v_bury(s->ctx, &s->grave, destroy_session, s);
}

void l2v_session_free(l2tpvoip_session *s)
{
    l2v_list_remove(&s->grave.node);
    destroy_session(s);
}

/* --- what a program asks ------------------------------------------------------------------------------ */

void l2v_session_update_mtu(l2tpvoip_session *s)
{
    struct l2v_voip_encaps encaps;
    if (s->assoc == NULL || s->call == NULL || s->nif == NULL) {
        return;
    }
    l2v_assoc_encaps(s->assoc, &encaps);
    encaps.l2tp = (uint8_t)l2v_l2tp_session_overhead(s->call);
    encaps.ppp = (uint8_t)l2v_ppp_overhead(s->ppp);
    uint32_t mtu = l2v_voip_inner_mtu(&encaps, s->assoc->path_mtu);
    uint32_t peer_mru = s->up ? l2v_ppp_get_result(s->ppp)->peer_mru : 0;
    if (peer_mru != 0 && peer_mru < mtu) {
        mtu = peer_mru; /* rfc1661#6.1 */
    }
    s->mtu = mtu > MIN_MTU ? mtu : MIN_MTU;
    l2v_inet_if_set_mtu(s->nif, s->mtu);
}

static void copy_text(char *dst, size_t size, const char *src)
{
    size_t len = strlen(src);
    len = len < size ? len : size - 1;
    memcpy(dst, src, len);
    dst[len] = 0;
}

void l2v_session_get_info(const l2tpvoip_session *s, l2tpvoip_session_info *info)
{
    const struct l2v_ppp_result *r = l2v_ppp_get_result(s->ppp);
    const struct l2v_assoc *assoc = s->assoc;
    info->mtu = s->mtu;
    info->local4 = r->local4;
    info->remote4 = r->remote4;
    info->local6 = r->local6;
    info->remote6 = r->remote6;
    memcpy(info->dns, r->dns, sizeof info->dns);
    info->sip_udp_limit = s->mtu > SIP_UDP_MARGIN ? s->mtu - SIP_UDP_MARGIN : 0;
    copy_text(info->user, sizeof info->user, s->server != NULL ? r->user : "");
    copy_text(info->ike, sizeof info->ike, "none");
    copy_text(info->esp, sizeof info->esp, "none");
    if (assoc == NULL) {
        return;
    }
    info->outer_local = assoc->route.local;
    info->outer_remote = assoc->route.remote;
    if (assoc->peer != NULL) {
        info->nat = l2v_ike_peer_get_nat(assoc->peer);
        l2v_ike_peer_describe(assoc->peer, info->ike, sizeof info->ike);
    }
    l2v_assoc_describe_esp(assoc, info->esp, sizeof info->esp);
}

void l2v_session_get_stats(const l2tpvoip_session *s, l2tpvoip_session_stats *stats)
{
    const struct l2v_assoc *assoc = s->assoc;
    uint32_t size = stats->size;
    *stats = s->stats;
    stats->size = size;
    memcpy(stats->queue_drops, s->queue.drops, sizeof stats->queue_drops);
    stats->lcp_rtt_ns = l2v_ppp_get_rtt_ns(s->ppp);
    if (assoc == NULL) {
        return;
    }
    struct l2v_esp_stats esp;
    l2v_assoc_esp_stats(assoc, &esp);
    stats->esp_rx_lost = esp.lost + esp.missing;
    stats->esp_rx_reordered = esp.reordered;
    stats->esp_rx_replayed = esp.replayed;
    stats->esp_rx_late = esp.late;
    stats->esp_rx_integrity = esp.integrity;
    stats->rekeys_child = assoc->rekeys_child;
    stats->rekeys_ike = assoc->rekeys_ike;
    stats->last_rx_ns = assoc->last_rx_ns;
}
