/* SPDX-License-Identifier: MIT */
/* Packets that other programs sent, from captures with known keys in the vectors folder. */
#include <stdio.h>

#include "base_wire.h"
#include "test_esp.h"

struct capture_sa {
    const char *file;
    uint32_t spi;
    uint8_t dst_last; /* last byte of the destination; 0 = any */
    uint8_t ip;       /* 4 or 6 */
    enum l2v_suite_id suite;
    const char *enc, *auth; /* hex when they begin with 0x */
    unsigned want;          /* packets that open */
};

#define WSWIKI "decrypt/wswiki__ipsec_esp_1_transport_v4v6.pcap"
#define SCAPY "decrypt/scapy__ikev2_nat_t_gcm_ctr_cbc.pcapng"
#define SHA1KEY "hmacsha1authenticati"

static const struct capture_sa sas[] = {
    {WSWIKI, 0x6e, 2, 4, L2V_SUITE_AES_CBC_SHA1_96, "aescbcencryption", SHA1KEY, 10},
    {WSWIKI, 0x6f, 3, 4, L2V_SUITE_3DES_CBC_SHA1_96, "3descbcencryptiontesting", SHA1KEY, 10},
    {WSWIKI, 0x0a, 2, 6, L2V_SUITE_AES_CBC_SHA1_96, "aescbcencryption", SHA1KEY, 10},
    {WSWIKI, 0x0b, 3, 6, L2V_SUITE_3DES_CBC_SHA1_96, "3descbcencryptiontesting", SHA1KEY, 10},
    {SCAPY, 0xc1a9656b, 0, 4, L2V_SUITE_AES_GCM_16, "0x167fc4915921b24f27f71e7498b1978c238398d6",
     "", 4},
    {SCAPY, 0xac0faf03, 0, 4, L2V_SUITE_AES_GCM_16, "0x5eab6a4e799442ec5ef6fc07545297651b5832fc",
     "", 4},
    {SCAPY, 0xc1d717e8, 0, 4, L2V_SUITE_AES_CBC_SHA256_128, "0x343c9a1a9e4519749c3c2b5e5240b428",
     "0x9214b049b45529f1b3a04e46cc5151a2497281c2b9adff36395f6ebbb2f3dc20", 4},
    {SCAPY, 0xb6b5f296, 0, 4, L2V_SUITE_AES_CBC_SHA256_128, "0x0b8cf5f4328c8ce9724bf7ed903716a5",
     "0x1f5e2399048218f2e40d6f49c84e50ca9b145e0be8dce0384f49f2ac407517e0", 4},
};

static size_t key_bytes(const char *text, uint8_t *out)
{
    size_t n = strlen(text);
    if (strncmp(text, "0x", 2) != 0) {
        memcpy(out, text, n);
        return n;
    }
    n = n / 2 - 1;
    for (size_t i = 0; i < n; i++) {
        char two[3] = {text[2 + 2 * i], text[3 + 2 * i], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return n;
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The next Ethernet frame of a pcap or pcapng file, both little-endian; false at the end. */
static bool next_frame(const uint8_t *file, size_t size, size_t *at, struct l2v_reader *ret)
{
    bool ng = le32(file) == 0x0a0d0d0a;
    if (*at == 0 && !ng) {
        *at = 24;
    }
    while (*at + 28 < size) {
        const uint8_t *p = file + *at;
        size_t head = ng ? 28 : 16, len = le32(p + (ng ? 20 : 8));
        size_t block = ng ? le32(p + 4) : head + len;
        if (block < 12 || *at + block > size) {
            return false;
        }
        *at += block;
        if (!ng || le32(p) == 6) {
            l2v_reader_init(ret, p + head, len);
            return true;
        }
    }
    return false;
}

/* Takes the headers off up to the ESP packet; false = there is none. */
static bool find_esp(struct l2v_reader *r, uint8_t ip, uint8_t dst_last)
{
    uint8_t protocol, dst;
    uint16_t type, len;
    l2v_read_skip(r, 12);
    type = l2v_read_u16(r);
    if (type != (ip == 4 ? 0x0800 : 0x86dd)) {
        return false;
    }
    if (ip == 4) {
        l2v_read_skip(r, 2);
        len = (uint16_t)(l2v_read_u16(r) - 20);
        l2v_read_skip(r, 5);
        protocol = l2v_read_u8(r);
        l2v_read_skip(r, 9);
    } else {
        l2v_read_skip(r, 4);
        len = l2v_read_u16(r);
        protocol = l2v_read_u8(r);
        l2v_read_skip(r, 32);
    }
    dst = l2v_read_u8(r);
    *r = l2v_read_sub(r, len); /* without Ethernet's padding */
    if (protocol == 17) {
        l2v_read_skip(r, 8);
    }
    return !r->failed && (protocol == 50 || protocol == 17) && (dst_last == 0 || dst == dst_last);
}

static uint8_t *load(const char *name, size_t *ret_size)
{
    char path[512];
    FILE *file;
    uint8_t *data = (uint8_t *)malloc(1 << 20);
    ck_assert(data != NULL);
    (void)snprintf(path, sizeof path, "%s/%s", L2V_VECTORS, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        printf("skipped: no %s in the vectors folder\n", name);
        free(data);
        return NULL;
    }
    *ret_size = fread(data, 1, 1 << 20, file);
    fclose(file);
    return data;
}

START_TEST(captured_packets_open)
{
    const struct capture_sa *from = &sas[_i];
    struct esp_fixture f;
    uint8_t enc[64], auth[64];
    struct l2v_esp_params p = {.spi = from->spi,
                               .suite = from->suite,
                               .enc_key = enc,
                               .auth_key = from->auth[0] != '\0' ? auth : NULL};
    struct l2v_esp_in *sa;
    size_t size = 0, at = 0;
    uint8_t *file = load(from->file, &size);
    struct l2v_reader r;
    unsigned opened = 0;
    if (file == NULL) {
        return;
    }
    esp_fixture_init(&f, 1);
    p.enc_key_len = key_bytes(from->enc, enc);
    p.auth_key_len = key_bytes(from->auth, auth);
    ck_assert_int_eq(l2v_esp_in_new(&f.te.env, f.crypto, &p, &sa), 0);
    while (next_frame(file, size, &at, &r)) {
        struct l2v_pkt *pkt;
        uint8_t next_header;
        bool newest;
        if (!find_esp(&r, from->ip, from->dst_last) ||
            l2v_esp_peek_spi(r.pos, l2v_reader_left(&r)) != from->spi) {
            continue;
        }
        pkt = l2v_pkt_copy(&f.te.env, r.pos, l2v_reader_left(&r));
        ck_assert_int_eq(l2v_esp_open(sa, pkt, &next_header, &newest), 0);
        ck_assert(next_header == 1 || next_header == 58 || next_header == 4);
        l2v_pkt_free(pkt);
        opened++;
    }
    ck_assert_uint_eq(opened, from->want);
    l2v_esp_in_free(sa);
    esp_fixture_clear(&f);
    free(file);
}
END_TEST

TCase *test_esp_capture(void)
{
    TCase *tc = tcase_create("capture");
    tcase_add_loop_test(tc, captured_packets_open, 0, (int)(sizeof sas / sizeof sas[0]));
    return tc;
}
