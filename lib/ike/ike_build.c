/* SPDX-License-Identifier: MIT */
/* Builder of ISAKMP messages, RFC 2408 section 3. */
#include <l2tpvoip/error.h>

#include "ike_wire.h"

#define OFFSET_NEXT 16u
#define OFFSET_LENGTH 24u
#define OFFSET_PAYLOAD_LENGTH 2u

void l2v_ike_build_begin(struct l2v_ike_build *b, void *buf, size_t size,
                         const struct l2v_ike_header *h)
{
    l2v_writer_init(&b->w, buf, size);
    l2v_write_bytes(&b->w, h->icookie, sizeof(h->icookie));
    l2v_write_bytes(&b->w, h->rcookie, sizeof(h->rcookie));
    l2v_write_u8(&b->w, L2V_IKE1_PAYLOAD_NONE);
    l2v_write_u8(&b->w, h->version);
    l2v_write_u8(&b->w, h->exchange);
    l2v_write_u8(&b->w, h->flags);
    l2v_write_u32(&b->w, h->message_id);
    l2v_write_u32(&b->w, 0);
    b->next_at = OFFSET_NEXT;
    b->payload_at = 0;
}

size_t l2v_ike_build_close(struct l2v_ike_build *b)
{
    if (b->payload_at != 0) {
        l2v_write_end_u16(&b->w, b->payload_at, OFFSET_PAYLOAD_LENGTH, 0);
        b->payload_at = 0;
    }
    return b->w.failed ? 0 : l2v_writer_len(&b->w);
}

void l2v_ike_build_payload(struct l2v_ike_build *b, unsigned type)
{
    l2v_ike_build_close(b);
    l2v_write_patch_u8(&b->w, b->next_at, type);
    b->next_at = b->payload_at = l2v_write_begin(&b->w);
    l2v_write_u8(&b->w, L2V_IKE1_PAYLOAD_NONE);
    l2v_write_u8(&b->w, 0);
    l2v_write_u16(&b->w, 0);
}

void l2v_ike_build_add(struct l2v_ike_build *b, unsigned type, const void *body, size_t len)
{
    l2v_ike_build_payload(b, type);
    l2v_write_bytes(&b->w, body, len);
}

uint8_t *l2v_ike_build_reserve(struct l2v_ike_build *b, unsigned type, size_t len)
{
    uint8_t *room;
    l2v_ike_build_payload(b, type);
    room = l2v_write_room(&b->w, len);
    if (room != NULL) {
        memset(room, 0, len);
    }
    return room;
}

void l2v_ike_build_notify(struct l2v_ike_build *b, unsigned protocol, const void *spi,
                          size_t spi_len, unsigned type, const void *data, size_t data_len)
{
    l2v_ike_build_payload(b, L2V_IKE1_PAYLOAD_NOTIFY);
    l2v_write_u32(&b->w, L2V_IKE1_DOI_IPSEC);
    l2v_write_u8(&b->w, protocol);
    l2v_write_u8(&b->w, (unsigned)spi_len);
    l2v_write_u16(&b->w, type);
    l2v_write_bytes(&b->w, spi, spi_len);
    l2v_write_bytes(&b->w, data, data_len);
}

void l2v_ike_build_delete(struct l2v_ike_build *b, unsigned protocol, size_t spi_len,
                          const void *spis, size_t n_spis)
{
    l2v_ike_build_payload(b, L2V_IKE1_PAYLOAD_DELETE);
    l2v_write_u32(&b->w, L2V_IKE1_DOI_IPSEC);
    l2v_write_u8(&b->w, protocol);
    l2v_write_u8(&b->w, (unsigned)spi_len);
    l2v_write_u16(&b->w, (unsigned)n_spis);
    l2v_write_bytes(&b->w, spis, spi_len * n_spis);
}

int l2v_ike_build_end(struct l2v_ike_build *b, size_t block, size_t *ret_len)
{
    size_t len = l2v_ike_build_close(b);
    if (len < L2V_IKE_HEADER_LEN) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    if (block > 0) {
        /* rfc2409#appendix-B: zeros up to the block; the length in the header counts them. */
        l2v_write_zero(&b->w, (block - (len - L2V_IKE_HEADER_LEN) % block) % block);
    }
    if (b->w.failed) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    len = l2v_writer_len(&b->w);
    l2v_put_u32(b->w.start + OFFSET_LENGTH, (uint32_t)len);
    *ret_len = len;
    return 0;
}
