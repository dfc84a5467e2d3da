/* SPDX-License-Identifier: MIT */
/* ESP, RFC 4303: one object per direction. Sealed and opened in place. */
#ifndef L2V_ESP_H
#define L2V_ESP_H

#include "base_env.h"
#include "base_pkt.h"
#include "l2v_crypto.h"

struct l2v_esp_params {
    uint32_t spi;
    enum l2v_suite_id suite;
    const uint8_t *enc_key; /* with salt */
    size_t enc_key_len;
    const uint8_t *auth_key;
    size_t auth_key_len;
    bool esn;
    uint64_t seq;           /* last number used (outbound) or seen (inbound) before; 0 = a new SA */
    uint32_t replay_window; /* inbound, packets, multiple of 64, at most 65536; 0 = 1024 */
};

struct l2v_esp_stats {
    uint64_t packets, bytes; /* good ones */
    uint64_t malformed, integrity, replayed, late;
    uint64_t reordered, lost; /* inbound, by sequence gaps: lost = gaps that left the window */
    uint64_t missing;         /* gaps still in the window: late or lost, nobody knows yet */
};

struct l2v_esp_out;
struct l2v_esp_in;

/* 0, INVALID (suite, key lengths, SPI 0, seq beyond its bits), NOMEM, CRYPTO, CRYPTO_UNAVAILABLE.
 */
int l2v_esp_out_new(struct l2v_env *env, struct l2v_crypto *crypto, const struct l2v_esp_params *p,
                    struct l2v_esp_out **ret_sa);
void l2v_esp_out_free(struct l2v_esp_out *sa);
/* Bytes that seal puts around len bytes of payload, padding included. */
size_t l2v_esp_overhead(const struct l2v_esp_out *sa, size_t payload_len);
/* Largest payload whose ESP packet is at most room bytes; 0 when not even an empty one is. */
size_t l2v_esp_max_payload(const struct l2v_esp_out *sa, size_t room);
/* pkt: payload of next_header -> ESP packet. 0, LIMIT (sequence numbers used up), MSGSIZE (no
 * headroom or tailroom), CRYPTO. */
int l2v_esp_seal(struct l2v_esp_out *sa, struct l2v_pkt *pkt, uint8_t next_header);
uint64_t l2v_esp_out_seq(const struct l2v_esp_out *sa); /* last used */
const struct l2v_esp_stats *l2v_esp_out_stats(const struct l2v_esp_out *sa);

/* 0, INVALID (as above, window), NOMEM, CRYPTO, CRYPTO_UNAVAILABLE. */
int l2v_esp_in_new(struct l2v_env *env, struct l2v_crypto *crypto, const struct l2v_esp_params *p,
                   struct l2v_esp_in **ret_sa);
void l2v_esp_in_free(struct l2v_esp_in *sa);
/* pkt: ESP packet (from the SPI on) -> payload. 0, MALFORMED, REPLAY, INTEGRITY, CRYPTO. The window
 * moves only after the ICV held. *ret_newest: it has the highest sequence number so far. Dummy
 * packets (next header 59) come back with 0 and *ret_next_header 59. On REPLAY and INTEGRITY pkt is
 * as long as before (its bytes may be garbage after INTEGRITY). */
int l2v_esp_open(struct l2v_esp_in *sa, struct l2v_pkt *pkt, uint8_t *ret_next_header,
                 bool *ret_newest);
uint64_t l2v_esp_in_seq(const struct l2v_esp_in *sa); /* highest seen */
const struct l2v_esp_stats *l2v_esp_in_stats(const struct l2v_esp_in *sa);

/* Outer demultiplexing of UDP 4500, RFC 3948 §2. */
enum l2v_udpencap { L2V_UDPENCAP_ESP, L2V_UDPENCAP_IKE, L2V_UDPENCAP_KEEPALIVE, L2V_UDPENCAP_BAD };
enum l2v_udpencap l2v_udpencap_classify(const uint8_t *data, size_t len);
uint32_t l2v_esp_peek_spi(const uint8_t *data, size_t len); /* 0 = too short */

#endif
