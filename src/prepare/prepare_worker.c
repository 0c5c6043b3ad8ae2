/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a prepare worker answers.  Trusts nothing that the job sends: it is decoded here, and
 * the checksum is of the bytes that were written.
 */
#include "prepare/prepare_worker.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/engine_config.h"
#include "hash/hash.h"
#include "prepare/prepare_job.h"
#include "proto/command_line.h"
#include "proto/frame.h"
#include "proto/job_msg.h"
#include "wasm/wasm_bodies.h"
#include "worker/worker_job.h"
#include "worker/worker_signal.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* As the command line says; a worker has one. */
static enum pvf__wasm_form form = PVF__WASM_CALLEE;

int pvf__prepare_worker_set_metering(const char *value, pvf_error *err)
{
    if (strcmp(value, PVF__WORD_METERING_CALLEE) == 0) {
        form = PVF__WASM_CALLEE;
    } else if (strcmp(value, PVF__WORD_METERING_CALL_SITE) == 0) {
        form = PVF__WASM_CALL_SITE;
    } else {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "the value of %s is %s or %s, not %s",
                              PVF__WORD_METERING,
                              PVF__WORD_METERING_CALLEE,
                              PVF__WORD_METERING_CALL_SITE,
                              value);
    }
    return 0;
}

/* As the command line says. */
static bool has_first_tier;

int pvf__prepare_worker_set_first_tier(const char *value, pvf_error *err)
{
    has_first_tier = strcmp(value, PVF__WORD_FIRST_TIER_ON) == 0;
    if (!has_first_tier && strcmp(value, PVF__WORD_FIRST_TIER_OFF) != 0) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "the value of %s is %s or %s, not %s",
                              PVF__WORD_FIRST_TIER,
                              PVF__WORD_FIRST_TIER_ON,
                              PVF__WORD_FIRST_TIER_OFF,
                              value);
    }
    return 0;
}

/* More gain little: the engine's last steps have one thread. */
#define THREADS_DEFAULT_MAX 4

/* Compressed code below this is compiled before threads would have started. */
#define CODE_FOR_THREADS_MIN ((size_t)128 * 1024)

/* As the command line says; 0: as many as there are processors for us, within reason. */
static size_t threads_wanted;
_Static_assert(PVF__WASM_BODIES_MOST == PVF__COMPILE_THREADS_MAX, "hosts refuse what we refuse");

int pvf__prepare_worker_set_threads(const char *value, pvf_error *err)
{
    uint64_t number;
    if (!pvf__text_parse_u64(value, PVF__WASM_BODIES_MOST, &number) || number == 0) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "the value of %s is a number from 1 to %zu, not %s",
                              PVF__WORD_COMPILE_THREADS,
                              PVF__WASM_BODIES_MOST,
                              value);
    }
    threads_wanted = (size_t)number;
    return 0;
}

/* Asked for each job: who governs the machine may move the worker. */
static size_t threads_for(const struct pvf__prepare_request *request)
{
    if (request->code.len < CODE_FOR_THREADS_MIN) {
        return 1;
    }
    if (threads_wanted != 0) {
        return threads_wanted;
    }
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof(processors), &processors) != 0) {
        return 1;
    }
    int count = CPU_COUNT(&processors);
    return count < THREADS_DEFAULT_MAX ? (size_t)count : THREADS_DEFAULT_MAX;
}

static int send_answer(struct pvf__worker *worker, const struct pvf__prepare_answer *answer)
{
    struct pvf__buf body PVF__CLEANUP_BUF = PVF__BUF_INIT(PVF__FRAME_MAX_PREPARE_ANSWER);
    pvf__prepare_answer_encode(answer, &body);
    return pvf__worker_send(worker, &body) == 0 ? 0 : PVF__EXIT_ORDERLY;
}

static int send_error(struct pvf__worker *worker, const struct pvf__prepare_error *error)
{
    struct pvf__prepare_answer answer = {.ok = false, .error = *error};
    return send_answer(worker, &answer);
}

static int
send_text(struct pvf__worker *worker, enum pvf__prepare_error_kind kind, const char *text)
{
    struct pvf__prepare_error error = {.kind = kind, .text = pvf__slice_text(text)};
    return send_error(worker, &error);
}

static int run_job(void *context, int pipe_fd)
{
    return pvf__prepare_job_run(context, pipe_fd);
}

/* Writes the artifact of a job that ended well, and answers with its checksum. */
static int conclude(struct pvf__worker *worker,
                    const char *path,
                    const struct pvf__prepare_job_result *result,
                    const struct pvf__job_report *report)
{
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf__fd_write_file(path, 0666, result->artifact.data, result->artifact.len, &err);
    if (status != 0) {
        return send_text(worker, PVF__PREPARE_IO_ERR, err.text);
    }
    struct pvf__prepare_answer answer = {
        .ok = true,
        .stats = {.cpu_time = pvf__duration_from_us(report->cpu_us),
                  .memory = result->memory,
                  .code_len = result->code_len},
    };
    pvf__hash_twox_256(result->artifact.data, result->artifact.len, answer.checksum);
    return send_answer(worker, &answer);
}

/* A job's own account.  What only we or the host find out, no job may claim. */
static int pass_on(struct pvf__worker *worker, const struct pvf__prepare_error *error)
{
    switch (error->kind) {
    case PVF__PREPARE_IO_ERR:
    case PVF__PREPARE_CREATE_TMP_FILE:
    case PVF__PREPARE_RENAME_TMP_FILE:
    case PVF__PREPARE_CLEAR_WORKER_DIR:
    case PVF__PREPARE_JOB_DIED:
        return send_text(worker, PVF__PREPARE_JOB_ERROR, "the job claimed a finding of the worker");
    case PVF__PREPARE_PREVALIDATION:
    case PVF__PREPARE_PREPARATION:
    case PVF__PREPARE_RUNTIME_CONSTRUCTION:
    case PVF__PREPARE_JOB_ERROR:
    case PVF__PREPARE_TIMED_OUT:
    case PVF__PREPARE_OUT_OF_MEMORY:
    case PVF__PREPARE_KERNEL:
    case PVF__PREPARE_COULD_NOT_DECOMPRESS:
    default:
        return send_error(worker, error);
    }
}

/*
 * Whether one thread might do what several could not: they need more memory at once, more CPU time
 * where processors share something, and all of the code although its first function is wrong.
 */
static bool may_be_for_threads(const struct pvf__job_report *report)
{
    struct pvf__slice body;
    struct pvf__prepare_job_result result;
    if (report->timed_out) {
        return true;
    }
    if (!WIFEXITED(report->wait_status)) {
        return report->memory_was_short;
    }
    if (pvf__frame_first(report->frame.data, report->frame.len, &body, NULL) != 0 ||
        pvf__prepare_job_result_decode(body.data, body.len, &result, NULL) != 0 || result.ok) {
        return false;
    }
    return result.error.kind == PVF__PREPARE_OUT_OF_MEMORY ||
           result.error.kind == PVF__PREPARE_JOB_ERROR;
}

/*
 * Judges a job's end, in the protocol's order: CPU limit, death, frame, exit code.  What it made
 * goes to `path`.
 */
static int judge(struct pvf__worker *worker, const char *path, const struct pvf__job_report *report)
{
    if (report->timed_out) {
        struct pvf__prepare_error error = {.kind = PVF__PREPARE_TIMED_OUT};
        return send_error(worker, &error);
    }
    if (report->payload_over) {
        return send_text(worker, PVF__PREPARE_JOB_ERROR, "the job sent more than its limit");
    }
    if (!WIFEXITED(report->wait_status)) {
        char text[128];
        pvf__worker_death_text(report, text, sizeof(text));
        struct pvf__prepare_error error = {
            .kind = PVF__PREPARE_JOB_DIED, .text = pvf__slice_text(text), .job_pid = report->pid};
        return send_error(worker, &error);
    }
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__slice body;
    if (pvf__frame_first(report->frame.data, report->frame.len, &body, &err) != 0) {
        return send_text(worker, PVF__PREPARE_JOB_ERROR, "failed to fill whole buffer");
    }
    struct pvf__prepare_job_result result;
    if (pvf__prepare_job_result_decode(body.data, body.len, &result, &err) != 0) {
        pvf__error_wrap(&err, "prepare pvf recv_child_response: decode error");
        return send_text(worker, PVF__PREPARE_JOB_ERROR, err.text);
    }
    if (!result.ok) {
        return pass_on(worker, &result.error);
    }
    if (WEXITSTATUS(report->wait_status) != 0) {
        char text[64];
        (void)snprintf(
            text, sizeof(text), "unexpected exit status: %d", WEXITSTATUS(report->wait_status));
        return send_text(worker, PVF__PREPARE_JOB_ERROR, text);
    }
    return conclude(worker, path, &result, report);
}

/* Of each thread: its stack, and what an allocator keeps for it. */
#define THREAD_UNCOUNTED ((uint64_t)128 << 20)

/*
 * A second fence behind the counting allocator, for what is not counted: twice the limit for what
 * allocators waste, and a gibibyte for stacks and tables of the process itself.
 */
static uint64_t job_data_max(const struct pvf__executor_params *params, size_t threads)
{
    uint64_t limit = params->has_prechecking_max_memory ? params->prechecking_max_memory : 0;
    uint64_t uncounted = ((uint64_t)1 << 30) + threads * THREAD_UNCOUNTED;
    return limit == 0 || limit > UINT64_MAX / 4 ? 0 : 2 * limit + uncounted;
}

/*
 * Runs the job, and once more on one thread where several may be what failed: no limit may be
 * stricter for them than it is for one.  Both have the whole CPU limit; the host waits four times
 * as long.  A first tier has half of it, so that the host never takes what that may use for all,
 * and one try, since nothing hangs on it.
 */
static int run_jobs(struct pvf__worker *worker,
                    const struct pvf__prepare_request *request,
                    bool first_tier,
                    struct pvf__job_report *ret,
                    enum pvf__job_failure *ret_failure,
                    pvf_error *err)
{
    struct pvf__prepare_job job = {.request = request,
                                   .form = form,
                                   .compile_threads = threads_for(request),
                                   .first_tier = first_tier};
    struct pvf__job_spec spec = {
        .run = run_job,
        .context = &job,
        .cpu_limit_us = pvf__duration_to_us(request->prep_timeout) / (first_tier ? 2 : 1),
        .payload_max = PVF__FRAME_MAX_PREPARE_JOB + PVF__FRAME_HEADER,
        .data_max = job_data_max(&request->params, job.compile_threads),
        .host_socket = worker->socket,
        .keep_fd = -1,
        .sandbox = &worker->sandbox,
    };
    int status = pvf__job_run(&spec, ret, ret_failure, err);
    if (status == 0 && !first_tier && job.compile_threads > 1 && !ret->host_gone &&
        may_be_for_threads(ret)) {
        pvf__log(PVF__LOG_DEBUG, "a job on %zu threads is done again on one", job.compile_threads);
        pvf__buf_done(&ret->payload);
        job.compile_threads = 1;
        status = pvf__job_run(&spec, ret, ret_failure, err);
    }
    return status;
}

static int
answer(struct pvf__worker *worker, const struct pvf__prepare_request *request, bool first_tier)
{
    struct pvf__job_report report;
    enum pvf__job_failure failure;
    pvf_error err = PVF_ERROR_INIT;
    if (run_jobs(worker, request, first_tier, &report, &failure, &err) != 0) {
        if (failure == PVF__JOB_FAILED_PIPE) {
            pvf__log(PVF__LOG_ERROR, "no pipe for a job: %s", err.text);
            return PVF__EXIT_ORDERLY;
        }
        return send_text(worker, PVF__PREPARE_KERNEL, err.text);
    }
    const char *path = first_tier ? worker->first_tier_path : worker->tmp_artifact_path;
    int code = report.host_gone ? PVF__EXIT_ORDERLY : judge(worker, path, &report);
    pvf__buf_done(&report.payload);
    return code;
}

/* Why no first tier is made; NULL: it is. */
static const char *no_first_tier(const struct pvf__prepare_request *request)
{
    if (request->code.len < CODE_FOR_THREADS_MIN) {
        return "no first tier: the code is small";
    }
    if (!pvf__engine_first_tier_fits(request->params.native_max, request->params.logical_max)) {
        return "no first tier: the parameters allow too little native stack";
    }
    return NULL;
}

static int answer_first_tier(struct pvf__worker *worker, const struct pvf__prepare_request *request)
{
    const char *why_not = no_first_tier(request);
    return why_not != NULL ? send_text(worker, PVF__PREPARE_JOB_ERROR, why_not)
                           : answer(worker, request, true);
}

int pvf__prepare_worker_request(struct pvf__worker *worker, const struct pvf__worker_request *came)
{
    struct pvf__prepare_request request;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__prepare_request_decode(came->body.data, came->body.len, &request, &err) != 0) {
        pvf__log(PVF__LOG_ERROR, "prepare request: %s", err.text);
        return PVF__EXIT_ORDERLY;
    }
    /* Never for a precheck, which is about the code: what it finds is what will be run. */
    int code = has_first_tier && request.kind == PVF__PREP_COMPILATION
                   ? answer_first_tier(worker, &request)
                   : 0;
    return code != 0 ? code : answer(worker, &request, false);
}
