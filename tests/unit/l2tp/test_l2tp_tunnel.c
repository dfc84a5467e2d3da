/* SPDX-License-Identifier: MIT */
/* Control connections: set-up, HELLO, end, ports, ties, bad messages, shortage of memory. */
#include "test_l2tp.h"

static struct l2v_l2tp_cc *connect_peer(struct test_link *l)
{
    struct l2v_l2tp_cc *cc;
    ck_assert_int_eq(l2v_l2tp_connect(l->peer[0].l2tp, &cc), 0);
    return cc;
}

/* rfc2661#5.1, rfc2661#7.2, rfc2661#7.2.1 and everything after it, with an orderly end */
START_TEST(life)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    test_link_start(l);
    test_link_up(l);
    ck_assert_str_eq(l2v_l2tp_cc_get_peer_name(a->cc), "lns");
    ck_assert_str_eq(l2v_l2tp_cc_get_peer_name(b->cc), "lac");
    ck_assert_uint_ne(l2v_l2tp_cc_get_id(a->cc), 0);
    ck_assert_ptr_eq(l2v_l2tp_session_get_cc(a->session), a->cc);
    ck_assert_int_eq(test_send_frame(a, a->session, "\xff\x03hello"), 0);
    ck_assert_uint_eq(a->last_len, 6 + 7); /* the shortest header */
    ck_assert(!a->last_control);
    ck_assert_int_eq(test_send_frame(b, b->session, "world"), 0);
    test_link_run(l, SECOND);
    ck_assert_uint_eq(b->frame_len, 7);
    ck_assert_mem_eq(b->frame, "\xff\x03hello", 7);
    ck_assert_mem_eq(a->frame, "world", 5);
    l2v_l2tp_cc_close(a->cc, 0);
    ck_assert_uint_eq(a->session_downs, 1);
    ck_assert_uint_eq(a->cc_downs, 1);
    ck_assert_int_eq(a->failure.code, 0);
    ck_assert_uint_eq(l2v_l2tp_count_cc(a->l2tp), 0);
    test_link_run(l, SECOND);
    ck_assert_uint_eq(b->session_downs, 1);
    ck_assert_uint_eq(b->cc_downs, 1);
    ck_assert_int_eq(b->failure.code, L2TPVOIP_ERR_PEER_CLOSED);
    ck_assert_int_eq(b->failure.peer_code, L2V_STOP_SHUTDOWN << 16);
    test_link_run(l, 60 * SECOND);
    ck_assert_uint_eq(l2v_timers_next(&a->te.env.timers), L2V_NEVER);
    ck_assert_uint_eq(l2v_timers_next(&b->te.env.timers), L2V_NEVER);
    ck_assert(l2v_list_is_empty(&a->l2tp->lingering));
    test_link_free(l);
}
END_TEST

/* Set-up, call and end over a link that loses, repeats and reorders: 200 seeds. */
START_TEST(lossy_life)
{
    struct test_link *l = test_link_new((uint64_t)_i + 100);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    l->loss = 30;
    l->dup = 10;
    l->reorder = 30;
    for (int i = 0; i < 2; i++) {
        l->peer[i].config.retransmit_tries = 40;
        l->peer[i].config.secret = (const uint8_t *)"s3cret";
        l->peer[i].config.secret_len = 6;
        l->peer[i].config.hide_avps = _i % 2 != 0;
    }
    a->auto_call = true;
    test_link_start(l);
    (void)connect_peer(l);
    test_link_run(l, 600 * SECOND);
    ck_assert_uint_eq(a->cc_ups, 1);
    ck_assert_uint_eq(b->cc_ups, 1);
    ck_assert_uint_eq(a->session_ups, 1);
    ck_assert_uint_eq(b->session_ups, 1);
    ck_assert_uint_eq(a->cc_downs + b->cc_downs, 0);
    l2v_l2tp_cc_close(_i % 3 == 0 ? b->cc : a->cc, L2V_STOP_CLEAR);
    test_link_run(l, 3600 * SECOND);
    ck_assert_uint_eq(a->cc_downs, 1);
    ck_assert_uint_eq(b->cc_downs, 1);
    ck_assert_uint_eq(a->session_downs, 1);
    ck_assert_uint_eq(b->session_downs, 1);
    test_link_free(l);
}
END_TEST

/* rfc2661#5.8 nobody there: five repeats, 31 s, and a failure that says so */
START_TEST(no_answer)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0];
    l->cut[0] = true;
    test_link_start(l);
    (void)connect_peer(l);
    test_link_run(l, 31 * SECOND);
    ck_assert_uint_eq(a->cc_downs, 0);
    ck_assert_uint_eq(a->sent_control, 6);
    ck_assert_uint_eq(a->times[5] - a->times[0], 23 * SECOND);
    ck_assert_uint_eq(a->last_port, 0); /* the default */
    test_link_run(l, SECOND);
    ck_assert_uint_eq(a->cc_downs, 1);
    ck_assert_int_eq(a->failure.code, L2TPVOIP_ERR_TIMEOUT);
    ck_assert_int_eq(a->failure.layer, L2TPVOIP_LAYER_L2TP);
    ck_assert_ptr_nonnull(strstr(a->failure.message, "SCCRQ"));
    ck_assert_uint_gt(strlen(a->failure.next_step), 10);
    test_link_free(l);
}
END_TEST

/* A peer that acknowledges and never goes on. */
START_TEST(stuck_setup)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0];
    l->cut[0] = true;
    test_link_start(l);
    struct l2v_l2tp_cc *cc = connect_peer(l);
    uint8_t zlb[12];
    l2v_l2tp_header_put_control(zlb, l2v_l2tp_cc_get_id(cc), 0, 0, 1, 0);
    ck_assert_int_eq(test_inject(a, zlb, sizeof zlb, 1701, false), 0);
    test_link_run(l, 61 * SECOND);
    ck_assert_uint_eq(a->cc_downs, 0);
    test_link_run(l, 2 * SECOND);
    ck_assert_uint_eq(a->cc_downs, 1);
    ck_assert_int_eq(a->failure.code, L2TPVOIP_ERR_TIMEOUT);
    test_link_free(l);
}
END_TEST

/* rfc2661#5.5, rfc2661#6.5 HELLO only when idle; data counts as life */
START_TEST(hello_when_idle)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    b->config.hello_interval_ms = 3600000;
    test_link_start(l);
    test_link_up(l);
    unsigned before = a->sent_control;
    for (unsigned i = 0; i < 30; i++) { /* five minutes of data each 10 s */
        ck_assert_int_eq(test_send_frame(b, b->session, "voice"), 0);
        test_link_run(l, 10 * SECOND);
    }
    ck_assert_uint_eq(a->sent_control, before);
    ck_assert_uint_eq(l2v_l2tp_hello_rtt_ns(a->cc), 0);
    test_link_run(l, 49 * SECOND);
    ck_assert_uint_eq(a->sent_control, before);
    test_link_run(l, 2 * SECOND); /* 60 s after the last frame */
    ck_assert_uint_eq(a->sent_control, before + 1);
    ck_assert_uint_eq(b->last_len, 12); /* ZLB */
    ck_assert_uint_eq(l2v_l2tp_hello_rtt_ns(a->cc), 120 * MS);
    test_link_run(l, 600 * SECOND);
    ck_assert_uint_eq(a->sent_control, before + 10);
    ck_assert_uint_eq(a->cc_downs, 0);
    test_link_free(l);
}
END_TEST

/* A dead peer is noticed; one whose data flows is not, though it acknowledges no HELLO. */
START_TEST(hello_unanswered)
{
    for (int data = 0; data < 2; data++) {
        struct test_link *l = test_link_new(1);
        struct test_peer *a = &l->peer[0], *b = &l->peer[1];
        b->config.hello_interval_ms = 36000000;
        test_link_start(l);
        test_link_up(l);
        l->cut[0] = true; /* b hears nothing, so that it acknowledges nothing */
        test_link_run(l, 65 * SECOND);
        for (unsigned i = 0; i < 20; i++) {
            if (data != 0) {
                ck_assert_int_eq(test_send_frame(b, b->session, "voice"), 0);
            }
            test_link_run(l, 5 * SECOND);
        }
        ck_assert_uint_eq(a->cc_downs, data != 0 ? 0 : 1);
        if (data != 0) {
            /* the last word gets out although the HELLO before it is still open */
            unsigned sent = a->sent_control;
            l2v_l2tp_cc_close(a->cc, 0);
            ck_assert_uint_eq(a->sent_control, sent + 1);
        } else {
            ck_assert_int_eq(a->failure.code, L2TPVOIP_ERR_TIMEOUT);
            ck_assert_int_eq(a->session_failure.code, L2TPVOIP_ERR_TIMEOUT);
        }
        test_link_free(l);
    }
}
END_TEST

/* rfc2661#5.7 the receiver of StopCCN acknowledges its repeats for a full cycle */
START_TEST(linger)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    test_link_start(l);
    test_link_up(l);
    uint8_t stop[256];
    l2v_l2tp_cc_close(a->cc, L2V_STOP_CLEAR);
    size_t len = a->last_len;
    memcpy(stop, a->last, len);
    l->cut[1] = true; /* its acknowledgement is lost */
    test_link_run(l, 500 * MS);
    ck_assert_uint_eq(b->cc_downs, 1);
    unsigned acks = b->sent;
    test_link_run(l, 29 * SECOND); /* repeats after 1, 3, 7, 15, 23 s */
    ck_assert_uint_eq(b->sent, acks + 5);
    ck_assert_uint_eq(b->last_len, 12);
    ck_assert_int_eq(test_inject(b, stop, len, 1701, false), 0);
    ck_assert_uint_eq(b->sent, acks + 6);
    test_link_run(l, 3 * SECOND);
    ck_assert_int_eq(test_inject(b, stop, len, 1701, false), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_uint_eq(b->sent, acks + 6);
    ck_assert_uint_eq(b->cc_downs, 1);
    test_link_run(l, 10 * SECOND);
    ck_assert_uint_eq(l2v_timers_next(&a->te.env.timers), L2V_NEVER);
    test_link_free(l);
}
END_TEST

/* rfc2661#8.1 the first reply fixes the port; another is followed inside the SA only */
START_TEST(ports)
{
    for (int inside = 0; inside < 2; inside++) {
        struct test_link *l = test_link_new(1);
        struct test_peer *a = &l->peer[0], *b = &l->peer[1];
        l->inside_sa = inside != 0;
        b->own_port = 40001; /* answers from a port of its own */
        a->own_port = 40002;
        test_link_start(l);
        test_link_up(l);
        ck_assert_uint_eq(a->cc->peer_port, 40001);
        ck_assert_uint_eq(b->cc->peer_port, 40002);
        a->own_port = 50000; /* a NAT forgot it */
        ck_assert_int_eq(test_send_frame(a, a->session, "x"), 0);
        test_link_run(l, SECOND);
        ck_assert_uint_eq(b->frames, inside != 0 ? 1 : 0);
        ck_assert_uint_eq(b->cc->peer_port, inside != 0 ? 50000 : 40002);
        struct l2v_l2tp_msg m = {.type = L2V_L2TP_STOPCCN};
        m.result.result = 1;
        m.assigned_tunnel_id = l2v_l2tp_cc_get_id(a->cc);
        l2v_l2tp_msg_set(&m, L2V_AVP_RESULT_CODE);
        l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_TUNNEL_ID);
        int rc = test_inject_msg(b, &m, l2v_l2tp_cc_get_id(b->cc), 0, b->cc->channel.nr,
                                 b->cc->channel.ns, 666, inside != 0);
        ck_assert_int_eq(rc, inside != 0 ? 0 : L2TPVOIP_ERR_NOT_FOUND);
        ck_assert_uint_eq(b->cc_downs, inside != 0 ? 1 : 0);
        test_link_free(l);
    }
}
END_TEST

/* A tunnel id from another association means nothing here. */
START_TEST(foreign_ids)
{
    struct test_link *l = test_link_new(1), *other = test_link_new(77);
    test_link_start(l);
    test_link_start(other);
    test_link_up(l);
    test_link_up(other);
    struct test_peer *b = &l->peer[1];
    uint16_t id = l2v_l2tp_cc_get_id(other->peer[1].cc);
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_HELLO};
    ck_assert_int_eq(test_inject_msg(b, &m, id, 0, 4, 4, 1701, true), L2TPVOIP_ERR_NOT_FOUND);
    uint8_t data[16];
    l2v_l2tp_header_put_data(data, 0, id, l2v_l2tp_session_get_id(other->peer[1].session), 0, 4);
    ck_assert_int_eq(test_inject(b, data, 10, 1701, true), L2TPVOIP_ERR_NOT_FOUND);
    /* the right tunnel and a session that it does not have */
    l2v_l2tp_header_put_data(data, 0, l2v_l2tp_cc_get_id(b->cc),
                             (uint16_t)(l2v_l2tp_session_get_id(b->session) ^ 1), 0, 4);
    ck_assert_int_eq(test_inject(b, data, 10, 1701, true), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_uint_eq(b->frames, 0);
    test_link_free(other);
    test_link_free(l);
}
END_TEST

/* rfc2661#4.4.3 the lower tie breaker wins; equal ones both lose; without one it loses */
START_TEST(tie_breaker)
{
    for (int order = -1; order <= 2; order++) {
        struct test_link *l = test_link_new(1);
        struct test_peer *a = &l->peer[0];
        l->cut[0] = true;
        test_link_start(l);
        struct l2v_l2tp_cc *cc = connect_peer(l);
        uint8_t tie[8];
        memset(cc->tie_breaker, 0x55, 8);
        memset(tie, order < 0 ? 0x54 : order == 0 ? 0x55 : 0x56, 8);
        struct l2v_l2tp_msg m = test_sccrq(77), reply;
        if (order < 2) {
            m.tie_breaker = (struct l2v_blob){tie, 8};
            l2v_l2tp_msg_set(&m, L2V_AVP_TIE_BREAKER);
        }
        unsigned sent = a->sent;
        ck_assert_int_eq(test_inject_msg(a, &m, 0, 0, 0, 0, 1701, true), 0);
        if (order < 0) { /* theirs wins: our object answers as responder, with Ns 0 */
            struct l2v_l2tp_header h;
            test_last_msg(a, &h, &reply);
            ck_assert_uint_eq(reply.type, L2V_L2TP_SCCRP);
            ck_assert_uint_eq(h.ns, 0);
            ck_assert_uint_eq(h.nr, 1);
            ck_assert_uint_eq(h.tunnel_id, 77);
            ck_assert_uint_eq(reply.assigned_tunnel_id, l2v_l2tp_cc_get_id(cc));
            struct l2v_l2tp_msg done = {.type = L2V_L2TP_SCCCN};
            ck_assert_int_eq(test_inject_msg(a, &done, l2v_l2tp_cc_get_id(cc), 0, 1, 1, 1701, true),
                             0);
            ck_assert_uint_eq(a->cc_ups, 1);
            ck_assert_ptr_eq(a->cc, cc);
        } else {
            ck_assert_uint_eq(a->sent, sent); /* silently */
            ck_assert_uint_eq(a->cc_downs, order == 0 ? 1 : 0);
        }
        test_link_free(l);
    }
}
END_TEST

/* Two endpoints that connect to each other at once end with one tunnel. */
START_TEST(simultaneous_open)
{
    struct test_link *l = test_link_new((uint64_t)_i + 1);
    struct l2v_l2tp_cc *cc;
    l->loss = _i % 4 == 0 ? 0 : 20;
    l->peer[0].config.retransmit_tries = l->peer[1].config.retransmit_tries = 30;
    test_link_start(l);
    (void)connect_peer(l);
    ck_assert_int_eq(l2v_l2tp_connect(l->peer[1].l2tp, &cc), 0);
    test_link_run(l, 300 * SECOND);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(l->peer[i].cc_ups, 1);
        ck_assert_uint_eq(l2v_l2tp_count_cc(l->peer[i].l2tp), 1);
    }
    test_link_free(l);
}
END_TEST

/* The peer's repeats of one SCCRQ make one tunnel. */
START_TEST(repeated_request)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *b = &l->peer[1];
    l->cut[1] = true;
    test_link_start(l);
    struct l2v_l2tp_msg m = test_sccrq(1);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, false), 0);
    }
    ck_assert_uint_eq(l2v_l2tp_count_cc(b->l2tp), 1);
    ck_assert_uint_eq(b->sent, 5); /* SCCRP, then a ZLB for each repeat */
    ck_assert_uint_eq(b->last_len, 12);
    /* the same octets from another port are another tunnel */
    ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1702, false), 0);
    ck_assert_uint_eq(l2v_l2tp_count_cc(b->l2tp), 2);
    test_link_run(l, 40 * SECOND);
    ck_assert_uint_eq(l2v_l2tp_count_cc(b->l2tp), 0);
    test_link_free(l);
}
END_TEST

/* A client that opens each tunnel with the same octets gets a new one when it comes back. */
START_TEST(same_request_again)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *b = &l->peer[1];
    l->cut[1] = true;
    test_link_start(l);
    struct l2v_l2tp_msg m = test_sccrq(1), done = {.type = L2V_L2TP_SCCCN};
    ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), 0);
    struct l2v_l2tp_header h;
    struct l2v_l2tp_msg reply;
    test_last_msg(b, &h, &reply);
    ck_assert_int_eq(test_inject_msg(b, &done, reply.assigned_tunnel_id, 0, 1, 1, 1701, true), 0);
    ck_assert_uint_eq(b->cc_ups, 1);
    test_link_run(l, 32 * SECOND);
    ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), 0);
    ck_assert_uint_eq(l2v_l2tp_count_cc(b->l2tp), 2);
    test_link_free(l);
}
END_TEST

/* Who may open: not with a LAC, not beyond the limit, not in another version. */
START_TEST(refusals)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    struct l2v_l2tp_header h;
    struct l2v_l2tp_msg reply;
    b->config.max_cc = 2;
    l->cut[0] = l->cut[1] = true;
    test_link_start(l);
    struct l2v_l2tp_msg m = test_sccrq(9);
    ck_assert_int_eq(test_inject_msg(a, &m, 0, 0, 0, 0, 1701, true), L2TPVOIP_ERR_REFUSED);
    ck_assert_uint_eq(a->sent, 0);
    for (uint16_t i = 1; i <= 2; i++) {
        m = test_sccrq(i);
        ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), 0);
    }
    m = test_sccrq(3);
    ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), L2TPVOIP_ERR_REFUSED);
    test_last_msg(b, &h, &reply);
    ck_assert_uint_eq(reply.type, L2V_L2TP_STOPCCN);
    ck_assert_uint_eq(reply.result.error, L2V_ERROR_RESOURCES);
    ck_assert_uint_eq(h.tunnel_id, 3);
    m.protocol_version = 0x0200;
    m.assigned_tunnel_id = 4;
    ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), L2TPVOIP_ERR_REFUSED);
    test_last_msg(b, &h, &reply);
    ck_assert_uint_eq(reply.result.result, L2V_STOP_VERSION);
    ck_assert_uint_eq(reply.result.error, 0x0100); /* highest version supported */
    /* malformed: required AVP missing */
    uint8_t data[64];
    size_t len = unit_hex("c802001c0000000000000000"
                          "8008000000000001"
                          "8008000000090005",
                          data, sizeof data);
    ck_assert_int_eq(test_inject(b, data, len, 1701, true), L2TPVOIP_ERR_MALFORMED);
    test_last_msg(b, &h, &reply);
    ck_assert_uint_eq(reply.type, L2V_L2TP_STOPCCN);
    ck_assert_uint_eq(h.tunnel_id, 5);
    ck_assert_uint_eq(l2v_l2tp_count_cc(b->l2tp), 2);
    test_link_free(l);
}
END_TEST

/* rfc2661#4.1, rfc2661#7.1 what costs the tunnel and what does not */
START_TEST(bad_messages)
{
    static const struct {
        const char *body;
        unsigned result, error; /* 0 = it survives */
    } rows[] = {
        {"8008000000000006"
         "0008000000630000",
         0, 0},
        {"8008000000000006"
         "8008000000630000",
         2, 8}, /* unknown AVP, M set */
        {"8008000000000006"
         "800600",
         2, 2},                     /* HELLO with a tail */
        {"8008000000000063", 2, 3}, /* unknown message, M set */
        {"0008000000000063", 0, 0}, /* unknown message, M clear */
        {"8008000000000003", 7, 0}, /* SCCCN when established */
        {"8008000000000010"
         "80100000002300000000000000000000",
         0, 0}, /* SLI for no call */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct test_link *l = test_link_new(1);
        struct test_peer *b = &l->peer[1];
        struct l2v_l2tp_header h;
        struct l2v_l2tp_msg reply;
        uint8_t data[128];
        test_link_start(l);
        test_link_up(l);
        l->cut[1] = true;
        size_t len = unit_hex(rows[i].body, data + 12, sizeof data - 12);
        l2v_l2tp_header_put_control(data, l2v_l2tp_cc_get_id(b->cc), 0, b->cc->channel.nr,
                                    b->cc->channel.ns, len);
        ck_assert_int_eq(test_inject(b, data, len + 12, 1701, false), 0);
        ck_assert_uint_eq(b->cc_downs, rows[i].result != 0 ? 1 : 0);
        ck_assert_uint_eq(b->session_downs, rows[i].result != 0 ? 1 : 0);
        if (rows[i].result != 0) {
            test_last_msg(b, &h, &reply);
            ck_assert_uint_eq(reply.type, L2V_L2TP_STOPCCN);
            ck_assert_uint_eq(reply.result.result, rows[i].result);
            ck_assert_uint_eq(reply.result.error, rows[i].error);
            ck_assert_int_ne(b->failure.code, 0);
        }
        test_link_free(l);
    }
}
END_TEST

/* rfc2661#4.4.3 outside an SA a StopCCN must name the tunnel; some peers send it to tunnel 0 */
START_TEST(stopccn_ids)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    test_link_start(l);
    test_link_up(l);
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_STOPCCN};
    m.result = (struct l2v_l2tp_result){2, 7, {(const uint8_t *)"go\n", 3}};
    m.assigned_tunnel_id = (uint16_t)(l2v_l2tp_cc_get_id(a->cc) ^ 1);
    l2v_l2tp_msg_set(&m, L2V_AVP_RESULT_CODE);
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_TUNNEL_ID);
    uint16_t id = l2v_l2tp_cc_get_id(b->cc);
    ck_assert_int_eq(
        test_inject_msg(b, &m, id, 0, b->cc->channel.nr, b->cc->channel.ns, 1701, false), 0);
    ck_assert_uint_eq(b->cc_downs, 0);
    m.assigned_tunnel_id = l2v_l2tp_cc_get_id(a->cc);
    ck_assert_int_eq(
        test_inject_msg(b, &m, 0, 0, b->cc->channel.nr, b->cc->channel.ns, 1701, false), 0);
    ck_assert_uint_eq(b->cc_downs, 1);
    ck_assert_int_eq(b->failure.peer_code, 2 << 16 | 7);
    ck_assert_int_eq(b->failure.code, L2TPVOIP_ERR_REFUSED);
    ck_assert_ptr_nonnull(strstr(b->failure.message, "(go?)"));
    test_link_free(l);
}
END_TEST

/* Closing in any callback is legal. */
START_TEST(close_in_callbacks)
{
    for (int what = 0; what < 4; what++) {
        for (int side = 0; side < 2; side++) {
            struct test_link *l = test_link_new(1);
            struct test_peer *p = &l->peer[side];
            l->peer[0].auto_call = true;
            p->close_cc_in_up = what == 0;
            p->close_session_in_up = what == 1;
            p->close_cc_in_data = what == 2;
            p->close_cc_in_request = what == 3;
            test_link_start(l);
            (void)connect_peer(l);
            test_link_run(l, SECOND);
            if (what == 2) {
                struct test_peer *from = &l->peer[1 - side];
                ck_assert_int_eq(test_send_frame(from, from->session, "x"), 0);
                test_link_run(l, SECOND);
            }
            bool cc_closed = what == 0 || what == 2 || (what == 3 && side == 1);
            ck_assert_uint_eq(l->peer[0].cc_downs, cc_closed ? 1 : 0);
            ck_assert_uint_eq(l->peer[1].cc_downs, cc_closed ? 1 : 0);
            if (what == 1) {
                ck_assert_uint_eq(l->peer[0].session_downs, 1);
                ck_assert_uint_eq(l->peer[1].session_downs, 1);
            }
            test_link_run(l, 100 * SECOND);
            test_link_free(l);
        }
    }
}
END_TEST

/* Ids: never 0, with the shard on top, until none is free. */
START_TEST(assigned_ids)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0];
    a->config.shard = 0xa5;
    a->config.shard_bits = 8;
    a->config.max_cc = 1000;
    l->cut[0] = true;
    test_link_start(l);
    for (unsigned i = 0; i < 256; i++) {
        struct l2v_l2tp_cc *cc = connect_peer(l);
        ck_assert_uint_eq(l2v_l2tp_cc_get_id(cc) >> 8, 0xa5);
    }
    struct l2v_l2tp_cc *cc;
    ck_assert_int_eq(l2v_l2tp_connect(a->l2tp, &cc), L2TPVOIP_ERR_LIMIT);
    test_link_free(l);
}
END_TEST

/* Every allocation in turn fails: no crash, no leak, and no state that stays half. */
START_TEST(out_of_memory)
{
    unsigned up = 0;
    for (long n = 1; n < 60; n++) {
        for (int side = 0; side < 2; side++) {
            struct test_link *l = test_link_new(3);
            struct l2v_l2tp_cc *cc;
            l->peer[0].auto_call = true;
            test_link_start(l);
            struct test_peer *p = &l->peer[side];
            p->te.fail_at = p->te.n_allocs + n;
            if (l2v_l2tp_connect(l->peer[0].l2tp, &cc) == 0) {
                test_link_run(l, 40 * SECOND);
            }
            up += l->peer[0].session_ups;
            test_link_free(l);
        }
    }
    ck_assert_uint_gt(up, 60);
}
END_TEST

/* No entropy: an error, no predictable ids. */
START_TEST(no_random)
{
    struct test_link *l = test_link_new(3);
    struct l2v_l2tp_cc *cc;
    test_link_start(l);
    l->peer[0].te.random_fails = 1;
    l->peer[0].te.env.rnd_left = 0;
    ck_assert_int_ne(l2v_l2tp_connect(l->peer[0].l2tp, &cc), 0);
    ck_assert_uint_eq(l2v_l2tp_count_cc(l->peer[0].l2tp), 0);
    test_link_free(l);
}
END_TEST

TCase *test_tunnel_case(void)
{
    TCase *c = tcase_create("tunnel");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, life);
    tcase_add_loop_test(c, lossy_life, 0, 200);
    tcase_add_test(c, no_answer);
    tcase_add_test(c, stuck_setup);
    tcase_add_test(c, hello_when_idle);
    tcase_add_test(c, hello_unanswered);
    tcase_add_test(c, linger);
    tcase_add_test(c, ports);
    tcase_add_test(c, foreign_ids);
    tcase_add_test(c, tie_breaker);
    tcase_add_loop_test(c, simultaneous_open, 0, 40);
    tcase_add_test(c, repeated_request);
    tcase_add_test(c, same_request_again);
    tcase_add_test(c, refusals);
    tcase_add_test(c, bad_messages);
    tcase_add_test(c, stopccn_ids);
    tcase_add_test(c, close_in_callbacks);
    tcase_add_test(c, assigned_ids);
    tcase_add_test(c, out_of_memory);
    tcase_add_test(c, no_random);
    return c;
}
