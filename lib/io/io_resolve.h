/* SPDX-License-Identifier: MIT */
/* Names to addresses in the background: getaddrinfo on a thread of its own per question. */
#ifndef L2V_IO_RESOLVE_H
#define L2V_IO_RESOLVE_H

#include <netdb.h>

#include "io_socket.h"

#define L2V_IO_MAX_ADDRS 16u

struct l2v_io_resolver;

struct l2v_io_answer {
    struct l2v_io_answer *next;
    uint64_t id;
    int32_t code; /* 0, RESOLVE */
    size_t n;
    l2tpvoip_addr addrs[L2V_IO_MAX_ADDRS];
};

/* wake_fd: an eventfd that is written when an answer is there; must outlive what runs, so it is
 * duplicated. 0, NOMEM, IO. */
int l2v_io_resolver_new(int wake_fd, struct l2v_io_resolver **ret_resolver);
/* Does not wait for questions under way; their answers are dropped. */
void l2v_io_resolver_free(struct l2v_io_resolver *resolver);
int l2v_io_resolver_ask(struct l2v_io_resolver *resolver, uint64_t id, const char *name,
                        uint8_t family); /* 0, NOMEM, IO */
/* NULL = none; the caller frees it. */
struct l2v_io_answer *l2v_io_resolver_take(struct l2v_io_resolver *resolver);

/* Common to both backends. */
void l2v_io_answer_fill(struct l2v_io_answer *answer, int gai_code, const struct addrinfo *list);
struct addrinfo l2v_io_resolve_hints(uint8_t family);

#endif
