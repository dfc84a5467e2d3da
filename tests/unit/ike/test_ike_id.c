/* SPDX-License-Identifier: MIT */
/* Identities and selectors (RFC 2407 section 4.6.2), vendor ids. */
#include <l2tpvoip/ipsec.h>

#include "base_addr.h"
#include "ike_config.h"
#include "ike_vid.h"
#include "test_ike.h"

static const struct {
    const char *text;
    uint8_t type;
    uint16_t len;
    const char *again; /* what format gives; NULL = the same */
} ids[] = {
    {"192.0.2.1", L2V_IKE_ID_IPV4, 4, NULL},
    {"2001:db8::1", L2V_IKE_ID_IPV6, 16, NULL},
    {"[2001:db8::1]", L2V_IKE_ID_IPV6, 16, "2001:db8::1"},
    {"vpn.example.org", L2V_IKE_ID_FQDN, 15, NULL},
    {"user@example.org", L2V_IKE_ID_USER_FQDN, 16, NULL},
    {"@group", L2V_IKE_ID_KEY_ID, 5, NULL},
    {"@#00ff10", L2V_IKE_ID_KEY_ID, 3, NULL},
};

START_TEST(text)
{
    struct l2v_ike_id id;
    char again[L2V_IKE_ID_TEXT];
    ck_assert_int_eq(l2v_ike_id_parse(ids[_i].text, &id), 0);
    ck_assert_uint_eq(id.type, ids[_i].type);
    ck_assert_uint_eq(id.len, ids[_i].len);
    l2v_ike_id_format(&id, again, sizeof(again));
    ck_assert_str_eq(again, ids[_i].again != NULL ? ids[_i].again : ids[_i].text);
}
END_TEST

START_TEST(bad_text)
{
    static const char *const bad[] = {"", "@", "@#", "@#1", "@#zz", "a\nb", "a\x7f"};
    char longest[300];
    struct l2v_ike_id id;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(l2v_ike_id_parse(bad[i], &id), L2TPVOIP_ERR_CONFIG);
    }
    ck_assert_int_eq(l2v_ike_id_parse(NULL, &id), L2TPVOIP_ERR_CONFIG);
    memset(longest, 'a', sizeof(longest));
    longest[257] = 0;
    ck_assert_int_eq(l2v_ike_id_parse(longest, &id), L2TPVOIP_ERR_CONFIG);
    longest[256] = 0;
    ck_assert_int_eq(l2v_ike_id_parse(longest, &id), 0);
}
END_TEST

START_TEST(format_is_harmless)
{
    struct l2v_ike_id id;
    char text_out[16];

    memset(&id, 0, sizeof(id));
    id.type = L2V_IKE_ID_FQDN;
    id.len = 6;
    memcpy(id.data, "a\x1b[2Jz", 6);
    for (size_t size = 0; size <= sizeof(text_out); size++) {
        memset(text_out, '#', sizeof(text_out));
        l2v_ike_id_format(&id, text_out, size);
        ck_assert(size == 0 || memchr(text_out, 0, size) != NULL);
        ck_assert_ptr_null(memchr(text_out, 0x1b, sizeof(text_out)));
    }
    l2v_ike_id_format(&id, text_out, sizeof(text_out));
    ck_assert_str_eq(text_out, "a\\x1b[2Jz");
}
END_TEST

START_TEST(equality)
{
    struct l2v_ike_id a, b, c, d;
    ck_assert_int_eq(l2v_ike_id_parse("Host.Example", &a), 0);
    ck_assert_int_eq(l2v_ike_id_parse("host.example", &b), 0);
    ck_assert_int_eq(l2v_ike_id_parse("@host.example", &c), 0);
    ck_assert_int_eq(l2v_ike_id_parse("192.0.2.1", &d), 0);
    ck_assert(l2v_ike_id_equal(&a, &b));
    ck_assert(!l2v_ike_id_equal(&b, &c));
    ck_assert(l2v_ike_id_matches(&a, &b));
    ck_assert(l2v_ike_id_matches(&b, &c)); /* peers type names as KEY_ID */
    ck_assert(!l2v_ike_id_matches(&a, &d));
    ck_assert(!l2v_ike_id_matches(&d, &a));
}
END_TEST

static const struct {
    const char *hex;
    int rc;
} bodies[] = {
    /* rfc2407#4.6.2 */
    {"01 11 06a5 c0000201", 0},
    {"01 11 06a5 c00002", L2TPVOIP_ERR_MALFORMED},
    {"01 11 06a5 c000020100", L2TPVOIP_ERR_MALFORMED},
    {"01 11 06", L2TPVOIP_ERR_MALFORMED},
    {"", L2TPVOIP_ERR_MALFORMED},
    {"02 00 0000", L2TPVOIP_ERR_MALFORMED}, /* an empty name */
    {"02 00 0000 61", 0},
    {"00 00 0000 61", L2TPVOIP_ERR_UNSUPPORTED},
    {"0c 00 0000 61", L2TPVOIP_ERR_UNSUPPORTED},
    {"04 00 0000 c0000200 ffffff00", 0},
    {"04 00 0000 c0000200 ffff00ff", L2TPVOIP_ERR_MALFORMED}, /* a mask with holes */
    {"04 00 0000 c0000200", L2TPVOIP_ERR_MALFORMED},
    {"07 00 0000 c0000201 c0000200", L2TPVOIP_ERR_MALFORMED}, /* upside down */
    {"07 00 0000 c0000200 c0000201", 0},
    {"05 11 06a5 20010db8000000000000000000000001", 0},
    {"05 11 06a5 20010db80000000000000000000001", L2TPVOIP_ERR_MALFORMED},
    {"06 00 0000 20010db8000000000000000000000000 ffffffff000000000000000000000000", 0},
    {"06 00 0000 20010db8000000000000000000000000 ffff", L2TPVOIP_ERR_MALFORMED},
};

static size_t from_hex(const char *hex, uint8_t *buf, size_t size)
{
    char packed[512];
    size_t n = 0;
    for (; *hex != 0; hex++) {
        if (*hex != ' ') {
            packed[n++] = *hex;
        }
    }
    packed[n] = 0;
    return n > 0 ? unit_hex(packed, buf, size) : 0;
}

START_TEST(body)
{
    uint8_t in[128], out[128];
    struct l2v_ike1_selector s;
    struct l2v_writer w;
    size_t len = from_hex(bodies[_i].hex, in, sizeof(in));

    ck_assert_int_eq(l2v_ike1_id_read(in, len, &s), bodies[_i].rc);
    if (bodies[_i].rc == 0) {
        l2v_writer_init(&w, out, sizeof(out));
        l2v_ike1_id_write(&w, &s);
        ck_assert_uint_eq(l2v_writer_len(&w), len);
        ck_assert_mem_eq(in, out, len);
    }
}
END_TEST

START_TEST(too_long)
{
    uint8_t in[4 + L2V_IKE_ID_MAX + 1] = {L2V_IKE_ID_KEY_ID};
    struct l2v_ike1_selector s;
    ck_assert_int_eq(l2v_ike1_id_read(in, sizeof(in) - 1, &s), 0);
    ck_assert_int_eq(l2v_ike1_id_read(in, sizeof(in), &s), L2TPVOIP_ERR_UNSUPPORTED);
}
END_TEST

START_TEST(phase1_ports) /* rfc2407#4.6.2 rfc3947#4 */
{
    static const struct {
        uint8_t protocol;
        uint16_t port;
        int rc;
    } cases[] = {{0, 0, 0},
                 {17, 500, 0},
                 {17, 0, 0},
                 {17, 4500, 0},
                 {17, 1701, L2TPVOIP_ERR_MALFORMED},
                 {0, 500, L2TPVOIP_ERR_MALFORMED},
                 {6, 500, L2TPVOIP_ERR_MALFORMED}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t in[8] = {L2V_IKE_ID_IPV4, cases[i].protocol, (uint8_t)(cases[i].port >> 8),
                         (uint8_t)cases[i].port, 10, 0, 0, 1};
        struct l2v_ike1_selector s;
        ck_assert_int_eq(l2v_ike1_id_read_phase1(in, sizeof(in), &s), cases[i].rc);
    }
}
END_TEST

START_TEST(selector_host)
{
    static const struct {
        const char *hex;
        const char *addr; /* NULL = not one host */
    } cases[] = {
        {"01110000c0000201", "192.0.2.1"},
        {"041106a5c0000201ffffffff", "192.0.2.1"},
        {"041106a5c0000200ffffff00", NULL},
        {"071106a5c0000201c0000201", "192.0.2.1"},
        {"071106a5c0000201c0000202", NULL},
        {"051106a520010db8000000000000000000000001", "2001:db8::1"},
        {"0200000061", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t in[64];
        struct l2v_ike1_selector s;
        l2tpvoip_addr a, want;
        size_t len = unit_hex(cases[i].hex, in, sizeof(in));
        ck_assert_int_eq(l2v_ike1_id_read(in, len, &s), 0);
        ck_assert_int_eq(l2v_ike1_selector_get_host(&s, &a), cases[i].addr != NULL);
        if (cases[i].addr != NULL) {
            want = ike_addr(cases[i].addr);
            ck_assert(l2v_addr_equal_ip(&a, &want));
        }
    }
}
END_TEST

TCase *test_ike_id(void)
{
    TCase *tc = ike_tcase("id");
    tcase_add_loop_test(tc, text, 0, sizeof(ids) / sizeof(ids[0]));
    tcase_add_test(tc, bad_text);
    tcase_add_test(tc, format_is_harmless);
    tcase_add_test(tc, equality);
    tcase_add_loop_test(tc, body, 0, sizeof(bodies) / sizeof(bodies[0]));
    tcase_add_test(tc, too_long);
    tcase_add_test(tc, phase1_ports);
    tcase_add_test(tc, selector_host);
    return tc;
}

/* --- vendor ids ------------------------------------------------------------------------------ */

/* Most are the MD5 of their name. */
START_TEST(md5_of_name)
{
    static const struct {
        enum l2v_ike_vid vid;
        const char *name;
    } named[] = {
        {L2V_IKE_VID_RFC3947, "RFC 3947"},
        {L2V_IKE_VID_NATT_00, "draft-ietf-ipsec-nat-t-ike-00"},
        {L2V_IKE_VID_NATT_02, "draft-ietf-ipsec-nat-t-ike-02"},
        {L2V_IKE_VID_NATT_02N, "draft-ietf-ipsec-nat-t-ike-02\n"},
        {L2V_IKE_VID_NATT_03, "draft-ietf-ipsec-nat-t-ike-03"},
        {L2V_IKE_VID_NATT_IKE, "draft-ietf-ipsec-nat-t-ike"},
        {L2V_IKE_VID_FRAGMENTATION, "FRAGMENTATION"},
        {L2V_IKE_VID_MS_NT5, "MS NT5 ISAKMPOAKLEY"},
        {L2V_IKE_VID_MS_NEGOTIATION_DISCOVERY, "MS-Negotiation Discovery Capable"},
        {L2V_IKE_VID_MS_INITIAL_CONTACT, "Vid-Initial-Contact"},
        {L2V_IKE_VID_MS_CGA, "IKE CGA version 1"},
        {L2V_IKE_VID_STRONGSWAN, "strongSwan"},
    };
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        struct l2v_iov in = {named[i].name, strlen(named[i].name)};
        uint8_t md5[16];
        ck_assert_int_eq(l2v_digest(ike_t.crypto, L2V_HASH_MD5, &in, 1, md5), 0);
        ck_assert_msg(l2v_ike_vid_classify(md5, 16) == named[i].vid, "%s", named[i].name);
        ck_assert_int_eq(l2v_ike_vid_classify(md5, 15), L2V_IKE_N_VIDS);
    }
}
END_TEST

static void parse_vids(const char *const *hex, size_t n, struct l2v_ike_vids *ret)
{
    uint8_t buf[1024], vid[64];
    struct l2v_ike_header h;
    struct l2v_ike_message m;
    struct l2v_ike_build b;
    size_t len;

    memset(&h, 0, sizeof(h));
    h.icookie[0] = 1;
    h.version = L2V_IKE_VERSION_1;
    h.exchange = L2V_IKE1_EXCHANGE_MAIN;
    l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
    for (size_t i = 0; i < n; i++) {
        size_t vid_len = unit_hex(hex[i], vid, sizeof(vid));
        l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_VID, vid, vid_len);
    }
    ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
    memset(ret, 0, sizeof(*ret));
    l2v_ike_vids_gather(&m, ret);
}

/* As Windows 10 and 11 send them, in this order. */
static const char *const windows10[] = {
    "01528bbbc00696121849ab9a1c5b2a5100000001", "1e2b516905991c7d7c96fcbfb587e46100000009",
    "4a131c81070358455c5728f20e95452f",         "90cb80913ebb696e086381b5ec427b1f",
    "4048b7d56ebce88525e7de7f00d6c2d3",         "fb1de3cdf341b7ea16b7e5be0855f120",
    "26244d38eddb61b3172a36e3d0cfb819",         "e3a5966a76379fe707228231e5ce8652",
};

START_TEST(windows)
{
    struct l2v_ike_vids vids;
    parse_vids(windows10, 8, &vids);
    ck_assert_uint_eq(vids.n_unknown, 0);
    ck_assert(l2v_ike_vids_is_microsoft(&vids));
    ck_assert(l2v_ike_vids_can_fragment(&vids)); /* without capabilities */
    ck_assert(l2v_ike_vids_has(&vids, L2V_IKE_VID_RFC3947));
    ck_assert(!l2v_ike_vids_has(&vids, L2V_IKE_VID_DPD));
    ck_assert_uint_eq(vids.ms_version, 9);
    ck_assert_str_eq(l2v_ike_vids_product(&vids), "Windows 8 or later");
}
END_TEST

START_TEST(fragment_capabilities)
{
    static const char *const main_mode[] = {"4048b7d56ebce88525e7de7f00d6c2d380000000"};
    static const char *const cisco[] = {"4048b7d56ebce88525e7de7f00d6c2d3c0000000"};
    static const char *const base_only[] = {"4048b7d56ebce88525e7de7f00d6c2d340000000"};
    static const char *const unknown[] = {"00112233445566778899aabbccddeeff"};
    struct l2v_ike_vids vids;

    parse_vids(main_mode, 1, &vids);
    ck_assert(l2v_ike_vids_can_fragment(&vids));
    parse_vids(cisco, 1, &vids);
    ck_assert(l2v_ike_vids_can_fragment(&vids));
    parse_vids(base_only, 1, &vids);
    ck_assert(!l2v_ike_vids_can_fragment(&vids));
    parse_vids(unknown, 1, &vids);
    ck_assert_uint_eq(vids.n_unknown, 1);
    ck_assert_ptr_null(l2v_ike_vids_product(&vids));
}
END_TEST

static void written(uint32_t set, uint32_t flags, const struct l2v_ike_vids *peer,
                    struct l2v_ike_vids *ret, unsigned *ret_n)
{
    uint8_t buf[1024];
    struct l2v_ike_config config;
    struct l2v_ike_header h;
    struct l2v_ike_message m;
    struct l2v_ike_build b;
    size_t len;

    memset(&config, 0, sizeof(config));
    config.vendor_ids = set;
    config.flags = flags;
    memset(&h, 0, sizeof(h));
    h.icookie[0] = 1;
    h.version = L2V_IKE_VERSION_1;
    h.exchange = L2V_IKE1_EXCHANGE_MAIN;
    l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
    l2v_ike_vids_write(&b, &config, peer);
    ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
    memset(ret, 0, sizeof(*ret));
    l2v_ike_vids_gather(&m, ret);
    *ret_n = m.n;
}

START_TEST(vid_switch)
{
    struct l2v_ike_vids got, peer;
    unsigned n;

    written(L2TPVOIP_VENDOR_IDS_NONE, 0, NULL, &got, &n);
    ck_assert_uint_eq(n, 0);
    written(L2TPVOIP_VENDOR_IDS_MINIMAL, 0, NULL, &got, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert(l2v_ike_vids_has(&got, L2V_IKE_VID_RFC3947));
    ck_assert(l2v_ike_vids_has(&got, L2V_IKE_VID_DPD));
    written(L2TPVOIP_VENDOR_IDS_FULL, 0, NULL, &got, &n);
    ck_assert_uint_eq(got.n_unknown, 0);
    ck_assert(l2v_ike_vids_has(&got, L2V_IKE_VID_FRAGMENTATION));
    ck_assert(l2v_ike_vids_has(&got, L2V_IKE_VID_NATT_02N));
    ck_assert(l2v_ike_vids_can_fragment(&got));
    written(L2TPVOIP_VENDOR_IDS_FULL,
            L2TPVOIP_IPSEC_NO_DPD | L2TPVOIP_IPSEC_NO_FRAGMENTATION | L2TPVOIP_IPSEC_NATT_DRAFTS,
            NULL, &got, &n);
    ck_assert(!l2v_ike_vids_has(&got, L2V_IKE_VID_DPD));
    ck_assert(!l2v_ike_vids_has(&got, L2V_IKE_VID_FRAGMENTATION));
    ck_assert(!l2v_ike_vids_has(&got, L2V_IKE_VID_RFC3947)); /* quirk: old Cisco IOS */
    ck_assert(l2v_ike_vids_has(&got, L2V_IKE_VID_NATT_02N));
    /* rfc3947#3.1: a responder answers one, and only what was offered. */
    parse_vids(windows10, 8, &peer);
    written(L2TPVOIP_VENDOR_IDS_MINIMAL, 0, &peer, &got, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert(l2v_ike_vids_has(&got, L2V_IKE_VID_RFC3947));
    memset(&peer, 0, sizeof(peer));
    written(L2TPVOIP_VENDOR_IDS_MINIMAL, 0, &peer, &got, &n);
    ck_assert_uint_eq(n, 1);
    peer.seen = L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_02N) | L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_05);
    written(L2TPVOIP_VENDOR_IDS_MINIMAL, 0, &peer, &got, &n);
    ck_assert(l2v_ike_vids_has(&got, L2V_IKE_VID_NATT_02N));
}
END_TEST

TCase *test_ike_vid(void)
{
    TCase *tc = ike_tcase("vid");
    tcase_add_test(tc, md5_of_name);
    tcase_add_test(tc, windows);
    tcase_add_test(tc, fragment_capabilities);
    tcase_add_test(tc, vid_switch);
    return tc;
}
