/* SPDX-License-Identifier: MIT */
/* Token bucket. */
#include "base_rate.h"

#include "base_env.h"

void l2v_rate_init(struct l2v_rate *r, uint32_t per_second, uint32_t burst, uint64_t now_ns)
{
    r->last_ns = now_ns;
    r->interval_ns = per_second == 0 ? 0 : L2V_NS_PER_S / per_second;
    r->burst = burst == 0 ? 1 : burst;
    r->tokens = r->burst;
}

bool l2v_rate_take(struct l2v_rate *r, uint64_t now_ns)
{
    if (r->interval_ns == 0) {
        return true;
    }
    if (now_ns > r->last_ns) {
        uint64_t earned = (now_ns - r->last_ns) / r->interval_ns;
        if (earned >= r->burst - r->tokens) {
            /* Full: time beyond that earns nothing. */
            r->tokens = r->burst;
            r->last_ns = now_ns;
        } else {
            r->tokens += (uint32_t)earned;
            r->last_ns += earned * r->interval_ns;
        }
    }
    if (r->tokens == 0) {
        return false;
    }
    r->tokens--;
    return true;
}
