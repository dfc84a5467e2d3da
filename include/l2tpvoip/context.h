/* SPDX-License-Identifier: MIT */
/** @file context.h  Creating and driving a context.
 *
 * The core never opens a socket, reads a clock or starts a thread. The program (or a backend:
 * posix.h, uv.h) passes datagrams and the time in, and takes datagrams and the next deadline out.
 */
#ifndef L2TPVOIP_CONTEXT_H
#define L2TPVOIP_CONTEXT_H

#include <l2tpvoip/event.h>
#include <l2tpvoip/io.h>
#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** Options of a context. Set up by l2tpvoip_context_options_init. Tables are copied. */
typedef struct l2tpvoip_context_options {
    uint32_t size;
    uint32_t flags;               /**< L2TPVOIP_CONTEXT_… */
    const l2tpvoip_mem *mem;      /**< NULL = libc. */
    const l2tpvoip_io_ops *io;    /**< NULL = pull only. */
    const l2tpvoip_env_ops *env;  /**< NULL = defaults. */
    const l2tpvoip_log_ops *log;  /**< NULL = no log. */
    const l2tpvoip_tap_ops *tap;  /**< NULL = no tap. */
    void *libctx;                 /**< OSSL_LIB_CTX to use; NULL = the process's own. Never changed. */
    l2tpvoip_event_fn on_event;   /**< NULL: poll with l2tpvoip_context_next_event. */
    void *event_user;
    uint32_t max_packets;         /**< Bound of the packet pool; default 4096. */
    uint32_t shard;               /**< Index of this context among those that share an address. */
    uint32_t shard_bits;          /**< How many bits of SPIs and tunnel ids carry it; 0 to 8. */
    uint32_t reserved;            /**< Zero. */
} l2tpvoip_context_options;

/** Public-key work waits for l2tpvoip_context_take_job instead of running inline. */
#define L2TPVOIP_CONTEXT_EXTERNAL_JOBS 0x1u

/** Fills in size and defaults. @param size sizeof(l2tpvoip_context_options). Any thread. */
L2TPVOIP_API void l2tpvoip_context_options_init(l2tpvoip_context_options *options, size_t size);

/** Creates a context. The algorithms of libcrypto are fetched and self-tested here.
 * @param now_ns  the time on the embedder's monotonic clock.
 * @return 0, INVALID, NOMEM, CRYPTO (self-test or random failed), CRYPTO_UNAVAILABLE. */
L2TPVOIP_API int l2tpvoip_context_new(const l2tpvoip_context_options *options, uint64_t now_ns,
                                      l2tpvoip_context **ret_ctx);

/** Frees the context and all that it owns, without a word to the peers (free the tunnels first for
 * that: l2tpvoip_tunnel_close). NULL is allowed. Legal in an event callback (then deferred until the
 * entry call unwinds; detach a backend of posix.h or uv.h there first). No other thread may be in
 * _post or _wakeup. Jobs that were taken and are not back yet may still run: after this call they
 * wake nobody, and the last l2tpvoip_job_run frees, on its thread, what they need, so that the mem
 * operations must live until then. Posts that did not run are dropped. */
L2TPVOIP_API void l2tpvoip_context_free(l2tpvoip_context *ctx);

/** Passes n received datagrams in. Data of WRITABLE ones is opened in place, others are copied.
 * Bad datagrams are counted (stats.h), never an error of this call.
 * @return 0, INVALID, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_context_input(l2tpvoip_context *ctx, const l2tpvoip_datagram *in,
                                        size_t n, uint64_t now_ns);

/** Takes up to max datagrams to be sent. They live until the next _output or _release, and so does
 * the path that they leave by.
 * Not for contexts whose io ops have send_batch. @return 0, INVALID, REENTRANT, THREAD, STATE. */
L2TPVOIP_API int l2tpvoip_context_output(l2tpvoip_context *ctx, l2tpvoip_datagram *out, size_t max,
                                         size_t *ret_n, uint64_t now_ns);

/** Gives datagrams of the last _output back early; their ref becomes NULL.
 * @return 0, INVALID, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_context_release(l2tpvoip_context *ctx, l2tpvoip_datagram *v, size_t n);

/** Absolute time at which _handle_expiry wants to be called; UINT64_MAX = never (also for NULL).
 * Owner thread. */
L2TPVOIP_API uint64_t l2tpvoip_context_get_expiry(const l2tpvoip_context *ctx);

/** Fires due timers and runs at most one inline job. Early or late calls are harmless.
 * @return 0, INVALID, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_context_handle_expiry(l2tpvoip_context *ctx, uint64_t now_ns);

/** Takes the next event when no on_event was given.
 * @return 0, AGAIN (none), INVALID, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_context_next_event(l2tpvoip_context *ctx, l2tpvoip_event *ret_event);

/** @name What a backend reports. All return 0, INVALID, NOT_FOUND (unknown path or id), REENTRANT,
 * THREAD.
 * @{ */
/** The path is open and bound to local. */
L2TPVOIP_API int l2tpvoip_context_path_up(l2tpvoip_context *ctx, uint32_t path_id,
                                          const l2tpvoip_addr *local, uint64_t now_ns);
/** The path could not be opened or was lost; code is an L2TPVOIP_ERR_…. */
L2TPVOIP_API int l2tpvoip_context_path_down(l2tpvoip_context *ctx, uint32_t path_id, int32_t code,
                                            uint64_t now_ns);
/** An ICMP error came back for remote (family 0: unknown). mtu > 0: packet too big (a hint). */
L2TPVOIP_API int l2tpvoip_context_path_error(l2tpvoip_context *ctx, uint32_t path_id,
                                             const l2tpvoip_addr *remote, int32_t code,
                                             uint32_t mtu, uint64_t now_ns);
/** A path that gave AGAIN takes datagrams again. */
L2TPVOIP_API int l2tpvoip_context_path_writable(l2tpvoip_context *ctx, uint32_t path_id,
                                                uint64_t now_ns);
/** Answer to io_ops.resolve; n == 0 or code != 0: failed. */
L2TPVOIP_API int l2tpvoip_context_resolved(l2tpvoip_context *ctx, uint64_t id, int32_t code,
                                           const l2tpvoip_addr *addrs, size_t n, uint64_t now_ns);
/** The host's network changed: paths are re-validated and liveness is probed at once. */
L2TPVOIP_API int l2tpvoip_context_network_changed(l2tpvoip_context *ctx, uint64_t now_ns);
/** The host slept for about slept_ns. */
L2TPVOIP_API int l2tpvoip_context_resumed(l2tpvoip_context *ctx, uint64_t slept_ns,
                                          uint64_t now_ns);
/** @} */

/** Makes the owner call l2tpvoip_context_handle_expiry soon (io_ops.wakeup; nothing without it).
 * Any thread, also from provider operations. @return 0, INVALID. */
L2TPVOIP_API int l2tpvoip_context_wakeup(l2tpvoip_context *ctx);

/** Runs fn(arg) on the owner's thread when the next entry unwinds, like an event; in the order of the
 * posts of one thread. Any thread, also from provider operations, but not while the context is being
 * freed. @return 0, INVALID, NOMEM, CLOSED (freed in a callback that still runs). */
L2TPVOIP_API int l2tpvoip_context_post(l2tpvoip_context *ctx, void (*fn)(void *arg), void *arg);

/** Takes one job, or *ret_job = NULL when none waits. Every job that was taken has to be given to
 * l2tpvoip_job_run. Owner thread. @return 0, INVALID, REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_context_take_job(l2tpvoip_context *ctx, l2tpvoip_job **ret_job);
/** Does the work of a job and posts the result to its context; the job is invalid afterwards.
 * Any one thread. The context may be freed meanwhile (see l2tpvoip_context_free). NULL is allowed. */
L2TPVOIP_API void l2tpvoip_job_run(l2tpvoip_job *job);

/** One descriptor for the whole context, readable while any level-2 socket has data.
 * It lives as long as the context. @return 0, INVALID, UNSUPPORTED (io ops without notify), LIMIT or
 * IO (from notify_new), REENTRANT, THREAD. */
L2TPVOIP_API int l2tpvoip_context_get_fd(l2tpvoip_context *ctx, int *ret_fd);

L2TPVOIP_END

#endif
