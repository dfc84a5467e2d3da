/* SPDX-License-Identifier: MIT */
/* Text syntax of proposals: "aes256-sha256-modp2048", "aes128gcm16", lists with commas. */
#include <stdio.h>

#include "ike1_alg.h"
#include "ike1_proposal.h"

struct cipher_name {
    const char *token, *label;
    uint16_t p1, p2, bits; /* wire numbers of the phases; 0 = not there */
    bool ours;             /* else it only has a name */
    bool aead;
};
static const struct cipher_name ciphers[] = {
    {"aes128", "AES-128", L2V_IKE1_ENC_AES, L2V_IKE1_ESP_AES_CBC, 128, true, false},
    {"aes192", "AES-192", L2V_IKE1_ENC_AES, L2V_IKE1_ESP_AES_CBC, 192, true, false},
    {"aes256", "AES-256", L2V_IKE1_ENC_AES, L2V_IKE1_ESP_AES_CBC, 256, true, false},
    {"3des", "3DES", L2V_IKE1_ENC_3DES, L2V_IKE1_ESP_3DES, 0, true, false},
    {"aes128gcm16", "AES-GCM-16-128", 0, L2V_IKE1_ESP_AES_GCM_16, 128, true, true},
    {"aes192gcm16", "AES-GCM-16-192", 0, L2V_IKE1_ESP_AES_GCM_16, 192, true, true},
    {"aes256gcm16", "AES-GCM-16-256", 0, L2V_IKE1_ESP_AES_GCM_16, 256, true, true},
    {"aes128gcm12", "AES-GCM-12-128", 0, L2V_IKE1_ESP_AES_GCM_12, 128, true, true},
    {"aes192gcm12", "AES-GCM-12-192", 0, L2V_IKE1_ESP_AES_GCM_12, 192, true, true},
    {"aes256gcm12", "AES-GCM-12-256", 0, L2V_IKE1_ESP_AES_GCM_12, 256, true, true},
    {"aes128gcm8", "AES-GCM-8-128", 0, L2V_IKE1_ESP_AES_GCM_8, 128, true, true},
    {"aes192gcm8", "AES-GCM-8-192", 0, L2V_IKE1_ESP_AES_GCM_8, 192, true, true},
    {"aes256gcm8", "AES-GCM-8-256", 0, L2V_IKE1_ESP_AES_GCM_8, 256, true, true},
    {"des", "DES", L2V_IKE1_ENC_DES, L2V_IKE1_ESP_DES, 0, false, false},
    {"null", "NULL", 0, L2V_IKE1_ESP_NULL, 0, false, false},
    {"blowfish", "Blowfish", 3, 7, 0, false, false},
    {"cast128", "CAST-128", 6, 6, 0, false, false},
    {"camellia", "Camellia", 8, 22, 0, false, false},
};

struct hash_name {
    const char *token, *alias, *label;
    uint16_t p1, p2;
    bool ours;
};
static const struct hash_name hashes[] = {
    {"sha1", "sha", "SHA1", L2V_IKE1_HASH_SHA1, L2V_IKE1_IPSEC_AUTH_SHA1, true},
    {"sha256", "sha2_256", "SHA2-256", L2V_IKE1_HASH_SHA256, L2V_IKE1_IPSEC_AUTH_SHA256, true},
    {"sha384", "sha2_384", "SHA2-384", L2V_IKE1_HASH_SHA384, L2V_IKE1_IPSEC_AUTH_SHA384, true},
    {"sha512", "sha2_512", "SHA2-512", L2V_IKE1_HASH_SHA512, L2V_IKE1_IPSEC_AUTH_SHA512, true},
    {"md5", "md5", "MD5", L2V_IKE1_HASH_MD5, L2V_IKE1_IPSEC_AUTH_MD5, false},
};

/* Costs are ranks of measured times of one agreement (keygen and derive) with libcrypto 3.0. */
struct group_name {
    const char *token, *alias, *label;
    uint16_t number;
    uint8_t cost;
    bool weak;
};
static const struct group_name groups[] = {
    {"ecp256", "dh19", "ECP-256", L2V_DH_ECP256, 1, false},
    {"ecp521", "dh21", "ECP-521", L2V_DH_ECP521, 2, false},
    {"modp1024", "dh2", "MODP-1024", L2V_DH_MODP1024, 3, true},
    {"modp1536", "dh5", "MODP-1536", L2V_DH_MODP1536, 4, true},
    {"modp2048", "dh14", "MODP-2048", L2V_DH_MODP2048, 5, false},
    {"ecp384", "dh20", "ECP-384", L2V_DH_ECP384, 6, false},
    {"modp3072", "dh15", "MODP-3072", L2V_DH_MODP3072, 7, false},
    {"modp4096", "dh16", "MODP-4096", L2V_DH_MODP4096, 8, false},
    {"modp768", "dh1", "MODP-768", 1, 255, true},
    {"modp6144", "dh17", "MODP-6144", 17, 255, false},
    {"modp8192", "dh18", "MODP-8192", 18, 255, false},
    {"modp1024s160", "dh22", "MODP-1024-160", 22, 255, true},
    {"modp2048s224", "dh23", "MODP-2048-224", 23, 255, true},
    {"modp2048s256", "dh24", "MODP-2048-256", 24, 255, true},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void l2v_ike1_alg_cipher(unsigned phase, unsigned number, unsigned key_bits, bool label, char *text,
                         size_t size)
{
    for (size_t i = 0; i < COUNT(ciphers); i++) {
        const struct cipher_name *c = &ciphers[i];
        if (number != 0 && (phase == 1 ? c->p1 : c->p2) == number &&
            (c->bits == key_bits || c->bits == 0)) {
            snprintf(text, size, "%s", label ? c->label : c->token);
            return;
        }
    }
    snprintf(text, size, key_bits != 0 ? "cipher%u/%u" : "cipher%u", number, key_bits);
}

void l2v_ike1_alg_hash(unsigned phase, unsigned number, bool label, char *text, size_t size)
{
    for (size_t i = 0; i < COUNT(hashes); i++) {
        if ((phase == 1 ? hashes[i].p1 : hashes[i].p2) == number) {
            snprintf(text, size, "%s", label ? hashes[i].label : hashes[i].token);
            return;
        }
    }
    snprintf(text, size, "hash%u", number);
}

static const struct group_name *find_group(unsigned number)
{
    for (size_t i = 0; i < COUNT(groups); i++) {
        if (groups[i].number == number) {
            return &groups[i];
        }
    }
    return NULL;
}

void l2v_ike1_alg_group(unsigned number, bool label, char *text, size_t size)
{
    const struct group_name *g = find_group(number);
    if (g != NULL) {
        snprintf(text, size, "%s", label ? g->label : g->token);
    } else {
        snprintf(text, size, "group%u", number);
    }
}

unsigned l2v_ike1_alg_group_cost(unsigned group)
{
    const struct group_name *g = find_group(group);
    return g != NULL ? g->cost : 255;
}

bool l2v_ike1_alg_group_is_weak(unsigned group)
{
    const struct group_name *g = find_group(group);
    return g == NULL || g->weak;
}

/* --- formatting ------------------------------------------------------------------------------ */

static void format_p1(const struct l2v_ike1_p1 *p, bool label, char *text, size_t size)
{
    char cipher[L2V_IKE1_ALG_TEXT], hash[L2V_IKE1_ALG_TEXT], group[L2V_IKE1_ALG_TEXT];
    l2v_ike1_alg_cipher(1, p->cipher, p->key_bits, label, cipher, sizeof(cipher));
    l2v_ike1_alg_hash(1, p->hash, label, hash, sizeof(hash));
    l2v_ike1_alg_group(p->group, label, group, sizeof(group));
    snprintf(text, size, label ? "%s/%s/%s" : "%s-%s-%s", cipher, hash, group);
}

void l2v_ike1_p1_format(const struct l2v_ike1_p1 *p, char *text, size_t size)
{
    format_p1(p, false, text, size);
}

void l2v_ike1_p1_describe(const struct l2v_ike1_p1 *p, char *text, size_t size)
{
    format_p1(p, true, text, size);
}

void l2v_ike1_p2_format(const struct l2v_ike1_p2 *p, char *text, size_t size)
{
    char cipher[L2V_IKE1_ALG_TEXT], hash[L2V_IKE1_ALG_TEXT] = "", group[L2V_IKE1_ALG_TEXT] = "";
    l2v_ike1_alg_cipher(2, p->transform, p->key_bits, false, cipher, sizeof(cipher));
    if (p->auth != 0) {
        l2v_ike1_alg_hash(2, p->auth, false, hash, sizeof(hash));
    }
    if (p->group != 0) {
        l2v_ike1_alg_group(p->group, false, group, sizeof(group));
    }
    snprintf(text, size, "%s%s%s%s%s%s", cipher, p->auth != 0 ? "-" : "", hash,
             p->group != 0 ? "-" : "", group, p->esn ? "-esn" : "");
}

/* --- parsing --------------------------------------------------------------------------------- */

/* A piece of text between separators. */
struct span {
    const char *at;
    size_t len;
};

static bool span_is(struct span s, const char *word)
{
    if (strlen(word) != s.len) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c - 'A' + 'a');
        }
        if (c != word[i]) {
            return false;
        }
    }
    return true;
}

static struct span take_until(struct span *rest, char separator, bool *more)
{
    struct span s = {rest->at, 0};
    while (s.len < rest->len && rest->at[s.len] != separator) {
        s.len++;
    }
    *more = s.len < rest->len;
    rest->at += s.len + (*more ? 1 : 0);
    rest->len -= s.len + (*more ? 1 : 0);
    return s;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_space(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.at[s.len - 1])) {
        s.len--;
    }
    return s;
}

struct item {
    const struct cipher_name *cipher;
    const struct hash_name *hash;
    const struct group_name *group;
    bool esn;
};

/* A word is whatever table knows it; each kind once, in the order cipher, hash, group, esn. */
static bool take_word(struct span word, struct item *item)
{
    if (item->cipher == NULL) {
        for (size_t i = 0; i < COUNT(ciphers); i++) {
            if (ciphers[i].ours && span_is(word, ciphers[i].token)) {
                item->cipher = &ciphers[i];
                return true;
            }
        }
        return false;
    }
    for (size_t i = 0; i < COUNT(hashes) && item->hash == NULL && item->group == NULL; i++) {
        if (hashes[i].ours && (span_is(word, hashes[i].token) || span_is(word, hashes[i].alias))) {
            item->hash = &hashes[i];
            return !item->esn;
        }
    }
    for (size_t i = 0; i < COUNT(groups) && item->group == NULL; i++) {
        if (groups[i].cost != 255 &&
            (span_is(word, groups[i].token) || span_is(word, groups[i].alias))) {
            item->group = &groups[i];
            return !item->esn;
        }
    }
    if (!item->esn && span_is(word, "esn")) {
        item->esn = true;
        return true;
    }
    return false;
}

static bool parse_item(struct span text, struct item *ret)
{
    struct item item;
    bool more = true;

    memset(&item, 0, sizeof(item));
    while (more) {
        struct span word = take_until(&text, '-', &more);
        if (!take_word(word, &item)) {
            return false;
        }
    }
    *ret = item;
    return true;
}

static int refuse(struct span s, char *bad, size_t size)
{
    if (bad != NULL && size > 0) {
        snprintf(bad, size, "%.*s", (int)(s.len < 60 ? s.len : 60), s.at);
    }
    return L2TPVOIP_ERR_CONFIG;
}

static bool p1_equal(const struct l2v_ike1_p1 *a, const struct l2v_ike1_p1 *b)
{
    return a->cipher == b->cipher && a->key_bits == b->key_bits && a->hash == b->hash &&
           a->group == b->group && a->auth == b->auth;
}

int l2v_ike1_p1_list_parse(const char *text, struct l2v_ike1_p1_list *ret, char *bad, size_t size)
{
    struct span rest = {text != NULL ? text : "", text != NULL ? strlen(text) : 0};
    struct l2v_ike1_p1_list list;
    bool more = true;

    memset(&list, 0, sizeof(list));
    while (more) {
        struct span s = trim(take_until(&rest, ',', &more));
        struct l2v_ike1_p1 p;
        struct item item;
        bool known = false;

        if (!parse_item(s, &item) || item.hash == NULL || item.group == NULL || item.esn ||
            item.cipher->p1 == 0) {
            return refuse(s, bad, size);
        }
        memset(&p, 0, sizeof(p));
        p.cipher = item.cipher->p1;
        p.key_bits = item.cipher->bits;
        p.hash = item.hash->p1;
        p.group = item.group->number;
        p.auth = L2V_IKE1_AUTH_PSK;
        for (unsigned i = 0; i < list.n; i++) {
            known = known || p1_equal(&list.items[i], &p);
        }
        if (known) {
            continue;
        }
        if (list.n == L2V_IKE1_P1_MAX) {
            return refuse(s, bad, size);
        }
        list.items[list.n++] = p;
    }
    *ret = list;
    return 0;
}

static bool p2_equal(const struct l2v_ike1_p2 *a, const struct l2v_ike1_p2 *b)
{
    return a->transform == b->transform && a->key_bits == b->key_bits && a->auth == b->auth &&
           a->group == b->group && a->esn == b->esn;
}

int l2v_ike1_p2_list_parse(const char *text, struct l2v_ike1_p2_list *ret, char *bad, size_t size)
{
    struct span rest = {text != NULL ? text : "", text != NULL ? strlen(text) : 0};
    struct l2v_ike1_p2_list list;
    bool more = true;

    memset(&list, 0, sizeof(list));
    while (more) {
        struct span s = trim(take_until(&rest, ',', &more));
        struct l2v_ike1_p2 p;
        struct item item;
        bool known = false;

        if (!parse_item(s, &item) || item.cipher->aead != (item.hash == NULL)) {
            return refuse(s, bad, size);
        }
        memset(&p, 0, sizeof(p));
        p.transform = (uint8_t)item.cipher->p2;
        p.key_bits = item.cipher->bits;
        p.auth = item.hash != NULL ? item.hash->p2 : 0;
        p.group = item.group != NULL ? item.group->number : 0;
        p.esn = item.esn;
        for (unsigned i = 0; i < list.n; i++) {
            known = known || p2_equal(&list.items[i], &p);
        }
        if (l2v_ike1_p2_suite(&p, false) == L2V_SUITE_NONE ||
            (list.n == L2V_IKE1_P2_MAX && !known)) {
            return refuse(s, bad, size);
        }
        if (!known) {
            list.items[list.n++] = p;
        }
    }
    *ret = list;
    return 0;
}
