/* SPDX-License-Identifier: MIT */
/* A small JSON reader for known answers. Tests only: it trusts its input to be of sane size. */
#ifndef UNIT_JSON_H
#define UNIT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unit_json_type {
    UNIT_JSON_NULL,
    UNIT_JSON_BOOL,
    UNIT_JSON_NUMBER,
    UNIT_JSON_STRING,
    UNIT_JSON_ARRAY,
    UNIT_JSON_OBJECT
};

struct unit_json {
    enum unit_json_type type;
    char *key;  /* in an object */
    char *text; /* string, decoded */
    double number;
    bool boolean;
    struct unit_json *child; /* first element of an array or object */
    struct unit_json *next;
};

/* NULL when the file cannot be read or is not JSON. */
struct unit_json *unit_json_load(const char *path);
void unit_json_free(struct unit_json *json);

/* name is relative to the vectors folder ("kat/mschapv2.json"). When it is absent this prints why
 * the test is skipped and returns NULL; a file that is there and cannot be parsed aborts. */
struct unit_json *unit_json_vectors(const char *name);

/* Member of an object; NULL if json is NULL, no object, or has none. */
const struct unit_json *unit_json_get(const struct unit_json *json, const char *key);
/* "" when absent or no string. */
const char *unit_json_str(const struct unit_json *json, const char *key);
long unit_json_int(const struct unit_json *json, const char *key, long otherwise);
double unit_json_number(const struct unit_json *json, const char *key, double otherwise);
bool unit_json_bool(const struct unit_json *json, const char *key, bool otherwise);
/* Decodes the hex string of a member ("0x" in front is fine); returns the length, 0 when absent.
 * Aborts when it does not fit or is no hex. */
size_t unit_json_hex(const struct unit_json *json, const char *key, uint8_t *buf, size_t size);
/* The same for a literal. */
size_t unit_hex(const char *hex, uint8_t *buf, size_t size);

/* for (t = unit_json_first(json, "tests"); t != NULL; t = t->next) */
const struct unit_json *unit_json_first(const struct unit_json *json, const char *key);

#endif
