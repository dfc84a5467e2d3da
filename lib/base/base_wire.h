/* SPDX-License-Identifier: MIT */
/* Bounded reader and writer for all wire data. Errors stick: read everything, then ask once. */
#ifndef L2V_BASE_WIRE_H
#define L2V_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct l2v_reader {
    const uint8_t *pos;
    const uint8_t *end;
    bool failed;
};

static inline void l2v_reader_init(struct l2v_reader *r, const void *data, size_t len)
{
    static const uint8_t empty[1] = {0};
    r->pos = data != NULL ? (const uint8_t *)data : empty;
    r->end = r->pos + (data != NULL ? len : 0);
    r->failed = false;
}

static inline size_t l2v_reader_left(const struct l2v_reader *r)
{
    return (size_t)(r->end - r->pos);
}

/* Takes n bytes; NULL (and failed) if there are fewer. n == 0 gives a valid pointer. */
static inline const uint8_t *l2v_read_bytes(struct l2v_reader *r, size_t n)
{
    const uint8_t *p = r->pos;
    if (r->failed || l2v_reader_left(r) < n) {
        r->failed = true;
        r->pos = r->end;
        return NULL;
    }
    r->pos += n;
    return p;
}

static inline uint8_t l2v_read_u8(struct l2v_reader *r)
{
    const uint8_t *p = l2v_read_bytes(r, 1);
    return p != NULL ? p[0] : 0;
}

static inline uint16_t l2v_read_u16(struct l2v_reader *r)
{
    const uint8_t *p = l2v_read_bytes(r, 2);
    return p != NULL ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t l2v_read_u32(struct l2v_reader *r)
{
    const uint8_t *p = l2v_read_bytes(r, 4);
    return p != NULL
               ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3]
               : 0;
}

static inline uint64_t l2v_read_u64(struct l2v_reader *r)
{
    uint64_t high = l2v_read_u32(r);
    return high << 32 | l2v_read_u32(r);
}

/* Copies n bytes out; dst is zeroed on failure. */
static inline void l2v_read_copy(struct l2v_reader *r, void *dst, size_t n)
{
    const uint8_t *p = l2v_read_bytes(r, n);
    if (p != NULL) {
        memcpy(dst, p, n);
    } else {
        memset(dst, 0, n);
    }
}

static inline void l2v_read_skip(struct l2v_reader *r, size_t n)
{
    (void)l2v_read_bytes(r, n);
}

/* A reader over the next n bytes, which are taken; it is failed when there are fewer. */
static inline struct l2v_reader l2v_read_sub(struct l2v_reader *r, size_t n)
{
    struct l2v_reader sub;
    const uint8_t *p = l2v_read_bytes(r, n);
    l2v_reader_init(&sub, p, p != NULL ? n : 0);
    sub.failed = p == NULL;
    return sub;
}

struct l2v_writer {
    uint8_t *start;
    uint8_t *pos;
    uint8_t *end;
    bool failed;
};

static inline void l2v_writer_init(struct l2v_writer *w, void *data, size_t size)
{
    w->start = w->pos = (uint8_t *)data;
    w->end = w->start + size;
    w->failed = false;
}

static inline size_t l2v_writer_len(const struct l2v_writer *w)
{
    return (size_t)(w->pos - w->start);
}

static inline size_t l2v_writer_left(const struct l2v_writer *w)
{
    return (size_t)(w->end - w->pos);
}

/* Room for n bytes to be filled in by the caller; NULL (and failed) if there is none. */
static inline uint8_t *l2v_write_room(struct l2v_writer *w, size_t n)
{
    uint8_t *p = w->pos;
    if (w->failed || l2v_writer_left(w) < n) {
        w->failed = true;
        return NULL;
    }
    w->pos += n;
    return p;
}

static inline void l2v_write_u8(struct l2v_writer *w, unsigned v)
{
    uint8_t *p = l2v_write_room(w, 1);
    if (p != NULL) {
        p[0] = (uint8_t)v;
    }
}

static inline void l2v_write_u16(struct l2v_writer *w, unsigned v)
{
    uint8_t *p = l2v_write_room(w, 2);
    if (p != NULL) {
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
    }
}

static inline void l2v_write_u32(struct l2v_writer *w, uint32_t v)
{
    l2v_write_u16(w, (uint16_t)(v >> 16));
    l2v_write_u16(w, (uint16_t)v);
}

static inline void l2v_write_u64(struct l2v_writer *w, uint64_t v)
{
    l2v_write_u32(w, (uint32_t)(v >> 32));
    l2v_write_u32(w, (uint32_t)v);
}

static inline void l2v_write_bytes(struct l2v_writer *w, const void *src, size_t n)
{
    uint8_t *p = l2v_write_room(w, n);
    if (p != NULL && n > 0) {
        memcpy(p, src, n);
    }
}

static inline void l2v_write_zero(struct l2v_writer *w, size_t n)
{
    uint8_t *p = l2v_write_room(w, n);
    if (p != NULL) {
        memset(p, 0, n);
    }
}

/* A block whose 16-bit length is known at its end. _begin notes where; _end_u16 writes, at
 * block + at, the bytes since block plus add. */
static inline size_t l2v_write_begin(const struct l2v_writer *w)
{
    return l2v_writer_len(w);
}

static inline void l2v_write_end_u16(struct l2v_writer *w, size_t block, size_t at, size_t add)
{
    size_t len = l2v_writer_len(w) - block + add;
    if (w->failed || len > UINT16_MAX || l2v_writer_len(w) - block < at + 2) {
        w->failed = true;
        return;
    }
    w->start[block + at] = (uint8_t)(len >> 8);
    w->start[block + at + 1] = (uint8_t)len;
}

/* Overwrites an earlier byte (next-payload fields). */
static inline void l2v_write_patch_u8(struct l2v_writer *w, size_t at, unsigned v)
{
    if (w->failed || at >= l2v_writer_len(w)) {
        w->failed = true;
        return;
    }
    w->start[at] = (uint8_t)v;
}

/* Plain accessors for fixed headers whose length was checked. */
static inline void l2v_put_u16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void l2v_put_u32(uint8_t *p, uint32_t v)
{
    l2v_put_u16(p, (uint16_t)(v >> 16));
    l2v_put_u16(p + 2, (uint16_t)v);
}

static inline void l2v_put_u64(uint8_t *p, uint64_t v)
{
    l2v_put_u32(p, (uint32_t)(v >> 32));
    l2v_put_u32(p + 4, (uint32_t)v);
}

static inline uint16_t l2v_get_u16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t l2v_get_u32(const uint8_t *p)
{
    return (uint32_t)l2v_get_u16(p) << 16 | l2v_get_u16(p + 2);
}

static inline uint64_t l2v_get_u64(const uint8_t *p)
{
    return (uint64_t)l2v_get_u32(p) << 32 | l2v_get_u32(p + 4);
}

#endif
