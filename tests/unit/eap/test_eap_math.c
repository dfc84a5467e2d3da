/* SPDX-License-Identifier: MIT */
/* MS-CHAPv2: the arithmetic of RFC 2759 and RFC 3079, texts. */
#include "eap_test.h"

/* Private to lib/eap, tested by itself. */
int l2v_eap_utf8_to_utf16le(const uint8_t *text, size_t len, uint8_t *out, size_t size,
                            size_t *ret_len);

static void check_exchange(const char *user, const char *password, const uint8_t auth[16],
                           const uint8_t peer[16], const uint8_t nt[24], const char *proof)
{
    uint8_t got[24];
    char text[43];
    size_t len = strlen(password);
    ck_assert_int_eq(l2v_mschapv2_nt_response(eap_crypto, auth, peer, user, strlen(user),
                                              (const uint8_t *)password, len, got),
                     0);
    ck_assert_mem_eq(got, nt, 24);
    ck_assert_int_eq(l2v_mschapv2_authenticator_response(eap_crypto, (const uint8_t *)password, len,
                                                         nt, peer, auth, user, strlen(user), text),
                     0);
    ck_assert_mem_eq(text, proof, 42);
    ck_assert_int_eq(text[42], 0);
}

/* rfc2759#9.2, rfc3079#3.5.3, inline so that it runs without the vectors folder */
START_TEST(rfc2759_and_3079)
{
    uint8_t auth[16], peer[16], nt[24], recv[16], send[16], want[16];
    unit_hex("5b5d7c7d7b3f2f3e3c2c602132262628", auth, 16);
    unit_hex("21402324255e262a28295f2b3a337c7e", peer, 16);
    unit_hex("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df", nt, 24);
    check_exchange("User", "clientPass", auth, peer, nt,
                   "S=407A5589115FD0D6209F510FE9C04566932CDA56");
    /* rfc2759#4 the domain does not count */
    check_exchange("BIGCO\\User", "clientPass", auth, peer, nt,
                   "S=407A5589115FD0D6209F510FE9C04566932CDA56");
    unit_hex("8b7cdc149b993a1ba118cb153f56dccb", want, 16);
    ck_assert_int_eq(
        l2v_mschapv2_keys(eap_crypto, (const uint8_t *)"clientPass", 10, nt, recv, send), 0);
    ck_assert_mem_eq(send, want, 16);
    ck_assert_mem_ne(recv, want, 16);
}
END_TEST

START_TEST(mschapv2_file)
{
    struct unit_json *json = unit_json_vectors("kat/mschapv2.json");
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        uint8_t auth[16], peer[16], nt[24];
        unit_json_hex(t, "authenticator_challenge", auth, 16);
        unit_json_hex(t, "peer_challenge", peer, 16);
        unit_json_hex(t, "nt_response", nt, 24);
        check_exchange(unit_json_str(t, "username"), unit_json_str(t, "password"), auth, peer, nt,
                       unit_json_str(t, "authenticator_response"));
        n++;
    }
    ck_assert(json == NULL || n >= 7);
    unit_json_free(json);
}
END_TEST

/* The master key is internal: a row of the one file names the row of the other by it. */
static const struct unit_json *find_login(const struct unit_json *logins, const char *master)
{
    const struct unit_json *t = unit_json_first(logins, "tests");
    while (t != NULL && strcmp(unit_json_str(t, "master_key"), master) != 0) {
        t = t->next;
    }
    return t;
}

START_TEST(mppe_file)
{
    struct unit_json *keys = unit_json_vectors("kat/mppe_rfc3079.json");
    struct unit_json *logins = unit_json_vectors("kat/mschapv2.json");
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(keys, "tests"); t != NULL; t = t->next) {
        const struct unit_json *login = find_login(logins, unit_json_str(t, "master_key"));
        const char *password = unit_json_str(login, "password");
        uint8_t nt[24], recv[16], send[16], want[16];
        if (login == NULL || unit_json_int(t, "bits", 0) != 128) {
            continue;
        }
        unit_json_hex(login, "nt_response", nt, 24);
        ck_assert_int_eq(l2v_mschapv2_keys(eap_crypto, (const uint8_t *)password, strlen(password),
                                           nt, recv, send),
                         0);
        if (unit_json_hex(t, "send_start_key", want, 16) > 0) {
            ck_assert_mem_eq(send, want, 16);
        } else {
            unit_json_hex(t, "send_start_key_server", want, 16);
            ck_assert_mem_eq(send, want, 16);
            unit_json_hex(t, "send_start_key_client", want, 16);
            ck_assert_mem_eq(recv, want, 16);
        }
        n++;
    }
    ck_assert(keys == NULL || n == 3);
    unit_json_free(keys);
    unit_json_free(logins);
}
END_TEST

START_TEST(refuses_bad_passwords)
{
    uint8_t challenge[16] = {0}, nt[24], password[800];
    size_t n = 0;
    ck_assert_int_eq(l2v_mschapv2_nt_response(eap_crypto, challenge, challenge, "u", 1,
                                              (const uint8_t *)"\xff", 1, nt),
                     L2TPVOIP_ERR_INVALID);
    memset(password, 'a', sizeof(password));
    ck_assert_int_eq(
        l2v_mschapv2_nt_response(eap_crypto, challenge, challenge, "u", 1, password, 256, nt), 0);
    ck_assert_int_eq(
        l2v_mschapv2_nt_response(eap_crypto, challenge, challenge, "u", 1, password, 257, nt),
        L2TPVOIP_ERR_INVALID);
    for (n = 0; n + 3 <= 768; n += 3) { /* 256 of U+20AC */
        memcpy(password + n, "\xe2\x82\xac", 3);
    }
    ck_assert_int_eq(
        l2v_mschapv2_nt_response(eap_crypto, challenge, challenge, "u", 1, password, n, nt), 0);
    ck_assert_int_eq(
        l2v_mschapv2_nt_response(eap_crypto, challenge, challenge, "", 0, password, 0, nt), 0);
}
END_TEST

TCase *eap_math_case(void)
{
    TCase *tc = tcase_create("math");
    tcase_add_checked_fixture(tc, eap_setup, eap_teardown);
    tcase_add_test(tc, rfc2759_and_3079);
    tcase_add_test(tc, mschapv2_file);
    tcase_add_test(tc, mppe_file);
    tcase_add_test(tc, refuses_bad_passwords);
    return tc;
}

static const struct {
    const char *utf8;
    const char *utf16le; /* hex; NULL = refused */
} texts[] = {
    {"", ""},
    {"aZ", "61005a00"},
    {"\xc3\xa4", "e400"},             /* ä */
    {"\xe2\x82\xac", "ac20"},         /* € */
    {"\xef\xbf\xbf", "ffff"},         /* the last of three bytes */
    {"\xf0\x9f\x93\x9e", "3dd8dedc"}, /* U+1F4DE: a surrogate pair */
    {"\xf4\x8f\xbf\xbf", "ffdbffdf"}, /* U+10FFFF */
    {"\xf4\x90\x80\x80", NULL},       /* above */
    {"\xed\xa0\x80", NULL},           /* a surrogate */
    {"\xc0\xaf", NULL},               /* overlong */
    {"\xe0\x80\xaf", NULL},           /* overlong */
    {"\xf0\x80\x80\xaf", NULL},       /* overlong */
    {"\x80", NULL},                   /* stray */
    {"\xc3", NULL},                   /* cut */
    {"\xe2\x82", NULL},               /* cut */
    {"\xc3\x28", NULL},               /* no continuation */
    {"\xf8\x88\x80\x80\x80", NULL},   /* five bytes */
};

START_TEST(utf8)
{
    uint8_t want[32], got[32];
    size_t len = 99;
    int r = l2v_eap_utf8_to_utf16le((const uint8_t *)texts[_i].utf8, strlen(texts[_i].utf8), got,
                                    sizeof(got), &len);
    if (texts[_i].utf16le == NULL) {
        ck_assert_int_eq(r, L2TPVOIP_ERR_INVALID);
        ck_assert_uint_eq(len, 99);
    } else {
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(len, unit_hex(texts[_i].utf16le, want, sizeof(want)));
        ck_assert_mem_eq(got, want, len);
    }
}
END_TEST

static int parse(const char *text, struct l2v_mschapv2_failure *f)
{
    memset(f, 0xee, sizeof(*f));
    return l2v_mschapv2_parse_failure((const uint8_t *)text, strlen(text), f);
}

/* rfc2759#6 */
START_TEST(failure_messages)
{
    struct l2v_mschapv2_failure f;
    ck_assert_int_eq(
        parse("E=691 R=1 C=000102030405060708090a0B0c0D0e0f V=3 M=Go away, please", &f), 0);
    ck_assert_uint_eq(f.error, 691);
    ck_assert(f.retry);
    ck_assert(f.has_challenge);
    ck_assert_uint_eq(f.challenge[15], 15);
    ck_assert_str_eq(f.message, "Go away, please");
    ck_assert_int_eq(parse("E=0000000648 R=0", &f), 0);
    ck_assert_uint_eq(f.error, 648);
    ck_assert(!f.retry && !f.has_challenge);
    ck_assert_str_eq(f.message, "");
    ck_assert_int_eq(parse("R=0  E=691 C=0102 M=a\tb\xff", &f), 0); /* order, blanks, short C */
    ck_assert(!f.has_challenge);
    ck_assert_str_eq(f.message, "a?b?");
    ck_assert_int_eq(parse("E=691 C=zz0102030405060708090a0B0c0D0e0f R=2", &f), 0);
    ck_assert(!f.has_challenge && !f.retry);
    ck_assert_int_eq(parse("M=E=691", &f), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(parse("", &f), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(parse("E=", &f), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(parse("E=12x", &f), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(parse("E=9999999999", &f), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(parse("E=00000000691", &f), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(parse("E=-691", &f), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(parse("Authentication failed", &f), L2TPVOIP_ERR_MALFORMED);
}
END_TEST

/* CVE-2025-62291 and its kin: long texts stay within their buffer. */
START_TEST(long_failure_messages)
{
    struct l2v_mschapv2_failure f;
    static char text[70000];
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "E=691 M=", 8);
    ck_assert_int_eq(parse(text, &f), 0);
    ck_assert_uint_eq(strlen(f.message), sizeof(f.message) - 1);
    memcpy(text, "E=691 C=", 8);
    ck_assert_int_eq(parse(text, &f), 0);
    ck_assert(!f.has_challenge);
}
END_TEST

TCase *eap_text_case(void)
{
    TCase *tc = tcase_create("text");
    tcase_add_checked_fixture(tc, eap_setup, eap_teardown);
    tcase_add_loop_test(tc, utf8, 0, (int)(sizeof(texts) / sizeof(texts[0])));
    tcase_add_test(tc, failure_messages);
    tcase_add_test(tc, long_failure_messages);
    return tc;
}
