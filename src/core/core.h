/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CORE_CORE_H
#define PVF_CORE_CORE_H

#include "base/cleanup.h"
#include "core/core_config.h"
#include "pvf/error.h"
#include "pvf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The brain of the validation host: which code is prepared when, which candidate runs where, what
 * is kept, what is tried again.  It has no input or output, no clock and no randomness of its own:
 * the shell around it tells it events and carries out its commands.
 *
 *     pvf__core_new
 *     loop:  wait for something, at most until pvf__core_next_deadline
 *            tell it (one function per event; pvf__core_tick when the deadline came)
 *            while (pvf__core_next_command(core, &command)) carry it out
 *     pvf__core_stop, carry out the commands, pvf__core_free
 *
 * TIME is nanoseconds of one monotonic clock, given to every event.  It may stand still; if it goes
 * back, the latest one counts.
 *
 * EVENTS may be told at any time, also between two commands; commands are fetched in the order in
 * which they were decided and hold for the order in which they are carried out.  An event about
 * something that the core has forgotten (a killed worker, a replied request, an old generation)
 * changes nothing: such events cross with commands and are no error.
 *
 * MEMORY is allocated only by pvf__core_new and by the events that return int: PVF_ERR_NO_MEMORY
 * means that nothing has changed.  All other events cannot fail.
 *
 * REQUESTS have an id that the shell chooses: any number but 0, unique among those that live.  A
 * request lives until its REPLY command was fetched; every one gets exactly one.  The shell keeps
 * what belongs to it (code, parameters, candidate) under that id, and may let go of it with the
 * reply.  A START_PREPARE names a request that lives, perhaps not the one that came first, and
 * means "with the code, kind and limits of this one".  While that job is on its way the shell needs
 * its own hold on the code: the request may be cancelled meanwhile.
 *
 * WORKERS have an id that the core chooses, never used twice.  SPAWN is answered by exactly one
 * of worker_spawned and spawn_failed.  A worker then gets one START at a time, answered by
 * exactly one of prepare_finished / execute_finished, or by worker_dead.  After KILL (also of a
 * worker that is still being spawned) the core has forgotten the worker: the shell ends it and its
 * job and tells nothing more.  The shell watches over all time limits of a job (spawn, CPU, wall
 * clock) and reports what came of it.
 *
 * GENERATIONS number artifacts: each file gets its own when it is taken in (prepare_finished,
 * artifact_loaded), never used twice.  START_EXECUTE and REMOVE name them, so a late report about
 * an old file cannot hit a new one.  Each generation ends with exactly one REMOVE, unless the core
 * is freed before.  It may come while jobs run on the generation: they have linked or opened the
 * file when they were started.
 */
struct pvf__core;

/* What prepared code is known by: BLAKE2b-256 of the code as given, and of its parameters. */
struct pvf__core_key {
    uint8_t code_hash[32];
    uint8_t prep_hash[32];
};

enum pvf__core_prepare_kind {
    PVF__CORE_COMPILATION = 0,
    PVF__CORE_PRECHECKING = 1, /* also constructs the runtime once */
};

/*
 * Code as one request wants it prepared.  Nothing here but the key joins or separates preparations;
 * each request is judged by its own limits, on what was measured.
 */
struct pvf__core_code {
    struct pvf__core_key key;
    uint8_t params_hash[32]; /* of the whole list of executor parameters */
    enum pvf__core_prepare_kind kind;
    bool critical; /* priority: true for approval and dispute, also when they prepare again */
    uint64_t cpu_limit_ns;
    uint64_t memory_limit; /* bytes; 0: none */
    uint32_t bomb_limit;   /* bytes after decompression */
};

struct pvf__core_execution {
    uint64_t request;
    struct pvf__core_code code; /* for a preparation, if there has to be one */
    enum pvf__core_class cls;
    uint64_t cpu_limit_ns; /* of the execution */
    uint64_t deadline_ns;  /* not started by then: EXPIRED, in every class; 0: none */
    uint8_t parent[32];    /* scheduling parent, for the two backing classes; all zero: none */
};

PVF__NODISCARD int
pvf__core_new(const struct pvf__core_config *config, struct pvf__core **ret, pvf_error *err);

/* Frees everything, without replies or commands; NULL is fine. */
void pvf__core_free(struct pvf__core *core);

/* ---- Requests: PVF_ERR_INVALID_ARG, PVF_ERR_LIMIT, PVF_ERR_NO_MEMORY, or 0 ---- */

/*
 * Is the code good?  Replies PREPARED or PREPARE_FAILED.  Answered from what is stored when that
 * satisfies, or was refused under, this request's own kind and limits.
 */
PVF__NODISCARD int pvf__core_precheck(struct pvf__core *core,
                                      uint64_t now,
                                      uint64_t request,
                                      const struct pvf__core_code *code);

/* Prepares if needed, then runs.  Replies EXECUTED, PREPARE_FAILED, EXPIRED or an internal one. */
PVF__NODISCARD int pvf__core_execute(struct pvf__core *core,
                                     uint64_t now,
                                     const struct pvf__core_execution *execution);

/*
 * The code will be needed soon.  One request per code; its reply says only that the core will not
 * use its code any more.
 */
PVF__NODISCARD int pvf__core_heads_up(struct pvf__core *core,
                                      uint64_t now,
                                      uint64_t request,
                                      const struct pvf__core_code *code);

/*
 * Replies CANCELLED.  Not started: it leaves its queue, and a preparation that nobody else waits
 * for is dropped.  Running: an execution is killed with its worker if config.cancel_kills, else its
 * result is thrown away; a preparation goes on, since its artifact is of use.  False: it is over,
 * or its reply was decided already.
 */
bool pvf__core_cancel(struct pvf__core *core, uint64_t now, uint64_t request);

/* ---- Leaves: executions for backing whose scheduling parent is not viable are EXPIRED ---- */

/* All viable scheduling parents: the active leaves and their allowed ancestors. */
PVF__NODISCARD int pvf__core_leaves_set(struct pvf__core *core,
                                        uint64_t now,
                                        const uint8_t (*parents)[32],
                                        size_t count);

/* The same as a change.  `activated` NULL: none.  A leaf that is activated again is replaced. */
PVF__NODISCARD int pvf__core_leaves_update(struct pvf__core *core,
                                           uint64_t now,
                                           const uint8_t *activated,
                                           const uint8_t (*ancestors)[32],
                                           size_t ancestors_count,
                                           const uint8_t (*deactivated)[32],
                                           size_t deactivated_count);

/* ---- Workers ---- */

void pvf__core_worker_spawned(struct pvf__core *core, uint64_t now, uint64_t worker);

/* It never became usable; nothing is left of it. */
void pvf__core_spawn_failed(struct pvf__core *core, uint64_t now, uint64_t worker);

/*
 * It is gone, idle or not.  A job on it has failed by DEATH with error 0 (prepare) or ends as
 * EXECUTED (execute: the shell's outcome for the request says "worker died").  A job that was never
 * started is reported by NOT_STARTED with worker_lives false instead.
 */
void pvf__core_worker_dead(struct pvf__core *core, uint64_t now, uint64_t worker);

enum pvf__core_prepare_end {
    PVF__CORE_PREPARE_OK = 0,
    PVF__CORE_PREPARE_FAILED = 1,
    PVF__CORE_PREPARE_NOT_STARTED = 2, /* the request did not reach the worker: again, silently */
};

/* Longest text that is kept with a failure, with its terminator. */
#define PVF__CORE_TEXT 192

struct pvf__core_prepared {
    enum pvf__core_prepare_end end;
    bool worker_lives;
    /* OK: what was measured.  The file has its final place already. */
    uint64_t size; /* of the file */
    uint64_t cpu_ns;
    uint64_t memory;   /* peak, as the memory limit counts it */
    uint32_t code_len; /* after decompression */
    /* FAILED. */
    enum pvf__core_failure failure;
    int32_t error;    /* the shell's own number for it; given back with each reply */
    const char *text; /* NULL: none; cut to PVF__CORE_TEXT */
};

/*
 * Returns the artifact's generation, which the shell stores with file and checksum before it
 * fetches commands; 0 when there is none, or the file is not wanted: the shell then removes it.
 */
uint64_t pvf__core_prepare_finished(struct pvf__core *core,
                                    uint64_t now,
                                    uint64_t worker,
                                    const struct pvf__core_prepared *prepared);

/*
 * While the job goes on: its worker has made a first tier, compiled fast, for executions that need
 * the code at once.  What is true of it is not known: it answers nobody who asks about the code,
 * and what an execution comes to on it counts only when it is valid.  Returns its generation, as
 * pvf__core_prepare_finished does; 0: not wanted.  It ends with the job, whatever becomes of that.
 */
uint64_t pvf__core_prepare_first_tier(struct pvf__core *core, uint64_t now, uint64_t worker);

enum pvf__core_execute_end {
    PVF__CORE_EXECUTE_DONE = 0, /* any outcome that is the request's: valid, invalid, internal … */
    PVF__CORE_EXECUTE_BAD_ARTIFACT = 1, /* so is this: corrupted, or its runtime not constructed */
    PVF__CORE_EXECUTE_NOT_STARTED = 2,  /* the request did not reach the worker: again, silently */
    PVF__CORE_EXECUTE_ARTIFACT_GONE =
        3, /* its file could not be opened: prepared again, silently */
};

struct pvf__core_executed {
    enum pvf__core_execute_end end;
    bool worker_lives;
    bool valid; /* DONE: the outcome is a result that is valid; asked for of first tiers only */
    uint64_t cpu_ns;
};

/*
 * The shell keeps the outcome of DONE and BAD_ARTIFACT with the request, for the EXECUTED reply;
 * but for one that is not valid on a first tier, which is forgotten: the request runs again.
 */
void pvf__core_execute_finished(struct pvf__core *core,
                                uint64_t now,
                                uint64_t worker,
                                const struct pvf__core_executed *executed);

/* ---- Artifacts ---- */

/* What is known about an artifact; from an earlier run, or for a list. */
struct pvf__core_artifact {
    struct pvf__core_key key;
    uint64_t generation; /* ignored by artifact_loaded */
    uint64_t size;
    uint64_t unused_ns; /* since it was last needed */
    uint64_t cpu_ns;
    uint64_t memory;
    uint32_t code_len;
    struct pvf__core_code made_as; /* kind and limits that it was prepared under; key ignored */
    bool in_use; /* by a job or a request that waits for one; ignored by artifact_loaded */
};

/*
 * A file of an earlier run, verified by the shell.  *ret_generation is 0 when the key has an
 * artifact already: the shell removes the file.
 */
PVF__NODISCARD int pvf__core_artifact_loaded(struct pvf__core *core,
                                             uint64_t now,
                                             const struct pvf__core_artifact *artifact,
                                             uint64_t *ret_generation);

/*
 * Its file is gone or bad, or an operator wants it away: a REMOVE follows, and executions that
 * wait for a worker wait for a new preparation instead.
 */
void pvf__core_artifact_vanished(struct pvf__core *core, uint64_t now, uint64_t generation);

/* Forgets why code failed, so that the next request tries again.  False: there was nothing. */
bool pvf__core_failures_forget(struct pvf__core *core, const struct pvf__core_key *key);

/* The artifact of a key.  False: none. */
bool pvf__core_artifact_find(const struct pvf__core *core,
                             const struct pvf__core_key *key,
                             struct pvf__core_artifact *ret);

/* Calls `each` for every artifact, least recently needed first.  `each` must not tell events. */
void pvf__core_artifacts_each(const struct pvf__core *core,
                              void (*each)(void *context, const struct pvf__core_artifact *),
                              void *context);

/* Free bytes of the cache's file system; told after each artifact and now and then. */
void pvf__core_free_space(struct pvf__core *core, uint64_t now, uint64_t bytes);

/* ---- Time ---- */

/* Does what is due. */
void pvf__core_tick(struct pvf__core *core, uint64_t now);

/* When pvf__core_tick is wanted at the latest; UINT64_MAX: never. */
uint64_t pvf__core_next_deadline(const struct pvf__core *core);

/* Cancels every request and kills every worker; afterwards every request is refused. */
void pvf__core_stop(struct pvf__core *core, uint64_t now);

/* ---- Commands ---- */

enum pvf__core_worker_kind {
    PVF__CORE_PREPARE_WORKER = 0,
    PVF__CORE_EXECUTE_WORKER = 1,
};

enum pvf__core_command_kind {
    PVF__CORE_SPAWN = 0,         /* worker, worker_kind; execute: request, params_hash.  The shell
                                    needs its own hold on the parameters until it is spawned */
    PVF__CORE_KILL = 1,          /* worker: end it and its job */
    PVF__CORE_START_PREPARE = 2, /* worker, request: with its code, kind and limits; key */
    PVF__CORE_START_EXECUTE = 3, /* worker, request, generation, key */
    PVF__CORE_REPLY = 4,         /* request, reply and what belongs to it */
    PVF__CORE_REMOVE = 5,        /* generation, key: unlink the file */
    PVF__CORE_ALARM = 6,         /* alarm, alarm_on: for the health report */
};

enum pvf__core_reply {
    PVF__CORE_REPLY_PREPARED = 0,       /* generation; stored */
    PVF__CORE_REPLY_PREPARE_FAILED = 1, /* failure, error, text, deterministic, stored */
    PVF__CORE_REPLY_EXECUTED = 2,       /* the outcome that the shell reported */
    PVF__CORE_REPLY_EXPIRED = 3,        /* its deadline passed, or its scheduling parent is gone */
    PVF__CORE_REPLY_CANCELLED = 4,
    PVF__CORE_REPLY_NO_WORKER = 5,   /* internal: no worker could be started */
    PVF__CORE_REPLY_NOT_STARTED = 6, /* internal: config.requeue_max attempts came to nothing */
};

enum pvf__core_alarm {
    PVF__CORE_ALARM_PREPARE_SPAWN = 0, /* config.spawn_tries spawns in a row failed */
    PVF__CORE_ALARM_EXECUTE_SPAWN = 1,
    PVF__CORE_ALARM_PREPARE_DEATHS = 2, /* as many workers in a row died before they did a job */
    PVF__CORE_ALARM_EXECUTE_DEATHS = 3,
    PVF__CORE_ALARM_FREE_SPACE = 4, /* below the floor, and nothing more can be removed */
};
#define PVF__CORE_ALARMS 5u

struct pvf__core_command {
    enum pvf__core_command_kind kind;
    uint64_t worker;
    enum pvf__core_worker_kind worker_kind;
    uint64_t request; /* SPAWN: one that lives and has these executor parameters */
    uint64_t generation;
    struct pvf__core_key key;
    uint8_t params_hash[32];
    enum pvf__core_reply reply;
    enum pvf__core_failure failure;
    bool
        deterministic; /* execute: "preparation" error; precheck: invalid.  Else internal, failed */
    bool stored;       /* answered without a new job */
    int32_t error;
    char text[PVF__CORE_TEXT];
    enum pvf__core_alarm alarm;
    bool alarm_on;
};

/* False, and *ret untouched, when there is none. */
bool pvf__core_next_command(struct pvf__core *core, struct pvf__core_command *ret);

/*
 * ---- How long a class may wait under the fair policy ----
 *
 * Let W = config.execute_max, L = the largest execution.cpu_limit_ns of any request, f =
 * config.wall_factor, s = pvf__core_config_share of the class / 1000.  An execution is charged its
 * CPU time, or 1/f of its wall-clock time if that is more (a stalled job holds a worker, too), at
 * least config.min_cost_ns and at most its limit.
 *
 * While executions of a class wait to be started, the charges of other classes between two of its
 * starts are at most
 *
 *     B = W * L * (1/s + 3)
 *
 * and so the time between them is at most f * L * (1/s + 4) as long as no worker has to be
 * started.  Where several sets of executor parameters are in use B doubles, and
 * config.keep_waiting_ns and the start of a worker come on top.  Inside a class the order is by
 * deadline (or arrival + patience_ns), so nothing waits for what came patience_ns after it.
 *
 * The reference policy has no bound: a backing execution may wait for ever.
 */
uint64_t pvf__core_starvation_bound_ns(const struct pvf__core_config *config,
                                       enum pvf__core_class cls,
                                       uint64_t largest_cpu_limit_ns);

/* ---- Figures ---- */

struct pvf__core_workers_stats {
    uint32_t spawning;
    uint32_t idle;
    uint32_t busy;
};

struct pvf__core_stats {
    /* Now. */
    uint32_t requests;
    uint32_t prepare_critical; /* jobs queued */
    uint32_t prepare_normal;
    uint32_t prepare_waiters; /* requests that wait for a preparation */
    uint32_t execute_queued[PVF__CORE_CLASSES];
    uint32_t execute_running[PVF__CORE_CLASSES];
    struct pvf__core_workers_stats workers[2]; /* by enum pvf__core_worker_kind */
    uint64_t cache_bytes;
    uint32_t cache_entries;
    uint32_t failures; /* stored ones */
    bool alarms[PVF__CORE_ALARMS];
    /* Since the start. */
    uint64_t prepare_enqueued;
    uint64_t prepare_concluded;
    uint64_t prepare_retried; /* at once: deaths, job errors, never started */
    uint64_t execute_enqueued;
    uint64_t execute_finished;
    uint64_t execute_requeued;
    uint64_t selected[PVF__CORE_CLASSES]; /* executions started */
    uint64_t expired;
    uint64_t cancelled;
    uint64_t coalesced; /* requests that joined a preparation under way */
    uint64_t stored;    /* requests answered from what is stored */
    uint64_t spawning[2];
    uint64_t spawned[2];
    uint64_t spawn_failed[2];
    uint64_t retired[2];          /* killed or died */
    uint64_t removed;             /* artifacts, but for first tiers */
    uint64_t first_tiers;         /* taken in */
    uint64_t first_tier_served;   /* executions whose valid result came from one */
    uint64_t first_tier_repeated; /* executions that have to run again because they ran on one */
};

void pvf__core_stats_get(const struct pvf__core *core, struct pvf__core_stats *ret);

/*
 * Looks at every invariant of the state; PVF_ERR_INTERNAL and what is wrong.  For tests, and for
 * a shell that wants to know after a long life.
 */
PVF__NODISCARD int pvf__core_check(const struct pvf__core *core, pvf_error *err);

#endif
