/* SPDX-License-Identifier: MIT */
/* How connecting fails: wrong key, no common proposal, silence, several keys; and without memory.
 */
#include "ike_world.h"

static void check_failure(const struct w_node *c, int code, const char *word)
{
    ck_assert_uint_eq(c->n_down, 1);
    ck_assert_msg(c->failure.code == code, "%d: %s", c->failure.code, c->failure.message);
    ck_assert_msg(strstr(c->failure.message, word) != NULL, "%s", c->failure.message);
    ck_assert_int_eq(c->failure.layer, L2TPVOIP_LAYER_IKE);
    ck_assert(c->failure.next_step[0] != 0);
}

START_TEST(test_wrong_psk)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk a = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_psk b = w_psk("a pre-shared key of some lengtH", NULL);
    l2tpvoip_ipsec_options oa = w_options(&a, 1), ob = w_options(&b, 1);
    w_init(&w, 400);
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &oa), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &ob), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(!w_run_up(&w, 200 * W_S));
    check_failure(c, L2TPVOIP_ERR_AUTH_IKE, "most likely a wrong pre-shared key");
    ck_assert_uint_eq(s->n_accept, 0);
    w_run(&w, 200 * W_S);
    ck_assert_uint_eq(s->ike->n_unauth, 0);
    ck_assert_uint_ge(l2v_ike_get_stats(s->ike)->failed, 1);
    w_clear(&w);
}
END_TEST

/* The responder tries them all at message 5; the client's is the last. */
START_TEST(test_eight_psks)
{
    static const char *const keys[8] = {
        "key number one, quite long",   "key number two, quite long",
        "key number three, quite long", "key number four, quite long",
        "key number five, quite long",  "key number six, quite long",
        "key number seven, quite long", "key number eight, long"};
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk many[8];
    l2tpvoip_ipsec_options so, co;
    for (unsigned i = 0; i < 8; i++) {
        many[i] = w_psk(keys[i], i == 2 ? "phone.example" : i == 3 ? "203.0.113.7" : NULL);
    }
    so = w_options(many, 8);
    l2tpvoip_psk own = w_psk(keys[_i], NULL);
    co = w_options(&own, 1);
    co.local_id = _i == 2 ? "phone.example" : NULL;
    w_init(&w, 410 + (uint64_t)_i);
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &co), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_msg(w_run_up(&w, 10 * W_S), "%s", c->failure.message);
    ck_assert_uint_eq(s->peer->psk, (unsigned)_i);
    w_run(&w, W_S);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    w_clear(&w);
}
END_TEST

/* A key for one identity does not serve another. */
START_TEST(test_psk_of_another)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk one = w_psk("a pre-shared key of some length", "phone.example");
    l2tpvoip_psk own = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options so = w_options(&one, 1), co = w_options(&own, 1);
    co.local_id = "other.example";
    w_init(&w, 420);
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &co), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(!w_run_up(&w, 200 * W_S));
    ck_assert_uint_eq(s->n_accept, 0);
    check_failure(c, L2TPVOIP_ERR_AUTH_IKE, "most likely");
    w_clear(&w);
}
END_TEST

START_TEST(test_wrong_server)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk own = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options so = w_options(&own, 1), co = w_options(&own, 1);
    co.remote_id = "server.example";
    so.local_id = "impostor.example";
    w_init(&w, 421);
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &co), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(!w_run_up(&w, 200 * W_S));
    check_failure(c, L2TPVOIP_ERR_AUTH_PEER, "impostor.example");
    w_clear(&w);
}
END_TEST

START_TEST(test_no_proposal)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options so = w_options(&psk, 1), co = so;
    w_init(&w, 430);
    if (_i == 0) {
        so.ike_proposals = "aes256-sha512-modp4096";
    } else {
        so.esp_proposals = "aes256-sha512";
    }
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &co), 0);
    uint64_t start = w.te.env.now_ns;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(!w_run_up(&w, 200 * W_S));
    check_failure(c, L2TPVOIP_ERR_NO_PROPOSAL, "");
    ck_assert_int_eq(c->failure.peer_code, L2V_IKE1_NOTIFY_NO_PROPOSAL_CHOSEN);
    ck_assert_uint_lt(w.te.env.now_ns - start, 5 * W_S); /* the notify hastens the end */
    w_clear(&w);
}
END_TEST

static bool drop_info(struct world *w, struct w_dgram *d)
{
    (void)w;
    return d->esp || d->len < 20 || d->data[18] != L2V_IKE1_EXCHANGE_INFO;
}

/* A peer that refuses by silence: the wide offer finds out what it would take. */
START_TEST(test_silent_refusal)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options so = w_options(&psk, 1), co = so;
    w_init(&w, 440);
    so.ike_proposals = "3des-sha1-modp1024";
    so.flags =
        L2TPVOIP_IPSEC_ALLOW_3DES | L2TPVOIP_IPSEC_ALLOW_MODP1024 | L2TPVOIP_IPSEC_ALLOW_SHA1;
    co.flags = _i == 1 ? L2TPVOIP_IPSEC_NO_DIAGNOSE : 0;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &co), 0);
    w.filter = drop_info;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(!w_run_up(&w, 200 * W_S));
    if (_i == 0) {
        check_failure(c, L2TPVOIP_ERR_NO_PROPOSAL, "modp1024");
    } else {
        check_failure(c, L2TPVOIP_ERR_TIMEOUT, "");
    }
    ck_assert_uint_eq(w.jobs_run, 1); /* the prefetch; no third message ever */
    w_clear(&w);
}
END_TEST

static bool drop_until(struct world *w, struct w_dgram *d)
{
    (void)d;
    return w->te.env.now_ns >= *(uint64_t *)w->filter_arg;
}

/* All of the first offers were lost, the wide one was not: try again instead of giving up. */
START_TEST(test_diagnosis_was_loss)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 441);
    w_pair(&w, &c, &s);
    uint64_t until = w.te.env.now_ns + 25 * W_S;
    w.filter = drop_until;
    w.filter_arg = &until;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 200 * W_S));
    ck_assert_uint_eq(c->n_up, 1);
    w_clear(&w);
}
END_TEST

START_TEST(test_silence)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 450);
    w_pair(&w, &c, &s);
    s->mute = true;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(!w_run_up(&w, 300 * W_S));
    check_failure(c, L2TPVOIP_ERR_TIMEOUT, "");
    ck_assert_uint_eq(c->n_tx, 6); /* message 1 five times, the wide offer once */
    w_clear(&w);
}
END_TEST

/* Message 2 arrives and then nothing. */
static bool drop_after_m2(struct world *w, struct w_dgram *d)
{
    (void)w;
    return d->node != 0 || d->esp || d->len < 300; /* message 4 and later of the server */
}

START_TEST(test_silence_later)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 451);
    w_pair(&w, &c, &s);
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, 25 * W_MS);
    w.filter = drop_after_m2;
    s->mute = true;
    ck_assert(!w_run_up(&w, 300 * W_S));
    check_failure(c, L2TPVOIP_ERR_TIMEOUT, "fell silent");
    w_clear(&w);
}
END_TEST

START_TEST(test_no_natt)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options so = w_options(&psk, 1), co = so;
    w_init(&w, 460);
    so.vendor_ids = L2TPVOIP_VENDOR_IDS_NONE;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &co), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(!w_run_up(&w, 300 * W_S));
    check_failure(c, L2TPVOIP_ERR_UNSUPPORTED, "NAT traversal");
    w_clear(&w);
}
END_TEST

/* Every n-th allocation fails once, through connecting, renewal and closing: no crash, no leak. */
START_TEST(test_oom)
{
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    bool more = true;
    if (_i == 1) {
        o.flags = L2TPVOIP_IPSEC_PFS;
    }
    for (long n = 1; more; n++) {
        struct world w;
        struct w_node *c = NULL, *s = NULL;
        long base;
        w_init(&w, 470);
        base = w.te.n_allocs;
        w.te.fail_at = base + n;
        if (w_node(&w, &s, true, "198.51.100.1", &o) == 0 &&
            w_node(&w, &c, false, "203.0.113.7:40000", &o) == 0 && w_connect(c, s) == 0) {
            (void)w_run_up(&w, 100 * W_S);
            w_run(&w, W_S);
            if (c->peer != NULL && c->out != NULL) {
                l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
                w_run(&w, 20 * W_S);
            }
            if (c->peer != NULL) {
                l2v_ike_peer_rekey(c->peer);
                w_run(&w, 60 * W_S);
            }
            if (c->peer != NULL) {
                l2v_ike_peer_close(c->peer);
                c->peer = NULL;
            }
            w_run(&w, W_S);
        }
        more = w.te.n_allocs >= w.te.fail_at;
        w_clear(&w);
        ck_assert(n < 2000);
    }
}
END_TEST

TCase *test_ike_failures(void)
{
    TCase *tc = tcase_create("failures");
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, test_wrong_psk);
    tcase_add_loop_test(tc, test_eight_psks, 0, 8);
    tcase_add_test(tc, test_psk_of_another);
    tcase_add_test(tc, test_wrong_server);
    tcase_add_loop_test(tc, test_no_proposal, 0, 2);
    tcase_add_loop_test(tc, test_silent_refusal, 0, 2);
    tcase_add_test(tc, test_diagnosis_was_loss);
    tcase_add_test(tc, test_silence);
    tcase_add_test(tc, test_silence_later);
    tcase_add_test(tc, test_no_natt);
    tcase_add_loop_test(tc, test_oom, 0, 2);
    return tc;
}
