/* SPDX-License-Identifier: MIT */
/* The send queue of a session: packets wait and are dropped here, before an ESP number is spent. */
#include <string.h>

#include "l2v_voip.h"

#define CONTROL 0u
#define VOICE_MAX_NS (60u * L2V_NS_PER_MS) /* stale audio is worthless to a jitter buffer */
#define BULK_SHARE 8u                      /* one bulk packet for so many of signalling */

static const uint32_t limits[4] = {
    [CONTROL] = 64,
    [L2TPVOIP_CLASS_VOICE] = 64,
    [L2TPVOIP_CLASS_SIGNALLING] = 128,
    [L2TPVOIP_CLASS_BULK] = 128,
};

void l2v_voip_queue_init(struct l2v_voip_queue *q)
{
    memset(q, 0, sizeof *q);
    for (unsigned i = 0; i < 4; i++) {
        l2v_pktq_init(&q->q[i]);
        q->limit[i] = limits[i];
    }
    q->voice_max_ns = VOICE_MAX_NS;
}

void l2v_voip_queue_clear(struct l2v_voip_queue *q)
{
    for (unsigned i = 0; i < 4; i++) {
        l2v_pktq_clear(&q->q[i]);
    }
    q->deficit = 0;
}

void l2v_voip_queue_push(struct l2v_voip_queue *q, struct l2v_pkt *pkt, uint64_t now_ns)
{
    unsigned klass = pkt->klass <= L2TPVOIP_CLASS_BULK ? pkt->klass : L2TPVOIP_CLASS_BULK;
    struct l2v_pktq *queue = &q->q[klass];
    pkt->time_ns = now_ns;
    if (queue->count >= q->limit[klass]) {
        q->drops[klass]++;
        if (klass == CONTROL) { /* in order, and never for the sake of a newer one */
            l2v_pkt_free(pkt);
            return;
        }
        l2v_pkt_free(l2v_pktq_pop(queue));
    }
    l2v_pktq_push(queue, pkt);
}

static struct l2v_pkt *pop_voice(struct l2v_voip_queue *q, uint64_t now_ns)
{
    struct l2v_pktq *queue = &q->q[L2TPVOIP_CLASS_VOICE];
    struct l2v_pkt *pkt;
    while ((pkt = l2v_pktq_pop(queue)) != NULL) {
        if (now_ns <= pkt->time_ns || now_ns - pkt->time_ns <= q->voice_max_ns) {
            return pkt;
        }
        q->drops[L2TPVOIP_CLASS_VOICE]++;
        l2v_pkt_free(pkt);
    }
    return NULL;
}

struct l2v_pkt *l2v_voip_queue_pop(struct l2v_voip_queue *q, uint64_t now_ns)
{
    struct l2v_pkt *pkt = l2v_pktq_pop(&q->q[CONTROL]);
    if (pkt == NULL) {
        pkt = pop_voice(q, now_ns);
    }
    if (pkt != NULL) {
        return pkt;
    }
    struct l2v_pktq *signalling = &q->q[L2TPVOIP_CLASS_SIGNALLING];
    struct l2v_pktq *bulk = &q->q[L2TPVOIP_CLASS_BULK];
    if (signalling->count == 0 || (bulk->count > 0 && q->deficit >= BULK_SHARE)) {
        q->deficit = 0;
        return l2v_pktq_pop(bulk);
    }
    q->deficit = bulk->count > 0 ? q->deficit + 1 : 0;
    return l2v_pktq_pop(signalling);
}

bool l2v_voip_queue_is_empty(const struct l2v_voip_queue *q)
{
    return q->q[0].count + q->q[1].count + q->q[2].count + q->q[3].count == 0;
}
