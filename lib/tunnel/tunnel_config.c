/* SPDX-License-Identifier: MIT */
/* Public options: checks, and what each module gets of them. */
#include <string.h>

#include "base_addr.h"
#include "l2v_tunnel.h"

#define MAX_NAME 255u
#define MAX_SECRET 256u
#define MIN_PATH_MTU 576u
#define MAX_PATH_MTU 65535u
#define ALL_AUTH                                                                                   \
    (L2TPVOIP_AUTH_PAP | L2TPVOIP_AUTH_CHAP_MD5 | L2TPVOIP_AUTH_MSCHAPV2 |                         \
     L2TPVOIP_AUTH_EAP_MD5 | L2TPVOIP_AUTH_EAP_MSCHAPV2 | L2TPVOIP_AUTH_NONE)
#define CLIENT_AUTH                                                                                \
    (L2TPVOIP_AUTH_CHAP_MD5 | L2TPVOIP_AUTH_MSCHAPV2 | L2TPVOIP_AUTH_EAP_MD5 |                     \
     L2TPVOIP_AUTH_EAP_MSCHAPV2)
#define SERVER_AUTH (L2TPVOIP_AUTH_MSCHAPV2 | L2TPVOIP_AUTH_CHAP_MD5)

void l2v_tunnel_l2tp_config(struct l2v_l2tp_config *c, const l2tpvoip_l2tp_options *o,
                            const l2tpvoip_context *ctx, bool is_lns)
{
    memset(c, 0, sizeof *c);
    c->host_name = o->host_name != NULL ? o->host_name : "l2tpvoip";
    c->secret = o->secret;
    c->secret_len = o->secret != NULL ? o->secret_len : 0;
    c->hello_interval_ms = (o->hello_interval_s != 0 ? o->hello_interval_s : 60) * 1000;
    c->receive_window = o->receive_window != 0 ? o->receive_window : 8;
    c->retransmit_ms = o->retransmit_ms != 0 ? o->retransmit_ms : 1000;
    c->retransmit_cap_ms = 8000; /* rfc2661#5.8 */
    c->retransmit_tries = o->retransmit_tries != 0 ? o->retransmit_tries : 5;
    c->max_cc = L2V_MAX_CC;
    c->max_sessions = 64;
    c->hide_avps = (o->flags & L2TPVOIP_L2TP_HIDE_AVPS) != 0;
    c->length_bit = (o->flags & L2TPVOIP_L2TP_LENGTH_BIT) != 0;
    c->is_lns = is_lns;
    c->shard_bits = (uint16_t)ctx->shard_bits;
    c->shard = (uint16_t)(ctx->shard_bits != 0 ? ctx->shard << (16 - ctx->shard_bits) : 0u);
}

void l2v_tunnel_ppp_config(struct l2v_ppp_config *c, const l2tpvoip_ppp_options *o, bool server,
                           uint32_t mru)
{
    memset(c, 0, sizeof *c);
    c->server = server;
    c->auth = o->auth;
    c->mru = o->mru != 0 ? o->mru : mru;
    if (c->mru > 1500) {
        c->mru = 1500;
    }
    c->echo_interval_ms = (o->echo_interval_s != 0 ? o->echo_interval_s : 30) * 1000;
    c->echo_failures = o->echo_failures != 0 ? o->echo_failures : 4;
    c->restart_ms = o->restart_ms;
    c->flags = o->flags;
    c->user = o->user;
    c->password = o->password;
    c->password_len = o->password_len;
    memcpy(c->dns, o->dns, sizeof c->dns);
    if (!server) {
        c->local_ip = o->request_ip;
    }
}

uint32_t l2v_tunnel_default_auth(bool server, uint32_t security)
{
    uint32_t auth = server ? SERVER_AUTH : CLIENT_AUTH;
    if (security == L2TPVOIP_SECURITY_IPSEC) {
        auth |= L2TPVOIP_AUTH_PAP; /* the password is inside the SA */
    }
    return auth;
}

/* --- checks ------------------------------------------------------------------------------------ */

static int refuse(l2tpvoip_context *ctx, const char *what, const char *next_step)
{
    l2v_failure_set(&ctx->failure, L2TPVOIP_LAYER_CONFIG, L2TPVOIP_ERR_CONFIG, 0, next_step, "%s",
                    what);
    return L2TPVOIP_ERR_CONFIG;
}

static bool text_fits(const char *text, size_t max)
{
    return text == NULL || memchr(text, 0, max + 1) != NULL;
}

static bool addr_ok(const l2tpvoip_addr *a)
{
    return a->family == 0 || a->family == 4 || a->family == 6;
}

static int check_ipsec(l2tpvoip_context *ctx, const l2tpvoip_ipsec_options *o)
{
    if (o->security != L2TPVOIP_SECURITY_IPSEC && o->security != L2TPVOIP_SECURITY_NONE) {
        return refuse(ctx, "Unknown value of security", "Use IPsec or none");
    }
    if (o->security == L2TPVOIP_SECURITY_IPSEC && (o->n_psks == 0 || o->psks == NULL)) {
        return refuse(ctx, "IPsec needs a pre-shared key",
                      "Give the key of the server, or say plainly that there is to be no IPsec");
    }
    if (o->replay_window % 64 != 0) {
        return refuse(ctx, "The replay window must be a multiple of 64", "Use 1024");
    }
    return 0;
}

static int check_l2tp(l2tpvoip_context *ctx, const l2tpvoip_l2tp_options *o)
{
    if (!text_fits(o->host_name, MAX_NAME)) {
        return refuse(ctx, "The L2TP host name is longer than 255 bytes", "Use a shorter one");
    }
    if (o->secret_len > MAX_SECRET || (o->secret == NULL) != (o->secret_len == 0)) {
        return refuse(ctx, "The L2TP secret is empty or longer than 256 bytes", "");
    }
    if ((o->flags & L2TPVOIP_L2TP_HIDE_AVPS) != 0 && o->secret == NULL) {
        return refuse(ctx, "Hidden AVPs need an L2TP secret", "Give the secret, or do not hide AVPs");
    }
    if (o->receive_window > 1024 || o->retransmit_tries > 100 || o->retransmit_ms > 60000 ||
        o->hello_interval_s > 86400) {
        return refuse(ctx, "An L2TP timer or window is out of range", "");
    }
    return 0;
}

static int check_ppp(l2tpvoip_context *ctx, const l2tpvoip_ppp_options *o)
{
    if ((o->auth & ~ALL_AUTH) != 0) {
        return refuse(ctx, "Unknown PPP authentication method", "");
    }
    if (o->mru != 0 && (o->mru < 128 || o->mru > 16384)) {
        return refuse(ctx, "The MRU must be between 128 and 16384", "Leave it out");
    }
    if (!text_fits(o->user, MAX_NAME) || o->password_len > MAX_SECRET) {
        return refuse(ctx, "The PPP user name or password is too long", "");
    }
    if ((o->flags & L2TPVOIP_PPP_NO_IPV4) != 0 && (o->flags & L2TPVOIP_PPP_NO_IPV6) != 0) {
        return refuse(ctx, "Neither IPv4 nor IPv6 is wanted inside the tunnel", "Allow one of them");
    }
    if (o->echo_interval_s > 86400 || o->restart_ms > 60000 || !addr_ok(&o->request_ip)) {
        return refuse(ctx, "A PPP timer or address is out of range", "");
    }
    return 0;
}

static int check_mtu(l2tpvoip_context *ctx, uint32_t mtu)
{
    if (mtu != 0 && (mtu < MIN_PATH_MTU || mtu > MAX_PATH_MTU)) {
        return refuse(ctx, "The path MTU must be between 576 and 65535", "Use 1500");
    }
    return 0;
}

static int check_layers(l2tpvoip_context *ctx, const l2tpvoip_ipsec_options *ipsec,
                        const l2tpvoip_l2tp_options *l2tp, const l2tpvoip_ppp_options *ppp,
                        uint32_t path_mtu)
{
    int rc = check_ipsec(ctx, ipsec);
    rc = rc != 0 ? rc : check_l2tp(ctx, l2tp);
    rc = rc != 0 ? rc : check_ppp(ctx, ppp);
    return rc != 0 ? rc : check_mtu(ctx, path_mtu);
}

int l2v_tunnel_check_client(l2tpvoip_context *ctx, const l2tpvoip_tunnel_options *o)
{
    if (o->server == NULL || o->server[0] == 0 || !text_fits(o->server, MAX_NAME)) {
        return refuse(ctx, "The server has no name", "Give its name or address");
    }
    if (!addr_ok(&o->local) || !text_fits(o->interface_name, MAX_NAME)) {
        return refuse(ctx, "The local address or interface is invalid", "");
    }
    return check_layers(ctx, &o->ipsec, &o->l2tp, &o->ppp, o->path_mtu);
}

static int check_pool(l2tpvoip_context *ctx, const l2tpvoip_server_options *o)
{
    uint32_t first = l2v_addr_get_ip4(&o->pool_first);
    uint32_t gateway = l2v_addr_get_ip4(&o->gateway);
    if ((o->ppp.flags & L2TPVOIP_PPP_NO_IPV4) != 0) {
        return 0;
    }
    if (gateway == 0) {
        return refuse(ctx, "The server has no inner IPv4 address", "Give the gateway address");
    }
    if (o->pool_size > 65536 || (o->pool_size != 0 && first == 0) ||
        (o->pool_size != 0 && first > UINT32_MAX - o->pool_size)) {
        return refuse(ctx, "The address pool is invalid", "Give a first IPv4 address and at most 65536");
    }
    if (o->pool_size != 0 && gateway >= first && gateway - first < o->pool_size) {
        return refuse(ctx, "The gateway address is inside the pool", "Move one of them");
    }
    return 0;
}

static int check_users(l2tpvoip_context *ctx, const l2tpvoip_server_options *o)
{
    if (o->n_users == 0 && (o->ppp.auth & L2TPVOIP_AUTH_NONE) == 0) {
        return refuse(ctx, "No user may come", "Add a user, or allow clients without authentication");
    }
    if (o->n_users != 0 && o->users == NULL) {
        return refuse(ctx, "The list of users is missing", "");
    }
    for (uint32_t i = 0; i < o->n_users; i++) {
        const l2tpvoip_user *u = &o->users[i];
        if (u->name == NULL || u->name[0] == 0 || !text_fits(u->name, 63) ||
            u->password_len > MAX_SECRET || (u->password == NULL && u->password_len != 0) ||
            (u->ip.family != 0 && u->ip.family != 4)) {
            return refuse(ctx, "A user has no valid name, password or address", "");
        }
        if (u->ip.family != 0 && l2v_addr_equal_ip(&u->ip, &o->gateway)) {
            return refuse(ctx, "A user has the address of the gateway", "Move one of them");
        }
    }
    return 0;
}

int l2v_tunnel_check_server(l2tpvoip_context *ctx, const l2tpvoip_server_options *o)
{
    if (o->listen.family != 4 && o->listen.family != 6) {
        return refuse(ctx, "The server has no address to listen on", "Use 0.0.0.0 or ::");
    }
    int rc = check_layers(ctx, &o->ipsec, &o->l2tp, &o->ppp, o->path_mtu);
    rc = rc != 0 ? rc : check_pool(ctx, o);
    return rc != 0 ? rc : check_users(ctx, o);
}

int l2v_tunnel_ike_config(l2tpvoip_context *ctx, const l2tpvoip_ipsec_options *o, bool server,
                          struct l2v_ike_config **ret_config)
{
    l2tpvoip_ipsec_options copy = *o;
    /* Userspace sends no IP protocol 50: ESP has to run in UDP even where there is no NAT. */
    copy.flags |= L2TPVOIP_IPSEC_FORCE_ENCAPS;
    return l2v_ike_config_new(&ctx->env, ctx->crypto, &copy, server, ret_config, &ctx->failure);
}
