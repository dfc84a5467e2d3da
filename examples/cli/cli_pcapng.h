/* SPDX-License-Identifier: MIT */
/* Capture of each layer as one pcapng file with an interface a layer. */
#ifndef CLI_PCAPNG_H
#define CLI_PCAPNG_H

#include <stdbool.h>

#include <l2tpvoip/io.h>

struct cli_pcapng;

struct cli_pcapng *cli_pcapng_new(const char *path, uint32_t layers); /* NULL with errno */
void cli_pcapng_packet(struct cli_pcapng *p, uint32_t layer, bool inbound, uint64_t time_ns,
                       const l2tpvoip_addr *local, const l2tpvoip_addr *remote, const uint8_t *data,
                       size_t len);
void cli_pcapng_free(struct cli_pcapng *p);

#endif
