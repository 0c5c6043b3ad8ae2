/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_JOB_MAKE_H
#define PVF_WORKER_WORKER_JOB_MAKE_H

#include "worker/worker_job.h"

/* A job's process, a child of this one; all descriptors are the receiver's to close. */
struct pvf__job_made {
    pid_t pid;
    int pid_fd;
    int read_end; /* of the pipe that it writes into */
    bool fenced;  /* it has said so, and been heard */
    int offer_fd; /* can be read until the job takes what it is to work on; -1: it has it already */
};

/*
 * How a job's process comes to life; the supervisor does not care.  This is the plain way: a copy
 * of this process that fences itself, runs spec->run with everything else closed, and ends.
 */
PVF__NODISCARD int pvf__job_make(const struct pvf__job_spec *spec,
                                 struct pvf__job_made *ret,
                                 enum pvf__job_failure *ret_failure,
                                 pvf_error *err);

/* What every job does first, however it was made: fences itself and says so.  Ends it if not. */
void pvf__job_begin(const struct pvf__sandbox_plan *sandbox,
                    const struct pvf__sandbox_job_limits *limits,
                    const struct pvf__sandbox_job_files *files);

#endif
