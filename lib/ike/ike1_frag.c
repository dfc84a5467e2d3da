/* SPDX-License-Identifier: MIT */
/* IKEv1 fragmentation: splitting and reassembly. Everything is bounded: pieces, bytes, time and the
 * number of messages under way. There is no list to walk: pieces stand at their number. */
#include "base_map.h"
#include "ike1_frag.h"

#define FLAG_LAST 0x01u
#define N_SLOTS 2u     /* two messages may interleave */
#define MIN_DATA 16u   /* smallest sensible piece when splitting */

bool l2v_ike1_frag_is(const struct l2v_ike_header *h)
{
    return h->version == L2V_IKE_VERSION_1 && h->next_payload == L2V_IKE1_PAYLOAD_FRAGMENT;
}

/* --- splitting ------------------------------------------------------------------------------- */

/* Other implementations use exchange type main mode and message id 0 for every fragment; nothing but
 * the cookies counts. */
static int emit_fragment(const struct l2v_ike_header *h, uint16_t id, unsigned number, bool last,
                         const uint8_t *data, size_t len,
                         int (*emit)(void *user, const uint8_t *frag, size_t frag_len), void *user)
{
    uint8_t buf[1500];
    struct l2v_ike_build b;
    size_t frag_len;
    int rc;

    l2v_ike_build_begin(&b, buf, sizeof(buf), h);
    l2v_ike_build_payload(&b, L2V_IKE1_PAYLOAD_FRAGMENT);
    l2v_write_u16(&b.w, id);
    l2v_write_u8(&b.w, number);
    l2v_write_u8(&b.w, last ? FLAG_LAST : 0);
    l2v_write_bytes(&b.w, data, len);
    rc = l2v_ike_build_end(&b, 0, &frag_len);
    return rc == 0 ? emit(user, buf, frag_len) : rc;
}

int l2v_ike1_frag_split(const uint8_t *msg, size_t len, size_t size, uint16_t id,
                        int (*emit)(void *user, const uint8_t *frag, size_t frag_len), void *user)
{
    struct l2v_ike_header h;
    struct l2v_reader r;
    size_t room;

    if (size > 1500) {
        size = 1500;
    }
    if (l2v_ike_header_parse(msg, len, &h) != 0 || size < L2V_IKE1_FRAG_OVERHEAD + MIN_DATA) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    room = size - L2V_IKE1_FRAG_OVERHEAD;
    if (len > L2V_IKE1_FRAG_BYTES || (len + room - 1) / room > L2V_IKE1_FRAG_MAX) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    h.exchange = L2V_IKE1_EXCHANGE_MAIN;
    h.flags = 0;
    h.message_id = 0;
    l2v_reader_init(&r, msg, len);
    for (unsigned number = 1; l2v_reader_left(&r) > 0; number++) {
        size_t n = l2v_reader_left(&r) < room ? l2v_reader_left(&r) : room;
        const uint8_t *piece = l2v_read_bytes(&r, n);
        int rc = emit_fragment(&h, id, number, l2v_reader_left(&r) == 0, piece, n, emit, user);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* --- reassembly ------------------------------------------------------------------------------ */

struct piece {
    uint8_t *data;
    uint16_t len;
};

struct slot {
    bool used;
    uint16_t id;
    unsigned last; /* number of the last piece; 0 = not seen */
    unsigned n;
    size_t bytes;
    uint64_t since_ns;
    struct piece pieces[L2V_IKE1_FRAG_MAX];
};

/* Of the message that was completed last: enough to know its duplicates, since some peers give every
 * message the same id. */
struct done {
    bool valid;
    uint16_t id;
    unsigned last;
    uint64_t digests[L2V_IKE1_FRAG_MAX];
};

struct l2v_ike1_frag_set {
    struct slot slots[N_SLOTS];
    struct done done;
    uint8_t *whole; /* handed out */
    size_t whole_len;
};

struct fragment {
    struct l2v_ike_header header;
    uint16_t id;
    unsigned number;
    bool last;
    const uint8_t *data;
    size_t len;
};

static void clear_slot(struct l2v_env *env, struct slot *s)
{
    for (unsigned i = 0; i < L2V_IKE1_FRAG_MAX; i++) {
        l2v_free(env, s->pieces[i].data);
    }
    memset(s, 0, sizeof(*s));
}

static void free_whole(struct l2v_env *env, struct l2v_ike1_frag_set *set)
{
    l2v_free_secret(env, set->whole, set->whole_len);
    set->whole = NULL;
    set->whole_len = 0;
}

void l2v_ike1_frag_free(struct l2v_env *env, struct l2v_ike1_frag_set **set)
{
    if (*set == NULL) {
        return;
    }
    for (unsigned i = 0; i < N_SLOTS; i++) {
        clear_slot(env, &(*set)->slots[i]);
    }
    free_whole(env, *set);
    l2v_free(env, *set);
    *set = NULL;
}

void l2v_ike1_frag_forget(struct l2v_ike1_frag_set *set)
{
    set->done.valid = false;
}

static int parse_fragment(const uint8_t *msg, size_t len, struct fragment *ret)
{
    struct l2v_reader r, body;
    struct fragment f;
    unsigned next, reserved, flags;
    size_t payload_len;

    if (l2v_ike_header_parse(msg, len, &f.header) != 0 || f.header.length != len ||
        !l2v_ike1_frag_is(&f.header)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    l2v_reader_init(&r, msg, len);
    l2v_read_skip(&r, L2V_IKE_HEADER_LEN);
    next = l2v_read_u8(&r);
    reserved = l2v_read_u8(&r);
    payload_len = l2v_read_u16(&r);
    if (r.failed || next != 0 || reserved != 0 || payload_len < L2V_IKE_GENERIC_LEN) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    body = l2v_read_sub(&r, payload_len - L2V_IKE_GENERIC_LEN);
    f.id = l2v_read_u16(&body);
    f.number = l2v_read_u8(&body);
    flags = l2v_read_u8(&body);
    f.last = (flags & FLAG_LAST) != 0;
    f.len = l2v_reader_left(&body);
    f.data = l2v_read_bytes(&body, f.len);
    if (body.failed || l2v_reader_left(&r) != 0 || f.number == 0 || f.len == 0) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    *ret = f;
    return f.number > L2V_IKE1_FRAG_MAX || f.len > L2V_IKE1_FRAG_BYTES ? L2TPVOIP_ERR_LIMIT : 0;
}

static uint64_t digest(struct l2v_env *env, const uint8_t *data, size_t len)
{
    return l2v_siphash(env->hash_key, data, len);
}

static bool is_of_done(struct l2v_env *env, const struct done *done, const struct fragment *f)
{
    return done->valid && done->id == f->id && f->number <= done->last &&
           f->last == (f->number == done->last) &&
           done->digests[f->number - 1] == digest(env, f->data, f->len);
}

/* The slot of the id; else a free one; else the one that waits longest, which is given up. */
static struct slot *find_slot(struct l2v_env *env, struct l2v_ike1_frag_set *set, uint16_t id)
{
    struct slot *best = NULL;
    for (unsigned i = 0; i < N_SLOTS; i++) {
        struct slot *s = &set->slots[i];
        if (s->used && env->now_ns - s->since_ns > L2V_IKE1_FRAG_TIME) {
            clear_slot(env, s);
        }
        if (s->used && s->id == id) {
            return s;
        }
        if (best == NULL || (best->used && (!s->used || s->since_ns < best->since_ns))) {
            best = s;
        }
    }
    clear_slot(env, best);
    best->used = true;
    best->id = id;
    best->since_ns = env->now_ns;
    return best;
}

static size_t bytes_held(const struct l2v_ike1_frag_set *set)
{
    size_t n = 0;
    for (unsigned i = 0; i < N_SLOTS; i++) {
        n += set->slots[i].bytes;
    }
    return n;
}

/* The piece contradicts what the slot holds: it begins another message under the same id. */
static bool contradicts(const struct slot *s, const struct fragment *f)
{
    const struct piece *p = &s->pieces[f->number - 1];
    unsigned highest = L2V_IKE1_FRAG_MAX;

    while (highest > 0 && s->pieces[highest - 1].data == NULL) {
        highest--;
    }
    if (p->data != NULL && (p->len != f->len || memcmp(p->data, f->data, f->len) != 0)) {
        return true;
    }
    if (s->last != 0 && (f->number > s->last || f->last != (f->number == s->last))) {
        return true;
    }
    return f->last && f->number < highest;
}

static int store(struct l2v_env *env, struct l2v_ike1_frag_set *set, struct slot *s,
                 const struct fragment *f)
{
    struct piece *p = &s->pieces[f->number - 1];

    if (bytes_held(set) + f->len > L2V_IKE1_FRAG_BYTES) {
        clear_slot(env, s);
        return L2TPVOIP_ERR_LIMIT;
    }
    p->data = (uint8_t *)l2v_memdup(env, f->data, f->len);
    if (p->data == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    p->len = (uint16_t)f->len;
    s->bytes += f->len;
    s->n++;
    if (f->last) {
        s->last = f->number;
    }
    return 0;
}

/* The whole must be a message of the same SA, and not a fragment again. */
static bool whole_is_sane(const struct l2v_ike1_frag_set *set, const struct fragment *f)
{
    struct l2v_ike_header h;
    return l2v_ike_header_parse(set->whole, set->whole_len, &h) == 0 &&
           h.length == set->whole_len && !l2v_ike1_frag_is(&h) &&
           memcmp(h.icookie, f->header.icookie, sizeof(h.icookie)) == 0 &&
           memcmp(h.rcookie, f->header.rcookie, sizeof(h.rcookie)) == 0;
}

static int complete(struct l2v_env *env, struct l2v_ike1_frag_set *set, struct slot *s,
                    const struct fragment *f)
{
    struct l2v_writer w;

    free_whole(env, set);
    set->whole = (uint8_t *)l2v_malloc(env, s->bytes);
    if (set->whole == NULL) {
        clear_slot(env, s);
        return L2TPVOIP_ERR_NOMEM;
    }
    set->whole_len = s->bytes;
    l2v_writer_init(&w, set->whole, s->bytes);
    set->done.valid = true;
    set->done.id = s->id;
    set->done.last = s->last;
    for (unsigned i = 0; i < s->last; i++) {
        l2v_write_bytes(&w, s->pieces[i].data, s->pieces[i].len);
        set->done.digests[i] = digest(env, s->pieces[i].data, s->pieces[i].len);
    }
    clear_slot(env, s);
    if (!whole_is_sane(set, f)) {
        set->done.valid = false;
        free_whole(env, set);
        return L2TPVOIP_ERR_MALFORMED;
    }
    return 0;
}

int l2v_ike1_frag_input(struct l2v_env *env, struct l2v_ike1_frag_set **set, const uint8_t *msg,
                        size_t len, uint8_t **ret_msg, size_t *ret_len)
{
    struct fragment f;
    struct slot *s;
    int rc = parse_fragment(msg, len, &f);

    if (rc != 0) {
        return rc;
    }
    if (*set == NULL) {
        *set = (struct l2v_ike1_frag_set *)l2v_calloc(env, 1, sizeof(**set));
        if (*set == NULL) {
            return L2TPVOIP_ERR_NOMEM;
        }
    }
    if (is_of_done(env, &(*set)->done, &f)) {
        /* The peer retransmits: told once, at its last piece. */
        return f.last ? L2TPVOIP_ERR_REPLAY : L2TPVOIP_ERR_AGAIN;
    }
    s = find_slot(env, *set, f.id);
    if (contradicts(s, &f)) {
        clear_slot(env, s);
        s = find_slot(env, *set, f.id);
    }
    if (s->pieces[f.number - 1].data != NULL) {
        return L2TPVOIP_ERR_AGAIN; /* a duplicate */
    }
    rc = store(env, *set, s, &f);
    if (rc != 0) {
        return rc;
    }
    if (s->last == 0 || s->n < s->last) {
        return L2TPVOIP_ERR_AGAIN;
    }
    rc = complete(env, *set, s, &f);
    if (rc == 0) {
        *ret_msg = (*set)->whole;
        *ret_len = (*set)->whole_len;
    }
    return rc;
}
