/* SPDX-License-Identifier: MIT */
/* MD4 (RFC 1320), for the NT hash of MS-CHAPv2 alone: libcrypto has it only in its legacy provider,
 * which this library does not load. */
#include "crypto_internal.h"

#include <string.h>

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store_le32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* The word that step i of each round takes, and the rotations. rfc1320#3.4 */
static const uint8_t word_of[3][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
    {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15},
};
static const uint8_t shift_of[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
static const uint32_t constant_of[3] = {0, 0x5a827999u, 0x6ed9eba1u};

static uint32_t mix(unsigned round, uint32_t x, uint32_t y, uint32_t z)
{
    if (round == 0) {
        return (x & y) | (~x & z);
    }
    if (round == 1) {
        return (x & y) | (x & z) | (y & z);
    }
    return x ^ y ^ z;
}

static void compress(uint32_t state[4], const uint8_t block[64])
{
    uint32_t x[16];
    uint32_t v[4];
    memcpy(v, state, sizeof(v));
    for (unsigned i = 0; i < 16; i++) {
        x[i] = load_le32(block + 4 * i);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 16; i++) {
            /* The registers take turns as the target: a, d, c, b. */
            unsigned a = (16 - i) & 3;
            uint32_t sum = v[a] + mix(round, v[(a + 1) & 3], v[(a + 2) & 3], v[(a + 3) & 3]) +
                           x[word_of[round][i]] + constant_of[round];
            v[a] = rotate(sum, shift_of[round][i & 3]);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        state[i] += v[i];
    }
    l2v_wipe(x, sizeof(x));
    l2v_wipe(v, sizeof(v));
}

void l2v_md4_init(struct l2v_md4 *md4)
{
    static const uint32_t start[4] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u};
    memcpy(md4->state, start, sizeof(start));
    md4->len = 0;
}

void l2v_md4_update(struct l2v_md4 *md4, const void *data, size_t len)
{
    const uint8_t *in = (const uint8_t *)data;
    while (len > 0) {
        size_t used = (size_t)(md4->len & 63);
        size_t n = 64 - used < len ? 64 - used : len;
        memcpy(md4->buf + used, in, n);
        md4->len += n;
        in += n;
        len -= n;
        if (used + n == 64) {
            compress(md4->state, md4->buf);
        }
    }
}

void l2v_md4_final(struct l2v_md4 *md4, uint8_t ret_out[16])
{
    static const uint8_t padding[64] = {0x80};
    uint8_t bits[8];
    size_t used = (size_t)(md4->len & 63);
    store_le32(bits, (uint32_t)(md4->len << 3));
    store_le32(bits + 4, (uint32_t)(md4->len >> 29));
    l2v_md4_update(md4, padding, used < 56 ? 56 - used : 120 - used);
    l2v_md4_update(md4, bits, 8);
    for (unsigned i = 0; i < 4; i++) {
        store_le32(ret_out + 4 * i, md4->state[i]);
    }
    l2v_wipe(md4, sizeof(*md4));
}
