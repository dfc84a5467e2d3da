/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/aaa: users, address pool. */
#include <check.h>
#include <stdio.h>

#include "base_addr.h"
#include "l2v_aaa.h"
#include "test_env.h"

/* --- users ---------------------------------------------------------------------------------------
 */

static int add(struct l2v_aaa_users *users, const char *name, const char *password)
{
    return l2v_aaa_users_add(users, name, (const uint8_t *)password, strlen(password), NULL);
}

START_TEST(users_are_found)
{
    struct test_env te;
    struct l2v_aaa_users *users;
    const uint8_t *password = NULL;
    size_t len = 0;
    l2tpvoip_addr fixed = l2v_addr_from_ip4(0x0a000007, 0), ip;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    ck_assert_int_eq(l2v_aaa_users_new(&te.env, &users), 0);
    ck_assert_int_eq(add(users, "alice", "secret"), 0);
    ck_assert_int_eq(add(users, "alice", "other"), L2TPVOIP_ERR_EXISTS);
    ck_assert_int_eq(add(users, "Alice", "big"), 0);
    ck_assert_int_eq(l2v_aaa_users_add(users, "bob", NULL, 0, &fixed), 0);
    ck_assert_int_eq(l2v_aaa_users_find(users, "alice", 5, &password, &len, &ip), 0);
    ck_assert_uint_eq(len, 6);
    ck_assert_mem_eq(password, "secret", 6);
    ck_assert_uint_eq(ip.family, 0);
    ck_assert_int_eq(l2v_aaa_users_find(users, "bob", 3, &password, &len, &ip), 0);
    ck_assert_uint_eq(len, 0);
    ck_assert(l2v_addr_equal(&ip, &fixed));
    ck_assert_int_eq(l2v_aaa_users_find(users, "bob", 3, &password, &len, NULL), 0);
    /* Names on the wire are not terminated and may hold anything. */
    ck_assert_int_eq(l2v_aaa_users_find(users, "alicex", 5, &password, &len, NULL), 0);
    ck_assert_int_eq(l2v_aaa_users_find(users, "alice", 4, &password, &len, NULL),
                     L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(l2v_aaa_users_find(users, "alice\0", 6, &password, &len, NULL),
                     L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(l2v_aaa_users_find(users, "", 0, &password, &len, NULL),
                     L2TPVOIP_ERR_NOT_FOUND);
    l2v_aaa_users_free(users);
    l2v_aaa_users_free(NULL);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

START_TEST(users_limits)
{
    struct test_env te;
    struct l2v_aaa_users *users;
    char name[66];
    const uint8_t *password;
    uint8_t long_password[257];
    size_t len;
    memset(name, 'n', sizeof name);
    memset(long_password, 'p', sizeof long_password);
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    ck_assert_int_eq(l2v_aaa_users_new(&te.env, &users), 0);
    name[64] = '\0';
    ck_assert_int_eq(add(users, name, "p"), L2TPVOIP_ERR_INVALID);
    name[63] = '\0';
    ck_assert_int_eq(add(users, name, "p"), 0);
    ck_assert_int_eq(l2v_aaa_users_find(users, name, 63, &password, &len, NULL), 0);
    name[63] = 'n';
    ck_assert_int_eq(l2v_aaa_users_find(users, name, 64, &password, &len, NULL),
                     L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(add(users, "", "p"), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(add(users, NULL, "p"), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_aaa_users_add(users, "x", NULL, 1, NULL), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_aaa_users_add(users, "x", long_password, 257, NULL), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_aaa_users_add(users, "x", long_password, 256, NULL), 0);
    l2v_aaa_users_free(users);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

START_TEST(many_users)
{
    struct test_env te;
    struct l2v_aaa_users *users;
    char name[32];
    const uint8_t *password;
    size_t len;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    ck_assert_int_eq(l2v_aaa_users_new(&te.env, &users), 0);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof name, "user%d", i);
        test_must(add(users, name, name) == 0);
    }
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof name, "user%d", i);
        test_must(l2v_aaa_users_find(users, name, strlen(name), &password, &len, NULL) == 0);
        test_must(len == strlen(name) && memcmp(password, name, len) == 0);
    }
    l2v_aaa_users_free(users);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

/* Freed passwords are wiped: looked at in the allocator. */
static bool wiped;

static void free_and_look(void *user, void *p)
{
    const uint8_t *bytes = (const uint8_t *)p;
    struct test_env *te = (struct test_env *)user;
    if (te->seed == 4711 && p != NULL) { /* each block is at least this long */
        wiped = true;
        for (size_t i = 0; i < 200; i++) {
            wiped = wiped && bytes[i] == 0;
        }
        te->seed = 0;
    }
    test_env_free(user, p);
}

START_TEST(passwords_are_wiped)
{
    struct test_env te;
    struct l2v_aaa_users *users;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    te.env.mem.free_fn = free_and_look;
    ck_assert_int_eq(l2v_aaa_users_new(&te.env, &users), 0);
    ck_assert_int_eq(add(users, "alice", "secret"), 0);
    te.seed = 4711; /* the next block freed is the user */
    l2v_aaa_users_free(users);
    ck_assert(wiped);
    test_env_clear(&te);
}
END_TEST

/* --- pool ----------------------------------------------------------------------------------------
 */

static uint32_t take(struct l2v_aaa_pool *pool, const char *name)
{
    l2tpvoip_addr ip = {0};
    int err = l2v_aaa_pool_take(pool, name, strlen(name), &ip);
    ck_assert(err == 0 || err == L2TPVOIP_ERR_LIMIT);
    ck_assert_uint_eq(ip.family, err == 0 ? 4 : 0);
    return l2v_addr_get_ip4(&ip);
}

static void give(struct l2v_aaa_pool *pool, uint32_t ip)
{
    l2tpvoip_addr a = l2v_addr_from_ip4(ip, 0);
    l2v_aaa_pool_give_back(pool, &a);
}

static int reserve(struct l2v_aaa_pool *pool, uint32_t ip)
{
    l2tpvoip_addr a = l2v_addr_from_ip4(ip, 0);
    return l2v_aaa_pool_reserve(pool, &a);
}

#define BASE 0x0a010002u

static void pool_new(struct test_env *te, uint32_t size, struct l2v_aaa_pool **ret)
{
    l2tpvoip_addr first = l2v_addr_from_ip4(BASE, 0);
    ck_assert_int_eq(test_env_init(te, 1), 0);
    ck_assert_int_eq(l2v_aaa_pool_new(&te->env, &first, size, ret), 0);
}

static void pool_end(struct test_env *te, struct l2v_aaa_pool *pool)
{
    l2v_aaa_pool_free(pool);
    test_env_clear(te);
    ck_assert_int_eq(te->live, 0);
}

START_TEST(pool_is_sticky)
{
    struct test_env te;
    struct l2v_aaa_pool *pool;
    uint32_t a, b;
    pool_new(&te, 4, &pool);
    a = take(pool, "alice");
    b = take(pool, "bob");
    ck_assert_uint_eq(a, BASE);
    ck_assert_uint_eq(b, BASE + 1);
    give(pool, a);
    give(pool, b);
    ck_assert_uint_eq(take(pool, "carol"), BASE + 2); /* free for longest, not alice's */
    ck_assert_uint_eq(take(pool, "bob"), b);
    ck_assert_uint_eq(take(pool, "alice"), a);
    give(pool, a);
    give(pool, b);
    ck_assert_uint_eq(take(pool, "dave"), BASE + 3);
    ck_assert_uint_eq(take(pool, "erin"), a);  /* alice's: free longer than bob's */
    ck_assert_uint_eq(take(pool, "alice"), b); /* hers is gone */
    ck_assert_uint_eq(take(pool, "bob"), 0);   /* LIMIT */
    give(pool, b);
    ck_assert_uint_eq(take(pool, "bob"), b);
    pool_end(&te, pool);
}
END_TEST

START_TEST(pool_several_of_one_name)
{
    struct test_env te;
    struct l2v_aaa_pool *pool;
    uint32_t a, b, c;
    pool_new(&te, 8, &pool);
    a = take(pool, "pbx");
    b = take(pool, "pbx");
    c = take(pool, "pbx");
    ck_assert(a != b && b != c && a != c);
    give(pool, c);
    give(pool, a);
    give(pool, b);
    ck_assert_uint_eq(take(pool, "pbx"), b); /* the last that it had */
    ck_assert_uint_eq(take(pool, "pbx"), a);
    ck_assert_uint_eq(take(pool, "pbx"), c);
    ck_assert_uint_eq(take(pool, ""), BASE + 3); /* nameless ones are not sticky */
    give(pool, BASE + 3);
    ck_assert_uint_eq(take(pool, ""), BASE + 4);
    pool_end(&te, pool);
}
END_TEST

START_TEST(pool_reserve)
{
    struct test_env te;
    struct l2v_aaa_pool *pool;
    l2tpvoip_addr six = {.family = 6};
    pool_new(&te, 3, &pool);
    ck_assert_int_eq(reserve(pool, BASE + 3), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(reserve(pool, BASE - 1), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(l2v_aaa_pool_reserve(pool, &six), L2TPVOIP_ERR_NOT_FOUND);
    ck_assert_int_eq(reserve(pool, BASE + 1), 0);
    ck_assert_int_eq(reserve(pool, BASE + 1), L2TPVOIP_ERR_EXISTS);
    ck_assert_uint_eq(take(pool, "a"), BASE);
    ck_assert_int_eq(reserve(pool, BASE), L2TPVOIP_ERR_EXISTS);
    ck_assert_uint_eq(take(pool, "b"), BASE + 2);
    ck_assert_uint_eq(take(pool, "c"), 0);
    give(pool, BASE + 1);
    give(pool, BASE + 1); /* twice is once */
    give(pool, BASE + 3);
    l2v_aaa_pool_give_back(pool, &six);
    ck_assert_uint_eq(take(pool, "c"), BASE + 1);
    ck_assert_uint_eq(take(pool, "d"), 0);
    give(pool, BASE + 1);
    ck_assert_int_eq(reserve(pool, BASE + 1), 0); /* c's name is forgotten */
    give(pool, BASE);
    ck_assert_uint_eq(take(pool, "c"), BASE);
    pool_end(&te, pool);
}
END_TEST

START_TEST(pool_bounds)
{
    struct test_env te;
    struct l2v_aaa_pool *pool = NULL;
    l2tpvoip_addr first = l2v_addr_from_ip4(UINT32_MAX - 1, 0), six = {.family = 6};
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    ck_assert_int_eq(l2v_aaa_pool_new(&te.env, &first, 3, &pool), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_aaa_pool_new(&te.env, &first, 0, &pool), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_aaa_pool_new(&te.env, &six, 3, &pool), L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_aaa_pool_new(&te.env, &first, 2, &pool), 0);
    ck_assert_uint_eq(take(pool, "x"), UINT32_MAX - 1);
    ck_assert_uint_eq(take(pool, "y"), UINT32_MAX);
    ck_assert_uint_eq(take(pool, "z"), 0);
    l2v_aaa_pool_free(pool);
    first = l2v_addr_from_ip4(0, 0);
    ck_assert_int_eq(l2v_aaa_pool_new(&te.env, &first, (1u << 20) + 1, &pool),
                     L2TPVOIP_ERR_INVALID);
    l2v_aaa_pool_free(NULL);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

/* Never two owners, never lost, whatever the order. */
START_TEST(pool_against_model)
{
    enum { SIZE = 50 };
    struct test_env te;
    struct l2v_aaa_pool *pool;
    bool taken[SIZE] = {false};
    unsigned count = 0;
    uint64_t seed = 8;
    pool_new(&te, SIZE, &pool);
    for (int step = 0; step < 50000; step++) {
        uint64_t r = test_random64(&seed);
        uint32_t i = (uint32_t)((r >> 8) % SIZE);
        l2tpvoip_addr ip = l2v_addr_from_ip4(BASE + i, 0);
        if (r % 16 == 0) {
            int err = l2v_aaa_pool_reserve(pool, &ip);
            test_must(err == (taken[i] ? L2TPVOIP_ERR_EXISTS : 0));
            count += taken[i] ? 0 : 1;
            taken[i] = true;
        } else if (r % 2 == 0) {
            l2v_aaa_pool_give_back(pool, &ip);
            count -= taken[i] ? 1 : 0;
            taken[i] = false;
        } else {
            char name[8];
            int err;
            (void)snprintf(name, sizeof name, "u%u", (unsigned)((r >> 32) % 40));
            err = l2v_aaa_pool_take(pool, name, strlen(name), &ip);
            test_must(err == (count == SIZE ? L2TPVOIP_ERR_LIMIT : 0));
            if (err == 0) {
                i = l2v_addr_get_ip4(&ip) - BASE;
                test_must(i < SIZE && !taken[i]);
                taken[i] = true;
                count++;
            }
        }
    }
    pool_end(&te, pool);
}
END_TEST

START_TEST(out_of_memory)
{
    struct test_env te;
    struct l2v_aaa_users *users = NULL;
    struct l2v_aaa_pool *pool = NULL;
    l2tpvoip_addr first = l2v_addr_from_ip4(BASE, 0);
    long live;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    live = te.live;
    for (int n = 1; n <= 2; n++) {
        te.fail_at = te.n_allocs + n;
        ck_assert_int_eq(l2v_aaa_users_new(&te.env, &users), L2TPVOIP_ERR_NOMEM);
        ck_assert_int_eq(te.live, live);
    }
    for (int n = 1; n <= 3; n++) {
        te.fail_at = te.n_allocs + n;
        ck_assert_int_eq(l2v_aaa_pool_new(&te.env, &first, 10, &pool), L2TPVOIP_ERR_NOMEM);
        ck_assert_int_eq(te.live, live);
    }
    ck_assert_int_eq(l2v_aaa_users_new(&te.env, &users), 0);
    te.fail_at = te.n_allocs + 1;
    ck_assert_int_eq(add(users, "a", "b"), L2TPVOIP_ERR_NOMEM);
    ck_assert_int_eq(add(users, "a", "b"), 0);
    l2v_aaa_users_free(users);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("aaa");
    TCase *tc = tcase_create("aaa");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, users_are_found);
    tcase_add_test(tc, users_limits);
    tcase_add_test(tc, many_users);
    tcase_add_test(tc, passwords_are_wiped);
    tcase_add_test(tc, pool_is_sticky);
    tcase_add_test(tc, pool_several_of_one_name);
    tcase_add_test(tc, pool_reserve);
    tcase_add_test(tc, pool_bounds);
    tcase_add_test(tc, pool_against_model);
    tcase_add_test(tc, out_of_memory);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
