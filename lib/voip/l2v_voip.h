/* SPDX-License-Identifier: MIT */
/* Voice: class queues, DSCP policy, E-model, RTP meter, MTU budget. */
#ifndef L2V_VOIP_H
#define L2V_VOIP_H

#include <stdbool.h>

#include <l2tpvoip/socket.h>
#include <l2tpvoip/stats.h>

#include "base_env.h"
#include "base_pkt.h"

/* --- send queue of one session (voip_queue.c): packets wait here, before sealing ------------------------ */
struct l2v_voip_queue {
    struct l2v_pktq q[4];    /* by L2TPVOIP_CLASS_…; 0: control, goes first, its oldest is kept */
    uint32_t limit[4];       /* packets; when full the oldest of the class goes */
    uint64_t voice_max_ns;   /* voice older than this is dropped from the head; 60 ms */
    uint32_t deficit;        /* of bulk against signalling */
    uint64_t drops[4];
};
void l2v_voip_queue_init(struct l2v_voip_queue *q);
void l2v_voip_queue_clear(struct l2v_voip_queue *q);
/* Takes pkt (pkt->klass is set). */
void l2v_voip_queue_push(struct l2v_voip_queue *q, struct l2v_pkt *pkt, uint64_t now_ns);
/* Strict priority for voice, then signalling, then the rest. NULL = empty. */
struct l2v_pkt *l2v_voip_queue_pop(struct l2v_voip_queue *q, uint64_t now_ns);
bool l2v_voip_queue_is_empty(const struct l2v_voip_queue *q);

/* --- DSCP policy (voip_qos.c), RFC 2983, RFC 4594 ------------------------------------------------------------ */
uint8_t l2v_voip_classify(uint8_t tos);  /* inner TOS -> L2TPVOIP_CLASS_… */
uint8_t l2v_voip_outer_tos(uint8_t inner_tos); /* EF, CS5, CS3, AF4x are copied, the rest is 0; no ECN */

/* --- MTU (voip_mtu.c) ----------------------------------------------------------------------------------------- */
struct l2v_voip_encaps {
    bool outer_ipv6, udp_encap, esp;
    uint8_t esp_block, esp_iv, esp_icv; /* of the suite */
    uint8_t l2tp, ppp;                  /* header bytes */
};
/* Largest inner IP packet whose outer packet fits into path_mtu. */
uint32_t l2v_voip_inner_mtu(const struct l2v_voip_encaps *e, uint32_t path_mtu);
/* Outer bytes of one inner packet. */
uint32_t l2v_voip_outer_size(const struct l2v_voip_encaps *e, uint32_t inner);

/* --- E-model, codecs and RTP meter are the public functions of stats.h; these do the work ----------------- */
struct l2v_emodel { /* G.107 table 1; defaults by _init */
    double slr, rlr, stmr, dr, ds, telr, wepl, t, tr, ta, qdu, ie, bpl, ppl, burst_r, nc, nfor, ps, pr, a, st, mt;
};
void l2v_emodel_init(struct l2v_emodel *e);
double l2v_emodel_rate(const struct l2v_emodel *e); /* ppl in percent */
double l2v_emodel_mos(double r);
/* What l2tpvoip_emodel_r does: default set-up, delay_ms one way, loss 0 to 1. */
double l2v_emodel_r(const l2tpvoip_codec *codec, double delay_ms, double loss, double burst_ratio);
/* The receiver that the meter imagines plays each packet out this long after the fastest one. */
#define L2V_VOIP_JITTER_BUFFER_MS 60u
int l2v_codec_find(const char *name, l2tpvoip_codec *ret);
int l2v_codec_find_pt(unsigned payload_type, l2tpvoip_codec *ret);

struct l2v_rtp_meter; /* embedded by lib/api */
struct l2v_rtp_meter *l2v_rtp_meter_new(const l2tpvoip_codec *codec); /* libc memory */
void l2v_rtp_meter_free(struct l2v_rtp_meter *m);
int l2v_rtp_meter_input(struct l2v_rtp_meter *m, const uint8_t *data, size_t len, uint64_t time_ns);
void l2v_rtp_meter_get(const struct l2v_rtp_meter *m, double rtt_ms, uint64_t expected,
                       l2tpvoip_rtp_stats *stats);

#endif
