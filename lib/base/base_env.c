/* SPDX-License-Identifier: MIT */
/* The environment: tables of the embedder, memory, random, log, tap, failure objects. */
#include "base_env.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_secure.h"

static void *libc_malloc(void *user, size_t len)
{
    (void)user;
    return malloc(len);
}

static void *libc_calloc(void *user, size_t n, size_t len)
{
    (void)user;
    return calloc(n, len);
}

static void *libc_realloc(void *user, void *p, size_t len)
{
    (void)user;
    return realloc(p, len);
}

static void libc_free(void *user, void *p)
{
    (void)user;
    free(p);
}

/* Copies a table as long as its own size member says; a longer one is from a newer header. */
static int copy_table(void *dst, size_t dst_size, const void *src)
{
    uint32_t size;
    if (src == NULL) {
        return L2TPVOIP_OK;
    }
    memcpy(&size, src, sizeof size);
    if (size < sizeof size) {
        return L2TPVOIP_ERR_INVALID;
    }
    memcpy(dst, src, size < dst_size ? size : dst_size);
    return L2TPVOIP_OK;
}

static int init_mem(struct l2v_env *env)
{
    l2tpvoip_mem *mem = &env->mem;
    if (mem->malloc_fn == NULL && mem->calloc_fn == NULL && mem->realloc_fn == NULL &&
        mem->free_fn == NULL) {
        mem->malloc_fn = libc_malloc;
        mem->calloc_fn = libc_calloc;
        mem->realloc_fn = libc_realloc;
        mem->free_fn = libc_free;
        return L2TPVOIP_OK;
    }
    return mem->malloc_fn != NULL && mem->calloc_fn != NULL && mem->realloc_fn != NULL &&
                   mem->free_fn != NULL
               ? L2TPVOIP_OK
               : L2TPVOIP_ERR_INVALID;
}

int l2v_env_init(struct l2v_env *env, const l2tpvoip_mem *mem, const l2tpvoip_env_ops *ops,
                 const l2tpvoip_log_ops *log, const l2tpvoip_tap_ops *tap, uint64_t now_ns)
{
    memset(env, 0, sizeof *env);
    env->now_ns = now_ns;
    if (copy_table(&env->mem, sizeof env->mem, mem) != L2TPVOIP_OK ||
        copy_table(&env->ops, sizeof env->ops, ops) != L2TPVOIP_OK ||
        copy_table(&env->log, sizeof env->log, log) != L2TPVOIP_OK ||
        copy_table(&env->tap, sizeof env->tap, tap) != L2TPVOIP_OK) {
        return L2TPVOIP_ERR_INVALID;
    }
    if (env->tap.packet == NULL) {
        env->tap.layers = 0;
    }
    return init_mem(env);
}

void l2v_env_clear(struct l2v_env *env)
{
    l2v_wipe(env->rnd, sizeof env->rnd);
    l2v_wipe(env->hash_key, sizeof env->hash_key);
    env->rnd_left = 0;
    env->hash_key_drawn = 0;
}

/* --- memory ----------------------------------------------------------------------------------- */

void *l2v_malloc(struct l2v_env *env, size_t len)
{
    return env->mem.malloc_fn(env->mem.user, len == 0 ? 1 : len);
}

void *l2v_calloc(struct l2v_env *env, size_t n, size_t len)
{
    if (n == 0 || len == 0) {
        n = len = 1;
    }
    if (n > SIZE_MAX / len) {
        return NULL;
    }
    return env->mem.calloc_fn(env->mem.user, n, len);
}

void *l2v_realloc(struct l2v_env *env, void *p, size_t len)
{
    return env->mem.realloc_fn(env->mem.user, p, len == 0 ? 1 : len);
}

void l2v_free(struct l2v_env *env, void *p)
{
    if (p != NULL) {
        env->mem.free_fn(env->mem.user, p);
    }
}

void l2v_free_secret(struct l2v_env *env, void *p, size_t len)
{
    if (p != NULL) {
        l2v_wipe(p, len);
        env->mem.free_fn(env->mem.user, p);
    }
}

void *l2v_memdup(struct l2v_env *env, const void *p, size_t len)
{
    void *copy = l2v_malloc(env, len);
    if (copy != NULL && len > 0) {
        memcpy(copy, p, len);
    }
    return copy;
}

char *l2v_strdup(struct l2v_env *env, const char *s)
{
    return s == NULL ? NULL : (char *)l2v_memdup(env, s, strlen(s) + 1);
}

/* --- random ----------------------------------------------------------------------------------- */

static int draw(struct l2v_env *env, uint8_t *dst, size_t len)
{
    int err = -1;
    env->in_provider++;
    if (env->ops.random != NULL) {
        err = env->ops.random(env->ops.user, dst, len);
    } else if (env->random_fallback != NULL) {
        err = env->random_fallback(dst, len);
    }
    env->in_provider--;
    return err == 0 ? L2TPVOIP_OK : L2TPVOIP_ERR_CRYPTO;
}

int l2v_random(struct l2v_env *env, void *dst, size_t len)
{
    uint8_t *from;
    if (len > sizeof env->rnd) {
        return draw(env, (uint8_t *)dst, len);
    }
    if (len > env->rnd_left) {
        int err;
        env->rnd_left = 0;
        err = draw(env, env->rnd, sizeof env->rnd);
        if (err != L2TPVOIP_OK) {
            l2v_wipe(env->rnd, sizeof env->rnd);
            return err;
        }
        env->rnd_left = sizeof env->rnd;
    }
    if (len == 0) {
        return L2TPVOIP_OK;
    }
    env->rnd_left -= len;
    from = env->rnd + env->rnd_left;
    memcpy(dst, from, len);
    l2v_wipe(from, len);
    return L2TPVOIP_OK;
}

int l2v_random_u32(struct l2v_env *env, uint32_t *ret_value)
{
    uint32_t value;
    int err = l2v_random(env, &value, sizeof value);
    if (err == L2TPVOIP_OK) {
        *ret_value = value;
    }
    return err;
}

uint32_t l2v_random_below(struct l2v_env *env, uint32_t bound)
{
    uint32_t reject, value;
    if (bound < 2) {
        return 0;
    }
    reject = (uint32_t)(0u - bound) % bound; /* 2^32 mod bound: the uneven rest */
    for (int tries = 0; tries < 32; tries++) {
        if (l2v_random_u32(env, &value) != L2TPVOIP_OK) {
            return 0;
        }
        if (value >= reject) {
            return value % bound;
        }
    }
    return 0;
}

/* --- log, tap, failure ------------------------------------------------------------------------ */

/* What a peer sent may end up in a message: it must not forge lines or speak to a terminal. Bytes
 * from 0x80 on stay, for messages are UTF-8. */
static void mask_controls(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            *text = '?';
        }
    }
}

void l2v_log(struct l2v_env *env, int level, const char *module, const char *format, ...)
{
    char msg[512];
    va_list args;
    int len;
    if (!L2V_LOG_ON(env, level)) {
        return;
    }
    va_start(args, format);
    len = vsnprintf(msg, sizeof msg, format, args);
    va_end(args);
    if (len < 0) {
        return;
    }
    if ((size_t)len >= sizeof msg) {
        len = (int)sizeof msg - 1;
    }
    mask_controls(msg);
    env->in_provider++;
    env->log.write(env->log.user, level, module, msg, (size_t)len);
    env->in_provider--;
}

void l2v_tap(struct l2v_env *env, uint32_t layer, uint32_t direction, const l2tpvoip_addr *local,
             const l2tpvoip_addr *remote, const uint8_t *data, size_t len)
{
    static const l2tpvoip_addr none = {0};
    if (!L2V_TAP_ON(env, layer)) {
        return;
    }
    env->in_provider++;
    env->tap.packet(env->tap.user, layer, direction, env->now_ns, local != NULL ? local : &none,
                    remote != NULL ? remote : &none, data, len);
    env->in_provider--;
}

void l2v_tap_key(struct l2v_env *env, uint32_t kind, const char *line)
{
    if (env->tap.key == NULL) {
        return;
    }
    env->in_provider++;
    env->tap.key(env->tap.user, kind, line, strlen(line));
    env->in_provider--;
}

void l2v_failure_set(l2tpvoip_failure *f, int layer, int code, int32_t peer_code,
                     const char *next_step, const char *format, ...)
{
    va_list args;
    if (f == NULL) {
        return;
    }
    memset(f, 0, sizeof *f);
    f->layer = layer;
    f->code = code;
    f->peer_code = peer_code;
    va_start(args, format);
    (void)vsnprintf(f->message, sizeof f->message, format, args);
    va_end(args);
    mask_controls(f->message);
    if (next_step != NULL) {
        (void)snprintf(f->next_step, sizeof f->next_step, "%s", next_step);
    }
}
