/* SPDX-License-Identifier: MIT */
/* Sizes of the encapsulation: known answers, and the budget against the size. */
#include "test_voip.h"

struct suite {
    uint8_t block, iv, icv;
};
static const struct suite cbc_sha1 = {16, 16, 12}, cbc_sha256 = {16, 16, 16};
static const struct suite des3_sha1 = {8, 8, 12}, gcm = {4, 8, 16};

static struct l2v_voip_encaps encaps(const struct suite *s, bool natt, uint8_t l2tp, uint8_t ppp)
{
    struct l2v_voip_encaps e = {false, natt, s != NULL, 0, 0, 0, l2tp, ppp};
    if (s != NULL) {
        e.esp_block = s->block;
        e.esp_iv = s->iv;
        e.esp_icv = s->icv;
    }
    return e;
}

struct size_row {
    const struct suite *suite;
    bool natt;
    uint8_t l2tp, ppp;
    uint32_t outer[4]; /* inner packets of 200, 60, 100 and 80 bytes */
};

START_TEST(outer_sizes)
{
    static const struct size_row rows[] = {
        {NULL, false, 6, 4, {238, 98, 138, 118}},
        {&cbc_sha1, false, 6, 4, {280, 136, 184, 168}},
        {&cbc_sha1, true, 6, 4, {288, 144, 192, 176}},
        {&cbc_sha1, true, 8, 4, {288, 160, 192, 176}},  /* length bit */
        {&cbc_sha1, true, 12, 4, {304, 160, 192, 176}}, /* length and sequence */
        {&cbc_sha256, true, 6, 4, {292, 148, 196, 180}},
        {&des3_sha1, true, 6, 4, {280, 136, 176, 160}},
        {&gcm, true, 6, 4, {280, 140, 180, 160}},
        {&gcm, true, 6, 1, {280, 140, 180, 160}}, /* ACFC and PFC */
    };
    static const uint32_t inner[4] = {200, 60, 100, 80};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct l2v_voip_encaps e =
            encaps(rows[i].suite, rows[i].natt, rows[i].l2tp, rows[i].ppp);
        for (size_t k = 0; k < 4; k++) {
            ck_assert_msg(l2v_voip_outer_size(&e, inner[k]) == rows[i].outer[k],
                          "row %zu, inner %u: %u", i, inner[k], l2v_voip_outer_size(&e, inner[k]));
        }
    }
}
END_TEST

START_TEST(inner_mtu)
{
    struct l2v_voip_encaps e = encaps(&cbc_sha1, true, 8, 4);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 1500), 1402);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 1492), 1402); /* PPPoE */
    e = encaps(&cbc_sha1, true, 12, 4);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 1500), 1398);
    e = encaps(&gcm, true, 8, 4);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 1500), 1418);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 1492), 1410);
    e = encaps(&cbc_sha1, false, 8, 4);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 1500), 1418);
    e = encaps(&gcm, false, 8, 4);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 1500), 1426);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 0), 0);
    ck_assert_uint_eq(l2v_voip_inner_mtu(&e, 60), 0);
}
END_TEST

/* For every stack and path: the budget fits, and one byte more does not. */
START_TEST(budget_is_exact)
{
    static const struct suite *const suites[] = {NULL, &cbc_sha1, &cbc_sha256, &des3_sha1, &gcm};
    static const uint8_t l2tp[] = {6, 8, 12, 14}, ppp[] = {1, 2, 4};
    for (unsigned i = 0; i < 5u * 4 * 3 * 4; i++) {
        struct l2v_voip_encaps e = encaps(suites[i % 5], i / 60 % 2 != 0, l2tp[i / 5 % 4],
                                          ppp[i / 20 % 3]);
        e.outer_ipv6 = i / 120 % 2 != 0;
        for (uint32_t mtu = 0; mtu < 2000; mtu++) {
            uint32_t inner = l2v_voip_inner_mtu(&e, mtu);
            bool fits = inner == 0 || l2v_voip_outer_size(&e, inner) <= mtu;
            if (!fits || l2v_voip_outer_size(&e, inner + 1) <= mtu) {
                ck_abort_msg("stack %u, mtu %u: inner %u", i, mtu, inner);
            }
        }
    }
}
END_TEST

TCase *test_voip_mtu(void)
{
    TCase *tc = tcase_create("mtu");
    tcase_add_test(tc, outer_sizes);
    tcase_add_test(tc, inner_mtu);
    tcase_add_test(tc, budget_is_exact);
    return tc;
}
