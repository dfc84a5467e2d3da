/* SPDX-License-Identifier: MIT */
/* Failures say what was offered, what does not fit, and what to do. */
#include "ike1_attr.h"
#include "ike_config.h"
#include "ike_wire.h"
#include "test_ike.h"

static struct l2v_ike_config *config_of(uint32_t profile)
{
    static const l2tpvoip_psk psk = {sizeof(psk), 24, (const uint8_t *)"abcdefghijklmnopqrstuvwx",
                                     NULL};
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c = NULL;
    l2tpvoip_failure f;

    memset(&o, 0, sizeof(o));
    o.size = sizeof(o);
    o.profile = profile;
    o.n_psks = 1;
    o.psks = &psk;
    ck_assert_int_eq(l2v_ike_config_new(ike_t.env, ike_t.crypto, &o, true, &c, &f), 0);
    return c;
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

static void explain_p1(uint32_t profile, const char *offer, uint16_t auth, l2tpvoip_failure *f)
{
    struct l2v_ike_config *c = config_of(profile);
    struct l2v_ike1_p1_list l;
    struct l2v_writer w;
    uint8_t body[1024];

    ck_assert_int_eq(l2v_ike1_p1_list_parse(offer, &l, NULL, 0), 0);
    for (unsigned i = 0; i < l.n; i++) {
        l.items[i].auth = auth;
    }
    l2v_writer_init(&w, body, sizeof(body));
    l2v_ike1_p1_write_offer(&w, &l, 28800);
    memset(f, 0, sizeof(*f));
    l2v_ike1_p1_explain(c, body, l2v_writer_len(&w), f);
    ck_assert_int_eq(f->layer, L2TPVOIP_LAYER_IKE);
    ck_assert_int_eq(f->code, L2TPVOIP_ERR_NO_PROPOSAL);
    l2v_ike_config_unref(c);
}

START_TEST(phase1)
{
    l2tpvoip_failure f;

    explain_p1(L2TPVOIP_PROFILE_MODERN, "aes256-sha256-modp1024", 1, &f);
    has(f.message, "Diffie-Hellman group");
    has(f.message, "aes256-sha256-modp1024");
    has(f.next_step, "allow_modp1024");
    explain_p1(L2TPVOIP_PROFILE_MODERN, "3des-sha1-modp1024,aes256-sha1-modp2048", 1, &f);
    has(f.message, "hash of aes256-sha1-modp2048"); /* the nearest */
    has(f.message, "3des-sha1-modp1024");
    has(f.next_step, "allow_sha1");
    explain_p1(L2TPVOIP_PROFILE_WINDOWS, "aes256-sha256-modp2048", 1, &f);
    has(f.next_step, "Add aes256-sha256-modp2048 to ike_proposals");
    explain_p1(L2TPVOIP_PROFILE_COMPATIBLE, "aes256-sha256-modp2048", L2V_IKE1_AUTH_RSA, &f);
    has(f.message, "authentication method");
    has(f.next_step, "pre-shared key");
}
END_TEST

START_TEST(phase1_odd)
{
    struct l2v_ike_config *c = config_of(L2TPVOIP_PROFILE_COMPATIBLE);
    struct l2v_ike1_p1_list wide;
    struct l2v_writer w;
    uint8_t body[4096];
    l2tpvoip_failure f;

    memset(&f, 0, sizeof(f));
    l2v_ike1_p1_explain(c, body, 0, &f);
    ck_assert_int_eq(f.code, L2TPVOIP_ERR_NO_PROPOSAL);
    ck_assert_uint_gt(strlen(f.next_step), 0);
    l2v_ike1_p1_wide(&wide); /* a long offer: the list is cut, not the sentence */
    for (unsigned i = 0; i < wide.n; i++) {
        wide.items[i].cipher = 65000;
        wide.items[i].key_bits = 65000;
        wide.items[i].hash = 65000;
        wide.items[i].group = 65000;
    }
    l2v_writer_init(&w, body, sizeof(body));
    l2v_ike1_p1_write_offer(&w, &wide, 1);
    l2v_ike1_p1_explain(c, body, l2v_writer_len(&w), &f);
    has(f.message, "cipher65000/65000-hash65000-group65000");
    has(f.next_step, "not supported");
    ck_assert_uint_lt(strlen(f.message), sizeof(f.message));
    l2v_ike_config_unref(c);
}
END_TEST

static void explain_p2(const char *offer, uint16_t encap, uint16_t group, l2tpvoip_failure *f)
{
    struct l2v_ike_config *c = config_of(L2TPVOIP_PROFILE_MODERN);
    struct l2v_ike1_p2_list l;
    struct l2v_ike1_p2_terms t;
    struct l2v_writer w;
    uint8_t body[1024];

    ck_assert_int_eq(l2v_ike1_p2_list_parse(offer, &l, NULL, 0), 0);
    memset(&t, 0, sizeof(t));
    t.spi = 4096;
    t.encaps[0] = encap;
    t.group = group;
    l2v_writer_init(&w, body, sizeof(body));
    l2v_ike1_p2_write_offer(&w, &l, &t);
    memset(f, 0, sizeof(*f));
    l2v_ike1_p2_explain(c, body, l2v_writer_len(&w), f);
    ck_assert_int_eq(f->code, L2TPVOIP_ERR_NO_PROPOSAL);
    l2v_ike_config_unref(c);
}

START_TEST(phase2)
{
    l2tpvoip_failure f;
    explain_p2("3des-sha1,aes256-sha1", 2, 0, &f);
    has(f.message, "aes256-sha1");
    has(f.next_step, "allow_sha1");
    explain_p2("aes256gcm16", L2V_IKE1_ENCAP_TUNNEL, 0, &f);
    has(f.message, "encapsulation mode");
    has(f.next_step, "transport mode");
    explain_p2("aes256gcm16", 4, L2V_DH_MODP1024, &f);
    has(f.message, "Diffie-Hellman group");
    has(f.next_step, "aes256gcm16-modp1024");
}
END_TEST

START_TEST(wide_offer)
{
    struct l2v_ike_config *c = config_of(L2TPVOIP_PROFILE_MODERN);
    struct l2v_ike1_p1_list l;
    l2tpvoip_failure f;

    memset(&f, 0, sizeof(f));
    ck_assert_int_eq(l2v_ike1_p1_list_parse("3des-sha1-modp1024", &l, NULL, 0), 0);
    l2v_ike1_p1_explain_wide(c, &l.items[0], &f);
    ck_assert_int_eq(f.code, L2TPVOIP_ERR_NO_PROPOSAL);
    has(f.message, "3des-sha1-modp1024");
    has(f.message, "modern");
    has(f.next_step, "allow_3des");
    l.items[0].cipher = L2V_IKE1_ENC_DES;
    l2v_ike1_p1_explain_wide(c, &l.items[0], &f);
    has(f.next_step, "not supported");
    l2v_ike1_p1_explain_wide(c, NULL, &f);
    ck_assert_int_eq(f.code, L2TPVOIP_ERR_TIMEOUT);
    has(f.next_step, "500");
    l2v_ike_config_unref(c);
}
END_TEST

START_TEST(refusals)
{
    static const struct {
        unsigned phase, notify;
        int code;
        const char *part;
    } cases[] = {
        {1, 0, L2TPVOIP_ERR_TIMEOUT, "does not answer"},
        {L2V_IKE1_EXPLAIN_AUTH, 0, L2TPVOIP_ERR_AUTH_IKE, "most likely the pre-shared key"},
        {2, 0, L2TPVOIP_ERR_TIMEOUT, "quick mode"},
        {1, 14, L2TPVOIP_ERR_NO_PROPOSAL, "IKE proposals"},
        {2, 14, L2TPVOIP_ERR_NO_PROPOSAL, "ESP proposals"},
        {L2V_IKE1_EXPLAIN_AUTH, 16, L2TPVOIP_ERR_AUTH_IKE, "pre-shared key"},
        {L2V_IKE1_EXPLAIN_AUTH, 24, L2TPVOIP_ERR_AUTH_IKE, "AUTHENTICATION-FAILED"},
        {L2V_IKE1_EXPLAIN_AUTH, 18, L2TPVOIP_ERR_AUTH_IKE, "identity"},
        {2, 18, L2TPVOIP_ERR_REFUSED, "quick mode"},
        {1, 9999, L2TPVOIP_ERR_REFUSED, "unknown"},
        {2, 16, L2TPVOIP_ERR_REFUSED, "PAYLOAD-MALFORMED"},
    };
    struct l2v_ike_config *c = config_of(L2TPVOIP_PROFILE_SOFTETHER);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        l2tpvoip_failure f;
        memset(&f, 0, sizeof(f));
        l2v_ike1_explain_refusal(c, cases[i].phase, cases[i].notify, &f);
        ck_assert_int_eq(f.layer, L2TPVOIP_LAYER_IKE);
        ck_assert_int_eq(f.code, cases[i].code);
        ck_assert_int_eq(f.peer_code, (int)cases[i].notify);
        has(f.message, cases[i].part);
        ck_assert_uint_gt(strlen(f.next_step), 10);
    }
    l2v_ike_config_unref(c);
}
END_TEST

TCase *test_ike1_explain(void)
{
    TCase *tc = ike_tcase("explain");
    tcase_add_test(tc, phase1);
    tcase_add_test(tc, phase1_odd);
    tcase_add_test(tc, phase2);
    tcase_add_test(tc, wide_offer);
    tcase_add_test(tc, refusals);
    return tc;
}
