/* SPDX-License-Identifier: MIT */
/** @file stats.h  Counters, and voice quality of an RTP stream (RFC 3550, RFC 3611, ITU-T G.107). */
#ifndef L2TPVOIP_STATS_H
#define L2TPVOIP_STATS_H

#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** Counters of a context. Fields are only appended. */
typedef struct l2tpvoip_context_stats {
    uint32_t size;
    uint32_t reserved;
    uint64_t rx_datagrams, rx_bytes, tx_datagrams, tx_bytes;
    uint64_t tx_errors;      /**< Refused by the backend. */
    uint64_t rx_unknown;     /**< No SPI, cookie or tunnel fits. */
    uint64_t rx_malformed;   /**< Bad lengths or fields, any layer. */
    uint64_t rx_policy;      /**< L2TP in clear though IPsec is configured, wrong association… */
    uint64_t rate_limited;
    uint64_t pool_empty;     /**< Packets dropped because the pool was exhausted. */
    uint64_t handshakes_started, handshakes_done, handshakes_failed;
} l2tpvoip_context_stats;

/** Counters of a session. Fields are only appended. */
typedef struct l2tpvoip_session_stats {
    uint32_t size;
    uint32_t reserved;
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes; /**< Inner IP. */
    uint64_t esp_rx_lost;      /**< Gaps of ESP sequence numbers, not filled so far. */
    uint64_t esp_rx_reordered;
    uint64_t esp_rx_replayed;  /**< Duplicates. */
    uint64_t esp_rx_late;      /**< Left of the replay window. */
    uint64_t esp_rx_integrity; /**< ICV wrong. */
    uint64_t queue_drops[4];   /**< By L2TPVOIP_CLASS_…, 0 unused. */
    uint64_t rekeys_child, rekeys_ike;
    uint64_t lcp_rtt_ns;       /**< Last LCP echo round trip; 0 = none yet. */
    uint64_t last_rx_ns;       /**< Last authenticated packet. */
} l2tpvoip_session_stats;

/** Both: size must be set, members beyond it are not written. Owner thread.
 * @return 0, INVALID, REENTRANT. */
L2TPVOIP_API int l2tpvoip_context_get_stats(const l2tpvoip_context *ctx,
                                            l2tpvoip_context_stats *stats);
L2TPVOIP_API int l2tpvoip_session_get_stats(const l2tpvoip_session *session,
                                            l2tpvoip_session_stats *stats);

/** Codec parameters for the E-model, G.113 appendix I. */
typedef struct l2tpvoip_codec {
    uint32_t size;
    uint32_t payload_type; /**< Static RTP payload type, or 96 and up. */
    const char *name;      /**< "PCMA" */
    uint32_t clock_hz;     /**< RTP clock. */
    uint32_t informative;  /**< 1: no ITU values; ie and bpl are estimates. */
    double ie;             /**< Equipment impairment. */
    double bpl;            /**< Packet-loss robustness. */
} l2tpvoip_codec;

/** Looks a codec up by name, case-insensitively ("PCMA", "PCMU", "G729", "opus"…).
 * @return 0, NOT_FOUND, INVALID. Any thread. */
L2TPVOIP_API int l2tpvoip_codec_find(const char *name, l2tpvoip_codec *ret_codec);

/** R factor of G.107 (2015) with the default set-up: one-way delay, loss, burst ratio.
 * @param delay_ms one-way mouth-to-ear; @param loss 0 to 1; @param burst_ratio 1 = random. */
L2TPVOIP_API double l2tpvoip_emodel_r(const l2tpvoip_codec *codec, double delay_ms, double loss,
                                      double burst_ratio);
/** MOS of an R factor, G.107 annex B; 1 to 4.5. */
L2TPVOIP_API double l2tpvoip_emodel_mos(double r);

/** Receiver-side meter of one RTP stream. Allocates nothing; the program owns it. */
typedef struct l2tpvoip_rtp_meter l2tpvoip_rtp_meter;

/** Quality of a stream. Fields are only appended. */
typedef struct l2tpvoip_rtp_stats {
    uint32_t size;
    uint32_t ssrc;
    uint64_t expected, received, lost, reordered, duplicated, late;
    double loss_ratio;    /**< lost / expected. */
    double jitter_ms;     /**< RFC 3550 §6.4.1. */
    double max_jitter_ms;
    double burst_ratio;   /**< BurstR of G.107. */
    double burst_density, gap_density; /**< RFC 3611 §4.7.2. */
    double r_factor;      /**< With the delay given. */
    double mos_lq, mos_cq;
} l2tpvoip_rtp_stats;

/** @return 0, INVALID, NOMEM. The meter is not part of a context; libc memory. */
L2TPVOIP_API int l2tpvoip_rtp_meter_new(const l2tpvoip_codec *codec, l2tpvoip_rtp_meter **ret_meter);
L2TPVOIP_API void l2tpvoip_rtp_meter_free(l2tpvoip_rtp_meter *meter);
/** Takes one RTP packet that arrived at time_ns. @return 0, MALFORMED, INVALID. */
L2TPVOIP_API int l2tpvoip_rtp_meter_input(l2tpvoip_rtp_meter *meter, const uint8_t *data, size_t len,
                                          uint64_t time_ns);
/** Quality so far. @param rtt_ms round trip, < 0 = unknown; half of it and the jitter buffer make
 * the delay. @param expected packets that the sender sent, 0 = by sequence numbers. */
L2TPVOIP_API int l2tpvoip_rtp_meter_get(const l2tpvoip_rtp_meter *meter, double rtt_ms,
                                        uint64_t expected, l2tpvoip_rtp_stats *stats);

L2TPVOIP_END

#endif
