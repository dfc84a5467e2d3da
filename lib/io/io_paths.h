/* SPDX-License-Identifier: MIT */
/* The paths of one backend: what io_posix and io_uv do alike. */
#ifndef L2V_IO_PATHS_H
#define L2V_IO_PATHS_H

#include <l2tpvoip/context.h>

#include "io_socket.h"

struct l2v_io_path {
    struct l2v_io_path *next;
    struct l2v_io_socket socket;
    l2tpvoip_addr local;
    bool announced; /* path_up was reported */
    bool blocked;   /* the kernel's queue was full: path_writable is owed */
    bool closed;    /* freed by l2v_io_paths_sweep */
    void *watch;    /* of the event loop */
};

struct l2v_io_paths {
    struct l2v_io_path *first;
    struct l2v_io_rx rx;
};

int l2v_io_paths_init(struct l2v_io_paths *paths); /* 0, NOMEM */
void l2v_io_paths_clear(struct l2v_io_paths *paths);

/* Opens the socket; path_up is owed and comes by l2v_io_paths_announce. */
int l2v_io_paths_open(struct l2v_io_paths *paths, const l2tpvoip_path_request *request,
                      struct l2v_io_path **ret_path);
struct l2v_io_path *l2v_io_paths_find(struct l2v_io_paths *paths, uint32_t path_id);
/* Closes the descriptor; the record stays until the sweep. */
void l2v_io_path_close(struct l2v_io_path *path);
void l2v_io_paths_sweep(struct l2v_io_paths *paths);
/* io_ops.send_batch. *ret_newly_blocked: watch for writability now. */
int l2v_io_paths_send(struct l2v_io_paths *paths, const l2tpvoip_datagram *v, size_t n,
                      size_t *ret_sent, struct l2v_io_path **ret_newly_blocked);

/* Reports to the context; each may open and close paths. */
void l2v_io_paths_announce(struct l2v_io_paths *paths, l2tpvoip_context *ctx);
void l2v_io_path_receive(struct l2v_io_paths *paths, struct l2v_io_path *path, l2tpvoip_context *ctx);
void l2v_io_path_errors(struct l2v_io_path *path, l2tpvoip_context *ctx);
void l2v_io_path_writable(struct l2v_io_path *path, l2tpvoip_context *ctx);

/* What both tables have alike: clock, wall clock, pollable flags. */
void l2v_io_fill_tables(void *user, l2tpvoip_io_ops *io, l2tpvoip_env_ops *env);

/* Pollable flags: notify_new and its kin of io_ops. */
int l2v_io_notify_new(void *user, int *ret_fd);
void l2v_io_notify_set(void *user, int fd);
void l2v_io_notify_clear(void *user, int fd);
void l2v_io_notify_free(void *user, int fd);

#endif
