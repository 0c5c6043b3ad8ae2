/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PREPARE_PREPARE_WORKER_H
#define PVF_PREPARE_PREPARE_WORKER_H

#include "worker/worker.h"

/* The value of --metering: which form the rewriting takes for all jobs of this worker. */
int pvf__prepare_worker_set_metering(const char *value, pvf_error *err);

/* The value of --first-tier: "on", each compilation is answered for a first tier, too. */
int pvf__prepare_worker_set_first_tier(const char *value, pvf_error *err);

/* The value of --compile-threads: how many threads of a job compile at most. */
int pvf__prepare_worker_set_threads(const char *value, pvf_error *err);

/* Answers one prepare request: makes the job, judges its end, writes the artifact. */
int pvf__prepare_worker_request(struct pvf__worker *worker, const struct pvf__worker_request *came);

#endif
