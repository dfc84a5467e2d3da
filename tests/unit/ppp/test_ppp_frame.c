/* SPDX-License-Identifier: MIT */
/* Frame headers: rfc1661#2, rfc1661#6.5, rfc1661#6.6. */
#include "ppp_sim.h"

static int parse(const char *hex, uint16_t *protocol, size_t *left)
{
    uint8_t data[64];
    struct l2v_pkt pkt;
    size_t len = hex[0] != '\0' ? unit_hex(hex, data, sizeof(data)) : 0;
    int r;
    l2v_pkt_borrow(&pkt, data, len);
    r = l2v_ppp_frame_parse(&pkt, protocol);
    *left = pkt.len;
    return r;
}

START_TEST(parses_every_form)
{
    static const struct {
        const char *hex;
        uint16_t protocol;
        size_t left;
    } good[] = {
        {"ff03c021010100", 0xc021, 3},
        {"c0210101", 0xc021, 2},
        {"ff03002145", 0x21, 1},
        {"ff032145", 0x21, 1},
        {"002145", 0x21, 1},
        {"2145", 0x21, 1},
        {"5760", 0x57, 1},
        {"21", 0x21, 0},
        {"8021", 0x8021, 0},
        {"00fdff", 0xfd, 1},
    };
    static const char *const bad[] = {"",   "ff",   "ff03", "ff0300", "00",
                                      "c0", "c020", "ff02", "ff03ff"};
    uint16_t protocol = 0;
    size_t left;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_int_eq(parse(good[i].hex, &protocol, &left), 0);
        ck_assert_uint_eq(protocol, good[i].protocol);
        ck_assert_uint_eq(left, good[i].left);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(parse(bad[i], &protocol, &left) == L2TPVOIP_ERR_MALFORMED, "%s", bad[i]);
    }
}
END_TEST

START_TEST(pushes_the_shortest)
{
    static const struct {
        bool acfc, pfc;
        unsigned protocol;
        const char *hex;
    } rows[] = {
        {false, false, 0x21, "ff030021"},  {true, false, 0x21, "0021"},
        {false, true, 0x21, "ff0321"},     {true, true, 0x21, "21"},
        {true, true, 0x57, "57"},          {true, true, 0x8021, "8021"},
        {true, true, 0xc021, "ff03c021"},  {false, true, 0xc021, "ff03c021"},
        {false, true, 0xc223, "ff03c223"}, {true, false, 0xc223, "c223"},
    };
    struct sim *sim = sim_new(1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct l2v_ppp_framing f = {rows[i].acfc, rows[i].pfc};
        struct l2v_pkt *pkt = l2v_pkt_copy(sim->env, "x", 1);
        uint8_t want[8];
        size_t len = unit_hex(rows[i].hex, want, sizeof(want));
        uint16_t protocol = 0;
        ck_assert_uint_eq(l2v_ppp_frame_overhead(&f, rows[i].protocol), len);
        ck_assert_int_eq(l2v_ppp_frame_push(pkt, &f, rows[i].protocol), 0);
        ck_assert_uint_eq(pkt->len, len + 1);
        ck_assert_mem_eq(pkt->data, want, len);
        ck_assert_int_eq(l2v_ppp_frame_parse(pkt, &protocol), 0);
        ck_assert_uint_eq(protocol, rows[i].protocol);
        ck_assert_uint_eq(pkt->len, 1);
        l2v_pkt_free(pkt);
    }
    sim_free(sim);
}
END_TEST

START_TEST(no_headroom)
{
    uint8_t byte = 0;
    struct l2v_pkt pkt;
    struct l2v_ppp_framing f = {false, false};
    l2v_pkt_borrow(&pkt, &byte, 1);
    ck_assert_int_eq(l2v_ppp_frame_push(&pkt, &f, 0x21), L2TPVOIP_ERR_MSGSIZE);
}
END_TEST

TCase *test_ppp_frame(void)
{
    TCase *tc = tcase_create("frame");
    tcase_add_test(tc, parses_every_form);
    tcase_add_test(tc, pushes_the_shortest);
    tcase_add_test(tc, no_headroom);
    return tc;
}
