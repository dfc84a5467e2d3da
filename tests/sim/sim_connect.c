/* SPDX-License-Identifier: MIT */
/* Ways up. */
#include "sim_scenarios.h"

#include <string.h>

/* A call without any loss, and an orderly end that both sides see. */
static bool use_and_close(struct kit *kit, uint64_t call_ns)
{
    struct kit_client *c = &kit->cli[0];
    l2tpvoip_session_info info = {.size = sizeof info};
    CHECK(kit, kit_ping(c, 5 * SIM_S), "no pong");
    if (!kit_call(kit, call_ns, NULL)) {
        return false;
    }
    CHECK(kit, c->received == c->sent && c->duplicated == 0, "call: %u of %u, %u twice", c->received,
          c->sent, c->duplicated);
    (void)l2tpvoip_session_get_info(l2tpvoip_tunnel_get_session(c->tunnel), &info);
    CHECK(kit, info.local4.family == 4 && info.mtu >= 1200 && info.mtu < 1500, "info: mtu %u",
          info.mtu);
    CHECK(kit, strcmp(info.esp, kit->secure ? "AES-256-GCM-16" : "none") == 0, "esp %s", info.esp);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SESSION_UP] == 1, "server saw %u sessions",
          kit->srv->events[L2TPVOIP_EVENT_SESSION_UP]);
    CHECK(kit, l2tpvoip_server_count_sessions(kit->server) == 1, "count");
    int rc = l2tpvoip_tunnel_close(c->tunnel);
    CHECK(kit, rc == 0, "close: %s", l2tpvoip_error_name(rc));
    CHECK(kit, kit_wait_down(c, 5 * SIM_S), "no TUNNEL_DOWN");
    CHECK(kit, c->failure.code == 0, "failed: %s", kit_failure(c));
    (void)sim_run(&kit->sim, SIM_S, NULL, NULL);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SESSION_DOWN] == 1, "server saw no end");
    kit_free_tunnel(c);
    return true;
}

bool sim_connect_clean(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    uint64_t times[L2TPVOIP_N_PHASES];
    l2tpvoip_tunnel_get_phase_times(c->tunnel, times);
    for (unsigned i = L2TPVOIP_PHASE_RESOLVE; i < L2TPVOIP_PHASE_UP; i++) {
        CHECK(kit, times[i] != 0 && times[i] <= times[i + 1], "phase %s has no time",
              l2tpvoip_phase_name(i));
    }
    CHECK(kit, times[L2TPVOIP_PHASE_UP] - times[L2TPVOIP_PHASE_RESOLVE] < 2 * SIM_S,
          "took %.3f s", (double)(times[L2TPVOIP_PHASE_UP] - times[L2TPVOIP_PHASE_RESOLVE]) / 1e9);
    return use_and_close(kit, 2 * SIM_S);
}

static void spoil_link(struct kit *kit, struct sim_host *host)
{
    host->link.loss = sim_unit(&kit->rng) * 0.163; /* each way twice: up to 30 % */
    host->link.duplicate = sim_unit(&kit->rng) * 0.1;
    host->link.reorder = sim_unit(&kit->rng) * 0.2;
    host->link.delay_ns = (sim_random(&kit->rng) % 100 + 1) * SIM_MS;
    host->link.jitter_ns = (sim_random(&kit->rng) % 50 + 1) * SIM_MS;
    host->link.rate_bps = (sim_random(&kit->rng) & 3) == 0 ? 64000 : 0;
}

static bool may_fail_so(int code)
{
    return code == L2TPVOIP_ERR_TIMEOUT || code == L2TPVOIP_ERR_NEGOTIATION ||
           code == L2TPVOIP_ERR_PEER_CLOSED;
}

static bool connect_lossy(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    spoil_link(kit, kit->srv);
    spoil_link(kit, c->host);
    c->options.connect_timeout_ms = 120000;
    if (kit_bring_up(kit, 130 * SIM_S)) {
        bool pong = false;
        for (int i = 0; i < 12 && !pong; i++) {
            pong = kit_ping(c, 2 * SIM_S);
        }
        CHECK(kit, pong || c->down, "no pong");
    } else {
        CHECK(kit, c->down, "neither up nor down: %s", kit_failure(c));
        CHECK(kit, may_fail_so(c->failure.code), "wrong failure: %s", kit_failure(c));
    }
    kit_free_tunnel(c);
    (void)sim_run(&kit->sim, 300 * SIM_S, NULL, NULL);
    l2tpvoip_server_free(kit->server);
    (void)sim_run(&kit->sim, 60 * SIM_S, NULL, NULL);
    return true;
}

bool sim_connect_lossy(struct kit *kit)
{
    return connect_lossy(kit);
}

bool sim_connect_plain(struct kit *kit)
{
    kit_no_ipsec(kit);
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    return use_and_close(kit, 2 * SIM_S);
}

bool sim_connect_plain_lossy(struct kit *kit)
{
    kit_no_ipsec(kit);
    return connect_lossy(kit);
}

bool sim_connect_ipv6(struct kit *kit)
{
    kit->server_options.listen = sim_addr("::");
    kit->cli[0].options.server = "2001:db8::1";
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    return use_and_close(kit, SIM_S);
}

bool sim_connect_auth(struct kit *kit)
{
    static const uint32_t methods[] = {L2TPVOIP_AUTH_PAP, L2TPVOIP_AUTH_CHAP_MD5,
                                       L2TPVOIP_AUTH_MSCHAPV2, L2TPVOIP_AUTH_EAP_MD5,
                                       L2TPVOIP_AUTH_EAP_MSCHAPV2};
    kit->server_options.ppp.auth = methods[sim_random(&kit->rng) % 5];
    static const uint8_t secret[] = "tunnel secret";
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit->server_options.l2tp.secret = kit->cli[0].options.l2tp.secret = secret;
        kit->server_options.l2tp.secret_len = kit->cli[0].options.l2tp.secret_len = sizeof secret;
        kit->cli[0].options.l2tp.flags = L2TPVOIP_L2TP_HIDE_AVPS;
    }
    kit->users[0].ip = sim_addr("10.9.7.7");
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "auth %x: %s", kit->server_options.ppp.auth,
          kit_failure(&kit->cli[0]));
    l2tpvoip_session_info info = {.size = sizeof info};
    (void)l2tpvoip_session_get_info(kit->srv->last_session, &info);
    CHECK(kit, strcmp(info.user, "alice") == 0 && info.remote4.ip[2] == 7, "user %s", info.user);
    return use_and_close(kit, SIM_S / 2);
}

bool sim_connect_name(struct kit *kit)
{
    kit->cli[0].options.server = "server.example";
    kit->cli[0].host->resolve_addr = sim_addr("192.0.2.1");
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    return use_and_close(kit, SIM_S / 2);
}

bool sim_connect_jobs(struct kit *kit)
{
    struct sim_host *hosts[] = {kit->srv, kit->cli[0].host};
    for (unsigned i = 0; i < 2; i++) {
        hosts[i]->options.flags |= L2TPVOIP_CONTEXT_EXTERNAL_JOBS;
        hosts[i]->job_delay_ns = sim_random(&kit->rng) % 3000 * SIM_MS;
    }
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_JOBS_READY] > 0, "no JOBS_READY");
    return use_and_close(kit, SIM_S / 2);
}

bool sim_connect_threads(struct kit *kit)
{
    struct sim_host *hosts[] = {kit->srv, kit->cli[0].host};
    for (unsigned i = 0; i < 2; i++) {
        hosts[i]->options.flags |= L2TPVOIP_CONTEXT_EXTERNAL_JOBS;
        hosts[i]->job_threads = true;
    }
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    return use_and_close(kit, SIM_S / 2);
}

bool sim_connect_pull(struct kit *kit)
{
    kit->srv->pull = (sim_random(&kit->rng) & 1) != 0;
    kit->cli[0].host->pull = true;
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    return use_and_close(kit, SIM_S);
}

bool sim_connect_blocked(struct kit *kit)
{
    kit->srv->refuse_every = (uint32_t)(sim_random(&kit->rng) % 4 + 2);
    kit->cli[0].host->refuse_every = (uint32_t)(sim_random(&kit->rng) % 4 + 2);
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    return use_and_close(kit, SIM_S);
}

/* Both have inner source port 1701; the outer ports are 4500 or what the NAT makes of them. */
bool sim_connect_two(struct kit *kit)
{
    struct sim_nat *nat = sim_nat_new(&kit->sim, "203.0.113.1");
    struct kit_client *a = &kit->cli[0];
    struct kit_client *b = kit_add_client(kit, "198.51.100.2", NULL);
    nat->keep_ports = (sim_random(&kit->rng) & 1) != 0;
    a->host->nat = b->host->nat = nat;
    a->options.local = b->options.local = sim_addr("0.0.0.0:4500");
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit_no_ipsec(kit);
        a->options.local = b->options.local = sim_addr("0.0.0.0:1701");
    }
    CHECK(kit, kit_start_client(b) == 0, "second client");
    if ((sim_random(&kit->rng) & 1) != 0) {
        CHECK(kit, kit_connect(b) == 0, "second client"); /* at the same time */
    }
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "first: %s", kit_failure(a));
    if (b->tunnel == NULL) {
        CHECK(kit, kit_connect(b) == 0, "second client");
    }
    CHECK(kit, kit_wait(b, 60 * SIM_S), "second: %s", kit_failure(b));
    CHECK(kit, !a->down, "the first was lost: %s", kit_failure(a));
    if (!kit_call(kit, 3 * SIM_S, NULL)) {
        return false;
    }
    CHECK(kit, a->received == a->sent && b->received == b->sent, "calls: %u of %u, %u of %u",
          a->received, a->sent, b->received, b->sent);
    CHECK(kit, l2tpvoip_server_count_sessions(kit->server) == 2, "sessions");
    kit_free_tunnel(a);
    uint32_t before = b->received;
    if (!kit_call(kit, SIM_S, NULL)) {
        return false;
    }
    CHECK(kit, b->received == before + 50, "the second call suffered");
    return true;
}
