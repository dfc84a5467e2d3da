/* SPDX-License-Identifier: MIT */
/* A network in memory with virtual time: hosts (each one a context of the library), links, NATs.
 * Only the public API is used. Everything random comes from one seed. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <l2tpvoip.h>

#define SIM_MS UINT64_C(1000000)
#define SIM_S UINT64_C(1000000000)
#define SIM_NEVER UINT64_MAX

#define SIM_MAX_HOSTS 8u
#define SIM_MAX_PATHS 8u
#define SIM_MAX_NATS 4u
#define SIM_MAX_MAPPINGS 32u
#define SIM_MAX_FDS 16u
#define SIM_MAX_JOBS 32u
#define SIM_N_EVENTS 16u

struct sim;
struct sim_host;

struct sim_link { /* of a host: both directions */
    double loss, duplicate, reorder; /* probabilities */
    uint64_t delay_ns, jitter_ns;
    uint64_t rate_bps; /* 0 = no limit */
    uint32_t mtu;      /* largest UDP payload; 0 = no limit */
};

struct sim_mapping {
    struct sim_host *host;
    uint16_t inner_port, outer_port;
    uint64_t last_ns;
};

struct sim_nat {
    l2tpvoip_addr ip; /* public */
    uint64_t timeout_ns;
    bool keep_ports; /* if they are free */
    uint16_t next_port;
    struct sim_mapping map[SIM_MAX_MAPPINGS];
    unsigned n;
};

struct sim_path {
    uint32_t id;
    bool open, announced;
    l2tpvoip_addr local;
    uint64_t free_ns; /* when the line has sent all */
};

/* Sees every datagram as a host sends it. */
typedef void (*sim_watch_fn)(void *user, struct sim_host *from, const l2tpvoip_addr *src,
                             const l2tpvoip_addr *dst, const uint8_t *data, size_t len);

struct sim_host {
    struct sim *sim;
    const char *name;
    l2tpvoip_addr ip4, ip6;
    struct sim_nat *nat;
    struct sim_link link;
    bool blackhole, suspended;
    uint64_t skew_ns; /* its clock is ahead by this */
    l2tpvoip_context *ctx;
    l2tpvoip_context_options options;
    l2tpvoip_io_ops io;
    l2tpvoip_env_ops env;
    l2tpvoip_log_ops log;
    bool pull;          /* no send_batch */
    uint32_t refuse_every; /* send_batch gives AGAIN on every n-th call; 0 = never */
    uint32_t sends;
    uint64_t writable_at_ns; /* of a path that gave AGAIN */
    uint64_t job_delay_ns;
    bool job_threads;
    l2tpvoip_job *jobs[SIM_MAX_JOBS];
    unsigned n_jobs;
    uint64_t jobs_at_ns;
    struct sim_path paths[SIM_MAX_PATHS];
    uint16_t next_port;
    bool fd_used[SIM_MAX_FDS], fd_set[SIM_MAX_FDS];
    bool woken;
    uint64_t resolve_id;
    bool resolve_ok;
    l2tpvoip_addr resolve_addr;
    uint64_t rng;
    unsigned events[SIM_N_EVENTS]; /* how many of each type came */
    int32_t last_code[SIM_N_EVENTS];
    l2tpvoip_session *last_session;
    void (*on_event)(struct sim_host *host, const l2tpvoip_event *event);
    void *user;
};

struct sim {
    uint64_t now_ns;
    uint64_t rng;
    struct sim_host *hosts[SIM_MAX_HOSTS];
    unsigned n_hosts;
    struct sim_nat nats[SIM_MAX_NATS];
    unsigned n_nats;
    struct sim_flight **heap;
    size_t n_heap, cap_heap;
    uint64_t order;
    uint64_t sent, lost, delivered;
    sim_watch_fn watch;
    void *watch_user;
    bool verbose;
};

uint64_t sim_random(uint64_t *state);
double sim_unit(uint64_t *state); /* [0, 1) */

void sim_init(struct sim *sim, uint64_t seed);
void sim_clear(struct sim *sim); /* contexts too */
l2tpvoip_addr sim_addr(const char *text);
struct sim_nat *sim_nat_new(struct sim *sim, const char *public_ip);
/* New ports for all; the old ones are dead. */
void sim_nat_rebind(struct sim_nat *nat);

/* The host's context is made by sim_host_start, after host->options was adjusted. */
struct sim_host *sim_host_new(struct sim *sim, const char *name, const char *ip4, const char *ip6);
int sim_host_start(struct sim_host *host);
void sim_host_stop(struct sim_host *host); /* without a word, as in a crash */
uint64_t sim_host_now(const struct sim_host *host);

/* Injects a datagram into the network as if it came from src. */
void sim_inject(struct sim *sim, const l2tpvoip_addr *src, const l2tpvoip_addr *dst,
                const uint8_t *data, size_t len);

/* Runs until done(user) or the time; true = done. done may be NULL. */
bool sim_run(struct sim *sim, uint64_t for_ns, bool (*done)(void *user), void *user);

#endif
