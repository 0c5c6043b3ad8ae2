/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first tier against the reference's recorded answers: what it says is valid was valid there,
 * with the same bytes, and what was valid there is valid on it, so that no stack is too deep for
 * its larger frames.  Of what is not valid nothing but that is asked: a host repeats it on the
 * optimised artifact.
 */
#include "support/wasm_files.h"

#include "engine/engine_compile.h"
#include "engine/engine_load.h"
#include "engine/engine_run.h"
#include "engine/engine_stack.h"
#include "proto/executor_params.h"
#include "proto/validation.h"
#include "wasm/wasm_rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)

/* Their messages have hundreds of megabytes. */
static const char *const too_long[] = {"recursion_infinite/slm_max", "recursion_infinite/slm_2e31"};

struct run {
    const struct pvf__engine_module *module;
    const struct pvf__executor_params *params;
    struct pvf__slice input;
    struct pvf__engine_outcome outcome;
    struct pvf__buf output;
};

static struct pvf__buf blob;
static struct pvf__buf rewritten;
static struct run run;
static char text[TEXT_MAX];
static uint8_t bytes[TEXT_MAX / 2];
static unsigned failures;

static void wrong(const char *id, const char *what, const char *recorded)
{
    (void)printf("%s: %s; recorded: %s\n", id, what, recorded);
    failures++;
}

/* The bytes behind a key, in `bytes`; false when there are none, or too many. */
static bool read_hex(const char *at, const char *key, size_t *ret)
{
    if (at == NULL || !wasm_files_json_text(at, key, text, sizeof(text))) {
        return false;
    }
    *ret = strlen(text) / 2;
    for (size_t i = 0; i < *ret; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

static void take(void *context, const uint8_t *data, size_t len)
{
    (void)context;
    run.output.len = 0;
    (void)pvf__buf_append(&run.output, data, len); /* a lack shows in the comparison */
}

static void call(void *context)
{
    (void)context;
    const struct pvf__engine_limits limits = {.max_pages = run.params->max_memory_pages,
                                              .max_log_level = 0};
    const struct pvf__engine_input input = {.parts = &run.input, .count = 1};
    run.output.len = 0;
    pvf__engine_run(run.module, &limits, &input, take, NULL, &run.outcome);
}

static bool run_module(const struct pvf__engine_module *module,
                       const struct pvf__executor_params *params,
                       struct pvf__slice input)
{
    run.module = module;
    run.params = params;
    run.input = input;
    return pvf__engine_on_big_stack(call, NULL, pvf__engine_stack_size(params->native_max), NULL) ==
           0;
}

/* The module of `blob` as the first tier has it; NULL, with the outcome, when it cannot be. */
static struct pvf__engine_module *make(const struct pvf__executor_params *params,
                                       struct pvf__engine **ret_engine)
{
    const struct pvf__engine_settings settings = {.native_stack_max = params->native_max,
                                                  .bulk_memory = params->bulk_memory,
                                                  .first_tier = true};
    /* As an execute worker has it, which does not know of tiers. */
    const struct pvf__engine_settings usual = {.native_stack_max = params->native_max,
                                               .bulk_memory = params->bulk_memory};
    struct pvf__engine *compiler = NULL;
    struct pvf__engine_module *module = NULL;
    struct pvf__engine_artifact artifact = {NULL, 0};
    struct pvf__wasm_fault fault;
    pvf_error err = PVF_ERROR_INIT;
    rewritten.len = 0;
    if (pvf__wasm_rewrite(
            blob.data, blob.len, params->logical_max, PVF__WASM_CALLEE, &rewritten, &fault) != 0 ||
        pvf__engine_new(&settings, &compiler, &err) != 0 ||
        pvf__engine_new(&usual, ret_engine, &err) != 0 ||
        pvf__engine_compile(compiler, rewritten.data, rewritten.len, &artifact, &err) != 0 ||
        pvf__engine_load_bytes(
            *ret_engine, artifact.data, artifact.len, params->ecc_rfc163, &module, &err) != 0) {
        run.outcome.class = PVF__ENGINE_RUNTIME_CONSTRUCTION;
        (void)snprintf(run.outcome.text, sizeof(run.outcome.text), "%s", err.text);
    }
    pvf__engine_artifact_done(&artifact);
    pvf__engine_delete(compiler);
    return module;
}

/* What must be true of the last run; `at` is where its answer is recorded. */
static void judge(const char *id, const char *at)
{
    struct pvf__validation_result result;
    char class[60] = "";
    size_t len = 0;
    (void)wasm_files_json_text(at, "class", class, sizeof(class));
    const bool was_valid = strcmp(class, "ok") == 0;
    const bool is_valid =
        run.outcome.class == PVF__ENGINE_OK &&
        pvf__validation_result_decode(run.output.data, run.output.len, &result, NULL) == 0;
    /* Where no first tier would be made, its other frames may save it from the native stack's end.
     */
    const bool is_made =
        pvf__engine_first_tier_fits(run.params->native_max, run.params->logical_max);
    if (was_valid ? !is_valid : is_valid && is_made) {
        wrong(id, was_valid ? run.outcome.text : "valid", class);
    }
    /* The logical limit traps so.  Here, too, it is met before the native one. */
    if (wasm_files_json_text(at, "message", text, sizeof(text)) &&
        strstr(text, "`unreachable`") != NULL &&
        strstr(run.outcome.text, "`unreachable`") == NULL) {
        wrong(id, run.outcome.text, text);
    }
    if (!was_valid || !is_valid) {
        return;
    }
    /* Either is there, and the head data are the first that the output has, behind their length. */
    if (read_hex(at, "output", &len)) {
        if (run.output.len != len || memcmp(run.output.data, bytes, len) != 0) {
            wrong(id, "other output", text);
        }
    } else if (!read_hex(at, "head_data", &len)) {
        wrong(id, "nothing to compare with", class);
    } else {
        const size_t prefix = len < 64 ? 1 : len < 16384 ? 2 : 4;
        if (run.output.len < prefix + len || memcmp(run.output.data + prefix, bytes, len) != 0) {
            wrong(id, "other head data", text);
        }
    }
}

static bool read_params(const char *line, struct pvf__executor_params *ret)
{
    static uint8_t raw[4096];
    size_t len = 0;
    if (!read_hex(line, "params", &len) || len > sizeof(raw)) {
        return false;
    }
    memcpy(raw, bytes, len);
    return pvf__executor_params_decode(raw, len, ret, NULL) == 0;
}

static bool is_too_long(const char *id)
{
    for (size_t i = 0; i < sizeof(too_long) / sizeof(too_long[0]); i++) {
        if (strcmp(too_long[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_module(const char *name)
{
    char relative[300];
    char path[1000];
    (void)snprintf(relative, sizeof(relative), "vectors/%s", name);
    blob.len = 0;
    return wasm_files_find(relative, path, sizeof(path)) && wasm_files_read_blob(path, &blob);
}

static bool check_module(const char *line)
{
    char id[200];
    char name[200];
    char path[300];
    struct pvf__executor_params params;
    size_t len = 0;
    const char *at = wasm_files_json_value(line, "execute");
    if (at == NULL || !wasm_files_json_text(line, "id", id, sizeof(id)) || is_too_long(id)) {
        return false;
    }
    (void)wasm_files_json_text(line, "module", name, sizeof(name));
    (void)snprintf(path, sizeof(path), "modules/%s", name);
    if (!read_module(path) || !read_params(line, &params) || !read_hex(line, "input", &len)) {
        wrong(id, "it cannot be read", "");
        return true;
    }
    struct pvf__engine *engine = NULL;
    struct pvf__buf input = PVF__BUF_INIT(sizeof(bytes));
    if (pvf__buf_append(&input, bytes, len) != 0) {
        abort();
    }
    struct pvf__engine_module *module = make(&params, &engine);
    if (module != NULL &&
        !run_module(module, &params, (struct pvf__slice){input.data, input.len})) {
        wrong(id, "no stack", "");
    }
    judge(id, at);
    pvf__engine_module_delete(module);
    pvf__engine_delete(engine);
    pvf__buf_done(&input);
    return true;
}

/* ---- Host calls: one module, many scripts ---- */

static struct {
    char params[256]; /* as hex: of the module that is loaded */
    struct pvf__executor_params decoded;
    struct pvf__engine *engine;
    struct pvf__engine_module *module;
} probe;

static void drop_probe(void)
{
    pvf__engine_module_delete(probe.module);
    pvf__engine_delete(probe.engine);
    probe.module = NULL;
    probe.engine = NULL;
}

static bool load_probe(const char *line)
{
    char params[sizeof(probe.params)];
    if (!wasm_files_json_text(line, "params", params, sizeof(params))) {
        return false;
    }
    if (probe.module != NULL && strcmp(params, probe.params) == 0) {
        return true;
    }
    drop_probe();
    memcpy(probe.params, params, sizeof(params));
    if (!read_module("hostcalls/probe.wasm") || !read_params(line, &probe.decoded)) {
        return false;
    }
    probe.module = make(&probe.decoded, &probe.engine);
    return probe.module != NULL;
}

/* ValidationParams of an empty head, the script as block, number 0 and a root of zeros. */
static void build_input(size_t len, struct pvf__buf *ret)
{
    static const uint8_t zeros[36];
    uint8_t prefix[5] = {0};
    size_t used = 2;
    if (len < 64) {
        prefix[1] = (uint8_t)(len << 2);
    } else if (len < 16384) {
        prefix[1] = (uint8_t)(len << 2 | 1);
        prefix[2] = (uint8_t)(len >> 6);
        used = 3;
    } else {
        const uint32_t value = (uint32_t)len << 2 | 2;
        for (unsigned i = 0; i < 4; i++) {
            prefix[1 + i] = (uint8_t)(value >> 8 * i);
        }
        used = 5;
    }
    if (pvf__buf_append(ret, prefix, used) != 0 || pvf__buf_append(ret, bytes, len) != 0 ||
        pvf__buf_append(ret, zeros, sizeof(zeros)) != 0) {
        abort();
    }
}

static bool check_script(const char *line)
{
    char id[200];
    size_t len = 0;
    /* Of those without a script, and of the log level, the answer depends on what is around. */
    if (!wasm_files_json_text(line, "id", id, sizeof(id)) || strcmp(id, "logging/max_level") == 0 ||
        wasm_files_json_value(line, "script") == NULL) {
        return false;
    }
    if (!load_probe(line) || !read_hex(line, "script", &len)) {
        wrong(id, "it cannot be read", "");
        return true;
    }
    struct pvf__buf input = PVF__BUF_INIT(TEXT_MAX);
    build_input(len, &input);
    if (!run_module(probe.module, &probe.decoded, (struct pvf__slice){input.data, input.len})) {
        wrong(id, "no stack", "");
    }
    judge(id, wasm_files_json_value(line, "expect"));
    pvf__buf_done(&input);
    return true;
}

int main(void)
{
    pvf__buf_init(&blob, (size_t)1 << 28);
    pvf__buf_init(&rewritten, (size_t)1 << 30);
    pvf__buf_init(&run.output, (size_t)1 << 28);
    int code =
        wasm_files_check_index("vectors/modules/index.jsonl", check_module, "modules", &failures);
    if (code == 0) {
        code = wasm_files_check_index(
            "vectors/hostcalls/index.jsonl", check_script, "scripts", &failures);
    }
    drop_probe();
    pvf__buf_done(&blob);
    pvf__buf_done(&rewritten);
    pvf__buf_done(&run.output);
    return code;
}
