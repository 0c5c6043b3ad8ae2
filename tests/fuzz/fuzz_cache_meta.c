/* SPDX-License-Identifier: Apache-2.0 */
/* A sidecar: what is read is what would be written, but for the seal, which nobody can make. */
#include "fuzz/fuzz.h"

#include "cache/cache_meta.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t key[PVF__CACHE_KEY_BYTES] = {0x5A, 0xA5};
    struct pvf__cache_name name;
    struct pvf__cache_meta meta;
    pvf_error err;
    if (pvf__cache_meta_decode(data, len, &name, &meta, &err) != 0) {
        return 0;
    }
    struct pvf__buf again = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    if (pvf__cache_meta_encode(&meta, &name, key, &again, &err) != 0 || again.len != len ||
        memcmp(again.data, data, len - 32) != 0 ||
        !pvf__cache_meta_is_proven(again.data, again.len, &name, key)) {
        abort();
    }
    if (pvf__cache_meta_is_proven(data, len, &name, key) && memcmp(again.data, data, len) != 0) {
        abort();
    }
    pvf__buf_done(&again);
    return 0;
}
