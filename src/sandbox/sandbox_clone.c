/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the birth of a process in new namespaces, by whichever call this machine grants. */
#include "sandbox/sandbox_clone.h"

#include "base/error.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t pvf__sandbox_clone(uint64_t namespaces, int *ret_pid_fd)
{
    int pid_fd = -1;
    struct clone_args args = {
        .flags = CLONE_PIDFD | namespaces,
        .pidfd = (uint64_t)(uintptr_t)&pid_fd,
        .exit_signal = SIGCHLD,
    };
    long pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid < 0 && (errno == ENOSYS || errno == EPERM)) {
        /*
         * Kernels before 5.3, and containers, whose filters cannot see the flags of the new call.
         * Both architectures take the pid's descriptor as the third argument.
         */
        unsigned long flags = (unsigned long)(args.flags | args.exit_signal);
        pid = syscall(SYS_clone, flags, NULL, &pid_fd, NULL, NULL);
    }
    if (pid > 0) {
        *ret_pid_fd = pid_fd;
    }
    return (pid_t)pid;
}

pid_t pvf__sandbox_clone_sibling(uint64_t namespaces)
{
    /* The old call: its flags are an argument, which a filter can compare.  The signal at its end
     * is that of our own, whatever is said here. */
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | namespaces, NULL, NULL, NULL, NULL);
}

int pvf__sandbox_new_pids(pvf_error *err)
{
    if (unshare(CLONE_NEWPID) != 0) {
        return pvf__error_errno(
            err, PVF_ERR_UNSUPPORTED, errno, "unshare of the process namespace");
    }
    return 0;
}
