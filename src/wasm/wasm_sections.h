/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_SECTIONS_H
#define PVF_WASM_SECTIONS_H

#include "wasm/wasm_plan.h"

/*
 * Appends the whole rewritten module.  0, PVF_ERR_NO_MEMORY or PVF_ERR_LIMIT, with plan->fault
 * filled.
 */
PVF__NODISCARD int pvf__wasm_sections_write(const struct pvf__wasm_plan *plan,
                                            struct pvf__buf *out);

#endif
