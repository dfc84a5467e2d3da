/* SPDX-License-Identifier: MIT */
/* The data path: no allocation, one look-up, one header. */
#include "l2tp_internal.h"

bool l2v_l2tp_cc_admit_port(struct l2v_l2tp_cc *cc, uint16_t port, bool inside_sa)
{
    if (!cc->port_fixed || cc->peer_port == port) {
        return true;
    }
    if (!inside_sa) {
        return false;
    }
    l2v_log(cc->l2tp->env, L2TPVOIP_LOG_INFO, L2V_L2TP_LOG, "tunnel %u: peer moved to port %u",
            cc->id, port);
    cc->peer_port = port;
    return true;
}

static unsigned data_flags(const struct l2v_l2tp_session *s)
{
    return (s->l2tp->config.length_bit ? L2V_L2TP_L : 0u) | (s->send_sequence ? L2V_L2TP_S : 0u);
}

size_t l2v_l2tp_session_overhead(const struct l2v_l2tp_session *s)
{
    return l2v_l2tp_header_data_len(data_flags(s));
}

int l2v_l2tp_session_output(struct l2v_l2tp_session *s, struct l2v_pkt *pkt)
{
    if (s->closed || s->state != L2V_L2TP_SESSION_ESTABLISHED) {
        l2v_pkt_free(pkt);
        return L2TPVOIP_ERR_STATE;
    }
    unsigned flags = data_flags(s);
    size_t payload_len = pkt->len;
    size_t header_len = l2v_l2tp_header_data_len(flags);
    uint8_t *h = header_len + payload_len <= UINT16_MAX ? l2v_pkt_push(pkt, header_len) : NULL;
    if (h == NULL) {
        l2v_pkt_free(pkt);
        return L2TPVOIP_ERR_MSGSIZE;
    }
    l2v_l2tp_header_put_data(h, flags, s->cc->peer_id, s->peer_id, s->data_ns, payload_len);
    if (s->send_sequence) {
        s->data_ns++; /* rfc2661#5.4 after a pause it goes on where it left off */
    }
    s->l2tp->ops.transmit(s->l2tp->user, pkt, s->cc->peer_port, false);
    return 0;
}

/* rfc2661#5.4 voice is never held back to restore an order: gaps are only counted. */
static void note_sequence(struct l2v_l2tp_session *s, const struct l2v_l2tp_header *h)
{
    bool sequenced = (h->flags & L2V_L2TP_S) != 0;
    if (!s->lns && !s->sequence_required) {
        s->send_sequence = sequenced; /* the LAC follows the LNS */
    }
    if (!sequenced) {
        return;
    }
    int ahead = (int16_t)(uint16_t)(h->ns - s->data_nr);
    if (s->sequence_seen && ahead < 0) {
        s->n_lost -= s->n_lost > 0 ? 1 : 0; /* late, not lost */
        return;
    }
    if (s->sequence_seen) {
        s->n_lost += (uint64_t)ahead;
    }
    s->sequence_seen = true;
    s->data_nr = (uint16_t)(h->ns + 1);
}

int l2v_l2tp_data_input(struct l2v_l2tp *l2tp, struct l2v_pkt *pkt, const struct l2v_l2tp_header *h,
                        uint16_t peer_port, bool inside_sa)
{
    struct l2v_l2tp_session *s = l2v_l2tp_find_session(l2tp, h->tunnel_id, h->session_id);
    if (s == NULL || s->state != L2V_L2TP_SESSION_ESTABLISHED ||
        !l2v_l2tp_cc_admit_port(s->cc, peer_port, inside_sa)) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    s->cc->last_input_ns = l2tp->env->now_ns;
    note_sequence(s, h);
    l2v_pkt_trim(pkt, h->len);
    (void)l2v_pkt_pull(pkt, h->header_len);
    if (pkt->len > 0) {
        l2tp->ops.session_data(l2tp->user, s, pkt);
    }
    return 0;
}
