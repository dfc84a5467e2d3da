/* SPDX-License-Identifier: MIT */
/* Public-key work. The owner submits a job and pauses; run() does the computation, on any thread
 * and without touching the context; done() brings the result back on the owner's thread. */
#ifndef L2V_BASE_JOB_H
#define L2V_BASE_JOB_H

#include <stdbool.h>

#include "base_env.h"
#include "base_list.h"

struct l2v_jobs;

struct l2v_job {
    struct l2v_list node;
    struct l2v_jobs *jobs;
    void (*run)(struct l2v_job *job);  /* any thread: reads and writes only the job's own data */
    void (*done)(struct l2v_job *job); /* owner thread; not called when cancelled */
    void (*free)(struct l2v_job *job); /* owner thread, always, last; wipes secrets */
    void *owner;                       /* for done() */
    bool cancelled;
    bool running; /* handed out */
};

/* ready() is called when the queue becomes non-empty (to post JOBS_READY or set a deadline). */
struct l2v_jobs {
    struct l2v_env *env;
    struct l2v_list waiting;
    unsigned n_waiting, n_running;
    void (*ready)(void *user);
    void *user;
};

void l2v_jobs_init(struct l2v_jobs *jobs, struct l2v_env *env, void (*ready)(void *user), void *user);
void l2v_jobs_clear(struct l2v_jobs *jobs); /* frees what waits; running ones must have come back */
/* Never runs the job at once. */
void l2v_jobs_submit(struct l2v_jobs *jobs, struct l2v_job *job);
/* done() will not be called; the job is freed now or when it comes back. */
void l2v_job_cancel(struct l2v_job *job);
struct l2v_job *l2v_jobs_take(struct l2v_jobs *jobs); /* NULL = none waits */
void l2v_jobs_finish(struct l2v_job *job);            /* owner thread, after run() */
/* Takes, runs and finishes one; false = none waited. */
bool l2v_jobs_run_one(struct l2v_jobs *jobs);

#endif
