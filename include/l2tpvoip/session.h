/* SPDX-License-Identifier: MIT */
/** @file session.h  An inner IP session, on a client or on a server. */
#ifndef L2TPVOIP_SESSION_H
#define L2TPVOIP_SESSION_H

#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** Addresses and limits of a session. */
typedef struct l2tpvoip_session_info {
    uint32_t size;
    uint32_t mtu;              /**< Largest inner IP packet that is not fragmented, bytes. */
    l2tpvoip_addr local4;      /**< Our inner IPv4 address; family 0 = none. */
    l2tpvoip_addr remote4;     /**< The peer's. */
    l2tpvoip_addr local6;      /**< Our link-local address from IPV6CP; family 0 = none. */
    l2tpvoip_addr remote6;
    l2tpvoip_addr dns[2];      /**< From IPCP; family 0 = none. */
    l2tpvoip_addr outer_local; /**< Outer addresses now in use. */
    l2tpvoip_addr outer_remote;
    uint32_t sip_udp_limit;    /**< Largest SIP message over UDP, RFC 3261 §18.1.1: mtu - 200. */
    uint32_t nat;              /**< L2TPVOIP_NAT_… bits. */
    char user[64];             /**< PPP user name (server), else empty. */
    char ike[64];              /**< "IKEv1 AES-256/SHA2-256/MODP-2048", "none". */
    char esp[64];              /**< "AES-256-GCM-16", "none". */
} l2tpvoip_session_info;

#define L2TPVOIP_NAT_LOCAL 0x1u  /**< We are behind a NAT. */
#define L2TPVOIP_NAT_REMOTE 0x2u /**< The peer is. */
#define L2TPVOIP_NAT_ENCAPS 0x4u /**< ESP runs in UDP. */

/** @param info  size must be set; members beyond it are not written. @return 0, INVALID, REENTRANT. */
L2TPVOIP_API int l2tpvoip_session_get_info(const l2tpvoip_session *session,
                                           l2tpvoip_session_info *info);

/** Server: closes one client in order; SESSION_DOWN follows. Client: as l2tpvoip_tunnel_close.
 * @return 0, INVALID, STATE (already down), REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_session_close(l2tpvoip_session *session);

/** User pointer of a session, for the program; NULL at first. It comes with the events of the session.
 * Owner thread. */
L2TPVOIP_API void l2tpvoip_session_set_user(l2tpvoip_session *session, void *user);
L2TPVOIP_API void *l2tpvoip_session_get_user(const l2tpvoip_session *session);

/** Answer to one ping. @param rtt_ns UINT64_MAX = no answer in time. @param code 0, TIMEOUT,
 * UNREACHABLE, CLOSED. Called like an event. */
typedef void (*l2tpvoip_ping_fn)(void *user, int32_t code, const l2tpvoip_addr *from,
                                 uint64_t rtt_ns);

/** Sends one inner ICMP or ICMPv6 echo request (RFC 792, RFC 4443) with payload_len bytes.
 * @param timeout_ms 0 = 5000. At most 64 are under way at a time (LIMIT), of at most 65000 bytes.
 * @return 0, INVALID, STATE (session not up), NOMEM, MSGSIZE, LIMIT, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_session_ping(l2tpvoip_session *session, const l2tpvoip_addr *to,
                                       uint32_t payload_len, uint32_t timeout_ms,
                                       l2tpvoip_ping_fn on_answer, void *user);

L2TPVOIP_END

#endif
