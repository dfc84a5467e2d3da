/* SPDX-License-Identifier: MIT */
/* Messages cut out of captures, and another dissector's reading of whole captures as the oracle. */
#include <dirent.h>

#include "test_l2tp.h"

static uint8_t scratch[65536];

/* Every seed, whole and cut at every byte, through the parser and into a live endpoint. */
START_TEST(cut_captures)
{
    DIR *dir = opendir(L2V_VECTORS "/fuzz/cut/l2tp");
    struct dirent *e;
    unsigned n = 0;
    if (dir == NULL) {
        printf("skip cut_captures: no folder %s\n", L2V_VECTORS "/fuzz/cut/l2tp");
        return;
    }
    struct test_link *l = test_link_new(4);
    l->cut[0] = l->cut[1] = true;
    test_link_start(l);
    while ((e = readdir(dir)) != NULL) {
        char path[4096];
        uint8_t data[4096];
        (void)snprintf(path, sizeof path, "%s/%s", L2V_VECTORS "/fuzz/cut/l2tp", e->d_name);
        FILE *f = e->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (f == NULL) {
            continue;
        }
        size_t len = fread(data, 1, sizeof data, f);
        (void)fclose(f);
        for (size_t cut = 0; cut <= len && cut <= 1500; cut++) {
            (void)test_inject(&l->peer[1], data, cut, 1701, cut % 2 == 0);
        }
        n++;
    }
    (void)closedir(dir);
    ck_assert_uint_ge(n, 100);
    test_link_run(l, 100 * SECOND);
    test_link_free(l);
}
END_TEST

/* --- the oracle --------------------------------------------------------------------------------
 */

static bool get_field(const char *line, const char *name, char *text, size_t size)
{
    char key[64];
    (void)snprintf(key, sizeof key, "\"%s\": \"", name);
    const char *p = strstr(line, key);
    if (p == NULL || size == 0) {
        return false;
    }
    p += strlen(key);
    size_t n = strcspn(p, "\"");
    n = n < size - 1 ? n : size - 1;
    memcpy(text, p, n);
    text[n] = '\0';
    return true;
}

static unsigned get_number(const char *line, const char *name)
{
    char text[32];
    return get_field(line, name, text, sizeof text) ? (unsigned)strtoul(text, NULL, 10) : 0;
}

/* The UDP payload of frame number n (from 1) of a classic capture; NULL = not of a kind we read. */
static const uint8_t *read_frame(const char *path, unsigned number, size_t *ret_len)
{
    static uint8_t file[1 << 20];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    size_t size = fread(file, 1, sizeof file, f);
    (void)fclose(f);
    uint32_t word, captured = 0;
    size_t at = 24;
    if (size < 24 || memcpy(&word, file, 4) == NULL || word != 0xa1b2c3d4u) {
        return NULL;
    }
    memcpy(&word, file + 20, 4);
    size_t link_len = word == 1 ? 14 : word == 101 || word == 12 ? 0 : word == 113 ? 16 : SIZE_MAX;
    for (unsigned i = 0; i < number; i++) {
        if (size < at + 16) {
            return NULL;
        }
        memcpy(&captured, file + at + 8, 4);
        at += 16 + captured;
    }
    const uint8_t *ip = file + at - captured + link_len;
    if (link_len == SIZE_MAX || at > size || captured < link_len + 28 || ip[0] >> 4 != 4 ||
        ip[9] != 17) {
        return NULL;
    }
    size_t head = (size_t)(ip[0] & 15) * 4;
    size_t udp_len = l2v_get_u16(ip + head + 4);
    if (link_len + head + udp_len > captured || udp_len < 8) {
        return NULL;
    }
    *ret_len = udp_len - 8;
    return ip + head + 8;
}

/* Types as "0,2,7": compared with what our reader finds in clear. */
static void compare_avps(const char *line, const uint8_t *body, size_t len)
{
    char lengths[512], got[512] = "";
    struct l2v_avp_reader ar;
    struct l2v_avp avp;
    if (!get_field(line, "l2tp.avp.length", lengths, sizeof lengths)) {
        return;
    }
    size_t at = 0;
    const uint8_t *start = body;
    l2v_avp_reader_init(&ar, body, len, NULL, scratch, sizeof scratch);
    while (l2v_avp_read(&ar, &avp) == 1 && at < sizeof got - 16) {
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%u", at > 0 ? "," : "",
                               (unsigned)(ar.r.pos - start));
        start = ar.r.pos;
    }
    ck_assert_str_eq(got, lengths);
}

static unsigned check_line(const char *line)
{
    char name[256], path[1024];
    size_t len = 0;
    struct l2v_l2tp_header h;
    if (strstr(line, "tshark_malformed") != NULL || get_number(line, "l2tp.version") != 2 ||
        strstr(line, "\"protocols\": \"ip:udp:l2tp") == NULL ||
        !get_field(line, "file", name, sizeof name)) {
        return 0;
    }
    const char *frame = strstr(line, "\"frame\": ");
    (void)snprintf(path, sizeof path, "%s/corpus/%s", L2V_VECTORS, name);
    const uint8_t *data =
        frame != NULL ? read_frame(path, (unsigned)strtoul(frame + 9, NULL, 10), &len) : NULL;
    if (data == NULL) {
        return 0;
    }
    ck_assert_msg(l2v_l2tp_header_parse(data, len, &h) == 0, "%s", line);
    ck_assert_uint_eq(h.tunnel_id, get_number(line, "l2tp.tunnel"));
    ck_assert_uint_eq(h.session_id, get_number(line, "l2tp.session"));
    ck_assert_uint_eq((h.flags & L2V_L2TP_T) != 0, get_number(line, "l2tp.type"));
    if ((h.flags & L2V_L2TP_T) != 0) {
        struct l2v_l2tp_msg m;
        ck_assert_uint_eq(h.len, get_number(line, "l2tp.length"));
        ck_assert_uint_eq(h.ns, get_number(line, "l2tp.Ns"));
        ck_assert_uint_eq(h.nr, get_number(line, "l2tp.Nr"));
        if (h.len > 12) {
            l2v_l2tp_msg_parse(data + 12, h.len - 12, NULL, scratch, sizeof scratch, &m);
            ck_assert_uint_eq(m.type, get_number(line, "l2tp.avp.message_type"));
            compare_avps(line, data + 12, h.len - 12);
        }
    }
    return 1;
}

START_TEST(oracle)
{
    DIR *dir = opendir(L2V_VECTORS "/corpus/expect");
    struct dirent *e;
    unsigned n = 0;
    if (dir == NULL) {
        printf("skip oracle: no folder %s\n", L2V_VECTORS "/corpus/expect");
        return;
    }
    while ((e = readdir(dir)) != NULL) {
        static char line[65536];
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", L2V_VECTORS "/corpus/expect", e->d_name);
        FILE *f = strncmp(e->d_name, "valid-", 6) == 0 ? fopen(path, "r") : NULL;
        while (f != NULL && fgets(line, sizeof line, f) != NULL) {
            n += check_line(line);
        }
        if (f != NULL) {
            (void)fclose(f);
        }
    }
    (void)closedir(dir);
    ck_assert_uint_ge(n, 50);
}
END_TEST

TCase *test_corpus_case(void)
{
    TCase *c = tcase_create("corpus");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, cut_captures);
    tcase_add_test(c, oracle);
    return c;
}
