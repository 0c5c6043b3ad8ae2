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

static int run(const char *const *argv, struct pvf__oneshot *ret, pvf_error *err)
{
    return pvf__oneshot_run(-1,
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

/* A check that cannot be run has not succeeded; why is in its text. */
static void run_check(const char *program, enum check which, const char *folder, pvf_check *ret)
{
    char fresh[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    bool needs_folder = pvf__checks_needs_folder(which);
    struct pvf__oneshot done;
    *ret = (pvf_check){.name = known[which].name};
    if (needs_folder &&
        pvf__folder_make(folder, "check-can-unshare-", fresh, sizeof(fresh), &err) != 0) {
        (void)snprintf(ret->text, sizeof(ret->text), "%s", err.text);
        return;
    }
    const char *const argv[] = {program, known[which].option, needs_folder ? fresh : NULL, NULL};
    if (run(argv, &done, &err) != 0) {
        (void)snprintf(ret->text, sizeof(ret->text), "%s", err.text);
    } else {
        ret->ran = true;
        ret->available = pvf__oneshot_succeeded(&done);
        if (!ret->available) {
            take_reason(&done, ret);
        }
        pvf__oneshot_done(&done);
    }
    if (needs_folder) {
        pvf__folder_remove(fresh);
    }
}

int pvf__checks_run(const char *program,
                    const char *folder,
                    pvf_check ret[PVF_CHECKS],
                    pvf_error *err)
{
    if (program == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "there is no program to run checks with");
    }
    for (unsigned i = 0; i < PVF_CHECKS; i++) {
        run_check(program, (enum check)i, folder, &ret[i]);
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

int pvf_worker_version(const char *program, char *ret, size_t size, pvf_error *err)
{
    struct pvf__oneshot done;
    if (program == NULL || ret == NULL || size == 0) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a program and room for text are needed");
    }
    const char *const argv[] = {program, PVF__WORD_VERSION, NULL};
    int status = run(argv, &done, err);
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
