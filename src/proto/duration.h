/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_DURATION_H
#define PVF_PROTO_DURATION_H

#include "base/buf.h"
#include "base/cursor.h"

#include <stdbool.h>
#include <stdint.h>

/* A span of time as it travels: `nanos` is always below 10^9. */
struct pvf__duration {
    uint64_t secs;
    uint32_t nanos;
};

/* Wire: u64 seconds, u32 nanoseconds; 10^9 nanoseconds or more are refused. */
PVF__NODISCARD bool pvf__duration_get(struct pvf__cursor *cursor, struct pvf__duration *ret);
void pvf__duration_put(struct pvf__buf *buf, struct pvf__duration value);

struct pvf__duration pvf__duration_from_ms(uint64_t ms);
struct pvf__duration pvf__duration_from_us(uint64_t us);

/*
 * Whole microseconds, rounded up, UINT64_MAX when there are more.  Rounding up keeps comparisons
 * exact: a CPU time in whole microseconds is >= the limit if and only if it is >= this.
 */
uint64_t pvf__duration_to_us(struct pvf__duration value);

/* Nanoseconds, UINT64_MAX when there are more. */
uint64_t pvf__duration_to_ns(struct pvf__duration value);

/* Less than, equal to or greater than 0, as memcmp. */
int pvf__duration_compare(struct pvf__duration a, struct pvf__duration b);

#endif
