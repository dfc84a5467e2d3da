/* SPDX-License-Identifier: MIT */
/* One context with its backend, signals and log. */
#include "cli.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <poll.h>
#include <unistd.h>

static void write_log(void *user, int32_t level, const char *module, const char *msg, size_t len)
{
    static const char *const names[] = {"", "error", "warning", "notice", "info", "debug"};
    (void)user;
    (void)fprintf(stderr, "%s %s: %.*s\n", level >= 1 && level <= 5 ? names[level] : "?", module,
                  (int)len, msg);
}

static void on_signal(void *user, short revents)
{
    struct cli_app *app = user;
    struct signalfd_siginfo info;
    (void)revents;
    if (read(app->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        app->interrupts++;
        app->last_signal = (int)info.ssi_signo;
    }
}

static int watch_for_signals(struct cli_app *app)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    app->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (app->signal_fd < 0) {
        return L2TPVOIP_ERR_IO;
    }
    return l2tpvoip_posix_watch(app->io, app->signal_fd, POLLIN, on_signal, app);
}

int cli_app_init(struct cli_app *app, const struct cli_options *options, bool watch_signals,
                 l2tpvoip_event_fn on_event, void *user)
{
    l2tpvoip_context_options co;
    l2tpvoip_log_ops log = {.size = sizeof log, .write = write_log};
    l2tpvoip_tap_ops tap = {.size = sizeof tap};
    memset(app, 0, sizeof *app);
    app->options = options;
    app->signal_fd = -1;
    int rc = l2tpvoip_posix_new(&app->io);
    if (rc == 0 && watch_signals) { /* the program's own context also has the taps */
        rc = watch_for_signals(app);
        if (rc == 0) {
            rc = cli_taps_new(options, &app->taps, &tap);
        }
    }
    if (rc == 0) {
        log.level = (int32_t)(options->verbose > 2 ? 5 : options->verbose * 2);
        l2tpvoip_context_options_init(&co, sizeof co);
        l2tpvoip_posix_get_ops(app->io, &co.io, &co.env);
        co.log = options->verbose > 0 ? &log : NULL;
        co.tap = app->taps != NULL ? &tap : NULL;
        co.on_event = on_event;
        co.event_user = user;
        rc = l2tpvoip_context_new(&co, l2tpvoip_posix_now(), &app->ctx);
        if (rc != 0) {
            (void)fprintf(stderr, "l2tpvoip: cannot start the library: %s\n",
                          l2tpvoip_error_text(rc));
        }
    }
    if (rc == 0) {
        l2tpvoip_posix_attach(app->io, app->ctx);
    }
    return rc;
}

void cli_app_clear(struct cli_app *app)
{
    l2tpvoip_context_free(app->ctx);
    l2tpvoip_posix_free(app->io);
    if (app->signal_fd >= 0) {
        (void)close(app->signal_fd);
    }
    cli_taps_free(app->taps);
    memset(app, 0, sizeof *app);
    app->signal_fd = -1;
}

int cli_app_run(struct cli_app *app, int max_wait_ms)
{
    return l2tpvoip_posix_run_once(app->io, max_wait_ms);
}

/* --- failures ------------------------------------------------------------------------------- */

int cli_exit_code_of(int code)
{
    switch (code) {
    case L2TPVOIP_OK:
        return CLI_OK;
    case L2TPVOIP_ERR_CONFIG:
    case L2TPVOIP_ERR_INVALID:
    case L2TPVOIP_ERR_UNSUPPORTED:
        return CLI_CONFIG;
    case L2TPVOIP_ERR_UNREACHABLE:
    case L2TPVOIP_ERR_RESOLVE:
    case L2TPVOIP_ERR_IO:
    case L2TPVOIP_ERR_NOT_FOUND:
        return CLI_UNREACHABLE;
    case L2TPVOIP_ERR_TIMEOUT:
        return CLI_TIMEOUT;
    case L2TPVOIP_ERR_AUTH_IKE:
    case L2TPVOIP_ERR_AUTH_PEER:
    case L2TPVOIP_ERR_AUTH_L2TP:
        return CLI_AUTH_IKE;
    case L2TPVOIP_ERR_AUTH_PPP:
        return CLI_AUTH_PPP;
    case L2TPVOIP_ERR_NO_PROPOSAL:
    case L2TPVOIP_ERR_NEGOTIATION:
    case L2TPVOIP_ERR_REFUSED:
    case L2TPVOIP_ERR_PROTOCOL:
    case L2TPVOIP_ERR_MALFORMED:
    case L2TPVOIP_ERR_INTEGRITY:
    case L2TPVOIP_ERR_MSGSIZE:
        return CLI_NEGOTIATION;
    case L2TPVOIP_ERR_CLOSED:
    case L2TPVOIP_ERR_PEER_CLOSED:
        return CLI_PEER_CLOSED;
    case L2TPVOIP_ERR_PERMISSION:
        return CLI_PERMISSION;
    default:
        return CLI_INTERNAL;
    }
}

int cli_exit_code(const l2tpvoip_failure *f)
{
    bool in_ppp = f->layer == L2TPVOIP_LAYER_PPP || f->layer == L2TPVOIP_LAYER_AUTH;
    if (f->code == L2TPVOIP_ERR_AUTH_PEER && in_ppp) {
        return CLI_AUTH_PPP;
    }
    return cli_exit_code_of(f->code);
}

void cli_failure_set(l2tpvoip_failure *f, int layer, int code, const char *next_step,
                     const char *format, ...)
{
    va_list ap;
    memset(f, 0, sizeof *f);
    f->layer = layer;
    f->code = code;
    va_start(ap, format);
    (void)vsnprintf(f->message, sizeof f->message, format, ap);
    va_end(ap);
    (void)snprintf(f->next_step, sizeof f->next_step, "%s", next_step != NULL ? next_step : "");
}

int cli_parse_target(const char *text, const l2tpvoip_session *session, bool need_port,
                     l2tpvoip_addr *ret_addr)
{
    l2tpvoip_session_info info = {.size = sizeof info};
    l2tpvoip_addr addr;
    char numeric[128];
    if (strncmp(text, "peer", 4) == 0 && (text[4] == '\0' || text[4] == ':') && session != NULL) {
        char ip[64];
        int rc = l2tpvoip_session_get_info(session, &info);
        if (rc != 0 || info.remote4.family == 0) {
            return L2TPVOIP_ERR_INVALID;
        }
        (void)l2tpvoip_addr_format(&info.remote4, ip, sizeof ip);
        (void)snprintf(numeric, sizeof numeric, "%s%.16s", ip, text + 4);
        text = numeric;
    }
    if (l2tpvoip_addr_parse(text, &addr) != 0 || addr.family == 0 ||
        (need_port && addr.port == 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    *ret_addr = addr;
    return 0;
}
