/* SPDX-License-Identifier: MIT */
/* What an attacker can send: floods, spoofed and replayed and mutated messages, duplicates. */
#include <stdio.h>

#include "ike_world.h"

#define MAX_CAPTURE 64

struct capture {
    unsigned n;
    struct w_dgram d[MAX_CAPTURE];
};

static bool record(struct world *w, struct w_dgram *d)
{
    struct capture *cap = w->filter_arg;
    if (!d->esp && cap->n < MAX_CAPTURE) {
        cap->d[cap->n] = *d;
        cap->d[cap->n].data = malloc(d->len);
        memcpy(cap->d[cap->n].data, d->data, d->len);
        cap->n++;
    }
    return true;
}

static void release(struct capture *cap)
{
    for (unsigned i = 0; i < cap->n; i++) {
        free(cap->d[i].data);
    }
}

static void replay(struct world *w, const struct w_dgram *d, const uint8_t *data, size_t len)
{
    struct w_node *to = &w->nodes[d->node == 0 ? 1 : 0]; /* node 0 is the server */
    w_inject(w, to, &d->from, d->to.port, data, len);
}

/* Spoofed first and third messages cost no key agreement; the ring overwrites; a client that is
 * quick enough still gets in. */
START_TEST(test_flood)
{
    struct world w;
    struct w_node *c, *s;
    struct capture cap = {0};
    uint8_t msg[2048];
    w_init(&w, 500);
    w_pair(&w, &c, &s);
    w.filter = record;
    w.filter_arg = &cap;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    unsigned jobs = w.jobs_run;
    const struct w_dgram *m1 = &cap.d[0], *m3 = &cap.d[2];
    long live = w.te.live;
    s->mute = true; /* only the bookkeeping counts here */
    for (uint32_t i = 0; i < 5000; i++) {
        l2tpvoip_addr from = l2v_addr_from_ip4(0x0b000000 + i, (uint16_t)(1024 + i % 5000));
        memcpy(msg, m1->data, m1->len);
        l2v_put_u32(msg, i);
        w_inject(&w, s, &from, 500, msg, m1->len);
        memcpy(msg, m3->data, m3->len);
        l2v_put_u32(msg, i); /* right initiator cookie, guessed responder cookie */
        w_inject(&w, s, &from, 500, msg, m3->len);
        w_run(&w, 0);
    }
    ck_assert_uint_eq(w.jobs_run, jobs);
    ck_assert_int_eq(w.te.live, live); /* no memory either */
    ck_assert_uint_ge(l2v_ike_get_stats(s->ike)->ring_overwrites, 4900);
    ck_assert_uint_le(l2v_ike_get_stats(s->ike)->half_open, 64);
    ck_assert_uint_ge(l2v_ike_get_stats(s->ike)->cookies_bad, 5000);
    ck_assert_uint_eq(s->ike->n_unauth, 0);
    s->mute = false;
    l2v_ike_peer_close(c->peer);
    c->peer = NULL;
    c->out = NULL;
    w_run(&w, W_S);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    release(&cap);
    w_clear(&w);
}
END_TEST

/* Third message with the right cookies from another address or port: no key agreement. */
START_TEST(test_spoofed_m3)
{
    struct world w;
    struct w_node *c, *s;
    struct capture cap = {0};
    w_init(&w, 501);
    w_pair(&w, &c, &s);
    w.filter = record;
    w.filter_arg = &cap;
    w.delay_ns = 10 * W_MS;
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, 25 * W_MS); /* message 3 is on its way */
    ck_assert_uint_eq(cap.n, 3);
    unsigned jobs = w.jobs_run;
    l2tpvoip_addr from = cap.d[2].from;
    from.port++;
    w_inject(&w, s, &from, 500, cap.d[2].data, cap.d[2].len);
    from = cap.d[2].from;
    from.ip[3]++;
    w_inject(&w, s, &from, 500, cap.d[2].data, cap.d[2].len);
    ck_assert_uint_eq(s->ike->n_unauth, 0);
    ck_assert_uint_eq(w.jobs_run, jobs);
    ck_assert(w_run_up(&w, 10 * W_S)); /* the right one is still welcome */
    release(&cap);
    w_clear(&w);
}
END_TEST

/* The bucket of key agreements, and the bound per address. */
START_TEST(test_dh_limits)
{
    struct world w;
    struct w_node *c, *s;
    struct capture cap = {0};
    uint8_t msg[2048];
    w_init(&w, 502);
    w_pair(&w, &c, &s);
    w.filter = record;
    w.filter_arg = &cap;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    struct w_dgram m1 = cap.d[0], m3 = cap.d[2];
    w.job_ns = 1000 * W_S; /* nothing ever finishes */
    for (uint32_t i = 0; i < 60; i++) {
        struct capture got = {0};
        l2tpvoip_addr from = l2v_addr_from_ip4(0x0b000001, (uint16_t)(2000 + i));
        w.filter_arg = &got;
        memcpy(msg, m1.data, m1.len);
        l2v_put_u32(msg, 7 + i);
        w_inject(&w, s, &from, 500, msg, m1.len);
        ck_assert_uint_ge(got.n, 1);
        memcpy(msg, m3.data, m3.len);
        memcpy(msg, got.d[0].data, 16);
        w_inject(&w, s, &from, 500, msg, m3.len);
        release(&got);
    }
    ck_assert_uint_eq(s->ike->n_unauth, L2V_IKE_MAX_UNAUTH_IP);
    ck_assert_uint_ge(l2v_ike_get_stats(s->ike)->rate_limited, 60 - L2V_IKE_MAX_UNAUTH_IP);
    w.filter = NULL;
    w_run(&w, 100 * W_S);
    ck_assert_uint_eq(s->ike->n_unauth, 0); /* given up by time; jobs still out */
    release(&cap);
    w_clear(&w);
}
END_TEST

/* Message 2 is never longer than message 1, and there is one a request. */
START_TEST(test_amplification)
{
    struct world w;
    struct w_node *c, *s;
    struct capture cap = {0};
    w_init(&w, 503);
    w_pair(&w, &c, &s);
    w.filter = record;
    w.filter_arg = &cap;
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, 15 * W_MS);
    c->mute = true;
    ck_assert_uint_eq(cap.n, 2);
    ck_assert_uint_le(cap.d[1].len, cap.d[0].len);
    w_run(&w, 120 * W_S); /* rfc: nothing on a timer before the peer is authenticated */
    ck_assert_uint_eq(s->n_tx, 1);
    release(&cap);
    w_clear(&w);
}
END_TEST

static void fingerprint(const struct world *w, char *text, size_t size)
{
    const struct w_node *s = &w->nodes[0], *c = &w->nodes[1];
    snprintf(text, size, "%u %u %u %u %u %u | %u %u %u %u %u %u | %u %u %u %u", s->n_up, s->n_down,
             s->n_accept, s->n_child_up, s->n_child_down, s->n_moved, c->n_up, c->n_down,
             c->n_accept, c->n_child_up, c->n_child_down, c->n_moved,
             s->peer != NULL ? s->peer->n_sas : 0, c->peer != NULL ? c->peer->n_sas : 0, w_live(s),
             w_live(c));
}

/* Everything that was ever sent, sent again: only cached answers, no change. */
START_TEST(test_replays)
{
    struct world w;
    struct w_node *c, *s;
    struct capture cap = {0};
    char before[256], after[256];
    w_init(&w, 510);
    w_pair(&w, &c, &s);
    w.filter = record;
    w.filter_arg = &cap;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, 40 * W_S); /* with a DPD exchange */
    l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
    w_run(&w, 30 * W_S);
    ck_assert_uint_ge(cap.n, 12);
    w.filter = NULL;
    fingerprint(&w, before, sizeof before);
    unsigned jobs = w.jobs_run;
    uint64_t bad = l2v_ike_get_stats(s->ike)->replays + l2v_ike_get_stats(s->ike)->rx_bad +
                   l2v_ike_get_stats(s->ike)->cookies_bad;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < cap.n; i++) {
            replay(&w, &cap.d[i], cap.d[i].data, cap.d[i].len);
            w_run(&w, 50 * W_MS);
        }
    }
    fingerprint(&w, after, sizeof after);
    ck_assert_str_eq(before, after);
    ck_assert_uint_gt(l2v_ike_get_stats(s->ike)->replays + l2v_ike_get_stats(s->ike)->rx_bad +
                          l2v_ike_get_stats(s->ike)->cookies_bad,
                      bad);
    /* A recorded first and third message from the true address is all that costs anything. */
    ck_assert_uint_le(w.jobs_run, jobs + 3);
    release(&cap);
    w_clear(&w);
}
END_TEST

/* At every point of a connection, mutations of the message that comes next: the connection comes up
 * as if they had not been. */
struct mutation {
    struct world *w;
    uint64_t seed;
    unsigned per_message;
};

static bool mutate_ahead(struct world *w, struct w_dgram *d)
{
    struct mutation *mu = w->filter_arg;
    uint8_t *copy = malloc(d->len);
    for (unsigned i = 0; i < mu->per_message && d->len > 0; i++) {
        bool main_mode = d->data[18] == L2V_IKE1_EXCHANGE_MAIN;
        bool sealed = (d->data[19] & 1) != 0;
        /* rfc2409#5.4: HASH_I covers no notify behind it, nor the padding. */
        size_t at = test_random64(&mu->seed) % (main_mode && sealed ? 76 : d->len);
        size_t len = d->len;
        memcpy(copy, d->data, d->len);
        switch (test_random64(&mu->seed) % 4) {
        case 0:
            copy[at] ^= (uint8_t)(1u << (test_random64(&mu->seed) % 8));
            break;
        case 1:
            copy[at] = (uint8_t)test_random64(&mu->seed);
            break;
        case 2:
            len = at;
            break;
        default:
            copy[16 + at % 12] = (uint8_t)test_random64(&mu->seed);
            break;
        }
        if (len == d->len && memcmp(copy, d->data, len) == 0) {
            continue;
        }
        w->filter = NULL;
        replay(w, d, copy, len);
        w->filter = mutate_ahead;
    }
    free(copy);
    return true;
}

/* Messages 1 to 4 carry no proof: a mutation that is well-formed may be taken, and then the
 * exchange fails at its hashes. From message 5 on nothing of the kind is possible. */
static bool mutate_encrypted(struct world *w, struct w_dgram *d)
{
    return d->len > 19 && (d->data[19] & 1) != 0 ? mutate_ahead(w, d) : true;
}

START_TEST(test_mutations)
{
    struct world w;
    struct w_node *c, *s;
    struct mutation mu = {&w, 99 + (uint64_t)_i, 60};
    w_init(&w, 520 + (uint64_t)_i);
    w_pair(&w, &c, &s);
    w.filter = mutate_encrypted;
    w.filter_arg = &mu;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_msg(w_run_up(&w, 300 * W_S), "%s", c->failure.message);
    w_run(&w, 5 * W_S);
    l2v_ike_child_rekey(s->peer, s->out->c.spi_in);
    w_run(&w, 100 * W_S);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    ck_assert_uint_eq(w_live(c), 1);
    ck_assert_uint_eq(s->n_accept, 1);
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    ck_assert_uint_eq(c->n_child_up, 2);
    w_clear(&w);
}
END_TEST

/* Flood of mutated messages of all kinds, the clear ones too: no crash, no leak, and keys that both
 * ends hold are equal. */
START_TEST(test_mutations_clear)
{
    struct world w;
    struct w_node *c, *s;
    struct mutation mu = {&w, 7000 + (uint64_t)_i, 4};
    w_init(&w, 620 + (uint64_t)_i);
    w_pair(&w, &c, &s);
    w.filter = mutate_ahead;
    w.filter_arg = &mu;
    ck_assert_int_eq(w_connect(c, s), 0);
    (void)w_run_up(&w, 300 * W_S);
    w_run(&w, 5 * W_S);
    if (w_is_up(c)) {
        ck_assert_uint_eq(w_check_keys(c, s), 1);
    } else {
        ck_assert_int_ne(c->failure.code, 0);
    }
    w_clear(&w);
}
END_TEST

/* Duplicates of each message get the same bytes again, and a bounded number of times. */
START_TEST(test_duplicates)
{
    struct world w;
    struct w_node *c, *s;
    struct capture cap = {0}, got;
    w_init(&w, 700);
    w_pair(&w, &c, &s);
    w.filter = record;
    w.filter_arg = &cap;
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, 55 * W_MS); /* message 6 under way */
    ck_assert_uint_eq(cap.n, 6);
    memset(&got, 0, sizeof got);
    w.filter_arg = &got;
    for (unsigned i = 0; i < 100; i++) {
        replay(&w, &cap.d[4], cap.d[4].data, cap.d[4].len);
        if (i == 40) {
            release(&got);
            got.n = 0;
        }
    }
    ck_assert_uint_gt(got.n, 0);
    ck_assert_uint_eq(got.d[0].len, cap.d[5].len);
    ck_assert_mem_eq(got.d[0].data, cap.d[5].data, cap.d[5].len);
    ck_assert_uint_le(l2v_ike_get_stats(s->ike)->retransmits, L2V_IKE_MAX_ANSWERS);
    /* Not to where the duplicate came from. */
    ck_assert(l2v_addr_equal(&got.d[0].to, &cap.d[5].to));
    release(&got);
    w.filter = NULL;
    ck_assert(w_run_up(&w, 10 * W_S));
    release(&cap);
    w_clear(&w);
}
END_TEST

/* Informational messages in clear: nothing once there are keys; a hint at most before. */
START_TEST(test_clear_notify)
{
    struct world w;
    struct w_node *c, *s;
    uint8_t buf[256];
    struct l2v_ike_header h;
    struct l2v_ike_build b;
    struct l2v_ike_sa *sa;
    size_t len;
    char before[256], after[256];
    w_init(&w, 710);
    w_pair(&w, &c, &s);
    ck_assert_int_eq(w_connect(c, s), 0);
    sa = L2V_CONTAINER_OF(c->peer->sas.next, struct l2v_ike_sa, node);
    l2tpvoip_addr from = s->addr;
    from.port = 500;
    for (unsigned when = 0; when < 6; when++) {
        static const uint16_t types[] = {14, 24, 18, 4, 24578, 16384};
        l2v_ike1_sa_header(sa, L2V_IKE1_EXCHANGE_INFO, 0x1234 + when, &h);
        for (unsigned t = 0; t < 6; t++) {
            l2v_ike_build_begin(&b, buf, sizeof buf, &h);
            l2v_ike_build_notify(&b, 1, NULL, 0, types[t], NULL, 0);
            if (t % 2 == 1) {
                l2v_ike_build_delete(&b, 1, 16, buf, 1);
            }
            ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
            from.port = sa->route.remote.port;
            w_inject(&w, c, &from, 0, buf, len);
        }
        w_run(&w, 11 * W_MS);
    }
    ck_assert(w_run_up(&w, 10 * W_S)); /* the true answers came in time */
    w_run(&w, W_S);
    fingerprint(&w, before, sizeof before);
    l2v_ike1_sa_header(sa, L2V_IKE1_EXCHANGE_INFO, 0x777, &h);
    uint8_t spi[16];
    memcpy(spi, sa->icookie, 8);
    memcpy(spi + 8, sa->rcookie, 8);
    l2v_ike_build_begin(&b, buf, sizeof buf, &h);
    l2v_ike_build_delete(&b, 1, 16, spi, 1);
    ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
    from.port = 4500;
    w_inject(&w, c, &from, 0, buf, len);
    w_run(&w, 10 * W_S);
    fingerprint(&w, after, sizeof after);
    ck_assert_str_eq(before, after);
    w_clear(&w);
}
END_TEST

/* A peer deletes only what is its own. */
START_TEST(test_foreign_delete)
{
    struct world w;
    struct w_node *a, *b, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    w_init(&w, 720);
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &a, false, "203.0.113.7:40000", &o), 0);
    ck_assert_int_eq(w_node(&w, &b, false, "203.0.113.8:40000", &o), 0);
    ck_assert_int_eq(w_connect(a, s), 0);
    ck_assert_int_eq(w_connect(b, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, W_S);
    l2v_ike_enter(a->ike);
    l2v_ike1_info_delete_child(l2v_ike_peer_sa(a->peer), b->out->c.spi_in);
    l2v_ike1_info_delete_sa(l2v_ike_peer_sa(a->peer), l2v_ike_peer_sa(b->peer));
    l2v_ike_leave(a->ike);
    w_run(&w, 5 * W_S);
    ck_assert_uint_eq(s->n_child_down, 0);
    ck_assert_uint_eq(s->n_down, 0);
    ck_assert_uint_eq(w_check_keys(b, s), 1);
    w_clear(&w);
}
END_TEST

/* CVE-2023-38712 and its like: Deletes of everything, and notifies behind them, in one message. */
START_TEST(test_delete_then_notify)
{
    struct world w;
    struct w_node *c, *s;
    uint8_t buf[1024], spi[16], four[4], *hash;
    struct l2v_ike1_chain chain;
    struct l2v_ike_header h;
    struct l2v_ike_build b;
    size_t len;
    w_init(&w, 730);
    w_pair(&w, &c, &s);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, W_S);
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(c->peer);
    memcpy(spi, sa->icookie, 8);
    memcpy(spi + 8, sa->rcookie, 8);
    l2v_put_u32(four, c->out->c.spi_in);
    ck_assert_int_eq(l2v_ike1_chain_phase2(w.crypto, &sa->keys, &sa->chain, 0x99, &chain), 0);
    l2v_ike1_sa_header(sa, L2V_IKE1_EXCHANGE_INFO, 0x99, &h);
    l2v_ike_build_begin(&b, buf, sizeof buf, &h);
    hash = l2v_ike_build_reserve(&b, L2V_IKE1_PAYLOAD_HASH, sa->keys.hash_len);
    for (unsigned i = 0; i < 3; i++) {
        l2v_ike_build_delete(&b, 3, 4, four, 1);
        l2v_ike_build_delete(&b, 1, 16, spi, 1);
        l2v_ike_build_notify(&b, 1, spi, 16, L2V_IKE1_NOTIFY_R_U_THERE, four, 4);
        l2v_ike_build_notify(&b, 1, spi, 16, L2V_IKE1_NOTIFY_INITIAL_CONTACT, NULL, 0);
    }
    ck_assert_int_eq(l2v_ike1_sa_seal(sa, &chain, &b, hash, NULL, 0, &len), 0);
    l2tpvoip_addr from = c->addr;
    w_inject(&w, s, &from, 4500, buf, len);
    ck_assert_uint_eq(s->n_down, 1);
    ck_assert_uint_eq(w_live(s), 0);
    w_run(&w, 10 * W_S);
    w_clear(&w);
}
END_TEST

/* Quick modes without end: bounded. */
START_TEST(test_many_quick_modes)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 740);
    w_pair(&w, &c, &s);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, W_S);
    for (unsigned i = 0; i < 200; i++) {
        l2v_ike_enter(c->ike);
        (void)l2v_ike1_quick_start(c->peer, 1701, 1701, 0);
        l2v_ike_leave(c->ike);
        w_run(&w, 100 * W_MS);
        ck_assert_uint_le(l2v_ike_peer_sa(s->peer)->n_qms, L2V_IKE_MAX_QMS);
        ck_assert_uint_le(s->peer->n_children, L2V_IKE_MAX_CHILDREN);
    }
    w_run(&w, 200 * W_S);
    ck_assert(w_is_up(c) && w_is_up(s));
    ck_assert_uint_eq(c->n_down + s->n_down, 0);
    w_clear(&w);
}
END_TEST

TCase *test_ike_hostile(void)
{
    TCase *tc = tcase_create("hostile");
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, test_flood);
    tcase_add_test(tc, test_spoofed_m3);
    tcase_add_test(tc, test_dh_limits);
    tcase_add_test(tc, test_amplification);
    tcase_add_test(tc, test_replays);
    tcase_add_loop_test(tc, test_mutations, 0, 20);
    tcase_add_loop_test(tc, test_mutations_clear, 0, 60);
    tcase_add_test(tc, test_duplicates);
    tcase_add_test(tc, test_clear_notify);
    tcase_add_test(tc, test_foreign_delete);
    tcase_add_test(tc, test_delete_then_notify);
    tcase_add_test(tc, test_many_quick_modes);
    return tc;
}
