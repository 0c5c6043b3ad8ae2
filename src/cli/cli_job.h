/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_JOB_H
#define PVF_CLI_CLI_JOB_H

#include "base/buf.h"
#include "base/slice.h"
#include "cli/cli_input.h"
#include "cli/cli_options.h"
#include "cli/cli_workers.h"
#include "proto/executor_params.h"
#include "pvf/error.h"
#include "pvf/outcome.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum pvf__cli_class {
    PVF__CLI_CLASS_VALID,
    PVF__CLI_CLASS_INVALID,
    PVF__CLI_CLASS_POSSIBLY_INVALID,
    PVF__CLI_CLASS_INTERNAL,
};

/*
 * Preparation: what only the code decides is invalid.  A job that died or ran out of time, or an
 * artifact that does not load, may be due to the code or to this machine; the rest is this
 * machine's.
 */
enum pvf__cli_class pvf__cli_prepare_class(const pvf_prepare_outcome *outcome);

/* What came of one job.  Numbers that are not known are 0. */
struct pvf__cli_outcome {
    enum pvf__cli_class class;
    char reason[64];   /* a name without blanks; empty when valid */
    char text[512];    /* for people, clean */
    uint64_t cpu_us;   /* of the job */
    uint64_t wall_us;  /* as this program saw it, without starting a worker */
    uint64_t peak_rss; /* bytes; the largest process of the job */
    /* Preparation */
    uint64_t peak_alloc; /* bytes; what PrecheckingMaxMemory limits */
    uint64_t code_len;   /* after decompression */
    uint64_t artifact_len;
    uint8_t checksum[32];
    char artifact[PATH_MAX]; /* in the session's folder, gone at the next preparation */
    /* Execution */
    uint64_t pov_len; /* after decompression */
};

/* A host with its workers, for one command. */
struct pvf__cli_session;

PVF__NODISCARD int pvf__cli_job_open(const struct pvf__cli_workers *workers,
                                     const struct pvf__cli_options *options,
                                     struct pvf__cli_session **ret,
                                     pvf_error *err);
void pvf__cli_job_close(struct pvf__cli_session *session);

/* A failure of the call is this machine's: the command ends as internal. */
PVF__NODISCARD int pvf__cli_job_prepare(struct pvf__cli_session *session,
                                        struct pvf__slice code,
                                        const struct pvf__executor_params *params,
                                        const struct pvf__cli_options *options,
                                        uint64_t timeout_ms,
                                        struct pvf__cli_outcome *ret,
                                        pvf_error *err);

/* Moves the artifact of the last preparation to `path` for good. */
PVF__NODISCARD int
pvf__cli_job_keep(struct pvf__cli_session *session, const char *path, pvf_error *err);

/* `result` gets the encoded ValidationResult when the candidate is valid. */
PVF__NODISCARD int pvf__cli_job_execute(struct pvf__cli_session *session,
                                        const char *artifact,
                                        const uint8_t checksum[32],
                                        const struct pvf__executor_params *params,
                                        const struct pvf__cli_candidate *candidate,
                                        uint64_t timeout_ms,
                                        struct pvf__buf *result,
                                        struct pvf__cli_outcome *ret,
                                        pvf_error *err);

/* What the prepare worker tells of a blob or artifact: JSON text. */
PVF__NODISCARD int pvf__cli_job_inspect(struct pvf__cli_session *session,
                                        struct pvf__slice bytes,
                                        const struct pvf__executor_params *params,
                                        const struct pvf__cli_options *options,
                                        struct pvf__buf *json,
                                        pvf_error *err);

#endif
