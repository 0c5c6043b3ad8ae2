/* SPDX-License-Identifier: Apache-2.0 */
/* At which stage a module is refused, and which feature it is told to have needed. */
#include "support/test.h"

#include "pvf/status.h"
#include "support/wasm_parts.h"
#include "wasm/wasm_rewrite.h"

#define LIMIT 65536

enum outcome {
    FINE,
    FIRST,
    SECOND
};

struct row {
    const char *what;
    enum outcome outcome;
    const char *feature;
    struct wasm_parts parts;
};

/* A module of one function of type () -> (), by its body. */
#define BODY(hex)                                                                                  \
    {                                                                                              \
        .type = "01 600000", .function = "0100", .bodies = { hex }                                 \
    }

static const struct row rows[] = {
    {"nothing at all", FINE, "", {.type = NULL}},
    {"sign extension", FIRST, "sign-extension", BODY("00 4100 c0 1a 0b")},
    {"saturating conversion", FIRST, "saturating float-to-int", BODY("00 4300000000 fc00 1a 0b")},
    {"memory.copy", FIRST, "bulk memory", BODY("00 410041004100 fc0a0000 0b")},
    {"table.size", FIRST, "reference types", BODY("00 fc1000 1a 0b")},
    {"SIMD", FIRST, "SIMD", BODY("00 fd0c 00*16 1a 0b")},
    {"fence", FIRST, "threads", BODY("00 fe0300 0b")},
    {"tail call", FIRST, "tail calls", BODY("00 1200 0b")},
    {"try", FIRST, "exceptions", BODY("00 0640 0b 0b")},
    {"ref.null", FIRST, "reference types", BODY("00 d070 1a 0b")},
    {"struct.new", FIRST, "GC", BODY("00 fb0000 1a 0b")},
    {"block of a type index", FIRST, "multi-value", BODY("00 0200 0b 0b")},
    {"block type over-long", FINE, "", BODY("00 02c07f 0b 0b")},
    {"block type unknown", FIRST, "", BODY("00 027b 0b 0b")},
    {"two results", FIRST, "multi-value", {.type = "01 60 00 02 7f7f"}},
    {"v128", FIRST, "SIMD", {.type = "01 60 01 7b 00"}},
    {"externref", FIRST, "reference types", {.type = "01 60 01 6f 00"}},
    {"struct type", FIRST, "GC", {.type = "01 5f 00"}},
    {"shared memory", FIRST, "threads", {.memory = "01 03 01 02"}},
    {"memory64", FIRST, "memory64", {.memory = "01 04 01"}},
    {"limits of flags 2", FIRST, "threads", {.memory = "01 02 01"}},
    {"table of externref", FIRST, "reference types", {.table = "01 6f 00 01"}},
    {"tag section", FIRST, "exceptions", {.trailing = "0d 03 01 00 00"}},
    {"section 14", FIRST, "", {.trailing = "0e 00"}},
    {"passive data", FIRST, "bulk memory", {.memory = "01 00 01", .data = "01 01 06 68656c6c6f21"}},
    {"section twice", FIRST, "", {.type = "00", .trailing = "01 01 00"}},
    {"section too late", FIRST, "", {.data = "00", .trailing = "01 01 00"}},
    {"data count behind code", FIRST, "", {.type = "00", .data = "00", .trailing = "0c 01 00"}},
    {"payload too long", FIRST, "", {.type = "00 00"}},
    {"payload too short", FIRST, "", {.type = "01 60 00"}},
    {"section cut", FIRST, "", {.trailing = "01 05 00"}},
    {"name that is no UTF-8", FIRST, "", {.custom = "02 c080"}},
    {"custom section without a name", FIRST, "", {.custom = ""}},
    {"function without a body", FIRST, "", {.type = "01 600000", .function = "0100"}},
    {"body without a function", FIRST, "", {.type = "01 600000", .bodies = {"00 0b"}}},
    {"code behind the end", FIRST, "", BODY("00 0b 0b")},
    {"no end", FIRST, "", BODY("00 01")},
    {"too many locals for 32 bits", FIRST, "", BODY("02 ffffffff0f7f 017f 0b")},
    {"import of kind 4", FIRST, "exceptions", {.import = "01 0165 0166 04 00 00"}},
    {"mutability 2", FIRST, "", {.global = "01 7f 02 4100 0b"}},

    {"limiter: underflow in dead code", SECOND, "", BODY("00 00 6a 6a 1a 0b")},
    {"limiter: 2^32 - 1 locals", SECOND, "", BODY("01 ffffffff0f7f 0b")},
    {"limiter: no such export", SECOND, "", {.export = "01 0166 00 00"}},
    {"limiter: no such start", SECOND, "", {.start = "00"}},
    {"limiter: no such element", SECOND, "", {.element = "01 00 4100 0b 01 00"}},
    {"memory imported and own",
     SECOND,
     "",
     {.import = "01 0165 016d 02 00 01", .memory = "01 00 01"}},
    {"memory imported, empty section",
     FINE,
     "",
     {.import = "01 0165 016d 02 00 01", .memory = "00"}},
    {"max below min", FINE, "", {.memory = "01 01 02 01"}},
    {"extended constant", SECOND, "", {.global = "01 7f 00 41014102 6a 0b"}},
    {"global.get of an own global", SECOND, "", {.global = "02 7f 00 4101 0b 7f 00 2300 0b"}},
    {"global.get of the counter", SECOND, "", {.global = "01 7f 00 2301 0b"}},
    {"global.get of an imported one",
     FINE,
     "",
     {.import = "01 0165 0167 03 7f 00", .global = "01 7f 00 2300 0b"}},
    {"nop in a constant", SECOND, "", {.global = "01 7f 00 01 4101 0b"}},
    {"empty constant", SECOND, "", {.global = "01 7f 00 0b"}},
    {"constants of all types",
     FINE,
     "",
     {.global = "03 7e 00 427f 0b 7d 00 43 00000000 0b 7c 00 44 00*8 0b"}},
    {"data: extended", SECOND, "", {.memory = "01 00 01", .data = "01 00 41014102 6a 0b 00"}},
    {"data: explicit memory", FINE, "", {.memory = "01 00 01", .data = "01 02 00 4100 0b 00"}},
    {"data: explicit memory, extended",
     SECOND,
     "",
     {.memory = "01 00 01", .data = "01 02 00 41004101 6a 0b 00"}},
    {"element: extended",
     SECOND,
     "",
     {.table = "01 70 00 01", .element = "01 00 41014102 6a 0b 00"}},
    {"element: expressions", SECOND, "", {.table = "01 70 00 01", .element = "01 04 4100 0b 00"}},
    {"1001 parameters", SECOND, "", {.type = "01 60 e907 7f*1001 00"}},
    {"1000 parameters", FINE, "", {.type = "01 60 e807 7f*1000 00"}},
};

static void check_row(const struct row *row, enum pvf__wasm_form form)
{
    struct pvf__buf blob = PVF__BUF_INIT(1 << 16);
    struct pvf__buf output = PVF__BUF_INIT(1 << 16);
    struct pvf__wasm_fault fault = {.text = "accepted"};
    wasm_parts_write(&blob, &row->parts);
    int status = pvf__wasm_rewrite(blob.data, blob.len, LIMIT, form, &output, &fault);
    enum outcome outcome = status == 0                              ? FINE
                           : fault.stage == PVF__WASM_PREVALIDATION ? FIRST
                                                                    : SECOND;
    if (outcome != row->outcome || (status != 0 && status != PVF_ERR_MALFORMED)) {
        fail_msg("%s: %s", row->what, fault.text);
    }
    if (outcome != FINE && strcmp(fault.feature, row->feature) != 0) {
        fail_msg("%s: feature \"%s\", %s", row->what, fault.feature, fault.text);
    }
    if (outcome == FIRST && fault.feature[0] != '\0' && fault.hint[0] == '\0') {
        fail_msg("%s: no hint", row->what);
    }
    int checked = pvf__wasm_check(blob.data, blob.len, &fault);
    assert_int_equal(checked, outcome == FIRST ? PVF_ERR_MALFORMED : 0);
    pvf__buf_done(&blob);
    pvf__buf_done(&output);
}

static void each_module_has_its_stage(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(&rows[i], PVF__WASM_CALLEE);
        check_row(&rows[i], PVF__WASM_CALL_SITE);
    }
}

static void headers_are_looked_at(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        const char *text;
        const char *feature;
    } cases[] = {
        {"",
         "Other(\"cannot deserialize module: HeapOther(\\\"I/O Error: UnexpectedEof\\\")\")",
         ""},
        {"0061736d",
         "Other(\"cannot deserialize module: HeapOther(\\\"I/O Error: UnexpectedEof\\\")\")",
         ""},
        {"0061736e01000000", "Other(\"cannot deserialize module: InvalidMagic\")", ""},
        {"50564d0001000000", "Other(\"cannot deserialize module: InvalidMagic\")", "PolkaVM"},
        {"0061736d02000000", "Other(\"cannot deserialize module: UnsupportedVersion(2)\")", ""},
        {"0061736d0d000100",
         "Other(\"cannot deserialize module: UnsupportedVersion(65549)\")",
         "component model"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hex_bytes bytes = hex_read(cases[i].bytes);
        struct pvf__wasm_fault fault;
        assert_int_equal(pvf__wasm_check(bytes.data, bytes.len, &fault), PVF_ERR_MALFORMED);
        assert_string_equal(fault.text, cases[i].text);
        assert_string_equal(fault.feature, cases[i].feature);
        assert_int_equal(fault.stage, PVF__WASM_PREVALIDATION);
    }
}

/* `functions` of them, the first exported or not: the export costs a thunk in the reference. */
static int rewrite_many(uint32_t functions, bool exported, struct pvf__wasm_fault *fault)
{
    struct pvf__buf blob = PVF__BUF_INIT(1 << 24);
    struct pvf__buf output = PVF__BUF_INIT(1 << 28);
    const struct wasm_parts parts = {.type = "01 600000"};
    wasm_parts_write(&blob, &parts);
    (void)pvf__buf_u8(&blob, 3);
    size_t section = pvf__wasm_emit_open(&blob);
    (void)pvf__wasm_leb_write_u32(&blob, functions);
    (void)pvf__buf_zeros(&blob, functions);
    pvf__wasm_emit_close(&blob, section);
    wasm_parts_section(&blob, 7, exported ? "01 0166 00 00" : NULL);
    (void)pvf__buf_u8(&blob, 10);
    section = pvf__wasm_emit_open(&blob);
    (void)pvf__wasm_leb_write_u32(&blob, functions);
    for (uint32_t i = 0; i < functions; i++) {
        (void)pvf__buf_append(&blob, (const uint8_t[]){2, 0, 0x0B}, 3);
    }
    pvf__wasm_emit_close(&blob, section);
    int status = pvf__wasm_rewrite(blob.data, blob.len, LIMIT, PVF__WASM_CALLEE, &output, fault);
    pvf__buf_done(&blob);
    pvf__buf_done(&output);
    return status;
}

static void thunks_count_as_functions(void **state)
{
    (void)state;
    struct pvf__wasm_fault fault;
    assert_int_equal(rewrite_many(1000000, false, &fault), 0);
    assert_int_equal(rewrite_many(999999, true, &fault), 0);
    assert_int_equal(rewrite_many(1000000, true, &fault), PVF_ERR_MALFORMED);
    assert_int_equal(fault.stage, PVF__WASM_PREPARATION);
    assert_int_equal(rewrite_many(1000001, false, &fault), PVF_ERR_MALFORMED);
    assert_int_equal(fault.stage, PVF__WASM_PREPARATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_module_has_its_stage),
        cmocka_unit_test(headers_are_looked_at),
        cmocka_unit_test(thunks_count_as_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
