/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_THUNK_H
#define PVF_WASM_THUNK_H

#include "wasm/wasm_plan.h"

/*
 * Finds the defined functions that exports, element segments and the start section name.  Fails
 * as the reference does for an index that is no function.  Free with pvf__wasm_thunk_done.
 */
PVF__NODISCARD int pvf__wasm_thunk_collect(const struct pvf__wasm_module *module,
                                           const uint32_t *costs,
                                           struct pvf__wasm_fault *fault,
                                           struct pvf__wasm_thunks *ret);

void pvf__wasm_thunk_done(struct pvf__wasm_thunks *thunks);

/*
 * The type index of each type's first equal, which is what a thunk is given: *ret has
 * module->type_count entries and belongs to the caller (free).
 */
PVF__NODISCARD int pvf__wasm_thunk_types(const struct pvf__wasm_module *module,
                                         struct pvf__wasm_fault *fault,
                                         uint32_t **ret);

#endif
