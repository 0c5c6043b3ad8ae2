/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_H
#define PVF_WORKER_WORKER_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "proto/handshake.h"
#include "pvf/error.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of a worker (protocol: exit codes). */
#define PVF__WORKER_EXIT_ORDERLY 1        /* every end after a normal start */
#define PVF__WORKER_EXIT_USAGE 101        /* bad arguments, as the reference's panic */
#define PVF__WORKER_EXIT_CHECK_FAILED 255 /* a --check-can-… said no */

/* A running worker: one host, one folder, one thread. */
struct pvf__worker {
    int socket;                           /* to the host */
    char artifact_path[PATH_MAX];         /* where the host links the artifact (execute) */
    char tmp_artifact_path[PATH_MAX];     /* where the result goes (prepare) */
    struct pvf__security_status security; /* what the host said is to be used */
    void *role_state;                     /* the role's own */
};

/* Sends one frame; an error is logged, and its result ends the worker. */
PVF__NODISCARD int pvf__worker_send(struct pvf__worker *worker, const struct pvf__buf *body);

#endif
