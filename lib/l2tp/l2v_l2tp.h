/* SPDX-License-Identifier: MIT */
/* L2TP, RFC 2661 (v2): the interface of the module.
 *
 * An endpoint is the scope of tunnel ids: one per association (see lib/tunnel), or one per plain
 * L2TP path. It finds or makes control connections (cc); a cc holds sessions (calls). Packets that
 * it passes up start at the PPP frame; packets that it passes down start at the L2TP header. */
#ifndef L2V_L2TP_H
#define L2V_L2TP_H

#include <l2tpvoip/tunnel.h>

#include "base_env.h"
#include "base_pkt.h"
#include "l2v_crypto.h"

struct l2v_l2tp;         /* endpoint */
struct l2v_l2tp_cc;      /* control connection */
struct l2v_l2tp_session; /* call */

/* Copies of what the embedder set, shared by endpoints; valid as long as they live. */
struct l2v_l2tp_config {
    const char *host_name;
    const uint8_t *secret; /* tunnel authentication; NULL = none */
    size_t secret_len;
    uint32_t hello_interval_ms;
    uint32_t receive_window;
    uint32_t retransmit_ms;
    uint32_t retransmit_cap_ms; /* 8000 */
    uint32_t retransmit_tries;
    uint32_t max_cc;       /* per endpoint; default 4 */
    uint32_t max_sessions; /* per cc; default 64 */
    bool hide_avps;
    bool length_bit;
    bool is_lns;    /* accepts SCCRQ and ICRQ */
    uint16_t shard; /* or-ed into assigned ids, top shard_bits bits */
    uint16_t shard_bits;
};

struct l2v_l2tp_ops {
    /* An L2TP message for the peer, to its UDP port (0 = unknown, use the default). Takes pkt. */
    void (*transmit)(void *user, struct l2v_pkt *pkt, uint16_t peer_port, bool control);
    void (*cc_up)(void *user, struct l2v_l2tp_cc *cc);
    /* The last call for cc; it is freed afterwards. f->code 0: closed by us. */
    void (*cc_down)(void *user, struct l2v_l2tp_cc *cc, const l2tpvoip_failure *f);
    /* LNS: an incoming call; 0 = accept, else a CDN result code (RFC 2661 §4.4.2) to refuse it. */
    int (*session_request)(void *user, struct l2v_l2tp_session *s);
    void (*session_up)(void *user, struct l2v_l2tp_session *s);
    /* The last call for s; it is freed afterwards. */
    void (*session_down)(void *user, struct l2v_l2tp_session *s, const l2tpvoip_failure *f);
    /* A PPP frame (address and control field included if sent). Does not take pkt: it lives until
     * the call returns, l2v_pkt_ref keeps it. */
    void (*session_data)(void *user, struct l2v_l2tp_session *s, struct l2v_pkt *pkt);
};

int l2v_l2tp_new(struct l2v_env *env, struct l2v_crypto *crypto,
                 const struct l2v_l2tp_config *config, const struct l2v_l2tp_ops *ops, void *user,
                 struct l2v_l2tp **ret_l2tp);
/* Frees all without a word and without callbacks. Legal in callbacks (then deferred by the caller).
 */
void l2v_l2tp_free(struct l2v_l2tp *l2tp);

/* A message from the UDP payload on. inside_sa: it came through an IPsec SA of this association
 * (a rebinding of the port is followed then, rfc2661#8.1). Does not take pkt. 0, MALFORMED,
 * NOT_FOUND (no such tunnel or session here), REFUSED (not an LNS, limits). */
int l2v_l2tp_input(struct l2v_l2tp *l2tp, struct l2v_pkt *pkt, uint16_t peer_port, bool inside_sa);

/* LAC: opens a control connection (SCCRQ). 0, NOMEM, LIMIT, CRYPTO. */
int l2v_l2tp_connect(struct l2v_l2tp *l2tp, struct l2v_l2tp_cc **ret_cc);
/* StopCCN with result 6 (shutdown) or another; lingers a full cycle, cc_down at once. */
void l2v_l2tp_cc_close(struct l2v_l2tp_cc *cc, unsigned result);
/* LAC: places an incoming call (ICRQ) on an established cc. 0, STATE, NOMEM, LIMIT. */
int l2v_l2tp_call(struct l2v_l2tp_cc *cc, struct l2v_l2tp_session **ret_session);
/* CDN with a result code; session_down is called before it returns. */
void l2v_l2tp_session_close(struct l2v_l2tp_session *s, unsigned result);
/* Puts the data header in front of a PPP frame and transmits it. Takes pkt. */
int l2v_l2tp_session_output(struct l2v_l2tp_session *s, struct l2v_pkt *pkt);
/* Bytes that session_output adds now. */
size_t l2v_l2tp_session_overhead(const struct l2v_l2tp_session *s);

void l2v_l2tp_session_set_user(struct l2v_l2tp_session *s, void *user);
void *l2v_l2tp_session_get_user(const struct l2v_l2tp_session *s);
struct l2v_l2tp_cc *l2v_l2tp_session_get_cc(const struct l2v_l2tp_session *s);
uint16_t l2v_l2tp_session_get_id(const struct l2v_l2tp_session *s);
uint16_t l2v_l2tp_cc_get_id(const struct l2v_l2tp_cc *cc);
const char *l2v_l2tp_cc_get_peer_name(const struct l2v_l2tp_cc *cc); /* Host Name AVP, printable */
unsigned l2v_l2tp_count_cc(const struct l2v_l2tp *l2tp);
uint64_t l2v_l2tp_hello_rtt_ns(const struct l2v_l2tp_cc *cc); /* 0 = none yet */

/* --- UDP 1701 header inside ESP transport mode (l2tp_udp.c) ---------------------------------- */
/* Pushes a UDP header. IPv4: checksum 0 (RFC 3948 §3.1.2 allows it); IPv6: computed over the
 * original addresses (NAT-OA) given. 0, MSGSIZE. */
int l2v_l2tp_udp_push(struct l2v_pkt *pkt, uint16_t local_port, uint16_t remote_port,
                      const l2tpvoip_addr *local_oa, const l2tpvoip_addr *remote_oa);
/* Checks and pulls it; trims to the UDP length. The checksum is not verified (integrity is ESP's;
 * NAT may have changed the addresses under it, RFC 3948 §3.1.2). 0, MALFORMED. */
int l2v_l2tp_udp_pull(struct l2v_pkt *pkt, uint16_t *ret_peer_port, uint16_t *ret_own_port);
#define L2V_L2TP_PORT 1701u

#endif
