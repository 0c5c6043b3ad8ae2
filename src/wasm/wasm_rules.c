/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the rules that make up for a newer engine.  They run on the rewritten bytes and read them
 * as an engine does: the first number of a segment is its flags, not an index as in the first
 * grammar.  Where the bytes are no module in that reading, the engine refuses them itself.
 */
#include "wasm/wasm_rules.h"

/* The reference's validator: imported and defined functions together, its thunks included. */
#define PVF__FUNCTIONS_MAX 1000000u
/* The same validator: parameters of one type. */
#define PVF__PARAMS_MAX 1000u

int pvf__wasm_rules_before(const struct pvf__wasm_plan *plan)
{
    const struct pvf__wasm_module *module = plan->module;
    size_t functions = module->func_count + plan->thunks.count;
    if (functions > PVF__FUNCTIONS_MAX) {
        return pvf__wasm_fault_prepare(
            plan->fault,
            SIZE_MAX,
            "cannot precompile module: %zu functions with their thunks, the limit is %u",
            functions,
            PVF__FUNCTIONS_MAX);
    }
    /* The engine would say so too, but a thunk repeats the parameters: size has to stay bounded. */
    for (size_t i = 0; i < module->type_count; i++) {
        if (module->types[i].count > PVF__PARAMS_MAX) {
            return pvf__wasm_fault_prepare(
                plan->fault,
                (size_t)(module->types[i].params - module->code),
                "cannot precompile module: %u parameters in type %zu, the limit is %u",
                module->types[i].count,
                i,
                PVF__PARAMS_MAX);
        }
    }
    return 0;
}

/* What is being checked, for the words of a fault. */
struct place {
    const struct pvf__wasm_plan *plan;
    const char *what;
    uint32_t index;
};

static int refuse(const struct place *place, const char *why)
{
    return pvf__wasm_fault_prepare(
        place->plan->fault,
        SIZE_MAX,
        "cannot precompile module: constant expression required: %s in %s %u",
        why,
        place->what,
        place->index);
}

/*
 * One constant, or global.get of an imported global (whether that one is immutable the engine
 * sees), then `end`.  The bytes were written by us: they are well-formed instructions, or, in a
 * segment with flags, whatever the first grammar took for other things.
 */
static int check_expr(const struct place *place, struct pvf__wasm_reader *reader)
{
    struct pvf__wasm_instr instr = {0};
    if (pvf__wasm_reader_done(reader) || pvf__wasm_instr_next(reader, &instr) != 0) {
        return refuse(place, "no instruction");
    }
    if (instr.op == PVF__WASM_GLOBAL_GET &&
        instr.index >= place->plan->module->import_counts[PVF__WASM_KIND_GLOBAL]) {
        return refuse(place, "global.get of a global that is not imported");
    }
    bool constant = instr.op >= PVF__WASM_I32_CONST && instr.op <= PVF__WASM_F64_CONST;
    if (!constant && instr.op != PVF__WASM_GLOBAL_GET) {
        return refuse(place, "another instruction");
    }
    if (pvf__wasm_reader_done(reader) || pvf__wasm_instr_next(reader, &instr) != 0 ||
        instr.op != PVF__WASM_END) {
        return refuse(place, "more than one instruction");
    }
    return 0;
}

/* A read that fails here: not our matter, the engine refuses such bytes. */
enum {
    LEAVE_TO_ENGINE = 1
};

static int check_global(const struct place *place, struct pvf__wasm_reader *reader)
{
    struct pvf__slice type;
    if (pvf__wasm_reader_bytes(reader, 2, &type) != 0) {
        return LEAVE_TO_ENGINE;
    }
    return check_expr(place, reader);
}

/* Flags: 1 passive or declared, 2 with an explicit index (or declared), 4 with expressions. */
static int check_element(const struct place *place, struct pvf__wasm_reader *reader)
{
    uint32_t flags;
    uint32_t number;
    if (pvf__wasm_reader_u32(reader, &flags) != 0 || flags > 7) {
        return LEAVE_TO_ENGINE;
    }
    if ((flags & 4) != 0) {
        return refuse(place, "expressions of references");
    }
    if ((flags & 3) == 2 && pvf__wasm_reader_u32(reader, &number) != 0) {
        return LEAVE_TO_ENGINE;
    }
    int status = (flags & 1) == 0 ? check_expr(place, reader) : 0;
    if (status != 0) {
        return status;
    }
    uint8_t kind;
    if ((flags & 3) != 0 && pvf__wasm_reader_byte(reader, &kind) != 0) {
        return LEAVE_TO_ENGINE;
    }
    uint32_t count;
    if (pvf__wasm_reader_u32(reader, &count) != 0) {
        return LEAVE_TO_ENGINE;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (pvf__wasm_reader_u32(reader, &number) != 0) {
            return LEAVE_TO_ENGINE;
        }
    }
    return 0;
}

static int check_data(const struct place *place, struct pvf__wasm_reader *reader)
{
    uint32_t flags;
    uint32_t memory;
    if (pvf__wasm_reader_u32(reader, &flags) != 0 || flags > 2 ||
        (flags == 2 && pvf__wasm_reader_u32(reader, &memory) != 0)) {
        return LEAVE_TO_ENGINE;
    }
    int status = flags == 1 ? 0 : check_expr(place, reader);
    struct pvf__slice bytes;
    if (status == 0 && pvf__wasm_reader_block(reader, &bytes) != 0) {
        status = LEAVE_TO_ENGINE;
    }
    return status;
}

static int
check_section(const struct pvf__wasm_plan *plan, uint8_t id, struct pvf__wasm_reader *reader)
{
    int (*check)(const struct place *, struct pvf__wasm_reader *) = NULL;
    struct place place = {.plan = plan, .what = ""};
    if (id == PVF__WASM_SEC_GLOBAL) {
        place.what = "global";
        check = check_global;
    } else if (id == PVF__WASM_SEC_ELEMENT) {
        place.what = "element segment";
        check = check_element;
    } else if (id == PVF__WASM_SEC_DATA) {
        place.what = "data segment";
        check = check_data;
    } else {
        return 0;
    }
    uint32_t count;
    int status = pvf__wasm_reader_u32(reader, &count) != 0 ? LEAVE_TO_ENGINE : 0;
    for (place.index = 0; status == 0 && place.index < count; place.index++) {
        status = check(&place, reader);
    }
    return status < 0 ? status : 0;
}

int pvf__wasm_rules_after(const struct pvf__wasm_plan *plan, const uint8_t *data, size_t len)
{
    /* Faults of reading are answers here, not refusals: they go to a place of their own. */
    struct pvf__wasm_fault unused;
    struct pvf__wasm_reader reader;
    pvf__wasm_reader_init(&reader, data, len, &unused);
    struct pvf__slice skipped;
    int status = pvf__wasm_reader_bytes(&reader, 8, &skipped);
    while (status == 0 && !pvf__wasm_reader_done(&reader)) {
        struct pvf__wasm_raw raw;
        if (pvf__wasm_module_next_section(&reader, &raw) != 0) {
            break; /* cannot be: we wrote it */
        }
        struct pvf__wasm_reader inside;
        pvf__wasm_reader_over(&inside, &reader, raw.payload);
        status = check_section(plan, raw.id, &inside);
    }
    return status;
}
