/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_EMIT_H
#define PVF_WASM_EMIT_H

#include "base/buf.h"
#include "wasm/wasm_entry.h"

/*
 * Small pieces of output.  None returns a status: a failed append stays in out->failed, which the
 * caller looks at once in a while.
 */

/* A length in front of bytes that are not written yet: open, write the bytes, close. */
size_t pvf__wasm_emit_open(struct pvf__buf *out);
void pvf__wasm_emit_close(struct pvf__buf *out, size_t opened);

void pvf__wasm_emit_name(struct pvf__buf *out, struct pvf__slice name);
void pvf__wasm_emit_limits(struct pvf__buf *out, const struct pvf__wasm_limits *limits);
void pvf__wasm_emit_expr(struct pvf__buf *out, const struct pvf__wasm_expr *expr);

#endif
