/* SPDX-License-Identifier: Apache-2.0 */
/* The program pvf-prepare-worker. */
#include "prepare/prepare_inspect.h"
#include "prepare/prepare_worker.h"
#include "proto/command_line.h"
#include "proto/frame.h"
#include "worker/worker_main.h"

int main(int argc, char **argv)
{
    static const struct pvf__worker_role role = {
        .name = "pvf-prepare-worker",
        .command = "prepare" PVF__WORD_COMMAND_SUFFIX,
        .purpose = "compiles validation functions, each in a process of its own",
        .request_max = PVF__FRAME_MAX_PREPARE_REQUEST,
        .files = PVF__SANDBOX_WRITES_FILES,
        .worker_filter = PVF__SECCOMP_PREPARE_WORKER,
        .job_filter = PVF__SECCOMP_PREPARE_JOB,
        .own_options = {PVF__WORD_METERING, PVF__WORD_COMPILE_THREADS, PVF__WORD_FIRST_TIER},
        .set_own_option = {pvf__prepare_worker_set_metering,
                           pvf__prepare_worker_set_threads,
                           pvf__prepare_worker_set_first_tier},
        .request = pvf__prepare_worker_request,
        .inspect = pvf__prepare_inspect_main,
    };
    return pvf__worker_main(argc, argv, &role);
}
