/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SIMULATION_WORLD_H
#define PVF_TESTS_SIMULATION_WORLD_H

#include "core/core.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A made-up shell around the core: it carries out commands, lets jobs end in all ways at all times,
 * and keeps books of its own, by which it sees when the core does something wrong.
 */

#define SIM_REQUESTS 96u
#define SIM_WORKERS 64u
#define SIM_ARTIFACTS 256u
#define SIM_KEYS 12u
#define SIM_PARAMS 3u
#define SIM_PARENTS 4u

struct sim_request {
    uint64_t id; /* 0: an empty place */
    bool execution;
    struct pvf__core_code code;
    unsigned key;
    enum pvf__core_class cls;
    uint64_t cpu_limit_ns;
    uint64_t deadline_ns;
    uint64_t asked_at;
    unsigned parent;
    bool cancelled;
    bool unviable;    /* its parent was, at some time since it was asked for */
    bool has_outcome; /* an execution of it has ended, or its worker died; on a first tier: valid */
    bool on_first_tier; /* has_outcome: there */
    bool optimised;     /* what it came to on a first tier did not count */
};

enum sim_worker_state {
    SIM_FREE,
    SIM_SPAWNING,
    SIM_IDLE,
    SIM_BUSY,
};

struct sim_worker {
    uint64_t id;
    enum sim_worker_state state;
    enum pvf__core_worker_kind kind;
    unsigned params;
    uint64_t due; /* SPAWNING, BUSY: when it ends */
    bool dies;    /* instead of saying how the job ended */
    struct pvf__core_prepared prepared;
    struct pvf__core_executed executed;
    struct pvf__core_code made_as; /* prepare */
    unsigned key;
    uint64_t first_tier_due; /* prepare: when it tells of a first tier; 0: not any more */
    bool on_first_tier;      /* execute */
    uint64_t request;        /* execute; it may be gone by then */
    enum pvf__core_class cls;
    uint64_t cpu_limit_ns;
    uint64_t started_at;
};

struct sim_artifact {
    uint64_t generation; /* 0: an empty place */
    unsigned key;
    uint64_t maker; /* of a first tier: the worker whose job goes on; 0: it is none */
    struct pvf__core_prepared measured;
    struct pvf__core_code made_as;
};

struct sim {
    struct pvf__core *core;
    struct pvf__core_config config;
    uint64_t seed;
    uint64_t random;
    uint64_t step;
    uint64_t now;
    uint64_t next_request;
    bool calm; /* nothing fails and nobody asks: everything must come to an end */
    /* The weather, which changes: percent of spawns that fail, and of steps in which time passes.
     */
    unsigned spawns_fail;
    unsigned time_passes;
    bool interrupting;
    struct sim_request requests[SIM_REQUESTS];
    struct sim_worker workers[SIM_WORKERS];
    struct sim_artifact artifacts[SIM_ARTIFACTS];
    bool failed_for_good[SIM_KEYS][PVF__CORE_FAILURES];
    uint64_t gone[16]; /* workers that ended by themselves: a KILL may cross with that */
    unsigned gone_next;
    bool alarms[PVF__CORE_ALARMS];
    /* Charges of other classes since a class was last served; see pvf__core_starvation_bound_ns. */
    uint64_t starved[PVF__CORE_CLASSES];
    uint64_t worst[PVF__CORE_CLASSES];
    uint64_t replies[8];
    uint64_t commands[8];
};

/* The largest CPU limit of an execution. */
#define SIM_CPU_LIMIT (12 * PVF__CORE_SECOND)

/* Prints what is wrong and how to see it again, and ends the program. */
_Noreturn void sim_fail(const struct sim *sim, const char *what) __attribute__((cold));

#define SIM_MUST(sim, condition)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            sim_fail(sim, #condition);                                                             \
        }                                                                                          \
    } while (0)

uint64_t sim_random(struct sim *sim, uint64_t below);
bool sim_chance(struct sim *sim, unsigned percent);

void sim_code(struct sim *sim, unsigned key, struct pvf__core_code *ret);
struct sim_request *sim_request_find(struct sim *sim, uint64_t id);
struct sim_request *sim_request_place(struct sim *sim);
struct sim_worker *sim_worker_find(struct sim *sim, uint64_t id);
struct sim_artifact *sim_artifact_find(struct sim *sim, uint64_t generation);
void sim_artifact_put(struct sim *sim,
                      uint64_t generation,
                      unsigned key,
                      uint64_t maker,
                      const struct pvf__core_prepared *measured,
                      const struct pvf__core_code *made_as);
unsigned sim_index(const uint8_t hash[32]);
void sim_hash(unsigned index, uint8_t ret[32]);

/* Fetches and carries out all commands, then looks at everything. */
void sim_settle(struct sim *sim);

/* Something that happens between two commands. */
void sim_interrupt(struct sim *sim);

/* An execution has ended, or was ended: what it cost is counted against who waits. */
void sim_charge(struct sim *sim, const struct sim_worker *worker, uint64_t cpu_ns, bool ran);

/* Allocation failures: percent of the calls of calloc that return NULL; and what is allocated. */
extern unsigned sim_calloc_fails;
extern uint64_t sim_calloc_random;
extern long sim_allocated;

#endif
