/* SPDX-License-Identifier: MIT */
/* Control messages: parsing into and building from struct l2v_l2tp_msg, driven by the AVP table. */
#include "l2tp_msg.h"

#include <stdio.h>

static const char *const names[L2V_L2TP_MESSAGE_MAX + 1] = {
    [L2V_L2TP_SCCRQ] = "SCCRQ",     [L2V_L2TP_SCCRP] = "SCCRP", [L2V_L2TP_SCCCN] = "SCCCN",
    [L2V_L2TP_STOPCCN] = "StopCCN", [L2V_L2TP_HELLO] = "HELLO", [L2V_L2TP_OCRQ] = "OCRQ",
    [L2V_L2TP_OCRP] = "OCRP",       [L2V_L2TP_OCCN] = "OCCN",   [L2V_L2TP_ICRQ] = "ICRQ",
    [L2V_L2TP_ICRP] = "ICRP",       [L2V_L2TP_ICCN] = "ICCN",   [L2V_L2TP_CDN] = "CDN",
    [L2V_L2TP_WEN] = "WEN",         [L2V_L2TP_SLI] = "SLI",
};

bool l2v_l2tp_msg_is_known(unsigned type)
{
    return type <= L2V_L2TP_MESSAGE_MAX && names[type] != NULL;
}

const char *l2v_l2tp_msg_name(unsigned type)
{
    return l2v_l2tp_msg_is_known(type) ? names[type] : "unknown";
}

bool l2v_l2tp_msg_is_session(unsigned type)
{
    return l2v_l2tp_msg_is_known(type) && type >= L2V_L2TP_OCRQ;
}

static void give_verdict(struct l2v_l2tp_msg *m, enum l2v_l2tp_verdict verdict, uint16_t vendor,
                         uint16_t type)
{
    if (verdict > m->verdict) {
        m->verdict = verdict;
        m->bad_vendor = vendor;
        m->bad_type = type;
    }
}

static void *field_of(struct l2v_l2tp_msg *m, const struct l2v_avp_info *info)
{
    return (uint8_t *)m + info->offset;
}

static const void *const_field_of(const struct l2v_l2tp_msg *m, const struct l2v_avp_info *info)
{
    return (const uint8_t *)m + info->offset;
}

static void store_result(struct l2v_l2tp_result *result, struct l2v_reader *r)
{
    result->result = l2v_read_u16(r);
    /* rfc2661#4.4.2 the length is 8, 10, or 10 plus the text; a stray byte is no error code */
    if (l2v_reader_left(r) >= 2) {
        result->error = l2v_read_u16(r);
        result->text.len = l2v_reader_left(r);
        result->text.data = l2v_read_bytes(r, result->text.len);
    }
    /* Apple's old clients send both little-endian; no defined code is above 255. */
    if ((result->result & 0xffu) == 0 && result->result != 0) {
        result->result = (uint16_t)(result->result >> 8);
        result->error = (uint16_t)(result->error >> 8 | (result->error & 0xffu) << 8);
    }
}

/* False when the value is out of range. */
static bool store_value(struct l2v_l2tp_msg *m, const struct l2v_avp_info *info,
                        const struct l2v_avp *avp)
{
    struct l2v_reader r;
    uint32_t number = 1;
    uint16_t *u16 = field_of(m, info); /* which of the two is meant says the kind */
    uint32_t *u32 = field_of(m, info);
    l2v_reader_init(&r, avp->value, avp->len);
    switch (info->kind) {
    case L2V_AVP_KIND_U16:
        number = l2v_read_u16(&r);
        *u16 = (uint16_t)number;
        break;
    case L2V_AVP_KIND_U32:
        number = l2v_read_u32(&r);
        *u32 = number;
        break;
    case L2V_AVP_KIND_BLOB:
        *(struct l2v_blob *)field_of(m, info) = (struct l2v_blob){avp->value, avp->len};
        break;
    case L2V_AVP_KIND_RESULT:
        store_result(field_of(m, info), &r);
        break;
    default:
        break;
    }
    /* A peer that goes away may never have had ids to name (rfc2661#4.4.3). */
    bool leaving = m->type == L2V_L2TP_STOPCCN || m->type == L2V_L2TP_CDN;
    return number != 0 || (info->flags & L2V_AVP_NONZERO) == 0 || leaving;
}

/* rfc2661#4.1, #4.2, #7.1: unrecognised and malformed AVPs count only with the M bit. */
static void take_avp(struct l2v_l2tp_msg *m, const struct l2v_avp *avp)
{
    const struct l2v_avp_info *info = avp->reserved ? NULL : l2v_avp_find(avp->vendor, avp->type);
    enum l2v_l2tp_verdict verdict = L2V_L2TP_FINE;
    if (info == NULL) {
        verdict = L2V_L2TP_UNKNOWN_AVP;
    } else if (avp->error != 0) {
        verdict = L2V_L2TP_BAD_HIDDEN;
    } else if (avp->len < info->min_len || avp->len > info->max_len) {
        verdict = L2V_L2TP_BAD_LENGTH;
    } else if (info->kind == L2V_AVP_KIND_INTERNAL || l2v_l2tp_msg_has(m, info->type) ||
               !l2v_l2tp_msg_is_known(m->type) || (info->may & L2V_MSG_BIT(m->type)) == 0) {
        return; /* recognised, but of no meaning here; of two the first counts */
    } else if (!store_value(m, info, avp)) {
        verdict = L2V_L2TP_BAD_VALUE;
    } else {
        l2v_l2tp_msg_set(m, info->type);
        return;
    }
    if (avp->mandatory) {
        give_verdict(m, verdict, avp->vendor, avp->type);
    }
}

static void check_required(struct l2v_l2tp_msg *m)
{
    size_t n;
    const struct l2v_avp_info *table = l2v_avp_table(&n);
    for (size_t i = 0; i < n; i++) {
        if ((table[i].must & L2V_MSG_BIT(m->type)) != 0 && !l2v_l2tp_msg_has(m, table[i].type)) {
            give_verdict(m, L2V_L2TP_MISSING, 0, table[i].type);
        }
    }
}

void l2v_l2tp_msg_parse(const uint8_t *body, size_t len, const struct l2v_avp_secret *secret,
                        uint8_t *scratch, size_t scratch_len, struct l2v_l2tp_msg *ret_msg)
{
    struct l2v_avp_reader ar;
    struct l2v_avp avp;
    memset(ret_msg, 0, sizeof *ret_msg);
    l2v_avp_reader_init(&ar, body, len, secret, scratch, scratch_len);
    /* rfc2661#4.4.1 Message Type MUST be first */
    if (l2v_avp_read(&ar, &avp) != 1 || avp.vendor != 0 || avp.type != L2V_AVP_MESSAGE_TYPE ||
        avp.reserved || avp.hidden || avp.len != 2) {
        give_verdict(ret_msg, L2V_L2TP_UNKNOWN_TYPE, 0, L2V_AVP_MESSAGE_TYPE);
        return;
    }
    ret_msg->type = l2v_get_u16(avp.value);
    if (!l2v_l2tp_msg_is_known(ret_msg->type)) {
        give_verdict(ret_msg, avp.mandatory ? L2V_L2TP_UNKNOWN_TYPE : L2V_L2TP_IGNORE, 0,
                     L2V_AVP_MESSAGE_TYPE);
        return;
    }
    int rc;
    while ((rc = l2v_avp_read(&ar, &avp)) == 1) {
        take_avp(ret_msg, &avp);
    }
    if (rc < 0) {
        give_verdict(ret_msg, L2V_L2TP_BAD_LENGTH, 0, L2V_AVP_MESSAGE_TYPE);
    }
    check_required(ret_msg);
}

static void write_result(struct l2v_avp_writer *aw, const struct l2v_l2tp_result *result)
{
    uint8_t value[4 + 256];
    size_t text_len = result->text.len < 256 ? result->text.len : 256;
    l2v_put_u16(value, result->result);
    l2v_put_u16(value + 2, result->error);
    if (text_len > 0) {
        memcpy(value + 4, result->text.data, text_len);
    }
    bool with_error = result->error != 0 || text_len > 0;
    l2v_avp_write(aw, L2V_AVP_RESULT_CODE, value, with_error ? 4 + text_len : 2);
}

static void write_value(struct l2v_avp_writer *aw, const struct l2v_l2tp_msg *m,
                        const struct l2v_avp_info *info)
{
    const void *field = const_field_of(m, info);
    const struct l2v_blob *blob = field;
    const uint16_t *u16 = field;
    const uint32_t *u32 = field;
    switch (info->kind) {
    case L2V_AVP_KIND_FLAG:
        l2v_avp_write(aw, info->type, NULL, 0);
        break;
    case L2V_AVP_KIND_U16:
        l2v_avp_write_u16(aw, info->type, *u16);
        break;
    case L2V_AVP_KIND_U32:
        l2v_avp_write_u32(aw, info->type, *u32);
        break;
    case L2V_AVP_KIND_BLOB:
        l2v_avp_write(aw, info->type, blob->data, blob->len);
        break;
    case L2V_AVP_KIND_RESULT:
        write_result(aw, field);
        break;
    default:
        break;
    }
}

int l2v_l2tp_msg_build(const struct l2v_l2tp_msg *m, struct l2v_env *env,
                       const struct l2v_avp_secret *secret, bool hide, uint8_t *body, size_t size,
                       size_t *ret_len)
{
    struct l2v_avp_writer aw;
    size_t n;
    const struct l2v_avp_info *table = l2v_avp_table(&n);
    if (!l2v_l2tp_msg_is_known(m->type)) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2v_avp_writer_init(&aw, env, secret, hide, body, size);
    l2v_avp_write_u16(&aw, L2V_AVP_MESSAGE_TYPE, m->type);
    for (size_t i = 0; i < n; i++) {
        uint32_t bit = L2V_MSG_BIT(m->type);
        if (l2v_l2tp_msg_has(m, table[i].type) && (table[i].may & bit) != 0) {
            write_value(&aw, m, &table[i]);
        } else if ((table[i].must & bit) != 0) {
            return L2TPVOIP_ERR_INVALID;
        }
    }
    return l2v_avp_writer_end(&aw, ret_len);
}

void l2v_l2tp_msg_describe(const struct l2v_l2tp_msg *m, char *text, size_t size)
{
    static const char *const what[] = {
        [L2V_L2TP_FINE] = "is fine",
        [L2V_L2TP_IGNORE] = "has an unknown value",
        [L2V_L2TP_MISSING] = "is missing",
        [L2V_L2TP_BAD_VALUE] = "has a value out of range",
        [L2V_L2TP_BAD_LENGTH] = "has a wrong length",
        [L2V_L2TP_BAD_HIDDEN] = "is hidden and cannot be revealed",
        [L2V_L2TP_UNKNOWN_AVP] = "is unknown and mandatory",
        [L2V_L2TP_UNKNOWN_TYPE] = "is missing or unknown",
    };
    const struct l2v_avp_info *info = l2v_avp_find(m->bad_vendor, m->bad_type);
    if (info != NULL) {
        (void)snprintf(text, size, "%s AVP (%u) %s", info->name, m->bad_type, what[m->verdict]);
    } else {
        (void)snprintf(text, size, "AVP %u of vendor %u %s", m->bad_type, m->bad_vendor,
                       what[m->verdict]);
    }
}

unsigned l2v_l2tp_msg_error(const struct l2v_l2tp_msg *m)
{
    switch (m->verdict) {
    case L2V_L2TP_UNKNOWN_AVP:
        return L2V_ERROR_UNKNOWN_AVP;
    case L2V_L2TP_BAD_LENGTH:
        return L2V_ERROR_LENGTH;
    default:
        return L2V_ERROR_VALUE;
    }
}
