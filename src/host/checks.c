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
#include "proto/command_line.h"
#include "pvf/status.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

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

static int run(const char *const *argv, struct pvf__oneshot *ret, pvf_error *err)
{
    return pvf__oneshot_run(argv,
                            (struct pvf__slice){NULL, 0},
                            OUTPUT_MAX,
                            pvf__clock_monotonic_ns() + CHECK_TIMEOUT_NS,
                            ret,
                            err);
}

/* A check that cannot be run has not succeeded; why is in its text. */
static void run_check(const char *program, enum check which, const char *folder, pvf_check *ret)
{
    char fresh[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    bool needs_folder = which == CHECK_CHANGE_ROOT;
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
        ret->available = pvf__oneshot_succeeded(&done);
        if (!ret->available) {
            pvf__oneshot_line(&done.errors, ret->text, sizeof(ret->text));
        }
        if (!ret->available && ret->text[0] == '\0') {
            (void)snprintf(ret->text, sizeof(ret->text), "not available; no reason was given");
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
    /* Each of these two does without the other; secure clone is always a plus only. */
    ret[CHECK_LANDLOCK].tolerated =
        !ret[CHECK_LANDLOCK].available && ret[CHECK_CHANGE_ROOT].available;
    ret[CHECK_CHANGE_ROOT].tolerated =
        !ret[CHECK_CHANGE_ROOT].available && ret[CHECK_LANDLOCK].available;
    ret[CHECK_SECURE_CLONE].tolerated = !ret[CHECK_SECURE_CLONE].available;
    return 0;
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
