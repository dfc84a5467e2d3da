/* SPDX-License-Identifier: MIT */
/** @file l2tpvoip.h  Everything of libl2tpvoip (not the uv and config libraries). */
#ifndef L2TPVOIP_H
#define L2TPVOIP_H

#include <l2tpvoip/context.h>
#include <l2tpvoip/error.h>
#include <l2tpvoip/event.h>
#include <l2tpvoip/export.h>
#include <l2tpvoip/io.h>
#include <l2tpvoip/ipsec.h>
#include <l2tpvoip/posix.h>
#include <l2tpvoip/ppp.h>
#include <l2tpvoip/server.h>
#include <l2tpvoip/session.h>
#include <l2tpvoip/socket.h>
#include <l2tpvoip/stats.h>
#include <l2tpvoip/tunnel.h>
#include <l2tpvoip/types.h>
#include <l2tpvoip/version.h>

#endif
