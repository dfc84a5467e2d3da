/* SPDX-License-Identifier: MIT */
/* The RTP meter, fed with any packets at any times. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "l2v_voip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Input: records of a length byte, a time byte (steps of 7 ms), and so many bytes of packet; the
 * top bit of the length says that a valid header comes first, with the sequence from the input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct l2v_rtp_meter *m = l2v_rtp_meter_new(NULL);
    l2tpvoip_rtp_stats s;
    uint64_t now = 1;
    if (m == NULL) {
        return 0;
    }
    while (len >= 2) {
        size_t n = data[0] & 0x7fu;
        int valid = data[0] >= 0x80;
        now += data[1] * UINT64_C(7000000);
        data += 2;
        len -= 2;
        n = n < len ? n : len;
        if (valid && n >= 4) {
            uint8_t p[12] = {0x80, 0, data[0], data[1], 0, 0, data[2], data[3], 0, 0, 0, 1};
            (void)l2v_rtp_meter_input(m, p, sizeof p, now);
        } else {
            (void)l2v_rtp_meter_input(m, data, n, now);
        }
        data += n;
        len -= n;
    }
    memset(&s, 0, sizeof s);
    l2v_rtp_meter_get(m, 10, 0, &s);
    if (!isfinite(s.r_factor) || !isfinite(s.jitter_ms) || s.lost > s.expected || s.mos_cq < 1 ||
        s.mos_cq > 4.5 || s.expected - s.lost > s.received) {
        abort();
    }
    l2v_rtp_meter_free(m);
    return 0;
}
