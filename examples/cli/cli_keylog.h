/* SPDX-License-Identifier: MIT */
/* Key log in the formats of Wireshark's tables. */
#ifndef CLI_KEYLOG_H
#define CLI_KEYLOG_H

#include <stddef.h>
#include <stdint.h>

struct cli_keylog;

/* path: a folder gets the files ikev1_decryption_table, ikev2_decryption_table and esp_sa, as in a
 * Wireshark profile; a file gets lines for `tshark -o LINE`. NULL with errno. */
struct cli_keylog *cli_keylog_new(const char *path);
void cli_keylog_line(struct cli_keylog *k, uint32_t kind, const char *line, size_t len);
void cli_keylog_free(struct cli_keylog *k);

#endif
