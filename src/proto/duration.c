/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: spans of time on the wire and their conversions. */
#include "proto/duration.h"

#include "scale/scale.h"

#define NANOS 1000000000u

bool pvf__duration_get(struct pvf__cursor *cursor, struct pvf__duration *ret)
{
    struct pvf__cursor at = *cursor;
    struct pvf__duration value;
    if (!pvf__scale_get_u64(&at, &value.secs) || !pvf__scale_get_u32(&at, &value.nanos) ||
        value.nanos >= NANOS) {
        return false;
    }
    *cursor = at;
    *ret = value;
    return true;
}

void pvf__duration_put(struct pvf__buf *buf, struct pvf__duration value)
{
    pvf__scale_put_u64(buf, value.secs);
    pvf__scale_put_u32(buf, value.nanos);
}

struct pvf__duration pvf__duration_from_ms(uint64_t ms)
{
    return (struct pvf__duration){.secs = ms / 1000, .nanos = (uint32_t)(ms % 1000) * 1000000u};
}

struct pvf__duration pvf__duration_from_us(uint64_t us)
{
    return (struct pvf__duration){.secs = us / 1000000, .nanos = (uint32_t)(us % 1000000) * 1000u};
}

uint64_t pvf__duration_to_us(struct pvf__duration value)
{
    uint64_t us;
    if (__builtin_mul_overflow(value.secs, 1000000u, &us) ||
        __builtin_add_overflow(us, (uint64_t)(value.nanos + 999u) / 1000u, &us)) {
        return UINT64_MAX;
    }
    return us;
}

uint64_t pvf__duration_to_ns(struct pvf__duration value)
{
    uint64_t ns;
    if (__builtin_mul_overflow(value.secs, (uint64_t)NANOS, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)value.nanos, &ns)) {
        return UINT64_MAX;
    }
    return ns;
}

int pvf__duration_compare(struct pvf__duration a, struct pvf__duration b)
{
    if (a.secs != b.secs) {
        return a.secs < b.secs ? -1 : 1;
    }
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}
