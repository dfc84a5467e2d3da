/* SPDX-License-Identifier: MIT */
/* MS-CHAPv2 arithmetic: RFC 2759 §8 and the keys of RFC 3079 §3. */
#include "eap_internal.h"

#include <string.h>

#include "base_secure.h"

/* rfc2759#8.3 MD4 of the password in UTF-16LE */
static int hash_password(struct l2v_crypto *c, const uint8_t *password, size_t password_len,
                         uint8_t ret_hash[16])
{
    uint8_t unicode[2 * L2V_EAP_PASSWORD_UNITS];
    struct l2v_iov iov = {unicode, 0};
    int r = l2v_eap_utf8_to_utf16le(password, password_len, unicode, sizeof(unicode), &iov.len);
    if (r == 0) {
        r = l2v_digest(c, L2V_HASH_MD4, &iov, 1, ret_hash);
    }
    l2v_wipe(unicode, sizeof(unicode));
    return r;
}

/* rfc2759#4 "only the user name is used, without any associated Windows NT domain name" */
static void strip_domain(struct l2v_iov *user)
{
    const char *name = user->data;
    for (size_t i = user->len; i > 0; i--) {
        if (name[i - 1] == '\\') {
            user->data = name + i;
            user->len -= i;
            return;
        }
    }
}

/* rfc2759#8.2 the first 8 bytes of SHA1(peer challenge | authenticator challenge | user name) */
static int hash_challenge(struct l2v_crypto *c, const uint8_t peer_challenge[16],
                          const uint8_t auth_challenge[16], const char *user, size_t user_len,
                          uint8_t ret_challenge[8])
{
    struct l2v_iov iov[3] = {{peer_challenge, 16}, {auth_challenge, 16}, {user, user_len}};
    uint8_t digest[L2V_HASH_MAX];
    int r;
    strip_domain(&iov[2]);
    r = l2v_digest(c, L2V_HASH_SHA1, iov, 3, digest);
    if (r == 0) {
        memcpy(ret_challenge, digest, 8);
    }
    return r;
}

/* rfc2759#8.5 three DES encryptions by the thirds of the hash, filled up with zeros */
static int answer_challenge(struct l2v_crypto *c, const uint8_t challenge[8],
                            const uint8_t hash[16], uint8_t ret[24])
{
    uint8_t keys[21] = {0};
    int r = 0;
    memcpy(keys, hash, 16);
    for (unsigned i = 0; r == 0 && i < 3; i++) {
        r = l2v_des_mschap(c, keys + 7 * i, challenge, ret + 8 * i);
    }
    l2v_wipe(keys, sizeof(keys));
    return r;
}

/* rfc2759#8.1 */
int l2v_mschapv2_nt_response(struct l2v_crypto *c, const uint8_t auth_challenge[16],
                             const uint8_t peer_challenge[16], const char *user, size_t user_len,
                             const uint8_t *password, size_t password_len, uint8_t ret[24])
{
    uint8_t challenge[8];
    uint8_t hash[16];
    uint8_t response[24];
    int r = hash_challenge(c, peer_challenge, auth_challenge, user, user_len, challenge);
    if (r == 0) {
        r = hash_password(c, password, password_len, hash);
    }
    if (r == 0) {
        r = answer_challenge(c, challenge, hash, response);
    }
    if (r == 0) {
        memcpy(ret, response, 24);
    }
    l2v_wipe(hash, sizeof(hash));
    return r;
}

/* rfc2759#8.4 MD4 of the MD4 */
static int hash_password_twice(struct l2v_crypto *c, const uint8_t *password, size_t password_len,
                               uint8_t ret_hash[16])
{
    uint8_t hash[16];
    const struct l2v_iov iov = {hash, sizeof(hash)};
    int r = hash_password(c, password, password_len, hash);
    if (r == 0) {
        r = l2v_digest(c, L2V_HASH_MD4, &iov, 1, ret_hash);
    }
    l2v_wipe(hash, sizeof(hash));
    return r;
}

/* rfc2759#8.7 */
int l2v_mschapv2_authenticator_response(struct l2v_crypto *c, const uint8_t *password,
                                        size_t password_len, const uint8_t nt_response[24],
                                        const uint8_t peer_challenge[16],
                                        const uint8_t auth_challenge[16], const char *user,
                                        size_t user_len, char ret[43])
{
    static const char magic1[] = "Magic server to client signing constant";
    static const char magic2[] = "Pad to make it do more than one iteration";
    static const char hex[] = "0123456789ABCDEF";
    uint8_t hash[16];
    uint8_t challenge[8];
    uint8_t digest[L2V_HASH_MAX];
    const struct l2v_iov first[3] = {
        {hash, sizeof(hash)}, {nt_response, 24}, {magic1, sizeof(magic1) - 1}};
    const struct l2v_iov second[3] = {
        {digest, 20}, {challenge, sizeof(challenge)}, {magic2, sizeof(magic2) - 1}};
    int r = hash_password_twice(c, password, password_len, hash);
    if (r == 0) {
        r = l2v_digest(c, L2V_HASH_SHA1, first, 3, digest);
    }
    if (r == 0) {
        r = hash_challenge(c, peer_challenge, auth_challenge, user, user_len, challenge);
    }
    if (r == 0) {
        r = l2v_digest(c, L2V_HASH_SHA1, second, 3, digest);
    }
    if (r == 0) {
        ret[0] = 'S';
        ret[1] = '=';
        for (unsigned i = 0; i < 20; i++) {
            ret[2 + 2 * i] = hex[digest[i] >> 4];
            ret[3 + 2 * i] = hex[digest[i] & 15];
        }
        ret[42] = '\0';
    }
    l2v_wipe(hash, sizeof(hash));
    l2v_wipe(digest, sizeof(digest));
    return r;
}

/* rfc3079#3.4 GetAsymmetricStartKey: "On the client side, this is the send key; on the server
 * side, it is the receive key." and the other way round. */
static const char to_server[] =
    "On the client side, this is the send key; on the server side, it is the receive key.";
static const char to_client[] =
    "On the client side, this is the receive key; on the server side, it is the send key.";

static int derive_start_key(struct l2v_crypto *c, const uint8_t master[16], const char *magic,
                            size_t magic_len, uint8_t ret_key[16])
{
    uint8_t pad1[40];
    uint8_t pad2[40];
    uint8_t digest[L2V_HASH_MAX];
    const struct l2v_iov iov[4] = {
        {master, 16}, {pad1, sizeof(pad1)}, {magic, magic_len}, {pad2, sizeof(pad2)}};
    int r;
    memset(pad1, 0, sizeof(pad1));
    memset(pad2, 0xf2, sizeof(pad2));
    r = l2v_digest(c, L2V_HASH_SHA1, iov, 4, digest);
    if (r == 0) {
        memcpy(ret_key, digest, 16);
    }
    l2v_wipe(digest, sizeof(digest));
    return r;
}

int l2v_mschapv2_keys(struct l2v_crypto *c, const uint8_t *password, size_t password_len,
                      const uint8_t nt_response[24], uint8_t ret_recv[16], uint8_t ret_send[16])
{
    /* rfc3079#3.4 GetMasterKey */
    static const char magic[] = "This is the MPPE Master Key";
    uint8_t hash[16];
    uint8_t master[L2V_HASH_MAX];
    const struct l2v_iov iov[3] = {
        {hash, sizeof(hash)}, {nt_response, 24}, {magic, sizeof(magic) - 1}};
    int r = hash_password_twice(c, password, password_len, hash);
    if (r == 0) {
        r = l2v_digest(c, L2V_HASH_SHA1, iov, 3, master);
    }
    if (r == 0) {
        r = derive_start_key(c, master, to_server, sizeof(to_server) - 1, ret_recv);
    }
    if (r == 0) {
        r = derive_start_key(c, master, to_client, sizeof(to_client) - 1, ret_send);
    }
    l2v_wipe(hash, sizeof(hash));
    l2v_wipe(master, sizeof(master));
    return r;
}
