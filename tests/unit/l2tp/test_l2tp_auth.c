/* SPDX-License-Identifier: MIT */
/* Tunnel authentication (rfc2661#5.1.1): it works, and nothing gets around it. */
#include "test_l2tp.h"

static void set_secret(struct test_peer *p, const char *secret)
{
    p->config.secret = (const uint8_t *)secret;
    p->config.secret_len = secret != NULL ? strlen(secret) : 0;
}

START_TEST(known_answers)
{
    struct unit_json *json = unit_json_vectors("kat/l2tp_tunnel_auth.json");
    if (json == NULL) {
        return;
    }
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        const char *secret = unit_json_str(t, "secret");
        uint8_t challenge[64], want[16], got[16];
        struct l2v_blob blob = {challenge, unit_json_hex(t, "challenge", challenge, 64)};
        struct l2v_l2tp fake = {.crypto = test_crypto};
        fake.secret = (struct l2v_avp_secret){test_crypto, (const uint8_t *)secret, strlen(secret)};
        ck_assert_uint_eq(unit_json_hex(t, "response", want, 16), 16);
        ck_assert_int_eq(
            l2v_l2tp_auth_response(&fake, (unsigned)unit_json_int(t, "chap_id", 0), &blob, got), 0);
        ck_assert_mem_eq(got, want, 16);
        n++;
    }
    ck_assert_uint_ge(n, 5);
    unit_json_free(json);
}
END_TEST

/* Both secrets, one, another, with and without hiding: up exactly when they agree. */
START_TEST(combinations)
{
    static const struct {
        const char *lac, *lns;
        bool up;
    } rows[] = {{"s3cret", "s3cret", true}, {"s3cret", "other", false}, {"s3cret", NULL, false},
                {NULL, "s3cret", false},    {NULL, NULL, true},         {"s3cre", "s3cret", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int hide = 0; hide < 2; hide++) {
            struct test_link *l = test_link_new(i + 1);
            struct test_peer *a = &l->peer[0], *b = &l->peer[1];
            struct l2v_l2tp_cc *cc;
            set_secret(a, rows[i].lac);
            set_secret(b, rows[i].lns);
            a->config.hide_avps = b->config.hide_avps = hide != 0;
            a->auto_call = true;
            test_link_start(l);
            ck_assert_int_eq(l2v_l2tp_connect(a->l2tp, &cc), 0);
            test_link_run(l, 40 * SECOND);
            ck_assert_uint_eq(a->session_ups, rows[i].up);
            ck_assert_uint_eq(b->session_ups, rows[i].up);
            if (!rows[i].up) {
                ck_assert_uint_eq(b->cc_ups, 0); /* the server never lets an unproved peer in */
                ck_assert_uint_eq(a->cc_downs, 1);
                ck_assert_int_ne(a->failure.code, 0);
                if (hide == 0) {
                    ck_assert_int_eq(a->failure.code, L2TPVOIP_ERR_AUTH_L2TP);
                    ck_assert_ptr_nonnull(strstr(a->failure.next_step, "secret"));
                }
            }
            test_link_free(l);
        }
    }
}
END_TEST

/* rfc2661#5.1.1 against our LAC: an SCCRP that does not prove the secret ends the tunnel */
START_TEST(false_lns)
{
    for (int kind = 0; kind < 4; kind++) {
        struct test_link *l = test_link_new(9);
        struct test_peer *a = &l->peer[0];
        struct l2v_l2tp_cc *cc;
        struct l2v_l2tp_header h;
        struct l2v_l2tp_msg request, m = test_sccrq(33);
        uint8_t response[16] = {0}, challenge[16];
        set_secret(a, "s3cret");
        l->cut[0] = true;
        test_link_start(l);
        ck_assert_int_eq(l2v_l2tp_connect(a->l2tp, &cc), 0);
        test_last_msg(a, &h, &request);
        ck_assert(l2v_l2tp_msg_has(&request, L2V_AVP_CHALLENGE));
        memcpy(challenge, request.challenge.data, 16);
        struct l2v_blob blob = {challenge, 16};
        m.type = L2V_L2TP_SCCRP;
        m.challenge_response = (struct l2v_blob){response, 16};
        if (kind > 0) {
            l2v_l2tp_msg_set(&m, L2V_AVP_CHALLENGE_RESPONSE);
        }
        if (kind == 2) { /* replayed: the answer to another challenge */
            challenge[0] ^= 1;
            ck_assert_int_eq(l2v_l2tp_auth_response(a->l2tp, L2V_L2TP_SCCRP, &blob, response), 0);
        } else if (kind == 3) { /* the right secret, the id of another message */
            ck_assert_int_eq(l2v_l2tp_auth_response(a->l2tp, L2V_L2TP_SCCCN, &blob, response), 0);
        }
        ck_assert_int_eq(test_inject_msg(a, &m, l2v_l2tp_cc_get_id(cc), 0, 0, 1, 1701, true), 0);
        ck_assert_uint_eq(a->cc_ups, 0);
        ck_assert_uint_eq(a->cc_downs, 1);
        ck_assert_int_eq(a->failure.code, L2TPVOIP_ERR_AUTH_L2TP);
        struct l2v_l2tp_msg reply;
        test_last_msg(a, &h, &reply);
        ck_assert_uint_eq(reply.type, L2V_L2TP_STOPCCN);
        ck_assert_uint_eq(reply.result.result, L2V_STOP_NOT_AUTHORIZED);
        ck_assert_uint_eq(h.tunnel_id, 33);
        test_link_free(l);
    }
}
END_TEST

/* The same against our LNS, with SCCCN; and a repeat after the refusal changes nothing. */
START_TEST(false_lac)
{
    for (int kind = 0; kind < 5; kind++) {
        struct test_link *l = test_link_new(9);
        struct test_peer *b = &l->peer[1];
        struct l2v_l2tp_header h;
        struct l2v_l2tp_msg reply, m = test_sccrq(33), done = {.type = L2V_L2TP_SCCCN};
        uint8_t response[16] = {0}, challenge[16];
        set_secret(b, "s3cret");
        l->cut[1] = true;
        test_link_start(l);
        ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), 0);
        test_last_msg(b, &h, &reply);
        ck_assert_uint_eq(reply.type, L2V_L2TP_SCCRP);
        ck_assert(l2v_l2tp_msg_has(&reply, L2V_AVP_CHALLENGE));
        ck_assert(!l2v_l2tp_msg_has(&reply, L2V_AVP_CHALLENGE_RESPONSE));
        uint16_t id = reply.assigned_tunnel_id;
        memcpy(challenge, reply.challenge.data, 16);
        struct l2v_blob blob = {challenge, 16};
        done.challenge_response = (struct l2v_blob){response, 16};
        if (kind > 0) {
            l2v_l2tp_msg_set(&done, L2V_AVP_CHALLENGE_RESPONSE);
        }
        if (kind == 2) {
            challenge[15] ^= 0x80;
            ck_assert_int_eq(l2v_l2tp_auth_response(b->l2tp, L2V_L2TP_SCCCN, &blob, response), 0);
        } else if (kind == 3) {
            ck_assert_int_eq(l2v_l2tp_auth_response(b->l2tp, L2V_L2TP_SCCRP, &blob, response), 0);
        } else if (kind == 4) {
            ck_assert_int_eq(l2v_l2tp_auth_response(b->l2tp, L2V_L2TP_SCCCN, &blob, response), 0);
        }
        ck_assert_int_eq(test_inject_msg(b, &done, id, 0, 1, 1, 1701, true), 0);
        ck_assert_uint_eq(b->cc_ups, kind == 4);
        ck_assert_uint_eq(b->cc_downs, kind != 4);
        /* no second try on the same tunnel */
        ck_assert_int_eq(l2v_l2tp_auth_response(b->l2tp, L2V_L2TP_SCCCN, &blob, response), 0);
        (void)test_inject_msg(b, &done, id, 0, 2, 1, 1701, true);
        ck_assert_uint_eq(b->cc_ups, kind == 4);
        /* and no call by the back door */
        struct l2v_l2tp_msg call = {.type = L2V_L2TP_ICRQ, .assigned_session_id = 1};
        l2v_l2tp_msg_set(&call, L2V_AVP_ASSIGNED_SESSION_ID);
        l2v_l2tp_msg_set(&call, L2V_AVP_CALL_SERIAL_NUMBER);
        (void)test_inject_msg(b, &call, id, 0, 3, 1, 1701, true);
        ck_assert_uint_eq(b->requests, 0);
        test_link_free(l);
    }
}
END_TEST

/* Reflection: our own challenge, sent back in an SCCRQ or SCCRP, gets no answer computed. */
START_TEST(reflection)
{
    struct test_link *l = test_link_new(9);
    struct test_peer *b = &l->peer[1]; /* it may play both roles */
    struct l2v_l2tp_cc *cc;
    struct l2v_l2tp_header h;
    struct l2v_l2tp_msg request, reply, m = test_sccrq(33);
    uint8_t challenge[16];
    set_secret(b, "s3cret");
    l->cut[1] = true;
    test_link_start(l);
    /* a tunnel of the attacker gets a challenge of ours … */
    ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), 0);
    test_last_msg(b, &h, &request);
    memcpy(challenge, request.challenge.data, 16);
    /* … and asks us for the answer in a second one */
    m = test_sccrq(34);
    m.challenge = (struct l2v_blob){challenge, 16};
    l2v_l2tp_msg_set(&m, L2V_AVP_CHALLENGE);
    ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), L2TPVOIP_ERR_REFUSED);
    test_last_msg(b, &h, &reply);
    ck_assert_uint_eq(reply.type, L2V_L2TP_STOPCCN);
    ck_assert_uint_eq(reply.result.result, L2V_STOP_NOT_AUTHORIZED);
    /* as the originator: the peer answers rightly and challenges us with our own challenge */
    ck_assert_int_eq(l2v_l2tp_connect(b->l2tp, &cc), 0);
    test_last_msg(b, &h, &request);
    uint8_t response[16];
    memcpy(challenge, request.challenge.data, 16);
    struct l2v_blob blob = {challenge, 16};
    ck_assert_int_eq(l2v_l2tp_auth_response(b->l2tp, L2V_L2TP_SCCRP, &blob, response), 0);
    m = test_sccrq(35);
    m.type = L2V_L2TP_SCCRP;
    m.challenge = blob;
    m.challenge_response = (struct l2v_blob){response, 16};
    l2v_l2tp_msg_set(&m, L2V_AVP_CHALLENGE);
    l2v_l2tp_msg_set(&m, L2V_AVP_CHALLENGE_RESPONSE);
    ck_assert_int_eq(test_inject_msg(b, &m, l2v_l2tp_cc_get_id(cc), 0, 0, 1, 1701, true), 0);
    ck_assert_uint_eq(b->cc_ups, 0);
    ck_assert_uint_eq(b->cc_downs, 1);
    test_link_free(l);
}
END_TEST

/* Challenges do not repeat. */
START_TEST(fresh_challenges)
{
    struct test_link *l = test_link_new(9);
    struct test_peer *b = &l->peer[1];
    uint8_t seen[50][16];
    b->config.max_cc = 50;
    set_secret(b, "s");
    l->cut[1] = true;
    test_link_start(l);
    for (uint16_t i = 0; i < 50; i++) {
        struct l2v_l2tp_header h;
        struct l2v_l2tp_msg reply, m = test_sccrq((uint16_t)(i + 1));
        ck_assert_int_eq(test_inject_msg(b, &m, 0, 0, 0, 0, 1701, true), 0);
        test_last_msg(b, &h, &reply);
        memcpy(seen[i], reply.challenge.data, 16);
        for (uint16_t j = 0; j < i; j++) {
            ck_assert_mem_ne(seen[i], seen[j], 16);
        }
    }
    test_link_free(l);
}
END_TEST

TCase *test_auth_case(void)
{
    TCase *c = tcase_create("auth");
    tcase_add_test(c, known_answers);
    tcase_add_test(c, combinations);
    tcase_add_test(c, false_lns);
    tcase_add_test(c, false_lac);
    tcase_add_test(c, reflection);
    tcase_add_test(c, fresh_challenges);
    return c;
}
