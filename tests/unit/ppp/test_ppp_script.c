/* SPDX-License-Identifier: MIT */
/* One link against scripted peers, frame by frame: SoftEther, Windows, pppd, and rude ones. */
#include "ppp_sim.h"

/* The last Configure-Request of a side for a protocol, turned into an answer with code. */
static unsigned last_request(struct sim *sim, unsigned by, const char *hex)
{
    unsigned n = 0, last = 0;
    while ((n = sim_sent(sim, by, last, hex)) != 0) {
        last = n;
    }
    ck_assert_uint_ne(last, 0);
    return last;
}

static void acknowledge(struct sim *sim, unsigned by, const char *hex)
{
    unsigned n = last_request(sim, by, hex);
    uint8_t frame[64];
    unsigned at = sim_byte(sim, n, 0) == 0xff ? 4 : 2;
    memcpy(frame, sim->sent[n - 1], sim->sent_len[n - 1]);
    frame[at] = 2;
    (void)sim_inject_bytes(sim, by, frame, sim->sent_len[n - 1]);
}

/* Answers the last request with code and the options given in hex. */
static void refuse(struct sim *sim, unsigned by, const char *request, unsigned code,
                   const char *options)
{
    unsigned n = last_request(sim, by, request);
    unsigned at = sim_byte(sim, n, 0) == 0xff ? 2 : 0;
    uint8_t body[128], frame[160];
    size_t len = unit_hex(options, body, sizeof(body));
    struct l2v_writer w;
    l2v_writer_init(&w, frame, sizeof(frame));
    l2v_write_u8(&w, sim_byte(sim, n, at));
    l2v_write_u8(&w, sim_byte(sim, n, at + 1));
    l2v_write_u8(&w, code);
    l2v_write_u8(&w, sim_byte(sim, n, at + 3));
    l2v_write_u16(&w, (unsigned)len + 4);
    l2v_write_bytes(&w, body, len);
    (void)sim_inject_bytes(sim, by, frame, l2v_writer_len(&w));
}

static struct sim *start_client(uint32_t auth, uint32_t flags)
{
    struct sim *sim = sim_new(50);
    sim_default(sim, auth, 0);
    sim->side[CLIENT].config.flags = flags;
    sim_make(sim, CLIENT);
    l2v_ppp_start(sim->side[CLIENT].ppp);
    return sim;
}

static struct sim *start_server(uint32_t auth, uint32_t flags)
{
    struct sim *sim = sim_new(51);
    sim_default(sim, 0, auth);
    sim->side[SERVER].config.flags = flags;
    sim_make(sim, SERVER);
    l2v_ppp_start(sim->side[SERVER].ppp);
    return sim;
}

/* Proves to the client, as a server that knows the password would. */
static void say_success(struct sim *sim, unsigned response, const char *prefix)
{
    const uint8_t *value = sim->sent[response - 1] + sim->sent_len[response - 1] - 49 - 5;
    static const uint8_t challenge[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t frame[80];
    struct l2v_writer w;
    char proof[43];
    ck_assert_int_eq(l2v_mschapv2_authenticator_response(sim->crypto, (const uint8_t *)"wonderland",
                                                         10, value + 24, value, challenge, "alice",
                                                         5, proof),
                     0);
    l2v_writer_init(&w, frame, sizeof(frame));
    l2v_write_u16(&w, 0xc223);
    l2v_write_u8(&w, 3);
    l2v_write_u8(&w, 1);
    l2v_write_u16(&w, (unsigned)(4 + 42 + strlen(prefix)));
    l2v_write_bytes(&w, proof, 42);
    l2v_write_bytes(&w, prefix, strlen(prefix));
    (void)sim_inject_bytes(sim, CLIENT, frame, l2v_writer_len(&w));
}

#define CHALLENGE "c223 01 01 001b 10 000102030405060708090a0b0c0d0e0f 73657276 6572"

/* SoftEther 5: EAP first, takes a Configure-Nak to CHAP, rejects the magic number, sends echo
 * requests before LCP is open, asks its DHCP server in IPCP and rejects the second DNS server. */
START_TEST(softether)
{
    struct sim *sim = start_client(0x1f, 0);
    struct sim_side *c = &sim->side[CLIENT];
    unsigned n;
    ck_assert_int_eq(sim_inject(sim, CLIENT, "ff03c021 09 00 0010 00000000 4162436445664768"), 0);
    ck_assert_uint_eq(sim_sent(sim, CLIENT, 0, "ff03c021 0a"), 0);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 01 000c 010405dc 0304c227");
    n = sim_sent(sim, CLIENT, 0, "ff03c021 03 01 0009 0305c22381");
    ck_assert_uint_ne(n, 0);
    refuse(sim, CLIENT, "ff03c021 01", 4, "050600000000");
    (void)sim_inject(sim, CLIENT, "ff03c021 01 02 000d 010405dc 0305c22381");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 02 02 000d"), 0);
    n = last_request(sim, CLIENT, "ff03c021 01");
    ck_assert_uint_ne(sim->sent_len[n - 1], 0);
    acknowledge(sim, CLIENT, "ff03c021 01");
    ck_assert_uint_eq(c->phase, L2V_PPP_AUTHENTICATE);
    (void)sim_inject(sim, CLIENT, CHALLENGE);
    say_success(sim, sim_sent(sim, CLIENT, 0, "ff03c223 02 01"), "");
    ck_assert_uint_eq(c->phase, L2V_PPP_NETWORK);
    /* magic was rejected: echo replies carry zero */
    (void)sim_inject(sim, CLIENT, "ff03c021 09 07 0010 00000000 4162436445664768");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, 0, "ff03c021 0a 07 0010 00000000 4162436445664768"), 0);
    sim_run(sim, 4000); /* its DHCP server is slow */
    (void)sim_inject(sim, CLIENT, "8021 01 01 000a 0306 0a630001");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, 0, "ff038021 02 01 000a 0306 0a630001"), 0);
    refuse(sim, CLIENT, "ff038021 01", 4, "830600000000");
    refuse(sim, CLIENT, "ff038021 01", 3, "03060a63000a81060a630001");
    n = last_request(sim, CLIENT, "ff038021 01");
    ck_assert_uint_eq(sim->sent_len[n - 1], 4 + 4 + 12);
    acknowledge(sim, CLIENT, "ff038021 01");
    ck_assert_uint_eq(c->n_up, 1);
    ck_assert_uint_eq(l2v_addr_get_ip4(&c->result.local4), 0x0a63000a);
    ck_assert_uint_eq(l2v_addr_get_ip4(&c->result.remote4), 0x0a630001);
    ck_assert_uint_eq(l2v_addr_get_ip4(&c->result.dns[0]), 0x0a630001);
    ck_assert_uint_eq(c->result.auth, L2TPVOIP_AUTH_MSCHAPV2);
    ck_assert_int_eq(sim_inject(sim, CLIENT, "002145"), 0);
    sim_free(sim);
}
END_TEST

/* EAP agreed, then rejected by Protocol-Reject: LCP anew, without EAP. */
START_TEST(eap_protocol_rejected)
{
    struct sim *sim = start_client(0x1f, 0);
    struct sim_side *c = &sim->side[CLIENT];
    unsigned n;
    (void)sim_inject(sim, CLIENT, "ff03c021 01 01 0008 0304c227");
    (void)sim_inject(sim, CLIENT, "ff03c021 01 02 0008 0304c227"); /* insists */
    ck_assert_uint_ne(sim_sent(sim, CLIENT, 0, "ff03c021 02 02 0008 0304c227"), 0);
    acknowledge(sim, CLIENT, "ff03c021 01");
    ck_assert_uint_eq(c->phase, L2V_PPP_AUTHENTICATE);
    n = sim->n_sent;
    (void)sim_inject(sim, CLIENT, "ff03c021 08 09 000a c227 0200 0006");
    ck_assert_uint_eq(c->phase, L2V_PPP_ESTABLISH);
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 01"), 0);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 03 0008 0304c227");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 03 03 0009 0305c22381"), 0);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 04 0009 0305c22381");
    acknowledge(sim, CLIENT, "ff03c021 01");
    (void)sim_inject(sim, CLIENT, CHALLENGE);
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c223 02 01"), 0);
    sim_free(sim);
}
END_TEST

/* A server that knows EAP alone and terminates on our Nak, or opens without asking. */
START_TEST(eap_only_server)
{
    struct sim *sim = start_client(0x1f, 0);
    struct sim_side *c = &sim->side[CLIENT];
    unsigned n;
    (void)sim_inject(sim, CLIENT, "ff03c021 01 01 0008 0304c227");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, 0, "ff03c021 03 01 0009 0305c22381"), 0);
    n = sim->n_sent;
    if (_i == 0) {
        (void)sim_inject(sim, CLIENT, "ff03c021 05 02 0004");
        ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 06 02"), 0);
    } else {
        (void)sim_inject(sim, CLIENT, "ff03c021 01 02 0004");
        acknowledge(sim, CLIENT, "ff03c021 01");
    }
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 01"), 0);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 03 0008 0304c227");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 02 03 0008 0304c227"), 0);
    acknowledge(sim, CLIENT, "ff03c021 01");
    ck_assert_uint_eq(c->phase, L2V_PPP_AUTHENTICATE);
    ck_assert_uint_eq(c->n_down, 0);
    sim_free(sim);
}
END_TEST

/* … and one that never comes back: the reason is the first one. */
START_TEST(eap_only_gone)
{
    struct sim *sim = start_client(0x1f, 0);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 01 0008 0304c227");
    (void)sim_inject(sim, CLIENT, "ff03c021 05 02 000a 676f6e6521 21");
    sim_run(sim, 60000);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_PEER_CLOSED);
    ck_assert_ptr_nonnull(strstr(sim->side[CLIENT].failure.message, "gone!!"));
    sim_free(sim);
}
END_TEST

/* Windows as client: MRU, magic, PFC, ACFC, callback, MRRU, endpoint discriminator; then CCP, IPCP
 * with NBNS, IPV6CP. */
START_TEST(windows_client)
{
    struct sim *sim = start_server(L2TPVOIP_AUTH_PAP, 0);
    struct sim_side *s = &sim->side[SERVER];
    unsigned n;
    (void)sim_inject(sim, SERVER,
                     "ff03c021 01 00 0030 01040578 05067f0a1b2c 0702 0802 0d0306 1104064e "
                     "1317 01 00112233445566778899aabbccddeeff01020304");
    n = sim_sent(sim, SERVER, 0, "ff03c021 04 00 .... 0d0306 1104064e 1317 01");
    ck_assert_uint_ne(n, 0);
    (void)sim_inject(sim, SERVER, "ff03c021 01 01 0012 01040578 05067f0a1b2c 0702 0802");
    ck_assert_uint_ne(sim_sent(sim, SERVER, n, "ff03c021 02 01 0012"), 0);
    acknowledge(sim, SERVER, "ff03c021 01");
    /* rfc1570#2.1: Identification, as Windows sends */
    (void)sim_inject(sim, SERVER, "ff03c021 0c 02 0012 7f0a1b2c 4d5352415356352e3230");
    ck_assert_uint_eq(sim_sent(sim, SERVER, 0, "ff03c021 07"), 0);
    (void)sim_inject(sim, SERVER, "c023 01 03 0015 05 616c696365 0a 776f6e6465726c616e64");
    ck_assert_uint_ne(sim_sent(sim, SERVER, 0, "c023 02 03"), 0);
    ck_assert_uint_eq(s->phase, L2V_PPP_NETWORK);
    n = sim->n_sent;
    (void)sim_inject(sim, SERVER, "80fd 01 04 000a 1206 01000001");
    ck_assert_uint_ne(sim_sent(sim, SERVER, n, "ff03c021 08 .. 0010 80fd 0104000a120601000001"), 0);
    (void)sim_inject(sim, SERVER,
                     "8021 01 05 0022 0306 00000000 8106 00000000 8206 00000000 8306 00000000 "
                     "8406 00000000");
    ck_assert_uint_ne(sim_sent(sim, SERVER, n, "8021 04 05 .... 8206 00000000 8306"), 0);
    (void)sim_inject(sim, SERVER, "8021 01 06 0010 0306 00000000 8106 00000000");
    ck_assert_uint_ne(sim_sent(sim, SERVER, n, "8021 03 06 0010 0306 0a4d000a 8106 0a4d0035"), 0);
    (void)sim_inject(sim, SERVER, "8021 01 07 0010 0306 0a4d000a 8106 0a4d0035");
    ck_assert_uint_ne(sim_sent(sim, SERVER, n, "8021 02 07 0010"), 0);
    acknowledge(sim, SERVER, "8021 01");
    ck_assert_uint_eq(s->n_up, 1);
    ck_assert_uint_eq(l2v_addr_get_ip4(&s->result.remote4), 0x0a4d000a);
    ck_assert_uint_eq(l2v_ppp_overhead(s->ppp), 1);
    sim_free(sim);
}
END_TEST

/* Apple: ACCM always, empty options acknowledged (SoftEther #1102). */
START_TEST(accm_and_empty)
{
    struct sim *sim = start_server(L2TPVOIP_AUTH_PAP, 0);
    (void)sim_inject(sim, SERVER, "ff03c021 01 01 000e 0206 00000000 0702 0802");
    ck_assert_uint_ne(sim_sent(sim, SERVER, 0, "ff03c021 02 01 000e 0206 00000000 0702 0802"), 0);
    (void)sim_inject(sim, SERVER, "ff03c021 01 02 0004");
    ck_assert_uint_ne(sim_sent(sim, SERVER, 0, "ff03c021 02 02 0004"), 0);
    sim_free(sim);
}
END_TEST

/* --- rude peers
 * --------------------------------------------------------------------------------------- */

static void open_none(struct sim *sim, unsigned by)
{
    (void)sim_inject(sim, by, "ff03c021 01 01 0004");
    acknowledge(sim, by, "ff03c021 01");
    ck_assert_uint_eq(sim->side[by].phase, L2V_PPP_NETWORK);
}

/* A peer that Naks everything for ever, and one that asks for what cannot be for ever. */
START_TEST(nak_for_ever)
{
    struct sim *sim = start_client(L2TPVOIP_AUTH_NONE, 0);
    struct sim_side *c = &sim->side[CLIENT];
    unsigned n = 0, n_requests = 0;
    for (unsigned i = 0; i < 100 && c->n_down == 0; i++) {
        refuse(sim, CLIENT, "ff03c021 01", 3, "01040400");
        sim_run(sim, 10);
    }
    sim_run(sim, 20000);
    while ((n = sim_sent(sim, CLIENT, n, "ff03c021 01")) != 0) {
        n_requests++;
    }
    ck_assert_uint_lt(n_requests, 30);
    ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_NEGOTIATION);
    sim_free(sim);
}
END_TEST

START_TEST(insist_for_ever)
{
    struct sim *sim = start_server(L2TPVOIP_AUTH_NONE, 0);
    struct sim_side *s = &sim->side[SERVER];
    unsigned i;
    for (i = 0; i < 100 && s->n_down == 0; i++) {
        char frame[64];
        snprintf(frame, sizeof(frame), "ff03c021 01 %02x 0008 01040010", _i == 0 ? i + 1 : 1);
        (void)sim_inject(sim, SERVER, frame); /* MRU 16 */
    }
    if (_i == 0) { /* rfc1661#4.6: after Max-Failure Naks it is rejected */
        ck_assert_uint_ne(sim_sent(sim, SERVER, 0, "ff03c021 03 05 0008 010405dc"), 0);
        ck_assert_uint_ne(sim_sent(sim, SERVER, 0, "ff03c021 04 06 0008 01040010"), 0);
    } else { /* the same request again is a repetition: it gets the same answer */
        ck_assert_uint_eq(sim_sent(sim, SERVER, 0, "ff03c021 04"), 0);
    }
    sim_run(sim, 20000);
    ck_assert_int_eq(s->failure.code, L2TPVOIP_ERR_NEGOTIATION);
    sim_free(sim);
}
END_TEST

/* IPCP that never agrees ends IPv4 alone when IPv6 is up, and the link when it is not. */
START_TEST(ipcp_never_agrees)
{
    struct sim *sim = start_server(L2TPVOIP_AUTH_NONE, _i == 0 ? L2TPVOIP_PPP_NO_IPV6 : 0);
    struct sim_side *s = &sim->side[SERVER];
    open_none(sim, SERVER);
    if (_i == 1) {
        (void)sim_inject(sim, SERVER, "8057 01 01 000e 010a 0000000000000009");
        acknowledge(sim, SERVER, "ff038057 01");
        ck_assert_uint_eq(s->n_up, 1);
    }
    for (unsigned i = 0; i < 40; i++) {
        (void)sim_inject(sim, SERVER, "8021 01 01 000a 0306 01020304");
        sim_run(sim, 100);
    }
    sim_run(sim, 20000);
    ck_assert_uint_eq(s->n_down, _i == 0 ? 1 : 0);
    if (_i == 0) {
        ck_assert_int_eq(s->failure.code, L2TPVOIP_ERR_NEGOTIATION);
    }
    sim_free(sim);
}
END_TEST

START_TEST(server_gives_no_address)
{
    struct sim *sim = start_client(L2TPVOIP_AUTH_NONE, L2TPVOIP_PPP_NO_IPV6);
    struct sim_side *c = &sim->side[CLIENT];
    open_none(sim, CLIENT);
    (void)sim_inject(sim, CLIENT, "8021 01 01 0004");
    acknowledge(sim, CLIENT, "ff038021 01"); /* 0.0.0.0, as asked */
    sim_run(sim, 20000);
    ck_assert_uint_eq(c->n_up, 0);
    ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_NEGOTIATION);
    sim_free(sim);
}
END_TEST

START_TEST(server_without_auth)
{
    struct sim *sim = start_client(L2TPVOIP_AUTH_CHAP_MD5, 0);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 01 0004");
    acknowledge(sim, CLIENT, "ff03c021 01");
    sim_run(sim, 20000);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_uint_eq(sim->side[CLIENT].phases_seen & 1u << L2V_PPP_NETWORK, 0);
    sim_free(sim);
}
END_TEST

/* Nothing of the network phase is heeded before authentication: rfc1661#3.5 */
START_TEST(ncp_before_auth)
{
    struct sim *sim = start_server(L2TPVOIP_AUTH_CHAP_MD5, 0);
    unsigned n;
    (void)sim_inject(sim, SERVER, "ff03c021 01 01 0004");
    acknowledge(sim, SERVER, "ff03c021 01");
    ck_assert_uint_eq(sim->side[SERVER].phase, L2V_PPP_AUTHENTICATE);
    n = sim->n_sent;
    ck_assert_int_eq(sim_inject(sim, SERVER, "8021 01 01 000a 0306 0a4d000a"), 0);
    ck_assert_int_eq(sim_inject(sim, SERVER, "80fd 01 01 0004"), 0);
    ck_assert_int_eq(sim_inject(sim, SERVER, "c227 02 01 0005 01"), 0); /* not agreed */
    ck_assert_int_eq(sim_inject(sim, SERVER, "2145"), L2TPVOIP_ERR_STATE);
    ck_assert_uint_eq(sim->n_sent, n);
    ck_assert_uint_eq(sim->side[SERVER].n_inputs, 0);
    sim_free(sim);
}
END_TEST

/* Rejects are sent, but not more than the token bucket gives. */
START_TEST(reject_rate)
{
    struct sim *sim = start_client(L2TPVOIP_AUTH_NONE, 0);
    unsigned n, rejects = 0;
    open_none(sim, CLIENT);
    n = sim->n_sent;
    for (unsigned i = 0; i < 1000; i++) {
        (void)sim_inject(sim, CLIENT, i % 2 == 0 ? "8281 01 01 0004" : "ff03c021 3f 01 0004");
    }
    for (unsigned i = n; i < sim->n_sent; i++) {
        rejects += sim->sent[i][4] == 8 || sim->sent[i][4] == 7;
    }
    ck_assert_uint_ge(rejects, 2);
    ck_assert_uint_le(rejects, 20);
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 08 .. 000a 8281 01010004"), 0);
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "ff03c021 07 .. 0008 3f010004"), 0);
    sim_free(sim);
}
END_TEST

/* rfc1661#5.7, rfc1661#5.6: what the peer cannot do. */
START_TEST(peer_rejects)
{
    static const struct {
        const char *frame;
        unsigned down;
    } rows[] = {
        {"ff03c021 08 01 0006 c021", 1},                                /* LCP itself */
        {"ff03c021 08 01 0006 8057", 0},                                /* IPV6CP: IPv4 goes on */
        {"ff03c021 08 01 0006 80fd", 0}, {"ff03c021 07 01 0005 01", 1}, /* Configure-Request */
        {"ff03c021 07 01 0005 09", 0}, /* Echo-Request: no more of them */
        {"ff03c021 07 01 0004", 0},      {"ff03c021 08 01 0005 c0", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim *sim = start_client(L2TPVOIP_AUTH_NONE, 0);
        unsigned n;
        open_none(sim, CLIENT);
        (void)sim_inject(sim, CLIENT, rows[i].frame);
        if (rows[i].down == 0) { /* the other protocol comes up all the same */
            (void)sim_inject(sim, CLIENT, "8021 01 01 000a 0306 0a630001");
            refuse(sim, CLIENT, "ff038021 01", 4, "810600000000830600000000");
            refuse(sim, CLIENT, "ff038021 01", 3, "03060a63000a");
            acknowledge(sim, CLIENT, "ff038021 01");
            ck_assert_uint_eq(sim->side[CLIENT].n_up, 1);
        }
        n = sim->n_sent;
        sim_run(sim, 40000);
        ck_assert_msg(sim->side[CLIENT].n_down == rows[i].down, "row %u", (unsigned)i);
        ck_assert(i != 4 || sim_sent(sim, CLIENT, n, "ff03c021 09") == 0);
        sim_free(sim);
    }
}
END_TEST

START_TEST(malformed)
{
    static const char *const frames[] = {"ff03c021",
                                         "ff03c021 01",
                                         "ff03c021 01 01 0003",
                                         "ff03c021 01 01 0005",
                                         "ff03c021 01 01 0006 0101",
                                         "ff03c021 01 01 0006 0100",
                                         "ff03c021 01 01 0006 0103",
                                         "ff03c021 03 01 0100 01"};
    struct sim *sim = start_client(L2TPVOIP_AUTH_NONE, 0);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        unsigned n = sim->n_sent;
        ck_assert_msg(sim_inject(sim, CLIENT, frames[i]) == L2TPVOIP_ERR_MALFORMED || i == 4, "%s",
                      frames[i]);
        ck_assert(i == 4 || sim->n_sent == n);
    }
    open_none(sim, CLIENT);
    sim_free(sim);
}
END_TEST

/* rfc1661#5.2: answers that fit no request of ours are dropped. */
START_TEST(stray_answers)
{
    struct sim *sim = start_client(L2TPVOIP_AUTH_NONE, 0);
    uint8_t id = sim_byte(sim, sim_sent(sim, CLIENT, 0, "ff03c021 01"), 5);
    char frame[64];
    unsigned n = sim->n_sent;
    snprintf(frame, sizeof(frame), "ff03c021 02 %02x 0004", (uint8_t)(id + 1));
    (void)sim_inject(sim, CLIENT, frame);
    snprintf(frame, sizeof(frame), "ff03c021 02 %02x 0004", id); /* not what was asked */
    (void)sim_inject(sim, CLIENT, frame);
    snprintf(frame, sizeof(frame), "ff03c021 04 %02x 0006 0702", (uint8_t)(id + 1));
    (void)sim_inject(sim, CLIENT, frame);
    ck_assert_uint_eq(sim->n_sent, n);
    ck_assert_uint_eq(sim->side[CLIENT].ppp->lcp.state, L2V_PPP_REQ_SENT);
    sim_free(sim);
}
END_TEST

/* Option twice: rfc1661#5.1; the reply never exceeds what came. */
START_TEST(options_twice)
{
    struct sim *sim = start_client(L2TPVOIP_AUTH_NONE, 0);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 01 000c 01040578 01040500");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, 0, "ff03c021 04 01 0008 01040500"), 0);
    sim_free(sim);
}
END_TEST

START_TEST(mschap_error_codes)
{
    static const struct {
        const char *code;
        int32_t want;
        const char *word;
    } rows[] = {{"691", 691, "password"},
                {"648", 648, "expired"},
                {"647", 647, "disabled"},
                {"649", 649, "dial in"},
                {"646", 646, "time of the day"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim *sim = start_client(L2TPVOIP_AUTH_MSCHAPV2, 0);
        uint8_t frame[128];
        int n =
            snprintf((char *)frame + 6, sizeof(frame) - 6,
                     "E=%s R=1 C=000102030405060708090A0B0C0D0E0F V=3 M=No \x01way", rows[i].code);
        (void)sim_inject(sim, CLIENT, "ff03c021 01 01 0009 0305c22381");
        acknowledge(sim, CLIENT, "ff03c021 01");
        (void)sim_inject(sim, CLIENT, CHALLENGE);
        l2v_put_u16(frame, 0xc223);
        frame[2] = 4;
        frame[3] = 1;
        l2v_put_u16(frame + 4, (unsigned)n + 4);
        (void)sim_inject_bytes(sim, CLIENT, frame, (size_t)n + 6);
        sim_run(sim, 10000);
        ck_assert_int_eq(sim->side[CLIENT].failure.peer_code, rows[i].want);
        ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_AUTH_PPP);
        ck_assert_ptr_nonnull(strstr(sim->side[CLIENT].failure.next_step, rows[i].word));
        ck_assert_ptr_nonnull(strstr(sim->side[CLIENT].failure.message, "way"));
        sim_free(sim);
    }
}
END_TEST

/* The class of CVE-2020-8597 and of what was found in option parsers since: requests stuffed up to
 * the MRU and beyond. Our answer is no longer than the question or the peer's MRU. */
START_TEST(stuffed_requests)
{
    static const uint16_t mrus[] = {128, 576, 1500, 16384};
    uint16_t mru = mrus[_i % 4];
    uint16_t protocol = _i < 4 ? 0x8021 : 0x8057; /* IPCP without an address, IPV6CP without an id */
    struct sim *sim = start_server(L2TPVOIP_AUTH_NONE, 0);
    char lcp[64];
    uint8_t frame[1504];
    snprintf(lcp, sizeof(lcp), "ff03c021 01 01 0008 0104%04x", mru);
    (void)sim_inject(sim, SERVER, lcp);
    acknowledge(sim, SERVER, "ff03c021 01");
    ck_assert_uint_eq(sim->side[SERVER].phase, L2V_PPP_NETWORK);
    for (size_t len = 4; len <= 1502; len += len < 300 ? 1 : 61) {
        unsigned n = sim->n_sent;
        struct l2v_writer w;
        l2v_writer_init(&w, frame, sizeof(frame));
        l2v_write_u16(&w, protocol);
        l2v_write_u8(&w, 1);
        l2v_write_u8(&w, (unsigned)len & 0xffu);
        l2v_write_u16(&w, (unsigned)len);
        for (size_t left = len - 4; left > 0 && l2v_writer_left(&w) > 0;) {
            size_t option = left > 255 ? (left - 255 < 2 ? 250 : 255) : left;
            l2v_write_u8(&w, 0xfe);
            if (option > 1) {
                l2v_write_u8(&w, (unsigned)option);
            }
            for (size_t i = 2; i < option; i++) {
                l2v_write_u8(&w, 0x41);
            }
            left -= option;
        }
        (void)sim_inject_bytes(sim, SERVER, frame, l2v_writer_len(&w));
        for (; n < sim->n_sent; n++) {
            ck_assert_uint_le(sim->sent_len[n], (len > mru ? len : mru) + 4u);
        }
        sim_run(sim, 1);
    }
    sim_free(sim);
}
END_TEST

/* The same CVE was open to peers with which EAP had not been agreed. */
START_TEST(eap_not_agreed)
{
    struct sim *sim = start_client(L2TPVOIP_AUTH_NONE, 0);
    uint8_t frame[1600];
    open_none(sim, CLIENT);
    for (size_t name = 0; name <= 1500; name += 25) {
        for (unsigned code = 1; code <= 2; code++) {
            struct l2v_writer w;
            l2v_writer_init(&w, frame, sizeof(frame));
            l2v_write_u16(&w, 0xc227);
            l2v_write_u8(&w, code);
            l2v_write_u8(&w, 7);
            l2v_write_u16(&w, (unsigned)(4 + 2 + 16 + name));
            l2v_write_u8(&w, 4); /* MD5-Challenge */
            l2v_write_u8(&w, name % 2 == 0 ? 16 : 255);
            for (size_t i = 0; i < 16 + name; i++) {
                l2v_write_u8(&w, 0x42);
            }
            (void)sim_inject_bytes(sim, CLIENT, frame, l2v_writer_len(&w));
        }
    }
    ck_assert_uint_eq(sim_sent(sim, CLIENT, 0, "ff03c227"), 0);
    ck_assert_uint_eq(sim_sent(sim, CLIENT, 0, "c227"), 0);
    ck_assert_int_eq(sim->side[CLIENT].n_down, 0);
    ck_assert_uint_eq(sim->side[CLIENT].phase, L2V_PPP_NETWORK);
    sim_free(sim);
}
END_TEST

TCase *test_ppp_script(void)
{
    TCase *tc = tcase_create("script");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, softether);
    tcase_add_test(tc, eap_protocol_rejected);
    tcase_add_loop_test(tc, eap_only_server, 0, 2);
    tcase_add_test(tc, eap_only_gone);
    tcase_add_test(tc, windows_client);
    tcase_add_test(tc, accm_and_empty);
    tcase_add_test(tc, nak_for_ever);
    tcase_add_loop_test(tc, insist_for_ever, 0, 2);
    tcase_add_loop_test(tc, ipcp_never_agrees, 0, 2);
    tcase_add_test(tc, server_gives_no_address);
    tcase_add_test(tc, server_without_auth);
    tcase_add_test(tc, ncp_before_auth);
    tcase_add_test(tc, reject_rate);
    tcase_add_test(tc, peer_rejects);
    tcase_add_test(tc, malformed);
    tcase_add_loop_test(tc, stuffed_requests, 0, 8);
    tcase_add_test(tc, eap_not_agreed);
    tcase_add_test(tc, stray_answers);
    tcase_add_test(tc, options_twice);
    tcase_add_test(tc, mschap_error_codes);
    return tc;
}
