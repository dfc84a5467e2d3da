/* SPDX-License-Identifier: MIT */
/* Fragmentation and reassembly. */
#include <l2tpvoip/socket.h>

#include "test_inet.h"

static struct l2v_inet_udp *listen_at(struct test_link *t, const char *local, struct test_got *got)
{
    struct l2v_inet_udp *udp = NULL;
    l2tpvoip_addr a = test_addr(local);
    ck_assert_int_eq(l2v_inet_udp_new(t->b, NULL, &a, &test_udp_ops, got, &udp), 0);
    return udp;
}

static struct test_got got; /* large */

/* Every size around the edges, in every order of up to four fragments, with duplicates. */
static void round_trip(const char *any, const char *to, uint32_t mtu, size_t len, bool reverse,
                       bool twice)
{
    struct test_link t;
    struct l2v_inet_udp *a;
    static uint8_t data[65536];
    memset(&got, 0, sizeof got);
    test_link_init(&t);
    l2v_inet_if_set_mtu(t.if_a, mtu);
    l2tpvoip_addr local = test_addr(any), dst = test_addr(to);
    ck_assert_int_eq(l2v_inet_udp_new(t.a, NULL, &local, &test_udp_ops, &got, &a), 0);
    (void)listen_at(&t, to, &got);
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    ck_assert_int_eq(test_send(&t, a, data, len, &dst), 0);
    for (unsigned i = 0; i < t.from_a.n; i++) {
        unsigned k = reverse ? t.from_a.n - 1 - i : i;
        struct l2v_pkt *pkt = t.from_a.pkts[k];
        ck_assert_uint_le(pkt->len, mtu);
        ck_assert_uint_eq(pkt->klass, L2TPVOIP_CLASS_VOICE);
        if (twice && t.from_a.n > 1) {
            (void)test_input(&t, t.if_b, pkt->data, pkt->len, t.from_a.families[k]);
        }
        if (got.n == 0) {
            (void)test_input(&t, t.if_b, pkt->data, pkt->len, t.from_a.families[k]);
        }
    }
    ck_assert_uint_eq(got.n, 1);
    ck_assert_uint_eq(got.len, len);
    ck_assert_mem_eq(got.data, data, len);
    ck_assert_uint_eq(got.meta.tos, 0xb8);
    test_link_clear(&t);
}

START_TEST(round_trips)
{
    static const size_t sizes[] = {0, 1, 1371, 1372, 1373, 1376, 2744, 2760, 4000, 20000, 65507};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (unsigned how = 0; how < 4; how++) {
            bool reverse = (how & 1u) != 0, twice = (how & 2u) != 0;
            round_trip("0.0.0.0", "10.0.0.2:5060", 1400, sizes[i], reverse, twice);
            round_trip("::", "[fe80::b]:5060", 1400, sizes[i], reverse, twice);
        }
    }
    round_trip("0.0.0.0", "10.0.0.2:5060", 68, 1200, false, false);
    round_trip("0.0.0.0", "10.0.0.2:5060", 577, 1200, true, false);
}
END_TEST

START_TEST(too_large)
{
    struct test_link t;
    struct l2v_inet_udp *a;
    static uint8_t data[70000];
    test_link_init(&t);
    l2tpvoip_addr local = test_addr("0.0.0.0"), dst = test_addr("10.0.0.2:9");
    ck_assert_int_eq(l2v_inet_udp_new(t.a, NULL, &local, &test_udp_ops, &got, &a), 0);
    ck_assert_int_eq(test_send(&t, a, data, 65508, &dst), L2TPVOIP_ERR_MSGSIZE);
    test_link_clear(&t);
}
END_TEST

/* One fragment of a UDP datagram with 64 bytes of payload. */
static int feed(struct test_link *t, const uint8_t *udp, size_t at, size_t len, bool more,
                uint16_t id)
{
    uint8_t p[128];
    size_t n = test_make4(p, "10.0.0.1", "10.0.0.2", 17, id,
                          (uint16_t)(at / 8 | (more ? 0x2000u : 0u)), udp + at, len);
    return test_input(t, t->if_b, p, n, 4);
}

START_TEST(overlaps_are_refused)
{
    struct test_link t;
    uint8_t payload[64] = {1, 2, 3}, u[72], evil[72];
    memset(&got, 0, sizeof got);
    test_link_init(&t);
    (void)listen_at(&t, "0.0.0.0:5060", &got);
    ck_assert_uint_eq(test_make_udp(u, "10.0.0.1", "10.0.0.2", 1, 5060, payload, 64), 72);
    memcpy(evil, u, 72);
    evil[30] ^= 1;
    /* the same bytes again: a duplicate, rfc8200#4.5 */
    ck_assert_int_eq(feed(&t, u, 0, 32, true, 1), L2TPVOIP_ERR_PENDING);
    ck_assert_int_eq(feed(&t, u, 0, 32, true, 1), L2TPVOIP_ERR_PENDING);
    ck_assert_int_eq(feed(&t, u, 32, 40, false, 1), 0);
    /* other bytes: the whole is dropped, rfc5722#4 */
    ck_assert_int_eq(feed(&t, u, 0, 32, true, 2), L2TPVOIP_ERR_PENDING);
    ck_assert_int_eq(feed(&t, evil, 24, 16, true, 2), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(feed(&t, u, 32, 40, false, 2), L2TPVOIP_ERR_PENDING);
    /* partly over the next */
    ck_assert_int_eq(feed(&t, u, 32, 40, false, 3), L2TPVOIP_ERR_PENDING);
    ck_assert_int_eq(feed(&t, u, 0, 40, true, 3), L2TPVOIP_ERR_MALFORMED);
    /* covering one that came */
    ck_assert_int_eq(feed(&t, u, 8, 8, true, 4), L2TPVOIP_ERR_PENDING);
    ck_assert_int_eq(feed(&t, u, 0, 32, true, 4), L2TPVOIP_ERR_MALFORMED);
    /* two ends; data behind the end */
    ck_assert_int_eq(feed(&t, u, 32, 40, false, 5), L2TPVOIP_ERR_PENDING);
    ck_assert_int_eq(feed(&t, u, 32, 32, false, 5), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(feed(&t, u, 32, 40, true, 6), L2TPVOIP_ERR_PENDING);
    ck_assert_int_eq(feed(&t, u, 16, 16, false, 6), L2TPVOIP_ERR_MALFORMED);
    /* not a multiple of eight; empty; too far */
    ck_assert_int_eq(feed(&t, u, 0, 31, true, 7), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(feed(&t, u, 8, 0, true, 7), L2TPVOIP_ERR_MALFORMED);
    uint8_t p[128];
    size_t n = test_make4(p, "10.0.0.1", "10.0.0.2", 17, 8, 0x1fff, u, 40);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 4), L2TPVOIP_ERR_MALFORMED);
    ck_assert_uint_eq(got.n, 1);
    test_link_clear(&t);
}
END_TEST

/* rfc1858#4: TCP headers that are cut; rfc7112: IPv6 headers that are. */
START_TEST(tiny_fragments)
{
    struct test_link t;
    uint8_t p[128], data[64] = {0};
    test_link_init(&t);
    size_t n = test_make4(p, "10.0.0.1", "10.0.0.2", 6, 1, 0x2000, data, 16);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 4), L2TPVOIP_ERR_MALFORMED);
    n = test_make4(p, "10.0.0.1", "10.0.0.2", 6, 1, 1, data, 16);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 4), L2TPVOIP_ERR_MALFORMED);
    n = test_make4(p, "10.0.0.1", "10.0.0.2", 6, 1, 0x2000, data, 24);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 4), L2TPVOIP_ERR_PENDING);
    data[0] = 60; /* fragment header, then destination options that do not end in it */
    data[3] = 1;
    data[8] = 17;
    data[9] = 3;
    n = test_make6(p, "fe80::a", "fe80::b", 44, data, 24);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 6), L2TPVOIP_ERR_MALFORMED);
    data[0] = 44; /* a fragment in a fragment */
    data[8] = data[9] = 0;
    n = test_make6(p, "fe80::a", "fe80::b", 44, data, 32);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 6), L2TPVOIP_ERR_MALFORMED);
    n = test_make6(p, "fe80::a", "fe80::b", 44, data, 7);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 6), L2TPVOIP_ERR_MALFORMED);
    test_link_clear(&t);
}
END_TEST

/* rfc6946#4: an atomic fragment does not touch a reassembly of its identification. */
START_TEST(atomic_fragments)
{
    struct test_link t;
    uint8_t p[128], f[128] = {17, 0, 0, 1, 0, 0, 0, 9}, atomic[128] = {17, 0, 0, 0, 0, 0, 0, 9};
    memset(&got, 0, sizeof got);
    test_link_init(&t);
    (void)listen_at(&t, "[::]:5060", &got);
    size_t n = test_make_udp(f + 8, "fe80::a", "fe80::b", 1, 5060, "0123456789abcdef", 16);
    memcpy(atomic + 8, f + 8, n);
    size_t total = test_make6(p, "fe80::a", "fe80::b", 44, f, 8 + 16);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 6), L2TPVOIP_ERR_PENDING);
    total = test_make6(p, "fe80::a", "fe80::b", 44, atomic, 8 + n);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 6), 0);
    ck_assert_uint_eq(got.n, 1);
    uint8_t rest[32] = {17, 0, 0, 16, 0, 0, 0, 9};
    memcpy(rest + 8, f + 8 + 16, n - 16);
    total = test_make6(p, "fe80::a", "fe80::b", 44, rest, 8 + n - 16);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 6), 0);
    ck_assert_uint_eq(got.n, 2);
    test_link_clear(&t);
}
END_TEST

START_TEST(bounds)
{
    struct test_link t;
    uint8_t payload[64] = {0}, u[72];
    memset(&got, 0, sizeof got);
    test_link_init(&t);
    (void)listen_at(&t, "0.0.0.0:5060", &got);
    (void)test_make_udp(u, "10.0.0.1", "10.0.0.2", 1, 5060, payload, 64);
    long before = t.te.live;
    for (uint16_t id = 1; id <= 1000; id++) {
        ck_assert_int_eq(feed(&t, u, 0, 32, true, id), L2TPVOIP_ERR_PENDING);
        ck_assert_int_le(t.te.live, before + 16 + 1); /* 8 datagrams of two blocks */
    }
    ck_assert_uint_eq(l2v_inet_get_stats(t.b)->reassembly_failed, 992);
    ck_assert_int_eq(feed(&t, u, 32, 40, false, 993), 0); /* the eighth last is still there */
    ck_assert_uint_eq(got.n, 1);
    t.te.env.now_ns += 59 * L2V_NS_PER_S;
    l2v_timers_run(&t.te.env.timers, t.te.env.now_ns);
    ck_assert_int_eq(feed(&t, u, 32, 40, false, 994), 0);
    t.te.env.now_ns += L2V_NS_PER_S; /* rfc8200#4.5: 60 s */
    l2v_timers_run(&t.te.env.timers, t.te.env.now_ns);
    ck_assert_uint_eq(l2v_timers_next(&t.te.env.timers), L2V_NEVER);
    ck_assert_int_eq(feed(&t, u, 32, 40, false, 995), L2TPVOIP_ERR_PENDING);
    for (size_t at = 0; at < 33 * 16; at += 16) { /* holes: at most 32 ranges */
        int rc = feed(&t, u, 0, 8, true, 2000);
        uint8_t p[64];
        size_t n = test_make4(p, "10.0.0.1", "10.0.0.2", 17, 2000,
                              (uint16_t)((at + 16) / 8 | 0x2000u), u, 8);
        (void)rc;
        rc = test_input(&t, t.if_b, p, n, 4);
        ck_assert(rc == L2TPVOIP_ERR_PENDING || rc == L2TPVOIP_ERR_LIMIT);
        if (rc == L2TPVOIP_ERR_LIMIT) {
            ck_assert_uint_eq(at / 16, 31);
            break;
        }
    }
    test_link_clear(&t);
}
END_TEST

/* Bytes: the last fragment alone makes a large buffer; together they stay below the bound. */
START_TEST(bounded_bytes)
{
    struct test_link t;
    uint8_t p[64], data[8] = {0};
    test_link_init(&t);
    for (uint16_t id = 1; id <= 100; id++) {
        size_t n = test_make4(p, "10.0.0.1", "10.0.0.2", 17, id, 65000 / 8 | 0x2000, data, 8);
        ck_assert_int_eq(test_input(&t, t.if_b, p, n, 4), L2TPVOIP_ERR_PENDING);
    }
    ck_assert_uint_ge(l2v_inet_get_stats(t.b)->reassembly_failed, 98); /* 64 KiB each, 128 KiB */
    test_link_clear(&t);
}
END_TEST

START_TEST(random_fragments)
{
    struct test_link t;
    uint64_t seed = 11;
    static uint8_t data[4096], u[4104], p[4200];
    memset(&got, 0, sizeof got);
    test_link_init(&t);
    (void)listen_at(&t, "0.0.0.0:5060", &got);
    for (unsigned round = 1; round <= 300; round++) {
        size_t len = test_random64(&seed) % 4000, at = 0;
        struct {
            size_t at, len;
        } parts[64];
        unsigned n_parts = 0;
        for (size_t i = 0; i < len; i++) {
            data[i] = (uint8_t)test_random64(&seed);
        }
        size_t total = test_make_udp(u, "10.0.0.1", "10.0.0.2", 1, 5060, data, len);
        while (at < total) {
            size_t step = 8 * (1 + test_random64(&seed) % 100);
            step = step > total - at || n_parts == 30 ? total - at : step;
            parts[n_parts].at = at;
            parts[n_parts++].len = step;
            at += step;
        }
        for (unsigned i = n_parts; i-- > 1;) { /* shuffle */
            unsigned k = (unsigned)(test_random64(&seed) % (i + 1));
            size_t x = parts[i].at, y = parts[i].len;
            parts[i] = parts[k];
            parts[k].at = x;
            parts[k].len = y;
        }
        for (unsigned i = 0; i < n_parts; i++) {
            bool more = parts[i].at + parts[i].len < total;
            size_t n = test_make4(p, "10.0.0.1", "10.0.0.2", 17, (uint16_t)round,
                                  (uint16_t)(parts[i].at / 8 | (more ? 0x2000u : 0u)),
                                  u + parts[i].at, parts[i].len);
            (void)test_input(&t, t.if_b, p, n, 4);
        }
        ck_assert_uint_eq(got.n, round);
        ck_assert_uint_eq(got.len, len);
        ck_assert_mem_eq(got.data, data, len);
    }
    test_link_clear(&t);
}
END_TEST

TCase *test_inet_frag(void)
{
    TCase *tc = tcase_create("fragments");
    tcase_add_test(tc, round_trips);
    tcase_add_test(tc, too_large);
    tcase_add_test(tc, overlaps_are_refused);
    tcase_add_test(tc, tiny_fragments);
    tcase_add_test(tc, atomic_fragments);
    tcase_add_test(tc, bounds);
    tcase_add_test(tc, bounded_bytes);
    tcase_add_test(tc, random_fragments);
    tcase_set_timeout(tc, 30);
    return tc;
}
