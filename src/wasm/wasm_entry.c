/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the grammar of section entries.  Trusts nothing; whatever is not grammar (indices, limits
 * that make sense, types) is accepted here, since the reference accepts it here.
 */
#include "wasm/wasm_entry.h"

int pvf__wasm_entry_type(struct pvf__wasm_reader *reader, struct pvf__wasm_type *ret)
{
    size_t offset = pvf__wasm_reader_offset(reader);
    uint8_t form;
    int status = pvf__wasm_reader_byte(reader, &form);
    if (status != 0) {
        return status;
    }
    if (form != 0x60) {
        const char *feature = form >= 0x4D && form <= 0x5F ? "GC" : "";
        return pvf__wasm_fault_grammar(
            reader->fault, offset, feature, "UnknownFunctionForm(%u)", form);
    }
    uint32_t count;
    status = pvf__wasm_reader_u32(reader, &count);
    const uint8_t *params = reader->in.at;
    uint8_t valtype;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        status = pvf__wasm_reader_valtype(reader, &valtype);
    }
    if (status != 0) {
        return status;
    }
    uint32_t results;
    offset = pvf__wasm_reader_offset(reader);
    status = pvf__wasm_reader_u32(reader, &results);
    if (status != 0) {
        return status;
    }
    if (results > 1) {
        return pvf__wasm_fault_grammar(
            reader->fault, offset, "multi-value", "Other(\\\"%u function results\\\")", results);
    }
    uint8_t result = 0;
    status = results == 1 ? pvf__wasm_reader_valtype(reader, &result) : 0;
    if (status == 0) {
        *ret = (struct pvf__wasm_type){params, count, result};
    }
    return status;
}

static int read_limits(struct pvf__wasm_reader *reader, struct pvf__wasm_limits *ret)
{
    size_t offset = pvf__wasm_reader_offset(reader);
    uint8_t flags;
    int status = pvf__wasm_reader_byte(reader, &flags);
    if (status != 0) {
        return status;
    }
    if (flags > 1) {
        const char *feature = (flags & 4) != 0 ? "memory64" : (flags & 2) != 0 ? "threads" : "";
        return pvf__wasm_fault_grammar(
            reader->fault, offset, feature, "InvalidLimitsFlags(%u)", flags);
    }
    struct pvf__wasm_limits limits = {.min = 0, .max = 0, .has_max = flags == 1};
    status = pvf__wasm_reader_u32(reader, &limits.min);
    if (status == 0 && limits.has_max) {
        status = pvf__wasm_reader_u32(reader, &limits.max);
    }
    if (status == 0) {
        *ret = limits;
    }
    return status;
}

int pvf__wasm_entry_table(struct pvf__wasm_reader *reader, struct pvf__wasm_limits *ret)
{
    size_t offset = pvf__wasm_reader_offset(reader);
    uint8_t element;
    int status = pvf__wasm_reader_byte(reader, &element);
    if (status != 0) {
        return status;
    }
    if (element != 0x70) {
        int shown = element >= 0x40 && element < 0x80 ? element - 0x80 : element;
        return pvf__wasm_fault_grammar(
            reader->fault, offset, "reference types", "UnknownTableElementType(%d)", shown);
    }
    return read_limits(reader, ret);
}

int pvf__wasm_entry_memory(struct pvf__wasm_reader *reader, struct pvf__wasm_limits *ret)
{
    return read_limits(reader, ret);
}

static int read_global_type(struct pvf__wasm_reader *reader, uint8_t *valtype, uint8_t *mutable)
{
    int status = pvf__wasm_reader_valtype(reader, valtype);
    if (status != 0) {
        return status;
    }
    size_t offset = pvf__wasm_reader_offset(reader);
    status = pvf__wasm_reader_byte(reader, mutable);
    if (status == 0 && *mutable > 1) {
        status =
            pvf__wasm_fault_grammar(reader->fault, offset, "", "InvalidVarUint1(%u)", *mutable);
    }
    return status;
}

/* Imports and exports alike: 0 to 3. */
static int read_kind(struct pvf__wasm_reader *reader, const char *words, uint8_t *ret)
{
    size_t offset = pvf__wasm_reader_offset(reader);
    int status = pvf__wasm_reader_byte(reader, ret);
    if (status == 0 && *ret > PVF__WASM_KIND_GLOBAL) {
        status = pvf__wasm_fault_grammar(
            reader->fault, offset, *ret == 4 ? "exceptions" : "", "%s(%u)", words, *ret);
    }
    return status;
}

int pvf__wasm_entry_import(struct pvf__wasm_reader *reader, struct pvf__wasm_import *ret)
{
    struct pvf__wasm_import entry = {.kind = 0};
    int status = pvf__wasm_reader_name(reader, &entry.module);
    if (status == 0) {
        status = pvf__wasm_reader_name(reader, &entry.name);
    }
    if (status == 0) {
        status = read_kind(reader, "UnknownExternalKind", &entry.kind);
    }
    if (status != 0) {
        return status;
    }
    if (entry.kind == PVF__WASM_KIND_FUNC) {
        status = pvf__wasm_reader_u32(reader, &entry.type);
    } else if (entry.kind == PVF__WASM_KIND_TABLE) {
        status = pvf__wasm_entry_table(reader, &entry.limits);
    } else if (entry.kind == PVF__WASM_KIND_MEMORY) {
        status = read_limits(reader, &entry.limits);
    } else {
        status = read_global_type(reader, &entry.valtype, &entry.mutable);
    }
    if (status == 0) {
        *ret = entry;
    }
    return status;
}

/* Up to the first `end`: in such an expression the reference does not follow nesting. */
static int read_expr(struct pvf__wasm_reader *reader, struct pvf__wasm_expr *ret)
{
    const uint8_t *start = reader->in.at;
    reader->loose = false;
    struct pvf__wasm_instr instr;
    do {
        int status = pvf__wasm_instr_next(reader, &instr);
        if (status != 0) {
            return status;
        }
    } while (instr.op != PVF__WASM_END);
    ret->bytes = (struct pvf__slice){start, (size_t)(reader->in.at - start)};
    ret->loose = reader->loose;
    return 0;
}

int pvf__wasm_entry_global(struct pvf__wasm_reader *reader, struct pvf__wasm_global *ret)
{
    struct pvf__wasm_global entry = {.valtype = 0};
    int status = read_global_type(reader, &entry.valtype, &entry.mutable);
    if (status == 0) {
        status = read_expr(reader, &entry.init);
    }
    if (status == 0) {
        *ret = entry;
    }
    return status;
}

int pvf__wasm_entry_export(struct pvf__wasm_reader *reader, struct pvf__wasm_export *ret)
{
    struct pvf__wasm_export entry = {.kind = 0};
    int status = pvf__wasm_reader_name(reader, &entry.name);
    if (status == 0) {
        status = read_kind(reader, "UnknownInternalKind", &entry.kind);
    }
    if (status == 0) {
        status = pvf__wasm_reader_u32(reader, &entry.index);
    }
    if (status == 0) {
        *ret = entry;
    }
    return status;
}

/*
 * A segment whose first number is not 0 is one of newer Wasm, misread by a grammar that takes its
 * flags for an index: what breaks afterwards is best explained by that.
 */
static int blame_flags(struct pvf__wasm_reader *reader, uint32_t flags, int status)
{
    if (status != 0 && flags != 0) {
        pvf__wasm_fault_feature(reader->fault, "bulk memory");
    }
    return status;
}

int pvf__wasm_entry_element(struct pvf__wasm_reader *reader, struct pvf__wasm_element *ret)
{
    struct pvf__wasm_element entry = {.table = 0};
    int status = pvf__wasm_reader_u32(reader, &entry.table);
    if (status == 0) {
        status = read_expr(reader, &entry.offset);
    }
    if (status == 0) {
        status = pvf__wasm_reader_u32(reader, &entry.count);
    }
    const uint8_t *members = reader->in.at;
    for (uint32_t i = 0; status == 0 && i < entry.count; i++) {
        uint32_t member;
        status = pvf__wasm_reader_u32(reader, &member);
    }
    if (status == 0) {
        entry.members = (struct pvf__slice){members, (size_t)(reader->in.at - members)};
        *ret = entry;
    }
    return blame_flags(reader, entry.table, status);
}

int pvf__wasm_entry_data(struct pvf__wasm_reader *reader, struct pvf__wasm_data *ret)
{
    struct pvf__wasm_data entry = {.memory = 0};
    int status = pvf__wasm_reader_u32(reader, &entry.memory);
    if (status == 0) {
        status = read_expr(reader, &entry.offset);
    }
    if (status == 0) {
        status = pvf__wasm_reader_block(reader, &entry.bytes);
    }
    if (status == 0) {
        *ret = entry;
    }
    return blame_flags(reader, entry.memory, status);
}

/* `count` groups; their counts may be anything as long as the sum is a u32: nothing is allocated.
 */
static int read_locals(struct pvf__wasm_reader *reader, struct pvf__wasm_body *ret)
{
    size_t offset = pvf__wasm_reader_offset(reader);
    int status = pvf__wasm_reader_u32(reader, &ret->groups);
    if (status != 0) {
        return status;
    }
    const uint8_t *start = reader->in.at;
    reader->loose = false;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ret->groups; i++) {
        uint32_t count;
        uint8_t valtype;
        status = pvf__wasm_reader_u32(reader, &count);
        if (status == 0) {
            status = pvf__wasm_reader_valtype(reader, &valtype);
        }
        if (status != 0) {
            return status;
        }
        sum += count; /* at most 2^32 groups of less than 2^32: no overflow */
    }
    if (sum > UINT32_MAX) {
        return pvf__wasm_fault_grammar(reader->fault, offset, "", "TooManyLocals");
    }
    ret->local_count = (uint32_t)sum;
    ret->locals = (struct pvf__slice){start, (size_t)(reader->in.at - start)};
    ret->loose_locals = reader->loose;
    return 0;
}

int pvf__wasm_entry_body(struct pvf__wasm_reader *reader, struct pvf__wasm_body *ret)
{
    struct pvf__slice bytes;
    int status = pvf__wasm_reader_block(reader, &bytes);
    if (status != 0) {
        return status;
    }
    struct pvf__wasm_reader inside;
    pvf__wasm_reader_over(&inside, reader, bytes);
    struct pvf__wasm_body entry = {.groups = 0};
    status = read_locals(&inside, &entry);
    if (status == 0) {
        entry.code = (struct pvf__slice){inside.in.at, pvf__cursor_left(&inside.in)};
        *ret = entry;
    }
    return status;
}

int pvf__wasm_entry_check_code(const struct pvf__wasm_reader *whole,
                               const struct pvf__wasm_body *body)
{
    struct pvf__wasm_reader inside;
    pvf__wasm_reader_over(&inside, whole, body->code);
    struct pvf__wasm_instr instr;
    for (size_t depth = 1; depth > 0;) {
        int status = pvf__wasm_instr_next(&inside, &instr);
        if (status != 0) {
            return status;
        }
        if (pvf__wasm_instr_opens(&instr)) {
            depth++;
        } else if (instr.op == PVF__WASM_END) {
            depth--;
        }
    }
    return pvf__wasm_reader_done(&inside) ? 0 : pvf__wasm_reader_surplus(&inside);
}
