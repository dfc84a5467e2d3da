/* SPDX-License-Identifier: MIT */
/* A client and a server link, brought up as far as the first byte says, then fed the rest as
 * frames: each begins with a byte that tells the side and how much time passes, and a length byte;
 * without sense in them the whole input is one frame for both. */
#include <stdlib.h>
#include <string.h>

#include "l2v_ppp.h"

#define QUEUE 64
#define FRAME 1600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct side {
    struct world *world;
    struct l2v_ppp *ppp;
    unsigned index, n_down;
};

struct world {
    struct l2v_env env;
    struct l2v_crypto *crypto;
    struct l2v_pkt_pool *pool;
    struct side side[2];
    struct l2v_pktq queue[2]; /* to each side */
    uint64_t seed;
};

static int draw(void *user, uint8_t *dst, size_t len)
{
    struct world *w = user;
    for (size_t i = 0; i < len; i++) {
        w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        dst[i] = (uint8_t)(w->seed >> 56);
    }
    return 0;
}

static void on_transmit(void *user, struct l2v_pkt *pkt)
{
    struct side *s = user;
    struct l2v_pktq *q = &s->world->queue[1 - s->index];
    if (q->count < QUEUE) {
        l2v_pktq_push(q, pkt);
    } else {
        l2v_pkt_free(pkt);
    }
}

static void on_down(void *user, const l2tpvoip_failure *f)
{
    struct side *s = user;
    (void)f;
    if (++s->n_down > 1) {
        abort();
    }
}

static void on_input(void *user, struct l2v_pkt *pkt, uint16_t protocol)
{
    (void)user;
    (void)pkt;
    (void)protocol;
}

static int on_password(void *user, const char *name, size_t name_len, const uint8_t **ret_password,
                       size_t *ret_len)
{
    (void)user;
    if (name_len != 5 || memcmp(name, "alice", 5) != 0) {
        return name_len % 2 == 0 ? L2TPVOIP_ERR_PENDING : L2TPVOIP_ERR_NOT_FOUND;
    }
    *ret_password = (const uint8_t *)"wonderland";
    *ret_len = 10;
    return 0;
}

static int on_address(void *user, const char *name, size_t name_len, l2tpvoip_addr *ret_ip)
{
    (void)user;
    (void)name;
    (void)name_len;
    memset(ret_ip, 0, sizeof(*ret_ip));
    ret_ip->family = 4;
    ret_ip->ip[0] = 10;
    ret_ip->ip[3] = 2;
    return 0;
}

static const struct l2v_ppp_ops ops = {
    .transmit = on_transmit,
    .down = on_down,
    .input = on_input,
    .get_password = on_password,
    .get_address = on_address,
};

static void pump(struct world *w)
{
    for (unsigned i = 0; i < 200; i++) {
        struct l2v_pkt *pkt = l2v_pktq_pop(&w->queue[i % 2]);
        if (pkt != NULL) {
            (void)l2v_ppp_input(w->side[i % 2].ppp, pkt);
            l2v_pkt_free(pkt);
        }
    }
}

static void feed(struct world *w, unsigned to, const uint8_t *data, size_t len)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(&w->env, data, len);
    if (pkt != NULL) {
        (void)l2v_ppp_input(w->side[to].ppp, pkt);
        l2v_pkt_free(pkt);
    }
}

static void wait_ms(struct world *w, unsigned ms)
{
    w->env.now_ns += ms * L2V_NS_PER_MS;
    l2v_timers_run(&w->env.timers, w->env.now_ns);
}

static int make(struct world *w, unsigned index, uint32_t auth)
{
    struct l2v_ppp_config c;
    memset(&c, 0, sizeof(c));
    c.server = index == 1;
    c.auth = auth;
    c.mru = 1400;
    c.echo_interval_ms = 1000;
    c.echo_failures = 4;
    c.user = "alice";
    c.password = (const uint8_t *)"wonderland";
    c.password_len = 10;
    if (c.server) {
        c.local_ip.family = 4;
        c.local_ip.ip[0] = 10;
        c.local_ip.ip[3] = 1;
        c.dns[0] = c.local_ip;
    }
    w->side[index].world = w;
    w->side[index].index = index;
    l2v_pktq_init(&w->queue[index]);
    return l2v_ppp_new(&w->env, w->crypto, &c, &ops, &w->side[index], &w->side[index].ppp);
}

static void script(struct world *w, const uint8_t *data, size_t len)
{
    size_t at = 0;
    feed(w, 0, data, len < FRAME ? len : FRAME);
    feed(w, 1, data, len < FRAME ? len : FRAME);
    while (at + 2 <= len) {
        unsigned how = data[at];
        size_t n = data[at + 1];
        at += 2;
        n = n < len - at ? n : len - at;
        feed(w, how & 1u, data + at, n);
        at += n;
        if ((how & 2u) != 0) {
            pump(w);
        }
        wait_ms(w, (how >> 2) * 50);
        if (how == 0xff) {
            l2v_ppp_auth_answer(w->side[1].ppp, 0, (const uint8_t *)"x", 1);
        }
    }
}

static struct world the;

static void start(void)
{
    l2tpvoip_env_ops env_ops;
    memset(&env_ops, 0, sizeof(env_ops));
    env_ops.size = sizeof(env_ops);
    env_ops.user = &the;
    env_ops.random = draw;
    if (l2v_env_init(&the.env, NULL, &env_ops, NULL, NULL, L2V_NS_PER_S) != 0 ||
        l2v_pkt_pool_new(&the.env, 512, &the.pool) != 0 ||
        l2v_crypto_new(&the.env, NULL, &the.crypto) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (the.crypto == NULL) {
        start();
    }
    if (len == 0) {
        return 0;
    }
    memset(the.side, 0, sizeof(the.side));
    the.seed = 1;
    the.env.rnd_left = 0; /* what happens depends on the input alone */
    if (make(&the, 0, 0x3f) == 0 && make(&the, 1, 1u << data[0] % 6) == 0) {
        l2v_ppp_start(the.side[0].ppp);
        l2v_ppp_start(the.side[1].ppp);
        if ((data[0] & 0x40u) != 0) {
            pump(&the);
        }
        script(&the, data, len);
        pump(&the);
        l2v_ppp_close(the.side[data[0] >> 7].ppp);
        pump(&the);
        for (unsigned i = 0; i < 20; i++) {
            wait_ms(&the, 5000);
        }
    }
    l2v_ppp_free(the.side[0].ppp);
    l2v_ppp_free(the.side[1].ppp);
    l2v_pktq_clear(&the.queue[0]);
    l2v_pktq_clear(&the.queue[1]);
    return 0;
}
