/* SPDX-License-Identifier: MIT */
/* ISAKMP messages: bounded parser into a fixed struct, and builder. Views point into the caller's
 * buffer and live as long as it does. Nothing here allocates. */
#ifndef L2V_IKE_WIRE_H
#define L2V_IKE_WIRE_H

#include <stdbool.h>

#include "base_wire.h"
#include "ike_const.h"

/* Why a message was refused. */
enum l2v_ike_fault {
    L2V_IKE_FAULT_NONE = 0,
    L2V_IKE_FAULT_TRUNCATED,      /* shorter than a header, or than its length field */
    L2V_IKE_FAULT_LENGTH,         /* length field below 28 or not the size of the datagram */
    L2V_IKE_FAULT_VERSION,        /* not 1.0 */
    L2V_IKE_FAULT_EXCHANGE,       /* exchange type 0, or unknown */
    L2V_IKE_FAULT_FLAGS,          /* unknown flag bits */
    L2V_IKE_FAULT_COOKIE,         /* initiator cookie zero */
    L2V_IKE_FAULT_PAYLOAD_LENGTH, /* payload length below 4 or beyond the message */
    L2V_IKE_FAULT_PAYLOAD_TYPE,   /* a type that may not stand in the chain */
    L2V_IKE_FAULT_RESERVED,       /* RESERVED not zero */
    L2V_IKE_FAULT_TOO_MANY,       /* more than L2V_IKE_MAX_PAYLOADS */
    L2V_IKE_FAULT_TRAILING,       /* bytes behind the last payload of a clear message */
    L2V_IKE_FAULT_MISSING,        /* a payload that the exchange needs is absent */
    L2V_IKE_FAULT_DUPLICATE,      /* more of one type than the exchange allows */
    L2V_IKE_FAULT_UNEXPECTED,     /* a payload that has no place in this message */
    L2V_IKE_FAULT_SYNTAX          /* inside a payload body */
};
/* Static text ("payload length out of bounds"). */
const char *l2v_ike_fault_text(enum l2v_ike_fault fault);
/* The notify type that RFC 2408 section 5 names for it (L2V_IKE1_NOTIFY_…). */
unsigned l2v_ike_fault_notify(enum l2v_ike_fault fault);

struct l2v_ike_header {
    uint8_t icookie[8]; /* initiator's cookie; v2: SPIi */
    uint8_t rcookie[8];
    uint8_t next_payload;
    uint8_t version;
    uint8_t exchange;
    uint8_t flags;
    uint32_t message_id;
    uint32_t length;
};

/* The 28 bytes, any version; only checks that they are there and 28 <= length <= len.
 * 0, MALFORMED. */
int l2v_ike_header_parse(const uint8_t *data, size_t len, struct l2v_ike_header *ret_header);
/* RFC 2408 section 5.2 for a v1 message of len bytes: version, length == len, exchange type,
 * flags, cookies. L2V_IKE_FAULT_NONE if it is good. */
enum l2v_ike_fault l2v_ike1_header_check(const struct l2v_ike_header *h, size_t len);
/* The responder's cookie is all zero (first message). */
bool l2v_ike_cookie_is_zero(const uint8_t cookie[8]);

struct l2v_ike_payload {
    const uint8_t *body; /* behind the generic header */
    uint16_t len;        /* of body */
    uint8_t type;
};

#define L2V_IKE_MAX_PAYLOADS 48u

struct l2v_ike_message {
    struct l2v_ike_header header; /* only set by l2v_ike1_message_parse */
    const uint8_t *start;         /* first generic payload header */
    size_t len;                   /* from start to behind the last payload: no padding */
    unsigned n;
    unsigned n_unknown; /* private-use payloads that were skipped */
    struct l2v_ike_payload payloads[L2V_IKE_MAX_PAYLOADS];
};

/* A payload chain: what follows the header. padded: after decryption, anything may follow the last
 * payload (at most 255 bytes). Private-use payload types that are not known are skipped, reserved
 * ones refused. *ret is valid only if the result is NONE. */
enum l2v_ike_fault l2v_ike1_payloads_parse(uint8_t first, const uint8_t *data, size_t len,
                                           bool padded, struct l2v_ike_message *ret);
/* Header and chain of a message in clear (flag E not set) or, after l2v_ike1_decrypt, of an
 * encrypted one. */
enum l2v_ike_fault l2v_ike1_message_parse(const uint8_t *data, size_t len,
                                          struct l2v_ike_message *ret);

/* The nth (from 0) payload of a type; NULL if there are fewer. */
const struct l2v_ike_payload *l2v_ike_message_find(const struct l2v_ike_message *m, unsigned type,
                                                   unsigned nth);
unsigned l2v_ike_message_count(const struct l2v_ike_message *m, unsigned type);
/* All bytes behind a payload up to the end of the chain, without padding (the HASH(n) input). */
const uint8_t *l2v_ike_message_after(const struct l2v_ike_message *m,
                                     const struct l2v_ike_payload *payload, size_t *ret_len);

/* Which payloads a message may and must carry. VID, private-use and (unless a rule names them)
 * CERTREQ payloads are always allowed; every other type needs a rule. */
struct l2v_ike_rule {
    uint8_t type, min, max;
};
enum l2v_ike_fault l2v_ike1_message_check(const struct l2v_ike_message *m,
                                          const struct l2v_ike_rule *rules, size_t n,
                                          uint8_t *ret_type);

/* --- payload bodies -------------------------------------------------------------------------- */
struct l2v_ike1_notify {
    uint32_t doi;
    uint8_t protocol;
    uint8_t spi_len; /* 0, 4, 8 or 16 */
    uint16_t type;
    const uint8_t *spi;
    const uint8_t *data;
    uint16_t data_len;
};
int l2v_ike1_notify_parse(const struct l2v_ike_payload *p, struct l2v_ike1_notify *ret); /* 0, MALFORMED */
/* "NO-PROPOSAL-CHOSEN", or NULL. Static. */
const char *l2v_ike1_notify_name(unsigned type);
static inline bool l2v_ike1_notify_is_error(unsigned type)
{
    return type < L2V_IKE1_NOTIFY_STATUS;
}

struct l2v_ike1_delete {
    uint32_t doi;
    uint8_t protocol;
    uint8_t spi_len; /* 4 (ESP, AH) or 16 (ISAKMP) */
    uint16_t n_spis;
    const uint8_t *spis; /* n_spis * spi_len bytes */
};
int l2v_ike1_delete_parse(const struct l2v_ike_payload *p, struct l2v_ike1_delete *ret);
const uint8_t *l2v_ike1_delete_spi(const struct l2v_ike1_delete *d, unsigned nth); /* NULL = end */

/* Nonce of 8 to 256 bytes. */
static inline bool l2v_ike1_nonce_is_valid(const struct l2v_ike_payload *p)
{
    return p->len >= L2V_IKE1_NONCE_MIN && p->len <= L2V_IKE1_NONCE_MAX;
}

/* --- builder --------------------------------------------------------------------------------- */
/* _begin, then payloads (each ends where the next begins), then _end. Errors stick in w.failed. */
struct l2v_ike_build {
    struct l2v_writer w; /* write payload bodies here */
    size_t next_at;      /* where the type of the next payload goes */
    size_t payload_at;   /* generic header of the open payload; 0 = none */
};
/* h->next_payload and h->length are ignored. */
void l2v_ike_build_begin(struct l2v_ike_build *b, void *buf, size_t size,
                         const struct l2v_ike_header *h);
/* Starts a payload: closes the one before, links it. Its body is what is then written to b->w. */
void l2v_ike_build_payload(struct l2v_ike_build *b, unsigned type);
/* A payload with this body. */
void l2v_ike_build_add(struct l2v_ike_build *b, unsigned type, const void *body, size_t len);
/* A payload with len zero bytes to be filled in later (HASH); NULL if there is no room. */
uint8_t *l2v_ike_build_reserve(struct l2v_ike_build *b, unsigned type, size_t len);
void l2v_ike_build_notify(struct l2v_ike_build *b, unsigned protocol, const void *spi,
                          size_t spi_len, unsigned type, const void *data, size_t data_len);
void l2v_ike_build_delete(struct l2v_ike_build *b, unsigned protocol, size_t spi_len,
                          const void *spis, size_t n_spis);
/* Closes the last payload and returns the offset behind it (0 after an error): end of the HASH(n)
 * input, before padding. Payloads may still follow. */
size_t l2v_ike_build_close(struct l2v_ike_build *b);
/* Closes, pads with zeros to a multiple of block behind the header (block 0 = no padding), patches
 * the length. 0, MSGSIZE. */
int l2v_ike_build_end(struct l2v_ike_build *b, size_t block, size_t *ret_len);

#endif
