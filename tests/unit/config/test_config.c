/* SPDX-License-Identifier: MIT */
/* YAML: what is read, and how each mistake is told. */
#include "test_config.h"

static const l2tpvoip_config_extra extras[] = {{"control", L2TPVOIP_CONFIG_TEXT, 0, 0, 0},
                                               {"port", L2TPVOIP_CONFIG_NUMBER, 0, 1, 65535},
                                               {"loud", L2TPVOIP_CONFIG_BOOL, 0, 0, 0},
                                               {"at", L2TPVOIP_CONFIG_ADDR, 0, 0, 0}};

static l2tpvoip_config_options options(void)
{
    l2tpvoip_config_options o;
    l2tpvoip_config_options_init(&o, sizeof o);
    o.flags = L2TPVOIP_CONFIG_INLINE_SECRETS;
    o.section = "cli";
    o.extras = extras;
    o.n_extras = sizeof extras / sizeof extras[0];
    return o;
}

static l2tpvoip_config *read_file(const char *name)
{
    static char text[65536];
    char path[1024];
    l2tpvoip_config_options o = options();
    l2tpvoip_config *config = NULL;
    l2tpvoip_config_error error;
    (void)snprintf(path, sizeof path, "%s/yaml/%s", L2V_TEST_DATA, name);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    size_t len = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    int rc = l2tpvoip_config_parse(path, text, len, &o, &config, &error);
    ck_assert_msg(rc == 0, "%s:%u: %s: %s", path, error.line, error.key, error.message);
    return config;
}

START_TEST(whole_client)
{
    l2tpvoip_config *config = read_file("client.yaml");
    const l2tpvoip_tunnel_options *c = l2tpvoip_config_get_client(config);
    ck_assert_ptr_nonnull(c);
    ck_assert_ptr_null(l2tpvoip_config_get_server(config));
    ck_assert_uint_eq(c->size, sizeof *c);
    ck_assert_str_eq(c->server, "vpn.example.net");
    ck_assert_str_eq(c->interface_name, "eth0");
    ck_assert_uint_eq(c->local.ip[3], 7);
    ck_assert_uint_eq(c->path_mtu, 1492);
    ck_assert_uint_eq(c->ipsec.profile, L2TPVOIP_PROFILE_ANDROID_LEGACY);
    ck_assert_uint_eq(c->ipsec.n_psks, 2);
    ck_assert_uint_eq(c->ipsec.psks[0].size, sizeof(l2tpvoip_psk));
    ck_assert_str_eq(c->ipsec.psks[0].remote_id, "vpn.example.net");
    ck_assert_uint_eq(c->ipsec.psks[1].len, 9);
    ck_assert_mem_eq(c->ipsec.psks[1].key, "two words", 9);
    ck_assert_ptr_null(c->ipsec.psks[1].remote_id);
    ck_assert_str_eq(c->ipsec.local_id, "@phone");
    ck_assert_str_eq(c->ipsec.ike_proposals, "aes256-sha256-ecp256,aes128-sha1-modp2048");
    ck_assert_str_eq(c->ipsec.esp_proposals, "aes256gcm16");
    ck_assert_uint_eq(c->ipsec.esp_lifetime_bytes, UINT64_MAX);
    ck_assert_uint_eq(c->ipsec.flags, L2TPVOIP_IPSEC_NO_DPD | L2TPVOIP_IPSEC_PFS);
    ck_assert_uint_eq(c->ipsec.vendor_ids, L2TPVOIP_VENDOR_IDS_MINIMAL);
    ck_assert_uint_eq(c->ipsec.ike_port, 501);
    ck_assert_uint_eq(c->ipsec.natt_port, 4501);
    ck_assert_str_eq(c->l2tp.host_name, "phone");
    ck_assert_uint_eq(c->l2tp.secret_len, 6);
    ck_assert_uint_eq(c->l2tp.flags, L2TPVOIP_L2TP_HIDE_AVPS);
    ck_assert_str_eq(c->ppp.user, "alice");
    ck_assert_uint_eq(c->ppp.password_len, 10);
    ck_assert_uint_eq(c->ppp.auth, L2TPVOIP_AUTH_MSCHAPV2 | L2TPVOIP_AUTH_CHAP_MD5);
    ck_assert_uint_eq(c->ppp.flags, L2TPVOIP_PPP_NO_IPV6);
    ck_assert_uint_eq(c->ppp.request_ip.ip[3], 9);
    uint64_t number = 0;
    l2tpvoip_addr at;
    ck_assert_str_eq(l2tpvoip_config_get_text(config, "control"), "/run/l2tpvoip.sock");
    ck_assert_int_eq(l2tpvoip_config_get_number(config, "port", &number), 0);
    ck_assert_uint_eq(number, 7);
    ck_assert_int_eq(l2tpvoip_config_get_number(config, "loud", &number), 0);
    ck_assert_uint_eq(number, 1);
    ck_assert_int_eq(l2tpvoip_config_get_addr(config, "at", &at), 0);
    ck_assert_uint_eq(at.port, 5060);
    ck_assert_ptr_null(l2tpvoip_config_get_text(config, "port"));
    ck_assert_int_eq(l2tpvoip_config_get_number(config, "nosuch", &number), L2TPVOIP_ERR_NOT_FOUND);
    l2tpvoip_config_free(config);
}
END_TEST

START_TEST(whole_server)
{
    l2tpvoip_config *config = read_file("server.yaml");
    const l2tpvoip_server_options *s = l2tpvoip_config_get_server(config);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(s->pool_size, 200);
    ck_assert_uint_eq(s->gateway.ip[3], 1);
    ck_assert_uint_eq(s->n_users, 2);
    ck_assert_str_eq(s->users[1].name, "bob");
    ck_assert_uint_eq(s->users[1].password_len, 7);
    ck_assert_uint_eq(s->users[0].ip.ip[3], 50);
    ck_assert_uint_eq(s->users[1].ip.family, 0);
    ck_assert_uint_eq(s->ppp.dns[1].ip[3], 2);
    ck_assert_uint_eq(s->ppp.auth, L2TPVOIP_AUTH_MSCHAPV2);
    ck_assert_uint_eq(s->ipsec.n_psks, 1);
    ck_assert_mem_eq(s->ipsec.psks[0].key, "secret", 6);
    l2tpvoip_config_free(config);
}
END_TEST

struct mistake {
    const char *text;
    unsigned line, column;
    const char *key, *message; /* message: a part of it */
};

#define CLIENT "client:\n  server: a\n"
#define PSK "  ipsec: {psk: x}\n"

static const struct mistake mistakes[] = {
    {"", 0, 0, "", "client: or server:"},
    {"- a\n", 0, 0, "", "must be a mapping"},
    {"cli: {port: 1}\n", 0, 0, "", "neither client: nor server:"},
    {"other: 1\n", 1, 1, "other", "unknown key; allowed: client, server, cli"},
    {CLIENT "  sever: b\n", 3, 3, "client.sever", "unknown key; allowed: server, interface"},
    {CLIENT PSK "  server: b\n", 4, 3, "client.server", "given twice"},
    {CLIENT PSK "client:\n  server: b\n", 4, 1, "client", "given twice"},
    {"client:\n  path_mtu: 1500\n", 2, 3, "client.server", "is missing"},
    {"client: 5\n", 1, 9, "client", "must be a mapping"},
    {"client:\n  server: [a]\n", 2, 11, "client.server", "must be a text"},
    {"client:\n  server: ~\n", 2, 11, "client.server", "not empty"},
    {"client:\n  server:\n", 2, 10, "client.server", "not empty"},
    {CLIENT "  path_mtu: big\n", 3, 13, "client.path_mtu", "whole number from 576 to 9000"},
    {CLIENT "  path_mtu: \"1500\"\n", 3, 13, "client.path_mtu", "whole number"},
    {CLIENT "  path_mtu: 100\n", 3, 13, "client.path_mtu", "out of range; allowed: 576 to 9000"},
    {CLIENT "  path_mtu: 99999999999999999999999\n", 3, 13, "client.path_mtu", "out of range"},
    {CLIENT "  path_mtu: -1\n", 3, 13, "client.path_mtu", "whole number"},
    {CLIENT "  path_mtu: 0x600\n", 3, 13, "client.path_mtu", "whole number"},
    {CLIENT "  local: nowhere\n", 3, 10, "client.local", "no IP address"},
    {CLIENT "  ipsec:\n    profile: moden\n", 4, 14, "client.ipsec.profile",
     "unknown value \"moden\"; allowed: modern, compatible, windows"},
    {CLIENT "  ipsec:\n    pfs: yes\n", 4, 10, "client.ipsec.pfs", "true or false"},
    {CLIENT "  ipsec:\n    psks: []\n", 4, 11, "client.ipsec.psks", "1 to 8 entries"},
    {CLIENT "  ipsec:\n    psks: [{remote_id: a}]\n", 4, 12, "client.ipsec.psks[0].psk",
     "give psk_file or psk_env"},
    {CLIENT "  ipsec:\n    psk: a\n    psks: [{psk: b}]\n", 2, 3, "client.ipsec", "not both"},
    {CLIENT "  ipsec:\n    psk: a\n    psk_env: b\n", 5, 5, "client.ipsec.psk_env", "given twice"},
    {CLIENT, 2, 3, "client.ipsec", "pre-shared key is missing"},
    {CLIENT PSK "  ppp: {auth: [pap, pap]}\n", 4, 21, "client.ppp.auth", "\"pap\" is given twice"},
    {CLIENT PSK "  ppp: {auth: [rot13]}\n", 4, 16, "client.ppp.auth", "allowed: pap, chap-md5"},
    {CLIENT PSK "  ppp: {request_ip: 10.0.0.1:5}\n", 4, 21, "client.ppp.request_ip", "no port"},
    {CLIENT PSK "cli: {port: 0}\n", 4, 13, "cli.port", "allowed: 1 to 65535"},
    {CLIENT PSK "cli: {color: red}\n", 4, 7, "cli.color", "allowed: control, port, loud, at"},
    {"server: {listen: 0.0.0.0, gateway: 10.0.0.1, pool_first: 10.0.0.2, pool_size: 1, ipsec: "
     "{psk: x}}\n",
     1, 9, "server.users", "is missing"},
    {"server: {listen: 0.0.0.0, gateway: 10.0.0.1, pool_first: 10.0.0.2, pool_size: 1, ppp: {dns: "
     "[1.1.1.1, 1.1.1.2, 1.1.1.3]}}\n",
     1, 112, "server.ppp.dns", "at most 2"},
    {"client: {server: &a b}\n", 1, 18, "", "anchors"},
    {"client: {server: *a}\n", 1, 18, "", "aliases"},
    {"client: {server: !!str b}\n", 1, 18, "", "tags"},
    {CLIENT PSK "---\nclient: {}\n", 4, 1, "", "further documents"},
    {"client: {{{{{{{{{{{{{{{{{{\n", 1, 24, "", "deeper"},
    {"client:\n\tserver: a\n", 2, 1, "", "not valid YAML"},
    {"client: {server: \"a\n", 2, 1, "", "not valid YAML"},
    {"client: {server: a\n", 2, 1, "", "not valid YAML"},
    {"client: {server: \"a\\0b\"}\n", 1, 18, "client.server", "NUL"},
    {"client: {[a]: b}\n", 1, 10, "client", "must be a text"},
};

START_TEST(each_mistake)
{
    const struct mistake *m = &mistakes[_i];
    l2tpvoip_config_options o = options();
    l2tpvoip_config *config = NULL;
    l2tpvoip_config_error e;
    char text[2048], where[300];
    int rc = l2tpvoip_config_parse("dir/x.yaml", m->text, strlen(m->text), &o, &config, &e);
    ck_assert_msg(rc == L2TPVOIP_ERR_CONFIG, "%d for %s", rc, m->text);
    ck_assert_ptr_null(config);
    ck_assert_msg(e.line == m->line && e.column == m->column, "%u:%u, expected %u:%u: %s", e.line,
                  e.column, m->line, m->column, m->text);
    ck_assert_str_eq(e.key, m->key);
    ck_assert_msg(strstr(e.message, m->message) != NULL, "%s", e.message);
    ck_assert_str_eq(e.file, "dir/x.yaml");
    (void)l2tpvoip_config_error_format(&e, text, sizeof text);
    (void)snprintf(where, sizeof where, "dir/x.yaml:%u:%u: ", m->line, m->column);
    ck_assert(m->line == 0 || strncmp(text, where, strlen(where)) == 0);
}
END_TEST

/* Every prefix of a good file either reads or gives one clear error. */
START_TEST(truncated)
{
    static char text[65536];
    char path[1024];
    l2tpvoip_config_options o = options();
    (void)snprintf(path, sizeof path, "%s/yaml/client.yaml", L2V_TEST_DATA);
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    size_t len = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    for (size_t n = 0; n < len; n++) {
        l2tpvoip_config *config = NULL;
        l2tpvoip_config_error e;
        int rc = l2tpvoip_config_parse("x", text, n, &o, &config, &e);
        ck_assert(rc == 0 || (rc == L2TPVOIP_ERR_CONFIG && e.message[0] != '\0'));
        l2tpvoip_config_free(config);
    }
}
END_TEST

START_TEST(plain_l2tp_needs_no_key)
{
    static const char text[] = "client: {server: a, ipsec: {security: none}}";
    l2tpvoip_config *config = NULL;
    ck_assert_int_eq(l2tpvoip_config_parse("x", text, sizeof text - 1, NULL, &config, NULL), 0);
    ck_assert_uint_eq(l2tpvoip_config_get_client(config)->ipsec.security, L2TPVOIP_SECURITY_NONE);
    l2tpvoip_config_free(config);
    ck_assert_int_eq(l2tpvoip_config_parse(NULL, text, 1, NULL, &config, NULL),
                     L2TPVOIP_ERR_INVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tc = tcase_create("yaml");
    tcase_add_test(tc, whole_client);
    tcase_add_test(tc, whole_server);
    tcase_add_loop_test(tc, each_mistake, 0, (int)(sizeof mistakes / sizeof mistakes[0]));
    tcase_add_test(tc, truncated);
    tcase_add_test(tc, plain_l2tp_needs_no_key);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, test_config_secret());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
