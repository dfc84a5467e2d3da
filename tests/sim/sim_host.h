/* SPDX-License-Identifier: MIT */
/* Between sim_net.c and sim_host.c. */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "sim_net.h"

/* When the host has something to do, on the clock of the simulation. */
uint64_t sim_host_next(const struct sim_host *host);
void sim_host_work(struct sim_host *host);
void sim_send(struct sim_host *host, struct sim_path *path, const l2tpvoip_addr *dst,
              const uint8_t *data, size_t len);

#endif
