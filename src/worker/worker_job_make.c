/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the birth of a job's process and what it inherits. */
#include "worker/worker_job_make.h"

#include "base/error.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Exit code of a job that could not be set up; the worker reports it as an unexpected exit. */
#define EXIT_SETUP 70

static int close_from_to(unsigned first, unsigned last)
{
    return first > last ? 0 : (int)syscall(SYS_close_range, first, last, 0);
}

/* Closes everything but 0, 1, 2 and these two (either may be -1). */
static int keep_only(int a, int b)
{
    int low = a < b ? a : b;
    int high = a < b ? b : a;
    unsigned next = 3;
    if (low >= 3) {
        if (close_from_to(next, (unsigned)low - 1) != 0) {
            return -1;
        }
        next = (unsigned)low + 1;
    }
    if (high >= 3 && high != low) {
        if (close_from_to(next, (unsigned)high - 1) != 0) {
            return -1;
        }
        next = (unsigned)high + 1;
    }
    return close_from_to(next, ~0u);
}

__attribute__((noreturn)) static void
be_job(const struct pvf__job_spec *spec, int write_end, pid_t worker)
{
    /* A job must not outlive its worker: it would go on unwatched. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != worker ||
        keep_only(write_end, spec->keep_fd) != 0) {
        _exit(EXIT_SETUP);
    }
    _exit(spec->run(spec->context, write_end));
}

int pvf__job_make(const struct pvf__job_spec *spec,
                  int write_end,
                  pid_t *ret_pid,
                  int *ret_pid_fd,
                  pvf_error *err)
{
    pid_t worker = getpid();
    int pid_fd = -1;
    struct clone_args args = {
        .flags = CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pid_fd,
        .exit_signal = SIGCHLD,
    };
    long pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "fork");
    }
    if (pid == 0) {
        be_job(spec, write_end, worker);
    }
    *ret_pid = (pid_t)pid;
    *ret_pid_fd = pid_fd;
    return 0;
}
