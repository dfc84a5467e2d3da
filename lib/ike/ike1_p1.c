/* SPDX-License-Identifier: MIT */
/* Phase 1 proposals: SA payload bodies of main mode. RFC 2409 appendix A, RFC 2408 section 5.4. */
#include "ike1_alg.h"
#include "ike1_attr.h"
#include "ike1_proposal.h"

static const struct {
    uint16_t wire;
    enum l2v_hash hash;
} hash_map[] = {
    {L2V_IKE1_HASH_SHA1, L2V_HASH_SHA1},     {L2V_IKE1_HASH_SHA256, L2V_HASH_SHA256},
    {L2V_IKE1_HASH_SHA384, L2V_HASH_SHA384}, {L2V_IKE1_HASH_SHA512, L2V_HASH_SHA512},
    {L2V_IKE1_HASH_MD5, L2V_HASH_MD5},
};

enum l2v_hash l2v_ike1_p1_hash(const struct l2v_ike1_p1 *p)
{
    for (size_t i = 0; i < sizeof(hash_map) / sizeof(hash_map[0]); i++) {
        if (hash_map[i].wire == p->hash) {
            return hash_map[i].hash;
        }
    }
    return L2V_HASH_NONE;
}

enum l2v_cipher l2v_ike1_p1_cipher(const struct l2v_ike1_p1 *p)
{
    return p->cipher == L2V_IKE1_ENC_AES    ? L2V_CIPHER_AES_CBC
           : p->cipher == L2V_IKE1_ENC_3DES ? L2V_CIPHER_3DES_CBC
                                            : L2V_CIPHER_NONE;
}

size_t l2v_ike1_p1_key_len(const struct l2v_ike1_p1 *p)
{
    if (p->cipher == L2V_IKE1_ENC_3DES) {
        return 24;
    }
    /* rfc3602#5.3: the key length attribute must be there, and is one of three. */
    if (p->cipher == L2V_IKE1_ENC_AES &&
        (p->key_bits == 128 || p->key_bits == 192 || p->key_bits == 256)) {
        return p->key_bits / 8u;
    }
    return 0;
}

/* --- writing --------------------------------------------------------------------------------- */

static void write_transform(struct l2v_ike1_sa_writer *sa, const struct l2v_ike1_p1 *p,
                            uint32_t life_s, uint32_t life_kb)
{
    struct l2v_writer *w = sa->w;
    l2v_ike1_sa_transform(sa, p->transform_no, L2V_IKE1_KEY_IKE);
    l2v_ike1_attr_write(w, L2V_IKE1_OAKLEY_ENCRYPTION, p->cipher);
    if (p->key_bits != 0) {
        l2v_ike1_attr_write(w, L2V_IKE1_OAKLEY_KEY_LENGTH, p->key_bits);
    }
    l2v_ike1_attr_write(w, L2V_IKE1_OAKLEY_HASH, p->hash);
    l2v_ike1_attr_write(w, L2V_IKE1_OAKLEY_GROUP, p->group);
    l2v_ike1_attr_write(w, L2V_IKE1_OAKLEY_AUTH, p->auth);
    l2v_ike1_life_write(w, L2V_IKE1_OAKLEY_LIFE_TYPE, L2V_IKE1_OAKLEY_LIFE_DURATION, life_s,
                        life_kb);
}

void l2v_ike1_p1_write_offer(struct l2v_writer *w, const struct l2v_ike1_p1_list *list,
                             uint32_t life_s)
{
    struct l2v_ike1_sa_writer sa;
    /* rfc2409#5: one proposal only, however many transforms. */
    l2v_ike1_sa_begin(&sa, w, 1, L2V_IKE1_PROTO_ISAKMP, 0);
    for (unsigned i = 0; i < list->n; i++) {
        struct l2v_ike1_p1 p = list->items[i];
        p.transform_no = (uint8_t)(i + 1);
        write_transform(&sa, &p, life_s, 0);
    }
    l2v_ike1_sa_end(&sa);
}

void l2v_ike1_p1_write_choice(struct l2v_writer *w, const struct l2v_ike1_p1 *chosen)
{
    struct l2v_ike1_sa_writer sa;
    l2v_ike1_sa_begin(&sa, w, chosen->proposal_no, L2V_IKE1_PROTO_ISAKMP, 0);
    write_transform(&sa, chosen, chosen->life_s, chosen->life_kb);
    l2v_ike1_sa_end(&sa);
}

/* --- reading --------------------------------------------------------------------------------- */

/* rfc2409#appendix-A: 1 = MODP, 2 = ECP. It says no more than the group does. */
static bool group_type_fits(unsigned group, unsigned type)
{
    bool ecp = group >= L2V_DH_ECP256 && group <= L2V_DH_ECP521;
    return type == 0 || type == (ecp ? 2u : 1u);
}

/* false: the transform cannot be used, because something is unknown, contradictory or missing
 * (rfc2407#4.5.2, rfc2408#5.4). The numbers themselves may be unknown to us. */
static bool read_transform(const struct l2v_ike1_transform *t, struct l2v_ike1_p1 *ret)
{
    struct l2v_reader r = t->attrs;
    struct l2v_ike1_life life = {0, 0, 0};
    struct l2v_ike1_attr a;
    struct l2v_ike1_p1 p;
    uint16_t group_type = 0;
    bool good = t->protocol == L2V_IKE1_PROTO_ISAKMP && t->id == L2V_IKE1_KEY_IKE;

    memset(&p, 0, sizeof(p));
    while (good && l2v_ike1_attr_next(&r, &a)) {
        switch (a.type) {
        case L2V_IKE1_OAKLEY_ENCRYPTION:
            good = l2v_ike1_attr_set(&p.cipher, a.value);
            break;
        case L2V_IKE1_OAKLEY_HASH:
            good = l2v_ike1_attr_set(&p.hash, a.value);
            break;
        case L2V_IKE1_OAKLEY_AUTH:
            good = l2v_ike1_attr_set(&p.auth, a.value);
            break;
        case L2V_IKE1_OAKLEY_GROUP:
            good = l2v_ike1_attr_set(&p.group, a.value);
            break;
        case L2V_IKE1_OAKLEY_GROUP_TYPE:
            good = l2v_ike1_attr_set(&group_type, a.value);
            break;
        case L2V_IKE1_OAKLEY_KEY_LENGTH:
            good = l2v_ike1_attr_set(&p.key_bits, a.value);
            break;
        case L2V_IKE1_OAKLEY_LIFE_TYPE:
            good = l2v_ike1_life_type(&life, a.value);
            break;
        case L2V_IKE1_OAKLEY_LIFE_DURATION:
            good = l2v_ike1_life_duration(&life, a.value);
            break;
        default:
            good = false;
            break;
        }
    }
    if (!good || life.open != 0 || p.cipher == 0 || p.hash == 0 || p.auth == 0 || p.group == 0 ||
        !group_type_fits(p.group, group_type)) {
        return false;
    }
    p.life_s = life.s;
    p.life_kb = life.kb;
    p.proposal_no = t->proposal_no;
    p.transform_no = t->number;
    *ret = p;
    return true;
}

static bool same_algorithms(const struct l2v_ike1_p1 *a, const struct l2v_ike1_p1 *b)
{
    return a->cipher == b->cipher && a->key_bits == b->key_bits && a->hash == b->hash &&
           a->group == b->group && a->auth == b->auth;
}

/* Index in list, or list->n. */
static unsigned find_in(const struct l2v_ike1_p1_list *list, const struct l2v_ike1_p1 *p)
{
    unsigned i = 0;
    while (i < list->n && !same_algorithms(&list->items[i], p)) {
        i++;
    }
    return l2v_ike1_p1_key_len(p) > 0 ? i : list->n;
}

/* Lower is better: the class of strength, then the cost of the group, then our order. HMAC-SHA1 is
 * sound as a PRF, but goes behind SHA2 (rfc8247#2.2). */
static unsigned rank(const struct l2v_ike1_p1 *p, unsigned index)
{
    bool weak = p->cipher != L2V_IKE1_ENC_AES || p->hash == L2V_IKE1_HASH_MD5 ||
                l2v_ike1_alg_group_is_weak(p->group);
    unsigned class = weak ? 2 : p->hash == L2V_IKE1_HASH_SHA1 ? 1 : 0;
    return class << 16 | l2v_ike1_alg_group_cost(p->group) << 8 | index;
}

struct choice {
    const struct l2v_ike1_p1_list *policy;
    bool found;
    unsigned rank;
    struct l2v_ike1_p1 best;
};

static bool visit_choose(void *user, const struct l2v_ike1_transform *t)
{
    struct choice *c = (struct choice *)user;
    struct l2v_ike1_p1 p;
    unsigned i, r;

    if (!read_transform(t, &p)) {
        return true;
    }
    i = find_in(c->policy, &p);
    if (i == c->policy->n) {
        return true;
    }
    r = rank(&p, i);
    if (!c->found || r < c->rank) {
        c->found = true;
        c->rank = r;
        c->best = p;
    }
    return true;
}

int l2v_ike1_p1_choose(const struct l2v_ike1_p1_list *policy, const uint8_t *body, size_t len,
                       struct l2v_ike1_p1 *ret)
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
    struct l2v_ike1_p1 p;
};

static bool visit_answer(void *user, const struct l2v_ike1_transform *t)
{
    struct answer *a = (struct answer *)user;
    a->n++;
    a->readable = read_transform(t, &a->p);
    return a->n < 2;
}

/* rfc2408#4.2: the responder answers one proposal with one transform, and changes nothing. */
int l2v_ike1_p1_verify(const struct l2v_ike1_p1_list *offered, const uint8_t *body, size_t len,
                       struct l2v_ike1_p1 *ret)
{
    struct answer a;
    int rc;

    memset(&a, 0, sizeof(a));
    rc = l2v_ike1_sa_walk(body, len, visit_answer, &a);
    if (rc != 0) {
        return rc;
    }
    if (a.n != 1) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (!a.readable || find_in(offered, &a.p) == offered->n) {
        return L2TPVOIP_ERR_NO_PROPOSAL;
    }
    *ret = a.p;
    return 0;
}

static bool visit_read(void *user, const struct l2v_ike1_transform *t)
{
    struct l2v_ike1_p1_list *list = (struct l2v_ike1_p1_list *)user;
    if (read_transform(t, &list->items[list->n])) {
        list->n++;
    }
    return list->n < L2V_IKE1_P1_MAX;
}

int l2v_ike1_p1_read(const uint8_t *body, size_t len, struct l2v_ike1_p1_list *ret)
{
    ret->n = 0;
    return l2v_ike1_sa_walk(body, len, visit_read, ret);
}

void l2v_ike1_p1_wide(struct l2v_ike1_p1_list *ret)
{
    static const struct {
        uint16_t cipher, bits;
    } ciphers[] = {{L2V_IKE1_ENC_AES, 256},
                   {L2V_IKE1_ENC_AES, 128},
                   {L2V_IKE1_ENC_3DES, 0},
                   {L2V_IKE1_ENC_DES, 0}};
    static const uint16_t hashes[] = {L2V_IKE1_HASH_SHA256, L2V_IKE1_HASH_SHA1, L2V_IKE1_HASH_MD5};
    static const uint16_t groups[] = {L2V_DH_MODP2048, L2V_DH_ECP256, L2V_DH_MODP1536,
                                      L2V_DH_MODP1024};
    unsigned n = 0;

    memset(ret, 0, sizeof(*ret));
    for (unsigned g = 0; g < 4; g++) {
        for (unsigned c = 0; c < 4; c++) {
            for (unsigned h = 0; h < 3; h++) {
                struct l2v_ike1_p1 *p = &ret->items[n++];
                p->cipher = ciphers[c].cipher;
                p->key_bits = ciphers[c].bits;
                p->hash = hashes[h];
                p->group = groups[g];
                p->auth = L2V_IKE1_AUTH_PSK;
            }
        }
    }
    ret->n = n;
}
