/* SPDX-License-Identifier: MIT */
/* Key derivation and hashes of IKEv1 against answers of others: NIST CAVS, NSS, real gateways. */
#include <l2tpvoip/error.h>

#include "ike1_keys.h"
#include "test_ike.h"

struct hex {
    uint8_t data[1100];
    size_t len;
};

static struct hex get(const struct unit_json *t, const char *key)
{
    struct hex h;
    memset(&h, 0, sizeof(h));
    h.len = unit_json_hex(t, key, h.data, sizeof(h.data));
    return h;
}

static const struct {
    const char *name;
    uint16_t wire;
    enum l2v_hash hash;
} hashes[] = {
    {"SHA-1", L2V_IKE1_HASH_SHA1, L2V_HASH_SHA1},
    {"SHA-256", L2V_IKE1_HASH_SHA256, L2V_HASH_SHA256},
    {"SHA-384", L2V_IKE1_HASH_SHA384, L2V_HASH_SHA384},
    {"SHA-512", L2V_IKE1_HASH_SHA512, L2V_HASH_SHA512},
    {"sha1", L2V_IKE1_HASH_SHA1, L2V_HASH_SHA1},
    {"sha256", L2V_IKE1_HASH_SHA256, L2V_HASH_SHA256},
    {"sha384", L2V_IKE1_HASH_SHA384, L2V_HASH_SHA384},
    {"sha512", L2V_IKE1_HASH_SHA512, L2V_HASH_SHA512},
    {"md5", L2V_IKE1_HASH_MD5, L2V_HASH_MD5},
};

/* Index into hashes, -1 = not ours (SHA-224, AES-XCBC). */
static int find_hash(const char *name)
{
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (strcmp(hashes[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void check_skeyids(const struct unit_json *t, const struct l2v_ike1_keys *k)
{
    struct hex d = get(t, "skeyid_d"), a = get(t, "skeyid_a"), e = get(t, "skeyid_e");
    ck_assert_uint_eq(k->hash_len, d.len);
    ck_assert_mem_eq(k->skeyid_d, d.data, d.len);
    ck_assert_mem_eq(k->skeyid_a, a.data, a.len);
    ck_assert_mem_eq(k->skeyid_e, e.data, e.len);
}

static void set_phase1(const struct unit_json *t, struct l2v_ike1_phase1 *p, struct hex h[5])
{
    static const char *const names[] = {"cky_i", "cky_r", "ni", "nr", "g_xy"};
    for (unsigned i = 0; i < 5; i++) {
        h[i] = get(t, names[i]);
    }
    memset(p, 0, sizeof(*p));
    p->icookie = h[0].data;
    p->rcookie = h[1].data;
    p->ni = (struct l2v_ike1_bytes){h[2].data, h[2].len};
    p->nr = (struct l2v_ike1_bytes){h[3].data, h[3].len};
    p->gxy = (struct l2v_ike1_bytes){h[4].data, h[4].len};
}

START_TEST(cavs_psk) /* rfc2409#5 SKEYID = prf(pre-shared-key, Ni_b | Nr_b) */
{
    struct unit_json *json = unit_json_vectors("kat/ikev1_psk_cavs.json");
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        static struct hex h[5];
        int i = find_hash(unit_json_str(t, "hash"));
        struct l2v_ike1_p1 chosen;
        struct l2v_ike1_phase1 p;
        struct l2v_ike1_keys k;
        struct hex psk = get(t, "psk"), skeyid = get(t, "skeyid");
        if (i < 0) {
            continue;
        }
        memset(&chosen, 0, sizeof(chosen));
        chosen.cipher = L2V_IKE1_ENC_AES;
        chosen.key_bits = 128;
        chosen.hash = hashes[i].wire;
        set_phase1(t, &p, h);
        ck_assert_int_eq(l2v_ike1_keys_derive(ike_t.crypto, &chosen, &p, psk.data, psk.len, &k), 0);
        ck_assert_mem_eq(k.skeyid, skeyid.data, skeyid.len);
        check_skeyids(t, &k);
        n++;
    }
    ck_assert(json == NULL || n >= 16);
    unit_json_free(json);
}
END_TEST

START_TEST(cavs_signature)
{
    struct unit_json *json = unit_json_vectors("kat/ikev1_sig_cavs.json");
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        static struct hex h[5];
        int i = find_hash(unit_json_str(t, "hash"));
        struct l2v_ike1_phase1 p;
        struct l2v_ike1_keys k;
        struct hex skeyid = get(t, "skeyid");
        if (i < 0) {
            continue;
        }
        memset(&k, 0, sizeof(k));
        k.hash = hashes[i].hash;
        k.hash_len = (uint8_t)l2v_hash_len(k.hash);
        k.enc_len = 32;
        memcpy(k.skeyid, skeyid.data, skeyid.len);
        set_phase1(t, &p, h);
        ck_assert_int_eq(l2v_ike1_keys_expand(ike_t.crypto, &p, &k), 0);
        check_skeyids(t, &k);
        n++;
    }
    ck_assert(json == NULL || n >= 16);
    unit_json_free(json);
}
END_TEST

/* NSS: single steps of the SKEYID chain, and the key expansion of appendix B. */
START_TEST(nss)
{
    struct unit_json *json = unit_json_vectors("kat/ike_prf_nss.json");
    unsigned n_chain = 0, n_expand = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        int i = find_hash(unit_json_str(t, "prf"));
        const char *type = unit_json_str(t, "type");
        struct hex ikm = get(t, "ikm"), okm = get(t, "okm");
        if (i < 0) {
            continue;
        }
        if (strcmp(type, "ikeV1") == 0) {
            struct hex ci = get(t, "ni"), cr = get(t, "nr"), gxy = get(t, "gxykm");
            long number = unit_json_int(t, "key_number", -1);
            struct l2v_ike1_phase1 p;
            struct l2v_ike1_keys k;
            memset(&p, 0, sizeof(p));
            memset(&k, 0, sizeof(k));
            p.icookie = ci.data;
            p.rcookie = cr.data;
            p.gxy = (struct l2v_ike1_bytes){gxy.data, gxy.len};
            k.hash = hashes[i].hash;
            k.hash_len = (uint8_t)l2v_hash_len(k.hash);
            k.enc_len = 16;
            memcpy(k.skeyid, ikm.data, ikm.len);
            ck_assert_int_eq(l2v_ike1_keys_expand(ike_t.crypto, &p, &k), 0);
            ck_assert_mem_eq(number == 0   ? k.skeyid_d
                             : number == 1 ? k.skeyid_a
                                           : k.skeyid_e, okm.data, okm.len);
            n_chain++;
        } else if (strcmp(type, "ikeV1AppB") == 0) {
            uint8_t key[128];
            size_t want = okm.len < sizeof(key) ? okm.len : sizeof(key);
            ck_assert_int_eq(l2v_ike1_expand_enc_key(ike_t.crypto, hashes[i].hash, ikm.data, want,
                                                     key), 0);
            ck_assert_mem_eq(key, okm.data, want);
            n_expand++;
        }
    }
    ck_assert(json == NULL || (n_chain >= 8 && n_expand >= 8));
    unit_json_free(json);
}
END_TEST

/* HMAC vectors in the clothes of HASH(1) = prf(SKEYID_a, M-ID | rest). */
START_TEST(prf)
{
    struct unit_json *json = unit_json_vectors("kat/prf_libreswan.json");
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        struct hex key = get(t, "key"), out = get(t, "prf_output"), msg;
        const char *text = unit_json_str(t, "message");
        struct l2v_ike1_keys k;
        uint8_t got[L2V_HASH_MAX];
        if (strcmp(unit_json_str(t, "set"), "hmac_md5_prf_tests") != 0 || key.len != 16) {
            continue;
        }
        memset(&msg, 0, sizeof(msg));
        if (strncmp(text, "0x", 2) == 0) {
            msg = get(t, "message");
        } else {
            msg.len = strlen(text);
            memcpy(msg.data, text, msg.len);
        }
        ck_assert_uint_gt(msg.len, 4);
        memset(&k, 0, sizeof(k));
        k.hash = L2V_HASH_MD5;
        k.hash_len = 16;
        memcpy(k.skeyid_a, key.data, 16);
        ck_assert_int_eq(l2v_ike1_hash1(ike_t.crypto, &k, l2v_get_u32(msg.data), msg.data + 4,
                                        msg.len - 4, got), 0);
        ck_assert_mem_eq(got, out.data, 16);
        n++;
    }
    ck_assert(json == NULL || n >= 1);
    unit_json_free(json);
}
END_TEST

/* HASH_R of real gateways: rfc2409#5 prf(SKEYID, g^xr | g^xi | CKY-R | CKY-I | SAi_b | IDir_b). */
START_TEST(hash_r)
{
    struct unit_json *json = unit_json_vectors("kat/ikev1_aggressive_hash_r.json");
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        static struct hex gxr, gxi, ckr, cki, sai, idir, ni, nr;
        struct hex skeyid = get(t, "skeyid"), want = get(t, "hash_r");
        const char *psk = unit_json_str(t, "psk_ascii");
        int i = find_hash(unit_json_str(t, "hash"));
        struct l2v_ike1_p1 chosen;
        struct l2v_ike1_phase1 p;
        struct l2v_ike1_keys k;
        uint8_t got[L2V_HASH_MAX];
        ck_assert_int_ge(i, 0);
        gxr = get(t, "g_xr");
        gxi = get(t, "g_xi");
        ckr = get(t, "cky_r");
        cki = get(t, "cky_i");
        sai = get(t, "sai_b");
        idir = get(t, "idir_b");
        ni = get(t, "ni_b");
        nr = get(t, "nr_b");
        memset(&p, 0, sizeof(p));
        p.icookie = cki.data;
        p.rcookie = ckr.data;
        p.ni = (struct l2v_ike1_bytes){ni.data, ni.len};
        p.nr = (struct l2v_ike1_bytes){nr.data, nr.len};
        p.gxi = (struct l2v_ike1_bytes){gxi.data, gxi.len};
        p.gxr = (struct l2v_ike1_bytes){gxr.data, gxr.len};
        p.sai = (struct l2v_ike1_bytes){sai.data, sai.len};
        memset(&chosen, 0, sizeof(chosen));
        chosen.cipher = L2V_IKE1_ENC_3DES;
        chosen.hash = hashes[i].wire;
        ck_assert_int_eq(l2v_ike1_keys_derive(ike_t.crypto, &chosen, &p, (const uint8_t *)psk,
                                              strlen(psk), &k), 0);
        ck_assert_mem_eq(k.skeyid, skeyid.data, skeyid.len);
        ck_assert_int_eq(l2v_ike1_hash_phase1(ike_t.crypto, &k, &p, false, idir.data, idir.len,
                                              got), 0);
        ck_assert_mem_eq(got, want.data, want.len);
        /* HASH_I has the initiator's values first, and so differs. */
        ck_assert_int_eq(l2v_ike1_hash_phase1(ike_t.crypto, &k, &p, true, idir.data, idir.len,
                                              got), 0);
        ck_assert_mem_ne(got, want.data, want.len);
        n++;
    }
    ck_assert(json == NULL || n >= 5);
    unit_json_free(json);
}
END_TEST

static void test_keys(struct l2v_ike1_keys *k)
{
    memset(k, 0, sizeof(*k));
    k->hash = L2V_HASH_SHA1;
    k->hash_len = 20;
    memset(k->skeyid_d, 0xd, 20);
    memset(k->skeyid_a, 0xa, 20);
}

/* rfc2409#5.5: KEYMAT, written out block by block. */
START_TEST(keymat)
{
    static const uint8_t ni[8] = {1}, nr[16] = {2}, gqm[256] = {3};
    static const uint8_t head[5] = {L2V_IKE1_PROTO_ESP, 0xde, 0xad, 0xbe, 0xef};
    uint8_t k1[20], k2[20], k3[20], want[60], enc[32], auth[20];
    struct l2v_ike1_keys k;
    test_keys(&k);
    for (unsigned pfs = 0; pfs < 2; pfs++) {
        size_t gqm_len = pfs ? sizeof(gqm) : 0;
        struct l2v_iov in1[] = {{gqm, gqm_len}, {head, 5}, {ni, 8}, {nr, 16}};
        struct l2v_iov in2[] = {{k1, 20}, {gqm, gqm_len}, {head, 5}, {ni, 8}, {nr, 16}};
        struct l2v_iov in3[] = {{k2, 20}, {gqm, gqm_len}, {head, 5}, {ni, 8}, {nr, 16}};
        ck_assert_int_eq(l2v_hmac(ike_t.crypto, L2V_HASH_SHA1, k.skeyid_d, 20, in1, 4, k1), 0);
        ck_assert_int_eq(l2v_hmac(ike_t.crypto, L2V_HASH_SHA1, k.skeyid_d, 20, in2, 5, k2), 0);
        ck_assert_int_eq(l2v_hmac(ike_t.crypto, L2V_HASH_SHA1, k.skeyid_d, 20, in3, 5, k3), 0);
        memcpy(want, k1, 20);
        memcpy(want + 20, k2, 20);
        memcpy(want + 40, k3, 20);
        ck_assert_int_eq(l2v_ike1_keymat(ike_t.crypto, &k, L2V_IKE1_PROTO_ESP, 0xdeadbeef, ni, 8,
                                         nr, 16, gqm, gqm_len, enc, 32, auth, 20), 0);
        ck_assert_mem_eq(enc, want, 32);
        ck_assert_mem_eq(auth, want + 32, 20);
    }
    /* An algorithm without key material is refused. */
    ck_assert_int_eq(l2v_ike1_keymat(ike_t.crypto, &k, 3, 256, ni, 8, nr, 16, NULL, 0, enc, 0, auth,
                                     0), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_ike1_keymat(ike_t.crypto, &k, 3, 256, ni, 8, nr, 16, NULL, 0, enc, 100,
                                     auth, 100), L2TPVOIP_ERR_INVALID);
}
END_TEST

START_TEST(quick_hashes) /* rfc2409#5.5 */
{
    static const uint8_t ni[8] = {1, 2}, nr[8] = {3, 4}, rest[5] = {9};
    static const uint8_t mid[4] = {0, 0, 0, 6}, zero_mid[5] = {0, 0, 0, 0, 6};
    uint8_t want[20], got[L2V_HASH_MAX];
    struct l2v_ike1_keys k;
    struct l2v_iov h1[] = {{mid, 4}, {rest, 5}};
    struct l2v_iov h2[] = {{mid, 4}, {ni, 8}, {rest, 5}};
    struct l2v_iov h3[] = {{zero_mid, 5}, {ni, 8}, {nr, 8}};

    test_keys(&k);
    ck_assert_int_eq(l2v_hmac(ike_t.crypto, L2V_HASH_SHA1, k.skeyid_a, 20, h1, 2, want), 0);
    ck_assert_int_eq(l2v_ike1_hash1(ike_t.crypto, &k, 6, rest, 5, got), 0);
    ck_assert_mem_eq(got, want, 20);
    ck_assert_int_eq(l2v_hmac(ike_t.crypto, L2V_HASH_SHA1, k.skeyid_a, 20, h2, 3, want), 0);
    ck_assert_int_eq(l2v_ike1_hash2(ike_t.crypto, &k, 6, ni, 8, rest, 5, got), 0);
    ck_assert_mem_eq(got, want, 20);
    ck_assert_int_eq(l2v_hmac(ike_t.crypto, L2V_HASH_SHA1, k.skeyid_a, 20, h3, 3, want), 0);
    ck_assert_int_eq(l2v_ike1_hash3(ike_t.crypto, &k, 6, ni, 8, nr, 8, got), 0);
    ck_assert_mem_eq(got, want, 20);
}
END_TEST

START_TEST(bad_choice)
{
    struct l2v_ike1_p1 chosen;
    struct l2v_ike1_phase1 p;
    struct l2v_ike1_keys k;
    memset(&chosen, 0, sizeof(chosen));
    memset(&p, 0, sizeof(p));
    chosen.cipher = L2V_IKE1_ENC_DES;
    chosen.hash = L2V_IKE1_HASH_SHA1;
    ck_assert_int_eq(l2v_ike1_keys_derive(ike_t.crypto, &chosen, &p, (const uint8_t *)"x", 1, &k),
                     L2TPVOIP_ERR_INVALID);
    chosen.cipher = L2V_IKE1_ENC_AES; /* without a key length */
    ck_assert_int_eq(l2v_ike1_keys_derive(ike_t.crypto, &chosen, &p, (const uint8_t *)"x", 1, &k),
                     L2TPVOIP_ERR_INVALID);
    chosen.key_bits = 128;
    chosen.hash = 77;
    ck_assert_int_eq(l2v_ike1_keys_derive(ike_t.crypto, &chosen, &p, (const uint8_t *)"x", 1, &k),
                     L2TPVOIP_ERR_INVALID);
}
END_TEST

TCase *test_ike1_keys(void)
{
    TCase *tc = ike_tcase("keys");
    tcase_add_test(tc, cavs_psk);
    tcase_add_test(tc, cavs_signature);
    tcase_add_test(tc, nss);
    tcase_add_test(tc, prf);
    tcase_add_test(tc, hash_r);
    tcase_add_test(tc, keymat);
    tcase_add_test(tc, quick_hashes);
    tcase_add_test(tc, bad_choice);
    return tc;
}
