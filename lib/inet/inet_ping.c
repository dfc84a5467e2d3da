/* SPDX-License-Identifier: MIT */
/* Echo requests that we send, RFC 792 and RFC 4443. */
#include <l2tpvoip/socket.h>

#include "inet_priv.h"

#define MAX_PINGS 64u

static void forget(struct l2v_inet_ping_req *ping)
{
    struct l2v_env *env = ping->nif->inet->env;
    l2v_timer_cancel(&env->timers, &ping->timer);
    l2v_list_remove(&ping->node);
    ping->nif->n_pings--;
    l2v_free(env, ping);
}

/* The request is gone before the callback runs: it may free the interface. */
static void finish(struct l2v_inet_ping_req *ping, int code, uint64_t rtt_ns)
{
    l2v_inet_ping_fn fn = ping->fn;
    void *user = ping->user;
    l2tpvoip_addr to = ping->to;
    forget(ping);
    fn(user, code, &to, rtt_ns);
}

static void time_out(void *arg)
{
    finish(arg, L2TPVOIP_ERR_TIMEOUT, UINT64_MAX);
}

static struct l2v_inet_ping_req *find(struct l2v_inet_if *nif, const l2tpvoip_addr *to, uint16_t id,
                                      uint16_t seq)
{
    if (id != nif->inet->ping_id) {
        return NULL;
    }
    L2V_LIST_EACH(pos, &nif->pings)
    {
        struct l2v_inet_ping_req *ping = L2V_CONTAINER_OF(pos, struct l2v_inet_ping_req, node);
        if (ping->seq == seq && ping->to.family == to->family &&
            memcmp(ping->to.ip, to->ip, to->family == 6 ? 16 : 4) == 0) {
            return ping;
        }
    }
    return NULL;
}

static struct l2v_pkt *build(struct l2v_inet_ping_req *ping, const l2tpvoip_addr *src,
                             size_t payload_len)
{
    struct l2v_inet *inet = ping->nif->inet;
    size_t len = L2V_ICMP_HEADER + payload_len;
    bool v6 = ping->to.family == 6;
    struct l2v_pkt *pkt = l2v_pkt_new(inet->env, len);
    uint8_t *p = pkt != NULL ? l2v_pkt_put(pkt, len) : NULL;
    if (p == NULL) {
        l2v_pkt_free(pkt);
        return NULL;
    }
    p[0] = v6 ? 128 : 8;
    p[1] = 0;
    l2v_put_u16(p + 2, 0);
    l2v_put_u16(p + 4, inet->ping_id);
    l2v_put_u16(p + 6, ping->seq);
    for (size_t i = 0; i < payload_len; i++) {
        p[L2V_ICMP_HEADER + i] = i < ping->cookie_len ? ping->cookie[i] : (uint8_t)i;
    }
    uint32_t sum = v6 ? l2v_inet_pseudo(src, &ping->to, len, L2V_PROTO_ICMP6) : 0;
    l2v_put_u16(p + 2, l2v_inet_fold(l2v_inet_sum(p, len, sum)));
    return pkt;
}

int l2v_inet_ping(struct l2v_inet_if *nif, const l2tpvoip_addr *to, size_t payload_len,
                  uint64_t timeout_ns, l2v_inet_ping_fn fn, void *user)
{
    struct l2v_env *env = nif->inet->env;
    if (fn == NULL || (to->family != 4 && to->family != 6) || l2v_addr_is_any(to)) {
        return L2TPVOIP_ERR_INVALID;
    }
    const l2tpvoip_addr *src = l2v_inet_if_local(nif, to->family);
    if (src->family == 0) {
        return L2TPVOIP_ERR_STATE;
    }
    if (payload_len > UINT16_MAX - L2V_IP4_HEADER - L2V_ICMP_HEADER) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    if (nif->n_pings >= MAX_PINGS) {
        return L2TPVOIP_ERR_LIMIT;
    }
    struct l2v_inet_ping_req *ping = l2v_calloc(env, 1, sizeof *ping);
    if (ping == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    ping->nif = nif;
    ping->to = *to;
    ping->sent_ns = env->now_ns;
    ping->fn = fn;
    ping->user = user;
    ping->seq = nif->inet->ping_seq++;
    ping->cookie_len = payload_len < sizeof ping->cookie ? (uint32_t)payload_len : 8;
    l2v_timer_init(&ping->timer, "inet ping", time_out, ping);
    l2v_list_append(&nif->pings, &ping->node);
    nif->n_pings++;
    int rc = l2v_random(env, ping->cookie, sizeof ping->cookie);
    struct l2v_pkt *pkt = rc == 0 ? build(ping, src, payload_len) : NULL;
    if (rc == 0 && pkt == NULL) {
        rc = L2TPVOIP_ERR_NOMEM;
    }
    if (rc == 0) {
        l2v_timer_set(&env->timers, &ping->timer, env->now_ns + timeout_ns);
        rc = l2v_inet_output(nif, pkt, src, to, to->family == 6 ? L2V_PROTO_ICMP6 : L2V_PROTO_ICMP,
                             0, L2TPVOIP_CLASS_BULK);
    }
    if (rc != 0) {
        forget(ping);
    }
    return rc;
}

void l2v_inet_ping_cancel(struct l2v_inet_if *nif, const void *user)
{
    L2V_LIST_EACH_SAFE(pos, &nif->pings)
    {
        struct l2v_inet_ping_req *ping = L2V_CONTAINER_OF(pos, struct l2v_inet_ping_req, node);
        if (ping->user == user) {
            forget(ping);
        }
    }
}

void l2v_inet_ping_drop_if(struct l2v_inet_if *nif)
{
    L2V_LIST_EACH_SAFE(pos, &nif->pings)
    {
        forget(L2V_CONTAINER_OF(pos, struct l2v_inet_ping_req, node));
    }
}

void l2v_inet_ping_reply(struct l2v_inet_rx *rx, uint16_t id, uint16_t seq, const uint8_t *data,
                         size_t len)
{
    struct l2v_inet_ping_req *ping = find(rx->nif, &rx->src, id, seq);
    if (ping == NULL || len < ping->cookie_len ||
        memcmp(data, ping->cookie, ping->cookie_len) != 0) {
        rx->nif->inet->stats.no_socket++;
        return;
    }
    uint64_t now = rx->pkt->time_ns != 0 ? rx->pkt->time_ns : rx->nif->inet->env->now_ns;
    finish(ping, 0, now > ping->sent_ns ? now - ping->sent_ns : 0);
}

void l2v_inet_ping_error(struct l2v_inet_if *nif, const l2tpvoip_addr *to, uint16_t id,
                         uint16_t seq)
{
    struct l2v_inet_ping_req *ping = find(nif, to, id, seq);
    if (ping != NULL) {
        finish(ping, L2TPVOIP_ERR_UNREACHABLE, UINT64_MAX);
    }
}
