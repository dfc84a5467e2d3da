/* SPDX-License-Identifier: MIT */
/** @file event.h  Events: what the library tells the program.
 *
 * Events are delivered after the outermost entry call has done its work, within the same call. In
 * the callback every function is legal, freeing the very object of the event included. State
 * events of one object coalesce: only the newest is delivered.
 */
#ifndef L2TPVOIP_EVENT_H
#define L2TPVOIP_EVENT_H

#include <l2tpvoip/error.h>
#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

enum {
    L2TPVOIP_EVENT_NONE = 0,
    L2TPVOIP_EVENT_TUNNEL_PROGRESS = 1,    /**< A phase was reached; see l2tpvoip_tunnel_get_phase. */
    L2TPVOIP_EVENT_TUNNEL_UP = 2,          /**< session is valid from now on. */
    L2TPVOIP_EVENT_TUNNEL_DOWN = 3,        /**< See l2tpvoip_tunnel_get_failure. */
    L2TPVOIP_EVENT_SESSION_UP = 4,         /**< Server: a client is up. */
    L2TPVOIP_EVENT_SESSION_DOWN = 5,       /**< Server: it is gone; the handle is invalid afterwards. */
    L2TPVOIP_EVENT_ADDRESS_CHANGED = 6,    /**< Session: old_addr, new_addr. */
    L2TPVOIP_EVENT_REKEYED = 7,            /**< Tunnel or session: a new IPsec or ISAKMP SA is in use. */
    L2TPVOIP_EVENT_PATH_CHANGED = 8,       /**< Tunnel or session: the peer's outer address moved. */
    L2TPVOIP_EVENT_SOCKET_READABLE = 9,    /**< Socket of level 2: its queue was empty and is not. */
    L2TPVOIP_EVENT_SOCKET_ERROR = 10,      /**< Socket: code; remote in new_addr (ICMP error). */
    L2TPVOIP_EVENT_CREDENTIALS_NEEDED = 11,/**< Tunnel: answer with l2tpvoip_tunnel_provide_credentials. */
    L2TPVOIP_EVENT_JOBS_READY = 12,        /**< Context: l2tpvoip_context_take_job has work. */
    L2TPVOIP_EVENT_SERVER_DOWN = 13,       /**< Server: could not start or was stopped; code. */
    L2TPVOIP_EVENT_SERVER_UP = 14          /**< Server: listens; new_addr is the IKE (or L2TP) address. */
};

/** One event. Frozen size. Pointers that do not apply are NULL. */
typedef struct l2tpvoip_event {
    uint32_t type; /**< L2TPVOIP_EVENT_… */
    int32_t code;  /**< L2TPVOIP_ERR_… of …_DOWN (0: closed by the program) and SOCKET_ERROR; else 0. */
    l2tpvoip_tunnel *tunnel;
    l2tpvoip_server *server;
    l2tpvoip_session *session;
    l2tpvoip_socket *socket;
    void *user; /**< User pointer of the innermost object of the event. */
    l2tpvoip_addr old_addr; /**< ADDRESS_CHANGED, PATH_CHANGED; else family 0. */
    l2tpvoip_addr new_addr; /**< The same, SOCKET_ERROR and SERVER_UP; else family 0. */
    uint64_t time_ns;       /**< The now of the entry that delivers it. */
    uint64_t reserved[6]; /**< Zero. */
} l2tpvoip_event;

typedef void (*l2tpvoip_event_fn)(void *user, const l2tpvoip_event *event);

L2TPVOIP_END

#endif
