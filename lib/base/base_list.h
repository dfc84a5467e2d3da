/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked list. */
#ifndef L2V_BASE_LIST_H
#define L2V_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define L2V_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct l2v_list {
    struct l2v_list *next, *prev;
};

static inline void l2v_list_init(struct l2v_list *l)
{
    l->next = l->prev = l;
}

static inline bool l2v_list_is_empty(const struct l2v_list *l)
{
    return l->next == l;
}

static inline void l2v_list_append(struct l2v_list *l, struct l2v_list *node)
{
    node->prev = l->prev;
    node->next = l;
    l->prev->next = node;
    l->prev = node;
}

/* Harmless on a node that is initialised and in no list. */
static inline void l2v_list_remove(struct l2v_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    l2v_list_init(node);
}

#define L2V_LIST_EACH(pos, list) for (struct l2v_list *pos = (list)->next; pos != (list); pos = pos->next)
/* pos may be removed and freed in the body (but not its successor). */
#define L2V_LIST_EACH_SAFE(pos, list)                                                              \
    for (struct l2v_list *pos = (list)->next, *pos##_next = pos->next; pos != (list);              \
         pos = pos##_next, pos##_next = pos->next)

#endif
