/* SPDX-License-Identifier: MIT */
/* Key-log lines in the formats of Wireshark's tables. Nothing is formatted unless the tap has a
 * key sink; lines are wiped. */
#ifndef L2V_IKE_KEYLOG_H
#define L2V_IKE_KEYLOG_H

#include "base_env.h"
#include "ike1_keys.h"

/* ikev1_decryption_table: initiator cookie, encryption key (hex). */
void l2v_ike_keylog_ike1(struct l2v_env *env, const uint8_t icookie[8],
                         const struct l2v_ike1_keys *keys);

struct l2v_ike_keylog_esp {
    const l2tpvoip_addr *src, *dst;
    uint32_t spi;
    enum l2v_suite_id suite;
    const uint8_t *enc; /* with salt */
    size_t enc_len;
    const uint8_t *auth;
    size_t auth_len;
    bool esn;
};
/* esp_sa: protocol, src, dst, SPI, cipher, key, auth, key, ESN. One direction. */
void l2v_ike_keylog_esp_sa(struct l2v_env *env, const struct l2v_ike_keylog_esp *k);

#endif
