/* SPDX-License-Identifier: MIT */
/* Headers: every combination of L, S, O and P, bad ones, and the UDP header. */
#include "base_addr.h"
#include "test_l2tp.h"

/* rfc2661#3.1 every combination, with and without offset padding */
START_TEST(data_headers)
{
    for (unsigned mask = 0; mask < 16; mask++) {
        unsigned flags = ((mask & 1u) != 0 ? L2V_L2TP_L : 0) | ((mask & 2u) != 0 ? L2V_L2TP_S : 0) |
                         ((mask & 4u) != 0 ? L2V_L2TP_O : 0) | ((mask & 8u) != 0 ? L2V_L2TP_P : 0);
        uint8_t data[64];
        struct l2v_writer w;
        struct l2v_l2tp_header h;
        l2v_writer_init(&w, data, sizeof data);
        l2v_write_u16(&w, flags | 2);
        size_t len_at = 0;
        if ((flags & L2V_L2TP_L) != 0) {
            len_at = l2v_writer_len(&w);
            l2v_write_u16(&w, 0);
        }
        l2v_write_u16(&w, 0x1234);
        l2v_write_u16(&w, 0x5678);
        if ((flags & L2V_L2TP_S) != 0) {
            l2v_write_u16(&w, 7);
            l2v_write_u16(&w, 9);
        }
        if ((flags & L2V_L2TP_O) != 0) {
            l2v_write_u16(&w, 3);
            l2v_write_zero(&w, 3);
        }
        size_t header_len = l2v_writer_len(&w);
        l2v_write_bytes(&w, "payload", 7);
        size_t len = l2v_writer_len(&w);
        if (len_at != 0) {
            l2v_put_u16(data + len_at, (unsigned)len);
        }
        l2v_write_bytes(&w, "xx", 2); /* behind the message */
        size_t total = len_at != 0 ? len + 2 : len;
        ck_assert_int_eq(l2v_l2tp_header_parse(data, total, &h), 0);
        ck_assert_uint_eq(h.flags & ~2u, flags);
        ck_assert_uint_eq(h.tunnel_id, 0x1234);
        ck_assert_uint_eq(h.session_id, 0x5678);
        ck_assert_uint_eq(h.header_len, header_len);
        ck_assert_uint_eq(h.len, len);
        if ((flags & L2V_L2TP_S) != 0) {
            ck_assert_uint_eq(h.ns, 7);
        }
        for (size_t cut = 0; cut < header_len; cut++) {
            ck_assert_int_eq(l2v_l2tp_header_parse(data, cut, &h), L2TPVOIP_ERR_MALFORMED);
        }
    }
}
END_TEST

/* rfc2661#3.1 the shortest on send */
START_TEST(data_header_output)
{
    static const struct {
        unsigned flags;
        const char *hex;
    } rows[] = {
        {0, "000200110022"},
        {L2V_L2TP_L, "4002000c00110022"},
        {L2V_L2TP_S, "08020011002200050000"},
        {L2V_L2TP_L | L2V_L2TP_S, "4802001000110022"
                                  "00050000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t want[16], got[16];
        size_t len = unit_hex(rows[i].hex, want, sizeof want);
        ck_assert_uint_eq(l2v_l2tp_header_data_len(rows[i].flags), len);
        l2v_l2tp_header_put_data(got, rows[i].flags, 0x11, 0x22, 5, 4);
        ck_assert_mem_eq(got, want, len);
    }
}
END_TEST

/* rfc2661#3.1 control messages MUST have L and S and no O; another version is discarded */
START_TEST(bad_headers)
{
    static const char *const bad[] = {
        "8002000c00000000"
        "00000000", /* T without L, S */
        "c002000c00000000"
        "00000000", /* no S */
        "8802000000000000"
        "00000000", /* no L */
        "ca02000c00000000"
        "00000000", /* O */
        "c803000c00000000"
        "00000000", /* version 3 */
        "c801000c00000000"
        "00000000", /* L2F */
        "c802000d00000000"
        "00000000", /* longer than the datagram */
        "c802000b00000000"
        "00000000", /* shorter than the header */
        "c8020000",
        "02020001"
        "0001ffff"
        "00", /* offset beyond the end */
        "40020005"
        "00010001", /* L shorter than the header */
        "",
        "c8",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t data[64];
        struct l2v_l2tp_header h;
        size_t len = unit_hex(bad[i], data, sizeof data);
        ck_assert_msg(l2v_l2tp_header_parse(data, len, &h) == L2TPVOIP_ERR_MALFORMED, "%s", bad[i]);
    }
    /* reserved bits and P are ignored on receipt */
    uint8_t data[12];
    struct l2v_l2tp_header h;
    unit_hex("fdf2000c0001000200030004", data, sizeof data);
    ck_assert_int_eq(l2v_l2tp_header_parse(data, sizeof data, &h), 0);
    ck_assert_uint_eq(h.ns, 3);
    ck_assert_uint_eq(h.nr, 4);
}
END_TEST

static uint16_t sum_of(const uint8_t *data, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

/* rfc3948#3.1.2, rfc8200#8.1 */
START_TEST(udp_header)
{
    struct test_env te;
    ck_assert_int_eq(test_env_init(&te, 1), 0);
    l2tpvoip_addr a4, b4, a6, b6;
    ck_assert_int_eq(l2v_addr_parse("192.0.2.1", &a4), 0);
    ck_assert_int_eq(l2v_addr_parse("198.51.100.7", &b4), 0);
    ck_assert_int_eq(l2v_addr_parse("2001:db8::1", &a6), 0);
    ck_assert_int_eq(l2v_addr_parse("2001:db8::2", &b6), 0);
    for (size_t len = 0; len < 5; len++) {
        uint16_t peer, own;
        struct l2v_pkt *pkt = l2v_pkt_copy(&te.env, "abcde", len);
        ck_assert_int_eq(l2v_l2tp_udp_push(pkt, 1701, 40000, &a4, &b4), 0);
        ck_assert_uint_eq(pkt->len, len + 8);
        ck_assert_uint_eq(l2v_get_u16(pkt->data + 6), 0);
        ck_assert_int_eq(l2v_l2tp_udp_pull(pkt, &peer, &own), 0);
        ck_assert_uint_eq(peer, 1701);
        ck_assert_uint_eq(own, 40000);
        ck_assert_uint_eq(pkt->len, len);
        ck_assert_int_eq(l2v_l2tp_udp_push(pkt, 1701, 1701, &a6, &b6), 0);
        uint32_t pseudo =
            (uint32_t)sum_of(a6.ip, 16, 0) + sum_of(b6.ip, 16, 0) + 17 + (uint32_t)pkt->len;
        ck_assert_uint_eq(sum_of(pkt->data, pkt->len, pseudo), 0xffff);
        l2v_pkt_free(pkt);
    }
    static const char *const bad[] = {"06a506a500070000", "06a506a500090000", "06a506a50008", ""};
    for (size_t i = 0; i < 4; i++) {
        uint8_t data[16];
        uint16_t peer, own;
        size_t len = unit_hex(bad[i], data, sizeof data);
        struct l2v_pkt *pkt = l2v_pkt_copy(&te.env, data, len);
        ck_assert_int_eq(l2v_l2tp_udp_pull(pkt, &peer, &own), L2TPVOIP_ERR_MALFORMED);
        l2v_pkt_free(pkt);
    }
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}
END_TEST

TCase *test_wire_case(void)
{
    TCase *c = tcase_create("wire");
    tcase_add_test(c, data_headers);
    tcase_add_test(c, data_header_output);
    tcase_add_test(c, bad_headers);
    tcase_add_test(c, udp_header);
    return c;
}
