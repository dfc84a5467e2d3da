/* SPDX-License-Identifier: MIT */
/* What attackers and broken implementations send. */
#include "eap_test.h"

#define MD5 L2V_EAP_METHOD_MD5
#define MSCHAPV2 L2V_EAP_METHOD_MSCHAPV2

/* A request of a server: identity (id 1), MS-CHAPv2 challenge (id 2), MD5 challenge (id 2). */
#define IDENTITY_REQUEST "0101000501"
#define MSCHAPV2_CHALLENGE "0102001d1a0102001810000102030405060708090a0b0c0d0e0f6c6e73"
#define MD5_CHALLENGE "0102001604100102030405060708090a0b0c0d0e0f10"

/* rfc3748#4.2; strongSwan CVE-2021-45079: success before the method has ended */
START_TEST(early_success)
{
    static const struct {
        const char *before[3];
        const char *success;
    } rows[] = {
        {{NULL, NULL, NULL}, "03000004"},
        {{NULL, NULL, NULL}, "03770004"},
        {{IDENTITY_REQUEST, NULL, NULL}, "03010004"},
        {{IDENTITY_REQUEST, NULL, NULL}, "03020004"},
        {{IDENTITY_REQUEST, MSCHAPV2_CHALLENGE, NULL}, "03020004"},
        {{IDENTITY_REQUEST, MSCHAPV2_CHALLENGE, NULL}, "03030004"},
        {{MSCHAPV2_CHALLENGE, NULL, NULL}, "03020004"},
    };
    struct eap_side peer;
    uint8_t msk[64];
    eap_make(&peer, false, MSCHAPV2 | MD5, "alice", "secret");
    for (unsigned i = 0; rows[_i].before[i] != NULL; i++) {
        eap_give_hex(&peer, rows[_i].before[i]);
        ck_assert_int_eq(peer.r, 0);
        ck_assert_uint_gt(peer.len, 0);
        ck_assert_int_eq(peer.state, L2V_EAP_CONTINUE);
    }
    eap_give_hex(&peer, rows[_i].success);
    ck_assert_int_eq(peer.r, 0);
    ck_assert_int_eq(peer.state, L2V_EAP_FAILURE);
    ck_assert_int_eq(l2v_eap_get_failure(peer.eap)->code, L2TPVOIP_ERR_AUTH_PEER);
    ck_assert_int_eq(l2v_eap_get_msk(peer.eap, msk), L2TPVOIP_ERR_NOT_FOUND);
    eap_clear(&peer);
}
END_TEST

/* The right success for MD5; of another identifier it is dropped. rfc3748#4.2 */
START_TEST(success_of_another_response)
{
    struct eap_side peer;
    eap_make(&peer, false, MD5, "alice", "secret");
    eap_give_hex(&peer, IDENTITY_REQUEST);
    eap_give_hex(&peer, MD5_CHALLENGE);
    ck_assert_int_eq(peer.r, 0);
    eap_give_hex(&peer, "03090004");
    ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
    eap_give_hex(&peer, "04090004");
    ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(peer.state, L2V_EAP_CONTINUE);
    eap_give_hex(&peer, "03020004");
    ck_assert_int_eq(peer.state, L2V_EAP_SUCCESS);
    /* It has ended: nothing changes it. */
    eap_give_hex(&peer, "04020004");
    ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(peer.state, L2V_EAP_SUCCESS);
    eap_clear(&peer);
}
END_TEST

/* A server that does not know the password: rfc2759#5, draft-kamath#2.3 */
START_TEST(forged_proof)
{
    struct eap_side peer;
    uint8_t in[64];
    uint8_t msk[64];
    for (unsigned len = 0; len <= 42; len++) {
        struct l2v_writer w;
        eap_make(&peer, false, MSCHAPV2, "alice", "secret");
        eap_give_hex(&peer, MSCHAPV2_CHALLENGE);
        ck_assert_int_eq(peer.state, L2V_EAP_CONTINUE);
        l2v_writer_init(&w, in, sizeof(in));
        l2v_write_u32(&w, 0x01030000u + 9 + len);
        l2v_write_u32(&w, 0x1a030200u);
        l2v_write_u8(&w, 4 + len);
        l2v_write_bytes(&w, "S=0000000000000000000000000000000000000000", len);
        eap_give(&peer, in, l2v_writer_len(&w));
        ck_assert_int_eq(peer.r, 0);
        ck_assert_uint_eq(peer.len, 0);
        ck_assert_int_eq(peer.state, L2V_EAP_FAILURE);
        ck_assert_int_eq(l2v_eap_get_failure(peer.eap)->code, L2TPVOIP_ERR_AUTH_PEER);
        ck_assert_int_eq(l2v_eap_get_msk(peer.eap, msk), L2TPVOIP_ERR_NOT_FOUND);
        eap_clear(&peer);
    }
}
END_TEST

/* After the server has proven itself and before EAP-Success the peer has keys, but no success. */
START_TEST(success_lost)
{
    struct eap_side server, peer;
    uint8_t msk[64];
    eap_make(&server, true, MSCHAPV2, "lns", "secret");
    eap_make(&peer, false, MSCHAPV2, "alice", "secret");
    ck_assert_int_eq(l2v_eap_start(server.eap, server.out, sizeof(server.out), &server.len), 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(l2v_eap_get_msk(peer.eap, msk), L2TPVOIP_ERR_NOT_FOUND);
        ck_assert_int_eq(l2v_eap_get_msk(server.eap, msk), L2TPVOIP_ERR_NOT_FOUND);
        eap_give(&peer, server.out, server.len);
        ck_assert_int_eq(peer.state, L2V_EAP_CONTINUE);
        if (i < 2) {
            eap_give(&server, peer.out, peer.len);
        }
    }
    ck_assert_int_eq(l2v_eap_get_msk(peer.eap, msk), 0);
    ck_assert_int_eq(l2v_eap_get_msk(server.eap, msk), L2TPVOIP_ERR_NOT_FOUND);
    eap_clear(&server);
    eap_clear(&peer);
}
END_TEST

/* rfc2759#6: the server's own words, made harmless, and its code. */
START_TEST(failure_request)
{
    struct eap_side peer;
    uint8_t in[1200];
    const char text[] = "E=647 R=1 C=00112233445566778899aabbccddeeff V=3 M=Bad\x1b[2J";
    struct l2v_writer w;
    eap_make(&peer, false, MSCHAPV2, "alice", "secret");
    eap_give_hex(&peer, MSCHAPV2_CHALLENGE);
    l2v_writer_init(&w, in, sizeof(in));
    l2v_write_u32(&w, 0x01030000u + 9 + sizeof(text) - 1);
    l2v_write_u32(&w, 0x1a040200u);
    l2v_write_u8(&w, (unsigned)(4 + sizeof(text) - 1));
    l2v_write_bytes(&w, text, sizeof(text) - 1);
    eap_give(&peer, in, l2v_writer_len(&w));
    ck_assert_int_eq(peer.r, 0);
    ck_assert_int_eq(peer.state, L2V_EAP_CONTINUE);
    ck_assert_uint_eq(peer.len, 6); /* draft-kamath#2.6: OpCode alone */
    ck_assert_uint_eq(peer.out[5], 4);
    /* not even a success changes the verdict now */
    eap_give_hex(&peer, "03030004");
    ck_assert_int_eq(peer.state, L2V_EAP_FAILURE);
    ck_assert_int_eq(l2v_eap_get_failure(peer.eap)->peer_code, 647);
    ck_assert_ptr_nonnull(strstr(l2v_eap_get_failure(peer.eap)->message, "disabled: Bad?[2J"));
    eap_clear(&peer);
}
END_TEST

/* rfc3748#5.1, #5.2, #5.3.1, #2.1 */
START_TEST(requests_out_of_turn)
{
    struct eap_side peer;
    eap_make(&peer, false, MSCHAPV2, "alice", "secret");
    eap_give_hex(&peer, "0107000a0268656c6c6f"); /* Notification, "hello" */
    ck_assert_int_eq(peer.r, 0);
    ck_assert_mem_eq(peer.out, "\x02\x07\x00\x05\x02", 5);
    ck_assert_uint_eq(peer.len, 5);
    for (unsigned i = 0; i < 2; i++) {
        eap_give_hex(&peer, IDENTITY_REQUEST); /* again: the same answer */
        ck_assert_uint_eq(peer.len, 10);
        ck_assert_mem_eq(peer.out,
                         "\x02\x01\x00\x0a\x01"
                         "alice",
                         10);
    }
    eap_give_hex(&peer, "010500060d20"); /* EAP-TLS: Nak with what we have */
    ck_assert_uint_eq(peer.len, 6);
    ck_assert_mem_eq(peer.out, "\x02\x05\x00\x06\x03\x1a", 6);
    eap_give_hex(&peer, MD5_CHALLENGE); /* not allowed here */
    ck_assert_mem_eq(peer.out, "\x02\x02\x00\x06\x03\x1a", 6);
    eap_give_hex(&peer, "0106000503"); /* Nak as a request */
    ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
    eap_give_hex(&peer, MSCHAPV2_CHALLENGE);
    ck_assert_int_eq(peer.r, 0);
    /* the method runs: no other, no identity, no second challenge */
    eap_give_hex(&peer, MD5_CHALLENGE);
    ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
    eap_give_hex(&peer, IDENTITY_REQUEST);
    ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
    eap_give_hex(&peer, MSCHAPV2_CHALLENGE);
    ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
    eap_give_hex(&peer, "020300050d"); /* a response to a peer */
    ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
    eap_give_hex(&peer, "010700050268"); /* Notification: yes; padding after Length */
    ck_assert_int_eq(peer.r, 0);
    ck_assert_int_eq(peer.state, L2V_EAP_CONTINUE);
    eap_clear(&peer);
}
END_TEST

static void begin(struct eap_side *server, struct eap_side *peer, uint32_t methods)
{
    eap_make(server, true, methods, "lns", "secret");
    eap_make(peer, false, methods, "alice", "secret");
    ck_assert_int_eq(l2v_eap_start(server->eap, server->out, sizeof(server->out), &server->len), 0);
    eap_give(peer, server->out, server->len); /* identity */
    eap_give(server, peer->out, peer->len);   /* challenge */
    ck_assert_uint_gt(server->len, 0);
    eap_give(peer, server->out, server->len); /* response, not yet given */
    ck_assert_uint_gt(peer->len, 0);
}

static void expect_refusal(struct eap_side *server, int code)
{
    uint8_t msk[64];
    ck_assert_int_eq(server->r, 0);
    ck_assert_int_eq(server->state, L2V_EAP_FAILURE);
    ck_assert_uint_eq(server->len, 4);
    ck_assert_uint_eq(server->out[0], 4);
    ck_assert_int_eq(l2v_eap_get_failure(server->eap)->code, code);
    ck_assert_int_eq(l2v_eap_get_msk(server->eap, msk), L2TPVOIP_ERR_NOT_FOUND);
}

/* One identity is told, another is proven. */
START_TEST(identity_swap)
{
    struct eap_side server, peer;
    begin(&server, &peer, MSCHAPV2);
    peer.out[peer.len - 1] = 'x'; /* the name is last */
    eap_give(&server, peer.out, peer.len);
    expect_refusal(&server, L2TPVOIP_ERR_PROTOCOL);
    eap_clear(&server);
    eap_clear(&peer);
}
END_TEST

START_TEST(method_not_asked_for)
{
    static const uint8_t types[] = {1, 2, 4, 13, 254};
    struct eap_side server, peer;
    begin(&server, &peer, MSCHAPV2);
    peer.out[4] = types[_i];
    eap_give(&server, peer.out, peer.len);
    expect_refusal(&server, L2TPVOIP_ERR_PROTOCOL);
    eap_clear(&server);
    eap_clear(&peer);
}
END_TEST

/* rfc3748#4.1 */
START_TEST(responses_out_of_turn)
{
    struct eap_side server, peer;
    begin(&server, &peer, MSCHAPV2);
    peer.out[1]++;
    eap_give(&server, peer.out, peer.len);
    ck_assert_int_eq(server.r, L2TPVOIP_ERR_MALFORMED);
    peer.out[1]--;
    for (unsigned code = 0; code < 256; code++) {
        if (code != 2) {
            peer.out[0] = (uint8_t)code;
            eap_give(&server, peer.out, peer.len);
            ck_assert_int_eq(server.r, L2TPVOIP_ERR_MALFORMED);
        }
    }
    peer.out[0] = 2;
    ck_assert_int_eq(server.state, L2V_EAP_CONTINUE);
    eap_give(&server, peer.out, peer.len);
    ck_assert_int_eq(server.r, 0);
    ck_assert_uint_eq(server.out[5], 3); /* Success Request */
    eap_clear(&server);
    eap_clear(&peer);
}
END_TEST

/* A server that was not started answers nothing. */
START_TEST(response_before_start)
{
    struct eap_side server;
    eap_make(&server, true, MD5, "lns", "secret");
    eap_give_hex(&server, "0200000501");
    ck_assert_int_eq(server.r, L2TPVOIP_ERR_MALFORMED);
    eap_clear(&server);
}
END_TEST

/* Every packet cut at every byte, with its length field as it was and set right. */
START_TEST(cut_packets)
{
    static const uint32_t methods[2] = {MD5, MSCHAPV2};
    struct eap_side server, peer;
    uint8_t whole[1500];
    uint8_t cut[1500];
    size_t len;
    begin(&server, &peer, methods[_i]);
    len = peer.len;
    memcpy(whole, peer.out, len);
    for (size_t n = 0; n < len; n++) {
        eap_give(&server, whole, n);
        ck_assert_int_eq(server.r, L2TPVOIP_ERR_MALFORMED);
    }
    eap_give(&server, whole, len);
    ck_assert_int_eq(server.r, 0);
    eap_clear(&server);
    eap_clear(&peer);
    for (size_t n = 0; n < len; n++) {
        begin(&server, &peer, methods[_i]);
        memcpy(cut, peer.out, n);
        if (n >= 4) {
            l2v_put_u16(cut + 2, (unsigned)n);
        }
        eap_give(&server, cut, n);
        ck_assert(server.r == 0 || server.r == L2TPVOIP_ERR_MALFORMED);
        /* MD5's name is last and of no account; all else must not pass. */
        ck_assert(server.state != L2V_EAP_SUCCESS || n >= 4 + 1 + 1 + 16);
        eap_clear(&server);
        eap_clear(&peer);
    }
}
END_TEST

START_TEST(cut_requests)
{
    static const char *const requests[] = {MSCHAPV2_CHALLENGE, MD5_CHALLENGE, IDENTITY_REQUEST};
    uint8_t in[64];
    size_t len = unit_hex(requests[_i], in, sizeof(in));
    for (size_t n = 0; n < len; n++) {
        struct eap_side peer;
        eap_make(&peer, false, MD5 | MSCHAPV2, "alice", "secret");
        eap_give(&peer, in, n);
        ck_assert_int_eq(peer.r, L2TPVOIP_ERR_MALFORMED);
        ck_assert_int_eq(peer.state, L2V_EAP_CONTINUE);
        eap_clear(&peer);
    }
}
END_TEST

/* pppd CVE-2020-8597: names of all lengths in EAP-MD5, requests and responses */
START_TEST(long_names)
{
    uint8_t in[1500];
    for (size_t name = 0; name < 1400; name += 13) {
        struct eap_side server, peer;
        size_t len = unit_hex(MD5_CHALLENGE, in, sizeof(in));
        eap_make(&peer, false, MD5, "alice", "secret");
        memset(in + len, 'n', name);
        l2v_put_u16(in + 2, (unsigned)(len + name));
        eap_give(&peer, in, len + name);
        ck_assert_int_eq(peer.r, 0);
        ck_assert_uint_eq(peer.len, 4 + 1 + 1 + 16 + 5);
        eap_clear(&peer);
        begin(&server, &peer, MD5);
        len = peer.len;
        memcpy(in, peer.out, len);
        memset(in + len, 'n', name);
        l2v_put_u16(in + 2, (unsigned)(len + name));
        eap_give(&server, in, len + name);
        ck_assert_int_eq(server.state, L2V_EAP_SUCCESS);
        eap_clear(&server);
        eap_clear(&peer);
    }
}
END_TEST

START_TEST(long_identity)
{
    uint8_t in[1500];
    for (size_t name = 250; name < 264; name++) {
        struct eap_side server;
        size_t got;
        eap_make(&server, true, MD5, "lns", "secret");
        ck_assert_int_eq(l2v_eap_start(server.eap, server.out, sizeof(server.out), &server.len), 0);
        memset(in, 'n', sizeof(in));
        in[0] = 2;
        in[1] = server.out[1];
        l2v_put_u16(in + 2, (unsigned)(5 + name));
        in[4] = 1;
        eap_give(&server, in, 5 + name);
        if (name > 256) {
            expect_refusal(&server, L2TPVOIP_ERR_PROTOCOL);
        } else {
            ck_assert_int_eq(server.state, L2V_EAP_CONTINUE);
            (void)l2v_eap_get_identity(server.eap, &got);
            ck_assert_uint_eq(got, name);
        }
        eap_clear(&server);
    }
}
END_TEST

/* A peer that refuses again and again: each method is proposed once. */
START_TEST(endless_naks)
{
    struct eap_side server, peer;
    uint8_t nak[8] = {2, 0, 0, 8, 3, 4, 26, 4};
    begin(&server, &peer, MD5 | MSCHAPV2);
    nak[1] = server.out[1];
    eap_give(&server, nak, sizeof(nak));
    ck_assert_int_eq(server.state, L2V_EAP_CONTINUE);
    ck_assert_uint_eq(server.out[4], 4);
    nak[1] = server.out[1];
    eap_give(&server, nak, sizeof(nak));
    expect_refusal(&server, L2TPVOIP_ERR_NEGOTIATION);
    eap_clear(&server);
    eap_clear(&peer);
}
END_TEST

/* The peer does not acknowledge our proof: no success. draft-kamath#2.4 */
START_TEST(refused_proof)
{
    struct eap_side server, peer;
    uint8_t ack[6] = {2, 0, 0, 6, 26, 4};
    begin(&server, &peer, MSCHAPV2);
    eap_give(&server, peer.out, peer.len);
    ack[1] = server.out[1];
    eap_give(&server, ack, sizeof(ack));
    expect_refusal(&server, L2TPVOIP_ERR_AUTH_PPP);
    eap_clear(&server);
    eap_clear(&peer);
}
END_TEST

/* A wrong password cannot be talked round by a Success Response afterwards. */
START_TEST(success_after_refusal)
{
    struct eap_side server, peer;
    uint8_t ack[6] = {2, 0, 0, 6, 26, 3};
    begin(&server, &peer, MSCHAPV2);
    peer.out[40] ^= 1;
    eap_give(&server, peer.out, peer.len);
    ck_assert_int_eq(server.state, L2V_EAP_CONTINUE);
    ck_assert_uint_eq(server.out[5], 4); /* Failure Request */
    ack[1] = server.out[1];
    eap_give(&server, ack, sizeof(ack));
    expect_refusal(&server, L2TPVOIP_ERR_AUTH_PPP);
    eap_clear(&server);
    eap_clear(&peer);
}
END_TEST

TCase *eap_hostile_case(void)
{
    TCase *tc = tcase_create("hostile");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, eap_setup, eap_teardown);
    tcase_add_loop_test(tc, early_success, 0, 7);
    tcase_add_test(tc, success_of_another_response);
    tcase_add_test(tc, forged_proof);
    tcase_add_test(tc, success_lost);
    tcase_add_test(tc, failure_request);
    tcase_add_test(tc, requests_out_of_turn);
    tcase_add_test(tc, identity_swap);
    tcase_add_loop_test(tc, method_not_asked_for, 0, 5);
    tcase_add_test(tc, responses_out_of_turn);
    tcase_add_test(tc, response_before_start);
    tcase_add_loop_test(tc, cut_packets, 0, 2);
    tcase_add_loop_test(tc, cut_requests, 0, 3);
    tcase_add_test(tc, long_names);
    tcase_add_test(tc, long_identity);
    tcase_add_test(tc, endless_naks);
    tcase_add_test(tc, refused_proof);
    tcase_add_test(tc, success_after_refusal);
    return tc;
}
