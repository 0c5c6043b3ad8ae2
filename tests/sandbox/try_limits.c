/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the probes of limits, and every way to end or not to end. */
#include "sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MANY_DESCRIPTORS 40
#define THREADS 3

static int map_much(struct probe_env *env)
{
    size_t size = strtoull(env->arg, NULL, 10);
    void *at = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? errno : probe_result(munmap(at, size));
}

static int many_descriptors(struct probe_env *env)
{
    (void)env;
    int fds[MANY_DESCRIPTORS];
    int count = 0;
    int refusal = 0;
    while (count < MANY_DESCRIPTORS && refusal == 0) {
        fds[count] = fcntl(0, F_DUPFD_CLOEXEC, 3);
        refusal = fds[count] < 0 ? errno : 0;
        count += refusal == 0;
    }
    while (count > 0) {
        (void)close(fds[--count]);
    }
    return refusal;
}

static int duplicate(struct probe_env *env)
{
    (void)env;
    int fd = dup(0);
    int refusal = errno;
    if (fd < 0) {
        return refusal;
    }
    return probe_result(close(fd));
}

static void *burn(void *unused)
{
    for (volatile uint64_t count = 0;; count++) {
        (void)unused;
    }
    return NULL;
}

static int ignore_signals(struct probe_env *env)
{
    (void)env;
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_IGN);
    }
    (void)burn(NULL);
    return 0;
}

/* What nobody reads is no reason to wait for the writer. */
static int close_pipe_and_burn(struct probe_env *env)
{
    (void)close(env->pipe_fd);
    (void)burn(NULL);
    return 0;
}

static int burn_in_threads(struct probe_env *env)
{
    (void)env;
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        int refusal = pthread_create(&thread, NULL, burn, NULL);
        if (refusal != 0) {
            return refusal;
        }
    }
    (void)burn(NULL);
    return 0;
}

static int wait_for_ever(struct probe_env *env)
{
    (void)env;
    return probe_result(poll(NULL, 0, -1));
}

static int stop_self(struct probe_env *env)
{
    (void)env;
    return probe_result(raise(SIGSTOP));
}

static int write_for_ever(struct probe_env *env)
{
    static const char block[1 << 16];
    for (;;) {
        if (write(env->pipe_fd, block, sizeof(block)) < 0) {
            return errno;
        }
    }
}

static int die_by_signal(struct probe_env *env)
{
    int number = (int)strtol(env->arg, NULL, 10);
    (void)signal(number, SIG_DFL);
    return probe_result(raise(number));
}

static int die_by_abort(struct probe_env *env)
{
    (void)env;
    abort();
}

static int die_by_fault(struct probe_env *env)
{
    (void)env;
    volatile char *nowhere = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *nowhere = 1;
    return 0;
}

static const struct probe list[] = {
    {"map-much", map_much, false},
    {"many-descriptors", many_descriptors, false},
    {"duplicate", duplicate, false},
    {"ignore-signals", ignore_signals, false},
    {"close-pipe-and-burn", close_pipe_and_burn, false},
    {"burn-in-threads", burn_in_threads, false},
    {"wait-for-ever", wait_for_ever, false},
    {"stop-self", stop_self, false},
    {"write-for-ever", write_for_ever, false},
    {"die-by-signal", die_by_signal, false},
    {"die-by-abort", die_by_abort, false},
    {"die-by-fault", die_by_fault, false},
};
PROBE_LIST(list, probe_limits);
