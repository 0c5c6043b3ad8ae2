/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: bounded reading.  Trusts nothing but the length it was given. */
#include "base/cursor.h"

#include <string.h>

void pvf__cursor_init(struct pvf__cursor *cursor, const uint8_t *data, size_t len)
{
    static const uint8_t nothing[1];
    cursor->start = data != NULL ? data : nothing;
    cursor->at = cursor->start;
    cursor->end = cursor->start + (data != NULL ? len : 0);
}

bool pvf__cursor_sub(struct pvf__cursor *cursor, size_t len, struct pvf__cursor *ret)
{
    const uint8_t *data;
    if (!pvf__cursor_claim(cursor, len, &data)) {
        return false;
    }
    pvf__cursor_init(ret, data, len);
    return true;
}

bool pvf__cursor_u8(struct pvf__cursor *cursor, uint8_t *ret)
{
    const uint8_t *data;
    if (!pvf__cursor_claim(cursor, 1, &data)) {
        return false;
    }
    *ret = data[0];
    return true;
}

bool pvf__cursor_u32le(struct pvf__cursor *cursor, uint32_t *ret)
{
    const uint8_t *data;
    if (!pvf__cursor_claim(cursor, 4, &data)) {
        return false;
    }
    *ret = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
    return true;
}

bool pvf__cursor_u64le(struct pvf__cursor *cursor, uint64_t *ret)
{
    uint32_t low;
    uint32_t high;
    if (pvf__cursor_left(cursor) < 8 || !pvf__cursor_u32le(cursor, &low) ||
        !pvf__cursor_u32le(cursor, &high)) {
        return false;
    }
    *ret = (uint64_t)low | (uint64_t)high << 32;
    return true;
}

bool pvf__cursor_copy(struct pvf__cursor *cursor, uint8_t *out, size_t len)
{
    const uint8_t *data;
    if (!pvf__cursor_claim(cursor, len, &data)) {
        return false;
    }
    if (len > 0) {
        memcpy(out, data, len);
    }
    return true;
}
