/* SPDX-License-Identifier: MIT */
/* SA payload bodies: bounded walk over proposals and transforms, attributes, and their writer. */
#include <l2tpvoip/error.h>

#include "ike1_attr.h"
#include "ike_const.h"

#define ATTR_TV 0x8000u /* attribute format bit, rfc2408#3.3 */
#define SPI_MAX 16u
#define AT_LENGTH 2u
#define AT_N_TRANSFORMS 7u

bool l2v_ike1_attr_next(struct l2v_reader *r, struct l2v_ike1_attr *ret)
{
    struct l2v_ike1_attr a;
    unsigned head;
    size_t len;

    if (r->failed || l2v_reader_left(r) == 0) {
        return false;
    }
    head = l2v_read_u16(r);
    a.type = (uint16_t)(head & ~ATTR_TV);
    a.value = l2v_read_u16(r);
    if ((head & ATTR_TV) == 0) {
        len = a.value;
        a.value = 0;
        for (size_t i = 0; i < len && !r->failed; i++) {
            uint32_t byte = l2v_read_u8(r);
            a.value = a.value > UINT32_MAX >> 8 ? UINT32_MAX : a.value << 8 | byte;
        }
    }
    if (r->failed) {
        return false;
    }
    *ret = a;
    return true;
}

void l2v_ike1_attr_write(struct l2v_writer *w, unsigned type, uint32_t value)
{
    if (value <= UINT16_MAX) {
        l2v_write_u16(w, type | ATTR_TV);
        l2v_write_u16(w, (unsigned)value);
        return;
    }
    l2v_write_u16(w, type);
    l2v_write_u16(w, 4);
    l2v_write_u32(w, value);
}

bool l2v_ike1_life_type(struct l2v_ike1_life *life, uint32_t value)
{
    if (life->open != 0 || (value != L2V_IKE1_LIFE_SECONDS && value != L2V_IKE1_LIFE_KILOBYTES)) {
        return false;
    }
    life->open = value;
    return true;
}

bool l2v_ike1_life_duration(struct l2v_ike1_life *life, uint32_t value)
{
    uint32_t *field = life->open == L2V_IKE1_LIFE_SECONDS ? &life->s : &life->kb;
    if (life->open == 0 || (*field != 0 && *field != value)) {
        return false;
    }
    *field = value;
    life->open = 0;
    return true;
}

void l2v_ike1_life_write(struct l2v_writer *w, unsigned type_attr, unsigned duration_attr,
                         uint32_t life_s, uint32_t life_kb)
{
    if (life_s != 0) {
        l2v_ike1_attr_write(w, type_attr, L2V_IKE1_LIFE_SECONDS);
        l2v_ike1_attr_write(w, duration_attr, life_s);
    }
    if (life_kb != 0) {
        l2v_ike1_attr_write(w, type_attr, L2V_IKE1_LIFE_KILOBYTES);
        l2v_ike1_attr_write(w, duration_attr, life_kb);
    }
}

bool l2v_ike1_attr_set(uint16_t *field, uint32_t value)
{
    if (value == 0 || value > UINT16_MAX || (*field != 0 && *field != value)) {
        return false;
    }
    *field = (uint16_t)value;
    return true;
}

/* --- walk ------------------------------------------------------------------------------------ */

struct walk {
    bool (*visit)(void *user, const struct l2v_ike1_transform *t); /* NULL: only check and count */
    void *user;
    bool stopped;
    uint8_t counts[256]; /* proposals by number */
};

/* Proposals and transforms share their head: next, RESERVED, length. The item's bytes behind the
 * head come back; *last says that no other may follow. */
static bool read_item(struct l2v_reader *r, unsigned next_type, struct l2v_reader *ret, bool *last)
{
    unsigned next = l2v_read_u8(r);
    unsigned reserved = l2v_read_u8(r);
    size_t len = l2v_read_u16(r);

    if (r->failed || reserved != 0 || len < L2V_IKE_GENERIC_LEN ||
        (next != 0 && next != next_type)) {
        return false;
    }
    *ret = l2v_read_sub(r, len - L2V_IKE_GENERIC_LEN);
    *last = next == 0;
    return !ret->failed && *last == (l2v_reader_left(r) == 0);
}

static bool attrs_are_whole(struct l2v_reader attrs)
{
    struct l2v_ike1_attr a;
    while (l2v_ike1_attr_next(&attrs, &a)) {
    }
    return !attrs.failed;
}

/* rfc2408#3.6 */
static bool walk_transforms(struct walk *k, struct l2v_reader *r, unsigned n,
                            struct l2v_ike1_transform *t)
{
    bool last = false;
    for (unsigned i = 0; i < n; i++) {
        unsigned reserved2;
        if (last || !read_item(r, L2V_IKE1_PAYLOAD_TRANSFORM, &t->attrs, &last)) {
            return false;
        }
        t->number = l2v_read_u8(&t->attrs);
        t->id = l2v_read_u8(&t->attrs);
        reserved2 = l2v_read_u16(&t->attrs);
        if (t->attrs.failed || reserved2 != 0 || !attrs_are_whole(t->attrs)) {
            return false;
        }
        if (k->visit != NULL && !k->stopped) {
            k->stopped = !k->visit(k->user, t);
        }
    }
    return last; /* also false for a proposal without transforms */
}

/* rfc2408#3.5 */
static bool walk_proposals(struct walk *k, struct l2v_reader r)
{
    bool last = false;
    while (!last) {
        struct l2v_ike1_transform t;
        struct l2v_reader item;
        unsigned n;

        memset(&t, 0, sizeof(t));
        if (!read_item(&r, L2V_IKE1_PAYLOAD_PROPOSAL, &item, &last)) {
            return false;
        }
        t.proposal_no = l2v_read_u8(&item);
        t.protocol = l2v_read_u8(&item);
        t.spi_len = l2v_read_u8(&item);
        n = l2v_read_u8(&item);
        t.spi = l2v_read_bytes(&item, t.spi_len);
        if (item.failed || t.spi_len > SPI_MAX) {
            return false;
        }
        if (k->visit == NULL && k->counts[t.proposal_no] < UINT8_MAX) {
            k->counts[t.proposal_no]++;
        }
        t.alone = k->counts[t.proposal_no] == 1;
        if (!walk_transforms(k, &item, n, &t)) {
            return false;
        }
    }
    return true;
}

int l2v_ike1_sa_walk(const uint8_t *body, size_t len,
                     bool (*visit)(void *user, const struct l2v_ike1_transform *t), void *user)
{
    struct l2v_reader r;
    struct walk k;
    uint32_t doi, situation;

    memset(&k, 0, sizeof(k));
    l2v_reader_init(&r, body, len);
    doi = l2v_read_u32(&r);
    if (r.failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (doi != L2V_IKE1_DOI_IPSEC) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    situation = l2v_read_u32(&r);
    if (r.failed) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (situation != L2V_IKE1_SIT_IDENTITY_ONLY) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    if (!walk_proposals(&k, r)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    k.visit = visit;
    k.user = user;
    (void)walk_proposals(&k, r);
    return 0;
}

/* --- writer ---------------------------------------------------------------------------------- */

void l2v_ike1_sa_begin(struct l2v_ike1_sa_writer *sa, struct l2v_writer *w, unsigned proposal_no,
                       unsigned protocol, uint32_t spi)
{
    sa->w = w;
    sa->n = 0;
    sa->transform_at = 0;
    l2v_write_u32(w, L2V_IKE1_DOI_IPSEC);
    l2v_write_u32(w, L2V_IKE1_SIT_IDENTITY_ONLY);
    sa->proposal_at = l2v_write_begin(w);
    l2v_write_u32(w, 0); /* the only proposal; length follows */
    l2v_write_u8(w, proposal_no);
    l2v_write_u8(w, protocol);
    l2v_write_u8(w, spi != 0 ? 4 : 0);
    l2v_write_u8(w, 0); /* number of transforms follows */
    if (spi != 0) {
        l2v_write_u32(w, spi);
    }
}

static void close_transform(struct l2v_ike1_sa_writer *sa)
{
    if (sa->n > 0) {
        l2v_write_end_u16(sa->w, sa->transform_at, AT_LENGTH, 0);
    }
}

void l2v_ike1_sa_transform(struct l2v_ike1_sa_writer *sa, unsigned number, unsigned id)
{
    close_transform(sa);
    if (sa->n > 0) {
        l2v_write_patch_u8(sa->w, sa->transform_at, L2V_IKE1_PAYLOAD_TRANSFORM);
    }
    sa->n++;
    if (sa->n > UINT8_MAX) {
        sa->w->failed = true;
    }
    sa->transform_at = l2v_write_begin(sa->w);
    l2v_write_u32(sa->w, 0);
    l2v_write_u8(sa->w, number);
    l2v_write_u8(sa->w, id);
    l2v_write_u16(sa->w, 0);
}

void l2v_ike1_sa_end(struct l2v_ike1_sa_writer *sa)
{
    close_transform(sa);
    l2v_write_patch_u8(sa->w, sa->proposal_at + AT_N_TRANSFORMS, sa->n);
    l2v_write_end_u16(sa->w, sa->proposal_at, AT_LENGTH, 0);
}
