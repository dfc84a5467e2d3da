/* SPDX-License-Identifier: MIT */
/* AVPs of RFC 2661: the table, a reader that reveals hidden values, a writer that can hide them. */
#ifndef L2V_L2TP_AVP_H
#define L2V_L2TP_AVP_H

#include "base_env.h"
#include "base_wire.h"
#include "l2tp_const.h"
#include "l2v_crypto.h"

#define L2V_AVP_HEADER 6u
#define L2V_AVP_VALUE_MAX 1017u /* rfc2661#4.1 10 bits of length */
#define L2V_AVP_VECTOR_LEN 16u  /* rfc2661#4.4.1 at least 16 octets are recommended */

enum l2v_avp_kind {
    L2V_AVP_KIND_FLAG, /* no value: present or not */
    L2V_AVP_KIND_U16,
    L2V_AVP_KIND_U32,
    L2V_AVP_KIND_BLOB,    /* octets */
    L2V_AVP_KIND_RESULT,  /* result, optional error, optional text */
    L2V_AVP_KIND_INTERNAL /* message type, random vector: handled by the codec itself */
};

#define L2V_AVP_M 0x1u       /* sent with the M bit */
#define L2V_AVP_H 0x2u       /* may be hidden */
#define L2V_AVP_NONZERO 0x4u /* zero is out of range */

/* Bit of a message type in the masks below. */
#define L2V_MSG_BIT(type) (1u << (type))

struct l2v_avp_info {
    uint16_t type;
    uint16_t min_len, max_len; /* of the value in clear */
    uint8_t flags;             /* L2V_AVP_… */
    uint8_t kind;              /* enum l2v_avp_kind */
    uint32_t must;             /* messages that must carry it */
    uint32_t may;              /* messages that may carry it (must included) */
    size_t offset;             /* of its field in struct l2v_l2tp_msg */
    const char *name;
};

const struct l2v_avp_info *l2v_avp_table(size_t *ret_n);
const struct l2v_avp_info *l2v_avp_find(uint16_t vendor, uint16_t type); /* NULL = unrecognised */

/* The secret for hiding; len 0 = none. */
struct l2v_avp_secret {
    struct l2v_crypto *crypto;
    const uint8_t *data;
    size_t len;
};

/* rfc2661#4.3 the MD5 chain, in place. 0, CRYPTO. */
int l2v_avp_hide(const struct l2v_avp_secret *secret, uint16_t type, const uint8_t *vector,
                 size_t vector_len, bool reveal, uint8_t *data, size_t len);

/* --- reading --------------------------------------------------------------------------------- */
struct l2v_avp {
    uint16_t vendor;
    uint16_t type;
    bool mandatory;
    bool hidden;
    bool reserved;        /* a reserved bit was set: treat as unrecognised (rfc2661#4.1) */
    int error;            /* of the hidden value: 0, MALFORMED, AUTH_L2TP (no secret), CRYPTO */
    const uint8_t *value; /* in clear */
    size_t len;
};

struct l2v_avp_reader {
    struct l2v_reader r;
    const struct l2v_avp_secret *secret;
    const uint8_t *vector; /* the last Random Vector seen; NULL = none */
    size_t vector_len;
    struct l2v_writer scratch; /* revealed values live here */
};

/* scratch must stay as long as the values are used; the caller wipes it. */
void l2v_avp_reader_init(struct l2v_avp_reader *ar, const uint8_t *body, size_t len,
                         const struct l2v_avp_secret *secret, uint8_t *scratch, size_t scratch_len);
/* 1 = an AVP was read, 0 = end, MALFORMED = what is left is no AVP. */
int l2v_avp_read(struct l2v_avp_reader *ar, struct l2v_avp *ret_avp);

/* --- writing --------------------------------------------------------------------------------- */
struct l2v_avp_writer {
    struct l2v_writer w;
    struct l2v_env *env;
    const struct l2v_avp_secret *secret;
    bool hide;
    bool has_vector;
    uint8_t vector[L2V_AVP_VECTOR_LEN];
    int error; /* the first one; sticks */
};

/* hide: hide whatever may be hidden (needs a secret). */
void l2v_avp_writer_init(struct l2v_avp_writer *aw, struct l2v_env *env,
                         const struct l2v_avp_secret *secret, bool hide, uint8_t *data,
                         size_t size);
/* M bit and hiding as the table says. */
void l2v_avp_write(struct l2v_avp_writer *aw, uint16_t type, const void *value, size_t len);
void l2v_avp_write_u16(struct l2v_avp_writer *aw, uint16_t type, uint16_t value);
void l2v_avp_write_u32(struct l2v_avp_writer *aw, uint16_t type, uint32_t value);
/* 0, or the first error: MSGSIZE, CRYPTO, INVALID. */
int l2v_avp_writer_end(const struct l2v_avp_writer *aw, size_t *ret_len);

#endif
