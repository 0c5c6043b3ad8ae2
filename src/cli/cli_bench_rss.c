/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: how large a job's processes become.  The kernel tells it of ended children only, as the
 * largest of all, so the jobs are run once more as the only children of a process of their own.
 */
#include "cli/cli_bench.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS 3

static uint64_t run_jobs(const struct pvf__bench *bench,
                         const struct pvf__bench_side *side,
                         const struct pvf__bench_case *item)
{
    const pvf_host_config config = {
        .execute_worker_path = side->workers.execute,
        .quiet = true,
        .plain_protocol = side == &bench->sides[1] && bench->options.plain_protocol,
        .security_mode = PVF_SECURITY_AS_GIVEN,
        .security = bench->security,
    };
    pvf_execute_request request;
    pvf_host *host = NULL;
    struct rusage usage;
    bool good = pvf_host_new(&config, &host, NULL) == 0;
    pvf__bench_request(bench, side, item, &request);
    for (int i = 0; good && i < JOBS; i++) {
        pvf_outcome outcome;
        memset(&outcome, 0, sizeof outcome);
        good = pvf_host_execute(host, &request, &outcome, NULL) == 0 &&
               outcome.verdict == PVF_VERDICT_VALID;
        pvf_outcome_done(&outcome);
    }
    /* The worker ends here, and with it what its jobs took is counted. */
    pvf_host_free(host);
    good = good && getrusage(RUSAGE_CHILDREN, &usage) == 0 && usage.ru_maxrss > 0;
    return good ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

uint64_t pvf__bench_job_rss(const struct pvf__bench *bench,
                            const struct pvf__bench_side *side,
                            const struct pvf__bench_case *item)
{
    int ends[2];
    uint64_t bytes = 0;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return 0;
    }
    pid_t child = fork();
    if (child == 0) {
        bytes = run_jobs(bench, side, item);
        _exit(pvf__fd_write(ends[1], &bytes, sizeof bytes, NULL) == 0 ? 0 : 1);
    }
    (void)close(ends[1]);
    if (child > 0) {
        if (pvf__fd_read(ends[0], &bytes, sizeof bytes, NULL) != 0) {
            bytes = 0;
        }
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    (void)close(ends[0]);
    return bytes;
}
