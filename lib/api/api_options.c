/* SPDX-License-Identifier: MIT */
/* Versioned structures: defaults, and copies between versions. A member that is 0 takes its
 * default, so that "zeroed" and "default" are the same but for what is set here. */
#include <string.h>

#include "l2v_api.h"

/* Elements of arrays have a frozen size: a program compiled with an older header strides by it. */
_Static_assert(sizeof(l2tpvoip_addr) == 24, "l2tpvoip_addr is frozen");
_Static_assert(sizeof(l2tpvoip_failure) == 528, "l2tpvoip_failure is frozen");
#if UINTPTR_MAX > UINT32_MAX
_Static_assert(sizeof(l2tpvoip_datagram) == 128, "l2tpvoip_datagram is frozen");
_Static_assert(sizeof(l2tpvoip_message) == 128, "l2tpvoip_message is frozen");
_Static_assert(sizeof(l2tpvoip_event) == 152, "l2tpvoip_event is frozen");
#endif

void l2v_api_init(void *options, size_t size)
{
    uint32_t size32 = (uint32_t)size;
    if (options == NULL || size < sizeof size32) {
        return;
    }
    memset(options, 0, size);
    memcpy(options, &size32, sizeof size32);
}

int l2v_api_copy_in(void *dst, size_t dst_size, const void *src)
{
    uint32_t size = 0;
    memcpy(&size, src, sizeof size);
    if (size < 2 * sizeof size) {
        return L2TPVOIP_ERR_INVALID; /* not initialised */
    }
    const uint8_t *bytes = src;
    for (size_t i = dst_size; i < size; i++) {
        if (bytes[i] != 0) {
            return L2TPVOIP_ERR_INVALID; /* asks for what this version does not know */
        }
    }
    memset(dst, 0, dst_size);
    memcpy(dst, src, size < dst_size ? size : dst_size);
    return 0;
}

void l2v_api_copy_out(void *dst, const void *src, size_t src_size)
{
    uint32_t size = 0;
    memcpy(&size, dst, sizeof size);
    memset(dst, 0, size);
    memcpy(dst, src, size < src_size ? size : src_size);
    memcpy(dst, &size, sizeof size);
}

/* Writes a default if the caller's version of the structure has the member. */
#define HAS(type, member, size) ((size) >= offsetof(type, member) + sizeof(((type *)0)->member))
#define SET(type, options, size, member, value)                                                   \
    do {                                                                                           \
        if (HAS(type, member, size)) {                                                             \
            (options)->member = (value);                                                           \
        }                                                                                          \
    } while (0)

void l2tpvoip_context_options_init(l2tpvoip_context_options *options, size_t size)
{
    l2v_api_init(options, size);
    if (options != NULL) {
        SET(l2tpvoip_context_options, options, size, max_packets, 4096);
    }
}

void l2tpvoip_ipsec_options_init(l2tpvoip_ipsec_options *options, size_t size)
{
    l2v_api_init(options, size);
}

void l2tpvoip_l2tp_options_init(l2tpvoip_l2tp_options *options, size_t size)
{
    l2v_api_init(options, size);
}

void l2tpvoip_ppp_options_init(l2tpvoip_ppp_options *options, size_t size)
{
    l2v_api_init(options, size);
}

void l2tpvoip_tunnel_options_init(l2tpvoip_tunnel_options *options, size_t size)
{
    l2v_api_init(options, size);
    if (options == NULL || size < sizeof *options) {
        return;
    }
    l2tpvoip_ipsec_options_init(&options->ipsec, sizeof options->ipsec);
    l2tpvoip_l2tp_options_init(&options->l2tp, sizeof options->l2tp);
    l2tpvoip_ppp_options_init(&options->ppp, sizeof options->ppp);
    options->connect_timeout_ms = 30000;
    options->path_mtu = 1500;
}

void l2tpvoip_server_options_init(l2tpvoip_server_options *options, size_t size)
{
    l2v_api_init(options, size);
    if (options == NULL || size < sizeof *options) {
        return;
    }
    l2tpvoip_ipsec_options_init(&options->ipsec, sizeof options->ipsec);
    l2tpvoip_l2tp_options_init(&options->l2tp, sizeof options->l2tp);
    l2tpvoip_ppp_options_init(&options->ppp, sizeof options->ppp);
    options->path_mtu = 1500;
    options->half_open_max = 4096;
}

void l2tpvoip_socket_options_init(l2tpvoip_socket_options *options, size_t size)
{
    l2v_api_init(options, size);
    if (options != NULL && size >= sizeof *options) {
        options->type = L2TPVOIP_SOCKET_UDP;
        options->local.family = 4;
        options->recv_queue = 256;
    }
}
