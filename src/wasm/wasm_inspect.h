/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_INSPECT_H
#define PVF_WASM_INSPECT_H

#include "base/cleanup.h"
#include "wasm/wasm_fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is in a blob, for people.  All strings are printable: control characters of names are
 * written as \xNN, and long names and types are cut with "...".
 */

struct pvf__wasm_summary_import {
    char *module;
    char *name;
    const char *kind; /* "function", "table", "memory", "global" */
    char *type;       /* such as "(i32, i64) -> i64", "min 17 max 40", "mut i32" */
};

struct pvf__wasm_summary_export {
    char *name;
    const char *kind;
    uint32_t index;
    char *type; /* functions and globals of a known index; else "" */
};

struct pvf__wasm_summary_section {
    uint8_t id;
    const char *kind; /* "type", "custom" … */
    char *name;       /* of a custom section; else "" */
    size_t offset;    /* of the id byte */
    size_t size;      /* of the payload */
};

struct pvf__wasm_summary {
    size_t types;
    size_t functions; /* defined ones; the next four likewise */
    size_t tables;
    size_t memories;
    size_t globals;
    size_t imported_functions;
    size_t element_segments;
    size_t data_segments;

    bool has_memory; /* the first, imported or own */
    bool memory_imported;
    bool memory_has_max;
    uint32_t memory_min; /* pages of 64 KiB */
    uint32_t memory_max;

    bool has_start;
    uint32_t start;

    size_t largest_body; /* bytes; 0 without functions */
    uint32_t largest_body_function;

    /* Stack costs; when they cannot be computed the blob is refused, and cost_fault says why. */
    bool costs_known;
    uint32_t largest_cost;
    uint32_t largest_cost_function;
    uint64_t cost_sum;
    struct pvf__wasm_fault cost_fault;

    /* What an execution looks for; types as above, "" when the export is missing. */
    bool exports_memory;         /* memory `memory`; an imported one is exported by rewriting */
    bool exports_heap_base;      /* global `__heap_base` */
    bool exports_validate_block; /* function `validate_block` */
    char heap_base_type[32];
    char validate_block_type[96];

    struct pvf__wasm_summary_import *imports;
    size_t import_count;
    struct pvf__wasm_summary_export *exports;
    size_t export_count;
    struct pvf__wasm_summary_section *sections;
    size_t section_count;
};

/*
 * Looks at a decompressed blob.  0 and *ret filled (free with pvf__wasm_summary_done);
 * PVF_ERR_MALFORMED when the first parser refuses it; PVF_ERR_NO_MEMORY.
 */
PVF__NODISCARD int pvf__wasm_summarize(const uint8_t *code,
                                       size_t len,
                                       struct pvf__wasm_summary *ret,
                                       struct pvf__wasm_fault *fault);

void pvf__wasm_summary_done(struct pvf__wasm_summary *summary);

#endif
