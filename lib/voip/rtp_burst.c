/* SPDX-License-Identifier: MIT */
/* Bursts and gaps, RFC 3611 §4.7.2 by its definition, with Gmin 16. */
#include "rtp_burst.h"

#define GMIN 16u

/* What the cluster was is known once Gmin good packets have followed it. A single bad packet is
 * part of the gap around it. */
static void settle(struct l2v_rtp_burst *b)
{
    if (b->cluster_bad == 1) {
        b->gap_packets++;
        b->gap_bad++;
    } else {
        b->burst_packets += b->cluster_len;
        b->burst_bad += b->cluster_bad;
    }
    b->gap_packets += b->good_run;
    b->cluster_len = b->cluster_bad = b->good_run = 0;
}

void l2v_rtp_burst_good(struct l2v_rtp_burst *b)
{
    b->n_packets++;
    b->in_run = false;
    b->good_run++;
}

void l2v_rtp_burst_bad(struct l2v_rtp_burst *b, uint64_t n)
{
    b->n_packets += n;
    b->n_bad += n;
    if (!b->in_run) {
        b->n_runs++;
        b->in_run = true;
    }
    if (b->good_run >= GMIN || b->cluster_bad == 0) {
        settle(b);
    }
    b->cluster_len += b->good_run + n;
    b->cluster_bad += n;
    b->good_run = 0;
}

void l2v_rtp_burst_close(struct l2v_rtp_burst *b)
{
    settle(b);
}

double l2v_rtp_burst_ratio(const struct l2v_rtp_burst *b)
{
    if (b->n_bad == 0 || b->n_bad == b->n_packets) {
        return 1;
    }
    double mean = (double)b->n_bad / (double)b->n_runs;
    double ratio = mean * (1 - (double)b->n_bad / (double)b->n_packets);
    return ratio > 1 ? ratio : 1;
}
