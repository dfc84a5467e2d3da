/* SPDX-License-Identifier: MIT */
/* Intrusive hash map with 64-bit keys, keyed per context (SipHash-1-3) against chosen collisions. */
#ifndef L2V_BASE_MAP_H
#define L2V_BASE_MAP_H

#include "base_env.h"

struct l2v_map_node {
    struct l2v_map_node *next;
    uint64_t key;
};

struct l2v_map {
    struct l2v_env *env;
    struct l2v_map_node **slots;
    size_t n_slots; /* power of two */
    size_t count;
};

/* The first map draws env->hash_key. 0, NOMEM, CRYPTO (no random). */
int l2v_map_init(struct l2v_map *m, struct l2v_env *env);
void l2v_map_clear(struct l2v_map *m);                    /* frees the slots, not the nodes */
/* Cannot fail: when growing fails the chains get longer. Keys need not be unique. */
void l2v_map_insert(struct l2v_map *m, struct l2v_map_node *node, uint64_t key);
void l2v_map_remove(struct l2v_map *m, struct l2v_map_node *node);
struct l2v_map_node *l2v_map_find(const struct l2v_map *m, uint64_t key);
/* The next node with the same key, or NULL. */
struct l2v_map_node *l2v_map_find_next(const struct l2v_map_node *node);

uint64_t l2v_siphash(const uint8_t key[16], const void *data, size_t len);

#endif
