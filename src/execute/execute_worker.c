/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what an execute worker answers.  What hostile code can cause is a verdict or a job's
 * death, never an internal error; what this machine causes is never a verdict.
 */
#include "execute/execute_worker.h"

#include "base/error.h"
#include "execute/artifact_cache.h"
#include "execute/execute_job.h"
#include "execute/execute_params.h"
#include "execute/zygote.h"
#include "proto/execute_msg.h"
#include "proto/frame.h"
#include "proto/job_msg.h"
#include "worker/worker_job.h"
#include "worker/worker_job_end.h"
#include "worker/worker_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/wait.h>

/* What this worker was told once, and holds for all its jobs; upgraded, each job is told. */
static struct pvf__buf told = PVF__BUF_INIT(PVF__FRAME_MAX_PARAMS);

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

/* A finding from before the guest ran: time and size are 0. */
static int send_finding(struct pvf__worker *worker, enum pvf__job_response_kind kind)
{
    struct pvf__execute_answer answer = {.ok = true, .response = {.kind = kind}};
    return send_answer(worker, &answer);
}

int pvf__execute_worker_begin(struct pvf__worker *worker)
{
    pvf_error err = PVF_ERROR_INIT;
    const struct pvf__execute_set *set;
    /* Of the two threads of a job one works at a time: what it allocates may come from one place.
     */
    (void)mallopt(M_ARENA_MAX, 1);
    if (worker->upgraded) {
        return 0;
    }
    int status = pvf__frame_recv(worker->socket, PVF__FRAME_MAX_PARAMS, UINT64_MAX, &told, &err);
    if (status == 0) {
        status = pvf__execute_params_get((struct pvf__slice){told.data, told.len}, &set, &err);
    }
    if (status != 0) {
        pvf__error_wrap(&err, "execute pvf recv_execute_handshake: failed to decode Handshake");
        (void)send_internal(worker, PVF__INTERNAL_HOST_COMMUNICATION, err.text);
        return PVF__EXIT_ORDERLY;
    }
    return 0;
}

/* What the job that is leaving was for (key_of). */
static uint64_t leaving;

/* Until it has ended, or something comes from the socket. */
static void see_off(int socket)
{
    if (pvf__job_see_off(socket) == PVF__JOB_ENDED_BADLY) {
        pvf__zygote_end(leaving, false);
    }
}

void pvf__execute_worker_rest(struct pvf__worker *worker)
{
    see_off(worker->socket);
}

void pvf__execute_worker_idle(void)
{
    pvf__zygotes_prune(NULL);
}

void pvf__execute_worker_no_request(struct pvf__worker *worker, const pvf_error *err)
{
    /* A last word to a host that may be gone, which is how a worker's life usually ends. */
    struct pvf__execute_answer answer = {
        .error = {.kind = PVF__WORKER_ERROR_INTERNAL,
                  .internal = {.kind = PVF__INTERNAL_HOST_COMMUNICATION,
                               .text = pvf__slice_text(err->text)}},
    };
    struct pvf__buf body PVF__CLEANUP_BUF = PVF__BUF_INIT(PVF__FRAME_MAX_EXECUTE_ANSWER);
    pvf__execute_answer_encode(&answer, &body);
    if (body.failed == 0) {
        (void)!pvf__frame_send(worker->socket, body.data, body.len, UINT64_MAX, NULL);
    }
}

/* A job's own account of a clean exit. */
static int pass_on(struct pvf__worker *worker,
                   const struct pvf__job_report *report,
                   const struct pvf__execute_job_result *result)
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
    if (result->response.kind == PVF__JOB_RESPONSE_POV_DECOMPRESSION_FAILURE) {
        return send_finding(worker, result->response.kind);
    }
    struct pvf__execute_answer answer = {
        .ok = true,
        .response = result->response,
        .duration = pvf__duration_from_us(report->cpu_us),
        .pov_size = report->input_len,
    };
    return send_answer(worker, &answer);
}

/* Judges a job's end, in the protocol's order: CPU limit, death, frame, exit code. */
static int judge(struct pvf__worker *worker, const struct pvf__job_report *report)
{
    if (report->timed_out) {
        return send_timed_out(worker);
    }
    if (!WIFEXITED(report->wait_status) || report->payload_over) {
        char text[128];
        pvf__worker_death_text(report, text, sizeof(text));
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
    int status = pvf__frame_first(report->frame.data, report->frame.len, &body, &err);
    if (status == 0) {
        status = pvf__execute_job_result_decode(body.data, body.len, &result, &err);
    }
    if (status == 0 && result.ok && result.response.kind == PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT) {
        /* Our own finding, made before the job; it costs a preparation, so no job may claim it. */
        status = pvf__error_set(&err, PVF_ERR_PEER, "the job claimed a finding of the worker");
    }
    if (status != 0) {
        struct pvf__job_error error = {.kind = PVF__JOB_ERROR_PANIC,
                                       .text = pvf__slice_text(err.text)};
        return send_job_error(worker, &error);
    }
    return pass_on(worker, report, &result);
}

static int run_job(void *context, int pipe_fd)
{
    return pvf__execute_job_run(context, pipe_fd);
}

/* A request, and what it names. */
struct assignment {
    struct pvf__slice body;
    struct pvf__execute_request request;
    const struct pvf__execute_set *set;
    int artifact_fd;   /* the cache's */
    uint32_t artifact; /* its number */
};

/* What a zygote is for: an artifact, as it is used with a set of parameters. */
static uint64_t key_of(const struct assignment *assignment)
{
    return (uint64_t)assignment->artifact << 32 | assignment->set->number;
}

static bool is_kept(uint64_t key)
{
    return pvf__artifact_cache_has((uint32_t)(key >> 32)) && pvf__execute_params_has((uint32_t)key);
}

static bool ended_well(const struct pvf__job_report *report)
{
    return !report->timed_out && WIFEXITED(report->wait_status) &&
           WEXITSTATUS(report->wait_status) == PVF__EXIT_OK;
}

/*
 * Answered: until the next request there is time to be ready for it.  Not after a job that did not
 * end well, whoever's fault it was: the next starts from nothing.
 */
static void look_ahead(struct pvf__worker *worker,
                       const struct assignment *assignment,
                       const struct pvf__job_report *report)
{
    const struct pvf__zygote_spec spec = {.sandbox = &worker->sandbox,
                                          .params = &assignment->set->params,
                                          .data_max = assignment->set->data_max,
                                          .artifact_fd = assignment->artifact_fd,
                                          .wire = -1};
    pvf__zygotes_prune(is_kept);
    if (!report->made_again && ended_well(report)) {
        pvf__zygote_prepare(key_of(assignment), &spec);
    } else {
        pvf__zygote_end(key_of(assignment), report->made_again);
    }
}

static int run(struct pvf__worker *worker, const struct assignment *assignment)
{
    const struct pvf__execute_request *request = &assignment->request;
    uint64_t cpu_limit_us = pvf__duration_to_us(request->timeout);
    struct pvf__zygote_maker maker = {.artifact = key_of(assignment), .input = assignment->body};
    struct pvf__execute_job job = {
        .params = &assignment->set->params,
        .request = request,
        .artifact_fd = assignment->artifact_fd,
    };
    struct pvf__job_spec spec = {
        .make = pvf__zygote_has(maker.artifact, cpu_limit_us) ? pvf__zygote_make : NULL,
        .maker = &maker,
        .run = run_job,
        .context = &job,
        .cpu_limit_us = cpu_limit_us,
        .data_max = assignment->set->data_max,
        .payload_max = PVF__FRAME_MAX_EXECUTE_JOB + PVF__FRAME_HEADER,
        .has_farewell = true,
        .host_socket = worker->socket,
        .keep_fd = assignment->artifact_fd,
        .sandbox = &worker->sandbox,
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
    int code = report.host_gone ? PVF__EXIT_ORDERLY : judge(worker, &report);
    pvf__buf_done(&report.payload);
    /* Who left before has had all the time of this job. */
    see_off(-1);
    if (code == 0) {
        look_ahead(worker, assignment, &report);
    }
    /* The kernel may be busy with its end while the next one is made. */
    pvf__job_dismiss(&spec, &report);
    leaving = maker.artifact;
    return code;
}

static int open_artifact(const struct pvf__worker *worker, int *ret, pvf_error *err)
{
    int fd = open(worker->artifact_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open the artifact");
    }
    *ret = fd;
    return 0;
}

/* The sealed copy of the artifact, which came with the request or is in the folder. */
static int get_artifact(const struct pvf__worker *worker,
                        const struct pvf__worker_request *request,
                        struct assignment *assignment,
                        enum pvf__artifact_verdict *ret_verdict,
                        pvf_error *err)
{
    PVF__CLEANUP_FD int opened = -1;
    int status = request->artifact_fd < 0 ? open_artifact(worker, &opened, err) : 0;
    return status != 0 ? status
                       : pvf__artifact_cache_get(opened >= 0 ? opened : request->artifact_fd,
                                                 assignment->request.artifact_checksum,
                                                 ret_verdict,
                                                 &assignment->artifact_fd,
                                                 &assignment->artifact,
                                                 err);
}

int pvf__execute_worker_request(struct pvf__worker *worker,
                                const struct pvf__worker_request *request)
{
    struct assignment assignment = {.body = request->body};
    const struct pvf__slice params =
        worker->upgraded ? request->params : (struct pvf__slice){told.data, told.len};
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__execute_request_decode(
            request->body.data, request->body.len, &assignment.request, &err) != 0 ||
        pvf__execute_params_get(params, &assignment.set, &err) != 0) {
        pvf__error_wrap(&err, "execute pvf recv_request: failed to decode ExecuteRequest");
        (void)send_internal(worker, PVF__INTERNAL_HOST_COMMUNICATION, err.text);
        return PVF__EXIT_ORDERLY;
    }
    enum pvf__artifact_verdict verdict;
    if (get_artifact(worker, request, &assignment, &verdict, &err) != 0) {
        (void)send_internal(worker, PVF__INTERNAL_COULD_NOT_OPEN_FILE, err.text);
        return PVF__EXIT_ORDERLY;
    }
    if (verdict == PVF__ARTIFACT_CORRUPT || leaving != key_of(&assignment)) {
        /* Only jobs of one artifact run at the same time. */
        see_off(-1);
    }
    if (verdict == PVF__ARTIFACT_CORRUPT) {
        return send_finding(worker, PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT);
    }
    return run(worker, &assignment);
}
