/* SPDX-License-Identifier: MIT */
/* What was sent last in an exchange: repeated by a timer while we await an answer, and when a
 * duplicate of the message that it answers arrives. How often and when is in ike_timers.c.
 *
 * An answer to a duplicate goes where the SA's messages go, not where the duplicate came from: a
 * replay from elsewhere must not draw anything there. */
#include <l2tpvoip/error.h>

#include "ike_engine.h"

void l2v_ike_flight_init(struct l2v_ike_flight *f, const char *name, void (*fire)(void *),
                         void *arg)
{
    memset(f, 0, sizeof(*f));
    l2v_timer_init(&f->timer, name, fire, arg);
}

int l2v_ike_flight_send(struct l2v_ike_sa *sa, struct l2v_ike_flight *f, const uint8_t *msg,
                        size_t len)
{
    uint8_t *copy = l2v_memdup(sa->ike->env, msg, len);
    if (copy == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    l2v_free(sa->ike->env, f->msg);
    f->msg = copy;
    f->len = len;
    f->sent = 0;
    f->answered = 0;
    l2v_ike_flight_again(sa, f);
    return 0;
}

void l2v_ike_flight_again(struct l2v_ike_sa *sa, struct l2v_ike_flight *f)
{
    if (f->msg == NULL) {
        return;
    }
    if (f->sent > 0) {
        sa->ike->stats.retransmits++;
    }
    f->sent++;
    l2v_ike1_sa_transmit(sa, f->msg, f->len);
}

void l2v_ike_flight_accept(struct l2v_ike_flight *f, uint64_t hash)
{
    f->in_hash = hash;
    f->in_valid = true;
}

bool l2v_ike_flight_is_dup(const struct l2v_ike_flight *f, uint64_t hash)
{
    return f->in_valid && f->in_hash == hash;
}

void l2v_ike_flight_answer(struct l2v_ike_sa *sa, struct l2v_ike_flight *f)
{
    if (f->msg == NULL || f->answered >= L2V_IKE_MAX_ANSWERS) {
        return;
    }
    f->answered++;
    sa->ike->stats.retransmits++;
    l2v_ike1_sa_transmit(sa, f->msg, f->len);
}

void l2v_ike_flight_forget(struct l2v_ike_sa *sa, struct l2v_ike_flight *f)
{
    l2v_ike_timers_flight_stop(sa, f);
    l2v_free(sa->ike->env, f->msg);
    f->msg = NULL;
    f->len = 0;
}
