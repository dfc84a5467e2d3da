/* SPDX-License-Identifier: MIT */
/* l2tpvoip demo: a server and a phone in one process, over real UDP on loopback. The two contexts
 * share nothing; the server's runs on a thread of its own. */
#include "cli.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO_PORT 7
#define TRIES 5

struct demo {
    struct cli_app app; /* of the server */
    l2tpvoip_server *server;
    l2tpvoip_socket *echo;
    uint16_t ike_port, natt_port;
    char psk[33], password[33];
    bool listening, failed; /* before the thread starts */
    bool stop;              /* on the server's thread */
    l2tpvoip_failure failure;
};

static int make_secret(char *text, size_t size)
{
    uint8_t random[16];
    if (size < 33 || getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    for (size_t i = 0; i < sizeof random; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", random[i]);
    }
    return 0;
}

/* Two ports that are free now: an unprivileged program cannot have 500 and 4500. */
static int find_ports(uint16_t *ret_ike, uint16_t *ret_natt)
{
    int fds[2] = {-1, -1};
    uint16_t ports[2] = {0, 0};
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        struct sockaddr_in sa = {.sin_family = AF_INET};
        socklen_t len = sizeof sa;
        sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fds[i] < 0 || bind(fds[i], (struct sockaddr *)&sa, sizeof sa) != 0 ||
            getsockname(fds[i], (struct sockaddr *)&sa, &len) != 0) {
            rc = L2TPVOIP_ERR_IO;
        }
        ports[i] = ntohs(sa.sin_port);
    }
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    *ret_ike = ports[0];
    *ret_natt = ports[1];
    return rc;
}

static void on_event(void *user, const l2tpvoip_event *event)
{
    struct demo *d = user;
    if (event->type == L2TPVOIP_EVENT_SERVER_UP) {
        d->listening = true;
    } else if (event->type == L2TPVOIP_EVENT_SERVER_DOWN) {
        d->failed = true;
    }
}

static int start_server(struct demo *d)
{
    l2tpvoip_server_options so;
    l2tpvoip_psk psk = {
        .size = sizeof psk, .key = (const uint8_t *)d->psk, .len = (uint32_t)strlen(d->psk)};
    l2tpvoip_user user = {.size = sizeof user,
                          .name = "demo",
                          .password = (const uint8_t *)d->password,
                          .password_len = (uint32_t)strlen(d->password)};
    d->listening = d->failed = false;
    int rc = find_ports(&d->ike_port, &d->natt_port);
    l2tpvoip_server_options_init(&so, sizeof so);
    (void)l2tpvoip_addr_parse("127.0.0.1", &so.listen);
    (void)l2tpvoip_addr_parse("10.77.0.1", &so.gateway);
    (void)l2tpvoip_addr_parse("10.77.0.2", &so.pool_first);
    so.pool_size = 8;
    so.ipsec.psks = &psk;
    so.ipsec.n_psks = 1;
    so.ipsec.ike_port = d->ike_port;
    so.ipsec.natt_port = d->natt_port;
    so.users = &user;
    so.n_users = 1;
    if (rc == 0) {
        rc = l2tpvoip_server_new(d->app.ctx, &so, &d->server);
    }
    while (rc == 0 && !d->listening && !d->failed) {
        rc = cli_app_run(&d->app, -1);
    }
    if (rc == 0 && d->failed) {
        (void)l2tpvoip_server_get_failure(d->server, &d->failure);
        rc = d->failure.code != 0 ? d->failure.code : L2TPVOIP_ERR_IO;
    }
    if (rc == 0) {
        rc = cli_echo_new(d->server, ECHO_PORT, &d->echo);
    }
    if (rc != 0) {
        l2tpvoip_server_free(d->server);
        d->server = NULL;
    }
    return rc;
}

static void *run_server(void *arg)
{
    struct demo *d = arg;
    while (!d->stop && cli_app_run(&d->app, -1) == 0) {
    }
    return NULL;
}

static void stop_server(void *arg)
{
    ((struct demo *)arg)->stop = true;
}

static int run_client(struct cli_client *c, const struct demo *d)
{
    l2tpvoip_tunnel_options to;
    l2tpvoip_psk psk = {
        .size = sizeof psk, .key = (const uint8_t *)d->psk, .len = (uint32_t)strlen(d->psk)};
    l2tpvoip_tunnel_options_init(&to, sizeof to);
    to.server = "127.0.0.1";
    to.ipsec.psks = &psk;
    to.ipsec.n_psks = 1;
    to.ipsec.ike_port = d->ike_port;
    to.ipsec.natt_port = d->natt_port;
    to.ppp.user = "demo";
    to.ppp.password = (const uint8_t *)d->password;
    to.ppp.password_len = (uint32_t)strlen(d->password);
    int rc = cli_client_connect(c, &to);
    if (rc == 0) {
        rc = cli_client_call(c, "peer:7", c->app.options->seconds);
    }
    cli_client_close(c);
    return rc;
}

static int run_demo(struct cli_client *c, struct demo *d)
{
    pthread_t thread;
    int rc = cli_app_init(&d->app, c->app.options, false, on_event, d);
    for (int i = 0; rc == 0 && d->server == NULL; i++) { /* another program may take a port */
        int err = start_server(d);
        rc = err != 0 && i + 1 >= TRIES ? err : 0;
    }
    if (rc != 0) {
        cli_failure_set(&c->report.failure, L2TPVOIP_LAYER_PATH, rc, NULL,
                        "the server of the demo did not start: %s",
                        d->failure.message[0] != '\0' ? d->failure.message
                                                      : l2tpvoip_error_text(rc));
        return cli_exit_code(&c->report.failure);
    }
    if (!c->app.options->quiet) {
        (void)fprintf(stderr, "server on 127.0.0.1, UDP ports %u and %u\n", d->ike_port,
                      d->natt_port);
    }
    if (pthread_create(&thread, NULL, run_server, d) != 0) {
        cli_failure_set(&c->report.failure, L2TPVOIP_LAYER_APP, L2TPVOIP_ERR_NOMEM, NULL,
                        "no thread for the server of the demo");
        return CLI_INTERNAL;
    }
    int code = run_client(c, d);
    (void)l2tpvoip_context_post(d->app.ctx, stop_server, d);
    (void)pthread_join(thread, NULL);
    return code;
}

int cli_verb_demo(const struct cli_options *options)
{
    struct cli_client c;
    struct demo d;
    memset(&d, 0, sizeof d);
    if (make_secret(d.psk, sizeof d.psk) != 0 || make_secret(d.password, sizeof d.password) != 0) {
        return CLI_INTERNAL;
    }
    int code = cli_client_init(&c, options) == 0 ? run_demo(&c, &d) : CLI_INTERNAL;
    if (code == 0) {
        code = cli_quality(options, &c.report);
    }
    if (c.report.failure.code != 0) {
        cli_print_failure(&c.report.failure);
    }
    cli_report_print(&c.report, options->json, stdout);
    l2tpvoip_socket_free(d.echo);
    l2tpvoip_server_free(d.server);
    cli_client_clear(&c);
    cli_app_clear(&d.app);
    return code;
}
