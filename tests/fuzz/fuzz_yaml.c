/* SPDX-License-Identifier: MIT */
/* Configurations: any text. */
#include <stdlib.h>
#include <string.h>

#include <l2tpvoip/config.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const l2tpvoip_config_extra extras[] = {{"control", L2TPVOIP_CONFIG_TEXT, 0, 0, 0},
                                                   {"port", L2TPVOIP_CONFIG_NUMBER, 0, 1, 65535},
                                                   {"loud", L2TPVOIP_CONFIG_BOOL, 0, 0, 0},
                                                   {"at", L2TPVOIP_CONFIG_ADDR, 0, 0, 0}};
    l2tpvoip_config_options o;
    l2tpvoip_config *config = NULL;
    l2tpvoip_config_error error;
    char text[2048];
    memset(&error, 0, sizeof error);
    l2tpvoip_config_options_init(&o, sizeof o);
    o.flags = L2TPVOIP_CONFIG_INLINE_SECRETS;
    o.section = "cli";
    o.extras = extras;
    o.n_extras = 4;
    int rc =
        l2tpvoip_config_parse("/nowhere/fuzz.yaml", (const char *)data, len, &o, &config, &error);
    if ((rc == 0) != (config != NULL) || (rc != 0 && error.code != rc) ||
        (rc != 0 && error.message[0] == '\0')) {
        abort();
    }
    if (rc != 0) {
        (void)l2tpvoip_config_error_format(&error, text, sizeof text);
    } else {
        const l2tpvoip_tunnel_options *c = l2tpvoip_config_get_client(config);
        const l2tpvoip_server_options *s = l2tpvoip_config_get_server(config);
        if ((c == NULL && s == NULL) || (c != NULL && c->server == NULL)) {
            abort();
        }
        for (uint32_t i = 0; s != NULL && i < s->n_users; i++) {
            if (s->users[i].name == NULL || s->users[i].password_len == 0) {
                abort();
            }
        }
        (void)l2tpvoip_config_get_text(config, "control");
    }
    l2tpvoip_config_free(config);
    return 0;
}
