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

static int open_pids(struct pvf__nursery *nursery, pvf_error *err)
{
    /* Children of ours that nobody has reaped: the numbers are theirs. */
    nursery->guard_fd = (int)syscall(SYS_pidfd_open, nursery->guard, 0);
    if (nursery->guard_fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "pidfd_open");
    }
    nursery->zygote_fd = (int)syscall(SYS_pidfd_open, nursery->zygote, 0);
    if (nursery->zygote_fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "pidfd_open");
    }
    return 0;
}

static int hear_midwife(struct pvf__nursery *nursery, pvf_error *err)
{
    struct born born;
    uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE_NS;
    int status = pvf__fd_read_by(nursery->lifeline, &born, sizeof(born), deadline, err);
    if (status != 0) {
        return status;
    }
    if (born.guard <= 0 || born.zygote <= 0) {
        int why = born.guard <= 0 ? -born.guard : -born.zygote;
        return pvf__error_errno(err, PVF_ERR_UNSUPPORTED, why, "a namespace for a zygote");
    }
    nursery->guard = born.guard;
    nursery->zygote = born.zygote;
    return open_pids(nursery, err);
}

int pvf__nursery_open(struct pvf__nursery *ret,
                      const struct pvf__nursery_plan *plan,
                      pvf_error *err)
{
    struct pvf__nursery nursery = {.guard_fd = -1, .zygote_fd = -1};
    int ends[2];
    int midwife_fd;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "pipe2");
    }
    nursery.lifeline = ends[0];
    PVF__CLEANUP_FD int write_end = ends[1];
    nursery.group = pvf__sandbox_clone(0, &midwife_fd);
    if (nursery.group < 0) {
        int why = errno;
        (void)close(nursery.lifeline);
        return pvf__error_errno(err, PVF_ERR_IO, why, "clone");
    }
    if (nursery.group == 0) {
        be_midwife(plan, write_end);
    }
    (void)close(PVF__TAKE_FD(write_end));
    int status = hear_midwife(&nursery, err);
    (void)syscall(SYS_pidfd_send_signal, midwife_fd, SIGKILL, NULL, 0);
    (void)close(midwife_fd);
    while (waitpid(nursery.group, NULL, 0) < 0 && errno == EINTR) {
        /* Dead or dying; its number stays that of the group. */
    }
    if (status != 0) {
        pvf__nursery_close(&nursery);
        return status;
    }
    *ret = nursery;
    return 0;
}

static void close_if(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

void pvf__nursery_close(struct pvf__nursery *nursery)
{
    siginfo_t info;
    /* Either is enough; the first also when the guard was stopped. */
    if (nursery->guard_fd >= 0) {
        (void)syscall(SYS_pidfd_send_signal, nursery->guard_fd, SIGKILL, NULL, 0);
    }
    (void)close(nursery->lifeline);
    /* The guard comes last: its end waits for that of all others, and they for being reaped. */
    while (waitid(P_PGID, (id_t)nursery->group, &info, WEXITED | __WALL) == 0 || errno == EINTR) {
        /* The next. */
    }
    close_if(nursery->guard_fd);
    close_if(nursery->zygote_fd);
    *nursery = (struct pvf__nursery){.guard_fd = -1, .zygote_fd = -1, .lifeline = -1};
}

bool pvf__nursery_is_fit(int pid_fd)
{
    siginfo_t info = {0};
    int options = WEXITED | WSTOPPED | WNOHANG | WNOWAIT;
    return waitid(P_PIDFD, (id_t)pid_fd, &info, options) == 0 && info.si_pid == 0;
}
