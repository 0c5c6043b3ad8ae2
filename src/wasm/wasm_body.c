/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the metering code and how it is woven into function bodies, in both forms
 * (docs/metering.md).  Trusts that the grammar was checked and costs were computed.
 */
#include "wasm/wasm_body.h"

#include "wasm/wasm_emit.h"
#include "wasm/wasm_known.h"

/* Bytes of the input that go to the output as they are, up to the next change. */
struct run {
    struct pvf__buf *out;
    const uint8_t *from;
};

static void run_to(struct run *run, const uint8_t *until, const uint8_t *next)
{
    (void)pvf__buf_append(run->out, run->from, (size_t)(until - run->from));
    run->from = next;
}

static void put_index(struct pvf__buf *out, uint8_t op, uint32_t index)
{
    (void)pvf__buf_u8(out, op);
    (void)pvf__wasm_leb_write_u32(out, index);
}

/* The number is unsigned; Wasm's constant is the same 32 bits, written as a signed one. */
static void put_const(struct pvf__buf *out, uint32_t value)
{
    int64_t bits = value > INT32_MAX ? (int64_t)value - ((int64_t)1 << 32) : (int64_t)value;
    (void)pvf__buf_u8(out, PVF__WASM_I32_CONST);
    (void)pvf__wasm_leb_write_s64(out, bits);
}

/* counter := counter + cost, or - cost */
static void
put_change(const struct pvf__wasm_plan *plan, uint8_t op, uint32_t cost, struct pvf__buf *out)
{
    put_index(out, PVF__WASM_GLOBAL_GET, plan->counter);
    put_const(out, cost);
    (void)pvf__buf_u8(out, op);
    put_index(out, PVF__WASM_GLOBAL_SET, plan->counter);
}

/* Adds the cost, and traps when the counter is above the limit. */
static void put_charge(const struct pvf__wasm_plan *plan, uint32_t cost, struct pvf__buf *out)
{
    static const uint8_t trap[] = {PVF__WASM_I32_GT_U,
                                   PVF__WASM_IF,
                                   PVF__WASM_NO_RESULT,
                                   PVF__WASM_UNREACHABLE,
                                   PVF__WASM_END};
    put_change(plan, PVF__WASM_I32_ADD, cost, out);
    put_index(out, PVF__WASM_GLOBAL_GET, plan->counter);
    put_const(out, plan->limit);
    (void)pvf__buf_append(out, trap, sizeof(trap));
}

static void
put_metered_call(const struct pvf__wasm_plan *plan, uint32_t function, struct pvf__buf *out)
{
    uint32_t cost = plan->costs[function];
    put_charge(plan, cost, out);
    put_index(out, PVF__WASM_CALL, function);
    put_change(plan, PVF__WASM_I32_SUB, cost, out);
}

static void put_locals(const struct pvf__wasm_reader *section,
                       const struct pvf__wasm_body *body,
                       const struct pvf__wasm_known *known,
                       struct pvf__buf *out)
{
    (void)pvf__wasm_leb_write_u32(out, body->groups + (known != NULL ? 1 : 0));
    if (!body->loose_locals) {
        (void)pvf__buf_append(out, body->locals.data, body->locals.len);
        if (known != NULL) {
            (void)pvf__buf_append(out, known->locals.data, known->locals.len);
        }
        return;
    }
    struct pvf__wasm_reader locals;
    pvf__wasm_reader_over(&locals, section, body->locals);
    uint32_t count;
    uint8_t valtype;
    while (!pvf__wasm_reader_done(&locals) && pvf__wasm_reader_u32(&locals, &count) == 0 &&
           pvf__wasm_reader_valtype(&locals, &valtype) == 0) {
        (void)pvf__wasm_leb_write_u32(out, count);
        (void)pvf__buf_u8(out, valtype);
    }
}

/* Whether this instruction is replaced by other ones, and their writing. */
static bool replace(const struct pvf__wasm_plan *plan,
                    const struct pvf__wasm_instr *instr,
                    uint32_t depth,
                    struct run *run,
                    const uint8_t *next)
{
    if (plan->form == PVF__WASM_CALL_SITE) {
        if (instr->op != PVF__WASM_CALL || plan->costs[instr->index] == 0) {
            return false;
        }
        run_to(run, instr->start, next);
        put_metered_call(plan, instr->index, run->out);
        return true;
    }
    if (instr->op != PVF__WASM_RETURN) {
        return false;
    }
    /* The block around the body has taken the place of the function's own label. */
    run_to(run, instr->start, next);
    put_index(run->out, PVF__WASM_BR, depth);
    return true;
}

static int
put_code(const struct pvf__wasm_plan *plan, struct pvf__wasm_reader *code, struct pvf__buf *out)
{
    struct run run = {out, code->in.at};
    uint32_t depth = 0;
    struct pvf__wasm_instr instr = {0};
    while (!pvf__wasm_reader_done(code)) {
        int status = pvf__wasm_instr_next(code, &instr);
        if (status != 0) {
            return status; /* cannot be: the grammar was checked */
        }
        if (pvf__wasm_instr_opens(&instr)) {
            depth++;
        } else if (instr.op == PVF__WASM_END) {
            depth--; /* wraps at the body's own end, after which there is nothing */
        }
        if (!replace(plan, &instr, depth, &run, code->in.at) && instr.loose) {
            run_to(&run, instr.start, code->in.at);
            pvf__wasm_instr_write(&instr, out);
        }
    }
    run_to(&run, code->in.at, code->in.at);
    return 0;
}

int pvf__wasm_body_write(const struct pvf__wasm_plan *plan,
                         struct pvf__wasm_reader *section,
                         size_t function,
                         struct pvf__buf *out)
{
    struct pvf__wasm_body body;
    int status = pvf__wasm_entry_body(section, &body);
    if (status != 0) {
        return status;
    }
    const struct pvf__wasm_type *type = &plan->module->types[plan->module->func_types[function]];
    const struct pvf__wasm_known *known =
        plan->form == PVF__WASM_CALLEE ? pvf__wasm_known_find(type, &body) : NULL;
    size_t opened = pvf__wasm_emit_open(out);
    put_locals(section, &body, known, out);
    struct pvf__wasm_reader code;
    pvf__wasm_reader_over(&code, section, body.code);
    if (plan->form == PVF__WASM_CALL_SITE) {
        status = put_code(plan, &code, out);
    } else {
        /* Charge; block (result) <the body with its end>; give back; end. */
        uint32_t cost = plan->costs[function];
        put_charge(plan, cost, out);
        if (known != NULL) {
            (void)pvf__buf_append(out, known->head.data, known->head.len);
        }
        (void)pvf__buf_u8(out, PVF__WASM_BLOCK);
        (void)pvf__buf_u8(out, type->result != 0 ? type->result : PVF__WASM_NO_RESULT);
        status = put_code(plan, &code, out);
        put_change(plan, PVF__WASM_I32_SUB, cost, out);
        (void)pvf__buf_u8(out, PVF__WASM_END);
    }
    pvf__wasm_emit_close(out, opened);
    return status;
}

void pvf__wasm_body_write_thunk(const struct pvf__wasm_plan *plan,
                                uint32_t function,
                                struct pvf__buf *out)
{
    const struct pvf__wasm_type *type = &plan->module->types[plan->module->func_types[function]];
    size_t opened = pvf__wasm_emit_open(out);
    (void)pvf__buf_u8(out, 0); /* no locals */
    for (uint32_t i = 0; i < type->count; i++) {
        put_index(out, PVF__WASM_LOCAL_GET, i);
    }
    put_metered_call(plan, function, out);
    (void)pvf__buf_u8(out, PVF__WASM_END);
    pvf__wasm_emit_close(out, opened);
}
