/* SPDX-License-Identifier: MIT */
/* Whole conversations between both roles. */
#include "eap_test.h"

#define MD5 L2V_EAP_METHOD_MD5
#define MSCHAPV2 L2V_EAP_METHOD_MSCHAPV2

static struct eap_side server, peer;

static void meet(uint32_t server_methods, uint32_t peer_methods, const char *name,
                 const char *server_password, const char *peer_password)
{
    eap_make(&server, true, server_methods, "lns.example", server_password);
    eap_make(&peer, false, peer_methods, name, peer_password);
    (void)eap_run(&server, &peer);
}

static void part(void)
{
    eap_clear(&server);
    eap_clear(&peer);
}

static void expect_success(bool msk)
{
    uint8_t a[64], b[64];
    static const uint8_t zero[32] = {0};
    ck_assert_int_eq(server.state, L2V_EAP_SUCCESS);
    ck_assert_int_eq(peer.state, L2V_EAP_SUCCESS);
    ck_assert_int_eq(l2v_eap_get_failure(peer.eap)->code, 0);
    if (msk) {
        ck_assert_int_eq(l2v_eap_get_msk(server.eap, a), 0);
        ck_assert_int_eq(l2v_eap_get_msk(peer.eap, b), 0);
        ck_assert_mem_eq(a, b, 64);
        ck_assert_mem_eq(a + 32, zero, 32);
        ck_assert_mem_ne(a, a + 16, 16);
    } else {
        ck_assert_int_eq(l2v_eap_get_msk(server.eap, a), L2TPVOIP_ERR_NOT_FOUND);
        ck_assert_int_eq(l2v_eap_get_msk(peer.eap, b), L2TPVOIP_ERR_NOT_FOUND);
    }
}

static void expect_failure(int server_code, int peer_code)
{
    uint8_t msk[64];
    ck_assert_int_eq(server.state, L2V_EAP_FAILURE);
    ck_assert_int_eq(peer.state, L2V_EAP_FAILURE);
    ck_assert_int_eq(l2v_eap_get_failure(server.eap)->code, server_code);
    ck_assert_int_eq(l2v_eap_get_failure(peer.eap)->code, peer_code);
    ck_assert_str_ne(l2v_eap_get_failure(peer.eap)->message, "");
    ck_assert_int_eq(l2v_eap_get_msk(server.eap, msk), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(l2v_eap_get_msk(peer.eap, msk), L2TPVOIP_ERR_NOT_FOUND);
}

START_TEST(md5)
{
    size_t len;
    meet(MD5, MD5, "alice", "secret", "secret");
    expect_success(false);
    ck_assert_str_eq(l2v_eap_get_identity(server.eap, &len), "alice");
    ck_assert_uint_eq(len, 5);
    ck_assert_str_eq(server.asked, "alice");
    ck_assert_str_eq(peer.asked, "alice");
    part();
}
END_TEST

START_TEST(mschapv2)
{
    meet(MSCHAPV2, MSCHAPV2, "alice",
         "s\xc3\xa4"
         "cret",
         "s\xc3\xa4"
         "cret");
    expect_success(true);
    part();
    meet(MSCHAPV2, MSCHAPV2, "BIGCO\\alice", "secret", "secret");
    expect_success(true);
    part();
    meet(MSCHAPV2, MSCHAPV2, "", "", "");
    expect_success(true);
    part();
}
END_TEST

/* Both allowed: MS-CHAPv2, which proves the server too. */
START_TEST(prefers_mschapv2)
{
    meet(MD5 | MSCHAPV2, MD5 | MSCHAPV2, "alice", "secret", "secret");
    expect_success(true);
    part();
}
END_TEST

/* rfc3748#5.3.1 */
START_TEST(nak_to_a_common_method)
{
    meet(MD5 | MSCHAPV2, MD5, "alice", "secret", "secret");
    expect_success(false);
    part();
}
END_TEST

START_TEST(no_common_method)
{
    meet(MSCHAPV2, MD5, "alice", "secret", "secret");
    expect_failure(L2TPVOIP_ERR_NEGOTIATION, L2TPVOIP_ERR_AUTH_PPP);
    part();
    meet(MD5, MSCHAPV2, "alice", "secret", "secret");
    expect_failure(L2TPVOIP_ERR_NEGOTIATION, L2TPVOIP_ERR_AUTH_PPP);
    part();
}
END_TEST

START_TEST(wrong_passwords)
{
    meet(MD5, MD5, "alice", "secret", "Secret");
    expect_failure(L2TPVOIP_ERR_AUTH_PPP, L2TPVOIP_ERR_AUTH_PPP);
    part();
    meet(MSCHAPV2, MSCHAPV2, "alice", "secret", "Secret");
    expect_failure(L2TPVOIP_ERR_AUTH_PPP, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_int_eq(l2v_eap_get_failure(peer.eap)->peer_code, 691);
    part();
}
END_TEST

START_TEST(unknown_users)
{
    meet(MD5, MD5, "alice", NULL, "secret");
    expect_failure(L2TPVOIP_ERR_AUTH_PPP, L2TPVOIP_ERR_AUTH_PPP);
    part();
    meet(MSCHAPV2, MSCHAPV2, "alice", NULL, "secret");
    expect_failure(L2TPVOIP_ERR_AUTH_PPP, L2TPVOIP_ERR_AUTH_PPP);
    part();
}
END_TEST

START_TEST(peer_without_password)
{
    static const uint32_t methods[2] = {MD5, MSCHAPV2};
    for (unsigned i = 0; i < 2; i++) {
        eap_make(&server, true, methods[i], "lns", "secret");
        eap_make(&peer, false, methods[i], "alice", NULL);
        (void)eap_run(&server, &peer);
        ck_assert_int_eq(peer.state, L2V_EAP_FAILURE);
        ck_assert_int_eq(l2v_eap_get_failure(peer.eap)->code, L2TPVOIP_ERR_NOT_FOUND);
        part();
    }
}
END_TEST

/* A conversation takes no memory: only creation can run out of it. */
START_TEST(takes_no_memory)
{
    long n_allocs;
    eap_make(&server, true, MSCHAPV2, "lns", "secret");
    eap_make(&peer, false, MSCHAPV2, "alice", "secret");
    n_allocs = eap_te.n_allocs;
    (void)eap_run(&server, &peer);
    ck_assert_int_eq(eap_te.n_allocs, n_allocs);
    expect_success(true);
    part();
}
END_TEST

static int no_password(void *user, const char *name, size_t name_len, const uint8_t **ret_password,
                       size_t *ret_len)
{
    (void)user;
    (void)name;
    (void)name_len;
    (void)ret_password;
    (void)ret_len;
    return L2TPVOIP_ERR_NOT_FOUND;
}

START_TEST(creation)
{
    static const struct l2v_eap_ops ops = {no_password};
    static char long_name[300];
    struct l2v_eap *eap = NULL;
    long live = eap_te.live;
    memset(long_name, 'n', sizeof(long_name) - 1);
    ck_assert_int_eq(l2v_eap_new(&eap_te.env, eap_crypto, false, 0, "x", &ops, NULL, &eap),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_eap_new(&eap_te.env, eap_crypto, false, 8, "x", &ops, NULL, &eap),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_eap_new(&eap_te.env, eap_crypto, false, MD5, long_name, &ops, NULL, &eap),
                     L2TPVOIP_ERR_INVALID);
    for (long n = 1; n <= 2; n++) {
        eap_te.n_allocs = 0;
        eap_te.fail_at = n;
        ck_assert_int_eq(l2v_eap_new(&eap_te.env, eap_crypto, false, MD5, "x", &ops, NULL, &eap),
                         L2TPVOIP_ERR_NOMEM);
        ck_assert_int_eq(eap_te.live, live);
    }
    eap_te.fail_at = 0;
    ck_assert_ptr_null(eap);
    ck_assert_int_eq(l2v_eap_new(&eap_te.env, eap_crypto, false, MD5, NULL, &ops, NULL, &eap), 0);
    l2v_eap_free(eap);
    l2v_eap_free(NULL);
}
END_TEST

/* Output that does not fit ends the conversation, and is never cut. */
START_TEST(small_output)
{
    uint8_t out[64];
    size_t len = 0;
    int state = -1;
    eap_make(&server, true, MSCHAPV2, "lns", "secret");
    eap_make(&peer, false, MSCHAPV2, "a-name-that-does-not-fit", "secret");
    ck_assert_int_eq(l2v_eap_start(server.eap, server.out, sizeof(server.out), &server.len), 0);
    ck_assert_int_eq(l2v_eap_start(server.eap, out, sizeof(out), &len), L2TPVOIP_ERR_STATE);
    ck_assert_int_eq(l2v_eap_start(peer.eap, out, sizeof(out), &len), L2TPVOIP_ERR_STATE);
    len = 5;
    ck_assert_int_eq(l2v_eap_input(peer.eap, server.out, server.len, out, 20, &len, &state),
                     L2TPVOIP_ERR_NOBUFS);
    ck_assert_uint_eq(len, 0);
    ck_assert_int_eq(state, L2V_EAP_FAILURE);
    part();
}
END_TEST

START_TEST(random_fails)
{
    eap_make(&server, true, MSCHAPV2, "lns", "secret");
    eap_te.env.rnd_left = 0;
    eap_te.random_fails = 1;
    ck_assert_int_eq(l2v_eap_start(server.eap, server.out, sizeof(server.out), &server.len),
                     L2TPVOIP_ERR_CRYPTO);
    eap_te.random_fails = 0;
    eap_clear(&server);
}
END_TEST

TCase *eap_both_case(void)
{
    TCase *tc = tcase_create("both");
    tcase_add_checked_fixture(tc, eap_setup, eap_teardown);
    tcase_add_test(tc, md5);
    tcase_add_test(tc, mschapv2);
    tcase_add_test(tc, prefers_mschapv2);
    tcase_add_test(tc, nak_to_a_common_method);
    tcase_add_test(tc, no_common_method);
    tcase_add_test(tc, wrong_passwords);
    tcase_add_test(tc, unknown_users);
    tcase_add_test(tc, peer_without_password);
    tcase_add_test(tc, takes_no_memory);
    tcase_add_test(tc, creation);
    tcase_add_test(tc, small_output);
    tcase_add_test(tc, random_fails);
    return tc;
}
