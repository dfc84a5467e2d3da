/* SPDX-License-Identifier: MIT */
/* Reading and writing the L2TP header. Every L/S/O/P combination is read; the shortest is sent. */
#include "l2tp_wire.h"

#include <l2tpvoip/error.h>

#include "base_wire.h"

int l2v_l2tp_header_parse(const uint8_t *data, size_t len, struct l2v_l2tp_header *ret_header)
{
    struct l2v_l2tp_header h = {0};
    struct l2v_reader r;
    l2v_reader_init(&r, data, len);
    h.flags = l2v_read_u16(&r);
    if (r.failed || (h.flags & L2V_L2TP_VERSION_MASK) != L2V_L2TP_VERSION) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    /* rfc2661#3.1 L and S MUST be set, O MUST be clear on control messages; P and the reserved
     * bits are ignored there */
    if ((h.flags & L2V_L2TP_T) != 0 &&
        (h.flags & (L2V_L2TP_L | L2V_L2TP_S | L2V_L2TP_O)) != (L2V_L2TP_L | L2V_L2TP_S)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    h.len = (h.flags & L2V_L2TP_L) != 0 ? l2v_read_u16(&r) : len;
    h.tunnel_id = l2v_read_u16(&r);
    h.session_id = l2v_read_u16(&r);
    if ((h.flags & L2V_L2TP_S) != 0) {
        h.ns = l2v_read_u16(&r);
        h.nr = l2v_read_u16(&r);
    }
    if ((h.flags & L2V_L2TP_O) != 0) {
        l2v_read_skip(&r, l2v_read_u16(&r));
    }
    h.header_len = len - l2v_reader_left(&r);
    if (r.failed || h.len > len || h.header_len > h.len) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    *ret_header = h;
    return 0;
}

void l2v_l2tp_header_put_control(uint8_t *dst, uint16_t tunnel_id, uint16_t session_id, uint16_t ns,
                                 uint16_t nr, size_t body_len)
{
    l2v_put_u16(dst, L2V_L2TP_T | L2V_L2TP_L | L2V_L2TP_S | L2V_L2TP_VERSION);
    l2v_put_u16(dst + 2, (unsigned)(L2V_L2TP_CONTROL_HEADER + body_len));
    l2v_put_u16(dst + 4, tunnel_id);
    l2v_put_u16(dst + 6, session_id);
    l2v_put_u16(dst + 8, ns);
    l2v_put_u16(dst + 10, nr);
}

size_t l2v_l2tp_header_data_len(unsigned flags)
{
    return 6u + ((flags & L2V_L2TP_L) != 0 ? 2u : 0u) + ((flags & L2V_L2TP_S) != 0 ? 4u : 0u);
}

void l2v_l2tp_header_put_data(uint8_t *dst, unsigned flags, uint16_t tunnel_id, uint16_t session_id,
                              uint16_t ns, size_t payload_len)
{
    size_t header_len = l2v_l2tp_header_data_len(flags);
    l2v_put_u16(dst, (flags & (L2V_L2TP_L | L2V_L2TP_S | L2V_L2TP_P)) | L2V_L2TP_VERSION);
    dst += 2;
    if ((flags & L2V_L2TP_L) != 0) {
        l2v_put_u16(dst, (unsigned)(header_len + payload_len));
        dst += 2;
    }
    l2v_put_u16(dst, tunnel_id);
    l2v_put_u16(dst + 2, session_id);
    if ((flags & L2V_L2TP_S) != 0) {
        l2v_put_u16(dst + 4, ns);
        l2v_put_u16(dst + 6, 0); /* rfc2661#3.1 Nr is reserved in data messages */
    }
}
