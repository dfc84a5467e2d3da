/* SPDX-License-Identifier: MIT */
/* The paths of one backend. A path may be closed by the context while it is being served, so
 * records are freed only by the sweep. */
#include "io_paths.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 8u  /* batches read from one path before the others have their turn */
#define ERRORS 32u /* likewise, ICMP errors */

int l2v_io_paths_init(struct l2v_io_paths *paths)
{
    paths->first = NULL;
    return l2v_io_rx_init(&paths->rx);
}

void l2v_io_paths_clear(struct l2v_io_paths *paths)
{
    for (struct l2v_io_path *p = paths->first; p != NULL; p = p->next) {
        l2v_io_path_close(p);
    }
    l2v_io_paths_sweep(paths);
    l2v_io_rx_clear(&paths->rx);
}

int l2v_io_paths_open(struct l2v_io_paths *paths, const l2tpvoip_path_request *request,
                      struct l2v_io_path **ret_path)
{
    struct l2v_io_path *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    int rc = l2v_io_socket_open(&p->socket, request, &p->local);
    if (rc != 0) {
        free(p);
        return rc;
    }
    p->next = paths->first;
    paths->first = p;
    *ret_path = p;
    return 0;
}

struct l2v_io_path *l2v_io_paths_find(struct l2v_io_paths *paths, uint32_t path_id)
{
    struct l2v_io_path *p = paths->first;
    while (p != NULL && (p->closed || p->socket.path_id != path_id)) {
        p = p->next;
    }
    return p;
}

void l2v_io_path_close(struct l2v_io_path *path)
{
    path->closed = true;
    l2v_io_socket_close(&path->socket);
}

void l2v_io_paths_sweep(struct l2v_io_paths *paths)
{
    struct l2v_io_path **at = &paths->first;
    while (*at != NULL) {
        struct l2v_io_path *p = *at;
        if (p->closed) {
            *at = p->next;
            free(p);
        } else {
            at = &p->next;
        }
    }
}

int l2v_io_paths_send(struct l2v_io_paths *paths, const l2tpvoip_datagram *v, size_t n,
                      size_t *ret_sent, struct l2v_io_path **ret_newly_blocked)
{
    struct l2v_io_path *p = n > 0 ? l2v_io_paths_find(paths, v[0].path_id) : NULL;
    *ret_newly_blocked = NULL;
    *ret_sent = 0;
    if (p == NULL) {
        return n > 0 ? L2TPVOIP_ERR_NOT_FOUND : 0;
    }
    int rc = l2v_io_socket_send(&p->socket, v, n, ret_sent);
    if (rc == L2TPVOIP_ERR_NOBUFS) {
        rc = L2TPVOIP_ERR_AGAIN;
    }
    if (rc == L2TPVOIP_ERR_AGAIN && !p->blocked) {
        p->blocked = true;
        *ret_newly_blocked = p;
    }
    return rc;
}

void l2v_io_paths_announce(struct l2v_io_paths *paths, l2tpvoip_context *ctx)
{
    for (struct l2v_io_path *p = paths->first; p != NULL; p = p->next) {
        if (!p->announced && !p->closed) {
            p->announced = true;
            (void)l2tpvoip_context_path_up(ctx, p->socket.path_id, &p->local, l2v_io_now());
        }
    }
}

/* The socket knows its port, the datagram its address: together they are where it arrived. */
static void complete_local(const struct l2v_io_path *path, l2tpvoip_datagram *d)
{
    if (d->local.family == 0) {
        d->local = path->local;
    }
    d->local.port = path->local.port;
    if (d->local.scope_id == 0) {
        d->local.scope_id = path->local.scope_id;
    }
}

void l2v_io_path_receive(struct l2v_io_paths *paths, struct l2v_io_path *path, l2tpvoip_context *ctx)
{
    l2tpvoip_datagram v[L2V_IO_BATCH];
    for (unsigned round = 0; round < ROUNDS && !path->closed; round++) {
        size_t n = 0;
        uint64_t now = l2v_io_now();
        if (l2v_io_socket_recv(&path->socket, &paths->rx, now, v, &n) != 0) {
            return;
        }
        for (size_t i = 0; i < n; i++) {
            complete_local(path, &v[i]);
        }
        (void)l2tpvoip_context_input(ctx, v, n, now);
        if (n < L2V_IO_BATCH) {
            return;
        }
    }
}

void l2v_io_path_errors(struct l2v_io_path *path, l2tpvoip_context *ctx)
{
    for (unsigned i = 0; i < ERRORS && !path->closed; i++) {
        l2tpvoip_addr remote;
        int32_t code = 0;
        uint32_t mtu = 0;
        if (l2v_io_socket_error(&path->socket, &remote, &code, &mtu) != 0) {
            return;
        }
        (void)l2tpvoip_context_path_error(ctx, path->socket.path_id, &remote, code, mtu,
                                          l2v_io_now());
    }
}

void l2v_io_path_writable(struct l2v_io_path *path, l2tpvoip_context *ctx)
{
    if (path->blocked && !path->closed) {
        path->blocked = false;
        (void)l2tpvoip_context_path_writable(ctx, path->socket.path_id, l2v_io_now());
    }
}
