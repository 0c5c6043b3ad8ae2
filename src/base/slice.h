/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_SLICE_H
#define PVF_BASE_SLICE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else owns.  `data` may be NULL, or anything, when `len` is 0. */
struct pvf__slice {
    const uint8_t *data;
    size_t len;
};

#endif
