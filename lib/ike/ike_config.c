/* SPDX-License-Identifier: MIT */
/* From public options to what the engine uses: every member is checked, and what is wrong is said
 * with its cause and the next step. */
#include <stdio.h>

#include "base_secure.h"
#include "ike1_alg.h"
#include "ike_config.h"

#define KNOWN_FLAGS 0x7fffu
#define PSK_WEAK_LEN 20u
#define KIB 1024u

static int refuse(l2tpvoip_failure *f, const char *next_step, const char *message)
{
    if (f != NULL) {
        l2v_failure_set(f, L2TPVOIP_LAYER_CONFIG, L2TPVOIP_ERR_CONFIG, 0, next_step, "%s", message);
    }
    return L2TPVOIP_ERR_CONFIG;
}

static int out_of_memory(l2tpvoip_failure *f)
{
    if (f != NULL) {
        l2v_failure_set(f, L2TPVOIP_LAYER_CONFIG, L2TPVOIP_ERR_NOMEM, 0, "Free some memory.",
                        "out of memory for the IPsec settings");
    }
    return L2TPVOIP_ERR_NOMEM;
}

/* --- switches -------------------------------------------------------------------------------- */

static int set_switches(struct l2v_ike_config *c, const l2tpvoip_ipsec_options *o,
                        l2tpvoip_failure *f)
{
    c->profile_id = o->profile;
    c->profile = l2v_ike_profile_get(o->profile);
    if (c->profile == NULL) {
        return refuse(f, "Choose one of the profiles of l2tpvoip/ipsec.h.",
                      "ipsec.profile is not known");
    }
    if (o->security != L2TPVOIP_SECURITY_IPSEC) {
        return refuse(f, "Set ipsec.security to ipsec, or leave the IPsec settings out.",
                      "ipsec.security is not ipsec, so that there is nothing to negotiate");
    }
    if ((o->flags & ~KNOWN_FLAGS) != 0 || o->reserved != 0) {
        return refuse(f, "Start from l2tpvoip_ipsec_options_init and set known flags only.",
                      "ipsec.flags or ipsec.reserved has bits that are not known");
    }
    if (o->vendor_ids > L2TPVOIP_VENDOR_IDS_NONE) {
        return refuse(f, "Use full, minimal or none.", "ipsec.vendor_ids is not known");
    }
    c->flags = o->flags | c->profile->flags;
    c->quirks = c->profile->quirks;
    c->vendor_ids = o->vendor_ids != L2TPVOIP_VENDOR_IDS_FULL ? o->vendor_ids
                                                              : c->profile->vendor_ids;
    if (!c->server && (o->flags & L2TPVOIP_IPSEC_NAT_PARROT) != 0) {
        return refuse(f, "Remove nat_parrot: it is for servers behind a NAT.",
                      "ipsec flag nat_parrot is set on a client");
    }
    if (c->vendor_ids == L2TPVOIP_VENDOR_IDS_NONE &&
        l2v_ike_config_has(c, L2TPVOIP_IPSEC_FORCE_ENCAPS | L2TPVOIP_IPSEC_NAT_PARROT)) {
        return refuse(f, "Use vendor_ids minimal, which tells of NAT traversal.",
                      "ipsec.vendor_ids is none, so that force_encaps cannot work: without its "
                      "vendor id no peer knows that we do NAT traversal");
    }
    return 0;
}

/* --- numbers --------------------------------------------------------------------------------- */

struct range {
    const char *name;
    uint32_t value, fallback, min, max;
    uint32_t *ret;
};

static int set_range(const struct range *r, l2tpvoip_failure *f)
{
    uint32_t value = r->value != 0 ? r->value : r->fallback;
    char message[128], next[128];

    if (value >= r->min && value <= r->max) {
        *r->ret = value;
        return 0;
    }
    snprintf(message, sizeof(message), "ipsec.%s is %u", r->name, (unsigned)value);
    snprintf(next, sizeof(next), "Use a value from %u to %u, or 0 for the default.",
             (unsigned)r->min, (unsigned)r->max);
    return refuse(f, next, message);
}

static int set_volume(struct l2v_ike_config *c, uint64_t bytes, l2tpvoip_failure *f)
{
    uint64_t kb = bytes / KIB + (bytes % KIB != 0 ? 1 : 0);
    if (bytes != 0 && (bytes < UINT64_C(65536) || kb > UINT32_MAX)) {
        return refuse(f, "Use 65536 bytes or more (at most 4 TiB), or 0 for no limit.",
                      "ipsec.esp_lifetime_bytes is out of range");
    }
    c->esp_lifetime_bytes = bytes;
    c->esp_lifetime_kb = (uint32_t)kb;
    return 0;
}

static int set_numbers(struct l2v_ike_config *c, const l2tpvoip_ipsec_options *o,
                       l2tpvoip_failure *f)
{
    const struct l2v_ike_profile *p = c->profile;
    uint32_t dpd = o->dpd_interval_s != 0 ? o->dpd_interval_s : p->dpd_interval_s;
    uint32_t dead = p->dpd_timeout_s > dpd ? p->dpd_timeout_s : dpd * 2;
    uint32_t ports[2];
    const struct range ranges[] = {
        {"ike_lifetime_s", o->ike_lifetime_s, p->ike_lifetime_s, 60, 604800, &c->ike_lifetime_s},
        {"esp_lifetime_s", o->esp_lifetime_s, p->esp_lifetime_s, 30, 604800, &c->esp_lifetime_s},
        {"dpd_interval_s", dpd, 30, 1, 3600, &c->dpd_interval_s},
        {"dpd_timeout_s", o->dpd_timeout_s, dead, 2, 86400, &c->dpd_timeout_s},
        {"natt_keepalive_s", o->natt_keepalive_s, 20, 1, 3600, &c->natt_keepalive_s},
        {"replay_window", o->replay_window, 1024, 64, 65536, &c->replay_window},
        {"retransmit_ms", o->retransmit_ms, 1000, 50, 60000, &c->retransmit_ms},
        {"retransmit_tries", o->retransmit_tries, 5, 1, 20, &c->retransmit_tries},
        {"ike_port", o->ike_port, L2V_IKE_PORT, 1, 65535, &ports[0]},
        {"natt_port", o->natt_port, L2V_IKE_NATT_PORT, 1, 65535, &ports[1]},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (set_range(&ranges[i], f) != 0) {
            return L2TPVOIP_ERR_CONFIG;
        }
    }
    c->ike_port = (uint16_t)ports[0];
    c->natt_port = (uint16_t)ports[1];
    if (c->ike_port == c->natt_port) {
        return refuse(f, "Give them different numbers; the defaults are 500 and 4500.",
                      "ipsec.ike_port and ipsec.natt_port are the same");
    }
    if (c->replay_window % 64 != 0) {
        return refuse(f, "Use a multiple of 64, for example 1024.",
                      "ipsec.replay_window is not a multiple of 64");
    }
    if (c->dpd_timeout_s <= c->dpd_interval_s) {
        return refuse(f, "Make dpd_timeout_s several times dpd_interval_s.",
                      "ipsec.dpd_timeout_s is not longer than ipsec.dpd_interval_s");
    }
    return set_volume(c, o->esp_lifetime_bytes, f);
}

/* --- proposals ------------------------------------------------------------------------------- */

/* The flags without which we would not use it. */
static uint32_t flags_of_p1(const struct l2v_ike1_p1 *p)
{
    return (p->cipher == L2V_IKE1_ENC_3DES ? L2TPVOIP_IPSEC_ALLOW_3DES : 0u) |
           (l2v_ike1_alg_group_is_weak(p->group) ? L2TPVOIP_IPSEC_ALLOW_MODP1024 : 0u) |
           (p->hash == L2V_IKE1_HASH_SHA1 ? L2TPVOIP_IPSEC_ALLOW_SHA1 : 0u);
}

static uint32_t flags_of_p2(const struct l2v_ike1_p2 *p)
{
    return (p->transform == L2V_IKE1_ESP_3DES ? L2TPVOIP_IPSEC_ALLOW_3DES : 0u) |
           (p->group != 0 && l2v_ike1_alg_group_is_weak(p->group) ? L2TPVOIP_IPSEC_ALLOW_MODP1024
                                                                  : 0u) |
           (p->auth == L2V_IKE1_IPSEC_AUTH_SHA1 ? L2TPVOIP_IPSEC_ALLOW_SHA1 : 0u);
}

static const char *flag_name(uint32_t flag)
{
    return (flag & L2TPVOIP_IPSEC_ALLOW_3DES) != 0       ? "allow_3des"
           : (flag & L2TPVOIP_IPSEC_ALLOW_MODP1024) != 0 ? "allow_modp1024"
                                                         : "allow_sha1";
}

static int refuse_weak(const char *option, const char *item, uint32_t missing, l2tpvoip_failure *f)
{
    char message[160], next[160];
    snprintf(message, sizeof(message), "ipsec.%s has \"%s\", which needs the flag %s", option, item,
             flag_name(missing));
    snprintf(next, sizeof(next),
             "Set the flag %s if the peer can do no better, or remove the proposal.",
             flag_name(missing));
    return refuse(f, next, message);
}

static int refuse_syntax(const char *option, const char *bad, const char *example,
                         l2tpvoip_failure *f)
{
    char message[160], next[160];
    snprintf(message, sizeof(message), "ipsec.%s: \"%s\" is not a proposal that we know", option,
             bad);
    snprintf(next, sizeof(next), "Write a list such as \"%s\".", example);
    return refuse(f, next, message);
}

/* What the allow flags add behind the profile's own list. */
static const char extra_ike[] =
    "aes256-sha1-modp2048,aes128-sha1-modp2048,aes256-sha256-modp1536,aes256-sha1-modp1536,"
    "aes256-sha256-modp1024,aes256-sha1-modp1024,aes128-sha1-modp1024,3des-sha1-modp2048,"
    "3des-sha1-modp1024";
static const char extra_esp[] = "aes256-sha1,aes128-sha1,3des-sha1";

static void add_extra_ike(struct l2v_ike_config *c)
{
    struct l2v_ike1_p1_list extra;
    if (l2v_ike1_p1_list_parse(extra_ike, &extra, NULL, 0) != 0) {
        return;
    }
    for (unsigned i = 0; i < extra.n; i++) {
        bool known = false;
        for (unsigned j = 0; j < c->ike.n; j++) {
            known = known || (c->ike.items[j].cipher == extra.items[i].cipher &&
                              c->ike.items[j].key_bits == extra.items[i].key_bits &&
                              c->ike.items[j].hash == extra.items[i].hash &&
                              c->ike.items[j].group == extra.items[i].group);
        }
        if (!known && c->ike.n < L2V_IKE1_P1_MAX &&
            (flags_of_p1(&extra.items[i]) & ~c->flags) == 0) {
            c->ike.items[c->ike.n++] = extra.items[i];
        }
    }
}

static void add_extra_esp(struct l2v_ike_config *c)
{
    struct l2v_ike1_p2_list extra;
    if (l2v_ike1_p2_list_parse(extra_esp, &extra, NULL, 0) != 0) {
        return;
    }
    for (unsigned i = 0; i < extra.n; i++) {
        bool known = false;
        for (unsigned j = 0; j < c->esp.n; j++) {
            known = known || (c->esp.items[j].transform == extra.items[i].transform &&
                              c->esp.items[j].key_bits == extra.items[i].key_bits &&
                              c->esp.items[j].auth == extra.items[i].auth);
        }
        if (!known && c->esp.n < L2V_IKE1_P2_MAX &&
            (flags_of_p2(&extra.items[i]) & ~c->flags) == 0) {
            c->esp.items[c->esp.n++] = extra.items[i];
        }
    }
}

static int set_ike_proposals(struct l2v_ike_config *c, const char *text, l2tpvoip_failure *f)
{
    char bad[L2V_IKE1_PROPOSAL_TEXT] = "";

    if (l2v_ike1_p1_list_parse(text != NULL ? text : c->profile->ike, &c->ike, bad,
                               sizeof(bad)) != 0) {
        return refuse_syntax("ike_proposals", bad, "aes256-sha256-modp2048,aes128-sha256-ecp256",
                             f);
    }
    for (unsigned i = 0; i < c->ike.n; i++) {
        uint32_t missing = flags_of_p1(&c->ike.items[i]) & ~c->flags;
        if (missing != 0) {
            l2v_ike1_p1_format(&c->ike.items[i], bad, sizeof(bad));
            return refuse_weak("ike_proposals", bad, missing, f);
        }
    }
    if (text == NULL) {
        add_extra_ike(c);
    }
    return 0;
}

static int set_esp_proposals(struct l2v_ike_config *c, const char *text, l2tpvoip_failure *f)
{
    char bad[L2V_IKE1_PROPOSAL_TEXT] = "";

    if (l2v_ike1_p2_list_parse(text != NULL ? text : c->profile->esp, &c->esp, bad,
                               sizeof(bad)) != 0) {
        return refuse_syntax("esp_proposals", bad, "aes256gcm16,aes128-sha256", f);
    }
    for (unsigned i = 0; i < c->esp.n; i++) {
        uint32_t missing = flags_of_p2(&c->esp.items[i]) & ~c->flags;
        if (missing != 0) {
            l2v_ike1_p2_format(&c->esp.items[i], bad, sizeof(bad));
            return refuse_weak("esp_proposals", bad, missing, f);
        }
    }
    if (text == NULL) {
        add_extra_esp(c);
    }
    return 0;
}

/* Keeps pfs_groups sorted by cost. */
static void add_pfs_group(struct l2v_ike_config *c, uint16_t group)
{
    unsigned at = 0;
    for (unsigned i = 0; i < c->n_pfs_groups; i++) {
        if (c->pfs_groups[i] == group) {
            return;
        }
        if (l2v_ike1_alg_group_cost(c->pfs_groups[i]) < l2v_ike1_alg_group_cost(group)) {
            at = i + 1;
        }
    }
    if (c->n_pfs_groups == sizeof(c->pfs_groups) / sizeof(c->pfs_groups[0])) {
        return;
    }
    for (unsigned i = c->n_pfs_groups; i > at; i--) {
        c->pfs_groups[i] = c->pfs_groups[i - 1];
    }
    c->pfs_groups[at] = group;
    c->n_pfs_groups++;
}

/* Groups that stand in esp_proposals move out of the list: a quick mode has one KE payload and so
 * one group for all its transforms (rfc2409#5.5). */
static int set_pfs(struct l2v_ike_config *c, l2tpvoip_failure *f)
{
    for (unsigned i = 0; i < c->esp.n; i++) {
        uint16_t group = c->esp.items[i].group;
        c->esp.items[i].group = 0;
        if (group == 0) {
            continue;
        }
        if (!c->server && c->pfs_group != 0 && c->pfs_group != group) {
            return refuse(f, "Name the same group in every item of esp_proposals.",
                          "ipsec.esp_proposals names several PFS groups; a client can offer one");
        }
        if (c->pfs_group == 0) {
            c->pfs_group = group;
        }
        add_pfs_group(c, group);
    }
    if (c->pfs_group != 0 && !c->server) {
        c->flags |= L2TPVOIP_IPSEC_PFS;
    }
    for (unsigned i = 0; i < c->ike.n && c->pfs_group == 0; i++) {
        add_pfs_group(c, c->ike.items[i].group);
    }
    if (c->pfs_group == 0 && l2v_ike_config_has(c, L2TPVOIP_IPSEC_PFS)) {
        c->pfs_group = c->ike.items[0].group;
    }
    return 0;
}

/* --- keys and identities --------------------------------------------------------------------- */

static int set_id(const char *option, const char *text, struct l2v_ike_id *ret, l2tpvoip_failure *f)
{
    char message[96];
    if (text == NULL || l2v_ike_id_parse(text, ret) == 0) {
        return 0;
    }
    snprintf(message, sizeof(message), "ipsec.%s is empty, too long or not an identity", option);
    return refuse(f, "Write an address, host.example, user@host.example, @key or @#hex.", message);
}

static void warn_weak(const struct l2v_ike_config *c, unsigned index)
{
    const struct l2v_ike_psk *p = &c->psks[index];
    bool seen[256] = {false};
    unsigned different = 0;

    for (size_t i = 0; i < p->len; i++) {
        different += !seen[p->key[i]];
        seen[p->key[i]] = true;
    }
    l2v_wipe(seen, sizeof(seen));
    if (p->len < PSK_WEAK_LEN || different < 8) {
        l2v_log(c->env, L2TPVOIP_LOG_WARNING, "ike",
                "pre-shared key %u is weak: whoever records one handshake can guess it offline; use "
                "%u random characters or more",
                index + 1, PSK_WEAK_LEN);
    }
}

static int set_psk(struct l2v_ike_config *c, unsigned index, const l2tpvoip_psk *from,
                   l2tpvoip_failure *f)
{
    struct l2v_ike_psk *p = &c->psks[index];
    char message[96];

    if (from->size < sizeof(*from) || from->key == NULL || from->len == 0 || from->len > 256) {
        snprintf(message, sizeof(message),
                 "ipsec.psks: pre-shared key %u is empty or longer than 256 bytes", index + 1);
        return refuse(f, "Give a key of 1 to 256 bytes; 20 random characters are a good one.",
                      message);
    }
    if (from->remote_id != NULL && l2v_ike_id_parse(from->remote_id, &p->id) != 0) {
        snprintf(message, sizeof(message), "ipsec.psks: remote_id of key %u is not an identity",
                 index + 1);
        return refuse(f, "Write an address, host.example, user@host.example, @key or @#hex.",
                      message);
    }
    p->key = (uint8_t *)l2v_memdup(c->env, from->key, from->len);
    if (p->key == NULL) {
        return out_of_memory(f);
    }
    p->len = from->len;
    warn_weak(c, index);
    return 0;
}

static int set_psks(struct l2v_ike_config *c, const l2tpvoip_ipsec_options *o, l2tpvoip_failure *f)
{
    unsigned anywhere = 0;

    if (o->n_psks == 0 || o->psks == NULL) {
        return refuse(f, "Set ipsec.psks: ask the operator of the peer for the IPsec secret.",
                      "there is no pre-shared key");
    }
    if (o->n_psks > 4096) {
        return refuse(f, "Use fewer keys, or one key for a group of peers.",
                      "ipsec.n_psks is above 4096");
    }
    c->psks = (struct l2v_ike_psk *)l2v_calloc(c->env, o->n_psks, sizeof(*c->psks));
    if (c->psks == NULL) {
        return out_of_memory(f);
    }
    c->n_psks = o->n_psks;
    for (unsigned i = 0; i < c->n_psks; i++) {
        int rc = set_psk(c, i, &o->psks[i], f);
        if (rc != 0) {
            return rc;
        }
        anywhere += c->psks[i].id.type != L2V_IKE_ID_IPV4 && c->psks[i].id.type != L2V_IKE_ID_IPV6;
    }
    if (anywhere > L2V_IKE_MAX_PSKS) {
        return refuse(f, "Bind keys to the address of their peer with remote_id, or use fewer.",
                      "more than 8 pre-shared keys are not bound to an address; only 8 are tried "
                      "for one peer");
    }
    return 0;
}

/* --- life ------------------------------------------------------------------------------------ */

static void destroy(struct l2v_ike_config *c)
{
    struct l2v_env *env = c->env;
    for (unsigned i = 0; i < c->n_psks; i++) {
        l2v_free_secret(env, c->psks[i].key, c->psks[i].len);
    }
    l2v_free(env, c->psks);
    l2v_free(env, c);
}

static int set_all(struct l2v_ike_config *c, const l2tpvoip_ipsec_options *o, l2tpvoip_failure *f)
{
    int rc = set_switches(c, o, f);
    if (rc == 0) {
        rc = set_numbers(c, o, f);
    }
    if (rc == 0) {
        rc = set_ike_proposals(c, o->ike_proposals, f);
    }
    if (rc == 0) {
        rc = set_esp_proposals(c, o->esp_proposals, f);
    }
    if (rc == 0) {
        rc = set_pfs(c, f);
    }
    if (rc == 0) {
        rc = set_id("local_id", o->local_id, &c->local_id, f);
    }
    if (rc == 0) {
        rc = set_id("remote_id", o->remote_id, &c->remote_id, f);
    }
    return rc == 0 ? set_psks(c, o, f) : rc;
}

int l2v_ike_config_new(struct l2v_env *env, struct l2v_crypto *crypto,
                       const l2tpvoip_ipsec_options *options, bool server,
                       struct l2v_ike_config **ret_config, l2tpvoip_failure *f)
{
    struct l2v_ike_config *c;
    l2tpvoip_ipsec_options o;
    int rc;

    if (options == NULL || options->size < offsetof(l2tpvoip_ipsec_options, local_id)) {
        return refuse(f, "Start from l2tpvoip_ipsec_options_init.",
                      "the IPsec options have no valid size");
    }
    memset(&o, 0, sizeof(o));
    memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
    c = (struct l2v_ike_config *)l2v_calloc(env, 1, sizeof(*c));
    if (c == NULL) {
        return out_of_memory(f);
    }
    c->env = env;
    c->crypto = crypto;
    c->refs = 1;
    c->server = server;
    rc = set_all(c, &o, f);
    if (rc != 0) {
        destroy(c);
        return rc;
    }
    *ret_config = c;
    return 0;
}

struct l2v_ike_config *l2v_ike_config_ref(struct l2v_ike_config *config)
{
    config->refs++;
    return config;
}

void l2v_ike_config_unref(struct l2v_ike_config *config)
{
    if (config != NULL && --config->refs == 0) {
        destroy(config);
    }
}
