/* SPDX-License-Identifier: MIT */
/* Echo and errors. */
#include <l2tpvoip/socket.h>

#include "test_inet.h"

struct answer {
    unsigned n;
    int code;
    uint64_t rtt_ns;
    l2tpvoip_addr from;
};

static void on_answer(void *user, int code, const l2tpvoip_addr *from, uint64_t rtt_ns)
{
    struct answer *a = user;
    a->n++;
    a->code = code;
    a->rtt_ns = rtt_ns;
    a->from = *from;
}

static void ping(const char *to, size_t len)
{
    struct test_link t;
    struct answer got = {0};
    test_link_init(&t);
    l2tpvoip_addr dst = test_addr(to);
    ck_assert_int_eq(l2v_inet_ping(t.if_a, &dst, len, L2V_NS_PER_S, on_answer, &got), 0);
    t.te.env.now_ns += 30 * L2V_NS_PER_MS;
    test_link_pump(&t);
    ck_assert_uint_eq(got.n, 1);
    ck_assert_int_eq(got.code, 0);
    ck_assert_uint_eq(got.rtt_ns, 30 * L2V_NS_PER_MS);
    ck_assert(l2v_addr_equal_ip(&got.from, &dst));
    ck_assert_uint_eq(l2v_timers_next(&t.te.env.timers), L2V_NEVER);
    test_link_clear(&t);
}

START_TEST(echo)
{
    ping("10.0.0.2", 56);
    ping("10.0.0.2", 0);
    ping("10.0.0.2", 3);
    ping("10.0.0.2", 5000); /* fragments both ways */
    ping("fe80::b", 56);
    ping("fe80::b", 5000);
}
END_TEST

START_TEST(echo_without_answer)
{
    struct test_link t;
    struct answer got = {0}, other = {0};
    test_link_init(&t);
    l2tpvoip_addr dst = test_addr("10.0.0.2"), bad = test_addr("0.0.0.0");
    ck_assert_int_eq(l2v_inet_ping(t.if_a, &dst, 8, L2V_NS_PER_S, on_answer, &got), 0);
    ck_assert_int_eq(l2v_inet_ping(t.if_a, &dst, 8, L2V_NS_PER_S, on_answer, &other), 0);
    l2v_inet_ping_cancel(t.if_a, &other);
    test_wire_drop(&t.from_a);
    t.te.env.now_ns += L2V_NS_PER_S;
    l2v_timers_run(&t.te.env.timers, t.te.env.now_ns);
    ck_assert_uint_eq(got.n, 1);
    ck_assert_int_eq(got.code, L2TPVOIP_ERR_TIMEOUT);
    ck_assert_uint_eq(got.rtt_ns, UINT64_MAX);
    ck_assert_uint_eq(other.n, 0);
    ck_assert_int_eq(l2v_inet_ping(t.if_a, &bad, 8, 1, on_answer, &got), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_inet_ping(t.if_a, &dst, 65536, 1, on_answer, &got), L2TPVOIP_ERR_MSGSIZE);
    for (int i = 0; i < 64; i++) {
        ck_assert_int_eq(l2v_inet_ping(t.if_a, &dst, 8, 1, on_answer, &got), 0);
        test_wire_drop(&t.from_a);
    }
    ck_assert_int_eq(l2v_inet_ping(t.if_a, &dst, 8, 1, on_answer, &got), L2TPVOIP_ERR_LIMIT);
    l2v_inet_if_set_address(t.if_b, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(l2v_inet_ping(t.if_b, &dst, 8, 1, on_answer, &got), L2TPVOIP_ERR_STATE);
    test_link_clear(&t);
    ck_assert_uint_eq(got.n, 1); /* what was open is forgotten without a word */
}
END_TEST

/* A reply with another cookie, from another host, or twice, answers nothing. */
START_TEST(echo_forged)
{
    struct test_link t;
    struct answer got = {0};
    uint8_t reply[28 + 16];
    test_link_init(&t);
    l2tpvoip_addr dst = test_addr("10.0.0.2");
    ck_assert_int_eq(l2v_inet_ping(t.if_a, &dst, 16, L2V_NS_PER_S, on_answer, &got), 0);
    uint8_t message[24];
    memcpy(message, t.from_a.pkts[0]->data + 20, 24);
    test_wire_drop(&t.from_a);
    message[0] = 0;
    message[8] ^= 1;
    l2v_put_u16(message + 2, 0);
    l2v_put_u16(message + 2, l2v_inet_fold(l2v_inet_sum(message, 24, 0)));
    size_t n = test_make4(reply, "10.0.0.2", "10.0.0.1", 1, 1, 0, message, 24);
    ck_assert_int_eq(test_input(&t, t.if_a, reply, n, 4), 0);
    ck_assert_uint_eq(got.n, 0);
    message[8] ^= 1;
    l2v_put_u16(message + 2, 0);
    l2v_put_u16(message + 2, l2v_inet_fold(l2v_inet_sum(message, 24, 0)));
    n = test_make4(reply, "10.0.0.9", "10.0.0.1", 1, 1, 0, message, 24);
    ck_assert_int_eq(test_input(&t, t.if_a, reply, n, 4), 0);
    ck_assert_uint_eq(got.n, 0);
    n = test_make4(reply, "10.0.0.2", "10.0.0.1", 1, 1, 0, message, 24);
    ck_assert_int_eq(test_input(&t, t.if_a, reply, n, 4), 0);
    ck_assert_int_eq(test_input(&t, t.if_a, reply, n, 4), 0);
    ck_assert_uint_eq(got.n, 1);
    test_link_clear(&t);
}
END_TEST

static void refused(const char *any, const char *to)
{
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_udp *udp;
    test_link_init(&t);
    l2tpvoip_addr local = test_addr(any), dst = test_addr(to);
    ck_assert_int_eq(l2v_inet_udp_new(t.a, NULL, &local, &test_udp_ops, &got, &udp), 0);
    ck_assert_int_eq(test_send(&t, udp, "hello", 5, &dst), 0);
    test_link_pump(&t);
    ck_assert_uint_eq(got.errors, 1);
    ck_assert_int_eq(got.code, L2TPVOIP_ERR_REFUSED);
    ck_assert_uint_eq(got.about.port, dst.port);
    ck_assert(l2v_addr_equal_ip(&got.about, &dst));
    for (int i = 0; i < 20; i++) { /* limited */
        ck_assert_int_eq(test_send(&t, udp, "hello", 5, &dst), 0);
        test_link_pump(&t);
    }
    ck_assert_uint_eq(got.errors, 10);
    ck_assert_uint_eq(l2v_inet_get_stats(t.b)->icmp_limited, 11);
    ck_assert_uint_eq(l2v_inet_get_stats(t.b)->no_socket, 21);
    test_link_clear(&t);
}

START_TEST(port_unreachable)
{
    refused("0.0.0.0", "10.0.0.2:4321");
    refused("::", "[fe80::b]:4321");
}
END_TEST

/* An ICMP error about quote, from the peer of A. */
static int input_error(struct test_link *t, uint8_t type, uint8_t code, const uint8_t *quote,
                       size_t len)
{
    uint8_t m[256] = {0}, p[300];
    m[0] = type;
    m[1] = code;
    memcpy(m + 8, quote, len);
    l2v_put_u16(m + 2, l2v_inet_fold(l2v_inet_sum(m, 8 + len, 0)));
    size_t n = test_make4(p, "10.0.0.2", "10.0.0.1", 1, 1, 0, m, 8 + len);
    return test_input(t, t->if_a, p, n, 4);
}

START_TEST(errors_must_quote_us)
{
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_udp *udp;
    uint8_t quote[28];
    test_link_init(&t);
    l2tpvoip_addr local = test_addr("0.0.0.0:1000"), dst = test_addr("10.0.0.2:5060");
    ck_assert_int_eq(l2v_inet_udp_new(t.a, NULL, &local, &test_udp_ops, &got, &udp), 0);
    ck_assert_int_eq(test_send(&t, udp, "hello", 5, &dst), 0);
    memcpy(quote, t.from_a.pkts[0]->data, sizeof quote);
    test_wire_drop(&t.from_a);
    ck_assert_int_eq(input_error(&t, 3, 3, quote, 28), 0);
    ck_assert_int_eq(got.code, L2TPVOIP_ERR_REFUSED);
    ck_assert_int_eq(input_error(&t, 3, 4, quote, 28), 0);
    ck_assert_int_eq(got.code, L2TPVOIP_ERR_MSGSIZE);
    ck_assert_int_eq(input_error(&t, 11, 0, quote, 28), 0);
    ck_assert_int_eq(got.code, L2TPVOIP_ERR_UNREACHABLE);
    ck_assert_uint_eq(got.errors, 3);
    ck_assert_int_eq(input_error(&t, 4, 0, quote, 28), L2TPVOIP_ERR_NOT_FOUND); /* rfc6633 */
    ck_assert_int_eq(input_error(&t, 5, 0, quote, 28), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(input_error(&t, 3, 3, quote, 27), L2TPVOIP_ERR_MALFORMED);
    static const size_t fields[] = {15, 19, 21, 23}; /* source, destination, both ports */
    for (size_t i = 0; i < 4; i++) {
        quote[fields[i]] ^= 1;
        ck_assert_int_ne(input_error(&t, 3, 3, quote, 28), 0);
        quote[fields[i]] ^= 1;
    }
    quote[7] = 1; /* not the first fragment: no ports in it */
    ck_assert_int_eq(input_error(&t, 3, 3, quote, 28), L2TPVOIP_ERR_MALFORMED);
    ck_assert_uint_eq(got.errors, 3);
    test_link_clear(&t);
}
END_TEST

/* rfc1122#3.2.2: never about an error; rfc1122#3.2.2.1: protocol unreachable. */
START_TEST(errors_that_we_send)
{
    struct test_link t;
    uint8_t p[128], m[64] = {0};
    test_link_init(&t);
    m[0] = 3;
    m[8] = 0x45;
    l2v_put_u16(m + 2, l2v_inet_fold(l2v_inet_sum(m, 36, 0)));
    size_t n = test_make4(p, "10.0.0.1", "10.0.0.2", 1, 1, 0, m, 36);
    (void)test_input(&t, t.if_b, p, n, 4);
    ck_assert_uint_eq(t.from_b.n, 0);
    n = test_make4(p, "10.0.0.1", "10.0.0.2", 6, 1, 0, m, 36);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 4), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_uint_eq(t.from_b.n, 1);
    ck_assert_uint_eq(t.from_b.pkts[0]->data[20], 3);
    ck_assert_uint_eq(t.from_b.pkts[0]->data[21], 2);
    test_wire_drop(&t.from_b);
    n = test_make6(p, "fe80::a", "fe80::b", 6, m, 36);
    ck_assert_int_eq(test_input(&t, t.if_b, p, n, 6), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_uint_eq(t.from_b.n, 1); /* rfc4443#3.4 */
    ck_assert_uint_eq(t.from_b.pkts[0]->data[40], 4);
    ck_assert_uint_eq(t.from_b.pkts[0]->data[41], 1);
    ck_assert_uint_eq(t.from_b.pkts[0]->data[47], 6);
    test_link_clear(&t);
}
END_TEST

START_TEST(ping_refused)
{
    struct test_link t;
    struct answer got = {0};
    test_link_init(&t);
    l2tpvoip_addr dst = test_addr("192.0.2.1");
    uint8_t quote[28];
    ck_assert_int_eq(l2v_inet_ping(t.if_a, &dst, 8, L2V_NS_PER_S, on_answer, &got), 0);
    memcpy(quote, t.from_a.pkts[0]->data, 28);
    ck_assert_int_eq(input_error(&t, 3, 1, quote, 28), 0);
    ck_assert_uint_eq(got.n, 1);
    ck_assert_int_eq(got.code, L2TPVOIP_ERR_UNREACHABLE);
    test_link_clear(&t);
}
END_TEST

TCase *test_inet_icmp(void)
{
    TCase *tc = tcase_create("icmp");
    tcase_add_test(tc, echo);
    tcase_add_test(tc, echo_without_answer);
    tcase_add_test(tc, echo_forged);
    tcase_add_test(tc, port_unreachable);
    tcase_add_test(tc, errors_must_quote_us);
    tcase_add_test(tc, errors_that_we_send);
    tcase_add_test(tc, ping_refused);
    return tc;
}
