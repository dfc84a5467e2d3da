/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/voip. */
#include "test_voip.h"

size_t test_make_rtp(uint8_t *buf, unsigned pt, uint16_t seq, uint32_t ts, uint32_t ssrc)
{
    buf[0] = 0x80;
    buf[1] = (uint8_t)pt;
    l2v_put_u16(buf + 2, seq);
    l2v_put_u32(buf + 4, ts);
    l2v_put_u32(buf + 8, ssrc);
    memset(buf + 12, 0xd5, 160);
    return 172;
}

int main(void)
{
    Suite *suite = suite_create("voip");
    suite_add_tcase(suite, test_voip_queue());
    suite_add_tcase(suite, test_voip_mtu());
    suite_add_tcase(suite, test_voip_emodel());
    suite_add_tcase(suite, test_voip_rtp());
    suite_add_tcase(suite, test_voip_capture());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
