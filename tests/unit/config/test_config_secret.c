/* SPDX-License-Identifier: MIT */
/* Secrets: files with their modes, environment, and the configuration itself. */
#define _GNU_SOURCE /* setenv */
#include <sys/stat.h>
#include <unistd.h>

#include "test_config.h"

static char folder[64];

static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/l2v_config_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    static const char *const names[] = {"c.yaml", "psk", "link"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

static void write_file(const char *name, const char *text, size_t len, unsigned mode)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, (mode_t)mode), 0);
}

/* Loads c.yaml with one line of ipsec; the key, or an error. */
static int load(const char *line, unsigned mode, char *key, l2tpvoip_config_error *error)
{
    char text[256], path[128];
    l2tpvoip_config *config = NULL;
    int n = snprintf(text, sizeof text, "client:\n  server: a\n  ipsec:\n    %s\n", line);
    write_file("c.yaml", text, (size_t)n, mode);
    (void)snprintf(path, sizeof path, "%s/c.yaml", folder);
    int rc = l2tpvoip_config_load(path, NULL, &config, error);
    if (rc == 0) {
        const l2tpvoip_psk *psk = l2tpvoip_config_get_client(config)->ipsec.psks;
        memcpy(key, psk->key, psk->len);
        key[psk->len] = '\0';
    }
    l2tpvoip_config_free(config);
    return rc;
}

START_TEST(from_file)
{
    l2tpvoip_config_error e;
    char key[300];
    write_file("psk", "s3cret\n", 7, 0600);
    ck_assert_int_eq(load("psk_file: psk", 0644, key, &e), 0); /* beside the configuration */
    ck_assert_str_eq(key, "s3cret");
    write_file("psk", " two lines\r\n\r\n", 14, 0400);
    ck_assert_int_eq(load("psk_file: psk", 0644, key, &e), 0);
    ck_assert_str_eq(key, " two lines\r\n"); /* one line end only */
    static const unsigned open_modes[] = {0640, 0604, 0660, 0644, 0601, 0620};
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        write_file("psk", "s3cret", 6, open_modes[i]);
        ck_assert_int_eq(load("psk_file: psk", 0600, key, &e), L2TPVOIP_ERR_PERMISSION);
        ck_assert_msg(strncmp(e.next_step, "chmod 600 ", 10) == 0, "%s", e.next_step);
        ck_assert_uint_eq(e.line, 4);
        ck_assert_uint_eq(e.column, 15);
        ck_assert_str_eq(e.key, "client.ipsec.psk_file");
    }
    write_file("psk", "", 0, 0600);
    ck_assert_int_eq(load("psk_file: psk", 0600, key, &e), L2TPVOIP_ERR_CONFIG);
    static char large[5000];
    memset(large, 'x', sizeof large);
    write_file("psk", large, 257, 0600);
    ck_assert_int_eq(load("psk_file: psk", 0600, key, &e), L2TPVOIP_ERR_CONFIG);
    ck_assert(strstr(e.message, "allowed: 1 to 256") != NULL);
    write_file("psk", large, sizeof large, 0600);
    ck_assert_int_eq(load("psk_file: psk", 0600, key, &e), L2TPVOIP_ERR_CONFIG);
    ck_assert_int_eq(load("psk_file: nosuch", 0600, key, &e), L2TPVOIP_ERR_CONFIG);
    ck_assert(strstr(e.message, "cannot read") != NULL);
    ck_assert_int_eq(load("psk_file: .", 0600, key, &e), L2TPVOIP_ERR_CONFIG);
    ck_assert_int_eq(load("psk_file: /dev/null", 0600, key, &e), L2TPVOIP_ERR_CONFIG);
}
END_TEST

START_TEST(from_environment)
{
    l2tpvoip_config_error e;
    char key[300];
    ck_assert_int_eq(setenv("L2V_TEST_PSK", "from env", 1), 0);
    ck_assert_int_eq(load("psk_env: L2V_TEST_PSK", 0644, key, &e), 0);
    ck_assert_str_eq(key, "from env");
    ck_assert_int_eq(setenv("L2V_TEST_PSK", "", 1), 0);
    ck_assert_int_eq(load("psk_env: L2V_TEST_PSK", 0644, key, &e), L2TPVOIP_ERR_CONFIG);
    ck_assert_int_eq(unsetenv("L2V_TEST_PSK"), 0);
    ck_assert_int_eq(load("psk_env: L2V_TEST_PSK", 0644, key, &e), L2TPVOIP_ERR_CONFIG);
    ck_assert(strstr(e.message, "L2V_TEST_PSK is not set") != NULL);
}
END_TEST

START_TEST(in_the_text)
{
    l2tpvoip_config_error e;
    char key[300];
    ck_assert_int_eq(load("psk: inline", 0600, key, &e), 0);
    ck_assert_str_eq(key, "inline");
    ck_assert_int_eq(load("psk: inline", 0640, key, &e), L2TPVOIP_ERR_PERMISSION);
    ck_assert(strstr(e.next_step, "psk_file") != NULL);
    ck_assert(strstr(e.message, "inline") == NULL); /* never told again */
    static const char text[] = "client: {server: a, ipsec: {psk: hidden}}";
    l2tpvoip_config *config = NULL;
    ck_assert_int_eq(l2tpvoip_config_parse("x", text, sizeof text - 1, NULL, &config, &e),
                     L2TPVOIP_ERR_PERMISSION);
}
END_TEST

START_TEST(the_file_itself)
{
    l2tpvoip_config *config = NULL;
    l2tpvoip_config_error e;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/nosuch.yaml", folder);
    ck_assert_int_eq(l2tpvoip_config_load(path, NULL, &config, &e), L2TPVOIP_ERR_IO);
    ck_assert_str_eq(e.file, path);
    ck_assert_int_eq(l2tpvoip_config_load(folder, NULL, &config, &e), L2TPVOIP_ERR_IO);
    ck_assert_int_eq(l2tpvoip_config_load("/dev/zero", NULL, &config, &e), L2TPVOIP_ERR_IO);
    ck_assert_int_eq(l2tpvoip_config_load(NULL, NULL, &config, &e), L2TPVOIP_ERR_INVALID);
}
END_TEST

TCase *test_config_secret(void)
{
    TCase *tc = tcase_create("secrets");
    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, from_file);
    tcase_add_test(tc, from_environment);
    tcase_add_test(tc, in_the_text);
    tcase_add_test(tc, the_file_itself);
    return tc;
}
