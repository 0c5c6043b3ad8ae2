/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the pieces that output is made of, always in the shortest encoding. */
#include "wasm/wasm_emit.h"

#include "pvf/status.h"

#include <string.h>

size_t pvf__wasm_emit_open(struct pvf__buf *out)
{
    size_t opened = out->len;
    (void)pvf__buf_zeros(out, PVF__WASM_LEB_MAX32);
    return opened;
}

void pvf__wasm_emit_close(struct pvf__buf *out, size_t opened)
{
    if (out->failed != 0) {
        return;
    }
    size_t start = opened + PVF__WASM_LEB_MAX32;
    size_t len = out->len - start;
    if (len > UINT32_MAX) {
        out->failed = PVF_ERR_LIMIT; /* no Wasm length can say this */
        return;
    }
    size_t used = pvf__wasm_leb_put_u32(out->data + opened, (uint32_t)len);
    memmove(out->data + opened + used, out->data + start, len);
    out->len = opened + used + len;
}

void pvf__wasm_emit_name(struct pvf__buf *out, struct pvf__slice name)
{
    (void)pvf__wasm_leb_write_u32(out, (uint32_t)name.len);
    (void)pvf__buf_append(out, name.data, name.len);
}

void pvf__wasm_emit_limits(struct pvf__buf *out, const struct pvf__wasm_limits *limits)
{
    (void)pvf__buf_u8(out, limits->has_max ? 1 : 0);
    (void)pvf__wasm_leb_write_u32(out, limits->min);
    if (limits->has_max) {
        (void)pvf__wasm_leb_write_u32(out, limits->max);
    }
}

void pvf__wasm_emit_expr(struct pvf__buf *out, const struct pvf__wasm_expr *expr)
{
    if (!expr->loose) {
        (void)pvf__buf_append(out, expr->bytes.data, expr->bytes.len);
        return;
    }
    struct pvf__wasm_fault unused;
    struct pvf__wasm_reader reader;
    pvf__wasm_reader_init(&reader, expr->bytes.data, expr->bytes.len, &unused);
    struct pvf__wasm_instr instr;
    while (!pvf__wasm_reader_done(&reader) && pvf__wasm_instr_next(&reader, &instr) == 0) {
        pvf__wasm_instr_write(&instr, out);
    }
}
