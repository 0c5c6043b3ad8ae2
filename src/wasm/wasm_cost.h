/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_COST_H
#define PVF_WASM_COST_H

#include "wasm/wasm_module.h"

/*
 * The logical stack cost of every function, imported ones first (they cost 0): declared locals
 * plus the highest operand stack as the reference's one-pass walk sees it.  *ret_costs has
 * module->func_count entries and belongs to the caller (free).
 */
PVF__NODISCARD int pvf__wasm_cost_all(const struct pvf__wasm_module *module,
                                      struct pvf__wasm_fault *fault,
                                      uint32_t **ret_costs);

#endif
