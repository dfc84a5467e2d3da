/* SPDX-License-Identifier: MIT */
/* A client's and a server's context, joined by a link that the fuzzer holds: every datagram waits
 * in a queue until it is delivered, lost, repeated or damaged. Virtual time, seeded random, bounded
 * steps. Whatever leaves a context or reaches a socket is judged here. */
#ifndef L2V_PAIR_NET_H
#define L2V_PAIR_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <l2tpvoip.h>

#define PAIR_MS UINT64_C(1000000)
#define PAIR_S UINT64_C(1000000000)
#define PAIR_PATHS 8u
#define PAIR_QUEUE 64u
#define PAIR_RECORD 32u
#define PAIR_JOBS 8u
#define PAIR_EVENTS 16u
#define PAIR_TUNNELS 3u
#define PAIR_SESSIONS 8u
#define PAIR_MESSAGES 2048u
#define PAIR_PORT 4000u

/* The invariants: a violation is a finding. */
#define PAIR_MUST(cond)                                                                            \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            pair_fail(__FILE__, __LINE__, #cond);                                                  \
        }                                                                                          \
    } while (0)
_Noreturn void pair_fail(const char *file, int line, const char *cond);

struct pair;

struct pair_flight {
    l2tpvoip_addr src, dst;
    uint8_t *data;
    size_t len;
};

struct pair_path {
    uint32_t id;
    l2tpvoip_addr local;
    bool open, announced;
};

struct pair_end {
    struct pair *pair;
    l2tpvoip_context *ctx;
    bool client;
    l2tpvoip_addr ip; /* as the other side sees it; a NAT may move it */
    uint16_t port_shift;
    struct pair_path paths[PAIR_PATHS];
    uint16_t next_port;
    uint64_t rng;
    long live;        /* blocks of its context */
    unsigned fail_in; /* the n-th allocation from now fails, 0 = none */
    bool external_jobs, writable, push;
    unsigned refuse; /* send_batch gives AGAIN that often */
    l2tpvoip_job *jobs[PAIR_JOBS];
    unsigned n_jobs;
    uint8_t at_event[PAIR_EVENTS]; /* what the callback does, 0 = nothing */
    uint8_t at_message;
};

struct pair {
    uint64_t now;
    bool plain;     /* no IPsec: L2TP may leave in clear */
    bool disturbed; /* the program closed or freed something: no promise that a tunnel works */
    unsigned steps; /* of the whole input */
    struct pair_end ends[2]; /* client, server */
    struct pair_flight queue[PAIR_QUEUE];
    unsigned n_queue;
    struct pair_flight record[PAIR_RECORD]; /* what was seen on the line, for replays */
    unsigned n_record;
    unsigned lose; /* datagrams that are lost next */
    l2tpvoip_tunnel_options to;
    l2tpvoip_server_options so;
    l2tpvoip_tunnel *tunnels[PAIR_TUNNELS];
    l2tpvoip_socket *sockets[PAIR_TUNNELS];
    l2tpvoip_server *server;
    l2tpvoip_socket *echo;
    l2tpvoip_session *sessions[PAIR_SESSIONS];
    uint32_t sent[2]; /* messages, by sender: client, server */
    uint8_t seen[2][PAIR_MESSAGES / 8];
    uint32_t received[2];
    long live_at_start; /* of the server */
};

/* Both contexts, a server, one tunnel that starts to connect. flags: first bytes of the input. */
void pair_init(struct pair *p, uint16_t flags);
/* Frees all; what is left of a context's memory is a finding. */
void pair_clear(struct pair *p);

/* One turn of both ends: paths, jobs, timers, output into the queue. False = nothing was due. */
bool pair_turn(struct pair *p);
/* A link without faults for that long. */
void pair_run(struct pair *p, uint64_t for_ns);
/* A datagram arrives at whoever has that address; data is copied. */
void pair_arrive(struct pair *p, const struct pair_flight *f, uint16_t segment, uint64_t now);
/* Takes the i-th of the queue out; the caller frees data. False = none. */
bool pair_take(struct pair *p, unsigned i, struct pair_flight *ret);
void pair_push(struct pair *p, const l2tpvoip_addr *src, const l2tpvoip_addr *dst,
               const uint8_t *data, size_t len);
void pair_free_context(struct pair *p, struct pair_end *end);
void pair_run_jobs(struct pair_end *end);
int pair_connect(struct pair *p, unsigned i);
int pair_serve(struct pair *p);
void pair_forget_tunnel(struct pair *p, unsigned i);
void pair_forget_server(struct pair *p);
/* Sends the next message of a side that the other side's judge knows. */
void pair_send(struct pair *p, bool client, l2tpvoip_socket *socket, l2tpvoip_session *session,
               const l2tpvoip_addr *to);

/* fuzz_pair.c: what the program does, in a callback or between calls. */
void pair_act(struct pair *p, struct pair_end *end, uint8_t what);

#endif
