/* SPDX-License-Identifier: MIT */
/* What the files of the YAML reader share. */
#ifndef L2V_CONFIG_PRIV_H
#define L2V_CONFIG_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include <l2tpvoip/config.h>
#include <l2tpvoip/error.h>

#define L2V_CONFIG_MAX_FILE (1024u * 1024u)
#define L2V_CONFIG_MAX_SECRET 4096u
#define L2V_CONFIG_MAX_EXTRAS 64u

/* One block of memory that belongs to a configuration; wiped when it is freed. */
struct l2v_config_block {
    struct l2v_config_block *next;
    size_t len;
    /* the bytes follow */
};

/* IPsec options with room for the one key that is given without a list. */
struct l2v_config_ipsec {
    l2tpvoip_ipsec_options options;
    const uint8_t *psk;
    uint32_t psk_len;
    uint32_t n_psks;
    l2tpvoip_psk *psks;
    l2tpvoip_psk one;
};

struct l2v_config_client {
    l2tpvoip_tunnel_options options;
    struct l2v_config_ipsec ipsec;
};

struct l2v_config_server {
    l2tpvoip_server_options options;
    struct l2v_config_ipsec ipsec;
    l2tpvoip_user *users;
    uint32_t n_users;
};

struct l2v_config_value { /* of an extra key */
    const char *key;
    uint32_t kind;
    bool given;
    const char *text;
    uint64_t number;
    l2tpvoip_addr addr;
};

struct l2tpvoip_config {
    struct l2v_config_block *blocks;
    bool has_client, has_server;
    struct l2v_config_client client;
    struct l2v_config_server server;
    struct l2v_config_value extras[L2V_CONFIG_MAX_EXTRAS];
    uint32_t n_extras;
};

enum l2v_config_kind {
    L2V_CONFIG_TEXT,  /* const char * */
    L2V_CONFIG_TEXTS, /* const char *: one text, or a list that is joined with commas */
    L2V_CONFIG_U16,   /* uint16_t in [min, max] */
    L2V_CONFIG_U32,
    L2V_CONFIG_U64,
    L2V_CONFIG_FLAG,     /* sets mask in a uint32_t */
    L2V_CONFIG_NOT_FLAG, /* clears mask when true, sets it when false */
    L2V_CONFIG_ENUM,     /* uint32_t: index of a name */
    L2V_CONFIG_BITS,     /* uint32_t: 1 << index for each name of a list */
    L2V_CONFIG_IP,       /* l2tpvoip_addr without port */
    L2V_CONFIG_ADDR,     /* with or without */
    L2V_CONFIG_IPS,      /* up to max addresses, one after the other */
    L2V_CONFIG_SECRET,   /* const uint8_t * at offset, uint32_t length at offset2 */
    L2V_CONFIG_SECTION,  /* a struct at offset, with a table of its own */
    L2V_CONFIG_LIST,     /* pointer to an array at offset, uint32_t count at offset2 */
    L2V_CONFIG_EXTRA     /* struct l2v_config_value at offset */
};

struct l2v_config_table;

struct l2v_config_field {
    const char *key;
    enum l2v_config_kind kind;
    bool required;
    size_t offset, offset2;
    uint64_t min, max;
    uint32_t mask;
    const char *(*name)(uint32_t index);  /* ENUM, BITS; NULL ends */
    const struct l2v_config_table *table; /* SECTION, LIST */
};

struct l2v_config_table {
    const struct l2v_config_field *fields;
    size_t n_fields;
    size_t element_size; /* LIST */
    void (*init)(void *element);
};

extern const struct l2v_config_table l2v_config_client_table, l2v_config_server_table;

/* State of one reading. */
struct l2v_config_reader {
    l2tpvoip_config *config;
    l2tpvoip_config_error *error;
    yaml_document_t *document;
    const char *file;
    bool inline_secrets;
};

/* config_load.c */
void *l2v_config_alloc(struct l2v_config_reader *r, size_t len); /* zeroed; NOMEM is reported */
char *l2v_config_strdup(struct l2v_config_reader *r, const char *text, size_t len);
void l2v_config_wipe(void *p, size_t len);
/* Reports an error at mark (NULL = the whole file); always gives false. */
bool l2v_config_fail(struct l2v_config_reader *r, int code, const yaml_mark_t *mark,
                     const char *key, const char *next_step, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* config_walk.c: reads a mapping by its table into base. */
bool l2v_config_walk(struct l2v_config_reader *r, const yaml_node_t *node,
                     const struct l2v_config_table *table, void *base, const char *path);

/* config_scalar.c */
bool l2v_config_scalar(struct l2v_config_reader *r, const yaml_node_t *node,
                       const struct l2v_config_field *field, void *base, const char *path);
bool l2v_config_text(struct l2v_config_reader *r, const yaml_node_t *node, const char *path,
                     const char **ret_text);

/* config_secret.c: how is 0 = in the text, 1 = file, 2 = environment. */
bool l2v_config_secret(struct l2v_config_reader *r, const yaml_node_t *node,
                       const struct l2v_config_field *field, unsigned how, void *base,
                       const char *path);
/* Reads a whole file. 0, or errno; *ret_mode gets its permission bits. */
int l2v_config_read_file(const char *path, size_t max, char **ret_data, size_t *ret_len,
                         unsigned *ret_mode);

#endif
