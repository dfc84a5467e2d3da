/* SPDX-License-Identifier: MIT */
/* Token bucket. */
#ifndef L2V_BASE_RATE_H
#define L2V_BASE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct l2v_rate {
    uint64_t last_ns;
    uint64_t interval_ns; /* one token per interval; 0 = no limit */
    uint32_t burst;
    uint32_t tokens;
};

void l2v_rate_init(struct l2v_rate *r, uint32_t per_second, uint32_t burst, uint64_t now_ns);
bool l2v_rate_take(struct l2v_rate *r, uint64_t now_ns);

#endif
