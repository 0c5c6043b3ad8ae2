/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what counts as a problem, and what only as a warning.  Pure. */
#include "cli/cli_doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *pvf__doctor_worker_name(size_t which)
{
    return which == 0 ? "prepare" : "execute";
}

static void problem(struct pvf__doctor *doctor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void problem(struct pvf__doctor *doctor, const char *format, ...)
{
    va_list args;
    if (doctor->problem_count == PVF__DOCTOR_FINDINGS) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(
        doctor->problems[doctor->problem_count++], sizeof doctor->problems[0], format, args);
    va_end(args);
}

static void warning(struct pvf__doctor *doctor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void warning(struct pvf__doctor *doctor, const char *format, ...)
{
    va_list args;
    if (doctor->warning_count == PVF__DOCTOR_FINDINGS) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(
        doctor->warnings[doctor->warning_count++], sizeof doctor->warnings[0], format, args);
    va_end(args);
}

static void judge_programs(struct pvf__doctor *doctor)
{
    for (size_t i = 0; i < PVF__DOCTOR_WORKERS; i++) {
        const struct pvf__doctor_program *program = &doctor->programs[i];
        const char *name = pvf__doctor_worker_name(i);
        if (!program->runs) {
            problem(doctor, "the %s worker does not run: %s", name, program->version_error);
        }
        if (program->problem[0] != '\0') {
            problem(doctor, "%s worker: %s", name, program->problem);
        }
        if (program->warning[0] != '\0') {
            warning(doctor, "%s worker: %s", name, program->warning);
        }
    }
    if (doctor->programs[0].runs && doctor->programs[1].runs && !doctor->same_version) {
        problem(doctor,
                "the prepare worker has version %s, the execute worker %s: install both from one "
                "build",
                doctor->programs[0].version,
                doctor->programs[1].version);
    }
}

/* The rule of a node's secure mode, and that both programs agree about each mechanism. */
static void judge_checks(struct pvf__doctor *doctor)
{
    bool x86_64 = strcmp(doctor->machine.arch, "x86_64") == 0;
    if (!x86_64) {
        problem(doctor, "secure validators run on x86-64 only; this is %s", doctor->machine.arch);
    }
    for (size_t i = 0; i < PVF__DOCTOR_WORKERS; i++) {
        const pvf_check *checks = doctor->checks[i];
        bool available[PVF_CHECKS];
        for (size_t k = 0; k < PVF_CHECKS; k++) {
            available[k] = checks[k].available;
        }
        if (!doctor->programs[i].runs || !x86_64 || pvf__doctor_is_enough(available, x86_64)) {
            continue;
        }
        problem(doctor,
                "the %s worker has %s; needed: seccomp, and Landlock or a changed root",
                pvf__doctor_worker_name(i),
                !available[PVF__DOCTOR_SECCOMP] ? "no seccomp"
                                                : "neither Landlock nor a changed root");
    }
    for (size_t k = 0; k < PVF_CHECKS; k++) {
        if (!doctor->programs[0].runs || !doctor->programs[1].runs ||
            doctor->checks[0][k].available == doctor->checks[1][k].available) {
            continue;
        }
        /* A host asks one of them and tells both what to use. */
        if (doctor->checks[0][k].available) {
            problem(doctor,
                    "%s: the execute worker cannot do what the prepare worker can, and nodes ask "
                    "only the latter",
                    doctor->checks[0][k].name);
        } else {
            warning(doctor,
                    "%s: only the execute worker can do it, so nobody will use it",
                    doctor->checks[0][k].name);
        }
    }
}

void pvf__doctor_judge(struct pvf__doctor *doctor)
{
    doctor->problem_count = 0;
    doctor->warning_count = 0;
    judge_programs(doctor);
    judge_checks(doctor);
    if (doctor->temporary.problem[0] != '\0') {
        problem(doctor,
                "the folder for temporary files, %s: %s (set TMPDIR to another one)",
                doctor->temporary.path,
                doctor->temporary.problem);
    }
    if (doctor->machine.orphans_stay) {
        warning(doctor,
                "nobody reaps orphans here (process 1 is no init): each worker that is killed with "
                "a job leaves a process until there is room for none; docker run --init, or in "
                "Kubernetes shareProcessNamespace: true");
    }
    if (doctor->tried && !doctor->self_test) {
        problem(doctor, "the trial run failed: %s", doctor->self_test_text);
    }
}
