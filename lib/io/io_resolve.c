/* SPDX-License-Identifier: MIT */
/* getaddrinfo blocks, so each question has a thread. The shared state is counted: a thread that
 * outlives its backend finds it closed and drops the answer. */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include "io_resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct l2v_io_resolver {
    pthread_mutex_t lock;
    unsigned refs; /* the backend and each thread */
    bool closed;
    int wake_fd;
    struct l2v_io_answer *done;
};

struct question {
    struct l2v_io_resolver *resolver;
    uint64_t id;
    uint8_t family;
    struct l2v_io_answer *answer;
    char name[]; /* terminated */
};

struct addrinfo l2v_io_resolve_hints(uint8_t family)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    hints.ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
    return hints;
}

void l2v_io_answer_fill(struct l2v_io_answer *answer, int gai_code, const struct addrinfo *list)
{
    answer->n = 0;
    for (const struct addrinfo *a = list; gai_code == 0 && a != NULL; a = a->ai_next) {
        if (answer->n < L2V_IO_MAX_ADDRS &&
            l2v_io_addr_from_sockaddr(a->ai_addr, &answer->addrs[answer->n])) {
            answer->n++;
        }
    }
    answer->code = answer->n > 0 ? 0 : L2TPVOIP_ERR_RESOLVE;
}

/* Drops one reference and the lock. */
static void unref_locked(struct l2v_io_resolver *r)
{
    bool last = --r->refs == 0;
    (void)pthread_mutex_unlock(&r->lock);
    if (!last) {
        return;
    }
    while (r->done != NULL) {
        struct l2v_io_answer *a = r->done;
        r->done = a->next;
        free(a);
    }
    (void)close(r->wake_fd);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

static void deliver(struct question *q)
{
    static const uint64_t one = 1;
    struct l2v_io_resolver *r = q->resolver;
    (void)pthread_mutex_lock(&r->lock);
    if (r->closed) {
        free(q->answer);
    } else {
        q->answer->next = r->done;
        r->done = q->answer;
        ssize_t ignored = write(r->wake_fd, &one, sizeof one);
        (void)ignored;
    }
    unref_locked(r);
    free(q);
}

static void *answer_question(void *arg)
{
    struct question *q = arg;
    struct addrinfo hints = l2v_io_resolve_hints(q->family);
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(q->name, NULL, &hints, &list);
    l2v_io_answer_fill(q->answer, rc, list);
    if (rc == 0) {
        freeaddrinfo(list);
    }
    deliver(q);
    return NULL;
}

int l2v_io_resolver_new(int wake_fd, struct l2v_io_resolver **ret_resolver)
{
    struct l2v_io_resolver *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    r->refs = 1;
    r->wake_fd = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0);
    if (r->wake_fd < 0) {
        free(r);
        return l2v_io_error_from_errno(errno);
    }
    if (pthread_mutex_init(&r->lock, NULL) != 0) {
        (void)close(r->wake_fd);
        free(r);
        return L2TPVOIP_ERR_IO;
    }
    *ret_resolver = r;
    return 0;
}

void l2v_io_resolver_free(struct l2v_io_resolver *resolver)
{
    if (resolver != NULL) {
        (void)pthread_mutex_lock(&resolver->lock);
        resolver->closed = true;
        unref_locked(resolver);
    }
}

static int start_thread(struct question *q)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0) {
        return L2TPVOIP_ERR_NOMEM;
    }
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    /* The program's signals are for the program's threads. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread, &attr, answer_question, q);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return rc == 0 ? 0 : L2TPVOIP_ERR_IO;
}

int l2v_io_resolver_ask(struct l2v_io_resolver *resolver, uint64_t id, const char *name,
                        uint8_t family)
{
    size_t len = strlen(name) + 1;
    struct question *q = malloc(sizeof *q + len);
    struct l2v_io_answer *a = calloc(1, sizeof *a);
    if (q == NULL || a == NULL) {
        free(q);
        free(a);
        return L2TPVOIP_ERR_NOMEM;
    }
    q->resolver = resolver;
    q->id = a->id = id;
    q->family = family;
    q->answer = a;
    memcpy(q->name, name, len);
    (void)pthread_mutex_lock(&resolver->lock);
    resolver->refs++;
    (void)pthread_mutex_unlock(&resolver->lock);
    int rc = start_thread(q);
    if (rc != 0) {
        (void)pthread_mutex_lock(&resolver->lock);
        unref_locked(resolver);
        free(a);
        free(q);
    }
    return rc;
}

struct l2v_io_answer *l2v_io_resolver_take(struct l2v_io_resolver *resolver)
{
    (void)pthread_mutex_lock(&resolver->lock);
    struct l2v_io_answer *a = resolver->done;
    if (a != NULL) {
        resolver->done = a->next;
        a->next = NULL;
    }
    (void)pthread_mutex_unlock(&resolver->lock);
    return a;
}
