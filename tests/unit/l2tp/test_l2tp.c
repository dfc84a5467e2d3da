/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/l2tp: the link in virtual time, and main. */
#include "test_l2tp.h"

struct l2v_crypto *test_crypto;
static struct test_env crypto_te;

static bool chance(struct test_link *l, unsigned percent)
{
    return test_random64(&l->seed) % 100 < percent;
}

static void put_packet(struct test_link *l, int to, const uint8_t *data, size_t len, uint16_t port)
{
    for (size_t i = 0; i < LINK_MAX; i++) {
        struct test_packet *p = &l->packets[i];
        if (!p->used) {
            p->used = true;
            p->to = to;
            p->order = l->order++;
            p->due_ns = l->now_ns + l->delay_ns;
            if (chance(l, l->reorder)) {
                p->due_ns += test_random64(&l->seed) % (300 * MS);
            }
            p->from_port = port;
            p->len = len;
            memcpy(p->data, data, len);
            return;
        }
    }
    ck_abort_msg("link full");
}

static void transmit(void *user, struct l2v_pkt *pkt, uint16_t peer_port, bool control)
{
    struct test_peer *p = user;
    struct test_link *l = p->link;
    ck_assert_uint_le(pkt->len, sizeof p->last);
    p->last_port = peer_port;
    p->last_control = control;
    memcpy(p->last, pkt->data, pkt->len);
    p->last_len = pkt->len;
    if (control && p->sent_control < 64) {
        p->times[p->sent_control] = l->now_ns;
    }
    p->sent++;
    p->sent_control += control;
    if (!l->cut[p->index] && !chance(l, l->loss)) {
        put_packet(l, 1 - p->index, pkt->data, pkt->len, p->own_port);
        if (chance(l, l->dup)) {
            put_packet(l, 1 - p->index, pkt->data, pkt->len, p->own_port);
        }
    }
    l2v_pkt_free(pkt);
}

static void cc_up(void *user, struct l2v_l2tp_cc *cc)
{
    struct test_peer *p = user;
    p->cc_ups++;
    p->cc = cc;
    if (p->close_cc_in_up) {
        l2v_l2tp_cc_close(cc, L2V_STOP_SHUTDOWN);
    } else if (p->auto_call) {
        (void)l2v_l2tp_call(cc, &p->session);
    }
}

static void cc_down(void *user, struct l2v_l2tp_cc *cc, const l2tpvoip_failure *f)
{
    struct test_peer *p = user;
    ck_assert(cc->closed);
    p->cc_downs++;
    p->failure = *f;
    p->cc = NULL;
}

static int session_request(void *user, struct l2v_l2tp_session *s)
{
    struct test_peer *p = user;
    p->requests++;
    if (p->close_cc_in_request) {
        l2v_l2tp_cc_close(l2v_l2tp_session_get_cc(s), L2V_STOP_SHUTDOWN);
    }
    return p->refuse;
}

static void session_up(void *user, struct l2v_l2tp_session *s)
{
    struct test_peer *p = user;
    p->session_ups++;
    p->session = s;
    if (p->close_session_in_up) {
        l2v_l2tp_session_close(s, L2V_CDN_ADMINISTRATIVE);
    }
}

static void session_down(void *user, struct l2v_l2tp_session *s, const l2tpvoip_failure *f)
{
    struct test_peer *p = user;
    ck_assert(s->closed);
    p->session_downs++;
    p->session_failure = *f;
    p->session = NULL;
}

static void session_data(void *user, struct l2v_l2tp_session *s, struct l2v_pkt *pkt)
{
    struct test_peer *p = user;
    p->frames++;
    p->frame_len = pkt->len;
    memcpy(p->frame, pkt->data, pkt->len);
    if (p->close_cc_in_data) {
        l2v_l2tp_cc_close(l2v_l2tp_session_get_cc(s), L2V_STOP_SHUTDOWN);
    }
}

static const struct l2v_l2tp_ops ops = {transmit,   cc_up,        cc_down,     session_request,
                                        session_up, session_down, session_data};

struct test_link *test_link_new(uint64_t seed)
{
    struct test_link *l = calloc(1, sizeof *l);
    ck_assert_ptr_nonnull(l);
    l->packets = calloc(LINK_MAX, sizeof *l->packets);
    ck_assert_ptr_nonnull(l->packets);
    l->seed = seed;
    l->now_ns = SECOND;
    l->delay_ns = 10 * MS;
    for (int i = 0; i < 2; i++) {
        struct test_peer *p = &l->peer[i];
        ck_assert_int_eq(test_env_init(&p->te, seed * 2 + (uint64_t)i), 0);
        p->te.env.now_ns = l->now_ns;
        p->link = l;
        p->index = i;
        p->own_port = L2V_L2TP_PORT;
        p->config.host_name = i == 0 ? "lac" : "lns";
        p->config.is_lns = i == 1;
    }
    return l;
}

void test_link_start(struct test_link *l)
{
    for (int i = 0; i < 2; i++) {
        struct test_peer *p = &l->peer[i];
        ck_assert_int_eq(l2v_l2tp_new(&p->te.env, test_crypto, &p->config, &ops, p, &p->l2tp), 0);
    }
}

static struct test_packet *next_packet(struct test_link *l)
{
    struct test_packet *best = NULL;
    for (size_t i = 0; i < LINK_MAX; i++) {
        struct test_packet *p = &l->packets[i];
        if (p->used && (best == NULL || p->due_ns < best->due_ns ||
                        (p->due_ns == best->due_ns && p->order < best->order))) {
            best = p;
        }
    }
    return best;
}

static void set_now(struct test_link *l, uint64_t now_ns)
{
    l->now_ns = now_ns;
    l->peer[0].te.env.now_ns = l->peer[1].te.env.now_ns = now_ns;
}

int test_inject(struct test_peer *p, const uint8_t *data, size_t len, uint16_t port, bool inside_sa)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(&p->te.env, data, len);
    if (pkt == NULL) {
        return L2TPVOIP_ERR_NOMEM; /* as if lost on the way */
    }
    int rc = l2v_l2tp_input(p->l2tp, pkt, port, inside_sa);
    l2v_pkt_free(pkt);
    return rc;
}

void test_link_run(struct test_link *l, uint64_t duration_ns)
{
    uint64_t end = l->now_ns + duration_ns;
    for (unsigned steps = 0; steps < 1000000; steps++) {
        uint64_t next = end;
        struct test_packet *packet = next_packet(l);
        for (int i = 0; i < 2; i++) {
            uint64_t t = l2v_timers_next(&l->peer[i].te.env.timers);
            next = t < next ? t : next;
        }
        next = packet != NULL && packet->due_ns < next ? packet->due_ns : next;
        if (next >= end) {
            set_now(l, end);
            return;
        }
        set_now(l, next > l->now_ns ? next : l->now_ns);
        for (int i = 0; i < 2; i++) {
            l2v_timers_run(&l->peer[i].te.env.timers, l->now_ns);
        }
        if (packet != NULL && packet->due_ns <= l->now_ns) {
            struct test_packet copy = *packet;
            packet->used = false;
            (void)test_inject(&l->peer[copy.to], copy.data, copy.len, copy.from_port, l->inside_sa);
        }
    }
    ck_abort_msg("the link never comes to rest");
}

void test_link_free(struct test_link *l)
{
    for (int i = 0; i < 2; i++) {
        struct test_peer *p = &l->peer[i];
        l2v_l2tp_free(p->l2tp);
        ck_assert_uint_eq(l2v_timers_next(&p->te.env.timers), L2V_NEVER);
        test_env_clear(&p->te);
        ck_assert_int_eq(p->te.live, 0);
    }
    free(l->packets);
    free(l);
}

void test_link_up(struct test_link *l)
{
    struct l2v_l2tp_cc *cc;
    l->peer[0].auto_call = true;
    ck_assert_int_eq(l2v_l2tp_connect(l->peer[0].l2tp, &cc), 0);
    test_link_run(l, SECOND);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(l->peer[i].cc_ups, 1);
        ck_assert_uint_eq(l->peer[i].session_ups, 1);
    }
}

int test_inject_msg(struct test_peer *p, const struct l2v_l2tp_msg *m, uint16_t tunnel_id,
                    uint16_t session_id, uint16_t ns, uint16_t nr, uint16_t port, bool inside_sa)
{
    uint8_t data[1600];
    size_t len = 0;
    ck_assert_int_eq(
        l2v_l2tp_msg_build(m, &p->te.env, NULL, false, data + 12, sizeof data - 12, &len), 0);
    l2v_l2tp_header_put_control(data, tunnel_id, session_id, ns, nr, len);
    return test_inject(p, data, len + 12, port, inside_sa);
}

void test_last_msg(struct test_peer *p, struct l2v_l2tp_header *h, struct l2v_l2tp_msg *m)
{
    static uint8_t scratch[2048];
    ck_assert_int_eq(l2v_l2tp_header_parse(p->last, p->last_len, h), 0);
    ck_assert_uint_gt(h->len, h->header_len);
    l2v_l2tp_msg_parse(p->last + h->header_len, h->len - h->header_len, &p->l2tp->secret, scratch,
                       sizeof scratch, m);
    ck_assert_int_eq(m->verdict, L2V_L2TP_FINE);
}

int test_send_frame(struct test_peer *p, struct l2v_l2tp_session *s, const char *text)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(&p->te.env, text, strlen(text));
    ck_assert_ptr_nonnull(pkt);
    return l2v_l2tp_session_output(s, pkt);
}

struct l2v_l2tp_msg test_sccrq(uint16_t tunnel_id)
{
    struct l2v_l2tp_msg m = {.type = L2V_L2TP_SCCRQ};
    m.protocol_version = L2V_L2TP_PROTOCOL_VERSION;
    m.host_name = (struct l2v_blob){(const uint8_t *)"test", 4};
    m.framing_capabilities = 3;
    m.assigned_tunnel_id = tunnel_id;
    l2v_l2tp_msg_set(&m, L2V_AVP_PROTOCOL_VERSION);
    l2v_l2tp_msg_set(&m, L2V_AVP_HOST_NAME);
    l2v_l2tp_msg_set(&m, L2V_AVP_FRAMING_CAPABILITIES);
    l2v_l2tp_msg_set(&m, L2V_AVP_ASSIGNED_TUNNEL_ID);
    return m;
}

int main(void)
{
    Suite *suite = suite_create("l2tp");
    if (test_env_init(&crypto_te, 1) != 0 ||
        l2v_crypto_new(&crypto_te.env, NULL, &test_crypto) != 0) {
        (void)fprintf(stderr, "no crypto\n");
        return 1;
    }
    suite_add_tcase(suite, test_wire_case());
    suite_add_tcase(suite, test_avp_case());
    suite_add_tcase(suite, test_corpus_case());
    suite_add_tcase(suite, test_channel_case());
    suite_add_tcase(suite, test_tunnel_case());
    suite_add_tcase(suite, test_call_case());
    suite_add_tcase(suite, test_auth_case());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    l2v_crypto_free(test_crypto);
    test_env_clear(&crypto_te);
    return failed == 0 ? 0 : 1;
}
