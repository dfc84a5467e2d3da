/* SPDX-License-Identifier: MIT */
#include "cli_json.h"

#include <inttypes.h>
#include <math.h>

static void put_text(FILE *f, const char *text)
{
    (void)fputc('"', f);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            (void)fprintf(f, "\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            (void)fprintf(f, "\\u%04x", *p);
        } else {
            (void)fputc(*p, f);
        }
    }
    (void)fputc('"', f);
}

static void begin(struct cli_json *j, const char *key)
{
    if (j->more) {
        (void)fputc(',', j->f);
    }
    j->more = true;
    if (key != NULL) {
        put_text(j->f, key);
        (void)fputc(':', j->f);
    }
}

void cli_json_init(struct cli_json *j, FILE *f)
{
    j->f = f;
    j->more = false;
}

void cli_json_open(struct cli_json *j, const char *key, char bracket)
{
    begin(j, key);
    (void)fputc(bracket, j->f);
    j->more = false;
}

void cli_json_close(struct cli_json *j, char bracket)
{
    (void)fputc(bracket, j->f);
    j->more = true;
}

void cli_json_text(struct cli_json *j, const char *key, const char *text)
{
    begin(j, key);
    if (text == NULL) {
        (void)fputs("null", j->f);
    } else {
        put_text(j->f, text);
    }
}

void cli_json_int(struct cli_json *j, const char *key, int64_t value)
{
    begin(j, key);
    (void)fprintf(j->f, "%" PRId64, value);
}

void cli_json_uint(struct cli_json *j, const char *key, uint64_t value)
{
    begin(j, key);
    (void)fprintf(j->f, "%" PRIu64, value);
}

void cli_json_real(struct cli_json *j, const char *key, double value, int decimals)
{
    begin(j, key);
    if (isfinite(value)) {
        (void)fprintf(j->f, "%.*f", decimals, value);
    } else {
        (void)fputs("null", j->f);
    }
}

void cli_json_bool(struct cli_json *j, const char *key, bool value)
{
    begin(j, key);
    (void)fputs(value ? "true" : "false", j->f);
}
