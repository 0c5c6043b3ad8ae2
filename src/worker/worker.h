/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_H
#define PVF_WORKER_WORKER_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "proto/exit_codes.h"
#include "proto/handshake.h"
#include "pvf/error.h"
#include "sandbox/sandbox.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* A running worker: one host, one folder, one thread. */
struct pvf__worker {
    int socket;                       /* to the host */
    char artifact_path[PATH_MAX];     /* where the host links the artifact (execute) */
    char tmp_artifact_path[PATH_MAX]; /* where the result goes (prepare) */
    char first_tier_path[PATH_MAX];   /* where what is compiled fast goes (prepare) */
    pvf_security_status security;     /* what the host said is to be used */
    struct pvf__sandbox_plan sandbox; /* what of it stands, and how jobs are fenced */
};

/* Sends one frame; an error is logged, and its result ends the worker. */
PVF__NODISCARD int pvf__worker_send(struct pvf__worker *worker, const struct pvf__buf *body);

#endif
