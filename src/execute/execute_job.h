/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_EXECUTE_JOB_H
#define PVF_EXECUTE_EXECUTE_JOB_H

#include "proto/execute_msg.h"
#include "proto/executor_params.h"

#include <stdbool.h>

/* What an execute job needs; all of it is inherited by the fork. */
struct pvf__execute_job {
    const struct pvf__executor_params *params;
    const struct pvf__execute_request *request;
    int artifact_fd;    /* a verified, sealed artifact; of no use once it is loaded */
    bool has_big_stack; /* this thread's stack is large enough for the guest */
};

/*
 * The whole of an execute job, in its own process: decompress the PoV, map the artifact, link,
 * instantiate, call validate_block, check its result.  Sends one frame to `pipe_fd`; the job's exit
 * code.
 */
int pvf__execute_job_run(const struct pvf__execute_job *job, int pipe_fd);

/*
 * Does beforehand, in the process from which jobs are made, what no candidate has a part in: maps
 * the artifact and links it.  No guest code runs.  On failure nothing is changed: a job of its own
 * finds the failure out again, and answers with it.
 */
PVF__NODISCARD int
pvf__execute_job_load(const struct pvf__executor_params *params, int artifact_fd, pvf_error *err);

/*
 * The same, once the artifact is loaded, in the thread of which the jobs' will be copies: all that
 * an instance needs before guest code runs.
 */
void pvf__execute_job_prepare(const struct pvf__executor_params *params);

/*
 * In a job that will wait for its candidate, once that is prepared, with the stack that the
 * guest needs: makes the instance, and thereby runs the guest's start function, which cannot know
 * the candidate.  A failure is that of the candidate to come.  Its CPU time counts as the rest;
 * that of touching pages ahead of their use, also those of an artifact in huge pages, does not.
 */
void pvf__execute_job_instantiate(bool in_huge_pages);

#endif
