/* SPDX-License-Identifier: Apache-2.0 */
/* The summary of a blob, with names that try to harm a terminal. */
#include "support/test.h"

#include "pvf/status.h"
#include "support/wasm_answers.h"
#include "support/wasm_parts.h"
#include "wasm/wasm_inspect.h"

static struct pvf__wasm_summary summarize(const struct wasm_parts *parts)
{
    struct pvf__buf blob = PVF__BUF_INIT(1 << 16);
    wasm_parts_write(&blob, parts);
    struct pvf__wasm_summary summary;
    struct pvf__wasm_fault fault;
    if (pvf__wasm_summarize(blob.data, blob.len, &summary, &fault) != 0) {
        fail_msg("%s", fault.text);
    }
    pvf__buf_done(&blob);
    return summary;
}

static void a_plain_module_is_described(void **state)
{
    (void)state;
    struct hex_bytes input = hex_read(wasm_answers[2].input);
    struct pvf__wasm_summary summary;
    struct pvf__wasm_fault fault;
    assert_int_equal(pvf__wasm_summarize(input.data, input.len, &summary, &fault), 0);
    assert_int_equal(summary.types, 4);
    assert_int_equal(summary.imported_functions, 1);
    assert_int_equal(summary.functions, 4);
    assert_int_equal(summary.tables, 1);
    assert_int_equal(summary.globals, 1);
    assert_int_equal(summary.element_segments, 1);
    assert_true(summary.has_memory);
    assert_false(summary.memory_imported);
    assert_int_equal(summary.memory_min, 17);
    assert_true(summary.has_start);
    assert_int_equal(summary.start, 2);
    assert_true(summary.costs_known);
    assert_int_equal(summary.largest_cost, 6);
    assert_int_equal(summary.largest_cost_function, 3);
    assert_int_equal(summary.cost_sum, 13);
    assert_int_equal(summary.import_count, 1);
    assert_string_equal(summary.imports[0].module, "env");
    assert_string_equal(summary.imports[0].name, "h");
    assert_string_equal(summary.imports[0].kind, "function");
    assert_string_equal(summary.imports[0].type, "()");
    assert_int_equal(summary.export_count, 3);
    assert_string_equal(summary.exports[2].name, "validate_block");
    assert_string_equal(summary.exports[2].type, "(i32, i32) -> i64");
    assert_true(summary.exports_memory);
    assert_true(summary.exports_heap_base);
    assert_true(summary.exports_validate_block);
    assert_string_equal(summary.heap_base_type, "i32");
    assert_string_equal(summary.validate_block_type, "(i32, i32) -> i64");
    assert_int_equal(summary.sections[0].offset, 8);
    assert_string_equal(summary.sections[0].kind, "type");
    pvf__wasm_summary_done(&summary);
    assert_null(summary.imports);
}

static void names_are_made_harmless(void **state)
{
    (void)state;
    const struct wasm_parts parts = {
        .custom = "07 1b5d 00 c29b 5c 61 6262",
        .import = "02 0165 066d656d6f7279 02 01 02 03 0165 0167 03 7e 01",
        .export = "01 02 c3a9 03 00",
    };
    struct pvf__wasm_summary summary = summarize(&parts);
    assert_string_equal(summary.sections[0].name, "\\x1b]\\x00\\xc2\\x9b\\x5ca");
    assert_int_equal(summary.sections[0].size, 10);
    assert_string_equal(summary.imports[0].type, "min 2 max 3");
    assert_string_equal(summary.imports[1].type, "mut i64");
    assert_true(summary.memory_imported);
    assert_true(summary.exports_memory);
    assert_false(summary.exports_validate_block);
    assert_string_equal(summary.exports[0].name, "\xc3\xa9");
    assert_string_equal(summary.exports[0].type, "mut i64");
    pvf__wasm_summary_done(&summary);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    const struct wasm_parts parts = {
        .type = "01 60 1a 7f*26 01 7c",
        .import = "02 0165 9203 c3a9*1 61*400 00 00 00 c801 41*200 00 07",
    };
    struct pvf__wasm_summary summary = summarize(&parts);
    assert_int_equal(strlen(summary.imports[0].name), 256 + 3);
    assert_string_equal(summary.imports[0].name + 254, "aa...");
    assert_non_null(strstr(summary.imports[0].type, ", ...) -> f64"));
    assert_int_equal(strlen(summary.imports[1].name), 200);
    assert_string_equal(summary.imports[1].type, "type 7, which does not exist");
    pvf__wasm_summary_done(&summary);
}

static void a_refusal_of_the_limiter_is_a_finding(void **state)
{
    (void)state;
    const struct wasm_parts parts = {
        .type = "01 600000", .function = "0100", .bodies = {"00 1a1a1a 0b"}};
    struct pvf__wasm_summary summary = summarize(&parts);
    assert_false(summary.costs_known);
    assert_int_equal(summary.cost_fault.stage, PVF__WASM_PREPARATION);
    assert_int_equal(summary.largest_body, 5);
    pvf__wasm_summary_done(&summary);

    const uint8_t nothing[] = {0};
    struct pvf__wasm_fault fault;
    assert_int_equal(pvf__wasm_summarize(nothing, 0, &summary, &fault), PVF_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_module_is_described),
        cmocka_unit_test(names_are_made_harmless),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(a_refusal_of_the_limiter_is_a_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
