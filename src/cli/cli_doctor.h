/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_DOCTOR_H
#define PVF_CLI_CLI_DOCTOR_H

#include "cli/cli_doctor_files.h"
#include "cli/cli_report.h"
#include "cli/doctor_advice.h"
#include "pvf/host.h"

#define PVF__DOCTOR_WORKERS 2
#define PVF__DOCTOR_FINDINGS 32

/* All that the doctor found out, before anything is printed. */
struct pvf__doctor {
    struct pvf__doctor_machine machine;
    struct pvf__doctor_program programs[PVF__DOCTOR_WORKERS]; /* prepare, execute */
    pvf_check checks[PVF__DOCTOR_WORKERS][PVF_CHECKS];        /* of programs that run */
    struct pvf__doctor_temporary temporary;
    bool same_version;
    bool tried; /* both programs run, so that the whole sequence could be tried */
    bool self_test;
    char self_test_text[256]; /* why not */
    uint64_t self_test_us;
    /* Problems keep a validator from being secure; warnings do not. */
    char problems[PVF__DOCTOR_FINDINGS][400];
    size_t problem_count;
    char warnings[PVF__DOCTOR_FINDINGS][400];
    size_t warning_count;
};

/* "prepare", "execute". */
const char *pvf__doctor_worker_name(size_t which);

/* Problems and warnings from what was found.  Pure. */
void pvf__doctor_judge(struct pvf__doctor *doctor);

/* Rows and JSON. */
void pvf__doctor_report(const struct pvf__doctor *doctor, struct pvf__cli_report *report);

#endif
