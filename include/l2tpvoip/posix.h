/* SPDX-License-Identifier: MIT */
/** @file posix.h  Backend on POSIX sockets and poll(2), for programs without an event loop.
 *
 * Order: l2tpvoip_posix_new, fill the tables with l2tpvoip_posix_get_ops, create the context,
 * l2tpvoip_posix_attach, then run.
 */
#ifndef L2TPVOIP_POSIX_H
#define L2TPVOIP_POSIX_H

#include <l2tpvoip/context.h>

L2TPVOIP_BEGIN

typedef struct l2tpvoip_posix l2tpvoip_posix;

/** @return 0, INVALID, NOMEM, LIMIT (descriptors), IO. */
L2TPVOIP_API int l2tpvoip_posix_new(l2tpvoip_posix **ret_backend);
/** The tables that the context options want; they stay the backend's. */
L2TPVOIP_API void l2tpvoip_posix_get_ops(l2tpvoip_posix *backend, const l2tpvoip_io_ops **ret_io,
                                         const l2tpvoip_env_ops **ret_env);
/** Connects the backend with its context. NULL detaches: a program that frees the context inside a
 * callback does so before. */
L2TPVOIP_API void l2tpvoip_posix_attach(l2tpvoip_posix *backend, l2tpvoip_context *ctx);
/** Monotonic time. Any thread. */
L2TPVOIP_API uint64_t l2tpvoip_posix_now(void);
/** Waits for I/O or a deadline, at most max_wait_ms (negative = for ever), and handles it once.
 * Not from within callbacks. @return 0, INVALID (no context attached), NOMEM, IO, or the error of an
 * entry. */
L2TPVOIP_API int l2tpvoip_posix_run_once(l2tpvoip_posix *backend, int max_wait_ms);
/** Also watches a descriptor of the program: on_ready(user, revents) runs inside run_once.
 * events as for poll(2); 0 removes it. @return 0, NOMEM, INVALID. */
L2TPVOIP_API int l2tpvoip_posix_watch(l2tpvoip_posix *backend, int fd, short events,
                                      void (*on_ready)(void *user, short revents), void *user);
/** Frees the backend; free the context first, and not inside a callback. NULL is allowed. Names that
 * are being looked up are given up; their threads end later and touch nothing of the program. */
L2TPVOIP_API void l2tpvoip_posix_free(l2tpvoip_posix *backend);

L2TPVOIP_END

#endif
