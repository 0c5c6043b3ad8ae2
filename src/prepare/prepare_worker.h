/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PREPARE_PREPARE_WORKER_H
#define PVF_PREPARE_PREPARE_WORKER_H

#include "worker/worker.h"

/* Answers one prepare request: makes the job, judges its end, writes the artifact. */
int pvf__prepare_worker_request(struct pvf__worker *worker, const uint8_t *body, size_t len);

#endif
