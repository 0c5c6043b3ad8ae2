/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the summary of a blob.  Trusts that the grammar was checked; names are hostile text and
 * made printable here.
 */
#include "wasm/wasm_inspect.h"

#include "base/buf.h"
#include "pvf/status.h"
#include "wasm/wasm_cost.h"
#include "wasm/wasm_module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PVF__TEXT_MAX 256 /* bytes of a name or type, before "..." */
#define PVF__PARAMS_SHOWN 24

static const char *const kind_names[] = {"function", "table", "memory", "global"};
static const char *const section_names[] = {"custom",
                                            "type",
                                            "import",
                                            "function",
                                            "table",
                                            "memory",
                                            "global",
                                            "export",
                                            "start",
                                            "element",
                                            "code",
                                            "data",
                                            "data count"};

struct work {
    const struct pvf__wasm_module *module;
    struct pvf__wasm_fault *fault;
    struct pvf__wasm_summary *summary;
    char *global_types; /* for each global: value type and mutability, two bytes */
    size_t global_count;
};

static int no_memory(const struct work *work)
{
    (void)pvf__wasm_fault_machine(work->fault, PVF__WASM_PREVALIDATION, PVF_ERR_NO_MEMORY);
    return PVF_ERR_NO_MEMORY;
}

/* Whether a control character starts at data[i]: ASCII ones, and those of U+0080 to U+009F. */
static bool is_control(const uint8_t *data, size_t len, size_t i)
{
    if (data[i] < 0x20 || data[i] == 0x7F || data[i] == '\\') {
        return true;
    }
    bool second = i > 0 && data[i - 1] == 0xC2 && data[i] < 0xA0;
    bool first = data[i] == 0xC2 && i + 1 < len && data[i + 1] < 0xA0;
    return first || second;
}

/* A printable copy; NULL without memory. */
static char *printable(struct pvf__slice name)
{
    struct pvf__buf text = PVF__BUF_INIT(4 * PVF__TEXT_MAX + 16);
    size_t shown = name.len < PVF__TEXT_MAX ? name.len : PVF__TEXT_MAX;
    /* Not in the middle of a character. */
    while (shown > 0 && shown < name.len && (name.data[shown] & 0xC0) == 0x80) {
        shown--;
    }
    for (size_t i = 0; i < shown; i++) {
        if (is_control(name.data, name.len, i)) {
            char escaped[8];
            int len = snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned)name.data[i]);
            (void)pvf__buf_append(&text, escaped, (size_t)len);
        } else {
            (void)pvf__buf_u8(&text, name.data[i]);
        }
    }
    (void)pvf__buf_append(&text, "...", shown < name.len ? 3 : 0);
    (void)pvf__buf_u8(&text, '\0');
    if (text.failed != 0) {
        pvf__buf_done(&text);
        return NULL;
    }
    return (char *)text.data;
}

static const char *valtype_name(uint8_t valtype)
{
    static const char *const names[] = {"f64", "f32", "i64", "i32"};
    return valtype >= 0x7C && valtype <= 0x7F ? names[valtype - 0x7C] : "?";
}

static void print_type(const struct pvf__wasm_type *type, char *out, size_t room)
{
    char text[PVF__TEXT_MAX] = "(";
    size_t len = 1;
    for (uint32_t i = 0; i < type->count && i < PVF__PARAMS_SHOWN; i++) {
        int more = snprintf(text + len,
                            sizeof(text) - len,
                            "%s%s",
                            i > 0 ? ", " : "",
                            valtype_name(type->params[i]));
        len += (size_t)more; /* 24 parameters of 5 bytes fit */
    }
    (void)snprintf(out,
                   room,
                   "%s%s)%s%s",
                   text,
                   type->count > PVF__PARAMS_SHOWN ? ", ..." : "",
                   type->result != 0 ? " -> " : "",
                   type->result != 0 ? valtype_name(type->result) : "");
}

static void print_function(const struct work *work, uint32_t type_index, char *out, size_t room)
{
    if (type_index < work->module->type_count) {
        print_type(&work->module->types[type_index], out, room);
    } else {
        (void)snprintf(out, room, "type %u, which does not exist", type_index);
    }
}

static void print_limits(const struct pvf__wasm_limits *limits, char *out, size_t room)
{
    if (limits->has_max) {
        (void)snprintf(out, room, "min %u max %u", limits->min, limits->max);
    } else {
        (void)snprintf(out, room, "min %u", limits->min);
    }
}

static void print_global(uint8_t valtype, uint8_t mutable, char *out, size_t room)
{
    (void)snprintf(out, room, "%s%s", mutable != 0 ? "mut " : "", valtype_name(valtype));
}

static void note_memory(struct work *work, const struct pvf__wasm_limits *limits, bool imported)
{
    struct pvf__wasm_summary *summary = work->summary;
    if (!summary->has_memory) {
        summary->has_memory = true;
        summary->memory_imported = imported;
        summary->memory_min = limits->min;
        summary->memory_max = limits->max;
        summary->memory_has_max = limits->has_max;
    }
}

static void note_global(struct work *work, uint8_t valtype, uint8_t mutable)
{
    work->global_types[2 * work->global_count] = (char)valtype;
    work->global_types[2 * work->global_count + 1] = (char)mutable;
    work->global_count++;
}

static int add_import(struct work *work, const struct pvf__wasm_import *entry)
{
    char type[PVF__TEXT_MAX + 32];
    if (entry->kind == PVF__WASM_KIND_FUNC) {
        print_function(work, entry->type, type, sizeof(type));
    } else if (entry->kind == PVF__WASM_KIND_GLOBAL) {
        print_global(entry->valtype, entry->mutable, type, sizeof(type));
        note_global(work, entry->valtype, entry->mutable);
    } else {
        print_limits(&entry->limits, type, sizeof(type));
        if (entry->kind == PVF__WASM_KIND_MEMORY) {
            note_memory(work, &entry->limits, true);
            /* Rewriting exports it under its own name. */
            work->summary->exports_memory |=
                entry->name.len == 6 && memcmp(entry->name.data, "memory", 6) == 0;
        }
    }
    struct pvf__wasm_summary_import *slot = &work->summary->imports[work->summary->import_count++];
    slot->kind = kind_names[entry->kind];
    slot->module = printable(entry->module);
    slot->name = printable(entry->name);
    slot->type = strdup(type);
    return slot->module == NULL || slot->name == NULL || slot->type == NULL ? no_memory(work) : 0;
}

static int read_imports(struct work *work)
{
    size_t count = work->module->sections[PVF__WASM_SEC_IMPORT].count;
    work->summary->imports = calloc(count > 0 ? count : 1, sizeof(*work->summary->imports));
    int status = work->summary->imports == NULL ? no_memory(work) : 0;
    struct pvf__wasm_reader reader;
    pvf__wasm_module_entries(work->module, PVF__WASM_SEC_IMPORT, work->fault, &reader);
    for (size_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_import entry;
        status = pvf__wasm_entry_import(&reader, &entry);
        if (status == 0) {
            status = add_import(work, &entry);
        }
    }
    return status;
}

static int read_memories(struct work *work)
{
    struct pvf__wasm_reader reader;
    pvf__wasm_module_entries(work->module, PVF__WASM_SEC_MEMORY, work->fault, &reader);
    while (!pvf__wasm_reader_done(&reader)) {
        struct pvf__wasm_limits limits;
        int status = pvf__wasm_entry_memory(&reader, &limits);
        if (status != 0) {
            return status;
        }
        note_memory(work, &limits, false);
    }
    return 0;
}

static int read_globals(struct work *work)
{
    struct pvf__wasm_reader reader;
    pvf__wasm_module_entries(work->module, PVF__WASM_SEC_GLOBAL, work->fault, &reader);
    while (!pvf__wasm_reader_done(&reader)) {
        struct pvf__wasm_global entry;
        int status = pvf__wasm_entry_global(&reader, &entry);
        if (status != 0) {
            return status;
        }
        note_global(work, entry.valtype, entry.mutable);
    }
    return 0;
}

/* Whether this export is one that an execution looks for. */
static void
note_entry_point(struct work *work, const struct pvf__wasm_export *entry, const char *type)
{
    struct pvf__wasm_summary *summary = work->summary;
    const struct {
        const char *name;
        uint8_t kind;
        bool *found;
        char *type;
        size_t room;
    } wanted[] = {
        {"memory", PVF__WASM_KIND_MEMORY, &summary->exports_memory, NULL, 0},
        {"__heap_base",
         PVF__WASM_KIND_GLOBAL,
         &summary->exports_heap_base,
         summary->heap_base_type,
         sizeof(summary->heap_base_type)},
        {"validate_block",
         PVF__WASM_KIND_FUNC,
         &summary->exports_validate_block,
         summary->validate_block_type,
         sizeof(summary->validate_block_type)},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (entry->kind == wanted[i].kind && entry->name.len == strlen(wanted[i].name) &&
            memcmp(entry->name.data, wanted[i].name, entry->name.len) == 0) {
            *wanted[i].found = true;
            if (wanted[i].type != NULL) {
                (void)snprintf(wanted[i].type, wanted[i].room, "%s", type);
            }
        }
    }
}

static int add_export(struct work *work, const struct pvf__wasm_export *entry)
{
    char type[PVF__TEXT_MAX + 32] = "";
    if (entry->kind == PVF__WASM_KIND_FUNC && entry->index < work->module->func_count) {
        print_function(work, work->module->func_types[entry->index], type, sizeof(type));
    } else if (entry->kind == PVF__WASM_KIND_GLOBAL && entry->index < work->global_count) {
        const char *global = work->global_types + 2 * (size_t)entry->index;
        print_global((uint8_t)global[0], (uint8_t)global[1], type, sizeof(type));
    }
    note_entry_point(work, entry, type);
    struct pvf__wasm_summary_export *slot = &work->summary->exports[work->summary->export_count++];
    slot->kind = kind_names[entry->kind];
    slot->index = entry->index;
    slot->name = printable(entry->name);
    slot->type = strdup(type);
    return slot->name == NULL || slot->type == NULL ? no_memory(work) : 0;
}

static int read_exports(struct work *work)
{
    size_t count = work->module->sections[PVF__WASM_SEC_EXPORT].count;
    work->summary->exports = calloc(count > 0 ? count : 1, sizeof(*work->summary->exports));
    int status = work->summary->exports == NULL ? no_memory(work) : 0;
    struct pvf__wasm_reader reader;
    pvf__wasm_module_entries(work->module, PVF__WASM_SEC_EXPORT, work->fault, &reader);
    for (size_t i = 0; status == 0 && i < count; i++) {
        struct pvf__wasm_export entry;
        status = pvf__wasm_entry_export(&reader, &entry);
        if (status == 0) {
            status = add_export(work, &entry);
        }
    }
    return status;
}

static int add_section(struct work *work,
                       const struct pvf__wasm_reader *whole,
                       const struct pvf__wasm_raw *raw)
{
    struct pvf__slice name = {NULL, 0};
    if (raw->id == PVF__WASM_SEC_CUSTOM) {
        struct pvf__wasm_reader inside;
        pvf__wasm_reader_over(&inside, whole, raw->payload);
        int status = pvf__wasm_reader_block(&inside, &name);
        if (status != 0) {
            return status;
        }
    }
    struct pvf__wasm_summary_section *slot =
        &work->summary->sections[work->summary->section_count++];
    slot->id = raw->id;
    slot->kind = section_names[raw->id];
    slot->offset = raw->offset;
    slot->size = raw->payload.len;
    slot->name = printable(name);
    return slot->name == NULL ? no_memory(work) : 0;
}

/* Counts first, then keeps: the blob says nowhere how many sections it has. */
static int read_sections(struct work *work)
{
    size_t count = 0;
    int status = 0;
    for (unsigned pass = 0; status == 0 && pass < 2; pass++) {
        struct pvf__wasm_reader reader;
        pvf__wasm_module_walk(work->module, work->fault, &reader);
        while (status == 0 && !pvf__wasm_reader_done(&reader)) {
            struct pvf__wasm_raw raw;
            status = pvf__wasm_module_next_section(&reader, &raw);
            if (status == 0 && pass == 0) {
                count++;
            } else if (status == 0) {
                status = add_section(work, &reader, &raw);
            }
        }
        if (status == 0 && pass == 0) {
            work->summary->sections =
                calloc(count > 0 ? count : 1, sizeof(*work->summary->sections));
            status = work->summary->sections == NULL ? no_memory(work) : 0;
        }
    }
    return status;
}

static int read_bodies(struct work *work)
{
    struct pvf__wasm_reader reader;
    pvf__wasm_module_entries(work->module, PVF__WASM_SEC_CODE, work->fault, &reader);
    size_t function = work->module->import_counts[PVF__WASM_KIND_FUNC];
    for (; !pvf__wasm_reader_done(&reader); function++) {
        struct pvf__slice body;
        int status = pvf__wasm_reader_block(&reader, &body);
        if (status != 0) {
            return status;
        }
        if (body.len > work->summary->largest_body) {
            work->summary->largest_body = body.len;
            work->summary->largest_body_function = (uint32_t)function;
        }
    }
    return 0;
}

static int read_costs(struct work *work)
{
    struct pvf__wasm_summary *summary = work->summary;
    PVF__CLEANUP_FREE uint32_t *costs = NULL;
    int status = pvf__wasm_cost_all(work->module, &summary->cost_fault, &costs);
    if (status == PVF_ERR_MALFORMED) {
        return 0; /* a finding, not a failure */
    }
    if (status != 0) {
        return no_memory(work);
    }
    summary->costs_known = true;
    for (size_t i = 0; i < work->module->func_count; i++) {
        summary->cost_sum += costs[i];
        if (costs[i] > summary->largest_cost) {
            summary->largest_cost = costs[i];
            summary->largest_cost_function = (uint32_t)i;
        }
    }
    return 0;
}

static void count_all(struct pvf__wasm_summary *summary, const struct pvf__wasm_module *module)
{
    const struct pvf__wasm_section *sections = module->sections;
    summary->types = module->type_count;
    summary->imported_functions = module->import_counts[PVF__WASM_KIND_FUNC];
    summary->functions = module->func_count - summary->imported_functions;
    summary->tables = sections[PVF__WASM_SEC_TABLE].count;
    summary->memories = sections[PVF__WASM_SEC_MEMORY].count;
    summary->globals = sections[PVF__WASM_SEC_GLOBAL].count;
    summary->element_segments = sections[PVF__WASM_SEC_ELEMENT].count;
    summary->data_segments = sections[PVF__WASM_SEC_DATA].count;
    summary->has_start = sections[PVF__WASM_SEC_START].present;
    summary->start = sections[PVF__WASM_SEC_START].count;
}

static int read_all(struct work *work)
{
    const struct pvf__wasm_module *module = work->module;
    count_all(work->summary, module);
    size_t globals =
        module->import_counts[PVF__WASM_KIND_GLOBAL] + module->sections[PVF__WASM_SEC_GLOBAL].count;
    work->global_types = calloc(globals > 0 ? globals : 1, 2);
    int status = work->global_types == NULL ? no_memory(work) : 0;
    int (*const parts[])(struct work *) = {read_imports,
                                           read_memories,
                                           read_globals,
                                           read_exports,
                                           read_sections,
                                           read_bodies,
                                           read_costs};
    for (size_t i = 0; status == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
        status = parts[i](work);
    }
    return status;
}

int pvf__wasm_summarize(const uint8_t *code,
                        size_t len,
                        struct pvf__wasm_summary *ret,
                        struct pvf__wasm_fault *fault)
{
    struct pvf__wasm_module module;
    int status = pvf__wasm_module_parse(code, len, &module, fault);
    if (status != 0) {
        return status;
    }
    struct pvf__wasm_summary summary = {.types = 0};
    struct work work = {.module = &module, .fault = fault, .summary = &summary};
    status = read_all(&work);
    free(work.global_types);
    pvf__wasm_module_done(&module);
    if (status != 0) {
        pvf__wasm_summary_done(&summary);
        return status;
    }
    *ret = summary;
    return 0;
}

void pvf__wasm_summary_done(struct pvf__wasm_summary *summary)
{
    for (size_t i = 0; i < summary->import_count; i++) {
        free(summary->imports[i].module);
        free(summary->imports[i].name);
        free(summary->imports[i].type);
    }
    for (size_t i = 0; i < summary->export_count; i++) {
        free(summary->exports[i].name);
        free(summary->exports[i].type);
    }
    for (size_t i = 0; i < summary->section_count; i++) {
        free(summary->sections[i].name);
    }
    free(summary->imports);
    free(summary->exports);
    free(summary->sections);
    *summary = (struct pvf__wasm_summary){.types = 0};
}
