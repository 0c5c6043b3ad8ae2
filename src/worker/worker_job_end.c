/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: how jobs are ended, and the one whose end is still to come although its answer is out: that
 * end takes the kernel as long as a small block, and the next job need not wait for it.
 */
#include "worker/worker_job_end.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "proto/exit_codes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* For the end of a job that has said farewell: many times what the kernel needs. */
#define ENDING_NS UINT64_C(200000000)

static struct {
    pid_t pid; /* 0: nobody */
    int pid_fd;
    bool secure_clone;
    uint64_t deadline;
} leaving = {.pid_fd = -1};

/* Where a container's filter knows no pidfd.  The number is surely the job's until it is reaped. */
static void kill_otherwise(pid_t pid)
{
    if (errno == ESRCH || kill(pid, SIGKILL) == 0) {
        return;
    }
    /* Under our own filter there is no kill(): but the job ends with its worker. */
    pvf__log(PVF__LOG_ERROR, "a job cannot be killed: pidfd_send_signal is refused here");
    _exit(PVF__EXIT_ORDERLY);
}

void pvf__job_kill(pid_t pid, int pid_fd)
{
    if (syscall(SYS_pidfd_send_signal, pid_fd, SIGKILL, NULL, 0) != 0) {
        kill_otherwise(pid);
    }
}

void pvf__job_kill_group(pid_t pid, bool secure_clone)
{
    if (!secure_clone) {
        (void)kill(-pid, SIGKILL);
    }
}

/* Children that the job made for us instead of for itself; dead by now, as all of its group. */
void pvf__job_reap_group(pid_t pid, bool secure_clone)
{
    if (!secure_clone) {
        pid_t reaped;
        do {
            reaped = waitpid(-pid, NULL, 0);
        } while (reaped > 0 || (reaped < 0 && errno == EINTR));
    }
}

void pvf__job_dismiss(const struct pvf__job_spec *spec, struct pvf__job_report *report)
{
    if (report->ending_fd < 0) {
        return;
    }
    leaving.pid = report->pid;
    leaving.pid_fd = PVF__TAKE_FD(report->ending_fd);
    leaving.secure_clone = spec->sandbox->secure_clone;
    leaving.deadline = pvf__clock_monotonic_ns() + ENDING_NS;
    pvf__close_fd(&report->dismissal_fd);
}

/* It is dead, or dying of our signal.  Who ended its zygote may have reaped it already. */
static enum pvf__job_end reap(void)
{
    siginfo_t info = {.si_pid = 0};
    pvf__job_kill_group(leaving.pid, leaving.secure_clone);
    while (waitid(P_PIDFD, (id_t)leaving.pid_fd, &info, WEXITED) != 0 && errno == EINTR) {
    }
    pvf__job_reap_group(leaving.pid, leaving.secure_clone);
    pvf__close_fd(&leaving.pid_fd);
    leaving.pid = 0;
    bool is_well =
        info.si_pid == 0 || (info.si_code == CLD_EXITED && info.si_status == PVF__EXIT_OK);
    return is_well ? PVF__JOB_ENDED_WELL : PVF__JOB_ENDED_BADLY;
}

enum pvf__job_end pvf__job_see_off(int socket)
{
    if (leaving.pid == 0) {
        return PVF__JOB_NOBODY;
    }
    struct pollfd items[2] = {
        {.fd = leaving.pid_fd, .events = POLLIN},
        {.fd = socket, .events = POLLIN},
    };
    if (pvf__fd_poll_by(items, 2, leaving.deadline, NULL) != 0) {
        pvf__log(PVF__LOG_WARN, "a job said that it ends, and did not");
        pvf__job_kill(leaving.pid, leaving.pid_fd);
    } else if (items[0].revents == 0) {
        return PVF__JOB_STILL_LEAVING;
    }
    return reap();
}
