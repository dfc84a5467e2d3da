/* SPDX-License-Identifier: MIT */
/* The inner network: any packets from the link, and what they make the host send is fed to a
 * second host. */
#include <string.h>

#include "../unit/test_env.h"
#include "base_addr.h"
#include "l2v_inet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void transmit(void *user, struct l2v_pkt *pkt, int family)
{
    struct l2v_inet_if **peer = user;
    if (*peer != NULL) {
        struct l2v_inet_if *to = *peer;
        *peer = NULL; /* once: two hosts that answer each other would not end */
        (void)l2v_inet_input(to, pkt, family);
        *peer = to;
    }
    l2v_pkt_free(pkt);
}

static void hear(void *user, struct l2v_pkt *pkt, const struct l2v_inet_udp_meta *meta)
{
    volatile uint8_t *sink = user;
    (void)meta;
    for (size_t i = 0; i < pkt->len; i++) {
        *sink ^= pkt->data[i];
    }
}

static void on_error(void *user, int code, const l2tpvoip_addr *remote)
{
    (void)user;
    (void)code;
    (void)remote;
}

static void on_answer(void *user, int code, const l2tpvoip_addr *from, uint64_t rtt_ns)
{
    (void)user;
    (void)code;
    (void)from;
    (void)rtt_ns;
}

struct host {
    struct l2v_inet *inet;
    struct l2v_inet_if *nif, *peer;
    uint8_t sink;
};

static void make_host(struct test_env *te, struct host *h, bool is_a)
{
    static const struct l2v_inet_if_ops if_ops = {transmit};
    static const struct l2v_inet_udp_ops udp_ops = {hear, on_error};
    struct l2v_inet_udp *udp;
    l2tpvoip_addr a4 = l2v_addr_from_ip4(0x0a000001, 0), b4 = l2v_addr_from_ip4(0x0a000002, 0);
    l2tpvoip_addr a6, b6, port4 = l2v_addr_from_ip4(0, 5060), port6;
    memset(&a6, 0, sizeof a6);
    memset(&port6, 0, sizeof port6);
    port6.family = a6.family = 6;
    port6.port = 5060;
    a6.ip[0] = 0xfe;
    a6.ip[1] = 0x80;
    b6 = a6;
    a6.ip[15] = 0xa;
    b6.ip[15] = 0xb;
    if (l2v_inet_new(&te->env, &h->inet) != 0 ||
        l2v_inet_if_new(h->inet, &if_ops, &h->peer, &h->nif) != 0) {
        abort();
    }
    l2v_inet_if_set_address(h->nif, is_a ? &a4 : &b4, is_a ? &b4 : &a4, is_a ? &a6 : &b6,
                            is_a ? &b6 : &a6);
    l2v_inet_if_set_mtu(h->nif, 1280);
    if (l2v_inet_udp_new(h->inet, NULL, &port4, &udp_ops, &h->sink, &udp) != 0 ||
        l2v_inet_udp_new(h->inet, NULL, &port6, &udp_ops, &h->sink, &udp) != 0) {
        abort();
    }
}

/* Makes the IPv4 header right enough to come past its checks, when the input asks for it. */
static void repair(uint8_t *p, size_t len, uint8_t how)
{
    if (len < 20 || p[0] >> 4 != 4) {
        return;
    }
    if ((how & 2u) != 0) {
        memcpy(p + 12, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
        p[0] = 0x45;
        p[2] = (uint8_t)(len >> 8);
        p[3] = (uint8_t)len;
        p[6] &= 0x7fu;
    }
    size_t header = (p[0] & 15u) * 4u;
    if ((how & 1u) != 0 && header >= 20 && header <= len) {
        p[10] = p[11] = 0;
        uint16_t sum = l2v_inet_fold(l2v_inet_sum(p, header, 0));
        p[10] = (uint8_t)(sum >> 8);
        p[11] = (uint8_t)sum;
    }
}

static bool receive(struct test_env *te, struct host *h, uint8_t how, const uint8_t *data, size_t n)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(&te->env, data, n);
    if (pkt == NULL) {
        return false;
    }
    repair(pkt->data, n, how);
    (void)l2v_inet_input(h->nif, pkt, (how & 4u) != 0 ? 6 : 4);
    l2v_pkt_free(pkt);
    te->env.now_ns += (uint64_t)(how >> 3) * 100 * L2V_NS_PER_MS;
    l2v_timers_run(&te->env.timers, te->env.now_ns);
    return true;
}

/* A PPP frame with a packet, as the seeds are: as it is, and addressed to this host. */
static void receive_frame(struct test_env *te, struct host *h, const uint8_t *data, size_t len)
{
    if (len > 2 && len < 4096 && data[0] == 0 && (data[1] == 0x21 || data[1] == 0x57)) {
        uint8_t six = data[1] == 0x57 ? 4 : 0;
        (void)receive(te, h, six, data + 2, len - 2);
        (void)receive(te, h, six | 3u, data + 2, len - 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct test_env te;
    struct host a, b;
    l2tpvoip_addr to = l2v_addr_from_ip4(0x0a000001, 0);
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    if (test_env_init(&te, 1) != 0) {
        abort();
    }
    make_host(&te, &a, true);
    make_host(&te, &b, false);
    a.peer = b.nif;
    b.peer = a.nif;
    (void)l2v_inet_ping(b.nif, &to, 8, L2V_NS_PER_S, on_answer, NULL);
    receive_frame(&te, &b, data, len);
    while (len >= 3) { /* records: how, length */
        uint8_t how = data[0];
        size_t n = (size_t)data[1] << 8 | data[2];
        data += 3;
        len -= 3;
        n = n % 2048 < len ? n % 2048 : len;
        if (!receive(&te, &b, how, data, n)) {
            break;
        }
        data += n;
        len -= n;
    }
    l2v_inet_free(a.inet);
    l2v_inet_free(b.inet);
    test_env_clear(&te);
    if (te.live != 0) {
        abort();
    }
    return 0;
}
