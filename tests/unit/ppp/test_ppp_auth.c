/* SPDX-License-Identifier: MIT */
/* Authentication of two links, both roles, every method. */
#include "ppp_sim.h"

#define EAP_BOTH (L2TPVOIP_AUTH_EAP_MD5 | L2TPVOIP_AUTH_EAP_MSCHAPV2)

static const uint32_t methods[] = {
    L2TPVOIP_AUTH_PAP,     L2TPVOIP_AUTH_CHAP_MD5,     L2TPVOIP_AUTH_MSCHAPV2,
    L2TPVOIP_AUTH_EAP_MD5, L2TPVOIP_AUTH_EAP_MSCHAPV2, L2TPVOIP_AUTH_NONE,
};
#define N_METHODS ((int)(sizeof(methods) / sizeof(methods[0])))
#define N_SECRET (N_METHODS - 1) /* those that need a password */

static void check_never_early(struct sim *sim)
{
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(!sim->side[i].network_before_open);
        ck_assert(!sim->side[i].ncp_before_auth);
    }
}

static void check_up(struct sim *sim, uint32_t method)
{
    struct sim_side *c = &sim->side[CLIENT], *s = &sim->side[SERVER];
    check_never_early(sim);
    ck_assert_uint_eq(c->result.auth, method);
    ck_assert_uint_eq(s->result.auth, method);
    ck_assert_str_eq(s->result.user, method == L2TPVOIP_AUTH_NONE ? "" : "alice");
    ck_assert_uint_eq(l2v_addr_get_ip4(&c->result.local4), 0x0a4d000a);
    ck_assert_uint_eq(l2v_addr_get_ip4(&c->result.remote4), 0x0a4d0001);
    ck_assert_uint_eq(l2v_addr_get_ip4(&s->result.remote4), 0x0a4d000a);
    ck_assert_uint_eq(l2v_addr_get_ip4(&s->result.local4), 0x0a4d0001);
    ck_assert_uint_eq(l2v_addr_get_ip4(&c->result.dns[0]), 0x0a4d0035);
    ck_assert_uint_eq(c->result.dns[1].family, 0);
    ck_assert(l2v_addr_equal_ip(&c->result.local6, &s->result.remote6));
    ck_assert(l2v_addr_equal_ip(&s->result.local6, &c->result.remote6));
    ck_assert_uint_eq(c->phase, L2V_PPP_NETWORK);
    ck_assert_uint_eq(c->phases_seen,
                      1u << L2V_PPP_ESTABLISH | 1u << L2V_PPP_AUTHENTICATE | 1u << L2V_PPP_NETWORK);
}

START_TEST(every_method)
{
    struct sim *sim = sim_new(5);
    sim_default(sim, methods[_i], methods[_i]);
    sim_start(sim);
    ck_assert(sim_run_up(sim, 5000));
    check_up(sim, methods[_i]);
    sim_free(sim);
}
END_TEST

/* Loss, duplicates, reordering; every method with 40 seeds. */
START_TEST(every_method_lossy)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct sim *sim = sim_new(seed);
        sim_default(sim, methods[_i], methods[_i]);
        sim->loss = 15;
        sim->dup = 10;
        sim->jitter_ns = 30 * L2V_NS_PER_MS;
        sim_start(sim);
        ck_assert_msg(sim_run_up(sim, 60000), "seed %u: client %s, server %s", (unsigned)seed,
                      sim->side[0].failure.message, sim->side[1].failure.message);
        check_up(sim, methods[_i]);
        sim_free(sim);
    }
}
END_TEST

START_TEST(wrong_password)
{
    struct sim *sim = sim_new(2);
    struct sim_side *c = &sim->side[CLIENT], *s = &sim->side[SERVER];
    sim_default(sim, methods[_i], methods[_i]);
    s->password = "looking-glass";
    sim_start(sim);
    sim_run_down(sim, 20000);
    ck_assert_uint_eq(c->n_down, 1);
    ck_assert_uint_eq(s->n_down, 1);
    ck_assert_int_eq(c->failure.layer, L2TPVOIP_LAYER_AUTH);
    ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_int_eq(s->failure.layer, L2TPVOIP_LAYER_AUTH);
    ck_assert_int_eq(s->failure.code, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_str_ne(c->failure.message, "");
    ck_assert_str_ne(c->failure.next_step, "");
    if ((methods[_i] & (L2TPVOIP_AUTH_MSCHAPV2 | L2TPVOIP_AUTH_EAP_MSCHAPV2)) != 0) {
        ck_assert_int_eq(c->failure.peer_code, 691); /* rfc2759#6 */
    }
    ck_assert_uint_eq(c->n_up + s->n_up, 0);
    check_never_early(sim);
    sim_free(sim);
}
END_TEST

START_TEST(unknown_user)
{
    struct sim *sim = sim_new(3);
    sim_default(sim, methods[_i], methods[_i]);
    sim->side[SERVER].user = "bob";
    sim_start(sim);
    sim_run_down(sim, 20000);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_int_eq(sim->side[SERVER].failure.code, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_uint_eq(sim->side[SERVER].n_up, 0);
    sim_free(sim);
}
END_TEST

/* The user database answers later. */
START_TEST(pending_password)
{
    struct sim *sim = sim_new(4);
    struct sim_side *s = &sim->side[SERVER];
    sim_default(sim, methods[_i], methods[_i]);
    s->lookup = L2TPVOIP_ERR_PENDING;
    sim_start(sim);
    sim_run(sim, 4000);
    ck_assert_uint_eq(s->n_lookups, 1);
    ck_assert_uint_eq(s->n_up, 0);
    l2v_ppp_auth_answer(s->ppp, 0, (const uint8_t *)"wonderland", 10);
    l2v_ppp_auth_answer(s->ppp, 0, (const uint8_t *)"other", 5); /* ignored */
    ck_assert(sim_run_up(sim, 5000));
    check_up(sim, methods[_i]);
    sim_free(sim);
}
END_TEST

START_TEST(pending_then_unknown)
{
    struct sim *sim = sim_new(4);
    struct sim_side *s = &sim->side[SERVER];
    sim_default(sim, methods[_i], methods[_i]);
    s->lookup = L2TPVOIP_ERR_PENDING;
    sim_start(sim);
    sim_run(sim, 3000);
    l2v_ppp_auth_answer(s->ppp, L2TPVOIP_ERR_NOT_FOUND, NULL, 0);
    sim_run_down(sim, 10000);
    ck_assert_int_eq(s->failure.code, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_AUTH_PPP);
    sim_free(sim);
}
END_TEST

/* An answer to a question that a renegotiation has overtaken must not serve the next one. */
START_TEST(pending_overtaken)
{
    struct sim *sim = sim_new(4);
    struct sim_side *s = &sim->side[SERVER], *c = &sim->side[CLIENT];
    sim_default(sim, L2TPVOIP_AUTH_PAP, L2TPVOIP_AUTH_PAP);
    s->lookup = L2TPVOIP_ERR_PENDING;
    sim_start(sim);
    sim_run(sim, 1000);
    ck_assert_uint_eq(s->n_lookups, 1);
    c->ppp->config.user = "admin"; /* the client turns into somebody else */
    l2v_ppp_lcp_restart(c->ppp);
    sim_run(sim, 1000);
    l2v_ppp_auth_answer(s->ppp, 0, (const uint8_t *)"wonderland", 10);
    sim_run(sim, 5000);
    ck_assert_uint_eq(s->n_up, 0);
    sim_free(sim);
}
END_TEST

START_TEST(credentials_later)
{
    struct sim *sim = sim_new(6);
    struct sim_side *c = &sim->side[CLIENT];
    sim_default(sim, methods[_i], methods[_i]);
    c->config.user = NULL;
    c->config.password = NULL;
    c->config.password_len = 0;
    sim_start(sim);
    sim_run(sim, 1500);
    ck_assert_uint_eq(c->n_asked, 1);
    l2v_ppp_set_credentials(c->ppp, "alice", (const uint8_t *)"wonderland", 10);
    ck_assert(sim_run_up(sim, 10000));
    check_up(sim, methods[_i]);
    sim_free(sim);
}
END_TEST

START_TEST(credentials_at_once)
{
    struct sim *sim = sim_new(6);
    struct sim_side *c = &sim->side[CLIENT];
    sim_default(sim, methods[_i], methods[_i]);
    c->config.user = NULL;
    c->config.password = NULL;
    c->answers_need = true;
    c->need_user = "alice";
    c->need_password = "wonderland";
    sim_start(sim);
    ck_assert(sim_run_up(sim, 5000));
    check_up(sim, methods[_i]);
    ck_assert_uint_eq(c->n_asked, 1);
    sim_free(sim);
}
END_TEST

START_TEST(credentials_refused)
{
    struct sim *sim = sim_new(6);
    struct sim_side *c = &sim->side[CLIENT];
    sim_default(sim, methods[_i], methods[_i]);
    c->config.user = NULL;
    c->config.password = NULL;
    c->answers_need = true;
    sim_start(sim);
    sim_run_down(sim, 10000);
    ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_int_eq(c->failure.layer, L2TPVOIP_LAYER_AUTH);
    sim_free(sim);
}
END_TEST

/* --- mutual authentication
 * ------------------------------------------------------------------------- */

/* A man in the middle that spoils the proof of the server, or leaves it out. */
static bool spoil_success(struct sim *sim, unsigned from, uint8_t *data, size_t *len)
{
    if (from == SERVER && *len > 20 && data[2] == 0xc2 && data[3] == 0x23 && data[4] == 3) {
        if (sim->counter == 0) {
            data[12] = data[12] == 'A' ? 'B' : 'A';
        } else {
            memcpy(data + 8, "Welcome to the machine", 12);
        }
    }
    (void)len;
    return true;
}

static bool spoil_success_short(struct sim *sim, unsigned from, uint8_t *data, size_t *len)
{
    static const uint8_t bare[4] = {3, 0, 0, 4};
    uint8_t at = data[0] == 0xff ? 2 : 0;
    (void)sim;
    if (from == SERVER && *len > 20 && data[at] == 0xc2 && data[at + 1] == 0x23 &&
        data[at + 2] == 3) {
        uint8_t id = data[at + 3];
        memcpy(data + at + 2, bare, 4);
        data[at + 3] = id;
        *len = at + 6u;
    }
    return true;
}

START_TEST(mutual_failure)
{
    struct sim *sim = sim_new(7);
    struct sim_side *c = &sim->side[CLIENT];
    sim_default(sim, L2TPVOIP_AUTH_MSCHAPV2, L2TPVOIP_AUTH_MSCHAPV2);
    c->config.flags = L2TPVOIP_PPP_NO_COMPRESS;
    sim->side[SERVER].config.flags = L2TPVOIP_PPP_NO_COMPRESS;
    sim->counter = (unsigned)_i;
    sim->filter = _i < 2 ? spoil_success : spoil_success_short;
    sim_start(sim);
    sim_run_down(sim, 20000);
    ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_AUTH_PEER);
    ck_assert_int_eq(c->failure.layer, L2TPVOIP_LAYER_AUTH);
    ck_assert_uint_eq(c->n_up, 0);
    sim_free(sim);
}
END_TEST

/* A server that does not know the password and just says Success (rfc2759#5). */
START_TEST(impostor)
{
    struct sim *sim = sim_new(8);
    struct sim_side *c = &sim->side[CLIENT];
    unsigned n;
    uint8_t success[] = "\xc2\x23\x03\x07\x00\x2eS=0000000000000000000000000000000000000000";
    sim_default(sim, L2TPVOIP_AUTH_MSCHAPV2, L2TPVOIP_AUTH_MSCHAPV2);
    sim_make(sim, CLIENT);
    l2v_ppp_start(c->ppp);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 01 0009 0305c22381");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, 0, "ff03c021 02 01 0009 0305c22381"), 0);
    n = sim_sent(sim, CLIENT, 0, "ff03c021 01");
    { /* acknowledge what it asks for */
        uint8_t ack[64];
        memcpy(ack, sim->sent[n - 1], sim->sent_len[n - 1]);
        ack[4] = 2;
        (void)sim_inject_bytes(sim, CLIENT, ack, sim->sent_len[n - 1]);
    }
    ck_assert_uint_eq(c->phase, L2V_PPP_AUTHENTICATE);
    (void)sim_inject(sim, CLIENT, "c223 01 07 0017 10 000102030405060708090a0b0c0d0e0f 676174");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, 0, "ff03c223 02 07 003b 31"), 0);
    success[5] = sizeof(success) - 1 - 2;
    (void)sim_inject_bytes(sim, CLIENT, success, sizeof(success) - 1);
    sim_run(sim, 10000);
    ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_AUTH_PEER);
    ck_assert_uint_eq(c->n_up, 0);
    sim_free(sim);
}
END_TEST

/* --- which method
 * ------------------------------------------------------------------------------------- */

START_TEST(negotiated)
{
    static const struct {
        uint32_t client, server, got; /* got 0 = AUTH_PPP */
    } rows[] = {
        /* strongest first */
        {0x1f, 0x1f, L2TPVOIP_AUTH_MSCHAPV2},
        {0x3f, 0x3f, L2TPVOIP_AUTH_MSCHAPV2},
        /* Nak to an alternative */
        {L2TPVOIP_AUTH_CHAP_MD5, 0x1f, L2TPVOIP_AUTH_CHAP_MD5},
        {L2TPVOIP_AUTH_PAP, 0x1f, L2TPVOIP_AUTH_PAP},
        {L2TPVOIP_AUTH_EAP_MSCHAPV2, 0x1f, L2TPVOIP_AUTH_EAP_MSCHAPV2},
        {L2TPVOIP_AUTH_EAP_MD5, 0x1f, L2TPVOIP_AUTH_EAP_MD5},
        {0x1f, L2TPVOIP_AUTH_PAP, L2TPVOIP_AUTH_PAP},
        /* EAP alone: the client asks for CHAP once, then gives in */
        {0x1f, L2TPVOIP_AUTH_EAP_MSCHAPV2, L2TPVOIP_AUTH_EAP_MSCHAPV2},
        {EAP_BOTH, EAP_BOTH, L2TPVOIP_AUTH_EAP_MSCHAPV2},
        {L2TPVOIP_AUTH_EAP_MD5, EAP_BOTH, L2TPVOIP_AUTH_EAP_MD5},
        /* nothing in common */
        {L2TPVOIP_AUTH_MSCHAPV2, L2TPVOIP_AUTH_PAP, 0},
        {L2TPVOIP_AUTH_MSCHAPV2 | L2TPVOIP_AUTH_EAP_MSCHAPV2, L2TPVOIP_AUTH_CHAP_MD5, 0},
        {L2TPVOIP_AUTH_PAP, L2TPVOIP_AUTH_MSCHAPV2, 0},
        {L2TPVOIP_AUTH_MSCHAPV2, L2TPVOIP_AUTH_NONE, 0},
        {L2TPVOIP_AUTH_NONE, L2TPVOIP_AUTH_MSCHAPV2, 0},
        {L2TPVOIP_AUTH_NONE, L2TPVOIP_AUTH_MSCHAPV2 | L2TPVOIP_AUTH_NONE, L2TPVOIP_AUTH_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim *sim = sim_new(9 + i);
        sim_default(sim, rows[i].client, rows[i].server);
        sim_start(sim);
        if (rows[i].got != 0) {
            ck_assert_msg(sim_run_up(sim, 10000), "row %u: %s, %s", (unsigned)i,
                          sim->side[0].failure.message, sim->side[1].failure.message);
            check_up(sim, rows[i].got);
        } else {
            sim_run_down(sim, 60000);
            ck_assert_uint_eq(sim->side[CLIENT].n_up + sim->side[SERVER].n_up, 0);
            ck_assert_uint_eq(sim->side[CLIENT].n_down, 1);
            ck_assert_msg(sim->side[CLIENT].failure.code == L2TPVOIP_ERR_AUTH_PPP ||
                              sim->side[SERVER].failure.code == L2TPVOIP_ERR_AUTH_PPP,
                          "row %u: %s, %s", (unsigned)i, sim->side[0].failure.message,
                          sim->side[1].failure.message);
        }
        check_never_early(sim);
        sim_free(sim);
    }
}
END_TEST

/* A client asks for PAP or nothing by Nak and Reject: the server gives only what it allows. */
START_TEST(server_downgrade)
{
    struct sim *sim = sim_new(10);
    struct sim_side *s = &sim->side[SERVER];
    char frame[64];
    unsigned n;
    sim_default(sim, 0, L2TPVOIP_AUTH_MSCHAPV2);
    sim_make(sim, SERVER);
    l2v_ppp_start(s->ppp);
    for (unsigned i = 0; i < 8; i++) { /* again and again, until Max-Failure */
        n = 0;
        for (unsigned k = 0; (k = sim_sent(sim, SERVER, k, "ff03c021 01")) != 0;) {
            n = k;
        }
        if (_i == 0) {
            snprintf(frame, sizeof(frame), "ff03c021 03 %02x 0008 0304c023", sim_byte(sim, n, 5));
        } else if (_i == 1) {
            snprintf(frame, sizeof(frame), "ff03c021 04 %02x 0009 0305c22381", sim_byte(sim, n, 5));
        } else {
            snprintf(frame, sizeof(frame), "ff03c021 03 %02x 0009 0305c22305", sim_byte(sim, n, 5));
        }
        (void)sim_inject(sim, SERVER, frame);
    }
    (void)sim_inject(sim, SERVER, "ff03c021 01 01 0004");
    sim_run(sim, 60000);
    ck_assert_uint_eq(s->n_up, 0);
    ck_assert(s->result.auth == 0);
    ck_assert_int_eq(s->failure.code, L2TPVOIP_ERR_AUTH_PPP);
    ck_assert_uint_eq(s->phases_seen & 1u << L2V_PPP_NETWORK, 0);
    sim_free(sim);
}
END_TEST

/* rfc1661#6.2: we never prove anything to a client that asks. */
START_TEST(client_asks_server)
{
    struct sim *sim = sim_new(11);
    sim_default(sim, L2TPVOIP_AUTH_PAP, L2TPVOIP_AUTH_PAP);
    sim_make(sim, SERVER);
    l2v_ppp_start(sim->side[SERVER].ppp);
    (void)sim_inject(sim, SERVER, "ff03c021 01 05 0009 0305c22305");
    ck_assert_uint_ne(sim_sent(sim, SERVER, 0, "ff03c021 04 05 0009 0305c22305"), 0);
    sim_free(sim);
}
END_TEST

/* --- later
 * ---------------------------------------------------------------------------------------------- */

/* rfc1994#4.1: a challenge may come at any time; rfc1994#4.2: a repeated Response gets the same. */
START_TEST(challenged_again)
{
    struct sim *sim = sim_new(12);
    unsigned mark, n;
    sim_default(sim, methods[1 + _i], methods[1 + _i]);
    sim_start(sim);
    ck_assert(sim_run_up(sim, 5000));
    mark = sim->n_sent;
    (void)sim_inject(sim, CLIENT, "c223 01 77 0015 10 000102030405060708090a0b0c0d0e0f");
    n = sim_sent(sim, CLIENT, mark, _i == 0 ? "c223 02 77 001a 10" : "c223 02 77 003b 31");
    ck_assert_uint_ne(n, 0);
    (void)sim_inject(sim, CLIENT, "c223 01 77 0015 10 000102030405060708090a0b0c0d0e0f");
    ck_assert_uint_ne(sim_sent(sim, CLIENT, n, "c223 02 77"), 0);
    ck_assert_mem_eq(sim->sent[n - 1], sim->sent[sim_sent(sim, CLIENT, n, "c223 02 77") - 1], 64);
    (void)sim_inject(sim, CLIENT, "c223 04 77 0004");
    sim_run(sim, 5000);
    ck_assert_int_eq(sim->side[CLIENT].failure.code, L2TPVOIP_ERR_AUTH_PPP);
    sim_free(sim);
}
END_TEST

/* Known answers through the link: the response that goes out is the published one. */
START_TEST(known_md5)
{
    struct unit_json *json = unit_json_vectors("kat/chap_md5.json");
    unsigned n_done = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        struct sim *sim = sim_new(13);
        struct sim_side *c = &sim->side[CLIENT];
        uint8_t frame[300], want[16];
        struct l2v_writer w;
        uint8_t challenge[255];
        size_t len = unit_json_hex(t, "challenge", challenge, sizeof(challenge));
        unsigned n;
        ck_assert_uint_eq(unit_json_hex(t, "response", want, 16), 16);
        sim_default(sim, L2TPVOIP_AUTH_CHAP_MD5, 0);
        c->config.password = (const uint8_t *)unit_json_str(t, "secret");
        c->config.password_len = strlen(unit_json_str(t, "secret"));
        sim_make(sim, CLIENT);
        l2v_ppp_start(c->ppp);
        (void)sim_inject(sim, CLIENT, "ff03c021 01 01 0009 0305c22305");
        n = sim_sent(sim, CLIENT, 0, "ff03c021 01");
        memcpy(frame, sim->sent[n - 1], sim->sent_len[n - 1]);
        frame[4] = 2;
        (void)sim_inject_bytes(sim, CLIENT, frame, sim->sent_len[n - 1]);
        l2v_writer_init(&w, frame, sizeof(frame));
        l2v_write_u16(&w, 0xc223);
        l2v_write_u8(&w, 1);
        l2v_write_u8(&w, (unsigned)unit_json_int(t, "id", 0));
        l2v_write_u16(&w, (unsigned)len + 5);
        l2v_write_u8(&w, (unsigned)len);
        l2v_write_bytes(&w, challenge, len);
        (void)sim_inject_bytes(sim, CLIENT, frame, l2v_writer_len(&w));
        n = sim_sent(sim, CLIENT, 0, "ff03c223 02 .. 001a 10");
        ck_assert_uint_ne(n, 0);
        ck_assert_mem_eq(sim->sent[n - 1] + 9, want, 16);
        n_done++;
        sim_free(sim);
    }
    ck_assert(json == NULL || n_done >= 6);
    unit_json_free(json);
}
END_TEST

/* Our server's check and proof against the published responses (names with domains stripped). */
START_TEST(known_mschapv2)
{
    struct unit_json *json = unit_json_vectors("kat/mschapv2.json");
    unsigned n_done = 0;
    for (const struct unit_json *t = unit_json_first(json, "tests"); t != NULL; t = t->next) {
        struct sim *sim = sim_new(14);
        struct sim_side *s = &sim->side[SERVER];
        const char *user = unit_json_str(t, "username");
        uint8_t frame[300];
        struct l2v_writer w;
        uint8_t value[49];
        unsigned n;
        sim_default(sim, 0, L2TPVOIP_AUTH_MSCHAPV2);
        s->user = user;
        s->password = unit_json_str(t, "password");
        sim_make(sim, SERVER);
        l2v_ppp_start(s->ppp);
        (void)sim_inject(sim, SERVER, "ff03c021 01 01 0004");
        n = sim_sent(sim, SERVER, 0, "ff03c021 01");
        memcpy(frame, sim->sent[n - 1], sim->sent_len[n - 1]);
        frame[4] = 2;
        (void)sim_inject_bytes(sim, SERVER, frame, sim->sent_len[n - 1]);
        memset(value, 0, sizeof(value));
        ck_assert_uint_eq(unit_json_hex(t, "authenticator_challenge", s->ppp->auth.challenge, 16),
                          16);
        ck_assert_uint_eq(unit_json_hex(t, "peer_challenge", value, 16), 16);
        ck_assert_uint_eq(unit_json_hex(t, "nt_response", value + 24, 24), 24);
        l2v_writer_init(&w, frame, sizeof(frame));
        l2v_write_u16(&w, 0xc223);
        l2v_write_u8(&w, 2);
        l2v_write_u8(&w, s->ppp->auth.id);
        l2v_write_u16(&w, (unsigned)(5 + 49 + strlen(user)));
        l2v_write_u8(&w, 49);
        l2v_write_bytes(&w, value, 49);
        l2v_write_bytes(&w, user, strlen(user));
        (void)sim_inject_bytes(sim, SERVER, frame, l2v_writer_len(&w));
        n = sim_sent(sim, SERVER, 0, "ff03c223 03");
        ck_assert_msg(n != 0, "%s", unit_json_str(t, "source"));
        ck_assert_mem_eq(sim->sent[n - 1] + 8, unit_json_str(t, "authenticator_response"), 42);
        ck_assert_str_eq(l2v_ppp_get_result(s->ppp)->user, user);
        n_done++;
        sim_free(sim);
    }
    ck_assert(json == NULL || n_done >= 7);
    unit_json_free(json);
}
END_TEST

START_TEST(domain_user)
{
    struct sim *sim = sim_new(15);
    sim_default(sim, methods[_i], methods[_i]);
    sim->side[CLIENT].config.user = "CASTLE\\alice";
    sim->side[SERVER].user = "CASTLE\\alice";
    sim_start(sim);
    ck_assert(sim_run_up(sim, 5000));
    ck_assert_str_eq(sim->side[SERVER].result.user, "CASTLE\\alice");
    sim_free(sim);
}
END_TEST

/* The server answers nothing after LCP. */
START_TEST(silent_server)
{
    struct sim *sim = sim_new(16);
    struct sim_side *c = &sim->side[CLIENT];
    unsigned n;
    uint8_t ack[64];
    sim_default(sim, L2TPVOIP_AUTH_PAP, 0);
    sim_make(sim, CLIENT);
    l2v_ppp_start(c->ppp);
    (void)sim_inject(sim, CLIENT, "ff03c021 01 01 0008 0304c023");
    n = sim_sent(sim, CLIENT, 0, "ff03c021 01");
    memcpy(ack, sim->sent[n - 1], sim->sent_len[n - 1]);
    ack[4] = 2;
    (void)sim_inject_bytes(sim, CLIENT, ack, sim->sent_len[n - 1]);
    sim_run(sim, 120000);
    ck_assert_int_eq(c->failure.code, L2TPVOIP_ERR_TIMEOUT);
    ck_assert_int_eq(c->failure.layer, L2TPVOIP_LAYER_AUTH);
    sim_free(sim);
}
END_TEST

TCase *test_ppp_auth(void)
{
    TCase *tc = tcase_create("auth");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_method, 0, N_METHODS);
    tcase_add_loop_test(tc, every_method_lossy, 0, N_METHODS);
    tcase_add_loop_test(tc, wrong_password, 0, N_SECRET);
    tcase_add_loop_test(tc, unknown_user, 0, N_SECRET);
    tcase_add_loop_test(tc, pending_password, 0, N_SECRET);
    tcase_add_loop_test(tc, pending_then_unknown, 0, N_SECRET);
    tcase_add_test(tc, pending_overtaken);
    tcase_add_loop_test(tc, credentials_later, 0, N_SECRET);
    tcase_add_loop_test(tc, credentials_at_once, 0, N_SECRET);
    tcase_add_loop_test(tc, credentials_refused, 0, N_SECRET);
    tcase_add_loop_test(tc, mutual_failure, 0, 3);
    tcase_add_test(tc, impostor);
    tcase_add_test(tc, negotiated);
    tcase_add_loop_test(tc, server_downgrade, 0, 3);
    tcase_add_test(tc, client_asks_server);
    tcase_add_loop_test(tc, challenged_again, 0, 2);
    tcase_add_test(tc, known_md5);
    tcase_add_test(tc, known_mschapv2);
    tcase_add_loop_test(tc, domain_user, 0, N_SECRET);
    tcase_add_test(tc, silent_server);
    return tc;
}
