/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/ppp. */
#include "ppp_sim.h"

int main(void)
{
    Suite *s = suite_create("ppp");
    SRunner *runner;
    int failed;
    suite_add_tcase(s, test_ppp_fsm());
    suite_add_tcase(s, test_ppp_frame());
    suite_add_tcase(s, test_ppp_auth());
    suite_add_tcase(s, test_ppp_link());
    suite_add_tcase(s, test_ppp_script());
    suite_add_tcase(s, test_ppp_robust());
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
