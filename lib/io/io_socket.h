/* SPDX-License-Identifier: MIT */
/* One UDP socket of a path: batches in and out with TOS, destination address, DF, segment trains
 * (GSO, GRO) and receive times. The only file pair of the library that knows socket headers. */
#ifndef L2V_IO_SOCKET_H
#define L2V_IO_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

#include <l2tpvoip/error.h>
#include <l2tpvoip/io.h>

#define L2V_IO_BATCH 16u          /* datagrams (or trains) per system call */
#define L2V_IO_BUFFER 65536u      /* a train that GRO put together may be this long */
#define L2V_IO_CONTROL 128u       /* bytes of control data per message */
#define L2V_IO_MAX_SEGMENTS 64u   /* kernel limit of UDP_SEGMENT */

struct l2v_io_socket {
    int fd; /* -1 = closed */
    uint8_t family;
    bool wildcard;   /* bound to "any": the source address is set per datagram */
    bool gso, gro;   /* kernel has UDP_SEGMENT, UDP_GRO */
    bool df;         /* state of the socket option */
    uint32_t path_id;
};

/* Buffers of one receive call; shared by all sockets of a backend. */
struct l2v_io_rx {
    uint8_t (*data)[L2V_IO_BUFFER];
    _Alignas(16) uint8_t control[L2V_IO_BATCH][L2V_IO_CONTROL];
    struct sockaddr_storage from[L2V_IO_BATCH];
};

int l2v_io_rx_init(struct l2v_io_rx *rx); /* 0, NOMEM */
void l2v_io_rx_clear(struct l2v_io_rx *rx);

/* Opens, binds, and sets every option that the kernel takes. 0, UNSUPPORTED (kind), EXISTS (port in
 * use), PERMISSION, IO; *ret_local is where it is bound. */
int l2v_io_socket_open(struct l2v_io_socket *s, const l2tpvoip_path_request *request,
                       l2tpvoip_addr *ret_local);
void l2v_io_socket_close(struct l2v_io_socket *s);

/* As l2tpvoip_io_ops.send_batch. */
int l2v_io_socket_send(struct l2v_io_socket *s, const l2tpvoip_datagram *v, size_t n,
                       size_t *ret_sent);
/* Fills v with up to L2V_IO_BATCH datagrams (WRITABLE, in rx, valid until the next call). now_ns is
 * the monotonic time now. 0, AGAIN, IO. */
int l2v_io_socket_recv(struct l2v_io_socket *s, struct l2v_io_rx *rx, uint64_t now_ns,
                       l2tpvoip_datagram v[L2V_IO_BATCH], size_t *ret_n);
/* Takes one ICMP error off the error queue. 0, AGAIN (none). */
int l2v_io_socket_error(struct l2v_io_socket *s, l2tpvoip_addr *ret_remote, int32_t *ret_code,
                        uint32_t *ret_mtu);

uint64_t l2v_io_now(void); /* CLOCK_MONOTONIC */
bool l2v_io_addr_from_sockaddr(const struct sockaddr *sa, l2tpvoip_addr *ret);
socklen_t l2v_io_addr_to_sockaddr(const l2tpvoip_addr *a, struct sockaddr_storage *ret);
bool l2v_io_addr_is_any(const l2tpvoip_addr *a); /* ip all zero */
int l2v_io_error_from_errno(int e);

#endif
