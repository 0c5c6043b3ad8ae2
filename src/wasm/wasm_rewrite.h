/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_REWRITE_H
#define PVF_WASM_REWRITE_H

#include "base/buf.h"
#include "wasm/wasm_fault.h"

#include <stddef.h>
#include <stdint.h>

/* Where the metering code stands (docs/metering.md); the verdicts of both forms are the same. */
enum pvf__wasm_form {
    PVF__WASM_CALLEE = 0,    /* at the entry and exit of each function: less code */
    PVF__WASM_CALL_SITE = 1, /* around each call and in thunks: the reference's own bytes */
};

/*
 * Every function here takes a decompressed blob, and returns 0, or a status with *fault (never
 * NULL) filled: PVF_ERR_MALFORMED, the blob is refused at fault->stage; PVF_ERR_NO_MEMORY, and for
 * rewriting PVF_ERR_LIMIT (out->max is too small): nothing is known about the blob.
 */

/* The reference's first parser: whether it accepts the blob. */
PVF__NODISCARD int pvf__wasm_check(const uint8_t *code, size_t len, struct pvf__wasm_fault *fault);

/*
 * Checks and rewrites the blob for the engine, and refuses what the engine alone would accept too
 * much; appends to `out`, which is as before after a failure.  `stack_limit` is the logical stack
 * limit.  Some modules get the call-site form whatever `form` says.
 */
PVF__NODISCARD int pvf__wasm_rewrite(const uint8_t *code,
                                     size_t len,
                                     uint32_t stack_limit,
                                     enum pvf__wasm_form form,
                                     struct pvf__buf *out,
                                     struct pvf__wasm_fault *fault);

/*
 * The stack cost of each function, imported ones first; *costs has *count entries and belongs to
 * the caller (free).
 */
PVF__NODISCARD int pvf__wasm_costs(const uint8_t *code,
                                   size_t len,
                                   uint32_t **costs,
                                   size_t *count,
                                   struct pvf__wasm_fault *fault);

#endif
