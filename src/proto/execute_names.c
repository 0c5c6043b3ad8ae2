/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: names of the execute messages' variants, and what they say to a person. */
#include "proto/execute_msg.h"

#include <stdio.h>

#define NAME_OF(names, kind)                                                                       \
    ((size_t)(kind) < sizeof(names) / sizeof((names)[0]) ? (names)[(size_t)(kind)] : "unknown")

const char *pvf__job_response_name(enum pvf__job_response_kind kind)
{
    static const char *const names[] = {
        "Ok",
        "RuntimeConstruction",
        "InvalidCandidate",
        "PoVDecompressionFailure",
        "CorruptedArtifact",
    };
    return NAME_OF(names, kind);
}

const char *pvf__job_error_name(enum pvf__job_error_kind kind)
{
    static const char *const names[] = {
        "TimedOut",
        "Panic",
        "Kernel",
        "CouldNotSpawnThread",
        "CpuTimeMonitorThread",
        "UnexpectedExitStatus",
    };
    return NAME_OF(names, kind);
}

const char *pvf__internal_error_name(enum pvf__internal_error_kind kind)
{
    static const char *const names[] = {
        "HostCommunication",
        "CouldNotCreateLink",
        "CouldNotOpenFile",
        "CouldNotCreatePipe",
        "CouldNotClearWorkerDir",
        "Kernel",
        "NonDeterministicPrepareError",
    };
    return NAME_OF(names, kind);
}

const char *pvf__worker_error_name(enum pvf__worker_error_kind kind)
{
    static const char *const names[] = {
        "JobTimedOut",
        "JobDied",
        "JobError",
        "InternalError",
    };
    return NAME_OF(names, kind);
}

/* "what: text", with the text cut to what printf's precision can hold. */
static void join(const char *what, struct pvf__slice text, char *out, size_t size)
{
    int len = text.len < 65536 ? (int)text.len : 65536;
    if (len > 0) {
        (void)snprintf(out, size, "%s: %.*s", what, len, (const char *)text.data);
    } else {
        (void)snprintf(out, size, "%s", what);
    }
}

void pvf__job_error_text(const struct pvf__job_error *error, char *out, size_t size)
{
    static const char *const texts[] = {
        "the job reached its time limit",
        "the job gave up",
        "a system call failed in the job",
        "the job could not start a thread",
        "the job could not watch its CPU time",
    };
    if (error->kind == PVF__JOB_ERROR_UNEXPECTED_EXIT_STATUS) {
        (void)snprintf(out, size, "the job ended with exit status %d", error->exit_status);
        return;
    }
    join(NAME_OF(texts, error->kind), error->text, out, size);
}

void pvf__internal_error_text(const struct pvf__internal_error *error, char *out, size_t size)
{
    static const char *const texts[] = {
        "host and worker could not talk",
        "the artifact could not be linked into the worker's folder",
        "the artifact could not be read",
        "no pipe could be made",
        "the worker's folder could not be emptied",
        "a system call failed",
    };
    if (error->kind == PVF__INTERNAL_NON_DETERMINISTIC_PREPARE) {
        pvf__prepare_error_text(&error->prepare, out, size);
        return;
    }
    join(NAME_OF(texts, error->kind), error->text, out, size);
}
