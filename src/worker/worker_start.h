/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_START_H
#define PVF_WORKER_WORKER_START_H

#include "worker/worker.h"
#include "worker/worker_args.h"

/*
 * The start sequence up to the first message of the role: version check, folder, socket, security
 * handshake, `before_fence` unless it is NULL, and the mechanisms that the handshake asks for.
 * worker->sandbox says how the role is fenced.  A failure ends the worker with exit code 1.
 */
PVF__NODISCARD int pvf__worker_start(struct pvf__worker *worker,
                                     const struct pvf__worker_args *args,
                                     const char *version,
                                     void (*before_fence)(void),
                                     pvf_error *err);

#endif
