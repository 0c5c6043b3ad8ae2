/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: which verdicts are worth a bundle of evidence. */
#include "service/service_evidence.h"

#include "base/log.h"
#include "evidence/evidence.h"
#include "service/service_metrics.h"

#include <string.h>

static const char *write_bundle(const struct pvf_service *service,
                                const struct pvf__evidence *evidence,
                                char out[PATH_MAX])
{
    pvf_error why = PVF_ERROR_INIT;
    int status = pvf__evidence_write(
        service->evidence_dir, service->evidence_max_bytes, evidence, out, &why);
    pvf__service_metrics_evidence(service, status == 0);
    if (status != 0) {
        pvf__log(PVF__LOG_WARN, "no evidence was kept: %s", why.text);
        return NULL;
    }
    return out;
}

static struct pvf__evidence_program about_program(const struct pvf_service *service,
                                                  enum pvf__worker_kind kind)
{
    const struct pvf_host *host = service->host;
    const struct pvf__service_program *program = &service->programs[kind];
    return (struct pvf__evidence_program){
        .path = kind == PVF__WORKER_KIND_PREPARE ? host->prepare_program.path
                                                 : host->execute_program.path,
        .version = program->version[0] != '\0' ? program->version : NULL,
        .size = program->size,
        .blake2b_256 = program->has_digest ? program->digest : NULL,
    };
}

static struct pvf__evidence about(const struct pvf_service *service,
                                  const struct pvf__service_request *request)
{
    const struct pvf_host *host = service->host;
    struct pvf__evidence evidence = {
        .kind = pvf__service_kind_name(request),
        .code = request->code->bytes,
        .executor_params = {request->params.raw.data, request->params.raw.len},
        .bomb_limit = request->wanted.bomb_limit,
        .prepare_timeout_ms = request->prepare_timeout_ms,
        .prepare_kind = request->wanted.kind == PVF__CORE_PRECHECKING ? PVF_PREPARE_PRECHECKING
                                                                      : PVF_PREPARE_COMPILATION,
        .prepare_worker = about_program(service, PVF__WORKER_KIND_PREPARE),
        .execute_worker = about_program(service, PVF__WORKER_KIND_EXECUTE),
        .security = host->security,
        .metering = (int32_t)host->metering,
    };
    memcpy(evidence.code_hash, request->code->hash, sizeof(evidence.code_hash));
    return evidence;
}

const char *pvf__service_evidence_preparation(const struct pvf_service *service,
                                              const struct pvf__service_request *request,
                                              const pvf_prepare_outcome *outcome,
                                              char out[PATH_MAX])
{
    if (service->evidence_dir == NULL || outcome->ok) {
        return NULL;
    }
    struct pvf__evidence evidence = about(service, request);
    evidence.preparation = outcome;
    return write_bundle(service, &evidence, out);
}

const char *pvf__service_evidence_execution(const struct pvf_service *service,
                                            const struct pvf__service_request *request,
                                            const pvf_execute_reply *reply,
                                            char out[PATH_MAX])
{
    /* What never ran by somebody's wish leaves nothing to look into. */
    if (service->evidence_dir == NULL || reply->outcome->verdict == PVF_VERDICT_VALID ||
        reply->outcome->verdict == PVF_VERDICT_EXPIRED ||
        reply->outcome->reason == PVF_REASON_CANCELLED) {
        return NULL;
    }
    struct pvf__evidence evidence = about(service, request);
    pvf_execute_request execution = request->execution;
    execution.timeout_ms = request->timeout_ms;
    evidence.execution = &execution;
    evidence.attempts = reply->attempts;
    evidence.queued_us = reply->queued_us;
    evidence.outcome = reply->outcome;
    evidence.preparation = reply->preparation;
    return write_bundle(service, &evidence, out);
}
