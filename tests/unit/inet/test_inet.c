/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/inet: fixture and main. */
#include "test_inet.h"
#include <l2tpvoip/socket.h>

l2tpvoip_addr test_addr(const char *text)
{
    l2tpvoip_addr a;
    ck_assert_int_eq(l2v_addr_parse(text, &a), 0);
    return a;
}

static void transmit(void *user, struct l2v_pkt *pkt, int family)
{
    struct test_wire *w = user;
    ck_assert_uint_lt(w->n, TEST_MAX_WIRE);
    ck_assert_uint_ne(pkt->klass, 0);
    w->families[w->n] = family;
    w->pkts[w->n++] = pkt;
}

const struct l2v_inet_if_ops test_if_ops = {transmit};

static void hear(void *user, struct l2v_pkt *pkt, const struct l2v_inet_udp_meta *meta)
{
    struct test_got *got = user;
    got->n++;
    got->len = pkt->len;
    ck_assert_uint_le(pkt->len, sizeof got->data);
    memcpy(got->data, pkt->data, pkt->len);
    got->meta = *meta;
}

static void on_error(void *user, int code, const l2tpvoip_addr *remote)
{
    struct test_got *got = user;
    got->errors++;
    got->code = code;
    got->about = *remote;
}

const struct l2v_inet_udp_ops test_udp_ops = {hear, on_error};

void test_link_init(struct test_link *t)
{
    memset(t, 0, sizeof *t);
    ck_assert_int_eq(test_env_init(&t->te, 7), 0);
    ck_assert_int_eq(l2v_inet_new(&t->te.env, &t->a), 0);
    ck_assert_int_eq(l2v_inet_new(&t->te.env, &t->b), 0);
    ck_assert_int_eq(l2v_inet_if_new(t->a, &test_if_ops, &t->from_a, &t->if_a), 0);
    ck_assert_int_eq(l2v_inet_if_new(t->b, &test_if_ops, &t->from_b, &t->if_b), 0);
    l2tpvoip_addr a4 = test_addr("10.0.0.1"), b4 = test_addr("10.0.0.2");
    l2tpvoip_addr a6 = test_addr("fe80::a"), b6 = test_addr("fe80::b");
    l2v_inet_if_set_address(t->if_a, &a4, &b4, &a6, &b6);
    l2v_inet_if_set_address(t->if_b, &b4, &a4, &b6, &a6);
    l2v_inet_if_set_mtu(t->if_a, 1400);
    l2v_inet_if_set_mtu(t->if_b, 1400);
}

void test_wire_drop(struct test_wire *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        l2v_pkt_free(w->pkts[i]);
    }
    w->n = 0;
}

void test_link_clear(struct test_link *t)
{
    test_wire_drop(&t->from_a);
    test_wire_drop(&t->from_b);
    l2v_inet_free(t->a);
    l2v_inet_free(t->b);
    test_env_clear(&t->te);
    ck_assert_int_eq(t->te.live, 0);
}

static void pump_one(struct test_wire *from, struct l2v_inet_if *to)
{
    struct test_wire now = *from;
    from->n = 0;
    for (unsigned i = 0; i < now.n; i++) {
        (void)l2v_inet_input(to, now.pkts[i], now.families[i]);
        l2v_pkt_free(now.pkts[i]);
    }
}

void test_link_pump(struct test_link *t)
{
    while (t->from_a.n + t->from_b.n > 0) {
        pump_one(&t->from_a, t->if_b);
        pump_one(&t->from_b, t->if_a);
    }
}

int test_send(struct test_link *t, struct l2v_inet_udp *udp, const void *data, size_t len,
              const l2tpvoip_addr *to)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(&t->te.env, data, len);
    ck_assert_ptr_nonnull(pkt);
    return l2v_inet_udp_output(udp, NULL, pkt, to, 0xb8, L2TPVOIP_CLASS_VOICE);
}

int test_input(struct test_link *t, struct l2v_inet_if *nif, const uint8_t *data, size_t len,
               int family)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(&t->te.env, data, len);
    ck_assert_ptr_nonnull(pkt);
    int rc = l2v_inet_input(nif, pkt, family);
    l2v_pkt_free(pkt);
    return rc;
}

size_t test_make4(uint8_t *buf, const char *src, const char *dst, uint8_t proto, uint16_t id,
                  uint16_t frag, const void *payload, size_t len)
{
    l2tpvoip_addr s = test_addr(src), d = test_addr(dst);
    memset(buf, 0, 20);
    buf[0] = 0x45;
    l2v_put_u16(buf + 2, (unsigned)(20 + len));
    l2v_put_u16(buf + 4, id);
    l2v_put_u16(buf + 6, frag);
    buf[8] = 64;
    buf[9] = proto;
    memcpy(buf + 12, s.ip, 4);
    memcpy(buf + 16, d.ip, 4);
    l2v_put_u16(buf + 10, l2v_inet_fold(l2v_inet_sum(buf, 20, 0)));
    memcpy(buf + 20, payload, len);
    return 20 + len;
}

size_t test_make6(uint8_t *buf, const char *src, const char *dst, uint8_t next,
                  const void *payload, size_t len)
{
    l2tpvoip_addr s = test_addr(src), d = test_addr(dst);
    memset(buf, 0, 40);
    buf[0] = 0x60;
    l2v_put_u16(buf + 4, (unsigned)len);
    buf[6] = next;
    buf[7] = 64;
    memcpy(buf + 8, s.ip, 16);
    memcpy(buf + 24, d.ip, 16);
    memcpy(buf + 40, payload, len);
    return 40 + len;
}

size_t test_make_udp(uint8_t *buf, const char *src, const char *dst, uint16_t sport, uint16_t dport,
                     const void *payload, size_t len)
{
    l2tpvoip_addr s = test_addr(src), d = test_addr(dst);
    size_t ip = s.family == 6 ? 16 : 4;
    l2v_put_u16(buf, sport);
    l2v_put_u16(buf + 2, dport);
    l2v_put_u16(buf + 4, (unsigned)(8 + len));
    l2v_put_u16(buf + 6, 0);
    memcpy(buf + 8, payload, len);
    uint32_t sum = l2v_inet_sum(s.ip, ip, l2v_inet_sum(d.ip, ip, (uint32_t)(17 + 8 + len)));
    uint16_t check = l2v_inet_fold(l2v_inet_sum(buf, 8 + len, sum));
    l2v_put_u16(buf + 6, check != 0 ? check : 0xffffu);
    return 8 + len;
}

int main(void)
{
    Suite *suite = suite_create("inet");
    suite_add_tcase(suite, test_inet_ip());
    suite_add_tcase(suite, test_inet_udp());
    suite_add_tcase(suite, test_inet_icmp());
    suite_add_tcase(suite, test_inet_frag());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
