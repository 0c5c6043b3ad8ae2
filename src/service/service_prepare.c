/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: one preparation from a core's command to the event that ends it. */
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host/prepare_outcome.h"
#include "proto/frame.h"
#include "pvf/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the core remembers a failure as. */
static enum pvf__core_failure failure_of(enum pvf__prepare_event event)
{
    switch (event) {
    case PVF__PREPARE_EVENT_PREVALIDATION:
        return PVF__CORE_FAILURE_PREVALIDATION;
    case PVF__PREPARE_EVENT_PREPARATION:
        return PVF__CORE_FAILURE_PREPARATION;
    case PVF__PREPARE_EVENT_COULD_NOT_DECOMPRESS:
        return PVF__CORE_FAILURE_DECOMPRESSION;
    case PVF__PREPARE_EVENT_OUT_OF_MEMORY:
        return PVF__CORE_FAILURE_OUT_OF_MEMORY;
    case PVF__PREPARE_EVENT_JOB_ERROR:
        return PVF__CORE_FAILURE_JOB_ERROR;
    case PVF__PREPARE_EVENT_RUNTIME_CONSTRUCTION:
        return PVF__CORE_FAILURE_CONSTRUCTION;
    case PVF__PREPARE_EVENT_EXPIRED:
    case PVF__PREPARE_EVENT_CPU_OVER:
    case PVF__PREPARE_EVENT_TIMED_OUT:
        return PVF__CORE_FAILURE_TIMED_OUT;
    case PVF__PREPARE_EVENT_STALLED:
        return PVF__CORE_FAILURE_STALLED;
    case PVF__PREPARE_EVENT_LOST:
    case PVF__PREPARE_EVENT_UNDECODABLE:
    case PVF__PREPARE_EVENT_JOB_DIED:
        return PVF__CORE_FAILURE_DEATH;
    case PVF__PREPARE_EVENT_TMP_FILE_FAILED:
    case PVF__PREPARE_EVENT_NOT_SENT:
    case PVF__PREPARE_EVENT_NOT_READ:
    case PVF__PREPARE_EVENT_NO_PLAIN_FILE:
    case PVF__PREPARE_EVENT_RENAME_FAILED:
    case PVF__PREPARE_EVENT_OK:
    case PVF__PREPARE_EVENT_IO_ERR:
    case PVF__PREPARE_EVENT_CREATE_TMP_FILE:
    case PVF__PREPARE_EVENT_RENAME_TMP_FILE:
    case PVF__PREPARE_EVENT_CLEAR_WORKER_DIR:
    case PVF__PREPARE_EVENT_KERNEL:
    default:
        return PVF__CORE_FAILURE_LOCAL;
    }
}

static struct pvf__core_prepared told_of(const struct pvf_service *service,
                                         const pvf_prepare_outcome *outcome,
                                         enum pvf__prepare_event event,
                                         int sys_errno)
{
    if (outcome->ok) {
        return (struct pvf__core_prepared){
            .end = PVF__CORE_PREPARE_OK,
            .size = outcome->artifact_size,
            .cpu_ns = outcome->cpu_us * 1000,
            .memory = outcome->peak_allocated,
            .code_len = outcome->code_len,
        };
    }
    struct pvf__core_prepared told = {
        .end = PVF__CORE_PREPARE_FAILED,
        .failure = failure_of(event),
        .error = outcome->error,
        .text = outcome->text,
    };
    if (told.failure == PVF__CORE_FAILURE_LOCAL &&
        (sys_errno == ENOSPC || sys_errno == EDQUOT || pvf__service_disk_is_full(service))) {
        told.failure = PVF__CORE_FAILURE_NO_SPACE;
    }
    return told;
}

/* Tells the core; whatever is good in the worker's folder was taken out of it before. */
static void conclude(struct pvf_service *service,
                     struct pvf__service_worker *worker,
                     enum pvf__prepare_event event,
                     struct pvf__slice detail,
                     int sys_errno,
                     const struct pvf__prepare_stats *stats)
{
    struct pvf__service_job *job = &worker->job;
    pvf_prepare_outcome outcome = job->prepared;
    job->prepared = (pvf_prepare_outcome){0};
    bool concluded = pvf__prepare_outcome_set(event, detail, &outcome);
    struct pvf__core_prepared told = {.end = PVF__CORE_PREPARE_NOT_STARTED};
    if (concluded) {
        told = told_of(service, &outcome, event, sys_errno);
    }
    if (pvf__prepare_outcome_is_death(event)) {
        service->worker_deaths++;
        pvf__service_metrics_death(service, worker->kind, true);
        pvf__service_death(service);
    }
    if (concluded) {
        pvf__service_metrics_prepared(service, &outcome, stats);
        pvf__log(PVF__LOG_DEBUG,
                 "preparation: %s%s%s",
                 outcome.ok ? "good" : outcome.name,
                 outcome.ok ? "" : ": ",
                 outcome.ok ? "" : outcome.text);
    }
    told.worker_lives =
        pvf__prepare_outcome_keeps_worker(event) && pvf__service_worker_tidy(worker);
    if (told.worker_lives) {
        pvf__service_worker_rest(service, worker);
    }
    uint64_t generation =
        pvf__core_prepare_finished(service->core, pvf__clock_monotonic_ns(), worker->id, &told);
    if (generation != 0) {
        pvf__service_artifact_take(service,
                                   generation,
                                   &outcome,
                                   &job->made_as,
                                   job->prepare_timeout_ms,
                                   !job->is_self_test);
    }
    /* Also removes a file that nobody wants. */
    pvf_prepare_outcome_done(&outcome);
    if (!told.worker_lives) {
        pvf__service_bury(service, worker);
    }
}

void pvf__service_prepare_start(struct pvf_service *service,
                                struct pvf__service_worker *worker,
                                struct pvf__service_request *request)
{
    struct pvf__service_job *job = &worker->job;
    char tmp_path[PATH_MAX];
    pvf_error why = PVF_ERROR_INIT;
    *job = (struct pvf__service_job){
        .request = request->core_id,
        .caller = request->id,
        .timeout = pvf__duration_from_ms(request->prepare_timeout_ms),
        .made_as = request->wanted,
        .prepare_timeout_ms = request->prepare_timeout_ms,
        .prepared = {.error = -1, .name = "", .max_rss_kib = -1},
        .is_self_test = request->kind == PVF__SERVICE_SELF_TEST,
        .first_tier_due =
            service->host->first_tier && request->wanted.kind == PVF__CORE_COMPILATION,
    };
    job->cpu_limit_us = pvf__duration_to_us(job->timeout);
    const pvf_prepare_request prepare = {
        .code = request->code->bytes,
        .bomb_limit = request->wanted.bomb_limit,
        .kind = request->wanted.kind == PVF__CORE_PRECHECKING ? PVF_PREPARE_PRECHECKING
                                                              : PVF_PREPARE_COMPILATION,
    };
    PVF__CLEANUP_MESSAGE struct pvf__host_message message = PVF__HOST_MESSAGE_INIT;
    service->preparations++;
    pvf__service_metrics_prepare_started(service, request);
    int status = pvf__host_prepare_request(
        service->host, &prepare, &request->params, job->timeout, &job->prepared, &message, &why);
    if (status == 0) {
        status = pvf__host_prepare_tmp_file(
            worker->spawning.spawned.dir, PVF__HOST_TMP_ARTIFACT, tmp_path, &why);
    }
    if (status == 0 && job->first_tier_due) {
        status = pvf__host_prepare_tmp_file(
            worker->spawning.spawned.dir, PVF__HOST_FIRST_TIER, tmp_path, &why);
    }
    if (status != 0) {
        conclude(service,
                 worker,
                 PVF__PREPARE_EVENT_TMP_FILE_FAILED,
                 pvf__slice_text(why.text),
                 why.sys_errno,
                 NULL);
        return;
    }
    pvf__service_worker_begin(service, worker, &message, PVF__FRAME_MAX_PREPARE_ANSWER);
}

void pvf__service_prepare_ended(struct pvf_service *service,
                                struct pvf__service_worker *worker,
                                enum pvf__exchange_end end,
                                pvf_error *why)
{
    struct pvf__service_job *job = &worker->job;
    enum pvf__prepare_event event = pvf__host_prepare_event(end);
    struct pvf__slice detail = {0};
    struct pvf__prepare_stats stats = {0};
    PVF__CLEANUP_BUF struct pvf__buf answer = worker->incoming.body;
    worker->incoming.body = (struct pvf__buf)PVF__BUF_INIT(0);
    job->prepared.wall_us = (pvf__clock_monotonic_ns() - job->begun_at) / 1000;
    if (end == PVF__EXCHANGE_ANSWERED) {
        char tmp_path[PATH_MAX];
        pvf__host_prepare_path(worker->spawning.spawned.dir, PVF__HOST_TMP_ARTIFACT, tmp_path);
        event = pvf__host_prepare_answer(
            service->host, &answer, tmp_path, job->timeout, &job->prepared, &stats, &detail, why);
    }
    conclude(service,
             worker,
             event,
             detail.len > 0 ? detail : pvf__slice_text(why->text),
             why->sys_errno,
             event == PVF__PREPARE_EVENT_OK ? &stats : NULL);
}
