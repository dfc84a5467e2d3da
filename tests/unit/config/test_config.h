/* SPDX-License-Identifier: MIT */
#ifndef L2V_TEST_CONFIG_H
#define L2V_TEST_CONFIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <l2tpvoip/config.h>

TCase *test_config_secret(void);

#endif
