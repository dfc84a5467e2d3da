/* SPDX-License-Identifier: MIT */
/* Version, names, addresses as text. */
#include <l2tpvoip/version.h>

#include "base_addr.h"
#include "l2v_api.h"

const char *l2tpvoip_version(void)
{
    return L2TPVOIP_VERSION;
}

const char *l2tpvoip_error_name(int code)
{
    return l2v_error_name(code);
}

const char *l2tpvoip_error_text(int code)
{
    return l2v_error_text(code);
}

const char *l2tpvoip_error_class(int code)
{
    return l2v_error_class(code);
}

const char *l2tpvoip_layer_name(int32_t layer)
{
    return l2v_layer_name(layer);
}

const char *l2tpvoip_phase_name(uint32_t phase)
{
    return l2v_phase_name(phase);
}

const char *l2tpvoip_profile_name(uint32_t profile)
{
    return l2v_profile_name(profile);
}

int l2tpvoip_addr_format(const l2tpvoip_addr *addr, char *text, size_t size)
{
    if (addr == NULL || (text == NULL && size > 0)) {
        return 0;
    }
    return l2v_addr_format(addr, text, size);
}

int l2tpvoip_addr_parse(const char *text, l2tpvoip_addr *ret_addr)
{
    if (text == NULL || ret_addr == NULL) {
        return L2TPVOIP_ERR_INVALID;
    }
    return l2v_addr_parse(text, ret_addr);
}
