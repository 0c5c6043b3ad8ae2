/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BLOB_DECOMPRESS_H
#define PVF_BLOB_DECOMPRESS_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes that a compressed PoV may become: 4 times the largest PoV of 10 MiB. */
#define PVF__BLOB_POV_LIMIT ((size_t)40 * 1024 * 1024)

/* The same for code, where the relay chain names no limit: 4 times 5 MiB. */
#define PVF__BLOB_CODE_LIMIT_DEFAULT ((size_t)20 * 1024 * 1024)

/* The plain bytes of a blob.  Give it to pvf__blob_done. */
struct pvf__blob {
    const uint8_t *data;
    size_t len;
    uint8_t *own; /* what pvf__blob_done frees; NULL when `data` is the input itself */
    size_t own_cap;
};

#define PVF__BLOB_INIT                                                                             \
    {                                                                                              \
        .data = NULL, .len = 0, .own = NULL, .own_cap = 0                                          \
    }

/*
 * Takes a blob out of its compression container.  One without the container's magic is borrowed
 * as it is, of any length: it must live as long as *ret.  PVF_ERR_MALFORMED: damaged.
 * PVF_ERR_LIMIT: more than `limit` bytes come out.  PVF_ERR_INTERNAL: the decoder failed.  The
 * first two depend on the bytes alone.
 */
PVF__NODISCARD int pvf__blob_decompress(
    const uint8_t *data, size_t len, size_t limit, struct pvf__blob *ret, pvf_error *err);

/* Frees what was decompressed; the blob is empty afterwards. */
void pvf__blob_done(struct pvf__blob *blob);

#endif
