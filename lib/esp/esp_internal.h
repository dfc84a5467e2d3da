/* SPDX-License-Identifier: MIT */
/* What the files of lib/esp share. */
#ifndef L2V_ESP_INTERNAL_H
#define L2V_ESP_INTERNAL_H

#include "l2v_esp.h"

#define L2V_ESP_HEADER 8u    /* SPI and sequence number: rfc4303#2 */
#define L2V_ESP_TRAILER 2u   /* pad length and next header */
#define L2V_ESP_SPI_MIN 256u /* below: reserved, never negotiated; rfc4303#2.1 */

/* What authenticates a packet beside IV and ciphertext. */
struct l2v_esp_auth {
    uint8_t aad[12];
    size_t aad_len;
    uint8_t tail[4];
    size_t tail_len;
};

/* rfc4303#2.2.1, rfc4106#5, rfc7634#2.1: with ESN the high half goes between SPI and the low half
 * for AEAD suites, else behind the ciphertext. */
void l2v_esp_fill_auth(struct l2v_esp_auth *auth, const struct l2v_suite_info *info, bool esn,
                       uint32_t spi, uint64_t seq);

/* Replay window: a ring of 64-bit words as in rfc6479#2. */
struct l2v_esp_window {
    uint64_t *words;
    size_t n_words; /* size / 64 + 1 */
    uint32_t size;  /* packets: W of rfc4303#A2 */
    bool started;
    uint64_t top;     /* T: highest authenticated number */
    uint64_t base;    /* numbers below it are not counted as gaps */
    uint64_t lost;    /* gaps that left the window */
    uint64_t missing; /* gaps in it */
};

/* Whether the parameters that both directions share are possible; the seam checks the keys. */
bool l2v_esp_params_fit(const struct l2v_esp_params *p);

enum l2v_esp_verdict { L2V_ESP_FRESH, L2V_ESP_REPLAYED, L2V_ESP_LATE };

/* seq: highest number of an SA that is taken over; all up to it count as seen. 0 = a new SA. */
int l2v_esp_window_init(struct l2v_esp_window *w, struct l2v_env *env, uint32_t size, uint64_t seq);
void l2v_esp_window_clear(struct l2v_esp_window *w, struct l2v_env *env);
/* The 64-bit number that the 32 bits on the wire stand for: rfc4303#A2.2 */
uint64_t l2v_esp_window_guess(const struct l2v_esp_window *w, uint32_t seq_low);
enum l2v_esp_verdict l2v_esp_window_check(const struct l2v_esp_window *w, uint64_t seq);
/* Only for numbers that are fresh and whose ICV held. True: it is the newest. */
bool l2v_esp_window_update(struct l2v_esp_window *w, uint64_t seq);

#endif
