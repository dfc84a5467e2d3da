/* SPDX-License-Identifier: MIT */
/* Bursts and gaps of a stream, fed with the fate of each packet in order. */
#ifndef L2V_RTP_BURST_H
#define L2V_RTP_BURST_H

#include <stdbool.h>
#include <stdint.h>

struct l2v_rtp_burst {
    uint64_t n_packets, n_bad; /* bad: lost, or discarded because late */
    uint64_t n_runs;           /* of bad packets in direct succession */
    bool in_run;
    /* rfc3611#4.7.2: a cluster of bad packets that may become a burst. */
    uint64_t cluster_len, cluster_bad; /* 0 = none */
    uint64_t good_run;                 /* good packets since the last bad one */
    uint64_t burst_packets, burst_bad, gap_packets, gap_bad;
};

void l2v_rtp_burst_good(struct l2v_rtp_burst *b);
void l2v_rtp_burst_bad(struct l2v_rtp_burst *b, uint64_t n); /* n > 0 in a row */
void l2v_rtp_burst_close(struct l2v_rtp_burst *b);           /* at the end, before reading */
double l2v_rtp_burst_ratio(const struct l2v_rtp_burst *b);   /* BurstR of G.107, at least 1 */

#endif
