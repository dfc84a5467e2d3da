/* SPDX-License-Identifier: MIT */
/* Every flag that meets a peculiarity of peers, switched on and off between two engines: it has the
 * effect that its name says, and only then. */
#include "ike_world.h"

static void make(struct world *w, uint64_t seed, struct w_node **c, struct w_node **s,
                 const l2tpvoip_ipsec_options *co, const l2tpvoip_ipsec_options *so)
{
    w_init(w, seed);
    ck_assert_int_eq(w_node(w, s, true, "198.51.100.1", so), 0);
    ck_assert_int_eq(w_node(w, c, false, "203.0.113.7:500", co), 0);
}

static l2tpvoip_ipsec_options options(void)
{
    static const l2tpvoip_psk psk = {
        sizeof(psk), 31, (const uint8_t *)"a pre-shared key of some length", NULL};
    return w_options(&psk, 1);
}

static void set_quirk(struct w_node *n, uint32_t quirk, bool on)
{
    n->config->quirks = on ? n->config->quirks | quirk : n->config->quirks & ~quirk;
}

static void come_up(struct world *w, struct w_node *c, struct w_node *s)
{
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_msg(w_run_up(w, 20 * W_S), "%s", c->failure.message);
    w_run(w, W_S);
}

static struct l2v_ike_csa *pair_of(const struct w_node *n)
{
    struct l2v_ike_csa *csa = l2v_ike_peer_find_child(n->peer, n->out->c.spi_in);
    ck_assert_ptr_nonnull(csa);
    return csa;
}

/* Of two sides whose client forgets to renew, the server does it, unless it is the peer's task. */
START_TEST(test_peer_rekeys)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    o.esp_lifetime_s = 200;
    make(&w, 800, &c, &s, &o, &o);
    set_quirk(s, L2V_IKE_QUIRK_PEER_REKEYS, _i == 1);
    come_up(&w, c, s);
    l2v_timer_cancel(&w.te.env.timers, &pair_of(c)->soft);
    w_run(&w, 195 * W_S);
    ck_assert_uint_eq(s->n_child_up, _i == 1 ? 1 : 2);
    w_clear(&w);
}
END_TEST

/* The initiator offers the plain mode too; the responder takes it although there is a NAT. */
START_TEST(test_both_carriers)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    make(&w, 801, &c, &s, &o, &o);
    set_quirk(s, L2V_IKE_QUIRK_BOTH_CARRIERS, _i == 1);
    come_up(&w, c, s);
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(c->peer);
    sa->nat &= ~(uint32_t)L2TPVOIP_NAT_ENCAPS; /* as a client that offers nothing else */
    l2v_ike_child_rekey(c->peer, c->out->c.spi_in);
    w_run(&w, 5 * W_S);
    ck_assert_uint_eq(s->n_child_up, _i == 1 ? 2 : 1);
    sa->nat |= L2TPVOIP_NAT_ENCAPS;
    w_clear(&w);
}
END_TEST

static void replace_id(struct w_node *n, const char *body, size_t len)
{
    struct l2v_ike_csa *csa = pair_of(n);
    l2v_free(&n->w->te.env, csa->id_local);
    csa->id_local = l2v_memdup(&n->w->te.env, body, len);
    csa->id_local_len = len;
    l2v_ike_child_rekey(n->peer, n->out->c.spi_in);
    w_run(n->w, 5 * W_S);
}

/* MS KB818043: a name as IDci when the pair is renewed. */
START_TEST(test_id_fqdn)
{
    static const char fqdn[] = "\x02\x11\x06\xa5host.example";
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    make(&w, 802, &c, &s, &o, &o);
    set_quirk(s, L2V_IKE_QUIRK_ID_FQDN_OK, _i == 1);
    come_up(&w, c, s);
    replace_id(c, fqdn, sizeof(fqdn) - 1);
    ck_assert_uint_eq(s->n_child_up, _i == 1 ? 2 : 1);
    ck_assert(w_is_up(c) && w_is_up(s));
    w_clear(&w);
}
END_TEST

/* Without a NAT the selectors must be the hosts themselves, unless any address will do. */
START_TEST(test_id_any_addr)
{
    static const char other[] = "\x01\x11\x06\xa5\x0a\x01\x02\x03";
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    make(&w, 803, &c, &s, &o, &o);
    l2v_ike_set_raw_esp(c->ike, true);
    l2v_ike_set_raw_esp(s->ike, true);
    set_quirk(s, L2V_IKE_QUIRK_ID_ANY_ADDR_OK, _i == 1);
    set_quirk(s, L2V_IKE_QUIRK_AUTO_PARROT, false);
    come_up(&w, c, s);
    ck_assert(!c->out->c.udp_encap);
    replace_id(c, other, sizeof(other) - 1);
    ck_assert_uint_eq(s->n_child_up, _i == 1 ? 2 : 1);
    w_clear(&w);
}
END_TEST

/* Windows answers with other ports than those that were proposed. _i: 0 refused, 1 tolerated,
 * 2 never from "any" to 1701: that would leave our traffic without protection. */
START_TEST(test_port_mismatch)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    o.flags = L2TPVOIP_IPSEC_PFS; /* the answer waits for a job, so that there is time to spoil it */
    o.flags |= L2TPVOIP_IPSEC_ACCEPT_ANY_PORT;
    make(&w, 804, &c, &s, &o, &o);
    w.job_ns = 100 * W_MS;
    set_quirk(c, L2V_IKE_QUIRK_PORT_MISMATCH_OK, _i >= 1);
    ck_assert_int_eq(w_connect_ports(c, s, _i == 2 ? 0 : 40000, 1701), 0);
    struct l2v_ike_qm *qm = NULL;
    for (unsigned i = 0; i < 5000 && qm == NULL; i++) {
        w_run(&w, W_MS);
        struct l2v_ike_sa *sa = s->peer != NULL ? l2v_ike_peer_sa(s->peer) : NULL;
        if (sa != NULL && !l2v_list_is_empty(&sa->qms)) {
            qm = L2V_CONTAINER_OF(sa->qms.next, struct l2v_ike_qm, node);
        }
    }
    ck_assert_ptr_nonnull(qm);
    ck_assert_int_eq(qm->state, L2V_QM_R1_KEY);
    l2v_put_u16(qm->idci + 2, _i == 2 ? 1701 : 40001);
    w_run(&w, 10 * W_S);
    ck_assert_uint_eq(c->n_child_up, _i == 1 ? 1 : 0);
    if (_i != 1) {
        ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_PROTOCOL);
    }
    w_clear(&w);
}
END_TEST

/* Peers that refuse by silence are asked widely sooner. */
START_TEST(test_silent_refusal)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    make(&w, 805, &c, &s, &o, &o);
    set_quirk(c, L2V_IKE_QUIRK_SILENT_REFUSAL, _i == 1);
    s->mute = true;
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, 100 * W_S);
    ck_assert_uint_eq(c->n_down, 1);
    ck_assert_uint_eq(c->n_tx, _i == 1 ? 5 : 6);
    w_clear(&w);
}
END_TEST

/* A server that is set to PFS demands it, unless it takes things as they are offered. */
START_TEST(test_pfs)
{
    l2tpvoip_ipsec_options o = options(), so = o;
    struct world w;
    struct w_node *c, *s;
    so.flags = L2TPVOIP_IPSEC_PFS;
    make(&w, 806, &c, &s, &o, &so);
    set_quirk(s, L2V_IKE_QUIRK_PFS_AS_OFFERED, _i == 1);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_int_eq(w_run_up(&w, 20 * W_S), _i == 1);
    if (_i == 0) {
        ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_NO_PROPOSAL);
    }
    w_clear(&w);
}
END_TEST

/* Appends the vendor id of Windows 8 to 11 to message 1. */
static bool say_microsoft(struct world *w, struct w_dgram *d)
{
    static const uint8_t vid[] = {0,    0,    0,    24,   0x1e, 0x2b, 0x51, 0x69,
                                  0x05, 0x99, 0x1c, 0x7d, 0x7c, 0x96, 0xfc, 0xbf,
                                  0xb5, 0x87, 0xe4, 0x61, 0,    0,    0,    9};
    size_t at = 16; /* of the field that says what comes next */
    size_t body = 28;
    (void)w;
    if (d->esp || l2v_get_u64(d->data + 8) != 0) {
        return true;
    }
    while (d->data[at] != 0) {
        at = body;
        body += l2v_get_u16(d->data + body + 2);
    }
    d->data[at] = L2V_IKE1_PAYLOAD_VID;
    d->data = realloc(d->data, d->len + sizeof(vid));
    memcpy(d->data + d->len, vid, sizeof(vid));
    d->len += sizeof(vid);
    l2v_put_u32(d->data + 24, (uint32_t)d->len);
    return true;
}

/* bits of _i: 1 = quirk, 2 = the client says that it is Windows */
START_TEST(test_auto_parrot)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    make(&w, 807, &c, &s, &o, &o);
    l2v_ike_set_raw_esp(c->ike, true);
    l2v_ike_set_raw_esp(s->ike, true);
    set_quirk(s, L2V_IKE_QUIRK_AUTO_PARROT, (_i & 1) != 0);
    w.filter = (_i & 2) != 0 ? say_microsoft : NULL;
    come_up(&w, c, s);
    ck_assert_uint_eq(l2v_ike_peer_get_nat(c->peer),
                      _i == 3 ? L2TPVOIP_NAT_LOCAL | L2TPVOIP_NAT_ENCAPS : 0);
    w_clear(&w);
}
END_TEST

START_TEST(test_lifetime_obey)
{
    l2tpvoip_ipsec_options o = options(), so = o;
    struct world w;
    struct w_node *c, *s;
    o.esp_lifetime_s = o.ike_lifetime_s = 7200;
    so.esp_lifetime_s = so.ike_lifetime_s = 600;
    make(&w, 808, &c, &s, &o, &so);
    set_quirk(s, L2V_IKE_QUIRK_LIFETIME_OBEY, _i == 1);
    come_up(&w, c, s);
    uint64_t left = pair_of(s)->hard.expiry_ns - w.te.env.now_ns;
    ck_assert(_i == 1 ? left > 7000 * W_S : left < 601 * W_S);
    ck_assert_uint_eq(l2v_ike_peer_sa(s->peer)->life_s, _i == 1 ? 7200 : 600);
    w_clear(&w);
}
END_TEST

/* rfc2407#4.6.3.1: a client that asked for no volume learns that there is one. */
START_TEST(test_responder_lifetime_kb)
{
    l2tpvoip_ipsec_options o = options(), so = o;
    struct world w;
    struct w_node *c, *s;
    so.esp_lifetime_bytes = 10u << 20;
    make(&w, 809, &c, &s, &o, &so);
    come_up(&w, c, s);
    ck_assert_uint_eq(c->out->c.lifetime_bytes, 10u << 20);
    ck_assert_uint_eq(s->out->c.lifetime_bytes, 10u << 20);
    w_clear(&w);
}
END_TEST

/* Windows counts its message ids from 1: two clients use the same ones at the same time. The key
 * pair for PFS gives time to change the number before message 1 goes out. */
static void quick_with_mid(struct w_node *c, uint32_t mid)
{
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(c->peer);
    l2v_ike_enter(c->ike);
    ck_assert_int_eq(l2v_ike1_quick_start(c->peer, 1701, 1701, 0), 0);
    struct l2v_ike_qm *qm = L2V_CONTAINER_OF(sa->qms.prev, struct l2v_ike_qm, node);
    ck_assert_int_eq(qm->state, L2V_QM_I0_KEY);
    qm->message_id = mid;
    ck_assert_int_eq(
        l2v_ike1_chain_phase2(c->w->crypto, &sa->keys, &sa->chain, mid, &qm->chain), 0);
    l2v_ike_leave(c->ike);
}

START_TEST(test_small_message_ids)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *a, *b, *s;
    o.flags = L2TPVOIP_IPSEC_PFS;
    make(&w, 816, &a, &s, &o, &o);
    ck_assert_int_eq(w_node(&w, &b, false, "203.0.113.8:500", &o), 0);
    ck_assert_int_eq(w_connect(a, s), 0);
    come_up(&w, b, s);
    w_run(&w, 30 * W_S);
    for (uint32_t mid = 1; mid <= 3; mid++) {
        quick_with_mid(a, mid);
        quick_with_mid(b, mid);
        w_run(&w, 30 * W_S); /* the replaced pairs go meanwhile */
        ck_assert_uint_eq(s->n_child_up, 2 + 2 * mid);
        ck_assert_uint_eq(w_check_keys(a, s), 1);
        ck_assert_uint_eq(w_check_keys(b, s), 1);
    }
    quick_with_mid(a, 2); /* a number that was used is a replay */
    w_run(&w, 60 * W_S);
    ck_assert_uint_eq(s->n_child_up, 8);
    ck_assert_uint_ge(l2v_ike_get_stats(s->ike)->replays, 1);
    w_clear(&w);
}
END_TEST

/* A client that asks for lives of a second or a kilobyte makes no work for the server. */
START_TEST(test_tiny_lifetimes)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    make(&w, 815, &c, &s, &o, &o);
    c->config->ike_lifetime_s = _i == 1 ? 1 : 60;
    c->config->esp_lifetime_s = _i == 1 ? 1 : 60;
    c->config->esp_lifetime_kb = _i == 1 ? 1 : 100;
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, 20 * W_MS);
    ck_assert_int_eq(l2v_timer_is_set(&pair_of(s)->soft), _i == 0);
    ck_assert_int_eq(l2v_timer_is_set(&l2v_ike_peer_sa(s->peer)->soft), _i == 0);
    ck_assert_uint_eq(s->out->c.lifetime_bytes, (_i == 1 ? 64 : 100) * 1024);
    c->mute = true;
    w_run(&w, 300 * W_S);
    ck_assert_uint_eq(s->n_down, 1);
    w_clear(&w);
}
END_TEST

/* 17/any from the client (Apple). */
START_TEST(test_any_port)
{
    l2tpvoip_ipsec_options o = options(), so = o;
    struct world w;
    struct w_node *c, *s;
    so.profile = L2TPVOIP_PROFILE_WINDOWS; /* does not bring the flag */
    so.ike_proposals = o.ike_proposals;
    so.esp_proposals = o.esp_proposals;
    so.flags = _i == 1 ? L2TPVOIP_IPSEC_ACCEPT_ANY_PORT : 0;
    make(&w, 810, &c, &s, &o, &so);
    ck_assert_int_eq(w_connect_ports(c, s, 0, 1701), 0);
    ck_assert_int_eq(w_run_up(&w, 20 * W_S), _i == 1);
    if (_i == 1) {
        ck_assert_uint_eq(s->out->c.remote_port, 0);
    }
    w_clear(&w);
}
END_TEST

/* bits of _i: who has ESN on. It runs when both have. */
START_TEST(test_esn)
{
    l2tpvoip_ipsec_options o = options(), so = o;
    struct world w;
    struct w_node *c, *s;
    o.flags = (_i & 1) != 0 ? L2TPVOIP_IPSEC_ESN : 0;
    so.flags = (_i & 2) != 0 ? L2TPVOIP_IPSEC_ESN : 0;
    make(&w, 811, &c, &s, &o, &so);
    come_up(&w, c, s);
    ck_assert_int_eq(c->out->c.esn, _i == 3);
    ck_assert_int_eq(s->out->c.esn, _i == 3);
    w_clear(&w);
}
END_TEST

START_TEST(test_no_dpd)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    o.flags = _i == 1 ? L2TPVOIP_IPSEC_NO_DPD : 0;
    make(&w, 812, &c, &s, &o, &o);
    come_up(&w, c, s);
    unsigned tx = c->n_tx + s->n_tx;
    w_run(&w, 200 * W_S);
    ck_assert_int_eq(c->n_tx + s->n_tx > tx, _i == 0);
    w_clear(&w);
}
END_TEST

/* The server deletes its ISAKMP SA: for peers that expect it the pairs go too. */
START_TEST(test_child_dies)
{
    l2tpvoip_ipsec_options o = options();
    struct world w;
    struct w_node *c, *s;
    o.flags = _i == 1 ? L2TPVOIP_IPSEC_CHILD_DIES_WITH_IKE : 0;
    make(&w, 813, &c, &s, &o, &o);
    come_up(&w, c, s);
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(s->peer);
    l2v_ike_enter(s->ike);
    l2v_ike1_info_delete_sa(sa, sa);
    l2v_ike1_sa_kill(sa);
    l2v_ike_leave(s->ike);
    w_run(&w, 50 * W_MS);
    ck_assert_uint_eq(c->n_child_down, _i == 1 ? 1 : 0);
    w_clear(&w);
}
END_TEST

/* A peer without NAT traversal stays on port 500: where ESP needs UDP, it is told so instead of
 * getting a pair that no packet can use. */
START_TEST(test_peer_without_natt)
{
    l2tpvoip_ipsec_options o = options(), so = o;
    struct world w;
    struct w_node *c, *s;
    o.vendor_ids = L2TPVOIP_VENDOR_IDS_NONE;
    make(&w, 814, &c, &s, &o, &so);
    l2v_ike_set_raw_esp(c->ike, true);
    l2v_ike_set_raw_esp(s->ike, _i == 1);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_int_eq(w_run_up(&w, 20 * W_S), _i == 1);
    ck_assert_uint_eq(s->n_child_up, _i == 1 ? 1 : 0);
    if (_i == 1) {
        ck_assert(!s->out->c.udp_encap);
    } else {
        ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_NO_PROPOSAL);
    }
    w_clear(&w);
}
END_TEST

/* The shortest first message that asks for NAT traversal: the answer may not be longer, but still
 * agrees to it. */
START_TEST(test_short_first_message)
{
    l2tpvoip_ipsec_options o = options(), so = o;
    struct world w;
    struct w_node *c, *s;
    o.vendor_ids = L2TPVOIP_VENDOR_IDS_MINIMAL;
    o.flags = L2TPVOIP_IPSEC_NO_DPD;
    make(&w, 817, &c, &s, &o, &so);
    come_up(&w, c, s);
    ck_assert(c->out->c.udp_encap && s->out->c.udp_encap);
    w_clear(&w);
}
END_TEST

TCase *test_ike_quirks(void)
{
    TCase *tc = tcase_create("quirks");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, test_peer_rekeys, 0, 2);
    tcase_add_loop_test(tc, test_both_carriers, 0, 2);
    tcase_add_loop_test(tc, test_id_fqdn, 0, 2);
    tcase_add_loop_test(tc, test_id_any_addr, 0, 2);
    tcase_add_loop_test(tc, test_port_mismatch, 0, 3);
    tcase_add_loop_test(tc, test_silent_refusal, 0, 2);
    tcase_add_loop_test(tc, test_pfs, 0, 2);
    tcase_add_loop_test(tc, test_auto_parrot, 0, 4);
    tcase_add_loop_test(tc, test_lifetime_obey, 0, 2);
    tcase_add_test(tc, test_responder_lifetime_kb);
    tcase_add_test(tc, test_small_message_ids);
    tcase_add_loop_test(tc, test_tiny_lifetimes, 0, 2);
    tcase_add_loop_test(tc, test_any_port, 0, 2);
    tcase_add_loop_test(tc, test_esn, 0, 4);
    tcase_add_loop_test(tc, test_no_dpd, 0, 2);
    tcase_add_loop_test(tc, test_child_dies, 0, 2);
    tcase_add_loop_test(tc, test_peer_without_natt, 0, 2);
    tcase_add_test(tc, test_short_first_message);
    return tc;
}
