/* SPDX-License-Identifier: MIT */
/* Ways not to come up: each has its own failure, and nobody waits for ever. */
#include "sim_scenarios.h"

#include <string.h>

static bool expect(struct kit *kit, int code, int layer)
{
    struct kit_client *c = &kit->cli[0];
    bool up = kit_bring_up(kit, 120 * SIM_S);
    CHECK(kit, !up && c->down, "%s", up ? "came up" : "neither up nor down");
    CHECK(kit, c->failure.code == code && c->failure.layer == layer, "wrong failure: %s",
          kit_failure(c));
    CHECK(kit, c->failure.message[0] != 0 && c->failure.next_step[0] != 0,
          "failure without words: %s", kit_failure(c));
    CHECK(kit, c->host->events[L2TPVOIP_EVENT_TUNNEL_DOWN] == 1, "TUNNEL_DOWN came %u times",
          c->host->events[L2TPVOIP_EVENT_TUNNEL_DOWN]);
    kit_free_tunnel(c);
    (void)sim_run(&kit->sim, 200 * SIM_S, NULL, NULL);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SESSION_UP] == 0, "the server has a session");
    return true;
}

bool sim_refuse_psk(struct kit *kit)
{
    static const uint8_t wrong[] = "another key";
    kit->client_psk.key = wrong;
    kit->client_psk.len = sizeof wrong - 1;
    return expect(kit, L2TPVOIP_ERR_AUTH_IKE, L2TPVOIP_LAYER_IKE);
}

bool sim_refuse_password(struct kit *kit)
{
    static const uint32_t methods[] = {L2TPVOIP_AUTH_PAP, L2TPVOIP_AUTH_CHAP_MD5,
                                       L2TPVOIP_AUTH_MSCHAPV2, L2TPVOIP_AUTH_EAP_MD5,
                                       L2TPVOIP_AUTH_EAP_MSCHAPV2};
    static const uint8_t wrong[] = "open barley";
    kit->server_options.ppp.auth = methods[sim_random(&kit->rng) % 5];
    kit->cli[0].options.ppp.password = wrong;
    kit->cli[0].options.ppp.password_len = sizeof wrong - 1;
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit_no_ipsec(kit);
        kit->cli[0].options.ppp.auth = kit->server_options.ppp.auth;
    }
    return expect(kit, L2TPVOIP_ERR_AUTH_PPP, L2TPVOIP_LAYER_AUTH);
}

bool sim_refuse_silent(struct kit *kit)
{
    kit->srv->blackhole = true;
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit_no_ipsec(kit);
        return expect(kit, L2TPVOIP_ERR_TIMEOUT, L2TPVOIP_LAYER_L2TP);
    }
    return expect(kit, L2TPVOIP_ERR_TIMEOUT, L2TPVOIP_LAYER_IKE);
}

bool sim_refuse_proposal(struct kit *kit)
{
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit->server_options.ipsec.ike_proposals = "aes256-sha512-ecp521";
        kit->cli[0].options.ipsec.ike_proposals = "aes128-sha256-modp2048";
        return expect(kit, L2TPVOIP_ERR_NO_PROPOSAL, L2TPVOIP_LAYER_IKE);
    }
    kit->server_options.ipsec.esp_proposals = "aes256-sha512";
    kit->cli[0].options.ipsec.esp_proposals = "aes128-sha256";
    return expect(kit, L2TPVOIP_ERR_NO_PROPOSAL, L2TPVOIP_LAYER_IKE); /* said by IKE, phase 2 */
}

bool sim_refuse_full(struct kit *kit)
{
    struct kit_client *b = kit_add_client(kit, "198.51.100.2", NULL);
    kit->server_options.pool_size = 1;
    kit->server_options.max_sessions = (uint32_t)(sim_random(&kit->rng) % 2 + 1);
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "first: %s", kit_failure(&kit->cli[0]));
    CHECK(kit, kit_start_client(b) == 0 && kit_connect(b) == 0, "second client");
    CHECK(kit, !kit_wait(b, 120 * SIM_S) && b->down, "the second came up");
    CHECK(kit, b->failure.code != 0 && b->failure.code != L2TPVOIP_ERR_INTERNAL, "%s",
          kit_failure(b));
    CHECK(kit, kit_ping(&kit->cli[0], 2 * SIM_S), "the first suffered");
    return true;
}

bool sim_refuse_name(struct kit *kit)
{
    kit->cli[0].options.server = "nobody.example";
    return expect(kit, L2TPVOIP_ERR_RESOLVE, L2TPVOIP_LAYER_RESOLVE);
}

bool sim_refuse_secret(struct kit *kit)
{
    static const uint8_t one[] = "one", two[] = "two";
    kit->server_options.l2tp.secret = one;
    kit->cli[0].options.l2tp.secret = two;
    kit->server_options.l2tp.secret_len = kit->cli[0].options.l2tp.secret_len = 3;
    return expect(kit, L2TPVOIP_ERR_AUTH_L2TP, L2TPVOIP_LAYER_L2TP);
}

/* A second server on the same host cannot have the ports. */
bool sim_refuse_port(struct kit *kit)
{
    l2tpvoip_failure f;
    l2tpvoip_server *second = NULL;
    kit_no_ipsec(kit);
    CHECK(kit, kit_start_server(kit) == 0, "first server");
    (void)sim_run(&kit->sim, SIM_S, NULL, NULL);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SERVER_UP] == 1, "no SERVER_UP");
    int rc = l2tpvoip_server_new(kit->srv->ctx, &kit->server_options, &second);
    CHECK(kit, rc == 0, "second server: %s", l2tpvoip_error_name(rc));
    (void)sim_run(&kit->sim, SIM_S, NULL, NULL);
    CHECK(kit, kit->srv->events[L2TPVOIP_EVENT_SERVER_DOWN] == 1, "no SERVER_DOWN");
    (void)l2tpvoip_server_get_failure(second, &f);
    CHECK(kit, f.code == L2TPVOIP_ERR_EXISTS && f.layer == L2TPVOIP_LAYER_PATH, "failure %d", f.code);
    l2tpvoip_server_free(second);
    return true;
}
