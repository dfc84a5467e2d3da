/* SPDX-License-Identifier: MIT */
/* Lines for Wireshark's tables, so that support can read what we sent. */
#include <stdio.h>

#include "base_addr.h"
#include "base_secure.h"
#include "ike_keylog.h"

#define LINE_MAX_LEN 768u

static void put_hex(struct l2v_writer *w, const uint8_t *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        l2v_write_u8(w, (unsigned char)digits[data[i] >> 4]);
        l2v_write_u8(w, (unsigned char)digits[data[i] & 15]);
    }
}

static void put_text(struct l2v_writer *w, const char *text)
{
    l2v_write_bytes(w, text, strlen(text));
}

static void emit_line(struct l2v_env *env, uint32_t kind, struct l2v_writer *w, char *line)
{
    l2v_write_u8(w, 0);
    if (!w->failed) {
        l2v_tap_key(env, kind, line);
    }
    l2v_wipe(line, LINE_MAX_LEN);
}

void l2v_ike_keylog_ike1(struct l2v_env *env, const uint8_t icookie[8],
                         const struct l2v_ike1_keys *keys)
{
    char line[LINE_MAX_LEN];
    struct l2v_writer w;

    if (env->tap.key == NULL) {
        return;
    }
    l2v_writer_init(&w, line, sizeof(line));
    put_hex(&w, icookie, L2V_IKE_COOKIE_LEN);
    put_text(&w, ",");
    put_hex(&w, keys->enc_key, keys->enc_len);
    emit_line(env, L2TPVOIP_KEY_IKEV1, &w, line);
}

/* The names that Wireshark's table editor knows. */
static const struct {
    enum l2v_suite_id suite;
    const char *cipher, *auth;
} names[] = {
    {L2V_SUITE_AES_GCM_16, "AES-GCM with 16 octet ICV [RFC4106]", "NULL"},
    {L2V_SUITE_AES_GCM_12, "AES-GCM with 12 octet ICV [RFC4106]", "NULL"},
    {L2V_SUITE_AES_GCM_8, "AES-GCM with 8 octet ICV [RFC4106]", "NULL"},
    {L2V_SUITE_CHACHA20_POLY1305, "ChaCha20 with Poly1305 [RFC7634]", "NULL"},
    {L2V_SUITE_AES_CBC_SHA1_96, "AES-CBC [RFC3602]", "HMAC-SHA-1-96 [RFC2404]"},
    {L2V_SUITE_AES_CBC_SHA256_128, "AES-CBC [RFC3602]", "HMAC-SHA-256-128 [RFC4868]"},
    {L2V_SUITE_AES_CBC_SHA256_96, "AES-CBC [RFC3602]",
     "HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]"},
    {L2V_SUITE_AES_CBC_SHA384_192, "AES-CBC [RFC3602]", "HMAC-SHA-384-192 [RFC4868]"},
    {L2V_SUITE_AES_CBC_SHA512_256, "AES-CBC [RFC3602]", "HMAC-SHA-512-256 [RFC4868]"},
    {L2V_SUITE_3DES_CBC_SHA1_96, "TripleDES-CBC [RFC2451]", "HMAC-SHA-1-96 [RFC2404]"},
};

void l2v_ike_keylog_esp_sa(struct l2v_env *env, const struct l2v_ike_keylog_esp *k)
{
    char line[LINE_MAX_LEN], text[L2V_ADDR_TEXT], spi[16];
    l2tpvoip_addr src = *k->src, dst = *k->dst;
    struct l2v_writer w;
    size_t i = 0;

    while (i < sizeof(names) / sizeof(names[0]) && names[i].suite != k->suite) {
        i++;
    }
    if (env->tap.key == NULL || i == sizeof(names) / sizeof(names[0])) {
        return;
    }
    src.port = dst.port = 0;
    snprintf(spi, sizeof(spi), "0x%08x", (unsigned)k->spi);
    l2v_writer_init(&w, line, sizeof(line));
    put_text(&w, src.family == 6 ? "\"IPv6\",\"" : "\"IPv4\",\"");
    l2v_addr_format(&src, text, sizeof(text));
    put_text(&w, text);
    put_text(&w, "\",\"");
    l2v_addr_format(&dst, text, sizeof(text));
    put_text(&w, text);
    put_text(&w, "\",\"");
    put_text(&w, spi);
    put_text(&w, "\",\"");
    put_text(&w, names[i].cipher);
    put_text(&w, "\",\"0x");
    put_hex(&w, k->enc, k->enc_len);
    put_text(&w, "\",\"");
    put_text(&w, names[i].auth);
    put_text(&w, k->auth_len > 0 ? "\",\"0x" : "\",\"");
    put_hex(&w, k->auth, k->auth_len);
    put_text(&w, k->esn ? "\",\"64-bit\"" : "\",\"32-bit\"");
    emit_line(env, L2TPVOIP_KEY_ESP, &w, line);
}
