/* SPDX-License-Identifier: MIT */
/* The Internet checksum. */
#include "inet_priv.h"

uint32_t l2v_inet_sum(const void *data, size_t len, uint32_t sum)
{
    const uint8_t *p = data;
    uint64_t acc = 0;
    /* rfc1071#2(B): the sum is the same in either byte order, so it runs on native words. */
    while (len >= 16) {
        uint32_t w[4];
        memcpy(w, p, sizeof w);
        acc += (uint64_t)w[0] + w[1] + w[2] + w[3];
        p += 16;
        len -= 16;
    }
    while (len >= 2) {
        uint16_t w;
        memcpy(&w, p, sizeof w);
        acc += w;
        p += 2;
        len -= 2;
    }
    if (len == 1) {
        uint8_t last[2] = {p[0], 0}; /* padded at its end with zero, rfc768 */
        uint16_t w;
        memcpy(&w, last, sizeof w);
        acc += w;
    }
    while (acc >> 16 != 0) {
        acc = (acc & 0xffffu) + (acc >> 16);
    }
    uint16_t native = (uint16_t)acc;
    uint8_t bytes[2];
    memcpy(bytes, &native, sizeof bytes);
    uint64_t total = (uint64_t)sum + l2v_get_u16(bytes);
    return (uint32_t)((total & 0xffffffffu) + (total >> 32));
}

uint16_t l2v_inet_fold(uint32_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffffu) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* rfc768, rfc8200#8.1 */
uint32_t l2v_inet_pseudo(const l2tpvoip_addr *src, const l2tpvoip_addr *dst, size_t len,
                         uint8_t proto)
{
    size_t n = src->family == 6 ? 16 : 4;
    uint32_t sum = l2v_inet_sum(src->ip, n, 0);
    sum = l2v_inet_sum(dst->ip, n, sum);
    return sum + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffffu) + proto;
}
