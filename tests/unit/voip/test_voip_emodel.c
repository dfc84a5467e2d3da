/* SPDX-License-Identifier: MIT */
/* G.107: anchor points of annex B, and R and MOS of an independent implementation. */
#include <math.h>

#include "test_voip.h"

#define NEAR(a, b, eps) ck_assert_msg(fabs((a) - (b)) <= (eps), "%.6f, expected %.6f", (a), (b))

START_TEST(mos_of_r)
{
    static const double rows[][2] = {{0, 1},     {10, 1.035}, {20, 1.252},  {30, 1.609},
                                     {40, 2.064}, {50, 2.575}, {60, 3.1},    {70, 3.597},
                                     {80, 4.024}, {90, 4.339}, {93.2, 4.4093}, {100, 4.5},
                                     {-1, 1},     {999, 4.5},  {5, 1},       {92.729821, 4.4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        NEAR(l2v_emodel_mos(rows[i][0]), rows[i][1], i == 15 ? 0.01 : 0.00006);
    }
    ck_assert_double_eq(l2v_emodel_mos((double)NAN), 1);
}
END_TEST

START_TEST(defaults)
{
    struct l2v_emodel e;
    l2v_emodel_init(&e);
    NEAR(l2v_emodel_rate(&e), 93.206208, 0.000001);
}
END_TEST

START_TEST(delays)
{
    static const double idd[][2] = {
        {100, 0}, {150, 0.16353}, {200, 3.04441}, {250, 8.91671}, {300, 14.76069}, {400, 24.07009}};
    static const double full[][3] = {
        {50, 91.7562, 4.3796},  {100, 90.6637, 4.3549}, {150, 89.5391, 4.3275}, {200, 85.8047, 4.2232},
        {250, 79.1771, 3.9925}, {300, 72.6664, 3.7194}, {400, 62.2468, 3.2156}};
    for (size_t i = 0; i < sizeof idd / sizeof idd[0]; i++) {
        struct l2v_emodel e;
        l2v_emodel_init(&e);
        e.ta = idd[i][0];
        NEAR(93.206208 - l2v_emodel_rate(&e), idd[i][1], 0.00001);
    }
    for (size_t i = 0; i < sizeof full / sizeof full[0]; i++) {
        double r = l2v_emodel_r(NULL, full[i][0], 0, 1);
        NEAR(r, full[i][1], 0.0001);
        NEAR(l2v_emodel_mos(r), full[i][2], 0.0001);
    }
}
END_TEST

struct loss_row {
    const char *codec;
    double delay, loss, burst, r, mos;
};

START_TEST(losses)
{
    static const struct loss_row rows[] = {
        {"G711-NOPLC", 0, 0.01, 1, 75.2817, 3.8339}, {"G711-NOPLC", 0, 0.02, 1, 63.0475, 3.2564},
        {"G711-NOPLC", 0, 0.05, 1, 42.1309, 2.1696}, {"PCMA", 0, 0.01, 1, 89.5664, 4.3282},
        {"pcmu", 0, 0.02, 1, 86.1951, 4.2350},       {"PCMU", 0, 0.05, 1, 77.4255, 3.9231},
        {"PCMA", 0, 0.10, 1, 66.1407, 3.4112},       {"G729", 0, 0, 1, 83.2062, 4.1392},
        {"g729", 0, 0.01, 1, 78.9562, 3.9839},       {"G729", 0, 0.02, 1, 75.1110, 3.8266},
        {"G729", 0, 0.05, 1, 65.4979, 3.3794},       {"G729", 0, 0.05, 2, 63.4388, 3.2762},
        {"G729", 0, 0.05, 4, 62.2186, 3.2142},       {"G729", 150, 0.01, 1, 75.2891, 3.8342},
        {"PCMA", 150, 0.01, 1, 85.8993, 4.2261},     {"PCMA", 50, 0, 1, 91.7562, 4.3796},
        {"PCMA", 50, 0.01, 1, 88.1164, 4.2902},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        l2tpvoip_codec codec;
        ck_assert_int_eq(l2v_codec_find(rows[i].codec, &codec), 0);
        double r = l2v_emodel_r(&codec, rows[i].delay, rows[i].loss, rows[i].burst);
        NEAR(r, rows[i].r, 0.0001);
        NEAR(l2v_emodel_mos(r), rows[i].mos, 0.0001);
    }
}
END_TEST

START_TEST(codecs)
{
    l2tpvoip_codec c;
    ck_assert_int_eq(l2v_codec_find("nosuch", &c), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(l2v_codec_find("", &c), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(l2v_codec_find("PCM", &c), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(l2v_codec_find("OPUS", &c), 0);
    ck_assert_uint_eq(c.clock_hz, 48000);
    ck_assert_uint_eq(c.informative, 1);
    ck_assert_int_eq(l2v_codec_find_pt(8, &c), 0);
    ck_assert_str_eq(c.name, "PCMA");
    ck_assert_int_eq(l2v_codec_find_pt(18, &c), 0);
    ck_assert_str_eq(c.name, "G729");
    ck_assert_int_eq(l2v_codec_find_pt(96, &c), L2TPVOIP_ERR_NOT_FOUND); /* dynamic */
    ck_assert_int_eq(l2v_codec_find_pt(127, &c), L2TPVOIP_ERR_NOT_FOUND);
}
END_TEST

/* More delay, loss or burst never makes a call better, and all stays finite. */
START_TEST(monotonic)
{
    l2tpvoip_codec codec;
    ck_assert_int_eq(l2v_codec_find("G729", &codec), 0);
    for (double delay = 0; delay <= 1000; delay += 50) {
        for (double loss = 0; loss <= 1; loss += 0.05) {
            double r = l2v_emodel_r(&codec, delay, loss, 1);
            ck_assert(isfinite(r));
            ck_assert(l2v_emodel_r(&codec, delay + 50, loss, 1) <= r + 1e-9);
            ck_assert(l2v_emodel_r(&codec, delay, loss + 0.05, 1) <= r + 1e-9);
            ck_assert(l2v_emodel_r(&codec, delay, loss, 2) <= r + 1e-9);
        }
    }
}
END_TEST

TCase *test_voip_emodel(void)
{
    TCase *tc = tcase_create("emodel");
    tcase_add_test(tc, mos_of_r);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, delays);
    tcase_add_test(tc, losses);
    tcase_add_test(tc, codecs);
    tcase_add_test(tc, monotonic);
    return tc;
}
