/* SPDX-License-Identifier: MIT */
/* Informational exchanges: notifies, Delete, dead peer detection. RFC 2409 section 5.7, RFC 2408
 * sections 3.14, 3.15, 5.15, RFC 3706.
 *
 * In clear only an error during phase 1 means anything, and only a hint. All else counts once its
 * HASH has been verified, and once per message id. */
#include <l2tpvoip/error.h>

#include "ike_engine.h"

#define DPD_DATA 4u

/* --- sending -------------------------------------------------------------------------------------
 */

static int begin(struct l2v_ike_sa *sa, uint8_t *buf, size_t size, struct l2v_ike_build *b,
                 struct l2v_ike1_chain *chain, uint8_t **ret_hash)
{
    struct l2v_ike_header h;
    uint32_t mid;
    int rc = l2v_ike1_sa_new_mid(sa, &mid);

    if (rc == 0) {
        rc = l2v_ike1_chain_phase2(sa->ike->crypto, &sa->keys, &sa->chain, mid, chain);
    }
    if (rc != 0) {
        return rc;
    }
    l2v_ike1_sa_header(sa, L2V_IKE1_EXCHANGE_INFO, mid, &h);
    l2v_ike_build_begin(b, buf, size, &h);
    *ret_hash = l2v_ike_build_reserve(b, L2V_IKE1_PAYLOAD_HASH, sa->keys.hash_len);
    return 0;
}

static int end(struct l2v_ike_sa *sa, struct l2v_ike_build *b, struct l2v_ike1_chain *chain,
               uint8_t *hash)
{
    size_t len;
    int rc = l2v_ike1_sa_seal(sa, chain, b, hash, NULL, 0, &len);
    if (rc == 0) {
        l2v_ike1_sa_transmit(sa, b->w.start, len);
    }
    return rc;
}

static int send_notify(struct l2v_ike_sa *sa, unsigned protocol, const void *spi, size_t spi_len,
                       unsigned type, const void *data, size_t data_len)
{
    uint8_t buf[512], *hash;
    struct l2v_ike1_chain chain;
    struct l2v_ike_build b;
    int rc = sa->state == L2V_MM_UP ? begin(sa, buf, sizeof(buf), &b, &chain, &hash)
                                    : L2TPVOIP_ERR_STATE;
    if (rc != 0) {
        return rc;
    }
    l2v_ike_build_notify(&b, protocol, spi, spi_len, type, data, data_len);
    return end(sa, &b, &chain, hash);
}

void l2v_ike1_info_notify(struct l2v_ike_sa *sa, unsigned protocol, const void *spi, size_t spi_len,
                          unsigned type, const void *data, size_t data_len)
{
    (void)send_notify(sa, protocol, spi, spi_len, type, data, data_len);
}

static void send_delete(struct l2v_ike_sa *sa, unsigned protocol, size_t spi_len, const void *spi)
{
    uint8_t buf[512], *hash;
    struct l2v_ike1_chain chain;
    struct l2v_ike_build b;

    if (sa->state != L2V_MM_UP || sa->ike->silent ||
        begin(sa, buf, sizeof(buf), &b, &chain, &hash) != 0) {
        return;
    }
    l2v_ike_build_delete(&b, protocol, spi_len, spi, 1);
    (void)end(sa, &b, &chain, hash);
}

static void cookies_of(const struct l2v_ike_sa *sa, uint8_t spi[2 * L2V_IKE_COOKIE_LEN])
{
    memcpy(spi, sa->icookie, L2V_IKE_COOKIE_LEN);
    memcpy(spi + L2V_IKE_COOKIE_LEN, sa->rcookie, L2V_IKE_COOKIE_LEN);
}

void l2v_ike1_info_delete_sa(struct l2v_ike_sa *sa, struct l2v_ike_sa *target)
{
    uint8_t spi[2 * L2V_IKE_COOKIE_LEN];
    cookies_of(target, spi);
    send_delete(sa, L2V_IKE1_PROTO_ISAKMP, sizeof(spi), spi);
}

/* rfc2408#3.15: the SPI is the sender's own, that of its inbound SA. */
void l2v_ike1_info_delete_child(struct l2v_ike_sa *sa, uint32_t spi_in)
{
    uint8_t spi[4];
    l2v_put_u32(spi, spi_in);
    send_delete(sa, L2V_IKE1_PROTO_ESP, sizeof(spi), spi);
}

int l2v_ike1_info_probe(struct l2v_ike_peer *peer)
{
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(peer);
    uint8_t spi[2 * L2V_IKE_COOKIE_LEN], seq[DPD_DATA];

    if (sa == NULL) {
        return L2TPVOIP_ERR_STATE;
    }
    cookies_of(sa, spi);
    l2v_put_u32(seq, ++peer->dpd_seq);
    return send_notify(sa, L2V_IKE1_PROTO_ISAKMP, spi, sizeof(spi), L2V_IKE1_NOTIFY_R_U_THERE, seq,
                       sizeof(seq));
}

/* --- receiving: notifies -------------------------------------------------------------------------
 */

static bool spi_is_ours(const struct l2v_ike_sa *sa, const struct l2v_ike1_notify *n)
{
    uint8_t spi[2 * L2V_IKE_COOKIE_LEN];
    cookies_of(sa, spi);
    return n->spi_len == sizeof(spi) && memcmp(n->spi, spi, sizeof(spi)) == 0;
}

/* rfc3706#5.4: the answer carries the same number; an old number is no question. */
static void take_r_u_there(struct l2v_ike_sa *sa, const struct l2v_ike1_notify *n)
{
    uint32_t seq;
    if (n->data_len != DPD_DATA || !spi_is_ours(sa, n)) {
        return;
    }
    seq = l2v_get_u32(n->data);
    if (sa->dpd_in_valid && (int32_t)(seq - sa->dpd_in_seq) < 0) {
        sa->ike->stats.replays++;
        return;
    }
    sa->dpd_in_valid = true;
    sa->dpd_in_seq = seq;
    (void)send_notify(sa, L2V_IKE1_PROTO_ISAKMP, n->spi, n->spi_len, L2V_IKE1_NOTIFY_R_U_THERE_ACK,
                      n->data, n->data_len);
}

static void take_r_u_there_ack(struct l2v_ike_sa *sa, const struct l2v_ike1_notify *n)
{
    struct l2v_ike_peer *peer = sa->peer;
    uint32_t seq;
    if (n->data_len != DPD_DATA || !spi_is_ours(sa, n)) {
        return;
    }
    seq = l2v_get_u32(n->data);
    if ((int32_t)(seq - peer->dpd_oldest) >= 0 && (int32_t)(peer->dpd_seq - seq) >= 0) {
        peer->dpd_oldest = seq + 1; /* being heard at all is what resets the alarm */
    }
}

static void take_lifetime(struct l2v_ike_sa *sa, const struct l2v_ike1_notify *n)
{
    uint32_t life_s, life_kb;
    if (n->protocol != L2V_IKE1_PROTO_ISAKMP ||
        l2v_ike1_lifetime_read(n->protocol, n->data, n->data_len, &life_s, &life_kb) != 0 ||
        life_s == 0 || life_s >= sa->life_s || sa->retired) {
        return;
    }
    sa->life_s = life_s < 60 ? 60 : life_s;
    l2v_ike_timers_sa_up(sa);
}

static void take_error(struct l2v_ike_sa *sa, const struct l2v_ike1_notify *n)
{
    const char *name = l2v_ike1_notify_name(n->type);
    l2v_log(sa->ike->env, L2TPVOIP_LOG_NOTICE, "ike", "peer reports error %u (%s)", n->type,
            name != NULL ? name : "not known");
    l2v_ike1_quick_refused(sa, n->spi_len == 4 ? l2v_get_u32(n->spi) : 0, n->type);
}

static void take_initial_contact(struct l2v_ike_sa *sa, const struct l2v_ike1_notify *n)
{
    (void)n;
    if (!sa->initiator) { /* rfc2407#4.6.3.3: about the SA that the peer has just made */
        l2v_ike_peer_initial_contact(sa->peer, sa);
    }
}

static const struct {
    uint16_t type;
    void (*take)(struct l2v_ike_sa *sa, const struct l2v_ike1_notify *n);
} notifies[] = {
    {L2V_IKE1_NOTIFY_R_U_THERE, take_r_u_there},
    {L2V_IKE1_NOTIFY_R_U_THERE_ACK, take_r_u_there_ack},
    {L2V_IKE1_NOTIFY_RESPONDER_LIFETIME, take_lifetime},
    {L2V_IKE1_NOTIFY_INITIAL_CONTACT, take_initial_contact},
};

static void take_notify(struct l2v_ike_sa *sa, const struct l2v_ike_payload *p)
{
    struct l2v_ike1_notify n;
    if (l2v_ike1_notify_parse(p, &n) != 0) {
        sa->ike->stats.rx_bad++;
        return;
    }
    if (l2v_ike1_notify_is_error(n.type)) {
        take_error(sa, &n);
        return;
    }
    for (size_t i = 0; i < sizeof(notifies) / sizeof(notifies[0]); i++) {
        if (notifies[i].type == n.type) {
            notifies[i].take(sa, &n);
            return;
        }
    }
}

/* --- receiving: Delete ---------------------------------------------------------------------------
 */

static void delete_sa(struct l2v_ike_sa *by, const uint8_t *cookies)
{
    struct l2v_ike_peer *peer = by->peer;
    /* Only SAs of the same lineage: no peer deletes another's. */
    L2V_LIST_EACH(pos, &peer->sas)
    {
        struct l2v_ike_sa *sa = L2V_CONTAINER_OF(pos, struct l2v_ike_sa, node);
        if (sa->state == L2V_MM_UP && memcmp(sa->icookie, cookies, L2V_IKE_COOKIE_LEN) == 0 &&
            memcmp(sa->rcookie, cookies + L2V_IKE_COOKIE_LEN, L2V_IKE_COOKIE_LEN) == 0) {
            bool last;
            l2v_ike1_sa_kill(sa);
            last = l2v_ike_peer_sa(peer) == NULL;
            if (last && l2v_ike_config_has(peer->config, L2TPVOIP_IPSEC_CHILD_DIES_WITH_IKE)) {
                while (!peer->dead && peer->n_children > 0) {
                    l2v_ike_peer_drop_child(
                        peer, L2V_CONTAINER_OF(peer->children.next, struct l2v_ike_csa, node),
                        NULL);
                }
            }
            l2v_ike_peer_sa_gone(peer, NULL);
            return;
        }
    }
}

static void take_delete(struct l2v_ike_sa *sa, const struct l2v_ike_payload *p)
{
    struct l2v_ike_peer *peer = sa->peer;
    struct l2v_ike1_delete d;

    if (l2v_ike1_delete_parse(p, &d) != 0) {
        sa->ike->stats.rx_bad++;
        return;
    }
    for (unsigned i = 0; i < d.n_spis && !peer->dead; i++) {
        const uint8_t *spi = l2v_ike1_delete_spi(&d, i);
        if (d.protocol == L2V_IKE1_PROTO_ISAKMP) {
            delete_sa(sa, spi);
        } else if (d.protocol == L2V_IKE1_PROTO_ESP) {
            struct l2v_ike_csa *csa = l2v_ike_peer_find_child_out(peer, l2v_get_u32(spi));
            if (csa != NULL && !csa->delete_sent) {
                l2v_ike_peer_child_deleted(peer, csa);
            } else if (csa != NULL) {
                l2v_ike_timers_child_deleted(csa);
            }
        }
    }
}

/* --- input ---------------------------------------------------------------------------------------
 */

/* During phase 1, in clear or under keys that do not fit ours. */
static int input_early(struct l2v_ike_sa *sa, const struct l2v_ike_route *route,
                       const struct l2v_ike_header *h, const uint8_t *msg, size_t len)
{
    struct l2v_ike_message m;
    struct l2v_ike1_notify n;

    if ((h->flags & L2V_IKE1_FLAG_ENCRYPTION) != 0) {
        if (sa->mm != NULL && sa->state == L2V_MM_I5) {
            sa->mm->garbage = true; /* a peer with another key complains under it */
        }
        return L2TPVOIP_ERR_STATE;
    }
    if (l2v_ike1_message_parse(msg, len, &m) != L2V_IKE_FAULT_NONE) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_IN, route, msg, len);
    for (unsigned i = 0; i < m.n; i++) {
        if (m.payloads[i].type == L2V_IKE1_PAYLOAD_NOTIFY &&
            l2v_ike1_notify_parse(&m.payloads[i], &n) == 0) {
            l2v_ike1_main_hint(sa, n.type);
        }
    }
    return 0;
}

int l2v_ike1_info_input(struct l2v_ike_sa *sa, const struct l2v_ike_route *route,
                        const struct l2v_ike_header *h, uint8_t *msg, size_t len)
{
    struct l2v_crypto *crypto = sa->ike->crypto;
    struct l2v_ike1_chain chain, next;
    struct l2v_ike_message m;
    int rc;

    if (sa->state != L2V_MM_UP) {
        return input_early(sa, route, h, msg, len);
    }
    if ((h->flags & L2V_IKE1_FLAG_ENCRYPTION) == 0 || h->message_id == 0) {
        return L2TPVOIP_ERR_PROTOCOL; /* nothing in clear once there are keys */
    }
    if (l2v_ike1_sa_mid_used(sa, h->message_id)) {
        return L2TPVOIP_ERR_REPLAY;
    }
    rc = l2v_ike1_chain_phase2(crypto, &sa->keys, &sa->chain, h->message_id, &chain);
    if (rc == 0) {
        rc = l2v_ike1_decrypt(crypto, &sa->keys, &chain, msg, len, &next);
    }
    if (rc != 0) {
        return rc;
    }
    if (l2v_ike1_message_parse(msg, len, &m) != L2V_IKE_FAULT_NONE) {
        return L2TPVOIP_ERR_INTEGRITY;
    }
    rc = l2v_ike1_message_verify(crypto, &sa->keys, &m, h->message_id, NULL, 0);
    if (rc == 0) {
        rc = l2v_ike1_sa_use_mid(sa, h->message_id);
    }
    if (rc != 0) {
        return rc;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_IN, route, msg, len);
    l2v_ike1_sa_heard(sa, route);
    for (unsigned i = 1; i < m.n && !sa->dead; i++) {
        if (m.payloads[i].type == L2V_IKE1_PAYLOAD_NOTIFY) {
            take_notify(sa, &m.payloads[i]);
        } else if (m.payloads[i].type == L2V_IKE1_PAYLOAD_DELETE) {
            take_delete(sa, &m.payloads[i]);
        }
    }
    return 0;
}
