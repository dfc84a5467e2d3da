/* SPDX-License-Identifier: MIT */
/* The automaton of RFC 1661 §4.1 as a table, in the order of the RFC's rows. */
#include "ppp_fsm.h"

static const char *const states[] = {"Initial",  "Starting", "Closed",   "Stopped",  "Closing",
                                     "Stopping", "Req-Sent", "Ack-Rcvd", "Ack-Sent", "Opened"};
static const char *const events[] = {"Up",  "Down", "Open", "Close", "TO+", "TO-",  "RCR+", "RCR-",
                                     "RCA", "RCN",  "RTR",  "RTA",   "RUC", "RXJ+", "RXJ-", "RXR"};

/* The functions are named after the actions of the table, in the order in which they run. */
#define DO(name) ((const struct l2v_ppp_actions *)arg)->name(obj)
#define ACTION1(a)                                                                                 \
    static void a(void *obj, void *arg)                                                            \
    {                                                                                              \
        DO(a);                                                                                     \
    }
#define ACTION2(a, b)                                                                              \
    static void a##_##b(void *obj, void *arg)                                                      \
    {                                                                                              \
        DO(a);                                                                                     \
        DO(b);                                                                                     \
    }
#define ACTION3(a, b, c)                                                                           \
    static void a##_##b##_##c(void *obj, void *arg)                                                \
    {                                                                                              \
        DO(a);                                                                                     \
        DO(b);                                                                                     \
        DO(c);                                                                                     \
    }
ACTION1(tls)
ACTION1(tld)
ACTION1(tlf)
ACTION1(irc)
ACTION1(scr)
ACTION1(sca)
ACTION1(scn)
ACTION1(str)
ACTION1(sta)
ACTION1(scj)
ACTION1(ser)
ACTION2(irc, scr)
ACTION2(irc, str)
ACTION2(irc, tlu)
ACTION2(sca, tlu)
ACTION2(tld, scr)
ACTION3(irc, scr, sca)
ACTION3(irc, scr, scn)
ACTION3(tld, irc, str)
ACTION3(tld, scr, sca)
ACTION3(tld, scr, scn)
ACTION3(tld, zrc, sta)

#define ROW(state, event, next, action)                                                            \
    {                                                                                              \
        L2V_PPP_##state, L2V_PPP_##event, L2V_PPP_##next, action                                   \
    }

/* rfc1661#4.1 */
static const struct l2v_fsm_row rows[] = {
    ROW(INITIAL, UP, CLOSED, NULL),          ROW(STARTING, UP, REQ_SENT, irc_scr),
    ROW(CLOSED, DOWN, INITIAL, NULL),        ROW(STOPPED, DOWN, STARTING, tls),
    ROW(CLOSING, DOWN, INITIAL, NULL),       ROW(STOPPING, DOWN, STARTING, NULL),
    ROW(REQ_SENT, DOWN, STARTING, NULL),     ROW(ACK_RCVD, DOWN, STARTING, NULL),
    ROW(ACK_SENT, DOWN, STARTING, NULL),     ROW(OPENED, DOWN, STARTING, tld),
    ROW(INITIAL, OPEN, STARTING, tls),       ROW(STARTING, OPEN, STARTING, NULL),
    ROW(CLOSED, OPEN, REQ_SENT, irc_scr),    ROW(STOPPED, OPEN, STOPPED, NULL),
    ROW(CLOSING, OPEN, STOPPING, NULL),      ROW(STOPPING, OPEN, STOPPING, NULL),
    ROW(REQ_SENT, OPEN, REQ_SENT, NULL),     ROW(ACK_RCVD, OPEN, ACK_RCVD, NULL),
    ROW(ACK_SENT, OPEN, ACK_SENT, NULL),     ROW(OPENED, OPEN, OPENED, NULL),
    ROW(INITIAL, CLOSE, INITIAL, NULL),      ROW(STARTING, CLOSE, INITIAL, tlf),
    ROW(CLOSED, CLOSE, CLOSED, NULL),        ROW(STOPPED, CLOSE, CLOSED, NULL),
    ROW(CLOSING, CLOSE, CLOSING, NULL),      ROW(STOPPING, CLOSE, CLOSING, NULL),
    ROW(REQ_SENT, CLOSE, CLOSING, irc_str),  ROW(ACK_RCVD, CLOSE, CLOSING, irc_str),
    ROW(ACK_SENT, CLOSE, CLOSING, irc_str),  ROW(OPENED, CLOSE, CLOSING, tld_irc_str),
    ROW(CLOSING, TO_PLUS, CLOSING, str),     ROW(STOPPING, TO_PLUS, STOPPING, str),
    ROW(REQ_SENT, TO_PLUS, REQ_SENT, scr),   ROW(ACK_RCVD, TO_PLUS, REQ_SENT, scr),
    ROW(ACK_SENT, TO_PLUS, ACK_SENT, scr),   ROW(CLOSING, TO_MINUS, CLOSED, tlf),
    ROW(STOPPING, TO_MINUS, STOPPED, tlf),   ROW(REQ_SENT, TO_MINUS, STOPPED, tlf),
    ROW(ACK_RCVD, TO_MINUS, STOPPED, tlf),   ROW(ACK_SENT, TO_MINUS, STOPPED, tlf),
    ROW(CLOSED, RCR_PLUS, CLOSED, sta),      ROW(STOPPED, RCR_PLUS, ACK_SENT, irc_scr_sca),
    ROW(CLOSING, RCR_PLUS, CLOSING, NULL),   ROW(STOPPING, RCR_PLUS, STOPPING, NULL),
    ROW(REQ_SENT, RCR_PLUS, ACK_SENT, sca),  ROW(ACK_RCVD, RCR_PLUS, OPENED, sca_tlu),
    ROW(ACK_SENT, RCR_PLUS, ACK_SENT, sca),  ROW(OPENED, RCR_PLUS, ACK_SENT, tld_scr_sca),
    ROW(CLOSED, RCR_MINUS, CLOSED, sta),     ROW(STOPPED, RCR_MINUS, REQ_SENT, irc_scr_scn),
    ROW(CLOSING, RCR_MINUS, CLOSING, NULL),  ROW(STOPPING, RCR_MINUS, STOPPING, NULL),
    ROW(REQ_SENT, RCR_MINUS, REQ_SENT, scn), ROW(ACK_RCVD, RCR_MINUS, ACK_RCVD, scn),
    ROW(ACK_SENT, RCR_MINUS, REQ_SENT, scn), ROW(OPENED, RCR_MINUS, REQ_SENT, tld_scr_scn),
    ROW(CLOSED, RCA, CLOSED, sta),           ROW(STOPPED, RCA, STOPPED, sta),
    ROW(CLOSING, RCA, CLOSING, NULL),        ROW(STOPPING, RCA, STOPPING, NULL),
    ROW(REQ_SENT, RCA, ACK_RCVD, irc),       ROW(ACK_RCVD, RCA, REQ_SENT, scr),
    ROW(ACK_SENT, RCA, OPENED, irc_tlu),     ROW(OPENED, RCA, REQ_SENT, tld_scr),
    ROW(CLOSED, RCN, CLOSED, sta),           ROW(STOPPED, RCN, STOPPED, sta),
    ROW(CLOSING, RCN, CLOSING, NULL),        ROW(STOPPING, RCN, STOPPING, NULL),
    ROW(REQ_SENT, RCN, REQ_SENT, irc_scr),   ROW(ACK_RCVD, RCN, REQ_SENT, scr),
    ROW(ACK_SENT, RCN, ACK_SENT, irc_scr),   ROW(OPENED, RCN, REQ_SENT, tld_scr),
    ROW(CLOSED, RTR, CLOSED, sta),           ROW(STOPPED, RTR, STOPPED, sta),
    ROW(CLOSING, RTR, CLOSING, sta),         ROW(STOPPING, RTR, STOPPING, sta),
    ROW(REQ_SENT, RTR, REQ_SENT, sta),       ROW(ACK_RCVD, RTR, REQ_SENT, sta),
    ROW(ACK_SENT, RTR, REQ_SENT, sta),       ROW(OPENED, RTR, STOPPING, tld_zrc_sta),
    ROW(CLOSED, RTA, CLOSED, NULL),          ROW(STOPPED, RTA, STOPPED, NULL),
    ROW(CLOSING, RTA, CLOSED, tlf),          ROW(STOPPING, RTA, STOPPED, tlf),
    ROW(REQ_SENT, RTA, REQ_SENT, NULL),      ROW(ACK_RCVD, RTA, REQ_SENT, NULL),
    ROW(ACK_SENT, RTA, ACK_SENT, NULL),      ROW(OPENED, RTA, REQ_SENT, tld_scr),
    ROW(CLOSED, RUC, CLOSED, scj),           ROW(STOPPED, RUC, STOPPED, scj),
    ROW(CLOSING, RUC, CLOSING, scj),         ROW(STOPPING, RUC, STOPPING, scj),
    ROW(REQ_SENT, RUC, REQ_SENT, scj),       ROW(ACK_RCVD, RUC, ACK_RCVD, scj),
    ROW(ACK_SENT, RUC, ACK_SENT, scj),       ROW(OPENED, RUC, OPENED, scj),
    ROW(CLOSED, RXJ_PLUS, CLOSED, NULL),     ROW(STOPPED, RXJ_PLUS, STOPPED, NULL),
    ROW(CLOSING, RXJ_PLUS, CLOSING, NULL),   ROW(STOPPING, RXJ_PLUS, STOPPING, NULL),
    ROW(REQ_SENT, RXJ_PLUS, REQ_SENT, NULL), ROW(ACK_RCVD, RXJ_PLUS, REQ_SENT, NULL),
    ROW(ACK_SENT, RXJ_PLUS, ACK_SENT, NULL), ROW(OPENED, RXJ_PLUS, OPENED, NULL),
    ROW(CLOSED, RXJ_MINUS, CLOSED, tlf),     ROW(STOPPED, RXJ_MINUS, STOPPED, tlf),
    ROW(CLOSING, RXJ_MINUS, CLOSED, tlf),    ROW(STOPPING, RXJ_MINUS, STOPPED, tlf),
    ROW(REQ_SENT, RXJ_MINUS, STOPPED, tlf),  ROW(ACK_RCVD, RXJ_MINUS, STOPPED, tlf),
    ROW(ACK_SENT, RXJ_MINUS, STOPPED, tlf),  ROW(OPENED, RXJ_MINUS, STOPPING, tld_irc_str),
    ROW(CLOSED, RXR, CLOSED, NULL),          ROW(STOPPED, RXR, STOPPED, NULL),
    ROW(CLOSING, RXR, CLOSING, NULL),        ROW(STOPPING, RXR, STOPPING, NULL),
    ROW(REQ_SENT, RXR, REQ_SENT, NULL),      ROW(ACK_RCVD, RXR, ACK_RCVD, NULL),
    ROW(ACK_SENT, RXR, ACK_SENT, NULL),      ROW(OPENED, RXR, OPENED, ser),
};

const struct l2v_fsm l2v_ppp_fsm = {"ppp", states, events, rows, sizeof(rows) / sizeof(rows[0])};

int l2v_ppp_fsm_step(uint8_t *state, enum l2v_ppp_event event,
                     const struct l2v_ppp_actions *actions, void *obj)
{
    union { /* the table machine passes its argument through untouched */
        const struct l2v_ppp_actions *in;
        void *out;
    } arg = {.in = actions};
    return l2v_fsm_step(&l2v_ppp_fsm, state, event, obj, arg.out);
}
