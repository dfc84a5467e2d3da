/* SPDX-License-Identifier: MIT */
/* Packet protection: known answers, opened and, with the IV steered through the random source,
 * sealed. */
#include "crypto_test.h"

struct vector {
    enum l2v_suite_id id;
    uint8_t key[72];
    size_t key_len; /* with salt */
    uint8_t auth[64];
    size_t auth_len;
    uint8_t iv[16];
    uint8_t aad[1024];
    size_t aad_len;
    uint8_t plain[2048];
    uint8_t cipher[2048];
    size_t len;
    uint8_t icv[32];
};

static int open_vector(const struct vector *v, uint8_t *data)
{
    struct l2v_seal *o = NULL;
    int r;
    ck_assert_int_eq(l2v_seal_new(crypto_under_test, v->id, false, v->key, v->key_len,
                                  v->auth_len > 0 ? v->auth : NULL, v->auth_len, &o),
                     0);
    memcpy(data, v->cipher, v->len);
    r = l2v_open_packet(o, v->aad, v->aad_len, v->iv, data, v->len, NULL, 0, v->icv);
    l2v_seal_free(o);
    return r;
}

/* The IV of an AEAD packet is seq XOR a random base: the base is drawn as 8 bytes. */
static void seal_vector(const struct vector *v, uint64_t seq, uint8_t *data, uint8_t *iv,
                        uint8_t *icv)
{
    struct l2v_seal *s = NULL;
    uint64_t base = 0;
    for (unsigned i = 0; i < 8; i++) {
        base = base << 8 | v->iv[i];
    }
    base ^= seq;
    for (size_t i = 0; i + 8 <= sizeof(crypto_te.env.rnd); i += 8) {
        memcpy(crypto_te.env.rnd + i, &base, 8);
    }
    crypto_te.env.rnd_left = sizeof(crypto_te.env.rnd);
    ck_assert_int_eq(l2v_seal_new(crypto_under_test, v->id, true, v->key, v->key_len, NULL, 0, &s),
                     0);
    memcpy(data, v->plain, v->len);
    ck_assert_int_eq(l2v_seal_packet(s, seq, v->aad, v->aad_len, iv, data, v->len, NULL, 0, icv),
                     0);
    l2v_seal_free(s);
}

static void check_vector(const struct vector *v)
{
    uint8_t data[2048];
    uint8_t iv[16];
    uint8_t icv[32];
    const struct l2v_suite_info *info = l2v_suite_get(v->id);
    ck_assert_int_eq(open_vector(v, data), 0);
    ck_assert_mem_eq(data, v->plain, v->len);
    if (info->aead) {
        seal_vector(v, 77, data, iv, icv);
        ck_assert_mem_eq(iv, v->iv, 8);
        ck_assert_mem_eq(data, v->cipher, v->len);
        ck_assert_mem_eq(icv, v->icv, info->icv_len);
    }
}

static void load_aead(const struct unit_json *t, enum l2v_suite_id id, struct vector *v)
{
    memset(v, 0, sizeof(*v));
    v->id = id;
    v->key_len = unit_json_hex(t, "key", v->key, sizeof(v->key));
    v->key_len += unit_json_hex(t, "salt", v->key + v->key_len, 4);
    ck_assert_uint_eq(unit_json_hex(t, "iv", v->iv, sizeof(v->iv)), 8);
    v->aad_len = unit_json_hex(t, "aad", v->aad, sizeof(v->aad));
    v->len = unit_json_hex(t, "plaintext", v->plain, sizeof(v->plain));
    ck_assert_uint_eq(unit_json_hex(t, "ciphertext", v->cipher, sizeof(v->cipher)), v->len);
    ck_assert_uint_eq(unit_json_hex(t, "icv", v->icv, sizeof(v->icv)), 16);
}

/* draft-mcgrew-gcm-test-01 case 2, inline so that it runs without the vectors folder */
START_TEST(gcm_inline)
{
    struct vector v;
    memset(&v, 0, sizeof(v));
    v.id = L2V_SUITE_AES_GCM_16;
    v.key_len = unit_hex("feffe9928665731c6d6a8f9467308308cafebabe", v.key, sizeof(v.key));
    unit_hex("facedbaddecaf888", v.iv, 8);
    v.aad_len = unit_hex("0000a5f80000000a", v.aad, 8);
    v.len = unit_hex("4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d0010000010000"
                     "00000000037369700963796265726369747902646b00000100010001",
                     v.plain, sizeof(v.plain));
    ck_assert_uint_eq(v.len, 64);
    unit_hex("deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c3de81827"
             "c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1",
             v.cipher, sizeof(v.cipher));
    unit_hex("83b70d3aa8bc6ee4c309e9d85a41ad4a", v.icv, sizeof(v.icv));
    check_vector(&v);
    v.id = L2V_SUITE_AES_GCM_12; /* rfc4106#6: the shorter ICVs are its first bytes */
    check_vector(&v);
    v.id = L2V_SUITE_AES_GCM_8;
    check_vector(&v);
}
END_TEST

/* rfc7634#A */
START_TEST(chacha_inline)
{
    struct vector v;
    memset(&v, 0, sizeof(v));
    v.id = L2V_SUITE_CHACHA20_POLY1305;
    v.key_len = unit_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3",
                         v.key, sizeof(v.key));
    unit_hex("1011121314151617", v.iv, 8);
    v.aad_len = unit_hex("0102030400000005", v.aad, 8);
    v.len = unit_hex("45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10000736270809"
                     "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
                     "303132333435363701020204",
                     v.plain, sizeof(v.plain));
    unit_hex(
        "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa"
        "95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829"
        "f641e0",
        v.cipher, sizeof(v.cipher));
    unit_hex("76aaa8266b7fb0f7b11b369907e1ad43", v.icv, sizeof(v.icv));
    ck_assert_uint_eq(v.len, 88);
    check_vector(&v);
}
END_TEST

static void run_aead_file(const char *name, enum l2v_suite_id id, unsigned at_least)
{
    struct unit_json *json = unit_json_vectors(name);
    struct vector v;
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        load_aead(t, id, &v);
        check_vector(&v);
        n++;
    }
    ck_assert(json == NULL || n >= at_least);
    unit_json_free(json);
}

START_TEST(aead_files)
{
    run_aead_file("kat/esp_aes_gcm_mcgrew.json", L2V_SUITE_AES_GCM_16, 10);
    run_aead_file("kat/esp_ike_chacha20poly1305_rfc7634.json", L2V_SUITE_CHACHA20_POLY1305, 2);
}
END_TEST

static void run_wycheproof(const char *name, enum l2v_suite_id id, unsigned at_least)
{
    struct unit_json *json = unit_json_vectors(name);
    static struct vector v;
    static uint8_t data[2048];
    unsigned n = 0;
    for (const struct unit_json *g = unit_json_first(json, "testGroups"); g; g = g->next) {
        if (unit_json_int(g, "ivSize", 0) != 96 || unit_json_int(g, "tagSize", 0) != 128) {
            continue; /* ESP has no other nonce */
        }
        for (const struct unit_json *t = unit_json_first(g, "tests"); t; t = t->next) {
            uint8_t nonce[16];
            memset(&v, 0, sizeof(v));
            v.id = id;
            v.key_len = unit_json_hex(t, "key", v.key, sizeof(v.key));
            unit_json_hex(t, "iv", nonce, sizeof(nonce));
            memcpy(v.key + v.key_len, nonce, 4);
            v.key_len += 4;
            memcpy(v.iv, nonce + 4, 8);
            v.aad_len = unit_json_hex(t, "aad", v.aad, sizeof(v.aad));
            v.len = unit_json_hex(t, "msg", v.plain, sizeof(v.plain));
            ck_assert_uint_eq(unit_json_hex(t, "ct", v.cipher, sizeof(v.cipher)), v.len);
            unit_json_hex(t, "tag", v.icv, sizeof(v.icv));
            if (strcmp(unit_json_str(t, "result"), "valid") == 0) {
                check_vector(&v);
            } else {
                ck_assert_int_eq(open_vector(&v, data), L2TPVOIP_ERR_INTEGRITY);
            }
            n++;
        }
    }
    ck_assert(json == NULL || n >= at_least);
    unit_json_free(json);
}

START_TEST(aead_wycheproof)
{
    run_wycheproof("kat/wycheproof/aes_gcm_test.json", L2V_SUITE_AES_GCM_16, 80);
    run_wycheproof("kat/wycheproof/chacha20_poly1305_test.json", L2V_SUITE_CHACHA20_POLY1305, 150);
}
END_TEST

static enum l2v_suite_id suite_of_packet(const struct unit_json *t)
{
    const struct unit_json *a = unit_json_first(t, "algorithms");
    bool cbc = a != NULL && strcmp(a->text, "AES_CBC") == 0;
    long icv_len = unit_json_int(t, "icv_len", 0);
    if (a == NULL || strcmp(unit_json_str(t, "proto"), "ESP") != 0) {
        return L2V_SUITE_NONE;
    }
    if (strcmp(a->text, "AES_GCM") == 0) {
        return icv_len == 16 ? L2V_SUITE_AES_GCM_16 : L2V_SUITE_NONE;
    }
    if (cbc && a->next != NULL && strcmp(a->next->text, "SHA256_HMAC") == 0 && icv_len == 16) {
        return L2V_SUITE_AES_CBC_SHA256_128;
    }
    if (cbc && a->next != NULL && strcmp(a->next->text, "SHA384_HMAC") == 0 && icv_len == 24) {
        return L2V_SUITE_AES_CBC_SHA384_192;
    }
    return L2V_SUITE_NONE;
}

/* Whole ESP packets of others: the plaintext begins with the inner packet. */
START_TEST(esp_packets)
{
    struct unit_json *json = unit_json_vectors("kat/esp_packets_dpdk.json");
    static struct vector v;
    static uint8_t out[2048], in[2048], data[2048];
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        enum l2v_suite_id id = suite_of_packet(t);
        const struct l2v_suite_info *info = l2v_suite_get(id);
        size_t out_len, in_len, at;
        if (info == NULL || unit_json_bool(t, "esn", false)) {
            continue;
        }
        memset(&v, 0, sizeof(v));
        v.id = id;
        v.key_len = unit_json_hex(t, "key", v.key, sizeof(v.key));
        if (info->salt_len > 0) {
            v.key_len += unit_json_hex(t, "salt", v.key + v.key_len, 4);
        }
        if (info->auth_key_len > 0) {
            v.auth_len = unit_json_hex(t, "auth_key", v.auth, sizeof(v.auth));
        }
        out_len = unit_json_hex(t, "output_packet", out, sizeof(out));
        in_len = unit_json_hex(t, "input_packet", in, sizeof(in));
        at = out[0] >> 4 == 4 ? 20 : 40;
        memcpy(v.aad, out + at, 8);
        v.aad_len = 8;
        memcpy(v.iv, out + at + 8, info->iv_len);
        at += 8u + info->iv_len;
        v.len = out_len - at - info->icv_len;
        memcpy(v.cipher, out + at, v.len);
        memcpy(v.icv, out + at + v.len, info->icv_len);
        ck_assert_msg(open_vector(&v, data) == 0, "%s", unit_json_str(t, "name"));
        ck_assert_mem_eq(data, in, in_len);
        n++;
    }
    ck_assert(json == NULL || n >= 5);
    unit_json_free(json);
}
END_TEST

TCase *crypto_seal_kat_case(void)
{
    TCase *tc = tcase_create("seal_kat");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, crypto_setup, crypto_teardown);
    tcase_add_test(tc, gcm_inline);
    tcase_add_test(tc, chacha_inline);
    tcase_add_test(tc, aead_files);
    tcase_add_test(tc, aead_wycheproof);
    tcase_add_test(tc, esp_packets);
    return tc;
}
