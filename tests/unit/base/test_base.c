/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/base. */
#include "test_base.h"

int main(void)
{
    Suite *suite = suite_create("base");
    SRunner *runner;
    int failed;
    suite_add_tcase(suite, test_base_env());
    suite_add_tcase(suite, test_base_timer());
    suite_add_tcase(suite, test_base_map());
    suite_add_tcase(suite, test_base_addr());
    suite_add_tcase(suite, test_base_wire());
    suite_add_tcase(suite, test_base_pkt());
    suite_add_tcase(suite, test_base_misc());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
