/* SPDX-License-Identifier: MIT */
/* IPv4 pool. Free addresses stand in a queue, longest free first; each remembers (by a keyed hash)
 * the name that had it last, so that a user who comes back finds it again. */
#include "l2v_aaa.h"

#include <string.h>

#include "base_addr.h"
#include "base_list.h"
#include "base_map.h"

#define MAX_SIZE (1u << 20)

struct slot {
    struct l2v_map_node by_name; /* in the map when named */
    struct l2v_list free_node;   /* in the queue when not taken */
    uint64_t freed_at;           /* counts give-backs: which of a name's was the last */
    bool named;
    bool taken;
};

struct l2v_aaa_pool {
    struct l2v_env *env;
    struct l2v_map by_name;
    struct l2v_list free_slots;
    uint64_t n_freed;
    uint32_t first; /* host order */
    uint32_t size;
    struct slot *slots;
};

int l2v_aaa_pool_new(struct l2v_env *env, const l2tpvoip_addr *first, uint32_t size,
                     struct l2v_aaa_pool **ret)
{
    struct l2v_aaa_pool *pool;
    int err;
    if (first->family != 4 || size == 0 || size > MAX_SIZE ||
        size - 1 > UINT32_MAX - l2v_addr_get_ip4(first)) {
        return L2TPVOIP_ERR_INVALID;
    }
    pool = (struct l2v_aaa_pool *)l2v_calloc(env, 1, sizeof(*pool));
    if (pool == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    pool->env = env;
    pool->first = l2v_addr_get_ip4(first);
    pool->size = size;
    l2v_list_init(&pool->free_slots);
    pool->slots = (struct slot *)l2v_calloc(env, size, sizeof(*pool->slots));
    err = pool->slots != NULL ? l2v_map_init(&pool->by_name, env) : L2TPVOIP_ERR_NOMEM;
    if (err != 0) {
        l2v_aaa_pool_free(pool);
        return err;
    }
    for (uint32_t i = 0; i < size; i++) {
        l2v_list_append(&pool->free_slots, &pool->slots[i].free_node);
    }
    *ret = pool;
    return 0;
}

void l2v_aaa_pool_free(struct l2v_aaa_pool *pool)
{
    if (pool != NULL) {
        l2v_map_clear(&pool->by_name);
        l2v_free(pool->env, pool->slots);
        l2v_free(pool->env, pool);
    }
}

static struct slot *slot_of(const struct l2v_aaa_pool *pool, const l2tpvoip_addr *ip)
{
    uint32_t i = l2v_addr_get_ip4(ip) - pool->first;
    return ip->family == 4 && i < pool->size ? &pool->slots[i] : NULL;
}

/* The free address that the name gave back last, or NULL. */
static struct slot *find_last(const struct l2v_aaa_pool *pool, uint64_t hash)
{
    struct slot *best = NULL;
    struct l2v_map_node *node = l2v_map_find(&pool->by_name, hash);
    for (; node != NULL; node = l2v_map_find_next(node)) {
        struct slot *slot = (struct slot *)(void *)node;
        if (!slot->taken && (best == NULL || slot->freed_at > best->freed_at)) {
            best = slot;
        }
    }
    return best;
}

static void forget_name(struct l2v_aaa_pool *pool, struct slot *slot)
{
    if (slot->named) {
        l2v_map_remove(&pool->by_name, &slot->by_name);
        slot->named = false;
    }
}

int l2v_aaa_pool_take(struct l2v_aaa_pool *pool, const char *name, size_t name_len,
                      l2tpvoip_addr *ret_ip)
{
    uint64_t hash = name_len > 0 ? l2v_siphash(pool->env->hash_key, name, name_len) : 0;
    struct slot *slot = name_len > 0 ? find_last(pool, hash) : NULL;
    if (slot == NULL) {
        if (l2v_list_is_empty(&pool->free_slots)) {
            return L2TPVOIP_ERR_LIMIT;
        }
        slot = L2V_CONTAINER_OF(pool->free_slots.next, struct slot, free_node);
        forget_name(pool, slot);
        if (name_len > 0) {
            l2v_map_insert(&pool->by_name, &slot->by_name, hash);
            slot->named = true;
        }
    }
    l2v_list_remove(&slot->free_node);
    slot->taken = true;
    *ret_ip = l2v_addr_from_ip4(pool->first + (uint32_t)(slot - pool->slots), 0);
    return 0;
}

int l2v_aaa_pool_reserve(struct l2v_aaa_pool *pool, const l2tpvoip_addr *ip)
{
    struct slot *slot = slot_of(pool, ip);
    if (slot == NULL) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    if (slot->taken) {
        return L2TPVOIP_ERR_EXISTS;
    }
    forget_name(pool, slot);
    l2v_list_remove(&slot->free_node);
    slot->taken = true;
    return 0;
}

void l2v_aaa_pool_give_back(struct l2v_aaa_pool *pool, const l2tpvoip_addr *ip)
{
    struct slot *slot = slot_of(pool, ip);
    if (slot == NULL || !slot->taken) {
        return;
    }
    slot->taken = false;
    slot->freed_at = ++pool->n_freed;
    l2v_list_append(&pool->free_slots, &slot->free_node);
}
