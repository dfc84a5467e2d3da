/* SPDX-License-Identifier: MIT */
/* Inside SA payloads: proposals, transforms, attributes. RFC 2408 sections 3.3 to 3.6. */
#ifndef L2V_IKE1_ATTR_H
#define L2V_IKE1_ATTR_H

#include <stdbool.h>

#include "base_wire.h"

/* A number, whether it came as TV or as TLV: peers do as they like with either. */
struct l2v_ike1_attr {
    uint16_t type;
    uint32_t value; /* saturates */
};
/* false at the end and, with r->failed, when an attribute runs over. */
bool l2v_ike1_attr_next(struct l2v_reader *r, struct l2v_ike1_attr *ret);
/* TV when the value fits into 16 bits, else TLV with four bytes. */
void l2v_ike1_attr_write(struct l2v_writer *w, unsigned type, uint32_t value);

/* Life types and durations come in pairs, several pairs in one list (rfc2407#4.5.2). */
struct l2v_ike1_life {
    uint32_t s, kb; /* 0 = absent */
    uint32_t open;  /* a type that waits for its duration */
};
/* false: a contradiction, or a type that is not known. */
bool l2v_ike1_life_type(struct l2v_ike1_life *life, uint32_t value);
bool l2v_ike1_life_duration(struct l2v_ike1_life *life, uint32_t value);
void l2v_ike1_life_write(struct l2v_writer *w, unsigned type_attr, unsigned duration_attr,
                         uint32_t life_s, uint32_t life_kb);

/* Sets a field once: 0 is "not yet"; the same value again is allowed, another is not. */
bool l2v_ike1_attr_set(uint16_t *field, uint32_t value);

struct l2v_ike1_transform {
    uint8_t proposal_no, protocol, spi_len;
    bool alone; /* no other proposal has the same number: not one half of an AND */
    const uint8_t *spi;
    uint8_t number, id;
    struct l2v_reader attrs;
};
/* Checks the whole body, then visits each transform in order. visit returns false to stop.
 * 0, MALFORMED, UNSUPPORTED (DOI, situation). */
int l2v_ike1_sa_walk(const uint8_t *body, size_t len,
                     bool (*visit)(void *user, const struct l2v_ike1_transform *t), void *user);

/* Writing: DOI, situation and one proposal; transforms; end. */
struct l2v_ike1_sa_writer {
    struct l2v_writer *w;
    size_t proposal_at, transform_at;
    unsigned n;
};
void l2v_ike1_sa_begin(struct l2v_ike1_sa_writer *sa, struct l2v_writer *w, unsigned proposal_no,
                       unsigned protocol, uint32_t spi); /* spi 0 = none */
/* Closes the transform before. Attributes follow. An answer repeats the number of the offer, which
 * may be 0 (Openswan counts from there). */
void l2v_ike1_sa_transform(struct l2v_ike1_sa_writer *sa, unsigned number, unsigned id);
void l2v_ike1_sa_end(struct l2v_ike1_sa_writer *sa);

#endif
