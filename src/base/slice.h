/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_SLICE_H
#define PVF_BASE_SLICE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns.  `data` may be NULL, or anything, when `len` is 0. */
struct pvf__slice {
    const uint8_t *data;
    size_t len;
};

/* The bytes of a text, without its terminator. */
static inline struct pvf__slice pvf__slice_text(const char *text)
{
    return (struct pvf__slice){.data = (const uint8_t *)text, .len = strlen(text)};
}

#endif
