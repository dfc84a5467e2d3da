/* SPDX-License-Identifier: MIT */
/* Test cases of the base module. */
#ifndef L2V_TEST_BASE_H
#define L2V_TEST_BASE_H

#include <check.h>

#include "test_env.h"

TCase *test_base_env(void);
TCase *test_base_timer(void);
TCase *test_base_map(void);
TCase *test_base_addr(void);
TCase *test_base_wire(void);
TCase *test_base_pkt(void);
TCase *test_base_misc(void);

#endif
