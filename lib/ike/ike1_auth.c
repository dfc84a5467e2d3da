/* SPDX-License-Identifier: MIT */
/* Messages 5 and 6 of main mode: identities and HASH_I, HASH_R under the pre-shared key. */
#include <stdio.h>

#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "base_secure.h"
#include "ike_engine.h"
#include "ike_keylog.h"

static const struct l2v_ike_rule auth_rules[] = {
    {L2V_IKE1_PAYLOAD_ID, 1, 1},
    {L2V_IKE1_PAYLOAD_HASH, 1, 1},
    {L2V_IKE1_PAYLOAD_NOTIFY, 0, 8},
    {L2V_IKE1_PAYLOAD_CERT, 0, 4}, /* racoon and Windows may append what is of no use here */
};

/* Under a wrong key almost everything fails here: padding, lengths, types. */
static bool parse_auth(const uint8_t *msg, size_t len, struct l2v_ike_message *m)
{
    uint8_t type;
    return l2v_ike1_message_parse(msg, len, m) == L2V_IKE_FAULT_NONE &&
           l2v_ike1_message_check(m, auth_rules, sizeof(auth_rules) / sizeof(auth_rules[0]),
                                  &type) == L2V_IKE_FAULT_NONE;
}

/* The peer's identity if its HASH is right. */
static int check_auth(struct l2v_ike_sa *sa, const struct l2v_ike1_keys *keys,
                      const struct l2v_ike_message *m, struct l2v_ike_id *ret_id)
{
    const struct l2v_ike_payload *id = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_ID, 0);
    const struct l2v_ike_payload *hash = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_HASH, 0);
    struct l2v_ike1_phase1 views;
    struct l2v_ike1_selector s;
    uint8_t want[L2V_HASH_MAX];
    int rc;

    if (hash->len != keys->hash_len) {
        return L2TPVOIP_ERR_INTEGRITY;
    }
    l2v_ike1_sa_views(sa, &views);
    rc = l2v_ike1_hash_phase1(sa->ike->crypto, keys, &views, !sa->initiator, id->body, id->len,
                              want);
    if (rc != 0) {
        return rc;
    }
    if (!l2v_equal_ct(want, hash->body, keys->hash_len)) {
        return L2TPVOIP_ERR_INTEGRITY;
    }
    rc = l2v_ike1_id_read_phase1(id->body, id->len, &s);
    if (rc == 0) {
        *ret_id = s.id;
    }
    return rc;
}

static bool has_initial_contact(const struct l2v_ike_message *m)
{
    struct l2v_ike1_notify n;
    for (unsigned i = 0; i < m->n; i++) {
        if (m->payloads[i].type == L2V_IKE1_PAYLOAD_NOTIFY &&
            l2v_ike1_notify_parse(&m->payloads[i], &n) == 0 &&
            n.type == L2V_IKE1_NOTIFY_INITIAL_CONTACT) {
            return true;
        }
    }
    return false;
}

/* --- responder -----------------------------------------------------------------------------------
 */

static int try_psk(struct l2v_ike_sa *sa, unsigned psk, const uint8_t *msg, size_t len,
                   uint8_t *scratch, struct l2v_ike_id *ret_id)
{
    struct l2v_crypto *crypto = sa->ike->crypto;
    struct l2v_ike1_mm *mm = sa->mm;
    struct l2v_ike1_keys keys;
    struct l2v_ike1_phase1 views;
    struct l2v_ike1_chain chain, next;
    struct l2v_ike_message m;
    int rc;

    memset(&keys, 0, sizeof(keys));
    l2v_ike1_sa_views(sa, &views);
    rc = l2v_ike1_keys_derive(crypto, &sa->chosen, &views, sa->config->psks[psk].key,
                              sa->config->psks[psk].len, &keys);
    if (rc == 0) {
        rc = l2v_ike1_chain_phase1(crypto, &keys, &views, &chain);
    }
    if (rc == 0) {
        rc = l2v_ike1_decrypt_copy(crypto, &keys, &chain, msg, len, scratch, &next);
    }
    if (rc == 0) {
        rc = parse_auth(scratch, len, &m) ? check_auth(sa, &keys, &m, ret_id)
                                          : L2TPVOIP_ERR_INTEGRITY;
    }
    if (rc == 0 && !l2v_ike_config_accepts(sa->config, psk, &sa->route.remote, ret_id)) {
        rc = L2TPVOIP_ERR_INTEGRITY; /* that key is not for that identity */
    }
    if (rc == 0) {
        sa->keys = keys;
        sa->psk = psk;
        mm->next = next;
        mm->initial_contact = has_initial_contact(&m);
        l2v_ike_tap(sa->ike, L2TPVOIP_TAP_IN, &sa->route, scratch, len);
    }
    l2v_ike1_keys_wipe(&keys);
    return rc;
}

int l2v_ike1_auth_open_m5(struct l2v_ike_sa *sa, const uint8_t *msg, size_t len,
                          struct l2v_ike_id *ret_id)
{
    unsigned index[L2V_IKE_MAX_PSKS], n;
    uint8_t *scratch = l2v_malloc(sa->ike->env, len);
    int rc = L2TPVOIP_ERR_INTEGRITY;

    if (scratch == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    n = l2v_ike_config_find_psks(sa->config, &sa->route.remote, NULL, index);
    for (unsigned i = 0; i < n && rc != 0 && rc != L2TPVOIP_ERR_NOMEM; i++) {
        rc = try_psk(sa, index[i], msg, len, scratch, ret_id);
    }
    l2v_free_secret(sa->ike->env, scratch, len);
    if (rc == 0) {
        l2v_ike_keylog_ike1(sa->ike->env, sa->icookie, &sa->keys);
    }
    return rc == 0 || rc == L2TPVOIP_ERR_NOMEM ? rc : L2TPVOIP_ERR_INTEGRITY;
}

/* --- initiator -----------------------------------------------------------------------------------
 */

int l2v_ike1_auth_set_keys(struct l2v_ike_sa *sa)
{
    const struct l2v_ike_psk *psk = &sa->config->psks[sa->psk];
    struct l2v_ike1_phase1 views;
    int rc;

    l2v_ike1_sa_views(sa, &views);
    rc = l2v_ike1_keys_derive(sa->ike->crypto, &sa->chosen, &views, psk->key, psk->len, &sa->keys);
    if (rc == 0) {
        rc = l2v_ike1_chain_phase1(sa->ike->crypto, &sa->keys, &views, &sa->mm->next);
    }
    if (rc == 0) {
        l2v_ike_keylog_ike1(sa->ike->env, sa->icookie, &sa->keys);
    }
    return rc;
}

int l2v_ike1_auth_open_m6(struct l2v_ike_sa *sa, uint8_t *msg, size_t len,
                          struct l2v_ike_id *ret_id)
{
    struct l2v_ike1_chain next;
    struct l2v_ike_message m;
    int rc = l2v_ike1_decrypt(sa->ike->crypto, &sa->keys, &sa->mm->next, msg, len, &next);

    if (rc == 0) {
        rc = parse_auth(msg, len, &m) ? check_auth(sa, &sa->keys, &m, ret_id)
                                      : L2TPVOIP_ERR_INTEGRITY;
    }
    if (rc != 0) {
        return rc == L2TPVOIP_ERR_CRYPTO ? rc : L2TPVOIP_ERR_INTEGRITY;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_IN, &sa->route, msg, len);
    sa->mm->next = next;
    return l2v_ike_config_accepts(sa->config, sa->psk, &sa->route.remote, ret_id)
               ? 0
               : L2TPVOIP_ERR_AUTH_PEER;
}

/* --- both ----------------------------------------------------------------------------------------
 */

/* rfc2407#4.6.3.3: INITIAL-CONTACT, with both cookies, on the first SA with a peer only. */
static void add_initial_contact(struct l2v_ike_sa *sa, struct l2v_ike_build *b)
{
    uint8_t spi[2 * L2V_IKE_COOKIE_LEN];
    if (!sa->initiator || sa->peer == NULL || sa->peer->up ||
        l2v_ike_config_has(sa->config, L2TPVOIP_IPSEC_NO_INITIAL_CONTACT)) {
        return;
    }
    memcpy(spi, sa->icookie, L2V_IKE_COOKIE_LEN);
    memcpy(spi + L2V_IKE_COOKIE_LEN, sa->rcookie, L2V_IKE_COOKIE_LEN);
    l2v_ike_build_notify(b, L2V_IKE1_PROTO_ISAKMP, spi, sizeof(spi),
                         L2V_IKE1_NOTIFY_INITIAL_CONTACT, NULL, 0);
}

int l2v_ike1_auth_build(struct l2v_ike_sa *sa, uint8_t *buf, size_t size, size_t *ret_len)
{
    struct l2v_crypto *crypto = sa->ike->crypto;
    struct l2v_ike1_selector s;
    struct l2v_ike1_phase1 views;
    struct l2v_ike_header h;
    struct l2v_ike_build b;
    uint8_t hash[L2V_HASH_MAX];
    size_t id_at, id_len, len;
    int rc;

    memset(&s, 0, sizeof(s)); /* rfc3947#4: port 0 */
    l2v_ike_config_local_id(sa->config, &sa->route.local, &s.id);
    l2v_ike1_sa_header(sa, L2V_IKE1_EXCHANGE_MAIN, 0, &h);
    l2v_ike_build_begin(&b, buf, size, &h);
    l2v_ike_build_payload(&b, L2V_IKE1_PAYLOAD_ID);
    id_at = l2v_writer_len(&b.w);
    l2v_ike1_id_write(&b.w, &s);
    id_len = l2v_writer_len(&b.w) - id_at;
    if (b.w.failed) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    l2v_ike1_sa_views(sa, &views);
    rc = l2v_ike1_hash_phase1(crypto, &sa->keys, &views, sa->initiator, buf + id_at, id_len, hash);
    if (rc != 0) {
        return rc;
    }
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_HASH, hash, sa->keys.hash_len);
    add_initial_contact(sa, &b);
    rc = l2v_ike_build_end(&b, sa->keys.block, &len);
    if (rc != 0) {
        return rc;
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_OUT, &sa->route, buf, len);
    rc = l2v_ike1_encrypt(crypto, &sa->keys, &sa->mm->next, buf, len);
    if (rc == 0) {
        *ret_len = len;
    }
    return rc;
}

void l2v_ike1_auth_explain(const struct l2v_ike_sa *sa, l2tpvoip_failure *f)
{
    const char *product = l2v_ike_vids_product(&sa->vids);
    char addr[L2V_ADDR_TEXT];
    const char *how = sa->mm->garbage       ? "answered with something that does not decipher"
                      : sa->mm->notify != 0 ? "refused"
                                            : "fell silent";

    l2v_addr_format(&sa->route.remote, addr, sizeof(addr));
    l2v_failure_set(f, L2TPVOIP_LAYER_IKE, L2TPVOIP_ERR_AUTH_IKE, (int32_t)sa->mm->notify,
                    "Compare the pre-shared key on both sides, character by character; then check "
                    "that the peer accepts the identity that we send (local_id).",
                    "%s%s%s%s %s when we proved who we are: most likely a wrong pre-shared key.",
                    addr, product != NULL ? " (" : "", product != NULL ? product : "",
                    product != NULL ? ")" : "", how);
}
