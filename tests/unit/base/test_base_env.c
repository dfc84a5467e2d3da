/* SPDX-License-Identifier: MIT */
/* Environment: tables, memory, random, log, tap, failure objects. */
#include "base_addr.h"
#include "test_base.h"

START_TEST(tables_are_checked)
{
    struct l2v_env env;
    l2tpvoip_mem mem;
    l2tpvoip_env_ops ops;
    memset(&mem, 0, sizeof mem);
    memset(&ops, 0, sizeof ops);
    ck_assert_int_eq(l2v_env_init(&env, NULL, NULL, NULL, NULL, 5), 0);
    ck_assert_uint_eq(env.now_ns, 5);
    ck_assert_int_eq(l2v_env_init(&env, NULL, &ops, NULL, NULL, 5), L2TPVOIP_ERR_INVALID);
    mem.size = sizeof mem;
    mem.malloc_fn = test_env_malloc; /* one of four */
    ck_assert_int_eq(l2v_env_init(&env, &mem, NULL, NULL, NULL, 5), L2TPVOIP_ERR_INVALID);
}
END_TEST

/* A caller with a shorter, older table: members behind its size count as absent. */
START_TEST(short_tables_are_old)
{
    struct l2v_env env;
    l2tpvoip_env_ops ops;
    memset(&ops, 0xee, sizeof ops);
    ops.size = (uint32_t)offsetof(l2tpvoip_env_ops, random);
    ck_assert_int_eq(l2v_env_init(&env, NULL, &ops, NULL, NULL, 0), 0);
    ck_assert(env.ops.random == NULL);
    ck_assert(env.ops.wallclock_s != NULL);
}
END_TEST

START_TEST(memory)
{
    struct test_env te;
    char *text;
    void *p;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    ck_assert(l2v_calloc(&te.env, SIZE_MAX / 2, 3) == NULL);
    ck_assert(l2v_strdup(&te.env, NULL) == NULL);
    text = l2v_strdup(&te.env, "voice");
    ck_assert_str_eq(text, "voice");
    p = l2v_memdup(&te.env, NULL, 0);
    ck_assert(p != NULL);
    p = l2v_realloc(&te.env, p, 100);
    ck_assert(p != NULL);
    l2v_free(&te.env, p);
    l2v_free(&te.env, NULL);
    l2v_free_secret(&te.env, text, 6);
    l2v_free_secret(&te.env, NULL, 6);
    te.fail_at = te.n_allocs + 1;
    ck_assert(l2v_strdup(&te.env, "x") == NULL);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

static int count_up(void *user, uint8_t *dst, size_t len)
{
    uint8_t *next = (uint8_t *)user;
    for (size_t i = 0; i < len; i++) {
        dst[i] = (*next)++;
    }
    return 0;
}

START_TEST(random_hands_out_each_byte_once)
{
    struct l2v_env env;
    l2tpvoip_env_ops ops;
    uint8_t next = 0, seen[256] = {0}, big[2000];
    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.user = &next;
    ops.random = count_up;
    ck_assert_int_eq(l2v_env_init(&env, NULL, &ops, NULL, NULL, 0), 0);
    for (int i = 0; i < 1024; i++) {
        uint8_t b;
        test_must(l2v_random(&env, &b, 1) == 0);
        seen[b]++;
    }
    for (int i = 0; i < 256; i++) {
        ck_assert_uint_eq(seen[i], 4);
    }
    /* What was handed out is gone from the buffer. */
    for (size_t i = 0; i < sizeof env.rnd; i++) {
        test_must(env.rnd[i] == 0);
    }
    ck_assert_int_eq(l2v_random(&env, big, sizeof big), 0); /* larger than the buffer */
    ck_assert_uint_eq((uint8_t)(big[1999] - big[0]), (uint8_t)(1999 & 0xff));
    ck_assert_uint_eq(env.in_provider, 0);
}
END_TEST

START_TEST(random_failure_is_an_error)
{
    struct test_env te;
    struct l2v_env bare;
    uint32_t v = 42;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    te.random_fails = 1;
    ck_assert_int_eq(l2v_random_u32(&te.env, &v), L2TPVOIP_ERR_CRYPTO);
    ck_assert_uint_eq(v, 42);
    ck_assert_uint_eq(l2v_random_below(&te.env, 10), 0);
    te.random_fails = 0;
    ck_assert_int_eq(l2v_random_u32(&te.env, &v), 0);
    test_env_clear(&te);
    ck_assert_int_eq(l2v_env_init(&bare, NULL, NULL, NULL, NULL, 0), 0);
    ck_assert_int_eq(l2v_random_u32(&bare, &v), L2TPVOIP_ERR_CRYPTO); /* no source at all */
}
END_TEST

START_TEST(random_below_is_even)
{
    struct test_env te;
    int count[7] = {0};
    ck_assert_int_eq(test_env_init(&te, 99), 0);
    for (int i = 0; i < 70000; i++) {
        uint32_t v = l2v_random_below(&te.env, 7);
        test_must(v < 7);
        count[v]++;
    }
    for (int i = 0; i < 7; i++) {
        ck_assert_int_gt(count[i], 9500);
        ck_assert_int_lt(count[i], 10500);
    }
    ck_assert_uint_eq(l2v_random_below(&te.env, 0), 0);
    ck_assert_uint_eq(l2v_random_below(&te.env, 1), 0);
    test_env_clear(&te);
}
END_TEST

struct sink {
    struct l2v_env *env;
    int lines;
    uint32_t in_provider;
    char msg[600];
    size_t len;
};

static void write_line(void *user, int32_t level, const char *module, const char *msg, size_t len)
{
    struct sink *s = (struct sink *)user;
    (void)level;
    (void)module;
    s->lines++;
    s->in_provider = s->env->in_provider;
    s->len = len;
    memcpy(s->msg, msg, len + 1);
}

START_TEST(log_levels_and_length)
{
    struct l2v_env env;
    struct sink s = {.env = &env};
    l2tpvoip_log_ops log = {
        .size = sizeof log, .level = L2TPVOIP_LOG_NOTICE, .user = &s, .write = write_line};
    char text[1000];
    ck_assert_int_eq(l2v_env_init(&env, NULL, NULL, &log, NULL, 0), 0);
    l2v_log(&env, L2TPVOIP_LOG_INFO, "esp", "no %d", 1);
    ck_assert_int_eq(s.lines, 0);
    l2v_log(&env, L2TPVOIP_LOG_NOTICE, "esp", "yes %d", 2);
    ck_assert_int_eq(s.lines, 1);
    ck_assert_str_eq(s.msg, "yes 2");
    ck_assert_uint_eq(s.len, 5);
    ck_assert_uint_eq(s.in_provider, 1); /* entries return REENTRANT meanwhile */
    ck_assert_uint_eq(env.in_provider, 0);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    l2v_log(&env, L2TPVOIP_LOG_ERROR, "esp", "%s", text);
    ck_assert_uint_eq(s.len, 511);
    ck_assert_uint_eq(strlen(s.msg), 511);
    /* Text of a peer: no second line, no escape sequence; UTF-8 stays. */
    l2v_log(&env, L2TPVOIP_LOG_ERROR, "l2tp", "name \"%s\"", "a\n1 ERROR forged\r\x1b[2J\x7f\t\xc3\xa4");
    ck_assert_str_eq(s.msg, "name \"a?1 ERROR forged??[2J??\xc3\xa4\"");
    l2tpvoip_failure f;
    l2v_failure_set(&f, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_AUTH_PPP, 0, "next", "said \"%s\"", "x\r\ny\x1b");
    ck_assert_str_eq(f.message, "said \"x??y?\"");
}
END_TEST

struct tapped {
    int packets, keys;
    uint8_t family;
};

static void tap_packet(void *user, uint32_t layer, uint32_t direction, uint64_t time_ns,
                       const l2tpvoip_addr *local, const l2tpvoip_addr *remote, const uint8_t *data,
                       size_t len)
{
    struct tapped *t = (struct tapped *)user;
    (void)layer;
    (void)direction;
    (void)time_ns;
    (void)remote;
    (void)data;
    (void)len;
    t->packets++;
    t->family = local->family;
}

static void tap_key(void *user, uint32_t kind, const char *line, size_t len)
{
    struct tapped *t = (struct tapped *)user;
    ck_assert_uint_eq(kind, L2TPVOIP_KEY_ESP);
    ck_assert_uint_eq(strlen(line), len);
    t->keys++;
}

START_TEST(tap_by_layer)
{
    struct l2v_env env;
    struct tapped t = {0};
    l2tpvoip_tap_ops tap = {.size = sizeof tap,
                            .layers = 1u << L2TPVOIP_TAP_PPP,
                            .user = &t,
                            .packet = tap_packet,
                            .key = tap_key};
    l2tpvoip_addr a = l2v_addr_from_ip4(1, 2);
    ck_assert_int_eq(l2v_env_init(&env, NULL, NULL, NULL, &tap, 0), 0);
    l2v_tap(&env, L2TPVOIP_TAP_INNER, L2TPVOIP_TAP_IN, &a, &a, NULL, 0);
    ck_assert_int_eq(t.packets, 0);
    l2v_tap(&env, L2TPVOIP_TAP_PPP, L2TPVOIP_TAP_IN, &a, NULL, NULL, 0);
    ck_assert_int_eq(t.packets, 1);
    ck_assert_uint_eq(t.family, 4);
    l2v_tap(&env, L2TPVOIP_TAP_PPP, L2TPVOIP_TAP_IN, NULL, NULL, NULL, 0);
    ck_assert_uint_eq(t.family, 0);
    l2v_tap_key(&env, L2TPVOIP_KEY_ESP, "\"IPv4\"");
    ck_assert_int_eq(t.keys, 1);
    tap.packet = NULL;
    ck_assert_int_eq(l2v_env_init(&env, NULL, NULL, NULL, &tap, 0), 0);
    ck_assert(!L2V_TAP_ON(&env, L2TPVOIP_TAP_PPP));
}
END_TEST

START_TEST(failure_object)
{
    l2tpvoip_failure f;
    char text[400];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_AUTH_IKE, 24, "Check the key.", "%s",
                    text);
    ck_assert_int_eq(f.layer, L2TPVOIP_LAYER_IKE);
    ck_assert_int_eq(f.code, L2TPVOIP_ERR_AUTH_IKE);
    ck_assert_int_eq(f.peer_code, 24);
    ck_assert_uint_eq(strlen(f.message), 255);
    ck_assert_str_eq(f.next_step, "Check the key.");
    l2v_failure_set(&f, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_TIMEOUT, 0, NULL, "no answer");
    ck_assert_str_eq(f.next_step, "");
    ck_assert_str_eq(f.message, "no answer");
    l2v_failure_set(NULL, 0, 0, 0, NULL, "nobody asks");
}
END_TEST

TCase *test_base_env(void)
{
    TCase *tc = tcase_create("env");
    tcase_add_test(tc, tables_are_checked);
    tcase_add_test(tc, short_tables_are_old);
    tcase_add_test(tc, memory);
    tcase_add_test(tc, random_hands_out_each_byte_once);
    tcase_add_test(tc, random_failure_is_an_error);
    tcase_add_test(tc, random_below_is_even);
    tcase_add_test(tc, log_levels_and_length);
    tcase_add_test(tc, tap_by_layer);
    tcase_add_test(tc, failure_object);
    return tc;
}
