/* SPDX-License-Identifier: MIT */
/* One RTP packet (200 bytes with its IP and UDP header) through every layer, out and in, held
 * against the bare packet protection of the same bytes in interleaved rounds. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define ROUNDS 301u
#define PAYLOAD 172u /* G.711, 20 ms: 12 + 160 */
#define TARGET 1.6

struct samples {
    double seal[ROUNDS], open[ROUNDS], bare_seal[ROUNDS], bare_open[ROUNDS];
    double seal_ratio[ROUNDS], open_ratio[ROUNDS];
};

struct batch {
    uint8_t data[BENCH_BATCH][2048];
    l2tpvoip_datagram v[BENCH_BATCH];
    size_t n;
};

static double send_batch(struct bench_pair *p, struct batch *b)
{
    static const uint8_t rtp[PAYLOAD] = {0x80, 8};
    uint64_t began = bench_now();
    for (unsigned i = 0; i < BENCH_BATCH; i++) {
        (void)l2tpvoip_socket_sendto(p->out, rtp, sizeof rtp, &p->to);
    }
    (void)l2tpvoip_context_output(p->client.ctx, b->v, BENCH_BATCH, &b->n, p->now);
    return (double)(bench_now() - began) / BENCH_BATCH;
}

static double receive_batch(struct bench_pair *p, struct batch *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        memcpy(b->data[i], b->v[i].data, b->v[i].len);
        b->v[i].data = b->data[i];
        if (bench_end_turn(&p->server, &p->client, &b->v[i])) {
            b->v[n++] = b->v[i];
        }
    }
    uint64_t began = bench_now();
    (void)l2tpvoip_context_input(p->server.ctx, b->v, n, p->now);
    return (double)(bench_now() - began) / BENCH_BATCH;
}

static double bare_batch(struct bench_bare *bare, size_t len)
{
    static uint8_t data[BENCH_BATCH][2048]; /* as many buffers as the stack has packets */
    uint64_t began = bench_now();
    for (unsigned i = 0; i < BENCH_BATCH; i++) {
        bench_bare_run(bare, data[i], len);
    }
    return (double)(bench_now() - began) / BENCH_BATCH;
}

static void run_suite(enum bench_suite suite, const char *esp, size_t around)
{
    static struct samples s;
    static struct batch b;
    static struct bench_pair p;
    char name[64];
    (void)snprintf(name, sizeof name, "stack-%s", esp);
    if (bench_pair_init(&p, "aes128-sha256-ecp256", esp, 0) != 0) {
        bench_case(name, false, "the pair does not come up");
        bench_pair_clear(&p);
        return;
    }
    size_t len = PAYLOAD;
    for (unsigned i = 0; i < 8; i++) { /* the pools grow to their size */
        (void)send_batch(&p, &b);
        len = b.n > 0 ? b.v[0].len - around : len;
        (void)receive_batch(&p, &b);
    }
    struct bench_bare *seal = bench_bare_new(suite, true), *open = bench_bare_new(suite, false);
    uint64_t received = p.received, own = 0, own_before = 0, foreign = 0, foreign_before = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        s.bare_seal[i] = bare_batch(seal, len);
        s.bare_open[i] = bare_batch(open, len);
        own_before = p.client.heap.calls + p.server.heap.calls;
        foreign_before = bench_libcrypto.calls;
        p.now += 20000000 / 1000;
        s.seal[i] = send_batch(&p, &b);
        s.open[i] = receive_batch(&p, &b);
        own += p.client.heap.calls + p.server.heap.calls - own_before;
        foreign += bench_libcrypto.calls - foreign_before;
        s.seal_ratio[i] = s.seal[i] / s.bare_seal[i];
        s.open_ratio[i] = s.open[i] / s.bare_open[i];
    }
    received = p.received - received;
    double seal_ratio = bench_median(s.seal_ratio, ROUNDS), open_ratio = bench_median(s.open_ratio, ROUNDS);
    double seal_ns = bench_median(s.seal, ROUNDS), open_ns = bench_median(s.open, ROUNDS);
    bool gcm = suite == BENCH_AES128_GCM || suite == BENCH_AES256_GCM;
    bool passed = received == (uint64_t)ROUNDS * BENCH_BATCH && own == 0 && (!gcm || foreign == 0);
    bench_figure("seal_ns", seal_ns);
    bench_figure("open_ns", open_ns);
    bench_figure("seal_ratio", seal_ratio);
    bench_figure("open_ratio", open_ratio);
    bench_case(name, passed,
               "out %.0f ns = %.2f x bare, in %.0f ns = %.2f x bare (%zu bytes; target %.2f: %s); "
               "allocations per packet: ours %.2f, libcrypto %.2f; %llu of %u received",
               seal_ns, seal_ratio, open_ns, open_ratio, len, TARGET,
               seal_ratio <= TARGET && open_ratio <= TARGET ? "met" : "missed",
               (double)own / ROUNDS / BENCH_BATCH, (double)foreign / ROUNDS / BENCH_BATCH,
               (unsigned long long)received, ROUNDS * BENCH_BATCH);
    bench_bare_free(seal);
    bench_bare_free(open);
    bench_pair_clear(&p);
}

void bench_stack(void)
{
    /* around: SPI, sequence number, IV and ICV, which the bare operation does not cover */
    run_suite(BENCH_AES128_GCM, "aes128gcm16", 8 + 8 + 16);
    run_suite(BENCH_AES256_GCM, "aes256gcm16", 8 + 8 + 16);
    run_suite(BENCH_AES128_SHA1, "aes128-sha1", 8 + 16 + 12);
    run_suite(BENCH_AES256_SHA256, "aes256-sha256", 8 + 16 + 16);
}
