/* SPDX-License-Identifier: MIT */
/* Counters of a context, and voice quality. */
#include <string.h>

#include "l2v_api.h"

int l2tpvoip_context_get_stats(const l2tpvoip_context *ctx, l2tpvoip_context_stats *stats)
{
    int rc = l2v_api_check(ctx);
    if (rc != 0) {
        return rc;
    }
    if (stats == NULL || stats->size < 2 * sizeof(uint32_t)) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_context_stats all = ctx->stats;
    const struct l2v_ike_stats *ike = l2v_ike_get_stats(ctx->ike);
    uint64_t misses = l2v_pkt_pool_misses(ctx->env.pool);
    all.pool_empty = misses > all.pool_empty ? misses : all.pool_empty;
    all.handshakes_started = ike->started;
    all.handshakes_done = ike->done;
    all.handshakes_failed = ike->failed;
    l2v_api_copy_out(stats, &all, sizeof all);
    return 0;
}

/* --- codecs and the E-model ---------------------------------------------------------------------- */

int l2tpvoip_codec_find(const char *name, l2tpvoip_codec *ret_codec)
{
    if (name == NULL || ret_codec == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    return l2v_codec_find(name, ret_codec);
}

double l2tpvoip_emodel_r(const l2tpvoip_codec *codec, double delay_ms, double loss,
                         double burst_ratio)
{
    struct l2v_emodel e;
    l2v_emodel_init(&e);
    if (codec != NULL) {
        e.ie = codec->ie;
        e.bpl = codec->bpl;
    }
    e.t = delay_ms;
    e.ta = delay_ms;
    e.tr = 2 * delay_ms;
    e.ppl = loss * 100.0;
    e.burst_r = burst_ratio;
    return l2v_emodel_rate(&e);
}

double l2tpvoip_emodel_mos(double r)
{
    return l2v_emodel_mos(r);
}

/* --- RTP meter --------------------------------------------------------------------------------------- */

static struct l2v_rtp_meter *inner(l2tpvoip_rtp_meter *meter)
{
    return (struct l2v_rtp_meter *)(void *)meter;
}

int l2tpvoip_rtp_meter_new(const l2tpvoip_codec *codec, l2tpvoip_rtp_meter **ret_meter)
{
    if (codec == NULL || ret_meter == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    struct l2v_rtp_meter *m = l2v_rtp_meter_new(codec);
    if (m == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    *ret_meter = (l2tpvoip_rtp_meter *)(void *)m;
    return 0;
}

void l2tpvoip_rtp_meter_free(l2tpvoip_rtp_meter *meter)
{
    if (meter != NULL) {
        l2v_rtp_meter_free(inner(meter));
    }
}

int l2tpvoip_rtp_meter_input(l2tpvoip_rtp_meter *meter, const uint8_t *data, size_t len,
                             uint64_t time_ns)
{
    if (meter == NULL || (data == NULL && len > 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    return l2v_rtp_meter_input(inner(meter), data, len, time_ns);
}

int l2tpvoip_rtp_meter_get(const l2tpvoip_rtp_meter *meter, double rtt_ms, uint64_t expected,
                           l2tpvoip_rtp_stats *stats)
{
    l2tpvoip_rtp_stats all;
    if (meter == NULL || stats == NULL || stats->size < 2 * sizeof(uint32_t)) {
        return L2TPVOIP_ERR_INVALID;
    }
    memset(&all, 0, sizeof all);
    l2v_rtp_meter_get((const struct l2v_rtp_meter *)(const void *)meter, rtt_ms, expected, &all);
    l2v_api_copy_out(stats, &all, sizeof all);
    return 0;
}
