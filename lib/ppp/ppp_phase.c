/* SPDX-License-Identifier: MIT */
/* The phases of a link, RFC 1661 §3.1, as a table. */
#include "ppp_link.h"

static const char *const states[] = {"Dead", "Establish", "Authenticate", "Network", "Terminate"};
static const char *const events[] = {"UP", "OPENED", "SUCCESS", "REOPEN", "CLOSING", "FINISHED"};

#define ROW(state, event, next, action)                                                            \
    {                                                                                              \
        L2V_PPP_##state, L2V_PPP_PHASE_##event, L2V_PPP_##next, action                             \
    }

static const struct l2v_fsm_row rows[] = {
    ROW(DEAD, UP, ESTABLISH, NULL),
    ROW(DEAD, FINISHED, DEAD, NULL),
    ROW(ESTABLISH, OPENED, AUTHENTICATE, NULL),
    ROW(ESTABLISH, CLOSING, TERMINATE, NULL),
    ROW(ESTABLISH, FINISHED, DEAD, NULL),
    ROW(AUTHENTICATE, SUCCESS, NETWORK, NULL),
    ROW(AUTHENTICATE, REOPEN, ESTABLISH, NULL),
    ROW(AUTHENTICATE, CLOSING, TERMINATE, NULL),
    ROW(AUTHENTICATE, FINISHED, DEAD, NULL),
    ROW(NETWORK, REOPEN, ESTABLISH, NULL),
    ROW(NETWORK, CLOSING, TERMINATE, NULL),
    ROW(NETWORK, FINISHED, DEAD, NULL),
    ROW(TERMINATE, REOPEN, ESTABLISH, NULL),
    ROW(TERMINATE, FINISHED, DEAD, NULL),
};

const struct l2v_fsm l2v_ppp_phase_fsm = {"ppp_phase", states, events, rows,
                                          sizeof(rows) / sizeof(rows[0])};

void l2v_ppp_phase_step(struct l2v_ppp *ppp, enum l2v_ppp_phase_event event)
{
    uint8_t before = ppp->phase;
    if (l2v_fsm_step(&l2v_ppp_phase_fsm, &ppp->phase, event, ppp, NULL) != 0) {
        return;
    }
    if (ppp->phase != before && ppp->ops.phase != NULL) {
        ppp->ops.phase(ppp->user, (enum l2v_ppp_phase)ppp->phase);
    }
    if (event == L2V_PPP_PHASE_SUCCESS && ppp->phase == L2V_PPP_NETWORK) {
        l2v_ppp_network_start(ppp); /* after the owner heard of the phase */
    }
}
