/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling on several threads: the artifact's bytes, and the words of a refusal, are those of one
 * thread, whichever is done first.
 */
#include "support/test.h"

#include "engine/engine_compile.h"
#include "pvf/status.h"
#include "support/wasm_gen.h"
#include "wasm/wasm_rewrite.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEEDS 25u

static const size_t numbers[] = {0, 1, 2, 5, 16};

static int compile(
    const void *wasm, size_t len, size_t threads, struct pvf__engine_artifact *ret, pvf_error *err)
{
    const struct pvf__engine_settings settings = {
        .native_stack_max = PVF__ENGINE_NATIVE_STACK_DEFAULT, .compile_threads = threads};
    struct pvf__engine *engine = NULL;
    assert_int_equal(pvf__engine_new(&settings, &engine, err), 0);
    int status = pvf__engine_compile(engine, wasm, len, ret, err);
    pvf__engine_delete(engine);
    return status;
}

static void the_artifact_is_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct pvf__buf blob = PVF__BUF_INIT((size_t)1 << 24);
        struct pvf__buf module = PVF__BUF_INIT((size_t)1 << 24);
        struct pvf__wasm_fault fault;
        wasm_gen_module(seed, &blob);
        assert_int_equal(
            pvf__wasm_rewrite(blob.data, blob.len, 65536, PVF__WASM_CALLEE, &module, &fault), 0);
        struct pvf__engine_artifact first = {NULL, 0};
        assert_int_equal(compile(module.data, module.len, numbers[0], &first, NULL), 0);
        for (size_t i = 1; i < COUNT(numbers); i++) {
            struct pvf__engine_artifact other = {NULL, 0};
            assert_int_equal(compile(module.data, module.len, numbers[i], &other, NULL), 0);
            assert_int_equal(other.len, first.len);
            assert_memory_equal(other.data, first.data, first.len);
            pvf__engine_artifact_done(&other);
        }
        pvf__engine_artifact_done(&first);
        pvf__buf_done(&module);
        pvf__buf_done(&blob);
    }
}

static void the_first_bad_function_is_the_one_that_is_told(void **state)
{
    (void)state;
    /* () -> (): fine, `drop` of nothing, `i32.eqz` of nothing, and again. */
    static const char module[] = "\0asm\1\0\0\0\1\4\1\x60\0\0\3\6\5\0\0\0\0\0"
                                 "\x0a\x12\5\2\0\x0b\3\0\x1a\x0b\3\0\x45\x0b\2\0\x0b\2\0\x1b";
    pvf_error first = PVF_ERROR_INIT;
    struct pvf__engine_artifact artifact;
    assert_int_equal(compile(module, sizeof(module) - 1, numbers[0], &artifact, &first),
                     PVF_ERR_MALFORMED);
    for (size_t i = 1; i < COUNT(numbers); i++) {
        pvf_error other = PVF_ERROR_INIT;
        assert_int_equal(compile(module, sizeof(module) - 1, numbers[i], &artifact, &other),
                         PVF_ERR_MALFORMED);
        assert_string_equal(other.text, first.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_artifact_is_the_same),
        cmocka_unit_test(the_first_bad_function_is_the_one_that_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
