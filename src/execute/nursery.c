/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the birth and the end of an artifact's processes.  The first process of a namespace cannot
 * make siblings, and whoever enters a new one does so only with its children: so a midwife, which
 * is in neither, makes both, and goes.
 */
#include "execute/nursery.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "sandbox/sandbox_clone.h"
#include "sandbox/sandbox_descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A midwife that takes longer is stopped, or the machine is: better without. */
#define PATIENCE_NS UINT64_C(2000000000)

/* It sleeps all its life. */
#define GUARD_CPU_S 30u

/* Between two looks at who is dead by now; doubled each time. */
#define STEP_MS 1
#define STEP_MAX_MS 64

/* What the midwife says: pids, or negative errnos. */
struct born {
    int32_t guard;
    int32_t zygote;
};

__attribute__((noreturn)) static void be_guard(const struct pvf__sandbox_plan *plan, int lifeline)
{
    const struct pvf__sandbox_job_limits limits = {.cpu_s = GUARD_CPU_S, .keeps_group = true};
    const struct pvf__sandbox_job_files files = {
        .pipe_fd = lifeline, .data_fd = -1, .input_fd = -1, .mapped_fd = -1};
    struct pollfd item = {.fd = lifeline};
    /* For those who look at lists of processes. */
    (void)prctl(PR_SET_NAME, "pvf-guard");
    if (pvf__sandbox_job(plan, &limits, &files, NULL) == 0) {
        while (poll(&item, 1, -1) < 0 && errno == EINTR) {
            /* Only the end of the other end is an event. */
        }
    }
    _exit(0);
}

__attribute__((noreturn)) static void be_midwife(const struct pvf__nursery_plan *plan, int lifeline)
{
    const int keep[] = {lifeline, plan->files[0], plan->files[1], plan->sandbox->null_fd};
    struct born born = {.guard = -ECHILD, .zygote = -ECHILD};
    /* At once: while anybody has the host's socket, the host cannot see that its worker is dead. */
    if (pvf__sandbox_keep_only(keep, sizeof(keep) / sizeof(keep[0]), NULL) == 0 &&
        setpgid(0, 0) == 0 && pvf__sandbox_new_pids(NULL) == 0) {
        pid_t pid = pvf__sandbox_clone_sibling(0);
        if (pid == 0) {
            be_guard(plan->sandbox, lifeline);
        }
        born.guard = pid > 0 ? pid : -errno;
        pid = pid > 0 ? pvf__sandbox_clone_sibling(pvf__sandbox_zygote_namespaces()) : -1;
        if (pid == 0) {
            plan->be(plan->context);
            _exit(0);
        }
        born.zygote = pid > 0 ? pid : -errno;
    }
    _exit(pvf__fd_write(lifeline, &born, sizeof(born), NULL) == 0 ? 0 : 1);
}

/* A child of ours that nobody has reaped: the number is its own. */
static int open_pid(pid_t pid, int *ret, pvf_error *err)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "pidfd_open");
    }
    *ret = fd;
    return 0;
}

static int hear_midwife(struct pvf__nursery *nursery, uint64_t deadline, pvf_error *err)
{
    struct born born;
    int status = pvf__fd_read_by(nursery->lifeline, &born, sizeof(born), deadline, err);
    if (status != 0) {
        return status;
    }
    if (born.guard <= 0) {
        return pvf__error_errno(
            err, PVF_ERR_UNSUPPORTED, -born.guard, "the first process of a namespace");
    }
    nursery->guard = born.guard;
    status = open_pid(born.guard, &nursery->guard_fd, err);
    if (status != 0) {
        return status;
    }
    if (born.zygote <= 0) {
        return pvf__error_errno(err, PVF_ERR_UNSUPPORTED, -born.zygote, "a namespace for a zygote");
    }
    nursery->zygote = born.zygote;
    return open_pid(born.zygote, &nursery->zygote_fd, err);
}

static void kill_it(int pid_fd)
{
    if (pid_fd >= 0) {
        (void)syscall(SYS_pidfd_send_signal, pid_fd, SIGKILL, NULL, 0);
    }
}

/* It has done its work, or is not going to; its number stays that of the group. */
static int dismiss_midwife(struct pvf__nursery *nursery, uint64_t deadline, pvf_error *err)
{
    struct pollfd item = {.fd = nursery->midwife_fd, .events = POLLIN};
    siginfo_t info;
    kill_it(nursery->midwife_fd);
    int status = pvf__fd_poll_by(&item, 1, deadline, err);
    if (status != 0) {
        return status;
    }
    while (waitid(P_PID, (id_t)nursery->group, &info, WEXITED | __WALL) != 0 && errno == EINTR) {
        /* It is dead: this does not wait. */
    }
    pvf__close_fd(&nursery->midwife_fd);
    return 0;
}

/* The midwife, and what it is to make. */
static int
conceive(struct pvf__nursery *nursery, const struct pvf__nursery_plan *plan, pvf_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "pipe2");
    }
    nursery->lifeline = ends[0];
    PVF__CLEANUP_FD int write_end = ends[1];
    pid_t pid = pvf__sandbox_clone(0, &nursery->midwife_fd);
    if (pid < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "clone");
    }
    if (pid == 0) {
        be_midwife(plan, write_end);
    }
    nursery->group = pid;
    /* Both do it: it is a group before there is a second member, and before we go on. */
    if (setpgid(pid, pid) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "setpgid");
    }
    return 0;
}

int pvf__nursery_open(struct pvf__nursery *ret,
                      const struct pvf__nursery_plan *plan,
                      pvf_error *err)
{
    *ret = (struct pvf__nursery){.midwife_fd = -1, .guard_fd = -1, .zygote_fd = -1, .lifeline = -1};
    int status = conceive(ret, plan, err);
    uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE_NS;
    if (status == 0) {
        status = hear_midwife(ret, deadline, err);
    }
    return status != 0 ? status : dismiss_midwife(ret, deadline, err);
}

/* True when there is nobody left. */
static bool reap_dead(pid_t group)
{
    siginfo_t info;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_PGID, (id_t)group, &info, WEXITED | WNOHANG | __WALL) != 0) {
            if (errno != EINTR) {
                return true;
            }
        } else if (info.si_pid == 0) {
            return false;
        }
    }
}

/*
 * Whose number the midwife did not tell: it sees the end of the lifeline, unless it is stopped. One
 * at a time.
 */
static void kill_stopped(pid_t group)
{
    siginfo_t info = {0};
    int options = WSTOPPED | WNOHANG | WNOWAIT | __WALL;
    if (waitid(P_PGID, (id_t)group, &info, options) == 0 && info.si_pid > 0) {
        PVF__CLEANUP_FD int pid_fd = -1;
        if (open_pid(info.si_pid, &pid_fd, NULL) == 0) {
            kill_it(pid_fd);
        }
    }
}

/*
 * The guard comes last: its end waits for that of all others, and they for being reaped.  Nothing
 * tells of the others' end, so they are asked now and then.
 */
static bool reap_by(const struct pvf__nursery *nursery, uint64_t deadline_ns)
{
    struct pollfd item = {.fd = nursery->guard_fd, .events = POLLIN};
    for (int step = STEP_MS; !reap_dead(nursery->group);) {
        kill_stopped(nursery->group);
        int left = pvf__clock_ms_until(deadline_ns);
        if (left == 0) {
            return false;
        }
        if (poll(&item, 1, left < step ? left : step) > 0) {
            item.fd = -1;
        }
        step = step < STEP_MAX_MS ? 2 * step : step;
    }
    return true;
}

bool pvf__nursery_close(struct pvf__nursery *nursery, uint64_t deadline_ns)
{
    pvf__close_fd(&nursery->lifeline);
    if (nursery->group > 0) {
        kill_it(nursery->midwife_fd);
        kill_it(nursery->guard_fd);
        kill_it(nursery->zygote_fd);
        if (!reap_by(nursery, deadline_ns)) {
            return false;
        }
        nursery->group = 0;
    }
    pvf__close_fd(&nursery->midwife_fd);
    pvf__close_fd(&nursery->guard_fd);
    pvf__close_fd(&nursery->zygote_fd);
    return true;
}

bool pvf__nursery_is_fit(int pid_fd)
{
    siginfo_t info = {0};
    int options = WEXITED | WSTOPPED | WNOHANG | WNOWAIT;
    return waitid(P_PIDFD, (id_t)pid_fd, &info, options) == 0 && info.si_pid == 0;
}
