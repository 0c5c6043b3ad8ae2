/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SCALE_SCALE_H
#define PVF_SCALE_SCALE_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SCALE, exactly as strict as parity-scale-codec: fixed-width integers are little endian, a compact
 * integer must have its shortest form, a bool or an option tag is 0 or 1, text is UTF-8.
 *
 * Decoding.  Every `get` returns false on bytes that it does not accept or that are too few; then
 * the cursor stands where the refused value begins (so its offset says where), and the output is
 * untouched.  Slices point into the cursor's bytes: nothing is copied or allocated.
 *
 * Encoding.  A `put` appends; look at buf->failed once at the end.
 */

PVF__NODISCARD bool pvf__scale_get_bool(struct pvf__cursor *cursor, bool *ret);
PVF__NODISCARD bool pvf__scale_get_u8(struct pvf__cursor *cursor, uint8_t *ret);
PVF__NODISCARD bool pvf__scale_get_u16(struct pvf__cursor *cursor, uint16_t *ret);
PVF__NODISCARD bool pvf__scale_get_u32(struct pvf__cursor *cursor, uint32_t *ret);
PVF__NODISCARD bool pvf__scale_get_u64(struct pvf__cursor *cursor, uint64_t *ret);
PVF__NODISCARD bool pvf__scale_get_i32(struct pvf__cursor *cursor, int32_t *ret);
PVF__NODISCARD bool pvf__scale_get_i64(struct pvf__cursor *cursor, int64_t *ret);

/* Compact<u32>: lengths and counts. */
PVF__NODISCARD bool pvf__scale_get_compact(struct pvf__cursor *cursor, uint32_t *ret);

/* Vec<u8>: the bytes after their length. */
PVF__NODISCARD bool pvf__scale_get_bytes(struct pvf__cursor *cursor, struct pvf__slice *ret);

/* String: bytes that must be UTF-8; there is no terminator. */
PVF__NODISCARD bool pvf__scale_get_string(struct pvf__cursor *cursor, struct pvf__slice *ret);

/* The tag of an option; true in *ret_some when a value follows. */
PVF__NODISCARD bool pvf__scale_get_option(struct pvf__cursor *cursor, bool *ret_some);

/* The tag of a result: true in *ret_ok for Ok. */
PVF__NODISCARD bool pvf__scale_get_result(struct pvf__cursor *cursor, bool *ret_ok);

/* The index of an enum's variant, less than `count`. */
PVF__NODISCARD bool pvf__scale_get_tag(struct pvf__cursor *cursor, uint8_t count, uint8_t *ret);

/* `len` bytes without a length: hashes. */
PVF__NODISCARD bool pvf__scale_get_fixed(struct pvf__cursor *cursor, uint8_t *out, size_t len);

void pvf__scale_put_bool(struct pvf__buf *buf, bool value);
void pvf__scale_put_u8(struct pvf__buf *buf, uint8_t value);
void pvf__scale_put_u16(struct pvf__buf *buf, uint16_t value);
void pvf__scale_put_u32(struct pvf__buf *buf, uint32_t value);
void pvf__scale_put_u64(struct pvf__buf *buf, uint64_t value);
void pvf__scale_put_i32(struct pvf__buf *buf, int32_t value);
void pvf__scale_put_i64(struct pvf__buf *buf, int64_t value);
void pvf__scale_put_compact(struct pvf__buf *buf, uint32_t value);

/* Of a Vec, before what is in it.  More than UINT32_MAX has no encoding: PVF_ERR_LIMIT. */
void pvf__scale_put_length(struct pvf__buf *buf, size_t len);

/* More than UINT32_MAX bytes have no encoding: PVF_ERR_LIMIT in buf->failed. */
void pvf__scale_put_bytes(struct pvf__buf *buf, struct pvf__slice bytes);

/* As pvf__scale_put_bytes; the caller vouches for UTF-8. */
void pvf__scale_put_string(struct pvf__buf *buf, struct pvf__slice text);

void pvf__scale_put_option(struct pvf__buf *buf, bool some);
void pvf__scale_put_result(struct pvf__buf *buf, bool ok);
void pvf__scale_put_fixed(struct pvf__buf *buf, const uint8_t *data, size_t len);

#endif
