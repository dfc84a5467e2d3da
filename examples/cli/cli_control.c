/* SPDX-License-Identifier: MIT */
/* The control socket of connect and serve. A request is one line of words; the answer is the exit
 * code in a line, then what the asking program shall print. Only the same user and root may ask. */
#define _GNU_SOURCE /* struct ucred */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_REQUEST 512u
#define MAX_WORDS 7

struct peer { /* one that asks */
    struct peer *next;
    struct cli_control *control;
    int fd;
    char request[MAX_REQUEST];
    size_t len;
    bool json;
    double min_mos;
    struct cli_call *call;
    struct cli_ping *ping;
    char *lines; /* told while pinging */
    size_t lines_len;
    FILE *lines_file;
};

struct cli_control {
    struct cli_app *app;
    struct cli_control_ops ops;
    void *user;
    int fd;
    char path[108];
    struct peer *peers;
};

int cli_control_default(const char *role, bool create, char *ret_path, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct stat st;
    char folder[128];
    if (runtime != NULL && runtime[0] == '/' && strlen(runtime) < 64) {
        (void)snprintf(folder, sizeof folder, "%s/l2tpvoip", runtime);
    } else {
        (void)snprintf(folder, sizeof folder, "/tmp/l2tpvoip-%u", (unsigned)getuid());
    }
    if (create && mkdir(folder, 0700) != 0 && errno != EEXIST) {
        (void)fprintf(stderr, "l2tpvoip: cannot make %s: %s\n", folder, strerror(errno));
        return CLI_PERMISSION;
    }
    if (lstat(folder, &st) == 0 &&
        (!S_ISDIR(st.st_mode) || st.st_uid != getuid() || (st.st_mode & 077u) != 0)) {
        (void)fprintf(stderr,
                      "l2tpvoip: %s belongs to somebody else or is open to others\n"
                      "next step: give --control PATH\n",
                      folder);
        return CLI_PERMISSION;
    }
    int n = snprintf(ret_path, size, "%s/%s.sock", folder, role);
    return n > 0 && (size_t)n < size ? CLI_OK : CLI_PERMISSION;
}

static void drop_peer(struct peer *p)
{
    struct peer **at = &p->control->peers;
    while (*at != NULL && *at != p) {
        at = &(*at)->next;
    }
    if (*at == p) {
        *at = p->next;
    }
    cli_call_free(p->call);
    cli_ping_free(p->ping);
    if (p->lines_file != NULL) {
        (void)fclose(p->lines_file);
    }
    free(p->lines);
    (void)l2tpvoip_posix_watch(p->control->app->io, p->fd, 0, NULL, NULL);
    (void)close(p->fd);
    free(p);
}

/* The first n_out bytes are for stdout, the rest is for stderr. Answers are short: a socket buffer
 * takes them whole. */
static void answer(struct peer *p, int code, const char *text, size_t n_out, size_t len)
{
    char head[32];
    int n = snprintf(head, sizeof head, "%d %zu\n", code, n_out);
    if (n > 0 && send(p->fd, head, (size_t)n, MSG_NOSIGNAL) == n) {
        (void)!send(p->fd, text, len, MSG_NOSIGNAL);
    }
    drop_peer(p);
}

static void answer_report(struct peer *p, int code, const struct cli_report *report)
{
    char *text = NULL;
    size_t len = 0, n_out;
    FILE *f = open_memstream(&text, &len);
    if (f == NULL) {
        drop_peer(p);
        return;
    }
    if (p->lines_file != NULL && !p->json) {
        (void)fflush(p->lines_file);
        (void)fwrite(p->lines, 1, p->lines_len, f);
    }
    cli_report_print(report, p->json, f);
    n_out = len;
    if (report->failure.code != 0) {
        (void)fprintf(f, "l2tpvoip: %s (%s)\nnext step: %s\n", report->failure.message,
                      l2tpvoip_error_name(report->failure.code), report->failure.next_step);
    }
    (void)fclose(f);
    answer(p, code, text, n_out, len);
    free(text);
}

static void fail(struct peer *p, int exit_code, int code, const char *next_step,
                 const char *message)
{
    struct cli_report r;
    memset(&r, 0, sizeof r);
    cli_failure_set(&r.failure, L2TPVOIP_LAYER_APP, code, next_step, "%s", message);
    answer_report(p, exit_code, &r);
}

static void on_call_done(void *user, const struct cli_call_result *result)
{
    struct peer *p = user;
    struct cli_report r;
    memset(&r, 0, sizeof r);
    p->call = NULL;
    r.call = *result;
    r.has_call = true;
    struct cli_options o = *p->control->app->options;
    o.min_mos = p->min_mos;
    answer_report(p, cli_quality(&o, &r), &r);
}

static void on_ping_done(void *user, const struct cli_ping_result *result)
{
    struct peer *p = user;
    struct cli_report r;
    memset(&r, 0, sizeof r);
    p->ping = NULL;
    r.ping = *result;
    r.has_ping = true;
    struct cli_options o = *p->control->app->options;
    o.min_mos = p->min_mos;
    answer_report(p, cli_quality(&o, &r), &r);
}

static unsigned number(const char *text, unsigned min, unsigned max, unsigned fallback)
{
    char *end = NULL;
    unsigned long v = text != NULL ? strtoul(text, &end, 10) : 0;
    return text == NULL || end == text || *end != '\0' || v < min || v > max ? fallback
                                                                             : (unsigned)v;
}

static void ask_call(struct peer *p, char **words)
{
    struct cli_control *c = p->control;
    l2tpvoip_session *session = c->ops.find_session(c->user, words[2]);
    l2tpvoip_addr to;
    int rc =
        session == NULL ? L2TPVOIP_ERR_NOT_FOUND : cli_parse_target(words[2], session, true, &to);
    p->min_mos = words[6] != NULL ? strtod(words[6], NULL) : 0;
    if (rc == 0) {
        rc = cli_call_start(c->app, session, &to, words[4] != NULL ? words[4] : "PCMA",
                            number(words[5], 10, 60, 20), number(words[3], 1, 86400, 10),
                            on_call_done, p, &p->call);
    }
    if (rc != 0) {
        fail(p, rc == L2TPVOIP_ERR_INVALID ? CLI_USAGE : cli_exit_code_of(rc), rc,
             "write an inner address such as 10.0.0.1:7, or peer:7", "cannot call there");
    }
}

static void ask_ping(struct peer *p, char **words)
{
    struct cli_control *c = p->control;
    l2tpvoip_session *session = c->ops.find_session(c->user, words[2]);
    l2tpvoip_addr to;
    p->lines_file = open_memstream(&p->lines, &p->lines_len);
    int rc =
        session == NULL ? L2TPVOIP_ERR_NOT_FOUND : cli_parse_target(words[2], session, false, &to);
    if (rc == 0) {
        rc = cli_ping_start(c->app, session, &to, number(words[3], 1, 3600, 4), p->lines_file,
                            on_ping_done, p, &p->ping);
    }
    if (rc != 0) {
        fail(p, rc == L2TPVOIP_ERR_INVALID ? CLI_USAGE : cli_exit_code_of(rc), rc,
             "write an inner address such as 10.0.0.1, or peer", "cannot ping there");
    }
}

static void ask_status(struct peer *p)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (f == NULL) {
        drop_peer(p);
        return;
    }
    p->control->ops.status(p->control->user, p->json, f);
    (void)fclose(f);
    answer(p, CLI_OK, text, len, len);
    free(text);
}

/* VERB json|text [TARGET [NUMBER [CODEC [PTIME [MOS]]]]] */
static void handle(struct peer *p)
{
    char *words[MAX_WORDS + 1] = {NULL}, *save = NULL;
    char *word = strtok_r(p->request, " \n", &save);
    for (int n = 0; word != NULL && n < MAX_WORDS; n++) {
        words[n] = word;
        word = strtok_r(NULL, " \n", &save);
    }
    p->json = words[1] != NULL && strcmp(words[1], "json") == 0;
    if (words[0] != NULL && strcmp(words[0], "status") == 0) {
        ask_status(p);
    } else if (words[0] != NULL && strcmp(words[0], "down") == 0) {
        static const char json[] = "{\"schema\":1,\"state\":\"closing\"}\n";
        p->control->ops.down(p->control->user);
        size_t len = p->json ? sizeof json - 1 : 0;
        answer(p, CLI_OK, json, len, len);
    } else if (words[2] != NULL && strcmp(words[0], "call") == 0) {
        ask_call(p, words);
    } else if (words[2] != NULL && strcmp(words[0], "ping") == 0) {
        ask_ping(p, words);
    } else {
        fail(p, CLI_USAGE, L2TPVOIP_ERR_INVALID, "", "no such request");
    }
}

static void on_peer(void *user, short revents)
{
    struct peer *p = user;
    (void)revents;
    ssize_t n = recv(p->fd, p->request + p->len, sizeof p->request - 1 - p->len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0 || p->call != NULL || p->ping != NULL) { /* gone, or a second request */
        drop_peer(p);
        return;
    }
    p->len += (size_t)n;
    p->request[p->len] = '\0';
    if (strchr(p->request, '\n') != NULL) {
        p->len = 0;
        handle(p);
    } else if (p->len == sizeof p->request - 1) {
        drop_peer(p);
    }
}

static void on_listener(void *user, short revents)
{
    struct cli_control *c = user;
    struct ucred who;
    socklen_t len = sizeof who;
    (void)revents;
    int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct peer *p = calloc(1, sizeof *p);
    if (p == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 ||
        (who.uid != getuid() && who.uid != 0) ||
        l2tpvoip_posix_watch(c->app->io, fd, POLLIN, on_peer, p) != 0) {
        free(p);
        (void)close(fd);
        return;
    }
    p->control = c;
    p->fd = fd;
    p->next = c->peers;
    c->peers = p;
}

/* A socket file that nobody answers at is left over from a crash. */
static bool is_stale(const struct sockaddr_un *sa)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool stale = fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof *sa) != 0 &&
                 errno == ECONNREFUSED;
    if (fd >= 0) {
        (void)close(fd);
    }
    return stale;
}

static int listen_at(struct cli_control *c)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    memcpy(sa.sun_path, c->path, sizeof sa.sun_path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0) {
        return L2TPVOIP_ERR_IO;
    }
    mode_t old = umask(0177);
    int rc = bind(c->fd, (struct sockaddr *)&sa, sizeof sa);
    if (rc != 0 && errno == EADDRINUSE && is_stale(&sa)) {
        (void)unlink(c->path);
        rc = bind(c->fd, (struct sockaddr *)&sa, sizeof sa);
    }
    (void)umask(old);
    if (rc != 0 || listen(c->fd, 8) != 0) {
        return L2TPVOIP_ERR_EXISTS;
    }
    return l2tpvoip_posix_watch(c->app->io, c->fd, POLLIN, on_listener, c);
}

int cli_control_new(struct cli_app *app, const char *path, const struct cli_control_ops *ops,
                    void *user, struct cli_control **ret_control)
{
    struct cli_control *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    c->app = app;
    c->ops = *ops;
    c->user = user;
    c->fd = -1;
    if (strlen(path) >= sizeof c->path) {
        free(c);
        return L2TPVOIP_ERR_INVALID;
    }
    memcpy(c->path, path, strlen(path) + 1);
    int rc = listen_at(c);
    if (rc != 0) {
        if (c->fd >= 0) {
            (void)close(c->fd);
        }
        free(c);
        return rc;
    }
    *ret_control = c;
    return 0;
}

void cli_control_free(struct cli_control *c)
{
    if (c == NULL) {
        return;
    }
    for (struct peer *p = c->peers, *next; p != NULL; p = next) {
        next = p->next;
        drop_peer(p);
    }
    (void)l2tpvoip_posix_watch(c->app->io, c->fd, 0, NULL, NULL);
    (void)close(c->fd);
    (void)unlink(c->path);
    free(c);
}
