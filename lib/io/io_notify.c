/* SPDX-License-Identifier: MIT */
/* Pollable flags on eventfd. */
#include <errno.h>
#include <sys/eventfd.h>
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
