/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the probes of processes: to see and signal others, to read them, to make more of them.  The
 * signal 0 asks only whether one may; a victim is a process that the driver made for this.
 */
#include "sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static int ask_kill(struct probe_env *env)
{
    return probe_result(kill(probe_pid(env), 0));
}

static int kill_victim(struct probe_env *env)
{
    return probe_result(kill(probe_pid(env), SIGKILL));
}

/* Signal 0 to every process but itself and the first. */
static int ask_kill_all(struct probe_env *env)
{
    (void)env;
    return probe_result(kill(-1, 0));
}

static int ask_kill_thread(struct probe_env *env)
{
    return probe_result(syscall(SYS_tgkill, probe_pid(env), probe_pid(env), 0));
}

static int queue_signal(struct probe_env *env)
{
    return probe_result(sigqueue(probe_pid(env), 0, (union sigval){.sival_int = 0}));
}

static int take_fd(struct probe_env *env)
{
    long pid_fd = syscall(SYS_pidfd_open, probe_pid(env), 0);
    if (pid_fd < 0) {
        return errno;
    }
    int status = probe_result(syscall(SYS_pidfd_getfd, pid_fd, 0, 0));
    (void)close((int)pid_fd);
    return status;
}

static int trace(struct probe_env *env)
{
    return probe_result(ptrace(PTRACE_SEIZE, probe_pid(env), NULL, NULL));
}

static int read_memory(struct probe_env *env)
{
    char byte;
    static const char there;
    const struct iovec to = {&byte, 1};
    union {
        const char *source;
        void *target;
    } place = {.source = &there};
    const struct iovec from = {place.target, 1};
    ssize_t done = process_vm_readv(probe_pid(env), &to, 1, &from, 1, 0);
    /* Whether something lies at that place there is not the question. */
    return done >= 0 || errno == EFAULT ? 0 : errno;
}

static int see_session(struct probe_env *env)
{
    return probe_result(getsid(probe_pid(env)));
}

static int see_folder(struct probe_env *env)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%s/stat", env->arg);
    return probe_result(open(path, O_RDONLY | O_CLOEXEC));
}

/* Two calls that engines and libraries need for themselves, and that take any process. */
static int see_clock(struct probe_env *env)
{
    struct timespec used;
    clockid_t clock;
    int status = clock_getcpuclockid(probe_pid(env), &clock);
    return status != 0 ? status : probe_result(clock_gettime(clock, &used));
}

static int see_processors(struct probe_env *env)
{
    cpu_set_t set;
    return probe_result(sched_getaffinity(probe_pid(env), sizeof(set), &set));
}

static int await(pid_t child)
{
    if (child < 0) {
        return errno;
    }
    return probe_result(waitpid(child, NULL, 0));
}

static int make_process(struct probe_env *env)
{
    (void)env;
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    return await(child);
}

static int make_process_by_old_call(struct probe_env *env)
{
    (void)env;
#if defined(SYS_fork)
    pid_t child = (pid_t)syscall(SYS_fork);
#else
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
#endif
    if (child == 0) {
        _exit(0);
    }
    return await(child);
}

static int make_process_by_new_call(struct probe_env *env)
{
    (void)env;
    struct clone_args args = {.exit_signal = SIGCHLD};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (child == 0) {
        _exit(0);
    }
    return await(child);
}

/* A child of our parent instead of ours. */
static int make_sibling(struct probe_env *env)
{
    (void)env;
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        _exit(0);
    }
    return probe_result(child);
}

__attribute__((noreturn)) static void stay(void)
{
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_IGN);
    }
    for (;;) {
        (void)pause();
    }
}

/* One that goes on after the job, with the job's pipe in its hands. */
static int leave_process(struct probe_env *env)
{
    (void)env;
    pid_t child = fork();
    if (child == 0) {
        stay();
    }
    return probe_result(child);
}

/* The same, outside the job's group. */
static int leave_session(struct probe_env *env)
{
    (void)env;
    int ends[2];
    char byte = 0;
    if (pipe(ends) != 0) {
        return errno;
    }
    pid_t child = fork();
    if (child == 0) {
        byte = setsid() < 0;
        (void)!write(ends[1], &byte, 1);
        stay();
    }
    if (child < 0) {
        return errno;
    }
    /* Not before it is out of the group. */
    return read(ends[0], &byte, 1) == 1 && byte == 0 ? 0 : ESRCH;
}

/* Exit code of a program that was executed: told apart from any that a probe has. */
static int execute(struct probe_env *env)
{
    union {
        const char *source;
        char *target;
    } name = {.source = env->arg};
    char *const argv[] = {name.target, NULL};
    char *const nothing[] = {NULL};
    (void)execve(env->arg, argv, nothing);
    return errno;
}

static int execute_by_other_call(struct probe_env *env)
{
    char *const nothing[] = {NULL};
    (void)syscall(SYS_execveat, AT_FDCWD, env->arg, nothing, nothing, 0);
    return errno;
}

static const struct probe list[] = {
    {"ask-kill", ask_kill, false},
    {"kill", kill_victim, false},
    {"ask-kill-all", ask_kill_all, false},
    {"ask-kill-thread", ask_kill_thread, false},
    {"queue-signal", queue_signal, false},
    {"take-fd", take_fd, false},
    {"trace", trace, false},
    {"read-memory", read_memory, false},
    {"see-session", see_session, false},
    {"see-folder", see_folder, false},
    {"see-clock", see_clock, false},
    {"see-processors", see_processors, false},
    {"make-process", make_process, false},
    {"make-process-by-old-call", make_process_by_old_call, false},
    {"make-process-by-new-call", make_process_by_new_call, false},
    {"make-sibling", make_sibling, false},
    {"leave-process", leave_process, false},
    {"leave-session", leave_session, false},
    {"execute", execute, false},
    {"execute-by-other-call", execute_by_other_call, false},
};
PROBE_LIST(list, probe_processes);
