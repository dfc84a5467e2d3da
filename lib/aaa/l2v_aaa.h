/* SPDX-License-Identifier: MIT */
/* Local users and address pools. (RADIUS comes here.) */
#ifndef L2V_AAA_H
#define L2V_AAA_H

#include <stdbool.h>

#include "base_env.h"

/* --- users -------------------------------------------------------------------------------------
 */
struct l2v_aaa_users;
/* 0, NOMEM, CRYPTO (no random). */
int l2v_aaa_users_new(struct l2v_env *env, struct l2v_aaa_users **ret);
void l2v_aaa_users_free(struct l2v_aaa_users *users); /* wipes */
/* Copies. ip NULL or ip->family 0 = from the pool. 0, EXISTS, NOMEM, INVALID (name empty or longer
 * than 63 bytes, password longer than 256). */
int l2v_aaa_users_add(struct l2v_aaa_users *users, const char *name, const uint8_t *password,
                      size_t password_len, const l2tpvoip_addr *ip);
/* 0, NOT_FOUND. Pointers live as long as the user. ret_ip may be NULL. */
int l2v_aaa_users_find(const struct l2v_aaa_users *users, const char *name, size_t name_len,
                       const uint8_t **ret_password, size_t *ret_len, l2tpvoip_addr *ret_ip);

/* --- IPv4 pool: sticky by user name
 * ----------------------------------------------------------------- */
struct l2v_aaa_pool;
/* 0, NOMEM, CRYPTO (no random), INVALID (no IPv4, size 0 or above 2^20, beyond 255.255.255.255). */
int l2v_aaa_pool_new(struct l2v_env *env, const l2tpvoip_addr *first, uint32_t size,
                     struct l2v_aaa_pool **ret);
void l2v_aaa_pool_free(struct l2v_aaa_pool *pool);
/* The address that this name had last if it is free, else the one that has been free for longest.
 * 0, LIMIT (pool used up). */
int l2v_aaa_pool_take(struct l2v_aaa_pool *pool, const char *name, size_t name_len,
                      l2tpvoip_addr *ret_ip);
/* Reserves one fixed address. 0, EXISTS, NOT_FOUND (outside the pool: nothing to reserve). */
int l2v_aaa_pool_reserve(struct l2v_aaa_pool *pool, const l2tpvoip_addr *ip);
/* Also of a reserved one. Harmless for one that is free or outside. */
void l2v_aaa_pool_give_back(struct l2v_aaa_pool *pool, const l2tpvoip_addr *ip);

#endif
