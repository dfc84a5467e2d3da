/* SPDX-License-Identifier: MIT */
/** @file types.h  Handles, addresses and datagrams that every other header uses.
 *
 * Times are absolute nanoseconds on the context's monotonic clock unless a name ends in _s or _ms.
 * UINT64_MAX as a time means "never".
 */
#ifndef L2TPVOIP_TYPES_H
#define L2TPVOIP_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include <l2tpvoip/export.h>

L2TPVOIP_BEGIN

/** One protocol engine with one owner thread at a time. Contexts share nothing. */
typedef struct l2tpvoip_context l2tpvoip_context;
/** A client's L2TP/IPsec connection to a server (LAC side). */
typedef struct l2tpvoip_tunnel l2tpvoip_tunnel;
/** A server that accepts clients (LNS side). */
typedef struct l2tpvoip_server l2tpvoip_server;
/** An inner IP session: what a tunnel brings up, or one client of a server. */
typedef struct l2tpvoip_session l2tpvoip_session;
/** An inner socket; it never sends outside the tunnel that it belongs to. */
typedef struct l2tpvoip_socket l2tpvoip_socket;
/** Public-key work that may run on any thread (crypto.h of the design: jobs). */
typedef struct l2tpvoip_job l2tpvoip_job;

/** An IP address with a UDP or TCP port. 24 bytes, frozen. */
typedef struct l2tpvoip_addr {
    uint8_t family;    /**< 4, 6, or 0 for "none". */
    uint8_t reserved;  /**< Zero. */
    uint16_t port;     /**< Host byte order; 0 = unspecified. */
    uint32_t scope_id; /**< IPv6 link-local scope, else 0. */
    uint8_t ip[16];    /**< Network byte order; an IPv4 address fills the first 4 bytes. */
} l2tpvoip_addr;

/** Text form, "192.0.2.1:4500" or "[2001:db8::1]:4500"; without the port if it is 0.
 * @param text  receives at most size bytes, always terminated when size > 0.
 * @return the length that the whole text has (as snprintf does). Any thread. */
L2TPVOIP_API int l2tpvoip_addr_format(const l2tpvoip_addr *addr, char *text, size_t size);

/** Parses what l2tpvoip_addr_format writes; the port is optional and then 0.
 * @return 0, or L2TPVOIP_ERR_INVALID. Any thread. */
L2TPVOIP_API int l2tpvoip_addr_parse(const char *text, l2tpvoip_addr *ret_addr);

#define L2TPVOIP_DATAGRAM_WRITABLE 0x1u  /**< Input: the library may change data in place. */
#define L2TPVOIP_DATAGRAM_DF 0x2u        /**< IPv4 Don't Fragment (wanted or seen). */
#define L2TPVOIP_DATAGRAM_TRUNCATED 0x4u /**< Input: the buffer was too small; it is dropped. */

/** One outer datagram, or a train of equal-sized ones. 128 bytes on 64-bit systems, frozen. */
typedef struct l2tpvoip_datagram {
    uint8_t *data;
    size_t len;            /**< Bytes at data, all segments together. */
    void *ref;             /**< Output: the library's; hand it back unchanged. Input: NULL. */
    uint64_t time_ns;      /**< Input: when it was received; 0 = the now of the call. */
    uint32_t path_id;      /**< Which path (io.h) it came by or leaves by. */
    uint32_t flags;        /**< L2TPVOIP_DATAGRAM_… */
    l2tpvoip_addr local;   /**< Destination (input) or source (output); family 0 = any. */
    l2tpvoip_addr remote;  /**< Source (input) or destination (output). */
    uint16_t segment_size; /**< 0, or the size of each datagram of a train but the last. */
    uint8_t tos;           /**< IPv4 TOS or IPv6 traffic class: DSCP << 2 | ECN. */
    uint8_t reserved8[5];  /**< Zero. */
    uint64_t reserved[4];  /**< Zero. */
} l2tpvoip_datagram;

L2TPVOIP_END

#endif
