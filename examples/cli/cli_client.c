/* SPDX-License-Identifier: MIT */
/* One tunnel, from the first packet to the last. */
#include "cli.h"

#include <string.h>

#define CLOSE_NS (4 * CLI_NS_PER_S)
#define TRIES 3u /* so that IKE can tell a wrong key before the whole set-up runs out of time */

static void on_event(void *user, const l2tpvoip_event *event)
{
    struct cli_client *c = user;
    if (event->tunnel == NULL || event->tunnel != c->tunnel) {
        return;
    }
    switch (event->type) {
    case L2TPVOIP_EVENT_TUNNEL_UP:
        c->up = true;
        break;
    case L2TPVOIP_EVENT_TUNNEL_DOWN:
        c->down = true;
        return;
    case L2TPVOIP_EVENT_CREDENTIALS_NEEDED: /* a configuration has them, or there are none */
        (void)l2tpvoip_tunnel_provide_credentials(event->tunnel, NULL, NULL, 0);
        return;
    case L2TPVOIP_EVENT_REKEYED:
        if (!c->app.options->quiet) {
            (void)fprintf(stderr, "rekeyed\n");
        }
        return;
    case L2TPVOIP_EVENT_PATH_CHANGED:
        if (!c->app.options->quiet) {
            (void)fprintf(stderr, "the server's address changed\n");
        }
        return;
    default:
        break;
    }
    if (!c->app.options->quiet) {
        cli_print_progress(c->tunnel, &c->printed);
    }
}

int cli_client_init(struct cli_client *c, const struct cli_options *options)
{
    memset(c, 0, sizeof *c);
    return cli_app_init(&c->app, options, true, on_event, c);
}

void cli_client_clear(struct cli_client *c)
{
    l2tpvoip_tunnel_free(c->tunnel);
    c->tunnel = NULL;
    cli_app_clear(&c->app);
}

static void take_failure(struct cli_client *c)
{
    cli_report_take_tunnel(&c->report, c->tunnel);
    c->report.has_session = c->report.has_session && c->up;
    (void)l2tpvoip_tunnel_get_failure(c->tunnel, &c->report.failure);
    if (c->report.failure.code == 0) {
        cli_failure_set(&c->report.failure, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_PEER_CLOSED,
                        "connect again", "the server closed the connection");
    }
}

/* Runs until *done, the tunnel is down, or somebody presses Ctrl-C. */
static int run_until(struct cli_client *c, const bool *done)
{
    unsigned before = c->app.interrupts;
    while (!*done && !c->down && c->app.interrupts == before) {
        int rc = cli_app_run(&c->app, -1);
        if (rc != 0) {
            cli_failure_set(&c->report.failure, L2TPVOIP_LAYER_APP, rc, NULL,
                            "the event loop failed: %s", l2tpvoip_error_text(rc));
            return CLI_INTERNAL;
        }
    }
    if (c->app.interrupts != before) {
        return CLI_INTERRUPTED;
    }
    if (c->down) {
        take_failure(c);
        return cli_exit_code(&c->report.failure);
    }
    return CLI_OK;
}

int cli_client_connect(struct cli_client *c, const l2tpvoip_tunnel_options *options)
{
    l2tpvoip_tunnel_options o = *options;
    if (o.ipsec.retransmit_tries == 0) {
        o.ipsec.retransmit_tries = TRIES;
    }
    int rc = l2tpvoip_tunnel_new(c->app.ctx, &o, &c->tunnel);
    if (rc != 0) {
        if (rc != L2TPVOIP_ERR_CONFIG ||
            l2tpvoip_context_get_failure(c->app.ctx, &c->report.failure) != 0 ||
            c->report.failure.code == 0) {
            cli_failure_set(&c->report.failure, L2TPVOIP_LAYER_CONFIG, rc, NULL,
                            "cannot make the tunnel: %s", l2tpvoip_error_text(rc));
        }
        return cli_exit_code(&c->report.failure);
    }
    rc = run_until(c, &c->up);
    cli_report_take_tunnel(&c->report, c->tunnel);
    if (rc == 0 && !c->app.options->quiet) {
        (void)fprintf(stderr, "%-8s %s in %.1f ms\n", "up", cli_is_utf8() ? "\xe2\x9c\x93" : "ok",
                      cli_up_ms(c->report.times));
    }
    return rc;
}

void cli_client_close(struct cli_client *c)
{
    uint64_t end = l2tpvoip_posix_now() + CLOSE_NS;
    unsigned before = c->app.interrupts;
    if (c->tunnel == NULL || c->down || l2tpvoip_tunnel_close(c->tunnel) != 0) {
        return;
    }
    while (!c->down && l2tpvoip_posix_now() < end && c->app.interrupts == before) {
        if (cli_app_run(&c->app, 100) != 0) {
            break;
        }
    }
}

/* --- one-shots ------------------------------------------------------------------------------ */

struct shot {
    struct cli_report *report;
    bool done;
};

static void on_call_done(void *user, const struct cli_call_result *result)
{
    struct shot *s = user;
    s->report->call = *result;
    s->report->has_call = true;
    s->done = true;
}

static void on_ping_done(void *user, const struct cli_ping_result *result)
{
    struct shot *s = user;
    s->report->ping = *result;
    s->report->has_ping = true;
    s->done = true;
}

static int fail_shot(struct cli_client *c, int code, const char *what, const char *target)
{
    bool syntax = code == L2TPVOIP_ERR_INVALID;
    cli_failure_set(&c->report.failure, L2TPVOIP_LAYER_APP, code,
                    syntax ? "write an inner address such as 10.0.0.1:7, or peer:7" : NULL,
                    "cannot %s %s: %s", what, target,
                    syntax ? "no such address" : l2tpvoip_error_text(code));
    return syntax ? CLI_USAGE : cli_exit_code(&c->report.failure);
}

int cli_client_call(struct cli_client *c, const char *target, unsigned seconds)
{
    const struct cli_options *o = c->app.options;
    struct cli_call *call = NULL;
    struct shot shot = {&c->report, false};
    l2tpvoip_session *session = l2tpvoip_tunnel_get_session(c->tunnel);
    l2tpvoip_addr to;
    int rc = cli_parse_target(target, session, true, &to);
    if (rc == 0) {
        rc = cli_call_start(&c->app, session, &to, o->codec, o->ptime_ms, seconds, on_call_done,
                            &shot, &call);
    }
    if (rc != 0) {
        return fail_shot(c, rc, "call", target);
    }
    rc = run_until(c, &shot.done);
    if (!shot.done) { /* what was measured so far */
        cli_call_finish(call);
    }
    if (!c->down) {
        cli_report_take_session(&c->report, session);
    }
    return rc;
}

int cli_client_ping(struct cli_client *c, const char *target, unsigned count)
{
    struct cli_ping *ping = NULL;
    struct shot shot = {&c->report, false};
    l2tpvoip_session *session = l2tpvoip_tunnel_get_session(c->tunnel);
    l2tpvoip_addr to;
    int rc = cli_parse_target(target, session, false, &to);
    if (rc == 0) {
        rc = cli_ping_start(&c->app, session, &to, count, c->app.options->quiet ? NULL : stderr,
                            on_ping_done, &shot, &ping);
    }
    if (rc != 0) {
        return fail_shot(c, rc, "ping", target);
    }
    rc = run_until(c, &shot.done);
    if (!shot.done) {
        cli_ping_free(ping);
    }
    return rc;
}

int cli_quality(const struct cli_options *options, const struct cli_report *r)
{
    if (r->has_ping && r->ping.received == 0) {
        return CLI_TIMEOUT;
    }
    if (r->has_call && r->call.stats.received == 0) {
        return CLI_TIMEOUT;
    }
    if (r->has_call && options->min_mos > 0 && r->call.stats.mos_cq < options->min_mos) {
        return CLI_QUALITY;
    }
    return CLI_OK;
}
