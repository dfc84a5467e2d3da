/* SPDX-License-Identifier: MIT */
/* A small simulated network for IKE engines in virtual time: nodes, an address-translating box,
 * loss, reorder, duplicates; jobs inline or on a slow "thread"; a data plane that only counts. */
#ifndef L2V_IKE_WORLD_H
#define L2V_IKE_WORLD_H

#include <check.h>

#include <l2tpvoip/session.h>

#include "base_addr.h"
#include "ike_engine.h"
#include "test_env.h"

#define W_NODES 8
#define W_CHILDREN 40
#define W_QUEUE 512
#define W_MS L2V_NS_PER_MS
#define W_S L2V_NS_PER_S

struct w_child {
    struct l2v_ike_child c;
    struct l2v_ike_peer *peer;
    bool live, used;
};

struct world;
struct w_node {
    struct world *w;
    unsigned index;
    struct l2v_ike *ike;
    struct l2v_jobs jobs;
    struct l2v_ike_config *config;
    l2tpvoip_addr addr; /* client: with its one port; server: port 0, has 500 and 4500 */
    bool server;
    bool nat;          /* behind the box */
    uint16_t nat_base; /* the box maps to nat_base (+ 1 for port 4500) at 192.0.2.1 */
    bool mute;         /* everything that it sends is lost */
    uint32_t next_spi;
    struct l2v_ike_peer *peer; /* newest */
    unsigned n_up, n_again, n_down, n_accept, n_moved, n_child_up, n_confirmed, n_child_down,
        n_keepalive, n_tx;
    int refuse_accept, refuse_child;
    l2tpvoip_failure failure;
    struct w_child children[W_CHILDREN];
    struct w_child *out;
    unsigned esp_rx, esp_lost, esp_tx;
    bool close_on_child; /* closes the peer in the callback */
    unsigned max_ike_len;
};

struct w_dgram {
    bool used;
    uint64_t at;
    uint64_t order;
    l2tpvoip_addr from, to;
    unsigned node; /* sender */
    bool esp;
    bool marker;
    uint32_t spi;
    uint8_t key[8];
    size_t len;
    uint8_t *data;
};

struct w_job {
    struct l2v_job *job;
    uint64_t at;
};

struct world {
    struct test_env te;
    struct l2v_crypto *crypto;
    struct w_node nodes[W_NODES];
    unsigned n_nodes;
    struct w_dgram queue[W_QUEUE];
    uint64_t order;
    uint64_t seed;               /* of the network */
    unsigned loss, dup, reorder; /* percent */
    uint64_t delay_ns, jitter_ns;
    uint64_t job_ns; /* 0 = inline */
    struct w_job held[64];
    unsigned n_held, jobs_run;
    uint64_t esp_until; /* both sides of a pair send each esp_every */
    uint64_t esp_every, esp_next;
    bool (*filter)(struct world *w, struct w_dgram *d); /* false = dropped */
    void *filter_arg;
    bool esp_lossless;
};

void w_init(struct world *w, uint64_t seed);
void w_clear(struct world *w); /* frees all; fails when something leaked */
void w_free(struct world *w);  /* the same without looking for leaks */
l2tpvoip_ipsec_options w_options(const l2tpvoip_psk *psk, unsigned n);
l2tpvoip_psk w_psk(const char *key, const char *remote_id);
struct l2v_ike_config *w_config(struct world *w, bool server, const l2tpvoip_ipsec_options *o);
/* 0 = made. addr with a port for clients. */
int w_node(struct world *w, struct w_node **ret, bool server, const char *addr,
           const l2tpvoip_ipsec_options *o);
int w_connect(struct w_node *client, struct w_node *server);
int w_connect_ports(struct w_node *client, struct w_node *server, uint16_t local, uint16_t remote);
void w_run(struct world *w, uint64_t duration_ns);
/* Until every client has an outbound pair or has failed, at most that long. */
bool w_run_up(struct world *w, uint64_t duration_ns);
bool w_is_up(const struct w_node *n);
unsigned w_live(const struct w_node *n); /* installed pairs */
/* Both ends hold mirrored keys for every live pair that both know. Number of such pairs. */
unsigned w_check_keys(const struct w_node *a, const struct w_node *b);
void w_inject(struct world *w, struct w_node *to, const l2tpvoip_addr *from, uint16_t to_port,
              const uint8_t *data, size_t len);
/* With a default client and server of one key. */
void w_pair(struct world *w, struct w_node **client, struct w_node **server);

TCase *test_ike_pair(void);
TCase *test_ike_rekey(void);
TCase *test_ike_hostile(void);
TCase *test_ike_quirks(void);
TCase *test_ike_forgery(void);
TCase *test_ike_failures(void);

#endif
