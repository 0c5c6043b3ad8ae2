/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what an execute worker answers.  What hostile code can cause is a verdict or a job's
 * death, never an internal error; what this machine causes is never a verdict.
 */
#include "execute/execute_worker.h"

#include "base/error.h"
#include "base/log.h"
#include "blob/decompress.h"
#include "execute/artifact_cache.h"
#include "execute/execute_job.h"
#include "proto/execute_msg.h"
#include "proto/frame.h"
#include "proto/job_msg.h"
#include "worker/worker_job.h"
#include "worker/worker_signal.h"

#include <string.h>
#include <sys/wait.h>

/* What this worker was told once, and holds for all its jobs. */
static struct {
    struct pvf__buf raw;
    struct pvf__executor_params params;
} self = {.raw = PVF__BUF_INIT(PVF__FRAME_MAX_PARAMS)};

static int send_answer(struct pvf__worker *worker, const struct pvf__execute_answer *answer)
{
    struct pvf__buf body PVF__CLEANUP_BUF = PVF__BUF_INIT(PVF__FRAME_MAX_EXECUTE_ANSWER);
    pvf__execute_answer_encode(answer, &body);
    return pvf__worker_send(worker, &body) == 0 ? 0 : PVF__EXIT_ORDERLY;
}

static int
send_internal(struct pvf__worker *worker, enum pvf__internal_error_kind kind, const char *text)
{
    struct pvf__execute_answer answer = {
        .error = {.kind = PVF__WORKER_ERROR_INTERNAL,
                  .internal = {.kind = kind, .text = pvf__slice_text(text)}},
    };
    return send_answer(worker, &answer);
}

static int send_job_error(struct pvf__worker *worker, const struct pvf__job_error *error)
{
    struct pvf__execute_answer answer = {
        .error = {.kind = PVF__WORKER_ERROR_JOB_ERROR, .job = *error},
    };
    return send_answer(worker, &answer);
}

static int send_timed_out(struct pvf__worker *worker)
{
    struct pvf__execute_answer answer = {.error = {.kind = PVF__WORKER_ERROR_JOB_TIMED_OUT}};
    return send_answer(worker, &answer);
}

/* A finding of the worker itself: no job ran, so its time and size are 0. */
static int send_finding(struct pvf__worker *worker, enum pvf__job_response_kind kind)
{
    struct pvf__execute_answer answer = {.ok = true, .response = {.kind = kind}};
    return send_answer(worker, &answer);
}

int pvf__execute_worker_begin(struct pvf__worker *worker)
{
    pvf_error err = PVF_ERROR_INIT;
    int status =
        pvf__frame_recv(worker->socket, PVF__FRAME_MAX_PARAMS, UINT64_MAX, &self.raw, &err);
    if (status == 0) {
        status = pvf__executor_params_decode(self.raw.data, self.raw.len, &self.params, &err);
    }
    if (status != 0) {
        pvf__error_wrap(&err, "execute pvf recv_execute_handshake: failed to decode Handshake");
        (void)send_internal(worker, PVF__INTERNAL_HOST_COMMUNICATION, err.text);
        return PVF__EXIT_ORDERLY;
    }
    return 0;
}

void pvf__execute_worker_no_request(struct pvf__worker *worker, const pvf_error *err)
{
    (void)send_internal(worker, PVF__INTERNAL_HOST_COMMUNICATION, err->text);
}

/* A job's own account of a clean exit. */
static int pass_on(struct pvf__worker *worker,
                   const struct pvf__job_report *report,
                   const struct pvf__execute_job_result *result,
                   size_t pov_size)
{
    if (!result->ok && result->error.kind == PVF__JOB_ERROR_TIMED_OUT) {
        return send_timed_out(worker);
    }
    if (!result->ok) {
        return send_job_error(worker, &result->error);
    }
    if (WEXITSTATUS(report->wait_status) != 0) {
        struct pvf__job_error error = {.kind = PVF__JOB_ERROR_UNEXPECTED_EXIT_STATUS,
                                       .exit_status = WEXITSTATUS(report->wait_status)};
        return send_job_error(worker, &error);
    }
    struct pvf__execute_answer answer = {
        .ok = true,
        .response = result->response,
        .duration = pvf__duration_from_us(report->cpu_us),
        .pov_size = (uint32_t)pov_size,
    };
    return send_answer(worker, &answer);
}

/* Judges a job's end, in the protocol's order: CPU limit, death, frame, exit code. */
static int judge(struct pvf__worker *worker, const struct pvf__job_report *report, size_t pov_size)
{
    if (report->timed_out) {
        return send_timed_out(worker);
    }
    if (!WIFEXITED(report->wait_status) || report->payload_over) {
        char text[64];
        pvf__worker_signal_text(report->wait_status, text, sizeof(text));
        struct pvf__execute_answer answer = {
            .error = {.kind = PVF__WORKER_ERROR_JOB_DIED,
                      .died_text = pvf__slice_text(text),
                      .job_pid = report->pid},
        };
        return send_answer(worker, &answer);
    }
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__slice body;
    struct pvf__execute_job_result result;
    int status = pvf__frame_first(report->payload.data, report->payload.len, &body, &err);
    if (status == 0) {
        status = pvf__execute_job_result_decode(body.data, body.len, &result, &err);
    }
    if (status == 0 && result.ok && result.response.kind > PVF__JOB_RESPONSE_INVALID_CANDIDATE) {
        /* Findings about the artifact and the PoV are the worker's; a job may not claim them. */
        status = pvf__error_set(&err, PVF_ERR_PEER, "the job claimed a finding of the worker");
    }
    if (status != 0) {
        struct pvf__job_error error = {.kind = PVF__JOB_ERROR_PANIC,
                                       .text = pvf__slice_text(err.text)};
        return send_job_error(worker, &error);
    }
    return pass_on(worker, report, &result, pov_size);
}

static int run_job(void *context, int pipe_fd)
{
    return pvf__execute_job_run(context, pipe_fd);
}

static int run(struct pvf__worker *worker,
               const struct pvf__execute_request *request,
               int artifact_fd,
               const struct pvf__blob *pov)
{
    struct pvf__validation_params input = {
        .parent_head = request->pvd.parent_head,
        .block_data = {.data = pov->data, .len = pov->len},
        .relay_parent_number = request->pvd.relay_parent_number,
        .has_v3 = request->descriptor_version == PVF__DESCRIPTOR_V3,
    };
    memcpy(input.relay_parent_storage_root, request->pvd.relay_parent_storage_root, 32);
    memcpy(input.relay_parent, request->relay_parent, 32);
    memcpy(input.scheduling_parent, request->scheduling_parent, 32);
    struct pvf__buf front PVF__CLEANUP_BUF = PVF__BUF_INIT(PVF__FRAME_MAX_EXECUTE_REQUEST);
    struct pvf__buf back PVF__CLEANUP_BUF = PVF__BUF_INIT(4096);
    pvf__validation_params_put_front(&front, &input);
    pvf__validation_params_put_back(&back, &input);
    if (front.failed != 0 || back.failed != 0) {
        return send_internal(worker, PVF__INTERNAL_KERNEL, "no memory for the input");
    }
    struct pvf__execute_job job = {
        .params = &self.params,
        .artifact_fd = artifact_fd,
        .input = {{front.data, front.len}, {pov->data, pov->len}, {back.data, back.len}},
    };
    struct pvf__job_spec spec = {
        .run = run_job,
        .context = &job,
        .cpu_limit_us = pvf__duration_to_us(request->timeout),
        .payload_max = PVF__FRAME_MAX_EXECUTE_JOB + PVF__FRAME_HEADER,
        .host_socket = worker->socket,
        .keep_fd = artifact_fd,
    };
    struct pvf__job_report report;
    enum pvf__job_failure failure;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__job_run(&spec, &report, &failure, &err) != 0) {
        if (failure != PVF__JOB_FAILED_PIPE) {
            return send_internal(worker, PVF__INTERNAL_KERNEL, err.text);
        }
        (void)send_internal(worker, PVF__INTERNAL_COULD_NOT_CREATE_PIPE, err.text);
        return PVF__EXIT_ORDERLY;
    }
    int code = report.host_gone ? PVF__EXIT_ORDERLY : judge(worker, &report, pov->len);
    pvf__buf_done(&report.payload);
    return code;
}

int pvf__execute_worker_request(struct pvf__worker *worker, const uint8_t *body, size_t len)
{
    struct pvf__execute_request request;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__execute_request_decode(body, len, &request, &err) != 0) {
        pvf__error_wrap(&err, "execute pvf recv_request: failed to decode ExecuteRequest");
        (void)send_internal(worker, PVF__INTERNAL_HOST_COMMUNICATION, err.text);
        return PVF__EXIT_ORDERLY;
    }
    enum pvf__artifact_verdict verdict;
    int artifact_fd;
    if (pvf__artifact_cache_get(
            worker->artifact_path, request.artifact_checksum, &verdict, &artifact_fd, &err) != 0) {
        (void)send_internal(worker, PVF__INTERNAL_COULD_NOT_OPEN_FILE, err.text);
        return PVF__EXIT_ORDERLY;
    }
    if (verdict == PVF__ARTIFACT_CORRUPT) {
        return send_finding(worker, PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT);
    }
    struct pvf__blob pov = PVF__BLOB_INIT;
    int status =
        pvf__blob_decompress(request.pov.data, request.pov.len, PVF__BLOB_POV_LIMIT, &pov, &err);
    if (status == PVF_ERR_MALFORMED || status == PVF_ERR_LIMIT) {
        return send_finding(worker, PVF__JOB_RESPONSE_POV_DECOMPRESSION_FAILURE);
    }
    if (status != 0) {
        /* The decoder itself failed, which a hostile PoV may cause: never an internal error. */
        struct pvf__job_error error = {.kind = PVF__JOB_ERROR_PANIC,
                                       .text = pvf__slice_text(err.text)};
        return send_job_error(worker, &error);
    }
    int code = run(worker, &request, artifact_fd, &pov);
    pvf__blob_done(&pov);
    return code;
}
