/* SPDX-License-Identifier: MIT */
/* The l2tpvoip command: what its files share. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdio.h>

#include <l2tpvoip.h>
#include <l2tpvoip/config.h>

#include "cli_json.h"

/* Exit codes; stable. */
enum {
    CLI_OK = 0,
    CLI_USAGE = 1,
    CLI_CONFIG = 2,
    CLI_UNREACHABLE = 3,
    CLI_TIMEOUT = 4,
    CLI_AUTH_IKE = 5,
    CLI_AUTH_PPP = 6,
    CLI_NEGOTIATION = 7,
    CLI_PEER_CLOSED = 8,
    CLI_PERMISSION = 9,
    CLI_QUALITY = 10,
    CLI_INTERNAL = 11,
    CLI_INTERRUPTED = 130
};

#define CLI_NS_PER_MS UINT64_C(1000000)
#define CLI_NS_PER_S UINT64_C(1000000000)
#define CLI_EF 0xb8 /* DSCP 46: voice */

/* The command line. */
struct cli_options {
    const char *verb;
    const char *args[2]; /* words that are no options */
    int n_args;
    bool json, help, quiet;
    unsigned verbose;
    const char *call, *ping; /* one-shots of connect */
    const char *keylog, *pcapng, *layers;
    const char *control;
    const char *codec;
    unsigned seconds, count, ptime_ms;
    double min_mos;
};

/* --- cli_app.c: one context with its backend ----------------------------------------------------
 */
struct cli_taps;

struct cli_app {
    const struct cli_options *options;
    l2tpvoip_posix *io;
    l2tpvoip_context *ctx;
    struct cli_taps *taps;
    int signal_fd;
    unsigned interrupts; /* SIGINT or SIGTERM so far */
    int last_signal;
};

/* 0, or an L2TPVOIP_ERR_… with a sentence on stderr. watch_signals: SIGINT and SIGTERM count. */
int cli_app_init(struct cli_app *app, const struct cli_options *options, bool watch_signals,
                 l2tpvoip_event_fn on_event, void *user);
void cli_app_clear(struct cli_app *app);
/* One round of the loop; the longest wait in ms, or -1. */
int cli_app_run(struct cli_app *app, int max_wait_ms);
int cli_exit_code(const l2tpvoip_failure *failure);
int cli_exit_code_of(int code);
void cli_failure_set(l2tpvoip_failure *f, int layer, int code, const char *next_step,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "HOST:PORT" or "HOST" (port 0); "peer" stands for the other end of the session. */
int cli_parse_target(const char *text, const l2tpvoip_session *session, bool need_port,
                     l2tpvoip_addr *ret_addr);

/* --- cli_tap.c: key log and capture
 * ---------------------------------------------------------------- */
int cli_taps_new(const struct cli_options *options, struct cli_taps **ret_taps,
                 l2tpvoip_tap_ops *ret_ops); /* NULL taps when none is wanted */
void cli_taps_free(struct cli_taps *taps);

/* --- cli_call.c: a paced RTP stream to an echo
 * ------------------------------------------------------ */
struct cli_call_result {
    uint64_t sent;
    l2tpvoip_rtp_stats stats;
    double rtt_ms, rtt_min_ms, rtt_max_ms; /* < 0: no packet came back */
    const char *codec;
    unsigned ptime_ms;
};
struct cli_call;
typedef void (*cli_call_done)(void *user, const struct cli_call_result *result);
int cli_call_start(struct cli_app *app, l2tpvoip_session *session, const l2tpvoip_addr *to,
                   const char *codec, unsigned ptime_ms, unsigned seconds, cli_call_done done,
                   void *user, struct cli_call **ret_call);
void cli_call_free(struct cli_call *call); /* without a report */
/* Ends it now; done follows at once. */
void cli_call_finish(struct cli_call *call);

/* --- cli_echo.c
 * --------------------------------------------------------------------------------------- */
int cli_echo_new(l2tpvoip_server *server, uint16_t port, l2tpvoip_socket **ret_socket);

/* --- cli_ping.c: a row of echo requests
 * ------------------------------------------------------------ */
struct cli_ping_result {
    unsigned sent, received;
    double min_ms, avg_ms, max_ms;
    l2tpvoip_addr to;
};
struct cli_ping;
typedef void (*cli_ping_done)(void *user, const struct cli_ping_result *result);
/* lines: where each answer is told, or NULL. */
int cli_ping_start(struct cli_app *app, l2tpvoip_session *session, const l2tpvoip_addr *to,
                   unsigned count, FILE *lines, cli_ping_done done, void *user,
                   struct cli_ping **ret_ping);
void cli_ping_free(struct cli_ping *ping);

/* --- cli_report.c: results as text and JSON
 * --------------------------------------------------------- */
struct cli_report {
    bool has_times, has_session, has_call, has_ping;
    uint64_t times[L2TPVOIP_N_PHASES];
    l2tpvoip_session_info session;
    l2tpvoip_session_stats counters;
    struct cli_call_result call;
    struct cli_ping_result ping;
    l2tpvoip_failure failure; /* code 0 = none */
};
void cli_report_take_tunnel(struct cli_report *r, l2tpvoip_tunnel *tunnel);
void cli_report_take_session(struct cli_report *r, const l2tpvoip_session *session);
void cli_report_print(const struct cli_report *r, bool json, FILE *f);
void cli_report_members(const struct cli_report *r, struct cli_json *j); /* within an object */
void cli_print_failure(const l2tpvoip_failure *failure);                 /* for people, on stderr */
/* Phases that have ended since *printed; for stderr. */
void cli_print_progress(const l2tpvoip_tunnel *tunnel, uint32_t *printed);
bool cli_is_utf8(void);
double cli_ms(uint64_t ns);
double cli_up_ms(const uint64_t *times);

/* --- cli_client.c: one tunnel, from start to end
 * ------------------------------------------------------- */
struct cli_client {
    struct cli_app app;
    l2tpvoip_tunnel *tunnel;
    bool up, down;
    uint32_t printed; /* phases told on stderr, as bits */
    struct cli_report report;
};
/* Brings the tunnel up; 0 or an exit code with the failure in the report. */
int cli_client_connect(struct cli_client *c, const l2tpvoip_tunnel_options *options);
/* Takes it down in order. */
void cli_client_close(struct cli_client *c);
int cli_client_init(struct cli_client *c, const struct cli_options *options);
void cli_client_clear(struct cli_client *c);
/* Runs a call or pings to their end; 0 or an exit code. */
int cli_client_call(struct cli_client *c, const char *target, unsigned seconds);
int cli_client_ping(struct cli_client *c, const char *target, unsigned count);
/* Exit code after all that was asked for is done. */
int cli_quality(const struct cli_options *options, const struct cli_report *r);

/* --- cli_config.c
 * ----------------------------------------------------------------------------------------- */
int cli_config_load(const char *path, bool json, l2tpvoip_config **ret_config);

/* --- cli_control.c, cli_remote.c: the control socket
 * -------------------------------------------------------- */
struct cli_control;
struct cli_control_ops {
    void (*status)(void *user, bool json, FILE *out);
    l2tpvoip_session *(*find_session)(void *user, const char *target); /* for ping and call */
    void (*down)(void *user);
};
int cli_control_new(struct cli_app *app, const char *path, const struct cli_control_ops *ops,
                    void *user, struct cli_control **ret_control);
void cli_control_free(struct cli_control *control);
/* Where the socket is when nobody says so; role "client" or "server". */
int cli_control_default(const char *role, bool create, char *ret_path, size_t size);

/* --- verbs
 * -----------------------------------------------------------------------------------------------------
 */
int cli_verb_demo(const struct cli_options *options);
int cli_verb_connect(const struct cli_options *options);
int cli_verb_serve(const struct cli_options *options);
int cli_verb_config(const struct cli_options *options);
int cli_verb_remote(const struct cli_options *options); /* status, ping, call, down */

#endif
