/* SPDX-License-Identifier: MIT */
/* NAT traversal of IKEv1: dialects, NAT-D, NAT-OA. RFC 3947 and the drafts before it. */
#ifndef L2V_IKE1_NATT_H
#define L2V_IKE1_NATT_H

#include <l2tpvoip/session.h>

#include "base_env.h"
#include "ike_vid.h"
#include "ike_wire.h"
#include "l2v_crypto.h"

enum l2v_ike1_dialect {
    L2V_IKE1_NATT_NONE = 0,
    L2V_IKE1_NATT_DRAFT02, /* drafts 02 and 03: payloads 130/131, encapsulation 61444 */
    L2V_IKE1_NATT_DRAFT05, /* drafts 04 to 08: payloads 15/16, encapsulation 4 */
    L2V_IKE1_NATT_RFC3947  /* 20/21, encapsulation 4 */
};
/* Drafts 00 and 01 have no port 4500 and are not supported. */

struct l2v_ike1_natt_info {
    const char *name;
    uint8_t payload_natd, payload_natoa;
    uint16_t encap_transport;
};
const struct l2v_ike1_natt_info *l2v_ike1_natt_get(enum l2v_ike1_dialect dialect);
/* The best of what both ends know. drafts_first: L2TPVOIP_IPSEC_NATT_DRAFTS. */
enum l2v_ike1_dialect l2v_ike1_natt_dialect(const struct l2v_ike_vids *peer, bool drafts_first);
/* The transport encapsulation mode to use: UDP in the words of the dialect, or plain. */
uint16_t l2v_ike1_natt_encap(enum l2v_ike1_dialect dialect, bool udp);
bool l2v_ike1_encap_is_udp_transport(uint16_t encap); /* 4 or 61444 */

/* rfc3947#3.2: HASH(CKY-I | CKY-R | IP | Port); hash_len bytes. 0, CRYPTO, INVALID. */
int l2v_ike1_natd_hash(struct l2v_crypto *crypto, enum l2v_hash hash, const uint8_t icookie[8],
                       const uint8_t rcookie[8], const l2tpvoip_addr *addr, uint8_t *ret_hash);

enum {
    L2V_IKE1_NATD_HONEST = 0,
    L2V_IKE1_NATD_FORCE = 1, /* claim that we are behind a NAT: our source hash is random */
    L2V_IKE1_NATD_PARROT = 2 /* responder behind a NAT, Windows peer: source = what the peer sent as
                                our address; destination random, so that ESP runs in UDP */
};
struct l2v_ike1_natd {
    enum l2v_ike1_dialect dialect;
    enum l2v_hash hash;
    const uint8_t *icookie, *rcookie;
    const l2tpvoip_addr *local, *remote; /* of the datagram, with ports */
};
/* Two NAT-D payloads (remote first, then local). parrot: body of the peer's first NAT-D payload
 * (PARROT only; NULL falls back to FORCE). 0, CRYPTO. */
int l2v_ike1_natd_write(struct l2v_ike_build *b, struct l2v_crypto *crypto, struct l2v_env *env,
                        const struct l2v_ike1_natd *natd, unsigned mode,
                        const struct l2v_ike_payload *parrot);
/* Verdict over the NAT-D payloads of a message: L2TPVOIP_NAT_LOCAL, _REMOTE bits. Fewer than two
 * NAT-D payloads: 0, and *ret_present = false. At most 16 are looked at. 0, CRYPTO. */
int l2v_ike1_natd_verdict(struct l2v_crypto *crypto, const struct l2v_ike1_natd *natd,
                          const struct l2v_ike_message *m, uint32_t *ret_nat, bool *ret_present);
/* The peer's first NAT-D payload of the dialect, or NULL. */
const struct l2v_ike_payload *l2v_ike1_natd_first(const struct l2v_ike_message *m,
                                                  enum l2v_ike1_dialect dialect);

/* NAT-OA bodies. rfc3947#5.2: RFC 3947 sends OAi and OAr; the drafts send the sender's own only. */
void l2v_ike1_natoa_write(struct l2v_ike_build *b, enum l2v_ike1_dialect dialect,
                          const l2tpvoip_addr *oai, const l2tpvoip_addr *oar, bool initiator);
int l2v_ike1_natoa_read(const struct l2v_ike_payload *p, l2tpvoip_addr *ret_addr); /* 0, MALFORMED */
/* Reads what a message carries, whatever the payload number (peers mix them up). Addresses that
 * are absent get family 0. peer_is_initiator tells whose the single one of the drafts is. 0,
 * MALFORMED (body), also when there are more than two. */
int l2v_ike1_natoa_gather(const struct l2v_ike_message *m, bool peer_is_initiator,
                          l2tpvoip_addr *ret_oai, l2tpvoip_addr *ret_oar);

#endif
