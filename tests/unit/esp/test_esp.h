/* SPDX-License-Identifier: MIT */
/* Test cases of the ESP module and what they share. */
#ifndef L2V_TEST_ESP_H
#define L2V_TEST_ESP_H

#include <check.h>

#include "l2v_esp.h"
#include "test_env.h"

TCase *test_esp_kat(void);
TCase *test_esp_sa(void);
TCase *test_esp_window(void);
TCase *test_esp_hostile(void);
TCase *test_esp_capture(void);

/* An environment with crypto. */
struct esp_fixture {
    struct test_env te;
    struct l2v_crypto *crypto;
};

void esp_fixture_init(struct esp_fixture *f, uint64_t seed);
void esp_fixture_clear(struct esp_fixture *f); /* asserts that nothing leaked */

/* Keys of the right lengths for a suite; key_bits as in 128, 256. */
struct esp_keys {
    uint8_t enc[64], auth[64];
    struct l2v_esp_params params;
};
void esp_keys_fill(struct esp_keys *k, enum l2v_suite_id suite, bool esn, uint64_t seed);

struct esp_pair {
    struct l2v_esp_out *out;
    struct l2v_esp_in *in;
};
void esp_pair_new(struct esp_fixture *f, const struct l2v_esp_params *p, struct esp_pair *ret);
void esp_pair_free(struct esp_pair *p);

/* Seals len bytes (0, 1, 2… from fill on) and returns the packet. */
struct l2v_pkt *esp_make(struct esp_fixture *f, struct esp_pair *p, size_t len, uint8_t fill);
/* Opens a copy; the result of l2v_esp_open. */
int esp_try(struct esp_fixture *f, struct esp_pair *p, const struct l2v_pkt *pkt, bool *ret_newest);

#endif
