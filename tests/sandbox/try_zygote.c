/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a zygote may do that was taken over while it loaded its artifact.  0: it goes on as an
 * honest one; some never come back.
 */
#include "sandbox/probe.h"

#include "execute/zygote_wire.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MANY 20

/* What its filter lets it make: a child of the worker, in namespaces of its own. */
static pid_t make_stray(void)
{
    unsigned long flags =
        CLONE_PARENT | CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWUTS;
    return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

__attribute__((noreturn)) static void wait_for_ever(void)
{
    for (;;) {
        (void)poll(NULL, 0, -1);
    }
}

/* The only socket that it has. */
static int wire(void)
{
    struct stat info;
    for (int fd = 3; fd < 16; fd++) {
        if (fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode)) {
            return fd;
        }
    }
    return -1;
}

static int stray(struct probe_env *env)
{
    (void)env;
    pid_t pid = make_stray();
    if (pid == 0) {
        wait_for_ever();
    }
    return probe_result(pid);
}

static int many_strays(struct probe_env *env)
{
    int status = 0;
    for (int i = 0; i < MANY && status == 0; i++) {
        status = stray(env);
    }
    return status;
}

/* Not the first process of a namespace may make a sibling; it would be one of the worker. */
static int stray_of_stray(struct probe_env *env)
{
    (void)env;
    pid_t pid = make_stray();
    if (pid == 0) {
        (void)make_stray();
        wait_for_ever();
    }
    return probe_result(pid);
}

static int hello_itself(struct probe_env *env)
{
    (void)env;
    return probe_result(send(wire(), "", 1, 0));
}

static int hello_without_end(struct probe_env *env)
{
    (void)env;
    while (send(wire(), "", 1, MSG_DONTWAIT) == 1) {
        /* Until the socket is full. */
    }
    return 0;
}

static int hello_of_the_dead(struct probe_env *env)
{
    (void)env;
    pid_t pid = make_stray();
    if (pid == 0) {
        (void)send(wire(), "", 1, 0);
        _exit(0);
    }
    return probe_result(pid);
}

static int long_hello(struct probe_env *env)
{
    (void)env;
    static const char text[1000];
    return probe_result(send(wire(), text, sizeof(text), 0));
}

static int empty_hello(struct probe_env *env)
{
    (void)env;
    return probe_result(send(wire(), "", 0, 0));
}

static int deaf(struct probe_env *env)
{
    (void)env;
    wait_for_ever();
}

/* Takes the first order; the stray that says hello then does what `deed` says, and ends. */
static int answer_order(void (*deed)(const int fds[PVF__ZYGOTE_ORDER]))
{
    int fds[PVF__ZYGOTE_ORDER];
    if (!pvf__zygote_wire_take(wire(), fds)) {
        return EIO;
    }
    if (make_stray() == 0) {
        (void)send(wire(), "", 1, 0);
        deed(fds);
        _exit(0);
    }
    wait_for_ever();
}

static void say_nothing(const int fds[PVF__ZYGOTE_ORDER])
{
    (void)fds;
    wait_for_ever();
}

static void say_fault(const int fds[PVF__ZYGOTE_ORDER])
{
    (void)!write(fds[PVF__ZYGOTE_PIPE], "\2could not be fenced", 20);
}

static void say_fenced(const int fds[PVF__ZYGOTE_ORDER])
{
    uint64_t len;
    (void)!write(fds[PVF__ZYGOTE_PIPE], "\1", 1);
    (void)!read(fds[PVF__ZYGOTE_ANNOUNCE], &len, sizeof(len));
}

static int job_never_fenced(struct probe_env *env)
{
    (void)env;
    return answer_order(say_nothing);
}

static int job_claims_fault(struct probe_env *env)
{
    (void)env;
    return answer_order(say_fault);
}

static int job_without_frame(struct probe_env *env)
{
    (void)env;
    return answer_order(say_fenced);
}

static const struct probe list[] = {
    {"stray", stray, false},
    {"many-strays", many_strays, false},
    {"stray-of-stray", stray_of_stray, false},
    {"hello-itself", hello_itself, false},
    {"hello-without-end", hello_without_end, false},
    {"hello-of-the-dead", hello_of_the_dead, false},
    {"long-hello", long_hello, false},
    {"empty-hello", empty_hello, false},
    {"deaf", deaf, false},
    {"job-never-fenced", job_never_fenced, false},
    {"job-claims-fault", job_claims_fault, false},
    {"job-without-frame", job_without_frame, false},
};
PROBE_LIST(list, probe_zygote);
