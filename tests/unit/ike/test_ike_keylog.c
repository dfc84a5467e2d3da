/* SPDX-License-Identifier: MIT */
/* Key-log lines as Wireshark's tables ikev1_decryption_table and esp_sa want them. */
#include "ike_keylog.h"
#include "test_ike.h"

static char line[1024];
static uint32_t kind;
static unsigned n_lines;

static void on_key(void *user, uint32_t line_kind, const char *text, size_t len)
{
    (void)user;
    ck_assert_uint_lt(len, sizeof(line));
    memcpy(line, text, len);
    line[len] = 0;
    kind = line_kind;
    n_lines++;
}

START_TEST(ike1)
{
    static const uint8_t icookie[8] = {0xfa, 0xfa, 0xeb, 0x49, 0x38, 0x2a, 0x76, 0x3c};
    struct l2v_ike1_keys k;

    memset(&k, 0, sizeof(k));
    k.enc_len = 16;
    for (unsigned i = 0; i < 16; i++) {
        k.enc_key[i] = (uint8_t)(i * 17);
    }
    n_lines = 0;
    l2v_ike_keylog_ike1(ike_t.env, icookie, &k); /* no sink: nothing is formatted */
    ck_assert_uint_eq(n_lines, 0);
    ike_t.env->tap.key = on_key;
    l2v_ike_keylog_ike1(ike_t.env, icookie, &k);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_uint_eq(kind, L2TPVOIP_KEY_IKEV1);
    /* "Initiator's COOKIE" and "Encryption Key" are hex without prefix. */
    ck_assert_str_eq(line, "fafaeb49382a763c,00112233445566778899aabbccddeeff");
}
END_TEST

START_TEST(esp)
{
    static const uint8_t enc[20] = {1, 2, 3}, auth[20] = {4, 5};
    l2tpvoip_addr src = ike_addr("192.0.2.1:4500"), dst = ike_addr("203.0.113.9:4500");
    l2tpvoip_addr six = ike_addr("[2001:db8::1]:4500");
    struct l2v_ike_keylog_esp k;

    memset(&k, 0, sizeof(k));
    k.src = &src;
    k.dst = &dst;
    k.spi = 0xc0ffee01;
    k.suite = L2V_SUITE_AES_CBC_SHA1_96;
    k.enc = enc;
    k.enc_len = 16;
    k.auth = auth;
    k.auth_len = 20;
    ike_t.env->tap.key = on_key;
    l2v_ike_keylog_esp_sa(ike_t.env, &k);
    ck_assert_uint_eq(kind, L2TPVOIP_KEY_ESP);
    ck_assert_str_eq(line, "\"IPv4\",\"192.0.2.1\",\"203.0.113.9\",\"0xc0ffee01\","
                           "\"AES-CBC [RFC3602]\",\"0x01020300000000000000000000000000\","
                           "\"HMAC-SHA-1-96 [RFC2404]\","
                           "\"0x0405000000000000000000000000000000000000\",\"32-bit\"");
    k.src = k.dst = &six;
    k.suite = L2V_SUITE_AES_GCM_16;
    k.enc_len = 20;
    k.auth_len = 0;
    k.esn = true;
    l2v_ike_keylog_esp_sa(ike_t.env, &k);
    ck_assert_str_eq(line, "\"IPv6\",\"2001:db8::1\",\"2001:db8::1\",\"0xc0ffee01\","
                           "\"AES-GCM with 16 octet ICV [RFC4106]\","
                           "\"0x0102030000000000000000000000000000000000\","
                           "\"NULL\",\"\",\"64-bit\"");
}
END_TEST

START_TEST(every_suite_has_a_name)
{
    static const uint8_t enc[64] = {1};
    l2tpvoip_addr a = ike_addr("192.0.2.1");
    struct l2v_ike_keylog_esp k;

    memset(&k, 0, sizeof(k));
    k.src = k.dst = &a;
    k.enc = k.auth = enc;
    k.enc_len = 16;
    ike_t.env->tap.key = on_key;
    n_lines = 0;
    for (unsigned i = 1; i < L2V_N_SUITES; i++) {
        k.suite = (enum l2v_suite_id)i;
        l2v_ike_keylog_esp_sa(ike_t.env, &k);
        ck_assert_uint_eq(n_lines, i);
    }
}
END_TEST

TCase *test_ike_keylog(void)
{
    TCase *tc = ike_tcase("keylog");
    tcase_add_test(tc, ike1);
    tcase_add_test(tc, esp);
    tcase_add_test(tc, every_suite_has_a_name);
    return tc;
}
