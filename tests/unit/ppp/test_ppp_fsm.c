/* SPDX-License-Identifier: MIT */
/* rfc1661#4.1: every state and event of the automaton, against the RFC's own table. */
#include "ppp_sim.h"

/* Typed off the RFC: rows are events, columns states 0 to 9; footnotes left out. */
static const char *const table[L2V_PPP_N_EVENTS][L2V_PPP_N_STATES] = {
    [L2V_PPP_UP] = {"2", "irc,scr/6", "-", "-", "-", "-", "-", "-", "-", "-"},
    [L2V_PPP_DOWN] = {"-", "-", "0", "tls/1", "0", "1", "1", "1", "1", "tld/1"},
    [L2V_PPP_OPEN] = {"tls/1", "1", "irc,scr/6", "3", "5", "5", "6", "7", "8", "9"},
    [L2V_PPP_CLOSE] = {"0", "tlf/0", "2", "2", "4", "4", "irc,str/4", "irc,str/4", "irc,str/4",
                       "tld,irc,str/4"},
    [L2V_PPP_TO_PLUS] = {"-", "-", "-", "-", "str/4", "str/5", "scr/6", "scr/6", "scr/8", "-"},
    [L2V_PPP_TO_MINUS] = {"-", "-", "-", "-", "tlf/2", "tlf/3", "tlf/3", "tlf/3", "tlf/3", "-"},
    [L2V_PPP_RCR_PLUS] = {"-", "-", "sta/2", "irc,scr,sca/8", "4", "5", "sca/8", "sca,tlu/9",
                          "sca/8", "tld,scr,sca/8"},
    [L2V_PPP_RCR_MINUS] = {"-", "-", "sta/2", "irc,scr,scn/6", "4", "5", "scn/6", "scn/7", "scn/6",
                           "tld,scr,scn/6"},
    [L2V_PPP_RCA] = {"-", "-", "sta/2", "sta/3", "4", "5", "irc/7", "scr/6", "irc,tlu/9",
                     "tld,scr/6"},
    [L2V_PPP_RCN] = {"-", "-", "sta/2", "sta/3", "4", "5", "irc,scr/6", "scr/6", "irc,scr/8",
                     "tld,scr/6"},
    [L2V_PPP_RTR] = {"-", "-", "sta/2", "sta/3", "sta/4", "sta/5", "sta/6", "sta/6", "sta/6",
                     "tld,zrc,sta/5"},
    [L2V_PPP_RTA] = {"-", "-", "2", "3", "tlf/2", "tlf/3", "6", "6", "8", "tld,scr/6"},
    [L2V_PPP_RUC] = {"-", "-", "scj/2", "scj/3", "scj/4", "scj/5", "scj/6", "scj/7", "scj/8",
                     "scj/9"},
    [L2V_PPP_RXJ_PLUS] = {"-", "-", "2", "3", "4", "5", "6", "6", "8", "9"},
    [L2V_PPP_RXJ_MINUS] = {"-", "-", "tlf/2", "tlf/3", "tlf/2", "tlf/3", "tlf/3", "tlf/3", "tlf/3",
                           "tld,irc,str/5"},
    [L2V_PPP_RXR] = {"-", "-", "2", "3", "4", "5", "6", "7", "8", "ser/9"},
};

static void note(void *obj, const char *name)
{
    char *text = obj;
    if (text[0] != '\0') {
        strcat(text, ",");
    }
    strcat(text, name);
}

#define NOTE(name)                                                                                 \
    static void note_##name(void *obj)                                                             \
    {                                                                                              \
        note(obj, #name);                                                                          \
    }
NOTE(tlu)
NOTE(tld)
NOTE(tls)
NOTE(tlf)
NOTE(irc)
NOTE(zrc)
NOTE(scr)
NOTE(sca)
NOTE(scn)
NOTE(str)
NOTE(sta)
NOTE(scj)
NOTE(ser)

static const struct l2v_ppp_actions actions = {
    note_tlu, note_tld, note_tls, note_tlf, note_irc, note_zrc, note_scr,
    note_sca, note_scn, note_str, note_sta, note_scj, note_ser,
};

START_TEST(every_row)
{
    for (unsigned event = 0; event < L2V_PPP_N_EVENTS; event++) {
        for (unsigned from = 0; from < L2V_PPP_N_STATES; from++) {
            const char *want = table[event][from];
            char done[64] = "", got[80];
            uint8_t state = (uint8_t)from;
            int r = l2v_ppp_fsm_step(&state, (enum l2v_ppp_event)event, &actions, done);
            if (strcmp(want, "-") == 0) {
                ck_assert_int_eq(r, L2TPVOIP_ERR_STATE);
                ck_assert_uint_eq(state, from);
                ck_assert_str_eq(done, "");
                continue;
            }
            ck_assert_int_eq(r, 0);
            snprintf(got, sizeof(got), "%s%s%u", done, done[0] != '\0' ? "/" : "", state);
            ck_assert_msg(strcmp(got, want) == 0, "%s in %s: %s, not %s", l2v_ppp_fsm.events[event],
                          l2v_ppp_fsm.states[from], got, want);
        }
    }
}
END_TEST

START_TEST(no_row_twice)
{
    for (size_t i = 0; i < l2v_ppp_fsm.n_rows; i++) {
        for (size_t k = i + 1; k < l2v_ppp_fsm.n_rows; k++) {
            ck_assert(l2v_ppp_fsm.rows[i].state != l2v_ppp_fsm.rows[k].state ||
                      l2v_ppp_fsm.rows[i].event != l2v_ppp_fsm.rows[k].event);
        }
    }
}
END_TEST

/* rfc1661#4.1: the restart timer runs in the states that have TO events. */
START_TEST(timer_states)
{
    for (unsigned state = 0; state < L2V_PPP_N_STATES; state++) {
        ck_assert_int_eq(l2v_ppp_fsm_has_timer(state),
                         strcmp(table[L2V_PPP_TO_PLUS][state], "-") != 0);
    }
}
END_TEST

TCase *test_ppp_fsm(void)
{
    TCase *tc = tcase_create("fsm");
    tcase_add_test(tc, every_row);
    tcase_add_test(tc, no_row_twice);
    tcase_add_test(tc, timer_states);
    return tc;
}
