/* SPDX-License-Identifier: MIT */
/* What the L2TP tests share: two endpoints on a link in virtual time. */
#ifndef TEST_L2TP_H
#define TEST_L2TP_H

#include <check.h>
#include <stdio.h>

#include "l2tp_internal.h"
#include "test_env.h"
#include "unit_json.h"

#define MS L2V_NS_PER_MS
#define SECOND L2V_NS_PER_S
#define LINK_MAX 4096

struct test_packet {
    uint64_t due_ns;
    uint64_t order;
    int to; /* 0 or 1 */
    bool used;
    uint16_t from_port;
    size_t len;
    uint8_t data[1600];
};

struct test_link;

struct test_peer {
    struct test_env te;
    struct test_link *link;
    int index;
    uint16_t own_port; /* that its packets come from */
    struct l2v_l2tp_config config;
    struct l2v_l2tp *l2tp;
    struct l2v_l2tp_cc *cc;           /* the last that came up */
    struct l2v_l2tp_session *session; /* the last that came up */
    unsigned cc_ups, cc_downs, session_ups, session_downs, requests, frames, sent, sent_control;
    int refuse; /* what session_request returns */
    bool close_session_in_up, close_cc_in_up, close_cc_in_data, close_cc_in_request, auto_call;
    l2tpvoip_failure failure; /* of cc_down */
    l2tpvoip_failure session_failure;
    uint8_t frame[1600]; /* the last */
    size_t frame_len;
    uint16_t last_port; /* that transmit asked for last */
    bool last_control;
    uint8_t last[1600]; /* the last message sent */
    size_t last_len;
    uint64_t times[64]; /* of the control messages sent, n = sent_control */
};

struct test_link {
    struct test_peer peer[2];
    struct test_packet *packets;
    uint64_t now_ns, order, seed;
    uint64_t delay_ns;
    unsigned loss, dup, reorder; /* per cent */
    bool inside_sa;
    bool cut[2]; /* nothing that this peer sends arrives */
};

extern struct l2v_crypto *test_crypto;

/* Peer 0 is a LAC, peer 1 an LNS; change peer[i].config before test_link_start. */
struct test_link *test_link_new(uint64_t seed);
void test_link_start(struct test_link *l);
void test_link_run(struct test_link *l, uint64_t duration_ns);
void test_link_free(struct test_link *l); /* fails on leaks */
/* Peer 0 connects and calls; both sides are up afterwards. */
void test_link_up(struct test_link *l);
/* A message as if from the network. */
int test_inject(struct test_peer *p, const uint8_t *data, size_t len, uint16_t port,
                bool inside_sa);
int test_inject_msg(struct test_peer *p, const struct l2v_l2tp_msg *m, uint16_t tunnel_id,
                    uint16_t session_id, uint16_t ns, uint16_t nr, uint16_t port, bool inside_sa);
/* The last control message that the peer sent, parsed. */
void test_last_msg(struct test_peer *p, struct l2v_l2tp_header *h, struct l2v_l2tp_msg *m);
int test_send_frame(struct test_peer *p, struct l2v_l2tp_session *s, const char *text);
/* A complete SCCRQ. */
struct l2v_l2tp_msg test_sccrq(uint16_t tunnel_id);

TCase *test_wire_case(void);
TCase *test_avp_case(void);
TCase *test_corpus_case(void);
TCase *test_channel_case(void);
TCase *test_tunnel_case(void);
TCase *test_call_case(void);
TCase *test_auth_case(void);

#endif
