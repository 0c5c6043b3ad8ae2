/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the closed sets of label values, and the way from numbers with gaps into them. */
#include "metrics/metrics_labels.h"

#include "pvf/outcome.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SET(name, ...)                                                                             \
    static const char *const name##_values[] = {__VA_ARGS__};                                      \
    const struct pvf__label_set pvf__label_##name = {name##_values, COUNT(name##_values)}

/* Words of the reference where it has the label; its spelling counts, blanks included. */
SET(flavors, "prepare", "execute");
SET(compressions, "true", "false");
SET(validities, "valid", "invalid", "validation failure");
SET(kinds, "dispute", "approval", "backing_system_paras", "backing");

SET(tasks, "dispute", "approval", "backing_system_paras", "backing", "precheck");
SET(requests, "precheck", "execute", "heads_up");
SET(worker_states, "spawning", "idle", "busy");
SET(priorities, "critical", "normal");
SET(mechanisms, "landlock", "seccomp", "change_root", "secure_clone");
SET(alarms,
    "prepare_spawn",
    "execute_spawn",
    "prepare_deaths",
    "execute_deaths",
    "free_space",
    "self_test");
SET(self_tests, "not_run", "passed", "failed");
SET(test_results, "passed", "failed");
SET(refusals, "invalid_argument", "limit", "no_memory", "shut_down", "copied_bytes");
SET(prevalidations,
    "persisted_validation_data_mismatch",
    "pov_too_large",
    "pov_hash_mismatch",
    "code_hash_mismatch",
    "scheduling_session_not_found",
    "invalid_scheduling_session",
    "invalid_relay_parent_session",
    "claim_queue_not_available");
SET(evidences, "written", "failed");
SET(verdicts, "valid", "invalid", "possibly_invalid", "internal", "expired");

/* In the order of the PrepareError's indices, the good end first. */
SET(prepare_results,
    "ok",
    "prevalidation",
    "preparation",
    "runtime_construction",
    "job_error",
    "timed_out",
    "io_err",
    "create_tmp_file",
    "rename_tmp_file",
    "out_of_memory",
    "clear_worker_dir",
    "job_died",
    "kernel",
    "could_not_decompress_code_blob",
    "other");

/* By enum pvf_spawn_failure; its 0, no failure, stands for "other". */
SET(spawn_failures,
    "other",
    "temporary_path",
    "bind",
    "accept",
    "process",
    "accept_timeout",
    "died_before_connecting",
    "handshake",
    "program_changed");

/* By enum pvf__cache_result. */
SET(cache_results,
    "good",
    "gone",
    "unsafe_file",
    "malformed",
    "unproven",
    "damaged",
    "another_build",
    "another_cpu",
    "not_readable_now",
    "other");

/* The numbers of enum pvf_reason, in the order of the names after it: pvf_reason_name as a label.
 */
static const int32_t reason_numbers[] = {PVF_REASON_NONE,
                                         PVF_REASON_REPORTED_INVALID,
                                         PVF_REASON_HARD_TIMEOUT,
                                         PVF_REASON_POV_DECOMPRESSION,
                                         PVF_REASON_WORKER_DEATH,
                                         PVF_REASON_JOB_DEATH,
                                         PVF_REASON_JOB_ERROR,
                                         PVF_REASON_RUNTIME_CONSTRUCTION,
                                         PVF_REASON_CORRUPTED_ARTIFACT,
                                         PVF_REASON_STALLED,
                                         PVF_REASON_HOST_COMMUNICATION,
                                         PVF_REASON_CREATE_LINK,
                                         PVF_REASON_OPEN_FILE,
                                         PVF_REASON_CREATE_PIPE,
                                         PVF_REASON_CLEAR_WORKER_DIR,
                                         PVF_REASON_KERNEL,
                                         PVF_REASON_PREPARE,
                                         PVF_REASON_SPAWN,
                                         PVF_REASON_SELF_TEST,
                                         PVF_REASON_EXPIRED,
                                         PVF_REASON_CANCELLED};
SET(reasons,
    "none",
    "reported_invalid",
    "hard_timeout",
    "pov_decompression",
    "worker_death",
    "job_death",
    "job_error",
    "runtime_construction",
    "corrupted_artifact",
    "stalled",
    "host_communication",
    "artifact_link",
    "artifact_file",
    "pipe",
    "worker_folder",
    "kernel",
    "preparation",
    "worker_start",
    "self_test",
    "expired",
    "cancelled",
    "other");
_Static_assert(COUNT(reason_numbers) + 1 == COUNT(reasons_values), "one name for each, and other");

unsigned pvf__label_reason(int32_t reason)
{
    unsigned place = 0;
    while (place < COUNT(reason_numbers) && reason_numbers[place] != reason) {
        place++;
    }
    return place;
}

unsigned pvf__label_verdict(int32_t verdict)
{
    return verdict >= 0 && (size_t)verdict < COUNT(verdicts_values)
               ? (unsigned)verdict
               : (unsigned)PVF_VERDICT_INTERNAL;
}

unsigned pvf__label_prepare_result(int32_t error)
{
    const unsigned other = COUNT(prepare_results_values) - 1;
    if (error == PVF__LABEL_PREPARED) {
        return 0;
    }
    return error >= 0 && (unsigned)error < other - 1 ? (unsigned)error + 1 : other;
}

unsigned pvf__label_spawn_failure(int32_t failure)
{
    return failure >= 0 && (size_t)failure < COUNT(spawn_failures_values) ? (unsigned)failure : 0;
}

unsigned pvf__label_cache_result(int32_t result)
{
    const unsigned other = COUNT(cache_results_values) - 1;
    return result >= 0 && (unsigned)result < other ? (unsigned)result : other;
}
