/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a module, stage by stage: each row is built, prepared and run as it is, and
 * rewritten, and in an instance that was warmed up.  The verdicts are those of the reference.
 */
#include "support/test.h"

#include "engine_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* i64.const -1; i64.const 32 …: code that several rows share. */
#define RETURN_NOTHING 0x42, 0 /* i64.const 0: no bytes at address 0 */
#define RETURN_INPUT                                                                               \
    0x20, 1, 0xad, 0x42, 32, 0x86, /* (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32)) */ \
        0x20, 0, 0xad, 0x84        /* (i64.or … (i64.extend_i32_u (local.get 0))) */

struct row {
    const char *what;
    struct builder module;
    enum verdict verdict;
    const char *text; /* part of the message, or NULL */
};

static void check_one(const struct row *row, const struct harness_options *options)
{
    struct harness_result result;
    harness_run(&row->module, options, &result);
    if (result.verdict != row->verdict ||
        (row->text != NULL && strstr(result.text, row->text) == NULL)) {
        print_error("%s (%s): verdict %d, want %d: %s\n",
                    row->what,
                    options->warm      ? "warm"
                    : options->rewrite ? "rewritten"
                                       : "as it is",
                    (int)result.verdict,
                    (int)row->verdict,
                    result.text);
        fail();
    }
}

static void check_rows(const struct row *rows, size_t count, bool ecc)
{
    static const uint8_t input[] = "input";
    for (size_t i = 0; i < count; i++) {
        struct harness_options options = {.ecc = ecc, .input = {input, 5}};
        check_one(&rows[i], &options);
        options.rewrite = true;
        check_one(&rows[i], &options);
        options.warm = true;
        check_one(&rows[i], &options);
    }
}

static void imports_are_linked_as_the_reference_links_them(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"missing import, not called",
         {.imports = {{"env", "ext_nope", TYPE_NOTHING, false}}, .entry = CODE(RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"missing import, called",
         {.imports = {{"env", "ext_nope", TYPE_NOTHING, false}}, .entry = CODE(0x10, 0, 0x00)},
         VERDICT_INVALID,
         "Execution aborted due to trap: call to a missing function env:ext_nope\nWASM"},
        {"missing import, called by the start function",
         {.imports = {{"env", "ext_nope", TYPE_NOTHING, false}},
          .entry = CODE(RETURN_NOTHING),
          .start = CODE(0x10, 0)},
         VERDICT_CONSTRUCTION,
         "call to a missing function env:ext_nope"},
        {"missing import with an empty name",
         {.imports = {{"env", "", TYPE_NOTHING, false}}, .entry = CODE(0x10, 0, 0x00)},
         VERDICT_INVALID,
         "call to a missing function env:\n"},
        {"missing import twice with one type",
         {.imports = {{"env", "ext_nope", TYPE_I32, false}, {"env", "ext_nope", TYPE_I32, false}},
          .entry = CODE(RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"missing import twice with two types",
         {.imports = {{"env", "ext_nope", TYPE_I32, false}, {"env", "ext_nope", TYPE_I64, false}},
          .entry = CODE(RETURN_NOTHING)},
         VERDICT_LINK,
         "cannot preinstantiate module: incompatible import type for `env::ext_nope`: types "
         "incompatible: expected type `(func (param i32))`, found type `(func (param i64))`"},
        {"known import with another type",
         {.imports = {{"env", "ext_allocator_malloc_version_1", TYPE_I32, false}},
          .entry = CODE(RETURN_NOTHING)},
         VERDICT_LINK,
         "incompatible import type for `env::ext_allocator_malloc_version_1`"},
        {"known import twice, the second with another type",
         {.imports = {{"env", "ext_allocator_malloc_version_1", TYPE_I32_I32, false},
                      {"env", "ext_allocator_malloc_version_1", TYPE_I32, false}},
          .entry = CODE(RETURN_NOTHING)},
         VERDICT_LINK,
         "incompatible import type"},
        {"known import twice",
         {.imports = {{"env", "ext_allocator_malloc_version_1", TYPE_I32_I32, false},
                      {"env", "ext_allocator_malloc_version_1", TYPE_I32_I32, false}},
          .entry = CODE(RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"another module",
         {.imports = {{"wasi", "f", TYPE_NOTHING, false}}, .entry = CODE(RETURN_NOTHING)},
         VERDICT_LINK,
         "host doesn't provide any imports from non-env module: wasi:f"},
        {"another module with a known name",
         {.imports = {{"env2", "ext_allocator_free_version_1", TYPE_I32, false}},
          .entry = CODE(RETURN_NOTHING)},
         VERDICT_LINK,
         "host doesn't provide any imports from non-env module: env2:ext_allocator_free_version_1"},
        {"a table",
         {.imports = {{"env", "t", TYPE_NOTHING, true}}, .entry = CODE(RETURN_NOTHING)},
         VERDICT_LINK,
         "host doesn't provide any non function imports: env:t"},
        {"a function of RFC 163 with another type",
         {.imports = {{"env", "ext_host_calls_pallas_mul_version_1", TYPE_I32, false}},
          .entry = CODE(RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
    };
    check_rows(rows, COUNT(rows), false);
}

static void rfc_163_functions_exist_only_with_the_parameter(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"a function of RFC 163 with another type",
         {.imports = {{"env", "ext_host_calls_pallas_mul_version_1", TYPE_I32, false}},
          .entry = CODE(RETURN_NOTHING)},
         VERDICT_LINK,
         "incompatible import type for `env::ext_host_calls_pallas_mul_version_1`"},
        {"a function of RFC 163 on no bytes",
         {.imports = {{"env",
                       "ext_host_calls_bls12_381_final_exponentiation_version_1",
                       TYPE_RW_I32,
                       false}},
          .entry = CODE(0x42, 0, 0x10, 0, 0x1a, RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
    };
    check_rows(rows, COUNT(rows), true);
}

static void the_start_function_has_no_memory_on_the_host_side(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"start traps",
         {.entry = CODE(RETURN_NOTHING), .start = CODE(0x00)},
         VERDICT_CONSTRUCTION,
         "wasm trap: wasm `unreachable` instruction executed"},
        {"start divides by zero",
         {.entry = CODE(RETURN_NOTHING), .start = CODE(0x41, 1, 0x41, 0, 0x6d, 0x1a)},
         VERDICT_CONSTRUCTION,
         "wasm trap: integer divide by zero"},
        {"start allocates",
         {.imports = {{"env", "ext_allocator_malloc_version_1", TYPE_I32_I32, false}},
          .entry = CODE(RETURN_NOTHING),
          .start = CODE(0x41, 8, 0x10, 0, 0x1a)},
         VERDICT_CONSTRUCTION,
         "memory is always set; qed"},
        {"start prints bytes",
         {.imports = {{"env", "ext_misc_print_utf8_version_1", TYPE_I64, false}},
          .entry = CODE(RETURN_NOTHING),
          .start = CODE(0x42, 0, 0x10, 0)},
         VERDICT_CONSTRUCTION,
         "memory is always set; qed"},
        {"start prints a number",
         {.imports = {{"env", "ext_misc_print_num_version_1", TYPE_I64, false}},
          .entry = CODE(RETURN_NOTHING),
          .start = CODE(0x42, 0, 0x10, 0)},
         VERDICT_OK,
         NULL},
        {"start grows the memory",
         {.entry = CODE(0x3f, 0, 0x41, 2, 0x47, 0x04, 0x40, 0x00, 0x0b, RETURN_NOTHING),
          .start = CODE(0x41, 1, 0x40, 0, 0x1a)},
         VERDICT_OK,
         NULL},
        {"start moves the heap: the input is at 520",
         {.entry = CODE(0x20, 0, 0x41, 0x88, 4, 0x47, 0x04, 0x40, 0x00, 0x0b, RETURN_NOTHING),
          .start = CODE(0x41, 0x80, 4, 0x24, 0)},
         VERDICT_OK,
         NULL},
    };
    check_rows(rows, COUNT(rows), false);
}

static void instantiation_has_its_own_class(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"2080 pages", {.min_pages = 2080, .entry = CODE(RETURN_NOTHING)}, VERDICT_OK, NULL},
        {"2081 pages",
         {.min_pages = 2081, .entry = CODE(RETURN_NOTHING)},
         VERDICT_CONSTRUCTION,
         "memory minimum size of 2081 pages exceeds memory limits"},
        {"data up to the end",
         {.entry = CODE(RETURN_NOTHING), .has_data = true, .data_offset = 65534, .data = "ab"},
         VERDICT_OK,
         NULL},
        {"data past the end",
         {.entry = CODE(RETURN_NOTHING), .has_data = true, .data_offset = 65535, .data = "ab"},
         VERDICT_CONSTRUCTION,
         "out of bounds"},
        {"no data past the end",
         {.entry = CODE(RETURN_NOTHING), .has_data = true, .data_offset = 65537, .data = ""},
         VERDICT_CONSTRUCTION,
         "out of bounds"},
        {"data before the start",
         {.entry = CODE(RETURN_NOTHING), .has_data = true, .data_offset = -1, .data = "a"},
         VERDICT_CONSTRUCTION,
         "out of bounds"},
        {"65537 pages",
         {.min_pages = 65537, .entry = CODE(RETURN_NOTHING)},
         VERDICT_PREPARATION,
         NULL},
    };
    check_rows(rows, COUNT(rows), false);
}

static void exports_are_looked_up_in_order(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"no exports",
         {.memory = EXPORT_NOT, .heap = EXPORT_NOT, .function = EXPORT_NOT},
         VERDICT_INVALID,
         "Other: memory is not exported under `memory` name"},
        {"memory is a function",
         {.memory = EXPORT_ANOTHER, .heap = EXPORT_NOT, .function = EXPORT_NOT},
         VERDICT_INVALID,
         "Other: the `memory` export should have memory type"},
        {"no heap base",
         {.heap = EXPORT_NOT, .function = EXPORT_NOT},
         VERDICT_INVALID,
         "Other: __heap_base is not found"},
        {"heap base is a memory",
         {.heap = EXPORT_ANOTHER, .function = EXPORT_NOT},
         VERDICT_INVALID,
         "Other: __heap_base is not a global"},
        {"heap base is an i64",
         {.heap = EXPORT_OTHER_TYPE, .function = EXPORT_NOT},
         VERDICT_INVALID,
         "Other: __heap_base is not a i32"},
        {"no entry",
         {.function = EXPORT_NOT},
         VERDICT_INVALID,
         "Other: Exported method validate_block is not found"},
        {"entry is a memory",
         {.function = EXPORT_ANOTHER},
         VERDICT_INVALID,
         "Other: Export validate_block is not a function"},
        {"entry has another type",
         {.function = EXPORT_OTHER_TYPE},
         VERDICT_INVALID,
         "Other: Exported function 'validate_block' has invalid signature."},
        {"a trapping start comes before",
         {.memory = EXPORT_NOT, .start = CODE(0x00)},
         VERDICT_CONSTRUCTION,
         NULL},
    };
    check_rows(rows, COUNT(rows), false);
}

static void the_call_ends_in_one_of_two_ways(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"trap",
         {.entry = CODE(0x00)},
         VERDICT_INVALID,
         "Execution aborted due to trap: wasm trap: wasm `unreachable` instruction executed\nWASM "
         "backtrace:\nerror while executing at wasm backtrace:\n"},
        {"load past the end",
         {.entry = CODE(0x41, 0x7f, 0x28, 2, 0, 0x1a, RETURN_NOTHING)},
         VERDICT_INVALID,
         "wasm trap: out of bounds memory access"},
        {"no bytes at the very end", /* i64.const 65536 */
         {.entry = CODE(0x42, 0x80, 0x80, 4)},
         VERDICT_OK,
         NULL},
        {"no bytes past the end", /* i64.const 65537 */
         {.entry = CODE(0x42, 0x81, 0x80, 4)},
         VERDICT_INVALID,
         "Output exceeds bounds of wasm memory"},
        {"all bytes and more: i64.const -1",
         {.entry = CODE(0x42, 0x7f)},
         VERDICT_INVALID,
         "Output exceeds bounds of wasm memory"},
        {"heap base of -1 wraps to 0",
         {.heap_base = -1,
          .entry = CODE(0x20, 0, 0x41, 8, 0x47, 0x04, 0x40, 0x00, 0x0b, RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"heap base above the limit",
         {.heap_base = 136314881, .entry = CODE(RETURN_NOTHING)},
         VERDICT_INVALID,
         "Allocator ran out of space"},
        {"malloc of 32 MiB and a byte: i32.const 33554433",
         {.imports = {{"env", "ext_allocator_malloc_version_1", TYPE_I32_I32, false}},
          .entry = CODE(0x41, 0x81, 0x80, 0x80, 0x10, 0x10, 0, 0x1a, RETURN_NOTHING)},
         VERDICT_INVALID,
         "host code panicked while being called by the runtime: Failed to allocate memory: "
         "\"Requested allocation size is too large\""},
        {"malloc of 32 MiB, which grows the memory, and a write there",
         {.imports = {{"env", "ext_allocator_malloc_version_1", TYPE_I32_I32, false}},
          .entry =
              CODE(0x41, 0x80, 0x80, 0x80, 0x10, 0x10, 0, 0x41, 0, 0x36, 2, 0, RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"double free",
         {.imports = {{"env", "ext_allocator_free_version_1", TYPE_I32, false}},
          .entry = CODE(0x20, 0, 0x10, 0, 0x20, 0, 0x10, 0, RETURN_NOTHING)},
         VERDICT_INVALID,
         "the allocation points to an empty header"},
        {"a host function reads what the guest has grown: its second page",
         {.imports = {{"env", "ext_hashing_twox_64_version_1", TYPE_RW_I32, false}},
          .entry = CODE(0x41,
                        1,
                        0x40,
                        0,
                        0x1a,
                        0x42,
                        0x80,
                        0x80,
                        0x84,
                        0x80,
                        0x80,
                        0x80,
                        0xc0,
                        0,
                        0x10,
                        0,
                        0x1a,
                        RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"a host function reads a page that the guest has not",
         {.imports = {{"env", "ext_hashing_twox_64_version_1", TYPE_RW_I32, false}},
          .entry = CODE(
              0x42, 0x80, 0x80, 0x84, 0x80, 0x80, 0x80, 0xc0, 0, 0x10, 0, 0x1a, RETURN_NOTHING)},
         VERDICT_INVALID,
         "Other: memory read is out of bounds"},
        {"malloc in what the guest has grown does not grow it: memory.size stays 4",
         {.imports = {{"env", "ext_allocator_malloc_version_1", TYPE_I32_I32, false}},
          .entry = CODE(0x41,
                        3,
                        0x40,
                        0,
                        0x1a,
                        0x41,
                        0x80,
                        0x80,
                        4,
                        0x10,
                        0,
                        0x1a,
                        0x3f,
                        0,
                        0x41,
                        4,
                        0x47,
                        0x04,
                        0x40,
                        0x00,
                        0x0b,
                        RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"malloc beyond what the guest has grown doubles that: memory.size is 6",
         {.imports = {{"env", "ext_allocator_malloc_version_1", TYPE_I32_I32, false}},
          .entry = CODE(0x41,
                        2,
                        0x40,
                        0,
                        0x1a,
                        0x41,
                        0x80,
                        0x80,
                        0x10,
                        0x10,
                        0,
                        0x1a,
                        0x3f,
                        0,
                        0x41,
                        6,
                        0x47,
                        0x04,
                        0x40,
                        0x00,
                        0x0b,
                        RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"the result lies in what the guest has grown: no bytes at the end of the second page",
         {.entry = CODE(0x41, 1, 0x40, 0, 0x1a, 0x42, 0x80, 0x80, 8)},
         VERDICT_OK,
         NULL},
        {"growth up to the limit: memory.grow 2079 is 1",
         {.entry = CODE(
              0x41, 0x9f, 0x10, 0x40, 0, 0x41, 1, 0x47, 0x04, 0x40, 0x00, 0x0b, RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"growth beyond the limit: memory.grow 2080 is -1",
         {.entry = CODE(
              0x41, 0xa0, 0x10, 0x40, 0, 0x41, 0x7f, 0x47, 0x04, 0x40, 0x00, 0x0b, RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
    };
    check_rows(rows, COUNT(rows), false);
}

/* Warming up reaches beyond the end of memory; the guest does not, and grows into zeros. */
static void memory_ends_where_it_ends(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"a load right behind the end: i32.load8_u 65536",
         {.entry = CODE(0x41, 0x80, 0x80, 4, 0x2d, 0, 0, 0x1a, RETURN_NOTHING)},
         VERDICT_INVALID,
         "wasm trap: out of bounds memory access"},
        {"a store there: i32.store8 65536 1",
         {.entry = CODE(0x41, 0x80, 0x80, 4, 0x41, 1, 0x3a, 0, 0, RETURN_NOTHING)},
         VERDICT_INVALID,
         "wasm trap: out of bounds memory access"},
        {"a load behind what has grown: memory.grow 1, i32.load8_u 131072",
         {.entry =
              CODE(0x41, 1, 0x40, 0, 0x1a, 0x41, 0x80, 0x80, 8, 0x2d, 0, 0, 0x1a, RETURN_NOTHING)},
         VERDICT_INVALID,
         "wasm trap: out of bounds memory access"},
        {"zeros in what has grown: memory.grow 1, i32.load8_u 65536 is 0",
         {.entry = CODE(0x41,
                        1,
                        0x40,
                        0,
                        0x1a,
                        0x41,
                        0x80,
                        0x80,
                        4,
                        0x2d,
                        0,
                        0,
                        0x04,
                        0x40,
                        0x00,
                        0x0b,
                        RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"the same with a heap, a stack and data, all of which are warmed up",
         {.min_pages = 18,
          .heap_base = 1100000,
          .has_data = true,
          .data_offset = 1048576,
          .data = "data",
          /* i32.load8_u 1179648 */
          .entry = CODE(0x41, 0x80, 0x80, 0xc8, 0, 0x2d, 0, 0, 0x1a, RETURN_NOTHING)},
         VERDICT_INVALID,
         "wasm trap: out of bounds memory access"},
        {"data is what it was: i32.load8_u 1048576 is 'd'",
         {.min_pages = 18,
          .heap_base = 1100000,
          .has_data = true,
          .data_offset = 1048576,
          .data = "data",
          .entry = CODE(0x41,
                        0x80,
                        0x80,
                        0xc0,
                        0,
                        0x2d,
                        0,
                        0,
                        0x41,
                        0xe4,
                        0,
                        0x47,
                        0x04,
                        0x40,
                        0x00,
                        0x0b,
                        RETURN_NOTHING)},
         VERDICT_OK,
         NULL},
        {"a heap at the very end of what there may be",
         {.min_pages = 2080, .heap_base = 136314879, .entry = CODE(RETURN_NOTHING)},
         VERDICT_INVALID,
         NULL},
        {"a heap base beyond memory",
         {.heap_base = 0x7fffffff, .entry = CODE(RETURN_NOTHING)},
         VERDICT_INVALID,
         NULL},
    };
    check_rows(rows, COUNT(rows), false);
}

static void input_and_output_arrive_whole(void **state)
{
    (void)state;
    const struct builder echo = {.heap_base = 1000, .entry = CODE(RETURN_INPUT)};
    static const uint8_t input[] = "twelve bytes";
    struct harness_options options = {.rewrite = true, .input = {input, 12}};
    struct harness_result result;
    harness_run(&echo, &options, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
    assert_int_equal(result.output_len, 12);
    assert_memory_equal(result.output, input, 12);
    options.input.len = 0;
    harness_run(&echo, &options, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
    assert_int_equal(result.output_len, 0);
}

/* Around the lengths from which pages are made beforehand, and made huge. */
static void large_inputs_arrive_whole(void **state)
{
    (void)state;
    static const size_t lens[] = {65535, 65536, 65537, 4194303, 4194304, 4194305, 9000001};
    const struct builder echo = {.heap_base = 100000, .entry = CODE(RETURN_INPUT)};
    const size_t most = lens[COUNT(lens) - 1];
    uint8_t *input = malloc(most);
    assert_non_null(input);
    for (size_t i = 0; i < most; i++) {
        input[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < 2 * COUNT(lens); i++) {
        struct harness_options options = {
            .rewrite = true, .warm = i % 2 != 0, .input = {input, lens[i / 2]}};
        struct harness_result result;
        harness_run(&echo, &options, &result);
        assert_int_equal(result.verdict, VERDICT_OK);
        assert_true(result.is_input);
    }
    free(input);
}

static void the_largest_input_is_32_mib(void **state)
{
    (void)state;
    const struct builder echo = {.heap_base = 1000, .entry = CODE(RETURN_INPUT)};
    const size_t most = 33554432;
    uint8_t *input = calloc(1, most + 1);
    assert_non_null(input);
    struct harness_options options = {.rewrite = true, .input = {input, most}};
    struct harness_result result;
    harness_run(&echo, &options, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
    assert_int_equal(result.output_len, most);
    options.input.len = most + 1;
    harness_run(&echo, &options, &result);
    assert_int_equal(result.verdict, VERDICT_INVALID);
    assert_string_equal(result.text, "Requested allocation size is too large");
    free(input);
}

static void the_page_limit_is_a_parameter(void **state)
{
    (void)state;
    struct builder module = {.min_pages = 34, .entry = CODE(RETURN_NOTHING)};
    struct harness_options options = {.rewrite = true, .max_pages = 34};
    struct harness_result result;
    harness_run(&module, &options, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
    module.min_pages = 35;
    harness_run(&module, &options, &result);
    assert_int_equal(result.verdict, VERDICT_CONSTRUCTION);
    /* The largest values of the parameter give limits above what Wasm has. */
    module.min_pages = 65536;
    options.max_pages = 65568;
    harness_run(&module, &options, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
    options.warm = true;
    harness_run(&module, &options, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
    options.max_pages = UINT64_MAX;
    harness_run(&module, &options, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
}

/* A guest without metering uses up the native stack: the trap, not a crash, whatever its size. */
static void a_used_up_stack_is_a_trap(void **state)
{
    (void)state;
    /* validate_block calls itself. */
    const struct builder deep = {.entry = CODE(0x20, 0, 0x20, 1, 0x10, 0)};
    const uint32_t sizes[] = {1, 65536, 1u << 20, PVF__ENGINE_NATIVE_STACK_DEFAULT};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct harness_options options = {.native_stack_max = sizes[i]};
        struct harness_result result;
        harness_run(&deep, &options, &result);
        assert_int_equal(result.verdict, VERDICT_INVALID);
        assert_non_null(
            strstr(result.text, "aborted due to trap: wasm trap: call stack exhausted"));
    }
    struct harness_options metered = {.rewrite = true};
    struct harness_result result;
    /* The largest parameter is served, too. */
    const struct builder shallow = {.entry = CODE(RETURN_NOTHING)};
    struct harness_options most = {.native_stack_max = UINT32_MAX};
    harness_run(&shallow, &most, &result);
    assert_int_equal(result.verdict, VERDICT_OK);
    harness_run(&deep, &metered, &result);
    assert_int_equal(result.verdict, VERDICT_INVALID);
    assert_non_null(strstr(result.text, "wasm trap: wasm `unreachable` instruction executed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imports_are_linked_as_the_reference_links_them),
        cmocka_unit_test(rfc_163_functions_exist_only_with_the_parameter),
        cmocka_unit_test(the_start_function_has_no_memory_on_the_host_side),
        cmocka_unit_test(instantiation_has_its_own_class),
        cmocka_unit_test(exports_are_looked_up_in_order),
        cmocka_unit_test(the_call_ends_in_one_of_two_ways),
        cmocka_unit_test(memory_ends_where_it_ends),
        cmocka_unit_test(input_and_output_arrive_whole),
        cmocka_unit_test(large_inputs_arrive_whole),
        cmocka_unit_test(the_largest_input_is_32_mib),
        cmocka_unit_test(the_page_limit_is_a_parameter),
        cmocka_unit_test(a_used_up_stack_is_a_trap),
    };
    return cmocka_run_group_tests(tests, harness_setup, NULL);
}
