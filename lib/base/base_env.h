/* SPDX-License-Identifier: MIT */
/* The environment of one context: memory, time, random, log, timers, packets. Everything below
 * lib/tunnel gets a pointer to it at _init and keeps it. */
#ifndef L2V_BASE_ENV_H
#define L2V_BASE_ENV_H

#include <l2tpvoip/error.h>
#include <l2tpvoip/io.h>
#include <l2tpvoip/types.h>

#include "base_timer.h"

#define L2V_NEVER UINT64_MAX
#define L2V_NS_PER_S UINT64_C(1000000000)
#define L2V_NS_PER_MS UINT64_C(1000000)

struct l2v_pkt_pool;

struct l2v_env {
    uint64_t now_ns; /* set at the outermost entry only, never goes back */
    l2tpvoip_mem mem;
    l2tpvoip_env_ops ops;
    l2tpvoip_log_ops log;
    l2tpvoip_tap_ops tap;
    struct l2v_timers timers;
    struct l2v_pkt_pool *pool;
    int (*random_fallback)(uint8_t *dst, size_t len); /* set by crypto; used when ops.random is NULL */
    uint32_t in_provider;                             /* > 0 while an op of the embedder runs */
    uint8_t hash_key[16];                             /* keys l2v_map; random per context */
    uint32_t hash_key_drawn;                          /* 1 from the first l2v_map_init on */
    uint8_t rnd[1024];                                /* drawn ahead: one draw costs 1.7 us */
    size_t rnd_left;
};

/* Copies the tables (NULL = defaults). The pool is made by l2v_pkt_pool_new afterwards. */
int l2v_env_init(struct l2v_env *env, const l2tpvoip_mem *mem, const l2tpvoip_env_ops *ops,
                 const l2tpvoip_log_ops *log, const l2tpvoip_tap_ops *tap, uint64_t now_ns);
void l2v_env_clear(struct l2v_env *env); /* wipes the random buffer */

/* Memory: NULL on failure; l2v_free(NULL) is fine; n * size is checked for overflow. */
void *l2v_malloc(struct l2v_env *env, size_t len);
void *l2v_calloc(struct l2v_env *env, size_t n, size_t len);
void *l2v_realloc(struct l2v_env *env, void *p, size_t len);
void l2v_free(struct l2v_env *env, void *p);
void l2v_free_secret(struct l2v_env *env, void *p, size_t len); /* wipes first */
char *l2v_strdup(struct l2v_env *env, const char *s);           /* NULL in = NULL out */
void *l2v_memdup(struct l2v_env *env, const void *p, size_t len);

/* Random: 0 or L2TPVOIP_ERR_CRYPTO. Bytes that were handed out are wiped from the buffer. */
int l2v_random(struct l2v_env *env, void *dst, size_t len);
int l2v_random_u32(struct l2v_env *env, uint32_t *ret_value);
/* Uniform in [0, bound) without a failure path (falls back to 0): for jitter, never for secrets. */
uint32_t l2v_random_below(struct l2v_env *env, uint32_t bound);

/* Log. Never secrets. The format is checked; nothing is formatted when the level is off. */
#if defined(__GNUC__)
#define L2V_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define L2V_PRINTF(a, b)
#endif
void l2v_log(struct l2v_env *env, int level, const char *module, const char *format, ...)
    L2V_PRINTF(4, 5);
#define L2V_LOG_ON(env, lvl) ((env)->log.write != NULL && (lvl) <= (env)->log.level)

/* Tap: a test of one word when off. */
#define L2V_TAP_ON(env, layer) (((env)->tap.layers >> (layer)) & 1u)
void l2v_tap(struct l2v_env *env, uint32_t layer, uint32_t direction, const l2tpvoip_addr *local,
             const l2tpvoip_addr *remote, const uint8_t *data, size_t len);
void l2v_tap_key(struct l2v_env *env, uint32_t kind, const char *line);

/* Failure objects. */
void l2v_failure_set(l2tpvoip_failure *f, int layer, int code, int32_t peer_code,
                     const char *next_step, const char *format, ...) L2V_PRINTF(6, 7);

#endif
