/* SPDX-License-Identifier: MIT */
/* Hostile frames, memory that runs out, random that fails. */
#include <dirent.h>

#include "ppp_sim.h"

#ifdef L2V_NO_POOLS
#define L2V_POOLED 0
#else
#define L2V_POOLED 1
#endif

/* Every frame of the captures, whole and cut at every byte, at links in three stages. */
static unsigned feed_stage(struct sim *sim, const uint8_t *data, size_t len)
{
    for (size_t cut = 0; cut <= len; cut++) {
        (void)sim_inject_bytes(sim, CLIENT, data, cut);
        (void)sim_inject_bytes(sim, SERVER, data, cut);
        sim->n_wire = 0;
    }
    return 1;
}

static struct sim *make_stage(unsigned stage, uint64_t seed)
{
    struct sim *sim = sim_new(seed);
    sim_default(sim, 0x3f, stage == 0 ? 0x3f : 1u << (stage - 1));
    sim_start(sim);
    if (stage > 0) {
        sim_run(sim, stage % 2 == 0 ? 85 : 5000);
    }
    return sim;
}

START_TEST(captured_frames)
{
    DIR *dir = opendir(L2V_VECTORS "/fuzz/cut/ppp");
    struct dirent *e;
    unsigned n = 0;
    struct sim *sim = make_stage((unsigned)_i, 60);
    if (dir == NULL) {
        printf("skip captured_frames: no " L2V_VECTORS "/fuzz/cut/ppp\n");
    }
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char path[512];
        uint8_t data[2000];
        FILE *f;
        size_t len;
        snprintf(path, sizeof(path), L2V_VECTORS "/fuzz/cut/ppp/%.200s", e->d_name);
        f = e->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (f == NULL) {
            continue;
        }
        len = fread(data, 1, sizeof(data), f);
        (void)fclose(f);
        n += feed_stage(sim, data, len < 80 ? len : 80);
        sim_run(sim, 100);
        if (sim->side[0].n_down > 0 || sim->side[1].n_down > 0) {
            sim_free(sim);
            sim = make_stage((unsigned)_i, 60 + n);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
        ck_assert_uint_ge(n, 300);
    }
    sim_free(sim);
}
END_TEST

/* Frames with bits turned while two links come up. */
static bool damage(struct sim *sim, unsigned from, uint8_t *data, size_t *len)
{
    (void)from;
    if (test_random64(&sim->rng) % 4 == 0 && *len > 4) {
        data[4 + test_random64(&sim->rng) % (*len - 4)] ^=
            (uint8_t)(1u << test_random64(&sim->rng) % 8);
    }
    if (test_random64(&sim->rng) % 16 == 0) {
        *len = test_random64(&sim->rng) % *len;
    }
    return true;
}

START_TEST(damaged)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct sim *sim = sim_new(seed);
        sim_default(sim, 0x3f, 1u << seed % 6);
        sim->filter = damage;
        sim_start(sim);
        sim_run(sim, 3000);
        l2v_ppp_close(sim->side[0].ppp);
        sim_run(sim, 30000);
        sim_free(sim);
    }
}
END_TEST

/* Each allocation fails once: no crash, no leak, and either it comes up or it says why not. */
START_TEST(out_of_memory)
{
    uint32_t method = 1u << _i;
    for (long n = 1; n < 400; n++) {
        struct sim *sim = sim_new(70);
        long before = sim->te.n_allocs;
        sim_default(sim, method, method);
        sim_make(sim, CLIENT);
        sim_make(sim, SERVER);
        sim->te.fail_at = sim->te.n_allocs + n;
        l2v_ppp_start(sim->side[CLIENT].ppp);
        l2v_ppp_start(sim->side[SERVER].ppp);
        while (!sim_run_up(sim, 60000) && sim->side[0].n_down == 0 && sim->side[1].n_down == 0) {
            ck_assert_msg(0, "stuck after allocation %ld", n);
        }
        before = sim->te.n_allocs < sim->te.fail_at;
        sim_run_down(sim, 1);
        sim_free(sim);
        if (before) {
            break; /* it was not reached any more */
        }
    }
}
END_TEST

START_TEST(new_without_memory)
{
    struct sim *sim = sim_new(71);
    struct l2v_ppp_ops ops;
    struct l2v_ppp *ppp = NULL;
    memset(&ops, 0, sizeof(ops));
    sim_default(sim, 1, 1);
    sim_make(sim, CLIENT);
    ops = sim->side[CLIENT].ppp->ops;
    sim->te.fail_at = sim->te.n_allocs + 1;
    ck_assert_int_eq(l2v_ppp_new(sim->env, sim->crypto, &sim->side[0].config, &ops, NULL, &ppp),
                     L2TPVOIP_ERR_NOMEM);
    sim_free(sim);
}
END_TEST

START_TEST(no_random)
{
    struct sim *sim = sim_new(72);
    sim_default(sim, L2TPVOIP_AUTH_MSCHAPV2, L2TPVOIP_AUTH_MSCHAPV2);
    sim->te.random_fails = 1;
    sim->env->rnd_left = 0;
    sim_start(sim);
    sim_run_down(sim, 60000);
    ck_assert_uint_eq(sim->side[SERVER].n_up, 0); /* no challenge without random */
    ck_assert_int_ne(sim->side[SERVER].failure.code, 0);
    sim_free(sim);
}
END_TEST

/* The data path allocates nothing. */
START_TEST(no_allocation_per_packet)
{
    static const uint8_t ip[20] = {0x45};
    struct sim *sim = sim_new(73);
    long before;
    sim_default(sim, 1, 1);
    sim_start(sim);
    ck_assert(sim_run_up(sim, 5000));
    ck_assert_int_eq(sim_send_ip(sim, CLIENT, ip, 20, L2V_PPP_IPV4), 0);
    sim_run(sim, 100);
    before = sim->te.n_allocs;
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(sim_send_ip(sim, CLIENT, ip, 20, L2V_PPP_IPV4), 0);
        (void)sim_inject_bytes(sim, SERVER, sim->sent[sim->n_sent - 1], 21);
        sim->n_wire = 0;
    }
    if (L2V_POOLED) {
        ck_assert_int_eq(sim->te.n_allocs, before);
    }
    ck_assert_uint_ge(sim->side[SERVER].n_inputs, 100);
    sim_free(sim);
}
END_TEST

TCase *test_ppp_robust(void)
{
    TCase *tc = tcase_create("robust");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, captured_frames, 0, 7);
    tcase_add_test(tc, damaged);
    tcase_add_loop_test(tc, out_of_memory, 0, 6);
    tcase_add_test(tc, new_without_memory);
    tcase_add_test(tc, no_random);
    tcase_add_test(tc, no_allocation_per_packet);
    return tc;
}
