/* SPDX-License-Identifier: MIT */
/* Receiver-side meter of one RTP stream. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "l2v_voip.h"
#include "rtp_burst.h"
#include "rtp_wire.h"

#define WINDOW 512u      /* sequence numbers whose fate is open */
#define MAX_DROPOUT 3000 /* rfc3550#A.1 */
#define EARLY_MAX 64     /* how far before the first packet one may still belong to it */
#define BASELINE_NS (2 * L2V_NS_PER_S)
#define LATE_NS ((int64_t)(L2V_VOIP_JITTER_BUFFER_MS * L2V_NS_PER_MS))
#define JUMP_S 10 /* a larger step of the timestamp is a new start, not jitter */

struct clock { /* arrival against timestamp */
    bool started;
    uint64_t last_ns;
    uint32_t last_ts;
    double jitter, max_jitter; /* timestamp units */
    int64_t transit_ns;        /* of the last packet, from an arbitrary origin */
    int64_t best_ns, best_before_ns;
    uint64_t best_since_ns;
};

struct l2v_rtp_meter {
    l2tpvoip_codec codec;
    bool has_codec, started;
    uint32_t ssrc;
    int64_t base, max; /* extended sequence numbers; base: the first whose fate is open */
    bool base_is_first;
    uint64_t seen[WINDOW / 64], discarded[WINDOW / 64];
    bool has_candidate; /* a stray packet; a second in sequence starts anew, rfc3550#A.1 */
    uint32_t candidate_ssrc;
    uint16_t candidate_seq;
    struct clock clock;
    struct l2v_rtp_burst burst;
    uint64_t received, lost, reordered, duplicated, late;
};

static bool get_bit(const uint64_t *bits, int64_t seq)
{
    uint64_t i = (uint64_t)seq % WINDOW;
    return (bits[i / 64] >> (i % 64) & 1u) != 0;
}

static void set_bit(uint64_t *bits, int64_t seq, bool on)
{
    uint64_t i = (uint64_t)seq % WINDOW;
    uint64_t bit = UINT64_C(1) << (i % 64);
    bits[i / 64] = on ? bits[i / 64] | bit : bits[i / 64] & ~bit;
}

struct l2v_rtp_meter *l2v_rtp_meter_new(const l2tpvoip_codec *codec)
{
    struct l2v_rtp_meter *m = calloc(1, sizeof *m);
    if (m != NULL && codec != NULL) {
        m->codec = *codec;
        m->has_codec = true;
    }
    return m;
}

void l2v_rtp_meter_free(struct l2v_rtp_meter *m)
{
    free(m);
}

/* The fate of the oldest open number is final. */
static void settle_one(struct l2v_rtp_meter *m)
{
    if (!get_bit(m->seen, m->base)) {
        m->lost++;
        l2v_rtp_burst_bad(&m->burst, 1);
    } else if (get_bit(m->discarded, m->base)) {
        l2v_rtp_burst_bad(&m->burst, 1);
    } else {
        l2v_rtp_burst_good(&m->burst);
    }
    set_bit(m->seen, m->base, false);
    set_bit(m->discarded, m->base, false);
    m->base++;
    m->base_is_first = false;
}

static void settle_all(struct l2v_rtp_meter *m)
{
    while (m->started && m->base <= m->max) {
        settle_one(m);
    }
}

static void start_stream(struct l2v_rtp_meter *m, const struct l2v_rtp_header *h)
{
    settle_all(m);
    memset(m->seen, 0, sizeof m->seen);
    memset(m->discarded, 0, sizeof m->discarded);
    m->started = true;
    m->ssrc = h->ssrc;
    m->base = m->max = (int64_t)h->seq + 65536; /* room for earlier ones */
    m->base_is_first = true;
    m->has_candidate = false;
    m->clock.started = false;
    m->clock.jitter = 0;
    if (!m->has_codec && l2v_codec_find_pt(h->payload_type, &m->codec) != 0) {
        (void)l2v_codec_find("PCMA", &m->codec);
    }
    if (m->codec.clock_hz == 0) {
        m->codec.clock_hz = 8000;
    }
}

/* --- time ----------------------------------------------------------------------------------- */

static void restart_clock(struct clock *c, uint64_t time_ns, uint32_t ts)
{
    c->started = true;
    c->last_ns = time_ns;
    c->last_ts = ts;
    c->transit_ns = c->best_ns = c->best_before_ns = 0;
    c->best_since_ns = time_ns;
}

/* Lowest transit of the last two to four seconds: follows clock drift and route changes. */
static void update_baseline(struct clock *c, uint64_t time_ns)
{
    if (time_ns > c->best_since_ns && time_ns - c->best_since_ns > BASELINE_NS) {
        c->best_before_ns = c->best_ns;
        c->best_ns = c->transit_ns;
        c->best_since_ns = time_ns;
    } else if (c->transit_ns < c->best_ns) {
        c->best_ns = c->transit_ns;
    }
}

/* Updates jitter (rfc3550#6.4.1) and says whether the packet is too late to be played. */
static bool clock_packet(struct l2v_rtp_meter *m, uint32_t ts, uint64_t time_ns)
{
    struct clock *c = &m->clock;
    double hz = m->codec.clock_hz;
    int32_t step = (int32_t)(ts - c->last_ts);
    if (!c->started || fabs((double)step) > hz * JUMP_S) {
        restart_clock(c, time_ns, ts);
        return false;
    }
    int64_t elapsed_ns = (int64_t)(time_ns - c->last_ns);
    double d = (double)elapsed_ns * hz / 1e9 - step;
    c->transit_ns += elapsed_ns - (int64_t)((double)step * 1e9 / hz);
    if (step != 0) { /* packets of one frame, or of one event, share their timestamp */
        c->jitter += (fabs(d) - c->jitter) / 16;
        c->max_jitter = c->jitter > c->max_jitter ? c->jitter : c->max_jitter;
    }
    c->last_ns = time_ns;
    c->last_ts = ts;
    update_baseline(c, time_ns);
    int64_t best = c->best_ns < c->best_before_ns ? c->best_ns : c->best_before_ns;
    return c->transit_ns - best > LATE_NS;
}

/* --- sequence ------------------------------------------------------------------------------- */

static void advance_to(struct l2v_rtp_meter *m, int64_t seq)
{
    while (m->base <= m->max && seq - m->base >= (int64_t)WINDOW) {
        settle_one(m);
    }
    if (seq - m->base >= (int64_t)WINDOW) { /* the gap is longer than the window */
        uint64_t n = (uint64_t)(seq - m->base) - (WINDOW - 1);
        m->lost += n;
        l2v_rtp_burst_bad(&m->burst, n);
        m->base += (int64_t)n;
        m->base_is_first = false;
    }
    m->max = seq;
}

static void count_packet(struct l2v_rtp_meter *m, const struct l2v_rtp_header *h, int64_t seq,
                         uint64_t time_ns)
{
    bool late = clock_packet(m, h->timestamp, time_ns);
    set_bit(m->seen, seq, true);
    set_bit(m->discarded, seq, late);
    m->received++;
    m->late += late ? 1 : 0;
}

static void input_old(struct l2v_rtp_meter *m, const struct l2v_rtp_header *h, int64_t seq,
                      uint64_t time_ns)
{
    if (seq < m->base) {
        if (!m->base_is_first || m->base - seq > EARLY_MAX || m->max - seq >= (int64_t)WINDOW) {
            m->late++; /* its fate was settled as lost */
            return;
        }
        m->base = seq; /* overtaken by the first packet that came */
    } else if (get_bit(m->seen, seq)) {
        m->duplicated++;
        return;
    }
    m->reordered++;
    count_packet(m, h, seq, time_ns);
}

/* A packet of another source, or far away from the sequence. */
static void input_stray(struct l2v_rtp_meter *m, const struct l2v_rtp_header *h, uint64_t time_ns)
{
    if (m->has_candidate && m->candidate_ssrc == h->ssrc && m->candidate_seq == h->seq) {
        start_stream(m, h);
        /* The first of the two was heard as well. */
        m->base--;
        set_bit(m->seen, m->base, true);
        m->received++;
        count_packet(m, h, m->max, time_ns);
        return;
    }
    m->has_candidate = true;
    m->candidate_ssrc = h->ssrc;
    m->candidate_seq = (uint16_t)(h->seq + 1u);
}

int l2v_rtp_meter_input(struct l2v_rtp_meter *m, const uint8_t *data, size_t len, uint64_t time_ns)
{
    struct l2v_rtp_header h;
    int rc = l2v_rtp_parse(data, len, &h);
    if (rc != 0) {
        return rc;
    }
    if (!m->started) {
        start_stream(m, &h);
        count_packet(m, &h, m->max, time_ns);
        return 0;
    }
    int32_t delta = (int16_t)(uint16_t)(h.seq - (uint16_t)m->max);
    if (h.ssrc != m->ssrc || delta >= MAX_DROPOUT || delta <= -(int32_t)WINDOW) {
        input_stray(m, &h, time_ns);
        return 0;
    }
    m->has_candidate = false;
    if (delta > 0) {
        advance_to(m, m->max + delta);
        count_packet(m, &h, m->max, time_ns);
    } else {
        input_old(m, &h, m->max + delta, time_ns);
    }
    return 0;
}

/* --- report --------------------------------------------------------------------------------- */

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

void l2v_rtp_meter_get(const struct l2v_rtp_meter *m, double rtt_ms, uint64_t expected,
                       l2tpvoip_rtp_stats *stats)
{
    struct l2v_rtp_meter end = *m; /* the report closes what is open; the meter goes on */
    settle_all(&end);
    if (expected > end.burst.n_packets) { /* the sender knows of more: lost at the ends */
        uint64_t n = expected - end.burst.n_packets;
        end.lost += n;
        l2v_rtp_burst_bad(&end.burst, n);
    }
    l2v_rtp_burst_close(&end.burst);
    double to_ms = end.codec.clock_hz != 0 ? 1000.0 / end.codec.clock_hz : 0;
    double bad = ratio(end.burst.n_bad, end.burst.n_packets);
    double delay = (rtt_ms > 0 ? rtt_ms / 2 : 0) + L2V_VOIP_JITTER_BUFFER_MS;
    stats->ssrc = end.ssrc;
    stats->expected = end.burst.n_packets;
    stats->received = end.received;
    stats->lost = end.lost;
    stats->reordered = end.reordered;
    stats->duplicated = end.duplicated;
    stats->late = end.late;
    stats->loss_ratio = ratio(end.lost, end.burst.n_packets);
    stats->jitter_ms = end.clock.jitter * to_ms;
    stats->max_jitter_ms = end.clock.max_jitter * to_ms;
    stats->burst_ratio = l2v_rtp_burst_ratio(&end.burst);
    stats->burst_density = ratio(end.burst.burst_bad, end.burst.burst_packets);
    stats->gap_density = ratio(end.burst.gap_bad, end.burst.gap_packets);
    stats->r_factor = l2v_emodel_r(&end.codec, delay, bad, stats->burst_ratio);
    stats->mos_cq = l2v_emodel_mos(stats->r_factor);
    stats->mos_lq = l2v_emodel_mos(l2v_emodel_r(&end.codec, 0, bad, stats->burst_ratio));
    if (end.received == 0) { /* silence has no quality; nothing sent, none either */
        stats->r_factor = 0;
        stats->mos_cq = stats->mos_lq = 1;
    }
}
