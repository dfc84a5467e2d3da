/* SPDX-License-Identifier: MIT */
/* ISAKMP parser and builder, RFC 2408 sections 3 and 5. */
#include <l2tpvoip/error.h>

#include "ike_wire.h"
#include "test_ike.h"

static struct l2v_ike_header header(void)
{
    struct l2v_ike_header h;
    memset(&h, 0, sizeof(h));
    memcpy(h.icookie, "INITIATE", 8);
    memcpy(h.rcookie, "RESPONDE", 8);
    h.version = L2V_IKE_VERSION_1;
    h.exchange = L2V_IKE1_EXCHANGE_MAIN;
    h.message_id = 0x01020304;
    return h;
}

/* SA 3 bytes, VID 5 bytes, nonce 8 bytes. */
static size_t build(uint8_t *buf, size_t size)
{
    struct l2v_ike_header h = header();
    struct l2v_ike_build b;
    size_t len;

    l2v_ike_build_begin(&b, buf, size, &h);
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_SA, "abc", 3);
    l2v_ike_build_payload(&b, L2V_IKE1_PAYLOAD_VID);
    l2v_write_bytes(&b.w, "hello", 5);
    memset(l2v_ike_build_reserve(&b, L2V_IKE1_PAYLOAD_NONCE, 8), 7, 8);
    ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
    return len;
}

START_TEST(round_trip) /* rfc2408#3.1 rfc2408#3.2 */
{
    uint8_t buf[256];
    struct l2v_ike_message m;
    const struct l2v_ike_payload *p;
    size_t len = build(buf, sizeof(buf)), rest;

    ck_assert_uint_eq(len, 28 + 7 + 9 + 12);
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
    ck_assert_uint_eq(m.n, 3);
    ck_assert_uint_eq(m.len, 28);
    ck_assert_uint_eq(m.header.message_id, 0x01020304);
    ck_assert_uint_eq(m.header.length, len);
    ck_assert_uint_eq(m.header.next_payload, L2V_IKE1_PAYLOAD_SA);
    p = l2v_ike_message_find(&m, L2V_IKE1_PAYLOAD_VID, 0);
    ck_assert_ptr_nonnull(p);
    ck_assert_mem_eq(p->body, "hello", 5);
    ck_assert_ptr_eq(l2v_ike_message_after(&m, p, &rest), p->body + 5);
    ck_assert_uint_eq(rest, 12);
    ck_assert_ptr_null(l2v_ike_message_find(&m, L2V_IKE1_PAYLOAD_VID, 1));
    ck_assert_uint_eq(l2v_ike_message_count(&m, L2V_IKE1_PAYLOAD_NONCE), 1);
    ck_assert(l2v_ike1_nonce_is_valid(l2v_ike_message_find(&m, L2V_IKE1_PAYLOAD_NONCE, 0)));
}
END_TEST

START_TEST(every_cut) /* rfc2408#5.2 */
{
    uint8_t buf[256];
    struct l2v_ike_message m;
    size_t len = build(buf, sizeof(buf));
    for (size_t i = 0; i < len; i++) {
        uint8_t *copy = malloc(i > 0 ? i : 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, buf, i);
        ck_assert_int_ne(l2v_ike1_message_parse(copy, i, &m), L2V_IKE_FAULT_NONE);
        if (i >= 28) { /* the same with an honest length: the chain is cut */
            l2v_put_u32(copy + 24, (uint32_t)i);
            ck_assert_int_eq(l2v_ike1_message_parse(copy, i, &m), L2V_IKE_FAULT_PAYLOAD_LENGTH);
        }
        free(copy);
    }
}
END_TEST

static const struct {
    unsigned at;
    uint8_t value;
    enum l2v_ike_fault fault;
    unsigned notify;
} bad_bytes[] = {
    /* rfc2408#5.2: cookies, next payload, version, exchange, flags, length */
    {17, 0x20, L2V_IKE_FAULT_VERSION, L2V_IKE1_NOTIFY_INVALID_MAJOR_VERSION},
    {17, 0x11, L2V_IKE_FAULT_VERSION, L2V_IKE1_NOTIFY_INVALID_MAJOR_VERSION},
    {18, 0, L2V_IKE_FAULT_EXCHANGE, L2V_IKE1_NOTIFY_INVALID_EXCHANGE_TYPE},
    {18, 7, L2V_IKE_FAULT_EXCHANGE, L2V_IKE1_NOTIFY_INVALID_EXCHANGE_TYPE},
    {18, 34, L2V_IKE_FAULT_EXCHANGE, L2V_IKE1_NOTIFY_INVALID_EXCHANGE_TYPE},
    {19, 0x08, L2V_IKE_FAULT_FLAGS, L2V_IKE1_NOTIFY_INVALID_FLAGS},
    {16, L2V_IKE1_PAYLOAD_PROPOSAL, L2V_IKE_FAULT_PAYLOAD_TYPE,
     L2V_IKE1_NOTIFY_INVALID_PAYLOAD_TYPE},
    {16, 17, L2V_IKE_FAULT_PAYLOAD_TYPE, L2V_IKE1_NOTIFY_INVALID_PAYLOAD_TYPE},
    {16, 127, L2V_IKE_FAULT_PAYLOAD_TYPE, L2V_IKE1_NOTIFY_INVALID_PAYLOAD_TYPE},
    {27, 55, L2V_IKE_FAULT_LENGTH, L2V_IKE1_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS},
    {27, 57, L2V_IKE_FAULT_LENGTH, L2V_IKE1_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS},
    {27, 27, L2V_IKE_FAULT_LENGTH, L2V_IKE1_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS},
    /* rfc2408#5.3: RESERVED and length of the first payload */
    {29, 1, L2V_IKE_FAULT_RESERVED, L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    {31, 0, L2V_IKE_FAULT_PAYLOAD_LENGTH, L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    {31, 1, L2V_IKE_FAULT_PAYLOAD_LENGTH, L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    {31, 3, L2V_IKE_FAULT_PAYLOAD_LENGTH, L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    {31, 200, L2V_IKE_FAULT_PAYLOAD_LENGTH, L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    {30, 255, L2V_IKE_FAULT_PAYLOAD_LENGTH, L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    /* the chain ends early: what follows are stray bytes */
    {28, 0, L2V_IKE_FAULT_TRAILING, L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
};

START_TEST(bad_byte)
{
    uint8_t buf[256];
    struct l2v_ike_message m;
    size_t len = build(buf, sizeof(buf));
    enum l2v_ike_fault fault;

    buf[bad_bytes[_i].at] = bad_bytes[_i].value;
    fault = l2v_ike1_message_parse(buf, len, &m);
    ck_assert_int_eq(fault, bad_bytes[_i].fault);
    ck_assert_uint_eq(l2v_ike_fault_notify(fault), bad_bytes[_i].notify);
    ck_assert_str_ne(l2v_ike_fault_text(fault), "no fault");
}
END_TEST

START_TEST(zero_cookie)
{
    uint8_t buf[256];
    struct l2v_ike_message m;
    size_t len = build(buf, sizeof(buf));
    memset(buf, 0, 8);
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_COOKIE);
    ck_assert(l2v_ike_cookie_is_zero(buf));
    ck_assert(!l2v_ike_cookie_is_zero(buf + 8));
}
END_TEST

START_TEST(private_and_alignment)
{
    uint8_t buf[256];
    struct l2v_ike_header h = header();
    struct l2v_ike_message m;
    struct l2v_ike_build b;
    size_t len;

    l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
    l2v_ike_build_add(&b, 200, "xy", 2); /* private use: skipped */
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_SA, "abc", 3);
    ck_assert_int_eq(l2v_ike_build_end(&b, 4, &len), 0);
    ck_assert_uint_eq(len % 4, 0);
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
    ck_assert_uint_eq(m.n, 1);
    ck_assert_uint_eq(m.n_unknown, 1);
    buf[len - 1] = 1; /* padding that is not zero, in clear */
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_TRAILING);
    buf[19] = L2V_IKE1_FLAG_ENCRYPTION; /* after decryption anything may follow */
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
}
END_TEST

START_TEST(too_many_payloads)
{
    uint8_t buf[1024];
    struct l2v_ike_header h = header();
    struct l2v_ike_message m;
    struct l2v_ike_build b;
    size_t len;

    for (unsigned n = L2V_IKE_MAX_PAYLOADS; n <= L2V_IKE_MAX_PAYLOADS + 1; n++) {
        l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
        for (unsigned i = 0; i < n; i++) {
            l2v_ike_build_add(&b, i % 2 ? 201 : L2V_IKE1_PAYLOAD_VID, "v", 1);
        }
        ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
        ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m),
                         n <= L2V_IKE_MAX_PAYLOADS ? L2V_IKE_FAULT_NONE : L2V_IKE_FAULT_TOO_MANY);
    }
}
END_TEST

START_TEST(rules)
{
    static const struct l2v_ike_rule good[] = {{L2V_IKE1_PAYLOAD_SA, 1, 1},
                                               {L2V_IKE1_PAYLOAD_NONCE, 1, 1}};
    static const struct l2v_ike_rule unexpected[] = {{L2V_IKE1_PAYLOAD_SA, 1, 1}};
    static const struct l2v_ike_rule missing[] = {{L2V_IKE1_PAYLOAD_SA, 1, 1},
                                                  {L2V_IKE1_PAYLOAD_NONCE, 1, 1},
                                                  {L2V_IKE1_PAYLOAD_KE, 1, 1}};
    static const struct l2v_ike_rule duplicate[] = {{L2V_IKE1_PAYLOAD_SA, 0, 0},
                                                    {L2V_IKE1_PAYLOAD_NONCE, 1, 1}};
    uint8_t buf[256], type = 0;
    struct l2v_ike_message m;
    size_t len = build(buf, sizeof(buf));

    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
    ck_assert_int_eq(l2v_ike1_message_check(&m, good, 2, &type), L2V_IKE_FAULT_NONE);
    ck_assert_int_eq(l2v_ike1_message_check(&m, unexpected, 1, &type), L2V_IKE_FAULT_UNEXPECTED);
    ck_assert_uint_eq(type, L2V_IKE1_PAYLOAD_NONCE);
    ck_assert_int_eq(l2v_ike1_message_check(&m, missing, 3, &type), L2V_IKE_FAULT_MISSING);
    ck_assert_uint_eq(type, L2V_IKE1_PAYLOAD_KE);
    ck_assert_int_eq(l2v_ike1_message_check(&m, duplicate, 2, &type), L2V_IKE_FAULT_DUPLICATE);
    ck_assert_uint_eq(type, L2V_IKE1_PAYLOAD_SA);
}
END_TEST

START_TEST(builder_overflow)
{
    uint8_t buf[64];
    struct l2v_ike_header h = header();
    struct l2v_ike_build b;
    size_t len;

    for (size_t size = 0; size < 28 + 4 + 8; size++) {
        l2v_ike_build_begin(&b, buf, size, &h);
        l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_HASH, "12345678", 8);
        ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), L2TPVOIP_ERR_MSGSIZE);
        ck_assert_uint_eq(l2v_ike_build_close(&b), 0);
    }
    l2v_ike_build_begin(&b, buf, 40, &h);
    ck_assert_ptr_null(l2v_ike_build_reserve(&b, L2V_IKE1_PAYLOAD_HASH, 9));
    l2v_ike_build_begin(&b, buf, 41, &h); /* the padding has no room */
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_HASH, "12345678", 8);
    ck_assert_int_eq(l2v_ike_build_end(&b, 16, &len), L2TPVOIP_ERR_MSGSIZE);
}
END_TEST

static struct l2v_ike_payload as_payload(unsigned type, const uint8_t *body, size_t len)
{
    struct l2v_ike_payload p = {body, (uint16_t)len, (uint8_t)type};
    return p;
}

START_TEST(notify) /* rfc2408#3.14 */
{
    uint8_t buf[128], body[64];
    struct l2v_ike_header h = header();
    struct l2v_ike_build b;
    struct l2v_ike_message m;
    struct l2v_ike1_notify n;
    struct l2v_ike_payload p;
    size_t len;

    l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
    l2v_ike_build_notify(&b, L2V_IKE1_PROTO_ISAKMP, "0123456789abcdef", 16,
                         L2V_IKE1_NOTIFY_R_U_THERE, "\0\0\0\7", 4);
    ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
    ck_assert_int_eq(l2v_ike1_notify_parse(&m.payloads[0], &n), 0);
    ck_assert_uint_eq(n.doi, L2V_IKE1_DOI_IPSEC);
    ck_assert_uint_eq(n.type, L2V_IKE1_NOTIFY_R_U_THERE);
    ck_assert_uint_eq(n.spi_len, 16);
    ck_assert_mem_eq(n.spi, "0123456789abcdef", 16);
    ck_assert_uint_eq(n.data_len, 4);
    ck_assert_uint_eq(l2v_get_u32(n.data), 7);
    ck_assert(!l2v_ike1_notify_is_error(n.type));
    ck_assert(l2v_ike1_notify_is_error(L2V_IKE1_NOTIFY_NO_PROPOSAL_CHOSEN));
    ck_assert_str_eq(l2v_ike1_notify_name(14), "NO-PROPOSAL-CHOSEN");
    ck_assert_ptr_null(l2v_ike1_notify_name(31));

    memcpy(body, m.payloads[0].body, m.payloads[0].len);
    for (size_t i = 0; i < 8 + 16; i++) {
        p = as_payload(L2V_IKE1_PAYLOAD_NOTIFY, body, i);
        ck_assert_int_eq(l2v_ike1_notify_parse(&p, &n), L2TPVOIP_ERR_MALFORMED);
    }
    body[5] = 17; /* longer than any SPI */
    p = as_payload(L2V_IKE1_PAYLOAD_NOTIFY, body, sizeof(body));
    ck_assert_int_eq(l2v_ike1_notify_parse(&p, &n), L2TPVOIP_ERR_MALFORMED);
}
END_TEST

START_TEST(delete_payload) /* rfc2408#3.15 */
{
    uint8_t buf[128], body[64];
    static const uint8_t spis[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct l2v_ike_header h = header();
    struct l2v_ike_build b;
    struct l2v_ike_message m;
    struct l2v_ike1_delete d;
    struct l2v_ike_payload p;
    size_t len;

    l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
    l2v_ike_build_delete(&b, L2V_IKE1_PROTO_ESP, 4, spis, 2);
    ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
    ck_assert_int_eq(l2v_ike1_delete_parse(&m.payloads[0], &d), 0);
    ck_assert_uint_eq(d.n_spis, 2);
    ck_assert_uint_eq(l2v_get_u32(l2v_ike1_delete_spi(&d, 1)), 0x05060708);
    ck_assert_ptr_null(l2v_ike1_delete_spi(&d, 2));

    len = m.payloads[0].len;
    memcpy(body, m.payloads[0].body, len);
    for (size_t i = 0; i < len; i++) {
        p = as_payload(L2V_IKE1_PAYLOAD_DELETE, body, i);
        ck_assert_int_eq(l2v_ike1_delete_parse(&p, &d), L2TPVOIP_ERR_MALFORMED);
    }
    p = as_payload(L2V_IKE1_PAYLOAD_DELETE, body, len + 1); /* a byte too many */
    ck_assert_int_eq(l2v_ike1_delete_parse(&p, &d), L2TPVOIP_ERR_MALFORMED);
    p = as_payload(L2V_IKE1_PAYLOAD_DELETE, body, len);
    body[5] = 16; /* an ESP SPI is four bytes */
    ck_assert_int_eq(l2v_ike1_delete_parse(&p, &d), L2TPVOIP_ERR_MALFORMED);
    body[5] = 4;
    l2v_put_u16(body + 6, 0);
    p = as_payload(L2V_IKE1_PAYLOAD_DELETE, body, 8); /* no SPI at all */
    ck_assert_int_eq(l2v_ike1_delete_parse(&p, &d), L2TPVOIP_ERR_MALFORMED);
    l2v_put_u16(body + 6, 0xffff); /* a count that overruns */
    p = as_payload(L2V_IKE1_PAYLOAD_DELETE, body, len);
    ck_assert_int_eq(l2v_ike1_delete_parse(&p, &d), L2TPVOIP_ERR_MALFORMED);
}
END_TEST

START_TEST(nonce_length) /* rfc2409#5 */
{
    uint8_t body[300] = {0};
    for (size_t i = 0; i < sizeof(body); i++) {
        struct l2v_ike_payload p = as_payload(L2V_IKE1_PAYLOAD_NONCE, body, i);
        ck_assert_int_eq(l2v_ike1_nonce_is_valid(&p), i >= 8 && i <= 256);
    }
}
END_TEST

TCase *test_ike_wire(void)
{
    TCase *tc = ike_tcase("wire");
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, every_cut);
    tcase_add_loop_test(tc, bad_byte, 0, sizeof(bad_bytes) / sizeof(bad_bytes[0]));
    tcase_add_test(tc, zero_cookie);
    tcase_add_test(tc, private_and_alignment);
    tcase_add_test(tc, too_many_payloads);
    tcase_add_test(tc, rules);
    tcase_add_test(tc, builder_overflow);
    tcase_add_test(tc, notify);
    tcase_add_test(tc, delete_payload);
    tcase_add_test(tc, nonce_length);
    return tc;
}
