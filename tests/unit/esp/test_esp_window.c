/* SPDX-License-Identifier: MIT */
/* Replay window against a plain model; the guess of the high half against its definition. */
#include "esp_internal.h"
#include "test_esp.h"

enum { LAST = 3000000 };

struct model {
    uint8_t *seen; /* by number */
    uint64_t top;
    uint64_t size;
};

static enum l2v_esp_verdict model_check(const struct model *m, uint64_t seq)
{
    if (seq == 0 || seq + m->size <= m->top) {
        return L2V_ESP_LATE;
    }
    return m->seen[seq] ? L2V_ESP_REPLAYED : L2V_ESP_FRESH;
}

static void model_count(const struct model *m, uint64_t *ret_lost, uint64_t *ret_missing)
{
    *ret_lost = *ret_missing = 0;
    for (uint64_t i = 1; i <= m->top; i++) {
        if (!m->seen[i]) {
            *(i + m->size <= m->top ? ret_lost : ret_missing) += 1;
        }
    }
}

static uint64_t next_seq(const struct model *m, uint64_t *seed)
{
    uint64_t r = test_random64(seed), step = r >> 32;
    if (r % 64 == 0) { /* a jump, sometimes over the whole window */
        return m->top + 1 + step % (m->size * 3);
    }
    switch ((r >> 6) % 16) {
    case 1:
    case 2:
    case 3:
    case 4: /* reordered, replayed or late */
        return m->top > step % (m->size + 70) ? m->top - step % (m->size + 70) : 0;
    case 5:
        return m->top + 1 + step % 70;
    default:
        return m->top + 1;
    }
}

/* rfc4303#3.4.3, rfc6479#2 */
START_TEST(window_against_model)
{
    static const uint32_t sizes[] = {64, 128, 192, 1024, 4096};
    struct test_env te;
    struct l2v_esp_window w;
    struct model m = {.size = sizes[_i % 5]};
    uint64_t seed = (uint64_t)_i + 9, lost, missing;
    int late = 0, replayed = 0;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    ck_assert_int_eq(l2v_esp_window_init(&w, &te.env, (uint32_t)m.size, 0), 0);
    m.seen = (uint8_t *)calloc(LAST + 1, 1);
    ck_assert(m.seen != NULL);
    for (int step = 0; step < 20000; step++) {
        uint64_t seq = step == 0 ? 1 : next_seq(&m, &seed);
        enum l2v_esp_verdict verdict = l2v_esp_window_check(&w, seq);
        test_must(seq <= LAST);
        test_must(verdict == model_check(&m, seq));
        late += verdict == L2V_ESP_LATE;
        replayed += verdict == L2V_ESP_REPLAYED;
        if (verdict == L2V_ESP_FRESH &&
            test_random64(&seed) % 8 != 0) { /* else: the ICV was wrong */
            bool newest = l2v_esp_window_update(&w, seq);
            test_must(newest == (seq > m.top));
            m.seen[seq] = 1;
            m.top = seq > m.top ? seq : m.top;
        }
        test_must(w.top == m.top);
        if (step % 1000 == 0) {
            model_count(&m, &lost, &missing);
            ck_assert_uint_eq(w.lost, lost);
            ck_assert_uint_eq(w.missing, missing);
        }
    }
    model_count(&m, &lost, &missing);
    ck_assert_uint_eq(w.lost, lost);
    ck_assert_uint_eq(w.missing, missing);
    ck_assert_int_gt(late, 5);
    ck_assert_int_gt(replayed, 5);
    ck_assert_uint_gt(lost, 5);
    free(m.seen);
    l2v_esp_window_clear(&w, &te.env);
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

/* Edge by edge. */
START_TEST(window_edges)
{
    struct test_env te;
    struct l2v_esp_window w;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    ck_assert_int_eq(l2v_esp_window_init(&w, &te.env, 0, 0), 0);
    ck_assert_uint_eq(w.size, 1024);
    ck_assert_int_eq(l2v_esp_window_check(&w, 0), L2V_ESP_LATE);
    ck_assert(l2v_esp_window_update(&w, 1024));
    ck_assert_int_eq(l2v_esp_window_check(&w, 1), L2V_ESP_FRESH);
    ck_assert(l2v_esp_window_update(&w, 1025));
    ck_assert_int_eq(l2v_esp_window_check(&w, 1), L2V_ESP_LATE);
    ck_assert_int_eq(l2v_esp_window_check(&w, 2), L2V_ESP_FRESH);
    ck_assert_int_eq(l2v_esp_window_check(&w, 1025), L2V_ESP_REPLAYED);
    ck_assert_uint_eq(w.lost, 1);
    ck_assert(l2v_esp_window_update(&w, UINT64_C(1) << 31)); /* all words at once */
    ck_assert_int_eq(l2v_esp_window_check(&w, (UINT64_C(1) << 31) - 1023), L2V_ESP_FRESH);
    ck_assert_int_eq(l2v_esp_window_check(&w, (UINT64_C(1) << 31) - 1024), L2V_ESP_LATE);
    ck_assert_uint_eq(w.lost + w.missing, (UINT64_C(1) << 31) - 3);
    l2v_esp_window_clear(&w, &te.env);
    /* An SA that begins far on was taken over: what came before it is no loss. */
    ck_assert_int_eq(l2v_esp_window_init(&w, &te.env, 64, 0), 0);
    ck_assert(l2v_esp_window_update(&w, 5000));
    ck_assert_uint_eq(w.missing, 0);
    ck_assert_int_eq(l2v_esp_window_check(&w, 4990), L2V_ESP_FRESH);
    ck_assert(!l2v_esp_window_update(&w, 4990));
    ck_assert(l2v_esp_window_update(&w, 5070));
    ck_assert_uint_eq(w.lost, 6); /* 5001 to 5006 */
    ck_assert_uint_eq(w.missing, 63);
    l2v_esp_window_clear(&w, &te.env);
    /* With a known last number nothing up to it is fresh. */
    for (uint64_t last = 1000; last < 1070; last++) {
        ck_assert_int_eq(l2v_esp_window_init(&w, &te.env, 128, last), 0);
        for (uint64_t seq = last - 130; seq <= last; seq++) {
            test_must(l2v_esp_window_check(&w, seq) != L2V_ESP_FRESH);
        }
        ck_assert(l2v_esp_window_update(&w, last + 2));
        ck_assert_int_eq(l2v_esp_window_check(&w, last + 1), L2V_ESP_FRESH);
        ck_assert_int_eq(l2v_esp_window_check(&w, last), L2V_ESP_REPLAYED);
        ck_assert_uint_eq(w.missing, 1);
        l2v_esp_window_clear(&w, &te.env);
    }
    test_env_clear(&te);
}
END_TEST

/* rfc4303#A2: the guess is right for each number from the bottom of the window to 2^32 above it. */
START_TEST(esn_guess)
{
    static const uint32_t sizes[] = {64, 1024, 65536};
    struct test_env te;
    uint64_t seed = 11;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    for (int i = 0; i < 20000; i++) {
        struct l2v_esp_window w = {.size = sizes[i % 3]};
        uint64_t r = test_random64(&seed), offset, seq, bottom;
        w.top = (r >> 60) << 32;
        switch (r % 4) { /* near the wrap on either side, at the edge of the window, anywhere */
        case 0:
            w.top += (r >> 8) % 2000;
            break;
        case 1:
            w.top += UINT32_MAX - (r >> 8) % 2000;
            break;
        case 2:
            w.top += w.size - 2 + (r >> 8) % 4;
            break;
        default:
            w.top += (r >> 8) & UINT32_MAX;
            break;
        }
        bottom = w.top >= w.size - 1 ? w.top - w.size + 1 : 0;
        r = test_random64(&seed);
        offset = r % 3 == 0   ? (r >> 8) % (w.size * 2)
                 : r % 3 == 1 ? UINT32_MAX - (r >> 8) % (w.size * 2)
                              : (r >> 8) & UINT32_MAX;
        seq = bottom + offset;
        if (w.top < w.size - 1 && seq > UINT32_MAX) {
            continue; /* in the first 2^32 nothing is guessed to be above */
        }
        test_must(l2v_esp_window_guess(&w, (uint32_t)seq) == seq);
    }
    test_env_clear(&te);
}
END_TEST

TCase *test_esp_window(void)
{
    TCase *tc = tcase_create("window");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, window_against_model, 0, 10);
    tcase_add_test(tc, window_edges);
    tcase_add_test(tc, esn_guess);
    return tc;
}
