/* SPDX-License-Identifier: MIT */
/* CBC with HMAC, encrypt then MAC (RFC 4303 with RFC 3602 or RFC 2451, and RFC 2404 or RFC 4868).
 * Sealing: the CBC context runs on over all packets; each begins with a counter block, whose
 * ciphertext is the IV: unpredictable, unique, and no init and no random draw per packet.
 * Opening: blocks are decrypted by ECB in one call and XORed from the end with the ciphertext in
 * front of them, so that the IV of the packet needs no init either.
 * HMAC: copies of the states after the ipad and opad blocks. */
#include "crypto_internal.h"

#include "base_wire.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static int key_hmac(struct l2v_seal *seal, const uint8_t *key, size_t key_len)
{
    struct l2v_seal_etm *etm = &seal->u.etm;
    const EVP_MD *md = seal->crypto->md[seal->hash];
    size_t block = l2v_hash_block(seal->hash);
    uint8_t pad[128];
    int r;
    etm->inner = EVP_MD_CTX_new();
    etm->outer = EVP_MD_CTX_new();
    etm->work = EVP_MD_CTX_new();
    if (etm->inner == NULL || etm->outer == NULL || etm->work == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    r = l2v_hmac_pad(seal->crypto, seal->hash, key, key_len, 0x36, pad);
    if (r == 0 && (EVP_DigestInit_ex2(etm->inner, md, NULL) != 1 ||
                   EVP_DigestUpdate(etm->inner, pad, block) != 1)) {
        r = L2TPVOIP_ERR_CRYPTO;
    }
    if (r == 0) {
        r = l2v_hmac_pad(seal->crypto, seal->hash, key, key_len, 0x5c, pad);
    }
    if (r == 0 && (EVP_DigestInit_ex2(etm->outer, md, NULL) != 1 ||
                   EVP_DigestUpdate(etm->outer, pad, block) != 1)) {
        r = L2TPVOIP_ERR_CRYPTO;
    }
    l2v_wipe(pad, sizeof(pad));
    return r;
}

static int etm_init(struct l2v_seal *seal, const uint8_t *enc_key, size_t enc_key_len,
                    const uint8_t *auth_key, size_t auth_key_len)
{
    static const uint8_t zero_iv[16] = {0};
    struct l2v_seal_etm *etm = &seal->u.etm;
    const EVP_CIPHER *evp =
        l2v_crypto_cipher(seal->crypto, seal->cipher, enc_key_len, !seal->seals);
    bool ok;
    int r;
    if (evp == NULL || seal->crypto->md[seal->hash] == NULL) {
        return L2TPVOIP_ERR_CRYPTO_UNAVAILABLE;
    }
    if (seal->seals) {
        r = l2v_random(seal->crypto->env, etm->counter, seal->info->iv_len);
        if (r != 0) {
            return r;
        }
    }
    etm->cipher = EVP_CIPHER_CTX_new();
    if (etm->cipher == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    ERR_set_mark();
    ok = EVP_CipherInit_ex2(etm->cipher, evp, enc_key, seal->seals ? zero_iv : NULL,
                            seal->seals ? 1 : 0, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(etm->cipher, 0) == 1;
    r = ok ? key_hmac(seal, auth_key, auth_key_len) : L2TPVOIP_ERR_CRYPTO;
    ERR_pop_to_mark();
    return r;
}

static void etm_clear(struct l2v_seal *seal)
{
    EVP_CIPHER_CTX_free(seal->u.etm.cipher);
    EVP_MD_CTX_free(seal->u.etm.inner);
    EVP_MD_CTX_free(seal->u.etm.outer);
    EVP_MD_CTX_free(seal->u.etm.work);
}

/* HMAC over aad, iv, data and tail; ret_mac has the full length of the hash. rfc4303#2.8 */
static bool compute_mac(struct l2v_seal *seal, const uint8_t *iv, const struct l2v_packet *pkt,
                        uint8_t *ret_mac)
{
    struct l2v_seal_etm *etm = &seal->u.etm;
    size_t iv_len = seal->info->iv_len;
    bool ok = EVP_MD_CTX_copy_ex(etm->work, etm->inner) == 1;
    if (pkt->aad + pkt->aad_len == iv && iv + iv_len == pkt->data) {
        /* As in an ESP packet: one run of bytes. */
        ok = ok && EVP_DigestUpdate(etm->work, pkt->aad, pkt->aad_len + iv_len + pkt->len) == 1;
    } else {
        ok = ok && EVP_DigestUpdate(etm->work, pkt->aad, pkt->aad_len) == 1 &&
             EVP_DigestUpdate(etm->work, iv, iv_len) == 1 &&
             EVP_DigestUpdate(etm->work, pkt->data, pkt->len) == 1;
    }
    if (pkt->tail_len > 0) {
        ok = ok && EVP_DigestUpdate(etm->work, pkt->tail, pkt->tail_len) == 1;
    }
    return ok && EVP_DigestFinal_ex(etm->work, ret_mac, NULL) == 1 &&
           EVP_MD_CTX_copy_ex(etm->work, etm->outer) == 1 &&
           EVP_DigestUpdate(etm->work, ret_mac, l2v_hash_len(seal->hash)) == 1 &&
           EVP_DigestFinal_ex(etm->work, ret_mac, NULL) == 1;
}

static void count_up(uint8_t *counter, size_t len)
{
    for (size_t i = len; i > 0; i--) {
        if (++counter[i - 1] != 0) {
            return;
        }
    }
}

static int etm_seal(struct l2v_seal *seal, uint64_t seq, const struct l2v_packet *pkt)
{
    struct l2v_seal_etm *etm = &seal->u.etm;
    size_t iv_len = seal->info->iv_len;
    uint8_t mac[L2V_HASH_MAX];
    bool ok;
    (void)seq;
    count_up(etm->counter, iv_len);
    memcpy(pkt->iv_out, etm->counter, iv_len);
    if (pkt->iv_out + iv_len == pkt->data) {
        ok = EVP_Cipher(etm->cipher, pkt->iv_out, pkt->iv_out, (unsigned)(iv_len + pkt->len)) > 0;
    } else {
        ok = EVP_Cipher(etm->cipher, pkt->iv_out, pkt->iv_out, (unsigned)iv_len) > 0 &&
             (pkt->len == 0 ||
              EVP_Cipher(etm->cipher, pkt->data, pkt->data, (unsigned)pkt->len) > 0);
    }
    if (!ok || !compute_mac(seal, pkt->iv_out, pkt, mac)) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    memcpy(pkt->icv_out, mac, seal->info->icv_len);
    return 0;
}

/* One block of 8 or 16 bytes, in words. */
static inline void xor_block(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t block)
{
    for (size_t i = 0; i < block; i += 8) {
        uint64_t x;
        uint64_t y;
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        x ^= y;
        memcpy(out + i, &x, 8);
    }
}

/* data[from, from + n): D(block) XOR the ciphertext block in front of it, which is still there
 * because the rounds and the blocks go from the end to the start. */
static bool decrypt_round(struct l2v_seal *seal, const uint8_t *iv, uint8_t *data, size_t from,
                          size_t n)
{
    size_t block = seal->info->block;
    uint8_t *plain = seal->crypto->scratch;
    uint8_t *at = data + from;
    if (EVP_Cipher(seal->u.etm.cipher, plain, at, (unsigned)n) <= 0) {
        return false;
    }
    for (size_t i = n - block; i > 0; i -= block) {
        xor_block(at + i, at + i - block, plain + i, block);
    }
    xor_block(at, from > 0 ? at - block : iv, plain, block);
    return true;
}

static int etm_open(struct l2v_seal *seal, const struct l2v_packet *pkt)
{
    uint8_t mac[L2V_HASH_MAX];
    size_t left = pkt->len;
    if (!compute_mac(seal, pkt->iv, pkt, mac)) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    if (!l2v_equal_ct(mac, pkt->icv, seal->info->icv_len)) {
        return L2TPVOIP_ERR_INTEGRITY;
    }
    while (left > 0) {
        size_t n = left < L2V_CRYPTO_SCRATCH ? left : L2V_CRYPTO_SCRATCH;
        if (!decrypt_round(seal, pkt->iv, pkt->data, left - n, n)) {
            return L2TPVOIP_ERR_CRYPTO;
        }
        left -= n;
    }
    return 0;
}

const struct l2v_seal_ops l2v_seal_etm_ops = {etm_init, etm_clear, etm_seal, etm_open};
