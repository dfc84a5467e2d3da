/* SPDX-License-Identifier: MIT */
/* Sending: one sendmmsg for a batch. Neighbours of one size to one destination become a train
 * (UDP_SEGMENT) gathered from their own buffers, so the core needs neither copy nor knowledge. */
#define _GNU_SOURCE /* sendmmsg, struct in6_pktinfo */
#include "io_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define MAX_TRAIN_BYTES 65000u /* below the largest UDP datagram, headers included */

struct tx_slot {
    struct sockaddr_storage to;
    _Alignas(struct cmsghdr) uint8_t control[L2V_IO_CONTROL];
    size_t n; /* datagrams of this message */
};

struct tx_batch {
    struct mmsghdr m[L2V_IO_BATCH];
    struct tx_slot slots[L2V_IO_BATCH];
    struct iovec iov[L2V_IO_MAX_SEGMENTS];
    unsigned n_messages;
    size_t n_iov;
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

static void fill_header(const struct l2v_io_socket *s, const l2tpvoip_datagram *d,
                        uint16_t segment_size, struct tx_slot *slot, struct msghdr *mh)
{
    int tos = d->tos;
    memset(slot->control, 0, sizeof slot->control);
    mh->msg_name = &slot->to;
    mh->msg_namelen = l2v_io_addr_to_sockaddr(&d->remote, &slot->to);
    mh->msg_control = slot->control;
    if (s->wildcard && !l2v_io_addr_is_any(&d->local)) {
        put_source(mh, &d->local);
    }
    if (s->family == 4) {
        put_cmsg(mh, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    } else {
        put_cmsg(mh, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    }
    if (segment_size != 0) {
        put_cmsg(mh, IPPROTO_UDP, UDP_SEGMENT, &segment_size, sizeof segment_size);
    }
}

/* --- DF ---------------------------------------------------------------------------------------- */

static bool wants_df(const l2tpvoip_datagram *d)
{
    return (d->flags & L2TPVOIP_DATAGRAM_DF) != 0;
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

/* --- batches ------------------------------------------------------------------------------------- */

static bool is_train(const l2tpvoip_datagram *d)
{
    return d->segment_size != 0 && d->len > d->segment_size;
}

static bool same_flow(const l2tpvoip_datagram *a, const l2tpvoip_datagram *b)
{
    return memcmp(&a->remote, &b->remote, sizeof a->remote) == 0 &&
           memcmp(&a->local, &b->local, sizeof a->local) == 0 && a->tos == b->tos;
}

/* How many datagrams from v on make one message: only the last of a train may be shorter. */
static size_t train_length(const struct l2v_io_socket *s, const l2tpvoip_datagram *v, size_t n,
                           size_t room)
{
    size_t i = 1, bytes = v[0].len;
    if (!s->gso || is_train(&v[0]) || v[0].len == 0 || v[0].len > UINT16_MAX) {
        return 1;
    }
    while (i < n && i < room && v[i - 1].len == v[0].len && v[i].len <= v[0].len && v[i].len > 0 &&
           bytes + v[i].len <= MAX_TRAIN_BYTES && !is_train(&v[i]) &&
           wants_df(&v[i]) == wants_df(&v[0]) && same_flow(&v[0], &v[i])) {
        bytes += v[i].len;
        i++;
    }
    return i;
}

static void add_message(struct tx_batch *b, const struct l2v_io_socket *s,
                        const l2tpvoip_datagram *v, size_t n)
{
    struct mmsghdr *m = &b->m[b->n_messages];
    struct tx_slot *slot = &b->slots[b->n_messages];
    uint16_t segment = is_train(&v[0]) ? v[0].segment_size : n > 1 ? (uint16_t)v[0].len : 0;
    memset(m, 0, sizeof *m);
    m->msg_hdr.msg_iov = &b->iov[b->n_iov];
    m->msg_hdr.msg_iovlen = n;
    for (size_t i = 0; i < n; i++) {
        b->iov[b->n_iov++] = (struct iovec){.iov_base = v[i].data, .iov_len = v[i].len};
    }
    fill_header(s, &v[0], segment, slot, &m->msg_hdr);
    slot->n = n;
    b->n_messages++;
}

/* A train of the caller's that the kernel cannot take whole. */
static bool must_split(const struct l2v_io_socket *s, const l2tpvoip_datagram *d)
{
    return is_train(d) && (!s->gso || d->len > (size_t)d->segment_size * L2V_IO_MAX_SEGMENTS);
}

/* Messages for as many datagrams as fit and share DF. */
static void fill_batch(struct tx_batch *b, const struct l2v_io_socket *s, const l2tpvoip_datagram *v,
                       size_t n)
{
    size_t at = 0;
    b->n_messages = 0;
    b->n_iov = 0;
    while (at < n && b->n_messages < L2V_IO_BATCH && b->n_iov < L2V_IO_MAX_SEGMENTS &&
           wants_df(&v[at]) == wants_df(&v[0]) && !must_split(s, &v[at])) {
        size_t count = train_length(s, v + at, n - at, L2V_IO_MAX_SEGMENTS - b->n_iov);
        add_message(b, s, v + at, count);
        at += count;
    }
}

/* An ICMP error that waits on the socket fails one send that has nothing to do with it. */
static bool is_stale_error(int e)
{
    return e == ECONNREFUSED || e == EHOSTUNREACH || e == ENETUNREACH || e == EHOSTDOWN;
}

/* How many messages went out, or -1 with errno. */
static int send_messages(const struct l2v_io_socket *s, struct mmsghdr *m, unsigned n)
{
    int rc = sendmmsg(s->fd, m, n, 0);
    if (rc < 0 && (errno == EINTR || is_stale_error(errno))) {
        rc = sendmmsg(s->fd, m, n, 0);
    }
    return rc;
}

/* Piece by piece, without help of the kernel. What a full queue refuses after the first piece is
 * lost as on the wire. */
static int send_pieces(const struct l2v_io_socket *s, const l2tpvoip_datagram *d, size_t piece)
{
    struct tx_batch b;
    l2tpvoip_datagram one = *d;
    one.segment_size = 0;
    for (size_t at = 0; at < d->len || at == 0; at += piece) {
        one.data = d->data + at;
        one.len = d->len - at < piece ? d->len - at : piece;
        b.n_messages = 0;
        b.n_iov = 0;
        add_message(&b, s, &one, 1);
        if (send_messages(s, b.m, 1) < 0) {
            return at == 0 ? l2v_io_error_from_errno(errno) : 0;
        }
    }
    return 0;
}

/* The kernel refused the train at v[0]: EIO when the device cannot checksum it (then never again),
 * EINVAL when its segments exceed the MTU of the route. */
static int send_without_train(struct l2v_io_socket *s, const l2tpvoip_datagram *v, size_t *ret_sent)
{
    if (errno == EIO) {
        s->gso = false;
    }
    int rc = send_pieces(s, &v[0], is_train(&v[0]) ? v[0].segment_size : v[0].len);
    *ret_sent = rc == 0 ? 1 : 0;
    return rc;
}

static int send_some(struct l2v_io_socket *s, const l2tpvoip_datagram *v, size_t n, size_t *ret_sent)
{
    struct tx_batch b;
    *ret_sent = 0;
    set_df(s, wants_df(&v[0]));
    if (must_split(s, &v[0])) {
        int rc = send_pieces(s, &v[0], v[0].segment_size);
        *ret_sent = rc == 0 ? 1 : 0;
        return rc;
    }
    fill_batch(&b, s, v, n);
    int rc = send_messages(s, b.m, b.n_messages);
    if (rc < 0) {
        bool train = b.slots[0].n > 1 || is_train(&v[0]);
        return train && (errno == EIO || errno == EINVAL) ? send_without_train(s, v, ret_sent)
                                                          : l2v_io_error_from_errno(errno);
    }
    for (int i = 0; i < rc; i++) {
        *ret_sent += b.slots[i].n;
    }
    return 0;
}

int l2v_io_socket_send(struct l2v_io_socket *s, const l2tpvoip_datagram *v, size_t n,
                       size_t *ret_sent)
{
    int rc = 0;
    size_t sent = 0;
    while (sent < n && rc == 0) {
        size_t done = 0;
        rc = send_some(s, v + sent, n - sent, &done);
        sent += done;
    }
    *ret_sent = sent;
    return rc;
}
