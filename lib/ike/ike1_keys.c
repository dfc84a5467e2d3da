/* SPDX-License-Identifier: MIT */
/* IKEv1 key derivation, RFC 2409 section 5 and appendix B. */
#include <l2tpvoip/error.h>

#include "base_secure.h"
#include "base_wire.h"
#include "ike1_keys.h"

#define PARTS(array) (array), sizeof(array) / sizeof((array)[0])

void l2v_ike1_keys_wipe(struct l2v_ike1_keys *keys)
{
    l2v_wipe(keys, sizeof(*keys));
}

/* rfc2409#appendix-B: one block is cut; more come from feeding the PRF back into itself. */
int l2v_ike1_expand_enc_key(struct l2v_crypto *crypto, enum l2v_hash hash, const uint8_t *skeyid_e,
                            size_t want, uint8_t *ret_key)
{
    static const uint8_t zero[1] = {0};
    uint8_t block[L2V_HASH_MAX];
    size_t hash_len = l2v_hash_len(hash);
    struct l2v_iov in[1] = {{zero, sizeof(zero)}};
    size_t done = 0;
    int rc = 0;

    if (hash_len == 0 || want > 2 * L2V_HASH_MAX) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (want <= hash_len) {
        memcpy(ret_key, skeyid_e, want);
        return 0;
    }
    while (done < want && rc == 0) {
        size_t n = want - done < hash_len ? want - done : hash_len;
        rc = l2v_hmac(crypto, hash, skeyid_e, hash_len, PARTS(in), block);
        if (rc == 0) {
            memcpy(ret_key + done, block, n);
        }
        in[0] = (struct l2v_iov){block, hash_len};
        done += n;
    }
    l2v_wipe(block, sizeof(block));
    return rc;
}

/* rfc2409#5: SKEYID_d, _a, _e each hash the one before. */
static int chain_skeyid(struct l2v_crypto *crypto, const struct l2v_ike1_phase1 *p,
                        struct l2v_ike1_keys *k)
{
    uint8_t *const outs[] = {k->skeyid_d, k->skeyid_a, k->skeyid_e};
    const uint8_t *before = NULL;

    for (uint8_t i = 0; i < 3; i++) {
        struct l2v_iov in[5] = {
            {before, before != NULL ? k->hash_len : 0},
            {p->gxy.data, p->gxy.len},
            {p->icookie, L2V_IKE_COOKIE_LEN},
            {p->rcookie, L2V_IKE_COOKIE_LEN},
            {&i, 1},
        };
        size_t skip = before == NULL;
        int rc = l2v_hmac(crypto, k->hash, k->skeyid, k->hash_len, in + skip, 5 - skip, outs[i]);
        if (rc != 0) {
            return rc;
        }
        before = outs[i];
    }
    return 0;
}

int l2v_ike1_keys_expand(struct l2v_crypto *crypto, const struct l2v_ike1_phase1 *p,
                         struct l2v_ike1_keys *keys)
{
    int rc = chain_skeyid(crypto, p, keys);
    if (rc == 0) {
        rc = l2v_ike1_expand_enc_key(crypto, keys->hash, keys->skeyid_e, keys->enc_len,
                                     keys->enc_key);
    }
    return rc;
}

static int set_algorithms(const struct l2v_ike1_p1 *chosen, struct l2v_ike1_keys *k)
{
    size_t enc_len = l2v_ike1_p1_key_len(chosen);
    k->hash = l2v_ike1_p1_hash(chosen);
    k->cipher = l2v_ike1_p1_cipher(chosen);
    if (k->hash == L2V_HASH_NONE || k->cipher == L2V_CIPHER_NONE || enc_len == 0 ||
        enc_len > sizeof(k->enc_key)) {
        return L2TPVOIP_ERR_INVALID;
    }
    k->hash_len = (uint8_t)l2v_hash_len(k->hash);
    k->enc_len = (uint8_t)enc_len;
    k->block = (uint8_t)l2v_cipher_block(k->cipher);
    return 0;
}

int l2v_ike1_keys_derive(struct l2v_crypto *crypto, const struct l2v_ike1_p1 *chosen,
                         const struct l2v_ike1_phase1 *p, const uint8_t *psk, size_t psk_len,
                         struct l2v_ike1_keys *ret_keys)
{
    struct l2v_iov nonces[2] = {{p->ni.data, p->ni.len}, {p->nr.data, p->nr.len}};
    struct l2v_ike1_keys k;
    int rc;

    memset(&k, 0, sizeof(k));
    rc = set_algorithms(chosen, &k);
    if (rc == 0) {
        rc = l2v_hmac(crypto, k.hash, psk, psk_len, PARTS(nonces), k.skeyid);
    }
    if (rc == 0) {
        rc = l2v_ike1_keys_expand(crypto, p, &k);
    }
    if (rc == 0) {
        *ret_keys = k;
    }
    l2v_ike1_keys_wipe(&k);
    return rc;
}

/* rfc2409#5: HASH_I = prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b); HASH_R has the
 * responder's values first, and SAi_b all the same. */
int l2v_ike1_hash_phase1(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                         const struct l2v_ike1_phase1 *p, bool initiator, const uint8_t *idbody,
                         size_t idbody_len, uint8_t *ret_hash)
{
    const struct l2v_ike1_bytes *first = initiator ? &p->gxi : &p->gxr;
    const struct l2v_ike1_bytes *second = initiator ? &p->gxr : &p->gxi;
    struct l2v_iov in[] = {
        {first->data, first->len},
        {second->data, second->len},
        {initiator ? p->icookie : p->rcookie, L2V_IKE_COOKIE_LEN},
        {initiator ? p->rcookie : p->icookie, L2V_IKE_COOKIE_LEN},
        {p->sai.data, p->sai.len},
        {idbody, idbody_len},
    };
    return l2v_hmac(crypto, keys->hash, keys->skeyid, keys->hash_len, PARTS(in), ret_hash);
}

/* rfc2409#5.5 rfc2409#5.7 */
int l2v_ike1_hash1(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys, uint32_t message_id,
                   const uint8_t *rest, size_t len, uint8_t *ret_hash)
{
    uint8_t mid[4];
    struct l2v_iov in[] = {{mid, sizeof(mid)}, {rest, len}};
    l2v_put_u32(mid, message_id);
    return l2v_hmac(crypto, keys->hash, keys->skeyid_a, keys->hash_len, PARTS(in), ret_hash);
}

int l2v_ike1_hash2(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys, uint32_t message_id,
                   const uint8_t *ni, size_t ni_len, const uint8_t *rest, size_t len,
                   uint8_t *ret_hash)
{
    uint8_t mid[4];
    struct l2v_iov in[] = {{mid, sizeof(mid)}, {ni, ni_len}, {rest, len}};
    l2v_put_u32(mid, message_id);
    return l2v_hmac(crypto, keys->hash, keys->skeyid_a, keys->hash_len, PARTS(in), ret_hash);
}

int l2v_ike1_hash3(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys, uint32_t message_id,
                   const uint8_t *ni, size_t ni_len, const uint8_t *nr, size_t nr_len,
                   uint8_t *ret_hash)
{
    uint8_t zero_mid[5];
    struct l2v_iov in[] = {{zero_mid, sizeof(zero_mid)}, {ni, ni_len}, {nr, nr_len}};
    zero_mid[0] = 0;
    l2v_put_u32(zero_mid + 1, message_id);
    return l2v_hmac(crypto, keys->hash, keys->skeyid_a, keys->hash_len, PARTS(in), ret_hash);
}

static int digest_iv(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                     const struct l2v_iov *in, size_t n, uint8_t *ret_iv)
{
    uint8_t hash[L2V_HASH_MAX];
    int rc = l2v_digest(crypto, keys->hash, in, n, hash);
    if (rc == 0) {
        memcpy(ret_iv, hash, keys->block);
    }
    return rc;
}

int l2v_ike1_iv_phase1(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                       const struct l2v_ike1_phase1 *p, uint8_t *ret_iv)
{
    struct l2v_iov in[] = {{p->gxi.data, p->gxi.len}, {p->gxr.data, p->gxr.len}};
    return digest_iv(crypto, keys, PARTS(in), ret_iv);
}

int l2v_ike1_iv_phase2(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys,
                       const uint8_t *last_block, uint32_t message_id, uint8_t *ret_iv)
{
    uint8_t mid[4];
    struct l2v_iov in[] = {{last_block, keys->block}, {mid, sizeof(mid)}};
    l2v_put_u32(mid, message_id);
    return digest_iv(crypto, keys, PARTS(in), ret_iv);
}

/* rfc2409#5.5: K1 = prf(SKEYID_d, x), Kn = prf(SKEYID_d, Kn-1 | x). */
int l2v_ike1_keymat(struct l2v_crypto *crypto, const struct l2v_ike1_keys *keys, uint8_t protocol,
                    uint32_t spi, const uint8_t *ni, size_t ni_len, const uint8_t *nr,
                    size_t nr_len, const uint8_t *gqm, size_t gqm_len, uint8_t *ret_enc,
                    size_t enc_len, uint8_t *ret_auth, size_t auth_len)
{
    uint8_t mat[128 + L2V_HASH_MAX], head[5];
    size_t want = enc_len + auth_len, hash_len = keys->hash_len, done = 0;
    int rc = 0;

    if (want == 0 || want > 128 || hash_len == 0) {
        return L2TPVOIP_ERR_INVALID; /* a suite without key material is no suite */
    }
    head[0] = protocol;
    l2v_put_u32(head + 1, spi);
    while (done < want && rc == 0) {
        struct l2v_iov in[5];
        size_t n = 0;
        if (done > 0) {
            in[n++] = (struct l2v_iov){mat + done - hash_len, hash_len};
        }
        if (gqm_len > 0) {
            in[n++] = (struct l2v_iov){gqm, gqm_len};
        }
        in[n++] = (struct l2v_iov){head, sizeof(head)};
        in[n++] = (struct l2v_iov){ni, ni_len};
        in[n++] = (struct l2v_iov){nr, nr_len};
        rc = l2v_hmac(crypto, keys->hash, keys->skeyid_d, hash_len, in, n, mat + done);
        done += hash_len;
    }
    if (rc == 0) {
        memcpy(ret_enc, mat, enc_len);
        if (auth_len > 0) {
            memcpy(ret_auth, mat + enc_len, auth_len);
        }
    }
    l2v_wipe(mat, sizeof(mat));
    return rc;
}
