/* SPDX-License-Identifier: MIT */
/* EAP in both roles. The input is a list of packets, each behind a 16-bit length, given to a peer
 * and to an authenticator. The bytes of a packet go in as they are, apart from the identifier,
 * which is set right when the top bit of the length is set, so that deep states can be reached.
 * Then the same bytes as a failure message. */
#include <string.h>

#include "../unit/test_env.h"
#include "l2v_eap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int get_password(void *user, const char *name, size_t name_len, const uint8_t **ret_password,
                        size_t *ret_len)
{
    (void)user;
    if (name_len > 0 && name[0] == 'x') {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    *ret_password = (const uint8_t *)"clientPass";
    *ret_len = 10;
    return 0;
}

static const struct l2v_eap_ops ops = {get_password};

static void converse(struct l2v_eap *eap, const uint8_t *data, size_t len)
{
    uint8_t id = 0;
    uint8_t out[1500];
    size_t out_len = 0;
    if (l2v_eap_start(eap, out, sizeof(out), &out_len) == 0) {
        id = out[1];
    }
    while (len >= 2) {
        size_t n = ((size_t)data[0] << 8 | data[1]) & 0x7fff;
        bool fix = (data[0] & 0x80) != 0;
        int state = -1;
        uint8_t *packet;
        uint8_t msk[64];
        size_t identity_len;
        n = n < len - 2 ? n : len - 2;
        packet = malloc(n > 0 ? n : 1); /* exactly as long as the packet, for the sanitizer */
        if (packet == NULL) {
            return;
        }
        memcpy(packet, data + 2, n);
        if (fix && n >= 2) {
            packet[1] = id;
        }
        (void)l2v_eap_input(eap, packet, n, out, n % 7 == 0 ? n : sizeof(out), &out_len, &state);
        free(packet);
        if (out_len > 1) {
            id = out[1];
        }
        if (state < L2V_EAP_CONTINUE || state > L2V_EAP_FAILURE) {
            abort();
        }
        /* Nobody who does not know the password may come through with keys. */
        if (l2v_eap_get_msk(eap, msk) == 0) {
            abort();
        }
        (void)l2v_eap_get_identity(eap, &identity_len);
        data += 2 + n;
        len -= 2 + n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct l2v_crypto *crypto; /* costly; holds no state of a conversation */
    static struct test_env te;
    struct l2v_mschapv2_failure failure;
    struct l2v_eap *eap = NULL;
    if (crypto == NULL &&
        (test_env_init(&te, 1) != 0 || l2v_crypto_new(&te.env, NULL, &crypto) != 0)) {
        abort();
    }
    for (unsigned role = 0; role < 2; role++) {
        uint32_t methods = (len & 3u) != 0 ? len & 3u : 3u;
        te.seed = 1;
        te.env.rnd_left = 0;
        if (l2v_eap_new(&te.env, crypto, role == 1, methods, "User", &ops, NULL, &eap) != 0) {
            return 0;
        }
        converse(eap, data, len);
        l2v_eap_free(eap);
    }
    if (l2v_mschapv2_parse_failure(data, len, &failure) == 0 &&
        memchr(failure.message, 0, sizeof(failure.message)) == NULL) {
        abort();
    }
    return 0;
}
