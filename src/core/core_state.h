/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CORE_CORE_STATE_H
#define PVF_CORE_CORE_STATE_H

#include "core/core.h"
#include "core/core_list.h"
#include "core/core_policy.h"
#include "core/core_table.h"

/*
 * What is behind a pvf__core, and what its files offer each other.
 *
 *   request  what the shell asked for; in one of: an entry's waiters, an execute queue, a worker,
 *            or (replied) only in the list of orders
 *   entry    all about one key: artifact, preparation, waiters, stored failures
 *   worker   a slot; its number is fixed, so that spawning needs no memory
 *   order    a command that was decided and is not fetched yet; lives inside what it is about, so
 *            that deciding needs no memory
 */

struct pvf__core_order {
    struct pvf__core_link link;
    enum pvf__core_command_kind kind;
};

enum pvf__core_request_type {
    PVF__CORE_REQUEST_PRECHECK,
    PVF__CORE_REQUEST_EXECUTE,
    PVF__CORE_REQUEST_HEADS_UP,
};

enum pvf__core_request_state {
    PVF__CORE_REQUEST_LOOSE,   /* in nothing, while an event is worked on */
    PVF__CORE_REQUEST_WAITING, /* for a preparation */
    PVF__CORE_REQUEST_QUEUED,  /* for an execute worker */
    PVF__CORE_REQUEST_RUNNING,
    PVF__CORE_REQUEST_REPLIED,
};

struct pvf__core_entry;
struct pvf__core_worker;

struct pvf__core_request {
    struct pvf__core_node node;
    struct pvf__core_link all;
    struct pvf__core_link link; /* waiters of its entry, or the queue of its class */
    uint64_t id;
    enum pvf__core_request_type type;
    enum pvf__core_request_state state;
    struct pvf__core_entry *entry;   /* NULL once replied */
    struct pvf__core_worker *worker; /* RUNNING */
    struct pvf__core_code code;
    enum pvf__core_class cls;
    uint64_t cpu_limit_ns;
    uint64_t deadline_ns;  /* 0: none */
    size_t deadline_place; /* in the heap of deadlines, from 1; 0: not in it */
    uint8_t parent[32];
    uint64_t arrived; /* running number */
    uint64_t arrived_at;
    uint64_t order[2];  /* in its queue: ascending; given once */
    uint64_t queued_at; /* time of that */
    uint32_t requeues;
    uint32_t spawn_failures;
    bool needs_optimised; /* what came of it on a first tier is no verdict */
    struct pvf__core_order order_reply;
    struct pvf__core_command reply;
};

/* A failure that is remembered, and under what it happened. */
struct pvf__core_record {
    bool used;
    bool permanent;
    enum pvf__core_failure failure;
    struct pvf__core_code made_as;
    int32_t error;
    uint32_t count;
    uint64_t failed_at;
    char text[PVF__CORE_TEXT];
};

/* Compilation, prechecking, and one more set of limits; the oldest makes room. */
#define PVF__CORE_RECORDS 3u

enum pvf__core_job_state {
    PVF__CORE_JOB_NONE,
    PVF__CORE_JOB_QUEUED,
    PVF__CORE_JOB_RUNNING,
};

struct pvf__core_job {
    enum pvf__core_job_state state;
    bool critical;
    struct pvf__core_link link; /* queue of its priority */
    uint64_t queued_at;
    struct pvf__core_worker *worker; /* RUNNING */
    struct pvf__core_code made_as;   /* of the request that leads it, since it runs */
    bool had_first_tier;             /* RUNNING: there is one at most */
    uint32_t requeues;
    uint32_t deaths;
    uint32_t job_errors;
    uint32_t spawn_failures;
};

/*
 * Generations that wait for their REMOVE to be fetched: an old one, a first tier and a new one.
 * Never more: a job that makes others was started after what had to go before it was ordered.
 */
#define PVF__CORE_REMOVALS 3u

struct pvf__core_removal {
    struct pvf__core_order order;
    struct pvf__core_entry *entry;
    uint64_t generation; /* 0: none */
};

struct pvf__core_entry {
    struct pvf__core_node node;            /* by key */
    struct pvf__core_node generation_node; /* by generation, with an artifact */
    struct pvf__core_key key;

    bool has_artifact;
    struct pvf__core_link recent; /* all artifacts, least recently needed first */
    uint64_t generation;
    uint64_t size;
    uint64_t cpu_ns;
    uint64_t memory;
    uint32_t code_len;
    struct pvf__core_code made_as;
    int64_t needed_at; /* before the clock's beginning for one of an earlier run */
    uint32_t users;    /* requests queued, and workers that run */

    uint64_t first_generation; /* of the first tier, while the job goes on; 0: none */

    struct pvf__core_job job;
    struct pvf__core_link waiters;
    uint32_t waiting;
    struct pvf__core_record records[PVF__CORE_RECORDS];

    struct pvf__core_removal removals[PVF__CORE_REMOVALS];
};

enum pvf__core_worker_state {
    PVF__CORE_WORKER_FREE, /* an empty slot */
    PVF__CORE_WORKER_SPAWNING,
    PVF__CORE_WORKER_IDLE,
    PVF__CORE_WORKER_BUSY,
    PVF__CORE_WORKER_KILLED, /* until the KILL is fetched */
};

struct pvf__core_worker {
    enum pvf__core_worker_state state;
    enum pvf__core_worker_kind kind;
    uint64_t id;
    uint8_t params_hash[32]; /* execute */
    bool fresh;              /* has not done a job */
    uint64_t idle_since;
    uint64_t last_generation;     /* that it ran */
    uint64_t pass;                /* last pass in which its spawn was counted on */
    uint64_t request_id;          /* for the commands */
    struct pvf__core_order order; /* SPAWN or START */
    struct pvf__core_order order_kill;
    /* BUSY. */
    struct pvf__core_entry *entry;
    struct pvf__core_request *request; /* execute; NULL: cancelled meanwhile */
    uint64_t generation;
    bool first_tier; /* execute: `generation` is one */
    enum pvf__core_class cls;
    uint64_t cpu_limit_ns;
    uint64_t started_at;
    uint64_t charge;
};

/* Spawning of one kind of worker. */
struct pvf__core_spawner {
    uint32_t failures; /* in a row */
    uint32_t deaths;   /* of workers that had done no job, in a row */
    uint64_t next_at;
    bool wanted; /* something waits for next_at */
};

struct pvf__core_alarm_state {
    bool on;
    bool told; /* what the last fetched command said */
    struct pvf__core_order order;
};

struct pvf__core_leaf {
    uint8_t hash[32];
    uint8_t (*parents)[32]; /* owned */
    size_t count;
};

struct pvf__core {
    struct pvf__core_config config;
    uint64_t now;
    bool stopped;
    uint64_t next_number;

    struct pvf__core_table requests;
    struct pvf__core_link all_requests;
    uint32_t executions[PVF__CORE_CLASSES]; /* live requests */
    struct pvf__core_request **deadlines;   /* heap, earliest first, from place 1 */
    size_t deadlines_count;
    size_t deadlines_room; /* for every live request, so that putting one in cannot fail */

    struct pvf__core_table entries;
    struct pvf__core_table generations;
    struct pvf__core_link recent;
    uint32_t artifacts;
    uint64_t bytes;
    uint64_t prune_at;

    struct pvf__core_link prepare_queues[2]; /* Normal, Critical */
    struct pvf__core_link execute_queues[PVF__CORE_CLASSES];
    uint32_t execute_queued[PVF__CORE_CLASSES];
    struct pvf__core_policy policy;
    uint64_t pass;

    struct pvf__core_worker *workers;
    uint32_t slots;
    struct pvf__core_spawner spawners[2];
    uint64_t jitter;

    struct pvf__core_leaf *leaves;
    size_t leaves_count;
    bool leaves_known;

    struct pvf__core_link orders;
    struct pvf__core_alarm_state alarms[PVF__CORE_ALARMS];
    struct pvf__core_stats stats; /* only the counters since the start */
};

/* core.c: every event begins and ends with these. */
void pvf__core_begin(struct pvf__core *core, uint64_t now);
void pvf__core_schedule(struct pvf__core *core);

/* core_commands.c */
void pvf__core_order_init(struct pvf__core_order *order, enum pvf__core_command_kind kind);
void pvf__core_order(struct pvf__core *core, struct pvf__core_order *order);
bool pvf__core_order_waits(const struct pvf__core_order *order);
void pvf__core_order_withdraw(struct pvf__core_order *order);
void pvf__core_alarm(struct pvf__core *core, enum pvf__core_alarm alarm, bool on);

/* core_requests.c */
PVF__NODISCARD int pvf__core_request_add(struct pvf__core *core,
                                         const struct pvf__core_request *like,
                                         struct pvf__core_request **ret);
/* Takes it out of whatever it is in; a preparation that nobody else waits for is dropped. */
void pvf__core_request_detach(struct pvf__core *core, struct pvf__core_request *request);
/* Detaches it and orders its reply. */
void pvf__core_request_reply(struct pvf__core *core,
                             struct pvf__core_request *request,
                             enum pvf__core_reply reply);
void pvf__core_request_free(struct pvf__core *core, struct pvf__core_request *request);
/* Puts it among the waiters of its entry. */
void pvf__core_request_wait(struct pvf__core *core, struct pvf__core_request *request);
/* From there to the queue of executions. */
void pvf__core_request_serve(struct pvf__core *core, struct pvf__core_request *request);

/* core_deadlines.c */
PVF__NODISCARD int pvf__core_deadlines_reserve(struct pvf__core *core, size_t count);
void pvf__core_deadlines_put(struct pvf__core *core, struct pvf__core_request *request);
void pvf__core_deadlines_remove(struct pvf__core *core, struct pvf__core_request *request);
void pvf__core_deadlines_expire(struct pvf__core *core);
uint64_t pvf__core_deadlines_next(const struct pvf__core *core);

/* core_artifacts.c */
struct pvf__core_entry *pvf__core_entry_find(const struct pvf__core *core,
                                             const struct pvf__core_key *key);
struct pvf__core_entry *pvf__core_entry_new(const struct pvf__core_key *key);
void pvf__core_entry_put(struct pvf__core *core, struct pvf__core_entry *entry);
/* Frees an entry that knows nothing any more. */
void pvf__core_entry_settle(struct pvf__core *core, struct pvf__core_entry *entry);
bool pvf__core_entry_satisfies(const struct pvf__core_entry *entry,
                               const struct pvf__core_code *code);
void pvf__core_artifact_touch(struct pvf__core *core, struct pvf__core_entry *entry);
void pvf__core_artifact_set(struct pvf__core *core,
                            struct pvf__core_entry *entry,
                            const struct pvf__core_artifact *artifact);
void pvf__core_artifact_drop(struct pvf__core *core, struct pvf__core_entry *entry);
/* Orders the REMOVE of one of its generations. */
void pvf__core_entry_remove(struct pvf__core *core,
                            struct pvf__core_entry *entry,
                            uint64_t generation);
bool pvf__core_entry_removes(const struct pvf__core_entry *entry);
/* Sends a request where its entry's state wants it. */
void pvf__core_entry_place(struct pvf__core *core, struct pvf__core_request *request);

/* core_tier.c */
/* May it run on the first tier of the entry? */
bool pvf__core_tier_serves(const struct pvf__core_entry *entry,
                           const struct pvf__core_request *request);
/* Would it, if it were started now? */
bool pvf__core_tier_is_used(const struct pvf__core_request *request);
/* It is gone, if there was one; where its queued requests go is the caller's. */
void pvf__core_tier_drop(struct pvf__core *core, struct pvf__core_entry *entry);

/* core_failures.c */
/* Does a failure that came about under `made_as` say something about `code`? */
bool pvf__core_failure_concerns(enum pvf__core_failure failure,
                                const struct pvf__core_code *made_as,
                                const struct pvf__core_code *code);
bool pvf__core_failure_is_permanent(const struct pvf__core *core,
                                    const struct pvf__core_job *job,
                                    enum pvf__core_failure failure);
/* Remembers how the job of the entry failed. */
void pvf__core_failure_store(struct pvf__core *core,
                             struct pvf__core_entry *entry,
                             const struct pvf__core_prepared *prepared);
/* The stored failure that answers a request now; NULL: it may be tried. */
const struct pvf__core_record *pvf__core_failure_blocks(struct pvf__core *core,
                                                        struct pvf__core_entry *entry,
                                                        const struct pvf__core_request *request);
/* After a success under `made_as`. */
void pvf__core_failures_disproved(struct pvf__core_entry *entry,
                                  const struct pvf__core_code *made_as);
void pvf__core_failures_expire(struct pvf__core *core, struct pvf__core_entry *entry);
bool pvf__core_failures_any(const struct pvf__core_entry *entry);

/* core_prepare.c */
void pvf__core_prepare_enqueue(struct pvf__core *core, struct pvf__core_entry *entry);
void pvf__core_prepare_raise(struct pvf__core *core, struct pvf__core_entry *entry);
void pvf__core_prepare_drop(struct pvf__core *core, struct pvf__core_entry *entry);
void pvf__core_prepare_pass(struct pvf__core *core);
/* No worker could be started: job after job its waiters are told. */
void pvf__core_prepare_spawn_failed(struct pvf__core *core);
/* As pvf__core_prepare_finished, without scheduling. */
uint64_t pvf__core_prepare_end(struct pvf__core *core,
                               struct pvf__core_worker *worker,
                               const struct pvf__core_prepared *prepared);
uint64_t pvf__core_prepare_deadline(const struct pvf__core *core);

/* core_execute.c */
void pvf__core_execute_enqueue(struct pvf__core *core, struct pvf__core_request *request);
void pvf__core_execute_dequeue(struct pvf__core *core, struct pvf__core_request *request);
void pvf__core_execute_pass(struct pvf__core *core);
void pvf__core_execute_spawn_failed(struct pvf__core *core, const uint8_t params_hash[32]);
void pvf__core_execute_end(struct pvf__core *core,
                           struct pvf__core_worker *worker,
                           const struct pvf__core_executed *executed);
/* Nobody wants to know any more: killed if the configuration says so, or runs on unheard. */
void pvf__core_execute_cancel(struct pvf__core *core, struct pvf__core_request *request);
/* Takes the job from a busy worker, charged for what it ran; the worker's state is the caller's. */
void pvf__core_execute_abandon(struct pvf__core *core, struct pvf__core_worker *worker);
/* The artifact of an entry is gone: its queued requests wait for a new one. */
void pvf__core_execute_unprepared(struct pvf__core *core, struct pvf__core_entry *entry);
/* The job of an entry has failed: its requests that are queued for the first tier wait again. */
void pvf__core_execute_recall(struct pvf__core *core, struct pvf__core_entry *entry);
bool pvf__core_execute_fits(const struct pvf__core *core,
                            const struct pvf__core_worker *worker,
                            const uint8_t params_hash[32]);

/* core_workers.c */
struct pvf__core_worker *pvf__core_worker_find(const struct pvf__core *core, uint64_t id);
/* Spawning, idle and busy ones. */
uint32_t pvf__core_workers_count(const struct pvf__core *core, enum pvf__core_worker_kind kind);
/* NULL: not now, since the last one failed. */
struct pvf__core_worker *pvf__core_worker_spawn(struct pvf__core *core,
                                                enum pvf__core_worker_kind kind,
                                                const struct pvf__core_request *request);
void pvf__core_worker_start(struct pvf__core *core,
                            struct pvf__core_worker *worker,
                            struct pvf__core_entry *entry,
                            const struct pvf__core_request *request);
void pvf__core_worker_kill(struct pvf__core *core, struct pvf__core_worker *worker);
/* After a job: idle again, or gone.  `worked`: it has shown that it can do jobs. */
void pvf__core_worker_release(struct pvf__core *core,
                              struct pvf__core_worker *worker,
                              bool lives,
                              bool worked);
void pvf__core_worker_spawn_ended(struct pvf__core *core, struct pvf__core_worker *worker, bool ok);
void pvf__core_workers_expire(struct pvf__core *core);
uint64_t pvf__core_workers_deadline(const struct pvf__core *core);

/* core_leaves.c */
bool pvf__core_leaves_viable(const struct pvf__core *core, const uint8_t parent[32]);
void pvf__core_leaves_free(struct pvf__core_leaf *leaves, size_t count);

/* core_prune.c */
void pvf__core_prune_size(struct pvf__core *core);
void pvf__core_prune_tick(struct pvf__core *core);

/* Calls `each` for every entry, which it may free. */
void pvf__core_entries_each(struct pvf__core *core,
                            void (*each)(struct pvf__core *core, struct pvf__core_entry *entry));

#endif
