/* SPDX-License-Identifier: MIT */
/* Numbers of PPP on the wire: protocols, codes, option types (RFC 1661, 1332, 1334, 1570, 1877,
 * 1994, 3748, 5072). */
#ifndef L2V_PPP_WIRE_H
#define L2V_PPP_WIRE_H

enum {
    L2V_PPP_PROTO_IPV4 = 0x0021,
    L2V_PPP_PROTO_IPV6 = 0x0057,
    L2V_PPP_PROTO_IPCP = 0x8021,
    L2V_PPP_PROTO_IPV6CP = 0x8057,
    L2V_PPP_PROTO_CCP = 0x80fd,
    L2V_PPP_PROTO_LCP = 0xc021,
    L2V_PPP_PROTO_PAP = 0xc023,
    L2V_PPP_PROTO_CHAP = 0xc223,
    L2V_PPP_PROTO_EAP = 0xc227
};

/* Codes of LCP and the NCPs. */
enum {
    L2V_PPP_CONF_REQ = 1,
    L2V_PPP_CONF_ACK = 2,
    L2V_PPP_CONF_NAK = 3,
    L2V_PPP_CONF_REJ = 4,
    L2V_PPP_TERM_REQ = 5,
    L2V_PPP_TERM_ACK = 6,
    L2V_PPP_CODE_REJ = 7,
    L2V_PPP_PROTO_REJ = 8, /* from here on LCP alone */
    L2V_PPP_ECHO_REQ = 9,
    L2V_PPP_ECHO_REP = 10,
    L2V_PPP_DISCARD_REQ = 11,
    L2V_PPP_IDENTIFICATION = 12, /* rfc1570#2.1 */
    L2V_PPP_TIME_REMAINING = 13  /* rfc1570#2.2 */
};

enum {
    L2V_PPP_LCP_MRU = 1,
    L2V_PPP_LCP_ACCM = 2,
    L2V_PPP_LCP_AUTH = 3,
    L2V_PPP_LCP_MAGIC = 5,
    L2V_PPP_LCP_PFC = 7,
    L2V_PPP_LCP_ACFC = 8
};

enum { L2V_PPP_IPCP_ADDRESS = 3, L2V_PPP_IPCP_DNS1 = 129, L2V_PPP_IPCP_DNS2 = 131 };
enum { L2V_PPP_IPV6CP_IFID = 1 };
enum { L2V_PPP_CHAP_ALGO_MD5 = 5, L2V_PPP_CHAP_ALGO_MSCHAPV2 = 0x81 };

#define L2V_PPP_HEADER_LEN 4u     /* of LCP, NCP, PAP, CHAP and EAP packets alike */
#define L2V_PPP_DEFAULT_MRU 1500u /* rfc1661#6.1 */

#endif
