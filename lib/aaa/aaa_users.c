/* SPDX-License-Identifier: MIT */
/* Local users: names, passwords, fixed addresses. */
#include "l2v_aaa.h"

#include <string.h>

#include "base_map.h"

#define MAX_NAME 63u
#define MAX_PASSWORD 256u

struct user {
    struct l2v_map_node node; /* by the hash of the name */
    l2tpvoip_addr ip;
    size_t name_len, password_len;
    char name[MAX_NAME + 1];
    uint8_t password[MAX_PASSWORD];
};

struct l2v_aaa_users {
    struct l2v_env *env;
    struct l2v_map by_name;
};

int l2v_aaa_users_new(struct l2v_env *env, struct l2v_aaa_users **ret)
{
    struct l2v_aaa_users *users = (struct l2v_aaa_users *)l2v_calloc(env, 1, sizeof(*users));
    int err;
    if (users == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    users->env = env;
    err = l2v_map_init(&users->by_name, env);
    if (err != 0) {
        l2v_free(env, users);
        return err;
    }
    *ret = users;
    return 0;
}

void l2v_aaa_users_free(struct l2v_aaa_users *users)
{
    if (users == NULL) {
        return;
    }
    for (size_t i = 0; i < users->by_name.n_slots; i++) {
        struct l2v_map_node *node = users->by_name.slots[i];
        while (node != NULL) {
            struct user *user = (struct user *)(void *)node;
            node = node->next;
            l2v_free_secret(users->env, user, sizeof(*user));
        }
    }
    l2v_map_clear(&users->by_name);
    l2v_free(users->env, users);
}

static struct user *find(const struct l2v_aaa_users *users, const char *name, size_t name_len)
{
    struct l2v_map_node *node;
    if (name == NULL || name_len == 0 || name_len > MAX_NAME) {
        return NULL;
    }
    node = l2v_map_find(&users->by_name, l2v_siphash(users->env->hash_key, name, name_len));
    for (; node != NULL; node = l2v_map_find_next(node)) {
        struct user *user = (struct user *)(void *)node;
        if (user->name_len == name_len && memcmp(user->name, name, name_len) == 0) {
            return user;
        }
    }
    return NULL;
}

int l2v_aaa_users_add(struct l2v_aaa_users *users, const char *name, const uint8_t *password,
                      size_t password_len, const l2tpvoip_addr *ip)
{
    size_t name_len = name != NULL ? strlen(name) : 0;
    struct user *user;
    if (name_len == 0 || name_len > MAX_NAME || password_len > MAX_PASSWORD ||
        (password == NULL && password_len > 0)) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (find(users, name, name_len) != NULL) {
        return L2TPVOIP_ERR_EXISTS;
    }
    user = (struct user *)l2v_calloc(users->env, 1, sizeof(*user));
    if (user == NULL) {
        return L2TPVOIP_ERR_NOMEM;
    }
    memcpy(user->name, name, name_len);
    user->name_len = name_len;
    if (password_len > 0) {
        memcpy(user->password, password, password_len);
    }
    user->password_len = password_len;
    if (ip != NULL) {
        user->ip = *ip;
    }
    l2v_map_insert(&users->by_name, &user->node, l2v_siphash(users->env->hash_key, name, name_len));
    return 0;
}

int l2v_aaa_users_find(const struct l2v_aaa_users *users, const char *name, size_t name_len,
                       const uint8_t **ret_password, size_t *ret_len, l2tpvoip_addr *ret_ip)
{
    const struct user *user = find(users, name, name_len);
    if (user == NULL) {
        return L2TPVOIP_ERR_NOT_FOUND;
    }
    *ret_password = user->password;
    *ret_len = user->password_len;
    if (ret_ip != NULL) {
        *ret_ip = user->ip;
    }
    return 0;
}
