/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_JOB_H
#define PVF_WORKER_WORKER_JOB_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * One job: a process of its own that does the work on hostile input and sends one frame back.  The
 * worker watches it from outside: its pipe, its death, its CPU clock, and the host's socket.
 */
struct pvf__job_spec {
    /* Runs in the job with the pipe's write end; its result is the job's exit code. */
    int (*run)(void *context, int pipe_fd);
    void *context;
    uint64_t cpu_limit_us; /* all threads, user and system time */
    size_t payload_max;    /* bytes that the job may send */
    int host_socket;       /* closed in the job; the job is killed when the host hangs up */
    int keep_fd;           /* the one descriptor besides 0, 1, 2 that the job inherits, or -1 */
};

struct pvf__job_report {
    pid_t pid;
    int wait_status;         /* as from waitpid(2) */
    uint64_t cpu_us;         /* the job's whole life */
    bool timed_out;          /* cpu_us reached the limit, whatever the job said */
    bool host_gone;          /* the host hung up: nobody waits for an answer */
    bool payload_over;       /* it sent more than payload_max and was killed */
    struct pvf__buf payload; /* what it sent; the caller's to release */
};

/* Where making a job can fail; the worker answers differently for each. */
enum pvf__job_failure {
    PVF__JOB_FAILED_PIPE,
    PVF__JOB_FAILED_FORK,
    PVF__JOB_FAILED_WAIT,
};

/*
 * Makes the job, waits for its end, reaps it.  On failure *ret_failure says where, and nothing is
 * left behind.  The worker must have a single thread.
 */
PVF__NODISCARD int pvf__job_run(const struct pvf__job_spec *spec,
                                struct pvf__job_report *ret,
                                enum pvf__job_failure *ret_failure,
                                pvf_error *err);

#endif
