/* SPDX-License-Identifier: MIT */
/** @file config.h  YAML configuration (library l2tpvoip-config).
 *
 * A file has a section `client:`, `server:`, or both, and, if the program asks for one, a section
 * of its own. Reading is strict: what is unknown, doubled, missing, of the wrong type or out of
 * range is an error with file, line, column, key and what is allowed.
 *
 * A secret NAME is given as `NAME_file:` (a file of mode 0600 or stricter, relative to the
 * configuration), `NAME_env:` (an environment variable), or `NAME:` itself when the configuration
 * file has mode 0600 or stricter.
 */
#ifndef L2TPVOIP_CONFIG_H
#define L2TPVOIP_CONFIG_H

#include <l2tpvoip/server.h>
#include <l2tpvoip/tunnel.h>

L2TPVOIP_BEGIN

/** What was read; owns all strings and secrets of the options that it hands out. */
typedef struct l2tpvoip_config l2tpvoip_config;

/** Why a configuration was refused. Frozen size. */
typedef struct l2tpvoip_config_error {
    int32_t code;          /**< L2TPVOIP_ERR_CONFIG, _PERMISSION, _IO or _NOMEM. */
    uint32_t line, column; /**< From 1 on; 0 = the file as a whole. */
    uint32_t reserved;     /**< Zero. */
    char file[256];
    char key[128];         /**< "client.ipsec.profile"; may be empty. */
    char message[768];     /**< What is wrong, and what is allowed. */
    char next_step[256];   /**< May be empty. */
} l2tpvoip_config_error;

/** "FILE:LINE:COLUMN: KEY: MESSAGE". @return as snprintf does. Any thread. */
L2TPVOIP_API int l2tpvoip_config_error_format(const l2tpvoip_config_error *error, char *text,
                                              size_t size);

#define L2TPVOIP_CONFIG_TEXT 1u
#define L2TPVOIP_CONFIG_NUMBER 2u
#define L2TPVOIP_CONFIG_BOOL 3u
#define L2TPVOIP_CONFIG_ADDR 4u /**< With or without a port. */

/** A key of the program's own section. Frozen size. */
typedef struct l2tpvoip_config_extra {
    const char *key;
    uint32_t kind;     /**< L2TPVOIP_CONFIG_… */
    uint32_t reserved; /**< Zero. */
    uint64_t min, max; /**< Of a number. */
} l2tpvoip_config_extra;

/** How to read. */
typedef struct l2tpvoip_config_options {
    uint32_t size;
    uint32_t flags;                      /**< L2TPVOIP_CONFIG_… flags. */
    const char *section;                 /**< Name of the program's own section, or NULL. */
    const l2tpvoip_config_extra *extras; /**< Its keys; at most 64. */
    uint32_t n_extras;
    uint32_t reserved;                   /**< Zero. */
} l2tpvoip_config_options;

/** Secrets may stand in the text given to l2tpvoip_config_parse. */
#define L2TPVOIP_CONFIG_INLINE_SECRETS 0x1u

L2TPVOIP_API void l2tpvoip_config_options_init(l2tpvoip_config_options *options, size_t size);

/** Reads a file. @param options NULL = defaults. @param ret_error may be NULL.
 * @return 0, INVALID, CONFIG, PERMISSION, IO, NOMEM. Any thread. */
L2TPVOIP_API int l2tpvoip_config_load(const char *path, const l2tpvoip_config_options *options,
                                      l2tpvoip_config **ret_config,
                                      l2tpvoip_config_error *ret_error);

/** Reads a text; name stands for the file in errors, and its folder is where relative names of
 * secret files begin. Same errors. */
L2TPVOIP_API int l2tpvoip_config_parse(const char *name, const char *text, size_t len,
                                       const l2tpvoip_config_options *options,
                                       l2tpvoip_config **ret_config,
                                       l2tpvoip_config_error *ret_error);

/** Wipes the secrets and frees all. NULL is allowed. */
L2TPVOIP_API void l2tpvoip_config_free(l2tpvoip_config *config);

/** Options of the section `client:`, valid until _free; NULL = there is none. */
L2TPVOIP_API const l2tpvoip_tunnel_options *
l2tpvoip_config_get_client(const l2tpvoip_config *config);
/** Options of the section `server:`, valid until _free; NULL = there is none. */
L2TPVOIP_API const l2tpvoip_server_options *
l2tpvoip_config_get_server(const l2tpvoip_config *config);

/** Values of the program's own section. Text: NULL = not given. @return 0, NOT_FOUND. */
L2TPVOIP_API const char *l2tpvoip_config_get_text(const l2tpvoip_config *config, const char *key);
L2TPVOIP_API int l2tpvoip_config_get_number(const l2tpvoip_config *config, const char *key,
                                            uint64_t *ret_value);
L2TPVOIP_API int l2tpvoip_config_get_addr(const l2tpvoip_config *config, const char *key,
                                          l2tpvoip_addr *ret_addr);

L2TPVOIP_END

#endif
