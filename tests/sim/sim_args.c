/* SPDX-License-Identifier: MIT */
/* Arguments: nothing, nonsense, older and newer structures, calls within calls. */
#include "sim_scenarios.h"

#include <string.h>

#define INVALID(kit, call)                                                                         \
    do {                                                                                           \
        int rc_ = (call);                                                                          \
        CHECK(kit, rc_ == L2TPVOIP_ERR_INVALID, #call " gives %s", l2tpvoip_error_name(rc_));      \
    } while (0)

static bool null_context(struct kit *kit)
{
    l2tpvoip_context *ctx = NULL;
    l2tpvoip_datagram dg;
    l2tpvoip_event event;
    l2tpvoip_addr addr = sim_addr("192.0.2.9");
    l2tpvoip_job *job = NULL;
    l2tpvoip_tunnel *tunnel = NULL;
    l2tpvoip_server *server = NULL;
    l2tpvoip_context_stats stats = {.size = sizeof stats};
    l2tpvoip_failure failure;
    size_t n = 0;
    int fd = -1;
    memset(&dg, 0, sizeof dg);
    INVALID(kit, l2tpvoip_context_new(NULL, 0, NULL));
    INVALID(kit, l2tpvoip_context_input(ctx, &dg, 1, 0));
    INVALID(kit, l2tpvoip_context_output(ctx, &dg, 1, &n, 0));
    INVALID(kit, l2tpvoip_context_release(ctx, &dg, 1));
    INVALID(kit, l2tpvoip_context_handle_expiry(ctx, 0));
    INVALID(kit, l2tpvoip_context_next_event(ctx, &event));
    INVALID(kit, l2tpvoip_context_path_up(ctx, 1, &addr, 0));
    INVALID(kit, l2tpvoip_context_path_down(ctx, 1, 0, 0));
    INVALID(kit, l2tpvoip_context_path_error(ctx, 1, &addr, 0, 0, 0));
    INVALID(kit, l2tpvoip_context_path_writable(ctx, 1, 0));
    INVALID(kit, l2tpvoip_context_resolved(ctx, 1, 0, &addr, 1, 0));
    INVALID(kit, l2tpvoip_context_network_changed(ctx, 0));
    INVALID(kit, l2tpvoip_context_resumed(ctx, 0, 0));
    INVALID(kit, l2tpvoip_context_wakeup(ctx));
    INVALID(kit, l2tpvoip_context_post(ctx, NULL, NULL));
    INVALID(kit, l2tpvoip_context_take_job(ctx, &job));
    INVALID(kit, l2tpvoip_context_get_fd(ctx, &fd));
    INVALID(kit, l2tpvoip_context_get_stats(ctx, &stats));
    INVALID(kit, l2tpvoip_context_get_failure(ctx, &failure));
    INVALID(kit, l2tpvoip_tunnel_new(ctx, &kit->cli[0].options, &tunnel));
    INVALID(kit, l2tpvoip_server_new(ctx, &kit->server_options, &server));
    CHECK(kit, l2tpvoip_context_get_expiry(ctx) == UINT64_MAX, "expiry of nothing");
    l2tpvoip_context_free(ctx);
    l2tpvoip_job_run(NULL);
    return true;
}

static bool null_handles(struct kit *kit)
{
    l2tpvoip_session_info info = {.size = sizeof info};
    l2tpvoip_session_stats stats = {.size = sizeof stats};
    l2tpvoip_rtp_stats rtp = {.size = sizeof rtp};
    l2tpvoip_socket_options so;
    l2tpvoip_socket *socket = NULL;
    l2tpvoip_message m;
    l2tpvoip_addr addr = sim_addr("10.9.0.1:9");
    l2tpvoip_failure failure;
    uint8_t data[4];
    size_t n = 0;
    int fd = -1;
    l2tpvoip_socket_options_init(&so, sizeof so);
    INVALID(kit, l2tpvoip_tunnel_close(NULL));
    INVALID(kit, l2tpvoip_tunnel_provide_credentials(NULL, "a", data, 1));
    INVALID(kit, l2tpvoip_tunnel_rekey(NULL, 0));
    INVALID(kit, l2tpvoip_tunnel_get_failure(NULL, &failure));
    INVALID(kit, l2tpvoip_server_close(NULL));
    INVALID(kit, l2tpvoip_server_each_session(NULL, NULL, NULL));
    INVALID(kit, l2tpvoip_server_get_failure(NULL, &failure));
    INVALID(kit, l2tpvoip_server_get_addresses(NULL, NULL, NULL, NULL));
    INVALID(kit, l2tpvoip_session_get_info(NULL, &info));
    INVALID(kit, l2tpvoip_session_get_stats(NULL, &stats));
    INVALID(kit, l2tpvoip_session_close(NULL));
    INVALID(kit, l2tpvoip_session_ping(NULL, &addr, 0, 0, NULL, NULL));
    INVALID(kit, l2tpvoip_socket_new(NULL, &so, &socket));
    INVALID(kit, l2tpvoip_socket_new_server(NULL, &so, &socket));
    INVALID(kit, l2tpvoip_socket_connect(NULL, &addr));
    INVALID(kit, l2tpvoip_socket_sendto(NULL, data, 1, &addr));
    INVALID(kit, l2tpvoip_socket_send_batch(NULL, &m, 1, &n));
    INVALID(kit, l2tpvoip_socket_recvfrom(NULL, data, 1, &n, NULL));
    INVALID(kit, l2tpvoip_socket_recv_batch(NULL, &m, 1, &n));
    INVALID(kit, l2tpvoip_socket_release(NULL, &m, 1));
    INVALID(kit, l2tpvoip_socket_get_fd(NULL, &fd));
    INVALID(kit, l2tpvoip_socket_get_local(NULL, &addr));
    INVALID(kit, l2tpvoip_rtp_meter_new(NULL, NULL));
    INVALID(kit, l2tpvoip_rtp_meter_input(NULL, data, 1, 0));
    INVALID(kit, l2tpvoip_rtp_meter_get(NULL, 0, 0, &rtp));
    INVALID(kit, l2tpvoip_codec_find(NULL, NULL));
    INVALID(kit, l2tpvoip_addr_parse(NULL, NULL));
    CHECK(kit, l2tpvoip_tunnel_get_session(NULL) == NULL, "session of nothing");
    CHECK(kit, l2tpvoip_session_get_user(NULL) == NULL, "user of nothing");
    l2tpvoip_tunnel_free(NULL);
    l2tpvoip_server_free(NULL);
    l2tpvoip_socket_free(NULL);
    l2tpvoip_rtp_meter_free(NULL);
    return true;
}

/* A caller with a newer header may pass more, if it is zero; one with an older header passes less. */
static bool other_versions(struct kit *kit)
{
    struct {
        l2tpvoip_tunnel_options options;
        uint32_t newer;
    } big;
    struct kit_client *c = &kit->cli[0];
    l2tpvoip_tunnel *tunnel = NULL;
    memset(&big, 0, sizeof big);
    big.options = c->options;
    big.options.size = sizeof big;
    CHECK(kit, l2tpvoip_tunnel_new(c->host->ctx, &big.options, &tunnel) == 0, "newer and zero");
    l2tpvoip_tunnel_free(tunnel);
    big.newer = 1;
    INVALID(kit, l2tpvoip_tunnel_new(c->host->ctx, &big.options, &tunnel));
    big.options.size = offsetof(l2tpvoip_tunnel_options, connect_timeout_ms);
    CHECK(kit, l2tpvoip_tunnel_new(c->host->ctx, &big.options, &tunnel) == 0, "older");
    l2tpvoip_tunnel_free(tunnel);
    big.options.size = 0;
    INVALID(kit, l2tpvoip_tunnel_new(c->host->ctx, &big.options, &tunnel));
    l2tpvoip_session_info info;
    memset(&info, 0xA5, sizeof info);
    info.size = offsetof(l2tpvoip_session_info, local4);
    (void)l2tpvoip_session_get_info(l2tpvoip_tunnel_get_session(c->tunnel), &info);
    CHECK(kit, info.mtu > 0 && info.local4.family == 0xA5, "wrote beyond the caller's size");
    return true;
}

static bool bad_config(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    l2tpvoip_failure f;
    l2tpvoip_tunnel *tunnel = NULL;
    for (int i = 0; i < 7; i++) {
        l2tpvoip_tunnel_options o = c->options;
        switch (i) {
        case 0:
            o.server = NULL;
            break;
        case 1:
            o.ipsec.n_psks = 0;
            break;
        case 2:
            o.ipsec.ike_proposals = "aes512-rot13";
            break;
        case 3:
            o.ppp.auth = 0x80000000u;
            break;
        case 4:
            o.path_mtu = 100;
            break;
        case 5:
            o.l2tp.flags = L2TPVOIP_L2TP_HIDE_AVPS;
            break;
        default:
            o.ipsec.replay_window = 100;
            break;
        }
        int rc = l2tpvoip_tunnel_new(c->host->ctx, &o, &tunnel);
        CHECK(kit, rc == L2TPVOIP_ERR_CONFIG, "case %d gives %s", i, l2tpvoip_error_name(rc));
        CHECK(kit, l2tpvoip_context_get_failure(c->host->ctx, &f) == 0 &&
                       f.code == L2TPVOIP_ERR_CONFIG && f.message[0] != 0,
              "case %d without words", i);
    }
    return true;
}

bool sim_args_all(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    if (!null_context(kit) || !null_handles(kit)) {
        return false;
    }
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    return other_versions(kit) && bad_config(kit);
}

/* --- calls within calls --------------------------------------------------------------------------- */

static unsigned nested;

static void on_message_nested(struct kit_client *c)
{
    uint8_t junk[80];
    l2tpvoip_datagram dg[3];
    uint64_t now = sim_host_now(c->host);
    memset(dg, 0, sizeof dg);
    memset(junk, 0x5a, sizeof junk);
    for (unsigned i = 0; i < 3; i++) {
        dg[i].data = junk;
        dg[i].len = sizeof junk - i;
        dg[i].segment_size = i == 2 ? 16 : 0; /* a train */
        dg[i].path_id = c->host->paths[0].id;
        dg[i].flags = L2TPVOIP_DATAGRAM_WRITABLE;
        dg[i].remote = sim_addr("192.0.2.1:4500");
    }
    nested += l2tpvoip_context_input(c->host->ctx, dg, 3, now) == 0 ? 1 : 0;
    nested += l2tpvoip_context_handle_expiry(c->host->ctx, now) == 0 ? 1 : 0;
    (void)l2tpvoip_socket_sendto(c->rtp, junk, sizeof junk, NULL);
}

bool sim_args_nested(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    nested = 0;
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    c->on_message = on_message_nested;
    /* The echo of what the callback sends is another message: it goes on for ever. */
    if (!kit_call(kit, SIM_S, NULL)) {
        return false;
    }
    CHECK(kit, c->received == c->sent && nested >= 2 * c->sent, "%u of %u, %u nested", c->received,
          c->sent, nested);
    return true;
}
