/* SPDX-License-Identifier: MIT */
/* Phase 2 proposals. RFC 2407 section 4.5, RFC 4106, RFC 4304, RFC 3947 section 5.1. */
#include "ike1_attr.h"
#include "ike1_proposal.h"
#include "ike_config.h"
#include "test_ike.h"

static struct l2v_ike1_p2_list list_of(const char *text)
{
    struct l2v_ike1_p2_list l;
    char bad[64] = "";
    ck_assert_msg(l2v_ike1_p2_list_parse(text, &l, bad, sizeof(bad)) == 0, "%s: %s", text, bad);
    return l;
}

static const char *text_of(const struct l2v_ike1_p2 *p)
{
    static char text[64];
    l2v_ike1_p2_format(p, text, sizeof(text));
    return text;
}

static struct l2v_ike1_p2_terms terms_of(uint16_t first, uint16_t second)
{
    struct l2v_ike1_p2_terms t;
    memset(&t, 0, sizeof(t));
    t.spi = 0x1000;
    t.encaps[0] = first;
    t.encaps[1] = second;
    t.life_s = 3600;
    return t;
}

static size_t offer(const struct l2v_ike1_p2_list *l, const struct l2v_ike1_p2_terms *t,
                    uint8_t *buf, size_t size)
{
    struct l2v_writer w;
    l2v_writer_init(&w, buf, size);
    l2v_ike1_p2_write_offer(&w, l, t);
    ck_assert(!w.failed);
    return l2v_writer_len(&w);
}

static struct l2v_ike1_p2_policy policy_of(const struct l2v_ike1_p2_list *l, bool udp)
{
    struct l2v_ike1_p2_policy p;
    memset(&p, 0, sizeof(p));
    p.list = l;
    p.udp = udp;
    return p;
}

START_TEST(text_round_trip)
{
    struct l2v_ike1_p2_list l = list_of("aes256gcm16,AES128-SHA, aes256-sha256-modp2048 ,3des-sha1,"
                                        "aes128gcm8-ecp256-esn,aes192-sha512-esn");
    static const char *const want[] = {"aes256gcm16", "aes128-sha1", "aes256-sha256-modp2048",
                                       "3des-sha1", "aes128gcm8-ecp256-esn", "aes192-sha512-esn"};
    ck_assert_uint_eq(l.n, 6);
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_str_eq(text_of(&l.items[i]), want[i]);
    }
}
END_TEST

START_TEST(bad_text)
{
    static const char *const bad[] = {"",
                                      "aes128",
                                      "aes128gcm16-sha1",
                                      "3des-sha256",
                                      "null-sha1",
                                      "des-sha1",
                                      "aes128-md5",
                                      "aes128-sha1-esn-modp2048",
                                      "aes128-sha1-esn-esn",
                                      "aes128-sha1-modp768",
                                      "chacha20poly1305"};
    struct l2v_ike1_p2_list l;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(l2v_ike1_p2_list_parse(bad[i], &l, NULL, 0) == L2TPVOIP_ERR_CONFIG, "%s",
                      bad[i]);
    }
}
END_TEST

START_TEST(suites)
{
    static const struct {
        const char *text;
        enum l2v_suite_id suite;
        size_t enc, auth;
    } cases[] = {
        {"aes128gcm16", L2V_SUITE_AES_GCM_16, 20, 0}, /* rfc4106#8.1: with 4 bytes of salt */
        {"aes256gcm12", L2V_SUITE_AES_GCM_12, 36, 0},
        {"aes192gcm8", L2V_SUITE_AES_GCM_8, 28, 0},
        {"aes128-sha1", L2V_SUITE_AES_CBC_SHA1_96, 16, 20},
        {"aes256-sha256", L2V_SUITE_AES_CBC_SHA256_128, 32, 32}, /* rfc4868#2.1.1 */
        {"aes256-sha384", L2V_SUITE_AES_CBC_SHA384_192, 32, 48},
        {"aes192-sha512", L2V_SUITE_AES_CBC_SHA512_256, 24, 64},
        {"3des-sha1", L2V_SUITE_3DES_CBC_SHA1_96, 24, 20},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct l2v_ike1_p2_list l = list_of(cases[i].text);
        const struct l2v_suite_info *info = l2v_suite_get(cases[i].suite);
        ck_assert_int_eq(l2v_ike1_p2_suite(&l.items[0], false), cases[i].suite);
        ck_assert_uint_eq(l2v_ike1_p2_enc_len(&l.items[0]), cases[i].enc);
        ck_assert_uint_eq(l2v_ike1_p2_auth_len(&l.items[0]), cases[i].auth);
        ck_assert_uint_eq(info->auth_key_len, cases[i].auth);
        /* quirk sha256_96: only SHA2-256 is cut, and the key stays as long */
        ck_assert_int_eq(l2v_ike1_p2_suite(&l.items[0], true),
                         cases[i].suite == L2V_SUITE_AES_CBC_SHA256_128 ? L2V_SUITE_AES_CBC_SHA256_96
                                                                        : cases[i].suite);
    }
}
END_TEST

START_TEST(profile_round_trip)
{
    const struct l2v_ike_profile *profile = l2v_ike_profile_get((uint32_t)_i);
    struct l2v_ike1_p2_list l = list_of(profile->esp), back;
    struct l2v_ike1_p2_terms t = terms_of(4, 0);
    static uint8_t body[4096];
    size_t len;

    t.group = L2V_DH_MODP2048;
    t.life_kb = 250000;
    len = offer(&l, &t, body, sizeof(body));
    ck_assert_int_eq(l2v_ike1_p2_read(body, len, &back), 0);
    ck_assert_uint_eq(back.n, l.n);
    for (unsigned i = 0; i < l.n; i++) {
        struct l2v_ike1_p2 p = back.items[i];
        ck_assert_uint_eq(p.spi, 0x1000);
        ck_assert_uint_eq(p.encap, 4);
        ck_assert_uint_eq(p.group, L2V_DH_MODP2048);
        ck_assert_uint_eq(p.life_s, 3600);
        ck_assert_uint_eq(p.life_kb, 250000);
        ck_assert_uint_eq(p.transform_no, i + 1);
        p.group = 0;
        ck_assert_str_eq(text_of(&p), text_of(&l.items[i]));
    }
}
END_TEST

/* The order of the carriers decides what a first-match responder takes (quirk both_carriers). */
START_TEST(both_carriers)
{
    struct l2v_ike1_p2_list l = list_of("aes256-sha1,aes128-sha1"), back;
    struct l2v_ike1_p2_terms t = terms_of(61444, 2);
    uint8_t body[1024];
    size_t len = offer(&l, &t, body, sizeof(body));

    ck_assert_int_eq(l2v_ike1_p2_read(body, len, &back), 0);
    ck_assert_uint_eq(back.n, 4);
    ck_assert_uint_eq(back.items[0].encap, 61444);
    ck_assert_uint_eq(back.items[1].encap, 61444);
    ck_assert_uint_eq(back.items[2].encap, 2);
    ck_assert_uint_eq(back.items[0].key_bits, 256);
    ck_assert_uint_eq(back.items[2].key_bits, 256);
}
END_TEST

START_TEST(esn) /* rfc4304#2 */
{
    struct l2v_ike1_p2_list l = list_of("aes256gcm16"), must = list_of("aes256gcm16-esn"), back;
    struct l2v_ike1_p2_terms t = terms_of(2, 0);
    struct l2v_ike1_p2_policy policy = policy_of(&l, false);
    struct l2v_ike1_p2 chosen, got;
    uint8_t body[512], reply[256];
    struct l2v_writer w;
    size_t len;

    t.esn = true;
    len = offer(&l, &t, body, sizeof(body));
    ck_assert_int_eq(l2v_ike1_p2_read(body, len, &back), 0);
    ck_assert_uint_eq(back.n, 2); /* with, then without, for peers that do not know it */
    ck_assert(back.items[0].esn && !back.items[1].esn);
    ck_assert_int_eq(l2v_ike1_p2_choose(&policy, body, len, &chosen), 0);
    ck_assert(!chosen.esn);
    policy.esn = true;
    ck_assert_int_eq(l2v_ike1_p2_choose(&policy, body, len, &chosen), 0);
    ck_assert(chosen.esn);
    l2v_writer_init(&w, reply, sizeof(reply));
    l2v_ike1_p2_write_choice(&w, &chosen, 0x2000);
    ck_assert_int_eq(l2v_ike1_p2_verify(&l, &t, reply, l2v_writer_len(&w), &got), 0);
    ck_assert(got.esn);
    t.esn = false; /* not offered */
    ck_assert_int_eq(l2v_ike1_p2_verify(&l, &t, reply, l2v_writer_len(&w), &got),
                     L2TPVOIP_ERR_NO_PROPOSAL);
    len = offer(&l, &t, body, sizeof(body));
    policy.list = &must;
    ck_assert_int_eq(l2v_ike1_p2_choose(&policy, body, len, &chosen), L2TPVOIP_ERR_NO_PROPOSAL);
}
END_TEST

START_TEST(carrier)
{
    static const struct {
        uint16_t first, second;
        bool udp, other;
        uint16_t want; /* 0 = none */
    } cases[] = {
        {4, 2, true, false, 4},         {2, 4, true, false, 4}, {2, 4, false, false, 2},
        {61444, 2, true, false, 61444}, {2, 0, true, false, 0}, {2, 0, true, true, 2},
        {4, 0, false, false, 0},        {4, 0, false, true, 4}, {1, 0, false, true, 0},
        {3, 0, true, true, 0},          {1, 2, false, true, 2}, {61443, 61444, true, false, 61444},
    };
    struct l2v_ike1_p2_list l = list_of("aes128-sha1");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct l2v_ike1_p2_terms t = terms_of(cases[i].first, cases[i].second);
        struct l2v_ike1_p2_policy policy = policy_of(&l, cases[i].udp);
        struct l2v_ike1_p2 chosen;
        uint8_t body[256];
        size_t len = offer(&l, &t, body, sizeof(body));
        int rc;
        policy.allow_other_mode = cases[i].other;
        rc = l2v_ike1_p2_choose(&policy, body, len, &chosen);
        ck_assert_msg(rc == (cases[i].want != 0 ? 0 : L2TPVOIP_ERR_NO_PROPOSAL), "case %u",
                      (unsigned)i);
        if (rc == 0) {
            ck_assert_uint_eq(chosen.encap, cases[i].want);
        }
    }
}
END_TEST

START_TEST(pfs) /* rfc2409#5.5 */
{
    static const uint16_t groups[] = {L2V_DH_ECP256, L2V_DH_MODP2048};
    static const struct {
        uint16_t group; /* of the offer */
        uint16_t ke;
        bool required;
        int rc;
    } cases[] = {
        {0, 0, false, 0},
        {0, 0, true, L2TPVOIP_ERR_NO_PROPOSAL},
        {L2V_DH_MODP2048, 0xffff, false, 0},
        {L2V_DH_MODP2048, 0xffff, true, 0},
        {L2V_DH_MODP2048, L2V_DH_MODP2048, true, 0},
        {L2V_DH_MODP2048, L2V_DH_ECP256, true, L2TPVOIP_ERR_NO_PROPOSAL},
        {L2V_DH_MODP2048, 0, false, L2TPVOIP_ERR_NO_PROPOSAL}, /* a group without KE */
        {0, 0xffff, false, L2TPVOIP_ERR_NO_PROPOSAL},          /* KE without a group */
        {L2V_DH_MODP1024, 0xffff, false, L2TPVOIP_ERR_NO_PROPOSAL},
    };
    struct l2v_ike1_p2_list l = list_of("aes128-sha1");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct l2v_ike1_p2_terms t = terms_of(2, 0);
        struct l2v_ike1_p2_policy policy = policy_of(&l, false);
        struct l2v_ike1_p2 chosen;
        uint8_t body[256];
        size_t len;
        int rc;
        t.group = cases[i].group;
        policy.groups = groups;
        policy.n_groups = 2;
        policy.pfs_required = cases[i].required;
        policy.ke_group = cases[i].ke;
        len = offer(&l, &t, body, sizeof(body));
        rc = l2v_ike1_p2_choose(&policy, body, len, &chosen);
        ck_assert_msg(rc == cases[i].rc, "case %u: %d", (unsigned)i, rc);
    }
}
END_TEST

START_TEST(order)
{
    static const struct {
        const char *policy, *offer, *want;
    } cases[] = {
        {"3des-sha1,aes128-sha1", "3des-sha1,aes128-sha1", "aes128-sha1"},
        {"aes256-sha1,aes128gcm16", "aes128gcm16,aes256-sha1", "aes256-sha1"},
        {"aes256gcm16,aes128-sha1", "aes128-sha1,aes256gcm16", "aes256gcm16"},
        {"aes256gcm16", "aes128gcm16", NULL},
        {"aes128-sha1", "aes128-sha256", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct l2v_ike1_p2_list ours = list_of(cases[i].policy), o = list_of(cases[i].offer);
        struct l2v_ike1_p2_terms t = terms_of(2, 0);
        struct l2v_ike1_p2_policy policy = policy_of(&ours, false);
        struct l2v_ike1_p2 chosen;
        uint8_t body[512];
        size_t len = offer(&o, &t, body, sizeof(body));
        int rc = l2v_ike1_p2_choose(&policy, body, len, &chosen);
        ck_assert_int_eq(rc, cases[i].want != NULL ? 0 : L2TPVOIP_ERR_NO_PROPOSAL);
        if (rc == 0) {
            ck_assert_str_eq(text_of(&chosen), cases[i].want);
        }
    }
}
END_TEST

START_TEST(answer)
{
    struct l2v_ike1_p2_list l = list_of("aes256-sha1,aes128-sha1");
    struct l2v_ike1_p2_terms t = terms_of(4, 2);
    struct l2v_ike1_p2_policy policy = policy_of(&l, true);
    struct l2v_ike1_p2 chosen, got, wrong;
    uint8_t body[512], reply[256];
    struct l2v_writer w;
    size_t len = offer(&l, &t, body, sizeof(body));

    ck_assert_int_eq(l2v_ike1_p2_choose(&policy, body, len, &chosen), 0);
    ck_assert_uint_eq(chosen.spi, 0x1000);
    l2v_writer_init(&w, reply, sizeof(reply));
    l2v_ike1_p2_write_choice(&w, &chosen, 0x2000);
    ck_assert_int_eq(l2v_ike1_p2_verify(&l, &t, reply, l2v_writer_len(&w), &got), 0);
    ck_assert_uint_eq(got.spi, 0x2000);
    ck_assert_uint_eq(got.transform_no, chosen.transform_no);
    ck_assert_uint_eq(got.life_s, 3600);
    ck_assert_int_eq(l2v_ike1_p2_verify(&l, &t, body, len, &got), L2TPVOIP_ERR_MALFORMED);

    for (unsigned i = 0; i < 6; i++) { /* an answer that was not offered */
        wrong = chosen;
        wrong.key_bits = i == 0 ? 192 : wrong.key_bits;
        wrong.auth = i == 1 ? L2V_IKE1_IPSEC_AUTH_SHA256 : wrong.auth;
        wrong.encap = i == 2 ? L2V_IKE1_ENCAP_TUNNEL : wrong.encap;
        wrong.group = i == 3 ? L2V_DH_MODP2048 : 0;
        wrong.esn = i == 4;
        l2v_writer_init(&w, reply, sizeof(reply));
        l2v_ike1_p2_write_choice(&w, &wrong, i == 5 ? 255 : 0x2000); /* a reserved SPI */
        ck_assert_int_eq(l2v_ike1_p2_verify(&l, &t, reply, l2v_writer_len(&w), &got),
                         L2TPVOIP_ERR_NO_PROPOSAL);
    }
    /* the code point of the other NAT-T dialect, and none at all */
    wrong = chosen;
    wrong.encap = 61444;
    l2v_writer_init(&w, reply, sizeof(reply));
    l2v_ike1_p2_write_choice(&w, &wrong, 0x2000);
    ck_assert_int_eq(l2v_ike1_p2_verify(&l, &t, reply, l2v_writer_len(&w), &got), 0);
    wrong.encap = 0;
    l2v_writer_init(&w, reply, sizeof(reply));
    l2v_ike1_p2_write_choice(&w, &wrong, 0x2000);
    ck_assert_int_eq(l2v_ike1_p2_verify(&l, &t, reply, l2v_writer_len(&w), &got), 0);
    ck_assert_uint_eq(got.encap, 4);
    /* PFS that was offered must come back */
    t.group = L2V_DH_MODP2048;
    ck_assert_int_eq(l2v_ike1_p2_verify(&l, &t, reply, l2v_writer_len(&w), &got),
                     L2TPVOIP_ERR_NO_PROPOSAL);
}
END_TEST

/* rfc2408#4.2: the same number twice is "this and that": ESP with AH or IPComp is not for us. */
START_TEST(bundles)
{
    static const struct {
        const char *hex;
        int rc;
    } cases[] = {
        /* ESP alone */
        {"0000000100000001"
         "0000002001030401" "00001000" "00000014010c0000" "80040002" "80050002" "80060080", 0},
        /* ESP and IPComp as proposal 1 */
        {"0000000100000001"
         "0200002001030401" "00001000" "00000014010c0000" "80040002" "80050002" "80060080"
         "0000001601040201" "1234" "0000000c01030000" "80040002", L2TPVOIP_ERR_NO_PROPOSAL},
        /* AH as 1, ESP as 2 */
        {"0000000100000001"
         "0200001c01020401" "00001000" "0000001001030000" "80040002" "80050002"
         "0000002002030401" "00001000" "00000014010c0000" "80040002" "80050002" "80060080", 0},
        /* an SPI of 8 bytes */
        {"0000000100000001"
         "0000002401030801" "0000100000001000" "00000014010c0000" "80040002" "80050002" "80060080",
         L2TPVOIP_ERR_NO_PROPOSAL},
        /* no proposal at all */
        {"0000000100000001", L2TPVOIP_ERR_MALFORMED},
    };
    struct l2v_ike1_p2_list l = list_of("aes128-sha1");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t body[256];
        size_t len = unit_hex(cases[i].hex, body, sizeof(body));
        struct l2v_ike1_p2_policy policy = policy_of(&l, false);
        struct l2v_ike1_p2 chosen;
        int rc = l2v_ike1_p2_choose(&policy, body, len, &chosen);
        ck_assert_msg(rc == cases[i].rc, "case %u: %d", (unsigned)i, rc);
        if (rc == 0) {
            ck_assert_uint_eq(chosen.spi, 0x1000);
        }
    }
}
END_TEST

START_TEST(every_cut)
{
    struct l2v_ike1_p2_list l = list_of("aes128-sha1,aes256gcm16"), back;
    struct l2v_ike1_p2_terms t = terms_of(4, 2);
    uint8_t body[512];
    size_t len = offer(&l, &t, body, sizeof(body));
    for (size_t i = 0; i < len; i++) {
        uint8_t *copy = malloc(i > 0 ? i : 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, body, i);
        ck_assert_int_eq(l2v_ike1_p2_read(copy, i, &back), L2TPVOIP_ERR_MALFORMED);
        free(copy);
    }
}
END_TEST

START_TEST(responder_lifetime) /* rfc2407#4.6.3.1 */
{
    uint8_t data[64];
    uint32_t s = 9, kb = 9;
    size_t n = unit_hex("80010001" "800207d0" "80010002" "0002000400032000", data, sizeof(data));
    ck_assert_int_eq(l2v_ike1_lifetime_read(L2V_IKE1_PROTO_ESP, data, n, &s, &kb), 0);
    ck_assert_uint_eq(s, 2000);
    ck_assert_uint_eq(kb, 0x32000);
    n = unit_hex("800b0001" "800c7080", data, sizeof(data));
    ck_assert_int_eq(l2v_ike1_lifetime_read(L2V_IKE1_PROTO_ISAKMP, data, n, &s, &kb), 0);
    ck_assert_uint_eq(s, 28800);
    ck_assert_uint_eq(kb, 0);
    ck_assert_int_eq(l2v_ike1_lifetime_read(L2V_IKE1_PROTO_ISAKMP, data, n - 1, &s, &kb),
                     L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(l2v_ike1_lifetime_read(L2V_IKE1_PROTO_ISAKMP, data, 4, &s, &kb),
                     L2TPVOIP_ERR_MALFORMED);
}
END_TEST

TCase *test_ike1_p2(void)
{
    TCase *tc = ike_tcase("phase 2 proposals");
    tcase_add_test(tc, text_round_trip);
    tcase_add_test(tc, bad_text);
    tcase_add_test(tc, suites);
    tcase_add_loop_test(tc, profile_round_trip, 0, (int)L2V_IKE_N_PROFILES);
    tcase_add_test(tc, both_carriers);
    tcase_add_test(tc, esn);
    tcase_add_test(tc, carrier);
    tcase_add_test(tc, pfs);
    tcase_add_test(tc, order);
    tcase_add_test(tc, answer);
    tcase_add_test(tc, bundles);
    tcase_add_test(tc, every_cut);
    tcase_add_test(tc, responder_lifetime);
    return tc;
}
