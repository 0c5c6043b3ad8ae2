/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_RULES_H
#define PVF_WASM_RULES_H

#include "wasm/wasm_plan.h"

/*
 * Our own rules: what the reference's engine refuses and ours, being newer, would accept
 * (docs/metering.md).  Before writing: limits on counts.  After writing: the constant expressions
 * of the module at `data`, read as an engine reads them.
 */
PVF__NODISCARD int pvf__wasm_rules_before(const struct pvf__wasm_plan *plan);
PVF__NODISCARD int
pvf__wasm_rules_after(const struct pvf__wasm_plan *plan, const uint8_t *data, size_t len);

#endif
