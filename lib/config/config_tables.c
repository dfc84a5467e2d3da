/* SPDX-License-Identifier: MIT */
/* The keys of a configuration and where each goes. */
#include "config_priv.h"

#define AT(type, member) .offset = offsetof(type, member)
#define COUNT(type, member) .offset2 = offsetof(type, member)
#define TABLE(rows)                                                                                \
    {                                                                                              \
        rows, sizeof rows / sizeof rows[0], 0, NULL                                                \
    }

static const char *security_name(uint32_t i)
{
    static const char *const names[] = {"ipsec", "none"};
    return i < 2 ? names[i] : NULL;
}

static const char *vendor_ids_name(uint32_t i)
{
    static const char *const names[] = {"full", "minimal", "none"};
    return i < 3 ? names[i] : NULL;
}

static const char *auth_name(uint32_t i) /* in the order of the L2TPVOIP_AUTH_ bits */
{
    static const char *const names[] = {"pap",     "chap-md5",     "mschapv2",
                                        "eap-md5", "eap-mschapv2", "none"};
    return i < 6 ? names[i] : NULL;
}

static void init_psk(void *element)
{
    ((l2tpvoip_psk *)element)->size = sizeof(l2tpvoip_psk);
}

static void init_user(void *element)
{
    ((l2tpvoip_user *)element)->size = sizeof(l2tpvoip_user);
}

#define PSK(m) AT(l2tpvoip_psk, m)
static const struct l2v_config_field psk_fields[] = {
    {"psk", L2V_CONFIG_SECRET, true, PSK(key), COUNT(l2tpvoip_psk, len), .min = 1, .max = 256},
    {"remote_id", L2V_CONFIG_TEXT, false, PSK(remote_id)},
};
static const struct l2v_config_table psk_table = {psk_fields, 2, sizeof(l2tpvoip_psk), init_psk};

#define IPSEC(m) AT(struct l2v_config_ipsec, m)
#define OPTION(m) AT(struct l2v_config_ipsec, options.m)
#define FLAG(key, bit)                                                                             \
    {                                                                                              \
        key, L2V_CONFIG_FLAG, false, OPTION(flags), .mask = L2TPVOIP_IPSEC_##bit                   \
    }
#define NOT_FLAG(key, bit)                                                                         \
    {                                                                                              \
        key, L2V_CONFIG_NOT_FLAG, false, OPTION(flags), .mask = L2TPVOIP_IPSEC_##bit               \
    }

static const struct l2v_config_field ipsec_fields[] = {
    {"profile", L2V_CONFIG_ENUM, false, OPTION(profile), .name = l2tpvoip_profile_name},
    {"security", L2V_CONFIG_ENUM, false, OPTION(security), .name = security_name},
    {"psk", L2V_CONFIG_SECRET, false, IPSEC(psk), COUNT(struct l2v_config_ipsec, psk_len), .min = 1,
     .max = 256},
    {"psks", L2V_CONFIG_LIST, false, IPSEC(psks), COUNT(struct l2v_config_ipsec, n_psks), .max = 8,
     .table = &psk_table},
    {"local_id", L2V_CONFIG_TEXT, false, OPTION(local_id)},
    {"remote_id", L2V_CONFIG_TEXT, false, OPTION(remote_id)},
    {"ike_proposals", L2V_CONFIG_TEXTS, false, OPTION(ike_proposals)},
    {"esp_proposals", L2V_CONFIG_TEXTS, false, OPTION(esp_proposals)},
    {"ike_lifetime_s", L2V_CONFIG_U32, false, OPTION(ike_lifetime_s), .min = 60, .max = 604800},
    {"esp_lifetime_s", L2V_CONFIG_U32, false, OPTION(esp_lifetime_s), .min = 60, .max = 604800},
    {"esp_lifetime_bytes", L2V_CONFIG_U64, false, OPTION(esp_lifetime_bytes), .min = 65536,
     .max = UINT64_MAX},
    {"dpd_interval_s", L2V_CONFIG_U32, false, OPTION(dpd_interval_s), .min = 1, .max = 3600},
    {"dpd_timeout_s", L2V_CONFIG_U32, false, OPTION(dpd_timeout_s), .min = 2, .max = 7200},
    {"natt_keepalive_s", L2V_CONFIG_U32, false, OPTION(natt_keepalive_s), .min = 1, .max = 3600},
    {"replay_window", L2V_CONFIG_U32, false, OPTION(replay_window), .min = 64, .max = 65536},
    {"retransmit_ms", L2V_CONFIG_U32, false, OPTION(retransmit_ms), .min = 50, .max = 60000},
    {"retransmit_tries", L2V_CONFIG_U32, false, OPTION(retransmit_tries), .min = 1, .max = 20},
    {"ike_port", L2V_CONFIG_U16, false, OPTION(ike_port), .min = 1, .max = 65535},
    {"natt_port", L2V_CONFIG_U16, false, OPTION(natt_port), .min = 1, .max = 65535},
    {"vendor_ids", L2V_CONFIG_ENUM, false, OPTION(vendor_ids), .name = vendor_ids_name},
    FLAG("pfs", PFS),
    FLAG("force_encaps", FORCE_ENCAPS),
    FLAG("sha256_96", SHA256_96),
    FLAG("nat_parrot", NAT_PARROT),
    FLAG("child_dies_with_ike", CHILD_DIES_WITH_IKE),
    NOT_FLAG("dpd", NO_DPD),
    NOT_FLAG("initial_contact", NO_INITIAL_CONTACT),
    FLAG("allow_3des", ALLOW_3DES),
    FLAG("allow_modp1024", ALLOW_MODP1024),
    FLAG("allow_sha1", ALLOW_SHA1),
    FLAG("natt_drafts", NATT_DRAFTS),
    NOT_FLAG("fragmentation", NO_FRAGMENTATION),
    FLAG("esn", ESN),
    NOT_FLAG("diagnose", NO_DIAGNOSE),
    FLAG("accept_any_port", ACCEPT_ANY_PORT),
};
static const struct l2v_config_table ipsec_table = TABLE(ipsec_fields);

#define L2TP(m) AT(l2tpvoip_l2tp_options, m)
static const struct l2v_config_field l2tp_fields[] = {
    {"host_name", L2V_CONFIG_TEXT, false, L2TP(host_name)},
    {"secret", L2V_CONFIG_SECRET, false, L2TP(secret), COUNT(l2tpvoip_l2tp_options, secret_len),
     .min = 1, .max = 256},
    {"hello_interval_s", L2V_CONFIG_U32, false, L2TP(hello_interval_s), .min = 1, .max = 3600},
    {"receive_window", L2V_CONFIG_U32, false, L2TP(receive_window), .min = 1, .max = 1024},
    {"retransmit_ms", L2V_CONFIG_U32, false, L2TP(retransmit_ms), .min = 50, .max = 8000},
    {"retransmit_tries", L2V_CONFIG_U32, false, L2TP(retransmit_tries), .min = 1, .max = 20},
    {"local_port", L2V_CONFIG_U16, false, L2TP(local_port), .min = 1, .max = 65535},
    {"remote_port", L2V_CONFIG_U16, false, L2TP(remote_port), .min = 1, .max = 65535},
    {"hide_avps", L2V_CONFIG_FLAG, false, L2TP(flags), .mask = L2TPVOIP_L2TP_HIDE_AVPS},
    {"length_bit", L2V_CONFIG_FLAG, false, L2TP(flags), .mask = L2TPVOIP_L2TP_LENGTH_BIT},
};
static const struct l2v_config_table l2tp_table = TABLE(l2tp_fields);

#define PPP(m) AT(l2tpvoip_ppp_options, m)
#define PPP_COMMON                                                                                 \
    {"auth", L2V_CONFIG_BITS, false, PPP(auth), .name = auth_name},                                \
        {"mru", L2V_CONFIG_U32, false, PPP(mru), .min = 576, .max = 1500},                         \
        {"echo_interval_s", L2V_CONFIG_U32, false, PPP(echo_interval_s), .min = 1, .max = 3600},   \
        {"echo_failures", L2V_CONFIG_U32, false, PPP(echo_failures), .min = 1, .max = 100},        \
        {"restart_ms", L2V_CONFIG_U32, false, PPP(restart_ms), .min = 50, .max = 60000},           \
        {"ipv6", L2V_CONFIG_NOT_FLAG, false, PPP(flags), .mask = L2TPVOIP_PPP_NO_IPV6},            \
        {"ipv4", L2V_CONFIG_NOT_FLAG, false, PPP(flags), .mask = L2TPVOIP_PPP_NO_IPV4},            \
        {"compress", L2V_CONFIG_NOT_FLAG, false, PPP(flags), .mask = L2TPVOIP_PPP_NO_COMPRESS},    \
    {                                                                                              \
        "send_ff03", L2V_CONFIG_FLAG, false, PPP(flags), .mask = L2TPVOIP_PPP_SEND_FF03            \
    }

static const struct l2v_config_field client_ppp_fields[] = {
    {"user", L2V_CONFIG_TEXT, false, PPP(user)},
    {"password", L2V_CONFIG_SECRET, false, PPP(password), COUNT(l2tpvoip_ppp_options, password_len),
     .min = 1, .max = 256},
    {"request_ip", L2V_CONFIG_IP, false, PPP(request_ip)},
    PPP_COMMON,
};
static const struct l2v_config_field server_ppp_fields[] = {
    {"dns", L2V_CONFIG_IPS, false, PPP(dns), .max = 2},
    PPP_COMMON,
};
static const struct l2v_config_table client_ppp_table = TABLE(client_ppp_fields);
static const struct l2v_config_table server_ppp_table = TABLE(server_ppp_fields);

#define CLIENT(m) AT(struct l2v_config_client, m)
static const struct l2v_config_field client_fields[] = {
    {"server", L2V_CONFIG_TEXT, true, CLIENT(options.server)},
    {"interface", L2V_CONFIG_TEXT, false, CLIENT(options.interface_name)},
    {"local", L2V_CONFIG_ADDR, false, CLIENT(options.local)},
    {"connect_timeout_ms", L2V_CONFIG_U32, false, CLIENT(options.connect_timeout_ms), .min = 1000,
     .max = 600000},
    {"path_mtu", L2V_CONFIG_U32, false, CLIENT(options.path_mtu), .min = 576, .max = 9000},
    {"ipsec", L2V_CONFIG_SECTION, false, CLIENT(ipsec), .table = &ipsec_table},
    {"l2tp", L2V_CONFIG_SECTION, false, CLIENT(options.l2tp), .table = &l2tp_table},
    {"ppp", L2V_CONFIG_SECTION, false, CLIENT(options.ppp), .table = &client_ppp_table},
};
const struct l2v_config_table l2v_config_client_table = TABLE(client_fields);

#define USER(m) AT(l2tpvoip_user, m)
static const struct l2v_config_field user_fields[] = {
    {"name", L2V_CONFIG_TEXT, true, USER(name)},
    {"password", L2V_CONFIG_SECRET, true, USER(password), COUNT(l2tpvoip_user, password_len),
     .min = 1, .max = 256},
    {"ip", L2V_CONFIG_IP, false, USER(ip)},
};
static const struct l2v_config_table user_table = {user_fields, 3, sizeof(l2tpvoip_user),
                                                   init_user};

#define SERVER(m) AT(struct l2v_config_server, m)
static const struct l2v_config_field server_fields[] = {
    {"listen", L2V_CONFIG_IP, true, SERVER(options.listen)},
    {"gateway", L2V_CONFIG_IP, true, SERVER(options.gateway)},
    {"pool_first", L2V_CONFIG_IP, true, SERVER(options.pool_first)},
    {"pool_size", L2V_CONFIG_U32, true, SERVER(options.pool_size), .min = 1, .max = 65536},
    {"max_sessions", L2V_CONFIG_U32, false, SERVER(options.max_sessions), .min = 1, .max = 65536},
    {"path_mtu", L2V_CONFIG_U32, false, SERVER(options.path_mtu), .min = 576, .max = 9000},
    {"half_open_max", L2V_CONFIG_U32, false, SERVER(options.half_open_max), .min = 16,
     .max = 1048576},
    {"users", L2V_CONFIG_LIST, false, SERVER(users), COUNT(struct l2v_config_server, n_users),
     .max = 65536, .table = &user_table},
    {"ipsec", L2V_CONFIG_SECTION, false, SERVER(ipsec), .table = &ipsec_table},
    {"l2tp", L2V_CONFIG_SECTION, false, SERVER(options.l2tp), .table = &l2tp_table},
    {"ppp", L2V_CONFIG_SECTION, false, SERVER(options.ppp), .table = &server_ppp_table},
};
const struct l2v_config_table l2v_config_server_table = TABLE(server_fields);
