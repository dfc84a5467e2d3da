/* SPDX-License-Identifier: MIT */
/* What Wireshark needs to read along: key log and capture. Both are opt-in and mode 0600. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli_keylog.h"
#include "cli_pcapng.h"

struct cli_taps {
    struct cli_keylog *keylog;
    struct cli_pcapng *pcapng;
};

static const char *const layer_names[] = {"", "outer", "ike", "l2tp", "ppp", "inner"};

/* "outer,inner" as bits; 0 = a name is unknown. */
static uint32_t parse_layers(const char *text)
{
    uint32_t bits = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        uint32_t found = 0;
        for (uint32_t i = L2TPVOIP_TAP_OUTER; i <= L2TPVOIP_TAP_INNER; i++) {
            if (strlen(layer_names[i]) == len && memcmp(layer_names[i], text, len) == 0) {
                found = 1u << i;
            }
        }
        if (found == 0) {
            return 0;
        }
        bits |= found;
        text += len + (text[len] == ',' ? 1 : 0);
    }
    return bits;
}

static void on_packet(void *user, uint32_t layer, uint32_t direction, uint64_t time_ns,
                      const l2tpvoip_addr *local, const l2tpvoip_addr *remote, const uint8_t *data,
                      size_t len)
{
    struct cli_taps *t = user;
    cli_pcapng_packet(t->pcapng, layer, direction == L2TPVOIP_TAP_IN, time_ns, local, remote, data,
                      len);
}

static void on_key(void *user, uint32_t kind, const char *line, size_t len)
{
    struct cli_taps *t = user;
    cli_keylog_line(t->keylog, kind, line, len);
}

int cli_taps_new(const struct cli_options *options, struct cli_taps **ret_taps,
                 l2tpvoip_tap_ops *ret_ops)
{
    if (options->keylog == NULL && options->pcapng == NULL) {
        return 0;
    }
    uint32_t layers = options->layers != NULL ? parse_layers(options->layers)
                                              : parse_layers("outer,ike,l2tp,ppp,inner");
    struct cli_taps *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    if (layers == 0) {
        (void)fprintf(stderr, "l2tpvoip: --layers takes outer, ike, l2tp, ppp and inner\n");
        cli_taps_free(t);
        return L2TPVOIP_ERR_INVALID;
    }
    if (options->keylog != NULL) {
        ret_ops->key = on_key;
        t->keylog = cli_keylog_new(options->keylog);
    }
    if (options->pcapng != NULL) {
        ret_ops->layers = layers;
        ret_ops->packet = on_packet;
        t->pcapng = cli_pcapng_new(options->pcapng, layers);
    }
    if ((options->keylog != NULL && t->keylog == NULL) ||
        (options->pcapng != NULL && t->pcapng == NULL)) {
        (void)fprintf(stderr, "l2tpvoip: cannot write %s: %s\n",
                      t->keylog == NULL && options->keylog != NULL ? options->keylog
                                                                   : options->pcapng,
                      strerror(errno));
        cli_taps_free(t);
        return L2TPVOIP_ERR_PERMISSION;
    }
    if (options->keylog != NULL && !options->quiet) {
        (void)fprintf(stderr, "keys are written to %s: whoever has them can read this connection\n",
                      options->keylog);
    }
    ret_ops->user = t;
    *ret_taps = t;
    return 0;
}

void cli_taps_free(struct cli_taps *t)
{
    if (t != NULL) {
        cli_keylog_free(t->keylog);
        cli_pcapng_free(t->pcapng);
        free(t);
    }
}
