/* SPDX-License-Identifier: MIT */
/** @file version.h  Version of the library. */
#ifndef L2TPVOIP_VERSION_H
#define L2TPVOIP_VERSION_H

#include <l2tpvoip/export.h>

#define L2TPVOIP_VERSION_MAJOR 0
#define L2TPVOIP_VERSION_MINOR 1
#define L2TPVOIP_VERSION_PATCH 0
#define L2TPVOIP_VERSION "0.1.0"

L2TPVOIP_BEGIN
/** Version of the library that runs, "0.1.0". Static text. Any thread. */
L2TPVOIP_API const char *l2tpvoip_version(void);
L2TPVOIP_END

#endif
