/* SPDX-License-Identifier: MIT */
/* Single values: text, numbers, switches, names, addresses. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config_priv.h"

static void *member(void *base, size_t offset)
{
    return (char *)base + offset;
}

/* Plain, as a person means it: not quoted, so that "12" in quotes is text. */
static bool is_plain(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool has_value(const yaml_node_t *node, const char *text)
{
    size_t len = strlen(text);
    return node->data.scalar.length == len && memcmp(node->data.scalar.value, text, len) == 0;
}

static bool wrong(struct l2v_config_reader *r, const yaml_node_t *node, const char *path,
                  const char *what)
{
    return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL, "must be %s",
                           what);
}

bool l2v_config_text(struct l2v_config_reader *r, const yaml_node_t *node, const char *path,
                     const char **ret_text)
{
    if (node->type != YAML_SCALAR_NODE) {
        return wrong(r, node, path, "a text");
    }
    const char *value = (const char *)node->data.scalar.value;
    size_t len = node->data.scalar.length;
    if (len == 0 || (is_plain(node) && (has_value(node, "~") || has_value(node, "null")))) {
        return wrong(r, node, path, "a text that is not empty");
    }
    if (memchr(value, '\0', len) != NULL) {
        return wrong(r, node, path, "a text without NUL characters");
    }
    char *copy = l2v_config_strdup(r, value, len);
    if (copy == NULL) {
        return false;
    }
    *ret_text = copy;
    return true;
}

/* A list of texts, or one, joined with commas. */
static bool read_texts(struct l2v_config_reader *r, const yaml_node_t *node, const char *path,
                       const char **ret_text)
{
    if (node->type == YAML_SCALAR_NODE) {
        return l2v_config_text(r, node, path, ret_text);
    }
    if (node->type != YAML_SEQUENCE_NODE) {
        return wrong(r, node, path, "a text or a list of texts");
    }
    char joined[1024];
    size_t at = 0;
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (; item < node->data.sequence.items.top; item++) {
        const yaml_node_t *one = yaml_document_get_node(r->document, *item);
        const char *text = NULL;
        if (!l2v_config_text(r, one, path, &text)) {
            return false;
        }
        int n = snprintf(joined + at, sizeof joined - at, "%s%s", at > 0 ? "," : "", text);
        if (n < 0 || (size_t)n >= sizeof joined - at) {
            return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &one->start_mark, path, NULL,
                                   "the list is longer than %zu characters", sizeof joined - 1);
        }
        at += (size_t)n;
    }
    if (at == 0) {
        return wrong(r, node, path, "a list that is not empty");
    }
    char *copy = l2v_config_strdup(r, joined, at);
    *ret_text = copy;
    return copy != NULL;
}

static bool read_number(struct l2v_config_reader *r, const yaml_node_t *node, uint64_t min,
                        uint64_t max, const char *path, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool ok = is_plain(node) && node->data.scalar.length > 0;
    bool fits = true;
    for (size_t i = 0; ok && i < node->data.scalar.length; i++) {
        unsigned char c = node->data.scalar.value[i];
        unsigned digit = c - (unsigned)'0';
        ok = digit <= 9;
        fits = fits && ok && value <= (UINT64_MAX - digit) / 10;
        value = fits ? value * 10 + digit : UINT64_MAX;
    }
    if (!ok) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "must be a whole number from %" PRIu64 " to %" PRIu64, min, max);
    }
    if (!fits || value < min || value > max) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "%.20s is out of range; allowed: %" PRIu64 " to %" PRIu64,
                               (const char *)node->data.scalar.value, min, max);
    }
    *ret_value = value;
    return true;
}

static bool read_bool(struct l2v_config_reader *r, const yaml_node_t *node, const char *path,
                      bool *ret_value)
{
    if (!is_plain(node) || (!has_value(node, "true") && !has_value(node, "false"))) {
        return wrong(r, node, path, "true or false");
    }
    *ret_value = has_value(node, "true");
    return true;
}

static bool read_name(struct l2v_config_reader *r, const yaml_node_t *node,
                      const struct l2v_config_field *field, const char *path, uint32_t *ret_index)
{
    char allowed[512];
    size_t at = 0;
    allowed[0] = '\0';
    for (uint32_t i = 0; field->name(i) != NULL; i++) {
        if (node->type == YAML_SCALAR_NODE && has_value(node, field->name(i))) {
            *ret_index = i;
            return true;
        }
        int n =
            snprintf(allowed + at, sizeof allowed - at, "%s%s", i > 0 ? ", " : "", field->name(i));
        at += n > 0 && (size_t)n < sizeof allowed - at ? (size_t)n : 0;
    }
    const char *given = node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
    return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                           "unknown value \"%.40s\"; allowed: %s", given, allowed);
}

static bool read_bits(struct l2v_config_reader *r, const yaml_node_t *node,
                      const struct l2v_config_field *field, const char *path, uint32_t *ret_bits)
{
    uint32_t bits = 0, index = 0;
    if (node->type == YAML_SCALAR_NODE) {
        if (!read_name(r, node, field, path, &index)) {
            return false;
        }
        *ret_bits = 1u << index;
        return true;
    }
    if (node->type != YAML_SEQUENCE_NODE ||
        node->data.sequence.items.start == node->data.sequence.items.top) {
        return wrong(r, node, path, "a list of names");
    }
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (; item < node->data.sequence.items.top; item++) {
        const yaml_node_t *one = yaml_document_get_node(r->document, *item);
        if (!read_name(r, one, field, path, &index)) {
            return false;
        }
        if ((bits & 1u << index) != 0) {
            return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &one->start_mark, path, NULL,
                                   "\"%s\" is given twice", field->name(index));
        }
        bits |= 1u << index;
    }
    *ret_bits = bits;
    return true;
}

static bool read_addr(struct l2v_config_reader *r, const yaml_node_t *node, bool with_port,
                      const char *path, l2tpvoip_addr *ret_addr)
{
    const char *text = NULL;
    l2tpvoip_addr addr;
    if (!l2v_config_text(r, node, path, &text)) {
        return false;
    }
    if (l2tpvoip_addr_parse(text, &addr) != 0) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "\"%.60s\" is no IP address; write 192.0.2.1 or 2001:db8::1%s", text,
                               with_port ? ", with a port 192.0.2.1:500 or [2001:db8::1]:500" : "");
    }
    if (!with_port && addr.port != 0) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "\"%.60s\": no port is allowed here", text);
    }
    *ret_addr = addr;
    return true;
}

static bool read_addrs(struct l2v_config_reader *r, const yaml_node_t *node,
                       const struct l2v_config_field *field, const char *path, l2tpvoip_addr *addrs)
{
    if (node->type == YAML_SCALAR_NODE) {
        return read_addr(r, node, false, path, addrs);
    }
    if (node->type != YAML_SEQUENCE_NODE) {
        return wrong(r, node, path, "an address or a list of addresses");
    }
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (size_t n = 0; item < node->data.sequence.items.top; item++, n++) {
        const yaml_node_t *one = yaml_document_get_node(r->document, *item);
        if (n >= field->max) {
            return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &one->start_mark, path, NULL,
                                   "at most %" PRIu64 " addresses are allowed", field->max);
        }
        if (!read_addr(r, one, false, path, &addrs[n])) {
            return false;
        }
    }
    return true;
}

static bool read_integer(struct l2v_config_reader *r, const yaml_node_t *node,
                         const struct l2v_config_field *field, void *at, const char *path)
{
    uint64_t number = 0;
    if (!read_number(r, node, field->min, field->max, path, &number)) {
        return false;
    }
    if (field->kind == L2V_CONFIG_U16) {
        *(uint16_t *)at = (uint16_t)number;
    } else if (field->kind == L2V_CONFIG_U32) {
        *(uint32_t *)at = (uint32_t)number;
    } else {
        *(uint64_t *)at = number;
    }
    return true;
}

static bool read_extra(struct l2v_config_reader *r, const yaml_node_t *node,
                       const struct l2v_config_field *field, struct l2v_config_value *value,
                       const char *path)
{
    bool on = false, ok = false;
    switch (value->kind) {
    case L2TPVOIP_CONFIG_NUMBER:
        ok = read_number(r, node, field->min, field->max, path, &value->number);
        break;
    case L2TPVOIP_CONFIG_BOOL:
        ok = read_bool(r, node, path, &on);
        value->number = on ? 1 : 0;
        break;
    case L2TPVOIP_CONFIG_ADDR:
        ok = read_addr(r, node, true, path, &value->addr);
        break;
    default:
        ok = l2v_config_text(r, node, path, &value->text);
        break;
    }
    value->given = ok;
    return ok;
}

bool l2v_config_scalar(struct l2v_config_reader *r, const yaml_node_t *node,
                       const struct l2v_config_field *field, void *base, const char *path)
{
    void *at = member(base, field->offset);
    bool on = false;
    switch (field->kind) {
    case L2V_CONFIG_TEXT:
        return l2v_config_text(r, node, path, at);
    case L2V_CONFIG_TEXTS:
        return read_texts(r, node, path, at);
    case L2V_CONFIG_U16:
    case L2V_CONFIG_U32:
    case L2V_CONFIG_U64:
        return read_integer(r, node, field, at, path);
    case L2V_CONFIG_FLAG:
    case L2V_CONFIG_NOT_FLAG: {
        if (!read_bool(r, node, path, &on)) {
            return false;
        }
        uint32_t *flags = at;
        bool set = field->kind == L2V_CONFIG_FLAG ? on : !on;
        *flags = set ? *flags | field->mask : *flags & ~field->mask;
        return true;
    }
    case L2V_CONFIG_ENUM:
        return read_name(r, node, field, path, at);
    case L2V_CONFIG_BITS:
        return read_bits(r, node, field, path, at);
    case L2V_CONFIG_IP:
    case L2V_CONFIG_ADDR:
        return read_addr(r, node, field->kind == L2V_CONFIG_ADDR, path, at);
    case L2V_CONFIG_IPS:
        return read_addrs(r, node, field, path, at);
    case L2V_CONFIG_EXTRA:
        return read_extra(r, node, field, at, path);
    case L2V_CONFIG_SECRET:
    case L2V_CONFIG_SECTION:
    case L2V_CONFIG_LIST:
        break;
    }
    return l2v_config_fail(r, L2TPVOIP_ERR_INTERNAL, &node->start_mark, path, NULL, "no such kind");
}
