/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_harness.h"

#include "base/error.h"
#include "engine/engine_compile.h"
#include "engine/engine_stack.h"
#include "wasm/wasm_rewrite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define REWRITTEN_MAX ((size_t)256 * 1024 * 1024)
#define STACK_LIMIT 65536
#define DEFAULT_PAGES 2080

struct job {
    const struct pvf__engine_module *module;
    const struct harness_options *options;
    struct harness_result *result;
    struct pvf__engine_outcome outcome;
};

static const int TRAP_SIGNALS[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
static struct sigaction engine_actions[4];

int harness_setup(void **state)
{
    (void)state;
    const struct pvf__engine_settings settings = {.native_stack_max = 65536};
    struct pvf__engine *engine = NULL;
    if (pvf__engine_new(&settings, &engine, NULL) != 0) {
        return -1;
    }
    pvf__engine_delete(engine);
    for (size_t i = 0; i < 4; i++) {
        (void)sigaction(TRAP_SIGNALS[i], NULL, &engine_actions[i]);
    }
    return 0;
}

static void give_signals_to_engine(void)
{
    for (size_t i = 0; i < 4; i++) {
        (void)sigaction(TRAP_SIGNALS[i], &engine_actions[i], NULL);
    }
}

static void take_output(void *context, const uint8_t *data, size_t len)
{
    const struct job *job = context;
    struct harness_result *result = job->result;
    const struct pvf__slice *input = &job->options->input;
    size_t kept = len < sizeof(result->output) ? len : sizeof(result->output);
    memcpy(result->output, data, kept);
    result->output_len = len;
    result->is_input = len == input->len && (len == 0 || memcmp(data, input->data, len) == 0);
}

static void run_job(void *arg)
{
    struct job *job = arg;
    const struct harness_options *options = job->options;
    /* In two parts, so that they are seen to be joined. */
    size_t half = options->input.len / 2;
    const struct pvf__slice parts[] = {
        {options->input.data, half},
        {half < options->input.len ? options->input.data + half : NULL, options->input.len - half},
    };
    const struct pvf__engine_input input = {parts, 2};
    const struct pvf__engine_limits limits = {
        .max_pages = options->max_pages > 0 ? options->max_pages : DEFAULT_PAGES,
        .max_log_level = 1,
    };
    if (!options->warm) {
        pvf__engine_run(job->module, &limits, &input, take_output, job, &job->outcome);
        return;
    }
    struct pvf__engine_instance *instance =
        pvf__engine_instance_prepare(job->module, &limits, &job->outcome);
    if (instance == NULL) {
        return;
    }
    pvf__engine_instance_warm_thread(instance);
    if (pvf__engine_instance_start(instance, job->module, &job->outcome)) {
        pvf__engine_instance_warm_up(instance, job->module);
        pvf__engine_module_touch(job->module);
        pvf__engine_instance_call(instance, &input, take_output, job, &job->outcome);
    }
    pvf__engine_instance_delete(instance);
}

static void say(struct harness_result *result, enum verdict verdict, const char *text)
{
    result->verdict = verdict;
    (void)snprintf(result->text, sizeof(result->text), "%s", text);
}

static void execute(const struct pvf__engine_module *module,
                    const struct harness_options *options,
                    uint32_t native_stack_max,
                    struct harness_result *ret)
{
    struct job job = {.module = module, .options = options, .result = ret};
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__engine_on_big_stack(run_job, &job, pvf__engine_stack_size(native_stack_max), &err) !=
        0) {
        say(ret, VERDICT_PREPARATION, err.text);
        return;
    }
    static const enum verdict verdicts[] = {
        [PVF__ENGINE_OK] = VERDICT_OK,
        [PVF__ENGINE_RUNTIME_CONSTRUCTION] = VERDICT_CONSTRUCTION,
        [PVF__ENGINE_INVALID] = VERDICT_INVALID,
    };
    say(ret, verdicts[job.outcome.class], job.outcome.text);
}

/* The artifact goes the way it goes in a worker: through a sealed file. */
static int load(struct pvf__engine *engine,
                const struct pvf__engine_artifact *artifact,
                bool ecc,
                struct pvf__engine_module **ret,
                pvf_error *err)
{
    PVF__CLEANUP_FD int fd = memfd_create("artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || write(fd, artifact->data, artifact->len) != (ssize_t)artifact->len) {
        return pvf__error_set(err, PVF_ERR_IO, "cannot store the artifact");
    }
    return pvf__engine_load_fd(engine, fd, ecc, ret, err);
}

static void prepared(struct pvf__engine *engine,
                     const struct pvf__slice *wasm,
                     const struct harness_options *options,
                     uint32_t native_stack_max,
                     struct harness_result *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__engine_artifact artifact = {NULL, 0};
    if (pvf__engine_compile(engine, wasm->data, wasm->len, &artifact, &err) != 0) {
        say(ret, VERDICT_PREPARATION, err.text);
        return;
    }
    struct pvf__engine_module *module = NULL;
    int status = load(engine, &artifact, options->ecc, &module, &err);
    pvf__engine_artifact_done(&artifact);
    if (status != 0) {
        say(ret, VERDICT_LINK, err.text);
        return;
    }
    execute(module, options, native_stack_max, ret);
    pvf__engine_module_delete(module);
}

void harness_run_wasm(const uint8_t *wasm,
                      size_t len,
                      const struct harness_options *options,
                      struct harness_result *ret)
{
    memset(ret, 0, sizeof(*ret));
    PVF__CLEANUP_BUF struct pvf__buf rewritten = PVF__BUF_INIT(REWRITTEN_MAX);
    struct pvf__slice plain = {wasm, len};
    if (options->rewrite) {
        struct pvf__wasm_fault fault;
        if (pvf__wasm_rewrite(wasm, len, STACK_LIMIT, PVF__WASM_CALLEE, &rewritten, &fault) != 0) {
            say(ret, VERDICT_PREPARATION, "refused by the rewriter");
            return;
        }
        plain = (struct pvf__slice){rewritten.data, rewritten.len};
    }
    const struct pvf__engine_settings settings = {
        .native_stack_max = options->native_stack_max > 0 ? options->native_stack_max
                                                          : PVF__ENGINE_NATIVE_STACK_DEFAULT,
    };
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__engine *engine = NULL;
    if (pvf__engine_new(&settings, &engine, &err) != 0) {
        say(ret, VERDICT_PREPARATION, err.text);
        return;
    }
    give_signals_to_engine();
    prepared(engine, &plain, options, settings.native_stack_max, ret);
    pvf__engine_delete(engine);
}

void harness_run(const struct builder *builder,
                 const struct harness_options *options,
                 struct harness_result *ret)
{
    PVF__CLEANUP_BUF struct pvf__buf wasm;
    builder_module(builder, &wasm);
    harness_run_wasm(wasm.data, wasm.len, options, ret);
}
