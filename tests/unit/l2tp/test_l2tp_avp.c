/* SPDX-License-Identifier: MIT */
/* The AVP codec and the messages: known answers, hiding, every message type, hostile input. */
#include "test_l2tp.h"

static struct test_env te;
static uint8_t scratch[2048];

static void setup(void)
{
    ck_assert_int_eq(test_env_init(&te, 5), 0);
}

static void teardown(void)
{
    test_env_clear(&te);
    ck_assert_int_eq(te.live, 0);
}

static struct l2v_avp_secret secret_of(const char *text)
{
    struct l2v_avp_secret s = {test_crypto, (const uint8_t *)text, strlen(text)};
    return s;
}

/* rfc2661#4.3, rfc2661#4.4.1 octets that another program hid */
START_TEST(hidden_known_answers)
{
    struct unit_json *json = unit_json_vectors("kat/l2tp_hidden_avp_accel.json");
    if (json == NULL) {
        return;
    }
    unsigned n = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        struct l2v_avp_secret secret = secret_of(unit_json_str(t, "secret"));
        uint8_t vector[1024], message[2048];
        size_t vector_len = unit_json_hex(t, "random_vector", vector, sizeof vector);
        size_t message_len = unit_json_hex(t, "message", message, sizeof message);
        for (const struct unit_json *h = unit_json_first(t, "hidden"); h != NULL; h = h->next) {
            uint8_t data[1024], again[1024], value[1024];
            size_t len = unit_json_hex(h, "ciphertext", data, sizeof data);
            size_t value_len = unit_json_hex(h, "value", value, sizeof value);
            uint16_t type = (uint16_t)unit_json_int(h, "type", 0);
            memcpy(again, data, len);
            ck_assert_int_eq(l2v_avp_hide(&secret, type, vector, vector_len, true, data, len), 0);
            ck_assert_uint_eq(l2v_get_u16(data), value_len);
            ck_assert_mem_eq(data + 2, value, value_len);
            ck_assert_int_eq(l2v_avp_hide(&secret, type, vector, vector_len, false, data, len), 0);
            ck_assert_mem_eq(data, again, len);
            n++;
        }
        /* the whole message */
        struct l2v_l2tp_header h;
        struct l2v_l2tp_msg m;
        ck_assert_int_eq(l2v_l2tp_header_parse(message, message_len, &h), 0);
        l2v_l2tp_msg_parse(message + 12, h.len - 12, &secret, scratch, sizeof scratch, &m);
        ck_assert_int_eq(m.verdict, L2V_L2TP_FINE);
        ck_assert_int_eq(m.type, unit_json_int(t, "message_type", 0));
        ck_assert(l2v_l2tp_msg_has(&m, L2V_AVP_ASSIGNED_TUNNEL_ID));
        /* with another secret, or none, the mandatory ones cannot be read */
        struct l2v_avp_secret wrong = secret_of("wrong");
        l2v_l2tp_msg_parse(message + 12, h.len - 12, &wrong, scratch, sizeof scratch, &m);
        ck_assert_int_ne(m.verdict, L2V_L2TP_FINE);
        l2v_l2tp_msg_parse(message + 12, h.len - 12, NULL, scratch, sizeof scratch, &m);
        ck_assert_int_eq(m.verdict, L2V_L2TP_BAD_HIDDEN);
    }
    ck_assert_uint_ge(n, 18);
    unit_json_free(json);
}
END_TEST

/* A message with every AVP that its type may carry. */
static struct l2v_l2tp_msg full_message(uint16_t type)
{
    static uint8_t bytes[64] = "0123456789abcdefghijklmnopqrstuvwxyz";
    struct l2v_l2tp_msg m = {.type = type};
    size_t n;
    const struct l2v_avp_info *table = l2v_avp_table(&n);
    for (size_t i = 0; i < n; i++) {
        void *field = (uint8_t *)&m + table[i].offset;
        if ((table[i].may & L2V_MSG_BIT(type)) == 0) {
            continue;
        }
        l2v_l2tp_msg_set(&m, table[i].type);
        if (table[i].kind == L2V_AVP_KIND_U16) {
            *(uint16_t *)field = (uint16_t)(table[i].type + 1);
        } else if (table[i].kind == L2V_AVP_KIND_U32) {
            *(uint32_t *)field = 0x01020300u + table[i].type;
        } else if (table[i].kind == L2V_AVP_KIND_BLOB) {
            size_t len = table[i].max_len < 20 ? table[i].max_len : 20;
            len = len < table[i].min_len ? table[i].min_len : len;
            *(struct l2v_blob *)field = (struct l2v_blob){bytes + table[i].type % 8, len};
        } else if (table[i].kind == L2V_AVP_KIND_RESULT) {
            m.result = (struct l2v_l2tp_result){2, 8, {bytes, 9}};
        }
    }
    return m;
}

static void compare_messages(const struct l2v_l2tp_msg *a, const struct l2v_l2tp_msg *b)
{
    size_t n;
    const struct l2v_avp_info *table = l2v_avp_table(&n);
    ck_assert_uint_eq(a->type, b->type);
    ck_assert_uint_eq(a->seen, b->seen);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *x = (const uint8_t *)a + table[i].offset;
        const uint8_t *y = (const uint8_t *)b + table[i].offset;
        const struct l2v_blob *p = (const void *)x, *q = (const void *)y;
        if (!l2v_l2tp_msg_has(a, table[i].type)) {
            continue;
        }
        if (table[i].kind == L2V_AVP_KIND_U16) {
            ck_assert_mem_eq(x, y, 2);
        } else if (table[i].kind == L2V_AVP_KIND_U32) {
            ck_assert_mem_eq(x, y, 4);
        } else if (table[i].kind == L2V_AVP_KIND_BLOB) {
            ck_assert_uint_eq(p->len, q->len);
            ck_assert_mem_eq(p->data, q->data, p->len);
        }
    }
    ck_assert_uint_eq(a->result.result, b->result.result);
    ck_assert_uint_eq(a->result.error, b->result.error);
    ck_assert_uint_eq(a->result.text.len, b->result.text.len);
}

/* rfc2661#3.2, rfc2661#4.4, rfc2661#6.1 to rfc2661#6.14 every message, in clear and hidden, and cut
 * at every byte
 */
START_TEST(every_message)
{
    struct l2v_avp_secret secret = secret_of("s3cret");
    unsigned types = 0;
    for (uint16_t type = 0; type <= L2V_L2TP_MESSAGE_MAX; type++) {
        if (!l2v_l2tp_msg_is_known(type)) {
            continue;
        }
        types++;
        for (int hide = 0; hide < 2; hide++) {
            struct l2v_l2tp_msg m = full_message(type), got;
            uint8_t body[L2V_L2TP_BODY_MAX];
            size_t len = 0;
            ck_assert_int_eq(
                l2v_l2tp_msg_build(&m, &te.env, &secret, hide != 0, body, sizeof body, &len), 0);
            l2v_l2tp_msg_parse(body, len, &secret, scratch, sizeof scratch, &got);
            ck_assert_int_eq(got.verdict, L2V_L2TP_FINE);
            compare_messages(&m, &got);
            for (size_t cut = 0; cut < len; cut++) {
                uint8_t *exact = malloc(cut + 1);
                ck_assert_ptr_nonnull(exact);
                memcpy(exact, body, cut);
                l2v_l2tp_msg_parse(exact, cut, &secret, scratch, sizeof scratch, &got);
                free(exact);
            }
            size_t small;
            ck_assert_int_eq(
                l2v_l2tp_msg_build(&m, &te.env, &secret, hide != 0, body, len - 1, &small),
                L2TPVOIP_ERR_MSGSIZE);
        }
    }
    ck_assert_uint_eq(types, 14);
}
END_TEST

/* A required AVP that is left out: not built, and reported by the parser. */
START_TEST(required_avps)
{
    size_t n;
    const struct l2v_avp_info *table = l2v_avp_table(&n);
    for (uint16_t type = 1; type <= L2V_L2TP_MESSAGE_MAX; type++) {
        for (size_t i = 0; i < n && l2v_l2tp_msg_is_known(type); i++) {
            struct l2v_l2tp_msg m = full_message(type), got;
            uint8_t body[L2V_L2TP_BODY_MAX];
            size_t len = 0;
            if ((table[i].must & L2V_MSG_BIT(type)) == 0) {
                continue;
            }
            m.seen &= ~(UINT64_C(1) << table[i].type);
            ck_assert_int_eq(l2v_l2tp_msg_build(&m, &te.env, NULL, false, body, sizeof body, &len),
                             L2TPVOIP_ERR_INVALID);
            /* by hand: just the Message Type */
            unit_hex("800800000000ffff", body, sizeof body);
            l2v_put_u16(body + 6, type);
            l2v_l2tp_msg_parse(body, 8, NULL, scratch, sizeof scratch, &got);
            ck_assert_int_eq(got.verdict, L2V_L2TP_MISSING);
        }
    }
}
END_TEST

static enum l2v_l2tp_verdict verdict_of(const char *hex, const char *secret_text)
{
    uint8_t body[256];
    struct l2v_l2tp_msg m;
    struct l2v_avp_secret secret = secret_of(secret_text);
    size_t len = unit_hex(hex, body, sizeof body);
    l2v_l2tp_msg_parse(body, len, &secret, scratch, sizeof scratch, &m);
    char text[160];
    l2v_l2tp_msg_describe(&m, text, sizeof text);
    ck_assert_uint_gt(strlen(text), 5);
    return m.verdict;
}

#define HELLO "8008000000000006"

/* rfc2661#4.1, rfc2661#4.2, rfc2661#7.1 */
START_TEST(mandatory_bit)
{
    static const struct {
        const char *hex;
        enum l2v_l2tp_verdict verdict;
    } rows[] = {
        {HELLO, L2V_L2TP_FINE},
        {HELLO "0008000000630000", L2V_L2TP_FINE},        /* unknown, M clear: ignored */
        {HELLO "8008000000630000", L2V_L2TP_UNKNOWN_AVP}, /* unknown, M set */
        {HELLO "00080de900020000", L2V_L2TP_FINE},        /* vendor 3561, type 2, M clear */
        {HELLO "80080de900020000", L2V_L2TP_UNKNOWN_AVP}, /* vendor: not Protocol Version */
        {HELLO "8408000000020100", L2V_L2TP_UNKNOWN_AVP}, /* reserved bit, M set */
        {HELLO "0408000000020100", L2V_L2TP_FINE},        /* reserved bit, M clear */
        {HELLO "80060000000a", L2V_L2TP_BAD_LENGTH},      /* known, mandatory, too short */
        {HELLO "0008000000260000", L2V_L2TP_FINE},        /* rfc2661#7.1 Rx Connect Speed of 2 */
        {HELLO "c0080000000a0008", L2V_L2TP_BAD_HIDDEN},  /* must not be hidden */
        {HELLO "c008000000090008", L2V_L2TP_BAD_HIDDEN},  /* no Random Vector before it */
        {HELLO "800500000002", L2V_L2TP_BAD_LENGTH},      /* length below 6 */
        {HELLO "80000000000201", L2V_L2TP_BAD_LENGTH},
        {HELLO "8009000000020100", L2V_L2TP_BAD_LENGTH}, /* beyond the end */
        {HELLO "800600", L2V_L2TP_BAD_LENGTH},           /* a tail of 3 bytes */
        {"8008000000000011", L2V_L2TP_UNKNOWN_TYPE},     /* unknown type, M set */
        {"0008000000000011", L2V_L2TP_IGNORE},           /* unknown type, M clear */
        {"8008000000000005", L2V_L2TP_UNKNOWN_TYPE},
        {"8008000000020100", L2V_L2TP_UNKNOWN_TYPE}, /* Message Type is not first */
        {"c008000000000006", L2V_L2TP_UNKNOWN_TYPE}, /* Message Type hidden */
        {"80070000000000", L2V_L2TP_UNKNOWN_TYPE},
        {"", L2V_L2TP_UNKNOWN_TYPE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(verdict_of(rows[i].hex, "s") == rows[i].verdict, "row %zu: %d", i,
                      (int)verdict_of(rows[i].hex, "s"));
    }
}
END_TEST

/* rfc2661#4.4.2 Result Code of length 8, 10, more; and Apple's byte order */
START_TEST(result_code)
{
    static const struct {
        const char *hex;
        unsigned result, error;
        size_t text_len;
    } rows[] = {
        {"8008000000010006", 6, 0, 0},           {"800a0000000100020007", 2, 7, 0},
        {"800d00000001000200086f6f70", 2, 8, 3}, {"80090000000100060a", 6, 0, 0},
        {"800a0000000102000700", 2, 7, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char hex[128];
        uint8_t body[64];
        struct l2v_l2tp_msg m;
        (void)snprintf(hex, sizeof hex, "80080000000000048008000000090007%s", rows[i].hex);
        size_t len = unit_hex(hex, body, sizeof body);
        l2v_l2tp_msg_parse(body, len, NULL, scratch, sizeof scratch, &m);
        ck_assert_int_eq(m.verdict, L2V_L2TP_FINE);
        ck_assert_uint_eq(m.result.result, rows[i].result);
        ck_assert_uint_eq(m.result.error, rows[i].error);
        ck_assert_uint_eq(m.result.text.len, rows[i].text_len);
    }
}
END_TEST

/* rfc2661#4.4.3 0 is no window and no id */
START_TEST(values_out_of_range)
{
    struct l2v_l2tp_msg m = full_message(L2V_L2TP_SCCRQ), got;
    uint8_t body[L2V_L2TP_BODY_MAX];
    size_t len = 0;
    m.receive_window_size = 0;
    ck_assert_int_eq(l2v_l2tp_msg_build(&m, &te.env, NULL, false, body, sizeof body, &len), 0);
    l2v_l2tp_msg_parse(body, len, NULL, scratch, sizeof scratch, &got);
    ck_assert_int_eq(got.verdict, L2V_L2TP_BAD_VALUE);
    ck_assert_uint_eq(got.bad_type, L2V_AVP_RECEIVE_WINDOW_SIZE);
    m = full_message(L2V_L2TP_ICRQ);
    m.assigned_session_id = 0;
    ck_assert_int_eq(l2v_l2tp_msg_build(&m, &te.env, NULL, false, body, sizeof body, &len), 0);
    l2v_l2tp_msg_parse(body, len, NULL, scratch, sizeof scratch, &got);
    ck_assert_int_eq(got.verdict, L2V_L2TP_BAD_VALUE);
}
END_TEST

/* Strings of every awkward length, as host name and hidden as vendor name (a class of overflows).
 */
START_TEST(string_lengths)
{
    static const size_t lengths[] = {1, 15, 16, 17, 1008, 1014, 1015, 1016, 1017};
    static uint8_t text[1024], body[4096], big[4096];
    struct l2v_avp_secret secret = secret_of("s3cret");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (int hide = 0; hide < 2; hide++) {
            struct l2v_avp_writer aw;
            size_t len = 0;
            l2v_avp_writer_init(&aw, &te.env, &secret, hide != 0, body, sizeof body);
            l2v_avp_write_u16(&aw, L2V_AVP_MESSAGE_TYPE, L2V_L2TP_SCCRQ);
            l2v_avp_write(&aw, L2V_AVP_HOST_NAME, text, lengths[i]);
            l2v_avp_write(&aw, L2V_AVP_VENDOR_NAME, text, lengths[i]);
            int rc = l2v_avp_writer_end(&aw, &len);
            if (hide != 0 && lengths[i] > 1015) {
                ck_assert_int_eq(rc, L2TPVOIP_ERR_MSGSIZE);
                continue;
            }
            ck_assert_int_eq(rc, 0);
            struct l2v_l2tp_msg m;
            l2v_l2tp_msg_parse(body, len, &secret, big, sizeof big, &m);
            ck_assert_uint_eq(m.host_name.len, lengths[i]);
            ck_assert_uint_eq(m.vendor_name.len, lengths[i]);
        }
    }
    struct l2v_avp_writer aw;
    size_t len;
    l2v_avp_writer_init(&aw, &te.env, NULL, false, body, sizeof body);
    l2v_avp_write(&aw, L2V_AVP_HOST_NAME, text, 1018);
    ck_assert_int_eq(l2v_avp_writer_end(&aw, &len), L2TPVOIP_ERR_INVALID);
}
END_TEST

/* rfc2661#4.3 a hidden value's inner length is not to be trusted */
START_TEST(hidden_inner_length)
{
    static const unsigned inner[] = {2, 3, 13, 14, 15, 16, 0xffff};
    struct l2v_avp_secret secret = secret_of("s3cret");
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
        uint8_t body[64], *hidden = body + 36;
        struct l2v_l2tp_msg m;
        unit_hex("8008000000000003"
                 "801600000024"
                 "000102030405060708090a0b0c0d0e0f"
                 "c0160000000b",
                 body, sizeof body);
        memset(hidden, 0x55, 16);
        l2v_put_u16(hidden, inner[i]);
        ck_assert_int_eq(l2v_avp_hide(&secret, L2V_AVP_CHALLENGE, body + 14, 16, false, hidden, 16),
                         0);
        l2v_l2tp_msg_parse(body, 52, &secret, scratch, sizeof scratch, &m);
        ck_assert_int_eq(m.verdict, inner[i] <= 14 ? L2V_L2TP_FINE : L2V_L2TP_BAD_HIDDEN);
    }
}
END_TEST

TCase *test_avp_case(void)
{
    TCase *c = tcase_create("avp");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, hidden_known_answers);
    tcase_add_test(c, every_message);
    tcase_add_test(c, required_avps);
    tcase_add_test(c, mandatory_bit);
    tcase_add_test(c, result_code);
    tcase_add_test(c, values_out_of_range);
    tcase_add_test(c, string_lengths);
    tcase_add_test(c, hidden_inner_length);
    return c;
}
