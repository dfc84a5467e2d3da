/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman as jobs: the state that waits for one pauses, and may die meanwhile. */
#include <l2tpvoip/error.h>

#include "base_secure.h"
#include "ike_engine.h"

struct l2v_ike_dh_job {
    struct l2v_job job;
    struct l2v_env *env;
    struct l2v_crypto *crypto;
    unsigned group;
    bool derive;
    int rc;
    struct l2v_dh *key; /* moves in with the job and out with its result */
    uint8_t peer[L2V_DH_MAX_PUBLIC];
    size_t peer_len;
    uint8_t secret[L2V_DH_MAX_SECRET];
};

static struct l2v_ike_dh_job *to_dh_job(struct l2v_job *job)
{
    return L2V_CONTAINER_OF(job, struct l2v_ike_dh_job, job);
}

static void run_job(struct l2v_job *job)
{
    struct l2v_ike_dh_job *j = to_dh_job(job);
    j->rc = 0;
    if (j->key == NULL) {
        j->rc = l2v_dh_new(j->crypto, j->group, NULL, 0, &j->key);
    }
    if (j->rc == 0 && j->derive) {
        j->rc = l2v_dh_derive(j->key, j->peer, j->peer_len, j->secret);
    }
}

static void finish_job(struct l2v_job *job)
{
    struct l2v_ike_dh_job *j = to_dh_job(job);
    struct l2v_ike_dh *dh = job->owner;
    struct l2v_ike *ike = dh->ike;

    l2v_ike_enter(ike);
    dh->job = NULL;
    dh->key = j->key;
    j->key = NULL;
    dh->failed = j->rc != 0;
    dh->bad_public = j->rc == L2TPVOIP_ERR_PROTOCOL;
    if (j->rc == 0 && j->derive) {
        dh->secret_len = l2v_dh_secret_len(j->group);
        memcpy(dh->secret, j->secret, dh->secret_len);
        dh->have_secret = true;
    }
    dh->done(dh->owner);
    l2v_ike_leave(ike);
}

static void free_job(struct l2v_job *job)
{
    struct l2v_ike_dh_job *j = to_dh_job(job);
    l2v_dh_free(j->key);
    l2v_free_secret(j->env, j, sizeof(*j));
}

void l2v_ike_dh_init(struct l2v_ike_dh *dh, struct l2v_ike *ike, void (*done)(void *), void *owner)
{
    memset(dh, 0, sizeof(*dh));
    dh->ike = ike;
    dh->done = done;
    dh->owner = owner;
}

static int submit(struct l2v_ike_dh *dh, bool derive, const uint8_t *peer, size_t peer_len)
{
    struct l2v_ike *ike = dh->ike;
    struct l2v_ike_dh_job *j = l2v_calloc(ike->env, 1, sizeof(*j));
    if (j == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    j->env = ike->env;
    j->crypto = ike->crypto;
    j->group = dh->group;
    j->derive = derive;
    j->key = dh->key;
    dh->key = NULL;
    if (derive) {
        memcpy(j->peer, peer, peer_len);
        j->peer_len = peer_len;
    }
    l2v_list_init(&j->job.node);
    j->job.run = run_job;
    j->job.done = finish_job;
    j->job.free = free_job;
    j->job.owner = dh;
    dh->job = j;
    dh->failed = dh->bad_public = false;
    l2v_jobs_submit(ike->jobs, &j->job);
    return 0;
}

static void drop_key(struct l2v_ike_dh *dh)
{
    if (dh->job != NULL) {
        l2v_job_cancel(&dh->job->job);
        dh->job = NULL;
    }
    l2v_dh_free(dh->key);
    dh->key = NULL;
}

int l2v_ike_dh_generate(struct l2v_ike_dh *dh, unsigned group)
{
    drop_key(dh);
    dh->group = group;
    return submit(dh, false, NULL, 0);
}

int l2v_ike_dh_derive(struct l2v_ike_dh *dh, unsigned group, const uint8_t *peer, size_t peer_len)
{
    if (peer_len == 0 || peer_len > L2V_DH_MAX_PUBLIC || peer_len != l2v_dh_public_len(group)) {
        return L2TPVOIP_ERR_PROTOCOL;
    }
    if (dh->group != group || dh->job != NULL) {
        drop_key(dh);
    }
    dh->group = group;
    return submit(dh, true, peer, peer_len);
}

bool l2v_ike_dh_busy(const struct l2v_ike_dh *dh)
{
    return dh->job != NULL;
}

void l2v_ike_dh_clear(struct l2v_ike_dh *dh)
{
    drop_key(dh);
    l2v_wipe(dh->secret, sizeof(dh->secret));
    dh->secret_len = 0;
    dh->have_secret = false;
}
