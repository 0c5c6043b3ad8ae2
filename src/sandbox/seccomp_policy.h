/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SECCOMP_POLICY_H
#define PVF_SANDBOX_SECCOMP_POLICY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Which system calls a process of ours may make, as data.  What is in no list ends the process.
 * A job runs under two filters, its worker's and its own, and the stricter answer counts: so each
 * worker's list holds what the worker does, what a job does while it fences itself in, and the
 * job's list.
 */

enum pvf__seccomp_role {
    PVF__SECCOMP_PREPARE_WORKER,
    PVF__SECCOMP_EXECUTE_WORKER,
    PVF__SECCOMP_PREPARE_JOB,
    PVF__SECCOMP_EXECUTE_JOB,
    PVF__SECCOMP_EXECUTE_ZYGOTE, /* makes jobs, under its worker's filter */
};
#define PVF__SECCOMP_ROLES 5

enum pvf__seccomp_arch {
    PVF__SECCOMP_X86_64,
    PVF__SECCOMP_AARCH64,
};
#define PVF__SECCOMP_ARCHES 2

/* What a filter must know about the process; for workers nothing of it is used. */
struct pvf__seccomp_facts {
    int pipe_fd;  /* the only descriptor a job may write to, besides 1 and 2 */
    int input_fd; /* where a job's input is announced; -1: it has it from the start */
    int32_t self; /* the job's pid as it sees itself: it may signal nobody else */
};

/* How one call is answered in one role. */
enum pvf__seccomp_rule {
    PVF__SECCOMP_NO, /* the process ends */
    PVF__SECCOMP_YES,
    /* Refused with an error that the caller's library knows how to go on with. */
    PVF__SECCOMP_NO_CALL,
    PVF__SECCOMP_NO_FILE,
    PVF__SECCOMP_NO_PROCESS,
    PVF__SECCOMP_NO_SOCKET,
    PVF__SECCOMP_NO_TERMINAL,
    /* Allowed for some arguments. */
    PVF__SECCOMP_ABORT,
    PVF__SECCOMP_ADVICE,
    PVF__SECCOMP_ADVICE_FAMILY,
    PVF__SECCOMP_BARRIER,
    PVF__SECCOMP_CLONE_WORKER,
    PVF__SECCOMP_CLONE_FAMILY,
    PVF__SECCOMP_CLONE_ZYGOTE,
    PVF__SECCOMP_FCNTL,
    PVF__SECCOMP_FCNTL_WORKER,
    PVF__SECCOMP_FILTER,
    PVF__SECCOMP_FUTEX,
    PVF__SECCOMP_GETTER,
    PVF__SECCOMP_MAP,
    PVF__SECCOMP_INPUT,
    PVF__SECCOMP_OUTPUT,
    PVF__SECCOMP_OWN,
    PVF__SECCOMP_PROTECT,
    PVF__SECCOMP_SELF,
    PVF__SECCOMP_STAT,
    PVF__SECCOMP_STATX,
    PVF__SECCOMP_THREAD,
    PVF__SECCOMP_UNSHARE,
    PVF__SECCOMP_PRCTL,
    PVF__SECCOMP_PRCTL_WORKER,
    PVF__SECCOMP_RULES,
};

/* One demand on an argument; all 64 bits of it count. */
enum pvf__seccomp_test {
    PVF__SECCOMP_ALWAYS,   /* no demand */
    PVF__SECCOMP_ONE_OF,   /* equal to one of the values */
    PVF__SECCOMP_WITHIN,   /* no bit outside values[0] */
    PVF__SECCOMP_NOT_ALL,  /* at least one bit of values[0] is missing */
    PVF__SECCOMP_IS_FD,    /* 1, 2 or pvf__seccomp_facts.pipe_fd */
    PVF__SECCOMP_IS_INPUT, /* pvf__seccomp_facts.input_fd */
    PVF__SECCOMP_IS_SELF,  /* pvf__seccomp_facts.self */
};

struct pvf__seccomp_demand {
    enum pvf__seccomp_test test;
    unsigned arg; /* 0 to 5 */
    const uint32_t *values;
    size_t count;
};

#define PVF__SECCOMP_DEMANDS 2

struct pvf__seccomp_meaning {
    struct pvf__seccomp_demand demands[PVF__SECCOMP_DEMANDS];
    uint32_t action;    /* SECCOMP_RET_* when every demand is met */
    uint32_t otherwise; /* and when one is not */
};

#define PVF__SECCOMP_ABSENT (-1)

struct pvf__seccomp_call {
    const char *name;
    int32_t number[PVF__SECCOMP_ARCHES]; /* or PVF__SECCOMP_ABSENT */
    enum pvf__seccomp_rule rule[PVF__SECCOMP_ROLES];
};

/* The policy: sorted by name, no call twice. */
extern const struct pvf__seccomp_call pvf__seccomp_calls[];
extern const size_t pvf__seccomp_calls_count;

/* Whether this build's own code is not alone in making system calls. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PVF__SECCOMP_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define PVF__SECCOMP_SANITIZED 1
#endif
#endif
#ifndef PVF__SECCOMP_SANITIZED
#define PVF__SECCOMP_SANITIZED 0
#endif

/*
 * What a sanitizer's runtime does besides, looked at first; without effect in builds without one.
 * No protection is claimed for such builds, they exist to find faults.
 */
extern const struct pvf__seccomp_call pvf__seccomp_sanitizer_calls[];
extern const size_t pvf__seccomp_sanitizer_calls_count;

const struct pvf__seccomp_meaning *pvf__seccomp_meaning(enum pvf__seccomp_rule rule);

#endif
