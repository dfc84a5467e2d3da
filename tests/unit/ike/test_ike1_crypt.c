/* SPDX-License-Identifier: MIT */
/* Message encryption: the IV chains through an exchange (RFC 2409 appendix B); HASH covers it. */
#include <l2tpvoip/error.h>

#include "ike1_crypt.h"
#include "test_ike.h"

static void make_keys(struct l2v_ike1_keys *k)
{
    memset(k, 0, sizeof(*k));
    k->hash = L2V_HASH_SHA256;
    k->cipher = L2V_CIPHER_AES_CBC;
    k->hash_len = 32;
    k->enc_len = 32;
    k->block = 16;
    memset(k->skeyid_a, 0xaa, 32);
    memset(k->enc_key, 0xee, 32);
}

static size_t build_hashed(struct l2v_ike1_keys *k, struct l2v_ike1_chain *chain, uint32_t mid,
                           const uint8_t *ni, size_t ni_len, uint8_t *buf, size_t size)
{
    struct l2v_ike_header h;
    struct l2v_ike_build b;
    uint8_t *hash;
    size_t len = 0;

    memset(&h, 0, sizeof(h));
    memset(h.icookie, 1, 8);
    memset(h.rcookie, 2, 8);
    h.version = L2V_IKE_VERSION_1;
    h.exchange = L2V_IKE1_EXCHANGE_QUICK;
    h.message_id = mid;
    l2v_ike_build_begin(&b, buf, size, &h);
    hash = l2v_ike_build_reserve(&b, L2V_IKE1_PAYLOAD_HASH, k->hash_len);
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_NONCE, "0123456789", 10);
    ck_assert_int_eq(l2v_ike1_build_seal(ike_t.crypto, k, chain, &b, hash, ni, ni_len, &len), 0);
    return len;
}

START_TEST(seal_and_open)
{
    uint8_t buf[256], copy[256];
    struct l2v_ike1_keys k;
    struct l2v_ike1_chain ours, theirs, next;
    struct l2v_ike_message m;
    const uint8_t ni[8] = {5, 6, 7};
    size_t len;

    make_keys(&k);
    memset(&ours, 3, sizeof(ours));
    theirs = ours;
    for (uint32_t round = 0; round < 3; round++) { /* the chain moves with every message */
        bool second = round == 1;
        len = build_hashed(&k, &ours, 7, second ? ni : NULL, second ? 8 : 0, buf, sizeof(buf));
        ck_assert_uint_eq((len - 28) % 16, 0);
        ck_assert(buf[19] & L2V_IKE1_FLAG_ENCRYPTION);
        ck_assert_int_eq(l2v_ike1_decrypt_copy(ike_t.crypto, &k, &theirs, buf, len, copy, &next), 0);
        ck_assert_int_eq(l2v_ike1_message_parse(copy, len, &m), L2V_IKE_FAULT_NONE);
        ck_assert_int_eq(l2v_ike1_message_verify(ike_t.crypto, &k, &m, 7, second ? ni : NULL,
                                                 second ? 8 : 0), 0);
        /* with another message id, or the other kind of hash, it is a forgery */
        ck_assert_int_eq(l2v_ike1_message_verify(ike_t.crypto, &k, &m, 8, second ? ni : NULL,
                                                 second ? 8 : 0), L2TPVOIP_ERR_INTEGRITY);
        ck_assert_int_eq(l2v_ike1_message_verify(ike_t.crypto, &k, &m, 7, second ? NULL : ni,
                                                 second ? 0 : 8), L2TPVOIP_ERR_INTEGRITY);
        theirs = next;
        ck_assert_mem_eq(&theirs, &ours, sizeof(ours));
        ck_assert_mem_eq(theirs.iv, buf + len - 16, 16); /* the last block of ciphertext */
    }
}
END_TEST

/* A forged or repeated message does not move the chain: the next good one still opens. */
START_TEST(forgery_does_not_desynchronise)
{
    uint8_t buf[256], forged[256], copy[256];
    struct l2v_ike1_keys k;
    struct l2v_ike1_chain ours, theirs, next;
    struct l2v_ike_message m;
    size_t len;

    make_keys(&k);
    memset(&ours, 3, sizeof(ours));
    theirs = ours;
    len = build_hashed(&k, &ours, 7, NULL, 0, buf, sizeof(buf));
    for (size_t at = 28; at < len; at++) {
        memcpy(forged, buf, len);
        forged[at] ^= 0x40;
        ck_assert_int_eq(l2v_ike1_decrypt_copy(ike_t.crypto, &k, &theirs, forged, len, copy, &next), 0);
        if (l2v_ike1_message_parse(copy, len, &m) == L2V_IKE_FAULT_NONE) {
            /* Bits of the padding are the only ones that HASH does not cover. */
            size_t padding = len - 28 - m.len;
            int rc = l2v_ike1_message_verify(ike_t.crypto, &k, &m, 7, NULL, 0);
            ck_assert(rc == L2TPVOIP_ERR_INTEGRITY || at + 16 + padding >= len);
        }
    }
    ck_assert_int_eq(l2v_ike1_decrypt(ike_t.crypto, &k, &theirs, buf, len, &theirs), 0);
    ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
    ck_assert_int_eq(l2v_ike1_message_verify(ike_t.crypto, &k, &m, 7, NULL, 0), 0);
}
END_TEST

START_TEST(lengths)
{
    uint8_t msg[64] = {0};
    struct l2v_ike1_keys k;
    struct l2v_ike1_chain chain, next;

    make_keys(&k);
    memset(&chain, 0, sizeof(chain));
    for (size_t len = 0; len <= sizeof(msg); len++) {
        bool whole = len == 28 + 16 || len == 28 + 32;
        ck_assert_int_eq(l2v_ike1_decrypt(ike_t.crypto, &k, &chain, msg, len, &next),
                         whole ? 0 : L2TPVOIP_ERR_MALFORMED);
        ck_assert_int_eq(l2v_ike1_encrypt(ike_t.crypto, &k, &next, msg, len),
                         whole ? 0 : L2TPVOIP_ERR_INVALID);
    }
}
END_TEST

START_TEST(hash_must_be_first) /* rfc2409#5.5 */
{
    uint8_t buf[256];
    struct l2v_ike_header h;
    struct l2v_ike_build b;
    struct l2v_ike1_keys k;
    struct l2v_ike_message m;
    size_t len;
    unsigned before[] = {L2V_IKE1_PAYLOAD_NONCE, 200};

    make_keys(&k);
    for (unsigned i = 0; i < 2; i++) {
        memset(&h, 0, sizeof(h));
        h.icookie[0] = 1;
        h.version = L2V_IKE_VERSION_1;
        h.exchange = L2V_IKE1_EXCHANGE_QUICK;
        l2v_ike_build_begin(&b, buf, sizeof(buf), &h);
        l2v_ike_build_add(&b, before[i], "0123456789", 10);
        l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_HASH, "01234567890123456789012345678901", 32);
        ck_assert_int_eq(l2v_ike_build_end(&b, 0, &len), 0);
        ck_assert_int_eq(l2v_ike1_message_parse(buf, len, &m), L2V_IKE_FAULT_NONE);
        ck_assert_int_eq(l2v_ike1_message_verify(ike_t.crypto, &k, &m, 0, NULL, 0),
                         L2TPVOIP_ERR_INTEGRITY);
    }
}
END_TEST

/* A capture with its key: main mode 5 and 6, then quick mode, every IV computed by us. */
static const struct unit_json *expected(const struct unit_json *json, long frame)
{
    for (const struct unit_json *t = unit_json_first(json, "expect_ike"); t != NULL; t = t->next) {
        if (unit_json_int(t, "frame", 0) == frame) {
            return t;
        }
    }
    return NULL;
}

static void open_frame(const struct unit_json *json, const struct l2v_ike1_keys *k,
                       struct l2v_ike1_chain *chain, unsigned frame)
{
    static uint8_t msg[4096], want[4096];
    size_t len = ike_frame("decrypt/ws__ikev1-certs.pcap", frame, msg, sizeof(msg));
    const struct unit_json *t = expected(json, (long)frame);
    size_t want_len = unit_json_hex(t, "plaintext", want, sizeof(want));

    ck_assert_uint_gt(want_len, 0);
    ck_assert_uint_eq(len, 28 + want_len);
    ck_assert_int_eq(l2v_ike1_decrypt(ike_t.crypto, k, chain, msg, len, chain), 0);
    ck_assert_mem_eq(msg + 28, want, want_len);
}

START_TEST(capture)
{
    static const char name[] = "decrypt/ws__ikev1-certs.pcap";
    static uint8_t mm[4][4096];
    static struct l2v_ike_message m[4];
    struct unit_json *json = unit_json_vectors("decrypt/ws__ikev1-certs.keys.json");
    struct l2v_ike1_p1_list list;
    const struct l2v_ike_payload *p;
    struct l2v_ike1_phase1 p1;
    struct l2v_ike1_keys k;
    struct l2v_ike1_chain chain, quick;
    struct l2v_ike_header h;
    uint8_t first[512];

    if (json == NULL) {
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        size_t len = ike_frame(name, i + 1, mm[i], sizeof(mm[i]));
        ck_assert_int_eq(l2v_ike1_message_parse(mm[i], len, &m[i]), L2V_IKE_FAULT_NONE);
    }
    p = l2v_ike_message_find(&m[1], L2V_IKE1_PAYLOAD_SA, 0);
    ck_assert_int_eq(l2v_ike1_p1_read(p->body, p->len, &list), 0);
    ck_assert_uint_eq(list.n, 1);
    memset(&k, 0, sizeof(k));
    k.hash = l2v_ike1_p1_hash(&list.items[0]);
    k.cipher = l2v_ike1_p1_cipher(&list.items[0]);
    ck_assert_int_eq(k.cipher, L2V_CIPHER_3DES_CBC);
    k.block = (uint8_t)l2v_cipher_block(k.cipher);
    k.enc_len = (uint8_t)unit_json_hex(unit_json_first(json, "ikev1"), "enc_key", k.enc_key,
                                       sizeof(k.enc_key));
    ck_assert_uint_eq(k.enc_len, 24);
    memset(&p1, 0, sizeof(p1));
    p = l2v_ike_message_find(&m[2], L2V_IKE1_PAYLOAD_KE, 0);
    p1.gxi = (struct l2v_ike1_bytes){p->body, p->len};
    p = l2v_ike_message_find(&m[3], L2V_IKE1_PAYLOAD_KE, 0);
    p1.gxr = (struct l2v_ike1_bytes){p->body, p->len};
    ck_assert_int_eq(l2v_ike1_chain_phase1(ike_t.crypto, &k, &p1, &chain), 0);
    open_frame(json, &k, &chain, 5);
    open_frame(json, &k, &chain, 6);
    ck_assert_uint_gt(ike_frame(name, 7, first, sizeof(first)), 0);
    ck_assert_int_eq(l2v_ike_header_parse(first, sizeof(first), &h), 0);
    ck_assert_int_eq(l2v_ike1_chain_phase2(ike_t.crypto, &k, &chain, h.message_id, &quick), 0);
    open_frame(json, &k, &quick, 7); /* 8 is the same again */
    open_frame(json, &k, &quick, 9);
    open_frame(json, &k, &quick, 10);
    unit_json_free(json);
}
END_TEST

TCase *test_ike1_crypt(void)
{
    TCase *tc = ike_tcase("crypt");
    tcase_add_test(tc, seal_and_open);
    tcase_add_test(tc, forgery_does_not_desynchronise);
    tcase_add_test(tc, lengths);
    tcase_add_test(tc, hash_must_be_first);
    tcase_add_test(tc, capture);
    return tc;
}
