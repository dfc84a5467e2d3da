/* SPDX-License-Identifier: MIT */
/* A call: paced RTP to an echo, and the quality of what comes back. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define RING 4096u /* packets whose send time is known: more than a minute */
#define RTP_HEADER 12u
#define MAX_PAYLOAD 480u
#define LINGER_NS (700 * CLI_NS_PER_MS) /* for the last echoes */
#define BURST 16u                       /* packets at once after a stall of the machine */

struct codec {
    const char *name;
    uint8_t payload_type, silence;
    unsigned bytes_per_ms;
};

static const struct codec codecs[] = {
    {"PCMA", 8, 0xd5, 8}, {"PCMU", 0, 0xff, 8}, {"G722", 9, 0x00, 8}, {"G729", 18, 0x00, 1}};

struct cli_call {
    struct cli_app *app;
    l2tpvoip_socket *socket;
    l2tpvoip_rtp_meter *meter;
    const struct codec *codec;
    cli_call_done done;
    void *user;
    int timer_fd;
    unsigned ptime_ms;
    uint64_t total, sent, echoed;
    uint64_t next_ns, end_ns;
    uint16_t first_seq;
    uint32_t first_ts, ssrc;
    uint64_t sent_ns[RING];
    uint64_t rtt_n, rtt_sum_ns, rtt_min_ns, rtt_max_ns;
};

static void put_u16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, v >> 16);
    put_u16(p + 2, v & 0xffffu);
}

static void arm(struct cli_call *c, uint64_t at_ns)
{
    struct itimerspec when;
    memset(&when, 0, sizeof when);
    when.it_value.tv_sec = (time_t)(at_ns / CLI_NS_PER_S);
    when.it_value.tv_nsec = (long)(at_ns % CLI_NS_PER_S);
    (void)timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void send_packet(struct cli_call *c)
{
    uint8_t packet[RTP_HEADER + MAX_PAYLOAD];
    size_t payload = (size_t)c->ptime_ms * c->codec->bytes_per_ms;
    packet[0] = 0x80; /* RFC 3550 5.1 */
    packet[1] = (uint8_t)(c->codec->payload_type | (c->sent == 0 ? 0x80u : 0u));
    put_u16(packet + 2, (unsigned)(c->first_seq + c->sent) & 0xffffu);
    put_u32(packet + 4, c->first_ts + (uint32_t)c->sent * c->ptime_ms * 8u);
    put_u32(packet + 8, c->ssrc);
    memset(packet + RTP_HEADER, c->codec->silence, payload);
    c->sent_ns[c->sent % RING] = l2tpvoip_posix_now();
    c->sent++;
    /* A packet that is refused counts as lost, as it would in a phone. */
    (void)l2tpvoip_socket_sendto(c->socket, packet, RTP_HEADER + payload, NULL);
}

void cli_call_free(struct cli_call *c)
{
    if (c == NULL) {
        return;
    }
    if (c->timer_fd >= 0) {
        (void)l2tpvoip_posix_watch(c->app->io, c->timer_fd, 0, NULL, NULL);
        (void)close(c->timer_fd);
    }
    l2tpvoip_socket_free(c->socket);
    l2tpvoip_rtp_meter_free(c->meter);
    free(c);
}

void cli_call_finish(struct cli_call *c)
{
    struct cli_call_result result;
    cli_call_done done = c->done;
    void *user = c->user;
    memset(&result, 0, sizeof result);
    result.sent = c->sent;
    result.codec = c->codec->name;
    result.ptime_ms = c->ptime_ms;
    result.rtt_ms = c->rtt_n > 0 ? (double)c->rtt_sum_ns / (double)c->rtt_n / 1e6 : -1;
    result.rtt_min_ms = c->rtt_n > 0 ? (double)c->rtt_min_ns / 1e6 : -1;
    result.rtt_max_ms = c->rtt_n > 0 ? (double)c->rtt_max_ns / 1e6 : -1;
    result.stats.size = sizeof result.stats;
    (void)l2tpvoip_rtp_meter_get(c->meter, result.rtt_ms, c->sent, &result.stats);
    cli_call_free(c);
    done(user, &result);
}

static void on_timer(void *user, short revents)
{
    struct cli_call *c = user;
    uint64_t ticks;
    (void)revents;
    if (read(c->timer_fd, &ticks, sizeof ticks) < 0) {
        return;
    }
    uint64_t now = l2tpvoip_posix_now();
    for (unsigned i = 0; i < BURST && c->sent < c->total && now >= c->next_ns; i++) {
        send_packet(c);
        c->next_ns += c->ptime_ms * CLI_NS_PER_MS;
    }
    if (c->sent < c->total) {
        arm(c, c->next_ns > now ? c->next_ns : now + 1);
        return;
    }
    if (c->end_ns == 0) {
        c->end_ns = now + LINGER_NS;
        arm(c, c->end_ns);
    } else if (now >= c->end_ns || c->echoed == c->sent) {
        cli_call_finish(c);
    }
}

/* The echo brings our own sequence number back: when was that one sent? */
static void take_rtt(struct cli_call *c, const uint8_t *data, uint64_t time_ns)
{
    uint16_t seq = (uint16_t)(data[2] << 8 | data[3]);
    uint64_t behind = (uint16_t)((uint16_t)(c->first_seq + c->sent - 1) - seq);
    if (behind >= c->sent || behind >= RING) {
        return;
    }
    uint64_t *sent_ns = &c->sent_ns[(c->sent - 1 - behind) % RING];
    if (*sent_ns == 0) {
        return; /* a duplicate */
    }
    c->echoed++;
    uint64_t rtt = time_ns > *sent_ns ? time_ns - *sent_ns : 0;
    *sent_ns = 0;
    c->rtt_min_ns = c->rtt_n == 0 || rtt < c->rtt_min_ns ? rtt : c->rtt_min_ns;
    c->rtt_max_ns = rtt > c->rtt_max_ns ? rtt : c->rtt_max_ns;
    c->rtt_sum_ns += rtt;
    c->rtt_n++;
}

static void on_messages(void *user, l2tpvoip_socket *socket, const l2tpvoip_message *v, size_t n)
{
    struct cli_call *c = user;
    (void)socket;
    for (size_t i = 0; i < n; i++) {
        uint64_t time_ns = v[i].time_ns != 0 ? v[i].time_ns : l2tpvoip_posix_now();
        if (l2tpvoip_rtp_meter_input(c->meter, v[i].data, v[i].len, time_ns) == 0) {
            take_rtt(c, v[i].data, time_ns);
        }
    }
    if (c->sent == c->total && c->echoed == c->sent && c->end_ns != 0) {
        arm(c, 1); /* all is there: no need to wait */
    }
}

static const struct codec *find_codec(const char *name)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        if (strcmp(codecs[i].name, name) == 0) {
            return &codecs[i];
        }
    }
    return NULL;
}

static int open_socket(struct cli_call *c, l2tpvoip_session *session, const l2tpvoip_addr *to)
{
    l2tpvoip_socket_options o;
    l2tpvoip_socket_options_init(&o, sizeof o);
    o.local.family = to->family;
    o.on_messages = on_messages;
    o.user = c;
    o.tos = CLI_EF;
    o.traffic_class = L2TPVOIP_CLASS_VOICE;
    int rc = l2tpvoip_socket_new(session, &o, &c->socket);
    return rc != 0 ? rc : l2tpvoip_socket_connect(c->socket, to);
}

int cli_call_start(struct cli_app *app, l2tpvoip_session *session, const l2tpvoip_addr *to,
                   const char *codec, unsigned ptime_ms, unsigned seconds, cli_call_done done,
                   void *user, struct cli_call **ret_call)
{
    l2tpvoip_codec rating = {.size = sizeof rating};
    uint8_t random[10];
    struct cli_call *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    c->app = app;
    c->done = done;
    c->user = user;
    c->ptime_ms = ptime_ms;
    c->total = (uint64_t)seconds * 1000 / ptime_ms;
    c->codec = find_codec(codec);
    c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int rc = c->codec == NULL ? L2TPVOIP_ERR_NOT_FOUND : c->timer_fd < 0 ? L2TPVOIP_ERR_IO : 0;
    if (rc == 0 && getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        rc = L2TPVOIP_ERR_CRYPTO;
    }
    if (rc == 0) {
        memcpy(&c->first_seq, random, 2);
        memcpy(&c->first_ts, random + 2, 4);
        memcpy(&c->ssrc, random + 6, 4);
        rc = l2tpvoip_codec_find(codec, &rating);
    }
    if (rc == 0) {
        rc = l2tpvoip_rtp_meter_new(&rating, &c->meter);
    }
    if (rc == 0) {
        rc = open_socket(c, session, to);
    }
    if (rc == 0) {
        rc = l2tpvoip_posix_watch(app->io, c->timer_fd, POLLIN, on_timer, c);
    }
    if (rc != 0) {
        cli_call_free(c);
        return rc;
    }
    c->next_ns = l2tpvoip_posix_now();
    arm(c, c->next_ns);
    *ret_call = c;
    return 0;
}
