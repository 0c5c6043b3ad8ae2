/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the order in which a job is fenced, on top of what it inherits from its worker. */
#include "base/error.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_descriptors.h"
#include "sandbox/sandbox_landlock.h"
#include "sandbox/sandbox_limits.h"
#include "sandbox/sandbox_process.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

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
                     const struct pvf__sandbox_job_files *files,
                     pvf_error *err)
{
    const int keep[] = {files->pipe_fd, files->data_fd, files->input_fd, files->mapped_fd};
    /* First, so that no failure below leaves an unwatched process. */
    int status = tie(files->pipe_fd, err);
    /* A group of its own: without a process namespace this is how all of it is killed. */
    if (status == 0 && !limits->keeps_group && setpgid(0, 0) != 0 && errno != EPERM) {
        status = pvf__error_errno(err, PVF_ERR_IO, errno, "setpgid");
    }
    if (status == 0) {
        status = pvf__sandbox_null_stdio(plan->null_fd, err);
    }
    if (status == 0) {
        status = pvf__sandbox_keep_only(keep, sizeof(keep) / sizeof(keep[0]), err);
    }
    if (status == 0) {
        status = pvf__sandbox_job_limits(limits, err);
    }
    if (status == 0 && !plan->keeps_capabilities) {
        status = pvf__sandbox_capabilities(false, err);
    }
    if (status == 0) {
        status = tie(files->pipe_fd, err);
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
        const struct pvf__seccomp_facts facts = {
            .pipe_fd = files->pipe_fd, .input_fd = files->input_fd, .self = getpid()};
        status = pvf__sandbox_seccomp(plan->job_role, &facts, err);
    }
    return status;
}
