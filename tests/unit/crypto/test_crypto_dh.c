/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman: known answers, both sides agree, bad public values are refused. */
#include "crypto_test.h"

#include <pthread.h>

static const unsigned groups[] = {2, 5, 14, 15, 16, 19, 20, 21, 31};
#define N_GROUPS (sizeof(groups) / sizeof(groups[0]))

static struct l2v_dh *make(unsigned group, const uint8_t *seed, size_t len)
{
    struct l2v_dh *dh = NULL;
    ck_assert_int_eq(l2v_dh_new(crypto_under_test, group, seed, len, &dh), 0);
    return dh;
}

START_TEST(both_sides_agree)
{
    unsigned group = groups[_i];
    struct l2v_dh *a = make(group, NULL, 0);
    struct l2v_dh *b = make(group, NULL, 0);
    uint8_t sa[L2V_DH_MAX_SECRET], sb[L2V_DH_MAX_SECRET];
    size_t len_a, len_b;
    const uint8_t *pa = l2v_dh_public(a, &len_a);
    const uint8_t *pb = l2v_dh_public(b, &len_b);
    ck_assert(l2v_dh_is_known(group));
    ck_assert_uint_eq(len_a, l2v_dh_public_len(group));
    ck_assert_mem_ne(pa, pb, len_a);
    ck_assert_int_eq(l2v_dh_derive(a, pb, len_b, sa), 0);
    ck_assert_int_eq(l2v_dh_derive(b, pa, len_a, sb), 0);
    ck_assert_mem_eq(sa, sb, l2v_dh_secret_len(group));
    /* once more with the same object: a responder may do so after a retry */
    memset(sa, 0, sizeof(sa));
    ck_assert_int_eq(l2v_dh_derive(a, pb, len_b, sa), 0);
    ck_assert_mem_eq(sa, sb, l2v_dh_secret_len(group));
    ck_assert_int_eq(l2v_dh_derive(a, pb, len_b - 1, sa), L2TPVOIP_ERR_PROTOCOL);
    ck_assert_int_eq(l2v_dh_derive(a, pb, 0, sa), L2TPVOIP_ERR_PROTOCOL);
    l2v_dh_free(a);
    l2v_dh_free(b);
    l2v_dh_free(NULL);
}
END_TEST

START_TEST(unknown_groups)
{
    struct l2v_dh *dh = NULL;
    ck_assert(!l2v_dh_is_known(1));
    ck_assert_uint_eq(l2v_dh_public_len(22), 0);
    ck_assert_uint_eq(l2v_dh_secret_len(0), 0);
    ck_assert_int_eq(l2v_dh_new(crypto_under_test, 24, NULL, 0, &dh), L2TPVOIP_ERR_UNSUPPORTED);
    ck_assert_ptr_null(dh);
}
END_TEST

/* rfc6989#2.1 "1 < y < p-1"; rfc3526: p = 2^1024 - 2^960 - 1 + 2^64 * … ends with 64 ones */
START_TEST(modp_range)
{
    static const unsigned modp[] = {2, 5, 14, 15, 16};
    unsigned group = modp[_i];
    struct l2v_dh *dh = make(group, NULL, 0);
    size_t len = l2v_dh_public_len(group);
    uint8_t y[L2V_DH_MAX_PUBLIC];
    uint8_t secret[L2V_DH_MAX_SECRET];
    uint8_t kept[L2V_DH_MAX_SECRET];
    memset(secret, 0x5a, sizeof(secret));
    memcpy(kept, secret, sizeof(kept));
    memset(y, 0, sizeof(y));
    ck_assert_int_eq(l2v_dh_derive(dh, y, len, secret), L2TPVOIP_ERR_PROTOCOL);
    y[len - 1] = 1;
    ck_assert_int_eq(l2v_dh_derive(dh, y, len, secret), L2TPVOIP_ERR_PROTOCOL);
    memset(y, 0xff, sizeof(y)); /* above p */
    ck_assert_int_eq(l2v_dh_derive(dh, y, len, secret), L2TPVOIP_ERR_PROTOCOL);
    ck_assert_mem_eq(secret, kept, sizeof(kept)); /* untouched on failure */
    memset(y, 0, sizeof(y));
    y[len - 1] = 2; /* g itself is fine */
    ck_assert_int_eq(l2v_dh_derive(dh, y, len, secret), 0);
    l2v_dh_free(dh);
}
END_TEST

/* p and p - 1 themselves. rfc2409#6.2 */
START_TEST(modp_p_minus_one)
{
    static const char p1024[] =
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879"
        "8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b"
        "0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";
    struct l2v_dh *dh = make(L2V_DH_MODP1024, NULL, 0);
    uint8_t y[128];
    uint8_t secret[L2V_DH_MAX_SECRET];
    unit_hex(p1024, y, sizeof(y));
    ck_assert_int_eq(l2v_dh_derive(dh, y, 128, secret), L2TPVOIP_ERR_PROTOCOL);
    y[127] = 0xfe;
    ck_assert_int_eq(l2v_dh_derive(dh, y, 128, secret), L2TPVOIP_ERR_PROTOCOL);
    y[127] = 0xfd;
    ck_assert_int_eq(l2v_dh_derive(dh, y, 128, secret), 0);
    l2v_dh_free(dh);
}
END_TEST

/* rfc6989#2.3: coordinates below p, on the curve; rfc5903#8 */
START_TEST(ecp_off_curve)
{
    static const unsigned ecp[] = {19, 20, 21};
    unsigned group = ecp[_i];
    struct l2v_dh *dh = make(group, NULL, 0);
    struct l2v_dh *other = make(group, NULL, 0);
    size_t len;
    const uint8_t *good = l2v_dh_public(other, &len);
    uint8_t point[L2V_DH_MAX_PUBLIC];
    uint8_t secret[L2V_DH_MAX_SECRET];
    for (size_t i = 0; i < len; i += 7) {
        memcpy(point, good, len);
        point[i] ^= 1;
        ck_assert_int_eq(l2v_dh_derive(dh, point, len, secret), L2TPVOIP_ERR_PROTOCOL);
    }
    memset(point, 0, sizeof(point));
    ck_assert_int_eq(l2v_dh_derive(dh, point, len, secret), L2TPVOIP_ERR_PROTOCOL);
    memset(point, 0xff, sizeof(point));
    ck_assert_int_eq(l2v_dh_derive(dh, point, len, secret), L2TPVOIP_ERR_PROTOCOL);
    l2v_dh_free(dh);
    l2v_dh_free(other);
}
END_TEST

/* rfc7748#6.1, rfc8031#2.4: points of small order give zero. */
START_TEST(x25519_small_order)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    struct l2v_dh *dh = make(L2V_DH_X25519, NULL, 0);
    uint8_t y[32];
    uint8_t secret[L2V_DH_MAX_SECRET];
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        unit_hex(points[i], y, sizeof(y));
        ck_assert_int_eq(l2v_dh_derive(dh, y, 32, secret), L2TPVOIP_ERR_PROTOCOL);
    }
    l2v_dh_free(dh);
}
END_TEST

START_TEST(bad_seeds)
{
    struct l2v_dh *dh = NULL;
    uint8_t seed[L2V_DH_MAX_PUBLIC] = {0};
    struct l2v_crypto *c = crypto_under_test;
    ck_assert_int_eq(l2v_dh_new(c, L2V_DH_X25519, seed, 31, &dh), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_dh_new(c, L2V_DH_ECP256, seed, 32, &dh), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_dh_new(c, L2V_DH_MODP2048, seed, 256, &dh), L2TPVOIP_ERR_INVALID);
    memset(seed, 0xff, sizeof(seed)); /* above the order */
    ck_assert_int_eq(l2v_dh_new(c, L2V_DH_ECP256, seed, 32, &dh), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_dh_new(c, L2V_DH_MODP2048, seed, 257, &dh), L2TPVOIP_ERR_INVALID);
    ck_assert_ptr_null(dh);
}
END_TEST

static void expect(unsigned group, const uint8_t *seed, size_t seed_len, const uint8_t *pub,
                   const uint8_t *peer, const uint8_t *secret)
{
    struct l2v_dh *dh = make(group, seed, seed_len);
    uint8_t got[L2V_DH_MAX_SECRET];
    size_t len;
    const uint8_t *own = l2v_dh_public(dh, &len);
    ck_assert_mem_eq(own, pub, len);
    ck_assert_int_eq(l2v_dh_derive(dh, peer, len, got), 0);
    ck_assert_mem_eq(got, secret, l2v_dh_secret_len(group));
    l2v_dh_free(dh);
}

/* rfc7748#6.1 */
START_TEST(x25519_rfc7748)
{
    uint8_t a[32], b[32], pa[32], pb[32], secret[32];
    unit_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", a, 32);
    unit_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", b, 32);
    unit_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", pa, 32);
    unit_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", pb, 32);
    unit_hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", secret, 32);
    expect(L2V_DH_X25519, a, 32, pa, pb, secret);
    expect(L2V_DH_X25519, b, 32, pb, pa, secret);
}
END_TEST

/* rfc5903#8.1, inline so that it runs without the vectors folder */
START_TEST(ecp256_rfc5903)
{
    uint8_t priv[32], peer[64], pub[64], secret[32];
    unit_hex("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433", priv, 32);
    unit_hex("dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
             "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
             pub, 64);
    unit_hex("d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
             "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
             peer, 64);
    unit_hex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de", secret, 32);
    expect(L2V_DH_ECP256, priv, 32, pub, peer, secret);
}
END_TEST

static void run_exchanges(const char *file, const char *private_i, const char *private_r,
                          unsigned at_least)
{
    struct unit_json *json = unit_json_vectors(file);
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        unsigned group = (unsigned)unit_json_int(t, "group", 0);
        uint8_t i[512], r[512], pub_i[512], pub_r[512], secret[512];
        size_t len_i = unit_json_hex(t, private_i, i, sizeof(i));
        size_t len_r = unit_json_hex(t, private_r, r, sizeof(r));
        size_t len = unit_json_hex(t, "pub_i", pub_i, sizeof(pub_i));
        if (len > 0) {
            unit_json_hex(t, "pub_r", pub_r, sizeof(pub_r));
        } else {
            len = unit_json_hex(t, "gix", pub_i, 256);
            len += unit_json_hex(t, "giy", pub_i + len, 256);
            unit_json_hex(t, "grx", pub_r, 256);
            unit_json_hex(t, "gry", pub_r + len / 2, 256);
        }
        ck_assert_uint_eq(len, l2v_dh_public_len(group));
        ck_assert_uint_eq(unit_json_hex(t, "shared", secret, sizeof(secret)),
                          l2v_dh_secret_len(group));
        expect(group, i, len_i, pub_i, pub_r, secret);
        expect(group, r, len_r, pub_r, pub_i, secret);
        n++;
    }
    ck_assert(json == NULL || n >= at_least);
    unit_json_free(json);
}

START_TEST(vectors)
{
    run_exchanges("kat/dh_modp_strongswan.json", "priv_i", "priv_r", 4);
    run_exchanges("kat/ecp_groups_rfc5903.json", "priv_i", "priv_r", 2);
    run_exchanges("kat/x25519_rfc8031.json", "random_i", "random_r", 1);
    run_exchanges("kat/x25519_rfc8031.json", "fixed_i", "fixed_r", 1);
}
END_TEST

START_TEST(x25519_wycheproof)
{
    struct unit_json *json = unit_json_vectors("kat/wycheproof/x25519_test.json");
    static const uint8_t zero[32] = {0};
    for (const struct unit_json *g = unit_json_first(json, "testGroups"); g; g = g->next) {
        for (const struct unit_json *t = unit_json_first(g, "tests"); t; t = t->next) {
            uint8_t priv[32], peer[32], want[32], got[L2V_DH_MAX_SECRET];
            struct l2v_dh *dh;
            int r;
            unit_json_hex(t, "private", priv, 32);
            unit_json_hex(t, "public", peer, 32);
            unit_json_hex(t, "shared", want, 32);
            dh = make(L2V_DH_X25519, priv, 32);
            r = l2v_dh_derive(dh, peer, 32, got);
            if (memcmp(want, zero, 32) == 0) {
                ck_assert_int_eq(r, L2TPVOIP_ERR_PROTOCOL);
            } else {
                ck_assert_int_eq(r, 0);
                ck_assert_mem_eq(got, want, 32);
            }
            l2v_dh_free(dh);
        }
    }
    unit_json_free(json);
}
END_TEST

static void run_wycheproof_ecdh(const char *file, unsigned group)
{
    struct unit_json *json = unit_json_vectors(file);
    size_t field = l2v_dh_secret_len(group);
    unsigned n_good = 0, n_bad = 0;
    for (const struct unit_json *g = unit_json_first(json, "testGroups"); g; g = g->next) {
        for (const struct unit_json *t = unit_json_first(g, "tests"); t; t = t->next) {
            uint8_t priv[160], peer[512], want[160], got[L2V_DH_MAX_SECRET];
            size_t priv_len = unit_json_hex(t, "private", priv, sizeof(priv));
            size_t peer_len = unit_json_hex(t, "public", peer, sizeof(peer));
            size_t want_len = unit_json_hex(t, "shared", want, sizeof(want));
            const uint8_t *seed = priv;
            const char *result = unit_json_str(t, "result");
            struct l2v_dh *dh = NULL;
            int r;
            while (priv_len > field && *seed == 0) {
                seed++;
                priv_len--;
            }
            r = l2v_dh_new(crypto_under_test, group, seed, priv_len, &dh);
            ck_assert_int_eq(r, 0);
            /* IKE sends no form octet: rfc5903#7. Other forms cannot be expressed. */
            r = peer_len > 0 && peer[0] == 4 ? l2v_dh_derive(dh, peer + 1, peer_len - 1, got)
                                             : L2TPVOIP_ERR_PROTOCOL;
            if (strcmp(result, "valid") == 0) {
                ck_assert_msg(r == 0, "%s: test %ld", file, unit_json_int(t, "tcId", 0));
                ck_assert_uint_eq(want_len, field);
                ck_assert_mem_eq(got, want, field);
                n_good++;
            } else if (strcmp(result, "invalid") == 0) {
                ck_assert_msg(r == L2TPVOIP_ERR_PROTOCOL, "%s: test %ld gives %d", file,
                              unit_json_int(t, "tcId", 0), r);
                n_bad++;
            }
            l2v_dh_free(dh);
        }
    }
    ck_assert(json == NULL || (n_good > 50 && n_bad > 5));
    unit_json_free(json);
}

START_TEST(ecdh_wycheproof)
{
    run_wycheproof_ecdh("kat/wycheproof/ecdh_secp256r1_ecpoint_test.json", L2V_DH_ECP256);
    run_wycheproof_ecdh("kat/wycheproof/ecdh_secp384r1_ecpoint_test.json", L2V_DH_ECP384);
    run_wycheproof_ecdh("kat/wycheproof/ecdh_secp521r1_ecpoint_test.json", L2V_DH_ECP521);
}
END_TEST

static void *exchange_often(void *arg)
{
    unsigned failures = 0;
    (void)arg;
    for (unsigned round = 0; round < 60; round++) {
        unsigned group = groups[round % N_GROUPS];
        struct l2v_dh *a = NULL;
        struct l2v_dh *b = NULL;
        uint8_t sa[L2V_DH_MAX_SECRET], sb[L2V_DH_MAX_SECRET];
        size_t len = 0;
        if (l2v_dh_new(crypto_under_test, group, NULL, 0, &a) != 0 ||
            l2v_dh_new(crypto_under_test, group, NULL, 0, &b) != 0) {
            failures++;
        } else {
            const uint8_t *pub = l2v_dh_public(b, &len);
            failures += l2v_dh_derive(a, pub, len, sa) != 0;
            pub = l2v_dh_public(a, &len);
            failures += l2v_dh_derive(b, pub, len, sb) != 0;
            failures += memcmp(sa, sb, l2v_dh_secret_len(group)) != 0;
        }
        l2v_dh_free(a);
        l2v_dh_free(b);
    }
    return failures == 0 ? NULL : (void *)&crypto_te;
}

/* Jobs run on any threads at once, and touch no memory of the context. */
START_TEST(on_many_threads)
{
    pthread_t threads[3];
    long n_allocs = crypto_te.n_allocs;
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, exchange_often, NULL), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        void *failed = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
    ck_assert_int_eq(crypto_te.n_allocs, n_allocs);
}
END_TEST

TCase *crypto_dh_case(void)
{
    TCase *tc = tcase_create("dh");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, crypto_setup, crypto_teardown);
    tcase_add_loop_test(tc, both_sides_agree, 0, (int)N_GROUPS);
    tcase_add_test(tc, unknown_groups);
    tcase_add_loop_test(tc, modp_range, 0, 5);
    tcase_add_test(tc, modp_p_minus_one);
    tcase_add_loop_test(tc, ecp_off_curve, 0, 3);
    tcase_add_test(tc, x25519_small_order);
    tcase_add_test(tc, bad_seeds);
    tcase_add_test(tc, x25519_rfc7748);
    tcase_add_test(tc, ecp256_rfc5903);
    tcase_add_test(tc, vectors);
    tcase_add_test(tc, x25519_wycheproof);
    tcase_add_test(tc, ecdh_wycheproof);
    tcase_add_test(tc, on_many_threads);
    return tc;
}
