/* SPDX-License-Identifier: MIT */
/* UDP encapsulation (RFC 3948): what a datagram on a port with the non-ESP marker carries. */
#include "esp_internal.h"

#include "base_wire.h"

uint32_t l2v_esp_peek_spi(const uint8_t *data, size_t len)
{
    struct l2v_reader r;
    l2v_reader_init(&r, data, len);
    if (l2v_reader_left(&r) < L2V_ESP_HEADER) {
        return 0;
    }
    return l2v_read_u32(&r);
}

enum l2v_udpencap l2v_udpencap_classify(const uint8_t *data, size_t len)
{
    struct l2v_reader r;
    uint32_t first;
    l2v_reader_init(&r, data, len);
    if (l2v_reader_left(&r) == 1) {
        /* rfc3948#2.3: one byte, 0xff */
        return l2v_read_u8(&r) == 0xff ? L2V_UDPENCAP_KEEPALIVE : L2V_UDPENCAP_BAD;
    }
    first = l2v_read_u32(&r);
    if (r.failed) {
        return L2V_UDPENCAP_BAD;
    }
    if (first == 0) {
        /* rfc3948#2.2: the non-ESP marker, where an SPI would be */
        return l2v_reader_left(&r) > 0 ? L2V_UDPENCAP_IKE : L2V_UDPENCAP_BAD;
    }
    if (first < L2V_ESP_SPI_MIN || l2v_reader_left(&r) < L2V_ESP_HEADER - 4) {
        return L2V_UDPENCAP_BAD;
    }
    return L2V_UDPENCAP_ESP;
}
