/* SPDX-License-Identifier: MIT */
/* Parser of ISAKMP messages, RFC 2408 sections 3 and 5. */
#include <l2tpvoip/error.h>

#include "ike_wire.h"

#define PADDING_MAX 255u /* behind the payloads of an encrypted message */
#define ALIGN_MAX 3u     /* zero bytes that some peers append to clear messages */

static const struct {
    const char *text;
    uint8_t notify;
} faults[] = {
    [L2V_IKE_FAULT_NONE] = {"no fault", 0},
    [L2V_IKE_FAULT_TRUNCATED] = {"message is truncated", L2V_IKE1_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS},
    [L2V_IKE_FAULT_LENGTH] = {"length field does not fit the message",
                              L2V_IKE1_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS},
    [L2V_IKE_FAULT_VERSION] = {"version is not 1.0", L2V_IKE1_NOTIFY_INVALID_MAJOR_VERSION},
    [L2V_IKE_FAULT_EXCHANGE] = {"exchange type is not known",
                                L2V_IKE1_NOTIFY_INVALID_EXCHANGE_TYPE},
    [L2V_IKE_FAULT_FLAGS] = {"flags are not known", L2V_IKE1_NOTIFY_INVALID_FLAGS},
    [L2V_IKE_FAULT_COOKIE] = {"initiator cookie is zero", L2V_IKE1_NOTIFY_INVALID_COOKIE},
    [L2V_IKE_FAULT_PAYLOAD_LENGTH] = {"payload length out of bounds",
                                      L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    [L2V_IKE_FAULT_PAYLOAD_TYPE] = {"payload type is not valid",
                                    L2V_IKE1_NOTIFY_INVALID_PAYLOAD_TYPE},
    [L2V_IKE_FAULT_RESERVED] = {"reserved field is not zero", L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    [L2V_IKE_FAULT_TOO_MANY] = {"too many payloads", L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    [L2V_IKE_FAULT_TRAILING] = {"bytes behind the last payload", L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    [L2V_IKE_FAULT_MISSING] = {"a required payload is missing", L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    [L2V_IKE_FAULT_DUPLICATE] = {"a payload is repeated", L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
    [L2V_IKE_FAULT_UNEXPECTED] = {"a payload has no place in this message",
                                  L2V_IKE1_NOTIFY_INVALID_PAYLOAD_TYPE},
    [L2V_IKE_FAULT_SYNTAX] = {"payload body is malformed", L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED},
};

const char *l2v_ike_fault_text(enum l2v_ike_fault fault)
{
    unsigned i = (unsigned)fault;
    return i < sizeof(faults) / sizeof(faults[0]) ? faults[i].text : "unknown fault";
}

unsigned l2v_ike_fault_notify(enum l2v_ike_fault fault)
{
    unsigned i = (unsigned)fault;
    return i < sizeof(faults) / sizeof(faults[0]) ? faults[i].notify : 0;
}

int l2v_ike_header_parse(const uint8_t *data, size_t len, struct l2v_ike_header *ret_header)
{
    struct l2v_reader r;
    struct l2v_ike_header h;

    l2v_reader_init(&r, data, len);
    l2v_read_copy(&r, h.icookie, sizeof(h.icookie));
    l2v_read_copy(&r, h.rcookie, sizeof(h.rcookie));
    h.next_payload = l2v_read_u8(&r);
    h.version = l2v_read_u8(&r);
    h.exchange = l2v_read_u8(&r);
    h.flags = l2v_read_u8(&r);
    h.message_id = l2v_read_u32(&r);
    h.length = l2v_read_u32(&r);
    if (r.failed || h.length < L2V_IKE_HEADER_LEN || h.length > len) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    *ret_header = h;
    return 0;
}

bool l2v_ike_cookie_is_zero(const uint8_t cookie[8])
{
    return l2v_get_u64(cookie) == 0;
}

static bool exchange_is_known(unsigned exchange)
{
    return (exchange >= L2V_IKE1_EXCHANGE_BASE && exchange <= L2V_IKE1_EXCHANGE_TRANSACTION) ||
           exchange == L2V_IKE1_EXCHANGE_QUICK || exchange == L2V_IKE1_EXCHANGE_NEW_GROUP;
}

/* rfc2408#5.1 rfc2408#5.2 */
enum l2v_ike_fault l2v_ike1_header_check(const struct l2v_ike_header *h, size_t len)
{
    if (len < L2V_IKE_HEADER_LEN) {
        return L2V_IKE_FAULT_TRUNCATED;
    }
    if (h->version != L2V_IKE_VERSION_1) {
        return L2V_IKE_FAULT_VERSION;
    }
    if (h->length != len) {
        return L2V_IKE_FAULT_LENGTH;
    }
    if (!exchange_is_known(h->exchange)) {
        return L2V_IKE_FAULT_EXCHANGE;
    }
    if ((h->flags & ~L2V_IKE1_FLAGS_KNOWN) != 0) {
        return L2V_IKE_FAULT_FLAGS;
    }
    if (l2v_ike_cookie_is_zero(h->icookie)) {
        return L2V_IKE_FAULT_COOKIE;
    }
    return L2V_IKE_FAULT_NONE;
}

/* Types that may stand in a chain. Proposal and Transform are only ever inside an SA payload;
 * 14 is mode config, 17 to 19 and 22 on are not IKE's. */
static bool type_is_known(unsigned type)
{
    switch (type) {
    case L2V_IKE1_PAYLOAD_SA:
    case L2V_IKE1_PAYLOAD_KE:
    case L2V_IKE1_PAYLOAD_ID:
    case L2V_IKE1_PAYLOAD_CERT:
    case L2V_IKE1_PAYLOAD_CERTREQ:
    case L2V_IKE1_PAYLOAD_HASH:
    case L2V_IKE1_PAYLOAD_SIG:
    case L2V_IKE1_PAYLOAD_NONCE:
    case L2V_IKE1_PAYLOAD_NOTIFY:
    case L2V_IKE1_PAYLOAD_DELETE:
    case L2V_IKE1_PAYLOAD_VID:
    case L2V_IKE1_PAYLOAD_ATTRIBUTES:
    case L2V_IKE1_PAYLOAD_NATD_DRAFT05:
    case L2V_IKE1_PAYLOAD_NATOA_DRAFT05:
    case L2V_IKE1_PAYLOAD_NATD:
    case L2V_IKE1_PAYLOAD_NATOA:
    case L2V_IKE1_PAYLOAD_NATD_DRAFT02:
    case L2V_IKE1_PAYLOAD_NATOA_DRAFT02:
    case L2V_IKE1_PAYLOAD_FRAGMENT:
        return true;
    default:
        return false;
    }
}

static bool type_is_private(unsigned type)
{
    return type >= 128;
}

/* What is left behind the last payload. */
static enum l2v_ike_fault check_rest(struct l2v_reader *r, bool padded)
{
    size_t left = l2v_reader_left(r);
    if (padded) {
        return left <= PADDING_MAX ? L2V_IKE_FAULT_NONE : L2V_IKE_FAULT_TRAILING;
    }
    if (left > ALIGN_MAX) {
        return L2V_IKE_FAULT_TRAILING;
    }
    while (l2v_reader_left(r) > 0) {
        if (l2v_read_u8(r) != 0) {
            return L2V_IKE_FAULT_TRAILING;
        }
    }
    return L2V_IKE_FAULT_NONE;
}

/* rfc2408#5.3: each turn takes at least four bytes, so that no chain can loop. */
static enum l2v_ike_fault read_chain(struct l2v_reader *r, unsigned type, struct l2v_ike_message *m)
{
    while (type != L2V_IKE1_PAYLOAD_NONE) {
        bool known = type_is_known(type);
        unsigned next = l2v_read_u8(r);
        unsigned reserved = l2v_read_u8(r);
        size_t len = l2v_read_u16(r);
        const uint8_t *body;

        if (!known && !type_is_private(type)) {
            return L2V_IKE_FAULT_PAYLOAD_TYPE;
        }
        if (r->failed || len < L2V_IKE_GENERIC_LEN) {
            return L2V_IKE_FAULT_PAYLOAD_LENGTH;
        }
        body = l2v_read_bytes(r, len - L2V_IKE_GENERIC_LEN);
        if (body == NULL) {
            return L2V_IKE_FAULT_PAYLOAD_LENGTH;
        }
        if (reserved != 0) {
            return L2V_IKE_FAULT_RESERVED;
        }
        if (m->n + m->n_unknown >= L2V_IKE_MAX_PAYLOADS) {
            return L2V_IKE_FAULT_TOO_MANY;
        }
        if (known) {
            struct l2v_ike_payload *p = &m->payloads[m->n++];
            p->type = (uint8_t)type;
            p->len = (uint16_t)(len - L2V_IKE_GENERIC_LEN);
            p->body = body;
        } else {
            m->n_unknown++;
        }
        type = next;
    }
    return L2V_IKE_FAULT_NONE;
}

enum l2v_ike_fault l2v_ike1_payloads_parse(uint8_t first, const uint8_t *data, size_t len,
                                           bool padded, struct l2v_ike_message *ret)
{
    struct l2v_reader r;
    enum l2v_ike_fault fault;

    l2v_reader_init(&r, data, len);
    ret->start = r.pos;
    ret->n = 0;
    ret->n_unknown = 0;
    fault = read_chain(&r, first, ret);
    if (fault != L2V_IKE_FAULT_NONE) {
        ret->n = 0;
        return fault;
    }
    ret->len = (size_t)(r.pos - ret->start);
    return check_rest(&r, padded);
}

enum l2v_ike_fault l2v_ike1_message_parse(const uint8_t *data, size_t len,
                                          struct l2v_ike_message *ret)
{
    struct l2v_reader r;
    enum l2v_ike_fault fault;

    ret->n = 0;
    if (l2v_ike_header_parse(data, len, &ret->header) != 0) {
        return len < L2V_IKE_HEADER_LEN ? L2V_IKE_FAULT_TRUNCATED : L2V_IKE_FAULT_LENGTH;
    }
    fault = l2v_ike1_header_check(&ret->header, len);
    if (fault != L2V_IKE_FAULT_NONE) {
        return fault;
    }
    l2v_reader_init(&r, data, len);
    l2v_read_skip(&r, L2V_IKE_HEADER_LEN);
    return l2v_ike1_payloads_parse(ret->header.next_payload, r.pos, l2v_reader_left(&r),
                                   (ret->header.flags & L2V_IKE1_FLAG_ENCRYPTION) != 0, ret);
}

const struct l2v_ike_payload *l2v_ike_message_find(const struct l2v_ike_message *m, unsigned type,
                                                   unsigned nth)
{
    for (unsigned i = 0; i < m->n; i++) {
        if (m->payloads[i].type == type && nth-- == 0) {
            return &m->payloads[i];
        }
    }
    return NULL;
}

unsigned l2v_ike_message_count(const struct l2v_ike_message *m, unsigned type)
{
    unsigned count = 0;
    for (unsigned i = 0; i < m->n; i++) {
        count += m->payloads[i].type == type;
    }
    return count;
}

const uint8_t *l2v_ike_message_after(const struct l2v_ike_message *m,
                                     const struct l2v_ike_payload *payload, size_t *ret_len)
{
    size_t from = (size_t)(payload->body - m->start) + payload->len;
    *ret_len = m->len - from;
    return payload->body + payload->len;
}

static const struct l2v_ike_rule *find_rule(const struct l2v_ike_rule *rules, size_t n,
                                            unsigned type)
{
    for (size_t i = 0; i < n; i++) {
        if (rules[i].type == type) {
            return &rules[i];
        }
    }
    return NULL;
}

static bool is_always_allowed(unsigned type)
{
    return type == L2V_IKE1_PAYLOAD_VID || type == L2V_IKE1_PAYLOAD_CERTREQ ||
           type_is_private(type);
}

enum l2v_ike_fault l2v_ike1_message_check(const struct l2v_ike_message *m,
                                          const struct l2v_ike_rule *rules, size_t n,
                                          uint8_t *ret_type)
{
    for (unsigned i = 0; i < m->n; i++) {
        unsigned type = m->payloads[i].type;
        const struct l2v_ike_rule *rule = find_rule(rules, n, type);
        if (rule == NULL && !is_always_allowed(type)) {
            *ret_type = (uint8_t)type;
            return L2V_IKE_FAULT_UNEXPECTED;
        }
    }
    for (size_t i = 0; i < n; i++) {
        unsigned count = l2v_ike_message_count(m, rules[i].type);
        if (count < rules[i].min || count > rules[i].max) {
            *ret_type = rules[i].type;
            return count < rules[i].min ? L2V_IKE_FAULT_MISSING : L2V_IKE_FAULT_DUPLICATE;
        }
    }
    return L2V_IKE_FAULT_NONE;
}

/* --- payload bodies -------------------------------------------------------------------------- */

/* rfc2408#3.14 */
int l2v_ike1_notify_parse(const struct l2v_ike_payload *p, struct l2v_ike1_notify *ret)
{
    struct l2v_reader r;
    struct l2v_ike1_notify n;

    l2v_reader_init(&r, p->body, p->len);
    n.doi = l2v_read_u32(&r);
    n.protocol = l2v_read_u8(&r);
    n.spi_len = l2v_read_u8(&r);
    n.type = l2v_read_u16(&r);
    n.spi = l2v_read_bytes(&r, n.spi_len);
    if (r.failed || n.spi_len > 16) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    n.data_len = (uint16_t)l2v_reader_left(&r);
    n.data = l2v_read_bytes(&r, n.data_len);
    *ret = n;
    return 0;
}

static const struct {
    uint16_t type;
    const char *name;
} notify_names[] = {
    {L2V_IKE1_NOTIFY_INVALID_PAYLOAD_TYPE, "INVALID-PAYLOAD-TYPE"},
    {L2V_IKE1_NOTIFY_DOI_NOT_SUPPORTED, "DOI-NOT-SUPPORTED"},
    {L2V_IKE1_NOTIFY_SITUATION_NOT_SUPPORTED, "SITUATION-NOT-SUPPORTED"},
    {L2V_IKE1_NOTIFY_INVALID_COOKIE, "INVALID-COOKIE"},
    {L2V_IKE1_NOTIFY_INVALID_MAJOR_VERSION, "INVALID-MAJOR-VERSION"},
    {L2V_IKE1_NOTIFY_INVALID_MINOR_VERSION, "INVALID-MINOR-VERSION"},
    {L2V_IKE1_NOTIFY_INVALID_EXCHANGE_TYPE, "INVALID-EXCHANGE-TYPE"},
    {L2V_IKE1_NOTIFY_INVALID_FLAGS, "INVALID-FLAGS"},
    {L2V_IKE1_NOTIFY_INVALID_MESSAGE_ID, "INVALID-MESSAGE-ID"},
    {L2V_IKE1_NOTIFY_INVALID_PROTOCOL_ID, "INVALID-PROTOCOL-ID"},
    {L2V_IKE1_NOTIFY_INVALID_SPI, "INVALID-SPI"},
    {L2V_IKE1_NOTIFY_INVALID_TRANSFORM_ID, "INVALID-TRANSFORM-ID"},
    {L2V_IKE1_NOTIFY_ATTRIBUTES_NOT_SUPPORTED, "ATTRIBUTES-NOT-SUPPORTED"},
    {L2V_IKE1_NOTIFY_NO_PROPOSAL_CHOSEN, "NO-PROPOSAL-CHOSEN"},
    {L2V_IKE1_NOTIFY_BAD_PROPOSAL_SYNTAX, "BAD-PROPOSAL-SYNTAX"},
    {L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED, "PAYLOAD-MALFORMED"},
    {L2V_IKE1_NOTIFY_INVALID_KEY_INFORMATION, "INVALID-KEY-INFORMATION"},
    {L2V_IKE1_NOTIFY_INVALID_ID_INFORMATION, "INVALID-ID-INFORMATION"},
    {L2V_IKE1_NOTIFY_INVALID_CERT_ENCODING, "INVALID-CERT-ENCODING"},
    {L2V_IKE1_NOTIFY_INVALID_CERTIFICATE, "INVALID-CERTIFICATE"},
    {L2V_IKE1_NOTIFY_CERT_TYPE_UNSUPPORTED, "CERT-TYPE-UNSUPPORTED"},
    {L2V_IKE1_NOTIFY_INVALID_CERT_AUTHORITY, "INVALID-CERT-AUTHORITY"},
    {L2V_IKE1_NOTIFY_INVALID_HASH_INFORMATION, "INVALID-HASH-INFORMATION"},
    {L2V_IKE1_NOTIFY_AUTHENTICATION_FAILED, "AUTHENTICATION-FAILED"},
    {L2V_IKE1_NOTIFY_INVALID_SIGNATURE, "INVALID-SIGNATURE"},
    {L2V_IKE1_NOTIFY_ADDRESS_NOTIFICATION, "ADDRESS-NOTIFICATION"},
    {L2V_IKE1_NOTIFY_SA_LIFETIME, "NOTIFY-SA-LIFETIME"},
    {L2V_IKE1_NOTIFY_CERTIFICATE_UNAVAILABLE, "CERTIFICATE-UNAVAILABLE"},
    {L2V_IKE1_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE, "UNSUPPORTED-EXCHANGE-TYPE"},
    {L2V_IKE1_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS, "UNEQUAL-PAYLOAD-LENGTHS"},
    {L2V_IKE1_NOTIFY_CONNECTED, "CONNECTED"},
    {L2V_IKE1_NOTIFY_RESPONDER_LIFETIME, "RESPONDER-LIFETIME"},
    {L2V_IKE1_NOTIFY_REPLAY_STATUS, "REPLAY-STATUS"},
    {L2V_IKE1_NOTIFY_INITIAL_CONTACT, "INITIAL-CONTACT"},
    {L2V_IKE1_NOTIFY_R_U_THERE, "R-U-THERE"},
    {L2V_IKE1_NOTIFY_R_U_THERE_ACK, "R-U-THERE-ACK"},
};

const char *l2v_ike1_notify_name(unsigned type)
{
    for (size_t i = 0; i < sizeof(notify_names) / sizeof(notify_names[0]); i++) {
        if (notify_names[i].type == type) {
            return notify_names[i].name;
        }
    }
    return NULL;
}

/* rfc2408#3.15: the SPIs must fill the payload exactly, of the size that the protocol has. */
int l2v_ike1_delete_parse(const struct l2v_ike_payload *p, struct l2v_ike1_delete *ret)
{
    struct l2v_reader r;
    struct l2v_ike1_delete d;
    size_t want;

    l2v_reader_init(&r, p->body, p->len);
    d.doi = l2v_read_u32(&r);
    d.protocol = l2v_read_u8(&r);
    d.spi_len = l2v_read_u8(&r);
    d.n_spis = l2v_read_u16(&r);
    want = d.protocol == L2V_IKE1_PROTO_ISAKMP ? 16 : 4;
    d.spis = l2v_read_bytes(&r, (size_t)d.spi_len * d.n_spis);
    if (r.failed || l2v_reader_left(&r) != 0 || d.spi_len != want || d.n_spis == 0) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    *ret = d;
    return 0;
}

const uint8_t *l2v_ike1_delete_spi(const struct l2v_ike1_delete *d, unsigned nth)
{
    return nth < d->n_spis ? &d->spis[(size_t)nth * d->spi_len] : NULL;
}
