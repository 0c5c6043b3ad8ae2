/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CORE_CORE_CONFIG_H
#define PVF_CORE_CORE_CONFIG_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stdint.h>

#define PVF__CORE_MS UINT64_C(1000000)
#define PVF__CORE_SECOND (UINT64_C(1000) * PVF__CORE_MS)
#define PVF__CORE_MINUTE (UINT64_C(60) * PVF__CORE_SECOND)
#define PVF__CORE_HOUR (UINT64_C(60) * PVF__CORE_MINUTE)

/* Most workers of one kind. */
#define PVF__CORE_WORKERS_MAX 256u

/* Execute classes, highest rank first. */
enum pvf__core_class {
    PVF__CORE_DISPUTE = 0,
    PVF__CORE_APPROVAL = 1,
    PVF__CORE_BACKING_SYSTEM_PARAS = 2,
    PVF__CORE_BACKING = 3,
};
#define PVF__CORE_CLASSES 4u

/* How the execute queue chooses between its classes. */
enum pvf__core_policy_kind {
    /* Weighted fair queueing over CPU time with minimum shares; by deadline inside a class. */
    PVF__CORE_POLICY_FAIR = 0,
    /* The reference's windows and thresholds; first in, first out inside a class. */
    PVF__CORE_POLICY_REFERENCE = 1,
};

/*
 * What a failed preparation is remembered as.  The first three are the code's own and permanent;
 * OUT_OF_MEMORY is permanent for its memory limit, JOB_ERROR once enough attempts agree.
 */
enum pvf__core_failure {
    PVF__CORE_FAILURE_PREVALIDATION = 0,
    PVF__CORE_FAILURE_PREPARATION = 1,
    PVF__CORE_FAILURE_DECOMPRESSION = 2,
    PVF__CORE_FAILURE_OUT_OF_MEMORY = 3,
    PVF__CORE_FAILURE_JOB_ERROR = 4,
    PVF__CORE_FAILURE_CONSTRUCTION = 5, /* the trial construction of the runtime */
    PVF__CORE_FAILURE_TIMED_OUT = 6,    /* its CPU limit was used */
    PVF__CORE_FAILURE_DEATH = 7,        /* the job or the worker died */
    PVF__CORE_FAILURE_STALLED = 8,      /* the wall-clock limit passed, the CPU limit did not */
    PVF__CORE_FAILURE_LOCAL = 9,        /* files, pipes, kernel: this machine's */
    PVF__CORE_FAILURE_NO_SPACE = 10,    /* LOCAL because the disk is full; retried when it is not */
};
#define PVF__CORE_FAILURES 11u

/* After the n-th failure: wait base, 2 base, 4 base … at most cap; after `retries` until expiry. */
struct pvf__core_backoff {
    uint64_t base_ns;
    uint64_t cap_ns;
    uint32_t retries;
};

struct pvf__core_class_config {
    uint32_t max_requests; /* live ones of the class; more are refused with PVF_ERR_LIMIT */
    uint32_t threshold; /* reference policy: percent of the window's starts of it and lower ranks */
    uint32_t weight;    /* fair policy: part of what is above all minimum shares */
    uint32_t min_share; /* fair policy: thousandths of the CPU time that are its own */
    uint64_t
        patience_ns; /* fair policy: a request without a deadline is ordered as if it had this */
};

/*
 * Every number that the core goes by.  Times are nanoseconds, sizes bytes.  The defaults of
 * pvf__core_config_default are the reference's where it is right.
 */
struct pvf__core_config {
    uint32_t prepare_soft_max; /* workers for Normal jobs */
    uint32_t prepare_hard_max; /* workers for Critical jobs */
    uint32_t execute_max;
    uint32_t max_requests;     /* live at a time; more are refused with PVF_ERR_LIMIT */
    uint32_t requeue_max;      /* times that a job may fail to start before its waiters fail */
    uint64_t prepare_aging_ns; /* a Normal job that waited so long becomes Critical; 0: never */
    uint64_t prepare_idle_ns;  /* an idle worker is ended after it; 0: never */
    uint64_t execute_idle_ns;  /* as above */
    bool cancel_kills;         /* a cancelled execution that runs is killed with its worker */
    bool params_per_job;       /* any execute worker serves any executor parameters */
    uint64_t keep_waiting_ns;  /* so long a job may be overtaken by those that fit a worker */
    uint64_t seed[2];          /* of the spawn jitter and the hash tables; any number */

    /* Spawning; each kind of worker backs off as a whole, whatever its executor parameters. */
    uint64_t spawn_backoff_ns; /* after the first failure; doubled after each */
    uint64_t spawn_backoff_cap_ns;
    uint32_t spawn_tries; /* in a row, before waiters get an error and the alarm is on */

    /* The execute queue. */
    enum pvf__core_policy_kind policy;
    uint32_t window; /* reference policy: starts after which the counters begin again */
    struct pvf__core_class_config classes[PVF__CORE_CLASSES];
    uint64_t min_cost_ns; /* fair policy: least that an execution is charged */
    uint32_t wall_factor; /* wall-clock limit over CPU limit, as the shell applies it */

    /* Failed preparations. */
    struct pvf__core_backoff backoff[PVF__CORE_FAILURES]; /* looked at for those not permanent */
    uint32_t job_error_attempts; /* JOB_ERROR is believed after so many that agree */
    uint32_t death_retries;      /* immediate ones, before anybody hears of it */
    bool precheck_retries;       /* a precheck may retry what failed; the reference never does */
    uint64_t failure_expiry_ns;  /* since the last failure; 0: never */
    uint64_t permanent_expiry_ns;

    /* The cache. */
    uint64_t cache_max_bytes;
    uint64_t cache_min_idle_ns; /* nothing needed more recently is removed for the size */
    uint64_t free_floor_bytes;  /* below this free space artifacts are removed; 0: never */
    uint64_t free_min_idle_ns;  /* nothing needed more recently is removed for the free space */
    uint64_t prune_period_ns;
};

/* The defaults: the fair policy and short backoffs. */
void pvf__core_config_default(struct pvf__core_config *ret);

/*
 * The reference's behaviour where it can be chosen: its policy, 15 minutes after each failure and
 * five retries, no immediate ones, nothing expires.
 */
void pvf__core_config_reference(struct pvf__core_config *ret);

/* PVF_ERR_INVALID_ARG and a text that names the field and its limits. */
PVF__NODISCARD int pvf__core_config_check(const struct pvf__core_config *config, pvf_error *err);

/*
 * The share of a class in thousandths under the fair policy: its minimum and its part, by weight,
 * of what all minimum shares leave.  At least 1.
 */
uint32_t pvf__core_config_share(const struct pvf__core_config *config, enum pvf__core_class cls);

#endif
