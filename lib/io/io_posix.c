/* SPDX-License-Identifier: MIT */
/* Backend on poll(2): one context, its paths, and descriptors of the program. */
#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <l2tpvoip/posix.h>

#include "io_paths.h"
#include "io_resolve.h"

#define NS_PER_S UINT64_C(1000000000)

struct watch {
    struct watch *next;
    int fd; /* -1 = removed; freed after the round */
    short events;
    void (*on_ready)(void *user, short revents);
    void *user;
};

struct l2tpvoip_posix {
    l2tpvoip_io_ops io;
    l2tpvoip_env_ops env;
    l2tpvoip_context *ctx;
    struct l2v_io_paths paths;
    struct l2v_io_resolver *resolver;
    struct watch *watches;
    struct pollfd *fds;
    size_t n_fds, cap_fds;
    int wake_fd;
};

/* --- operations that the context calls -------------------------------------------------------- */

static int op_send(void *user, const l2tpvoip_datagram *v, size_t n, size_t *ret_sent)
{
    l2tpvoip_posix *b = user;
    struct l2v_io_path *blocked = NULL; /* polled for POLLOUT from the next round on */
    return l2v_io_paths_send(&b->paths, v, n, ret_sent, &blocked);
}

static int op_path_open(void *user, const l2tpvoip_path_request *request)
{
    l2tpvoip_posix *b = user;
    struct l2v_io_path *path = NULL;
    int rc = l2v_io_paths_open(&b->paths, request, &path);
    if (rc == 0) {
        l2v_io_notify_set(NULL, b->wake_fd);
    }
    return rc;
}

static void op_path_close(void *user, uint32_t path_id)
{
    l2tpvoip_posix *b = user;
    struct l2v_io_path *path = l2v_io_paths_find(&b->paths, path_id);
    if (path != NULL) {
        l2v_io_path_close(path);
    }
}

static int op_resolve(void *user, uint64_t id, const char *name, uint8_t family)
{
    l2tpvoip_posix *b = user;
    return l2v_io_resolver_ask(b->resolver, id, name, family);
}

static void op_wakeup(void *user)
{
    l2tpvoip_posix *b = user;
    l2v_io_notify_set(NULL, b->wake_fd);
}

/* --- life --------------------------------------------------------------------------------------- */

static void fill_tables(l2tpvoip_posix *b)
{
    l2v_io_fill_tables(b, &b->io, &b->env);
    b->io.send_batch = op_send;
    b->io.path_open = op_path_open;
    b->io.path_close = op_path_close;
    b->io.resolve = op_resolve;
    b->io.wakeup = op_wakeup;
}

int l2tpvoip_posix_new(l2tpvoip_posix **ret_backend)
{
    if (ret_backend == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2tpvoip_posix *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    fill_tables(b);
    b->wake_fd = -1;
    int rc = l2v_io_paths_init(&b->paths);
    if (rc == 0) {
        rc = l2v_io_notify_new(NULL, &b->wake_fd);
    }
    if (rc == 0) {
        rc = l2v_io_resolver_new(b->wake_fd, &b->resolver);
    }
    if (rc != 0) {
        l2tpvoip_posix_free(b);
        return rc;
    }
    *ret_backend = b;
    return 0;
}

void l2tpvoip_posix_free(l2tpvoip_posix *backend)
{
    if (backend == NULL) {
        return;
    }
    l2v_io_resolver_free(backend->resolver);
    l2v_io_paths_clear(&backend->paths);
    while (backend->watches != NULL) {
        struct watch *w = backend->watches;
        backend->watches = w->next;
        free(w);
    }
    if (backend->wake_fd >= 0) {
        l2v_io_notify_free(NULL, backend->wake_fd);
    }
    free(backend->fds);
    free(backend);
}

void l2tpvoip_posix_get_ops(l2tpvoip_posix *backend, const l2tpvoip_io_ops **ret_io,
                            const l2tpvoip_env_ops **ret_env)
{
    *ret_io = &backend->io;
    *ret_env = &backend->env;
}

void l2tpvoip_posix_attach(l2tpvoip_posix *backend, l2tpvoip_context *ctx)
{
    backend->ctx = ctx;
}

uint64_t l2tpvoip_posix_now(void)
{
    return l2v_io_now();
}

/* --- descriptors of the program --------------------------------------------------------------------- */

static struct watch *find_watch(l2tpvoip_posix *b, int fd)
{
    struct watch *w = b->watches;
    while (w != NULL && w->fd != fd) {
        w = w->next;
    }
    return w;
}

int l2tpvoip_posix_watch(l2tpvoip_posix *backend, int fd, short events,
                         void (*on_ready)(void *user, short revents), void *user)
{
    if (backend == NULL || fd < 0 || (events != 0 && on_ready == NULL)) {
        return L2TPVOIP_ERR_INVALID;
    }
    struct watch *w = find_watch(backend, fd);
    if (events == 0) {
        if (w != NULL) {
            w->fd = -1;
        }
        return 0;
    }
    if (w == NULL) {
        w = calloc(1, sizeof *w);
        if (w == NULL) {
            return L2TPVOIP_ERR_NOMEM;
        }
        w->next = backend->watches;
        backend->watches = w;
    }
    w->fd = fd;
    w->events = events;
    w->on_ready = on_ready;
    w->user = user;
    return 0;
}

static void sweep_watches(l2tpvoip_posix *b)
{
    struct watch **at = &b->watches;
    while (*at != NULL) {
        struct watch *w = *at;
        if (w->fd < 0) {
            *at = w->next;
            free(w);
        } else {
            at = &w->next;
        }
    }
}

/* --- one round ---------------------------------------------------------------------------------------- */

static void add_fd(l2tpvoip_posix *b, int fd, short events)
{
    b->fds[b->n_fds++] = (struct pollfd){.fd = fd, .events = events};
}

static int reserve_fds(l2tpvoip_posix *b)
{
    size_t n = 1;
    for (struct l2v_io_path *p = b->paths.first; p != NULL; p = p->next) {
        n++;
    }
    for (struct watch *w = b->watches; w != NULL; w = w->next) {
        n++;
    }
    if (n > b->cap_fds) {
        struct pollfd *fds = realloc(b->fds, (n + 8) * sizeof *fds);
        if (fds == NULL) {
            return L2TPVOIP_ERR_NOMEM;
        }
        b->fds = fds;
        b->cap_fds = n + 8;
    }
    return 0;
}

static int collect_fds(l2tpvoip_posix *b)
{
    int rc = reserve_fds(b);
    if (rc != 0) {
        return rc;
    }
    b->n_fds = 0;
    add_fd(b, b->wake_fd, POLLIN);
    for (struct l2v_io_path *p = b->paths.first; p != NULL; p = p->next) {
        add_fd(b, p->socket.fd, p->blocked ? POLLIN | POLLOUT : POLLIN);
    }
    for (struct watch *w = b->watches; w != NULL; w = w->next) {
        add_fd(b, w->fd, w->events);
    }
    return 0;
}

static int wait_for_fds(l2tpvoip_posix *b, int max_wait_ms)
{
    uint64_t expiry = l2tpvoip_context_get_expiry(b->ctx);
    uint64_t now = l2v_io_now();
    uint64_t wait = expiry == UINT64_MAX ? UINT64_MAX : expiry > now ? expiry - now : 0;
    if (max_wait_ms >= 0 && (uint64_t)max_wait_ms * 1000000 < wait) {
        wait = (uint64_t)max_wait_ms * 1000000;
    }
    struct timespec ts = {.tv_sec = (time_t)(wait / NS_PER_S), .tv_nsec = (long)(wait % NS_PER_S)};
    if (ppoll(b->fds, (nfds_t)b->n_fds, wait == UINT64_MAX ? NULL : &ts, NULL) < 0) {
        b->n_fds = 0; /* interrupted: nothing is known to be ready */
        return errno == EINTR ? 0 : L2TPVOIP_ERR_IO;
    }
    return 0;
}

static short ready_events(const l2tpvoip_posix *b, int fd)
{
    for (size_t i = 0; fd >= 0 && i < b->n_fds; i++) {
        if (b->fds[i].fd == fd) {
            return b->fds[i].revents;
        }
    }
    return 0;
}

static void handle_paths(l2tpvoip_posix *b)
{
    for (struct l2v_io_path *p = b->paths.first; p != NULL; p = p->next) {
        short revents = p->closed ? 0 : ready_events(b, p->socket.fd);
        if ((revents & POLLERR) != 0) {
            l2v_io_path_errors(p, b->ctx);
        }
        /* Reading also takes an error that is in no queue: else poll would return at once, always. */
        if ((revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
            l2v_io_path_receive(&b->paths, p, b->ctx);
        }
        if ((revents & POLLOUT) != 0) {
            l2v_io_path_writable(p, b->ctx);
        }
    }
}

static void handle_watches(l2tpvoip_posix *b)
{
    for (struct watch *w = b->watches; w != NULL; w = w->next) {
        short revents = ready_events(b, w->fd);
        if (revents != 0) {
            w->on_ready(w->user, revents);
        }
    }
}

static void handle_wake(l2tpvoip_posix *b)
{
    struct l2v_io_answer *a = NULL;
    if (ready_events(b, b->wake_fd) == 0) {
        return;
    }
    l2v_io_notify_clear(NULL, b->wake_fd);
    while ((a = l2v_io_resolver_take(b->resolver)) != NULL) {
        (void)l2tpvoip_context_resolved(b->ctx, a->id, a->code, a->addrs, a->n, l2v_io_now());
        free(a);
    }
    (void)l2tpvoip_context_handle_expiry(b->ctx, l2v_io_now()); /* posts */
}

static int handle_deadline(l2tpvoip_posix *b)
{
    uint64_t now = l2v_io_now();
    if (l2tpvoip_context_get_expiry(b->ctx) > now) {
        return 0;
    }
    return l2tpvoip_context_handle_expiry(b->ctx, now);
}

int l2tpvoip_posix_run_once(l2tpvoip_posix *backend, int max_wait_ms)
{
    if (backend == NULL || backend->ctx == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2v_io_paths_announce(&backend->paths, backend->ctx);
    if (backend->ctx == NULL) { /* detached in a callback: nothing is left to wait for */
        l2v_io_paths_sweep(&backend->paths);
        return 0;
    }
    int rc = collect_fds(backend);
    if (rc == 0) {
        rc = wait_for_fds(backend, max_wait_ms);
    }
    if (rc != 0) {
        return rc;
    }
    handle_wake(backend);
    handle_paths(backend);
    handle_watches(backend);
    rc = handle_deadline(backend);
    l2v_io_paths_sweep(&backend->paths);
    sweep_watches(backend);
    return rc;
}
