/* SPDX-License-Identifier: MIT */
/* Digests, HMAC, single DES, CBC. */
#include "crypto_test.h"

struct text_answer {
    const char *text;
    const char *digest;
};

/* rfc1320#A.5 */
static const struct text_answer md4_answers[] = {
    {"", "31d6cfe0d16ae931b73c59d7e0c089c0"},
    {"a", "bde52cb31de33e46245e05fbdbd6fb24"},
    {"abc", "a448017aaf21d8525fc10ae87aa6729d"},
    {"message digest", "d9130a8164549fe818874806e1c7014b"},
    {"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "043f8582f241db351ce627e153e7f0e4"},
    {"1234567890123456789012345678901234567890123456789012345678901234567890"
     "1234567890",
     "e33b4ddc9c38f2199c3e7b164fcc0536"},
};

START_TEST(md4_rfc1320)
{
    uint8_t want[16];
    uint8_t got[L2V_HASH_MAX];
    for (size_t i = 0; i < sizeof(md4_answers) / sizeof(md4_answers[0]); i++) {
        const char *text = md4_answers[i].text;
        size_t len = strlen(text);
        /* Split at each place: the pieces must not matter. */
        for (size_t cut = 0; cut <= len; cut++) {
            const struct l2v_iov iov[2] = {{text, cut}, {text + cut, len - cut}};
            unit_hex(md4_answers[i].digest, want, sizeof(want));
            ck_assert_int_eq(l2v_digest(crypto_under_test, L2V_HASH_MD4, iov, 2, got), 0);
            ck_assert_mem_eq(got, want, 16);
        }
    }
}
END_TEST

START_TEST(digests_fips180)
{
    static const struct {
        enum l2v_hash hash;
        const char *abc;
    } rows[] = {
        {L2V_HASH_MD5, "900150983cd24fb0d6963f7d28e17f72"},
        {L2V_HASH_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {L2V_HASH_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {L2V_HASH_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                          "8086072ba1e7cc2358baeca134c825a7"},
        {L2V_HASH_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    };
    const struct l2v_iov iov[3] = {{"a", 1}, {NULL, 0}, {"bc", 2}};
    uint8_t want[L2V_HASH_MAX];
    uint8_t got[L2V_HASH_MAX];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = unit_hex(rows[i].abc, want, sizeof(want));
        ck_assert_uint_eq(l2v_hash_len(rows[i].hash), len);
        ck_assert_int_eq(l2v_digest(crypto_under_test, rows[i].hash, iov, 3, got), 0);
        ck_assert_mem_eq(got, want, len);
    }
    ck_assert_uint_eq(l2v_hash_len(L2V_HASH_NONE), 0);
    ck_assert_uint_eq(l2v_hash_len(L2V_N_HASHES), 0);
    ck_assert_int_eq(l2v_digest(crypto_under_test, L2V_HASH_NONE, iov, 3, got),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_hmac(crypto_under_test, L2V_HASH_MD4, "k", 1, iov, 3, got),
                     L2TPVOIP_ERR_INVALID);
}
END_TEST

/* rfc2202#3, rfc4231#4.3, and a key longer than the block: rfc4231#4.7 */
START_TEST(hmac_inline)
{
    static const char question[] = "what do ya want for nothing?";
    static const char larger[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    const struct l2v_iov iov[2] = {{question, 10}, {question + 10, sizeof(question) - 11}};
    const struct l2v_iov big = {larger, sizeof(larger) - 1};
    uint8_t key[131];
    uint8_t want[L2V_HASH_MAX];
    uint8_t got[L2V_HASH_MAX];
    size_t len;
    len = unit_hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", want, sizeof(want));
    ck_assert_int_eq(l2v_hmac(crypto_under_test, L2V_HASH_SHA1, "Jefe", 4, iov, 2, got), 0);
    ck_assert_mem_eq(got, want, len);
    len = unit_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", want,
                   sizeof(want));
    ck_assert_int_eq(l2v_hmac(crypto_under_test, L2V_HASH_SHA256, "Jefe", 4, iov, 2, got), 0);
    ck_assert_mem_eq(got, want, len);
    memset(key, 0xaa, sizeof(key));
    len = unit_hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", want,
                   sizeof(want));
    ck_assert_int_eq(l2v_hmac(crypto_under_test, L2V_HASH_SHA256, key, 131, &big, 1, got), 0);
    ck_assert_mem_eq(got, want, len);
    len = unit_hex("80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                   "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
                   want, sizeof(want));
    ck_assert_int_eq(l2v_hmac(crypto_under_test, L2V_HASH_SHA512, key, 131, &big, 1, got), 0);
    ck_assert_mem_eq(got, want, len);
}
END_TEST

static enum l2v_hash hash_named(const char *name)
{
    static const struct {
        const char *part;
        enum l2v_hash hash;
    } rows[] = {{"MD5", L2V_HASH_MD5},
                {"SHA-1", L2V_HASH_SHA1},
                {"SHA-256", L2V_HASH_SHA256},
                {"SHA-384", L2V_HASH_SHA384},
                {"SHA-512", L2V_HASH_SHA512}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strstr(name, rows[i].part) != NULL) {
            return rows[i].hash;
        }
    }
    return L2V_HASH_NONE;
}

START_TEST(hmac_rfc2202_4231_4868)
{
    struct unit_json *json = unit_json_vectors("kat/hmac_rfc2202_4231_4868.json");
    static uint8_t key[1024], data[8192], mac[L2V_HASH_MAX], got[L2V_HASH_MAX];
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        enum l2v_hash hash = hash_named(unit_json_str(t, "alg"));
        size_t key_len = unit_json_hex(t, "key", key, sizeof(key));
        struct l2v_iov iov = {data, unit_json_hex(t, "data", data, sizeof(data))};
        size_t mac_len = unit_json_hex(t, "mac", mac, sizeof(mac));
        ck_assert_uint_gt(mac_len, 0);
        ck_assert_int_eq(l2v_hmac(crypto_under_test, hash, key, key_len, &iov, 1, got), 0);
        ck_assert_mem_eq(got, mac, mac_len);
        n++;
    }
    ck_assert(json == NULL || n >= 40);
    unit_json_free(json);
}
END_TEST

static void run_wycheproof_hmac(const char *file, enum l2v_hash hash)
{
    struct unit_json *json = unit_json_vectors(file);
    static uint8_t key[1024], data[8192], tag[L2V_HASH_MAX], got[L2V_HASH_MAX];
    unsigned n = 0;
    for (const struct unit_json *g = unit_json_first(json, "testGroups"); g; g = g->next) {
        for (const struct unit_json *t = unit_json_first(g, "tests"); t; t = t->next) {
            size_t key_len = unit_json_hex(t, "key", key, sizeof(key));
            struct l2v_iov iov = {data, unit_json_hex(t, "msg", data, sizeof(data))};
            size_t tag_len = unit_json_hex(t, "tag", tag, sizeof(tag));
            bool valid = strcmp(unit_json_str(t, "result"), "valid") == 0;
            ck_assert_int_eq(l2v_hmac(crypto_under_test, hash, key, key_len, &iov, 1, got), 0);
            ck_assert_msg((memcmp(got, tag, tag_len) == 0) == valid, "%s: test %ld", file,
                          unit_json_int(t, "tcId", 0));
            n++;
        }
    }
    ck_assert(json == NULL || n > 100);
    unit_json_free(json);
}

START_TEST(hmac_wycheproof)
{
    run_wycheproof_hmac("kat/wycheproof/hmac_sha1_test.json", L2V_HASH_SHA1);
    run_wycheproof_hmac("kat/wycheproof/hmac_sha256_test.json", L2V_HASH_SHA256);
    run_wycheproof_hmac("kat/wycheproof/hmac_sha384_test.json", L2V_HASH_SHA384);
    run_wycheproof_hmac("kat/wycheproof/hmac_sha512_test.json", L2V_HASH_SHA512);
}
END_TEST

/* rfc2759#9.2: the three blocks of the NT response. */
START_TEST(des_rfc2759)
{
    uint8_t hash[21] = {0};
    uint8_t challenge[8];
    uint8_t want[24];
    uint8_t got[24];
    unit_hex("44ebba8d5312b8d611474411f56989ae", hash, 16);
    unit_hex("d02e4386bce91226", challenge, 8);
    unit_hex("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df", want, 24);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(l2v_des_mschap(crypto_under_test, hash + 7 * i, challenge, got + 8 * i),
                         0);
    }
    ck_assert_mem_eq(got, want, 24);
}
END_TEST

/* rfc3602#4 case 2, whole and in two chained messages, both ways. rfc2409#B */
START_TEST(cbc_rfc3602)
{
    uint8_t key[16], iv[16], next[16], plain[32], want[32], data[32];
    unit_hex("c286696d887c9aa0611bbb3e2025a45a", key, 16);
    unit_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", plain, 32);
    unit_hex("d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1", want, 32);
    for (size_t cut = 0; cut <= 32; cut += 16) {
        unit_hex("562e17996d093d28ddb3ba695a2e6f58", iv, 16);
        memcpy(next, iv, 16);
        memcpy(data, plain, 32);
        ck_assert_int_eq(
            l2v_cbc(crypto_under_test, L2V_CIPHER_AES_CBC, true, key, 16, iv, data, cut), 0);
        ck_assert_int_eq(
            l2v_cbc(crypto_under_test, L2V_CIPHER_AES_CBC, true, key, 16, iv, data + cut, 32 - cut),
            0);
        ck_assert_mem_eq(data, want, 32);
        ck_assert_mem_eq(iv, want + 16, 16);
        ck_assert_int_eq(
            l2v_cbc(crypto_under_test, L2V_CIPHER_AES_CBC, false, key, 16, next, data, cut), 0);
        ck_assert_int_eq(l2v_cbc(crypto_under_test, L2V_CIPHER_AES_CBC, false, key, 16, next,
                                 data + cut, 32 - cut),
                         0);
        ck_assert_mem_eq(data, plain, 32);
        ck_assert_mem_eq(next, want + 16, 16);
    }
}
END_TEST

START_TEST(cbc_rejects_bad_lengths)
{
    uint8_t key[32] = {0};
    uint8_t iv[16] = {0};
    uint8_t data[32] = {0};
    struct l2v_crypto *c = crypto_under_test;
    ck_assert_uint_eq(l2v_cipher_block(L2V_CIPHER_AES_CBC), 16);
    ck_assert_uint_eq(l2v_cipher_block(L2V_CIPHER_3DES_CBC), 8);
    ck_assert_uint_eq(l2v_cipher_block(L2V_CIPHER_NONE), 0);
    ck_assert_int_eq(l2v_cbc(c, L2V_CIPHER_AES_CBC, true, key, 16, iv, data, 15),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_cbc(c, L2V_CIPHER_AES_CBC, true, key, 17, iv, data, 16),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_cbc(c, L2V_CIPHER_3DES_CBC, true, key, 16, iv, data, 16),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_cbc(c, L2V_CIPHER_NONE, true, key, 16, iv, data, 16),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_cbc(c, L2V_CIPHER_3DES_CBC, true, key, 24, iv, data, 24), 0);
    ck_assert_int_eq(l2v_cbc(c, L2V_CIPHER_AES_CBC, true, key, 24, iv, data, 32), 0);
}
END_TEST

START_TEST(cbc_rfc3602_all)
{
    struct unit_json *json = unit_json_vectors("kat/esp_aes_cbc_rfc3602.json");
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        uint8_t key[32], iv[16], data[256], want[256];
        size_t key_len = unit_json_hex(t, "key", key, sizeof(key));
        size_t len = unit_json_hex(t, "plaintext", data, sizeof(data));
        if (len == 0) {
            len = unit_json_hex(t, "pre_encryption", data, sizeof(data));
        }
        ck_assert_uint_eq(unit_json_hex(t, "iv", iv, sizeof(iv)), 16);
        ck_assert_uint_eq(unit_json_hex(t, "ciphertext", want, sizeof(want)), len);
        ck_assert_int_eq(
            l2v_cbc(crypto_under_test, L2V_CIPHER_AES_CBC, true, key, key_len, iv, data, len), 0);
        ck_assert_mem_eq(data, want, len);
    }
    unit_json_free(json);
}
END_TEST

TCase *crypto_hash_case(void)
{
    TCase *tc = tcase_create("hash");
    tcase_add_checked_fixture(tc, crypto_setup, crypto_teardown);
    tcase_add_test(tc, md4_rfc1320);
    tcase_add_test(tc, digests_fips180);
    tcase_add_test(tc, hmac_inline);
    tcase_add_test(tc, hmac_rfc2202_4231_4868);
    tcase_add_test(tc, hmac_wycheproof);
    tcase_add_test(tc, des_rfc2759);
    tcase_add_test(tc, cbc_rfc3602);
    tcase_add_test(tc, cbc_rejects_bad_lengths);
    tcase_add_test(tc, cbc_rfc3602_all);
    return tc;
}
