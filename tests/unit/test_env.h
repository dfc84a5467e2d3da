/* SPDX-License-Identifier: MIT */
/* An environment for unit tests: seeded random (never for anything else), counted allocations that
 * can be made to fail, and a packet pool. */
#ifndef L2V_TEST_ENV_H
#define L2V_TEST_ENV_H

#include <stdlib.h>
#include <string.h>

#include "base_env.h"
#include "base_pkt.h"

/* As ck_assert, which writes to a pipe each time: for long loops. */
#define test_must(expr)                                                                            \
    do {                                                                                           \
        if (!(expr)) {                                                                             \
            ck_abort_msg("%s", #expr);                                                             \
        }                                                                                          \
    } while (0)

struct test_env {
    struct l2v_env env;
    uint64_t seed;
    long live;        /* blocks that are allocated */
    long n_allocs;    /* so far */
    long fail_at;     /* the n-th allocation from 1 on fails; 0 = none */
    int random_fails; /* 1: random() reports an error */
};

static inline uint64_t test_random64(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline int test_env_random(void *user, uint8_t *dst, size_t len)
{
    struct test_env *te = (struct test_env *)user;
    if (te->random_fails) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        dst[i] = (uint8_t)test_random64(&te->seed);
    }
    return 0;
}

static inline int test_env_fails(struct test_env *te)
{
    return ++te->n_allocs == te->fail_at;
}

static inline void *test_env_malloc(void *user, size_t len)
{
    struct test_env *te = (struct test_env *)user;
    void *p = test_env_fails(te) ? NULL : malloc(len);
    te->live += p != NULL;
    return p;
}

static inline void *test_env_calloc(void *user, size_t n, size_t len)
{
    struct test_env *te = (struct test_env *)user;
    void *p = test_env_fails(te) ? NULL : calloc(n, len);
    te->live += p != NULL;
    return p;
}

static inline void *test_env_realloc(void *user, void *old, size_t len)
{
    struct test_env *te = (struct test_env *)user;
    void *p = test_env_fails(te) ? NULL : realloc(old, len);
    te->live += p != NULL && old == NULL;
    return p;
}

static inline void test_env_free(void *user, void *p)
{
    struct test_env *te = (struct test_env *)user;
    te->live -= p != NULL;
    free(p);
}

/* 0, or an error of l2v_env_init or l2v_pkt_pool_new. te must not move afterwards. */
static inline int test_env_init(struct test_env *te, uint64_t seed)
{
    l2tpvoip_mem mem;
    l2tpvoip_env_ops ops;
    int err;
    memset(te, 0, sizeof *te);
    memset(&mem, 0, sizeof mem);
    memset(&ops, 0, sizeof ops);
    te->seed = seed;
    mem.size = sizeof mem;
    mem.user = te;
    mem.malloc_fn = test_env_malloc;
    mem.calloc_fn = test_env_calloc;
    mem.realloc_fn = test_env_realloc;
    mem.free_fn = test_env_free;
    ops.size = sizeof ops;
    ops.user = te;
    ops.random = test_env_random;
    err = l2v_env_init(&te->env, &mem, &ops, NULL, NULL, 1);
    return err != 0 ? err : l2v_pkt_pool_new(&te->env, 256, &te->env.pool);
}

/* Frees the pool; what te->live says afterwards has leaked. */
static inline void test_env_clear(struct test_env *te)
{
    l2v_pkt_pool_free(te->env.pool);
    te->env.pool = NULL;
    l2v_env_clear(&te->env);
}

#endif
