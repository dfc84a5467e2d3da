/* SPDX-License-Identifier: MIT */
/** @file uv.h  Backend on libuv (library l2tpvoip-uv). The loop stays the program's. */
#ifndef L2TPVOIP_UV_H
#define L2TPVOIP_UV_H

#include <uv.h>

#include <l2tpvoip/context.h>

L2TPVOIP_BEGIN

typedef struct l2tpvoip_uv l2tpvoip_uv;

/** @return 0, INVALID, NOMEM, IO. */
L2TPVOIP_API int l2tpvoip_uv_new(uv_loop_t *loop, l2tpvoip_uv **ret_backend);
/** The tables that the context options want; they stay the backend's. */
L2TPVOIP_API void l2tpvoip_uv_get_ops(l2tpvoip_uv *backend, const l2tpvoip_io_ops **ret_io,
                                      const l2tpvoip_env_ops **ret_env);
/** Connects the backend with its context. NULL detaches: a program that frees the context inside a
 * callback does so before. */
L2TPVOIP_API void l2tpvoip_uv_attach(l2tpvoip_uv *backend, l2tpvoip_context *ctx);
/** Runs public-key jobs of a context with EXTERNAL_JOBS on libuv's thread pool (1) or not (0). */
L2TPVOIP_API void l2tpvoip_uv_set_job_threads(l2tpvoip_uv *backend, int enabled);
/** Closes all handles; on_closed (may be NULL) runs when the loop has let go of them, then the
 * backend is freed. Free the context first; jobs that still run on the thread pool are waited for by
 * the loop. */
L2TPVOIP_API void l2tpvoip_uv_close(l2tpvoip_uv *backend, void (*on_closed)(void *user), void *user);

L2TPVOIP_END

#endif
