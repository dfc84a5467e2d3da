/* SPDX-License-Identifier: MIT */
/* Known answers: whole packets open, and seal to the same bytes. */
#include "esp_kat.h"
#include "test_esp.h"

#define N_KATS (sizeof esp_kats / sizeof esp_kats[0])

static size_t unhex(const char *hex, uint8_t *out, size_t size)
{
    size_t n = strlen(hex) / 2;
    ck_assert_uint_le(n, size);
    for (size_t i = 0; i < n; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return n;
}

struct kat {
    uint8_t enc[64], auth[64], payload[256], packet[512];
    size_t payload_len, packet_len;
    struct l2v_esp_params params;
};

static void load(struct kat *k, const struct esp_kat *from)
{
    memset(k, 0, sizeof *k);
    k->payload_len = unhex(from->payload, k->payload, sizeof k->payload);
    k->packet_len = unhex(from->packet, k->packet, sizeof k->packet);
    k->params.enc_key = k->enc;
    k->params.enc_key_len = unhex(from->enc_key, k->enc, sizeof k->enc);
    k->params.auth_key = from->auth_key[0] != '\0' ? k->auth : NULL;
    k->params.auth_key_len = unhex(from->auth_key, k->auth, sizeof k->auth);
    k->params.spi = l2v_esp_peek_spi(k->packet, k->packet_len);
    k->params.suite = from->suite;
    k->params.esn = from->esn;
    k->params.seq = from->seq - 1;
}

/* rfc4303#3.4, rfc4106#3, rfc7634#2 */
START_TEST(known_packets_open)
{
    const struct esp_kat *from = &esp_kats[_i];
    struct esp_fixture f;
    struct kat k;
    struct l2v_esp_in *sa;
    struct l2v_pkt *pkt;
    uint8_t next_header = 0;
    bool newest = false;
    esp_fixture_init(&f, 1);
    load(&k, from);
    ck_assert_int_eq(l2v_esp_in_new(&f.te.env, f.crypto, &k.params, &sa), 0);
    pkt = l2v_pkt_copy(&f.te.env, k.packet, k.packet_len);
    ck_assert_msg(l2v_esp_open(sa, pkt, &next_header, &newest) == 0, "%s", from->origin);
    ck_assert(newest);
    ck_assert_uint_eq(next_header, from->next_header);
    ck_assert_uint_eq(pkt->len, k.payload_len);
    ck_assert_mem_eq(pkt->data, k.payload, k.payload_len);
    ck_assert_uint_eq(l2v_esp_in_seq(sa), from->seq);
    l2v_pkt_free(pkt);
    l2v_esp_in_free(sa);
    esp_fixture_clear(&f);
}
END_TEST

/* The IV of the AEAD suites is the sequence number XOR 64 bits drawn when the SA is made. */
static void force_iv_base(struct l2v_env *env, const struct kat *k, uint64_t seq)
{
    uint64_t base = 0;
    for (int i = 0; i < 8; i++) {
        base = base << 8 | k->packet[8 + i];
    }
    base ^= seq;
    memcpy(env->rnd, &base, sizeof base);
    env->rnd_left = sizeof base;
}

START_TEST(known_packets_seal)
{
    const struct esp_kat *from = &esp_kats[_i];
    struct esp_fixture f;
    struct kat k;
    struct l2v_esp_out *sa;
    struct l2v_pkt *pkt;
    load(&k, from);
    if (!from->sealable) {
        return;
    }
    esp_fixture_init(&f, 1);
    force_iv_base(&f.te.env, &k, from->seq);
    ck_assert_int_eq(l2v_esp_out_new(&f.te.env, f.crypto, &k.params, &sa), 0);
    pkt = l2v_pkt_copy(&f.te.env, k.payload, k.payload_len);
    ck_assert_int_eq(l2v_esp_seal(sa, pkt, from->next_header), 0);
    ck_assert_uint_eq(pkt->len, k.packet_len);
    ck_assert_msg(memcmp(pkt->data, k.packet, k.packet_len) == 0, "%s", from->origin);
    ck_assert_uint_eq(l2v_esp_out_seq(sa), from->seq);
    l2v_pkt_free(pkt);
    l2v_esp_out_free(sa);
    esp_fixture_clear(&f);
}
END_TEST

START_TEST(enough_is_sealed)
{
    size_t n = 0;
    for (size_t i = 0; i < N_KATS; i++) {
        n += esp_kats[i].sealable;
    }
    ck_assert_uint_ge(n, 20);
}
END_TEST

TCase *test_esp_kat(void)
{
    TCase *tc = tcase_create("kat");
    tcase_add_loop_test(tc, known_packets_open, 0, (int)N_KATS);
    tcase_add_loop_test(tc, known_packets_seal, 0, (int)N_KATS);
    tcase_add_test(tc, enough_is_sealed);
    return tc;
}
