/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what a service does, in numbers. */
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "pvf/status.h"
#include "pvf/version.h"

#include <string.h>

#define NONE PVF__LABEL_NONE

int pvf__service_metrics_new(struct pvf_service *service, pvf_error *err)
{
    const struct pvf__metrics_config config = {
        .version = PVF_VERSION,
        .prepare_version = service->programs[PVF__WORKER_KIND_PREPARE].version,
        .execute_version = service->programs[PVF__WORKER_KIND_EXECUTE].version,
    };
    int status = pvf__metrics_new(&config, &service->metrics, err);
    if (status == 0) {
        pvf__metrics_set_only(
            service->metrics, PVF__METRIC_SELF_TEST_STATE, PVF__SELF_TEST_NOT_RUN);
    }
    return status;
}

static unsigned flavor_of(enum pvf__worker_kind kind)
{
    return kind == PVF__WORKER_KIND_PREPARE ? PVF__FLAVOR_PREPARE : PVF__FLAVOR_EXECUTE;
}

static uint64_t since(uint64_t at)
{
    uint64_t now = pvf__clock_monotonic_ns();
    return now > at ? now - at : 0;
}

static bool is_own(const struct pvf__service_request *request)
{
    return request->kind == PVF__SERVICE_SELF_TEST;
}

/* ---- Requests ---- */

void pvf__service_metrics_taken(const struct pvf_service *service,
                                const struct pvf__service_request *request)
{
    static const unsigned places[] = {
        [PVF__SERVICE_PRECHECK] = PVF__REQUEST_PRECHECK,
        [PVF__SERVICE_EXECUTE] = PVF__REQUEST_EXECUTE,
        [PVF__SERVICE_HEADS_UP] = PVF__REQUEST_HEADS_UP,
    };
    pvf__metrics_add(service->metrics, PVF__METRIC_REQUESTS, places[request->kind], NONE, 1);
    if (request->kind == PVF__SERVICE_EXECUTE) {
        uint64_t size = request->execution.pov.len;
        pvf__metrics_observe(
            service->metrics, PVF__METRIC_POV_SIZE, PVF__COMPRESSED_TRUE, NONE, size);
        pvf__metrics_observe(
            service->metrics, PVF__METRIC_POV_BYTES, PVF__COMPRESSED_TRUE, NONE, size);
    }
}

void pvf__service_metrics_refused(const struct pvf_service *service, int status)
{
    unsigned place = PVF__REFUSAL_INVALID_ARGUMENT;
    if (service->closing) {
        place = PVF__REFUSAL_SHUT_DOWN;
    } else if (service->copies_refused) {
        place = PVF__REFUSAL_COPIES;
    } else if (status == PVF_ERR_LIMIT) {
        place = PVF__REFUSAL_LIMIT;
    } else if (status == PVF_ERR_NO_MEMORY) {
        place = PVF__REFUSAL_NO_MEMORY;
    }
    pvf__metrics_add(service->metrics, PVF__METRIC_REQUESTS_REFUSED, place, NONE, 1);
}

void pvf__service_metrics_prechecked(const struct pvf_service *service,
                                     const struct pvf__service_request *request)
{
    pvf__metrics_observe(service->metrics,
                         PVF__METRIC_REQUEST_DURATION,
                         PVF__LABEL_TASK_PRECHECK,
                         NONE,
                         since(request->came_at));
}

static unsigned validity_of(int32_t verdict)
{
    switch (verdict) {
    case PVF_VERDICT_VALID:
        return PVF__VALIDITY_VALID;
    case PVF_VERDICT_INVALID:
    case PVF_VERDICT_POSSIBLY_INVALID:
        return PVF__VALIDITY_INVALID;
    default:
        return PVF__VALIDITY_FAILURE;
    }
}

void pvf__service_metrics_judged(const struct pvf_service *service,
                                 const struct pvf__service_request *request)
{
    pvf_metrics *metrics = service->metrics;
    const pvf_outcome *outcome = &request->outcome;
    unsigned kind = (unsigned)request->cls;
    uint64_t taken = since(request->came_at);
    pvf__metrics_add(
        metrics, PVF__METRIC_EXECUTION_VERDICTS, kind, pvf__label_verdict(outcome->verdict), 1);
    pvf__metrics_observe(metrics, PVF__METRIC_REQUEST_DURATION, kind, NONE, taken);
    pvf__metrics_observe(metrics, PVF__METRIC_VALIDATE_FROM_EXHAUSTIVE, NONE, NONE, taken);
    pvf__metrics_observe(metrics, PVF__METRIC_VALIDATE_CANDIDATE_EXHAUSTIVE, NONE, NONE, taken);
    if (outcome->reason == PVF_REASON_EXPIRED) {
        pvf__metrics_add(metrics, PVF__METRIC_REQUESTS_EXPIRED, kind, NONE, 1);
    }
    pvf__metrics_add(
        metrics, PVF__METRIC_VALIDATION_REQUESTS, validity_of(outcome->verdict), NONE, 1);
    if (outcome->verdict == PVF_VERDICT_VALID) {
        uint64_t size = outcome->pov_size;
        pvf__metrics_observe(metrics, PVF__METRIC_POV_SIZE, PVF__COMPRESSED_FALSE, NONE, size);
        pvf__metrics_observe(metrics, PVF__METRIC_POV_BYTES, PVF__COMPRESSED_FALSE, NONE, size);
    }
}

/* ---- Jobs ---- */

void pvf__service_metrics_prepare_started(const struct pvf_service *service,
                                          const struct pvf__service_request *request)
{
    pvf__metrics_observe(
        service->metrics, PVF__METRIC_PREPARATION_WAIT, NONE, NONE, since(request->submitted_at));
}

void pvf__service_metrics_prepared(const struct pvf_service *service,
                                   const pvf_prepare_outcome *outcome,
                                   const struct pvf__prepare_stats *stats)
{
    pvf_metrics *metrics = service->metrics;
    pvf__metrics_observe(
        metrics, PVF__METRIC_PREPARATION_TIME, NONE, NONE, outcome->wall_us * 1000);
    pvf__metrics_add(metrics,
                     PVF__METRIC_PREPARATION_OUTCOMES,
                     pvf__label_prepare_result(outcome->ok ? PVF__LABEL_PREPARED : outcome->error),
                     NONE,
                     1);
    if (!outcome->ok || stats == NULL) {
        return;
    }
    const struct pvf__memory_stats *memory = &stats->memory;
    const struct {
        enum pvf__metric metric;
        bool known;
        uint64_t value;
    } rows[] = {
        {PVF__METRIC_PREPARATION_CPU, true, outcome->cpu_us * 1000},
        {PVF__METRIC_CODE_SIZE, true, outcome->code_len},
        {PVF__METRIC_CODE_BYTES, true, outcome->code_len},
        {PVF__METRIC_ARTIFACT_BYTES, true, outcome->artifact_size},
        {PVF__METRIC_PREPARATION_MAX_RSS,
         memory->has_max_rss && memory->max_rss >= 0,
         (uint64_t)memory->max_rss},
        {PVF__METRIC_PREPARATION_MAX_RESIDENT, memory->has_tracker, memory->resident / 1024},
        {PVF__METRIC_PREPARATION_MAX_ALLOCATED, memory->has_tracker, memory->allocated / 1024},
        {PVF__METRIC_PREPARATION_PEAK_TRACKED_ALLOCATION, true, memory->peak_tracked_alloc / 1024},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].known) {
            pvf__metrics_observe(metrics, rows[i].metric, NONE, NONE, rows[i].value);
        }
    }
}

void pvf__service_metrics_execute_started(const struct pvf_service *service,
                                          const struct pvf__service_request *request,
                                          const struct pvf__service_artifact *artifact)
{
    if (!is_own(request)) {
        /* Before there was an artifact it waited for a preparation. */
        uint64_t queued_at =
            request->submitted_at > artifact->taken_at ? request->submitted_at : artifact->taken_at;
        pvf__metrics_observe(
            service->metrics, PVF__METRIC_EXECUTION_QUEUED_TIME, NONE, NONE, since(queued_at));
    }
}

void pvf__service_metrics_executed(const struct pvf_service *service, const pvf_outcome *outcome)
{
    pvf_metrics *metrics = service->metrics;
    uint64_t wall_ns = outcome->wall_us * 1000;
    pvf__metrics_observe(metrics, PVF__METRIC_EXECUTION_TIME, NONE, NONE, wall_ns);
    pvf__metrics_observe(metrics,
                         PVF__METRIC_EXECUTION_DURATION,
                         pvf__label_verdict(outcome->verdict),
                         NONE,
                         wall_ns);
    pvf__metrics_add(
        metrics, PVF__METRIC_EXECUTION_OUTCOMES, pvf__label_reason(outcome->reason), NONE, 1);
    if (outcome->cpu_us > 0) {
        pvf__metrics_observe(
            metrics, PVF__METRIC_EXECUTION_CPU, NONE, NONE, outcome->cpu_us * 1000);
    }
}

void pvf__service_metrics_retried(const struct pvf_service *service, const pvf_outcome *outcome)
{
    pvf__metrics_add(service->metrics,
                     PVF__METRIC_EXECUTION_RETRIES,
                     pvf__label_reason(outcome->reason),
                     NONE,
                     1);
}

/* ---- Workers ---- */

void pvf__service_metrics_spawn_failed(const struct pvf_service *service,
                                       enum pvf__worker_kind kind,
                                       int32_t failure)
{
    pvf__metrics_add(service->metrics,
                     PVF__METRIC_WORKER_SPAWN_FAILURES,
                     flavor_of(kind),
                     pvf__label_spawn_failure(failure),
                     1);
}

void pvf__service_metrics_spawning_again(const struct pvf_service *service,
                                         enum pvf__worker_kind kind)
{
    pvf__metrics_add(service->metrics, PVF__METRIC_WORKER_SPAWN_RETRIES, flavor_of(kind), NONE, 1);
}

void pvf__service_metrics_death(const struct pvf_service *service,
                                enum pvf__worker_kind kind,
                                bool busy)
{
    pvf__metrics_add(service->metrics,
                     PVF__METRIC_WORKER_DEATHS,
                     flavor_of(kind),
                     busy ? PVF__WORKER_BUSY : PVF__WORKER_IDLE,
                     1);
}

void pvf__service_metrics_tested(const struct pvf_service *service, bool passed)
{
    pvf__metrics_add(service->metrics, PVF__METRIC_SELF_TESTS, passed ? 0 : 1, NONE, 1);
    pvf__metrics_set_only(service->metrics,
                          PVF__METRIC_SELF_TEST_STATE,
                          passed ? PVF__SELF_TEST_PASSED : PVF__SELF_TEST_FAILED);
}

void pvf__service_metrics_evidence(const struct pvf_service *service, bool written)
{
    pvf__metrics_add(service->metrics,
                     PVF__METRIC_EVIDENCE_BUNDLES,
                     written ? PVF__EVIDENCE_WRITTEN : PVF__EVIDENCE_FAILED,
                     NONE,
                     1);
}

/* ---- What is looked at when it is asked for ---- */

static void set_workers(pvf_metrics *metrics, const struct pvf__core_stats *core)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        const struct pvf__core_workers_stats *workers = &core->workers[kind];
        unsigned flavor =
            kind == PVF__CORE_PREPARE_WORKER ? PVF__FLAVOR_PREPARE : PVF__FLAVOR_EXECUTE;
        pvf__metrics_set(
            metrics, PVF__METRIC_WORKERS, flavor, PVF__WORKER_SPAWNING, workers->spawning);
        pvf__metrics_set(metrics, PVF__METRIC_WORKERS, flavor, PVF__WORKER_IDLE, workers->idle);
        pvf__metrics_set(metrics, PVF__METRIC_WORKERS, flavor, PVF__WORKER_BUSY, workers->busy);
        pvf__metrics_total(
            metrics, PVF__METRIC_WORKER_SPAWNING, flavor, NONE, core->spawning[kind]);
        pvf__metrics_total(metrics, PVF__METRIC_WORKER_SPAWNED, flavor, NONE, core->spawned[kind]);
        pvf__metrics_total(metrics, PVF__METRIC_WORKER_RETIRED, flavor, NONE, core->retired[kind]);
    }
}

static void set_queues(pvf_metrics *metrics, const struct pvf__core_stats *core)
{
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        pvf__metrics_set(
            metrics, PVF__METRIC_EXECUTE_QUEUE_LENGTH, i, NONE, core->execute_queued[i]);
        pvf__metrics_set(metrics, PVF__METRIC_EXECUTE_RUNNING, i, NONE, core->execute_running[i]);
        pvf__metrics_total(metrics, PVF__METRIC_EXEC_KIND_SELECTED, i, NONE, core->selected[i]);
    }
    pvf__metrics_set(metrics,
                     PVF__METRIC_PREPARE_QUEUE_LENGTH,
                     PVF__PRIORITY_CRITICAL,
                     NONE,
                     core->prepare_critical);
    pvf__metrics_set(metrics,
                     PVF__METRIC_PREPARE_QUEUE_LENGTH,
                     PVF__PRIORITY_NORMAL,
                     NONE,
                     core->prepare_normal);
}

static void set_plain(const struct pvf_service *service, const struct pvf__core_stats *core)
{
    const struct {
        enum pvf__metric metric;
        bool total;
        uint64_t value;
    } rows[] = {
        {PVF__METRIC_PREPARE_ENQUEUED, true, core->prepare_enqueued},
        {PVF__METRIC_PREPARE_CONCLUDED, true, core->prepare_concluded},
        {PVF__METRIC_EXECUTE_ENQUEUED, true, core->execute_enqueued},
        {PVF__METRIC_EXECUTE_FINISHED, true, core->execute_finished},
        {PVF__METRIC_EXECUTE_REQUEUED, true, core->execute_requeued},
        {PVF__METRIC_FIRST_TIERS, true, core->first_tiers},
        {PVF__METRIC_FIRST_TIER_SERVED, true, core->first_tier_served},
        {PVF__METRIC_FIRST_TIER_REPEATED, true, core->first_tier_repeated},
        {PVF__METRIC_PREPARATION_RETRIES, true, core->prepare_retried},
        {PVF__METRIC_REQUESTS_CANCELLED, true, core->cancelled},
        {PVF__METRIC_REQUESTS_COALESCED, true, core->coalesced},
        {PVF__METRIC_REQUESTS_STORED, true, core->stored},
        {PVF__METRIC_CACHE_REMOVED, true, core->removed},
        {PVF__METRIC_LOG_LINES_LEFT_OUT, true, pvf__log_left_out()},
        {PVF__METRIC_REQUESTS_LIVE, false, service->requests_count},
        {PVF__METRIC_REQUESTS_COPIED, false, service->copied_bytes},
        {PVF__METRIC_REQUESTS_COPIED_LIMIT, false, service->copied_max_bytes},
        {PVF__METRIC_PREPARE_WAITERS, false, core->prepare_waiters},
        {PVF__METRIC_PREPARATION_FAILURES_ACTIVE, false, core->failures},
        {PVF__METRIC_CACHE_BYTES, false, core->cache_bytes},
        {PVF__METRIC_CACHE_ENTRIES, false, core->cache_entries},
        {PVF__METRIC_CACHE_LIMIT, false, service->cache_max_bytes},
        {PVF__METRIC_CACHE_FREE, false, service->free_bytes},
        {PVF__METRIC_UP, false, service->closing || service->broken ? 0 : 1},
        {PVF__METRIC_SECURE_MODE, false, service->host->security.secure_validator_mode},
        {PVF__METRIC_BUILD_INFO, false, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].total) {
            pvf__metrics_total(service->metrics, rows[i].metric, NONE, NONE, rows[i].value);
        } else {
            pvf__metrics_set(service->metrics, rows[i].metric, NONE, NONE, rows[i].value);
        }
    }
}

static void set_security(const struct pvf_service *service)
{
    const pvf_security_status *security = &service->host->security;
    const bool on[] = {
        [PVF__MECHANISM_LANDLOCK] = security->can_enable_landlock,
        [PVF__MECHANISM_SECCOMP] = security->can_enable_seccomp,
        [PVF__MECHANISM_CHANGE_ROOT] = security->can_unshare_user_namespace_and_change_root,
        [PVF__MECHANISM_SECURE_CLONE] = security->can_do_secure_clone,
    };
    for (unsigned i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
        /* Both kinds are told the same. */
        pvf__metrics_set(
            service->metrics, PVF__METRIC_SECURITY_ENABLED, PVF__FLAVOR_PREPARE, i, on[i]);
        pvf__metrics_set(
            service->metrics, PVF__METRIC_SECURITY_ENABLED, PVF__FLAVOR_EXECUTE, i, on[i]);
    }
}

static void set_health(const struct pvf_service *service)
{
    pvf_service_stats stats = {.struct_size = sizeof(stats)};
    const struct pvf__cache_counts *counts = pvf__cache_counts(service->cache);
    pvf_service_stats_get(service, &stats);
    pvf__metrics_set(service->metrics, PVF__METRIC_HEALTHY, NONE, NONE, stats.healthy);
    for (unsigned i = 0; i < PVF__CORE_ALARMS; i++) {
        pvf__metrics_set(service->metrics, PVF__METRIC_ALARM, i, NONE, service->alarms[i]);
    }
    pvf__metrics_set(
        service->metrics, PVF__METRIC_ALARM, PVF__ALARM_SELF_TEST, NONE, service->proof_failed);
    for (int i = 0; i < PVF__CACHE_RESULTS; i++) {
        pvf__metrics_total(service->metrics,
                           PVF__METRIC_CACHE_LOADS,
                           pvf__label_cache_result(i),
                           NONE,
                           counts->loads[i]);
    }
}

const pvf_metrics *pvf_service_metrics(pvf_service *service)
{
    struct pvf__core_stats core;
    if (service == NULL) {
        return NULL;
    }
    pvf__core_stats_get(service->core, &core);
    set_workers(service->metrics, &core);
    set_queues(service->metrics, &core);
    set_plain(service, &core);
    set_security(service);
    set_health(service);
    return service->metrics;
}
