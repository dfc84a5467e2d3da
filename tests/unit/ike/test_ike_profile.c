/* SPDX-License-Identifier: MIT */
/* The table of profiles: each quirk is where the peers that need it are, and no profile offers what
 * its flags do not allow. */
#include "ike_config.h"
#include "test_ike.h"

#define P(name) (1u << L2TPVOIP_PROFILE_##name)
#define ALL ((1u << L2V_IKE_N_PROFILES) - 1)

static const struct {
    const char *name;
    bool is_flag;
    uint32_t bit;
    unsigned profiles;
} quirks[] = {
    {"peer_rekeys", false, L2V_IKE_QUIRK_PEER_REKEYS, P(WINDOWS) | P(APPLE) | P(ANDROID_LEGACY)},
    {"both_carriers", false, L2V_IKE_QUIRK_BOTH_CARRIERS,
     P(COMPATIBLE) | P(WINDOWS) | P(APPLE) | P(ANDROID_LEGACY) | P(CISCO) | P(SOFTETHER) |
         P(STRONGSWAN)},
    {"id_fqdn_ok", false, L2V_IKE_QUIRK_ID_FQDN_OK, P(COMPATIBLE) | P(WINDOWS)},
    {"port_mismatch_ok", false, L2V_IKE_QUIRK_PORT_MISMATCH_OK, P(COMPATIBLE) | P(WINDOWS)},
    {"silent_refusal", false, L2V_IKE_QUIRK_SILENT_REFUSAL,
     P(COMPATIBLE) | P(MIKROTIK) | P(SOFTETHER) | P(LIBRESWAN)},
    {"pfs_as_offered", false, L2V_IKE_QUIRK_PFS_AS_OFFERED, ALL & ~P(MODERN)},
    {"auto_parrot", false, L2V_IKE_QUIRK_AUTO_PARROT, P(COMPATIBLE) | P(WINDOWS)},
    {"lifetime_obey", false, L2V_IKE_QUIRK_LIFETIME_OBEY,
     P(COMPATIBLE) | P(ANDROID_LEGACY) | P(CISCO) | P(MIKROTIK) | P(LIBRESWAN)},
    {"id_any_addr_ok", false, L2V_IKE_QUIRK_ID_ANY_ADDR_OK, ALL},
    {"accept_any_port", true, L2TPVOIP_IPSEC_ACCEPT_ANY_PORT,
     P(MODERN) | P(COMPATIBLE) | P(APPLE) | P(ANDROID_LEGACY) | P(STRONGSWAN) | P(LIBRESWAN)},
    {"sha256_96", true, L2TPVOIP_IPSEC_SHA256_96, P(ANDROID_LEGACY)},
    {"natt_drafts", true, L2TPVOIP_IPSEC_NATT_DRAFTS, P(CISCO)},
    {"child_dies_with_ike", true, L2TPVOIP_IPSEC_CHILD_DIES_WITH_IKE, P(CISCO)},
    {"allow_3des", true, L2TPVOIP_IPSEC_ALLOW_3DES,
     P(COMPATIBLE) | P(ANDROID_LEGACY) | P(CISCO) | P(MIKROTIK)},
    {"allow_modp1024", true, L2TPVOIP_IPSEC_ALLOW_MODP1024,
     P(COMPATIBLE) | P(ANDROID_LEGACY) | P(CISCO) | P(MIKROTIK)},
    {"allow_sha1", true, L2TPVOIP_IPSEC_ALLOW_SHA1, ALL & ~P(MODERN)},
    {"nat_parrot", true, L2TPVOIP_IPSEC_NAT_PARROT, 0}, /* only when asked for */
    {"force_encaps", true, L2TPVOIP_IPSEC_FORCE_ENCAPS, 0},
};

START_TEST(quirk)
{
    for (uint32_t i = 0; i < L2V_IKE_N_PROFILES; i++) {
        const struct l2v_ike_profile *p = l2v_ike_profile_get(i);
        uint32_t have = quirks[_i].is_flag ? p->flags : p->quirks;
        ck_assert_msg(((have & quirks[_i].bit) != 0) == ((quirks[_i].profiles >> i & 1u) != 0),
                      "%s in %s", quirks[_i].name, p->name);
    }
}
END_TEST

START_TEST(names)
{
    static const char *const want[] = {"modern", "compatible", "windows",   "apple",
                                       "android-legacy", "cisco", "mikrotik", "softether",
                                       "strongswan", "libreswan"};
    for (uint32_t i = 0; i < L2V_IKE_N_PROFILES; i++) {
        ck_assert_str_eq(l2v_ike_profile_get(i)->name, want[i]);
    }
    ck_assert_ptr_null(l2v_ike_profile_get(L2V_IKE_N_PROFILES));
    ck_assert_ptr_null(l2v_ike_profile_get(UINT32_MAX));
}
END_TEST

/* A profile alone makes a valid client and a valid server: all that it offers is allowed. */
START_TEST(is_valid)
{
    static const l2tpvoip_psk psk = {sizeof(psk), 28, (const uint8_t *)"correct horse battery staple",
                                     NULL};
    l2tpvoip_ipsec_options o;
    struct l2v_ike1_p1_list ike;
    struct l2v_ike1_p2_list esp;
    const struct l2v_ike_profile *p = l2v_ike_profile_get((uint32_t)_i);

    memset(&o, 0, sizeof(o));
    o.size = sizeof(o);
    o.profile = (uint32_t)_i;
    o.n_psks = 1;
    o.psks = &psk;
    ck_assert_int_eq(l2v_ike1_p1_list_parse(p->ike, &ike, NULL, 0), 0);
    ck_assert_int_eq(l2v_ike1_p2_list_parse(p->esp, &esp, NULL, 0), 0);
    for (unsigned server = 0; server < 2; server++) {
        struct l2v_ike_config *c = NULL;
        l2tpvoip_failure f;
        ck_assert_int_eq(l2v_ike_config_new(ike_t.env, ike_t.crypto, &o, server != 0, &c, &f), 0);
        ck_assert_uint_eq(c->flags, p->flags);
        ck_assert_uint_eq(c->quirks, p->quirks);
        ck_assert_uint_ge(c->ike.n, ike.n);
        ck_assert_uint_ge(c->esp.n, esp.n);
        ck_assert_mem_eq(&c->ike.items[0], &ike.items[0], sizeof(ike.items[0]));
        ck_assert_uint_eq(c->ike_lifetime_s, p->ike_lifetime_s);
        l2v_ike_config_unref(c);
    }
    /* rfc8247: the default profile has nothing that is deprecated */
    if (_i == L2TPVOIP_PROFILE_MODERN) {
        for (unsigned i = 0; i < ike.n; i++) {
            ck_assert_uint_ge(ike.items[i].group, 14);
            ck_assert_uint_ge(ike.items[i].hash, L2V_IKE1_HASH_SHA256);
            ck_assert_uint_eq(ike.items[i].cipher, L2V_IKE1_ENC_AES);
        }
        for (unsigned i = 0; i < esp.n; i++) {
            ck_assert_uint_ne(esp.items[i].auth, L2V_IKE1_IPSEC_AUTH_SHA1);
            ck_assert_uint_ne(esp.items[i].transform, L2V_IKE1_ESP_3DES);
        }
    }
}
END_TEST

/* SoftEther knows no ECP group, and only MD5 and SHA-1 in ESP. */
START_TEST(softether)
{
    const struct l2v_ike_profile *p = l2v_ike_profile_get(L2TPVOIP_PROFILE_SOFTETHER);
    ck_assert_ptr_null(strstr(p->ike, "ecp"));
    ck_assert_str_eq(p->esp, "aes256-sha1,aes128-sha1");
}
END_TEST

/* Old Android and Windows phones: SHA-1 goes before SHA2-256, which they may cut to 96 bits. */
START_TEST(sha1_before_sha256)
{
    static const uint32_t profiles[] = {L2TPVOIP_PROFILE_COMPATIBLE, L2TPVOIP_PROFILE_APPLE,
                                        L2TPVOIP_PROFILE_ANDROID_LEGACY,
                                        L2TPVOIP_PROFILE_MIKROTIK};
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        const char *esp = l2v_ike_profile_get(profiles[i])->esp;
        ck_assert(strstr(esp, "-sha1") < strstr(esp, "-sha256"));
    }
}
END_TEST

TCase *test_ike_profile(void)
{
    TCase *tc = ike_tcase("profiles");
    tcase_add_loop_test(tc, quirk, 0, sizeof(quirks) / sizeof(quirks[0]));
    tcase_add_test(tc, names);
    tcase_add_loop_test(tc, is_valid, 0, (int)L2V_IKE_N_PROFILES);
    tcase_add_test(tc, softether);
    tcase_add_test(tc, sha1_before_sha256);
    return tc;
}
