/* SPDX-License-Identifier: MIT */
/* IKEv1 fragmentation as Cisco and Microsoft do it: payload 132 {id 16, number 8, flags 8, data},
 * a message of its own each, never encrypted; the pieces make up a whole ISAKMP message. */
#ifndef L2V_IKE1_FRAG_H
#define L2V_IKE1_FRAG_H

#include "base_env.h"
#include "ike_wire.h"

#define L2V_IKE1_FRAG_MAX 40u            /* pieces; Windows sends up to 29 */
#define L2V_IKE1_FRAG_BYTES 32768u       /* of a reassembled message */
#define L2V_IKE1_FRAG_TIME (30 * L2V_NS_PER_S)
#define L2V_IKE1_FRAG_SIZE_4 552u /* default size of a fragment message (UDP payload) */
#define L2V_IKE1_FRAG_OVERHEAD (L2V_IKE_HEADER_LEN + L2V_IKE_GENERIC_LEN + 4u)

/* A message is a fragment: its first payload is type 132. */
bool l2v_ike1_frag_is(const struct l2v_ike_header *h);

/* Splits a finished message (header and body) into fragment messages of at most size bytes. emit
 * gets each whole fragment message; it copies. 0, MSGSIZE (more than L2V_IKE1_FRAG_MAX), or what
 * emit returned. */
int l2v_ike1_frag_split(const uint8_t *msg, size_t len, size_t size, uint16_t id,
                        int (*emit)(void *user, const uint8_t *frag, size_t frag_len), void *user);

/* Reassembly: one set per SA. Allocated lazily; at most L2V_IKE1_FRAG_BYTES. */
struct l2v_ike1_frag_set;
/* Takes one fragment message. *set may be NULL and is made. 0 and *ret_msg (owned by the set,
 * writable, valid until the next call) when it completes a message; AGAIN = more are missing, or a
 * duplicate that changes nothing; REPLAY = the last piece of the message that was completed last
 * came again: the peer retransmits it, so answer from the cache; MALFORMED, LIMIT, NOMEM. Two
 * messages may interleave. A piece that contradicts those before it (other bytes under the same
 * number, another end) begins its message anew: some peers give every message the same id. */
int l2v_ike1_frag_input(struct l2v_env *env, struct l2v_ike1_frag_set **set, const uint8_t *msg,
                        size_t len, uint8_t **ret_msg, size_t *ret_len);
/* The completed message was not accepted (yet): when it is repeated, it is put together anew. */
void l2v_ike1_frag_forget(struct l2v_ike1_frag_set *set);
void l2v_ike1_frag_free(struct l2v_env *env, struct l2v_ike1_frag_set **set);

#endif
