/* SPDX-License-Identifier: MIT */
/* Profiles: what is offered and accepted by default, and which peculiarities of peers are met. The
 * quirk table of README.md says which peer each quirk is for. */
#include "ike_config.h"

#define ALLOW_OLD                                                                                  \
    (L2TPVOIP_IPSEC_ALLOW_3DES | L2TPVOIP_IPSEC_ALLOW_MODP1024 | L2TPVOIP_IPSEC_ALLOW_SHA1)
/* Harmless towards anybody, and needed by anybody behind a NAT. */
#define TOLERANT (L2V_IKE_QUIRK_PFS_AS_OFFERED | L2V_IKE_QUIRK_ID_ANY_ADDR_OK)
#define MICROSOFT                                                                                  \
    (L2V_IKE_QUIRK_ID_FQDN_OK | L2V_IKE_QUIRK_PORT_MISMATCH_OK | L2V_IKE_QUIRK_AUTO_PARROT)

/* SHA-1 stands before SHA2-256 in quick mode towards peers that may truncate SHA2-256 to 96 bits:
 * it costs nothing and avoids the question. */
static const struct l2v_ike_profile table[L2V_IKE_N_PROFILES] = {
    [L2TPVOIP_PROFILE_MODERN] = {
        .name = "modern",
        .ike = "aes256-sha256-ecp256,aes128-sha256-ecp256,aes256-sha256-modp2048,"
               "aes128-sha256-modp2048,aes256-sha384-ecp384,aes256-sha512-ecp521,"
               "aes256-sha256-modp3072,aes256-sha512-modp4096",
        .esp = "aes256gcm16,aes128gcm16,aes256-sha256,aes128-sha256,aes256-sha512,aes256-sha384",
        .flags = L2TPVOIP_IPSEC_ACCEPT_ANY_PORT,
        .quirks = L2V_IKE_QUIRK_ID_ANY_ADDR_OK, /* a server that is set to PFS demands it */
        .ike_lifetime_s = 28800, .esp_lifetime_s = 3600, .dpd_interval_s = 30,
        .dpd_timeout_s = 120,
    },
    [L2TPVOIP_PROFILE_COMPATIBLE] = {
        .name = "compatible",
        .ike = "aes256-sha256-ecp256,aes256-sha256-modp2048,aes128-sha256-modp2048,"
               "aes256-sha1-modp2048,aes256-sha1-ecp384,aes128-sha1-modp2048,aes128-sha1-ecp256,"
               "aes256-sha512-modp2048,aes256-sha384-modp2048,aes256-sha256-modp4096,"
               "aes256-sha256-modp1536,aes256-sha1-modp1536,aes256-sha256-modp1024,"
               "aes256-sha1-modp1024,aes128-sha256-modp1024,aes128-sha1-modp1024,"
               "3des-sha1-modp2048,3des-sha1-modp1536,3des-sha1-modp1024",
        .esp = "aes256gcm16,aes128gcm16,aes256-sha1,aes128-sha1,aes256-sha256,aes128-sha256,"
               "aes256-sha512,aes256-sha384,3des-sha1",
        .flags = ALLOW_OLD | L2TPVOIP_IPSEC_ACCEPT_ANY_PORT,
        .quirks = TOLERANT | MICROSOFT | L2V_IKE_QUIRK_BOTH_CARRIERS |
                  L2V_IKE_QUIRK_SILENT_REFUSAL | L2V_IKE_QUIRK_LIFETIME_OBEY,
        .ike_lifetime_s = 28800, .esp_lifetime_s = 3600, .dpd_interval_s = 30,
        .dpd_timeout_s = 120,
    },
    /* ECP-384 is the dearest group that Windows offers, so that it comes last. */
    [L2TPVOIP_PROFILE_WINDOWS] = {
        .name = "windows",
        .ike = "aes128-sha1-ecp256,aes256-sha1-modp2048,aes256-sha1-ecp384",
        .esp = "aes256-sha1,aes128-sha1",
        .flags = L2TPVOIP_IPSEC_ALLOW_SHA1,
        .quirks = TOLERANT | MICROSOFT | L2V_IKE_QUIRK_PEER_REKEYS | L2V_IKE_QUIRK_BOTH_CARRIERS,
        .ike_lifetime_s = 28800, .esp_lifetime_s = 3600, .dpd_interval_s = 30,
        .dpd_timeout_s = 120,
    },
    [L2TPVOIP_PROFILE_APPLE] = {
        .name = "apple",
        .ike = "aes256-sha256-modp2048,aes256-sha1-modp2048,aes128-sha256-modp2048,"
               "aes128-sha1-modp2048,aes256-sha512-modp2048",
        .esp = "aes256-sha1,aes128-sha1,aes256-sha256,aes128-sha256",
        .flags = L2TPVOIP_IPSEC_ALLOW_SHA1 | L2TPVOIP_IPSEC_ACCEPT_ANY_PORT,
        .quirks = TOLERANT | L2V_IKE_QUIRK_PEER_REKEYS | L2V_IKE_QUIRK_BOTH_CARRIERS,
        .ike_lifetime_s = 28800, .esp_lifetime_s = 3600, .dpd_interval_s = 30,
        .dpd_timeout_s = 120,
    },
    /* Old Android offers MODP-1024 only; kernels before 2017 truncate SHA2-256 to 96 bits. */
    [L2TPVOIP_PROFILE_ANDROID_LEGACY] = {
        .name = "android-legacy",
        .ike = "aes256-sha256-modp1024,aes256-sha1-modp1024,aes128-sha256-modp1024,"
               "aes128-sha1-modp1024,aes256-sha384-modp1024,aes256-sha512-modp1024,"
               "3des-sha1-modp1024",
        .esp = "aes256-sha1,aes128-sha1,3des-sha1,aes256-sha256,aes128-sha256",
        .flags = ALLOW_OLD | L2TPVOIP_IPSEC_ACCEPT_ANY_PORT | L2TPVOIP_IPSEC_SHA256_96,
        .quirks = TOLERANT | L2V_IKE_QUIRK_PEER_REKEYS | L2V_IKE_QUIRK_BOTH_CARRIERS |
                  L2V_IKE_QUIRK_LIFETIME_OBEY,
        .ike_lifetime_s = 28800, .esp_lifetime_s = 28800, .dpd_interval_s = 30,
        .dpd_timeout_s = 120,
    },
    /* Old IOS mishandles the vendor id of RFC 3947; the ASA ties IPsec SAs to their ISAKMP SA. */
    [L2TPVOIP_PROFILE_CISCO] = {
        .name = "cisco",
        .ike = "aes256-sha256-modp2048,aes256-sha1-modp2048,aes128-sha1-modp2048,"
               "aes256-sha1-modp1536,aes128-sha1-modp1536,aes256-sha1-modp1024,"
               "aes128-sha1-modp1024,3des-sha1-modp1024",
        .esp = "aes256-sha1,aes128-sha1,3des-sha1",
        .flags = ALLOW_OLD | L2TPVOIP_IPSEC_NATT_DRAFTS | L2TPVOIP_IPSEC_CHILD_DIES_WITH_IKE,
        .quirks = TOLERANT | L2V_IKE_QUIRK_BOTH_CARRIERS | L2V_IKE_QUIRK_LIFETIME_OBEY,
        .ike_lifetime_s = 28800, .esp_lifetime_s = 3600, .dpd_interval_s = 30,
        .dpd_timeout_s = 120,
    },
    /* RouterOS defaults: PFS with MODP-1024, 30 minutes, a day for phase 1, DPD every 2 minutes. */
    [L2TPVOIP_PROFILE_MIKROTIK] = {
        .name = "mikrotik",
        .ike = "aes256-sha256-modp2048,aes128-sha256-modp2048,aes256-sha1-modp2048,"
               "aes128-sha1-modp2048,aes128-sha1-modp1024,3des-sha1-modp1024",
        .esp = "aes256-sha1,aes192-sha1,aes128-sha1,aes256-sha256",
        .flags = ALLOW_OLD,
        .quirks = TOLERANT | L2V_IKE_QUIRK_LIFETIME_OBEY | L2V_IKE_QUIRK_SILENT_REFUSAL,
        .ike_lifetime_s = 86400, .esp_lifetime_s = 1800, .dpd_interval_s = 120,
        .dpd_timeout_s = 600,
    },
    /* Knows no ECP group and only MD5 and SHA-1 in ESP; refuses by silence; takes the first
     * transform that it can do; forces NAT-T. */
    [L2TPVOIP_PROFILE_SOFTETHER] = {
        .name = "softether",
        .ike = "aes256-sha256-modp2048,aes256-sha512-modp2048,aes128-sha256-modp2048,"
               "aes256-sha1-modp2048,aes128-sha1-modp2048",
        .esp = "aes256-sha1,aes128-sha1",
        .flags = L2TPVOIP_IPSEC_ALLOW_SHA1,
        .quirks = TOLERANT | L2V_IKE_QUIRK_BOTH_CARRIERS | L2V_IKE_QUIRK_SILENT_REFUSAL,
        .ike_lifetime_s = 28800, .esp_lifetime_s = 3600, .dpd_interval_s = 30,
        .dpd_timeout_s = 120,
    },
    [L2TPVOIP_PROFILE_STRONGSWAN] = {
        .name = "strongswan",
        .ike = "aes256-sha256-ecp256,aes256-sha256-modp2048,aes128-sha256-ecp256,"
               "aes128-sha256-modp2048,aes256-sha1-modp2048,aes128-sha1-modp2048,"
               "aes256-sha512-modp4096",
        .esp = "aes256gcm16,aes128gcm16,aes256-sha256,aes128-sha256,aes256-sha1,aes128-sha1",
        .flags = L2TPVOIP_IPSEC_ALLOW_SHA1 | L2TPVOIP_IPSEC_ACCEPT_ANY_PORT,
        .quirks = TOLERANT | L2V_IKE_QUIRK_BOTH_CARRIERS,
        .ike_lifetime_s = 14400, .esp_lifetime_s = 3600, .dpd_interval_s = 30,
        .dpd_timeout_s = 120,
    },
    /* Drops IKEv1 without a word unless it is switched on (since 5.0). */
    [L2TPVOIP_PROFILE_LIBRESWAN] = {
        .name = "libreswan",
        .ike = "aes256-sha256-modp2048,aes128-sha256-modp2048,aes256-sha1-modp2048,"
               "aes128-sha1-modp2048,aes256-sha512-modp2048,aes256-sha256-ecp256",
        .esp = "aes256gcm16,aes128gcm16,aes128-sha1,aes256-sha1,aes256-sha512,aes128-sha256,"
               "aes256-sha256",
        .flags = L2TPVOIP_IPSEC_ALLOW_SHA1 | L2TPVOIP_IPSEC_ACCEPT_ANY_PORT,
        .quirks = TOLERANT | L2V_IKE_QUIRK_LIFETIME_OBEY | L2V_IKE_QUIRK_SILENT_REFUSAL,
        .ike_lifetime_s = 28800, .esp_lifetime_s = 28800, .dpd_interval_s = 30,
        .dpd_timeout_s = 300,
    },
};

const struct l2v_ike_profile *l2v_ike_profile_get(uint32_t profile)
{
    return profile < L2V_IKE_N_PROFILES ? &table[profile] : NULL;
}
