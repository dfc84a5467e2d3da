/* SPDX-License-Identifier: MIT */
/* A client and a server in one process, joined by memory alone: no socket, no system call. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define STEP_NS UINT64_C(1000)

static int on_path_open(void *user, const l2tpvoip_path_request *request)
{
    struct bench_end *end = user;
    for (size_t i = 0; i < BENCH_MAX_PATHS; i++) {
        if (!end->paths[i].open) {
            end->paths[i].open = true;
            end->n_paths = i >= end->n_paths ? i + 1 : end->n_paths;
            end->paths[i].announced = false;
            end->paths[i].id = request->path_id;
            end->paths[i].local = request->local;
            memcpy(end->paths[i].local.ip, end->ip, sizeof end->ip);
            if (request->local.port == 0) {
                end->paths[i].local.port = (uint16_t)(40000 + request->path_id);
            }
            return 0;
        }
    }
    return L2TPVOIP_ERR_LIMIT;
}

static void on_path_close(void *user, uint32_t path_id)
{
    struct bench_end *end = user;
    for (size_t i = 0; i < end->n_paths; i++) {
        if (end->paths[i].open && end->paths[i].id == path_id) {
            end->paths[i].open = false;
        }
    }
}

static void on_event(void *user, const l2tpvoip_event *event)
{
    struct bench_end *end = user;
    if (event->type == L2TPVOIP_EVENT_TUNNEL_UP || event->type == L2TPVOIP_EVENT_TUNNEL_DOWN) {
        end->last_event = event->type;
    }
}

static int make_end(struct bench_pair *p, struct bench_end *end, uint8_t last, uint32_t flags)
{
    l2tpvoip_io_ops io = {.size = sizeof io, .user = end, .path_open = on_path_open,
                          .path_close = on_path_close};
    l2tpvoip_mem mem = bench_mem(&end->heap);
    l2tpvoip_context_options co;
    memset(end, 0, sizeof *end);
    end->pair = p;
    end->external_jobs = (flags & L2TPVOIP_CONTEXT_EXTERNAL_JOBS) != 0;
    memcpy(end->ip, (uint8_t[]){192, 0, 2, last}, 4);
    l2tpvoip_context_options_init(&co, sizeof co);
    co.io = &io;
    co.mem = &mem;
    co.flags = flags;
    co.max_packets = 16384;
    co.on_event = on_event;
    co.event_user = end;
    return l2tpvoip_context_new(&co, p->now, &end->ctx);
}

bool bench_end_turn(const struct bench_end *to, const struct bench_end *from, l2tpvoip_datagram *d)
{
    l2tpvoip_addr source = {0};
    for (size_t i = 0; i < from->n_paths; i++) {
        if (from->paths[i].open && from->paths[i].id == d->path_id) {
            source = from->paths[i].local;
        }
    }
    for (size_t i = 0; i < to->n_paths; i++) {
        if (to->paths[i].open && to->paths[i].local.port == d->remote.port && source.family != 0) {
            d->path_id = to->paths[i].id;
            d->local = to->paths[i].local;
            d->remote = source;
            d->flags = L2TPVOIP_DATAGRAM_WRITABLE;
            d->ref = NULL;
            return true;
        }
    }
    return false;
}

static bool carry(struct bench_end *from, struct bench_end *to)
{
    struct bench_pair *p = from->pair;
    l2tpvoip_datagram v[BENCH_BATCH];
    size_t n = 0, kept = 0;
    if (l2tpvoip_context_output(from->ctx, v, BENCH_BATCH, &n, p->now) != 0 || n == 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        from->datagrams++;
        from->bytes += v[i].len;
        if (bench_end_turn(to, from, &v[i])) {
            v[kept++] = v[i];
        }
    }
    (void)l2tpvoip_context_input(to->ctx, v, kept, p->now);
    return true;
}

static bool announce(struct bench_end *end)
{
    bool any = false;
    for (size_t i = 0; i < end->n_paths; i++) {
        if (end->paths[i].open && !end->paths[i].announced) {
            end->paths[i].announced = any = true;
            (void)l2tpvoip_context_path_up(end->ctx, end->paths[i].id, &end->paths[i].local,
                                           end->pair->now);
        }
    }
    return any;
}

static bool expire(struct bench_end *end)
{
    if (l2tpvoip_context_get_expiry(end->ctx) > end->pair->now) {
        return false;
    }
    (void)l2tpvoip_context_handle_expiry(end->ctx, end->pair->now);
    return true;
}

/* With external jobs they are run here and now. */
static bool run_jobs(struct bench_end *end)
{
    l2tpvoip_job *job = NULL;
    bool any = false;
    while (l2tpvoip_context_take_job(end->ctx, &job) == 0 && job != NULL) {
        l2tpvoip_job_run(job);
        any = true;
    }
    return any;
}

bool bench_end_tick(struct bench_end *end)
{
    bool any = announce(end);
    any = expire(end) || any;
    return end->external_jobs && run_jobs(end) ? true : any;
}

void bench_pair_pump(struct bench_pair *p)
{
    bool busy = true;
    while (busy) {
        p->now += STEP_NS;
        busy = bench_end_tick(&p->client);
        busy = bench_end_tick(&p->server) || busy;
        busy = carry(&p->client, &p->server) || busy;
        busy = carry(&p->server, &p->client) || busy;
    }
}

static const l2tpvoip_psk psk = {sizeof psk, 16, (const uint8_t *)"a key of 16 byte", NULL};

static int make_server(struct bench_pair *p, const char *ike, const char *esp)
{
    static const l2tpvoip_user user = {.size = sizeof user, .name = "alice",
                                       .password = (const uint8_t *)"wonderland",
                                       .password_len = 10};
    l2tpvoip_server_options so;
    l2tpvoip_server_options_init(&so, sizeof so);
    so.listen.family = 4;
    so.ipsec.psks = &psk;
    so.ipsec.n_psks = 1;
    so.ipsec.flags = L2TPVOIP_IPSEC_ALLOW_SHA1;
    so.ipsec.ike_proposals = ike;
    so.ipsec.esp_proposals = esp;
    so.users = &user;
    so.n_users = 1;
    so.pool_size = 60000;
    (void)l2tpvoip_addr_parse("10.9.0.1", &so.gateway);
    (void)l2tpvoip_addr_parse("10.9.0.2", &so.pool_first);
    return l2tpvoip_server_new(p->server.ctx, &so, &p->lns);
}

/* What arrived by level 1. */
static void on_messages(void *user, l2tpvoip_socket *socket, const l2tpvoip_message *v, size_t n)
{
    struct bench_pair *p = user;
    (void)socket;
    (void)v;
    p->received += n;
}

static const char *client_ike, *client_esp;

int bench_pair_connect(struct bench_pair *p, l2tpvoip_tunnel **ret_tunnel)
{
    l2tpvoip_tunnel_options to;
    l2tpvoip_tunnel_options_init(&to, sizeof to);
    to.server = "192.0.2.1";
    to.ipsec.psks = &psk;
    to.ipsec.n_psks = 1;
    to.ipsec.ike_proposals = client_ike;
    to.ipsec.esp_proposals = client_esp;
    to.ipsec.flags = L2TPVOIP_IPSEC_FORCE_ENCAPS | L2TPVOIP_IPSEC_ALLOW_SHA1 |
                     L2TPVOIP_IPSEC_NO_INITIAL_CONTACT; /* they share an address */
    to.ppp.user = "alice";
    to.ppp.password = (const uint8_t *)"wonderland";
    to.ppp.password_len = 10;
    p->client.last_event = 0;
    int rc = l2tpvoip_tunnel_new(p->client.ctx, &to, ret_tunnel);
    if (rc != 0) {
        return rc;
    }
    for (int i = 0; i < 1000 && p->client.last_event != L2TPVOIP_EVENT_TUNNEL_UP; i++) {
        bench_pair_pump(p);
        p->now += UINT64_C(1000000); /* a timer may have to fire */
    }
    return p->client.last_event == L2TPVOIP_EVENT_TUNNEL_UP ? 0 : L2TPVOIP_ERR_TIMEOUT;
}

static int make_sockets(struct bench_pair *p)
{
    l2tpvoip_socket_options so;
    l2tpvoip_session_info info = {.size = sizeof info};
    int rc = l2tpvoip_session_get_info(p->session, &info);
    l2tpvoip_socket_options_init(&so, sizeof so);
    so.local.family = 4;
    so.tos = 0xb8;
    if (rc == 0) {
        rc = l2tpvoip_socket_new(p->session, &so, &p->out);
    }
    so.local.port = 5004;
    so.on_messages = on_messages;
    so.user = p;
    if (rc == 0) {
        rc = l2tpvoip_socket_new_server(p->lns, &so, &p->in);
    }
    p->to = info.remote4;
    p->to.port = 5004;
    return rc;
}

int bench_pair_init(struct bench_pair *p, const char *ike, const char *esp, uint32_t server_flags)
{
    memset(p, 0, sizeof *p);
    p->now = UINT64_C(1000000000);
    client_ike = ike;
    client_esp = esp;
    int rc = make_end(p, &p->client, 2, 0);
    rc = rc != 0 ? rc : make_end(p, &p->server, 1, server_flags);
    rc = rc != 0 ? rc : make_server(p, ike, esp);
    if (rc == 0) {
        bench_pair_pump(p);
        rc = bench_pair_connect(p, &p->tunnel);
    }
    if (rc == 0) {
        p->session = l2tpvoip_tunnel_get_session(p->tunnel);
        rc = make_sockets(p);
    }
    bench_pair_pump(p);
    return rc;
}

void bench_pair_clear(struct bench_pair *p)
{
    l2tpvoip_context_free(p->client.ctx);
    l2tpvoip_context_free(p->server.ctx);
}
