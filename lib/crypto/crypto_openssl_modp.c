/* SPDX-License-Identifier: MIT */
/* MODP groups (RFC 2409, RFC 3526) by BN arithmetic in constant time, with short exponents. The
 * primes are safe, so that a range check of the peer's value is all that RFC 6989 §2.1 asks. */
#include "crypto_internal.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>

static BIGNUM *(*const primes[L2V_N_MODP])(BIGNUM *) = {
    BN_get_rfc2409_prime_1024, BN_get_rfc3526_prime_1536, BN_get_rfc3526_prime_2048,
    BN_get_rfc3526_prime_3072, BN_get_rfc3526_prime_4096,
};

static bool set_up_group(struct l2v_modp *modp, BIGNUM *(*get_prime)(BIGNUM *), BN_CTX *bn)
{
    modp->p = get_prime(NULL);
    modp->mont = BN_MONT_CTX_new();
    modp->p_minus_1 = modp->p != NULL ? BN_dup(modp->p) : NULL;
    return modp->p_minus_1 != NULL && modp->mont != NULL && BN_sub_word(modp->p_minus_1, 1) == 1 &&
           BN_MONT_CTX_set(modp->mont, modp->p, bn) == 1;
}

int l2v_modp_setup(struct l2v_crypto *crypto)
{
    BN_CTX *bn = BN_CTX_new_ex(crypto->libctx);
    bool ok = bn != NULL;
    for (unsigned i = 0; ok && i < L2V_N_MODP; i++) {
        ok = set_up_group(&crypto->modp[i], primes[i], bn);
    }
    BN_CTX_free(bn);
    return ok ? 0 : L2TPVOIP_ERR_NOMEM;
}

void l2v_modp_clear(struct l2v_crypto *crypto)
{
    for (unsigned i = 0; i < L2V_N_MODP; i++) {
        BN_free(crypto->modp[i].p);
        BN_free(crypto->modp[i].p_minus_1);
        BN_MONT_CTX_free(crypto->modp[i].mont);
    }
}

static bool modp_available(const struct l2v_crypto *crypto, const struct l2v_dh_kind *kind)
{
    return crypto->modp[kind->index].mont != NULL;
}

/* base ^ private mod p, padded to the length of p. */
static int power(const struct l2v_dh *dh, const BIGNUM *base, BN_CTX *bn, uint8_t *ret_out)
{
    const struct l2v_modp *modp = &dh->crypto->modp[dh->kind->index];
    BIGNUM *result = BN_new();
    int r = L2TPVOIP_ERR_CRYPTO;
    if (result != NULL &&
        BN_mod_exp_mont_consttime(result, base, dh->priv, modp->p, bn, modp->mont) == 1 &&
        BN_bn2binpad(result, ret_out, dh->kind->public_len) == dh->kind->public_len) {
        r = 0;
    }
    BN_clear_free(result);
    return r;
}

static int make_private(struct l2v_dh *dh, const uint8_t *seed, size_t seed_len, BN_CTX *bn)
{
    if (seed != NULL) {
        if (seed_len == 0 || seed_len > dh->kind->public_len) {
            return L2TPVOIP_ERR_INVALID;
        }
        dh->priv = BN_bin2bn(seed, (int)seed_len, NULL);
        if (dh->priv == NULL) {
            return L2TPVOIP_ERR_NOMEM;
        }
        if (BN_is_zero(dh->priv)) {
            return L2TPVOIP_ERR_INVALID;
        }
    } else {
        dh->priv = BN_new();
        if (dh->priv == NULL) {
            return L2TPVOIP_ERR_NOMEM;
        }
        /* The top bit is set: exponents of one length tell nothing by their number of words. */
        if (BN_priv_rand_ex(dh->priv, dh->kind->private_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY,
                            0, bn) != 1) {
            return L2TPVOIP_ERR_CRYPTO;
        }
    }
    BN_set_flags(dh->priv, BN_FLG_CONSTTIME);
    return 0;
}

static int modp_generate(struct l2v_dh *dh, const uint8_t *seed, size_t seed_len)
{
    BN_CTX *bn = BN_CTX_new_ex(dh->crypto->libctx);
    BIGNUM *two = BN_new();
    int r = L2TPVOIP_ERR_NOMEM;
    if (bn != NULL && two != NULL && BN_set_word(two, 2) == 1) {
        r = make_private(dh, seed, seed_len, bn);
    }
    if (r == 0) {
        r = power(dh, two, bn, dh->public_value);
    }
    BN_free(two);
    BN_CTX_free(bn);
    return r;
}

static int modp_derive(struct l2v_dh *dh, const uint8_t *peer, uint8_t *ret_secret)
{
    const struct l2v_modp *modp = &dh->crypto->modp[dh->kind->index];
    BN_CTX *bn = BN_CTX_new_ex(dh->crypto->libctx);
    BIGNUM *y = BN_bin2bn(peer, dh->kind->public_len, NULL);
    int r = L2TPVOIP_ERR_NOMEM;
    if (bn != NULL && y != NULL) {
        /* rfc6989#2.1 "1 < y < p-1" */
        bool in_range = !BN_is_zero(y) && !BN_is_one(y) && BN_cmp(y, modp->p_minus_1) < 0;
        r = in_range ? power(dh, y, bn, ret_secret) : L2TPVOIP_ERR_PROTOCOL;
    }
    BN_free(y);
    BN_CTX_free(bn);
    return r;
}

const struct l2v_dh_ops l2v_dh_modp_ops = {modp_available, modp_generate, modp_derive};
