/* SPDX-License-Identifier: MIT */
/* A control protocol: the automaton, its packets and its restart timer. LCP, IPCP and IPV6CP are
 * instances that differ in their struct l2v_ppp_proto. */
#ifndef L2V_PPP_CP_H
#define L2V_PPP_CP_H

#include "ppp_fsm.h"
#include "ppp_option.h"
#include "ppp_wire.h"

#define L2V_PPP_REQUEST_MAX 64u /* our own Configure-Request's options */

struct l2v_ppp_proto {
    const char *name;
    uint16_t protocol;
    const struct l2v_ppp_option *options;
    size_t n_options;
    void (*begin)(struct l2v_ppp *ppp); /* forget what the peer asked for before */
    void (*up)(struct l2v_ppp *ppp);
    void (*down)(struct l2v_ppp *ppp);
    void (*finished)(struct l2v_ppp *ppp);
    /* Codes above 7. false = unknown. */
    bool (*extra)(struct l2v_ppp *ppp, uint8_t code, uint8_t id, struct l2v_reader *data);
    /* A Terminate-Request comes in, before the automaton sees it. true = negotiate anew after it.
     * May be NULL. */
    bool (*terminating)(struct l2v_ppp *ppp, struct l2v_reader *data);
};

struct l2v_ppp_cp {
    struct l2v_ppp *ppp;
    const struct l2v_ppp_proto *proto;
    struct l2v_timer restart;
    uint64_t sent_ns; /* of the Configure-Request on the way, when it was not repeated; else 0 */
    uint32_t restart_count;
    uint32_t attempt;  /* sends since Initialize-Restart-Count */
    uint32_t naks_out; /* refusals sent without an Ack between, rfc1661#4.6 Max-Failure */
    uint32_t repeats;  /* refused requests that the peer just repeated */
    uint32_t naks_in;  /* refusals of ours without an Ack between */
    uint8_t state;     /* enum l2v_ppp_state */
    uint8_t next_id;
    uint8_t conf_id; /* of the Configure-Request on the way */
    uint8_t nak_id;  /* of the last Configure-Request that we refused */
    bool answered;   /* it has been answered: the next one gets a new id */
    bool heard;      /* the peer has said anything at all */
    uint8_t sent[L2V_PPP_REQUEST_MAX];
    size_t sent_len;
    uint8_t acked[L2V_PPP_REQUEST_MAX]; /* the peer's request that opened us */
    size_t acked_len;
    uint8_t acked_id;
    bool has_acked;
    /* valid while a packet is being worked on */
    uint8_t rx_id, rx_code;
    const uint8_t *rx; /* the whole packet */
    size_t rx_len;
    uint8_t reply_code;
    const uint8_t *reply;
    size_t reply_len;
};

void l2v_ppp_cp_init(struct l2v_ppp_cp *cp, struct l2v_ppp *ppp, const struct l2v_ppp_proto *proto);
void l2v_ppp_cp_clear(struct l2v_ppp_cp *cp);
void l2v_ppp_cp_event(struct l2v_ppp_cp *cp, enum l2v_ppp_event event);
/* 0, MALFORMED. */
int l2v_ppp_cp_input(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len);
void l2v_ppp_cp_send(struct l2v_ppp_cp *cp, uint8_t code, uint8_t id, const void *data, size_t len);
static inline bool l2v_ppp_cp_is_open(const struct l2v_ppp_cp *cp)
{
    return cp->state == L2V_PPP_OPENED;
}

#endif
