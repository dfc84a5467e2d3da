/* SPDX-License-Identifier: MIT */
/* Phase 1 proposals: text, SA bodies, choice, hostile input. RFC 2409 appendix A, RFC 2408 #4.2. */
#include "ike1_attr.h"
#include "ike1_proposal.h"
#include "ike_config.h"
#include "test_ike.h"

static struct l2v_ike1_p1_list list_of(const char *text)
{
    struct l2v_ike1_p1_list l;
    char bad[64] = "";
    ck_assert_msg(l2v_ike1_p1_list_parse(text, &l, bad, sizeof(bad)) == 0, "%s: %s", text, bad);
    return l;
}

static size_t offer(const struct l2v_ike1_p1_list *l, uint32_t life_s, uint8_t *buf, size_t size)
{
    struct l2v_writer w;
    l2v_writer_init(&w, buf, size);
    l2v_ike1_p1_write_offer(&w, l, life_s);
    ck_assert(!w.failed);
    return l2v_writer_len(&w);
}

static const char *chosen_text(const struct l2v_ike1_p1 *p)
{
    static char text[64];
    l2v_ike1_p1_format(p, text, sizeof(text));
    return text;
}

START_TEST(text_round_trip)
{
    struct l2v_ike1_p1_list l =
        list_of(" AES256-SHA2_256-modp2048 ,aes128-sha-ecp256, 3des-sha1-dh2,aes192-sha512-dh21");
    static const char *const want[] = {"aes256-sha256-modp2048", "aes128-sha1-ecp256",
                                       "3des-sha1-modp1024", "aes192-sha512-ecp521"};
    char people[64];
    ck_assert_uint_eq(l.n, 4);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_str_eq(chosen_text(&l.items[i]), want[i]);
        ck_assert_uint_eq(l.items[i].auth, L2V_IKE1_AUTH_PSK);
    }
    l2v_ike1_p1_describe(&l.items[0], people, sizeof(people));
    ck_assert_str_eq(people, "AES-256/SHA2-256/MODP-2048");
    /* the same twice is once */
    ck_assert_uint_eq(list_of("aes128-sha1-dh14,aes128-sha-modp2048").n, 1);
}
END_TEST

START_TEST(bad_text)
{
    static const char *const bad[] = {
        "", ",", "aes128", "aes128-sha1", "aes128-modp2048", "sha1-aes128-modp2048",
        "aes128-sha1-modp2048,", "aes128-sha1-modp2048-esn", "aes128-sha1-modp2048-modp1024",
        "aes128gcm16-sha1-modp2048", "des-sha1-modp2048", "aes128-md5-modp2048",
        "aes128-sha1-modp768", "aes128-sha1-x25519", "aes512-sha1-modp2048", "null-sha1-modp2048",
        "aes128 sha1 modp2048", "aes128--modp2048"};
    char word[64];
    struct l2v_ike1_p1_list l;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(l2v_ike1_p1_list_parse(bad[i], &l, word, sizeof(word)) ==
                          L2TPVOIP_ERR_CONFIG, "%s", bad[i]);
    }
    ck_assert_int_eq(l2v_ike1_p1_list_parse(NULL, &l, NULL, 0), L2TPVOIP_ERR_CONFIG);
    ck_assert_int_ne(l2v_ike1_p1_list_parse("aes128-sha1-modp2048, foo-bar ", &l, word,
                                            sizeof(word)), 0);
    ck_assert_str_eq(word, "foo-bar");
    ck_assert_int_ne(l2v_ike1_p1_list_parse("foo-bar", &l, word, 4), 0);
    ck_assert_str_eq(word, "foo");
}
END_TEST

/* Every profile's offer parses back to itself. */
START_TEST(profile_round_trip)
{
    const struct l2v_ike_profile *profile = l2v_ike_profile_get((uint32_t)_i);
    struct l2v_ike1_p1_list l = list_of(profile->ike), back;
    uint8_t body[2048];
    size_t len = offer(&l, profile->ike_lifetime_s, body, sizeof(body));

    ck_assert_int_eq(l2v_ike1_p1_read(body, len, &back), 0);
    ck_assert_uint_eq(back.n, l.n);
    for (unsigned i = 0; i < l.n; i++) {
        struct l2v_ike1_p1 *p = &back.items[i];
        ck_assert_uint_eq(p->transform_no, i + 1);
        ck_assert_uint_eq(p->proposal_no, 1);
        ck_assert_uint_eq(p->life_s, profile->ike_lifetime_s);
        ck_assert_uint_eq(p->life_kb, 0);
        p->transform_no = p->proposal_no = 0;
        p->life_s = 0;
        ck_assert_mem_eq(p, &l.items[i], sizeof(*p));
        ck_assert_uint_gt(l2v_ike1_p1_key_len(p), 0);
        ck_assert_int_ne(l2v_ike1_p1_hash(p), L2V_HASH_NONE);
        ck_assert_int_ne(l2v_ike1_p1_cipher(p), L2V_CIPHER_NONE);
        ck_assert(l2v_dh_is_known(p->group));
    }
}
END_TEST

/* rfc2409#appendix-A: variable attributes are TLV, and may be TV when they fit. */
START_TEST(life_encodings)
{
    struct l2v_ike1_p1_list l = list_of("aes128-sha1-modp2048"), back;
    uint8_t tv[256], tlv[256];
    size_t tv_len = offer(&l, 28800, tv, sizeof(tv));
    size_t tlv_len = offer(&l, 86400, tlv, sizeof(tlv));

    ck_assert_uint_eq(tlv_len, tv_len + 4);
    ck_assert_int_eq(l2v_ike1_p1_read(tlv, tlv_len, &back), 0);
    ck_assert_uint_eq(back.items[0].life_s, 86400);
    ck_assert_int_eq(l2v_ike1_p1_read(tv, tv_len, &back), 0);
    ck_assert_uint_eq(back.items[0].life_s, 28800);
}
END_TEST

START_TEST(attributes)
{
    static const uint8_t bytes[] = {0x80, 0x01, 0x00, 0x07,             /* TV */
                                    0x00, 0x01, 0x00, 0x02, 0x00, 0x07, /* TLV of 2 */
                                    0x00, 0x0c, 0x00, 0x04, 0x00, 0x00, 0x70, 0x80,
                                    0x00, 0x0c, 0x00, 0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0x00, 0x0c, 0x00, 0x00}; /* empty */
    static const struct l2v_ike1_attr want[] = {
        {1, 7}, {1, 7}, {12, 28800}, {12, UINT32_MAX}, {12, 0}};
    struct l2v_reader r;
    struct l2v_ike1_attr a;

    l2v_reader_init(&r, bytes, sizeof(bytes));
    for (unsigned i = 0; i < 5; i++) {
        ck_assert(l2v_ike1_attr_next(&r, &a));
        ck_assert_uint_eq(a.type, want[i].type);
        ck_assert_uint_eq(a.value, want[i].value);
    }
    ck_assert(!l2v_ike1_attr_next(&r, &a));
    ck_assert(!r.failed);
    for (size_t len = 1; len < 4; len++) {
        l2v_reader_init(&r, bytes, len);
        ck_assert(!l2v_ike1_attr_next(&r, &a));
        ck_assert(r.failed);
    }
    l2v_reader_init(&r, bytes + 10, 7);
    ck_assert(!l2v_ike1_attr_next(&r, &a));
    ck_assert(r.failed);
}
END_TEST

START_TEST(choose_order)
{
    static const struct {
        const char *policy, *offer, *want; /* want NULL = none */
    } cases[] = {
        /* strong before weak, whatever the orders */
        {"3des-sha1-modp1024,aes128-sha1-modp2048", "3des-sha1-modp1024,aes128-sha1-modp2048",
         "aes128-sha1-modp2048"},
        {"aes256-sha1-modp2048,aes256-sha256-modp2048",
         "aes256-sha1-modp2048,aes256-sha256-modp2048", "aes256-sha256-modp2048"},
        /* then the cheapest group: ECP-384 costs more than MODP-2048 */
        {"aes256-sha1-ecp384,aes256-sha1-modp2048,aes128-sha1-ecp256",
         "aes256-sha1-ecp384,aes128-sha1-ecp256,aes256-sha1-modp2048", "aes128-sha1-ecp256"},
        {"aes256-sha1-ecp384,aes256-sha1-modp2048", "aes256-sha1-ecp384,aes256-sha1-modp2048",
         "aes256-sha1-modp2048"},
        /* then our order */
        {"aes256-sha256-modp2048,aes128-sha256-modp2048",
         "aes128-sha256-modp2048,aes256-sha256-modp2048", "aes256-sha256-modp2048"},
        {"aes128-sha256-modp2048,aes256-sha256-modp2048",
         "aes256-sha256-modp2048,aes128-sha256-modp2048", "aes128-sha256-modp2048"},
        /* nothing in common */
        {"aes256-sha256-modp2048", "aes256-sha256-modp1536", NULL},
        {"aes256-sha256-modp2048", "aes128-sha256-modp2048", NULL},
        {"aes256-sha256-modp2048", "aes256-sha1-modp2048", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct l2v_ike1_p1_list policy = list_of(cases[i].policy), o = list_of(cases[i].offer);
        uint8_t body[1024];
        size_t len = offer(&o, 28800, body, sizeof(body));
        struct l2v_ike1_p1 chosen;
        int rc = l2v_ike1_p1_choose(&policy, body, len, &chosen);
        if (cases[i].want == NULL) {
            ck_assert_int_eq(rc, L2TPVOIP_ERR_NO_PROPOSAL);
        } else {
            ck_assert_int_eq(rc, 0);
            ck_assert_str_eq(chosen_text(&chosen), cases[i].want);
        }
    }
}
END_TEST

/* rfc2408#4.2: the answer repeats the transform; the initiator takes nothing else. */
START_TEST(answer)
{
    struct l2v_ike1_p1_list ours = list_of("aes256-sha256-modp2048,aes128-sha1-modp2048");
    struct l2v_ike1_p1_list theirs = list_of("aes128-sha1-modp2048");
    struct l2v_ike1_p1_list other = list_of("aes128-sha256-modp2048");
    struct l2v_ike1_p1 chosen, got;
    uint8_t body[512], reply[512];
    size_t len = offer(&ours, 86400, body, sizeof(body));
    struct l2v_writer w;

    ck_assert_int_eq(l2v_ike1_p1_choose(&theirs, body, len, &chosen), 0);
    ck_assert_uint_eq(chosen.transform_no, 2);
    ck_assert_uint_eq(chosen.life_s, 86400);
    l2v_writer_init(&w, reply, sizeof(reply));
    l2v_ike1_p1_write_choice(&w, &chosen);
    ck_assert_int_eq(l2v_ike1_p1_verify(&ours, reply, l2v_writer_len(&w), &got), 0);
    ck_assert_mem_eq(&got, &chosen, sizeof(got));
    ck_assert_int_eq(l2v_ike1_p1_verify(&other, reply, l2v_writer_len(&w), &got),
                     L2TPVOIP_ERR_NO_PROPOSAL);
    /* an answer with two transforms is none */
    ck_assert_int_eq(l2v_ike1_p1_verify(&ours, body, len, &got), L2TPVOIP_ERR_MALFORMED);
    /* the number of the offer comes back, 0 too */
    chosen.transform_no = 0;
    l2v_writer_init(&w, reply, sizeof(reply));
    l2v_ike1_p1_write_choice(&w, &chosen);
    ck_assert_int_eq(l2v_ike1_p1_verify(&ours, reply, l2v_writer_len(&w), &got), 0);
    ck_assert_uint_eq(got.transform_no, 0);
    /* without lifetimes */
    chosen.life_s = 0;
    l2v_writer_init(&w, reply, sizeof(reply));
    l2v_ike1_p1_write_choice(&w, &chosen);
    ck_assert_int_eq(l2v_ike1_p1_verify(&ours, reply, l2v_writer_len(&w), &got), 0);
    ck_assert_uint_eq(got.life_s, 0);
}
END_TEST

/* One transform from hex attributes; "" for the usual head. */
static size_t body_of(const char *attrs, uint8_t *buf)
{
    uint8_t bytes[256];
    size_t n = unit_hex(attrs, bytes, sizeof(bytes));
    struct l2v_ike1_sa_writer sa;
    struct l2v_writer w;
    l2v_writer_init(&w, buf, 512);
    l2v_ike1_sa_begin(&sa, &w, 1, L2V_IKE1_PROTO_ISAKMP, 0);
    l2v_ike1_sa_transform(&sa, 0, L2V_IKE1_KEY_IKE); /* numbers may start at 0 */
    l2v_write_bytes(&w, bytes, n);
    l2v_ike1_sa_end(&sa);
    ck_assert(!w.failed);
    return l2v_writer_len(&w);
}

#define AES128 "80010007" "800e0080"
#define REST "80020002" "80030001" "8004000e"

START_TEST(odd_transforms)
{
    static const struct {
        const char *attrs;
        int rc;
    } cases[] = {
        {AES128 REST, 0},
        {"000100020007" "000e00020080" REST, 0},                      /* basic ones as TLV */
        {AES128 REST "800b0001" "800c7080" "800b0002" "800c1000", 0}, /* seconds and kilobytes */
        {AES128 REST "800b0001" "800c7080" "800b0001" "800c7080", 0}, /* twice the same */
        {AES128 REST "80020002", 0},
        {AES128 REST "80050001", 0}, /* group type MODP, with a MODP group */
        /* rfc2407#4.5.2: contradictions */
        {AES128 REST "80020004", L2TPVOIP_ERR_NO_PROPOSAL},
        {AES128 REST "80010005", L2TPVOIP_ERR_NO_PROPOSAL},
        {AES128 REST "800e0100", L2TPVOIP_ERR_NO_PROPOSAL},
        {AES128 REST "800b0001" "800c7080" "800b0001" "800c7081", L2TPVOIP_ERR_NO_PROPOSAL},
        {AES128 REST "80050002", L2TPVOIP_ERR_NO_PROPOSAL},
        /* pairs that are none */
        {AES128 REST "800b0001", L2TPVOIP_ERR_NO_PROPOSAL},
        {AES128 REST "800c7080", L2TPVOIP_ERR_NO_PROPOSAL},
        {AES128 REST "800b0003" "800c7080", L2TPVOIP_ERR_NO_PROPOSAL},
        /* unknown attribute; PRF */
        {AES128 REST "80630001", L2TPVOIP_ERR_NO_PROPOSAL},
        {AES128 REST "800d0001", L2TPVOIP_ERR_NO_PROPOSAL},
        /* missing */
        {AES128 "80020002" "80030001", L2TPVOIP_ERR_NO_PROPOSAL},
        {"80010007" REST, L2TPVOIP_ERR_NO_PROPOSAL}, /* rfc3602#5.3: AES without key length */
        {"80010007" "800e0081" REST, L2TPVOIP_ERR_NO_PROPOSAL},
        {"80010007" "800e0000" REST, L2TPVOIP_ERR_NO_PROPOSAL},
        /* a value that would become ours if cut to 16 bits */
        {"0001000400010007" "800e0080" REST, L2TPVOIP_ERR_NO_PROPOSAL},
        /* certificates */
        {AES128 "80020002" "80030003" "8004000e", L2TPVOIP_ERR_NO_PROPOSAL},
        /* an attribute that runs over */
        {AES128 REST "000c00ff00", L2TPVOIP_ERR_MALFORMED},
        {AES128 REST "80", L2TPVOIP_ERR_MALFORMED},
    };
    struct l2v_ike1_p1_list policy = list_of("aes128-sha1-modp2048");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t body[512];
        struct l2v_ike1_p1 chosen;
        size_t len = body_of(cases[i].attrs, body);
        int rc = l2v_ike1_p1_choose(&policy, body, len, &chosen);
        ck_assert_msg(rc == cases[i].rc, "case %u: %d", (unsigned)i, rc);
        rc = l2v_ike1_p1_verify(&policy, body, len, &chosen);
        ck_assert_msg(rc == cases[i].rc, "case %u: %d", (unsigned)i, rc);
    }
}
END_TEST

START_TEST(structure)
{
    struct l2v_ike1_p1_list policy = list_of("aes128-sha1-modp2048,aes256-sha1-modp2048");
    static const struct {
        unsigned at;
        uint8_t value;
        int rc;
    } cases[] = {
        {3, 0, L2TPVOIP_ERR_UNSUPPORTED},  /* DOI 0 */
        {3, 2, L2TPVOIP_ERR_UNSUPPORTED},  /* GDOI */
        {7, 2, L2TPVOIP_ERR_UNSUPPORTED},  /* situation: secrecy */
        {7, 3, L2TPVOIP_ERR_UNSUPPORTED},
        {8, 2, L2TPVOIP_ERR_MALFORMED},    /* another proposal that is not there */
        {8, 1, L2TPVOIP_ERR_MALFORMED},
        {9, 1, L2TPVOIP_ERR_MALFORMED},    /* RESERVED */
        {11, 3, L2TPVOIP_ERR_MALFORMED},   /* proposal length */
        {10, 255, L2TPVOIP_ERR_MALFORMED},
        {13, 3, L2TPVOIP_ERR_NO_PROPOSAL}, /* protocol ESP */
        {14, 17, L2TPVOIP_ERR_MALFORMED},  /* SPI length */
        {15, 0, L2TPVOIP_ERR_MALFORMED},   /* number of transforms */
        {15, 1, L2TPVOIP_ERR_MALFORMED},
        {15, 3, L2TPVOIP_ERR_MALFORMED},
        {16, 0, L2TPVOIP_ERR_MALFORMED},   /* the first transform says that it is the last */
        {16, 2, L2TPVOIP_ERR_MALFORMED},
        {17, 9, L2TPVOIP_ERR_MALFORMED},   /* RESERVED */
        {19, 3, L2TPVOIP_ERR_MALFORMED},   /* transform length */
        {22, 1, L2TPVOIP_ERR_MALFORMED},   /* RESERVED2 */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t body[512];
        struct l2v_ike1_p1 chosen;
        size_t len = offer(&policy, 28800, body, sizeof(body));
        int rc;
        body[cases[i].at] = cases[i].value;
        rc = l2v_ike1_p1_choose(&policy, body, len, &chosen);
        ck_assert_msg(rc == cases[i].rc, "case %u: %d", (unsigned)i, rc);
    }
}
END_TEST

START_TEST(every_cut)
{
    struct l2v_ike1_p1_list policy = list_of("aes128-sha1-modp2048,aes256-sha1-modp2048"), back;
    uint8_t body[512];
    size_t len = offer(&policy, 86400, body, sizeof(body));
    for (size_t i = 0; i < len; i++) {
        uint8_t *copy = malloc(i > 0 ? i : 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, body, i);
        ck_assert_int_eq(l2v_ike1_p1_read(copy, i, &back), L2TPVOIP_ERR_MALFORMED);
        free(copy);
    }
    memset(body + len, 0, 4); /* stray bytes behind */
    ck_assert_int_eq(l2v_ike1_p1_read(body, len + 4, &back), L2TPVOIP_ERR_MALFORMED);
}
END_TEST

/* More transforms than a list holds: read stops, choose looks at all. */
START_TEST(many_transforms)
{
    static uint8_t body[8192];
    struct l2v_ike1_p1_list policy = list_of("aes128-sha1-modp2048"), back;
    struct l2v_ike1_sa_writer sa;
    struct l2v_ike1_p1 chosen;
    struct l2v_writer w;
    uint8_t attrs[64];
    size_t n;

    l2v_writer_init(&w, body, sizeof(body));
    l2v_ike1_sa_begin(&sa, &w, 1, L2V_IKE1_PROTO_ISAKMP, 0);
    for (unsigned i = 0; i < 255; i++) {
        n = unit_hex(i == 254 ? AES128 REST : "8001000580020002800300018004000e", attrs,
                     sizeof(attrs));
        l2v_ike1_sa_transform(&sa, i + 1, L2V_IKE1_KEY_IKE);
        l2v_write_bytes(&w, attrs, n);
    }
    l2v_ike1_sa_end(&sa);
    ck_assert(!w.failed);
    ck_assert_int_eq(l2v_ike1_p1_read(body, l2v_writer_len(&w), &back), 0);
    ck_assert_uint_eq(back.n, L2V_IKE1_P1_MAX);
    ck_assert_int_eq(l2v_ike1_p1_choose(&policy, body, l2v_writer_len(&w), &chosen), 0);
    ck_assert_uint_eq(chosen.transform_no, 255);
    l2v_ike1_sa_transform(&sa, 0, L2V_IKE1_KEY_IKE); /* the 256th does not fit a byte */
    ck_assert(w.failed);
}
END_TEST

START_TEST(wide)
{
    struct l2v_ike1_p1_list l, back;
    static uint8_t body[4096];
    unsigned weak = 0;
    size_t len;

    l2v_ike1_p1_wide(&l);
    ck_assert_uint_eq(l.n, L2V_IKE1_P1_MAX);
    len = offer(&l, 28800, body, sizeof(body));
    ck_assert_int_eq(l2v_ike1_p1_read(body, len, &back), 0);
    ck_assert_uint_eq(back.n, l.n);
    for (unsigned i = 0; i < l.n; i++) {
        weak += l.items[i].cipher == L2V_IKE1_ENC_DES && l.items[i].group == L2V_DH_MODP1024;
    }
    ck_assert_uint_eq(weak, 3);
    ck_assert_uint_lt(len, 2000); /* one fragment or two on the wire */
}
END_TEST

TCase *test_ike1_proposal(void)
{
    TCase *tc = ike_tcase("phase 1 proposals");
    tcase_add_test(tc, text_round_trip);
    tcase_add_test(tc, bad_text);
    tcase_add_loop_test(tc, profile_round_trip, 0, (int)L2V_IKE_N_PROFILES);
    tcase_add_test(tc, life_encodings);
    tcase_add_test(tc, attributes);
    tcase_add_test(tc, choose_order);
    tcase_add_test(tc, answer);
    tcase_add_test(tc, odd_transforms);
    tcase_add_test(tc, structure);
    tcase_add_test(tc, every_cut);
    tcase_add_test(tc, many_transforms);
    tcase_add_test(tc, wide);
    return tc;
}
