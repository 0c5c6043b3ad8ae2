/* SPDX-License-Identifier: Apache-2.0 */
/* The program pvf-execute-worker. */
#include "execute/execute_worker.h"
#include "execute/zygote.h"
#include "proto/command_line.h"
#include "proto/frame.h"
#include "worker/worker_main.h"

/* A worker in use has a request for each block of a parachain: every few seconds. */
#define IDLE_NS UINT64_C(60000000000)

int main(int argc, char **argv)
{
    static const struct pvf__worker_role role = {
        .name = "pvf-execute-worker",
        .command = "execute" PVF__WORD_COMMAND_SUFFIX,
        .purpose = "runs validation functions, each in a process of its own",
        .request_max = PVF__FRAME_MAX_EXECUTE_REQUEST,
        .has_artifact = true,
        .files = PVF__SANDBOX_READS_FILES,
        .worker_filter = PVF__SECCOMP_EXECUTE_WORKER,
        .job_filter = PVF__SECCOMP_EXECUTE_JOB,
        .zygote_filter = PVF__SECCOMP_EXECUTE_ZYGOTE,
        .before_fence = pvf__zygotes_open,
        .begin = pvf__execute_worker_begin,
        .request = pvf__execute_worker_request,
        .rest = pvf__execute_worker_rest,
        .idle = pvf__execute_worker_idle,
        .idle_after_ns = IDLE_NS,
        .no_request = pvf__execute_worker_no_request,
    };
    return pvf__worker_main(argc, argv, &role);
}
