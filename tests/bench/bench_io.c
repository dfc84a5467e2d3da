/* SPDX-License-Identifier: MIT */
/* The sockets of the backends over loopback, held against sendto and recvfrom for each datagram. */
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "io_socket.h"

#define ROUNDS 201u
#define LEN 250u

struct ends {
    struct l2v_io_socket a, b;
    l2tpvoip_addr from, to;
    struct l2v_io_rx rx;
};

static bool open_ends(struct ends *e)
{
    l2tpvoip_path_request request = {.kind = L2TPVOIP_PATH_UDP};
    request.local.family = 4;
    memcpy(request.local.ip, (uint8_t[]){127, 0, 0, 1}, 4);
    return l2v_io_rx_init(&e->rx) == 0 && l2v_io_socket_open(&e->a, &request, &e->from) == 0 &&
           l2v_io_socket_open(&e->b, &request, &e->to) == 0;
}

static double batch_round(struct ends *e, size_t *ret_lost)
{
    static uint8_t data[BENCH_BATCH][LEN];
    l2tpvoip_datagram v[BENCH_BATCH], in[L2V_IO_BATCH];
    size_t sent = 0, n = 0, seen = 0;
    memset(v, 0, sizeof v);
    uint64_t began = bench_now();
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        v[i].data = data[i];
        v[i].len = LEN;
        v[i].remote = e->to;
        v[i].tos = 0xb8;
    }
    (void)l2v_io_socket_send(&e->a, v, BENCH_BATCH, &sent);
    while (seen < BENCH_BATCH && l2v_io_socket_recv(&e->b, &e->rx, began, in, &n) == 0) {
        for (size_t i = 0; i < n; i++) {
            seen += (in[i].len + LEN - 1) / LEN;
        }
    }
    *ret_lost += BENCH_BATCH - seen;
    return (double)(bench_now() - began) / BENCH_BATCH;
}

static double plain_round(struct ends *e)
{
    static uint8_t data[2048];
    struct sockaddr_storage to;
    socklen_t len = l2v_io_addr_to_sockaddr(&e->to, &to);
    uint64_t began = bench_now();
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        (void)sendto(e->a.fd, data, LEN, 0, (struct sockaddr *)&to, len);
    }
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        (void)recvfrom(e->b.fd, data, sizeof data, MSG_DONTWAIT, NULL, NULL);
    }
    return (double)(bench_now() - began) / BENCH_BATCH;
}

void bench_io(void)
{
    static struct ends e;
    static double batch[ROUNDS], plain[ROUNDS], ratio[ROUNDS];
    size_t lost = 0;
    bool passed = open_ends(&e);
    for (unsigned i = 0; passed && i < ROUNDS; i++) {
        plain[i] = plain_round(&e);
        batch[i] = batch_round(&e, &lost);
        ratio[i] = batch[i] / plain[i];
    }
    double r = bench_median(ratio, ROUNDS), ns = bench_median(batch, ROUNDS);
    bench_figure("ns", ns);
    bench_figure("ratio", r);
    bench_case("io-batch", passed && lost == 0,
               "%.0f ns for a datagram out and in, %.2f x sendto and recvfrom (GSO %s, GRO %s); %zu lost",
               ns, r, e.a.gso ? "on" : "off", e.b.gro ? "on" : "off", lost);
    l2v_io_socket_close(&e.a);
    l2v_io_socket_close(&e.b);
    l2v_io_rx_clear(&e.rx);
}
