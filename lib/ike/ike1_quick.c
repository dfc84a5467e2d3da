/* SPDX-License-Identifier: MIT */
/* Quick mode, both directions, RFC 2409 section 5.5: life of an exchange and its machine. What
 * stands in the messages is in ike1_quick_msg.c. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "ike_engine.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void step(struct l2v_ike_qm *qm, enum l2v_ike1_qm_event event, void *arg)
{
    (void)l2v_fsm_step(&l2v_ike1_qm_fsm, &qm->state, event, qm, arg);
}

static void fail(struct l2v_ike_qm *qm, const l2tpvoip_failure *f)
{
    l2tpvoip_failure copy = *f;
    if (!qm->dead) {
        step(qm, L2V_QM_EV_FAIL, &copy);
    }
}

static void fail_with(struct l2v_ike_qm *qm, int code, const char *what, const char *next)
{
    char addr[L2V_ADDR_TEXT];
    l2tpvoip_failure f;
    l2v_addr_format(&qm->sa->route.remote, addr, sizeof(addr));
    l2v_failure_set(&f, L2TPVOIP_LAYER_IKE, code, 0, next, "Quick mode with %s: %s.", addr, what);
    fail(qm, &f);
}

static void fail_internal(struct l2v_ike_qm *qm, int rc)
{
    fail_with(qm, rc, l2v_ike_error_words(rc),
              rc == L2TPVOIP_ERR_NOMEM ? "Give the program more memory." : "See the log.");
}

/* --- life ----------------------------------------------------------------------------------------
 */

static void on_dh(void *owner)
{
    struct l2v_ike_qm *qm = owner;
    struct l2v_ike_dh *dh = &qm->dh;

    if (qm->dead) {
        return;
    }
    if (dh->failed) {
        fail_with(qm, dh->bad_public ? L2TPVOIP_ERR_PROTOCOL : L2TPVOIP_ERR_CRYPTO,
                  dh->bad_public ? "the peer's public key is not valid for the PFS group"
                                 : "the key agreement failed",
                  "Switch PFS off, or choose another group.");
        return;
    }
    step(qm, dh->have_secret ? L2V_QM_EV_SECRET : L2V_QM_EV_KEY, NULL);
}

/* Lingering exchanges make room for new ones. */
static bool make_room(struct l2v_ike_sa *sa)
{
    if (sa->n_qms < L2V_IKE_MAX_QMS) {
        return true;
    }
    L2V_LIST_EACH(pos, &sa->qms)
    {
        struct l2v_ike_qm *qm = L2V_CONTAINER_OF(pos, struct l2v_ike_qm, node);
        if (qm->state == L2V_QM_I3 || qm->state == L2V_QM_R3) {
            l2v_ike1_quick_kill(qm);
            return true;
        }
    }
    return false;
}

static int make_qm(struct l2v_ike_sa *sa, bool initiator, uint32_t mid, struct l2v_ike_qm **ret_qm)
{
    struct l2v_ike *ike = sa->ike;
    struct l2v_ike_qm *qm;
    int rc;

    if (!make_room(sa)) {
        return L2TPVOIP_ERR_LIMIT;
    }
    qm = l2v_calloc(ike->env, 1, sizeof(*qm));
    if (qm == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    qm->sa = sa;
    qm->initiator = initiator;
    qm->state = initiator ? L2V_QM_I0_KEY : L2V_QM_R1_KEY;
    qm->message_id = mid;
    qm->life_s = sa->config->esp_lifetime_s;
    qm->life_kb = sa->config->esp_lifetime_kb;
    l2v_list_init(&qm->grave);
    l2v_ike_timers_qm_init(qm);
    l2v_ike_dh_init(&qm->dh, ike, on_dh, qm);
    l2v_list_append(&sa->qms, &qm->node);
    sa->n_qms++;
    rc = l2v_ike1_chain_phase2(ike->crypto, &sa->keys, &sa->chain, mid, &qm->chain);
    if (rc == 0) {
        rc = ike->ops.new_spi(ike->user, &qm->spi_in);
        qm->spi_owned = rc == 0;
    }
    if (rc != 0) {
        l2v_ike1_quick_kill(qm);
        return rc;
    }
    *ret_qm = qm;
    return 0;
}

void l2v_ike1_quick_kill(struct l2v_ike_qm *qm)
{
    struct l2v_ike *ike = qm->sa->ike;
    if (qm->dead) {
        return;
    }
    qm->dead = true;
    qm->state = L2V_QM_DEAD;
    l2v_list_remove(&qm->node);
    qm->sa->n_qms--;
    l2v_ike_timers_qm_stop(qm);
    l2v_ike_flight_forget(qm->sa, &qm->flight);
    l2v_ike_dh_clear(&qm->dh);
    if (qm->spi_owned && !ike->silent) {
        ike->ops.free_spi(ike->user, qm->spi_in);
    }
    qm->spi_owned = false;
    l2v_list_append(&ike->dead_qms, &qm->grave);
}

void l2v_ike1_quick_destroy(struct l2v_ike_qm *qm)
{
    struct l2v_env *env = qm->sa->ike->env; /* SAs are reaped after their quick modes */
    l2v_list_remove(&qm->grave);
    l2v_free(env, qm->idci);
    l2v_free(env, qm->idcr);
    l2v_free_secret(env, qm, sizeof(*qm));
}

/* --- initiator -----------------------------------------------------------------------------------
 */

/* The selectors of the pair that is renewed, whichever side proposed them first. */
static void copy_ids(struct l2v_ike_qm *qm, const struct l2v_ike_csa *csa)
{
    struct l2v_env *env = qm->sa->ike->env;
    if (csa->id_local == NULL || csa->id_remote == NULL) {
        return;
    }
    qm->idci = l2v_memdup(env, csa->id_local, csa->id_local_len);
    qm->idcr = l2v_memdup(env, csa->id_remote, csa->id_remote_len);
    qm->idci_len = csa->id_local_len;
    qm->idcr_len = csa->id_remote_len;
}

int l2v_ike1_quick_start(struct l2v_ike_peer *peer, uint16_t local_port, uint16_t remote_port,
                         uint32_t replaces)
{
    struct l2v_ike_sa *sa = l2v_ike_peer_sa(peer);
    struct l2v_ike_csa *csa = replaces != 0 ? l2v_ike_peer_find_child(peer, replaces) : NULL;
    struct l2v_ike_qm *qm = NULL;
    uint32_t mid;
    int rc;

    if (sa == NULL) {
        return L2TPVOIP_ERR_STATE;
    }
    rc = l2v_ike1_sa_new_mid(sa, &mid);
    if (rc == 0) {
        rc = make_qm(sa, true, mid, &qm);
    }
    if (rc != 0) {
        return rc;
    }
    qm->replaces = replaces;
    qm->local_port = local_port;
    qm->remote_port = remote_port;
    if (csa != NULL) {
        copy_ids(qm, csa);
    }
    qm->ni_len = L2V_IKE_NONCE_LEN;
    rc = l2v_random(sa->ike->env, qm->ni, qm->ni_len);
    if (rc == 0 && sa->config->pfs_group != 0) {
        rc = l2v_ike_dh_generate(&qm->dh, sa->config->pfs_group);
    } else if (rc == 0) {
        step(qm, L2V_QM_EV_KEY, &rc);
    }
    if (rc != 0) {
        l2v_ike1_quick_kill(qm);
    }
    return rc;
}

static void act_send1(void *obj, void *arg)
{
    struct l2v_ike_qm *qm = obj;
    int rc = l2v_ike1_qm_send1(qm);
    if (rc == 0) {
        l2v_ike_timers_flight_start(qm->sa, &qm->flight);
    } else if (arg != NULL) {
        *(int *)arg = rc; /* within _start, which reports it */
    } else {
        fail_internal(qm, rc);
    }
}

static void act_want_secret(void *obj, void *arg)
{
    struct l2v_ike_qm *qm = obj;
    (void)arg;
    if (!l2v_ike_dh_busy(&qm->dh)) {
        step(qm, L2V_QM_EV_SECRET, NULL); /* no PFS */
    }
}

/* The responder has its inbound SA since message 2, so that ours may be used at once. */
static void act_send3(void *obj, void *arg)
{
    struct l2v_ike_qm *qm = obj;
    struct l2v_ike_sa *sa = qm->sa;
    int rc;

    (void)arg;
    rc = l2v_ike1_qm_install(qm, true);
    if (rc == 0 && !qm->dead) {
        rc = l2v_ike1_qm_send3(qm);
        if (rc != 0) { /* the peer repeats message 2, but we could not answer that either */
            struct l2v_ike_csa *csa = l2v_ike_peer_find_child(sa->peer, qm->spi_in);
            if (csa != NULL) {
                l2v_ike_peer_drop_child(sa->peer, csa, NULL);
            }
        }
    }
    if (qm->dead) {
        return;
    }
    if (rc != 0) {
        fail_internal(qm, rc);
        return;
    }
    l2v_ike_timers_qm_lingers(qm);
}

static int take_qm2(struct l2v_ike_qm *qm, const struct l2v_ike_message *m)
{
    struct l2v_ike_sa *sa = qm->sa;
    l2tpvoip_failure f;
    int rc = l2v_ike1_qm_read2(qm, m, &f);

    if (rc == 0 && qm->chosen.group != 0) {
        const struct l2v_ike_payload *ke = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_KE, 0);
        rc = l2v_ike_dh_derive(&qm->dh, qm->chosen.group, ke->body, ke->len);
        if (rc != 0) {
            fail_internal(qm, rc);
            return rc;
        }
    }
    l2v_ike_flight_forget(sa, &qm->flight);
    if (rc != 0) {
        fail(qm, &f);
        return rc;
    }
    step(qm, L2V_QM_EV_QM2, NULL);
    return 0;
}

/* --- responder -----------------------------------------------------------------------------------
 */

static void act_send2(void *obj, void *arg)
{
    struct l2v_ike_qm *qm = obj;
    int rc = l2v_ike1_qm_send2(qm);
    (void)arg;
    if (qm->dead) {
        return;
    }
    if (rc != 0) {
        l2v_log(qm->sa->ike->env, L2TPVOIP_LOG_WARNING, "ike", "quick mode given up: %s",
                l2v_ike_error_words(rc));
        l2v_ike1_quick_kill(qm);
        return;
    }
    l2v_ike_timers_flight_start(qm->sa, &qm->flight); /* until message 3 or ESP */
}

static void refuse(struct l2v_ike_sa *sa, const struct l2v_ike_message *m, unsigned notify)
{
    const struct l2v_ike_payload *body = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_SA, 0);
    struct l2v_ike1_p2_list offer;
    uint8_t spi[4];
    size_t spi_len = 0;

    if (body != NULL && l2v_ike1_p2_read(body->body, body->len, &offer) == 0 && offer.n > 0) {
        l2v_put_u32(spi, offer.items[0].spi);
        spi_len = sizeof(spi);
    }
    if (body != NULL && notify == L2V_IKE1_NOTIFY_NO_PROPOSAL_CHOSEN &&
        L2V_LOG_ON(sa->ike->env, L2TPVOIP_LOG_WARNING)) {
        l2tpvoip_failure f;
        memset(&f, 0, sizeof(f));
        l2v_ike1_p2_explain(sa->config, body->body, body->len, &f);
        l2v_log(sa->ike->env, L2TPVOIP_LOG_WARNING, "ike", "%s %s", f.message, f.next_step);
    }
    l2v_ike1_info_notify(sa, L2V_IKE1_PROTO_ESP, spi, spi_len, notify, NULL, 0);
}

static int take_qm1(struct l2v_ike_sa *sa, const struct l2v_ike_message *m, uint32_t mid,
                    const struct l2v_ike1_chain *next, uint64_t hash)
{
    struct l2v_ike_qm *qm;
    const struct l2v_ike_payload *ke;
    unsigned notify = 0;
    int rc = make_qm(sa, false, mid, &qm);

    if (rc != 0) {
        return rc;
    }
    qm->chain = *next;
    qm->commit = (m->header.flags & L2V_IKE1_FLAG_COMMIT) != 0;
    l2v_ike_flight_accept(&qm->flight, hash);
    rc = l2v_ike1_qm_read1(qm, m, &notify);
    ke = l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_KE, 0);
    if (rc == 0 && qm->chosen.group != 0) {
        rc = l2v_ike_dh_derive(&qm->dh, qm->chosen.group, ke->body, ke->len);
        notify = rc == L2TPVOIP_ERR_PROTOCOL ? L2V_IKE1_NOTIFY_INVALID_KEY_INFORMATION : 0;
    }
    if (rc != 0) {
        l2v_ike1_quick_kill(qm);
        if (notify != 0) {
            refuse(sa, m, notify);
        }
        return rc;
    }
    if (qm->chosen.group == 0) {
        step(qm, L2V_QM_EV_SECRET, NULL);
    }
    return 0;
}

static void act_confirmed(void *obj, void *arg)
{
    struct l2v_ike_qm *qm = obj;
    struct l2v_ike_peer *peer = qm->sa->peer;
    struct l2v_ike_csa *csa = l2v_ike_peer_find_child(peer, qm->spi_in);

    (void)arg;
    l2v_ike_flight_forget(qm->sa, &qm->flight);
    l2v_ike_timers_qm_lingers(qm);
    if (csa != NULL && !csa->confirmed) {
        l2v_ike_peer_confirm_child(peer, csa, true);
    }
}

void l2v_ike1_quick_confirm(struct l2v_ike_qm *qm)
{
    step(qm, L2V_QM_EV_QM3, NULL);
}

/* --- ends ----------------------------------------------------------------------------------------
 */

static void act_fail(void *obj, void *arg)
{
    struct l2v_ike_qm *qm = obj;
    struct l2v_ike_peer *peer = qm->sa->peer;
    const l2tpvoip_failure *f = arg;
    bool initiator = qm->initiator;
    uint32_t replaces = qm->replaces;

    l2v_ike1_quick_kill(qm);
    if (initiator) {
        l2v_ike_peer_quick_failed(peer, replaces, f);
    } else {
        l2v_log(peer->ike->env, L2TPVOIP_LOG_WARNING, "ike", "%s", f->message);
    }
}

static void act_silence1(void *obj, void *arg)
{
    struct l2v_ike_qm *qm = obj;
    l2tpvoip_failure f;
    (void)arg;
    if (qm->notify != 0) {
        memset(&f, 0, sizeof(f));
        l2v_ike1_explain_refusal(qm->sa->config, 2, qm->notify, &f);
        fail(qm, &f);
        return;
    }
    fail_with(qm, L2TPVOIP_ERR_TIMEOUT, "no answer, although phase 1 succeeded",
              "The server may refuse the ESP proposal or the selectors by silence: look into its "
              "log, or choose another profile.");
}

/* Neither message 3 nor ESP came: the initiator does not have the pair. */
static void act_silence2(void *obj, void *arg)
{
    struct l2v_ike_qm *qm = obj;
    struct l2v_ike_peer *peer = qm->sa->peer;
    struct l2v_ike_csa *csa = l2v_ike_peer_find_child(peer, qm->spi_in);
    (void)arg;
    l2v_ike1_quick_kill(qm);
    if (csa != NULL && !csa->confirmed) {
        l2v_ike_peer_drop_child(peer, csa, NULL);
    }
}

void l2v_ike1_quick_silence(struct l2v_ike_qm *qm)
{
    step(qm, L2V_QM_EV_SILENCE, NULL);
}

void l2v_ike1_quick_refused(struct l2v_ike_sa *sa, uint32_t spi, unsigned notify)
{
    struct l2v_ike_qm *only = NULL;
    unsigned n = 0;
    l2tpvoip_failure f;

    L2V_LIST_EACH(pos, &sa->qms)
    {
        struct l2v_ike_qm *qm = L2V_CONTAINER_OF(pos, struct l2v_ike_qm, node);
        if (qm->state != L2V_QM_I1) {
            continue;
        }
        if (spi != 0 && qm->spi_in == spi) {
            only = qm;
            n = 1;
            break;
        }
        only = qm;
        n++;
    }
    if (n == 1) { /* peers put their own SPI, ours, or none: one candidate must do */
        memset(&f, 0, sizeof(f));
        l2v_ike1_explain_refusal(sa->config, 2, notify, &f);
        fail(only, &f);
    }
}

/* --- input ---------------------------------------------------------------------------------------
 */

static int open_message(struct l2v_ike_sa *sa, const struct l2v_ike_route *route,
                        const struct l2v_ike1_chain *chain, uint8_t *msg, size_t len,
                        struct l2v_ike1_chain *ret_next, struct l2v_ike_message *ret_m)
{
    int rc = l2v_ike1_decrypt(sa->ike->crypto, &sa->keys, chain, msg, len, ret_next);
    if (rc != 0) {
        return rc;
    }
    if (l2v_ike1_message_parse(msg, len, ret_m) != L2V_IKE_FAULT_NONE) {
        return L2TPVOIP_ERR_INTEGRITY; /* garbage and forgery are the same from outside */
    }
    l2v_ike_tap(sa->ike, L2TPVOIP_TAP_IN, route, msg, len);
    return 0;
}

static int input_known(struct l2v_ike_qm *qm, const struct l2v_ike_route *route, uint8_t *msg,
                       size_t len, uint64_t hash)
{
    struct l2v_ike_sa *sa = qm->sa;
    struct l2v_ike1_chain next;
    struct l2v_ike_message m;
    int rc;

    if (l2v_ike_flight_is_dup(&qm->flight, hash)) {
        l2v_ike_flight_answer(sa, &qm->flight);
        return L2TPVOIP_ERR_REPLAY;
    }
    if (qm->state != L2V_QM_I1 && qm->state != L2V_QM_R2) {
        return L2TPVOIP_ERR_STATE; /* paused, or over */
    }
    rc = open_message(sa, route, &qm->chain, msg, len, &next, &m);
    if (rc == 0) {
        rc = qm->initiator ? l2v_ike1_message_verify(sa->ike->crypto, &sa->keys, &m, qm->message_id,
                                                     qm->ni, qm->ni_len)
                           : l2v_ike1_qm_read3(qm, &m);
    }
    if (rc != 0) {
        return rc;
    }
    qm->chain = next;
    l2v_ike_flight_accept(&qm->flight, hash);
    l2v_ike1_sa_heard(sa, route);
    if (qm->dead) {
        return 0;
    }
    if (qm->initiator) {
        qm->commit = (m.header.flags & L2V_IKE1_FLAG_COMMIT) != 0;
        return take_qm2(qm, &m);
    }
    l2v_ike1_quick_confirm(qm);
    return 0;
}

/* Asked before its message id counts as used: when we are too busy, its repetition is welcome. */
static bool can_begin(struct l2v_ike_sa *sa, const struct l2v_ike_message *m)
{
    if (!make_room(sa) ||
        (l2v_ike_message_find(m, L2V_IKE1_PAYLOAD_KE, 0) != NULL &&
         !l2v_rate_take(&sa->ike->dh_rate, sa->ike->env->now_ns))) {
        sa->ike->stats.rate_limited++;
        return false;
    }
    return true;
}

int l2v_ike1_quick_input(struct l2v_ike_sa *sa, const struct l2v_ike_route *route,
                         const struct l2v_ike_header *h, uint8_t *msg, size_t len, uint64_t hash)
{
    struct l2v_ike_qm *qm;
    struct l2v_ike1_chain chain, next;
    struct l2v_ike_message m;
    int rc;

    if (sa->state != L2V_MM_UP) {
        return L2TPVOIP_ERR_STATE;
    }
    if ((h->flags & L2V_IKE1_FLAG_ENCRYPTION) == 0 || h->message_id == 0) {
        return L2TPVOIP_ERR_PROTOCOL;
    }
    qm = l2v_ike1_sa_find_qm(sa, h->message_id);
    if (qm != NULL) {
        return input_known(qm, route, msg, len, hash);
    }
    if (l2v_ike1_sa_mid_used(sa, h->message_id)) {
        return L2TPVOIP_ERR_REPLAY;
    }
    rc = l2v_ike1_chain_phase2(sa->ike->crypto, &sa->keys, &sa->chain, h->message_id, &chain);
    if (rc == 0) {
        rc = open_message(sa, route, &chain, msg, len, &next, &m);
    }
    if (rc == 0) {
        rc = l2v_ike1_message_verify(sa->ike->crypto, &sa->keys, &m, h->message_id, NULL, 0);
    }
    if (rc == 0) {
        rc = can_begin(sa, &m) ? l2v_ike1_sa_use_mid(sa, h->message_id) : L2TPVOIP_ERR_LIMIT;
    }
    if (rc != 0) {
        return rc;
    }
    l2v_ike1_sa_heard(sa, route);
    return sa->dead ? 0 : take_qm1(sa, &m, h->message_id, &next, hash);
}

/* --- the machine ---------------------------------------------------------------------------------
 */

static const char *const state_names[L2V_QM_N_STATES] = {
    [L2V_QM_I0_KEY] = "QM-I0-KEY", [L2V_QM_I1] = "QM-I1-SENT",    [L2V_QM_I2_KEY] = "QM-I2-KEY",
    [L2V_QM_I3] = "QM-I3-SENT",    [L2V_QM_R1_KEY] = "QM-R1-KEY", [L2V_QM_R2] = "QM-R2-SENT",
    [L2V_QM_R3] = "QM-R3-DONE",    [L2V_QM_DEAD] = "QM-DEAD",
};
static const char *const event_names[L2V_QM_N_EVENTS] = {
    [L2V_QM_EV_KEY] = "key pair",         [L2V_QM_EV_QM2] = "message 2",
    [L2V_QM_EV_QM3] = "message 3 or ESP", [L2V_QM_EV_SECRET] = "secret",
    [L2V_QM_EV_SILENCE] = "silence",      [L2V_QM_EV_FAIL] = "failure",
};
static const struct l2v_fsm_row rows[] = {
    {L2V_QM_I0_KEY, L2V_QM_EV_KEY, L2V_QM_I1, act_send1},
    {L2V_QM_I0_KEY, L2V_QM_EV_FAIL, L2V_QM_DEAD, act_fail},
    {L2V_QM_I1, L2V_QM_EV_QM2, L2V_QM_I2_KEY, act_want_secret},
    {L2V_QM_I1, L2V_QM_EV_SILENCE, L2V_FSM_SAME, act_silence1},
    {L2V_QM_I1, L2V_QM_EV_FAIL, L2V_QM_DEAD, act_fail},
    {L2V_QM_I2_KEY, L2V_QM_EV_SECRET, L2V_QM_I3, act_send3},
    {L2V_QM_I2_KEY, L2V_QM_EV_FAIL, L2V_QM_DEAD, act_fail},
    {L2V_QM_I3, L2V_QM_EV_FAIL, L2V_QM_DEAD, act_fail},
    {L2V_QM_R1_KEY, L2V_QM_EV_SECRET, L2V_QM_R2, act_send2},
    {L2V_QM_R1_KEY, L2V_QM_EV_FAIL, L2V_QM_DEAD, act_fail},
    {L2V_QM_R2, L2V_QM_EV_QM3, L2V_QM_R3, act_confirmed},
    {L2V_QM_R2, L2V_QM_EV_SILENCE, L2V_FSM_SAME, act_silence2},
    {L2V_QM_R2, L2V_QM_EV_FAIL, L2V_QM_DEAD, act_fail},
};
const struct l2v_fsm l2v_ike1_qm_fsm = {"ike1 quick mode", state_names, event_names, rows,
                                        COUNT(rows)};
