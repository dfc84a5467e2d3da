/* SPDX-License-Identifier: MIT */
/* Unit tests of lib/esp: the runner, and what the cases share. */
#include "test_esp.h"

void esp_fixture_init(struct esp_fixture *f, uint64_t seed)
{
    ck_assert_int_eq(test_env_init(&f->te, seed), 0);
    ck_assert_int_eq(l2v_crypto_new(&f->te.env, NULL, &f->crypto), 0);
}

void esp_fixture_clear(struct esp_fixture *f)
{
    l2v_crypto_free(f->crypto);
    test_env_clear(&f->te);
    ck_assert_int_eq(f->te.live, 0);
}

void esp_keys_fill(struct esp_keys *k, enum l2v_suite_id suite, bool esn, uint64_t seed)
{
    const struct l2v_suite_info *info = l2v_suite_get(suite);
    memset(k, 0, sizeof *k);
    for (size_t i = 0; i < sizeof k->enc; i++) {
        k->enc[i] = (uint8_t)test_random64(&seed);
        k->auth[i] = (uint8_t)test_random64(&seed);
    }
    k->params.spi = 0xc0ffee01;
    k->params.suite = suite;
    k->params.enc_key = k->enc;
    k->params.enc_key_len = suite == L2V_SUITE_3DES_CBC_SHA1_96 ? 24 : 32u + info->salt_len;
    k->params.auth_key = info->aead ? NULL : k->auth;
    k->params.auth_key_len = info->auth_key_len;
    k->params.esn = esn;
}

void esp_pair_new(struct esp_fixture *f, const struct l2v_esp_params *p, struct esp_pair *ret)
{
    ck_assert_int_eq(l2v_esp_out_new(&f->te.env, f->crypto, p, &ret->out), 0);
    ck_assert_int_eq(l2v_esp_in_new(&f->te.env, f->crypto, p, &ret->in), 0);
}

void esp_pair_free(struct esp_pair *p)
{
    l2v_esp_out_free(p->out);
    l2v_esp_in_free(p->in);
}

struct l2v_pkt *esp_make(struct esp_fixture *f, struct esp_pair *p, size_t len, uint8_t fill)
{
    struct l2v_pkt *pkt = l2v_pkt_new(&f->te.env, len);
    uint8_t *data;
    test_must(pkt != NULL);
    data = l2v_pkt_put(pkt, len);
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(fill + i);
    }
    test_must(l2v_esp_seal(p->out, pkt, 17) == 0);
    return pkt;
}

int esp_try(struct esp_fixture *f, struct esp_pair *p, const struct l2v_pkt *pkt, bool *ret_newest)
{
    struct l2v_pkt *copy = l2v_pkt_copy(&f->te.env, pkt->data, pkt->len);
    uint8_t next_header = 0;
    int err;
    test_must(copy != NULL);
    err = l2v_esp_open(p->in, copy, &next_header, ret_newest);
    l2v_pkt_free(copy);
    return err;
}

int main(void)
{
    Suite *suite = suite_create("esp");
    SRunner *runner;
    int failed;
    suite_add_tcase(suite, test_esp_kat());
    suite_add_tcase(suite, test_esp_sa());
    suite_add_tcase(suite, test_esp_window());
    suite_add_tcase(suite, test_esp_hostile());
    suite_add_tcase(suite, test_esp_capture());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
