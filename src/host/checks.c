/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: finding out what this machine can do against hostile code, by asking the program that will
 * do it; and the version of a worker.
 */
#include "host/checks.h"

#include "base/clock.h"
#include "base/error.h"
#include "host/folder.h"
#include "host/oneshot.h"
#include "host/process.h"
#include "proto/command_line.h"
#include "pvf/status.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* A check takes milliseconds; the reference's host would wait for ever. */
#define CHECK_TIMEOUT_NS ((uint64_t)20 * 1000000000u)
#define OUTPUT_MAX ((size_t)65536)

enum check {
    CHECK_LANDLOCK,
    CHECK_SECCOMP,
    CHECK_CHANGE_ROOT,
    CHECK_SECURE_CLONE,
};

static const struct {
    const char *name;
    const char *option;
} known[PVF_CHECKS] = {
    [CHECK_LANDLOCK] = {"landlock", PVF__WORD_CHECK_LANDLOCK},
    [CHECK_SECCOMP] = {"seccomp", PVF__WORD_CHECK_SECCOMP},
    [CHECK_CHANGE_ROOT] = {"change-root", PVF__WORD_CHECK_CHANGE_ROOT},
    [CHECK_SECURE_CLONE] = {"secure-clone", PVF__WORD_CHECK_SECURE_CLONE},
};

const char *pvf__checks_name(unsigned which)
{
    return known[which].name;
}

const char *pvf__checks_option(unsigned which)
{
    return known[which].option;
}

bool pvf__checks_needs_folder(unsigned which)
{
    return which == CHECK_CHANGE_ROOT;
}

void pvf__checks_tolerate(pvf_check checks[PVF_CHECKS])
{
    /* Each of these two does without the other; secure clone is always a plus only. */
    checks[CHECK_LANDLOCK].tolerated =
        !checks[CHECK_LANDLOCK].available && checks[CHECK_CHANGE_ROOT].available;
    checks[CHECK_CHANGE_ROOT].tolerated =
        !checks[CHECK_CHANGE_ROOT].available && checks[CHECK_LANDLOCK].available;
    checks[CHECK_SECURE_CLONE].tolerated = !checks[CHECK_SECURE_CLONE].available;
}

/* One that runs. */
struct running {
    bool started;
    struct pvf__oneshot_running run;
};

static int start(const char *const *argv, struct pvf__oneshot_running *ret, pvf_error *err)
{
    return pvf__oneshot_start(-1,
                              argv,
                              (struct pvf__slice){NULL, 0},
                              OUTPUT_MAX,
                              pvf__clock_monotonic_ns() + CHECK_TIMEOUT_NS,
                              ret,
                              err);
}

/* What a check that ended with a no has to say, or else how it ended. */
static void take_reason(const struct pvf__oneshot *done, pvf_check *ret)
{
    char how[64];
    pvf__oneshot_line(&done->errors, ret->text, sizeof(ret->text));
    if (WIFSIGNALED(done->status)) {
        ret->signal = WTERMSIG(done->status);
    }
    if (ret->text[0] == '\0') {
        pvf__process_status_text(done->status, how, sizeof(how));
        (void)snprintf(ret->text, sizeof(ret->text), "%s, no reason was given", how);
    }
}

/*
 * A check that cannot be run has not succeeded; why is in its text.  `fresh` has the folder that
 * was made for the one that needs it.
 */
static void start_check(const char *program,
                        enum check which,
                        const char *folder,
                        char fresh[PATH_MAX],
                        struct running *running,
                        pvf_check *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    bool needs_folder = pvf__checks_needs_folder(which);
    *ret = (pvf_check){.name = known[which].name};
    running->started = false;
    if (needs_folder &&
        pvf__folder_make(folder, "check-can-unshare-", fresh, PATH_MAX, &err) != 0) {
        fresh[0] = '\0';
        (void)snprintf(ret->text, sizeof(ret->text), "%s", err.text);
        return;
    }
    const char *const argv[] = {program, known[which].option, needs_folder ? fresh : NULL, NULL};
    running->started = start(argv, &running->run, &err) == 0;
    if (!running->started) {
        (void)snprintf(ret->text, sizeof(ret->text), "%s", err.text);
    }
}

static void
finish_check(const char *program, enum check which, struct running *running, pvf_check *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__oneshot done;
    if (!running->started) {
        return;
    }
    if (pvf__oneshot_finish(&running->run, program, known[which].option, &done, &err) != 0) {
        (void)snprintf(ret->text, sizeof(ret->text), "%s", err.text);
        return;
    }
    ret->ran = true;
    ret->available = pvf__oneshot_succeeded(&done);
    if (!ret->available) {
        take_reason(&done, ret);
    }
    pvf__oneshot_done(&done);
}

int pvf__checks_run(const char *program,
                    const char *folder,
                    pvf_check ret[PVF_CHECKS],
                    pvf_error *err)
{
    if (program == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "there is no program to run checks with");
    }
    /* Side by side: they have nothing to do with each other, and whoever starts waits for them. */
    struct running running[PVF_CHECKS];
    char fresh[PATH_MAX] = "";
    for (unsigned i = 0; i < PVF_CHECKS; i++) {
        start_check(program, (enum check)i, folder, fresh, &running[i], &ret[i]);
    }
    for (unsigned i = 0; i < PVF_CHECKS; i++) {
        finish_check(program, (enum check)i, &running[i], &ret[i]);
    }
    if (fresh[0] != '\0') {
        pvf__folder_remove(fresh);
    }
    pvf__checks_tolerate(ret);
    return 0;
}

int pvf_worker_check(const char *program,
                     const char *folder,
                     pvf_check ret[PVF_CHECKS],
                     pvf_error *err)
{
    if (program == NULL || ret == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a program and room for checks are needed");
    }
    return pvf__checks_run(program, folder != NULL ? folder : pvf__folder_temporary(), ret, err);
}

int pvf__checks_decide(const pvf_check checks[PVF_CHECKS],
                       bool secure,
                       pvf_security_status *ret,
                       pvf_error *err)
{
    for (unsigned i = 0; secure && i < PVF_CHECKS; i++) {
        if (!checks[i].available && !checks[i].tolerated) {
            return pvf__error_set(err,
                                  PVF_ERR_UNSUPPORTED,
                                  "this machine cannot run hostile code securely: no %s: %s",
                                  checks[i].name,
                                  checks[i].text);
        }
    }
    *ret = (pvf_security_status){
        .secure_validator_mode = secure,
        .can_enable_landlock = checks[CHECK_LANDLOCK].available,
        .can_enable_seccomp = checks[CHECK_SECCOMP].available,
        .can_unshare_user_namespace_and_change_root = checks[CHECK_CHANGE_ROOT].available,
        .can_do_secure_clone = checks[CHECK_SECURE_CLONE].available,
    };
    return 0;
}

static int start_version(const char *program, struct pvf__oneshot_running *ret, pvf_error *err)
{
    const char *const argv[] = {program, PVF__WORD_VERSION, NULL};
    return start(argv, ret, err);
}

static int finish_version(const char *program,
                          struct pvf__oneshot_running *running,
                          char *ret,
                          size_t size,
                          pvf_error *err)
{
    struct pvf__oneshot done;
    int status = pvf__oneshot_finish(running, program, PVF__WORD_VERSION, &done, err);
    if (status != 0) {
        return status;
    }
    if (!pvf__oneshot_succeeded(&done)) {
        char said[128];
        pvf__oneshot_line(&done.errors, said, sizeof(said));
        status = pvf__error_set(
            err, PVF_ERR_PEER, "%s --version failed%s%s", program, said[0] ? ": " : "", said);
    } else {
        pvf__oneshot_line(&done.out, ret, size);
    }
    pvf__oneshot_done(&done);
    return status;
}

int pvf_worker_version(const char *program, char *ret, size_t size, pvf_error *err)
{
    struct pvf__oneshot_running running;
    if (program == NULL || ret == NULL || size == 0) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a program and room for text are needed");
    }
    int status = start_version(program, &running, err);
    return status != 0 ? status : finish_version(program, &running, ret, size, err);
}

void pvf__checks_versions(const char *const programs[2], char *const ret[2], size_t size)
{
    struct pvf__oneshot_running running[2];
    bool started[2];
    for (unsigned i = 0; i < 2; i++) {
        ret[i][0] = '\0';
        started[i] = start_version(programs[i], &running[i], NULL) == 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (started[i] && finish_version(programs[i], &running[i], ret[i], size, NULL) != 0) {
            ret[i][0] = '\0';
        }
    }
}
