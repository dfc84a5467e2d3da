/* SPDX-License-Identifier: MIT */
#include "sim_kit.h"

#include <stdlib.h>
#include <string.h>

#define RTP_LEN 172u
#define SECRET_NAME "clear-host-name"

/* --- nothing leaves in clear -------------------------------------------------------------------- */

static bool contains(const uint8_t *data, size_t len, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= len; i++) {
        if (memcmp(data + i, text, n) == 0) {
            return true;
        }
    }
    return false;
}

static const char *judge(const l2tpvoip_addr *src, const l2tpvoip_addr *dst, const uint8_t *data,
                         size_t len)
{
    bool natt = src->port == 4500 || dst->port == 4500;
    if (src->port == 1701 || dst->port == 1701) {
        return "a datagram on port 1701";
    }
    if (contains(data, len, KIT_MARK)) {
        return "payload in clear";
    }
    if (contains(data, len, SECRET_NAME)) {
        return "a control message in clear";
    }
    if (natt && len == 1 && data[0] == 0xff) {
        return NULL;
    }
    if (natt && len >= 4 && memcmp(data, "\0\0\0\0", 4) == 0) {
        data += 4;
        len -= 4;
    } else if (natt) {
        return len >= 32 ? NULL : "a short datagram that cannot be ESP";
    }
    /* IKE: version 1.0 and the length of the message, rfc2408#3.1. */
    if (len < 28 || data[17] != 0x10 ||
        ((size_t)data[24] << 24 | (size_t)data[25] << 16 | (size_t)data[26] << 8 | data[27]) != len) {
        return "neither ESP nor IKE";
    }
    return NULL;
}

static void watch(void *user, struct sim_host *from, const l2tpvoip_addr *src,
                  const l2tpvoip_addr *dst, const uint8_t *data, size_t len)
{
    struct kit *kit = user;
    const char *bad = kit->secure ? judge(src, dst, data, len) : NULL;
    if (bad != NULL && kit->violation[0] == 0) {
        (void)snprintf(kit->violation, sizeof kit->violation, "%s sent %s", from->name, bad);
    }
}

/* --- events ---------------------------------------------------------------------------------------- */

static void on_client_event(struct sim_host *host, const l2tpvoip_event *event)
{
    struct kit_client *c = host->user;
    if (event->type == L2TPVOIP_EVENT_TUNNEL_UP) {
        c->up = true;
    } else if (event->type == L2TPVOIP_EVENT_TUNNEL_DOWN) {
        c->down = true;
        (void)l2tpvoip_tunnel_get_failure(event->tunnel, &c->failure);
    }
}

static void on_echo(void *user, l2tpvoip_socket *socket, const l2tpvoip_message *v, size_t n)
{
    struct kit *kit = user;
    for (size_t i = 0; i < n; i++) {
        l2tpvoip_message m;
        memset(&m, 0, sizeof m);
        m.data = v[i].data;
        m.len = v[i].len;
        m.session = (kit->echoed & 1) != 0 ? v[i].session : NULL; /* by handle, by address */
        m.remote = v[i].remote;
        size_t sent = 0;
        kit->echoed++;
        (void)l2tpvoip_socket_send_batch(socket, &m, 1, &sent);
    }
}

static void on_rtp(void *user, l2tpvoip_socket *socket, const l2tpvoip_message *v, size_t n)
{
    struct kit_client *c = user;
    (void)socket;
    for (size_t i = 0; i < n; i++) {
        if (v[i].len != RTP_LEN || !contains(v[i].data, v[i].len, KIT_MARK)) {
            continue;
        }
        uint32_t seq = (uint32_t)v[i].data[0] << 8 | v[i].data[1];
        if ((c->seen[seq / 8] >> (seq % 8) & 1) != 0) {
            c->duplicated++;
        } else {
            c->received++;
        }
        c->seen[seq / 8] |= (uint8_t)(1u << (seq % 8));
    }
    if (c->on_message != NULL) {
        c->on_message(c);
    }
}

static void on_pong(void *user, int32_t code, const l2tpvoip_addr *from, uint64_t rtt_ns)
{
    struct kit_client *c = user;
    (void)from;
    (void)rtt_ns;
    if (code == 0) {
        c->pings_ok++;
    } else {
        c->pings_bad++;
    }
}

/* --- set-up -------------------------------------------------------------------------------------------- */

static const uint8_t psk[] = "a pre-shared key";
static const uint8_t password[] = "open sesame";

static void init_server(struct kit *kit)
{
    l2tpvoip_server_options *o = &kit->server_options;
    l2tpvoip_server_options_init(o, sizeof *o);
    kit->psk = (l2tpvoip_psk){sizeof(l2tpvoip_psk), sizeof psk - 1, psk, NULL};
    kit->client_psk = kit->psk;
    for (unsigned i = 0; i < 4; i++) {
        static const char *const names[] = {"alice", "bob", "carol", "dave"};
        kit->users[i] = (l2tpvoip_user){.size = sizeof(l2tpvoip_user),
                                        .password_len = sizeof password - 1,
                                        .name = names[i],
                                        .password = password};
    }
    o->listen = sim_addr("0.0.0.0");
    o->ipsec.psks = &kit->psk;
    o->ipsec.n_psks = 1;
    o->l2tp.host_name = SECRET_NAME;
    o->gateway = sim_addr("10.9.0.1");
    o->pool_first = sim_addr("10.9.0.10");
    o->pool_size = 50;
    o->users = kit->users;
    o->n_users = 4;
}

struct kit_client *kit_add_client(struct kit *kit, const char *ip4, const char *ip6)
{
    static const char *const names[KIT_MAX_CLIENTS] = {"client", "client2", "client3"};
    struct kit_client *c = &kit->cli[kit->n_clients];
    l2tpvoip_tunnel_options *o = &c->options;
    c->kit = kit;
    c->host = sim_host_new(&kit->sim, names[kit->n_clients], ip4, ip6);
    c->host->user = c;
    c->host->on_event = on_client_event;
    l2tpvoip_tunnel_options_init(o, sizeof *o);
    o->server = "192.0.2.1";
    o->ipsec.psks = &kit->client_psk;
    o->ipsec.n_psks = 1;
    o->l2tp.host_name = SECRET_NAME;
    o->ppp.user = kit->users[kit->n_clients].name;
    o->ppp.password = password;
    o->ppp.password_len = sizeof password - 1;
    kit->n_clients++;
    return c;
}

void kit_init(struct kit *kit, uint64_t seed)
{
    memset(kit, 0, sizeof *kit);
    sim_init(&kit->sim, seed);
    kit->sim.verbose = getenv("SIM_VERBOSE") != NULL;
    kit->sim.watch = watch;
    kit->sim.watch_user = kit;
    kit->rng = seed ^ UINT64_C(0x5DEECE66D);
    kit->secure = true;
    kit->srv = sim_host_new(&kit->sim, "server", "192.0.2.1", "2001:db8::1");
    kit->srv->user = kit;
    init_server(kit);
    (void)kit_add_client(kit, "198.51.100.1", "2001:db8:1::1");
}

void kit_clear(struct kit *kit)
{
    sim_clear(&kit->sim);
}

void kit_no_ipsec(struct kit *kit)
{
    kit->secure = false;
    kit->server_options.ipsec.security = L2TPVOIP_SECURITY_NONE;
    for (unsigned i = 0; i < kit->n_clients; i++) {
        kit->cli[i].options.ipsec.security = L2TPVOIP_SECURITY_NONE;
    }
}

int kit_start_server(struct kit *kit)
{
    l2tpvoip_socket_options so;
    kit->srv->options.mem = kit->mem;
    int rc = sim_host_start(kit->srv);
    if (rc == 0) {
        rc = l2tpvoip_server_new(kit->srv->ctx, &kit->server_options, &kit->server);
    }
    if (rc != 0) {
        return rc;
    }
    l2tpvoip_socket_options_init(&so, sizeof so);
    so.local.port = KIT_RTP_PORT;
    so.on_messages = on_echo;
    so.user = kit;
    so.tos = 0xB8;
    return l2tpvoip_socket_new_server(kit->server, &so, &kit->echo);
}

int kit_start_client(struct kit_client *c)
{
    c->host->options.mem = c->kit->mem;
    return sim_host_start(c->host);
}

int kit_connect(struct kit_client *c)
{
    c->up = c->down = false;
    c->options.user = c;
    return l2tpvoip_tunnel_new(c->host->ctx, &c->options, &c->tunnel);
}

static bool is_decided(void *user)
{
    const struct kit_client *c = user;
    return c->up || c->down;
}

bool kit_wait(struct kit_client *c, uint64_t for_ns)
{
    (void)sim_run(&c->kit->sim, for_ns, is_decided, c);
    return c->up && !c->down;
}

static bool is_down(void *user)
{
    return ((const struct kit_client *)user)->down;
}

bool kit_wait_down(struct kit_client *c, uint64_t for_ns)
{
    return sim_run(&c->kit->sim, for_ns, is_down, c);
}

bool kit_bring_up(struct kit *kit, uint64_t for_ns)
{
    struct kit_client *c = &kit->cli[0];
    int rc = kit_start_server(kit);
    if (rc == 0) {
        (void)sim_run(&kit->sim, SIM_MS, NULL, NULL);
        rc = kit_start_client(c);
    }
    if (rc == 0) {
        rc = kit_connect(c);
    }
    if (rc != 0) {
        (void)snprintf(c->failure.message, sizeof c->failure.message, "set-up: %s",
                       l2tpvoip_error_text(rc));
        if (rc == L2TPVOIP_ERR_CONFIG) {
            struct sim_host *host = c->host->ctx != NULL ? c->host : kit->srv;
            (void)l2tpvoip_context_get_failure(host->ctx, &c->failure);
        }
        c->failure.code = rc;
        c->down = true;
        return false;
    }
    return kit_wait(c, for_ns);
}

const char *kit_failure(const struct kit_client *c)
{
    static char text[400];
    (void)snprintf(text, sizeof text, "phase %s, %s/%s: %s",
                   c->tunnel != NULL ? l2tpvoip_phase_name(l2tpvoip_tunnel_get_phase(c->tunnel))
                                     : "-",
                   l2tpvoip_layer_name(c->failure.layer), l2tpvoip_error_name(c->failure.code),
                   c->failure.message);
    return text;
}

/* --- traffic -------------------------------------------------------------------------------------------- */

int kit_open_rtp(struct kit_client *c)
{
    l2tpvoip_socket_options so;
    l2tpvoip_addr to = sim_addr("10.9.0.1:4000");
    l2tpvoip_session *session = l2tpvoip_tunnel_get_session(c->tunnel);
    l2tpvoip_socket_options_init(&so, sizeof so);
    so.on_messages = on_rtp;
    so.user = c;
    so.tos = 0xB8;
    int rc = l2tpvoip_socket_new(session, &so, &c->rtp);
    return rc == 0 ? l2tpvoip_socket_connect(c->rtp, &to) : rc;
}

void kit_free_tunnel(struct kit_client *c)
{
    l2tpvoip_tunnel_free(c->tunnel);
    c->tunnel = NULL;
    c->rtp = NULL; /* went with it */
    c->down = true;
}

static void send_rtp(struct kit_client *c)
{
    uint8_t packet[RTP_LEN];
    memset(packet, 0x55, sizeof packet);
    packet[0] = (uint8_t)(c->sent >> 8);
    packet[1] = (uint8_t)c->sent;
    memcpy(packet + 12, KIT_MARK, sizeof KIT_MARK - 1);
    c->sent++;
    (void)l2tpvoip_socket_sendto(c->rtp, packet, sizeof packet, NULL);
}

bool kit_call(struct kit *kit, uint64_t for_ns, void (*at_packet)(struct kit *kit, uint32_t n))
{
    for (unsigned i = 0; i < kit->n_clients; i++) {
        struct kit_client *c = &kit->cli[i];
        if (c->up && !c->down && c->rtp == NULL) {
            int rc = kit_open_rtp(c);
            CHECK(kit, rc == 0, "no RTP socket: %s", l2tpvoip_error_name(rc));
        }
    }
    /* The peer may get the last answer of IPCP later than the first packet: rfc1661#3.6 drops it. */
    (void)sim_run(&kit->sim, 200 * SIM_MS, NULL, NULL);
    uint32_t n = (uint32_t)(for_ns / (20 * SIM_MS));
    for (uint32_t k = 0; k < n; k++) {
        for (unsigned i = 0; i < kit->n_clients; i++) {
            if (kit->cli[i].rtp != NULL && !kit->cli[i].down) {
                send_rtp(&kit->cli[i]);
            }
        }
        if (at_packet != NULL) {
            at_packet(kit, k);
        }
        (void)sim_run(&kit->sim, 20 * SIM_MS, NULL, NULL);
    }
    (void)sim_run(&kit->sim, SIM_S, NULL, NULL);
    return true;
}

bool kit_ping(struct kit_client *c, uint64_t for_ns)
{
    l2tpvoip_addr to = sim_addr("10.9.0.1");
    unsigned before = c->pings_ok + c->pings_bad;
    unsigned ok = c->pings_ok;
    l2tpvoip_session *session = l2tpvoip_tunnel_get_session(c->tunnel);
    if (session == NULL ||
        l2tpvoip_session_ping(session, &to, 56, (uint32_t)(for_ns / SIM_MS), on_pong, c) != 0) {
        (void)sim_run(&c->kit->sim, for_ns, NULL, NULL);
        return false;
    }
    (void)sim_run(&c->kit->sim, for_ns + SIM_S, NULL, NULL);
    return c->pings_ok + c->pings_bad == before + 1 && c->pings_ok == ok + 1;
}
