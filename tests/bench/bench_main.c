/* SPDX-License-Identifier: MIT */
/* Runs the benchmarks. Usage: bench [--json] [NAME…] (stack setup voice io bytes). Figures are medians;
 * every claim is a ratio against a baseline of the same run. A case fails when it cannot run, loses a
 * packet or allocates where it must not; a target that is missed is said, not failed. */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

struct bench_heap bench_libcrypto;

uint64_t bench_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, compare);
    return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* --- counting allocators ------------------------------------------------------------------------ */

static void *count(struct bench_heap *h, const void *old, void *p)
{
    h->calls++;
    h->live += old == NULL && p != NULL;
    h->bytes += p != NULL ? (int64_t)malloc_usable_size(p) : 0;
    return p;
}

static void *own_malloc(void *user, size_t len)
{
    return count(user, NULL, malloc(len));
}

static void *own_calloc(void *user, size_t n, size_t len)
{
    return count(user, NULL, calloc(n, len));
}

static void *own_realloc(void *user, void *p, size_t len)
{
    struct bench_heap *h = user;
    h->bytes -= p != NULL ? (int64_t)malloc_usable_size(p) : 0;
    return count(h, p, realloc(p, len));
}

static void own_free(void *user, void *p)
{
    struct bench_heap *h = user;
    h->live -= p != NULL;
    h->bytes -= p != NULL ? (int64_t)malloc_usable_size(p) : 0;
    free(p);
}

l2tpvoip_mem bench_mem(struct bench_heap *heap)
{
    return (l2tpvoip_mem){.size = sizeof(l2tpvoip_mem), .user = heap, .malloc_fn = own_malloc,
                          .calloc_fn = own_calloc, .realloc_fn = own_realloc, .free_fn = own_free};
}

static void *crypto_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return count(&bench_libcrypto, NULL, malloc(len));
}

static void *crypto_realloc(void *p, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return own_realloc(&bench_libcrypto, p, len);
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    own_free(&bench_libcrypto, p);
}

void bench_count_libcrypto(void)
{
    (void)CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
}

/* --- output ----------------------------------------------------------------------------------------- */

static struct {
    bool json, any;
    unsigned passed, failed;
    char figures[1024];
} out;

void bench_init(bool json)
{
    out.json = json;
    if (json) {
        printf("{\"schema\":1,\"cases\":[");
    }
}

void bench_figure(const char *key, double value)
{
    size_t len = strlen(out.figures);
    (void)snprintf(out.figures + len, sizeof out.figures - len, ",\"%s\":%.4g", key, value);
}

void bench_case(const char *name, bool passed, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (out.json) {
        printf("%s{\"name\":\"%s\",\"passed\":%s%s,\"text\":\"%s\"}", out.any ? "," : "", name,
               passed ? "true" : "false", out.figures, text);
    } else {
        printf("%s bench/%s: %s\n", passed ? "ok  " : "FAIL", name, text);
    }
    (void)fflush(stdout);
    out.any = true;
    out.figures[0] = 0;
    *(passed ? &out.passed : &out.failed) += 1;
}

int bench_finish(void)
{
    if (out.json) {
        printf("],\"passed\":%u,\"failed\":%u}\n", out.passed, out.failed);
    } else {
        printf("%u passed, %u failed, 0 skipped\n", out.passed, out.failed);
    }
    return out.failed == 0 ? 0 : 1;
}

static const struct {
    const char *name;
    void (*run)(void);
} benches[] = {
    {"stack", bench_stack}, {"setup", bench_setup}, {"voice", bench_voice},
    {"io", bench_io},       {"bytes", bench_bytes},
};

static bool wanted(const char *name, int argc, char **argv)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            any = true;
            if (strcmp(argv[i], name) == 0) {
                return true;
            }
        }
    }
    return !any;
}

int main(int argc, char **argv)
{
    bool json = false;
    for (int i = 1; i < argc; i++) {
        json = json || strcmp(argv[i], "--json") == 0;
    }
    bench_count_libcrypto();
    bench_init(json);
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
        if (wanted(benches[i].name, argc, argv)) {
            benches[i].run();
        }
    }
    return bench_finish();
}
