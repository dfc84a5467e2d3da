/* SPDX-License-Identifier: MIT */
/* Phase 2 proposals: SA payload bodies of quick mode. RFC 2407 section 4.5, RFC 4106 section 8,
 * RFC 4304, RFC 3947 section 5.1. */
#include "ike1_alg.h"
#include "ike1_attr.h"
#include "ike1_natt.h"
#include "ike1_proposal.h"

#define SPI_MIN 256u   /* rfc4303#2.1: below are reserved */
#define ESN_64_BIT 1u  /* rfc4304#2 */
#define ANY_GROUP 0xffffu

static const struct {
    uint8_t transform;
    uint8_t auth;
    enum l2v_suite_id suite;
} suites[] = {
    {L2V_IKE1_ESP_AES_GCM_16, 0, L2V_SUITE_AES_GCM_16},
    {L2V_IKE1_ESP_AES_GCM_12, 0, L2V_SUITE_AES_GCM_12},
    {L2V_IKE1_ESP_AES_GCM_8, 0, L2V_SUITE_AES_GCM_8},
    {L2V_IKE1_ESP_AES_CBC, L2V_IKE1_IPSEC_AUTH_SHA1, L2V_SUITE_AES_CBC_SHA1_96},
    {L2V_IKE1_ESP_AES_CBC, L2V_IKE1_IPSEC_AUTH_SHA256, L2V_SUITE_AES_CBC_SHA256_128},
    {L2V_IKE1_ESP_AES_CBC, L2V_IKE1_IPSEC_AUTH_SHA384, L2V_SUITE_AES_CBC_SHA384_192},
    {L2V_IKE1_ESP_AES_CBC, L2V_IKE1_IPSEC_AUTH_SHA512, L2V_SUITE_AES_CBC_SHA512_256},
    {L2V_IKE1_ESP_3DES, L2V_IKE1_IPSEC_AUTH_SHA1, L2V_SUITE_3DES_CBC_SHA1_96},
};

static bool is_gcm(unsigned transform)
{
    return transform >= L2V_IKE1_ESP_AES_GCM_8 && transform <= L2V_IKE1_ESP_AES_GCM_16;
}

enum l2v_suite_id l2v_ike1_p2_suite(const struct l2v_ike1_p2 *p, bool truncate_96)
{
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (suites[i].transform != p->transform || suites[i].auth != p->auth) {
            continue;
        }
        if (l2v_ike1_p2_enc_len(p) == 0) {
            return L2V_SUITE_NONE;
        }
        if (suites[i].suite == L2V_SUITE_AES_CBC_SHA256_128 && truncate_96) {
            return L2V_SUITE_AES_CBC_SHA256_96;
        }
        return suites[i].suite;
    }
    return L2V_SUITE_NONE;
}

size_t l2v_ike1_p2_enc_len(const struct l2v_ike1_p2 *p)
{
    bool aes = p->transform == L2V_IKE1_ESP_AES_CBC || is_gcm(p->transform);
    if (p->transform == L2V_IKE1_ESP_3DES) {
        return 24;
    }
    if (!aes || (p->key_bits != 128 && p->key_bits != 192 && p->key_bits != 256)) {
        return 0; /* rfc3602#5.3 rfc4106#8.4: the key length must be there */
    }
    return p->key_bits / 8u + (is_gcm(p->transform) ? 4u : 0u); /* rfc4106#8.1: salt */
}

size_t l2v_ike1_p2_auth_len(const struct l2v_ike1_p2 *p)
{
    switch (p->auth) { /* rfc2404#3 rfc4868#2.1 */
    case L2V_IKE1_IPSEC_AUTH_SHA1:
        return 20;
    case L2V_IKE1_IPSEC_AUTH_SHA256:
        return 32;
    case L2V_IKE1_IPSEC_AUTH_SHA384:
        return 48;
    case L2V_IKE1_IPSEC_AUTH_SHA512:
        return 64;
    default:
        return 0;
    }
}

/* --- writing --------------------------------------------------------------------------------- */

static void write_transform(struct l2v_ike1_sa_writer *sa, const struct l2v_ike1_p2 *p)
{
    struct l2v_writer *w = sa->w;
    l2v_ike1_sa_transform(sa, p->transform_no, p->transform);
    l2v_ike1_life_write(w, L2V_IKE1_IPSEC_LIFE_TYPE, L2V_IKE1_IPSEC_LIFE_DURATION, p->life_s,
                        p->life_kb);
    if (p->group != 0) {
        l2v_ike1_attr_write(w, L2V_IKE1_IPSEC_GROUP, p->group);
    }
    if (p->encap != 0) {
        l2v_ike1_attr_write(w, L2V_IKE1_IPSEC_ENCAPSULATION, p->encap);
    }
    if (p->auth != 0) {
        l2v_ike1_attr_write(w, L2V_IKE1_IPSEC_AUTH, p->auth);
    }
    if (p->key_bits != 0) {
        l2v_ike1_attr_write(w, L2V_IKE1_IPSEC_KEY_LENGTH, p->key_bits);
    }
    if (p->esn) {
        l2v_ike1_attr_write(w, L2V_IKE1_IPSEC_ESN, ESN_64_BIT);
    }
}

static void write_algorithms(struct l2v_ike1_sa_writer *sa, const struct l2v_ike1_p2_list *list,
                             const struct l2v_ike1_p2_terms *terms, uint16_t encap)
{
    for (unsigned i = 0; i < list->n; i++) {
        struct l2v_ike1_p2 p = list->items[i];
        bool always_esn = p.esn;
        p.group = terms->group;
        p.encap = encap;
        p.life_s = terms->life_s;
        p.life_kb = terms->life_kb;
        if (terms->esn || always_esn) {
            p.esn = true;
            p.transform_no = (uint8_t)(sa->n + 1);
            write_transform(sa, &p);
        }
        /* Peers without RFC 4304 skip a transform whose attribute they do not know. */
        if (!always_esn) {
            p.esn = false;
            p.transform_no = (uint8_t)(sa->n + 1);
            write_transform(sa, &p);
        }
    }
}

/* All transforms of one carrier stand before those of the other: many responders take the first
 * that they can do, so that the order decides the carrier. */
void l2v_ike1_p2_write_offer(struct l2v_writer *w, const struct l2v_ike1_p2_list *list,
                             const struct l2v_ike1_p2_terms *terms)
{
    struct l2v_ike1_sa_writer sa;
    l2v_ike1_sa_begin(&sa, w, 1, L2V_IKE1_PROTO_ESP, terms->spi);
    for (unsigned i = 0; i < 2; i++) {
        if (terms->encaps[i] != 0) {
            write_algorithms(&sa, list, terms, terms->encaps[i]);
        }
    }
    l2v_ike1_sa_end(&sa);
}

void l2v_ike1_p2_write_choice(struct l2v_writer *w, const struct l2v_ike1_p2 *chosen, uint32_t spi)
{
    struct l2v_ike1_sa_writer sa;
    l2v_ike1_sa_begin(&sa, w, chosen->proposal_no, L2V_IKE1_PROTO_ESP, spi);
    write_transform(&sa, chosen);
    l2v_ike1_sa_end(&sa);
}

/* --- reading --------------------------------------------------------------------------------- */

/* false: unknown, contradictory (rfc2407#4.5.2) or not ESP on its own. */
static bool read_transform(const struct l2v_ike1_transform *t, struct l2v_ike1_p2 *ret)
{
    struct l2v_reader r = t->attrs;
    struct l2v_ike1_life life = {0, 0, 0};
    struct l2v_ike1_attr a;
    struct l2v_ike1_p2 p;
    uint16_t esn = 0;
    bool good = t->protocol == L2V_IKE1_PROTO_ESP && t->alone && t->spi_len == 4;

    memset(&p, 0, sizeof(p));
    while (good && l2v_ike1_attr_next(&r, &a)) {
        switch (a.type) {
        case L2V_IKE1_IPSEC_LIFE_TYPE:
            good = l2v_ike1_life_type(&life, a.value);
            break;
        case L2V_IKE1_IPSEC_LIFE_DURATION:
            good = l2v_ike1_life_duration(&life, a.value);
            break;
        case L2V_IKE1_IPSEC_GROUP:
            good = l2v_ike1_attr_set(&p.group, a.value);
            break;
        case L2V_IKE1_IPSEC_ENCAPSULATION:
            good = l2v_ike1_attr_set(&p.encap, a.value);
            break;
        case L2V_IKE1_IPSEC_AUTH:
            good = l2v_ike1_attr_set(&p.auth, a.value);
            break;
        case L2V_IKE1_IPSEC_KEY_LENGTH:
            good = l2v_ike1_attr_set(&p.key_bits, a.value);
            break;
        case L2V_IKE1_IPSEC_ESN:
            good = l2v_ike1_attr_set(&esn, a.value) && esn == ESN_64_BIT;
            break;
        default:
            good = false;
            break;
        }
    }
    if (!good || life.open != 0) {
        return false;
    }
    p.transform = t->id;
    p.proposal_no = t->proposal_no;
    p.transform_no = t->number;
    p.esn = esn != 0;
    p.life_s = life.s;
    p.life_kb = life.kb;
    p.spi = l2v_get_u32(t->spi);
    *ret = p;
    return p.spi >= SPI_MIN;
}

/* Index in list, or list->n. An item that demands ESN is only met with it. */
static unsigned find_in(const struct l2v_ike1_p2_list *list, const struct l2v_ike1_p2 *p)
{
    for (unsigned i = 0; i < list->n; i++) {
        const struct l2v_ike1_p2 *have = &list->items[i];
        if (have->transform == p->transform && have->key_bits == p->key_bits &&
            have->auth == p->auth && (!have->esn || p->esn) &&
            l2v_ike1_p2_suite(p, false) != L2V_SUITE_NONE) {
            return i;
        }
    }
    return list->n;
}

static bool group_fits(const struct l2v_ike1_p2_policy *policy, unsigned group)
{
    bool found = false;
    if (group == 0) {
        /* rfc2409#5.5: a KE payload belongs to a transform with a group, and the other way round. */
        return !policy->pfs_required && policy->ke_group == 0;
    }
    for (unsigned i = 0; i < policy->n_groups; i++) {
        found = found || policy->groups[i] == group;
    }
    return found && (policy->ke_group == ANY_GROUP || policy->ke_group == group);
}

/* 0 = wanted carrier, 1 = the other, 2 = none of ours (tunnel mode). */
static unsigned carrier_rank(const struct l2v_ike1_p2_policy *policy, unsigned encap)
{
    bool udp = l2v_ike1_encap_is_udp_transport((uint16_t)encap);
    bool plain = encap == L2V_IKE1_ENCAP_TRANSPORT || encap == 0;
    if (!udp && !plain) {
        return 2;
    }
    if (udp == policy->udp) {
        return 0;
    }
    return policy->allow_other_mode ? 1 : 2;
}

static bool is_weak(const struct l2v_ike1_p2 *p)
{
    return p->transform == L2V_IKE1_ESP_3DES;
}

struct choice {
    const struct l2v_ike1_p2_policy *policy;
    bool found;
    unsigned rank;
    struct l2v_ike1_p2 best;
};

static bool visit_choose(void *user, const struct l2v_ike1_transform *t)
{
    struct choice *c = (struct choice *)user;
    struct l2v_ike1_p2 p;
    unsigned i, carrier, rank;

    if (!read_transform(t, &p) || (p.esn && !c->policy->esn) || !group_fits(c->policy, p.group)) {
        return true;
    }
    i = find_in(c->policy->list, &p);
    carrier = carrier_rank(c->policy, p.encap);
    if (i == c->policy->list->n || carrier > 1) {
        return true;
    }
    /* Carrier, then strength, then our order; PFS before none, ESN before none; the peer's order
     * among equals. */
    rank = carrier << 16 | (unsigned)is_weak(&p) << 15 | i << 4 | (p.group == 0 ? 2u : 0u) |
           (p.esn ? 0u : 1u);
    if (!c->found || rank < c->rank) {
        c->found = true;
        c->rank = rank;
        c->best = p;
    }
    return true;
}

int l2v_ike1_p2_choose(const struct l2v_ike1_p2_policy *policy, const uint8_t *body, size_t len,
                       struct l2v_ike1_p2 *ret)
{
    struct choice c;
    int rc;

    memset(&c, 0, sizeof(c));
    c.policy = policy;
    rc = l2v_ike1_sa_walk(body, len, visit_choose, &c);
    if (rc == 0 && !c.found) {
        rc = L2TPVOIP_ERR_NO_PROPOSAL;
    }
    if (rc == 0) {
        *ret = c.best;
    }
    return rc;
}

struct answer {
    unsigned n; /* transforms, the unreadable included */
    bool readable;
    struct l2v_ike1_p2 p;
};

static bool visit_answer(void *user, const struct l2v_ike1_transform *t)
{
    struct answer *a = (struct answer *)user;
    a->n++;
    a->readable = read_transform(t, &a->p);
    return a->n < 2;
}

/* The code points of RFC 3947 and of the drafts mean the same; some peers answer with the other. */
static bool encap_was_offered(const struct l2v_ike1_p2_terms *terms, uint16_t encap)
{
    bool udp = l2v_ike1_encap_is_udp_transport(encap);
    for (unsigned i = 0; i < 2; i++) {
        uint16_t offered = terms->encaps[i];
        if (offered != 0 &&
            (offered == encap || (udp && l2v_ike1_encap_is_udp_transport(offered)))) {
            return true;
        }
    }
    return false;
}

int l2v_ike1_p2_verify(const struct l2v_ike1_p2_list *offered, const struct l2v_ike1_p2_terms *terms,
                       const uint8_t *body, size_t len, struct l2v_ike1_p2 *ret)
{
    struct answer a;
    unsigned i;
    int rc;

    memset(&a, 0, sizeof(a));
    rc = l2v_ike1_sa_walk(body, len, visit_answer, &a);
    if (rc != 0) {
        return rc;
    }
    if (a.n != 1) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (!a.readable) {
        return L2TPVOIP_ERR_NO_PROPOSAL;
    }
    if (a.p.encap == 0) {
        a.p.encap = terms->encaps[0];
    }
    i = find_in(offered, &a.p);
    if (i == offered->n || a.p.group != terms->group || !encap_was_offered(terms, a.p.encap) ||
        (a.p.esn && !terms->esn && !offered->items[i].esn)) {
        return L2TPVOIP_ERR_NO_PROPOSAL;
    }
    *ret = a.p;
    return 0;
}

static bool visit_read(void *user, const struct l2v_ike1_transform *t)
{
    struct l2v_ike1_p2_list *list = (struct l2v_ike1_p2_list *)user;
    if (read_transform(t, &list->items[list->n])) {
        list->n++;
    }
    return list->n < L2V_IKE1_P2_MAX;
}

int l2v_ike1_p2_read(const uint8_t *body, size_t len, struct l2v_ike1_p2_list *ret)
{
    ret->n = 0;
    return l2v_ike1_sa_walk(body, len, visit_read, ret);
}

/* rfc2407#4.6.3.1 */
int l2v_ike1_lifetime_read(unsigned protocol, const uint8_t *data, size_t len, uint32_t *ret_s,
                           uint32_t *ret_kb)
{
    bool isakmp = protocol == L2V_IKE1_PROTO_ISAKMP;
    unsigned type = isakmp ? L2V_IKE1_OAKLEY_LIFE_TYPE : L2V_IKE1_IPSEC_LIFE_TYPE;
    unsigned duration = isakmp ? L2V_IKE1_OAKLEY_LIFE_DURATION : L2V_IKE1_IPSEC_LIFE_DURATION;
    struct l2v_ike1_life life = {0, 0, 0};
    struct l2v_ike1_attr a;
    struct l2v_reader r;
    bool good = true;

    l2v_reader_init(&r, data, len);
    while (good && l2v_ike1_attr_next(&r, &a)) {
        if (a.type == type) {
            good = l2v_ike1_life_type(&life, a.value);
        } else if (a.type == duration) {
            good = l2v_ike1_life_duration(&life, a.value);
        }
    }
    if (!good || r.failed || life.open != 0) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    *ret_s = life.s;
    *ret_kb = life.kb;
    return 0;
}
