/* SPDX-License-Identifier: MIT */
/* Two engines: connecting, NAT, ports, keys, jobs, closing. */
#include "ike_world.h"

START_TEST(test_connect)
{
    struct world w;
    struct w_node *c, *s;
    char text[128];
    w_init(&w, 1);
    w_pair(&w, &c, &s);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, W_S);
    ck_assert_uint_eq(c->n_up, 1);
    ck_assert_uint_eq(s->n_up, 1);
    ck_assert_uint_eq(s->n_accept, 1);
    ck_assert_uint_eq(c->n_child_up, 1);
    ck_assert_uint_eq(s->n_child_up, 1);
    ck_assert_uint_eq(s->n_confirmed, 1); /* rfc2409#5.5: message 3 */
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    ck_assert_int_eq(c->children[0].c.suite, L2V_SUITE_AES_GCM_16);
    ck_assert_uint_eq(c->children[0].c.enc_len, 36);
    ck_assert(c->children[0].c.udp_encap && s->children[0].c.udp_encap);
    ck_assert_uint_eq(s->children[0].c.local_port, 1701);
    ck_assert_uint_eq(s->children[0].c.remote_port, 1701);
    /* Floated, from one socket: rfc3947#4. */
    ck_assert_uint_eq(l2v_ike_peer_get_route(c->peer)->remote.port, 4500);
    ck_assert_uint_eq(l2v_ike_peer_get_route(s->peer)->path_id, 2);
    ck_assert_uint_eq(l2v_ike_peer_get_route(s->peer)->remote.port, 40000);
    l2v_ike_peer_describe(c->peer, text, sizeof text);
    ck_assert_str_eq(text, "IKEv1 AES-256/SHA2-256/ECP-256");
    ck_assert_uint_eq(l2v_ike_get_stats(c->ike)->done, 1);
    ck_assert_uint_eq(l2v_ike_get_stats(c->ike)->retransmits, 0);
    ck_assert_uint_eq(l2v_ike_get_stats(s->ike)->half_open, 0);
    w_clear(&w);
}
END_TEST

/* 30 % loss, 10 % duplicates, reorder: every seed connects, and both ends have the same keys. */
START_TEST(test_loss)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    o.retransmit_tries = 12;
    o.flags = _i % 4 == 3 ? L2TPVOIP_IPSEC_PFS : 0;
    w_init(&w, 1000 + (uint64_t)_i);
    w.loss = 30;
    w.dup = 10;
    w.reorder = 20;
    w.jitter_ns = 30 * W_MS;
    w.job_ns = _i % 2 == 1 ? 40 * W_MS : 0;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "10.0.0.2:500", &o), 0);
    c->nat = _i % 3 != 0;
    c->nat_base = 31000;
    if (!c->nat) {
        c->addr = l2v_addr_from_ip4(0xcb007107, 500);
    }
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_msg(w_run_up(&w, 600 * W_S), "seed %d: %s", _i, c->failure.message);
    w.loss = w.dup = w.reorder = 0;
    w_run(&w, 60 * W_S);
    ck_assert(w_is_up(s));
    ck_assert_uint_ge(w_check_keys(c, s), 1);
    ck_assert_uint_eq(c->out->c.spi_out, s->out->c.spi_in);
    ck_assert_uint_eq(s->n_down, 0);
    w_clear(&w);
}
END_TEST

START_TEST(test_nat)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    w_init(&w, 2);
    o.flags = _i == 1 ? L2TPVOIP_IPSEC_NATT_DRAFTS : 0; /* payloads 130, 131: drafts 02 and 03 */
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "10.0.0.2:500", &o), 0);
    if (_i == 2) { /* honest ends see the NAT as well */
        l2v_ike_set_raw_esp(c->ike, true);
        l2v_ike_set_raw_esp(s->ike, true);
    }
    c->nat = true;
    c->nat_base = 31000; /* message 5 comes from 31001 */
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, W_S);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    ck_assert_uint_eq(l2v_ike_peer_get_route(s->peer)->remote.port, 31001);
    ck_assert(l2v_ike_peer_get_nat(s->peer) & L2TPVOIP_NAT_REMOTE);
    ck_assert(l2v_ike_peer_get_nat(c->peer) & L2TPVOIP_NAT_LOCAL);
    ck_assert(l2v_ike_peer_get_nat(c->peer) & L2TPVOIP_NAT_ENCAPS);
    /* rfc3947#5.2: the server knows the client's own address. */
    ck_assert_uint_eq(l2v_addr_get_ip4(&s->children[0].c.remote_oa), 0x0a000002);
    /* rfc3948#4: keepalives of who is behind the NAT, when idle. */
    w_run(&w, 61 * W_S);
    ck_assert_uint_ge(c->n_keepalive, 2);
    ck_assert_uint_eq(s->n_keepalive, _i == 2 ? 0 : s->n_keepalive);
    unsigned before = c->n_keepalive;
    w.esp_every = 5 * W_S;
    w.esp_next = w.te.env.now_ns;
    w.esp_until = w.te.env.now_ns + 60 * W_S;
    w_run(&w, 59 * W_S);
    ck_assert_uint_eq(c->n_keepalive, before);
    w_clear(&w);
}
END_TEST

/* Without a NAT and with protocol 50 possible nothing floats. */
START_TEST(test_no_nat)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 3);
    w_pair(&w, &c, &s);
    l2v_ike_set_raw_esp(c->ike, true);
    l2v_ike_set_raw_esp(s->ike, true);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    ck_assert_uint_eq(l2v_ike_peer_get_route(c->peer)->remote.port, 500);
    ck_assert_uint_eq(l2v_ike_peer_get_nat(c->peer), 0);
    ck_assert(!c->children[0].c.udp_encap);
    w_clear(&w);
}
END_TEST

/* Two clients with one private address behind one NAT: two lineages. */
START_TEST(test_two_clients)
{
    struct world w;
    struct w_node *a, *b, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    w_init(&w, 4);
    o.flags = L2TPVOIP_IPSEC_NO_INITIAL_CONTACT;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &a, false, "10.0.0.2:500", &o), 0);
    ck_assert_int_eq(w_node(&w, &b, false, "10.0.0.3:500", &o), 0);
    a->nat = b->nat = true;
    a->nat_base = 31000;
    b->nat_base = 32000;
    ck_assert_int_eq(w_connect(a, s), 0);
    ck_assert_int_eq(w_connect(b, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, W_S);
    ck_assert_uint_eq(s->n_accept, 2);
    ck_assert_uint_eq(w_check_keys(a, s), 1);
    ck_assert_uint_eq(w_check_keys(b, s), 1);
    ck_assert_uint_eq(s->n_down, 0);
    w_clear(&w);
}
END_TEST

START_TEST(test_ports)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 5);
    w_pair(&w, &c, &s);
    ck_assert_int_eq(w_connect_ports(c, s, _i == 0 ? 0 : 56322, 1701), 0); /* Apple: 17/any, 17/x */
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, W_S);
    ck_assert_uint_eq(s->children[0].c.local_port, 1701);
    ck_assert_uint_eq(s->children[0].c.remote_port, _i == 0 ? 0 : 56322);
    w_clear(&w);
}
END_TEST

START_TEST(test_wrong_port)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 6);
    w_pair(&w, &c, &s);
    ck_assert_int_eq(w_connect_ports(c, s, 1701, 5060), 0);
    ck_assert(!w_run_up(&w, 100 * W_S));
    ck_assert_uint_eq(c->n_down, 1);
    ck_assert_int_eq(c->failure.peer_code, L2V_IKE1_NOTIFY_INVALID_ID_INFORMATION);
    ck_assert(c->failure.message[0] != 0 && c->failure.next_step[0] != 0);
    ck_assert_uint_eq(s->n_child_up, 0);
    w_clear(&w);
}
END_TEST

START_TEST(test_groups)
{
    static const char *const proposals[] = {
        "aes256-sha256-modp2048", "aes128-sha1-ecp384",     "aes256-sha512-ecp521",
        "3des-sha1-modp1024",     "aes256-sha384-modp3072", "aes128-sha256-modp1536",
    };
    static const char *const esps[] = {
        "aes256-sha1", "aes128-sha256", "aes256-sha512-ecp256",
        "3des-sha1",   "aes256-sha384", "aes128gcm16-modp2048",
    };
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    w_init(&w, 7 + (uint64_t)_i);
    o.ike_proposals = proposals[_i];
    o.esp_proposals = esps[_i];
    o.flags = L2TPVOIP_IPSEC_ALLOW_3DES | L2TPVOIP_IPSEC_ALLOW_MODP1024 | L2TPVOIP_IPSEC_ALLOW_SHA1;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &o), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_msg(w_run_up(&w, 10 * W_S), "%s", c->failure.message);
    w_run(&w, W_S);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    w_clear(&w);
}
END_TEST

/* Profiles against a compatible server. */
START_TEST(test_profiles)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1), so = o;
    w_init(&w, 20 + (uint64_t)_i);
    o.ike_proposals = o.esp_proposals = so.ike_proposals = so.esp_proposals = NULL;
    o.profile = (uint32_t)_i;
    so.profile = L2TPVOIP_PROFILE_COMPATIBLE;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:40000", &o), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert_msg(w_run_up(&w, 10 * W_S), "%s: %s", c->config->profile->name, c->failure.message);
    w_run(&w, W_S);
    ck_assert_uint_eq(w_check_keys(c, s), 1);
    w_clear(&w);
}
END_TEST

START_TEST(test_close)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 8);
    w_pair(&w, &c, &s);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    w_run(&w, W_S);
    struct w_node *closer = _i == 0 ? c : s, *other = _i == 0 ? s : c;
    l2v_ike_peer_close(closer->peer);
    closer->peer = NULL;
    w_run(&w, W_S);
    ck_assert_uint_eq(closer->n_down, 0); /* not called for who closes */
    ck_assert_uint_eq(other->n_down, 1);
    ck_assert_int_eq(other->failure.code, L2TPVOIP_ERR_PEER_CLOSED);
    w_clear(&w);
}
END_TEST

/* The peer is closed in the middle of everything: nothing is touched afterwards. */
START_TEST(test_close_in_callback)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 9);
    w_pair(&w, &c, &s);
    (_i == 0 ? c : s)->close_on_child = true;
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, 100 * W_S);
    ck_assert(!w_is_up(c));
    w_clear(&w);
}
END_TEST

START_TEST(test_close_during_jobs)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 30 + (uint64_t)_i);
    w_pair(&w, &c, &s);
    w.job_ns = 25 * W_MS;
    ck_assert_int_eq(w_connect(c, s), 0);
    w_run(&w, (uint64_t)_i * 7 * W_MS);
    if (c->peer != NULL) {
        l2v_ike_peer_close(c->peer);
        c->peer = NULL;
    }
    w_run(&w, W_S);
    if (_i % 2 == 0) {
        l2v_ike_free(s->ike); /* a job of it may still be out */
        s->ike = NULL;
    }
    w_run(&w, 100 * W_S);
    w_clear(&w);
}
END_TEST

START_TEST(test_commit_and_shard)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 10);
    w_pair(&w, &c, &s);
    l2v_ike_set_shard(s->ike, 5, 4);
    l2v_ike_set_shard(c->ike, 9, 4);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(c->peer);
    ck_assert_uint_eq(sa->icookie[0] >> 4, 9);
    ck_assert_uint_eq(sa->rcookie[0] >> 4, 5);
    w_clear(&w);
}
END_TEST

START_TEST(test_refused_by_us)
{
    struct world w;
    struct w_node *c, *s;
    w_init(&w, 11);
    w_pair(&w, &c, &s);
    if (_i == 0) {
        s->refuse_accept = L2TPVOIP_ERR_LIMIT;
    } else {
        s->refuse_child = L2TPVOIP_ERR_NOMEM;
    }
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(!w_run_up(&w, 200 * W_S));
    ck_assert_uint_eq(c->n_down, 1);
    w_run(&w, 100 * W_S);
    ck_assert_uint_eq(s->n_child_up, 0);
    w_clear(&w);
}
END_TEST

/* Windows refuses servers that say that they are behind a NAT: ours claims that the client is. */
START_TEST(test_parrot)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1), so = o;
    w_init(&w, 12);
    so.flags = _i == 0 ? L2TPVOIP_IPSEC_NAT_PARROT : L2TPVOIP_IPSEC_FORCE_ENCAPS;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &so), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:500", &o), 0);
    l2v_ike_set_raw_esp(c->ike, true);
    l2v_ike_set_raw_esp(s->ike, true);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    ck_assert_uint_eq(l2v_ike_peer_get_nat(c->peer), L2TPVOIP_NAT_LOCAL | L2TPVOIP_NAT_ENCAPS);
    ck_assert(c->children[0].c.udp_encap);
    w_clear(&w);
}
END_TEST

/* A long quick mode goes in pieces when both can, whole else; both ways it arrives. */
START_TEST(test_fragments)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    w_init(&w, 13 + (uint64_t)_i);
    o.profile = L2TPVOIP_PROFILE_COMPATIBLE;
    o.esp_proposals = NULL;
    o.flags = _i == 1 ? L2TPVOIP_IPSEC_NO_FRAGMENTATION : 0;
    o.retransmit_tries = 12;
    w.loss = _i == 2 ? 20 : 0;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:500", &o), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 300 * W_S));
    ck_assert(_i == 1 ? c->max_ike_len > 552 : c->max_ike_len <= 552);
    ck_assert_uint_ge(w_check_keys(c, s), 1);
    w_clear(&w);
}
END_TEST

START_TEST(test_sha256_96)
{
    struct world w;
    struct w_node *c, *s;
    l2tpvoip_psk psk = w_psk("a pre-shared key of some length", NULL);
    l2tpvoip_ipsec_options o = w_options(&psk, 1);
    w_init(&w, 16);
    o.esp_proposals = "aes128-sha256";
    o.flags = L2TPVOIP_IPSEC_SHA256_96;
    ck_assert_int_eq(w_node(&w, &s, true, "198.51.100.1", &o), 0);
    ck_assert_int_eq(w_node(&w, &c, false, "203.0.113.7:500", &o), 0);
    ck_assert_int_eq(w_connect(c, s), 0);
    ck_assert(w_run_up(&w, 10 * W_S));
    ck_assert_int_eq(c->children[0].c.suite, L2V_SUITE_AES_CBC_SHA256_96);
    w_clear(&w);
}
END_TEST

TCase *test_ike_pair(void)
{
    TCase *tc = tcase_create("pair");
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, test_connect);
    tcase_add_loop_test(tc, test_loss, 0, 240);
    tcase_add_loop_test(tc, test_nat, 0, 3);
    tcase_add_test(tc, test_no_nat);
    tcase_add_test(tc, test_two_clients);
    tcase_add_loop_test(tc, test_ports, 0, 2);
    tcase_add_test(tc, test_wrong_port);
    tcase_add_loop_test(tc, test_groups, 0, 6);
    tcase_add_loop_test(tc, test_profiles, 0, 10);
    tcase_add_loop_test(tc, test_close, 0, 2);
    tcase_add_loop_test(tc, test_close_in_callback, 0, 2);
    tcase_add_loop_test(tc, test_close_during_jobs, 0, 30);
    tcase_add_test(tc, test_commit_and_shard);
    tcase_add_loop_test(tc, test_refused_by_us, 0, 2);
    tcase_add_loop_test(tc, test_parrot, 0, 2);
    tcase_add_loop_test(tc, test_fragments, 0, 3);
    tcase_add_test(tc, test_sha256_96);
    return tc;
}
