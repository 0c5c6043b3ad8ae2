/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_HOST_WORKER_H
#define PVF_HOST_HOST_WORKER_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "host/host_message.h"
#include "host/spawn.h"
#include "proto/executor_params.h"
#include "proto/handshake.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A request reaches a healthy worker at once; this is for one that is being swapped in.  It never
 * outlasts the request's own deadline.
 */
#define PVF__HOST_WORKER_SEND_NS ((uint64_t)30 * 1000000000u)
/* A process that closed its descriptors by ending has ended a moment later, and the reverse. */
#define PVF__HOST_WORKER_END_NS ((uint64_t)100 * 1000000u)

/*
 * What the worker and all that it started had used when a job began is wanted only if the job's
 * deadline passes.  The kernel tells it in steps of 10 ms, so that a look as much later says the
 * same, and most jobs are over by then.
 */
#define PVF__HOST_WORKER_LOOK_NS ((uint64_t)10 * 1000000u)

/*
 * A worker that has been told what it needs before its first request: connection, process and
 * folder in one.  It has one owner at a time, who ends it or hands it on.
 */
struct pvf__host_worker {
    bool alive;
    enum pvf__worker_kind kind;
    struct pvf__spawned spawned;
    uint8_t params_hash[32]; /* execute: of the parameters that it runs with; upgraded: zero */
};

/*
 * Starts a worker and sends the handshakes: the security status, and `params` when it is not NULL
 * (execute workers on the plain wire).  Awaits the answer on the upgraded wire.  `worker` must not
 * be alive.
 */
PVF__NODISCARD int pvf__host_worker_start(struct pvf__host_worker *worker,
                                          const struct pvf__spawn_spec *spec,
                                          const pvf_security_status *security,
                                          const struct pvf__executor_params *params,
                                          pvf_error *err);

/* Kills it if it is alive, and removes its folder. */
void pvf__host_worker_end(struct pvf__host_worker *worker);

/* Ends the worker at the end of its owner's scope, unless it was handed on before. */
#define PVF__CLEANUP_WORKER __attribute__((cleanup(pvf__host_worker_end)))

/* Has it ended by itself since the last job? */
bool pvf__host_worker_is_dead(const struct pvf__host_worker *worker);

/* How a request ended, before anybody looks into the answer. */
enum pvf__exchange_end {
    PVF__EXCHANGE_ANSWERED,
    PVF__EXCHANGE_NOT_SENT, /* the worker has not got the whole request: no job was started */
    PVF__EXCHANGE_EXPIRED,  /* no answer in time, and the CPU limit may have been used up */
    PVF__EXCHANGE_STALLED,  /* no answer in time, though the CPU limit was not reached */
    PVF__EXCHANGE_LOST,     /* the worker ended, or sent what is no frame */
    PVF__EXCHANGE_NOT_READ, /* this host lacks memory or a system call to read the answer */
};

struct pvf__exchange {
    const struct pvf__host_message *request;
    uint64_t cpu_limit_us; /* from first byte to last it may take four times as long */
    size_t answer_max;
};

/*
 * Sends a request and waits for its answer, whose body goes to `ret`.  *ret_wall_us is the time
 * that both took.  For every end but ANSWERED `err`, which may not be NULL and must be clear, says
 * what happened, and the worker is of no further use.
 */
enum pvf__exchange_end pvf__host_worker_exchange(struct pvf__host_worker *worker,
                                                 const struct pvf__exchange *exchange,
                                                 struct pvf__buf *ret,
                                                 uint64_t *ret_wall_us,
                                                 pvf_error *err);

/*
 * The worker has ended and so has its connection: with a part of the request unread?  Then the
 * kernel says "reset" instead of "end", and the worker has not begun with the job.
 */
bool pvf__host_worker_left_unread(int socket);

/*
 * The deadline has passed: was it the code, or did this machine stand still?  `before_us` is the
 * CPU time of the worker and all it had started, when the job began, if that was known.
 */
enum pvf__exchange_end pvf__host_worker_judge_expiry(pid_t pid,
                                                     bool has_before,
                                                     uint64_t before_us,
                                                     uint64_t cpu_limit_us);

#endif
