/* SPDX-License-Identifier: Apache-2.0 */
/* Settings at their bounds, what the compiler accepts, and how its messages are worded. */
#include "support/test.h"

#include "engine/engine_compile.h"
#include "engine/engine_config.h"
#include "engine/engine_load.h"
#include "engine/engine_stack.h"
#include "engine/engine_text.h"
#include "engine_harness.h"
#include "pvf/status.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void every_native_stack_but_none_makes_an_engine(void **state)
{
    (void)state;
    const uint32_t sizes[] = {1, 65536, PVF__ENGINE_NATIVE_STACK_DEFAULT, UINT32_MAX};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (unsigned flags = 0; flags < 4; flags++) {
            const struct pvf__engine_settings settings = {
                .native_stack_max = sizes[i],
                .bulk_memory = (flags & 1) != 0,
                .compile_threads = flags / 2 * 3,
            };
            struct pvf__engine *engine = NULL;
            assert_int_equal(pvf__engine_new(&settings, &engine, NULL), 0);
            pvf__engine_delete(engine);
        }
    }
    const struct pvf__engine_settings none = {.native_stack_max = 0};
    struct pvf__engine *engine = NULL;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__engine_new(&none, &engine, &err), PVF_ERR_INVALID_ARG);
    assert_null(engine);
    assert_string_equal(err.text, "cannot create the engine: max_wasm_stack size cannot be zero");
    pvf__engine_delete(NULL);
}

static void the_description_tells_artifacts_apart(void **state)
{
    (void)state;
    struct pvf__engine_settings settings = {.native_stack_max = 1, .bulk_memory = false};
    struct pvf__buf first = PVF__BUF_INIT(8192);
    struct pvf__buf second = PVF__BUF_INIT(8192);
    assert_int_equal(pvf__engine_describe(&settings, &first), 0);
    settings.native_stack_max = 2;
    settings.compile_threads = 2;
    assert_int_equal(pvf__engine_describe(&settings, &second), 0);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    assert_non_null(memmem(first.data, first.len, "\nwasm_bulk_memory=0\n", 20));
    assert_non_null(memmem(first.data, first.len, "\ncranelift_opt_level=2\n", 23));
    pvf__buf_done(&second);
    settings.bulk_memory = true;
    assert_int_equal(pvf__engine_describe(&settings, &second), 0);
    assert_non_null(memmem(second.data, second.len, "\nwasm_bulk_memory=1\n", 20));
    pvf__buf_done(&second);
    settings.first_tier = true;
    assert_int_equal(pvf__engine_describe(&settings, &second), 0);
    assert_non_null(memmem(second.data, second.len, "\ncranelift_opt_level=0\n", 23));
    pvf__buf_done(&first);
    pvf__buf_done(&second);
    struct pvf__buf small = PVF__BUF_INIT(10);
    assert_int_equal(pvf__engine_describe(&settings, &small), PVF_ERR_LIMIT);
    pvf__buf_done(&small);
}

static int compile(const void *wasm, size_t len, bool bulk_memory, pvf_error *err)
{
    const struct pvf__engine_settings settings = {
        .native_stack_max = PVF__ENGINE_NATIVE_STACK_DEFAULT, .bulk_memory = bulk_memory};
    struct pvf__engine *engine = NULL;
    assert_int_equal(pvf__engine_new(&settings, &engine, err), 0);
    struct pvf__engine_artifact artifact = {NULL, 0};
    int status = pvf__engine_compile(engine, wasm, len, &artifact, err);
    assert_true((status == 0) == (artifact.len > 0));
    pvf__engine_artifact_done(&artifact);
    pvf__engine_delete(engine);
    return status;
}

/* Modules of one function `() -> ()` (or what the row says) that use one proposal each. */
static void proposals_are_off(void **state)
{
    (void)state;
#define HEAD "\0asm\1\0\0\0"
#define ONE_FUNCTION HEAD "\1\4\1\x60\0\0\3\2\1\0"
#define WITH_MEMORY ONE_FUNCTION "\5\3\1\0\1"
#define ROW(what, text, status, bulk_status)                                                       \
    {                                                                                              \
        what, text, sizeof(text) - 1, status, bulk_status                                          \
    }
    const int refused = PVF_ERR_MALFORMED;
    const struct {
        const char *what;
        const char *wasm;
        size_t len;
        int status;
        int bulk_status;
    } rows[] = {
        ROW("an empty module", HEAD, 0, 0),
        ROW("nothing", "", refused, refused),
        ROW("a function", ONE_FUNCTION "\x0a\4\1\2\0\x0b", 0, 0),
        /* (memory.copy (i32.const 0) (i32.const 0) (i32.const 0)) */
        ROW("bulk memory",
            WITH_MEMORY "\x0a\x0e\1\x0c\0\x41\0\x41\0\x41\0\xfc\x0a\0\0\x0b",
            refused,
            0),
        /* (type (func (result i32 i32))) */
        ROW("multi value", HEAD "\1\6\1\x60\0\2\x7f\x7f", refused, refused),
        /* (drop (v128.const 0)) */
        ROW("SIMD",
            ONE_FUNCTION "\x0a\x17\1\x15\0\xfd\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1a\x0b",
            refused,
            refused),
        /* (drop (ref.null func)) */
        ROW("reference types", ONE_FUNCTION "\x0a\7\1\5\0\xd0\x70\x1a\x0b", refused, refused),
        /* (return_call 0) */
        ROW("tail calls", ONE_FUNCTION "\x0a\6\1\4\0\x12\0\x0b", refused, refused),
        /* (memory 1 1 shared) */
        ROW("threads", HEAD "\5\4\1\3\1\1", refused, refused),
        /* (memory i64 1) */
        ROW("64-bit memory", HEAD "\5\3\1\4\1", refused, refused),
        ROW("two memories", HEAD "\5\5\2\0\1\0\1", refused, refused),
        ROW("two tables", HEAD "\4\7\2\x70\0\1\x70\0\1", refused, refused),
        /* (type (struct)) */
        ROW("garbage collection", HEAD "\1\3\1\x5f\0", refused, refused),
        /* (tag (type 0)) */
        ROW("exceptions", HEAD "\1\4\1\x60\0\0\x0d\3\1\0\0", refused, refused),
        /* (memory 1 (pagesize 1)) */
        ROW("page sizes", HEAD "\5\4\1\x08\1\0", refused, refused),
        /* (drop (i64.add128 …)) */
        ROW("wide arithmetic",
            ONE_FUNCTION "\x0a\x10\1\x0e\0\x42\0\x42\0\x42\0\x42\0\xfc\x13\x1a\x1a\x0b",
            refused,
            refused),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        pvf_error err = PVF_ERROR_INIT;
        int status = compile(rows[i].wasm, rows[i].len, false, &err);
        int bulk_status = compile(rows[i].wasm, rows[i].len, true, &err);
        if (status != rows[i].status || bulk_status != rows[i].bulk_status) {
            print_error(
                "%s: %d, with bulk memory %d: %s\n", rows[i].what, status, bulk_status, err.text);
            fail();
        }
        if (status != 0) {
            assert_int_equal(strncmp(err.text, "cannot precompile module: ", 26), 0);
            assert_null(strchr(err.text, '\n'));
        }
    }
}

static void check_body(const struct builder_code *entry, enum verdict want)
{
    const struct builder module = {.entry = *entry};
    for (int rewrite = 0; rewrite < 2; rewrite++) {
        const struct harness_options options = {.rewrite = rewrite != 0};
        struct harness_result result;
        harness_run(&module, &options, &result);
        if (result.verdict != want) {
            print_error("verdict %d: %s\n", (int)result.verdict, result.text);
            fail();
        }
    }
}

static void a_function_body_may_be_large(void **state)
{
    (void)state;
    /* 8 000 000 bytes of nop before the result: above the engine's own limit of 7 654 321. */
    const size_t len = 8000000;
    uint8_t *code = malloc(len);
    assert_non_null(code);
    memset(code, 0x01, len);
    memcpy(code + len - 2, "\x42\0", 2);
    check_body(&(const struct builder_code){code, len}, VERDICT_OK);
    free(code);
}

/* (block (br_table 0 … 0 (default 0) (local.get 0))), dead after an `unreachable` if asked. */
static void check_br_table(uint32_t targets, bool dead, enum verdict want)
{
    struct pvf__buf code = PVF__BUF_INIT((size_t)1 << 20);
    int status = pvf__buf_append(&code, "\x02\x40", 2);
    if (dead) {
        status |= pvf__buf_append(&code, "\x00", 1);
    }
    status |= pvf__buf_append(&code, "\x20\0\x0e", 3);
    for (uint32_t rest = targets; rest > 0 || code.len < 6; rest >>= 7) {
        status |= pvf__buf_u8(&code, (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)));
    }
    status |= pvf__buf_zeros(&code, (size_t)targets + 1);
    status |= pvf__buf_append(&code, "\x0b\x42\0", 3);
    assert_int_equal(status, 0);
    check_body(&(const struct builder_code){code.data, code.len}, want);
    pvf__buf_done(&code);
}

static void a_br_table_has_at_most_65520_targets(void **state)
{
    (void)state;
    check_br_table(65520, false, VERDICT_OK);
    check_br_table(65521, false, VERDICT_PREPARATION);
    check_br_table(65520, true, VERDICT_INVALID);
    check_br_table(65521, true, VERDICT_PREPARATION);
}

static void what_is_no_artifact_is_not_loaded(void **state)
{
    (void)state;
    const struct pvf__engine_settings settings = {.native_stack_max = 65536};
    struct pvf__engine *engine = NULL;
    assert_int_equal(pvf__engine_new(&settings, &engine, NULL), 0);
    struct pvf__engine_artifact artifact = {NULL, 0};
    assert_int_equal(pvf__engine_compile(engine, (const uint8_t *)HEAD, 8, &artifact, NULL), 0);
    struct pvf__engine_module *module = NULL;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(
        pvf__engine_load_bytes(engine, artifact.data, artifact.len, false, &module, &err), 0);
    pvf__engine_module_delete(module);
    module = NULL;
    assert_int_equal(pvf__engine_load_bytes(engine, artifact.data, 100, false, &module, &err),
                     PVF_ERR_CORRUPT);
    assert_int_equal(strncmp(err.text, "cannot deserialize module: ", 27), 0);
    assert_int_equal(pvf__engine_load_bytes(engine, artifact.data, 0, false, &module, &err),
                     PVF_ERR_CORRUPT);
    assert_int_equal(pvf__engine_load_fd(engine, -1, false, &module, &err), PVF_ERR_CORRUPT);
    assert_null(module);
    pvf__engine_artifact_done(&artifact);
    /* Artifacts made with bulk memory are not for an engine without. */
    const struct pvf__engine_settings other = {.native_stack_max = 65536, .bulk_memory = true};
    struct pvf__engine *other_engine = NULL;
    assert_int_equal(pvf__engine_new(&other, &other_engine, NULL), 0);
    assert_int_equal(pvf__engine_compile(other_engine, (const uint8_t *)HEAD, 8, &artifact, NULL),
                     0);
    assert_int_equal(
        pvf__engine_load_bytes(engine, artifact.data, artifact.len, false, &module, &err),
        PVF_ERR_CORRUPT);
    pvf__engine_artifact_done(&artifact);
    pvf__engine_delete(other_engine);
    pvf__engine_delete(engine);
}

static void causes_are_joined(void **state)
{
    (void)state;
    const struct {
        const char *message;
        const char *flat;
        const char *cause;
        const char *head;
    } rows[] = {
        {"", "", "", ""},
        {"plain", "plain", "plain", ""},
        {"top\n\nCaused by:\n    one\n", "top: one", "one", "top"},
        {"top\n\nCaused by:\n    0: one\n    1: two\n", "top: one: two", "two", "top"},
        {"top\nline\n\nCaused by:\n    0: one\nmore\n    1: two\nend\n",
         "top\nline: one\nmore: two\nend",
         "two\nend",
         "top\nline"},
        {"top\n\nCaused by:\n", "top", "top", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[64] = "?";
        char head[64] = "?";
        size_t len = strlen(rows[i].message);
        head[0] = '\0';
        out[0] = '\0';
        pvf__text_flatten(rows[i].message, len, out, sizeof(out));
        assert_string_equal(out, rows[i].flat);
        out[0] = '\0';
        pvf__text_split(rows[i].message, len, out, sizeof(out), head, sizeof(head));
        assert_string_equal(out, rows[i].cause);
        assert_string_equal(head, rows[i].head);
        /* Every smaller buffer gets the beginning. */
        for (size_t size = 1; size <= strlen(rows[i].flat); size++) {
            char *small = malloc(size);
            assert_non_null(small);
            small[0] = '\0';
            pvf__text_flatten(rows[i].message, len, small, size);
            assert_int_equal(strlen(small), size - 1);
            assert_memory_equal(small, rows[i].flat, size - 1);
            free(small);
        }
    }
}

/* Uses `*arg` bytes of stack and sets *arg to 0. */
__attribute__((noinline)) static size_t use_stack(size_t left)
{
    volatile uint8_t frame[4096];
    frame[0] = 1;
    frame[sizeof(frame) - 1] = 0;
    size_t below = left > sizeof(frame) ? use_stack(left - sizeof(frame)) : 0;
    return below + frame[sizeof(frame) - 1];
}

static void use_it(void *arg)
{
    size_t *bytes = arg;
    *bytes = use_stack(*bytes);
}

static void a_stack_has_the_size_asked_for(void **state)
{
    (void)state;
    assert_int_equal(pvf__engine_stack_size(0), 2097152);
    assert_true(pvf__engine_stack_size(UINT32_MAX) == (size_t)UINT32_MAX + 2097152);
    /* A quarter is left for what the compiler adds to each frame. */
    size_t bytes = (size_t)96 << 20;
    assert_int_equal(pvf__engine_on_big_stack(use_it, &bytes, (size_t)128 << 20, NULL), 0);
    assert_int_equal(bytes, 0);
    bytes = 1;
    assert_int_equal(pvf__engine_on_big_stack(use_it, &bytes, 65536, NULL), 0);
    assert_int_equal(bytes, 0);
    bytes = 7;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__engine_on_big_stack(use_it, &bytes, SIZE_MAX, &err), PVF_ERR_INVALID_ARG);
    assert_int_equal(pvf__engine_on_big_stack(use_it, &bytes, (size_t)1 << 60, &err),
                     PVF_ERR_NO_MEMORY);
    assert_int_equal(bytes, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_native_stack_but_none_makes_an_engine),
        cmocka_unit_test(the_description_tells_artifacts_apart),
        cmocka_unit_test(proposals_are_off),
        cmocka_unit_test(a_function_body_may_be_large),
        cmocka_unit_test(a_br_table_has_at_most_65520_targets),
        cmocka_unit_test(what_is_no_artifact_is_not_loaded),
        cmocka_unit_test(causes_are_joined),
        cmocka_unit_test(a_stack_has_the_size_asked_for),
    };
    return cmocka_run_group_tests(tests, harness_setup, NULL);
}
