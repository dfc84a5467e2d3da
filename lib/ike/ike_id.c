/* SPDX-License-Identifier: MIT */
/* Identities, RFC 2407 section 4.6.2. */
#include <stdio.h>

#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "ike_id.h"

#define PROTO_UDP 17u

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int parse_hex(const char *text, struct l2v_ike_id *id)
{
    size_t n = strlen(text);
    if (n == 0 || n % 2 != 0 || n / 2 > L2V_IKE_ID_MAX) {
        return L2TPVOIP_ERR_CONFIG;
    }
    for (size_t i = 0; i < n / 2; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return L2TPVOIP_ERR_CONFIG;
        }
        id->data[i] = (uint8_t)(high << 4 | low);
    }
    id->len = (uint16_t)(n / 2);
    return 0;
}

static int parse_name(const char *text, struct l2v_ike_id *id)
{
    size_t n = strlen(text);
    if (n == 0 || n > L2V_IKE_ID_MAX) {
        return L2TPVOIP_ERR_CONFIG;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            return L2TPVOIP_ERR_CONFIG;
        }
    }
    memcpy(id->data, text, n);
    id->len = (uint16_t)n;
    return 0;
}

int l2v_ike_id_parse(const char *text, struct l2v_ike_id *ret_id)
{
    struct l2v_ike_id id;
    l2tpvoip_addr addr;
    int rc;

    memset(&id, 0, sizeof(id));
    if (text == NULL) {
        return L2TPVOIP_ERR_CONFIG;
    }
    if (l2v_addr_parse(text, &addr) == 0 && addr.port == 0) {
        l2v_ike_id_from_addr(&addr, ret_id);
        return 0;
    }
    if (text[0] == '@') {
        id.type = L2V_IKE_ID_KEY_ID;
        rc = text[1] == '#' ? parse_hex(text + 2, &id) : parse_name(text + 1, &id);
    } else {
        id.type = strchr(text, '@') != NULL ? L2V_IKE_ID_USER_FQDN : L2V_IKE_ID_FQDN;
        rc = parse_name(text, &id);
    }
    if (rc == 0) {
        *ret_id = id;
    }
    return rc;
}

static bool get_addr_at(const struct l2v_ike_id *id, size_t at, l2tpvoip_addr *ret)
{
    bool v4 = id->type == L2V_IKE_ID_IPV4 || id->type == L2V_IKE_ID_IPV4_SUBNET ||
              id->type == L2V_IKE_ID_IPV4_RANGE;
    bool v6 = id->type == L2V_IKE_ID_IPV6 || id->type == L2V_IKE_ID_IPV6_SUBNET ||
              id->type == L2V_IKE_ID_IPV6_RANGE;
    size_t n = v4 ? 4 : 16;
    l2tpvoip_addr a;

    if ((!v4 && !v6) || id->len < at * n + n) {
        return false;
    }
    memset(&a, 0, sizeof(a));
    a.family = v4 ? 4 : 6;
    memcpy(a.ip, id->data + at * n, n);
    *ret = a;
    return true;
}

/* Bytes of an identity that a person can read without harm to the terminal. */
static void format_bytes(const struct l2v_ike_id *id, bool all_hex, struct l2v_writer *w)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < id->len; i++) {
        uint8_t c = id->data[i];
        char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
        bool plain = !all_hex && c >= 0x20 && c < 0x7f && c != '\\';
        size_t need = plain ? 1 : all_hex ? 2 : 4;
        if (l2v_writer_left(w) < need) {
            return;
        }
        if (plain) {
            l2v_write_u8(w, c);
        } else {
            l2v_write_bytes(w, all_hex ? hex + 2 : hex, need);
        }
    }
}

static bool is_text(const struct l2v_ike_id *id)
{
    for (size_t i = 0; i < id->len; i++) {
        if (id->data[i] < 0x20 || id->data[i] >= 0x7f) {
            return false;
        }
    }
    return id->len > 0;
}

void l2v_ike_id_format(const struct l2v_ike_id *id, char *text, size_t size)
{
    struct l2v_writer w;
    l2tpvoip_addr a, b;
    char first[L2V_ADDR_TEXT], second[L2V_ADDR_TEXT];

    if (size == 0) {
        return;
    }
    if (get_addr_at(id, 0, &a)) {
        l2v_addr_format(&a, first, sizeof(first));
        if (get_addr_at(id, 1, &b)) {
            bool range = id->type == L2V_IKE_ID_IPV4_RANGE || id->type == L2V_IKE_ID_IPV6_RANGE;
            l2v_addr_format(&b, second, sizeof(second));
            snprintf(text, size, "%s%s%s", first, range ? "-" : "/", second);
        } else {
            snprintf(text, size, "%s", first);
        }
        return;
    }
    l2v_writer_init(&w, text, size - 1);
    switch (id->type) {
    case L2V_IKE_ID_NONE:
        l2v_write_bytes(&w, "(none)", l2v_writer_left(&w) < 6 ? l2v_writer_left(&w) : 6);
        break;
    case L2V_IKE_ID_FQDN:
    case L2V_IKE_ID_USER_FQDN:
        format_bytes(id, false, &w);
        break;
    default:
        if (l2v_writer_left(&w) >= 2) {
            l2v_write_bytes(&w, "@#", is_text(id) ? 1 : 2);
        }
        format_bytes(id, !is_text(id), &w);
        break;
    }
    *w.pos = 0;
}

void l2v_ike_id_from_addr(const l2tpvoip_addr *addr, struct l2v_ike_id *ret_id)
{
    memset(ret_id, 0, sizeof(*ret_id));
    ret_id->type = addr->family == 6 ? L2V_IKE_ID_IPV6 : L2V_IKE_ID_IPV4;
    ret_id->len = addr->family == 6 ? 16 : 4;
    memcpy(ret_id->data, addr->ip, ret_id->len);
}

bool l2v_ike_id_to_addr(const struct l2v_ike_id *id, l2tpvoip_addr *ret_addr)
{
    if (id->type != L2V_IKE_ID_IPV4 && id->type != L2V_IKE_ID_IPV6) {
        return false;
    }
    return get_addr_at(id, 0, ret_addr);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool bytes_equal(const struct l2v_ike_id *a, const struct l2v_ike_id *b, bool fold)
{
    if (a->len != b->len) {
        return false;
    }
    if (!fold) {
        return memcmp(a->data, b->data, a->len) == 0;
    }
    for (size_t i = 0; i < a->len; i++) {
        if (lower(a->data[i]) != lower(b->data[i])) {
            return false;
        }
    }
    return true;
}

static bool is_name(unsigned type)
{
    return type == L2V_IKE_ID_FQDN || type == L2V_IKE_ID_USER_FQDN;
}

bool l2v_ike_id_equal(const struct l2v_ike_id *a, const struct l2v_ike_id *b)
{
    return a->type == b->type && bytes_equal(a, b, is_name(a->type));
}

bool l2v_ike_id_matches(const struct l2v_ike_id *want, const struct l2v_ike_id *got)
{
    if (l2v_ike_id_equal(want, got)) {
        return true;
    }
    if (!is_name(want->type) && want->type != L2V_IKE_ID_KEY_ID) {
        return false;
    }
    if (!is_name(got->type) && got->type != L2V_IKE_ID_KEY_ID) {
        return false;
    }
    return bytes_equal(want, got, is_name(want->type));
}

/* --- payload bodies -------------------------------------------------------------------------- */

static size_t fixed_len(unsigned type)
{
    switch (type) {
    case L2V_IKE_ID_IPV4:
        return 4;
    case L2V_IKE_ID_IPV6:
        return 16;
    case L2V_IKE_ID_IPV4_SUBNET:
    case L2V_IKE_ID_IPV4_RANGE:
        return 8;
    case L2V_IKE_ID_IPV6_SUBNET:
    case L2V_IKE_ID_IPV6_RANGE:
        return 32;
    default:
        return 0;
    }
}

/* Ones, then zeros. */
static bool mask_is_valid(const uint8_t *mask, size_t n)
{
    bool zeros = false;
    for (size_t i = 0; i < n * 8; i++) {
        bool one = (mask[i / 8] >> (7 - i % 8) & 1) != 0;
        if (one && zeros) {
            return false;
        }
        zeros = zeros || !one;
    }
    return true;
}

static int check_id(const struct l2v_ike_id *id)
{
    size_t fixed = fixed_len(id->type);
    if (id->type == L2V_IKE_ID_NONE || id->type > L2V_IKE_ID_KEY_ID) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    if (fixed == 0) {
        return id->len > 0 ? 0 : L2TPVOIP_ERR_MALFORMED;
    }
    if (id->len != fixed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    switch (id->type) {
    case L2V_IKE_ID_IPV4_SUBNET:
    case L2V_IKE_ID_IPV6_SUBNET:
        return mask_is_valid(id->data + fixed / 2, fixed / 2) ? 0 : L2TPVOIP_ERR_MALFORMED;
    case L2V_IKE_ID_IPV4_RANGE:
    case L2V_IKE_ID_IPV6_RANGE:
        return memcmp(id->data, id->data + fixed / 2, fixed / 2) <= 0 ? 0 : L2TPVOIP_ERR_MALFORMED;
    default:
        return 0;
    }
}

int l2v_ike1_id_read(const uint8_t *body, size_t len, struct l2v_ike1_selector *ret)
{
    struct l2v_reader r;
    struct l2v_ike1_selector s;
    size_t n;
    int rc;

    memset(&s, 0, sizeof(s));
    l2v_reader_init(&r, body, len);
    s.id.type = l2v_read_u8(&r);
    s.protocol = l2v_read_u8(&r);
    s.port = l2v_read_u16(&r);
    n = l2v_reader_left(&r);
    if (r.failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (n > L2V_IKE_ID_MAX) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    s.id.len = (uint16_t)n;
    l2v_read_copy(&r, s.id.data, n);
    rc = check_id(&s.id);
    if (rc == 0) {
        *ret = s;
    }
    return rc;
}

/* rfc2407#4.6.2: protocol and port are 0/0 or UDP/500; rfc3947#4: the port is 0 with NAT-T, and
 * some peers put 4500 there. */
int l2v_ike1_id_read_phase1(const uint8_t *body, size_t len, struct l2v_ike1_selector *ret)
{
    struct l2v_ike1_selector s;
    int rc = l2v_ike1_id_read(body, len, &s);
    if (rc != 0) {
        return rc;
    }
    if (!(s.protocol == 0 && s.port == 0) &&
        !(s.protocol == PROTO_UDP &&
          (s.port == 0 || s.port == L2V_IKE_PORT || s.port == L2V_IKE_NATT_PORT))) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    *ret = s;
    return 0;
}

void l2v_ike1_id_write(struct l2v_writer *w, const struct l2v_ike1_selector *s)
{
    l2v_write_u8(w, s->id.type);
    l2v_write_u8(w, s->protocol);
    l2v_write_u16(w, s->port);
    l2v_write_bytes(w, s->id.data, s->id.len);
}

void l2v_ike1_selector_from_addr(const l2tpvoip_addr *addr, uint16_t port,
                                 struct l2v_ike1_selector *ret)
{
    l2v_ike_id_from_addr(addr, &ret->id);
    ret->protocol = PROTO_UDP;
    ret->port = port;
}

bool l2v_ike1_selector_get_host(const struct l2v_ike1_selector *s, l2tpvoip_addr *ret_addr)
{
    static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    const struct l2v_ike_id *id = &s->id;
    size_t half = fixed_len(id->type) / 2;
    l2tpvoip_addr a;

    if (!get_addr_at(id, 0, &a)) {
        return false;
    }
    if ((id->type == L2V_IKE_ID_IPV4_SUBNET || id->type == L2V_IKE_ID_IPV6_SUBNET) &&
        memcmp(id->data + half, ones, half) != 0) {
        return false;
    }
    if ((id->type == L2V_IKE_ID_IPV4_RANGE || id->type == L2V_IKE_ID_IPV6_RANGE) &&
        memcmp(id->data, id->data + half, half) != 0) {
        return false;
    }
    a.port = s->port;
    *ret_addr = a;
    return true;
}
