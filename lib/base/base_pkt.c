/* SPDX-License-Identifier: MIT */
/* Packet buffers and their pool. A packet and its buffer are one block. */
#include "base_pkt.h"

#include <stdbool.h>
#include <string.h>

struct l2v_pkt_pool {
    struct l2v_env *env;
    l2tpvoip_mem mem; /* a copy: packets that a backend still holds may outlive the context */
    struct l2v_pkt *idle;
    uint32_t max;
    uint32_t live; /* handed out */
    bool closed;
    uint64_t misses;
};

#define PKT_HEADER ((sizeof(struct l2v_pkt) + 15u) & ~(size_t)15u)

int l2v_pkt_pool_new(struct l2v_env *env, uint32_t max, struct l2v_pkt_pool **ret_pool)
{
    struct l2v_pkt_pool *pool = (struct l2v_pkt_pool *)l2v_calloc(env, 1, sizeof *pool);
    if (pool == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    pool->env = env;
    pool->mem = env->mem;
    pool->max = max;
    if (env->pool == NULL) {
        env->pool = pool;
    }
    *ret_pool = pool;
    return L2TPVOIP_OK;
}

static void free_block(struct l2v_pkt_pool *pool, void *p)
{
    pool->mem.free_fn(pool->mem.user, p);
}

void l2v_pkt_pool_free(struct l2v_pkt_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->idle != NULL) {
        struct l2v_pkt *pkt = pool->idle;
        pool->idle = pkt->next;
        free_block(pool, pkt);
    }
    if (pool->env->pool == pool) {
        pool->env->pool = NULL;
    }
    pool->closed = true;
    if (pool->live == 0) {
        free_block(pool, pool); /* else the last packet does it */
    }
}

uint64_t l2v_pkt_pool_misses(const struct l2v_pkt_pool *pool)
{
    return pool->misses;
}

static struct l2v_pkt *take(struct l2v_pkt_pool *pool, size_t cap)
{
    struct l2v_pkt *pkt = pool->idle;
    if (pool->live >= pool->max) {
        return NULL;
    }
    if (cap == L2V_PKT_SIZE && pkt != NULL) {
        pool->idle = pkt->next;
        return pkt;
    }
    return (struct l2v_pkt *)pool->mem.malloc_fn(pool->mem.user, PKT_HEADER + cap);
}

struct l2v_pkt *l2v_pkt_new(struct l2v_env *env, size_t len)
{
    struct l2v_pkt_pool *pool = env->pool;
    struct l2v_pkt *pkt;
    size_t cap = L2V_PKT_SIZE;
    if (pool == NULL || len > SIZE_MAX / 2) {
        return NULL;
    }
    if (len > cap - L2V_PKT_HEADROOM - L2V_PKT_TAILROOM) {
        cap = len + L2V_PKT_HEADROOM + L2V_PKT_TAILROOM;
    }
    pkt = take(pool, cap);
    if (pkt == NULL) {
        pool->misses++;
        return NULL;
    }
    memset(pkt, 0, sizeof *pkt);
    pkt->buf = (uint8_t *)pkt + PKT_HEADER;
    pkt->cap = cap;
    pkt->data = pkt->buf + L2V_PKT_HEADROOM;
    pkt->pool = pool;
    pkt->refs = 1;
    pkt->flags = cap == L2V_PKT_SIZE ? 0 : L2V_PKT_HEAP;
    pool->live++;
    return pkt;
}

struct l2v_pkt *l2v_pkt_copy(struct l2v_env *env, const void *data, size_t len)
{
    struct l2v_pkt *pkt = l2v_pkt_new(env, len);
    if (pkt != NULL && len > 0) {
        memcpy(pkt->data, data, len);
        pkt->len = len;
    }
    return pkt;
}

struct l2v_pkt *l2v_pkt_ref(struct l2v_pkt *pkt)
{
    if (pkt->flags & L2V_PKT_BORROWED) {
        return NULL;
    }
    pkt->refs++;
    return pkt;
}

void l2v_pkt_free(struct l2v_pkt *pkt)
{
    struct l2v_pkt_pool *pool;
    if (pkt == NULL || (pkt->flags & L2V_PKT_BORROWED) || --pkt->refs > 0) {
        return;
    }
    pool = pkt->pool;
    pool->live--;
#ifdef L2V_NO_POOLS
    free_block(pool, pkt);
#else
    if (pool->closed || pkt->cap != L2V_PKT_SIZE) {
        free_block(pool, pkt);
    } else {
        pkt->next = pool->idle;
        pool->idle = pkt;
    }
#endif
    if (pool->closed && pool->live == 0) {
        free_block(pool, pool);
    }
}

void l2v_pkt_borrow(struct l2v_pkt *pkt, uint8_t *data, size_t len)
{
    memset(pkt, 0, sizeof *pkt);
    pkt->buf = pkt->data = data;
    pkt->cap = pkt->len = len;
    pkt->refs = 1;
    pkt->flags = L2V_PKT_BORROWED;
}

void l2v_pktq_clear(struct l2v_pktq *q)
{
    struct l2v_pkt *pkt;
    while ((pkt = l2v_pktq_pop(q)) != NULL) {
        l2v_pkt_free(pkt);
    }
}
