/* SPDX-License-Identifier: Apache-2.0 */
/* The stack-height walk, its quirks included: a row is one function's body. */
#include "support/test.h"

#include "pvf/status.h"
#include "support/wasm_parts.h"
#include "wasm/wasm_rewrite.h"

#include <stdio.h>

/*
 * Types: 0 () -> (), 1 () -> i32, 2 (i32 i32) -> i32, 3 (i64) -> ().  Function 0 is imported and
 * of type 2, function 1 is the row's, of the type it says.
 */
struct row {
    const char *what;
    const char *type;
    const char *body;
    uint32_t cost;
    const char *refused; /* words of the refusal; NULL: the cost counts */
};

#define LIMITER(words) "Other(\"cannot inject the stack limiter: \\\"" words "\\\"\")"

static const struct row rows[] = {
    {"an empty body costs the start height", "00", "00 0b", 2, NULL},
    {"locals count, parameters do not", "02", "02 057f 037e 41000b", 11, NULL},
    {"a constant", "01", "00 41000b", 3, NULL},
    {"operands under a call", "01", "00 4101 4102 1000 0b", 4, NULL},
    {"height is seen before an instruction", "00", "00 410141021a1a0b", 4, NULL},
    {"nothing is seen behind unreachable", "00", "00 00 4101410141011a1a1a0b", 2, NULL},
    {"a block in dead code is seen", "00", "00 00 02404101410141011a1a1a0b0b", 5, NULL},
    {"else resets nothing", "01", "00 4101 047f 4101 05 4101 0b 0b", 4, NULL},
    {"a branch leaves the height of the frame behind",
     "01",
     "00 027f 4101 4102 0c00 0b 0b",
     4,
     NULL},
    {"br_if keeps its operand", "01", "00 027f 4101 4100 0d00 0b 0b", 4, NULL},
    {"a loop takes no operands", "00", "00 0340 4100 0d00 0b 0b", 3, NULL},
    {"br_table does not pop its own operand", "00", "00 0240 4100 0e0100 00 0b 0b", 3, NULL},
    {"return takes the result", "01", "00 4101 0f 0b", 3, NULL},
    {"select", "01", "00 410141024103 1b 0b", 5, NULL},
    {"stores take two", "00", "00 4100 4100 360200 0b", 4, NULL},
    {"call_indirect takes its index too", "01", "00 4101 4102 4103 1102 00 0b", 5, NULL},
    {"two operands are there from the start", "00", "00 1a 1a 0b", 2, NULL},
    {"and no third", "00", "00 1a 1a 1a 0b", 0, LIMITER("trying to pop more values than pushed")},
    {"valid dead code may underflow", "00", "00 00 6a 6a 1a 0b", 0, LIMITER("stack underflow")},
    {"or may not", "00", "00 00 4101 6a 6a 1a 0b", 2, NULL},
    {"dead code may fall below its frame", "00", "00 0240 00 41016a1a 0b 0b", 2, NULL},
    {"a value too few at the bottom", "00", "00 1a 6a 0b", 0, LIMITER("stack underflow")},
    {"empty block", "00", "00 0240 1a 0b 0b", 0, LIMITER("trying to pop more values than pushed")},
    {"targets of different arity",
     "01",
     "00 027f 0240 4101 4100 0e0100 01 0b 41000b 0b",
     0,
     LIMITER("Arity of all jump-targets must be equal")},
    {"a label that is not there", "00", "00 0c01 0b", 0, LIMITER("control stack out-of-bounds")},
    {"a function that is not there",
     "00",
     "00 1002 0b",
     0,
     LIMITER("Function at the specified index is not defined")},
    {"a type that is not there", "00", "00 4100 1109 00 0b", 0, LIMITER("Type not found")},
    {"the function's own type is not there",
     "09",
     "00 0b",
     0,
     LIMITER("Function is not found in func section")},
    {"all locals there can be",
     "00",
     "01 ffffffff0f7f 0b",
     0,
     LIMITER("Overflow in adding locals_count and max_stack_height")},
    {"the largest cost", "00", "01 fdffffff0f7f 0b", UINT32_MAX, NULL},
};

static void each_body_has_its_cost(void **state)
{
    (void)state;
    struct pvf__buf blob = PVF__BUF_INIT(1 << 16);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char function[8];
        (void)snprintf(function, sizeof(function), "01%s", rows[i].type);
        const struct wasm_parts parts = {
            .type = "04 600000 6000017f 60027f7f017f 60017e00",
            .import = "01 0165 0166 0002",
            .function = function,
            .bodies = {rows[i].body},
        };
        blob.len = 0;
        wasm_parts_write(&blob, &parts);
        struct pvf__wasm_fault fault = {.text = ""};
        uint32_t *costs = NULL;
        size_t count = 0;
        int status = pvf__wasm_costs(blob.data, blob.len, &costs, &count, &fault);
        if (rows[i].refused == NULL) {
            if (status != 0 || count != 2 || costs[0] != 0 || costs[1] != rows[i].cost) {
                fail_msg(
                    "%s: %d %s %u", rows[i].what, status, fault.text, costs != NULL ? costs[1] : 0);
            }
            free(costs);
        } else {
            if (status != PVF_ERR_MALFORMED || strcmp(fault.text, rows[i].refused) != 0) {
                fail_msg("%s: %d %s", rows[i].what, status, fault.text);
            }
            assert_int_equal(fault.stage, PVF__WASM_PREPARATION);
            assert_null(costs);
        }
    }
    pvf__buf_done(&blob);
}

static void functions_without_types_are_refused(void **state)
{
    (void)state;
    struct pvf__buf blob = PVF__BUF_INIT(1 << 16);
    const struct wasm_parts parts = {.function = "0100", .bodies = {"00 0b"}};
    wasm_parts_write(&blob, &parts);
    struct pvf__wasm_fault fault;
    uint32_t *costs = NULL;
    size_t count = 0;
    assert_int_equal(pvf__wasm_costs(blob.data, blob.len, &costs, &count, &fault),
                     PVF_ERR_MALFORMED);
    assert_string_equal(fault.text, LIMITER("No type section"));
    pvf__buf_done(&blob);
}

/* The control stack grows on the heap, and not by recursion. */
static void deep_nesting_is_only_memory(void **state)
{
    (void)state;
    const uint32_t depth = 1000000;
    struct pvf__buf blob = PVF__BUF_INIT(1 << 24);
    const struct wasm_parts parts = {.type = "01 600000", .function = "0100"};
    wasm_parts_write(&blob, &parts);
    (void)pvf__buf_u8(&blob, 10);
    size_t section = pvf__wasm_emit_open(&blob);
    (void)pvf__buf_u8(&blob, 1);
    size_t body = pvf__wasm_emit_open(&blob);
    (void)pvf__buf_u8(&blob, 0);
    for (uint32_t i = 0; i < depth; i++) {
        (void)pvf__buf_append(&blob, (const uint8_t[]){0x02, 0x40}, 2);
    }
    for (uint32_t i = 0; i < depth + 1; i++) {
        (void)pvf__buf_u8(&blob, 0x0B);
    }
    pvf__wasm_emit_close(&blob, body);
    pvf__wasm_emit_close(&blob, section);
    assert_int_equal(blob.failed, 0);
    struct pvf__wasm_fault fault;
    uint32_t *costs = NULL;
    size_t count = 0;
    assert_int_equal(pvf__wasm_costs(blob.data, blob.len, &costs, &count, &fault), 0);
    assert_int_equal(count, 1);
    assert_int_equal(costs[0], 2);
    free(costs);
    pvf__buf_done(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_body_has_its_cost),
        cmocka_unit_test(functions_without_types_are_refused),
        cmocka_unit_test(deep_nesting_is_only_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
