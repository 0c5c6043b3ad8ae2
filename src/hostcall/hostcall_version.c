/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: runtime_version of the interface "Misc": what a blob that the guest hands in says about
 * itself.  Trusts no byte of the blob; whatever is wrong with it, the answer is none, not a trap.
 */
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"
#include "hostcall/runtime_version.h"
#include "pvf/status.h"
#include "wasm/wasm_rewrite.h"

#include <string.h>

/* The limit of the compression container here, 50 MiB; plain blobs have none. */
#define BOMB_LIMIT ((size_t)52428800)

/* The encoded answer for a plain blob, appended to `out`. */
static void describe(const struct pvf__hostcall_context *context,
                     const uint8_t *code,
                     size_t len,
                     struct pvf__buf *out)
{
    struct pvf__wasm_fault fault;
    int status = pvf__wasm_check(code, len, &fault);
    if (status == 0) {
        status = pvf__runtime_version_encode(code, len, out);
    }
    if (status == PVF_ERR_NO_MEMORY || status == PVF_ERR_LIMIT) {
        pvf__marshal_no_memory(context);
    }
    if (status != 0) {
        out->len = 0;
        (void)pvf__buf_u8(out, 0);
    }
}

int pvf__hostcall_version_of_blob(struct pvf__hostcall_context *context,
                                  const uint64_t *args,
                                  uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Misc", "runtime_version"};
    struct pvf__slice blob;
    if (pvf__marshal_fat(&frame, "wasm", args[0], &blob) != 0) {
        return -1;
    }
    uint8_t *code = NULL;
    size_t len = 0;
    size_t cap = 0;
    bool borrowed = false;
    int status = context->provider->decompress(
        blob.data, blob.len, BOMB_LIMIT, &code, &len, &cap, &borrowed);
    if (status < 0) {
        return pvf__marshal_panic(context, "the decompression failed");
    }
    /* No more than the blob's own bytes come back, and a few. */
    PVF__CLEANUP_BUF struct pvf__buf out = PVF__BUF_INIT(SIZE_MAX / 4);
    if (status == 0) {
        describe(context, code, len, &out);
        if (!borrowed) {
            context->provider->buffer_free(code, len, cap);
        }
    } else {
        (void)pvf__buf_u8(&out, 0);
    }
    if (out.failed != 0) {
        pvf__marshal_no_memory(context);
    }
    return pvf__marshal_return_fat(context, out.data, out.len, ret);
}
