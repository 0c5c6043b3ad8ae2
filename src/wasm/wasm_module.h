/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_MODULE_H
#define PVF_WASM_MODULE_H

#include "wasm/wasm_entry.h"

/* Section ids, which are also the places in struct pvf__wasm_module.sections. */
enum pvf__wasm_section_id {
    PVF__WASM_SEC_CUSTOM = 0,
    PVF__WASM_SEC_TYPE = 1,
    PVF__WASM_SEC_IMPORT = 2,
    PVF__WASM_SEC_FUNCTION = 3,
    PVF__WASM_SEC_TABLE = 4,
    PVF__WASM_SEC_MEMORY = 5,
    PVF__WASM_SEC_GLOBAL = 6,
    PVF__WASM_SEC_EXPORT = 7,
    PVF__WASM_SEC_START = 8,
    PVF__WASM_SEC_ELEMENT = 9,
    PVF__WASM_SEC_CODE = 10,
    PVF__WASM_SEC_DATA = 11,
    PVF__WASM_SEC_DATA_COUNT = 12,
    PVF__WASM_SEC_IDS = 13,
};

struct pvf__wasm_section {
    bool present;
    uint32_t count;          /* entries; start and data count: the number itself */
    struct pvf__slice items; /* the entries, behind their count */
};

/* One section as it stands in the blob, of any kind. */
struct pvf__wasm_raw {
    uint8_t id;
    size_t offset; /* of the id byte */
    struct pvf__slice payload;
};

/*
 * A blob that has passed the grammar.  Small tables are decoded; bodies, segments and custom
 * sections stay in the blob, which must live as long as this.
 */
struct pvf__wasm_module {
    const uint8_t *code;
    size_t len;
    struct pvf__wasm_section sections[PVF__WASM_SEC_IDS];
    struct pvf__wasm_type *types;
    size_t type_count;
    uint32_t *func_types; /* type index of each function, imported ones first */
    size_t func_count;
    size_t import_counts[4];  /* by enum pvf__wasm_kind */
    bool odd_elements;        /* an element segment does not start with 0: rewriting has to care */
    size_t data_count_offset; /* place of the data-count section; SIZE_MAX: none */
};

/*
 * The reference's first parser: accepts and refuses what it does.  0 and *ret filled (free with
 * pvf__wasm_module_done), PVF_ERR_MALFORMED or PVF_ERR_NO_MEMORY with *fault filled.
 */
PVF__NODISCARD int pvf__wasm_module_parse(const uint8_t *code,
                                          size_t len,
                                          struct pvf__wasm_module *ret,
                                          struct pvf__wasm_fault *fault);

void pvf__wasm_module_done(struct pvf__wasm_module *module);

/* Reads the next section's frame; the reader stands at a border and there is one more. */
PVF__NODISCARD int pvf__wasm_module_next_section(struct pvf__wasm_reader *reader,
                                                 struct pvf__wasm_raw *ret);

/* A reader over the sections of a parsed blob, and one over the entries of a section. */
void pvf__wasm_module_walk(const struct pvf__wasm_module *module,
                           struct pvf__wasm_fault *fault,
                           struct pvf__wasm_reader *ret);
void pvf__wasm_module_entries(const struct pvf__wasm_module *module,
                              enum pvf__wasm_section_id id,
                              struct pvf__wasm_fault *fault,
                              struct pvf__wasm_reader *ret);

#endif
