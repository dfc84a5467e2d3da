/* SPDX-License-Identifier: MIT */
/* What a program outside the tree sees: installed headers and pkg-config alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <l2tpvoip.h>

struct heap {
    unsigned long live, total;
};

static void *heap_malloc(void *user, size_t len)
{
    struct heap *h = (struct heap *)user;
    void *p = malloc(len);
    h->live += p != NULL;
    h->total++;
    return p;
}

static void *heap_calloc(void *user, size_t n, size_t len)
{
    struct heap *h = (struct heap *)user;
    void *p = calloc(n, len);
    h->live += p != NULL;
    h->total++;
    return p;
}

static void *heap_realloc(void *user, void *p, size_t len)
{
    struct heap *h = (struct heap *)user;
    void *q = realloc(p, len);
    h->live += p == NULL && q != NULL;
    h->total++;
    return q;
}

static void heap_free(void *user, void *p)
{
    struct heap *h = (struct heap *)user;
    h->live -= p != NULL;
    free(p);
}

static l2tpvoip_context *make(struct heap *h, uint64_t now)
{
    l2tpvoip_context_options co;
    l2tpvoip_context *ctx = NULL;
    l2tpvoip_mem mem;
    memset(&mem, 0, sizeof mem);
    mem.size = sizeof mem;
    mem.user = h;
    mem.malloc_fn = heap_malloc;
    mem.calloc_fn = heap_calloc;
    mem.realloc_fn = heap_realloc;
    mem.free_fn = heap_free;
    l2tpvoip_context_options_init(&co, sizeof co);
    co.mem = &mem;
    return l2tpvoip_context_new(&co, now, &ctx) == 0 ? ctx : NULL;
}

/* Two contexts with allocators and clocks of their own share nothing. */
int main(void)
{
    struct heap a = {0, 0}, b = {0, 0};
    if (strcmp(l2tpvoip_version(), L2TPVOIP_VERSION) != 0) {
        return 1;
    }
    l2tpvoip_context *ca = make(&a, 1);
    unsigned long a_total = a.total;
    l2tpvoip_context *cb = make(&b, UINT64_C(1) << 62);
    if (ca == NULL || cb == NULL || a.total != a_total || b.total == 0) {
        return 2;
    }
    (void)l2tpvoip_context_handle_expiry(cb, (UINT64_C(1) << 62) + 1);
    l2tpvoip_context_free(ca);
    l2tpvoip_context_free(cb);
    if (a.live != 0 || b.live != 0) {
        fprintf(stderr, "leaked %lu and %lu\n", a.live, b.live);
        return 3;
    }
    return 0;
}
