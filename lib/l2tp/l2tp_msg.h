/* SPDX-License-Identifier: MIT */
/* Control messages as structs: parsed and built by the one AVP table. */
#ifndef L2V_L2TP_MSG_H
#define L2V_L2TP_MSG_H

#include "l2tp_avp.h"

struct l2v_blob {
    const uint8_t *data;
    size_t len;
};

struct l2v_l2tp_result {
    uint16_t result;
    uint16_t error;
    struct l2v_blob text;
};

/* What can be wrong with a message; the worst one found wins. */
enum l2v_l2tp_verdict {
    L2V_L2TP_FINE = 0,
    L2V_L2TP_IGNORE,      /* unknown type without the M bit */
    L2V_L2TP_MISSING,     /* a required AVP is not there */
    L2V_L2TP_BAD_VALUE,   /* mandatory AVP with a value out of range */
    L2V_L2TP_BAD_LENGTH,  /* mandatory AVP of a wrong length, or no AVP at all */
    L2V_L2TP_BAD_HIDDEN,  /* mandatory hidden AVP that cannot be revealed */
    L2V_L2TP_UNKNOWN_AVP, /* unrecognised AVP with the M bit */
    L2V_L2TP_UNKNOWN_TYPE /* unknown type with the M bit, or no Message Type first */
};

/* Blobs point into the message or the scratch buffer. The offset of each field is in the table. */
struct l2v_l2tp_msg {
    uint16_t type;
    uint64_t seen; /* bit per attribute type */
    struct l2v_l2tp_result result;
    uint16_t protocol_version;
    uint32_t framing_capabilities;
    uint32_t bearer_capabilities;
    struct l2v_blob tie_breaker;
    uint16_t firmware_revision;
    struct l2v_blob host_name;
    struct l2v_blob vendor_name;
    uint16_t assigned_tunnel_id;
    uint16_t receive_window_size;
    struct l2v_blob challenge;
    struct l2v_blob q931_cause_code;
    struct l2v_blob challenge_response;
    uint16_t assigned_session_id;
    uint32_t call_serial_number;
    uint32_t minimum_bps;
    uint32_t maximum_bps;
    uint32_t bearer_type;
    uint32_t framing_type;
    struct l2v_blob called_number;
    struct l2v_blob calling_number;
    struct l2v_blob sub_address;
    uint32_t tx_connect_speed;
    uint32_t physical_channel_id;
    struct l2v_blob initial_received_confreq;
    struct l2v_blob last_sent_confreq;
    struct l2v_blob last_received_confreq;
    uint16_t proxy_authen_type;
    struct l2v_blob proxy_authen_name;
    struct l2v_blob proxy_authen_challenge;
    uint16_t proxy_authen_id;
    struct l2v_blob proxy_authen_response;
    struct l2v_blob call_errors;
    struct l2v_blob accm;
    struct l2v_blob private_group_id;
    uint32_t rx_connect_speed;
    /* Parser only: */
    enum l2v_l2tp_verdict verdict;
    uint16_t bad_vendor;
    uint16_t bad_type;
};

static inline bool l2v_l2tp_msg_has(const struct l2v_l2tp_msg *m, unsigned type)
{
    return (m->seen >> type & 1u) != 0;
}

static inline void l2v_l2tp_msg_set(struct l2v_l2tp_msg *m, unsigned type)
{
    m->seen |= UINT64_C(1) << type;
}

/* "SCCRQ", … or "unknown". */
const char *l2v_l2tp_msg_name(unsigned type);
bool l2v_l2tp_msg_is_known(unsigned type);
/* True for messages that belong to one session (rfc2661#3.2 call management, …). */
bool l2v_l2tp_msg_is_session(unsigned type);

/* Never fails: the verdict says what is wrong, and what could be read is there anyway. */
void l2v_l2tp_msg_parse(const uint8_t *body, size_t len, const struct l2v_avp_secret *secret,
                        uint8_t *scratch, size_t scratch_len, struct l2v_l2tp_msg *ret_msg);
/* Builds the AVPs of m->type that are in m->seen. 0, INVALID (type unknown, required AVP missing),
 * MSGSIZE, CRYPTO. */
int l2v_l2tp_msg_build(const struct l2v_l2tp_msg *m, struct l2v_env *env,
                       const struct l2v_avp_secret *secret, bool hide, uint8_t *body, size_t size,
                       size_t *ret_len);
/* A sentence part about the verdict: "Call Errors AVP (34) has a wrong length". */
void l2v_l2tp_msg_describe(const struct l2v_l2tp_msg *m, char *text, size_t size);
/* The general error code (rfc2661#4.4.2) that fits the verdict. */
unsigned l2v_l2tp_msg_error(const struct l2v_l2tp_msg *m);

#endif
