/* SPDX-License-Identifier: MIT */
/* Sockets of the backends over loopback: trains, TOS, addresses, receive times, ICMP errors. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "io_socket.h"

struct pair {
    struct l2v_io_socket a, b;
    l2tpvoip_addr addr_a, addr_b;
    struct l2v_io_rx rx;
};

static l2tpvoip_addr loopback(uint8_t family)
{
    l2tpvoip_addr a = {.family = family};
    if (family == 4) {
        memcpy(a.ip, (uint8_t[]){127, 0, 0, 1}, 4);
    } else {
        a.ip[15] = 1;
    }
    return a;
}

static void open_pair(struct pair *p, uint8_t family, bool any)
{
    l2tpvoip_path_request request = {.size = sizeof request, .path_id = 7,
                                     .kind = L2TPVOIP_PATH_UDP, .local = loopback(family)};
    memset(p, 0, sizeof *p);
    ck_assert_int_eq(l2v_io_socket_open(&p->a, &request, &p->addr_a), 0);
    if (any) {
        memset(request.local.ip, 0, sizeof request.local.ip);
        request.remote = loopback(family);
    }
    ck_assert_int_eq(l2v_io_socket_open(&p->b, &request, &p->addr_b), 0);
    ck_assert_int_eq(l2v_io_rx_init(&p->rx), 0);
}

static void close_pair(struct pair *p)
{
    l2v_io_socket_close(&p->a);
    l2v_io_socket_close(&p->b);
    l2v_io_rx_clear(&p->rx);
}

static l2tpvoip_datagram datagram(uint8_t *data, size_t len, const l2tpvoip_addr *to)
{
    l2tpvoip_datagram d = {.data = data, .len = len, .remote = *to, .tos = 0xb8};
    return d;
}

/* Reads until n datagrams came, segments of trains counted one by one; checks sizes and content. */
static size_t receive(struct pair *p, struct l2v_io_socket *s, const size_t *sizes, size_t n)
{
    size_t seen = 0;
    for (int tries = 0; seen < n && tries < 100; tries++) {
        l2tpvoip_datagram v[L2V_IO_BATCH];
        size_t got = 0;
        if (l2v_io_socket_recv(s, &p->rx, l2v_io_now(), v, &got) != 0) {
            continue;
        }
        for (size_t i = 0; i < got; i++) {
            size_t step = v[i].segment_size != 0 ? v[i].segment_size : v[i].len;
            ck_assert_uint_eq(v[i].tos, 0xb8);
            ck_assert_uint_eq(v[i].path_id, 7);
            ck_assert_uint_ne(v[i].flags & L2TPVOIP_DATAGRAM_WRITABLE, 0);
            ck_assert_uint_le(v[i].time_ns, l2v_io_now());
            for (size_t at = 0; at < v[i].len; at += step) {
                size_t len = v[i].len - at < step ? v[i].len - at : step;
                ck_assert_uint_lt(seen, n);
                ck_assert_uint_eq(len, sizes[seen]);
                ck_assert_uint_eq(v[i].data[at], (uint8_t)seen);
                seen++;
            }
        }
    }
    return seen;
}

static void send_sizes(struct pair *p, const size_t *sizes, size_t n)
{
    static uint8_t data[128][1500];
    l2tpvoip_datagram v[128];
    size_t sent = 0;
    for (size_t i = 0; i < n; i++) {
        data[i][0] = (uint8_t)i;
        v[i] = datagram(data[i], sizes[i], &p->addr_b);
    }
    ck_assert_int_eq(l2v_io_socket_send(&p->a, v, n, &sent), 0);
    ck_assert_uint_eq(sent, n);
    ck_assert_uint_eq(receive(p, &p->b, sizes, n), n);
}

START_TEST(test_batches)
{
    struct pair p;
    size_t equal[100], mixed[100];
    open_pair(&p, _i == 0 ? 4 : 6, false);
    for (size_t i = 0; i < 100; i++) {
        equal[i] = 200;
        mixed[i] = 50 + (i * 37) % 300 / 100 * 100; /* runs of equal sizes, growing and shrinking */
    }
    send_sizes(&p, equal, 100);
    send_sizes(&p, mixed, 100);
    send_sizes(&p, equal, 1);
    p.a.gso = false; /* a kernel without trains */
    send_sizes(&p, equal, 100);
    close_pair(&p);
}
END_TEST

START_TEST(test_train_of_caller)
{
    struct pair p;
    uint8_t data[950];
    size_t sizes[10], sent = 0;
    open_pair(&p, 4, false);
    for (size_t i = 0; i < 10; i++) {
        sizes[i] = i < 9 ? 100 : 50;
        data[i * 100] = (uint8_t)i;
    }
    for (int gso = 1; gso >= 0; gso--) {
        l2tpvoip_datagram d = datagram(data, sizeof data, &p.addr_b);
        d.segment_size = 100;
        p.a.gso = p.a.gso && gso;
        ck_assert_int_eq(l2v_io_socket_send(&p.a, &d, 1, &sent), 0);
        ck_assert_uint_eq(sent, 1);
        ck_assert_uint_eq(receive(&p, &p.b, sizes, 10), 10);
    }
    close_pair(&p);
}
END_TEST

/* A socket on "any" learns where a datagram was sent to, and answers from there. */
START_TEST(test_wildcard)
{
    struct pair p;
    uint8_t byte = 0;
    l2tpvoip_datagram v[L2V_IO_BATCH];
    size_t n = 0, sent = 0;
    uint8_t family = _i == 0 ? 4 : 6;
    l2tpvoip_addr lo = loopback(family);
    open_pair(&p, family, true);
    ck_assert_mem_eq(p.addr_b.ip, lo.ip, 16); /* the source that the route gives */
    l2tpvoip_addr to = lo;
    to.port = p.addr_b.port;
    l2tpvoip_datagram d = datagram(&byte, 1, &to);
    ck_assert_int_eq(l2v_io_socket_send(&p.a, &d, 1, &sent), 0);
    ck_assert_int_eq(l2v_io_socket_recv(&p.b, &p.rx, l2v_io_now(), v, &n), 0);
    ck_assert_mem_eq(v[0].local.ip, lo.ip, 16);
    ck_assert_uint_eq(v[0].remote.port, p.addr_a.port);
    d = datagram(&byte, 1, &v[0].remote);
    d.local = v[0].local;
    d.flags = L2TPVOIP_DATAGRAM_DF;
    ck_assert_int_eq(l2v_io_socket_send(&p.b, &d, 1, &sent), 0);
    ck_assert_int_eq(l2v_io_socket_recv(&p.a, &p.rx, l2v_io_now(), v, &n), 0);
    ck_assert_mem_eq(v[0].remote.ip, lo.ip, 16);
    close_pair(&p);
}
END_TEST

START_TEST(test_icmp_error)
{
    struct pair p;
    uint8_t byte = 0;
    size_t sent = 0;
    l2tpvoip_addr remote;
    int32_t code = 0;
    uint32_t mtu = 0;
    open_pair(&p, 4, false);
    l2v_io_socket_close(&p.b);
    l2tpvoip_datagram d = datagram(&byte, 1, &p.addr_b);
    ck_assert_int_eq(l2v_io_socket_send(&p.a, &d, 1, &sent), 0);
    ck_assert_int_eq(l2v_io_socket_error(&p.a, &remote, &code, &mtu), 0);
    ck_assert_int_eq(code, L2TPVOIP_ERR_UNREACHABLE);
    ck_assert_uint_eq(remote.port, p.addr_b.port);
    ck_assert_uint_eq(mtu, 0);
    ck_assert_int_eq(l2v_io_socket_error(&p.a, &remote, &code, &mtu), L2TPVOIP_ERR_AGAIN);
    close_pair(&p);
}
END_TEST

START_TEST(test_refusals)
{
    struct pair p;
    struct l2v_io_socket s;
    l2tpvoip_addr local;
    open_pair(&p, 4, false);
    l2tpvoip_path_request request = {.kind = L2TPVOIP_PATH_UDP, .local = p.addr_a};
    ck_assert_int_eq(l2v_io_socket_open(&s, &request, &local), L2TPVOIP_ERR_EXISTS);
    request.kind = L2TPVOIP_PATH_TCP;
    ck_assert_int_eq(l2v_io_socket_open(&s, &request, &local), L2TPVOIP_ERR_UNSUPPORTED);
    request.kind = L2TPVOIP_PATH_UDP;
    request.local.family = 0;
    ck_assert_int_eq(l2v_io_socket_open(&s, &request, &local), L2TPVOIP_ERR_UNSUPPORTED);
    close_pair(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io");
    TCase *tc = tcase_create("socket");
    tcase_add_loop_test(tc, test_batches, 0, 2);
    tcase_add_test(tc, test_train_of_caller);
    tcase_add_loop_test(tc, test_wildcard, 0, 2);
    tcase_add_test(tc, test_icmp_error);
    tcase_add_test(tc, test_refusals);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
