/* SPDX-License-Identifier: MIT */
/** @file socket.h  Inner UDP sockets, by callback (level 1) or by queue (level 2).
 *
 * A socket belongs to a session or to a server and never sends outside it. It survives a reconnect
 * that keeps the inner address.
 */
#ifndef L2TPVOIP_SOCKET_H
#define L2TPVOIP_SOCKET_H

#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** What the packets of a socket are, for the send queue and the outer DSCP. */
enum {
    L2TPVOIP_CLASS_AUTO = 0,      /**< By the socket's TOS: EF/CS5/AF4x voice, CS3/AF3x signalling. */
    L2TPVOIP_CLASS_VOICE = 1,
    L2TPVOIP_CLASS_SIGNALLING = 2,
    L2TPVOIP_CLASS_BULK = 3
};

/** One inner datagram. Frozen size. */
typedef struct l2tpvoip_message {
    uint8_t *data;
    size_t len;
    l2tpvoip_session *session; /**< Receive: which session; send on a server socket: NULL = by address. */
    void *ref;                 /**< Library's (for _release). */
    uint64_t time_ns;          /**< Receive: arrival of the outer datagram. */
    l2tpvoip_addr local;       /**< Receive: destination. Send: family 0 = the socket's. */
    l2tpvoip_addr remote;      /**< Receive: source. Send: destination; family 0 = the connected peer. */
    uint8_t tos;               /**< Receive: inner TOS. Send: used if L2TPVOIP_MESSAGE_TOS. */
    uint8_t reserved8[3];      /**< Zero. */
    uint32_t flags;            /**< L2TPVOIP_MESSAGE_… */
    uint64_t reserved[4];      /**< Zero. */
} l2tpvoip_message;
#define L2TPVOIP_MESSAGE_TOS 0x1u

/** Level 1: n datagrams arrived. Payloads live until the callback returns. Called like an event. */
typedef void (*l2tpvoip_messages_fn)(void *user, l2tpvoip_socket *socket, const l2tpvoip_message *v,
                                     size_t n);

/** Options of a socket. */
typedef struct l2tpvoip_socket_options {
    uint32_t size;
    uint32_t type;             /**< L2TPVOIP_SOCKET_UDP. */
    l2tpvoip_addr local;       /**< family 4 or 6; ip zero = the session's address; port 0 = ephemeral. */
    l2tpvoip_messages_fn on_messages; /**< Level 1; NULL = level 2. */
    void *user;
    uint32_t recv_queue;       /**< Level 2: datagrams kept; default 256. When full the oldest goes. */
    uint32_t traffic_class;    /**< L2TPVOIP_CLASS_… */
    uint8_t tos;               /**< DSCP << 2 of sent datagrams; 0xB8 = EF. */
    uint8_t reserved[7];       /**< Zero. */
} l2tpvoip_socket_options;
#define L2TPVOIP_SOCKET_UDP 1u

/** Fills in size and defaults. @param size sizeof(l2tpvoip_socket_options). Any thread. */
L2TPVOIP_API void l2tpvoip_socket_options_init(l2tpvoip_socket_options *options, size_t size);

/** Makes a socket of a session. @return 0, INVALID, STATE (session is gone), EXISTS (port in use),
 * NOMEM, LIMIT (no ephemeral port), REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_socket_new(l2tpvoip_session *session,
                                     const l2tpvoip_socket_options *options,
                                     l2tpvoip_socket **ret_socket);

/** Makes a socket that hears every session of a server. Same errors. */
L2TPVOIP_API int l2tpvoip_socket_new_server(l2tpvoip_server *server,
                                            const l2tpvoip_socket_options *options,
                                            l2tpvoip_socket **ret_socket);

/** Frees a socket; borrowed messages go with it. NULL is allowed. Legal in event callbacks, its own
 * on_messages included; does nothing in provider operations. The socket of a session is freed with
 * the tunnel, or (server) after SESSION_DOWN, that of a server with the server. */
L2TPVOIP_API void l2tpvoip_socket_free(l2tpvoip_socket *socket);

/** Fixes the peer: only it is heard, and it is the default destination.
 * @return 0, INVALID, STATE (session is gone), REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_socket_connect(l2tpvoip_socket *socket, const l2tpvoip_addr *remote);

/** Sends one datagram; to NULL = the connected peer.
 * @return 0, INVALID, STATE (session down), UNREACHABLE (server socket: no such session), MSGSIZE,
 * NOBUFS, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_socket_sendto(l2tpvoip_socket *socket, const void *data, size_t len,
                                        const l2tpvoip_addr *to);

/** Sends n datagrams in one go. @param ret_sent how many were taken. Errors as for sendto. */
L2TPVOIP_API int l2tpvoip_socket_send_batch(l2tpvoip_socket *socket, const l2tpvoip_message *v,
                                            size_t n, size_t *ret_sent);

/** Level 2: takes one datagram; what does not fit is cut off.
 * @param ret_len bytes copied; ret_from may be NULL.
 * @return 0, AGAIN (nothing there), INVALID, STATE, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_socket_recvfrom(l2tpvoip_socket *socket, void *data, size_t size,
                                          size_t *ret_len, l2tpvoip_addr *ret_from);

/** Level 2: borrows up to max datagrams until l2tpvoip_socket_release. @return 0, AGAIN, INVALID,
 * REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_socket_recv_batch(l2tpvoip_socket *socket, l2tpvoip_message *v, size_t max,
                                            size_t *ret_n);
/** Gives borrowed datagrams back, all or some; their ref becomes NULL. @return 0, INVALID, REENTRANT,
 * THREAD. */
L2TPVOIP_API int l2tpvoip_socket_release(l2tpvoip_socket *socket, l2tpvoip_message *v, size_t n);

/** Level 2: a descriptor that is readable while the queue is not empty; made at the first call.
 * It lives as long as the socket. Level 1 has none (INVALID).
 * @return 0, INVALID, UNSUPPORTED (io ops without notify), LIMIT or IO (from notify_new), REENTRANT,
 * THREAD. */
L2TPVOIP_API int l2tpvoip_socket_get_fd(l2tpvoip_socket *socket, int *ret_fd);

/** Address it is bound to. @return 0, INVALID, REENTRANT. */
L2TPVOIP_API int l2tpvoip_socket_get_local(const l2tpvoip_socket *socket, l2tpvoip_addr *ret_local);

L2TPVOIP_END

#endif
