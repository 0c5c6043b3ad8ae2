/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two forms of metering in the engine: on random modules they give the same output bytes or
 * the same class of failure, under limits that trap often, sometimes and hardly ever.
 */
#include "engine/engine_compile.h"
#include "engine/engine_load.h"
#include "engine/engine_run.h"
#include "engine/engine_stack.h"
#include "support/wasm_gen.h"
#include "wasm/wasm_rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 150u
#define PAGES 2080u
#define OUTPUT_MAX 64

struct call {
    const struct pvf__engine_module *module;
    struct pvf__engine_outcome outcome;
    uint8_t output[OUTPUT_MAX];
    size_t len;
};

static void die(uint64_t seed, const char *why)
{
    (void)fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, why);
    exit(1);
}

static void take(void *context, const uint8_t *data, size_t len)
{
    struct call *call = context;
    call->len = len < OUTPUT_MAX ? len : OUTPUT_MAX;
    memcpy(call->output, data, call->len);
}

static void run(void *context)
{
    static const uint8_t nothing[] = {0};
    struct call *call = context;
    const struct pvf__engine_limits limits = {.max_pages = PAGES, .max_log_level = 1};
    const struct pvf__slice part = {nothing, sizeof(nothing)};
    const struct pvf__engine_input input = {.parts = &part, .count = 1};
    pvf__engine_run(call->module, &limits, &input, take, call, &call->outcome);
}

static void run_form(struct pvf__engine *engine,
                     uint64_t seed,
                     const struct pvf__buf *blob,
                     enum pvf__wasm_form form,
                     struct call *ret)
{
    static const uint32_t stack_limits[] = {65536, 3000, 400};
    struct pvf__buf rewritten = PVF__BUF_INIT(1 << 24);
    struct pvf__wasm_fault fault;
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__engine_artifact artifact;
    struct pvf__engine_module *module = NULL;
    if (pvf__wasm_rewrite(
            blob->data, blob->len, stack_limits[seed % 3], form, &rewritten, &fault) != 0) {
        die(seed, fault.text);
    }
    if (pvf__engine_compile(engine, rewritten.data, rewritten.len, &artifact, &err) != 0 ||
        pvf__engine_load_bytes(engine, artifact.data, artifact.len, false, &module, &err) != 0) {
        die(seed, err.text);
    }
    *ret = (struct call){.module = module, .len = 0};
    size_t stack = pvf__engine_stack_size(PVF__ENGINE_NATIVE_STACK_DEFAULT);
    if (pvf__engine_on_big_stack(run, ret, stack, &err) != 0) {
        die(seed, err.text);
    }
    pvf__engine_module_delete(module);
    pvf__engine_artifact_done(&artifact);
    pvf__buf_done(&rewritten);
}

int main(void)
{
    const struct pvf__engine_settings settings = {
        .native_stack_max = PVF__ENGINE_NATIVE_STACK_DEFAULT, .compile_threads = 2};
    struct pvf__engine *engine;
    pvf_error err = PVF_ERROR_INIT;
    static struct call calls[2];
    if (pvf__engine_new(&settings, &engine, &err) != 0) {
        die(0, err.text);
    }
    unsigned outcomes[3] = {0, 0, 0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct pvf__buf blob = PVF__BUF_INIT(1 << 20);
        wasm_gen_module(seed, &blob);
        run_form(engine, seed, &blob, PVF__WASM_CALLEE, &calls[0]);
        run_form(engine, seed, &blob, PVF__WASM_CALL_SITE, &calls[1]);
        if (calls[0].outcome.class != calls[1].outcome.class || calls[0].len != calls[1].len ||
            memcmp(calls[0].output, calls[1].output, calls[0].len) != 0) {
            (void)fprintf(stderr, "%s\n%s\n", calls[0].outcome.text, calls[1].outcome.text);
            die(seed, "the forms behave differently");
        }
        outcomes[calls[0].outcome.class]++;
        pvf__buf_done(&blob);
    }
    pvf__engine_delete(engine);
    (void)printf("%u modules: %u gave output, %u failed in start, %u trapped\n",
                 SEEDS,
                 outcomes[PVF__ENGINE_OK],
                 outcomes[PVF__ENGINE_RUNTIME_CONSTRUCTION],
                 outcomes[PVF__ENGINE_INVALID]);
    return outcomes[0] == 0 || outcomes[1] == 0 || outcomes[2] == 0;
}
