/* SPDX-License-Identifier: MIT */
/* ECP groups 19, 20, 21 (RFC 5903) by libcrypto's curve arithmetic. Reading the peer's point
 * checks that both coordinates are below p and that it lies on the curve; the cofactor is 1, so
 * that this is full validation (RFC 6989 §2.3), and EVP's costly second one is not needed. */
#include "crypto_internal.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

static const int nids[L2V_N_ECP] = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};

int l2v_ecp_setup(struct l2v_crypto *crypto)
{
    for (unsigned i = 0; i < L2V_N_ECP; i++) {
        /* A curve that this libcrypto lacks stays NULL: UNSUPPORTED. */
        crypto->ecp[i] = EC_GROUP_new_by_curve_name_ex(crypto->libctx, NULL, nids[i]);
    }
    return 0;
}

void l2v_ecp_clear(struct l2v_crypto *crypto)
{
    for (unsigned i = 0; i < L2V_N_ECP; i++) {
        EC_GROUP_free(crypto->ecp[i]);
    }
}

static bool ecp_available(const struct l2v_crypto *crypto, const struct l2v_dh_kind *kind)
{
    return crypto->ecp[kind->index] != NULL;
}

static int make_private(struct l2v_dh *dh, const uint8_t *seed, size_t seed_len, BN_CTX *bn)
{
    const BIGNUM *order = EC_GROUP_get0_order(dh->crypto->ecp[dh->kind->index]);
    if (seed != NULL) {
        if (seed_len == 0 || seed_len > dh->kind->secret_len) {
            return L2TPVOIP_ERR_INVALID;
        }
        dh->priv = BN_bin2bn(seed, (int)seed_len, NULL);
        if (dh->priv == NULL) {
            return L2TPVOIP_ERR_NOMEM;
        }
        if (BN_is_zero(dh->priv) || BN_cmp(dh->priv, order) >= 0) {
            return L2TPVOIP_ERR_INVALID;
        }
    } else {
        dh->priv = BN_new();
        if (dh->priv == NULL) {
            return L2TPVOIP_ERR_NOMEM;
        }
        do {
            if (BN_priv_rand_range_ex(dh->priv, order, 0, bn) != 1) {
                return L2TPVOIP_ERR_CRYPTO;
            }
        } while (BN_is_zero(dh->priv));
    }
    BN_set_flags(dh->priv, BN_FLG_CONSTTIME);
    return 0;
}

static int ecp_generate(struct l2v_dh *dh, const uint8_t *seed, size_t seed_len)
{
    const EC_GROUP *group = dh->crypto->ecp[dh->kind->index];
    uint8_t octets[1 + 132];
    size_t len = 1 + (size_t)dh->kind->public_len;
    BN_CTX *bn = BN_CTX_new_ex(dh->crypto->libctx);
    EC_POINT *point = EC_POINT_new(group);
    int r = L2TPVOIP_ERR_NOMEM;
    if (bn != NULL && point != NULL) {
        r = make_private(dh, seed, seed_len, bn);
    }
    if (r == 0) {
        r = L2TPVOIP_ERR_CRYPTO;
        if (EC_POINT_mul(group, point, dh->priv, NULL, NULL, bn) == 1 &&
            EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets, sizeof(octets),
                               bn) == len) {
            /* rfc5903#7: x and y, without the octet that tells the form */
            memcpy(dh->public_value, octets + 1, len - 1);
            r = 0;
        }
    }
    EC_POINT_free(point);
    BN_CTX_free(bn);
    return r;
}

/* private * point; only x counts. rfc5903#9 */
static int multiply(const struct l2v_dh *dh, EC_POINT *point, BN_CTX *bn, uint8_t *ret_secret)
{
    const EC_GROUP *group = dh->crypto->ecp[dh->kind->index];
    EC_POINT *result = EC_POINT_new(group);
    BIGNUM *x = BN_new();
    int r = L2TPVOIP_ERR_NOMEM;
    if (result != NULL && x != NULL) {
        r = L2TPVOIP_ERR_CRYPTO;
        if (EC_POINT_mul(group, result, NULL, point, dh->priv, bn) == 1 &&
            EC_POINT_is_at_infinity(group, result) == 0 &&
            EC_POINT_get_affine_coordinates(group, result, x, NULL, bn) == 1 &&
            BN_bn2binpad(x, ret_secret, dh->kind->secret_len) == dh->kind->secret_len) {
            r = 0;
        }
    }
    BN_clear_free(x);
    EC_POINT_clear_free(result);
    return r;
}

static int ecp_derive(struct l2v_dh *dh, const uint8_t *peer, uint8_t *ret_secret)
{
    const EC_GROUP *group = dh->crypto->ecp[dh->kind->index];
    uint8_t octets[1 + 132];
    size_t len = 1 + (size_t)dh->kind->public_len;
    BN_CTX *bn = BN_CTX_new_ex(dh->crypto->libctx);
    EC_POINT *point = EC_POINT_new(group);
    int r = L2TPVOIP_ERR_NOMEM;
    octets[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(octets + 1, peer, len - 1);
    if (bn != NULL && point != NULL) {
        r = EC_POINT_oct2point(group, point, octets, len, bn) == 1 &&
                    EC_POINT_is_on_curve(group, point, bn) == 1
                ? multiply(dh, point, bn, ret_secret)
                : L2TPVOIP_ERR_PROTOCOL;
    }
    EC_POINT_free(point);
    BN_CTX_free(bn);
    return r;
}

const struct l2v_dh_ops l2v_dh_ecp_ops = {ecp_available, ecp_generate, ecp_derive};
