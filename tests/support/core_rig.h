/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_CORE_RIG_H
#define PVF_TESTS_SUPPORT_CORE_RIG_H

#include "core/core.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A core in a test: its clock, and its commands in the order in which they came.  Every helper
 * that tells an event checks all invariants afterwards.
 */
struct core_rig {
    struct pvf__core *core;
    struct pvf__core_config config;
    uint64_t now;
    uint64_t next_request;
    struct pvf__core_command commands[256]; /* fetched and not yet taken */
    size_t count;
};

/* Starts with the reference's behaviour, one prepare and one execute worker at most. */
void core_rig_config(struct core_rig *rig);
void core_rig_begin(struct core_rig *rig);
void core_rig_end(struct core_rig *rig);

/* Fixtures of a test whose state is its rig. */
int core_rig_set_up(void **state);
int core_rig_tear_down(void **state);

/* Code number n as it is compiled for an execution, or prechecked. */
struct pvf__core_code core_rig_code(unsigned n);
struct pvf__core_code core_rig_precheck_code(unsigned n);

/* Requests; return their id. */
uint64_t core_rig_precheck(struct core_rig *rig, const struct pvf__core_code *code);
uint64_t core_rig_heads_up(struct core_rig *rig, const struct pvf__core_code *code);
uint64_t
core_rig_execute(struct core_rig *rig, const struct pvf__core_code *code, enum pvf__core_class cls);
uint64_t core_rig_execution(struct core_rig *rig, struct pvf__core_execution execution);
/* An execution as core_rig_execute makes it. */
struct pvf__core_execution core_rig_like(const struct pvf__core_code *code,
                                         enum pvf__core_class cls);

/* Events. */
void core_rig_wait(struct core_rig *rig, uint64_t ns);
void core_rig_spawned(struct core_rig *rig, uint64_t worker);
void core_rig_spawn_failed(struct core_rig *rig, uint64_t worker);
void core_rig_dead(struct core_rig *rig, uint64_t worker);
void core_rig_cancel(struct core_rig *rig, uint64_t request);
uint64_t core_rig_prepared(struct core_rig *rig, uint64_t worker);
uint64_t core_rig_prepared_as(struct core_rig *rig,
                              uint64_t worker,
                              const struct pvf__core_prepared *prepared);
void core_rig_prepare_failed(struct core_rig *rig, uint64_t worker, enum pvf__core_failure failure);
void core_rig_executed(struct core_rig *rig, uint64_t worker, enum pvf__core_execute_end end);
void core_rig_executed_as(struct core_rig *rig,
                          uint64_t worker,
                          const struct pvf__core_executed *executed);
/* After an event told by hand. */
void core_rig_fetch(struct core_rig *rig);

/* The next command must be of this sort; it is taken. */
struct pvf__core_command core_rig_take(struct core_rig *rig, enum pvf__core_command_kind kind);
struct pvf__core_command
core_rig_take_reply(struct core_rig *rig, uint64_t request, enum pvf__core_reply reply);
/* SPAWN and its success: the worker. */
uint64_t core_rig_take_spawn(struct core_rig *rig, enum pvf__core_worker_kind kind);
/* START of this request: the worker. */
uint64_t core_rig_take_start(struct core_rig *rig, uint64_t request);
void core_rig_take_nothing(struct core_rig *rig);
/* Whatever comes next is none of the test's business. */
void core_rig_skip(struct core_rig *rig);

/* The whole way from nothing to an artifact: spawns a prepare worker if there is none. */
uint64_t core_rig_prepare(struct core_rig *rig, const struct pvf__core_code *code);

struct pvf__core_stats core_rig_stats(const struct core_rig *rig);

#endif
