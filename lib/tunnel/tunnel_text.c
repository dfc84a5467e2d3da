/* SPDX-License-Identifier: MIT */
/* Names of codes, layers, phases and profiles. */
#include <string.h>

#include "l2v_tunnel.h"

struct code_text {
    int code;
    const char *name;
    const char *text;
};

static const struct code_text codes[] = {
    {0, "OK", "no error"},
#define ROW(name, value, text) {(value), #name, (text)},
    L2TPVOIP_ERROR_MAP(ROW)
#undef ROW
};

static const struct code_text *find_code(int code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code) {
            return &codes[i];
        }
    }
    return NULL;
}

const char *l2v_error_text(int code)
{
    const struct code_text *row = find_code(code);
    return row != NULL ? row->text : "unknown error";
}

const char *l2v_error_name(int code)
{
    const struct code_text *row = find_code(code);
    return row != NULL ? row->name : "UNKNOWN";
}

const char *l2v_error_class(int code)
{
    static const char *const classes[] = {"ok",       "usage",  "blocked", "resource",
                                          "io",       "closed", "auth",    "protocol",
                                          "crypto",   "config", "internal"};
    size_t i = code < 0 && code > -1100 ? (size_t)-code / 100 : 0;
    return code == 0 || i != 0 ? classes[i] : "internal";
}

const char *l2v_layer_name(int32_t layer)
{
    static const char *const names[] = {"none", "config", "resolve", "path", "ike", "esp",
                                        "l2tp", "ppp",    "auth",    "inet", "app"};
    return layer >= 0 && (size_t)layer < sizeof names / sizeof names[0] ? names[layer] : "unknown";
}

const char *l2v_phase_name(uint32_t phase)
{
    static const char *const names[L2TPVOIP_N_PHASES] = {
        "idle", "resolve", "path", "ike", "esp",     "l2tp", "session",
        "lcp",  "auth",    "ncp",  "up",  "closing", "down"};
    return phase < L2TPVOIP_N_PHASES ? names[phase] : "unknown";
}

const char *l2v_profile_name(uint32_t profile)
{
    static const char *const names[] = {"modern", "compatible", "windows",   "apple",
                                        "android-legacy", "cisco", "mikrotik", "softether",
                                        "strongswan", "libreswan"};
    return profile < sizeof names / sizeof names[0] ? names[profile] : NULL;
}
