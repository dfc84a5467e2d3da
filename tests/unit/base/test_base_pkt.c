/* SPDX-License-Identifier: MIT */
/* Packets: room at both ends, pool bounds, references, queues. */
#include "test_base.h"

START_TEST(room)
{
    struct test_env te;
    struct l2v_pkt *p;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    p = l2v_pkt_copy(&te.env, "abcd", 4);
    ck_assert(p != NULL);
    ck_assert_uint_eq(l2v_pkt_headroom(p), L2V_PKT_HEADROOM);
    ck_assert_uint_ge(l2v_pkt_tailroom(p), L2V_PKT_TAILROOM);
    ck_assert(l2v_pkt_push(p, L2V_PKT_HEADROOM + 1) == NULL);
    ck_assert(l2v_pkt_push(p, L2V_PKT_HEADROOM) == p->buf);
    ck_assert_uint_eq(p->len, L2V_PKT_HEADROOM + 4);
    ck_assert(l2v_pkt_pull(p, L2V_PKT_HEADROOM + 5) == NULL);
    ck_assert(l2v_pkt_pull(p, L2V_PKT_HEADROOM) == p->buf);
    ck_assert_mem_eq(p->data, "abcd", 4);
    ck_assert(l2v_pkt_put(p, l2v_pkt_tailroom(p) + 1) == NULL);
    ck_assert(l2v_pkt_put(p, 2) == p->data + 4);
    l2v_pkt_trim(p, 100);
    ck_assert_uint_eq(p->len, 6);
    l2v_pkt_trim(p, 1);
    ck_assert_uint_eq(p->len, 1);
    l2v_pkt_free(p);
    p = l2v_pkt_new(&te.env, 65535); /* larger than a pooled one */
    ck_assert(p != NULL);
    ck_assert(p->flags & L2V_PKT_HEAP);
    ck_assert_uint_eq(l2v_pkt_tailroom(p), 65535 + L2V_PKT_TAILROOM);
    memset(l2v_pkt_put(p, 65535 + L2V_PKT_TAILROOM), 1, 65535 + L2V_PKT_TAILROOM);
    l2v_pkt_free(p);
    ck_assert(l2v_pkt_new(&te.env, SIZE_MAX) == NULL);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

START_TEST(pool_is_bounded_and_reuses)
{
    struct test_env te;
    struct l2v_pkt *p[256];
    long allocs;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    for (int i = 0; i < 256; i++) {
        p[i] = l2v_pkt_new(&te.env, 1000);
        ck_assert(p[i] != NULL);
    }
    ck_assert(l2v_pkt_new(&te.env, 10) == NULL);
    ck_assert_uint_eq(l2v_pkt_pool_misses(te.env.pool), 1);
    l2v_pkt_free(p[0]);
    allocs = te.n_allocs;
    p[0] = l2v_pkt_new(&te.env, 10);
    ck_assert(p[0] != NULL);
#ifdef L2V_NO_POOLS
    ck_assert_int_eq(te.n_allocs, allocs + 1);
#else
    ck_assert_int_eq(te.n_allocs, allocs); /* no allocation in steady state */
#endif
    ck_assert_uint_eq(p[0]->len, 0);
    for (int i = 0; i < 256; i++) {
        l2v_pkt_free(p[i]);
    }
    te.fail_at = te.n_allocs + 1;
    for (int i = 0; i < 256; i++) {
        p[i] = l2v_pkt_new(&te.env, 5000);
    }
    ck_assert(p[0] == NULL); /* out of memory is a miss, too */
    ck_assert_uint_eq(l2v_pkt_pool_misses(te.env.pool), 2);
    for (int i = 1; i < 256; i++) {
        l2v_pkt_free(p[i]);
    }
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
    ck_assert(l2v_pkt_new(&te.env, 1) == NULL); /* no pool */
}
END_TEST

START_TEST(references)
{
    struct test_env te;
    struct l2v_pkt *p, borrowed;
    uint8_t data[10] = {1, 2, 3};
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    p = l2v_pkt_copy(&te.env, data, 3);
    ck_assert(l2v_pkt_ref(p) == p);
    l2v_pkt_free(p);
    ck_assert_uint_eq(p->data[2], 3);
    /* A backend may hold a packet longer than the context lives. */
    l2v_pkt_pool_free(te.env.pool);
    ck_assert(te.env.pool == NULL);
    ck_assert_int_eq(te.live, 2);
    l2v_pkt_free(p);
    ck_assert_int_eq(te.live, 0);
    l2v_pkt_free(NULL);
    l2v_pkt_borrow(&borrowed, data, sizeof data);
    ck_assert_uint_eq(l2v_pkt_headroom(&borrowed), 0);
    ck_assert_uint_eq(l2v_pkt_tailroom(&borrowed), 0);
    ck_assert(l2v_pkt_ref(&borrowed) == NULL);
    l2v_pkt_free(&borrowed);
    ck_assert_uint_eq(borrowed.len, sizeof data);
}
END_TEST

START_TEST(queues)
{
    struct test_env te;
    struct l2v_pktq q;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    l2v_pktq_init(&q);
    ck_assert(l2v_pktq_pop(&q) == NULL);
    for (uint16_t i = 0; i < 5; i++) {
        struct l2v_pkt *p = l2v_pkt_new(&te.env, 1);
        p->mark = i;
        l2v_pktq_push(&q, p);
    }
    ck_assert_uint_eq(q.count, 5);
    for (uint16_t i = 0; i < 3; i++) {
        struct l2v_pkt *p = l2v_pktq_pop(&q);
        ck_assert_uint_eq(p->mark, i);
        l2v_pkt_free(p);
    }
    l2v_pktq_clear(&q);
    ck_assert_uint_eq(q.count, 0);
    ck_assert(q.head == NULL && q.tail == NULL);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

TCase *test_base_pkt(void)
{
    TCase *tc = tcase_create("pkt");
    tcase_add_test(tc, room);
    tcase_add_test(tc, pool_is_bounded_and_reuses);
    tcase_add_test(tc, references);
    tcase_add_test(tc, queues);
    return tc;
}
