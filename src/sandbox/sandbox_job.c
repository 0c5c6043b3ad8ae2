/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the order in which a job is fenced, on top of what it inherits from its worker. */
#include "base/error.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_descriptors.h"
#include "sandbox/sandbox_landlock.h"
#include "sandbox/sandbox_limits.h"
#include "sandbox/sandbox_process.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <unistd.h>

uint64_t pvf__sandbox_job_namespaces(const struct pvf__sandbox_plan *plan)
{
    if (!plan->secure_clone) {
        return 0;
    }
    /* A worker with a root of its own is in a user namespace already, with no names for ids in
     * it, and the kernel makes no further one for a user without a name. */
    uint64_t flags =
        CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS;
    return plan->change_root ? flags : flags | CLONE_NEWUSER;
}

/* Asked for after the signal is armed: from here on its death is ours. */
static int worker_lives(int pipe_fd, pvf_error *err)
{
    struct pollfd item = {.fd = pipe_fd};
    if (poll(&item, 1, 0) < 0 || (item.revents & (POLLERR | POLLNVAL)) != 0) {
        return pvf__error_set(err, PVF_ERR_PEER, "the worker is gone");
    }
    return 0;
}

/* Death with the worker, and nobody reads our memory; forgotten at each change of credentials. */
static int tie(int pipe_fd, pvf_error *err)
{
    int status = pvf__sandbox_end_with_worker(err);
    if (status == 0) {
        status = worker_lives(pipe_fd, err);
    }
    return status != 0 ? status : pvf__sandbox_non_dumpable(err);
}

int pvf__sandbox_job(const struct pvf__sandbox_plan *plan,
                     const struct pvf__sandbox_job_limits *limits,
                     int pipe_fd,
                     int keep_fd,
                     pvf_error *err)
{
    /* First, so that no failure below leaves an unwatched process. */
    int status = tie(pipe_fd, err);
    /* A group of its own: without a process namespace this is how all of it is killed. */
    if (status == 0 && setpgid(0, 0) != 0 && errno != EPERM) {
        status = pvf__error_errno(err, PVF_ERR_IO, errno, "setpgid");
    }
    if (status == 0) {
        status = pvf__sandbox_null_stdio(plan->null_fd, err);
    }
    if (status == 0) {
        status = pvf__sandbox_keep_only(pipe_fd, keep_fd, err);
    }
    if (status == 0) {
        status = pvf__sandbox_job_limits(limits, err);
    }
    if (status == 0 && !plan->keeps_capabilities) {
        status = pvf__sandbox_capabilities(false, err);
    }
    if (status == 0) {
        status = tie(pipe_fd, err);
    }
    /* Inherited, but a worker may have gone on without it. */
    if (status == 0) {
        status = pvf__sandbox_no_new_privs(err);
    }
    /* No files at all, not even those of the worker. */
    if (status == 0 && plan->landlock) {
        status = pvf__sandbox_landlock(NULL, plan->files, err);
    }
    /* Last, since it forbids all of the above. */
    if (status == 0 && plan->seccomp) {
        const struct pvf__seccomp_facts facts = {.pipe_fd = pipe_fd, .self = getpid()};
        status = pvf__sandbox_seccomp(plan->job_role, &facts, err);
    }
    return status;
}
