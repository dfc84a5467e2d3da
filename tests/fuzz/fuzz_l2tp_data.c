/* SPDX-License-Identifier: MIT */
/* The UDP 1701 header and the L2TP header: any octets; what the parser accepts must hang together,
 * and a data header that we build must read back. */
#include <stdlib.h>

#include "base_wire.h"
#include "l2tp_wire.h"
#include "l2v_l2tp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_header(const uint8_t *data, size_t len)
{
    struct l2v_l2tp_header h, again;
    uint8_t built[L2V_L2TP_DATA_HEADER_MAX + 4] = {0};
    if (l2v_l2tp_header_parse(data, len, &h) != 0) {
        return;
    }
    check(h.len <= len && h.header_len <= h.len && h.header_len >= 6);
    if ((h.flags & L2V_L2TP_T) != 0) {
        check(h.header_len == L2V_L2TP_CONTROL_HEADER);
        return;
    }
    unsigned flags = h.flags & (L2V_L2TP_L | L2V_L2TP_S);
    size_t header_len = l2v_l2tp_header_data_len(flags);
    l2v_l2tp_header_put_data(built, flags, h.tunnel_id, h.session_id, h.ns, 4);
    check(l2v_l2tp_header_parse(built, header_len + 4, &again) == 0);
    check(again.tunnel_id == h.tunnel_id && again.session_id == h.session_id && again.ns == h.ns &&
          again.header_len == header_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct l2v_env env;
    uint16_t peer_port, own_port;
    if (env.mem.malloc_fn == NULL && l2v_env_init(&env, NULL, NULL, NULL, NULL, 1) != 0) {
        abort();
    }
    check_header(data, len);
    if (len > L2V_PKT_SIZE) {
        return 0;
    }
    struct l2v_pkt *pkt = l2v_pkt_copy(&env, data, len);
    if (pkt == NULL) {
        return 0;
    }
    if (l2v_l2tp_udp_pull(pkt, &peer_port, &own_port) == 0) {
        check(pkt->len + 8 <= len);
        check_header(pkt->data, pkt->len);
    }
    l2v_pkt_free(pkt);
    return 0;
}
