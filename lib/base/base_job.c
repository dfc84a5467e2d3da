/* SPDX-License-Identifier: MIT */
/* Queue of public-key work. */
#include "base_job.h"

void l2v_jobs_init(struct l2v_jobs *jobs, struct l2v_env *env, void (*ready)(void *user),
                   void *user)
{
    jobs->env = env;
    l2v_list_init(&jobs->waiting);
    jobs->n_waiting = 0;
    jobs->n_running = 0;
    jobs->ready = ready;
    jobs->user = user;
}

void l2v_jobs_clear(struct l2v_jobs *jobs)
{
    if (jobs->waiting.next == NULL) {
        return; /* never initialised */
    }
    while (!l2v_list_is_empty(&jobs->waiting)) {
        struct l2v_job *job = L2V_CONTAINER_OF(jobs->waiting.next, struct l2v_job, node);
        job->cancelled = true;
        l2v_list_remove(&job->node);
        job->free(job);
    }
    jobs->n_waiting = 0;
}

void l2v_jobs_submit(struct l2v_jobs *jobs, struct l2v_job *job)
{
    bool was_empty = l2v_list_is_empty(&jobs->waiting);
    job->jobs = jobs;
    job->cancelled = false;
    job->running = false;
    l2v_list_append(&jobs->waiting, &job->node);
    jobs->n_waiting++;
    if (was_empty && jobs->ready != NULL) {
        jobs->ready(jobs->user);
    }
}

void l2v_job_cancel(struct l2v_job *job)
{
    if (job == NULL || job->cancelled) {
        return;
    }
    job->cancelled = true;
    if (job->running) {
        return; /* l2v_jobs_finish frees it */
    }
    l2v_list_remove(&job->node);
    job->jobs->n_waiting--;
    job->free(job);
}

struct l2v_job *l2v_jobs_take(struct l2v_jobs *jobs)
{
    struct l2v_job *job;
    if (l2v_list_is_empty(&jobs->waiting)) {
        return NULL;
    }
    job = L2V_CONTAINER_OF(jobs->waiting.next, struct l2v_job, node);
    l2v_list_remove(&job->node);
    job->running = true;
    jobs->n_waiting--;
    jobs->n_running++;
    return job;
}

void l2v_jobs_finish(struct l2v_job *job)
{
    job->jobs->n_running--;
    /* Still "running" during done(): if the owner dies there and cancels, it is freed once. */
    if (!job->cancelled) {
        job->done(job);
    }
    job->free(job);
}

bool l2v_jobs_run_one(struct l2v_jobs *jobs)
{
    struct l2v_job *job = l2v_jobs_take(jobs);
    if (job == NULL) {
        return false;
    }
    job->run(job);
    l2v_jobs_finish(job);
    return true;
}
