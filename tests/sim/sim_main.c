/* SPDX-License-Identifier: MIT */
/* Runs scenarios over seeds: sim [--seeds N] [--seed S] [--scenario NAME] [--list] [--verbose] */
#include "sim_scenarios.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
    uint64_t seed, seeds;
    const char *scenario;
    bool cases;
};

static double wall(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool run_case(const struct scenario *s, uint64_t seed, char *why, size_t size)
{
    static struct kit kit;
    kit_init(&kit, seed);
    bool ok = s->run(&kit);
    if (ok && kit.violation[0] != 0) {
        (void)snprintf(kit.why, sizeof kit.why, "in clear: %s", kit.violation);
        ok = false;
    }
    (void)snprintf(why, size, "%s", kit.why);
    kit_clear(&kit);
    return ok;
}

static void run_scenario(const struct scenario *s, const struct options *o, unsigned *passed,
                         unsigned *failed)
{
    uint64_t n = s->heavy && o->seeds > 3 ? (o->seeds + 9) / 10 : o->seeds;
    unsigned good = 0, bad = 0;
    double start = wall();
    for (uint64_t i = 0; i < n; i++) {
        char why[512];
        uint64_t seed = o->seed + i;
        if (run_case(s, seed, why, sizeof why)) {
            good++;
            if (o->cases) {
                printf("ok   %s seed %llu\n", s->name, (unsigned long long)seed);
            }
            continue;
        }
        bad++;
        printf("FAIL %s seed %llu: %s\n", s->name, (unsigned long long)seed, why);
        fflush(stdout);
    }
    printf("%-4s %-20s %u of %u, %.1f s\n", bad == 0 ? "ok" : "FAIL", s->name, good, good + bad,
           wall() - start);
    fflush(stdout);
    *passed += good;
    *failed += bad;
}

static int usage(void)
{
    fprintf(stderr, "usage: sim [--seeds N] [--seed S] [--scenario NAME] [--list] [--cases]\n");
    return 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--cases") == 0) {
            o->cases = true;
        } else if (value == NULL) {
            return false;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            o->seeds = strtoull(value, NULL, 0);
            i++;
        } else if (strcmp(argv[i], "--seed") == 0) {
            o->seed = strtoull(value, NULL, 0);
            i++;
        } else if (strcmp(argv[i], "--scenario") == 0) {
            o->scenario = value;
            i++;
        } else {
            return false;
        }
    }
    return o->seeds > 0;
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .seeds = 1};
    unsigned passed = 0, failed = 0, ran = 0;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < n_scenarios; i++) {
            printf("%s\n", scenarios[i].name);
        }
        return 0;
    }
    if (!parse(argc, argv, &o)) {
        return usage();
    }
    for (size_t i = 0; i < n_scenarios; i++) {
        if (o.scenario == NULL || strcmp(o.scenario, scenarios[i].name) == 0) {
            run_scenario(&scenarios[i], &o, &passed, &failed);
            ran++;
        }
    }
    if (ran == 0) {
        fprintf(stderr, "sim: no scenario %s\n", o.scenario);
        return 2;
    }
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
