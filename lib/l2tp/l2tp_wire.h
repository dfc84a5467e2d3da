/* SPDX-License-Identifier: MIT */
/* The header that control and data messages share (rfc2661#3.1). */
#ifndef L2V_L2TP_WIRE_H
#define L2V_L2TP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define L2V_L2TP_T 0x8000u
#define L2V_L2TP_L 0x4000u
#define L2V_L2TP_S 0x0800u
#define L2V_L2TP_O 0x0200u
#define L2V_L2TP_P 0x0100u
#define L2V_L2TP_VERSION_MASK 0x000fu
#define L2V_L2TP_VERSION 2u
#define L2V_L2TP_CONTROL_HEADER 12u
#define L2V_L2TP_DATA_HEADER_MAX 12u /* that we send: flags, length, ids, Ns, Nr */

struct l2v_l2tp_header {
    uint16_t flags; /* L2V_L2TP_T … */
    uint16_t tunnel_id;
    uint16_t session_id;
    uint16_t ns;
    uint16_t nr;
    size_t header_len; /* up to the payload, offset padding included */
    size_t len;        /* whole message; what follows it in the datagram is no part of it */
};

/* 0, MALFORMED (too short, version, lengths, a control message without L and S or with O). */
int l2v_l2tp_header_parse(const uint8_t *data, size_t len, struct l2v_l2tp_header *ret_header);
/* Writes the 12 bytes of a control header; body_len bytes follow. */
void l2v_l2tp_header_put_control(uint8_t *dst, uint16_t tunnel_id, uint16_t session_id, uint16_t ns,
                                 uint16_t nr, size_t body_len);
/* Size of a data header with these flags (of L and S). */
size_t l2v_l2tp_header_data_len(unsigned flags);
/* Writes it. payload_len matters with L only. */
void l2v_l2tp_header_put_data(uint8_t *dst, unsigned flags, uint16_t tunnel_id, uint16_t session_id,
                              uint16_t ns, size_t payload_len);

#endif
