/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_JOB_END_H
#define PVF_WORKER_WORKER_JOB_END_H

#include "worker/worker_job.h"

#include <stdbool.h>
#include <sys/types.h>

/* How a job's process is ended, and seen to end.  For the worker's one thread. */

/* Kills it.  Where this machine lets nobody be killed, the worker ends, and its job with it. */
void pvf__job_kill(pid_t pid, int pid_fd);

/*
 * What the job made and what outlived it; with a process namespace the kernel has seen to that.
 * Killed before the job is reaped, while its number is surely not somebody else's, and reaped after
 * it.
 */
void pvf__job_kill_group(pid_t pid, bool secure_clone);
void pvf__job_reap_group(pid_t pid, bool secure_clone);

/*
 * Dismisses a job that has said farewell: from here on it is leaving, and its descriptors are no
 * longer the report's.  Who left before must have been seen off.  Nothing, if there is no such job.
 */
void pvf__job_dismiss(const struct pvf__job_spec *spec, struct pvf__job_report *report);

enum pvf__job_end {
    PVF__JOB_NOBODY, /* none is leaving */
    PVF__JOB_STILL_LEAVING,
    PVF__JOB_ENDED_WELL,
    PVF__JOB_ENDED_BADLY, /* otherwise than it had said, or killed since it did not */
};

/*
 * Waits for the end of the job that is leaving, and reaps it; one that does not end in time is
 * killed.  Only until something comes from `socket`; -1: in any case.
 */
enum pvf__job_end pvf__job_see_off(int socket);

#endif
