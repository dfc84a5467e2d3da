/* SPDX-License-Identifier: MIT */
/* The inner network: one host (struct l2v_inet) with an interface per session. Client: one
 * interface. Server: one per client, so that a socket can hear them all. */
#ifndef L2V_INET_H
#define L2V_INET_H

#include "base_env.h"
#include "base_list.h"
#include "base_pkt.h"

struct l2v_inet;
struct l2v_inet_if;
struct l2v_inet_udp;

struct l2v_inet_if_ops {
    /* A whole inner IP packet for the link; takes pkt. pkt->klass and the IP TOS are set. */
    void (*transmit)(void *user, struct l2v_pkt *pkt, int family);
};

int l2v_inet_new(struct l2v_env *env, struct l2v_inet **ret_inet);
void l2v_inet_free(struct l2v_inet *inet); /* interfaces and sockets too, without callbacks */

int l2v_inet_if_new(struct l2v_inet *inet, const struct l2v_inet_if_ops *ops, void *user,
                    struct l2v_inet_if **ret_if);
void l2v_inet_if_free(struct l2v_inet_if *nif);
/* Addresses and MTU; family 0 removes. Sockets bound to "any" follow. */
void l2v_inet_if_set_address(struct l2v_inet_if *nif, const l2tpvoip_addr *local4,
                             const l2tpvoip_addr *remote4, const l2tpvoip_addr *local6,
                             const l2tpvoip_addr *remote6);
/* A server's interface takes inner sources only from the address that its client was given (also
 * the rule, unasked, on a host with several interfaces). Default off: a client hears any source. */
void l2v_inet_if_set_strict_source(struct l2v_inet_if *nif, bool strict);
void l2v_inet_if_set_mtu(struct l2v_inet_if *nif, uint32_t mtu);
uint32_t l2v_inet_if_get_mtu(const struct l2v_inet_if *nif);
void *l2v_inet_if_get_user(const struct l2v_inet_if *nif);
/* A packet from the link; checks, reassembles, demultiplexes, answers echo. Does not take pkt.
 * Drops are counted. 0, MALFORMED, NOT_FOUND, PENDING (a fragment that waits). */
int l2v_inet_input(struct l2v_inet_if *nif, struct l2v_pkt *pkt, int family);

/* --- UDP, RFC 768 ------------------------------------------------------------------------------------ */
struct l2v_inet_udp_meta {
    struct l2v_inet_if *nif;
    l2tpvoip_addr local, remote;
    uint64_t time_ns;
    uint8_t tos;
};
struct l2v_inet_udp_ops {
    /* pkt->data is the UDP payload. Does not take pkt; l2v_pkt_ref (or a copy if borrowed) keeps it. */
    void (*input)(void *user, struct l2v_pkt *pkt, const struct l2v_inet_udp_meta *meta);
    /* ICMP error for a packet that this socket sent; code UNREACHABLE, MSGSIZE, REFUSED. */
    void (*error)(void *user, int code, const l2tpvoip_addr *remote);
};
/* only: the interface it is tied to, or NULL = all. local: family 4 or 6, ip zero = any, port 0 =
 * ephemeral (random, RFC 6056). 0, EXISTS, NOMEM, LIMIT, INVALID. */
int l2v_inet_udp_new(struct l2v_inet *inet, struct l2v_inet_if *only, const l2tpvoip_addr *local,
                     const struct l2v_inet_udp_ops *ops, void *user, struct l2v_inet_udp **ret);
void l2v_inet_udp_free(struct l2v_inet_udp *udp);
int l2v_inet_udp_connect(struct l2v_inet_udp *udp, const l2tpvoip_addr *remote);
void l2v_inet_udp_get_local(const struct l2v_inet_udp *udp, l2tpvoip_addr *ret);
void l2v_inet_udp_get_remote(const struct l2v_inet_udp *udp, l2tpvoip_addr *ret); /* family 0 = not connected */
/* pkt: payload, with headroom. Fragments before the MTU (inner fragmentation). Takes pkt, also on
 * failure. nif NULL = chosen by destination. src NULL = the interface's. 0, UNREACHABLE, MSGSIZE,
 * NOMEM, STATE, INVALID. */
int l2v_inet_udp_output(struct l2v_inet_udp *udp, struct l2v_inet_if *nif, struct l2v_pkt *pkt,
                        const l2tpvoip_addr *to, uint8_t tos, uint8_t klass);

/* --- ICMP echo ------------------------------------------------------------------------------------------ */
typedef void (*l2v_inet_ping_fn)(void *user, int code, const l2tpvoip_addr *from, uint64_t rtt_ns);
int l2v_inet_ping(struct l2v_inet_if *nif, const l2tpvoip_addr *to, size_t payload_len,
                  uint64_t timeout_ns, l2v_inet_ping_fn fn, void *user);
/* Forgets all pings with this user, without callbacks. */
void l2v_inet_ping_cancel(struct l2v_inet_if *nif, const void *user);

/* RFC 1071 checksum; sum is folded in, host order. */
uint32_t l2v_inet_sum(const void *data, size_t len, uint32_t sum);
uint16_t l2v_inet_fold(uint32_t sum);

struct l2v_inet_stats {
    uint64_t rx_packets, tx_packets, malformed, checksum, no_socket, not_ours, fragments_in,
        reassembled, reassembly_failed, fragments_out, icmp_limited, spoofed;
};
const struct l2v_inet_stats *l2v_inet_get_stats(const struct l2v_inet *inet);

#endif
