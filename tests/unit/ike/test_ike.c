/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/ike. */
#include "test_ike.h"

int main(void)
{
    Suite *suite = suite_create("ike");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, test_ike_wire());
    suite_add_tcase(suite, test_ike_corpus());
    suite_add_tcase(suite, test_ike_id());
    suite_add_tcase(suite, test_ike_vid());
    suite_add_tcase(suite, test_ike1_natt());
    suite_add_tcase(suite, test_ike1_keys());
    suite_add_tcase(suite, test_ike1_crypt());
    suite_add_tcase(suite, test_ike_keylog());
    suite_add_tcase(suite, test_ike1_proposal());
    suite_add_tcase(suite, test_ike1_p2());
    suite_add_tcase(suite, test_ike1_offers());
    suite_add_tcase(suite, test_ike1_frag());
    suite_add_tcase(suite, test_ike1_explain());
    suite_add_tcase(suite, test_ike_config());
    suite_add_tcase(suite, test_ike_profile());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
