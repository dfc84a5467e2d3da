/* SPDX-License-Identifier: MIT */
/* Replay window (RFC 4303 §3.4.3 and appendix A, RFC 6479): a ring of words, of which the newest is
 * cleared when the window enters it, so that nothing is ever shifted. What leaves the window
 * without having come is counted as lost. */
#include "esp_internal.h"

#include <string.h>

#define DEFAULT_WINDOW 1024u
#define MAX_WINDOW 65536u

static uint64_t *word_of(const struct l2v_esp_window *w, uint64_t seq)
{
    return &w->words[(size_t)((seq >> 6) % w->n_words)];
}

static uint64_t bit_of(uint64_t seq)
{
    return UINT64_C(1) << (seq & 63);
}

int l2v_esp_window_init(struct l2v_esp_window *w, struct l2v_env *env, uint32_t size, uint64_t seq)
{
    memset(w, 0, sizeof(*w));
    size = size == 0 ? DEFAULT_WINDOW : size;
    if (size % 64 != 0 || size > MAX_WINDOW) {
        return L2TPVOIP_ERR_INVALID;
    }
    w->size = size;
    w->n_words = size / 64 + 1;
    w->words = (uint64_t *)l2v_calloc(env, w->n_words, sizeof(*w->words));
    if (w->words == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    if (seq > 0) {
        w->started = true;
        w->top = seq;
        w->base = seq + 1;
        memset(w->words, 0xff, w->n_words * sizeof(*w->words));
        *word_of(w, seq) = ~UINT64_C(0) >> (63 - (seq & 63));
    }
    return 0;
}

void l2v_esp_window_clear(struct l2v_esp_window *w, struct l2v_env *env)
{
    l2v_free(env, w->words);
    w->words = NULL;
}

uint64_t l2v_esp_window_guess(const struct l2v_esp_window *w, uint32_t seq_low)
{
    uint32_t top_low = (uint32_t)w->top;
    uint64_t high = w->top >> 32;
    uint32_t bottom_low = top_low - w->size + 1; /* modulo 2^32 */
    if (top_low >= w->size - 1) {
        high += seq_low < bottom_low ? 1 : 0; /* case A */
    } else if (seq_low >= bottom_low && high > 0) {
        high--; /* case B; before the first 2^32 there is nothing older */
    }
    return high << 32 | seq_low;
}

enum l2v_esp_verdict l2v_esp_window_check(const struct l2v_esp_window *w, uint64_t seq)
{
    if (seq == 0) {
        return L2V_ESP_LATE; /* the first packet has number 1: rfc4303#3.3.3 */
    }
    if (seq > w->top) {
        return L2V_ESP_FRESH;
    }
    if (w->top - seq >= w->size) {
        return L2V_ESP_LATE;
    }
    return (*word_of(w, seq) & bit_of(seq)) != 0 ? L2V_ESP_REPLAYED : L2V_ESP_FRESH;
}

static unsigned count_bits(uint64_t v)
{
    unsigned n = 0;
    for (; v != 0; v &= v - 1) {
        n++;
    }
    return n;
}

/* How many of the numbers from first to last, all in the window, have come. */
static uint64_t count_seen(const struct l2v_esp_window *w, uint64_t first, uint64_t last)
{
    uint64_t seen = 0;
    while (first <= last) {
        uint64_t end = first | 63; /* last number of this word */
        uint64_t mask = ~UINT64_C(0) << (first & 63);
        if (end > last) {
            mask &= ~UINT64_C(0) >> (63 - (last & 63));
        }
        seen += count_bits(*word_of(w, first) & mask);
        if (end == UINT64_MAX) {
            break;
        }
        first = end + 1;
    }
    return seen;
}

/* The window moves on to seq: what of the numbers behind it never came? */
static void count_gaps(struct l2v_esp_window *w, uint64_t seq)
{
    uint64_t bottom = seq >= w->size ? seq - w->size + 1 : 1; /* new lower bound */
    uint64_t gone;
    w->missing += seq - w->top - 1;
    if (bottom <= w->base) {
        return;
    }
    gone = bottom - w->base; /* numbers from base on that leave */
    gone -= count_seen(w, w->base, bottom - 1 < w->top ? bottom - 1 : w->top);
    w->lost += gone;
    w->missing -= gone;
    w->base = bottom;
}

static void start(struct l2v_esp_window *w, uint64_t seq)
{
    w->started = true;
    /* An SA counts from 1. One that is far beyond was taken over in the middle of its life. */
    w->base = seq > w->size ? seq : 1;
    w->missing = seq - w->base;
    w->top = seq;
    *word_of(w, seq) |= bit_of(seq);
}

bool l2v_esp_window_update(struct l2v_esp_window *w, uint64_t seq)
{
    if (!w->started) {
        start(w, seq);
        return true;
    }
    if (seq <= w->top) {
        *word_of(w, seq) |= bit_of(seq);
        w->missing -= seq >= w->base ? 1 : 0;
        return false;
    }
    count_gaps(w, seq);
    if ((seq >> 6) - (w->top >> 6) >= w->n_words) {
        memset(w->words, 0, w->n_words * sizeof(*w->words));
    } else {
        for (uint64_t i = (w->top >> 6) + 1; i <= seq >> 6; i++) {
            w->words[(size_t)(i % w->n_words)] = 0;
        }
    }
    w->top = seq;
    *word_of(w, seq) |= bit_of(seq);
    return true;
}
