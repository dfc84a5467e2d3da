/* SPDX-License-Identifier: MIT */
/* The client: resolve, path, IKE, ESP, L2TP, call, PPP; and the way back. */
#include <string.h>

#include "base_addr.h"
#include "base_secure.h"
#include "l2v_tunnel.h"

#define DEFAULT_IKE_PORT 500u
#define DEFAULT_NATT_PORT 4500u
#define DEFAULT_PATH_MTU 1500u

static const char module[] = "tunnel";

static bool wants_ipsec(const l2tpvoip_tunnel *t)
{
    return t->options.ipsec.security == L2TPVOIP_SECURITY_IPSEC;
}

static void set_phase(l2tpvoip_tunnel *t, uint32_t phase)
{
    if (phase == t->phase || t->phase == L2TPVOIP_PHASE_DOWN) {
        return;
    }
    t->phase = phase;
    if (t->phase_ns[phase] == 0) {
        t->phase_ns[phase] = t->ctx->env.now_ns;
    }
    l2v_event_post(t->ctx, &t->event, L2TPVOIP_EVENT_TUNNEL_PROGRESS);
}

static void advance(l2tpvoip_tunnel *t, uint32_t phase)
{
    if (t->phase < phase && phase <= L2TPVOIP_PHASE_UP) {
        set_phase(t, phase);
    }
}

/* --- the end ---------------------------------------------------------------------------------- */

static void tear_down(void *obj)
{
    l2tpvoip_tunnel *t = obj;
    const l2tpvoip_failure *f = t->failure.code != 0 ? &t->failure : NULL;
    l2v_client_timers_stop(t);
    t->resolve_id = 0;
    t->cc = NULL;
    l2v_assoc_close(t->assoc, f);
    t->assoc = NULL;
    l2v_path_close(t->path);
    t->path = NULL;
}

static void go_down(l2tpvoip_tunnel *t)
{
    set_phase(t, L2TPVOIP_PHASE_DOWN);
    t->event.code = t->failure.code;
    l2v_event_post(t->ctx, &t->event, L2TPVOIP_EVENT_TUNNEL_DOWN);
    l2v_defer(t->ctx, &t->work, tear_down, t);
}

void l2v_client_fail(l2tpvoip_tunnel *t, const l2tpvoip_failure *f)
{
    if (t->phase == L2TPVOIP_PHASE_DOWN) {
        return;
    }
    /* What goes wrong while the program closes the tunnel is no failure. */
    if (t->phase != L2TPVOIP_PHASE_CLOSING) {
        t->failure = *f;
        if (f->code == 0) {
            l2v_failure_set(&t->failure, L2TPVOIP_LAYER_APP, L2TPVOIP_ERR_PEER_CLOSED, 0, "",
                            "The connection was closed");
        }
        l2v_log(&t->ctx->env, L2TPVOIP_LOG_NOTICE, module, "tunnel down in phase %s: %s",
                l2v_phase_name(t->phase), t->failure.message);
    }
    go_down(t);
}

static void fail_rc(l2tpvoip_tunnel *t, int layer, int rc, const char *what)
{
    l2tpvoip_failure f;
    l2v_failure_set(&f, layer, rc, 0, "", "%s: %s", what, l2v_error_text(rc));
    l2v_client_fail(t, &f);
}

void l2v_client_close_now(l2tpvoip_tunnel *t)
{
    if (t->phase != L2TPVOIP_PHASE_DOWN) {
        go_down(t);
    }
}

void l2v_client_close(l2tpvoip_tunnel *t)
{
    if (t->phase >= L2TPVOIP_PHASE_CLOSING) {
        return;
    }
    bool has_ppp = t->session != NULL && !t->session->down && t->phase >= L2TPVOIP_PHASE_LCP;
    set_phase(t, L2TPVOIP_PHASE_CLOSING);
    if (!has_ppp) {
        go_down(t);
        return;
    }
    l2v_client_timers_closing(t);
    l2v_ppp_close(t->session->ppp); /* CDN, StopCCN and Delete follow when it is down */
}

static void say_goodbye(l2tpvoip_tunnel *t)
{
    if (t->session != NULL && !t->session->down && t->phase < L2TPVOIP_PHASE_DOWN &&
        t->phase >= L2TPVOIP_PHASE_LCP) {
        l2v_ppp_close(t->session->ppp);
    }
    t->phase = L2TPVOIP_PHASE_DOWN;
    tear_down(t);
}

void l2v_client_destroy(void *obj)
{
    l2tpvoip_tunnel *t = obj;
    l2tpvoip_context *ctx = t->ctx;
    l2v_client_timers_stop(t);
    l2v_event_cancel(&t->event);
    l2v_defer_cancel(&t->work);
    l2v_list_remove(&t->node);
    if (t->session != NULL) {
        l2v_session_free(t->session);
    }
    if (t->assoc != NULL) {
        l2v_assoc_free(t->assoc);
    }
    l2v_ike_config_unref(t->ike_config);
    l2v_free(&ctx->env, t->server_name);
    l2v_free(&ctx->env, t->interface_name);
    l2v_free(&ctx->env, t->ppp_user);
    l2v_free(&ctx->env, t->host_name);
    l2v_free_secret(&ctx->env, t->ppp_password, t->ppp_password_len);
    l2v_free_secret(&ctx->env, t->l2tp_secret, t->l2tp_secret_len);
    l2v_free(&ctx->env, t);
}

void l2v_client_free(l2tpvoip_tunnel *t)
{
    if (t->grave.destroy != NULL) {
        return;
    }
    say_goodbye(t);
    l2v_event_cancel(&t->event);
    l2v_defer_cancel(&t->work);
    l2v_list_remove(&t->node);
    if (t->session != NULL) {
        l2v_event_cancel(&t->session->event);
        L2V_LIST_EACH (pos, &t->session->sockets) {
            l2v_event_cancel(&L2V_CONTAINER_OF(pos, l2tpvoip_socket, node)->event);
        }
    }
    l2v_bury(t->ctx, &t->grave, l2v_client_destroy, t);
}

/* --- up: one step leads to the next -------------------------------------------------------------- */

static void start_l2tp(l2tpvoip_tunnel *t)
{
    advance(t, L2TPVOIP_PHASE_L2TP);
    if (t->cc != NULL) {
        return;
    }
    int rc = l2v_assoc_connect(t->assoc, &t->cc);
    if (rc != 0) {
        fail_rc(t, L2TPVOIP_LAYER_L2TP, rc, "The L2TP control connection could not be started");
    }
}

static int make_assoc(l2tpvoip_tunnel *t)
{
    struct l2v_assoc *assoc = NULL;
    int rc = l2v_assoc_new(t->ctx, &l2v_client_ops, wants_ipsec(t), &t->l2tp_config, &assoc);
    if (rc != 0) {
        return rc;
    }
    const l2tpvoip_l2tp_options *o = &t->options.l2tp;
    assoc->tunnel = t;
    assoc->path = t->path;
    assoc->path_mtu = t->options.path_mtu != 0 ? t->options.path_mtu : DEFAULT_PATH_MTU;
    assoc->local_port = o->local_port != 0 ? o->local_port : L2V_L2TP_PORT;
    assoc->remote_port = o->remote_port != 0 ? o->remote_port : L2V_L2TP_PORT;
    assoc->route.path_id = t->path->id;
    assoc->route.local = t->path->local;
    assoc->route.remote = t->remote;
    t->assoc = assoc;
    return 0;
}

static void start_ike(l2tpvoip_tunnel *t)
{
    const l2tpvoip_ipsec_options *o = &t->options.ipsec;
    struct l2v_assoc *assoc = t->assoc;
    advance(t, L2TPVOIP_PHASE_IKE);
    assoc->route.remote.port = o->ike_port != 0 ? o->ike_port : DEFAULT_IKE_PORT;
    assoc->route.marker = assoc->route.remote.port == t->path->peer_natt_port;
    int rc = l2v_ike_connect(t->ctx->ike, t->ike_config, &assoc->route, assoc->local_port,
                             assoc->remote_port, assoc, &assoc->peer);
    if (rc != 0) {
        fail_rc(t, L2TPVOIP_LAYER_IKE, rc, "IKE could not be started");
    }
}

void l2v_client_path_up(l2tpvoip_tunnel *t)
{
    if (t->phase != L2TPVOIP_PHASE_PATH || t->assoc != NULL) {
        return;
    }
    int rc = make_assoc(t);
    if (rc != 0) {
        fail_rc(t, L2TPVOIP_LAYER_PATH, rc, "The connection could not be set up");
        return;
    }
    if (wants_ipsec(t)) {
        start_ike(t);
        return;
    }
    t->assoc->route.remote.port = t->assoc->remote_port;
    start_l2tp(t);
}

static void open_path(l2tpvoip_tunnel *t)
{
    l2tpvoip_addr local = t->options.local;
    set_phase(t, L2TPVOIP_PHASE_PATH);
    local.family = t->remote.family;
    int rc = l2v_path_open(t->ctx, &local, &t->remote, t->interface_name, &t->path);
    if (rc != 0) {
        l2tpvoip_failure f;
        l2v_failure_set(&f, L2TPVOIP_LAYER_PATH, rc, 0,
                        "Check the local address, the interface and the network",
                        "No UDP socket could be opened: %s", l2v_error_text(rc));
        l2v_client_fail(t, &f);
        return;
    }
    t->path->tunnel = t;
    if (wants_ipsec(t)) {
        uint16_t port = t->options.ipsec.natt_port;
        t->path->peer_natt_port = port != 0 ? port : DEFAULT_NATT_PORT;
    } else {
        t->path->plain = true;
    }
    if (t->path->up) {
        l2v_client_path_up(t);
    }
}

static void fail_resolve(l2tpvoip_tunnel *t)
{
    l2tpvoip_failure f;
    l2v_failure_set(&f, L2TPVOIP_LAYER_RESOLVE, L2TPVOIP_ERR_RESOLVE, 0,
                    "Check the name of the server and the DNS of this host",
                    "The server name %s could not be resolved", t->server_name);
    l2v_client_fail(t, &f);
}

void l2v_client_resolved(l2tpvoip_tunnel *t, int32_t code, const l2tpvoip_addr *addrs, size_t n)
{
    t->resolve_id = 0;
    if (t->phase != L2TPVOIP_PHASE_RESOLVE) {
        return;
    }
    uint8_t family = t->options.local.family;
    for (size_t i = 0; code == 0 && i < n; i++) {
        if (l2v_addr_ip_len(&addrs[i]) != 0 && (family == 0 || family == addrs[i].family)) {
            t->remote = addrs[i];
            t->remote.port = 0;
            open_path(t);
            return;
        }
    }
    fail_resolve(t);
}

static void start_resolve(l2tpvoip_tunnel *t)
{
    l2tpvoip_context *ctx = t->ctx;
    l2tpvoip_addr addr;
    set_phase(t, L2TPVOIP_PHASE_RESOLVE);
    if (l2v_addr_parse(t->server_name, &addr) == 0) {
        l2v_client_resolved(t, 0, &addr, 1);
        return;
    }
    if (ctx->io.resolve == NULL) {
        fail_resolve(t);
        return;
    }
    t->resolve_id = ++ctx->next_resolve_id;
    ctx->env.in_provider++;
    int rc = ctx->io.resolve(ctx->io.user, t->resolve_id, t->server_name, t->options.local.family);
    ctx->env.in_provider--;
    if (rc != 0) {
        fail_resolve(t);
    }
}

/* --- what the association reports ------------------------------------------------------------------ */

static void on_phase1(struct l2v_assoc *assoc)
{
    advance(assoc->tunnel, L2TPVOIP_PHASE_ESP);
}

static void on_secured(struct l2v_assoc *assoc)
{
    if (assoc->tunnel->phase < L2TPVOIP_PHASE_L2TP) {
        advance(assoc->tunnel, L2TPVOIP_PHASE_L2TP);
        l2v_client_timers_settle(assoc->tunnel);
    }
}

void l2v_client_secured(l2tpvoip_tunnel *t)
{
    if (t->phase == L2TPVOIP_PHASE_L2TP) {
        start_l2tp(t);
    }
}

static void place_call(void *obj)
{
    l2tpvoip_tunnel *t = obj;
    struct l2v_l2tp_session *call = NULL;
    struct l2v_ppp_config ppp;
    struct l2v_voip_encaps encaps;
    if (t->phase != L2TPVOIP_PHASE_SESSION || t->session != NULL || t->cc == NULL) {
        return;
    }
    int rc = l2v_l2tp_call(t->cc, &call);
    if (rc == 0) {
        l2v_assoc_encaps(t->assoc, &encaps);
        encaps.l2tp = 8; /* flags, length, ids: the longest that is common */
        encaps.ppp = 4;
        l2v_tunnel_ppp_config(&ppp, &t->options.ppp, false,
                              l2v_voip_inner_mtu(&encaps, t->assoc->path_mtu));
        ppp.user = t->ppp_user;
        ppp.password = t->ppp_password;
        ppp.password_len = t->ppp_password_len;
        rc = l2v_session_new(t->assoc, call, &ppp, NULL, &t->session);
    }
    if (rc != 0) {
        fail_rc(t, L2TPVOIP_LAYER_L2TP, rc, "The L2TP call could not be placed");
    }
}

static void on_cc_up(struct l2v_assoc *assoc, struct l2v_l2tp_cc *cc)
{
    l2tpvoip_tunnel *t = assoc->tunnel;
    if (t->phase != L2TPVOIP_PHASE_L2TP || t->cc != cc) {
        return;
    }
    advance(t, L2TPVOIP_PHASE_SESSION);
    l2v_defer(t->ctx, &assoc->work, place_call, t);
}

static void on_cc_down(struct l2v_assoc *assoc, struct l2v_l2tp_cc *cc, const l2tpvoip_failure *f)
{
    l2tpvoip_tunnel *t = assoc->tunnel;
    if (t->cc == cc) {
        t->cc = NULL;
        l2v_client_fail(t, f);
    }
}

static int on_session_request(struct l2v_assoc *assoc, struct l2v_l2tp_session *call)
{
    (void)assoc;
    (void)call;
    return 3; /* rfc2661#4.4.2: administrative; a client takes no calls */
}

static void on_session_phase(l2tpvoip_session *s, enum l2v_ppp_phase phase)
{
    static const uint8_t phases[] = {
        [L2V_PPP_ESTABLISH] = L2TPVOIP_PHASE_LCP,
        [L2V_PPP_AUTHENTICATE] = L2TPVOIP_PHASE_AUTH,
        [L2V_PPP_NETWORK] = L2TPVOIP_PHASE_NCP,
    };
    if ((size_t)phase < sizeof phases && phases[phase] != 0) {
        advance(s->tunnel, phases[phase]);
    }
}

static void on_session_up(l2tpvoip_session *s, bool first)
{
    l2tpvoip_tunnel *t = s->tunnel;
    if (!first || t->phase >= L2TPVOIP_PHASE_UP) {
        return;
    }
    advance(t, L2TPVOIP_PHASE_UP);
    l2v_client_timers_up(t);
    s->announced = true;
    t->session_announced = true;
    t->event.session = s;
    l2v_event_post(t->ctx, &t->event, L2TPVOIP_EVENT_TUNNEL_UP);
}

static void on_session_down(l2tpvoip_session *s, const l2tpvoip_failure *f)
{
    l2v_client_fail(s->tunnel, f);
}

static void on_down(struct l2v_assoc *assoc, const l2tpvoip_failure *f)
{
    l2v_client_fail(assoc->tunnel, f);
}

static void on_rekeyed(struct l2v_assoc *assoc, bool ike)
{
    (void)ike;
    l2v_event_post(assoc->ctx, &assoc->tunnel->event, L2TPVOIP_EVENT_REKEYED);
}

static void on_moved(struct l2v_assoc *assoc, const l2tpvoip_addr *old_addr)
{
    l2tpvoip_tunnel *t = assoc->tunnel;
    if (t->phase < L2TPVOIP_PHASE_UP) {
        return; /* the float to port 4500 is no news */
    }
    l2v_event_post_moved(assoc->ctx, &t->event, old_addr, &assoc->route.remote);
}

const struct l2v_assoc_ops l2v_client_ops = {
    .secured = on_secured,
    .phase1 = on_phase1,
    .cc_up = on_cc_up,
    .cc_down = on_cc_down,
    .session_request = on_session_request,
    .session_phase = on_session_phase,
    .session_up = on_session_up,
    .session_down = on_session_down,
    .down = on_down,
    .rekeyed = on_rekeyed,
    .moved = on_moved,
};

/* --- what the backend and the clock report ------------------------------------------------------------ */

void l2v_client_path_down(l2tpvoip_tunnel *t, int32_t code)
{
    l2tpvoip_failure f;
    l2v_failure_set(&f, L2TPVOIP_LAYER_PATH, code != 0 ? code : L2TPVOIP_ERR_IO, 0,
                    "Check the local address, the interface and the network",
                    "The UDP socket of the tunnel is gone: %s", l2v_error_text(code));
    l2v_client_fail(t, &f);
}

void l2v_client_path_error(l2tpvoip_tunnel *t, int32_t code)
{
    bool nothing_heard = t->phase == L2TPVOIP_PHASE_IKE ||
                         (t->phase == L2TPVOIP_PHASE_L2TP && !wants_ipsec(t));
    if ((code == L2TPVOIP_ERR_UNREACHABLE || code == L2TPVOIP_ERR_REFUSED) && nothing_heard &&
        !t->icmp_unreachable) {
        t->icmp_unreachable = true;
        l2v_client_timers_unreachable(t);
    }
}

struct phase_text {
    uint8_t layer;
    const char *message;
    const char *next_step;
};

static const struct phase_text timeout_texts[L2TPVOIP_N_PHASES] = {
    [L2TPVOIP_PHASE_RESOLVE] = {L2TPVOIP_LAYER_RESOLVE, "The server name was not resolved in time",
                                "Check the DNS of this host"},
    [L2TPVOIP_PHASE_PATH] = {L2TPVOIP_LAYER_PATH, "No UDP socket came up in time",
                             "Check the network of this host"},
    [L2TPVOIP_PHASE_IKE] = {L2TPVOIP_LAYER_IKE, "The server did not complete IKE in time",
                            "Check the server address, that UDP 500 and 4500 pass, and the "
                            "pre-shared key"},
    [L2TPVOIP_PHASE_ESP] = {L2TPVOIP_LAYER_ESP, "The server did not complete quick mode in time",
                            "Check the ESP proposals of both sides"},
    [L2TPVOIP_PHASE_L2TP] = {L2TPVOIP_LAYER_L2TP, "The server did not answer on L2TP",
                             "Check that the server runs L2TP and that ESP in UDP 4500 passes"},
    [L2TPVOIP_PHASE_SESSION] = {L2TPVOIP_LAYER_L2TP, "The server did not take the L2TP call in time",
                                "Check the log of the server"},
    [L2TPVOIP_PHASE_LCP] = {L2TPVOIP_LAYER_PPP, "The PPP link did not come up in time",
                            "Check the PPP options of both sides"},
    [L2TPVOIP_PHASE_AUTH] = {L2TPVOIP_LAYER_AUTH, "The server did not complete authentication in time",
                             "Check the authentication methods of both sides"},
    [L2TPVOIP_PHASE_NCP] = {L2TPVOIP_LAYER_PPP, "The server gave no inner address in time",
                            "Check the address pool of the server"},
};

void l2v_client_timed_out(l2tpvoip_tunnel *t)
{
    const struct phase_text *text = &timeout_texts[t->phase];
    l2tpvoip_failure f;
    if (text->message == NULL) {
        return; /* up, closing or down */
    }
    if (t->icmp_unreachable && (t->phase == L2TPVOIP_PHASE_IKE || t->phase == L2TPVOIP_PHASE_L2TP)) {
        l2v_failure_set(&f, text->layer, L2TPVOIP_ERR_UNREACHABLE, 0,
                        "Check the server address and that the server runs",
                        "The server is unreachable (ICMP)");
    } else {
        l2v_failure_set(&f, text->layer, L2TPVOIP_ERR_TIMEOUT, 0, text->next_step, "%s",
                        text->message);
    }
    if (t->phase == L2TPVOIP_PHASE_IKE && t->assoc != NULL && t->assoc->peer != NULL) {
        l2v_ike_peer_explain(t->assoc->peer, &f);
    }
    l2v_client_fail(t, &f);
}

void l2v_client_need_credentials(l2tpvoip_tunnel *t)
{
    /* A person may be asked: that is no time of the server's. */
    l2v_client_timers_up(t);
    l2v_event_post(t->ctx, &t->event, L2TPVOIP_EVENT_CREDENTIALS_NEEDED);
}

int l2v_client_set_credentials(l2tpvoip_tunnel *t, const char *user, const uint8_t *password,
                               uint32_t len)
{
    if (t->session == NULL || t->session->down || t->phase >= L2TPVOIP_PHASE_UP) {
        return L2TPVOIP_ERR_STATE;
    }
    l2v_client_timers_start(t);
    l2v_ppp_set_credentials(t->session->ppp, user, password, len);
    return 0;
}

int l2v_client_rekey(l2tpvoip_tunnel *t, uint32_t what)
{
    struct l2v_assoc *assoc = t->assoc;
    if (assoc == NULL || assoc->peer == NULL || assoc->out == NULL ||
        t->phase > L2TPVOIP_PHASE_UP) {
        return L2TPVOIP_ERR_STATE;
    }
    if (what == L2TPVOIP_REKEY_IKE) {
        l2v_ike_peer_rekey(assoc->peer);
    } else {
        l2v_ike_child_rekey(assoc->peer, assoc->out->spi_in);
    }
    return 0;
}

/* --- birth ------------------------------------------------------------------------------------------------ */

static char *copy_string(struct l2v_env *env, const char *src, bool *failed)
{
    char *copy = l2v_strdup(env, src);
    *failed = *failed || (src != NULL && copy == NULL);
    return copy;
}

static uint8_t *copy_blob(struct l2v_env *env, const uint8_t *src, uint32_t len, bool *failed)
{
    if (src == NULL || len == 0) {
        return NULL;
    }
    uint8_t *copy = l2v_memdup(env, src, len);
    *failed = *failed || copy == NULL;
    return copy;
}

/* Copies what the options point to; t->options keeps no pointer of the caller's. */
static int copy_options(l2tpvoip_tunnel *t, const l2tpvoip_tunnel_options *o)
{
    struct l2v_env *env = &t->ctx->env;
    bool failed = false;
    t->server_name = copy_string(env, o->server, &failed);
    t->interface_name = copy_string(env, o->interface_name, &failed);
    t->ppp_user = copy_string(env, o->ppp.user, &failed);
    t->host_name = copy_string(env, o->l2tp.host_name, &failed);
    t->ppp_password = copy_blob(env, o->ppp.password, o->ppp.password_len, &failed);
    t->ppp_password_len = t->ppp_password != NULL ? o->ppp.password_len : 0;
    t->l2tp_secret = copy_blob(env, o->l2tp.secret, o->l2tp.secret_len, &failed);
    t->l2tp_secret_len = t->l2tp_secret != NULL ? o->l2tp.secret_len : 0;
    t->options = *o;
    t->options.server = t->server_name;
    t->options.interface_name = t->interface_name;
    t->options.ppp.user = t->ppp_user;
    t->options.ppp.password = t->ppp_password;
    t->options.ppp.password_len = t->ppp_password_len;
    t->options.l2tp.host_name = t->host_name;
    t->options.l2tp.secret = t->l2tp_secret;
    t->options.l2tp.secret_len = t->l2tp_secret_len;
    if (o->ppp.auth == 0) {
        t->options.ppp.auth = l2v_tunnel_default_auth(false, o->ipsec.security);
    }
    t->options.ipsec.psks = NULL;
    t->options.ipsec.n_psks = 0;
    t->options.ipsec.local_id = t->options.ipsec.remote_id = NULL;
    t->options.ipsec.ike_proposals = t->options.ipsec.esp_proposals = NULL;
    return failed ? L2TPVOIP_ERR_NOMEM : 0;
}

static l2tpvoip_tunnel *alloc_tunnel(l2tpvoip_context *ctx, void *user)
{
    l2tpvoip_tunnel *t = l2v_calloc(&ctx->env, 1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->ctx = ctx;
    t->user = user;
    l2v_list_init(&t->node);
    l2v_grave_init(&t->work);
    l2v_grave_init(&t->grave);
    l2v_event_init(&t->event, &t->user);
    t->event.tunnel = t;
    l2v_client_timers_init(t);
    return t;
}

int l2v_client_new(l2tpvoip_context *ctx, const l2tpvoip_tunnel_options *options,
                   l2tpvoip_tunnel **ret_tunnel)
{
    int rc = l2v_tunnel_check_client(ctx, options);
    if (rc != 0) {
        return rc;
    }
    l2tpvoip_tunnel *t = alloc_tunnel(ctx, options->user);
    if (t == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    rc = copy_options(t, options);
    if (rc == 0 && wants_ipsec(t)) {
        rc = l2v_tunnel_ike_config(ctx, &options->ipsec, false, &t->ike_config);
    }
    if (rc != 0) {
        l2v_client_destroy(t);
        return rc;
    }
    l2v_tunnel_l2tp_config(&t->l2tp_config, &t->options.l2tp, ctx, false);
    l2v_list_append(&ctx->tunnels, &t->node);
    l2v_client_timers_start(t);
    start_resolve(t);
    *ret_tunnel = t;
    return 0;
}
