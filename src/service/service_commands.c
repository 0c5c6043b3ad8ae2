/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: carrying out what the core has decided, one command after another. */
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host/spawn_failure.h"
#include "pvf/status.h"

static enum pvf__worker_kind kind_of(enum pvf__core_worker_kind kind)
{
    return kind == PVF__CORE_PREPARE_WORKER ? PVF__WORKER_KIND_PREPARE : PVF__WORKER_KIND_EXECUTE;
}

static int
spawn(struct pvf_service *service, const struct pvf__core_command *command, pvf_error *err)
{
    const struct pvf__executor_params *params = NULL;
    if (service->spawn_error[kind_of(command->worker_kind)].code != 0) {
        pvf__service_metrics_spawning_again(service, kind_of(command->worker_kind));
    }
    if (service->insecure) {
        pvf__service_recheck_begin(service);
        *err = service->insecure_why;
        return err->code;
    }
    if (command->worker_kind == PVF__CORE_EXECUTE_WORKER &&
        !service->host->upgraded[PVF__WORKER_KIND_EXECUTE]) {
        const struct pvf__service_request *request =
            pvf__service_request_of_core(service, command->request);
        if (request == NULL) {
            return pvf__error_set(
                err, PVF_ERR_INTERNAL, "nobody needs a worker with these parameters");
        }
        params = &request->params;
    }
    return pvf__service_worker_spawn(
        service, command->worker, kind_of(command->worker_kind), params, err);
}

static void do_spawn(struct pvf_service *service, const struct pvf__core_command *command)
{
    pvf_error why = PVF_ERROR_INIT;
    const struct pvf__service_request *request =
        pvf__service_request_of_core(service, command->request);
    PVF__LOG_JOB(request != NULL ? request->id : 0);
    if (spawn(service, command, &why) != 0) {
        enum pvf__worker_kind kind = kind_of(command->worker_kind);
        pvf__log(PVF__LOG_WARN, "%s worker: %s", pvf__spawn_kind_name(kind), why.text);
        service->spawn_error[kind] = why;
        pvf__service_metrics_spawn_failed(service, kind, why.detail);
        pvf__core_spawn_failed(service->core, pvf__clock_monotonic_ns(), command->worker);
    } else if (request != NULL) {
        pvf__service_artifact_expect(service, request);
    }
}

/* What cannot be must not leave a job hanging: the core hears that it never began. */
static void not_started(struct pvf_service *service, const struct pvf__core_command *command)
{
    uint64_t now = pvf__clock_monotonic_ns();
    const struct pvf__core_prepared prepared = {.end = PVF__CORE_PREPARE_NOT_STARTED};
    const struct pvf__core_executed executed = {.end = PVF__CORE_EXECUTE_NOT_STARTED};
    pvf__log(PVF__LOG_ERROR, "a job for a worker or a request that is not there");
    if (command->kind == PVF__CORE_START_PREPARE) {
        (void)pvf__core_prepare_finished(service->core, now, command->worker, &prepared);
    } else {
        pvf__core_execute_finished(service->core, now, command->worker, &executed);
    }
}

static void do_start(struct pvf_service *service, const struct pvf__core_command *command)
{
    struct pvf__service_worker *worker = pvf__service_worker_find(service, command->worker);
    struct pvf__service_request *request = pvf__service_request_of_core(service, command->request);
    if (worker == NULL || worker->state != PVF__SERVICE_IDLE || request == NULL) {
        not_started(service, command);
        if (worker != NULL && worker->state != PVF__SERVICE_DEAD) {
            pvf__service_bury(service, worker);
        }
        return;
    }
    PVF__LOG_JOB(request->id);
    if (command->kind == PVF__CORE_START_PREPARE) {
        pvf__service_prepare_start(service, worker, request);
    } else {
        pvf__service_execute_start(service, worker, request, command->generation);
    }
}

static const char *alarm_text(enum pvf__core_alarm alarm)
{
    switch (alarm) {
    case PVF__CORE_ALARM_PREPARE_SPAWN:
        return "no prepare worker can be started";
    case PVF__CORE_ALARM_EXECUTE_SPAWN:
        return "no execute worker can be started";
    case PVF__CORE_ALARM_PREPARE_DEATHS:
        return "prepare workers die before they do a job";
    case PVF__CORE_ALARM_EXECUTE_DEATHS:
        return "execute workers die before they do a job";
    case PVF__CORE_ALARM_FREE_SPACE:
    default:
        return "the disk is nearly full, and no artifact can be spared";
    }
}

static void do_alarm(struct pvf_service *service, const struct pvf__core_command *command)
{
    service->alarms[command->alarm] = command->alarm_on;
    pvf__log(command->alarm_on ? PVF__LOG_ERROR : PVF__LOG_INFO,
             "%s%s",
             command->alarm_on ? "" : "over: ",
             alarm_text(command->alarm));
    /* What the machine can do may have changed since it was looked at. */
    if (command->alarm_on && command->alarm != PVF__CORE_ALARM_FREE_SPACE) {
        pvf__service_recheck_begin(service);
    }
}

void pvf__service_carry_out(struct pvf_service *service, const struct pvf__core_command *command)
{
    struct pvf__service_worker *worker;
    switch (command->kind) {
    case PVF__CORE_SPAWN:
        do_spawn(service, command);
        break;
    case PVF__CORE_KILL:
        worker = pvf__service_worker_find(service, command->worker);
        if (worker != NULL && worker->state != PVF__SERVICE_DEAD) {
            pvf__service_bury(service, worker);
        }
        break;
    case PVF__CORE_START_PREPARE:
    case PVF__CORE_START_EXECUTE:
        do_start(service, command);
        break;
    case PVF__CORE_REPLY:
        pvf__service_reply(service, command);
        break;
    case PVF__CORE_REMOVE:
        pvf__service_artifact_remove(service, command->generation);
        break;
    case PVF__CORE_ALARM:
    default:
        do_alarm(service, command);
        break;
    }
}
