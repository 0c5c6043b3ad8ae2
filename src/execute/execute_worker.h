/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_EXECUTE_WORKER_H
#define PVF_EXECUTE_EXECUTE_WORKER_H

#include "worker/worker.h"

/* Receives the executor parameters that hold for all jobs of this worker, unless it is upgraded. */
int pvf__execute_worker_begin(struct pvf__worker *worker);

/* Answers one execute request: verifies the artifact, makes the job, judges its end. */
int pvf__execute_worker_request(struct pvf__worker *worker,
                                const struct pvf__worker_request *request);

/* Sees the last job off, until there is a request. */
void pvf__execute_worker_rest(struct pvf__worker *worker);

/* Ends what was made ahead of need. */
void pvf__execute_worker_idle(void);

/* The last word to a host that sent no request. */
void pvf__execute_worker_no_request(struct pvf__worker *worker, const pvf_error *err);

#endif
