/* SPDX-License-Identifier: MIT */
/* The guard of the public entries, and helpers for arguments. Every entry that may change a context
 * is a pair l2v_api_enter … l2v_api_leave; all that the core has to tell the program is delivered
 * when the outermost pair ends. */
#ifndef L2V_API_H
#define L2V_API_H

#include "l2v_tunnel.h"

/* 0, INVALID, REENTRANT, THREAD. The first reads the clock of the env ops (if there is one), the
 * second is told the time. */
int l2v_api_enter(l2tpvoip_context *ctx);
int l2v_api_enter_at(l2tpvoip_context *ctx, uint64_t now_ns);
/* Returns rc. The context may be gone afterwards. */
int l2v_api_leave(l2tpvoip_context *ctx, int rc);
/* For entries that only read. */
int l2v_api_check(const l2tpvoip_context *ctx);
/* Level-1 messages now: their payloads are about to go. Only at the outermost entry. */
void l2v_api_deliver_messages(l2tpvoip_context *ctx);
/* Seals and sends what the paths take. */
void l2v_api_drain(l2tpvoip_context *ctx);
uint64_t l2v_api_get_expiry(const l2tpvoip_context *ctx);
/* The owner lets go. What jobs that are out need stays until the last of them is back. */
void l2v_api_destroy(l2tpvoip_context *ctx);
void l2v_api_release(l2tpvoip_context *ctx); /* one hold less */

/* Copies a versioned structure (its first member is its size) into ours of size dst_size: what the
 * caller does not know is zero, what we do not know must be zero. 0, INVALID. */
int l2v_api_copy_in(void *dst, size_t dst_size, const void *src);
/* The other way: at most the caller's size, which stays in its first member. */
void l2v_api_copy_out(void *dst, const void *src, size_t src_size);
/* Zeroes size bytes of a versioned structure and sets its first member. */
void l2v_api_init(void *options, size_t size);

#endif
