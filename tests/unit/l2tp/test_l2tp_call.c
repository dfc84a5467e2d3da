/* SPDX-License-Identifier: MIT */
/* Sessions: several a tunnel, refusals, ends, strays, the data path. */
#include "test_l2tp.h"

/* rfc2661#5.3, rfc2661#7.4.1, rfc2661#7.4.2 several sessions a tunnel; one ends and the others go
 * on */
START_TEST(several_sessions)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    struct l2v_l2tp_session *s[64];
    b->config.max_sessions = a->config.max_sessions = 5;
    test_link_start(l);
    test_link_up(l);
    s[0] = a->session;
    for (int i = 1; i < 5; i++) {
        ck_assert_int_eq(l2v_l2tp_call(a->cc, &s[i]), 0);
    }
    ck_assert_int_eq(l2v_l2tp_call(a->cc, &s[5]), L2TPVOIP_ERR_LIMIT);
    ck_assert_int_eq(test_send_frame(a, s[4], "early"), L2TPVOIP_ERR_STATE);
    test_link_run(l, SECOND);
    ck_assert_uint_eq(a->session_ups, 5);
    ck_assert_uint_eq(b->session_ups, 5);
    int tag = 0;
    l2v_l2tp_session_set_user(s[2], &tag);
    ck_assert_ptr_eq(l2v_l2tp_session_get_user(s[2]), &tag);
    l2v_l2tp_session_close(s[2], L2V_CDN_CARRIER_LOST);
    ck_assert_uint_eq(a->session_downs, 1);
    ck_assert_int_eq(a->session_failure.code, 0);
    test_link_run(l, SECOND);
    ck_assert_uint_eq(b->session_downs, 1);
    ck_assert_int_eq(b->session_failure.peer_code, 1 << 16);
    ck_assert_int_eq(test_send_frame(a, s[3], "still"), 0);
    test_link_run(l, SECOND);
    ck_assert_uint_eq(b->frames, 1);
    l2v_l2tp_cc_close(b->cc, 0);
    ck_assert_uint_eq(b->session_downs, 5);
    test_link_run(l, SECOND);
    ck_assert_uint_eq(a->session_downs, 5);
    ck_assert_uint_eq(a->cc_downs, 1);
    test_link_free(l);
}
END_TEST

/* The LNS refuses; the LAC learns why and the tunnel stays. */
START_TEST(refused_call)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    struct l2v_l2tp_cc *cc;
    b->refuse = L2V_CDN_NO_FACILITIES_NOW;
    a->auto_call = true;
    test_link_start(l);
    ck_assert_int_eq(l2v_l2tp_connect(a->l2tp, &cc), 0);
    ck_assert_int_eq(l2v_l2tp_call(cc, &a->session), L2TPVOIP_ERR_STATE);
    test_link_run(l, SECOND);
    ck_assert_uint_eq(b->requests, 1);
    ck_assert_uint_eq(b->session_ups + b->session_downs, 0);
    ck_assert_uint_eq(a->session_downs, 1);
    ck_assert_int_eq(a->session_failure.code, L2TPVOIP_ERR_REFUSED);
    ck_assert_int_eq(a->session_failure.peer_code, 4 << 16);
    ck_assert_uint_gt(strlen(a->session_failure.next_step), 5);
    ck_assert_uint_eq(a->cc_downs, 0);
    b->refuse = 0;
    ck_assert_int_eq(l2v_l2tp_call(cc, &a->session), 0);
    test_link_run(l, SECOND);
    ck_assert_uint_eq(a->session_ups, 1);
    test_link_free(l);
}
END_TEST

static void inject_call(struct test_peer *p, const struct l2v_l2tp_msg *m, uint16_t session_id)
{
    ck_assert_int_eq(test_inject_msg(p, m, l2v_l2tp_cc_get_id(p->cc), session_id, p->cc->channel.nr,
                                     p->cc->channel.ns, 1701, false),
                     0);
}

static struct l2v_l2tp_msg icrq(uint16_t session_id)
{
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_ICRQ, .assigned_session_id = session_id};
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_SESSION_ID);
    l2v_l2tp_msg_set(&m, L2V_AVP_CALL_SERIAL_NUMBER);
    return m;
}

/* rfc2661#7.5.1 an outgoing call is refused by CDN, and the tunnel stays; so is a stray ICRP */
START_TEST(other_calls)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    struct l2v_l2tp_header h;
    struct l2v_l2tp_msg reply, m = {.type = L2V_L2TP_OCRQ, .assigned_session_id = 700};
    static const uint16_t avps[] = {L2V_AVP_ASSIGNED_SESSION_ID, L2V_AVP_CALL_SERIAL_NUMBER,
                                    L2V_AVP_MINIMUM_BPS,         L2V_AVP_MAXIMUM_BPS,
                                    L2V_AVP_BEARER_TYPE,         L2V_AVP_FRAMING_TYPE,
                                    L2V_AVP_CALLED_NUMBER};
    for (size_t i = 0; i < sizeof avps / sizeof avps[0]; i++) {
        l2v_l2tp_msg_set(&m, avps[i]);
    }
    test_link_start(l);
    test_link_up(l);
    test_link_run(l, 10 * SECOND);
    l->cut[0] = true;
    inject_call(a, &m, 0);
    test_last_msg(a, &h, &reply);
    ck_assert_uint_eq(reply.type, L2V_L2TP_CDN);
    ck_assert_uint_eq(h.session_id, 700);
    ck_assert_uint_eq(reply.result.result, L2V_CDN_NO_FACILITIES);
    ck_assert_uint_ne(reply.assigned_session_id, 0);
    m = icrq(701); /* a LAC takes no incoming call */
    inject_call(a, &m, 0);
    test_last_msg(a, &h, &reply);
    ck_assert_uint_eq(h.session_id, 701);
    m = (struct l2v_l2tp_msg){.type = L2V_L2TP_ICRP, .assigned_session_id = 702};
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_SESSION_ID);
    inject_call(a, &m, 0);
    test_last_msg(a, &h, &reply);
    ck_assert_uint_eq(h.session_id, 702);
    ck_assert_uint_eq(reply.result.error, L2V_ERROR_SESSION_ID);
    ck_assert_uint_eq(a->cc_downs + a->session_downs + b->session_downs, 0);
    test_link_free(l);
}
END_TEST

/* rfc2661#6.13, rfc2661#6.14 reports about a wire that we do not have disturb nothing */
START_TEST(line_reports)
{
    static const uint8_t zeros[26];
    struct test_link *l = test_link_new(1);
    struct test_peer *b = &l->peer[1];
    test_link_start(l);
    test_link_up(l);
    l->cut[1] = true;
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_WEN, .call_errors = {zeros, 26}};
    l2v_l2tp_msg_set(&m, L2V_AVP_CALL_ERRORS);
    unsigned sent = b->sent;
    inject_call(b, &m, l2v_l2tp_session_get_id(b->session));
    m = (struct l2v_l2tp_msg){.type = L2V_L2TP_SLI, .accm = {zeros, 10}};
    l2v_l2tp_msg_set(&m, L2V_AVP_ACCM);
    inject_call(b, &m, l2v_l2tp_session_get_id(b->session));
    inject_call(b, &m, 0);
    ck_assert_uint_eq(b->sent, sent);
    ck_assert_uint_eq(b->session_downs + b->cc_downs, 0);
    test_link_free(l);
}
END_TEST

/* rfc2661#4.2 in a message of a session an unknown mandatory AVP costs the session only */
START_TEST(bad_call_messages)
{
    for (int established = 0; established < 2; established++) {
        struct test_link *l = test_link_new(1);
        struct test_peer *b = &l->peer[1];
        struct l2v_l2tp_header h;
        struct l2v_l2tp_msg reply;
        uint8_t data[128];
        test_link_start(l);
        test_link_up(l);
        l->cut[1] = true;
        size_t len = established != 0 ? unit_hex("8008000000000010"
                                                 "80100000002300000000000000000000"
                                                 "8008000000630000",
                                                 data + 12, 100)
                                      : unit_hex("800800000000000a"
                                                 "80080000000e0309"
                                                 "800a0000000f00000001"
                                                 "8008000000630000",
                                                 data + 12, 100);
        uint16_t session_id = established != 0 ? l2v_l2tp_session_get_id(b->session) : 0;
        l2v_l2tp_header_put_control(data, l2v_l2tp_cc_get_id(b->cc), session_id, b->cc->channel.nr,
                                    b->cc->channel.ns, len);
        ck_assert_int_eq(test_inject(b, data, len + 12, 1701, false), 0);
        test_last_msg(b, &h, &reply);
        ck_assert_uint_eq(reply.type, L2V_L2TP_CDN);
        ck_assert_uint_eq(reply.result.result, L2V_CDN_GENERAL);
        ck_assert_uint_eq(reply.result.error, L2V_ERROR_UNKNOWN_AVP);
        ck_assert_uint_eq(b->session_downs, established != 0 ? 1 : 0);
        ck_assert_uint_eq(b->cc_downs, 0);
        if (established == 0) {
            ck_assert_uint_eq(h.session_id, 0x309);
        }
        test_link_free(l);
    }
}
END_TEST

/* rfc2661#4.4.4, rfc2661#7.4.2 a peer that never connects the call; a CDN that names only the
 * sender's id.
 */
START_TEST(half_calls)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *b = &l->peer[1];
    struct l2v_l2tp_header h;
    struct l2v_l2tp_msg reply, m = icrq(900);
    test_link_start(l);
    test_link_up(l);
    inject_call(b, &m, 0);
    ck_assert_uint_eq(b->requests, 2);
    m = (struct l2v_l2tp_msg){.type = L2V_L2TP_CDN, .assigned_session_id = 900};
    m.result.result = 1;
    l2v_l2tp_msg_set(&m, L2V_AVP_RESULT_CODE);
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_SESSION_ID);
    inject_call(b, &m, 0);
    ck_assert_uint_eq(b->session_downs, 1);
    ck_assert_int_eq(b->session_failure.code, L2TPVOIP_ERR_REFUSED); /* it never was up */
    m = icrq(901);
    inject_call(b, &m, 0);
    /* the real LAC's channel is out of step now: keep b's tunnel alive by hand */
    l->cut[0] = l->cut[1] = true;
    b->cc->channel.timing =
        &(struct l2v_l2tp_timing){SECOND, 8 * SECOND, 100 * MS, 100, 60 * SECOND, 62 * SECOND};
    test_link_run(l, 63 * SECOND);
    ck_assert_uint_eq(b->session_downs, 2);
    ck_assert_int_eq(b->session_failure.code, L2TPVOIP_ERR_TIMEOUT);
    (void)h;
    (void)reply;
    l2v_l2tp_free(b->l2tp);
    b->l2tp = NULL;
    test_link_free(l);
}
END_TEST

/* A call before the tunnel is established is a state machine error (rfc2661#7.1). */
START_TEST(call_too_early)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *b = &l->peer[1];
    struct l2v_l2tp_header h;
    struct l2v_l2tp_msg reply, m = test_sccrq(5);
    l->cut[1] = true;
    test_link_start(l);
    ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, false), 0);
    test_last_msg(b, &h, &reply);
    uint16_t id = reply.assigned_tunnel_id;
    m = icrq(1);
    ck_assert_int_eq(test_inject_msg(b, &m, id, 0, 1, 1, 1701, false), 0);
    test_last_msg(b, &h, &reply);
    ck_assert_uint_eq(reply.type, L2V_L2TP_STOPCCN);
    ck_assert_uint_eq(reply.result.result, L2V_STOP_FSM);
    ck_assert_uint_eq(b->requests, 0);
    test_link_free(l);
}
END_TEST

/* Data in every form reaches the session whole (rfc2661#3.1). */
START_TEST(data_forms)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0];
    test_link_start(l);
    test_link_up(l);
    for (unsigned mask = 0; mask < 16; mask++) {
        uint8_t data[64];
        struct l2v_writer w;
        bool has_len = (mask & 1u) != 0;
        l2v_writer_init(&w, data, sizeof data);
        l2v_write_u16(&w, 2 | (has_len ? L2V_L2TP_L : 0) | ((mask & 2u) != 0 ? L2V_L2TP_S : 0) |
                              ((mask & 4u) != 0 ? L2V_L2TP_O : 0) |
                              ((mask & 8u) != 0 ? L2V_L2TP_P : 0));
        if (has_len) {
            l2v_write_u16(&w, 0);
        }
        l2v_write_u16(&w, l2v_l2tp_cc_get_id(a->cc));
        l2v_write_u16(&w, l2v_l2tp_session_get_id(a->session));
        if ((mask & 2u) != 0) {
            l2v_write_u32(&w, (uint32_t)mask << 16);
        }
        if ((mask & 4u) != 0) {
            l2v_write_u16(&w, mask);
            l2v_write_zero(&w, mask);
        }
        l2v_write_bytes(&w, "frame", 5);
        if (has_len) {
            l2v_put_u16(data + 2, (unsigned)l2v_writer_len(&w));
            l2v_write_u16(&w, 0xffff); /* behind it */
        }
        ck_assert_int_eq(test_inject(a, data, l2v_writer_len(&w), 1701, false), 0);
        ck_assert_uint_eq(a->frames, mask + 1);
        ck_assert_uint_eq(a->frame_len, 5);
        ck_assert_mem_eq(a->frame, "frame", 5);
        /* rfc2661#5.4 the LAC does as the LNS does */
        ck_assert_uint_eq(l2v_l2tp_session_overhead(a->session), (mask & 2u) != 0 ? 10 : 6);
    }
    test_link_free(l);
}
END_TEST

/* rfc2661#5.4 numbers go on where they left off; losses are counted, nothing is held back */
START_TEST(data_sequence)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0], *b = &l->peer[1];
    a->config.length_bit = true;
    test_link_start(l);
    test_link_up(l);
    static const struct {
        uint16_t ns;
        uint64_t lost;
    } rows[] = {{65534, 0}, {65535, 0}, {2, 2}, {1, 1}, {3, 1}, {10, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t data[16];
        l2v_l2tp_header_put_data(data, L2V_L2TP_S, l2v_l2tp_cc_get_id(a->cc),
                                 l2v_l2tp_session_get_id(a->session), rows[i].ns, 1);
        ck_assert_int_eq(test_inject(a, data, 11, 1701, false), 0);
        ck_assert_uint_eq(a->session->n_lost, rows[i].lost);
        ck_assert_uint_eq(a->frames, i + 1);
    }
    ck_assert_uint_eq(l2v_l2tp_session_overhead(a->session), 12);
    for (uint16_t ns = 0; ns < 3; ns++) {
        ck_assert_int_eq(test_send_frame(a, a->session, "x"), 0);
        ck_assert_uint_eq(a->last_len, 13);
        ck_assert_uint_eq(l2v_get_u16(a->last + 8), ns);
    }
    test_link_run(l, SECOND);
    ck_assert_uint_eq(b->frames, 3);
    /* our LNS sends none unless the LAC demanded them */
    ck_assert_uint_eq(l2v_l2tp_session_overhead(b->session), 6);
    test_link_free(l);
}
END_TEST

/* The data path allocates nothing. */
START_TEST(data_costs)
{
    struct test_link *l = test_link_new(1);
    struct test_peer *a = &l->peer[0];
    test_link_start(l);
    test_link_up(l);
    for (int i = 0; i < 3; i++) {
        struct l2v_pkt *pkt = l2v_pkt_copy(&a->te.env, "x", 1);
        long allocs = a->te.n_allocs;
        ck_assert_int_eq(l2v_l2tp_session_output(a->session, pkt), 0);
        ck_assert_int_eq(a->te.n_allocs, allocs);
        uint8_t data[16];
        l2v_l2tp_header_put_data(data, 0, l2v_l2tp_cc_get_id(a->cc),
                                 l2v_l2tp_session_get_id(a->session), 0, 1);
        pkt = l2v_pkt_copy(&a->te.env, data, 7);
        allocs = a->te.n_allocs;
        ck_assert_int_eq(l2v_l2tp_input(a->l2tp, pkt, 1701, false), 0);
        ck_assert_int_eq(a->te.n_allocs, allocs);
        l2v_pkt_free(pkt);
    }
    test_link_free(l);
}
END_TEST

/* rfc2661#4.4.2 every code has words, and no code a hole */
START_TEST(explanations)
{
    for (uint16_t result = 0; result < 20; result++) {
        for (uint16_t error = 0; error < 12; error++) {
            struct l2v_l2tp_result r = {result, error, {(const uint8_t *)"peer\x01text", 9}};
            l2tpvoip_failure f;
            l2v_l2tp_explain_stopccn(&f, &r);
            ck_assert_int_ne(f.code, 0);
            ck_assert_int_eq(f.peer_code, result << 16 | error);
            ck_assert_ptr_nonnull(strstr(f.message, "(peer?text)"));
            l2v_l2tp_explain_cdn(&f, &r, false);
            ck_assert_int_ne(f.code, 0);
            ck_assert_int_ne(f.code, L2TPVOIP_ERR_PEER_CLOSED);
            ck_assert_int_eq(f.layer, L2TPVOIP_LAYER_L2TP);
        }
    }
}
END_TEST

TCase *test_call_case(void)
{
    TCase *c = tcase_create("call");
    tcase_add_test(c, several_sessions);
    tcase_add_test(c, refused_call);
    tcase_add_test(c, other_calls);
    tcase_add_test(c, line_reports);
    tcase_add_test(c, bad_call_messages);
    tcase_add_test(c, half_calls);
    tcase_add_test(c, call_too_early);
    tcase_add_test(c, data_forms);
    tcase_add_test(c, data_sequence);
    tcase_add_test(c, data_costs);
    tcase_add_test(c, explanations);
    return c;
}
