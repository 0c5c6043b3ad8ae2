/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_JOB_MAKE_H
#define PVF_WORKER_WORKER_JOB_MAKE_H

#include "worker/worker_job.h"

/*
 * How a job's process comes to life; the supervisor does not care.  In the parent: the process and
 * a descriptor for it.  In the job: runs spec->run with everything else closed, and ends.
 */
PVF__NODISCARD int pvf__job_make(const struct pvf__job_spec *spec,
                                 int write_end,
                                 pid_t *ret_pid,
                                 int *ret_pid_fd,
                                 pvf_error *err);

#endif
