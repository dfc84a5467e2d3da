/* SPDX-License-Identifier: MIT */
/* Fuzz target: a session of a client and a server. The input is a script: two bytes of flags, then
 * steps of two bytes (what, argument), some with bytes behind them, that hold the link (lose,
 * repeat, reorder, damage, inject), the clock, and the program (close, free, rekey, send, also in
 * callbacks), and memory. Afterwards the link is perfect: a tunnel that says it is up must carry
 * messages. */
#include "pair_net.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MAX_STEPS 400u   /* of the script */
#define MOST_LEFT 32     /* blocks of a server that lost its clients */
#define MAX_TURNS 60000u /* of the contexts, then the script ends */

struct script {
    struct pair *p;
    const uint8_t *at;
    size_t left;
};

static uint8_t next_byte(struct script *s)
{
    if (s->left == 0) {
        return 0;
    }
    s->left--;
    return *s->at++;
}

/* --- what the program does
 * ------------------------------------------------------------------------ */

static void on_pong(void *user, int32_t code, const l2tpvoip_addr *from, uint64_t rtt_ns)
{
    struct pair_end *end = user;
    (void)from;
    PAIR_MUST(code <= 0 && (code != 0 || rtt_ns != UINT64_MAX));
    if (end->at_message != 0) {
        uint8_t what = end->at_message;
        end->at_message = 0;
        pair_act(end->pair, end, what);
    }
}

static void look_around(struct pair *p)
{
    l2tpvoip_context_stats cs = {.size = sizeof cs};
    l2tpvoip_session_stats ss = {.size = sizeof ss};
    l2tpvoip_session_info info = {.size = sizeof info};
    l2tpvoip_failure f;
    l2tpvoip_addr a[3];
    for (unsigned e = 0; e < 2; e++) {
        (void)l2tpvoip_context_get_stats(p->ends[e].ctx, &cs);
        (void)l2tpvoip_context_get_failure(p->ends[e].ctx, &f);
        (void)l2tpvoip_context_get_expiry(p->ends[e].ctx);
    }
    for (unsigned i = 0; i < PAIR_TUNNELS; i++) {
        uint64_t times[L2TPVOIP_N_PHASES];
        l2tpvoip_session *session = l2tpvoip_tunnel_get_session(p->tunnels[i]);
        (void)l2tpvoip_tunnel_get_failure(p->tunnels[i], &f);
        l2tpvoip_tunnel_get_phase_times(p->tunnels[i], times);
        (void)l2tpvoip_session_get_info(session, &info);
        (void)l2tpvoip_session_get_stats(session, &ss);
        (void)l2tpvoip_socket_get_local(p->sockets[i], &a[0]);
    }
    for (unsigned i = 0; i < PAIR_SESSIONS; i++) {
        (void)l2tpvoip_session_get_info(p->sessions[i], &info);
        (void)l2tpvoip_session_get_stats(p->sessions[i], &ss);
    }
    if (p->server != NULL) {
        (void)l2tpvoip_server_get_failure(p->server, &f);
        (void)l2tpvoip_server_get_addresses(p->server, &a[0], &a[1], &a[2]);
        PAIR_MUST(l2tpvoip_server_count_sessions(p->server) <= 8);
    }
}

static void reach_out(struct pair *p, unsigned i)
{
    l2tpvoip_addr gateway = {.family = 4, .port = PAIR_PORT, .ip = {10, 9, 0, 1}};
    l2tpvoip_addr client = {.family = 4, .port = 40000, .ip = {10, 9, 0, (uint8_t)(2 + i)}};
    if (p->sockets[i] != NULL) {
        pair_send(p, true, p->sockets[i], NULL, &gateway);
    }
    if (p->echo != NULL) {
        pair_send(p, false, p->echo, NULL, &client);
    }
}

static void ping(struct pair *p, unsigned i)
{
    l2tpvoip_addr to = {.family = 4, .ip = {10, 9, 0, 1}};
    l2tpvoip_session *session = l2tpvoip_tunnel_get_session(p->tunnels[i]);
    (void)l2tpvoip_session_ping(session, &to, 56, 2000, on_pong, &p->ends[0]);
    to.ip[3] = (uint8_t)(2 + i);
    (void)l2tpvoip_session_ping(p->sessions[i], &to, 1200, 2000, on_pong, &p->ends[1]);
}

static void report(struct pair *p, struct pair_end *end, unsigned how)
{
    l2tpvoip_addr other = p->ends[end->client ? 1 : 0].ip;
    for (unsigned i = 0; i < PAIR_PATHS && end->ctx != NULL; i++) {
        if (!end->paths[i].open) {
            continue;
        }
        uint32_t id = end->paths[i].id;
        if (how == 0) {
            p->disturbed = true;
            (void)l2tpvoip_context_path_down(end->ctx, id, L2TPVOIP_ERR_IO, p->now);
        } else if (how == 1) {
            (void)l2tpvoip_context_path_error(end->ctx, id, &other, L2TPVOIP_ERR_UNREACHABLE, 600,
                                              p->now);
        } else {
            (void)l2tpvoip_context_network_changed(end->ctx, p->now);
            (void)l2tpvoip_context_resumed(end->ctx, PAIR_S, p->now);
        }
    }
}

/* An entry call inside of a callback. */
static void nest(struct pair *p, struct pair_end *end)
{
    struct pair_flight f;
    if (pair_take(p, 0, &f)) {
        pair_arrive(p, &f, 0, p->now);
        free(f.data);
    }
    if (end->ctx != NULL) {
        (void)l2tpvoip_context_handle_expiry(end->ctx, p->now);
    }
}

static void end_tunnel(struct pair *p, unsigned i, bool free_it)
{
    l2tpvoip_tunnel *t = p->tunnels[i];
    p->disturbed = true;
    if (free_it) {
        pair_forget_tunnel(p, i);
        l2tpvoip_tunnel_free(t);
    } else {
        (void)l2tpvoip_tunnel_close(t);
    }
}

static void end_server(struct pair *p, bool free_it)
{
    l2tpvoip_server *server = p->server;
    p->disturbed = true;
    if (free_it) {
        pair_forget_server(p);
        l2tpvoip_server_free(server);
    } else if (server != NULL) {
        (void)l2tpvoip_server_close(server);
    }
}

static void free_socket(struct pair *p, unsigned i)
{
    l2tpvoip_socket *s = p->sockets[i];
    p->sockets[i] = NULL;
    p->disturbed = true;
    l2tpvoip_socket_free(s);
}

static void begin(struct pair *p, unsigned i)
{
    if (p->ends[0].ctx != NULL && p->tunnels[i] == NULL) {
        p->disturbed = true;
        (void)pair_connect(p, i);
    }
    if (p->ends[1].ctx != NULL && p->server == NULL) {
        (void)pair_serve(p);
    }
}

static void answer_credentials(struct pair *p, unsigned i)
{
    if (p->tunnels[i] != NULL) {
        (void)l2tpvoip_tunnel_provide_credentials(p->tunnels[i], "alice",
                                                  (const uint8_t *)"wonderland", 10);
    }
}

void pair_act(struct pair *p, struct pair_end *end, uint8_t what)
{
    unsigned i = what >> 5 & 3u;
    i = i < PAIR_TUNNELS ? i : 0;
    switch (what & 0x1fu) {
    case 1:
        end_tunnel(p, i, false);
        break;
    case 2:
        end_tunnel(p, i, true);
        break;
    case 3:
        begin(p, i);
        break;
    case 4:
        (void)l2tpvoip_tunnel_rekey(p->tunnels[i], L2TPVOIP_REKEY_CHILD);
        break;
    case 5:
        (void)l2tpvoip_tunnel_rekey(p->tunnels[i], L2TPVOIP_REKEY_IKE);
        break;
    case 6:
        end_server(p, false);
        break;
    case 7:
        end_server(p, true);
        break;
    case 8:
        p->disturbed = true;
        (void)l2tpvoip_session_close(p->sessions[i]);
        break;
    case 9:
        p->disturbed = true;
        pair_free_context(p, &p->ends[0]);
        break;
    case 10:
        p->disturbed = true;
        pair_free_context(p, &p->ends[1]);
        break;
    case 11:
        free_socket(p, i);
        break;
    case 12:
        ping(p, i);
        break;
    case 13:
        report(p, end, i);
        break;
    case 14:
        nest(p, end);
        break;
    case 15:
        look_around(p);
        break;
    case 16:
        answer_credentials(p, i);
        break;
    case 17:
        pair_run_jobs(end);
        break;
    default:
        reach_out(p, i);
        break;
    }
}

/* --- what the link and the clock do
 * ------------------------------------------------------------------ */

static void deliver(struct script *s, uint8_t arg)
{
    struct pair_flight f;
    if (pair_take(s->p, arg, &f)) {
        pair_arrive(s->p, &f, 0, s->p->now);
        free(f.data);
    }
}

static void repeat(struct script *s, uint8_t arg)
{
    struct pair *p = s->p;
    if (p->n_queue > 0) {
        struct pair_flight f = p->queue[arg % p->n_queue];
        pair_push(p, &f.src, &f.dst, f.data, f.len);
    }
}

static void drop(struct script *s, uint8_t arg)
{
    struct pair_flight f;
    if (pair_take(s->p, arg, &f)) {
        free(f.data);
    }
}

static void damage(struct script *s, uint8_t arg)
{
    struct pair *p = s->p;
    uint8_t where = next_byte(s);
    if (p->n_queue > 0) {
        struct pair_flight *f = &p->queue[arg % p->n_queue];
        f->data[where % f->len] ^= (uint8_t)(1u << (arg & 7u));
    }
}

static void shorten(struct script *s, uint8_t arg)
{
    struct pair *p = s->p;
    uint8_t off = next_byte(s);
    if (p->n_queue > 0) {
        struct pair_flight *f = &p->queue[arg % p->n_queue];
        f->len -= off % f->len;
    }
}

/* Raw bytes as a datagram, of the other end or of a stranger. arg: bit 0 to the server, bit 1
 * stranger, bit 2 port 4500, bit 3 marker in front, bit 4 a train. */
static void inject(struct script *s, uint8_t arg)
{
    struct pair *p = s->p;
    uint8_t data[260] = {0};
    size_t n = next_byte(s), head = (arg & 8u) != 0 ? 4 : 0;
    const struct pair_end *to = &p->ends[arg & 1u], *from = &p->ends[1 - (arg & 1u)];
    struct pair_flight f = {.src = from->ip, .dst = to->ip, .data = data};
    n = n < s->left ? n : s->left;
    memcpy(data + head, s->at, n);
    s->at += n;
    s->left -= n;
    f.len = n + head;
    if ((arg & 2u) != 0) {
        f.src.ip[3] = 77;
    }
    uint16_t server_port = p->plain ? 1701 : (arg & 4u) != 0 ? 4500 : 500;
    uint16_t client_port = (uint16_t)(40000 + p->ends[0].port_shift);
    f.src.port = (arg & 1u) != 0 ? client_port : server_port;
    f.dst.port = (arg & 1u) != 0 ? server_port : client_port;
    if (f.len > 0) {
        pair_arrive(p, &f, (arg & 0x10u) != 0 ? 32 : 0, p->now);
    }
}

/* Something that was on the line before, with some bytes written over it. */
static void replay(struct script *s, uint8_t arg)
{
    struct pair *p = s->p;
    size_t where = next_byte(s), n = next_byte(s) % 16u;
    struct pair_flight f = p->record[arg % PAIR_RECORD];
    if (f.data == NULL) {
        return;
    }
    f.data = malloc(f.len);
    if (f.data == NULL) {
        return;
    }
    memcpy(f.data, p->record[arg % PAIR_RECORD].data, f.len);
    for (; n > 0; n--, where++) {
        f.data[where % f.len] = next_byte(s);
    }
    if ((arg & 0x80u) != 0) {
        f.src.port++;
    }
    pair_arrive(p, &f, (arg & 0x40u) != 0 ? 100 : 0, p->now);
    free(f.data);
}

static void jump(struct script *s, uint8_t arg)
{
    s->p->now += PAIR_MS << (arg % 28u); /* up to a day and a half */
    (void)pair_turn(s->p);
}

/* The library never sees time go back, whatever it is told. */
static void jump_back(struct script *s, uint8_t arg)
{
    struct pair *p = s->p;
    struct pair_end *end = &p->ends[arg & 1u];
    uint64_t then = p->now - (PAIR_MS << (arg % 18u));
    struct pair_flight f;
    if (end->ctx != NULL) {
        (void)l2tpvoip_context_handle_expiry(end->ctx, then);
    }
    if (pair_take(p, 0, &f)) {
        pair_arrive(p, &f, 0, then);
        free(f.data);
    }
}

static void rebind(struct script *s, uint8_t arg)
{
    s->p->ends[0].port_shift = (uint16_t)(arg >> 4);
    s->p->ends[0].ip.ip[3] = (uint8_t)(2 + (arg & 3u));
}

static void arm(struct script *s, uint8_t arg)
{
    struct pair_end *end = &s->p->ends[arg & 1u];
    uint8_t what = next_byte(s);
    if ((arg & 0x20u) != 0) {
        end->at_message = what;
    } else {
        end->at_event[arg >> 1 & 15u] = what;
    }
}

static void refuse(struct pair *p, struct pair_end *end, uint8_t arg)
{
    if ((arg & 2u) != 0) {
        end->fail_in = 1 + (arg >> 2);
        p->disturbed = true;
    } else {
        end->refuse = arg >> 4;
    }
}

static void step(struct script *s, uint8_t what, uint8_t arg)
{
    struct pair *p = s->p;
    switch (what & 15u) {
    case 0:
        pair_run(p, arg * 40 * PAIR_MS);
        break;
    case 1:
        (void)pair_turn(p);
        deliver(s, arg);
        break;
    case 2:
        drop(s, arg);
        break;
    case 3:
        repeat(s, arg);
        break;
    case 4:
        damage(s, arg);
        break;
    case 5:
        shorten(s, arg);
        break;
    case 6:
        inject(s, arg);
        break;
    case 7:
        replay(s, arg);
        break;
    case 8:
        jump(s, arg);
        break;
    case 9:
        jump_back(s, arg);
        break;
    case 10:
        pair_act(p, &p->ends[arg >> 7], arg);
        break;
    case 11:
        arm(s, arg);
        break;
    case 12:
        rebind(s, arg);
        break;
    case 13:
        p->lose = arg % 32u;
        break;
    case 14:
        refuse(p, &p->ends[arg & 1u], arg);
        break;
    default:
        pair_run_jobs(&p->ends[arg & 1u]);
        (void)pair_turn(p);
        break;
    }
}

/* --- the end
 * --------------------------------------------------------------------------------------------- */

static void calm_down(struct pair *p)
{
    p->lose = 0;
    for (unsigned e = 0; e < 2; e++) {
        p->ends[e].refuse = p->ends[e].fail_in = 0;
        memset(p->ends[e].at_event, 0, sizeof p->ends[e].at_event);
        p->ends[e].at_message = 0;
    }
}

/* Whatever happened on the line: a tunnel is down, or it works again when the line does. */
static void prove(struct pair *p)
{
    pair_run(p, 5 * PAIR_S);
    if (p->disturbed || p->plain || p->sockets[0] == NULL) {
        return;
    }
    pair_run(p, 600 * PAIR_S);
    uint32_t before = p->received[0];
    if (l2tpvoip_tunnel_get_phase(p->tunnels[0]) == L2TPVOIP_PHASE_UP &&
        p->sent[0] < PAIR_MESSAGES) {
        reach_out(p, 0);
        pair_run(p, PAIR_S);
        PAIR_MUST(p->received[0] > before);
    }
}

/* The client vanishes without a word: the server keeps nothing of it. */
static void vanish(struct pair *p)
{
    struct pair_end *server = &p->ends[1];
    pair_free_context(p, &p->ends[0]);
    pair_run(p, 900 * PAIR_S);
    if (p->server != NULL) {
        PAIR_MUST(l2tpvoip_server_count_sessions(p->server) == 0);
        PAIR_MUST(server->live <= p->live_at_start + MOST_LEFT);
    }
    for (unsigned i = 0; i < PAIR_SESSIONS; i++) {
        PAIR_MUST(p->sessions[i] == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pair *p;
    if (len < 2 || (p = malloc(sizeof *p)) == NULL) {
        return 0;
    }
    struct script s = {.p = p, .at = data + 2, .left = len - 2};
    pair_init(p, (uint16_t)(data[0] << 8 | data[1]));
    for (unsigned n = 0; s.left >= 2 && n < MAX_STEPS && p->steps < MAX_TURNS; n++) {
        uint8_t what = next_byte(&s);
        uint8_t arg = next_byte(&s);
        step(&s, what, arg);
    }
    calm_down(p);
    prove(p);
    vanish(p);
    pair_clear(p);
    free(p);
    return 0;
}
