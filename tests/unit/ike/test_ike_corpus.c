/* SPDX-License-Identifier: MIT */
/* Real and hostile datagrams through every parser of the module: nothing may crash or read over,
 * whatever the verdict. Runs with sanitizers in CI. */
#include <l2tpvoip/error.h>

#include "ike1_frag.h"
#include "ike1_natt.h"
#include "ike1_proposal.h"
#include "ike_config.h"
#include "ike_vid.h"
#include "test_ike.h"

static unsigned n_good;

static void read_payload(const struct l2v_ike_payload *p)
{
    struct l2v_ike1_p1_list p1;
    struct l2v_ike1_p2_list p2;
    struct l2v_ike1_p1 chosen;
    struct l2v_ike1_notify notify;
    struct l2v_ike1_delete del;
    struct l2v_ike1_selector s;
    l2tpvoip_addr addr;
    char text[L2V_IKE_ID_TEXT];
    uint32_t life_s, life_kb;

    (void)l2v_ike1_p1_read(p->body, p->len, &p1);
    (void)l2v_ike1_p2_read(p->body, p->len, &p2);
    l2v_ike1_p1_wide(&p1);
    (void)l2v_ike1_p1_choose(&p1, p->body, p->len, &chosen);
    (void)l2v_ike1_p1_verify(&p1, p->body, p->len, &chosen);
    if (l2v_ike1_notify_parse(p, &notify) == 0) {
        (void)l2v_ike1_lifetime_read(notify.protocol, notify.data, notify.data_len, &life_s,
                                     &life_kb);
    }
    if (l2v_ike1_delete_parse(p, &del) == 0) {
        for (unsigned i = 0; l2v_ike1_delete_spi(&del, i) != NULL; i++) {
            ck_assert_uint_lt(i, del.n_spis);
        }
    }
    if (l2v_ike1_id_read(p->body, p->len, &s) == 0) {
        l2v_ike_id_format(&s.id, text, sizeof(text));
    }
    (void)l2v_ike1_natoa_read(p, &addr);
    (void)l2v_ike_vid_classify(p->body, p->len);
}

static void read_datagram(const uint8_t *data, size_t len)
{
    static const uint8_t firsts[] = {1, 4, 5, 8, 11, 12, 13, 20, 132};
    struct l2v_ike_message m;
    struct l2v_ike_vids vids;
    l2tpvoip_addr oai, oar;

    if (l2v_ike1_message_parse(data, len, &m) == L2V_IKE_FAULT_NONE) {
        n_good++;
        memset(&vids, 0, sizeof(vids));
        l2v_ike_vids_gather(&m, &vids);
        (void)l2v_ike1_natoa_gather(&m, true, &oai, &oar);
    }
    for (unsigned i = 0; i < m.n; i++) {
        read_payload(&m.payloads[i]);
    }
    /* The bytes as a decrypted chain of any first type, and as a body of any payload. */
    for (size_t i = 0; i < sizeof(firsts); i++) {
        (void)l2v_ike1_payloads_parse(firsts[i], data, len, true, &m);
    }
    if (len <= UINT16_MAX) {
        struct l2v_ike_payload p = {data, (uint16_t)len, L2V_IKE1_PAYLOAD_SA};
        read_payload(&p);
    }
}

static void read_datagram_and_cuts(const uint8_t *data, size_t len)
{
    read_datagram(data, len);
    for (size_t i = 0; i < len && i < 64; i++) {
        read_datagram(data, i);
    }
}

static void read_natt(const uint8_t *data, size_t len)
{
    read_datagram_and_cuts(data, len);
    if (len > 4) {
        read_datagram(data + 4, len - 4);
    }
}

START_TEST(every_file)
{
    unsigned n = ike_each_file("fuzz/ike", read_datagram_and_cuts);
    n += ike_each_file("fuzz/ike-payload", read_datagram_and_cuts);
    n += ike_each_file("fuzz/ids", read_datagram);
    n_good = 0;
    n += ike_each_file("fuzz/cut/ike", read_datagram_and_cuts);
    if (n > 0) {
        ck_assert_uint_ge(n, 300);
        ck_assert_uint_ge(n_good, 48); /* IKEv1 in clear is among them */
    }
    (void)ike_each_file("fuzz/cut/natt", read_natt);
}
END_TEST

/* The SA payload of a good offer, each byte set to each value: no crash, and what comes out is ours. */
START_TEST(every_byte)
{
    static uint8_t body[512];
    struct l2v_ike1_p1_list policy, offer;
    struct l2v_ike1_p1 chosen;
    struct l2v_writer w;

    ck_assert_int_eq(l2v_ike1_p1_list_parse("aes256-sha1-modp2048,3des-sha1-modp1024", &policy,
                                            NULL, 0), 0);
    l2v_writer_init(&w, body, sizeof(body));
    l2v_ike1_p1_write_offer(&w, &policy, 86400);
    for (size_t at = 0; at < l2v_writer_len(&w); at++) {
        uint8_t keep = body[at];
        for (unsigned value = 0; value < 256; value++) {
            body[at] = (uint8_t)value;
            if (l2v_ike1_p1_choose(&policy, body, l2v_writer_len(&w), &chosen) == 0) {
                ck_assert_uint_gt(l2v_ike1_p1_key_len(&chosen), 0);
                ck_assert_uint_eq(chosen.auth, L2V_IKE1_AUTH_PSK);
            }
            (void)l2v_ike1_p1_read(body, l2v_writer_len(&w), &offer);
        }
        body[at] = keep;
    }
}
END_TEST

TCase *test_ike_corpus(void)
{
    TCase *tc = ike_tcase("corpus");
    tcase_add_test(tc, every_file);
    tcase_add_test(tc, every_byte);
    return tc;
}
