/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The executor alone, without workers: every ValidationParams file of the test data, fed as raw
 * bytes, in both forms of metering and in both tiers.  This is the only way for input that the
 * wire's fields cannot carry (params-truncated, params-trailing-byte).
 */
#include "support/test.h"

#include "base/buf.h"
#include "base/fd.h"
#include "blob/decompress.h"
#include "engine/engine_compile.h"
#include "engine/engine_load.h"
#include "engine/engine_run.h"
#include "engine/engine_stack.h"
#include "wasm/wasm_rewrite.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)
#define LOGICAL_STACK 65536u
#define PAGES 2080u

struct call {
    const struct pvf__engine_module *module;
    struct pvf__slice input;
    struct pvf__engine_outcome outcome;
    struct pvf__buf output;
};

static void take(void *context, const uint8_t *data, size_t len)
{
    struct call *call = context;
    assert_int_equal(pvf__buf_append(&call->output, data, len), 0);
}

static void run(void *context)
{
    struct call *call = context;
    const struct pvf__engine_limits limits = {.max_pages = PAGES, .max_log_level = 1};
    const struct pvf__engine_input input = {.parts = &call->input, .count = 1};
    pvf__engine_run(call->module, &limits, &input, take, call, &call->outcome);
}

static struct pvf__buf read_file(const char *path)
{
    struct pvf__buf buf = PVF__BUF_INIT(FILE_MAX);
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__fd_read_file(path, &buf, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return buf;
}

/* Runs one input file; `result` is the expected output's file, or NULL when it must be invalid. */
static void check(const struct pvf__engine_module *module, const char *params, const char *result)
{
    struct pvf__buf input = read_file(params);
    static struct call call;
    call = (struct call){.module = module, .output = PVF__BUF_INIT(FILE_MAX)};
    call.input = (struct pvf__slice){.data = input.data, .len = input.len};
    size_t stack = pvf__engine_stack_size(PVF__ENGINE_NATIVE_STACK_DEFAULT);
    assert_int_equal(pvf__engine_on_big_stack(run, &call, stack, NULL), 0);
    if (result == NULL) {
        if (call.outcome.class != PVF__ENGINE_INVALID) {
            fail_msg("%s: must be invalid: %s", params, call.outcome.text);
        }
    } else {
        struct pvf__buf want = read_file(result);
        if (call.outcome.class != PVF__ENGINE_OK) {
            fail_msg("%s: %s", params, call.outcome.text);
        }
        assert_int_equal(call.output.len, want.len);
        assert_memory_equal(call.output.data, want.data, want.len);
        pvf__buf_done(&want);
    }
    pvf__buf_done(&call.output);
    pvf__buf_done(&input);
}

/* Every *.params of a folder; the number of them. */
static size_t
check_folder(const struct pvf__engine_module *module, const char *folder, bool accepted)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char *suffix = strstr(entry->d_name, ".params");
        if (suffix == NULL) {
            continue;
        }
        char params[1024];
        char result[1024];
        (void)snprintf(params, sizeof(params), "%s/%s", folder, entry->d_name);
        (void)snprintf(result,
                       sizeof(result),
                       "%s/%.*s.result",
                       folder,
                       (int)(suffix - entry->d_name),
                       entry->d_name);
        check(module, params, accepted ? result : NULL);
        count++;
    }
    (void)closedir(dir);
    return count;
}

static void check_candidate(const char *folder,
                            const char *code_name,
                            enum pvf__wasm_form form,
                            bool first_tier)
{
    char path[512];
    char good[512];
    (void)snprintf(path, sizeof(path), "%s/%s/%s", PVF_TEST_DATA, folder, code_name);
    struct pvf__buf file = read_file(path);
    struct pvf__blob code = PVF__BLOB_INIT;
    assert_int_equal(
        pvf__blob_decompress(file.data, file.len, PVF__BLOB_CODE_LIMIT_DEFAULT, &code, NULL), 0);
    struct pvf__buf rewritten = PVF__BUF_INIT(FILE_MAX);
    struct pvf__wasm_fault fault;
    assert_int_equal(
        pvf__wasm_rewrite(code.data, code.len, LOGICAL_STACK, form, &rewritten, &fault), 0);
    const struct pvf__engine_settings settings = {.native_stack_max =
                                                      PVF__ENGINE_NATIVE_STACK_DEFAULT,
                                                  .compile_threads = 2,
                                                  .first_tier = first_tier};
    struct pvf__engine *engine;
    struct pvf__engine_artifact artifact;
    struct pvf__engine_module *module;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__engine_new(&settings, &engine, &err), 0);
    assert_int_equal(pvf__engine_compile(engine, rewritten.data, rewritten.len, &artifact, &err),
                     0);
    assert_int_equal(
        pvf__engine_load_bytes(engine, artifact.data, artifact.len, false, &module, &err), 0);

    (void)snprintf(path, sizeof(path), "%s/%s/validation_params.scale", PVF_TEST_DATA, folder);
    (void)snprintf(good, sizeof(good), "%s/%s/expected_result.scale", PVF_TEST_DATA, folder);
    check(module, path, good);
    (void)snprintf(path, sizeof(path), "%s/%s/accepted", PVF_TEST_DATA, folder);
    assert_int_equal(check_folder(module, path, true), 2);
    (void)snprintf(path, sizeof(path), "%s/%s/invalid", PVF_TEST_DATA, folder);
    assert_true(check_folder(module, path, false) >= 6);

    pvf__engine_module_delete(module);
    pvf__engine_artifact_done(&artifact);
    pvf__engine_delete(engine);
    pvf__buf_done(&rewritten);
    pvf__blob_done(&code);
    pvf__buf_done(&file);
}

/*
 * One test only: cmocka sets its own handlers for traps' signals before each test, and the engine
 * sets its handlers once in a process.
 */
static void candidates_in_all_forms(void **state)
{
    (void)state;
    const struct {
        enum pvf__wasm_form form;
        bool first_tier;
    } rows[] = {
        {PVF__WASM_CALLEE, false},
        {PVF__WASM_CALL_SITE, false},
        {PVF__WASM_CALLEE, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_candidate("adder", "code.wasm", rows[i].form, rows[i].first_tier);
        check_candidate("shell-2021", "code.blob", rows[i].form, rows[i].first_tier);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_in_all_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
