/* SPDX-License-Identifier: MIT */
/* Send queues and DSCP policy. */
#include "test_voip.h"

static void push(struct test_env *te, struct l2v_voip_queue *q, unsigned klass, uint16_t mark,
                 uint64_t now)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(&te->env, "x", 1);
    ck_assert_ptr_nonnull(pkt);
    pkt->klass = (uint8_t)klass;
    pkt->mark = mark;
    l2v_voip_queue_push(q, pkt, now);
}

/* Class * 1000 + mark of the next packet; 0 = none. */
static unsigned pop(struct l2v_voip_queue *q, uint64_t now)
{
    struct l2v_pkt *pkt = l2v_voip_queue_pop(q, now);
    unsigned id = pkt != NULL ? pkt->klass * 1000u + pkt->mark : 0;
    l2v_pkt_free(pkt);
    return id;
}

START_TEST(priorities)
{
    struct test_env te;
    struct l2v_voip_queue q;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    l2v_voip_queue_init(&q);
    ck_assert(l2v_voip_queue_is_empty(&q));
    ck_assert_uint_eq(pop(&q, 0), 0);
    for (uint16_t i = 1; i <= 2; i++) {
        push(&te, &q, L2TPVOIP_CLASS_BULK, i, 0);
        push(&te, &q, L2TPVOIP_CLASS_SIGNALLING, i, 0);
        push(&te, &q, L2TPVOIP_CLASS_VOICE, i, 0);
    }
    push(&te, &q, 0, 9, 0); /* control */
    static const unsigned order[] = {9, 1001, 1002, 2001, 2002, 3001, 3002, 0};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        ck_assert_uint_eq(pop(&q, 0), order[i]);
    }
    ck_assert(l2v_voip_queue_is_empty(&q));
    test_env_clear(&te);
}
END_TEST

/* Signalling does not starve bulk, and bulk never goes before voice. */
START_TEST(bulk_share)
{
    struct test_env te;
    struct l2v_voip_queue q;
    unsigned bulk = 0, signalling = 0;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    l2v_voip_queue_init(&q);
    for (uint16_t i = 0; i < 90; i++) {
        push(&te, &q, L2TPVOIP_CLASS_SIGNALLING, i, 0);
        push(&te, &q, L2TPVOIP_CLASS_BULK, i, 0);
    }
    for (uint16_t i = 0; i < 90; i++) {
        push(&te, &q, L2TPVOIP_CLASS_VOICE, i, 0);
        ck_assert_uint_eq(pop(&q, 0), 1000u + i);
        unsigned id = pop(&q, 0);
        bulk += id >= 3000;
        signalling += id < 3000;
    }
    ck_assert_uint_eq(bulk, 10);
    ck_assert_uint_eq(signalling, 80);
    l2v_voip_queue_clear(&q);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

START_TEST(full_queues)
{
    struct test_env te;
    struct l2v_voip_queue q;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    for (unsigned klass = 0; klass <= 3; klass++) {
        l2v_voip_queue_init(&q);
        uint16_t limit = (uint16_t)q.limit[klass];
        for (uint16_t i = 1; i <= limit + 3; i++) {
            push(&te, &q, klass, i, 0);
        }
        ck_assert_uint_eq(q.q[klass].count, limit);
        ck_assert_uint_eq(q.drops[klass], 3);
        /* the oldest media go; of control the oldest stay */
        ck_assert_uint_eq(pop(&q, 0), klass == 0 ? 1u : klass * 1000 + 4);
        l2v_voip_queue_clear(&q);
    }
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

START_TEST(stale_voice)
{
    struct test_env te;
    struct l2v_voip_queue q;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    l2v_voip_queue_init(&q);
    push(&te, &q, L2TPVOIP_CLASS_VOICE, 1, 0);
    push(&te, &q, L2TPVOIP_CLASS_VOICE, 2, 1);
    push(&te, &q, L2TPVOIP_CLASS_BULK, 3, 0);
    ck_assert_uint_eq(pop(&q, 60 * L2V_NS_PER_MS + 1), 1002); /* 60 ms is not too old */
    ck_assert_uint_eq(q.drops[L2TPVOIP_CLASS_VOICE], 1);
    push(&te, &q, L2TPVOIP_CLASS_VOICE, 4, 0);
    ck_assert_uint_eq(pop(&q, L2V_NS_PER_S), 3003); /* bulk may be old */
    ck_assert(l2v_voip_queue_is_empty(&q));
    ck_assert_uint_eq(q.drops[L2TPVOIP_CLASS_VOICE], 2);
    test_env_clear(&te);
}
END_TEST

START_TEST(dscp)
{
    /* rfc4594: EF 46, CS5 40, AF4x 34 36 38, CS3 24, AF3x 26 28 30; rfc5865: 44 */
    for (unsigned d = 0; d < 64; d++) {
        unsigned klass = d == 46 || d == 44 || d == 40 || d == 34 || d == 36 || d == 38
                             ? L2TPVOIP_CLASS_VOICE
                         : d == 24 || d == 26 || d == 28 || d == 30 ? L2TPVOIP_CLASS_SIGNALLING
                                                                    : L2TPVOIP_CLASS_BULK;
        bool copied = d == 46 || d == 40 || d == 34 || d == 36 || d == 38 || d == 24;
        for (unsigned ecn = 0; ecn < 4; ecn++) {
            uint8_t tos = (uint8_t)(d << 2 | ecn);
            ck_assert_uint_eq(l2v_voip_classify(tos), klass);
            ck_assert_uint_eq(l2v_voip_outer_tos(tos), copied ? d << 2 : 0);
        }
    }
}
END_TEST

TCase *test_voip_queue(void)
{
    TCase *tc = tcase_create("queue");
    tcase_add_test(tc, priorities);
    tcase_add_test(tc, bulk_share);
    tcase_add_test(tc, full_queues);
    tcase_add_test(tc, stale_voice);
    tcase_add_test(tc, dscp);
    return tc;
}
