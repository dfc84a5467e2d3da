/* SPDX-License-Identifier: MIT */
/** @file server.h  The server: L2TP/IPsec clients of many kinds (LNS side). */
#ifndef L2TPVOIP_SERVER_H
#define L2TPVOIP_SERVER_H

#include <l2tpvoip/error.h>
#include <l2tpvoip/ipsec.h>
#include <l2tpvoip/ppp.h>
#include <l2tpvoip/tunnel.h>
#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** A user who may come. */
typedef struct l2tpvoip_user {
    uint32_t size;
    uint32_t password_len;
    const char *name;
    const uint8_t *password; /**< Copied and wiped. UTF-8. */
    l2tpvoip_addr ip;        /**< Fixed inner IPv4 address, inside the pool or not, never given to
                                  others; a second login ends the first. family 0 = from the pool. */
} l2tpvoip_user;

/** Options of a server; strings and blobs are copied. */
typedef struct l2tpvoip_server_options {
    uint32_t size;
    uint32_t flags;             /**< Zero. */
    l2tpvoip_addr listen;       /**< Outer address; family required, ip zero = any. port is not used. */
    l2tpvoip_ipsec_options ipsec;
    l2tpvoip_l2tp_options l2tp; /**< local_port: own port for plain L2TP. */
    l2tpvoip_ppp_options ppp;
    l2tpvoip_addr gateway;      /**< Our inner IPv4 address, the same for all clients. */
    l2tpvoip_addr pool_first;   /**< First inner IPv4 address for clients. */
    uint32_t pool_size;         /**< How many; at most 65536. */
    uint32_t max_sessions;      /**< Default: pool_size. */
    uint32_t n_users;
    uint32_t path_mtu;          /**< Outer path MTU; default 1500. */
    const l2tpvoip_user *users;
    uint32_t half_open_max;     /**< Half-open ring entries; default 4096. */
    uint32_t reserved;          /**< Zero. */
    void *user;
} l2tpvoip_server_options;

/** Fills in size and defaults. @param size sizeof(l2tpvoip_server_options). Any thread. */
L2TPVOIP_API void l2tpvoip_server_options_init(l2tpvoip_server_options *options, size_t size);

/** Creates a server and starts to listen; SERVER_UP or SERVER_DOWN follows.
 * @return 0, INVALID, CONFIG, NOMEM, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_server_new(l2tpvoip_context *ctx, const l2tpvoip_server_options *options,
                                     l2tpvoip_server **ret_server);

/** Closes all sessions in order and frees the server with its sessions and sockets, without further
 * events. NULL is allowed. Legal in event callbacks; does nothing in provider operations. */
L2TPVOIP_API void l2tpvoip_server_free(l2tpvoip_server *server);

/** Closes all sessions in order without freeing; SERVER_DOWN follows when the last is gone.
 * @return 0, INVALID, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_server_close(l2tpvoip_server *server);

/** Number of sessions that are up; 0 for NULL. Owner thread. */
L2TPVOIP_API uint32_t l2tpvoip_server_count_sessions(const l2tpvoip_server *server);

/** Calls fn for each session that is up, until it returns non-zero. fn may use and close sessions but
 * must free neither the server nor the context. @return 0, INVALID, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_server_each_session(l2tpvoip_server *server,
                                              int (*fn)(void *user, l2tpvoip_session *session),
                                              void *user);

/** Why the server is down; code 0 = it is not, or was closed by the program.
 * @return 0, INVALID, REENTRANT. */
L2TPVOIP_API int l2tpvoip_server_get_failure(const l2tpvoip_server *server,
                                             l2tpvoip_failure *ret_failure);

/** Where the server listens: IKE, NAT-T and plain L2TP addresses (family 0 = not).
 * The pointers may be NULL. @return 0, INVALID, REENTRANT. */
L2TPVOIP_API int l2tpvoip_server_get_addresses(const l2tpvoip_server *server, l2tpvoip_addr *ret_ike,
                                               l2tpvoip_addr *ret_natt, l2tpvoip_addr *ret_l2tp);

L2TPVOIP_END

#endif
