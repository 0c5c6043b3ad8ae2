/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PREPARE_PREPARE_JOB_H
#define PVF_PREPARE_PREPARE_JOB_H

#include "proto/prepare_msg.h"

/*
 * The whole of a prepare job, in its own process: decompress, check, rewrite, compile, and for
 * prechecking construct the runtime once.  Sends one frame to `pipe_fd`; the job's exit code.
 */
int pvf__prepare_job_run(const struct pvf__prepare_request *request, int pipe_fd);

#endif
