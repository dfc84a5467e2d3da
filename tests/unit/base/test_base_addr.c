/* SPDX-License-Identifier: MIT */
/* Addresses: text forms of RFC 5952 and RFC 4291, comparing, hashing. */
#include "base_addr.h"
#include "test_base.h"

#if defined(__unix__)
#include <arpa/inet.h> /* the oracle */
#endif

/* In and the canonical out. */
static const struct {
    const char *in, *out;
} good[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"192.0.2.1:4500", "192.0.2.1:4500"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255:65535", "255.255.255.255:65535"},
    {"1.2.3.4:0", "1.2.3.4"},
    {"::", "::"},
    {"::1", "::1"},
    {"[::1]", "::1"},
    {"[::1]:500", "[::1]:500"},
    {"1::", "1::"},
    {"2001:DB8::1", "2001:db8::1"},             /* rfc5952#4.3 */
    {"2001:0db8:0:0:0:0:2:1", "2001:db8::2:1"}, /* rfc5952#4.1, 4.2.1 */
    {"2001:db8:0:1:1:1:1:1",
     "2001:db8:0:1:1:1:1:1"},                      /* rfc5952#4.2.2: one group is not shortened */
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},       /* rfc5952#4.2.3: the longest run */
    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, /* rfc5952#4.2.3: the first of equals */
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"::ffff:192.0.2.33", "::ffff:192.0.2.33"}, /* rfc5952#5 */
    {"::ffff:c000:221", "::ffff:192.0.2.33"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"},
    {"fe80::1%3", "fe80::1%3"},
    {"[fe80::1%3]:500", "[fe80::1%3]:500"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

static const char *const bad[] = {
    "",
    " ",
    "none",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4:",
    "1.2.3.4:65536",
    "1.2.3.4:4500x",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1..2.3",
    "1.2.3.4:-1",
    "a.b.c.d",
    "example.org",
    ":",
    ":::",
    ":1",
    "1:",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "12345::",
    "::g",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1.2.3",
    "::1.2.3.4.5",
    "::1.2.3.4:5",
    "[::1",
    "::1]",
    "[::1]x",
    "[::1]:",
    "[::1]:99999",
    "[1.2.3.4]:5",
    "[]",
    "[",
    "fe80::1%",
    "fe80::1%eth0",
    "fe80::1%4294967296",
    "[fe80::1%3]:1:2",
    "1:2:3:4:5:6:7:",
};

START_TEST(text_forms)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        l2tpvoip_addr a, b;
        char text[L2V_ADDR_TEXT];
        ck_assert_msg(l2v_addr_parse(good[i].in, &a) == 0, "%s", good[i].in);
        ck_assert_int_eq(l2v_addr_format(&a, text, sizeof text), (int)strlen(good[i].out));
        ck_assert_str_eq(text, good[i].out);
        ck_assert_int_eq(l2v_addr_parse(text, &b), 0);
        ck_assert(l2v_addr_equal(&a, &b));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        l2tpvoip_addr a = {.family = 99};
        ck_assert_msg(l2v_addr_parse(bad[i], &a) == L2TPVOIP_ERR_INVALID, "%s", bad[i]);
        ck_assert_uint_eq(a.family, 99); /* untouched on failure */
    }
    ck_assert_int_eq(l2v_addr_parse(NULL, NULL), L2TPVOIP_ERR_INVALID);
}
END_TEST

#if defined(__unix__)
START_TEST(text_against_libc)
{
    uint64_t seed = 5;
    for (int i = 0; i < 20000; i++) {
        l2tpvoip_addr a, b;
        char ours[L2V_ADDR_TEXT], libc[INET6_ADDRSTRLEN];
        uint64_t zeros = test_random64(&seed);
        memset(&a, 0, sizeof a);
        a.family = 6;
        for (int k = 0; k < 8; k++) {
            if ((zeros >> k) & 1) {
                a.ip[2 * k] = (uint8_t)(test_random64(&seed) & 1 ? test_random64(&seed) : 0);
                a.ip[2 * k + 1] = (uint8_t)test_random64(&seed);
            }
        }
        (void)l2v_addr_format(&a, ours, sizeof ours);
        test_must(l2v_addr_parse(ours, &b) == 0);
        test_must(l2v_addr_equal(&a, &b));
        test_must(inet_ntop(AF_INET6, a.ip, libc, sizeof libc) != NULL);
        test_must(l2v_addr_parse(libc, &b) == 0);
        test_must(l2v_addr_equal(&a, &b));
        test_must(inet_pton(AF_INET6, ours, b.ip) == 1);
        test_must(l2v_addr_equal(&a, &b));
    }
}
END_TEST

/* Random text: whatever we take as IPv6, libc takes and sees the same. */
START_TEST(random_text_against_libc)
{
    static const char alphabet[] = "::::...01fF29a";
    uint64_t seed = 6;
    int taken = 0;
    for (int i = 0; i < 300000; i++) {
        char text[24];
        size_t len = test_random64(&seed) % (sizeof text - 1);
        uint8_t ip[16];
        l2tpvoip_addr a;
        int six, ours;
        for (size_t k = 0; k < len; k++) {
            text[k] = alphabet[test_random64(&seed) % (sizeof alphabet - 1)];
        }
        text[len] = '\0';
        ours = l2v_addr_parse(text, &a);
        six = inet_pton(AF_INET6, text, ip);
        if ((ours == 0 && a.family == 6) != (six == 1)) {
            ck_abort_msg("%s", text);
        }
        if (six == 1) {
            ck_assert_mem_eq(ip, a.ip, 16);
            taken++;
        }
    }
    ck_assert_int_gt(taken, 100);
}
END_TEST
#endif

START_TEST(format_is_bounded)
{
    l2tpvoip_addr a;
    char text[8];
    ck_assert_int_eq(l2v_addr_parse("[2001:db8::1]:4500", &a), 0);
    ck_assert_int_eq(l2v_addr_format(&a, text, sizeof text), 18);
    ck_assert_str_eq(text, "[2001:d");
    ck_assert_int_eq(l2v_addr_format(&a, NULL, 0), 18);
    memset(&a, 0xff, sizeof a);
    a.family = 6;
    memset(a.ip, 0xf0, sizeof a.ip);
    ck_assert_int_lt(l2v_addr_format(&a, NULL, 0), L2V_ADDR_TEXT);
    a.family = 0;
    ck_assert_int_eq(l2v_addr_format(&a, text, sizeof text), 4);
    ck_assert_str_eq(text, "none");
}
END_TEST

START_TEST(comparing)
{
    l2tpvoip_addr a = l2v_addr_from_ip4(0xc0000201, 4500), b = a, c, d;
    uint8_t key[16] = {7};
    b.ip[9] = 1; /* outside an IPv4 address */
    b.scope_id = 3;
    ck_assert(l2v_addr_equal(&a, &b));
    ck_assert_uint_eq(l2v_addr_hash(key, &a, true), l2v_addr_hash(key, &b, true));
    b.port = 500;
    ck_assert(!l2v_addr_equal(&a, &b));
    ck_assert(l2v_addr_equal_ip(&a, &b));
    ck_assert_uint_ne(l2v_addr_hash(key, &a, true), l2v_addr_hash(key, &b, true));
    ck_assert_uint_eq(l2v_addr_hash(key, &a, false), l2v_addr_hash(key, &b, false));
    ck_assert_uint_eq(l2v_addr_get_ip4(&a), 0xc0000201);
    ck_assert_int_eq(l2v_addr_parse("fe80::1%1", &c), 0);
    ck_assert_int_eq(l2v_addr_parse("fe80::1%2", &d), 0);
    ck_assert(!l2v_addr_equal_ip(&c, &d));
    ck_assert(!l2v_addr_equal_ip(&a, &c));
    ck_assert_uint_eq(l2v_addr_get_ip4(&c), 0);
    ck_assert(!l2v_addr_is_any(&c));
    memset(&c, 0, sizeof c);
    ck_assert(l2v_addr_is_any(&c));
    c.family = 6;
    ck_assert(l2v_addr_is_any(&c));
    c.ip[15] = 1;
    ck_assert(!l2v_addr_is_any(&c));
    ck_assert_uint_eq(l2v_addr_ip_len(&c), 16);
}
END_TEST

TCase *test_base_addr(void)
{
    TCase *tc = tcase_create("addr");
    tcase_add_test(tc, text_forms);
#if defined(__unix__)
    tcase_add_test(tc, text_against_libc);
    tcase_add_test(tc, random_text_against_libc);
#endif
    tcase_add_test(tc, format_is_bounded);
    tcase_add_test(tc, comparing);
    return tc;
}
