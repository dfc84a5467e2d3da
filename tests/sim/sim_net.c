/* SPDX-License-Identifier: MIT */
/* The simulated network: routing, links, NATs, and the loop in virtual time. */
#include "sim_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_host.h"

struct sim_flight {
    uint64_t at_ns, order;
    l2tpvoip_addr src, dst;
    size_t len;
    uint8_t data[];
};

uint64_t sim_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15)); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

double sim_unit(uint64_t *state)
{
    return (double)(sim_random(state) >> 11) / 9007199254740992.0;
}

l2tpvoip_addr sim_addr(const char *text)
{
    l2tpvoip_addr a;
    memset(&a, 0, sizeof a);
    if (l2tpvoip_addr_parse(text, &a) != 0) {
        abort();
    }
    return a;
}

static bool same_ip(const l2tpvoip_addr *a, const l2tpvoip_addr *b)
{
    return a->family != 0 && a->family == b->family &&
           memcmp(a->ip, b->ip, a->family == 6 ? 16 : 4) == 0;
}

void sim_init(struct sim *sim, uint64_t seed)
{
    memset(sim, 0, sizeof *sim);
    sim->rng = seed * UINT64_C(0xD1342543DE82EF95) + 1;
    sim->now_ns = 1000 * SIM_S;
}

void sim_clear(struct sim *sim)
{
    for (unsigned i = 0; i < sim->n_hosts; i++) {
        sim_host_stop(sim->hosts[i]);
        free(sim->hosts[i]);
    }
    for (size_t i = 0; i < sim->n_heap; i++) {
        free(sim->heap[i]);
    }
    free(sim->heap);
    memset(sim, 0, sizeof *sim);
}

/* --- the heap of datagrams under way -------------------------------------------------------------- */

static bool earlier(const struct sim_flight *a, const struct sim_flight *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void heap_push(struct sim *sim, struct sim_flight *f)
{
    if (sim->n_heap == sim->cap_heap) {
        sim->cap_heap = sim->cap_heap != 0 ? sim->cap_heap * 2 : 64;
        sim->heap = realloc(sim->heap, sim->cap_heap * sizeof *sim->heap);
        if (sim->heap == NULL) {
            abort();
        }
    }
    size_t i = sim->n_heap++;
    while (i > 0 && earlier(f, sim->heap[(i - 1) / 2])) {
        sim->heap[i] = sim->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    sim->heap[i] = f;
}

static struct sim_flight *heap_pop(struct sim *sim)
{
    struct sim_flight *top = sim->heap[0];
    struct sim_flight *last = sim->heap[--sim->n_heap];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= sim->n_heap) {
            break;
        }
        if (child + 1 < sim->n_heap && earlier(sim->heap[child + 1], sim->heap[child])) {
            child++;
        }
        if (!earlier(sim->heap[child], last)) {
            break;
        }
        sim->heap[i] = sim->heap[child];
        i = child;
    }
    sim->heap[i] = last;
    return top;
}

static void launch(struct sim *sim, uint64_t at_ns, const l2tpvoip_addr *src,
                   const l2tpvoip_addr *dst, const uint8_t *data, size_t len)
{
    struct sim_flight *f = malloc(sizeof *f + len);
    if (f == NULL) {
        abort();
    }
    f->at_ns = at_ns;
    f->order = sim->order++;
    f->src = *src;
    f->dst = *dst;
    f->len = len;
    memcpy(f->data, data, len);
    heap_push(sim, f);
}

void sim_inject(struct sim *sim, const l2tpvoip_addr *src, const l2tpvoip_addr *dst,
                const uint8_t *data, size_t len)
{
    launch(sim, sim->now_ns, src, dst, data, len);
}

/* --- NAT -------------------------------------------------------------------------------------------- */

struct sim_nat *sim_nat_new(struct sim *sim, const char *public_ip)
{
    if (sim->n_nats == SIM_MAX_NATS) {
        abort();
    }
    struct sim_nat *nat = &sim->nats[sim->n_nats++];
    nat->ip = sim_addr(public_ip);
    nat->timeout_ns = 60 * SIM_S;
    nat->next_port = 20000;
    return nat;
}

void sim_nat_rebind(struct sim_nat *nat)
{
    for (unsigned i = 0; i < nat->n; i++) {
        nat->map[i].outer_port = nat->next_port++;
    }
}

static bool port_is_free(const struct sim_nat *nat, uint16_t port)
{
    for (unsigned i = 0; i < nat->n; i++) {
        if (nat->map[i].outer_port == port) {
            return false;
        }
    }
    return true;
}

static struct sim_mapping *map_out(struct sim_nat *nat, struct sim_host *host, uint16_t port,
                                   uint64_t now_ns)
{
    struct sim_mapping *m = NULL;
    for (unsigned i = 0; i < nat->n; i++) {
        if (nat->map[i].host == host && nat->map[i].inner_port == port) {
            m = &nat->map[i];
        }
    }
    if (m == NULL) {
        if (nat->n == SIM_MAX_MAPPINGS) {
            memmove(nat->map, nat->map + 1, sizeof nat->map[0] * --nat->n);
        }
        m = &nat->map[nat->n++];
        m->host = host;
        m->inner_port = port;
        m->outer_port = 0;
    }
    if (m->outer_port == 0 || now_ns - m->last_ns > nat->timeout_ns) {
        m->outer_port = 0;
        m->outer_port =
            nat->keep_ports && port_is_free(nat, port) ? port : nat->next_port++;
    }
    m->last_ns = now_ns;
    return m;
}

static struct sim_mapping *map_in(struct sim_nat *nat, uint16_t port, uint64_t now_ns)
{
    for (unsigned i = 0; i < nat->n; i++) {
        struct sim_mapping *m = &nat->map[i];
        if (m->outer_port == port && now_ns - m->last_ns <= nat->timeout_ns) {
            return m;
        }
    }
    return NULL;
}

/* --- sending --------------------------------------------------------------------------------------- */

static bool link_drops(struct sim *sim, const struct sim_link *link, size_t len)
{
    return (link->mtu != 0 && len > link->mtu) || sim_unit(&sim->rng) < link->loss;
}

static uint64_t link_delay(struct sim *sim, const struct sim_link *link)
{
    uint64_t delay = link->delay_ns;
    if (link->jitter_ns != 0) {
        delay += sim_random(&sim->rng) % link->jitter_ns;
    }
    if (sim_unit(&sim->rng) < link->reorder) {
        delay += (sim_random(&sim->rng) % 30 + 5) * SIM_MS;
    }
    return delay;
}

void sim_send(struct sim_host *host, struct sim_path *path, const l2tpvoip_addr *dst,
              const uint8_t *data, size_t len)
{
    struct sim *sim = host->sim;
    l2tpvoip_addr src = path->local;
    src.port = path->local.port;
    if (host->nat == NULL || dst->family == 6) {
        memcpy(src.ip, dst->family == 6 ? host->ip6.ip : host->ip4.ip, sizeof src.ip);
    }
    if (sim->watch != NULL) {
        sim->watch(sim->watch_user, host, &src, dst, data, len);
    }
    sim->sent++;
    if (host->blackhole || link_drops(sim, &host->link, len)) {
        sim->lost++;
        return;
    }
    if (host->nat != NULL && dst->family == 4) {
        struct sim_mapping *m = map_out(host->nat, host, path->local.port, sim->now_ns);
        src = host->nat->ip;
        src.port = m->outer_port;
    }
    uint64_t start = sim->now_ns;
    if (host->link.rate_bps != 0) {
        start = path->free_ns > start ? path->free_ns : start;
        path->free_ns = start + (uint64_t)(len + 28) * 8 * SIM_S / host->link.rate_bps;
        start = path->free_ns;
    }
    launch(sim, start + link_delay(sim, &host->link), &src, dst, data, len);
    if (sim_unit(&sim->rng) < host->link.duplicate) {
        launch(sim, start + link_delay(sim, &host->link), &src, dst, data, len);
    }
}

/* --- delivering -------------------------------------------------------------------------------------- */

static struct sim_host *find_host(struct sim *sim, struct sim_flight *f, uint16_t *ret_port)
{
    for (unsigned i = 0; i < sim->n_nats; i++) {
        if (same_ip(&sim->nats[i].ip, &f->dst)) {
            struct sim_mapping *m = map_in(&sim->nats[i], f->dst.port, sim->now_ns);
            *ret_port = m != NULL ? m->inner_port : 0;
            return m != NULL ? m->host : NULL;
        }
    }
    *ret_port = f->dst.port;
    for (unsigned i = 0; i < sim->n_hosts; i++) {
        struct sim_host *h = sim->hosts[i];
        if (same_ip(&h->ip4, &f->dst) || same_ip(&h->ip6, &f->dst)) {
            return h;
        }
    }
    return NULL;
}

static struct sim_path *find_port(struct sim_host *host, uint16_t port, uint8_t family)
{
    for (unsigned i = 0; i < SIM_MAX_PATHS; i++) {
        struct sim_path *p = &host->paths[i];
        if (p->open && p->local.port == port && p->local.family == family) {
            return p;
        }
    }
    return NULL;
}

static void deliver(struct sim *sim, struct sim_flight *f)
{
    uint16_t port = 0;
    struct sim_host *host = find_host(sim, f, &port);
    struct sim_path *path = host != NULL ? find_port(host, port, f->dst.family) : NULL;
    if (path == NULL || host->ctx == NULL || host->blackhole || host->suspended ||
        link_drops(sim, &host->link, f->len)) {
        sim->lost++;
        return;
    }
    l2tpvoip_datagram dg;
    memset(&dg, 0, sizeof dg);
    dg.data = f->data;
    dg.len = f->len;
    dg.path_id = path->id;
    dg.flags = (sim_random(&sim->rng) & 1) != 0 ? L2TPVOIP_DATAGRAM_WRITABLE : 0;
    dg.local = path->local;
    dg.remote = f->src;
    dg.time_ns = sim_host_now(host);
    sim->delivered++;
    (void)l2tpvoip_context_input(host->ctx, &dg, 1, sim_host_now(host));
}

/* --- the loop -------------------------------------------------------------------------------------------- */

static uint64_t next_time(struct sim *sim)
{
    uint64_t next = sim->n_heap > 0 ? sim->heap[0]->at_ns : SIM_NEVER;
    for (unsigned i = 0; i < sim->n_hosts; i++) {
        uint64_t at = sim_host_next(sim->hosts[i]);
        next = at < next ? at : next;
    }
    return next;
}

static void step(struct sim *sim)
{
    while (sim->n_heap > 0 && sim->heap[0]->at_ns <= sim->now_ns) {
        struct sim_flight *f = heap_pop(sim);
        deliver(sim, f);
        free(f);
    }
    for (unsigned i = 0; i < sim->n_hosts; i++) {
        sim_host_work(sim->hosts[i]);
    }
}

bool sim_run(struct sim *sim, uint64_t for_ns, bool (*done)(void *user), void *user)
{
    uint64_t end = sim->now_ns + for_ns;
    unsigned stuck = 0;
    step(sim); /* what was done since the last run may have made output */
    for (;;) {
        if (done != NULL && done(user)) {
            return true;
        }
        uint64_t next = next_time(sim);
        if (next > end) {
            sim->now_ns = end;
            return false;
        }
        if (next > sim->now_ns) {
            sim->now_ns = next;
            stuck = 0;
        } else if (++stuck > 100000) {
            fprintf(stderr, "sim: time stands still\n");
            abort();
        }
        step(sim);
    }
}
