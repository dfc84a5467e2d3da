/* SPDX-License-Identifier: MIT */
/* Addresses. */
#ifndef L2V_BASE_ADDR_H
#define L2V_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#include <l2tpvoip/types.h>

#define L2V_ADDR_TEXT 64

size_t l2v_addr_ip_len(const l2tpvoip_addr *a); /* 4, 16 or 0 */
bool l2v_addr_equal(const l2tpvoip_addr *a, const l2tpvoip_addr *b);    /* ip, scope and port */
bool l2v_addr_equal_ip(const l2tpvoip_addr *a, const l2tpvoip_addr *b); /* ip and scope */
bool l2v_addr_is_any(const l2tpvoip_addr *a); /* no family, or ip all zero */
int l2v_addr_format(const l2tpvoip_addr *a, char *text, size_t size);
int l2v_addr_parse(const char *text, l2tpvoip_addr *ret); /* 0, INVALID */
l2tpvoip_addr l2v_addr_from_ip4(uint32_t ip_host_order, uint16_t port);
uint32_t l2v_addr_get_ip4(const l2tpvoip_addr *a); /* host order; 0 if not IPv4 */
uint64_t l2v_addr_hash(const uint8_t key[16], const l2tpvoip_addr *a, bool with_port);

#endif
