/* SPDX-License-Identifier: MIT */
/* Offers of real peers: cut from captures of the vectors folder where there is one, else rebuilt
 * attribute by attribute from published logs. Our responder must choose the right transform. */
#include "ike1_attr.h"
#include "ike1_proposal.h"
#include "ike_config.h"
#include "ike_wire.h"
#include "test_ike.h"

struct transform {
    uint16_t cipher, bits, hash, group;
};

/* life_tlv: duration as TLV of four bytes even when it would fit two, as Windows does. */
static size_t write_offer(uint8_t *buf, size_t size, const struct transform *t, size_t n,
                          uint16_t auth, bool life_tlv)
{
    struct l2v_ike1_sa_writer sa;
    struct l2v_writer w;
    l2v_writer_init(&w, buf, size);
    l2v_ike1_sa_begin(&sa, &w, 1, L2V_IKE1_PROTO_ISAKMP, 0);
    for (size_t i = 0; i < n; i++) {
        l2v_ike1_sa_transform(&sa, (unsigned)i + 1, L2V_IKE1_KEY_IKE);
        l2v_ike1_attr_write(&w, L2V_IKE1_OAKLEY_ENCRYPTION, t[i].cipher);
        if (t[i].bits != 0) {
            l2v_ike1_attr_write(&w, L2V_IKE1_OAKLEY_KEY_LENGTH, t[i].bits);
        }
        l2v_ike1_attr_write(&w, L2V_IKE1_OAKLEY_HASH, t[i].hash);
        l2v_ike1_attr_write(&w, L2V_IKE1_OAKLEY_GROUP, t[i].group);
        l2v_ike1_attr_write(&w, L2V_IKE1_OAKLEY_AUTH, auth);
        l2v_ike1_attr_write(&w, L2V_IKE1_OAKLEY_LIFE_TYPE, L2V_IKE1_LIFE_SECONDS);
        if (life_tlv) {
            l2v_write_u16(&w, L2V_IKE1_OAKLEY_LIFE_DURATION);
            l2v_write_u16(&w, 4);
            l2v_write_u32(&w, 28800);
        } else {
            l2v_ike1_attr_write(&w, L2V_IKE1_OAKLEY_LIFE_DURATION, 28800);
        }
    }
    l2v_ike1_sa_end(&sa);
    ck_assert(!w.failed);
    return l2v_writer_len(&w);
}

static void expect(uint32_t profile, const uint8_t *body, size_t len, const char *want)
{
    struct l2v_ike1_p1_list policy;
    struct l2v_ike1_p1 chosen;
    char text[64] = "";
    int rc;

    ck_assert_int_eq(l2v_ike1_p1_list_parse(l2v_ike_profile_get(profile)->ike, &policy, NULL, 0),
                     0);
    rc = l2v_ike1_p1_choose(&policy, body, len, &chosen);
    if (want == NULL) {
        ck_assert_int_eq(rc, L2TPVOIP_ERR_NO_PROPOSAL);
        return;
    }
    ck_assert_int_eq(rc, 0);
    l2v_ike1_p1_format(&chosen, text, sizeof(text));
    ck_assert_msg(strcmp(text, want) == 0, "profile %u: %s, not %s", (unsigned)profile, text, want);
}

/* The MM1 of Windows 10 and 11 is 408 bytes: 28, vendor ids 168, and the rest is this SA payload. */
START_TEST(windows)
{
    static const struct transform t[] = {{7, 256, 2, 20}, {7, 128, 2, 19}, {7, 256, 2, 14},
                                         {5, 0, 2, 14},   {5, 0, 2, 2}};
    uint8_t body[512];
    size_t len = write_offer(body, sizeof(body), t, 5, L2V_IKE1_AUTH_PSK, true);

    ck_assert_uint_eq(28 + 4 + len + 168, 408);
    /* ECP-384 is first in the offer, and the dearest: it is not what we want. */
    expect(L2TPVOIP_PROFILE_WINDOWS, body, len, "aes128-sha1-ecp256");
    expect(L2TPVOIP_PROFILE_COMPATIBLE, body, len, "aes128-sha1-ecp256");
    expect(L2TPVOIP_PROFILE_STRONGSWAN, body, len, "aes256-sha1-modp2048");
    expect(L2TPVOIP_PROFILE_MODERN, body, len, NULL); /* SHA-1 only */
    len = write_offer(body, sizeof(body), t, 5, L2V_IKE1_AUTH_RSA, true);
    expect(L2TPVOIP_PROFILE_WINDOWS, body, len, NULL); /* certificates */
}
END_TEST

START_TEST(apple)
{
    static const struct transform t[] = {
        {7, 256, 4, 14}, {7, 256, 2, 14}, {7, 256, 1, 14}, {7, 256, 4, 5}, {7, 256, 2, 5},
        {7, 256, 1, 5},  {7, 256, 4, 2},  {7, 256, 2, 2},  {7, 256, 1, 2}, {7, 128, 2, 2},
        {7, 128, 1, 2},  {5, 0, 2, 2},    {5, 0, 1, 2}};
    uint8_t body[1024];
    size_t len = write_offer(body, sizeof(body), t, 13, L2V_IKE1_AUTH_PSK, false);

    expect(L2TPVOIP_PROFILE_APPLE, body, len, "aes256-sha256-modp2048");
    expect(L2TPVOIP_PROFILE_MODERN, body, len, "aes256-sha256-modp2048");
    expect(L2TPVOIP_PROFILE_COMPATIBLE, body, len, "aes256-sha256-modp2048");
    expect(L2TPVOIP_PROFILE_ANDROID_LEGACY, body, len, "aes256-sha256-modp1024");
}
END_TEST

START_TEST(android_legacy)
{
    static const uint16_t ciphers[4][2] = {{7, 256}, {7, 128}, {5, 0}, {1, 0}};
    static const uint16_t hashes[] = {5, 4, 2, 1}; /* later builds put SHA2-384 first */
    struct transform t[16];
    uint8_t body[1024];
    size_t n = 0, len;

    for (unsigned c = 0; c < 4; c++) {
        for (unsigned h = 0; h < 4; h++) {
            t[n++] = (struct transform){ciphers[c][0], ciphers[c][1], hashes[h], 2};
        }
    }
    len = write_offer(body, sizeof(body), t, n, L2V_IKE1_AUTH_PSK, false);
    expect(L2TPVOIP_PROFILE_ANDROID_LEGACY, body, len, "aes256-sha256-modp1024");
    expect(L2TPVOIP_PROFILE_COMPATIBLE, body, len, "aes256-sha256-modp1024");
    expect(L2TPVOIP_PROFILE_MODERN, body, len, NULL); /* MODP-1024 only */
    expect(L2TPVOIP_PROFILE_WINDOWS, body, len, NULL);
}
END_TEST

static const struct {
    const char *file;
    unsigned frame;
    const char *offered; /* the first transform */
    unsigned n;
    uint16_t auth;
    uint32_t life_s;
    const char *compatible; /* what the profile compatible takes; NULL = nothing */
    size_t skip;            /* headers in front of the message */
} captures[] = {
    {"suricata__ikev1-main-mode.pcap", 1, "aes128-sha1-modp1024", 1, L2V_IKE1_AUTH_PSK, 86400,
     "aes128-sha1-modp1024", 0},
    {"suricata__ikev1-main-mode.pcap", 2, "aes128-sha1-modp1024", 1, L2V_IKE1_AUTH_PSK, 86400,
     "aes128-sha1-modp1024", 0},
    {"openswan__lp173-parentN1__parentM1.pcap", 1, "aes128-sha256-modp2048", 6, L2V_IKE1_AUTH_RSA,
     0, NULL, 0},
    {"rj__ikev1_main_mode.pcap", 1, "aes256-sha256-modp1024", 1, L2V_IKE1_AUTH_PSK, 0,
     "aes256-sha256-modp1024", 0},
    {"rj__l2tp_ipsec_pc_dial_huawei.pcap", 1, "des-sha1-modp1024", 1, L2V_IKE1_AUTH_PSK, 0, NULL, 0},
    {"tcpdump__ISAKMP_sa_setup.pcap", 1, "aes128-sha1-modp768", 1, L2V_IKE1_AUTH_PSK, 0, NULL, 0},
    {"libreswan__01-isakmp-broadcast.pcap", 1, "3des-md5-modp1536", 4, L2V_IKE1_AUTH_RSA, 0, NULL, 0},
    /* Windows 2000 inside L2TP: Kerberos, and a private attribute (GSS id) in each transform */
    {"jnetpcap__test-l2tp.pcap", 88, NULL, 0, 0, 0, NULL, 40},
};

START_TEST(capture)
{
    static uint8_t msg[4096];
    static struct l2v_ike_message m;
    char path[256], text[64];
    const struct l2v_ike_payload *sa;
    struct l2v_ike1_p1_list list;
    size_t len;

    (void)snprintf(path, sizeof(path), "corpus/valid/%s", captures[_i].file);
    len = ike_frame(path, captures[_i].frame, msg, sizeof(msg));
    if (len == 0) {
        return;
    }
    ck_assert_int_eq(l2v_ike1_message_parse(msg + captures[_i].skip, len - captures[_i].skip, &m), L2V_IKE_FAULT_NONE);
    sa = l2v_ike_message_find(&m, L2V_IKE1_PAYLOAD_SA, 0);
    ck_assert_ptr_nonnull(sa);
    ck_assert_int_eq(l2v_ike1_p1_read(sa->body, sa->len, &list), 0);
    ck_assert_uint_eq(list.n, captures[_i].n);
    expect(L2TPVOIP_PROFILE_COMPATIBLE, sa->body, sa->len, captures[_i].compatible);
    if (list.n == 0) {
        return;
    }
    l2v_ike1_p1_format(&list.items[0], text, sizeof(text));
    ck_assert_str_eq(text, captures[_i].offered);
    ck_assert_uint_eq(list.items[0].auth, captures[_i].auth);
    if (captures[_i].life_s != 0) {
        ck_assert_uint_eq(list.items[0].life_s, captures[_i].life_s);
    }
}
END_TEST

/* --- quick mode ------------------------------------------------------------------------------- */

struct p2_case {
    uint16_t encap;
    bool udp;
    uint32_t profile;
    const char *want;
};

static void expect_p2(const struct p2_case *c, const char *offer, uint16_t group)
{
    static const uint16_t groups[] = {L2V_DH_MODP2048, L2V_DH_MODP1024};
    struct l2v_ike1_p2_list theirs, ours;
    struct l2v_ike1_p2_terms t;
    struct l2v_ike1_p2_policy policy;
    struct l2v_ike1_p2 chosen;
    struct l2v_writer w;
    uint8_t body[2048];
    char text[64];

    ck_assert_int_eq(l2v_ike1_p2_list_parse(offer, &theirs, NULL, 0), 0);
    ck_assert_int_eq(l2v_ike1_p2_list_parse(l2v_ike_profile_get(c->profile)->esp, &ours, NULL, 0),
                     0);
    memset(&t, 0, sizeof(t));
    t.spi = 0xabcdef01;
    t.encaps[0] = c->encap;
    t.group = group;
    t.life_s = 3600;
    t.life_kb = 250000; /* as Windows sends */
    l2v_writer_init(&w, body, sizeof(body));
    l2v_ike1_p2_write_offer(&w, &theirs, &t);
    memset(&policy, 0, sizeof(policy));
    policy.list = &ours;
    policy.groups = groups;
    policy.n_groups = 2;
    policy.udp = c->udp;
    policy.ke_group = group != 0 ? 0xffff : 0;
    ck_assert_int_eq(l2v_ike1_p2_choose(&policy, body, l2v_writer_len(&w), &chosen), 0);
    ck_assert_uint_eq(chosen.life_kb, 250000);
    ck_assert_uint_eq(chosen.encap, c->encap);
    l2v_ike1_p2_format(&chosen, text, sizeof(text));
    ck_assert_msg(strcmp(text, c->want) == 0, "%s, not %s", text, c->want);
}

START_TEST(quick_mode)
{
    static const struct p2_case win10 = {4, true, L2TPVOIP_PROFILE_WINDOWS, "aes256-sha1"};
    static const struct p2_case compatible = {4, true, L2TPVOIP_PROFILE_COMPATIBLE, "aes256-sha1"};
    static const struct p2_case old = {61444, true, L2TPVOIP_PROFILE_ANDROID_LEGACY, "aes256-sha1"};
    static const struct p2_case hwdsl2 = {2, false, L2TPVOIP_PROFILE_LIBRESWAN, "aes256gcm16"};
    static const struct p2_case routeros = {4, true, L2TPVOIP_PROFILE_MIKROTIK,
                                            "aes256-sha1-modp1024"};
    expect_p2(&win10, "aes256-sha1,aes128-sha1,3des-sha1", 0);
    expect_p2(&compatible, "aes256-sha1,aes128-sha1,3des-sha1", 0);
    /* quirk: SHA-1 before SHA2-256, which old kernels cut to 96 bits */
    expect_p2(&old, "aes256-sha256,aes256-sha1,aes128-sha256,aes128-sha1,3des-sha1", 0);
    expect_p2(&hwdsl2, "aes256gcm16,aes128-sha1,aes256-sha1,aes256-sha512", 0);
    /* quirk pfs_as_offered: RouterOS wants PFS with MODP-1024 by default */
    expect_p2(&routeros, "aes256-sha1,aes192-sha1,aes128-sha1", L2V_DH_MODP1024);
}
END_TEST

TCase *test_ike1_offers(void)
{
    TCase *tc = ike_tcase("offers of peers");
    tcase_add_test(tc, windows);
    tcase_add_test(tc, apple);
    tcase_add_test(tc, android_legacy);
    tcase_add_loop_test(tc, capture, 0, sizeof(captures) / sizeof(captures[0]));
    tcase_add_test(tc, quick_mode);
    return tc;
}
