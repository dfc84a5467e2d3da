/* SPDX-License-Identifier: MIT */
/* The endpoint: the scope of tunnel ids. It finds or makes control connections, assigns ids, holds
 * the limits, and frees what has ended. */
#include "base_secure.h"
#include "l2tp_internal.h"

#define DEFAULT_MAX_CC 4u
#define DEFAULT_MAX_SESSIONS 64u
#define DEFAULT_WINDOW 8u
#define RANDOM_TRIES 32

static struct l2v_l2tp_cc *cc_of(struct l2v_list *node)
{
    return L2V_CONTAINER_OF(node, struct l2v_l2tp_cc, node);
}

/* Nobody up the stack holds these any more. */
static void reap(void *arg)
{
    struct l2v_l2tp *l2tp = arg;
    while (!l2v_list_is_empty(&l2tp->dead_sessions)) {
        l2v_l2tp_session_destroy(
            L2V_CONTAINER_OF(l2tp->dead_sessions.next, struct l2v_l2tp_session, node));
    }
    while (!l2v_list_is_empty(&l2tp->dead_ccs)) {
        l2v_l2tp_cc_destroy(cc_of(l2tp->dead_ccs.next));
    }
}

static void fill_config(struct l2v_l2tp *l2tp, const struct l2v_l2tp_config *config)
{
    struct l2v_l2tp_config *c = &l2tp->config;
    *c = *config;
    c->host_name = c->host_name != NULL && c->host_name[0] != '\0' ? c->host_name : "l2tpvoip";
    c->max_cc = c->max_cc != 0 ? c->max_cc : DEFAULT_MAX_CC;
    c->max_sessions = c->max_sessions != 0 ? c->max_sessions : DEFAULT_MAX_SESSIONS;
    c->receive_window = c->receive_window != 0 ? c->receive_window : DEFAULT_WINDOW;
    c->shard_bits = c->shard_bits <= 8 ? c->shard_bits : 8;
    l2v_l2tp_timing_init(&l2tp->timing, c);
}

int l2v_l2tp_new(struct l2v_env *env, struct l2v_crypto *crypto,
                 const struct l2v_l2tp_config *config, const struct l2v_l2tp_ops *ops, void *user,
                 struct l2v_l2tp **ret_l2tp)
{
    struct l2v_l2tp *l2tp = l2v_calloc(env, 1, sizeof *l2tp);
    if (l2tp == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    l2tp->env = env;
    l2tp->crypto = crypto;
    l2tp->ops = *ops;
    l2tp->user = user;
    fill_config(l2tp, config);
    l2tp->secret.crypto = crypto;
    l2tp->secret.data = config->secret;
    l2tp->secret.len = config->secret != NULL ? config->secret_len : 0;
    l2v_list_init(&l2tp->ccs);
    l2v_list_init(&l2tp->lingering);
    l2v_list_init(&l2tp->dead_ccs);
    l2v_list_init(&l2tp->dead_sessions);
    l2v_timer_init(&l2tp->reap, "l2tp reap", reap, l2tp);
    int rc = l2v_map_init(&l2tp->cc_map, env);
    if (rc == 0) {
        rc = l2v_map_init(&l2tp->session_map, env);
    }
    if (rc == 0) {
        rc = l2v_map_init(&l2tp->request_map, env);
    }
    if (rc != 0) {
        l2v_l2tp_free(l2tp);
        return rc;
    }
    *ret_l2tp = l2tp;
    return 0;
}

static void destroy_list(struct l2v_list *list)
{
    while (!l2v_list_is_empty(list)) {
        l2v_l2tp_cc_destroy(cc_of(list->next));
    }
}

/* Clearing a map that was never made would touch no environment. */
static void clear_map(struct l2v_map *m)
{
    if (m->env != NULL) {
        l2v_map_clear(m);
    }
}

void l2v_l2tp_free(struct l2v_l2tp *l2tp)
{
    if (l2tp == NULL) {
        return;
    }
    l2v_timer_cancel(&l2tp->env->timers, &l2tp->reap);
    reap(l2tp);
    destroy_list(&l2tp->ccs);
    destroy_list(&l2tp->lingering);
    clear_map(&l2tp->cc_map);
    clear_map(&l2tp->session_map);
    clear_map(&l2tp->request_map);
    l2v_free(l2tp->env, l2tp);
}

struct l2v_l2tp_cc *l2v_l2tp_find_cc(const struct l2v_l2tp *l2tp, uint16_t id)
{
    struct l2v_map_node *node = l2v_map_find(&l2tp->cc_map, id);
    return node != NULL ? L2V_CONTAINER_OF(node, struct l2v_l2tp_cc, by_id) : NULL;
}

struct l2v_l2tp_session *l2v_l2tp_find_session(const struct l2v_l2tp *l2tp, uint16_t tunnel_id,
                                               uint16_t session_id)
{
    struct l2v_map_node *node =
        l2v_map_find(&l2tp->session_map, (uint64_t)tunnel_id << 16 | session_id);
    return node != NULL ? L2V_CONTAINER_OF(node, struct l2v_l2tp_session, by_id) : NULL;
}

/* Random first; in a crowd the next free one after the last draw. */
static int assign_id(struct l2v_l2tp *l2tp, const struct l2v_map *map, uint64_t prefix,
                     uint16_t fixed, uint16_t mask, uint16_t *ret_id)
{
    uint32_t value = 0;
    uint32_t limit = RANDOM_TRIES + (uint32_t)mask + 1;
    for (uint32_t i = 0; i < limit; i++) {
        int rc = i < RANDOM_TRIES ? l2v_random_u32(l2tp->env, &value) : 0;
        if (rc != 0) {
            return rc;
        }
        value = i < RANDOM_TRIES ? value : value + 1;
        uint16_t id = (uint16_t)((value & mask) | fixed);
        if (id != 0 && l2v_map_find(map, prefix << 16 | id) == NULL) {
            *ret_id = id;
            return 0;
        }
    }
    return L2TPVOIP_ERR_LIMIT;
}

int l2v_l2tp_assign_tunnel_id(struct l2v_l2tp *l2tp, uint16_t *ret_id)
{
    uint32_t bits = l2tp->config.shard_bits;
    uint16_t mask = (uint16_t)(0xffffu >> bits);
    uint16_t fixed = (uint16_t)(bits != 0 ? (uint32_t)l2tp->config.shard << (16 - bits) : 0u);
    return assign_id(l2tp, &l2tp->cc_map, 0, fixed, mask, ret_id);
}

int l2v_l2tp_assign_session_id(struct l2v_l2tp *l2tp, uint16_t tunnel_id, uint16_t *ret_id)
{
    return assign_id(l2tp, &l2tp->session_map, tunnel_id, 0, 0xffff, ret_id);
}

static void bury_cc(struct l2v_l2tp_cc *cc)
{
    struct l2v_l2tp *l2tp = cc->l2tp;
    cc->dead = true;
    l2v_l2tp_timers_cc_stop(cc);
    l2v_l2tp_channel_stop(&cc->channel);
    l2v_list_remove(&cc->node);
    l2v_list_append(&l2tp->dead_ccs, &cc->node);
    l2v_timer_set(&l2tp->env->timers, &l2tp->reap, l2tp->env->now_ns);
}

void l2v_l2tp_retire_cc(struct l2v_l2tp_cc *cc, bool linger)
{
    struct l2v_l2tp *l2tp = cc->l2tp;
    if (cc->dead) {
        return;
    }
    if (cc->lingering) {
        l2tp->n_lingering--;
    } else {
        l2tp->n_cc--;
    }
    if (!linger) {
        bury_cc(cc);
        return;
    }
    cc->lingering = true;
    l2v_list_remove(&cc->node);
    l2v_list_append(&l2tp->lingering, &cc->node);
    l2tp->n_lingering++;
    l2v_l2tp_timers_cc_linger(cc);
    if (l2tp->n_lingering > l2tp->config.max_cc) {
        l2v_l2tp_retire_cc(cc_of(l2tp->lingering.next), false);
    }
}

void l2v_l2tp_retire_session(struct l2v_l2tp_session *s)
{
    struct l2v_l2tp *l2tp = s->l2tp;
    l2v_map_remove(&l2tp->session_map, &s->by_id);
    s->cc->n_sessions--;
    l2v_l2tp_timers_session_stop(s);
    l2v_list_remove(&s->node);
    l2v_list_append(&l2tp->dead_sessions, &s->node);
    l2v_timer_set(&l2tp->env->timers, &l2tp->reap, l2tp->env->now_ns);
}

int l2v_l2tp_connect(struct l2v_l2tp *l2tp, struct l2v_l2tp_cc **ret_cc)
{
    struct l2v_l2tp_cc_arg arg = {0};
    struct l2v_l2tp_cc *cc;
    int rc = l2v_l2tp_cc_new(l2tp, &cc);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_l2tp_cc_step(cc, L2V_L2TP_CC_LOCAL_OPEN, &arg);
    rc = rc != 0 ? rc : arg.failure.code;
    if (rc != 0) {
        l2tp->n_cc--;
        l2v_l2tp_cc_destroy(cc);
        return rc;
    }
    *ret_cc = cc;
    return 0;
}

unsigned l2v_l2tp_count_cc(const struct l2v_l2tp *l2tp)
{
    return l2tp->n_cc;
}

/* --- messages for tunnel 0 ---------------------------------------------------------------------
 */

/* An SCCRQ that is not acceptable: one StopCCN and no state. When it is lost the peer repeats the
 * SCCRQ and gets another (rfc2661#7.2.1 idle, receive SCCRQ, not acceptable). */
static void refuse_request(struct l2v_l2tp *l2tp, const struct l2v_l2tp_msg *msg, uint16_t port,
                           unsigned result, unsigned error, const char *text)
{
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_STOPCCN};
    uint8_t body[L2V_L2TP_BODY_MAX];
    size_t len = 0;
    if (msg->assigned_tunnel_id == 0 ||
        l2v_l2tp_assign_tunnel_id(l2tp, &m.assigned_tunnel_id) != 0) {
        return;
    }
    m.result.result = (uint16_t)result;
    m.result.error = (uint16_t)error;
    if (text != NULL) {
        m.result.text = (struct l2v_blob){(const uint8_t *)text, strlen(text)};
    }
    l2v_l2tp_msg_set(&m, L2V_AVP_RESULT_CODE);
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_TUNNEL_ID);
    if (l2v_l2tp_msg_build(&m, l2tp->env, &l2tp->secret, l2tp->config.hide_avps, body, sizeof body,
                           &len) != 0) {
        return;
    }
    struct l2v_pkt *pkt = l2v_pkt_new(l2tp->env, L2V_L2TP_CONTROL_HEADER + len);
    uint8_t *p = pkt != NULL ? l2v_pkt_put(pkt, L2V_L2TP_CONTROL_HEADER + len) : NULL;
    if (p == NULL) {
        l2v_pkt_free(pkt);
        return;
    }
    l2v_l2tp_header_put_control(p, msg->assigned_tunnel_id, 0, 0, 1, len);
    memcpy(p + L2V_L2TP_CONTROL_HEADER, body, len);
    l2tp->ops.transmit(l2tp->user, pkt, port, true);
}

/* rfc2661#4.4.3 Tie Breaker. Below 0: ours wins. Above: theirs. 0: both lose. */
static int compare_tie(const struct l2v_l2tp_cc *cc, const struct l2v_l2tp_msg *msg)
{
    if (!l2v_l2tp_msg_has(msg, L2V_AVP_TIE_BREAKER)) {
        return -1; /* ours had one, theirs has none */
    }
    return memcmp(cc->tie_breaker, msg->tie_breaker.data, sizeof cc->tie_breaker);
}

static struct l2v_l2tp_cc *find_rival(struct l2v_l2tp *l2tp)
{
    L2V_LIST_EACH(pos, &l2tp->ccs)
    {
        struct l2v_l2tp_cc *cc = cc_of(pos);
        if (cc->state == L2V_L2TP_CC_WAIT_CTL_REPLY) {
            return cc;
        }
    }
    return NULL;
}

/* Whether the SCCRQ may make a tunnel: 0, or what input returns. */
static int check_request(struct l2v_l2tp *l2tp, const struct l2v_l2tp_msg *msg, uint16_t port)
{
    char text[160];
    if (msg->verdict != L2V_L2TP_FINE) {
        l2v_l2tp_msg_describe(msg, text, sizeof text);
        l2v_log(l2tp->env, L2TPVOIP_LOG_WARNING, L2V_L2TP_LOG, "SCCRQ refused: %s", text);
        refuse_request(l2tp, msg, port, L2V_STOP_GENERAL, l2v_l2tp_msg_error(msg), text);
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (msg->protocol_version >> 8 != L2V_L2TP_PROTOCOL_VERSION >> 8) {
        refuse_request(l2tp, msg, port, L2V_STOP_VERSION, L2V_L2TP_PROTOCOL_VERSION, NULL);
        return L2TPVOIP_ERR_REFUSED;
    }
    if (l2v_l2tp_auth_admit(l2tp, msg) != 0) {
        refuse_request(l2tp, msg, port, L2V_STOP_NOT_AUTHORIZED, 0, NULL);
        return L2TPVOIP_ERR_REFUSED;
    }
    return 0;
}

/* Both sides asked at the same time. 1 = the rival answers the request, 0 = drop the request. */
static int settle_tie(struct l2v_l2tp_cc *rival, const struct l2v_l2tp_msg *msg)
{
    struct l2v_l2tp_cc_arg arg = {0};
    int order = compare_tie(rival, msg);
    if (order < 0) {
        return 0;
    }
    if (order > 0) {
        (void)l2v_l2tp_cc_step(rival, L2V_L2TP_CC_LOSE_TIE, &arg);
        return 1;
    }
    l2v_l2tp_explain_own(&arg.failure, L2TPVOIP_ERR_EXISTS,
                         "both sides opened a tunnel with the same tie breaker");
    (void)l2v_l2tp_cc_step(rival, L2V_L2TP_CC_NO_RESPONSE, &arg);
    return 0;
}

static void remember_request(struct l2v_l2tp_cc *cc, uint64_t key)
{
    if (cc->in_request_map) {
        l2v_map_remove(&cc->l2tp->request_map, &cc->by_request);
    }
    l2v_map_insert(&cc->l2tp->request_map, &cc->by_request, key);
    cc->in_request_map = true;
    cc->accepted_ns = cc->l2tp->env->now_ns;
}

static int take_request(struct l2v_l2tp *l2tp, const struct l2v_l2tp_msg *msg, uint16_t port,
                        uint64_t key)
{
    struct l2v_l2tp_cc *cc = find_rival(l2tp);
    if (cc == NULL && !l2tp->config.is_lns) {
        return L2TPVOIP_ERR_REFUSED;
    }
    int rc = check_request(l2tp, msg, port);
    if (rc != 0) {
        return rc;
    }
    if (cc != NULL) {
        remember_request(cc, key);
        if (settle_tie(cc, msg) == 0) {
            return 0;
        }
        rc = l2v_l2tp_cc_accept(cc, msg, port);
        if (rc != 0) {
            l2v_l2tp_cc_fail(cc, L2V_STOP_GENERAL, L2V_ERROR_RESOURCES, rc,
                             "SCCRP could not be sent");
        }
        return 0;
    }
    rc = l2v_l2tp_cc_new(l2tp, &cc);
    if (rc != 0) {
        refuse_request(l2tp, msg, port, L2V_STOP_GENERAL, L2V_ERROR_RESOURCES, NULL);
        return rc == L2TPVOIP_ERR_LIMIT ? L2TPVOIP_ERR_REFUSED : rc;
    }
    remember_request(cc, key);
    rc = l2v_l2tp_cc_accept(cc, msg, port);
    if (rc != 0) {
        l2tp->n_cc--;
        l2v_l2tp_cc_destroy(cc);
    }
    return rc;
}

/* A peer that was never told our id, or lost it, can only say good-bye to tunnel 0. */
static struct l2v_l2tp_cc *find_by_peer(struct l2v_l2tp *l2tp, uint16_t peer_id, uint16_t port)
{
    L2V_LIST_EACH(pos, &l2tp->ccs)
    {
        struct l2v_l2tp_cc *cc = cc_of(pos);
        if (peer_id != 0 && cc->peer_id == peer_id && cc->port_fixed && cc->peer_port == port) {
            return cc;
        }
    }
    return NULL;
}

/* Names a request, so that its repeats find the tunnel that it made. */
static uint64_t hash_request(const struct l2v_l2tp *l2tp, const uint8_t *body, size_t len,
                             uint16_t port)
{
    uint64_t hash = l2v_siphash(l2tp->env->hash_key, body, len);
    return hash ^ (uint64_t)port << 48;
}

/* Some peers open every tunnel with the same octets: after a full cycle they mean a new one. */
static struct l2v_l2tp_cc *find_request(const struct l2v_l2tp *l2tp, uint64_t key)
{
    struct l2v_map_node *node = l2v_map_find(&l2tp->request_map, key);
    uint64_t cycle = l2v_l2tp_timing_cycle(&l2tp->timing);
    for (; node != NULL; node = l2v_map_find_next(node)) {
        struct l2v_l2tp_cc *cc = L2V_CONTAINER_OF(node, struct l2v_l2tp_cc, by_request);
        if (!cc->closed && (cc->state == L2V_L2TP_CC_WAIT_CTL_CONN ||
                            l2tp->env->now_ns - cc->accepted_ns < cycle)) {
            return cc;
        }
    }
    return NULL;
}

static int input_tunnel_zero(struct l2v_l2tp *l2tp, const struct l2v_l2tp_header *h,
                             const uint8_t *body, size_t len, uint16_t port)
{
    uint8_t scratch[L2V_L2TP_STORE_MAX];
    struct l2v_l2tp_msg msg;
    if (len == 0) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    uint64_t key = hash_request(l2tp, body, len, port);
    struct l2v_l2tp_cc *known = find_request(l2tp, key);
    if (known != NULL && known->originator) {
        return 0; /* it lost against ours */
    }
    if (known != NULL) {
        /* Our SCCRP may be lost: its timer repeats it, this acknowledges. */
        l2v_l2tp_channel_input(&known->channel, h, body, len);
        return 0;
    }
    l2v_l2tp_msg_parse(body, len, &l2tp->secret, scratch, sizeof scratch, &msg);
    int rc = L2TPVOIP_ERR_NOT_FOUND;
    if (msg.type == L2V_L2TP_SCCRQ) {
        rc = h->ns == 0 ? take_request(l2tp, &msg, port, key) : L2TPVOIP_ERR_MALFORMED;
    } else if (msg.type == L2V_L2TP_STOPCCN) {
        struct l2v_l2tp_cc *cc = find_by_peer(l2tp, msg.assigned_tunnel_id, port);
        if (cc != NULL) {
            l2v_l2tp_channel_input(&cc->channel, h, body, len);
            rc = 0;
        }
    }
    if (l2tp->secret.len > 0) {
        l2v_wipe(scratch, sizeof scratch);
    }
    return rc;
}

int l2v_l2tp_input(struct l2v_l2tp *l2tp, struct l2v_pkt *pkt, uint16_t peer_port, bool inside_sa)
{
    struct l2v_l2tp_header h;
    int rc = l2v_l2tp_header_parse(pkt->data, pkt->len, &h);
    if (rc != 0) {
        return rc;
    }
    if ((h.flags & L2V_L2TP_T) == 0) {
        return l2v_l2tp_data_input(l2tp, pkt, &h, peer_port, inside_sa);
    }
    const uint8_t *body = pkt->data + h.header_len;
    size_t len = h.len - h.header_len;
    if (h.tunnel_id == 0) {
        return input_tunnel_zero(l2tp, &h, body, len, peer_port);
    }
    struct l2v_l2tp_cc *cc = l2v_l2tp_find_cc(l2tp, h.tunnel_id);
    if (cc == NULL || cc->dead || !l2v_l2tp_cc_admit_port(cc, peer_port, inside_sa)) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    cc->last_input_ns = l2tp->env->now_ns;
    cc->input_port = peer_port;
    cc->inside_sa = inside_sa;
    l2v_l2tp_channel_input(&cc->channel, &h, body, len);
    return 0;
}
