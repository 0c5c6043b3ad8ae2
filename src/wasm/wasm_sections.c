/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the order and contents of the output's sections, byte for byte the reference's in the
 * call-site form.  Trusts the plan; the blob has passed the grammar, so that reading cannot fail.
 */
#include "wasm/wasm_sections.h"

#include "pvf/status.h"
#include "wasm/wasm_body.h"
#include "wasm/wasm_emit.h"
#include "wasm/wasm_thunk.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t header[] = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00};

static uint32_t count_of(const struct pvf__wasm_plan *plan, enum pvf__wasm_section_id id)
{
    return plan->module->sections[id].count;
}

/* Opens a section of `count` entries; the entries of the blob are then read from *ret. */
static size_t begin(const struct pvf__wasm_plan *plan,
                    enum pvf__wasm_section_id id,
                    uint32_t count,
                    struct pvf__buf *out,
                    struct pvf__wasm_reader *ret)
{
    (void)pvf__buf_u8(out, (uint8_t)id);
    size_t opened = pvf__wasm_emit_open(out);
    (void)pvf__wasm_leb_write_u32(out, count);
    pvf__wasm_module_entries(plan->module, id, plan->fault, ret);
    return opened;
}

static void put_types(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    if (count_of(plan, PVF__WASM_SEC_TYPE) == 0) {
        return;
    }
    struct pvf__wasm_reader reader;
    size_t opened =
        begin(plan, PVF__WASM_SEC_TYPE, count_of(plan, PVF__WASM_SEC_TYPE), out, &reader);
    for (size_t i = 0; i < plan->module->type_count; i++) {
        const struct pvf__wasm_type *type = &plan->module->types[i];
        (void)pvf__buf_u8(out, 0x60);
        (void)pvf__wasm_leb_write_u32(out, type->count);
        (void)pvf__buf_append(out, type->params, type->count);
        (void)pvf__buf_u8(out, type->result != 0 ? 1 : 0);
        if (type->result != 0) {
            (void)pvf__buf_u8(out, type->result);
        }
    }
    pvf__wasm_emit_close(out, opened);
}

static void put_import(const struct pvf__wasm_import *entry, struct pvf__buf *out)
{
    pvf__wasm_emit_name(out, entry->module);
    pvf__wasm_emit_name(out, entry->name);
    (void)pvf__buf_u8(out, entry->kind);
    if (entry->kind == PVF__WASM_KIND_FUNC) {
        (void)pvf__wasm_leb_write_u32(out, entry->type);
    } else if (entry->kind == PVF__WASM_KIND_GLOBAL) {
        (void)pvf__buf_u8(out, entry->valtype);
        (void)pvf__buf_u8(out, entry->mutable);
    } else {
        if (entry->kind == PVF__WASM_KIND_TABLE) {
            (void)pvf__buf_u8(out, 0x70);
        }
        pvf__wasm_emit_limits(out, &entry->limits);
    }
}

/* All imports but the memory that becomes the module's own; *moved is that one. */
static int
put_imports(const struct pvf__wasm_plan *plan, struct pvf__buf *out, struct pvf__wasm_import *moved)
{
    uint32_t count = count_of(plan, PVF__WASM_SEC_IMPORT);
    if (count == 0) {
        return 0;
    }
    bool one_less = plan->memory_import != PVF__WASM_NO_IMPORT;
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_IMPORT, one_less ? count - 1 : count, out, &reader);
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_import entry;
        status = pvf__wasm_entry_import(&reader, &entry);
        if (status == 0 && i == plan->memory_import) {
            *moved = entry;
        } else if (status == 0) {
            put_import(&entry, out);
        }
    }
    pvf__wasm_emit_close(out, opened);
    return status;
}

/* Functions that the output has besides the blob's: as many types as bodies. */
static size_t thunks_of(const struct pvf__wasm_plan *plan)
{
    return plan->form == PVF__WASM_CALL_SITE ? plan->thunks.count : 0;
}

static int put_functions(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    const struct pvf__wasm_module *module = plan->module;
    size_t thunks = thunks_of(plan);
    size_t first = module->import_counts[PVF__WASM_KIND_FUNC];
    size_t count = module->func_count - first + thunks;
    if (count == 0) {
        return 0;
    }
    PVF__CLEANUP_FREE uint32_t *types = NULL;
    int status = thunks > 0 ? pvf__wasm_thunk_types(module, plan->fault, &types) : 0;
    if (status != 0) {
        return status;
    }
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_FUNCTION, (uint32_t)count, out, &reader);
    for (size_t i = first; i < module->func_count; i++) {
        (void)pvf__wasm_leb_write_u32(out, module->func_types[i]);
    }
    for (size_t i = 0; i < thunks; i++) {
        uint32_t own = module->func_types[plan->thunks.targets[i]];
        (void)pvf__wasm_leb_write_u32(out, types[own]);
    }
    pvf__wasm_emit_close(out, opened);
    return 0;
}

static int put_tables(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    uint32_t count = count_of(plan, PVF__WASM_SEC_TABLE);
    if (count == 0) {
        return 0;
    }
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_TABLE, count, out, &reader);
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_limits limits;
        status = pvf__wasm_entry_table(&reader, &limits);
        if (status == 0) {
            (void)pvf__buf_u8(out, 0x70);
            pvf__wasm_emit_limits(out, &limits);
        }
    }
    pvf__wasm_emit_close(out, opened);
    return status;
}

/* Own memories, or the one that was imported; none keeps its maximum. */
static int put_memories(const struct pvf__wasm_plan *plan,
                        const struct pvf__wasm_import *moved,
                        struct pvf__buf *out)
{
    bool imported = plan->memory_import != PVF__WASM_NO_IMPORT;
    uint32_t count = imported ? 1 : count_of(plan, PVF__WASM_SEC_MEMORY);
    if (count == 0) {
        return 0;
    }
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_MEMORY, count, out, &reader);
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_limits limits = moved->limits;
        if (!imported) {
            status = pvf__wasm_entry_memory(&reader, &limits);
        }
        limits.has_max = false;
        pvf__wasm_emit_limits(out, &limits);
    }
    pvf__wasm_emit_close(out, opened);
    return status;
}

/* The blob's globals and the counter, which is always there: (mut i32) (i32.const 0). */
static int put_globals(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    static const uint8_t counter[] = {0x7F, 1, PVF__WASM_I32_CONST, 0, PVF__WASM_END};
    uint32_t count = count_of(plan, PVF__WASM_SEC_GLOBAL);
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_GLOBAL, count + 1, out, &reader);
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_global entry;
        status = pvf__wasm_entry_global(&reader, &entry);
        if (status == 0) {
            (void)pvf__buf_u8(out, entry.valtype);
            (void)pvf__buf_u8(out, entry.mutable);
            pvf__wasm_emit_expr(out, &entry.init);
        }
    }
    (void)pvf__buf_append(out, counter, sizeof(counter));
    pvf__wasm_emit_close(out, opened);
    return status;
}

/* The index that exports, elements and start name a function by in the output. */
static uint32_t moved_index(const struct pvf__wasm_plan *plan, uint32_t index)
{
    return plan->form == PVF__WASM_CALL_SITE ? plan->thunks.moved[index] : index;
}

static int put_exports(const struct pvf__wasm_plan *plan,
                       const struct pvf__wasm_import *moved,
                       struct pvf__buf *out)
{
    uint32_t count = count_of(plan, PVF__WASM_SEC_EXPORT);
    bool imported = plan->memory_import != PVF__WASM_NO_IMPORT;
    if (count == 0 && !imported) {
        return 0;
    }
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_EXPORT, imported ? count + 1 : count, out, &reader);
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_export entry;
        status = pvf__wasm_entry_export(&reader, &entry);
        if (status == 0) {
            bool function = entry.kind == PVF__WASM_KIND_FUNC;
            pvf__wasm_emit_name(out, entry.name);
            (void)pvf__buf_u8(out, entry.kind);
            (void)pvf__wasm_leb_write_u32(out,
                                          function ? moved_index(plan, entry.index) : entry.index);
        }
    }
    if (imported) {
        pvf__wasm_emit_name(out, moved->name);
        (void)pvf__buf_u8(out, PVF__WASM_KIND_MEMORY);
        (void)pvf__buf_u8(out, 0);
    }
    pvf__wasm_emit_close(out, opened);
    return status;
}

static void put_start(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    if (!plan->module->sections[PVF__WASM_SEC_START].present) {
        return;
    }
    (void)pvf__buf_u8(out, PVF__WASM_SEC_START);
    size_t opened = pvf__wasm_emit_open(out);
    uint32_t start = moved_index(plan, count_of(plan, PVF__WASM_SEC_START));
    (void)pvf__wasm_leb_write_u32(out, start);
    pvf__wasm_emit_close(out, opened);
}

static int put_elements(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    uint32_t count = count_of(plan, PVF__WASM_SEC_ELEMENT);
    if (count == 0) {
        return 0;
    }
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_ELEMENT, count, out, &reader);
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_element entry;
        status = pvf__wasm_entry_element(&reader, &entry);
        if (status != 0) {
            break;
        }
        (void)pvf__wasm_leb_write_u32(out, entry.table);
        pvf__wasm_emit_expr(out, &entry.offset);
        (void)pvf__wasm_leb_write_u32(out, entry.count);
        struct pvf__wasm_reader members;
        pvf__wasm_reader_over(&members, &reader, entry.members);
        while (status == 0 && !pvf__wasm_reader_done(&members)) {
            uint32_t index;
            status = pvf__wasm_reader_u32(&members, &index);
            if (status == 0) {
                (void)pvf__wasm_leb_write_u32(out, moved_index(plan, index));
            }
        }
    }
    pvf__wasm_emit_close(out, opened);
    return status;
}

static int put_code(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    const struct pvf__wasm_module *module = plan->module;
    size_t thunks = thunks_of(plan);
    size_t first = module->import_counts[PVF__WASM_KIND_FUNC];
    size_t count = module->func_count - first + thunks;
    if (count == 0) {
        return 0;
    }
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_CODE, (uint32_t)count, out, &reader);
    int status = 0;
    for (size_t i = first; status == 0 && out->failed == 0 && i < module->func_count; i++) {
        status = pvf__wasm_body_write(plan, &reader, i, out);
    }
    for (size_t i = 0; status == 0 && out->failed == 0 && i < thunks; i++) {
        pvf__wasm_body_write_thunk(plan, plan->thunks.targets[i], out);
    }
    pvf__wasm_emit_close(out, opened);
    return status;
}

static int put_data(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    uint32_t count = count_of(plan, PVF__WASM_SEC_DATA);
    if (count == 0) {
        return 0;
    }
    struct pvf__wasm_reader reader;
    size_t opened = begin(plan, PVF__WASM_SEC_DATA, count, out, &reader);
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_data entry;
        status = pvf__wasm_entry_data(&reader, &entry);
        if (status == 0) {
            (void)pvf__wasm_leb_write_u32(out, entry.memory);
            pvf__wasm_emit_expr(out, &entry.offset);
            pvf__wasm_emit_name(out, entry.bytes);
        }
    }
    pvf__wasm_emit_close(out, opened);
    return status;
}

/* Whether a section is one of those that follow all others, and how it is written there. */
struct trailer {
    size_t size;
    size_t payload; /* what stands behind the section's length */
    uint8_t id;
    uint32_t number;        /* data count */
    struct pvf__slice name; /* custom */
    struct pvf__slice rest; /* custom: behind the name */
};

static bool is_trailer(const struct pvf__wasm_plan *plan,
                       const struct pvf__wasm_reader *whole,
                       const struct pvf__wasm_raw *raw,
                       struct trailer *ret)
{
    struct trailer trailer = {.id = raw->id};
    if (raw->id == PVF__WASM_SEC_DATA_COUNT) {
        trailer.number = count_of(plan, PVF__WASM_SEC_DATA_COUNT);
        trailer.payload = pvf__wasm_leb_size_u32(trailer.number);
    } else if (raw->id == PVF__WASM_SEC_CUSTOM) {
        struct pvf__wasm_reader inside;
        pvf__wasm_reader_over(&inside, whole, raw->payload);
        if (pvf__wasm_reader_block(&inside, &trailer.name) != 0) {
            return false; /* cannot be: the grammar was checked */
        }
        trailer.rest = (struct pvf__slice){inside.in.at, pvf__cursor_left(&inside.in)};
        trailer.payload = pvf__wasm_leb_size_u32((uint32_t)trailer.name.len) + trailer.name.len +
                          trailer.rest.len;
    } else {
        return false;
    }
    trailer.size = 1 + pvf__wasm_leb_size_u32((uint32_t)trailer.payload) + trailer.payload;
    *ret = trailer;
    return true;
}

static void fill_trailer(const struct trailer *trailer, uint8_t *at)
{
    *at++ = trailer->id;
    at += pvf__wasm_leb_put_u32(at, (uint32_t)trailer->payload);
    if (trailer->id == PVF__WASM_SEC_DATA_COUNT) {
        (void)pvf__wasm_leb_put_u32(at, trailer->number);
        return;
    }
    at += pvf__wasm_leb_put_u32(at, (uint32_t)trailer->name.len);
    memcpy(at, trailer->name.data, trailer->name.len);
    memcpy(at + trailer->name.len, trailer->rest.data, trailer->rest.len);
}

/*
 * Custom and data-count sections whose place in the blob is in [from, until), in reverse order.
 * There may be millions: they are filled in from the end instead of being collected.
 */
static int
put_trailers(const struct pvf__wasm_plan *plan, size_t from, size_t until, struct pvf__buf *out)
{
    size_t end = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        struct pvf__wasm_reader reader;
        pvf__wasm_module_walk(plan->module, plan->fault, &reader);
        while (!pvf__wasm_reader_done(&reader)) {
            struct pvf__wasm_raw raw;
            struct trailer trailer;
            int status = pvf__wasm_module_next_section(&reader, &raw);
            if (status != 0) {
                return status;
            }
            if (raw.offset < from || raw.offset >= until ||
                !is_trailer(plan, &reader, &raw, &trailer)) {
                continue;
            }
            if (pass == 0) {
                end += trailer.size;
            } else {
                end -= trailer.size;
                fill_trailer(&trailer, out->data + end);
            }
        }
        if (pass == 0) {
            (void)pvf__buf_zeros(out, end);
            end = out->len;
            if (out->failed != 0) {
                return 0;
            }
        }
    }
    return 0;
}

/*
 * The export section goes where the reference puts it.  One that had to be made for the memory
 * comes before the first section of a higher rank; when only custom sections and the data count
 * are left, that is before the data count, or at the very end.
 */
static int put_end(const struct pvf__wasm_plan *plan,
                   const struct pvf__wasm_import *moved,
                   struct pvf__buf *out)
{
    const struct pvf__wasm_module *module = plan->module;
    bool made = count_of(plan, PVF__WASM_SEC_EXPORT) == 0;
    bool higher = module->sections[PVF__WASM_SEC_START].present ||
                  count_of(plan, PVF__WASM_SEC_ELEMENT) != 0 ||
                  count_of(plan, PVF__WASM_SEC_CODE) != 0 ||
                  count_of(plan, PVF__WASM_SEC_DATA) != 0;
    bool late = made && !higher;
    int status = late ? 0 : put_exports(plan, moved, out);
    put_start(plan, out);
    status = status != 0 ? status : put_elements(plan, out);
    status = status != 0 ? status : put_code(plan, out);
    status = status != 0 ? status : put_data(plan, out);
    if (status != 0 || !late) {
        return status != 0 ? status : put_trailers(plan, 0, SIZE_MAX, out);
    }
    bool counted = module->sections[PVF__WASM_SEC_DATA_COUNT].present;
    size_t border = counted ? module->data_count_offset + 1 : 0;
    status = put_trailers(plan, border, SIZE_MAX, out);
    status = status != 0 ? status : put_exports(plan, moved, out);
    return status != 0 ? status : put_trailers(plan, 0, border, out);
}

int pvf__wasm_sections_write(const struct pvf__wasm_plan *plan, struct pvf__buf *out)
{
    struct pvf__wasm_import moved = {.kind = 0};
    (void)pvf__buf_append(out, header, sizeof(header));
    put_types(plan, out);
    int status = put_imports(plan, out, &moved);
    status = status != 0 ? status : put_functions(plan, out);
    status = status != 0 ? status : put_tables(plan, out);
    status = status != 0 ? status : put_memories(plan, &moved, out);
    status = status != 0 ? status : put_globals(plan, out);
    status = status != 0 ? status : put_end(plan, &moved, out);
    if (status == 0 && out->failed != 0) {
        status = pvf__wasm_fault_machine(plan->fault, PVF__WASM_PREPARATION, out->failed);
    }
    return status;
}
