/* SPDX-License-Identifier: MIT */
/* Encryption of IKEv1 message bodies, RFC 2409 appendix B. */
#include <l2tpvoip/error.h>

#include "base_secure.h"
#include "ike1_crypt.h"

#define OFFSET_FLAGS 19u

int l2v_ike1_chain_phase1(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                          const struct l2v_ike1_phase1 *p, struct l2v_ike1_chain *ret)
{
    return l2v_ike1_iv_phase1(crypto, keys, p, ret->iv);
}

int l2v_ike1_chain_phase2(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                          const struct l2v_ike1_chain *phase1, uint32_t message_id,
                          struct l2v_ike1_chain *ret)
{
    return l2v_ike1_iv_phase2(crypto, keys, phase1->iv, message_id, ret->iv);
}

static bool is_whole_blocks(const struct l2v_ike1_keys *keys, size_t len)
{
    return keys->block > 0 && len > L2V_IKE_HEADER_LEN &&
           (len - L2V_IKE_HEADER_LEN) % keys->block == 0;
}

int l2v_ike1_encrypt(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                     struct l2v_ike1_chain *chain, uint8_t *msg, size_t len)
{
    struct l2v_ike1_chain next = *chain;
    int rc;

    if (!is_whole_blocks(keys, len)) {
        return L2TPVOIP_ERR_INVALID;
    }
    msg[OFFSET_FLAGS] |= L2V_IKE1_FLAG_ENCRYPTION;
    rc = l2v_cbc(crypto, keys->cipher, true, keys->enc_key, keys->enc_len, next.iv,
                 msg + L2V_IKE_HEADER_LEN, len - L2V_IKE_HEADER_LEN);
    if (rc == 0) {
        *chain = next;
    }
    return rc;
}

int l2v_ike1_decrypt(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                     const struct l2v_ike1_chain *chain, uint8_t *msg, size_t len,
                     struct l2v_ike1_chain *ret_next)
{
    struct l2v_ike1_chain next = *chain;
    int rc;

    if (!is_whole_blocks(keys, len)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    rc = l2v_cbc(crypto, keys->cipher, false, keys->enc_key, keys->enc_len, next.iv,
                 msg + L2V_IKE_HEADER_LEN, len - L2V_IKE_HEADER_LEN);
    if (rc == 0) {
        *ret_next = next;
    }
    return rc;
}

int l2v_ike1_decrypt_copy(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                          const struct l2v_ike1_chain *chain, const uint8_t *msg, size_t len,
                          uint8_t *ret_msg, struct l2v_ike1_chain *ret_next)
{
    if (!is_whole_blocks(keys, len)) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    memcpy(ret_msg, msg, len);
    return l2v_ike1_decrypt(crypto, keys, chain, ret_msg, len, ret_next);
}

int l2v_ike1_build_seal(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                        struct l2v_ike1_chain *chain, struct l2v_ike_build *b, uint8_t *hash,
                        const uint8_t *ni, size_t ni_len, size_t *ret_len)
{
    size_t end = l2v_ike_build_close(b);
    const size_t from = L2V_IKE_HEADER_LEN + L2V_IKE_GENERIC_LEN + keys->hash_len;
    const uint8_t *rest = b->w.start + from;
    uint32_t message_id;
    size_t len;
    int rc;

    if (end < from || hash == NULL) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    message_id = l2v_get_u32(b->w.start + 20);
    rc = ni == NULL ? l2v_ike1_hash1(crypto, keys, message_id, rest, end - from, hash)
                    : l2v_ike1_hash2(crypto, keys, message_id, ni, ni_len, rest, end - from, hash);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_ike_build_end(b, keys->block, &len);
    if (rc != 0) {
        return rc;
    }
    rc = l2v_ike1_encrypt(crypto, keys, chain, b->w.start, len);
    if (rc == 0) {
        *ret_len = len;
    }
    return rc;
}

int l2v_ike1_message_verify(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                            const struct l2v_ike_message *m, uint32_t message_id, const uint8_t *ni,
                            size_t ni_len)
{
    uint8_t want[L2V_HASH_MAX];
    const struct l2v_ike_payload *hash = &m->payloads[0];
    const uint8_t *rest;
    size_t len;
    int rc;

    /* The HASH payload must be the first, so that it covers everything: rfc2409#5.5. The check of
     * start refuses a skipped private-use payload in front of it. */
    if (m->n == 0 || hash->type != L2V_IKE1_PAYLOAD_HASH || hash->len != keys->hash_len ||
        hash->body != m->start + L2V_IKE_GENERIC_LEN) {
        return L2TPVOIP_ERR_INTEGRITY;
    }
    rest = l2v_ike_message_after(m, hash, &len);
    rc = ni == NULL ? l2v_ike1_hash1(crypto, keys, message_id, rest, len, want)
                    : l2v_ike1_hash2(crypto, keys, message_id, ni, ni_len, rest, len, want);
    if (rc == 0 && !l2v_equal_ct(want, hash->body, keys->hash_len)) {
        rc = L2TPVOIP_ERR_INTEGRITY;
    }
    return rc;
}
