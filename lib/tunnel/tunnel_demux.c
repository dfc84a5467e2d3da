/* SPDX-License-Identifier: MIT */
/* Outer demultiplexing: path, then framing, then SPI, cookie or tunnel id. */
#include <string.h>

#include "base_addr.h"
#include "l2v_tunnel.h"

/* Whether datagrams between these ports carry the UDP-encapsulation framing, rfc3948#2. */
static bool has_framing(const struct l2v_path *path, const l2tpvoip_addr *remote)
{
    return path->natt || (path->peer_natt_port != 0 && path->peer_natt_port == remote->port);
}

static void input_ike(struct l2v_path *path, struct l2v_pkt *pkt, bool marker)
{
    l2tpvoip_context *ctx = path->ctx;
    struct l2v_ike_route route;
    memset(&route, 0, sizeof route);
    route.path_id = path->id;
    route.local = pkt->local;
    route.remote = pkt->remote;
    route.marker = marker;
    int rc = l2v_ike_input(ctx->ike, &route, pkt);
    if (rc == L2TPVOIP_ERR_MALFORMED) {
        ctx->stats.rx_malformed++;
    } else if (rc == L2TPVOIP_ERR_NOT_FOUND) {
        ctx->stats.rx_unknown++;
    } else if (rc == L2TPVOIP_ERR_LIMIT) {
        ctx->stats.rate_limited++;
    }
}

static void input_esp(struct l2v_path *path, struct l2v_pkt *pkt)
{
    l2tpvoip_context *ctx = path->ctx;
    struct l2v_ike_route route;
    struct l2v_map_node *node = l2v_map_find(&ctx->spis, l2v_esp_peek_spi(pkt->data, pkt->len));
    if (node == NULL) {
        ctx->stats.rx_unknown++;
        return;
    }
    memset(&route, 0, sizeof route);
    route.path_id = path->id;
    route.local = pkt->local;
    route.remote = pkt->remote;
    route.marker = true;
    l2v_assoc_input_esp(L2V_CONTAINER_OF(node, struct l2v_child, by_spi), pkt, &route);
}

static void input_encapsulated(struct l2v_path *path, struct l2v_pkt *pkt)
{
    switch (l2v_udpencap_classify(pkt->data, pkt->len)) {
    case L2V_UDPENCAP_KEEPALIVE:
        return;
    case L2V_UDPENCAP_IKE:
        (void)l2v_pkt_pull(pkt, 4);
        input_ike(path, pkt, true);
        return;
    case L2V_UDPENCAP_ESP:
        input_esp(path, pkt);
        return;
    case L2V_UDPENCAP_BAD:
        break;
    }
    path->ctx->stats.rx_malformed++;
}

/* L2TP in clear: only where the policy of the path's owner is "no IPsec". */
static void input_plain(struct l2v_path *path, struct l2v_pkt *pkt)
{
    if (path->server != NULL) {
        l2v_server_input_plain(path->server, path, pkt);
        return;
    }
    l2tpvoip_tunnel *t = path->tunnel;
    if (t == NULL || t->assoc == NULL || !l2v_addr_equal_ip(&t->remote, &pkt->remote)) {
        path->ctx->stats.rx_policy++;
        return;
    }
    /* rfc2661#8.1: the first reply may come from any port; L2TP knows which one that has fixed. */
    l2v_assoc_input_plain(t->assoc, pkt);
}

static void input_packet(struct l2v_path *path, struct l2v_pkt *pkt)
{
    l2tpvoip_context *ctx = path->ctx;
    ctx->stats.rx_datagrams++;
    ctx->stats.rx_bytes += pkt->len;
    if (L2V_TAP_ON(&ctx->env, L2TPVOIP_TAP_OUTER)) {
        l2v_tap(&ctx->env, L2TPVOIP_TAP_OUTER, L2TPVOIP_TAP_IN, &pkt->local, &pkt->remote,
                pkt->data, pkt->len);
    }
    if (path->plain) {
        input_plain(path, pkt);
    } else if (has_framing(path, &pkt->remote)) {
        input_encapsulated(path, pkt);
    } else {
        input_ike(path, pkt, false);
    }
}

static void set_meta(struct l2v_pkt *pkt, const l2tpvoip_datagram *dg, const struct l2v_path *path)
{
    pkt->path_id = path->id;
    pkt->local = dg->local.family != 0 ? dg->local : path->local;
    pkt->remote = dg->remote;
    pkt->time_ns = dg->time_ns != 0 ? dg->time_ns : path->ctx->env.now_ns;
    pkt->tos = dg->tos;
}

void l2v_demux_datagram(l2tpvoip_context *ctx, const l2tpvoip_datagram *dg, bool writable)
{
    struct l2v_path *path = l2v_path_find(ctx, dg->path_id);
    if (path == NULL || path->closing) {
        ctx->stats.rx_unknown++;
        return;
    }
    if ((dg->flags & L2TPVOIP_DATAGRAM_TRUNCATED) != 0) {
        ctx->stats.rx_malformed++;
        return;
    }
    if (writable) {
        struct l2v_pkt pkt;
        l2v_pkt_borrow(&pkt, dg->data, dg->len);
        set_meta(&pkt, dg, path);
        input_packet(path, &pkt);
        return;
    }
    struct l2v_pkt *pkt = l2v_pkt_copy(&ctx->env, dg->data, dg->len);
    if (pkt == NULL) {
        ctx->stats.pool_empty++;
        return;
    }
    set_meta(pkt, dg, path);
    input_packet(path, pkt);
    l2v_pkt_free(pkt); /* who keeps it, holds a reference */
}
