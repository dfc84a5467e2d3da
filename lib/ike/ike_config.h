/* SPDX-License-Identifier: MIT */
/* What an IKE engine is told: profile, proposals, keys, identities. Immutable after _new. */
#ifndef L2V_IKE_CONFIG_H
#define L2V_IKE_CONFIG_H

#include "ike1_proposal.h"
#include "ike_id.h"
#include "l2v_ike.h"

#define L2V_IKE_MAX_PSKS 8u /* tried for one message 5 */

/* Peculiarities of peers that have no public flag. A profile sets them; see the table in
 * ike_profile.c. */
#define L2V_IKE_QUIRK_PEER_REKEYS 0x1u    /* responder: the client rekeys, we do not (it is behind a NAT) */
#define L2V_IKE_QUIRK_BOTH_CARRIERS 0x2u  /* offer the UDP and the plain transport mode */
#define L2V_IKE_QUIRK_ID_FQDN_OK 0x4u     /* quick mode: IDci may be a FQDN at rekey (MS KB818043) */
#define L2V_IKE_QUIRK_PORT_MISMATCH_OK 0x8u /* quick mode answer may change ports, unless to 1701 from 0 */
#define L2V_IKE_QUIRK_SILENT_REFUSAL 0x10u  /* the peer refuses by silence: diagnose early */
#define L2V_IKE_QUIRK_PFS_AS_OFFERED 0x20u  /* responder: take or leave PFS as the peer likes */
#define L2V_IKE_QUIRK_AUTO_PARROT 0x40u     /* NAT-D parrot when the vendor ids say Microsoft */
#define L2V_IKE_QUIRK_LIFETIME_OBEY 0x80u   /* take the peer's lifetimes even when longer than ours */
#define L2V_IKE_QUIRK_ID_ANY_ADDR_OK 0x100u /* quick mode addresses need not be the outer ones (NAT) */

struct l2v_ike_profile {
    const char *name;
    const char *ike;  /* proposals, text syntax */
    const char *esp;
    uint32_t flags;   /* L2TPVOIP_IPSEC_… that it brings */
    uint32_t quirks;  /* L2V_IKE_QUIRK_… */
    uint32_t vendor_ids; /* L2TPVOIP_VENDOR_IDS_… */
    uint32_t ike_lifetime_s, esp_lifetime_s;
    uint32_t dpd_interval_s, dpd_timeout_s;
};
#define L2V_IKE_N_PROFILES 10u
const struct l2v_ike_profile *l2v_ike_profile_get(uint32_t profile); /* NULL = unknown */

struct l2v_ike_psk {
    uint8_t *key; /* wiped */
    size_t len;
    struct l2v_ike_id id; /* type NONE = any peer */
};

struct l2v_ike_config {
    struct l2v_env *env;
    struct l2v_crypto *crypto;
    unsigned refs;
    bool server;
    uint32_t profile_id; /* L2TPVOIP_PROFILE_… */
    const struct l2v_ike_profile *profile;
    uint32_t flags;  /* L2TPVOIP_IPSEC_…, the profile's included */
    uint32_t quirks; /* L2V_IKE_QUIRK_… */
    uint32_t vendor_ids;
    unsigned n_psks;
    struct l2v_ike_psk *psks;
    struct l2v_ike_id local_id, remote_id; /* type NONE = our address; any */
    struct l2v_ike1_p1_list ike;
    struct l2v_ike1_p2_list esp; /* algorithms, best first */
    uint16_t pfs_group;          /* initiator: group of the offer; 0 = no PFS */
    uint16_t pfs_groups[8];      /* responder: accepted, cheapest first */
    unsigned n_pfs_groups;
    uint32_t ike_lifetime_s, esp_lifetime_s;
    uint64_t esp_lifetime_bytes; /* 0 = none */
    uint32_t esp_lifetime_kb;    /* the same for the wire, rounded up; 0 = none */
    uint32_t dpd_interval_s, dpd_timeout_s, natt_keepalive_s;
    uint32_t replay_window;
    uint32_t retransmit_ms, retransmit_tries;
    uint16_t ike_port, natt_port;
};

struct l2v_ike_config *l2v_ike_config_ref(struct l2v_ike_config *config);
static inline bool l2v_ike_config_has(const struct l2v_ike_config *c, uint32_t flag)
{
    return (c->flags & flag) != 0;
}
static inline bool l2v_ike_config_quirk(const struct l2v_ike_config *c, uint32_t quirk)
{
    return (c->quirks & quirk) != 0;
}

/* The pre-shared keys that may be meant, in the order in which to try them: first those for that
 * address (or, when id is not NULL, identity), then those for identities that are not known yet,
 * then those for anybody. At most L2V_IKE_MAX_PSKS indexes. An initiator uses the first. */
unsigned l2v_ike_config_find_psks(const struct l2v_ike_config *c, const l2tpvoip_addr *remote,
                                  const struct l2v_ike_id *id, unsigned ret_index[L2V_IKE_MAX_PSKS]);
/* After message 5 decrypted under a key: may the peer that says it is id use it, and is id what
 * remote_id demands? */
bool l2v_ike_config_accepts(const struct l2v_ike_config *c, unsigned psk, const l2tpvoip_addr *remote,
                            const struct l2v_ike_id *id);
/* Our identity in phase 1. */
void l2v_ike_config_local_id(const struct l2v_ike_config *c, const l2tpvoip_addr *local,
                             struct l2v_ike_id *ret_id);

#endif
