/* SPDX-License-Identifier: MIT */
/* L2TP control: a stream of messages into an endpoint that both listens and connects. Input: chunks
 * of flags, 16-bit length, octets; flags let time pass, fill in the live ids and numbers (else
 * nothing gets past the header), come from another port, or call and close. A seed of one bare
 * message is taken as it is. */
#include <stdlib.h>

#include "l2tp_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define F_FIX_NUMBERS 0x01u
#define F_FIX_TUNNEL 0x02u
#define F_FIX_SESSION 0x04u
#define F_OTHER_PORT 0x08u
#define F_INSIDE 0x10u
#define F_TIME 0x20u
#define F_ACTION 0x40u

struct world {
    struct l2v_env env;
    struct l2v_crypto *crypto;
    struct l2v_l2tp *l2tp;
    struct l2v_l2tp_cc *cc;
    struct l2v_l2tp_session *session;
    uint64_t seed;
};

static int make_random(void *user, uint8_t *dst, size_t len)
{
    struct world *w = user;
    for (size_t i = 0; i < len; i++) {
        w->seed = w->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        dst[i] = (uint8_t)(w->seed >> 56);
    }
    return 0;
}

static void transmit(void *user, struct l2v_pkt *pkt, uint16_t port, bool control)
{
    (void)user;
    (void)port;
    (void)control;
    l2v_pkt_free(pkt);
}

static void cc_up(void *user, struct l2v_l2tp_cc *cc)
{
    struct world *w = user;
    w->cc = cc;
}

static void cc_down(void *user, struct l2v_l2tp_cc *cc, const l2tpvoip_failure *f)
{
    struct world *w = user;
    (void)f;
    if (w->cc == cc) {
        w->cc = NULL;
    }
}

static int session_request(void *user, struct l2v_l2tp_session *s)
{
    (void)user;
    return l2v_l2tp_session_get_id(s) % 8 == 0 ? L2V_CDN_BUSY : 0;
}

static void session_up(void *user, struct l2v_l2tp_session *s)
{
    struct world *w = user;
    w->session = s;
}

static void session_down(void *user, struct l2v_l2tp_session *s, const l2tpvoip_failure *f)
{
    struct world *w = user;
    (void)f;
    if (w->session == s) {
        w->session = NULL;
    }
}

static void session_data(void *user, struct l2v_l2tp_session *s, struct l2v_pkt *pkt)
{
    (void)user;
    (void)pkt;
    if (l2v_l2tp_session_get_id(s) % 16 == 0) {
        l2v_l2tp_session_close(s, 0);
    }
}

static const struct l2v_l2tp_ops ops = {transmit,   cc_up,        cc_down,     session_request,
                                        session_up, session_down, session_data};

/* A control connection that still lives, known to the user or not. */
static struct l2v_l2tp_cc *any_cc(struct world *w)
{
    if (w->cc != NULL) {
        return w->cc;
    }
    return l2v_list_is_empty(&w->l2tp->ccs)
               ? NULL
               : L2V_CONTAINER_OF(w->l2tp->ccs.next, struct l2v_l2tp_cc, node);
}

static void fix_up(struct world *w, uint8_t *data, size_t len, unsigned flags)
{
    struct l2v_l2tp_cc *cc = any_cc(w);
    if (len < 12 || cc == NULL) {
        return;
    }
    if ((flags & F_FIX_TUNNEL) != 0) {
        l2v_put_u16(data + 4, cc->id);
    }
    if ((flags & F_FIX_SESSION) != 0) {
        uint16_t id = l2v_list_is_empty(&cc->sessions)
                          ? 0
                          : L2V_CONTAINER_OF(cc->sessions.next, struct l2v_l2tp_session, node)->id;
        l2v_put_u16(data + 6, id);
    }
    if ((flags & F_FIX_NUMBERS) != 0) {
        l2v_put_u16(data, L2V_L2TP_T | L2V_L2TP_L | L2V_L2TP_S | 2u);
        l2v_put_u16(data + 2, (unsigned)len);
        l2v_put_u16(data + 8, cc->channel.nr);
        l2v_put_u16(data + 10, cc->channel.high);
    }
}

static void act(struct world *w, unsigned what)
{
    struct l2v_l2tp_session *s;
    struct l2v_l2tp_cc *cc;
    if (what % 4 == 0) {
        (void)l2v_l2tp_connect(w->l2tp, &cc);
    } else if (what % 4 == 1 && w->cc != NULL) {
        (void)l2v_l2tp_call(w->cc, &s);
    } else if (what % 4 == 2 && w->session != NULL) {
        l2v_l2tp_session_close(w->session, what);
    } else if (what % 4 == 3 && w->cc != NULL) {
        l2v_l2tp_cc_close(w->cc, what);
    }
}

static void input(struct world *w, const uint8_t *data, size_t len, unsigned flags)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(&w->env, data, len);
    if (pkt != NULL) {
        fix_up(w, pkt->data, pkt->len, flags);
        (void)l2v_l2tp_input(w->l2tp, pkt, (flags & F_OTHER_PORT) != 0 ? 4000 : 1701,
                             (flags & F_INSIDE) != 0);
        l2v_pkt_free(pkt);
    }
}

static void play(struct world *w, const uint8_t *data, size_t len)
{
    struct l2v_reader r;
    input(w, data, len, 0);
    l2v_reader_init(&r, data, len);
    for (unsigned n = 0; n < 200 && l2v_reader_left(&r) >= 3; n++) {
        unsigned flags = l2v_read_u8(&r);
        size_t want = l2v_read_u16(&r);
        size_t left = l2v_reader_left(&r);
        size_t take = want < left ? want : left;
        const uint8_t *chunk = l2v_read_bytes(&r, take);
        if ((flags & F_ACTION) != 0) {
            act(w, (unsigned)take);
        }
        if (chunk != NULL) {
            input(w, chunk, take, flags);
        }
        if ((flags & F_TIME) != 0) {
            w->env.now_ns += (uint64_t)(take + 1) * 100 * L2V_NS_PER_MS;
            l2v_timers_run(&w->env.timers, w->env.now_ns);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct world w;
    struct l2v_l2tp_config config = {.is_lns = true, .max_cc = 3, .max_sessions = 3};
    struct l2v_l2tp_cc *cc;
    if (w.crypto == NULL) {
        l2tpvoip_env_ops env_ops = {.size = sizeof env_ops, .user = &w, .random = make_random};
        if (l2v_env_init(&w.env, NULL, &env_ops, NULL, NULL, 1) != 0 ||
            l2v_pkt_pool_new(&w.env, 64, &w.env.pool) != 0 ||
            l2v_crypto_new(&w.env, NULL, &w.crypto) != 0) {
            abort();
        }
    }
    w.seed = 1;
    w.env.rnd_left = 0; /* the same input, the same ids */
    if (len > 0 && (data[0] & 0x80u) != 0) {
        config.secret = (const uint8_t *)"s3cret";
        config.secret_len = 6;
        config.hide_avps = true;
    }
    if (l2v_l2tp_new(&w.env, w.crypto, &config, &ops, &w, &w.l2tp) != 0) {
        return 0;
    }
    if (len > 1 && (data[1] & 1u) != 0) {
        (void)l2v_l2tp_connect(w.l2tp, &cc);
    }
    play(&w, data, len);
    l2v_l2tp_free(w.l2tp);
    w.cc = NULL;
    w.session = NULL;
    if (l2v_timers_next(&w.env.timers) != L2V_NEVER) {
        abort(); /* a timer outlived its object */
    }
    return 0;
}
