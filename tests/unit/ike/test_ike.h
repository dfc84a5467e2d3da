/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/ike: fixture and test cases. */
#ifndef L2V_TEST_IKE_H
#define L2V_TEST_IKE_H

#include <check.h>
#include <stdio.h>

#include "l2v_crypto.h"
#include "test_env.h"
#include "unit_json.h"

/* Made before and cleared after each test of a case that uses the fixture. */
struct ike_fixture {
    struct test_env te;
    struct l2v_env *env;
    struct l2v_crypto *crypto;
};
extern struct ike_fixture ike_t;
void ike_setup(void);
void ike_teardown(void); /* also fails when something leaked */
TCase *ike_tcase(const char *name);

l2tpvoip_addr ike_addr(const char *text);
/* UDP payload of the nth frame (from 1) of a classic pcap with Ethernet, relative to the vectors
 * folder; 0 when the file is absent (printed) or the frame is no UDP. */
size_t ike_frame(const char *name, unsigned nth, uint8_t *buf, size_t size);
/* Calls visit for every file of a vectors folder; returns their number, 0 (printed) when absent. */
unsigned ike_each_file(const char *folder, void (*visit)(const uint8_t *data, size_t len));

TCase *test_ike_wire(void);
TCase *test_ike_corpus(void);
TCase *test_ike_id(void);
TCase *test_ike_vid(void);
TCase *test_ike1_natt(void);
TCase *test_ike1_keys(void);
TCase *test_ike1_crypt(void);
TCase *test_ike_keylog(void);
TCase *test_ike1_proposal(void);
TCase *test_ike1_p2(void);
TCase *test_ike1_offers(void);
TCase *test_ike1_frag(void);
TCase *test_ike1_explain(void);
TCase *test_ike_config(void);
TCase *test_ike_profile(void);

#endif
