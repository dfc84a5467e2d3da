/* SPDX-License-Identifier: MIT */
/* The option-negotiation automaton, RFC 1661 §4, for LCP and every NCP. */
#ifndef L2V_PPP_FSM_H
#define L2V_PPP_FSM_H

#include "base_fsm.h"

enum l2v_ppp_state { /* rfc1661#4.2 */
                     L2V_PPP_INITIAL,
                     L2V_PPP_STARTING,
                     L2V_PPP_CLOSED,
                     L2V_PPP_STOPPED,
                     L2V_PPP_CLOSING,
                     L2V_PPP_STOPPING,
                     L2V_PPP_REQ_SENT,
                     L2V_PPP_ACK_RCVD,
                     L2V_PPP_ACK_SENT,
                     L2V_PPP_OPENED,
                     L2V_PPP_N_STATES
};

enum l2v_ppp_event { /* rfc1661#4.3 */
                     L2V_PPP_UP,
                     L2V_PPP_DOWN,
                     L2V_PPP_OPEN,
                     L2V_PPP_CLOSE,
                     L2V_PPP_TO_PLUS,  /* timeout, restart counter > 0 */
                     L2V_PPP_TO_MINUS, /* timeout, restart counter expired */
                     L2V_PPP_RCR_PLUS, /* Configure-Request, good */
                     L2V_PPP_RCR_MINUS,
                     L2V_PPP_RCA,
                     L2V_PPP_RCN, /* Configure-Nak or -Reject */
                     L2V_PPP_RTR,
                     L2V_PPP_RTA,
                     L2V_PPP_RUC,       /* unknown code */
                     L2V_PPP_RXJ_PLUS,  /* Code- or Protocol-Reject, permitted */
                     L2V_PPP_RXJ_MINUS, /* …, catastrophic */
                     L2V_PPP_RXR,       /* Echo-Request, Echo-Reply, Discard-Request */
                     L2V_PPP_N_EVENTS
};

/* rfc1661#4.4; called with the object given to l2v_ppp_fsm_step. */
struct l2v_ppp_actions {
    void (*tlu)(void *obj); /* This-Layer-Up */
    void (*tld)(void *obj);
    void (*tls)(void *obj);
    void (*tlf)(void *obj);
    void (*irc)(void *obj); /* Initialize-Restart-Count */
    void (*zrc)(void *obj);
    void (*scr)(void *obj); /* Send-Configure-Request */
    void (*sca)(void *obj);
    void (*scn)(void *obj); /* Nak or Reject */
    void (*str)(void *obj);
    void (*sta)(void *obj);
    void (*scj)(void *obj);
    void (*ser)(void *obj);
};

extern const struct l2v_fsm l2v_ppp_fsm;

/* The state has changed before the actions run. This-Layer-Up and -Finished come last, so that
 * they may step other machines. 0, STATE (illegal transition: nothing happens). */
int l2v_ppp_fsm_step(uint8_t *state, enum l2v_ppp_event event,
                     const struct l2v_ppp_actions *actions, void *obj);
/* In which states the restart timer runs: those with TO events. */
static inline int l2v_ppp_fsm_has_timer(unsigned state)
{
    return state >= L2V_PPP_CLOSING && state <= L2V_PPP_ACK_SENT;
}

#endif
