/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_COMMAND_H
#define PVF_CLI_CLI_COMMAND_H

#include "base/buf.h"
#include "cli/cli_job.h"
#include "cli/cli_options.h"
#include "cli/cli_report.h"
#include "proto/executor_params.h"

/* What every command works with; opened and closed by main. */
struct pvf__cli_context {
    struct pvf__cli_options options;
    struct pvf__buf params_scale;
    struct pvf__executor_params params;
    struct pvf__buf code; /* or the artifact that is inspected; empty without CODE */
    uint8_t code_hash[32];
    struct pvf__cli_candidate candidate; /* validate, as is the next */
    struct pvf__buf expected;
    struct pvf__cli_session *session;
    struct pvf__cli_report report;
};

/* Each fills the report and returns the exit code, or complains itself; then nothing is printed. */
int pvf__cli_precheck(struct pvf__cli_context *context, bool *ret_print);
int pvf__cli_prepare(struct pvf__cli_context *context, bool *ret_print);
int pvf__cli_validate(struct pvf__cli_context *context, bool *ret_print);
int pvf__cli_inspect(struct pvf__cli_context *context, bool *ret_print);
int pvf__cli_doctor(struct pvf__cli_context *context, bool *ret_print); /* without a session */

/*
 * Prepares --repeat times; *ret is the last outcome, with median times.
 * -1, or the exit code after a complaint.
 */
PVF__NODISCARD int pvf__cli_prepare_run(struct pvf__cli_context *context,
                                        uint32_t repeat,
                                        struct pvf__cli_outcome *ret);

/* CPU limit of preparation for the command, in ms. */
uint64_t pvf__cli_prepare_timeout(const struct pvf__cli_context *context);

/* Rows about a preparation that worked or not: verdict, CPU, memory, sizes. */
void pvf__cli_prepare_rows(struct pvf__cli_context *context,
                           const struct pvf__cli_outcome *outcome);

/* "valid", "invalid", "possibly invalid", "internal", and the exit code of it. */
const char *pvf__cli_class_name(enum pvf__cli_class class);
int pvf__cli_class_exit(enum pvf__cli_class class);

/* Verdict and, if it is no good one, reason and text. */
void pvf__cli_verdict_rows(struct pvf__cli_context *context,
                           const struct pvf__cli_outcome *outcome);

/* Times of N runs. */
struct pvf__cli_times {
    uint64_t *us; /* owned, `max` numbers */
    size_t count;
    size_t max;
};
PVF__NODISCARD bool pvf__cli_times_init(struct pvf__cli_times *times, size_t max);
void pvf__cli_times_done(struct pvf__cli_times *times);
void pvf__cli_times_add(struct pvf__cli_times *times, uint64_t us);
/* Sorts; a row "min …, median …, max …" and three JSON members when there is more than one. */
void pvf__cli_times_rows(struct pvf__cli_times *times,
                         struct pvf__cli_report *report,
                         const char *label,
                         const char *key);
/* After _rows. */
uint64_t pvf__cli_times_median(const struct pvf__cli_times *times);

#endif
