/* SPDX-License-Identifier: MIT */
/* UDP sockets of the inner network, RFC 768. */
#include "inet_priv.h"
#include <l2tpvoip/socket.h>

/* rfc6056#3.2: the dynamic ports. */
#define EPHEMERAL_FIRST 49152u
#define EPHEMERAL_COUNT 16384u

static bool ip_equal(const l2tpvoip_addr *a, const l2tpvoip_addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == 6 ? 16 : 4) == 0;
}

static uint64_t port_key(const struct l2v_inet_if *only, uint8_t family, uint16_t port)
{
    return (uint64_t)(only != NULL ? only->index : 0) << 32 | (uint64_t)family << 16 | port;
}

static struct l2v_inet_udp *node_udp(struct l2v_map_node *node)
{
    return L2V_CONTAINER_OF(node, struct l2v_inet_udp, by_port);
}

static bool is_taken(const struct l2v_inet *inet, const struct l2v_inet_if *only,
                     const l2tpvoip_addr *local)
{
    struct l2v_map_node *node =
        l2v_map_find(&inet->ports, port_key(only, local->family, local->port));
    for (; node != NULL; node = l2v_map_find_next(node)) {
        const struct l2v_inet_udp *udp = node_udp(node);
        if (l2v_addr_is_any(&udp->local) || l2v_addr_is_any(local) ||
            ip_equal(&udp->local, local)) {
            return true;
        }
    }
    return false;
}

/* rfc6056#3.3.1: simple port randomisation. */
static int choose_port(struct l2v_inet *inet, const struct l2v_inet_if *only, l2tpvoip_addr *local)
{
    uint32_t start = 0;
    int rc = l2v_random_u32(inet->env, &start);
    if (rc != 0) {
        return rc;
    }
    for (uint32_t i = 0; i < EPHEMERAL_COUNT; i++) {
        local->port = (uint16_t)(EPHEMERAL_FIRST + (start + i) % EPHEMERAL_COUNT);
        if (!is_taken(inet, only, local)) {
            return 0;
        }
    }
    return L2TPVOIP_ERR_LIMIT;
}

int l2v_inet_udp_new(struct l2v_inet *inet, struct l2v_inet_if *only, const l2tpvoip_addr *local,
                     const struct l2v_inet_udp_ops *ops, void *user, struct l2v_inet_udp **ret)
{
    l2tpvoip_addr bound = *local;
    bound.scope_id = 0;
    if (bound.family != 4 && bound.family != 6) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (bound.port == 0) {
        int rc = choose_port(inet, only, &bound);
        if (rc != 0) {
            return rc;
        }
    } else if (is_taken(inet, only, &bound)) {
        return L2TPVOIP_ERR_EXISTS;
    }
    struct l2v_inet_udp *udp = l2v_calloc(inet->env, 1, sizeof *udp);
    if (udp == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    udp->inet = inet;
    udp->only = only;
    udp->local = bound;
    udp->ops = *ops;
    udp->user = user;
    l2v_list_append(&inet->sockets, &udp->node);
    l2v_map_insert(&inet->ports, &udp->by_port, port_key(only, bound.family, bound.port));
    *ret = udp;
    return 0;
}

void l2v_inet_udp_free(struct l2v_inet_udp *udp)
{
    if (udp == NULL) {
        return;
    }
    if (!udp->dead) {
        l2v_map_remove(&udp->inet->ports, &udp->by_port);
    }
    l2v_list_remove(&udp->node);
    l2v_free(udp->inet->env, udp);
}

void l2v_inet_udp_forget_if(struct l2v_inet *inet, struct l2v_inet_if *nif)
{
    L2V_LIST_EACH(pos, &inet->sockets)
    {
        struct l2v_inet_udp *udp = L2V_CONTAINER_OF(pos, struct l2v_inet_udp, node);
        if (udp->tmpl.nif == nif) {
            memset(&udp->tmpl, 0, sizeof udp->tmpl);
        }
        if (udp->only == nif && !udp->dead) {
            l2v_map_remove(&inet->ports, &udp->by_port);
            udp->only = NULL;
            udp->dead = true;
        }
    }
}

int l2v_inet_udp_connect(struct l2v_inet_udp *udp, const l2tpvoip_addr *remote)
{
    if (remote->family == 0) {
        memset(&udp->remote, 0, sizeof udp->remote);
        return 0;
    }
    if (remote->family != udp->local.family || remote->port == 0 || l2v_addr_is_any(remote)) {
        return L2TPVOIP_ERR_INVALID;
    }
    udp->remote = *remote;
    return 0;
}

void l2v_inet_udp_get_local(const struct l2v_inet_udp *udp, l2tpvoip_addr *ret)
{
    *ret = udp->local;
    if (udp->only != NULL && l2v_addr_is_any(&udp->local)) {
        const l2tpvoip_addr *own = l2v_inet_if_local(udp->only, udp->local.family);
        memcpy(ret->ip, own->ip, sizeof ret->ip);
    }
}

void l2v_inet_udp_get_remote(const struct l2v_inet_udp *udp, l2tpvoip_addr *ret)
{
    *ret = udp->remote;
}

/* --- input ---------------------------------------------------------------------------------- */

static bool hears(const struct l2v_inet_udp *udp, const l2tpvoip_addr *local,
                  const l2tpvoip_addr *remote)
{
    if (!l2v_addr_is_any(&udp->local) && !ip_equal(&udp->local, local)) {
        return false;
    }
    return udp->remote.family == 0 ||
           (udp->remote.port == remote->port && ip_equal(&udp->remote, remote));
}

/* A socket of this interface goes before one of all interfaces. */
static struct l2v_inet_udp *find_socket(struct l2v_inet_if *nif, const l2tpvoip_addr *local,
                                        const l2tpvoip_addr *remote)
{
    const struct l2v_inet_if *scopes[2] = {nif, NULL};
    for (unsigned i = 0; i < 2; i++) {
        struct l2v_map_node *node =
            l2v_map_find(&nif->inet->ports, port_key(scopes[i], local->family, local->port));
        for (; node != NULL; node = l2v_map_find_next(node)) {
            if (hears(node_udp(node), local, remote)) {
                return node_udp(node);
            }
        }
    }
    return NULL;
}

struct l2v_inet_udp *l2v_inet_udp_find_sender(struct l2v_inet_if *nif, const l2tpvoip_addr *local,
                                              const l2tpvoip_addr *remote)
{
    struct l2v_inet_udp *udp = find_socket(nif, local, remote);
    if (udp == NULL || udp->remote.family != 0) {
        return udp;
    }
    uint32_t n = udp->n_recent < L2V_INET_RECENT ? udp->n_recent : L2V_INET_RECENT;
    for (uint32_t i = 0; i < n; i++) {
        if (udp->recent[i].port == remote->port && ip_equal(&udp->recent[i], remote)) {
            return udp;
        }
    }
    return NULL;
}

static bool checksum_ok(const struct l2v_inet_rx *rx, const uint8_t *p, size_t len)
{
    if (l2v_get_u16(p + 6) == 0) {
        return rx->src.family == 4; /* rfc8200#8.1: IPv6 has no datagram without one */
    }
    uint32_t sum = l2v_inet_pseudo(&rx->src, &rx->dst, len, L2V_PROTO_UDP);
    return l2v_inet_fold(l2v_inet_sum(p, len, sum)) == 0;
}

int l2v_inet_udp_input(struct l2v_inet_rx *rx)
{
    struct l2v_inet_stats *stats = &rx->nif->inet->stats;
    struct l2v_inet_udp_meta meta;
    struct l2v_reader r;
    l2v_reader_init(&r, rx->ip + rx->data_at, rx->data_len);
    const uint8_t *p = l2v_read_bytes(&r, L2V_UDP_HEADER);
    size_t len = p != NULL ? l2v_get_u16(p + 4) : 0;
    if (p == NULL || len < L2V_UDP_HEADER || len > rx->data_len || l2v_get_u16(p + 2) == 0) {
        stats->malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (!checksum_ok(rx, p, len)) {
        stats->checksum++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    meta.nif = rx->nif;
    meta.local = rx->dst;
    meta.local.port = l2v_get_u16(p + 2);
    meta.remote = rx->src;
    meta.remote.port = l2v_get_u16(p);
    if (rx->src.family == 6 && l2v_inet_if_is_strict(rx->nif)) {
        meta.remote.scope_id = rx->nif->index; /* many clients may have one link-local address */
    }
    meta.time_ns = rx->pkt->time_ns;
    meta.tos = rx->tos;
    struct l2v_inet_udp *udp = find_socket(rx->nif, &meta.local, &meta.remote);
    if (udp == NULL) {
        stats->no_socket++;
        if (rx->src.family == 6) {
            l2v_inet_icmp_error(rx, L2V_ICMP6_UNREACHABLE, L2V_ICMP6_BAD_PORT, 0);
        } else { /* rfc1122#4.1.3.1 */
            l2v_inet_icmp_error(rx, L2V_ICMP4_UNREACHABLE, L2V_ICMP4_BAD_PORT, 0);
        }
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    (void)l2v_pkt_pull(rx->pkt, rx->data_at + L2V_UDP_HEADER);
    l2v_pkt_trim(rx->pkt, len - L2V_UDP_HEADER);
    udp->ops.input(udp->user, rx->pkt, &meta);
    return 0;
}

/* --- output --------------------------------------------------------------------------------- */

static void remember(struct l2v_inet_udp *udp, const l2tpvoip_addr *to)
{
    uint32_t n = udp->n_recent < L2V_INET_RECENT ? udp->n_recent : L2V_INET_RECENT;
    for (uint32_t i = 0; i < n; i++) {
        if (l2v_addr_equal(&udp->recent[i], to)) {
            return;
        }
    }
    udp->recent[udp->n_recent % L2V_INET_RECENT] = *to;
    udp->n_recent++;
    if (udp->n_recent >= 2 * L2V_INET_RECENT) {
        udp->n_recent -= L2V_INET_RECENT;
    }
}

static void make_template(struct l2v_inet_udp *udp, struct l2v_inet_if *nif,
                          const l2tpvoip_addr *src, const l2tpvoip_addr *to, uint8_t tos)
{
    struct l2v_inet_template *t = &udp->tmpl;
    bool v6 = to->family == 6;
    size_t ip_len = v6 ? L2V_IP6_HEADER : L2V_IP4_HEADER;
    memset(t, 0, sizeof *t);
    t->nif = nif;
    t->to = *to;
    t->tos = tos;
    t->generation = udp->inet->generation;
    t->header_len = (uint8_t)(ip_len + L2V_UDP_HEADER);
    if (v6) {
        l2v_put_u32(t->header, UINT32_C(6) << 28 | (uint32_t)tos << 20);
        t->header[6] = L2V_PROTO_UDP;
        t->header[7] = L2V_IP_TTL;
        memcpy(t->header + 8, src->ip, 16);
        memcpy(t->header + 24, to->ip, 16);
    } else {
        t->header[0] = 0x45;
        t->header[1] = tos;
        t->header[8] = L2V_IP_TTL;
        t->header[9] = L2V_PROTO_UDP;
        memcpy(t->header + 12, src->ip, 4);
        memcpy(t->header + 16, to->ip, 4);
        t->ip_sum = l2v_inet_sum(t->header, L2V_IP4_HEADER, 0);
    }
    l2v_put_u16(t->header + ip_len, udp->local.port);
    l2v_put_u16(t->header + ip_len + 2, to->port);
    t->udp_sum = l2v_inet_sum(t->header + ip_len, 4, l2v_inet_pseudo(src, to, 0, L2V_PROTO_UDP));
    remember(udp, to);
}

/* Interface and source for a destination; fills the template. */
static int prepare(struct l2v_inet_udp *udp, struct l2v_inet_if *nif, const l2tpvoip_addr *to,
                   uint8_t tos)
{
    if (udp->dead) {
        return L2TPVOIP_ERR_STATE;
    }
    if (to->family != udp->local.family || to->port == 0 || l2v_addr_is_any(to)) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (udp->only != NULL && nif != NULL && nif != udp->only) {
        return L2TPVOIP_ERR_INVALID;
    }
    nif = nif != NULL ? nif : udp->only != NULL ? udp->only : l2v_inet_route(udp->inet, to);
    if (nif == NULL) {
        return L2TPVOIP_ERR_UNREACHABLE;
    }
    const l2tpvoip_addr *src = l2v_inet_if_local(nif, to->family);
    /* A socket bound to an address that the interface no longer has must not speak. */
    if (src->family == 0 || (!l2v_addr_is_any(&udp->local) && !ip_equal(&udp->local, src))) {
        return L2TPVOIP_ERR_UNREACHABLE;
    }
    make_template(udp, nif, src, to, tos);
    return 0;
}

static bool template_fits(const struct l2v_inet_udp *udp, const struct l2v_inet_if *nif,
                          const l2tpvoip_addr *to, uint8_t tos)
{
    const struct l2v_inet_template *t = &udp->tmpl;
    return t->generation == udp->inet->generation && (nif == NULL || nif == t->nif) &&
           t->tos == tos && l2v_addr_equal(&t->to, to);
}

static void fill(struct l2v_inet_udp *udp, struct l2v_pkt *pkt, uint8_t *p, size_t payload)
{
    const struct l2v_inet_template *t = &udp->tmpl;
    size_t ip_len = t->header_len - L2V_UDP_HEADER;
    uint32_t udp_len = (uint32_t)(payload + L2V_UDP_HEADER);
    memcpy(p, t->header, t->header_len);
    if (t->to.family == 4) {
        uint16_t id = t->nif->ip_id++;
        l2v_put_u16(p + 2, (unsigned)pkt->len);
        l2v_put_u16(p + 4, id);
        l2v_put_u16(p + 10, l2v_inet_fold(t->ip_sum + (uint32_t)pkt->len + id));
    } else {
        l2v_put_u16(p + 4, udp_len);
    }
    l2v_put_u16(p + ip_len + 4, udp_len);
    /* The length is summed twice: pseudo header and header. */
    uint32_t sum = t->udp_sum + udp_len + udp_len;
    uint16_t check = l2v_inet_fold(l2v_inet_sum(p + t->header_len, payload, sum));
    l2v_put_u16(p + ip_len + 6, check != 0 ? check : 0xffffu); /* rfc768 */
}

int l2v_inet_udp_output(struct l2v_inet_udp *udp, struct l2v_inet_if *nif, struct l2v_pkt *pkt,
                        const l2tpvoip_addr *to, uint8_t tos, uint8_t klass)
{
    int rc = 0;
    if (to == NULL || to->family == 0) {
        to = &udp->remote;
    }
    if (to->family == 0) {
        rc = L2TPVOIP_ERR_STATE;
    } else if (udp->dead || !template_fits(udp, nif, to, tos)) {
        rc = prepare(udp, nif, to, tos);
    }
    size_t payload = pkt->len;
    if (rc == 0 &&
        payload + udp->tmpl.header_len > UINT16_MAX + (to->family == 6 ? L2V_IP6_HEADER : 0u)) {
        rc = L2TPVOIP_ERR_MSGSIZE;
    }
    uint8_t *p = rc == 0 ? l2v_pkt_push(pkt, udp->tmpl.header_len) : NULL;
    if (rc == 0 && p == NULL) {
        rc = L2TPVOIP_ERR_INVALID;
    }
    if (rc != 0) {
        l2v_pkt_free(pkt);
        return rc;
    }
    fill(udp, pkt, p, payload);
    pkt->tos = tos;
    pkt->klass = klass != L2TPVOIP_CLASS_AUTO ? klass : L2TPVOIP_CLASS_BULK;
    return l2v_inet_transmit(udp->tmpl.nif, pkt, to->family);
}
