/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_LEB_H
#define PVF_WASM_LEB_H

#include "base/buf.h"
#include "base/cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * LEB128 as the reference's first parser reads it: more bytes than needed are fine, more bytes
 * than the type allows (5 for 32 bits, 10 for 64) or surplus bits in the last of them are not.
 * Writing always gives the shortest form.
 */
enum pvf__wasm_leb {
    PVF__WASM_LEB_SHORTEST = 0, /* read, and the bytes are what the writer would give */
    PVF__WASM_LEB_LOOSE,        /* read, but over-long */
    PVF__WASM_LEB_EOF,          /* the input ends inside; the cursor is left at the first byte */
    PVF__WASM_LEB_INVALID,      /* too many bytes or bits; the cursor is left at the first byte */
};

enum pvf__wasm_leb pvf__wasm_leb_u32(struct pvf__cursor *cursor, uint32_t *ret);
enum pvf__wasm_leb pvf__wasm_leb_s32(struct pvf__cursor *cursor, int32_t *ret);
enum pvf__wasm_leb pvf__wasm_leb_s64(struct pvf__cursor *cursor, int64_t *ret);

/* The longest 32-bit form, and room enough to write one. */
#define PVF__WASM_LEB_MAX32 5

/* Both return the number of bytes written; `out` has room for PVF__WASM_LEB_MAX32. */
size_t pvf__wasm_leb_put_u32(uint8_t *out, uint32_t value);
size_t pvf__wasm_leb_put_s32(uint8_t *out, int32_t value);

/* As pvf__buf_append. */
int pvf__wasm_leb_write_u32(struct pvf__buf *buf, uint32_t value);
int pvf__wasm_leb_write_s64(struct pvf__buf *buf, int64_t value);

/* Length of the shortest form. */
size_t pvf__wasm_leb_size_u32(uint32_t value);

#endif
