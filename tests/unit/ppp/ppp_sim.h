/* SPDX-License-Identifier: MIT */
/* Two PPP links, or one and a script, over an in-memory wire in virtual time. */
#ifndef L2V_PPP_SIM_H
#define L2V_PPP_SIM_H

#include <check.h>
#include <stdio.h>

#include "../test_env.h"
#include "../unit_json.h"
#include "base_addr.h"
#include "base_wire.h"
#include "l2v_crypto.h"
#include "l2v_ppp.h"
#include "ppp_link.h"

#define SIM_WIRE 512
#define SIM_LOG 4096
#define SIM_FRAME 2048

struct sim;

struct sim_side {
    struct sim *sim;
    struct l2v_ppp *ppp;
    struct l2v_ppp_config config;
    unsigned index;
    /* what happened */
    unsigned n_up, n_down, n_inputs, n_asked, n_lookups, n_sent;
    struct l2v_ppp_result result;
    l2tpvoip_failure failure;
    uint8_t phase, phases_seen;
    uint8_t last_input[SIM_FRAME];
    size_t last_input_len;
    bool network_before_open; /* sent an IP frame before up() */
    bool ncp_before_auth;     /* sent an NCP packet outside the network phase */
    /* how it behaves */
    const char *user, *password; /* server: the one user it knows */
    int lookup;                  /* 0, or what get_password gives */
    int address;                 /* 0, or what get_address gives */
    bool answers_need;           /* answers need_credentials at once */
    bool close_in_up;
    bool no_echo_peer; /* frames to this side vanish */
    const char *need_user, *need_password;
};

struct sim_frame {
    uint64_t at_ns;
    unsigned to;
    size_t len;
    uint8_t data[SIM_FRAME];
};

struct sim {
    struct test_env te;
    struct l2v_env *env;
    struct l2v_crypto *crypto;
    struct sim_side side[2]; /* 0 client, 1 server */
    struct sim_frame wire[SIM_WIRE];
    unsigned n_wire;
    uint64_t rng;
    unsigned loss, dup; /* per cent */
    uint64_t delay_ns, jitter_ns;
    bool loop; /* what a side sends comes back to it */
    /* the script's view: all that side 0 or 1 sent */
    uint8_t sent[SIM_LOG][64];
    uint16_t sent_len[SIM_LOG];
    uint8_t sent_by[SIM_LOG];
    unsigned n_sent;
    /* may change or swallow (false) a frame on the wire */
    bool (*filter)(struct sim *sim, unsigned from, uint8_t *data, size_t *len);
    unsigned counter; /* for filters */
};

#define CLIENT 0
#define SERVER 1

struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *sim); /* checks for leaks */
void sim_default(struct sim *sim, uint32_t client_auth, uint32_t server_auth);
/* Makes and starts both, or one. */
void sim_make(struct sim *sim, unsigned index);
void sim_start(struct sim *sim);
void sim_run(struct sim *sim, uint64_t ms);
/* Runs until both had up with the wanted protocols, or ms are over. */
bool sim_run_up(struct sim *sim, uint64_t ms);
void sim_run_down(struct sim *sim, uint64_t ms);
/* Hands a frame, given in hex with blanks, to a side. The result of l2v_ppp_input. */
int sim_inject(struct sim *sim, unsigned to, const char *hex);
int sim_inject_bytes(struct sim *sim, unsigned to, const uint8_t *data, size_t len);
/* Did a side send a frame that begins with these bytes (".." = any byte)? After the from-th frame.
 * The frame's number plus 1, 0 = no. */
unsigned sim_sent(struct sim *sim, unsigned by, unsigned from, const char *hex);
/* Byte at of the frame number n (as sim_sent gives it). */
uint8_t sim_byte(struct sim *sim, unsigned n, unsigned at);
int sim_send_ip(struct sim *sim, unsigned from, const void *data, size_t len, uint16_t protocol);

TCase *test_ppp_fsm(void);
TCase *test_ppp_frame(void);
TCase *test_ppp_auth(void);
TCase *test_ppp_link(void);
TCase *test_ppp_script(void);
TCase *test_ppp_robust(void);

#endif
