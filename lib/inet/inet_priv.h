/* SPDX-License-Identifier: MIT */
/* What the files of the inner network share. */
#ifndef L2V_INET_PRIV_H
#define L2V_INET_PRIV_H

#include <string.h>

#include "base_addr.h"
#include "base_map.h"
#include "base_rate.h"
#include "base_wire.h"
#include "l2v_inet.h"

#define L2V_IP4_HEADER 20u
#define L2V_IP6_HEADER 40u
#define L2V_UDP_HEADER 8u
#define L2V_ICMP_HEADER 8u
#define L2V_IP6_FRAGMENT 8u

#define L2V_PROTO_ICMP 1u
#define L2V_PROTO_TCP 6u
#define L2V_PROTO_UDP 17u
#define L2V_PROTO_ICMP6 58u

#define L2V_IP_TTL 64u /* rfc1700 default of rfc1122#3.2.1.7 */

/* One received datagram, after its IP header was checked. ip: the whole packet as it would be
 * quoted; data: what the upper layer gets. */
struct l2v_inet_rx {
    struct l2v_inet_if *nif;
    struct l2v_pkt *pkt;
    l2tpvoip_addr src, dst; /* without ports */
    const uint8_t *ip;
    size_t ip_len;
    size_t data_at; /* offset of data in ip */
    size_t data_len;
    uint8_t proto;
    uint8_t tos;
};

/* A ready-made IP and UDP header for the destination a socket used last. */
struct l2v_inet_template {
    uint64_t generation; /* of the host's addresses; 0 = empty */
    struct l2v_inet_if *nif;
    l2tpvoip_addr to;
    uint8_t tos;
    uint8_t header_len;                              /* IP and UDP */
    uint8_t header[L2V_IP6_HEADER + L2V_UDP_HEADER]; /* lengths, id and checksums are zero */
    uint32_t ip_sum;                                 /* of the IPv4 header as it stands */
    uint32_t udp_sum;                                /* pseudo header without length, and ports */
};

#define L2V_INET_RECENT 4u

struct l2v_inet_udp {
    struct l2v_list node; /* of the host */
    struct l2v_map_node by_port;
    struct l2v_inet *inet;
    struct l2v_inet_if *only;
    l2tpvoip_addr local;  /* ip zero = any */
    l2tpvoip_addr remote; /* family 0 = not connected */
    struct l2v_inet_udp_ops ops;
    void *user;
    struct l2v_inet_template tmpl;
    l2tpvoip_addr recent[L2V_INET_RECENT]; /* destinations, for ICMP errors of unconnected ones */
    uint32_t n_recent;
    bool dead; /* its interface is gone */
};

struct l2v_inet_ping_req {
    struct l2v_list node;
    struct l2v_inet_if *nif;
    struct l2v_timer timer;
    l2tpvoip_addr to;
    uint64_t sent_ns;
    l2v_inet_ping_fn fn;
    void *user;
    uint16_t seq;
    uint8_t cookie[8];
    uint32_t cookie_len;
};

/* Reassembly: bounds of one interface and of the host. */
#define L2V_REASS_PER_IF 8u
#define L2V_REASS_PER_HOST 256u
#define L2V_REASS_BYTES_PER_IF (128u * 1024u)
#define L2V_REASS_BYTES_PER_HOST (2u * 1024u * 1024u)
#define L2V_REASS_RANGES 32u
#define L2V_REASS_TIME_NS (60u * L2V_NS_PER_S) /* rfc8200#4.5, rfc1122#3.3.2 */

struct l2v_inet_frag {
    size_t at, len; /* of data, in the unfragmented payload */
    const uint8_t *data;
    bool more;
    uint32_t id;
    const uint8_t *header; /* IP header to put in front of the whole */
    size_t header_len;
    uint8_t proto;
};

struct l2v_inet {
    struct l2v_env *env;
    struct l2v_list ifs, sockets;
    struct l2v_map ports;   /* l2v_inet_udp.by_port */
    struct l2v_map remotes; /* l2v_inet_if.by_remote4, by_remote6 */
    uint32_t n_ifs, next_index;
    uint64_t generation;
    struct l2v_list reass; /* oldest first */
    uint32_t n_reass;
    size_t reass_bytes;
    struct l2v_timer reass_timer;
    struct l2v_rate icmp_rate;
    uint16_t ping_id, ping_seq;
    struct l2v_inet_stats stats;
};

struct l2v_inet_if {
    struct l2v_list node;
    struct l2v_map_node by_remote4, by_remote6;
    bool has_remote4, has_remote6, strict_source;
    struct l2v_inet *inet;
    struct l2v_inet_if_ops ops;
    void *user;
    l2tpvoip_addr local4, remote4, local6, remote6;
    uint32_t mtu, index;
    uint16_t ip_id;
    struct l2v_list pings;
    uint32_t n_pings;
    uint32_t n_reass;
    size_t reass_bytes;
};

/* inet_host.c */
bool l2v_inet_source_allowed(const struct l2v_inet_if *nif, const l2tpvoip_addr *src);
bool l2v_inet_if_is_strict(const struct l2v_inet_if *nif);
struct l2v_inet_if *l2v_inet_route(struct l2v_inet *inet, const l2tpvoip_addr *to);
const l2tpvoip_addr *l2v_inet_if_local(const struct l2v_inet_if *nif, uint8_t family);
/* Upper layer of a whole, checked datagram. */
int l2v_inet_deliver(struct l2v_inet_rx *rx);

/* inet_ip4.c, inet_ip6.c */
int l2v_inet_ip4_input(struct l2v_inet_if *nif, struct l2v_pkt *pkt);
int l2v_inet_ip6_input(struct l2v_inet_if *nif, struct l2v_pkt *pkt);
/* Checks an option area; refuses source routes (IPv4) and what must not be skipped (IPv6). */
bool l2v_inet_ip4_options_ok(const uint8_t *options, size_t len);
bool l2v_inet_ip6_options_ok(const uint8_t *options, size_t len);

/* inet_output.c: pkt is the upper-layer packet with its checksum; takes it. */
int l2v_inet_output(struct l2v_inet_if *nif, struct l2v_pkt *pkt, const l2tpvoip_addr *src,
                    const l2tpvoip_addr *dst, uint8_t proto, uint8_t tos, uint8_t klass);
/* A whole IP packet with its header; fragments it when it is longer than the MTU. Takes pkt. */
int l2v_inet_transmit(struct l2v_inet_if *nif, struct l2v_pkt *pkt, int family);
uint32_t l2v_inet_pseudo(const l2tpvoip_addr *src, const l2tpvoip_addr *dst, size_t len,
                         uint8_t proto);

/* inet_reass.c: 0 with *ret_pkt (the caller's to free) when whole, PENDING, MALFORMED, LIMIT,
 * NOMEM. */
int l2v_inet_reassemble(struct l2v_inet_if *nif, const l2tpvoip_addr *src, const l2tpvoip_addr *dst,
                        const struct l2v_inet_frag *frag, struct l2v_pkt **ret_pkt);
void l2v_inet_reass_init(struct l2v_inet *inet);
void l2v_inet_reass_drop_if(struct l2v_inet_if *nif);

/* inet_udp.c */
int l2v_inet_udp_input(struct l2v_inet_rx *rx);
void l2v_inet_udp_forget_if(struct l2v_inet *inet, struct l2v_inet_if *nif);
/* The socket that sent from local to remote, or NULL. */
struct l2v_inet_udp *l2v_inet_udp_find_sender(struct l2v_inet_if *nif, const l2tpvoip_addr *local,
                                              const l2tpvoip_addr *remote);

/* inet_icmp.c, inet_ping.c */
int l2v_inet_icmp_input(struct l2v_inet_rx *rx);
/* Tells the sender of rx what went wrong; type and code of its family's protocol. */
void l2v_inet_icmp_error(struct l2v_inet_rx *rx, uint8_t type, uint8_t code, uint32_t param);
void l2v_inet_ping_reply(struct l2v_inet_rx *rx, uint16_t id, uint16_t seq, const uint8_t *data,
                         size_t len);
void l2v_inet_ping_error(struct l2v_inet_if *nif, const l2tpvoip_addr *to, uint16_t id,
                         uint16_t seq);
void l2v_inet_ping_drop_if(struct l2v_inet_if *nif);

#define L2V_ICMP4_UNREACHABLE 3u
#define L2V_ICMP4_BAD_PROTOCOL 2u
#define L2V_ICMP4_BAD_PORT 3u
#define L2V_ICMP6_UNREACHABLE 1u
#define L2V_ICMP6_BAD_PORT 4u
#define L2V_ICMP6_PARAMETER 4u
#define L2V_ICMP6_BAD_NEXT_HEADER 1u

#endif
