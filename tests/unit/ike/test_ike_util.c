/* SPDX-License-Identifier: MIT */
/* Fixture and readers for the tests of lib/ike. */
#include <dirent.h>

#include "base_addr.h"
#include "test_ike.h"

struct ike_fixture ike_t;

void ike_setup(void)
{
    ck_assert_int_eq(test_env_init(&ike_t.te, 42), 0);
    ike_t.env = &ike_t.te.env;
    ck_assert_int_eq(l2v_crypto_new(ike_t.env, NULL, &ike_t.crypto), 0);
}

void ike_teardown(void)
{
    l2v_crypto_free(ike_t.crypto);
    test_env_clear(&ike_t.te);
    ck_assert_int_eq(ike_t.te.live, 0);
}

TCase *ike_tcase(const char *name)
{
    TCase *tc = tcase_create(name);
    tcase_add_checked_fixture(tc, ike_setup, ike_teardown);
    tcase_set_timeout(tc, 60);
    return tc;
}

l2tpvoip_addr ike_addr(const char *text)
{
    l2tpvoip_addr a;
    ck_assert_int_eq(l2v_addr_parse(text, &a), 0);
    return a;
}

static size_t load(const char *path, uint8_t *buf, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t len = 0;
    if (f != NULL) {
        len = fread(buf, 1, size, f);
        (void)fclose(f);
    }
    return len;
}

/* Captures are in the byte order of the machine that took them. */
static uint32_t get_u32(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24
               : (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

size_t ike_frame(const char *name, unsigned nth, uint8_t *buf, size_t size)
{
    static uint8_t file[1 << 20];
    char path[1024];
    size_t len, at = 24;
    bool big;

    (void)snprintf(path, sizeof(path), "%s/%s", L2V_VECTORS, name);
    len = load(path, file, sizeof(file));
    if (len == 0) {
        (void)printf("skipped: %s is absent\n", path);
        return 0;
    }
    big = file[0] == 0xa1;
    ck_assert_uint_eq(get_u32(file, big), 0xa1b2c3d4u);
    while (at + 16 <= len) {
        size_t n = get_u32(file + at + 8, big);
        const uint8_t *frame = file + at + 16;
        ck_assert_uint_le(at + 16 + n, len);
        if (--nth == 0) {
            size_t ip = 14, udp = ip + (frame[ip] & 15u) * 4u;
            size_t payload = (size_t)(frame[udp + 4] << 8 | frame[udp + 5]) - 8;
            if (frame[ip + 9] != 17 || payload > size || udp + 8 + payload > n) {
                return 0;
            }
            memcpy(buf, frame + udp + 8, payload);
            return payload;
        }
        at += 16 + n;
    }
    return 0;
}

unsigned ike_each_file(const char *folder, void (*visit)(const uint8_t *data, size_t len))
{
    static uint8_t file[1 << 16];
    char path[2048];
    struct dirent *e;
    unsigned n = 0;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "%s/%s", L2V_VECTORS, folder);
    dir = opendir(path);
    if (dir == NULL) {
        (void)printf("skipped: %s is absent\n", path);
        return 0;
    }
    while ((e = readdir(dir)) != NULL) {
        uint8_t *copy;
        size_t len;
        (void)snprintf(path, sizeof(path), "%s/%s/%s", L2V_VECTORS, folder, e->d_name);
        len = load(path, file, sizeof(file));
        if (e->d_name[0] == '.' || len == 0) {
            continue;
        }
        copy = malloc(len); /* exact, so that a sanitizer sees the first byte too many */
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, file, len);
        visit(copy, len);
        free(copy);
        n++;
    }
    (void)closedir(dir);
    return n;
}
