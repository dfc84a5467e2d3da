/* SPDX-License-Identifier: MIT */
/* Secrets. */
#ifndef L2V_BASE_SECURE_H
#define L2V_BASE_SECURE_H

#include <stdbool.h>
#include <stddef.h>

void l2v_wipe(void *p, size_t len);                             /* never optimised away */
bool l2v_equal_ct(const void *a, const void *b, size_t len);    /* constant time */

#endif
