/* SPDX-License-Identifier: MIT */
/* MTU budget: exact sizes of what the stack puts around an inner packet. */
#include "l2v_voip.h"

#define UDP_HEADER 8u
#define ESP_HEADER 8u  /* SPI and sequence number, rfc4303#2 */
#define ESP_TRAILER 2u /* pad length and next header */

static uint32_t outer_headers(const struct l2v_voip_encaps *e)
{
    uint32_t ip = e->outer_ipv6 ? 40u : 20u;
    if (!e->esp) {
        return ip;
    }
    return ip + (e->udp_encap ? UDP_HEADER : 0u) + ESP_HEADER + e->esp_iv + e->esp_icv;
}

/* rfc4303#2.4: the trailer ends on a multiple of 4, or of the cipher's block. */
static uint32_t alignment(const struct l2v_voip_encaps *e)
{
    return e->esp_block > 4 ? e->esp_block : 4u;
}

static uint32_t inner_headers(const struct l2v_voip_encaps *e)
{
    return UDP_HEADER + e->l2tp + e->ppp;
}

uint32_t l2v_voip_outer_size(const struct l2v_voip_encaps *e, uint32_t inner)
{
    uint32_t clear = inner_headers(e) + inner;
    if (!e->esp) {
        return outer_headers(e) + clear;
    }
    uint32_t align = alignment(e);
    uint32_t sealed = clear + ESP_TRAILER;
    return outer_headers(e) + (sealed + align - 1) / align * align;
}

uint32_t l2v_voip_inner_mtu(const struct l2v_voip_encaps *e, uint32_t path_mtu)
{
    uint32_t outer = outer_headers(e);
    if (path_mtu <= outer) {
        return 0;
    }
    uint32_t room = path_mtu - outer;
    uint32_t around = inner_headers(e);
    if (e->esp) {
        room -= room % alignment(e);
        around += ESP_TRAILER;
    }
    return room > around ? room - around : 0;
}
