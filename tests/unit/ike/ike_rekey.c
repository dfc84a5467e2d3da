/* SPDX-License-Identifier: MIT */
/* Life after the first connection: renewal of both phases by either side and by both at once, by
 * time and by volume, without losing a packet; moves; dead peers; Delete; INITIAL-CONTACT. */
#include "ike_world.h"

static void connect_pair(struct world *w, uint64_t seed, struct w_node **c, struct w_node **s,
                         const l2tpvoip_ipsec_options *change)
{
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    w_init(w, seed);
    if (change != NULL) {
        o = *change;
        o.psks = &psk;
    }
    ck_assert_int_eq(w_node(w, s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(w, c, false, "10.0.0.2:500", &o), 0);
    (*c)->nat = true;
    (*c)->nat_base = 31000;
    ck_assert_int_eq(w_connect(*c, *s), 0);
    ck_assert(w_run_up(w, 10 * W_S));
    w_run(w, W_S);
}

static void start_call(struct world *w, uint64_t duration_ns)
{
    w->esp_every = 20 * W_MS;
    w->esp_next = w->te.env.now_ns + W_MS;
    w->esp_until = w->te.env.now_ns + duration_ns;
}

static void check_no_loss(const struct w_node *c, const struct w_node *s)
{
    ck_assert_uint_eq(c->esp_lost, 0);
    ck_assert_uint_eq(s->esp_lost, 0);
    ck_assert_uint_eq(c->esp_rx, s->esp_tx);
    ck_assert_uint_eq(s->esp_rx, c->esp_tx);
}

/* bits of _i: 1 = client asks, 2 = server asks (3 = both at once), 4 = IKE loss, 8 = slow jobs */
START_TEST(test_rekey_child)
{
    struct world w;
    struct w_node *c, *s;
    connect_pair(&w, 100 + (uint64_t)_i, &c, &s, NULL);
    w.esp_lossless = true;
    w.job_ns = (_i & 8) != 0 ? 30 * W_MS : 0;
    w_run(&w, 70 * W_S); /* younger ones count as a collision */
    w.loss = (_i & 4) != 0 ? 30 : 0;
    start_call(&w, 120 * W_S);
    w_run(&w, W_S);
    uint32_t old = c->out->c.spi_in;
    if ((_i & 3) == 0) {
        l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
        w_run(&w, 15 * W_MS); /* they cross half way */
        if (s->out != NULL) {
            l2v_ike_child_rekey(s->peer, s->out->c.spi_in);
        }
    }
    if ((_i & 1) != 0) {
        l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
    }
    if ((_i & 2) != 0) {
        l2v_ike_child_rekey(s->peer, s->out->c.spi_in);
    }
    w_run(&w, 100 * W_S);
    w.loss = 0;
    w_run(&w, 100 * W_S);
    check_no_loss(c, s);
    ck_assert_uint_ne(c->out->c.spi_in, old);
    ck_assert_uint_eq(c->out->c.spi_out, s->out->c.spi_in);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    ck_assert_uint_eq(w_live(c), 1); /* old pair and loser of a collision are gone */
    ck_assert_uint_eq(w_live(s), 1);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    w_clear(&w);
}
END_TEST

START_TEST(test_rekey_sa)
{
    struct world w;
    struct w_node *c, *s;
    connect_pair(&w, 200 + (uint64_t)_i, &c, &s, NULL);
    w.esp_lossless = true;
    w.job_ns = (_i & 8) != 0 ? 30 * W_MS : 0;
    w_run(&w, 70 * W_S); /* younger ones count as a collision */
    w.loss = (_i & 4) != 0 ? 30 : 0;
    start_call(&w, 200 * W_S);
    w_run(&w, W_S);
    struct l2v_ike_sa *before = l2v_ike_peer_sa(c->peer);
    uint8_t old[8];
    memcpy(old, before->icookie, 8);
    if ((_i & 3) == 0) {
        l2v_ike_peer_rekey(c->peer);
        w_run(&w, 15 * W_MS);
        l2v_ike_peer_rekey(s->peer);
    }
    if ((_i & 1) != 0) {
        l2v_ike_peer_rekey(c->peer);
    }
    if ((_i & 2) != 0) {
        l2v_ike_peer_rekey(s->peer);
    }
    w_run(&w, 150 * W_S);
    w.loss = 0;
    w_run(&w, 100 * W_S);
    check_no_loss(c, s);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    ck_assert_uint_eq(s->n_accept, 1); /* adopted by the new ISAKMP SA, not a new peer */
    ck_assert_uint_ge(c->n_again, 1);
    ck_assert_uint_ge(s->n_again, 1);
    ck_assert_uint_eq(w_live(c), 1);
    ck_assert_uint_eq(c->peer->n_sas, 1);
    ck_assert_uint_eq(s->peer->n_sas, 1);
    struct l2v_ike_sa *a = l2v_ike_peer_sa(c->peer), *b = l2v_ike_peer_sa(s->peer);
    ck_assert_mem_eq(a->icookie, b->icookie, 8);
    ck_assert_int_ne(memcmp(a->icookie, old, 8), 0);
    /* The pair made under the old SA is renewed under the new one, by either side. */
    l2v_ike_child_rekey(s->peer, s->out->c.spi_in);
    w_run(&w, 60 * W_S);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    ck_assert_uint_eq(s->n_child_up, 2);
    w_clear(&w);
}
END_TEST

/* By lifetime alone, over hours; zero loss of ESP. */
START_TEST(test_lifetimes)
{
    l2tpvoip_ipsec_options o = w_options(NULL, 1);
    struct world w;
    struct w_node *c, *s;
    o.ike_lifetime_s = 600;
    o.esp_lifetime_s = 120;
    o.retransmit_tries = 8;
    o.profile = _i % 2 == 0 ? L2TPVOIP_PROFILE_MODERN : L2TPVOIP_PROFILE_WINDOWS;
    if (_i % 2 == 1) {
        o.ike_proposals = "aes256-sha1-ecp384";
        o.esp_proposals = "aes256-sha1";
    }
    if (_i == 2) {
        o.flags |= L2TPVOIP_IPSEC_CHILD_DIES_WITH_IKE;
    }
    connect_pair(&w, 300 + (uint64_t)_i, &c, &s, &o);
    w.esp_lossless = true;
    w.loss = _i >= 2 ? 10 : 0;
    start_call(&w, 7200 * W_S);
    w.esp_every = 500 * W_MS;
    w_run(&w, 7200 * W_S);
    check_no_loss(c, s);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    ck_assert_uint_eq(s->n_accept, 1);
    ck_assert_uint_ge(c->n_child_up, 60);
    ck_assert_uint_le(c->n_child_up, 200);
    ck_assert_uint_ge(c->n_again, 10);
    ck_assert_uint_le(w_live(c), 3);
    ck_assert_uint_le(c->peer->n_sas, 2);
    w_clear(&w);
}
END_TEST

START_TEST(test_lifetime_agreed)
{
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1), so = o;
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 320);
    o.esp_lifetime_s = 3600;
    o.esp_lifetime_bytes = 250000 * 1024;
    so.esp_lifetime_s = 300; /* RESPONDER-LIFETIME */
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &o), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    struct l2v_ike_csa *csa = l2v_ike_peer_find_child(c->peer, c->out->c.spi_in);
    ck_assert(csa->hard.expiry_ns <= w.te.env.now_ns + 300 * W_S);
    ck_assert_uint_eq(s->children[0].c.lifetime_bytes, 250000 * 1024);
    w_clear(&w);
}
END_TEST

/* The client's mapping changes: ESP says so, IKE goes on from there. */
START_TEST(test_move)
{
    struct world w;
    struct w_node *c, *s;
    connect_pair(&w, 330, &c, &s, NULL);
    c->nat_base = 35000;
    if (_i == 0) {
        struct l2v_ike_route route = *l2v_ike_peer_get_route(s->peer);
        route.remote.port = 35001;
        l2v_ike_peer_move(s->peer, &route);
        ck_assert_uint_eq(s->n_moved, 1);
        l2v_ike_peer_rekey(s->peer);
    } else { /* IKE alone: an authenticated fresh message from elsewhere */
        l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
    }
    w_run(&w, 60 * W_S);
    ck_assert_uint_eq(s->n_moved, 1);
    ck_assert_uint_eq(l2v_ike_peer_get_route(s->peer)->remote.port, 35001);
    ck_assert_uint_eq(s->n_accept, 1);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    ck_assert_uint_eq(c->n_again, _i == 0 ? 1 : 0);
    /* and a new main mode from the new mapping joins the same lineage */
    l2v_ike_peer_rekey(c->peer);
    w_run(&w, 60 * W_S);
    ck_assert_uint_eq(s->n_accept, 1);
    ck_assert_uint_ge(s->n_again, 1);
    w_clear(&w);
}
END_TEST

START_TEST(test_dpd)
{
    struct world w;
    struct w_node *c, *s;
    connect_pair(&w, 340, &c, &s, NULL);
    unsigned tx = c->n_tx;
    w_run(&w, 300 * W_S); /* idle: probes, all answered */
    ck_assert_uint_ge(c->n_tx, tx + 5);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    /* Traffic makes them needless: rfc3706#5.5. */
    start_call(&w, 300 * W_S);
    w_run(&w, W_S);
    tx = c->n_tx;
    w_run(&w, 298 * W_S);
    ck_assert_uint_eq(c->n_tx, tx);
    w_run(&w, 2 * W_S);
    if (_i == 0) { /* the server goes away */
        s->mute = true;
        w_run(&w, 200 * W_S);
        ck_assert_uint_eq(c->n_down, 1);
        ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_TIMEOUT);
        ck_assert(c->failure.next_step[0] != 0);
    } else { /* asked for: decided within seconds */
        c->mute = true;
        l2v_ike_peer_probe(s->peer);
        w_run(&w, 30 * W_S);
        ck_assert_uint_eq(s->n_down, 1);
    }
    w_clear(&w);
}
END_TEST

/* A new start of the same client from the same address removes the old peer; a client with the same
 * identity elsewhere stays. rfc2407#4.6.3.3 */
START_TEST(test_initial_contact)
{
    struct world w;
    struct w_node *c, *s, *other, *again;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    w_init(&w, 350);
    o.local_id = "phone.example";
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "10.0.0.2:500", &o), 0);
    ck_assert_int_eq(w_node(&w, &other, false, "203.0.113.99:40000", &o), 0);
    ck_assert_int_eq(w_node(&w, &again, false, "10.0.0.9:500", &o), 0);
    c->nat = again->nat = true;
    c->nat_base = 31000;
    again->nat_base = 32000;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_int_eq(w_connect(other, s), 0);
    w_run(&w, 2 * W_S);
    ck_assert_uint_eq(s->n_accept, 2);
    ck_assert_uint_eq(w_live(s), 2);
    c->mute = true;
    ck_assert_int_eq(w_connect(again, s), 0);
    w_run(&w, 2 * W_S);
    ck_assert_uint_eq(s->n_accept, 3);
    ck_assert_uint_eq(s->n_down, 1);
    ck_assert_uint_eq(w_live(s), 2);
    ck_assert_uint_eq(w_check_keys(other, s), 1);
    ck_assert_uint_eq(w_check_keys(again, s), 1);
    ck_assert_uint_eq(w_check_keys(c, s), 0);
    w_clear(&w);
}
END_TEST

/* The server deletes only the ISAKMP SA: the pair lives on, the client makes a new one. */
START_TEST(test_delete_sa)
{
    struct world w;
    struct w_node *c, *s;
    connect_pair(&w, 360, &c, &s, NULL);
    w.esp_lossless = true;
    start_call(&w, 30 * W_S);
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(s->peer);
    l2v_ike_enter(s->ike);
    l2v_ike1_info_delete_sa(sa, sa);
    l2v_ike1_sa_kill(sa);
    l2v_ike_leave(s->ike);
    w_run(&w, 40 * W_S);
    check_no_loss(c, s);
    ck_assert_uint_eq(c->n_again, 1);
    ck_assert_uint_eq(s->n_accept, 1);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    ck_assert_uint_eq(w_live(c), 1);
    w_clear(&w);
}
END_TEST

/* The server deletes the pair: the client asks for a new one. */
START_TEST(test_delete_child)
{
    struct world w;
    struct w_node *c, *s;
    connect_pair(&w, 370, &c, &s, NULL);
    l2v_ike_enter(s->ike);
    struct l2v_ike_csa *csa = l2v_ike_peer_find_child(s->peer, s->out->c.spi_in);
    l2v_ike1_info_delete_child(l2v_ike_peer_sa(s->peer), csa->spi_in);
    l2v_ike_peer_drop_child(s->peer, csa, NULL);
    l2v_ike_leave(s->ike);
    w_run(&w, 30 * W_S);
    ck_assert_uint_eq(c->n_child_down, 1);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    w_clear(&w);
}
END_TEST

/* Quick mode message 3 never arrives: the first ESP on the new pair confirms it. */
static bool drop_short_quick(struct world *w, struct w_dgram *d)
{
    (void)w;
    return !(!d->esp && d->node == 1 && d->len > 18 && d->data[18] == L2V_IKE1_EXCHANGE_QUICK &&
             d->len < 110);
}

START_TEST(test_confirm_by_esp)
{
    struct world w;
    struct w_node *c, *s;
    connect_pair(&w, 380, &c, &s, NULL);
    w.filter = drop_short_quick;
    start_call(&w, 60 * W_S);
    w_run(&w, W_S);
    unsigned confirmed = s->n_confirmed;
    l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
    w_run(&w, 60 * W_S);
    ck_assert_uint_eq(s->n_confirmed, confirmed + 1);
    check_no_loss(c, s);
    ck_assert_uint_eq(w_live(s), 1);
    w_clear(&w);
}
END_TEST

/* Neither: the responder repeats message 2 and then takes the pair away. */
START_TEST(test_never_confirmed)
{
    struct world w;
    struct w_node *c, *s;
    connect_pair(&w, 390, &c, &s, NULL);
    w.filter = drop_short_quick;
    uint64_t before = l2v_ike_get_stats(s->ike)->retransmits;
    l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
    w_run(&w, 8 * W_S);
    ck_assert_uint_ge(l2v_ike_get_stats(s->ike)->retransmits, before + 3);
    ck_assert_uint_eq(w_live(s), 2);
    c->mute = true; /* not even a Delete */
    w_run(&w, 60 * W_S);
    ck_assert_uint_eq(w_live(s), 1);
    w_clear(&w);
}
END_TEST

/* A server that has no public-key work to give away at the moment: quick mode with PFS comes up
 * with a repetition of its first message, whose number must not have been used up. */
START_TEST(test_busy)
{
    l2tpvoip_ipsec_options o = w_options(NULL, 1);
    struct world w;
    struct w_node *c, *s;
    o.flags = L2TPVOIP_IPSEC_PFS;
    connect_pair(&w, 395, &c, &s, &o);
    w_run(&w, 30 * W_S);
    unsigned pairs = s->n_child_up;
    s->ike->dh_rate.tokens = 0;
    s->ike->dh_rate.last_ns = w.te.env.now_ns;
    s->ike->dh_rate.interval_ns = 5 * W_S;
    l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
    w_run(&w, 4 * W_S);
    ck_assert_uint_ge(l2v_ike_get_stats(s->ike)->rate_limited, 2);
    ck_assert_uint_eq(s->n_child_up, pairs);
    w_run(&w, 6 * W_S);
    ck_assert_uint_eq(s->n_child_up, pairs + 1);
    w_run(&w, 60 * W_S);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    w_clear(&w);
}
END_TEST

TCase *test_ike_rekey(void)
{
    TCase *tc = tcase_create("rekey");
    tcase_set_timeout(tc, 240);
    tcase_add_loop_test(tc, test_rekey_child, 0, 64);
    tcase_add_loop_test(tc, test_rekey_sa, 0, 64);
    tcase_add_loop_test(tc, test_lifetimes, 0, 4);
    tcase_add_test(tc, test_lifetime_agreed);
    tcase_add_loop_test(tc, test_move, 0, 2);
    tcase_add_loop_test(tc, test_dpd, 0, 2);
    tcase_add_test(tc, test_initial_contact);
    tcase_add_test(tc, test_delete_sa);
    tcase_add_test(tc, test_delete_child);
    tcase_add_test(tc, test_confirm_by_esp);
    tcase_add_test(tc, test_never_confirmed);
    tcase_add_test(tc, test_busy);
    return tc;
}
