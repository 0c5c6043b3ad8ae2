/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_UNIT_ENGINE_BUILDER_H
#define PVF_TESTS_UNIT_ENGINE_BUILDER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes small PVFs, and broken ones, byte by byte. */

/* Indices of the types that every module declares. */
enum builder_type {
    TYPE_ENTRY = 0,   /* (i32, i32) -> i64 */
    TYPE_NOTHING = 1, /* () -> () */
    TYPE_I32_I32 = 2, /* (i32) -> i32 */
    TYPE_I64 = 3,     /* (i64) -> () */
    TYPE_I32 = 4,     /* (i32) -> () */
    TYPE_RW_I32 = 5,  /* (i64) -> i32 */
};

/* Bytes of instructions, without the last `end`. */
struct builder_code {
    const uint8_t *data;
    size_t len;
};
#define CODE(...)                                                                                  \
    {                                                                                              \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                     \
    }

/* A function import, or (`table`) one of a table. */
struct builder_import {
    const char *module;
    const char *name;
    enum builder_type type;
    bool table;
};

enum builder_export {
    EXPORT_AS_IT_SHOULD = 0,
    EXPORT_NOT,       /* nothing of that name */
    EXPORT_ANOTHER,   /* the function under the memory's name, the memory under the others' */
    EXPORT_OTHER_TYPE /* a global that is no i32, a function of another type */
};

/* Zeros give: one page, heap at 0, an entry that is only `unreachable`. */
struct builder {
    struct builder_import imports[3]; /* those with a name */
    uint32_t min_pages;               /* 0: one page */
    struct builder_code entry;        /* function index: number of function imports */
    struct builder_code start;        /* the next one, if there is any code */
    int32_t heap_base;                /* initial value of a mutable global, index 0 */
    bool has_data;
    int32_t data_offset;
    const char *data;
    enum builder_export memory;
    enum builder_export heap;
    enum builder_export function;
};

/* The module's bytes; the caller frees them with pvf__buf_done. */
void builder_module(const struct builder *builder, struct pvf__buf *out);

#endif
