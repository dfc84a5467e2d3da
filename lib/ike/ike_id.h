/* SPDX-License-Identifier: MIT */
/* Identities: text, payload bodies, comparison. RFC 2407 section 4.6.2. */
#ifndef L2V_IKE_ID_H
#define L2V_IKE_ID_H

#include <l2tpvoip/types.h>

#include "base_wire.h"
#include "ike_const.h"

#define L2V_IKE_ID_MAX 256u

struct l2v_ike_id {
    uint8_t type; /* L2V_IKE_ID_…; NONE = not set */
    uint16_t len;
    uint8_t data[L2V_IKE_ID_MAX];
};

/* "192.0.2.1", "2001:db8::1" (brackets allowed), "host.example", "user@host.example", "@key id",
 * "@#0a0b0c" (key id in hex). 0, CONFIG (empty, too long, control characters). */
int l2v_ike_id_parse(const char *text, struct l2v_ike_id *ret_id);
/* The text of it with control and non-ASCII bytes as \xNN; always terminated if size > 0. */
void l2v_ike_id_format(const struct l2v_ike_id *id, char *text, size_t size);
#define L2V_IKE_ID_TEXT 128
void l2v_ike_id_from_addr(const l2tpvoip_addr *addr, struct l2v_ike_id *ret_id);
bool l2v_ike_id_to_addr(const struct l2v_ike_id *id, l2tpvoip_addr *ret_addr); /* port 0 */
/* Same type and bytes; names compare without case. */
bool l2v_ike_id_equal(const struct l2v_ike_id *a, const struct l2v_ike_id *b);
/* want (from a setting) fits got (from the peer): equal, or want is a FQDN and got a KEY_ID or
 * USER_FQDN with the same bytes: peers differ in how they type such names. */
bool l2v_ike_id_matches(const struct l2v_ike_id *want, const struct l2v_ike_id *got);

/* An identity with the protocol and port of its payload: phase 1 (0/0 or 17/500), and the traffic
 * selectors of quick mode. */
struct l2v_ike1_selector {
    struct l2v_ike_id id;
    uint8_t protocol;
    uint16_t port;
};
/* 0, MALFORMED (lengths by type, range upside down, mask with holes), UNSUPPORTED (type, or longer
 * than L2V_IKE_ID_MAX). */
int l2v_ike1_id_read(const uint8_t *body, size_t len, struct l2v_ike1_selector *ret);
/* Phase 1 only: also requires 0/0, 17/500 or 17/0 (rfc2407#4.6.2; 17/4500 is tolerated). */
int l2v_ike1_id_read_phase1(const uint8_t *body, size_t len, struct l2v_ike1_selector *ret);
/* The body (type, protocol, port, data). */
void l2v_ike1_id_write(struct l2v_writer *w, const struct l2v_ike1_selector *s);
/* Selector for a host: address, protocol 17, port (0 = any). */
void l2v_ike1_selector_from_addr(const l2tpvoip_addr *addr, uint16_t port,
                                 struct l2v_ike1_selector *ret);
/* One single address, as ADDR, /32 or /128 SUBNET, or a RANGE of one; port = the selector's. */
bool l2v_ike1_selector_get_host(const struct l2v_ike1_selector *s, l2tpvoip_addr *ret_addr);

#endif
