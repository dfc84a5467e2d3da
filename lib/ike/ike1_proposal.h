/* SPDX-License-Identifier: MIT */
/* IKEv1 proposals of both phases: text, SA payload bodies, choice. RFC 2407 section 4.5, RFC 2408
 * section 4.2 and 5.4-5.6, RFC 2409 appendix A. */
#ifndef L2V_IKE1_PROPOSAL_H
#define L2V_IKE1_PROPOSAL_H

#include <l2tpvoip/error.h>

#include "base_wire.h"
#include "ike_const.h"
#include "l2v_crypto.h"

struct l2v_ike_config;

/* --- phase 1 --------------------------------------------------------------------------------- */
/* Members carry wire numbers (L2V_IKE1_ENC_…); 0 = absent. */
struct l2v_ike1_p1 {
    uint16_t cipher;
    uint16_t key_bits; /* AES only */
    uint16_t hash;
    uint16_t group; /* IANA; the same numbers as enum l2v_dh_group */
    uint16_t auth;
    uint32_t life_s;  /* 0 = none stated: 28800 */
    uint32_t life_kb; /* 0 = none stated */
    uint8_t proposal_no, transform_no;
};
#define L2V_IKE1_P1_MAX 48u
struct l2v_ike1_p1_list {
    unsigned n;
    struct l2v_ike1_p1 items[L2V_IKE1_P1_MAX];
};

enum l2v_hash l2v_ike1_p1_hash(const struct l2v_ike1_p1 *p);     /* HASH_NONE = unknown */
enum l2v_cipher l2v_ike1_p1_cipher(const struct l2v_ike1_p1 *p); /* CIPHER_NONE = unknown */
size_t l2v_ike1_p1_key_len(const struct l2v_ike1_p1 *p);         /* bytes; 0 = unknown */
/* "aes256-sha256-modp2048" */
void l2v_ike1_p1_format(const struct l2v_ike1_p1 *p, char *text, size_t size);
/* "AES-256/SHA2-256/MODP-2048", for people. */
void l2v_ike1_p1_describe(const struct l2v_ike1_p1 *p, char *text, size_t size);
/* Comma-separated list. 0, CONFIG; bad (may be NULL) gets the text of the item that is wrong. */
int l2v_ike1_p1_list_parse(const char *text, struct l2v_ike1_p1_list *ret, char *bad, size_t size);
#define L2V_IKE1_PROPOSAL_TEXT 64

/* Body of the SA payload: DOI, situation, one proposal, all transforms. */
void l2v_ike1_p1_write_offer(struct l2v_writer *w, const struct l2v_ike1_p1_list *list,
                             uint32_t life_s);
/* Body with the one transform that was chosen, with the numbers and lifetimes of the offer. */
void l2v_ike1_p1_write_choice(struct l2v_writer *w, const struct l2v_ike1_p1 *chosen);
/* Responder: the best of a peer's offer by our policy (strong before weak, then the cheapest
 * group, then our order). 0, NO_PROPOSAL, MALFORMED, UNSUPPORTED (DOI, situation). */
int l2v_ike1_p1_choose(const struct l2v_ike1_p1_list *policy, const uint8_t *body, size_t len,
                       struct l2v_ike1_p1 *ret);
/* Initiator: the answer must be one transform that we offered. 0, NO_PROPOSAL (not one of ours),
 * MALFORMED, UNSUPPORTED. Lifetimes are the peer's (0 = it sent none). */
int l2v_ike1_p1_verify(const struct l2v_ike1_p1_list *offered, const uint8_t *body, size_t len,
                       struct l2v_ike1_p1 *ret);
/* All transforms of an offer that could be read, at most L2V_IKE1_P1_MAX. 0, MALFORMED, UNSUPPORTED. */
int l2v_ike1_p1_read(const uint8_t *body, size_t len, struct l2v_ike1_p1_list *ret);
/* The wide diagnostic offer: everything that peers are known to take, the unsafe included. It is
 * never followed by a third message: it only shows what the peer would choose. */
void l2v_ike1_p1_wide(struct l2v_ike1_p1_list *ret);

/* --- phase 2 --------------------------------------------------------------------------------- */
struct l2v_ike1_p2 {
    uint8_t transform; /* L2V_IKE1_ESP_… */
    uint8_t proposal_no, transform_no;
    bool esn;
    uint16_t key_bits; /* AES only */
    uint16_t auth;     /* L2V_IKE1_IPSEC_AUTH_… */
    uint16_t group;    /* PFS, 0 = none */
    uint16_t encap;    /* L2V_IKE1_ENCAP_… */
    uint32_t life_s;   /* 0 = none stated: 28800 */
    uint32_t life_kb;  /* 0 = none stated */
    uint32_t spi;      /* the sender's */
};
#define L2V_IKE1_P2_MAX 24u
struct l2v_ike1_p2_list { /* algorithms only; encap, group, life come from what follows */
    unsigned n;
    struct l2v_ike1_p2 items[L2V_IKE1_P2_MAX];
};

/* truncate_96: L2TPVOIP_IPSEC_SHA256_96. SUITE_NONE = not one of ours. */
enum l2v_suite_id l2v_ike1_p2_suite(const struct l2v_ike1_p2 *p, bool truncate_96);
size_t l2v_ike1_p2_enc_len(const struct l2v_ike1_p2 *p); /* bytes with salt; 0 = unknown */
size_t l2v_ike1_p2_auth_len(const struct l2v_ike1_p2 *p);
/* "aes256gcm16", "aes128-sha1", "aes256-sha256-modp2048" (with PFS), "…-esn" */
void l2v_ike1_p2_format(const struct l2v_ike1_p2 *p, char *text, size_t size);
int l2v_ike1_p2_list_parse(const char *text, struct l2v_ike1_p2_list *ret, char *bad, size_t size);

struct l2v_ike1_p2_terms { /* what goes with every transform of an offer */
    uint32_t spi;      /* ours */
    uint16_t group;    /* 0 = no PFS */
    uint16_t encaps[2]; /* preferred first; 0 = only one */
    bool esn;          /* offer (choose: allow) ESN */
    uint32_t life_s;
    uint32_t life_kb;  /* 0 = none */
};
void l2v_ike1_p2_write_offer(struct l2v_writer *w, const struct l2v_ike1_p2_list *list,
                             const struct l2v_ike1_p2_terms *terms);
/* spi: ours; numbers and attributes are those of the peer's transform. */
void l2v_ike1_p2_write_choice(struct l2v_writer *w, const struct l2v_ike1_p2 *chosen, uint32_t spi);

struct l2v_ike1_p2_policy { /* responder */
    const struct l2v_ike1_p2_list *list;
    const uint16_t *groups; /* that PFS may use; cheapest first */
    unsigned n_groups;
    bool pfs_required;
    bool udp; /* a NAT was found or is claimed: UDP modes first; else plain transport first */
    bool allow_other_mode; /* the other carrier may be chosen if the first is not offered */
    bool esn;
    uint16_t ke_group; /* group of a KE payload that came along: 0 = there was none, 0xffff = any */
};
int l2v_ike1_p2_choose(const struct l2v_ike1_p2_policy *policy, const uint8_t *body, size_t len,
                       struct l2v_ike1_p2 *ret);
int l2v_ike1_p2_verify(const struct l2v_ike1_p2_list *offered, const struct l2v_ike1_p2_terms *terms,
                       const uint8_t *body, size_t len, struct l2v_ike1_p2 *ret);
int l2v_ike1_p2_read(const uint8_t *body, size_t len, struct l2v_ike1_p2_list *ret);
/* Lifetimes in the attribute list of a RESPONDER-LIFETIME notify; 0 = absent. protocol: ISAKMP or
 * ESP (their attribute numbers differ). 0, MALFORMED. */
int l2v_ike1_lifetime_read(unsigned protocol, const uint8_t *data, size_t len, uint32_t *ret_s,
                           uint32_t *ret_kb);

/* --- why it failed (ike1_explain.c) ---------------------------------------------------------- */
/* Responder: no transform of the peer's offer fits. Fills f: LAYER_IKE, NO_PROPOSAL. */
void l2v_ike1_p1_explain(const struct l2v_ike_config *config, const uint8_t *body, size_t len,
                         l2tpvoip_failure *f);
void l2v_ike1_p2_explain(const struct l2v_ike_config *config, const uint8_t *body, size_t len,
                         l2tpvoip_failure *f);
/* Initiator: the peer chose this from the wide diagnostic offer (NULL: it refused or ignored even
 * that). */
void l2v_ike1_p1_explain_wide(const struct l2v_ike_config *config, const struct l2v_ike1_p1 *chosen,
                              l2tpvoip_failure *f);
/* Initiator: the peer refused with a notify, 0 = it was silent. phase: 1 (messages 1 to 4),
 * L2V_IKE1_EXPLAIN_AUTH (5 and 6: a wrong key shows itself here, often as silence), or 2. */
#define L2V_IKE1_EXPLAIN_AUTH 5u
void l2v_ike1_explain_refusal(const struct l2v_ike_config *config, unsigned phase, unsigned notify,
                              l2tpvoip_failure *f);

#endif
