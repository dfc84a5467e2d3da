/* SPDX-License-Identifier: MIT */
/* Main mode with a pre-shared key, both directions, RFC 2409 section 5.4 and RFC 3947 section 3.
 * Messages 1 and 2 of a responder are in ike1_halfopen.c, the contents of 5 and 6 in ike1_auth.c.
 *
 * A message is checked whole before its event steps the machine: what does not fit changes
 * nothing. While a key agreement runs, the exchange is paused and drops what arrives. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "base_secure.h"
#include "ike_engine.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Messages 5 that one SA tries to open: forgeries must neither end it nor keep us busy. */
#define M5_PER_SECOND 20u
#define M5_BURST 100u
#define LIFE_MIN_S 60u /* the least that options allow */

static const struct l2v_ike_rule sa_rules[] = {
    {L2V_IKE1_PAYLOAD_SA, 1, 1},
    {L2V_IKE1_PAYLOAD_NOTIFY, 0, 4},
};
static const struct l2v_ike_rule ke_rules[] = {
    {L2V_IKE1_PAYLOAD_KE, 1, 1},
    {L2V_IKE1_PAYLOAD_NONCE, 1, 1},
    {L2V_IKE1_PAYLOAD_NOTIFY, 0, 4},
    {L2V_IKE1_PAYLOAD_NATD, 0, 16},
    {L2V_IKE1_PAYLOAD_NATD_DRAFT05, 0, 16},
    {L2V_IKE1_PAYLOAD_NATD_DRAFT02, 0, 16},
};

static void step(struct l2v_ike_sa *sa, enum l2v_ike1_mm_event event)
{
    (void)l2v_fsm_step(&l2v_ike1_mm_fsm, &sa->state, event, sa, NULL);
}

static void fail_with(struct l2v_ike_sa *sa, int code, const char *what, const char *next)
{
    char addr[L2V_ADDR_TEXT];
    l2tpvoip_failure f;
    l2v_addr_format(&sa->route.remote, addr, sizeof(addr));
    l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, code, 0, next, "Phase 1 with %s: %s.", addr, what);
    l2v_ike1_main_fail(sa, &f);
}

static void fail_internal(struct l2v_ike_sa *sa, int rc)
{
    fail_with(sa, rc, l2v_ike_error_words(rc),
              rc == L2TPVOIP_ERR_NOMEM ? "Give the program more memory." : "See the log.");
}

/* ESP of this library leaves in UDP unless the embedder can send protocol 50. */
static bool must_force(const struct l2v_ike_sa *sa)
{
    return !sa->ike->raw_esp || l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_FORCE_ENCAPS);
}

/* --- NAT detection -------------------------------------------------------------------------------
 */

static void fill_natd(const struct l2v_ike_sa *sa, struct l2v_ike1_natd *n)
{
    n->dialect = sa->dialect;
    n->hash = l2v_ike1_p1_hash(&sa->chosen);
    n->icookie = sa->icookie;
    n->rcookie = sa->rcookie;
    n->local = &sa->route.local;
    n->remote = &sa->route.remote;
}

static int read_natd(struct l2v_ike_sa *sa, const struct l2v_ike_message *m)
{
    struct l2v_ike1_natd n;
    const struct l2v_ike_payload *first = l2v_ike1_natd_first(m, sa->dialect);
    bool present = false;
    uint32_t nat = 0;
    int rc;

    fill_natd(sa, &n);
    rc = l2v_ike1_natd_verdict(sa->ike->crypto, &n, m, &nat, &present);
    if (rc != 0) {
        return rc;
    }
    sa->nat = nat;
    sa->mm->parrot_len = 0;
    if (first != NULL && first->len <= sizeof(sa->mm->parrot)) {
        memcpy(sa->mm->parrot, first->body, first->len);
        sa->mm->parrot_len = first->len;
    }
    return 0;
}

/* A responder that forces UDP claims that the peer is behind the NAT, not itself: Windows refuses
 * servers behind one unless its registry says otherwise, and others do not mind. */
static unsigned choose_natd_mode(const struct l2v_ike_sa *sa)
{
    bool windows = l2v_ike_config_quirk(sa->config, L2V_IKE_QUIRK_AUTO_PARROT) &&
                   l2v_ike_vids_is_microsoft(&sa->vids);
    bool parrot = l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_NAT_PARROT) || windows;

    if (!sa->initiator && sa->mm->parrot_len > 0 &&
        (parrot || (must_force(sa) && (sa->nat & L2TPVOIP_NAT_LOCAL) == 0))) {
        return L2V_IKE1_NATD_PARROT;
    }
    return must_force(sa) ? L2V_IKE1_NATD_FORCE : L2V_IKE1_NATD_HONEST;
}

static int write_natd(struct l2v_ike_sa *sa, struct l2v_ike_build *b)
{
    struct l2v_ike1_natd n;
    struct l2v_ike_payload parrot;

    fill_natd(sa, &n);
    parrot.type = 0;
    parrot.len = sa->mm->parrot_len;
    parrot.body = sa->mm->parrot;
    return l2v_ike1_natd_write(b, sa->ike->crypto, sa->ike->env, &n, choose_natd_mode(sa),
                               parrot.len > 0 ? &parrot : NULL);
}

/* rfc3947#4: the initiator changes to port 4500 with message 5 when there is a NAT. */
static void float_port(struct l2v_ike_sa *sa)
{
    if (sa->dialect != L2V_IKE1_NATT_NONE && !sa->route.marker &&
        (sa->nat != 0 || must_force(sa))) {
        sa->route.remote.port = sa->config->natt_port;
        sa->route.marker = true;
    }
}

/* --- initiator -----------------------------------------------------------------------------------
 */

static void on_dh(void *owner)
{
    struct l2v_ike_sa *sa = owner;
    struct l2v_ike_dh *dh = &sa->mm->dh;

    if (sa->dead) {
        return;
    }
    if (dh->failed) {
        if (sa->state == L2V_MM_I1 || sa->state == L2V_MM_DIAGNOSE) {
            return; /* only the prefetch: tried again when message 2 is there */
        }
        fail_with(sa, dh->bad_public ? L2TPVOIP_ERR_PROTOCOL : L2TPVOIP_ERR_CRYPTO,
                  dh->bad_public ? "the peer's public key is not valid for the group"
                                 : "the key agreement failed",
                  "Choose another group in ike_proposals.");
        return;
    }
    /* The prefetched pair finds no row in the table until message 2 asks for it. */
    step(sa, dh->have_secret ? L2V_MM_EV_SECRET : L2V_MM_EV_KEY);
}

static int send_m1(struct l2v_ike_sa *sa, const struct l2v_ike1_p1_list *offer)
{
    uint8_t buf[L2V_IKE_BUF];
    struct l2v_ike_header h;
    struct l2v_ike_build b;
    size_t at, len;
    int rc;

    l2v_ike1_sa_header(sa, L2V_IKE1_EXCHANGE_MAIN, 0, &h);
    l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
    l2v_ike_build_payload(&b, L2V_IKE1_PAYLOAD_SA);
    at = l2v_writer_len(&b.w);
    l2v_ike1_p1_write_offer(&b.w, offer, sa->config->ike_lifetime_s);
    if (b.w.failed) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    l2v_free(sa->ike->env, sa->mm->sai);
    sa->mm->sai_len = l2v_writer_len(&b.w) - at;
    sa->mm->sai = l2v_memdup(sa->ike->env, buf + at, sa->mm->sai_len);
    if (sa->mm->sai == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    l2v_ike_vids_write(&b, sa->config, NULL);
    rc = l2v_ike_build_end(&b, 0, &len);
    if (rc != 0) {
        return rc;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_OUT, &sa->route, buf, len);
    return l2v_ike_flight_send(sa, &sa->flight, buf, len);
}

static int new_icookie(struct l2v_ike_sa *sa)
{
    int rc = l2v_random(sa->ike->env, sa->icookie, sizeof(sa->icookie));
    if (rc == 0) {
        l2v_ike_mark_cookie(sa->ike, sa->icookie);
        l2v_ike1_sa_file(sa);
    }
    return rc;
}

static int choose_psk(struct l2v_ike_peer *peer, struct l2v_ike_sa *sa)
{
    unsigned index[L2V_IKE_MAX_PSKS];
    const struct l2v_ike_id *id = &sa->config->remote_id;

    if (peer->up) {
        sa->psk = peer->psk;
        return 0;
    }
    if (l2v_ike_config_find_psks(sa->config, &sa->route.remote,
                                 id->type != L2V_IKE_ID_NONE ? id : NULL, index) == 0) {
        return L2TPVOIP_ERR_CONFIG;
    }
    sa->psk = index[0];
    return 0;
}

int l2v_ike1_main_start(struct l2v_ike_peer *peer)
{
    struct l2v_ike *ike = peer->ike;
    struct l2v_ike_sa *sa;
    int rc;

    if (peer->n_sas >= L2V_IKE_MAX_SAS) {
        return L2TPVOIP_ERR_LIMIT;
    }
    rc = l2v_ike1_sa_new(ike, peer->config, &peer->route, true, &sa);
    if (rc != 0) {
        return rc;
    }
    l2v_ike_dh_init(&sa->mm->dh, ike, on_dh, sa);
    l2v_ike_peer_attach(peer, sa);
    sa->state = L2V_MM_I1;
    rc = choose_psk(peer, sa);
    if (rc == 0) {
        rc = new_icookie(sa);
    }
    if (rc == 0) {
        rc = send_m1(sa, &sa->config->ike);
    }
    if (rc != 0) {
        l2v_ike1_sa_kill(sa);
        return rc;
    }
    ike->stats.started++;
    l2v_ike_timers_flight_start(sa, &sa->flight);
    if (sa->config->ike.n > 0) {
        (void)l2v_ike_dh_generate(&sa->mm->dh, sa->config->ike.items[0].group); /* a guess */
    }
    return 0;
}

static bool same_transform(const struct l2v_ike1_p1 *a, const struct l2v_ike1_p1 *b)
{
    return a->cipher == b->cipher && a->key_bits == b->key_bits && a->hash == b->hash &&
           a->group == b->group && a->auth == b->auth;
}

/* What the peer would take: if that is one of ours, only loss has kept us apart. */
static int take_diagnosis(struct l2v_ike_sa *sa, const struct l2v_ike_payload *body)
{
    struct l2v_ike_peer *peer = sa->peer;
    struct l2v_ike1_p1_list wide;
    struct l2v_ike1_p1 chosen;
    l2tpvoip_failure f;
    int rc;

    l2v_ike1_p1_wide(&wide);
    rc = l2v_ike1_p1_verify(&wide, body->body, body->len, &chosen);
    for (unsigned i = 0; rc == 0 && i < sa->config->ike.n; i++) {
        if (same_transform(&chosen, &sa->config->ike.items[i])) {
            l2v_ike1_sa_kill(sa);
            peer->diagnosed = true;
            rc = l2v_ike1_main_start(peer);
            if (rc != 0) {
                l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, rc, 0, "Try again.",
                                "Phase 1 could not be started again.");
                l2v_ike_peer_sa_gone(peer, &f);
            }
            return 0;
        }
    }
    memset(&f, 0, sizeof(f));
    l2v_ike1_p1_explain_wide(sa->config, rc == 0 ? &chosen : NULL, &f);
    l2v_ike1_main_fail(sa, &f);
    return 0;
}

static int take_m2(struct l2v_ike_sa *sa, const struct l2v_ike_route *route, uint8_t *msg,
                   size_t len, uint64_t hash)
{
    const struct l2v_ike_payload *body;
    struct l2v_ike_message m;
    struct l2v_ike1_p1 chosen;
    uint8_t type;
    int rc;

    if (l2v_ike1_message_parse(msg, len, &m) != L2V_IKE_FAULT_NONE ||
        (m.header.flags & L2V_IKE1_FLAG_ENCRYPTION) != 0 ||
        l2v_ike_cookie_is_zero(m.header.rcookie) ||
        l2v_ike1_message_check(&m, sa_rules, COUNT(sa_rules), &type) != L2V_IKE_FAULT_NONE) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_IN, route, msg, len);
    body = l2v_ike_message_find(&m, L2V_IKE1_PAYLOAD_SA, 0);
    if (sa->state == L2V_MM_DIAGNOSE) {
        return take_diagnosis(sa, body);
    }
    rc = l2v_ike1_p1_verify(&sa->config->ike, body->body, body->len, &chosen);
    if (rc != 0) {
        return rc;
    }
    sa->chosen = chosen;
    memcpy(sa->rcookie, m.header.rcookie, sizeof(sa->rcookie));
    l2v_ike_vids_gather(&m, &sa->vids);
    /* With vendor ids off the peer does not know that we can. */
    sa->dialect = sa->config->vendor_ids == L2TPVOIP_VENDOR_IDS_NONE
                      ? L2V_IKE1_NATT_NONE
                      : l2v_ike1_natt_dialect(
                            &sa->vids, l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_NATT_DRAFTS));
    l2v_ike_flight_accept(&sa->flight, hash);
    l2v_ike_flight_forget(sa, &sa->flight);
    if (sa->dialect == L2V_IKE1_NATT_NONE && !sa->ike->raw_esp) {
        fail_with(sa, L2TPVOIP_ERR_UNSUPPORTED,
                  "the peer does not offer NAT traversal, and ESP can only be sent inside UDP",
                  "Enable NAT traversal (RFC 3947) on the peer, and vendor ids here.");
        return 0;
    }
    step(sa, L2V_MM_EV_M2);
    return 0;
}

static void act_want_key(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    struct l2v_ike_dh *dh = &sa->mm->dh;

    (void)arg;
    if (dh->group == sa->chosen.group && dh->key != NULL && !l2v_ike_dh_busy(dh)) {
        step(sa, L2V_MM_EV_KEY);
    } else if (!(dh->group == sa->chosen.group && l2v_ike_dh_busy(dh)) &&
               l2v_ike_dh_generate(dh, sa->chosen.group) != 0) {
        fail_internal(sa, L2TPVOIP_ERR_NOMEM);
    }
}

/* Message 3 or 4: KE, nonce, NAT-D. */
static int send_ke(struct l2v_ike_sa *sa)
{
    struct l2v_ike1_mm *mm = sa->mm;
    uint8_t *gx = sa->initiator ? mm->gxi : mm->gxr;
    uint8_t *nonce = sa->initiator ? mm->ni : mm->nr;
    uint8_t buf[L2V_IKE_BUF];
    struct l2v_ike_header h;
    struct l2v_ike_build b;
    const uint8_t *public_key;
    size_t public_len, len;
    int rc;

    public_key = l2v_dh_public(mm->dh.key, &public_len);
    if (public_key == NULL || public_len > L2V_DH_MAX_PUBLIC) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    memcpy(gx, public_key, public_len);
    *(sa->initiator ? &mm->gxi_len : &mm->gxr_len) = public_len;
    *(sa->initiator ? &mm->ni_len : &mm->nr_len) = L2V_IKE_NONCE_LEN;
    rc = l2v_random(sa->ike->env, nonce, L2V_IKE_NONCE_LEN);
    if (rc != 0) {
        return rc;
    }
    l2v_ike1_sa_header(sa, L2V_IKE1_EXCHANGE_MAIN, 0, &h);
    l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_KE, gx, public_len);
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_NONCE, nonce, L2V_IKE_NONCE_LEN);
    rc = write_natd(sa, &b);
    if (rc == 0) {
        rc = l2v_ike_build_end(&b, 0, &len);
    }
    if (rc != 0) {
        return rc;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_OUT, &sa->route, buf, len);
    return l2v_ike_flight_send(sa, &sa->flight, buf, len);
}

static void act_send_m3(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    int rc = send_ke(sa);
    (void)arg;
    if (rc != 0) {
        fail_internal(sa, rc);
        return;
    }
    l2v_ike_timers_flight_start(sa, &sa->flight);
}

/* Payloads of message 3 or 4 into mm. */
static int read_ke(struct l2v_ike_sa *sa, const struct l2v_ike_message *m)
{
    const struct l2v_ike_payload *ke = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_KE, 0);
    const struct l2v_ike_payload *nonce = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_NONCE, 0);
    struct l2v_ike1_mm *mm = sa->mm;

    if (!l2v_ike1_nonce_is_valid(nonce) || ke->len != l2v_dh_public_len(sa->chosen.group) ||
        ke->len > L2V_DH_MAX_PUBLIC) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    memcpy(sa->initiator ? mm->gxr : mm->gxi, ke->body, ke->len);
    *(sa->initiator ? &mm->gxr_len : &mm->gxi_len) = ke->len;
    memcpy(sa->initiator ? mm->nr : mm->ni, nonce->body, nonce->len);
    *(sa->initiator ? &mm->nr_len : &mm->ni_len) = nonce->len;
    return read_natd(sa, m);
}

static bool parse_ke(const uint8_t *msg, size_t len, struct l2v_ike_message *m)
{
    uint8_t type;
    return l2v_ike1_message_parse(msg, len, m) == L2V_IKE_FAULT_NONE &&
           (m->header.flags & L2V_IKE1_FLAG_ENCRYPTION) == 0 &&
           l2v_ike1_message_check(m, ke_rules, COUNT(ke_rules), &type) == L2V_IKE_FAULT_NONE;
}

static int take_m4(struct l2v_ike_sa *sa, const struct l2v_ike_route *route, uint8_t *msg,
                   size_t len, uint64_t hash)
{
    struct l2v_ike_message m;
    int rc;

    if (!parse_ke(msg, len, &m)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    rc = read_ke(sa, &m);
    if (rc != 0) {
        return rc;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_IN, route, msg, len);
    l2v_ike_vids_gather(&m, &sa->vids); /* Cisco sends some only here */
    l2v_ike_flight_accept(&sa->flight, hash);
    l2v_ike_flight_forget(sa, &sa->flight);
    float_port(sa);
    step(sa, L2V_MM_EV_M4);
    return 0;
}

static void act_want_secret(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    struct l2v_ike1_mm *mm = sa->mm;
    const uint8_t *peer = sa->initiator ? mm->gxr : mm->gxi;
    size_t peer_len = sa->initiator ? mm->gxr_len : mm->gxi_len;
    int rc = l2v_ike_dh_derive(&mm->dh, sa->chosen.group, peer, peer_len);
    (void)arg;
    if (rc != 0) {
        fail_internal(sa, rc);
    }
}

static void act_send_m5(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    uint8_t buf[L2V_IKE_BUF];
    size_t len;
    int rc = l2v_ike1_auth_set_keys(sa);

    (void)arg;
    if (rc == 0) {
        rc = l2v_ike1_auth_build(sa, buf, sizeof(buf), &len);
    }
    if (rc == 0) {
        rc = l2v_ike_flight_send(sa, &sa->flight, buf, len);
    }
    if (rc != 0) {
        fail_internal(sa, rc);
        return;
    }
    l2v_ike_timers_flight_start(sa, &sa->flight);
}

static int take_m6(struct l2v_ike_sa *sa, const struct l2v_ike_route *route, uint8_t *msg,
                   size_t len, uint64_t hash)
{
    int rc = l2v_ike1_auth_open_m6(sa, msg, len, &sa->mm->id);

    (void)route;
    if (rc == L2TPVOIP_ERR_AUTH_PEER) {
        char id[L2V_IKE_ID_TEXT], text[L2V_IKE_ID_TEXT + 64];
        struct l2v_writer w;
        l2v_ike_id_format(&sa->mm->id, id, sizeof(id));
        l2v_writer_init(&w, text, sizeof(text));
        l2v_write_bytes(&w, "the peer says that it is ", 25);
        l2v_write_bytes(&w, id, strlen(id));
        l2v_write_u8(&w, 0);
        fail_with(sa, rc, text, "Set remote_id to that identity if it is the right peer.");
        return 0;
    }
    if (rc != 0) {
        sa->mm->garbage = true;
        return rc;
    }
    l2v_ike_flight_accept(&sa->flight, hash);
    l2v_ike_flight_forget(sa, &sa->flight);
    step(sa, L2V_MM_EV_M6);
    return 0;
}

/* --- responder -----------------------------------------------------------------------------------
 */

static int check_room(struct l2v_ike *ike, const struct l2v_ike_route *route)
{
    unsigned same = 0;
    L2V_LIST_EACH(pos, &ike->unauth)
    {
        struct l2v_ike_sa *sa = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
        same += l2v_addr_equal_ip(&sa->route.remote, &route->remote);
    }
    if (same >= L2V_IKE_MAX_UNAUTH_IP || !l2v_rate_take(&ike->dh_rate, ike->env->now_ns)) {
        ike->stats.rate_limited++;
        return L2TPVOIP_ERR_LIMIT;
    }
    if (ike->n_unauth >= L2V_IKE_MAX_UNAUTH) {
        l2v_ike1_sa_kill(L2V_CONTAINER_OF(ike->unauth.next, struct l2v_ike_sa, node));
    }
    return 0;
}

static int make_responder(struct l2v_ike *ike, struct l2v_ike_config *config,
                          const struct l2v_ike_route *route, const struct l2v_ike_halfopen *half,
                          const struct l2v_ike1_p1 *chosen, struct l2v_ike_sa **ret_sa)
{
    struct l2v_ike_sa *sa;
    int rc = l2v_ike1_sa_new(ike, config, route, false, &sa);
    if (rc != 0) {
        return rc;
    }
    l2v_ike_dh_init(&sa->mm->dh, ike, on_dh, sa);
    sa->state = L2V_MM_R3_KEY;
    sa->chosen = *chosen;
    memcpy(sa->icookie, half->icookie, sizeof(sa->icookie));
    memcpy(sa->rcookie, half->rcookie, sizeof(sa->rcookie));
    sa->vids = half->vids;
    sa->dialect = config->vendor_ids == L2TPVOIP_VENDOR_IDS_NONE
                      ? L2V_IKE1_NATT_NONE
                      : l2v_ike1_natt_dialect(
                            &sa->vids, l2v_ike_config_has(config, L2TPVOIP_IPSEC_NATT_DRAFTS));
    l2v_rate_init(&sa->mm->m5_rate, M5_PER_SECOND, M5_BURST, ike->env->now_ns);
    l2v_list_append(&ike->unauth, &sa->node);
    ike->n_unauth++;
    l2v_ike1_sa_file(sa);
    sa->mm->sai_len = half->sai_len;
    sa->mm->sai = l2v_memdup(ike->env, half->sai, half->sai_len);
    if (sa->mm->sai == NULL) {
        l2v_ike1_sa_kill(sa);
        return L2TPVOIP_ERR_NOMEM;
    }
    *ret_sa = sa;
    return 0;
}

int l2v_ike1_main_accept(struct l2v_ike *ike, const struct l2v_ike_route *route,
                         const struct l2v_ike_header *h, uint8_t *msg, size_t len)
{
    struct l2v_ike_config *config = l2v_ike1_responder_config(ike, route);
    struct l2v_ike_halfopen half;
    struct l2v_ike1_p1 chosen;
    struct l2v_ike_message m;
    struct l2v_ike_sa *sa;
    int rc;

    rc = config != NULL ? l2v_ike1_halfopen_find(ike, route, h, &half) : L2TPVOIP_ERR_NOT_FOUND;
    if (rc != 0) {
        ike->stats.cookies_bad++;
        return rc;
    }
    if (!parse_ke(msg, len, &m)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    rc = l2v_ike1_p1_choose(&config->ike, half.sai, half.sai_len, &chosen);
    if (rc != 0) {
        return rc;
    }
    if (l2v_ike_message_find(&m, L2V_IKE1_PAYLOAD_KE, 0)->len != l2v_dh_public_len(chosen.group)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    rc = check_room(ike, route);
    if (rc == 0) {
        rc = make_responder(ike, config, route, &half, &chosen, &sa);
    }
    if (rc != 0) {
        return rc;
    }
    rc = read_ke(sa, &m);
    if (rc == 0) {
        rc = l2v_ike_dh_derive(&sa->mm->dh, sa->chosen.group, sa->mm->gxi, sa->mm->gxi_len);
    }
    if (rc != 0) {
        l2v_ike1_sa_kill(sa);
        return rc;
    }
    l2v_ike_tap(ike, L2TPVOIP_TAP_IN, route, msg, len);
    l2v_ike_vids_gather(&m, &sa->vids);
    l2v_ike1_halfopen_drop(ike, half.rcookie);
    l2v_ike_flight_accept(&sa->flight, l2v_ike_message_hash(ike, msg, len));
    l2v_ike_timers_sa_waits(sa);
    ike->stats.started++;
    return 0;
}

static void act_send_m4(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    int rc = send_ke(sa); /* no timer: before message 5 the responder never repeats by itself */
    (void)arg;
    if (rc != 0) {
        fail_internal(sa, rc);
    }
}

static void note_m5_failure(struct l2v_ike_sa *sa)
{
    struct l2v_ike *ike = sa->ike;
    char addr[L2V_ADDR_TEXT];

    if (sa->mm->m5_failures++ == 0 && L2V_LOG_ON(ike->env, L2TPVOIP_LOG_WARNING) &&
        l2v_rate_take(&ike->log_rate, ike->env->now_ns)) {
        l2v_addr_format(&sa->route.remote, addr, sizeof(addr));
        l2v_log(ike->env, L2TPVOIP_LOG_WARNING, "ike",
                "%s could not prove who it is: most likely a wrong pre-shared key (%u tried). "
                "Compare the key on both sides, and the identity that it is for.",
                addr, sa->config->n_psks);
    }
}

static int take_m5(struct l2v_ike_sa *sa, const struct l2v_ike_route *route, uint8_t *msg,
                   size_t len, uint64_t hash)
{
    struct l2v_ike_route before = sa->route;
    /* A key may be bound to an address: the same bytes may open when they come from another. */
    uint64_t attempt = hash ^ l2v_addr_hash(sa->ike->env->hash_key, &route->remote, true);
    int rc;

    if (attempt == sa->mm->m5_bad) {
        return L2TPVOIP_ERR_INTEGRITY; /* the same again: no need to try all keys */
    }
    if (!l2v_rate_take(&sa->mm->m5_rate, sa->ike->env->now_ns)) {
        sa->ike->stats.rate_limited++;
        return L2TPVOIP_ERR_LIMIT;
    }
    /* rfc3947#4: it may come from another port, and a NAT with several addresses from another of
     * these; its HASH proves that it belongs here. */
    sa->route.remote = route->remote;
    sa->route.marker = route->marker;
    sa->route.path_id = route->path_id;
    if (route->local.family != 0) {
        sa->route.local = route->local;
    }
    rc = l2v_ike1_auth_open_m5(sa, msg, len, &sa->mm->id);
    if (rc != 0) {
        sa->route = before;
        if (rc == L2TPVOIP_ERR_INTEGRITY) {
            sa->mm->m5_bad = attempt;
            note_m5_failure(sa); /* silently: an answer would be an oracle */
        }
        return rc;
    }
    l2v_ike_flight_accept(&sa->flight, hash);
    step(sa, L2V_MM_EV_M5);
    return 0;
}

/* --- both ----------------------------------------------------------------------------------------
 */

static void note_up(struct l2v_ike_sa *sa)
{
    uint32_t theirs = sa->chosen.life_s != 0 ? sa->chosen.life_s : 28800; /* rfc2407#4.5 */
    uint32_t ours = sa->config->ike_lifetime_s;

    sa->chain = sa->mm->next;
    sa->life_s = theirs < ours || l2v_ike_config_quirk(sa->config, L2V_IKE_QUIRK_LIFETIME_OBEY)
                     ? theirs
                     : ours;
    if (sa->initiator && sa->life_s < LIFE_MIN_S) {
        sa->life_s = LIFE_MIN_S; /* nothing proves message 2: nobody makes us begin anew all day */
    }
    if (sa->route.marker) {
        sa->nat |= L2TPVOIP_NAT_ENCAPS;
    }
    sa->up_ns = sa->ike->env->now_ns;
    sa->ike->stats.done++;
    l2v_ike_timers_sa_up(sa);
}

static void act_up_initiator(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    struct l2v_ike_peer *peer = sa->peer;

    (void)arg;
    note_up(sa);
    if (!peer->up) {
        peer->id = sa->mm->id;
        peer->psk = sa->psk;
    }
    l2v_ike1_sa_clear_mm(sa);
    l2v_ike_peer_sa_up(peer, sa);
}

static void act_up_responder(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    struct l2v_ike *ike = sa->ike;
    uint8_t buf[L2V_IKE_BUF];
    size_t len;
    int rc = l2v_ike1_auth_build(sa, buf, sizeof(buf), &len);

    (void)arg;
    if (rc == 0) {
        rc = l2v_ike_peer_admit(sa, &sa->mm->id, sa->mm->initial_contact);
    }
    if (rc == 0 && !sa->dead) {
        rc = l2v_ike_flight_send(sa, &sa->flight, buf, len);
    }
    if (rc != 0) {
        l2v_log(ike->env, L2TPVOIP_LOG_WARNING, "ike", "phase 1 given up: %s",
                l2v_ike_error_words(rc));
        fail_internal(sa, rc);
        return;
    }
    if (sa->dead) {
        return;
    }
    note_up(sa);
    l2v_ike1_sa_clear_mm(sa);
    l2v_ike_peer_sa_up(sa->peer, sa);
}

static void act_fail(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    struct l2v_ike_peer *peer = sa->peer;
    const l2tpvoip_failure *f = arg;

    sa->ike->stats.failed++;
    l2v_ike1_sa_kill(sa);
    if (peer != NULL) {
        l2v_ike_peer_sa_gone(peer, f);
    }
}

void l2v_ike1_main_fail(struct l2v_ike_sa *sa, const l2tpvoip_failure *f)
{
    l2tpvoip_failure copy = *f;
    if (!sa->dead) {
        (void)l2v_fsm_step(&l2v_ike1_mm_fsm, &sa->state, L2V_MM_EV_FAIL, sa, &copy);
    }
}

/* --- silence -------------------------------------------------------------------------------------
 */

static void fail_refused(struct l2v_ike_sa *sa)
{
    l2tpvoip_failure f;
    memset(&f, 0, sizeof(f));
    l2v_ike1_explain_refusal(sa->config, 1, sa->mm->notify, &f);
    l2v_ike1_main_fail(sa, &f);
}

static void fail_absent(struct l2v_ike_sa *sa)
{
    fail_with(sa, L2TPVOIP_ERR_TIMEOUT, "no answer at all",
              "Check the server's address, that it is up and speaks IKEv1, and that no firewall "
              "drops UDP ports 500 and 4500.");
}

/* The peer may be absent, or refuse by silence: an offer of everything tells. */
static void act_silence_m1(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    struct l2v_ike *ike = sa->ike;
    struct l2v_ike1_p1_list wide;

    (void)arg;
    if (sa->mm->notify != 0) {
        fail_refused(sa);
        return;
    }
    if (l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_NO_DIAGNOSE) || sa->peer->up ||
        sa->peer->diagnosed) {
        fail_absent(sa);
        return;
    }
    l2v_map_remove(&ike->cookies, &sa->by_cookie);
    sa->by_cookie.key = 0;
    l2v_ike1_p1_wide(&wide);
    sa->state = L2V_MM_DIAGNOSE;
    if (new_icookie(sa) != 0 || send_m1(sa, &wide) != 0) {
        fail_absent(sa);
        return;
    }
    l2v_ike_timers_diagnose(sa);
}

static void act_silence_diagnose(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    l2tpvoip_failure f;

    (void)arg;
    if (sa->mm->notify != 0) {
        fail_refused(sa);
        return;
    }
    memset(&f, 0, sizeof(f));
    l2v_ike1_p1_explain_wide(sa->config, NULL, &f);
    l2v_ike1_main_fail(sa, &f);
}

static void act_silence_m3(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    (void)arg;
    if (sa->mm->notify != 0) {
        fail_refused(sa);
        return;
    }
    fail_with(sa, L2TPVOIP_ERR_TIMEOUT, "the peer answered the first message and then fell silent",
              "The server may be overloaded, or a firewall drops larger datagrams; try again.");
}

static void act_silence_m5(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    l2tpvoip_failure f;
    (void)arg;
    l2v_ike1_auth_explain(sa, &f);
    l2v_ike1_main_fail(sa, &f);
}

static void act_silence_responder(void *obj, void *arg)
{
    struct l2v_ike_sa *sa = obj;
    (void)arg;
    sa->ike->stats.failed++;
    l2v_ike1_sa_kill(sa);
}

void l2v_ike1_main_silence(struct l2v_ike_sa *sa)
{
    step(sa, L2V_MM_EV_SILENCE);
}

/* Anybody on the path can send one. It does not end anything: the right answer may still come
 * within the time that one more round trip takes. */
void l2v_ike1_main_hint(struct l2v_ike_sa *sa, unsigned notify)
{
    if (!sa->initiator || sa->mm == NULL || sa->mm->notify != 0 ||
        !l2v_ike1_notify_is_error(notify) || notify == 0) {
        return;
    }
    sa->mm->notify = notify;
    l2v_ike_timers_flight_hasten(sa, &sa->flight);
}

/* --- input ---------------------------------------------------------------------------------------
 */

typedef int (*take_fn)(struct l2v_ike_sa *, const struct l2v_ike_route *, uint8_t *, size_t,
                       uint64_t);

static const struct {
    take_fn take;
    bool encrypted;
} takers[L2V_MM_N_STATES] = {
    [L2V_MM_I1] = {take_m2, false},       [L2V_MM_I3] = {take_m4, false},
    [L2V_MM_I5] = {take_m6, true},        [L2V_MM_R4] = {take_m5, true},
    [L2V_MM_DIAGNOSE] = {take_m2, false},
};

int l2v_ike1_main_input(struct l2v_ike_sa *sa, const struct l2v_ike_route *route, uint8_t *msg,
                        size_t len)
{
    uint64_t hash = l2v_ike_message_hash(sa->ike, msg, len);
    struct l2v_ike_header h;
    bool encrypted;

    if (l2v_ike_header_parse(msg, len, &h) != 0 || h.message_id != 0) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (l2v_ike_flight_is_dup(&sa->flight, hash)) {
        l2v_ike_flight_answer(sa, &sa->flight);
        if (sa->state == L2V_MM_R4 && sa->flight.answered < L2V_IKE_MAX_ANSWERS) {
            l2v_ike_timers_sa_waits(sa); /* the initiator is still there */
        }
        return L2TPVOIP_ERR_REPLAY;
    }
    encrypted = (h.flags & L2V_IKE1_FLAG_ENCRYPTION) != 0;
    if (takers[sa->state].take == NULL || takers[sa->state].encrypted != encrypted) {
        return L2TPVOIP_ERR_STATE;
    }
    return takers[sa->state].take(sa, route, msg, len, hash);
}

/* --- the machine ---------------------------------------------------------------------------------
 */

static const char *const state_names[L2V_MM_N_STATES] = {
    [L2V_MM_I1] = "I1-SENT",    [L2V_MM_I2_KEY] = "I2-KEY",  [L2V_MM_I3] = "I3-SENT",
    [L2V_MM_I4_KEY] = "I4-KEY", [L2V_MM_I5] = "I5-SENT",     [L2V_MM_R3_KEY] = "R3-KEY",
    [L2V_MM_R4] = "R4-SENT",    [L2V_MM_UP] = "ESTABLISHED", [L2V_MM_DIAGNOSE] = "DIAGNOSE",
    [L2V_MM_DEAD] = "DEAD",
};
static const char *const event_names[L2V_MM_N_EVENTS] = {
    [L2V_MM_EV_M2] = "message 2",    [L2V_MM_EV_M4] = "message 4", [L2V_MM_EV_M5] = "message 5",
    [L2V_MM_EV_M6] = "message 6",    [L2V_MM_EV_KEY] = "key pair", [L2V_MM_EV_SECRET] = "secret",
    [L2V_MM_EV_SILENCE] = "silence", [L2V_MM_EV_FAIL] = "failure",
};
static const struct l2v_fsm_row rows[] = {
    {L2V_MM_I1, L2V_MM_EV_M2, L2V_MM_I2_KEY, act_want_key},
    {L2V_MM_I1, L2V_MM_EV_SILENCE, L2V_FSM_SAME, act_silence_m1},
    {L2V_MM_I1, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
    {L2V_MM_DIAGNOSE, L2V_MM_EV_SILENCE, L2V_FSM_SAME, act_silence_diagnose},
    {L2V_MM_DIAGNOSE, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
    {L2V_MM_I2_KEY, L2V_MM_EV_KEY, L2V_MM_I3, act_send_m3},
    {L2V_MM_I2_KEY, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
    {L2V_MM_I3, L2V_MM_EV_M4, L2V_MM_I4_KEY, act_want_secret},
    {L2V_MM_I3, L2V_MM_EV_SILENCE, L2V_FSM_SAME, act_silence_m3},
    {L2V_MM_I3, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
    {L2V_MM_I4_KEY, L2V_MM_EV_SECRET, L2V_MM_I5, act_send_m5},
    {L2V_MM_I4_KEY, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
    {L2V_MM_I5, L2V_MM_EV_M6, L2V_MM_UP, act_up_initiator},
    {L2V_MM_I5, L2V_MM_EV_SILENCE, L2V_FSM_SAME, act_silence_m5},
    {L2V_MM_I5, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
    {L2V_MM_R3_KEY, L2V_MM_EV_SECRET, L2V_MM_R4, act_send_m4},
    {L2V_MM_R3_KEY, L2V_MM_EV_SILENCE, L2V_MM_DEAD, act_silence_responder},
    {L2V_MM_R3_KEY, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
    {L2V_MM_R4, L2V_MM_EV_M5, L2V_MM_UP, act_up_responder},
    {L2V_MM_R4, L2V_MM_EV_SILENCE, L2V_MM_DEAD, act_silence_responder},
    {L2V_MM_R4, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
    {L2V_MM_UP, L2V_MM_EV_FAIL, L2V_MM_DEAD, act_fail},
};
const struct l2v_fsm l2v_ike1_mm_fsm = {"ike1 main mode", state_names, event_names, rows,
                                        COUNT(rows)};
