/* SPDX-License-Identifier: MIT */
/* The simulated wire. */
#include "ppp_sim.h"

#include <ctype.h>

static unsigned roll(struct sim *sim, unsigned bound)
{
    return (unsigned)(test_random64(&sim->rng) % bound);
}

static void put_on_wire(struct sim *sim, unsigned from, const uint8_t *data, size_t len)
{
    struct sim_frame *f;
    uint64_t jitter = sim->jitter_ns != 0 ? test_random64(&sim->rng) % sim->jitter_ns : 0;
    ck_assert_uint_le(len, SIM_FRAME);
    ck_assert_uint_lt(sim->n_wire, SIM_WIRE);
    f = &sim->wire[sim->n_wire++];
    f->at_ns = sim->env->now_ns + sim->delay_ns + jitter;
    f->to = sim->loop ? from : 1 - from;
    f->len = len;
    memcpy(f->data, data, len);
}

static void note_sent(struct sim *sim, unsigned from, const uint8_t *data, size_t len)
{
    if (sim->n_sent < SIM_LOG) {
        size_t n = len < sizeof(sim->sent[0]) ? len : sizeof(sim->sent[0]);
        memcpy(sim->sent[sim->n_sent], data, n);
        sim->sent_len[sim->n_sent] = (uint16_t)len;
        sim->sent_by[sim->n_sent++] = (uint8_t)from;
    }
}

static void check_order(struct sim_side *s, const uint8_t *data, size_t len)
{
    struct l2v_pkt pkt;
    uint8_t copy[SIM_FRAME];
    uint16_t protocol = 0;
    memcpy(copy, data, len);
    l2v_pkt_borrow(&pkt, copy, len);
    ck_assert_int_eq(l2v_ppp_frame_parse(&pkt, &protocol), 0);
    if (protocol == L2V_PPP_PROTO_LCP) {
        ck_assert_uint_eq(l2v_get_u32(data), 0xff03c021); /* rfc1661#6.5, rfc1661#6.6 */
    }
    s->network_before_open |= protocol < 0x4000 && s->n_up == 0;
    s->ncp_before_auth |= (protocol & 0xc000) == 0x8000 && s->phase != L2V_PPP_NETWORK;
}

static void on_transmit(void *user, struct l2v_pkt *pkt)
{
    struct sim_side *s = user;
    struct sim *sim = s->sim;
    uint8_t data[SIM_FRAME];
    size_t len = pkt->len;
    ck_assert_uint_le(len, sizeof(data));
    memcpy(data, pkt->data, len);
    l2v_pkt_free(pkt);
    s->n_sent++;
    check_order(s, data, len);
    note_sent(sim, s->index, data, len);
    if ((sim->filter != NULL && !sim->filter(sim, s->index, data, &len)) ||
        roll(sim, 100) < sim->loss) {
        return;
    }
    put_on_wire(sim, s->index, data, len);
    if (roll(sim, 100) < sim->dup) {
        put_on_wire(sim, s->index, data, len);
    }
}

static void on_phase(void *user, enum l2v_ppp_phase phase)
{
    struct sim_side *s = user;
    s->phase = (uint8_t)phase;
    s->phases_seen = (uint8_t)(s->phases_seen | 1u << phase);
}

static void on_up(void *user, const struct l2v_ppp_result *result)
{
    struct sim_side *s = user;
    s->n_up++;
    s->result = *result;
    if (s->close_in_up) {
        l2v_ppp_close(s->ppp);
    }
}

static void on_down(void *user, const l2tpvoip_failure *f)
{
    struct sim_side *s = user;
    s->n_down++;
    s->failure = *f;
    ck_assert_uint_eq(s->n_down, 1);
}

static void on_input(void *user, struct l2v_pkt *pkt, uint16_t protocol)
{
    struct sim_side *s = user;
    ck_assert(protocol == L2V_PPP_IPV4 || protocol == L2V_PPP_IPV6);
    s->n_inputs++;
    s->last_input_len = pkt->len;
    memcpy(s->last_input, pkt->data, pkt->len);
}

static int on_get_password(void *user, const char *name, size_t name_len,
                           const uint8_t **ret_password, size_t *ret_len)
{
    struct sim_side *s = user;
    s->n_lookups++;
    if (s->lookup != 0) {
        return s->lookup;
    }
    if (name_len != strlen(s->user) || memcmp(name, s->user, name_len) != 0) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    *ret_password = (const uint8_t *)s->password;
    *ret_len = strlen(s->password);
    return 0;
}

static int on_get_address(void *user, const char *name, size_t name_len, l2tpvoip_addr *ret_ip)
{
    struct sim_side *s = user;
    (void)name;
    (void)name_len;
    if (s->address != 0) {
        return s->address;
    }
    return l2v_addr_parse("10.77.0.10", ret_ip);
}

static void on_need_credentials(void *user)
{
    struct sim_side *s = user;
    s->n_asked++;
    if (s->answers_need) {
        l2v_ppp_set_credentials(s->ppp, s->need_user, (const uint8_t *)s->need_password,
                                s->need_password != NULL ? strlen(s->need_password) : 0);
    }
}

struct sim *sim_new(uint64_t seed)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    ck_assert_ptr_nonnull(sim);
    ck_assert_int_eq(test_env_init(&sim->te, seed), 0);
    sim->env = &sim->te.env;
    sim->env->now_ns = 1000 * L2V_NS_PER_S;
    sim->rng = seed * 77 + 1;
    sim->delay_ns = 20 * L2V_NS_PER_MS;
    ck_assert_int_eq(l2v_crypto_new(sim->env, NULL, &sim->crypto), 0);
    return sim;
}

void sim_free(struct sim *sim)
{
    l2v_ppp_free(sim->side[0].ppp);
    l2v_ppp_free(sim->side[1].ppp);
    l2v_crypto_free(sim->crypto);
    ck_assert_uint_eq(l2v_timers_next(&sim->env->timers), UINT64_MAX);
    test_env_clear(&sim->te);
    ck_assert_int_eq(sim->te.live, 0);
    free(sim);
}

void sim_default(struct sim *sim, uint32_t client_auth, uint32_t server_auth)
{
    struct sim_side *c = &sim->side[CLIENT], *s = &sim->side[SERVER];
    c->config.auth = client_auth;
    c->config.mru = 1400;
    c->config.echo_interval_ms = 30000;
    c->config.echo_failures = 4;
    c->config.user = "alice";
    c->config.password = (const uint8_t *)"wonderland";
    c->config.password_len = 10;
    s->config = c->config;
    s->config.server = true;
    s->config.auth = server_auth;
    s->config.user = "gateway";
    s->config.password = NULL;
    s->config.password_len = 0;
    ck_assert_int_eq(l2v_addr_parse("10.77.0.1", &s->config.local_ip), 0);
    ck_assert_int_eq(l2v_addr_parse("10.77.0.53", &s->config.dns[0]), 0);
    s->user = "alice";
    s->password = "wonderland";
}

void sim_make(struct sim *sim, unsigned index)
{
    static const struct l2v_ppp_ops ops = {
        .transmit = on_transmit,
        .phase = on_phase,
        .up = on_up,
        .down = on_down,
        .input = on_input,
        .get_password = on_get_password,
        .get_address = on_get_address,
        .need_credentials = on_need_credentials,
    };
    struct sim_side *s = &sim->side[index];
    s->sim = sim;
    s->index = index;
    ck_assert_int_eq(l2v_ppp_new(sim->env, sim->crypto, &s->config, &ops, s, &s->ppp), 0);
}

void sim_start(struct sim *sim)
{
    sim_make(sim, CLIENT);
    sim_make(sim, SERVER);
    l2v_ppp_start(sim->side[CLIENT].ppp);
    l2v_ppp_start(sim->side[SERVER].ppp);
}

static struct sim_frame *earliest(struct sim *sim)
{
    struct sim_frame *best = NULL;
    for (unsigned i = 0; i < sim->n_wire; i++) {
        if (best == NULL || sim->wire[i].at_ns < best->at_ns) {
            best = &sim->wire[i];
        }
    }
    return best;
}

int sim_inject_bytes(struct sim *sim, unsigned to, const uint8_t *data, size_t len)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(sim->env, data, len);
    int r;
    if (pkt == NULL) { /* without pools the allocation that has to fail may be this one */
        pkt = l2v_pkt_copy(sim->env, data, len);
    }
    ck_assert_ptr_nonnull(pkt);
    r = l2v_ppp_input(sim->side[to].ppp, pkt);
    l2v_pkt_free(pkt);
    return r;
}

static void deliver(struct sim *sim, struct sim_frame *f)
{
    struct sim_frame copy = *f;
    unsigned i = (unsigned)(f - sim->wire);
    sim->n_wire--;
    memmove(f, f + 1, (sim->n_wire - i) * sizeof(*f));
    if (sim->side[copy.to].ppp != NULL) {
        (void)sim_inject_bytes(sim, copy.to, copy.data, copy.len);
    }
}

static bool step(struct sim *sim, uint64_t end_ns)
{
    struct sim_frame *f = earliest(sim);
    uint64_t timer = l2v_timers_next(&sim->env->timers);
    uint64_t frame = f != NULL ? f->at_ns : UINT64_MAX;
    uint64_t next = timer < frame ? timer : frame;
    if (next > end_ns) {
        return false;
    }
    sim->env->now_ns = next > sim->env->now_ns ? next : sim->env->now_ns;
    if (timer <= frame) {
        l2v_timers_run(&sim->env->timers, sim->env->now_ns);
    } else {
        deliver(sim, f);
    }
    return true;
}

void sim_run(struct sim *sim, uint64_t ms)
{
    uint64_t end = sim->env->now_ns + ms * L2V_NS_PER_MS;
    while (step(sim, end)) {
    }
    sim->env->now_ns = end;
}

static bool is_up(const struct sim_side *s)
{
    bool v4 = (s->config.flags & L2TPVOIP_PPP_NO_IPV4) != 0 || s->result.local4.family == 4;
    bool v6 = (s->config.flags & L2TPVOIP_PPP_NO_IPV6) != 0 || s->result.local6.family == 6;
    return s->n_up > 0 && s->n_down == 0 && v4 && v6;
}

bool sim_run_up(struct sim *sim, uint64_t ms)
{
    uint64_t end = sim->env->now_ns + ms * L2V_NS_PER_MS;
    while ((!is_up(&sim->side[0]) || !is_up(&sim->side[1])) && step(sim, end)) {
    }
    return is_up(&sim->side[0]) && is_up(&sim->side[1]);
}

void sim_run_down(struct sim *sim, uint64_t ms)
{
    uint64_t end = sim->env->now_ns + ms * L2V_NS_PER_MS;
    while ((sim->side[0].n_down == 0 || sim->side[1].n_down == 0) && step(sim, end)) {
    }
}

/* Bytes of "ff 03 .." into out, any bytes as -1. */
static size_t parse_pattern(const char *hex, int *out, size_t size)
{
    size_t n = 0;
    while (*hex != '\0') {
        unsigned v = 0;
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        ck_assert_uint_lt(n, size);
        if (hex[0] == '.') {
            out[n++] = -1;
        } else {
            ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
            out[n++] = (int)v;
        }
        hex += 2;
    }
    return n;
}

int sim_inject(struct sim *sim, unsigned to, const char *hex)
{
    int v[512];
    uint8_t data[512];
    size_t n = parse_pattern(hex, v, 512);
    for (size_t i = 0; i < n; i++) {
        data[i] = (uint8_t)v[i];
    }
    return sim_inject_bytes(sim, to, data, n);
}

unsigned sim_sent(struct sim *sim, unsigned by, unsigned from, const char *hex)
{
    int v[64];
    size_t n = parse_pattern(hex, v, 64);
    for (unsigned i = from; i < sim->n_sent; i++) {
        size_t k = 0;
        if (sim->sent_by[i] != by || sim->sent_len[i] < n) {
            continue;
        }
        while (k < n && (v[k] < 0 || v[k] == sim->sent[i][k])) {
            k++;
        }
        if (k == n) {
            return i + 1;
        }
    }
    return 0;
}

uint8_t sim_byte(struct sim *sim, unsigned n, unsigned at)
{
    ck_assert_uint_gt(n, 0);
    return sim->sent[n - 1][at];
}

int sim_send_ip(struct sim *sim, unsigned from, const void *data, size_t len, uint16_t protocol)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(sim->env, data, len);
    ck_assert_ptr_nonnull(pkt);
    return l2v_ppp_output(sim->side[from].ppp, pkt, protocol);
}
