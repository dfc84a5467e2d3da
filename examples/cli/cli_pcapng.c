/* SPDX-License-Identifier: MIT */
/* pcapng (draft-ietf-opsawg-pcapng): section header, an interface a layer, packets. What the tap
 * gives as UDP payload gets an IP and a UDP header again, so that Wireshark finds its way. */
#include "cli_pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINKTYPE_PPP 9u
#define LINKTYPE_RAW 101u
#define MAX_PACKET 65536u
#define MAX_HEADER 48u

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET 6u

struct layer {
    const char *name;
    uint32_t link;
    uint16_t port; /* of the UDP header that is made; 0: the real ports; unused without UDP */
    bool udp;
};

static const struct layer layers[] = {
    [L2TPVOIP_TAP_OUTER] = {"outer", LINKTYPE_RAW, 0, true},
    [L2TPVOIP_TAP_IKE] = {"ike, in clear", LINKTYPE_RAW, 500, true},
    [L2TPVOIP_TAP_L2TP] = {"l2tp", LINKTYPE_RAW, 1701, true},
    [L2TPVOIP_TAP_PPP] = {"ppp", LINKTYPE_PPP, 0, false},
    [L2TPVOIP_TAP_INNER] = {"inner", LINKTYPE_RAW, 0, false},
};

struct cli_pcapng {
    FILE *f;
    int64_t offset_ns; /* wall clock minus monotonic */
    uint32_t interface_of[8];
    uint8_t packet[MAX_HEADER + MAX_PACKET];
};

static void put32(FILE *f, uint32_t v)
{
    (void)fwrite(&v, 1, 4, f); /* native order; the section header says which */
}

static void put16(FILE *f, uint16_t v)
{
    (void)fwrite(&v, 1, 2, f);
}

static void put_padded(FILE *f, const void *data, size_t len)
{
    static const uint8_t zero[4];
    (void)fwrite(data, 1, len, f);
    (void)fwrite(zero, 1, (4 - len % 4) % 4, f);
}

static uint32_t padded(size_t len)
{
    return (uint32_t)((len + 3) & ~(size_t)3);
}

static void put_option(FILE *f, uint16_t code, const void *data, size_t len)
{
    put16(f, code);
    put16(f, (uint16_t)len);
    put_padded(f, data, len);
}

static void write_section(FILE *f)
{
    static const char application[] = "l2tpvoip";
    uint32_t len = 28 + 4 + padded(sizeof application - 1) + 4;
    put32(f, BLOCK_SECTION);
    put32(f, len);
    put32(f, 0x1a2b3c4du);
    put16(f, 1);
    put16(f, 0);
    put32(f, 0xffffffffu); /* length of the section: unknown */
    put32(f, 0xffffffffu);
    put_option(f, 4, application, sizeof application - 1); /* shb_userappl */
    put_option(f, 0, "", 0);
    put32(f, len);
}

static void write_interface(FILE *f, const struct layer *layer)
{
    static const uint8_t nanoseconds = 9;
    size_t name = strlen(layer->name);
    uint32_t len = 20 + 4 + padded(name) + 8 + 4;
    put32(f, BLOCK_INTERFACE);
    put32(f, len);
    put16(f, (uint16_t)layer->link);
    put16(f, 0);
    put32(f, 0);
    put_option(f, 2, layer->name, name); /* if_name */
    put_option(f, 9, &nanoseconds, 1);   /* if_tsresol */
    put_option(f, 0, "", 0);
    put32(f, len);
}

struct cli_pcapng *cli_pcapng_new(const char *path, uint32_t wanted)
{
    struct timespec wall, mono;
    struct cli_pcapng *p = calloc(1, sizeof *p);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (p == NULL || fd < 0) {
        free(p);
        return NULL;
    }
    (void)fchmod(fd, 0600);
    p->f = fdopen(fd, "w");
    if (p->f == NULL) {
        (void)close(fd);
        free(p);
        return NULL;
    }
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_MONOTONIC, &mono);
    p->offset_ns = ((int64_t)wall.tv_sec - mono.tv_sec) * 1000000000 + wall.tv_nsec - mono.tv_nsec;
    write_section(p->f);
    uint32_t n = 0;
    for (uint32_t i = L2TPVOIP_TAP_OUTER; i <= L2TPVOIP_TAP_INNER; i++) {
        if ((wanted >> i & 1u) != 0) {
            write_interface(p->f, &layers[i]);
            p->interface_of[i] = n++;
        }
    }
    return p;
}

static void be16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t sum_bytes(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    }
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffffu) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* IP and UDP header in front of len bytes that already stand behind them; returns their size. */
static size_t make_headers(uint8_t *p, const l2tpvoip_addr *src, const l2tpvoip_addr *dst,
                           uint16_t port, size_t len)
{
    bool v6 = dst->family == 6;
    size_t ip = v6 ? 40 : 20, n = v6 ? 16 : 4;
    size_t addrs = v6 ? 8 : 12;
    memset(p, 0, ip + 8);
    memcpy(p + addrs, src->ip, n);
    memcpy(p + addrs + n, dst->ip, n);
    if (v6) {
        p[0] = 0x60;
        be16(p + 4, (unsigned)(8 + len));
        p[6] = 17;
        p[7] = 64;
    } else {
        p[0] = 0x45;
        be16(p + 2, (unsigned)(28 + len));
        p[8] = 64;
        p[9] = 17;
        be16(p + 10, fold(sum_bytes(p, 20, 0)));
    }
    be16(p + ip, port != 0 ? port : src->port);
    be16(p + ip + 2, port != 0 ? port : dst->port);
    be16(p + ip + 4, (unsigned)(8 + len));
    if (v6) { /* IPv4 may go without */
        uint32_t sum = sum_bytes(p + addrs, 2 * n, (uint32_t)(17 + 8 + len));
        be16(p + ip + 6, fold(sum_bytes(p + ip, 8 + len, sum)));
    }
    return ip + 8;
}

void cli_pcapng_packet(struct cli_pcapng *p, uint32_t layer, bool inbound, uint64_t time_ns,
                       const l2tpvoip_addr *local, const l2tpvoip_addr *remote, const uint8_t *data,
                       size_t len)
{
    if (layer < L2TPVOIP_TAP_OUTER || layer > L2TPVOIP_TAP_INNER || len > MAX_PACKET - MAX_HEADER) {
        return;
    }
    const struct layer *l = &layers[layer];
    size_t header = 0;
    if (l->udp) {
        header = remote->family == 6 ? 48 : 28;
        memcpy(p->packet + header, data, len);
        if (layer == L2TPVOIP_TAP_IKE && len >= 20) {
            p->packet[header + 19] &= 0xfeu; /* it is in clear: the E flag does not hold */
        }
        (void)make_headers(p->packet, inbound ? remote : local, inbound ? local : remote, l->port,
                           len);
    } else {
        memcpy(p->packet, data, len);
    }
    uint64_t time = (uint64_t)((int64_t)time_ns + p->offset_ns);
    uint32_t size = (uint32_t)(header + len);
    uint32_t block = 32 + padded(size) + 8 + 4;
    uint32_t flags = inbound ? 1 : 2;
    put32(p->f, BLOCK_PACKET);
    put32(p->f, block);
    put32(p->f, p->interface_of[layer]);
    put32(p->f, (uint32_t)(time >> 32));
    put32(p->f, (uint32_t)time);
    put32(p->f, size);
    put32(p->f, size);
    put_padded(p->f, p->packet, size);
    put_option(p->f, 2, &flags, 4); /* epb_flags: direction */
    put_option(p->f, 0, "", 0);
    put32(p->f, block);
}

void cli_pcapng_free(struct cli_pcapng *p)
{
    if (p != NULL) {
        (void)fclose(p->f);
        free(p);
    }
}
