/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_METRICS_METRICS_LABELS_H
#define PVF_METRICS_METRICS_LABELS_H

#include <stddef.h>
#include <stdint.h>

/*
 * The values of labels are closed sets, so that the number of series is known and no text of a
 * stranger becomes one.  A metric is updated with a value's place in its set: one of the enums
 * below, an enum of the public headers where the numbers are the same (pvf_exec_kind,
 * pvf_verdict), or what a function below makes of a number with gaps.
 */

/* Any place where a metric has no label. */
#define PVF__LABEL_NONE 0u

enum pvf__label_flavor {
    PVF__FLAVOR_PREPARE,
    PVF__FLAVOR_EXECUTE
};

/* Enum pvf_exec_kind for executions; this for the others. */
enum pvf__label_request {
    PVF__REQUEST_PRECHECK,
    PVF__REQUEST_EXECUTE,
    PVF__REQUEST_HEADS_UP
};

/* Of latencies: enum pvf_exec_kind, or this. */
#define PVF__LABEL_TASK_PRECHECK 4u

enum pvf__label_compressed {
    PVF__COMPRESSED_TRUE,
    PVF__COMPRESSED_FALSE
};

enum pvf__label_worker_state {
    PVF__WORKER_SPAWNING,
    PVF__WORKER_IDLE,
    PVF__WORKER_BUSY
};

enum pvf__label_priority {
    PVF__PRIORITY_CRITICAL,
    PVF__PRIORITY_NORMAL
};

/* How a caller of the reference sorts its answers. */
enum pvf__label_validity {
    PVF__VALIDITY_VALID,
    PVF__VALIDITY_INVALID,
    PVF__VALIDITY_FAILURE, /* nothing can be said */
};

enum pvf__label_mechanism {
    PVF__MECHANISM_LANDLOCK,
    PVF__MECHANISM_SECCOMP,
    PVF__MECHANISM_CHANGE_ROOT,
    PVF__MECHANISM_SECURE_CLONE,
};

/* The first five as the core counts them. */
enum pvf__label_alarm {
    PVF__ALARM_PREPARE_SPAWN,
    PVF__ALARM_EXECUTE_SPAWN,
    PVF__ALARM_PREPARE_DEATHS,
    PVF__ALARM_EXECUTE_DEATHS,
    PVF__ALARM_FREE_SPACE,
    PVF__ALARM_SELF_TEST,
};

enum pvf__label_self_test {
    PVF__SELF_TEST_NOT_RUN,
    PVF__SELF_TEST_PASSED,
    PVF__SELF_TEST_FAILED
};

/* Why a request was not taken at all. */
enum pvf__label_refusal {
    PVF__REFUSAL_INVALID_ARGUMENT,
    PVF__REFUSAL_LIMIT,
    PVF__REFUSAL_NO_MEMORY,
    PVF__REFUSAL_SHUT_DOWN,
    PVF__REFUSAL_COPIES, /* more bytes would have been copied than may be */
};

/* What a candidate's caller checks before it asks for an execution. */
enum pvf__label_prevalidation {
    PVF__PREVALIDATION_DATA_HASH, /* of the persisted validation data */
    PVF__PREVALIDATION_POV_TOO_LARGE,
    PVF__PREVALIDATION_POV_HASH,
    PVF__PREVALIDATION_CODE_HASH,
    PVF__PREVALIDATION_NO_SESSION,
    PVF__PREVALIDATION_SCHEDULING_SESSION,
    PVF__PREVALIDATION_RELAY_PARENT_SESSION,
    PVF__PREVALIDATION_NO_CLAIM_QUEUE,
};

enum pvf__label_evidence {
    PVF__EVIDENCE_WRITTEN,
    PVF__EVIDENCE_FAILED
};

/* Enum pvf_verdict; what is no verdict counts as internal. */
unsigned pvf__label_verdict(int32_t verdict);

/* Enum pvf_reason; what is none counts as "other". */
unsigned pvf__label_reason(int32_t reason);

/* A preparation's result: the index of the PrepareError, or PVF__LABEL_PREPARED for none. */
#define PVF__LABEL_PREPARED (-1)
unsigned pvf__label_prepare_result(int32_t error);

/* Enum pvf_spawn_failure; what is none counts as "other". */
unsigned pvf__label_spawn_failure(int32_t failure);

/* The cache's result of a load, by its number; what is none counts as "other". */
unsigned pvf__label_cache_result(int32_t result);

/* ---- The sets themselves ---- */

struct pvf__label_set {
    const char *const *values;
    size_t count;
};

extern const struct pvf__label_set pvf__label_flavors;
extern const struct pvf__label_set pvf__label_requests;
extern const struct pvf__label_set pvf__label_kinds;
extern const struct pvf__label_set pvf__label_tasks;
extern const struct pvf__label_set pvf__label_compressions;
extern const struct pvf__label_set pvf__label_worker_states;
extern const struct pvf__label_set pvf__label_priorities;
extern const struct pvf__label_set pvf__label_validities;
extern const struct pvf__label_set pvf__label_mechanisms;
extern const struct pvf__label_set pvf__label_alarms;
extern const struct pvf__label_set pvf__label_self_tests;
extern const struct pvf__label_set pvf__label_test_results;
extern const struct pvf__label_set pvf__label_refusals;
extern const struct pvf__label_set pvf__label_prevalidations;
extern const struct pvf__label_set pvf__label_evidences;
extern const struct pvf__label_set pvf__label_verdicts;
extern const struct pvf__label_set pvf__label_reasons;
extern const struct pvf__label_set pvf__label_prepare_results;
extern const struct pvf__label_set pvf__label_spawn_failures;
extern const struct pvf__label_set pvf__label_cache_results;

#endif
