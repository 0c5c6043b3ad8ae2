/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: one attempt at an execution, from a core's command to the event that ends it. */
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host/outcome.h"
#include "proto/frame.h"
#include "pvf/status.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_valid(const pvf_outcome *outcome)
{
    /* An outcome of zeros, of what never began, looks like a verdict. */
    return outcome->verdict == PVF_VERDICT_VALID && outcome->result != NULL;
}

/* What a first tier comes to is no outcome, unless it is a valid result: the core has it repeated.
 */
static bool counts(const struct pvf__service_job *job, const pvf_outcome *outcome)
{
    return !job->on_first_tier || is_valid(outcome);
}

/* Keeps the outcome of an attempt for the reply, or takes back that there was one. */
static void note_end(struct pvf__service_request *request,
                     const struct pvf__service_job *job,
                     pvf_outcome *outcome)
{
    if (!counts(job, outcome)) {
        request->attempts -= request->used_generation == job->generation;
        request->used_generation = 0;
        request->prepared = (pvf_prepare_outcome){0};
        return;
    }
    pvf_outcome_done(&request->outcome);
    request->outcome = *outcome;
    request->has_outcome = outcome->text[0] != '\0' || outcome->result != NULL;
    request->on_first_tier = job->on_first_tier;
    *outcome = (pvf_outcome){0};
}

/* Tells the core how the attempt ended, and keeps its outcome for the reply. */
static void conclude(struct pvf_service *service,
                     struct pvf__service_worker *worker,
                     enum pvf__core_execute_end end,
                     bool lives,
                     pvf_outcome *outcome)
{
    struct pvf__service_request *request =
        pvf__service_request_of_core(service, worker->job.request);
    const struct pvf__core_executed told = {
        .end = end,
        .worker_lives = lives && pvf__service_worker_tidy(worker),
        .valid = end == PVF__CORE_EXECUTE_DONE && is_valid(outcome),
        .cpu_ns = outcome->cpu_us * 1000,
    };
    if (request != NULL) {
        note_end(request, &worker->job, outcome);
    }
    pvf_outcome_done(outcome);
    if (told.worker_lives) {
        pvf__service_worker_rest(service, worker);
    }
    pvf__core_execute_finished(service->core, pvf__clock_monotonic_ns(), worker->id, &told);
    if (!told.worker_lives) {
        pvf__service_bury(service, worker);
    }
}

/* Nothing was sent: what the host saw. */
static void conclude_early(struct pvf_service *service,
                           struct pvf__service_worker *worker,
                           enum pvf__event event,
                           const pvf_error *why)
{
    pvf_outcome outcome;
    pvf__outcome_set(event, pvf__slice_text(why->text), &outcome);
    conclude(service, worker, PVF__CORE_EXECUTE_DONE, pvf__outcome_keeps_worker(event), &outcome);
}

static void conclude_gone(struct pvf_service *service, struct pvf__service_worker *worker)
{
    pvf_outcome outcome = {0};
    conclude(service, worker, PVF__CORE_EXECUTE_ARTIFACT_GONE, true, &outcome);
}

/* What the caller is told about the preparation of this artifact, if it was for this request. */
static void note_start(struct pvf__service_request *request,
                       const struct pvf__service_artifact *artifact)
{
    request->used_generation = artifact->generation;
    if (artifact->generation != request->first_generation) {
        request->prepared = artifact->figures;
    }
    request->attempts++;
    request->started_at = pvf__clock_monotonic_ns();
}

void pvf__service_execute_start(struct pvf_service *service,
                                struct pvf__service_worker *worker,
                                struct pvf__service_request *request,
                                uint64_t generation)
{
    struct pvf__service_job *job = &worker->job;
    struct pvf__service_artifact *artifact = pvf__service_artifact_find(service, generation);
    pvf_error why = PVF_ERROR_INIT;
    *job = (struct pvf__service_job){
        .request = request->core_id,
        .caller = request->id,
        .generation = generation,
        .timeout = pvf__duration_from_ms(request->timeout_ms),
        .is_self_test = request->kind == PVF__SERVICE_SELF_TEST,
    };
    job->cpu_limit_us = pvf__duration_to_us(job->timeout);
    if (artifact == NULL || !pvf__service_artifact_use(service, artifact)) {
        conclude_gone(service, worker);
        return;
    }
    job->on_first_tier = artifact->first_tier;
    memcpy(job->checksum, artifact->figures.checksum, sizeof(job->checksum));
    memcpy(request->execution.checksum, job->checksum, sizeof(job->checksum));
    PVF__CLEANUP_MESSAGE struct pvf__host_message message = PVF__HOST_MESSAGE_INIT;
    if (pvf__host_give_artifact(
            service->host, artifact->path, worker->spawning.spawned.dir, &message, &why) != 0) {
        if (access(artifact->path, F_OK) != 0 && errno == ENOENT) {
            conclude_gone(service, worker);
        } else {
            conclude_early(service, worker, PVF__EVENT_LINK_FAILED, &why);
        }
        return;
    }
    pvf__service_metrics_execute_started(service, request, artifact);
    note_start(request, artifact);
    int status = pvf__host_execute_request(
        service->host, &request->execution, &request->params, job->timeout, &message, &why);
    if (status != 0) {
        conclude_early(service, worker, PVF__EVENT_NOT_SENT, &why);
        return;
    }
    service->executions++;
    pvf__service_worker_begin(service, worker, &message, PVF__FRAME_MAX_EXECUTE_ANSWER);
}

/* Who died may have damaged the file, and what is damaged may have killed it. */
static void look_into_death(struct pvf_service *service,
                            const struct pvf__service_job *job,
                            pvf_outcome *outcome)
{
    if (outcome->reason != PVF_REASON_JOB_DEATH && outcome->reason != PVF_REASON_WORKER_DEATH) {
        return;
    }
    const struct pvf__service_artifact *artifact =
        pvf__service_artifact_find(service, job->generation);
    service->worker_deaths++;
    pvf__service_metrics_death(service, PVF__WORKER_KIND_EXECUTE, true);
    pvf__service_death(service);
    if (artifact != NULL) {
        pvf__host_verify_artifact(artifact->path, job->checksum, outcome);
    }
}

void pvf__service_execute_ended(struct pvf_service *service,
                                struct pvf__service_worker *worker,
                                enum pvf__exchange_end end,
                                pvf_error *why)
{
    struct pvf__service_job *job = &worker->job;
    enum pvf__event event = pvf__host_execute_event(end);
    pvf_outcome outcome = {0};
    PVF__CLEANUP_BUF struct pvf__buf answer = worker->incoming.body;
    worker->incoming.body = (struct pvf__buf)PVF__BUF_INIT(0);
    if (end == PVF__EXCHANGE_ANSWERED &&
        pvf__host_execute_answer(&answer, job->timeout, &outcome, &event, why) != 0) {
        pvf_outcome_done(&outcome);
        event = PVF__EVENT_NOT_READ;
        end = PVF__EXCHANGE_NOT_READ;
    }
    if (end != PVF__EXCHANGE_ANSWERED) {
        pvf__outcome_set(event, pvf__slice_text(why->text), &outcome);
    }
    outcome.wall_us = (pvf__clock_monotonic_ns() - job->begun_at) / 1000;
    look_into_death(service, job, &outcome);
    pvf__log(PVF__LOG_DEBUG,
             "execution: %s%s%s",
             pvf_verdict_name(outcome.verdict),
             outcome.text[0] != '\0' ? ": " : "",
             outcome.text);
    enum pvf__core_execute_end told = PVF__CORE_EXECUTE_DONE;
    if (end == PVF__EXCHANGE_NOT_SENT) {
        told = PVF__CORE_EXECUTE_NOT_STARTED;
    } else if (outcome.bad_artifact) {
        told = PVF__CORE_EXECUTE_BAD_ARTIFACT;
    }
    if (!job->is_self_test && counts(job, &outcome)) {
        pvf__service_metrics_executed(service, &outcome);
    }
    conclude(service, worker, told, pvf__outcome_keeps_worker(event), &outcome);
}
