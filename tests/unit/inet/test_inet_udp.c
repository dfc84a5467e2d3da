/* SPDX-License-Identifier: MIT */
/* UDP sockets. */
#include <l2tpvoip/socket.h>

#include "test_inet.h"

static struct l2v_inet_udp *bind_to(struct l2v_inet *inet, struct l2v_inet_if *only,
                                    const char *local, struct test_got *got)
{
    struct l2v_inet_udp *udp = NULL;
    l2tpvoip_addr a = test_addr(local);
    int rc = l2v_inet_udp_new(inet, only, &a, &test_udp_ops, got, &udp);
    return rc == 0 ? udp : NULL;
}

static void exchange(const char *any, const char *a_ip, const char *to)
{
    struct test_link t;
    struct test_got at_a = {0}, at_b = {0};
    uint8_t data[1200];
    test_link_init(&t);
    struct l2v_inet_udp *a = bind_to(t.a, NULL, any, &at_a);
    struct l2v_inet_udp *b = bind_to(t.b, NULL, to, &at_b);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    for (size_t len = 0; len <= sizeof data; len++) {
        memset(data, (int)(0x5a + len), sizeof data);
        l2tpvoip_addr dst = test_addr(to);
        ck_assert_int_eq(test_send(&t, a, data, len, &dst), 0);
        ck_assert_uint_eq(t.from_a.pkts[0]->klass, L2TPVOIP_CLASS_VOICE);
        test_link_pump(&t);
        ck_assert_uint_eq(at_b.n, len + 1);
        ck_assert_uint_eq(at_b.len, len);
        ck_assert_mem_eq(at_b.data, data, len);
        ck_assert_uint_eq(at_b.meta.tos, 0xb8);
    }
    l2tpvoip_addr expected = test_addr(a_ip);
    ck_assert(l2v_addr_equal_ip(&at_b.meta.remote, &expected));
    ck_assert_uint_ge(at_b.meta.remote.port, 49152); /* rfc6056#3.2 */
    ck_assert_int_eq(test_send(&t, b, "back", 4, &at_b.meta.remote), 0);
    test_link_pump(&t);
    ck_assert_uint_eq(at_a.n, 1);
    ck_assert_uint_eq(l2v_inet_get_stats(t.b)->checksum, 0);
    l2v_inet_udp_free(a);
    l2v_inet_udp_free(b);
    test_link_clear(&t);
}

START_TEST(there_and_back)
{
    exchange("0.0.0.0", "10.0.0.1", "10.0.0.2:5060");
    exchange("::", "fe80::a", "[fe80::b]:5060");
}
END_TEST

START_TEST(binding)
{
    struct test_link t;
    struct test_got got = {0};
    test_link_init(&t);
    ck_assert_ptr_nonnull(bind_to(t.a, NULL, "0.0.0.0:5060", &got));
    ck_assert_ptr_null(bind_to(t.a, NULL, "0.0.0.0:5060", &got));
    ck_assert_ptr_null(bind_to(t.a, NULL, "10.0.0.1:5060", &got));
    ck_assert_ptr_nonnull(bind_to(t.a, t.if_a, "10.0.0.1:5060", &got)); /* another scope */
    ck_assert_ptr_nonnull(bind_to(t.a, NULL, "[::]:5060", &got));
    ck_assert_ptr_nonnull(bind_to(t.a, NULL, "10.0.0.1:5061", &got));
    ck_assert_ptr_nonnull(bind_to(t.a, NULL, "10.0.0.9:5061", &got));
    l2tpvoip_addr none;
    struct l2v_inet_udp *udp;
    memset(&none, 0, sizeof none);
    ck_assert_int_eq(l2v_inet_udp_new(t.a, NULL, &none, &test_udp_ops, &got, &udp),
                     L2TPVOIP_ERR_INVALID);
    test_link_clear(&t); /* frees the sockets too */
}
END_TEST

START_TEST(all_ephemeral_ports)
{
    struct test_link t;
    struct test_got got = {0};
    unsigned n = 0;
    test_link_init(&t);
    l2tpvoip_addr any = test_addr("0.0.0.0");
    int rc;
    struct l2v_inet_udp *udp;
    while ((rc = l2v_inet_udp_new(t.a, NULL, &any, &test_udp_ops, &got, &udp)) == 0) {
        n++;
    }
    ck_assert_int_eq(rc, L2TPVOIP_ERR_LIMIT);
    ck_assert_uint_eq(n, 16384);
    test_link_clear(&t);
}
END_TEST

/* The more special socket hears first: interface, then all; a connected one only its peer. */
START_TEST(demultiplexing)
{
    struct test_link t;
    struct test_got all = {0}, one = {0}, a_got = {0};
    test_link_init(&t);
    struct l2v_inet_udp *any = bind_to(t.b, NULL, "0.0.0.0:5060", &all);
    struct l2v_inet_udp *tied = bind_to(t.b, t.if_b, "10.0.0.2:5060", &one);
    struct l2v_inet_udp *a = bind_to(t.a, NULL, "0.0.0.0:1000", &a_got);
    l2tpvoip_addr to = test_addr("10.0.0.2:5060");
    ck_assert_int_eq(test_send(&t, a, "1", 1, &to), 0);
    test_link_pump(&t);
    ck_assert_uint_eq(one.n, 1);
    l2tpvoip_addr peer = test_addr("10.0.0.1:1001");
    ck_assert_int_eq(l2v_inet_udp_connect(tied, &peer), 0);
    ck_assert_int_eq(test_send(&t, a, "2", 1, &to), 0);
    test_link_pump(&t);
    ck_assert_uint_eq(one.n, 1);
    ck_assert_uint_eq(all.n, 1);
    l2tpvoip_addr got;
    l2v_inet_udp_get_remote(tied, &got);
    ck_assert_uint_eq(got.port, 1001);
    ck_assert_int_eq(test_send(&t, tied, "3", 1, NULL), 0); /* to the connected peer */
    ck_assert_int_eq(test_send(&t, any, "4", 1, NULL), L2TPVOIP_ERR_STATE);
    test_link_clear(&t);
}
END_TEST

/* A server: the interface follows from the destination. */
START_TEST(routes)
{
    struct test_link t;
    struct test_got got = {0};
    struct l2v_inet_if *second;
    struct test_wire wire = {.n = 0};
    test_link_init(&t);
    struct l2v_inet_udp *udp = bind_to(t.a, NULL, "0.0.0.0:5060", &got);
    struct l2v_inet_udp *udp6 = bind_to(t.a, NULL, "[::]:5060", &got);
    l2tpvoip_addr far = test_addr("192.0.2.1:9"), third = test_addr("10.0.0.3:9");
    l2tpvoip_addr b = test_addr("10.0.0.2:9"), own = test_addr("10.0.0.1");
    l2tpvoip_addr own6 = test_addr("fe80::a"), b6 = test_addr("[fe80::b]:9");
    ck_assert_int_eq(test_send(&t, udp, "x", 1, &far), 0); /* one interface leads everywhere */
    ck_assert_int_eq(l2v_inet_if_new(t.a, &test_if_ops, &wire, &second), 0);
    l2v_inet_if_set_address(second, &own, &third, &own6, &b6); /* the same link-local peer */
    ck_assert_int_eq(test_send(&t, udp, "x", 1, &far), L2TPVOIP_ERR_UNREACHABLE);
    ck_assert_int_eq(test_send(&t, udp, "x", 1, &third), 0);
    ck_assert_uint_eq(wire.n, 1);
    ck_assert_int_eq(test_send(&t, udp, "x", 1, &b), 0);
    ck_assert_uint_eq(t.from_a.n, 2);
    b6.scope_id = 2; /* the second interface */
    ck_assert_int_eq(test_send(&t, udp6, "x", 1, &b6), 0);
    ck_assert_uint_eq(wire.n, 2);
    l2v_inet_if_free(second);
    ck_assert_int_eq(test_send(&t, udp, "x", 1, &third), 0); /* one interface again */
    ck_assert_uint_eq(t.from_a.n, 3);
    test_wire_drop(&wire);
    test_link_clear(&t);
}
END_TEST

START_TEST(address_changes)
{
    struct test_link t;
    struct test_got got = {0}, at_b = {0};
    test_link_init(&t);
    struct l2v_inet_udp *any = bind_to(t.a, NULL, "0.0.0.0:5060", &got);
    struct l2v_inet_udp *fixed = bind_to(t.a, NULL, "10.0.0.1:5062", &got);
    struct l2v_inet_udp *tied = bind_to(t.a, t.if_a, "0.0.0.0:5064", &got);
    struct l2v_inet_udp *b = bind_to(t.b, NULL, "0.0.0.0:9", &at_b);
    l2tpvoip_addr to = test_addr("10.0.0.2:9"), now = test_addr("10.0.0.7");
    ck_assert_ptr_nonnull(b);
    ck_assert_int_eq(test_send(&t, any, "x", 1, &to), 0);
    ck_assert_int_eq(test_send(&t, fixed, "x", 1, &to), 0);
    l2v_inet_if_set_address(t.if_a, &now, &to, NULL, NULL);
    ck_assert_int_eq(test_send(&t, any, "x", 1, &to), 0);
    /* bound to an address that is gone: it must not speak */
    ck_assert_int_eq(test_send(&t, fixed, "x", 1, &to), L2TPVOIP_ERR_UNREACHABLE);
    test_link_pump(&t);
    ck_assert_uint_eq(at_b.n, 3);
    ck_assert(l2v_addr_equal_ip(&at_b.meta.remote, &now));
    l2tpvoip_addr local;
    l2v_inet_udp_get_local(tied, &local);
    ck_assert(l2v_addr_equal_ip(&local, &now));
    l2v_inet_if_free(t.if_a);
    ck_assert_int_eq(test_send(&t, tied, "x", 1, &to), L2TPVOIP_ERR_STATE);
    ck_assert_int_eq(test_send(&t, any, "x", 1, &to), L2TPVOIP_ERR_UNREACHABLE);
    test_link_clear(&t);
}
END_TEST

START_TEST(bad_datagrams)
{
    struct test_link t;
    struct test_got got = {0};
    uint8_t u[64], p[128];
    test_link_init(&t);
    ck_assert_ptr_nonnull(bind_to(t.b, NULL, "0.0.0.0:5060", &got));
    size_t n = test_make_udp(u, "10.0.0.1", "10.0.0.2", 1000, 5060, "hello", 5);
    u[12] ^= 1; /* checksum */
    size_t total = test_make4(p, "10.0.0.1", "10.0.0.2", 17, 1, 0, u, n);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), L2TPVOIP_ERR_MALFORMED);
    l2v_put_u16(p + 26, 0); /* rfc768: none was computed */
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), 0);
    l2v_put_u16(p + 24, 11); /* shorter than the IP payload: the rest is padding */
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), 0);
    ck_assert_uint_eq(got.len, 3);
    l2v_put_u16(p + 24, 7);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), L2TPVOIP_ERR_MALFORMED);
    l2v_put_u16(p + 24, 14);
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), L2TPVOIP_ERR_MALFORMED);
    l2v_put_u16(p + 24, 13);
    l2v_put_u16(p + 22, 0); /* port 0 */
    ck_assert_int_eq(test_input(&t, t.if_b, p, total, 4), L2TPVOIP_ERR_MALFORMED);
    ck_assert_uint_eq(got.n, 2);
    ck_assert_uint_eq(t.from_b.n, 0);
    test_link_clear(&t);
}
END_TEST

/* In steady state a packet costs no allocation in either direction. */
START_TEST(no_allocation)
{
    struct test_link t;
    struct test_got got = {0};
    uint8_t voice[172] = {0};
    test_link_init(&t);
    struct l2v_inet_udp *a = bind_to(t.a, NULL, "0.0.0.0:1000", &got);
    ck_assert_ptr_nonnull(bind_to(t.b, NULL, "0.0.0.0:5060", &got));
    l2tpvoip_addr to = test_addr("10.0.0.2:5060");
    ck_assert_int_eq(test_send(&t, a, voice, sizeof voice, &to), 0);
    test_link_pump(&t);
#ifndef L2V_NO_POOLS
    long before = t.te.n_allocs;
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(test_send(&t, a, voice, sizeof voice, &to), 0);
        test_link_pump(&t);
    }
    ck_assert_int_eq(t.te.n_allocs, before);
    ck_assert_uint_eq(got.n, 101);
#endif
    test_link_clear(&t);
}
END_TEST

/* Each allocation of a whole life fails once. */
START_TEST(out_of_memory)
{
    for (long n = 1;; n++) {
        struct test_link t;
        struct test_got got = {0};
        struct l2v_inet_udp *udp = NULL;
        memset(&t, 0, sizeof t);
        ck_assert_int_eq(test_env_init(&t.te, 7), 0);
        t.te.fail_at = t.te.n_allocs + n;
        int rc = l2v_inet_new(&t.te.env, &t.a);
        if (rc == 0) {
            rc = l2v_inet_if_new(t.a, &test_if_ops, &t.from_a, &t.if_a);
        }
        if (rc == 0) {
            l2tpvoip_addr own = test_addr("10.0.0.1"), peer = test_addr("10.0.0.2:5060");
            l2v_inet_if_set_address(t.if_a, &own, &peer, NULL, NULL);
            l2tpvoip_addr any = test_addr("0.0.0.0");
            rc = l2v_inet_udp_new(t.a, NULL, &any, &test_udp_ops, &got, &udp);
            if (rc == 0) {
                struct l2v_pkt *pkt = l2v_pkt_new(&t.te.env, 4000);
                rc = L2TPVOIP_ERR_NOMEM;
                if (pkt != NULL) {
                    memset(l2v_pkt_put(pkt, 4000), 1, 4000);
                    rc = l2v_inet_udp_output(udp, NULL, pkt, &peer, 0, 0);
                }
            }
        }
        ck_assert(rc == 0 || rc == L2TPVOIP_ERR_NOMEM);
        test_wire_drop(&t.from_a);
        l2v_inet_free(t.a);
        test_env_clear(&t.te);
        ck_assert_int_eq(t.te.live, 0);
        if (rc == 0 && t.te.n_allocs < t.te.fail_at) {
            break;
        }
    }
}
END_TEST

TCase *test_inet_udp(void)
{
    TCase *tc = tcase_create("udp");
    tcase_add_test(tc, there_and_back);
    tcase_add_test(tc, binding);
    tcase_add_test(tc, all_ephemeral_ports);
    tcase_add_test(tc, demultiplexing);
    tcase_add_test(tc, routes);
    tcase_add_test(tc, address_changes);
    tcase_add_test(tc, bad_datagrams);
    tcase_add_test(tc, no_allocation);
    tcase_add_test(tc, out_of_memory);
    tcase_set_timeout(tc, 30);
    return tc;
}
