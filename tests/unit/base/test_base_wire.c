/* SPDX-License-Identifier: MIT */
/* Reader and writer: bounds, sticking errors, blocks. */
#include "base_wire.h"
#include "test_base.h"

START_TEST(reader_reads)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    struct l2v_reader r, sub;
    uint8_t two[2];
    l2v_reader_init(&r, data, sizeof data);
    ck_assert_uint_eq(l2v_read_u8(&r), 1);
    ck_assert_uint_eq(l2v_read_u16(&r), 0x0203);
    ck_assert_uint_eq(l2v_read_u32(&r), 0x04050607);
    sub = l2v_read_sub(&r, 8);
    ck_assert_uint_eq(l2v_read_u64(&sub), UINT64_C(0x08090a0b0c0d0e0f));
    ck_assert_uint_eq(l2v_reader_left(&sub), 0);
    ck_assert(l2v_read_bytes(&sub, 0) != NULL);
    ck_assert(!sub.failed);
    ck_assert_uint_eq(l2v_reader_left(&r), 2);
    l2v_read_copy(&r, two, 2);
    ck_assert_uint_eq(two[1], 17);
    ck_assert(!r.failed);
}
END_TEST

START_TEST(reader_errors_stick)
{
    static const uint8_t data[] = {1, 2, 3};
    struct l2v_reader r, sub;
    uint8_t four[4] = {9, 9, 9, 9};
    l2v_reader_init(&r, data, sizeof data);
    l2v_read_copy(&r, four, 4);
    ck_assert(r.failed);
    ck_assert_uint_eq(four[0] | four[3], 0);
    ck_assert_uint_eq(l2v_read_u8(&r), 0); /* though there were bytes */
    ck_assert(l2v_read_bytes(&r, 0) == NULL);
    sub = l2v_read_sub(&r, 1);
    ck_assert(sub.failed);
    l2v_reader_init(&r, data, sizeof data);
    ck_assert(l2v_read_bytes(&r, SIZE_MAX) == NULL);
    l2v_reader_init(&r, NULL, 100);
    ck_assert_uint_eq(l2v_reader_left(&r), 0);
    l2v_read_skip(&r, 1);
    ck_assert(r.failed);
}
END_TEST

START_TEST(writer_writes_and_stops)
{
    uint8_t buf[16];
    struct l2v_writer w;
    memset(buf, 0xee, sizeof buf);
    l2v_writer_init(&w, buf, 15);
    l2v_write_u8(&w, 0x101); /* only the low byte */
    l2v_write_u16(&w, 0x0203);
    l2v_write_u32(&w, 0x04050607);
    l2v_write_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    ck_assert(!w.failed);
    for (unsigned i = 0; i < 15; i++) {
        ck_assert_uint_eq(buf[i], i + 1);
    }
    l2v_write_u8(&w, 1);
    ck_assert(w.failed);
    ck_assert_uint_eq(buf[15], 0xee);
    ck_assert_uint_eq(l2v_writer_len(&w), 15);
    l2v_write_bytes(&w, "", 0);
    ck_assert(w.failed);
    l2v_writer_init(&w, buf, sizeof buf);
    l2v_write_bytes(&w, NULL, 0);
    l2v_write_zero(&w, 16);
    ck_assert(!w.failed);
    ck_assert(l2v_write_room(&w, 1) == NULL);
}
END_TEST

START_TEST(writer_blocks)
{
    uint8_t buf[64];
    struct l2v_writer w;
    size_t block;
    l2v_writer_init(&w, buf, sizeof buf);
    l2v_write_u8(&w, 0);
    block = l2v_write_begin(&w);
    l2v_write_u16(&w, 0xaaaa);
    l2v_write_u16(&w, 0);
    l2v_write_zero(&w, 5);
    l2v_write_end_u16(&w, block, 2, 0);
    ck_assert_uint_eq(l2v_get_u16(buf + 3), 9);
    l2v_write_end_u16(&w, block, 2, 3);
    ck_assert_uint_eq(l2v_get_u16(buf + 3), 12);
    l2v_write_patch_u8(&w, 0, 0x33);
    ck_assert_uint_eq(buf[0], 0x33);
    ck_assert(!w.failed);
    l2v_write_end_u16(&w, block, 8, 0); /* the length field lies outside the block */
    ck_assert(w.failed);
    l2v_writer_init(&w, buf, sizeof buf);
    l2v_write_patch_u8(&w, 0, 1);
    ck_assert(w.failed);
    l2v_writer_init(&w, buf, sizeof buf);
    l2v_write_u16(&w, 0);
    l2v_write_end_u16(&w, 0, 0, UINT16_MAX); /* too long for 16 bits */
    ck_assert(w.failed);
}
END_TEST

START_TEST(put_and_get)
{
    uint8_t b[8];
    l2v_put_u64(b, UINT64_C(0xf1f2f3f4f5f6f7f8));
    ck_assert_uint_eq(b[0], 0xf1);
    ck_assert_uint_eq(l2v_get_u64(b), UINT64_C(0xf1f2f3f4f5f6f7f8));
    ck_assert_uint_eq(l2v_get_u32(b + 4), 0xf5f6f7f8);
    ck_assert_uint_eq(l2v_get_u16(b + 6), 0xf7f8);
}
END_TEST

TCase *test_base_wire(void)
{
    TCase *tc = tcase_create("wire");
    tcase_add_test(tc, reader_reads);
    tcase_add_test(tc, reader_errors_stick);
    tcase_add_test(tc, writer_writes_and_stops);
    tcase_add_test(tc, writer_blocks);
    tcase_add_test(tc, put_and_get);
    return tc;
}
