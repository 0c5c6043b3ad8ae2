/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CORE_CORE_RETRY_H
#define PVF_CORE_CORE_RETRY_H

#include "core/core_config.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * When an execution is tried again, and what may be said at the end.  On top of the core and
 * independent of it; a shell whose caller has a policy of its own does without.
 *
 *     pvf__core_retry_begin
 *     step = pvf__core_retry_ended(…) after each attempt, until the step is RETURN:
 *         WAIT     execute again, with the full CPU limit, at step.at
 *         PREPARE  precheck the same code (kind compilation, critical), then
 *                  step = pvf__core_retry_prepared(…)
 */

/* What an attempt has come to. */
enum pvf__core_attempt {
    PVF__CORE_ATTEMPT_VALID = 0,
    PVF__CORE_ATTEMPT_INVALID = 1,     /* beyond doubt; the hard timeout is one */
    PVF__CORE_ATTEMPT_PREPARATION = 2, /* the code cannot be prepared: deterministic */
    PVF__CORE_ATTEMPT_EXPIRED = 3,
    /* Possibly invalid. */
    PVF__CORE_ATTEMPT_DEATH = 4, /* of the worker or the job; and a stalled job */
    PVF__CORE_ATTEMPT_JOB_ERROR = 5,
    PVF__CORE_ATTEMPT_BAD_ARTIFACT = 6, /* corrupted, or its runtime not constructed */
    /* Surely this machine: a preparation that failed for now, no worker, … */
    PVF__CORE_ATTEMPT_INTERNAL = 7,
};
#define PVF__CORE_ATTEMPTS 8u

enum pvf__core_verdict {
    PVF__CORE_VERDICT_VALID = 0,
    PVF__CORE_VERDICT_INVALID = 1,
    PVF__CORE_VERDICT_NONE = 2, /* it could not be validated: no statement, no vote */
};

struct pvf__core_retry_config {
    uint32_t attempts[PVF__CORE_CLASSES]; /* at most, the first included */
    uint32_t budget[PVF__CORE_ATTEMPTS];  /* retries after each; 0 for those that are final */
    uint64_t delay_ns;                    /* before a retry */
    /*
     * No attempt begins later than this after the first one did: then nothing can be said.  0: what
     * all attempts that hostile code can cause may take at most, so that it cannot use it up.
     */
    uint64_t wall_budget_ns;
    uint32_t wall_factor; /* wall-clock limit of an attempt over its CPU limit */
};

/* The reference's budgets: one retry for each kind, none for backing, 3 s between them. */
void pvf__core_retry_default(struct pvf__core_retry_config *ret);

struct pvf__core_retry {
    struct pvf__core_retry_config config;
    enum pvf__core_class cls;
    uint64_t wall_budget_ns;
    uint64_t began_at;
    uint32_t attempts;
    uint32_t used[PVF__CORE_ATTEMPTS];
};

enum pvf__core_retry_action {
    PVF__CORE_RETRY_RETURN = 0,
    PVF__CORE_RETRY_WAIT = 1,
    PVF__CORE_RETRY_PREPARE = 2,
};

struct pvf__core_retry_step {
    enum pvf__core_retry_action action;
    uint64_t at;                    /* WAIT */
    enum pvf__core_verdict verdict; /* RETURN */
    bool out_of_time;               /* RETURN: the wall-clock budget is used up */
};

/* `cpu_limit_ns` is that of an attempt; `now` when the first begins. */
void pvf__core_retry_begin(struct pvf__core_retry *retry,
                           const struct pvf__core_retry_config *config,
                           enum pvf__core_class cls,
                           uint64_t cpu_limit_ns,
                           uint64_t now);

struct pvf__core_retry_step
pvf__core_retry_ended(struct pvf__core_retry *retry, uint64_t now, enum pvf__core_attempt attempt);

/* After PREPARE: did it work?  A failure, of whatever kind, is the end, and no verdict. */
struct pvf__core_retry_step
pvf__core_retry_prepared(const struct pvf__core_retry *retry, uint64_t now, bool ok);

#endif
