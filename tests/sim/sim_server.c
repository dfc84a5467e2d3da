/* SPDX-License-Identifier: MIT */
/* Who has which address on a server. */
#include "sim_scenarios.h"

#include <string.h>

static bool has_address(struct kit_client *c, const char *ip)
{
    l2tpvoip_session_info info = {.size = sizeof info};
    l2tpvoip_addr want = sim_addr(ip);
    return l2tpvoip_session_get_info(l2tpvoip_tunnel_get_session(c->tunnel), &info) == 0 &&
           memcmp(info.local4.ip, want.ip, 4) == 0;
}

/* bob owns the first address of the pool, alice comes before him: she gets another one, and his is
 * not given away when he leaves either. Two of bob: the second ends the first. */
bool sim_server_fixed(struct kit *kit)
{
    struct kit_client *alice = &kit->cli[0];
    struct kit_client *bob = kit_add_client(kit, "198.51.100.2", NULL);
    struct kit_client *carol = kit_add_client(kit, "198.51.100.3", NULL);
    kit->users[1].ip = sim_addr("10.9.0.10");
    kit->server_options.pool_size = 3;
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit_no_ipsec(kit);
    }
    CHECK(kit, kit_start_client(bob) == 0 && kit_start_client(carol) == 0, "contexts");
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "alice: %s", kit_failure(alice));
    CHECK(kit, has_address(alice, "10.9.0.11"), "alice has bob's address");
    CHECK(kit, kit_connect(bob) == 0 && kit_wait(bob, 60 * SIM_S), "bob: %s", kit_failure(bob));
    CHECK(kit, has_address(bob, "10.9.0.10"), "bob has not his own address");
    CHECK(kit, kit_call(kit, SIM_S, NULL), "call");
    CHECK(kit, alice->received == alice->sent && bob->received == bob->sent,
          "calls: %u of %u, %u of %u", alice->received, alice->sent, bob->received, bob->sent);
    kit_free_tunnel(bob);
    (void)sim_run(&kit->sim, 5 * SIM_S, NULL, NULL);
    CHECK(kit, kit_connect(carol) == 0 && kit_wait(carol, 60 * SIM_S), "carol: %s",
          kit_failure(carol));
    CHECK(kit, has_address(carol, "10.9.0.12"), "carol has bob's address");
    kit_free_tunnel(carol);
    CHECK(kit, kit_connect(bob) == 0 && kit_wait(bob, 60 * SIM_S), "bob: %s", kit_failure(bob));
    carol->options.ppp.user = "bob";
    CHECK(kit, kit_connect(carol) == 0 && kit_wait(carol, 60 * SIM_S), "bob again: %s",
          kit_failure(carol));
    CHECK(kit, kit_wait_down(bob, 10 * SIM_S), "bob is there twice");
    CHECK(kit, has_address(carol, "10.9.0.10") && kit_ping(carol, 2 * SIM_S), "the later bob");
    CHECK(kit, !alice->down && kit_ping(alice, 2 * SIM_S), "alice suffered");
    return true;
}

bool sim_server_gateway(struct kit *kit)
{
    kit->users[2].ip = kit->server_options.gateway;
    CHECK(kit, kit_start_server(kit) == L2TPVOIP_ERR_CONFIG, "a user has the server's address");
    return true;
}

static l2tpvoip_addr moved_from, moved_to;
static unsigned strange;

static void note_details(struct sim_host *host, const l2tpvoip_event *event)
{
    bool addresses = event->type == L2TPVOIP_EVENT_PATH_CHANGED ||
                     event->type == L2TPVOIP_EVENT_ADDRESS_CHANGED ||
                     event->type == L2TPVOIP_EVENT_SERVER_UP;
    (void)host;
    strange += !addresses && (event->old_addr.family != 0 || event->new_addr.family != 0);
    strange += event->type != L2TPVOIP_EVENT_SESSION_DOWN && event->code != 0;
    if (event->type == L2TPVOIP_EVENT_PATH_CHANGED) {
        moved_from = event->old_addr;
        moved_to = event->new_addr;
    }
}

/* Events tell what is about them and nothing else. */
bool sim_server_events(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    strange = 0;
    memset(&moved_to, 0, sizeof moved_to);
    kit->srv->on_event = note_details;
    c->host->nat = sim_nat_new(&kit->sim, "203.0.113.1");
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    (void)kit_ping(c, SIM_S);
    sim_nat_rebind(&kit->sim.nats[0]);
    CHECK(kit, kit_ping(c, 5 * SIM_S), "no pong");
    CHECK(kit, moved_from.family == 4 && moved_to.family == 4 && moved_from.port != moved_to.port,
          "the move was not told");
    kit_free_tunnel(c);
    (void)sim_run(&kit->sim, 5 * SIM_S, NULL, NULL);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SESSION_DOWN] == 1, "no SESSION_DOWN");
    CHECK(kit, strange == 0, "%u details that do not belong to their event", strange);
    return true;
}
