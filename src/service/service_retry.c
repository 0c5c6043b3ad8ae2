/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: further attempts at executions whose callers want them as a validator makes them.  When,
 * and what may be said at the end, is the core's rule.
 */
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "host/outcome.h"
#include "pvf/status.h"

#include <stdio.h>
#include <string.h>

static enum pvf__core_attempt attempt_of(const pvf_outcome *outcome)
{
    switch (outcome->reason) {
    case PVF_REASON_NONE:
        return PVF__CORE_ATTEMPT_VALID;
    case PVF_REASON_WORKER_DEATH:
    case PVF_REASON_JOB_DEATH:
    case PVF_REASON_STALLED:
        return PVF__CORE_ATTEMPT_DEATH;
    case PVF_REASON_JOB_ERROR:
        return PVF__CORE_ATTEMPT_JOB_ERROR;
    case PVF_REASON_RUNTIME_CONSTRUCTION:
    case PVF_REASON_CORRUPTED_ARTIFACT:
        return PVF__CORE_ATTEMPT_BAD_ARTIFACT;
    case PVF_REASON_EXPIRED:
        return PVF__CORE_ATTEMPT_EXPIRED;
    case PVF_REASON_PREPARE:
        return outcome->retry ? PVF__CORE_ATTEMPT_INTERNAL : PVF__CORE_ATTEMPT_PREPARATION;
    default:
        return outcome->verdict == PVF_VERDICT_INVALID ? PVF__CORE_ATTEMPT_INVALID
                                                       : PVF__CORE_ATTEMPT_INTERNAL;
    }
}

static void append(pvf_outcome *outcome, const char *text)
{
    size_t used = strlen(outcome->text);
    (void)snprintf(outcome->text + used, sizeof(outcome->text) - used, "%s", text);
}

/* What stays possibly invalid becomes what may be said about it. */
static void finish(struct pvf__service_request *request, const struct pvf__core_retry_step *step)
{
    pvf_outcome *outcome = &request->outcome;
    if (step->out_of_time) {
        append(outcome, " (and there is no time for another attempt)");
    }
    if (outcome->verdict == PVF_VERDICT_POSSIBLY_INVALID) {
        outcome->verdict =
            step->verdict == PVF__CORE_VERDICT_INVALID ? PVF_VERDICT_INVALID : PVF_VERDICT_INTERNAL;
    }
    outcome->retry = false;
}

/* True: another attempt follows. */
static bool follow(struct pvf_service *service,
                   struct pvf__service_request *request,
                   const struct pvf__core_retry_step *step)
{
    if (step->action == PVF__CORE_RETRY_WAIT) {
        pvf__log(PVF__LOG_DEBUG, "tried again soon");
        request->stage = PVF__SERVICE_WAITING;
        request->next_at = step->at;
        pvf__core_list_append(&service->waiting, &request->link);
        return true;
    }
    if (step->action == PVF__CORE_RETRY_PREPARE &&
        pvf__service_submit(service, request, PVF__SERVICE_PREPARING) == 0) {
        return true;
    }
    finish(request, step);
    return false;
}

bool pvf__service_retry(struct pvf_service *service, struct pvf__service_request *request)
{
    PVF__LOG_JOB(request->id);
    if (!request->retries) {
        return false;
    }
    uint64_t now = pvf__clock_monotonic_ns();
    if (!request->retry_begun) {
        /* What it waited before its first attempt is not its own. */
        pvf__core_retry_begin(&request->retry,
                              &service->retry_config,
                              request->cls,
                              request->timeout_ms * PVF__CORE_MS,
                              request->started_at != 0 ? request->started_at : now);
        request->retry_begun = true;
    }
    const struct pvf__core_retry_step step =
        pvf__core_retry_ended(&request->retry, now, attempt_of(&request->outcome));
    if (step.action != PVF__CORE_RETRY_RETURN) {
        pvf__service_metrics_retried(service, &request->outcome);
    }
    return follow(service, request, &step);
}

void pvf__service_retry_prepared(struct pvf_service *service,
                                 struct pvf__service_request *request,
                                 const struct pvf__core_command *command)
{
    bool ok = command->reply == PVF__CORE_REPLY_PREPARED;
    if (!ok) {
        char text[PVF_OUTCOME_TEXT];
        (void)snprintf(text,
                       sizeof(text),
                       "again, after this: %.200s: %s",
                       request->outcome.text,
                       command->text);
        pvf__service_set_outcome(request,
                                 command->deterministic ? PVF__EVENT_CODE_REFUSED
                                                        : PVF__EVENT_PREPARE_FAILED,
                                 text);
    }
    const struct pvf__core_retry_step step =
        pvf__core_retry_prepared(&request->retry, pvf__clock_monotonic_ns(), ok);
    if (!follow(service, request, &step)) {
        pvf__service_reply_execution(service, request);
    }
}

void pvf__service_retry_due(struct pvf_service *service, uint64_t now)
{
    struct pvf__core_link *link = service->waiting.next;
    while (link != &service->waiting) {
        struct pvf__service_request *request =
            PVF__CORE_OWNER(link, struct pvf__service_request, link);
        link = link->next;
        if (request->next_at > now) {
            continue;
        }
        pvf__core_list_remove(&request->link);
        if (pvf__service_submit(service, request, PVF__SERVICE_IN_CORE) != 0) {
            /* The outcome of the attempt before stands; without this one nothing can be said. */
            const struct pvf__core_retry_step step = {.verdict = PVF__CORE_VERDICT_NONE};
            append(&request->outcome, " (and another attempt could not be made)");
            finish(request, &step);
            request->stage = PVF__SERVICE_FINISHED;
            pvf__core_list_append(&service->finished, &request->link);
        }
    }
}

uint64_t pvf__service_retry_deadline(const struct pvf_service *service)
{
    uint64_t earliest = UINT64_MAX;
    for (struct pvf__core_link *link = service->waiting.next; link != &service->waiting;
         link = link->next) {
        const struct pvf__service_request *request =
            PVF__CORE_OWNER(link, struct pvf__service_request, link);
        earliest = request->next_at < earliest ? request->next_at : earliest;
    }
    return earliest;
}
