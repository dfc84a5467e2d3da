/* SPDX-License-Identifier: MIT */
/* lib/crypto: creation, failures, threads; the other cases are in the files beside this one. */
#include "crypto_test.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>

struct test_env crypto_te;
struct l2v_crypto *crypto_under_test;
static long n_libcrypto_allocs;

static void *counting_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    __atomic_add_fetch(&n_libcrypto_allocs, 1, __ATOMIC_RELAXED);
    return malloc(len);
}

static void *counting_realloc(void *p, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    __atomic_add_fetch(&n_libcrypto_allocs, 1, __ATOMIC_RELAXED);
    return realloc(p, len);
}

static void counting_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

void crypto_setup(void)
{
    ck_assert_int_eq(test_env_init(&crypto_te, 1), 0);
    ck_assert_int_eq(l2v_crypto_new(&crypto_te.env, NULL, &crypto_under_test), 0);
}

void crypto_teardown(void)
{
    l2v_crypto_free(crypto_under_test);
    test_env_clear(&crypto_te);
    ck_assert_int_eq(crypto_te.live, 0);
}

START_TEST(sets_the_fallback_of_random)
{
    uint8_t a[64] = {0};
    uint8_t b[64] = {0};
    ck_assert(crypto_te.env.random_fallback != NULL);
    ck_assert_int_eq(crypto_te.env.random_fallback(a, sizeof(a)), 0);
    ck_assert_int_eq(crypto_te.env.random_fallback(b, sizeof(b)), 0);
    ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

START_TEST(leaves_the_error_queue_alone)
{
    struct l2v_dh *dh = NULL;
    uint8_t zero[64] = {0};
    uint8_t secret[L2V_DH_MAX_SECRET];
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 77);
    ck_assert_int_eq(l2v_dh_new(crypto_under_test, L2V_DH_ECP256, NULL, 0, &dh), 0);
    ck_assert_int_eq(l2v_dh_derive(dh, zero, 64, secret), L2TPVOIP_ERR_PROTOCOL);
    l2v_dh_free(dh);
    ck_assert_int_eq(ERR_GET_REASON(ERR_get_error()), 77);
    ck_assert_uint_eq(ERR_get_error(), 0);
}
END_TEST

/* A library context of its own, and the process's, which must not change: no legacy provider. */
START_TEST(works_in_a_library_context)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    struct l2v_crypto *own = NULL;
    struct l2v_iov iov = {"abc", 3};
    uint8_t out[L2V_HASH_MAX];
    ck_assert_ptr_nonnull(libctx);
    ck_assert_int_eq(l2v_crypto_new(&crypto_te.env, libctx, &own), 0);
    ck_assert_int_eq(l2v_digest(own, L2V_HASH_MD4, &iov, 1, out), 0);
    l2v_crypto_free(own);
    ck_assert_int_eq(OSSL_PROVIDER_available(libctx, "legacy"), 0);
    ck_assert_int_eq(OSSL_PROVIDER_available(NULL, "legacy"), 0);
    OSSL_LIB_CTX_free(libctx);
}
END_TEST

/* A context without any algorithm: UNAVAILABLE, not a crash. */
START_TEST(reports_what_is_missing)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *none = OSSL_PROVIDER_load(libctx, "null");
    struct l2v_crypto *own = NULL;
    ck_assert_ptr_nonnull(none);
    ck_assert_int_eq(l2v_crypto_new(&crypto_te.env, libctx, &own), L2TPVOIP_ERR_CRYPTO_UNAVAILABLE);
    ck_assert_ptr_null(own);
    OSSL_PROVIDER_unload(none);
    OSSL_LIB_CTX_free(libctx);
}
END_TEST

START_TEST(survives_each_failing_allocation)
{
    struct l2v_crypto *c = NULL;
    long live = crypto_te.live;
    int r = L2TPVOIP_ERR_NOMEM;
    for (long n = 1; r != 0; n++) {
        ck_assert_int_lt(n, 1000);
        crypto_te.n_allocs = 0;
        crypto_te.fail_at = n;
        r = l2v_crypto_new(&crypto_te.env, NULL, &c);
        ck_assert(r == 0 || r == L2TPVOIP_ERR_NOMEM);
        if (r != 0) {
            ck_assert_int_eq(crypto_te.live, live);
        }
    }
    crypto_te.fail_at = 0;
    l2v_crypto_free(c);
    ck_assert_int_eq(crypto_te.live, live);
}
END_TEST

START_TEST(reports_a_failing_random)
{
    struct l2v_seal *seal = NULL;
    uint8_t key[36] = {0};
    crypto_te.env.rnd_left = 0;
    crypto_te.random_fails = 1;
    ck_assert_int_eq(
        l2v_seal_new(crypto_under_test, L2V_SUITE_AES_GCM_16, true, key, 20, NULL, 0, &seal),
        L2TPVOIP_ERR_CRYPTO);
    ck_assert_int_eq(
        l2v_seal_new(crypto_under_test, L2V_SUITE_AES_CBC_SHA1_96, true, key, 16, key, 20, &seal),
        L2TPVOIP_ERR_CRYPTO);
    ck_assert_ptr_null(seal);
}
END_TEST

/* The promise of l2v_crypto.h: no allocation inside libcrypto on the AEAD paths. */
START_TEST(aead_allocates_nothing_in_libcrypto)
{
    static const enum l2v_suite_id ids[] = {L2V_SUITE_AES_GCM_16, L2V_SUITE_CHACHA20_POLY1305};
    for (unsigned i = 0; i < 2; i++) {
        struct l2v_seal *s = NULL;
        struct l2v_seal *o = NULL;
        uint8_t key[36] = {1};
        uint8_t buf[8 + 8 + 200 + 16] = {2};
        long before;
        ck_assert_int_eq(l2v_seal_new(crypto_under_test, ids[i], true, key, 36, NULL, 0, &s), 0);
        ck_assert_int_eq(l2v_seal_new(crypto_under_test, ids[i], false, key, 36, NULL, 0, &o), 0);
        before = n_libcrypto_allocs;
        for (uint64_t seq = 1; seq < 100; seq++) {
            ck_assert_int_eq(
                l2v_seal_packet(s, seq, buf, 8, buf + 8, buf + 16, 200, NULL, 0, buf + 216), 0);
            ck_assert_int_eq(l2v_open_packet(o, buf, 8, buf + 8, buf + 16, 200, NULL, 0, buf + 216),
                             0);
        }
        ck_assert_int_eq(n_libcrypto_allocs, before);
        l2v_seal_free(s);
        l2v_seal_free(o);
    }
    ck_assert_int_gt(n_libcrypto_allocs, 0);
}
END_TEST

static TCase *general_case(void)
{
    TCase *tc = tcase_create("general");
    tcase_add_checked_fixture(tc, crypto_setup, crypto_teardown);
    tcase_add_test(tc, sets_the_fallback_of_random);
    tcase_add_test(tc, leaves_the_error_queue_alone);
    tcase_add_test(tc, works_in_a_library_context);
    tcase_add_test(tc, reports_what_is_missing);
    tcase_add_test(tc, survives_each_failing_allocation);
    tcase_add_test(tc, reports_a_failing_random);
    tcase_add_test(tc, aead_allocates_nothing_in_libcrypto);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("crypto");
    SRunner *runner;
    int failed;
    if (CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free) != 1) {
        return 1;
    }
    suite_add_tcase(suite, general_case());
    suite_add_tcase(suite, crypto_hash_case());
    suite_add_tcase(suite, crypto_seal_case());
    suite_add_tcase(suite, crypto_seal_kat_case());
    suite_add_tcase(suite, crypto_dh_case());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
