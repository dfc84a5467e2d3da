/* SPDX-License-Identifier: MIT */
/* Hash map with chains, and SipHash-1-3 under it. */
#include "base_map.h"

#include <string.h>

#define FIRST_SLOTS 16u

static uint64_t rotl(uint64_t v, unsigned n)
{
    return v << n | v >> (64u - n);
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

uint64_t l2v_siphash(const uint8_t key[16], const void *data, size_t len)
{
    const uint8_t *p = (const uint8_t *)data;
    uint64_t k0 = load_le(key, 8), k1 = load_le(key + 8, 8), last = (uint64_t)len << 56;
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t m = load_le(p, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    if (len > 0) {
        last |= load_le(p, len);
    }
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct l2v_map_node **slot_of(struct l2v_env *env, struct l2v_map_node **slots,
                                     size_t n_slots, uint64_t key)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(key >> (8 * i));
    }
    return &slots[(size_t)l2v_siphash(env->hash_key, bytes, sizeof bytes) & (n_slots - 1)];
}

int l2v_map_init(struct l2v_map *m, struct l2v_env *env)
{
    memset(m, 0, sizeof *m);
    if (!env->hash_key_drawn) {
        int err = l2v_random(env, env->hash_key, sizeof env->hash_key);
        if (err != L2TPVOIP_OK) {
            return err;
        }
        env->hash_key_drawn = 1;
    }
    m->slots = (struct l2v_map_node **)l2v_calloc(env, FIRST_SLOTS, sizeof(struct l2v_map_node *));
    if (m->slots == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    m->env = env;
    m->n_slots = FIRST_SLOTS;
    return L2TPVOIP_OK;
}

void l2v_map_clear(struct l2v_map *m)
{
    if (m->slots != NULL) {
        l2v_free(m->env, m->slots);
    }
    memset(m, 0, sizeof *m);
}

static void grow(struct l2v_map *m)
{
    size_t n_slots = m->n_slots * 2;
    struct l2v_map_node **slots =
        (struct l2v_map_node **)l2v_calloc(m->env, n_slots, sizeof(struct l2v_map_node *));
    if (slots == NULL) {
        return; /* longer chains, still right */
    }
    for (size_t i = 0; i < m->n_slots; i++) {
        struct l2v_map_node *node = m->slots[i];
        while (node != NULL) {
            struct l2v_map_node *next = node->next;
            struct l2v_map_node **slot = slot_of(m->env, slots, n_slots, node->key);
            node->next = *slot;
            *slot = node;
            node = next;
        }
    }
    l2v_free(m->env, m->slots);
    m->slots = slots;
    m->n_slots = n_slots;
}

void l2v_map_insert(struct l2v_map *m, struct l2v_map_node *node, uint64_t key)
{
    struct l2v_map_node **slot;
    if (m->count >= m->n_slots) {
        grow(m);
    }
    slot = slot_of(m->env, m->slots, m->n_slots, key);
    node->key = key;
    node->next = *slot;
    *slot = node;
    m->count++;
}

void l2v_map_remove(struct l2v_map *m, struct l2v_map_node *node)
{
    struct l2v_map_node **p;
    if (m->slots == NULL) {
        return;
    }
    for (p = slot_of(m->env, m->slots, m->n_slots, node->key); *p != NULL; p = &(*p)->next) {
        if (*p == node) {
            *p = node->next;
            node->next = NULL;
            m->count--;
            return;
        }
    }
}

struct l2v_map_node *l2v_map_find(const struct l2v_map *m, uint64_t key)
{
    struct l2v_map_node *node;
    if (m->slots == NULL) {
        return NULL;
    }
    node = *slot_of(m->env, m->slots, m->n_slots, key);
    while (node != NULL && node->key != key) {
        node = node->next;
    }
    return node;
}

struct l2v_map_node *l2v_map_find_next(const struct l2v_map_node *node)
{
    struct l2v_map_node *next = node->next;
    while (next != NULL && next->key != node->key) {
        next = next->next;
    }
    return next;
}
