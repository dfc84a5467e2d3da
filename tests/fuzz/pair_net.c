/* SPDX-License-Identifier: MIT */
/* The ends of a fuzzed pair and the link between them. */
#include "pair_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_IDLE_TURNS 3000u /* without that time passes */

void pair_fail(const char *file, int line, const char *cond)
{
    (void)fprintf(stderr, "%s:%d: invariant violated: %s\n", file, line, cond);
    abort();
}

/* --- memory and random
 * ---------------------------------------------------------------------------- */

/* The fuzzer may let one allocation fail. */
static bool fails(struct pair_end *end)
{
    return end->fail_in > 0 && --end->fail_in == 0;
}

static void *count_malloc(void *user, size_t len)
{
    struct pair_end *end = user;
    void *p = fails(end) ? NULL : malloc(len > 0 ? len : 1);
    end->live += p != NULL;
    return p;
}

static void *count_calloc(void *user, size_t n, size_t len)
{
    struct pair_end *end = user;
    void *p = fails(end) ? NULL : calloc(n > 0 ? n : 1, len > 0 ? len : 1);
    end->live += p != NULL;
    return p;
}

static void *count_realloc(void *user, void *old, size_t len)
{
    struct pair_end *end = user;
    void *p = fails(end) ? NULL : realloc(old, len > 0 ? len : 1);
    end->live += old == NULL && p != NULL;
    return p;
}

static void count_free(void *user, void *p)
{
    ((struct pair_end *)user)->live -= p != NULL;
    free(p);
}

static int on_random(void *user, uint8_t *dst, size_t len)
{
    struct pair_end *end = user;
    for (size_t i = 0; i < len; i++) {
        end->rng = end->rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        dst[i] = (uint8_t)(end->rng >> 56);
    }
    return 0;
}

static uint64_t on_clock(void *user)
{
    return ((struct pair_end *)user)->pair->now;
}

/* --- what leaves
 * ------------------------------------------------------------------------------------ */

static bool contains(const uint8_t *data, size_t len, const char *text)
{
    size_t n = strlen(text);
    const uint8_t *end = data + len;
    for (const uint8_t *at = data; at != NULL && (size_t)(end - at) >= n; at++) {
        at = memchr(at, text[0], (size_t)(end - at));
        if (at == NULL || (size_t)(end - at) < n) {
            return false;
        }
        if (memcmp(at, text, n) == 0) {
            return true;
        }
    }
    return false;
}

/* With IPsec only ESP in UDP, IKE and keepalives leave. */
static void judge(const l2tpvoip_addr *src, const l2tpvoip_addr *dst, const uint8_t *data,
                  size_t len)
{
    bool natt = src->port == 4500 || dst->port == 4500;
    PAIR_MUST(src->port != 1701 && dst->port != 1701);
    PAIR_MUST(!contains(data, len, "PAIR-MARK"));
    PAIR_MUST(!contains(data, len, "host-in-clear"));
    if (natt && len == 1 && data[0] == 0xff) { /* rfc3948#2.3 */
        return;
    }
    if (natt && len >= 4 && memcmp(data, "\0\0\0\0", 4) == 0) { /* rfc3948#2.2 */
        data += 4;
        len -= 4;
    } else if (natt) {
        PAIR_MUST(len >= 32);
        return;
    }
    /* rfc2408#3.1: the length of the whole message */
    PAIR_MUST(len >= 28);
    PAIR_MUST(((size_t)data[24] << 24 | (size_t)data[25] << 16 | (size_t)data[26] << 8 |
               data[27]) == len);
}

void pair_push(struct pair *p, const l2tpvoip_addr *src, const l2tpvoip_addr *dst,
               const uint8_t *data, size_t len)
{
    if (p->n_queue == PAIR_QUEUE || len == 0) {
        return; /* the line is full */
    }
    struct pair_flight *f = &p->queue[p->n_queue];
    f->data = malloc(len);
    if (f->data == NULL) {
        return;
    }
    memcpy(f->data, data, len);
    f->len = len;
    f->src = *src;
    f->dst = *dst;
    p->n_queue++;
}

static void remember(struct pair *p, const struct pair_flight *f)
{
    struct pair_flight *r = &p->record[p->n_record++ % PAIR_RECORD];
    free(r->data);
    *r = *f;
    r->data = malloc(f->len);
    if (r->data != NULL) {
        memcpy(r->data, f->data, f->len);
    }
}

static void leave(struct pair_end *end, const l2tpvoip_datagram *dg)
{
    struct pair *p = end->pair;
    l2tpvoip_addr src = end->ip;
    for (unsigned i = 0; i < PAIR_PATHS; i++) {
        if (end->paths[i].open && end->paths[i].id == dg->path_id) {
            src.port = (uint16_t)(end->paths[i].local.port + end->port_shift);
        }
    }
    PAIR_MUST(dg->len > 0 && dg->len <= 65507);
    if (!p->plain) {
        judge(&src, &dg->remote, dg->data, dg->len);
    }
    if (p->lose > 0) {
        p->lose--;
        return;
    }
    unsigned before = p->n_queue;
    pair_push(p, &src, &dg->remote, dg->data, dg->len);
    if (p->n_queue > before) {
        remember(p, &p->queue[before]);
    }
}

/* --- io operations
 * ----------------------------------------------------------------------------------- */

static int on_path_open(void *user, const l2tpvoip_path_request *request)
{
    struct pair_end *end = user;
    for (unsigned i = 0; i < PAIR_PATHS; i++) {
        struct pair_path *path = &end->paths[i];
        if (!path->open) {
            path->open = true;
            path->announced = false;
            path->id = request->path_id;
            path->local = end->ip;
            path->local.port = request->local.port != 0 ? request->local.port : end->next_port++;
            return 0;
        }
    }
    return L2TPVOIP_ERR_LIMIT;
}

static void on_path_close(void *user, uint32_t path_id)
{
    struct pair_end *end = user;
    for (unsigned i = 0; i < PAIR_PATHS; i++) {
        if (end->paths[i].open && end->paths[i].id == path_id) {
            end->paths[i].open = false;
        }
    }
}

static int on_send_batch(void *user, const l2tpvoip_datagram *v, size_t n, size_t *ret_sent)
{
    struct pair_end *end = user;
    *ret_sent = 0;
    /* Inside of a provider operation nothing is legal, and all of it says so. */
    PAIR_MUST(end->ctx == NULL ||
              l2tpvoip_context_handle_expiry(end->ctx, end->pair->now) == L2TPVOIP_ERR_REENTRANT);
    if (end->refuse > 0) {
        end->refuse--;
        return L2TPVOIP_ERR_AGAIN;
    }
    for (size_t i = 0; i < n; i++) {
        leave(end, &v[i]);
        *ret_sent = i + 1;
    }
    return 0;
}

/* --- events and messages
 * ------------------------------------------------------------------------------ */

static void note_session(struct pair *p, const l2tpvoip_event *event)
{
    for (unsigned i = 0; i < PAIR_SESSIONS; i++) {
        if (event->type == L2TPVOIP_EVENT_SESSION_UP && p->sessions[i] == NULL) {
            p->sessions[i] = event->session;
            return;
        }
        if (event->type == L2TPVOIP_EVENT_SESSION_DOWN && p->sessions[i] == event->session) {
            p->sessions[i] = NULL;
        }
    }
}

static void on_event(void *user, const l2tpvoip_event *event)
{
    struct pair_end *end = user;
    PAIR_MUST(event->type > 0 && event->type < PAIR_EVENTS);
    note_session(end->pair, event);
    if (event->type == L2TPVOIP_EVENT_TUNNEL_UP) {
        PAIR_MUST(event->session != NULL);
    }
    uint8_t what = end->at_event[event->type];
    end->at_event[event->type] = 0;
    if (what != 0) {
        pair_act(end->pair, end, what);
    }
}

static size_t make_message(uint32_t number, bool client, uint8_t data[256])
{
    size_t len = 16 + number * 13 % 200;
    memset(data, (int)(number * 7 + client), len);
    memcpy(data, "PAIR-MARK", 9);
    data[9] = client;
    data[10] = (uint8_t)(number >> 8);
    data[11] = (uint8_t)number;
    return len;
}

void pair_send(struct pair *p, bool client, l2tpvoip_socket *socket, l2tpvoip_session *session,
               const l2tpvoip_addr *to)
{
    uint8_t data[256];
    l2tpvoip_message m;
    size_t sent = 0;
    uint32_t number = p->sent[client ? 0 : 1];
    if (number >= PAIR_MESSAGES || socket == NULL) {
        return;
    }
    memset(&m, 0, sizeof m);
    m.data = data;
    m.len = make_message(number, client, data);
    m.session = session;
    m.remote = *to;
    p->sent[client ? 0 : 1]++; /* before: it may arrive within the call */
    (void)l2tpvoip_socket_send_batch(socket, &m, 1, &sent);
    PAIR_MUST(sent <= 1);
}

/* Only what the other program sent arrives, unchanged and once: rfc4303#3.4.3. */
static void judge_message(struct pair *p, bool from_client, const l2tpvoip_message *m)
{
    uint8_t data[256];
    PAIR_MUST(m->len >= 16 && m->len <= 256);
    uint32_t number = (uint32_t)m->data[10] << 8 | m->data[11];
    unsigned side = from_client ? 0 : 1;
    PAIR_MUST(number < p->sent[side]);
    PAIR_MUST(make_message(number, from_client, data) == m->len);
    PAIR_MUST(memcmp(data, m->data, m->len) == 0);
    if (!p->plain) {
        PAIR_MUST((p->seen[side][number / 8] >> (number % 8) & 1) == 0);
    }
    p->seen[side][number / 8] |= (uint8_t)(1u << (number % 8));
    p->received[side]++;
}

static void on_messages(void *user, l2tpvoip_socket *socket, const l2tpvoip_message *v, size_t n)
{
    struct pair_end *end = user;
    struct pair *p = end->pair;
    for (size_t i = 0; i < n; i++) {
        if (!p->plain) { /* without IPsec anybody may write anything */
            judge_message(p, !end->client, &v[i]);
        }
    }
    uint8_t what = end->at_message;
    end->at_message = 0;
    if (what != 0) {
        pair_act(p, end, what); /* socket and v may be gone now */
    } else if (!end->client) {
        pair_send(p, false, socket, v[0].session, &v[0].remote);
    }
}

/* --- life
 * --------------------------------------------------------------------------------------------- */

static int make_end(struct pair *p, struct pair_end *end, bool client, unsigned flags)
{
    l2tpvoip_io_ops io = {
        .size = sizeof io, .user = end, .path_open = on_path_open, .path_close = on_path_close};
    l2tpvoip_mem mem = {.size = sizeof mem,
                        .user = end,
                        .malloc_fn = count_malloc,
                        .calloc_fn = count_calloc,
                        .realloc_fn = count_realloc,
                        .free_fn = count_free};
    l2tpvoip_env_ops env = {
        .size = sizeof env, .user = end, .random = on_random, .monotonic_ns = on_clock};
    l2tpvoip_context_options o;
    end->pair = p;
    end->client = client;
    end->ip = (l2tpvoip_addr){.family = 4, .ip = {192, 0, 2, client ? 2 : 1}};
    end->next_port = 40000;
    end->rng = client ? 1 : 2;
    end->external_jobs = (flags & 1u) != 0;
    end->writable = (flags & 2u) != 0;
    end->push = (flags & 4u) != 0;
    io.send_batch = end->push ? on_send_batch : NULL;
    l2tpvoip_context_options_init(&o, sizeof o);
    o.io = &io;
    o.mem = &mem;
    o.env = &env;
    o.flags = end->external_jobs ? L2TPVOIP_CONTEXT_EXTERNAL_JOBS : 0;
    o.on_event = on_event;
    o.event_user = end;
    return l2tpvoip_context_new(&o, p->now, &end->ctx);
}

int pair_serve(struct pair *p)
{
    l2tpvoip_socket_options so;
    int rc = l2tpvoip_server_new(p->ends[1].ctx, &p->so, &p->server);
    if (rc != 0) {
        return rc;
    }
    l2tpvoip_socket_options_init(&so, sizeof so);
    so.local.family = 4;
    so.local.port = PAIR_PORT;
    so.on_messages = on_messages;
    so.user = &p->ends[1];
    return l2tpvoip_socket_new_server(p->server, &so, &p->echo);
}

int pair_connect(struct pair *p, unsigned i)
{
    return l2tpvoip_tunnel_new(p->ends[0].ctx, &p->to, &p->tunnels[i]);
}

static void open_socket(struct pair *p, unsigned i)
{
    l2tpvoip_session *session = l2tpvoip_tunnel_get_session(p->tunnels[i]);
    l2tpvoip_socket_options so;
    if (session == NULL || p->sockets[i] != NULL) {
        return;
    }
    l2tpvoip_socket_options_init(&so, sizeof so);
    so.local.family = 4;
    so.on_messages = on_messages;
    so.user = &p->ends[0];
    so.tos = 0xb8;
    (void)l2tpvoip_socket_new(session, &so, &p->sockets[i]);
}

static const l2tpvoip_psk psk = {sizeof psk, 16, (const uint8_t *)"a key of 16 byte", NULL};

static void set_options(struct pair *p, unsigned flags)
{
    static const l2tpvoip_user user = {.size = sizeof user,
                                       .password_len = 10,
                                       .name = "alice",
                                       .password = (const uint8_t *)"wonderland"};
    static const char *const esp[] = {"aes128gcm16", "aes128-sha256", "aes256gcm16", "aes128-sha1"};
    l2tpvoip_server_options *so = &p->so;
    l2tpvoip_tunnel_options *to = &p->to;
    l2tpvoip_server_options_init(so, sizeof *so);
    l2tpvoip_tunnel_options_init(to, sizeof *to);
    so->ipsec.psks = to->ipsec.psks = &psk;
    so->ipsec.n_psks = to->ipsec.n_psks = 1;
    so->ipsec.ike_proposals = to->ipsec.ike_proposals = "aes128-sha256-ecp256";
    so->ipsec.esp_proposals = to->ipsec.esp_proposals = esp[flags & 3u];
    so->ipsec.flags = to->ipsec.flags = L2TPVOIP_IPSEC_ALLOW_SHA1 |
                                        ((flags & 4u) != 0 ? L2TPVOIP_IPSEC_PFS : 0) |
                                        ((flags & 8u) != 0 ? L2TPVOIP_IPSEC_NO_INITIAL_CONTACT : 0);
    so->ipsec.esp_lifetime_s = (flags & 0x10u) != 0 ? 600 : 0;
    p->plain = (flags & 0xe0u) == 0xe0u;
    so->ipsec.security = to->ipsec.security =
        p->plain ? L2TPVOIP_SECURITY_NONE : L2TPVOIP_SECURITY_IPSEC;
    so->l2tp.host_name = to->l2tp.host_name = "host-in-clear";
    so->listen.family = 4;
    so->users = &user;
    so->n_users = 1;
    so->pool_size = 8;
    so->gateway = (l2tpvoip_addr){.family = 4, .ip = {10, 9, 0, 1}};
    so->pool_first = (l2tpvoip_addr){.family = 4, .ip = {10, 9, 0, 2}};
    to->server = "192.0.2.1";
    if ((flags & 0x20u) == 0) { /* else asked for by an event */
        to->ppp.user = "alice";
        to->ppp.password = (const uint8_t *)"wonderland";
        to->ppp.password_len = 10;
    }
}

void pair_init(struct pair *p, uint16_t flags)
{
    memset(p, 0, sizeof *p);
    p->now = 1000 * PAIR_S;
    set_options(p, flags >> 8);
    PAIR_MUST(make_end(p, &p->ends[0], true, flags) == 0);
    PAIR_MUST(make_end(p, &p->ends[1], false, flags >> 3) == 0);
    PAIR_MUST(pair_serve(p) == 0);
    p->live_at_start = p->ends[1].live;
    PAIR_MUST(pair_connect(p, 0) == 0);
}

void pair_forget_tunnel(struct pair *p, unsigned i)
{
    p->tunnels[i] = NULL;
    p->sockets[i] = NULL;
}

void pair_forget_server(struct pair *p)
{
    p->server = NULL;
    p->echo = NULL;
    memset(p->sessions, 0, sizeof p->sessions);
}

void pair_run_jobs(struct pair_end *end)
{
    while (end->n_jobs > 0) {
        l2tpvoip_job_run(end->jobs[--end->n_jobs]);
    }
}

void pair_free_context(struct pair *p, struct pair_end *end)
{
    l2tpvoip_context *ctx = end->ctx;
    end->ctx = NULL; /* jobs that are out may come back later */
    if (end->client) {
        for (unsigned i = 0; i < PAIR_TUNNELS; i++) {
            pair_forget_tunnel(p, i);
        }
    } else {
        pair_forget_server(p);
    }
    l2tpvoip_context_free(ctx);
}

void pair_clear(struct pair *p)
{
    for (unsigned i = 0; i < 2; i++) {
        pair_free_context(p, &p->ends[i]);
        pair_run_jobs(&p->ends[i]);
        PAIR_MUST(p->ends[i].live == 0);
    }
    for (unsigned i = 0; i < p->n_queue; i++) {
        free(p->queue[i].data);
    }
    for (unsigned i = 0; i < PAIR_RECORD; i++) {
        free(p->record[i].data);
    }
}

/* --- the loop
 * -------------------------------------------------------------------------------------------- */

bool pair_take(struct pair *p, unsigned i, struct pair_flight *ret)
{
    if (p->n_queue == 0) {
        return false;
    }
    i %= p->n_queue;
    *ret = p->queue[i];
    p->n_queue--;
    memmove(p->queue + i, p->queue + i + 1, (p->n_queue - i) * sizeof p->queue[0]);
    return true;
}

void pair_arrive(struct pair *p, const struct pair_flight *f, uint16_t segment, uint64_t now)
{
    for (unsigned e = 0; e < 2; e++) {
        struct pair_end *end = &p->ends[e];
        for (unsigned i = 0; i < PAIR_PATHS && end->ctx != NULL; i++) {
            const struct pair_path *path = &end->paths[i];
            if (!path->open || memcmp(end->ip.ip, f->dst.ip, 4) != 0 ||
                (uint16_t)(path->local.port + end->port_shift) != f->dst.port) {
                continue;
            }
            /* Exactly as long as the datagram, so that AddressSanitizer sees what goes beyond. */
            l2tpvoip_datagram dg = {.len = f->len,
                                    .path_id = path->id,
                                    .local = path->local,
                                    .remote = f->src,
                                    .segment_size = segment,
                                    .flags = end->writable ? L2TPVOIP_DATAGRAM_WRITABLE : 0};
            uint8_t *data = malloc(f->len);
            if (data != NULL) {
                memcpy(data, f->data, f->len);
                dg.data = data;
                (void)l2tpvoip_context_input(end->ctx, &dg, 1, now);
            }
            free(data);
            return;
        }
    }
}

static bool announce(struct pair_end *end)
{
    bool any = false;
    for (unsigned i = 0; i < PAIR_PATHS && end->ctx != NULL; i++) {
        struct pair_path *path = &end->paths[i];
        if (path->open && !path->announced) {
            path->announced = any = true;
            (void)l2tpvoip_context_path_up(end->ctx, path->id, &path->local, end->pair->now);
        }
    }
    return any;
}

static bool pull(struct pair_end *end)
{
    l2tpvoip_datagram v[16];
    size_t n = 0;
    if (end->ctx == NULL || end->push ||
        l2tpvoip_context_output(end->ctx, v, 16, &n, end->pair->now) != 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        leave(end, &v[i]);
    }
    if (n > 1 && end->ctx != NULL) {
        (void)l2tpvoip_context_release(end->ctx, v, n / 2); /* the rest by the next call */
    }
    return n > 0;
}

static bool turn_end(struct pair_end *end)
{
    struct pair *p = end->pair;
    bool any = announce(end);
    l2tpvoip_job *job = NULL;
    while (end->ctx != NULL && end->external_jobs && end->n_jobs < PAIR_JOBS &&
           l2tpvoip_context_take_job(end->ctx, &job) == 0 && job != NULL) {
        end->jobs[end->n_jobs++] = job;
    }
    if (end->ctx != NULL && l2tpvoip_context_get_expiry(end->ctx) <= p->now) {
        PAIR_MUST(l2tpvoip_context_handle_expiry(end->ctx, p->now) == 0);
        any = true;
    }
    return pull(end) || any;
}

bool pair_turn(struct pair *p)
{
    bool any = turn_end(&p->ends[0]);
    p->steps++;
    return turn_end(&p->ends[1]) || any;
}

static bool settle(struct pair *p)
{
    bool any = pair_turn(p);
    struct pair_flight f;
    for (unsigned e = 0; e < 2; e++) {
        struct pair_end *end = &p->ends[e];
        any = any || end->n_jobs > 0;
        pair_run_jobs(end);
        for (unsigned i = 0; end->push && end->ctx != NULL && i < PAIR_PATHS; i++) {
            if (end->paths[i].open) {
                (void)l2tpvoip_context_path_writable(end->ctx, end->paths[i].id, p->now);
            }
        }
    }
    for (unsigned n = p->n_queue; n > 0 && pair_take(p, 0, &f); n--) {
        pair_arrive(p, &f, 0, p->now);
        free(f.data);
        any = true;
    }
    for (unsigned i = 0; i < PAIR_TUNNELS; i++) {
        if (p->tunnels[i] != NULL) {
            open_socket(p, i);
        }
    }
    return any;
}

void pair_run(struct pair *p, uint64_t for_ns)
{
    uint64_t end_ns = p->now + for_ns;
    unsigned idle = 0; /* turns at one time */
    for (;;) {
        while (settle(p)) {
            PAIR_MUST(++idle < MAX_IDLE_TURNS); /* nobody waits for anything but time */
        }
        idle = 0;
        uint64_t next = end_ns;
        for (unsigned e = 0; e < 2; e++) {
            uint64_t at =
                p->ends[e].ctx != NULL ? l2tpvoip_context_get_expiry(p->ends[e].ctx) : UINT64_MAX;
            PAIR_MUST(at > p->now);
            next = at < next ? at : next;
        }
        if (next >= end_ns) {
            p->now = end_ns;
            return;
        }
        p->now = next;
    }
}
