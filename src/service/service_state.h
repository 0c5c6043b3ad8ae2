/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SERVICE_SERVICE_STATE_H
#define PVF_SERVICE_SERVICE_STATE_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "cache/cache.h"
#include "core/core.h"
#include "core/core_list.h"
#include "core/core_retry.h"
#include "core/core_table.h"
#include "host/host_job.h"
#include "host/host_state.h"
#include "proto/duration.h"
#include "proto/executor_params.h"
#include "pvf/service.h"
#include "service/service_wire.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is behind a pvf_service, and what its files offer each other.  The core decides; here are
 * the hands: workers, files, copies of what callers gave.
 *
 *   request   what a caller asked for, under the caller's number and, while the core has it, under
 *             the number of its present attempt
 *   worker    a process that is spawned, idle, at work, or dead and not yet cleared away
 *   artifact  a file, by the core's generation
 *   code      the bytes of code, shared by all requests that have the same
 */

/* ---- Code and requests ---- */

struct pvf__service_code {
    struct pvf__core_node node; /* when it may be shared */
    bool shared;
    uint32_t users;
    uint8_t hash[32];
    pvf_bytes bytes;
    uint8_t *owned; /* NULL: the caller's */
};

enum pvf__service_kind {
    PVF__SERVICE_PRECHECK,
    PVF__SERVICE_EXECUTE,
    PVF__SERVICE_HEADS_UP,
    PVF__SERVICE_SELF_TEST, /* nobody's: a known-good job */
};

/* Where a request is when the core does not have it. */
enum pvf__service_stage {
    PVF__SERVICE_IN_CORE,
    PVF__SERVICE_HELD,      /* its verdict waits for a known-good job */
    PVF__SERVICE_WAITING,   /* for its next attempt */
    PVF__SERVICE_PREPARING, /* in the core, as a precheck before its next attempt */
    PVF__SERVICE_FINISHED,  /* its callback has to be run */
};

struct pvf__service_request {
    struct pvf__core_node by_id;
    struct pvf__core_node by_core_id;
    struct pvf__core_link all;
    struct pvf__core_link link; /* HELD, WAITING, FINISHED */
    uint64_t id;
    uint64_t core_id; /* 0: the core does not have it */
    enum pvf__service_kind kind;
    enum pvf__service_stage stage;
    pvf_precheck_callback precheck_callback;
    pvf_execute_callback execute_callback;
    void *user;

    struct pvf__service_code *code;
    uint8_t *params_owned;
    size_t params_len;
    struct pvf__executor_params params;
    uint64_t prepare_timeout_ms;
    struct pvf__core_code wanted;

    /* Executions. */
    enum pvf__core_class cls;
    pvf_execute_request execution; /* points to `candidate_owned`, or to what the caller keeps */
    uint8_t *candidate_owned;
    size_t candidate_len;
    uint64_t timeout_ms;
    uint64_t deadline_ns;
    uint8_t leaf[32];
    bool retries;
    bool retry_begun;
    struct pvf__core_retry retry;
    uint64_t next_at;             /* WAITING */
    uint64_t first_generation;    /* of the artifact when it came; 0: it had to be prepared */
    uint64_t used_generation;     /* of the last attempt */
    pvf_prepare_outcome prepared; /* of used_generation, when that was prepared for it */
    bool needs_next_proof;        /* HELD */
    bool has_outcome;
    pvf_outcome outcome; /* of the last attempt */
    bool on_first_tier;  /* that is where it comes from */
    uint32_t attempts;
    uint64_t came_at;
    uint64_t submitted_at; /* the last attempt, to the core */
    uint64_t started_at;   /* the last attempt; 0: never */
};

/* ---- Workers ---- */

/* Which descriptor an event is about; in the lowest bits of its number. */
enum pvf__service_source {
    PVF__SERVICE_TIMER = 0,
    PVF__SERVICE_LISTENER,
    PVF__SERVICE_SOCKET,
    PVF__SERVICE_PROCESS,
    PVF__SERVICE_STDOUT,
    PVF__SERVICE_CHECK,
};
#define PVF__SERVICE_SOURCE_BITS 3u

enum pvf__service_worker_state {
    PVF__SERVICE_CONNECTING, /* started; it has not connected */
    PVF__SERVICE_TELLING,    /* the handshakes go out */
    PVF__SERVICE_GREETED,    /* upgraded: its answer is awaited, or comes in */
    PVF__SERVICE_IDLE,
    PVF__SERVICE_SENDING,   /* a request goes out */
    PVF__SERVICE_RECEIVING, /* its answer is awaited, or comes in */
    PVF__SERVICE_ENDING,    /* the connection has ended; how the process ends is not known yet */
    PVF__SERVICE_ORPHANED,  /* the process has ended; another one still holds the connection */
    PVF__SERVICE_DEAD,      /* killed or ended; to be reaped, its folder to be removed */
};

/* What a worker is busy with. */
struct pvf__service_job {
    uint64_t request; /* the core's number; it may be gone */
    uint64_t caller;  /* the caller's number, for the log */
    uint64_t generation;
    uint8_t checksum[32];
    struct pvf__duration timeout;
    uint64_t cpu_limit_us;
    uint64_t begun_at;
    bool looked; /* at what follows */
    bool has_cpu_before;
    uint64_t cpu_before_us;
    struct pvf__core_code made_as; /* prepare */
    uint64_t prepare_timeout_ms;   /* prepare */
    pvf_prepare_outcome prepared;  /* prepare */
    bool first_tier_due;           /* prepare: the next answer is the first of two */
    bool on_first_tier;            /* execute */
    bool is_self_test;
    enum pvf__exchange_end end; /* ENDING */
    pvf_error why;
};

struct pvf__service_worker {
    struct pvf__core_link link;
    uint64_t id;
    enum pvf__worker_kind kind;
    enum pvf__service_worker_state state;
    struct pvf__spawning spawning; /* its `spawned` is the worker for good */
    struct pvf__service_outgoing outgoing;
    struct pvf__service_incoming incoming;
    uint64_t deadline_at; /* UINT64_MAX: none */
    uint64_t requests;    /* that it was given */
    struct pvf__service_job job;
};

/* ---- Artifacts ---- */

struct pvf__service_artifact {
    struct pvf__core_node node;
    uint64_t generation;
    bool cached; /* `name` says where; else `path` is in the private folder */
    bool proven; /* its digest was compared since the service began */
    bool first_tier;
    struct pvf__cache_name name;
    char *path; /* owned */
    uint64_t taken_at;
    uint64_t touched_at;
    pvf_prepare_outcome figures; /* artifact_path NULL */
};

/* ---- The service ---- */

enum pvf__service_proof {
    PVF__SERVICE_PROOF_NONE,    /* nothing has died since the last known-good job */
    PVF__SERVICE_PROOF_WANTED,  /* something died */
    PVF__SERVICE_PROOF_RUNNING, /* a known-good job is under way */
};

struct pvf__service_check; /* service_recheck.c */

/* What a worker program is. */
struct pvf__service_program {
    char version[64]; /* as it calls itself; "": unknown */
    bool has_digest;  /* only when evidence is kept */
    uint64_t size;
    uint8_t digest[32]; /* BLAKE2b-256 of its file */
};

struct pvf_service {
    struct pvf__service_program programs[2]; /* by enum pvf__worker_kind */
    struct pvf_host *host; /* programs, folder, what workers are told; its own workers never run */
    struct pvf__core *core;
    struct pvf__cache *cache;
    bool keeps_artifacts; /* in the cache; false when it cannot be told which build they are of */
    uint64_t seed[2];
    uint32_t wall_factor;
    uint32_t requests_max;
    struct pvf__core_retry_config retry_config;
    int32_t security_mode;

    int epoll;
    int timer;
    bool inside;  /* pvf_service_process runs */
    bool closing; /* no new requests */

    uint64_t next_id;
    struct pvf__core_table by_id;
    struct pvf__core_table by_core_id;
    struct pvf__core_link requests; /* all of them, oldest first */
    struct pvf__core_link held;
    struct pvf__core_link waiting;
    struct pvf__core_link finished;
    uint32_t requests_count; /* callers' */
    struct pvf__core_table codes;
    uint64_t copied_bytes;     /* code, parameters, heads and PoVs of requests */
    uint64_t copied_max_bytes; /* none is taken that would make them more */
    bool copies_refused;       /* that is why the latest request was not taken */
    struct pvf__core_table artifacts;
    struct pvf__core_link workers;
    uint64_t space_at; /* when to look at the free space next */

    enum pvf__service_proof proof;
    bool proof_failed; /* the last known-good job */
    char proof_text[160];
    bool death_meanwhile; /* something died while a known-good job ran */

    bool alarms[PVF__CORE_ALARMS];
    pvf_error spawn_error[2]; /* of the last failed start; by enum pvf__worker_kind */
    bool insecure;            /* the machine is no longer fit for secure mode: nothing is started */
    pvf_error insecure_why;
    struct pvf__service_check *check; /* NULL: none is under way */
    uint64_t checked_at;

    char *evidence_dir; /* NULL: no evidence is kept */
    uint64_t evidence_max_bytes;
    pvf_metrics *metrics;
    uint64_t cache_max_bytes; /* as configured */
    uint64_t free_bytes;      /* when the core was told last */
    bool broken;              /* a turn of the loop has failed */
    uint64_t preparations;
    uint64_t executions;
    uint64_t worker_deaths;
};

/* service_loop.c */
uint64_t pvf__service_number(uint64_t id, enum pvf__service_source source);
PVF__NODISCARD int pvf__service_watch(
    struct pvf_service *service, int fd, uint32_t events, uint64_t number, pvf_error *err);
/* Changes what is watched for. */
void pvf__service_watch_for(struct pvf_service *service, int fd, uint32_t events, uint64_t number);
/* After every public call that may have given the loop something to do. */
void pvf__service_wake(struct pvf_service *service);

/* service_request.c */
PVF__NODISCARD int pvf__service_request_new(struct pvf_service *service,
                                            enum pvf__service_kind kind,
                                            const pvf_code *code,
                                            void *user,
                                            struct pvf__service_request **ret,
                                            pvf_error *err);
PVF__NODISCARD int pvf__service_request_set_candidate(struct pvf_service *service,
                                                      struct pvf__service_request *request,
                                                      const pvf_candidate *candidate,
                                                      pvf_error *err);
/* "precheck", "heads_up", "self_test", or of an execution "backing" and so on; static. */
const char *pvf__service_kind_name(const struct pvf__service_request *request);
void pvf__service_request_free(struct pvf_service *service, struct pvf__service_request *request);
struct pvf__service_request *pvf__service_request_find(const struct pvf_service *service,
                                                       uint64_t id);
struct pvf__service_request *pvf__service_request_of_core(const struct pvf_service *service,
                                                          uint64_t core_id);
/* Puts it among those that live; gives it a number. */
void pvf__service_request_enter(struct pvf_service *service, struct pvf__service_request *request);
/* Takes it from among those that live, and out of every list. */
void pvf__service_request_leave(struct pvf_service *service, struct pvf__service_request *request);

/* service_submit.c: hands a request to the core as its next attempt. */
PVF__NODISCARD int pvf__service_submit(struct pvf_service *service,
                                       struct pvf__service_request *request,
                                       enum pvf__service_stage stage);
/* Its callback runs soon and says so.  False: it is over, or its answer is on its way. */
bool pvf__service_cancel(struct pvf_service *service, struct pvf__service_request *request);
/* The core has let go of it. */
void pvf__service_withdrawn(struct pvf_service *service, struct pvf__service_request *request);

/* service_reply.c */
void pvf__service_reply(struct pvf_service *service, const struct pvf__core_command *command);
/* What came of the last attempt is in the request: proven if need be, tried again, or told. */
void pvf__service_reply_proven(struct pvf_service *service, struct pvf__service_request *request);
/* Runs the callback; the request is gone afterwards. */
void pvf__service_reply_execution(struct pvf_service *service,
                                  struct pvf__service_request *request);
void pvf__service_set_outcome(struct pvf__service_request *request,
                              enum pvf__event event,
                              const char *detail);

/* service_commands.c */
void pvf__service_carry_out(struct pvf_service *service, const struct pvf__core_command *command);

/* service_worker.c */
PVF__NODISCARD int pvf__service_worker_spawn(struct pvf_service *service,
                                             uint64_t id,
                                             enum pvf__worker_kind kind,
                                             const struct pvf__executor_params *params,
                                             pvf_error *err);
struct pvf__service_worker *pvf__service_worker_find(const struct pvf_service *service,
                                                     uint64_t id);
void pvf__service_worker_event(struct pvf_service *service,
                               struct pvf__service_worker *worker,
                               enum pvf__service_source source);
/* Its deadline has passed. */
void pvf__service_worker_overdue(struct pvf_service *service, struct pvf__service_worker *worker);
/* Sends the request, which it takes over, and awaits the answer. */
void pvf__service_worker_begin(struct pvf_service *service,
                               struct pvf__service_worker *worker,
                               struct pvf__host_message *request,
                               size_t answer_max);
/* Awaits a further answer to the same request, for as long as if that had just begun. */
void pvf__service_worker_await(struct pvf_service *service,
                               struct pvf__service_worker *worker,
                               size_t answer_max);
/* Empties its folder after a job; false: it must go. */
bool pvf__service_worker_tidy(struct pvf__service_worker *worker);
/* It is idle again. */
void pvf__service_worker_rest(struct pvf_service *service, struct pvf__service_worker *worker);

/* service_grave.c: kills it, if it lives; it is cleared away in steps. */
void pvf__service_bury(struct pvf_service *service, struct pvf__service_worker *worker);
/* A step; false: nothing is left to do for it, and it is freed. */
bool pvf__service_grave_step(struct pvf_service *service, struct pvf__service_worker *worker);
/* All of them at once; waits. */
void pvf__service_bury_all(struct pvf_service *service);

/* service_prepare.c, service_execute.c */
void pvf__service_prepare_start(struct pvf_service *service,
                                struct pvf__service_worker *worker,
                                struct pvf__service_request *request);
void pvf__service_prepare_ended(struct pvf_service *service,
                                struct pvf__service_worker *worker,
                                enum pvf__exchange_end end,
                                pvf_error *why);
void pvf__service_execute_start(struct pvf_service *service,
                                struct pvf__service_worker *worker,
                                struct pvf__service_request *request,
                                uint64_t generation);
void pvf__service_execute_ended(struct pvf_service *service,
                                struct pvf__service_worker *worker,
                                enum pvf__exchange_end end,
                                pvf_error *why);

/* service_tier.c: true: the answer was the first of two, and the next is awaited. */
bool pvf__service_tier_take(struct pvf_service *service, struct pvf__service_worker *worker);

/* service_cache.c */
PVF__NODISCARD int
pvf__service_cache_open(struct pvf_service *service, const char *folder, pvf_error *err);
PVF__NODISCARD int pvf__service_cache_load(struct pvf_service *service, pvf_error *err);
struct pvf__service_artifact *pvf__service_artifact_find(const struct pvf_service *service,
                                                         uint64_t generation);
/* After a preparation: the file at prepared->artifact_path, which it takes over. */
void pvf__service_artifact_take(struct pvf_service *service,
                                uint64_t generation,
                                pvf_prepare_outcome *prepared,
                                const struct pvf__core_code *made_as,
                                uint64_t timeout_ms,
                                bool keep);
/* Before a use: proves it once, notes the use.  False: it is no good, and the core was told. */
bool pvf__service_artifact_use(struct pvf_service *service, struct pvf__service_artifact *artifact);
/*
 * A worker is being started for the request: proves the artifact of an earlier run meanwhile, which
 * would have to be done when the worker is there.
 */
void pvf__service_artifact_expect(struct pvf_service *service,
                                  const struct pvf__service_request *request);
void pvf__service_artifact_remove(struct pvf_service *service, uint64_t generation);
void pvf__service_artifacts_free(struct pvf_service *service);
/* Tells the core how much space is free. */
void pvf__service_space(struct pvf_service *service, uint64_t now);
bool pvf__service_disk_is_full(const struct pvf_service *service);

/* service_programs.c: asks them, and reads their files. */
void pvf__service_programs_describe(struct pvf_service *service);

/* service_proof.c */
void pvf__service_death(struct pvf_service *service);
/* True: the request's verdict has to wait, and it was put aside. */
bool pvf__service_proof_hold(struct pvf_service *service, struct pvf__service_request *request);
/* The known-good job has ended. */
void pvf__service_proof_ended(struct pvf_service *service,
                              struct pvf__service_request *request,
                              const struct pvf__core_command *command);

/* service_retry.c */
/* True: there will be another attempt.  False: the request's outcome is final. */
bool pvf__service_retry(struct pvf_service *service, struct pvf__service_request *request);
/* The preparation before the next attempt has ended. */
void pvf__service_retry_prepared(struct pvf_service *service,
                                 struct pvf__service_request *request,
                                 const struct pvf__core_command *command);
/* Begins the attempts that are due. */
void pvf__service_retry_due(struct pvf_service *service, uint64_t now);
uint64_t pvf__service_retry_deadline(const struct pvf_service *service);

/* service_recheck.c: does nothing while one is under way, or when it was a moment ago. */
void pvf__service_recheck_begin(struct pvf_service *service);
void pvf__service_recheck_event(struct pvf_service *service);
uint64_t pvf__service_recheck_deadline(const struct pvf_service *service);
void pvf__service_recheck_overdue(struct pvf_service *service);
void pvf__service_recheck_end(struct pvf_service *service);

#endif
