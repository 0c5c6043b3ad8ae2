/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the generator of random modules for tests of metering. */
#include "support/wasm_gen.h"

#include "wasm/wasm_emit.h"
#include "wasm/wasm_entry.h"
#include "wasm/wasm_module.h"

#include <stdlib.h>
#include <string.h>

/* Types and globals of every module. */
enum {
    TYPE_ENTRY,
    TYPE_WORK,
    TYPE_VOID,
    TYPE_PROBE,
    TYPE_WIDE
};
enum {
    GLOBAL_HEAP,
    GLOBAL_FUEL,
    GLOBAL_HASH,
    GLOBAL_COUNTER
};
enum {
    LOCAL_ARG,
    LOCAL_LOOP
}; /* of functions of TYPE_WORK */

#define FUNCTIONS_MAX 12
#define TABLE_SIZE 8
#define FUEL 1500
#define I32 0x7F
#define I64 0x7E

struct gen {
    uint64_t state;
    struct pvf__buf *out;
    uint32_t functions; /* of TYPE_WORK: 0 to functions - 1 */
    unsigned depth;     /* open blocks in the function at hand */
    unsigned budget;    /* statements left in the function at hand */
    bool touches;       /* the module reads and writes the counter */
};

static uint32_t draw(struct gen *gen, uint32_t below)
{
    /* xorshift64*: enough to spread, and the same everywhere. */
    gen->state ^= gen->state >> 12;
    gen->state ^= gen->state << 25;
    gen->state ^= gen->state >> 27;
    return (uint32_t)((gen->state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static void op(struct gen *gen, uint8_t code)
{
    (void)pvf__buf_u8(gen->out, code);
}

static void op_index(struct gen *gen, uint8_t code, uint32_t index)
{
    op(gen, code);
    (void)pvf__wasm_leb_write_u32(gen->out, index);
}

static void op_const(struct gen *gen, uint8_t code, int64_t value)
{
    op(gen, code);
    (void)pvf__wasm_leb_write_s64(gen->out, value);
}

/* hash := hash * 31 + (the i64 on the stack) */
static void fold(struct gen *gen)
{
    op_index(gen, PVF__WASM_GLOBAL_GET, GLOBAL_HASH);
    op_const(gen, PVF__WASM_I64_CONST, 31);
    op(gen, 0x7E); /* i64.mul */
    op(gen, 0x7C); /* i64.add */
    op_index(gen, PVF__WASM_GLOBAL_SET, GLOBAL_HASH);
}

static void fold_i32(struct gen *gen)
{
    op(gen, 0xAD); /* i64.extend_i32_u */
    fold(gen);
}

/* An i32 that differs from run to run of a function. */
static void value(struct gen *gen)
{
    switch (draw(gen, 4)) {
    case 0:
        op_const(gen, PVF__WASM_I32_CONST, (int64_t)draw(gen, 1000) - 500);
        break;
    case 1:
        op_index(gen, PVF__WASM_LOCAL_GET, draw(gen, 2));
        break;
    case 2:
        op_index(gen, PVF__WASM_GLOBAL_GET, GLOBAL_HASH);
        op(gen, 0xA7); /* i32.wrap_i64 */
        break;
    default:
        op_index(gen, PVF__WASM_LOCAL_GET, LOCAL_ARG);
        op_const(gen, PVF__WASM_I32_CONST, draw(gen, 50));
        op(gen, PVF__WASM_I32_ADD);
        break;
    }
}

/* An i32 from 0 to below - 1. */
static void choice(struct gen *gen, uint32_t below)
{
    value(gen);
    op_const(gen, PVF__WASM_I32_CONST, below);
    op(gen, 0x70); /* i32.rem_u */
}

/* The counter is looked at, or changed. */
static void touch_counter(struct gen *gen)
{
    if (!gen->touches || draw(gen, 3) != 0) {
        op_index(gen, PVF__WASM_GLOBAL_GET, GLOBAL_HASH);
        op(gen, 0xA7);
        fold_i32(gen);
        return;
    }
    if (draw(gen, 3) != 0) {
        op_index(gen, PVF__WASM_GLOBAL_GET, GLOBAL_COUNTER);
        fold_i32(gen);
        return;
    }
    if (draw(gen, 2) != 0) {
        op_const(gen, PVF__WASM_I32_CONST, (int64_t)draw(gen, 70000) - 100);
    } else {
        op_index(gen, PVF__WASM_GLOBAL_GET, GLOBAL_COUNTER);
        op_const(gen, PVF__WASM_I32_CONST, (int64_t)draw(gen, 2000) - 1000);
        op(gen, PVF__WASM_I32_ADD);
    }
    op_index(gen, PVF__WASM_GLOBAL_SET, GLOBAL_COUNTER);
}

static void call_direct(struct gen *gen)
{
    /* Operands below the argument make the caller's own height matter. */
    uint32_t below = draw(gen, 4);
    for (uint32_t i = 0; i < below; i++) {
        value(gen);
    }
    value(gen);
    op_index(gen, PVF__WASM_CALL, draw(gen, gen->functions));
    for (uint32_t i = 0; i < below; i++) {
        op(gen, PVF__WASM_I32_ADD);
    }
    fold_i32(gen);
}

/* Now and then of the wrong type, or an entry that was never filled. */
static void call_indirect(struct gen *gen)
{
    bool wide = draw(gen, 24) == 0;
    value(gen);
    if (wide) {
        op(gen, 0xAD);
    }
    choice(gen, draw(gen, 16) == 0 ? TABLE_SIZE + 1 : TABLE_SIZE - 1);
    op_index(gen, PVF__WASM_CALL_INDIRECT, wide ? TYPE_WIDE : TYPE_WORK);
    op(gen, 0);
    if (wide) {
        fold(gen);
    } else {
        fold_i32(gen);
    }
}

static void statement(struct gen *gen);

static void statements(struct gen *gen, uint32_t most)
{
    uint32_t count = 1 + draw(gen, most);
    for (uint32_t i = 0; i < count && gen->budget > 0; i++) {
        statement(gen);
    }
}

static void close_block(struct gen *gen)
{
    op(gen, PVF__WASM_END);
    gen->depth--;
}

static void branch_if_equal(struct gen *gen, uint32_t modulus, uint32_t equal, uint8_t block)
{
    choice(gen, modulus);
    op_const(gen, PVF__WASM_I32_CONST, equal);
    op(gen, 0x46); /* i32.eq */
    op(gen, PVF__WASM_IF);
    op(gen, block);
    gen->depth++;
}

/* if … else … end; nested no deeper than a few levels. */
static void conditional(struct gen *gen)
{
    branch_if_equal(gen, 2 + draw(gen, 4), 0, PVF__WASM_NO_RESULT);
    statements(gen, 3);
    if (draw(gen, 2) != 0) {
        op(gen, 0x05);
        statements(gen, 2);
    }
    close_block(gen);
}

/* loop := n; do { …; loop := loop - 1 } while loop > 0, in signed numbers */
static void loop(struct gen *gen)
{
    op_const(gen, PVF__WASM_I32_CONST, 1 + draw(gen, 5));
    op_index(gen, 0x21, LOCAL_LOOP);
    op(gen, PVF__WASM_LOOP);
    op(gen, PVF__WASM_NO_RESULT);
    gen->depth++;
    statements(gen, 3);
    op_index(gen, PVF__WASM_LOCAL_GET, LOCAL_LOOP);
    op_const(gen, PVF__WASM_I32_CONST, 1);
    op(gen, PVF__WASM_I32_SUB);
    op_index(gen, 0x22, LOCAL_LOOP);
    op_const(gen, PVF__WASM_I32_CONST, 0);
    op(gen, 0x4A); /* i32.gt_s */
    op_index(gen, PVF__WASM_BR_IF, 0);
    close_block(gen);
}

/* Leaves the function in one of its many ways, under a condition. */
static void leave(struct gen *gen)
{
    branch_if_equal(gen, 9, draw(gen, 9), PVF__WASM_NO_RESULT);
    value(gen);
    switch (draw(gen, 6)) {
    case 0:
        op(gen, PVF__WASM_RETURN);
        break;
    case 1:
        op_index(gen, PVF__WASM_BR, gen->depth);
        break;
    case 2:
        value(gen);
        op_index(gen, PVF__WASM_BR_IF, gen->depth);
        op(gen, 0x1A);
        break;
    case 3:
        /* Both targets are the function's label: no other takes a value. */
        choice(gen, 3);
        op_index(gen, PVF__WASM_BR_TABLE, 1);
        (void)pvf__wasm_leb_write_u32(gen->out, gen->depth);
        (void)pvf__wasm_leb_write_u32(gen->out, gen->depth);
        break;
    case 4:
        op(gen, PVF__WASM_RETURN);
        op(gen, PVF__WASM_UNREACHABLE); /* dead code with a return of its own */
        op(gen, PVF__WASM_RETURN);
        break;
    default:
        op(gen, 0x1A);
        if (draw(gen, 8) == 0) {
            op(gen, PVF__WASM_UNREACHABLE);
        }
        break;
    }
    close_block(gen);
}

/* br_table over blocks of its own, and the outermost of them. */
static void table_of_blocks(struct gen *gen)
{
    op(gen, PVF__WASM_BLOCK);
    op(gen, PVF__WASM_NO_RESULT);
    op(gen, PVF__WASM_BLOCK);
    op(gen, PVF__WASM_NO_RESULT);
    gen->depth += 2;
    choice(gen, 4);
    op_index(gen, PVF__WASM_BR_TABLE, 2);
    (void)pvf__wasm_leb_write_u32(gen->out, 0);
    (void)pvf__wasm_leb_write_u32(gen->out, 1);
    (void)pvf__wasm_leb_write_u32(gen->out, draw(gen, 2));
    close_block(gen);
    statements(gen, 2);
    close_block(gen);
}

static void statement(struct gen *gen)
{
    gen->budget--;
    bool deep = gen->depth > 5;
    switch (draw(gen, deep ? 7 : 11)) {
    case 0:
    case 1:
        touch_counter(gen);
        break;
    case 2:
    case 3:
        call_direct(gen);
        break;
    case 4:
        call_indirect(gen);
        break;
    case 5:
        leave(gen);
        break;
    case 6:
        value(gen);
        fold_i32(gen);
        break;
    case 7:
        loop(gen);
        break;
    case 8:
        table_of_blocks(gen);
        break;
    default:
        conditional(gen);
        break;
    }
}

/* Without fuel a function gives 0 at once, and nothing is called any more. */
static void work_body(struct gen *gen)
{
    size_t opened = pvf__wasm_emit_open(gen->out);
    uint32_t extra = draw(gen, 3) == 0 ? draw(gen, 900) : draw(gen, 6);
    (void)pvf__buf_u8(gen->out, 2);
    (void)pvf__buf_append(gen->out, (const uint8_t[]){1, I32}, 2);
    (void)pvf__wasm_leb_write_u32(gen->out, extra);
    (void)pvf__buf_u8(gen->out, I64);
    op_index(gen, PVF__WASM_GLOBAL_GET, GLOBAL_FUEL);
    op(gen, 0x45); /* i32.eqz */
    op(gen, PVF__WASM_IF);
    op(gen, PVF__WASM_NO_RESULT);
    op_const(gen, PVF__WASM_I32_CONST, 0);
    op(gen, PVF__WASM_RETURN);
    op(gen, PVF__WASM_END);
    op_index(gen, PVF__WASM_GLOBAL_GET, GLOBAL_FUEL);
    op_const(gen, PVF__WASM_I32_CONST, 1);
    op(gen, PVF__WASM_I32_SUB);
    op_index(gen, PVF__WASM_GLOBAL_SET, GLOBAL_FUEL);
    gen->depth = 0;
    gen->budget = 4 + draw(gen, 20);
    statements(gen, 12);
    value(gen);
    if (draw(gen, 6) == 0) {
        op(gen, PVF__WASM_RETURN);
    }
    op(gen, PVF__WASM_END);
    pvf__wasm_emit_close(gen->out, opened);
}

/* The first function once, as () -> i64 or as () -> () */
static void driver_body(struct gen *gen, bool gives_hash)
{
    size_t opened = pvf__wasm_emit_open(gen->out);
    op(gen, 0); /* no locals */
    op_const(gen, PVF__WASM_I32_CONST, draw(gen, 100));
    op_index(gen, PVF__WASM_CALL, 0);
    fold_i32(gen);
    if (gives_hash) {
        op_index(gen, PVF__WASM_GLOBAL_GET, GLOBAL_HASH);
    }
    op(gen, PVF__WASM_END);
    pvf__wasm_emit_close(gen->out, opened);
}

/* A result of eight bytes of head data and nothing else, at 1024. */
static void entry_body(struct gen *gen, uint32_t probe)
{
    size_t opened = pvf__wasm_emit_open(gen->out);
    op(gen, 0);
    op_const(gen, PVF__WASM_I32_CONST, 1024);
    op_const(gen, PVF__WASM_I32_CONST, 32); /* compact 8 */
    (void)pvf__buf_append(gen->out, (const uint8_t[]){0x3A, 0, 0}, 3);
    op_const(gen, PVF__WASM_I32_CONST, 1025);
    op_index(gen, PVF__WASM_CALL, probe);
    (void)pvf__buf_append(gen->out, (const uint8_t[]){0x37, 0, 0}, 3);
    op_const(gen, PVF__WASM_I64_CONST, INT64_C(20) << 32 | 1024);
    op(gen, PVF__WASM_END);
    pvf__wasm_emit_close(gen->out, opened);
}

static void section(struct pvf__buf *out, uint8_t id, const void *data, size_t len)
{
    (void)pvf__buf_u8(out, id);
    size_t opened = pvf__wasm_emit_open(out);
    (void)pvf__buf_append(out, data, len);
    pvf__wasm_emit_close(out, opened);
}

static void put_export(struct pvf__buf *out, const char *name, uint8_t kind, uint32_t index)
{
    pvf__wasm_emit_name(out, (struct pvf__slice){(const uint8_t *)name, strlen(name)});
    (void)pvf__buf_u8(out, kind);
    (void)pvf__wasm_leb_write_u32(out, index);
}

static void put_exports(struct gen *gen)
{
    struct pvf__buf *out = gen->out;
    (void)pvf__buf_u8(out, PVF__WASM_SEC_EXPORT);
    size_t opened = pvf__wasm_emit_open(out);
    (void)pvf__buf_u8(out, 5);
    put_export(out, "memory", PVF__WASM_KIND_MEMORY, 0);
    put_export(out, "__heap_base", PVF__WASM_KIND_GLOBAL, GLOBAL_HEAP);
    put_export(out, "probe", PVF__WASM_KIND_FUNC, gen->functions);
    put_export(out, "validate_block", PVF__WASM_KIND_FUNC, gen->functions + 2);
    /* An export of a working function: it is called directly, too. */
    put_export(out, "work", PVF__WASM_KIND_FUNC, draw(gen, gen->functions));
    pvf__wasm_emit_close(out, opened);
}

/* The last entry stays empty; some entries name the same function. */
static void put_elements(struct gen *gen)
{
    struct pvf__buf *out = gen->out;
    (void)pvf__buf_u8(out, PVF__WASM_SEC_ELEMENT);
    size_t opened = pvf__wasm_emit_open(out);
    (void)pvf__buf_append(out, (const uint8_t[]){1, 0, PVF__WASM_I32_CONST, 0, PVF__WASM_END}, 5);
    (void)pvf__buf_u8(out, TABLE_SIZE - 1);
    for (unsigned i = 0; i < TABLE_SIZE - 1; i++) {
        (void)pvf__wasm_leb_write_u32(out, draw(gen, gen->functions));
    }
    pvf__wasm_emit_close(out, opened);
}

static void put_code(struct gen *gen)
{
    struct pvf__buf *out = gen->out;
    (void)pvf__buf_u8(out, PVF__WASM_SEC_CODE);
    size_t opened = pvf__wasm_emit_open(out);
    (void)pvf__wasm_leb_write_u32(out, gen->functions + 3);
    for (uint32_t i = 0; i < gen->functions; i++) {
        work_body(gen);
    }
    driver_body(gen, true);
    driver_body(gen, false);
    entry_body(gen, gen->functions);
    pvf__wasm_emit_close(out, opened);
}

void wasm_gen_module(uint64_t seed, struct pvf__buf *out)
{
    static const uint8_t header[] = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00};
    static const uint8_t types[] = {5,    0x60, 2, I32,  I32, 1, I64, 0x60, 1, I32, 1, I32,
                                    0x60, 0,    0, 0x60, 0,   1, I64, 0x60, 1, I64, 1, I64};
    static const uint8_t table[] = {1, 0x70, 0, TABLE_SIZE};
    static const uint8_t memory[] = {1, 0, 2};
    struct gen gen = {.state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .out = out};
    (void)draw(&gen, 1);
    gen.functions = 2 + draw(&gen, FUNCTIONS_MAX - 1);
    gen.touches = draw(&gen, 4) == 0;

    (void)pvf__buf_append(out, header, sizeof(header));
    section(out, PVF__WASM_SEC_TYPE, types, sizeof(types));
    uint8_t functions[FUNCTIONS_MAX + 4];
    memset(functions, TYPE_WORK, sizeof(functions));
    functions[0] = (uint8_t)(gen.functions + 3);
    functions[gen.functions + 1] = TYPE_PROBE;
    functions[gen.functions + 2] = TYPE_VOID;
    functions[gen.functions + 3] = TYPE_ENTRY;
    section(out, PVF__WASM_SEC_FUNCTION, functions, gen.functions + 4);
    section(out, PVF__WASM_SEC_TABLE, table, sizeof(table));
    section(out, PVF__WASM_SEC_MEMORY, memory, sizeof(memory));

    (void)pvf__buf_u8(out, PVF__WASM_SEC_GLOBAL);
    size_t opened = pvf__wasm_emit_open(out);
    (void)pvf__buf_append(out, (const uint8_t[]){3, I32, 0}, 3);
    op_const(&gen, PVF__WASM_I32_CONST, 65536);
    (void)pvf__buf_append(out, (const uint8_t[]){PVF__WASM_END, I32, 1}, 3);
    op_const(&gen, PVF__WASM_I32_CONST, 1 + draw(&gen, FUEL));
    (void)pvf__buf_append(out, (const uint8_t[]){PVF__WASM_END, I64, 1}, 3);
    op_const(&gen, PVF__WASM_I64_CONST, (int64_t)seed);
    op(&gen, PVF__WASM_END);
    pvf__wasm_emit_close(out, opened);

    put_exports(&gen);
    if (draw(&gen, 3) == 0) {
        uint8_t start = (uint8_t)(gen.functions + 1);
        section(out, PVF__WASM_SEC_START, &start, 1);
    }
    put_elements(&gen);
    put_code(&gen);
    if (out->failed != 0) {
        abort();
    }
}
