/* SPDX-License-Identifier: MIT */
/* RTP header, RFC 3550 §5.1. */
#include <l2tpvoip/error.h>

#include "base_wire.h"
#include "rtp_wire.h"

int l2v_rtp_parse(const uint8_t *data, size_t len, struct l2v_rtp_header *ret)
{
    struct l2v_reader r;
    struct l2v_rtp_header h;
    l2v_reader_init(&r, data, len);
    uint8_t first = l2v_read_u8(&r);
    uint8_t second = l2v_read_u8(&r);
    h.seq = l2v_read_u16(&r);
    h.timestamp = l2v_read_u32(&r);
    h.ssrc = l2v_read_u32(&r);
    h.marker = (second & 0x80u) != 0;
    h.payload_type = second & 0x7fu;
    l2v_read_skip(&r, (first & 15u) * 4u);
    if ((first & 0x10u) != 0) { /* header extension, rfc3550#5.3.1 */
        l2v_read_skip(&r, 2);
        l2v_read_skip(&r, l2v_read_u16(&r) * 4u);
    }
    /* rfc5761#4: 192 to 223 in the second octet is RTCP. */
    if (r.failed || first >> 6 != 2 || (second >= 192 && second <= 223)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    h.payload_len = l2v_reader_left(&r);
    h.payload_at = len - h.payload_len;
    if ((first & 0x20u) != 0) {
        uint8_t padding = h.payload_len > 0 ? data[len - 1] : 0;
        if (padding == 0 || padding > h.payload_len) {
            return L2TPVOIP_ERR_MALFORMED;
        }
        h.payload_len -= padding;
    }
    *ret = h;
    return 0;
}
