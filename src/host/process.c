/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: starting, awaiting and ending child processes.  The only place that makes one; posix_spawn
 * does it without running any code of ours in the child, so threads of the embedder do no harm.
 */
#include "host/process.h"

#include "base/error.h"
#include "base/fd.h"
#include "host/process_tree.h"
#include "pvf/status.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* `keep` is closed by the execution itself; -1: none. */
static int
set_actions(posix_spawn_file_actions_t *actions, const int files[], size_t count, int keep)
{
    int failed = 0;
    for (size_t i = 0; i < count && failed == 0; i++) {
        failed = posix_spawn_file_actions_adddup2(actions, files[i], (int)i);
    }
    /* The embedder may have descriptors that are not close-on-exec. */
    for (int fd = (int)count; fd < keep && failed == 0; fd++) {
        failed = posix_spawn_file_actions_addclose(actions, fd);
    }
    int first = keep < 0 ? (int)count : keep + 1;
    return failed != 0 ? failed : posix_spawn_file_actions_addclosefrom_np(actions, first);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    if (failed == 0) {
        failed = posix_spawnattr_setsigdefault(attributes, &all);
    }
    if (failed == 0) {
        failed =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    return failed;
}

/* posix_spawn changes none of the texts; its parameters lack a const for history's sake. */
static char *const *without_const(const char *const *texts)
{
    union {
        const char *const *from;
        char *const *to;
    } both = {.from = texts};
    return both.to;
}

/* 0 or an errno. */
static int spawn(int program_fd,
                 const char *const argv[],
                 const char *const envp[],
                 const int files[],
                 size_t count,
                 pid_t *ret)
{
    char by_descriptor[32];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0) {
        return failed;
    }
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        /* What execveat(2) would do with an empty path, which posix_spawn has no word for. */
        (void)snprintf(by_descriptor, sizeof(by_descriptor), "/proc/self/fd/%d", program_fd);
        failed = set_actions(&actions, files, count, program_fd);
        if (failed == 0) {
            failed = set_attributes(&attributes);
        }
        if (failed == 0) {
            failed = posix_spawn(ret,
                                 program_fd >= 0 ? by_descriptor : argv[0],
                                 &actions,
                                 &attributes,
                                 without_const(argv),
                                 without_const(envp));
        }
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

int pvf__process_start(int program_fd,
                       const char *const argv[],
                       const char *const envp[],
                       const int files[],
                       size_t count,
                       struct pvf__process *ret,
                       pvf_error *err)
{
    pid_t pid = -1;
    int high[1 + PVF__PROCESS_FILES] = {-1, -1, -1, -1, -1};
    int failed = 0;
    assert(count >= 3 && count <= PVF__PROCESS_FILES);
    for (size_t i = program_fd >= 0 ? 0 : 1; i <= count && failed == 0; i++) {
        /* Above all of them, so that putting one in its place cannot overwrite another. */
        high[i] = fcntl(i == 0 ? program_fd : files[i - 1], F_DUPFD_CLOEXEC, (int)count);
        failed = high[i] < 0 ? errno : 0;
    }
    if (failed == 0) {
        failed = spawn(high[0], argv, envp, high + 1, count, &pid);
    }
    for (size_t i = 0; i < sizeof(high) / sizeof(high[0]); i++) {
        if (high[i] >= 0) {
            (void)close(high[i]);
        }
    }
    if (failed != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, failed, "cannot start %s", argv[0]);
    }
    /* Nobody else reaps our child, so the number is still its own. */
    int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid_fd < 0) {
        int why = errno;
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return pvf__error_errno(err, PVF_ERR_IO, why, "cannot watch %s", argv[0]);
    }
    *ret = (struct pvf__process){.pid = pid, .pid_fd = pid_fd};
    return 0;
}

static void forget(struct pvf__process *process)
{
    (void)close(process->pid_fd);
    *process = (struct pvf__process)PVF__PROCESS_NONE;
}

/* Blocks until the child is reaped; -1 when somebody else reaped it. */
static int reap(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return status;
}

int pvf__process_wait(struct pvf__process *process,
                      uint64_t deadline_ns,
                      int *ret_status,
                      pvf_error *err)
{
    struct pollfd item = {.fd = process->pid_fd, .events = POLLIN};
    int status = pvf__fd_poll_by(&item, 1, deadline_ns, err);
    if (status == PVF_ERR_TIMEOUT) {
        return pvf__error_set(err, status, "the process did not end in time");
    }
    if (status != 0) {
        return status;
    }
    *ret_status = reap(process->pid);
    forget(process);
    return 0;
}

void pvf__process_kill_only(const struct pvf__process *process)
{
    if (process->pid < 0) {
        return;
    }
    struct pvf__process_tree tree;
    pvf__process_tree_open(process->pid, &tree);
    /* By descriptor: an embedder that reaps every child could have freed the number. */
    (void)syscall(SYS_pidfd_send_signal, process->pid_fd, SIGKILL, NULL, 0);
    pvf__process_tree_kill(&tree);
}

void pvf__process_kill(struct pvf__process *process)
{
    if (process->pid < 0) {
        return;
    }
    pvf__process_kill_only(process);
    (void)reap(process->pid);
    forget(process);
}

bool pvf__process_reap(struct pvf__process *process, int *ret_status)
{
    int status = -1;
    pid_t done = waitpid(process->pid, &status, WNOHANG);
    if (done == 0 || (done < 0 && errno == EINTR)) {
        return false;
    }
    /* Somebody else reaped it: how it ended is not known. */
    *ret_status = done == process->pid ? status : -1;
    forget(process);
    return true;
}

void pvf__process_status_text(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        (void)snprintf(out, size, "signal %s", name != NULL ? name : "unknown");
    } else {
        (void)snprintf(out, size, "exit status %d", WEXITSTATUS(status));
    }
}
