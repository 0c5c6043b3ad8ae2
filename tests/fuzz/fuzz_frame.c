/* SPDX-License-Identifier: Apache-2.0 */
/* A frame in memory: its body lies inside, and building it again gives the same bytes. */
#include "fuzz/fuzz.h"

#include "proto/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pvf__slice body;
    pvf_error err;
    if (pvf__frame_first(data, len, &body, &err) != 0) {
        return 0;
    }
    struct pvf__buf again = PVF__BUF_INIT(len);
    size_t start;
    pvf__frame_begin(&again, &start);
    (void)pvf__buf_append(&again, body.data, body.len);
    pvf__frame_end(&again, start);
    if (again.failed != 0 || again.len > len || memcmp(again.data, data, again.len) != 0) {
        abort();
    }
    pvf__buf_done(&again);
    return 0;
}
