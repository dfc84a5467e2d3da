/* SPDX-License-Identifier: MIT */
/* A host: one context and the backend that it sees. */
#include "sim_host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t sim_host_now(const struct sim_host *host)
{
    return host->sim->now_ns + host->skew_ns;
}

/* --- io operations ------------------------------------------------------------------------------ */

static struct sim_path *find_path(struct sim_host *host, uint32_t id)
{
    for (unsigned i = 0; i < SIM_MAX_PATHS; i++) {
        if (host->paths[i].open && host->paths[i].id == id) {
            return &host->paths[i];
        }
    }
    return NULL;
}

static bool port_in_use(const struct sim_host *host, const l2tpvoip_addr *local)
{
    for (unsigned i = 0; i < SIM_MAX_PATHS; i++) {
        const struct sim_path *p = &host->paths[i];
        if (p->open && p->local.port == local->port && p->local.family == local->family) {
            return true;
        }
    }
    return false;
}

static int op_path_open(void *user, const l2tpvoip_path_request *request)
{
    struct sim_host *host = user;
    const l2tpvoip_addr *own = request->local.family == 6 ? &host->ip6 : &host->ip4;
    if (own->family == 0) {
        return L2TPVOIP_ERR_UNREACHABLE;
    }
    if (request->local.port != 0 && port_in_use(host, &request->local)) {
        return L2TPVOIP_ERR_EXISTS;
    }
    for (unsigned i = 0; i < SIM_MAX_PATHS; i++) {
        struct sim_path *p = &host->paths[i];
        if (!p->open) {
            memset(p, 0, sizeof *p);
            p->open = true;
            p->id = request->path_id;
            p->local = *own;
            p->local.port = request->local.port != 0 ? request->local.port : host->next_port++;
            return 0;
        }
    }
    return L2TPVOIP_ERR_LIMIT;
}

static void op_path_close(void *user, uint32_t path_id)
{
    struct sim_path *p = find_path(user, path_id);
    if (p != NULL) {
        p->open = false;
    }
}

static int op_send_batch(void *user, const l2tpvoip_datagram *v, size_t n, size_t *ret_sent)
{
    struct sim_host *host = user;
    struct sim_path *p = find_path(host, v[0].path_id);
    *ret_sent = 0;
    host->sends++;
    if (host->refuse_every != 0 && host->sends % host->refuse_every == 0) {
        host->writable_at_ns = host->sim->now_ns + SIM_MS;
        return L2TPVOIP_ERR_AGAIN;
    }
    for (size_t i = 0; i < n; i++) {
        if (p != NULL) {
            sim_send(host, p, &v[i].remote, v[i].data, v[i].len);
        }
        *ret_sent = i + 1;
    }
    return 0;
}

static int op_resolve(void *user, uint64_t id, const char *name, uint8_t family)
{
    struct sim_host *host = user;
    (void)family;
    host->resolve_id = id;
    host->resolve_ok = strcmp(name, "server.example") == 0;
    return 0;
}

static int op_notify_new(void *user, int *ret_fd)
{
    struct sim_host *host = user;
    for (int i = 0; i < (int)SIM_MAX_FDS; i++) {
        if (!host->fd_used[i]) {
            host->fd_used[i] = true;
            host->fd_set[i] = false;
            *ret_fd = i;
            return 0;
        }
    }
    return L2TPVOIP_ERR_IO;
}

static void op_notify_set(void *user, int fd)
{
    ((struct sim_host *)user)->fd_set[fd] = true;
}

static void op_notify_clear(void *user, int fd)
{
    ((struct sim_host *)user)->fd_set[fd] = false;
}

static void op_notify_free(void *user, int fd)
{
    ((struct sim_host *)user)->fd_used[fd] = false;
}

static void op_wakeup(void *user)
{
    __atomic_store_n(&((struct sim_host *)user)->woken, true, __ATOMIC_RELEASE);
}

static uint64_t op_monotonic(void *user)
{
    return sim_host_now(user);
}

static int64_t op_wallclock(void *user)
{
    return (int64_t)(1700000000 + sim_host_now(user) / SIM_S);
}

static int op_random(void *user, uint8_t *dst, size_t len)
{
    struct sim_host *host = user;
    for (size_t i = 0; i < len; i++) {
        dst[i] = (uint8_t)sim_random(&host->rng);
    }
    return 0;
}

static void op_log(void *user, int32_t level, const char *module, const char *msg, size_t len)
{
    struct sim_host *host = user;
    fprintf(stderr, "%9.3f %s %d %s: %.*s\n", (double)(host->sim->now_ns - 1000 * SIM_S) / 1e9,
            host->name, (int)level, module, (int)len, msg);
}

static void op_event(void *user, const l2tpvoip_event *event)
{
    struct sim_host *host = user;
    if (event->type < SIM_N_EVENTS) {
        host->events[event->type]++;
        host->last_code[event->type] = event->code;
    }
    if (event->type == L2TPVOIP_EVENT_SESSION_UP) {
        host->last_session = event->session;
    } else if (event->type == L2TPVOIP_EVENT_SESSION_DOWN && host->last_session == event->session) {
        host->last_session = NULL;
    }
    if (host->on_event != NULL) {
        host->on_event(host, event);
    }
}

/* --- life ------------------------------------------------------------------------------------------- */

struct sim_host *sim_host_new(struct sim *sim, const char *name, const char *ip4, const char *ip6)
{
    struct sim_host *host = calloc(1, sizeof *host);
    if (host == NULL || sim->n_hosts == SIM_MAX_HOSTS) {
        abort();
    }
    sim->hosts[sim->n_hosts++] = host;
    host->sim = sim;
    host->name = name;
    if (ip4 != NULL) {
        host->ip4 = sim_addr(ip4);
    }
    if (ip6 != NULL) {
        host->ip6 = sim_addr(ip6);
    }
    host->link.delay_ns = 10 * SIM_MS;
    host->next_port = (uint16_t)(40000 + sim_random(&sim->rng) % 10000);
    host->rng = sim_random(&sim->rng);
    host->jobs_at_ns = host->writable_at_ns = SIM_NEVER;
    host->skew_ns = sim_random(&sim->rng) % (100 * SIM_S);
    l2tpvoip_context_options_init(&host->options, sizeof host->options);
    return host;
}

int sim_host_start(struct sim_host *host)
{
    l2tpvoip_io_ops io = {
        .size = sizeof io,
        .user = host,
        .send_batch = host->pull ? NULL : op_send_batch,
        .path_open = op_path_open,
        .path_close = op_path_close,
        .resolve = op_resolve,
        .notify_new = op_notify_new,
        .notify_set = op_notify_set,
        .notify_clear = op_notify_clear,
        .notify_free = op_notify_free,
        .wakeup = op_wakeup,
    };
    l2tpvoip_env_ops env = {.size = sizeof env,
                            .user = host,
                            .monotonic_ns = op_monotonic,
                            .wallclock_s = op_wallclock,
                            .random = op_random};
    l2tpvoip_log_ops log = {.size = sizeof log,
                            .level = host->sim->verbose ? L2TPVOIP_LOG_DEBUG : 0,
                            .user = host,
                            .write = op_log};
    host->options.io = &io;
    host->options.env = &env;
    host->options.log = &log;
    host->options.on_event = op_event;
    host->options.event_user = host;
    return l2tpvoip_context_new(&host->options, sim_host_now(host), &host->ctx);
}

static void run_jobs(struct sim_host *host)
{
    for (unsigned i = 0; i < host->n_jobs; i++) {
        l2tpvoip_job_run(host->jobs[i]);
    }
    host->n_jobs = 0;
    host->jobs_at_ns = SIM_NEVER;
}

void sim_host_stop(struct sim_host *host)
{
    if (host->ctx == NULL) {
        return;
    }
    run_jobs(host);
    l2tpvoip_context_free(host->ctx);
    host->ctx = NULL;
    host->last_session = NULL;
    memset(host->paths, 0, sizeof host->paths);
}

/* --- what it has to do -------------------------------------------------------------------------------- */

static bool owes_path_up(const struct sim_host *host)
{
    for (unsigned i = 0; i < SIM_MAX_PATHS; i++) {
        if (host->paths[i].open && !host->paths[i].announced) {
            return true;
        }
    }
    return false;
}

uint64_t sim_host_next(const struct sim_host *host)
{
    uint64_t now = host->sim->now_ns;
    if (host->ctx == NULL || host->suspended) {
        return SIM_NEVER;
    }
    if (host->woken || host->resolve_id != 0 || owes_path_up(host)) {
        return now;
    }
    uint64_t expiry = l2tpvoip_context_get_expiry(host->ctx);
    uint64_t at = expiry == UINT64_MAX        ? SIM_NEVER
                  : expiry <= host->skew_ns   ? now
                                              : expiry - host->skew_ns;
    at = at < host->jobs_at_ns ? at : host->jobs_at_ns;
    at = at < host->writable_at_ns ? at : host->writable_at_ns;
    return at > now ? at : now;
}

static void announce_paths(struct sim_host *host)
{
    for (unsigned i = 0; i < SIM_MAX_PATHS && host->ctx != NULL; i++) {
        struct sim_path *p = &host->paths[i];
        if (p->open && !p->announced) {
            p->announced = true;
            (void)l2tpvoip_context_path_up(host->ctx, p->id, &p->local, sim_host_now(host));
        }
    }
}

static void unblock_paths(struct sim_host *host)
{
    for (unsigned i = 0; i < SIM_MAX_PATHS && host->ctx != NULL; i++) {
        struct sim_path *p = &host->paths[i];
        if (p->open) {
            (void)l2tpvoip_context_path_writable(host->ctx, p->id, sim_host_now(host));
        }
    }
}

static void *job_thread(void *arg)
{
    l2tpvoip_job_run(arg);
    return NULL;
}

static void take_jobs(struct sim_host *host)
{
    l2tpvoip_job *job = NULL;
    while (host->n_jobs < SIM_MAX_JOBS && l2tpvoip_context_take_job(host->ctx, &job) == 0 &&
           job != NULL) {
        if (host->job_threads) {
            pthread_t thread;
            if (pthread_create(&thread, NULL, job_thread, job) != 0) {
                abort();
            }
            pthread_join(thread, NULL);
            continue;
        }
        host->jobs[host->n_jobs++] = job;
        host->jobs_at_ns = host->sim->now_ns + host->job_delay_ns;
    }
}

static void pull_output(struct sim_host *host)
{
    l2tpvoip_datagram out[16];
    size_t n = 0;
    while (l2tpvoip_context_output(host->ctx, out, 16, &n, sim_host_now(host)) == 0 && n > 0) {
        for (size_t i = 0; i < n; i++) {
            struct sim_path *p = find_path(host, out[i].path_id);
            if (p != NULL) {
                sim_send(host, p, &out[i].remote, out[i].data, out[i].len);
            }
        }
        (void)l2tpvoip_context_release(host->ctx, out, n / 2); /* the rest by the next call */
    }
}

void sim_host_work(struct sim_host *host)
{
    if (host->ctx == NULL || host->suspended) {
        return;
    }
    if (host->jobs_at_ns <= host->sim->now_ns) {
        run_jobs(host);
    }
    if (host->resolve_id != 0) {
        uint64_t id = host->resolve_id;
        host->resolve_id = 0;
        (void)l2tpvoip_context_resolved(host->ctx, id, host->resolve_ok ? 0 : L2TPVOIP_ERR_RESOLVE,
                                        &host->resolve_addr, host->resolve_ok ? 1 : 0,
                                        sim_host_now(host));
    }
    announce_paths(host);
    bool woken = __atomic_exchange_n(&host->woken, false, __ATOMIC_ACQ_REL);
    if (woken || l2tpvoip_context_get_expiry(host->ctx) <= sim_host_now(host)) {
        (void)l2tpvoip_context_handle_expiry(host->ctx, sim_host_now(host));
    }
    if ((host->options.flags & L2TPVOIP_CONTEXT_EXTERNAL_JOBS) != 0) {
        take_jobs(host);
    }
    if (host->writable_at_ns <= host->sim->now_ns) {
        host->writable_at_ns = SIM_NEVER;
        unblock_paths(host);
    }
    if (host->pull) {
        pull_output(host);
    }
}
