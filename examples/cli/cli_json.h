/* SPDX-License-Identifier: MIT */
/* A small JSON writer. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cli_json {
    FILE *f;
    bool more; /* a comma comes first */
};

void cli_json_init(struct cli_json *j, FILE *f);
/* key NULL: an element of a list, or the whole. bracket '{' or '['. */
void cli_json_open(struct cli_json *j, const char *key, char bracket);
void cli_json_close(struct cli_json *j, char bracket);
void cli_json_text(struct cli_json *j, const char *key, const char *text); /* NULL = null */
void cli_json_int(struct cli_json *j, const char *key, int64_t value);
void cli_json_uint(struct cli_json *j, const char *key, uint64_t value);
void cli_json_real(struct cli_json *j, const char *key, double value,
                   int decimals); /* NaN = null */
void cli_json_bool(struct cli_json *j, const char *key, bool value);

#endif
