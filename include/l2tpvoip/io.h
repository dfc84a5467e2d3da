/* SPDX-License-Identifier: MIT */
/** @file io.h  What the embedder provides: datagram I/O, clock, random, memory, log, packet tap.
 *
 * Every table begins with its size as compiled by the caller. Operations are called with the user
 * pointer that was registered with the table. From within an operation every library entry returns
 * L2TPVOIP_ERR_REENTRANT, and those that return no code do nothing (only l2tpvoip_context_wakeup and
 * _post are legal; l2tpvoip_context_free is deferred).
 */
#ifndef L2TPVOIP_IO_H
#define L2TPVOIP_IO_H

#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** Memory of one context; copied at creation. All four are required, or none (libc). */
typedef struct l2tpvoip_mem {
    uint32_t size;
    uint32_t flags; /**< Zero. */
    void *user;
    void *(*malloc_fn)(void *user, size_t len);
    void *(*calloc_fn)(void *user, size_t n, size_t len);
    void *(*realloc_fn)(void *user, void *p, size_t len);
    void (*free_fn)(void *user, void *p);
} l2tpvoip_mem;

/** Clock and entropy. NULL members fall back: random to libcrypto's, wallclock_s to "unknown" (0),
 * monotonic_ns to the time given at the last entry. */
typedef struct l2tpvoip_env_ops {
    uint32_t size;
    uint32_t flags; /**< Zero. */
    void *user;
    uint64_t (*monotonic_ns)(void *user);                     /**< Read once per outermost entry that has no now argument. */
    int64_t (*wallclock_s)(void *user);                       /**< Seconds since 1970; certificates only. */
    int (*random)(void *user, uint8_t *dst, size_t len);      /**< 0, or negative: then the operation fails. */
} l2tpvoip_env_ops;

#define L2TPVOIP_PATH_UDP 1u      /**< UDP socket. */
#define L2TPVOIP_PATH_TCP 2u      /**< TCP encapsulation, RFC 9329 (later). */
#define L2TPVOIP_PATH_RAW_ESP 3u  /**< IP protocol 50 (later). */
#define L2TPVOIP_PATH_RAW_L2TP 4u /**< IP protocol 115 (later). */

/** What the library asks of the backend when it opens a path. */
typedef struct l2tpvoip_path_request {
    uint32_t size;
    uint32_t path_id;     /**< Chosen by the library; names the path from now on. */
    uint32_t kind;        /**< L2TPVOIP_PATH_… */
    uint32_t flags;       /**< Zero. */
    l2tpvoip_addr local;  /**< Address to bind; family says which, ip all zero = any, port 0 = ephemeral. */
    l2tpvoip_addr remote; /**< family 0, or the only peer (the backend may connect the socket). */
    const char *interface_name; /**< NULL, or the interface to bind to. */
} l2tpvoip_path_request;

/** Datagram I/O. send_batch may be NULL when the program pulls with l2tpvoip_context_output. */
typedef struct l2tpvoip_io_ops {
    uint32_t size;
    uint32_t flags; /**< Zero. */
    void *user;
    /** Sends up to n datagrams that all belong to one path. *ret_sent says how many were taken.
     * @return 0, or AGAIN: the rest waits until l2tpvoip_context_path_writable; other errors drop
     * the datagram after *ret_sent and are reported by the stats. */
    int (*send_batch)(void *user, const l2tpvoip_datagram *v, size_t n, size_t *ret_sent);
    /** Opens a path. On success the backend reports l2tpvoip_context_path_up now or later (after
     * the entry call has returned). May be NULL: then the program knows its paths beforehand. */
    int (*path_open)(void *user, const l2tpvoip_path_request *request);
    void (*path_close)(void *user, uint32_t path_id);
    /** Starts to resolve a name; the answer comes by l2tpvoip_context_resolved with the same id,
     * never from within this call. NULL: only numeric addresses work. */
    int (*resolve)(void *user, uint64_t id, const char *name, uint8_t family);
    /** Pollable descriptors for sockets of level 2. All NULL, or all set. notify_new returns a
     * descriptor that is readable while set; *ret_fd >= 0. */
    int (*notify_new)(void *user, int *ret_fd);
    void (*notify_set)(void *user, int fd);
    void (*notify_clear)(void *user, int fd);
    void (*notify_free)(void *user, int fd);
    /** Makes the owner thread call l2tpvoip_context_handle_expiry soon. Called from any thread. */
    void (*wakeup)(void *user);
    /** The next deadline changed (UINT64_MAX = none). Optional. */
    void (*expiry_changed)(void *user, uint64_t deadline_ns);
} l2tpvoip_io_ops;

enum {
    L2TPVOIP_LOG_ERROR = 1,
    L2TPVOIP_LOG_WARNING = 2,
    L2TPVOIP_LOG_NOTICE = 3,
    L2TPVOIP_LOG_INFO = 4,
    L2TPVOIP_LOG_DEBUG = 5
};

/** Log sink. Messages carry no secrets. */
typedef struct l2tpvoip_log_ops {
    uint32_t size;
    int32_t level; /**< Highest L2TPVOIP_LOG_… that is written; 0 = none. */
    void *user;
    void (*write)(void *user, int32_t level, const char *module, const char *msg, size_t len);
} l2tpvoip_log_ops;

/** Where a tap sees a packet. */
enum {
    L2TPVOIP_TAP_OUTER = 1, /**< Outer UDP payloads, as on the wire. */
    L2TPVOIP_TAP_IKE = 2,   /**< IKE messages before encryption or after decryption. */
    L2TPVOIP_TAP_L2TP = 3,  /**< L2TP messages (UDP 1701 payloads) in clear. */
    L2TPVOIP_TAP_PPP = 4,   /**< PPP frames from the protocol field on. */
    L2TPVOIP_TAP_INNER = 5  /**< Inner IP packets. */
};
#define L2TPVOIP_TAP_IN 0
#define L2TPVOIP_TAP_OUT 1

/** Kinds of key-log lines, each in the format of the Wireshark table of that name. */
enum { L2TPVOIP_KEY_IKEV1 = 1, L2TPVOIP_KEY_IKEV2 = 2, L2TPVOIP_KEY_ESP = 3 };

/** Packet tap and key log, for debugging; off unless given. */
typedef struct l2tpvoip_tap_ops {
    uint32_t size;
    uint32_t layers; /**< Bit (1 << L2TPVOIP_TAP_…) for each layer that is wanted. */
    void *user;
    void (*packet)(void *user, uint32_t layer, uint32_t direction, uint64_t time_ns,
                   const l2tpvoip_addr *local, const l2tpvoip_addr *remote, const uint8_t *data,
                   size_t len);
    /** One line of key material without newline. Secret. NULL = none. */
    void (*key)(void *user, uint32_t kind, const char *line, size_t len);
} l2tpvoip_tap_ops;

L2TPVOIP_END

#endif
