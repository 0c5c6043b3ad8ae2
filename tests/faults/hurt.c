/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: an execute worker that is the real one but for one thing that happens to its zygotes or
 * their jobs, each time and at an exact place.  The name of the program says what.
 */
#include "base/cleanup.h"
#include "execute/nursery.h"
#include "execute/zygote_wire.h"
#include "sandbox/sandbox_clone.h"
#include "worker/worker_job_make.h"
#include "worker/worker_job_say.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t real_sandbox_clone_sibling(uint64_t namespaces) __asm__("__real_pvf__sandbox_clone_sibling");
pid_t wrap_sandbox_clone_sibling(uint64_t namespaces) __asm__("__wrap_pvf__sandbox_clone_sibling");
int real_zygote_wire_hello(int end, pvf_error *err) __asm__("__real_pvf__zygote_wire_hello");
int wrap_zygote_wire_hello(int end, pvf_error *err) __asm__("__wrap_pvf__zygote_wire_hello");
int real_zygote_wire_hear(int end,
                          pid_t *ret,
                          pvf_error *err) __asm__("__real_pvf__zygote_wire_hear");
int wrap_zygote_wire_hear(int end,
                          pid_t *ret,
                          pvf_error *err) __asm__("__wrap_pvf__zygote_wire_hear");
bool real_nursery_is_fit(int pid_fd) __asm__("__real_pvf__nursery_is_fit");
bool wrap_nursery_is_fit(int pid_fd) __asm__("__wrap_pvf__nursery_is_fit");
int real_job_say_take_waiting(int pipe_fd,
                              uint64_t deadline_ns,
                              pvf_error *err) __asm__("__real_pvf__job_say_take_waiting");
int wrap_job_say_take_waiting(int pipe_fd,
                              uint64_t deadline_ns,
                              pvf_error *err) __asm__("__wrap_pvf__job_say_take_waiting");
void real_job_begin(const struct pvf__sandbox_plan *sandbox,
                    const struct pvf__sandbox_job_limits *limits,
                    const struct pvf__sandbox_job_files *files) __asm__("__real_pvf__job_begin");
void wrap_job_begin(const struct pvf__sandbox_plan *sandbox,
                    const struct pvf__sandbox_job_limits *limits,
                    const struct pvf__sandbox_job_files *files) __asm__("__wrap_pvf__job_begin");

/* Said hello last. */
static pid_t waiting;

static bool is_asked_for(const char *deed)
{
    return strcmp(program_invocation_short_name, deed) == 0;
}

static void send_signal(pid_t pid, int number)
{
    PVF__CLEANUP_FD int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid_fd < 0 || syscall(SYS_pidfd_send_signal, pid_fd, number, NULL, 0) != 0) {
        abort();
    }
}

/* A signal, and whatever it does to a child of ours. */
static void hurt(pid_t pid, int number, int effect)
{
    siginfo_t info;
    send_signal(pid, number);
    while (waitid(P_PID, (id_t)pid, &info, effect | WNOWAIT) != 0 && errno == EINTR) {
        /* Not yet. */
    }
}

__attribute__((noreturn)) static void hang(void)
{
    for (;;) {
        (void)pause();
    }
}

/* In the midwife: the guard is the first, the zygote the second.  In the zygote: its jobs. */
pid_t wrap_sandbox_clone_sibling(uint64_t namespaces)
{
    static unsigned calls;
    static pid_t guard;
    static bool has_guard;
    if (calls++ == 0) {
        guard = real_sandbox_clone_sibling(namespaces);
        has_guard = guard > 0;
        return guard;
    }
    if (calls == 2 && has_guard && is_asked_for("guard-stops-alone")) {
        /* It takes no further step of its own, however soon it is seen as stopped. */
        send_signal(guard, SIGSTOP);
        errno = EAGAIN;
        return -1;
    }
    if (calls == 2 && has_guard && is_asked_for("guard-stops-unnamed")) {
        send_signal(guard, SIGSTOP);
        _exit(1);
    }
    if (calls == 2 && has_guard && is_asked_for("midwife-hangs")) {
        hang();
    }
    if (calls == 3 && is_asked_for("zygote-makes-nothing")) {
        errno = EAGAIN;
        return -1;
    }
    return real_sandbox_clone_sibling(namespaces);
}

int wrap_zygote_wire_hello(int end, pvf_error *err)
{
    if (is_asked_for("job-ends-unheard")) {
        _exit(1);
    }
    int status = real_zygote_wire_hello(end, err);
    if (is_asked_for("job-ends-unfenced")) {
        _exit(1);
    }
    return status;
}

void wrap_job_begin(const struct pvf__sandbox_plan *sandbox,
                    const struct pvf__sandbox_job_limits *limits,
                    const struct pvf__sandbox_job_files *files)
{
    /* Plain jobs have nowhere to wait for their input. */
    if (files->input_fd >= 0 && is_asked_for("job-hangs-unfenced")) {
        hang();
    }
    real_job_begin(sandbox, limits, files);
}

int wrap_zygote_wire_hear(int end, pid_t *ret, pvf_error *err)
{
    int status = real_zygote_wire_hear(end, ret, err);
    if (status == 0) {
        static pid_t first;
        if (first == 0) {
            first = *ret;
        }
        if (is_asked_for("job-of-before-heard")) {
            *ret = first;
        }
        waiting = *ret;
        if (is_asked_for("job-killed-heard")) {
            hurt(waiting, SIGKILL, WEXITED);
        } else if (is_asked_for("job-stopped-heard")) {
            hurt(waiting, SIGSTOP, WSTOPPED);
        }
    }
    return status;
}

/* Asked when the job says hello, and once more when all that is left is to tell it to begin. */
bool wrap_nursery_is_fit(int pid_fd)
{
    static pid_t asked_about;
    bool is_fit = real_nursery_is_fit(pid_fd);
    if (is_fit && waiting != 0 && asked_about == waiting && is_asked_for("job-killed-last")) {
        hurt(waiting, SIGKILL, WEXITED);
        /* Whoever is asked about before the next hello is a zygote. */
        waiting = 0;
    }
    asked_about = waiting;
    return is_fit;
}

int wrap_job_say_take_waiting(int pipe_fd, uint64_t deadline_ns, pvf_error *err)
{
    int status = real_job_say_take_waiting(pipe_fd, deadline_ns, err);
    if (status == 0 && is_asked_for("job-killed-waiting")) {
        hurt(waiting, SIGKILL, WEXITED);
    } else if (status == 0 && is_asked_for("job-stopped-waiting")) {
        hurt(waiting, SIGSTOP, WSTOPPED);
    }
    return status;
}
