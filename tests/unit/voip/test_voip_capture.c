/* SPDX-License-Identifier: MIT */
/* Jitter of captured streams against tshark (kat/rtp_jitter_tshark.json). */
#include <math.h>
#include <stdio.h>

#include "test_voip.h"

struct stream {
    const char *file;
    const char *codec;
    uint32_t ssrc;
    uint64_t packets;
    double final_ms, max_ms;
};

static const struct stream streams[] = {
    {"wswiki__sip-rtp-g729a.pcap", "G729", 0x044559a1, 425, 0.068, 0.143},
    {"wswiki__sip-rtp-ilbc.pcap", "iLBC", 0x043eefa7, 284, 0.030, 0.048},
    {"wswiki__sip-rtp-opus.pcap", "opus", 0x043eee04, 425, 0.035, 0.072},
};

static uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* RTP packets of one source in a little-endian Ethernet pcap file. */
static void feed_file(FILE *f, struct l2v_rtp_meter *m, uint32_t ssrc)
{
    uint8_t head[24], data[4096];
    ck_assert_uint_eq(fread(head, 1, 24, f), 24);
    ck_assert_uint_eq(get_le32(head), 0xa1b2c3d4);
    while (fread(head, 1, 16, f) == 16) {
        uint64_t time_ns = get_le32(head) * L2V_NS_PER_S + get_le32(head + 4) * UINT64_C(1000);
        uint32_t len = get_le32(head + 8);
        ck_assert_uint_le(len, sizeof data);
        ck_assert_uint_eq(fread(data, 1, len, f), len);
        if (len > 54 && l2v_get_u16(data + 12) == 0x0800 && data[14] == 0x45 && data[23] == 17 &&
            l2v_get_u32(data + 50) == ssrc) {
            size_t udp = l2v_get_u16(data + 38);
            ck_assert_int_eq(l2v_rtp_meter_input(m, data + 42, udp - 8, time_ns), 0);
        }
    }
}

START_TEST(tshark_agrees)
{
    const struct stream *s = &streams[_i];
    char path[1024];
    l2tpvoip_codec codec;
    l2tpvoip_rtp_stats stats;
    (void)snprintf(path, sizeof path, "%s/corpus/valid/%s", L2V_VECTORS, s->file);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        printf("skip %s: not found\n", path);
        return;
    }
    ck_assert_int_eq(l2v_codec_find(s->codec, &codec), 0);
    struct l2v_rtp_meter *m = l2v_rtp_meter_new(&codec);
    ck_assert_ptr_nonnull(m);
    feed_file(f, m, s->ssrc);
    (void)fclose(f);
    l2v_rtp_meter_get(m, -1, 0, &stats);
    ck_assert_uint_eq(stats.received, s->packets);
    ck_assert_uint_eq(stats.lost, 0);
    ck_assert_uint_eq(stats.late, 0);
    ck_assert_msg(fabs(stats.jitter_ms - s->final_ms) < 0.0006, "%.4f", stats.jitter_ms);
    ck_assert_msg(fabs(stats.max_jitter_ms - s->max_ms) < 0.0006, "%.4f", stats.max_jitter_ms);
    l2v_rtp_meter_free(m);
}
END_TEST

TCase *test_voip_capture(void)
{
    TCase *tc = tcase_create("capture");
    tcase_add_loop_test(tc, tshark_agrees, 0, (int)(sizeof streams / sizeof streams[0]));
    return tc;
}
