/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_HOST_STATE_H
#define PVF_HOST_HOST_STATE_H

#include "host/host_worker.h"
#include "host/program.h"
#include "proto/executor_params.h"
#include "pvf/error.h"
#include "pvf/host.h"

#include <limits.h>

/* A worker that could not take the request has not started the job, so another may have it. */
#define PVF__HOST_SEND_TRIES 2

/* The relay chain's limit of today for code after decompression. */
#define PVF__HOST_BOMB_LIMIT (30u << 20)

/* What is behind a pvf_host. */
struct pvf_host {
    struct pvf__program prepare_program; /* path NULL: none */
    struct pvf__program execute_program;
    char *node_version; /* NULL: not compared */
    char *log_directives;
    uint32_t spawn_timeout_ms;
    bool quiet;
    enum pvf_metering metering;
    uint32_t compile_threads; /* 0: not said */
    bool first_tier;          /* a service's: compilations are answered twice */
    bool upgraded[2]; /* by enum pvf__worker_kind: the program is spoken to on the upgraded wire */
    pvf_security_status security;
    char folder[PATH_MAX]; /* ours alone: worker folders and artifacts; removed at the end */
    struct pvf__host_worker prepare; /* idle */
    struct pvf__host_worker execute; /* idle */
    bool death_seen; /* a job or worker died, and no known-good job has passed since */
};

/*
 * Takes an idle, living worker for a job; starts one when there is none, a dead one, or one with
 * other parameters (NULL for prepare workers).  The caller gives it back, or ends it.
 */
PVF__NODISCARD int pvf__host_take(struct pvf_host *host,
                                  enum pvf__worker_kind kind,
                                  const struct pvf__executor_params *params,
                                  struct pvf__host_worker *ret,
                                  pvf_error *err);

/* After a job: empties the worker's folder and keeps it; if that fails, the worker is ended. */
void pvf__host_give_back(struct pvf_host *host, struct pvf__host_worker *worker);

/* As pvf_host_execute, but a death is not looked into. */
PVF__NODISCARD int pvf__host_execute_once(struct pvf_host *host,
                                          const pvf_execute_request *request,
                                          pvf_outcome *ret,
                                          pvf_error *err);

/*
 * Looks into a death, now or earlier, before a candidate is blamed: the artifact is verified again
 * when it was now, and a known-good job must pass.  Changes the outcome when either fails.
 */
void pvf__host_judge_death(struct pvf_host *host,
                           const pvf_execute_request *request,
                           pvf_outcome *outcome);

/* The list, or the empty list for no bytes; bytes after it are refused. */
PVF__NODISCARD int
pvf__host_params(pvf_bytes bytes, struct pvf__executor_params *ret, pvf_error *err);

#endif
