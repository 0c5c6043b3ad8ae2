/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how the doctor's findings look.  Texts of workers are cleaned by the report. */
#include "cli/cli_doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Texts of worker programs may hold anything; JSON takes only UTF-8. */
static json_t *text_json(const char *text)
{
    char clean[512];
    (void)snprintf(clean, sizeof clean, "%s", text);
    pvf__cli_report_clean(clean);
    return json_string(clean);
}

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value != NULL ? value : json_null());
}

static void put_number(json_t *object, const char *key, int64_t value)
{
    put(object, key, value < 0 ? json_null() : json_integer((json_int_t)value));
}

static void machine_rows(const struct pvf__doctor_machine *machine, struct pvf__cli_report *report)
{
    pvf__cli_report_row(report, "kernel", "Linux %s, %s", machine->release, machine->arch);
    pvf__cli_report_row(report,
                        "surroundings",
                        "%s%s%s%s%s",
                        machine->container[0] != '\0' ? "container: " : "no container seen",
                        machine->container,
                        machine->unit[0] != '\0' ? ", unit " : "",
                        machine->unit,
                        machine->nested_userns ? ", inside a user namespace" : "");
    if (machine->seccomp_mode == 2) {
        pvf__cli_report_row(report,
                            "filters",
                            "%" PRId64 " system-call filter(s) over this process already",
                            machine->seccomp_filters > 0 ? machine->seccomp_filters : 1);
    }
    if (machine->lsm[0] != '\0') {
        pvf__cli_report_row(report, "security modules", "%s", machine->lsm);
    }
}

static json_t *machine_json(const struct pvf__doctor_machine *machine)
{
    json_t *json = json_object();
    put(json, "kernel", text_json(machine->release));
    put(json, "arch", text_json(machine->arch));
    put(json, "landlock_abi", json_integer(machine->landlock_abi));
    put_number(json, "unprivileged_userns_clone", machine->userns_clone);
    put_number(json, "max_user_namespaces", machine->max_user_namespaces);
    put_number(json, "apparmor_restrict_unprivileged_userns", machine->apparmor_userns);
    put(json, "lsm", machine->lsm[0] != '\0' ? text_json(machine->lsm) : json_null());
    put_number(json, "seccomp_mode", machine->seccomp_mode);
    put_number(json, "seccomp_filters", machine->seccomp_filters);
    put_number(json, "no_new_privs", machine->no_new_privs);
    put(json, "cap_sys_admin", json_boolean(machine->sys_admin));
    put(json, "nested_user_namespace", json_boolean(machine->nested_userns));
    put(json, "chroot", json_boolean(machine->changed_root));
    put(json, "orphans_stay", json_boolean(machine->orphans_stay));
    put(json,
        "container",
        machine->container[0] != '\0' ? text_json(machine->container) : json_null());
    put(json, "unit", machine->unit[0] != '\0' ? text_json(machine->unit) : json_null());
    return json;
}

static void advise(const struct pvf__doctor *doctor,
                   size_t worker,
                   size_t which,
                   struct pvf__doctor_advice *ret)
{
    const pvf_check *check = &doctor->checks[worker][which];
    const struct pvf__doctor_failure failure = {
        .mechanism = (enum pvf__doctor_mechanism)which,
        .ran = check->ran,
        .signal = check->signal,
        .text = check->text,
    };
    pvf__doctor_advise(&doctor->machine, &failure, ret);
}

/* Why a program does not start. */
static void
advise_start(const struct pvf__doctor *doctor, size_t worker, struct pvf__doctor_advice *ret)
{
    const struct pvf__doctor_failure failure = {.text = doctor->programs[worker].version_error};
    pvf__doctor_advise(&doctor->machine, &failure, ret);
}

static void program_rows(const struct pvf__doctor *doctor, struct pvf__cli_report *report)
{
    for (size_t i = 0; i < PVF__DOCTOR_WORKERS; i++) {
        const struct pvf__doctor_program *program = &doctor->programs[i];
        char label[24];
        bool linked = strcmp(program->path, program->real) != 0;
        (void)snprintf(label, sizeof label, "%s worker", pvf__doctor_worker_name(i));
        pvf__cli_report_row(report,
                            label,
                            "%s%s, mode %04o, %.160s%s%.160s",
                            program->runs ? "version " : "DOES NOT RUN",
                            program->version,
                            (unsigned)program->mode,
                            program->path,
                            linked ? " -> " : "",
                            linked ? program->real : "");
        if (!program->runs) {
            struct pvf__doctor_advice advice;
            advise_start(doctor, i, &advice);
            pvf__cli_report_row(report, "  cause", "%s", advice.why);
            pvf__cli_report_row(report, "  remedy", "%s", advice.remedy);
        }
    }
}

static void put_advice(json_t *object, const struct pvf__doctor_advice *advice)
{
    put(object, "cause", json_string(pvf__doctor_cause_name(advice->cause)));
    put(object, "why", text_json(advice->why));
    put(object, "remedy", text_json(advice->remedy));
}

static json_t *program_json(const struct pvf__doctor *doctor, size_t worker)
{
    const struct pvf__doctor_program *program = &doctor->programs[worker];
    char mode[8];
    json_t *json = json_object();
    (void)snprintf(mode, sizeof mode, "%04o", (unsigned)program->mode);
    put(json, "path", text_json(program->path));
    put(json, "real_path", text_json(program->real));
    put(json, "runs", json_boolean(program->runs));
    put(json, "version", program->runs ? text_json(program->version) : json_null());
    put(json, "mode", json_string(mode));
    put(json, "owner", json_integer((json_int_t)program->owner));
    if (!program->runs) {
        struct pvf__doctor_advice advice;
        advise_start(doctor, worker, &advice);
        put(json, "text", text_json(program->version_error));
        put_advice(json, &advice);
    }
    return json;
}

static void reason_rows(const struct pvf__doctor *doctor,
                        size_t worker,
                        size_t which,
                        struct pvf__cli_report *report)
{
    struct pvf__doctor_advice advice;
    advise(doctor, worker, which, &advice);
    pvf__cli_report_row(report, "  it says", "%s", doctor->checks[worker][which].text);
    pvf__cli_report_row(report, "  cause", "%s", advice.why);
    pvf__cli_report_row(report, "  remedy", "%s", advice.remedy);
}

static const char *state(const pvf_check *check)
{
    return check->available ? "on" : check->tolerated ? "OFF, may be missing" : "OFF";
}

static void
check_rows(const struct pvf__doctor *doctor, size_t which, struct pvf__cli_report *report)
{
    const pvf_check *prepare = &doctor->checks[0][which];
    const pvf_check *execute = &doctor->checks[1][which];
    bool both = doctor->programs[0].runs && doctor->programs[1].runs;
    if (both && prepare->available == execute->available &&
        prepare->tolerated == execute->tolerated && strcmp(prepare->text, execute->text) == 0) {
        pvf__cli_report_row(report, prepare->name, "%s", state(prepare));
        if (!prepare->available) {
            reason_rows(doctor, 0, which, report);
        }
        return;
    }
    for (size_t i = 0; i < PVF__DOCTOR_WORKERS; i++) {
        const pvf_check *check = &doctor->checks[i][which];
        if (!doctor->programs[i].runs) {
            continue;
        }
        pvf__cli_report_row(
            report, check->name, "%s (%s worker)", state(check), pvf__doctor_worker_name(i));
        if (!check->available) {
            reason_rows(doctor, i, which, report);
        }
    }
}

static json_t *checks_json(const struct pvf__doctor *doctor, size_t worker)
{
    json_t *json = json_object();
    for (size_t i = 0; doctor->programs[worker].runs && i < PVF_CHECKS; i++) {
        const pvf_check *check = &doctor->checks[worker][i];
        json_t *one = json_object();
        put(one, "available", json_boolean(check->available));
        put(one, "tolerated", json_boolean(check->tolerated));
        if (!check->available) {
            struct pvf__doctor_advice advice;
            advise(doctor, worker, i, &advice);
            put(one, "text", text_json(check->text));
            put(one, "signal", json_integer(check->signal));
            put_advice(one, &advice);
        }
        put(json, check->name, one);
    }
    return json;
}

static void temporary_row(const struct pvf__doctor_temporary *temporary,
                          struct pvf__cli_report *report)
{
    char size[32];
    if (temporary->problem[0] != '\0') {
        pvf__cli_report_row(
            report, "temporary files", "%.160s: %s", temporary->path, temporary->problem);
        return;
    }
    pvf__cli_report_bytes(temporary->free_bytes, size, sizeof size);
    pvf__cli_report_row(report,
                        "temporary files",
                        "%.160s, %s free%s",
                        temporary->path,
                        size,
                        temporary->noexec ? ", mounted noexec (does no harm)" : "");
}

/* A filter that refuses what every job takes shows here alone; all else is in the workers' logs. */
static void trial_rows(const struct pvf__doctor *doctor, struct pvf__cli_report *report)
{
    struct pvf__doctor_advice advice;
    const struct pvf__doctor_failure failure = {.text = doctor->self_test_text};
    pvf__doctor_advise(&doctor->machine, &failure, &advice);
    if (advice.cause == PVF__DOCTOR_SYSCALL_FILTER) {
        pvf__cli_report_row(report, "  cause", "%s", advice.why);
        pvf__cli_report_row(report, "  remedy", "%s", advice.remedy);
    } else {
        pvf__cli_report_row(
            report, "  remedy", "see what the workers say: RUST_LOG=debug pvf doctor");
    }
}

static json_t *temporary_json(const struct pvf__doctor_temporary *temporary)
{
    json_t *json = json_object();
    put(json, "path", text_json(temporary->path));
    put(json, "usable", json_boolean(temporary->problem[0] == '\0'));
    put_number(json,
               "free_bytes",
               temporary->free_bytes <= INT64_MAX ? (int64_t)temporary->free_bytes : INT64_MAX);
    put(json, "noexec", json_boolean(temporary->noexec));
    return json;
}

static json_t *list_json(const char (*texts)[400], size_t count)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(json, text_json(texts[i]));
    }
    return json;
}

static void json_members(const struct pvf__doctor *doctor, struct pvf__cli_report *report)
{
    json_t *workers = json_object();
    json_t *checks = json_object();
    json_t *trial = json_object();
    for (size_t i = 0; i < PVF__DOCTOR_WORKERS; i++) {
        put(workers, pvf__doctor_worker_name(i), program_json(doctor, i));
        put(checks, pvf__doctor_worker_name(i), checks_json(doctor, i));
    }
    put(trial, "made", json_boolean(doctor->tried));
    put(trial, "ok", json_boolean(doctor->self_test));
    put(trial, "text", text_json(doctor->self_test_text));
    put(trial, "wall_us", json_integer((json_int_t)doctor->self_test_us));
    pvf__cli_report_json(report, "ready", json_boolean(doctor->problem_count == 0));
    pvf__cli_report_json(report, "problems", list_json(doctor->problems, doctor->problem_count));
    pvf__cli_report_json(report, "warnings", list_json(doctor->warnings, doctor->warning_count));
    pvf__cli_report_json(report, "machine", machine_json(&doctor->machine));
    pvf__cli_report_json(report, "workers", workers);
    pvf__cli_report_json(report, "same_version", json_boolean(doctor->same_version));
    pvf__cli_report_json(report, "checks", checks);
    pvf__cli_report_json(report, "temporary", temporary_json(&doctor->temporary));
    pvf__cli_report_json(report, "trial", trial);
}

void pvf__doctor_report(const struct pvf__doctor *doctor, struct pvf__cli_report *report)
{
    char took[32];
    machine_rows(&doctor->machine, report);
    program_rows(doctor, report);
    for (size_t i = 0; i < PVF_CHECKS; i++) {
        check_rows(doctor, i, report);
    }
    temporary_row(&doctor->temporary, report);
    pvf__cli_report_time(doctor->self_test_us, took, sizeof took);
    if (doctor->self_test) {
        pvf__cli_report_row(
            report, "trial run", "prepared and executed a known-good PVF in %s", took);
    } else if (!doctor->tried) {
        pvf__cli_report_row(report, "trial run", "not made: it needs both worker programs");
    } else {
        pvf__cli_report_row(report, "trial run", "FAILED: %s", doctor->self_test_text);
        trial_rows(doctor, report);
    }
    for (size_t i = 0; i < doctor->warning_count; i++) {
        pvf__cli_report_row(report, "warning", "%s", doctor->warnings[i]);
    }
    for (size_t i = 0; i < doctor->problem_count; i++) {
        pvf__cli_report_row(report, "PROBLEM", "%s", doctor->problems[i]);
    }
    pvf__cli_report_row(report,
                        "verdict",
                        "%s",
                        doctor->problem_count == 0 ? "ready for a secure validator"
                                                   : "NOT READY for a secure validator");
    json_members(doctor, report);
}
