/* SPDX-License-Identifier: MIT */
/* Promises of the API. */
#include "sim_scenarios.h"

#include <string.h>

/* --- level 2 --------------------------------------------------------------------------------------- */

static bool read_all(struct kit *kit, l2tpvoip_socket *socket, unsigned expected)
{
    uint8_t data[64];
    l2tpvoip_message v[4];
    l2tpvoip_addr from;
    size_t len = 0, n = 0;
    unsigned got = 0;
    CHECK(kit, l2tpvoip_socket_recvfrom(socket, data, 8, &len, &from) == 0 && len == 8, "cut off");
    got++;
    while (l2tpvoip_socket_recv_batch(socket, v, 4, &n) == 0) {
        for (size_t i = 0; i < n; i++) {
            CHECK(kit, v[i].len == 20 && v[i].remote.port == KIT_RTP_PORT, "message");
            CHECK(kit, v[i].data[19] == 7, "payload");
        }
        got += (unsigned)n;
        CHECK(kit, l2tpvoip_socket_release(socket, v, n) == 0, "release");
    }
    CHECK(kit, got == expected, "%u of %u", got, expected);
    return true;
}

bool sim_api_level2(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    l2tpvoip_socket_options so;
    l2tpvoip_socket *socket = NULL;
    uint8_t data[20];
    size_t len = 0;
    int fd = -1, ctx_fd = -1;
    l2tpvoip_addr to = sim_addr("10.9.0.1:4000");
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    l2tpvoip_session *session = l2tpvoip_tunnel_get_session(c->tunnel);
    l2tpvoip_socket_options_init(&so, sizeof so);
    so.recv_queue = 16;
    CHECK(kit, l2tpvoip_socket_new(session, &so, &socket) == 0, "socket");
    CHECK(kit, l2tpvoip_socket_get_fd(socket, &fd) == 0, "fd");
    CHECK(kit, l2tpvoip_context_get_fd(c->host->ctx, &ctx_fd) == 0 && fd != ctx_fd, "context fd");
    CHECK(kit, !c->host->fd_set[fd] && !c->host->fd_set[ctx_fd], "readable too early");
    CHECK(kit, l2tpvoip_socket_recvfrom(socket, data, 20, &len, NULL) == L2TPVOIP_ERR_AGAIN, "AGAIN");
    memset(data, 7, sizeof data);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10 + 10 * round; i++) {
            CHECK(kit, l2tpvoip_socket_sendto(socket, data, 20, &to) == 0, "sendto");
        }
        (void)sim_run(&kit->sim, SIM_S, NULL, NULL);
        CHECK(kit, c->host->fd_set[fd] && c->host->fd_set[ctx_fd], "not readable");
        if (!read_all(kit, socket, round == 0 ? 10 : 16)) {
            return false;
        }
        CHECK(kit, !c->host->fd_set[fd] && !c->host->fd_set[ctx_fd], "still readable");
    }
    CHECK(kit, c->host->events[L2TPVOIP_EVENT_SOCKET_READABLE] == 3, "%u events",
          c->host->events[L2TPVOIP_EVENT_SOCKET_READABLE]);
    to.port = 9;
    CHECK(kit, l2tpvoip_socket_sendto(socket, data, 20, &to) == 0, "sendto");
    (void)sim_run(&kit->sim, SIM_S, NULL, NULL);
    CHECK(kit, c->host->events[L2TPVOIP_EVENT_SOCKET_ERROR] == 1, "no SOCKET_ERROR");
    l2tpvoip_tunnel_free(c->tunnel); /* with its socket */
    (void)sim_run(&kit->sim, SIM_S, NULL, NULL);
    return true;
}

/* --- anything may be freed in a callback ------------------------------------------------------------------ */

static void free_tunnel(struct kit_client *c)
{
    if (c->tunnel != NULL) {
        l2tpvoip_tunnel_free(c->tunnel);
        c->tunnel = NULL;
        c->down = true;
        c->rtp = NULL;
    }
}

static void on_message_free(struct kit_client *c)
{
    if (c->received == 5) {
        switch (sim_random(&c->kit->rng) % 3) {
        case 0:
            l2tpvoip_socket_free(c->rtp);
            c->rtp = NULL;
            c->down = true;
            break;
        case 1:
            free_tunnel(c);
            break;
        default:
            l2tpvoip_context_free(c->host->ctx);
            c->host->ctx = NULL;
            c->down = true;
            c->rtp = NULL;
            break;
        }
    }
}

static uint32_t kill_type, kill_what;

static void on_event_kill(struct sim_host *host, const l2tpvoip_event *event)
{
    bool server = strcmp(host->name, "server") == 0;
    struct kit *kit = server ? host->user : ((struct kit_client *)host->user)->kit;
    struct kit_client *c = &kit->cli[0];
    if (event->type == L2TPVOIP_EVENT_TUNNEL_UP) {
        c->up = true;
    } else if (event->type == L2TPVOIP_EVENT_TUNNEL_DOWN) {
        c->down = true;
    }
    if (event->type != kill_type) {
        return;
    }
    if (kill_what == 0) {
        l2tpvoip_context_free(host->ctx);
        host->ctx = NULL;
    } else if (server && kill_what == 1) {
        l2tpvoip_server_free(kit->server);
        kit->server = NULL;
    } else if (server && event->session != NULL) {
        (void)l2tpvoip_session_close(event->session);
    } else if (!server && kill_what == 1) {
        free_tunnel(c);
    } else if (!server && c->tunnel != NULL) {
        (void)l2tpvoip_tunnel_close(c->tunnel);
    }
    c->down = true;
}

bool sim_api_callbacks(struct kit *kit)
{
    static const uint32_t types[] = {L2TPVOIP_EVENT_TUNNEL_PROGRESS, L2TPVOIP_EVENT_TUNNEL_UP,
                                     L2TPVOIP_EVENT_TUNNEL_DOWN,     L2TPVOIP_EVENT_SESSION_UP,
                                     L2TPVOIP_EVENT_SESSION_DOWN,    L2TPVOIP_EVENT_SERVER_UP,
                                     L2TPVOIP_EVENT_REKEYED,         L2TPVOIP_EVENT_NONE};
    struct kit_client *c = &kit->cli[0];
    kill_type = types[sim_random(&kit->rng) % 8];
    kill_what = (uint32_t)(sim_random(&kit->rng) % 3);
    if ((sim_random(&kit->rng) & 1) != 0) {
        kit_no_ipsec(kit);
    }
    if (kill_type == L2TPVOIP_EVENT_NONE) {
        c->on_message = on_message_free;
        CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
        if (!kit_call(kit, SIM_S, NULL)) {
            return false;
        }
        CHECK(kit, c->received >= 5 && c->received < 10, "received %u", c->received);
        (void)sim_run(&kit->sim, 100 * SIM_S, NULL, NULL);
        return true;
    }
    kit->srv->on_event = c->host->on_event = on_event_kill;
    (void)kit_bring_up(kit, 60 * SIM_S);
    if (c->tunnel != NULL && c->host->ctx != NULL) {
        (void)l2tpvoip_tunnel_rekey(c->tunnel, L2TPVOIP_REKEY_CHILD);
        (void)sim_run(&kit->sim, 20 * SIM_S, NULL, NULL);
    }
    if (c->tunnel != NULL && c->host->ctx != NULL) {
        (void)l2tpvoip_tunnel_close(c->tunnel);
    }
    (void)sim_run(&kit->sim, 100 * SIM_S, NULL, NULL);
    return true;
}

/* --- never in clear ------------------------------------------------------------------------------------------ */

/* A genuine SCCRQ, rfc2661#6.1: message type, protocol version, host name, framing, tunnel id. */
static const uint8_t sccrq[] = {
    0xC8, 0x02, 0x00, 0x46, 0, 0, 0, 0, 0, 0, 0, 0,             /* header */
    0x80, 0x08, 0, 0, 0, 0, 0, 1,                               /* SCCRQ */
    0x80, 0x08, 0, 0, 0, 2, 1, 0,                               /* version 1.0 */
    0x80, 0x0A, 0, 0, 0, 3, 0, 0, 0, 3,                         /* framing */
    0x80, 0x0A, 0, 0, 0, 4, 0, 0, 0, 0,                         /* bearer */
    0x80, 0x0E, 0, 0, 0, 7, 'a', 't', 't', 'a', 'c', 'k', 'e', 'r', /* host name */
    0x80, 0x08, 0, 0, 0, 9, 0x12, 0x34,                         /* tunnel id */
};

static unsigned answers;

static void count_answers(void *user, struct sim_host *from, const l2tpvoip_addr *src,
                          const l2tpvoip_addr *dst, const uint8_t *data, size_t len)
{
    (void)user;
    (void)from;
    (void)src;
    (void)data;
    (void)len;
    answers += dst->ip[3] == 200 ? 1 : 0;
}

/* L2TP in clear, thrown at every port of a server and a client that have IPsec. */
bool sim_api_clear(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    CHECK(kit, sizeof sccrq == 0x46, "the SCCRQ has %u bytes", (unsigned)sizeof sccrq);
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    l2tpvoip_addr attacker = sim_addr("198.51.100.200:1701");
    l2tpvoip_addr as_client = sim_addr("198.51.100.1"), as_server = sim_addr("192.0.2.1");
    l2tpvoip_addr server = as_server, client = c->host->paths[0].local;
    static const uint16_t ports[] = {500, 4500, 1701};
    answers = 0;
    kit->sim.watch = count_answers;
    for (unsigned i = 0; i < 3; i++) {
        server.port = ports[i];
        as_client.port = client.port;
        as_server.port = ports[i];
        sim_inject(&kit->sim, &attacker, &server, sccrq, sizeof sccrq);
        sim_inject(&kit->sim, &as_client, &server, sccrq, sizeof sccrq);
        sim_inject(&kit->sim, &as_server, &client, sccrq, sizeof sccrq);
    }
    (void)sim_run(&kit->sim, 60 * SIM_S, NULL, NULL);
    CHECK(kit, answers == 0, "the attacker got an answer");
    CHECK(kit, !c->down && l2tpvoip_server_count_sessions(kit->server) == 1, "the client suffered");
    CHECK(kit, kit_ping(c, 2 * SIM_S), "no pong");
    CHECK(kit, kit_call(kit, SIM_S, NULL) && c->received == c->sent, "call");
    return true;
}

/* --- MTU -------------------------------------------------------------------------------------------------------- */

static size_t longest;

static void measure(void *user, struct sim_host *from, const l2tpvoip_addr *src,
                    const l2tpvoip_addr *dst, const uint8_t *data, size_t len)
{
    (void)user;
    (void)from;
    (void)src;
    (void)data;
    size_t outer = len + (dst->family == 6 ? 48 : 28);
    longest = outer > longest ? outer : longest;
}

bool sim_api_mtu(struct kit *kit)
{
    static const char *const esp[] = {"aes128-sha384", "aes256-sha256", "aes256gcm16", "aes128-sha512"};
    struct kit_client *c = &kit->cli[0];
    static uint8_t data[1600];
    uint32_t path_mtu = (uint32_t)(sim_random(&kit->rng) % 600 + 900);
    l2tpvoip_socket_options so;
    l2tpvoip_session_info info = {.size = sizeof info};
    l2tpvoip_socket *socket = NULL;
    l2tpvoip_addr to = sim_addr("10.9.0.1:4000");
    size_t n = 0;
    kit->cli[0].options.path_mtu = kit->server_options.path_mtu = path_mtu;
    kit->cli[0].options.ipsec.esp_proposals = kit->server_options.ipsec.esp_proposals =
        esp[sim_random(&kit->rng) % 4];
    if ((sim_random(&kit->rng) & 3) == 0) {
        kit_no_ipsec(kit);
    }
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    (void)l2tpvoip_session_get_info(l2tpvoip_tunnel_get_session(c->tunnel), &info);
    l2tpvoip_socket_options_init(&so, sizeof so);
    CHECK(kit, l2tpvoip_socket_new(l2tpvoip_tunnel_get_session(c->tunnel), &so, &socket) == 0,
          "socket");
    longest = 0;
    kit->sim.watch = measure;
    for (uint32_t len = info.mtu - 28 - 20; len <= info.mtu - 28 + 20; len++) {
        l2tpvoip_message v[4];
        memset(data, (int)len, sizeof data);
        CHECK(kit, l2tpvoip_socket_sendto(socket, data, len, &to) == 0, "sendto %u", len);
        (void)sim_run(&kit->sim, 100 * SIM_MS, NULL, NULL);
        CHECK(kit, l2tpvoip_socket_recv_batch(socket, v, 4, &n) == 0 && n == 1 && v[0].len == len &&
                       memcmp(v[0].data, data, len) == 0,
              "%u bytes did not come back (mtu %u)", len, info.mtu);
        (void)l2tpvoip_socket_release(socket, v, n);
    }
    CHECK(kit, longest <= path_mtu, "an outer packet of %u bytes, path MTU %u", (unsigned)longest,
          path_mtu);
    CHECK(kit, longest + 17 > path_mtu || info.mtu == 576, "the longest has only %u bytes, path MTU %u",
          (unsigned)longest, path_mtu);
    return true;
}

/* --- reentrancy ---------------------------------------------------------------------------------------------------- */

static unsigned refused, tried;
static struct kit *reentrant_kit;

static void reenter(void *user, struct sim_host *from, const l2tpvoip_addr *src,
                    const l2tpvoip_addr *dst, const uint8_t *data, size_t len)
{
    struct kit_client *c = &reentrant_kit->cli[0];
    (void)user;
    (void)src;
    (void)dst;
    (void)data;
    (void)len;
    if (from != c->host || c->tunnel == NULL) {
        return;
    }
    l2tpvoip_failure failure;
    l2tpvoip_context_stats stats = {.size = sizeof stats};
    tried += 4;
    refused += l2tpvoip_tunnel_get_failure(c->tunnel, &failure) == L2TPVOIP_ERR_REENTRANT ? 1 : 0;
    refused += l2tpvoip_context_get_stats(from->ctx, &stats) == L2TPVOIP_ERR_REENTRANT ? 1 : 0;
    refused += l2tpvoip_tunnel_close(c->tunnel) == L2TPVOIP_ERR_REENTRANT ? 1 : 0;
    refused += l2tpvoip_context_handle_expiry(from->ctx, 0) == L2TPVOIP_ERR_REENTRANT ? 1 : 0;
}

static unsigned posted;

static void count_post(void *arg)
{
    (void)arg;
    posted++;
}

bool sim_api_reentrant(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    reentrant_kit = kit;
    refused = tried = posted = 0;
    kit->sim.watch = reenter;
    CHECK(kit, kit_bring_up(kit, 60 * SIM_S), "%s", kit_failure(c));
    CHECK(kit, tried > 10 && refused == tried, "%u of %u refused", refused, tried);
    CHECK(kit, l2tpvoip_context_post(c->host->ctx, count_post, NULL) == 0, "post");
    CHECK(kit, posted == 0, "ran at once");
    (void)sim_run(&kit->sim, SIM_MS, NULL, NULL);
    CHECK(kit, posted == 1, "did not run");
    return true;
}
