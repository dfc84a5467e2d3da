/* SPDX-License-Identifier: MIT */
/* Negotiation of configuration options, RFC 1661 §5 and §6: one table of options a protocol. */
#ifndef L2V_PPP_OPTION_H
#define L2V_PPP_OPTION_H

#include "base_wire.h"
#include "l2v_ppp.h"

struct l2v_ppp_cp;

enum l2v_ppp_verdict { L2V_PPP_ACK, L2V_PPP_NAK, L2V_PPP_REJECT };

struct l2v_ppp_option {
    uint8_t type;
    uint8_t min_len, max_len; /* of the data; other lengths are rejected */
    /* Does our Configure-Request have it? NULL = never. */
    bool (*want)(struct l2v_ppp *ppp);
    void (*write)(struct l2v_ppp *ppp, struct l2v_writer *w);
    /* The peer asks for data. NAK: the value that we would take is written. NULL = REJECT. */
    enum l2v_ppp_verdict (*request)(struct l2v_ppp *ppp, struct l2v_reader *data,
                                    struct l2v_writer *nak);
    /* The peer did not ask for it, but should: the value goes into a Configure-Nak. */
    bool (*missing)(struct l2v_ppp *ppp, struct l2v_writer *nak);
    /* The peer would rather have this. */
    void (*nak)(struct l2v_ppp *ppp, struct l2v_reader *data);
    void (*reject)(struct l2v_ppp *ppp);
};

/* Our Configure-Request's options into buf; how many bytes. */
size_t l2v_ppp_option_write(struct l2v_ppp_cp *cp, uint8_t *buf, size_t size);
/* Judges the peer's Configure-Request. Fills in the reply of cp; true = all good (RCR+).
 * *ret_malformed: lengths do not add up, nothing happened. */
bool l2v_ppp_option_judge(struct l2v_ppp_cp *cp, const uint8_t *data, size_t len, uint8_t *scratch,
                          size_t scratch_size, bool *ret_malformed);
/* Takes a Configure-Nak or -Reject. 0, MALFORMED. */
int l2v_ppp_option_refused(struct l2v_ppp_cp *cp, bool reject, const uint8_t *data, size_t len);

#endif
