/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the stack-height walk that gives each function its cost (docs/metering.md).  It is
 * consensus: its quirks are kept on purpose, and where it fails the blob is refused, even when the
 * blob is valid Wasm.  Trusts that the grammar was checked; indices are checked here.
 */
#include "wasm/wasm_cost.h"

#include "pvf/status.h"

#include <stdlib.h>

/* The stack does not start empty, although the function's frame starts at 0. */
#define PVF__HEIGHT_START 2

struct frame {
    bool poly; /* the rest of the frame cannot be reached */
    uint8_t end;
    uint8_t branch; /* operands that a branch to it takes */
    uint32_t start;
};

/* The control stack lives as long as the walk over the module: it grows and is used again. */
struct walk {
    const struct pvf__wasm_module *module;
    struct pvf__wasm_fault *fault;
    struct frame *frames;
    size_t depth;
    size_t room;
    uint32_t height;
    uint32_t max;
    uint8_t result; /* of the function at hand */
    size_t offset;  /* of the instruction at hand */
};

static int refuse(const struct walk *walk, const char *words)
{
    return pvf__wasm_fault_limiter(walk->fault, walk->offset, words);
}

static int push_frame(struct walk *walk, uint8_t end, uint8_t branch, uint32_t start)
{
    if (walk->depth == walk->room) {
        size_t room = walk->room < 64 ? 64 : walk->room * 2;
        struct frame *frames = realloc(walk->frames, room * sizeof(*frames));
        if (frames == NULL) {
            return pvf__wasm_fault_machine(walk->fault, PVF__WASM_PREPARATION, PVF_ERR_NO_MEMORY);
        }
        walk->frames = frames;
        walk->room = room;
    }
    walk->frames[walk->depth++] = (struct frame){false, end, branch, start};
    return 0;
}

/* The grammar guarantees a frame at every instruction. */
static struct frame *top(const struct walk *walk)
{
    return &walk->frames[walk->depth - 1];
}

static int pop(struct walk *walk, uint32_t count)
{
    if (count == 0) {
        return 0;
    }
    const struct frame *frame = top(walk);
    /* Only equality is looked at: a height already below the frame's start passes. */
    if (walk->height == frame->start) {
        return frame->poly ? 0 : refuse(walk, "trying to pop more values than pushed");
    }
    if (walk->height < count) {
        return refuse(walk, "stack underflow");
    }
    walk->height -= count;
    return 0;
}

static int push(struct walk *walk, uint32_t count)
{
    if (__builtin_add_overflow(walk->height, count, &walk->height)) {
        return refuse(walk, "stack overflow");
    }
    return 0;
}

static int exchange(struct walk *walk, uint32_t pops, uint32_t pushes)
{
    int status = pop(walk, pops);
    return status != 0 ? status : push(walk, pushes);
}

/* Operands that a branch to the frame `label` levels below the top takes. */
static int branch_arity(const struct walk *walk, uint32_t label, uint8_t *ret)
{
    if (label >= walk->depth) {
        return refuse(walk, "control stack out-of-bounds");
    }
    *ret = walk->frames[walk->depth - 1 - label].branch;
    return 0;
}

static int on_block(struct walk *walk, const struct pvf__wasm_instr *instr)
{
    uint8_t end = instr->block == PVF__WASM_NO_RESULT ? 0 : 1;
    int status = instr->op == PVF__WASM_IF ? pop(walk, 1) : 0;
    if (status != 0) {
        return status;
    }
    return push_frame(walk, end, instr->op == PVF__WASM_LOOP ? 0 : end, walk->height);
}

static int on_end(struct walk *walk)
{
    const struct frame *frame = top(walk);
    uint8_t end = frame->end;
    walk->height = frame->start;
    walk->depth--;
    return push(walk, end);
}

static int on_br(struct walk *walk, const struct pvf__wasm_instr *instr)
{
    uint8_t arity = 0;
    int status = branch_arity(walk, instr->index, &arity);
    if (status == 0) {
        status = pop(walk, arity);
    }
    if (status != 0) {
        return status;
    }
    if (instr->op == PVF__WASM_BR) {
        top(walk)->poly = true;
        return 0;
    }
    return exchange(walk, 1, arity);
}

static int on_br_table(struct walk *walk, const struct pvf__wasm_instr *instr)
{
    uint8_t arity = 0;
    int status = branch_arity(walk, instr->index, &arity);
    struct pvf__cursor targets;
    pvf__cursor_init(&targets, instr->raw.data, instr->raw.len);
    uint32_t target = 0;
    while (status == 0 && pvf__wasm_leb_u32(&targets, &target) <= PVF__WASM_LEB_LOOSE) {
        uint8_t other = 0;
        status = branch_arity(walk, target, &other);
        if (status == 0 && other != arity) {
            status = refuse(walk, "Arity of all jump-targets must be equal");
        }
    }
    /* The operand that selects the target is not popped. */
    if (status == 0) {
        status = pop(walk, arity);
    }
    if (status == 0) {
        top(walk)->poly = true;
    }
    return status;
}

static int apply_type(struct walk *walk, uint32_t index, const char *words)
{
    if (index >= walk->module->type_count) {
        return refuse(walk, words);
    }
    const struct pvf__wasm_type *type = &walk->module->types[index];
    return exchange(walk, type->count, type->result != 0 ? 1 : 0);
}

static int on_call(struct walk *walk, const struct pvf__wasm_instr *instr)
{
    if (instr->op == PVF__WASM_CALL_INDIRECT) {
        int status = pop(walk, 1);
        return status != 0 ? status : apply_type(walk, instr->index, "Type not found");
    }
    if (instr->index >= walk->module->func_count) {
        return refuse(walk, "Function at the specified index is not defined");
    }
    return apply_type(walk,
                      walk->module->func_types[instr->index],
                      "The signature as specified by a function isn't defined");
}

/* Opcodes 0x45 to 0xBF: one operand, or two, for one result. */
static int on_number(struct walk *walk, uint8_t op)
{
    bool unary = op == 0x45 || op == 0x50 ||   /* eqz */
                 (op >= 0x67 && op <= 0x69) || /* i32: clz, ctz, popcnt */
                 (op >= 0x79 && op <= 0x7B) || /* i64 */
                 (op >= 0x8B && op <= 0x91) || /* f32: abs to sqrt */
                 (op >= 0x99 && op <= 0x9F) || /* f64 */
                 op >= 0xA7;                   /* conversions, reinterpretations */
    return exchange(walk, unary ? 1 : 2, 1);
}

/* Opcodes whose effect on the height is a matter of the opcode alone. */
static int on_plain(struct walk *walk, uint8_t op)
{
    int status;
    switch (op) {
    case 0x01: /* nop */
    case 0x05: /* else: neither height nor reachability is reset */
        return 0;
    case PVF__WASM_UNREACHABLE:
        top(walk)->poly = true;
        return 0;
    case PVF__WASM_RETURN:
        status = pop(walk, walk->result);
        if (status == 0) {
            top(walk)->poly = true;
        }
        return status;
    case 0x1A: /* drop */
    case 0x21: /* local.set */
    case PVF__WASM_GLOBAL_SET:
        return pop(walk, 1);
    case PVF__WASM_SELECT:
        status = pop(walk, 2);
        return status != 0 ? status : exchange(walk, 1, 1);
    case PVF__WASM_LOCAL_GET:
    case PVF__WASM_GLOBAL_GET:
    case 0x3F: /* memory.size */
    case PVF__WASM_I32_CONST:
    case PVF__WASM_I64_CONST:
    case PVF__WASM_F32_CONST:
    case PVF__WASM_F64_CONST:
        return push(walk, 1);
    case 0x22: /* local.tee */
    case 0x40: /* memory.grow */
        return exchange(walk, 1, 1);
    default:
        break;
    }
    if (op >= 0x28 && op <= 0x35) { /* loads */
        return exchange(walk, 1, 1);
    }
    if (op >= 0x36 && op <= 0x3E) { /* stores */
        return pop(walk, 2);
    }
    return on_number(walk, op);
}

static int step(struct walk *walk, const struct pvf__wasm_instr *instr)
{
    /* Seen before the instruction acts, and only where the frame can be reached. */
    if (walk->height > walk->max && !top(walk)->poly) {
        walk->max = walk->height;
    }
    switch (instr->op) {
    case PVF__WASM_BLOCK:
    case PVF__WASM_LOOP:
    case PVF__WASM_IF:
        return on_block(walk, instr);
    case PVF__WASM_END:
        return on_end(walk);
    case PVF__WASM_BR:
    case PVF__WASM_BR_IF:
        return on_br(walk, instr);
    case PVF__WASM_BR_TABLE:
        return on_br_table(walk, instr);
    case PVF__WASM_CALL:
    case PVF__WASM_CALL_INDIRECT:
        return on_call(walk, instr);
    default:
        return on_plain(walk, instr->op);
    }
}

static int walk_body(struct walk *walk, uint32_t type_index, struct pvf__wasm_reader *code)
{
    walk->offset = pvf__wasm_reader_offset(code);
    if (walk->module->sections[PVF__WASM_SEC_TYPE].present == false) {
        return refuse(walk, "No type section");
    }
    if (type_index >= walk->module->type_count) {
        return refuse(walk, "Function is not found in func section");
    }
    walk->result = walk->module->types[type_index].result != 0 ? 1 : 0;
    walk->depth = 0;
    walk->height = PVF__HEIGHT_START;
    walk->max = 0;
    int status = push_frame(walk, walk->result, walk->result, 0);
    struct pvf__wasm_instr instr = {0};
    while (status == 0 && walk->depth > 0) {
        walk->offset = pvf__wasm_reader_offset(code);
        status = pvf__wasm_instr_next(code, &instr);
        if (status == 0) {
            status = step(walk, &instr);
        }
    }
    return status;
}

static int cost_of(struct walk *walk,
                   const struct pvf__wasm_reader *section,
                   const struct pvf__wasm_body *body,
                   uint32_t type_index,
                   uint32_t *ret)
{
    struct pvf__wasm_reader code;
    pvf__wasm_reader_over(&code, section, body->code);
    int status = walk_body(walk, type_index, &code);
    if (status == 0 && __builtin_add_overflow(body->local_count, walk->max, ret)) {
        status = refuse(walk, "Overflow in adding locals_count and max_stack_height");
    }
    return status;
}

int pvf__wasm_cost_all(const struct pvf__wasm_module *module,
                       struct pvf__wasm_fault *fault,
                       uint32_t **ret_costs)
{
    size_t count = module->func_count;
    uint32_t *costs = calloc(count > 0 ? count : 1, sizeof(*costs));
    if (costs == NULL) {
        return pvf__wasm_fault_machine(fault, PVF__WASM_PREPARATION, PVF_ERR_NO_MEMORY);
    }
    struct walk walk = {.module = module, .fault = fault};
    struct pvf__wasm_reader section;
    pvf__wasm_module_entries(module, PVF__WASM_SEC_CODE, fault, &section);
    int status = 0;
    for (size_t i = module->import_counts[PVF__WASM_KIND_FUNC]; status == 0 && i < count; i++) {
        struct pvf__wasm_body body;
        status = pvf__wasm_entry_body(&section, &body);
        if (status == 0) {
            status = cost_of(&walk, &section, &body, module->func_types[i], &costs[i]);
        }
    }
    free(walk.frames);
    if (status != 0) {
        free(costs);
        return status;
    }
    *ret_costs = costs;
    return 0;
}
