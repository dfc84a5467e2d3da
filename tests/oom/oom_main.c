/* SPDX-License-Identifier: MIT */
/* Every n-th allocation fails, through a whole connection: no crash, no leak, a clean error or a
 * connection. oom [--quick] [--from N] [--to N] */
#include "sim_kit.h"

#include <stdlib.h>
#include <string.h>

struct heap {
    uint64_t count;   /* allocations so far */
    uint64_t fail_at; /* 0 = none */
    uint64_t fail_n;  /* how many from there on */
    int64_t live;
};

static bool refuse(struct heap *h)
{
    h->count++;
    return h->fail_at != 0 && h->count >= h->fail_at && h->count - h->fail_at < h->fail_n;
}

static void *heap_malloc(void *user, size_t len)
{
    struct heap *h = user;
    void *p = refuse(h) ? NULL : malloc(len);
    h->live += p != NULL ? 1 : 0;
    return p;
}

static void *heap_calloc(void *user, size_t n, size_t len)
{
    struct heap *h = user;
    void *p = refuse(h) ? NULL : calloc(n, len);
    h->live += p != NULL ? 1 : 0;
    return p;
}

static void *heap_realloc(void *user, void *old, size_t len)
{
    struct heap *h = user;
    void *p = refuse(h) ? NULL : realloc(old, len);
    h->live += p != NULL && old == NULL ? 1 : 0;
    return p;
}

static void heap_free(void *user, void *p)
{
    struct heap *h = user;
    h->live -= p != NULL ? 1 : 0;
    free(p);
}

static bool is_clean(int code)
{
    return code < 0 && code != L2TPVOIP_ERR_INTERNAL && code != L2TPVOIP_ERR_REENTRANT;
}

/* Everything once: up, ping, call, rekey of both phases, level-2 socket, orderly end. */
static bool use(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    l2tpvoip_socket *socket = NULL;
    l2tpvoip_socket_options so;
    l2tpvoip_addr to = sim_addr("10.9.0.1:4000");
    uint8_t data[3000];
    size_t len = 0;
    (void)kit_ping(c, SIM_S);
    memset(data, 1, sizeof data);
    l2tpvoip_socket_options_init(&so, sizeof so);
    int rc = l2tpvoip_socket_new(l2tpvoip_tunnel_get_session(c->tunnel), &so, &socket);
    CHECK(kit, rc == 0 || is_clean(rc), "socket: %d", rc);
    if (rc == 0) {
        (void)l2tpvoip_socket_sendto(socket, data, sizeof data, &to); /* in fragments */
    }
    (void)l2tpvoip_tunnel_rekey(c->tunnel, L2TPVOIP_REKEY_CHILD);
    (void)sim_run(&kit->sim, 2 * SIM_S, NULL, NULL);
    if (socket != NULL && !c->down) {
        (void)l2tpvoip_socket_recvfrom(socket, data, sizeof data, &len, NULL);
    }
    (void)l2tpvoip_tunnel_rekey(c->tunnel, L2TPVOIP_REKEY_IKE);
    (void)sim_run(&kit->sim, 5 * SIM_S, NULL, NULL);
    if (!c->down) {
        (void)l2tpvoip_tunnel_close(c->tunnel);
        CHECK(kit, kit_wait_down(c, 10 * SIM_S), "no end");
    }
    return true;
}

static bool run(struct kit *kit)
{
    struct kit_client *c = &kit->cli[0];
    if (kit_bring_up(kit, 130 * SIM_S)) {
        if (!use(kit)) {
            return false;
        }
    } else {
        CHECK(kit, c->down, "neither up nor down");
        CHECK(kit, is_clean(c->failure.code), "no clean error: %s", kit_failure(c));
    }
    if (c->tunnel != NULL) {
        kit_free_tunnel(c);
        (void)sim_run(&kit->sim, 10 * SIM_S, NULL, NULL);
    }
    return true;
}

static bool run_once(struct heap *h, uint64_t fail_at, uint64_t fail_n, bool ipsec, char *why,
                     size_t size)
{
    static struct kit kit;
    l2tpvoip_mem mem = {.size = sizeof mem,
                        .user = h,
                        .malloc_fn = heap_malloc,
                        .calloc_fn = heap_calloc,
                        .realloc_fn = heap_realloc,
                        .free_fn = heap_free};
    memset(h, 0, sizeof *h);
    h->fail_at = fail_at;
    h->fail_n = fail_n;
    kit_init(&kit, 7);
    kit.mem = &mem;
    if (!ipsec) {
        kit_no_ipsec(&kit);
    }
    bool ok = run(&kit);
    if (ok && kit.violation[0] != 0) {
        ok = false;
        (void)snprintf(kit.why, sizeof kit.why, "in clear: %s", kit.violation);
    }
    (void)snprintf(why, size, "%s", kit.why);
    kit_clear(&kit);
    if (ok && h->live != 0) {
        (void)snprintf(why, size, "%lld blocks leaked", (long long)h->live);
        ok = false;
    }
    return ok;
}

static unsigned passed, failed;

static void run_all(uint64_t from, uint64_t to, uint64_t step, uint64_t fail_n, bool ipsec)
{
    struct heap h;
    char why[512];
    const char *name = ipsec ? "ipsec" : "plain";
    unsigned before = failed, n = 0;
    if (!run_once(&h, 0, 0, ipsec, why, sizeof why)) {
        printf("FAIL %s without failures: %s\n", name, why);
        failed++;
        return;
    }
    uint64_t total = h.count < to ? h.count : to;
    for (uint64_t at = from; at <= total; at += step, n++) {
        if (run_once(&h, at, fail_n, ipsec, why, sizeof why)) {
            passed++;
        } else {
            failed++;
            printf("FAIL %s allocation %llu (%llu of them): %s\n", name, (unsigned long long)at,
                   (unsigned long long)fail_n, why);
        }
    }
    printf("%-4s %s, %llu allocations, %llu fail at a time: %u cases\n",
           before == failed ? "ok" : "FAIL", name, (unsigned long long)h.count,
           (unsigned long long)fail_n, n);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uint64_t from = 1, to = UINT64_MAX, step = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            step = 7;
        } else if (strcmp(argv[i], "--from") == 0 && i + 1 < argc) {
            from = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--to") == 0 && i + 1 < argc) {
            to = strtoull(argv[++i], NULL, 0);
        } else {
            fprintf(stderr, "usage: oom [--quick] [--from N] [--to N]\n");
            return 2;
        }
    }
    run_all(from, to, step, 1, true);
    run_all(from, to, step, 1, false);
    run_all(from, to, step * 3, 20, true);
    run_all(from, to, step * 5, UINT64_MAX, true);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
