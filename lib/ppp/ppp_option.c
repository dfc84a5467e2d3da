/* SPDX-License-Identifier: MIT */
/* Option negotiation, driven by each protocol's table. Every loop is bounded: what is refused more
 * than Max-Failure times is rejected outright, and a peer that goes on gets the link closed. */
#include <string.h>

#include "ppp_link.h"

#define OPTIONS_MAX 16u /* rows of a protocol's table */
#define NAK_ROOM 160u   /* every row of a table fits */

size_t l2v_ppp_option_write(struct l2v_ppp_cp *cp, uint8_t *buf, size_t size)
{
    struct l2v_writer w;
    l2v_writer_init(&w, buf, size);
    for (size_t i = 0; i < cp->proto->n_options; i++) {
        const struct l2v_ppp_option *o = &cp->proto->options[i];
        size_t at = l2v_writer_len(&w);
        if (o->want == NULL || !o->want(cp->ppp)) {
            continue;
        }
        l2v_write_u8(&w, o->type);
        l2v_write_u8(&w, 2);
        if (o->write != NULL) {
            o->write(cp->ppp, &w);
        }
        l2v_write_patch_u8(&w, at + 1, (unsigned)(l2v_writer_len(&w) - at));
    }
    return w.failed ? 0 : l2v_writer_len(&w);
}

static size_t find_option(const struct l2v_ppp_proto *proto, uint8_t type)
{
    size_t i = 0;
    while (i < proto->n_options && proto->options[i].type != type) {
        i++;
    }
    return i;
}

/* Takes the next option. false = the lengths do not add up. */
static bool read_option(struct l2v_reader *r, uint8_t *ret_type, struct l2v_reader *ret_data)
{
    uint8_t len;
    *ret_type = l2v_read_u8(r);
    len = l2v_read_u8(r);
    if (len < 2) {
        r->failed = true;
        return false;
    }
    *ret_data = l2v_read_sub(r, len - 2u);
    return !r->failed;
}

static bool lengths_add_up(const uint8_t *data, size_t len)
{
    struct l2v_reader r, value;
    uint8_t type;
    l2v_reader_init(&r, data, len);
    while (l2v_reader_left(&r) > 0) {
        if (!read_option(&r, &type, &value)) {
            return false;
        }
    }
    return true;
}

struct judgement {
    struct l2v_writer rejects, naks;
    bool seen[OPTIONS_MAX];
    bool may_nak;
};

static void write_option(struct l2v_writer *w, uint8_t type, const uint8_t *data, size_t len)
{
    if (l2v_writer_left(w) >= len + 2) { /* what does not fit comes in the next round */
        l2v_write_u8(w, type);
        l2v_write_u8(w, (unsigned)len + 2);
        l2v_write_bytes(w, data, len);
    }
}

static void judge_one(struct l2v_ppp_cp *cp, struct judgement *j, uint8_t type,
                      struct l2v_reader value)
{
    const uint8_t *data = value.pos;
    size_t len = l2v_reader_left(&value), i = find_option(cp->proto, type);
    enum l2v_ppp_verdict verdict = L2V_PPP_REJECT;
    uint8_t room[32];
    struct l2v_writer nak;
    l2v_writer_init(&nak, room, sizeof(room));
    /* rfc1661#5.1: no option may be listed twice */
    if (i < cp->proto->n_options && !j->seen[i]) {
        const struct l2v_ppp_option *o = &cp->proto->options[i];
        j->seen[i] = true;
        if (o->request != NULL && len >= o->min_len && len <= o->max_len) {
            verdict = o->request(cp->ppp, &value, &nak);
        }
    }
    if (verdict == L2V_PPP_NAK && !j->may_nak) { /* rfc1661#4.6: Max-Failure */
        verdict = L2V_PPP_REJECT;
    }
    if (verdict == L2V_PPP_REJECT) {
        write_option(&j->rejects, type, data, len);
    } else if (verdict == L2V_PPP_NAK) {
        write_option(&j->naks, type, room, l2v_writer_len(&nak));
    }
}

/* rfc1661#5.3: options that the peer should have asked for are appended to a Nak. */
static void judge_missing(struct l2v_ppp_cp *cp, struct judgement *j)
{
    for (size_t i = 0; i < cp->proto->n_options; i++) {
        const struct l2v_ppp_option *o = &cp->proto->options[i];
        uint8_t room[32];
        struct l2v_writer nak;
        l2v_writer_init(&nak, room, sizeof(room));
        if (o->missing != NULL && !j->seen[i] && o->missing(cp->ppp, &nak)) {
            write_option(&j->naks, o->type, room, l2v_writer_len(&nak));
        }
    }
}

bool l2v_ppp_option_judge(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len, uint8_t *scratch,
                          size_t scratch_size, bool *ret_malformed)
{
    struct judgement j;
    struct l2v_reader r, value;
    uint8_t type, naks[NAK_ROOM];
    size_t n;
    *ret_malformed = !lengths_add_up(data, len);
    if (*ret_malformed) {
        return false;
    }
    memset(&j, 0, sizeof(j));
    l2v_writer_init(&j.rejects, scratch, scratch_size);
    l2v_writer_init(&j.naks, naks, sizeof(naks));
    j.may_nak = cp->naks_out < cp->ppp->config.max_failure;
    cp->proto->begin(cp->ppp);
    l2v_reader_init(&r, data, len);
    while (l2v_reader_left(&r) > 0 && read_option(&r, &type, &value)) {
        judge_one(cp, &j, type, value);
    }
    if (j.may_nak) {
        judge_missing(cp, &j);
    }
    n = l2v_writer_len(&j.naks);
    cp->reply_code = L2V_PPP_CONF_ACK;
    cp->reply = data;
    cp->reply_len = len;
    if (l2v_writer_len(&j.rejects) > 0) { /* rfc1661#5.4: rejects go first, alone */
        cp->reply_code = L2V_PPP_CONF_REJ;
        cp->reply = scratch;
        cp->reply_len = l2v_writer_len(&j.rejects);
    } else if (n > 0 && n <= scratch_size) {
        memcpy(scratch, naks, n);
        cp->reply_code = L2V_PPP_CONF_NAK;
        cp->reply = scratch;
        cp->reply_len = n;
    }
    return cp->reply_code == L2V_PPP_CONF_ACK;
}

int l2v_ppp_option_refused(struct l2v_ppp_cp *cp, bool reject, const uint8_t *data, size_t len)
{
    struct l2v_reader r, value;
    uint8_t type;
    if (!lengths_add_up(data, len)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    cp->naks_in++;
    /* A peer that Naks on and on does not want the option. */
    reject = reject || cp->naks_in > cp->ppp->config.max_failure;
    l2v_reader_init(&r, data, len);
    while (l2v_reader_left(&r) > 0 && read_option(&r, &type, &value)) {
        size_t i = find_option(cp->proto, type);
        const struct l2v_ppp_option *o = &cp->proto->options[i];
        if (i == cp->proto->n_options || o->want == NULL || !o->want(cp->ppp)) {
            continue; /* not asked for: rfc1661#5.3 lets the peer suggest; we do not need it */
        }
        if (reject) {
            if (o->reject != NULL) {
                o->reject(cp->ppp);
            }
        } else if (o->nak != NULL && l2v_reader_left(&value) >= o->min_len &&
                   l2v_reader_left(&value) <= o->max_len) {
            o->nak(cp->ppp, &value);
        }
    }
    return 0;
}
