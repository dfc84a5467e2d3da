/* SPDX-License-Identifier: MIT */
/* status, ping, call, down: ask a running connect or serve. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof sa.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(sa.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
        int err = errno;
        (void)close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

/* The socket that was named, else that of a client, else that of a server. */
static int open_control(const struct cli_options *options)
{
    static const char *const roles[] = {"client", "server"};
    char path[256];
    int fd = -1;
    if (options->control != NULL) {
        return connect_to(options->control);
    }
    for (int i = 0; i < 2 && fd < 0; i++) {
        if (cli_control_default(roles[i], false, path, sizeof path) != CLI_OK) {
            return -1;
        }
        fd = connect_to(path);
    }
    return fd;
}

static int fail(const struct cli_options *options, int exit_code, int code, const char *next_step,
                const char *message)
{
    struct cli_report r;
    memset(&r, 0, sizeof r);
    cli_failure_set(&r.failure, L2TPVOIP_LAYER_APP, code, next_step, "%s", message);
    cli_print_failure(&r.failure);
    if (options->json) {
        cli_report_print(&r, true, stdout);
    }
    return exit_code;
}

/* In the first line: exit code, and how much is for stdout; the rest is for stderr. */
static int take_answer(const struct cli_options *options, int fd)
{
    FILE *f = fdopen(fd, "r");
    char line[64], data[4096];
    size_t n;
    if (f == NULL) {
        (void)close(fd);
        return CLI_INTERNAL;
    }
    if (fgets(line, sizeof line, f) == NULL) {
        (void)fclose(f);
        return fail(options, CLI_PEER_CLOSED, L2TPVOIP_ERR_CLOSED, NULL,
                    "the tunnel went down before there was an answer");
    }
    char *rest = line;
    int code = (int)strtol(line, &rest, 10);
    size_t n_out = strtoul(rest, NULL, 10);
    while (n_out > 0 && (n = fread(data, 1, n_out < sizeof data ? n_out : sizeof data, f)) > 0) {
        (void)fwrite(data, 1, n, stdout);
        n_out -= n;
    }
    while ((n = fread(data, 1, sizeof data, f)) > 0) {
        (void)fwrite(data, 1, n, stderr);
    }
    (void)fclose(f);
    return code;
}

int cli_verb_remote(const struct cli_options *o)
{
    char request[400];
    const char *target = o->n_args > 0 ? o->args[0] : "";
    bool needs_target = strcmp(o->verb, "ping") == 0 || strcmp(o->verb, "call") == 0;
    if (needs_target != (o->n_args == 1) || strpbrk(target, " \n") != NULL ||
        strlen(target) > 128) {
        (void)fprintf(stderr, "usage: l2tpvoip %s%s\n", o->verb,
                      strcmp(o->verb, "call") == 0 ? " HOST:PORT"
                      : needs_target               ? " HOST"
                                                   : "");
        return CLI_USAGE;
    }
    int fd = open_control(o);
    if (fd < 0) {
        return fail(o, CLI_UNREACHABLE, L2TPVOIP_ERR_UNREACHABLE,
                    "start one with `l2tpvoip connect FILE`, or give --control PATH",
                    "no running tunnel was found");
    }
    int n = snprintf(request, sizeof request, "%s %s %s %u %s %u %.3f\n", o->verb,
                     o->json ? "json" : "text", needs_target ? target : "-",
                     strcmp(o->verb, "ping") == 0 ? o->count : o->seconds, o->codec, o->ptime_ms,
                     o->min_mos);
    if (n < 0 || send(fd, request, (size_t)n, MSG_NOSIGNAL) != n) {
        (void)close(fd);
        return fail(o, CLI_UNREACHABLE, L2TPVOIP_ERR_IO, NULL,
                    "the control socket took no request");
    }
    return take_answer(o, fd);
}
