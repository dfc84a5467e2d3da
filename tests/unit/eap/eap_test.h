/* SPDX-License-Identifier: MIT */
/* What the files of this test share. */
#ifndef EAP_TEST_H
#define EAP_TEST_H

#include <check.h>
#include <stdio.h>

#include "base_wire.h"
#include "l2v_eap.h"
#include "test_env.h"
#include "unit_json.h"

extern struct test_env eap_te;
extern struct l2v_crypto *eap_crypto;

void eap_setup(void);
void eap_teardown(void);

TCase *eap_math_case(void);
TCase *eap_text_case(void);
TCase *eap_both_case(void);
TCase *eap_hostile_case(void);

/* One side of a conversation. */
struct eap_side {
    struct l2v_eap *eap;
    const char *password; /* NULL = no such user */
    char asked[300];      /* the name that the password was asked for */
    uint8_t out[1500];
    size_t len;
    int state;
    int r;
};
void eap_make(struct eap_side *side, bool authenticator, uint32_t methods, const char *name,
              const char *password);
void eap_clear(struct eap_side *side);
/* Gives in to the side; its answer is in out, len, state, r. */
void eap_give(struct eap_side *side, const uint8_t *in, size_t len);
void eap_give_hex(struct eap_side *side, const char *hex);
/* Passes packets to and fro until neither has more to say; returns how many. */
unsigned eap_run(struct eap_side *server, struct eap_side *peer);

#endif
