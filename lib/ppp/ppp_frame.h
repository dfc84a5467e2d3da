/* SPDX-License-Identifier: MIT */
/* The PPP frame as L2TP carries it: RFC 1661 §2 and §6.5-6.6, RFC 1662 §3.1 without flags and FCS.
 */
#ifndef L2V_PPP_FRAME_H
#define L2V_PPP_FRAME_H

#include <stdbool.h>

#include "base_pkt.h"

struct l2v_ppp_framing {
    bool acfc; /* leave FF 03 out */
    bool pfc;  /* one byte for protocols below 0x100 */
};

/* Takes the header off: FF 03 may be there or not, the protocol field may be compressed or not,
 * whatever was negotiated. 0, MALFORMED. */
int l2v_ppp_frame_parse(struct l2v_pkt *pkt, uint16_t *ret_protocol);
size_t l2v_ppp_frame_overhead(const struct l2v_ppp_framing *f, unsigned protocol);
/* Puts the header in front. LCP always gets the long form. 0, MSGSIZE (no headroom). */
int l2v_ppp_frame_push(struct l2v_pkt *pkt, const struct l2v_ppp_framing *f, unsigned protocol);

#endif
