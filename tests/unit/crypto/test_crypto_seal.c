/* SPDX-License-Identifier: MIT */
/* Packet protection: what each suite must do, whatever the algorithm. */
#include "crypto_test.h"

struct row {
    enum l2v_suite_id id;
    uint8_t enc_key_len;
    uint8_t auth_key_len;
    uint8_t block, iv_len, icv_len;
    bool aead;
};

/* rfc4106, rfc7634, rfc3602, rfc2451, rfc2404, rfc4868 */
static const struct row rows[] = {
    {L2V_SUITE_AES_GCM_16, 20, 0, 4, 8, 16, true},
    {L2V_SUITE_AES_GCM_16, 28, 0, 4, 8, 16, true},
    {L2V_SUITE_AES_GCM_16, 36, 0, 4, 8, 16, true},
    {L2V_SUITE_AES_GCM_12, 20, 0, 4, 8, 12, true},
    {L2V_SUITE_AES_GCM_8, 36, 0, 4, 8, 8, true},
    {L2V_SUITE_CHACHA20_POLY1305, 36, 0, 4, 8, 16, true},
    {L2V_SUITE_AES_CBC_SHA1_96, 16, 20, 16, 16, 12, false},
    {L2V_SUITE_AES_CBC_SHA256_128, 24, 32, 16, 16, 16, false},
    {L2V_SUITE_AES_CBC_SHA256_96, 32, 32, 16, 16, 12, false},
    {L2V_SUITE_AES_CBC_SHA384_192, 16, 48, 16, 16, 24, false},
    {L2V_SUITE_AES_CBC_SHA512_256, 32, 64, 16, 16, 32, false},
    {L2V_SUITE_3DES_CBC_SHA1_96, 24, 20, 8, 8, 12, false},
};
#define N_ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static struct l2v_seal *make(const struct row *row, bool seal)
{
    struct l2v_seal *s = NULL;
    uint8_t key[100];
    for (unsigned i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)(3 * i + 5);
    }
    ck_assert_int_eq(l2v_seal_new(crypto_under_test, row->id, seal, key, row->enc_key_len,
                                  row->auth_key_len > 0 ? key + 36 : NULL, row->auth_key_len, &s),
                     0);
    return s;
}

/* An ESP packet as it lies in memory, or in separate pieces. */
#define MAX_PAYLOAD 9216u
struct packet {
    uint8_t bytes[16 + 16 + MAX_PAYLOAD + 32];
    uint8_t *aad, *iv, *data, *icv;
    size_t len;
};

static void place(struct packet *p, const struct row *row, size_t len, size_t gap)
{
    p->aad = p->bytes;
    p->iv = p->aad + 8 + gap;
    p->data = p->iv + row->iv_len + gap;
    p->icv = p->data + len;
    p->len = len;
    for (size_t i = 0; i < 8; i++) {
        p->aad[i] = (uint8_t)(0x80 + i);
    }
    for (size_t i = 0; i < len; i++) {
        p->data[i] = (uint8_t)(i * 11 + len);
    }
}

static bool has_payload(const struct packet *p)
{
    for (size_t i = 0; i < p->len; i++) {
        if (p->data[i] != (uint8_t)(i * 11 + p->len)) {
            return false;
        }
    }
    return true;
}

static int seal_it(struct l2v_seal *s, uint64_t seq, struct packet *p)
{
    return l2v_seal_packet(s, seq, p->aad, 8, p->iv, p->data, p->len, NULL, 0, p->icv);
}

static int open_it(struct l2v_seal *s, struct packet *p)
{
    return l2v_open_packet(s, p->aad, 8, p->iv, p->data, p->len, NULL, 0, p->icv);
}

START_TEST(table)
{
    const struct row *row = &rows[_i];
    const struct l2v_suite_info *info = l2v_suite_get(row->id);
    ck_assert_ptr_nonnull(info);
    ck_assert_uint_eq(info->block, row->block);
    ck_assert_uint_eq(info->iv_len, row->iv_len);
    ck_assert_uint_eq(info->icv_len, row->icv_len);
    ck_assert_uint_eq(info->auth_key_len, row->auth_key_len);
    ck_assert_uint_eq(info->salt_len, row->aead ? 4 : 0);
    ck_assert_int_eq(info->aead, row->aead);
    ck_assert_ptr_null(l2v_suite_get(L2V_SUITE_NONE));
    ck_assert_ptr_null(l2v_suite_get(L2V_N_SUITES));
}
END_TEST

/* All lengths about a voice packet, then long ones that take several rounds of key stream. */
START_TEST(seals_and_opens)
{
    const struct row *row = &rows[_i];
    struct l2v_seal *s = make(row, true);
    struct l2v_seal *o = make(row, false);
    static struct packet p;
    uint64_t seq = 1;
    for (size_t len = 0; len <= MAX_PAYLOAD; len += len < 512 ? row->block : 16 * 37 + 32) {
        for (size_t gap = 0; gap <= 4; gap += 4) {
            place(&p, row, len, gap);
            ck_assert_int_eq(seal_it(s, seq++, &p), 0);
            ck_assert(len < 8 || !has_payload(&p));
            ck_assert_int_eq(open_it(o, &p), 0);
            ck_assert(has_payload(&p));
        }
    }
    l2v_seal_free(s);
    l2v_seal_free(o);
    l2v_seal_free(NULL);
}
END_TEST

/* AEAD takes any length: an IKEv2 payload is not aligned to 4. */
START_TEST(ragged_lengths)
{
    const struct row *row = &rows[_i];
    struct l2v_seal *s = make(row, true);
    struct l2v_seal *o = make(row, false);
    static struct packet p;
    for (size_t len = 1; len < 70; len++) {
        place(&p, row, len, 0);
        if (row->aead) {
            ck_assert_int_eq(seal_it(s, len, &p), 0);
            ck_assert_int_eq(open_it(o, &p), 0);
            ck_assert(has_payload(&p));
        } else if (len % row->block != 0) {
            ck_assert_int_eq(seal_it(s, len, &p), L2TPVOIP_ERR_INVALID);
            ck_assert_int_eq(open_it(o, &p), L2TPVOIP_ERR_INTEGRITY);
        }
    }
    l2v_seal_free(s);
    l2v_seal_free(o);
}
END_TEST

/* Each byte flipped: refused; a good packet right after is opened. rfc4303#3.4.4.1 */
START_TEST(refuses_changed_packets)
{
    const struct row *row = &rows[_i];
    struct l2v_seal *s = make(row, true);
    struct l2v_seal *o = make(row, false);
    static struct packet p, q;
    size_t n;
    place(&p, row, 48, 0);
    n = 8 + row->iv_len + 48u + row->icv_len;
    ck_assert_int_eq(seal_it(s, 1, &p), 0);
    for (size_t i = 0; i < n; i++) {
        place(&q, row, 48, 0);
        memcpy(q.bytes, p.bytes, n);
        q.bytes[i] ^= (uint8_t)(1 << (i % 8));
        ck_assert_int_eq(open_it(o, &q), L2TPVOIP_ERR_INTEGRITY);
        if (!row->aead) { /* untouched for CBC suites */
            q.bytes[i] ^= (uint8_t)(1 << (i % 8));
            ck_assert_mem_eq(q.bytes, p.bytes, n);
        }
        memcpy(q.bytes, p.bytes, n);
        ck_assert_int_eq(open_it(o, &q), 0);
        ck_assert(has_payload(&q));
    }
    l2v_seal_free(s);
    l2v_seal_free(o);
}
END_TEST

/* No IV twice; CBC: not a counter that anybody can foretell. rfc3602#3, rfc4106#3.1 */
START_TEST(ivs_are_unique)
{
    const struct row *row = &rows[_i];
    struct l2v_seal *s = make(row, true);
    struct l2v_seal *t = make(row, true);
    static struct packet p, q;
    static uint8_t seen[256][16];
    for (unsigned n = 0; n < 256; n++) {
        unsigned equal_bits = 0;
        place(&p, row, 16, 0);
        ck_assert_int_eq(seal_it(s, n, &p), 0);
        memcpy(seen[n], p.iv, row->iv_len);
        for (unsigned i = 0; i < n; i++) {
            ck_assert_mem_ne(seen[i], seen[n], row->iv_len);
        }
        if (!row->aead && n > 0) {
            for (unsigned i = 0; i < row->iv_len; i++) {
                equal_bits +=
                    8u - (unsigned)__builtin_popcount((unsigned)(seen[n][i] ^ seen[n - 1][i]));
            }
            ck_assert_uint_lt(equal_bits, row->iv_len * 8u * 7 / 8);
        }
    }
    place(&q, row, 16, 0);
    ck_assert_int_eq(seal_it(t, 0, &q), 0);
    ck_assert_mem_ne(q.iv, seen[0], row->iv_len); /* each object has its own base */
    l2v_seal_free(s);
    l2v_seal_free(t);
}
END_TEST

/* A sequence number that comes twice would repeat a nonce: refused. */
START_TEST(no_sequence_number_twice)
{
    const struct row *row = &rows[_i];
    struct l2v_seal *s = make(row, true);
    static struct packet p;
    place(&p, row, 16, 0);
    ck_assert_int_eq(seal_it(s, 5, &p), 0);
    ck_assert_int_eq(seal_it(s, 5, &p), row->aead ? L2TPVOIP_ERR_STATE : 0);
    ck_assert_int_eq(seal_it(s, 4, &p), row->aead ? L2TPVOIP_ERR_STATE : 0);
    ck_assert_int_eq(seal_it(s, UINT64_MAX, &p), row->aead ? L2TPVOIP_ERR_STATE : 0);
    ck_assert_int_eq(seal_it(s, 6, &p), 0);
    l2v_seal_free(s);
}
END_TEST

/* rfc4303#2.2.1 the high half of the ESN is under the ICV and not on the wire. */
START_TEST(esn_tail)
{
    const struct row *row = &rows[_i];
    struct l2v_seal *s = make(row, true);
    struct l2v_seal *o = make(row, false);
    static struct packet p;
    const uint8_t high[4] = {0, 0, 0, 7};
    const uint8_t other[4] = {0, 0, 0, 8};
    if (!row->aead) {
        place(&p, row, 64, 0);
        ck_assert_int_eq(l2v_seal_packet(s, 1, p.aad, 8, p.iv, p.data, p.len, high, 4, p.icv), 0);
        ck_assert_int_eq(l2v_open_packet(o, p.aad, 8, p.iv, p.data, p.len, other, 4, p.icv),
                         L2TPVOIP_ERR_INTEGRITY);
        ck_assert_int_eq(open_it(o, &p), L2TPVOIP_ERR_INTEGRITY);
        ck_assert_int_eq(l2v_open_packet(o, p.aad, 8, p.iv, p.data, p.len, high, 4, p.icv), 0);
        ck_assert(has_payload(&p));
    }
    l2v_seal_free(s);
    l2v_seal_free(o);
}
END_TEST

START_TEST(refuses_wrong_lengths_and_directions)
{
    const struct row *row = &rows[_i];
    struct l2v_seal *s = NULL;
    struct l2v_crypto *c = crypto_under_test;
    uint8_t key[100] = {0};
    static struct packet p;
    const uint8_t *auth = row->auth_key_len > 0 ? key : NULL;
    ck_assert_int_eq(
        l2v_seal_new(c, row->id, true, key, row->enc_key_len - 1u, auth, row->auth_key_len, &s),
        L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(l2v_seal_new(c, row->id, true, key, 0, auth, row->auth_key_len, &s),
                     L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(
        l2v_seal_new(c, row->id, true, key, row->enc_key_len, key, row->auth_key_len + 1u, &s),
        L2TPVOIP_ERR_INVALID);
    ck_assert_int_eq(
        l2v_seal_new(c, L2V_SUITE_NONE, true, key, row->enc_key_len, auth, row->auth_key_len, &s),
        L2TPVOIP_ERR_INVALID);
    ck_assert_ptr_null(s);
    place(&p, row, 16, 0);
    s = make(row, true);
    ck_assert_int_eq(open_it(s, &p), L2TPVOIP_ERR_INVALID);
    l2v_seal_free(s);
    s = make(row, false);
    ck_assert_int_eq(seal_it(s, 1, &p), L2TPVOIP_ERR_INVALID);
    l2v_seal_free(s);
}
END_TEST

/* CBC suites against the single parts: the wire format is IV, CBC of the payload, HMAC of it all.
 */
START_TEST(cbc_is_cbc_and_hmac)
{
    struct l2v_seal *s;
    const struct row *row = &rows[_i];
    static struct packet p;
    uint8_t key[100];
    uint8_t mac[L2V_HASH_MAX];
    struct l2v_iov iov;
    enum l2v_hash hash = row->auth_key_len == 20   ? L2V_HASH_SHA1
                         : row->auth_key_len == 32 ? L2V_HASH_SHA256
                         : row->auth_key_len == 48 ? L2V_HASH_SHA384
                                                   : L2V_HASH_SHA512;
    if (row->aead) {
        return;
    }
    s = make(row, true);
    for (unsigned i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)(3 * i + 5);
    }
    for (uint64_t seq = 1; seq < 4; seq++) {
        uint8_t iv[16];
        place(&p, row, 160, 0);
        ck_assert_int_eq(seal_it(s, seq, &p), 0);
        iov.data = p.bytes;
        iov.len = 8 + row->iv_len + 160u;
        ck_assert_int_eq(
            l2v_hmac(crypto_under_test, hash, key + 36, row->auth_key_len, &iov, 1, mac), 0);
        ck_assert_mem_eq(mac, p.icv, row->icv_len);
        memcpy(iv, p.iv, row->iv_len);
        ck_assert_int_eq(l2v_cbc(crypto_under_test,
                                 row->block == 8 ? L2V_CIPHER_3DES_CBC : L2V_CIPHER_AES_CBC, false,
                                 key, row->enc_key_len, iv, p.data, 160),
                         0);
        ck_assert(has_payload(&p));
    }
    l2v_seal_free(s);
}
END_TEST

START_TEST(no_allocation_of_ours_per_packet)
{
    const struct row *row = &rows[_i];
    struct l2v_seal *s = make(row, true);
    struct l2v_seal *o = make(row, false);
    static struct packet p;
    long n_allocs = crypto_te.n_allocs;
    for (uint64_t seq = 1; seq < 100; seq++) {
        place(&p, row, 208, 0);
        ck_assert_int_eq(seal_it(s, seq, &p), 0);
        ck_assert_int_eq(open_it(o, &p), 0);
    }
    ck_assert_int_eq(crypto_te.n_allocs, n_allocs);
    l2v_seal_free(s);
    l2v_seal_free(o);
}
END_TEST

TCase *crypto_seal_case(void)
{
    TCase *tc = tcase_create("seal");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, crypto_setup, crypto_teardown);
    tcase_add_loop_test(tc, table, 0, N_ROWS);
    tcase_add_loop_test(tc, seals_and_opens, 0, N_ROWS);
    tcase_add_loop_test(tc, ragged_lengths, 0, N_ROWS);
    tcase_add_loop_test(tc, refuses_changed_packets, 0, N_ROWS);
    tcase_add_loop_test(tc, ivs_are_unique, 0, N_ROWS);
    tcase_add_loop_test(tc, no_sequence_number_twice, 0, N_ROWS);
    tcase_add_loop_test(tc, esn_tail, 0, N_ROWS);
    tcase_add_loop_test(tc, refuses_wrong_lengths_and_directions, 0, N_ROWS);
    tcase_add_loop_test(tc, cbc_is_cbc_and_hmac, 0, N_ROWS);
    tcase_add_loop_test(tc, no_allocation_of_ours_per_packet, 0, N_ROWS);
    return tc;
}
