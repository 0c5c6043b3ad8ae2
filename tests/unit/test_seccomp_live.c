/* SPDX-License-Identifier: Apache-2.0 */
/* The filters in the kernel: a child puts one on, does one thing, and its end is the answer. */
#include "support/test.h"

#include "pvf/status.h"
#include "sandbox/sandbox_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit codes of a child. */
#define FINE 0
#define WRONG 1
#define NOT_INSTALLED 2

static int pipe_ends[2];
static int input_fd = -1; /* of a job that is told where its input comes */
static int other_fd;

static int make_descriptors(void **state)
{
    (void)state;
    other_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return other_fd < 0 ? -1 : pipe2(pipe_ends, O_CLOEXEC);
}

static int close_descriptors(void **state)
{
    (void)state;
    (void)close(other_fd);
    (void)close(pipe_ends[0]);
    return close(pipe_ends[1]);
}

static bool put_on(enum pvf__seccomp_role role)
{
    const struct pvf__seccomp_facts facts = {
        .pipe_fd = pipe_ends[1], .input_fd = input_fd, .self = getpid()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           pvf__sandbox_seccomp(role, &facts, NULL) == 0;
}

/* The wait status of a child that did `deed` as a process of `role`. */
static int status_of(enum pvf__seccomp_role role, int (*deed)(void))
{
    pid_t child = fork();
    if (child == 0) {
        /* A death that is wanted needs no core file. */
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        if (!put_on(role)) {
            _exit(NOT_INSTALLED);
        }
        _exit(deed());
    }
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void assert_fine(enum pvf__seccomp_role role, int (*deed)(void), const char *name)
{
    int status = status_of(role, deed);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != FINE) {
        fail_msg("role %d, %s: wait status %#x", (int)role, name, (unsigned)status);
    }
}

static void assert_killed(enum pvf__seccomp_role role, int (*deed)(void), const char *name)
{
    int status = status_of(role, deed);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
        fail_msg("role %d, %s: wait status %#x", (int)role, name, (unsigned)status);
    }
}

/* What no role may do. */
static int make_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int execute_program(void)
{
    char *const words[] = {NULL};
    return execve("/bin/true", words, words);
}

static int change_root(void)
{
    return chroot("/");
}

static int make_ring(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int leave_namespaces(void)
{
    return unshare(CLONE_NEWUSER);
}

static int make_child_the_old_way(void)
{
    return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int signal_parent(void)
{
    return kill(getppid(), 0);
}

static int map_executable(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == NULL;
}

static int make_all_allowed(void)
{
    static _Alignas(65536) char page[65536];
    return mprotect(page, sizeof(page), PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int call_unknown(void)
{
    return (int)syscall(1000);
}

#if defined(__x86_64__)
static int call_x32(void)
{
    return (int)syscall(0x40000000 | SYS_getpid);
}
#endif

/* What jobs may not do, although workers may. */
static int write_elsewhere(void)
{
    return write(other_fd, "x", 1) == 1;
}

static int read_pipe(void)
{
    char byte;
    return read(pipe_ends[0], &byte, 1) == 1;
}

static int take_input(void)
{
    char byte;
    return read(pipe_ends[0], &byte, 1) == 1 && byte == 'i' ? FINE : WRONG;
}

static int make_memory_file(void)
{
    return memfd_create("x", MFD_CLOEXEC);
}

static int signal_other(void)
{
    return (int)syscall(SYS_tgkill, 1, 1, 0);
}

static int raise_limit(void)
{
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none);
}

static int limit_parent(void)
{
    return prlimit(getppid(), RLIMIT_CORE, NULL, NULL);
}

static int leave_group(void)
{
    return setpgid(0, 0);
}

static int wait_for_anybody(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG);
}

static int new_pids(void)
{
    return unshare(CLONE_NEWPID);
}

static int become_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1);
}

static int loosen(void)
{
    return (int)syscall(SYS_seccomp, 1, 0, NULL);
}

/* What a job must be able to do. */
static int write_answer(void)
{
    return write(pipe_ends[1], "x", 1) == 1 && dprintf(STDERR_FILENO, "%s", "") == 0 ? FINE : WRONG;
}

static int ask_softly(void)
{
    bool socket = send(pipe_ends[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == ENOTSOCK;
    bool file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC) == -1 && errno == ENOENT;
    bool terminal = isatty(STDERR_FILENO) == 0 && errno == ENOTTY;
    bool call = syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS;
    return socket && file && terminal && call ? FINE : WRONG;
}

static int compare_ints(const void *a, const void *b)
{
    const int *x = a;
    const int *y = b;
    return (*x > *y) - (*x < *y);
}

static int use_memory(void)
{
    enum {
        COUNT = 100000
    };
    int *numbers = malloc(COUNT * sizeof(*numbers));
    if (numbers == NULL) {
        return WRONG;
    }
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = COUNT - i;
    }
    qsort(numbers, COUNT, sizeof(*numbers), compare_ints);
    int first = numbers[0];
    int *more = realloc(numbers, sizeof(*numbers) * 64 * COUNT);
    free(more != NULL ? more : numbers);
    return first == 1 ? FINE : WRONG;
}

static int make_code(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && mprotect(page, size, PROT_READ | PROT_EXEC) == 0 &&
                   munmap(page, size) == 0
               ? FINE
               : WRONG;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int visits;

static void *visit(void *name)
{
    char own[16];
    pthread_attr_t attr;
    bool good = pthread_setname_np(pthread_self(), name) == 0 &&
                pthread_getname_np(pthread_self(), own, sizeof(own)) == 0 &&
                pthread_getattr_np(pthread_self(), &attr) == 0;
    free(malloc(100)); /* an arena of its own */
    (void)pthread_mutex_lock(&lock);
    visits += good ? 1 : 0;
    (void)pthread_mutex_unlock(&lock);
    return NULL;
}

static int run_threads(void)
{
    enum {
        COUNT = 8
    };
    pthread_t threads[COUNT];
    static char name[] = "visitor";
    for (int i = 0; i < COUNT; i++) {
        if (pthread_create(&threads[i], NULL, visit, name) != 0) {
            return WRONG;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return visits == COUNT ? FINE : WRONG;
}

static int give_up(void)
{
    abort();
}

static void nobody_may(void **state)
{
    (void)state;
    for (unsigned number = 0; number < PVF__SECCOMP_ROLES; number++) {
        enum pvf__seccomp_role role = (enum pvf__seccomp_role)number;
        assert_killed(role, make_socket, "socket");
        assert_killed(role, execute_program, "execve");
        assert_killed(role, change_root, "chroot");
        assert_killed(role, make_ring, "io_uring_setup");
        assert_killed(role, leave_namespaces, "unshare");
        assert_killed(role, make_child_the_old_way, "fork");
        assert_killed(role, map_executable, "mmap");
        assert_killed(role, make_all_allowed, "mprotect");
        assert_killed(role, call_unknown, "call 1000");
#if defined(__x86_64__)
        assert_killed(role, call_x32, "x32");
#endif
    }
}

static void jobs_may_not(void **state)
{
    (void)state;
    for (unsigned number = PVF__SECCOMP_PREPARE_JOB; number <= PVF__SECCOMP_EXECUTE_JOB; number++) {
        enum pvf__seccomp_role role = (enum pvf__seccomp_role)number;
        assert_killed(role, write_elsewhere, "write");
        assert_killed(role, read_pipe, "read");
        assert_killed(role, make_memory_file, "memfd_create");
        assert_killed(role, signal_other, "tgkill");
        assert_killed(role, signal_parent, "kill");
        assert_killed(role, raise_limit, "prlimit64");
        assert_killed(role, become_dumpable, "prctl");
        assert_killed(role, loosen, "seccomp");
    }
}

static void an_execute_job_may_read_its_input(void **state)
{
    (void)state;
    assert_int_equal(write(pipe_ends[1], "i", 1), 1);
    input_fd = pipe_ends[0];
    assert_fine(PVF__SECCOMP_EXECUTE_JOB, take_input, "read");
    input_fd = other_fd;
    assert_killed(PVF__SECCOMP_EXECUTE_JOB, take_input, "read elsewhere");
    assert_killed(PVF__SECCOMP_PREPARE_JOB, take_input, "read in a prepare job");
    input_fd = -1;
}

/* What a process in a zygote may not, although its jobs are made by it. */
static void zygotes_may_not(void **state)
{
    (void)state;
    const enum pvf__seccomp_role role = PVF__SECCOMP_EXECUTE_ZYGOTE;
    assert_killed(role, make_memory_file, "memfd_create");
    assert_killed(role, signal_other, "tgkill");
    assert_killed(role, signal_parent, "kill");
    assert_killed(role, leave_group, "setpgid");
    assert_killed(role, limit_parent, "prlimit64");
    assert_killed(role, wait_for_anybody, "waitid");
    assert_killed(role, new_pids, "unshare");
    assert_fine(role, use_memory, "memory");
    assert_fine(role, make_code, "executable memory");
    int status = status_of(role, give_up);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void jobs_may(void **state)
{
    (void)state;
    for (unsigned number = PVF__SECCOMP_PREPARE_JOB; number <= PVF__SECCOMP_EXECUTE_JOB; number++) {
        enum pvf__seccomp_role role = (enum pvf__seccomp_role)number;
        assert_fine(role, write_answer, "write");
        assert_fine(role, ask_softly, "refusals with an error");
        assert_fine(role, use_memory, "memory");
        assert_fine(role, make_code, "executable memory");
        assert_fine(role, run_threads, "threads");
        int status = status_of(role, give_up);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
    }
}

/* A worker under its filter makes a job, which puts its own on top. */
static enum pvf__seccomp_role job_role;
static int (*job_deed)(void);

static int work(void)
{
    int pid_fd = -1;
    struct clone_args args = {
        .flags = CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pid_fd,
        .exit_signal = SIGCHLD,
    };
    long pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
            syscall(SYS_close_range, 100, ~0u, 0) != 0 || !put_on(job_role)) {
            _exit(NOT_INSTALLED);
        }
        _exit(job_deed());
    }
    int status;
    if (pid < 0 || waitpid((pid_t)pid, &status, 0) != pid) {
        return WRONG;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

static void a_job_under_its_worker(void **state)
{
    (void)state;
    const enum pvf__seccomp_role workers[] = {PVF__SECCOMP_PREPARE_WORKER,
                                              PVF__SECCOMP_EXECUTE_WORKER};
    const enum pvf__seccomp_role jobs[] = {PVF__SECCOMP_PREPARE_JOB, PVF__SECCOMP_EXECUTE_JOB};
    int (*const deeds[])(void) = {write_answer, ask_softly, use_memory, make_code, run_threads};
    for (size_t i = 0; i < 2; i++) {
        job_role = jobs[i];
        for (size_t k = 0; k < sizeof(deeds) / sizeof(deeds[0]); k++) {
            job_deed = deeds[k];
            assert_fine(workers[i], work, "a job");
        }
        job_deed = make_socket;
        int status = status_of(workers[i], work);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), SIGSYS);
    }
}

static void privileges_must_be_given_up_before(void **state)
{
    (void)state;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0) {
        print_message("no_new_privs is set already\n");
        skip();
    }
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__sandbox_seccomp(PVF__SECCOMP_PREPARE_WORKER, NULL, &err),
                     PVF_ERR_INVALID_ARG);
    assert_int_equal(pvf__sandbox_seccomp(PVF__SECCOMP_PREPARE_JOB, NULL, &err),
                     PVF_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_may),
        cmocka_unit_test(jobs_may_not),
        cmocka_unit_test(an_execute_job_may_read_its_input),
        cmocka_unit_test(zygotes_may_not),
        cmocka_unit_test(jobs_may),
        cmocka_unit_test(a_job_under_its_worker),
        cmocka_unit_test(privileges_must_be_given_up_before),
    };
    return cmocka_run_group_tests(tests, make_descriptors, close_descriptors);
}
