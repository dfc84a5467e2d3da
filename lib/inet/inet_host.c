/* SPDX-License-Identifier: MIT */
/* The host: its interfaces, addresses and routes. */
#include "inet_priv.h"

#define MTU_DEFAULT 1500u
#define MTU_MIN 68u /* rfc791#3.2 */
#define ICMP_PER_SECOND 10u

int l2v_inet_new(struct l2v_env *env, struct l2v_inet **ret_inet)
{
    uint8_t seed[4];
    struct l2v_inet *inet = l2v_calloc(env, 1, sizeof *inet);
    if (inet == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    inet->env = env;
    l2v_list_init(&inet->ifs);
    l2v_list_init(&inet->sockets);
    inet->next_index = 1;
    inet->generation = 1;
    int rc = l2v_random(env, seed, sizeof seed);
    if (rc != 0) {
        l2v_free(env, inet);
        return rc;
    }
    inet->ping_id = l2v_get_u16(seed);
    inet->ping_seq = l2v_get_u16(seed + 2);
    rc = l2v_map_init(&inet->ports, env);
    if (rc != 0) {
        l2v_free(env, inet);
        return rc;
    }
    rc = l2v_map_init(&inet->remotes, env);
    if (rc != 0) {
        l2v_map_clear(&inet->ports);
        l2v_free(env, inet);
        return rc;
    }
    l2v_inet_reass_init(inet);
    l2v_rate_init(&inet->icmp_rate, ICMP_PER_SECOND, ICMP_PER_SECOND, env->now_ns);
    *ret_inet = inet;
    return 0;
}

void l2v_inet_free(struct l2v_inet *inet)
{
    if (inet == NULL) {
        return;
    }
    while (!l2v_list_is_empty(&inet->sockets)) {
        l2v_inet_udp_free(L2V_CONTAINER_OF(inet->sockets.next, struct l2v_inet_udp, node));
    }
    while (!l2v_list_is_empty(&inet->ifs)) {
        l2v_inet_if_free(L2V_CONTAINER_OF(inet->ifs.next, struct l2v_inet_if, node));
    }
    l2v_timer_cancel(&inet->env->timers, &inet->reass_timer);
    l2v_map_clear(&inet->ports);
    l2v_map_clear(&inet->remotes);
    l2v_free(inet->env, inet);
}

int l2v_inet_if_new(struct l2v_inet *inet, const struct l2v_inet_if_ops *ops, void *user,
                    struct l2v_inet_if **ret_if)
{
    struct l2v_inet_if *nif = l2v_calloc(inet->env, 1, sizeof *nif);
    if (nif == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    nif->inet = inet;
    nif->ops = *ops;
    nif->user = user;
    nif->mtu = MTU_DEFAULT;
    nif->index = inet->next_index++;
    nif->ip_id = (uint16_t)l2v_random_below(inet->env, 65536);
    l2v_list_init(&nif->pings);
    l2v_list_append(&inet->ifs, &nif->node);
    inet->n_ifs++;
    inet->generation++;
    *ret_if = nif;
    return 0;
}

static void forget_remotes(struct l2v_inet_if *nif)
{
    if (nif->has_remote4) {
        l2v_map_remove(&nif->inet->remotes, &nif->by_remote4);
        nif->has_remote4 = false;
    }
    if (nif->has_remote6) {
        l2v_map_remove(&nif->inet->remotes, &nif->by_remote6);
        nif->has_remote6 = false;
    }
}

void l2v_inet_if_free(struct l2v_inet_if *nif)
{
    if (nif == NULL) {
        return;
    }
    struct l2v_inet *inet = nif->inet;
    l2v_inet_udp_forget_if(inet, nif);
    l2v_inet_ping_drop_if(nif);
    l2v_inet_reass_drop_if(nif);
    forget_remotes(nif);
    l2v_list_remove(&nif->node);
    inet->n_ifs--;
    inet->generation++;
    l2v_free(inet->env, nif);
}

static uint64_t remote_key(const struct l2v_inet *inet, const l2tpvoip_addr *a)
{
    if (a->family == 4) {
        return UINT64_C(4) << 32 | l2v_get_u32(a->ip);
    }
    /* The top bit keeps the families apart. */
    return l2v_siphash(inet->env->hash_key, a->ip, 16) | UINT64_C(1) << 63;
}

static l2tpvoip_addr plain_ip(const l2tpvoip_addr *a, uint8_t family)
{
    l2tpvoip_addr ip;
    memset(&ip, 0, sizeof ip);
    if (a != NULL && a->family == family) {
        ip.family = family;
        memcpy(ip.ip, a->ip, family == 4 ? 4 : 16);
    }
    return ip;
}

void l2v_inet_if_set_address(struct l2v_inet_if *nif, const l2tpvoip_addr *local4,
                             const l2tpvoip_addr *remote4, const l2tpvoip_addr *local6,
                             const l2tpvoip_addr *remote6)
{
    struct l2v_inet *inet = nif->inet;
    forget_remotes(nif);
    nif->local4 = plain_ip(local4, 4);
    nif->remote4 = plain_ip(remote4, 4);
    nif->local6 = plain_ip(local6, 6);
    nif->remote6 = plain_ip(remote6, 6);
    if (!l2v_addr_is_any(&nif->remote4)) {
        l2v_map_insert(&inet->remotes, &nif->by_remote4, remote_key(inet, &nif->remote4));
        nif->has_remote4 = true;
    }
    if (!l2v_addr_is_any(&nif->remote6)) {
        l2v_map_insert(&inet->remotes, &nif->by_remote6, remote_key(inet, &nif->remote6));
        nif->has_remote6 = true;
    }
    inet->generation++;
}

void l2v_inet_if_set_strict_source(struct l2v_inet_if *nif, bool strict)
{
    nif->strict_source = strict;
    nif->inet->generation++;
}

void l2v_inet_if_set_mtu(struct l2v_inet_if *nif, uint32_t mtu)
{
    nif->mtu = mtu < MTU_MIN ? MTU_MIN : mtu > UINT16_MAX ? UINT16_MAX : mtu;
}

uint32_t l2v_inet_if_get_mtu(const struct l2v_inet_if *nif)
{
    return nif->mtu;
}

void *l2v_inet_if_get_user(const struct l2v_inet_if *nif)
{
    return nif->user;
}

const struct l2v_inet_stats *l2v_inet_get_stats(const struct l2v_inet *inet)
{
    return &inet->stats;
}

const l2tpvoip_addr *l2v_inet_if_local(const struct l2v_inet_if *nif, uint8_t family)
{
    return family == 6 ? &nif->local6 : &nif->local4;
}

/* A server's client may only speak with the address that it was given: strict interfaces, and all
 * of a host that has several. A client's one interface leads to the whole inner network. */
bool l2v_inet_if_is_strict(const struct l2v_inet_if *nif)
{
    return nif->strict_source || nif->inet->n_ifs > 1;
}

bool l2v_inet_source_allowed(const struct l2v_inet_if *nif, const l2tpvoip_addr *src)
{
    const l2tpvoip_addr *own = l2v_inet_if_local(nif, src->family);
    const l2tpvoip_addr *peer = src->family == 6 ? &nif->remote6 : &nif->remote4;
    size_t n = src->family == 6 ? 16 : 4;
    if (memcmp(src->ip, own->ip, n) == 0) {
        return false;
    }
    return !l2v_inet_if_is_strict(nif) ||
           (peer->family == src->family && memcmp(src->ip, peer->ip, n) == 0);
}

static bool leads_to(const struct l2v_inet_if *nif, const l2tpvoip_addr *to)
{
    const l2tpvoip_addr *peer = to->family == 6 ? &nif->remote6 : &nif->remote4;
    return peer->family == to->family && memcmp(peer->ip, to->ip, to->family == 6 ? 16 : 4) == 0 &&
           (to->scope_id == 0 || to->scope_id == nif->index || !l2v_inet_if_is_strict(nif));
}

static struct l2v_inet_if *node_if(struct l2v_map_node *node, uint8_t family)
{
    return family == 6 ? L2V_CONTAINER_OF(node, struct l2v_inet_if, by_remote6)
                       : L2V_CONTAINER_OF(node, struct l2v_inet_if, by_remote4);
}

struct l2v_inet_if *l2v_inet_route(struct l2v_inet *inet, const l2tpvoip_addr *to)
{
    struct l2v_map_node *node = l2v_map_find(&inet->remotes, remote_key(inet, to));
    for (; node != NULL; node = l2v_map_find_next(node)) {
        struct l2v_inet_if *nif = node_if(node, to->family);
        if (leads_to(nif, to)) {
            return nif;
        }
    }
    if (inet->n_ifs == 1) {
        struct l2v_inet_if *nif = L2V_CONTAINER_OF(inet->ifs.next, struct l2v_inet_if, node);
        return l2v_inet_if_is_strict(nif) ? NULL : nif;
    }
    return NULL;
}
