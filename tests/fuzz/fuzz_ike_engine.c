/* SPDX-License-Identifier: MIT */
/* Bytes as datagrams to a responder and to an initiator. A whole ISAKMP message is given to both,
 * as it is and with the cookies of their SA. Anything else is a script: raw datagrams, what the one
 * said last delivered to the other with a change, time. */
#include <string.h>

#include "../unit/test_env.h"
#include "base_addr.h"
#include "ike_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct end {
    struct l2v_ike *ike;
    struct l2v_jobs jobs;
    struct l2v_ike_config *config;
    struct l2v_ike_peer *peer;
    struct l2v_ike_route last_route;
    uint8_t last[4096];
    size_t last_len;
    uint32_t spi;
    uint32_t children[64];
    unsigned n_children;
};

struct lab {
    struct test_env *te;
    struct end c, s;
};

static void transmit(void *user, const struct l2v_ike_route *route, struct l2v_pkt *pkt)
{
    struct end *e = user;
    if (pkt->len <= sizeof e->last) {
        memcpy(e->last, pkt->data, pkt->len);
        e->last_len = pkt->len;
        e->last_route = *route;
    }
    l2v_pkt_free(pkt);
}

static void keepalive(void *user, const struct l2v_ike_route *route)
{
    (void)user;
    (void)route;
}

static int new_spi(void *user, uint32_t *ret_spi)
{
    struct end *e = user;
    *ret_spi = 0x1000 + e->spi++;
    return 0;
}

static void free_spi(void *user, uint32_t spi)
{
    (void)user;
    (void)spi;
}

static int peer_accept(void *user, struct l2v_ike_peer *peer, void **ret_user)
{
    struct end *e = user;
    e->peer = peer;
    *ret_user = e;
    return 0;
}

static void peer_up(void *user, struct l2v_ike_peer *peer, bool again)
{
    (void)user;
    (void)peer;
    (void)again;
}

static void peer_down(void *user, struct l2v_ike_peer *peer, const l2tpvoip_failure *f)
{
    struct end *e = user;
    if (f->code == 0 || f->message[0] == 0 || f->next_step[0] == 0) {
        abort(); /* a failure without words */
    }
    if (e->peer == peer) {
        e->peer = NULL;
    }
}

static void peer_moved(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_route *route)
{
    (void)user;
    (void)peer;
    (void)route;
}

static int child_up(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_child *c)
{
    struct end *e = user;
    (void)peer;
    if (c->enc_len == 0 || c->spi_out < 256) {
        abort();
    }
    if (e->n_children == 64) {
        return L2TPVOIP_ERR_LIMIT;
    }
    e->children[e->n_children++] = c->spi_in;
    return 0;
}

static void child_confirmed(void *user, struct l2v_ike_peer *peer, uint32_t spi_in)
{
    (void)user;
    (void)peer;
    (void)spi_in;
}

static void child_down(void *user, struct l2v_ike_peer *peer, uint32_t spi_in)
{
    struct end *e = user;
    (void)peer;
    for (unsigned i = 0; i < e->n_children; i++) {
        if (e->children[i] == spi_in) {
            e->children[i] = e->children[--e->n_children];
            return;
        }
    }
    abort(); /* was never installed */
}

static const struct l2v_ike_ops ops = {
    transmit,  keepalive,  new_spi,  free_spi,        peer_accept, peer_up,
    peer_down, peer_moved, child_up, child_confirmed, child_down,
};

static void make_end(struct lab *lab, struct l2v_crypto *crypto, struct end *e, bool server)
{
    static const uint8_t key[] = "a pre-shared key of some length";
    l2tpvoip_psk psk = {.size = sizeof psk, .len = sizeof key - 1, .key = key};
    l2tpvoip_ipsec_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.psks = &psk;
    o.n_psks = 1;
    o.ike_proposals = "aes256-sha256-ecp256";
    o.esp_proposals = "aes256gcm16,aes128-sha256";
    l2v_jobs_init(&e->jobs, &lab->te->env, NULL, NULL);
    if (l2v_ike_config_new(&lab->te->env, crypto, &o, server, &e->config, NULL) != 0 ||
        l2v_ike_new(&lab->te->env, crypto, &e->jobs, &ops, e, &e->ike) != 0) {
        abort();
    }
}

static void run_jobs(struct lab *lab)
{
    while (l2v_jobs_run_one(&lab->c.jobs) || l2v_jobs_run_one(&lab->s.jobs)) {
    }
}

static struct l2v_ike_route route_to(bool server, bool marker)
{
    l2tpvoip_addr client = l2v_addr_from_ip4(0xcb007107, 40000);
    l2tpvoip_addr home = l2v_addr_from_ip4(0xc6336401, marker ? 4500 : 500);
    struct l2v_ike_route r = {.path_id = server ? 2 : 9, .marker = marker};
    r.local = server ? home : client;
    r.remote = server ? client : home;
    return r;
}

static void give(struct lab *lab, bool server, bool marker, const uint8_t *data, size_t len)
{
    struct end *e = server ? &lab->s : &lab->c;
    struct l2v_ike_route route = route_to(server, marker);
    struct l2v_pkt *pkt = l2v_pkt_copy(&lab->te->env, data, len);
    if (pkt != NULL) {
        (void)l2v_ike_input(e->ike, &route, pkt);
        l2v_pkt_free(pkt);
    }
    run_jobs(lab);
}

static void pass_on(struct lab *lab, bool from_server, const uint8_t *change)
{
    struct end *e = from_server ? &lab->s : &lab->c;
    uint8_t copy[sizeof e->last];
    size_t len = e->last_len;
    if (len == 0) {
        return;
    }
    memcpy(copy, e->last, len);
    if (change != NULL) {
        copy[(size_t)(change[0] << 8 | change[1]) % len] ^= change[2];
    }
    give(lab, !from_server, e->last_route.marker, copy, len);
}

static void give_whole(struct lab *lab, const uint8_t *data, size_t len)
{
    uint8_t copy[4096];
    for (unsigned round = 0; round < 4; round++) {
        struct end *e = round % 2 == 0 ? &lab->c : &lab->s;
        memcpy(copy, data, len);
        give(lab, true, false, copy, len);
        give(lab, false, true, copy, len);
        if (e->last_len >= 16) {
            memcpy(copy, e->last, 16);
        }
        give(lab, true, true, copy, len);
        give(lab, false, false, copy, len);
        pass_on(lab, round % 2 != 0, NULL);
    }
}

static void run_script(struct lab *lab, const uint8_t *data, size_t len)
{
    struct l2v_reader r;
    l2v_reader_init(&r, data, len);
    for (unsigned steps = 0; l2v_reader_left(&r) > 0 && steps < 64; steps++) {
        unsigned op = l2v_read_u8(&r);
        bool server = (op & 8) != 0, marker = (op & 16) != 0;
        size_t n;
        const uint8_t *bytes;
        switch (op & 7) {
        case 0:
        case 1:
            n = l2v_read_u8(&r);
            n = n * 2 < l2v_reader_left(&r) ? n * 2 : l2v_reader_left(&r);
            give(lab, server, marker, l2v_read_bytes(&r, n), n);
            break;
        case 2:
        case 3:
        case 4:
            pass_on(lab, server, NULL);
            break;
        case 5:
            bytes = l2v_read_bytes(&r, 3);
            pass_on(lab, server, bytes);
            break;
        case 6:
            lab->te->env.now_ns += (l2v_read_u8(&r) + UINT64_C(1)) * 500 * L2V_NS_PER_MS;
            l2v_timers_run(&lab->te->env.timers, lab->te->env.now_ns);
            run_jobs(lab);
            break;
        default:
            if (server && lab->s.peer != NULL && lab->s.n_children > 0) {
                l2v_ike_child_rekey(lab->s.peer, lab->s.children[0]);
            } else if (lab->c.peer != NULL) {
                l2v_ike_peer_rekey(lab->c.peer);
            }
            run_jobs(lab);
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct test_env te;
    static struct l2v_crypto *crypto;
    struct l2v_ike_route route = route_to(false, false);
    struct l2v_ike_header h;
    struct lab lab;

    if (crypto == NULL &&
        (test_env_init(&te, 1) != 0 || l2v_crypto_new(&te.env, NULL, &crypto) != 0)) {
        abort();
    }
    if (len > 4096) {
        return 0;
    }
    memset(&lab, 0, sizeof lab);
    lab.te = &te;
    te.seed = len;
    te.env.rnd_left = 0; /* the same bytes each time */
    make_end(&lab, crypto, &lab.s, true);
    make_end(&lab, crypto, &lab.c, false);
    if (l2v_ike_listen(lab.s.ike, lab.s.config, 8) != 0 ||
        l2v_ike_connect(lab.c.ike, lab.c.config, &route, 1701, 1701, &lab.c, &lab.c.peer) != 0) {
        abort();
    }
    run_jobs(&lab);
    if (l2v_ike_header_parse(data, len, &h) == 0 && h.length == len) {
        give_whole(&lab, data, len);
    } else {
        run_script(&lab, data, len);
    }
    l2v_ike_free(lab.c.ike);
    l2v_ike_free(lab.s.ike);
    l2v_jobs_clear(&lab.c.jobs);
    l2v_jobs_clear(&lab.s.jobs);
    l2v_ike_config_unref(lab.c.config);
    l2v_ike_config_unref(lab.s.config);
    return 0;
}
