/* SPDX-License-Identifier: MIT */
/* What the files of this test share. */
#ifndef CRYPTO_TEST_H
#define CRYPTO_TEST_H

#include <check.h>
#include <stdio.h>

#include "l2v_crypto.h"
#include "test_env.h"
#include "unit_json.h"

extern struct test_env crypto_te;
extern struct l2v_crypto *crypto_under_test;

void crypto_setup(void);
void crypto_teardown(void);

TCase *crypto_hash_case(void);
TCase *crypto_seal_case(void);
TCase *crypto_seal_kat_case(void);
TCase *crypto_dh_case(void);

#endif
