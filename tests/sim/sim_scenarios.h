/* SPDX-License-Identifier: MIT */
/* The scenarios. */
#ifndef SIM_SCENARIOS_H
#define SIM_SCENARIOS_H

#include "sim_kit.h"

struct scenario {
    const char *name;
    bool (*run)(struct kit *kit);
    bool heavy; /* gets a tenth of the seeds */
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios;

/* sim_connect.c */
bool sim_connect_clean(struct kit *kit);
bool sim_connect_lossy(struct kit *kit);
bool sim_connect_plain(struct kit *kit);
bool sim_connect_plain_lossy(struct kit *kit);
bool sim_connect_ipv6(struct kit *kit);
bool sim_connect_auth(struct kit *kit);
bool sim_connect_name(struct kit *kit);
bool sim_connect_jobs(struct kit *kit);
bool sim_connect_threads(struct kit *kit);
bool sim_connect_pull(struct kit *kit);
bool sim_connect_blocked(struct kit *kit);
bool sim_connect_two(struct kit *kit);
/* sim_refusal.c */
bool sim_refuse_psk(struct kit *kit);
bool sim_refuse_password(struct kit *kit);
bool sim_refuse_silent(struct kit *kit);
bool sim_refuse_proposal(struct kit *kit);
bool sim_refuse_full(struct kit *kit);
bool sim_refuse_name(struct kit *kit);
bool sim_refuse_secret(struct kit *kit);
bool sim_refuse_port(struct kit *kit);
/* sim_life.c */
bool sim_life_rekey(struct kit *kit);
bool sim_life_simultaneous(struct kit *kit);
bool sim_life_rebinding(struct kit *kit);
bool sim_life_address(struct kit *kit);
bool sim_life_restart(struct kit *kit);
bool sim_life_day(struct kit *kit);
bool sim_life_clock(struct kit *kit);
bool sim_life_blackhole(struct kit *kit);
bool sim_life_dead_call(struct kit *kit);
bool sim_life_server_close(struct kit *kit);
bool sim_life_again(struct kit *kit);
/* sim_api.c */
bool sim_api_level2(struct kit *kit);
bool sim_api_callbacks(struct kit *kit);
bool sim_api_clear(struct kit *kit);
bool sim_api_mtu(struct kit *kit);
bool sim_api_reentrant(struct kit *kit);
/* sim_server.c */
bool sim_server_fixed(struct kit *kit);
bool sim_server_gateway(struct kit *kit);
bool sim_server_events(struct kit *kit);
/* sim_args.c */
bool sim_args_all(struct kit *kit);
bool sim_args_nested(struct kit *kit);

#endif
