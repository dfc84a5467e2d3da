/* SPDX-License-Identifier: MIT */
/* Memory of an idle tunnel at either end, and outer bytes of a voice packet. */
#include <stdio.h>

#include "bench.h"

#define TUNNELS 100

static void memory_per_tunnel(void)
{
    static struct bench_pair p;
    l2tpvoip_tunnel *t[TUNNELS];
    bool passed = bench_pair_init(&p, "aes128-sha256-ecp256", "aes128gcm16", 0) == 0;
    int64_t client = p.client.heap.bytes, server = p.server.heap.bytes, crypto = bench_libcrypto.bytes;
    for (int i = 0; passed && i < TUNNELS; i++) {
        passed = bench_pair_connect(&p, &t[i]) == 0;
    }
    client = (p.client.heap.bytes - client) / TUNNELS;
    server = (p.server.heap.bytes - server) / TUNNELS;
    crypto = (bench_libcrypto.bytes - crypto) / TUNNELS / 2;
    bench_figure("client_bytes", (double)client);
    bench_figure("server_bytes", (double)server);
    bench_figure("libcrypto_bytes", (double)crypto);
    bench_case("bytes-per-tunnel", passed,
               "client %lld, server %lld, libcrypto %lld more at each end (target 8192: %s)",
               (long long)client, (long long)server, (long long)crypto,
               server + crypto <= 8192 ? "met" : "missed");
    bench_pair_clear(&p);
}

static void wire_bytes(const char *esp)
{
    static const struct {
        const char *name;
        unsigned payload;
    } codecs[] = {{"G.711", 172}, {"G.729", 32}, {"Opus-24k", 72}};
    static struct bench_pair p;
    char name[64];
    (void)snprintf(name, sizeof name, "wire-%s", esp);
    bool passed = bench_pair_init(&p, "aes128-sha256-ecp256", esp, 0) == 0;
    double outer[3] = {0};
    for (size_t i = 0; passed && i < 3; i++) {
        static const uint8_t rtp[256] = {0x80};
        uint64_t before = p.client.bytes;
        passed = l2tpvoip_socket_sendto(p.out, rtp, codecs[i].payload, &p.to) == 0;
        bench_pair_pump(&p);
        outer[i] = (double)(p.client.bytes - before + 28); /* outer IPv4 and UDP header */
        bench_figure(codecs[i].name, outer[i]);
    }
    bench_case(name, passed, "outer bytes of a 20 ms packet: G.711 %.0f (plain 200), G.729 %.0f (60), Opus 24k %.0f (100)",
               outer[0], outer[1], outer[2]);
    bench_pair_clear(&p);
}

void bench_bytes(void)
{
    memory_per_tunnel();
    wire_bytes("aes128gcm16");
    wire_bytes("aes128-sha1");
    wire_bytes("aes256-sha256");
}
