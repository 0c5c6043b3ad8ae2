/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_PLAN_H
#define PVF_WASM_PLAN_H

#include "wasm/wasm_module.h"
#include "wasm/wasm_rewrite.h"

/* The functions that the reference reaches through thunks, and where their thunks stand. */
struct pvf__wasm_thunks {
    uint32_t *targets; /* `count` function indices, ascending */
    size_t count;
    uint32_t *moved; /* for each function: the index of its thunk, or its own */
};

/* All that the writers need to know; nothing in it changes while they write. */
struct pvf__wasm_plan {
    const struct pvf__wasm_module *module;
    const uint32_t *costs;
    struct pvf__wasm_thunks thunks;
    enum pvf__wasm_form form;
    uint32_t limit;
    uint32_t counter;     /* global index in the added code */
    size_t memory_import; /* place among the imports of the one that becomes an own memory */
    struct pvf__wasm_fault *fault;
};

#define PVF__WASM_NO_IMPORT SIZE_MAX

#endif
