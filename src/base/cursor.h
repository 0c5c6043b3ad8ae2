/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_CURSOR_H
#define PVF_BASE_CURSOR_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded reader over bytes that somebody else owns.  Every read goes through
 * pvf__cursor_claim: false means that fewer bytes are left, and nothing was moved or written.
 */
struct pvf__cursor {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
};

/* `data` may be NULL when `len` is 0. */
void pvf__cursor_init(struct pvf__cursor *cursor, const uint8_t *data, size_t len);

/* Bytes not yet read. */
static inline size_t pvf__cursor_left(const struct pvf__cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* Bytes read so far. */
static inline size_t pvf__cursor_offset(const struct pvf__cursor *cursor)
{
    return (size_t)(cursor->at - cursor->start);
}

/* The one place where input is consumed: *ret points at the next `len` bytes. */
static inline PVF__NODISCARD bool
pvf__cursor_claim(struct pvf__cursor *cursor, size_t len, const uint8_t **ret)
{
    if (len > pvf__cursor_left(cursor)) {
        return false;
    }
    *ret = cursor->at;
    cursor->at += len;
    return true;
}

/* A cursor over the next `len` bytes only; its start is its own. */
PVF__NODISCARD bool
pvf__cursor_sub(struct pvf__cursor *cursor, size_t len, struct pvf__cursor *ret);

PVF__NODISCARD bool pvf__cursor_u8(struct pvf__cursor *cursor, uint8_t *ret);
PVF__NODISCARD bool pvf__cursor_u32le(struct pvf__cursor *cursor, uint32_t *ret);
PVF__NODISCARD bool pvf__cursor_u64le(struct pvf__cursor *cursor, uint64_t *ret);

/* Copies `len` bytes to `out`. */
PVF__NODISCARD bool pvf__cursor_copy(struct pvf__cursor *cursor, uint8_t *out, size_t len);

#endif
