/* SPDX-License-Identifier: MIT */
/** @file ppp.h  PPP options shared by tunnels and servers. */
#ifndef L2TPVOIP_PPP_H
#define L2TPVOIP_PPP_H

#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** Authentication methods, as bits. */
#define L2TPVOIP_AUTH_PAP 0x1u          /**< RFC 1334 */
#define L2TPVOIP_AUTH_CHAP_MD5 0x2u     /**< RFC 1994 */
#define L2TPVOIP_AUTH_MSCHAPV2 0x4u     /**< RFC 2759 */
#define L2TPVOIP_AUTH_EAP_MD5 0x8u      /**< RFC 3748 §5.4 */
#define L2TPVOIP_AUTH_EAP_MSCHAPV2 0x10u
#define L2TPVOIP_AUTH_NONE 0x20u        /**< No authentication at all. */

/** PPP options. A member that is 0 takes its default. */
typedef struct l2tpvoip_ppp_options {
    uint32_t size;
    uint32_t auth;              /**< Methods that we accept (client) or ask for (server), L2TPVOIP_AUTH_…;
                                     client default: all but PAP and NONE inside IPsec also PAP. */
    uint32_t mru;               /**< Largest packet that we receive; default: computed, at most 1500. */
    uint32_t echo_interval_s;   /**< LCP Echo-Request; default 30. */
    uint32_t echo_failures;     /**< Unanswered requests until the link is dead; default 4. */
    uint32_t restart_ms;        /**< Restart timer, RFC 1661 §4.6; default 3000 (shorter on demand). */
    uint32_t flags;             /**< L2TPVOIP_PPP_… */
    uint32_t reserved;          /**< Zero. */
    const char *user;           /**< Client: name; copied. */
    const uint8_t *password;    /**< Client: copied and wiped. UTF-8. */
    uint32_t password_len;
    uint32_t reserved2;         /**< Zero. */
    l2tpvoip_addr request_ip;   /**< Client: address to ask for; family 0 = any. */
    l2tpvoip_addr dns[2];       /**< Server: told to clients that ask (RFC 1877). */
} l2tpvoip_ppp_options;

#define L2TPVOIP_PPP_NO_IPV6 0x1u        /**< No IPV6CP. */
#define L2TPVOIP_PPP_NO_IPV4 0x2u        /**< No IPCP. */
#define L2TPVOIP_PPP_NO_COMPRESS 0x4u    /**< Ask for neither ACFC nor PFC. */
#define L2TPVOIP_PPP_SEND_FF03 0x8u      /**< Send address and control field even with ACFC agreed. */

/** Fills in size and defaults. @param size sizeof(l2tpvoip_ppp_options). Any thread. */
L2TPVOIP_API void l2tpvoip_ppp_options_init(l2tpvoip_ppp_options *options, size_t size);

L2TPVOIP_END

#endif
