/* SPDX-License-Identifier: MIT */
/* AES-GCM (RFC 4106) from two public parts of libcrypto: AES-ECB makes the key stream of a whole
 * packet in one call, CRYPTO_gcm128_* hashes. That is some three times faster for voice packets
 * than EVP's own GCM, whose cost is the handling of parameters, and allocates nothing. */
#include "crypto_internal.h"

#include "base_wire.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/modes.h>

#define MAX_BLOCKS (L2V_CRYPTO_SCRATCH / 16)

static void encrypt_blocks(struct l2v_seal *seal, const uint8_t *in, uint8_t *out, size_t len)
{
    if (EVP_Cipher(seal->u.gcm.ecb, out, in, (unsigned)len) <= 0) {
        memset(out, 0, len);
        seal->u.gcm.failed = true;
    }
}

/* Makes the key stream of the counter blocks first, first + 1, … */
static void fill_stream(struct l2v_seal *seal, uint32_t first, size_t n)
{
    struct l2v_seal_gcm *gcm = &seal->u.gcm;
    uint8_t *stream = seal->crypto->scratch;
    n = n < MAX_BLOCKS ? n : MAX_BLOCKS;
    for (size_t i = 0; i < n; i++) {
        memcpy(stream + 16 * i, gcm->nonce, 12);
        l2v_put_u32(stream + 16 * i + 12, first + (uint32_t)i);
    }
    encrypt_blocks(seal, stream, stream, 16 * n);
    gcm->first = first;
    gcm->n = (uint32_t)n;
}

/* One block, as CRYPTO_gcm128_* asks for it: E(0) at the start, then the mask of the tag (block 1)
 * and a last partial block, which are in the key stream already. */
static void one_block(const unsigned char in[16], unsigned char out[16], const void *key)
{
    struct l2v_seal *seal = *(struct l2v_seal *const *)key;
    uint32_t at = l2v_get_u32(in + 12) - seal->u.gcm.first;
    if (at < seal->u.gcm.n) {
        memcpy(out, seal->crypto->scratch + 16 * (size_t)at, 16);
    } else {
        encrypt_blocks(seal, in, out, 16);
    }
}

/* Whole blocks, in words: the compiler must not fear that mask and out overlap. */
static void xor_blocks(uint8_t *out, const uint8_t *in, const uint8_t *mask, size_t len)
{
    for (size_t i = 0; i < len; i += 16) {
        uint64_t a[2];
        uint64_t b[2];
        memcpy(a, in + i, 16);
        memcpy(b, mask + i, 16);
        a[0] ^= b[0];
        a[1] ^= b[1];
        memcpy(out + i, a, 16);
    }
}

/* Whole blocks from counter block ivec on. */
static void many_blocks(const unsigned char *in, unsigned char *out, size_t blocks, const void *key,
                        const unsigned char ivec[16])
{
    struct l2v_seal *seal = *(struct l2v_seal *const *)key;
    struct l2v_seal_gcm *gcm = &seal->u.gcm;
    uint32_t counter = l2v_get_u32(ivec + 12);
    while (blocks > 0) {
        uint32_t at = counter - gcm->first;
        size_t n;
        if (at >= gcm->n) {
            fill_stream(seal, counter, blocks + 1);
            at = 0;
        }
        n = gcm->n - at < blocks ? gcm->n - at : blocks;
        xor_blocks(out, in, seal->crypto->scratch + 16 * (size_t)at, 16 * n);
        in += 16 * n;
        out += 16 * n;
        blocks -= n;
        counter += (uint32_t)n;
    }
}

static int gcm_init(struct l2v_seal *seal, const uint8_t *enc_key, size_t enc_key_len,
                    const uint8_t *auth_key, size_t auth_key_len)
{
    struct l2v_seal_gcm *gcm = &seal->u.gcm;
    size_t key_len = enc_key_len - 4;
    const EVP_CIPHER *ecb = l2v_crypto_cipher(seal->crypto, L2V_CIPHER_AES_CBC, key_len, true);
    bool ok;
    (void)auth_key;
    (void)auth_key_len;
    if (ecb == NULL) {
        return L2TPVOIP_ERR_CRYPTO_UNAVAILABLE;
    }
    gcm->ecb = EVP_CIPHER_CTX_new();
    if (gcm->ecb == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    ERR_set_mark();
    ok = EVP_EncryptInit_ex2(gcm->ecb, ecb, enc_key, NULL, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(gcm->ecb, 0) == 1;
    ERR_pop_to_mark();
    if (!ok) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    memcpy(gcm->nonce, enc_key + key_len, 4);
    /* libcrypto keeps the pointer: to where the object has its own address. */
    gcm->self = seal;
    gcm->gcm = CRYPTO_gcm128_new(&gcm->self, one_block);
    if (gcm->gcm == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    return gcm->failed ? L2TPVOIP_ERR_CRYPTO : 0;
}

static void gcm_clear(struct l2v_seal *seal)
{
    EVP_CIPHER_CTX_free(seal->u.gcm.ecb);
    CRYPTO_gcm128_release(seal->u.gcm.gcm); /* wipes */
}

/* Everything before the payload: key stream, counter, associated data. */
static bool start_packet(struct l2v_seal *seal, const uint8_t *iv, const struct l2v_packet *pkt)
{
    struct l2v_seal_gcm *gcm = &seal->u.gcm;
    memcpy(gcm->nonce + 4, iv, 8);
    fill_stream(seal, 1, 1 + (pkt->len + 15) / 16);
    CRYPTO_gcm128_setiv(gcm->gcm, gcm->nonce, 12);
    return pkt->aad_len == 0 || CRYPTO_gcm128_aad(gcm->gcm, pkt->aad, pkt->aad_len) == 0;
}

static int gcm_seal(struct l2v_seal *seal, uint64_t seq, const struct l2v_packet *pkt)
{
    struct l2v_seal_gcm *gcm = &seal->u.gcm;
    bool ok;
    l2v_put_u64(pkt->iv_out, seq ^ seal->iv_base);
    ok = start_packet(seal, pkt->iv_out, pkt) &&
         CRYPTO_gcm128_encrypt_ctr32(gcm->gcm, pkt->data, pkt->data, pkt->len, many_blocks) == 0;
    gcm->n = 0;
    if (!ok || gcm->failed) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    CRYPTO_gcm128_tag(gcm->gcm, pkt->icv_out, seal->info->icv_len);
    return 0;
}

static int gcm_open(struct l2v_seal *seal, const struct l2v_packet *pkt)
{
    struct l2v_seal_gcm *gcm = &seal->u.gcm;
    bool ok =
        start_packet(seal, pkt->iv, pkt) &&
        CRYPTO_gcm128_decrypt_ctr32(gcm->gcm, pkt->data, pkt->data, pkt->len, many_blocks) == 0;
    gcm->n = 0;
    if (!ok || gcm->failed) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    /* Compares in constant time. */
    return CRYPTO_gcm128_finish(gcm->gcm, pkt->icv, seal->info->icv_len) == 0
               ? 0
               : L2TPVOIP_ERR_INTEGRITY;
}

const struct l2v_seal_ops l2v_seal_gcm_ops = {gcm_init, gcm_clear, gcm_seal, gcm_open};
