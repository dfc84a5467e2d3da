/* SPDX-License-Identifier: MIT */
/* What the benchmarks share: time, counting allocators, medians, output, a pair of contexts. */
#ifndef L2V_BENCH_H
#define L2V_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <l2tpvoip.h>

uint64_t bench_now(void);          /* CLOCK_MONOTONIC, ns */
double bench_median(double *v, size_t n); /* sorts v */

/* Allocations so far. */
struct bench_heap {
    uint64_t calls, live;
    int64_t bytes; /* usable size of what is live */
};
extern struct bench_heap bench_libcrypto;
void bench_count_libcrypto(void); /* before the first call of libcrypto */
l2tpvoip_mem bench_mem(struct bench_heap *heap);

/* One line a case: "ok   bench/NAME …" or "FAIL bench/NAME …", or a JSON object with --json. */
void bench_init(bool json);
void bench_case(const char *name, bool passed, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A figure of the case printed next, for --json. */
void bench_figure(const char *key, double value);
int bench_finish(void); /* closing line; exit status */

/* --- bare operations (bench_bare.c): the limits that libcrypto sets --------------------------------- */
struct bench_bare;
enum bench_suite { BENCH_AES128_GCM, BENCH_AES256_GCM, BENCH_AES128_SHA1, BENCH_AES256_SHA256, BENCH_N_SUITES };
struct bench_bare *bench_bare_new(enum bench_suite suite, bool seal);
void bench_bare_free(struct bench_bare *b);
/* The fastest way that EVP has to protect (or to check and decrypt) len bytes once; data has room for
 * 24 more (IV, and the ESP header that is authenticated). */
void bench_bare_run(struct bench_bare *b, uint8_t *data, size_t len);
/* ns of one key generation and one derivation in an IKE group (19, 20, 14…). */
double bench_bare_dh(unsigned group, unsigned rounds);

/* --- a client and a server joined in memory (bench_pair.c) --------------------------------------------- */
#define BENCH_BATCH 64u
#define BENCH_MAX_PATHS 256u
struct bench_end {
    l2tpvoip_context *ctx;
    struct bench_pair *pair;
    struct bench_heap heap;
    uint8_t ip[4];
    struct {
        uint32_t id;
        l2tpvoip_addr local;
        bool announced, open;
    } paths[BENCH_MAX_PATHS];
    size_t n_paths; /* slots used so far */
    bool external_jobs;
    uint32_t last_event;
    uint64_t datagrams, bytes; /* sent */
};
struct bench_pair {
    uint64_t now;
    struct bench_end client, server;
    l2tpvoip_server *lns;
    l2tpvoip_tunnel *tunnel;
    l2tpvoip_session *session;
    l2tpvoip_socket *out, *in; /* client's socket, server's socket on port 5004 */
    l2tpvoip_addr to;
    uint64_t received;
};
/* esp, ike: proposals, or NULL. 0 when up. server_flags: of the server's context. */
int bench_pair_init(struct bench_pair *p, const char *ike, const char *esp, uint32_t server_flags);
void bench_pair_clear(struct bench_pair *p);
/* Carries datagrams and fires timers until both sides are silent. */
void bench_pair_pump(struct bench_pair *p);
/* Reports paths, fires timers and runs a job of one end; false = nothing was due. */
bool bench_end_tick(struct bench_end *end);
/* Another client tunnel on the same contexts; 0 when up. */
int bench_pair_connect(struct bench_pair *p, l2tpvoip_tunnel **ret_tunnel);
/* Turns datagrams that one end sent into what the other receives; false = for nobody. */
bool bench_end_turn(const struct bench_end *to, const struct bench_end *from, l2tpvoip_datagram *d);

/* --- the benchmarks -------------------------------------------------------------------------------------- */
void bench_stack(void);
void bench_setup(void);
void bench_voice(void);
void bench_io(void);
void bench_bytes(void);

#endif
