/* SPDX-License-Identifier: MIT */
/* What happens to connections that are up. */
#include "sim_scenarios.h"

#include <string.h>

/* --- rekeying ------------------------------------------------------------------------------------ */

static void rekey_often(struct kit *kit, uint32_t n)
{
    if (n % 150 == 100) { /* every 3 s */
        (void)l2tpvoip_tunnel_rekey(kit->cli[0].tunnel, L2TPVOIP_REKEY_CHILD);
    } else if (n % 400 == 200) {
        (void)l2tpvoip_tunnel_rekey(kit->cli[0].tunnel, L2TPVOIP_REKEY_IKE);
    }
}

static bool check_call(struct kit *kit, uint64_t rekeys_child, uint64_t rekeys_ike)
{
    struct kit_client *c = &kit->cli[0];
    l2tpvoip_session_stats s = {.size = sizeof s};
    CHECK(kit, !c->down, "went down: %s", kit_failure(c));
    (void)l2tpvoip_session_get_stats(l2tpvoip_tunnel_get_session(c->tunnel), &s);
    CHECK(kit, s.rekeys_child >= rekeys_child && s.rekeys_ike >= rekeys_ike,
          "rekeyed only %u and %u times", (unsigned)s.rekeys_child, (unsigned)s.rekeys_ike);
    l2tpvoip_context_stats rs = {.size = sizeof rs}, rc = {.size = sizeof rc};
    (void)l2tpvoip_context_get_stats(kit->srv->ctx, &rs);
    (void)l2tpvoip_context_get_stats(c->host->ctx, &rc);
    CHECK(kit, c->received == c->sent && c->duplicated == 0,
          "call: %u of %u, %u twice; echoed %u; unknown %u %u, policy %u %u, tx errors %u %u",
          c->received, c->sent, c->duplicated, (unsigned)kit->echoed, (unsigned)rs.rx_unknown,
          (unsigned)rc.rx_unknown, (unsigned)rs.rx_policy, (unsigned)rc.rx_policy,
          (unsigned)rs.tx_errors, (unsigned)rc.tx_errors);
    return true;
}

/* Jitter, so that packets of the old SA arrive after those of the new one. */
static void jitter(struct kit *kit)
{
    kit->srv->link.jitter_ns = kit->cli[0].host->link.jitter_ns = 30 * SIM_MS;
    kit->srv->link.reorder = kit->cli[0].host->link.reorder = 0.2;
}

bool sim_life_rekey(struct kit *kit)
{
    jitter(kit);
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    if (!kit_call(kit, 30 * SIM_S, rekey_often)) {
        return false;
    }
    return check_call(kit, 8, 2);
}

/* Both sides have the same short lifetimes and start to rekey at about the same time; and the
 * volume runs out as well. */
bool sim_life_simultaneous(struct kit *kit)
{
    jitter(kit);
    uint32_t life = (uint32_t)(60 + sim_random(&kit->rng) % 20);
    kit->server_options.ipsec.esp_lifetime_s = kit->cli[0].options.ipsec.esp_lifetime_s = life;
    kit->server_options.ipsec.ike_lifetime_s = kit->cli[0].options.ipsec.ike_lifetime_s = 2 * life;
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit->server_options.ipsec.esp_lifetime_bytes = 400000;
        kit->cli[0].options.ipsec.esp_lifetime_bytes = 400000;
    }
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(&kit->cli[0]));
    if (!kit_call(kit, (uint64_t)life * 3 * SIM_S, NULL)) {
        return false;
    }
    return check_call(kit, 3, 1);
}

/* --- moving ------------------------------------------------------------------------------------------ */

static void rebind_once(struct kit *kit, uint32_t n)
{
    if (n == 100) {
        sim_nat_rebind(&kit->sim.nats[0]);
    }
}

bool sim_life_rebinding(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    c->host->nat = sim_nat_new(&kit->sim, "203.0.113.1");
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    if (!kit_call(kit, 5 * SIM_S, rebind_once)) {
        return false;
    }
    CHECK(kit, !c->down, "went down: %s", kit_failure(c));
    /* Only echoes that were on their way to the dead port are lost. */
    CHECK(kit, c->received + 4 >= c->sent && c->duplicated == 0, "call: %u of %u", c->received,
          c->sent);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_PATH_CHANGED] >= 1, "no PATH_CHANGED");
    CHECK(kit, kit_ping(c, 2 * SIM_S), "no pong");
    /* An idle connection: keepalives hold the mapping. */
    (void)sim_run(&kit->sim, 300 * SIM_S, NULL, NULL);
    CHECK(kit, kit_ping(c, 2 * SIM_S), "no pong after idling");
    return true;
}

static void move_once(struct kit *kit, uint32_t n)
{
    if (n == 100) {
        kit->cli[0].host->ip4 = sim_addr("198.51.100.77");
        (void)l2tpvoip_context_network_changed(kit->cli[0].host->ctx,
                                               sim_host_now(kit->cli[0].host));
    }
}

bool sim_life_address(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    if (!kit_call(kit, 5 * SIM_S, move_once)) {
        return false;
    }
    CHECK(kit, !c->down, "went down: %s", kit_failure(c));
    CHECK(kit, c->received + 4 >= c->sent && c->duplicated == 0, "call: %u of %u", c->received,
          c->sent);
    return true;
}

/* --- trouble -------------------------------------------------------------------------------------------- */

bool sim_life_restart(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit_no_ipsec(kit);
    }
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    (void)sim_run(&kit->sim, 10 * SIM_S, NULL, NULL);
    sim_host_stop(kit->srv);
    kit->server = NULL;
    CHECK(kit, kit_start_server(kit) == 0, "restart");
    CHECK(kit, kit_wait_down(c, 400 * SIM_S), "the client did not notice");
    CHECK(kit, c->failure.code != 0, "no failure");
    kit_free_tunnel(c);
    CHECK(kit, kit_connect(c) == 0 && kit_wait(c, 60 * SIM_S), "again: %s", kit_failure(c));
    CHECK(kit, kit_ping(c, 2 * SIM_S), "no pong");
    return true;
}

bool sim_life_day(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    l2tpvoip_session_stats s = {.size = sizeof s};
    c->host->nat = sim_nat_new(&kit->sim, "203.0.113.1");
    kit->srv->link.loss = c->host->link.loss = 0.01;
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    for (int hour = 0; hour < 24; hour++) {
        (void)sim_run(&kit->sim, 3600 * SIM_S, NULL, NULL);
        CHECK(kit, !c->down, "hour %d: %s", hour, kit_failure(c));
        bool pong = kit_ping(c, 2 * SIM_S) || kit_ping(c, 2 * SIM_S) || kit_ping(c, 2 * SIM_S);
        CHECK(kit, pong, "hour %d: no pong", hour);
    }
    (void)l2tpvoip_session_get_stats(l2tpvoip_tunnel_get_session(c->tunnel), &s);
    CHECK(kit, s.rekeys_child >= 20 && s.rekeys_ike >= 2, "rekeyed only %u and %u times",
          (unsigned)s.rekeys_child, (unsigned)s.rekeys_ike);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SESSION_UP] == 1, "more than one session");
    return true;
}

/* A host that slept: its clock runs on, its network does not. */
static void sleep_host(struct kit *kit, struct sim_host *host, uint64_t for_ns)
{
    host->suspended = true;
    (void)sim_run(&kit->sim, for_ns, NULL, NULL);
    host->suspended = false;
    if (host->ctx != NULL && (sim_random(&kit->rng) & 1) != 0) {
        (void)l2tpvoip_context_resumed(host->ctx, for_ns, sim_host_now(host));
    }
}

static bool again_if_down(struct kit *kit, struct kit_client *c)
{
    if (!c->down) {
        return true;
    }
    CHECK(kit, c->failure.code != 0, "down without failure");
    kit_free_tunnel(c);
    CHECK(kit, kit_connect(c) == 0 && kit_wait(c, 60 * SIM_S), "again: %s", kit_failure(c));
    return true;
}

bool sim_life_clock(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    for (int i = 0; i < 6; i++) {
        struct sim_host *host = (sim_random(&kit->rng) & 1) != 0 ? kit->srv : c->host;
        uint64_t ns = (sim_random(&kit->rng) % 900 + 1) * SIM_S;
        if ((sim_random(&kit->rng) & 1) != 0) {
            host->skew_ns += ns; /* its clock jumps ahead */
        } else {
            sleep_host(kit, host, ns);
        }
        (void)sim_run(&kit->sim, 400 * SIM_S, NULL, NULL);
        if (!again_if_down(kit, c)) {
            return false;
        }
        CHECK(kit, kit_ping(c, 5 * SIM_S), "round %d: no pong", i);
    }
    return true;
}

bool sim_life_blackhole(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    c->host->blackhole = true;
    (void)sim_run(&kit->sim, 15 * SIM_S, NULL, NULL);
    c->host->blackhole = false;
    CHECK(kit, kit_ping(c, 5 * SIM_S), "15 s of silence were too much");
    c->host->blackhole = true;
    CHECK(kit, kit_wait_down(c, 600 * SIM_S), "did not notice");
    CHECK(kit, c->failure.code == L2TPVOIP_ERR_TIMEOUT, "wrong failure: %s", kit_failure(c));
    (void)sim_run(&kit->sim, 600 * SIM_S, NULL, NULL);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SESSION_DOWN] == 1, "the server did not notice");
    c->host->blackhole = false;
    return again_if_down(kit, c);
}

/* A call finds out sooner than an idle connection. */
bool sim_life_dead_call(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    CHECK(kit, kit_call(kit, 3 * SIM_S, NULL), "call");
    kit->srv->blackhole = true;
    uint64_t start = kit->sim.now_ns;
    CHECK(kit, kit_call(kit, 25 * SIM_S, NULL), "call");
    CHECK(kit, c->down, "did not notice within %u s",
          (unsigned)((kit->sim.now_ns - start) / SIM_S));
    CHECK(kit, c->failure.code == L2TPVOIP_ERR_TIMEOUT, "wrong failure: %s", kit_failure(c));
    return true;
}

bool sim_life_server_close(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    unsigned how = (unsigned)(sim_random(&kit->rng) % 3);
    if (how == 0) {
        CHECK(kit, l2tpvoip_server_close(kit->server) == 0, "close");
    } else if (how == 1) {
        CHECK(kit, l2tpvoip_session_close(kit->srv->last_session) == 0, "close");
    } else {
        l2tpvoip_server_free(kit->server);
        kit->server = NULL;
    }
    CHECK(kit, kit_wait_down(c, 10 * SIM_S), "how %u: the client was not told", how);
    CHECK(kit, c->failure.code == L2TPVOIP_ERR_PEER_CLOSED, "how %u: wrong failure: %s", how,
          kit_failure(c));
    (void)sim_run(&kit->sim, 10 * SIM_S, NULL, NULL);
    if (how == 0) {
        CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SERVER_DOWN] == 1, "no SERVER_DOWN");
    }
    return true;
}

/* Many connections one after the other, ended in every way, on one server. */
bool sim_life_again(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    for (int i = 0; i < 5; i++) {
        CHECK(kit, kit_ping(c, 2 * SIM_S), "round %d: no pong", i);
        switch (sim_random(&kit->rng) % 3) {
        case 0:
            (void)l2tpvoip_tunnel_close(c->tunnel);
            (void)kit_wait_down(c, 10 * SIM_S);
            kit_free_tunnel(c);
            break;
        case 1:
            kit_free_tunnel(c);
            break;
        default:
            sim_host_stop(c->host); /* a crash: the server learns it from the next one */
            CHECK(kit, kit_start_client(c) == 0, "restart");
            break;
        }
        c->tunnel = NULL;
        CHECK(kit, kit_connect(c) == 0 && kit_wait(c, 60 * SIM_S), "round %d: %s", i,
              kit_failure(c));
    }
    CHECK(kit, kit_ping(c, 2 * SIM_S), "no pong");
    return true;
}
