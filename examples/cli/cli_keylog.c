/* SPDX-License-Identifier: MIT */
#include "cli_keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <l2tpvoip/io.h>

static const char *const tables[] = {[L2TPVOIP_KEY_IKEV1] = "ikev1_decryption_table",
                                     [L2TPVOIP_KEY_IKEV2] = "ikev2_decryption_table",
                                     [L2TPVOIP_KEY_ESP] = "esp_sa"};

struct cli_keylog {
    FILE *single;
    FILE *files[4];
    char folder[1024];
};

static FILE *open_private(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return NULL;
    }
    (void)fchmod(fd, 0600);
    FILE *f = fdopen(fd, "w");
    if (f == NULL) {
        (void)close(fd);
    }
    return f;
}

struct cli_keylog *cli_keylog_new(const char *path)
{
    struct stat st;
    struct cli_keylog *k = calloc(1, sizeof *k);
    size_t len = strlen(path);
    if (k == NULL || len == 0 || len >= sizeof k->folder - 32) {
        free(k);
        errno = k == NULL ? ENOMEM : ENAMETOOLONG;
        return NULL;
    }
    if (path[len - 1] == '/' && mkdir(path, 0700) != 0 && errno != EEXIST) {
        free(k);
        return NULL;
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void)snprintf(k->folder, sizeof k->folder, "%s", path);
        return k;
    }
    k->single = open_private(path);
    if (k->single == NULL) {
        free(k);
        return NULL;
    }
    return k;
}

/* An SPI is enough to find the key; the addresses may be another's view of a NAT. */
static void write_esp(FILE *f, const char *line)
{
    const char *family = strchr(line, ','), *source = NULL, *rest = NULL;
    if (family != NULL) {
        source = strchr(family + 1, ',');
    }
    if (source != NULL) {
        rest = strchr(source + 1, ',');
    }
    if (rest == NULL) {
        (void)fprintf(f, "%s\n", line);
    } else {
        (void)fprintf(f, "%.*s,\"*\",\"*\"%s\n", (int)(family - line), line, rest);
    }
}

void cli_keylog_line(struct cli_keylog *k, uint32_t kind, const char *line, size_t len)
{
    (void)len;
    if (kind < L2TPVOIP_KEY_IKEV1 || kind > L2TPVOIP_KEY_ESP) {
        return;
    }
    FILE *f = k->single;
    if (f == NULL) {
        if (k->files[kind] == NULL) {
            char path[1100];
            (void)snprintf(path, sizeof path, "%s/%s", k->folder, tables[kind]);
            k->files[kind] = open_private(path);
        }
        f = k->files[kind];
    } else {
        (void)fprintf(f, "uat:%s:", tables[kind]);
    }
    if (f == NULL) {
        return;
    }
    if (kind == L2TPVOIP_KEY_ESP) {
        write_esp(f, line);
    } else {
        (void)fprintf(f, "%s\n", line);
    }
    (void)fflush(f);
}

void cli_keylog_free(struct cli_keylog *k)
{
    if (k == NULL) {
        return;
    }
    if (k->single != NULL) {
        (void)fclose(k->single);
    }
    for (int i = 0; i < 4; i++) {
        if (k->files[i] != NULL) {
            (void)fclose(k->files[i]);
        }
    }
    free(k);
}
