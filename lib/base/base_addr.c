/* SPDX-License-Identifier: MIT */
/* Addresses: comparing, hashing, text (RFC 5952 out, RFC 4291 in). */
#include "base_addr.h"

#include <stdio.h>
#include <string.h>

#include <l2tpvoip/error.h>

#include "base_map.h"
#include "base_wire.h"

size_t l2v_addr_ip_len(const l2tpvoip_addr *a)
{
    return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

bool l2v_addr_equal_ip(const l2tpvoip_addr *a, const l2tpvoip_addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, l2v_addr_ip_len(a)) == 0 &&
           (a->family != 6 || a->scope_id == b->scope_id);
}

bool l2v_addr_equal(const l2tpvoip_addr *a, const l2tpvoip_addr *b)
{
    return a->port == b->port && l2v_addr_equal_ip(a, b);
}

bool l2v_addr_is_any(const l2tpvoip_addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->ip, zero, l2v_addr_ip_len(a)) == 0;
}

l2tpvoip_addr l2v_addr_from_ip4(uint32_t ip_host_order, uint16_t port)
{
    l2tpvoip_addr a;
    memset(&a, 0, sizeof a);
    a.family = 4;
    a.port = port;
    l2v_put_u32(a.ip, ip_host_order);
    return a;
}

uint32_t l2v_addr_get_ip4(const l2tpvoip_addr *a)
{
    return a->family == 4 ? l2v_get_u32(a->ip) : 0;
}

uint64_t l2v_addr_hash(const uint8_t key[16], const l2tpvoip_addr *a, bool with_port)
{
    uint8_t bytes[23] = {0};
    size_t n = l2v_addr_ip_len(a);
    bytes[0] = a->family;
    l2v_put_u16(bytes + 1, with_port ? a->port : 0);
    l2v_put_u32(bytes + 3, a->family == 6 ? a->scope_id : 0);
    memcpy(bytes + 7, a->ip, n);
    return l2v_siphash(key, bytes, 7 + n);
}

/* --- out -------------------------------------------------------------------------------------- */

/* Appends to text at *len; text has room for the longest address. */
static void add(char *text, size_t *len, const char *format, unsigned value)
{
    int n = snprintf(text + *len, L2V_ADDR_TEXT - *len, format, value);
    *len += n > 0 ? (size_t)n : 0;
}

static void add_ip4(char *text, size_t *len, const uint8_t *ip)
{
    for (int i = 0; i < 4; i++) {
        add(text, len, i == 0 ? "%u" : ".%u", ip[i]);
    }
}

/* The longest run of at least two zero groups, the first of equals: rfc5952#4.2 */
static int zero_run(const uint8_t *ip, int *ret_len)
{
    int best = -1, best_len = 1;
    for (int i = 0; i < 8;) {
        int n = 0;
        while (i + n < 8 && l2v_get_u16(ip + 2 * (i + n)) == 0) {
            n++;
        }
        if (n > best_len) {
            best = i;
            best_len = n;
        }
        i += n + 1;
    }
    *ret_len = best_len;
    return best;
}

static void add_ip6(char *text, size_t *len, const uint8_t *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    int run_len, run = zero_run(ip, &run_len);
    if (memcmp(ip, mapped, sizeof mapped) == 0) {
        add(text, len, "::%x:", 0xffff); /* rfc5952#5 */
        add_ip4(text, len, ip + 12);
        return;
    }
    for (int i = 0; i < 8; i++) {
        if (i == run) {
            add(text, len, "::", 0);
            i += run_len - 1;
        } else {
            add(text, len, i == 0 || i == run + run_len ? "%x" : ":%x", l2v_get_u16(ip + 2 * i));
        }
    }
}

int l2v_addr_format(const l2tpvoip_addr *a, char *text, size_t size)
{
    char out[L2V_ADDR_TEXT];
    size_t len = 0;
    out[0] = '\0';
    if (a->family == 4) {
        add_ip4(out, &len, a->ip);
    } else if (a->family == 6) {
        if (a->port != 0) {
            add(out, &len, "[", 0);
        }
        add_ip6(out, &len, a->ip);
        if (a->scope_id != 0) {
            add(out, &len, "%%%u", a->scope_id);
        }
        if (a->port != 0) {
            add(out, &len, "]", 0);
        }
    } else {
        return snprintf(text, size, "none");
    }
    if (a->port != 0) {
        add(out, &len, ":%u", a->port);
    }
    return snprintf(text, size, "%s", out);
}

/* --- in --------------------------------------------------------------------------------------- */

/* A number without leading zeros, at most max; advances *text. */
static bool take_number(const char **text, uint64_t max, uint64_t *ret)
{
    const char *p = *text;
    uint64_t v = 0;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9')) {
        return false;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        v = v * 10 + (uint64_t)(*p - '0');
        if (v > max) {
            return false;
        }
    }
    *text = p;
    *ret = v;
    return true;
}

static bool take_ip4(const char **text, uint8_t *ip)
{
    for (int i = 0; i < 4; i++) {
        uint64_t v;
        if (i > 0 && *(*text)++ != '.') {
            return false;
        }
        if (!take_number(text, 255, &v)) {
            return false;
        }
        ip[i] = (uint8_t)v;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int take_hex(const char **text, unsigned *ret)
{
    int n = 0;
    unsigned v = 0;
    while (n < 5 && hex_digit((*text)[n]) >= 0) {
        v = v << 4 | (unsigned)hex_digit((*text)[n]);
        n++;
    }
    *text += n;
    *ret = v;
    return n >= 1 && n <= 4;
}

/* rfc4291#2.2: groups, at most one "::", an IPv4 address as the last two groups. */
static bool take_ip6(const char **text, uint8_t *ip)
{
    uint8_t out[16] = {0};
    int n = 0, gap = -1; /* bytes so far; where the "::" was */
    const char *p = *text;
    if (p[0] == ':' && p[1] == ':') {
        gap = 0;
        p += 2;
    }
    while (n < 16 && hex_digit(*p) >= 0) {
        const char *start = p;
        unsigned group;
        if (!take_hex(&p, &group) || *p == '.') {
            p = start;
            if (n > 12 || !take_ip4(&p, out + n)) {
                return false;
            }
            n += 4;
            break;
        }
        l2v_put_u16(out + n, group);
        n += 2;
        if (p[0] == ':' && p[1] == ':' && gap < 0) {
            gap = n;
            p += 2;
        } else if (n < 16 && p[0] == ':' && hex_digit(p[1]) >= 0) {
            p++;
        } else {
            break;
        }
    }
    if (gap < 0 ? n != 16 : n > 14) {
        return false;
    }
    memset(ip, 0, 16);
    if (gap < 0) {
        gap = n;
    }
    memcpy(ip, out, (size_t)gap);
    memcpy(ip + 16 - (n - gap), out + gap, (size_t)(n - gap));
    *text = p;
    return true;
}

int l2v_addr_parse(const char *text, l2tpvoip_addr *ret)
{
    l2tpvoip_addr a;
    bool bracket;
    uint64_t v;
    const char *p = text;
    if (text == NULL || ret == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    memset(&a, 0, sizeof a);
    bracket = *p == '[';
    a.family =
        bracket || (strchr(p, ':') != NULL && strchr(strchr(p, ':') + 1, ':') != NULL) ? 6 : 4;
    p += bracket ? 1 : 0;
    if (a.family == 4 ? !take_ip4(&p, a.ip) : !take_ip6(&p, a.ip)) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (a.family == 6 && *p == '%') {
        p++;
        if (!take_number(&p, UINT32_MAX, &v)) {
            return L2TPVOIP_ERR_INVALID;
        }
        a.scope_id = (uint32_t)v;
    }
    if (bracket && *p++ != ']') {
        return L2TPVOIP_ERR_INVALID;
    }
    if (*p == ':' && (a.family == 4 || bracket)) {
        p++;
        if (!take_number(&p, UINT16_MAX, &v)) {
            return L2TPVOIP_ERR_INVALID;
        }
        a.port = (uint16_t)v;
    }
    if (*p != '\0') {
        return L2TPVOIP_ERR_INVALID;
    }
    *ret = a;
    return L2TPVOIP_OK;
}
