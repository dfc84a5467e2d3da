/* SPDX-License-Identifier: MIT */
/* Names of IKEv1 algorithms: tokens of the text syntax and words for people. Numbers that we do not
 * implement have names too, so that an offer can be explained. */
#ifndef L2V_IKE1_ALG_H
#define L2V_IKE1_ALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each writes a terminated word; numbers without a name become "cipher-4711" and the like. label:
 * "AES-256" instead of "aes256". */
void l2v_ike1_alg_cipher(unsigned phase, unsigned number, unsigned key_bits, bool label, char *text,
                         size_t size);
void l2v_ike1_alg_hash(unsigned phase, unsigned number, bool label, char *text, size_t size);
void l2v_ike1_alg_group(unsigned number, bool label, char *text, size_t size);
#define L2V_IKE1_ALG_TEXT 24

/* How dear the group is in computing time, from measurements (1 = cheapest); 255 = not ours. */
unsigned l2v_ike1_alg_group_cost(unsigned group);
/* Only acceptable when a profile or flag asks: 3DES, DES, MD5, groups below 14. */
bool l2v_ike1_alg_group_is_weak(unsigned group);

#endif
