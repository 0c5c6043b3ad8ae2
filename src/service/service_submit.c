/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the calls that bring and withdraw requests, and their way into the core. */
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "pvf/status.h"

#include <string.h>

static int tell_core(struct pvf_service *service,
                     const struct pvf__service_request *request,
                     enum pvf__service_stage stage)
{
    uint64_t now = pvf__clock_monotonic_ns();
    struct pvf__core_code code = request->wanted;
    if (request->kind == PVF__SERVICE_HEADS_UP) {
        return pvf__core_heads_up(service->core, now, request->core_id, &code);
    }
    if (request->kind == PVF__SERVICE_PRECHECK || stage == PVF__SERVICE_PREPARING) {
        return pvf__core_precheck(service->core, now, request->core_id, &code);
    }
    struct pvf__core_execution execution = {
        .request = request->core_id,
        .code = code,
        .cls = request->cls,
        .cpu_limit_ns = request->timeout_ms * PVF__CORE_MS,
        .deadline_ns = request->deadline_ns,
    };
    memcpy(execution.parent, request->leaf, sizeof(execution.parent));
    return pvf__core_execute(service->core, now, &execution);
}

int pvf__service_submit(struct pvf_service *service,
                        struct pvf__service_request *request,
                        enum pvf__service_stage stage)
{
    request->core_id = ++service->next_id;
    request->submitted_at = pvf__clock_monotonic_ns();
    request->stage = stage;
    int status = tell_core(service, request, stage);
    if (status != 0) {
        request->core_id = 0;
        return status;
    }
    pvf__core_table_put(
        &service->by_core_id,
        &request->by_core_id,
        pvf__core_table_hash(service->seed, &request->core_id, sizeof(request->core_id)));
    return 0;
}

void pvf__service_withdrawn(struct pvf_service *service, struct pvf__service_request *request)
{
    if (request->core_id != 0) {
        pvf__core_table_remove(&service->by_core_id, &request->by_core_id);
        request->core_id = 0;
    }
}

static int may_submit(const struct pvf_service *service, pvf_error *err)
{
    if (service == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a service is needed");
    }
    if (service->closing) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "the service takes no requests any more");
    }
    if (service->requests_count >= service->requests_max) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "%u requests live already, the limit (requests_max) is that",
                              service->requests_count);
    }
    return 0;
}

static void log_taken(const struct pvf__service_request *request)
{
    char hash[65];
    PVF__LOG_JOB(request->id);
    pvf__text_to_hex(request->code->hash, sizeof(request->code->hash), hash);
    pvf__log(PVF__LOG_DEBUG, "taken: %s, code 0x%s", pvf__service_kind_name(request), hash);
}

/* From a whole request to one that lives; on failure it is freed. */
static int enter(struct pvf_service *service,
                 struct pvf__service_request *request,
                 pvf_request_id *ret,
                 pvf_error *err)
{
    pvf__service_request_enter(service, request);
    int status = pvf__service_submit(service, request, PVF__SERVICE_IN_CORE);
    if (status != 0) {
        pvf__service_request_leave(service, request);
        pvf__service_request_free(service, request);
        return pvf__error_set(err, status, "the request cannot be taken");
    }
    pvf__service_metrics_taken(service, request);
    log_taken(request);
    if (ret != NULL) {
        *ret = request->id;
    }
    pvf__service_wake(service);
    return 0;
}

static int precheck(pvf_service *service,
                    const pvf_code *code,
                    pvf_precheck_callback callback,
                    void *user,
                    pvf_request_id *ret,
                    pvf_error *err)
{
    struct pvf__service_request *request = NULL;
    int status = may_submit(service, err);
    if (status == 0 && callback == NULL) {
        status = pvf__error_set(err, PVF_ERR_INVALID_ARG, "a callback is needed");
    }
    if (status == 0) {
        status =
            pvf__service_request_new(service, PVF__SERVICE_PRECHECK, code, user, &request, err);
    }
    if (status != 0) {
        return status;
    }
    request->precheck_callback = callback;
    return enter(service, request, ret, err);
}

static int execute(pvf_service *service,
                   const pvf_candidate *candidate,
                   pvf_execute_callback callback,
                   void *user,
                   pvf_request_id *ret,
                   pvf_error *err)
{
    struct pvf__service_request *request = NULL;
    struct pvf__core_artifact known;
    int status = may_submit(service, err);
    if (status == 0 && (candidate == NULL || callback == NULL)) {
        status = pvf__error_set(err, PVF_ERR_INVALID_ARG, "a candidate and a callback are needed");
    }
    if (status == 0) {
        status = pvf__service_request_new(
            service, PVF__SERVICE_EXECUTE, &candidate->code, user, &request, err);
    }
    if (status != 0) {
        return status;
    }
    request->execute_callback = callback;
    status = pvf__service_request_set_candidate(service, request, candidate, err);
    if (status != 0) {
        pvf__service_request_free(service, request);
        return status;
    }
    if (pvf__core_artifact_find(service->core, &request->wanted.key, &known)) {
        request->first_generation = known.generation;
    }
    return enter(service, request, ret, err);
}

static int heads_up(pvf_service *service, const pvf_code *code, pvf_error *err)
{
    struct pvf__service_request *request = NULL;
    int status = may_submit(service, err);
    if (status == 0) {
        status =
            pvf__service_request_new(service, PVF__SERVICE_HEADS_UP, code, NULL, &request, err);
    }
    return status != 0 ? status : enter(service, request, NULL, err);
}

static int counted(pvf_service *service, int status)
{
    if (status != 0 && service != NULL) {
        pvf__service_metrics_refused(service, status);
        service->copies_refused = false;
    }
    return status;
}

int pvf_service_precheck(pvf_service *service,
                         const pvf_code *code,
                         pvf_precheck_callback callback,
                         void *user,
                         pvf_request_id *ret,
                         pvf_error *err)
{
    return counted(service, precheck(service, code, callback, user, ret, err));
}

int pvf_service_execute(pvf_service *service,
                        const pvf_candidate *candidate,
                        pvf_execute_callback callback,
                        void *user,
                        pvf_request_id *ret,
                        pvf_error *err)
{
    return counted(service, execute(service, candidate, callback, user, ret, err));
}

int pvf_service_heads_up(pvf_service *service, const pvf_code *code, pvf_error *err)
{
    return counted(service, heads_up(service, code, err));
}

bool pvf__service_cancel(struct pvf_service *service, struct pvf__service_request *request)
{
    if (request->core_id != 0) {
        return pvf__core_cancel(service->core, pvf__clock_monotonic_ns(), request->core_id);
    }
    if (request->stage == PVF__SERVICE_FINISHED) {
        return false;
    }
    pvf__service_set_outcome(request, PVF__EVENT_CANCELLED, "");
    request->stage = PVF__SERVICE_FINISHED;
    pvf__core_list_remove(&request->link);
    pvf__core_list_append(&service->finished, &request->link);
    return true;
}

bool pvf_service_cancel(pvf_service *service, pvf_request_id id)
{
    struct pvf__service_request *request =
        service != NULL ? pvf__service_request_find(service, id) : NULL;
    if (request == NULL || request->kind == PVF__SERVICE_SELF_TEST ||
        !pvf__service_cancel(service, request)) {
        return false;
    }
    pvf__service_wake(service);
    return true;
}
