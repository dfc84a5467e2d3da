/* SPDX-License-Identifier: MIT */
/* NAT traversal of IKEv1, RFC 3947. */
#include <l2tpvoip/error.h>

#include "base_addr.h"
#include "ike1_natt.h"

#define NATD_MAX 16u /* NAT-D payloads that are looked at */

static const struct l2v_ike1_natt_info dialects[] = {
    [L2V_IKE1_NATT_NONE] = {"none", 0, 0, L2V_IKE1_ENCAP_TRANSPORT},
    [L2V_IKE1_NATT_DRAFT02] = {"draft-02/03", L2V_IKE1_PAYLOAD_NATD_DRAFT02,
                               L2V_IKE1_PAYLOAD_NATOA_DRAFT02,
                               L2V_IKE1_ENCAP_UDP_TRANSPORT_DRAFT},
    [L2V_IKE1_NATT_DRAFT05] = {"draft-04..08", L2V_IKE1_PAYLOAD_NATD_DRAFT05,
                               L2V_IKE1_PAYLOAD_NATOA_DRAFT05, L2V_IKE1_ENCAP_UDP_TRANSPORT},
    [L2V_IKE1_NATT_RFC3947] = {"RFC 3947", L2V_IKE1_PAYLOAD_NATD, L2V_IKE1_PAYLOAD_NATOA,
                               L2V_IKE1_ENCAP_UDP_TRANSPORT},
};

const struct l2v_ike1_natt_info *l2v_ike1_natt_get(enum l2v_ike1_dialect dialect)
{
    unsigned i = (unsigned)dialect;
    return &dialects[i < sizeof(dialects) / sizeof(dialects[0]) ? i : 0];
}

#define DRAFT02_BITS                                                                               \
    (L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_02) | L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_02N) |                \
     L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_03))
#define DRAFT05_BITS                                                                               \
    (L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_04) | L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_05) |                 \
     L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_06) | L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_07) |                 \
     L2V_IKE_VID_BIT(L2V_IKE_VID_NATT_08))

enum l2v_ike1_dialect l2v_ike1_natt_dialect(const struct l2v_ike_vids *peer, bool drafts_first)
{
    bool draft02 = (peer->seen & DRAFT02_BITS) != 0;
    if (l2v_ike_vids_has(peer, L2V_IKE_VID_RFC3947) && !(drafts_first && draft02)) {
        return L2V_IKE1_NATT_RFC3947;
    }
    if (draft02) {
        return L2V_IKE1_NATT_DRAFT02;
    }
    return (peer->seen & DRAFT05_BITS) != 0 ? L2V_IKE1_NATT_DRAFT05 : L2V_IKE1_NATT_NONE;
}

uint16_t l2v_ike1_natt_encap(enum l2v_ike1_dialect dialect, bool udp)
{
    return udp ? l2v_ike1_natt_get(dialect)->encap_transport : L2V_IKE1_ENCAP_TRANSPORT;
}

bool l2v_ike1_encap_is_udp_transport(uint16_t encap)
{
    return encap == L2V_IKE1_ENCAP_UDP_TRANSPORT || encap == L2V_IKE1_ENCAP_UDP_TRANSPORT_DRAFT;
}

/* --- NAT-D ----------------------------------------------------------------------------------- */

int l2v_ike1_natd_hash(struct l2v_crypto *crypto, enum l2v_hash hash, const uint8_t icookie[8],
                       const uint8_t rcookie[8], const l2tpvoip_addr *addr, uint8_t *ret_hash)
{
    uint8_t port[2];
    struct l2v_iov in[] = {
        {icookie, L2V_IKE_COOKIE_LEN},
        {rcookie, L2V_IKE_COOKIE_LEN},
        {addr->ip, l2v_addr_ip_len(addr)},
        {port, sizeof(port)},
    };
    if (in[2].len == 0) {
        return L2TPVOIP_ERR_INVALID;
    }
    l2v_put_u16(port, addr->port);
    return l2v_digest(crypto, hash, in, sizeof(in) / sizeof(in[0]), ret_hash);
}

int l2v_ike1_natd_write(struct l2v_ike_build *b, struct l2v_crypto *crypto, struct l2v_env *env,
                        const struct l2v_ike1_natd *natd, unsigned mode,
                        const struct l2v_ike_payload *parrot)
{
    const struct l2v_ike1_natt_info *info = l2v_ike1_natt_get(natd->dialect);
    uint8_t remote[L2V_HASH_MAX], local[L2V_HASH_MAX];
    size_t hash_len = l2v_hash_len(natd->hash);
    bool parrots = mode == L2V_IKE1_NATD_PARROT && parrot != NULL && parrot->len == hash_len;
    int rc;

    if (info->payload_natd == 0 || hash_len == 0) {
        return 0;
    }
    rc = parrots ? l2v_random(env, remote, hash_len)
                 : l2v_ike1_natd_hash(crypto, natd->hash, natd->icookie, natd->rcookie,
                                      natd->remote, remote);
    if (rc == 0 && parrots) {
        memcpy(local, parrot->body, hash_len);
    } else if (rc == 0 && mode != L2V_IKE1_NATD_HONEST) {
        rc = l2v_random(env, local, hash_len);
    } else if (rc == 0) {
        rc = l2v_ike1_natd_hash(crypto, natd->hash, natd->icookie, natd->rcookie, natd->local,
                                local);
    }
    if (rc != 0) {
        return rc;
    }
    /* rfc3947#3.2: the destination of the datagram first, then its possible sources. */
    l2v_ike_build_add(b, info->payload_natd, remote, hash_len);
    l2v_ike_build_add(b, info->payload_natd, local, hash_len);
    return 0;
}

static bool payload_is(const struct l2v_ike_payload *p, const uint8_t *hash, size_t hash_len)
{
    return p->len == hash_len && memcmp(p->body, hash, hash_len) == 0;
}

int l2v_ike1_natd_verdict(struct l2v_crypto *crypto, const struct l2v_ike1_natd *natd,
                          const struct l2v_ike_message *m, uint32_t *ret_nat, bool *ret_present)
{
    const struct l2v_ike1_natt_info *info = l2v_ike1_natt_get(natd->dialect);
    uint8_t local[L2V_HASH_MAX], remote[L2V_HASH_MAX];
    size_t hash_len = l2v_hash_len(natd->hash);
    uint32_t nat = 0;
    int rc;

    if (info->payload_natd == 0 || l2v_ike_message_count(m, info->payload_natd) < 2) {
        *ret_nat = 0;
        *ret_present = false;
        return 0;
    }
    rc = l2v_ike1_natd_hash(crypto, natd->hash, natd->icookie, natd->rcookie, natd->local, local);
    if (rc == 0) {
        rc = l2v_ike1_natd_hash(crypto, natd->hash, natd->icookie, natd->rcookie, natd->remote,
                                remote);
    }
    if (rc != 0) {
        return rc;
    }
    /* The first is the address under which the peer knows us; of the others, one must be the
     * address under which we know the peer. */
    if (!payload_is(l2v_ike_message_find(m, info->payload_natd, 0), local, hash_len)) {
        nat |= L2TPVOIP_NAT_LOCAL;
    }
    nat |= L2TPVOIP_NAT_REMOTE;
    for (unsigned i = 1; i < NATD_MAX; i++) {
        const struct l2v_ike_payload *p = l2v_ike_message_find(m, info->payload_natd, i);
        if (p == NULL) {
            break;
        }
        if (payload_is(p, remote, hash_len)) {
            nat &= ~L2TPVOIP_NAT_REMOTE;
        }
    }
    *ret_nat = nat;
    *ret_present = true;
    return 0;
}

const struct l2v_ike_payload *l2v_ike1_natd_first(const struct l2v_ike_message *m,
                                                  enum l2v_ike1_dialect dialect)
{
    const struct l2v_ike1_natt_info *info = l2v_ike1_natt_get(dialect);
    return info->payload_natd != 0 ? l2v_ike_message_find(m, info->payload_natd, 0) : NULL;
}

/* --- NAT-OA ---------------------------------------------------------------------------------- */

static void write_oa(struct l2v_ike_build *b, unsigned type, const l2tpvoip_addr *addr)
{
    l2v_ike_build_payload(b, type);
    l2v_write_u8(&b->w, addr->family == 6 ? L2V_IKE_ID_IPV6 : L2V_IKE_ID_IPV4);
    l2v_write_zero(&b->w, 3);
    l2v_write_bytes(&b->w, addr->ip, l2v_addr_ip_len(addr));
}

void l2v_ike1_natoa_write(struct l2v_ike_build *b, enum l2v_ike1_dialect dialect,
                          const l2tpvoip_addr *oai, const l2tpvoip_addr *oar, bool initiator)
{
    unsigned type = l2v_ike1_natt_get(dialect)->payload_natoa;
    if (dialect == L2V_IKE1_NATT_NONE) {
        return;
    }
    if (dialect == L2V_IKE1_NATT_DRAFT02) {
        write_oa(b, type, initiator ? oai : oar);
        return;
    }
    write_oa(b, type, oai);
    write_oa(b, type, oar);
}

int l2v_ike1_natoa_read(const struct l2v_ike_payload *p, l2tpvoip_addr *ret_addr)
{
    struct l2v_reader r;
    l2tpvoip_addr a;
    unsigned type, reserved;
    size_t n;

    memset(&a, 0, sizeof(a));
    l2v_reader_init(&r, p->body, p->len);
    type = l2v_read_u8(&r);
    reserved = l2v_read_u8(&r);
    reserved |= l2v_read_u16(&r);
    a.family = type == L2V_IKE_ID_IPV4 ? 4 : type == L2V_IKE_ID_IPV6 ? 6 : 0;
    n = l2v_addr_ip_len(&a);
    if (r.failed || n == 0 || reserved != 0 || l2v_reader_left(&r) != n) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    l2v_read_copy(&r, a.ip, n);
    *ret_addr = a;
    return 0;
}

static bool is_natoa(unsigned type)
{
    return type == L2V_IKE1_PAYLOAD_NATOA || type == L2V_IKE1_PAYLOAD_NATOA_DRAFT02 ||
           type == L2V_IKE1_PAYLOAD_NATOA_DRAFT05;
}

int l2v_ike1_natoa_gather(const struct l2v_ike_message *m, bool peer_is_initiator,
                          l2tpvoip_addr *ret_oai, l2tpvoip_addr *ret_oar)
{
    l2tpvoip_addr found[2];
    unsigned n = 0;

    memset(found, 0, sizeof(found));
    for (unsigned i = 0; i < m->n; i++) {
        if (!is_natoa(m->payloads[i].type)) {
            continue;
        }
        if (n == 2 || l2v_ike1_natoa_read(&m->payloads[i], &found[n]) != 0) {
            return L2TPVOIP_ERR_MALFORMED;
        }
        n++;
    }
    if (n == 1 && !peer_is_initiator) {
        found[1] = found[0];
        memset(&found[0], 0, sizeof(found[0]));
    }
    *ret_oai = found[0];
    *ret_oar = found[1];
    return 0;
}
