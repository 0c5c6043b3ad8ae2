/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the figures that a caller may look at, and the one line about what is wrong. */
#include "service/service_state.h"

#include <stdio.h>
#include <string.h>

/* The gravest first. */
static void say_alarm(const struct pvf_service *service, char *out, size_t size)
{
    const pvf_error *prepare = &service->spawn_error[PVF__WORKER_KIND_PREPARE];
    const pvf_error *execute = &service->spawn_error[PVF__WORKER_KIND_EXECUTE];
    const char *text = "";
    if (service->proof_failed) {
        text = service->proof_text;
    } else if (service->insecure) {
        text = service->insecure_why.text;
    } else if (service->alarms[PVF__CORE_ALARM_EXECUTE_SPAWN]) {
        text = execute->code != 0 ? execute->text : "no execute worker can be started";
    } else if (service->alarms[PVF__CORE_ALARM_PREPARE_SPAWN]) {
        text = prepare->code != 0 ? prepare->text : "no prepare worker can be started";
    } else if (service->alarms[PVF__CORE_ALARM_EXECUTE_DEATHS]) {
        text = "execute workers die before they do a job; see their log";
    } else if (service->alarms[PVF__CORE_ALARM_PREPARE_DEATHS]) {
        text = "prepare workers die before they do a job; see their log";
    } else if (service->alarms[PVF__CORE_ALARM_FREE_SPACE]) {
        text = "the disk is nearly full, and no artifact can be spared";
    }
    (void)snprintf(out, size, "%s", text);
}

void pvf_service_stats_get(const pvf_service *service, pvf_service_stats *stats)
{
    struct pvf__core_stats core;
    pvf_service_stats now = {0};
    if (service == NULL || stats == NULL) {
        return;
    }
    pvf__core_stats_get(service->core, &core);
    now.struct_size = stats->struct_size;
    now.requests = service->requests_count;
    now.prepare_queued = core.prepare_critical + core.prepare_normal;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        now.execute_queued[i] = core.execute_queued[i];
    }
    const struct pvf__core_workers_stats *prepare = &core.workers[PVF__CORE_PREPARE_WORKER];
    const struct pvf__core_workers_stats *execute = &core.workers[PVF__CORE_EXECUTE_WORKER];
    now.prepare_workers = prepare->spawning + prepare->idle + prepare->busy;
    now.execute_workers = execute->spawning + execute->idle + execute->busy;
    now.execute_busy = execute->busy;
    now.cache_bytes = core.cache_bytes;
    now.cache_entries = core.cache_entries;
    now.preparations = service->preparations;
    now.executions = service->executions;
    now.worker_deaths = service->worker_deaths;
    say_alarm(service, now.alarm, sizeof(now.alarm));
    now.copied_bytes = service->copied_bytes;
    now.healthy = now.alarm[0] == '\0';
    /* An older caller has a shorter struct. */
    size_t size = stats->struct_size < sizeof(now) ? stats->struct_size : sizeof(now);
    memcpy(stats, &now, size);
}
