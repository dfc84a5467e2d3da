/* SPDX-License-Identifier: MIT */
/* Inside of the IKE engine: objects and what its files call of each other.
 *
 * l2v_ike has peers; a peer (authenticated lineage) has ISAKMP SAs and IPsec SA pairs; an ISAKMP SA
 * has quick modes. Nothing is freed while the engine is entered: what has ended is marked dead, put
 * onto the grave and reaped by the outermost l2v_ike_leave, so that callbacks may close anything.
 */
#ifndef L2V_IKE_ENGINE_H
#define L2V_IKE_ENGINE_H

#include "base_fsm.h"
#include "base_list.h"
#include "base_map.h"
#include "base_rate.h"
#include "ike1_crypt.h"
#include "ike1_frag.h"
#include "ike1_natt.h"
#include "ike_config.h"

#define L2V_IKE_BUF 6144u         /* largest message that we build */
#define L2V_IKE_MAX_UNAUTH 512u   /* ISAKMP SAs of responders before message 5 */
#define L2V_IKE_MAX_UNAUTH_IP 32u /* of one address */
#define L2V_IKE_MAX_PEERS 65536u
#define L2V_IKE_MAX_SAS 8u       /* of one peer */
#define L2V_IKE_MAX_QMS 16u      /* of one ISAKMP SA, lingering ones included */
#define L2V_IKE_MAX_CHILDREN 32u /* of one peer */
#define L2V_IKE_MAX_MIDS 65536u  /* message ids that one ISAKMP SA may see */
#define L2V_IKE_MAX_ANSWERS 64u  /* copies of one answer that duplicates may draw */
#define L2V_IKE_L2TP_PORT 1701u  /* what a server protects */
#define L2V_IKE_NONCE_LEN 32u

/* --- one message that was sent, its retransmission, and the message that it answers -------------
 */
struct l2v_ike_flight {
    struct l2v_timer timer;
    uint8_t *msg; /* NULL = nothing to repeat */
    size_t len;
    uint64_t delay_ns;
    unsigned sent, max; /* transmissions so far and allowed */
    uint64_t in_hash;   /* of the message that was accepted last in this exchange */
    bool in_valid;
    unsigned answered;
};

/* --- Diffie-Hellman ------------------------------------------------------------------------------
 */
struct l2v_ike_dh_job;
struct l2v_ike_dh {
    struct l2v_ike *ike;
    struct l2v_ike_dh_job *job; /* under way */
    struct l2v_dh *key;
    unsigned group;
    bool have_secret;
    bool failed; /* the last job; bad_public tells why */
    bool bad_public;
    uint8_t secret[L2V_DH_MAX_SECRET];
    size_t secret_len;
    void (*done)(void *owner); /* a job came back */
    void *owner;
};

/* --- main mode
 * ------------------------------------------------------------------------------------- */
enum l2v_ike1_mm_state { /* the number is that of the message sent or awaited last: rfc2409#5.4 */
                         L2V_MM_I1 = 0,   /* initiator: message 1 sent */
                         L2V_MM_I2_KEY,   /* message 2 accepted, our key pair is being made */
                         L2V_MM_I3,       /* message 3 sent */
                         L2V_MM_I4_KEY,   /* message 4 accepted, the secret is being computed */
                         L2V_MM_I5,       /* message 5 sent */
                         L2V_MM_R3_KEY,   /* responder: message 3 accepted, key pair and secret are
                                             being computed */
                         L2V_MM_R4,       /* message 4 sent */
                         L2V_MM_UP,       /* the ISAKMP SA is established */
                         L2V_MM_DIAGNOSE, /* initiator: wide offer sent, never followed by message 3
                                           */
                         L2V_MM_DEAD,
                         L2V_MM_N_STATES
};
enum l2v_ike1_mm_event {
    L2V_MM_EV_M2 = 0,
    L2V_MM_EV_M4,
    L2V_MM_EV_M5,
    L2V_MM_EV_M6,
    L2V_MM_EV_KEY,    /* key pair made */
    L2V_MM_EV_SECRET, /* secret computed */
    L2V_MM_EV_SILENCE,
    L2V_MM_EV_FAIL,
    L2V_MM_N_EVENTS
};

struct l2v_ike1_mm { /* until the SA is up; wiped */
    uint8_t *sai;    /* body of the initiator's SA payload */
    size_t sai_len;
    uint8_t ni[L2V_IKE1_NONCE_MAX], nr[L2V_IKE1_NONCE_MAX];
    size_t ni_len, nr_len;
    uint8_t gxi[L2V_DH_MAX_PUBLIC], gxr[L2V_DH_MAX_PUBLIC];
    size_t gxi_len, gxr_len;
    struct l2v_ike_dh dh;
    uint8_t parrot[L2V_HASH_MAX]; /* the initiator's first NAT-D */
    uint16_t parrot_len;
    struct l2v_ike1_chain next; /* behind message 5 or 6 */
    unsigned m5_failures;
    uint64_t m5_bad; /* hash of the last one that did not open */
    struct l2v_rate m5_rate;
    bool initial_contact;
    bool heard;           /* anything at all came from the peer */
    bool garbage;         /* message 6 that did not decipher */
    struct l2v_ike_id id; /* of the peer, once it is proved */
    unsigned notify;      /* unauthenticated hint */
};

struct l2v_ike_mids { /* message ids that were used: open addressing; 0 = empty slot */
    uint32_t *slots;
    size_t n_slots, count;
};

struct l2v_ike_sa {
    struct l2v_list node;  /* of peer->sas, or ike->unauth */
    struct l2v_list grave; /* of ike->grave */
    struct l2v_map_node by_cookie;
    struct l2v_ike *ike;
    struct l2v_ike_peer *peer; /* NULL: responder before message 5 */
    struct l2v_ike_config *config;
    bool initiator, dead, retired, reauth_started;
    uint8_t state; /* enum l2v_ike1_mm_state */
    uint8_t icookie[8], rcookie[8];
    struct l2v_ike_route route;
    struct l2v_ike1_p1 chosen;
    unsigned psk;
    struct l2v_ike_vids vids;
    enum l2v_ike1_dialect dialect;
    uint32_t nat; /* L2TPVOIP_NAT_… */
    struct l2v_ike1_mm *mm;
    struct l2v_ike1_keys keys;
    struct l2v_ike1_chain chain; /* last block of phase 1 */
    struct l2v_ike_flight flight;
    struct l2v_ike1_frag_set *frags;
    uint16_t frag_id;
    uint64_t frag_hash; /* of the message that fragments made up last */
    uint32_t frag_mid;
    struct l2v_ike_mids mids;
    struct l2v_list qms;
    unsigned n_qms;
    struct l2v_timer soft, hard;
    uint64_t up_ns;
    uint32_t life_s;
    uint32_t dpd_in_seq; /* of the peer's R-U-THERE */
    bool dpd_in_valid;
};

/* --- quick mode
 * ------------------------------------------------------------------------------------ */
enum l2v_ike1_qm_state {
    L2V_QM_I0_KEY = 0, /* initiator with PFS: key pair is being made */
    L2V_QM_I1,         /* message 1 sent */
    L2V_QM_I2_KEY,     /* message 2 accepted, the secret is being computed */
    L2V_QM_I3,         /* message 3 sent: only answers duplicates */
    L2V_QM_R1_KEY,     /* responder: message 1 accepted, key pair and secret are being computed */
    L2V_QM_R2,         /* message 2 sent: awaits message 3 or ESP */
    L2V_QM_R3,         /* confirmed: only eats duplicates */
    L2V_QM_DEAD,
    L2V_QM_N_STATES
};
enum l2v_ike1_qm_event {
    L2V_QM_EV_KEY = 0,
    L2V_QM_EV_QM2,
    L2V_QM_EV_QM3,
    L2V_QM_EV_SECRET,
    L2V_QM_EV_SILENCE,
    L2V_QM_EV_FAIL,
    L2V_QM_N_EVENTS
};

struct l2v_ike_qm {
    struct l2v_list node; /* of sa->qms */
    struct l2v_list grave;
    struct l2v_ike_sa *sa;
    bool initiator, dead;
    uint8_t state;
    uint32_t message_id;
    struct l2v_ike1_chain chain;
    struct l2v_ike_flight flight;
    struct l2v_timer linger;
    struct l2v_ike1_p2 chosen;
    uint32_t spi_in;
    bool spi_owned;    /* came from new_spi and was not installed */
    uint32_t replaces; /* spi_in of the pair that is renewed; 0 = none */
    uint16_t local_port, remote_port;
    uint8_t ni[L2V_IKE1_NONCE_MAX], nr[L2V_IKE1_NONCE_MAX];
    size_t ni_len, nr_len;
    struct l2v_ike_dh dh;
    uint8_t *idci, *idcr; /* bodies of the ID payloads, as the initiator wrote them; NULL = none */
    size_t idci_len, idcr_len;
    bool commit;
    bool send_oa; /* responder: the peer sent NAT-OA */
    l2tpvoip_addr local_oa, remote_oa;
    uint32_t life_s, life_kb;
    unsigned notify; /* authenticated refusal */
};

/* --- IPsec SA pairs
 * --------------------------------------------------------------------------------- */
struct l2v_ike_csa {
    struct l2v_list node; /* of peer->children */
    struct l2v_ike_peer *peer;
    uint32_t spi_in, spi_out;
    uint16_t local_port, remote_port;
    enum l2v_suite_id suite;
    bool initiator, confirmed, rekeying;
    bool replaced;    /* a newer pair is in use */
    bool delete_sent; /* or received: only lingers for what is under way */
    uint64_t up_ns;
    struct l2v_timer soft, hard;
    uint8_t *id_local, *id_remote; /* selectors as they were agreed, for our rekeying; or NULL */
    size_t id_local_len, id_remote_len;
};

struct l2v_ike_peer {
    struct l2v_list node; /* of ike->peers */
    struct l2v_list grave;
    struct l2v_map_node by_ip;
    struct l2v_ike *ike;
    struct l2v_ike_config *config;
    void *user;
    bool initiator; /* we made the connection: l2v_ike_connect */
    bool dead, up, accepted;
    bool want_child; /* initiator: a first quick mode is due */
    bool diagnosed;  /* the wide offer was answered: one more main mode, no second diagnosis */
    uint16_t local_port, remote_port;
    struct l2v_ike_route route;
    struct l2v_ike_id id;
    unsigned psk;
    uint32_t nat;
    struct l2v_ike1_p1 chosen;
    struct l2v_ike_vids vids;
    struct l2v_list sas; /* oldest first */
    unsigned n_sas;
    struct l2v_list children; /* oldest first */
    unsigned n_children;
    struct l2v_timer dpd, keepalive, idle, retry;
    uint64_t heard_ns, sent_ns;
    uint64_t probe_ns; /* first unanswered R-U-THERE; 0 = none */
    uint64_t probe_delay_ns;
    uint64_t probe_limit_ns; /* how long it may stay unanswered */
    uint32_t dpd_seq;        /* of our last R-U-THERE */
    uint32_t dpd_oldest;     /* first that is not acknowledged */
    l2tpvoip_failure last_failure;
};

struct l2v_ike_ring; /* half-open records */

struct l2v_ike {
    struct l2v_env *env;
    struct l2v_crypto *crypto;
    struct l2v_jobs *jobs;
    struct l2v_ike_ops ops;
    void *user;
    unsigned busy;
    bool silent;  /* being freed: no callbacks */
    bool raw_esp; /* protocol 50 is possible; else ESP always runs in UDP */
    uint32_t shard, shard_bits;
    struct l2v_map cookies; /* ISAKMP SAs by our own cookie */
    struct l2v_map ips;     /* peers by address */
    struct l2v_list peers;
    unsigned n_peers;
    struct l2v_list unauth; /* responders before message 5, oldest first */
    unsigned n_unauth;
    struct l2v_list dead_sas, dead_qms, dead_peers;
    struct l2v_ike_config *listen;
    struct l2v_ike_ring *ring;
    struct l2v_rate dh_rate;     /* responder's public-key work */
    struct l2v_rate notify_rate; /* unauthenticated notifies that we send */
    struct l2v_rate log_rate;    /* complaints about strangers */
    struct l2v_ike_stats stats;
};

/* --- ike.c
 * ---------------------------------------------------------------------------------------- */
void l2v_ike_enter(struct l2v_ike *ike);
void l2v_ike_leave(struct l2v_ike *ike);
const char *l2v_ike_error_words(int rc); /* for messages; never NULL */
/* Whether ESP may run as IP protocol 50; default false. */
void l2v_ike_set_raw_esp(struct l2v_ike *ike, bool possible);
/* 0, NOMEM (counts as a lost datagram). */
int l2v_ike_transmit(struct l2v_ike *ike, const struct l2v_ike_route *route, const uint8_t *msg,
                     size_t len);
void l2v_ike_tap(struct l2v_ike *ike, uint32_t direction, const struct l2v_ike_route *route,
                 const uint8_t *msg, size_t len);
/* Puts the shard into the top bits. */
void l2v_ike_mark_cookie(const struct l2v_ike *ike, uint8_t cookie[8]);
uint64_t l2v_ike_message_hash(const struct l2v_ike *ike, const uint8_t *msg, size_t len);
/* Notify in clear, rate-limited, never longer than the message that draws it. */
void l2v_ike_reject(struct l2v_ike *ike, const struct l2v_ike_route *route,
                    const uint8_t icookie[8], const uint8_t rcookie[8], unsigned type,
                    size_t request_len);

/* --- ike1_halfopen.c
 * ------------------------------------------------------------------------------ */
struct l2v_ike_halfopen { /* what message 1 left behind; views into the ring */
    uint8_t icookie[8], rcookie[8];
    struct l2v_ike_vids vids;
    const uint8_t *sai;
    size_t sai_len;
};
int l2v_ike1_ring_new(struct l2v_ike *ike, uint32_t entries, struct l2v_ike_ring **ret_ring);
void l2v_ike1_ring_free(struct l2v_ike *ike, struct l2v_ike_ring *ring);
int l2v_ike1_halfopen_m1(struct l2v_ike *ike, const struct l2v_ike_route *route, uint8_t *msg,
                         size_t len);
/* Record of a message 3, whose cookie fits its source. 0, NOT_FOUND, CRYPTO. */
int l2v_ike1_halfopen_find(struct l2v_ike *ike, const struct l2v_ike_route *route,
                           const struct l2v_ike_header *h, struct l2v_ike_halfopen *ret);
void l2v_ike1_halfopen_drop(struct l2v_ike *ike, const uint8_t rcookie[8]);
/* Whose rules hold for a main mode from there: a known peer's, else those of _listen. NULL = none.
 */
struct l2v_ike_config *l2v_ike1_responder_config(struct l2v_ike *ike,
                                                 const struct l2v_ike_route *route);

/* --- ike1_dh.c
 * --------------------------------------------------------------------------------------- */
void l2v_ike_dh_init(struct l2v_ike_dh *dh, struct l2v_ike *ike, void (*done)(void *), void *owner);
/* Makes a key pair of the group (another one is dropped). 0, NOMEM. */
int l2v_ike_dh_generate(struct l2v_ike_dh *dh, unsigned group);
/* Computes the secret; makes the key pair first if there is none. 0, NOMEM, PROTOCOL (length). */
int l2v_ike_dh_derive(struct l2v_ike_dh *dh, unsigned group, const uint8_t *peer, size_t peer_len);
bool l2v_ike_dh_busy(const struct l2v_ike_dh *dh);
void l2v_ike_dh_clear(struct l2v_ike_dh *dh); /* cancels, wipes */

/* --- ike1_resend.c
 * ---------------------------------------------------------------------------------- */
void l2v_ike_flight_init(struct l2v_ike_flight *f, const char *name, void (*fire)(void *),
                         void *arg);
/* Takes a copy, remembers that it answers what _accept noted, sends it. 0, NOMEM (nothing sent). */
int l2v_ike_flight_send(struct l2v_ike_sa *sa, struct l2v_ike_flight *f, const uint8_t *msg,
                        size_t len);
void l2v_ike_flight_again(struct l2v_ike_sa *sa, struct l2v_ike_flight *f);
void l2v_ike_flight_accept(struct l2v_ike_flight *f, uint64_t hash); /* also stops the timer */
bool l2v_ike_flight_is_dup(const struct l2v_ike_flight *f, uint64_t hash);
/* Answers a duplicate from the cache, within bounds. */
void l2v_ike_flight_answer(struct l2v_ike_sa *sa, struct l2v_ike_flight *f);
void l2v_ike_flight_forget(struct l2v_ike_sa *sa, struct l2v_ike_flight *f); /* message and timer */

/* --- ike1_sa.c
 * ----------------------------------------------------------------------------------------- */
int l2v_ike1_sa_new(struct l2v_ike *ike, struct l2v_ike_config *config,
                    const struct l2v_ike_route *route, bool initiator, struct l2v_ike_sa **ret_sa);
/* Files it under our own cookie, which must be set. */
void l2v_ike1_sa_file(struct l2v_ike_sa *sa);
void l2v_ike1_sa_kill(struct l2v_ike_sa *sa);     /* no messages; quick modes end too */
void l2v_ike1_sa_destroy(struct l2v_ike_sa *sa);  /* reaping */
void l2v_ike1_sa_clear_mm(struct l2v_ike_sa *sa); /* wipes what only main mode needs */
void l2v_ike1_sa_views(const struct l2v_ike_sa *sa, struct l2v_ike1_phase1 *ret);
void l2v_ike1_sa_header(const struct l2v_ike_sa *sa, unsigned exchange, uint32_t message_id,
                        struct l2v_ike_header *ret);
void l2v_ike1_sa_transmit(struct l2v_ike_sa *sa, const uint8_t *msg, size_t len);
/* Ends a phase 2 or informational message: HASH, padding, tap, encryption. */
int l2v_ike1_sa_seal(struct l2v_ike_sa *sa, struct l2v_ike1_chain *chain, struct l2v_ike_build *b,
                     uint8_t *hash, const uint8_t *ni, size_t ni_len, size_t *ret_len);
int l2v_ike1_sa_new_mid(struct l2v_ike_sa *sa, uint32_t *ret_mid);
bool l2v_ike1_sa_mid_used(const struct l2v_ike_sa *sa, uint32_t mid);
int l2v_ike1_sa_use_mid(struct l2v_ike_sa *sa, uint32_t mid); /* 0, NOMEM, LIMIT */
/* An authenticated fresh message came by this route. */
void l2v_ike1_sa_heard(struct l2v_ike_sa *sa, const struct l2v_ike_route *route);
struct l2v_ike_qm *l2v_ike1_sa_find_qm(struct l2v_ike_sa *sa, uint32_t mid);

/* --- ike1_main.c
 * ---------------------------------------------------------------------------------------- */
extern const struct l2v_fsm l2v_ike1_mm_fsm;
int l2v_ike1_main_start(struct l2v_ike_peer *peer); /* 0, NOMEM, CRYPTO, CONFIG, LIMIT */
int l2v_ike1_main_accept(struct l2v_ike *ike, const struct l2v_ike_route *route,
                         const struct l2v_ike_header *h, uint8_t *msg, size_t len);
int l2v_ike1_main_input(struct l2v_ike_sa *sa, const struct l2v_ike_route *route, uint8_t *msg,
                        size_t len);
void l2v_ike1_main_silence(struct l2v_ike_sa *sa); /* retransmissions are used up */
void l2v_ike1_main_fail(struct l2v_ike_sa *sa, const l2tpvoip_failure *f);
/* A notify in clear during phase 1: only hastens the end of waiting. */
void l2v_ike1_main_hint(struct l2v_ike_sa *sa, unsigned notify);

/* ike1_auth.c: messages 5 and 6 */
int l2v_ike1_auth_build(struct l2v_ike_sa *sa, uint8_t *buf, size_t size, size_t *ret_len);
/* Responder: tries the keys. 0 and *ret_id; INTEGRITY when none fits. */
int l2v_ike1_auth_open_m5(struct l2v_ike_sa *sa, const uint8_t *msg, size_t len,
                          struct l2v_ike_id *ret_id);
/* Initiator. 0; INTEGRITY (did not decipher or HASH_R is wrong), AUTH_PEER (not whom we want). */
int l2v_ike1_auth_open_m6(struct l2v_ike_sa *sa, uint8_t *msg, size_t len,
                          struct l2v_ike_id *ret_id);
int l2v_ike1_auth_set_keys(struct l2v_ike_sa *sa); /* initiator, after the secret */
void l2v_ike1_auth_explain(const struct l2v_ike_sa *sa, l2tpvoip_failure *f);

/* --- ike1_quick.c
 * ---------------------------------------------------------------------------------------- */
extern const struct l2v_fsm l2v_ike1_qm_fsm;
/* replaces: spi_in of the pair to renew, 0 = none. 0, STATE (no ISAKMP SA), NOMEM, CRYPTO, LIMIT.
 */
int l2v_ike1_quick_start(struct l2v_ike_peer *peer, uint16_t local_port, uint16_t remote_port,
                         uint32_t replaces);
int l2v_ike1_quick_input(struct l2v_ike_sa *sa, const struct l2v_ike_route *route,
                         const struct l2v_ike_header *h, uint8_t *msg, size_t len, uint64_t hash);
void l2v_ike1_quick_confirm(struct l2v_ike_qm *qm); /* message 3, or ESP came */
void l2v_ike1_quick_silence(struct l2v_ike_qm *qm);
void l2v_ike1_quick_refused(struct l2v_ike_sa *sa, uint32_t spi, unsigned notify);
void l2v_ike1_quick_kill(struct l2v_ike_qm *qm);
void l2v_ike1_quick_destroy(struct l2v_ike_qm *qm);

/* ike1_quick_msg.c: what stands in the messages */
int l2v_ike1_qm_send1(struct l2v_ike_qm *qm);
int l2v_ike1_qm_send2(struct l2v_ike_qm *qm);
int l2v_ike1_qm_send3(struct l2v_ike_qm *qm);
int l2v_ike1_qm_read1(struct l2v_ike_qm *qm, const struct l2v_ike_message *m, unsigned *ret_notify);
int l2v_ike1_qm_read2(struct l2v_ike_qm *qm, const struct l2v_ike_message *m, l2tpvoip_failure *f);
int l2v_ike1_qm_read3(struct l2v_ike_qm *qm, const struct l2v_ike_message *m);
int l2v_ike1_qm_install(struct l2v_ike_qm *qm, bool confirmed); /* keys, child_up */

/* --- ike1_info.c
 * ------------------------------------------------------------------------------------------- */
int l2v_ike1_info_input(struct l2v_ike_sa *sa, const struct l2v_ike_route *route,
                        const struct l2v_ike_header *h, uint8_t *msg, size_t len);
void l2v_ike1_info_notify(struct l2v_ike_sa *sa, unsigned protocol, const void *spi, size_t spi_len,
                          unsigned type, const void *data, size_t data_len);
void l2v_ike1_info_delete_sa(struct l2v_ike_sa *sa, struct l2v_ike_sa *target);
void l2v_ike1_info_delete_child(struct l2v_ike_sa *sa, uint32_t spi_in);
int l2v_ike1_info_probe(struct l2v_ike_peer *peer); /* R-U-THERE. 0, STATE */

/* --- ike_peer.c
 * -------------------------------------------------------------------------------------------- */
int l2v_ike_peer_new(struct l2v_ike *ike, struct l2v_ike_config *config,
                     const struct l2v_ike_route *route, struct l2v_ike_peer **ret_peer);
void l2v_ike_peer_destroy(struct l2v_ike_peer *peer);
void l2v_ike_peer_kill(struct l2v_ike_peer *peer); /* no messages, no callback */
void l2v_ike_peer_fail(struct l2v_ike_peer *peer, const l2tpvoip_failure *f); /* peer_down, kill */
struct l2v_ike_peer *l2v_ike_peer_by_route(struct l2v_ike *ike, const struct l2v_ike_route *route);
void l2v_ike_peer_attach(struct l2v_ike_peer *peer, struct l2v_ike_sa *sa);
/* Responder: whose SA this is. 0, LIMIT, NOMEM, … */
int l2v_ike_peer_admit(struct l2v_ike_sa *sa, const struct l2v_ike_id *id, bool initial_contact);
void l2v_ike_peer_sa_up(struct l2v_ike_peer *peer, struct l2v_ike_sa *sa);
void l2v_ike_peer_sa_gone(struct l2v_ike_peer *peer, const l2tpvoip_failure *f);
void l2v_ike_peer_initial_contact(struct l2v_ike_peer *peer, struct l2v_ike_sa *sa);
/* The newest established ISAKMP SA that is not retired, else the newest that is; NULL = none. */
struct l2v_ike_sa *l2v_ike_peer_sa(struct l2v_ike_peer *peer);
bool l2v_ike_peer_is_connecting(const struct l2v_ike_peer *peer); /* a main mode is under way */
void l2v_ike_peer_renew(struct l2v_ike_peer *peer); /* main mode, unless one is under way */
struct l2v_ike_csa *l2v_ike_peer_find_child(struct l2v_ike_peer *peer, uint32_t spi_in);
struct l2v_ike_csa *l2v_ike_peer_find_child_out(struct l2v_ike_peer *peer, uint32_t spi_out);
/* Records and installs a pair. The record is first, so that nothing can fail after child_up. */
int l2v_ike_peer_add_child(struct l2v_ike_peer *peer, struct l2v_ike_child *child, uint32_t life_s);
void l2v_ike_peer_confirm_child(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa, bool tell);
void l2v_ike_peer_drop_child(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa,
                             const l2tpvoip_failure *f);
void l2v_ike_peer_child_deleted(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa);
void l2v_ike_peer_rekey_child(struct l2v_ike_peer *peer, struct l2v_ike_csa *csa);
void l2v_ike_peer_quick_failed(struct l2v_ike_peer *peer, uint32_t replaces,
                               const l2tpvoip_failure *f);

/* --- ike_timers.c: all timing policy
 * ------------------------------------------------------------------- */
void l2v_ike_timers_sa_init(struct l2v_ike_sa *sa);
void l2v_ike_timers_sa_stop(struct l2v_ike_sa *sa);
void l2v_ike_timers_sa_up(struct l2v_ike_sa *sa);
void l2v_ike_timers_sa_waits(struct l2v_ike_sa *sa); /* responder before message 5 */
void l2v_ike_timers_sa_retired(struct l2v_ike_sa *sa);
void l2v_ike_timers_qm_init(struct l2v_ike_qm *qm);
void l2v_ike_timers_qm_stop(struct l2v_ike_qm *qm);
void l2v_ike_timers_qm_lingers(struct l2v_ike_qm *qm);
/* First and later transmissions of a flight; false = used up. */
void l2v_ike_timers_flight_start(struct l2v_ike_sa *sa, struct l2v_ike_flight *f);
void l2v_ike_timers_flight_stop(struct l2v_ike_sa *sa, struct l2v_ike_flight *f);
bool l2v_ike_timers_flight_next(struct l2v_ike_sa *sa, struct l2v_ike_flight *f);
void l2v_ike_timers_flight_hasten(struct l2v_ike_sa *sa, struct l2v_ike_flight *f);
void l2v_ike_timers_diagnose(struct l2v_ike_sa *sa);
void l2v_ike_timers_child_init(struct l2v_ike_csa *csa);
void l2v_ike_timers_child_stop(struct l2v_ike_csa *csa);
void l2v_ike_timers_child_up(struct l2v_ike_csa *csa, uint32_t life_s);
void l2v_ike_timers_child_replaced(struct l2v_ike_csa *csa);
void l2v_ike_timers_child_deleted(struct l2v_ike_csa *csa);
void l2v_ike_timers_child_retry(struct l2v_ike_csa *csa);
/* Two pairs or SAs that came up this close together are a collision. */
bool l2v_ike_timers_is_collision(uint64_t a_ns, uint64_t b_ns);
void l2v_ike_timers_peer_init(struct l2v_ike_peer *peer);
void l2v_ike_timers_peer_stop(struct l2v_ike_peer *peer);
void l2v_ike_timers_peer_up(struct l2v_ike_peer *peer);
void l2v_ike_timers_peer_probe(struct l2v_ike_peer *peer); /* now */
void l2v_ike_timers_peer_childless(struct l2v_ike_peer *peer);
void l2v_ike_timers_peer_has_child(struct l2v_ike_peer *peer);
void l2v_ike_timers_peer_retry(struct l2v_ike_peer *peer); /* main mode again later */

#endif
