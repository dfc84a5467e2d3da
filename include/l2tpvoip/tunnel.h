/* SPDX-License-Identifier: MIT */
/** @file tunnel.h  The client: one connection to an L2TP/IPsec server. */
#ifndef L2TPVOIP_TUNNEL_H
#define L2TPVOIP_TUNNEL_H

#include <l2tpvoip/error.h>
#include <l2tpvoip/ipsec.h>
#include <l2tpvoip/ppp.h>
#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** L2TPv2 options (RFC 2661). A member that is 0 takes its default. */
typedef struct l2tpvoip_l2tp_options {
    uint32_t size;
    uint32_t flags;              /**< L2TPVOIP_L2TP_… */
    const char *host_name;       /**< Host Name AVP; default "l2tpvoip". */
    const uint8_t *secret;       /**< Tunnel authentication, RFC 2661 §5.1.1; NULL = none. Copied, wiped. */
    uint32_t secret_len;
    uint32_t hello_interval_s;   /**< Idle time before HELLO; default 60. */
    uint32_t receive_window;     /**< Receive Window Size AVP; default 8. */
    uint32_t retransmit_ms;      /**< First retransmission; default 1000, doubling, at most 8000. */
    uint32_t retransmit_tries;   /**< Default 5. */
    uint16_t local_port;         /**< Inner UDP source port; default 1701. */
    uint16_t remote_port;        /**< Default 1701. */
} l2tpvoip_l2tp_options;

#define L2TPVOIP_L2TP_HIDE_AVPS 0x1u /**< Hide what may be hidden (needs a secret). */
#define L2TPVOIP_L2TP_LENGTH_BIT 0x2u /**< Send the length field on data messages too. */

/** Fills in size and defaults. @param size sizeof(l2tpvoip_l2tp_options). Any thread. */
L2TPVOIP_API void l2tpvoip_l2tp_options_init(l2tpvoip_l2tp_options *options, size_t size);

/** Options of a tunnel; strings and blobs are copied. */
typedef struct l2tpvoip_tunnel_options {
    uint32_t size;
    uint32_t flags;              /**< Zero. */
    const char *server;          /**< Name or address. Required. */
    const char *interface_name;  /**< NULL, or the interface for outer packets. */
    l2tpvoip_addr local;         /**< Outer address to bind; family 0 = any, port 0 = ephemeral. */
    l2tpvoip_ipsec_options ipsec;
    l2tpvoip_l2tp_options l2tp;
    l2tpvoip_ppp_options ppp;
    uint32_t connect_timeout_ms; /**< Whole set-up; default 30000. */
    uint32_t path_mtu;           /**< Outer path MTU; default 1500. */
    void *user;
} l2tpvoip_tunnel_options;

/** Fills in size and defaults. @param size sizeof(l2tpvoip_tunnel_options). Any thread. */
L2TPVOIP_API void l2tpvoip_tunnel_options_init(l2tpvoip_tunnel_options *options, size_t size);

/** Creates a tunnel and starts to connect. Progress comes by events.
 * @return 0, INVALID, CONFIG (see l2tpvoip_context_get_failure), NOMEM, LIMIT, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_tunnel_new(l2tpvoip_context *ctx, const l2tpvoip_tunnel_options *options,
                                     l2tpvoip_tunnel **ret_tunnel);

/** Takes the tunnel down in order (LCP Terminate, CDN, StopCCN, Delete); TUNNEL_DOWN follows.
 * @return 0, INVALID, STATE (already down), REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_tunnel_close(l2tpvoip_tunnel *tunnel);

/** Frees the tunnel with its session and sockets; an open one is closed without waiting. NULL is
 * allowed. Legal in event callbacks. */
L2TPVOIP_API void l2tpvoip_tunnel_free(l2tpvoip_tunnel *tunnel);

/** Answers CREDENTIALS_NEEDED; user NULL = none available: authentication fails.
 * @return 0, INVALID, STATE, NOMEM, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_tunnel_provide_credentials(l2tpvoip_tunnel *tunnel, const char *user,
                                                     const uint8_t *password, uint32_t password_len);

/** Starts to replace the IPsec SA (phase 2) or, with L2TPVOIP_REKEY_IKE, the ISAKMP SA (phase 1).
 * @return 0, INVALID, STATE, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_tunnel_rekey(l2tpvoip_tunnel *tunnel, uint32_t what);
#define L2TPVOIP_REKEY_CHILD 0u
#define L2TPVOIP_REKEY_IKE 1u

/** Phases of a connection, in order. */
enum {
    L2TPVOIP_PHASE_IDLE = 0,
    L2TPVOIP_PHASE_RESOLVE = 1,
    L2TPVOIP_PHASE_PATH = 2,
    L2TPVOIP_PHASE_IKE = 3,     /**< Phase 1, main mode. */
    L2TPVOIP_PHASE_ESP = 4,     /**< Phase 2, quick mode. */
    L2TPVOIP_PHASE_L2TP = 5,    /**< Control connection. */
    L2TPVOIP_PHASE_SESSION = 6, /**< L2TP call. */
    L2TPVOIP_PHASE_LCP = 7,
    L2TPVOIP_PHASE_AUTH = 8,
    L2TPVOIP_PHASE_NCP = 9,
    L2TPVOIP_PHASE_UP = 10,
    L2TPVOIP_PHASE_CLOSING = 11,
    L2TPVOIP_PHASE_DOWN = 12
};
#define L2TPVOIP_N_PHASES 13

/** "ike", "esp", … Static text. Any thread. */
L2TPVOIP_API const char *l2tpvoip_phase_name(uint32_t phase);

/** The phase that the tunnel is in. */
L2TPVOIP_API uint32_t l2tpvoip_tunnel_get_phase(const l2tpvoip_tunnel *tunnel);

/** When each phase was entered, ns; 0 = not yet. @param times L2TPVOIP_N_PHASES entries. */
L2TPVOIP_API void l2tpvoip_tunnel_get_phase_times(const l2tpvoip_tunnel *tunnel, uint64_t *times);

/** Why the tunnel is down; code 0 = it is not, or was closed by the program.
 * @return 0, INVALID, REENTRANT. */
L2TPVOIP_API int l2tpvoip_tunnel_get_failure(const l2tpvoip_tunnel *tunnel,
                                             l2tpvoip_failure *ret_failure);

/** The failure of the last call on this context that returned CONFIG.
 * @return 0, INVALID, REENTRANT. */
L2TPVOIP_API int l2tpvoip_context_get_failure(const l2tpvoip_context *ctx,
                                              l2tpvoip_failure *ret_failure);

/** The session; NULL before TUNNEL_UP. Owned by the tunnel. */
L2TPVOIP_API l2tpvoip_session *l2tpvoip_tunnel_get_session(const l2tpvoip_tunnel *tunnel);

L2TPVOIP_END

#endif
