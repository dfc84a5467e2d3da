/* SPDX-License-Identifier: MIT */
/* Packet buffers: one allocation each, headroom for every header of the stack, pooled per context.
 * Headers are pushed in front, payloads are opened and sealed in place. */
#ifndef L2V_BASE_PKT_H
#define L2V_BASE_PKT_H

#include <l2tpvoip/types.h>

#include "base_env.h"

/* Worst case outwards: IPv6 40 + fragment 8 + UDP 8 + PPP 4 + L2TP 14 + UDP 8 + ESP 8 + IV 16 +
 * non-ESP marker 4, rounded up; tailroom: padding 255 + trailer 2 + ICV 32. */
#define L2V_PKT_HEADROOM 128u
#define L2V_PKT_TAILROOM 320u
#define L2V_PKT_SIZE 2560u /* buffer of a pooled packet, headroom and tailroom included */

struct l2v_pkt {
    struct l2v_pkt *next; /* of whatever queue holds it */
    uint8_t *data;
    size_t len;
    uint8_t *buf; /* start of the buffer */
    size_t cap;
    struct l2v_pkt_pool *pool;
    uint64_t time_ns;     /* arrival, or when it was queued */
    uint32_t path_id;     /* outer path */
    uint32_t flags;       /* L2V_PKT_… */
    l2tpvoip_addr local;  /* outer addresses on input, and on output */
    l2tpvoip_addr remote;
    void *owner; /* free for the layer that owns the packet */
    uint32_t refs;
    uint8_t tos;   /* outer TOS */
    uint8_t klass; /* L2TPVOIP_CLASS_… */
    uint16_t mark; /* free for the layer that owns the packet */
};

#define L2V_PKT_BORROWED 0x1u /* data is the caller's memory; valid until the entry call returns */
#define L2V_PKT_DF 0x2u
#define L2V_PKT_HEAP 0x4u /* larger than L2V_PKT_SIZE; freed, not pooled */

/* A pool of at most max packets, made on demand. */
int l2v_pkt_pool_new(struct l2v_env *env, uint32_t max, struct l2v_pkt_pool **ret_pool);
void l2v_pkt_pool_free(struct l2v_pkt_pool *pool);
uint64_t l2v_pkt_pool_misses(const struct l2v_pkt_pool *pool);

/* An empty packet with L2V_PKT_HEADROOM in front and room for len bytes plus L2V_PKT_TAILROOM.
 * NULL when the pool is exhausted or memory is. */
struct l2v_pkt *l2v_pkt_new(struct l2v_env *env, size_t len);
/* A packet with a copy of data (len bytes). */
struct l2v_pkt *l2v_pkt_copy(struct l2v_env *env, const void *data, size_t len);
struct l2v_pkt *l2v_pkt_ref(struct l2v_pkt *pkt);
void l2v_pkt_free(struct l2v_pkt *pkt); /* drops a reference; NULL is fine */
/* Makes pkt (caller's struct) a view of the caller's memory, for opening in place. */
void l2v_pkt_borrow(struct l2v_pkt *pkt, uint8_t *data, size_t len);

static inline size_t l2v_pkt_headroom(const struct l2v_pkt *pkt)
{
    return (size_t)(pkt->data - pkt->buf);
}

static inline size_t l2v_pkt_tailroom(const struct l2v_pkt *pkt)
{
    return pkt->cap - l2v_pkt_headroom(pkt) - pkt->len;
}

/* n more bytes in front; NULL if there is no headroom. */
static inline uint8_t *l2v_pkt_push(struct l2v_pkt *pkt, size_t n)
{
    if (l2v_pkt_headroom(pkt) < n) {
        return NULL;
    }
    pkt->data -= n;
    pkt->len += n;
    return pkt->data;
}

/* n bytes less in front; NULL if there are fewer. */
static inline uint8_t *l2v_pkt_pull(struct l2v_pkt *pkt, size_t n)
{
    uint8_t *p = pkt->data;
    if (pkt->len < n) {
        return NULL;
    }
    pkt->data += n;
    pkt->len -= n;
    return p;
}

/* n more bytes at the end; NULL if there is no tailroom. */
static inline uint8_t *l2v_pkt_put(struct l2v_pkt *pkt, size_t n)
{
    uint8_t *p = pkt->data + pkt->len;
    if (l2v_pkt_tailroom(pkt) < n) {
        return NULL;
    }
    pkt->len += n;
    return p;
}

/* Shortens to len bytes. */
static inline void l2v_pkt_trim(struct l2v_pkt *pkt, size_t len)
{
    if (len < pkt->len) {
        pkt->len = len;
    }
}

/* FIFO of packets. */
struct l2v_pktq {
    struct l2v_pkt *head, *tail;
    uint32_t count;
};

static inline void l2v_pktq_init(struct l2v_pktq *q)
{
    q->head = q->tail = NULL;
    q->count = 0;
}

static inline void l2v_pktq_push(struct l2v_pktq *q, struct l2v_pkt *pkt)
{
    pkt->next = NULL;
    if (q->tail != NULL) {
        q->tail->next = pkt;
    } else {
        q->head = pkt;
    }
    q->tail = pkt;
    q->count++;
}

static inline struct l2v_pkt *l2v_pktq_pop(struct l2v_pktq *q)
{
    struct l2v_pkt *pkt = q->head;
    if (pkt != NULL) {
        q->head = pkt->next;
        if (q->head == NULL) {
            q->tail = NULL;
        }
        q->count--;
        pkt->next = NULL;
    }
    return pkt;
}

void l2v_pktq_clear(struct l2v_pktq *q); /* frees all */

#endif
