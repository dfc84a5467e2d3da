/* SPDX-License-Identifier: MIT */
/* Vendor ids. Most are the MD5 of a name; the tests recompute those. */
#include <l2tpvoip/ipsec.h>

#include "ike_config.h"
#include "ike_vid.h"

struct vid_entry {
    const char *name;
    uint8_t len;  /* of id */
    uint8_t tail; /* bytes that may follow it; 255 = any number */
    uint8_t id[16];
};

static const struct vid_entry table[L2V_IKE_N_VIDS] = {
    [L2V_IKE_VID_RFC3947] = {"RFC 3947", 16, 0,
        {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45,
         0x2f}},
    [L2V_IKE_VID_NATT_00] = {"draft-ietf-ipsec-nat-t-ike-00", 16, 0,
        {0x44, 0x85, 0x15, 0x2d, 0x18, 0xb6, 0xbb, 0xcd, 0x0b, 0xe8, 0xa8, 0x46, 0x95, 0x79, 0xdd,
         0xcc}},
    [L2V_IKE_VID_NATT_01] = {"draft-ietf-ipsec-nat-t-ike-01", 16, 0,
        {0x16, 0xf6, 0xca, 0x16, 0xe4, 0xa4, 0x06, 0x6d, 0x83, 0x82, 0x1a, 0x0f, 0x0a, 0xea, 0xa8,
         0x62}},
    [L2V_IKE_VID_NATT_02] = {"draft-ietf-ipsec-nat-t-ike-02", 16, 0,
        {0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8, 0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4,
         0x48}},
    [L2V_IKE_VID_NATT_02N] = {"draft-ietf-ipsec-nat-t-ike-02\n", 16, 0,
        {0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b,
         0x1f}},
    [L2V_IKE_VID_NATT_03] = {"draft-ietf-ipsec-nat-t-ike-03", 16, 0,
        {0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d,
         0x56}},
    [L2V_IKE_VID_NATT_04] = {"draft-ietf-ipsec-nat-t-ike-04", 16, 0,
        {0x99, 0x09, 0xb6, 0x4e, 0xed, 0x93, 0x7c, 0x65, 0x73, 0xde, 0x52, 0xac, 0xe9, 0x52, 0xfa,
         0x6b}},
    [L2V_IKE_VID_NATT_05] = {"draft-ietf-ipsec-nat-t-ike-05", 16, 0,
        {0x80, 0xd0, 0xbb, 0x3d, 0xef, 0x54, 0x56, 0x5e, 0xe8, 0x46, 0x45, 0xd4, 0xc8, 0x5c, 0xe3,
         0xee}},
    [L2V_IKE_VID_NATT_06] = {"draft-ietf-ipsec-nat-t-ike-06", 16, 0,
        {0x4d, 0x1e, 0x0e, 0x13, 0x6d, 0xea, 0xfa, 0x34, 0xc4, 0xf3, 0xea, 0x9f, 0x02, 0xec, 0x72,
         0x85}},
    [L2V_IKE_VID_NATT_07] = {"draft-ietf-ipsec-nat-t-ike-07", 16, 0,
        {0x43, 0x9b, 0x59, 0xf8, 0xba, 0x67, 0x6c, 0x4c, 0x77, 0x37, 0xae, 0x22, 0xea, 0xb8, 0xf5,
         0x82}},
    [L2V_IKE_VID_NATT_08] = {"draft-ietf-ipsec-nat-t-ike-08", 16, 0,
        {0x8f, 0x8d, 0x83, 0x82, 0x6d, 0x24, 0x6b, 0x6f, 0xc7, 0xa8, 0xa6, 0xa4, 0x28, 0xc1, 0x1d,
         0xe8}},
    [L2V_IKE_VID_NATT_IKE] = {"draft-ietf-ipsec-nat-t-ike", 16, 0,
        {0x4d, 0xf3, 0x79, 0x28, 0xe9, 0xfc, 0x4f, 0xd1, 0xb3, 0x26, 0x21, 0x70, 0xd5, 0x15, 0xc6,
         0x62}},
    /* rfc3706#5.1: 14 bytes, then major and minor version (1.0). */
    [L2V_IKE_VID_DPD] = {"DPD", 14, 2,
        {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01,
         0x00}},
    [L2V_IKE_VID_FRAGMENTATION] = {"FRAGMENTATION", 16, 4,
        {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2,
         0xd3}},
    [L2V_IKE_VID_MS_NT5] = {"MS NT5 ISAKMPOAKLEY", 16, 4,
        {0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d, 0x7c, 0x96, 0xfc, 0xbf, 0xb5, 0x87, 0xe4,
         0x61}},
    [L2V_IKE_VID_MS_AUTHIP] = {"MS AuthIP", 16, 4,
        {0x01, 0x52, 0x8b, 0xbb, 0xc0, 0x06, 0x96, 0x12, 0x18, 0x49, 0xab, 0x9a, 0x1c, 0x5b, 0x2a,
         0x51}},
    [L2V_IKE_VID_MS_NEGOTIATION_DISCOVERY] = {"MS-Negotiation Discovery Capable", 16, 0,
        {0xfb, 0x1d, 0xe3, 0xcd, 0xf3, 0x41, 0xb7, 0xea, 0x16, 0xb7, 0xe5, 0xbe, 0x08, 0x55, 0xf1,
         0x20}},
    [L2V_IKE_VID_MS_INITIAL_CONTACT] = {"Vid-Initial-Contact", 16, 0,
        {0x26, 0x24, 0x4d, 0x38, 0xed, 0xdb, 0x61, 0xb3, 0x17, 0x2a, 0x36, 0xe3, 0xd0, 0xcf, 0xb8,
         0x19}},
    [L2V_IKE_VID_MS_CGA] = {"IKE CGA version 1", 16, 0,
        {0xe3, 0xa5, 0x96, 0x6a, 0x76, 0x37, 0x9f, 0xe7, 0x07, 0x22, 0x82, 0x31, 0xe5, 0xce, 0x86,
         0x52}},
    [L2V_IKE_VID_CISCO_UNITY] = {"Cisco Unity", 14, 2,
        {0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9, 0x70, 0x2d, 0x9f, 0xe2, 0x74, 0xcc, 0x01,
         0x00}},
    [L2V_IKE_VID_XAUTH] = {"XAUTH", 8, 0, {0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12}},
    [L2V_IKE_VID_STRONGSWAN] = {"strongSwan", 16, 4,
        {0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b,
         0xeb}},
    /* 12 letters that start with OE (Openswan) or OPN */
    [L2V_IKE_VID_OPENSWAN] = {"Openswan or Libreswan", 2, 10, {'O', 'E'}},
    [L2V_IKE_VID_RACOON] = {"KAME/racoon", 16, 0,
        {0x70, 0x03, 0xcb, 0xc1, 0x09, 0x7d, 0xbe, 0x9c, 0x26, 0x00, 0xba, 0x69, 0x83, 0xbc, 0x8b,
         0x35}},
    [L2V_IKE_VID_HUAWEI] = {"HUAWEI-IKEv1DSCP", 9, 255,
        {'H', 'U', 'A', 'W', 'E', 'I', '-', 'I', 'K'}},
    [L2V_IKE_VID_L2TPVOIP] = {"libl2tpvoip", 16, 0,
        {0xc8, 0xbf, 0x90, 0x43, 0x6a, 0xb6, 0xc6, 0x8f, 0x08, 0xd0, 0xe4, 0xcd, 0x3e, 0x71, 0x93,
         0x68}},
};

#define FRAGMENT_MAIN_MODE 0x80000000u

static bool fits(const struct vid_entry *e, const uint8_t *body, size_t len)
{
    return len >= e->len && (e->tail == 255 || len - e->len <= e->tail) &&
           memcmp(body, e->id, e->len) == 0;
}

enum l2v_ike_vid l2v_ike_vid_classify(const uint8_t *body, size_t len)
{
    for (unsigned i = 0; i < L2V_IKE_N_VIDS; i++) {
        if (i == L2V_IKE_VID_OPENSWAN && len != 12) {
            continue; /* two letters alone prove nothing */
        }
        if (fits(&table[i], body, len)) {
            return (enum l2v_ike_vid)i;
        }
    }
    return L2V_IKE_N_VIDS;
}

const char *l2v_ike_vid_name(enum l2v_ike_vid vid)
{
    return (unsigned)vid < L2V_IKE_N_VIDS ? table[vid].name : "unknown";
}

void l2v_ike_vids_gather(const struct l2v_ike_message *m, struct l2v_ike_vids *vids)
{
    for (unsigned i = 0; i < m->n; i++) {
        const struct l2v_ike_payload *p = &m->payloads[i];
        enum l2v_ike_vid vid;
        if (p->type != L2V_IKE1_PAYLOAD_VID) {
            continue;
        }
        vid = l2v_ike_vid_classify(p->body, p->len);
        if (vid == L2V_IKE_N_VIDS) {
            vids->n_unknown++;
            continue;
        }
        vids->seen |= L2V_IKE_VID_BIT(vid);
        if (p->len == 20 && vid == L2V_IKE_VID_FRAGMENTATION) {
            vids->fragment_caps = l2v_get_u32(p->body + 16);
        }
        if (p->len == 20 && vid == L2V_IKE_VID_MS_NT5) {
            vids->ms_version = l2v_get_u32(p->body + 16);
        }
    }
}

bool l2v_ike_vids_is_microsoft(const struct l2v_ike_vids *vids)
{
    return l2v_ike_vids_has(vids, L2V_IKE_VID_MS_NT5);
}

bool l2v_ike_vids_can_fragment(const struct l2v_ike_vids *vids)
{
    return l2v_ike_vids_has(vids, L2V_IKE_VID_FRAGMENTATION) &&
           (vids->fragment_caps == 0 || (vids->fragment_caps & FRAGMENT_MAIN_MODE) != 0);
}

static const struct {
    enum l2v_ike_vid vid;
    const char *product;
} products[] = {
    {L2V_IKE_VID_L2TPVOIP, "libl2tpvoip"},
    {L2V_IKE_VID_STRONGSWAN, "strongSwan"},
    {L2V_IKE_VID_OPENSWAN, "Openswan or Libreswan"},
    {L2V_IKE_VID_HUAWEI, "Huawei"},
    {L2V_IKE_VID_RACOON, "racoon"},
    {L2V_IKE_VID_NATT_IKE, "Apple (racoon)"},
    {L2V_IKE_VID_CISCO_UNITY, "Cisco Unity"},
};

const char *l2v_ike_vids_product(const struct l2v_ike_vids *vids)
{
    if (l2v_ike_vids_is_microsoft(vids)) {
        return vids->ms_version >= 9   ? "Windows 8 or later"
               : vids->ms_version == 8 ? "Windows 7"
                                       : "Windows before 7";
    }
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        if (l2v_ike_vids_has(vids, products[i].vid)) {
            return products[i].product;
        }
    }
    return NULL;
}

/* --- what we send ---------------------------------------------------------------------------- */

static void write_vid(struct l2v_ike_build *b, enum l2v_ike_vid vid)
{
    l2v_ike_build_add(b, L2V_IKE1_PAYLOAD_VID, table[vid].id, table[vid].len);
    if (vid == L2V_IKE_VID_DPD) {
        l2v_write_u16(&b->w, 0x0100); /* rfc3706#5.1: version 1.0 */
    } else if (vid == L2V_IKE_VID_FRAGMENTATION) {
        l2v_write_u32(&b->w, FRAGMENT_MAIN_MODE);
    }
}

static void write_natt_offer(struct l2v_ike_build *b, bool full, bool drafts)
{
    /* Old Cisco IOS mishandles the id of RFC 3947, so that the drafts flag leaves it out. */
    if (!drafts) {
        write_vid(b, L2V_IKE_VID_RFC3947);
    }
    if (full || drafts) {
        write_vid(b, L2V_IKE_VID_NATT_03);
        write_vid(b, L2V_IKE_VID_NATT_02N);
        write_vid(b, L2V_IKE_VID_NATT_02);
    }
}

/* rfc3947#3.1: the responder answers the one that it will use. */
static void write_natt_answer(struct l2v_ike_build *b, const struct l2v_ike_vids *peer, bool drafts)
{
    static const enum l2v_ike_vid order[] = {
        L2V_IKE_VID_NATT_08, L2V_IKE_VID_NATT_07,  L2V_IKE_VID_NATT_06, L2V_IKE_VID_NATT_05,
        L2V_IKE_VID_NATT_04, L2V_IKE_VID_NATT_02N, L2V_IKE_VID_NATT_03, L2V_IKE_VID_NATT_02,
    };
    bool rfc = l2v_ike_vids_has(peer, L2V_IKE_VID_RFC3947);
    bool draft02 = (peer->seen & (L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_02N) |
                                  L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_03) |
                                  L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_02))) != 0;

    if (rfc && !(drafts && draft02)) {
        write_vid(b, L2V_IKE_VID_RFC3947);
        return;
    }
    for (size_t i = draft02 ? 5 : 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (l2v_ike_vids_has(peer, order[i])) {
            write_vid(b, order[i]);
            return;
        }
    }
}

void l2v_ike_vids_write(struct l2v_ike_build *b, const struct l2v_ike_config *config,
                        const struct l2v_ike_vids *peer)
{
    bool full = config->vendor_ids == L2TPVOIP_VENDOR_IDS_FULL;
    bool drafts = l2v_ike_config_has(config, L2TPVOIP_IPSEC_NATT_DRAFTS);

    if (config->vendor_ids == L2TPVOIP_VENDOR_IDS_NONE) {
        return;
    }
    if (full) {
        write_vid(b, L2V_IKE_VID_L2TPVOIP);
    }
    if (peer != NULL) {
        write_natt_answer(b, peer, drafts);
    } else {
        write_natt_offer(b, full, drafts);
    }
    if (!l2v_ike_config_has(config, L2TPVOIP_IPSEC_NO_DPD)) {
        write_vid(b, L2V_IKE_VID_DPD);
    }
    if (full && !l2v_ike_config_has(config, L2TPVOIP_IPSEC_NO_FRAGMENTATION)) {
        write_vid(b, L2V_IKE_VID_FRAGMENTATION);
    }
}
