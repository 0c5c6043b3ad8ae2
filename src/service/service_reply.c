/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what callers are told, and when. */
#include "service/service_evidence.h"
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host/outcome.h"
#include "proto/prepare_msg.h"
#include "pvf/status.h"

#include <stdio.h>
#include <string.h>

void pvf__service_set_outcome(struct pvf__service_request *request,
                              enum pvf__event event,
                              const char *detail)
{
    pvf_outcome_done(&request->outcome);
    pvf__outcome_set(event, pvf__slice_text(detail), &request->outcome);
    request->has_outcome = true;
}

/* ---- Prechecks ---- */

/* The outcome of a preparation as the core knows it. */
static void prepare_outcome(const struct pvf_service *service,
                            const struct pvf__core_command *command,
                            pvf_prepare_outcome *ret)
{
    const struct pvf__service_artifact *artifact =
        pvf__service_artifact_find(service, command->generation);
    *ret = (pvf_prepare_outcome){.error = -1, .name = "", .max_rss_kib = -1, .kept = true};
    if (command->reply == PVF__CORE_REPLY_PREPARED) {
        if (artifact != NULL) {
            *ret = artifact->figures;
            ret->artifact_path = artifact->path;
        }
        ret->ok = true;
        return;
    }
    ret->error = command->error;
    ret->deterministic = command->deterministic;
    ret->name = pvf__prepare_error_name((enum pvf__prepare_error_kind)command->error);
    (void)snprintf(ret->text, sizeof(ret->text), "%s", command->text);
}

/* The same for this very request. */
static void prepare_outcome_for(const struct pvf_service *service,
                                const struct pvf__service_request *request,
                                const struct pvf__core_command *command,
                                pvf_prepare_outcome *ret)
{
    prepare_outcome(service, command, ret);
    memcpy(ret->code_hash, request->wanted.key.code_hash, sizeof(ret->code_hash));
    memcpy(ret->prep_hash, request->wanted.key.prep_hash, sizeof(ret->prep_hash));
}

static void tell_precheck(struct pvf_service *service,
                          struct pvf__service_request *request,
                          const struct pvf__core_command *command)
{
    pvf_prepare_outcome outcome;
    const char *spawn_text = service->spawn_error[PVF__WORKER_KIND_PREPARE].text;
    pvf_precheck_reply reply = {
        .request = request->id,
        .user = request->user,
        .stored = command->stored,
        .text = "",
    };
    switch (command->reply) {
    case PVF__CORE_REPLY_PREPARED:
    case PVF__CORE_REPLY_PREPARE_FAILED:
        prepare_outcome_for(service, request, command, &outcome);
        reply.outcome = &outcome;
        break;
    case PVF__CORE_REPLY_NO_WORKER:
        reply.status = PVF_ERR_PEER;
        reply.text = spawn_text[0] != '\0' ? spawn_text : "no prepare worker could be started";
        break;
    case PVF__CORE_REPLY_CANCELLED:
        reply.status = PVF_ERR_EOF;
        reply.text = "cancelled";
        break;
    case PVF__CORE_REPLY_NOT_STARTED:
    case PVF__CORE_REPLY_EXPIRED:
    case PVF__CORE_REPLY_EXECUTED:
    default:
        reply.status = PVF_ERR_PEER;
        reply.text = "no prepare worker took the request";
        break;
    }
    char evidence[PATH_MAX];
    if (reply.outcome != NULL && !reply.stored) {
        reply.evidence =
            pvf__service_evidence_preparation(service, request, reply.outcome, evidence);
    }
    pvf__log(PVF__LOG_DEBUG,
             "answered: %s%s",
             reply.outcome == NULL ? reply.text
             : reply.outcome->ok   ? "good"
                                   : reply.outcome->name,
             reply.stored ? ", as known" : "");
    pvf__service_metrics_prechecked(service, request);
    pvf__service_request_leave(service, request);
    request->precheck_callback(service, &reply);
    pvf__service_request_free(service, request);
}

/* Nobody is told, so what went wrong is kept where it may be found. */
static void end_heads_up(const struct pvf_service *service,
                         const struct pvf__service_request *request,
                         const struct pvf__core_command *command)
{
    pvf_prepare_outcome outcome;
    char evidence[PATH_MAX];
    if (command->reply == PVF__CORE_REPLY_PREPARE_FAILED && !command->stored) {
        prepare_outcome_for(service, request, command, &outcome);
        (void)pvf__service_evidence_preparation(service, request, &outcome, evidence);
    }
}

/* ---- Executions ---- */

void pvf__service_reply_execution(struct pvf_service *service, struct pvf__service_request *request)
{
    PVF__LOG_JOB(request->id);
    const struct pvf__service_artifact *artifact =
        pvf__service_artifact_find(service, request->used_generation);
    if (artifact != NULL) {
        request->prepared.artifact_path = artifact->path;
    }
    const bool prepared = request->prepared.name != NULL;
    char evidence[PATH_MAX];
    pvf_execute_reply reply = {
        .request = request->id,
        .outcome = &request->outcome,
        .preparation = prepared ? &request->prepared : NULL,
        .attempts = request->attempts,
        .queued_us = request->started_at != 0 ? (request->started_at - request->came_at) / 1000 : 0,
        .user = request->user,
        .first_tier = request->on_first_tier && request->outcome.verdict == PVF_VERDICT_VALID,
    };
    reply.evidence = pvf__service_evidence_execution(service, request, &reply, evidence);
    pvf__log(PVF__LOG_DEBUG,
             "answered: %s, attempts %u%s%s",
             pvf_verdict_name(request->outcome.verdict),
             request->attempts,
             reply.evidence != NULL ? ", evidence " : "",
             reply.evidence != NULL ? reply.evidence : "");
    pvf__service_metrics_judged(service, request);
    pvf__service_request_leave(service, request);
    request->execute_callback(service, &reply);
    pvf__service_request_free(service, request);
}

void pvf__service_reply_proven(struct pvf_service *service, struct pvf__service_request *request)
{
    if (!pvf__service_retry(service, request)) {
        pvf__service_reply_execution(service, request);
    }
}

static void no_worker(struct pvf_service *service, struct pvf__service_request *request)
{
    /* Whichever kind could not be started: the other has no error. */
    const pvf_error *why = &service->spawn_error[PVF__WORKER_KIND_EXECUTE];
    if (why->code == 0) {
        why = &service->spawn_error[PVF__WORKER_KIND_PREPARE];
    }
    pvf__service_set_outcome(request, PVF__EVENT_SPAWN_FAILED, why->text);
    request->outcome.spawn_failure = why->detail;
    request->outcome.sys_errno = why->sys_errno;
}

/* What came of an attempt, put into the request. */
static void take_execution(struct pvf_service *service,
                           struct pvf__service_request *request,
                           const struct pvf__core_command *command)
{
    switch (command->reply) {
    case PVF__CORE_REPLY_EXECUTED:
        if (!request->has_outcome) {
            pvf__service_set_outcome(request, PVF__EVENT_LOST, "");
        }
        break;
    case PVF__CORE_REPLY_PREPARE_FAILED:
        prepare_outcome_for(service, request, command, &request->prepared);
        pvf__service_set_outcome(request,
                                 command->deterministic ? PVF__EVENT_CODE_REFUSED
                                                        : PVF__EVENT_PREPARE_FAILED,
                                 command->text);
        break;
    case PVF__CORE_REPLY_EXPIRED:
        pvf__service_set_outcome(request, PVF__EVENT_OVERDUE, "");
        break;
    case PVF__CORE_REPLY_CANCELLED:
        pvf__service_set_outcome(request, PVF__EVENT_CANCELLED, "");
        break;
    case PVF__CORE_REPLY_NO_WORKER:
        no_worker(service, request);
        break;
    case PVF__CORE_REPLY_NOT_STARTED:
    case PVF__CORE_REPLY_PREPARED:
    default:
        if (!request->has_outcome) {
            pvf__service_set_outcome(request, PVF__EVENT_NOT_SENT, "");
        }
        break;
    }
}

void pvf__service_reply(struct pvf_service *service, const struct pvf__core_command *command)
{
    struct pvf__service_request *request = pvf__service_request_of_core(service, command->request);
    if (request == NULL) {
        return;
    }
    PVF__LOG_JOB(request->id);
    pvf__service_withdrawn(service, request);
    switch (request->kind) {
    case PVF__SERVICE_PRECHECK:
        tell_precheck(service, request, command);
        break;
    case PVF__SERVICE_HEADS_UP:
        end_heads_up(service, request, command);
        pvf__service_request_leave(service, request);
        pvf__service_request_free(service, request);
        break;
    case PVF__SERVICE_SELF_TEST:
        pvf__service_proof_ended(service, request, command);
        break;
    case PVF__SERVICE_EXECUTE:
    default:
        if (request->stage == PVF__SERVICE_PREPARING &&
            command->reply != PVF__CORE_REPLY_CANCELLED) {
            pvf__service_retry_prepared(service, request, command);
            break;
        }
        take_execution(service, request, command);
        if (command->reply == PVF__CORE_REPLY_CANCELLED) {
            pvf__service_reply_execution(service, request);
        } else if (!pvf__service_proof_hold(service, request)) {
            pvf__service_reply_proven(service, request);
        }
        break;
    }
}
