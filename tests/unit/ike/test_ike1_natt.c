/* SPDX-License-Identifier: MIT */
/* NAT traversal: dialects, NAT-D, NAT-OA. RFC 3947. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "ike1_natt.h"
#include "test_ike.h"

static const uint8_t icookie[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t rcookie[8] = {9, 10, 11, 12, 13, 14, 15, 16};

struct ends {
    l2tpvoip_addr local, remote;
};

static struct l2v_ike1_natd natd_of(const struct ends *e, enum l2v_ike1_dialect dialect)
{
    struct l2v_ike1_natd n;
    n.dialect = dialect;
    n.hash = L2V_HASH_SHA256;
    n.icookie = icookie;
    n.rcookie = rcookie;
    n.local = &e->local;
    n.remote = &e->remote;
    return n;
}

static void begin(struct l2v_ike_build *b, uint8_t *buf, size_t size)
{
    struct l2v_ike_header h;
    memset(&h, 0, sizeof(h));
    memcpy(h.icookie, icookie, 8);
    h.version = L2V_IKE_VERSION_1;
    h.exchange = L2V_IKE1_EXCHANGE_MAIN;
    l2v_ike_build_begin(b, buf, size, &h);
}

static void end(struct l2v_ike_build *b, struct l2v_ike_message *m)
{
    size_t len;
    ck_assert_int_eq(l2v_ike_build_end(b, 0, &len), 0);
    ck_assert_int_eq(l2v_ike1_message_parse(b->w.start, len, m), L2V_IKE_FAULT_NONE);
}

/* The peer writes NAT-D as it sees the world (from); we judge as we see it (ours). */
static uint32_t judge(const struct ends *from, const struct ends *ours, unsigned mode,
                      enum l2v_ike1_dialect dialect)
{
    uint8_t buf[512];
    struct l2v_ike_build b;
    struct l2v_ike_message m;
    struct l2v_ike1_natd theirs = natd_of(from, dialect), here = natd_of(ours, dialect);
    uint32_t nat = 99;
    bool present = false;

    begin(&b, buf, sizeof(buf));
    ck_assert_int_eq(l2v_ike1_natd_write(&b, ike_t.crypto, ike_t.env, &theirs, mode, NULL), 0);
    end(&b, &m);
    ck_assert_int_eq(l2v_ike1_natd_verdict(ike_t.crypto, &here, &m, &nat, &present), 0);
    ck_assert(present);
    return nat;
}

START_TEST(hash_value) /* rfc3947#3.2: HASH(CKY-I | CKY-R | IP | Port) */
{
    uint8_t flat[8 + 8 + 4 + 2], want[32], got[32];
    struct l2v_iov in = {flat, sizeof(flat)};
    l2tpvoip_addr a = ike_addr("192.0.2.1:500"), none;

    memcpy(flat, icookie, 8);
    memcpy(flat + 8, rcookie, 8);
    memcpy(flat + 16, "\xc0\x00\x02\x01\x01\xf4", 6);
    ck_assert_int_eq(l2v_digest(ike_t.crypto, L2V_HASH_SHA256, &in, 1, want), 0);
    ck_assert_int_eq(
        l2v_ike1_natd_hash(ike_t.crypto, L2V_HASH_SHA256, icookie, rcookie, &a, got), 0);
    ck_assert_mem_eq(got, want, 32);
    memset(&none, 0, sizeof(none));
    ck_assert_int_eq(
        l2v_ike1_natd_hash(ike_t.crypto, L2V_HASH_SHA256, icookie, rcookie, &none, got),
        L2TPVOIP_ERR_INVALID);
}
END_TEST

START_TEST(verdicts)
{
    struct ends client = {ike_addr("10.0.0.5:500"), ike_addr("203.0.113.1:500")};
    struct ends direct = {ike_addr("203.0.113.1:500"), ike_addr("10.0.0.5:500")};
    struct ends natted = {ike_addr("203.0.113.1:500"), ike_addr("198.51.100.7:1027")};
    struct ends both = {ike_addr("172.16.0.2:500"), ike_addr("198.51.100.7:1027")};
    enum l2v_ike1_dialect all[] = {L2V_IKE1_NATT_DRAFT02, L2V_IKE1_NATT_DRAFT05,
                                   L2V_IKE1_NATT_RFC3947};

    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(judge(&client, &direct, L2V_IKE1_NATD_HONEST, all[i]), 0);
        ck_assert_uint_eq(judge(&client, &natted, L2V_IKE1_NATD_HONEST, all[i]),
                          L2TPVOIP_NAT_REMOTE);
        ck_assert_uint_eq(judge(&client, &both, L2V_IKE1_NATD_HONEST, all[i]),
                          L2TPVOIP_NAT_REMOTE | L2TPVOIP_NAT_LOCAL);
        /* quirk force_encaps: a NAT is claimed where there is none */
        ck_assert_uint_eq(judge(&client, &direct, L2V_IKE1_NATD_FORCE, all[i]),
                          L2TPVOIP_NAT_REMOTE);
    }
}
END_TEST

/* Quirk: Windows does not do NAT-T towards a server behind a NAT. The server parrots the NAT-D that
 * the client computed for it, so that the client sees the server unNATed, and draws the client's at
 * random, so that the client believes itself behind a NAT and runs ESP in UDP. */
START_TEST(parrot)
{
    struct ends client = {ike_addr("10.0.0.5:500"), ike_addr("203.0.113.1:500")};
    struct ends server = {ike_addr("172.16.0.2:500"), ike_addr("10.0.0.5:500")};
    struct l2v_ike1_natd theirs = natd_of(&client, L2V_IKE1_NATT_RFC3947);
    struct l2v_ike1_natd ours = natd_of(&server, L2V_IKE1_NATT_RFC3947);
    uint8_t buf[512], answer[512];
    struct l2v_ike_build b;
    struct l2v_ike_message m, m2;
    uint32_t nat = 0;
    bool present = false;

    begin(&b, buf, sizeof(buf));
    ck_assert_int_eq(l2v_ike1_natd_write(&b, ike_t.crypto, ike_t.env, &theirs,
                                         L2V_IKE1_NATD_HONEST, NULL), 0);
    end(&b, &m);
    begin(&b, answer, sizeof(answer));
    ck_assert_int_eq(l2v_ike1_natd_write(&b, ike_t.crypto, ike_t.env, &ours, L2V_IKE1_NATD_PARROT,
                                         l2v_ike1_natd_first(&m, L2V_IKE1_NATT_RFC3947)), 0);
    end(&b, &m2);
    ck_assert_int_eq(l2v_ike1_natd_verdict(ike_t.crypto, &theirs, &m2, &nat, &present), 0);
    ck_assert(present);
    ck_assert_uint_eq(nat, L2TPVOIP_NAT_LOCAL); /* the client about itself; the server looks direct */
}
END_TEST

START_TEST(absent)
{
    struct ends e = {ike_addr("10.0.0.5:500"), ike_addr("203.0.113.1:500")};
    struct l2v_ike1_natd n = natd_of(&e, L2V_IKE1_NATT_RFC3947);
    uint8_t buf[256];
    struct l2v_ike_build b;
    struct l2v_ike_message m;
    uint32_t nat = 99;
    bool present = true;

    begin(&b, buf, sizeof(buf));
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_NATD, "0123456789", 10); /* one only */
    end(&b, &m);
    ck_assert_int_eq(l2v_ike1_natd_verdict(ike_t.crypto, &n, &m, &nat, &present), 0);
    ck_assert(!present);
    ck_assert_uint_eq(nat, 0);
}
END_TEST

START_TEST(dialects)
{
    struct l2v_ike_vids v;
    memset(&v, 0, sizeof(v));
    ck_assert_int_eq(l2v_ike1_natt_dialect(&v, false), L2V_IKE1_NATT_NONE);
    v.seen = L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_00); /* no port 4500 there: not supported */
    ck_assert_int_eq(l2v_ike1_natt_dialect(&v, false), L2V_IKE1_NATT_NONE);
    v.seen |= L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_07);
    ck_assert_int_eq(l2v_ike1_natt_dialect(&v, false), L2V_IKE1_NATT_DRAFT05);
    v.seen |= L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_02N);
    ck_assert_int_eq(l2v_ike1_natt_dialect(&v, false), L2V_IKE1_NATT_DRAFT02);
    v.seen |= L2V_IKE_VID_BIT(L2V_IKE_VID_RFC3947);
    ck_assert_int_eq(l2v_ike1_natt_dialect(&v, false), L2V_IKE1_NATT_RFC3947);
    ck_assert_int_eq(l2v_ike1_natt_dialect(&v, true), L2V_IKE1_NATT_DRAFT02); /* quirk: Cisco */
    ck_assert_uint_eq(l2v_ike1_natt_encap(L2V_IKE1_NATT_DRAFT02, true), 61444);
    ck_assert_uint_eq(l2v_ike1_natt_encap(L2V_IKE1_NATT_DRAFT05, true), 4);
    ck_assert_uint_eq(l2v_ike1_natt_encap(L2V_IKE1_NATT_RFC3947, true), 4);
    ck_assert_uint_eq(l2v_ike1_natt_encap(L2V_IKE1_NATT_RFC3947, false), 2);
    ck_assert_uint_eq(l2v_ike1_natt_get(L2V_IKE1_NATT_RFC3947)->payload_natd, 20);
    ck_assert_uint_eq(l2v_ike1_natt_get(L2V_IKE1_NATT_DRAFT05)->payload_natd, 15);
    ck_assert_uint_eq(l2v_ike1_natt_get(L2V_IKE1_NATT_DRAFT02)->payload_natd, 130);
    ck_assert(l2v_ike1_encap_is_udp_transport(4) && l2v_ike1_encap_is_udp_transport(61444));
    ck_assert(!l2v_ike1_encap_is_udp_transport(2) && !l2v_ike1_encap_is_udp_transport(3));
}
END_TEST

START_TEST(natoa) /* rfc3947#5.2 */
{
    l2tpvoip_addr i = ike_addr("10.0.0.5"), r = ike_addr("203.0.113.1"), oai, oar;
    uint8_t buf[512];
    struct l2v_ike_build b;
    struct l2v_ike_message m;

    begin(&b, buf, sizeof(buf));
    l2v_ike1_natoa_write(&b, L2V_IKE1_NATT_RFC3947, &i, &r, true);
    end(&b, &m);
    ck_assert_uint_eq(m.n, 2);
    ck_assert_int_eq(l2v_ike1_natoa_gather(&m, true, &oai, &oar), 0);
    ck_assert(l2v_addr_equal_ip(&oai, &i) && l2v_addr_equal_ip(&oar, &r));
    /* the drafts send one: the sender's own */
    begin(&b, buf, sizeof(buf));
    l2v_ike1_natoa_write(&b, L2V_IKE1_NATT_DRAFT02, &i, &r, false);
    end(&b, &m);
    ck_assert_uint_eq(m.n, 1);
    ck_assert_int_eq(l2v_ike1_natoa_gather(&m, false, &oai, &oar), 0);
    ck_assert_uint_eq(oai.family, 0);
    ck_assert(l2v_addr_equal_ip(&oar, &r));
    /* none */
    begin(&b, buf, sizeof(buf));
    l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_HASH, "x", 1);
    end(&b, &m);
    ck_assert_int_eq(l2v_ike1_natoa_gather(&m, true, &oai, &oar), 0);
    ck_assert_uint_eq(oai.family + oar.family, 0);
    /* three */
    begin(&b, buf, sizeof(buf));
    for (unsigned n = 0; n < 3; n++) {
        l2v_ike_build_add(&b, L2V_IKE1_PAYLOAD_NATOA, "\1\0\0\0\12\0\0\5", 8);
    }
    end(&b, &m);
    ck_assert_int_eq(l2v_ike1_natoa_gather(&m, true, &oai, &oar), L2TPVOIP_ERR_MALFORMED);
}
END_TEST

START_TEST(natoa_bad)
{
    static const char *const bad[] = {"", "01", "010000000a0000", "010000000a00000500",
                                      "050000000a000005", "020000000a000005", "010000010a000005"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t body[32];
        size_t len = bad[i][0] != 0 ? unit_hex(bad[i], body, sizeof(body)) : 0;
        struct l2v_ike_payload p = {body, (uint16_t)len, L2V_IKE1_PAYLOAD_NATOA};
        l2tpvoip_addr a;
        ck_assert_int_eq(l2v_ike1_natoa_read(&p, &a), L2TPVOIP_ERR_MALFORMED);
    }
}
END_TEST

/* Main mode of two real gateways: their NAT-D payloads are what we compute from the addresses. */
START_TEST(capture)
{
    static const char name[] = "corpus/valid/suricata__ikev1-main-mode.pcap";
    uint8_t msg[2048];
    struct l2v_ike_message m;
    size_t len = ike_frame(name, 3, msg, sizeof(msg));
    struct ends e;
    struct l2v_ike1_natd n;
    uint32_t nat = 99;
    bool present = false;

    if (len == 0) {
        return;
    }
    ck_assert_int_eq(l2v_ike1_message_parse(msg, len, &m), L2V_IKE_FAULT_NONE);
    e.local = ike_addr("192.168.12.2:500");
    e.remote = ike_addr("192.168.12.1:500");
    n = natd_of(&e, L2V_IKE1_NATT_RFC3947);
    n.hash = L2V_HASH_SHA1;
    n.icookie = m.header.icookie;
    n.rcookie = m.header.rcookie;
    ck_assert_int_eq(l2v_ike1_natd_verdict(ike_t.crypto, &n, &m, &nat, &present), 0);
    ck_assert(present);
    ck_assert_uint_eq(nat, 0);
    e.remote.port = 501;
    ck_assert_int_eq(l2v_ike1_natd_verdict(ike_t.crypto, &n, &m, &nat, &present), 0);
    ck_assert_uint_eq(nat, L2TPVOIP_NAT_REMOTE);
}
END_TEST

TCase *test_ike1_natt(void)
{
    TCase *tc = ike_tcase("natt");
    tcase_add_test(tc, hash_value);
    tcase_add_test(tc, verdicts);
    tcase_add_test(tc, parrot);
    tcase_add_test(tc, absent);
    tcase_add_test(tc, dialects);
    tcase_add_test(tc, natoa);
    tcase_add_test(tc, natoa_bad);
    tcase_add_test(tc, capture);
    return tc;
}
