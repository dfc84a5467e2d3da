/* SPDX-License-Identifier: MIT */
/* SAs: sizes, padding, sequence numbers, extended ones, limits, memory. */
#include "base_wire.h"
#include "test_esp.h"

/* --- sizes --------------------------------------------------------------------------------------
 */

START_TEST(round_trip_of_all_lengths)
{
    enum l2v_suite_id suite = (enum l2v_suite_id)(_i / 2 + 1);
    const struct l2v_suite_info *info = l2v_suite_get(suite);
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, suite, _i % 2 != 0, 2);
    esp_pair_new(&f, &k.params, &p);
    for (size_t len = 0; len <= 1500; len++) {
        size_t want = len + l2v_esp_overhead(p.out, len);
        struct l2v_pkt *pkt = esp_make(&f, &p, len, (uint8_t)len);
        uint8_t next_header = 0;
        bool newest = false;
        test_must(pkt->len == want);
        test_must((pkt->len - 8 - info->iv_len - info->icv_len) % info->block == 0);
        test_must(l2v_get_u32(pkt->data) == k.params.spi);
        test_must(l2v_get_u32(pkt->data + 4) == len + 1);
        test_must(l2v_esp_open(p.in, pkt, &next_header, &newest) == 0);
        test_must(newest);
        test_must(next_header == 17);
        test_must(pkt->len == len);
        for (size_t i = 0; i < len; i++) {
            test_must(pkt->data[i] == (uint8_t)(len + i));
        }
        l2v_pkt_free(pkt);
    }
    ck_assert_uint_eq(l2v_esp_out_stats(p.out)->packets, 1501);
    ck_assert_uint_eq(l2v_esp_in_stats(p.in)->packets, 1501);
    ck_assert_uint_eq(l2v_esp_in_stats(p.in)->bytes, 1500 * 1501 / 2);
    ck_assert_uint_eq(l2v_esp_in_stats(p.in)->lost, 0);
    ck_assert_uint_eq(l2v_esp_in_stats(p.in)->missing, 0);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* max_payload is the exact inverse of payload + overhead. */
START_TEST(max_payload_is_exact)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    size_t smallest;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, false, 2);
    esp_pair_new(&f, &k.params, &p);
    smallest = l2v_esp_overhead(p.out, 0);
    for (size_t room = 0; room <= 2000; room++) {
        size_t n = l2v_esp_max_payload(p.out, room);
        if (room < smallest) {
            test_must(n == 0);
            continue;
        }
        test_must(n + l2v_esp_overhead(p.out, n) <= room);
        test_must(n + 1 + l2v_esp_overhead(p.out, n + 1) > room);
    }
    for (size_t len = 0; len <= 1500; len++) {
        test_must(l2v_esp_max_payload(p.out, len + l2v_esp_overhead(p.out, len)) >= len);
    }
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

START_TEST(no_room_is_an_error)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    struct l2v_pkt view;
    uint8_t buf[200] = {0};
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, L2V_SUITE_AES_GCM_16, false, 2);
    esp_pair_new(&f, &k.params, &p);
    l2v_pkt_borrow(&view, buf, sizeof buf);
    ck_assert_int_eq(l2v_esp_seal(p.out, &view, 17), L2TPVOIP_ERR_MSGSIZE); /* no headroom */
    (void)l2v_pkt_pull(&view, 16);
    ck_assert_int_eq(l2v_esp_seal(p.out, &view, 17), L2TPVOIP_ERR_MSGSIZE); /* no tailroom */
    ck_assert_uint_eq(view.len, 184);
    l2v_pkt_trim(&view, 184 - 20); /* 164: 2 of padding, 2 of trailer, 16 of ICV */
    ck_assert_int_eq(l2v_esp_seal(p.out, &view, 17), 0);
    ck_assert_uint_eq(l2v_esp_out_seq(p.out), 1); /* the failures used no number */
    ck_assert_uint_eq(view.len, 200);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* --- sequence numbers ----------------------------------------------------------------------------
 */

/* rfc4303#3.3.3: the counter must not cycle. */
START_TEST(numbers_end)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    struct l2v_pkt *pkt;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, false, 2);
    k.params.seq = UINT32_MAX - 2;
    esp_pair_new(&f, &k.params, &p);
    for (int i = 0; i < 2; i++) {
        pkt = esp_make(&f, &p, 50, 0);
        ck_assert_int_eq(esp_try(&f, &p, pkt, &(bool){false}), 0);
        l2v_pkt_free(pkt);
    }
    pkt = l2v_pkt_copy(&f.te.env, "abc", 3);
    ck_assert_int_eq(l2v_esp_seal(p.out, pkt, 17), L2TPVOIP_ERR_LIMIT);
    ck_assert_uint_eq(pkt->len, 3);
    l2v_pkt_free(pkt);
    ck_assert_uint_eq(l2v_esp_out_seq(p.out), UINT32_MAX);
    esp_pair_free(&p);
    k.params.seq = (uint64_t)UINT32_MAX + 1;
    ck_assert_int_eq(l2v_esp_out_new(&f.te.env, f.crypto, &k.params, &p.out), L2TPVOIP_ERR_INVALID);
    esp_fixture_clear(&f);
}
END_TEST

/* rfc4303#A: across the wrap of the low half, reordered, with losses. */
START_TEST(esn_across_the_wrap)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    struct l2v_pkt *held[8];
    uint64_t seed = 4;
    int opened = 0, lost = 0;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, true, 2);
    k.params.seq = UINT64_C(0x1ffffff00);
    esp_pair_new(&f, &k.params, &p);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 8; i++) {
            held[i] = esp_make(&f, &p, 20, (uint8_t)i);
        }
        for (int i = 7; i > 0; i--) { /* shuffle */
            int j = (int)(test_random64(&seed) % (uint64_t)(i + 1));
            struct l2v_pkt *swap = held[i];
            held[i] = held[j];
            held[j] = swap;
        }
        for (int i = 0; i < 8; i++) {
            if (test_random64(&seed) % 10 == 0 && round > 0 && round < 99) {
                lost++;
            } else {
                ck_assert_int_eq(esp_try(&f, &p, held[i], &(bool){false}), 0);
                ck_assert_int_eq(esp_try(&f, &p, held[i], &(bool){false}), L2TPVOIP_ERR_REPLAY);
                opened++;
            }
            l2v_pkt_free(held[i]);
        }
    }
    ck_assert_uint_eq(l2v_esp_in_seq(p.in), UINT64_C(0x1ffffff00) + 800);
    ck_assert_uint_eq(l2v_esp_in_stats(p.in)->packets, (unsigned)opened);
    ck_assert_uint_eq(l2v_esp_in_stats(p.in)->replayed, (unsigned)opened);
    ck_assert_uint_eq(l2v_esp_in_stats(p.in)->lost + l2v_esp_in_stats(p.in)->missing,
                      (unsigned)lost);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* The high half is not on the wire and yet authenticated: rfc4303#2.2.1 */
START_TEST(esn_high_half_is_authenticated)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p, other;
    struct l2v_pkt *pkt;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, true, 2);
    k.params.seq = UINT64_C(0x300000010);
    esp_pair_new(&f, &k.params, &p);
    k.params.seq = UINT64_C(0x400000010);
    esp_pair_new(&f, &k.params, &other);
    pkt = esp_make(&f, &p, 20, 0);
    ck_assert_int_eq(esp_try(&f, &other, pkt, &(bool){false}), L2TPVOIP_ERR_INTEGRITY);
    ck_assert_int_eq(esp_try(&f, &p, pkt, &(bool){false}), 0);
    l2v_pkt_free(pkt);
    esp_pair_free(&p);
    esp_pair_free(&other);
    esp_fixture_clear(&f);
}
END_TEST

START_TEST(iv_is_never_the_same)
{
    enum { COUNT = 500 };
    static uint8_t ivs[COUNT][16];
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    size_t iv_len;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, false, 2);
    iv_len = l2v_suite_get(k.params.suite)->iv_len;
    esp_pair_new(&f, &k.params, &p);
    for (int n = 0; n < COUNT; n++) {
        struct l2v_pkt *pkt = esp_make(&f, &p, 20, 0);
        memcpy(ivs[n], pkt->data + 8, iv_len);
        for (int m = 0; m < n; m++) {
            test_must(memcmp(ivs[n], ivs[m], iv_len) != 0);
        }
        l2v_pkt_free(pkt);
    }
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* --- dummy packets, counters ---------------------------------------------------------------------
 */

START_TEST(dummy_packets) /* rfc4303#2.6 */
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    struct l2v_pkt *pkt;
    uint8_t next_header = 0;
    bool newest = false;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, L2V_SUITE_AES_CBC_SHA256_128, false, 2);
    esp_pair_new(&f, &k.params, &p);
    pkt = l2v_pkt_new(&f.te.env, 0);
    ck_assert_int_eq(l2v_esp_seal(p.out, pkt, 59), 0);
    ck_assert_int_eq(l2v_esp_open(p.in, pkt, &next_header, &newest), 0);
    ck_assert_uint_eq(next_header, 59);
    ck_assert_uint_eq(pkt->len, 0);
    ck_assert(newest);
    l2v_pkt_free(pkt);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

START_TEST(counters_and_newest)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    struct l2v_pkt *pkt[10];
    const struct l2v_esp_stats *s;
    bool newest;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, L2V_SUITE_AES_GCM_16, false, 2);
    k.params.replay_window = 64;
    esp_pair_new(&f, &k.params, &p);
    s = l2v_esp_in_stats(p.in);
    for (int i = 0; i < 10; i++) {
        pkt[i] = esp_make(&f, &p, 100, 0);
    }
    ck_assert_int_eq(esp_try(&f, &p, pkt[0], &newest), 0);
    ck_assert(newest);
    ck_assert_int_eq(esp_try(&f, &p, pkt[4], &newest), 0);
    ck_assert(newest);
    ck_assert_uint_eq(s->missing, 3);
    ck_assert_int_eq(esp_try(&f, &p, pkt[2], &newest), 0);
    ck_assert(!newest);
    ck_assert_uint_eq(s->missing, 2);
    ck_assert_uint_eq(s->reordered, 1);
    newest = true;
    ck_assert_int_eq(esp_try(&f, &p, pkt[2], &newest), L2TPVOIP_ERR_REPLAY);
    ck_assert(newest); /* untouched */
    ck_assert_uint_eq(s->replayed, 1);
    ck_assert_uint_eq(s->lost, 0);
    for (int i = 0; i < 63; i++) { /* 11 to 73: the window is 10 to 73 */
        struct l2v_pkt *more = esp_make(&f, &p, 100, 0);
        ck_assert_int_eq(esp_try(&f, &p, more, &newest), 0);
        l2v_pkt_free(more);
    }
    ck_assert_uint_eq(s->lost, 2 + 4); /* 2, 4 and 6 to 9; 10 may still come */
    ck_assert_uint_eq(s->missing, 1);
    ck_assert_int_eq(esp_try(&f, &p, pkt[8], &newest), L2TPVOIP_ERR_REPLAY);
    ck_assert_uint_eq(s->late, 1);
    ck_assert_int_eq(esp_try(&f, &p, pkt[9], &newest), 0);
    ck_assert_uint_eq(s->missing, 0);
    ck_assert_uint_eq(s->reordered, 2);
    ck_assert_uint_eq(s->packets, 3 + 63 + 1);
    for (int i = 0; i < 10; i++) {
        l2v_pkt_free(pkt[i]);
    }
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* --- memory, arguments
 * ---------------------------------------------------------------------------- */

START_TEST(no_allocation_per_packet)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    static uint8_t buf[2000];
    long before;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, true, 2);
    esp_pair_new(&f, &k.params, &p);
    before = f.te.n_allocs;
    for (size_t i = 0; i < 500; i++) {
        struct l2v_pkt view;
        uint8_t next_header;
        bool newest;
        l2v_pkt_borrow(&view, buf, sizeof buf);
        (void)l2v_pkt_pull(&view, 100);
        l2v_pkt_trim(&view, 200 + i);
        test_must(l2v_esp_seal(p.out, &view, 17) == 0);
        test_must(l2v_esp_open(p.in, &view, &next_header, &newest) == 0);
    }
    ck_assert_int_eq(f.te.n_allocs, before);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

START_TEST(out_of_memory)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p = {NULL, NULL};
    int n = 0;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, false, 2);
    for (int err = -1; err != 0; n++) {
        long live = f.te.live;
        f.te.fail_at = f.te.n_allocs + n + 1;
        err = l2v_esp_in_new(&f.te.env, f.crypto, &k.params, &p.in);
        ck_assert(err == 0 || (err == L2TPVOIP_ERR_NOMEM && p.in == NULL && f.te.live == live));
    }
    ck_assert_int_ge(n, 3);
    n = 0;
    for (int err = -1; err != 0; n++) {
        long live = f.te.live;
        f.te.fail_at = f.te.n_allocs + n + 1;
        err = l2v_esp_out_new(&f.te.env, f.crypto, &k.params, &p.out);
        ck_assert(err == 0 || (err == L2TPVOIP_ERR_NOMEM && p.out == NULL && f.te.live == live));
    }
    ck_assert_int_ge(n, 2);
    f.te.fail_at = 0;
    esp_pair_free(&p);
    l2v_esp_in_free(NULL);
    l2v_esp_out_free(NULL);
    esp_fixture_clear(&f);
}
END_TEST

START_TEST(bad_parameters)
{
    struct esp_fixture f;
    struct esp_keys good, k;
    struct l2v_esp_in *in = NULL;
    struct l2v_esp_out *out = NULL;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&good, L2V_SUITE_AES_CBC_SHA1_96, false, 2);
    for (int i = 0; i < 7; i++) {
        k = good;
        k.params.enc_key = k.enc;
        k.params.auth_key = k.auth;
        switch (i) {
        case 0:
            k.params.spi = 0;
            break;
        case 1:
            k.params.suite = L2V_SUITE_NONE;
            break;
        case 2:
            k.params.suite = L2V_N_SUITES;
            break;
        case 3:
            k.params.enc_key_len = 17;
            break;
        case 4:
            k.params.auth_key_len = 19;
            break;
        case 5:
            k.params.replay_window = 65; /* no multiple of 64 */
            break;
        default:
            k.params.replay_window = 1u << 17;
            break;
        }
        ck_assert_int_eq(l2v_esp_in_new(&f.te.env, f.crypto, &k.params, &in), L2TPVOIP_ERR_INVALID);
        if (i < 5) {
            ck_assert_int_eq(l2v_esp_out_new(&f.te.env, f.crypto, &k.params, &out),
                             L2TPVOIP_ERR_INVALID);
        }
    }
    ck_assert(in == NULL && out == NULL);
    esp_fixture_clear(&f);
}
END_TEST

TCase *test_esp_sa(void)
{
    TCase *tc = tcase_create("sa");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, round_trip_of_all_lengths, 0, 2 * (L2V_N_SUITES - 1));
    tcase_add_loop_test(tc, max_payload_is_exact, 1, L2V_N_SUITES);
    tcase_add_test(tc, no_room_is_an_error);
    tcase_add_loop_test(tc, numbers_end, 1, L2V_N_SUITES);
    tcase_add_loop_test(tc, esn_across_the_wrap, 1, L2V_N_SUITES);
    tcase_add_loop_test(tc, esn_high_half_is_authenticated, 1, L2V_N_SUITES);
    tcase_add_loop_test(tc, iv_is_never_the_same, 1, L2V_N_SUITES);
    tcase_add_test(tc, dummy_packets);
    tcase_add_test(tc, counters_and_newest);
    tcase_add_loop_test(tc, no_allocation_per_packet, 1, L2V_N_SUITES);
    tcase_add_loop_test(tc, out_of_memory, 1, L2V_N_SUITES);
    tcase_add_test(tc, bad_parameters);
    return tc;
}
