/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_RUN_H
#define PVF_ENGINE_ENGINE_RUN_H

#include "base/cleanup.h"
#include "base/slice.h"
#include "engine/engine_load.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The life of an instance: made, used for one call of validate_block, thrown away.  All of it must
 * happen in one thread, with a stack of pvf__engine_stack_size (engine_stack.h); the guest runs
 * both when the instance is made (its start function) and when it is called.  Neither ends by
 * itself: whoever runs this limits its time from outside.
 */

/* Consensus: the two kinds of failure lead to different verdicts. */
enum pvf__engine_class {
    PVF__ENGINE_OK = 0,
    PVF__ENGINE_RUNTIME_CONSTRUCTION, /* while instantiating, with the start function */
    PVF__ENGINE_INVALID,              /* everything later */
};

struct pvf__engine_outcome {
    enum pvf__engine_class class;
    char text[4096]; /* of a failure, as the reference words it; cut; may have several lines */
};

struct pvf__engine_limits {
    uint64_t max_pages;     /* of guest memory (pages of 64 KiB) */
    uint32_t max_log_level; /* what the guest is told, 0 (off) … 5 (trace) */
    /* Ends the process: a host function had no memory here, which is no verdict.  NULL: abort(). */
    void (*no_memory)(void);
};

/* The input of validate_block: the parts one after another, written once, into guest memory. */
struct pvf__engine_input {
    const struct pvf__slice *parts;
    size_t count;
};

/*
 * Gets what validate_block returned.  The bytes are the guest's memory: good until this returns,
 * trusted in nothing.
 */
typedef void (*pvf__engine_output_fn)(void *context, const uint8_t *data, size_t len);

struct pvf__engine_instance;

/*
 * What an instance needs before anything of the guest's can run: this is safe where nothing hostile
 * may run, and may be done by the process of which the instance's is a copy.  NULL with the reason
 * in *ret_outcome, else the caller's to give to pvf__engine_instance_delete, before the module.
 */
PVF__NODISCARD struct pvf__engine_instance *
pvf__engine_instance_prepare(const struct pvf__engine_module *module,
                             const struct pvf__engine_limits *limits,
                             struct pvf__engine_outcome *ret_outcome);

/*
 * Makes it an instance: its start function has run and its exports have been found.  False with the
 * reason in *ret_outcome: it is good for nothing any more.
 */
PVF__NODISCARD bool pvf__engine_instance_start(struct pvf__engine_instance *instance,
                                               const struct pvf__engine_module *module,
                                               struct pvf__engine_outcome *ret_outcome);

/* Both; NULL instead of one that is good for nothing. */
PVF__NODISCARD struct pvf__engine_instance *
pvf__engine_instance_new(const struct pvf__engine_module *module,
                         const struct pvf__engine_limits *limits,
                         struct pvf__engine_outcome *ret_outcome);

/*
 * Calls validate_block, at most once for each instance.  `output` is called if and only if the
 * outcome is PVF__ENGINE_OK, and may be NULL.
 */
void pvf__engine_instance_call(struct pvf__engine_instance *instance,
                               const struct pvf__engine_input *input,
                               pvf__engine_output_fn output,
                               void *context,
                               struct pvf__engine_outcome *ret_outcome);

/*
 * For one that was prepared: does beforehand what the first call in a thread costs once; the thread
 * may be the one of which the caller's will be a copy.
 */
void pvf__engine_instance_warm_thread(struct pvf__engine_instance *instance);

/*
 * For an instance that has to wait for its call: touches what most calls will.  Nothing that the
 * guest can see changes.
 */
void pvf__engine_instance_warm_up(struct pvf__engine_instance *instance,
                                  const struct pvf__engine_module *module);

/* NULL is fine. */
void pvf__engine_instance_delete(struct pvf__engine_instance *instance);

/* The three of them. */
void pvf__engine_run(const struct pvf__engine_module *module,
                     const struct pvf__engine_limits *limits,
                     const struct pvf__engine_input *input,
                     pvf__engine_output_fn output,
                     void *context,
                     struct pvf__engine_outcome *ret_outcome);

#endif
