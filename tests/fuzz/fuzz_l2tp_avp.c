/* SPDX-License-Identifier: MIT */
/* L2TP AVPs: any octets as a message, in clear and with a secret; what is read is built again and
 * must read the same. The first byte chooses. */
#include <stdlib.h>

#include "l2tp_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int make_random(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++) {
        dst[i] = (uint8_t)(i * 7 + 3);
    }
    return 0;
}

static void rebuild(struct l2v_env *env, const struct l2v_avp_secret *secret,
                    const struct l2v_l2tp_msg *m, bool hide)
{
    static uint8_t body[65536], scratch[65536];
    struct l2v_l2tp_msg again;
    size_t len = 0;
    if (l2v_l2tp_msg_build(m, env, secret, hide, body, sizeof body, &len) != 0) {
        return; /* a hidden value may not fit any more, a stray byte in a Result Code is dropped */
    }
    l2v_l2tp_msg_parse(body, len, secret, scratch, sizeof scratch, &again);
    if (again.verdict != L2V_L2TP_FINE || again.type != m->type || again.seen != m->seen) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct l2v_env env;
    static struct l2v_crypto *crypto;
    static uint8_t scratch[65536];
    char text[160];
    if (crypto == NULL) {
        l2tpvoip_env_ops ops = {.size = sizeof ops, .random = make_random};
        if (l2v_env_init(&env, NULL, &ops, NULL, NULL, 1) != 0 ||
            l2v_crypto_new(&env, NULL, &crypto) != 0) {
            abort();
        }
    }
    if (len < 1) {
        return 0;
    }
    struct l2v_avp_secret secret = {crypto, (const uint8_t *)"s3cret", 6};
    bool with_secret = (data[0] & 1u) != 0;
    struct l2v_l2tp_msg m;
    /* A whole message of the seeds has its AVPs behind 12 bytes of header. */
    size_t skip = (data[0] & 0xc0u) == 0xc0u && len >= 12 ? 12 : 1;
    l2v_l2tp_msg_parse(data + skip, len - skip, with_secret ? &secret : NULL, scratch,
                       sizeof scratch, &m);
    l2v_l2tp_msg_describe(&m, text, sizeof text);
    if (m.verdict == L2V_L2TP_FINE) {
        rebuild(&env, &secret, &m, false);
        rebuild(&env, &secret, &m, true);
    }
    return 0;
}
