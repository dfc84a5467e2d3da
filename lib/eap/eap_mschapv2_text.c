/* SPDX-License-Identifier: MIT */
/* Texts of MS-CHAPv2: passwords from UTF-8 to UTF-16LE, and the failure message of RFC 2759 §6. */
#include "eap_internal.h"

#include <string.h>

/* One code point of well-formed UTF-8 (no overlong forms, no surrogates); false if there is none.
 */
static bool read_code_point(struct l2v_reader *r, uint32_t *ret_code)
{
    static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = l2v_read_u8(r);
    unsigned more = first < 0x80 ? 0 : first < 0xc0 ? 4 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t code = more == 0 ? first : first & (0x3fu >> more);
    if (more > 3 || first > 0xf4) {
        return false;
    }
    for (unsigned i = 0; i < more; i++) {
        uint8_t next = l2v_read_u8(r);
        if ((next & 0xc0) != 0x80) {
            return false;
        }
        code = code << 6 | (next & 0x3fu);
    }
    if (r->failed || code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return false;
    }
    *ret_code = code;
    return true;
}

static void write_unit(struct l2v_writer *w, uint32_t unit)
{
    l2v_write_u8(w, unit & 0xff);
    l2v_write_u8(w, unit >> 8);
}

int l2v_eap_utf8_to_utf16le(const uint8_t *text, size_t len, uint8_t *out, size_t size,
                            size_t *ret_len)
{
    struct l2v_reader r;
    struct l2v_writer w;
    l2v_reader_init(&r, text, len);
    l2v_writer_init(&w, out, size);
    while (l2v_reader_left(&r) > 0) {
        uint32_t code;
        if (!read_code_point(&r, &code)) {
            return L2TPVOIP_ERR_INVALID;
        }
        if (code >= 0x10000) {
            write_unit(&w, 0xd800 + ((code - 0x10000) >> 10));
            write_unit(&w, 0xdc00 + (code & 0x3ff));
        } else {
            write_unit(&w, code);
        }
    }
    if (w.failed) {
        return L2TPVOIP_ERR_INVALID; /* longer than any account's password: rfc2759#4 */
    }
    *ret_len = l2v_writer_len(&w);
    return 0;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (uint8_t)(c & ~0x20u);
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* rfc2759#6 "E=eeeeeeeeee": up to 10 decimal digits */
static bool read_number(struct l2v_reader value, uint32_t *ret_number)
{
    uint64_t number = 0;
    size_t n = l2v_reader_left(&value);
    if (n == 0 || n > 10) {
        return false;
    }
    while (l2v_reader_left(&value) > 0) {
        uint8_t c = l2v_read_u8(&value);
        if (c < '0' || c > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(c - '0');
    }
    if (number > UINT32_MAX) {
        return false;
    }
    *ret_number = (uint32_t)number;
    return true;
}

/* "C=": 32 hexadecimal digits. Anything else is as good as none, since we never retry. */
static void read_challenge(struct l2v_reader value, struct l2v_mschapv2_failure *f)
{
    uint8_t challenge[16];
    if (l2v_reader_left(&value) != 32) {
        return;
    }
    for (unsigned i = 0; i < 16; i++) {
        int high = hex_value(l2v_read_u8(&value));
        int low = hex_value(l2v_read_u8(&value));
        if (high < 0 || low < 0) {
            return;
        }
        challenge[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(f->challenge, challenge, sizeof(challenge));
    f->has_challenge = true;
}

void l2v_eap_copy_printable(struct l2v_reader text, char *out, size_t size)
{
    size_t n = 0;
    while (l2v_reader_left(&text) > 0 && n + 1 < size) {
        uint8_t c = l2v_read_u8(&text);
        out[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    out[n] = '\0';
}

/* The bytes up to the next blank, and the blank. */
static struct l2v_reader read_word(struct l2v_reader *r)
{
    struct l2v_reader ahead = *r;
    struct l2v_reader word;
    size_t n = 0;
    while (l2v_reader_left(&ahead) > 0 && l2v_read_u8(&ahead) != ' ') {
        n++;
    }
    word = l2v_read_sub(r, n);
    if (l2v_reader_left(r) > 0) {
        l2v_read_skip(r, 1);
    }
    return word;
}

int l2v_mschapv2_parse_failure(const uint8_t *text, size_t len, struct l2v_mschapv2_failure *ret)
{
    struct l2v_mschapv2_failure f = {0};
    struct l2v_reader r;
    bool has_error = false;
    l2v_reader_init(&r, text, len);
    while (l2v_reader_left(&r) > 0) {
        struct l2v_reader rest = r;
        struct l2v_reader word = read_word(&r);
        uint32_t number = 0;
        uint8_t name = l2v_read_u8(&word);
        if (l2v_read_u8(&word) != '=' || word.failed) {
            continue; /* a stray word or two blanks */
        }
        if (name == 'M') { /* the rest, blanks and all */
            l2v_read_skip(&rest, 2);
            l2v_eap_copy_printable(rest, f.message, sizeof(f.message));
            break;
        }
        if (name == 'E' && !has_error) {
            if (!read_number(word, &f.error)) {
                return L2TPVOIP_ERR_MALFORMED;
            }
            has_error = true;
        } else if (name == 'R') {
            f.retry = read_number(word, &number) && number == 1;
        } else if (name == 'C') {
            read_challenge(word, &f);
        }
    }
    if (!has_error) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    *ret = f;
    return 0;
}
