/* SPDX-License-Identifier: MIT */
/* Map against a plain array, and SipHash-1-3 known answers. */
#include "base_map.h"
#include "test_base.h"

/* CPython 3.11 hashes bytes with SipHash-1-3; PYTHONHASHSEED=0 makes the key zero. */
START_TEST(siphash_known_answers)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } answers[] = {
        {"a", UINT64_C(0x407448d2b89b1813)},
        {"abc", UINT64_C(0xc03bc3a0042630f2)},
        {"12345678", UINT64_C(0x3489982430560a87)},
        {"0123456789abcdef0", UINT64_C(0xf738bb4f30801228)},
    };
    uint8_t key[16] = {0};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        ck_assert_uint_eq(l2v_siphash(key, answers[i].text, strlen(answers[i].text)),
                          answers[i].hash);
    }
    /* Both halves of the key count. */
    key[0] = 1;
    ck_assert_uint_ne(l2v_siphash(key, "a", 1), answers[0].hash);
    key[0] = 0;
    key[15] = 1;
    ck_assert_uint_ne(l2v_siphash(key, "a", 1), answers[0].hash);
}
END_TEST

enum { COUNT = 3000 };

struct item {
    struct l2v_map_node node;
    int in;
};

static int count_key(const struct l2v_map *m, uint64_t key)
{
    int n = 0;
    for (struct l2v_map_node *p = l2v_map_find(m, key); p != NULL; p = l2v_map_find_next(p)) {
        ck_assert_uint_eq(p->key, key);
        n++;
    }
    return n;
}

static void run_model(struct test_env *te, uint64_t seed)
{
    static struct item items[COUNT];
    struct l2v_map m;
    size_t count = 0;
    memset(items, 0, sizeof items);
    ck_assert_int_eq(l2v_map_init(&m, &te->env), 0);
    for (int step = 0; step < 40000; step++) {
        struct item *it = &items[test_random64(&seed) % COUNT];
        if (it->in) {
            l2v_map_remove(&m, &it->node);
            it->in = 0;
            count--;
        } else {
            l2v_map_insert(&m, &it->node, test_random64(&seed) % 1000);
            it->in = 1;
            count++;
        }
        test_must(m.count == count);
        if (step % 1000 == 0) {
            uint64_t key = test_random64(&seed) % 1000;
            int want = 0;
            for (int i = 0; i < COUNT; i++) {
                want += items[i].in && items[i].node.key == key;
            }
            ck_assert_int_eq(count_key(&m, key), want);
        }
    }
    ck_assert(l2v_map_find(&m, 123456) == NULL);
    for (int i = 0; i < COUNT; i++) { /* removing what is not in it does nothing */
        if (!items[i].in) {
            l2v_map_remove(&m, &items[i].node);
        }
    }
    ck_assert_uint_eq(m.count, count);
    l2v_map_clear(&m);
    l2v_map_clear(&m);
    ck_assert(l2v_map_find(&m, 1) == NULL);
}

START_TEST(map_against_model)
{
    struct test_env te;
    ck_assert_int_eq(test_env_init(&te, 3), 0);
    run_model(&te, 4);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

START_TEST(map_grows_and_survives_without_memory)
{
    struct test_env te;
    struct l2v_map m;
    static struct l2v_map_node nodes[100];
    ck_assert_int_eq(test_env_init(&te, 3), 0);
    ck_assert_int_eq(l2v_map_init(&m, &te.env), 0);
    for (uint64_t i = 0; i < 100; i++) {
        te.fail_at = te.n_allocs + 1; /* each growth fails */
        l2v_map_insert(&m, &nodes[i], i);
    }
    ck_assert_uint_eq(m.n_slots, 16);
    for (uint64_t i = 0; i < 100; i++) {
        ck_assert(l2v_map_find(&m, i) == &nodes[i]);
    }
    l2v_map_clear(&m);
    te.fail_at = te.n_allocs + 1;
    ck_assert_int_eq(l2v_map_init(&m, &te.env), L2TPVOIP_ERR_NOMEM);
    l2v_map_clear(&m);
    ck_assert_int_eq(l2v_map_init(&m, &te.env), 0);
    memset(nodes, 0, sizeof nodes);
    for (uint64_t i = 0; i < 100; i++) {
        l2v_map_insert(&m, &nodes[i], i);
    }
    ck_assert_uint_ge(m.n_slots, 100);
    l2v_map_clear(&m);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

START_TEST(map_key_is_random)
{
    struct test_env a, b;
    struct l2v_map m;
    static const uint8_t zero[16];
    ck_assert_int_eq(test_env_init(&a, 1), 0);
    ck_assert_int_eq(test_env_init(&b, 2), 0);
    a.random_fails = 1;
    ck_assert_int_eq(l2v_map_init(&m, &a.env), L2TPVOIP_ERR_CRYPTO);
    a.random_fails = 0;
    ck_assert_int_eq(l2v_map_init(&m, &a.env), 0);
    l2v_map_clear(&m);
    ck_assert_int_eq(l2v_map_init(&m, &b.env), 0);
    l2v_map_clear(&m);
    ck_assert_int_ne(memcmp(a.env.hash_key, b.env.hash_key, 16), 0);
    ck_assert_int_ne(memcmp(a.env.hash_key, zero, 16), 0);
    test_env_clear(&a);
    test_env_clear(&b);
}
END_TEST

TCase *test_base_map(void)
{
    TCase *tc = tcase_create("map");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, siphash_known_answers);
    tcase_add_test(tc, map_against_model);
    tcase_add_test(tc, map_grows_and_survives_without_memory);
    tcase_add_test(tc, map_key_is_random);
    return tc;
}
