/* SPDX-License-Identifier: MIT */
/** @file ipsec.h  IPsec options shared by tunnels and servers. */
#ifndef L2TPVOIP_IPSEC_H
#define L2TPVOIP_IPSEC_H

#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** Profiles: which algorithms are offered and accepted, and which peculiarities of peers are met. */
enum {
    L2TPVOIP_PROFILE_MODERN = 0,     /**< RFC 8247 algorithms only. */
    L2TPVOIP_PROFILE_COMPATIBLE = 1, /**< Also SHA-1 and 3DES, MODP-1024/1536, last in order. */
    L2TPVOIP_PROFILE_WINDOWS = 2,
    L2TPVOIP_PROFILE_APPLE = 3,
    L2TPVOIP_PROFILE_ANDROID_LEGACY = 4,
    L2TPVOIP_PROFILE_CISCO = 5,
    L2TPVOIP_PROFILE_MIKROTIK = 6,
    L2TPVOIP_PROFILE_SOFTETHER = 7,
    L2TPVOIP_PROFILE_STRONGSWAN = 8,
    L2TPVOIP_PROFILE_LIBRESWAN = 9
};

/** How the session is protected. */
enum {
    L2TPVOIP_SECURITY_IPSEC = 0, /**< L2TP never leaves, and is never accepted, outside its SAs. */
    L2TPVOIP_SECURITY_NONE = 1   /**< Plain L2TP; no confidentiality at all. */
};

/** Vendor ids that are sent. */
enum { L2TPVOIP_VENDOR_IDS_FULL = 0, L2TPVOIP_VENDOR_IDS_MINIMAL = 1, L2TPVOIP_VENDOR_IDS_NONE = 2 };

/** One pre-shared key. */
typedef struct l2tpvoip_psk {
    uint32_t size;
    uint32_t len;          /**< Bytes at key, 1 to 256. */
    const uint8_t *key;    /**< Copied, wiped with the object. */
    const char *remote_id; /**< NULL = any peer; else address or identity it is for. */
} l2tpvoip_psk;

#define L2TPVOIP_IPSEC_PFS 0x1u              /**< Diffie-Hellman in quick mode. */
#define L2TPVOIP_IPSEC_FORCE_ENCAPS 0x2u     /**< Claim a NAT, so that ESP always runs in UDP. */
#define L2TPVOIP_IPSEC_SHA256_96 0x4u        /**< 96-bit HMAC-SHA2-256 (old Android, old Cisco). */
#define L2TPVOIP_IPSEC_NAT_PARROT 0x8u       /**< Responder: Windows behind our NAT (RRAS quirk). */
#define L2TPVOIP_IPSEC_CHILD_DIES_WITH_IKE 0x10u /**< Peer deletes IPsec SAs with the ISAKMP SA. */
#define L2TPVOIP_IPSEC_NO_DPD 0x20u
#define L2TPVOIP_IPSEC_NO_INITIAL_CONTACT 0x40u
#define L2TPVOIP_IPSEC_ALLOW_3DES 0x80u
#define L2TPVOIP_IPSEC_ALLOW_MODP1024 0x100u /**< Groups 2 and 5. */
#define L2TPVOIP_IPSEC_ALLOW_SHA1 0x200u     /**< HMAC-SHA1 is implied by most profiles. */
#define L2TPVOIP_IPSEC_NATT_DRAFTS 0x400u    /**< Prefer the NAT-T drafts to RFC 3947. */
#define L2TPVOIP_IPSEC_NO_FRAGMENTATION 0x800u
#define L2TPVOIP_IPSEC_ESN 0x1000u
#define L2TPVOIP_IPSEC_NO_DIAGNOSE 0x2000u   /**< No wide diagnostic offer after silence. */
#define L2TPVOIP_IPSEC_ACCEPT_ANY_PORT 0x4000u /**< Responder: 17/any selectors (Apple). Default on in profiles that need it. */

/** IPsec options. A member that is 0 takes the default of the profile. */
typedef struct l2tpvoip_ipsec_options {
    uint32_t size;
    uint32_t profile;            /**< L2TPVOIP_PROFILE_… */
    uint32_t security;           /**< L2TPVOIP_SECURITY_… */
    uint32_t flags;              /**< L2TPVOIP_IPSEC_… added to those of the profile. */
    uint32_t vendor_ids;         /**< L2TPVOIP_VENDOR_IDS_… */
    uint32_t n_psks;
    const l2tpvoip_psk *psks;    /**< A client takes the first that fits; a server tries up to 8. */
    const char *local_id;        /**< NULL = the local address; "1.2.3.4", "host.example", "a@b", "@key". */
    const char *remote_id;       /**< NULL = any identity. */
    const char *ike_proposals;   /**< NULL = profile; "aes256-sha256-modp2048,aes128-sha1-ecp256". */
    const char *esp_proposals;   /**< NULL = profile; "aes256gcm16,aes128-sha1". */
    uint32_t ike_lifetime_s;     /**< Default 28800. */
    uint32_t esp_lifetime_s;     /**< Default 3600. */
    uint64_t esp_lifetime_bytes; /**< Default 0 = no limit by volume. */
    uint32_t dpd_interval_s;     /**< Idle time before R-U-THERE, RFC 3706; default 30. */
    uint32_t dpd_timeout_s;      /**< Default 120 idle; the library is faster while a call runs. */
    uint32_t natt_keepalive_s;   /**< RFC 3948 §4; default 20, only when idle. */
    uint32_t replay_window;      /**< Packets, RFC 4303 §3.4.3; default 1024, multiple of 64. */
    uint32_t retransmit_ms;      /**< First IKE retransmission; default 1000, doubling. */
    uint32_t retransmit_tries;   /**< Default 5. */
    uint16_t ike_port;           /**< Peer's (client) or own (server) port; default 500. */
    uint16_t natt_port;          /**< Default 4500. */
    uint32_t reserved;           /**< Zero. */
} l2tpvoip_ipsec_options;

/** Fills in size and defaults. @param size sizeof(l2tpvoip_ipsec_options). Any thread. */
L2TPVOIP_API void l2tpvoip_ipsec_options_init(l2tpvoip_ipsec_options *options, size_t size);

/** Name of a profile ("windows"), or NULL. Any thread. */
L2TPVOIP_API const char *l2tpvoip_profile_name(uint32_t profile);

L2TPVOIP_END

#endif
