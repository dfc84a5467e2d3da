/* SPDX-License-Identifier: MIT */
/* The composer: joins IKE, ESP, L2TP, PPP and the inner network into clients and servers. It
 * implements no protocol. The public handles are the structs of this header.
 *
 * Lifetimes: nothing is torn down or freed while protocol code may be on the stack. Tearing down is
 * deferred (l2v_defer) until the outermost entry call has unwound; objects are buried (l2v_bury) and
 * destroyed after that, when no callback runs. Events are posted to nodes that are embedded in the
 * objects, so posting cannot fail; lib/api delivers them. */
#ifndef L2V_TUNNEL_H
#define L2V_TUNNEL_H

#include <stdatomic.h>
#include <stdbool.h>

#include <l2tpvoip/context.h>
#include <l2tpvoip/server.h>
#include <l2tpvoip/session.h>
#include <l2tpvoip/socket.h>
#include <l2tpvoip/stats.h>
#include <l2tpvoip/tunnel.h>

#include "base_env.h"
#include "base_job.h"
#include "base_list.h"
#include "base_map.h"
#include "base_pkt.h"
#include "base_rate.h"
#include "l2v_aaa.h"
#include "l2v_crypto.h"
#include "l2v_esp.h"
#include "l2v_ike.h"
#include "l2v_inet.h"
#include "l2v_l2tp.h"
#include "l2v_ppp.h"
#include "l2v_voip.h"

#define L2V_BATCH 64u       /* datagrams of one path that are sealed ahead */
#define L2V_INPUT_CHUNK 32u /* inner datagrams per delivery, and room for them in a socket */
#define L2V_MAX_CC 4u       /* control connections of one association */

struct l2v_assoc;
struct l2v_path;

/* --- burying ------------------------------------------------------------------------------------ */
struct l2v_grave { /* also a piece of deferred work */
    struct l2v_list node;
    void (*destroy)(void *obj); /* NULL = not buried, nothing deferred */
    void *obj;
};

/* --- events ------------------------------------------------------------------------------------- */
struct l2v_event_node {
    struct l2v_list node; /* in ctx->events while pending */
    uint32_t pending;     /* bit (1 << L2TPVOIP_EVENT_…) */
    int32_t code;
    l2tpvoip_addr old_addr, new_addr;   /* inner, or of a socket's error, or where a server listens */
    l2tpvoip_addr old_outer, new_outer; /* PATH_CHANGED */
    l2tpvoip_tunnel *tunnel;
    l2tpvoip_server *server;
    l2tpvoip_session *session;
    l2tpvoip_socket *socket;
    void *const *user; /* where the object keeps its user pointer */
};

/* Something that calls the program back outside the event queue: level-1 messages, pings. */
struct l2v_delivery {
    struct l2v_list node; /* in ctx->deliveries while pending */
    void (*deliver)(void *obj);
    void (*discard)(void *obj); /* the context goes before it was delivered; may be NULL */
    void *obj;
};

struct l2v_post { /* of l2tpvoip_context_post; libc memory, for it comes from any thread */
    struct l2v_post *next;
    void (*fn)(void *arg);
    void *arg;
};

struct l2tpvoip_context {
    struct l2v_env env;
    l2tpvoip_io_ops io;
    l2tpvoip_event_fn on_event;
    void *event_user;
    uint32_t flags;
    uint32_t shard, shard_bits;
    uint32_t depth; /* entry calls on the stack */
    bool freed;     /* context_free was called inside a callback */
    struct l2v_crypto *crypto;
    struct l2v_jobs jobs;
    struct l2v_ike *ike;
    struct l2v_map spis;      /* inbound SPI -> struct l2v_child */
    struct l2v_list paths;    /* struct l2v_path */
    struct l2v_list ready;    /* sessions with packets in their class queues */
    struct l2v_list tunnels, servers;
    struct l2v_list events, deliveries, works, graves;
    l2tpvoip_session *dying;  /* a server's session whose last event was taken */
    struct l2v_pktq lent;     /* handed out by l2tpvoip_context_output */
    struct l2v_event_node event; /* JOBS_READY */
    void *no_user;
    uint32_t next_path_id;
    uint64_t next_resolve_id;
    uint64_t reported_expiry;
    int notify_fd;            /* of the context; -1 = none */
    uint32_t readable;        /* level-2 sockets with data */
    _Atomic(struct l2v_post *) posts;
    _Atomic(struct l2v_list *) finished; /* jobs that came back, linked by node.next */
    /* The owner, and each job that is out: whoever lets go last frees what jobs need. */
    _Atomic(uint32_t) holds;
    _Atomic(uint32_t) waking; /* threads inside io.wakeup for a job */
    _Atomic(bool) gone;       /* the owner has freed it: no wake-ups any more */
    l2tpvoip_context_stats stats;
    l2tpvoip_failure failure; /* of the last call that returned CONFIG */
    _Atomic(unsigned long) owner_thread; /* that is inside now; 0 = none (L2V_THREAD_CHECK) */
};

/* --- paths (tunnel_path.c) ------------------------------------------------------------------------ */
struct l2v_path {
    struct l2v_list node;
    l2tpvoip_context *ctx;
    uint32_t id;
    bool up, blocked;
    bool closing; /* pull only: dies when its last datagram was taken */
    bool natt;   /* everything on this local port carries the UDP-encapsulation framing */
    bool plain;  /* UDP 1701: L2TP in clear */
    uint16_t peer_natt_port; /* client: remote port whose datagrams carry the framing; 0 = none */
    l2tpvoip_addr local;
    l2tpvoip_tunnel *tunnel; /* owner: one of the two */
    l2tpvoip_server *server;
    struct l2v_pktq out;
    struct l2v_grave grave;
};

/* peer: whom the path is for (its port does not matter), or NULL. */
int l2v_path_open(l2tpvoip_context *ctx, const l2tpvoip_addr *local, const l2tpvoip_addr *peer,
                  const char *interface_name, struct l2v_path **ret_path);
void l2v_path_close(struct l2v_path *path);
struct l2v_path *l2v_path_find(l2tpvoip_context *ctx, uint32_t id);
void l2v_path_send(struct l2v_path *path, struct l2v_pkt *pkt); /* pkt->remote and tos are set; takes it */
void l2v_path_flush(struct l2v_path *path);
bool l2v_path_is_full(const struct l2v_path *path);
/* Moves up to max datagrams to ctx->lent and describes them; for contexts without send_batch. */
size_t l2v_path_pull(struct l2v_path *path, l2tpvoip_datagram *out, size_t max);
void l2v_path_reap(l2tpvoip_context *ctx); /* closes those whose last words were taken */
void l2v_path_free_all(l2tpvoip_context *ctx);

/* --- input (tunnel_demux.c) -------------------------------------------------------------------------- */
/* One datagram, no train. writable: dg->data may be changed and lives until the next delivery. */
void l2v_demux_datagram(l2tpvoip_context *ctx, const l2tpvoip_datagram *dg, bool writable);

/* --- associations (tunnel_assoc.c): one authenticated IKE lineage, or one plain L2TP peer -------------- */
struct l2v_child { /* an IPsec SA pair */
    struct l2v_map_node by_spi;
    struct l2v_list node; /* in assoc->children */
    struct l2v_assoc *assoc;
    struct l2v_esp_in *in;
    struct l2v_esp_out *out;
    uint32_t spi_in;
    enum l2v_suite_id suite;
    uint16_t key_bits;
    uint16_t local_port, remote_port; /* selectors; 0 = any */
    l2tpvoip_addr local_oa, remote_oa;
    uint64_t lifetime_bytes;
    bool confirmed, heard, udp_encap, rekey_asked;
    l2tpvoip_context *ctx;
    struct l2v_grave grave;
};

struct l2v_assoc_ops {
    void (*secured)(struct l2v_assoc *assoc); /* first SA is usable */
    void (*phase1)(struct l2v_assoc *assoc);  /* phase 1 is up */
    void (*cc_up)(struct l2v_assoc *assoc, struct l2v_l2tp_cc *cc);
    void (*cc_down)(struct l2v_assoc *assoc, struct l2v_l2tp_cc *cc, const l2tpvoip_failure *f);
    int (*session_request)(struct l2v_assoc *assoc, struct l2v_l2tp_session *s);
    void (*session_phase)(l2tpvoip_session *s, enum l2v_ppp_phase phase);
    void (*session_up)(l2tpvoip_session *s, bool first);
    void (*session_down)(l2tpvoip_session *s, const l2tpvoip_failure *f);
    void (*down)(struct l2v_assoc *assoc, const l2tpvoip_failure *f); /* lineage is gone */
    void (*rekeyed)(struct l2v_assoc *assoc, bool ike);
    void (*moved)(struct l2v_assoc *assoc, const l2tpvoip_addr *old_addr);
};

struct l2v_assoc {
    struct l2v_list node; /* in server->assocs */
    l2tpvoip_context *ctx;
    const struct l2v_assoc_ops *ops;
    l2tpvoip_tunnel *tunnel; /* owner: one of the two */
    l2tpvoip_server *server;
    struct l2v_ike_peer *peer; /* NULL: plain L2TP, or gone */
    bool ipsec;                /* L2TP only inside SAs: never changes */
    bool closing, dead, secured;
    struct l2v_ike_route route;
    struct l2v_path *path;
    struct l2v_list children; /* newest last */
    struct l2v_child *out;    /* what we send with */
    struct l2v_l2tp *l2tp;
    struct l2v_l2tp_cc *ccs[L2V_MAX_CC];
    struct l2v_map_node by_addr; /* in server->plain */
    uint16_t local_port, remote_port; /* inner UDP ports */
    struct l2v_list sessions;
    uint32_t path_mtu;
    uint64_t rekeys_child, rekeys_ike, last_rx_ns;
    uint64_t probed_ns; /* because media found no echo */
    struct l2v_esp_stats past; /* of SAs that are gone */
    struct l2v_timer linger;   /* plain server side: forget an idle peer */
    struct l2v_grave work;     /* of the owner */
    struct l2v_grave grave;
};

extern const struct l2v_ike_ops l2v_assoc_ike_ops; /* user = context, peer user = assoc */
int l2v_assoc_new(l2tpvoip_context *ctx, const struct l2v_assoc_ops *ops, bool ipsec,
                  const struct l2v_l2tp_config *config, struct l2v_assoc **ret_assoc);
int l2v_assoc_connect(struct l2v_assoc *assoc, struct l2v_l2tp_cc **ret_cc); /* SCCRQ */
/* Ends everything on it in order (CDN, StopCCN, Delete) and buries it. The only upcall is
 * session_down. f: why the sessions end, NULL = closed by us. Not while protocol code is on the
 * stack. */
void l2v_assoc_close(struct l2v_assoc *assoc, const l2tpvoip_failure *f);
/* The same without a word and without upcalls, at once. */
void l2v_assoc_free(struct l2v_assoc *assoc);
void l2v_assoc_update_mtu(struct l2v_assoc *assoc);
void l2v_assoc_probe(struct l2v_assoc *assoc); /* is the peer there? */
/* An ESP packet, or an L2TP message in clear, for it. */
void l2v_assoc_input_esp(struct l2v_child *child, struct l2v_pkt *pkt, const struct l2v_ike_route *route);
void l2v_assoc_input_plain(struct l2v_assoc *assoc, struct l2v_pkt *pkt);
void l2v_assoc_esp_stats(const struct l2v_assoc *assoc, struct l2v_esp_stats *ret);
/* "AES-256-GCM-16"; "none". */
void l2v_assoc_describe_esp(const struct l2v_assoc *assoc, char *text, size_t size);
/* Bytes around an inner packet now. */
void l2v_assoc_encaps(const struct l2v_assoc *assoc, struct l2v_voip_encaps *ret);

/* --- sessions (tunnel_session.c) ------------------------------------------------------------------------ */
struct l2tpvoip_session {
    struct l2v_list node;       /* in assoc->sessions */
    struct l2v_list ready_node; /* in ctx->ready */
    l2tpvoip_context *ctx;
    struct l2v_assoc *assoc; /* NULL: gone */
    l2tpvoip_tunnel *tunnel;
    l2tpvoip_server *server;
    struct l2v_l2tp_session *call; /* NULL: gone */
    struct l2v_ppp *ppp;
    struct l2v_inet *inet; /* client: own; server: the server's */
    struct l2v_inet_if *nif;
    struct l2v_voip_queue queue;
    struct l2v_list sockets;
    struct l2v_list pings;
    struct l2v_event_node event;
    struct l2v_grave work, grave;
    l2tpvoip_failure failure;
    bool up, down, ended, announced, counted;
    bool told, only_ipv6;
    struct l2v_timer ncp_timer;
    bool own_inet;
    uint32_t mtu;
    l2tpvoip_addr local4;  /* what the program was told */
    l2tpvoip_addr pool_ip; /* server: taken from the pool, or fixed */
    bool pool_fixed;
    l2tpvoip_session_stats stats;
    void *user;
};

int l2v_session_new(struct l2v_assoc *assoc, struct l2v_l2tp_session *call,
                    const struct l2v_ppp_config *config, struct l2v_inet *inet,
                    l2tpvoip_session **ret_session);
void l2v_session_start(l2tpvoip_session *s); /* the call is up: PPP begins */
/* The session is over; it ends (l2v_session_end) when the stack has unwound. Idempotent. */
void l2v_session_fail(l2tpvoip_session *s, const l2tpvoip_failure *f);
/* CDN if the call still stands, sockets lose their session, upcall session_down. Idempotent. */
void l2v_session_end(l2tpvoip_session *s);
void l2v_session_bury(l2tpvoip_session *s);
void l2v_session_free(l2tpvoip_session *s); /* at once, without a word and without upcalls */
void l2v_session_announce(l2tpvoip_session *s); /* upcall session_up */
bool l2v_session_drain(l2tpvoip_session *s); /* seals what the path can take; false = nothing done */
int l2v_session_ping(l2tpvoip_session *s, const l2tpvoip_addr *to, uint32_t payload_len,
                     uint32_t timeout_ms, l2tpvoip_ping_fn fn, void *user);
void l2v_session_end_pings(l2tpvoip_session *s, bool tell);
void l2v_session_update_mtu(l2tpvoip_session *s);
void l2v_session_get_info(const l2tpvoip_session *s, l2tpvoip_session_info *info);
void l2v_session_get_stats(const l2tpvoip_session *s, l2tpvoip_session_stats *stats);

/* --- sockets (tunnel_socket.c) ------------------------------------------------------------------------------ */
struct l2tpvoip_socket {
    struct l2v_list node; /* in session->sockets or server->sockets */
    l2tpvoip_context *ctx;
    l2tpvoip_session *session; /* NULL: the session is gone, or a server's socket */
    l2tpvoip_server *server;
    struct l2v_inet_udp *udp; /* NULL: gone */
    l2tpvoip_socket_options options;
    struct l2v_pktq queue; /* level 2 */
    struct l2v_pktq lent;  /* level 2: borrowed by the program */
    l2tpvoip_message *pending; /* level 1: L2V_INPUT_CHUNK entries */
    uint32_t n_pending;
    uint64_t drops;
    int fd; /* -1 = none */
    struct l2v_delivery delivery;
    struct l2v_event_node event;
    struct l2v_grave grave;
    bool closed;
};

int l2v_socket_new(l2tpvoip_context *ctx, l2tpvoip_session *session, l2tpvoip_server *server,
                   const l2tpvoip_socket_options *options, l2tpvoip_socket **ret_socket);
void l2v_socket_close(l2tpvoip_socket *socket); /* buried; handle is invalid */
void l2v_socket_free(l2tpvoip_socket *socket);  /* at once */
void l2v_socket_orphan(l2tpvoip_socket *socket); /* its session is gone; the handle stays */
int l2v_socket_send(l2tpvoip_socket *socket, const l2tpvoip_message *m);
struct l2v_pkt *l2v_socket_take(l2tpvoip_socket *socket); /* NULL = empty; the caller owns it */
int l2v_socket_get_fd(l2tpvoip_socket *socket, int *ret_fd);
int l2v_socket_context_fd(l2tpvoip_context *ctx, int *ret_fd);
void l2v_socket_forget_session(l2tpvoip_socket *socket, const l2tpvoip_session *session);

/* --- client (tunnel_client.c) --------------------------------------------------------------------------------- */
struct l2tpvoip_tunnel {
    struct l2v_list node;
    l2tpvoip_context *ctx;
    uint32_t phase;
    uint64_t phase_ns[L2TPVOIP_N_PHASES];
    l2tpvoip_failure failure;
    char *server_name, *interface_name, *ppp_user, *host_name;
    uint8_t *ppp_password, *l2tp_secret;
    uint32_t ppp_password_len, l2tp_secret_len;
    l2tpvoip_tunnel_options options; /* scalars; pointers point to the copies above, or are NULL */
    struct l2v_ike_config *ike_config;
    struct l2v_l2tp_config l2tp_config;
    uint64_t resolve_id; /* 0 = none outstanding */
    l2tpvoip_addr remote;
    struct l2v_path *path;
    struct l2v_assoc *assoc;
    struct l2v_l2tp_cc *cc;
    l2tpvoip_session *session;
    bool session_announced;
    bool icmp_unreachable; /* an ICMP error came back before anything else did */
    struct l2v_timer connect_timer, settle_timer, close_timer;
    struct l2v_event_node event;
    struct l2v_grave work, grave;
    void *user;
};

extern const struct l2v_assoc_ops l2v_client_ops;
int l2v_client_new(l2tpvoip_context *ctx, const l2tpvoip_tunnel_options *options,
                   l2tpvoip_tunnel **ret_tunnel);
void l2v_client_close(l2tpvoip_tunnel *t);
void l2v_client_free(l2tpvoip_tunnel *t);
void l2v_client_destroy(void *obj); /* at once, without a word */
int l2v_client_set_credentials(l2tpvoip_tunnel *t, const char *user, const uint8_t *password,
                               uint32_t len);
int l2v_client_rekey(l2tpvoip_tunnel *t, uint32_t what);
/* The deadline of the whole set-up has passed. */
void l2v_client_timed_out(l2tpvoip_tunnel *t);
void l2v_client_close_now(l2tpvoip_tunnel *t);
/* The server has had the time to install the first pair of SAs. */
void l2v_client_secured(l2tpvoip_tunnel *t);
void l2v_client_need_credentials(l2tpvoip_tunnel *t);
void l2v_client_path_error(l2tpvoip_tunnel *t, int32_t code);
void l2v_client_fail(l2tpvoip_tunnel *t, const l2tpvoip_failure *f);
void l2v_client_path_up(l2tpvoip_tunnel *t);
void l2v_client_path_down(l2tpvoip_tunnel *t, int32_t code);
void l2v_client_resolved(l2tpvoip_tunnel *t, int32_t code, const l2tpvoip_addr *addrs, size_t n);

/* --- server (tunnel_server.c) ------------------------------------------------------------------------------------ */
struct l2tpvoip_server {
    struct l2v_list node;
    l2tpvoip_context *ctx;
    l2tpvoip_failure failure;
    char *host_name, *name;
    uint8_t *l2tp_secret;
    uint32_t l2tp_secret_len;
    l2tpvoip_server_options options;
    struct l2v_ike_config *ike_config;
    struct l2v_l2tp_config l2tp_config;
    struct l2v_path *ike_path, *natt_path, *plain_path;
    struct l2v_list assocs;
    struct l2v_list ended; /* sessions whose SESSION_DOWN was not taken yet */
    struct l2v_map plain; /* address hash -> assoc, plain L2TP only */
    struct l2v_rate plain_rate; /* of new peers */
    struct l2v_timer close_timer;
    struct l2v_inet *inet;
    struct l2v_aaa_users *users;
    struct l2v_aaa_pool *pool;
    struct l2v_list sockets;
    uint32_t n_sessions, n_assocs;
    bool up, down, closing, listening, freed;
    struct l2v_event_node event;
    struct l2v_grave work, grave;
    void *user;
};

int l2v_server_new(l2tpvoip_context *ctx, const l2tpvoip_server_options *options,
                   l2tpvoip_server **ret_server);
void l2v_server_close(l2tpvoip_server *s);
void l2v_server_free(l2tpvoip_server *s);
void l2v_server_destroy(void *obj); /* at once, without a word */
void l2v_server_close_now(l2tpvoip_server *s);
void l2v_server_forget(struct l2v_assoc *assoc); /* a plain L2TP peer went idle */
void l2v_server_path_up(l2tpvoip_server *s);
void l2v_server_path_down(l2tpvoip_server *s, int32_t code);
/* A plain L2TP datagram for a server. */
void l2v_server_input_plain(l2tpvoip_server *s, struct l2v_path *path, struct l2v_pkt *pkt);
int l2v_server_get_address(l2tpvoip_session *s, const char *name, size_t name_len,
                           l2tpvoip_addr *ret_ip);
int l2v_server_accept(l2tpvoip_context *ctx, struct l2v_ike_peer *peer, void **ret_peer_user);

/* --- plumbing (tunnel_event.c, tunnel_timers.c) --------------------------------------------------------------------- */
void l2v_event_init(struct l2v_event_node *node, void *const *user);
void l2v_event_post(l2tpvoip_context *ctx, struct l2v_event_node *node, uint32_t type);
/* PATH_CHANGED; of several that coalesce the first old address counts. */
void l2v_event_post_moved(l2tpvoip_context *ctx, struct l2v_event_node *node,
                          const l2tpvoip_addr *old_addr, const l2tpvoip_addr *new_addr);
void l2v_event_cancel(struct l2v_event_node *node);
/* Takes the next event off the queue; false = none. */
bool l2v_event_take(l2tpvoip_context *ctx, l2tpvoip_event *ret);
void l2v_delivery_post(l2tpvoip_context *ctx, struct l2v_delivery *d);
void l2v_grave_init(struct l2v_grave *g);
void l2v_bury(l2tpvoip_context *ctx, struct l2v_grave *g, void (*destroy)(void *obj), void *obj);
void l2v_graves_empty(l2tpvoip_context *ctx);
/* Runs fn(obj) when the stack has unwound; once, however often it is asked for. */
void l2v_defer(l2tpvoip_context *ctx, struct l2v_grave *g, void (*fn)(void *obj), void *obj);
void l2v_defer_cancel(struct l2v_grave *g);
void l2v_works_run(l2tpvoip_context *ctx);

void l2v_client_timers_init(l2tpvoip_tunnel *t);
void l2v_client_timers_start(l2tpvoip_tunnel *t);
void l2v_client_timers_settle(l2tpvoip_tunnel *t); /* a short wait, then l2v_client_secured */
void l2v_client_timers_unreachable(l2tpvoip_tunnel *t); /* an ICMP error: wait less */
void l2v_client_timers_up(l2tpvoip_tunnel *t);      /* connected: the connect timer stops */
void l2v_client_timers_closing(l2tpvoip_tunnel *t); /* an orderly end must not take long */
void l2v_client_timers_stop(l2tpvoip_tunnel *t);
void l2v_assoc_timers_init(struct l2v_assoc *assoc);
void l2v_assoc_timers_idle(struct l2v_assoc *assoc, bool idle);
void l2v_assoc_timers_stop(struct l2v_assoc *assoc);
void l2v_assoc_timers_media(struct l2v_assoc *assoc); /* media was sent */
void l2v_session_timers_init(l2tpvoip_session *s);
void l2v_session_timers_ncp(l2tpvoip_session *s); /* one NCP is open, IPCP is not */
void l2v_session_timers_stop(l2tpvoip_session *s);
void l2v_server_timers_init(l2tpvoip_server *s);
void l2v_server_timers_closing(l2tpvoip_server *s);
void l2v_server_timers_stop(l2tpvoip_server *s);

/* Names (tunnel_text.c). */
const char *l2v_error_text(int code);
const char *l2v_error_name(int code);
const char *l2v_error_class(int code);
const char *l2v_layer_name(int32_t layer);
const char *l2v_phase_name(uint32_t phase);
const char *l2v_profile_name(uint32_t profile); /* NULL = unknown */

/* Shared by client and server. */
void l2v_tunnel_l2tp_config(struct l2v_l2tp_config *c, const l2tpvoip_l2tp_options *o,
                            const l2tpvoip_context *ctx, bool is_lns);
void l2v_tunnel_ppp_config(struct l2v_ppp_config *c, const l2tpvoip_ppp_options *o, bool server,
                           uint32_t mru);
uint32_t l2v_tunnel_default_auth(bool server, uint32_t security);
/* 0, or CONFIG with the reason in ctx->failure. */
int l2v_tunnel_check_client(l2tpvoip_context *ctx, const l2tpvoip_tunnel_options *o);
int l2v_tunnel_check_server(l2tpvoip_context *ctx, const l2tpvoip_server_options *o);
int l2v_tunnel_ike_config(l2tpvoip_context *ctx, const l2tpvoip_ipsec_options *o, bool server,
                          struct l2v_ike_config **ret_config);

#endif
