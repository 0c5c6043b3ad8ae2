/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the order of checks and steps from a blob to the module that the engine gets.  Trusts
 * nothing about the blob.
 */
#include "wasm/wasm_rewrite.h"

#include "pvf/status.h"
#include "wasm/wasm_cost.h"
#include "wasm/wasm_plan.h"
#include "wasm/wasm_rules.h"
#include "wasm/wasm_sections.h"
#include "wasm/wasm_thunk.h"

#include <stdlib.h>

int pvf__wasm_check(const uint8_t *code, size_t len, struct pvf__wasm_fault *fault)
{
    struct pvf__wasm_module module;
    int status = pvf__wasm_module_parse(code, len, &module, fault);
    if (status == 0) {
        pvf__wasm_module_done(&module);
    }
    return status;
}

int pvf__wasm_costs(
    const uint8_t *code, size_t len, uint32_t **costs, size_t *count, struct pvf__wasm_fault *fault)
{
    struct pvf__wasm_module module;
    int status = pvf__wasm_module_parse(code, len, &module, fault);
    if (status != 0) {
        return status;
    }
    status = pvf__wasm_cost_all(&module, fault, costs);
    if (status == 0) {
        *count = module.func_count;
    }
    pvf__wasm_module_done(&module);
    return status;
}

/* The first imported memory becomes the module's own; there must be no other. */
static int plan_memory(struct pvf__wasm_plan *plan)
{
    const struct pvf__wasm_module *module = plan->module;
    plan->memory_import = PVF__WASM_NO_IMPORT;
    if (module->import_counts[PVF__WASM_KIND_MEMORY] == 0) {
        return 0;
    }
    if (module->sections[PVF__WASM_SEC_MEMORY].count != 0) {
        return pvf__wasm_fault_prepare(
            plan->fault,
            (size_t)(module->sections[PVF__WASM_SEC_MEMORY].items.data - module->code),
            "can't convert a memory import into an export: failed to insert a new memory section: "
            "Duplicated sections (5)");
    }
    struct pvf__wasm_reader reader;
    pvf__wasm_module_entries(module, PVF__WASM_SEC_IMPORT, plan->fault, &reader);
    for (size_t i = 0; plan->memory_import == PVF__WASM_NO_IMPORT; i++) {
        struct pvf__wasm_import entry;
        int status = pvf__wasm_entry_import(&reader, &entry);
        if (status != 0) {
            return status; /* cannot be: the grammar was checked */
        }
        if (entry.kind == PVF__WASM_KIND_MEMORY) {
            plan->memory_import = i;
        }
    }
    return 0;
}

/*
 * The reference counts only defined globals, so that with imported ones its code names another
 * global than the counter; and it rewrites what its grammar takes for function indices in element
 * segments, although an engine reads segments with flags otherwise.  Such modules, none of which
 * a toolchain makes, get exactly the reference's bytes.
 */
static bool needs_reference_form(const struct pvf__wasm_module *module)
{
    return module->import_counts[PVF__WASM_KIND_GLOBAL] != 0 || module->odd_elements;
}

static int write_module(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    size_t start = out->len;
    int failed_before = out->failed;
    out->failed = 0;
    int status = pvf__wasm_sections_write(plan, out);
    if (status == 0) {
        status = pvf__wasm_rules_after(plan, out->data + start, out->len - start);
    }
    if (status != 0) {
        out->len = start;
        out->failed = failed_before != 0 ? failed_before : out->failed;
    } else {
        out->failed = failed_before;
    }
    return status;
}

static int rewrite(const struct pvf__wasm_module *module,
                   const uint32_t *costs,
                   uint32_t stack_limit,
                   enum pvf__wasm_form form,
                   struct pvf__buf *out,
                   struct pvf__wasm_fault *fault)
{
    struct pvf__wasm_plan plan = {
        .module = module,
        .costs = costs,
        .form = needs_reference_form(module) ? PVF__WASM_CALL_SITE : form,
        .limit = stack_limit,
        .counter = module->sections[PVF__WASM_SEC_GLOBAL].count,
        .fault = fault,
    };
    int status = pvf__wasm_thunk_collect(module, costs, fault, &plan.thunks);
    if (status == 0) {
        status = plan_memory(&plan);
    }
    if (status == 0) {
        status = pvf__wasm_rules_before(&plan);
    }
    if (status == 0) {
        status = write_module(&plan, out);
    }
    pvf__wasm_thunk_done(&plan.thunks);
    return status;
}

int pvf__wasm_rewrite(const uint8_t *code,
                      size_t len,
                      uint32_t stack_limit,
                      enum pvf__wasm_form form,
                      struct pvf__buf *out,
                      struct pvf__wasm_fault *fault)
{
    struct pvf__wasm_module module;
    int status = pvf__wasm_module_parse(code, len, &module, fault);
    if (status != 0) {
        return status;
    }
    uint32_t *costs = NULL;
    status = pvf__wasm_cost_all(&module, fault, &costs);
    if (status == 0) {
        status = rewrite(&module, costs, stack_limit, form, out, fault);
    }
    free(costs);
    pvf__wasm_module_done(&module);
    return status;
}
