/* SPDX-License-Identifier: MIT */
/* Why a tunnel or call ended, in words for a person (rfc2661#4.4.2). */
#include <stdio.h>

#include "l2tp_internal.h"

struct reason {
    int code;
    const char *message;
    const char *next_step;
};

static const char ask_peer[] = "Ask the operator of the server to look into its log.";
static const char check_secret[] =
    "Compare the L2TP tunnel secret (not the IPsec key) on both sides; most servers use none.";
static const char try_later[] = "Try again later.";

/* Indexed by the result code of StopCCN. */
static const struct reason stop_reasons[] = {
    {L2TPVOIP_ERR_PEER_CLOSED, "The peer closed the L2TP tunnel without a reason", ""},
    {L2TPVOIP_ERR_PEER_CLOSED, "The peer closed the L2TP tunnel", ""},
    {L2TPVOIP_ERR_REFUSED, "The peer closed the L2TP tunnel because of an error", ask_peer},
    {L2TPVOIP_ERR_REFUSED, "The peer says that an L2TP tunnel between us exists already",
     "Wait a minute until the peer has dropped the old tunnel."},
    {L2TPVOIP_ERR_AUTH_L2TP, "The peer does not authorise us to open an L2TP tunnel", check_secret},
    {L2TPVOIP_ERR_UNSUPPORTED, "The peer does not support our version of L2TP",
     "Enable L2TP version 2 (RFC 2661) on the server."},
    {L2TPVOIP_ERR_PEER_CLOSED, "The peer is being shut down", try_later},
    {L2TPVOIP_ERR_PROTOCOL, "The peer reports a state machine error of the L2TP tunnel", ask_peer},
};

/* Indexed by the result code of CDN. */
static const struct reason cdn_reasons[] = {
    {L2TPVOIP_ERR_PEER_CLOSED, "The peer ended the L2TP call without a reason", ""},
    {L2TPVOIP_ERR_PEER_CLOSED, "The peer ended the L2TP call: carrier lost", ""},
    {L2TPVOIP_ERR_REFUSED, "The peer ended the L2TP call because of an error", ask_peer},
    {L2TPVOIP_ERR_PEER_CLOSED, "The peer ended the L2TP call for administrative reasons",
     "If it happens right after the login, check user name, password and account limits."},
    {L2TPVOIP_ERR_REFUSED, "The peer has no room for another L2TP call now", try_later},
    {L2TPVOIP_ERR_REFUSED, "The peer does not offer L2TP calls of this kind", ask_peer},
    {L2TPVOIP_ERR_REFUSED, "The peer says that the destination of the L2TP call is invalid",
     ask_peer},
    {L2TPVOIP_ERR_REFUSED, "The L2TP call failed: no carrier", ask_peer},
    {L2TPVOIP_ERR_REFUSED, "The L2TP call failed: busy", try_later},
    {L2TPVOIP_ERR_REFUSED, "The L2TP call failed: no dial tone", ask_peer},
    {L2TPVOIP_ERR_TIMEOUT, "The L2TP call was not established in time", try_later},
    {L2TPVOIP_ERR_REFUSED, "The L2TP call found no suitable framing", ask_peer},
};

/* Indexed by the general error code. */
static const struct reason error_reasons[] = {
    {0, "", ""},
    {L2TPVOIP_ERR_PROTOCOL, "no control connection exists yet", ask_peer},
    {L2TPVOIP_ERR_PROTOCOL, "a length is wrong", ask_peer},
    {L2TPVOIP_ERR_PROTOCOL, "a value is out of range", ask_peer},
    {L2TPVOIP_ERR_REFUSED, "it lacks resources now", try_later},
    {L2TPVOIP_ERR_PROTOCOL, "the session id is invalid", ask_peer},
    {L2TPVOIP_ERR_REFUSED, "a vendor-specific error occurred", ask_peer},
    {L2TPVOIP_ERR_REFUSED, "another server should be tried", "Try another server of the provider."},
    {L2TPVOIP_ERR_PROTOCOL, "it does not know a mandatory AVP", ask_peer},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void l2v_l2tp_print_text(char *text, size_t size, const struct l2v_blob *blob)
{
    size_t n = 0;
    for (size_t i = 0; i < blob->len && n + 1 < size; i++) {
        uint8_t c = blob->data[i];
        text[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    if (size > 0) {
        text[n] = '\0';
    }
}

static void explain(l2tpvoip_failure *f, const struct reason *r,
                    const struct l2v_l2tp_result *result, bool general)
{
    char text[96] = "";
    const struct reason *why = general && result->error < COUNT(error_reasons)
                                   ? &error_reasons[result->error]
                                   : &error_reasons[0];
    int32_t peer_code = (int32_t)((uint32_t)(result->result & 0x7fffu) << 16 | result->error);
    l2v_l2tp_print_text(text, sizeof text, &result->text);
    l2v_failure_set(f, L2TPVOIP_LAYER_L2TP, why->code != 0 ? why->code : r->code, peer_code,
                    why->code != 0 ? why->next_step : r->next_step, "%s%s%s%s%s%s", r->message,
                    why->code != 0 ? ": " : "", why->message, text[0] != '\0' ? " (" : "", text,
                    text[0] != '\0' ? ")" : "");
}

void l2v_l2tp_explain_stopccn(l2tpvoip_failure *f, const struct l2v_l2tp_result *result)
{
    size_t i = result->result < COUNT(stop_reasons) ? result->result : 0;
    explain(f, &stop_reasons[i], result, result->result == L2V_STOP_GENERAL);
}

void l2v_l2tp_explain_cdn(l2tpvoip_failure *f, const struct l2v_l2tp_result *result,
                          bool established)
{
    size_t i = result->result < COUNT(cdn_reasons) ? result->result : 0;
    struct reason r = cdn_reasons[i];
    if (!established && r.code == L2TPVOIP_ERR_PEER_CLOSED) {
        r.code = L2TPVOIP_ERR_REFUSED;
    }
    explain(f, &r, result, result->result == L2V_CDN_GENERAL);
}

static const struct reason own_reasons[] = {
    {L2TPVOIP_ERR_TIMEOUT, "",
     "Check that the server runs L2TP and that UDP port 1701 reaches it through IPsec."},
    {L2TPVOIP_ERR_AUTH_L2TP, "", check_secret},
    {L2TPVOIP_ERR_UNSUPPORTED, "", "Use a server that speaks L2TP version 2 (RFC 2661)."},
    {L2TPVOIP_ERR_PROTOCOL, "", ask_peer},
    {L2TPVOIP_ERR_MALFORMED, "", ask_peer},
    {L2TPVOIP_ERR_NOMEM, "", "Free some memory."},
};

void l2v_l2tp_explain_own(l2tpvoip_failure *f, int code, const char *what)
{
    const char *next_step = "";
    for (size_t i = 0; i < COUNT(own_reasons); i++) {
        if (own_reasons[i].code == code) {
            next_step = own_reasons[i].next_step;
        }
    }
    l2v_failure_set(f, L2TPVOIP_LAYER_L2TP, code, 0, next_step, "L2TP: %s", what);
}
