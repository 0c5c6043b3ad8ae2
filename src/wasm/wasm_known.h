/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_KNOWN_H
#define PVF_WASM_KNOWN_H

#include "wasm/wasm_entry.h"

/* A function that is known by its bytes, and code that may run before it (docs/metering.md). */
struct pvf__wasm_known {
    struct pvf__slice locals; /* one more group of locals, behind the function's own */
    struct pvf__slice head;
};

/* NULL for a function that is not known, which is nearly every one. */
const struct pvf__wasm_known *pvf__wasm_known_find(const struct pvf__wasm_type *type,
                                                   const struct pvf__wasm_body *body);

#endif
