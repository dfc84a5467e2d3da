/* SPDX-License-Identifier: MIT */
/* Opening a path's UDP socket, and addresses. */
#define _GNU_SOURCE /* struct in6_pktinfo */
#include "io_socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define SOCKET_BUFFER (4 * 1024 * 1024) /* a burst of 100 ms at 300 Mbit/s; the kernel clips it */

uint64_t l2v_io_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

int l2v_io_error_from_errno(int e)
{
    static const struct {
        int e;
        int code;
    } map[] = {
        {EAGAIN, L2TPVOIP_ERR_AGAIN},           {ENOBUFS, L2TPVOIP_ERR_NOBUFS},
        {ENOMEM, L2TPVOIP_ERR_NOMEM},           {EMSGSIZE, L2TPVOIP_ERR_MSGSIZE},
        {EACCES, L2TPVOIP_ERR_PERMISSION},      {EPERM, L2TPVOIP_ERR_PERMISSION},
        {EADDRINUSE, L2TPVOIP_ERR_EXISTS},      {ENETUNREACH, L2TPVOIP_ERR_UNREACHABLE},
        {EHOSTUNREACH, L2TPVOIP_ERR_UNREACHABLE}, {ECONNREFUSED, L2TPVOIP_ERR_UNREACHABLE},
        {ENETDOWN, L2TPVOIP_ERR_UNREACHABLE},   {EMFILE, L2TPVOIP_ERR_LIMIT},
        {ENFILE, L2TPVOIP_ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (map[i].e == e) {
            return map[i].code;
        }
    }
    return L2TPVOIP_ERR_IO;
}

bool l2v_io_addr_from_sockaddr(const struct sockaddr *sa, l2tpvoip_addr *ret)
{
    memset(ret, 0, sizeof *ret);
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        ret->family = 4;
        ret->port = ntohs(in.sin_port);
        memcpy(ret->ip, &in.sin_addr, 4);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        ret->family = 6;
        ret->port = ntohs(in6.sin6_port);
        ret->scope_id = in6.sin6_scope_id;
        memcpy(ret->ip, &in6.sin6_addr, 16);
        return true;
    }
    return false;
}

socklen_t l2v_io_addr_to_sockaddr(const l2tpvoip_addr *a, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof *ret);
    if (a->family == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};
        memcpy(&in.sin_addr, a->ip, 4);
        memcpy(ret, &in, sizeof in);
        return sizeof in;
    }
    if (a->family == 6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port),
                                   .sin6_scope_id = a->scope_id};
        memcpy(&in6.sin6_addr, a->ip, 16);
        memcpy(ret, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

/* An option that the kernel lacks is no error: the feature is off then. */
static bool set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

static void set_options(struct l2v_io_socket *s)
{
    int gso = 0;
    socklen_t len = sizeof gso;
    if (s->family == 6) {
        (void)set_option(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        (void)set_option(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        (void)set_option(s->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        (void)set_option(s->fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
        (void)set_option(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    } else {
        (void)set_option(s->fd, IPPROTO_IP, IP_PKTINFO, 1);
        (void)set_option(s->fd, IPPROTO_IP, IP_RECVTOS, 1);
        (void)set_option(s->fd, IPPROTO_IP, IP_RECVERR, 1);
        (void)set_option(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    }
    (void)set_option(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    (void)set_option(s->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
    (void)set_option(s->fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
    s->gso = getsockopt(s->fd, IPPROTO_UDP, UDP_SEGMENT, &gso, &len) == 0;
    s->gro = set_option(s->fd, IPPROTO_UDP, UDP_GRO, 1);
}

static int bind_socket(struct l2v_io_socket *s, const l2tpvoip_path_request *request,
                       l2tpvoip_addr *ret_local)
{
    struct sockaddr_storage ss;
    socklen_t len = l2v_io_addr_to_sockaddr(&request->local, &ss);
    if (request->interface_name != NULL &&
        setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, request->interface_name,
                   (socklen_t)strlen(request->interface_name) + 1) != 0) {
        return l2v_io_error_from_errno(errno);
    }
    if (bind(s->fd, (struct sockaddr *)&ss, len) != 0) {
        return l2v_io_error_from_errno(errno);
    }
    len = sizeof ss;
    if (getsockname(s->fd, (struct sockaddr *)&ss, &len) != 0 ||
        !l2v_io_addr_from_sockaddr((struct sockaddr *)&ss, ret_local)) {
        return L2TPVOIP_ERR_IO;
    }
    return 0;
}

/* The address that the kernel would send from: NAT detection hashes it. */
static void find_source(const l2tpvoip_path_request *request, l2tpvoip_addr *local)
{
    struct sockaddr_storage ss;
    socklen_t len = l2v_io_addr_to_sockaddr(&request->remote, &ss);
    l2tpvoip_addr source = {0};
    int fd = len != 0 ? socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0) {
        return;
    }
    if (connect(fd, (struct sockaddr *)&ss, len) == 0) {
        len = sizeof ss;
        if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
            l2v_io_addr_from_sockaddr((struct sockaddr *)&ss, &source)) {
            source.port = local->port;
            *local = source;
        }
    }
    (void)close(fd);
}

bool l2v_io_addr_is_any(const l2tpvoip_addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->ip, zero, sizeof zero) == 0;
}

int l2v_io_socket_open(struct l2v_io_socket *s, const l2tpvoip_path_request *request,
                       l2tpvoip_addr *ret_local)
{
    l2tpvoip_addr local = {0};
    memset(s, 0, sizeof *s);
    s->fd = -1;
    if (request->kind != L2TPVOIP_PATH_UDP ||
        (request->local.family != 4 && request->local.family != 6)) {
        return L2TPVOIP_ERR_UNSUPPORTED;
    }
    s->family = request->local.family;
    s->path_id = request->path_id;
    s->fd = socket(s->family == 6 ? AF_INET6 : AF_INET,
                   SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0) {
        return l2v_io_error_from_errno(errno);
    }
    set_options(s);
    int rc = bind_socket(s, request, &local);
    if (rc != 0) {
        l2v_io_socket_close(s);
        return rc;
    }
    s->wildcard = l2v_io_addr_is_any(&local);
    if (s->wildcard && request->remote.family == request->local.family) {
        find_source(request, &local);
    }
    *ret_local = local;
    return 0;
}

void l2v_io_socket_close(struct l2v_io_socket *s)
{
    if (s->fd >= 0) {
        (void)close(s->fd);
        s->fd = -1;
    }
}
