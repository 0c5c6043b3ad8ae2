/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: names, texts, labels and buckets of all metrics.  Those called polkadot_… are the
 * reference's to the last bucket, so that dashboards made for it go on working.
 */
#include "metrics/metrics_table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* ---- Buckets of the reference ---- */

static const uint64_t prepare_buckets[] = {MS * 100,
                                           MS * 500,
                                           S,
                                           S * 2,
                                           S * 3,
                                           S * 10,
                                           S * 20,
                                           S * 30,
                                           S * 60,
                                           S * 120,
                                           S * 240,
                                           S * 360,
                                           S * 480};
static const uint64_t execute_buckets[] = {MS * 10,
                                           MS * 25,
                                           MS * 50,
                                           MS * 100,
                                           MS * 250,
                                           MS * 500,
                                           S,
                                           S * 2,
                                           S * 3,
                                           S * 4,
                                           S * 5,
                                           S * 6,
                                           S * 8,
                                           S * 10,
                                           S * 12};
static const uint64_t queued_buckets[] = {MS * 10,
                                          MS * 25,
                                          MS * 50,
                                          MS * 100,
                                          MS * 250,
                                          MS * 500,
                                          S,
                                          S * 2,
                                          S * 3,
                                          S * 4,
                                          S * 5,
                                          S * 6,
                                          S * 12,
                                          S * 24,
                                          S * 48};
/* Counted in KiB: 8 MiB to 4 GiB. */
static const uint64_t memory_buckets[] = {
    8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576, 2097152, 4194304};
static const uint64_t size_buckets[] = {
    KIB * 16, KIB * 32, KIB * 64, KIB * 128, KIB * 256, KIB * 512, MIB, MIB * 2, MIB * 4, MIB * 8};
/* What Prometheus's libraries take untold. */
static const uint64_t default_buckets[] = {
    MS * 5, MS * 10, MS * 25, MS * 50, MS * 100, MS * 250, MS * 500, S, MS * 2500, S * 5, S * 10};

/* ---- Our own ---- */

/* To 48 s, the limit on the clock for approvals. */
static const uint64_t execute_wide_buckets[] = {MS * 5,
                                                MS * 10,
                                                MS * 25,
                                                MS * 50,
                                                MS * 100,
                                                MS * 250,
                                                MS * 500,
                                                S,
                                                S * 2,
                                                S * 3,
                                                S * 4,
                                                S * 6,
                                                S * 8,
                                                S * 12,
                                                S * 24,
                                                S * 48};
/* From a stored answer to a lenient preparation at its limit on the clock, 1440 s. */
static const uint64_t wait_buckets[] = {MS * 10,
                                        MS * 50,
                                        MS * 100,
                                        MS * 500,
                                        S,
                                        S * 2,
                                        S * 5,
                                        S * 10,
                                        S * 30,
                                        S * 60,
                                        S * 120,
                                        S * 240,
                                        S * 480,
                                        S * 1440};
/* To 128 MiB: the limits are 30 MiB for code and 40 MiB for a PoV, and an artifact is larger. */
static const uint64_t large_buckets[] = {KIB * 16,
                                         KIB * 32,
                                         KIB * 64,
                                         KIB * 128,
                                         KIB * 256,
                                         KIB * 512,
                                         MIB,
                                         MIB * 2,
                                         MIB * 4,
                                         MIB * 8,
                                         MIB * 12,
                                         MIB * 16,
                                         MIB * 24,
                                         MIB * 32,
                                         MIB * 48,
                                         MIB * 64,
                                         MIB * 128};

#define LABEL(word, values)                                                                        \
    {                                                                                              \
        (word), &pvf__label_##values                                                               \
    }
#define NO_LABEL                                                                                   \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }
#define COUNTER(text, about, ...)                                                                  \
    {                                                                                              \
        .name = (text), .help = (about), .type = PVF_METRIC_COUNTER, .unit = PVF__UNIT_PLAIN,      \
        .labels = {__VA_ARGS__}, .buckets = NULL, .bucket_count = 0                                \
    }
#define GAUGE(text, about, ...)                                                                    \
    {                                                                                              \
        .name = (text), .help = (about), .type = PVF_METRIC_GAUGE, .unit = PVF__UNIT_PLAIN,        \
        .labels = {__VA_ARGS__}, .buckets = NULL, .bucket_count = 0                                \
    }
#define TIMES(text, about, array, ...)                                                             \
    {                                                                                              \
        .name = (text), .help = (about), .type = PVF_METRIC_HISTOGRAM, .unit = PVF__UNIT_TIME,     \
        .labels = {__VA_ARGS__}, .buckets = (array), .bucket_count = COUNT(array)                  \
    }
#define SIZES(text, about, array, ...)                                                             \
    {                                                                                              \
        .name = (text), .help = (about), .type = PVF_METRIC_HISTOGRAM, .unit = PVF__UNIT_PLAIN,    \
        .labels = {__VA_ARGS__}, .buckets = (array), .bucket_count = COUNT(array)                  \
    }

/* clang-format off */
const struct pvf__metric_row pvf__metric_rows[PVF__METRICS] = {
    /* ---- The reference's ---- */
    [PVF__METRIC_WORKER_SPAWNING] = COUNTER("polkadot_pvf_worker_spawning",
        "Workers whose start was begun.", LABEL("flavor", flavors)),
    [PVF__METRIC_WORKER_SPAWNED] = COUNTER("polkadot_pvf_worker_spawned",
        "Workers that were started.", LABEL("flavor", flavors)),
    [PVF__METRIC_WORKER_RETIRED] = COUNTER("polkadot_pvf_worker_retired",
        "Workers that were killed or died.", LABEL("flavor", flavors)),
    [PVF__METRIC_PREPARE_ENQUEUED] = COUNTER("polkadot_pvf_prepare_enqueued",
        "Preparations that were queued.", NO_LABEL),
    [PVF__METRIC_PREPARE_CONCLUDED] = COUNTER("polkadot_pvf_prepare_concluded",
        "Preparations that ended, well or not.", NO_LABEL),
    [PVF__METRIC_EXECUTE_ENQUEUED] = COUNTER("polkadot_pvf_execute_enqueued",
        "Executions that were queued.", NO_LABEL),
    [PVF__METRIC_EXECUTE_FINISHED] = COUNTER("polkadot_pvf_execute_finished",
        "Executions that ended, with whatever outcome.", NO_LABEL),
    [PVF__METRIC_PREPARATION_TIME] = TIMES("polkadot_pvf_preparation_time",
        "Seconds from the start of a preparation to its end, failures included.",
        prepare_buckets, NO_LABEL),
    [PVF__METRIC_EXECUTION_TIME] = TIMES("polkadot_pvf_execution_time",
        "Seconds from the start of an execution to its end, failures included.",
        execute_buckets, NO_LABEL),
    [PVF__METRIC_EXECUTION_QUEUED_TIME] = TIMES("polkadot_pvf_execution_queued_time",
        "Seconds that an execution waited for its worker.", queued_buckets, NO_LABEL),
    [PVF__METRIC_PREPARATION_MAX_RSS] = SIZES("polkadot_pvf_preparation_max_rss",
        "Peak of a preparation job's memory as the kernel counts it, in KiB.",
        memory_buckets, NO_LABEL),
    [PVF__METRIC_PREPARATION_MAX_RESIDENT] = SIZES("polkadot_pvf_preparation_max_resident",
        "Peak of a preparation job's resident memory as its allocator counts it, in KiB.",
        memory_buckets, NO_LABEL),
    [PVF__METRIC_PREPARATION_MAX_ALLOCATED] = SIZES("polkadot_pvf_preparation_max_allocated",
        "Peak of a preparation job's allocations as its allocator counts them, in KiB.",
        memory_buckets, NO_LABEL),
    [PVF__METRIC_PREPARATION_PEAK_TRACKED_ALLOCATION] =
        SIZES("polkadot_pvf_preparation_peak_tracked_allocation",
        "Peak of what a preparation job had asked for at a time, in KiB.",
        memory_buckets, NO_LABEL),
    [PVF__METRIC_POV_SIZE] = SIZES("polkadot_parachain_candidate_validation_pov_size",
        "Bytes of the PoV's block data, as received and decompressed.", size_buckets,
        LABEL("compressed", compressions)),
    [PVF__METRIC_CODE_SIZE] = SIZES("polkadot_parachain_candidate_validation_code_size",
        "Bytes of prepared code, decompressed.", size_buckets, NO_LABEL),
    [PVF__METRIC_EXEC_KIND_SELECTED] = COUNTER("polkadot_pvf_exec_kind_selected",
        "Executions that were started, by kind.", LABEL("priority", kinds)),

    /* ---- The reference's, of the caller ---- */
    [PVF__METRIC_VALIDATION_REQUESTS] = COUNTER("polkadot_parachain_validation_requests_total",
        "Candidates that were judged.", LABEL("validity", validities)),
    [PVF__METRIC_VALIDATE_FROM_EXHAUSTIVE] =
        TIMES("polkadot_parachain_candidate_validation_validate_from_exhaustive",
        "Seconds from the request for a judgement to the answer.", default_buckets, NO_LABEL),
    [PVF__METRIC_VALIDATE_CANDIDATE_EXHAUSTIVE] =
        TIMES("polkadot_parachain_candidate_validation_validate_candidate_exhaustive",
        "Seconds that a judgement took after its candidate was found fit for it.",
        default_buckets, NO_LABEL),
    [PVF__METRIC_PREVALIDATION_REJECTED] = COUNTER("pvf_prevalidation_rejected_total",
        "Candidates that were refused before any execution.", LABEL("reason", prevalidations)),

    /* ---- The host as a whole ---- */
    [PVF__METRIC_UP] = GAUGE("pvf_up", "1 while the host takes requests.", NO_LABEL),
    [PVF__METRIC_HEALTHY] = GAUGE("pvf_healthy", "1 while no alarm is on.", NO_LABEL),
    [PVF__METRIC_ALARM] = GAUGE("pvf_alarm", "1 while the alarm is on.", LABEL("alarm", alarms)),
    [PVF__METRIC_SELF_TEST_STATE] = GAUGE("pvf_self_test_state",
        "1 for what came of the latest run of a known-good job.", LABEL("state", self_tests)),
    [PVF__METRIC_SELF_TESTS] = COUNTER("pvf_self_tests_total",
        "Runs of a known-good job.", LABEL("result", test_results)),
    [PVF__METRIC_SECURITY_ENABLED] = GAUGE("pvf_security_enabled",
        "1 when workers of this kind are told to use the mechanism.",
        LABEL("flavor", flavors), LABEL("mechanism", mechanisms)),
    [PVF__METRIC_SECURE_MODE] = GAUGE("pvf_secure_mode",
        "1 when a worker without a mechanism that it was told to use ends.", NO_LABEL),

    /* ---- Requests ---- */
    [PVF__METRIC_REQUESTS_LIVE] = GAUGE("pvf_requests_live",
        "Requests that are not answered yet.", NO_LABEL),
    [PVF__METRIC_REQUESTS_COPIED] = GAUGE("pvf_requests_copied_bytes",
        "Bytes of code, parameters, heads and PoVs that requests hold copies of.", NO_LABEL),
    [PVF__METRIC_REQUESTS_COPIED_LIMIT] = GAUGE("pvf_requests_copied_limit_bytes",
        "Bytes that requests may hold copies of.", NO_LABEL),
    [PVF__METRIC_REQUESTS] = COUNTER("pvf_requests_total",
        "Requests that were taken.", LABEL("request", requests)),
    [PVF__METRIC_REQUESTS_REFUSED] = COUNTER("pvf_requests_refused_total",
        "Requests that were not taken.", LABEL("reason", refusals)),
    [PVF__METRIC_REQUESTS_EXPIRED] = COUNTER("pvf_requests_expired_total",
        "Executions that were dropped since their deadline or their relay-chain block had passed.",
        LABEL("kind", kinds)),
    [PVF__METRIC_REQUESTS_CANCELLED] = COUNTER("pvf_requests_cancelled_total",
        "Requests that were cancelled.", NO_LABEL),
    [PVF__METRIC_REQUESTS_COALESCED] = COUNTER("pvf_requests_coalesced_total",
        "Requests that joined a preparation under way.", NO_LABEL),
    [PVF__METRIC_REQUESTS_STORED] = COUNTER("pvf_requests_stored_total",
        "Requests for which nothing had to be prepared.", NO_LABEL),
    [PVF__METRIC_REQUEST_DURATION] = TIMES("pvf_request_duration_seconds",
        "From a request to its answer, waiting, preparation and retries included.",
        wait_buckets, LABEL("task", tasks)),

    /* ---- Preparations ---- */
    [PVF__METRIC_PREPARE_QUEUE_LENGTH] = GAUGE("pvf_prepare_queue_length",
        "Preparations that wait for a worker.", LABEL("priority", priorities)),
    [PVF__METRIC_PREPARE_WAITERS] = GAUGE("pvf_prepare_waiters",
        "Requests that wait for a preparation.", NO_LABEL),
    [PVF__METRIC_PREPARATION_WAIT] = TIMES("pvf_preparation_wait_seconds",
        "How long a preparation waited for its worker.", wait_buckets, NO_LABEL),
    [PVF__METRIC_PREPARATION_CPU] = TIMES("pvf_preparation_cpu_seconds",
        "CPU time of good preparations.", prepare_buckets, NO_LABEL),
    [PVF__METRIC_PREPARATION_OUTCOMES] = COUNTER("pvf_preparation_outcomes_total",
        "Ends of preparation jobs.", LABEL("result", prepare_results)),
    [PVF__METRIC_PREPARATION_RETRIES] = COUNTER("pvf_preparation_retries_total",
        "Preparations that were begun again at once.", NO_LABEL),
    [PVF__METRIC_PREPARATION_FAILURES_ACTIVE] = GAUGE("pvf_preparation_failures_active",
        "Code that is answered by a stored failure.", NO_LABEL),
    [PVF__METRIC_FIRST_TIERS] = COUNTER("pvf_first_tiers_total",
        "Artifacts that were compiled fast, to run until the optimised ones are there.", NO_LABEL),

    /* ---- Executions ---- */
    [PVF__METRIC_EXECUTE_QUEUE_LENGTH] = GAUGE("pvf_execute_queue_length",
        "Executions that wait for a worker.", LABEL("kind", kinds)),
    [PVF__METRIC_EXECUTE_RUNNING] = GAUGE("pvf_execute_running",
        "Executions that run.", LABEL("kind", kinds)),
    [PVF__METRIC_EXECUTION_DURATION] = TIMES("pvf_execution_duration_seconds",
        "From the start of an execution to its end.", execute_wide_buckets,
        LABEL("verdict", verdicts)),
    [PVF__METRIC_EXECUTION_CPU] = TIMES("pvf_execution_cpu_seconds",
        "CPU time of executions.", execute_wide_buckets, NO_LABEL),
    [PVF__METRIC_EXECUTION_VERDICTS] = COUNTER("pvf_execution_verdicts_total",
        "Answers to requests for an execution.", LABEL("kind", kinds), LABEL("verdict", verdicts)),
    [PVF__METRIC_EXECUTION_OUTCOMES] = COUNTER("pvf_execution_outcomes_total",
        "Ends of executions, each attempt counted.", LABEL("reason", reasons)),
    [PVF__METRIC_EXECUTION_RETRIES] = COUNTER("pvf_execution_retries_total",
        "Executions that were tried again, by why the attempt before failed.",
        LABEL("reason", reasons)),
    [PVF__METRIC_EXECUTE_REQUEUED] = COUNTER("pvf_execute_requeued_total",
        "Executions that did not reach their worker and were queued again.", NO_LABEL),
    [PVF__METRIC_FIRST_TIER_SERVED] = COUNTER("pvf_first_tier_served_total",
        "Executions whose result, a valid one, came from a first tier.", NO_LABEL),
    [PVF__METRIC_FIRST_TIER_REPEATED] = COUNTER("pvf_first_tier_repeated_total",
        "Executions that ran on a first tier and had to run again on the optimised artifact.",
        NO_LABEL),

    /* ---- Workers ---- */
    [PVF__METRIC_WORKERS] = GAUGE("pvf_workers",
        "Workers that there are.", LABEL("flavor", flavors), LABEL("state", worker_states)),
    [PVF__METRIC_WORKER_SPAWN_FAILURES] = COUNTER("pvf_worker_spawn_failures_total",
        "Workers that could not be started.", LABEL("flavor", flavors),
        LABEL("reason", spawn_failures)),
    [PVF__METRIC_WORKER_SPAWN_RETRIES] = COUNTER("pvf_worker_spawn_retries_total",
        "Starts of a worker after one that failed.", LABEL("flavor", flavors)),
    [PVF__METRIC_WORKER_DEATHS] = COUNTER("pvf_worker_deaths_total",
        "Workers that ended without being told to.", LABEL("flavor", flavors),
        LABEL("state", worker_states)),

    /* ---- Cache ---- */
    [PVF__METRIC_CACHE_BYTES] = GAUGE("pvf_cache_bytes", "Size of all artifacts.", NO_LABEL),
    [PVF__METRIC_CACHE_ENTRIES] = GAUGE("pvf_cache_entries", "Artifacts.", NO_LABEL),
    [PVF__METRIC_CACHE_LIMIT] = GAUGE("pvf_cache_limit_bytes",
        "What the artifacts may take.", NO_LABEL),
    [PVF__METRIC_CACHE_FREE] = GAUGE("pvf_cache_free_bytes",
        "What is free on the file system of the artifacts.", NO_LABEL),
    [PVF__METRIC_CACHE_REMOVED] = COUNTER("pvf_cache_removed_total",
        "Artifacts that were removed.", NO_LABEL),
    [PVF__METRIC_CACHE_LOADS] = COUNTER("pvf_cache_loads_total",
        "Artifacts of an earlier run that were looked at, by what was found.",
        LABEL("result", cache_results)),

    /* ---- Sizes ---- */
    [PVF__METRIC_POV_BYTES] = SIZES("pvf_pov_size_bytes",
        "The PoV's block data, as received and decompressed.", large_buckets,
        LABEL("compressed", compressions)),
    [PVF__METRIC_CODE_BYTES] = SIZES("pvf_code_size_bytes",
        "Prepared code, decompressed.", large_buckets, NO_LABEL),
    [PVF__METRIC_ARTIFACT_BYTES] = SIZES("pvf_artifact_size_bytes",
        "Artifacts as they were prepared.", large_buckets, NO_LABEL),

    /* ---- Of itself ---- */
    [PVF__METRIC_EVIDENCE_BUNDLES] = COUNTER("pvf_evidence_bundles_total",
        "Bundles about verdicts that are not valid.", LABEL("result", evidences)),
    [PVF__METRIC_LOG_LINES_LEFT_OUT] = COUNTER("pvf_log_lines_left_out_total",
        "Log lines that were left out since there were too many like them.", NO_LABEL),
    [PVF__METRIC_BUILD_INFO] = GAUGE("pvf_build_info",
        "Always 1; the labels say which builds run.", NO_LABEL),
};
/* clang-format on */
