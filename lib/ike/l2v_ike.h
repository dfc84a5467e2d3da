/* SPDX-License-Identifier: MIT */
/* IKE (v1: RFC 2407-2409, 3706, 3947): the interface of the module.
 *
 * An engine (struct l2v_ike) serves all SAs of a context, both roles. A peer (struct l2v_ike_peer)
 * is an authenticated lineage: every ISAKMP SA and IPsec SA with one remote party, through rekeying,
 * re-authentication and changes of address. The tunnel layer keeps its association at peer->user. */
#ifndef L2V_IKE_H
#define L2V_IKE_H

#include <l2tpvoip/ipsec.h>

#include "base_env.h"
#include "base_job.h"
#include "base_pkt.h"
#include "l2v_crypto.h"

struct l2v_ike;
struct l2v_ike_peer;
struct l2v_ike_config; /* profile, proposals, keys; made from public options, shared, refcounted */

/* server: responder policy. Checks everything; *f says what is wrong. 0, CONFIG, NOMEM. */
int l2v_ike_config_new(struct l2v_env *env, struct l2v_crypto *crypto,
                       const l2tpvoip_ipsec_options *options, bool server,
                       struct l2v_ike_config **ret_config, l2tpvoip_failure *f);
void l2v_ike_config_unref(struct l2v_ike_config *config); /* NULL is fine; wipes */

/* An IPsec SA pair that was negotiated (transport mode). */
struct l2v_ike_child {
    uint32_t spi_in, spi_out; /* host order */
    enum l2v_suite_id suite;
    uint8_t enc_in[64], enc_out[64];   /* with salt; wiped by the engine after child_up */
    uint8_t auth_in[64], auth_out[64];
    uint8_t enc_len, auth_len;
    bool esn;
    bool udp_encap;
    bool initiator;     /* we started the quick mode */
    bool is_rekey;      /* replaces an older pair of this peer */
    bool confirmed;     /* false: responder after QM2; first inbound ESP or QM3 confirms */
    uint16_t local_port, remote_port; /* selectors, UDP; 0 = any */
    l2tpvoip_addr local_oa, remote_oa; /* original addresses (NAT-OA, or as seen) for checksums */
    uint32_t replay_window;
    uint64_t lifetime_bytes; /* 0 = none */
};

struct l2v_ike_route { /* how to reach a peer */
    uint32_t path_id;
    l2tpvoip_addr local, remote;
    bool marker; /* UDP 4500 framing: 4 zero bytes in front of IKE */
};

struct l2v_ike_ops {
    /* A whole IKE message, without marker; takes pkt. */
    void (*transmit)(void *user, const struct l2v_ike_route *route, struct l2v_pkt *pkt);
    /* A NAT keepalive (one byte FF, RFC 3948 section 4) to the peer. */
    void (*keepalive)(void *user, const struct l2v_ike_route *route);
    /* A new SPI for an inbound SA, unique in the context (carries the shard). 0, CRYPTO. */
    int (*new_spi)(void *user, uint32_t *ret_spi);
    void (*free_spi)(void *user, uint32_t spi); /* was never installed */
    /* Responder: phase 1 of an unknown peer is authenticated; sets *ret_peer_user. 0, LIMIT, NOMEM. */
    int (*peer_accept)(void *user, struct l2v_ike_peer *peer, void **ret_peer_user);
    /* Phase 1 is up (first time, or again after re-authentication: again = true). */
    void (*peer_up)(void *user, struct l2v_ike_peer *peer, bool again);
    /* The last call; the peer is freed afterwards. f->code 0 = closed by us. */
    void (*peer_down)(void *user, struct l2v_ike_peer *peer, const l2tpvoip_failure *f);
    /* Address or port of the peer changed. */
    void (*peer_moved)(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_route *route);
    /* Install both directions. Inbound is live at once; outbound is used now if confirmed, else after
     * child_confirmed. 0, or an error: the SA is deleted. */
    int (*child_up)(void *user, struct l2v_ike_peer *peer, const struct l2v_ike_child *child);
    /* The pair is agreed on both sides: use it for sending (make before break). */
    void (*child_confirmed)(void *user, struct l2v_ike_peer *peer, uint32_t spi_in);
    /* Remove both directions (replaced, deleted by the peer, expired). When the last is gone and no new
     * one is coming, peer_down or a new negotiation follows. */
    void (*child_down)(void *user, struct l2v_ike_peer *peer, uint32_t spi_in);
};

int l2v_ike_new(struct l2v_env *env, struct l2v_crypto *crypto, struct l2v_jobs *jobs,
                const struct l2v_ike_ops *ops, void *user, struct l2v_ike **ret_ike);
void l2v_ike_free(struct l2v_ike *ike); /* without callbacks */
void l2v_ike_set_shard(struct l2v_ike *ike, uint32_t shard, uint32_t bits);

/* Responder policy; NULL stops accepting. half_open: ring entries. Holds a reference. */
int l2v_ike_listen(struct l2v_ike *ike, struct l2v_ike_config *config, uint32_t half_open);

/* Initiator: phase 1, then one quick mode for UDP local_port -> remote_port. Holds a reference. */
int l2v_ike_connect(struct l2v_ike *ike, struct l2v_ike_config *config,
                    const struct l2v_ike_route *route, uint16_t local_port, uint16_t remote_port,
                    void *peer_user, struct l2v_ike_peer **ret_peer);
/* Sends Deletes and forgets the peer; peer_down is not called. */
void l2v_ike_peer_close(struct l2v_ike_peer *peer);

/* A whole message without marker. route: where it came from. inject: same path, now reversed.
 * Does not take pkt. 0, MALFORMED, NOT_FOUND, LIMIT (rate), INTEGRITY… (all only for counting). */
int l2v_ike_input(struct l2v_ike *ike, const struct l2v_ike_route *route, struct l2v_pkt *pkt);

/* What the data path reports. */
void l2v_ike_peer_heard(struct l2v_ike_peer *peer);  /* authenticated traffic arrived: DPD, keepalive */
void l2v_ike_peer_sent(struct l2v_ike_peer *peer);   /* outbound ESP: keepalive not needed */
void l2v_ike_child_used(struct l2v_ike_peer *peer, uint32_t spi_in); /* first inbound ESP on it */
void l2v_ike_child_rekey(struct l2v_ike_peer *peer, uint32_t spi_in); /* volume or sequence watermark */
void l2v_ike_peer_rekey(struct l2v_ike_peer *peer); /* new phase 1 now */
/* ESP says that the peer moved (newest authenticated packet, peer behind NAT). */
void l2v_ike_peer_move(struct l2v_ike_peer *peer, const struct l2v_ike_route *route);
void l2v_ike_peer_probe(struct l2v_ike_peer *peer); /* DPD now */

void *l2v_ike_peer_get_user(const struct l2v_ike_peer *peer);
const struct l2v_ike_route *l2v_ike_peer_get_route(const struct l2v_ike_peer *peer);
uint32_t l2v_ike_peer_get_nat(const struct l2v_ike_peer *peer); /* L2TPVOIP_NAT_… */
/* "IKEv1 AES-256/SHA2-256/MODP-2048" */
void l2v_ike_peer_describe(const struct l2v_ike_peer *peer, char *text, size_t size);

/* What stands in the way of phase 1 so far, for whoever loses patience before the engine does.
 * Leaves *f alone when it knows no better than "no answer". */
void l2v_ike_peer_explain(const struct l2v_ike_peer *peer, l2tpvoip_failure *f);

struct l2v_ike_stats {
    uint64_t started, done, failed, half_open, ring_overwrites, rate_limited, retransmits, replays,
        rx_bad, cookies_bad;
};
const struct l2v_ike_stats *l2v_ike_get_stats(const struct l2v_ike *ike);

#endif
