/* SPDX-License-Identifier: MIT */
/* lib/eap: fixtures and the list of cases. */
#include "eap_test.h"

struct test_env eap_te;
struct l2v_crypto *eap_crypto;

void eap_setup(void)
{
    ck_assert_int_eq(test_env_init(&eap_te, 7), 0);
    ck_assert_int_eq(l2v_crypto_new(&eap_te.env, NULL, &eap_crypto), 0);
}

void eap_teardown(void)
{
    l2v_crypto_free(eap_crypto);
    test_env_clear(&eap_te);
    ck_assert_int_eq(eap_te.live, 0);
}

static int get_password(void *user, const char *name, size_t name_len, const uint8_t **ret_password,
                        size_t *ret_len)
{
    struct eap_side *side = user;
    ck_assert_uint_lt(name_len, sizeof(side->asked));
    memcpy(side->asked, name, name_len);
    side->asked[name_len] = '\0';
    if (side->password == NULL) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    *ret_password = (const uint8_t *)side->password;
    *ret_len = strlen(side->password);
    return 0;
}

static const struct l2v_eap_ops ops = {get_password};

void eap_make(struct eap_side *side, bool authenticator, uint32_t methods, const char *name,
              const char *password)
{
    memset(side, 0, sizeof(*side));
    side->password = password;
    ck_assert_int_eq(
        l2v_eap_new(&eap_te.env, eap_crypto, authenticator, methods, name, &ops, side, &side->eap),
        0);
}

void eap_clear(struct eap_side *side)
{
    l2v_eap_free(side->eap);
    side->eap = NULL;
}

void eap_give(struct eap_side *side, const uint8_t *in, size_t len)
{
    side->len = 0;
    side->r =
        l2v_eap_input(side->eap, in, len, side->out, sizeof(side->out), &side->len, &side->state);
}

void eap_give_hex(struct eap_side *side, const char *hex)
{
    uint8_t in[1500];
    eap_give(side, in, unit_hex(hex, in, sizeof(in)));
}

unsigned eap_run(struct eap_side *server, struct eap_side *peer)
{
    unsigned n = 1;
    ck_assert_int_eq(l2v_eap_start(server->eap, server->out, sizeof(server->out), &server->len), 0);
    while (server->len > 0) {
        ck_assert_uint_lt(n, 30);
        eap_give(peer, server->out, server->len);
        ck_assert_int_eq(peer->r, 0);
        n++;
        if (peer->len == 0) {
            break;
        }
        eap_give(server, peer->out, peer->len);
        ck_assert_int_eq(server->r, 0);
        n++;
    }
    return n;
}

int main(void)
{
    Suite *suite = suite_create("eap");
    SRunner *runner;
    int failed;
    suite_add_tcase(suite, eap_math_case());
    suite_add_tcase(suite, eap_text_case());
    suite_add_tcase(suite, eap_both_case());
    suite_add_tcase(suite, eap_hostile_case());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
