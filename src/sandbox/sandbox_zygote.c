/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the order in which a zygote is fenced: as a job, but for what it takes to make jobs.
 * Hostile code shaped the artifact that it maps.
 */
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_descriptors.h"
#include "sandbox/sandbox_landlock.h"
#include "sandbox/sandbox_limits.h"
#include "sandbox/sandbox_process.h"

#include <unistd.h>

/* Its namespace ends it with its worker; this does so too. */
static int tie(pvf_error *err)
{
    int status = pvf__sandbox_end_with_worker(err);
    return status != 0 ? status : pvf__sandbox_non_dumpable(err);
}

int pvf__sandbox_zygote(const struct pvf__sandbox_plan *plan,
                        const struct pvf__sandbox_job_limits *limits,
                        const int files[2],
                        pvf_error *err)
{
    const int keep[] = {files[0], files[1], plan->null_fd};
    int status = tie(err);
    if (status == 0) {
        status = pvf__sandbox_null_stdio(plan->null_fd, err);
    }
    if (status == 0) {
        status = pvf__sandbox_keep_only(keep, sizeof(keep) / sizeof(keep[0]), err);
    }
    if (status == 0) {
        status = pvf__sandbox_job_limits(limits, err);
    }
    /* One stays: it makes the namespaces of jobs. */
    if (status == 0) {
        status = pvf__sandbox_capabilities(true, err);
    }
    /* A change of credentials makes the kernel forget it. */
    if (status == 0) {
        status = tie(err);
    }
    if (status == 0) {
        status = pvf__sandbox_no_new_privs(err);
    }
    if (status == 0 && plan->landlock) {
        status = pvf__sandbox_landlock(NULL, plan->files, err);
    }
    if (status == 0) {
        status = pvf__sandbox_seccomp(plan->zygote_role, NULL, err);
    }
    return status;
}
