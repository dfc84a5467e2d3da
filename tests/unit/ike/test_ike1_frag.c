/* SPDX-License-Identifier: MIT */
/* IKEv1 fragmentation: bounds in number, bytes and time; duplicates, overlap, interleaving. */
#include <l2tpvoip/error.h>

#include "ike1_frag.h"
#include "test_ike.h"

#define MAX_MSG 40000u

struct pieces {
    unsigned n;
    size_t len[64];
    uint8_t data[64][1500];
};
static struct pieces out;

static int keep(void *user, const uint8_t *frag, size_t len)
{
    struct pieces *p = (struct pieces *)user;
    ck_assert_uint_lt(p->n, 64);
    memcpy(p->data[p->n], frag, len);
    p->len[p->n++] = len;
    return 0;
}

static int give_up(void *user, const uint8_t *frag, size_t len)
{
    (void)user;
    (void)frag;
    (void)len;
    return L2TPVOIP_ERR_NOBUFS;
}

/* A message of len bytes whose body tells seed and position. */
static void make(uint8_t *msg, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        msg[i] = (uint8_t)(seed + i * 7 + i / 256);
    }
    memcpy(msg, "INITIATERESPONDE", 16);
    msg[16] = L2V_IKE1_PAYLOAD_ID;
    msg[17] = L2V_IKE_VERSION_1;
    msg[18] = L2V_IKE1_EXCHANGE_MAIN;
    msg[19] = L2V_IKE1_FLAG_ENCRYPTION;
    l2v_put_u32(msg + 20, 0);
    l2v_put_u32(msg + 24, (uint32_t)len);
}

static void split(const uint8_t *msg, size_t len, size_t size, uint16_t id)
{
    out.n = 0;
    ck_assert_int_eq(l2v_ike1_frag_split(msg, len, size, id, keep, &out), 0);
}

static int input(struct l2v_ike1_frag_set **set, const uint8_t *data, size_t len, uint8_t **ret,
                 size_t *ret_len)
{
    return l2v_ike1_frag_input(ike_t.env, set, data, len, ret, ret_len);
}

static int input_n(struct l2v_ike1_frag_set **set, unsigned n, uint8_t **ret, size_t *ret_len)
{
    return input(set, out.data[n], out.len[n], ret, ret_len);
}

START_TEST(round_trip)
{
    static const size_t lens[] = {28, 29, 100, 516, 517, 2000, 5000, 20000};
    static uint8_t msg[MAX_MSG];
    struct l2v_ike1_frag_set *set = NULL;

    for (unsigned i = 0; i < 8; i++) {
        uint8_t *whole = NULL;
        size_t len = 0;
        make(msg, lens[i], i);
        split(msg, lens[i], L2V_IKE1_FRAG_SIZE_4, (uint16_t)(i + 1));
        for (unsigned n = 0; n < out.n; n++) {
            struct l2v_ike_header h;
            ck_assert_uint_le(out.len[n], L2V_IKE1_FRAG_SIZE_4);
            ck_assert_int_eq(l2v_ike_header_parse(out.data[n], out.len[n], &h), 0);
            ck_assert(l2v_ike1_frag_is(&h));
            ck_assert_uint_eq(h.flags & L2V_IKE1_FLAG_ENCRYPTION, 0);
            ck_assert_int_eq(l2v_ike1_header_check(&h, out.len[n]), L2V_IKE_FAULT_NONE);
            ck_assert_int_eq(input_n(&set, n, &whole, &len),
                             n + 1 < out.n ? L2TPVOIP_ERR_AGAIN : 0);
        }
        ck_assert_uint_eq(len, lens[i]);
        ck_assert_mem_eq(whole, msg, len);
    }
    l2v_ike1_frag_free(ike_t.env, &set);
    ck_assert_ptr_null(set);
    l2v_ike1_frag_free(ike_t.env, &set);
}
END_TEST

START_TEST(any_order)
{
    static uint8_t msg[3000];
    make(msg, sizeof(msg), 1);
    for (unsigned round = 0; round < 50; round++) {
        struct l2v_ike1_frag_set *set = NULL;
        unsigned order[16], done = 0;
        uint8_t *whole = NULL;
        size_t len = 0;
        split(msg, sizeof(msg), 300, 9);
        ck_assert_uint_le(out.n, 16);
        for (unsigned i = 0; i < out.n; i++) {
            order[i] = i;
        }
        for (unsigned i = out.n - 1; i > 0; i--) {
            unsigned j = l2v_random_below(ike_t.env, i + 1), keep_it = order[i];
            order[i] = order[j];
            order[j] = keep_it;
        }
        for (unsigned i = 0; i < out.n; i++) {
            done += input_n(&set, order[i], &whole, &len) == 0;
            if (i + 1 < out.n) { /* a duplicate changes nothing */
                ck_assert_int_eq(input_n(&set, order[i], &whole, &len), L2TPVOIP_ERR_AGAIN);
            }
        }
        ck_assert_uint_eq(done, 1);
        ck_assert_mem_eq(whole, msg, sizeof(msg));
        l2v_ike1_frag_free(ike_t.env, &set);
    }
}
END_TEST

/* The peer lost our answer and sends all again: told once; even if the message was decrypted in
 * place meanwhile. A new message under the same id is new. */
START_TEST(retransmission)
{
    static uint8_t msg[1500], next[1500];
    struct l2v_ike1_frag_set *set = NULL;
    uint8_t *whole = NULL;
    size_t len = 0;
    unsigned told = 0;

    make(msg, sizeof(msg), 1);
    make(next, sizeof(next), 2);
    split(msg, sizeof(msg), 552, 1);
    for (unsigned n = 0; n < out.n; n++) {
        (void)input_n(&set, n, &whole, &len);
    }
    ck_assert_ptr_nonnull(whole);
    memset(whole, 0, len);
    for (unsigned n = 0; n < out.n; n++) {
        int rc = input_n(&set, n, &whole, &len);
        ck_assert(rc == L2TPVOIP_ERR_AGAIN || rc == L2TPVOIP_ERR_REPLAY);
        told += rc == L2TPVOIP_ERR_REPLAY;
    }
    ck_assert_uint_eq(told, 1);
    split(next, sizeof(next), 552, 1);
    for (unsigned n = 0; n < out.n; n++) {
        ck_assert_int_eq(input_n(&set, n, &whole, &len), n + 1 < out.n ? L2TPVOIP_ERR_AGAIN : 0);
    }
    ck_assert_mem_eq(whole, next, sizeof(next));
    l2v_ike1_frag_free(ike_t.env, &set);
}
END_TEST

START_TEST(interleaved)
{
    static uint8_t a[1200], b[1200];
    static struct pieces pa, pb;
    struct l2v_ike1_frag_set *set = NULL;
    uint8_t *whole = NULL;
    size_t len = 0;

    make(a, sizeof(a), 1);
    make(b, sizeof(b), 2);
    split(a, sizeof(a), 552, 1);
    pa = out;
    split(b, sizeof(b), 552, 2);
    pb = out;
    ck_assert_uint_eq(pa.n, 3);
    ck_assert_int_eq(input(&set, pa.data[0], pa.len[0], &whole, &len), L2TPVOIP_ERR_AGAIN);
    ck_assert_int_eq(input(&set, pb.data[2], pb.len[2], &whole, &len), L2TPVOIP_ERR_AGAIN);
    ck_assert_int_eq(input(&set, pa.data[2], pa.len[2], &whole, &len), L2TPVOIP_ERR_AGAIN);
    ck_assert_int_eq(input(&set, pb.data[0], pb.len[0], &whole, &len), L2TPVOIP_ERR_AGAIN);
    ck_assert_int_eq(input(&set, pa.data[1], pa.len[1], &whole, &len), 0);
    ck_assert_mem_eq(whole, a, sizeof(a));
    ck_assert_int_eq(input(&set, pb.data[1], pb.len[1], &whole, &len), 0);
    ck_assert_mem_eq(whole, b, sizeof(b));
    l2v_ike1_frag_free(ike_t.env, &set);
}
END_TEST

/* Other bytes under the same number: the message begins anew, and is never a mixture. */
START_TEST(overlap)
{
    static uint8_t a[1200], b[1200];
    static struct pieces pa, pb;
    struct l2v_ike1_frag_set *set = NULL;
    uint8_t *whole = NULL;
    size_t len = 0;

    make(a, sizeof(a), 1);
    make(b, sizeof(b), 2);
    split(a, sizeof(a), 552, 1);
    pa = out;
    split(b, sizeof(b), 552, 1);
    pb = out;
    ck_assert_int_eq(input(&set, pa.data[0], pa.len[0], &whole, &len), L2TPVOIP_ERR_AGAIN);
    ck_assert_int_eq(input(&set, pa.data[1], pa.len[1], &whole, &len), L2TPVOIP_ERR_AGAIN);
    ck_assert_int_eq(input(&set, pb.data[1], pb.len[1], &whole, &len), L2TPVOIP_ERR_AGAIN);
    ck_assert_int_eq(input(&set, pb.data[2], pb.len[2], &whole, &len), L2TPVOIP_ERR_AGAIN);
    ck_assert_int_eq(input(&set, pb.data[0], pb.len[0], &whole, &len), 0);
    ck_assert_mem_eq(whole, b, sizeof(b));
    l2v_ike1_frag_free(ike_t.env, &set);
}
END_TEST

/* Builds one fragment by hand. */
static size_t craft(uint8_t *buf, unsigned id, unsigned number, unsigned flags, const void *data,
                    size_t len)
{
    struct l2v_ike_header h;
    struct l2v_ike_build b;
    size_t n = 0;
    memset(&h, 0, sizeof(h));
    memcpy(h.icookie, "INITIATE", 8);
    memcpy(h.rcookie, "RESPONDE", 8);
    h.version = L2V_IKE_VERSION_1;
    h.exchange = L2V_IKE1_EXCHANGE_MAIN;
    l2v_ike_build_begin(&b, buf, MAX_MSG, &h);
    l2v_ike_build_payload(&b, L2V_IKE1_PAYLOAD_FRAGMENT);
    l2v_write_u16(&b.w, id);
    l2v_write_u8(&b.w, number);
    l2v_write_u8(&b.w, flags);
    l2v_write_bytes(&b.w, data, len);
    ck_assert_int_eq(l2v_ike_build_end(&b, 0, &n), 0);
    return n;
}

START_TEST(hostile)
{
    static uint8_t buf[MAX_MSG], data[MAX_MSG];
    static const struct {
        unsigned number, flags;
        size_t len;
        int rc;
    } cases[] = {
        {0, 0, 10, L2TPVOIP_ERR_MALFORMED}, /* numbers count from 1 */
        {1, 0, 0, L2TPVOIP_ERR_MALFORMED},  /* no data */
        {41, 0, 10, L2TPVOIP_ERR_LIMIT},
        {255, 1, 10, L2TPVOIP_ERR_LIMIT},
        {1, 1, 10, L2TPVOIP_ERR_MALFORMED}, /* complete, but no message */
        {1, 0, 32769, L2TPVOIP_ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct l2v_ike1_frag_set *set = NULL;
        uint8_t *whole = NULL;
        size_t len = 0;
        size_t n = craft(buf, 1, cases[i].number, cases[i].flags, data, cases[i].len);
        int rc = input(&set, buf, n, &whole, &len);
        ck_assert_msg(rc == cases[i].rc, "case %u: %d", (unsigned)i, rc);
        ck_assert_ptr_null(whole);
        l2v_ike1_frag_free(ike_t.env, &set);
    }
}
END_TEST

START_TEST(not_a_message_of_the_sa)
{
    static uint8_t msg[400], buf[MAX_MSG];
    struct l2v_ike1_frag_set *set = NULL;
    uint8_t *whole = NULL;
    size_t len = 0, n;

    make(msg, sizeof(msg), 1);
    msg[3] ^= 1; /* another initiator cookie inside */
    n = craft(buf, 1, 1, 1, msg, sizeof(msg));
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_MALFORMED);
    make(msg, sizeof(msg), 1);
    msg[12] ^= 1;
    n = craft(buf, 2, 1, 1, msg, sizeof(msg));
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_MALFORMED);
    make(msg, sizeof(msg), 1);
    msg[16] = L2V_IKE1_PAYLOAD_FRAGMENT; /* a fragment in fragments */
    n = craft(buf, 3, 1, 1, msg, sizeof(msg));
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_MALFORMED);
    make(msg, sizeof(msg), 1);
    n = craft(buf, 4, 1, 1, msg, sizeof(msg) - 1); /* its length field says more */
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_MALFORMED);
    n = craft(buf, 5, 1, 1, msg, sizeof(msg));
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), 0);
    l2v_ike1_frag_free(ike_t.env, &set);
}
END_TEST

START_TEST(last_moves)
{
    static uint8_t buf[MAX_MSG];
    struct l2v_ike1_frag_set *set = NULL;
    uint8_t *whole = NULL;
    size_t len = 0, n;

    n = craft(buf, 1, 5, 1, "five", 4);
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_AGAIN);
    n = craft(buf, 1, 6, 0, "six", 3); /* behind the last */
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_AGAIN);
    n = craft(buf, 1, 3, 1, "three", 5); /* another last, before one that is there */
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_AGAIN);
    n = craft(buf, 1, 1, 0, "one", 3);
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_AGAIN);
    n = craft(buf, 1, 2, 0, "two", 3); /* complete: one two three, which is no message */
    ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_MALFORMED);
    l2v_ike1_frag_free(ike_t.env, &set);
}
END_TEST

START_TEST(byte_bound)
{
    static uint8_t buf[MAX_MSG], data[1400];
    struct l2v_ike1_frag_set *set = NULL;
    uint8_t *whole = NULL;
    size_t len = 0, sum = 0, n;
    int rc = L2TPVOIP_ERR_AGAIN;

    for (unsigned i = 1; i <= L2V_IKE1_FRAG_MAX && rc == L2TPVOIP_ERR_AGAIN; i++) {
        n = craft(buf, 1, i, 0, data, sizeof(data));
        rc = input(&set, buf, n, &whole, &len);
        sum += sizeof(data);
        ck_assert_int_eq(rc, sum <= L2V_IKE1_FRAG_BYTES ? L2TPVOIP_ERR_AGAIN : L2TPVOIP_ERR_LIMIT);
    }
    ck_assert_int_eq(rc, L2TPVOIP_ERR_LIMIT);
    l2v_ike1_frag_free(ike_t.env, &set);
    ck_assert_int_eq(ike_t.te.live > 0, 1);
}
END_TEST

/* Ids without end: two messages under way at most. */
START_TEST(id_flood)
{
    static uint8_t buf[MAX_MSG], data[1000];
    struct l2v_ike1_frag_set *set = NULL;
    uint8_t *whole = NULL;
    size_t len = 0;
    long before = ike_t.te.live;

    for (unsigned id = 0; id < 1000; id++) {
        size_t n = craft(buf, id, 1, 0, data, sizeof(data));
        ike_t.env->now_ns += L2V_NS_PER_MS;
        ck_assert_int_eq(input(&set, buf, n, &whole, &len), L2TPVOIP_ERR_AGAIN);
        ck_assert_int_le(ike_t.te.live - before, 3);
    }
    l2v_ike1_frag_free(ike_t.env, &set);
    ck_assert_int_eq(ike_t.te.live, before);
}
END_TEST

START_TEST(time_bound)
{
    static uint8_t msg[1000];
    struct l2v_ike1_frag_set *set = NULL;
    uint8_t *whole = NULL;
    size_t len = 0;

    make(msg, sizeof(msg), 1);
    split(msg, sizeof(msg), 552, 1);
    ck_assert_uint_eq(out.n, 2);
    ck_assert_int_eq(input_n(&set, 0, &whole, &len), L2TPVOIP_ERR_AGAIN);
    ike_t.env->now_ns += L2V_IKE1_FRAG_TIME + 1;
    ck_assert_int_eq(input_n(&set, 1, &whole, &len), L2TPVOIP_ERR_AGAIN); /* the first is gone */
    ike_t.env->now_ns += L2V_IKE1_FRAG_TIME;
    ck_assert_int_eq(input_n(&set, 0, &whole, &len), 0);
    l2v_ike1_frag_free(ike_t.env, &set);
}
END_TEST

START_TEST(cuts_and_bits)
{
    static uint8_t msg[600], buf[1500];
    make(msg, sizeof(msg), 1);
    split(msg, sizeof(msg), 552, 1);
    for (size_t i = 0; i < out.len[0]; i++) {
        struct l2v_ike1_frag_set *set = NULL;
        uint8_t *whole = NULL;
        size_t len = 0;
        memcpy(buf, out.data[0], i);
        ck_assert_int_eq(input(&set, buf, i, &whole, &len), L2TPVOIP_ERR_MALFORMED);
        memcpy(buf, out.data[0], out.len[0]);
        buf[i] ^= 0x81;
        (void)input(&set, buf, out.len[0], &whole, &len);
        l2v_ike1_frag_free(ike_t.env, &set);
    }
}
END_TEST

START_TEST(split_bounds)
{
    static uint8_t msg[MAX_MSG];
    make(msg, 5000, 1);
    out.n = 0;
    ck_assert_int_eq(l2v_ike1_frag_split(msg, 5000, 40, 1, keep, &out), L2TPVOIP_ERR_MSGSIZE);
    ck_assert_int_eq(l2v_ike1_frag_split(msg, 5000, 100, 1, keep, &out), L2TPVOIP_ERR_MSGSIZE);
    ck_assert_int_eq(l2v_ike1_frag_split(msg, 20, 552, 1, keep, &out), L2TPVOIP_ERR_MSGSIZE);
    ck_assert_uint_eq(out.n, 0);
    ck_assert_int_eq(l2v_ike1_frag_split(msg, 5000, 552, 1, give_up, NULL), L2TPVOIP_ERR_NOBUFS);
}
END_TEST

START_TEST(out_of_memory)
{
    static uint8_t msg[1000];
    make(msg, sizeof(msg), 1);
    split(msg, sizeof(msg), 552, 1);
    for (long nth = 1; nth <= 4; nth++) {
        struct l2v_ike1_frag_set *set = NULL;
        uint8_t *whole = NULL;
        size_t len = 0;
        unsigned failed = 0;
        ike_t.te.fail_at = ike_t.te.n_allocs + nth;
        for (unsigned i = 0; i < out.n; i++) {
            failed += input_n(&set, i, &whole, &len) == L2TPVOIP_ERR_NOMEM;
        }
        ck_assert_uint_eq(failed, 1);
        ike_t.te.fail_at = 0;
        l2v_ike1_frag_free(ike_t.env, &set);
    }
}
END_TEST

TCase *test_ike1_frag(void)
{
    TCase *tc = ike_tcase("fragments");
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, any_order);
    tcase_add_test(tc, retransmission);
    tcase_add_test(tc, interleaved);
    tcase_add_test(tc, overlap);
    tcase_add_test(tc, hostile);
    tcase_add_test(tc, not_a_message_of_the_sa);
    tcase_add_test(tc, last_moves);
    tcase_add_test(tc, byte_bound);
    tcase_add_test(tc, id_flood);
    tcase_add_test(tc, time_bound);
    tcase_add_test(tc, cuts_and_bits);
    tcase_add_test(tc, split_bounds);
    tcase_add_test(tc, out_of_memory);
    return tc;
}
