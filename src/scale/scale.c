/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: SCALE values, each decoder beside its encoder.  Trusts nothing that it decodes. */
#include "scale/scale.h"

#include "base/text.h"
#include "pvf/status.h"

/* The two low bits of a compact integer's first byte. */
#define MODE_1 0u
#define MODE_2 1u
#define MODE_4 2u
#define MODE_BIG 3u
/* The largest value of the first three modes; the next mode may not be used below. */
#define MAX_1 63u
#define MAX_2 16383u
#define MAX_4 ((1u << 30) - 1)

bool pvf__scale_get_u8(struct pvf__cursor *cursor, uint8_t *ret)
{
    return pvf__cursor_u8(cursor, ret);
}

void pvf__scale_put_u8(struct pvf__buf *buf, uint8_t value)
{
    (void)pvf__buf_u8(buf, value);
}

bool pvf__scale_get_tag(struct pvf__cursor *cursor, uint8_t count, uint8_t *ret)
{
    if (pvf__cursor_left(cursor) == 0 || *cursor->at >= count) {
        return false;
    }
    return pvf__cursor_u8(cursor, ret);
}

bool pvf__scale_get_bool(struct pvf__cursor *cursor, bool *ret)
{
    uint8_t byte;
    if (!pvf__scale_get_tag(cursor, 2, &byte)) {
        return false;
    }
    *ret = byte == 1;
    return true;
}

void pvf__scale_put_bool(struct pvf__buf *buf, bool value)
{
    (void)pvf__buf_u8(buf, value ? 1 : 0);
}

bool pvf__scale_get_option(struct pvf__cursor *cursor, bool *ret_some)
{
    return pvf__scale_get_bool(cursor, ret_some);
}

void pvf__scale_put_option(struct pvf__buf *buf, bool some)
{
    pvf__scale_put_bool(buf, some);
}

/* Ok is 0, Err is 1: the opposite of a bool. */
bool pvf__scale_get_result(struct pvf__cursor *cursor, bool *ret_ok)
{
    bool is_err;
    if (!pvf__scale_get_bool(cursor, &is_err)) {
        return false;
    }
    *ret_ok = !is_err;
    return true;
}

void pvf__scale_put_result(struct pvf__buf *buf, bool ok)
{
    pvf__scale_put_bool(buf, !ok);
}

bool pvf__scale_get_u16(struct pvf__cursor *cursor, uint16_t *ret)
{
    const uint8_t *data;
    if (!pvf__cursor_claim(cursor, 2, &data)) {
        return false;
    }
    *ret = (uint16_t)(data[0] | (unsigned)data[1] << 8);
    return true;
}

void pvf__scale_put_u16(struct pvf__buf *buf, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    (void)pvf__buf_append(buf, bytes, sizeof(bytes));
}

bool pvf__scale_get_u32(struct pvf__cursor *cursor, uint32_t *ret)
{
    return pvf__cursor_u32le(cursor, ret);
}

void pvf__scale_put_u32(struct pvf__buf *buf, uint32_t value)
{
    (void)pvf__buf_u32le(buf, value);
}

bool pvf__scale_get_u64(struct pvf__cursor *cursor, uint64_t *ret)
{
    return pvf__cursor_u64le(cursor, ret);
}

void pvf__scale_put_u64(struct pvf__buf *buf, uint64_t value)
{
    (void)pvf__buf_u64le(buf, value);
}

bool pvf__scale_get_i32(struct pvf__cursor *cursor, int32_t *ret)
{
    uint32_t bits;
    if (!pvf__cursor_u32le(cursor, &bits)) {
        return false;
    }
    /* gcc and clang define this conversion as two's complement, which is the encoding. */
    *ret = (int32_t)bits;
    return true;
}

void pvf__scale_put_i32(struct pvf__buf *buf, int32_t value)
{
    (void)pvf__buf_u32le(buf, (uint32_t)value);
}

bool pvf__scale_get_i64(struct pvf__cursor *cursor, int64_t *ret)
{
    uint64_t bits;
    if (!pvf__cursor_u64le(cursor, &bits)) {
        return false;
    }
    *ret = (int64_t)bits;
    return true;
}

void pvf__scale_put_i64(struct pvf__buf *buf, int64_t value)
{
    (void)pvf__buf_u64le(buf, (uint64_t)value);
}

/* Reads through a copy of the cursor, so that a refusal moves nothing. */
bool pvf__scale_get_compact(struct pvf__cursor *cursor, uint32_t *ret)
{
    struct pvf__cursor at = *cursor;
    uint8_t first;
    uint16_t pair = 0;
    uint32_t value = 0;
    if (pvf__cursor_left(&at) == 0) {
        return false;
    }
    bool fine = false;
    switch (*at.at & 3u) {
    case MODE_1:
        fine = pvf__cursor_u8(&at, &first);
        value = fine ? first >> 2 : 0;
        break;
    case MODE_2:
        fine = pvf__scale_get_u16(&at, &pair);
        value = (uint32_t)pair >> 2;
        fine = fine && value > MAX_1;
        break;
    case MODE_4:
        fine = pvf__cursor_u32le(&at, &value);
        value >>= 2;
        fine = fine && value > MAX_2;
        break;
    default:
        /* The other six bits are the number of bytes beyond four: none fit into a u32. */
        fine = pvf__cursor_u8(&at, &first) && first == MODE_BIG && pvf__cursor_u32le(&at, &value) &&
               value > MAX_4;
        break;
    }
    if (!fine) {
        return false;
    }
    *cursor = at;
    *ret = value;
    return true;
}

void pvf__scale_put_compact(struct pvf__buf *buf, uint32_t value)
{
    if (value <= MAX_1) {
        (void)pvf__buf_u8(buf, (uint8_t)(value << 2 | MODE_1));
    } else if (value <= MAX_2) {
        pvf__scale_put_u16(buf, (uint16_t)(value << 2 | MODE_2));
    } else if (value <= MAX_4) {
        (void)pvf__buf_u32le(buf, value << 2 | MODE_4);
    } else {
        (void)pvf__buf_u8(buf, MODE_BIG);
        (void)pvf__buf_u32le(buf, value);
    }
}

bool pvf__scale_get_bytes(struct pvf__cursor *cursor, struct pvf__slice *ret)
{
    struct pvf__cursor at = *cursor;
    uint32_t len;
    const uint8_t *data;
    if (!pvf__scale_get_compact(&at, &len) || !pvf__cursor_claim(&at, len, &data)) {
        return false;
    }
    *cursor = at;
    *ret = (struct pvf__slice){.data = data, .len = len};
    return true;
}

void pvf__scale_put_length(struct pvf__buf *buf, size_t len)
{
    if (len > UINT32_MAX) {
        buf->failed = buf->failed != 0 ? buf->failed : PVF_ERR_LIMIT;
        return;
    }
    pvf__scale_put_compact(buf, (uint32_t)len);
}

void pvf__scale_put_bytes(struct pvf__buf *buf, struct pvf__slice bytes)
{
    pvf__scale_put_length(buf, bytes.len);
    if (buf->failed == 0) {
        (void)pvf__buf_append(buf, bytes.data, bytes.len);
    }
}

bool pvf__scale_get_string(struct pvf__cursor *cursor, struct pvf__slice *ret)
{
    struct pvf__cursor at = *cursor;
    struct pvf__slice text;
    if (!pvf__scale_get_bytes(&at, &text) || !pvf__text_is_utf8(text.data, text.len)) {
        return false;
    }
    *cursor = at;
    *ret = text;
    return true;
}

void pvf__scale_put_string(struct pvf__buf *buf, struct pvf__slice text)
{
    pvf__scale_put_bytes(buf, text);
}

bool pvf__scale_get_fixed(struct pvf__cursor *cursor, uint8_t *out, size_t len)
{
    return pvf__cursor_copy(cursor, out, len);
}

void pvf__scale_put_fixed(struct pvf__buf *buf, const uint8_t *data, size_t len)
{
    (void)pvf__buf_append(buf, data, len);
}
