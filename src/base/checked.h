/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_CHECKED_H
#define PVF_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Size arithmetic that tells instead of wrapping: false, and *ret untouched, on overflow. */
static inline bool pvf__checked_add(size_t a, size_t b, size_t *ret)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *ret = sum;
    return true;
}

static inline bool pvf__checked_mul(size_t a, size_t b, size_t *ret)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *ret = product;
    return true;
}

#endif
