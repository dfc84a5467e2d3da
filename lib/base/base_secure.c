/* SPDX-License-Identifier: MIT */
/* Secrets: wiping and comparing. */
#include "base_secure.h"

#include <stdint.h>
#include <string.h>

void l2v_wipe(void *p, size_t len)
{
    if (p == NULL || len == 0) {
        return;
    }
#if defined(__GNUC__)
    memset(p, 0, len);
    /* The compiler must believe that someone reads the zeros. */
    __asm__ __volatile__("" : : "r"(p) : "memory");
#else
    volatile uint8_t *v = (volatile uint8_t *)p;
    while (len-- > 0) {
        *v++ = 0;
    }
#endif
}

bool l2v_equal_ct(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = (const volatile uint8_t *)a;
    const volatile uint8_t *y = (const volatile uint8_t *)b;
    unsigned diff = 0;
    for (size_t i = 0; i < len; i++) {
        diff |= (unsigned)(x[i] ^ y[i]);
    }
    return diff == 0;
}
