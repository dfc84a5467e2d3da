/* SPDX-License-Identifier: MIT */
/* Pollable flags on eventfd, and the tables as far as all backends fill them alike. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "io_paths.h"

int l2v_io_notify_new(void *user, int *ret_fd)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    (void)user;
    if (fd < 0) {
        return l2v_io_error_from_errno(errno);
    }
    *ret_fd = fd;
    return 0;
}

void l2v_io_notify_set(void *user, int fd)
{
    static const uint64_t one = 1;
    (void)user;
    /* A full counter is set already. */
    ssize_t ignored = write(fd, &one, sizeof one);
    (void)ignored;
}

void l2v_io_notify_clear(void *user, int fd)
{
    uint64_t count = 0;
    (void)user;
    ssize_t ignored = read(fd, &count, sizeof count);
    (void)ignored;
}

void l2v_io_notify_free(void *user, int fd)
{
    (void)user;
    (void)close(fd);
}

static uint64_t read_monotonic(void *user)
{
    (void)user;
    return l2v_io_now();
}

static int64_t read_wallclock(void *user)
{
    (void)user;
    return (int64_t)time(NULL);
}

void l2v_io_fill_tables(void *user, l2tpvoip_io_ops *io, l2tpvoip_env_ops *env)
{
    memset(io, 0, sizeof *io);
    io->size = sizeof *io;
    io->user = user;
    io->notify_new = l2v_io_notify_new;
    io->notify_set = l2v_io_notify_set;
    io->notify_clear = l2v_io_notify_clear;
    io->notify_free = l2v_io_notify_free;
    memset(env, 0, sizeof *env);
    env->size = sizeof *env;
    env->user = user;
    env->monotonic_ns = read_monotonic;
    env->wallclock_s = read_wallclock;
}
