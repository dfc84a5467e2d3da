/* SPDX-License-Identifier: MIT */
/* Fuzz target: an IKEv1 datagram in clear: header, payload chain, and what a responder reads of the
 * first messages. */
#include "ike1_natt.h"
#include "ike1_proposal.h"
#include "ike_vid.h"
#include "ike_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Every view must lie inside the input. */
static void check_bounds(const struct l2v_ike_message *m, const uint8_t *data, size_t len)
{
    for (unsigned i = 0; i < m->n; i++) {
        const struct l2v_ike_payload *p = &m->payloads[i];
        const uint8_t *rest;
        size_t rest_len = 0;
        if (p->body < data || p->body + p->len > data + len) {
            __builtin_trap();
        }
        rest = l2v_ike_message_after(m, p, &rest_len);
        if (rest + rest_len > data + len) {
            __builtin_trap();
        }
    }
}

static void read_offer(const struct l2v_ike_payload *sa)
{
    struct l2v_ike1_p1_list offer;
    struct l2v_ike1_p1 chosen, again;
    struct l2v_writer w;
    uint8_t answer[512];

    if (l2v_ike1_p1_read(sa->body, sa->len, &offer) != 0 || offer.n == 0 ||
        l2v_ike1_p1_choose(&offer, sa->body, sa->len, &chosen) != 0) {
        return;
    }
    /* What was chosen must be an answer that the initiator takes. */
    l2v_writer_init(&w, answer, sizeof(answer));
    l2v_ike1_p1_write_choice(&w, &chosen);
    if (w.failed || l2v_ike1_p1_verify(&offer, answer, l2v_writer_len(&w), &again) != 0 ||
        again.transform_no != chosen.transform_no || again.life_s != chosen.life_s) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct l2v_ike_rule rules[] = {{L2V_IKE1_PAYLOAD_SA, 1, 1},
                                                {L2V_IKE1_PAYLOAD_KE, 0, 1}};
    struct l2v_ike_message m;
    struct l2v_ike_vids vids;
    const struct l2v_ike_payload *p;
    l2tpvoip_addr oai, oar;
    uint8_t type;

    if (l2v_ike1_message_parse(data, len, &m) != L2V_IKE_FAULT_NONE) {
        return 0;
    }
    check_bounds(&m, data, len);
    (void)l2v_ike1_message_check(&m, rules, 2, &type);
    memset(&vids, 0, sizeof(vids));
    l2v_ike_vids_gather(&m, &vids);
    (void)l2v_ike_vids_product(&vids);
    (void)l2v_ike1_natt_dialect(&vids, len % 2 == 0);
    (void)l2v_ike1_natoa_gather(&m, true, &oai, &oar);
    p = l2v_ike_message_find(&m, L2V_IKE1_PAYLOAD_SA, 0);
    if (p != NULL) {
        read_offer(p);
    }
    return 0;
}
