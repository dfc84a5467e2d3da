/* SPDX-License-Identifier: MIT */
/* Fuzz target: what an authenticated peer may send. Two engines set up main and quick mode; then
 * the input, cut into records (how, what, length, bytes), is sent as the body of quick-mode,
 * informational and transaction messages under the ISAKMP SA, hashed and encrypted as they should
 * be, to either end; quick modes that an end has open are answered. Every SPI and every pair must
 * be accounted for. */
#include <stdlib.h>
#include <string.h>

#include "../unit/test_env.h"
#include "base_addr.h"
#include "ike_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define QUEUE 64u
#define SPIS 512u
#define BODY_MAX 1600u

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum spi_state { SPI_NONE = 0, SPI_OWNED, SPI_LIVE, SPI_GONE };

struct world;
struct node {
    struct world *w;
    unsigned index;
    struct l2v_ike *ike;
    struct l2v_jobs jobs;
    struct l2v_ike_config *config;
    struct l2v_ike_peer *peer;
    l2tpvoip_addr addr;
    uint8_t spis[SPIS];
    uint32_t n_spis, n_live;
};

struct message {
    struct l2v_ike_route route; /* of the receiver */
    unsigned to;
    struct l2v_pkt *pkt;
};

struct world {
    struct test_env te;
    struct l2v_crypto *crypto;
    struct node nodes[2]; /* client, server */
    struct message queue[QUEUE];
    unsigned head, n;
};

/* --- callbacks ----------------------------------------------------------------------------------
 */

static void on_transmit(void *user, const struct l2v_ike_route *route, struct l2v_pkt *pkt)
{
    struct node *n = user;
    struct world *w = n->w;
    if (w->n == QUEUE) {
        l2v_pkt_free(pkt);
        return;
    }
    struct message *m = &w->queue[(w->head + w->n++) % QUEUE];
    m->to = 1 - n->index;
    m->pkt = pkt;
    memset(&m->route, 0, sizeof m->route);
    m->route.path_id = m->to == 1 && route->remote.port == 4500 ? 2 : 1;
    m->route.local = route->remote;
    m->route.remote = n->addr;
    m->route.remote.port = n->index == 1 ? route->local.port : n->addr.port;
    m->route.marker = route->marker;
}

static void on_keepalive(void *user, const struct l2v_ike_route *route)
{
    (void)user;
    (void)route;
}

static int on_new_spi(void *user, uint32_t *ret_spi)
{
    struct node *n = user;
    if (n->n_spis == SPIS) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    n->spis[n->n_spis] = SPI_OWNED;
    *ret_spi = 0x1000 + n->n_spis++;
    return 0;
}

static uint8_t *spi_of(struct node *n, uint32_t spi)
{
    MUST(spi >= 0x1000 && spi - 0x1000 < n->n_spis);
    return &n->spis[spi - 0x1000];
}

static void on_free_spi(void *user, uint32_t spi)
{
    uint8_t *state = spi_of(user, spi);
    MUST(*state == SPI_OWNED);
    *state = SPI_GONE;
}

static int on_accept(void *user, struct l2v_ike_peer *peer, void **ret_user)
{
    struct node *n = user;
    n->peer = peer;
    *ret_user = n;
    return 0;
}

static void on_up(void *user, struct l2v_ike_peer *peer, bool again)
{
    (void)again;
    ((struct node *)user)->peer = peer;
}

static void on_down(void *user, struct l2v_ike_peer *peer, const l2tpvoip_failure *f)
{
    struct node *n = user;
    MUST(memchr(f->message, 0, sizeof f->message) != NULL);
    if (n->peer == peer) {
        n->peer = NULL;
    }
}

static void on_moved(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_route *route)
{
    (void)user;
    (void)peer;
    (void)route;
}

static int on_child_up(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_child *child)
{
    struct node *n = user;
    uint8_t *state = spi_of(n, child->spi_in);
    (void)peer;
    MUST(*state == SPI_OWNED);
    MUST(child->suite != L2V_SUITE_NONE && child->enc_len <= sizeof child->enc_in &&
         child->auth_len <= sizeof child->auth_in);
    if (child->spi_out % 13 == 12) {
        return L2TPVOIP_ERR_NOMEM; /* whether the SPI is freed then is the engine's matter */
    }
    *state = SPI_LIVE;
    n->n_live++;
    return 0;
}

static void on_child_confirmed(void *user, struct l2v_ike_peer *peer, uint32_t spi_in)
{
    (void)peer;
    MUST(*spi_of(user, spi_in) == SPI_LIVE);
}

static void on_child_down(void *user, struct l2v_ike_peer *peer, uint32_t spi_in)
{
    struct node *n = user;
    uint8_t *state = spi_of(n, spi_in);
    (void)peer;
    MUST(*state == SPI_LIVE);
    *state = SPI_GONE;
    n->n_live--;
}

static const struct l2v_ike_ops ops = {
    .transmit = on_transmit,
    .keepalive = on_keepalive,
    .new_spi = on_new_spi,
    .free_spi = on_free_spi,
    .peer_accept = on_accept,
    .peer_up = on_up,
    .peer_down = on_down,
    .peer_moved = on_moved,
    .child_up = on_child_up,
    .child_confirmed = on_child_confirmed,
    .child_down = on_child_down,
};

/* --- the pair ------------------------------------------------------------------------------------
 */

static void pump(struct world *w)
{
    bool busy = true;
    for (unsigned round = 0; busy && round < 200; round++) {
        busy = false;
        for (unsigned i = 0; i < 2; i++) {
            busy = l2v_jobs_run_one(&w->nodes[i].jobs) || busy;
        }
        if (w->n > 0) {
            struct message m = w->queue[w->head];
            w->head = (w->head + 1) % QUEUE;
            w->n--;
            (void)l2v_ike_input(w->nodes[m.to].ike, &m.route, m.pkt);
            l2v_pkt_free(m.pkt);
            busy = true;
        }
    }
}

static void drop_all(struct world *w)
{
    for (; w->n > 0; w->n--) {
        l2v_pkt_free(w->queue[w->head].pkt);
        w->head = (w->head + 1) % QUEUE;
    }
}

static void pass(struct world *w, uint64_t ns)
{
    w->te.env.now_ns += ns;
    l2v_timers_run(&w->te.env.timers, w->te.env.now_ns);
}

static void make_node(struct world *w, unsigned index, const l2tpvoip_ipsec_options *o)
{
    struct node *n = &w->nodes[index];
    l2tpvoip_failure f;
    n->w = w;
    n->index = index;
    n->addr = l2v_addr_from_ip4(index == 0 ? 0xc6336401 : 0xc0000201, index == 0 ? 40000 : 500);
    l2v_jobs_init(&n->jobs, &w->te.env, NULL, NULL);
    MUST(l2v_ike_config_new(&w->te.env, w->crypto, o, index == 1, &n->config, &f) == 0);
    MUST(l2v_ike_new(&w->te.env, w->crypto, &n->jobs, &ops, n, &n->ike) == 0);
}

static void make_pair(struct world *w, bool pfs)
{
    static const l2tpvoip_psk psk = {sizeof psk, 3, (const uint8_t *)"key", NULL};
    struct l2v_ike_route route;
    l2tpvoip_ipsec_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.psks = &psk;
    o.n_psks = 1;
    o.ike_proposals = "aes128-sha256-ecp256";
    o.esp_proposals = "aes256gcm16,aes128-sha256";
    o.flags = pfs ? L2TPVOIP_IPSEC_PFS : 0;
    make_node(w, 0, &o);
    make_node(w, 1, &o);
    MUST(l2v_ike_listen(w->nodes[1].ike, w->nodes[1].config, 64) == 0);
    memset(&route, 0, sizeof route);
    route.path_id = 1;
    route.local = w->nodes[0].addr;
    route.remote = w->nodes[1].addr;
    MUST(l2v_ike_connect(w->nodes[0].ike, w->nodes[0].config, &route, 1701, 1701, &w->nodes[0],
                         &w->nodes[0].peer) == 0);
    pump(w);
    MUST(w->nodes[0].n_live == 1 && w->nodes[1].n_live == 1);
}

/* --- messages
 * -------------------------------------------------------------------------------------- */

#define H_TO_SERVER 0x01u
#define H_ANSWER 0x02u /* in a quick mode that the receiver has open, else a new message id */
#define H_BAD_HASH 0x04u
#define H_NO_HASH 0x08u /* the bytes are the whole body */
#define H_PUMP 0x10u    /* what is sent then arrives, else it is lost */
#define H_TIME 0x20u
#define H_REKEY 0x40u /* first, the receiver starts a quick mode whose message is lost */
#define H_COMMIT 0x80u

static struct l2v_ike_qm *open_qm(struct l2v_ike_sa *sa)
{
    L2V_LIST_EACH(pos, &sa->qms)
    {
        struct l2v_ike_qm *qm = L2V_CONTAINER_OF(pos, struct l2v_ike_qm, node);
        if (qm->state == L2V_QM_I1 || qm->state == L2V_QM_R2) {
            return qm;
        }
    }
    return NULL;
}

static void put_hash(struct world *w, struct l2v_ike_sa *sa, const struct l2v_ike_qm *qm,
                     uint32_t mid, uint8_t *hash, const uint8_t *rest, size_t len)
{
    if (qm != NULL && qm->initiator) {
        MUST(l2v_ike1_hash2(w->crypto, &sa->keys, mid, qm->ni, qm->ni_len, rest, len, hash) == 0);
    } else if (qm != NULL) {
        MUST(l2v_ike1_hash3(w->crypto, &sa->keys, mid, qm->ni, qm->ni_len, qm->nr, qm->nr_len,
                            hash) == 0);
    } else {
        MUST(l2v_ike1_hash1(w->crypto, &sa->keys, mid, rest, len, hash) == 0);
    }
}

static void send_body(struct world *w, struct node *n, unsigned how, unsigned what, uint32_t mid,
                      const uint8_t *data, size_t len)
{
    static const uint8_t exchanges[] = {L2V_IKE1_EXCHANGE_QUICK, L2V_IKE1_EXCHANGE_INFO, 6, 33};
    static uint8_t msg[28 + 4 + L2V_HASH_MAX + BODY_MAX + 16];
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(n->peer);
    struct l2v_ike1_chain chain;
    if (sa == NULL || len == 0) {
        return;
    }
    struct l2v_ike_qm *qm = (how & H_ANSWER) != 0 ? open_qm(sa) : NULL;
    struct l2v_ike_route route = sa->route;
    size_t at = 28, head = (how & H_NO_HASH) != 0 ? 0 : 4 + sa->keys.hash_len;
    len = len < BODY_MAX ? len : BODY_MAX;
    memset(msg, 0, sizeof msg);
    memcpy(msg, sa->icookie, 8);
    memcpy(msg + 8, sa->rcookie, 8);
    msg[16] = head != 0 ? L2V_IKE1_PAYLOAD_HASH : data[0];
    msg[17] = 0x10;
    msg[18] = qm != NULL ? L2V_IKE1_EXCHANGE_QUICK : exchanges[what & 3u];
    msg[19] = (uint8_t)(1u | ((how & H_COMMIT) != 0 ? L2V_IKE1_FLAG_COMMIT : 0));
    mid = qm != NULL ? qm->message_id : mid;
    l2v_put_u32(msg + 20, mid);
    memcpy(msg + at + head, data + 1, len - 1);
    at += head + len - 1;
    if (head != 0) {
        msg[28] = data[0];
        l2v_put_u16(msg + 30, (unsigned)head);
        put_hash(w, sa, qm, mid, msg + 32, msg + 28 + head, len - 1);
        msg[32] ^= (how & H_BAD_HASH) != 0;
    }
    at = 28 + (at - 28 + sa->keys.block) / sa->keys.block * sa->keys.block;
    l2v_put_u32(msg + 24, (uint32_t)at);
    if (qm != NULL) {
        chain = qm->chain;
    } else {
        MUST(l2v_ike1_chain_phase2(w->crypto, &sa->keys, &sa->chain, mid, &chain) == 0);
    }
    MUST(l2v_ike1_encrypt(w->crypto, &sa->keys, &chain, msg, at) == 0);
    struct l2v_pkt *pkt = l2v_pkt_copy(&w->te.env, msg, at);
    if (pkt != NULL) {
        int rc = l2v_ike_input(n->ike, &route, pkt);
        MUST(rc != 0 || (how & (H_BAD_HASH | H_NO_HASH)) != H_BAD_HASH);
        l2v_pkt_free(pkt);
    }
}

static void play(struct world *w, const uint8_t *data, size_t len)
{
    struct l2v_reader r;
    l2v_reader_init(&r, data, len);
    for (uint32_t mid = 0x100; mid < 0x140 && l2v_reader_left(&r) >= 4; mid++) {
        unsigned how = l2v_read_u8(&r), what = l2v_read_u8(&r);
        size_t n = l2v_read_u16(&r), left = l2v_reader_left(&r);
        const uint8_t *body = l2v_read_bytes(&r, n < left ? n : left);
        struct node *to = &w->nodes[how & H_TO_SERVER];
        if ((how & H_REKEY) != 0 && to->peer != NULL && !l2v_list_is_empty(&to->peer->children)) {
            l2v_ike_child_rekey(
                to->peer,
                L2V_CONTAINER_OF(to->peer->children.next, struct l2v_ike_csa, node)->spi_in);
            while (l2v_jobs_run_one(&to->jobs)) {
            }
            drop_all(w);
        }
        if (to->peer != NULL && body != NULL) {
            send_body(w, to, how, what, mid, body, n < left ? n : left);
        }
        if ((how & H_PUMP) != 0) {
            pump(w);
        }
        drop_all(w);
        if ((how & H_TIME) != 0) {
            pass(w, (uint64_t)(what >> 2) * 500 * L2V_NS_PER_MS);
            pump(w);
        }
    }
}

/* --- life
 * --------------------------------------------------------------------------------------------- */

static void clear(struct world *w)
{
    drop_all(w);
    for (unsigned i = 0; i < 2; i++) {
        struct node *n = &w->nodes[i];
        unsigned live = 0;
        for (uint32_t s = 0; s < n->n_spis; s++) {
            live += n->spis[s] == SPI_LIVE;
        }
        MUST(live == n->n_live && live <= L2V_IKE_MAX_CHILDREN);
        l2v_ike_free(n->ike);
        l2v_jobs_clear(&n->jobs);
        l2v_ike_config_unref(n->config);
    }
    MUST(l2v_timers_next(&w->te.env.timers) == L2V_NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct world w;
    long live;
    if (w.crypto == NULL) {
        MUST(test_env_init(&w.te, 1) == 0 && l2v_crypto_new(&w.te.env, NULL, &w.crypto) == 0);
        w.te.env.now_ns = 1000 * L2V_NS_PER_S;
    }
    if (len < 1) {
        return 0;
    }
    live = w.te.live;
    w.te.seed = 1;
    w.te.env.rnd_left = 0; /* the same input, the same ids */
    memset(w.nodes, 0, sizeof w.nodes);
    w.head = w.n = 0;
    make_pair(&w, (data[0] & 1u) != 0);
    play(&w, data + 1, len - 1);
    for (unsigned i = 0; i < 40; i++) { /* what is open ends */
        pass(&w, (uint64_t)(i + 1) * 500 * L2V_NS_PER_MS);
        pump(&w);
    }
    clear(&w);
#ifdef L2V_NO_POOLS /* a pool keeps packets */
    MUST(w.te.live == live);
#else
    (void)live;
#endif
    return 0;
}
