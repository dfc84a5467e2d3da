/* SPDX-License-Identifier: MIT */
/* ICMP (RFC 792, RFC 1122 §3.2.2) and ICMPv6 (RFC 4443): echo, errors in and out. */
#include <l2tpvoip/socket.h>

#include "inet_priv.h"

#define ECHO4_REPLY 0u
#define ECHO4_REQUEST 8u
#define ICMP4_TIME_EXCEEDED 11u
#define ICMP4_PARAMETER 12u
#define ICMP4_FRAGMENTATION_NEEDED 4u
#define ECHO6_REQUEST 128u
#define ECHO6_REPLY 129u
#define ICMP6_TOO_BIG 2u
#define ICMP6_TIME_EXCEEDED 3u

/* Quotes: rfc1812#4.3.2.3 (576 bytes) and rfc4443#2.4(c) (the minimum MTU). */
#define ERROR4_MAX 576u
#define ERROR6_MAX 1280u

static uint32_t checksum_start(const struct l2v_inet_rx *rx)
{
    if (rx->src.family == 6) {
        return l2v_inet_pseudo(&rx->src, &rx->dst, rx->data_len, L2V_PROTO_ICMP6);
    }
    return 0;
}

static void set_checksum(struct l2v_pkt *pkt, const l2tpvoip_addr *src, const l2tpvoip_addr *dst)
{
    uint32_t sum = src->family == 6 ? l2v_inet_pseudo(src, dst, pkt->len, L2V_PROTO_ICMP6) : 0;
    l2v_put_u16(pkt->data + 2, 0);
    l2v_put_u16(pkt->data + 2, l2v_inet_fold(l2v_inet_sum(pkt->data, pkt->len, sum)));
}

static int reply_echo(struct l2v_inet_rx *rx, const uint8_t *message)
{
    struct l2v_pkt *pkt = l2v_pkt_copy(rx->nif->inet->env, message, rx->data_len);
    if (pkt == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    bool v6 = rx->src.family == 6;
    pkt->data[0] = v6 ? ECHO6_REPLY : ECHO4_REPLY;
    set_checksum(pkt, &rx->dst, &rx->src);
    (void)l2v_inet_output(rx->nif, pkt, &rx->dst, &rx->src, v6 ? L2V_PROTO_ICMP6 : L2V_PROTO_ICMP,
                          rx->tos & 0xfcu, L2TPVOIP_CLASS_BULK);
    return 0;
}

/* --- errors that we send -------------------------------------------------------------------- */

static bool is_error_message(const struct l2v_inet_rx *rx)
{
    if (rx->data_len == 0) {
        return true;
    }
    uint8_t type = rx->ip[rx->data_at];
    if (rx->src.family == 6) {
        return rx->proto == L2V_PROTO_ICMP6 && type < 128;
    }
    return rx->proto == L2V_PROTO_ICMP && type != ECHO4_REQUEST && type != ECHO4_REPLY;
}

/* rfc1122#3.2.2, rfc4443#2.4(e),(f): never about errors; what came by multicast or from no single
 * host was refused earlier. */
void l2v_inet_icmp_error(struct l2v_inet_rx *rx, uint8_t type, uint8_t code, uint32_t param)
{
    struct l2v_inet *inet = rx->nif->inet;
    bool v6 = rx->src.family == 6;
    if (is_error_message(rx)) {
        return;
    }
    if (!l2v_rate_take(&inet->icmp_rate, inet->env->now_ns)) {
        inet->stats.icmp_limited++;
        return;
    }
    size_t room = v6 ? ERROR6_MAX - L2V_IP6_HEADER : ERROR4_MAX - L2V_IP4_HEADER;
    size_t quote = rx->ip_len < room - L2V_ICMP_HEADER ? rx->ip_len : room - L2V_ICMP_HEADER;
    struct l2v_pkt *pkt = l2v_pkt_new(inet->env, L2V_ICMP_HEADER + quote);
    uint8_t *p = pkt != NULL ? l2v_pkt_put(pkt, L2V_ICMP_HEADER + quote) : NULL;
    if (p == NULL) {
        l2v_pkt_free(pkt);
        return;
    }
    memset(p, 0, L2V_ICMP_HEADER);
    p[0] = type;
    p[1] = code;
    l2v_put_u32(p + 4, param);
    memcpy(p + L2V_ICMP_HEADER, rx->ip, quote);
    set_checksum(pkt, &rx->dst, &rx->src);
    (void)l2v_inet_output(rx->nif, pkt, &rx->dst, &rx->src, v6 ? L2V_PROTO_ICMP6 : L2V_PROTO_ICMP,
                          0, L2TPVOIP_CLASS_BULK);
}

/* --- errors that we get --------------------------------------------------------------------- */

static int error_code4(uint8_t type, uint8_t code)
{
    if (type == L2V_ICMP4_UNREACHABLE) {
        return code == L2V_ICMP4_BAD_PORT           ? L2TPVOIP_ERR_REFUSED
               : code == ICMP4_FRAGMENTATION_NEEDED ? L2TPVOIP_ERR_MSGSIZE
                                                    : L2TPVOIP_ERR_UNREACHABLE;
    }
    return type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER ? L2TPVOIP_ERR_UNREACHABLE : 0;
}

static int error_code6(uint8_t type, uint8_t code)
{
    switch (type) {
    case L2V_ICMP6_UNREACHABLE:
        return code == L2V_ICMP6_BAD_PORT ? L2TPVOIP_ERR_REFUSED : L2TPVOIP_ERR_UNREACHABLE;
    case ICMP6_TOO_BIG:
        return L2TPVOIP_ERR_MSGSIZE;
    case ICMP6_TIME_EXCEEDED:
    case L2V_ICMP6_PARAMETER:
        return L2TPVOIP_ERR_UNREACHABLE;
    default:
        return 0;
    }
}

/* The packet that the error is about: ours, and its first 8 bytes. */
struct quote {
    l2tpvoip_addr src, dst;
    uint8_t proto;
    const uint8_t *head;
};

static bool read_quote(const struct l2v_inet_rx *rx, struct l2v_reader *r, struct quote *q)
{
    memset(q, 0, sizeof *q);
    q->src.family = q->dst.family = rx->src.family;
    uint8_t first = l2v_read_u8(r);
    if (rx->src.family == 6) {
        l2v_read_skip(r, 5);
        q->proto = l2v_read_u8(r);
        l2v_read_skip(r, 1);
        l2v_read_copy(r, q->src.ip, 16);
        l2v_read_copy(r, q->dst.ip, 16);
        if (q->proto == 44) { /* our fragment: only the first tells its ports */
            q->proto = l2v_read_u8(r);
            l2v_read_skip(r, 1);
            if ((l2v_read_u16(r) & 0xfff8u) != 0) {
                return false;
            }
            l2v_read_skip(r, 4);
        }
    } else {
        size_t header_len = (first & 15u) * 4u;
        l2v_read_skip(r, 5);
        if ((l2v_read_u16(r) & 0x1fffu) != 0 || header_len < L2V_IP4_HEADER) {
            return false;
        }
        l2v_read_skip(r, 1);
        q->proto = l2v_read_u8(r);
        l2v_read_skip(r, 2);
        l2v_read_copy(r, q->src.ip, 4);
        l2v_read_copy(r, q->dst.ip, 4);
        l2v_read_skip(r, header_len - L2V_IP4_HEADER);
    }
    q->head = l2v_read_bytes(r, 8); /* rfc792: at least 64 bits of the data */
    return q->head != NULL && first >> 4 == rx->src.family;
}

static int input_error(struct l2v_inet_rx *rx, struct l2v_reader *r, int code)
{
    struct quote q;
    const l2tpvoip_addr *own = l2v_inet_if_local(rx->nif, rx->src.family);
    if (!read_quote(rx, r, &q) || !l2v_addr_equal_ip(&q.src, own)) {
        rx->nif->inet->stats.malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (q.proto == L2V_PROTO_UDP) {
        q.src.port = l2v_get_u16(q.head);
        q.dst.port = l2v_get_u16(q.head + 2);
        struct l2v_inet_udp *udp = l2v_inet_udp_find_sender(rx->nif, &q.src, &q.dst);
        if (udp != NULL) {
            if (udp->ops.error != NULL) {
                udp->ops.error(udp->user, code, &q.dst);
            }
            return 0;
        }
    } else if ((q.proto == L2V_PROTO_ICMP && q.head[0] == ECHO4_REQUEST) ||
               (q.proto == L2V_PROTO_ICMP6 && q.head[0] == ECHO6_REQUEST)) {
        l2v_inet_ping_error(rx->nif, &q.dst, l2v_get_u16(q.head + 4), l2v_get_u16(q.head + 6));
        return 0;
    }
    rx->nif->inet->stats.no_socket++;
    return L2TPVOIP_ERR_NOT_FOUND;
}

int l2v_inet_icmp_input(struct l2v_inet_rx *rx)
{
    struct l2v_inet_stats *stats = &rx->nif->inet->stats;
    struct l2v_reader r;
    const uint8_t *message = rx->ip + rx->data_at;
    bool v6 = rx->src.family == 6;
    l2v_reader_init(&r, message, rx->data_len);
    const uint8_t *head = l2v_read_bytes(&r, L2V_ICMP_HEADER);
    if (head == NULL) {
        stats->malformed++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    if (l2v_inet_fold(l2v_inet_sum(message, rx->data_len, checksum_start(rx))) != 0) {
        stats->checksum++;
        return L2TPVOIP_ERR_MALFORMED;
    }
    uint8_t type = head[0];
    if (type == (v6 ? ECHO6_REQUEST : ECHO4_REQUEST)) {
        return reply_echo(rx, message);
    }
    if (type == (v6 ? ECHO6_REPLY : ECHO4_REPLY)) {
        size_t left = l2v_reader_left(&r);
        l2v_inet_ping_reply(rx, l2v_get_u16(head + 4), l2v_get_u16(head + 6),
                            l2v_read_bytes(&r, left), left);
        return 0;
    }
    int code = v6 ? error_code6(type, head[1]) : error_code4(type, head[1]);
    if (code == 0) { /* redirects, source quench, router discovery…: not for us */
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    return input_error(rx, &r, code);
}
