/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_ENTRY_H
#define PVF_WASM_ENTRY_H

#include "wasm/wasm_instr.h"
#include "wasm/wasm_reader.h"

/*
 * One entry of each kind of section, as it stands in the blob: slices point into it.  Every
 * function reads one entry and returns 0 or PVF_ERR_MALFORMED with the reader's fault filled.
 */

/* Kinds of imports and exports. */
enum pvf__wasm_kind {
    PVF__WASM_KIND_FUNC = 0,
    PVF__WASM_KIND_TABLE = 1,
    PVF__WASM_KIND_MEMORY = 2,
    PVF__WASM_KIND_GLOBAL = 3,
};

struct pvf__wasm_type {
    const uint8_t *params; /* `count` value types of one byte each */
    uint32_t count;
    uint8_t result; /* a value type, or 0 */
};

struct pvf__wasm_limits {
    uint32_t min;
    uint32_t max; /* 0 unless has_max */
    bool has_max;
};

struct pvf__wasm_import {
    struct pvf__slice module;
    struct pvf__slice name;
    uint8_t kind;                   /* enum pvf__wasm_kind */
    uint32_t type;                  /* functions */
    struct pvf__wasm_limits limits; /* tables and memories */
    uint8_t valtype;                /* globals */
    uint8_t mutable;
};

struct pvf__wasm_export {
    struct pvf__slice name;
    uint8_t kind; /* enum pvf__wasm_kind */
    uint32_t index;
};

/* Instructions with their closing `end`. */
struct pvf__wasm_expr {
    struct pvf__slice bytes;
    bool loose; /* holds an over-long integer: encode again instead of copying */
};

struct pvf__wasm_global {
    uint8_t valtype;
    uint8_t mutable;
    struct pvf__wasm_expr init;
};

/* Element segment (`members`: `count` integers, still encoded) or data segment (`bytes`). */
struct pvf__wasm_element {
    uint32_t table;
    struct pvf__wasm_expr offset;
    uint32_t count;
    struct pvf__slice members;
};

struct pvf__wasm_data {
    uint32_t memory;
    struct pvf__wasm_expr offset;
    struct pvf__slice bytes;
};

/* A function's body: the groups of locals, then the instructions to the closing `end`. */
struct pvf__wasm_body {
    uint32_t groups;
    struct pvf__slice locals; /* the groups, still encoded */
    bool loose_locals;
    uint32_t local_count;
    struct pvf__slice code;
};

PVF__NODISCARD int pvf__wasm_entry_type(struct pvf__wasm_reader *reader,
                                        struct pvf__wasm_type *ret);
PVF__NODISCARD int pvf__wasm_entry_import(struct pvf__wasm_reader *reader,
                                          struct pvf__wasm_import *ret);
PVF__NODISCARD int pvf__wasm_entry_table(struct pvf__wasm_reader *reader,
                                         struct pvf__wasm_limits *ret);
PVF__NODISCARD int pvf__wasm_entry_memory(struct pvf__wasm_reader *reader,
                                          struct pvf__wasm_limits *ret);
PVF__NODISCARD int pvf__wasm_entry_global(struct pvf__wasm_reader *reader,
                                          struct pvf__wasm_global *ret);
PVF__NODISCARD int pvf__wasm_entry_export(struct pvf__wasm_reader *reader,
                                          struct pvf__wasm_export *ret);
PVF__NODISCARD int pvf__wasm_entry_element(struct pvf__wasm_reader *reader,
                                           struct pvf__wasm_element *ret);
PVF__NODISCARD int pvf__wasm_entry_data(struct pvf__wasm_reader *reader,
                                        struct pvf__wasm_data *ret);

/* Only the frame of a body: its instructions are not looked at. */
PVF__NODISCARD int pvf__wasm_entry_body(struct pvf__wasm_reader *reader,
                                        struct pvf__wasm_body *ret);

/* The instructions of a body: that they end where the body does. */
PVF__NODISCARD int pvf__wasm_entry_check_code(const struct pvf__wasm_reader *whole,
                                              const struct pvf__wasm_body *body);

#endif
