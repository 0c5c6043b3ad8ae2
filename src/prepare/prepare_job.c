/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what happens inside a prepare job: decompress, check, rewrite, compile, and for
 * prechecking the construction of the runtime.  Works on hostile bytes in a process of its own.
 */
#include "prepare/prepare_job.h"

#include "base/error.h"
#include "base/fd.h"
#include "blob/decompress.h"
#include "engine/engine_compile.h"
#include "engine/engine_load.h"
#include "engine/engine_memory.h"
#include "proto/exit_codes.h"
#include "proto/frame.h"
#include "proto/job_msg.h"
#include "wasm/wasm_bodies.h"
#include "worker/worker_job_say.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct prepare {
    const struct pvf__prepare_request *request;
    enum pvf__wasm_form form;
    size_t compile_threads;
    bool first_tier;
    struct pvf__prepare_job_result result;
    char text[1024]; /* words of result.error */
};

/* Where the allocator writes its last word; there is one job in this process. */
static int limit_pipe = -1;

static void on_limit(void)
{
    ssize_t done = write(limit_pipe, pvf__job_msg_out_of_memory, PVF__JOB_MSG_OUT_OF_MEMORY_LEN);
    _exit(done == (ssize_t)PVF__JOB_MSG_OUT_OF_MEMORY_LEN ? 1 : 2);
}

static int fail(struct prepare *prepare, enum pvf__prepare_error_kind kind, const char *text)
{
    (void)snprintf(prepare->text, sizeof(prepare->text), "%s", text);
    prepare->result.ok = false;
    prepare->result.error = (struct pvf__prepare_error){
        .kind = kind,
        .text = pvf__slice_text(prepare->text),
    };
    return -1;
}

/* As the reference words what its engine refuses. */
static int fail_engine(struct prepare *prepare, enum pvf__prepare_error_kind kind, const char *text)
{
    char words[sizeof(prepare->text)];
    (void)snprintf(words, sizeof(words), "Other(\"%s\")", text);
    return fail(prepare, kind, words);
}

/*
 * The smallest native stack that the relay chain accepts: 128 bytes for each of at least 1024
 * values.  Below it the native stack alone decides the verdict and every frame counts, so the
 * reference's form is compiled, whose thunks are frames of their own.
 */
#define NATIVE_STACK_CHAIN_MIN (128u * 1024)

/*
 * Bytes of functions that are compiled at the same time.  The largest function of a known runtime
 * has 114 KB, so that four of them pass; code that is made to need much memory gets as much as one
 * thread would need for it.
 */
#define BODIES_IN_WORK_MAX ((size_t)512 * 1024)

static int rewrite(struct prepare *prepare, const struct pvf__blob *code, struct pvf__buf *module)
{
    const struct pvf__executor_params *params = &prepare->request->params;
    struct pvf__wasm_fault fault;
    enum pvf__wasm_form form =
        params->native_max < NATIVE_STACK_CHAIN_MIN ? PVF__WASM_CALL_SITE : prepare->form;
    int status =
        pvf__wasm_rewrite(code->data, code->len, params->logical_max, form, module, &fault);
    if (status == PVF_ERR_NO_MEMORY || status == PVF_ERR_LIMIT) {
        /* This machine's failure, so no verdict on the code. */
        return fail(prepare, PVF__PREPARE_KERNEL, fault.text);
    }
    if (status != 0) {
        return fail(prepare,
                    fault.stage == PVF__WASM_PREVALIDATION ? PVF__PREPARE_PREVALIDATION
                                                           : PVF__PREPARE_PREPARATION,
                    fault.text);
    }
    pvf__engine_memory_add(module->cap);
    return 0;
}

static int compile(struct prepare *prepare,
                   struct pvf__engine *engine,
                   const struct pvf__buf *module,
                   struct pvf__engine_artifact *artifact)
{
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf__engine_compile(engine, module->data, module->len, artifact, &err);
    if (status == PVF_ERR_INTERNAL) {
        return fail(prepare, PVF__PREPARE_JOB_ERROR, err.text);
    }
    if (status != 0) {
        return fail_engine(prepare, PVF__PREPARE_PREPARATION, err.text);
    }
    struct rusage usage;
    struct pvf__memory_stats *memory = &prepare->result.memory;
    memory->has_max_rss = getrusage(RUSAGE_SELF, &usage) == 0;
    memory->max_rss = memory->has_max_rss ? usage.ru_maxrss : 0;
    return 0;
}

static int construct(struct prepare *prepare,
                     struct pvf__engine *engine,
                     const struct pvf__engine_artifact *artifact)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__engine_module *module;
    bool ecc = prepare->request->params.ecc_rfc163;
    if (pvf__engine_load_bytes(engine, artifact->data, artifact->len, ecc, &module, &err) != 0) {
        return fail_engine(prepare, PVF__PREPARE_RUNTIME_CONSTRUCTION, err.text);
    }
    return 0;
}

/* The steps in their order; the artifact stays in *artifact. */
static int run(struct prepare *prepare, struct pvf__engine_artifact *artifact)
{
    const struct pvf__prepare_request *request = prepare->request;
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__blob code = PVF__BLOB_INIT;
    struct pvf__buf module = PVF__BUF_INIT(SIZE_MAX);
    struct pvf__engine *engine;
    int status = pvf__blob_decompress(
        request->code.data, request->code.len, request->bomb_limit, &code, &err);
    if (status == PVF_ERR_MALFORMED || status == PVF_ERR_LIMIT) {
        return fail(prepare, PVF__PREPARE_COULD_NOT_DECOMPRESS, err.text);
    }
    if (status != 0) {
        return fail(prepare, PVF__PREPARE_JOB_ERROR, err.text);
    }
    prepare->result.code_len = (uint32_t)code.len;
    status = rewrite(prepare, &code, &module);
    if (status != 0) {
        return status;
    }
    const struct pvf__engine_settings settings = {
        .native_stack_max = request->params.native_max,
        .bulk_memory = request->params.bulk_memory,
        .compile_threads = pvf__wasm_bodies_at_once(
            module.data, module.len, prepare->compile_threads, BODIES_IN_WORK_MAX),
        .first_tier = prepare->first_tier,
    };
    if (pvf__engine_new(&settings, &engine, &err) != 0) {
        return fail_engine(prepare, PVF__PREPARE_PREPARATION, err.text);
    }
    status = compile(prepare, engine, &module, artifact);
    if (status == 0 && request->kind == PVF__PREP_PRECHECKING) {
        status = construct(prepare, engine, artifact);
    }
    return status;
    /* Nothing is torn down: the process ends. */
}

int pvf__prepare_job_run(const struct pvf__prepare_job *job, int pipe_fd)
{
    static struct prepare prepare;
    const struct pvf__prepare_request *request = job->request;
    prepare.request = request;
    prepare.form = job->form;
    prepare.compile_threads = job->compile_threads;
    prepare.first_tier = job->first_tier;
    limit_pipe = pipe_fd;
    pvf__engine_memory_track(
        request->params.has_prechecking_max_memory ? request->params.prechecking_max_memory : 0,
        on_limit);
    pvf_error err = PVF_ERROR_INIT;
    /* All of it counts: the reference decompresses code under the limit. */
    if (pvf__job_say_ready(pipe_fd, request->code.len, 0, &err) != 0) {
        return PVF__EXIT_ORDERLY;
    }
    struct pvf__engine_artifact artifact = {0};
    int status = run(&prepare, &artifact);
    struct pvf__memory_stats *memory = &prepare.result.memory;
    memory->peak_tracked_alloc = pvf__engine_memory_peak();
    memory->has_tracker = memory->has_max_rss;
    memory->allocated = memory->peak_tracked_alloc;
    memory->resident = (uint64_t)memory->max_rss * 1024;
    if (status == 0) {
        prepare.result.ok = true;
        prepare.result.artifact = (struct pvf__slice){.data = artifact.data, .len = artifact.len};
    }
    struct pvf__buf frame = PVF__BUF_INIT(PVF__FRAME_MAX_PREPARE_JOB + PVF__FRAME_HEADER);
    size_t start;
    pvf__frame_begin(&frame, &start);
    pvf__prepare_job_result_encode(&prepare.result, &frame);
    pvf__frame_end(&frame, start);
    if (frame.failed != 0 || pvf__fd_write(pipe_fd, frame.data, frame.len, &err) != 0) {
        return PVF__EXIT_ORDERLY;
    }
    return status == 0 ? PVF__EXIT_OK : PVF__EXIT_ORDERLY;
}
