/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a prepare worker answers.  Trusts nothing that the job sends: it is decoded here, and
 * the checksum is of the bytes that were written.
 */
#include "prepare/prepare_worker.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "hash/hash.h"
#include "prepare/prepare_job.h"
#include "proto/command_line.h"
#include "proto/frame.h"
#include "proto/job_msg.h"
#include "worker/worker_job.h"
#include "worker/worker_signal.h"

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
                    const struct pvf__prepare_job_result *result,
                    const struct pvf__job_report *report)
{
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf__fd_write_file(
        worker->tmp_artifact_path, 0666, result->artifact.data, result->artifact.len, &err);
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

/* Judges a job's end, in the protocol's order: CPU limit, death, frame, exit code. */
static int judge(struct pvf__worker *worker, const struct pvf__job_report *report)
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
    return conclude(worker, &result, report);
}

/*
 * A second fence behind the counting allocator, for what is not counted: twice the limit for what
 * allocators waste, and a gibibyte for stacks and tables of the process itself.
 */
static uint64_t job_data_max(const struct pvf__executor_params *params)
{
    uint64_t limit = params->has_prechecking_max_memory ? params->prechecking_max_memory : 0;
    return limit == 0 || limit > UINT64_MAX / 4 ? 0 : 2 * limit + ((uint64_t)1 << 30);
}

int pvf__prepare_worker_request(struct pvf__worker *worker, const uint8_t *body, size_t len)
{
    struct pvf__prepare_request request;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__prepare_request_decode(body, len, &request, &err) != 0) {
        pvf__log(PVF__LOG_ERROR, "prepare request: %s", err.text);
        return PVF__EXIT_ORDERLY;
    }
    struct pvf__prepare_job job = {.request = &request, .form = form};
    struct pvf__job_spec spec = {
        .run = run_job,
        .context = &job,
        .cpu_limit_us = pvf__duration_to_us(request.prep_timeout),
        .payload_max = PVF__FRAME_MAX_PREPARE_JOB + PVF__FRAME_HEADER,
        .data_max = job_data_max(&request.params),
        .host_socket = worker->socket,
        .keep_fd = -1,
        .sandbox = &worker->sandbox,
    };
    struct pvf__job_report report;
    enum pvf__job_failure failure;
    if (pvf__job_run(&spec, &report, &failure, &err) != 0) {
        if (failure == PVF__JOB_FAILED_PIPE) {
            pvf__log(PVF__LOG_ERROR, "no pipe for a job: %s", err.text);
            return PVF__EXIT_ORDERLY;
        }
        return send_text(worker, PVF__PREPARE_KERNEL, err.text);
    }
    int code = report.host_gone ? PVF__EXIT_ORDERLY : judge(worker, &report);
    pvf__buf_done(&report.payload);
    return code;
}
