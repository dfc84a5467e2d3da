/* SPDX-License-Identifier: MIT */
/* What scenarios are made of: a server, clients, calls, and the watch for clear text. */
#ifndef SIM_KIT_H
#define SIM_KIT_H

#include <stdio.h>

#include "sim_net.h"

#define KIT_MAX_CLIENTS 3u
#define KIT_MAX_PACKETS 65536u
#define KIT_RTP_PORT 4000u
#define KIT_MARK "RTP-IN-CLEAR"

struct kit;

struct kit_client {
    struct kit *kit;
    struct sim_host *host;
    l2tpvoip_tunnel_options options;
    l2tpvoip_tunnel *tunnel;
    bool up, down; /* by events */
    l2tpvoip_failure failure;
    l2tpvoip_socket *rtp;
    uint32_t sent, received, duplicated;
    uint8_t seen[KIT_MAX_PACKETS / 8];
    unsigned pings_ok, pings_bad;
    void (*on_message)(struct kit_client *c);
};

struct kit {
    struct sim sim;
    uint64_t rng; /* of the scenario */
    struct sim_host *srv;
    l2tpvoip_server *server;
    l2tpvoip_server_options server_options;
    l2tpvoip_user users[4];
    l2tpvoip_psk psk, client_psk;
    struct kit_client cli[KIT_MAX_CLIENTS];
    unsigned n_clients;
    l2tpvoip_socket *echo;
    uint64_t echoed;
    bool secure;         /* what leaves must be protected */
    char violation[128]; /* clear text that was seen */
    char why[512];
    const l2tpvoip_mem *mem;
};

/* Fails the scenario with a reason. */
#define CHECK(kit, cond, ...)                                                                      \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            int len_ = snprintf((kit)->why, sizeof (kit)->why, "line %d: ", __LINE__);             \
            (void)snprintf((kit)->why + len_, sizeof (kit)->why - (size_t)len_, __VA_ARGS__);      \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

void kit_init(struct kit *kit, uint64_t seed); /* a server host 192.0.2.1, one client 198.51.100.1 */
void kit_clear(struct kit *kit);
struct kit_client *kit_add_client(struct kit *kit, const char *ip4, const char *ip6);
void kit_no_ipsec(struct kit *kit);
int kit_start_server(struct kit *kit); /* context, server, echo socket */
int kit_start_client(struct kit_client *c); /* context */
int kit_connect(struct kit_client *c); /* tunnel */
/* All of it, until the client is up or down; true = up. */
bool kit_bring_up(struct kit *kit, uint64_t for_ns);
bool kit_wait(struct kit_client *c, uint64_t for_ns); /* until up or down; true = up */
bool kit_wait_down(struct kit_client *c, uint64_t for_ns);
int kit_open_rtp(struct kit_client *c); /* level 1 */
/* Sends a packet every 20 ms for that time, then waits for the echoes on their way. */
bool kit_call(struct kit *kit, uint64_t for_ns, void (*at_packet)(struct kit *kit, uint32_t n));
void kit_free_tunnel(struct kit_client *c);
bool kit_ping(struct kit_client *c, uint64_t for_ns);
const char *kit_failure(const struct kit_client *c);

#endif
