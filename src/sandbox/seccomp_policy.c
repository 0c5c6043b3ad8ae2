/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the lists of system calls, for each role and both architectures, and what each rule
 * demands.  The lists come from traces of both workers and their jobs, and from what the C library
 * does where it starts threads, allocates, aborts and logs.  Calls that show or change nothing
 * outside the process are allowed more freely: a needless kill is a wrong verdict.
 *
 * The numbers of aarch64 are checked by a compiler for it; the lists were never run on one.
 */
#include "sandbox/seccomp_policy.h"

#include <asm/unistd.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/*
 * name, number on x86-64, number on aarch64, then the rules of
 *                    prepare worker, execute worker, prepare job, execute job, execute zygote
 *
 * LEGACY calls exist on x86-64 only; aarch64 has the newer form alone.
 *
 * Threads: jobs may have them, workers have none.  clone3 passes its flags in memory, where no
 * filter sees them: jobs are told that it does not exist, and the C library falls back to clone.
 * The workers make their jobs with it, or with clone where it is refused.  A zygote makes its jobs
 * with clone alone: each is in a process namespace of its own, and a child of the worker.
 */
#define CALLS(CALL, LEGACY)                                                                        \
    CALL(brk, 12, 214, YES, YES, YES, YES, YES)                                                    \
    CALL(capget, 125, 90, YES, YES, NO, NO, YES)                                                   \
    CALL(capset, 126, 91, YES, YES, NO, NO, YES)                                                   \
    CALL(clock_getres, 229, 114, YES, YES, YES, YES, YES)                                          \
    CALL(clock_gettime, 228, 113, YES, YES, YES, YES, YES)                                         \
    CALL(clone, 56, 220, CLONE_WORKER, CLONE_FAMILY, THREAD, THREAD, CLONE_ZYGOTE)                 \
    CALL(clone3, 435, 435, YES, YES, NO_CALL, NO_CALL, NO_CALL)                                    \
    CALL(close, 3, 57, YES, YES, YES, YES, YES)                                                    \
    CALL(close_range, 436, 436, YES, YES, NO, NO, YES)                                             \
    LEGACY(dup2, 33, YES, YES, NO, NO, YES)                                                        \
    CALL(dup3, 292, 24, YES, YES, NO, NO, YES)                                                     \
    CALL(exit, 60, 93, YES, YES, YES, YES, YES)                                                    \
    CALL(exit_group, 231, 94, YES, YES, YES, YES, YES)                                             \
    CALL(fcntl, 72, 25, FCNTL_WORKER, FCNTL_WORKER, FCNTL, FCNTL, FCNTL_WORKER)                    \
    CALL(fstat, 5, 80, YES, YES, YES, YES, YES)                                                    \
    CALL(futex, 202, 98, FUTEX, FUTEX, FUTEX, FUTEX, FUTEX)                                        \
    CALL(getpid, 39, 172, YES, YES, YES, YES, YES)                                                 \
    CALL(getppid, 110, 173, YES, YES, YES, YES, YES)                                               \
    CALL(getrandom, 318, 278, YES, YES, YES, YES, YES)                                             \
    CALL(getrusage, 98, 165, YES, YES, YES, YES, YES)                                              \
    CALL(gettid, 186, 178, YES, YES, YES, YES, YES)                                                \
    CALL(gettimeofday, 96, 169, YES, YES, YES, YES, YES)                                           \
    CALL(ioctl, 16, 29, NO_TERMINAL, NO_TERMINAL, NO_TERMINAL, NO_TERMINAL, NO_TERMINAL)           \
    CALL(kill, 62, 129, NO_PROCESS, NO_PROCESS, NO, NO, NO)                                        \
    CALL(landlock_add_rule, 445, 445, YES, YES, NO, NO, YES)                                       \
    CALL(landlock_create_ruleset, 444, 444, YES, YES, NO, NO, YES)                                 \
    CALL(landlock_restrict_self, 446, 446, YES, YES, NO, NO, YES)                                  \
    CALL(lseek, 8, 62, YES, YES, YES, YES, YES)                                                    \
    CALL(madvise, 28, 233, ADVICE, ADVICE_FAMILY, ADVICE, ADVICE, ADVICE_FAMILY)                   \
    CALL(membarrier, 324, 283, BARRIER, BARRIER, BARRIER, BARRIER, BARRIER)                        \
    CALL(memfd_create, 319, 279, NO, YES, NO, NO, NO)                                              \
    CALL(mmap, 9, 222, MAP, MAP, MAP, MAP, MAP)                                                    \
    CALL(mprotect, 10, 226, PROTECT, PROTECT, PROTECT, PROTECT, PROTECT)                           \
    CALL(mremap, 25, 216, YES, YES, YES, YES, YES)                                                 \
    CALL(munmap, 11, 215, YES, YES, YES, YES, YES)                                                 \
    CALL(newfstatat, 262, 79, STAT, STAT, STAT, STAT, STAT)                                        \
    CALL(openat, 257, 56, YES, YES, NO_FILE, NO_FILE, NO_FILE)                                     \
    CALL(pidfd_open, 434, 434, NO, YES, NO, NO, NO)                                                \
    CALL(pidfd_send_signal, 424, 424, YES, YES, NO, NO, NO)                                        \
    CALL(pipe2, 293, 59, YES, YES, NO, NO, NO)                                                     \
    LEGACY(poll, 7, YES, YES, YES, YES, YES)                                                       \
    CALL(ppoll, 271, 73, YES, YES, YES, YES, YES)                                                  \
    CALL(prctl, 157, 167, PRCTL_WORKER, PRCTL_WORKER, PRCTL, PRCTL, PRCTL_WORKER)                  \
    CALL(prlimit64, 302, 261, YES, YES, GETTER, GETTER, OWN)                                       \
    CALL(read, 0, 63, YES, YES, NO, INPUT, YES)                                                    \
    LEGACY(readlink, 89, NO_FILE, NO_FILE, NO_FILE, NO_FILE, NO_FILE)                              \
    CALL(readlinkat, 267, 78, NO_FILE, NO_FILE, NO_FILE, NO_FILE, NO_FILE)                         \
    CALL(recvmsg, 47, 212, YES, YES, NO, NO, YES)                                                  \
    CALL(restart_syscall, 219, 128, YES, YES, YES, YES, YES)                                       \
    CALL(rseq, 334, 293, YES, YES, YES, YES, YES)                                                  \
    CALL(rt_sigaction, 13, 134, YES, YES, YES, YES, YES)                                           \
    CALL(rt_sigprocmask, 14, 135, YES, YES, YES, YES, YES)                                         \
    CALL(rt_sigreturn, 15, 139, YES, YES, YES, YES, YES)                                           \
    CALL(sched_getaffinity, 204, 123, YES, YES, YES, YES, YES)                                     \
    CALL(sched_yield, 24, 124, YES, YES, YES, YES, YES)                                            \
    CALL(seccomp, 317, 277, FILTER, FILTER, NO, NO, FILTER)                                        \
    CALL(sendfile, 40, 71, NO, YES, NO, NO, NO)                                                    \
    CALL(sendmsg, 46, 211, NO, YES, NO, NO, NO)                                                    \
    CALL(sendto, 44, 206, YES, YES, NO_SOCKET, NO_SOCKET, YES)                                     \
    CALL(set_robust_list, 273, 99, YES, YES, YES, YES, YES)                                        \
    CALL(setpgid, 109, 154, YES, YES, NO, NO, NO)                                                  \
    CALL(sigaltstack, 131, 132, YES, YES, YES, YES, YES)                                           \
    CALL(statx, 332, 291, STATX, STATX, STATX, STATX, STATX)                                       \
    CALL(sysinfo, 99, 179, YES, YES, YES, YES, YES)                                                \
    CALL(tgkill, 234, 131, ABORT, ABORT, SELF, SELF, ABORT)                                        \
    CALL(unshare, 272, 97, NO, UNSHARE, NO, NO, NO)                                                \
    CALL(wait4, 61, 260, YES, YES, NO, NO, NO)                                                     \
    CALL(waitid, 247, 95, YES, YES, NO, NO, NO)                                                    \
    CALL(write, 1, 64, YES, YES, OUTPUT, OUTPUT, YES)                                              \
    CALL(writev, 20, 66, YES, YES, OUTPUT, OUTPUT, YES)

#define ROW(name, x86_64, aarch64, pw, ew, pj, ej, ez)                                             \
    {#name,                                                                                        \
     {x86_64, aarch64},                                                                            \
     {PVF__SECCOMP_##pw,                                                                           \
      PVF__SECCOMP_##ew,                                                                           \
      PVF__SECCOMP_##pj,                                                                           \
      PVF__SECCOMP_##ej,                                                                           \
      PVF__SECCOMP_##ez}},
#define ROW_LEGACY(name, x86_64, pw, ew, pj, ej, ez)                                               \
    ROW(name, x86_64, PVF__SECCOMP_ABSENT, pw, ew, pj, ej, ez)

const struct pvf__seccomp_call pvf__seccomp_calls[] = {CALLS(ROW, ROW_LEGACY)};
const size_t pvf__seccomp_calls_count = sizeof(pvf__seccomp_calls) / sizeof(pvf__seccomp_calls[0]);

/* The numbers of the machine that this is compiled for, compared with the kernel's own header. */
#if defined(__x86_64__)
#define SAME(name, x86_64, aarch64, pw, ew, pj, ej, ez)                                            \
    static_assert(__NR_##name == (x86_64), "number of " #name);
#define SAME_LEGACY(name, x86_64, pw, ew, pj, ej, ez) SAME(name, x86_64, 0, pw, ew, pj, ej, ez)
#elif defined(__aarch64__)
#define SAME(name, x86_64, aarch64, pw, ew, pj, ej, ez)                                            \
    static_assert(__NR_##name == (aarch64), "number of " #name);
#define SAME_LEGACY(name, x86_64, pw, ew, pj, ej, ez)
#else
#define SAME(name, x86_64, aarch64, pw, ew, pj, ej, ez)
#define SAME_LEGACY(name, x86_64, pw, ew, pj, ej, ez)
#endif
CALLS(SAME, SAME_LEGACY)

#define VALUES(...)                                                                                \
    (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)
#define ONE_OF(arg, ...) PVF__SECCOMP_ONE_OF, arg, VALUES(__VA_ARGS__)
#define WITHIN(arg, mask) PVF__SECCOMP_WITHIN, arg, VALUES(mask)
#define NOT_ALL(arg, mask) PVF__SECCOMP_NOT_ALL, arg, VALUES(mask)

#define ALLOW SECCOMP_RET_ALLOW
#define KILL SECCOMP_RET_KILL_PROCESS
#define ANSWER(number) (SECCOMP_RET_ERRNO | (number))

/* Newer than the oldest headers that this is compiled with. */
#define ADVICE_POPULATE_WRITE 23
#define ADVICE_COLLAPSE 25
#define ADVICE_GUARD_INSTALL 102
#define ADVICE_GUARD_REMOVE 103

/* What the engine, the C library and engine_warm.c give. */
#define ADVICES                                                                                    \
    MADV_NORMAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE,          \
        MADV_DONTDUMP, ADVICE_POPULATE_WRITE, ADVICE_GUARD_INSTALL, ADVICE_GUARD_REMOVE

#define PROTECT_BTI 0x10 /* aarch64; x86-64 refuses the bit itself */

/* What pthread_create() asks for, and nothing else: no process, no namespace, no vfork. */
#define THREAD_FLAGS                                                                               \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* A job where clone3() is refused (sandbox_clone.c), without and with namespaces. */
#define JOB_FLAGS (CLONE_PIDFD | SIGCHLD)
#define JOB_NAMESPACES                                                                             \
    (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS)

/* A job of a zygote, in the network and the mounts of that (sandbox_namespaces.c). */
#define ZYGOTE_JOB_NAMESPACES (JOB_NAMESPACES & ~(CLONE_NEWNET | CLONE_NEWNS))

static const struct pvf__seccomp_meaning meanings[PVF__SECCOMP_RULES] = {
    [PVF__SECCOMP_NO] = {.action = KILL, .otherwise = KILL},
    [PVF__SECCOMP_YES] = {.action = ALLOW, .otherwise = KILL},

    [PVF__SECCOMP_NO_CALL] = {.action = ANSWER(ENOSYS), .otherwise = KILL},
    /* Libraries look for configuration, and do without. */
    [PVF__SECCOMP_NO_FILE] = {.action = ANSWER(ENOENT), .otherwise = KILL},
    /* A worker kills the group of a job, for what the job made; a filtered one made nothing. */
    [PVF__SECCOMP_NO_PROCESS] = {.action = ANSWER(ESRCH), .otherwise = KILL},
    /* base/fd.c tries send(2) first, so that a closed socket is no signal; a job has a pipe. */
    [PVF__SECCOMP_NO_SOCKET] = {.action = ANSWER(ENOTSOCK), .otherwise = KILL},
    /* The C library asks whether it writes to a terminal; TIOCSTI would type into it. */
    [PVF__SECCOMP_NO_TERMINAL] = {.action = ANSWER(ENOTTY), .otherwise = KILL},

    [PVF__SECCOMP_ADVICE] = {.demands = {{ONE_OF(2, ADVICES)}}, .action = ALLOW, .otherwise = KILL},
    /* Where the artifact lies that all jobs share (engine/engine_pages.c). */
    [PVF__SECCOMP_ADVICE_FAMILY] = {.demands = {{ONE_OF(2, ADVICES, ADVICE_COLLAPSE)}},
                                    .action = ALLOW,
                                    .otherwise = KILL},
    /* The engine, where code that was just written must be seen by other cores. */
    [PVF__SECCOMP_BARRIER] = {.demands = {{ONE_OF(
                                  0,
                                  MEMBARRIER_CMD_QUERY,
                                  MEMBARRIER_CMD_PRIVATE_EXPEDITED,
                                  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
                                  MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
                                  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)}},
                              .action = ALLOW,
                              .otherwise = KILL},
    [PVF__SECCOMP_CLONE_WORKER] = {.demands = {{ONE_OF(0,
                                                       THREAD_FLAGS,
                                                       JOB_FLAGS,
                                                       JOB_FLAGS | JOB_NAMESPACES,
                                                       JOB_FLAGS | JOB_NAMESPACES |
                                                           CLONE_NEWUSER)}},
                                   .action = ALLOW,
                                   .otherwise = KILL},
    /* And what nursery.c makes: a namespace's first process, and its zygote. */
    [PVF__SECCOMP_CLONE_FAMILY] = {.demands = {{ONE_OF(0,
                                                       THREAD_FLAGS,
                                                       JOB_FLAGS,
                                                       JOB_FLAGS | JOB_NAMESPACES,
                                                       JOB_FLAGS | JOB_NAMESPACES | CLONE_NEWUSER,
                                                       CLONE_PARENT,
                                                       CLONE_PARENT |
                                                           (JOB_NAMESPACES & ~CLONE_NEWPID),
                                                       CLONE_PARENT | ZYGOTE_JOB_NAMESPACES)}},
                                   .action = ALLOW,
                                   .otherwise = KILL},
    [PVF__SECCOMP_CLONE_ZYGOTE] = {.demands = {{ONE_OF(
                                       0, THREAD_FLAGS, CLONE_PARENT | ZYGOTE_JOB_NAMESPACES)}},
                                   .action = ALLOW,
                                   .otherwise = KILL},
    /* The engine duplicates the descriptor of the artifact. */
    [PVF__SECCOMP_FCNTL] = {.demands = {{ONE_OF(1, F_GETFD, F_GETFL, F_DUPFD_CLOEXEC)}},
                            .action = ALLOW,
                            .otherwise = KILL},
    [PVF__SECCOMP_FCNTL_WORKER] =
        {.demands = {{ONE_OF(
             1, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS)}},
         .action = ALLOW,
         .otherwise = KILL},
    /* The job's own filter; no listener, which could answer for the kernel. */
    [PVF__SECCOMP_FILTER] = {.demands = {{ONE_OF(0, SECCOMP_SET_MODE_FILTER)},
                                         {ONE_OF(1, 0, SECCOMP_FILTER_FLAG_TSYNC)}},
                             .action = ALLOW,
                             .otherwise = KILL},
    /* Waiting and waking; not the priority inheritance, whose faults were many. */
    [PVF__SECCOMP_FUTEX] = {.demands = {{ONE_OF(1,
                                                FUTEX_WAIT,
                                                FUTEX_WAKE,
                                                FUTEX_WAIT_PRIVATE,
                                                FUTEX_WAKE_PRIVATE,
                                                FUTEX_WAIT_BITSET,
                                                FUTEX_WAIT_BITSET_PRIVATE,
                                                FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
                                                FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME,
                                                FUTEX_WAKE_BITSET_PRIVATE)}},
                            .action = ALLOW,
                            .otherwise = KILL},
    [PVF__SECCOMP_OWN] = {.demands = {{ONE_OF(0, 0)}}, .action = ALLOW, .otherwise = KILL},
    /* Its own limits, and only to look at. */
    [PVF__SECCOMP_GETTER] = {.demands = {{ONE_OF(0, 0)}, {ONE_OF(2, 0)}},
                             .action = ALLOW,
                             .otherwise = KILL},
    /* Code becomes executable by mprotect() after it was written, never writable at the time. */
    [PVF__SECCOMP_MAP] = {.demands = {{WITHIN(2, PROT_READ | PROT_WRITE)}},
                          .action = ALLOW,
                          .otherwise = KILL},
    /* A job that was made ahead of need waits for its input. */
    [PVF__SECCOMP_INPUT] = {.demands = {{PVF__SECCOMP_IS_INPUT, 0, NULL, 0}},
                            .action = ALLOW,
                            .otherwise = KILL},
    [PVF__SECCOMP_OUTPUT] = {.demands = {{PVF__SECCOMP_IS_FD, 0, NULL, 0}},
                             .action = ALLOW,
                             .otherwise = KILL},
    [PVF__SECCOMP_PROTECT] = {.demands = {{WITHIN(
                                              2, PROT_READ | PROT_WRITE | PROT_EXEC | PROTECT_BTI)},
                                          {NOT_ALL(2, PROT_WRITE | PROT_EXEC)}},
                              .action = ALLOW,
                              .otherwise = KILL},
    /* A job aborts; its number is not known when its worker's filter is made. */
    [PVF__SECCOMP_ABORT] = {.demands = {{ONE_OF(2, SIGABRT)}}, .action = ALLOW, .otherwise = KILL},
    [PVF__SECCOMP_SELF] = {.demands = {{PVF__SECCOMP_IS_SELF, 0, NULL, 0}, {ONE_OF(2, SIGABRT)}},
                           .action = ALLOW,
                           .otherwise = KILL},
    /* How the size of an open file is asked for; whether the path is empty no filter can see. */
    [PVF__SECCOMP_STAT] = {.demands = {{ONE_OF(3, AT_EMPTY_PATH)}},
                           .action = ALLOW,
                           .otherwise = ANSWER(ENOENT)},
    [PVF__SECCOMP_STATX] = {.demands = {{ONE_OF(2, AT_EMPTY_PATH)}},
                            .action = ALLOW,
                            .otherwise = ANSWER(ENOENT)},
    [PVF__SECCOMP_THREAD] = {.demands = {{ONE_OF(0, THREAD_FLAGS)}},
                             .action = ALLOW,
                             .otherwise = KILL},
    [PVF__SECCOMP_UNSHARE] = {.demands = {{ONE_OF(0, CLONE_NEWPID)}},
                              .action = ALLOW,
                              .otherwise = KILL},
    /* Names of threads and of memory. */
    [PVF__SECCOMP_PRCTL] = {.demands = {{ONE_OF(0, PR_SET_NAME, PR_GET_NAME, PR_SET_VMA)}},
                            .action = ALLOW,
                            .otherwise = KILL},
    [PVF__SECCOMP_PRCTL_WORKER] = {.demands = {{ONE_OF(
                                       0,
                                       PR_SET_NAME,
                                       PR_GET_NAME,
                                       PR_SET_VMA,
                                       PR_SET_PDEATHSIG,
                                       PR_SET_DUMPABLE,
                                       PR_CAPBSET_DROP,
                                       PR_CAP_AMBIENT,
                                       PR_GET_NO_NEW_PRIVS,
                                       PR_SET_NO_NEW_PRIVS)}},
                                   .action = ALLOW,
                                   .otherwise = KILL},
};

const struct pvf__seccomp_meaning *pvf__seccomp_meaning(enum pvf__seccomp_rule rule)
{
    return &meanings[rule];
}
