/* SPDX-License-Identifier: MIT */
/* The AVP reader and writer, and the hiding of values (rfc2661#4.1, #4.3). */
#include "l2tp_avp.h"

#include "base_secure.h"

#define AVP_BIT_M 0x8000u
#define AVP_BIT_H 0x4000u
#define AVP_BITS_RESERVED 0x3c00u
#define AVP_LENGTH_MASK 0x03ffu
#define MD5_LEN 16u

int l2v_avp_hide(const struct l2v_avp_secret *secret, uint16_t type, const uint8_t *vector,
                 size_t vector_len, bool reveal, uint8_t *data, size_t len)
{
    uint8_t number[2], pad[MD5_LEN], block[MD5_LEN];
    int rc = 0;
    l2v_put_u16(number, type);
    /* rfc2661#4.3 b1 = MD5(AV + S + RV), bi = MD5(S + c(i-1)) */
    struct l2v_iov in[3] = {{number, 2}, {secret->data, secret->len}, {vector, vector_len}};
    for (size_t at = 0; at < len; at += MD5_LEN) {
        size_t n = len - at < MD5_LEN ? len - at : MD5_LEN;
        rc = l2v_digest(secret->crypto, L2V_HASH_MD5, in, at == 0 ? 3 : 2, pad);
        if (rc != 0) {
            break;
        }
        if (reveal) {
            memcpy(block, data + at, n);
        }
        for (size_t i = 0; i < n; i++) {
            data[at + i] = (uint8_t)(data[at + i] ^ pad[i]);
        }
        if (!reveal) {
            memcpy(block, data + at, n);
        }
        in[0] = (struct l2v_iov){secret->data, secret->len};
        in[1] = (struct l2v_iov){block, n};
    }
    l2v_wipe(pad, sizeof pad);
    return rc;
}

void l2v_avp_reader_init(struct l2v_avp_reader *ar, const uint8_t *body, size_t len,
                         const struct l2v_avp_secret *secret, uint8_t *scratch, size_t scratch_len)
{
    memset(ar, 0, sizeof *ar);
    l2v_reader_init(&ar->r, body, len);
    ar->secret = secret;
    l2v_writer_init(&ar->scratch, scratch, scratch_len);
}

/* Replaces the value by its clear text. */
static int reveal_value(struct l2v_avp_reader *ar, struct l2v_avp *avp)
{
    if (ar->secret == NULL || ar->secret->len == 0) {
        return L2TPVOIP_ERR_AUTH_L2TP;
    }
    /* rfc2661#4.3 a Random Vector MUST precede the first hidden AVP */
    if (ar->vector == NULL || avp->len < 2) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    uint8_t *clear = l2v_write_room(&ar->scratch, avp->len);
    if (clear == NULL) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    memcpy(clear, avp->value, avp->len);
    int rc = l2v_avp_hide(ar->secret, avp->type, ar->vector, ar->vector_len, true, clear, avp->len);
    if (rc != 0) {
        return rc;
    }
    /* The inner length is what a wrong secret makes random: never trust it. */
    struct l2v_reader r;
    l2v_reader_init(&r, clear, avp->len);
    size_t len = l2v_read_u16(&r);
    const uint8_t *value = l2v_read_bytes(&r, len);
    if (value == NULL) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    avp->value = value;
    avp->len = len;
    return 0;
}

int l2v_avp_read(struct l2v_avp_reader *ar, struct l2v_avp *ret_avp)
{
    struct l2v_avp avp = {0};
    if (l2v_reader_left(&ar->r) == 0) {
        return 0;
    }
    unsigned bits = l2v_read_u16(&ar->r);
    size_t len = bits & AVP_LENGTH_MASK;
    avp.vendor = l2v_read_u16(&ar->r);
    avp.type = l2v_read_u16(&ar->r);
    if (ar->r.failed || len < L2V_AVP_HEADER) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    avp.len = len - L2V_AVP_HEADER;
    avp.value = l2v_read_bytes(&ar->r, avp.len);
    if (avp.value == NULL) {
        return L2TPVOIP_ERR_MALFORMED;
    }
    avp.mandatory = (bits & AVP_BIT_M) != 0;
    avp.hidden = (bits & AVP_BIT_H) != 0;
    avp.reserved = (bits & AVP_BITS_RESERVED) != 0;
    const struct l2v_avp_info *info = avp.reserved ? NULL : l2v_avp_find(avp.vendor, avp.type);
    if (avp.hidden && info != NULL) {
        avp.error =
            (info->flags & L2V_AVP_H) != 0 ? reveal_value(ar, &avp) : L2TPVOIP_ERR_MALFORMED;
    } else if (info != NULL && avp.type == L2V_AVP_RANDOM_VECTOR) {
        /* rfc2661#4.4.1 the vector most closely preceding counts */
        ar->vector = avp.value;
        ar->vector_len = avp.len;
    }
    *ret_avp = avp;
    return 1;
}

void l2v_avp_writer_init(struct l2v_avp_writer *aw, struct l2v_env *env,
                         const struct l2v_avp_secret *secret, bool hide, uint8_t *data, size_t size)
{
    memset(aw, 0, sizeof *aw);
    l2v_writer_init(&aw->w, data, size);
    aw->env = env;
    aw->secret = secret;
    aw->hide = hide && secret != NULL && secret->len > 0;
}

static void write_header(struct l2v_avp_writer *aw, unsigned bits, uint16_t type, size_t len)
{
    l2v_write_u16(&aw->w, bits | (unsigned)(L2V_AVP_HEADER + len));
    l2v_write_u16(&aw->w, 0);
    l2v_write_u16(&aw->w, type);
}

static void write_hidden(struct l2v_avp_writer *aw, unsigned bits, uint16_t type, const void *value,
                         size_t len)
{
    if (!aw->has_vector) {
        aw->error = l2v_random(aw->env, aw->vector, sizeof aw->vector);
        if (aw->error != 0) {
            return;
        }
        write_header(aw, AVP_BIT_M, L2V_AVP_RANDOM_VECTOR, sizeof aw->vector);
        l2v_write_bytes(&aw->w, aw->vector, sizeof aw->vector);
        aw->has_vector = true;
    }
    /* rfc2661#4.3 padding to whole blocks masks the length of short values */
    size_t total = (2 + len + MD5_LEN - 1) / MD5_LEN * MD5_LEN;
    if (total > L2V_AVP_VALUE_MAX) {
        total = 2 + len;
    }
    write_header(aw, bits | AVP_BIT_H, type, total);
    uint8_t *hidden = l2v_write_room(&aw->w, total);
    if (hidden == NULL || total > L2V_AVP_VALUE_MAX) {
        aw->error = L2TPVOIP_ERR_MSGSIZE;
        return;
    }
    l2v_put_u16(hidden, (unsigned)len);
    memcpy(hidden + 2, value, len);
    aw->error = l2v_random(aw->env, hidden + 2 + len, total - 2 - len);
    if (aw->error == 0) {
        aw->error =
            l2v_avp_hide(aw->secret, type, aw->vector, sizeof aw->vector, false, hidden, total);
    }
}

void l2v_avp_write(struct l2v_avp_writer *aw, uint16_t type, const void *value, size_t len)
{
    const struct l2v_avp_info *info = l2v_avp_find(0, type);
    if (aw->error != 0) {
        return;
    }
    if (info == NULL || len < info->min_len || len > info->max_len) {
        aw->error = L2TPVOIP_ERR_INVALID;
        return;
    }
    unsigned bits = (info->flags & L2V_AVP_M) != 0 ? AVP_BIT_M : 0;
    if (aw->hide && len > 0 && (info->flags & L2V_AVP_H) != 0) {
        write_hidden(aw, bits, type, value, len);
        return;
    }
    write_header(aw, bits, type, len);
    l2v_write_bytes(&aw->w, value, len);
}

void l2v_avp_write_u16(struct l2v_avp_writer *aw, uint16_t type, uint16_t value)
{
    uint8_t b[2];
    l2v_put_u16(b, value);
    l2v_avp_write(aw, type, b, sizeof b);
}

void l2v_avp_write_u32(struct l2v_avp_writer *aw, uint16_t type, uint32_t value)
{
    uint8_t b[4];
    l2v_put_u32(b, value);
    l2v_avp_write(aw, type, b, sizeof b);
}

int l2v_avp_writer_end(const struct l2v_avp_writer *aw, size_t *ret_len)
{
    if (aw->error != 0) {
        return aw->error;
    }
    if (aw->w.failed) {
        return L2TPVOIP_ERR_MSGSIZE;
    }
    *ret_len = l2v_writer_len(&aw->w);
    return 0;
}
