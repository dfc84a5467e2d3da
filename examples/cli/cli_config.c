/* SPDX-License-Identifier: MIT */
/* Reading configurations, and `config check`. */
#include "cli.h"

#include <string.h>

static const l2tpvoip_config_extra extras[] = {
    {"control", L2TPVOIP_CONFIG_TEXT, 0, 0, 0},
    {"echo_port", L2TPVOIP_CONFIG_NUMBER, 0, 0, 65535},
};

static void print_error(const l2tpvoip_config_error *e, bool json)
{
    char text[1280];
    struct cli_json j;
    (void)l2tpvoip_config_error_format(e, text, sizeof text);
    (void)fprintf(stderr, "%s\n", text);
    if (e->next_step[0] != '\0') {
        (void)fprintf(stderr, "next step: %s\n", e->next_step);
    }
    if (!json) {
        return;
    }
    cli_json_init(&j, stdout);
    cli_json_open(&j, NULL, '{');
    cli_json_uint(&j, "schema", 1);
    cli_json_open(&j, "error", '{');
    cli_json_text(&j, "layer", "config");
    cli_json_text(&j, "code", l2tpvoip_error_name(e->code));
    cli_json_int(&j, "peer_code", 0);
    cli_json_text(&j, "message", text);
    cli_json_text(&j, "next_step", e->next_step);
    cli_json_text(&j, "file", e->file);
    cli_json_uint(&j, "line", e->line);
    cli_json_uint(&j, "column", e->column);
    cli_json_text(&j, "key", e->key);
    cli_json_close(&j, '}');
    cli_json_close(&j, '}');
    (void)fputc('\n', stdout);
}

int cli_config_load(const char *path, bool json, l2tpvoip_config **ret_config)
{
    l2tpvoip_config_options o;
    l2tpvoip_config_error error;
    memset(&error, 0, sizeof error);
    l2tpvoip_config_options_init(&o, sizeof o);
    o.section = "cli";
    o.extras = extras;
    o.n_extras = sizeof extras / sizeof extras[0];
    int rc = l2tpvoip_config_load(path, &o, ret_config, &error);
    if (rc != 0) {
        print_error(&error, json);
        return CLI_CONFIG;
    }
    return CLI_OK;
}

static void print_text(const l2tpvoip_tunnel_options *c, const l2tpvoip_server_options *s)
{
    char listen[64] = "";
    if (c != NULL) {
        const char *profile = l2tpvoip_profile_name(c->ipsec.profile);
        (void)printf("client of %s as %s, profile %s%s\n", c->server,
                     c->ppp.user != NULL ? c->ppp.user : "nobody", profile != NULL ? profile : "?",
                     c->ipsec.security == L2TPVOIP_SECURITY_NONE ? ", without IPsec" : "");
    }
    if (s != NULL) {
        (void)l2tpvoip_addr_format(&s->listen, listen, sizeof listen);
        (void)printf("server on %s for %u users, %u addresses%s\n", listen, s->n_users,
                     s->pool_size,
                     s->ipsec.security == L2TPVOIP_SECURITY_NONE ? ", without IPsec" : "");
    }
}

int cli_verb_config(const struct cli_options *options)
{
    l2tpvoip_config *config = NULL;
    if (options->n_args < 2 || strcmp(options->args[0], "check") != 0) {
        (void)fprintf(stderr, "usage: l2tpvoip config check FILE\n");
        return CLI_USAGE;
    }
    int code = cli_config_load(options->args[1], options->json, &config);
    if (code != CLI_OK) {
        return code;
    }
    const l2tpvoip_tunnel_options *c = l2tpvoip_config_get_client(config);
    const l2tpvoip_server_options *s = l2tpvoip_config_get_server(config);
    if (options->json) {
        struct cli_json j;
        cli_json_init(&j, stdout);
        cli_json_open(&j, NULL, '{');
        cli_json_uint(&j, "schema", 1);
        cli_json_bool(&j, "ok", true);
        cli_json_bool(&j, "client", c != NULL);
        cli_json_bool(&j, "server", s != NULL);
        cli_json_close(&j, '}');
        (void)fputc('\n', stdout);
    } else {
        print_text(c, s);
    }
    l2tpvoip_config_free(config);
    return CLI_OK;
}
