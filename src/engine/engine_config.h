/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_CONFIG_H
#define PVF_ENGINE_ENGINE_CONFIG_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the executor parameters and the operator may choose; everything else is fixed. */
struct pvf__engine_settings {
    uint32_t native_stack_max; /* bytes of native stack for guest code (StackNativeMax) */
    bool bulk_memory;          /* WasmExtBulkMemory; the rewriter's grammar knows no such code */
    size_t compile_threads;    /* that compile the functions of a module; 0 as 1: the caller's */
    bool first_tier;           /* compile fast, whatever the code is like; loading does not ask */
};

/* The reference's limit of the native stack when no parameter says otherwise. */
#define PVF__ENGINE_NATIVE_STACK_DEFAULT (256u * 1024 * 1024)

/*
 * A compiler and loader with one fixed set of settings.  Thread-safe.  Everything made with it
 * must be deleted before it.
 */
struct pvf__engine;

/*
 * *ret is the caller's to give to pvf__engine_delete.  PVF_ERR_INVALID_ARG: the settings cannot
 * be served (a native stack of 0); the text is what the reference says in this case.
 */
PVF__NODISCARD int pvf__engine_new(const struct pvf__engine_settings *settings,
                                   struct pvf__engine **ret,
                                   pvf_error *err);

/* NULL is fine. */
void pvf__engine_delete(struct pvf__engine *engine);

/*
 * May code run on a first tier under these limits (bytes; values)?  Frames are larger there: only
 * with as much native stack for each value of the logical one as the chain's own limits leave does
 * the native stack end no job in either tier.
 */
bool pvf__engine_first_tier_fits(uint32_t native_stack_max, uint32_t logical_stack_max);

/*
 * Appends the engine's version and one line "name=value" for each setting that decides what an
 * artifact is: two equal texts on one kind of processor mean that artifacts can be exchanged.
 */
PVF__NODISCARD int pvf__engine_describe(const struct pvf__engine_settings *settings,
                                        struct pvf__buf *buf);

#endif
