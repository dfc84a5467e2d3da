/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman: the table of groups, and X25519 (RFC 8031).
 * These functions run on any thread. They read of l2v_crypto only what l2v_crypto_new made and
 * nothing changes later, and take memory from libcrypto (OPENSSL_zalloc), never from the context's
 * allocator, which belongs to the owner's thread. Random comes from libcrypto's per-thread
 * generator. */
#include "crypto_internal.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* rfc3526, rfc5903#8 (KE data is x | y, the secret is x), rfc8031#2. Short exponents: rfc7919#5.2,
 * rounded up to whole machine words, which costs nothing, since the exponentiation takes the same
 * time for every exponent of the same number of words. */
static const struct l2v_dh_kind kinds[] = {
    {L2V_DH_MODP1024, 0, 128, 128, 192, &l2v_dh_modp_ops},
    {L2V_DH_MODP1536, 1, 192, 192, 256, &l2v_dh_modp_ops},
    {L2V_DH_MODP2048, 2, 256, 256, 256, &l2v_dh_modp_ops},
    {L2V_DH_MODP3072, 3, 384, 384, 320, &l2v_dh_modp_ops},
    {L2V_DH_MODP4096, 4, 512, 512, 384, &l2v_dh_modp_ops},
    {L2V_DH_ECP256, 0, 64, 32, 0, &l2v_dh_ecp_ops},
    {L2V_DH_ECP384, 1, 96, 48, 0, &l2v_dh_ecp_ops},
    {L2V_DH_ECP521, 2, 132, 66, 0, &l2v_dh_ecp_ops},
    {L2V_DH_X25519, 0, 32, 32, 0, &l2v_dh_x25519_ops},
};

static const struct l2v_dh_kind *find_kind(unsigned group)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].group == group) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool l2v_dh_is_known(unsigned group)
{
    return find_kind(group) != NULL;
}

size_t l2v_dh_public_len(unsigned group)
{
    const struct l2v_dh_kind *kind = find_kind(group);
    return kind != NULL ? kind->public_len : 0;
}

size_t l2v_dh_secret_len(unsigned group)
{
    const struct l2v_dh_kind *kind = find_kind(group);
    return kind != NULL ? kind->secret_len : 0;
}

int l2v_dh_new(struct l2v_crypto *crypto, unsigned group, const uint8_t *seed, size_t seed_len,
               struct l2v_dh **ret_dh)
{
    const struct l2v_dh_kind *kind = find_kind(group);
    struct l2v_dh *dh;
    int r;
    if (kind == NULL || !kind->ops->available(crypto, kind)) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    dh = OPENSSL_zalloc(sizeof(*dh));
    if (dh == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    dh->crypto = crypto;
    dh->kind = kind;
    ERR_set_mark();
    r = kind->ops->generate(dh, seed, seed_len);
    ERR_pop_to_mark();
    if (r != 0) {
        l2v_dh_free(dh);
        return r;
    }
    *ret_dh = dh;
    return 0;
}

void l2v_dh_free(struct l2v_dh *dh)
{
    if (dh != NULL) {
        BN_clear_free(dh->priv);
        EVP_PKEY_free(dh->pkey); /* wipes */
        OPENSSL_clear_free(dh, sizeof(*dh));
    }
}

const uint8_t *l2v_dh_public(const struct l2v_dh *dh, size_t *ret_len)
{
    *ret_len = dh->kind->public_len;
    return dh->public_value;
}

int l2v_dh_derive(struct l2v_dh *dh, const uint8_t *peer, size_t peer_len, uint8_t *ret_secret)
{
    uint8_t secret[L2V_DH_MAX_SECRET];
    int r;
    /* rfc5903#8, rfc6989#2: a value of another length is refused, never padded. */
    if (peer_len != dh->kind->public_len) {
        return L2TPVOIP_ERR_PROTOCOL;
    }
    ERR_set_mark();
    r = dh->kind->ops->derive(dh, peer, secret);
    ERR_pop_to_mark();
    if (r == 0) {
        memcpy(ret_secret, secret, dh->kind->secret_len);
    }
    l2v_wipe(secret, sizeof(secret));
    return r;
}

/* --- X25519 -------------------------------------------------------------------------------- */

static bool x25519_available(const struct l2v_crypto *crypto, const struct l2v_dh_kind *kind)
{
    (void)crypto;
    (void)kind;
    return true;
}

static int x25519_generate(struct l2v_dh *dh, const uint8_t *seed, size_t seed_len)
{
    uint8_t priv[32];
    size_t len = sizeof(priv);
    int r = L2TPVOIP_ERR_CRYPTO;
    if (seed != NULL) {
        if (seed_len != sizeof(priv)) {
            return L2TPVOIP_ERR_INVALID;
        }
        memcpy(priv, seed, sizeof(priv));
    } else if (RAND_priv_bytes_ex(dh->crypto->libctx, priv, sizeof(priv), 0) != 1) {
        return L2TPVOIP_ERR_CRYPTO;
    }
    dh->pkey =
        EVP_PKEY_new_raw_private_key_ex(dh->crypto->libctx, "X25519", NULL, priv, sizeof(priv));
    if (dh->pkey != NULL && EVP_PKEY_get_raw_public_key(dh->pkey, dh->public_value, &len) == 1 &&
        len == 32) {
        r = 0;
    }
    l2v_wipe(priv, sizeof(priv));
    return r;
}

/* rfc7748#6.1, rfc8031#2.4: an all-zero result means that the peer sent a point of small order. */
static bool is_zero_ct(const uint8_t *p, size_t len)
{
    unsigned any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= p[i];
    }
    return any == 0;
}

static int x25519_derive(struct l2v_dh *dh, const uint8_t *peer, uint8_t *ret_secret)
{
    OSSL_LIB_CTX *libctx = dh->crypto->libctx;
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key_ex(libctx, "X25519", NULL, peer, 32);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, dh->pkey, NULL);
    size_t len = 32;
    int r = L2TPVOIP_ERR_CRYPTO;
    /* No validation by libcrypto: every 32 bytes are a point, and the result is looked at. */
    if (other != NULL && ctx != NULL && EVP_PKEY_derive_init_ex(ctx, NULL) == 1 &&
        EVP_PKEY_derive_set_peer_ex(ctx, other, 0) == 1) {
        /* libcrypto 3 fails here itself when the result is zero. */
        r = EVP_PKEY_derive(ctx, ret_secret, &len) == 1 && len == 32 && !is_zero_ct(ret_secret, 32)
                ? 0
                : L2TPVOIP_ERR_PROTOCOL;
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
    return r;
}

const struct l2v_dh_ops l2v_dh_x25519_ops = {x25519_available, x25519_generate, x25519_derive};
