/* SPDX-License-Identifier: MIT */
/* Checksum, IPv4 and IPv6 header checks. */
#include "test_inet.h"

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (; hex[0] != '\0'; hex += 2) {
        char two[3] = {hex[0], hex[1], 0};
        out[n++] = (uint8_t)strtoul(two, NULL, 16);
    }
    return n;
}

START_TEST(checksum_known_answers)
{
    uint8_t d[64];
    size_t n = unhex("0001f203f4f5f6f7", d); /* rfc1071#3 */
    ck_assert_uint_eq(l2v_inet_fold(l2v_inet_sum(d, n, 0)), 0x220d);
    /* rfc1071#2(C): the second part begins at an odd place, so its sum is swapped */
    uint16_t second = (uint16_t)~l2v_inet_fold(l2v_inet_sum(d + 3, 5, 0));
    uint16_t swapped = (uint16_t)(second << 8 | second >> 8);
    ck_assert_uint_eq(l2v_inet_fold(l2v_inet_sum(d, 3, swapped)), 0x220d);
    const char *headers[] = {"45000054a6f200004001e778c6336405c0000205",
                             "4500008c234500004032de5bcb007199cb007105",
                             "4500005408f200004001f9fec0a87b03c0a87b64",
                             "4500008c090500004032f91ec0a87b03c0a87bc8"};
    for (size_t i = 0; i < 4; i++) {
        n = unhex(headers[i], d);
        ck_assert_uint_eq(l2v_inet_fold(l2v_inet_sum(d, n, 0)), 0);
    }
    /* rfc1624#4: 0xcd7a + 0x3285 sums to 0xffff, so the checksum is 0x0000 */
    ck_assert_uint_eq(l2v_inet_fold(0xcd7au + 0x3285u), 0);
    ck_assert_uint_eq(l2v_inet_fold(0xcd7au + 0x5555u), 0xdd2f);
}
END_TEST

/* Against the plainest possible form, for every length and alignment. */
START_TEST(checksum_any_length)
{
    uint8_t d[300];
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof d; i++) {
        d[i] = (uint8_t)test_random64(&seed);
    }
    for (size_t at = 0; at < 8; at++) {
        for (size_t len = 0; len + at <= sizeof d; len++) {
            uint32_t sum = 0;
            for (size_t i = 0; i < len; i++) {
                sum += i % 2 == 0 ? (uint32_t)d[at + i] << 8 : d[at + i];
            }
            ck_assert_uint_eq(l2v_inet_fold(l2v_inet_sum(d + at, len, 0)), l2v_inet_fold(sum));
        }
    }
}
END_TEST

struct change {
    size_t at;
    uint8_t value;
    bool fix; /* the header checksum is made right again */
    int rc;
};

START_TEST(ip4_header_checks)
{
    static const struct change changes[] = {
        {0, 0x45, true, 0},
        {0, 0x55, true, L2TPVOIP_ERR_MALFORMED}, /* version */
        {0, 0x44, true, L2TPVOIP_ERR_MALFORMED}, /* IHL below 5, rfc791#3.1 */
        {0, 0x4f, true, L2TPVOIP_ERR_MALFORMED}, /* IHL beyond the packet */
        {3, 19, true, L2TPVOIP_ERR_MALFORMED},   /* total length below the header */
        {3, 200, true, L2TPVOIP_ERR_MALFORMED},  /* beyond the packet */
        {6, 0x80, true, L2TPVOIP_ERR_MALFORMED}, /* reserved flag */
        {10, 0, false, L2TPVOIP_ERR_MALFORMED},  /* checksum, rfc1122#3.2.1.2 */
        {8, 0, true, 0},                         /* TTL, rfc1122#3.2.1.7 */
        {12, 0, true, L2TPVOIP_ERR_MALFORMED},   /* source 0/8, rfc1122#3.2.1.3 */
        {12, 127, true, L2TPVOIP_ERR_MALFORMED},
        {12, 224, true, L2TPVOIP_ERR_MALFORMED},
        {12, 255, true, L2TPVOIP_ERR_MALFORMED},
        {15, 2, true, L2TPVOIP_ERR_NOT_FOUND}, /* our own address as source */
        {19, 9, true, L2TPVOIP_ERR_NOT_FOUND}, /* not for us */
        {16, 224, true, L2TPVOIP_ERR_NOT_FOUND},
    };
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_udp *udp;
    uint8_t u[64], p[128];
    test_link_init(&t);
    l2tpvoip_addr local = test_addr("0.0.0.0:5060");
    ck_assert_int_eq(l2v_inet_udp_new(t.b, NULL, &local, &test_udp_ops, &got, &udp), 0);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        size_t n = test_make_udp(u, "10.0.0.1", "10.0.0.2", 1000, 5060, "hello", 5);
        n = test_make4(p, "10.0.0.1", "10.0.0.2", 17, 1, 0, u, n);
        got.n = 0;
        p[changes[i].at] = changes[i].value;
        if (changes[i].fix) {
            size_t header = (p[0] & 15u) * 4u;
            l2v_put_u16(p + 10, 0);
            header = header < 20 ? 20 : header > n ? n : header;
            l2v_put_u16(p + 10, l2v_inet_fold(l2v_inet_sum(p, header, 0)));
        }
        ck_assert_msg(test_input(&t, t.if_b, p, n, 4) == changes[i].rc, "change %zu", i);
        ck_assert_uint_eq(got.n, changes[i].rc == 0);
        for (size_t cut = 0; changes[i].rc == 0 && cut < n; cut++) { /* truncated anywhere */
            ck_assert_int_eq(test_input(&t, t.if_b, p, cut, 4), L2TPVOIP_ERR_MALFORMED);
        }
    }
    test_link_clear(&t);
}
END_TEST

/* Link padding behind the IP packet is no data. */
START_TEST(ip4_padding_is_cut)
{
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_udp *udp;
    uint8_t u[64], p[128] = {0};
    test_link_init(&t);
    l2tpvoip_addr local = test_addr("0.0.0.0:5060");
    ck_assert_int_eq(l2v_inet_udp_new(t.b, NULL, &local, &test_udp_ops, &got, &udp), 0);
    size_t n = test_make_udp(u, "10.0.0.1", "10.0.0.2", 1000, 5060, "hello", 5);
    n = test_make4(p, "10.0.0.1", "10.0.0.2", 17, 1, 0, u, n);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n + 9, 4), 0);
    ck_assert_uint_eq(got.len, 5);
    test_link_clear(&t);
}
END_TEST

static int input_options(struct test_link *t, const uint8_t *options, size_t len)
{
    uint8_t u[64], p[128];
    size_t n = test_make_udp(u, "10.0.0.1", "10.0.0.2", 1000, 5060, "x", 1);
    size_t total = test_make4(p, "10.0.0.1", "10.0.0.2", 17, 1, 0, u, n);
    memmove(p + 20 + len, p + 20, n);
    memcpy(p + 20, options, len);
    p[0] = (uint8_t)(0x45 + len / 4);
    l2v_put_u16(p + 2, (unsigned)(total + len));
    l2v_put_u16(p + 10, 0);
    l2v_put_u16(p + 10, l2v_inet_fold(l2v_inet_sum(p, 20 + len, 0)));
    return test_input(t, t->if_b, p, total + len, 4);
}

START_TEST(ip4_options)
{
    static const uint8_t alert[4] = {148, 4, 0, 0}, end[4] = {1, 1, 0, 77};
    static const uint8_t loose[8] = {131, 7, 4, 10, 0, 0, 2, 0}, strict[8] = {137, 7, 4, 1, 2, 3, 4};
    static const uint8_t beyond[4] = {7, 5, 0, 0}, zero[4] = {7, 0, 0, 0}, no_len[4] = {1, 1, 1, 7};
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_udp *udp;
    test_link_init(&t);
    l2tpvoip_addr local = test_addr("0.0.0.0:5060");
    ck_assert_int_eq(l2v_inet_udp_new(t.b, NULL, &local, &test_udp_ops, &got, &udp), 0);
    ck_assert_int_eq(input_options(&t, alert, 4), 0);
    ck_assert_int_eq(input_options(&t, end, 4), 0);
    ck_assert_uint_eq(got.n, 2);
    ck_assert_uint_eq(got.len, 1);
    /* rfc1122#3.2.1.8(c): no source routes */
    ck_assert_int_eq(input_options(&t, loose, 8), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(input_options(&t, strict, 8), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(input_options(&t, beyond, 4), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(input_options(&t, zero, 4), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(input_options(&t, no_len, 4), L2TPVOIP_ERR_MALFORMED);
    test_link_clear(&t);
}
END_TEST

/* Extension headers in front of a UDP datagram to port 5060. */
static int input6(struct test_link *t, uint8_t first, const uint8_t *extensions, size_t len)
{
    uint8_t body[512], p[600];
    if (len > 0) {
        memcpy(body, extensions, len);
    }
    size_t n = test_make_udp(body + len, "fe80::a", "fe80::b", 1000, 5060, "six", 3);
    n = test_make6(p, "fe80::a", "fe80::b", first, body, len + n);
    return test_input(t, t->if_b, p, n, 6);
}

START_TEST(ip6_extension_headers)
{
    static const uint8_t hop[8] = {17, 0, 1, 4}, skip[8] = {17, 0, 0x1e, 4};
    static const uint8_t discard[8] = {17, 0, 0x5e, 4}, beyond[8] = {17, 0, 0x1e, 200};
    static const uint8_t route_done[8] = {17, 0, 0, 0}, route[8] = {17, 0, 0, 1};
    static const uint8_t late_hop[16] = {0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4};
    static const uint8_t too_long[8] = {17, 40, 1, 4};
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_udp *udp;
    uint8_t many[80];
    test_link_init(&t);
    l2tpvoip_addr local = test_addr("[::]:5060");
    ck_assert_int_eq(l2v_inet_udp_new(t.b, NULL, &local, &test_udp_ops, &got, &udp), 0);
    ck_assert_int_eq(input6(&t, 17, NULL, 0), 0);
    ck_assert_int_eq(input6(&t, 0, hop, 8), 0);
    ck_assert_int_eq(input6(&t, 60, skip, 8), 0); /* rfc8200#4.2: 00 = skip */
    ck_assert_int_eq(input6(&t, 43, route_done, 8), 0);
    ck_assert_uint_eq(got.n, 4);
    ck_assert_uint_eq(got.len, 3);
    ck_assert_int_eq(input6(&t, 60, discard, 8), L2TPVOIP_ERR_MALFORMED); /* 01 = discard */
    ck_assert_int_eq(input6(&t, 60, beyond, 8), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(input6(&t, 43, route, 8), L2TPVOIP_ERR_MALFORMED); /* rfc5095 */
    ck_assert_int_eq(input6(&t, 60, late_hop, 16), L2TPVOIP_ERR_MALFORMED); /* rfc8200#4.1 */
    ck_assert_int_eq(input6(&t, 60, too_long, 8), L2TPVOIP_ERR_MALFORMED);
    for (unsigned n = 8; n <= 9; n++) { /* the chain is bounded */
        memset(many, 0, sizeof many);
        for (unsigned i = 0; i < n; i++) {
            many[i * 8] = i + 1 < n ? 60 : 17;
            many[i * 8 + 2] = 1;
            many[i * 8 + 3] = 4;
        }
        ck_assert_int_eq(input6(&t, 60, many, (size_t)n * 8), n == 8 ? 0 : L2TPVOIP_ERR_MALFORMED);
    }
    ck_assert_int_eq(input6(&t, 59, hop, 8), 0); /* rfc8200#4.7: nothing follows */
    ck_assert_uint_eq(got.n, 5);
    test_link_clear(&t);
}
END_TEST

START_TEST(ip6_header_checks)
{
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_udp *udp;
    uint8_t u[64], p[128];
    test_link_init(&t);
    l2tpvoip_addr local = test_addr("[::]:5060");
    ck_assert_int_eq(l2v_inet_udp_new(t.b, NULL, &local, &test_udp_ops, &got, &udp), 0);
    size_t n = test_make_udp(u, "fe80::a", "fe80::b", 1000, 5060, "six", 3);
    size_t total = test_make6(p, "fe80::a", "fe80::b", 17, u, n);
    for (size_t cut = 0; cut < total; cut++) {
        ck_assert_int_eq(test_input(&t, t.if_b, p, cut, 6), L2TPVOIP_ERR_MALFORMED);
    }
    p[0] = 0x40;
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 6), L2TPVOIP_ERR_MALFORMED);
    p[0] = 0x60;
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 6), 0);
    p[40 + 6] = p[40 + 7] = 0; /* rfc8200#8.1: no checksum is no datagram */
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 6), L2TPVOIP_ERR_MALFORMED);
    const char *bad[] = {"ff02::1", "::", "::1"};
    for (size_t i = 0; i < 3; i++) {
        n = test_make_udp(u, bad[i], "fe80::b", 1000, 5060, "six", 3);
        total = test_make6(p, bad[i], "fe80::b", 17, u, n);
        ck_assert_int_eq(test_input(&t, t.if_b, p, total, 6), L2TPVOIP_ERR_MALFORMED);
    }
    ck_assert_uint_eq(got.n, 1);
    test_link_clear(&t);
}
END_TEST

/* A server's client may not speak with another one's address. */
START_TEST(source_is_checked)
{
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_udp *udp;
    struct l2v_inet_if *second;
    uint8_t u[64], p[128];
    test_link_init(&t);
    l2tpvoip_addr local = test_addr("0.0.0.0:5060");
    ck_assert_int_eq(l2v_inet_udp_new(t.b, NULL, &local, &test_udp_ops, &got, &udp), 0);
    size_t n = test_make_udp(u, "192.0.2.77", "10.0.0.2", 1000, 5060, "x", 1);
    size_t total = test_make4(p, "192.0.2.77", "10.0.0.2", 17, 1, 0, u, n);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), 0); /* a client hears all */
    l2v_inet_if_set_strict_source(t.if_b, true);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_uint_eq(l2v_inet_get_stats(t.b)->spoofed, 1);
    l2v_inet_if_set_strict_source(t.if_b, false);
    ck_assert_int_eq(l2v_inet_if_new(t.b, &test_if_ops, &t.from_b, &second), 0);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_uint_eq(got.n, 1);
    test_link_clear(&t);
}
END_TEST

TCase *test_inet_ip(void)
{
    TCase *tc = tcase_create("ip");
    tcase_add_test(tc, checksum_known_answers);
    tcase_add_test(tc, checksum_any_length);
    tcase_add_test(tc, ip4_header_checks);
    tcase_add_test(tc, ip4_padding_is_cut);
    tcase_add_test(tc, ip4_options);
    tcase_add_test(tc, ip6_extension_headers);
    tcase_add_test(tc, ip6_header_checks);
    tcase_add_test(tc, source_is_checked);
    return tc;
}
