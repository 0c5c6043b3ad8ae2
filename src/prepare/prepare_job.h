/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PREPARE_PREPARE_JOB_H
#define PVF_PREPARE_PREPARE_JOB_H

#include "proto/prepare_msg.h"
#include "wasm/wasm_rewrite.h"

#include <stdbool.h>
#include <stddef.h>

struct pvf__prepare_job {
    const struct pvf__prepare_request *request;
    enum pvf__wasm_form form; /* unless the native stack is too small for a choice */
    size_t compile_threads;   /* at most; fewer where large functions would need much memory */
    bool first_tier;          /* compile fast; parameters that are tight on stack are refused */
};

/*
 * The whole of a prepare job, in its own process: decompress, check, rewrite, compile, and for
 * prechecking construct the runtime once.  Sends one frame to `pipe_fd`; the job's exit code.
 */
int pvf__prepare_job_run(const struct pvf__prepare_job *job, int pipe_fd);

#endif
