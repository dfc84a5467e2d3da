/* SPDX-License-Identifier: MIT */
/* What somebody forges who sees the packets, or who has another key: public keys, exchanges, copies
 * from elsewhere, reflections, the identity of others. */
#include "ike_world.h"

#define MAX_SEEN 64u

struct seen {
    unsigned n;
    struct w_dgram d[MAX_SEEN];
    uint8_t bytes[MAX_SEEN][2048];
};

static bool note(struct world *w, struct w_dgram *d)
{
    struct seen *seen = w->filter_arg;
    if (!d->esp && seen->n < MAX_SEEN && d->len <= sizeof(seen->bytes[0])) {
        seen->d[seen->n] = *d;
        memcpy(seen->bytes[seen->n], d->data, d->len);
        seen->d[seen->n].data = seen->bytes[seen->n];
        seen->n++;
    }
    return true;
}

/* Exchanges that are neither offered nor answered: aggressive mode above all (a hash of the key for
 * anybody who asks), and anything but main mode from a stranger. */
START_TEST(test_other_exchanges)
{
    static const uint8_t types[] = {0, 1, 3, 4, 5, 6, 32, 33, 34, 35, 36, 37, 255};
    static struct seen seen;
    struct world w;
    struct w_node *c, *s;
    memset(&seen, 0, sizeof seen);
    w_init(&w, 900);
    w_pair(&w, &c, &s);
    w.filter = note;
    w.filter_arg = &seen;
    ck_assert_int_eq(w_connect(c, s), 0);
    w.filter = NULL;
    ck_assert_uint_eq(seen.n, 1);
    uint8_t *m1 = seen.bytes[0];
    l2v_put_u32(m1, 0x12345678); /* other cookies than the client's own */
    for (unsigned i = 0; i < sizeof(types); i++) {
        for (unsigned mid = 0; mid < 2; mid++) {
            m1[18] = types[i];
            l2v_put_u32(m1 + 20, mid);
            w_inject(&w, s, &seen.d[0].from, 500, m1, seen.d[0].len);
        }
    }
    m1[18] = L2V_IKE1_EXCHANGE_MAIN;
    l2v_put_u32(m1 + 20, 7); /* a message id has no place in main mode */
    w_inject(&w, s, &seen.d[0].from, 500, m1, seen.d[0].len);
    l2v_put_u32(m1 + 20, 0);
    m1[17] = 0x20; /* IKEv2 */
    w_inject(&w, s, &seen.d[0].from, 500, m1, seen.d[0].len);
    ck_assert_uint_eq(s->n_tx, 0);
    ck_assert_uint_eq(s->ike->n_unauth, 0);
    ck_assert_uint_eq(l2v_ike_get_stats(s->ike)->half_open, 0);
    m1[17] = 0x10;
    w_inject(&w, s, &seen.d[0].from, 500, m1, seen.d[0].len);
    ck_assert_uint_eq(s->n_tx, 1); /* the same bytes as they should be */
    w_clear(&w);
}
END_TEST

/* Fills the KE payload of message 3 (node 1) or 4 (node 0) with a value. */
struct bad_ke {
    unsigned node;
    uint8_t fill, last;
    bool spoilt;
};

static bool spoil_ke(struct world *w, struct w_dgram *d)
{
    struct bad_ke *bad = w->filter_arg;
    if (d->esp || d->node != bad->node || d->data[16] != L2V_IKE1_PAYLOAD_KE) {
        return true;
    }
    size_t len = l2v_get_u16(d->data + 30) - 4u;
    memset(d->data + 32, bad->fill, len);
    d->data[32 + len - 1] = bad->last;
    bad->spoilt = true;
    return true;
}

/* rfc6989#2: zero, one, and values beyond the prime or off the curve. bits of _i: 1 = MODP, 2 = to
 * the client, above = which value */
START_TEST(test_bad_public_key)
{
    static const uint8_t values[][2] = {{0, 0}, {0, 1}, {0xff, 0xff}, {0x5a, 0xa5}};
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    struct world w;
    struct w_node *c, *s;
    const uint8_t *v = values[_i >> 2];
    struct bad_ke bad = {(_i & 2) != 0 ? 0 : 1, v[0], v[1], false};
    w_init(&w, 901);
    o.ike_proposals = (_i & 1) != 0 ? "aes256-sha256-modp2048" : "aes256-sha256-ecp256";
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &o), 0);
    w.filter = spoil_ke;
    w.filter_arg = &bad;
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, 200 * W_S);
    ck_assert(bad.spoilt);
    ck_assert_uint_eq(c->n_down, 1);
    ck_assert_int_ne(c->failure.code, 0);
    ck_assert_uint_eq(s->n_accept, 0);
    ck_assert_uint_eq(s->ike->n_unauth, 0);
    w.filter = NULL;
    c->n_down = 0;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_clear(&w);
}
END_TEST

/* Another group of users has another key. Its member claims somebody's identity behind the same
 * NAT, with INITIAL-CONTACT: nothing of the other's is touched. */
START_TEST(test_initial_contact_other_key)
{
    l2tpvoip_psk keys[2] = {w_psk("a pre-shared key of some length", NULL),
                            w_psk("the key of another set of users", NULL)};
    l2tpvoip_ipsec_options so = w_options(keys, 2), ao = w_options(&keys[0], 1),
                           bo = w_options(&keys[_i], 1);
    struct world w;
    struct w_node *s, *a, *b;
    w_init(&w, 902);
    ao.local_id = bo.local_id = "phone.example";
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &a, false, "10.0.0.2:500", &ao), 0);
    ck_assert_int_eq(w_node(&w, &b, false, "10.0.0.3:500", &bo), 0);
    a->nat = b->nat = true;
    a->nat_base = 31000;
    b->nat_base = 32000;
    ck_assert_int_eq(w_connect(a, s), 0);
    w_run(&w, 2 * W_S);
    ck_assert_int_eq(w_connect(b, s), 0);
    w_run(&w, 2 * W_S);
    ck_assert_uint_eq(s->n_accept, 2);
    ck_assert_uint_eq(s->n_down, _i == 0 ? 1 : 0); /* with the same key it is the same user */
    ck_assert_uint_eq(w_check_keys(a, s), _i == 0 ? 0 : 1);
    ck_assert_uint_eq(w_check_keys(b, s), 1);
    w_clear(&w);
}
END_TEST

/* A copy of message 5 that comes from another address first: the key is for the true one, and the
 * true one still opens. */
static bool copy_m5(struct world *w, struct w_dgram *d)
{
    struct w_node *s = w->filter_arg;
    if (!d->esp && d->node == 1 && d->data[18] == L2V_IKE1_EXCHANGE_MAIN &&
        (d->data[19] & 1) != 0) {
        l2tpvoip_addr from = d->from;
        from.ip[3]++;
        w->filter = NULL;
        w_inject(w, s, &from, 4500, d->data, d->len);
        ck_assert_uint_eq(s->n_accept, 0);
    }
    return true;
}

START_TEST(test_m5_from_elsewhere)
{
    l2tpvoip_psk key = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_psk bound = w_psk("a pre-shared key of some length", "203.0.113.7");
    l2tpvoip_ipsec_options o = w_options(&key, 1), so = w_options(&bound, 1);
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 903);
    o.local_id = "phone.example"; /* it is the address that makes the key fit */
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &o), 0);
    w.filter = copy_m5;
    w.filter_arg = s;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 500 * W_MS)); /* at once, without a retransmission */
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    w_clear(&w);
}
END_TEST

/* Fragments that come again draw the answer from the cache. */
START_TEST(test_fragments_again)
{
    static struct seen seen;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    struct world w;
    struct w_node *c, *s;
    memset(&seen, 0, sizeof seen);
    w_init(&w, 904);
    o.profile = L2TPVOIP_PROFILE_COMPATIBLE;
    o.esp_proposals = NULL; /* long enough for pieces */
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:500", &o), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, 55 * W_MS); /* message 6 is under way */
    w.filter = note;
    w.filter_arg = &seen;
    w_run(&w, 6 * W_MS);
    unsigned n = seen.n;
    ck_assert_uint_ge(n, 2);
    w_run(&w, 10 * W_MS);
    w.filter = NULL;
    s->mute = true; /* message 2 of quick mode is lost */
    ck_assert_uint_eq(s->n_child_up, 1);
    unsigned sent = s->n_tx;
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_eq(seen.d[i].data[16], L2V_IKE1_PAYLOAD_FRAGMENT);
        ck_assert_uint_eq(s->n_tx, sent);
        w_inject(&w, s, &seen.d[i].from, 4500, seen.d[i].data, seen.d[i].len);
    }
    ck_assert_uint_eq(s->n_tx, sent + 1);
    ck_assert_uint_eq(s->n_child_up, 1);
    w_clear(&w);
}
END_TEST

/* Everything that a side sends comes back to it, and everything comes to another client: nothing
 * happens. */
START_TEST(test_reflection)
{
    static struct seen seen;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    struct world w;
    struct w_node *a, *b, *s;
    memset(&seen, 0, sizeof seen);
    w_init(&w, 905);
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &a, false, "203.0.113.7:500", &o), 0);
    ck_assert_int_eq(w_node(&w, &b, false, "203.0.113.8:500", &o), 0);
    ck_assert_int_eq(w_connect(b, s), 0);
    w_run(&w, 2 * W_S);
    w.filter = note;
    w.filter_arg = &seen;
    ck_assert_int_eq(w_connect(a, s), 0);
    w_run(&w, 2 * W_S);
    l2v_ike_child_rekey(a->peer, a->out->c.spi_in);
    l2v_ike_child_rekey(s->peer, s->out->c.spi_in);
    w_run(&w, 2 * W_S);
    w.filter = NULL;
    ck_assert_uint_ge(seen.n, 12);
    unsigned up = a->n_child_up + b->n_child_up + s->n_child_up;
    const uint8_t *b_cookies = l2v_ike_peer_sa(b->peer)->icookie;
    for (unsigned i = 0; i < seen.n; i++) {
        struct w_dgram *d = &seen.d[i];
        struct w_node *self = &w.nodes[d->node];
        w_inject(&w, self, &d->to, d->from.port, d->data, d->len);
        w_inject(&w, b, &d->from, 0, d->data, d->len);
        if ((d->data[19] & 1) != 0) { /* under the cookies of another SA */
            memcpy(d->data, b_cookies, 8);
            memcpy(d->data + 8, l2v_ike_peer_sa(b->peer)->rcookie, 8);
            w_inject(&w, s, &d->from, 4500, d->data, d->len);
            w_inject(&w, b, &d->to, 0, d->data, d->len);
        }
        w_run(&w, 20 * W_MS);
    }
    ck_assert_uint_eq(a->n_child_up + b->n_child_up + s->n_child_up, up);
    ck_assert_uint_eq(a->n_down + b->n_down + s->n_down, 0);
    ck_assert_uint_eq(a->n_moved + b->n_moved + s->n_moved, 0);
    ck_assert_uint_eq(s->n_accept, 2);
    ck_assert_uint_ge(w_check_keys(a, s), 1);
    ck_assert_uint_eq(w_check_keys(b, s), 1);
    w_clear(&w);
}
END_TEST

/* rfc2408#2.5.3: messages 1 and 3 that were recorded are good for some minutes, whoever sends them;
 * later they cost no key agreement. */
START_TEST(test_old_cookie)
{
    static struct seen seen;
    struct world w;
    struct w_node *c, *s;
    memset(&seen, 0, sizeof seen);
    w_init(&w, 906);
    w_pair(&w, &c, &s);
    w.filter = note;
    w.filter_arg = &seen;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w.filter = NULL;
    l2v_ike_peer_close(c->peer);
    c->peer = NULL;
    c->out = NULL;
    c->mute = true;
    w_run(&w, (_i == 0 ? 100 : 250) * W_S);
    ck_assert_uint_eq(s->ike->n_peers, 0);
    unsigned jobs = w.jobs_run;
    w_inject(&w, s, &seen.d[0].from, 500, seen.d[0].data, seen.d[0].len);
    w_inject(&w, s, &seen.d[2].from, 500, seen.d[2].data, seen.d[2].len);
    w_run(&w, W_S);
    ck_assert_uint_eq(w.jobs_run, jobs + (_i == 0 ? 1 : 0));
    /* and a record made under the old secret is of no use either */
    w_run(&w, 250 * W_S);
    w_inject(&w, s, &seen.d[2].from, 500, seen.d[2].data, seen.d[2].len);
    w_run(&w, W_S);
    ck_assert_uint_eq(w.jobs_run, jobs + (_i == 0 ? 1 : 0));
    c->mute = false;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_clear(&w);
}
END_TEST

/* Message 2 carries no proof: a life of a second in it does not keep the client busy. */
static bool shorten_life(struct world *w, struct w_dgram *d)
{
    static const uint8_t was[] = {0x80, 0x0c, 0x70, 0x80}; /* 28800 s */
    (void)w;
    for (size_t i = 28; d->node == 0 && i + 4 <= d->len; i++) {
        if (memcmp(d->data + i, was, 4) == 0) {
            l2v_put_u16(d->data + i + 2, 1);
        }
    }
    return true;
}

START_TEST(test_life_in_message_2)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 907);
    w_pair(&w, &c, &s);
    w.filter = shorten_life;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w.filter = NULL;
    ck_assert_uint_eq(l2v_ike_peer_sa(c->peer)->chosen.life_s, 1);
    ck_assert_uint_eq(l2v_ike_peer_sa(c->peer)->life_s, 60);
    w_run(&w, 300 * W_S);
    ck_assert_uint_le(c->n_again, 1);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    w_clear(&w);
}
END_TEST

TCase *test_ike_forgery(void)
{
    TCase *tc = tcase_create("forgery");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, test_other_exchanges);
    tcase_add_loop_test(tc, test_bad_public_key, 0, 16);
    tcase_add_loop_test(tc, test_initial_contact_other_key, 0, 2);
    tcase_add_test(tc, test_m5_from_elsewhere);
    tcase_add_test(tc, test_fragments_again);
    tcase_add_test(tc, test_reflection);
    tcase_add_loop_test(tc, test_old_cookie, 0, 2);
    tcase_add_test(tc, test_life_in_message_2);
    return tc;
}
