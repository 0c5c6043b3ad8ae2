/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_FAULTS_KEPT_H
#define PVF_TESTS_FAULTS_KEPT_H

#include "base/buf.h"
#include "host/host_worker.h"
#include "host/program.h"
#include "pvf/pvf.h"

/* A real worker in the hands of a test, which asks what it wants and ends it when it wants. */
struct kept {
    struct pvf__program program;
    struct pvf__host_worker worker;
    struct pvf__buf answer; /* body of the last one */
};

/* Started and told the host's security status; the artifact lies ready in its folder. */
void kept_start_execute(struct kept *kept,
                        const char *program,
                        const pvf_host *host,
                        const pvf_prepare_outcome *prepared);
void kept_start_prepare(struct kept *kept, const char *program, const pvf_host *host);
void kept_end(struct kept *kept);

/* One request; its answer is another call. */
void kept_send_execute(struct kept *kept,
                       const pvf_prepare_outcome *prepared,
                       uint64_t rounds,
                       uint64_t timeout_ms);
void kept_send_prepare(struct kept *kept, const struct pvf__buf *code, uint64_t timeout_ms);
void kept_receive(struct kept *kept);

/* Its job, once it is at work; fails the test when there never is one. */
pid_t kept_job(const struct kept *kept);

#endif
