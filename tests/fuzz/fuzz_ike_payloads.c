/* SPDX-License-Identifier: MIT */
/* Fuzz target: what follows decryption, and fragments. The first byte chooses the parser, the rest
 * is its input. */
#include "ike1_frag.h"
#include "ike1_natt.h"
#include "ike1_proposal.h"
#include "ike_id.h"
#include "ike_vid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void fuzz_chain(const struct l2v_ike_payload *p)
{
    struct l2v_ike_message m;
    if (p->len > 0) {
        (void)l2v_ike1_payloads_parse(p->body[0], p->body + 1, p->len - 1u, true, &m);
    }
}

static void fuzz_phase1(const struct l2v_ike_payload *p)
{
    struct l2v_ike1_p1_list offer, wide;
    struct l2v_ike1_p1 chosen;
    char text[L2V_IKE1_PROPOSAL_TEXT];

    l2v_ike1_p1_wide(&wide);
    if (l2v_ike1_p1_read(p->body, p->len, &offer) == 0) {
        for (unsigned i = 0; i < offer.n; i++) {
            l2v_ike1_p1_format(&offer.items[i], text, sizeof(text));
            l2v_ike1_p1_describe(&offer.items[i], text, 8);
        }
    }
    (void)l2v_ike1_p1_choose(&wide, p->body, p->len, &chosen);
    (void)l2v_ike1_p1_verify(&wide, p->body, p->len, &chosen);
}

static void fuzz_phase2(const struct l2v_ike_payload *p)
{
    static const uint16_t groups[] = {2, 14, 19};
    struct l2v_ike1_p2_list offer;
    struct l2v_ike1_p2_policy policy;
    struct l2v_ike1_p2 chosen, again;
    struct l2v_ike1_p2_terms terms;
    struct l2v_writer w;
    uint8_t answer[512];

    if (l2v_ike1_p2_read(p->body, p->len, &offer) != 0) {
        return;
    }
    memset(&policy, 0, sizeof(policy));
    policy.list = &offer;
    policy.groups = groups;
    policy.n_groups = 3;
    policy.udp = (p->len & 1u) != 0;
    policy.allow_other_mode = true;
    policy.esn = true;
    policy.ke_group = (p->len & 2u) != 0 ? 0xffff : 0;
    if (l2v_ike1_p2_choose(&policy, p->body, p->len, &chosen) != 0) {
        return;
    }
    memset(&terms, 0, sizeof(terms));
    terms.group = chosen.group;
    terms.encaps[0] = chosen.encap != 0 ? chosen.encap : L2V_IKE1_ENCAP_TRANSPORT;
    terms.esn = true;
    l2v_writer_init(&w, answer, sizeof(answer));
    l2v_ike1_p2_write_choice(&w, &chosen, 0x12345678);
    if (w.failed || l2v_ike1_p2_suite(&chosen, false) == L2V_SUITE_NONE ||
        l2v_ike1_p2_verify(&offer, &terms, answer, l2v_writer_len(&w), &again) != 0 ||
        again.spi != 0x12345678) {
        __builtin_trap();
    }
}

static void fuzz_id(const struct l2v_ike_payload *p)
{
    struct l2v_ike1_selector s;
    l2tpvoip_addr addr;
    char text[L2V_IKE_ID_TEXT];
    uint8_t again[L2V_IKE_ID_MAX + 8];
    struct l2v_writer w;

    (void)l2v_ike1_id_read_phase1(p->body, p->len, &s);
    if (l2v_ike1_id_read(p->body, p->len, &s) != 0) {
        return;
    }
    l2v_ike_id_format(&s.id, text, sizeof(text));
    (void)l2v_ike1_selector_get_host(&s, &addr);
    l2v_writer_init(&w, again, sizeof(again));
    l2v_ike1_id_write(&w, &s);
    if (w.failed || l2v_writer_len(&w) != p->len || memcmp(again, p->body, p->len) != 0) {
        __builtin_trap();
    }
}

static void fuzz_notify(const struct l2v_ike_payload *p)
{
    struct l2v_ike1_notify n;
    uint32_t life_s, life_kb;
    if (l2v_ike1_notify_parse(p, &n) == 0) {
        (void)l2v_ike1_notify_name(n.type);
        (void)l2v_ike1_lifetime_read(n.protocol, n.data, n.data_len, &life_s, &life_kb);
    }
}

static void fuzz_delete(const struct l2v_ike_payload *p)
{
    struct l2v_ike1_delete d;
    const uint8_t *spi;
    if (l2v_ike1_delete_parse(p, &d) != 0) {
        return;
    }
    for (unsigned i = 0; (spi = l2v_ike1_delete_spi(&d, i)) != NULL; i++) {
        if (spi + d.spi_len > p->body + p->len) {
            __builtin_trap();
        }
    }
}

static void fuzz_natoa(const struct l2v_ike_payload *p)
{
    l2tpvoip_addr addr;
    (void)l2v_ike1_natoa_read(p, &addr);
    (void)l2v_ike_vid_classify(p->body, p->len);
}

/* The input is cut into fragment messages: length byte, then fields and data. */
static void fuzz_frag(const struct l2v_ike_payload *p)
{
    struct l2v_env env;
    struct l2v_ike1_frag_set *set = NULL;
    struct l2v_reader r;

    if (l2v_env_init(&env, NULL, NULL, NULL, NULL, 1) != 0) {
        return;
    }
    l2v_reader_init(&r, p->body, p->len);
    while (l2v_reader_left(&r) > 0) {
        uint8_t msg[512], *whole = NULL;
        struct l2v_ike_header h;
        struct l2v_ike_build b;
        size_t n = l2v_read_u8(&r), len = 0;
        const uint8_t *body = l2v_read_bytes(&r, n);

        memset(&h, 0, sizeof(h));
        h.version = L2V_IKE_VERSION_1;
        h.exchange = L2V_IKE1_EXCHANGE_MAIN;
        l2v_ike_build_begin(&b, msg, sizeof(msg), &h);
        l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_FRAGMENT, body, body != NULL ? n : 0);
        if (l2v_ike_build_end(&b, 0, &len) == 0 &&
            l2v_ike1_frag_input(&env, &set, msg, len, &whole, &len) == 0) {
            struct l2v_ike_message m;
            (void)l2v_ike1_message_parse(whole, len, &m);
        }
        env.now_ns += L2V_NS_PER_S * n / 16;
    }
    l2v_ike1_frag_free(&env, &set);
    l2v_env_clear(&env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const targets[])(const struct l2v_ike_payload *p) = {
        fuzz_chain,  fuzz_phase1, fuzz_phase2, fuzz_id,
        fuzz_notify, fuzz_delete, fuzz_natoa,  fuzz_frag,
    };
    struct l2v_ike_payload p;

    if (len == 0 || len > UINT16_MAX) {
        return 0;
    }
    p.body = data + 1;
    p.len = (uint16_t)(len - 1);
    p.type = L2V_IKE1_PAYLOAD_NONE;
    targets[data[0] % (sizeof(targets) / sizeof(targets[0]))](&p);
    return 0;
}
