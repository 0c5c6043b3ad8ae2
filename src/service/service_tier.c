/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the first of the two answers that a prepare worker gives which makes a first tier.  It is
 * worth a file to run until the second comes, or nothing: no verdict, no failure, no figure of the
 * preparation rests on it.  The file stays in the private folder and is never kept.
 */
#include "service/service_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host/prepare_outcome.h"
#include "proto/frame.h"

#include <stdio.h>

/* Takes the file in, if the core wants it. */
static void take(struct pvf_service *service,
                 const struct pvf__service_worker *worker,
                 pvf_prepare_outcome *first)
{
    uint64_t generation =
        pvf__core_prepare_first_tier(service->core, pvf__clock_monotonic_ns(), worker->id);
    if (generation == 0) {
        return;
    }
    pvf__service_artifact_take(
        service, generation, first, &worker->job.made_as, worker->job.prepare_timeout_ms, false);
    struct pvf__service_artifact *artifact = pvf__service_artifact_find(service, generation);
    if (artifact != NULL) {
        artifact->first_tier = true;
    }
}

bool pvf__service_tier_take(struct pvf_service *service, struct pvf__service_worker *worker)
{
    struct pvf__service_job *job = &worker->job;
    char path[PATH_MAX];
    struct pvf__slice detail = {0};
    struct pvf__prepare_stats stats;
    pvf_error why = PVF_ERROR_INIT;
    if (!job->first_tier_due) {
        return false;
    }
    job->first_tier_due = false;
    pvf_prepare_outcome first = job->prepared;
    first.wall_us = (pvf__clock_monotonic_ns() - job->begun_at) / 1000;
    pvf__host_prepare_path(worker->spawning.spawned.dir, PVF__HOST_FIRST_TIER, path);
    enum pvf__prepare_event event = pvf__host_prepare_answer(
        service->host, &worker->incoming.body, path, job->timeout, &first, &stats, &detail, &why);
    if (event == PVF__PREPARE_EVENT_UNDECODABLE) {
        /* No worker of ours: what ends the job is found again by whoever ends it. */
        return false;
    }
    /* A worker that took its answer back would say so in the second. */
    (void)pvf__prepare_outcome_set(event, detail, &first);
    if (first.ok) {
        take(service, worker, &first);
    } else {
        pvf__log(PVF__LOG_DEBUG, "no first tier: %s", first.text);
    }
    pvf_prepare_outcome_done(&first); /* also removes a file that nobody wants */
    pvf__service_worker_await(service, worker, PVF__FRAME_MAX_PREPARE_ANSWER);
    return true;
}
