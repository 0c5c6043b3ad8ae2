/* SPDX-License-Identifier: Apache-2.0 */
/* Rewriting: recorded answers, the callee form, order of sections, encodings. */
#include "support/test.h"

#include "pvf/status.h"
#include "support/wasm_answers.h"
#include "support/wasm_parts.h"
#include "wasm/wasm_rewrite.h"

#define LIMIT 65536

static struct pvf__buf blob;
static struct pvf__buf output;

static int set_up(void **state)
{
    (void)state;
    pvf__buf_init(&blob, 1 << 24);
    pvf__buf_init(&output, 1 << 28);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pvf__buf_done(&blob);
    pvf__buf_done(&output);
    return 0;
}

static void rewrite(enum pvf__wasm_form form, uint32_t limit)
{
    struct pvf__wasm_fault fault;
    output.len = 0;
    if (pvf__wasm_rewrite(blob.data, blob.len, limit, form, &output, &fault) != 0) {
        fail_msg("%s", fault.text);
    }
}

static void expect_output(const char *what, const char *hex)
{
    struct hex_bytes expected = hex_read(hex);
    if (output.len != expected.len || memcmp(output.data, expected.data, expected.len) != 0) {
        for (size_t i = 0; i < output.len; i++) {
            (void)printf("%02x", output.data[i]);
        }
        fail_msg("\n%s: another output", what);
    }
}

/* Rewrites `parts` and compares with a module of `expected`. */
static void expect_parts(enum pvf__wasm_form form,
                         uint32_t limit,
                         const struct wasm_parts *parts,
                         const struct wasm_parts *expected)
{
    blob.len = 0;
    wasm_parts_write(&blob, parts);
    rewrite(form, limit);
    blob.len = 0;
    wasm_parts_write(&blob, expected);
    if (output.len != blob.len || memcmp(output.data, blob.data, blob.len) != 0) {
        for (size_t i = 0; i < output.len; i++) {
            (void)printf("%02x", output.data[i]);
        }
        (void)printf("\n");
        for (size_t i = 0; i < blob.len; i++) {
            (void)printf("%02x", blob.data[i]);
        }
        fail_msg("\nanother output");
    }
}

static void recorded_answers_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wasm_answers) / sizeof(wasm_answers[0]); i++) {
        struct hex_bytes input = hex_read(wasm_answers[i].input);
        blob.len = 0;
        assert_int_equal(pvf__buf_append(&blob, input.data, input.len), 0);
        rewrite(PVF__WASM_CALL_SITE, LIMIT);
        expect_output(wasm_answers[i].what, wasm_answers[i].output);
    }
}

#define CHARGE(cost) "2300 41" cost "6a 2400 2300 41808004 4b 0440 00 0b"
#define GIVE_BACK(cost) "2300 41" cost "6b 2400"
#define COUNTER "01 7f 01 4100 0b"

static void callee_form_wraps_each_body(void **state)
{
    (void)state;
    /* Returns at both depths, a br_table to the function's label. */
    const struct wasm_parts parts = {
        .type = "02 600000 60017f017f",
        .function = "03 00 01 01",
        .export = "01 0166 00 01",
        .start = "00",
        .bodies = {"00 0b",
                   "00 2000 0440 4105 0f 0b 2000 1002 0f 0b",
                   "01 017e 027f 2000 2000 0e0100 01 0b 0b"},
    };
    const struct wasm_parts expected = {
        .type = parts.type,
        .function = parts.function,
        .global = COUNTER,
        .export = parts.export,
        .start = parts.start,
        .bodies =
            {"00" CHARGE("02") "0240 0b" GIVE_BACK("02") "0b",
             "00" CHARGE("03") "027f 2000 0440 4105 0c01 0b 2000 1002 0c00 0b" GIVE_BACK("03") "0b",
             "01 017e" CHARGE("05") "027f 027f 2000 2000 0e0100 01 0b 0b" GIVE_BACK("05") "0b"},
    };
    expect_parts(PVF__WASM_CALLEE, LIMIT, &parts, &expected);
}

static void limit_and_cost_are_written_signed(void **state)
{
    (void)state;
    const struct wasm_parts parts = {
        .type = "01 600000", .function = "0100", .bodies = {"01 fdffffff0f7f 0b"}};
    const struct wasm_parts expected = {
        .type = parts.type,
        .function = parts.function,
        .global = COUNTER,
        .bodies = {"01 fdffffff0f7f 2300 417f 6a 2400 2300 418080808078 4b 0440 00 0b 0240 0b"
                   "2300 417f 6b 2400 0b"},
    };
    expect_parts(PVF__WASM_CALLEE, UINT32_C(1) << 31, &parts, &expected);
}

/* The counter is the number of own globals, so with imported ones the reference names another. */
static void imported_globals_get_the_reference_form(void **state)
{
    (void)state;
    const struct wasm_parts parts = {
        .type = "01 600000",
        .import = "01 0165 0167 03 7f 01",
        .function = "0100",
        .export = "01 0166 00 00",
        .bodies = {"00 0b"},
    };
    const struct wasm_parts expected = {
        .type = parts.type,
        .import = parts.import,
        .function = "02 00 00",
        .global = COUNTER,
        .export = "01 0166 00 01",
        .bodies = {"00 0b", "00" CHARGE("02") "1000" GIVE_BACK("02") "0b"},
    };
    expect_parts(PVF__WASM_CALLEE, LIMIT, &parts, &expected);
    expect_parts(PVF__WASM_CALL_SITE, LIMIT, &parts, &expected);
}

/*
 * Flags 2: an engine reads table 0, offset 0, kind 0 and one function, 0.  The first grammar
 * reads a segment of table 2 without members, and then one of table 1: `unreachable; end`, no
 * members.  Only the reference's bytes have the reference's meaning: no thunk for the function.
 */
static void odd_segments_get_the_reference_form(void **state)
{
    (void)state;
    const struct wasm_parts parts = {
        .type = "01 600000",
        .function = "0100",
        .table = "01 70 00 01",
        .element = "01 02 00 4100 0b 00",
        .bodies = {"00 0b"},
    };
    const struct wasm_parts expected = {
        .type = parts.type,
        .function = parts.function,
        .table = parts.table,
        .global = COUNTER,
        .element = parts.element,
        .bodies = {"00 0b"},
    };
    expect_parts(PVF__WASM_CALLEE, LIMIT, &parts, &expected);
}

static void everything_is_written_shortest(void **state)
{
    (void)state;
    const struct wasm_parts parts = {
        .custom = "8200 6162 ff",
        .type = "8100 60 8100 7f 8100 7e",
        .function = "8100 8000",
        .table = "8100 70 01 8100 8200",
        .memory = "8100 01 8100 8200",
        .global = "8100 7e 00 428000 0b",
        .export = "8100 8100 66 00 8000",
        .element = "8100 8000 418000 0b 8100 8000",
        .bodies = {"8100 8300 7f 02c07f 41ff7f 1a 0c8000 0b 2080001a 42ff7f 1a 4100 288200 8000 1a"
                   "0240 4100 0e8100 8000 8000 0b 2000 1080 00 0b"},
        .data = "8100 8000 418000 0b 8100 aa",
    };
    const struct wasm_parts expected = {
        .type = "01 60 01 7f 01 7e",
        .function = "02 00 00",
        .table = "01 70 01 01 02",
        .memory = "01 00 01",
        .global = "02 7e 00 4200 0b 7f 01 4100 0b",
        .export = "01 01 66 00 01",
        .element = "01 00 4100 0b 01 01",
        .bodies = {"01 03 7f 0240 417f 1a 0c00 0b 2000 1a 427f 1a 4100 280200 1a"
                   "0240 4100 0e01 00 00 0b 2000"
                   "2301 4106 6a 2401 2301 41808004 4b 0440 00 0b 1000 2301 4106 6b 2401 0b",
                   "00 2000 2301 4106 6a 2401 2301 41808004 4b 0440 00 0b 1000 2301 4106 6b 2401"
                   "0b"},
        .data = "01 00 4100 0b 01 aa",
        .trailing = "00 04 02 6162 ff",
    };
    expect_parts(PVF__WASM_CALL_SITE, LIMIT, &parts, &expected);
}

/* Without start, elements, code and data a made export section stands before the data count. */
static void made_sections_stand_where_the_reference_puts_them(void **state)
{
    (void)state;
    const struct wasm_parts counted = {
        .custom = "0161",
        .import = "01 0165 016d 02 01 02 03",
        .data_count = "00",
        .trailing = "00 03 0162 ee",
    };
    const struct wasm_parts counted_expected = {
        .import = "00",
        .memory = "01 00 02",
        .global = COUNTER,
        .trailing = "00 03 0162 ee 07 05 01 016d 02 00 0c 01 00 00 02 0161",
    };
    expect_parts(PVF__WASM_CALLEE, LIMIT, &counted, &counted_expected);

    const struct wasm_parts plain = {
        .custom = "0161", .import = "01 0165 016d 02 00 02", .trailing = "00 03 0162 ee"};
    const struct wasm_parts plain_expected = {
        .import = "00",
        .memory = "01 00 02",
        .global = COUNTER,
        .trailing = "00 03 0162 ee 00 02 0161 07 05 01 016d 02 00",
    };
    expect_parts(PVF__WASM_CALLEE, LIMIT, &plain, &plain_expected);

    const struct wasm_parts followed = {.import = "01 0165 016d 02 00 02",
                                        .data = "01 00 4100 0b 01 aa"};
    const struct wasm_parts followed_expected = {
        .import = "00",
        .memory = "01 00 02",
        .global = COUNTER,
        .export = "01 016d 02 00",
        .data = followed.data,
    };
    expect_parts(PVF__WASM_CALLEE, LIMIT, &followed, &followed_expected);
}

static void empty_sections_go(void **state)
{
    (void)state;
    const struct wasm_parts parts = {
        .type = "00",
        .import = "00",
        .function = "00",
        .table = "00",
        .memory = "00",
        .global = "00",
        .export = "00",
        .element = "00",
        .data = "00",
        .trailing = "",
    };
    const struct wasm_parts expected = {.global = COUNTER};
    expect_parts(PVF__WASM_CALLEE, LIMIT, &parts, &expected);
}

static void output_is_as_before_after_a_failure(void **state)
{
    (void)state;
    struct hex_bytes input = hex_read(wasm_answers[0].input);
    struct pvf__wasm_fault fault;
    struct pvf__buf small = PVF__BUF_INIT(40);
    assert_int_equal(pvf__buf_append(&small, "abc", 3), 0);
    assert_int_equal(
        pvf__wasm_rewrite(input.data, input.len, LIMIT, PVF__WASM_CALLEE, &small, &fault),
        PVF_ERR_LIMIT);
    assert_int_equal(fault.status, PVF_ERR_LIMIT);
    assert_int_equal(small.len, 3);
    assert_memory_equal(small.data, "abc", 3);
    pvf__buf_done(&small);

    /* Appending keeps what is there; a refusal after writing takes everything back. */
    output.len = 0;
    assert_int_equal(pvf__buf_append(&output, "abc", 3), 0);
    assert_int_equal(
        pvf__wasm_rewrite(input.data, input.len, LIMIT, PVF__WASM_CALLEE, &output, &fault), 0);
    assert_memory_equal(output.data, "abc\0asm", 7);
    const struct wasm_parts refused = {.global = "01 7f 00 4101 4102 6a 0b"};
    blob.len = 0;
    wasm_parts_write(&blob, &refused);
    output.len = 3;
    assert_int_equal(
        pvf__wasm_rewrite(blob.data, blob.len, LIMIT, PVF__WASM_CALLEE, &output, &fault),
        PVF_ERR_MALFORMED);
    assert_int_equal(output.len, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_answers_come_out),
        cmocka_unit_test(callee_form_wraps_each_body),
        cmocka_unit_test(limit_and_cost_are_written_signed),
        cmocka_unit_test(imported_globals_get_the_reference_form),
        cmocka_unit_test(odd_segments_get_the_reference_form),
        cmocka_unit_test(everything_is_written_shortest),
        cmocka_unit_test(made_sections_stand_where_the_reference_puts_them),
        cmocka_unit_test(empty_sections_go),
        cmocka_unit_test(output_is_as_before_after_a_failure),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
