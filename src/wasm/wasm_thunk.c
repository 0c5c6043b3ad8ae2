/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: which functions get a thunk, in what order and of what type.  Trusts that the grammar was
 * checked and costs were computed; function indices are checked here.
 */
#include "wasm/wasm_thunk.h"

#include "pvf/status.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(struct pvf__wasm_fault *fault)
{
    return pvf__wasm_fault_machine(fault, PVF__WASM_PREPARATION, PVF_ERR_NO_MEMORY);
}

/* While collecting, `moved` only marks: 1 for a function that is named somewhere. */
static int mark(const struct pvf__wasm_module *module,
                struct pvf__wasm_fault *fault,
                size_t offset,
                uint32_t index,
                uint32_t *marks)
{
    if (index >= module->func_count) {
        return pvf__wasm_fault_limiter(fault, offset, "function index isn't found");
    }
    marks[index] = 1;
    return 0;
}

static int
mark_exports(const struct pvf__wasm_module *module, struct pvf__wasm_fault *fault, uint32_t *marks)
{
    struct pvf__wasm_reader reader;
    pvf__wasm_module_entries(module, PVF__WASM_SEC_EXPORT, fault, &reader);
    while (!pvf__wasm_reader_done(&reader)) {
        size_t offset = pvf__wasm_reader_offset(&reader);
        struct pvf__wasm_export entry;
        int status = pvf__wasm_entry_export(&reader, &entry);
        if (status == 0 && entry.kind == PVF__WASM_KIND_FUNC) {
            status = mark(module, fault, offset, entry.index, marks);
        }
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

static int
mark_elements(const struct pvf__wasm_module *module, struct pvf__wasm_fault *fault, uint32_t *marks)
{
    struct pvf__wasm_reader reader;
    pvf__wasm_module_entries(module, PVF__WASM_SEC_ELEMENT, fault, &reader);
    while (!pvf__wasm_reader_done(&reader)) {
        struct pvf__wasm_element entry;
        int status = pvf__wasm_entry_element(&reader, &entry);
        struct pvf__wasm_reader members;
        pvf__wasm_reader_over(&members, &reader, entry.members);
        while (status == 0 && !pvf__wasm_reader_done(&members)) {
            size_t offset = pvf__wasm_reader_offset(&members);
            uint32_t index;
            status = pvf__wasm_reader_u32(&members, &index);
            if (status == 0) {
                status = mark(module, fault, offset, index, marks);
            }
        }
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

static int
mark_all(const struct pvf__wasm_module *module, struct pvf__wasm_fault *fault, uint32_t *marks)
{
    int status = mark_exports(module, fault, marks);
    if (status == 0) {
        status = mark_elements(module, fault, marks);
    }
    const struct pvf__wasm_section *start = &module->sections[PVF__WASM_SEC_START];
    if (status == 0 && start->present) {
        size_t offset = (size_t)(start->items.data - module->code);
        status = mark(module, fault, offset, start->count, marks);
    }
    return status;
}

/* Turns marks into indices: the thunk's for a marked function that costs something. */
static void settle(const struct pvf__wasm_module *module,
                   const uint32_t *costs,
                   struct pvf__wasm_thunks *thunks)
{
    for (size_t i = 0; i < module->func_count; i++) {
        if (thunks->moved[i] != 0 && costs[i] != 0) {
            thunks->moved[i] = (uint32_t)(module->func_count + thunks->count);
            thunks->targets[thunks->count++] = (uint32_t)i;
        } else {
            thunks->moved[i] = (uint32_t)i;
        }
    }
}

int pvf__wasm_thunk_collect(const struct pvf__wasm_module *module,
                            const uint32_t *costs,
                            struct pvf__wasm_fault *fault,
                            struct pvf__wasm_thunks *ret)
{
    size_t room = module->func_count > 0 ? module->func_count : 1;
    struct pvf__wasm_thunks thunks = {
        .targets = calloc(room, sizeof(*thunks.targets)),
        .moved = calloc(room, sizeof(*thunks.moved)),
    };
    int status = thunks.targets == NULL || thunks.moved == NULL
                     ? no_memory(fault)
                     : mark_all(module, fault, thunks.moved);
    if (status != 0) {
        pvf__wasm_thunk_done(&thunks);
        return status;
    }
    settle(module, costs, &thunks);
    *ret = thunks;
    return 0;
}

void pvf__wasm_thunk_done(struct pvf__wasm_thunks *thunks)
{
    free(thunks->targets);
    free(thunks->moved);
    *thunks = (struct pvf__wasm_thunks){.targets = NULL};
}

/* What is sorted: places in the module's array of types. */
struct place {
    const struct pvf__wasm_type *type;
};

/* By contents, equal ones by place. */
static int compare(const void *left, const void *right)
{
    const struct pvf__wasm_type *a = ((const struct place *)left)->type;
    const struct pvf__wasm_type *b = ((const struct place *)right)->type;
    if (a->count != b->count) {
        return a->count < b->count ? -1 : 1;
    }
    int order = a->result != b->result ? (a->result < b->result ? -1 : 1)
                                       : memcmp(a->params, b->params, a->count);
    if (order != 0) {
        return order;
    }
    return a < b ? -1 : a > b;
}

static bool equal(const struct pvf__wasm_type *a, const struct pvf__wasm_type *b)
{
    return a->count == b->count && a->result == b->result &&
           memcmp(a->params, b->params, a->count) == 0;
}

/* Sorting instead of a table of hashes: no input makes it slow. */
int pvf__wasm_thunk_types(const struct pvf__wasm_module *module,
                          struct pvf__wasm_fault *fault,
                          uint32_t **ret)
{
    size_t count = module->type_count;
    size_t room = count > 0 ? count : 1;
    PVF__CLEANUP_FREE struct place *sorted = calloc(room, sizeof(*sorted));
    uint32_t *firsts = calloc(room, sizeof(*firsts));
    if (sorted == NULL || firsts == NULL) {
        free(firsts);
        return no_memory(fault);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i].type = &module->types[i];
    }
    qsort(sorted, count, sizeof(*sorted), compare);
    for (size_t i = 0; i < count; i++) {
        size_t own = (size_t)(sorted[i].type - module->types);
        bool again = i > 0 && equal(sorted[i - 1].type, sorted[i].type);
        size_t before = again ? (size_t)(sorted[i - 1].type - module->types) : 0;
        firsts[own] = again ? firsts[before] : (uint32_t)own;
    }
    *ret = firsts;
    return 0;
}
