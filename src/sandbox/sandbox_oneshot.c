/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the order in which a one-shot process is fenced: as a job, but it has no worker. */
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_descriptors.h"
#include "sandbox/sandbox_landlock.h"
#include "sandbox/sandbox_limits.h"
#include "sandbox/sandbox_process.h"

#include <unistd.h>

int pvf__sandbox_oneshot(enum pvf__seccomp_role role, pvf_error *err)
{
    const struct pvf__sandbox_job_limits limits = {0}; /* its caller has a clock */
    const struct pvf__seccomp_facts facts = {.pipe_fd = STDOUT_FILENO, .self = getpid()};
    int status = pvf__sandbox_keep_only(NULL, 0, err);
    if (status == 0) {
        status = pvf__sandbox_job_limits(&limits, err);
    }
    if (status == 0) {
        status = pvf__sandbox_capabilities(false, err);
    }
    if (status == 0) {
        status = pvf__sandbox_non_dumpable(err);
    }
    if (status == 0) {
        status = pvf__sandbox_no_new_privs(err);
    }
    if (status != 0) {
        return status;
    }
    /* Each of the two helps without the other. */
    int landlock = pvf__sandbox_landlock(NULL, PVF__SANDBOX_READS_FILES, err);
    int seccomp = pvf__sandbox_seccomp(role, &facts, landlock == 0 ? err : NULL);
    return landlock != 0 ? landlock : seccomp;
}
