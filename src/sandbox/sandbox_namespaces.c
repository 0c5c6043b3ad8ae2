/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: which namespaces are new for whom. */
#include "sandbox/sandbox.h"

#include <linux/sched.h>

/* All that a job does not share with anybody. */
#define JOB_NAMESPACES                                                                             \
    (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS)

uint64_t pvf__sandbox_job_namespaces(const struct pvf__sandbox_plan *plan)
{
    if (!plan->secure_clone) {
        return 0;
    }
    /*
     * A worker with a root of its own is in a user namespace already, with no names for ids in it,
     * and the kernel makes no further one for a user without a name.
     */
    return plan->change_root ? JOB_NAMESPACES : JOB_NAMESPACES | CLONE_NEWUSER;
}

bool pvf__sandbox_has_zygotes(const struct pvf__sandbox_plan *plan)
{
    return plan->change_root && plan->secure_clone && plan->seccomp && !plan->keeps_capabilities;
}

uint64_t pvf__sandbox_zygote_namespaces(void)
{
    return JOB_NAMESPACES & ~(uint64_t)CLONE_NEWPID;
}

uint64_t pvf__sandbox_zygote_job_namespaces(void)
{
    /*
     * It stays in the network and the mounts of its zygote, which nobody but jobs of this artifact
     * was ever in, and in which nothing can be made: to take them down costs more than a small job.
     */
    return JOB_NAMESPACES & ~(uint64_t)(CLONE_NEWNET | CLONE_NEWNS);
}
