/* SPDX-License-Identifier: MIT */
/* Two hosts on a link that the test pumps by hand. */
#ifndef L2V_TEST_INET_H
#define L2V_TEST_INET_H

#include <check.h>

#include "../test_env.h"
#include "base_addr.h"
#include "base_wire.h"
#include "l2v_inet.h"

#define TEST_MAX_WIRE 64

struct test_wire { /* packets that one side sent, in order */
    struct l2v_pkt *pkts[TEST_MAX_WIRE];
    int families[TEST_MAX_WIRE];
    unsigned n;
};

struct test_got { /* what a socket heard */
    unsigned n, errors;
    int code;
    size_t len;
    uint8_t data[65536];
    struct l2v_inet_udp_meta meta;
    l2tpvoip_addr about;
};

struct test_link {
    struct test_env te;
    struct l2v_inet *a, *b;
    struct l2v_inet_if *if_a, *if_b;
    struct test_wire from_a, from_b;
};

l2tpvoip_addr test_addr(const char *text);
void test_link_init(struct test_link *t);
void test_link_clear(struct test_link *t);
extern const struct l2v_inet_if_ops test_if_ops; /* user: struct test_wire */
extern const struct l2v_inet_udp_ops test_udp_ops; /* user: struct test_got */
/* Delivers what waits on both wires, until all is quiet. */
void test_link_pump(struct test_link *t);
void test_wire_drop(struct test_wire *w);
/* Sends len bytes from udp. */
int test_send(struct test_link *t, struct l2v_inet_udp *udp, const void *data, size_t len,
              const l2tpvoip_addr *to);
/* Gives a host raw bytes; the result of l2v_inet_input. */
int test_input(struct test_link *t, struct l2v_inet_if *nif, const uint8_t *data, size_t len,
               int family);
/* An IPv4 packet into buf; the IP checksum is right, the payload is the caller's. */
size_t test_make4(uint8_t *buf, const char *src, const char *dst, uint8_t proto, uint16_t id,
                  uint16_t frag, const void *payload, size_t len);
size_t test_make6(uint8_t *buf, const char *src, const char *dst, uint8_t next,
                  const void *payload, size_t len);
/* A UDP datagram with its checksum. */
size_t test_make_udp(uint8_t *buf, const char *src, const char *dst, uint16_t sport, uint16_t dport,
                     const void *payload, size_t len);

TCase *test_inet_ip(void);
TCase *test_inet_udp(void);
TCase *test_inet_icmp(void);
TCase *test_inet_frag(void);

#endif
