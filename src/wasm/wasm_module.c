/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the grammar of a whole module, section by section.  Trusts nothing.  It allocates only
 * for types and functions, never more entries than the bytes left could hold.
 */
#include "wasm/wasm_module.h"

#include "pvf/status.h"

#include <stdlib.h>
#include <string.h>

#define PVF__HEADER 8 /* magic and version */

static const uint8_t magic[4] = {0x00, 0x61, 0x73, 0x6D};
static const uint8_t magic_pvm[4] = {0x50, 0x56, 0x4D, 0x00};

/* Place of each id in the order of sections; custom ones have none. */
static unsigned rank_of(uint8_t id)
{
    switch ((enum pvf__wasm_section_id)id) {
    case PVF__WASM_SEC_DATA_COUNT:
        return 10;
    case PVF__WASM_SEC_CODE:
        return 11;
    case PVF__WASM_SEC_DATA:
        return 12;
    case PVF__WASM_SEC_CUSTOM:
    case PVF__WASM_SEC_TYPE:
    case PVF__WASM_SEC_IMPORT:
    case PVF__WASM_SEC_FUNCTION:
    case PVF__WASM_SEC_TABLE:
    case PVF__WASM_SEC_MEMORY:
    case PVF__WASM_SEC_GLOBAL:
    case PVF__WASM_SEC_EXPORT:
    case PVF__WASM_SEC_START:
    case PVF__WASM_SEC_ELEMENT:
    case PVF__WASM_SEC_IDS:
    default:
        return id;
    }
}

static int no_memory(const struct pvf__wasm_reader *reader)
{
    return pvf__wasm_fault_machine(reader->fault, PVF__WASM_PREVALIDATION, PVF_ERR_NO_MEMORY);
}

static int read_header(struct pvf__wasm_reader *reader)
{
    struct pvf__slice bytes;
    int status = pvf__wasm_reader_bytes(reader, sizeof(magic), &bytes);
    if (status != 0) {
        return status;
    }
    if (memcmp(bytes.data, magic, sizeof(magic)) != 0) {
        const char *feature =
            memcmp(bytes.data, magic_pvm, sizeof(magic_pvm)) == 0 ? "PolkaVM" : "";
        return pvf__wasm_fault_grammar(reader->fault, 0, feature, "InvalidMagic");
    }
    status = pvf__wasm_reader_bytes(reader, 4, &bytes);
    if (status != 0) {
        return status;
    }
    uint32_t version = (uint32_t)bytes.data[0] | (uint32_t)bytes.data[1] << 8 |
                       (uint32_t)bytes.data[2] << 16 | (uint32_t)bytes.data[3] << 24;
    if (version != 1) {
        return pvf__wasm_fault_grammar(reader->fault,
                                       sizeof(magic),
                                       version >> 16 == 1 ? "component model" : "",
                                       "UnsupportedVersion(%u)",
                                       version);
    }
    return 0;
}

int pvf__wasm_module_next_section(struct pvf__wasm_reader *reader, struct pvf__wasm_raw *ret)
{
    struct pvf__wasm_raw raw = {.offset = pvf__wasm_reader_offset(reader)};
    int status = pvf__wasm_reader_byte(reader, &raw.id);
    if (status != 0) {
        return status;
    }
    if (raw.id >= PVF__WASM_SEC_IDS) {
        (void)pvf__wasm_fault_grammar(reader->fault,
                                      raw.offset,
                                      raw.id == 13 ? "exceptions" : "",
                                      "InvalidSectionId(%u)",
                                      raw.id);
        return PVF_ERR_MALFORMED;
    }
    status = pvf__wasm_reader_block(reader, &raw.payload);
    if (status == 0) {
        *ret = raw;
    }
    return status;
}

/* How many entries to make room for: a count is only a claim, `min` bytes each are a fact. */
static size_t room_for(const struct pvf__wasm_reader *reader, uint32_t count, size_t min)
{
    size_t most = pvf__cursor_left(&reader->in) / min + 1;
    return count < most ? count : most;
}

static int read_types(struct pvf__wasm_module *module, struct pvf__wasm_reader *reader, uint32_t n)
{
    size_t room = room_for(reader, n, 3);
    module->types = calloc(room > 0 ? room : 1, sizeof(*module->types));
    if (module->types == NULL) {
        return no_memory(reader);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct pvf__wasm_type type;
        int status = pvf__wasm_entry_type(reader, &type);
        if (status != 0) {
            return status;
        }
        module->types[module->type_count++] = type;
    }
    return 0;
}

/* Makes room for `more` functions and appends none. */
static int
grow_functions(struct pvf__wasm_module *module, const struct pvf__wasm_reader *reader, size_t more)
{
    size_t room = module->func_count + more;
    uint32_t *grown = realloc(module->func_types, (room > 0 ? room : 1) * sizeof(*grown));
    if (grown == NULL) {
        return no_memory(reader);
    }
    module->func_types = grown;
    return 0;
}

static int
read_imports(struct pvf__wasm_module *module, struct pvf__wasm_reader *reader, uint32_t n)
{
    int status = grow_functions(module, reader, room_for(reader, n, 4));
    for (uint32_t i = 0; status == 0 && i < n; i++) {
        struct pvf__wasm_import entry;
        status = pvf__wasm_entry_import(reader, &entry);
        if (status != 0) {
            return status;
        }
        module->import_counts[entry.kind]++;
        if (entry.kind == PVF__WASM_KIND_FUNC) {
            module->func_types[module->func_count++] = entry.type;
        }
    }
    return status;
}

static int
read_functions(struct pvf__wasm_module *module, struct pvf__wasm_reader *reader, uint32_t n)
{
    int status = grow_functions(module, reader, room_for(reader, n, 1));
    for (uint32_t i = 0; status == 0 && i < n; i++) {
        uint32_t type;
        status = pvf__wasm_reader_u32(reader, &type);
        if (status == 0) {
            module->func_types[module->func_count++] = type;
        }
    }
    return status;
}

/* Sections of which nothing is kept but their place. */
static int skim_entry(struct pvf__wasm_module *module,
                      struct pvf__wasm_reader *reader,
                      enum pvf__wasm_section_id id)
{
    union {
        struct pvf__wasm_limits limits;
        struct pvf__wasm_global global;
        struct pvf__wasm_export export;
        struct pvf__wasm_element element;
        struct pvf__wasm_data data;
        struct pvf__wasm_body body;
    } entry;
    int status;
    switch (id) {
    case PVF__WASM_SEC_TABLE:
        return pvf__wasm_entry_table(reader, &entry.limits);
    case PVF__WASM_SEC_MEMORY:
        return pvf__wasm_entry_memory(reader, &entry.limits);
    case PVF__WASM_SEC_GLOBAL:
        return pvf__wasm_entry_global(reader, &entry.global);
    case PVF__WASM_SEC_EXPORT:
        return pvf__wasm_entry_export(reader, &entry.export);
    case PVF__WASM_SEC_ELEMENT:
        status = pvf__wasm_entry_element(reader, &entry.element);
        module->odd_elements |= status == 0 && entry.element.table != 0;
        return status;
    case PVF__WASM_SEC_CODE:
        status = pvf__wasm_entry_body(reader, &entry.body);
        return status != 0 ? status : pvf__wasm_entry_check_code(reader, &entry.body);
    case PVF__WASM_SEC_DATA:
        return pvf__wasm_entry_data(reader, &entry.data);
    case PVF__WASM_SEC_CUSTOM:
    case PVF__WASM_SEC_TYPE:
    case PVF__WASM_SEC_IMPORT:
    case PVF__WASM_SEC_FUNCTION:
    case PVF__WASM_SEC_START:
    case PVF__WASM_SEC_DATA_COUNT:
    case PVF__WASM_SEC_IDS:
    default:
        return 0; /* not called for these */
    }
}

static int read_entries(struct pvf__wasm_module *module,
                        struct pvf__wasm_reader *reader,
                        enum pvf__wasm_section_id id,
                        uint32_t n)
{
    if (id == PVF__WASM_SEC_TYPE) {
        return read_types(module, reader, n);
    }
    if (id == PVF__WASM_SEC_IMPORT) {
        return read_imports(module, reader, n);
    }
    if (id == PVF__WASM_SEC_FUNCTION) {
        return read_functions(module, reader, n);
    }
    if (id == PVF__WASM_SEC_START || id == PVF__WASM_SEC_DATA_COUNT) {
        return 0; /* the number was all of it */
    }
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < n; i++) {
        status = skim_entry(module, reader, id);
    }
    return status;
}

static int read_section(struct pvf__wasm_module *module,
                        const struct pvf__wasm_reader *whole,
                        const struct pvf__wasm_raw *raw)
{
    struct pvf__wasm_reader inside;
    pvf__wasm_reader_over(&inside, whole, raw->payload);
    if (raw->id == PVF__WASM_SEC_CUSTOM) {
        struct pvf__slice name;
        return pvf__wasm_reader_name(&inside, &name);
    }
    struct pvf__wasm_section *section = &module->sections[raw->id];
    int status = pvf__wasm_reader_u32(&inside, &section->count);
    if (status != 0) {
        return status;
    }
    section->present = true;
    section->items = (struct pvf__slice){inside.in.at, pvf__cursor_left(&inside.in)};
    if (raw->id == PVF__WASM_SEC_DATA_COUNT) {
        module->data_count_offset = raw->offset;
    }
    status = read_entries(module, &inside, (enum pvf__wasm_section_id)raw->id, section->count);
    if (status == 0 && !pvf__wasm_reader_done(&inside)) {
        status = pvf__wasm_reader_surplus(&inside);
    }
    return status;
}

static int read_sections(struct pvf__wasm_module *module, struct pvf__wasm_reader *reader)
{
    unsigned last = 0;
    while (!pvf__wasm_reader_done(reader)) {
        struct pvf__wasm_raw raw;
        int status = pvf__wasm_module_next_section(reader, &raw);
        if (status != 0) {
            return status;
        }
        unsigned rank = rank_of(raw.id);
        if (rank != 0 && rank <= last) {
            return rank == last ? pvf__wasm_fault_grammar(
                                      reader->fault, raw.offset, "", "DuplicatedSections(%u)", rank)
                                : pvf__wasm_fault_grammar(
                                      reader->fault, raw.offset, "", "SectionsOutOfOrder");
        }
        last = rank != 0 ? rank : last;
        status = read_section(module, reader, &raw);
        if (status != 0) {
            return status;
        }
    }
    if (module->sections[PVF__WASM_SEC_CODE].count !=
        module->sections[PVF__WASM_SEC_FUNCTION].count) {
        return pvf__wasm_fault_grammar(reader->fault, SIZE_MAX, "", "InconsistentCode");
    }
    return 0;
}

int pvf__wasm_module_parse(const uint8_t *code,
                           size_t len,
                           struct pvf__wasm_module *ret,
                           struct pvf__wasm_fault *fault)
{
    struct pvf__wasm_module module = {.code = code, .len = len, .data_count_offset = SIZE_MAX};
    struct pvf__wasm_reader reader;
    pvf__wasm_reader_init(&reader, code, len, fault);
    int status = read_header(&reader);
    if (status == 0) {
        status = read_sections(&module, &reader);
    }
    if (status != 0) {
        pvf__wasm_module_done(&module);
        return status;
    }
    *ret = module;
    return 0;
}

void pvf__wasm_module_done(struct pvf__wasm_module *module)
{
    free(module->types);
    free(module->func_types);
    module->types = NULL;
    module->func_types = NULL;
}

void pvf__wasm_module_walk(const struct pvf__wasm_module *module,
                           struct pvf__wasm_fault *fault,
                           struct pvf__wasm_reader *ret)
{
    pvf__wasm_reader_init(ret, module->code, module->len, fault);
    ret->in.at += PVF__HEADER;
}

void pvf__wasm_module_entries(const struct pvf__wasm_module *module,
                              enum pvf__wasm_section_id id,
                              struct pvf__wasm_fault *fault,
                              struct pvf__wasm_reader *ret)
{
    struct pvf__wasm_reader whole;
    pvf__wasm_reader_init(&whole, module->code, module->len, fault);
    pvf__wasm_reader_over(ret, &whole, module->sections[id].items);
}
