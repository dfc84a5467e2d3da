/* SPDX-License-Identifier: MIT */
/* l2tpvoip serve FILE: a server in the foreground, with a UDP echo on its inner address. */
#include "cli.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define ECHO_PORT_DEFAULT 7u
#define CLOSE_NS (4 * CLI_NS_PER_S)

struct serve {
    struct cli_app app;
    l2tpvoip_server *server;
    l2tpvoip_socket *echo;
    bool listening, down, asked_down;
    uint16_t echo_port;
    uint64_t came, went;
    l2tpvoip_failure failure;
};

static void tell_session(const struct serve *s, const l2tpvoip_session *session, bool up)
{
    l2tpvoip_session_info info = {.size = sizeof info};
    char inner[64], outer[64];
    if (s->app.options->quiet || l2tpvoip_session_get_info(session, &info) != 0) {
        return;
    }
    if (!up) { /* its addresses are gone */
        (void)fprintf(stderr, "down %s\n", info.user);
        return;
    }
    (void)l2tpvoip_addr_format(&info.remote4, inner, sizeof inner);
    (void)l2tpvoip_addr_format(&info.outer_remote, outer, sizeof outer);
    (void)fprintf(stderr, "up   %s from %s as %s, %s, ESP %s\n", info.user, outer, inner, info.ike,
                  info.esp);
}

static void on_event(void *user, const l2tpvoip_event *event)
{
    struct serve *s = user;
    switch (event->type) {
    case L2TPVOIP_EVENT_SERVER_UP:
        s->listening = true;
        break;
    case L2TPVOIP_EVENT_SERVER_DOWN:
        s->down = true;
        break;
    case L2TPVOIP_EVENT_SESSION_UP:
        s->came++;
        tell_session(s, event->session, true);
        break;
    case L2TPVOIP_EVENT_SESSION_DOWN:
        s->went++;
        tell_session(s, event->session, false);
        break;
    default:
        break;
    }
}

/* --- status --------------------------------------------------------------------------------- */

struct listing {
    struct cli_json *json; /* or */
    FILE *text;
};

static int list_session(void *user, l2tpvoip_session *session)
{
    struct listing *l = user;
    struct cli_report r;
    char inner[64];
    memset(&r, 0, sizeof r);
    cli_report_take_session(&r, session);
    if (!r.has_session) {
        return 0;
    }
    if (l->json != NULL) {
        cli_json_open(l->json, NULL, '{');
        cli_report_members(&r, l->json);
        cli_json_close(l->json, '}');
        return 0;
    }
    (void)l2tpvoip_addr_format(&r.session.remote4, inner, sizeof inner);
    (void)fprintf(l->text,
                  "%-15s %-16s %s, ESP %s, %" PRIu64 " in, %" PRIu64 " out, %" PRIu64 " lost\n",
                  inner, r.session.user, r.session.ike, r.session.esp, r.counters.rx_packets,
                  r.counters.tx_packets, r.counters.esp_rx_lost);
    return 0;
}

static void put_status(void *user, bool json, FILE *out)
{
    struct serve *s = user;
    struct cli_json j;
    struct listing l = {json ? &j : NULL, out};
    const char *state = s->down ? "down" : s->listening ? "listening" : "starting";
    uint32_t n = l2tpvoip_server_count_sessions(s->server);
    if (!json) {
        (void)fprintf(out, "state     %s, %u sessions\n", state, n);
        (void)l2tpvoip_server_each_session(s->server, list_session, &l);
        return;
    }
    cli_json_init(&j, out);
    cli_json_open(&j, NULL, '{');
    cli_json_uint(&j, "schema", 1);
    cli_json_text(&j, "role", "server");
    cli_json_text(&j, "state", state);
    cli_json_uint(&j, "sessions_up", n);
    cli_json_uint(&j, "sessions_total", s->came);
    cli_json_open(&j, "sessions", '[');
    (void)l2tpvoip_server_each_session(s->server, list_session, &l);
    cli_json_close(&j, ']');
    cli_json_close(&j, '}');
    (void)fputc('\n', out);
}

struct search {
    l2tpvoip_addr addr;
    l2tpvoip_session *found;
};

static int match_session(void *user, l2tpvoip_session *session)
{
    struct search *f = user;
    l2tpvoip_session_info info = {.size = sizeof info};
    if (l2tpvoip_session_get_info(session, &info) == 0 && info.remote4.family == f->addr.family &&
        memcmp(info.remote4.ip, f->addr.ip, 4) == 0) {
        f->found = session;
        return 1;
    }
    return 0;
}

/* Which client has this inner address? */
static l2tpvoip_session *find_session(void *user, const char *target)
{
    struct serve *s = user;
    struct search f;
    memset(&f, 0, sizeof f);
    if (l2tpvoip_addr_parse(target, &f.addr) != 0) {
        return NULL;
    }
    (void)l2tpvoip_server_each_session(s->server, match_session, &f);
    return f.found;
}

static void ask_down(void *user)
{
    ((struct serve *)user)->asked_down = true;
}

static const struct cli_control_ops control_ops = {put_status, find_session, ask_down};

/* --- life ----------------------------------------------------------------------------------- */

static void tell_listening(const struct serve *s)
{
    l2tpvoip_addr addrs[3];
    static const char *const names[3] = {"ike", "natt", "l2tp"};
    struct cli_json j;
    memset(addrs, 0, sizeof addrs);
    (void)l2tpvoip_server_get_addresses(s->server, &addrs[0], &addrs[1], &addrs[2]);
    if (s->app.options->json) {
        cli_json_init(&j, stdout);
        cli_json_open(&j, NULL, '{');
        cli_json_uint(&j, "schema", 1);
        cli_json_text(&j, "state", "listening");
    }
    for (int i = 0; i < 3; i++) {
        char text[64];
        if (addrs[i].family == 0) {
            continue;
        }
        (void)l2tpvoip_addr_format(&addrs[i], text, sizeof text);
        if (s->app.options->json) {
            cli_json_text(&j, names[i], text);
        } else {
            (void)printf("listening %s on %s\n", names[i], text);
        }
    }
    if (s->app.options->json) {
        cli_json_uint(&j, "echo_port", s->echo_port);
        cli_json_close(&j, '}');
        (void)fputc('\n', stdout);
    } else if (s->echo_port != 0) {
        (void)printf("echo on inner UDP port %u\n", s->echo_port);
    }
    (void)fflush(stdout);
}

static int start(struct serve *s, const l2tpvoip_server_options *options)
{
    int rc = l2tpvoip_server_new(s->app.ctx, options, &s->server);
    if (rc == L2TPVOIP_ERR_CONFIG) {
        (void)l2tpvoip_context_get_failure(s->app.ctx, &s->failure);
    }
    while (rc == 0 && !s->listening && !s->down && s->app.interrupts == 0) {
        rc = cli_app_run(&s->app, -1);
    }
    if (rc == 0 && s->down) {
        (void)l2tpvoip_server_get_failure(s->server, &s->failure);
        rc = s->failure.code != 0 ? s->failure.code : L2TPVOIP_ERR_IO;
    }
    if (rc == 0 && s->echo_port != 0) {
        rc = cli_echo_new(s->server, s->echo_port, &s->echo);
    }
    if (rc != 0 && s->failure.code == 0) {
        cli_failure_set(&s->failure, L2TPVOIP_LAYER_PATH, rc, NULL, "the server cannot start: %s",
                        l2tpvoip_error_text(rc));
    }
    return rc;
}

static void stop(struct serve *s)
{
    uint64_t end = l2tpvoip_posix_now() + CLOSE_NS;
    unsigned before = s->app.interrupts;
    if (s->server == NULL || s->down || l2tpvoip_server_close(s->server) != 0) {
        return;
    }
    while (!s->down && l2tpvoip_posix_now() < end && s->app.interrupts == before) {
        if (cli_app_run(&s->app, 100) != 0) {
            break;
        }
    }
}

static int run(struct serve *s, const l2tpvoip_server_options *options, const char *control_path)
{
    struct cli_control *control = NULL;
    if (start(s, options) != 0) {
        return cli_exit_code(&s->failure);
    }
    if (cli_control_new(&s->app, control_path, &control_ops, s, &control) != 0) {
        cli_failure_set(&s->failure, L2TPVOIP_LAYER_APP, L2TPVOIP_ERR_EXISTS,
                        "stop the other one with `l2tpvoip down`, or give --control PATH",
                        "the control socket %s cannot be used", control_path);
        return CLI_PERMISSION;
    }
    tell_listening(s);
    int rc = CLI_OK;
    while (!s->asked_down && !s->down && s->app.interrupts == 0 && rc == CLI_OK) {
        rc = cli_app_run(&s->app, -1) != 0 ? CLI_INTERNAL : CLI_OK;
    }
    cli_control_free(control);
    if (s->down) {
        (void)l2tpvoip_server_get_failure(s->server, &s->failure);
        return s->failure.code != 0 ? cli_exit_code(&s->failure) : CLI_INTERNAL;
    }
    bool interrupted = s->app.interrupts > 0 && s->app.last_signal != SIGTERM;
    stop(s);
    return rc != CLI_OK ? rc : interrupted ? CLI_INTERRUPTED : CLI_OK;
}

static int serve(const struct cli_options *options, const l2tpvoip_server_options *so,
                 const l2tpvoip_config *config)
{
    struct serve s;
    char path[256];
    uint64_t port = ECHO_PORT_DEFAULT;
    const char *control =
        options->control != NULL ? options->control : l2tpvoip_config_get_text(config, "control");
    if (control == NULL) {
        if (cli_control_default("server", true, path, sizeof path) != CLI_OK) {
            return CLI_PERMISSION;
        }
        control = path;
    }
    memset(&s, 0, sizeof s);
    int code = cli_app_init(&s.app, options, true, on_event, &s) == 0 ? CLI_OK : CLI_INTERNAL;
    (void)l2tpvoip_config_get_number(config, "echo_port", &port);
    s.echo_port = (uint16_t)port;
    if (code == CLI_OK) {
        code = run(&s, so, control);
    }
    if (s.failure.code != 0) {
        struct cli_report report;
        memset(&report, 0, sizeof report);
        report.failure = s.failure;
        cli_print_failure(&s.failure);
        if (options->json) {
            cli_report_print(&report, true, stdout);
        }
    }
    l2tpvoip_socket_free(s.echo);
    l2tpvoip_server_free(s.server);
    cli_app_clear(&s.app);
    return code;
}

int cli_verb_serve(const struct cli_options *options)
{
    l2tpvoip_config *config = NULL;
    if (options->n_args != 1) {
        (void)fprintf(stderr, "usage: l2tpvoip serve FILE\n");
        return CLI_USAGE;
    }
    int code = cli_config_load(options->args[0], options->json, &config);
    if (code != CLI_OK) {
        return code;
    }
    const l2tpvoip_server_options *so = l2tpvoip_config_get_server(config);
    if (so == NULL) {
        (void)fprintf(stderr,
                      "%s: has no section server:\nnext step: for a client, l2tpvoip connect\n",
                      options->args[0]);
        code = CLI_CONFIG;
    } else {
        code = serve(options, so, config);
    }
    l2tpvoip_config_free(config);
    return code;
}
