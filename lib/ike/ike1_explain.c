/* SPDX-License-Identifier: MIT */
/* Why a negotiation failed, in words for a person: what the peer offered or said, which attribute
 * did not fit, and what to change. */
#include <stdio.h>

#include "ike1_alg.h"
#include "ike1_natt.h"
#include "ike_config.h"
#include "ike_wire.h"

static void add_text(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);
    if (used < size) {
        snprintf(text + used, size - used, "%s", more);
    }
}

/* Comma-separated, ending with "…" when it would become too long. */
static bool add_item(char *text, size_t size, const char *item)
{
    if (strlen(text) + strlen(item) + 8 > size) {
        add_text(text, size, ", ...");
        return false;
    }
    if (text[0] != 0) {
        add_text(text, size, ", ");
    }
    add_text(text, size, item);
    return true;
}

static void list_p1(const struct l2v_ike1_p1_list *list, char *text, size_t size)
{
    char item[L2V_IKE1_PROPOSAL_TEXT];
    text[0] = 0;
    for (unsigned i = 0; i < list->n; i++) {
        l2v_ike1_p1_format(&list->items[i], item, sizeof(item));
        if (!add_item(text, size, item)) {
            return;
        }
    }
}

/* --- what stands between a transform and our list --------------------------------------------- */

enum { MISS_AUTH = 1, MISS_CIPHER = 2, MISS_HASH = 4, MISS_GROUP = 8, MISS_MODE = 16 };

static unsigned count_bits(unsigned v)
{
    unsigned n = 0;
    for (; v != 0; v &= v - 1) {
        n++;
    }
    return n;
}

static unsigned compare_p1(const struct l2v_ike1_p1 *a, const struct l2v_ike1_p1 *b)
{
    return (a->auth != b->auth ? MISS_AUTH : 0u) |
           (a->cipher != b->cipher || a->key_bits != b->key_bits ? MISS_CIPHER : 0u) |
           (a->hash != b->hash ? MISS_HASH : 0u) | (a->group != b->group ? MISS_GROUP : 0u);
}

/* The offered transform that is nearest to something of ours, and what it lacks. */
static const struct l2v_ike1_p1 *nearest_p1(const struct l2v_ike1_p1_list *ours,
                                            const struct l2v_ike1_p1_list *offer,
                                            unsigned *ret_miss)
{
    const struct l2v_ike1_p1 *best = NULL;
    unsigned miss = 0;
    for (unsigned i = 0; i < offer->n; i++) {
        for (unsigned j = 0; j < ours->n; j++) {
            unsigned m = compare_p1(&offer->items[i], &ours->items[j]);
            if (best == NULL || count_bits(m) < count_bits(miss)) {
                best = &offer->items[i];
                miss = m;
            }
        }
    }
    *ret_miss = miss;
    return best;
}

/* One sentence: how to make us take p. */
static void advise_p1(const struct l2v_ike1_p1 *p, unsigned miss, char *text, size_t size)
{
    char item[L2V_IKE1_PROPOSAL_TEXT], flags[96] = "";

    if ((miss & MISS_AUTH) != 0) {
        snprintf(text, size,
                 "The peer wants to authenticate with a certificate or XAUTH: set it to a "
                 "pre-shared key.");
        return;
    }
    if (l2v_ike1_p1_key_len(p) == 0 || p->hash == L2V_IKE1_HASH_MD5 ||
        l2v_ike1_p1_hash(p) == L2V_HASH_NONE || l2v_ike1_alg_group_cost(p->group) == 255) {
        snprintf(text, size,
                 "The peer's algorithms are not supported: set it to AES with SHA2-256 and "
                 "MODP-2048.");
        return;
    }
    if (p->cipher == L2V_IKE1_ENC_3DES) {
        add_item(flags, sizeof(flags), "allow_3des");
    }
    if (l2v_ike1_alg_group_is_weak(p->group)) {
        add_item(flags, sizeof(flags), "allow_modp1024");
    }
    if (p->hash == L2V_IKE1_HASH_SHA1) {
        add_item(flags, sizeof(flags), "allow_sha1");
    }
    l2v_ike1_p1_format(p, item, sizeof(item));
    if (flags[0] != 0) {
        snprintf(text, size,
                 "Add %s to ike_proposals with %s, or use the profile compatible; better, set the "
                 "peer to stronger algorithms.",
                 item, flags);
    } else {
        snprintf(text, size, "Add %s to ike_proposals.", item);
    }
}

static void name_miss(unsigned miss, char *text, size_t size)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{MISS_AUTH, "authentication method"},
                 {MISS_CIPHER, "cipher"},
                 {MISS_HASH, "hash"},
                 {MISS_GROUP, "Diffie-Hellman group"},
                 {MISS_MODE, "encapsulation mode"}};
    text[0] = 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((miss & words[i].bit) != 0) {
            add_item(text, size, words[i].word);
        }
    }
}

void l2v_ike1_p1_explain(const struct l2v_ike_config *config, const uint8_t *body, size_t len,
                         l2tpvoip_failure *f)
{
    struct l2v_ike1_p1_list offer;
    const struct l2v_ike1_p1 *best;
    char offered[160], missing[80], near[L2V_IKE1_PROPOSAL_TEXT], advice[224];
    unsigned miss;

    if (l2v_ike1_p1_read(body, len, &offer) != 0 || offer.n == 0) {
        l2v_failure_set(f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_NO_PROPOSAL, 0,
                        "Look at the peer's settings for phase 1, or take a capture.",
                        "the peer's IKE offer has no transform that can be read");
        return;
    }
    best = nearest_p1(&config->ike, &offer, &miss);
    if (best == NULL) {
        best = &offer.items[0];
        miss = 0;
    }
    list_p1(&offer, offered, sizeof(offered));
    name_miss(miss, missing, sizeof(missing));
    l2v_ike1_p1_format(best, near, sizeof(near));
    advise_p1(best, miss, advice, sizeof(advice));
    l2v_failure_set(f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_NO_PROPOSAL, 0, advice,
                    "no IKE proposal in common: %s of %s is not allowed here; offered: %s",
                    missing, near, offered);
}

/* --- phase 2 ---------------------------------------------------------------------------------- */

static unsigned compare_p2(const struct l2v_ike1_p2 *a, const struct l2v_ike1_p2 *b)
{
    return (a->transform != b->transform || a->key_bits != b->key_bits ? MISS_CIPHER : 0u) |
           (a->auth != b->auth ? MISS_HASH : 0u);
}

static bool has_group(const struct l2v_ike_config *config, unsigned group)
{
    for (unsigned i = 0; i < config->n_pfs_groups; i++) {
        if (config->pfs_groups[i] == group) {
            return true;
        }
    }
    return group == 0 && !l2v_ike_config_has(config, L2TPVOIP_IPSEC_PFS);
}

static unsigned miss_p2(const struct l2v_ike_config *config, const struct l2v_ike1_p2 *p)
{
    unsigned miss = MISS_CIPHER | MISS_HASH;
    for (unsigned i = 0; i < config->esp.n; i++) {
        unsigned m = compare_p2(p, &config->esp.items[i]);
        miss = count_bits(m) < count_bits(miss) ? m : miss;
    }
    if (p->encap != 0 && p->encap != L2V_IKE1_ENCAP_TRANSPORT &&
        !l2v_ike1_encap_is_udp_transport(p->encap)) {
        miss |= MISS_MODE;
    }
    return has_group(config, p->group) ? miss : miss | MISS_GROUP;
}

static void advise_p2(const struct l2v_ike1_p2 *p, unsigned miss, char *text, size_t size)
{
    char item[L2V_IKE1_PROPOSAL_TEXT];

    l2v_ike1_p2_format(p, item, sizeof(item));
    if ((miss & MISS_MODE) != 0) {
        snprintf(text, size, "Set the peer to transport mode: L2TP/IPsec does not use tunnel mode.");
    } else if (l2v_ike1_p2_suite(p, false) == L2V_SUITE_NONE) {
        snprintf(text, size,
                 "The peer's algorithms are not supported: set it to AES-GCM, or AES with SHA1 or "
                 "SHA2.");
    } else if ((miss & MISS_GROUP) != 0 && p->group == 0) {
        snprintf(text, size, "Switch perfect forward secrecy on at the peer, or the flag pfs off.");
    } else if ((miss & MISS_GROUP) != 0) {
        snprintf(text, size,
                 "Switch perfect forward secrecy off at the peer, or allow its group: add %s to "
                 "esp_proposals.",
                 item);
    } else {
        snprintf(text, size, "Add %s to esp_proposals%s.", item,
                 p->transform == L2V_IKE1_ESP_3DES          ? " with allow_3des"
                 : p->auth == L2V_IKE1_IPSEC_AUTH_SHA1      ? " with allow_sha1"
                                                            : "");
    }
}

void l2v_ike1_p2_explain(const struct l2v_ike_config *config, const uint8_t *body, size_t len,
                         l2tpvoip_failure *f)
{
    struct l2v_ike1_p2_list offer;
    char offered[160] = "", missing[80], near[L2V_IKE1_PROPOSAL_TEXT], advice[224];
    unsigned best = 0, miss = ~0u;

    if (l2v_ike1_p2_read(body, len, &offer) != 0 || offer.n == 0) {
        l2v_failure_set(f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_NO_PROPOSAL, 0,
                        "Set the peer to ESP alone, without AH or IPComp.",
                        "the peer's ESP offer has no transform that can be read");
        return;
    }
    for (unsigned i = 0; i < offer.n; i++) {
        unsigned m = miss_p2(config, &offer.items[i]);
        if (count_bits(m) < count_bits(miss)) {
            miss = m;
            best = i;
        }
    }
    for (unsigned i = 0; i < offer.n; i++) {
        l2v_ike1_p2_format(&offer.items[i], near, sizeof(near));
        if (!add_item(offered, sizeof(offered), near)) {
            break;
        }
    }
    if (miss == 0) {
        miss = MISS_MODE; /* all fits but the carrier: UDP where plain was due, or the other way */
    }
    name_miss(miss, missing, sizeof(missing));
    l2v_ike1_p2_format(&offer.items[best], near, sizeof(near));
    advise_p2(&offer.items[best], miss, advice, sizeof(advice));
    l2v_failure_set(f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_NO_PROPOSAL, 0, advice,
                    "no ESP proposal in common: %s of %s is not allowed here; offered: %s", missing,
                    near, offered);
}

/* --- initiator -------------------------------------------------------------------------------- */

void l2v_ike1_p1_explain_wide(const struct l2v_ike_config *config, const struct l2v_ike1_p1 *chosen,
                              l2tpvoip_failure *f)
{
    char item[L2V_IKE1_PROPOSAL_TEXT], advice[224];
    struct l2v_ike1_p1_list one;
    unsigned miss;

    if (chosen == NULL) {
        l2v_failure_set(
            f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_TIMEOUT, 0,
            "Check that the server runs IKEv1 and that no firewall blocks UDP ports 500 and 4500 "
            "(libreswan 5 needs ikev1-policy=accept).",
            "the peer answers no IKEv1 offer at all, not even a wide one");
        return;
    }
    one.n = 1;
    one.items[0] = *chosen;
    l2v_ike1_p1_format(chosen, item, sizeof(item));
    (void)nearest_p1(&config->ike, &one, &miss);
    if (miss == 0) {
        l2v_failure_set(f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_NO_PROPOSAL, 0,
                        "Try again; if it stays so, set vendor_ids to minimal.",
                        "the peer is silent to our offer but accepts %s, which is in it", item);
        return;
    }
    advise_p1(chosen, miss, advice, sizeof(advice));
    l2v_failure_set(f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_NO_PROPOSAL, 0, advice,
                    "the peer refuses what the profile %s offers; it would take %s",
                    config->profile->name, item);
}

struct refusal {
    uint8_t phase; /* 0 = any */
    uint16_t notify;
    int16_t code;
    const char *message, *next_step;
};

static const char check_psk[] =
    "Check the pre-shared key on both sides, blanks and capital letters included.";
static const char check_id[] =
    "Set local_id to what the server expects, or bind the server's key to our address.";

static const struct refusal refusals[] = {
    {1, 0, L2TPVOIP_ERR_TIMEOUT, "the peer does not answer IKE",
     "Check the address, that the server runs IKEv1, and that UDP 500 and 4500 pass the firewall."},
    {L2V_IKE1_EXPLAIN_AUTH, 0, L2TPVOIP_ERR_AUTH_IKE,
     "the peer fell silent when we authenticated: most likely the pre-shared key is wrong",
     check_psk},
    {2, 0, L2TPVOIP_ERR_TIMEOUT, "the peer does not answer quick mode",
     "Check the ESP proposals and that the server expects L2TP in transport mode."},
    {1, L2V_IKE1_NOTIFY_NO_PROPOSAL_CHOSEN, L2TPVOIP_ERR_NO_PROPOSAL,
     "the peer refuses all our IKE proposals",
     "Choose the profile of the server, or set ike_proposals to what it allows."},
    {2, L2V_IKE1_NOTIFY_NO_PROPOSAL_CHOSEN, L2TPVOIP_ERR_NO_PROPOSAL,
     "the peer refuses all our ESP proposals",
     "Choose the profile of the server, or set esp_proposals (and pfs) to what it allows."},
    {L2V_IKE1_EXPLAIN_AUTH, L2V_IKE1_NOTIFY_PAYLOAD_MALFORMED, L2TPVOIP_ERR_AUTH_IKE,
     "the peer cannot read our fifth message: most likely the pre-shared key is wrong", check_psk},
    {L2V_IKE1_EXPLAIN_AUTH, L2V_IKE1_NOTIFY_INVALID_PAYLOAD_TYPE, L2TPVOIP_ERR_AUTH_IKE,
     "the peer cannot read our fifth message: most likely the pre-shared key is wrong", check_psk},
    {L2V_IKE1_EXPLAIN_AUTH, L2V_IKE1_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS, L2TPVOIP_ERR_AUTH_IKE,
     "the peer cannot read our fifth message: most likely the pre-shared key is wrong", check_psk},
    {2, L2V_IKE1_NOTIFY_INVALID_ID_INFORMATION, L2TPVOIP_ERR_REFUSED,
     "the peer refuses the addresses or ports of quick mode",
     "Set the server to transport mode with selectors 17/1701 and 17/any."},
    {0, L2V_IKE1_NOTIFY_INVALID_ID_INFORMATION, L2TPVOIP_ERR_AUTH_IKE,
     "the peer does not know our identity", check_id},
    {0, L2V_IKE1_NOTIFY_AUTHENTICATION_FAILED, L2TPVOIP_ERR_AUTH_IKE,
     "the peer says that authentication failed: most likely the pre-shared key is wrong",
     check_psk},
    {0, L2V_IKE1_NOTIFY_INVALID_HASH_INFORMATION, L2TPVOIP_ERR_AUTH_IKE,
     "the peer found our hash wrong: most likely the pre-shared key is wrong", check_psk},
    {0, L2V_IKE1_NOTIFY_INVALID_KEY_INFORMATION, L2TPVOIP_ERR_PROTOCOL,
     "the peer refuses our Diffie-Hellman value", "Offer only one group in ike_proposals."},
    {0, L2V_IKE1_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE, L2TPVOIP_ERR_REFUSED,
     "the peer does not do this exchange of IKEv1", "Enable main mode of IKEv1 on the server."},
    {0, L2V_IKE1_NOTIFY_INVALID_MAJOR_VERSION, L2TPVOIP_ERR_REFUSED,
     "the peer does not speak IKEv1", "Enable IKEv1 on the server."},
    {0, L2V_IKE1_NOTIFY_ATTRIBUTES_NOT_SUPPORTED, L2TPVOIP_ERR_NO_PROPOSAL,
     "the peer does not know an attribute of our proposals",
     "Choose the profile of the server; switch esn off."},
};

void l2v_ike1_explain_refusal(const struct l2v_ike_config *config, unsigned phase, unsigned notify,
                              l2tpvoip_failure *f)
{
    const char *name = l2v_ike1_notify_name(notify);
    const char *stage = phase == 2 ? "quick mode" : "main mode";

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *r = &refusals[i];
        if (r->notify != notify || (r->phase != 0 && r->phase != phase)) {
            continue;
        }
        if (notify == 0) {
            l2v_failure_set(f, L2TPVOIP_LAYER_IKE, r->code, 0, r->next_step, "%s (profile %s)",
                            r->message, config->profile->name);
        } else {
            l2v_failure_set(f, L2TPVOIP_LAYER_IKE, r->code, (int32_t)notify, r->next_step,
                            "%s (notify %s, profile %s)", r->message, name,
                            config->profile->name);
        }
        return;
    }
    l2v_failure_set(f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_REFUSED, (int32_t)notify,
                    "Look into the log of the server at this time.",
                    "the peer refuses %s with notify %u (%s)", stage, notify,
                    name != NULL ? name : "unknown");
}
