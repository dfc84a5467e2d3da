/* SPDX-License-Identifier: MIT */
/* Public functions: from file or text to options. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_priv.h"

#define MAX_DEPTH 16u

void l2v_config_wipe(void *p, size_t len)
{
    volatile uint8_t *v = p;
    while (len-- > 0) {
        *v++ = 0;
    }
}

bool l2v_config_fail(struct l2v_config_reader *r, int code, const yaml_mark_t *mark,
                     const char *key, const char *next_step, const char *format, ...)
{
    va_list ap;
    l2tpvoip_config_error *e = r->error;
    memset(e, 0, sizeof *e);
    e->code = code;
    if (mark != NULL) {
        e->line = (uint32_t)mark->line + 1;
        e->column = (uint32_t)mark->column + 1;
    }
    (void)snprintf(e->file, sizeof e->file, "%s", r->file);
    (void)snprintf(e->key, sizeof e->key, "%s", key != NULL ? key : "");
    (void)snprintf(e->next_step, sizeof e->next_step, "%s", next_step != NULL ? next_step : "");
    va_start(ap, format);
    (void)vsnprintf(e->message, sizeof e->message, format, ap);
    va_end(ap);
    return false;
}

void *l2v_config_alloc(struct l2v_config_reader *r, size_t len)
{
    struct l2v_config_block *block = calloc(1, sizeof *block + len);
    if (block == NULL) {
        (void)l2v_config_fail(r, L2TPVOIP_ERR_NOMEM, NULL, NULL, NULL, "out of memory");
        return NULL;
    }
    block->len = len;
    block->next = r->config->blocks;
    r->config->blocks = block;
    return block + 1;
}

char *l2v_config_strdup(struct l2v_config_reader *r, const char *text, size_t len)
{
    char *copy = l2v_config_alloc(r, len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
    }
    return copy;
}

void l2tpvoip_config_free(l2tpvoip_config *config)
{
    if (config == NULL) {
        return;
    }
    for (struct l2v_config_block *b = config->blocks; b != NULL;) {
        struct l2v_config_block *next = b->next;
        l2v_config_wipe(b + 1, b->len);
        free(b);
        b = next;
    }
    free(config);
}

int l2tpvoip_config_error_format(const l2tpvoip_config_error *e, char *text, size_t size)
{
    char where[32] = "";
    if (e == NULL) {
        return 0;
    }
    if (e->line > 0) {
        (void)snprintf(where, sizeof where, ":%u:%u", e->line, e->column);
    }
    return snprintf(text, size, "%s%s: %s%s%s", e->file, where, e->key,
                    e->key[0] != '\0' ? ": " : "", e->message);
}

void l2tpvoip_config_options_init(l2tpvoip_config_options *options, size_t size)
{
    l2tpvoip_config_options defaults;
    if (options == NULL || size < sizeof options->size) {
        return;
    }
    memset(&defaults, 0, sizeof defaults);
    memset(options, 0, size);
    defaults.size = (uint32_t)size;
    memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

/* --- YAML ----------------------------------------------------------------------------------- */

static bool fail_parser(struct l2v_config_reader *r, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        return l2v_config_fail(r, L2TPVOIP_ERR_NOMEM, NULL, NULL, NULL, "out of memory");
    }
    bool located = parser->problem_mark.line > 0 || parser->problem_mark.column > 0 ||
                   parser->problem_mark.index > 0;
    return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, located ? &parser->problem_mark : NULL, NULL,
                           NULL, "not valid YAML: %s",
                           parser->problem != NULL ? parser->problem : "unknown reason");
}

/* What a configuration does not need and what would let a small file become a large one. */
static bool check_event(struct l2v_config_reader *r, const yaml_event_t *e, unsigned *depth,
                        unsigned *documents)
{
    const char *what = NULL;
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        what = "aliases (*name)";
        break;
    case YAML_SCALAR_EVENT:
        what = e->data.scalar.anchor != NULL ? "anchors (&name)"
               : e->data.scalar.tag != NULL  ? "tags (!name)"
                                             : NULL;
        break;
    case YAML_SEQUENCE_START_EVENT:
        what = e->data.sequence_start.anchor != NULL ? "anchors (&name)"
               : e->data.sequence_start.tag != NULL  ? "tags (!name)"
                                                     : NULL;
        ++*depth;
        break;
    case YAML_MAPPING_START_EVENT:
        what = e->data.mapping_start.anchor != NULL ? "anchors (&name)"
               : e->data.mapping_start.tag != NULL  ? "tags (!name)"
                                                    : NULL;
        ++*depth;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        --*depth;
        break;
    case YAML_DOCUMENT_START_EVENT:
        what = ++*documents > 1 ? "further documents (---)" : NULL;
        break;
    default:
        break;
    }
    if (what == NULL && *depth > MAX_DEPTH) {
        what = "levels deeper than 16";
    }
    if (what != NULL) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &e->start_mark, NULL, NULL,
                               "%s are not allowed in a configuration", what);
    }
    return true;
}

static bool check_events(struct l2v_config_reader *r, const char *text, size_t len)
{
    yaml_parser_t parser;
    unsigned depth = 0, documents = 0;
    bool ok = true, done = false;
    if (yaml_parser_initialize(&parser) == 0) {
        return l2v_config_fail(r, L2TPVOIP_ERR_NOMEM, NULL, NULL, NULL, "out of memory");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    while (ok && !done) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            ok = fail_parser(r, &parser);
            break;
        }
        ok = check_event(r, &event, &depth, &documents);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return ok;
}

static void wipe_document(yaml_document_t *document)
{
    for (yaml_node_t *n = document->nodes.start; n < document->nodes.top; n++) {
        if (n->type == YAML_SCALAR_NODE) {
            l2v_config_wipe(n->data.scalar.value, n->data.scalar.length);
        }
    }
}

/* --- sections ------------------------------------------------------------------------------- */

static void init_options(l2tpvoip_config *config)
{
    l2tpvoip_tunnel_options *c = &config->client.options;
    l2tpvoip_server_options *s = &config->server.options;
    l2tpvoip_tunnel_options_init(c, sizeof *c);
    l2tpvoip_server_options_init(s, sizeof *s);
    config->client.ipsec.options = c->ipsec;
    config->server.ipsec.options = s->ipsec;
}

/* One key may stand alone, several in a list. */
static bool finish_ipsec(struct l2v_config_reader *r, const yaml_node_t *node,
                         struct l2v_config_ipsec *ipsec, const char *path)
{
    if (ipsec->psk != NULL && ipsec->psks != NULL) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "give one key with psk_file or several with psks, not both");
    }
    if (ipsec->options.security == L2TPVOIP_SECURITY_NONE) {
        return true;
    }
    if (ipsec->psk == NULL && ipsec->psks == NULL) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path,
                               "plain L2TP without IPsec needs security: none",
                               "the pre-shared key is missing; give psk_file or psk_env");
    }
    if (ipsec->psk != NULL) {
        ipsec->one.size = sizeof ipsec->one;
        ipsec->one.key = ipsec->psk;
        ipsec->one.len = ipsec->psk_len;
    }
    ipsec->options.psks = ipsec->psk != NULL ? &ipsec->one : ipsec->psks;
    ipsec->options.n_psks = ipsec->psk != NULL ? 1 : ipsec->n_psks;
    return true;
}

static bool read_client(struct l2v_config_reader *r, const yaml_node_t *node)
{
    struct l2v_config_client *c = &r->config->client;
    if (!l2v_config_walk(r, node, &l2v_config_client_table, c, "client") ||
        !finish_ipsec(r, node, &c->ipsec, "client.ipsec")) {
        return false;
    }
    c->options.ipsec = c->ipsec.options;
    r->config->has_client = true;
    return true;
}

static bool read_server(struct l2v_config_reader *r, const yaml_node_t *node)
{
    struct l2v_config_server *s = &r->config->server;
    if (!l2v_config_walk(r, node, &l2v_config_server_table, s, "server") ||
        !finish_ipsec(r, node, &s->ipsec, "server.ipsec")) {
        return false;
    }
    if (s->n_users == 0 && (s->options.ppp.auth & L2TPVOIP_AUTH_NONE) == 0) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, "server.users",
                               "to let everybody in, set auth: none in server.ppp", "is missing");
    }
    s->options.ipsec = s->ipsec.options;
    s->options.users = s->users;
    s->options.n_users = s->n_users;
    r->config->has_server = true;
    return true;
}

static bool read_extras(struct l2v_config_reader *r, const yaml_node_t *node,
                        const l2tpvoip_config_options *options)
{
    struct l2v_config_field fields[L2V_CONFIG_MAX_EXTRAS];
    struct l2v_config_table table = {fields, options->n_extras, 0, NULL};
    memset(fields, 0, sizeof fields);
    for (uint32_t i = 0; i < options->n_extras; i++) {
        fields[i].key = options->extras[i].key;
        fields[i].kind = L2V_CONFIG_EXTRA;
        fields[i].offset =
            offsetof(l2tpvoip_config, extras) + (size_t)i * sizeof(struct l2v_config_value);
        fields[i].min = options->extras[i].min;
        fields[i].max = options->extras[i].max;
    }
    return l2v_config_walk(r, node, &table, r->config, options->section);
}

static bool copy_extras(struct l2v_config_reader *r, const l2tpvoip_config_options *options)
{
    for (uint32_t i = 0; i < options->n_extras; i++) {
        struct l2v_config_value *v = &r->config->extras[i];
        v->key = l2v_config_strdup(r, options->extras[i].key, strlen(options->extras[i].key));
        v->kind = options->extras[i].kind;
        if (v->key == NULL) {
            return false;
        }
    }
    r->config->n_extras = options->n_extras;
    return true;
}

static bool is_key(const yaml_node_t *key, const char *name)
{
    return name != NULL && key->type == YAML_SCALAR_NODE &&
           key->data.scalar.length == strlen(name) &&
           memcmp(key->data.scalar.value, name, strlen(name)) == 0;
}

static bool read_root(struct l2v_config_reader *r, const l2tpvoip_config_options *options)
{
    const yaml_node_t *root = yaml_document_get_root_node(r->document);
    unsigned given = 0;
    if (root == NULL || root->type != YAML_MAPPING_NODE) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, NULL, NULL, NULL,
                               "must be a mapping with client: or server:");
    }
    const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
    for (; pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(r->document, pair->value);
        unsigned bit = is_key(key, "client")           ? 1u
                       : is_key(key, "server")         ? 2u
                       : is_key(key, options->section) ? 4u
                                                       : 0u;
        const char *name =
            key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
        if (bit == 0) {
            return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &key->start_mark, name, NULL,
                                   "unknown key; allowed: client, server%s%s",
                                   options->section != NULL ? ", " : "",
                                   options->section != NULL ? options->section : "");
        }
        if ((given & bit) != 0) {
            return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &key->start_mark, name, NULL,
                                   "%s is given twice", name);
        }
        given |= bit;
        bool ok = bit == 1   ? read_client(r, value)
                  : bit == 2 ? read_server(r, value)
                             : read_extras(r, value, options);
        if (!ok) {
            return false;
        }
    }
    if ((given & 3u) == 0) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, NULL, NULL, NULL,
                               "has neither client: nor server:");
    }
    return true;
}

static bool read_text(struct l2v_config_reader *r, const char *text, size_t len,
                      const l2tpvoip_config_options *options)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!copy_extras(r, options) || !check_events(r, text, len)) {
        return false;
    }
    if (yaml_parser_initialize(&parser) == 0) {
        return l2v_config_fail(r, L2TPVOIP_ERR_NOMEM, NULL, NULL, NULL, "out of memory");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    bool ok = yaml_parser_load(&parser, &document) != 0;
    if (!ok) {
        (void)fail_parser(r, &parser);
    } else {
        r->document = &document;
        ok = read_root(r, options);
        wipe_document(&document);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return ok;
}

static int parse(const char *name, const char *text, size_t len,
                 const l2tpvoip_config_options *options, bool inline_secrets,
                 l2tpvoip_config **ret_config, l2tpvoip_config_error *error)
{
    struct l2v_config_reader r;
    memset(&r, 0, sizeof r);
    r.error = error;
    r.file = name;
    r.inline_secrets = inline_secrets;
    r.config = calloc(1, sizeof *r.config);
    if (r.config == NULL) {
        (void)l2v_config_fail(&r, L2TPVOIP_ERR_NOMEM, NULL, NULL, NULL, "out of memory");
        return L2TPVOIP_ERR_NOMEM;
    }
    init_options(r.config);
    if (!read_text(&r, text, len, options)) {
        l2tpvoip_config_free(r.config);
        return error->code;
    }
    *ret_config = r.config;
    return 0;
}

/* The caller's options may be those of an older header. */
static int take_options(const l2tpvoip_config_options *given, l2tpvoip_config_options *ret)
{
    l2tpvoip_config_options_init(ret, sizeof *ret);
    if (given == NULL) {
        return 0;
    }
    if (given->size < sizeof given->size) {
        return L2TPVOIP_ERR_INVALID;
    }
    memcpy(ret, given, given->size < sizeof *ret ? given->size : sizeof *ret);
    if (ret->n_extras > L2V_CONFIG_MAX_EXTRAS || (ret->n_extras > 0 && ret->section == NULL)) {
        return L2TPVOIP_ERR_INVALID;
    }
    return 0;
}

int l2tpvoip_config_parse(const char *name, const char *text, size_t len,
                          const l2tpvoip_config_options *options, l2tpvoip_config **ret_config,
                          l2tpvoip_config_error *ret_error)
{
    l2tpvoip_config_options o;
    l2tpvoip_config_error error;
    if (name == NULL || text == NULL || ret_config == NULL || take_options(options, &o) != 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    bool inline_secrets = (o.flags & L2TPVOIP_CONFIG_INLINE_SECRETS) != 0;
    return parse(name, text, len, &o, inline_secrets, ret_config,
                 ret_error != NULL ? ret_error : &error);
}

int l2tpvoip_config_load(const char *path, const l2tpvoip_config_options *options,
                         l2tpvoip_config **ret_config, l2tpvoip_config_error *ret_error)
{
    l2tpvoip_config_options o;
    l2tpvoip_config_error error;
    struct l2v_config_reader r;
    char *text = NULL;
    size_t len = 0;
    unsigned mode = 0;
    if (path == NULL || ret_config == NULL || take_options(options, &o) != 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    memset(&r, 0, sizeof r);
    r.error = ret_error != NULL ? ret_error : &error;
    r.file = path;
    int err = l2v_config_read_file(path, L2V_CONFIG_MAX_FILE, &text, &len, &mode);
    if (err != 0) {
        int code = err == EACCES   ? L2TPVOIP_ERR_PERMISSION
                   : err == ENOMEM ? L2TPVOIP_ERR_NOMEM
                                   : L2TPVOIP_ERR_IO;
        const char *why = err == EINVAL  ? "not a regular file"
                          : err == EFBIG ? "larger than 1 MiB"
                                         : strerror(err);
        (void)l2v_config_fail(&r, code, NULL, NULL, NULL, "cannot read the configuration: %s", why);
        return code;
    }
    int rc = parse(path, text, len, &o, (mode & 077u) == 0, ret_config, r.error);
    l2v_config_wipe(text, len);
    free(text);
    return rc;
}

/* --- what was read -------------------------------------------------------------------------- */

const l2tpvoip_tunnel_options *l2tpvoip_config_get_client(const l2tpvoip_config *config)
{
    return config != NULL && config->has_client ? &config->client.options : NULL;
}

const l2tpvoip_server_options *l2tpvoip_config_get_server(const l2tpvoip_config *config)
{
    return config != NULL && config->has_server ? &config->server.options : NULL;
}

static const struct l2v_config_value *find_extra(const l2tpvoip_config *config, const char *key,
                                                 uint32_t kind)
{
    for (uint32_t i = 0; config != NULL && key != NULL && i < config->n_extras; i++) {
        const struct l2v_config_value *v = &config->extras[i];
        bool fits =
            v->kind == kind || (kind == L2TPVOIP_CONFIG_NUMBER && v->kind == L2TPVOIP_CONFIG_BOOL);
        if (v->given && fits && strcmp(v->key, key) == 0) {
            return v;
        }
    }
    return NULL;
}

const char *l2tpvoip_config_get_text(const l2tpvoip_config *config, const char *key)
{
    const struct l2v_config_value *v = find_extra(config, key, L2TPVOIP_CONFIG_TEXT);
    return v != NULL ? v->text : NULL;
}

int l2tpvoip_config_get_number(const l2tpvoip_config *config, const char *key, uint64_t *ret_value)
{
    const struct l2v_config_value *v = find_extra(config, key, L2TPVOIP_CONFIG_NUMBER);
    if (v == NULL || ret_value == NULL) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    *ret_value = v->number;
    return 0;
}

int l2tpvoip_config_get_addr(const l2tpvoip_config *config, const char *key,
                             l2tpvoip_addr *ret_addr)
{
    const struct l2v_config_value *v = find_extra(config, key, L2TPVOIP_CONFIG_ADDR);
    if (v == NULL || ret_addr == NULL) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    *ret_addr = v->addr;
    return 0;
}
