/* SPDX-License-Identifier: MIT */
/* l2tpvoip connect FILE: in the foreground with a control socket, or one call or ping and away. */
#include "cli.h"

#include <signal.h>
#include <string.h>

struct foreground {
    struct cli_client *client;
    bool asked_down;
};

static void put_status(void *user, bool json, FILE *out)
{
    struct foreground *f = user;
    struct cli_report report;
    struct cli_json j;
    memset(&report, 0, sizeof report);
    cli_report_take_tunnel(&report, f->client->tunnel);
    const char *phase = l2tpvoip_phase_name(l2tpvoip_tunnel_get_phase(f->client->tunnel));
    if (!json) {
        (void)fprintf(out, "state     %s\n", phase);
        cli_report_print(&report, false, out);
        (void)fprintf(out, "packets   %llu in, %llu out, %llu lost in the tunnel\n",
                      (unsigned long long)report.counters.rx_packets,
                      (unsigned long long)report.counters.tx_packets,
                      (unsigned long long)report.counters.esp_rx_lost);
        return;
    }
    cli_json_init(&j, out);
    cli_json_open(&j, NULL, '{');
    cli_json_uint(&j, "schema", 1);
    cli_json_text(&j, "role", "client");
    cli_json_text(&j, "state", phase);
    cli_report_members(&report, &j);
    cli_json_close(&j, '}');
    (void)fputc('\n', out);
}

static l2tpvoip_session *find_session(void *user, const char *target)
{
    struct foreground *f = user;
    (void)target;
    return f->client->down ? NULL : l2tpvoip_tunnel_get_session(f->client->tunnel);
}

static void ask_down(void *user)
{
    ((struct foreground *)user)->asked_down = true;
}

static const struct cli_control_ops control_ops = {put_status, find_session, ask_down};

static int run_foreground(struct cli_client *c, const char *control_path)
{
    struct foreground f = {c, false};
    struct cli_control *control = NULL;
    if (cli_control_new(&c->app, control_path, &control_ops, &f, &control) != 0) {
        cli_failure_set(&c->report.failure, L2TPVOIP_LAYER_APP, L2TPVOIP_ERR_EXISTS,
                        "stop the other one with `l2tpvoip down`, or give --control PATH",
                        "the control socket %s cannot be used", control_path);
        return CLI_PERMISSION;
    }
    cli_report_print(&c->report, c->app.options->json, stdout);
    int rc = CLI_OK;
    while (!f.asked_down && !c->down && c->app.interrupts == 0 && rc == CLI_OK) {
        rc = cli_app_run(&c->app, -1) != 0 ? CLI_INTERNAL : CLI_OK;
    }
    cli_control_free(control);
    if (f.asked_down) {
        return CLI_OK;
    }
    if (c->app.interrupts > 0) {
        return c->app.last_signal == SIGTERM ? CLI_OK : CLI_INTERRUPTED;
    }
    if (c->down) {
        (void)l2tpvoip_tunnel_get_failure(c->tunnel, &c->report.failure);
        if (c->report.failure.code == 0) {
            cli_failure_set(&c->report.failure, L2TPVOIP_LAYER_PPP, L2TPVOIP_ERR_PEER_CLOSED,
                            "connect again", "the server closed the connection");
        }
        return cli_exit_code(&c->report.failure);
    }
    return rc;
}

static int run_shots(struct cli_client *c)
{
    const struct cli_options *o = c->app.options;
    int rc = CLI_OK;
    if (o->ping != NULL) {
        rc = cli_client_ping(c, o->ping, o->count);
    }
    if (rc == CLI_OK && o->call != NULL) {
        rc = cli_client_call(c, o->call, o->seconds);
    }
    return rc == CLI_OK ? cli_quality(o, &c->report) : rc;
}

static int run(struct cli_client *c, const l2tpvoip_tunnel_options *options,
               const char *control_path)
{
    const struct cli_options *o = c->app.options;
    bool one_shot = o->call != NULL || o->ping != NULL;
    bool printed = false;
    int rc = cli_client_connect(c, options);
    if (rc == CLI_OK && one_shot) {
        rc = run_shots(c);
    } else if (rc == CLI_OK) {
        rc = run_foreground(c, control_path);
        printed = true;
    }
    cli_client_close(c);
    if (c->report.failure.code != 0) {
        cli_print_failure(&c->report.failure);
    }
    /* In the foreground the result was printed when the tunnel came up. */
    if (!printed || (o->json && c->report.failure.code != 0)) {
        cli_report_print(&c->report, o->json, stdout);
    }
    return rc;
}

int cli_verb_connect(const struct cli_options *options)
{
    struct cli_client c;
    l2tpvoip_config *config = NULL;
    char path[256];
    if (options->n_args != 1) {
        (void)fprintf(stderr, "usage: l2tpvoip connect FILE\n");
        return CLI_USAGE;
    }
    int code = cli_config_load(options->args[0], options->json, &config);
    if (code != CLI_OK) {
        return code;
    }
    const l2tpvoip_tunnel_options *to = l2tpvoip_config_get_client(config);
    if (to == NULL) {
        (void)fprintf(stderr,
                      "%s: has no section client:\nnext step: for a server, l2tpvoip serve\n",
                      options->args[0]);
        l2tpvoip_config_free(config);
        return CLI_CONFIG;
    }
    const char *control =
        options->control != NULL ? options->control : l2tpvoip_config_get_text(config, "control");
    bool one_shot = options->call != NULL || options->ping != NULL;
    if (control == NULL && !one_shot) {
        code = cli_control_default("client", true, path, sizeof path);
        control = path;
    }
    if (code == CLI_OK) {
        code = cli_client_init(&c, options) == 0 ? run(&c, to, control) : CLI_INTERNAL;
        cli_client_clear(&c);
    }
    l2tpvoip_config_free(config);
    return code;
}
