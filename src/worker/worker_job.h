/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_JOB_H
#define PVF_WORKER_WORKER_JOB_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "pvf/error.h"
#include "sandbox/sandbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a job can fail before anything hostile ran; the worker answers differently for each. */
enum pvf__job_failure {
    PVF__JOB_FAILED_PIPE,
    PVF__JOB_FAILED_FORK,
    PVF__JOB_FAILED_FENCE, /* made, but not fenced */
    PVF__JOB_FAILED_WAIT,
};

struct pvf__job_spec;
struct pvf__job_made;
typedef int pvf__job_make_fn(const struct pvf__job_spec *spec,
                             struct pvf__job_made *ret,
                             enum pvf__job_failure *ret_failure,
                             pvf_error *err);

/*
 * One job: a process of its own that does the work on hostile input and sends one frame back.  The
 * worker watches it from outside: its pipe, its death, its CPU clock, and the host's socket.
 */
struct pvf__job_spec {
    /* How its process comes to life (worker_job_make.h); NULL: as a copy of this one. */
    pvf__job_make_fn *make;
    void *maker;
    /*
     * Runs in the fenced job with the pipe's write end; its result is the job's exit code.  Calls
     * pvf__job_say_ready when its input is ready, then sends its frame.
     */
    int (*run)(void *context, int pipe_fd);
    void *context;
    uint64_t cpu_limit_us; /* all threads, user and system time, from readiness on */
    uint64_t data_max;     /* private writable memory of the job in bytes; 0: no limit */
    size_t payload_max;    /* bytes that the job may send in its frame */
    bool has_farewell;     /* the job says when it has said all (worker_job_say.h) */
    int host_socket;       /* the job is killed when the host hangs up; -1: none */
    int keep_fd;           /* the one descriptor besides the pipe that the job inherits, or -1 */
    const struct pvf__sandbox_plan *sandbox;
};

struct pvf__job_report {
    pid_t pid;
    int wait_status;         /* as from waitpid(2) */
    int ending_fd;           /* process that has said farewell and is not reaped; else -1 */
    int dismissal_fd;        /* its pipe, whose end it waits for; else -1 */
    uint64_t cpu_us;         /* from readiness to the end */
    bool timed_out;          /* cpu_us reached the limit, whatever the job said */
    bool host_gone;          /* the host hung up: nobody waits for an answer */
    bool memory_was_short;   /* the kernel killed it, or something else meanwhile, for memory */
    bool payload_over;       /* it sent more than payload_max and was killed */
    bool made_again;         /* all of this is of a second one: the first died before it began */
    uint32_t input_len;      /* of its input when it was ready, as the job says; 0: never ready */
    struct pvf__slice frame; /* what it sent after its first words; inside `payload` */
    struct pvf__buf payload; /* all that it sent; the caller's to release */
};

/*
 * Makes the job, waits for its end, reaps it.  One that has said farewell is taken at its word:
 * its wait_status is that of an orderly exit, which is still to come (worker_job_end.h).  On
 * failure *ret_failure says where, and nothing is left behind.  The worker must have a single
 * thread.
 */
PVF__NODISCARD int pvf__job_run(const struct pvf__job_spec *spec,
                                struct pvf__job_report *ret,
                                enum pvf__job_failure *ret_failure,
                                pvf_error *err);

#endif
