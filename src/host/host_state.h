/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_HOST_STATE_H
#define PVF_HOST_HOST_STATE_H

#include "host/host_worker.h"
#include "proto/executor_params.h"
#include "pvf/error.h"
#include "pvf/host.h"

#include <limits.h>

/* A worker that could not take the request has not started the job, so another may have it. */
#define PVF__HOST_SEND_TRIES 2

/* What is behind a pvf_host. */
struct pvf_host {
    char *prepare_program; /* NULL: none */
    char *execute_program;
    char *node_version; /* NULL: not compared */
    char *log_directives;
    uint32_t spawn_timeout_ms;
    bool quiet;
    pvf_security_status security;
    char folder[PATH_MAX]; /* ours alone: worker folders and artifacts; removed at the end */
    struct pvf__host_worker prepare;
    struct pvf__host_worker execute;
};

/* An idle, living worker for a job; starts one when there is none, a dead one, or a wrong one. */
PVF__NODISCARD int pvf__host_prepare_worker(struct pvf_host *host, pvf_error *err);
PVF__NODISCARD int pvf__host_execute_worker(struct pvf_host *host,
                                            const struct pvf__executor_params *params,
                                            pvf_error *err);

/* Empties the worker's folder after a job; a worker whose folder cannot be emptied is ended. */
void pvf__host_after_job(struct pvf__host_worker *worker);

/* The list, or the empty list for no bytes; bytes after it are refused. */
PVF__NODISCARD int
pvf__host_params(pvf_bytes bytes, struct pvf__executor_params *ret, pvf_error *err);

#endif
