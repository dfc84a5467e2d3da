/* SPDX-License-Identifier: MIT */
/* Table-driven state machines. */
#include "base_fsm.h"

#include <l2tpvoip/error.h>

int l2v_fsm_step(const struct l2v_fsm *fsm, uint8_t *state, unsigned event, void *obj, void *arg)
{
    for (size_t i = 0; i < fsm->n_rows; i++) {
        const struct l2v_fsm_row *row = &fsm->rows[i];
        if (row->state != *state || row->event != event) {
            continue;
        }
        if (row->next != L2V_FSM_SAME) {
            *state = row->next;
        }
        if (row->action != NULL) {
            row->action(obj, arg); /* may free obj, and the state with it */
        }
        return L2TPVOIP_OK;
    }
    return L2TPVOIP_ERR_STATE;
}
