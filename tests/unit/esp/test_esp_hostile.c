/* SPDX-License-Identifier: MIT */
/* What must not open, and what must not move the window. */
#include "base_wire.h"
#include "test_esp.h"

/* Opens exactly len bytes on the heap, so that a sanitizer sees each byte too many. */
static int try_bytes(struct esp_pair *p, const uint8_t *data, size_t len)
{
    uint8_t *exact = (uint8_t *)malloc(len > 0 ? len : 1);
    struct l2v_pkt view;
    uint8_t next_header = 0xaa;
    bool newest = true;
    int err;
    test_must(exact != NULL);
    if (len > 0) {
        memcpy(exact, data, len);
    }
    l2v_pkt_borrow(&view, exact, len);
    err = l2v_esp_open(p->in, &view, &next_header, &newest);
    if (err != 0) {
        test_must(view.len == len);
        test_must(view.data == exact);
        test_must(next_header == 0xaa);
        test_must(newest);
    }
    free(exact);
    return err;
}

/* Every bit flipped, every truncation, every short extension. */
START_TEST(no_change_opens)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    struct l2v_pkt *pkt;
    uint8_t *data;
    size_t len;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, false, 2);
    esp_pair_new(&f, &k.params, &p);
    pkt = esp_make(&f, &p, 61, 7);
    len = pkt->len;
    data = (uint8_t *)calloc(1, len + 40);
    ck_assert(data != NULL);
    memcpy(data, pkt->data, len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        test_must(try_bytes(&p, data, len) != 0);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < len; n++) {
        test_must(try_bytes(&p, data, n) != 0);
    }
    for (size_t n = len + 1; n < len + 40; n++) {
        test_must(try_bytes(&p, data, n) != 0);
    }
    ck_assert_uint_eq(l2v_esp_in_seq(p.in), 0);
    ck_assert_uint_eq(l2v_esp_in_stats(p.in)->packets, 0);
    ck_assert_int_eq(try_bytes(&p, data, len), 0); /* and yet it is good */
    free(data);
    l2v_pkt_free(pkt);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

START_TEST(random_changes_never_open)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    uint64_t seed = (uint64_t)_i + 21;
    const struct l2v_esp_stats *s;
    uint64_t n = 0;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, _i % 2 == 0, 2);
    esp_pair_new(&f, &k.params, &p);
    s = l2v_esp_in_stats(p.in);
    for (int i = 0; i < 3000; i++) {
        uint64_t r = test_random64(&seed);
        struct l2v_pkt *pkt = esp_make(&f, &p, r % 200, (uint8_t)i);
        uint8_t data[400];
        size_t len = pkt->len;
        memcpy(data, pkt->data, len);
        for (int flips = 1 + (int)((r >> 20) % 8); flips > 0; flips--) {
            uint64_t at = test_random64(&seed);
            data[4 + at % (len - 4)] ^= (uint8_t)(1u << (at >> 32) % 8); /* the SPI stays */
        }
        if ((r >> 40) % 4 == 0) {
            len = 4 + (r >> 42) % (len - 4);
        }
        if (len != pkt->len || memcmp(data, pkt->data, len) != 0) {
            test_must(try_bytes(&p, data, len) != 0);
            n++;
        }
        for (size_t j = 4; j < len; j++) { /* garbage behind the SPI */
            data[j] = (uint8_t)test_random64(&seed);
        }
        test_must(try_bytes(&p, data, len) != 0);
        n++;
        l2v_pkt_free(pkt);
    }
    ck_assert_uint_eq(l2v_esp_in_seq(p.in), 0); /* nothing of it moved the window */
    ck_assert_uint_eq(s->malformed + s->integrity + s->late + s->replayed, n);
    ck_assert_uint_eq(s->packets, 0);
    ck_assert_uint_gt(s->malformed, 0);
    ck_assert_uint_gt(s->integrity, 0);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* rfc4303#3.4.3: a forged packet from the future must not push the window. */
START_TEST(forged_future_does_not_move)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    struct l2v_pkt *first, *second;
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, false, 2);
    esp_pair_new(&f, &k.params, &p);
    first = esp_make(&f, &p, 30, 0);
    second = esp_make(&f, &p, 30, 1);
    ck_assert_int_eq(esp_try(&f, &p, first, &(bool){false}), 0);
    l2v_put_u32(first->data + 4, 0x7fffffff);
    ck_assert_int_eq(esp_try(&f, &p, first, &(bool){false}), L2TPVOIP_ERR_INTEGRITY);
    ck_assert_uint_eq(l2v_esp_in_seq(p.in), 1);
    ck_assert_int_eq(esp_try(&f, &p, second, &(bool){false}), 0);
    l2v_put_u32(second->data + 4, 0); /* number 0 is never sent */
    ck_assert_int_eq(esp_try(&f, &p, second, &(bool){false}), L2TPVOIP_ERR_REPLAY);
    l2v_put_u32(second->data, k.params.spi + 1);
    ck_assert_int_eq(esp_try(&f, &p, second, &(bool){false}), L2TPVOIP_ERR_MALFORMED);
    l2v_pkt_free(first);
    l2v_pkt_free(second);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* Packets that a peer with the right key made, but whose padding is wrong: rfc4303#2.4 */
static int open_crafted(struct esp_fixture *f, const struct esp_keys *k, const uint8_t *text,
                        size_t text_len, struct l2v_esp_in *in)
{
    const struct l2v_suite_info *info = l2v_suite_get(k->params.suite);
    struct l2v_seal *seal;
    uint8_t data[200], next_header;
    bool newest;
    struct l2v_pkt view;
    size_t at = 8u + info->iv_len;
    int err;
    ck_assert_int_eq(l2v_seal_new(f->crypto, k->params.suite, true, k->params.enc_key,
                                  k->params.enc_key_len, k->params.auth_key, k->params.auth_key_len,
                                  &seal),
                     0);
    l2v_put_u32(data, k->params.spi);
    l2v_put_u32(data + 4, (uint32_t)l2v_esp_in_seq(in) + 1);
    memcpy(data + at, text, text_len);
    ck_assert_int_eq(l2v_seal_packet(seal, l2v_esp_in_seq(in) + 1, data, 8, data + 8, data + at,
                                     text_len, NULL, 0, data + at + text_len),
                     0);
    l2v_seal_free(seal);
    l2v_pkt_borrow(&view, data, at + text_len + info->icv_len);
    err = l2v_esp_open(in, &view, &next_header, &newest);
    if (err == 0) {
        ck_assert_uint_eq(view.len, text_len - 2u - text[text_len - 2]);
    }
    return err;
}

START_TEST(padding_is_checked_after_the_icv)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    uint8_t text[48];
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, false, 2);
    esp_pair_new(&f, &k.params, &p);
    for (unsigned n_pad = 0; n_pad < 256; n_pad++) {
        memset(text, 0x55, sizeof text);
        for (unsigned i = 0; i < n_pad && i < 46; i++) {
            text[45 - i] = (uint8_t)(n_pad - i);
        }
        text[46] = (uint8_t)n_pad;
        text[47] = 17;
        ck_assert_int_eq(open_crafted(&f, &k, text, sizeof text, p.in),
                         n_pad <= 46 ? 0 : L2TPVOIP_ERR_MALFORMED);
    }
    text[46] = 4;
    memcpy(text + 42, "\1\2\3\5", 4);
    ck_assert_int_eq(open_crafted(&f, &k, text, sizeof text, p.in), L2TPVOIP_ERR_MALFORMED);
    memcpy(text + 42, "\0\0\0\0", 4);
    ck_assert_int_eq(open_crafted(&f, &k, text, sizeof text, p.in), L2TPVOIP_ERR_MALFORMED);
    /* They were authentic: their numbers are used. */
    ck_assert_uint_eq(l2v_esp_in_seq(p.in), 258);
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* A pad length of one byte too many, when the last byte of the IV happens to go on with the row. */
START_TEST(padding_stops_at_the_iv)
{
    struct esp_fixture f;
    struct esp_keys k;
    struct esp_pair p;
    uint8_t text[48];
    esp_fixture_init(&f, 1);
    esp_keys_fill(&k, (enum l2v_suite_id)_i, false, 2);
    esp_pair_new(&f, &k.params, &p);
    for (size_t i = 0; i < 46; i++) {
        text[i] = (uint8_t)(i + 2);
    }
    text[46] = 47;
    text[47] = 17;
    for (int i = 0; i < 2000; i++) { /* one IV in 256 ends with 1 */
        test_must(open_crafted(&f, &k, text, sizeof text, p.in) == L2TPVOIP_ERR_MALFORMED);
    }
    esp_pair_free(&p);
    esp_fixture_clear(&f);
}
END_TEST

/* --- UDP encapsulation: rfc3948#2
 * ------------------------------------------------------------------ */

START_TEST(classify)
{
    static const struct {
        const char *data;
        size_t len;
        enum l2v_udpencap want;
    } cases[] = {
        {"", 0, L2V_UDPENCAP_BAD},
        {"\xff", 1, L2V_UDPENCAP_KEEPALIVE},
        {"\xfe", 1, L2V_UDPENCAP_BAD},
        {"\0", 1, L2V_UDPENCAP_BAD},
        {"\xff\xff", 2, L2V_UDPENCAP_BAD},
        {"\xff\xff\xff", 3, L2V_UDPENCAP_BAD},
        {"\0\0\0", 3, L2V_UDPENCAP_BAD},
        {"\0\0\0\0", 4, L2V_UDPENCAP_BAD},
        {"\0\0\0\0x", 5, L2V_UDPENCAP_IKE},
        {"\0\0\1\0", 4, L2V_UDPENCAP_BAD},
        {"\0\0\1\0\0\0\0", 7, L2V_UDPENCAP_BAD},
        {"\0\0\1\0\0\0\0\1", 8, L2V_UDPENCAP_ESP},
        {"\0\0\0\xff\0\0\0\1", 8, L2V_UDPENCAP_BAD}, /* reserved SPI: rfc4303#2.1 */
        {"\xff\xff\xff\xff\0\0\0\1", 8, L2V_UDPENCAP_ESP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(l2v_udpencap_classify((const uint8_t *)cases[i].data, cases[i].len),
                         cases[i].want);
    }
    ck_assert_int_eq(l2v_udpencap_classify(NULL, 0), L2V_UDPENCAP_BAD);
    ck_assert_uint_eq(l2v_esp_peek_spi((const uint8_t *)"\1\2\3\4\0\0\0\1", 8), 0x01020304);
    ck_assert_uint_eq(l2v_esp_peek_spi((const uint8_t *)"\1\2\3\4\0\0\0", 7), 0);
}
END_TEST

TCase *test_esp_hostile(void)
{
    TCase *tc = tcase_create("hostile");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, no_change_opens, 1, L2V_N_SUITES);
    tcase_add_loop_test(tc, random_changes_never_open, 1, L2V_N_SUITES);
    tcase_add_loop_test(tc, forged_future_does_not_move, 1, L2V_N_SUITES);
    tcase_add_loop_test(tc, padding_is_checked_after_the_icv, 1, L2V_N_SUITES);
    tcase_add_loop_test(tc, padding_stops_at_the_iv, 1, 3);
    tcase_add_test(tc, classify);
    return tc;
}
