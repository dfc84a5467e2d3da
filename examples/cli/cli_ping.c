/* SPDX-License-Identifier: MIT */
/* A row of echo requests, one a second. */
#include "cli.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PAYLOAD 56u
#define TIMEOUT_MS 3000u

struct cli_ping {
    struct cli_app *app;
    l2tpvoip_session *session;
    l2tpvoip_addr to;
    FILE *lines;
    cli_ping_done done;
    void *user;
    int timer_fd;
    unsigned count, sent, answered, received;
    bool freed; /* while requests are out */
    double min_ms, max_ms, sum_ms;
};

static void release(struct cli_ping *p)
{
    if (p->timer_fd >= 0) {
        (void)l2tpvoip_posix_watch(p->app->io, p->timer_fd, 0, NULL, NULL);
        (void)close(p->timer_fd);
        p->timer_fd = -1;
    }
    if (p->answered == p->sent) {
        free(p);
    }
}

void cli_ping_free(struct cli_ping *p)
{
    if (p != NULL) {
        p->freed = true;
        release(p);
    }
}

static void finish(struct cli_ping *p)
{
    struct cli_ping_result result;
    cli_ping_done done = p->done;
    void *user = p->user;
    memset(&result, 0, sizeof result);
    result.sent = p->sent;
    result.received = p->received;
    result.min_ms = p->received > 0 ? p->min_ms : -1;
    result.max_ms = p->received > 0 ? p->max_ms : -1;
    result.avg_ms = p->received > 0 ? p->sum_ms / p->received : -1;
    result.to = p->to;
    p->freed = true;
    release(p);
    done(user, &result);
}

static void on_answer(void *user, int32_t code, const l2tpvoip_addr *from, uint64_t rtt_ns)
{
    struct cli_ping *p = user;
    char text[64];
    p->answered++;
    if (p->freed) {
        release(p);
        return;
    }
    (void)l2tpvoip_addr_format(code == 0 && from != NULL ? from : &p->to, text, sizeof text);
    if (code == 0) {
        double ms = cli_ms(rtt_ns);
        p->min_ms = p->received == 0 || ms < p->min_ms ? ms : p->min_ms;
        p->max_ms = ms > p->max_ms ? ms : p->max_ms;
        p->sum_ms += ms;
        p->received++;
        if (p->lines != NULL) {
            (void)fprintf(p->lines, "answer from %s: %.3f ms\n", text, ms);
        }
    } else if (p->lines != NULL) {
        (void)fprintf(p->lines, "%s: %s\n", text, l2tpvoip_error_text(code));
    }
    if (p->sent == p->count && p->answered == p->sent) {
        finish(p);
    }
}

static void on_timer(void *user, short revents)
{
    struct cli_ping *p = user;
    uint64_t ticks;
    (void)revents;
    if (read(p->timer_fd, &ticks, sizeof ticks) < 0 || p->sent == p->count) {
        return;
    }
    int rc = l2tpvoip_session_ping(p->session, &p->to, PAYLOAD, TIMEOUT_MS, on_answer, p);
    p->sent++;
    if (rc != 0) {
        on_answer(p, rc, NULL, UINT64_MAX);
    }
}

int cli_ping_start(struct cli_app *app, l2tpvoip_session *session, const l2tpvoip_addr *to,
                   unsigned count, FILE *lines, cli_ping_done done, void *user,
                   struct cli_ping **ret_ping)
{
    struct itimerspec when = {{1, 0}, {0, 1}};
    struct cli_ping *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    p->app = app;
    p->session = session;
    p->to = *to;
    p->to.port = 0;
    p->count = count;
    p->lines = lines;
    p->done = done;
    p->user = user;
    p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int rc = p->timer_fd < 0 ? L2TPVOIP_ERR_IO
                             : l2tpvoip_posix_watch(app->io, p->timer_fd, POLLIN, on_timer, p);
    if (rc != 0) {
        cli_ping_free(p);
        return rc;
    }
    (void)timerfd_settime(p->timer_fd, 0, &when, NULL);
    *ret_ping = p;
    return 0;
}
