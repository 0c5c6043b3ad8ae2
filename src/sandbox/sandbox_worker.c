/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the order in which a worker is fenced, with the reason for each place. */
#include "base/error.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_descriptors.h"
#include "sandbox/sandbox_environment.h"
#include "sandbox/sandbox_landlock.h"
#include "sandbox/sandbox_limits.h"
#include "sandbox/sandbox_process.h"
#include "sandbox/sandbox_root.h"

#include <stdio.h>

/* Books a step's result; passes it on when it ends the start. */
static int book(struct pvf__sandbox_report *report,
                enum pvf__sandbox_mechanism mechanism,
                int status,
                bool must,
                pvf_error *err)
{
    if (status == 0) {
        report->state[mechanism] = PVF__SANDBOX_ON;
        return 0;
    }
    report->state[mechanism] = PVF__SANDBOX_FAILED;
    (void)snprintf(report->why[mechanism], sizeof(report->why[mechanism]), "%s", err->text);
    if (must) {
        pvf__error_wrap(err, "%s", pvf__sandbox_name(mechanism));
        return status;
    }
    *err = (pvf_error)PVF_ERROR_INIT;
    return 0;
}

int pvf__sandbox_begin(struct pvf__sandbox_report *report, int keep, pvf_error *err)
{
    *report = (struct pvf__sandbox_report){0};
    /* Before anything is opened: what is open now is the node's. */
    int status =
        book(report, PVF__SANDBOX_DESCRIPTORS, pvf__sandbox_keep_only(&keep, 1, err), true, err);
    /* Before the death of the parent is made a signal. */
    if (status == 0) {
        status = book(report, PVF__SANDBOX_SIGNALS, pvf__sandbox_signals(err), true, err);
    }
    /* While /proc has a name. */
    if (status == 0) {
        status = book(report, PVF__SANDBOX_LIMITS, pvf__sandbox_worker_limits(err), true, err);
    }
    if (status == 0) {
        status =
            book(report, PVF__SANDBOX_PARENT_DEATH, pvf__sandbox_end_with_host(err), true, err);
    }
    if (status == 0) {
        status = book(report, PVF__SANDBOX_NON_DUMPABLE, pvf__sandbox_non_dumpable(err), true, err);
    }
    return status;
}

/* A change of credentials makes the kernel forget both. */
static int remember_again(struct pvf__sandbox_report *report, pvf_error *err)
{
    int status =
        book(report, PVF__SANDBOX_PARENT_DEATH, pvf__sandbox_end_with_host(err), true, err);
    return status != 0
               ? status
               : book(report, PVF__SANDBOX_NON_DUMPABLE, pvf__sandbox_non_dumpable(err), true, err);
}

/* Mounts and capabilities; after it the file system is the worker's folder. */
static int
enter_root(const struct pvf__sandbox_plan *plan, struct pvf__sandbox_report *report, pvf_error *err)
{
    int status = 0;
    if (plan->change_root) {
        /* Needs the capabilities of the new user namespace, and mounts, which Landlock forbids. */
        status =
            pvf__sandbox_change_root(plan->folder, plan->files == PVF__SANDBOX_READS_FILES, err);
        status = book(report, PVF__SANDBOX_CHANGE_ROOT, status, true, err);
        if (status != 0) {
            return status;
        }
    }
    /* After the last mount.  One stays where jobs get namespaces. */
    status = pvf__sandbox_capabilities(plan->secure_clone, err);
    status = book(report, PVF__SANDBOX_CAPABILITIES, status, plan->strict, err);
    return status != 0 ? status : remember_again(report, err);
}

int pvf__sandbox_worker(const struct pvf__sandbox_plan *plan,
                        struct pvf__sandbox_report *report,
                        pvf_error *err)
{
    int status =
        book(report, PVF__SANDBOX_ENVIRONMENT, pvf__sandbox_environment(err), plan->strict, err);
    if (status == 0) {
        status = enter_root(plan, report, err);
    }
    /* The next two demand it of a process without capabilities. */
    if (status == 0) {
        status = book(
            report, PVF__SANDBOX_NO_NEW_PRIVS, pvf__sandbox_no_new_privs(err), plan->strict, err);
    }
    if (status == 0 && plan->landlock) {
        /* Opens the folder and makes a descriptor, which seccomp need not allow. */
        const char *folder = plan->change_root ? "/" : plan->folder;
        status = pvf__sandbox_landlock(folder, plan->files, err);
        status = book(report, PVF__SANDBOX_LANDLOCK, status, plan->strict, err);
    }
    if (status == 0 && plan->seccomp) {
        /* Last: nothing above may be in its list for its own sake. */
        const struct pvf__seccomp_facts facts = {.pipe_fd = -1};
        status = pvf__sandbox_seccomp(plan->worker_role, &facts, err);
        status = book(report, PVF__SANDBOX_SECCOMP, status, plan->strict, err);
    }
    return status;
}
