/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of SCALE reads: each pair of bytes from the front names a type, the rest is read.  What
 * was read and is written again is what was there.
 */
#include "fuzz/fuzz.h"

#include "scale/scale.h"

#include <stdlib.h>
#include <string.h>

#define STEPS 8u

/* Reads one value and writes it; false when it was refused. */
static bool step(uint8_t type, struct pvf__cursor *cursor, struct pvf__buf *again)
{
    uint32_t number;
    int64_t big;
    struct pvf__slice bytes;
    bool flag;
    uint16_t pair;
    switch (type % 8) {
    case 0:
        if (!pvf__scale_get_compact(cursor, &number)) {
            return false;
        }
        pvf__scale_put_compact(again, number);
        return true;
    case 1:
        if (!pvf__scale_get_bytes(cursor, &bytes)) {
            return false;
        }
        pvf__scale_put_bytes(again, bytes);
        return true;
    case 2:
        if (!pvf__scale_get_string(cursor, &bytes)) {
            return false;
        }
        pvf__scale_put_string(again, bytes);
        return true;
    case 3:
        if (!pvf__scale_get_option(cursor, &flag)) {
            return false;
        }
        pvf__scale_put_option(again, flag);
        return true;
    case 4:
        if (!pvf__scale_get_result(cursor, &flag)) {
            return false;
        }
        pvf__scale_put_result(again, flag);
        return true;
    case 5:
        if (!pvf__scale_get_u16(cursor, &pair)) {
            return false;
        }
        pvf__scale_put_u16(again, pair);
        return true;
    case 6:
        if (!pvf__scale_get_i64(cursor, &big)) {
            return false;
        }
        pvf__scale_put_i64(again, big);
        return true;
    default:
        if (!pvf__scale_get_u32(cursor, &number)) {
            return false;
        }
        pvf__scale_put_u32(again, number);
        return true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < STEPS) {
        return 0;
    }
    struct pvf__cursor cursor;
    struct pvf__buf again = PVF__BUF_INIT(len);
    pvf__cursor_init(&cursor, data + STEPS, len - STEPS);
    for (size_t i = 0; i < STEPS; i++) {
        size_t before = pvf__cursor_offset(&cursor);
        if (!step(data[i], &cursor, &again)) {
            if (pvf__cursor_offset(&cursor) != before) {
                abort();
            }
            break;
        }
    }
    size_t used = pvf__cursor_offset(&cursor);
    if (again.failed != 0 || again.len != used ||
        (used > 0 && memcmp(again.data, data + STEPS, used) != 0)) {
        abort();
    }
    pvf__buf_done(&again);
    return 0;
}
