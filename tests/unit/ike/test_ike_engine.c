/* SPDX-License-Identifier: MIT */
/* Engines against each other: the runner. */
#include "ike_world.h"

int main(void)
{
    Suite *suite = suite_create("ike_engine");
    SRunner *runner;
    int failed;
    suite_add_tcase(suite, test_ike_pair());
    suite_add_tcase(suite, test_ike_rekey());
    suite_add_tcase(suite, test_ike_quirks());
    suite_add_tcase(suite, test_ike_forgery());
    suite_add_tcase(suite, test_ike_failures());
    suite_add_tcase(suite, test_ike_hostile());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
