/* SPDX-License-Identifier: MIT */
/* Runs scenarios over seeds: sim [--seeds N] [--seed S] [--scenario NAME] [--jobs N] [--list] */
#include "sim_scenarios.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_JOBS 64u

struct options {
    uint64_t seed, seeds;
    const char *scenario;
    bool cases;
    unsigned jobs;
};

struct tally {
    unsigned good, bad;
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

/* Every jobs-th seed, from the first-th on. */
static struct tally run_seeds(const struct scenario *s, const struct options *o, unsigned first)
{
    uint64_t n = s->heavy && o->seeds > 3 ? (o->seeds + 9) / 10 : o->seeds;
    struct tally t = {0, 0};
    for (uint64_t i = first; i < n; i += o->jobs) {
        char why[512];
        uint64_t seed = o->seed + i;
        if (run_case(s, seed, why, sizeof why)) {
            t.good++;
            if (o->cases) {
                printf("ok   %s seed %llu\n", s->name, (unsigned long long)seed);
            }
            continue;
        }
        t.bad++;
        printf("FAIL %s seed %llu: %s\n", s->name, (unsigned long long)seed, why);
    }
    fflush(stdout);
    return t;
}

static void start_child(const struct scenario *s, const struct options *o, unsigned first,
                        int *ret_fd)
{
    int fds[2];
    if (pipe(fds) != 0) {
        abort();
    }
    pid_t pid = fork();
    if (pid < 0) {
        abort();
    }
    if (pid == 0) {
        struct tally t = run_seeds(s, o, first);
        bool told = write(fds[1], &t, sizeof t) == (ssize_t)sizeof t;
        exit(told ? 0 : 1); /* the leak check runs here */
    }
    close(fds[1]);
    *ret_fd = fds[0];
}

/* One process a part; one that dies or leaks is a failed case. */
static struct tally run_parts(const struct scenario *s, const struct options *o)
{
    struct tally sum = {0, 0};
    int fds[MAX_JOBS], status = 0;
    for (unsigned i = 0; i < o->jobs; i++) {
        start_child(s, o, i, &fds[i]);
    }
    for (unsigned i = 0; i < o->jobs; i++) {
        struct tally t = {0, 0};
        if (read(fds[i], &t, sizeof t) == (ssize_t)sizeof t) {
            sum.good += t.good;
            sum.bad += t.bad;
        }
        close(fds[i]);
    }
    for (unsigned i = 0; i < o->jobs; i++) {
        (void)wait(&status);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            printf("FAIL %s: a process died or leaked\n", s->name);
            sum.bad++;
        }
    }
    return sum;
}

static void run_scenario(const struct scenario *s, const struct options *o, unsigned *passed,
                         unsigned *failed)
{
    double start = wall();
    struct tally t = o->jobs > 1 ? run_parts(s, o) : run_seeds(s, o, 0);
    printf("%-4s %-20s %u of %u, %.1f s\n", t.bad == 0 ? "ok" : "FAIL", s->name, t.good,
           t.good + t.bad, wall() - start);
    fflush(stdout);
    *passed += t.good;
    *failed += t.bad;
}

static int usage(void)
{
    fprintf(stderr, "usage: sim [--seeds N] [--seed S] [--scenario NAME] [--jobs N] "
                    "[--list] [--cases]\n");
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
        } else if (strcmp(argv[i], "--jobs") == 0) {
            o->jobs = (unsigned)strtoul(value, NULL, 0);
            i++;
        } else if (strcmp(argv[i], "--scenario") == 0) {
            o->scenario = value;
            i++;
        } else {
            return false;
        }
    }
    return o->seeds > 0 && o->jobs > 0 && o->jobs <= MAX_JOBS;
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .seeds = 1, .jobs = 1};
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
