/* SPDX-License-Identifier: MIT */
/* A small JSON reader for known answers (tests only). */
#include "unit_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const char *pos;
    const char *end;
    unsigned depth;
};

static void *must(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

static void skip_space(struct parser *p)
{
    while (p->pos < p->end && (unsigned char)*p->pos <= ' ') {
        p->pos++;
    }
}

static bool take(struct parser *p, char c)
{
    skip_space(p);
    if (p->pos < p->end && *p->pos == c) {
        p->pos++;
        return true;
    }
    return false;
}

static size_t put_utf8(char *out, unsigned long c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

static size_t take_escape(struct parser *p, char *out)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    char c = *p->pos++;
    const char *at = strchr(names, c);
    if (c == 'u' && p->end - p->pos >= 4) {
        char hex[5];
        memcpy(hex, p->pos, 4);
        hex[4] = '\0';
        p->pos += 4;
        return put_utf8(out, strtoul(hex, NULL, 16));
    }
    *out = at != NULL ? values[at - names] : c;
    return 1;
}

static char *take_string(struct parser *p)
{
    char *text = must(malloc((size_t)(p->end - p->pos) + 4));
    size_t n = 0;
    while (p->pos < p->end && *p->pos != '"') {
        if (*p->pos == '\\' && p->end - p->pos > 1) {
            p->pos++;
            n += take_escape(p, text + n);
        } else {
            text[n++] = *p->pos++;
        }
    }
    if (p->pos >= p->end) {
        free(text);
        return NULL;
    }
    p->pos++;
    text[n] = '\0';
    return must(realloc(text, n + 1));
}

static struct unit_json *take_value(struct parser *p);

static bool take_children(struct parser *p, struct unit_json *json, bool object, char close)
{
    struct unit_json **tail = &json->child;
    if (take(p, close)) {
        return true;
    }
    do {
        char *key = NULL;
        if (object) {
            key = take(p, '"') ? take_string(p) : NULL;
            if (key == NULL || !take(p, ':')) {
                free(key);
                return false;
            }
        }
        *tail = take_value(p);
        if (*tail == NULL) {
            free(key);
            return false;
        }
        (*tail)->key = key;
        tail = &(*tail)->next;
    } while (take(p, ','));
    return take(p, close);
}

static bool take_word(struct parser *p, struct unit_json *json)
{
    static const struct {
        const char *word;
        enum unit_json_type type;
        bool boolean;
    } words[] = {{"true", UNIT_JSON_BOOL, true},
                 {"false", UNIT_JSON_BOOL, false},
                 {"null", UNIT_JSON_NULL, false}};
    char *end = NULL;
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i].word);
        if ((size_t)(p->end - p->pos) >= n && memcmp(p->pos, words[i].word, n) == 0) {
            p->pos += n;
            json->type = words[i].type;
            json->boolean = words[i].boolean;
            return true;
        }
    }
    json->type = UNIT_JSON_NUMBER;
    json->number = strtod(p->pos, &end); /* the text ends with NUL */
    if (end == p->pos) {
        return false;
    }
    p->pos = end;
    return true;
}

static struct unit_json *take_value(struct parser *p)
{
    struct unit_json *json = must(calloc(1, sizeof(*json)));
    bool ok;
    if (++p->depth > 64) {
        abort();
    }
    if (take(p, '"')) {
        json->type = UNIT_JSON_STRING;
        json->text = take_string(p);
        ok = json->text != NULL;
    } else if (take(p, '{')) {
        json->type = UNIT_JSON_OBJECT;
        ok = take_children(p, json, true, '}');
    } else if (take(p, '[')) {
        json->type = UNIT_JSON_ARRAY;
        ok = take_children(p, json, false, ']');
    } else {
        ok = take_word(p, json);
    }
    p->depth--;
    if (!ok) {
        unit_json_free(json);
        return NULL;
    }
    return json;
}

void unit_json_free(struct unit_json *json)
{
    while (json != NULL) {
        struct unit_json *next = json->next;
        unit_json_free(json->child);
        free(json->key);
        free(json->text);
        free(json);
        json = next;
    }
}

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t len = 0;
    size_t n;
    if (f == NULL) {
        return NULL;
    }
    do {
        text = must(realloc(text, len + 65536 + 1));
        n = fread(text + len, 1, 65536, f);
        len += n;
    } while (n > 0);
    fclose(f);
    text[len] = '\0';
    *ret_len = len;
    return text;
}

struct unit_json *unit_json_load(const char *path)
{
    size_t len = 0;
    char *text = read_file(path, &len);
    struct unit_json *json = NULL;
    if (text != NULL) {
        struct parser p = {text, text + len, 0};
        json = take_value(&p);
        skip_space(&p);
        if (json != NULL && p.pos != p.end) {
            unit_json_free(json);
            json = NULL;
        }
    }
    free(text);
    return json;
}

struct unit_json *unit_json_vectors(const char *name)
{
    char path[1024];
    FILE *f;
    struct unit_json *json;
    snprintf(path, sizeof(path), "%s/%s", L2V_VECTORS, name);
    f = fopen(path, "rb");
    if (f == NULL) {
        printf("skipped: the vectors folder has no %s\n", name);
        return NULL;
    }
    fclose(f);
    json = unit_json_load(path);
    if (json == NULL) {
        printf("%s is not JSON\n", path);
        abort();
    }
    return json;
}

const struct unit_json *unit_json_get(const struct unit_json *json, const char *key)
{
    if (json == NULL || json->type != UNIT_JSON_OBJECT) {
        return NULL;
    }
    for (const struct unit_json *c = json->child; c != NULL; c = c->next) {
        if (strcmp(c->key, key) == 0) {
            return c;
        }
    }
    return NULL;
}

const char *unit_json_str(const struct unit_json *json, const char *key)
{
    const struct unit_json *v = unit_json_get(json, key);
    return v != NULL && v->type == UNIT_JSON_STRING ? v->text : "";
}

double unit_json_number(const struct unit_json *json, const char *key, double otherwise)
{
    const struct unit_json *v = unit_json_get(json, key);
    return v != NULL && v->type == UNIT_JSON_NUMBER ? v->number : otherwise;
}

long unit_json_int(const struct unit_json *json, const char *key, long otherwise)
{
    return (long)unit_json_number(json, key, (double)otherwise);
}

bool unit_json_bool(const struct unit_json *json, const char *key, bool otherwise)
{
    const struct unit_json *v = unit_json_get(json, key);
    return v != NULL && v->type == UNIT_JSON_BOOL ? v->boolean : otherwise;
}

static unsigned hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    if (at == NULL) {
        abort();
    }
    return (unsigned)(at - digits) & 15u;
}

size_t unit_hex(const char *hex, uint8_t *buf, size_t size)
{
    size_t n = strlen(hex);
    if (n >= 2 && hex[0] == '0' && hex[1] == 'x') {
        hex += 2;
        n -= 2;
    }
    if (n % 2 != 0 || n / 2 > size) {
        abort();
    }
    for (size_t i = 0; i < n / 2; i++) {
        buf[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    }
    return n / 2;
}

size_t unit_json_hex(const struct unit_json *json, const char *key, uint8_t *buf, size_t size)
{
    return unit_hex(unit_json_str(json, key), buf, size);
}

const struct unit_json *unit_json_first(const struct unit_json *json, const char *key)
{
    const struct unit_json *v = unit_json_get(json, key);
    return v != NULL ? v->child : NULL;
}
