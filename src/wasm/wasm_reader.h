/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_READER_H
#define PVF_WASM_READER_H

#include "base/cursor.h"
#include "base/slice.h"
#include "pvf/status.h"
#include "wasm/wasm_fault.h"
#include "wasm/wasm_leb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A cursor that knows its place in the blob and where to put a fault.  Every read returns 0, or
 * PVF_ERR_MALFORMED with *fault filled.
 */
struct pvf__wasm_reader {
    struct pvf__cursor in;
    const uint8_t *base; /* first byte of the blob, for offsets in faults */
    struct pvf__wasm_fault *fault;
    bool loose; /* an over-long integer was read since the caller last cleared this */
};

void pvf__wasm_reader_init(struct pvf__wasm_reader *reader,
                           const uint8_t *data,
                           size_t len,
                           struct pvf__wasm_fault *fault);

/* A reader over a part of the same blob. */
void pvf__wasm_reader_over(struct pvf__wasm_reader *reader,
                           const struct pvf__wasm_reader *whole,
                           struct pvf__slice part);

static inline size_t pvf__wasm_reader_offset(const struct pvf__wasm_reader *reader)
{
    return (size_t)(reader->in.at - reader->base);
}

static inline bool pvf__wasm_reader_done(const struct pvf__wasm_reader *reader)
{
    return reader->in.at == reader->in.end;
}

/* The two faults that need no more words. */
int pvf__wasm_reader_eof(struct pvf__wasm_reader *reader);
int pvf__wasm_reader_surplus(struct pvf__wasm_reader *reader);

/* The forms for more than one byte; use the inline ones below. */
int pvf__wasm_reader_u32_long(struct pvf__wasm_reader *reader, uint32_t *ret);
int pvf__wasm_reader_s32_long(struct pvf__wasm_reader *reader, int32_t *ret);
int pvf__wasm_reader_s64(struct pvf__wasm_reader *reader, int64_t *ret);

static inline PVF__NODISCARD int pvf__wasm_reader_byte(struct pvf__wasm_reader *reader,
                                                       uint8_t *ret)
{
    const uint8_t *at;
    if (!pvf__cursor_claim(&reader->in, 1, &at)) {
        (void)pvf__wasm_reader_eof(reader);
        return PVF_ERR_MALFORMED;
    }
    *ret = *at;
    return 0;
}

static inline PVF__NODISCARD int pvf__wasm_reader_u32(struct pvf__wasm_reader *reader,
                                                      uint32_t *ret)
{
    /* One byte is by far the most frequent length. */
    if (reader->in.at < reader->in.end && *reader->in.at < 0x80) {
        *ret = *reader->in.at++;
        return 0;
    }
    return pvf__wasm_reader_u32_long(reader, ret);
}

static inline PVF__NODISCARD int pvf__wasm_reader_s32(struct pvf__wasm_reader *reader, int32_t *ret)
{
    if (reader->in.at < reader->in.end && *reader->in.at < 0x80) {
        uint8_t byte = *reader->in.at++;
        *ret = byte >= 0x40 ? byte - 0x80 : byte;
        return 0;
    }
    return pvf__wasm_reader_s32_long(reader, ret);
}

/* The next `len` bytes as they are. */
PVF__NODISCARD int
pvf__wasm_reader_bytes(struct pvf__wasm_reader *reader, size_t len, struct pvf__slice *ret);

/* A length and as many bytes. */
PVF__NODISCARD int pvf__wasm_reader_block(struct pvf__wasm_reader *reader, struct pvf__slice *ret);

/* A length and as many bytes of UTF-8. */
PVF__NODISCARD int pvf__wasm_reader_name(struct pvf__wasm_reader *reader, struct pvf__slice *ret);

/* One of 7F 7E 7D 7C. */
PVF__NODISCARD int pvf__wasm_reader_valtype(struct pvf__wasm_reader *reader, uint8_t *ret);

#endif
