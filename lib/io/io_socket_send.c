/* SPDX-License-Identifier: MIT */
/* Sending: sendmmsg, trains by UDP_SEGMENT where the kernel has it, one datagram a message else. */
#define _GNU_SOURCE /* sendmmsg, struct in6_pktinfo */
#include "io_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

struct tx_slot {
    struct sockaddr_storage to;
    struct iovec iov;
    _Alignas(struct cmsghdr) uint8_t control[L2V_IO_CONTROL];
};

static void put_cmsg(struct msghdr *mh, int level, int type, const void *data, size_t len)
{
    struct cmsghdr *c = (struct cmsghdr *)(void *)((uint8_t *)mh->msg_control + mh->msg_controllen);
    if (mh->msg_controllen + CMSG_SPACE(len) > L2V_IO_CONTROL) {
        return;
    }
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    mh->msg_controllen += CMSG_SPACE(len);
}

static void put_source(struct msghdr *mh, const l2tpvoip_addr *local)
{
    if (local->family == 4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local->ip, 4);
        put_cmsg(mh, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else if (local->family == 6) {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, local->ip, 16);
        put_cmsg(mh, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

static void fill_message(const struct l2v_io_socket *s, const l2tpvoip_datagram *d, uint8_t *data,
                         size_t len, struct tx_slot *slot, struct mmsghdr *m)
{
    struct msghdr *mh = &m->msg_hdr;
    int tos = d->tos;
    memset(m, 0, sizeof *m);
    slot->iov.iov_base = data;
    slot->iov.iov_len = len;
    mh->msg_name = &slot->to;
    mh->msg_namelen = l2v_io_addr_to_sockaddr(&d->remote, &slot->to);
    mh->msg_iov = &slot->iov;
    mh->msg_iovlen = 1;
    mh->msg_control = slot->control;
    memset(slot->control, 0, sizeof slot->control);
    if (s->wildcard && !l2v_io_addr_is_any(&d->local)) {
        put_source(mh, &d->local);
    }
    if (s->family == 4) {
        put_cmsg(mh, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    } else {
        put_cmsg(mh, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    }
    if (d->segment_size != 0 && len > d->segment_size) {
        uint16_t size = d->segment_size;
        put_cmsg(mh, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
    }
    if (mh->msg_controllen == 0) {
        mh->msg_control = NULL;
    }
}

/* DF is a property of the socket on IPv4; it seldom changes from one datagram to the next. */
static void set_df(struct l2v_io_socket *s, bool df)
{
    int v4 = df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
    int v6 = df ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT;
    if (s->df == df) {
        return;
    }
    s->df = df;
    if (s->family == 4) {
        (void)setsockopt(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
    } else {
        (void)setsockopt(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
    }
}

/* An ICMP error that waits on the socket fails one send that has nothing to do with it. */
static bool is_stale_error(int e)
{
    return e == ECONNREFUSED || e == EHOSTUNREACH || e == ENETUNREACH || e == EHOSTDOWN;
}

/* How many messages went out, or -1 with errno. */
static int send_messages(struct l2v_io_socket *s, struct mmsghdr *m, unsigned n)
{
    int rc = sendmmsg(s->fd, m, n, 0);
    if (rc < 0 && (errno == EINTR || is_stale_error(errno))) {
        rc = sendmmsg(s->fd, m, n, 0);
    }
    return rc;
}

/* A train without help of the kernel. All or nothing is not possible: what a full queue refuses is
 * lost as on the wire. */
static int send_split(struct l2v_io_socket *s, const l2tpvoip_datagram *d)
{
    struct tx_slot slot;
    struct mmsghdr m;
    l2tpvoip_datagram one = *d;
    one.segment_size = 0;
    for (size_t at = 0; at < d->len; at += d->segment_size) {
        size_t len = d->len - at < d->segment_size ? d->len - at : d->segment_size;
        fill_message(s, &one, d->data + at, len, &slot, &m);
        if (send_messages(s, &m, 1) < 0) {
            return at == 0 ? l2v_io_error_from_errno(errno) : 0;
        }
    }
    return 0;
}

static bool must_split(const struct l2v_io_socket *s, const l2tpvoip_datagram *d)
{
    return d->segment_size != 0 && d->len > d->segment_size &&
           (!s->gso || d->len > (size_t)d->segment_size * L2V_IO_MAX_SEGMENTS);
}

/* Sends a run of datagrams that share DF; *ret_sent counts them. */
static int send_run(struct l2v_io_socket *s, const l2tpvoip_datagram *v, size_t n, size_t *ret_sent)
{
    struct tx_slot slots[L2V_IO_BATCH];
    struct mmsghdr m[L2V_IO_BATCH];
    unsigned count = n < L2V_IO_BATCH ? (unsigned)n : L2V_IO_BATCH;
    for (unsigned i = 0; i < count; i++) {
        fill_message(s, &v[i], v[i].data, v[i].len, &slots[i], &m[i]);
    }
    int rc = send_messages(s, m, count);
    if (rc >= 0) {
        *ret_sent = (size_t)rc;
        return 0;
    }
    *ret_sent = 0;
    /* A device that cannot checksum refuses trains: never again on this socket. */
    if ((errno == EIO || errno == EINVAL) && s->gso && v[0].segment_size != 0) {
        s->gso = false;
        rc = send_split(s, &v[0]);
        *ret_sent = rc == 0 ? 1 : 0;
        return rc;
    }
    return l2v_io_error_from_errno(errno);
}

static size_t run_length(const struct l2v_io_socket *s, const l2tpvoip_datagram *v, size_t n)
{
    size_t i = 1;
    while (i < n && ((v[i].flags ^ v[0].flags) & L2TPVOIP_DATAGRAM_DF) == 0 && !must_split(s, &v[i])) {
        i++;
    }
    return i;
}

int l2v_io_socket_send(struct l2v_io_socket *s, const l2tpvoip_datagram *v, size_t n,
                       size_t *ret_sent)
{
    int rc = 0;
    size_t sent = 0;
    while (sent < n && rc == 0) {
        size_t done = 0;
        set_df(s, (v[sent].flags & L2TPVOIP_DATAGRAM_DF) != 0);
        if (must_split(s, &v[sent])) {
            rc = send_split(s, &v[sent]);
            done = rc == 0 ? 1 : 0;
        } else {
            rc = send_run(s, &v[sent], run_length(s, &v[sent], n - sent), &done);
        }
        sent += done;
    }
    *ret_sent = sent;
    return rc;
}
