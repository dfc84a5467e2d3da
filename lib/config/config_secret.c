/* SPDX-License-Identifier: MIT */
/* Secrets: from files that nobody else may read, from the environment, or from the text. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_priv.h"

static int read_all(int fd, char *data, size_t size, size_t *ret_len)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(fd, data + len, size - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno;
        }
        if (n == 0) {
            break;
        }
        len += (size_t)n;
    }
    *ret_len = len;
    return 0;
}

int l2v_config_read_file(const char *path, size_t max, char **ret_data, size_t *ret_len,
                         unsigned *ret_mode)
{
    struct stat st;
    int err = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not stop us */
    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &st) != 0) {
        err = errno;
    } else if (!S_ISREG(st.st_mode)) {
        err = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    } else if ((uint64_t)st.st_size > max) {
        err = EFBIG;
    }
    char *data = err == 0 ? malloc(max + 1) : NULL;
    size_t len = 0;
    if (err == 0) {
        err = data == NULL ? ENOMEM : read_all(fd, data, max + 1, &len);
    }
    (void)close(fd);
    if (err == 0 && len > max) {
        err = EFBIG;
    }
    if (err != 0) {
        if (data != NULL) {
            l2v_config_wipe(data, max + 1);
        }
        free(data);
        return err;
    }
    *ret_data = data;
    *ret_len = len;
    *ret_mode = (unsigned)st.st_mode & 0777u;
    return 0;
}

static bool keep(struct l2v_config_reader *r, const yaml_node_t *node,
                 const struct l2v_config_field *field, void *base, const char *path,
                 const char *data, size_t len)
{
    if (len < field->min || len > field->max) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "the secret has %zu bytes; allowed: %u to %u", len,
                               (unsigned)field->min, (unsigned)field->max);
    }
    const uint8_t *copy = (const uint8_t *)l2v_config_strdup(r, data, len);
    if (copy == NULL) {
        return false;
    }
    memcpy((char *)base + field->offset, &copy, sizeof copy);
    *(uint32_t *)(void *)((char *)base + field->offset2) = (uint32_t)len;
    return true;
}

/* Names are relative to the folder of the configuration. */
static bool resolve(const char *config, const char *name, char *ret_path, size_t size)
{
    const char *slash = strrchr(config, '/');
    int n = name[0] == '/' || slash == NULL
                ? snprintf(ret_path, size, "%s", name)
                : snprintf(ret_path, size, "%.*s/%s", (int)(slash - config), config, name);
    return n > 0 && (size_t)n < size;
}

static bool from_file(struct l2v_config_reader *r, const yaml_node_t *node,
                      const struct l2v_config_field *field, void *base, const char *path,
                      const char *name)
{
    char file[1024], step[300];
    char *data = NULL;
    size_t len = 0;
    unsigned mode = 0;
    if (!resolve(r->file, name, file, sizeof file)) {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path, NULL,
                               "the file name is too long");
    }
    int err = l2v_config_read_file(file, L2V_CONFIG_MAX_SECRET, &data, &len, &mode);
    if (err != 0) {
        const char *why = err == EINVAL  ? "not a regular file"
                          : err == EFBIG ? "larger than 4096 bytes"
                                         : strerror(err);
        return l2v_config_fail(r, err == EACCES ? L2TPVOIP_ERR_PERMISSION : L2TPVOIP_ERR_CONFIG,
                               &node->start_mark, path, "create it with the secret in one line",
                               "cannot read %.200s: %s", file, why);
    }
    bool ok = false;
    if ((mode & 077u) != 0) {
        (void)snprintf(step, sizeof step, "chmod 600 %.200s", file);
        (void)l2v_config_fail(r, L2TPVOIP_ERR_PERMISSION, &node->start_mark, path, step,
                              "%.200s has mode %04o; others must not read a secret", file, mode);
    } else {
        size_t end = len; /* one line end is no part of it */
        end -= end > 0 && data[end - 1] == '\n' ? 1 : 0;
        end -= end > 0 && data[end - 1] == '\r' ? 1 : 0;
        ok = keep(r, node, field, base, path, data, end);
    }
    l2v_config_wipe(data, L2V_CONFIG_MAX_SECRET + 1);
    free(data);
    return ok;
}

static bool from_environment(struct l2v_config_reader *r, const yaml_node_t *node,
                             const struct l2v_config_field *field, void *base, const char *path,
                             const char *name)
{
    const char *value = getenv(name);
    if (value == NULL || value[0] == '\0') {
        return l2v_config_fail(r, L2TPVOIP_ERR_CONFIG, &node->start_mark, path,
                               "export it in the shell that starts this program",
                               "the environment variable %.80s is not set", name);
    }
    return keep(r, node, field, base, path, value, strlen(value));
}

bool l2v_config_secret(struct l2v_config_reader *r, const yaml_node_t *node,
                       const struct l2v_config_field *field, unsigned how, void *base,
                       const char *path)
{
    const char *text = NULL;
    if (how == 0 && !r->inline_secrets) {
        char step[300];
        (void)snprintf(step, sizeof step, "chmod 600 %.120s, or use %s_file or %s_env", r->file,
                       field->key, field->key);
        return l2v_config_fail(r, L2TPVOIP_ERR_PERMISSION, &node->start_mark, path, step,
                               "a secret stands in a file that others may read");
    }
    if (!l2v_config_text(r, node, path, &text)) {
        return false;
    }
    switch (how) {
    case 1:
        return from_file(r, node, field, base, path, text);
    case 2:
        return from_environment(r, node, field, base, path, text);
    default:
        return keep(r, node, field, base, path, text, strlen(text));
    }
}
