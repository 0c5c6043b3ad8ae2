/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_EXECUTE_JOB_H
#define PVF_EXECUTE_EXECUTE_JOB_H

#include "proto/execute_msg.h"
#include "proto/executor_params.h"

/* What an execute job needs; all of it is inherited by the fork. */
struct pvf__execute_job {
    const struct pvf__executor_params *params;
    const struct pvf__execute_request *request;
    int artifact_fd; /* a verified, sealed artifact */
};

/*
 * The whole of an execute job, in its own process: decompress the PoV, map the artifact, link,
 * instantiate, call validate_block, check its result.  Sends one frame to `pipe_fd`; the job's exit
 * code.
 */
int pvf__execute_job_run(const struct pvf__execute_job *job, int pipe_fd);

#endif
