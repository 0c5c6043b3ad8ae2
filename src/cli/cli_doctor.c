/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the command doctor: asks both worker programs what they can do on this machine, runs the
 * whole sequence once, and says what is missing, why, and what to do about it.
 */
#include "cli/cli_doctor.h"

#include "base/clock.h"
#include "cli/cli_command.h"
#include "cli/cli_doctor_machine.h"
#include "cli/cli_exit.h"
#include "cli/cli_progress.h"
#include "cli/cli_workers.h"
#include "host/folder.h"
#include "pvf/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Programs that are named, else those that every command would use. */
static int find_programs(const struct pvf__cli_options *options, struct pvf__cli_workers *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    const char *const named[] = {options->prepare_worker, options->execute_worker};
    char *const slots[] = {ret->prepare, ret->execute};
    if ((named[0] == NULL || named[1] == NULL) &&
        pvf__cli_workers_find(options->workers, ret, &err) != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "name them: --workers DIR, or --prepare-worker and --execute-worker",
                             "%s",
                             err.text);
    }
    for (size_t i = 0; i < PVF__DOCTOR_WORKERS; i++) {
        if (named[i] == NULL) {
            continue;
        }
        if (strlen(named[i]) >= PATH_MAX || access(named[i], F_OK) != 0) {
            return pvf__cli_fail(PVF__CLI_USAGE,
                                 "name a worker program",
                                 "--%s-worker %.200s: %s",
                                 pvf__doctor_worker_name(i),
                                 named[i],
                                 strerrordesc_np(errno));
        }
        (void)snprintf(slots[i], PATH_MAX, "%s", named[i]);
    }
    return -1;
}

/* The whole sequence once, as a host does it. */
static void run_trial(const struct pvf__cli_workers *workers, struct pvf__doctor *doctor)
{
    const pvf_host_config config = {
        .prepare_worker_path = workers->prepare,
        .execute_worker_path = workers->execute,
        .log_directives = getenv("RUST_LOG"),
        .quiet = getenv("RUST_LOG") == NULL,
        .security_mode = PVF_SECURITY_DETECT,
    };
    pvf_error err = PVF_ERROR_INIT;
    pvf_host *host = NULL;
    uint64_t start = pvf__clock_monotonic_ns();
    int status = pvf_host_new(&config, &host, &err);
    if (status == PVF_OK) {
        status = pvf_host_self_test(host, &err);
    }
    pvf_host_free(host);
    doctor->self_test = status == PVF_OK;
    doctor->self_test_us = (pvf__clock_monotonic_ns() - start) / 1000;
    if (status != PVF_OK) {
        (void)snprintf(doctor->self_test_text, sizeof doctor->self_test_text, "%s", err.text);
        pvf__cli_report_clean(doctor->self_test_text);
    }
}

static int examine(const struct pvf__cli_workers *workers, struct pvf__doctor *doctor)
{
    const char *const paths[] = {workers->prepare, workers->execute};
    pvf_error err = PVF_ERROR_INIT;
    pvf__doctor_machine_read(&doctor->machine);
    pvf__doctor_temporary_look(pvf__folder_temporary(), &doctor->temporary);
    for (size_t i = 0; i < PVF__DOCTOR_WORKERS; i++) {
        pvf__doctor_program_look(paths[i], &doctor->programs[i]);
        if (doctor->programs[i].runs &&
            pvf_worker_check(paths[i], doctor->temporary.path, doctor->checks[i], &err) != PVF_OK) {
            return pvf__cli_fail(
                PVF__CLI_INTERNAL, NULL, "the checks could not be run: %s", err.text);
        }
    }
    doctor->tried = doctor->programs[0].runs && doctor->programs[1].runs;
    doctor->same_version =
        doctor->tried && strcmp(doctor->programs[0].version, doctor->programs[1].version) == 0;
    if (doctor->tried) {
        run_trial(workers, doctor);
    }
    return -1;
}

int pvf__cli_doctor(struct pvf__cli_context *context, bool *ret_print)
{
    static struct pvf__doctor doctor;
    struct pvf__cli_workers workers;
    int stop = find_programs(&context->options, &workers);
    if (stop >= 0) {
        return stop;
    }
    pvf__cli_progress_begin("examining this machine");
    stop = examine(&workers, &doctor);
    pvf__cli_progress_end();
    if (stop >= 0) {
        return stop;
    }
    pvf__doctor_judge(&doctor);
    pvf__doctor_report(&doctor, &context->report);
    *ret_print = true;
    return doctor.problem_count == 0 ? PVF__CLI_OK : PVF__CLI_NOT_READY;
}
