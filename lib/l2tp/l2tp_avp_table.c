/* SPDX-License-Identifier: MIT */
/* The table of every AVP of RFC 2661 §4.4: lengths, M and H bits, the messages that carry it. */
#include "l2tp_msg.h"

#define SCCRQ L2V_MSG_BIT(L2V_L2TP_SCCRQ)
#define SCCRP L2V_MSG_BIT(L2V_L2TP_SCCRP)
#define SCCCN L2V_MSG_BIT(L2V_L2TP_SCCCN)
#define STOPCCN L2V_MSG_BIT(L2V_L2TP_STOPCCN)
#define OCRQ L2V_MSG_BIT(L2V_L2TP_OCRQ)
#define OCRP L2V_MSG_BIT(L2V_L2TP_OCRP)
#define OCCN L2V_MSG_BIT(L2V_L2TP_OCCN)
#define ICRQ L2V_MSG_BIT(L2V_L2TP_ICRQ)
#define ICRP L2V_MSG_BIT(L2V_L2TP_ICRP)
#define ICCN L2V_MSG_BIT(L2V_L2TP_ICCN)
#define CDN L2V_MSG_BIT(L2V_L2TP_CDN)
#define WEN L2V_MSG_BIT(L2V_L2TP_WEN)
#define SLI L2V_MSG_BIT(L2V_L2TP_SLI)

#define M L2V_AVP_M
#define H L2V_AVP_H
#define NZ L2V_AVP_NONZERO
#define ANY L2V_AVP_VALUE_MAX

#define ROW(type, low, high, bits, kind, must, may, field, text)                                   \
    {                                                                                              \
        L2V_AVP_##type, low, high, bits, L2V_AVP_KIND_##kind, must, (must) | (may),                \
            offsetof(struct l2v_l2tp_msg, field), text                                             \
    }

/* In the order in which they are sent: what identifies the sender first, so that a peer that gives
 * up half-way still knows whom to answer. */
static const struct l2v_avp_info table[] = {
    ROW(MESSAGE_TYPE, 2, 2, M, INTERNAL, 0, 0, type, "Message Type"),
    ROW(RANDOM_VECTOR, 0, ANY, M, INTERNAL, 0, 0, type, "Random Vector"),
    ROW(RESULT_CODE, 2, ANY, M, RESULT, STOPCCN | CDN, 0, result, "Result Code"),
    ROW(PROTOCOL_VERSION, 2, 2, M, U16, SCCRQ | SCCRP, 0, protocol_version, "Protocol Version"),
    ROW(HOST_NAME, 1, ANY, M, BLOB, SCCRQ | SCCRP, 0, host_name, "Host Name"),
    ROW(FRAMING_CAPABILITIES, 4, 4, M | H, U32, SCCRQ | SCCRP, 0, framing_capabilities,
        "Framing Capabilities"),
    ROW(ASSIGNED_TUNNEL_ID, 2, 2, M | H | NZ, U16, SCCRQ | SCCRP | STOPCCN, 0, assigned_tunnel_id,
        "Assigned Tunnel ID"),
    ROW(BEARER_CAPABILITIES, 4, 4, M | H, U32, 0, SCCRQ | SCCRP, bearer_capabilities,
        "Bearer Capabilities"),
    ROW(TIE_BREAKER, 8, 8, 0, BLOB, 0, SCCRQ, tie_breaker, "Tie Breaker"),
    ROW(FIRMWARE_REVISION, 2, 2, H, U16, 0, SCCRQ | SCCRP, firmware_revision, "Firmware Revision"),
    ROW(VENDOR_NAME, 0, ANY, H, BLOB, 0, SCCRQ | SCCRP, vendor_name, "Vendor Name"),
    ROW(RECEIVE_WINDOW_SIZE, 2, 2, M | NZ, U16, 0, SCCRQ | SCCRP, receive_window_size,
        "Receive Window Size"),
    ROW(CHALLENGE, 1, ANY, M | H, BLOB, 0, SCCRQ | SCCRP, challenge, "Challenge"),
    ROW(CHALLENGE_RESPONSE, 16, 16, M | H, BLOB, 0, SCCRP | SCCCN, challenge_response,
        "Challenge Response"),
    ROW(Q931_CAUSE_CODE, 3, ANY, M, BLOB, 0, CDN, q931_cause_code, "Q.931 Cause Code"),
    ROW(ASSIGNED_SESSION_ID, 2, 2, M | H | NZ, U16, CDN | ICRP | ICRQ | OCRP | OCRQ, 0,
        assigned_session_id, "Assigned Session ID"),
    ROW(CALL_SERIAL_NUMBER, 4, 4, M | H, U32, ICRQ | OCRQ, 0, call_serial_number,
        "Call Serial Number"),
    ROW(MINIMUM_BPS, 4, 4, M | H, U32, OCRQ, 0, minimum_bps, "Minimum BPS"),
    ROW(MAXIMUM_BPS, 4, 4, M | H, U32, OCRQ, 0, maximum_bps, "Maximum BPS"),
    ROW(BEARER_TYPE, 4, 4, M | H, U32, OCRQ, ICRQ, bearer_type, "Bearer Type"),
    ROW(TX_CONNECT_SPEED, 4, 4, M | H, U32, ICCN | OCCN, 0, tx_connect_speed, "(Tx) Connect Speed"),
    ROW(FRAMING_TYPE, 4, 4, M | H, U32, ICCN | OCCN | OCRQ, 0, framing_type, "Framing Type"),
    ROW(CALLED_NUMBER, 0, ANY, M | H, BLOB, OCRQ, ICRQ, called_number, "Called Number"),
    ROW(CALLING_NUMBER, 0, ANY, M | H, BLOB, 0, ICRQ, calling_number, "Calling Number"),
    ROW(SUB_ADDRESS, 0, ANY, M | H, BLOB, 0, ICRQ | OCRQ, sub_address, "Sub-Address"),
    ROW(PHYSICAL_CHANNEL_ID, 4, 4, H, U32, 0, ICRQ | OCRP, physical_channel_id,
        "Physical Channel ID"),
    ROW(INITIAL_RECEIVED_CONFREQ, 0, ANY, H, BLOB, 0, ICCN, initial_received_confreq,
        "Initial Received LCP CONFREQ"),
    ROW(LAST_SENT_CONFREQ, 0, ANY, H, BLOB, 0, ICCN, last_sent_confreq, "Last Sent LCP CONFREQ"),
    ROW(LAST_RECEIVED_CONFREQ, 0, ANY, H, BLOB, 0, ICCN, last_received_confreq,
        "Last Received LCP CONFREQ"),
    ROW(PROXY_AUTHEN_TYPE, 2, 2, H, U16, 0, ICCN, proxy_authen_type, "Proxy Authen Type"),
    ROW(PROXY_AUTHEN_NAME, 0, ANY, H, BLOB, 0, ICCN, proxy_authen_name, "Proxy Authen Name"),
    ROW(PROXY_AUTHEN_CHALLENGE, 1, ANY, H, BLOB, 0, ICCN, proxy_authen_challenge,
        "Proxy Authen Challenge"),
    ROW(PROXY_AUTHEN_ID, 2, 2, H, U16, 0, ICCN, proxy_authen_id, "Proxy Authen ID"),
    ROW(PROXY_AUTHEN_RESPONSE, 0, ANY, H, BLOB, 0, ICCN, proxy_authen_response,
        "Proxy Authen Response"),
    ROW(CALL_ERRORS, 26, 26, M | H, BLOB, WEN, 0, call_errors, "Call Errors"),
    ROW(ACCM, 10, 10, M | H, BLOB, SLI, 0, accm, "ACCM"),
    ROW(PRIVATE_GROUP_ID, 0, ANY, H, BLOB, 0, ICCN, private_group_id, "Private Group ID"),
    ROW(RX_CONNECT_SPEED, 4, 4, H, U32, 0, ICCN | OCCN, rx_connect_speed, "Rx Connect Speed"),
    ROW(SEQUENCING_REQUIRED, 0, 0, M, FLAG, 0, ICCN | OCCN, type, "Sequencing Required"),
};

const struct l2v_avp_info *l2v_avp_table(size_t *ret_n)
{
    *ret_n = sizeof table / sizeof table[0];
    return table;
}

const struct l2v_avp_info *l2v_avp_find(uint16_t vendor, uint16_t type)
{
    if (vendor != 0 || type > L2V_AVP_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].type == type) {
            return &table[i];
        }
    }
    return NULL;
}
