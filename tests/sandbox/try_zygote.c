/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a zygote may do that was taken over while it loaded its artifact.  0: it goes on as an
 * honest one; many never come back.  The first three also run outside, where nothing stops them.
 */
#include "sandbox/probe.h"

#include "execute/zygote_wire.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_clone.h"
#include "worker/worker_job_say.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MANY_STRAYS 20
#define MANY_DESCRIPTORS 12

/* No file is longer: what is written there is refused. */
#define END_OF_FILES INT64_MAX

/* What its filter lets it make: a child of the worker, in namespaces of its own. */
static pid_t make_stray(void)
{
    return pvf__sandbox_clone_sibling(pvf__sandbox_zygote_job_namespaces());
}

__attribute__((noreturn)) static void wait_for_ever(void)
{
    for (;;) {
        (void)poll(NULL, 0, -1);
    }
}

/* The only socket that it has; outside one that nobody reads. */
static int wire(void)
{
    struct stat info;
    int ends[2];
    for (int fd = 3; fd < 16; fd++) {
        if (fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode)) {
            return fd;
        }
    }
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 ? ends[0] : -1;
}

/* A hello with something in its control part. */
static int send_with(int type, const void *data, size_t len)
{
    char byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * MANY_DESCRIPTORS)];
    } control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(len)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(header), data, len);
    return probe_result(sendmsg(wire(), &message, MSG_DONTWAIT));
}

/* In the name of the process that the driver named. */
static int forge_hello(struct probe_env *env)
{
    const struct ucred name = {.pid = probe_pid(env), .uid = geteuid(), .gid = getegid()};
    return send_with(SCM_CREDENTIALS, &name, sizeof(name));
}

static int send_descriptors(struct probe_env *env)
{
    (void)env;
    const int fds[MANY_DESCRIPTORS] = {0};
    return send_with(SCM_RIGHTS, fds, sizeof(fds));
}

static int kill_child(struct probe_env *env)
{
    (void)env;
    pid_t pid = make_stray();
    if (pid == 0) {
        wait_for_ever();
    }
    return pid < 0 ? errno : probe_result(kill(pid, SIGKILL));
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
    for (int i = 0; i < MANY_STRAYS && status == 0; i++) {
        status = stray(env);
    }
    return status;
}

/* The first process of a namespace may make no sibling; it would be a child of the worker. */
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

static int leave(struct probe_env *env)
{
    (void)env;
    _exit(0);
}

static int deaf(struct probe_env *env)
{
    (void)env;
    wait_for_ever();
}

/* Who has taken an order, as the zygote or as what it made. */
typedef void deed_fn(const int fds[PVF__ZYGOTE_ORDER]);

static void take_order(int fds[PVF__ZYGOTE_ORDER])
{
    if (!pvf__zygote_wire_take(wire(), fds)) {
        _exit(1);
    }
}

static void be_stray(const int fds[PVF__ZYGOTE_ORDER], deed_fn *deed)
{
    if (make_stray() == 0) {
        (void)send(wire(), "", 1, 0);
        deed(fds);
        _exit(0);
    }
}

/* Takes the first order; the stray that says hello then does what `deed` says, and ends. */
static int answer_order(deed_fn *deed)
{
    int fds[PVF__ZYGOTE_ORDER];
    take_order(fds);
    be_stray(fds, deed);
    wait_for_ever();
}

static void say_nothing(const int fds[PVF__ZYGOTE_ORDER])
{
    (void)fds;
    wait_for_ever();
}

static void say_garbage(const int fds[PVF__ZYGOTE_ORDER])
{
    static const char garbage[1000] = {'?'};
    (void)!write(fds[PVF__ZYGOTE_PIPE], garbage, sizeof(garbage));
    wait_for_ever();
}

static void say_fault(const int fds[PVF__ZYGOTE_ORDER])
{
    (void)!write(fds[PVF__ZYGOTE_PIPE], "\2could not be fenced", 20);
    wait_for_ever();
}

/* The words of a job that waits behind its fence. */
static void say_waiting(const int fds[PVF__ZYGOTE_ORDER])
{
    (void)!pvf__job_say_fenced(fds[PVF__ZYGOTE_PIPE], NULL);
    (void)!pvf__job_say_waiting(fds[PVF__ZYGOTE_PIPE], NULL);
}

/* Until the worker has handed the input over. */
static void take_input(const int fds[PVF__ZYGOTE_ORDER])
{
    struct pvf__zygote_offer offer;
    (void)!read(fds[PVF__ZYGOTE_ANNOUNCE], &offer, sizeof(offer));
}

/* The word of a fenced job; then its input is on its way. */
static void say_fenced(const int fds[PVF__ZYGOTE_ORDER])
{
    say_waiting(fds);
    take_input(fds);
}

static void say_own_answer(const int fds[PVF__ZYGOTE_ORDER])
{
    probe_say_verdict("an answer of its own", fds[PVF__ZYGOTE_PIPE]);
}

/* All that an honest job says, but for running anything. */
static void say_verdict(const int fds[PVF__ZYGOTE_ORDER])
{
    say_fenced(fds);
    say_own_answer(fds);
}

static int never_hello(struct probe_env *env)
{
    (void)env;
    int fds[PVF__ZYGOTE_ORDER];
    take_order(fds);
    wait_for_ever();
}

static int never_fenced(struct probe_env *env)
{
    (void)env;
    return answer_order(say_nothing);
}

static int garbage_for_a_word(struct probe_env *env)
{
    (void)env;
    return answer_order(say_garbage);
}

static int claim_fault(struct probe_env *env)
{
    (void)env;
    return answer_order(say_fault);
}

static int no_frame(struct probe_env *env)
{
    (void)env;
    return answer_order(say_fenced);
}

static int own_verdict(struct probe_env *env)
{
    (void)env;
    return answer_order(say_verdict);
}

/* Claims to be the job that it was to make. */
static int be_the_job(struct probe_env *env)
{
    (void)env;
    int fds[PVF__ZYGOTE_ORDER];
    take_order(fds);
    (void)send(wire(), "", 1, 0);
    say_verdict(fds);
    wait_for_ever();
}

/* Writes the answer itself, while what it made only says hello. */
static int answer_for_the_job(struct probe_env *env)
{
    (void)env;
    int fds[PVF__ZYGOTE_ORDER];
    take_order(fds);
    say_waiting(fds);
    say_own_answer(fds);
    be_stray(fds, take_input);
    wait_for_ever();
}

static int two_jobs(struct probe_env *env)
{
    (void)env;
    int fds[PVF__ZYGOTE_ORDER];
    take_order(fds);
    be_stray(fds, say_verdict);
    be_stray(fds, take_input);
    wait_for_ever();
}

static int leave_the_job(struct probe_env *env)
{
    (void)env;
    int fds[PVF__ZYGOTE_ORDER];
    take_order(fds);
    be_stray(fds, say_verdict);
    _exit(0);
}

/* Nobody takes the input: the job ends badly before. */
static int close_announce(struct probe_env *env)
{
    (void)env;
    int fds[PVF__ZYGOTE_ORDER];
    take_order(fds);
    if (make_stray() == 0) {
        (void)close(fds[PVF__ZYGOTE_ANNOUNCE]);
        (void)send(wire(), "", 1, 0);
        say_waiting(fds);
        _exit(1);
    }
    (void)close(fds[PVF__ZYGOTE_ANNOUNCE]);
    wait_for_ever();
}

/* The worker writes the input where the shared file is at. */
static int move_input(struct probe_env *env)
{
    (void)env;
    int fds[PVF__ZYGOTE_ORDER];
    take_order(fds);
    (void)lseek(fds[PVF__ZYGOTE_INPUT], END_OF_FILES, SEEK_SET);
    be_stray(fds, say_verdict);
    wait_for_ever();
}

static const struct probe list[] = {
    {"forge-hello", forge_hello, false},
    {"send-descriptors", send_descriptors, false},
    {"kill-child", kill_child, true},
    {"stray", stray, false},
    {"many-strays", many_strays, false},
    {"stray-of-stray", stray_of_stray, false},
    {"hello-itself", hello_itself, false},
    {"hello-without-end", hello_without_end, false},
    {"hello-of-the-dead", hello_of_the_dead, false},
    {"long-hello", long_hello, false},
    {"empty-hello", empty_hello, false},
    {"leave", leave, false},
    {"deaf", deaf, false},
    {"never-hello", never_hello, false},
    {"never-fenced", never_fenced, false},
    {"garbage-for-a-word", garbage_for_a_word, false},
    {"claim-fault", claim_fault, false},
    {"no-frame", no_frame, false},
    {"own-verdict", own_verdict, false},
    {"be-the-job", be_the_job, false},
    {"answer-for-the-job", answer_for_the_job, false},
    {"two-jobs", two_jobs, false},
    {"leave-the-job", leave_the_job, false},
    {"close-announce", close_announce, false},
    {"move-input", move_input, false},
};
PROBE_LIST(list, probe_zygote);
