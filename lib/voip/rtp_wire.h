/* SPDX-License-Identifier: MIT */
/* The fixed RTP header. */
#ifndef L2V_RTP_WIRE_H
#define L2V_RTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct l2v_rtp_header {
    uint8_t payload_type;
    bool marker;
    uint16_t seq;
    uint32_t timestamp, ssrc;
    size_t payload_at, payload_len;
};

/* 0, MALFORMED (RTCP that shares the port included). */
int l2v_rtp_parse(const uint8_t *data, size_t len, struct l2v_rtp_header *ret);

#endif
