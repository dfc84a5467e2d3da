/* SPDX-License-Identifier: MIT */
/* Receiving: recvmmsg with GRO, TOS, destination address and kernel receive times; ICMP errors. */
#define _GNU_SOURCE /* recvmmsg, struct in6_pktinfo */
#include "io_socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define ICMP6_TOO_BIG 2
#define OLDEST_NS UINT64_C(1000000000) /* a receive time before that is a clock step */

int l2v_io_rx_init(struct l2v_io_rx *rx)
{
    memset(rx, 0, sizeof *rx);
    rx->data = malloc(sizeof *rx->data * L2V_IO_BATCH);
    return rx->data != NULL ? 0 : L2TPVOIP_ERR_NOMEM;
}

void l2v_io_rx_clear(struct l2v_io_rx *rx)
{
    free(rx->data);
    rx->data = NULL;
}

/* The kernel stamps with the wall clock; the context counts on the monotonic one. */
static uint64_t to_monotonic(const struct timespec *ts, uint64_t now_ns)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    int64_t age = (int64_t)(wall.tv_sec - ts->tv_sec) * 1000000000 + (wall.tv_nsec - ts->tv_nsec);
    if (age < 0 || (uint64_t)age > OLDEST_NS || (uint64_t)age > now_ns) {
        return now_ns;
    }
    return now_ns - (uint64_t)age;
}

static int get_int(const struct cmsghdr *c)
{
    int value = 0;
    size_t len = c->cmsg_len - CMSG_LEN(0);
    if (len == 1) { /* IP_TOS comes as one byte */
        return *CMSG_DATA(c);
    }
    memcpy(&value, CMSG_DATA(c), len < sizeof value ? len : sizeof value);
    return value;
}

static void read_cmsg(const struct cmsghdr *c, uint64_t now_ns, l2tpvoip_datagram *d)
{
    bool tos4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS;
    bool tos6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS;
    if (tos4 || tos6) {
        d->tos = (uint8_t)get_int(c);
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        d->local.family = 4;
        memcpy(d->local.ip, &info.ipi_addr, 4);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        d->local.family = 6;
        memcpy(d->local.ip, &info.ipi6_addr, 16);
    } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
        d->segment_size = (uint16_t)get_int(c);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec ts;
        memcpy(&ts, CMSG_DATA(c), sizeof ts);
        d->time_ns = to_monotonic(&ts, now_ns);
    }
}

static void read_message(const struct l2v_io_socket *s, struct mmsghdr *m, uint64_t now_ns,
                         l2tpvoip_datagram *d)
{
    struct msghdr *mh = &m->msg_hdr;
    memset(d, 0, sizeof *d);
    d->data = mh->msg_iov->iov_base;
    d->len = m->msg_len;
    d->path_id = s->path_id;
    d->time_ns = now_ns;
    d->flags = L2TPVOIP_DATAGRAM_WRITABLE;
    if ((mh->msg_flags & MSG_TRUNC) != 0) {
        d->flags |= L2TPVOIP_DATAGRAM_TRUNCATED;
    }
    (void)l2v_io_addr_from_sockaddr(mh->msg_name, &d->remote);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
        read_cmsg(c, now_ns, d);
    }
    if (d->segment_size >= d->len) {
        d->segment_size = 0;
    }
}

int l2v_io_socket_recv(struct l2v_io_socket *s, struct l2v_io_rx *rx, uint64_t now_ns,
                       l2tpvoip_datagram v[L2V_IO_BATCH], size_t *ret_n)
{
    struct mmsghdr m[L2V_IO_BATCH];
    struct iovec iov[L2V_IO_BATCH];
    memset(m, 0, sizeof m);
    for (size_t i = 0; i < L2V_IO_BATCH; i++) {
        iov[i].iov_base = rx->data[i];
        iov[i].iov_len = L2V_IO_BUFFER;
        m[i].msg_hdr.msg_name = &rx->from[i];
        m[i].msg_hdr.msg_namelen = sizeof rx->from[i];
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
        m[i].msg_hdr.msg_control = rx->control[i];
        m[i].msg_hdr.msg_controllen = L2V_IO_CONTROL;
    }
    int n = recvmmsg(s->fd, m, L2V_IO_BATCH, MSG_DONTWAIT, NULL);
    if (n < 0) {
        /* Anything but a dead descriptor (an ICMP error that was queued, a signal) passes. */
        return errno == EBADF || errno == ENOTSOCK ? L2TPVOIP_ERR_IO : L2TPVOIP_ERR_AGAIN;
    }
    for (int i = 0; i < n; i++) {
        read_message(s, &m[i], now_ns, &v[i]);
    }
    *ret_n = (size_t)n;
    return n > 0 ? 0 : L2TPVOIP_ERR_AGAIN;
}

static void read_icmp(const struct sock_extended_err *e, int32_t *ret_code, uint32_t *ret_mtu)
{
    bool too_big = (e->ee_origin == SO_EE_ORIGIN_ICMP && e->ee_type == ICMP_DEST_UNREACH &&
                    e->ee_code == ICMP_FRAG_NEEDED) ||
                   (e->ee_origin == SO_EE_ORIGIN_ICMP6 && e->ee_type == ICMP6_TOO_BIG) ||
                   e->ee_errno == EMSGSIZE;
    *ret_mtu = too_big ? e->ee_info : 0;
    *ret_code = too_big ? L2TPVOIP_ERR_MSGSIZE : l2v_io_error_from_errno((int)e->ee_errno);
}

int l2v_io_socket_error(struct l2v_io_socket *s, l2tpvoip_addr *ret_remote, int32_t *ret_code,
                        uint32_t *ret_mtu)
{
    uint8_t payload[64];
    _Alignas(struct cmsghdr) uint8_t control[512];
    struct sockaddr_storage from;
    struct iovec iov = {payload, sizeof payload};
    struct msghdr mh = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov,
                        .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(s->fd, &mh, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
        return L2TPVOIP_ERR_AGAIN;
    }
    *ret_code = L2TPVOIP_ERR_IO;
    *ret_mtu = 0;
    memset(ret_remote, 0, sizeof *ret_remote);
    if (mh.msg_namelen > 0) {
        (void)l2v_io_addr_from_sockaddr((struct sockaddr *)&from, ret_remote);
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c != NULL; c = CMSG_NXTHDR(&mh, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (v4 || v6) {
            struct sock_extended_err e;
            memcpy(&e, CMSG_DATA(c), sizeof e);
            read_icmp(&e, ret_code, ret_mtu);
        }
    }
    return 0;
}
