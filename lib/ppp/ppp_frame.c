/* SPDX-License-Identifier: MIT */
/* The PPP frame header. */
#include <l2tpvoip/error.h>

#include "base_wire.h"
#include "ppp_frame.h"
#include "ppp_wire.h"

#define ADDRESS_CONTROL 0xff03u

int l2v_ppp_frame_parse(struct l2v_pkt *pkt, uint16_t *ret_protocol)
{
    struct l2v_reader r;
    unsigned protocol;
    l2v_reader_init(&r, pkt->data, pkt->len);
    /* The protocol 0xff is never assigned so that FF 03 cannot be mistaken: rfc1661#6.5 */
    if (pkt->len >= 2 && l2v_get_u16(pkt->data) == ADDRESS_CONTROL) {
        l2v_read_skip(&r, 2);
    }
    protocol = l2v_read_u8(&r);
    /* rfc1661#2: the last byte of a protocol number is odd, the first of two is even */
    if ((protocol & 1u) == 0) {
        protocol = protocol << 8 | l2v_read_u8(&r);
    }
    if (r.failed || (protocol & 1u) == 0 || protocol == 0xff) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    (void)l2v_pkt_pull(pkt, pkt->len - l2v_reader_left(&r));
    *ret_protocol = (uint16_t)protocol;
    return 0;
}

size_t l2v_ppp_frame_overhead(const struct l2v_ppp_framing *f, unsigned protocol)
{
    if (protocol == L2V_PPP_PROTO_LCP) { /* rfc1661#6.5, rfc1661#6.6: LCP is never compressed */
        return 4;
    }
    return (f->acfc ? 0u : 2u) + (f->pfc && protocol < 0x100 ? 1u : 2u);
}

int l2v_ppp_frame_push(struct l2v_pkt *pkt, const struct l2v_ppp_framing *f, unsigned protocol)
{
    size_t n = l2v_ppp_frame_overhead(f, protocol);
    uint8_t *p = l2v_pkt_push(pkt, n);
    struct l2v_writer w;
    if (p == NULL) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    l2v_writer_init(&w, p, n);
    if (protocol == L2V_PPP_PROTO_LCP || !f->acfc) {
        l2v_write_u16(&w, ADDRESS_CONTROL);
    }
    if (l2v_writer_left(&w) == 1) {
        l2v_write_u8(&w, protocol);
    } else {
        l2v_write_u16(&w, protocol);
    }
    return 0;
}
