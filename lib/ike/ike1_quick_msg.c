/* SPDX-License-Identifier: MIT */
/* Contents of the quick mode messages: SA, nonces, KE, selectors, NAT-OA; keys of the pair. RFC
 * 2409 section 5.5, RFC 2407 sections 4.5 and 4.6.2, RFC 3947 section 5. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "base_secure.h"
#include "ike_engine.h"
#include "ike_keylog.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROTO_UDP 17u
#define LIFE_MIN_KB 64u      /* nobody makes us renew a pair every few packets */
#define LIFE_DEFAULT 28800u /* rfc2407#4.5: when none is stated */

static const struct l2v_ike_rule qm_rules[] = {
    {L2V_IKE1_PAYLOAD_HASH, 1, 1},
    {L2V_IKE1_PAYLOAD_SA, 1, 1},
    {L2V_IKE1_PAYLOAD_NONCE, 1, 1},
    {L2V_IKE1_PAYLOAD_KE, 0, 1},
    {L2V_IKE1_PAYLOAD_ID, 0, 2},
    {L2V_IKE1_PAYLOAD_NOTIFY, 0, 8},
    {L2V_IKE1_PAYLOAD_NATOA, 0, 2},
    {L2V_IKE1_PAYLOAD_NATOA_DRAFT05, 0, 2},
    {L2V_IKE1_PAYLOAD_NATOA_DRAFT02, 0, 2},
};

static bool uses_udp(const struct l2v_ike_sa *sa)
{
    return (sa->nat & L2TPVOIP_NAT_ENCAPS) != 0;
}

static bool check_payloads(const struct l2v_ike_message *m)
{
    uint8_t type;
    unsigned ids = l2v_ike_message_count(m, L2V_IKE1_PAYLOAD_ID);
    const struct l2v_ike_payload *nonce;
    if (l2v_ike1_message_check(m, qm_rules, COUNT(qm_rules), &type) != L2V_IKE_FAULT_NONE ||
        ids == 1) {
        return false;
    }
    nonce = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_NONCE, 0);
    return l2v_ike1_nonce_is_valid(nonce);
}

/* --- building ------------------------------------------------------------------------------------
 */

static void make_terms(const struct l2v_ike_qm *qm, struct l2v_ike1_p2_terms *t)
{
    const struct l2v_ike_sa *sa = qm->sa;
    memset(t, 0, sizeof(*t));
    t->spi = qm->spi_in;
    t->group = sa->config->pfs_group;
    t->encaps[0] = l2v_ike1_natt_encap(sa->dialect, uses_udp(sa));
    if (uses_udp(sa) && l2v_ike_config_quirk(sa->config, L2V_IKE_QUIRK_BOTH_CARRIERS)) {
        t->encaps[1] = L2V_IKE1_ENCAP_TRANSPORT;
    }
    t->esn = l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_ESN);
    t->life_s = sa->config->esp_lifetime_s;
    t->life_kb = sa->config->esp_lifetime_kb;
}

static uint8_t *begin(const struct l2v_ike_qm *qm, struct l2v_ike_build *b, uint8_t *buf,
                      size_t size)
{
    struct l2v_ike_header h;
    l2v_ike1_sa_header(qm->sa, L2V_IKE1_EXCHANGE_QUICK, qm->message_id, &h);
    l2v_ike_build_begin(b, buf, size, &h);
    return l2v_ike_build_reserve(b, L2V_IKE1_PAYLOAD_HASH, qm->sa->keys.hash_len);
}

static int add_ke(struct l2v_ike_qm *qm, struct l2v_ike_build *b)
{
    size_t len;
    const uint8_t *public_key;
    if (qm->dh.key == NULL) {
        return 0;
    }
    public_key = l2v_dh_public(qm->dh.key, &len);
    if (public_key == NULL) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    l2v_ike_build_add(b, L2V_IKE1_PAYLOAD_KE, public_key, len);
    return 0;
}

/* Selectors of a first pair: both hosts, UDP, our ports. */
static int make_ids(struct l2v_ike_qm *qm)
{
    struct l2v_env *env = qm->sa->ike->env;
    struct l2v_ike1_selector s;
    struct l2v_writer w;
    uint8_t body[32];

    if (qm->idci != NULL && qm->idcr != NULL) {
        return 0;
    }
    l2v_free(env, qm->idci);
    l2v_free(env, qm->idcr);
    qm->idcr = NULL;
    l2v_writer_init(&w, body, sizeof(body));
    l2v_ike1_selector_from_addr(&qm->sa->route.local, qm->local_port, &s);
    l2v_ike1_id_write(&w, &s);
    qm->idci_len = l2v_writer_len(&w);
    qm->idci = l2v_memdup(env, body, qm->idci_len);
    l2v_writer_init(&w, body, sizeof(body));
    l2v_ike1_selector_from_addr(&qm->sa->route.remote, qm->remote_port, &s);
    l2v_ike1_id_write(&w, &s);
    qm->idcr_len = l2v_writer_len(&w);
    qm->idcr = l2v_memdup(env, body, qm->idcr_len);
    return qm->idci != NULL && qm->idcr != NULL ? 0 : L2TPVOIP_ERR_NOMEM;
}

int l2v_ike1_qm_send1(struct l2v_ike_qm *qm)
{
    struct l2v_ike_sa *sa = qm->sa;
    struct l2v_ike1_p2_terms terms;
    struct l2v_ike_build b;
    uint8_t buf[L2V_IKE_BUF], *hash;
    size_t len;
    int rc = make_ids(qm);

    if (rc != 0) {
        return rc;
    }
    make_terms(qm, &terms);
    hash = begin(qm, &b, buf, sizeof(buf));
    l2v_ike_build_payload(&b, L2V_IKE1_PAYLOAD_SA);
    l2v_ike1_p2_write_offer(&b.w, &sa->config->esp, &terms);
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_NONCE, qm->ni, qm->ni_len);
    rc = add_ke(qm, &b);
    if (rc != 0) {
        return rc;
    }
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_ID, qm->idci, qm->idci_len);
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_ID, qm->idcr, qm->idcr_len);
    if (uses_udp(sa)) {
        l2v_ike1_natoa_write(&b, sa->dialect, &sa->route.local, &sa->route.remote, true);
    }
    rc = l2v_ike1_sa_seal(sa, &qm->chain, &b, hash, NULL, 0, &len);
    return rc == 0 ? l2v_ike_flight_send(sa, &qm->flight, buf, len) : rc;
}

static void write_life(struct l2v_writer *w, unsigned type, uint32_t value)
{
    l2v_write_u16(w, 0x8000u | L2V_IKE1_IPSEC_LIFE_TYPE);
    l2v_write_u16(w, type);
    l2v_write_u16(w, L2V_IKE1_IPSEC_LIFE_DURATION);
    l2v_write_u16(w, 4);
    l2v_write_u32(w, value);
}

/* rfc2407#4.6.3.1: we end the pair earlier, in seconds or kilobytes, than the initiator asked. */
static void add_responder_lifetime(struct l2v_ike_qm *qm, struct l2v_ike_build *b)
{
    uint32_t asked = qm->chosen.life_s != 0 ? qm->chosen.life_s : LIFE_DEFAULT;
    uint32_t asked_kb = qm->chosen.life_kb != 0 ? qm->chosen.life_kb : UINT32_MAX;
    struct l2v_writer w;
    uint8_t spi[4], data[24];

    l2v_writer_init(&w, data, sizeof(data));
    if (qm->life_s < asked) {
        write_life(&w, L2V_IKE1_LIFE_SECONDS, qm->life_s);
    }
    if (qm->life_kb != 0 && qm->life_kb < asked_kb) {
        write_life(&w, L2V_IKE1_LIFE_KILOBYTES, qm->life_kb);
    }
    if (l2v_writer_len(&w) > 0) {
        l2v_put_u32(spi, qm->spi_in);
        l2v_ike_build_notify(b, L2V_IKE1_PROTO_ESP, spi, sizeof(spi),
                             L2V_IKE1_NOTIFY_RESPONDER_LIFETIME, data, l2v_writer_len(&w));
    }
}

int l2v_ike1_qm_send2(struct l2v_ike_qm *qm)
{
    struct l2v_ike_sa *sa = qm->sa;
    struct l2v_ike_build b;
    uint8_t buf[L2V_IKE_BUF], *hash;
    size_t len;
    int rc;

    qm->nr_len = L2V_IKE_NONCE_LEN;
    rc = l2v_random(sa->ike->env, qm->nr, qm->nr_len);
    if (rc != 0) {
        return rc;
    }
    hash = begin(qm, &b, buf, sizeof(buf));
    l2v_ike_build_payload(&b, L2V_IKE1_PAYLOAD_SA);
    l2v_ike1_p2_write_choice(&b.w, &qm->chosen, qm->spi_in);
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_NONCE, qm->nr, qm->nr_len);
    rc = add_ke(qm, &b);
    if (rc != 0) {
        return rc;
    }
    if (qm->idci != NULL) { /* rfc2409#5.5: as they came */
        l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_ID, qm->idci, qm->idci_len);
        l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_ID, qm->idcr, qm->idcr_len);
    }
    if (qm->send_oa) {
        l2v_ike1_natoa_write(&b, sa->dialect, &sa->route.remote, &sa->route.local, false);
    }
    add_responder_lifetime(qm, &b);
    rc = l2v_ike1_sa_seal(sa, &qm->chain, &b, hash, qm->ni, qm->ni_len, &len);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_ike1_qm_install(qm, false);
    if (rc != 0 || qm->dead) {
        return rc;
    }
    rc = l2v_ike_flight_send(sa, &qm->flight, buf, len);
    if (rc != 0) {
        struct l2v_ike_csa *csa = l2v_ike_peer_find_child(sa->peer, qm->spi_in);
        if (csa != NULL) {
            l2v_ike_peer_drop_child(sa->peer, csa, NULL);
        }
    }
    return rc;
}

int l2v_ike1_qm_send3(struct l2v_ike_qm *qm)
{
    struct l2v_ike_sa *sa = qm->sa;
    struct l2v_ike_build b;
    uint8_t buf[256], *hash = begin(qm, &b, buf, sizeof(buf));
    size_t len;
    int rc;

    if (hash == NULL) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    rc = l2v_ike1_hash3(sa->ike->crypto, &sa->keys, qm->message_id, qm->ni, qm->ni_len, qm->nr,
                        qm->nr_len, hash);
    if (rc == 0) {
        rc = l2v_ike_build_end(&b, sa->keys.block, &len);
    }
    if (rc != 0) {
        return rc;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_OUT, &sa->route, buf, len);
    rc = l2v_ike1_encrypt(sa->ike->crypto, &sa->keys, &qm->chain, buf, len);
    return rc == 0 ? l2v_ike_flight_send(sa, &qm->flight, buf, len) : rc;
}

/* --- reading: responder --------------------------------------------------------------------------
 */

/* rfc2407#4.6.2: what may be meant by the initiator's selectors. Addresses behind a NAT are the
 * private ones and prove nothing; the SA is bound to the peer by its keys. */
static bool address_fits(const struct l2v_ike_sa *sa, const struct l2v_ike1_selector *s,
                         const l2tpvoip_addr *outer)
{
    l2tpvoip_addr host;
    if (!l2v_ike1_selector_get_host(s, &host)) {
        /* MS KB818043: old Windows puts its name there when it rekeys. */
        return s->id.type == L2V_IKE_ID_FQDN &&
               l2v_ike_config_quirk(sa->config, L2V_IKE_QUIRK_ID_FQDN_OK);
    }
    return uses_udp(sa) || l2v_ike_config_quirk(sa->config, L2V_IKE_QUIRK_ID_ANY_ADDR_OK) ||
           l2v_addr_equal_ip(&host, outer);
}

static bool read_selectors(struct l2v_ike_qm *qm, const struct l2v_ike_message *m)
{
    struct l2v_ike_sa *sa = qm->sa;
    struct l2v_ike_peer *peer = sa->peer;
    const struct l2v_ike_payload *ci = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_ID, 0);
    const struct l2v_ike_payload *cr = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_ID, 1);
    struct l2v_ike1_selector i, r;
    bool any_ok = l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_ACCEPT_ANY_PORT);

    if (ci == NULL) { /* rfc2409#5.5: the two hosts, anything */
        qm->local_port = peer->local_port;
        qm->remote_port = peer->remote_port;
        return true;
    }
    if (l2v_ike1_id_read(ci->body, ci->len, &i) != 0 ||
        l2v_ike1_id_read(cr->body, cr->len, &r) != 0 ||
        (i.protocol != PROTO_UDP && !(i.protocol == 0 && i.port == 0)) ||
        (r.protocol != PROTO_UDP && !(r.protocol == 0 && r.port == 0)) ||
        !address_fits(sa, &i, &sa->route.remote) || !address_fits(sa, &r, &sa->route.local)) {
        return false;
    }
    if (r.port != 0 && r.port != peer->local_port) {
        return false;
    }
    if (peer->initiator ? i.port != 0 && peer->remote_port != 0 && i.port != peer->remote_port
                        : i.port == 0 && !any_ok) {
        return false;
    }
    qm->local_port = r.port != 0 ? r.port : peer->local_port;
    qm->remote_port = i.port;
    return true;
}

static uint32_t shorter(const struct l2v_ike_qm *qm, uint32_t ours, uint32_t theirs)
{
    if (l2v_ike_config_quirk(qm->sa->config, L2V_IKE_QUIRK_LIFETIME_OBEY) && theirs != 0) {
        return theirs;
    }
    return ours == 0 || (theirs != 0 && theirs < ours) ? theirs : ours;
}

static void take_lifetime(struct l2v_ike_qm *qm, uint32_t life_s, uint32_t life_kb)
{
    qm->life_s = shorter(qm, qm->life_s, life_s != 0 ? life_s : LIFE_DEFAULT);
    qm->life_kb = shorter(qm, qm->life_kb, life_kb);
}

static int choose(struct l2v_ike_qm *qm, const struct l2v_ike_message *m)
{
    const struct l2v_ike_config *c = qm->sa->config;
    const struct l2v_ike_payload *sa = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_SA, 0);
    const struct l2v_ike_payload *ke = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_KE, 0);
    struct l2v_ike1_p2_policy policy;
    int rc;

    if (!uses_udp(qm->sa) && !qm->sa->ike->raw_esp) {
        return L2TPVOIP_ERR_NO_PROPOSAL; /* the peer stayed on port 500: ESP has no way */
    }
    memset(&policy, 0, sizeof(policy));
    policy.list = &c->esp;
    policy.groups = c->pfs_groups;
    policy.n_groups = c->n_pfs_groups;
    policy.pfs_required = l2v_ike_config_has(c, L2TPVOIP_IPSEC_PFS) &&
                          !l2v_ike_config_quirk(c, L2V_IKE_QUIRK_PFS_AS_OFFERED);
    policy.udp = uses_udp(qm->sa);
    policy.allow_other_mode = l2v_ike_config_quirk(c, L2V_IKE_QUIRK_BOTH_CARRIERS);
    policy.esn = l2v_ike_config_has(c, L2TPVOIP_IPSEC_ESN);
    policy.ke_group = ke != NULL ? 0xffff : 0;
    rc = l2v_ike1_p2_choose(&policy, sa->body, sa->len, &qm->chosen);
    if (rc != 0) {
        return rc;
    }
    if (qm->chosen.spi < 256 || (qm->chosen.group != 0 && ke == NULL)) {
        return L2TPVOIP_ERR_NO_PROPOSAL; /* rfc4303#2.1: 0 to 255 are reserved */
    }
    return 0;
}

static int read_oa(struct l2v_ike_qm *qm, const struct l2v_ike_message *m)
{
    l2tpvoip_addr oai, oar;
    int rc = l2v_ike1_natoa_gather(m, !qm->initiator, &oai, &oar);
    const l2tpvoip_addr *theirs = qm->initiator ? &oar : &oai;
    const l2tpvoip_addr *ours = qm->initiator ? &oai : &oar;

    qm->remote_oa = qm->sa->route.remote;
    qm->local_oa = qm->sa->route.local;
    if (rc != 0) {
        return rc;
    }
    qm->send_oa = theirs->family != 0 || ours->family != 0;
    if (theirs->family == qm->remote_oa.family) {
        qm->remote_oa = *theirs;
    }
    /* How the peer addresses us, when we answer it; our own view else. */
    if (!qm->initiator && ours->family == qm->local_oa.family) {
        qm->local_oa = *ours;
    }
    qm->remote_oa.port = qm->local_oa.port = 0;
    return 0;
}

static int keep_ids(struct l2v_ike_qm *qm, const struct l2v_ike_message *m)
{
    const struct l2v_ike_payload *ci = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_ID, 0);
    const struct l2v_ike_payload *cr = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_ID, 1);
    if (ci == NULL) {
        return 0;
    }
    qm->idci = l2v_memdup(qm->sa->ike->env, ci->body, ci->len);
    qm->idcr = l2v_memdup(qm->sa->ike->env, cr->body, cr->len);
    qm->idci_len = ci->len;
    qm->idcr_len = cr->len;
    return qm->idci != NULL && qm->idcr != NULL ? 0 : L2TPVOIP_ERR_NOMEM;
}

int l2v_ike1_qm_read1(struct l2v_ike_qm *qm, const struct l2v_ike_message *m, unsigned *ret_notify)
{
    const struct l2v_ike_payload *nonce;
    int rc;

    if (!check_payloads(m)) {
        *ret_notify = L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED;
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (!read_selectors(qm, m)) {
        *ret_notify = L2V_IKE1_NOTIFY_INVALID_ID_INFORMATION;
        return L2TPVOIP_ERR_PROTOCOL;
    }
    rc = choose(qm, m);
    if (rc != 0) {
        *ret_notify = L2V_IKE1_NOTIFY_NO_PROPOSAL_CHOSEN;
        return rc;
    }
    rc = read_oa(qm, m);
    if (rc == 0) {
        rc = keep_ids(qm, m);
    }
    if (rc != 0) {
        *ret_notify = rc == L2TPVOIP_ERR_MALFORMED ? L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED : 0;
        return rc;
    }
    nonce = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_NONCE, 0);
    memcpy(qm->ni, nonce->body, nonce->len);
    qm->ni_len = nonce->len;
    take_lifetime(qm, qm->chosen.life_s, qm->chosen.life_kb);
    return 0;
}

int l2v_ike1_qm_read3(struct l2v_ike_qm *qm, const struct l2v_ike_message *m)
{
    const struct l2v_ike1_keys *keys = &qm->sa->keys;
    const struct l2v_ike_payload *hash = &m->payloads[0];
    uint8_t want[L2V_HASH_MAX];
    int rc = l2v_ike1_hash3(qm->sa->ike->crypto, keys, qm->message_id, qm->ni, qm->ni_len, qm->nr,
                            qm->nr_len, want);
    if (rc != 0) {
        return rc;
    }
    return m->n > 0 && hash->type == L2V_IKE1_PAYLOAD_HASH && hash->len == keys->hash_len &&
                   l2v_equal_ct(want, hash->body, keys->hash_len)
               ? 0
               : L2TPVOIP_ERR_INTEGRITY;
}

/* --- reading: initiator --------------------------------------------------------------------------
 */

static bool same_body(const struct l2v_ike_payload *p, const uint8_t *body, size_t len)
{
    return p->len == len && memcmp(p->body, body, len) == 0;
}

/* An answer with other selectors: tolerated where only a NAT explains the addresses, and for ports
 * as the profile says (Windows), but never from "any" to 1701. */
static bool port_fits(const struct l2v_ike_qm *qm, uint16_t ours, uint16_t theirs)
{
    return ours == theirs || theirs == 0 ||
           (l2v_ike_config_quirk(qm->sa->config, L2V_IKE_QUIRK_PORT_MISMATCH_OK) &&
            !(ours == 0 && theirs == L2V_IKE_L2TP_PORT));
}

static bool check_answer(struct l2v_ike_qm *qm, const struct l2v_ike_message *m)
{
    const struct l2v_ike_payload *ci = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_ID, 0);
    const struct l2v_ike_payload *cr = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_ID, 1);
    struct l2v_ike1_selector i, r;

    if (ci == NULL) {
        return true; /* some leave them out when they agree */
    }
    if (same_body(ci, qm->idci, qm->idci_len) && same_body(cr, qm->idcr, qm->idcr_len)) {
        return true;
    }
    return l2v_ike1_id_read(ci->body, ci->len, &i) == 0 &&
           l2v_ike1_id_read(cr->body, cr->len, &r) == 0 &&
           (i.protocol == PROTO_UDP || i.protocol == 0) &&
           (r.protocol == PROTO_UDP || r.protocol == 0) &&
           address_fits(qm->sa, &i, &qm->sa->route.local) &&
           address_fits(qm->sa, &r, &qm->sa->route.remote) &&
           port_fits(qm, qm->local_port, i.port) && port_fits(qm, qm->remote_port, r.port);
}

static void read_notifies(struct l2v_ike_qm *qm, const struct l2v_ike_message *m)
{
    for (unsigned i = 0; i < m->n; i++) {
        struct l2v_ike1_notify n;
        uint32_t life_s, life_kb;
        if (m->payloads[i].type == L2V_IKE1_PAYLOAD_NOTIFY &&
            l2v_ike1_notify_parse(&m->payloads[i], &n) == 0 &&
            n.type == L2V_IKE1_NOTIFY_RESPONDER_LIFETIME && n.protocol == L2V_IKE1_PROTO_ESP &&
            l2v_ike1_lifetime_read(n.protocol, n.data, n.data_len, &life_s, &life_kb) == 0) {
            qm->life_s = shorter(qm, qm->life_s, life_s);
            qm->life_kb = shorter(qm, qm->life_kb, life_kb);
        }
    }
}

static int refuse_answer(l2tpvoip_failure *f, int code, const char *what)
{
    l2v_failure_set(f, L2TPVOIP_LAYER_IKE, code, 0,
                    "Look into the server's log, or choose the profile of its maker.",
                    "The peer's answer in quick mode cannot be used: %s.", what);
    return code;
}

int l2v_ike1_qm_read2(struct l2v_ike_qm *qm, const struct l2v_ike_message *m, l2tpvoip_failure *f)
{
    const struct l2v_ike_payload *sa, *nonce, *ke;
    struct l2v_ike1_p2_terms terms;
    int rc;

    if (!check_payloads(m)) {
        return refuse_answer(f, L2TPVOIP_ERR_MALFORMED, "a payload is missing or misplaced");
    }
    sa = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_SA, 0);
    ke = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_KE, 0);
    make_terms(qm, &terms);
    rc = l2v_ike1_p2_verify(&qm->sa->config->esp, &terms, sa->body, sa->len, &qm->chosen);
    if (rc != 0 || qm->chosen.spi < 256) {
        return refuse_answer(f, L2TPVOIP_ERR_NO_PROPOSAL, "it is not what we offered");
    }
    if (qm->chosen.group != 0 && ke == NULL) {
        return refuse_answer(f, L2TPVOIP_ERR_PROTOCOL, "PFS without a public key");
    }
    if (!check_answer(qm, m)) {
        return refuse_answer(f, L2TPVOIP_ERR_PROTOCOL, "it protects other traffic than L2TP");
    }
    if (read_oa(qm, m) != 0) {
        return refuse_answer(f, L2TPVOIP_ERR_MALFORMED, "NAT-OA is malformed");
    }
    nonce = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_NONCE, 0);
    memcpy(qm->nr, nonce->body, nonce->len);
    qm->nr_len = nonce->len;
    take_lifetime(qm, qm->chosen.life_s, qm->chosen.life_kb);
    read_notifies(qm, m);
    return 0;
}

/* --- keys ----------------------------------------------------------------------------------------
 */

static int derive(struct l2v_ike_qm *qm, struct l2v_ike_child *child)
{
    struct l2v_ike_sa *sa = qm->sa;
    size_t gqm_len = qm->chosen.group != 0 ? qm->dh.secret_len : 0;
    int rc = l2v_ike1_keymat(sa->ike->crypto, &sa->keys, L2V_IKE1_PROTO_ESP, child->spi_in, qm->ni,
                             qm->ni_len, qm->nr, qm->nr_len, qm->dh.secret, gqm_len, child->enc_in,
                             child->enc_len, child->auth_in, child->auth_len);
    if (rc == 0) {
        rc = l2v_ike1_keymat(sa->ike->crypto, &sa->keys, L2V_IKE1_PROTO_ESP, child->spi_out, qm->ni,
                             qm->ni_len, qm->nr, qm->nr_len, qm->dh.secret, gqm_len, child->enc_out,
                             child->enc_len, child->auth_out, child->auth_len);
    }
    return rc;
}

static void log_keys(struct l2v_ike_sa *sa, const struct l2v_ike_child *c)
{
    struct l2v_ike_keylog_esp k = {.src = &sa->route.remote,
                                   .dst = &sa->route.local,
                                   .spi = c->spi_in,
                                   .suite = c->suite,
                                   .enc = c->enc_in,
                                   .enc_len = c->enc_len,
                                   .auth = c->auth_in,
                                   .auth_len = c->auth_len,
                                   .esn = c->esn};
    l2v_ike_keylog_esp_sa(sa->ike->env, &k);
    k.src = &sa->route.local;
    k.dst = &sa->route.remote;
    k.spi = c->spi_out;
    k.enc = c->enc_out;
    k.auth = c->auth_out;
    l2v_ike_keylog_esp_sa(sa->ike->env, &k);
}

/* The pair keeps its selectors; without memory for them a rekeying falls back to plain ones. */
static void give_ids(struct l2v_ike_qm *qm, struct l2v_ike_csa *csa)
{
    struct l2v_env *env = qm->sa->ike->env;
    const uint8_t *local = qm->initiator ? qm->idci : qm->idcr;
    const uint8_t *remote = qm->initiator ? qm->idcr : qm->idci;
    csa->id_local_len = qm->initiator ? qm->idci_len : qm->idcr_len;
    csa->id_remote_len = qm->initiator ? qm->idcr_len : qm->idci_len;
    csa->id_local = local != NULL ? l2v_memdup(env, local, csa->id_local_len) : NULL;
    csa->id_remote = remote != NULL ? l2v_memdup(env, remote, csa->id_remote_len) : NULL;
}

int l2v_ike1_qm_install(struct l2v_ike_qm *qm, bool confirmed)
{
    struct l2v_ike_sa *sa = qm->sa;
    const struct l2v_ike_config *c = sa->config;
    struct l2v_ike_peer *peer = sa->peer;
    struct l2v_ike_csa *csa;
    struct l2v_ike_child child;
    size_t enc_len = l2v_ike1_p2_enc_len(&qm->chosen);
    size_t auth_len = l2v_ike1_p2_auth_len(&qm->chosen);
    int rc;

    memset(&child, 0, sizeof(child));
    child.suite = l2v_ike1_p2_suite(&qm->chosen, l2v_ike_config_has(c, L2TPVOIP_IPSEC_SHA256_96));
    if (child.suite == L2V_SUITE_NONE || enc_len == 0 || enc_len > sizeof(child.enc_in) ||
        auth_len > sizeof(child.auth_in)) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    child.spi_in = qm->spi_in;
    child.spi_out = qm->chosen.spi;
    child.enc_len = (uint8_t)enc_len;
    child.auth_len = (uint8_t)auth_len;
    child.esn = qm->chosen.esn;
    child.udp_encap = uses_udp(sa);
    child.initiator = qm->initiator;
    child.confirmed = confirmed;
    child.local_port = qm->local_port;
    child.remote_port = qm->remote_port;
    child.local_oa = qm->local_oa;
    child.remote_oa = qm->remote_oa;
    child.replay_window = c->replay_window;
    child.lifetime_bytes =
        (uint64_t)(qm->life_kb != 0 && qm->life_kb < LIFE_MIN_KB ? LIFE_MIN_KB : qm->life_kb) *
        1024;
    rc = derive(qm, &child);
    if (rc == 0) {
        log_keys(sa, &child);
        qm->spi_owned = false; /* from here on it is the data path's, whatever happens */
        rc = l2v_ike_peer_add_child(peer, &child, qm->life_s);
        if (rc != 0 && !sa->ike->silent) {
            sa->ike->ops.free_spi(sa->ike->user, qm->spi_in);
        }
    }
    l2v_wipe(&child, sizeof(child));
    l2v_ike_dh_clear(&qm->dh); /* the exchange lingers, its secret does not */
    csa = rc == 0 && !peer->dead ? l2v_ike_peer_find_child(peer, qm->spi_in) : NULL;
    if (csa != NULL) {
        give_ids(qm, csa);
    }
    return rc;
}
