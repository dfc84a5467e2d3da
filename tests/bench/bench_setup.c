/* SPDX-License-Identifier: MIT */
/* Whole connections (main mode, quick mode, L2TP, PPP with MS-CHAPv2), both ends on one core, held
 * against the two key generations and two derivations that no implementation can do without. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define MIN_RATIO 0.5

static double connect_once(struct bench_pair *p)
{
    l2tpvoip_tunnel *t = NULL;
    uint64_t began = bench_now();
    int rc = bench_pair_connect(p, &t);
    double ns = (double)(bench_now() - began);
    if (rc == 0) {
        (void)l2tpvoip_tunnel_close(t);
        bench_pair_pump(p);
    }
    l2tpvoip_tunnel_free(t);
    bench_pair_pump(p);
    return rc == 0 ? ns : -1;
}

static void run_group(const char *name, const char *ike, unsigned group, unsigned rounds)
{
    static struct bench_pair p;
    double *ns = calloc(rounds, sizeof *ns);
    double bare = 2 * bench_bare_dh(group, rounds);
    bool passed = ns != NULL && bench_pair_init(&p, ike, "aes128gcm16", 0) == 0;
    for (unsigned i = 0; passed && i < rounds; i++) {
        ns[i] = connect_once(&p);
        passed = ns[i] > 0;
    }
    if (passed) {
        double median = bench_median(ns, rounds), ratio = bare / median;
        bench_figure("setup_us", median / 1000);
        bench_figure("ratio", ratio);
        bench_case(name, true, "%.0f us for both ends, %.0f a second; bare public-key work %.0f us = %.2f of it (target %.2f: %s)",
                   median / 1000, 1e9 / median, bare / 1000, ratio, MIN_RATIO,
                   ratio >= MIN_RATIO ? "met" : "missed");
    } else {
        bench_case(name, false, "a connection failed");
    }
    free(ns);
    bench_pair_clear(&p);
}

void bench_setup(void)
{
    run_group("setup-ecp256", "aes128-sha256-ecp256", 19, 200);
    run_group("setup-modp2048", "aes128-sha256-modp2048", 14, 60);
}
