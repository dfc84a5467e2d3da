/* SPDX-License-Identifier: MIT */
/* The simulated network of the engine tests. */
#include "ike_world.h"

#include <stdio.h>

#define NAT_IP 0xc0000201u /* 192.0.2.1 */

static unsigned roll(struct world *w, unsigned bound)
{
    return bound == 0 ? 0 : (unsigned)(test_random64(&w->seed) % bound);
}

/* --- the network ----------------------------------------------------------------------------- */

static l2tpvoip_addr source_of(const struct w_node *n, const struct l2v_ike_route *route)
{
    l2tpvoip_addr from = n->addr;
    if (n->server) {
        from.port = route->local.port;
    } else if (n->nat) {
        from = l2v_addr_from_ip4(NAT_IP, (uint16_t)(n->nat_base + (route->remote.port == 4500)));
    }
    return from;
}

static void enqueue(struct world *w, const struct w_dgram *proto, const uint8_t *data, size_t len)
{
    struct w_dgram *d = NULL;
    for (unsigned i = 0; i < W_QUEUE && d == NULL; i++) {
        d = w->queue[i].used ? NULL : &w->queue[i];
    }
    test_must(d != NULL);
    *d = *proto;
    d->used = true;
    d->data = len > 0 ? malloc(len) : NULL;
    if (len > 0) {
        memcpy(d->data, data, len);
    }
    d->len = len;
    d->order = w->order++;
    d->at = w->te.env.now_ns + w->delay_ns +
            (w->jitter_ns > 0 ? test_random64(&w->seed) % w->jitter_ns : 0);
    if (roll(w, 100) < w->reorder) {
        d->at += 4 * w->delay_ns + W_MS;
    }
    if (w->filter != NULL && !w->filter(w, d)) {
        free(d->data);
        d->used = false;
    }
}

static void launch(struct w_node *n, const struct w_dgram *proto, const uint8_t *data, size_t len)
{
    struct world *w = n->w;
    unsigned copies = roll(w, 100) < w->dup ? 2 : 1;
    if (n->mute || (roll(w, 100) < w->loss && !(proto->esp && w->esp_lossless))) {
        return;
    }
    while (copies-- > 0) {
        enqueue(w, proto, data, len);
    }
}

static struct w_node *find_node(struct world *w, const l2tpvoip_addr *to, uint16_t *ret_port)
{
    for (unsigned i = 0; i < w->n_nodes; i++) {
        struct w_node *n = &w->nodes[i];
        if (n->server && l2v_addr_equal_ip(&n->addr, to) && (to->port == 500 || to->port == 4500)) {
            *ret_port = to->port;
            return n;
        }
        if (!n->server && !n->nat && l2v_addr_equal(&n->addr, to)) {
            *ret_port = n->addr.port;
            return n;
        }
        if (!n->server && n->nat && l2v_addr_get_ip4(to) == NAT_IP &&
            (to->port == n->nat_base || to->port == n->nat_base + 1)) {
            *ret_port = n->addr.port;
            return n;
        }
    }
    return NULL;
}

static void receive_esp(struct w_node *n, const struct w_dgram *d)
{
    for (unsigned i = 0; i < W_CHILDREN; i++) {
        struct w_child *c = &n->children[i];
        if (c->live && c->c.spi_in == d->spi) {
            bool first = !c->used;
            test_must(memcmp(c->c.enc_in, d->key, sizeof d->key) == 0);
            n->esp_rx++;
            c->used = true;
            if (first) {
                l2v_ike_child_used(c->peer, d->spi);
            }
            if (c->live) {
                l2v_ike_peer_heard(c->peer);
            }
            return;
        }
    }
    n->esp_lost++;
}

static void deliver(struct world *w, struct w_dgram *d)
{
    uint16_t port = 0;
    struct w_node *n = find_node(w, &d->to, &port);
    struct l2v_ike_route route;
    struct l2v_pkt *pkt;

    if (n == NULL || n->ike == NULL) {
        return;
    }
    memset(&route, 0, sizeof route);
    route.local = n->addr;
    route.local.port = port;
    route.remote = d->from;
    route.path_id = n->server ? (port == 4500 ? 2 : 1) : 10 + n->index;
    route.marker = n->server ? port == 4500 : d->from.port == 4500;
    if (d->esp) {
        receive_esp(n, d);
        return;
    }
    test_must(route.marker == d->marker); /* both ends agree about the framing */
    pkt = l2v_pkt_copy(&w->te.env, d->data, d->len);
    if (pkt != NULL) {
        (void)l2v_ike_input(n->ike, &route, pkt);
        l2v_pkt_free(pkt);
    }
}

void w_inject(struct world *w, struct w_node *to, const l2tpvoip_addr *from, uint16_t to_port,
              const uint8_t *data, size_t len)
{
    struct w_dgram d;
    memset(&d, 0, sizeof d);
    d.from = *from;
    d.to = to->addr;
    d.to.port = to->server ? to_port : to->addr.port;
    d.marker = to->server ? to_port == 4500 : from->port == 4500;
    d.len = len;
    d.data = malloc(len > 0 ? len : 1);
    memcpy(d.data, data, len);
    deliver(w, &d);
    free(d.data);
}

/* --- callbacks -----------------------------------------------------------------------------------
 */

static void on_transmit(void *user, const struct l2v_ike_route *route, struct l2v_pkt *pkt)
{
    struct w_node *n = user;
    struct w_dgram d;
    memset(&d, 0, sizeof d);
    d.from = source_of(n, route);
    d.to = route->remote;
    d.marker = route->marker;
    d.node = n->index;
    n->n_tx++;
    n->max_ike_len = pkt->len > n->max_ike_len ? (unsigned)pkt->len : n->max_ike_len;
    launch(n, &d, pkt->data, pkt->len);
    l2v_pkt_free(pkt);
}

static void on_keepalive(void *user, const struct l2v_ike_route *route)
{
    struct w_node *n = user;
    test_must(route->marker);
    n->n_keepalive++;
}

static int on_new_spi(void *user, uint32_t *ret_spi)
{
    struct w_node *n = user;
    *ret_spi = 0x1000 + (n->index << 24) + n->next_spi++ * 7919u;
    return 0;
}

static void on_free_spi(void *user, uint32_t spi)
{
    (void)user;
    (void)spi;
}

static int on_accept(void *user, struct l2v_ike_peer *peer, void **ret_user)
{
    struct w_node *n = user;
    if (n->refuse_accept != 0) {
        return n->refuse_accept;
    }
    n->peer = peer;
    n->n_accept++;
    *ret_user = n;
    return 0;
}

static void on_up(void *user, struct l2v_ike_peer *peer, bool again)
{
    struct w_node *n = user;
    n->peer = peer;
    n->n_up++;
    n->n_again += again;
}

static void drop_children(struct w_node *n, const struct l2v_ike_peer *peer)
{
    for (unsigned i = 0; i < W_CHILDREN; i++) {
        if (n->children[i].live && n->children[i].peer == peer) {
            n->children[i].live = false;
            if (n->out == &n->children[i]) {
                n->out = NULL;
            }
        }
    }
}

static void on_down(void *user, struct l2v_ike_peer *peer, const l2tpvoip_failure *f)
{
    struct w_node *n = user;
    n->n_down++;
    n->failure = *f;
    drop_children(n, peer);
    if (n->peer == peer) {
        n->peer = NULL;
    }
}

static void on_moved(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_route *route)
{
    struct w_node *n = user;
    (void)peer;
    (void)route;
    n->n_moved++;
}

static int on_child_up(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_child *c)
{
    struct w_node *n = user;
    struct w_child *slot = NULL;
    for (unsigned i = 0; i < W_CHILDREN && slot == NULL; i++) {
        slot = n->children[i].live ? NULL : &n->children[i];
    }
    test_must(slot != NULL);
    if (n->refuse_child != 0) {
        return n->refuse_child;
    }
    if (n->close_on_child) {
        l2v_ike_peer_close(peer);
        n->peer = NULL;
        return L2TPVOIP_ERR_CLOSED;
    }
    memset(slot, 0, sizeof *slot);
    slot->c = *c;
    slot->peer = peer;
    slot->live = true;
    n->n_child_up++;
    if (c->confirmed || n->out == NULL) {
        slot->c.confirmed = true;
        n->out = slot;
    }
    return 0;
}

static void on_child_confirmed(void *user, struct l2v_ike_peer *peer, uint32_t spi_in)
{
    struct w_node *n = user;
    (void)peer;
    n->n_confirmed++;
    for (unsigned i = 0; i < W_CHILDREN; i++) {
        if (n->children[i].live && n->children[i].c.spi_in == spi_in) {
            n->children[i].c.confirmed = true;
            n->out = &n->children[i];
            return;
        }
    }
    ck_abort_msg("%s", "the confirmed pair is not installed");
}

static void on_child_down(void *user, struct l2v_ike_peer *peer, uint32_t spi_in)
{
    struct w_node *n = user;
    struct w_child *gone = NULL;
    n->n_child_down++;
    for (unsigned i = 0; i < W_CHILDREN; i++) {
        if (n->children[i].live && n->children[i].c.spi_in == spi_in &&
            n->children[i].peer == peer) {
            gone = &n->children[i];
        }
    }
    test_must(gone != NULL);
    gone->live = false;
    if (n->out == gone) {
        n->out = NULL;
        for (unsigned i = 0; i < W_CHILDREN; i++) {
            if (n->children[i].live) {
                n->out = &n->children[i];
            }
        }
    }
}

static const struct l2v_ike_ops w_ops = {
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

/* --- making
 * ---------------------------------------------------------------------------------------- */

void w_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    ck_assert_int_eq(test_env_init(&w->te, seed), 0);
    w->te.env.now_ns = 1000 * W_S;
    w->seed = seed * 77 + 5;
    w->delay_ns = 10 * W_MS;
    ck_assert_int_eq(l2v_crypto_new(&w->te.env, NULL, &w->crypto), 0);
}

void w_free(struct world *w)
{
    for (unsigned i = 0; i < w->n_nodes; i++) {
        struct w_node *n = &w->nodes[i];
        l2v_ike_free(n->ike);
    }
    for (unsigned i = 0; i < w->n_held; i++) {
        l2v_jobs_finish(w->held[i].job);
    }
    for (unsigned i = 0; i < w->n_nodes; i++) {
        l2v_jobs_clear(&w->nodes[i].jobs);
        l2v_ike_config_unref(w->nodes[i].config);
    }
    for (unsigned i = 0; i < W_QUEUE; i++) {
        if (w->queue[i].used) {
            free(w->queue[i].data);
        }
    }
    l2v_crypto_free(w->crypto);
    test_env_clear(&w->te);
}

void w_clear(struct world *w)
{
    w_free(w);
    ck_assert_int_eq(w->te.live, 0);
}

l2tpvoip_psk w_psk(const char *key, const char *remote_id)
{
    l2tpvoip_psk psk;
    memset(&psk, 0, sizeof psk);
    psk.size = sizeof psk;
    psk.key = (const uint8_t *)key;
    psk.len = (uint32_t)strlen(key);
    psk.remote_id = remote_id;
    return psk;
}

l2tpvoip_ipsec_options w_options(const l2tpvoip_psk *psk, unsigned n)
{
    l2tpvoip_ipsec_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.psks = psk;
    o.n_psks = n;
    o.ike_proposals = "aes256-sha256-ecp256";
    o.esp_proposals = "aes256gcm16,aes128-sha256";
    return o;
}

struct l2v_ike_config *w_config(struct world *w, bool server, const l2tpvoip_ipsec_options *o)
{
    struct l2v_ike_config *c = NULL;
    l2tpvoip_failure f;
    memset(&f, 0, sizeof f);
    int rc = l2v_ike_config_new(&w->te.env, w->crypto, o, server, &c, &f);
    if (rc != 0 && w->te.fail_at == 0) {
        ck_abort_msg("%s", f.message);
    }
    return c;
}

int w_node(struct world *w, struct w_node **ret, bool server, const char *addr,
           const l2tpvoip_ipsec_options *o)
{
    struct w_node *n = &w->nodes[w->n_nodes];
    int rc;
    memset(n, 0, sizeof *n);
    n->w = w;
    n->index = w->n_nodes;
    n->server = server;
    n->next_spi = 1 + (uint32_t)(w->seed % 1000);
    test_must(l2v_addr_parse(addr, &n->addr) == 0);
    l2v_jobs_init(&n->jobs, &w->te.env, NULL, NULL);
    w->n_nodes++;
    n->config = w_config(w, server, o);
    if (n->config == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    rc = l2v_ike_new(&w->te.env, w->crypto, &n->jobs, &w_ops, n, &n->ike);
    if (rc == 0 && server) {
        rc = l2v_ike_listen(n->ike, n->config, 64);
    }
    *ret = n;
    return rc;
}

int w_connect_ports(struct w_node *client, struct w_node *server, uint16_t local, uint16_t remote)
{
    struct l2v_ike_route route;
    memset(&route, 0, sizeof route);
    route.path_id = 10 + client->index;
    route.local = client->addr;
    route.remote = server->addr;
    route.remote.port = 500;
    return l2v_ike_connect(client->ike, client->config, &route, local, remote, client,
                           &client->peer);
}

int w_connect(struct w_node *client, struct w_node *server)
{
    return w_connect_ports(client, server, 1701, 1701);
}

void w_pair(struct world *w, struct w_node **client, struct w_node **server)
{
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    ck_assert_int_eq(w_node(w, server, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(w, client, false, "203.0.113.7:40000", &o), 0);
}

/* --- time
 * ------------------------------------------------------------------------------------------ */

static void run_jobs(struct world *w)
{
    for (unsigned i = 0; i < w->n_nodes; i++) {
        struct l2v_job *job;
        if (w->nodes[i].ike == NULL) {
            continue;
        }
        while ((job = l2v_jobs_take(&w->nodes[i].jobs)) != NULL) {
            w->jobs_run++;
            job->run(job);
            if (w->job_ns == 0) {
                l2v_jobs_finish(job);
            } else {
                test_must(w->n_held < 64);
                w->held[w->n_held++] = (struct w_job){job, w->te.env.now_ns + w->job_ns};
            }
        }
    }
}

static void finish_jobs(struct world *w)
{
    for (unsigned i = 0; i < w->n_held;) {
        if (w->held[i].at <= w->te.env.now_ns) {
            struct l2v_job *job = w->held[i].job;
            w->held[i] = w->held[--w->n_held];
            l2v_jobs_finish(job);
        } else {
            i++;
        }
    }
}

static void send_esp(struct w_node *n)
{
    struct w_dgram d;
    if (n->out == NULL || n->peer == NULL) {
        return;
    }
    memset(&d, 0, sizeof d);
    d.from = source_of(n, l2v_ike_peer_get_route(n->peer));
    d.to = l2v_ike_peer_get_route(n->peer)->remote;
    d.node = n->index;
    d.esp = true;
    d.spi = n->out->c.spi_out;
    memcpy(d.key, n->out->c.enc_out, sizeof d.key);
    n->esp_tx++;
    l2v_ike_peer_sent(n->peer);
    launch(n, &d, NULL, 0);
}

static uint64_t next_event(struct world *w)
{
    uint64_t next = l2v_timers_next(&w->te.env.timers);
    for (unsigned i = 0; i < W_QUEUE; i++) {
        if (w->queue[i].used && w->queue[i].at < next) {
            next = w->queue[i].at;
        }
    }
    for (unsigned i = 0; i < w->n_held; i++) {
        next = w->held[i].at < next ? w->held[i].at : next;
    }
    if (w->esp_every != 0 && w->esp_next < w->esp_until && w->esp_next < next) {
        next = w->esp_next;
    }
    return next;
}

static void deliver_due(struct world *w)
{
    for (;;) {
        struct w_dgram *best = NULL, d;
        for (unsigned i = 0; i < W_QUEUE; i++) {
            struct w_dgram *q = &w->queue[i];
            if (q->used && q->at <= w->te.env.now_ns &&
                (best == NULL || q->at < best->at ||
                 (q->at == best->at && q->order < best->order))) {
                best = q;
            }
        }
        if (best == NULL) {
            return;
        }
        d = *best;
        best->used = false;
        deliver(w, &d);
        free(d.data);
        run_jobs(w);
    }
}

static void turn(struct world *w, uint64_t now)
{
    w->te.env.now_ns = now > w->te.env.now_ns ? now : w->te.env.now_ns;
    finish_jobs(w);
    deliver_due(w);
    l2v_timers_run(&w->te.env.timers, w->te.env.now_ns);
    if (w->esp_every != 0 && w->esp_next <= w->te.env.now_ns && w->esp_next < w->esp_until) {
        w->esp_next += w->esp_every;
        for (unsigned i = 0; i < w->n_nodes; i++) {
            send_esp(&w->nodes[i]);
        }
    }
    run_jobs(w);
}

void w_run(struct world *w, uint64_t duration_ns)
{
    uint64_t end = w->te.env.now_ns + duration_ns;
    run_jobs(w);
    for (uint64_t next = next_event(w); next <= end; next = next_event(w)) {
        turn(w, next);
    }
    w->te.env.now_ns = end;
}

bool w_is_up(const struct w_node *n)
{
    return n->out != NULL && n->peer != NULL;
}

static bool all_settled(const struct world *w)
{
    for (unsigned i = 0; i < w->n_nodes; i++) {
        const struct w_node *n = &w->nodes[i];
        if (!n->server && n->ike != NULL && !w_is_up(n) && n->n_down == 0) {
            return false;
        }
    }
    return true;
}

bool w_run_up(struct world *w, uint64_t duration_ns)
{
    uint64_t end = w->te.env.now_ns + duration_ns;
    run_jobs(w);
    while (!all_settled(w)) {
        uint64_t next = next_event(w);
        if (next > end) {
            return false;
        }
        turn(w, next);
    }
    for (unsigned i = 0; i < w->n_nodes; i++) {
        if (!w->nodes[i].server && w->nodes[i].ike != NULL && !w_is_up(&w->nodes[i])) {
            return false;
        }
    }
    return true;
}

unsigned w_live(const struct w_node *n)
{
    unsigned live = 0;
    for (unsigned i = 0; i < W_CHILDREN; i++) {
        live += n->children[i].live;
    }
    return live;
}

unsigned w_check_keys(const struct w_node *a, const struct w_node *b)
{
    unsigned found = 0;
    for (unsigned i = 0; i < W_CHILDREN; i++) {
        const struct l2v_ike_child *x = &a->children[i].c;
        for (unsigned j = 0; j < W_CHILDREN && a->children[i].live; j++) {
            const struct l2v_ike_child *y = &b->children[j].c;
            if (!b->children[j].live || x->spi_in != y->spi_out) {
                continue;
            }
            found++;
            ck_assert_uint_eq(x->spi_out, y->spi_in);
            ck_assert_int_eq(x->suite, y->suite);
            ck_assert_uint_eq(x->enc_len, y->enc_len);
            ck_assert_uint_eq(x->auth_len, y->auth_len);
            ck_assert_mem_eq(x->enc_in, y->enc_out, x->enc_len);
            ck_assert_mem_eq(x->enc_out, y->enc_in, x->enc_len);
            if (x->auth_len > 0) {
                ck_assert_mem_eq(x->auth_in, y->auth_out, x->auth_len);
                ck_assert_mem_eq(x->auth_out, y->auth_in, x->auth_len);
            }
            ck_assert_int_ne(memcmp(x->enc_in, x->enc_out, x->enc_len), 0);
            ck_assert(x->initiator != y->initiator);
        }
    }
    return found;
}
