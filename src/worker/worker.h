/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_H
#define PVF_WORKER_WORKER_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "proto/exit_codes.h"
#include "proto/handshake.h"
#include "pvf/error.h"
#include "sandbox/sandbox.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A running worker: one host, one folder, one thread. */
struct pvf__worker {
    int socket;                       /* to the host */
    bool upgraded;                    /* the host speaks as proto/upgrade.h says */
    char artifact_path[PATH_MAX];     /* where the host links the artifact (execute) */
    char tmp_artifact_path[PATH_MAX]; /* where the result goes (prepare) */
    char first_tier_path[PATH_MAX];   /* where what is compiled fast goes (prepare) */
    pvf_security_status security;     /* what the host said is to be used */
    struct pvf__sandbox_plan sandbox; /* what of it stands, and how jobs are fenced */
};

/* One request as it came; all of it is gone after its answer. */
struct pvf__worker_request {
    struct pvf__slice body;
    bool is_mapped;           /* upgraded: the body is, by itself */
    struct pvf__slice params; /* upgraded, execute: the executor parameters of this job */
    int artifact_fd;          /* upgraded, execute: the artifact; -1: it is in the folder */
};

/* Sends one frame; an error is logged, and its result ends the worker. */
PVF__NODISCARD int pvf__worker_send(struct pvf__worker *worker, const struct pvf__buf *body);

#endif
