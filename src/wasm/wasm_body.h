/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_BODY_H
#define PVF_WASM_BODY_H

#include "wasm/wasm_plan.h"

/*
 * The bodies of the code section, with their lengths in front and the metering code inside; a
 * failed append stays in out->failed.  The section's reader stands at the next body.
 */
PVF__NODISCARD int pvf__wasm_body_write(const struct pvf__wasm_plan *plan,
                                        struct pvf__wasm_reader *section,
                                        size_t function,
                                        struct pvf__buf *out);

/* The thunk of a defined function: its parameters again, and a metered call. */
void pvf__wasm_body_write_thunk(const struct pvf__wasm_plan *plan,
                                uint32_t function,
                                struct pvf__buf *out);

#endif
