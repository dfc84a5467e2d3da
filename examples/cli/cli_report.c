/* SPDX-License-Identifier: MIT */
/* Results as text and as JSON, schema 1. */
#include "cli.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

double cli_ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

bool cli_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* When the phase after p was entered; 0 = not yet. */
static uint64_t phase_end(const uint64_t *times, uint32_t p)
{
    for (uint32_t next = p + 1; next <= L2TPVOIP_PHASE_UP; next++) {
        if (times[next] != 0) {
            return times[next];
        }
    }
    return 0;
}

static uint64_t start_time(const uint64_t *times)
{
    for (uint32_t p = L2TPVOIP_PHASE_RESOLVE; p <= L2TPVOIP_PHASE_UP; p++) {
        if (times[p] != 0) {
            return times[p];
        }
    }
    return 0;
}

double cli_up_ms(const uint64_t *times)
{
    return times[L2TPVOIP_PHASE_UP] != 0 ? cli_ms(times[L2TPVOIP_PHASE_UP] - start_time(times))
                                         : -1;
}

void cli_print_progress(const l2tpvoip_tunnel *tunnel, uint32_t *printed)
{
    uint64_t times[L2TPVOIP_N_PHASES];
    l2tpvoip_tunnel_get_phase_times(tunnel, times);
    for (uint32_t p = L2TPVOIP_PHASE_RESOLVE; p < L2TPVOIP_PHASE_UP; p++) {
        uint64_t end = phase_end(times, p);
        if (times[p] == 0 || end == 0 || (*printed >> p & 1u) != 0) {
            continue;
        }
        *printed |= 1u << p;
        (void)fprintf(stderr, "%-8s %s %9.2f ms\n", l2tpvoip_phase_name(p),
                      cli_is_utf8() ? "\xe2\x9c\x93" : "ok", cli_ms(end - times[p]));
    }
}

void cli_report_take_session(struct cli_report *r, const l2tpvoip_session *session)
{
    r->session.size = sizeof r->session;
    r->counters.size = sizeof r->counters;
    if (session != NULL && l2tpvoip_session_get_info(session, &r->session) == 0) {
        r->has_session = true;
        (void)l2tpvoip_session_get_stats(session, &r->counters);
    }
}

void cli_report_take_tunnel(struct cli_report *r, l2tpvoip_tunnel *tunnel)
{
    l2tpvoip_tunnel_get_phase_times(tunnel, r->times);
    r->has_times = true;
    cli_report_take_session(r, l2tpvoip_tunnel_get_session(tunnel));
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void put_addr(struct cli_json *j, const char *key, const l2tpvoip_addr *addr)
{
    char text[64];
    if (addr->family == 0) {
        cli_json_text(j, key, NULL);
        return;
    }
    (void)l2tpvoip_addr_format(addr, text, sizeof text);
    cli_json_text(j, key, text);
}

static void put_phases(struct cli_json *j, const uint64_t *times)
{
    cli_json_open(j, "phases", '[');
    for (uint32_t p = L2TPVOIP_PHASE_RESOLVE; p < L2TPVOIP_PHASE_UP; p++) {
        uint64_t end = phase_end(times, p);
        if (times[p] != 0 && end != 0) {
            cli_json_open(j, NULL, '{');
            cli_json_text(j, "name", l2tpvoip_phase_name(p));
            cli_json_real(j, "ms", cli_ms(end - times[p]), 3);
            cli_json_close(j, '}');
        }
    }
    cli_json_close(j, ']');
}

static void put_session(struct cli_json *j, const struct cli_report *r)
{
    const l2tpvoip_session_info *s = &r->session;
    cli_json_open(j, "session", '{');
    put_addr(j, "inner_address", &s->local4);
    put_addr(j, "peer_address", &s->remote4);
    put_addr(j, "inner_address6", &s->local6);
    cli_json_uint(j, "mtu", s->mtu);
    cli_json_uint(j, "sip_udp_limit", s->sip_udp_limit);
    cli_json_open(j, "dns", '[');
    for (int i = 0; i < 2; i++) {
        if (s->dns[i].family != 0) {
            put_addr(j, NULL, &s->dns[i]);
        }
    }
    cli_json_close(j, ']');
    put_addr(j, "outer_local", &s->outer_local);
    put_addr(j, "outer_remote", &s->outer_remote);
    if (s->user[0] != '\0') {
        cli_json_text(j, "user", s->user);
    }
    cli_json_close(j, '}');
    cli_json_open(j, "ipsec", '{');
    cli_json_text(j, "ike", s->ike);
    cli_json_text(j, "esp", s->esp);
    cli_json_open(j, "nat", '{');
    cli_json_bool(j, "local", (s->nat & L2TPVOIP_NAT_LOCAL) != 0);
    cli_json_bool(j, "remote", (s->nat & L2TPVOIP_NAT_REMOTE) != 0);
    cli_json_bool(j, "udp_encapsulation", (s->nat & L2TPVOIP_NAT_ENCAPS) != 0);
    cli_json_close(j, '}');
    cli_json_close(j, '}');
    cli_json_open(j, "counters", '{');
    cli_json_uint(j, "rx_packets", r->counters.rx_packets);
    cli_json_uint(j, "tx_packets", r->counters.tx_packets);
    cli_json_uint(j, "esp_lost", r->counters.esp_rx_lost);
    cli_json_uint(j, "esp_reordered", r->counters.esp_rx_reordered);
    cli_json_uint(j, "esp_replayed", r->counters.esp_rx_replayed);
    cli_json_uint(j, "esp_late", r->counters.esp_rx_late);
    cli_json_uint(j, "esp_integrity", r->counters.esp_rx_integrity);
    cli_json_uint(j, "voice_drops", r->counters.queue_drops[L2TPVOIP_CLASS_VOICE]);
    cli_json_uint(j, "rekeys_child", r->counters.rekeys_child);
    cli_json_uint(j, "rekeys_ike", r->counters.rekeys_ike);
    cli_json_close(j, '}');
}

static void put_call(struct cli_json *j, const struct cli_call_result *c)
{
    const l2tpvoip_rtp_stats *s = &c->stats;
    cli_json_open(j, "call", '{');
    cli_json_text(j, "codec", c->codec);
    cli_json_uint(j, "ptime_ms", c->ptime_ms);
    cli_json_uint(j, "sent", c->sent);
    cli_json_uint(j, "received", s->received);
    cli_json_uint(j, "lost", s->lost);
    cli_json_uint(j, "reordered", s->reordered);
    cli_json_uint(j, "duplicated", s->duplicated);
    cli_json_uint(j, "late", s->late);
    cli_json_real(j, "loss_ratio", s->loss_ratio, 6);
    cli_json_real(j, "burst_ratio", s->burst_ratio, 3);
    cli_json_real(j, "jitter_ms", s->jitter_ms, 3);
    cli_json_real(j, "max_jitter_ms", s->max_jitter_ms, 3);
    if (c->rtt_ms >= 0) {
        cli_json_real(j, "rtt_ms", c->rtt_ms, 3);
        cli_json_real(j, "rtt_min_ms", c->rtt_min_ms, 3);
        cli_json_real(j, "rtt_max_ms", c->rtt_max_ms, 3);
    } else {
        cli_json_text(j, "rtt_ms", NULL);
    }
    cli_json_real(j, "r_factor", s->r_factor, 2);
    cli_json_real(j, "mos_cq", s->mos_cq, 3);
    cli_json_real(j, "mos_lq", s->mos_lq, 3);
    cli_json_close(j, '}');
}

static void put_ping(struct cli_json *j, const struct cli_ping_result *p)
{
    cli_json_open(j, "ping", '{');
    put_addr(j, "to", &p->to);
    cli_json_uint(j, "sent", p->sent);
    cli_json_uint(j, "received", p->received);
    if (p->received > 0) {
        cli_json_real(j, "min_ms", p->min_ms, 3);
        cli_json_real(j, "avg_ms", p->avg_ms, 3);
        cli_json_real(j, "max_ms", p->max_ms, 3);
    }
    cli_json_close(j, '}');
}

static void put_failure(struct cli_json *j, const l2tpvoip_failure *f)
{
    cli_json_open(j, "error", '{');
    cli_json_text(j, "layer", l2tpvoip_layer_name(f->layer));
    cli_json_text(j, "code", l2tpvoip_error_name(f->code));
    cli_json_int(j, "peer_code", f->peer_code);
    cli_json_text(j, "message", f->message);
    cli_json_text(j, "next_step", f->next_step);
    cli_json_close(j, '}');
}

void cli_report_members(const struct cli_report *r, struct cli_json *j)
{
    if (r->has_times) {
        double up = cli_up_ms(r->times);
        if (up >= 0) {
            cli_json_real(j, "up_ms", up, 3);
        } else {
            cli_json_text(j, "up_ms", NULL);
        }
        put_phases(j, r->times);
    }
    if (r->has_session) {
        put_session(j, r);
    }
    if (r->has_call) {
        put_call(j, &r->call);
    }
    if (r->has_ping) {
        put_ping(j, &r->ping);
    }
    if (r->failure.code != 0) {
        put_failure(j, &r->failure);
    }
}

/* --- text ----------------------------------------------------------------------------------- */

static void print_session(const struct cli_report *r, FILE *f)
{
    const l2tpvoip_session_info *s = &r->session;
    char local[64] = "none", remote[64] = "none", outer[64] = "none";
    (void)l2tpvoip_addr_format(&s->local4, local, sizeof local);
    (void)l2tpvoip_addr_format(&s->remote4, remote, sizeof remote);
    (void)l2tpvoip_addr_format(&s->outer_remote, outer, sizeof outer);
    (void)fprintf(f, "address   %s, peer %s, MTU %u\n", local, remote, s->mtu);
    (void)fprintf(f, "through   %s, %s; ESP %s%s\n", outer, s->ike, s->esp,
                  (s->nat & L2TPVOIP_NAT_ENCAPS) != 0 ? " in UDP" : "");
    for (int i = 0; i < 2; i++) {
        if (s->dns[i].family != 0) {
            char dns[64];
            (void)l2tpvoip_addr_format(&s->dns[i], dns, sizeof dns);
            (void)fprintf(f, "DNS       %s\n", dns);
        }
    }
}

static void print_call(const struct cli_call_result *c, FILE *f)
{
    const l2tpvoip_rtp_stats *s = &c->stats;
    (void)fprintf(f,
                  "call      %s, %u ms: %" PRIu64 " sent, %" PRIu64 " received, %" PRIu64
                  " lost (%.2f %%), %" PRIu64 " reordered, %" PRIu64 " duplicated, %" PRIu64
                  " late\n",
                  c->codec, c->ptime_ms, c->sent, s->received, s->lost, s->loss_ratio * 100,
                  s->reordered, s->duplicated, s->late);
    if (c->rtt_ms >= 0) {
        (void)fprintf(
            f, "delay     round trip %.3f ms (%.3f to %.3f), jitter %.3f ms (at most %.3f)\n",
            c->rtt_ms, c->rtt_min_ms, c->rtt_max_ms, s->jitter_ms, s->max_jitter_ms);
    } else {
        (void)fprintf(f, "delay     nothing came back\n");
    }
    (void)fprintf(f, "quality   R %.1f, MOS %.2f (listening %.2f)\n", s->r_factor, s->mos_cq,
                  s->mos_lq);
}

static void print_text(const struct cli_report *r, FILE *f)
{
    if (r->has_times && cli_up_ms(r->times) >= 0) {
        (void)fprintf(f, "up in     %.1f ms\n", cli_up_ms(r->times));
    }
    if (r->has_session) {
        print_session(r, f);
    }
    if (r->has_ping) {
        const struct cli_ping_result *p = &r->ping;
        (void)fprintf(f, "ping      %u sent, %u answered", p->sent, p->received);
        if (p->received > 0) {
            (void)fprintf(f, ", %.3f / %.3f / %.3f ms (min, mean, max)", p->min_ms, p->avg_ms,
                          p->max_ms);
        }
        (void)fputc('\n', f);
    }
    if (r->has_call) {
        print_call(&r->call, f);
    }
}

void cli_report_print(const struct cli_report *r, bool json, FILE *f)
{
    if (json) {
        struct cli_json j;
        cli_json_init(&j, f);
        cli_json_open(&j, NULL, '{');
        cli_json_uint(&j, "schema", 1);
        cli_report_members(r, &j);
        cli_json_close(&j, '}');
        (void)fputc('\n', f);
    } else {
        print_text(r, f);
    }
    (void)fflush(f);
}

void cli_print_failure(const l2tpvoip_failure *f)
{
    (void)fprintf(stderr, "l2tpvoip: %s (%s, %s)\n", f->message, l2tpvoip_layer_name(f->layer),
                  l2tpvoip_error_name(f->code));
    if (f->next_step[0] != '\0') {
        (void)fprintf(stderr, "next step: %s\n", f->next_step);
    }
}
