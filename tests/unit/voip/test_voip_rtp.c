/* SPDX-License-Identifier: MIT */
/* The RTP meter: jitter, loss, order, bursts, restarts. */
#include <math.h>

#include "test_voip.h"

#define NEAR(a, b, eps) ck_assert_msg(fabs((a) - (b)) <= (eps), "%.6f, expected %.6f", (a), (b))
#define MS L2V_NS_PER_MS
#define T0 (1000 * MS)

static struct l2v_rtp_meter *new_meter(void)
{
    l2tpvoip_codec codec;
    ck_assert_int_eq(l2v_codec_find("PCMA", &codec), 0);
    struct l2v_rtp_meter *m = l2v_rtp_meter_new(&codec);
    ck_assert_ptr_nonnull(m);
    return m;
}

static l2tpvoip_rtp_stats stats_of(const struct l2v_rtp_meter *m, uint64_t expected)
{
    l2tpvoip_rtp_stats s;
    memset(&s, 0, sizeof s);
    s.size = sizeof s;
    l2v_rtp_meter_get(m, 0, expected, &s);
    return s;
}

/* Packet number i of a stream of 20 ms, arriving at its time plus late_ms. */
static void feed(struct l2v_rtp_meter *m, uint32_t i, uint64_t late_ms)
{
    uint8_t p[172];
    size_t n = test_make_rtp(p, 8, (uint16_t)i, i * 160, 1);
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0 + (i * 20u + late_ms) * MS), 0);
}

/* rfc3550#6.4.1, values of an independent implementation */
START_TEST(jitter)
{
    static const uint64_t arrival[] = {0, 20, 45, 60, 80, 105, 120, 140, 190, 200};
    static const double expected[] = {0,        0,        2.5,      4.84375,   4.541016,
                                      6.757202, 8.834877, 8.282697, 22.765029, 26.342214};
    struct l2v_rtp_meter *m = new_meter();
    uint8_t p[172];
    for (uint32_t i = 0; i < 10; i++) {
        size_t n = test_make_rtp(p, 8, (uint16_t)(65530 + i), 4294967000u + i * 160, 7);
        ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0 + arrival[i] * MS), 0);
        NEAR(stats_of(m, 0).jitter_ms * 8, expected[i], 0.000001);
    }
    l2tpvoip_rtp_stats s = stats_of(m, 0);
    ck_assert_uint_eq(s.received, 10); /* the sequence and the timestamp wrapped */
    ck_assert_uint_eq(s.expected, 10);
    ck_assert_uint_eq(s.lost, 0);
    NEAR(s.max_jitter_ms * 8, 26.342214, 0.000001);
    l2v_rtp_meter_free(m);
}
END_TEST

START_TEST(clean_call)
{
    struct l2v_rtp_meter *m = new_meter();
    for (uint32_t i = 65000; i < 65000 + 250; i++) {
        feed(m, i, 0);
    }
    l2tpvoip_rtp_stats s = stats_of(m, 250);
    ck_assert_uint_eq(s.received, 250);
    ck_assert_uint_eq(s.expected, 250);
    ck_assert_uint_eq(s.lost + s.reordered + s.duplicated + s.late, 0);
    ck_assert_double_eq(s.loss_ratio, 0);
    ck_assert_double_eq(s.burst_ratio, 1);
    NEAR(s.mos_lq, 4.4095, 0.0001);
    ck_assert(s.mos_cq > 4.3);
    ck_assert_uint_eq(s.ssrc, 1);
    l2v_rtp_meter_free(m);
}
END_TEST

START_TEST(silence)
{
    struct l2v_rtp_meter *m = l2v_rtp_meter_new(NULL);
    l2tpvoip_rtp_stats s = stats_of(m, 0);
    ck_assert_double_eq(s.mos_cq, 1);
    s = stats_of(m, 50);
    ck_assert_uint_eq(s.lost, 50);
    ck_assert_double_eq(s.loss_ratio, 1);
    ck_assert_double_eq(s.r_factor, 0);
    l2v_rtp_meter_free(m);
}
END_TEST

START_TEST(loss_order_duplicates)
{
    struct l2v_rtp_meter *m = new_meter();
    feed(m, 101, 0);
    feed(m, 100, 25); /* before the first: overtaken, not lost */
    feed(m, 102, 0);
    feed(m, 102, 1); /* duplicate */
    feed(m, 105, 0); /* 103, 104 missing */
    l2tpvoip_rtp_stats s = stats_of(m, 0);
    ck_assert_uint_eq(s.lost, 2);
    feed(m, 104, 25); /* no: only reordered; the report was not the last word */
    s = stats_of(m, 0);
    ck_assert_uint_eq(s.expected, 6);
    ck_assert_uint_eq(s.received, 5);
    ck_assert_uint_eq(s.lost, 1);
    ck_assert_uint_eq(s.reordered, 2);
    ck_assert_uint_eq(s.duplicated, 1);
    ck_assert_uint_eq(s.late, 0);
    s = stats_of(m, 10); /* the sender knows that the last four are missing */
    ck_assert_uint_eq(s.expected, 10);
    ck_assert_uint_eq(s.lost, 5);
    NEAR(s.loss_ratio, 0.5, 1e-12);
    s = stats_of(m, 3); /* nonsense is not believed */
    ck_assert_uint_eq(s.expected, 6);
    l2v_rtp_meter_free(m);
}
END_TEST

START_TEST(late_packets)
{
    struct l2v_rtp_meter *m = new_meter();
    for (uint32_t i = 1; i <= 100; i++) {
        feed(m, i, i % 10 == 0 ? 61 : i % 10 == 5 ? 60 : 0);
    }
    l2tpvoip_rtp_stats s = stats_of(m, 0);
    ck_assert_uint_eq(s.lost, 0);
    ck_assert_uint_eq(s.late, 10);
    ck_assert(s.mos_cq < 3.5); /* as bad as ten percent lost */
    l2v_rtp_meter_free(m);
    m = new_meter(); /* a route that becomes longer for good is followed */
    for (uint32_t i = 1; i <= 1000; i++) {
        feed(m, i, i > 500 ? 100 : 0);
    }
    s = stats_of(m, 0);
    ck_assert_uint_ge(s.late, 100);
    ck_assert_uint_le(s.late, 210); /* 2 to 4 s */
    l2v_rtp_meter_free(m);
}
END_TEST

/* The pattern of rfc3611#4.7.2: 1 received, 0 lost; X, discarded there, is lost here. */
START_TEST(bursts)
{
    static const char pattern[] =
        "11110111111111111111111X111X1011110111111111111111111X111111111";
    struct l2v_rtp_meter *m = new_meter();
    for (uint32_t i = 0; pattern[i] != '\0'; i++) {
        if (pattern[i] == '1') {
            feed(m, i, 0);
        }
    }
    l2tpvoip_rtp_stats s = stats_of(m, 0);
    ck_assert_uint_eq(s.lost, 6);
    NEAR(s.burst_density, 4.0 / 12, 1e-9);
    NEAR(s.gap_density, 2.0 / 51, 1e-9);
    l2v_rtp_meter_free(m);
}
END_TEST

START_TEST(burst_ratio)
{
    struct l2v_rtp_meter *m = new_meter();
    for (uint32_t i = 0; i < 1000; i++) {
        if (i % 100 < 95 || i < 100) { /* 9 times 5 in a row, the last at the end unseen */
            feed(m, i, 0);
        }
    }
    l2tpvoip_rtp_stats s = stats_of(m, 0);
    ck_assert_uint_eq(s.lost, 40);
    NEAR(s.burst_ratio, 5 * (1 - 40.0 / 995), 1e-9);
    l2v_rtp_meter_free(m);
}
END_TEST

START_TEST(sources)
{
    struct l2v_rtp_meter *m = new_meter();
    uint8_t p[172];
    for (uint32_t i = 0; i < 10; i++) {
        feed(m, 500 + i, 0);
    }
    size_t n = test_make_rtp(p, 8, 9000, 5, 2); /* one packet of another source: ignored */
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0 + 1 * MS), 0);
    feed(m, 510, 0);
    l2tpvoip_rtp_stats s = stats_of(m, 0);
    ck_assert_uint_eq(s.ssrc, 1);
    ck_assert_uint_eq(s.received, 11);
    for (uint16_t i = 0; i < 5; i++) { /* the sender starts anew */
        n = test_make_rtp(p, 8, (uint16_t)(20 + i), 77u + i * 160u, 3);
        ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0 + (11000u + i * 20u) * MS), 0);
    }
    s = stats_of(m, 0);
    ck_assert_uint_eq(s.ssrc, 3);
    ck_assert_uint_eq(s.received, 16);
    ck_assert_uint_eq(s.expected, 16);
    ck_assert_uint_eq(s.lost, 0);
    for (uint16_t i = 0; i < 5; i++) { /* same source, far away: restart, rfc3550#A.1 */
        n = test_make_rtp(p, 8, (uint16_t)(40000 + i), 9u + i * 160u, 3);
        ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0 + (12000u + i * 20u) * MS), 0);
    }
    s = stats_of(m, 0);
    ck_assert_uint_eq(s.received, 21);
    ck_assert_uint_eq(s.lost, 0);
    ck_assert_uint_eq(s.late, 0);
    l2v_rtp_meter_free(m);
}
END_TEST

START_TEST(long_gap)
{
    struct l2v_rtp_meter *m = new_meter();
    feed(m, 10, 0);
    feed(m, 11, 0);
    feed(m, 2011, 0);
    feed(m, 2012, 0);
    l2tpvoip_rtp_stats s = stats_of(m, 0);
    ck_assert_uint_eq(s.expected, 2003);
    ck_assert_uint_eq(s.lost, 1999);
    feed(m, 1600, 9000); /* inside the window: it came after all, but too late */
    feed(m, 1501, 11000);
    feed(m, 1500, 11000); /* outside: a stray */
    s = stats_of(m, 0);
    ck_assert_uint_eq(s.received, 6);
    ck_assert_uint_eq(s.lost, 1997);
    ck_assert_uint_eq(s.late, 2);
    ck_assert_uint_eq(s.expected, 2003);
    l2v_rtp_meter_free(m);
}
END_TEST

START_TEST(malformed)
{
    struct l2v_rtp_meter *m = new_meter();
    uint8_t p[172];
    size_t n = test_make_rtp(p, 8, 1, 1, 1);
    for (size_t cut = 0; cut < 12; cut++) {
        ck_assert_int_eq(l2v_rtp_meter_input(m, p, cut, T0), L2TPVOIP_ERR_MALFORMED);
    }
    p[0] = 0x40; /* version */
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0), L2TPVOIP_ERR_MALFORMED);
    p[0] = 0x8f; /* 15 contributing sources: 72 bytes */
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, 71, T0), L2TPVOIP_ERR_MALFORMED);
    p[0] = 0x90; /* extension of 0xd5d5 words */
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0), L2TPVOIP_ERR_MALFORMED);
    p[0] = 0xa0; /* padding of 0xd5 bytes, more than there are */
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0), L2TPVOIP_ERR_MALFORMED);
    p[n - 1] = 0;
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0), L2TPVOIP_ERR_MALFORMED);
    p[n - 1] = 4;
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0), 0);
    p[0] = 0x80;
    p[1] = 200; /* an RTCP sender report, rfc5761#4 */
    ck_assert_int_eq(l2v_rtp_meter_input(m, p, n, T0), L2TPVOIP_ERR_MALFORMED);
    ck_assert_uint_eq(stats_of(m, 0).received, 1);
    l2v_rtp_meter_free(m);
}
END_TEST

/* Against a model that keeps everything: loss, duplicates and order at random. */
START_TEST(random_streams)
{
    uint64_t seed = 5;
    for (unsigned round = 0; round < 50; round++) {
        enum { N = 2000 };
        static uint8_t count[N];
        struct l2v_rtp_meter *m = new_meter();
        uint64_t received = 0, duplicated = 0, reordered = 0;
        uint32_t first = (uint32_t)test_random64(&seed) & 0xffff, highest = 0;
        memset(count, 0, sizeof count);
        feed(m, first, 0);
        count[0] = 1;
        received = 1;
        for (uint32_t i = 1; i < N; i++) {
            uint64_t dice = test_random64(&seed) % 100;
            uint32_t pick = dice < 5 ? (i > 20 ? i - (uint32_t)(dice + 1) * 3 : i) : i;
            if (dice >= 90) {
                continue; /* lost, unless it comes later */
            }
            reordered += pick < highest && count[pick] == 0;
            received += count[pick] == 0;
            duplicated += count[pick] != 0;
            count[pick] = 1;
            highest = pick > highest ? pick : highest;
            feed(m, first + pick, (i - pick) * 20u);
        }
        l2tpvoip_rtp_stats s = stats_of(m, 0);
        ck_assert_uint_eq(s.received, received);
        ck_assert_uint_eq(s.duplicated, duplicated);
        ck_assert_uint_eq(s.reordered, reordered);
        ck_assert_uint_eq(s.expected, highest + 1u);
        ck_assert_uint_eq(s.lost, highest + 1u - received);
        l2v_rtp_meter_free(m);
    }
}
END_TEST

TCase *test_voip_rtp(void)
{
    TCase *tc = tcase_create("rtp");
    tcase_add_test(tc, jitter);
    tcase_add_test(tc, clean_call);
    tcase_add_test(tc, silence);
    tcase_add_test(tc, loss_order_duplicates);
    tcase_add_test(tc, late_packets);
    tcase_add_test(tc, bursts);
    tcase_add_test(tc, burst_ratio);
    tcase_add_test(tc, sources);
    tcase_add_test(tc, long_gap);
    tcase_add_test(tc, malformed);
    tcase_add_test(tc, random_streams);
    return tc;
}
