/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_METRICS_METRICS_H
#define PVF_METRICS_METRICS_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "metrics/metrics_labels.h"
#include "pvf/error.h"
#include "pvf/metrics.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The figures of one host.  All of them live in one allocation that is made at the start; an update
 * is an addition, cannot fail, and does nothing when `metrics` is NULL.  Not thread-safe.
 *
 * VALUES are whole numbers in the unit of the metric's row (metrics_table.c): nanoseconds for
 * times, bytes, KiB, or a count.
 *
 * What the core counts (struct pvf__core_stats) is not counted a second time: before the figures
 * are given away, its totals are copied with pvf__metrics_total and its gauges with
 * pvf__metrics_set.  The comment at each metric says where its value is known: "core: x" names the
 * member of those stats.
 */
enum pvf__metric {
    /* The reference's. */
    PVF__METRIC_WORKER_SPAWNING,  /* flavor; core: spawning */
    PVF__METRIC_WORKER_SPAWNED,   /* flavor; core: spawned */
    PVF__METRIC_WORKER_RETIRED,   /* flavor; core: retired */
    PVF__METRIC_PREPARE_ENQUEUED, /* core: prepare_enqueued */
    PVF__METRIC_PREPARE_CONCLUDED,
    PVF__METRIC_EXECUTE_ENQUEUED,
    PVF__METRIC_EXECUTE_FINISHED,
    PVF__METRIC_PREPARATION_TIME,      /* start of the job to its outcome, good or bad */
    PVF__METRIC_EXECUTION_TIME,        /* the same */
    PVF__METRIC_EXECUTION_QUEUED_TIME, /* from being queued to having its worker */
    PVF__METRIC_PREPARATION_MAX_RSS,   /* KiB; this and the next three: what a good job sent */
    PVF__METRIC_PREPARATION_MAX_RESIDENT,
    PVF__METRIC_PREPARATION_MAX_ALLOCATED,
    PVF__METRIC_PREPARATION_PEAK_TRACKED_ALLOCATION,
    PVF__METRIC_POV_SIZE,           /* compressed; true: at the request, false: after a valid one */
    PVF__METRIC_CODE_SIZE,          /* decompressed, after a good preparation */
    PVF__METRIC_EXEC_KIND_SELECTED, /* pvf_exec_kind; core: selected */
    /* The reference's, of the caller: an execution with retries. */
    PVF__METRIC_VALIDATION_REQUESTS,           /* validity */
    PVF__METRIC_VALIDATE_FROM_EXHAUSTIVE,      /* request to reply */
    PVF__METRIC_VALIDATE_CANDIDATE_EXHAUSTIVE, /* the same without the checks before */
    PVF__METRIC_PREVALIDATION_REJECTED,        /* prevalidation */
    /* The host as a whole. */
    PVF__METRIC_UP,               /* 1 until the shutdown or a fatal failure */
    PVF__METRIC_HEALTHY,          /* no alarm is on */
    PVF__METRIC_ALARM,            /* alarm; core: alarms */
    PVF__METRIC_SELF_TEST_STATE,  /* self_test: 1 for the one that holds */
    PVF__METRIC_SELF_TESTS,       /* test_result */
    PVF__METRIC_SECURITY_ENABLED, /* flavor, mechanism */
    PVF__METRIC_SECURE_MODE,
    /* Requests. */
    PVF__METRIC_REQUESTS_LIVE, /* core: requests */
    PVF__METRIC_REQUESTS_COPIED,
    PVF__METRIC_REQUESTS_COPIED_LIMIT,
    PVF__METRIC_REQUESTS,           /* request: those taken */
    PVF__METRIC_REQUESTS_REFUSED,   /* refusal */
    PVF__METRIC_REQUESTS_EXPIRED,   /* pvf_exec_kind */
    PVF__METRIC_REQUESTS_CANCELLED, /* core: cancelled */
    PVF__METRIC_REQUESTS_COALESCED, /* core: coalesced */
    PVF__METRIC_REQUESTS_STORED,    /* core: stored */
    PVF__METRIC_REQUEST_DURATION,   /* pvf_exec_kind or PVF__LABEL_TASK_PRECHECK */
    /* Preparations. */
    PVF__METRIC_PREPARE_QUEUE_LENGTH,        /* priority; core: prepare_critical, _normal */
    PVF__METRIC_PREPARE_WAITERS,             /* core: prepare_waiters */
    PVF__METRIC_PREPARATION_WAIT,            /* from being queued to the job's start */
    PVF__METRIC_PREPARATION_CPU,             /* as the worker measured it; good ones */
    PVF__METRIC_PREPARATION_OUTCOMES,        /* prepare_result */
    PVF__METRIC_PREPARATION_RETRIES,         /* core: prepare_retried */
    PVF__METRIC_PREPARATION_FAILURES_ACTIVE, /* core: failures */
    PVF__METRIC_FIRST_TIERS,                 /* core: first_tiers */
    /* Executions. */
    PVF__METRIC_EXECUTE_QUEUE_LENGTH, /* pvf_exec_kind; core: execute_queued */
    PVF__METRIC_EXECUTE_RUNNING,      /* pvf_exec_kind; core: execute_running */
    PVF__METRIC_EXECUTION_DURATION,   /* verdict; as EXECUTION_TIME */
    PVF__METRIC_EXECUTION_CPU,        /* of those with an answer */
    PVF__METRIC_EXECUTION_VERDICTS,   /* pvf_exec_kind, verdict: replies */
    PVF__METRIC_EXECUTION_OUTCOMES,   /* reason: of each attempt */
    PVF__METRIC_EXECUTION_RETRIES,    /* reason of the attempt before */
    PVF__METRIC_EXECUTE_REQUEUED,     /* core: execute_requeued */
    PVF__METRIC_FIRST_TIER_SERVED,    /* core: first_tier_served */
    PVF__METRIC_FIRST_TIER_REPEATED,  /* core: first_tier_repeated */
    /* Workers. */
    PVF__METRIC_WORKERS,               /* flavor, worker_state; core: workers */
    PVF__METRIC_WORKER_SPAWN_FAILURES, /* flavor, spawn_failure */
    PVF__METRIC_WORKER_SPAWN_RETRIES,  /* flavor: starts after a failed one */
    PVF__METRIC_WORKER_DEATHS,         /* flavor, worker_state: by itself, not killed */
    /* Cache. */
    PVF__METRIC_CACHE_BYTES,   /* core: cache_bytes */
    PVF__METRIC_CACHE_ENTRIES, /* core: cache_entries */
    PVF__METRIC_CACHE_LIMIT,   /* as configured */
    PVF__METRIC_CACHE_FREE,    /* of its file system */
    PVF__METRIC_CACHE_REMOVED, /* core: removed */
    PVF__METRIC_CACHE_LOADS,   /* cache_result; cache: loads */
    /* Sizes, where the reference's buckets end too early. */
    PVF__METRIC_POV_BYTES,      /* compressed; as POV_SIZE */
    PVF__METRIC_CODE_BYTES,     /* as CODE_SIZE */
    PVF__METRIC_ARTIFACT_BYTES, /* the file, after a good preparation */
    /* Of itself. */
    PVF__METRIC_EVIDENCE_BUNDLES,   /* evidence */
    PVF__METRIC_LOG_LINES_LEFT_OUT, /* pvf__log_left_out */
    PVF__METRIC_BUILD_INFO,         /* always 1 */
};
#define PVF__METRICS ((size_t)PVF__METRIC_BUILD_INFO + 1)

/* Texts are copied and cut to 63 bytes; NULL: "". */
struct pvf__metrics_config {
    const char *chain;           /* the node's label on everything; NULL: without it */
    const char *version;         /* of libpvf */
    const char *prepare_version; /* as the worker programs report it */
    const char *execute_version;
};

PVF__NODISCARD int
pvf__metrics_new(const struct pvf__metrics_config *config, pvf_metrics **ret, pvf_error *err);

/* NULL is fine. */
void pvf__metrics_free(pvf_metrics *metrics);

/*
 * `first` and `second` are the places of the label values, PVF__LABEL_NONE where there is no such
 * label.  A place outside of its set, or an update that is not for this type, is a programmer's
 * error.
 */

/* A counter: `count` more. */
void pvf__metrics_add(
    pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second, uint64_t count);

/* A counter that somebody else keeps; a lower total than before changes nothing. */
void pvf__metrics_total(
    pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second, uint64_t total);

/* A gauge. */
void pvf__metrics_set(
    pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second, uint64_t value);

/* A gauge with one label of which exactly one value holds: 1 for that, 0 for the others. */
void pvf__metrics_set_only(pvf_metrics *metrics, enum pvf__metric metric, unsigned which);

/* A histogram: one more of this size. */
void pvf__metrics_observe(
    pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second, uint64_t value);

/* What stands there now; of a histogram, how many were observed.  0 when `metrics` is NULL. */
uint64_t pvf__metrics_get(const pvf_metrics *metrics,
                          enum pvf__metric metric,
                          unsigned first,
                          unsigned second);

/* Appends what pvf_metrics_text gives; PVF_ERR_LIMIT or PVF_ERR_NO_MEMORY as the buffer says. */
PVF__NODISCARD int
pvf__metrics_write(const pvf_metrics *metrics, struct pvf__buf *text, pvf_error *err);

/* At most so long is the text. */
#define PVF__METRICS_TEXT_MAX ((size_t)1 << 20)

#endif
