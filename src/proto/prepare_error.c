/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what is known about each variant of PrepareError, in one table. */
#include "proto/prepare_msg.h"

#include <stdio.h>

struct row {
    const char *name;
    const char *text; /* ours; what the sender wrote comes after it */
    bool deterministic;
};

/* In the order of the SCALE indices (protocol: PrepareError). */
static const struct row rows[PVF__PREPARE_ERROR_COUNT] = {
    [PVF__PREPARE_PREVALIDATION] = {"Prevalidation", "the code is refused", true},
    [PVF__PREPARE_PREPARATION] = {"Preparation", "the code does not compile", true},
    [PVF__PREPARE_RUNTIME_CONSTRUCTION] = {"RuntimeConstruction",
                                           "the compiled code cannot be set up to run",
                                           false},
    [PVF__PREPARE_JOB_ERROR] = {"JobError", "the preparation job failed", true},
    [PVF__PREPARE_TIMED_OUT] = {"TimedOut", "the time limit was reached", false},
    [PVF__PREPARE_IO_ERR] = {"IoErr", "input or output failed", false},
    [PVF__PREPARE_CREATE_TMP_FILE] = {"CreateTmpFile",
                                      "no file for the artifact could be made",
                                      false},
    [PVF__PREPARE_RENAME_TMP_FILE] = {"RenameTmpFile", "the artifact could not be moved", false},
    [PVF__PREPARE_OUT_OF_MEMORY] = {"OutOfMemory", "the memory limit was reached", true},
    [PVF__PREPARE_CLEAR_WORKER_DIR] = {"ClearWorkerDir",
                                       "the worker's folder could not be emptied",
                                       false},
    [PVF__PREPARE_JOB_DIED] = {"JobDied", "the preparation job was killed", false},
    [PVF__PREPARE_KERNEL] = {"Kernel", "a system call failed", false},
    [PVF__PREPARE_COULD_NOT_DECOMPRESS] = {"CouldNotDecompressCodeBlob",
                                           "the code cannot be decompressed",
                                           true},
};

static const struct row *row_of(enum pvf__prepare_error_kind kind)
{
    static const struct row unknown = {"unknown", "unknown error", false};
    return (size_t)kind < PVF__PREPARE_ERROR_COUNT ? &rows[(size_t)kind] : &unknown;
}

bool pvf__prepare_error_is_deterministic(enum pvf__prepare_error_kind kind)
{
    return row_of(kind)->deterministic;
}

const char *pvf__prepare_error_name(enum pvf__prepare_error_kind kind)
{
    return row_of(kind)->name;
}

/* A length that printf's precision can hold. */
static int precision(struct pvf__slice text)
{
    return text.len < 65536 ? (int)text.len : 65536;
}

void pvf__prepare_error_text(const struct pvf__prepare_error *error, char *out, size_t size)
{
    const char *text = row_of(error->kind)->text;
    const char *said = error->text.len > 0 ? (const char *)error->text.data : "";
    if (error->kind == PVF__PREPARE_JOB_DIED) {
        (void)snprintf(
            out, size, "%s (pid %d): %.*s", text, error->job_pid, precision(error->text), said);
    } else if (error->text.len > 0) {
        (void)snprintf(out, size, "%s: %.*s", text, precision(error->text), said);
    } else {
        (void)snprintf(out, size, "%s", text);
    }
}
