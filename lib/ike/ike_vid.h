/* SPDX-License-Identifier: MIT */
/* Vendor ids: what we know, what the peer sent, what we send. */
#ifndef L2V_IKE_VID_H
#define L2V_IKE_VID_H

#include "ike_wire.h"

enum l2v_ike_vid {
    L2V_IKE_VID_RFC3947 = 0, /* NAT-T */
    L2V_IKE_VID_NATT_00,
    L2V_IKE_VID_NATT_01,
    L2V_IKE_VID_NATT_02,
    L2V_IKE_VID_NATT_02N, /* the hash of the name with a newline; the usual one */
    L2V_IKE_VID_NATT_03,
    L2V_IKE_VID_NATT_04,
    L2V_IKE_VID_NATT_05,
    L2V_IKE_VID_NATT_06,
    L2V_IKE_VID_NATT_07,
    L2V_IKE_VID_NATT_08,
    L2V_IKE_VID_NATT_IKE, /* "draft-ietf-ipsec-nat-t-ike": Apple */
    L2V_IKE_VID_DPD,      /* RFC 3706 */
    L2V_IKE_VID_FRAGMENTATION, /* with or without 4 bytes of capabilities */
    L2V_IKE_VID_MS_NT5,        /* "MS NT5 ISAKMPOAKLEY" and a version */
    L2V_IKE_VID_MS_AUTHIP,
    L2V_IKE_VID_MS_NEGOTIATION_DISCOVERY,
    L2V_IKE_VID_MS_INITIAL_CONTACT,
    L2V_IKE_VID_MS_CGA,
    L2V_IKE_VID_CISCO_UNITY,
    L2V_IKE_VID_XAUTH,
    L2V_IKE_VID_STRONGSWAN,
    L2V_IKE_VID_OPENSWAN, /* Openswan and Libreswan */
    L2V_IKE_VID_RACOON,
    L2V_IKE_VID_HUAWEI,
    L2V_IKE_VID_L2TPVOIP, /* our own */
    L2V_IKE_N_VIDS
};
#define L2V_IKE_VID_BIT(vid) (UINT64_C(1) << (vid))

struct l2v_ike_vids { /* of one peer */
    uint64_t seen;    /* L2V_IKE_VID_BIT() */
    uint32_t fragment_caps; /* 0 when none were given */
    uint32_t ms_version;    /* of MS NT5: 8 = Windows 7, 9 = 8 and later */
    unsigned n_unknown;
};

/* The vendor id of a body; L2V_IKE_N_VIDS = unknown. */
enum l2v_ike_vid l2v_ike_vid_classify(const uint8_t *body, size_t len);
const char *l2v_ike_vid_name(enum l2v_ike_vid vid);
/* Adds all of a message. */
void l2v_ike_vids_gather(const struct l2v_ike_message *m, struct l2v_ike_vids *vids);
static inline bool l2v_ike_vids_has(const struct l2v_ike_vids *vids, enum l2v_ike_vid vid)
{
    return ((vids->seen >> vid) & 1u) != 0;
}
bool l2v_ike_vids_is_microsoft(const struct l2v_ike_vids *vids);
/* The peer can reassemble fragments of main and quick mode. */
bool l2v_ike_vids_can_fragment(const struct l2v_ike_vids *vids);
/* A word for messages ("Windows 8 or later", "strongSwan"), or NULL. */
const char *l2v_ike_vids_product(const struct l2v_ike_vids *vids);

/* Writes our vendor ids into MM1 or MM2. set: L2TPVOIP_VENDOR_IDS_… (NONE writes none: then the
 * peer cannot know that we can NAT-T). peer: NULL for an initiator; a responder answers only what
 * it was offered of NAT-T. */
struct l2v_ike_config;
void l2v_ike_vids_write(struct l2v_ike_build *b, const struct l2v_ike_config *config,
                        const struct l2v_ike_vids *peer);

#endif
