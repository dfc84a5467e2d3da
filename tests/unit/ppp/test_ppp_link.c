/* SPDX-License-Identifier: MIT */
/* Two links: data, framing, echo, NCPs, end. */
#include "ppp_sim.h"

#define AUTH L2TPVOIP_AUTH_CHAP_MD5

static struct sim *make_up(uint64_t seed, uint32_t client_flags, uint32_t server_flags)
{
    struct sim *sim = sim_new(seed);
    sim_default(sim, AUTH, AUTH);
    sim->side[CLIENT].config.flags = client_flags;
    sim->side[SERVER].config.flags = server_flags;
    sim_start(sim);
    ck_assert(sim_run_up(sim, 10000));
    return sim;
}

/* rfc1661#6.5, rfc1661#6.6: each side sends as short as the other one asked for. */
START_TEST(framing)
{
    static const struct {
        uint32_t client, server;
        size_t client_overhead, server_overhead;
    } rows[] = {
        {0, 0, 1, 1},
        {L2TPVOIP_PPP_NO_COMPRESS, 0, 1, 4},
        {0, L2TPVOIP_PPP_NO_COMPRESS, 4, 1},
        {L2TPVOIP_PPP_SEND_FF03, 0, 3, 1},
        {0, L2TPVOIP_PPP_SEND_FF03 | L2TPVOIP_PPP_NO_COMPRESS, 4, 3},
    };
    static const uint8_t ip[20] = {0x45, 0, 0, 20};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim *sim = make_up(20 + i, rows[i].client, rows[i].server);
        ck_assert_uint_eq(l2v_ppp_overhead(sim->side[CLIENT].ppp), rows[i].client_overhead);
        ck_assert_uint_eq(l2v_ppp_overhead(sim->side[SERVER].ppp), rows[i].server_overhead);
        ck_assert_int_eq(sim_send_ip(sim, CLIENT, ip, 20, L2V_PPP_IPV4), 0);
        ck_assert_uint_eq(sim->sent_len[sim->n_sent - 1], 20 + rows[i].client_overhead);
        ck_assert_int_eq(sim_send_ip(sim, SERVER, ip, 20, L2V_PPP_IPV6), 0);
        sim_run(sim, 100);
        ck_assert_uint_eq(sim->side[SERVER].n_inputs, 1);
        ck_assert_uint_eq(sim->side[CLIENT].n_inputs, 1);
        ck_assert_mem_eq(sim->side[SERVER].last_input, ip, 20);
        sim_free(sim);
    }
}
END_TEST

/* Whatever was negotiated, every form is taken. */
START_TEST(any_frame_form)
{
    struct sim *sim = make_up(25, L2TPVOIP_PPP_NO_COMPRESS, L2TPVOIP_PPP_NO_COMPRESS);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "ff03002145"), 0);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "ff032145"), 0);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "002145"), 0);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "2145"), 0);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "5760"), 0);
    ck_assert_uint_eq(sim->side[CLIENT].n_inputs, 5);
    ck_assert_int_eq(sim_inject(sim, CLIENT, ""), L2TPVOIP_ERR_MALFORMED);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "ff0300"), L2TPVOIP_ERR_MALFORMED);
    sim_free(sim);
}
END_TEST

START_TEST(data_before_open)
{
    static const uint8_t ip[20] = {0x45};
    struct sim *sim = sim_new(26);
    sim_default(sim, AUTH, AUTH);
    sim_make(sim, CLIENT);
    ck_assert_int_eq(sim_send_ip(sim, CLIENT, ip, 20, L2V_PPP_IPV4), L2TPVOIP_ERR_STATE);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "2145"), L2TPVOIP_ERR_STATE);
    l2v_ppp_start(sim->side[CLIENT].ppp);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "2145"), L2TPVOIP_ERR_STATE);
    ck_assert_uint_eq(sim->side[CLIENT].n_inputs, 0);
    sim_free(sim);
}
END_TEST

START_TEST(too_big)
{
    uint8_t ip[1500] = {0x45};
    struct sim *sim = make_up(27, 0, 0);
    ck_assert_uint_eq(sim->side[CLIENT].result.peer_mru, 1400);
    ck_assert_int_eq(sim_send_ip(sim, CLIENT, ip, 1401, L2V_PPP_IPV4), L2TPVOIP_ERR_MSGSIZE);
    ck_assert_int_eq(sim_send_ip(sim, CLIENT, ip, 1400, L2V_PPP_IPV4), 0);
    sim_run(sim, 100);
    ck_assert_uint_eq(sim->side[SERVER].last_input_len, 1400);
    sim_free(sim);
}
END_TEST

START_TEST(echo_rtt)
{
    struct sim *sim = make_up(28, 0, 0);
    sim_run(sim, 200);
    ck_assert_uint_eq(l2v_ppp_get_rtt_ns(sim->side[CLIENT].ppp), 40 * L2V_NS_PER_MS);
    sim->delay_ns = 75 * L2V_NS_PER_MS;
    l2v_ppp_probe(sim->side[CLIENT].ppp);
    sim_run(sim, 500);
    ck_assert_uint_eq(l2v_ppp_get_rtt_ns(sim->side[CLIENT].ppp), 150 * L2V_NS_PER_MS);
    sim_run(sim, 600000);
    ck_assert_uint_eq(sim->side[CLIENT].n_down, 0);
    ck_assert_uint_eq(sim->side[SERVER].n_down, 0);
    sim_free(sim);
}
END_TEST

static bool swallow_all(struct sim *sim, unsigned from, uint8_t *data, size_t *len)
{
    (void)sim;
    (void)from;
    (void)data;
    (void)len;
    return false;
}

START_TEST(dead_peer)
{
    struct sim *sim = make_up(29, 0, 0);
    uint64_t start;
    sim_run(sim, 1000);
    start = sim->env->now_ns;
    sim->filter = swallow_all;
    sim_run_down(sim, 400000);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_TIMEOUT);
    ck_assert_int_eq(sim->side[CLIENT].failure.layer, L2TPVOIP_LAYER_PPP);
    ck_assert_uint_ge(sim->env->now_ns - start, 90 * L2V_NS_PER_S);
    ck_assert_uint_le(sim->env->now_ns - start, 181 * L2V_NS_PER_S);
    sim_free(sim);
}
END_TEST

/* Data keeps a link alive though its echoes go unanswered (Android does not bother). */
START_TEST(data_is_life)
{
    struct sim *sim = make_up(30, 0, 0);
    sim->filter = swallow_all;
    for (unsigned i = 0; i < 60; i++) {
        sim_run(sim, 10000);
        if (i % 2 == 0) {
            ck_assert_int_eq(sim_inject(sim, CLIENT, "2145"), 0);
        } else {
            l2v_ppp_heard(sim->side[CLIENT].ppp);
        }
    }
    ck_assert_uint_eq(sim->side[CLIENT].n_down, 0);
    ck_assert_uint_eq(sim->side[SERVER].n_down, 1);
    sim_free(sim);
}
END_TEST

START_TEST(only_one_family)
{
    bool v4 = _i == 0;
    uint32_t flag = v4 ? L2TPVOIP_PPP_NO_IPV6 : L2TPVOIP_PPP_NO_IPV4;
    struct sim *sim = sim_new(31);
    struct sim_side *c = &sim->side[CLIENT];
    sim_default(sim, AUTH, AUTH);
    c->config.flags = flag; /* the server offers both */
    sim_start(sim);
    sim_run(sim, 30000);
    ck_assert_uint_eq(c->n_up, 1);
    ck_assert_uint_eq(c->result.local4.family, v4 ? 4 : 0);
    ck_assert_uint_eq(c->result.local6.family, v4 ? 0 : 6);
    ck_assert_uint_eq(sim->side[SERVER].n_up, 1);
    ck_assert_uint_eq(sim->side[SERVER].n_down, 0);
    /* rfc1661#5.7 */
    ck_assert_uint_ne(
        sim_sent(sim, CLIENT, 0, v4 ? "ff03c021 08 .. .... 8057" : "ff03c021 08 .. .... 8021"), 0);
    ck_assert_int_eq(sim_inject(sim, CLIENT, v4 ? "5760" : "2145"), L2TPVOIP_ERR_STATE);
    sim_free(sim);
}
END_TEST

START_TEST(nothing_in_common)
{
    struct sim *sim = sim_new(32);
    sim_default(sim, AUTH, AUTH);
    sim->side[CLIENT].config.flags = L2TPVOIP_PPP_NO_IPV6;
    sim->side[SERVER].config.flags = L2TPVOIP_PPP_NO_IPV4;
    sim_start(sim);
    sim_run_down(sim, 60000);
    ck_assert_uint_eq(sim->side[CLIENT].n_up, 0);
    ck_assert_uint_eq(sim->side[CLIENT].n_down, 1);
    ck_assert_uint_eq(sim->side[SERVER].n_down, 1);
    ck_assert_int_eq(sim->side[CLIENT].failure.layer, L2TPVOIP_LAYER_PPP);
    sim_free(sim);
}
END_TEST

START_TEST(no_address_left)
{
    struct sim *sim = sim_new(33);
    sim_default(sim, AUTH, AUTH);
    sim->side[SERVER].address = L2TPVOIP_ERR_LIMIT;
    sim_start(sim);
    sim_run_down(sim, 20000);
    ck_assert_int_eq(sim->side[SERVER].failure.code, L2TPVOIP_ERR_LIMIT);
    ck_assert_uint_eq(sim->side[CLIENT].n_down, 1);
    ck_assert_uint_eq(sim->side[CLIENT].n_up, 0);
    sim_free(sim);
}
END_TEST

START_TEST(closes)
{
    unsigned who = (unsigned)_i;
    struct sim *sim = make_up(34, 0, 0);
    l2v_ppp_close(sim->side[who].ppp);
    l2v_ppp_close(sim->side[who].ppp);
    sim_run_down(sim, 10000);
    ck_assert_uint_eq(sim->side[who].n_down, 1);
    ck_assert_int_eq(sim->side[who].failure.code, 0);
    ck_assert_int_eq(sim->side[1 - who].failure.code, L2TPVOIP_ERR_PEER_CLOSED);
    ck_assert_uint_eq(sim->side[who].phase, L2V_PPP_DEAD);
    ck_assert_int_eq(sim_inject(sim, who, "ff03c021 01 01 0004"), L2TPVOIP_ERR_STATE);
    sim_free(sim);
}
END_TEST

START_TEST(closes_at_any_time)
{
    for (uint64_t ms = 0; ms < 400; ms += 7) {
        struct sim *sim = sim_new(35 + ms);
        sim_default(sim, 0x1f, 0x1f);
        sim_start(sim);
        sim_run(sim, ms);
        l2v_ppp_close(sim->side[_i].ppp);
        sim_run_down(sim, 120000);
        ck_assert_uint_eq(sim->side[_i].n_down, 1);
        ck_assert_int_eq(sim->side[_i].failure.code, 0);
        ck_assert_uint_eq(sim->side[1 - _i].n_down, 1);
        sim_free(sim);
    }
}
END_TEST

START_TEST(freed_at_any_time)
{
    for (uint64_t ms = 0; ms < 400; ms += 7) {
        struct sim *sim = sim_new(35 + ms);
        sim_default(sim, 0x1f, 0x1f);
        sim_start(sim);
        sim_run(sim, ms);
        l2v_ppp_free(sim->side[_i].ppp);
        sim->side[_i].ppp = NULL;
        sim_run(sim, 5000);
        sim_free(sim);
    }
}
END_TEST

START_TEST(closes_in_up)
{
    struct sim *sim = sim_new(36);
    sim_default(sim, AUTH, AUTH);
    sim->side[CLIENT].close_in_up = true;
    sim_start(sim);
    sim_run_down(sim, 20000);
    ck_assert_uint_eq(sim->side[CLIENT].n_down, 1);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, 0);
    sim_free(sim);
}
END_TEST

START_TEST(close_before_start)
{
    struct sim *sim = sim_new(37);
    sim_default(sim, AUTH, AUTH);
    sim_make(sim, CLIENT);
    l2v_ppp_close(sim->side[CLIENT].ppp);
    ck_assert_uint_eq(sim->side[CLIENT].n_down, 1);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, 0);
    sim_free(sim);
}
END_TEST

/* rfc1661#4.6: Max-Configure tries, the first repetition early, then no longer than 3 s apart. */
START_TEST(nobody_there)
{
    struct sim *sim = sim_new(38);
    uint64_t start = sim->env->now_ns;
    sim_default(sim, AUTH, AUTH);
    sim_make(sim, CLIENT);
    l2v_ppp_start(sim->side[CLIENT].ppp);
    sim_run(sim, 1000);
    ck_assert_uint_ge(sim->side[CLIENT].n_sent, 2);
    while (sim->side[CLIENT].n_down == 0 && sim->env->now_ns < start + 60 * L2V_NS_PER_S) {
        sim_run(sim, 100);
    }
    ck_assert_uint_eq(sim->side[CLIENT].n_sent, 10);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_TIMEOUT);
    ck_assert_uint_ge(sim->env->now_ns - start, 20 * L2V_NS_PER_S);
    ck_assert_uint_le(sim->env->now_ns - start, 32 * L2V_NS_PER_S);
    sim_free(sim);
}
END_TEST

/* rfc1661#6.4 */
START_TEST(looped_back)
{
    struct sim *sim = sim_new(39);
    sim_default(sim, L2TPVOIP_AUTH_NONE, L2TPVOIP_AUTH_NONE);
    sim->loop = true;
    sim_make(sim, CLIENT);
    l2v_ppp_start(sim->side[CLIENT].ppp);
    sim_run(sim, 30000);
    ck_assert_uint_eq(sim->side[CLIENT].n_down, 1);
    ck_assert_uint_eq(sim->side[CLIENT].n_up, 0);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_NEGOTIATION);
    ck_assert_ptr_nonnull(strstr(sim->side[CLIENT].failure.message, "looped"));
    sim_free(sim);
}
END_TEST

/* The same seed draws the same magic number and interface identifier for both: they diverge. */
START_TEST(equal_magic)
{
    struct sim *sim = sim_new(40);
    sim_default(sim, AUTH, AUTH);
    sim_make(sim, CLIENT);
    sim_make(sim, SERVER);
    sim->side[SERVER].ppp->lcpv.magic = sim->side[CLIENT].ppp->lcpv.magic;
    l2v_ppp_start(sim->side[CLIENT].ppp);
    l2v_ppp_start(sim->side[SERVER].ppp);
    ck_assert(sim_run_up(sim, 10000));
    ck_assert_uint_ne(sim->side[SERVER].ppp->lcpv.magic, sim->side[CLIENT].ppp->lcpv.magic);
    sim_free(sim);
}
END_TEST

START_TEST(renegotiates)
{
    unsigned who = (unsigned)_i;
    struct sim *sim = make_up(41, 0, 0);
    l2v_ppp_lcp_restart(sim->side[who].ppp);
    ck_assert_int_eq(sim_inject(sim, who, "2145"), L2TPVOIP_ERR_STATE);
    sim->side[0].n_up = sim->side[1].n_up = 0;
    sim->side[0].network_before_open = sim->side[1].network_before_open = false;
    memset(&sim->side[0].result, 0, sizeof(sim->side[0].result));
    memset(&sim->side[1].result, 0, sizeof(sim->side[1].result));
    ck_assert(sim_run_up(sim, 20000));
    ck_assert_uint_eq(l2v_addr_get_ip4(&sim->side[CLIENT].result.local4), 0x0a4d000a);
    ck_assert(!sim->side[0].network_before_open && !sim->side[0].ncp_before_auth);
    ck_assert(!sim->side[1].network_before_open && !sim->side[1].ncp_before_auth);
    sim_free(sim);
}
END_TEST

/* A doubled Configure-Request does not take a running link down. */
START_TEST(doubled_request)
{
    struct sim *sim = make_up(42, 0, 0);
    unsigned last = 0, n = 0;
    sim_run(sim, 1000);
    while ((n = sim_sent(sim, SERVER, last, "ff03c021 01")) != 0) {
        last = n;
    }
    n = sim->n_sent;
    (void)sim_inject_bytes(sim, CLIENT, sim->sent[last - 1], sim->sent_len[last - 1]);
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 02"), 0);
    ck_assert_uint_eq(sim->side[CLIENT].phase, L2V_PPP_NETWORK);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "2145"), 0);
    sim_free(sim);
}
END_TEST

START_TEST(wished_address)
{
    struct sim *sim = sim_new(43);
    sim_default(sim, AUTH, AUTH);
    ck_assert_int_eq(l2v_addr_parse("192.168.5.5", &sim->side[CLIENT].config.local_ip), 0);
    sim_start(sim);
    ck_assert(sim_run_up(sim, 10000)); /* the server has the last word */
    ck_assert_uint_eq(l2v_addr_get_ip4(&sim->side[CLIENT].result.local4), 0x0a4d000a);
    sim_free(sim);
}
END_TEST

START_TEST(invalid_arguments)
{
    struct sim *sim = sim_new(44);
    struct l2v_ppp_ops ops;
    struct l2v_ppp *ppp = NULL;
    memset(&ops, 0, sizeof(ops));
    sim_default(sim, AUTH, AUTH);
    ck_assert_int_eq(l2v_ppp_new(sim->env, sim->crypto, &sim->side[0].config, &ops, NULL, &ppp),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_ptr_null(ppp);
    l2v_ppp_free(NULL);
    sim_free(sim);
}
END_TEST

TCase *test_ppp_link(void)
{
    TCase *tc = tcase_create("link");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, any_frame_form);
    tcase_add_test(tc, data_before_open);
    tcase_add_test(tc, too_big);
    tcase_add_test(tc, echo_rtt);
    tcase_add_test(tc, dead_peer);
    tcase_add_test(tc, data_is_life);
    tcase_add_loop_test(tc, only_one_family, 0, 2);
    tcase_add_test(tc, nothing_in_common);
    tcase_add_test(tc, no_address_left);
    tcase_add_loop_test(tc, closes, 0, 2);
    tcase_add_loop_test(tc, closes_at_any_time, 0, 2);
    tcase_add_loop_test(tc, freed_at_any_time, 0, 2);
    tcase_add_test(tc, closes_in_up);
    tcase_add_test(tc, close_before_start);
    tcase_add_test(tc, nobody_there);
    tcase_add_test(tc, looped_back);
    tcase_add_test(tc, equal_magic);
    tcase_add_loop_test(tc, renegotiates, 0, 2);
    tcase_add_test(tc, doubled_request);
    tcase_add_test(tc, wished_address);
    tcase_add_test(tc, invalid_arguments);
    return tc;
}
