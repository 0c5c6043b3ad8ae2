/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_BUF_H
#define PVF_BASE_BUF_H

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Growable bytes that it owns, never more than `max`.  Appends return 0, PVF_ERR_LIMIT (more than
 * `max`) or PVF_ERR_NO_MEMORY; a failed append leaves the buffer as it was, and sets `failed` so
 * that an encoder may append many times and look once.
 */
struct pvf__buf {
    uint8_t *data; /* NULL while nothing was reserved */
    size_t len;
    size_t cap;
    size_t max;
    int failed; /* status of the first append that failed, else 0 */
};

#define PVF__BUF_INIT(maximum)                                                                     \
    {                                                                                              \
        .data = NULL, .len = 0, .cap = 0, .max = (maximum), .failed = 0                            \
    }

void pvf__buf_init(struct pvf__buf *buf, size_t max);

/* Frees the bytes and makes the buffer empty; it may be used again. */
void pvf__buf_done(struct pvf__buf *buf);

/* Room for `len` more bytes. */
PVF__NODISCARD int pvf__buf_reserve(struct pvf__buf *buf, size_t len);

int pvf__buf_append(struct pvf__buf *buf, const void *data, size_t len);
int pvf__buf_u8(struct pvf__buf *buf, uint8_t value);
int pvf__buf_u32le(struct pvf__buf *buf, uint32_t value);
int pvf__buf_u64le(struct pvf__buf *buf, uint64_t value);

/* Appends `len` bytes of zero. */
int pvf__buf_zeros(struct pvf__buf *buf, size_t len);

#endif
