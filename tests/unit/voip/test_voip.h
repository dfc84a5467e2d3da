/* SPDX-License-Identifier: MIT */
#ifndef L2V_TEST_VOIP_H
#define L2V_TEST_VOIP_H

#include <check.h>

#include "../test_env.h"
#include "base_wire.h"
#include "l2v_voip.h"

TCase *test_voip_queue(void);
TCase *test_voip_mtu(void);
TCase *test_voip_emodel(void);
TCase *test_voip_rtp(void);
TCase *test_voip_capture(void);

/* A minimal RTP packet; returns its length. */
size_t test_make_rtp(uint8_t *buf, unsigned pt, uint16_t seq, uint32_t ts, uint32_t ssrc);

#endif
