/* SPDX-License-Identifier: MIT */
/* Options: every one is checked, defaults come from the profile, failures name cause and next step;
 * which pre-shared key is tried. */
#include "base_addr.h"
#include "ike_config.h"
#include "test_ike.h"

#define GOOD_PSK "correct horse battery staple"

static l2tpvoip_psk psk_of(const char *key, const char *remote_id)
{
    l2tpvoip_psk p;
    memset(&p, 0, sizeof(p));
    p.size = sizeof(p);
    p.key = (const uint8_t *)key;
    p.len = (uint32_t)strlen(key);
    p.remote_id = remote_id;
    return p;
}

static void options_init(l2tpvoip_ipsec_options *o, const l2tpvoip_psk *psk)
{
    memset(o, 0, sizeof(*o));
    o->size = sizeof(*o);
    o->n_psks = 1;
    o->psks = psk;
}

static struct l2v_ike_config *make(const l2tpvoip_ipsec_options *o, bool server)
{
    struct l2v_ike_config *c = NULL;
    l2tpvoip_failure f;
    memset(&f, 0, sizeof(f));
    ck_assert_msg(l2v_ike_config_new(ike_t.env, ike_t.crypto, o, server, &c, &f) == 0, "%s",
                  f.message);
    return c;
}

static void refused(const l2tpvoip_ipsec_options *o, bool server, const char *part)
{
    struct l2v_ike_config *c = NULL;
    l2tpvoip_failure f;
    memset(&f, 0, sizeof(f));
    ck_assert_int_eq(l2v_ike_config_new(ike_t.env, ike_t.crypto, o, server, &c, &f),
                     L2TPVOIP_ERR_CONFIG);
    ck_assert_ptr_null(c);
    ck_assert_int_eq(f.layer, L2TPVOIP_LAYER_CONFIG);
    ck_assert_int_eq(f.code, L2TPVOIP_ERR_CONFIG);
    ck_assert_msg(strstr(f.message, part) != NULL, "\"%s\" is not in: %s", part, f.message);
    ck_assert_uint_gt(strlen(f.next_step), 10);
    /* without a failure object it is refused as well */
    ck_assert_int_eq(l2v_ike_config_new(ike_t.env, ike_t.crypto, o, server, &c, NULL),
                     L2TPVOIP_ERR_CONFIG);
}

START_TEST(defaults)
{
    l2tpvoip_psk psk = psk_of(GOOD_PSK, NULL);
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c;

    options_init(&o, &psk);
    c = make(&o, false);
    ck_assert_uint_eq(c->ike_lifetime_s, 28800);
    ck_assert_uint_eq(c->esp_lifetime_s, 3600);
    ck_assert_uint_eq(c->dpd_interval_s, 30);
    ck_assert_uint_eq(c->dpd_timeout_s, 120);
    ck_assert_uint_eq(c->natt_keepalive_s, 20);
    ck_assert_uint_eq(c->replay_window, 1024);
    ck_assert_uint_eq(c->retransmit_ms, 1000);
    ck_assert_uint_eq(c->retransmit_tries, 5);
    ck_assert_uint_eq(c->ike_port, 500);
    ck_assert_uint_eq(c->natt_port, 4500);
    ck_assert_uint_eq(c->esp_lifetime_kb, 0);
    ck_assert_uint_eq(c->pfs_group, 0);
    ck_assert_uint_eq(c->n_psks, 1);
    ck_assert_ptr_ne(c->psks[0].key, psk.key);
    ck_assert_mem_eq(c->psks[0].key, GOOD_PSK, strlen(GOOD_PSK));
    ck_assert_ptr_eq(l2v_ike_config_ref(c), c);
    l2v_ike_config_unref(c);
    ck_assert_uint_eq(c->refs, 1);
    l2v_ike_config_unref(c);
    l2v_ike_config_unref(NULL);
}
END_TEST

START_TEST(given_values)
{
    l2tpvoip_psk psk = psk_of(GOOD_PSK, NULL);
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c;

    options_init(&o, &psk);
    o.ike_lifetime_s = 7200;
    o.esp_lifetime_bytes = 250000001; /* rounded up on the wire */
    o.replay_window = 64;
    o.dpd_interval_s = 200; /* longer than the default timeout, which follows */
    o.ike_port = 1500;
    o.local_id = "client.example";
    o.remote_id = "server.example";
    c = make(&o, false);
    ck_assert_uint_eq(c->ike_lifetime_s, 7200);
    ck_assert_uint_eq(c->esp_lifetime_kb, 244141);
    ck_assert_uint_eq(c->esp_lifetime_bytes, 250000001);
    ck_assert_uint_eq(c->replay_window, 64);
    ck_assert_uint_eq(c->dpd_timeout_s, 400);
    ck_assert_uint_eq(c->ike_port, 1500);
    ck_assert_uint_eq(c->local_id.type, L2V_IKE_ID_FQDN);
    ck_assert_uint_eq(c->remote_id.len, 14);
    l2v_ike_config_unref(c);
}
END_TEST

START_TEST(bad_numbers)
{
    static const struct {
        size_t at;
        uint32_t value;
        const char *part;
    } cases[] = {
        {offsetof(l2tpvoip_ipsec_options, profile), 10, "ipsec.profile"},
        {offsetof(l2tpvoip_ipsec_options, security), L2TPVOIP_SECURITY_NONE, "ipsec.security"},
        {offsetof(l2tpvoip_ipsec_options, security), 7, "ipsec.security"},
        {offsetof(l2tpvoip_ipsec_options, flags), 0x80000000, "ipsec.flags"},
        {offsetof(l2tpvoip_ipsec_options, reserved), 1, "ipsec.reserved"},
        {offsetof(l2tpvoip_ipsec_options, vendor_ids), 3, "ipsec.vendor_ids"},
        {offsetof(l2tpvoip_ipsec_options, ike_lifetime_s), 59, "ike_lifetime_s is 59"},
        {offsetof(l2tpvoip_ipsec_options, ike_lifetime_s), 604801, "ike_lifetime_s"},
        {offsetof(l2tpvoip_ipsec_options, esp_lifetime_s), 29, "esp_lifetime_s"},
        {offsetof(l2tpvoip_ipsec_options, esp_lifetime_s), UINT32_MAX, "esp_lifetime_s"},
        {offsetof(l2tpvoip_ipsec_options, dpd_interval_s), 3601, "dpd_interval_s"},
        {offsetof(l2tpvoip_ipsec_options, dpd_interval_s), UINT32_MAX, "dpd_interval_s"},
        {offsetof(l2tpvoip_ipsec_options, dpd_timeout_s), 30, "dpd_timeout_s"},
        {offsetof(l2tpvoip_ipsec_options, dpd_timeout_s), 1, "dpd_timeout_s"},
        {offsetof(l2tpvoip_ipsec_options, natt_keepalive_s), 3601, "natt_keepalive_s"},
        {offsetof(l2tpvoip_ipsec_options, replay_window), 100, "replay_window"},
        {offsetof(l2tpvoip_ipsec_options, replay_window), 32, "replay_window"},
        {offsetof(l2tpvoip_ipsec_options, replay_window), 131072, "replay_window"},
        {offsetof(l2tpvoip_ipsec_options, retransmit_ms), 49, "retransmit_ms"},
        {offsetof(l2tpvoip_ipsec_options, retransmit_tries), 21, "retransmit_tries"},
        {offsetof(l2tpvoip_ipsec_options, n_psks), 0, "no pre-shared key"},
        {offsetof(l2tpvoip_ipsec_options, n_psks), 100000, "n_psks"},
        {offsetof(l2tpvoip_ipsec_options, size), 8, "size"},
    };
    l2tpvoip_psk psk = psk_of(GOOD_PSK, NULL);
    l2tpvoip_ipsec_options o;
    options_init(&o, &psk);
    memcpy((uint8_t *)&o + cases[_i].at, &cases[_i].value, 4);
    refused(&o, true, cases[_i].part);
}
END_TEST

START_TEST(bad_combinations)
{
    l2tpvoip_psk psk = psk_of(GOOD_PSK, NULL);
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c = NULL;

    ck_assert_int_eq(l2v_ike_config_new(ike_t.env, ike_t.crypto, NULL, true, &c, NULL),
                     L2TPVOIP_ERR_CONFIG);
    options_init(&o, &psk);
    o.ike_port = 4500;
    refused(&o, false, "the same");
    options_init(&o, &psk);
    o.flags = L2TPVOIP_IPSEC_NAT_PARROT;
    refused(&o, false, "nat_parrot");
    l2v_ike_config_unref(make(&o, true));
    o.flags = L2TPVOIP_IPSEC_FORCE_ENCAPS;
    o.vendor_ids = L2TPVOIP_VENDOR_IDS_NONE;
    refused(&o, false, "vendor_ids");
    options_init(&o, &psk);
    o.esp_lifetime_bytes = 1000;
    refused(&o, false, "esp_lifetime_bytes");
    o.esp_lifetime_bytes = UINT64_MAX;
    refused(&o, false, "esp_lifetime_bytes");
    options_init(&o, &psk);
    o.local_id = "";
    refused(&o, false, "local_id");
    options_init(&o, &psk);
    o.remote_id = "@#xyz";
    refused(&o, false, "remote_id");
}
END_TEST

START_TEST(proposals)
{
    l2tpvoip_psk psk = psk_of(GOOD_PSK, NULL);
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c;
    char text[64];

    options_init(&o, &psk);
    o.ike_proposals = "aes256-sha256-modp2048,blowfish-sha1-modp2048";
    refused(&o, false, "\"blowfish-sha1-modp2048\"");
    o.ike_proposals = "aes256-sha256-modp1024"; /* weak ones need their flag */
    refused(&o, false, "allow_modp1024");
    o.ike_proposals = "3des-sha256-modp2048";
    refused(&o, false, "allow_3des");
    o.ike_proposals = "aes128-sha1-modp2048";
    refused(&o, false, "allow_sha1");
    o.flags = L2TPVOIP_IPSEC_ALLOW_SHA1;
    c = make(&o, false);
    ck_assert_uint_eq(c->ike.n, 1); /* nothing is added to a list that was given */
    l2v_ike_config_unref(c);
    options_init(&o, &psk);
    o.esp_proposals = "aes256gcm16,aes128-md5";
    refused(&o, false, "\"aes128-md5\"");
    o.esp_proposals = "aes128-sha1";
    refused(&o, false, "allow_sha1");
    o.esp_proposals = "aes256gcm16-modp1024";
    refused(&o, false, "allow_modp1024");
    /* an allow flag alone widens the profile's list, at its end */
    options_init(&o, &psk);
    o.flags = L2TPVOIP_IPSEC_ALLOW_SHA1 | L2TPVOIP_IPSEC_ALLOW_3DES;
    c = make(&o, true);
    l2v_ike1_p1_format(&c->ike.items[c->ike.n - 1], text, sizeof(text));
    ck_assert_str_eq(text, "3des-sha1-modp2048");
    l2v_ike1_p2_format(&c->esp.items[c->esp.n - 1], text, sizeof(text));
    ck_assert_str_eq(text, "3des-sha1");
    for (unsigned i = 0; i < c->ike.n; i++) {
        ck_assert_uint_ge(c->ike.items[i].group, 14);
    }
    l2v_ike_config_unref(c);
}
END_TEST

START_TEST(perfect_forward_secrecy)
{
    l2tpvoip_psk psk = psk_of(GOOD_PSK, NULL);
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c;

    options_init(&o, &psk);
    o.esp_proposals = "aes256gcm16-modp2048,aes128gcm16-ecp256";
    refused(&o, false, "several PFS groups");
    c = make(&o, true); /* a server takes either; the cheapest first */
    ck_assert_uint_eq(c->n_pfs_groups, 2);
    ck_assert_uint_eq(c->pfs_groups[0], L2V_DH_ECP256);
    ck_assert_uint_eq(c->pfs_groups[1], L2V_DH_MODP2048);
    ck_assert(!l2v_ike_config_has(c, L2TPVOIP_IPSEC_PFS)); /* not demanded */
    l2v_ike_config_unref(c);
    o.esp_proposals = "aes256gcm16-modp2048,aes128gcm16";
    c = make(&o, false);
    ck_assert_uint_eq(c->pfs_group, L2V_DH_MODP2048);
    ck_assert(l2v_ike_config_has(c, L2TPVOIP_IPSEC_PFS));
    ck_assert_uint_eq(c->esp.items[0].group, 0); /* it is a term of the whole offer */
    l2v_ike_config_unref(c);
    options_init(&o, &psk);
    o.flags = L2TPVOIP_IPSEC_PFS;
    c = make(&o, false);
    ck_assert_uint_eq(c->pfs_group, c->ike.items[0].group);
    l2v_ike_config_unref(c);
    options_init(&o, &psk);
    c = make(&o, true); /* otherwise a server takes what it takes in phase 1 */
    ck_assert_uint_eq(c->n_pfs_groups, 6);
    for (unsigned i = 0; i < c->n_pfs_groups; i++) {
        ck_assert_uint_ge(c->pfs_groups[i], 14);
    }
    l2v_ike_config_unref(c);
}
END_TEST

static unsigned n_warnings;
static char warning[512];

static void on_log(void *user, int32_t level, const char *module, const char *msg, size_t len)
{
    (void)user;
    (void)module;
    if (level == L2TPVOIP_LOG_WARNING) {
        n_warnings++;
        (void)snprintf(warning, sizeof(warning), "%.*s", (int)len, msg);
    }
}

START_TEST(bad_psks)
{
    l2tpvoip_psk psk = psk_of(GOOD_PSK, NULL), many[9];
    l2tpvoip_ipsec_options o;

    options_init(&o, &psk);
    psk.len = 0;
    refused(&o, false, "pre-shared key 1");
    psk = psk_of(GOOD_PSK, NULL);
    psk.len = 257;
    refused(&o, false, "longer than 256");
    psk = psk_of(GOOD_PSK, NULL);
    psk.key = NULL;
    refused(&o, false, "pre-shared key 1");
    psk = psk_of(GOOD_PSK, NULL);
    psk.size = 4;
    refused(&o, false, "pre-shared key 1");
    psk = psk_of(GOOD_PSK, "");
    refused(&o, false, "remote_id of key 1");
    o.psks = NULL;
    refused(&o, false, "no pre-shared key");
    for (unsigned i = 0; i < 9; i++) { /* one too many to be tried for one peer */
        many[i] = psk_of(GOOD_PSK, i == 0 ? "a.example" : NULL);
    }
    o.psks = many;
    o.n_psks = 9;
    refused(&o, true, "more than 8");
    many[0] = psk_of(GOOD_PSK, "192.0.2.1");
    l2v_ike_config_unref(make(&o, true));
}
END_TEST

START_TEST(weak_psk_is_warned_of)
{
    l2tpvoip_psk psk;
    l2tpvoip_ipsec_options o;
    static const struct {
        const char *key;
        unsigned warnings;
    } cases[] = {{GOOD_PSK, 0}, {"vpn", 1}, {"aaaaaaaaaaaaaaaaaaaaaaaa", 1},
                 {"0123456789012345678", 1}};

    ike_t.env->log.write = on_log;
    ike_t.env->log.level = L2TPVOIP_LOG_WARNING;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        psk = psk_of(cases[i].key, NULL);
        options_init(&o, &psk);
        n_warnings = 0;
        warning[0] = 0;
        l2v_ike_config_unref(make(&o, true));
        ck_assert_uint_eq(n_warnings, cases[i].warnings);
        ck_assert_ptr_null(strstr(warning, cases[i].key)); /* never the secret itself */
    }
}
END_TEST

START_TEST(psk_order)
{
    l2tpvoip_psk psks[5];
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c;
    unsigned index[L2V_IKE_MAX_PSKS];
    l2tpvoip_addr here = ike_addr("192.0.2.7:500"), there = ike_addr("198.51.100.1:500");
    struct l2v_ike_id id;

    psks[0] = psk_of(GOOD_PSK "0", NULL);
    psks[1] = psk_of(GOOD_PSK "1", "sales.example");
    psks[2] = psk_of(GOOD_PSK "2", "192.0.2.7");
    psks[3] = psk_of(GOOD_PSK "3", NULL);
    psks[4] = psk_of(GOOD_PSK "4", "10.0.0.5");
    options_init(&o, psks);
    o.n_psks = 5;
    c = make(&o, true);
    /* the identity is not known yet: address, names, anybody, inner addresses */
    ck_assert_uint_eq(l2v_ike_config_find_psks(c, &here, NULL, index), 5);
    ck_assert_uint_eq(index[0], 2);
    ck_assert_uint_eq(index[1], 1);
    ck_assert_uint_eq(index[2], 0);
    ck_assert_uint_eq(index[3], 3);
    ck_assert_uint_eq(index[4], 4);
    /* it is known */
    ck_assert_int_eq(l2v_ike_id_parse("sales.example", &id), 0);
    ck_assert_uint_eq(l2v_ike_config_find_psks(c, &there, &id, index), 3);
    ck_assert_uint_eq(index[0], 1);
    ck_assert_uint_eq(index[1], 0);
    /* may the peer use it? */
    ck_assert(l2v_ike_config_accepts(c, 1, &there, &id));
    ck_assert(l2v_ike_config_accepts(c, 0, &there, &id));
    ck_assert(!l2v_ike_config_accepts(c, 2, &there, &id)); /* bound to another address */
    ck_assert(l2v_ike_config_accepts(c, 2, &here, &id));
    ck_assert(!l2v_ike_config_accepts(c, 4, &there, &id));
    ck_assert(!l2v_ike_config_accepts(c, 5, &there, &id));
    ck_assert_int_eq(l2v_ike_id_parse("10.0.0.5", &id), 0); /* behind a NAT */
    ck_assert(l2v_ike_config_accepts(c, 4, &there, &id));
    ck_assert(!l2v_ike_config_accepts(c, 1, &there, &id));
    l2v_ike_config_unref(c);
}
END_TEST

START_TEST(at_most_eight)
{
    static const char *const names[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4",
                                        "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8",
                                        "10.0.0.9", "10.0.0.10", NULL, "192.0.2.1"};
    l2tpvoip_psk psks[12];
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c;
    unsigned index[L2V_IKE_MAX_PSKS];
    l2tpvoip_addr peer = ike_addr("192.0.2.1");

    for (unsigned i = 0; i < 12; i++) {
        psks[i] = psk_of(GOOD_PSK, names[i]);
    }
    options_init(&o, psks);
    o.n_psks = 12;
    c = make(&o, true);
    ck_assert_uint_eq(l2v_ike_config_find_psks(c, &peer, NULL, index), L2V_IKE_MAX_PSKS);
    ck_assert_uint_eq(index[0], 11);
    ck_assert_uint_eq(index[1], 10);
    l2v_ike_config_unref(c);
}
END_TEST

START_TEST(remote_id_is_demanded)
{
    l2tpvoip_psk psk = psk_of(GOOD_PSK, NULL);
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c;
    l2tpvoip_addr peer = ike_addr("192.0.2.1:4500");
    struct l2v_ike_id id, mine;

    options_init(&o, &psk);
    o.remote_id = "vpn.example";
    c = make(&o, false);
    ck_assert_int_eq(l2v_ike_id_parse("VPN.example", &id), 0);
    ck_assert(l2v_ike_config_accepts(c, 0, &peer, &id));
    ck_assert_int_eq(l2v_ike_id_parse("192.0.2.1", &id), 0);
    ck_assert(!l2v_ike_config_accepts(c, 0, &peer, &id));
    l2v_ike_config_local_id(c, &peer, &mine); /* our address when none is set */
    ck_assert(l2v_ike_id_equal(&mine, &id));
    l2v_ike_config_unref(c);
    o.local_id = "@me";
    c = make(&o, false);
    l2v_ike_config_local_id(c, &peer, &mine);
    ck_assert_uint_eq(mine.type, L2V_IKE_ID_KEY_ID);
    l2v_ike_config_unref(c);
}
END_TEST

START_TEST(out_of_memory)
{
    l2tpvoip_psk psks[2] = {psk_of(GOOD_PSK, NULL), psk_of(GOOD_PSK, "192.0.2.1")};
    l2tpvoip_ipsec_options o;
    struct l2v_ike_config *c = NULL;
    l2tpvoip_failure f;
    long before = ike_t.te.live;

    options_init(&o, psks);
    o.n_psks = 2;
    for (long nth = 1; nth <= 4; nth++) {
        ike_t.te.fail_at = ike_t.te.n_allocs + nth;
        ck_assert_int_eq(l2v_ike_config_new(ike_t.env, ike_t.crypto, &o, true, &c, &f),
                         L2TPVOIP_ERR_NOMEM);
        ck_assert_int_eq(f.code, L2TPVOIP_ERR_NOMEM);
        ck_assert_int_eq(ike_t.te.live, before);
    }
    ike_t.te.fail_at = 0;
}
END_TEST

TCase *test_ike_config(void)
{
    TCase *tc = ike_tcase("config");
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, given_values);
    tcase_add_loop_test(tc, bad_numbers, 0, 23);
    tcase_add_test(tc, bad_combinations);
    tcase_add_test(tc, proposals);
    tcase_add_test(tc, perfect_forward_secrecy);
    tcase_add_test(tc, bad_psks);
    tcase_add_test(tc, weak_psk_is_warned_of);
    tcase_add_test(tc, psk_order);
    tcase_add_test(tc, at_most_eight);
    tcase_add_test(tc, remote_id_is_demanded);
    tcase_add_test(tc, out_of_memory);
    return tc;
}
