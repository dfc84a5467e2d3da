/* SPDX-License-Identifier: MIT */
/* Mappings and lists, by table: unknown, doubled and missing keys. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config_priv.h"

#define MAX_FIELDS 64u

static void *member(void *base, size_t offset)
{
    return (char *)base + offset;
}

/* path.key in buf. */
static const char *join(char *buf, size_t size, const char *path, const char *key, size_t len)
{
    (void)snprintf(buf, size, "%s%s%.*s", path, path[0] != '\0' ? "." : "",
                   len < 60 ? (int)len : 60, key);
    return buf;
}

static bool key_equals(const char *key, size_t len, const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return len == n + m && memcmp(key, name, n) == 0 && memcmp(key + n, suffix, m) == 0;
}

/* The field of a key; *ret_how says in which form a secret is given. */
static const struct l2v_config_field *find_field(const struct l2v_config_table *table,
                                                 const char *key, size_t len, unsigned *ret_how)
{
    static const char *const suffixes[] = {"", "_file", "_env"};
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct l2v_config_field *field = &table->fields[i];
        unsigned forms = field->kind == L2V_CONFIG_SECRET ? 3 : 1;
        for (unsigned how = 0; how < forms; how++) {
            if (key_equals(key, len, field->key, suffixes[how])) {
                *ret_how = how;
                return field;
            }
        }
    }
    return NULL;
}

static bool fail_unknown(struct l2v_config_reader *r, const yaml_node_t *node,
                         const struct l2v_config_table *table, const char *path)
{
    char allowed[640];
    size_t at = 0;
    allowed[0] = '\0';
    for (size_t i = 0; i < table->n_fields; i++) {
        const char *suffix = table->fields[i].kind == L2V_CONFIG_SECRET ? "_file" : "";
        int n = snprintf(allowed + at, sizeof allowed - at, "%s%s%s", i > 0 ? ", " : "",
                         table->fields[i].key, suffix);
        at += n > 0 && (size_t)n < sizeof allowed - at ? (size_t)n : 0;
    }
    return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                           "unknown key; allowed: %s", allowed);
}

static bool read_list(struct l2v_config_reader *r, const yaml_node_t *node,
                      const struct l2v_config_field *field, void *base, const char *path)
{
    const struct l2v_config_table *table = field->table;
    if (node->type != YAML_SEQUENCE_NODE) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "must be a list");
    }
    const yaml_node_item_t *items = node->data.sequence.items.start;
    size_t n = (size_t)(node->data.sequence.items.top - items);
    if (n == 0 || n > field->max) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "must have 1 to %" PRIu64 " entries", field->max);
    }
    char *array = l2v_config_alloc(r, n * table->element_size);
    if (array == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char where[192];
        void *element = array + i * table->element_size;
        (void)snprintf(where, sizeof where, "%.150s[%u]", path, (unsigned)i);
        table->init(element);
        if (!l2v_config_walk(r, yaml_document_get_node(r->document, items[i]), table, element,
                             where)) {
            return false;
        }
    }
    memcpy(member(base, field->offset), &array, sizeof array);
    *(uint32_t *)member(base, field->offset2) = (uint32_t)n;
    return true;
}

static bool read_field(struct l2v_config_reader *r, const yaml_node_t *value,
                       const struct l2v_config_field *field, unsigned how, void *base,
                       const char *path)
{
    switch (field->kind) {
    case L2V_CONFIG_SECRET:
        return l2v_config_secret(r, value, field, how, base, path);
    case L2V_CONFIG_SECTION:
        return l2v_config_walk(r, value, field->table, member(base, field->offset), path);
    case L2V_CONFIG_LIST:
        return read_list(r, value, field, base, path);
    default:
        return l2v_config_scalar(r, value, field, base, path);
    }
}

static bool check_required(struct l2v_config_reader *r, const yaml_node_t *node,
                           const struct l2v_config_table *table, uint64_t given, const char *path)
{
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct l2v_config_field *field = &table->fields[i];
        if (!field->required || (given >> i & 1u) != 0) {
            continue;
        }
        char where[192];
        (void)join(where, sizeof where, path, field->key, strlen(field->key));
        if (field->kind == L2V_CONFIG_SECRET) {
            return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, where, NULL,
                                   "is missing; give %s_file or %s_env", field->key, field->key);
        }
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, where, NULL,
                               "is missing");
    }
    return true;
}

bool l2v_config_walk(struct l2v_config_reader *r, const yaml_node_t *node,
                     const struct l2v_config_table *table, void *base, const char *path)
{
    uint64_t given = 0;
    if (node->type != YAML_MAPPING_NODE || table->n_fields > MAX_FIELDS) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "must be a mapping of keys to values");
    }
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(r->document, pair->value);
        char where[192];
        unsigned how = 0;
        if (key->type != YAML_SCALAR_NODE) {
            return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &key->start_mark, path, NULL,
                                   "a key must be a text");
        }
        const char *name = (const char *)key->data.scalar.value;
        size_t len = key->data.scalar.length;
        (void)join(where, sizeof where, path, name, len);
        const struct l2v_config_field *field = find_field(table, name, len, &how);
        if (field == NULL) {
            return fail_unknown(r, key, table, where);
        }
        uint64_t bit = UINT64_C(1) << (field - table->fields);
        if ((given & bit) != 0) {
            return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &key->start_mark, where, NULL,
                                   "%s is given twice", field->key);
        }
        given |= bit;
        if (!read_field(r, value, field, how, base, where)) {
            return false;
        }
    }
    return check_required(r, node, table, given, path);
}
