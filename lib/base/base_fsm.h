/* SPDX-License-Identifier: MIT */
/* Table-driven state machines: one table a machine, states and events named as in its RFC, so that
 * a tool can draw it (tests/tools/fsm_draw.py). */
#ifndef L2V_BASE_FSM_H
#define L2V_BASE_FSM_H

#include <stddef.h>
#include <stdint.h>

#define L2V_FSM_SAME 0xffu /* next: stay */

/* An action may itself step the machine only as its last deed. */
typedef void (*l2v_fsm_action)(void *obj, void *arg);

struct l2v_fsm_row {
    uint8_t state;
    uint8_t event;
    uint8_t next; /* a state or L2V_FSM_SAME */
    l2v_fsm_action action; /* NULL = none; runs after the state has changed */
};

struct l2v_fsm {
    const char *name;
    const char *const *states;
    const char *const *events;
    const struct l2v_fsm_row *rows;
    size_t n_rows;
};

/* Takes the event: sets *state, then runs the action. 0, or L2TPVOIP_ERR_STATE when the table has
 * no row for it (nothing happens then). */
int l2v_fsm_step(const struct l2v_fsm *fsm, uint8_t *state, unsigned event, void *obj, void *arg);

#endif
