/* SPDX-License-Identifier: MIT */
/* Backend on libuv. uv_udp is not used: it has neither TOS nor trains. Every handle that is closed
 * counts; the backend is freed when the loop has let go of the last. */
#include <stdlib.h>

#include <l2tpvoip/uv.h>

#include "io_paths.h"
#include "io_resolve.h"

#define NS_PER_MS UINT64_C(1000000)

struct l2tpvoip_uv {
    l2tpvoip_io_ops io;
    l2tpvoip_env_ops env;
    uv_loop_t *loop;
    l2tpvoip_context *ctx;
    struct l2v_io_paths paths;
    uv_timer_t timer;     /* the context's deadline */
    uv_async_t async;     /* wakeup, and what is owed after an operation */
    uv_prepare_t prepare; /* takes jobs */
    unsigned refs;        /* handles that are open, requests that run */
    int closing;
    void (*on_closed)(void *user);
    void *closed_user;
};

struct path_watch {
    uv_poll_t poll;
    l2tpvoip_uv *backend;
    struct l2v_io_path *path; /* NULL: closed */
};

struct lookup {
    uv_getaddrinfo_t request;
    l2tpvoip_uv *backend;
    struct l2v_io_answer answer;
};

struct work {
    uv_work_t request;
    l2tpvoip_uv *backend;
    l2tpvoip_job *job;
};

static void unref(l2tpvoip_uv *b)
{
    if (--b->refs == 0 && b->closing) {
        void (*on_closed)(void *) = b->on_closed;
        void *user = b->closed_user;
        l2v_io_paths_clear(&b->paths);
        free(b);
        if (on_closed != NULL) {
            on_closed(user);
        }
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    unref(handle->data);
}

/* --- deadline --------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void set_timer(l2tpvoip_uv *b, uint64_t deadline_ns)
{
    uint64_t now = l2v_io_now();
    if (b->closing) {
        return;
    }
    if (deadline_ns == UINT64_MAX) {
        (void)uv_timer_stop(&b->timer);
        return;
    }
    uint64_t wait = deadline_ns > now ? (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;
    uv_update_time(b->loop);
    (void)uv_timer_start(&b->timer, on_timer, wait, 0);
}

static void on_timer(uv_timer_t *timer)
{
    l2tpvoip_uv *b = timer->data;
    if (b->ctx != NULL) {
        (void)l2tpvoip_context_handle_expiry(b->ctx, l2v_io_now());
        set_timer(b, l2tpvoip_context_get_expiry(b->ctx));
    }
}

static void op_expiry_changed(void *user, uint64_t deadline_ns)
{
    set_timer(user, deadline_ns);
}

/* --- paths -------------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void update_poll(struct path_watch *w)
{
    int events = UV_READABLE | (w->path->blocked ? UV_WRITABLE : 0);
    (void)uv_poll_start(&w->poll, events, on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct path_watch *w = (struct path_watch *)(void *)poll;
    l2tpvoip_uv *b = w->backend;
    if (w->path == NULL || b->ctx == NULL) {
        return;
    }
    l2v_io_path_errors(w->path, b->ctx); /* libuv reports POLLERR as both directions */
    if (w->path != NULL && (status < 0 || (events & UV_READABLE) != 0)) {
        l2v_io_path_receive(&b->paths, w->path, b->ctx);
    }
    if (w->path != NULL && (events & UV_WRITABLE) != 0) {
        l2v_io_path_writable(w->path, b->ctx);
        if (w->path != NULL) {
            update_poll(w);
        }
    }
    l2v_io_paths_sweep(&b->paths);
}

static int op_send(void *user, const l2tpvoip_datagram *v, size_t n, size_t *ret_sent)
{
    l2tpvoip_uv *b = user;
    struct l2v_io_path *blocked = NULL;
    int rc = l2v_io_paths_send(&b->paths, v, n, ret_sent, &blocked);
    if (blocked != NULL && blocked->watch != NULL) {
        update_poll(blocked->watch);
    }
    return rc;
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct path_watch *w = (struct path_watch *)(void *)handle;
    l2tpvoip_uv *b = w->backend;
    free(w);
    unref(b);
}

static void close_path(struct l2v_io_path *path)
{
    struct path_watch *w = path->watch;
    path->watch = NULL;
    if (w != NULL) {
        w->path = NULL;
        (void)uv_poll_stop(&w->poll);
        uv_close((uv_handle_t *)&w->poll, on_watch_closed);
    }
    l2v_io_path_close(path);
}

static int op_path_open(void *user, const l2tpvoip_path_request *request)
{
    l2tpvoip_uv *b = user;
    struct path_watch *w = calloc(1, sizeof *w);
    struct l2v_io_path *path = NULL;
    if (w == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    int rc = l2v_io_paths_open(&b->paths, request, &path);
    if (rc != 0) {
        free(w);
        return rc;
    }
    if (uv_poll_init(b->loop, &w->poll, path->socket.fd) != 0) {
        free(w);
        l2v_io_path_close(path);
        return L2TPVOIP_ERR_IO;
    }
    b->refs++;
    w->backend = b;
    w->path = path;
    path->watch = w;
    update_poll(w);
    (void)uv_async_send(&b->async);
    return 0;
}

static void op_path_close(void *user, uint32_t path_id)
{
    l2tpvoip_uv *b = user;
    struct l2v_io_path *path = l2v_io_paths_find(&b->paths, path_id);
    if (path != NULL) {
        close_path(path);
    }
}

/* --- names ---------------------------------------------------------------------------------------- */

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct lookup *l = (struct lookup *)(void *)request;
    l2tpvoip_uv *b = l->backend;
    l2v_io_answer_fill(&l->answer, status, list);
    uv_freeaddrinfo(list);
    if (b->ctx != NULL && !b->closing) {
        (void)l2tpvoip_context_resolved(b->ctx, l->answer.id, l->answer.code, l->answer.addrs,
                                        l->answer.n, l2v_io_now());
    }
    free(l);
    unref(b);
}

static int op_resolve(void *user, uint64_t id, const char *name, uint8_t family)
{
    l2tpvoip_uv *b = user;
    struct addrinfo hints = l2v_io_resolve_hints(family);
    struct lookup *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    l->backend = b;
    l->answer.id = id;
    if (uv_getaddrinfo(b->loop, &l->request, on_resolved, name, NULL, &hints) != 0) {
        free(l);
        return L2TPVOIP_ERR_IO;
    }
    b->refs++;
    return 0;
}

/* --- wake-ups and jobs ------------------------------------------------------------------------------ */

static void on_async(uv_async_t *async)
{
    l2tpvoip_uv *b = async->data;
    if (b->ctx != NULL && !b->closing) {
        l2v_io_paths_announce(&b->paths, b->ctx);
        (void)l2tpvoip_context_handle_expiry(b->ctx, l2v_io_now());
        set_timer(b, l2tpvoip_context_get_expiry(b->ctx));
        l2v_io_paths_sweep(&b->paths);
    }
}

static void op_wakeup(void *user)
{
    l2tpvoip_uv *b = user;
    (void)uv_async_send(&b->async);
}

static void run_work(uv_work_t *request)
{
    struct work *w = (struct work *)(void *)request;
    l2tpvoip_job_run(w->job);
}

static void on_work_done(uv_work_t *request, int status)
{
    struct work *w = (struct work *)(void *)request;
    l2tpvoip_uv *b = w->backend;
    (void)status;
    free(w);
    unref(b);
}

static void on_prepare(uv_prepare_t *prepare)
{
    l2tpvoip_uv *b = prepare->data;
    l2tpvoip_job *job = NULL;
    while (b->ctx != NULL && l2tpvoip_context_take_job(b->ctx, &job) == 0 && job != NULL) {
        struct work *w = calloc(1, sizeof *w);
        if (w != NULL) {
            w->backend = b;
            w->job = job;
        }
        if (w == NULL || uv_queue_work(b->loop, &w->request, run_work, on_work_done) != 0) {
            free(w);
            l2tpvoip_job_run(job); /* here then: late, but not lost */
        } else {
            b->refs++;
        }
    }
}

void l2tpvoip_uv_set_job_threads(l2tpvoip_uv *backend, int enabled)
{
    if (enabled) {
        (void)uv_prepare_start(&backend->prepare, on_prepare);
    } else {
        (void)uv_prepare_stop(&backend->prepare);
    }
}

/* --- life ------------------------------------------------------------------------------------------- */

static void fill_tables(l2tpvoip_uv *b)
{
    l2v_io_fill_tables(b, &b->io, &b->env);
    b->io.send_batch = op_send;
    b->io.path_open = op_path_open;
    b->io.path_close = op_path_close;
    b->io.resolve = op_resolve;
    b->io.wakeup = op_wakeup;
    b->io.expiry_changed = op_expiry_changed;
}

int l2tpvoip_uv_new(uv_loop_t *loop, l2tpvoip_uv **ret_backend)
{
    if (loop == NULL || ret_backend == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_uv *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    b->loop = loop;
    fill_tables(b);
    if (l2v_io_paths_init(&b->paths) != 0) {
        free(b);
        return L2TPVOIP_ERR_NOMEM;
    }
    if (uv_async_init(loop, &b->async, on_async) != 0) {
        l2v_io_paths_clear(&b->paths);
        free(b);
        return L2TPVOIP_ERR_IO;
    }
    (void)uv_timer_init(loop, &b->timer);
    (void)uv_prepare_init(loop, &b->prepare);
    b->async.data = b->timer.data = b->prepare.data = b;
    b->refs = 3;
    *ret_backend = b;
    return 0;
}

void l2tpvoip_uv_get_ops(l2tpvoip_uv *backend, const l2tpvoip_io_ops **ret_io,
                         const l2tpvoip_env_ops **ret_env)
{
    *ret_io = &backend->io;
    *ret_env = &backend->env;
}

void l2tpvoip_uv_attach(l2tpvoip_uv *backend, l2tpvoip_context *ctx)
{
    backend->ctx = ctx;
}

void l2tpvoip_uv_close(l2tpvoip_uv *backend, void (*on_closed)(void *user), void *user)
{
    if (backend == NULL || backend->closing) {
        return;
    }
    backend->closing = 1;
    backend->ctx = NULL;
    backend->on_closed = on_closed;
    backend->closed_user = user;
    for (struct l2v_io_path *p = backend->paths.first; p != NULL; p = p->next) {
        if (!p->closed) {
            close_path(p);
        }
    }
    uv_close((uv_handle_t *)&backend->timer, on_handle_closed);
    uv_close((uv_handle_t *)&backend->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&backend->async, on_handle_closed);
}
