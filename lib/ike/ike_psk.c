/* SPDX-License-Identifier: MIT */
/* Which pre-shared key and which identity. In main mode the key must be known before the peer's
 * identity is, so that a responder may have to try several (RFC 2409 section 5.4). */
#include "base_addr.h"
#include "ike_config.h"

enum { FIT_NO, FIT_OTHER_ADDRESS, FIT_ANYBODY, FIT_UNKNOWN_NAME, FIT_EXACT };

static int fit(const struct l2v_ike_psk *psk, const l2tpvoip_addr *remote,
               const struct l2v_ike_id *id)
{
    l2tpvoip_addr addr;

    if (psk->id.type == L2V_IKE_ID_NONE) {
        return FIT_ANYBODY;
    }
    if (l2v_ike_id_to_addr(&psk->id, &addr) && remote != NULL && l2v_addr_equal_ip(&addr, remote)) {
        return FIT_EXACT;
    }
    if (id != NULL) {
        return l2v_ike_id_matches(&psk->id, id) ? FIT_EXACT : FIT_NO;
    }
    /* A peer behind a NAT may name its inner address: such keys come last. */
    return psk->id.type == L2V_IKE_ID_IPV4 || psk->id.type == L2V_IKE_ID_IPV6 ? FIT_OTHER_ADDRESS
                                                                              : FIT_UNKNOWN_NAME;
}

unsigned l2v_ike_config_find_psks(const struct l2v_ike_config *c, const l2tpvoip_addr *remote,
                                  const struct l2v_ike_id *id, unsigned ret_index[L2V_IKE_MAX_PSKS])
{
    unsigned n = 0;
    for (int want = FIT_EXACT; want > FIT_NO; want--) {
        for (unsigned i = 0; i < c->n_psks && n < L2V_IKE_MAX_PSKS; i++) {
            if (fit(&c->psks[i], remote, id) == want) {
                ret_index[n++] = i;
            }
        }
    }
    return n;
}

bool l2v_ike_config_accepts(const struct l2v_ike_config *c, unsigned psk, const l2tpvoip_addr *remote,
                            const struct l2v_ike_id *id)
{
    if (psk >= c->n_psks || fit(&c->psks[psk], remote, id) == FIT_NO) {
        return false;
    }
    return c->remote_id.type == L2V_IKE_ID_NONE || l2v_ike_id_matches(&c->remote_id, id);
}

void l2v_ike_config_local_id(const struct l2v_ike_config *c, const l2tpvoip_addr *local,
                             struct l2v_ike_id *ret_id)
{
    if (c->local_id.type != L2V_IKE_ID_NONE) {
        *ret_id = c->local_id;
    } else {
        l2v_ike_id_from_addr(local, ret_id);
    }
}
