/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SERVICE_H
#define PVF_SERVICE_H

#include "pvf/error.h"
#include "pvf/export.h"
#include "pvf/host.h"
#include "pvf/metrics.h"
#include "pvf/outcome.h"
#include "pvf/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The validation host: many requests at a time, with preparation, caching, scheduling, retries and
 * security checks in between.  Requests go in, callbacks bring what became of them.
 *
 *     pvf_service_new
 *     loop:  poll pvf_service_fd for POLLIN, at most pvf_service_timeout_ms
 *            pvf_service_process            (callbacks run here, and nowhere else)
 *     pvf_service_shutdown, loop until pvf_service_is_down, pvf_service_free
 *
 * A caller without a loop of its own uses pvf_service_run_once or pvf_service_wait.  The descriptor
 * alone is enough for a loop that knows no times: it becomes readable for timers, too.
 *
 * THREADS.  The service makes none and needs none.  It belongs to one thread at a time, and to the
 * process that made it.  It installs no signal handlers and waits only for its own children.
 *
 * MEMORY.  What a request points at is copied before the call returns, unless `borrow` is set: then
 * code, head and PoV must stay until the callback.  Code is held once, however many requests have
 * the same.  What all requests hold copies of is bounded: see copied_max_bytes.  What a callback
 * gets is valid until it returns.
 *
 * WAITING.  No call but pvf_service_new, _run_once, _wait and _free waits for anybody.  What
 * pvf_service_process does on the disk is bounded by what one job needs: an artifact of an earlier
 * run is read once, before its first use; a new one is written, and synced, to the cache.
 *
 * A callback may call any function of the service but pvf_service_process, _run_once, _wait and
 * _free.
 */
typedef struct pvf_service pvf_service;

/* A request, as long as it lives; never 0, never used twice. */
typedef uint64_t pvf_request_id;

/* How shares are given to the kinds of execution. */
enum pvf_policy {
    PVF_POLICY_FAIR = 0,      /* by CPU time, with minimum shares and deadlines */
    PVF_POLICY_REFERENCE = 1, /* the reference's choice by counted starts */
};

/*
 * Filled in by pvf_service_config_init; then set what differs.  Texts are copied.  Every limit is
 * checked by pvf_service_new.  It grows at its end only: the library takes an older program's
 * shorter one, with defaults for the rest.
 */
typedef struct pvf_service_config {
    size_t struct_size; /* set by pvf_service_config_init */

    /*
     * Programs, versions, security, logs of the workers.  host.cache_dir is where artifacts live
     * between runs; it and both programs are needed.
     */
    pvf_host_config host;

    uint32_t prepare_workers_soft_max; /* for normal preparations; 1 */
    uint32_t prepare_workers_hard_max; /* for critical ones; 2 */
    uint32_t execute_workers_max;      /* 4 */
    int32_t policy;                    /* enum pvf_policy */

    uint64_t cache_max_bytes;        /* 10 GiB */
    uint64_t cache_free_floor_bytes; /* keep so much of the file system free; 1 GiB */
    uint32_t cache_min_idle_s;       /* never remove what was needed since; 86400 */
    uint32_t prune_interval_s;       /* 3600 */

    uint32_t failure_cooldown_s;  /* longest pause before failed code is prepared again; 900 */
    uint32_t failure_retries_max; /* 5 */
    uint32_t spawn_retry_ms;      /* first pause after a failed start, doubled each time; 500 */
    uint32_t spawn_tries_max;     /* failed starts in a row before waiters are told; 5 */
    uint32_t wall_factor;         /* wall-clock limit over CPU limit; 4 */
    uint32_t keep_waiting_ms;     /* how long a job waits for a worker with its parameters; 4000 */
    bool cancel_kills;            /* a cancelled execution's job is killed; true */

    uint32_t requests_max; /* requests that may live at a time; 4096 */

    const char *evidence_dir;    /* NULL: no evidence is kept */
    uint64_t evidence_max_bytes; /* the oldest bundles make room; 1 GiB */

    uint64_t copied_max_bytes; /* what requests that live may hold copies of; 1 GiB */

    /*
     * 1: code that is new here is compiled fast first, and runs so until its optimised artifact is
     * there.  What is not valid on the fast one runs again on that.  Needs pvf-prepare-worker: no
     * other takes the option that it is started with.  0.
     */
    uint64_t first_tier;
} pvf_service_config;

/* The defaults.  `struct_size` is sizeof(pvf_service_config) as the caller was compiled. */
PVF_API void pvf_service_config_init(pvf_service_config *config, size_t struct_size);

/*
 * Checks the configuration, opens the programs and the cache (PVF_ERR_BUSY when another process
 * has it), checks what this machine can do, and lists what is in the cache.  No worker is
 * started yet.
 */
PVF_API PVF_NODISCARD int
pvf_service_new(const pvf_service_config *config, pvf_service **ret, pvf_error *err);

/* Ends everything at once: no callbacks any more.  NULL is fine. */
PVF_API void pvf_service_free(pvf_service *service);

/* ---- The loop ---- */

/* Readable when there is something to do; the service's own, closed by pvf_service_free. */
PVF_API int pvf_service_fd(const pvf_service *service);

/* Milliseconds until pvf_service_process is wanted even so; -1: not before the descriptor. */
PVF_API int pvf_service_timeout_ms(const pvf_service *service);

/* Does what can be done without waiting; callbacks run inside.  A failure is the end of it. */
PVF_API PVF_NODISCARD int pvf_service_process(pvf_service *service, pvf_error *err);

/* Waits for at most `timeout_ms` (-1: for ever), then processes. */
PVF_API PVF_NODISCARD int
pvf_service_run_once(pvf_service *service, int timeout_ms, pvf_error *err);

/* Runs until the request has been answered; other requests go on meanwhile.  PVF_ERR_TIMEOUT. */
PVF_API PVF_NODISCARD int
pvf_service_wait(pvf_service *service, pvf_request_id request, int timeout_ms, pvf_error *err);

/* ---- Requests ---- */

/* Code, as the chain has it, and under which parameters it is wanted. */
typedef struct pvf_code {
    pvf_bytes code;            /* perhaps compressed */
    pvf_bytes executor_params; /* SCALE list; none: the empty list */
    uint32_t bomb_limit;       /* bytes after decompression; 0: 31457280 (30 MiB) */
    uint64_t timeout_ms;       /* CPU time of a preparation; 0: what the parameters say */
    bool borrow;               /* `code`, and a candidate's head and PoV, stay until the callback */
    uint64_t reserved[4];      /* zero: see pvf/types.h */
} pvf_code;

/* What became of a precheck; `outcome` is filled when status is 0. */
typedef struct pvf_precheck_reply {
    pvf_request_id request;
    int32_t status;   /* 0; PVF_ERR_EOF: cancelled; PVF_ERR_PEER: no worker took it */
    bool stored;      /* answered from what was known */
    const char *text; /* for status; never NULL */
    const pvf_prepare_outcome *outcome; /* status 0, else NULL; artifact_path is the cache's: do not
                                           remove it */
    const char *evidence;               /* the bundle that was written, or NULL */
    void *user;
} pvf_precheck_reply;

/* What became of an execution. */
typedef struct pvf_execute_reply {
    pvf_request_id request;
    const pvf_outcome *outcome; /* never NULL; its verdict says which of the rest means anything */
    const pvf_prepare_outcome *preparation; /* when this request had to prepare; else NULL */
    uint32_t attempts;                      /* executions that were tried for it */
    uint64_t queued_us;                     /* from the request to the start of the last of them */
    const char *evidence;                   /* the bundle that was written, or NULL */
    void *user;
    bool first_tier; /* it ran on code that was compiled fast, which `preparation` is about */
} pvf_execute_reply;

typedef void (*pvf_precheck_callback)(pvf_service *service, const pvf_precheck_reply *reply);
typedef void (*pvf_execute_callback)(pvf_service *service, const pvf_execute_reply *reply);

/*
 * Would a validator accept this code?  A failure that is deterministic votes against it; others are
 * this machine's.
 */
PVF_API PVF_NODISCARD int pvf_service_precheck(pvf_service *service,
                                               const pvf_code *code,
                                               pvf_precheck_callback callback,
                                               void *user,
                                               pvf_request_id *ret,
                                               pvf_error *err);

/* Why a candidate is executed; decides priority, retries, and whether it may expire. */
enum pvf_exec_kind {
    PVF_EXEC_DISPUTE = 0,
    PVF_EXEC_APPROVAL = 1,
    PVF_EXEC_BACKING_SYSTEM_PARAS = 2,
    PVF_EXEC_BACKING = 3,
};

typedef struct pvf_candidate {
    pvf_code code;
    int32_t kind;                  /* enum pvf_exec_kind */
    bool retry;                    /* the service tries again as a validator would: see below */
    uint32_t deadline_ms;          /* not started by then: expired; 0: none */
    uint8_t scheduling_leaf[32];   /* backing: expires when no longer viable; all zero: never */
    pvf_execute_request execution; /* artifact_path, checksum, executor_params are ignored */
    uint64_t reserved[4];          /* zero: see pvf/types.h */
} pvf_candidate;

/*
 * Prepares the code if need be, then executes the candidate; the callback has the verdict.
 *
 * With `retry`: approval and dispute are tried once more after each kind of failure that is no
 * verdict (a death, a job's error, a bad artifact, which is prepared again first, an internal one),
 * 3 s later, always with the full time limit, for as long as the attempts may take in all.  What is
 * still possibly invalid then is invalid.  Backing is tried once, and what is possibly invalid is
 * internal: nobody needs a verdict there.  Without `retry` there is one attempt, and its outcome
 * comes as it is.
 *
 * Code that cannot be prepared is verdict internal, reason PVF_REASON_PREPARE: `preparation` says
 * whether that can ever change.
 */
PVF_API PVF_NODISCARD int pvf_service_execute(pvf_service *service,
                                              const pvf_candidate *candidate,
                                              pvf_execute_callback callback,
                                              void *user,
                                              pvf_request_id *ret,
                                              pvf_error *err);

/* This code will be needed soon; nobody is told what became of it. */
PVF_API PVF_NODISCARD int
pvf_service_heads_up(pvf_service *service, const pvf_code *code, pvf_error *err);

/*
 * All relay-chain blocks that backing may still build on: the active leaves and what they allow.
 * Executions for backing that wait and whose scheduling_leaf is not among them expire.  Until the
 * first call none does.
 */
PVF_API PVF_NODISCARD int pvf_service_active_leaves(pvf_service *service,
                                                    const uint8_t (*hashes)[32],
                                                    size_t count,
                                                    pvf_error *err);

/*
 * The request's callback runs soon, with a status or reason that says so.  What waits is dropped,
 * an execution that runs is killed if config.cancel_kills; a preparation that runs goes on, since
 * its artifact is of use.  False: the request is over, or its answer is on its way already.
 */
PVF_API bool pvf_service_cancel(pvf_service *service, pvf_request_id request);

/* ---- State ---- */

typedef struct pvf_service_stats {
    size_t struct_size; /* set by the caller: sizeof of this */
    uint32_t requests;
    uint32_t prepare_queued;
    uint32_t execute_queued[4]; /* by enum pvf_exec_kind */
    uint32_t prepare_workers;
    uint32_t execute_workers;
    uint32_t execute_busy;
    uint64_t cache_bytes;
    uint32_t cache_entries;
    uint64_t preparations; /* compilations since the start */
    uint64_t executions;
    uint64_t worker_deaths;
    bool healthy;          /* no alarm is on */
    char alarm[256];       /* one line about the gravest one that is on */
    uint64_t copied_bytes; /* that requests hold copies of: code, parameters, heads and PoVs */
} pvf_service_stats;

PVF_API void pvf_service_stats_get(const pvf_service *service, pvf_service_stats *stats);

/* What the workers are told to use. */
PVF_API void pvf_service_security(const pvf_service *service, pvf_security_status *ret);

/*
 * No new requests.  Orderly: those that live are finished, but for heads-ups; at once: they are
 * cancelled, and all workers are killed.  Callbacks still run, from pvf_service_process.  At once
 * after orderly is fine.
 */
PVF_API void pvf_service_shutdown(pvf_service *service, bool orderly);

/* The service's figures (pvf/metrics.h); its own, up to date as of this call. */
PVF_API const pvf_metrics *pvf_service_metrics(pvf_service *service);

/* Shut down, and every request answered? */
PVF_API bool pvf_service_is_down(const pvf_service *service);

#ifdef __cplusplus
}
#endif

#endif
