/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_engine compile CODE THREADS
 *      Compiles once; prints the nanoseconds of CPU and wall time that the engine alone took, and
 *      the size of the artifact.
 * bench_engine call ARTIFACT PARAMS EXPECTED
 *      Loads the artifact; for each byte on standard input makes an instance, calls validate_block
 *      with PARAMS (SCALE ValidationParams), and prints the nanoseconds of the call.  Ends with an
 *      error when the result is not EXPECTED.
 *
 * What a job or a preparation cannot be faster than: no process, no fence, no protocol.
 */
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "blob/decompress.h"
#include "engine/engine_compile.h"
#include "engine/engine_run.h"
#include "engine/engine_stack.h"
#include "proto/executor_params.h"
#include "wasm/wasm_rewrite.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)512 << 20)
#define CODE_MAX ((size_t)30 << 20)
#define THREADS_MAX 16u

static const uint8_t no_params[] = {0};

static int fail(const char *what, const char *text)
{
    (void)fprintf(stderr, "bench_engine: %s: %s\n", what, text);
    return 1;
}

static int rewrite(const char *path, uint32_t logical_max, struct pvf__buf *module)
{
    PVF__CLEANUP_BUF struct pvf__buf code = PVF__BUF_INIT(FILE_MAX);
    struct pvf__blob plain = PVF__BLOB_INIT;
    struct pvf__wasm_fault fault;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__fd_read_file(path, &code, &err) != 0 ||
        pvf__blob_decompress(code.data, code.len, CODE_MAX, &plain, &err) != 0) {
        return fail(path, err.text);
    }
    int status =
        pvf__wasm_rewrite(plain.data, plain.len, logical_max, PVF__WASM_CALLEE, module, &fault);
    pvf__blob_done(&plain);
    return status == 0 ? 0 : fail(path, fault.text);
}

static int compile(const char *path, uint64_t threads)
{
    struct pvf__executor_params params;
    PVF__CLEANUP_BUF struct pvf__buf module = PVF__BUF_INIT(SIZE_MAX);
    struct pvf__engine_artifact artifact = {0};
    struct pvf__engine *engine = NULL;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__executor_params_decode(no_params, sizeof no_params, &params, &err) != 0) {
        return fail("parameters", err.text);
    }
    if (rewrite(path, params.logical_max, &module) != 0) {
        return 1;
    }
    const struct pvf__engine_settings settings = {.native_stack_max = params.native_max,
                                                  .bulk_memory = params.bulk_memory,
                                                  .compile_threads = (size_t)threads};
    if (pvf__engine_new(&settings, &engine, &err) != 0) {
        return fail("engine", err.text);
    }
    uint64_t cpu = pvf__clock_process_cpu_ns();
    uint64_t wall = pvf__clock_monotonic_ns();
    int status = pvf__engine_compile(engine, module.data, module.len, &artifact, &err);
    wall = pvf__clock_monotonic_ns() - wall;
    cpu = pvf__clock_process_cpu_ns() - cpu;
    size_t size = artifact.len;
    pvf__engine_artifact_done(&artifact);
    pvf__engine_delete(engine);
    if (status != 0) {
        return fail(path, err.text);
    }
    return printf("%" PRIu64 " %" PRIu64 " %zu\n", cpu, wall, size) > 0 && fflush(stdout) == 0 ? 0
                                                                                               : 1;
}

/* All that the calls of one artifact share. */
struct calls {
    struct pvf__executor_params params;
    struct pvf__engine_module *module;
    struct pvf__buf input;
    struct pvf__buf expected;
    bool same; /* as expected, of the last result */
    int code;
};

static void take_output(void *context, const uint8_t *data, size_t len)
{
    struct calls *calls = context;
    calls->same =
        len == calls->expected.len && memcmp(data, calls->expected.data, calls->expected.len) == 0;
}

static int call_once(struct calls *calls)
{
    static struct pvf__engine_outcome outcome; /* large */
    const struct pvf__engine_limits limits = {.max_pages = calls->params.max_memory_pages};
    const struct pvf__slice part = {calls->input.data, calls->input.len};
    const struct pvf__engine_input input = {.parts = &part, .count = 1};
    struct pvf__engine_instance *instance =
        pvf__engine_instance_new(calls->module, &limits, &outcome);
    if (instance == NULL) {
        return fail("instance", outcome.text);
    }
    calls->same = false;
    uint64_t begin = pvf__clock_monotonic_ns();
    pvf__engine_instance_call(instance, &input, take_output, calls, &outcome);
    uint64_t wall = pvf__clock_monotonic_ns() - begin;
    pvf__engine_instance_delete(instance);
    if (outcome.class != PVF__ENGINE_OK) {
        return fail("validate_block", outcome.text);
    }
    if (!calls->same) {
        return fail("validate_block", "another result than the expected one");
    }
    return printf("%" PRIu64 "\n", wall) > 0 && fflush(stdout) == 0 ? 0 : 1;
}

static void call_all(void *context)
{
    struct calls *calls = context;
    char byte;
    while (calls->code == 0 && pvf__fd_read(STDIN_FILENO, &byte, 1, NULL) == 0) {
        calls->code = call_once(calls);
    }
}

static int load(const char *path, struct pvf__engine *engine, struct calls *calls, pvf_error *err)
{
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(path, "cannot be opened");
    }
    return pvf__engine_load_fd(engine, fd, calls->params.ecc_rfc163, &calls->module, err);
}

static int call(char **paths)
{
    static struct calls calls = {.input = PVF__BUF_INIT(FILE_MAX),
                                 .expected = PVF__BUF_INIT(FILE_MAX)};
    struct pvf__engine *engine = NULL;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__executor_params_decode(no_params, sizeof no_params, &calls.params, &err) != 0 ||
        pvf__fd_read_file(paths[1], &calls.input, &err) != 0 ||
        pvf__fd_read_file(paths[2], &calls.expected, &err) != 0) {
        return fail("input", err.text);
    }
    const struct pvf__engine_settings settings = {.native_stack_max = calls.params.native_max,
                                                  .bulk_memory = calls.params.bulk_memory};
    int status = pvf__engine_new(&settings, &engine, &err);
    if (status == 0) {
        status = load(paths[0], engine, &calls, &err);
    }
    if (status == 0) {
        size_t stack = pvf__engine_stack_size(calls.params.native_max);
        status = pvf__engine_on_big_stack(call_all, &calls, stack, &err);
    }
    pvf__engine_module_delete(calls.module);
    pvf__engine_delete(engine);
    pvf__buf_done(&calls.input);
    pvf__buf_done(&calls.expected);
    return status == 0 ? calls.code : fail(paths[0], err.text);
}

int main(int argc, char **argv)
{
    uint64_t threads;
    if (argc == 4 && strcmp(argv[1], "compile") == 0 &&
        pvf__text_parse_u64(argv[3], THREADS_MAX, &threads)) {
        return compile(argv[2], threads);
    }
    if (argc == 5 && strcmp(argv[1], "call") == 0) {
        return call(argv + 2);
    }
    (void)fprintf(stderr,
                  "usage: %s compile CODE THREADS\n"
                  "       %s call ARTIFACT PARAMS EXPECTED\n",
                  argv[0],
                  argv[0]);
    return 2;
}
